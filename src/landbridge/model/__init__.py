"""Where the stages meet: routes searched once, a base solved, cases solved beside it."""

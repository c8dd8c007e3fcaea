"""The model: routes searched once, a base solved, and cases solved against it."""

"""Answer, the return type of every study, and every study as one call."""

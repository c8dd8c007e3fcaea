"""What every study returns, and every study as one call."""

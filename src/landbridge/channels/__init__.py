"""The other mechanisms, one file each: a channel returns shocks and indicators and solves no economy."""

"""Waits at gateways with a capacity: the laws of waiting, and the stations where they hold."""

"""Waits at gateways with a capacity: the laws of waiting, and the queues that use them."""

"""Further mechanisms, one file each: a channel returns shocks and indicators and solves no economy.

`protocol.py` defines a channel, `registry.py` lists those that every case is solved with.
"""

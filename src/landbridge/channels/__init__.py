"""The other mechanisms, one file each: a channel returns shocks and indicators and solves no economy.

`protocol.py` says what a channel is, `registry.py` which ones every case is solved with.
"""

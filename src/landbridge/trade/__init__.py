"""What a trade cost does to economies. Knows a cost matrix; does not know what a train is."""

from landbridge.trade.batch import EquilibriumBatch, solve_batch
from landbridge.trade.equilibrium import Equilibrium, solve
from landbridge.trade.welfare import FirstOrder, Gradient, LinearResponse
from landbridge.world.trade_table import TradeTable

__all__ = [
    "Equilibrium",
    "EquilibriumBatch",
    "FirstOrder",
    "Gradient",
    "LinearResponse",
    "TradeTable",
    "solve",
    "solve_batch",
]

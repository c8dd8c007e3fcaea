"""Effect of trade costs on economies. The inputs are cost matrices; nothing here depends on transport."""

from landbridge.trade.batch import EquilibriumBatch, solve_batch
from landbridge.trade.carriage import Carriage
from landbridge.trade.equilibrium import Equilibrium, solve
from landbridge.trade.from_estimates import Counterfactual, cost_hat, counterfactual, within
from landbridge.trade.resistance import Conditional, conditional, resistances
from landbridge.trade.welfare import FirstOrder, Gradient, LinearResponse
from landbridge.world.trade_table import TradeTable

__all__ = [
    "Carriage",
    "Conditional",
    "Counterfactual",
    "Equilibrium",
    "EquilibriumBatch",
    "FirstOrder",
    "Gradient",
    "LinearResponse",
    "TradeTable",
    "conditional",
    "cost_hat",
    "counterfactual",
    "resistances",
    "solve",
    "solve_batch",
    "within",
]

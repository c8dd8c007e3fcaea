"""Gas: what is missed when lines are lost, and how a changed network enters the economy.

A supply shock in energy: trade of a pair is held at kept = 1 - g + g r of the base, r the gas delivered
after / before, g the share of pipeline gas in the pair's energy trade. The year itself and its equations are
in `channels.gas_model`, the tables in `channels.gas_network`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from landbridge.channels.gas_model import GasModel, GasYear, Profile, Rows
from landbridge.channels.gas_network import (
    BASE_YEAR,
    DAYS,
    TABLES,
    Contract,
    GasNetwork,
    Line,
    Row,
    find_lines,
    parameter,
    read_network,
)
from landbridge.channels.protocol import Channel, Effect
from landbridge.errors import Fault, InfeasibleError
from landbridge.phrases import say
from landbridge.world import World
from landbridge.world.trade_table import TradeTable

__all__ = [
    "BASE_YEAR",
    "CHANNEL",
    "DAYS",
    "TABLES",
    "Contract",
    "GasModel",
    "GasNetwork",
    "GasShock",
    "GasYear",
    "Line",
    "Profile",
    "between",
    "find_lines",
    "moved",
    "parameter",
    "read_network",
    "require_deliverable",
    "shock",
    "solve_year",
]

FloatArray = NDArray[np.float64]

ENERGY = "ENE"
# Of the energy trade of a pair at least this much is left, or its cost would have no end.
_LEAST_KEPT = 1e-3


def solve_year(
    world: World,
    lose: Iterable[str] = (),
    profile: Profile = "flat",
    *,
    months: Iterable[int] = range(1, 13),
    year: int = BASE_YEAR,
    storage: bool | None = None,
) -> GasYear:
    """Least missed gas of a year when some pipelines are lost for some months.

    lose: pipelines by id, alias or name. profile: flat (a twelfth a month, no storage) or seasonal (the
    season and the stores of the tables). year: whose deliveries (2018, 2022, 2023). storage: overrides.
    Raises DataError for unknown pipelines and broken tables, InfeasibleError where no flow balances.
    """
    lost = find_lines(world, lose, "lose")
    model = GasModel(world, profile, year=year, storage=storage)
    return model.solve(model.without(lost, months))


def require_deliverable(world: World, year: int = BASE_YEAR) -> None:
    """Refuse tables whose whole lines cannot carry what is due, naming the cut that binds.

    Raises InfeasibleError; DataError as `read_network` does.
    """
    model = GasModel(world, "flat", year=year)
    found = model.solve(np.ones_like(model.availability))
    if found.unserved_bcm + found.home_unserved_bcm <= 1e-6:
        return
    short = {r["contract"]: r["missed_bcm"] for r in found.contracts if r["missed_bcm"] > 1e-6}
    faults = [
        Fault(f"gas_contracts.csv ({k})", f"{v:.2f} bcm a year cannot be delivered") for k, v in short.items()
    ]
    cure = "raise its capacity, add a line, or lower what is due"
    faults += [Fault("the cut that binds", text, cure) for text in found.binding]
    faults += [
        Fault(
            f"gas_balances.csv ({r['country']})",
            f"{r['home_unserved_bcm']:.2f} bcm of home use unserved",
            cure,
        )
        for r in found.by_country
        if r["home_unserved_bcm"] > 1e-6
    ]
    raise InfeasibleError("the gas network cannot deliver what is due with every line whole", faults)


# -- the economy -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class GasShock:
    """What a changed gas network does to trade.

    pairs: exporter, importer and sector as numbers of the trade table, with kept: trade of the pair after
    / before, at base prices, that goes with the gas delivered. cost_hat: the trade cost [pair] that brings
    it about where nothing else moves. notes: sentences that say so. rows: the same as plain values.
    """

    pairs: tuple[tuple[int, int, int], ...]
    kept: FloatArray
    cost_hat: FloatArray
    notes: tuple[str, ...]
    rows: Rows = field(default_factory=list)

    @property
    def why(self) -> tuple[str, str]:
        """Why a seller's deposits are used less, and why more."""
        return "gas without a pipe is sold to no other buyer", "more gas is sold"


def moved(base: World, world: World) -> bool:
    """Whether the gas network differs between two Worlds."""
    names = [n for n in (*TABLES, "gas_trade_share") if n in world.channels or n in base.channels]
    return any(world.channels.get(n) != base.channels.get(n) for n in names)


def shock(base: World, world: World) -> GasShock:
    """How far energy trade moves with the gas no longer or newly delivered.

        kept = 1 - g + g r,   kappa = kept^(-1/theta)

    r: delivered after / before, flat profile, base year; g: pipeline gas in the energy trade of the pair, its
    value over that trade or else gas_trade_share. kappa is where the model begins: it is raised or lowered
    until trade at base prices is what is kept. A pair whose deliveries do not change is not in it.
    Raises as `solve_year` does.
    """
    return between(world, base.trade, solve_year(base), solve_year(world))


def between(world: World, table: TradeTable, old_year: GasYear, new_year: GasYear) -> GasShock:
    """The shock of one gas year against another, as in `shock`, to a trade table."""
    if ENERGY not in table.sectors or "gas_trade_share" not in world.channels:
        return GasShock((), np.ones(0), np.ones(0), ())
    s = table.sectors.index(ENERGY)
    theta = float(table.theta[s])
    before, after = ({(r["exporter"], r["importer"]): r for r in y.contracts} for y in (old_year, new_year))
    shares = {(str(r["exporter"]), str(r["importer"])): r for r in world.channels["gas_trade_share"]}
    rows: Rows = []
    pairs, notes = [], []
    for pair in sorted({*before, *after}):
        old, new = (found[pair]["delivered_bcm"] if pair in found else 0.0 for found in (before, after))
        if abs(new - old) <= 1e-9 * max(old, new, 1.0):
            continue
        known = pair in shares and all(p in table.regions for p in pair) and old > 0.0
        o, d = (table.regions.index(p) for p in pair) if known else (0, 0)
        if not known or not table.trade[o, d, s] > 0.0:
            notes.append(say("note.gas_alone", seller=pair[0], buyer=pair[1], old=old, new=new))
            continue
        g = _gas_share(shares[pair], float(table.trade[o, d, s]))
        kept = max(1.0 - g + g * new / old, _LEAST_KEPT)
        pairs.append((o, d, s))
        rows.append(
            {"exporter": pair[0], "importer": pair[1], "before_bcm": old, "after_bcm": new}
            | {"gas_share": g, "energy_trade_at_base_prices": kept}
            | {"counted_musd": shares[pair]["gas_musd"], "trade_musd": float(table.trade[o, d, s])}
        )
        notes.append(say("note.gas_held", seller=pair[0], buyer=pair[1], old=old, new=new, gas=g, kept=kept))
    kept_by_pair = np.array([float(row["energy_trade_at_base_prices"]) for row in rows])
    return GasShock(tuple(pairs), kept_by_pair, kept_by_pair ** (-1.0 / theta), tuple(notes), rows)


def _gas_share(row: Row, energy_musd: float) -> float:
    if row["gas_musd"] is not None:
        return min(1.0, float(row["gas_musd"]) / energy_musd) if energy_musd > 0.0 else 0.0
    return float(row["share"] or 0.0)


def _effect(base: World, world: World) -> Effect:
    found = shock(base, world)
    return Effect(held=found, notes=found.notes)


CHANNEL = Channel(name="gas", moved=moved, effect=_effect)

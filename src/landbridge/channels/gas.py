"""Gas: deliveries missed when lines are lost, and the effect of a changed network on the economy.

A supply shock in energy: trade of a pair is held at kept = 1 - g + g r of the base, with r gas delivered
after / before and g the share of pipeline gas in the pair's energy trade. The gas year and its equations are
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
from landbridge.phrases import named, say
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
# At least this share of a pair's energy trade is left, or its cost would be infinite.
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
    """The gas year with the least missed gas when some pipelines are lost for some months.

    world: with the gas tables; lose: pipelines by id, alias or name; profile: flat (a twelfth per month, no
    storage) or seasonal (seasons and stores of the tables); months: 1 to 12; year: whose deliveries (2018,
    2022, 2023); storage: overrides that of the profile. Returns a GasYear. Equations:
    `landbridge.channels.gas_model`.
    Raises DataError for unknown pipelines and invalid tables, InfeasibleError where no flow balances,
    ConvergenceError where the programme is not solved.
    """
    lost = find_lines(world, lose, "lose")
    model = GasModel(world, profile, year=year, storage=storage)
    return model.solve(model.without(lost, months))


def require_deliverable(world: World, year: int = BASE_YEAR) -> None:
    """Check that the lines of the tables, all in service, can carry what is due.

    world: with the gas tables; year: whose deliveries. Solved by the programme of
    `landbridge.channels.gas_model`. Raises InfeasibleError that names the binding cut; DataError as
    `read_network` does.
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
    raise InfeasibleError("the gas network cannot deliver what is due with every line in service", faults)


# -- the economy -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class GasShock:
    """Effect of a changed gas network on trade.

    pairs: exporter, importer and sector as numbers of the trade table; kept [pair]: trade after / before at
    base prices, consistent with the gas delivered; cost_hat [pair]: the trade cost that gives it if nothing
    else changes; notes: sentences that state it; rows: the same as plain values.
    """

    pairs: tuple[tuple[int, int, int], ...]
    kept: FloatArray
    cost_hat: FloatArray
    notes: tuple[str, ...]
    rows: Rows = field(default_factory=list)

    @property
    def why(self) -> tuple[str, str]:
        """Phrases for why a seller's deposits are used less, and why more."""
        return "gas without a pipe is sold to no other buyer", "more gas is sold"


def moved(base: World, world: World) -> bool:
    """Whether the gas network differs between two Worlds.

    base, world: without and with the scenario.
    """
    names = [n for n in (*TABLES, "gas_trade_share") if n in world.channels or n in base.channels]
    return any(world.channels.get(n) != base.channels.get(n) for n in names)


def shock(base: World, world: World) -> GasShock:
    """Change of energy trade that follows from gas no longer delivered or newly delivered.

        kept = 1 - g + g r,   kappa = kept^(-1/theta)

    base, world: before and after, with the gas tables. r: delivered after / before, flat profile, base year;
    g: pipeline gas in the energy trade of the pair, its value over that trade or else gas_trade_share; kappa:
    the starting value, which the model adjusts until trade at base prices equals kept. Pairs whose deliveries
    do not change are left out. Returns a GasShock. Raises as `solve_year` does.
    """
    return between(world, base.trade, solve_year(base), solve_year(world))


def between(world: World, table: TradeTable, old_year: GasYear, new_year: GasYear) -> GasShock:
    """The shock to a trade table of one gas year against another, as in `shock`.

    world: with the gas tables; table: the trade table; old_year, new_year: solved years. Returns a GasShock,
    empty where the World has no energy sector or no gas trade shares.
    """
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
        seller, buyer = (named("region", one) for one in pair)
        known = pair in shares and all(p in table.regions for p in pair) and old > 0.0
        o, d = (table.regions.index(p) for p in pair) if known else (0, 0)
        if not known or not table.trade[o, d, s] > 0.0:
            notes.append(say("note.gas_alone", seller=seller, buyer=buyer, old=old, new=new))
            continue
        g = _gas_share(shares[pair], float(table.trade[o, d, s]))
        kept = max(1.0 - g + g * new / old, _LEAST_KEPT)
        pairs.append((o, d, s))
        rows.append(
            {"exporter": pair[0], "importer": pair[1], "before_bcm": old, "after_bcm": new}
            | {"gas_share": g, "energy_trade_at_base_prices": kept}
            | {"counted_musd": shares[pair]["gas_musd"], "trade_musd": float(table.trade[o, d, s])}
        )
        notes.append(say("note.gas_held", seller=seller, buyer=buyer, old=old, new=new, gas=g, kept=kept))
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

"""A World under change: its tables after the modifications applied so far, and helpers of the verbs.

Verbs are functions of a `Change` and a modification (see `landbridge.scenario.verbs`). They never raise:
faults go to `faults`, and the tables stay unchanged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from landbridge.errors import Fault, did_you_mean
from landbridge.scenario.fields import Modification, Move, out_of_bounds
from landbridge.scenario.registry import verb_columns
from landbridge.world import Cell, Policy, Table, World
from landbridge.world.gateway_kinds import GatewayKinds
from landbridge.world.names import resolve

__all__ = ["Change", "Row"]

Row = Mapping[str, Cell]


class Change:
    """Tables and policy of a World after the modifications applied so far, and their faults.

    before: the World at the start. scenario: its id. network, channels: tables by name. trade, tariff,
    productivity, trade_cost, transfer, works, no_transit, no_transit_of: as in `World` and `Policy`.
    """

    def __init__(self, world: World, scenario: str) -> None:
        policy = world.policy
        self.before, self.scenario = world, scenario
        self.network: dict[str, Table] = dict(world.network)
        self.channels: dict[str, Table] = dict(world.channels)
        self.trade = world.trade
        self.tariff, self.productivity = policy.tariff, policy.productivity_hat
        self.trade_cost, self.transfer, self.works = policy.trade_cost_hat, policy.transfer, policy.works
        self.no_transit, self.no_transit_of = policy.no_transit, dict(policy.no_transit_of)
        self.faults: list[Fault] = []

    def world(self) -> World:
        """The World after all modifications so far."""
        policy = Policy(
            self.tariff,
            self.productivity,
            self.trade_cost,
            self.transfer,
            self.works,
            no_transit=self.no_transit,
            no_transit_of=self.no_transit_of,
        )
        after = replace(self.before, network=self.network, channels=self.channels)
        return replace(after, trade=self.trade, policy=policy)

    @property
    def kinds(self) -> GatewayKinds:
        """Role and wait law of each kind of gateway."""
        return self.before.gateway_kinds

    # -- names and numbers -------------------------------------------------------------------------

    def place(self, m: Modification, key: str) -> str | None:
        """The identifier of the place under a key of a modification; None, with a fault, if unknown."""
        return self.resolve(m, key, "place", m.get(key))

    def resolve(
        self, m: Modification, key: str, kind: str, text: str, among: Collection[str] | None = None
    ) -> str | None:
        """The identifier of a name in any language; None, with a fault, if unknown.

        m, key: for the fault; kind: place, country, region, gateway or sector; text: the name; among: only
        these.
        """
        tables = {**self.network, "regions": self.before.regions, "sectors": self.before.sectors}
        found, fault = resolve(tables, kind, text, f"{m.where}, {key}", among)
        if fault is None:
            return found
        if kind == "region":
            fault = replace(
                fault,
                what=fault.what.replace("no region", f"no {key}", 1),
                cure=did_you_mean(text, self.before.region_groups) or fault.cure,
            )
        self.faults.append(fault)
        return None

    def row(self, m: Modification, table: str, column: str, key: str) -> Row | None:
        """The row of a network table whose column equals the value of a key; None, with a fault, if none."""
        known = self.network[table].by(column)
        row = known.get(str(m.get(key)))
        if row is None:
            cure = did_you_mean(str(m.get(key)), known) or f"{table}.csv lists every {key}"
            self.faults.append(m.fault(key, f"no {key} {m.get(key)!r}", cure))
        return row

    def moved(self, m: Modification, key: str, move: Move, old: Cell) -> float | None:
        """The number `old` after `move`; None, with a fault, where it is blank or leaves its bounds."""
        if old is None and move.how != "set":
            self.faults.append(m.fault(key, f"has no value to {move.how}", "give a number instead"))
            return None
        value = move.of(float(old or 0.0))
        column = verb_columns()[m.verb][key]
        fault = out_of_bounds(column, value, f"{m.where}, {key}")
        if fault:
            told = replace(fault, what=f"comes to {value:g}")
            if told not in self.faults:
                self.faults.append(told)
            return None
        return value

    def codes(self, m: Modification, key: str) -> list[int]:
        """Positions on an axis of the trade table; groups and * are expanded, unknown codes are faults.

        m: the modification; key: the one that holds the codes, "sector" or one of regions. Sorted.
        """
        axis = self.trade.sectors if key == "sector" else self.trade.regions
        found: list[int] = []
        for code in m.get(key):
            if code == "*":
                found += range(len(axis))
            elif key != "sector" and code in self.before.region_groups:
                found += [axis.index(r) for r in self.before.region_groups[code]]
            else:
                name = self.resolve(m, key, "sector" if key == "sector" else "region", code, axis)
                if name is not None:
                    found.append(axis.index(name))
        return sorted(set(found))

    def of_money(self, m: Modification, key: str) -> None:
        """A fault where `money` is given but the key whose change it qualifies is not."""
        if m.get("money") is not None and m.get(key) is None:
            self.faults.append(
                m.fault("money", "is given but no money changes", f"add {key} or leave it out")
            )

    # -- rows --------------------------------------------------------------------------------------

    def append(self, table: str, cells: dict[str, Any]) -> None:
        """Add a row to a network table, with the scenario as its source."""
        known = self.network[table]
        row: dict[str, Cell] = dict.fromkeys(known.columns)
        row.update(cells)
        row.update({"source": f"scenario {self.scenario}", "basis": "assumption"})
        self.network[table] = known.with_rows([*known, row])

    def update(self, table: str, column: str, keys: set[str], cells: Mapping[str, Cell]) -> None:
        """Write cells into the rows of a network table whose column holds one of the keys."""
        rows: Iterable[Row] = ({**r, **cells} if str(r[column]) in keys else r for r in self.network[table])
        self.network[table] = self.network[table].with_rows(rows)

    def channel(self, m: Modification, name: str) -> Table | None:
        """A channel table by name; None, with a fault, where the World lacks it."""
        if name not in self.channels:
            cure = "copy it from the folder that `landbridge data export` writes"
            self.faults.append(Fault(f"{m.where}, verb", f"needs channels/{name}.csv", cure))
        return self.channels.get(name)

"""The verbs that change the economy itself: tariffs, trade costs, productivities, who pays.

    change_trade_cost: tau' = tau (1 + percent / 100), or tau' = tau exp(-coefficient / theta_s)

    pay_for: tax: the payer's income pays for works of so much a year, in its own or another region; transfer:
    it is income of another region

A gravity coefficient b of an agreement says ln(trade) changes by b at given prices, so that trade costs of
sector s change by -b / theta_s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import Fault
from landbridge.scenario.fields import Modification, Move, out_of_bounds, verb_columns
from landbridge.world import TradeTable, World

__all__ = ["GROUPS", "EconomyVerbs"]

FloatArray = NDArray[np.float64]

# Groups of regions that a modification may name, and the column that says who belongs.
GROUPS = {"CA5": "is_ca5", "EU": "is_eu", "EAEU": "is_eaeu", "CIS_FTA": "is_cis_fta"}


class EconomyVerbs(ABC):
    """The part of a World under change that is its economy; see `landbridge.scenario.verbs.Change`."""

    faults: list[Fault]
    _world: World
    _trade: TradeTable
    _tariff: FloatArray | None
    _productivity: FloatArray | None
    _trade_cost: FloatArray | None
    _transfer: FloatArray | None
    _works: FloatArray | None

    @abstractmethod
    def _resolve(
        self, m: Modification, key: str, kind: str, text: str, among: Collection[str] | None = None
    ) -> str | None:
        """The identifier of a name in any language, or None with a fault."""

    def _pairs(self, m: Modification, cure: str) -> list[list[int]] | None:
        """Positions of exporters, importers and sectors; None with a fault where no pair is left."""
        rows = [self._codes(m, key) for key in ("exporter", "importer", "sector")]
        if not all(rows):
            return None
        if not any(o != d for o in rows[0] for d in rows[1]):
            self.faults.append(m.fault("importer", "is the exporter", f"name another importer: {cure}"))
            return None
        return rows

    def _change_trade_cost(self, m: Modification) -> None:
        rows = self._pairs(m, "sales at home have no trade cost")
        given = [key for key in ("percent", "coefficient") if m.get(key) is not None]
        if len(given) != 1:
            cure = "give percent, or the coefficient of a gravity equation"
            what = "both are given" if given else "neither percent nor coefficient is given"
            self.faults.append(m.fault("percent", what, cure))
            return
        if m.get("standard_error") is not None and given == ["percent"]:
            cure = "leave it out, or give the coefficient that it belongs to"
            self.faults.append(m.fault("standard_error", "has no coefficient", cure))
            return
        for key in (*given, *(["standard_error"] if m.get("standard_error") is not None else [])):
            fault = out_of_bounds(verb_columns()[m.verb][key], m.get(key), f"{m.where}, {key}")
            if fault:
                self.faults.append(fault)
                return
        if rows is None:
            return
        theta = np.asarray(self._trade.theta)[rows[2]]
        value = float(m.get(given[0]))
        factor = np.full(len(theta), 1.0 + value / 100.0)
        if given == ["coefficient"]:
            factor = np.exp(-value / theta)
        shape = self._trade.trade.shape
        hat = np.ones(shape) if self._trade_cost is None else np.array(self._trade_cost)
        change = np.ones(shape)
        change[np.ix_(*rows)] = factor
        home = np.arange(shape[0])
        change[home, home] = 1.0
        hat *= change
        hat.setflags(write=False)
        self._trade_cost = hat

    def _change_tariff(self, m: Modification) -> None:
        rows = self._pairs(m, "nobody levies a tariff on itself")
        if rows is None:
            return
        tariff = np.array(self._trade.tariff if self._tariff is None else self._tariff)
        move: Move = m.get("tariff")
        column = verb_columns()["change_tariff"]["tariff"]
        for o in rows[0]:
            for d in rows[1]:
                if o == d:
                    continue
                for s in rows[2]:
                    value = move.of(float(tariff[o, d, s]))
                    if out_of_bounds(column, value, "") is not None:
                        value = float("nan")
                    tariff[o, d, s] = value
        if np.isnan(tariff).any():
            cure = "a tariff is a fraction from 0 to 10: 0.05 for 5 percent"
            self.faults.append(m.fault("tariff", "leads outside its bounds for some pairs", cure))
            return
        tariff.setflags(write=False)
        self._tariff = tariff

    def _change_productivity(self, m: Modification) -> None:
        regions, sectors = self._codes(m, "region"), self._codes(m, "sector")
        if not regions or not sectors:
            return
        column = verb_columns()["change_productivity"]["percent"]
        fault = out_of_bounds(column, m.get("percent"), f"{m.where}, percent")
        if fault:
            self.faults.append(fault)
            return
        shape = len(self._trade.regions), len(self._trade.sectors)
        hat = np.ones(shape) if self._productivity is None else np.array(self._productivity)
        hat[np.ix_(regions, sectors)] *= 1.0 + float(m.get("percent")) / 100.0
        hat.setflags(write=False)
        self._productivity = hat

    def _pay_for(self, m: Modification) -> None:
        fault = out_of_bounds(verb_columns()["pay_for"]["musd"], m.get("musd"), f"{m.where}, musd")
        if fault:
            self.faults.append(fault)
        ends = {key: self._codes(m, key) for key in ("payer", "region") if m.get(key)}
        for key, found in ends.items():
            if len(found) > 1:
                self.faults.append(
                    m.fault(key, "is a group", "name one region, with a modification for each")
                )
                return
        if fault or not all(ends.values()):
            return
        (payer,) = ends["payer"]
        (region,) = ends.get("region", [payer])
        how, musd = str(m.get("how")), float(m.get("musd"))
        if how == "transfer" and region == payer:
            cure = 'name another region that receives it, or write how = "tax" for works at home'
            self.faults.append(m.fault("region", "is the payer", cure))
            return
        income = float(self._trade.income[payer])
        for known, sign in ((self._transfer, 1.0), (self._works, -1.0)):
            income += sign * float(known[payer]) if known is not None else 0.0
        if musd >= income:
            what = f"is {musd:,.0f}, and the payer has {income:,.0f} million USD a year left"
            self.faults.append(m.fault("musd", what, "give a yearly sum below it"))
            return
        shape = len(self._trade.regions)
        if region != payer:
            moved = np.zeros(shape) if self._transfer is None else np.array(self._transfer)
            moved[payer] -= musd
            moved[region] += musd
            moved.setflags(write=False)
            self._transfer = moved
        if how == "tax":
            works = np.zeros(shape) if self._works is None else np.array(self._works)
            works[region] += musd
            works.setflags(write=False)
            self._works = works

    def _codes(self, m: Modification, key: str) -> list[int]:
        """Positions on an axis of the trade table; groups and * spelled out, unknown codes are faults."""
        axis = self._trade.sectors if key == "sector" else self._trade.regions
        found: list[int] = []
        for code in m.get(key):
            if code == "*":
                found += range(len(axis))
            elif key != "sector" and code in GROUPS:
                members = [str(r["region"]) for r in self._world.regions if r[GROUPS[code]]]
                found += [axis.index(r) for r in members]
            else:
                name = self._resolve(m, key, "sector" if key == "sector" else "region", code, axis)
                if name is not None:
                    found.append(axis.index(name))
        return sorted(set(found))

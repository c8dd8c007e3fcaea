"""Trade of Central Asia: from customs to the base table, step by step, in the default variant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from economy_goods import cut_kyrgyz_transit, cut_tajik_transit, goods_trade, net_reexports, pair_totals
from economy_io import Array, Inputs, total

COLUMNS = ("exporter", "importer", "step", "musd", "source", "year", "basis", "note")
_FIVE = ("KAZ", "KGZ", "TJK", "TKM", "UZB")
# Regions of many countries: their sums leave out trade that a side lists under other names.
_GROUPS = ("ASE", "REU", "ROW")
_NOTES = {
    "baci": "both sides reconciled, free on board: freight and insurance are off the importer's figure",
    "gaps_filled": "published values of pairs that BACI lacks or misreports",
    "transit_cut": "goods declared as exports to the pair that the importer does not report: taken off",
    "transit_booked": "of what is taken off other pairs of the exporter, the part booked here",
    "reexports": "goods that hubs only pass on, booked to their supplier and customer",
    "base": "goods of the base table, producer prices",
}


def trade_steps(inputs: Inputs) -> Iterator[list[object]]:
    """Rows of the figures of both sides, each step from BACI, and the base; steps add up to the base.

    First China and each country of Central Asia, then every other pair with one of them for which a side's
    figure is known; for these, zero steps are left out.
    """
    stages = _stages(inputs)
    source = "CEPII BACI HS22 V202501 and the steps of the recipe"
    of_china = [pair for five in _FIVE for pair in (("CHN", five), (five, "CHN"))]
    figures = _figures(inputs)
    for exporter, importer in (*of_china, *sorted(set(figures) - set(of_china))):
        for side, musd, *cited in figures.get((exporter, importer), []):
            yield [exporter, importer, f"{side}_reports", musd, *cited]
        before = 0.0
        for step, flows in stages.items():
            value = float(flows[inputs.at[exporter], inputs.at[importer]])
            moved = round(value if step == "base" else value - before, 3)
            before = value
            if moved == 0.0 and step not in ("baci", "base") and (exporter, importer) not in of_china:
                continue
            basis = "published" if step == "baci" else "derived"
            yield [exporter, importer, step, moved, source, 2023, basis, _NOTES[step]]


def _figures(inputs: Inputs) -> dict[tuple[str, str], list[list[object]]]:
    """Figures of customs and statistics of either side [side, million USD, source, year, basis, note]."""
    found: dict[tuple[str, str], list[list[object]]] = {}

    def add(exporter: str, importer: str, side: str, row: Mapping[str, str], basis: str, note: str) -> None:
        cited = [side, float(row["value_musd"]), row["source"], row["year"], basis, note]
        found.setdefault((exporter, importer), []).append(cited)

    for row in inputs.tables["customs"]:
        add(row["exporter"], row["importer"], row["side"], row, row["basis"], row["note"])
    for row in inputs.tables["imports_reported"]:
        if row["exporter"] != "CHN":
            add(row["exporter"], row["importer"], "importer", row, row["basis"], row["note"])
    for row in inputs.tables["kgz_imports_reported"]:
        if row["exporter"] not in ("CHN", *_GROUPS):
            add(row["exporter"], "KGZ", "importer", row, "published", "")
    return found


def _stages(inputs: Inputs) -> dict[str, Array]:
    """Goods by pair after each step of the recipe."""
    baci = inputs.pairs("goods_pairs", "value_musd")
    flows, _, _ = pair_totals(inputs)
    out = {"baci": baci, "gaps_filled": flows.copy()}
    cut = cut_kyrgyz_transit(inputs, flows, only_china=False) | cut_tajik_transit(inputs, flows)
    only_cut = out["gaps_filled"].copy()
    for (exporter, importer), value in cut.items():
        only_cut[inputs.at[exporter], inputs.at[importer]] -= value
    out |= {"transit_cut": only_cut, "transit_booked": flows.copy()}
    net_reexports(inputs, flows)
    out["reexports"] = flows.copy()
    goods = goods_trade(inputs, "reported", True).trade
    out["base"] = np.asarray(total(goods, 2))
    return out

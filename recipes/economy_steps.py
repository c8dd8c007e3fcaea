"""China's trade with the five: from customs to the base table, step by step, in the default variant."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from economy_goods import cut_kyrgyz_transit, cut_tajik_transit, goods_trade, net_reexports, pair_totals
from economy_io import Array, Inputs, total

COLUMNS = ("exporter", "importer", "step", "musd", "source", "year", "basis", "note")
_FIVE = ("KAZ", "KGZ", "TJK", "TKM", "UZB")
_NOTES = {
    "baci": "both sides reconciled, free on board: freight and insurance are off the importer's figure",
    "gaps_filled": "published values of pairs that BACI lacks or misreports",
    "transit_cut": "goods declared as exports to the pair that the importer does not report: taken off",
    "transit_booked": "of what is taken off other pairs of the exporter, the part booked here",
    "reexports": "goods that hubs only pass on, booked to their supplier and customer",
    "base": "goods of the base table, producer prices",
}


def trade_steps(inputs: Inputs) -> Iterator[list[object]]:
    """Rows of the figures of both sides, each step from BACI and the base; steps add up to the base."""
    stages = _stages(inputs)
    source = "CEPII BACI HS22 V202501 and the steps of the recipe"
    for five in _FIVE:
        for exporter, importer in (("CHN", five), (five, "CHN")):
            pair = inputs.at[exporter], inputs.at[importer]
            for row in inputs.tables["customs"]:
                if (row["exporter"], row["importer"]) == (exporter, importer):
                    cited = [row["source"], row["year"], row["basis"], row["note"]]
                    yield [exporter, importer, f"{row['side']}_reports", float(row["value_musd"]), *cited]
            before = 0.0
            for step, flows in stages.items():
                value = float(flows[pair])
                moved = value if step == "base" else value - before
                before = value
                basis = "published" if step == "baci" else "derived"
                yield [exporter, importer, step, round(moved, 3), source, 2023, basis, _NOTES[step]]


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

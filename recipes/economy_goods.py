"""Goods trade by pair and sector, 2023: steps 1 to 7 of the trade recipe.

BACI totals between 31 regions, corrected where published figures show them wrong, then split into
14 sectors by export mixes and import intensities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from economy_io import GOODS, Array, G, Inputs, ras, ratio, total

REBOOKED = ("RUS", "KAZ", "UZB")
HUBS = ("NLD", "ARE")
# Kazakhstan's neighbours without an observed split: grain and flour weigh more than in exports to Russia.
NEIGHBOURS = ("UZB", "KGZ", "TJK", "TKM", "AFG")
ENERGY = GOODS.index("ENE")


@dataclass(frozen=True)
class Goods:
    """Goods trade [musd]: by sector without the diagonal, totals for the services residual, and the cuts.

    exports, imports: totals before re-exports leave the hubs, including trade inside an aggregate.
    cut[o, importer]: amount deducted from a pair and booked to RUS, KAZ and UZB instead.
    """

    trade: Array
    exports: Array
    imports: Array
    cut: dict[tuple[str, str], float]


def goods_trade(inputs: Inputs, kgz_trade: str, tjk_cap: bool) -> Goods:
    """Steps 1 to 7."""
    flows, inside, iranian_crude = pair_totals(inputs)
    cut: dict[tuple[str, str], float] = {}
    if kgz_trade != "baci":
        cut |= cut_kyrgyz_transit(inputs, flows, only_china=kgz_trade == "china_only")
    if tjk_cap:
        cut |= cut_tajik_transit(inputs, flows)
    exports, imports = total(flows, 1) + inside, total(flows, 0) + inside
    net_reexports(inputs, flows)
    trade = by_sector(inputs, flows, iranian_crude)
    return Goods(trade, exports, imports, cut)


def pair_totals(inputs: Inputs) -> tuple[Array, Array, float]:
    """BACI with gaps filled and Taiwan in ROW; trade inside the aggregates; the reassigned crude."""
    flows, at = inputs.pairs("goods_pairs", "value_musd"), inputs.at
    moved = 0.0
    for row in inputs.tables["gap_fill"]:
        o, d, value = at[row["exporter"]], at[row["importer"]], float(row["value_musd"])
        if row["mode"] == "replace":
            flows[o, d] = value
        elif row["mode"] == "add":
            flows[o, d] += value
        elif row["mode"] == "subtract":
            flows[o, d] -= value
        elif row["mode"] == "move_from_ASE":
            flows[at["ASE"], d] -= value
            flows[o, d] += value
            moved += value
        else:
            raise ValueError(f"gap_fill.csv: unknown mode {row['mode']!r}")
    for row in inputs.tables["taiwan_goods"]:
        r = at[row["region"]]
        flows[at["ROW"], r] += float(row["exports_to_region_musd"])
        flows[r, at["ROW"]] += float(row["imports_from_region_musd"])
    inside = np.array([flows[n, n] for n in range(len(flows))])
    for n in range(len(flows)):
        flows[n, n] = 0.0
    return flows, inside, moved


def _rebook(inputs: Inputs, flows: Array, exporter: str, importer: str, excess: float) -> None:
    """Deduct `excess` from a pair and add it to the same exporter's sales to RUS, KAZ and UZB."""
    share = {r: inputs.assumption[f"rebooked_to_{r}"] for r in REBOOKED if r != exporter}
    whole = 0.0
    for value in share.values():
        whole += value
    o = inputs.at[exporter]
    flows[o, inputs.at[importer]] -= excess
    for region, value in share.items():
        flows[o, inputs.at[region]] += excess * value / whole


def cut_kyrgyz_transit(inputs: Inputs, flows: Array, *, only_china: bool) -> dict[tuple[str, str], float]:
    """Step 2: partners above the import that Kyrgyzstan reports are cut to it."""
    cut = {}
    for row in inputs.tables["kgz_imports_reported"]:
        if only_china and row["exporter"] != "CHN":
            continue
        excess = float(flows[inputs.at[row["exporter"]], inputs.at["KGZ"]]) - float(row["value_musd"])
        if excess > 0:
            _rebook(inputs, flows, row["exporter"], "KGZ", excess)
            cut[row["exporter"], "KGZ"] = excess
    return cut


def cut_tajik_transit(inputs: Inputs, flows: Array) -> dict[tuple[str, str], float]:
    """Step 3: Chinese exports to Tajikistan are cut until imports meet the national total."""
    imports = float(total(flows, 0)[inputs.at["TJK"]])
    excess = imports - inputs.assumption["tjk_goods_imports"]
    _rebook(inputs, flows, "CHN", "TJK", excess)
    return {("CHN", "TJK"): excess}


def net_reexports(inputs: Inputs, flows: Array) -> None:
    """Step 4: goods that a hub only passes on become trade between its supplier and its customer.

    Balances do not change: the hub loses the same amount on both sides, the others change partner.
    """
    own = inputs.macro("goods_exports_net_of_reexports")
    most = inputs.assumption["reexport_import_cap"]
    for hub in HUBS:
        h = inputs.at[hub]
        exports, imports = flows[h].copy(), flows[:, h].copy()
        passed_on = 1.0 - own[hub] / float(total(exports, 0))
        taken = np.zeros_like(imports)
        for d in range(len(flows)):
            if d == h:
                continue
            source = imports.copy()
            source[d] = 0.0
            part = np.minimum(
                passed_on * exports[d] * source / total(source, 0), np.maximum(most * source - taken, 0.0)
            )
            flows[h, d] -= total(part, 0)
            flows[:, d] += part
            taken += part
        flows[:, h] -= taken


def import_intensity(inputs: Inputs) -> Array:
    """Step 6: import mix over the world's, [importer, sector]; ROW's row where there is none of its own."""
    mixes = inputs.mix("import_mix", "share", GOODS)
    return np.array([mixes.get(r, mixes["ROW"]) for r in inputs.regions]) / mixes["WLD"]


def by_sector(inputs: Inputs, flows: Array, iranian_crude: float) -> Array:
    """Steps 5 to 7: [exporter, importer, sector], one RAS per exporter."""
    intensity = import_intensity(inputs)
    mixes = inputs.mix("export_mix", "share", GOODS)
    out = np.zeros((*flows.shape, G))
    for o, exporter in enumerate(inputs.regions):
        mix = mixes[exporter] / total(mixes[exporter], 0)
        rows, seed = flows[o].copy(), mix * intensity
        seed[o] = 0.0
        fixed = np.zeros_like(seed)
        if exporter == "IRN":
            # The crude that Chinese customs book as Malaysian comes on top of the ordinary mix.
            fixed[inputs.at["CHN"], ENERGY] = iranian_crude
            rows = rows - total(fixed, 1)
            columns = mix * total(rows, 0)
        elif exporter == "KAZ":
            fixed, seed = _kazakh(inputs, rows, seed)
            columns = mix * total(rows, 0)
            left = np.maximum(columns - total(fixed, 0), inputs.assumption["kaz_column_floor"] * columns)
            rows = np.where(total(fixed, 1) > 0, 0.0, rows)
            columns = left * (total(rows, 0) / total(left, 0))
        else:
            columns = mix * total(rows, 0)
        if exporter == "TKM":
            # China buys Turkmen gas and next to nothing else (99.6 percent in its customs).
            seed[inputs.at["CHN"]] = 0.0
            seed[inputs.at["CHN"], ENERGY] = 1.0
        seed = np.where(rows[:, None] > 0, seed, 0.0)
        out[o] = fixed + ras(seed, rows, columns, 1e-13, 300)
    return out


def _kazakh(inputs: Inputs, rows: Array, seed: Array) -> tuple[Array, Array]:
    """Kazakh rows with an observed split, and the seed of the others."""
    seen: dict[str, Array] = {}
    for row in inputs.tables["kaz_exports_observed"]:
        split = seen.setdefault(row["importer"], np.zeros(G))
        split[GOODS.index(row["sector"])] = float(row["value_musd"])
    fixed, seed = np.zeros_like(seed), seed.copy()
    for importer, split in seen.items():
        d = inputs.at[importer]
        fixed[d] = rows[d] * ratio(split, np.full(G, total(split, 0)))
        seed[d] = 0.0
    food = np.array([inputs.assumption["kaz_food_multiple"] if s in ("AGR", "FOO") else 1.0 for s in GOODS])
    for importer in NEIGHBOURS:
        seed[inputs.at[importer]] = seen["RUS"] * food
    return fixed, seed

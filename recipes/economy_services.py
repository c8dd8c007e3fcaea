"""Services trade by pair and sector, 2023: step 8 of the trade recipe.

Totals are published goods-and-services trade less goods, held within plausible bounds; pairs come from
gravity.
"""

from __future__ import annotations

import numpy as np

from economy_goods import Goods
from economy_io import SECTORS, SERVICES, Array, G, Inputs, fifth_root, ras, total


def services_trade(inputs: Inputs, goods: Goods) -> Array:
    """[exporter, importer, service sector] in musd, without the diagonal."""
    exports, imports = totals(inputs, goods)
    distance = inputs.pairs("distances", "distance_km")
    if inputs.assumption["services_distance_elasticity"] != -0.8:
        raise ValueError("the distance elasticity of services is built in as -4/5")
    root = fifth_root(distance)
    seed = exports[:, None] * imports[None, :] / (root * root * root * root)
    flows = ras(seed, exports, imports, 1e-13, 2000)
    for n in range(len(flows)):
        # Sales of a region to itself (inside an aggregate, for instance) are domestic trade.
        flows[n, n] = 0.0
    return np.asarray(flows[:, :, None] * export_split(inputs)[:, None, :])


def totals(inputs: Inputs, goods: Goods) -> tuple[Array, Array]:
    """Service exports and imports [musd], scaled to their common geometric mean."""
    a = inputs.assumption
    floor = inputs.macro("services_exports_floor")
    wto = inputs.macro("services_imports_2019")
    flow = {name: inputs.macro(f"{name}_goods_services") for name in ("exports", "imports")}
    exports, imports = np.zeros(len(inputs.regions)), np.zeros(len(inputs.regions))
    for n, region in enumerate(inputs.regions):
        whole = flow["exports"][region]
        value = whole - float(goods.exports[n])
        value = min(max(value, a["services_low"] * whole), a["services_high"] * whole)
        value = max(value, floor.get(region, 0.0))
        # The Iranian residual is oil that is missing from the goods figures.
        exports[n] = a["irn_services_export_share"] * whole if region == "IRN" else value
        whole = flow["imports"][region]
        value = whole - float(goods.imports[n])
        value = min(max(value, a["services_low"] * whole), a["services_high"] * whole)
        if region in wto:
            anchor = a["services_growth_2019_2023"] * wto[region]
            value = max(value, a["services_imports_low"] * anchor)
            value = min(value, a["services_imports_high"] * anchor)
        imports[n] = value
    sold, bought = float(total(exports, 0)), float(total(imports, 0))
    common = float(np.sqrt(sold * bought))
    return exports * (common / sold), imports * (common / bought)


def export_split(inputs: Inputs) -> Array:
    """Shares of CON, TTS and OSR in the service exports of each region: the proxy's, KAZ its own."""
    sold = {
        (row["icio_region"], row["sector"]): float(row["exports_musd"])
        for row in inputs.tables["icio_structure"]
    }
    rows = []
    for region in inputs.regions:
        if region == "KAZ":
            rows.append([inputs.assumption[f"kaz_service_exports_{s}"] for s in SERVICES])
        else:
            rows.append([sold[inputs.proxy[region], s] for s in SECTORS[G:]])
    split = np.array(rows)
    return np.asarray(split / total(split, 1)[:, None])

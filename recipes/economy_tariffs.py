"""Base tariffs by pair and sector, with the rule that gave each: published, free, else the proxy's.

Order of the rules: own region, customs and free-trade areas, published averages that scale the
sector profile of the proxy, the proxy's unscaled profile. Services carry none.
Left out for lack of figures: GSP+ of the EU for KGZ, UZB, TJK and PAK, the bilateral agreements of
AZE, GEO and TKM inside the CIS, EAEU agreements with Viet Nam, Serbia and Iran, ASEAN-China.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from economy_io import GOODS, Array, G, Inputs, S, total

FARM = ("AGR", "FOO")


@dataclass(frozen=True)
class Tariffs:
    """rate[exporter, importer, sector] as a fraction; rule and basis of each pair."""

    rate: Array
    rule: dict[tuple[str, str], tuple[str, str, str]]


# rule: (basis, what it rests on)
RULES = {
    "own": ("derived", "inside the region"),
    "eaeu": ("assumption", "EAEU customs union; from memory, unverified"),
    "cis_fta": ("assumption", "CIS free-trade treaty of 2011, with TJK and UZB; from memory, unverified"),
    "eu": ("published", "EU single market (TFEU, article 28)"),
    "eu_gbr": ("assumption", "EU-UK trade agreement; from memory, unverified"),
    "eu_tur": (
        "assumption",
        "industry free: EU-TUR customs union, UK-TUR agreement; from memory, unverified",
    ),
    "published": ("derived", "profile of the proxy scaled to the importer's published MFN average"),
    "proxy": ("derived", "2017 tariff of the importer's proxy on the exporter's proxy"),
    "proxy_mean": ("assumption", "both have one proxy: its 2017 mean over foreign exporters"),
}


def base_tariffs(inputs: Inputs) -> Tariffs:
    """Every pair by the first rule that applies."""
    profile: dict[tuple[str, str], Array] = {}
    for row in inputs.tables["icio_tariff"]:
        profile[row["exporter"], row["importer"]] = np.array([float(row[s]) for s in GOODS])
    foreign = {d: sorted(o for o, e in profile if e == d) for d in {e for _, e in profile}}
    mean = {
        d: total(np.array([profile[o, d] for o in origins]), 0) / len(origins)
        for d, origins in sorted(foreign.items())
    }
    N = len(inputs.regions)
    rate, rule = np.zeros((N, N, S)), {}
    for d, importer in enumerate(inputs.regions):
        scale, scaled = _scale(inputs, importer, mean[inputs.proxy[importer]])
        for o, exporter in enumerate(inputs.regions):
            name = _free(inputs, exporter, importer)
            pair = inputs.proxy[exporter], inputs.proxy[importer]
            if not name or name == "eu_tur":
                found = (mean[pair[1]] if pair[0] == pair[1] else profile[pair]) * scale
                if name:
                    found = np.where([s in FARM for s in GOODS], found, 0.0)
                rate[o, d, :G] = [round(float(t), 6) for t in found]
            if not name:
                name = "published" if scaled else "proxy_mean" if pair[0] == pair[1] else "proxy"
            rule[exporter, importer] = (name, *RULES[name])
    return Tariffs(rate, rule)


def _free(inputs: Inputs, exporter: str, importer: str) -> str:
    """The agreement that frees a pair of duty (industry only for eu_tur), or an empty string."""
    if exporter == importer:
        return "own"
    a, b = inputs.region[exporter], inputs.region[importer]
    for bloc in ("eu", "eaeu", "cis_fta"):
        if a[bloc] == b[bloc] == "yes":
            return bloc
    pair = {exporter, importer}
    europe = a["eu"] == "yes" or b["eu"] == "yes"
    if "GBR" in pair and europe:
        return "eu_gbr"
    if "TUR" in pair and (europe or "GBR" in pair):
        return "eu_tur"
    return ""


def _scale(inputs: Inputs, importer: str, mean: Array) -> tuple[Array, bool]:
    """Factor per sector that brings the proxy's mean profile to the published averages."""
    scale, scaled = np.ones(G), False
    for row in inputs.tables["tariffs_published"]:
        if row["importer"] != importer:
            continue
        covered = [GOODS.index(s) for s in row["sectors"].split()]
        average = float(total(mean[covered], 0)) / len(covered)
        scale[covered] = float(row["mean_pct"]) / 100.0 / average
        scaled = True
    return scale, scaled

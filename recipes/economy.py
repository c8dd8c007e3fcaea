"""Build the base economy of landbridge, 31 regions x 17 sectors in 2023, from recipes/inputs/trade.

    python recipes/economy.py

Offline and deterministic: inputs are sorted on reading and sums run in a fixed order, so shuffled
inputs and another processor give the same bytes. Six variants: kgz_trade (reported: every partner of
Kyrgyzstan cut to the import it reports; china_only: China alone; baci: none) x tjk_cap (on, off).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from economy_accounts import Accounts, balance
from economy_goods import Goods, goods_trade
from economy_io import GOODS, SECTORS, Array, G, Inputs, read_inputs, significant, total, write_table
from economy_rents import COLUMNS as RENTS
from economy_rents import rents
from economy_services import services_trade
from economy_steps import COLUMNS as STEPS
from economy_steps import trade_steps
from economy_tariffs import Tariffs, base_tariffs

HERE = Path(__file__).resolve().parent
INPUTS = HERE / "inputs" / "trade"
OUTPUT = HERE.parent / "src" / "landbridge" / "data" / "economy"

KGZ_TRADE = ("reported", "baci", "china_only")
TJK_CAP = ("on", "off")
DEFAULT = ("reported", "on")

# Cross-border flows keep nine digits, so that files stay small; domestic sales close the accounts.
DIGITS = 9
# Pairs among these that are in no table of flows are unreported rather than without trade.
REPORTS = ("goods_pairs", "gap_fill")
SILENT = ("AFG", "BLR", "GEO", "IRN", "MNG", "TJK", "TKM")


@dataclass(frozen=True)
class Variant:
    """One base table with its inputs and intermediate results."""

    inputs: Inputs
    goods: Goods
    tariffs: Tariffs
    accounts: Accounts


def variant_name(kgz_trade: str, tjk_cap: str) -> str:
    """The folder of a variant."""
    return f"{kgz_trade}-tjk_cap_{tjk_cap}"


def build_variant(
    inputs: Inputs | Path = INPUTS, kgz_trade: str = "reported", tjk_cap: str = "on", *, tariffs: bool = True
) -> Variant:
    """The balanced table of one variant; without tariffs it is the one that the check file describes."""
    if kgz_trade not in KGZ_TRADE or tjk_cap not in TJK_CAP:
        raise ValueError(f"kgz_trade is one of {KGZ_TRADE}, tjk_cap one of {TJK_CAP}")
    read = read_inputs(inputs) if isinstance(inputs, Path) else inputs
    goods = goods_trade(read, kgz_trade, tjk_cap == "on")
    services = services_trade(read, goods)
    abroad = significant(np.concatenate([goods.trade, services], axis=2), DIGITS)
    base = base_tariffs(read)
    rate = base.rate if tariffs else np.zeros_like(base.rate)
    return Variant(read, goods, base, balance(read, abroad, rate))


COLUMNS = {
    "trade": ("exporter", "importer", *SECTORS),
    "input_share": ("region", "input_sector", *SECTORS),
    "shares": (
        "region",
        "sector",
        "output_musd",
        "value_added_share",
        "final_share",
        "floored_home_share",
        "proxy",
    ),
    "rents": RENTS,
    "trade_steps": STEPS,
    "tariff": ("exporter", "importer", *SECTORS),
    "tariff_basis": ("exporter", "importer", "mean_goods_pct", "rule", "year", "basis", "note"),
    "regions": (
        "region",
        "name",
        "gdp_musd",
        "population",
        "is_ca5",
        "is_eu",
        "is_eaeu",
        "is_cis_fta",
        "proxy",
        "exports_musd",
        "imports_musd",
        "deficit_pct",
        "factbook_deficit_pct",
        "tariff_revenue_musd",
        "source",
        "year",
        "basis",
    ),
    "sectors": ("sector", "name", "is_goods", "theta", "theta_low", "theta_high", "source", "year", "basis"),
    "quality": ("kind", "region", "partner", "sector", "value", "unit", "note"),
    "SOURCES": ("table", "source", "year", "licence", "attribution", "note"),
}


def build(inputs_dir: Path = INPUTS, out_dir: Path = OUTPUT) -> list[Path]:
    """Write every table of data/economy; returns the paths written."""
    inputs = read_inputs(inputs_dir)
    written: list[Path] = []

    def write(table: str, rows: Iterable[Sequence[object]], folder: str = "") -> None:
        path = out_dir / folder / f"{table}.csv"
        write_table(path, COLUMNS[table], rows)
        written.append(path)

    r = inputs.regions
    variants = {pair: build_variant(inputs, *pair) for pair in product(KGZ_TRADE, TJK_CAP)}
    for pair, variant in variants.items():
        folder, accounts = variant_name(*pair), variant.accounts
        write("trade", _matrix(r, r, accounts.trade), folder)
        write("input_share", _matrix(r, SECTORS, accounts.input_share), folder)
        write("shares", _shares(variant), folder)
    default = variants[DEFAULT]
    write("tariff", _matrix(r, r, default.tariffs.rate))
    write("tariff_basis", _tariff_basis(default))
    write("regions", _regions(default))
    write("rents", rents(inputs, default.accounts))
    write("trade_steps", trade_steps(inputs))
    write("quality", _quality(default))
    write("sectors", sorted(_copied(inputs, "sectors"), key=lambda row: SECTORS.index(row[0])))
    write("SOURCES", sorted(_copied(inputs, "SOURCES")))
    return written


def _copied(inputs: Inputs, table: str) -> list[list[str]]:
    """Rows that are copied unchanged from the inputs to the data."""
    return [[row[column] for column in COLUMNS[table]] for row in inputs.tables[table]]


def _matrix(first: tuple[str, ...], second: tuple[str, ...], values: Array) -> Iterator[list[object]]:
    """Rows of a three-way table: two keys, then the third axis across."""
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            yield [a, b, *(float(v) for v in values[i, j])]


def _shares(variant: Variant) -> Iterator[list[object]]:
    a, inputs = variant.accounts, variant.inputs
    for n, region in enumerate(inputs.regions):
        for k, sector in enumerate(SECTORS):
            yield [
                region,
                sector,
                float(a.output[n, k]),
                float(a.value_added_share[n, k]),
                float(a.final_share[n, k]),
                bool(a.floored[n, k]),
                inputs.proxy[region],
            ]


def _tariff_basis(variant: Variant) -> Iterator[list[object]]:
    for o, exporter in enumerate(variant.inputs.regions):
        for d, importer in enumerate(variant.inputs.regions):
            rule, basis, note = variant.tariffs.rule[exporter, importer]
            mean = float(total(variant.tariffs.rate[o, d, :G], 0)) / G
            year = 2022 if rule == "published" else 2017 if rule.startswith("proxy") else 2023
            yield [exporter, importer, round(100.0 * mean, 3), rule, year, basis, note]


def _regions(variant: Variant) -> Iterator[list[object]]:
    """Trade, deficit and tariff revenue are those of the default variant."""
    a, inputs = variant.accounts, variant.inputs
    sold, bought = inputs.macro("exports_goods_services"), inputs.macro("imports_goods_services")
    for n, region in enumerate(inputs.regions):
        row, gdp = inputs.region[region], float(inputs.gdp[n])
        home = float(total(a.trade[n, n], 0))
        yield [
            region,
            row["name"],
            gdp,
            int(row["population"]),
            *(row[bloc] for bloc in ("ca5", "eu", "eaeu", "cis_fta")),
            row["icio_proxy"],
            round(float(total(total(a.trade[n], 0), 0)) - home, 3),
            round(float(total(total(a.trade[:, n], 0), 0)) - home, 3),
            round(100.0 * float(a.deficit[n]) / gdp, 3),
            round(100.0 * (bought[region] - sold[region]) / gdp, 3),
            round(float(a.tariff_revenue[n]), 3),
            row["source"],
            row["year"],
            row["basis"],
        ]


def _quality(variant: Variant) -> list[list[object]]:
    """Caveats on cells, for the default variant."""
    a, inputs = variant.accounts, variant.inputs
    regions, at = inputs.regions, inputs.at
    domestic = np.array([a.trade[n, n] for n in range(len(regions))])
    paid = total(a.trade * (1.0 + a.tariff), 0)
    rows: list[list[object]] = []
    for n, k in zip(*np.nonzero(a.floored), strict=True):
        share = round(float(domestic[n, k] / paid[n, k]), 4)
        note = "domestic sales sit on the least home share allowed; the true figure is not known"
        rows.append(["floored_home_share", regions[n], "", SECTORS[k], share, "share", note])
    for n, region in enumerate(regions):
        for kind, moved in (("input", a.moved_inputs), ("final", a.moved_final)):
            note = "half the sum of absolute changes of the proxy's shares in the balance"
            rows.append([f"{kind}_share_moved", region, "", "", round(float(moved[n]), 4), "share", note])
    for (region, _), factor in a.lowered.items():
        note = "factor on industry's value-added shares, so that floors do not exceed its value added"
        rows.append(["value_added_lowered", region, "", "", round(factor, 4), "ratio", note])
    for row in inputs.tables["gap_fill"]:
        note = f"{row['mode']}; {row['basis']}; {row['note']}; {row['source']}"
        pair = row["exporter"], row["importer"]
        rows.append(["gap_filled_pair", *pair, "", float(row["value_musd"]), "musd", note])
    for (exporter, importer), value in variant.goods.cut.items():
        note = "goods in transit: taken off the pair and booked to RUS, KAZ and UZB"
        rows.append(["cut_pair", exporter, importer, "", round(value, 3), "musd", note])
    reported = {(row["exporter"], row["importer"]) for t in REPORTS for row in inputs.tables[t]}
    for exporter, importer in product(SILENT, SILENT):
        if exporter != importer and (exporter, importer) not in reported:
            value = round(float(total(a.trade[at[exporter], at[importer], :G], 0)), 3)
            note = "not reported, which is not the same as no trade; what is there passes through a hub"
            rows.append(["not_reported_pair", exporter, importer, "", value, "musd", note])
    sold, bought = inputs.macro("exports_goods_services"), inputs.macro("imports_goods_services")
    for n, region in enumerate(regions):
        off = 100.0 * (float(a.deficit[n]) - (bought[region] - sold[region])) / float(inputs.gdp[n])
        if abs(off) > 5.0:
            note = "deficit less the Factbook's balance of goods and services"
            rows.append(["deficit_off_factbook", region, "", "", round(off, 2), "percent of GDP", note])
    kaz, metal = at["KAZ"], GOODS.index("MET")
    note = "low (ICIO 0.75): metal exports of 2021 to CHN, RUS and GBR are held fixed"
    share = round(float(domestic[kaz, metal] / paid[kaz, metal]), 4)
    rows.append(["home_share_off_icio", "KAZ", "", "MET", share, "share", note])
    note = "goods trade of Taiwan (2022) is in, its GDP and services are not: WDI and BACI leave it out"
    rows.append(["taiwan_in_part", "ROW", "", "", "", "", note])
    return sorted(rows, key=lambda row: [str(cell) for cell in row[:4]])


def main() -> int:
    """Rebuild src/landbridge/data/economy."""
    for path in build():
        print(path.relative_to(HERE.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())

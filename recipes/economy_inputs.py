"""Derive recipes/inputs/trade from a folder of gathered facts. Needs the facts; the build does not.

    python recipes/economy_inputs.py FACTS_FOLDER

`recipes/economy.py` reads only the files that this script wrote, which are part of the project; the script
records how each figure was cut, summed or averaged from its source. It is the only file of the trade recipe
that uses pandas (and pyarrow, for the distances).
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

OUTPUT = Path(__file__).resolve().parent / "inputs" / "trade"

CITED = ("source", "year", "basis")
AGGREGATES = ("ASE", "REU", "ROW")
GOODS = ["AGR", "FOO", "ENE", "REF", "MIN", "CHM", "TEX", "WPP", "NMM", "MET", "MCH", "ELE", "VEH", "OTH"]
SECTORS = [*GOODS, "CON", "TTS", "OSR"]

ICIO = "OECD ICIO 2021 edition, year 2017, as packed for a university course; 44 industries summed to 17"
ICIO_TARIFF = "applied tariffs (simple average) of 2017 by ICIO industry, as packed for a university course"
ICIO22 = "OECD ICIO, year 2022, as packed (28 goods and service sectors summed to 14 and SRV); derived share"
BACI = "CEPII BACI HS22 V202501, summed over products and over the countries of a region"
FACTBOOK = "CIA World Factbook via factbook/factbook.json"
WDI = "World Bank, World Development Indicators (2025 vintage), summed over the countries of a region"

# ICIO industries 1-44; utilities (23-24) go to other services, so that an importer of oil does not
# get a large domestic energy sector.
INDUSTRIES = {
    **dict.fromkeys((1, 2), "AGR"),
    3: "ENE",
    **dict.fromkeys((4, 5), "MIN"),
    6: "FOO",
    7: "TEX",
    **dict.fromkeys((8, 9), "WPP"),
    10: "REF",
    **dict.fromkeys((11, 12, 13), "CHM"),
    14: "NMM",
    **dict.fromkeys((15, 16), "MET"),
    **dict.fromkeys((17, 18), "ELE"),
    19: "MCH",
    **dict.fromkeys((20, 21), "VEH"),
    22: "OTH",
    **dict.fromkeys((23, 24), "OSR"),
    25: "CON",
    **dict.fromkeys(range(26, 32), "TTS"),
    **dict.fromkeys(range(32, 45), "OSR"),
}

# Countries that GeoDist still lists under an older code.
OLD_CODES = {"ROU": "ROM", "COD": "ZAR", "TLS": "TMP", "SRB": "YUG", "MNE": "YUG"}

# Groups of countries among the partners of the Kyrgyz statistics: they would count twice.
SUBTOTALS = {
    "Africa",
    "America",
    "Asia",
    "Australia and Oceania",
    "Commonwealth of Independent States",
    "Eurasian Economic Union",
    "Europe",
    "European Union (EU)",
    "European Union - 27 countries (from 2020)",
    "Non-EAEU countries",
    "Non-EU countries",
    "Rest of the world",
    "Shanghai Cooperation Organisation",
    "World",
}
PARTNERS = {
    "Republic of Korea": "KOR",
    "The Republic of Korea": "KOR",
    "Iran": "IRN",
    "Russia": "RUS",
    "Turkey": "TUR",
    "Czechia": "REU",
    "Slovakia": "REU",
    "Lao People's Democratic Republic": "ASE",
    "Myanmar": "ASE",
}
WTO_NAMES = {
    "Iran": "IRN",
    "Kyrgyz Republic": "KGZ",
    "Russian Federation": "RUS",
    "Saudi Arabia, Kingdom of": "SAU",
    "United States of America": "USA",
}

MEMBERS = {
    "ca5": {"KAZ", "KGZ", "TJK", "TKM", "UZB"},
    "eu": {"DEU", "FRA", "ITA", "NLD", "POL", "REU"},
    "eaeu": {"ARM", "BLR", "KAZ", "KGZ", "RUS"},
    "cis_fta": {"ARM", "BLR", "KAZ", "KGZ", "RUS", "TJK", "UZB"},
}

SECTOR_NAMES = {
    "AGR": "agriculture",
    "FOO": "food",
    "ENE": "crude oil, gas, coal, electricity",
    "REF": "refined fuels",
    "MIN": "ores and minerals",
    "CHM": "chemicals and plastics",
    "TEX": "textiles, clothing, leather",
    "WPP": "wood and paper",
    "NMM": "non-metallic mineral products",
    "MET": "metals, with gold",
    "MCH": "machinery",
    "ELE": "electrical and electronic goods",
    "VEH": "transport equipment",
    "OTH": "other manufactures",
    "CON": "construction",
    "TTS": "trade and transport services",
    "OSR": "other services, with utilities",
}


def write(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One input file; floats with twelve significant digits, more than any source prints."""
    with (OUTPUT / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns)
        for row in rows:
            out.writerow([f"{cell:.12g}" if isinstance(cell, float) else cell for cell in row])


def clean(text: object) -> str:
    return "" if pd.isna(text) else str(text)


class Facts:
    """The gathered tables, read on demand, and the map of countries to regions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.region: Mapping[str, str] = self.csv("region_map_31").set_index("iso3")["region"].to_dict()
        self.names: Mapping[str, str] = self.csv("region_map_31").set_index("iso3")["name"].to_dict()
        self.regions = sorted(set(self.region.values()))
        gdp = self.csv("countries_194").set_index("iso3")["gdp_usd_2023_or_latest_wdi"]
        self.gdp_musd: Mapping[str, float] = (gdp / 1e6).to_dict()

    def csv(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / f"{name}.csv")


def regions(facts: Facts) -> None:
    """Names, GDP, population, blocs and the ICIO proxy of each region."""
    gdp = facts.csv("aggregates_31regions_2023").set_index("region")["gdp_musd"]
    people = facts.csv("gdp_population_2013_2024_wdi").query("year == 2023")
    people = people[people["iso3"].isin(facts.region)]
    population = people["population"].groupby(people["iso3"].map(facts.region)).sum()
    proxy = facts.csv("io_proxy_map").set_index("region")
    long = {"REU": "Rest of the EU", "ASE": "ASEAN", "ROW": "Rest of the world", "RUS": "Russia"}
    write(
        "regions",
        [
            "region",
            "name",
            "gdp_musd",
            "population",
            "ca5",
            "eu",
            "eaeu",
            "cis_fta",
            "icio_proxy",
            "proxy_note",
            *CITED,
        ],
        (
            [
                region,
                long.get(region, facts.names.get(region, "")),
                float(gdp[region]),
                int(population[region]),
                *("yes" if region in MEMBERS[bloc] else "no" for bloc in ("ca5", "eu", "eaeu", "cis_fta")),
                proxy["icio7_region"][region],
                clean(proxy["note"][region]),
                WDI + "; blocs in mid-2023; proxy: judgement",
                2023,
                "published" if region not in AGGREGATES else "derived",
            ]
            for region in facts.regions
        ),
    )


def goods(facts: Facts) -> None:
    """BACI between and inside the regions, and the published figures that correct it."""
    flows = facts.csv("bilateral_goods_2023_31regions_musd").set_index("exporter")
    write(
        "goods_pairs",
        ["exporter", "importer", "value_musd", "source", "year", "basis"],
        (
            [o, d, float(flows.loc[o, d]), BACI, 2023, "derived"]
            for o in facts.regions
            for d in facts.regions
            if flows.loc[o, d] > 0
        ),
    )
    gaps = facts.csv("gap_fill_2023")
    rows = [
        [g.exporter, g.importer, float(g.value_musd), g.mode, g.source, 2023, g.basis, g.note]
        for g in gaps.itertuples()
        if g.mode != "keep_baci"
    ]
    baci = facts.csv("bilateral_goods_2023_baci")
    gambia = baci[(baci["exporter"] == "GMB") & (baci["importer"] == "KAZ")]["value_musd"]
    note = "Kazakh imports from The Gambia, larger than that country's GDP: misreported, taken out"
    rows.append(["ROW", "KAZ", float(gambia.iloc[0]), "subtract", BACI, 2023, "assumption", note])
    write("gap_fill", ["exporter", "importer", "value_musd", "mode", "source", "year", "basis", "note"], rows)
    write(
        "taiwan_goods",
        ["region", "exports_to_region_musd", "imports_from_region_musd", "source", "year", "basis"],
        (
            [
                t.region,
                float(t.exports_to_region_musd),
                float(t.imports_from_region_musd),
                "OECD ICIO, year 2022, as packed, goods sectors; BACI has no Taiwan",
                2022,
                "derived",
            ]
            for t in facts.csv("taiwan_goods_2022").itertuples()
        ),
    )
    by_country = facts.csv("national_imports_2019_2023_reported").query("year == 2023")
    reported = by_country.query("importer == 'KGZ'")
    by_name = {name: facts.region[iso] for iso, name in facts.names.items()} | PARTNERS
    # Territories that the region map does not list under this name are rest of the world.
    partner = reported[~reported["partner_name"].isin(SUBTOTALS)]
    region = partner["partner_name"].map(lambda name: by_name.get(name, "ROW"))
    value = partner["value_musd"].groupby(region).sum()
    counted = partner["value_musd"].groupby(region).count()
    source = "National Statistical Committee of the Kyrgyz Republic via mary-lev/eu-export-sanctions"
    write(
        "kgz_imports_reported",
        ["exporter", "value_musd", "partners", "source", "year", "basis"],
        ([r, float(value[r]), int(counted[r]), source, 2023, "derived"] for r in sorted(value.index)),
    )
    # For regions that are one country: figures of other pairs of Central Asia from their own statistics, by
    # partner.
    alone = {region for region in facts.regions if sum(r == region for r in facts.region.values()) == 1}
    agencies = {"KAZ": "National import statistics of Kazakhstan", "UZB": "Statistics Agency of Uzbekistan"}
    write(
        "imports_reported",
        ["importer", "exporter", "value_musd", "source", "year", "basis", "note"],
        (
            [importer, region, float(row.value_musd), via, 2023, "published", note]
            for importer, via, note in (
                (code, f"{agency} via mary-lev/eu-export-sanctions", "provisional" if code == "KAZ" else "")
                for code, agency in agencies.items()
            )
            for region, row in sorted(
                (by_name[row.partner_name], row)
                for row in by_country.query("importer == @importer").itertuples()
                if by_name.get(row.partner_name) in alone
            )
        ),
    )


def mixes(facts: Facts) -> None:
    """Sector mixes of exports, imports and output, and the observed Kazakh splits."""
    write(
        "export_mix",
        ["region", "sector", "share", "source", "year", "basis"],
        (
            [
                row.region,
                row.sector,
                float(row.export_share),
                ICIO22 if "ICIO" in row.status else "judgement from memory and Factbook commodity order",
                2022,
                "derived" if "ICIO" in row.status else "assumption",
            ]
            for row in facts.csv("export_mix_prior").itertuples()
        ),
    )
    imports = facts.csv("import_mix_icio2022").query("region != 'KAZ'")
    write(
        "import_mix",
        ["region", "sector", "share", "source", "year", "basis"],
        ([r.region, r.sector, float(r.import_share), ICIO22, 2022, "derived"] for r in imports.itertuples()),
    )
    write(
        "output_mix",
        ["region", "sector", "output_share", "home_share", "source", "year", "basis"],
        (
            [
                r.region,
                r.sector,
                float(r.output_share),
                "" if pd.isna(r.home_share_of_expenditure) else float(r.home_share_of_expenditure),
                ICIO22,
                2022,
                "derived",
            ]
            for r in facts.csv("output_mix_icio2022").itertuples()
        ),
    )
    seen = facts.csv("kaz_exports_by_sector_partner").query("year == 2021")
    seen = seen[seen["partner"].isin(facts.regions)]
    write(
        "kaz_exports_observed",
        ["importer", "sector", "value_musd", "source", "year", "basis"],
        (
            [
                r.partner,
                r.sector,
                float(r.value_musd),
                "CEPII BACI HS02 V202301 via ksreyes/adb-kaz-gvc",
                2021,
                "observed",
            ]
            for r in seen.itertuples()
        ),
    )


def macro(facts: Facts) -> None:
    """Factbook balances and value-added shares, WTO services, and the few single figures."""
    book = facts.csv("factbook_macro_2024")
    book = book[book["iso3"].isin(facts.region)].assign(region=lambda t: t["iso3"].map(facts.region))
    book["gdp"] = book["iso3"].map(facts.gdp_musd)
    columns = ["region", "variable", "value", "unit", "source", "year", "basis", "note"]
    rows: list[list[object]] = []
    for flow in ("exports", "imports"):
        for region in facts.regions:
            part, amount, years = book[book["region"] == region], 0.0, []
            for row in part.to_dict("records"):
                found = next((y for y in (2023, 2022, 2024) if pd.notna(row[f"{flow}_gs_musd_{y}"])), None)
                if row["iso3"] in ("AFG", "KGZ") or found is None:
                    share = row[f"{flow}_gs_pct"]
                    if pd.isna(share):
                        continue
                    amount += abs(share) / 100 * row["gdp"]
                    years.append("percent of GDP x WDI GDP")
                else:
                    amount += row[f"{flow}_gs_musd_{found}"]
                    years.append(str(found))
            note = "; ".join(f"{years.count(y)} of {len(years)}: {y}" for y in sorted(set(years)))
            one = region not in AGGREGATES and years[0].isdigit()
            rows.append(
                [
                    region,
                    f"{flow}_goods_services",
                    float(amount),
                    "musd",
                    FACTBOOK,
                    years[0] if one else "2022-2024",
                    "published" if one else "derived",
                    "" if one else note,
                ]
            )
    shares = book.dropna(subset=["va_agriculture_pct", "va_industry_pct", "va_services_pct", "gdp"])
    for group in ("agriculture", "industry", "services"):
        for region in facts.regions:
            part = shares[shares["region"] == region]
            share = (part["gdp"] * part[f"va_{group}_pct"]).sum() / part["gdp"].sum()
            many = region in AGGREGATES
            rows.append(
                [
                    region,
                    f"value_added_{group}",
                    float(share),
                    "percent",
                    FACTBOOK,
                    "2022-2024" if many else int(part["va_year"].iloc[0]),
                    "derived" if many else "published",
                    f"GDP-weighted over {len(part)} countries" if many else "",
                ]
            )
    wto = facts.csv("wto_services_imports_2014_2020")
    wto = wto[(wto["sector"] == "BOP6 - SOX - Commercial services") & (wto["partner"] == "World")]
    by_name = {name: iso for iso, name in facts.names.items() if facts.region[iso] == iso} | WTO_NAMES
    # The Netherlands and the Republic of Korea are in the file too, but the check table was made without them
    # (2019 charges for intellectual property distort the Dutch figure), so they are left out here.
    for row in sorted(wto.to_dict("records"), key=lambda r: str(r["economy"])):
        region = by_name.get(row["economy"], "")
        if region and region not in ("KOR", "NLD") and pd.notna(row["2019"]):
            rows.append(
                [
                    region,
                    "services_imports_2019",
                    float(row["2019"]),
                    "musd",
                    "WTO commercial services imports via random7534/echartsvisual",
                    2019,
                    "published",
                    "",
                ]
            )
    kaz = facts.csv("kaz_exports_35sector_adb_mrio")
    services = kaz["exports_si"][kaz.index[kaz["sector"] == "Construction"][0] :].sum()
    rows.append(
        [
            "KAZ",
            "services_exports_floor",
            float(services),
            "musd",
            "ADB MRIO via ksreyes/adb-kaz-gvc, construction and services",
            2022,
            "derived",
            "",
        ]
    )
    for hub, value in (("ARE", 294900.0), ("NLD", 292700.0)):
        note = "exports without re-exports"
        rows.append(
            [hub, "goods_exports_net_of_reexports", value, "musd", "OECD ICIO", 2022, "derived", note]
        )
    write("macro", columns, sorted(rows, key=lambda r: (str(r[1]), str(r[0]))))


def distances(facts: Facts) -> None:
    """Population-weighted distances of CEPII GeoDist, GDP-weighted over the country pairs of two regions."""
    table = pd.read_parquet(facts.folder / "geodist_cepii.parquet", columns=["iso_o", "iso_d", "distw"])
    weight = pd.DataFrame(
        {
            "code": [OLD_CODES.get(iso, iso) for iso in facts.region],
            "region": list(facts.region.values()),
            "gdp": [facts.gdp_musd[iso] for iso in facts.region],
        }
    )
    joined = table.dropna().merge(weight, left_on="iso_o", right_on="code")
    joined = joined.merge(weight, left_on="iso_d", right_on="code", suffixes=("_o", "_d"))
    joined["weight"] = joined["gdp_o"] * joined["gdp_d"]
    joined["weighted"] = joined["weight"] * joined["distw"]
    sums = joined.groupby(["region_o", "region_d"])[["weight", "weighted"]].sum()
    mean = sums["weighted"] / sums["weight"]
    source = "CEPII GeoDist (distw) via cepiigeodist, GDP-weighted over country pairs"
    write(
        "distances",
        ["exporter", "importer", "distance_km", "source", "year", "basis"],
        (
            [o, d, round(float(mean[o, d]), 2), source, "static", "derived"]
            for o in facts.regions
            for d in facts.regions
        ),
    )


def icio(facts: Facts) -> None:
    """Coefficients and tariffs of the ICIO regions of 2017, 44 industries summed to 17 sectors."""
    used = sorted(set(facts.csv("io_proxy_map")["icio7_region"]))
    flow = facts.csv("icio2017_7reg44sec_tradeflow")
    value = facts.csv("icio2017_7reg44sec_va_share").set_index(["iso_o", "indcode"])["vashare"]
    inputs = facts.csv("icio2017_7reg44sec_io_share").set_index(["iso_o", "input_ind", "output_ind"])
    final = facts.csv("icio2017_7reg44sec_final_share").set_index(["iso_o", "input_ind"])["finalshare"]
    output = flow.groupby(["iso_o", "indcode"])["tradevalue"].sum()
    abroad = flow[flow["iso_o"] != flow["iso_d"]].groupby(["iso_o", "indcode"])["tradevalue"].sum()
    structure: list[list[object]] = []
    uses: list[list[object]] = []
    for region in used:
        made, earned, sold, spent = (dict.fromkeys(SECTORS, 0.0) for _ in range(4))
        need = {(k, s): 0.0 for k in SECTORS for s in SECTORS}
        for j, using in INDUSTRIES.items():
            y = float(output[region, j])
            made[using] += y
            earned[using] += float(value[region, j]) * y
            sold[using] += float(abroad[region, j])
            spent[using] += float(final[region, j])
            for i, source in INDUSTRIES.items():
                share = float(inputs["valueshare"][region, i, j])
                need[source, using] += share * (1.0 - float(value[region, j])) * y
        for s in SECTORS:
            structure.append(
                [region, s, earned[s] / made[s], spent[s], made[s], sold[s], ICIO, 2017, "derived"]
            )
        for k in SECTORS:
            row = [need[k, s] / sum(need[i, s] for i in SECTORS) for s in SECTORS]
            uses.append([region, k, *row, ICIO, 2017, "derived"])
    write(
        "icio_structure",
        ["icio_region", "sector", "value_added_share", "final_share", "output_musd", "exports_musd", *CITED],
        structure,
    )
    write("icio_input_share", ["icio_region", "input_sector", *SECTORS, "source", "year", "basis"], uses)
    rate = facts.csv("icio2017_7reg44sec_tariff").set_index(["iso_o", "iso_d", "indcode"])["AHS_simple"]
    weight = flow.set_index(["iso_o", "iso_d", "indcode"])["tradevalue"]
    tariffs: list[list[object]] = []
    for d in used:
        for o in used:
            if o == d:
                continue
            row = []
            for s in GOODS:
                codes = [code for code, sector in INDUSTRIES.items() if sector == s and code <= 22]
                weights = [float(weight[o, d, c]) for c in codes]
                if sum(weights) <= 0:
                    weights = [1.0] * len(codes)
                found = [float(rate[o, d, c]) for c in codes]
                mean = sum(w * t for w, t in zip(weights, found, strict=True)) / sum(weights)
                row.append(round(mean, 6))
            tariffs.append([d, o, *row, ICIO_TARIFF + ", trade-weighted to 14 sectors", 2017, "derived"])
    write("icio_tariff", ["importer", "exporter", *GOODS, "source", "year", "basis"], tariffs)


def published_tariffs() -> None:
    """Averages of MFN tariffs that were read in a published table, and who is free of duty with whom."""
    wto = "WTO, World Tariff Profiles 2023, summary table (as shown at scribd.com/document/677753648)"
    kaz = "Kazakhstan's WTO commitments (The Diplomat, 30 Jul 2015; US Commercial Service)"
    eaeu = "the Belarusian (EAEU) average"
    agri, other = " ".join(GOODS[:2]), " ".join(GOODS[2:])
    every = " ".join(GOODS)
    write(
        "tariffs_published",
        ["importer", "sectors", "mean_pct", "source", "year", "basis", "note"],
        [
            ["ARM", every, 6.3, wto, 2022, "published", "EAEU with exemptions"],
            ["AZE", every, 8.2, wto, 2022, "published", ""],
            ["BLR", every, 6.6, wto, 2022, "published", "EAEU tariff"],
            ["CHN", every, 7.5, wto, 2022, "published", ""],
            ["KAZ", agri, 7.6, kaz, 2020, "published", "agriculture"],
            ["KAZ", other, 5.9, kaz, 2020, "published", "non-agriculture"],
            ["KGZ", every, 6.6, wto, 2022, "assumption", eaeu],
            ["RUS", every, 6.6, wto, 2022, "assumption", eaeu],
        ],
    )


def elasticities(facts: Facts) -> None:
    """The recommended band of trade elasticities."""
    table = facts.csv("trade_elasticities")
    table = table[table["parameter"].str.startswith("recommended theta")]
    band = table.assign(end=table["parameter"].str.split().str[-1]).set_index(["sector", "end"])["value"]
    source = "landbridge judgement inside the range of Caliendo-Parro (2015) and later estimates"
    rows = []
    for sector in SECTORS:
        code = sector if sector in GOODS else "SRV"
        low, mid, high = (float(band[code, end]) for end in ("low", "central", "high"))
        is_goods = "yes" if sector in GOODS else "no"
        name = SECTOR_NAMES[sector]
        rows.append([sector, name, is_goods, mid, low, high, source, 2024, "assumption"])
    write("sectors", ["sector", "name", "is_goods", "theta", "theta_low", "theta_high", *CITED], rows)


def main(folder: Path) -> None:
    """Write every input file that comes from the facts."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    facts = Facts(folder)
    regions(facts)
    goods(facts)
    mixes(facts)
    macro(facts)
    distances(facts)
    icio(facts)
    published_tariffs()
    elasticities(facts)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

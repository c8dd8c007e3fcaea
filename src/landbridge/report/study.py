"""What a study of scenarios says, for people: sections of tables and a few paragraphs.

The numbers come from Results and are only rounded here; every table says its unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from landbridge.indicators import indicators
from landbridge.report.document import Section, signed
from landbridge.results import Results, Rows
from landbridge.world import World
from landbridge.world.names import MARK, UNREVIEWED, labels_of
from landbridge.world.validate import BASE_YEAR

__all__ = [
    "Digest",
    "Names",
    "study_sections",
]

# Shown in the tables of the terminal, in this order; every region is in --json and -o.
_SHOWN = (
    *("CHN", "KAZ", "KGZ", "TJK", "TKM", "UZB"),
    *("RUS", "BLR", "MNG", "AFG", "PAK", "IRN", "AZE", "GEO", "ARM", "TUR"),
)
_FIVE = ("KAZ", "KGZ", "TJK", "TKM", "UZB")
_GATEWAYS_SHOWN = 16
# Below these a change is not shown as one: percent of hours, USD and CO2e; percent of boxes.
_STILL = 0.05
_MEASURES = ("time_h", "cost_usd", "co2e_kg", "generalised_cost_usd")

STATIC = (
    "Every figure is a static, long-run answer for the economy of 2023: what would differ once trade and "
    "routes had adjusted, not a forecast and not a path. Waits at borders are those observed; where a "
    "capacity is known (column `of capacity`) they grow and shrink with container trains, boxes or trucks; "
    "elsewhere, and for ordinary wagons, they do not. A capacity is no ceiling: more can pass, and waits "
    "longer. One scenario differs from another by its assumptions, so read its file first."
)
CLOSURES = (
    "Real income is shown under two closures of the trade balance: fixed (deficits keep their value in "
    "world value added) and proportional (they move with income), because for countries that live on "
    "transfers or save most of what they export the two differ. First order is the gradient times the "
    "change, without any adjustment of trade: where it is near the exact figure the change is small."
)


@dataclass(frozen=True)
class Digest:
    """What of a Results the report needs, so that the Results itself can be let go."""

    id: str
    name: str
    sources: tuple[str, ...]
    result: dict[str, Any]
    counts: Rows
    closure: str
    variant: str
    year: int = BASE_YEAR
    base: Digest | None = None

    @staticmethod
    def of(results: Results, base: Results | None = None, detail: bool = True) -> Digest:
        """The tables of a Results; base: that of the study. A case with another base brings its own.

        detail: see `Results.to_json`.
        """
        scenario, world = results.scenario, results.world
        own = results.base is not None and base is not None and results.base is not base
        return Digest(
            results.id,
            scenario.name if scenario else _what(world),
            scenario.sources if scenario else (),
            {**results.to_json(detail), "indicators": indicators(results, results.base)},
            results.count_rows if results.base is None else [],
            results.closure,
            f"{world.setting('kgz_trade')}, tjk_cap {world.setting('tjk_cap')}",
            int(world.parameter("horizon")),
            Digest.of(results.base, None, detail) if own and results.base is not None else None,
        )


def _what(world: World) -> str:
    year = int(world.parameter("horizon"))
    return (
        f"the network of {BASE_YEAR} and the economy of {year}"
        if year != BASE_YEAR
        else "the network and economy of 2023"
    )


class Names:
    """The names that tables show in one language, those that nobody has reviewed with a mark.

    names.place["XIAN"], names.region["KAZ"], names.sector["MCH"], names.gateway["suez"]: by identifier.
    names.short["XIAN"]: of a place, without what stands in brackets. Reviewed or not, English names
    carry no mark: they are those of the tables themselves.
    """

    def __init__(self, world: World, lang: str = "en") -> None:
        shown = {
            kind: {
                name: (one.marked() if lang != "en" else one.text, one.marked(short=True), one.short)
                for name, one in labels_of(world.tables, kind, lang).items()
            }
            for kind in ("place", "region", "sector", "gateway")
        }
        whole = {kind: {name: texts[0] for name, texts in of.items()} for kind, of in shown.items()}
        self.place, self.region, self.sector = whole["place"], whole["region"], whole["sector"]
        self.gateway = whole["gateway"]
        self.short = {name: texts[1 if lang != "en" else 2] for name, texts in shown["place"].items()}

    def of_gateway(self, row: Mapping[str, Any]) -> str:
        """Name of the gateway of a result row."""
        return self.gateway.get(str(row["gateway"])) or str(row["name"])

    def gateways(self, ids: str) -> str:
        """Names of gateways joined by +, as the tables of counts join their identifiers."""
        return " + ".join(self.gateway.get(one, one) for one in ids.split("+"))

    @staticmethod
    def explained(section: Section) -> Section:
        """The section with a line that explains the mark, where a name of it has one."""
        texts = [cell for row in section.rows for cell in row] + [*section.before, *section.after]
        if not any(MARK in text for text in texts):
            return section
        return replace(section, after=(*section.after, UNREVIEWED))


def study_sections(
    world: World, base: Digest, cases: Sequence[Digest], lang: str = "en"
) -> Iterator[Section]:
    """The base, then each scenario, then what it means and how to check it.

    lang: en, ru or zh, the language of names of places, gateways and regions.
    """
    names = Names(world, lang)
    sections = [_base_corridors(base, names), _counts(base, names), _base_gateways(world, base, names)]
    for case in cases:
        before = case.base or base
        sections += [
            _real_income(case, names.region),
            *([_closures(case, names.region)] if case.result.get("closures") else []),
            _trade(case, names.region),
            _corridor_changes(before, case, names),
            _gateway_changes(before, case, names),
            _emissions(before, case),
            *([_transit(case, names.region)] if case.result.get("transit") else []),
        ]
    sections.append(Section("What this means", before=tuple(_meaning(base, cases, names))))
    yield from (Names.explained(section) for section in sections)


# -- the base ------------------------------------------------------------------------------------------


def _base_corridors(base: Digest, names: Names) -> Section:
    rows = []
    for _, parts in _by_corridor(base):
        whole = parts["all"]
        families = sorted((p for f, p in parts.items() if f != "all"), key=lambda p: -p["share"])
        told = ", ".join(f"{p['family']} {100 * p['share']:.2g} %" for p in families if p["share"] > 0.005)
        rows.append(
            (
                f"{names.short[whole['from']]} - {names.short[whole['to']]}",
                f"{whole['time_h']:,.0f}",
                f"{whole['time_h'] / 24:.1f}",
                f"{whole['cost_usd']:,.0f}",
                f"{whole['co2e_kg']:,.0f}",
                told,
            )
        )
    return Section(
        "Base: twelve corridors, door to door, machinery, one TEU",
        ("corridor", "hours", "days", "USD", "kg CO2e", "share of TEU by corridor family"),
        tuple(rows),
        after=(
            "Means over all routes by what they carry, container trains and ordinary wagons together; "
            "`landbridge route FROM TO` prints each route leg by leg for one of the two. Shares of "
            "families are stated by group of pairs (observed, fitted or assumption, family_shares.csv) "
            "and spread over its pairs by cost. Within a family routes compete on cost.",
        ),
    )


def _counts(base: Digest, names: Names) -> Section:
    rows = tuple(
        (
            names.gateways(row["gateway"]),
            row["metric"],
            f"{row['observed']:,.0f}",
            f"{row['ours']:,.0f}",
            f"{row['ours'] / row['observed']:.2f}",
            "repeats" if row["repeats"] else row["role"],
        )
        for row in sorted(base.counts, key=lambda r: (r["role"], r["unit"], r["gateway"]))
        if row["role"] != "ranked"
    )
    fitted = (
        "Fitted: one of the counts that `landbridge calibrate` fits weights of corridor families and "
        "constants of gateways to. Predicted: it was not in the fit, though it may follow from rows that "
        "were (Alashankou is both ports less Khorgos). Repeats: it counts what another row of the "
        "gateway counts, in another unit or by another source, and tests nothing more. Some counts are "
        "derived: both ports, 16,414 trains of 2024 over 1.14, the published growth. Counts of another "
        "scope (ports with transhipment) are in the JSON as `ranked`."
    )
    scaled = f"The base economy is scaled to the GDP of {base.year}; network, prices and shares are of 2023."
    return Section(
        f"Base: counts of {base.year} beside ours",
        ("gateway", "what is counted", "observed", "ours", "ours / observed", "role"),
        rows,
        after=(fitted if base.year == BASE_YEAR else scaled,),
    )


def _base_gateways(world: World, base: Digest, names: Names) -> Section:
    shown = _near_central_asia(world, base)
    rows = tuple(
        (
            names.of_gateway(row),
            row["mode"],
            f"{row['teu_container'] / 1e3:,.0f}",
            f"{row['tonnes'] / 1e6:,.1f}",
            _or_dash(row["trains_per_day"], ".1f"),
            _or_dash(row["volume_over_capacity"], ".2f"),
            _hours(row),
            "-" if row["observed"] is None else _beside_ours(row),
        )
        for row in shown[:_GATEWAYS_SHOWN]
    )
    return Section(
        "Base: the busiest gateways of Central Asia, its neighbours and the Caspian",
        (
            *("gateway", "mode", "1,000 TEU in containers", "Mt a year", "container trains a day"),
            *("of capacity", "hours", "observed, ours"),
        ),
        rows,
        after=(
            "Both ways. TEU in containers: loaded and empty ones. Mt: all goods, those in containers "
            "too. Trains: container trains only. Of capacity: container trains, TEU in containers "
            "(ports) or trucks over the capacity stated, '-' where none is known. Hours: mean of what "
            "passes, ordinary wagons too.",
        ),
    )


def _beside_ours(row: Mapping[str, Any]) -> str:
    return f"{row['observed']:,.0f}, {row['observed_ours']:,.0f} {row['observed_unit']}"


def _near_central_asia(world: World, base: Digest) -> Rows:
    """Gateways with a side in Central Asia, Mongolia or the Caucasus, largest first."""
    near = {*_FIVE, "MNG", "AZE", "GEO"}
    country = {str(r["place_id"]): str(r["country"]) for r in world.network["places"]}
    inside = {
        str(r["gateway_id"])
        for r in world.network["gateways"]
        if {country.get(str(r["place_a"])), country.get(str(r["place_b"]))} & near
    }
    rows = [r for r in base.result["gateways"] if r["gateway"] in inside and r["tonnes"] > 0]
    return sorted(rows, key=lambda r: -float(r["tonnes"]))


# -- a scenario ----------------------------------------------------------------------------------------


def _real_income(case: Digest, names: dict[str, str]) -> Section:
    by_region = {row["region"]: row for row in case.result["real_income"]}
    # Those that change most are in the table wherever they are.
    most = [row["region"] for row in _changes_most(case)]
    listed = [
        (names[r], by_region[r]) for r in (*_SHOWN, *(r for r in most if r not in _SHOWN)) if r in by_region
    ]
    groups = {"CA5": "the five together", "world": "world"}
    listed += [(groups[row["group"]], row) for row in case.result["groups"]]
    rows = tuple(
        (
            name,
            signed(row["percent"]),
            signed(row["first_order_percent"]),
            signed(row["percent_proportional"]),
            signed(row["first_order_percent_proportional"]),
            f"{row['musd']:+,.1f}",
            signed(row["percent_of_gdp"]),
        )
        for name, row in listed
    )
    widest, of = max(listed, key=lambda each: abs(math.log(each[1]["income_musd"] / each[1]["gdp_musd"])))
    return Section(
        f"{case.id}: real income",
        (
            *("", "fixed deficits, % of income", "first order", "proportional deficits, % of income"),
            *("first order", "million USD", "% of GDP"),
        ),
        rows,
        before=(case.name.rstrip(".") + ".",),
        after=(
            *(f"Note: {note}." for note in case.result["notes"]),
            "Change against the base, under fixed and under proportional trade deficits; first order is "
            "the gradient times the change. Million USD of 2023 a year: exact change, fixed deficits, "
            "times base income; % of GDP is that over GDP. Income is what a country spends, GDP and the "
            "trade deficit of the base table (less a surplus), part of which is trade that no statistics "
            f"record: {widest} has an income of {of['income_musd'] / 1e3:,.1f} and a GDP of "
            f"{of['gdp_musd'] / 1e3:,.1f} billion USD.",
        ),
    )


def _closures(case: Digest, names: dict[str, str]) -> Section:
    """Real income of the five under each closure, one row each, with what it holds fixed."""
    shown = [r for r in (*_FIVE, "CA5") if any(row["region"] == r for row in case.result["closures"])]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in case.result["closures"]:
        words = {"percent": row["holds"]}
        if "discounted_percent" in row:
            words |= {
                "consumption_percent": "the same, consumption net of investment",
                "discounted_percent": "the same, consumption discounted along the way",
            }
        for key, holds in words.items():
            value = row[key]
            rows.setdefault((holds, key), {})[row["region"]] = "-" if value is None else signed(value)
    income = {row["region"]: row for row in case.result["real_income"]}
    income |= {row["group"]: row for row in case.result["groups"]}
    for end, how in (("low", "weakly"), ("high", "strongly")):
        if all(f"percent_phi_b_{end}" in income[r] for r in shown):
            holds = f"labour, capital, deficits ({case.closure}); freight answers {how} to cost (phi_b {end})"
            rows[holds, end] = {r: signed(income[r][f"percent_phi_b_{end}"]) for r in shown}
    without = dict.fromkeys(
        f"No answer where {row['holds']} are held: {row['why']}."
        for row in case.result["closures"]
        if row["why"]
    )
    return Section(
        f"{case.id}: real income and consumption by what is held fixed, %",
        ("held fixed; what moves", *(names.get(r, "the five together") for r in shown)),
        tuple((holds, *(cells[r] for r in shown)) for (holds, _), cells in rows.items()),
        after=(
            *without,
            "Percent of income; of consumption in the two rows that say so. Freight costs are those of "
            "the run, but for the rows of phi_b. The rows of hours overstate welfare: lost leisure is "
            "not taken off. Capital is built up by a constant share of value added (Anderson, Larch and "
            "Yotov 2020); shares and rates are assumptions (parameters). No deficits: compared with a "
            "base without deficits, and the five are weighted by incomes without them.",
        ),
    )


def _transit(case: Digest, names: dict[str, str]) -> Section:
    """What carriers are paid: those with most transit revenue, and those for whom it changes most."""
    rows = case.result["transit"]

    def first(key: str, most: int) -> list[Any]:
        return sorted(rows, key=lambda row: -abs(row[key]))[:most]

    shown = [*first("musd", 6), *first("change_musd", 5), *first("gain_musd", 5)]
    listed = {row["region"]: row for row in shown}.values()
    keys = ("change_musd", "own_change_musd", "above_cost_musd", "gain_musd")
    return Section(
        f"{case.id}: what carriers are paid, and what that adds to real income, million USD a year",
        ("", "transit, with the scenario", "change", "own trade, change", "above cost", "in real income"),
        tuple(
            (
                names.get(row["region"], row["region"]),
                f"{row['musd']:,.0f}",
                *(signed(row[key], 1) for key in keys),
            )
            for row in sorted(listed, key=lambda row: -row["musd"])
        ),
        after=(
            "Transit and own trade: what freight that neither begins nor ends in a country, and its own, "
            "pays to carriers, terminals and border services there, at the rates of the tables: gross "
            "revenue, of which trains, fuel and people with other uses are paid. Ships on the ocean are "
            "left out; their money goes to those who own the fleet, and the dues of canals with it. "
            "Above cost: what all freight pays beyond cost, more than in the base: assumed shares of "
            "transit by rail (10 %, in Kazakhstan 25 %, see table carriers), changes of price alone on "
            "all freight, and the Chinese subsidy. In real income: what all payments, ships among them, "
            "add to the figures above, by what is above cost and by terms of trade; it can differ from "
            "the change of transit in size and sign. Listed are those with most revenue and those for "
            "whom it or income changes most. All of it is as good as the flows, of which few are "
            "counted: ordinary wagons and trucks through Kazakhstan, Mongolia and Russia are several "
            "times too large (Erenhot carries three times what was counted), lines without a capacity "
            "can take any amount. Read the revenue as an order of magnitude at most, and where it "
            "decides the sign of a small change in real income, read no sign.",
        ),
    )


def _trade(case: Digest, names: dict[str, str]) -> Section:
    pairs = {(row["exporter"], row["importer"]): row for row in case.result["trade"]}
    rows = []
    total = [0.0, 0.0, 0.0, 0.0]
    for region in _FIVE:
        there, back = pairs.get(("CHN", region)), pairs.get((region, "CHN"))
        if there is None or back is None:
            continue
        for k, value in enumerate((there["base_musd"], there["musd"], back["base_musd"], back["musd"])):
            total[k] += value
        rows.append((names[region], *_cells(there), *_cells(back)))
    both = [
        {"base_musd": total[k], "musd": total[k + 1], "percent": 100 * total[k + 1] / (total[k] or 1.0)}
        for k in (0, 2)
    ]
    if rows:
        rows.append(("the five together", *_cells(both[0]), *_cells(both[1])))
    return Section(
        f"{case.id}: China - Central Asia trade in goods",
        ("", "from China, base", "change", "%", "to China, base", "change", "%"),
        tuple(rows),
        after=(
            f"Million USD of 2023 a year at producer prices, {case.closure} deficits. Base table: "
            f"kgz_trade {case.variant}. Exports to Kazakhstan and Uzbekistan hold a quarter of what was "
            "declared to Kyrgyzstan and Tajikistan and is taken to pass through, an assumption, and lie "
            "above both sides' customs: `landbridge run --detail` shows each step. Chinese customs book "
            "far more exports to Kyrgyzstan and Tajikistan than these report as imports; `reported` and "
            "`on` take the importers' figures, `baci` and `off` China's.",
        ),
    )


def _cells(row: dict[str, Any]) -> tuple[str, str, str]:
    return f"{row['base_musd']:,.0f}", f"{row['musd']:+,.1f}", signed(row["percent"], 2)


def _corridor_changes(base: Digest, case: Digest, names: Names) -> Section:
    old = {name: parts["all"] for name, parts in _by_corridor(base)}
    rows, still = [], []
    for name, parts in _by_corridor(case):
        if name not in old:
            continue
        new, was = parts["all"], old[name]
        label = f"{names.short[new['from']]} - {names.short[new['to']]}"
        if all(abs(new[k] / was[k] - 1.0) * 100 < _STILL for k in _MEASURES):
            still.append(label)
            continue
        cells = [label]
        for key in _MEASURES:
            cells += [f"{new[key]:,.0f}", f"{new[key] - was[key]:+,.1f}"]
        rows.append(tuple(cells))
    after = (f"Unchanged (less than {_STILL} %): {', '.join(still)}.",) if still else ()
    return Section(
        f"{case.id}: corridors that change",
        ("corridor", "hours", "change", "USD", "change", "kg CO2e", "change", "generalised USD", "change"),
        tuple(rows),
        after=(
            *after,
            "Generalised: money, hours and risk together, by which routes are chosen. It falls with an "
            "improvement, while mean hours and USD can rise where a new, longer way takes traffic.",
        ),
    )


def _gateway_changes(base: Digest, case: Digest, names: Names) -> Section:
    old = {row["gateway"]: row for row in base.result["gateways"]}
    moved = []
    for row in case.result["gateways"]:
        was = old.get(row["gateway"])
        before = was["teu_per_year"] if was else 0.0
        change = row["teu_per_year"] - before
        if abs(change) > 500.0 and abs(change) > _STILL / 100 * max(before, 1.0):
            moved.append((abs(change), row, was, change))
    moved.sort(key=lambda item: -item[0])
    rows = []
    for _, row, was, change in moved[:_GATEWAYS_SHOWN]:
        trains = row["trains_per_day"]
        earlier = was["trains_per_day"] if was else 0.0
        rows.append(
            (
                names.of_gateway(row),
                row["mode"],
                f"{row['teu_per_year'] / 1000:,.1f}",
                f"{change / 1000:+,.1f}",
                _or_dash(trains, ".1f"),
                "-" if trains is None or earlier is None else f"{trains - earlier:+.1f}",
                _or_dash(row["volume_over_capacity"], ".2f"),
                _hours(row),
                "-"
                if row["status"] == "closed" or was is None or before < 1.0
                else signed(row["wait_h"] - was["wait_h"], 0),
            )
        )
    rest = len(moved) - len(rows)
    return Section(
        f"{case.id}: gateways that change most",
        (
            *("gateway", "mode", "1,000 TEU, all goods", "change", "container trains a day", "change"),
            *("of capacity", "hours", "change"),
        ),
        tuple(rows),
        after=(
            "1,000 TEU, all goods: a year, loaded, goods in bulk as the TEU they would fill; the table of "
            "the base counts containers alone. Hours: mean of all that passes, so that they move with who "
            "passes too; ordinary wagons meet no queue: where one grows, container trains wait longer than "
            "the change shown."
            + (f" {rest} more change by over 500 TEU a year; --json lists all." if rest > 0 else ""),
        )
        if rows
        else (),
    )


def _emissions(base: Digest, case: Digest) -> Section:
    old = {row["mode"]: row for row in base.result["emissions"]}
    rows = tuple(
        (
            row["mode"],
            f"{row['million_teu_km']:,.0f}",
            f"{row['million_teu_km'] - old[row['mode']]['million_teu_km']:+,.0f}",
            f"{row['co2e_kt']:,.0f}",
            f"{row['co2e_kt'] - old[row['mode']]['co2e_kt']:+,.1f}",
        )
        for row in case.result["emissions"]
    )
    return Section(
        f"{case.id}: freight and CO2e a year",
        ("", "million TEU-km", "change", "kt CO2e", "change"),
        rows,
        after=(
            "All freight on the network, loaded; goods in bulk count as the TEU they would fill. "
            "Well to wheel.",
        ),
    )


# -- words ---------------------------------------------------------------------------------------------


def _meaning(base: Digest, cases: Sequence[Digest], names: Names) -> Iterator[str]:
    for case in cases:
        yield _one_meaning(case.base or base, case, names)
    both = "khorgos-altynkol+alashankou-dostyk", "trains/year"
    two = next((r for r in base.counts if (r["gateway"], r["unit"]) == both), None)
    if two is not None:
        ratio = two["ours"] / two["observed"]
        yield (
            f"The two Xinjiang rail ports carry {two['ours']:,.0f} container trains a year here against "
            f"{two['observed']:,.0f} observed ({ratio:.2f} times); numbers were fitted to that count. "
            "Flows at gateways without a count can be far off, and with them the loss from closing one."
        )
    yield STATIC
    yield CLOSURES
    yield (
        "To check it: `landbridge route Chongqing Duisburg` shows every term of a route; `landbridge "
        "scenarios NAME` prints a scenario with its sources; `landbridge run NAME -o result.json` writes "
        "every figure with a manifest, and `landbridge run result.json` solves the same again; "
        "`landbridge data validate` lays observed times beside ours; each row of the tables says where "
        "its figure comes from and whether it is observed, published, derived or an assumption."
    )


def _one_meaning(base: Digest, case: Digest, names: Names) -> str:
    """One scenario in a sentence or two."""
    rows = _changes_most(case)
    if not rows or abs(rows[0]["percent"]) < 1e-6:
        return f"{case.id}: nothing changes against its base."
    told = ", ".join(f"{names.region[r['region']]} {signed(r['percent'])} %" for r in rows)
    text = f"{case.id}: real income changes most in {told} of income"
    five = next((r for r in case.result["groups"] if r["group"] == "CA5"), None)
    if five is not None:
        text += f"; the five together {signed(five['percent'])} %, or {five['musd']:+,.0f} million USD a year"
    old = {name: parts["all"] for name, parts in _by_corridor(base)}
    changes = [(parts["all"], old[name]) for name, parts in _by_corridor(case) if name in old]
    if changes:
        new, was = max(changes, key=lambda pair: abs(pair[0]["time_h"] - pair[1]["time_h"]))
        ends = f"{names.short[new['from']]} - {names.short[new['to']]}"
        if abs(new["time_h"] / was["time_h"] - 1.0) * 100 < _STILL:
            text += f". The hours of no corridor listed change by {_STILL} %"
        else:
            text += (
                f". Of the corridors {ends} changes most, from {was['time_h']:,.0f} to "
                f"{new['time_h']:,.0f} hours for a mean TEU"
            )
    return text + "."


def _changes_most(case: Digest) -> list[dict[str, Any]]:
    """The four regions whose real income changes most, of all."""
    return sorted(case.result["real_income"], key=lambda row: -abs(row["percent"]))[:4]


def _by_corridor(digest: Digest) -> list[tuple[str, dict[str, dict[str, Any]]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in digest.result["corridors"]:
        found.setdefault(row["corridor"], {})[row["family"]] = row
    return list(found.items())


def _hours(row: dict[str, Any]) -> str:
    return "closed" if row["status"] == "closed" else f"{row['wait_h']:.0f}"


def _or_dash(value: float | None, spec: str) -> str:
    return "-" if value is None else format(value, spec)

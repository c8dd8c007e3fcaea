"""What a study says, for people: sections of tables and a few paragraphs, as Markdown or CSV.

The numbers come from Results and are only rounded here; every table says its unit.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from landbridge.results import Results, Rows
from landbridge.world import World

__all__ = ["Digest", "Section", "csv_text", "markdown", "study_sections"]

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
    "routes had adjusted, not a forecast and not a path. Waits at borders are those observed; they do not "
    "yet grow with traffic. One scenario differs from another by its assumptions, so read its file first."
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

    @staticmethod
    def of(results: Results) -> Digest:
        """The tables of a Results."""
        scenario = results.scenario
        return Digest(
            results.id,
            scenario.name if scenario else "the network and economy of 2023",
            scenario.sources if scenario else (),
            results.to_json(),
            results.count_rows if results.base is None else [],
        )


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs before the table, a table (may be empty), and paragraphs after it."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def study_sections(world: World, base: Digest, cases: Sequence[Digest]) -> Iterator[Section]:
    """The base, then each scenario, then what it means and how to check it."""
    names = _names(world)
    yield _base_corridors(world, base)
    yield _counts(base)
    yield _base_gateways(world, base)
    for case in cases:
        yield _real_income(case, names)
        yield _trade(case, names)
        yield _corridor_changes(world, base, case)
        yield _gateway_changes(base, case)
    yield Section("What this means", before=tuple(_meaning(base, cases, names)))


def markdown(sections: Iterable[Section], attribution: Sequence[str] = ()) -> str:
    """The sections as a Markdown document, with the attribution lines of the data used."""
    lines = ["# landbridge", ""]
    for section in sections:
        lines += [f"## {section.title}", ""]
        for text in section.before:
            lines += [text, ""]
        if section.rows:
            lines.append("| " + " | ".join(section.columns) + " |")
            lines.append(
                "|" + "|".join("---" if i == 0 else "---:" for i in range(len(section.columns))) + "|"
            )
            lines += ["| " + " | ".join(row) + " |" for row in section.rows]
            lines.append("")
        for text in section.after:
            lines += [text, ""]
    if attribution:
        lines += ["## Sources of the data", "", *(f"* {line}" for line in attribution), ""]
    return "\n".join(lines)


def csv_text(digests: Sequence[Digest]) -> str:
    """Every figure in one long table: scenario, table, key, variable, value."""
    keys = {
        "real_income": ("region",),
        "groups": ("group",),
        "trade": ("exporter", "importer"),
        "corridors": ("corridor", "from", "to", "family"),
        "gateways": ("gateway", "name", "mode"),
        "counts": ("gateway", "metric", "year", "unit", "role", "source"),
        "emissions": ("mode",),
    }
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["scenario", "table", "key", "variable", "value"])
    for digest in digests:
        for table, columns in keys.items():
            for row in digest.result.get(table, []):
                key = "|".join(str(row[c]) for c in columns)
                for variable, value in row.items():
                    if variable not in columns and value is not None:
                        writer.writerow([digest.id, table, key, variable, repr(value)])
    return out.getvalue()


# -- the base ------------------------------------------------------------------------------------------


def _base_corridors(world: World, base: Digest) -> Section:
    places = {str(r["place_id"]): str(r["name"]) for r in world.network["places"]}
    rows = []
    for _, parts in _by_corridor(base):
        whole = parts["all"]
        families = sorted((p for f, p in parts.items() if f != "all"), key=lambda p: -p["share"])
        told = ", ".join(f"{p['family']} {100 * p['share']:.2g} %" for p in families if p["share"] > 0.005)
        rows.append(
            (
                f"{_short(places[whole['from']])} - {_short(places[whole['to']])}",
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
            "Means over all routes by what they carry; `landbridge route FROM TO` prints each route leg by "
            "leg. Shares of families are stated by group of pairs (observed or assumption, "
            "family_shares.csv); within a family routes compete on cost.",
        ),
    )


def _counts(base: Digest) -> Section:
    rows = tuple(
        (
            row["gateway"],
            row["metric"],
            f"{row['observed']:,.0f}",
            f"{row['ours']:,.0f}",
            f"{row['ours'] / row['observed']:.2f}",
            row["role"],
        )
        for row in sorted(base.counts, key=lambda r: (r["unit"], r["gateway"]))
    )
    return Section(
        "Base: counts of 2023 beside ours",
        ("gateway", "what is counted", "observed", "ours", "ours / observed", "role"),
        rows,
        after=(
            "Nothing is fitted to these counts yet: ours come from trade values, value per TEU, stated "
            "family shares and route costs. 14,398 trains is 16,414 (2024) less the published growth of "
            "14 %.",
        ),
    )


def _base_gateways(world: World, base: Digest) -> Section:
    shown = _near_central_asia(world, base)
    rows = tuple(
        (
            row["name"],
            row["mode"],
            f"{row['teu_per_year'] / 1000:,.0f}",
            _or_dash(row["trains_per_day"], ".1f"),
            _or_dash(row["volume_over_capacity"], ".2f"),
            f"{row['wait_h']:.0f}",
        )
        for row in shown[:_GATEWAYS_SHOWN]
    )
    return Section(
        "Base: the busiest gateways of Central Asia, its neighbours and the Caspian",
        ("gateway", "mode", "1,000 TEU a year", "container trains a day", "of capacity", "hours"),
        rows,
        after=(
            "TEU: loaded boxes and TEU equivalents of ordinary wagons and trucks, both ways. Trains: "
            "container trains only, both ways, empty boxes included. Hours: mean of what passes.",
        ),
    )


def _near_central_asia(world: World, base: Digest) -> Rows:
    """Gateways with a side in Central Asia, Mongolia or the Caucasus, largest first."""
    near = {*_FIVE, "MNG", "AZE", "GEO"}
    country = {str(r["place_id"]): str(r["country"]) for r in world.network["places"]}
    inside = {
        str(r["gateway_id"])
        for r in world.network["gateways"]
        if {country.get(str(r["place_a"])), country.get(str(r["place_b"]))} & near
    }
    rows = [r for r in base.result["gateways"] if r["gateway"] in inside and r["teu_per_year"] > 0]
    return sorted(rows, key=lambda r: -float(r["teu_per_year"]))


# -- a scenario ----------------------------------------------------------------------------------------


def _real_income(case: Digest, names: dict[str, str]) -> Section:
    by_region = {row["region"]: row for row in case.result["real_income"]}
    listed = [(names[r], by_region[r]) for r in _SHOWN if r in by_region]
    groups = {"CA5": "the five together", "world": "world"}
    listed += [(groups[row["group"]], row) for row in case.result["groups"]]
    rows = tuple(
        (
            name,
            _signed(row["percent"]),
            _signed(row["first_order_percent"]),
            _signed(row["percent_proportional"]),
            _signed(row["first_order_percent_proportional"]),
            f"{row['musd']:+,.1f}",
        )
        for name, row in listed
    )
    return Section(
        f"{case.id}: real income",
        ("", "fixed %", "first order %", "proportional %", "first order %", "million USD (fixed)"),
        rows,
        before=(case.name + ".",),
        after=tuple(f"Note: {note}." for note in case.result["notes"]),
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
        {"base_musd": total[k], "musd": total[k + 1], "percent": 100 * total[k + 1] / total[k]}
        for k in (0, 2)
    ]
    rows.append(("the five together", *_cells(both[0]), *_cells(both[1])))
    return Section(
        f"{case.id}: China - Central Asia trade in goods",
        ("", "from China, base", "change", "%", "to China, base", "change", "%"),
        tuple(rows),
        after=(
            "Million USD of 2023 a year at producer prices, fixed deficits. In the base table imports of "
            "Kyrgyzstan and Tajikistan from China are those the importers report; Chinese customs book far "
            'more. set_parameter kgz_trade = "baci" and tjk_cap = "off" take the other view.',
        ),
    )


def _cells(row: dict[str, Any]) -> tuple[str, str, str]:
    return f"{row['base_musd']:,.0f}", f"{row['musd']:+,.1f}", f"{row['percent']:+.2f}"


def _corridor_changes(world: World, base: Digest, case: Digest) -> Section:
    places = {str(r["place_id"]): str(r["name"]) for r in world.network["places"]}
    old = {name: parts["all"] for name, parts in _by_corridor(base)}
    rows, still = [], []
    for name, parts in _by_corridor(case):
        new, was = parts["all"], old[name]
        label = f"{_short(places[new['from']])} - {_short(places[new['to']])}"
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


def _gateway_changes(base: Digest, case: Digest) -> Section:
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
                row["name"],
                row["mode"],
                f"{row['teu_per_year'] / 1000:,.1f}",
                f"{change / 1000:+,.1f}",
                _or_dash(trains, ".1f"),
                "-" if trains is None or earlier is None else f"{trains - earlier:+.1f}",
                f"{row['wait_h']:.0f}",
            )
        )
    rest = len(moved) - len(rows)
    return Section(
        f"{case.id}: gateways that change most",
        ("gateway", "mode", "1,000 TEU a year", "change", "container trains a day", "change", "hours"),
        tuple(rows),
        after=(f"{rest} more change by over 500 TEU a year; --json lists all.",) if rest > 0 else (),
    )


# -- words ---------------------------------------------------------------------------------------------


def _meaning(base: Digest, cases: Sequence[Digest], names: dict[str, str]) -> Iterator[str]:
    two = next((r for r in base.counts if r["gateway"] == "khorgos-altynkol+alashankou-dostyk"), None)
    for case in cases:
        rows = sorted(
            (r for r in case.result["real_income"] if r["region"] in _SHOWN), key=lambda r: -abs(r["percent"])
        )
        told = ", ".join(f"{names[r['region']]} {r['percent']:+.2f} %" for r in rows[:4])
        group = {r["group"]: r for r in case.result["groups"]}
        five = group.get("CA5")
        changes = [(r, _base_row(base, r)) for r in case.result["corridors"] if r["family"] == "all"]
        fastest = max(changes, key=lambda pair: abs(pair[0]["time_h"] - pair[1]["time_h"]))
        hours = fastest[0]["time_h"] - fastest[1]["time_h"]
        text = (
            f"{case.id}: the largest changes of real income among China, Central Asia and its neighbours are "
        )
        text += told
        if five is not None:
            text += (
                f"; the five together {five['percent']:+.3f} %, or {five['musd']:+,.0f} million USD a year"
            )
        text += (
            f". Of the corridors {fastest[0]['corridor']} changes most: {hours:+.1f} hours for a mean TEU."
        )
        yield text
    if two is not None:
        ratio = two["ours"] / two["observed"]
        yield (
            f"The two Xinjiang rail ports carry {two['ours']:,.0f} container trains a year here against "
            f"{two['observed']:,.0f} observed ({ratio:.2f} times). No gateway constant is fitted yet, so "
            "read flows by gateway, and with them the loss from closing one, as orders of magnitude."
        )
    yield STATIC
    yield CLOSURES
    yield (
        "To check it: `landbridge route Chongqing Duisburg` shows every term of a route; `landbridge "
        "scenarios NAME` prints a scenario with its sources; `landbridge run NAME -o result.json` writes "
        "every figure with a manifest, and `landbridge run result.json` solves the same again; each row of "
        "the tables in landbridge/data says where its figure comes from and whether it is observed, "
        "published, derived or an assumption."
    )


def _base_row(base: Digest, row: dict[str, Any]) -> dict[str, Any]:
    return next(
        r for r in base.result["corridors"] if r["corridor"] == row["corridor"] and r["family"] == "all"
    )


def _by_corridor(digest: Digest) -> list[tuple[str, dict[str, dict[str, Any]]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in digest.result["corridors"]:
        found.setdefault(row["corridor"], {})[row["family"]] = row
    return list(found.items())


def _names(world: World) -> dict[str, str]:
    return {str(r["region"]): str(r["name"]) for r in world.regions}


def _short(name: str) -> str:
    return name.split(" (")[0]


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _or_dash(value: float | None, spec: str) -> str:
    return "-" if value is None else format(value, spec)

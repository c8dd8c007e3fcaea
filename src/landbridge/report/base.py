"""Report on the base of a study of scenarios: corridors, counts, gateways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from landbridge.report.digest import GROUP, Digest, Names
from landbridge.report.document import Section, phrased
from landbridge.results import Rows
from landbridge.world import World

__all__ = ["GATEWAYS_SHOWN", "base_sections", "by_corridor", "furthest_off", "hours", "or_dash"]

GATEWAYS_SHOWN = 16
# Blocs of regions whose gateways are shown.
_NEAR = ("central-asia", "mongolia", "caucasus")
_DERIVED = "derived: "


def base_sections(world: World, base: Digest, names: Names) -> Iterator[Section]:
    """Corridors, observed counts and the busiest gateways of the base.

    world: without changes; base: its digest; names: of the language.
    """
    yield _corridors(world, base, names)
    if base.counts:
        yield _counts(base, names)
    yield _gateways(world, base, names)


def _corridors(world: World, base: Digest, names: Names) -> Section:
    rows = []
    for _, parts in by_corridor(base):
        whole = parts["all"]
        families = sorted((p for f, p in parts.items() if f != "all"), key=lambda p: -p["share"])
        shares = names.joined(
            names.say(
                "base.corridors.share", family=names.term("family", p["family"]), share=100 * p["share"]
            )
            for p in families
            if p["share"] > 0.005
        )
        rows.append(
            (
                names.ends(whole),
                names.figure(whole["time_h"], ",.0f"),
                names.figure(whole["time_h"] / 24, ".1f"),
                names.figure(whole["cost_usd"], ",.0f"),
                names.figure(whole["co2e_kg"], ",.0f"),
                shares,
            )
        )
    listed = {name for name, _ in by_corridor(base)}
    sectors = [str(r["sector"]) for r in world.network["corridors"] if str(r["corridor_id"]) in listed]
    return phrased(
        "base.corridors",
        rows,
        part=names.say("base.part"),
        n=len(rows),
        sectors=names.sectors(sectors),
        words=names,
    )


def _counts(base: Digest, names: Names) -> Section:
    shown = sorted(base.counts, key=lambda r: (r["role"], r["unit"], r["gateway"]))
    shown = [row for row in shown if row["role"] != "ranked"]
    rows = [
        (
            names.gateways(row["gateway"]),
            names.term("metric", row["metric"]),
            names.figure(row["observed"], ",.0f"),
            names.figure(row["ours"], ",.0f"),
            names.figure(row["ours"] / row["observed"], ".2f"),
            names.term("role", "repeats" if row["repeats"] else row["role"]),
        )
        for row in shown
    ]
    if base.year != base.base_year:
        after = [names.say("base.counts.scaled", year=base.year, base_year=base.base_year)]
    else:
        after = [names.say("base.counts.roles")]
        derived = [
            f"{names.gateways(row['gateway'])}: {row['source'].removeprefix(_DERIVED)}"
            for row in shown
            if row["role"] == "fitted" and row["source"].startswith(_DERIVED)
        ]
        if derived:
            after.append(names.say("base.counts.derived", counts=names.clauses(derived)))
    return phrased("base.counts", rows, part=names.say("base.part"), year=base.year, after=after, words=names)


def _gateways(world: World, base: Digest, names: Names) -> Section:
    rows = [
        (
            names.of_gateway(row),
            names.term("mode", row["mode"]),
            names.figure(row["teu_container"] / 1e3, ",.0f"),
            names.figure(row["tonnes"] / 1e6, ",.1f"),
            or_dash(row["trains_per_day"], ".1f", names),
            or_dash(row["volume_over_capacity"], ".2f", names),
            hours(row, names),
            "-" if row["observed"] is None else _observed(row, names),
        )
        for row in _near(world, base)[:GATEWAYS_SHOWN]
    ]
    return phrased("base.gateways", rows, part=names.say("base.part"), group=names.group[GROUP], words=names)


def _observed(row: Mapping[str, Any], names: Names) -> str:
    unit = names.term("count", row["observed_unit"])
    return names.say(
        "base.gateways.observed", observed=row["observed"], model=row["observed_ours"], unit=unit
    )


def _near(world: World, base: Digest) -> Rows:
    """Gateways with a side in one of the blocs, largest first."""
    near = {str(r["region"]) for r in world.network["pair_groups"] if r["bloc"] in _NEAR}
    country = {str(r["place_id"]): str(r["country"]) for r in world.network["places"]}
    inside = {
        str(r["gateway_id"])
        for r in world.network["gateways"]
        if {country.get(str(r["place_a"])), country.get(str(r["place_b"]))} & near
    }
    rows = [r for r in base.result["gateways"] if r["gateway"] in inside and r["tonnes"] > 0]
    return sorted(rows, key=lambda r: -float(r["tonnes"]))


def furthest_off(base: Digest) -> dict[str, Any] | None:
    """The count of the base used to fit constants that differs from the model by the largest factor.

    base: digest of the base. None where no such count has both figures.
    """
    fitted = [row for row in base.counts if row["role"] == "fitted" and row["observed"] and row["ours"]]
    return max(fitted, key=lambda r: max(r["ours"] / r["observed"], r["observed"] / r["ours"]), default=None)


def by_corridor(digest: Digest) -> list[tuple[str, dict[str, dict[str, Any]]]]:
    """The rows of every corridor of a digest by family, "all" among them.

    digest: of the base or of a scenario.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in digest.result["corridors"]:
        found.setdefault(row["corridor"], {})[row["family"]] = row
    return list(found.items())


def hours(row: Mapping[str, Any], names: Names) -> str:
    """Hours of a gateway as text, or that it is closed; row: of the gateway; names: of the language."""
    return names.term("status", "closed") if row["status"] == "closed" else names.figure(row["wait_h"], ".0f")


def or_dash(value: float | None, spec: str, names: Names) -> str:
    """A figure in a format, or a dash where there is none.

    value: the figure; spec: its format, such as ",.0f"; names: of the language.
    """
    return "-" if value is None else names.figure(value, spec)

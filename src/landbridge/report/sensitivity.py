"""Report on the value of one hour, one dollar or one unit of capacity, ranked."""

from __future__ import annotations

from collections.abc import Iterator

from landbridge.phrases import known, named, say, signed
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.studies.sensitivity import CLOSURES, Sensitivity, Worth

__all__ = ["sensitivity_sections"]

_MUSD = 1e-6


def sensitivity_sections(found: Sensitivity, count: int) -> Iterator[Section]:
    """The ranking and its agreement with simpler rankings; found: of `sensitivity`; count: rows shown."""
    shown = found.worths[:count]
    more = len(found.worths) - len(shown)
    yield phrased(
        "sensitivity.ranked",
        [_cells(worth) for worth in shown],
        after=[say("sensitivity.more", n=more)] if more > 0 else (),
        whose=_whose(found),
        kind=say(f"sensitivity.kind.{found.to}"),
        year=found.result.world.base_year,
    )
    if found.closures:
        yield phrased("sensitivity.ranks", list(_ranks(found)))


def _ranks(found: Sensitivity) -> Iterator[tuple[str, ...]]:
    """A line for each kind of number and measure, a column for each closure."""
    for target in dict.fromkeys(str(row["target"]) for row in found.closures):
        rho = {str(row["closure"]): row["spearman"] for row in found.closures if row["target"] == target}
        tau = {**found.ranks.get(target, {}), CLOSURES[-1]: 1.0}
        for measure, of in (("spearman", rho), ("kendall", tau)):
            cells = (of.get(column) for column in CLOSURES)
            shown = ("-" if cell is None else f"{cell:.2f}" for cell in cells)
            yield _target(target), say(f"sensitivity.measure.{measure}"), *shown


def _whose(found: Sensitivity) -> str:
    """The outcome in words."""
    names = Names(found.result.world)
    kind, *parts = found.of.split(":") if ":" in found.of else ("real_income", found.of)
    if kind == "flow":
        start, end = (names.region.get(part, part) for part in parts[:2])
        ends = say("list.ends", start=start, end=end)
        return say("sensitivity.of.flow", ends=ends, sector=names.sector.get(parts[2], parts[2]))
    whose = names.group.get(parts[0]) or names.region.get(parts[0], parts[0])
    if kind == "wage":
        return say("sensitivity.of.wage", whose=whose)
    return say("sensitivity.of.real_income", whose=whose)


def _cells(worth: Worth) -> tuple[str, ...]:
    return (
        worth.name,
        _target(worth.target),
        _by(worth),
        _musd(worth.first_order_usd),
        _musd(worth.exact_usd),
        _musd(worth.waits_fixed_usd),
        _musd(worth.routes_fixed_usd),
        _musd(worth.flow_usd),
    )


def _by(worth: Worth) -> str:
    step = f"{worth.step:+,.3g}"
    return say("sensitivity.by", step=step, unit=named("unit", worth.unit)) if worth.unit else step


def _target(target: str) -> str:
    """The number changed, in words; a column without words by its own name."""
    named = known(f"sensitivity.target.{target}")
    return say(f"sensitivity.target.{target}") if named else target


def _musd(value: float | None) -> str:
    return "-" if value is None else signed(_MUSD * value, 2)

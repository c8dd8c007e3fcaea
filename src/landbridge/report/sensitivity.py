"""Report on the value of one hour, one dollar or one unit of capacity, ranked."""

from __future__ import annotations

from collections.abc import Iterator

from landbridge.phrases import known, say, signed
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.studies.sensitivity import Sensitivity, Worth

__all__ = ["sensitivity_sections"]

_MUSD = 1e-6


def sensitivity_sections(found: Sensitivity, count: int) -> Iterator[Section]:
    """The ranking and its agreement with simpler rankings; count: rows shown."""
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
    if found.ranks:
        yield phrased(
            "sensitivity.ranks",
            [
                (
                    _target(target),
                    *(f"{of[c]:.2f}" if c in of else "-" for c in ("flow_usd", "waits_fixed_usd")),
                )
                for target, of in found.ranks.items()
            ],
        )


def _whose(found: Sensitivity) -> str:
    """The outcome in words."""
    names = Names(found.result.world)
    kind, *parts = found.of.split(":") if ":" in found.of else ("real_income", found.of)
    if kind == "flow":
        ends = " - ".join(names.region.get(part, part) for part in parts[:2])
        return say("sensitivity.of.flow", ends=ends, sector=names.sector.get(parts[2], parts[2]))
    whose = names.group.get(parts[0]) or names.region.get(parts[0], parts[0])
    if kind == "wage":
        return say("sensitivity.of.wage", whose=whose)
    return say("sensitivity.of.real_income", whose=whose)


def _cells(worth: Worth) -> tuple[str, ...]:
    return (
        worth.name,
        _target(worth.target),
        f"{worth.step:+,.3g} {worth.unit}".strip(),
        _musd(worth.first_order_usd),
        _musd(worth.exact_usd),
        _musd(worth.waits_fixed_usd),
        _musd(worth.flow_usd),
    )


def _target(target: str) -> str:
    """The number changed, in words; a column without words by its own name."""
    named = known(f"sensitivity.target.{target}")
    return say(f"sensitivity.target.{target}") if named else target


def _musd(value: float | None) -> str:
    return "-" if value is None else signed(_MUSD * value, 2)

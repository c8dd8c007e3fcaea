"""Losses when gateways and links are closed, one at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from landbridge.io.whole import harmless
from landbridge.phrases import Phrase, named, say
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.studies.disrupt import Disruption, Loss
from landbridge.world import World

__all__ = ["loss_sections", "losses_csv"]

# Closures without a known loss that are named.
_NAMED = 5


def loss_sections(found: Disruption, world: World, count: int) -> Iterator[Section]:
    """Losses of closures for good and for some days, the largest first.

    found: of `disrupt`; world: for names; count: rows shown.
    """
    names = Names(world)
    shown = found.losses[:count]
    more, solved = len(found.losses) - len(shown), sum(loss.solved for loss in found.losses)
    estimates = not all(loss.solved for loss in shown)
    whose = names.group.get(found.by) or names.region[found.by]
    yield phrased(
        "losses.good",
        [
            (
                _called(loss) if loss.solved else say("losses.unsolved", name=_called(loss)),
                named("kind", loss.kind),
                f"{loss.teu_per_year / 1e3:,.0f}",
                _known(loss, f"{loss.long_time_h:+,.0f}"),
                _known(loss, f"{loss.long_cost_musd:,.0f}"),
                f"{loss.unserved_teu / 1e3:,.1f}",
                _known(loss, f"{loss.real_income_long[found.by]:+.3f}"),
                _known(loss, _hardest(loss.real_income_long, names)),
            )
            for loss in shown
        ],
        after=[
            *_left_out(found.losses, names),
            *([say("losses.more", n=more)] if more > 0 else ()),
            *([say("losses.estimated", n=solved, every=len(found.losses))] if estimates else ()),
        ],
        whose=whose,
    )
    ranked = sorted(
        (loss for loss in found.losses if loss.kind != "link"),
        key=lambda loss: -(loss.short_cost_musd if loss.short_cost_musd is not None else float("inf")),
    )[:count]
    yield phrased(
        "losses.days",
        [
            (
                _called(loss),
                f"{loss.teu_per_year / 1e3:,.0f}",
                "-" if loss.volume_over_capacity is None else f"{loss.volume_over_capacity:.2f}",
                "-" if loss.short_time_h is None else f"{loss.short_time_h:,.1f}",
                "-" if loss.short_cost_musd is None else f"{loss.short_cost_musd:,.0f}",
                "-" if loss.real_income_short is None else f"{loss.real_income_short[found.by]:+.4f}",
            )
            for loss in ranked
        ],
        whose=whose,
        days=found.days,
    )


def _called(loss: Loss) -> str:
    if loss.kind == "link":
        return say("losses.link", link=loss.id, name=loss.name)
    return loss.name if isinstance(loss.name, Phrase) else named("gateways", loss.id, loss.name)


def _known(loss: Loss, figure: str) -> str:
    """A figure of the long run, - where it would be that of a small part of the freight."""
    return "-" if loss.mostly_unserved else figure


def _left_out(losses: Sequence[Loss], names: Names) -> list[str]:
    """The closures whose loss is not known, those with the most freight by name."""
    without = sorted((loss for loss in losses if loss.mostly_unserved), key=lambda loss: -loss.unserved_teu)
    if not without:
        return []
    listed = names.joined([_called(loss) for loss in without[:_NAMED]])
    return [say("losses.left_out", n=len(without), most=listed)]


def _hardest(income: dict[str, float], names: Names) -> str:
    worst = sorted((v, k) for k, v in income.items() if k in names.region)[:3]
    hit = [say("losses.hit", region=names.region[k], percent=v) for v, k in worst if v < -0.0005]
    return names.joined(hit)


def _cell(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value


def losses_csv(found: Disruption) -> str:
    """One line per loss; real income in columns by region; found: of `disrupt`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    rows = found.rows()
    plain = [key for key in rows[0] if not key.startswith("real_income")] if rows else []
    regions = list(found.losses[0].real_income_long) if found.losses else []
    writer.writerow(
        [*plain, *(f"{r}_short_percent" for r in regions), *(f"{r}_long_percent" for r in regions)]
    )
    for row in rows:
        short = row["real_income_short"] or {}
        writer.writerow(
            [
                *("" if row[key] is None else _cell(row[key]) for key in plain),
                *(short.get(r, "") for r in regions),
                *(row["real_income_long"][r] for r in regions),
            ]
        )
    return out.getvalue()

"""The charts of the page, drawn by matplotlib, each with a description.

Colours are distinguishable with red-green colour blindness; numbers or patterns repeat the information.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from landbridge.io.qgis import GAIN, LOSS
from landbridge.io.ranges import manifest
from landbridge.phrases import width
from landbridge.report import Digest, Names
from landbridge.report.first_screen import telling
from landbridge.report.html.legs import PARTS, Corridor
from landbridge.report.html.picture import INK, PALE, Picture, canvas, settings

__all__ = ["income_bars", "leg_bars", "pair_bars"]

_COLOURS = ("#0072b2", "#56b4e9", "#b84a00", "#f0c000", "#8c8c8c", "#009e73")
_HATCHES = ("", "", "", "////", "", "....")
# Bars of a chart of countries, and modes of a pair of cities.
_BARS, _MODES = 18, 3
# Of the width of the axes, what a character next to a bar takes.
_WIDE_OF_TEXT = 0.0095


# -- who gains and loses -------------------------------------------------------------------------------


def income_bars(case: Digest, names: Names) -> Picture:
    """Change of real income by country: exact under fixed deficits as bars, proportional as marks.

    case: the scenario; names: of the language. Raises LandbridgeError where matplotlib is missing.
    """
    moved = sorted(case.result["real_income"], key=lambda r: -abs(r["percent"]))[:_BARS]
    moved = [row for row in moved if abs(row["percent"]) >= 0.0005] or moved[:5]
    moved.sort(key=lambda r: r["percent"])
    with settings(names.lang):
        figure = canvas(10.5, 0.75 + 0.3 * len(moved), names.lang)
        _draw_income(figure.add_subplot(), moved, names)
    best, worst = moved[-1], moved[0]
    alt = names.say(
        "figure.income.alt",
        case=case.id,
        worst=names.region.get(worst["region"], worst["region"]),
        low=worst["percent"],
        best=names.region.get(best["region"], best["region"]),
        high=best["percent"],
    )
    caption = names.say("figure.income.caption", n=len(moved), year=case.base_year)
    if any(row.get("percent_p05") is not None for row in moved):
        caption += " " + names.say("figure.income.ranges", draws=manifest()["draws"])
    return Picture(figure, alt, caption, names.lang)


def _draw_income(axes: Any, moved: Sequence[Mapping[str, Any]], names: Names) -> None:
    """Bars, marks and labels of regions, the first at the bottom."""
    at = np.arange(len(moved))
    values = [row["percent"] for row in moved]
    marked = [
        (y, row["percent_proportional"])
        for y, row in zip(at, moved, strict=True)
        if row.get("percent_proportional") is not None
    ]
    marks = [v for _, v in marked]
    axes.barh(at, values, color=[GAIN if v >= 0 else LOSS for v in values], height=0.62)
    ends = [
        (y, row["percent_p05"], row["percent_p95"])
        for y, row in zip(at, moved, strict=True)
        if row.get("percent_p05") is not None
    ]
    lines = axes.hlines(
        [y for y, _, _ in ends], [a for _, a, _ in ends], [b for _, _, b in ends], color=INK, lw=1.4
    )
    (diamonds,) = axes.plot(marks, [y for y, _ in marked], "D", color="white", mec=INK, ms=5, ls="none")
    if ends:
        lines.set_label(names.say("figure.income.key.range"))
    if marks:
        diamonds.set_label(names.say("figure.income.key.proportional"))
    if ends or marks:
        axes.legend(loc="lower right", frameon=False, fontsize=8.5)
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_yticks(at, [names.region.get(row["region"], row["region"]) for row in moved])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(names.say("figure.income.axis"))
    axes.grid(axis="x", color=PALE, lw=0.6)
    axes.set_axisbelow(True)
    reach = [end for _, *both in ends for end in both]
    _write_values(axes, moved, names, [0.0, *values, *marks, *reach])


def _write_values(
    axes: Any, moved: Sequence[Mapping[str, Any]], names: Names, reach: Sequence[float]
) -> None:
    """The figures of each bar, beyond its range; beyond its mark too where that leaves them no room.

    reach: what else is drawn, by which the width is chosen.
    """
    low, high = min(reach), max(reach)
    said = [names.say("figure.income.bar", percent=row["percent"], musd=row["musd"]) for row in moved]
    # Figures stand on the sides that have bars, and leave the rest of the width to these.
    share, sides = _WIDE_OF_TEXT * max(width(text) for text in said), (low < 0.0) + (high > 0.0)
    span = (high - low) or 1.0
    room = span * share / max(1.0 - share * sides, 0.2)
    axes.set_xlim(low - room * (low < 0.0) - 0.02 * span, high + room * (high > 0.0))
    for y, (row, text) in enumerate(zip(moved, said, strict=True)):
        side = 1.0 if row["percent"] >= 0 else -1.0
        end = max(side * row[k] for k in ("percent", "percent_p05", "percent_p95") if row.get(k) is not None)
        mark = side * (row.get("percent_proportional") or 0.0)
        axes.annotate(
            text,
            (side * (end if mark < end or mark > end + room else mark), y),
            (7 * side, 0),
            textcoords="offset points",
            va="center",
            ha="left" if side > 0.0 else "right",
            fontsize=8.5,
        )


# -- pairs that the scenario serves ---------------------------------------------------------------------


def pair_bars(case: Digest, names: Names) -> Picture | None:
    """Days and USD per TEU by mode before and after, of the pairs of cities whose freight bill changes most.

    case: the scenario; names: of places, in the figure's language. None where the case has no such pair.
    Raises LandbridgeError where matplotlib is missing.
    """
    by_pair: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in case.lead.served if case.lead else []:
        if one["time_h"] is not None or one["base_time_h"] is not None:
            by_pair.setdefault((one["from"], one["to"]), []).append(one)
    rows = [row for of_pair in by_pair.values() for row in telling(of_pair, _MODES)]
    if not rows:
        return None
    labels = []
    for n, row in enumerate(rows):
        mode = names.say(f"first.mode.{row['mode'].replace(' ', '_')}")
        same = n > 0 and all(rows[n - 1][end] == row[end] for end in ("from", "to"))
        labels.append(mode if same else names.say("figure.pairs.row", ends=names.ends(row), mode=mode))
    with settings(names.lang):
        figure = canvas(10.5, 1.1 + 0.36 * len(rows), names.lang)
        for axes, (key, per, unit, digits) in zip(
            figure.subplots(1, 2, sharey=True),
            (
                ("time_h", 24.0, names.say("figure.pairs.days"), 1),
                ("cost_usd", 1.0, names.say("figure.pairs.usd"), 0),
            ),
            strict=True,
        ):
            _pair_ends(axes, rows, (key, per, digits), names)
            axes.set_xlabel(unit)
        first = figure.axes[0]
        first.set_yticks(range(len(rows)), labels, fontsize=9)
        first.invert_yaxis()
        handles, words = first.get_legend_handles_labels()
        figure.legend(handles, words, loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    alt = names.say("figure.pairs.alt", case=case.id, n=len(rows))
    return Picture(figure, alt, names.say("figure.pairs.caption", case=case.id), names.lang)


def _pair_ends(
    axes: Any, rows: Sequence[Mapping[str, Any]], of: tuple[str, float, int], names: Names
) -> None:
    """A ring before and a dot after on every row, joined by a line; of: column, its unit over the figure's,
    decimals."""
    key, per, digits = of
    was, now = ([None if row[k] is None else row[k] / per for row in rows] for k in (f"base_{key}", key))
    most = max(value for value in (*was, *now) if value is not None)
    for y, (old, new) in enumerate(zip(was, now, strict=True)):
        if old is not None and new is not None:
            axes.plot([old, new], [y, y], color="#888888", lw=2.0, zorder=1)
        text = " -> ".join(
            dict.fromkeys(names.figure(v, f",.{digits}f") for v in (old, new) if v is not None)
        )
        end = max(value for value in (old, new) if value is not None)
        axes.annotate(text, (end, y), (9, 0), textcoords="offset points", va="center", fontsize=8.5)
    before, after = ([(v, y) for y, v in enumerate(side) if v is not None] for side in (was, now))
    ring = {"mfc": "white", "mec": INK, "ms": 8, "ls": "none", "zorder": 2}
    axes.plot(
        [v for v, _ in before], [y for _, y in before], "o", label=names.say("figure.pairs.before"), **ring
    )
    dot = {"color": "#0072b2", "ms": 6, "ls": "none", "zorder": 3}
    axes.plot([v for v, _ in after], [y for _, y in after], "o", label=names.say("figure.pairs.after"), **dot)
    axes.set_xlim(0.0, 1.22 * most)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=PALE, lw=0.6)
    axes.set_axisbelow(True)


# -- legs ----------------------------------------------------------------------------------------------


def leg_bars(title: str, base: Sequence[Corridor], case: Sequence[Corridor] | None, names: Names) -> Picture:
    """Stacked bars of hours and USD by part; with a case, two bars per corridor.

    title: of the figure; base, case: corridors; names: of places and parts. Raises LandbridgeError where
    matplotlib is missing.
    """
    after = {one.corridor: one for one in case or ()}
    bars: list[tuple[str, Corridor]] = []
    for one in base:
        ends = names.ends({"from": one.start, "to": one.end})
        bars.append((ends if case is None else f"{ends}\n{names.say('figure.legs.base')}", one))
        if one.corridor in after:
            bars.append((names.say("figure.legs.scenario"), after[one.corridor]))
    with settings(names.lang):
        paired = case is not None
        figure = canvas(10.5, 1.2 + (0.36 if paired else 0.46) * len(bars), names.lang)
        left, right = figure.subplots(1, 2, sharey=True)
        at, y = [], 0.0
        for n in range(len(bars)):
            at.append(y)
            y += 0.86 if paired and n % 2 == 0 else 1.25 if paired else 1.0
        for axes, field, unit in (
            (left, "hours", names.say("figure.legs.hours")),
            (right, "usd", names.say("figure.legs.usd")),
        ):
            _stack(axes, at, [getattr(one, field) for _, one in bars], names)
            axes.set_xlabel(unit)
        left.set_yticks(at, [label for label, _ in bars], fontsize=8.5)
        left.invert_yaxis()
        handles, labels = left.get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside upper center", ncols=len(PARTS), frameon=False, fontsize=9
        )
    alt = names.say("figure.legs.alt", title=title, n=len(base))
    caption = names.say("figure.legs.caption", title=title)
    return Picture(figure, alt, caption, names.lang)


def _stack(axes: Any, at: Sequence[float], values: Sequence[Mapping[str, float]], names: Names) -> None:
    begin = np.zeros(len(at))
    longest = max(sum(one.values()) for one in values)
    for part, colour, hatch in zip(PARTS, _COLOURS, _HATCHES, strict=True):
        size_of = np.array([one[part] for one in values])
        axes.barh(
            at,
            size_of,
            left=begin,
            height=0.74,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            lw=0.5,
            label=names.term("leg", part),
        )
        for y, start, size in zip(at, begin, size_of, strict=True):
            if size > 0.05 * longest:
                dark = colour in ("#0072b2", "#b84a00", "#009e73") and not hatch
                axes.text(
                    start + size / 2,
                    y,
                    names.figure(size, ",.0f"),
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="white" if dark else INK,
                    bbox=None if not hatch else {"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.85},
                )
        begin += size_of
    for y, end in zip(at, begin, strict=True):
        axes.text(
            end + 0.012 * longest, y, names.figure(end, ",.0f"), va="center", fontsize=8.5, fontweight="bold"
        )
    axes.set_xlim(0.0, 1.12 * longest)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=PALE, lw=0.6)
    axes.set_axisbelow(True)

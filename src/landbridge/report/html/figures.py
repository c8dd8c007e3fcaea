"""The figures of the page, drawn by matplotlib as SVG, each with a description.

Colours are distinguishable with red-green colour blindness; numbers or patterns repeat the information.
"""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.io.optional import need
from landbridge.io.qgis import GAIN, LOSS, MODES, STILL_SHARE, STILL_TEU
from landbridge.phrases import width
from landbridge.report import Digest, Names
from landbridge.report.exports import Flows
from landbridge.report.html.legs import PARTS, Corridor

__all__ = ["Picture", "income_bars", "leg_bars", "network_map"]

_COLOURS = ("#0072b2", "#56b4e9", "#b84a00", "#f0c000", "#8c8c8c", "#009e73")
_HATCHES = ("", "", "", "////", "", "....")
_INK, _PALE, _STILL = "#222222", "#dddddd", "#bdbdbd"
_BARS = 18
_PATH = re.compile(r' d="[^"]*"')
_LONG = re.compile(r"(\.\d\d)\d+")


@dataclass(frozen=True)
class Picture:
    """An SVG as a data address, a description in words, and a caption."""

    address: str
    alt: str
    caption: str


def _figure(wide: float, high: float, lang: str) -> Any:
    figure = need("matplotlib.figure", "matplotlib", "report", "an .html report").Figure(
        figsize=(wide, high), layout="constrained"
    )
    # Chinese letters are wider than those that stand for them while the figure is laid out.
    figure.get_layout_engine().set(rect=(0.05, 0.0, 0.95, 1.0) if lang == "zh" else (0.0, 0.0, 1.0, 1.0))
    return figure


@contextmanager
def _settings(lang: str) -> Any:
    """Settings of these figures, which leave those of the caller unchanged; lang: of their texts.

    Letters are drawn as paths, so that every reader sees the same; Chinese ones, which the font of matplotlib
    lacks, stay text in a font of the reader.
    """
    matplotlib = need("matplotlib", "matplotlib", "report", "an .html report")
    own = {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "svg.fonttype": "none" if lang == "zh" else "path",
        "svg.hashsalt": "landbridge",
        "axes.edgecolor": "#888888",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "hatch.linewidth": 0.6,
        "text.parse_math": False,
    }
    with matplotlib.rc_context(own), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        yield


def _address(figure: Any) -> str:
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    # Hundredths of a point are below the resolution of eyes and printers, and halve the size.
    text = _PATH.sub(lambda path: _LONG.sub(r"\1", path[0]), out.getvalue().decode("utf-8"))
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode("utf-8")).decode("ascii")


# -- who gains and loses -------------------------------------------------------------------------------


def income_bars(case: Digest, names: Names) -> Picture:
    """Change of real income by country: exact under fixed deficits as bars, proportional as marks."""
    moved = sorted(case.result["real_income"], key=lambda r: -abs(r["percent"]))[:_BARS]
    moved = [row for row in moved if abs(row["percent"]) >= 0.0005] or moved[:5]
    moved.sort(key=lambda r: r["percent"])
    with _settings(names.lang):
        figure = _figure(10.5, 0.75 + 0.3 * len(moved), names.lang)
        _draw_income(figure.add_subplot(), moved, names)
        address = _address(figure)
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
    return Picture(address, alt, caption)


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
    axes.plot(marks, [y for y, _ in marked], "D", color="white", mec=_INK, ms=5, ls="none")
    axes.axvline(0.0, color=_INK, lw=0.8)
    axes.set_yticks(at, [names.region.get(row["region"], row["region"]) for row in moved])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(names.say("figure.income.axis"))
    axes.grid(axis="x", color=_PALE, lw=0.6)
    axes.set_axisbelow(True)
    low, high = min(0.0, *values, *marks), max(0.0, *values, *marks)
    span = (high - low) or 1.0
    axes.set_xlim(low - 0.24 * span * (low < 0.0) - 0.02 * span, high + 0.24 * span * (high > 0.0))
    for y, row in zip(at, moved, strict=True):
        value, gains = row["percent"], row["percent"] >= 0
        mark = row.get("percent_proportional") or value
        axes.annotate(
            names.say("figure.income.bar", percent=value, musd=row["musd"]),
            (max(value, mark) if gains else min(value, mark), y),
            (7 if gains else -7, 0),
            textcoords="offset points",
            va="center",
            ha="left" if gains else "right",
            fontsize=8.5,
        )


# -- legs ----------------------------------------------------------------------------------------------


def leg_bars(title: str, base: Sequence[Corridor], case: Sequence[Corridor] | None, names: Names) -> Picture:
    """Stacked bars of hours and USD by part; with a case, two bars per corridor.

    title: of the figure; base, case: corridors; names: of places and parts.
    """
    after = {one.corridor: one for one in case or ()}
    bars: list[tuple[str, Corridor]] = []
    for one in base:
        ends = names.ends({"from": one.start, "to": one.end})
        bars.append((ends if case is None else f"{ends}\n{names.say('figure.legs.base')}", one))
        if one.corridor in after:
            bars.append((names.say("figure.legs.scenario"), after[one.corridor]))
    with _settings(names.lang):
        paired = case is not None
        figure = _figure(10.5, 1.2 + (0.36 if paired else 0.46) * len(bars), names.lang)
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
        address = _address(figure)
    alt = names.say("figure.legs.alt", title=title, n=len(base))
    caption = names.say("figure.legs.caption", title=title)
    return Picture(address, alt, caption)


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
                    color="white" if dark else _INK,
                    bbox=None if not hatch else {"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.85},
                )
        begin += size_of
    for y, end in zip(at, begin, strict=True):
        axes.text(
            end + 0.012 * longest, y, names.figure(end, ",.0f"), va="center", fontsize=8.5, fontweight="bold"
        )
    axes.set_xlim(0.0, 1.12 * longest)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=_PALE, lw=0.6)
    axes.set_axisbelow(True)


# -- the map -------------------------------------------------------------------------------------------

# Extent of the map: degrees west, south, east, north; longer lanes are not drawn, and at most this many
# places are named.
_WINDOW = (-4.0, 21.0, 126.0, 61.0)
_FAR_KM = 1500.0
_WIDTH = 10.5
_LABELS = 26


def network_map(
    flows: Flows,
    names: Names,
    places: Mapping[str, tuple[float, float]],
    labelled: Sequence[str],
) -> Picture:
    """Links as straight lines, width by TEU: of a base by mode, of a scenario by change.

    flows: with coordinates; names, places: by identifier; labelled: places to name where there is room, in
    order.
    """
    drawn = [row for row in flows.links if _on_map(row)]
    carrying = [row["teu_per_year"] for row in drawn if row["teu_per_year"] > 0.0]
    most = float(np.quantile(carrying, 0.97)) if carrying else 1.0
    step = _round(max(flows.largest_change / 10.0, 1000.0))
    with _settings(names.lang):
        x, y = _project(np.array([point for row in drawn for point in row["points"]] or [(60.0, 42.0)]))
        wide, high = float(np.ptp(x)) + 3.0, float(np.ptp(y)) + 4.0
        figure = _figure(_WIDTH, 0.75 + _WIDTH * high / wide, names.lang)
        axes = figure.add_subplot()
        axes.set_aspect("equal")
        axes.axis("off")
        axes.set_xlim(x.min() - 1.5, x.max() + 1.5)
        axes.set_ylim(y.min() - 2.0, y.max() + 2.0)
        _grid(axes)
        for row in sorted(drawn, key=lambda r: (abs(r.get("change_teu", 0.0)), r["teu_per_year"])):
            carried = max(row["teu_per_year"], row.get("base_teu", 0.0))
            if row["status"] != "open" and carried <= 0.0:
                continue
            colour, order = _colour(flows, row, step)
            at = _project(np.array(row["points"]))
            style: Any = (0, (2.2, 1.4)) if row["disputed"] else "-"
            faint = 0.45 if row["mode"] == "sea" and flows.base else 1.0
            axes.plot(
                *at,
                color=colour,
                lw=_line_width(carried, most) * (0.6 if colour == _STILL else 1.0),
                ls=style,
                alpha=faint,
                solid_capstyle="round",
                zorder=order,
            )
        _gateways(axes, flows)
        inside = [place for place in labelled if place in places and _in_window(*places[place])]
        _labels(axes, names, {place: places[place] for place in inside[:_LABELS]}, wide / (_WIDTH * 72.0))
        _key(axes, flows, most, step, names)
        address = _address(figure)
    colour = names.say("figure.map.by_mode" if flows.base else "figure.map.by_change")
    alt = names.say("figure.map.alt", name=names.title(flows.id, flows.name), colour=colour)
    part = names.say("base.part") if flows.base else flows.id
    caption = names.say("figure.map.caption", part=part, teu=_round(most), colour=colour)
    return Picture(address, alt, caption)


def _line_width(teu: float, most: float) -> float:
    return 0.35 + 6.5 * min(1.0, float(np.sqrt(teu / most)))


def _in_window(lon: float, lat: float) -> bool:
    west, south, east, north = _WINDOW
    return west <= lon <= east and south <= lat <= north


def _on_map(row: Mapping[str, Any]) -> bool:
    inside = all(_in_window(lon, lat) for lon, lat in row["points"])
    return inside and not (row["mode"] == "sea" and row["length_km"] > _FAR_KM)


def _project(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Albers equal-area conic about 42 N 60 E, standard parallels 28 and 56 N; degrees at its centre."""
    one, two, middle, centre = np.radians((28.0, 56.0, 42.0, 60.0))
    n = (np.sin(one) + np.sin(two)) / 2.0
    c = np.cos(one) ** 2 + 2.0 * n * np.sin(one)
    lon, lat = np.radians(points[:, 0]), np.radians(points[:, 1])
    far = np.sqrt(c - 2.0 * n * np.sin(lat)) / n
    origin = np.sqrt(c - 2.0 * n * np.sin(middle)) / n
    turn = n * (lon - centre)
    return np.degrees(far * np.sin(turn)), np.degrees(origin - far * np.cos(turn))


def _grid(axes: Any) -> None:
    for lon in range(0, 130, 20):
        line = np.array([[lon, lat] for lat in np.linspace(21.0, 61.0, 30)])
        axes.plot(*_project(line), color="#eeeeee", lw=0.7, zorder=0)
    for lat in range(25, 61, 10):
        line = np.array([[lon, lat] for lon in np.linspace(-4.0, 126.0, 60)])
        axes.plot(*_project(line), color="#eeeeee", lw=0.7, zorder=0)


def _colour(flows: Flows, row: Mapping[str, Any], step: float) -> tuple[str, int]:
    if flows.base:
        return MODES.get(row["mode"], _STILL), 2 if row["mode"].startswith("rail") else 1
    change = row["change_teu"]
    if abs(change) <= max(STILL_TEU, STILL_SHARE * row["base_teu"]):
        return _STILL, 1
    if abs(change) <= step:
        return ("#85c1e9" if change > 0 else "#f0b27a"), 2
    return (GAIN if change > 0 else LOSS), 3


def _gateways(axes: Any, flows: Flows) -> None:
    shown = [
        row
        for row in flows.gateways
        if row["points"]
        and (row["teu_per_year"] > 20_000 or abs(row.get("change_teu", 0.0)) > 1_000)
        and _in_window(*row["points"][0])
    ]
    if not shown:
        return
    x, y = _project(np.array([row["points"][0] for row in shown]))
    most = max(row["teu_per_year"] for row in shown) or 1.0
    size = [6.0 + 70.0 * row["teu_per_year"] / most if row["status"] == "open" else 30.0 for row in shown]
    fill = ["#f0e442" if row["status"] == "open" else "white" for row in shown]
    axes.scatter(x, y, s=size, c=fill, edgecolors=_INK, linewidths=0.6, zorder=5)


def _labels(axes: Any, names: Names, places: Mapping[str, tuple[float, float]], unit: float) -> None:
    """Names of places where there is room: above, below, right or left of them, or not at all.

    unit: of the map per point of type.
    """
    effects = need("matplotlib.patheffects", "matplotlib", "report", "an .html report")
    # A stroke is drawn as paths, so text that stays text has a pale ground instead.
    halo: dict[str, Any] = {"path_effects": [effects.withStroke(linewidth=2.2, foreground="white")]}
    if names.lang == "zh":
        halo = {"bbox": {"fc": "white", "ec": "none", "pad": 0.4, "alpha": 0.7}}
    taken: list[tuple[float, float, float, float]] = []
    size = 8.0
    for place, point in places.items():
        (x,), (y,) = _project(np.array([point]))
        text = names.short.get(place, place)
        wide, high = 0.62 * size * width(text), 1.2 * size
        for dx, dy in ((0.0, 8.0), (0.0, -8.0), (wide / 2 + 6.0, 0.0), (-wide / 2 - 6.0, 0.0)):
            middle = float(x) / unit + dx, float(y) / unit + dy
            box = (middle[0] - wide / 2, middle[1] - high / 2, middle[0] + wide / 2, middle[1] + high / 2)
            if all(box[2] < b[0] or box[0] > b[2] or box[3] < b[1] or box[1] > b[3] for b in taken):
                taken.append(box)
                axes.annotate(
                    text,
                    (x, y),
                    (dx, dy),
                    textcoords="offset points",
                    ha="center",
                    va="center",
                    fontsize=size,
                    zorder=7,
                    **halo,
                )
                break


def _key(axes: Any, flows: Flows, most: float, step: float, names: Names) -> None:
    lines = need("matplotlib.lines", "matplotlib", "report", "an .html report")
    if flows.base:
        shown = [mode for mode in MODES if any(row["mode"] == mode for row in flows.links)]
        entries = [
            (MODES[mode], names.term("mode", mode) if mode != "sea" else names.say("figure.key.sea"), "-")
            for mode in shown
        ]
    else:
        entries = [
            (GAIN, names.say("figure.key.gains", teu=step), "-"),
            ("#85c1e9", names.say("figure.key.gains_less"), "-"),
            (_STILL, names.say("figure.key.still"), "-"),
            ("#f0b27a", names.say("figure.key.loses_less"), "-"),
            (LOSS, names.say("figure.key.loses", teu=step), "-"),
        ]
    handles = [lines.Line2D([], [], color=c, lw=3, ls=style, label=text) for c, text, style in entries]
    for teu in (_round(most), _round(most / 10.0)):
        wide = _line_width(teu, most)
        handles.append(
            lines.Line2D([], [], color="#666666", lw=wide, label=names.say("figure.key.teu", teu=teu))
        )
    handles.append(
        lines.Line2D(
            [], [], color="#666666", lw=1.5, ls=(0, (2.2, 1.4)), label=names.say("figure.key.disputed")
        )
    )
    dot = {"marker": "o", "ls": "none", "mec": _INK, "mew": 0.6}
    handles.append(lines.Line2D([], [], color="#f0e442", ms=6, label=names.say("figure.key.gateway"), **dot))
    if any(row["status"] == "closed" and row["points"] for row in flows.gateways):
        handles.append(lines.Line2D([], [], color="white", ms=6, label=names.say("figure.key.closed"), **dot))
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=5, fontsize=8, frameon=False
    )


def _round(value: float) -> float:
    """Rounded to one leading digit."""
    power = 10.0 ** np.floor(np.log10(max(value, 1.0)))
    return float(np.floor(value / power) * power)

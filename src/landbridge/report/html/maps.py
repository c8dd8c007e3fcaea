"""The maps of the page: coasts, links as straight lines, gateways and names. No boundaries are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.io.optional import need
from landbridge.io.qgis import GAIN, LOSS, MODES, STILL_SHARE, STILL_TEU
from landbridge.phrases import width
from landbridge.report import Names
from landbridge.report.exports import Flows
from landbridge.report.html.coast import rings
from landbridge.report.html.picture import INK, Picture, canvas, settings

__all__ = ["Atlas", "Change", "change_map", "network_map"]

_STILL, _LAND, _SHORE, _GRID = "#bdbdbd", "#f3f1ec", "#c9c4b8", "#e8e8e8"
_GAINS_LESS, _LOSES_LESS = "#85c1e9", "#f0b27a"
# Longer lanes are not drawn, since straight ones would cross land; at most this many places are named.
_FAR_KM = 1500.0
_WIDTH = 10.5
_LABELS = 26
# Extent of a map of a change: degrees beyond what changes, and least degrees of latitude.
_BEYOND, _LEAST = 2.5, 9.0
# Height over width of a map of a change.
_SHAPE = 0.58

Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Atlas:
    """Names and points of a map.

    names: without marks; places: longitude and latitude by identifier; labelled: places to name where there
    is room, in order of preference; middles: where the name of a region stands.
    """

    names: Names
    places: Mapping[str, tuple[float, float]]
    labelled: Sequence[str]
    middles: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Change:
    """Identifiers of what a scenario changes: links (new: those that were not open) and gateways."""

    links: frozenset[str] = frozenset()
    new: frozenset[str] = frozenset()
    gateways: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _View:
    """Albers equal-area conic projection of an extent; window: degrees west, south, east, north."""

    window: Extent

    def __contains__(self, point: tuple[float, float]) -> bool:
        west, south, east, north = self.window
        return west <= point[0] <= east and south <= point[1] <= north

    def project(self, points: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitudes and latitudes [degrees] on the map, in degrees at its centre."""
        west, south, east, north = np.radians(self.window)
        middle, centre = (south + north) / 2.0, (west + east) / 2.0
        one, two = south + (north - south) / 6.0, north - (north - south) / 6.0
        n = (np.sin(one) + np.sin(two)) / 2.0
        c = np.cos(one) ** 2 + 2.0 * n * np.sin(one)
        lon, lat = np.radians(np.asarray(points, dtype=float)).T
        far = np.sqrt(np.maximum(c - 2.0 * n * np.sin(lat), 0.0)) / n
        origin = np.sqrt(c - 2.0 * n * np.sin(middle)) / n
        turn = n * (lon - centre)
        return np.degrees(far * np.sin(turn)), np.degrees(origin - far * np.cos(turn))


_WHOLE = _View((-4.0, 21.0, 126.0, 61.0))


def network_map(flows: Flows, atlas: Atlas) -> Picture:
    """Links as straight lines, width by TEU, coloured in a base by mode, in a scenario by change.

    flows: of the base or scenario; atlas: names and points. Raises LandbridgeError where matplotlib is
    missing.
    """
    drawn = [row for row in flows.links if _near(row) and all(point in _WHOLE for point in row["points"])]
    most, step = _scales(flows, drawn)
    with settings(atlas.names.lang):
        x, y = _WHOLE.project([point for row in drawn for point in row["points"]] or [(60.0, 42.0)])
        frame = (x.min() - 1.5, y.min() - 2.0, x.max() + 1.5, y.max() + 2.0)
        figure, axes = _sheet(_WHOLE, frame, atlas.names.lang)
        _links(axes, _WHOLE, flows, drawn, most, step)
        _gateways(axes, _WHOLE, flows)
        unit = (frame[2] - frame[0]) / (_WIDTH * 72.0)
        inside = [one for one in atlas.labelled if one in atlas.places and atlas.places[one] in _WHOLE]
        named = [(atlas.names.short.get(p, p), atlas.places[p]) for p in inside[:_LABELS]]
        _labels(axes, _WHOLE, named, unit, atlas.names.lang)
        _key(axes, flows, (most, step), atlas.names)
    colour = atlas.names.say("figure.map.by_mode" if flows.base else "figure.map.by_change")
    alt = atlas.names.say("figure.map.alt", name=atlas.names.title(flows.id, flows.name), colour=colour)
    part = atlas.names.say("base.part") if flows.base else flows.id
    caption = atlas.names.say("figure.map.caption", part=part, teu=_round(most), colour=colour)
    return Picture(figure, alt, caption, atlas.names.lang)


def change_map(flows: Flows, atlas: Atlas, change: Change) -> Picture | None:
    """The part of the network that a scenario changes, close enough to read; None where nothing has a point.

    flows: of the scenario; atlas: names and points; change: what it changes. New links are drawn dashed in
    black over their flow, and named. Raises LandbridgeError where matplotlib is missing.
    """
    ends = [point for row in flows.links if row["link"] in change.links for point in row["points"]]
    ends += [
        row["points"][0] for row in flows.gateways if row["gateway"] in change.gateways and row["points"]
    ]
    if not ends:
        return None
    view = _View(_around(ends))
    drawn = [row for row in flows.links if _near(row) and any(point in view for point in row["points"])]
    most, step = _scales(flows, drawn)
    with settings(atlas.names.lang):
        west, south, east, north = view.window
        middle = (west + east) / 2.0
        (left, right), _ = view.project([(west, (south + north) / 2.0), (east, (south + north) / 2.0)])
        _, (low, high) = view.project([(middle, south), (middle, north)])
        frame = (float(left), float(low), float(right), float(high))
        figure, axes = _sheet(view, frame, atlas.names.lang)
        unit = (frame[2] - frame[0]) / (_WIDTH * 72.0)
        _regions(axes, view, atlas)
        _links(axes, view, flows, drawn, most, step)
        for row in drawn:
            if row["link"] in change.new:
                axes.plot(*view.project(row["points"]), color=INK, lw=1.6, ls=(0, (3.0, 2.0)), zorder=6)
        _gateways(axes, view, flows, least=0.0)
        _labels(axes, view, _named(flows, atlas, change, view), unit, atlas.names.lang)
        _key(axes, flows, (most, step), atlas.names, bool(change.new))
    alt = atlas.names.say("figure.change.alt", name=atlas.names.title(flows.id, flows.name))
    caption = atlas.names.say("figure.change.caption", part=flows.id, teu=_round(most))
    return Picture(figure, alt, caption, atlas.names.lang)


def _named(
    flows: Flows, atlas: Atlas, change: Change, view: _View
) -> Iterable[tuple[str, tuple[float, float]]]:
    """Names on the map of a change with their points: ends of new links, cities, then gateways."""
    new = [row[end] for row in flows.links if row["link"] in change.new for end in ("from", "to")]
    found = {
        atlas.names.short.get(place, place): atlas.places[place]
        for place in (*new, *atlas.labelled)
        if place in atlas.places and atlas.places[place] in view
    }
    for row in flows.gateways:
        if row["gateway"] in change.gateways and row["points"] and row["points"][0] in view:
            name = str(atlas.names.gateway.get(row["gateway"]) or row["gateway"]).split(" (")[0]
            found[name] = row["points"][0]
    return found.items()


# -- extents -------------------------------------------------------------------------------------------


def _around(points: Iterable[tuple[float, float]]) -> Extent:
    """The extent of points and what is about them, of the shape of the figure, within that of the coasts."""
    lon, lat = np.array(list(points), dtype=float).T
    centre, middle = (lon.min() + lon.max()) / 2.0, (lat.min() + lat.max()) / 2.0
    squeeze = float(np.cos(np.radians(middle)))
    wide = (np.ptp(lon) + 2.0 * _BEYOND) * squeeze
    high = max(float(np.ptp(lat)) + 2.0 * _BEYOND, _LEAST, float(wide) * _SHAPE)
    wide = high / _SHAPE / squeeze
    west, south = max(centre - wide / 2.0, -14.0), max(middle - high / 2.0, 10.0)
    return float(west), float(south), float(min(west + wide, 142.0)), float(min(south + high, 70.0))


def _near(row: Mapping[str, Any]) -> bool:
    return not (row["mode"] == "sea" and row["length_km"] > _FAR_KM)


def _scales(flows: Flows, drawn: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """TEU a year of the widest line, and of the change from which a line has the full colour."""
    carrying = [row["teu_per_year"] for row in drawn if row["teu_per_year"] > 0.0]
    most = float(np.quantile(carrying, 0.97)) if carrying else 1.0
    return most, _round(max(flows.largest_change / 10.0, 1000.0))


# -- layers --------------------------------------------------------------------------------------------


def _sheet(view: _View, frame: Extent, lang: str) -> tuple[Any, Any]:
    """A figure with its axes, the coast and a grid; frame: left, bottom, right, top on the map."""
    figure = canvas(_WIDTH, 0.55 + _WIDTH * (frame[3] - frame[1]) / (frame[2] - frame[0]), lang)
    axes = figure.add_subplot()
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_xlim(frame[0], frame[2])
    axes.set_ylim(frame[1], frame[3])
    _coast(axes, view)
    west, _, east, _ = view.window
    every = 20 if east - west > 60.0 else 5
    north = [[(lon, lat) for lat in np.linspace(10, 70, 60)] for lon in range(-20, 150, every)]
    along = [[(lon, lat) for lon in np.linspace(-14, 142, 90)] for lat in range(10, 71, every)]
    grid = [np.column_stack(view.project(line)) for line in (*north, *along)]
    _lines(axes, grid, 0.6, _GRID, zorder=-1)
    return figure, axes


def _coast(axes: Any, view: _View) -> None:
    """Land, with the seas inside it left out."""
    paths = need("matplotlib.path", "matplotlib", "report", "a map")
    patches = need("matplotlib.patches", "matplotlib", "report", "a map")
    parts = [paths.Path(np.column_stack(view.project(ring)), closed=True) for ring in rings()]
    whole = paths.Path.make_compound_path(*parts)
    axes.add_patch(patches.PathPatch(whole, facecolor=_LAND, edgecolor=_SHORE, lw=0.5, zorder=-2))


def _regions(axes: Any, view: _View, atlas: Atlas) -> None:
    """Names of regions in pale capitals."""
    for region, point in atlas.middles.items():
        if point in view:
            (x,), (y,) = view.project([point])
            text = atlas.names.region.get(region, region).upper()
            axes.text(
                x, y, text, color="#a39c8c", fontsize=11, ha="center", va="center", zorder=-0.5, clip_on=True
            )


def _links(
    axes: Any, view: _View, flows: Flows, drawn: Iterable[Mapping[str, Any]], most: float, step: float
) -> None:
    """Lines of the links, those of one layer and style together: the largest last, disputed ones on top."""
    layers: dict[tuple[int, bool], list[tuple[Any, float, tuple[str, float]]]] = {}
    for row in sorted(drawn, key=lambda r: (abs(r.get("change_teu", 0.0)), r["teu_per_year"])):
        carried = max(row["teu_per_year"], row.get("base_teu", 0.0))
        if row["status"] != "open" and carried <= 0.0:
            continue
        colour, order = _colour(flows, row, step)
        faint = 0.45 if row["mode"] == "sea" and flows.base else 1.0
        wide = _line_width(carried, most) * (0.6 if colour == _STILL else 1.0)
        path = np.column_stack(view.project(row["points"]))
        layers.setdefault((order, bool(row["disputed"])), []).append((path, wide, (colour, faint)))
    for (order, disputed), lines in sorted(layers.items()):
        paths, widths, colours = zip(*lines, strict=True)
        style: Any = (0, (2.2, 1.4)) if disputed else "-"
        ends = "butt" if disputed else "round"
        _lines(axes, paths, widths, colours, linestyles=style, capstyle=ends, zorder=order)


def _lines(axes: Any, paths: Sequence[Any], widths: Any, colours: Any, **style: Any) -> None:
    """Lines of one layer, drawn together; the limits of the axes stay."""
    collections = need("matplotlib.collections", "matplotlib", "report", "a map")
    lines = collections.LineCollection(paths, linewidths=widths, colors=colours, **style)
    axes.add_collection(lines, autolim=False)


def _line_width(teu: float, most: float) -> float:
    return 0.35 + 6.5 * min(1.0, float(np.sqrt(teu / most)))


def _colour(flows: Flows, row: Mapping[str, Any], step: float) -> tuple[str, int]:
    if flows.base:
        return MODES.get(row["mode"], _STILL), 2 if row["mode"].startswith("rail") else 1
    change = row["change_teu"]
    if abs(change) <= max(STILL_TEU, STILL_SHARE * row["base_teu"]):
        return _STILL, 1
    if abs(change) <= step:
        return (_GAINS_LESS if change > 0 else _LOSES_LESS), 2
    return (GAIN if change > 0 else LOSS), 3


def _gateways(axes: Any, view: _View, flows: Flows, least: float = 20_000.0) -> None:
    """Circles, area by traffic, where more than `least` TEU a year pass or the scenario changes it."""
    shown = [
        row
        for row in flows.gateways
        if row["points"]
        and (row["teu_per_year"] > least or abs(row.get("change_teu", 0.0)) > 1_000)
        and row["points"][0] in view
    ]
    if not shown:
        return
    x, y = view.project([row["points"][0] for row in shown])
    most = max(row["teu_per_year"] for row in shown) or 1.0
    size = [6.0 + 70.0 * row["teu_per_year"] / most if row["status"] == "open" else 30.0 for row in shown]
    fill = ["#f0e442" if row["status"] == "open" else "white" for row in shown]
    axes.scatter(x, y, s=size, c=fill, edgecolors=INK, linewidths=0.6, zorder=5)


def _labels(
    axes: Any, view: _View, named: Iterable[tuple[str, tuple[float, float]]], unit: float, lang: str
) -> None:
    """Names at points where there is room: above, below, right or left of them, or not at all.

    unit: of the map per point of type; lang: of the names.
    """
    effects = need("matplotlib.patheffects", "matplotlib", "report", "an .html report")
    # A stroke is drawn as paths, so text that stays text has a pale ground instead.
    halo: dict[str, Any] = {"path_effects": [effects.withStroke(linewidth=2.2, foreground="white")]}
    if lang == "zh":
        halo = {"bbox": {"fc": "white", "ec": "none", "pad": 0.4, "alpha": 0.7}}
    taken: list[tuple[float, float, float, float]] = []
    size = 8.0
    for text, point in named:
        (x,), (y,) = view.project([point])
        wide, high = 0.62 * size * width(text), 1.2 * size
        for dx, dy in ((0.0, 8.0), (0.0, -8.0), (wide / 2 + 6.0, 0.0), (-wide / 2 - 6.0, 0.0)):
            middle = float(x) / unit + dx, float(y) / unit + dy
            own = (middle[0] - wide / 2, middle[1] - high / 2, middle[0] + wide / 2, middle[1] + high / 2)
            if all(own[2] < b[0] or own[0] > b[2] or own[3] < b[1] or own[1] > b[3] for b in taken):
                taken.append(own)
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


def _key(axes: Any, flows: Flows, scales: tuple[float, float], names: Names, new: bool = False) -> None:
    """The legend; scales: TEU a year of the widest line and of a full colour; new: with new lines."""
    most, step = scales
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
            (_GAINS_LESS, names.say("figure.key.gains_less"), "-"),
            (_STILL, names.say("figure.key.still"), "-"),
            (_LOSES_LESS, names.say("figure.key.loses_less"), "-"),
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
    if new:
        label = names.say("figure.key.new")
        handles.append(lines.Line2D([], [], color=INK, lw=1.6, ls=(0, (3.0, 2.0)), label=label))
    dot = {"marker": "o", "ls": "none", "mec": INK, "mew": 0.6}
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

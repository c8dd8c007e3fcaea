"""Observed counts and mode shares as functions of the traffic of routes.

Every observation is a few sums over routes, each of one unit and over the routes selected by a mark:

    F = sum_r mark_r sum_k u_rk s_(kind, family of r)

u_rk: traffic of route r if its family had all traffic of the pair; s: base share of the family for goods of
that kind. An observation is a sum of such F, containers with the returning empties, or a share of two sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from landbridge.model.base import SolvedBase
from landbridge.results.counts import marked, trucks_aboard
from landbridge.transport.graph import LAYERS, RAILS
from landbridge.transport.routes.modes import MODE_CLASSES, border_modes, mode_classes
from landbridge.transport.segments import KINDS
from landbridge.world.table import Cell

__all__ = ["KIND_OF_UNIT", "RANGE", "UNITS", "USD_BULK", "USD_CONTAINER", "Observation", "Observed"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Row = dict[str, Cell]

# Unit of a route's traffic, and the kind of goods whose family shares apply.
UNITS = ("block_teu", "teu", "t_container", "t_bulk", "usd_container", "usd_bulk")
KIND_OF_UNIT = np.array([0, 0, 0, 1, 0, 1])
BLOCK_TEU, TEU, T_CONTAINER, T_BULK, USD_CONTAINER, USD_BULK = range(len(UNITS))
# Units of the measure of a mode row, by kind of goods.
_MEASURES = {"teu": (TEU,), "tonnes": (T_CONTAINER, T_BULK), "musd": (USD_CONTAINER, USD_BULK)}
# The border of the same country in the other direction.
_BACK = {
    "mode_border_exporter": "mode_border_importer",
    "mode_border_importer": "mode_border_exporter",
}
# Standard deviations of the log of a count: container trains, and other counts.
SIGMA_TRAINS, SIGMA_COUNT = 0.04, 0.15
# A range covers nine tenths: 2 x 1.645 standard deviations.
RANGE = 3.29
_LEAST_SIGMA = 0.05
# Standard deviation of a row without a range.
_NO_RANGE = 0.8
_USD_PER_MUSD = 1e6


@dataclass(frozen=True, eq=False)
class Observation:
    """One observed figure. role: fitted, checked or another word of its table; share: whether it is one.

    name: what is counted and where; year, unit, source: of the row; observed: in unit; fold: gateway or pair
    that is left out together; forms: numbers of its sums F, see `Observed`.
    value(F) and slope(F) of its own sums F [form]. sigma: of its log, or of its log-odds for a share.
    """

    name: str
    role: str
    year: int
    unit: str
    observed: float
    sigma: float
    share: bool
    source: str
    fold: str
    forms: tuple[int, ...]
    value: Callable[[FloatArray], float]
    slope: Callable[[FloatArray], FloatArray]

    def scaled(self, value: float) -> float:
        """The log of a value, or its log-odds for a share."""
        return float(np.log(value / (1.0 - value)) if self.share else np.log(value))

    def scaled_slope(self, value: float) -> float:
        """Derivative of `scaled` at a value."""
        return 1.0 / (value * (1.0 - value)) if self.share else 1.0 / value


class Observed:
    """The observations of a base, and the marks of their sums on its routes.

    marks [form, route]; unit [form]: number into UNITS.
    """

    def __init__(self, base: SolvedBase) -> None:
        world, graph, routes = base.world, base.graph, base.common.routes
        self._base, self._world, self._graph, self._routes = base, world, graph, routes
        self._back = world.parameter("return_ratio_empty")
        self._number = {g: j for j, g in enumerate(graph.gateways)}
        self._forms: dict[tuple[Any, ...], int] = {}
        self._masks: list[tuple[NDArray[np.int64], int]] = []
        self._set_up()
        year = int(world.parameter("horizon"))
        self._aboard = trucks_aboard(graph)
        self._kinds = world.network["gateways"].by("gateway_id")
        self.rows: list[Observation] = self._counts(year)
        for row in world.network["validation_modes"]:
            # The level of another year does not inform this one; a share does.
            if row["comparable"] and (row["year"] == year or str(row["measure"]).startswith("share_")):
                self.rows.append(self._mode(row))
        none = np.zeros(0, dtype=np.int64)
        columns = np.concatenate([none, *(routes_ for routes_, _ in self._masks)])
        start = np.concatenate([[0], np.cumsum([len(routes_) for routes_, _ in self._masks])])
        shape = len(self._masks), routes.n_routes
        self.marks = csr_matrix((np.ones(len(columns)), columns, start), shape=shape)
        self.unit = np.array([unit for _, unit in self._masks], dtype=np.int64)

    def _counts(self, year: int) -> list[Observation]:
        """The counts at gateways of a year; what repeats another count is no test of its own."""
        counts: list[tuple[dict[str, Any], Observation]] = []
        for row in self._world.network["validation_counts"]:
            names = str(row["gateway_id"]).split("+")
            if row["year"] == year and (names == ["all"] or all(n in self._number for n in names)):
                rail = names[0] in self._kinds and self._kinds[names[0]]["mode"] == "rail"
                found = self._count(row, names, rail=rail)
                if found is not None:
                    given = {"gateway": row["gateway_id"], "metric": row["metric"]}
                    counts.append(({**given, "unit": found.unit, "role": found.role}, found))
        marked([about for about, _ in counts])
        return [
            replace(found, role="repeats") if about["repeats"] and found.role == "predicted" else found
            for about, found in counts
        ]

    def _set_up(self) -> None:
        """Inputs of the marks: gateways passed each way, modes, regions of the ends."""
        graph, routes, freight = self._graph, self._routes, self._base.freight
        regions = self._world.trade.regions
        places = self._world.network["places"].by("place_id")
        self._mode_of = {
            "mode_class": mode_classes(graph, places, routes.arcs, routes.start),
            **dict(
                zip(
                    ("mode_border_exporter", "mode_border_importer"),
                    border_modes(graph, routes.arcs, routes.start),
                    strict=True,
                )
            ),
        }
        pair = freight.pair_of_regions[routes.pair]
        self._trades = pair >= 0
        self._from, self._to = pair // len(regions), pair % len(regions)
        # Container trains between China and the west, counted where they cross a Chinese rail border.
        bloc = {str(r["region"]): str(r["bloc"]) for r in self._world.network["pair_groups"]}
        west = np.array([bloc.get(r) in ("europe", "russia", "turkey", "caucasus") for r in regions])
        china = regions.index("CHN") if "CHN" in regions else -1
        inside = np.array(graph.countries) == "CHN"
        tail, head = inside[graph.tail // len(LAYERS)], inside[graph.head // len(LAYERS)]
        border = np.isin(graph.mode, RAILS) & graph.border & (tail != head)
        on_train = routes.over_arcs(border.astype(float)[:, None])[:, 0] > 0.0
        self._west = [
            np.flatnonzero(self._trades & on_train & (self._from == china) & west[self._to]),
            np.flatnonzero(self._trades & on_train & (self._to == china) & west[self._from]),
        ]
        self._way = np.arange(graph.n_arcs) % 2

    def _form(self, key: tuple[Any, ...], unit: int, mark: Callable[[], NDArray[np.int64]]) -> int:
        """The number of a sum, added if it is new."""
        if (*key, unit) not in self._forms:
            self._forms[*key, unit] = len(self._masks)
            self._masks.append((mark(), unit))
        return self._forms[*key, unit]

    def _through(self, gateway: str, way: int, goods: str) -> NDArray[np.int64]:
        """Routes through a gateway in one direction; at ports, of goods in `trucks`, `boxes` or of `all`."""
        graph, j = self._graph, self._number[gateway]
        arcs = graph.govern_arc[(graph.govern_gateway == j) & graph.govern_counted]
        if goods != "all":
            arcs = arcs[self._aboard[arcs] == (goods == "trucks")]
        passes = np.zeros((graph.n_arcs, 1))
        passes[arcs[self._way[arcs] == way]] = 1.0
        return np.flatnonzero((self._routes.over_arcs(passes)[:, 0] > 0.0) & self._trades)

    def _count(self, row: Any, names: list[str], *, rail: bool) -> Observation | None:
        unit, world = str(row["unit"]), self._world
        per_train = world.parameter("teu_per_train")
        sigma = SIGMA_COUNT
        if names == ["all"]:
            if unit != "TEU/year":
                return None
            both = [self._form(("west", w), BLOCK_TEU, partial(self._west.__getitem__, w)) for w in (0, 1)]
            forms, scale, empties = both, 1.0, True
            sigma = SIGMA_TRAINS
        else:
            units = {
                "trains/year": (BLOCK_TEU,),
                "TEU/year": (BLOCK_TEU,),
                "TEU in containers/year": (TEU,),
                "t/year": (T_CONTAINER, T_BULK),
                "trucks/year": (T_CONTAINER, T_BULK),
            }.get(unit)
            if units is None:
                return None
            port = world.gateway_kinds.stands_for(self._kinds[names[0]]) == "port"
            goods = {"t/year": "all", "trucks/year": "trucks"}.get(unit, "boxes") if port else "all"
            forms = [
                self._form(("gate", name, way, goods), u, partial(self._through, name, way, goods))
                for name in names
                for u in units
                for way in (0, 1)
            ]
            scale = {"trains/year": 1.0 / per_train, "trucks/year": 1.0 / world.parameter("t_per_truck")}.get(
                unit, 1.0
            )
            empties = unit in ("trains/year", "TEU in containers/year") or (unit == "TEU/year" and rail)
            sigma = SIGMA_TRAINS if unit == "trains/year" else SIGMA_COUNT
        value, slope = self._boxes(scale) if empties else _total(scale)
        name = f"{row['metric']} ({row['gateway_id']})"
        return Observation(
            name, str(row["use"]), int(row["year"] or 0), unit, float(row["value"] or 0.0), sigma, False,
            str(row["source"]), str(row["gateway_id"]), tuple(forms), value, slope,
        )  # fmt: skip

    def _boxes(
        self, scale: float
    ) -> tuple[Callable[[FloatArray], float], Callable[[FloatArray], FloatArray]]:
        """Containers both ways of each gateway, the smaller direction filled with empties; F in pairs."""
        back = self._back

        def value(sums: FloatArray) -> float:
            both = sums.reshape(-1, 2)
            more, less = both.max(axis=1), both.min(axis=1)
            return float(scale * (more + np.maximum(less, back * more)).sum())

        def slope(sums: FloatArray) -> FloatArray:
            both = sums.reshape(-1, 2)
            out = np.ones_like(both)
            for one, (first, second) in zip(out, both, strict=True):
                more = 0 if first >= second else 1
                if min(first, second) < back * max(first, second):
                    one[more], one[1 - more] = 1.0 + back, 0.0
            return np.asarray(scale * out.ravel())

        return value, slope

    def _mode(self, row: Any) -> Observation:
        """A row of validation_modes: a level, or a share of the modes listed."""
        measure = str(row["measure"]).removeprefix("share_")
        share = str(row["measure"]).startswith("share_")
        scale = 1.0
        if measure == "trucks":
            measure, scale = "tonnes", 1.0 / self._world.parameter("t_per_truck")
        if measure == "musd":
            scale = 1.0 / _USD_PER_MUSD
        kinds = KINDS if row["kind"] == "all" else (str(row["kind"]),)
        units = [u for u in _MEASURES[measure] if KINDS[KIND_OF_UNIT[u]] in kinds]
        above = self._of_modes(row, str(row["mode"]), units)
        low, high, stated = (float(row[c] or 0.0) for c in ("low", "high", "value"))
        if share:
            below = self._of_modes(row, str(row["of_modes"]), units)
            value, slope = _ratio(len(above))
            forms = (*above, *below)
        else:
            value, slope = _total(scale)
            forms = tuple(above)
        ends = f"{row['exporter']} - {row['importer']}"
        name = f"{row['row_id']} {row['metric']} ({ends}, {row['mode']})"
        made = Observation(
            name, str(row["use"]), int(row["year"] or 0), str(row["unit"]), stated, 1.0, share,
            str(row["source"]), ends, forms, value, slope,
        )  # fmt: skip
        if not low < high:
            return replace(made, sigma=_NO_RANGE)
        # A bound has no low end: its range is twice the upper half.
        least = made.scaled(low) if low > 0.0 else 2.0 * made.scaled(stated) - made.scaled(high)
        width = (made.scaled(high) - least) / RANGE
        return replace(made, sigma=max(width, _LEAST_SIGMA))

    def _of_modes(self, row: Any, modes: str, units: Sequence[int]) -> list[int]:
        by, both = str(row["by"]), bool(row["both_ways"])
        ends = str(row["exporter"]), str(row["importer"])
        wanted = MODE_CLASSES if modes == "all" else tuple(modes.split("+"))

        def mark() -> NDArray[np.int64]:
            one, other = (self._is_in(e.split("+")) for e in ends)
            numbers = [MODE_CLASSES.index(m) for m in wanted if m in MODE_CLASSES]
            found = one[self._from] & other[self._to] & np.isin(self._mode_of[by], numbers)
            if both:
                # In the other direction the same countries are at the other end.
                back = np.isin(self._mode_of[_BACK.get(by, by)], numbers)
                found |= other[self._from] & one[self._to] & back
            return np.flatnonzero(self._trades & found)

        return [self._form(("mode", by, both, *ends, *sorted(wanted)), u, mark) for u in units]

    def _is_in(self, names: Iterable[str]) -> BoolArray:
        regions = self._world.trade.regions
        chosen = set(names)
        return np.array(["*" in chosen or region in chosen for region in regions], dtype=bool)


def _total(scale: float) -> tuple[Callable[[FloatArray], float], Callable[[FloatArray], FloatArray]]:
    return lambda sums: float(scale * sums.sum()), lambda sums: np.full(len(sums), scale)


def _ratio(above: int) -> tuple[Callable[[FloatArray], float], Callable[[FloatArray], FloatArray]]:
    """The first sums over the others."""

    def value(sums: FloatArray) -> float:
        whole = float(sums[above:].sum())
        return float(sums[:above].sum()) / whole if whole > 0.0 else 0.0

    def slope(sums: FloatArray) -> FloatArray:
        part, whole = float(sums[:above].sum()), float(sums[above:].sum())
        if not whole > 0.0:
            return np.zeros(len(sums))
        out = np.full(len(sums), -part / whole**2)
        out[:above] = 1.0 / whole
        return out

    return value, slope

"""The numbers of a World that can be changed, with the derivatives of an outcome by each of them.

Links, gateways, tariffs, productivities, parameters, and every cell of the network's tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.model.adjoint import ChainGradient, chain_gradient
from landbridge.model.base import Origin
from landbridge.phrases import named, say
from landbridge.results import Results
from landbridge.scenario import Scenario, apply
from landbridge.trade.welfare import parse_outcome
from landbridge.transport import ArcBars, Graph
from landbridge.transport.graph import ROW_TABLES, SIDES, TERMS
from landbridge.transport.routes.base_set import align_with_base
from landbridge.transport.table_rows import by_row, slope, total
from landbridge.transport.waiting.stations import Queues, capacity_of
from landbridge.world import World
from landbridge.world.keys import KEYS
from landbridge.world.names import Label, labels_of
from landbridge.world.table import columns_of

__all__ = ["NUMBERS", "Lens", "Number", "cells_of_column", "row_key"]

FloatArray = NDArray[np.float64]

USD_PER_MUSD = 1e6
_PERCENT = 0.01
# Step of a difference quotient, in hours, USD or as a share of a number.
_STEP = 1e-4
# A number of a table is changed by this share of itself.
_SHARE = 0.1


@dataclass(frozen=True)
class Number:
    """One number of the model.

    id: key of a row, "exporter:importer:sector", "region:sector" or the name of a parameter; name: in
    English; target: what changes, such as time_h, tariff or a column of a table, in unit; value: now, None
    where no single one applies; step: change whose gain is reported, in unit.
    slopes: derivatives per unit of the log outcome, of it with waits held, of flow times cost [USD], and of
    the outcome with waits and routes held; the last three None where they do not apply. more: whether a gain
    is for one unit more. moved: the World after a change by this many units.
    """

    id: str
    name: str
    target: str
    unit: str
    value: float | None
    slopes: tuple[float, float | None, float | None, float | None]
    step: float
    moved: Callable[[float], World] = field(repr=False)
    more: bool = False


class Lens:
    """A solved result with the derivatives of one outcome, and factors that convert them to money.

    result: solved; of: the outcome, as "real_income:CA5". Raises ValueError where the graph of its World is
    another.
    """

    def __init__(self, result: Results, of: str) -> None:
        self.result, self.of, self.world = result, of, result.world
        assert isinstance(result.again, Origin)
        self.origin = result.again
        self.gradient: ChainGradient = chain_gradient(result, of)
        flow = result.choice.vjp(cost_bar=result.demand_teu)
        self.bars: tuple[ArcBars, ...] = (
            self.gradient.arcs,
            self.gradient.held,
            flow,
            self.gradient.routes_held,
        )
        self.graph = self.compiled(self.world)
        if (self.graph.tail != result.graph.tail).any() or self.graph.gateways != result.graph.gateways:
            raise ValueError("the graph differs from that of the result")
        equilibrium = result.equilibrium[result.closure]
        self.outcome = parse_outcome(of, equilibrium.base)
        self.value = equilibrium.outcome(of)
        # The outcome in USD a year: a flow is in million USD itself, a wage is weighted by income.
        income = float(equilibrium.base.income[list(self.outcome.regions)].sum())
        self.usd = USD_PER_MUSD * self.value * (1.0 if self.outcome.kind == "flow" else income)

    def compiled(self, world: World) -> Graph:
        """The graph of a world with other numbers in its tables, with the arcs of the study."""
        return align_with_base([*self.origin.worlds, world])[0][-1]

    def rows_of(self, change: Callable[[float], World], table: str, step: float) -> FloatArray:
        """Derivatives by the rows of a table that are all changed at once [bar, row].

        change: the World after a change of size h; table: its name; step: h.
        """
        count = len(self.world.network[table])

        def value(h: float) -> FloatArray:
            return by_row(self.graph, self.compiled(change(h)), self.bars, table, count)

        return slope(value, step)

    def whole_of(self, change: Callable[[float], World], step: float) -> FloatArray:
        """Derivatives by one change of the tables [bar]; change, step: as in `rows_of`."""
        return slope(lambda h: total(self.graph, self.compiled(change(h)), self.bars), step)

    def gain(self, number: Number, slope_of: float) -> float:
        """First-order gain of the step of a number [USD a year]; slope_of: derivative of the log outcome."""
        return self.usd * slope_of * number.step

    @cached_property
    def names(self) -> Mapping[str, Mapping[str, Label]]:
        """English names by kind and identifier."""
        kinds = ("place", "region", "sector", "gateway")
        return {kind: labels_of(self.world.tables, kind, "en") for kind in kinds}

    def name(self, kind: str, identifier: str) -> str:
        """The English name of an identifier of some kind; the identifier where there is none."""
        found = self.names[kind].get(identifier)
        return named(kind, identifier, "" if found is None else found.text)


# -- links and gateways --------------------------------------------------------------------------------


def _with_cells(world: World, table: str, column: str, values: Mapping[int, float]) -> World:
    """The World with other numbers in one column, by row."""
    rows = world.network[table]
    new = ({**row, column: values[at]} if at in values else row for at, row in enumerate(rows))
    return world.with_network(**{table: rows.with_rows(new)})


def _of_links(lens: Lens) -> Iterator[Number]:
    """One hour and one dollar on every link, both ways."""
    links = lens.world.network["links"]
    hours = _hours_of_links(lens.graph)

    def later(h: float, only: Iterable[int] | None = None) -> World:
        chosen = hours if only is None else only
        return _with_cells(lens.world, "links", "transit_time_h", {at: hours[at] + h for at in chosen})

    # The factor of a link also applies to this column.
    factors = {at: 1.0 if f is None else float(f) for at, f in enumerate(row["cost_factor"] for row in links)}
    factors = {at: factor for at, factor in factors.items() if factor > 0.0}

    def dearer(h: float, only: Iterable[int] | None = None) -> World:
        chosen = factors if only is None else only
        known = {at: float(links.rows[at]["cost_usd"] or 0.0) + h / factors[at] for at in chosen}
        return _with_cells(lens.world, "links", "cost_usd", known)

    by_hour = lens.rows_of(later, "links", _STEP)
    by_money = lens.rows_of(dearer, "links", _STEP)
    for at, row in enumerate(links):
        start, end = (lens.name("place", str(row[end])) for end in ("from_place", "to_place"))
        name = say("link.name", start=start, end=end, mode=named("mode", str(row["mode"])))
        key = str(row["link_id"])
        if at in hours:
            moved = partial(later, only=(at,))
            slopes = _four(by_hour[:, at])
            yield Number(key, name, "time_h", "h", hours[at], slopes, _step(hours[at]), moved)
        if at not in factors:
            continue
        moved = partial(dearer, only=(at,))
        yield Number(key, name, "cost_usd", "USD/TEU", None, _four(by_money[:, at]), -1.0, moved)


def _hours_of_links(graph: Graph) -> dict[int, float]:
    """Hours of the haul over every link that has any, by its row."""
    haul = graph.term_kind == TERMS.index("haul")
    rows, hours = graph.term_row[haul, 0], graph.term_time_h[haul, 0]
    return {int(at): float(h) for at, h in zip(rows, hours, strict=True) if at >= 0 and h > 0.0}


def _four(found: FloatArray) -> tuple[float, float, float, float]:
    return float(found[0]), float(found[1]), float(found[2]), float(found[3])


# Numbers changed by change_gateway, except capacity, with their units.
_UNITS = {"time_h": "h", "cost_usd": "USD/TEU"}


def _of_gateways(lens: Lens) -> Iterator[Number]:
    """One hour, one dollar and one unit of capacity at every gateway, as change_gateway changes them."""
    world = lens.world
    straits = {str(r["gateway_id"]) for r in world.network["gateways"] if _is_strait(world, r)}
    hours, money = _hours_at(world), _money_at(world)
    found = {column: _by_gateway(lens, [k for k in hours if k not in straits], column) for column in _UNITS}
    for row in world.network["gateways"]:
        key = str(row["gateway_id"])
        name = lens.name("gateway", key)
        if row["status"] == "closed":
            continue
        if key in straits:
            found["time_h"][key] = lens.whole_of(partial(_gateway, world, [key], "time_h"), _STEP)
        capacity = capacity_of(row)
        if capacity is not None and key not in straits:
            unit_teu = _teu_of(world, str(row["mode"]))
            teu = capacity * unit_teu
            by_teu = float(lens.gradient.capacity[lens.graph.gateways.index(key)]) / teu
            moved = partial(_gateway, world, [key], "capacity", scale=1.0 / unit_teu)
            yield Number(
                key, name, "capacity", "TEU/day", teu, (by_teu, None, None, None), 1.0, moved, more=True
            )
        for column, slopes in ((column, found[column].get(key)) for column in _UNITS):
            if slopes is None:
                continue
            value = None if key in straits else (hours if column == "time_h" else money)[key]
            step = _step(value)
            moved = partial(_gateway, world, [key], column)
            yield Number(key, name, column, _UNITS[column], value, _four(slopes), step, moved)


def _is_strait(world: World, row: Mapping[str, Any]) -> bool:
    return world.gateway_kinds.stands_for(row) == "strait"


def _step(value: float | None) -> float:
    """One unit less, half of the value where that is small, and one more where it is zero."""
    if value is None or value > 1.0:
        return -1.0
    return -0.5 * value if value > 0.0 else 1.0


def _money_at(world: World) -> dict[str, float]:
    """The least money stated for a gateway with rows of its own, by gateway."""
    found: dict[str, float] = {}
    for row in (*world.network["crossings"], *world.network["ports"]):
        key, money = str(row["gateway_id"]), float(row["cost_usd"] or 0.0)
        found[key] = min(found.get(key, np.inf), money)
    return found


def _by_gateway(lens: Lens, keys: Sequence[str], column: str) -> dict[str, FloatArray]:
    """Derivatives by the hours or the money of gateways with rows of their own, by gateway [bar]."""
    found = {key: np.zeros(len(lens.bars)) for key in keys}
    if not keys:
        return found
    for table in ("crossings", "ports"):
        by_rows = lens.rows_of(partial(_gateway, lens.world, keys, column), table, _STEP)
        for row, slopes in zip(lens.world.network[table], by_rows.T, strict=True):
            if str(row["gateway_id"]) in found:
                found[str(row["gateway_id"])] += slopes
    if column == "time_h":
        for key, by_queue in _by_queue(lens, keys).items():
            # With waits held, queues are held too.
            found[key][0] += by_queue
    return found


def _by_queue(lens: Lens, keys: Sequence[str]) -> dict[str, float]:
    """Effect of hours of gateways through their queues: fewer hours shorten a queue that has grown.

    Zero in a base, where the queue is part of the hours (see `Queues.under`).
    """
    result = lens.result
    base, queues, load = result.base, result.queues, result.load
    if base is None or base.queues is None or queues is None or load is None or not len(queues):
        return {}
    stated = base.queues

    def delays(h: float) -> FloatArray:
        world = _gateway(lens.world, keys, "time_h", h)
        after = stated.under(base.graph, world, lens.compiled(world)).delay(load)
        return np.array(after) - np.array(queues.delay(load))

    by_hours, by_variance = slope(delays, -_STEP)
    on_hours, on_variance = (
        queues.from_gateways(result.graph.at_gateways_by_way(bar))
        for bar in (lens.gradient.arcs.time_h, lens.gradient.arcs.variance_h2)
    )
    found: dict[str, float] = {}
    for q, worth in enumerate(on_hours * by_hours + on_variance * by_variance):
        key = result.graph.gateways[int(queues.gateway[q])]
        found[key] = found.get(key, 0.0) + float(worth)
    return {key: worth for key, worth in found.items() if key in keys}


def _teu_of(world: World, mode: str) -> float:
    """TEU of one unit of the capacity of a mode."""
    units = {"rail": "teu_per_train", "road": "teu_per_truck"}
    return world.parameter(units[mode]) if mode in units else 1.0


def _hours_at(world: World) -> dict[str, float]:
    """The least hours stated for a gateway with rows of its own, by gateway: no more can be saved."""
    found: dict[str, float] = {}
    for row in world.network["crossings"]:
        key = str(row["gateway_id"])
        found[key] = min(found.get(key, np.inf), float(row["time_h"] or 0.0))
    for row in world.network["ports"]:
        total_h = float(row["dwell_h"] or 0.0) + float(row["sailing_wait_h"] or 0.0)
        found[str(row["gateway_id"])] = total_h
    for row in world.network["gateways"]:
        if _is_strait(world, row):
            found[str(row["gateway_id"])] = np.inf
    return {key: hours for key, hours in found.items() if hours > 2.0 * _STEP}


def _gateway(world: World, keys: Sequence[str], column: str, amount: float, scale: float = 1.0) -> World:
    """The World after change_gateway adds an amount to the hours, money or capacity of gateways."""
    change = {"verb": "change_gateway", "gateway": list(keys), column: {"add": scale * amount}}
    return apply(world, Scenario.from_dict({"name": "sensitivity", "modification": [change]}, "sensitivity"))


# -- the economy ---------------------------------------------------------------------------------------


def _of_tariffs(lens: Lens) -> Iterator[Number]:
    """One percentage point of every tariff levied on trade."""
    table = lens.world.trade
    policy = lens.world.policy.tariff
    tariff = np.asarray(table.tariff if policy is None else policy)
    for o, d, s in np.argwhere((tariff > 0.0) & (np.asarray(table.trade) > 0.0)).tolist():
        exporter, importer, sector = table.regions[o], table.regions[d], table.sectors[s]
        points = 100.0 * float(tariff[o, d, s])
        slopes = _PERCENT * float(lens.gradient.tariff[o, d, s]), None, None, None
        ends = lens.name("region", exporter), lens.name("region", importer)
        change = {"verb": "change_tariff", "exporter": exporter, "importer": importer, "sector": sector}
        moved = partial(_economy, lens.world, change, "tariff", points)
        of = {"exporter": ends[0], "importer": ends[1], "sector": lens.name("sector", sector)}
        name = say("sensitivity.tariff", **of)
        key = f"{exporter}:{importer}:{sector}"
        yield Number(key, name, "tariff", "percentage point", points, slopes, -min(1.0, points), moved)


def _of_productivity(lens: Lens) -> Iterator[Number]:
    """One percent of productivity of every region and sector with sales."""
    table = lens.world.trade
    sold = np.asarray(table.trade).sum(axis=1)
    for n, s in np.argwhere(sold > 0.0).tolist():
        region, sector = table.regions[n], table.sectors[s]
        slopes = _PERCENT * float(lens.gradient.productivity[n, s]), None, None, None
        change = {"verb": "change_productivity", "region": region, "sector": sector}
        moved = partial(_economy, lens.world, change, "percent", None)
        name = say("list.items", items=(lens.name("region", region), lens.name("sector", sector)))
        unit = "percent"
        yield Number(f"{region}:{sector}", name, "productivity", unit, 100.0, slopes, 1.0, moved, more=True)


def _economy(world: World, change: Mapping[str, Any], key: str, points: float | None, amount: float) -> World:
    """The World after a verb of the economy; points: percent now, to which the amount is added."""
    value = amount if points is None else _PERCENT * (points + amount)
    document = {"name": "sensitivity", "modification": [{**change, key: value}]}
    return apply(world, Scenario.from_dict(document, "sensitivity"))


# -- any number of the network -------------------------------------------------------------------------


def _of_parameters(lens: Lens) -> Iterator[Number]:
    """Every parameter that affects hours and money of the network, except those of queues."""
    _require_base(lens)
    for row in lens.world.network["parameters"]:
        name = str(row["parameter"])
        value = _plain_number(row["value"])
        if value is None or value == 0.0:
            continue
        moved = partial(_parameter, lens.world, name, value)
        try:
            found = lens.whole_of(moved, _STEP * abs(value))
        except DataError:
            continue
        unit = str(row["unit"] or "")
        if found.any() and not _moves_queues(lens, moved(_STEP * abs(value))):
            yield Number(name, name, "value", unit, value, _four(found), -_SHARE * value, moved)


def _plain_number(cell: Any) -> float | None:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def _parameter(world: World, name: str, value: float, amount: float) -> World:
    table = world.network["parameters"]
    rows = ({**r, "value": repr(value + amount)} if r["parameter"] == name else r for r in table)
    return world.with_network(parameters=table.with_rows(rows))


def _of_cells(lens: Lens) -> Iterator[Number]:
    """Every number of the network's tables that its hours, money, emissions or variance depend on."""
    _require_base(lens)
    for table, rows in lens.world.network.items():
        if table == "parameters":
            continue
        schema = columns_of(table)
        for column in rows.columns:
            if column not in schema or schema[column].type not in ("float", "int"):
                continue
            values = {
                at: number
                for at, row in enumerate(rows)
                if (number := _plain_number(row[column])) is not None and number != 0.0
            }
            yield from cells_of_column(lens, table, column, schema[column].unit, values)


def cells_of_column(
    lens: Lens, table: str, column: str, unit: str, values: Mapping[int, float]
) -> Iterator[Number]:
    """The numbers of one column, with their derivatives.

    lens: the result; table, column, unit: of the numbers; values: by row. The step h is a share of each
    number.

    derivative = (4 f(h) - f(2 h)) / (2 h), see `landbridge.transport.table_rows`
    """

    def moved(h: float, only: Iterable[int] | None = None) -> World:
        chosen = values if only is None else only
        return _with_cells(lens.world, table, column, {at: values[at] * (1.0 + h) for at in chosen})

    if not values or not _reads(lens, moved):
        return
    # A change of gauge may also bound the transfer of its place, which is not a row.
    alone_only = table not in ROW_TABLES or table == "gauge_changes"
    together = None if alone_only else lens.rows_of(moved, table, _STEP)
    for at, value in values.items():
        alone = partial(moved, only=(at,))
        found = lens.whole_of(alone, _STEP) if together is None else together[:, at]
        if not found.any():
            continue
        slopes = _four(found / value)
        key = row_key(lens.world, table, at)
        yield Number(
            key,
            f"{key}, {column}",
            column,
            unit,
            value,
            slopes,
            -_SHARE * value,
            partial(_by_amount, alone, value),
        )


def _by_amount(moved: Callable[[float], World], value: float, amount: float) -> World:
    """The World after a change by an amount, given a change by shares of a value."""
    return moved(amount / value)


def _reads(lens: Lens, moved: Callable[[float], World]) -> bool:
    """Whether the graph depends on a column."""
    after = lens.compiled(moved(_STEP))
    return any((getattr(after, side) != getattr(lens.graph, side)).any() for side in SIDES)


def row_key(world: World, table: str, at: int) -> str:
    """The key of a row: the table and the cells of its key columns, its number from 1 where they are blank.

    world: with the table; table: a name of the network; at: the row, from 0.
    """
    row = world.network[table].rows[at]
    cells = (row.get(column) for column in KEYS.get(table, ()))
    named = ":".join("*" if cell is None else str(cell) for cell in cells)
    return f"{table}:{named or at + 1}"


def _require_base(lens: Lens) -> None:
    """Reject a scenario, whose queues would respond to single cells."""
    if lens.result.base is not None:
        fault = Fault(
            "to", "is available for a base only", "leave the scenario out, or ask for arcs or gateways"
        )
        raise DataError("no derivative", [fault])


def _moves_queues(lens: Lens, world: World) -> bool:
    """Whether a changed World has other queues, an effect that derivatives by arcs leave out."""
    now, then = (Queues.of(w, lens.graph) for w in (lens.world, world))
    same = all(
        np.array_equal(getattr(now, name), getattr(then, name))
        for name in ("stated", "teu", "back", "spread")
    )
    return not same or now.period_h != then.period_h or now.days != then.days


NUMBERS: Mapping[str, Callable[[Lens], Iterable[Number]]] = {
    "arcs": _of_links,
    "gateways": _of_gateways,
    "tariffs": _of_tariffs,
    "productivity": _of_productivity,
    "parameters": _of_parameters,
    "cells": _of_cells,
}

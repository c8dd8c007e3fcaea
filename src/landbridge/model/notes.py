"""Notes that complete the tables of a case, and the rejection of a case that cuts a zone off."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import Fault, ScenarioError
from landbridge.model.waits import SolvedWaits
from landbridge.phrases import named, say
from landbridge.scenario import Scenario
from landbridge.transport import Choice, Graph, Queues, RouteSet
from landbridge.transport.waiting.stations import capacity_of
from landbridge.world import World
from landbridge.world.names import resolve

__all__ = ["of_the_rest", "remarks", "require_routes"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_USD_PER_MUSD = 1e6
# A note is printed where the rest is above this part of the change, and above this size [share].
_MUCH, _SEEN = 0.25, 5e-6
# Number of regions named at most.
_NAMED = 8
# Standard errors on either side that contain 95 % of a normal distribution.
_NORMAL_95 = 1.96
# A note names regions whose first order and exact change differ by more than this factor.
_FAR = 1.5


def require_routes(
    routes: RouteSet,
    graph: Graph,
    unreachable: NDArray[np.int32],
    ships: BoolArray,
    name: str,
    scenario: Scenario | None,
) -> None:
    """Reject a World in which freight has no route: one fault for every zone that is cut off.

    routes, graph: of the World; unreachable [n]: numbers of pairs; ships [pair]: pairs with freight; name,
    scenario: for the message. Raises ScenarioError.
    """
    lost = [int(q) for q in unreachable if ships[q]]
    if not lost:
        return
    names = graph.places
    cut: dict[int, set[int]] = {}
    for q in lost:
        for one, other in (
            (int(routes.origin[q]), int(routes.destination[q])),
            (int(routes.destination[q]), int(routes.origin[q])),
        ):
            cut.setdefault(one, set()).add(other)
    # A zone that loses most others is the one cut off; the others only lose it.
    faults = []
    while cut:
        worst = max(cut, key=lambda place: (len(cut[place]), -place))
        others = cut.pop(worst)
        if others:
            where = f"scenario {name}, zone {names[worst]}"
            faults.append(Fault(where, say("cut.off", n=len(others)), say("cut.cure")))
        for rest in cut.values():
            rest.discard(worst)
        cut = {place: rest for place, rest in cut.items() if rest}
    raise ScenarioError(say("cut.network" if scenario is None else "cut.scenario"), faults)


def remarks(
    choice: Choice,
    graph: Graph,
    demand_teu: FloatArray,
    flow_teu: FloatArray,
    world: World,
    base: World,
    scenario: Scenario | None,
    queues: Queues | None,
    settled: SolvedWaits | None,
) -> tuple[str, ...]:
    """Notes that a reader of the tables of this case needs.

    choice, graph, queues, settled: solved; demand_teu [pair, sector], flow_teu [arc, product]: TEU a year;
    world, base, scenario: of the case.
    """
    if scenario is None:
        return ()
    notes = []
    parameters = {str(m.get("parameter")) for m in scenario.modifications if m.verb == "set_parameter"}
    table = world.network["parameters"].by("parameter")
    shared = sorted(p for p in parameters if p in table and table[p]["part_of"] == "model")
    if shared:
        settings = ", ".join(f"{name} = {world.setting(name)}" for name in shared)
        notes.append(say("note.shared", settings=settings))
    if choice.gained.any():
        routes = choice.base.routes
        pairs = len(np.unique(routes.group_pair[choice.gained]))
        notes.append(say("note.gained", pairs=pairs))
    notes += _of_lost_families(choice, demand_teu)
    notes += _of_kept_trade(world, base, parameters)
    notes += _of_estimates(scenario, world)
    notes += _of_payers(scenario)
    notes += _of_changes_written_twice(scenario)
    if queues is not None and settled is not None:
        notes += _of_queues(graph, queues, settled, world, base)
    old = base.network["links"].by("link_id")
    new = [
        str(row["link_id"])
        for row in world.network["links"]
        if row["status"] == "open"
        and (str(row["link_id"]) not in old or old[str(row["link_id"])]["status"] != "open")
    ]
    carried = np.zeros(len(graph.links))
    on_link = graph.link >= 0
    np.add.at(carried, graph.link[on_link], flow_teu[on_link].sum(axis=1))
    number = {link: n for n, link in enumerate(graph.links)}
    idle = [link for link in new if carried[number[link]] <= 0.0]
    if idle:
        notes.append(say("note.idle", links=", ".join(idle)))
    lost = [
        str(row["corridor_id"])
        for row in base.network["corridors"]
        if _pair_of(choice, graph, row) in {-1, *choice.unreachable.tolist()}
    ]
    if lost:
        notes.append(say("note.lost", corridors=", ".join(lost)))
    return tuple(notes)


def _of_lost_families(choice: Choice, demand_teu: FloatArray) -> Iterator[str]:
    """Freight of families without an open route, and the cost of shipping it by another."""
    teu, usd = choice.fallen_back(demand_teu)
    if not teu.sum() > 0.0:
        return
    pairs = len(np.unique(choice.base.routes.group_pair[choice.lost.groups[teu > 0.0]]))
    yield say("note.fallen", pairs=pairs, teu=float(teu.sum()), musd=float(usd.sum()) / _USD_PER_MUSD)


def _of_estimates(scenario: Scenario, world: World) -> Iterator[str]:
    """The trade costs equivalent to coefficients of gravity equations, with their 95 % range."""
    theta = dict(zip(world.trade.sectors, world.trade.theta.tolist(), strict=True))
    tables = {**world.network, "regions": world.regions, "sectors": world.sectors}
    for m in scenario.modifications:
        if m.verb != "change_trade_cost" or m.get("coefficient") is None:
            continue
        value, error = float(m.get("coefficient")), m.get("standard_error")
        codes = [resolve(tables, "sector", s, "sector", list(theta))[0] for s in m.get("sector") if s != "*"]
        named = [theta[code] for code in codes] or list(theta.values())
        costs = []
        for at in sorted({min(named), max(named)}):
            cost = 100.0 * math.expm1(-value / at)
            if error is None:
                costs.append(say("note.cost", cost=cost, theta=at))
                continue
            low, high = (100.0 * math.expm1(-(value + sign * _NORMAL_95 * error) / at) for sign in (-1, 1))
            costs.append(say("note.cost_range", cost=cost, low=low, high=high, theta=at))
        alone = error is None
        yield say(
            "note.estimate_alone" if alone else "note.estimate",
            coefficient=value,
            costs=costs[0] if len(costs) == 1 else say("note.costs", first=costs[0], last=costs[1]),
        )


def _of_changes_written_twice(scenario: Scenario) -> Iterator[str]:
    """Modifications that are repeated word for word."""
    for number, m in enumerate(scenario.modifications, start=1):
        same = [
            n for n, other in enumerate(scenario.modifications, start=1) if other.to_dict() == m.to_dict()
        ]
        if same[0] < number:
            yield say("note.twice", number=number, first=same[0], verb=m.verb)


def _of_payers(scenario: Scenario) -> Iterator[str]:
    """Payers, sums and purposes."""
    for m in scenario.modifications:
        if m.verb != "pay_for":
            continue
        payer, region = m.get("payer")[0], (m.get("region") or m.get("payer"))[0]
        musd = float(m.get("musd"))
        if m.get("how") == "transfer":
            yield say(
                "note.transfer", payer=named("region", payer), musd=musd, region=named("region", region)
            )
        elif region == payer:
            yield say("note.works_home", payer=named("region", payer), musd=musd)
        else:
            yield say("note.works", payer=named("region", payer), musd=musd, region=named("region", region))


def _of_kept_trade(world: World, base: World, parameters: set[str]) -> Iterator[str]:
    """Trade that does not respond: inside a bloc that is off the network."""
    groups = world.network["pair_groups"]
    bloc = {str(row["region"]): str(row["bloc"]) for row in groups if not row["bloc_on_network"]}
    region = {str(row["place_id"]): str(row["region"] or "") for row in world.network["places"]}
    touched: dict[str, set[str]] = {}
    for table, key, ends in (
        ("links", "link_id", ("from_place", "to_place")),
        ("gateways", "gateway_id", ("place_a", "place_b")),
        ("ports", "place_id", ("place_id",)),
    ):
        before = base.network[table].by(key)
        for row in world.network[table]:
            name = str(row[key])
            if name in before and before[name] == row:
                continue
            blocs = {bloc.get(region.get(str(row[end]), ""), "") for end in ends if row[end]}
            if len(blocs) == 1 and blocs != {""}:
                touched.setdefault(blocs.pop(), set()).add(name)
    for name, changed in sorted(touched.items()):
        shown = ", ".join(sorted(changed)[:5]) + (", ..." if len(changed) > 5 else "")
        yield say("note.kept", bloc=name, changed=shown)
    felt = sorted(
        p for p in parameters - {"carbon_price_usd_per_kg"}
        if world.network["parameters"].by("parameter").get(p, {}).get("part_of") == "world"
    )  # fmt: skip
    if felt and bloc:
        apart = ", ".join(sorted(set(bloc.values())))
        yield say("note.kept_under", blocs=apart, parameters=", ".join(felt))


def _of_queues(
    graph: Graph, queues: Queues, settled: SolvedWaits, world: World, base: World
) -> Iterator[str]:
    """Waits that grew by more than a day, and capacities that contradict the flows of the base."""
    longer: dict[str, float] = {}
    for q in np.argsort(-settled.delay_h):
        # The longest first, and of both directions the longer.
        if settled.delay_h[q] > 24.0:
            longer.setdefault(graph.gateways[queues.gateway[q]], float(settled.delay_h[q]))
    if longer:
        gateways = tuple(
            say("note.hours", gateway=named("gateway", name), hours=hours) for name, hours in longer.items()
        )
        yield say("note.queue", gateways=gateways)
    before, now = (w.network["gateways"].by("gateway_id") for w in (base, world))
    moved = {j for j, name in enumerate(graph.gateways) if name in now and _capacity(before, now, name)}
    held_up = {graph.gateways[j] for j in queues.gateway}
    first = sorted(name for name in held_up if name in before and capacity_of(before[name]) is None)
    if first:
        yield say("note.first_capacity", gateways=tuple(named("gateway", name) for name in first))
    raised = sorted({graph.gateways[j] for j in queues.gateway[queues.factor > 1.0] if j in moved})
    if raised:
        yield say("note.raised", gateways=tuple(named("gateway", name) for name in raised))


def _capacity(before: Any, now: Any, name: str) -> bool:
    return name in before and capacity_of(before[name]) != capacity_of(now[name])


def of_the_rest(
    regions: Sequence[str], first_order: FloatArray, direct: FloatArray | None
) -> tuple[str, ...]:
    """Notes on regions where over a quarter of the change comes from pairs whose own routes stay the same.

    regions: codes; first_order, direct [n]: as in `Results`, d ln real income.
    """
    if direct is None:
        return ()
    rest = first_order - direct
    large = (np.abs(rest) > _MUCH * np.abs(first_order)) & (np.abs(rest) > _SEEN)
    if not large.any():
        return ()
    order = np.argsort(-np.abs(np.where(large, rest, 0.0)))[: int(large.sum())]
    parts = [
        say(
            "note.rest_of",
            region=named("region", regions[n]),
            rest=100.0 * rest[n],
            whole=100.0 * first_order[n],
        )
        for n in order[:_NAMED]
    ]
    shown, more = tuple(parts), len(order) - _NAMED
    if more > 0:
        return (say("note.rest_more", share=_MUCH, regions=shown, n=more),)
    return (say("note.rest", share=_MUCH, regions=shown),)


def of_first_order(
    names: Sequence[str], exact: FloatArray, first_order: FloatArray, deficits: str
) -> tuple[str, ...]:
    """Notes on regions whose first order is not within a factor of 1.5 of the exact change.

    names: of the regions [name]; exact, first_order [name]: changes; deficits: the closure.
    """
    apart = []
    for name, now, first in zip(names, exact.tolist(), first_order.tolist(), strict=True):
        sizes = abs(now), abs(first)
        if max(sizes) >= _SEEN and (now * first <= 0.0 or max(sizes) > _FAR * min(sizes)):
            apart.append(say("note.first_for", name=name, first=100.0 * first, exact=100.0 * now))
    if not apart:
        return ()
    return (say("note.first_order", deficits=named("closure", deficits), factor=_FAR, regions=tuple(apart)),)


def _pair_of(choice: Choice, graph: Graph, corridor: Any) -> int:
    routes, number = choice.base.routes, graph.place_number
    ends = number[str(corridor["from_place"])], number[str(corridor["to_place"])]
    found = np.flatnonzero((routes.origin == ends[0]) & (routes.destination == ends[1]))
    return int(found[0]) if len(found) else -1

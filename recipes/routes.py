"""Search the routes of the embedded network, of its bundled scenarios, of projects and of those of `claims`.

    python recipes/routes.py

Stores them with the data; takes some minutes. Run it after the network tables, or a scenario that opens
or closes anything, have changed: a set of another network is not used. The same network gives the same
routes; tests search again and compare.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from landbridge import World, load
from landbridge.model.prepared import PairsAsked
from landbridge.scenario import apply, bundled, load_scenario, project_scenarios
from landbridge.studies.claims.scenarios import made
from landbridge.transport import Graph, align
from landbridge.transport.routes.base_set import STORED, STORED_CASES, case_key, pack, pack_cases, stored_base
from landbridge.transport.routes.candidates import Search
from landbridge.transport.routes.case_set import search_case
from landbridge.transport.routes.families import Labels
from landbridge.transport.routes.search import Pairs


def cases(world: World) -> Iterator[tuple[Graph, Graph, frozenset[str]]]:
    """Graphs of the base and of every scenario that ships and opens or closes anything, and its bans."""
    named = (load_scenario(name, world) for name in (*bundled(), *project_scenarios()))
    for scenario in (*named, *made()):
        after = apply(world, scenario)
        own, graph = align([world, after])
        policy = after.policy
        bans = [policy.no_transit, *(policy.no_transit | one for one in policy.no_transit_of.values())]
        for barred in dict.fromkeys(bans):
            if barred or not (graph.available == own.available).all():
                yield own, graph, barred


def main() -> int:
    """Write the files of src/landbridge/data/routes."""
    world = load()
    asked, (graph,) = PairsAsked.of(world), align([world])
    pairs = Pairs(graph, asked.places, asked.places, asked.wanted, asked.every_family)
    base = Search(graph, pairs, Labels.of(graph)).base()
    STORED.parent.mkdir(exist_ok=True)
    STORED.write_bytes(pack(graph, pairs, base))
    detour, found = world.parameter("detour_max"), {}
    for own, after, barred in cases(world):
        mine = Pairs(own, asked.places, asked.places, asked.wanted, asked.every_family)
        known = stored_base(own, mine)
        if known is None:
            raise ValueError("the base that was just written is not found again")
        routes = search_case(after, own, mine, known, barred, detour)
        found[case_key(after, own, barred, detour)] = after, routes
    STORED_CASES.write_bytes(pack_cases(pairs, found))
    for path in (STORED, STORED_CASES):
        print(path.relative_to(Path(__file__).resolve().parent.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Mean freight cost of trade inside a bloc that is off the network, computed with the network itself.

    python recipes/kept_costs.py

Puts the pairs inside such a bloc (Europe) on the network, searches their routes and writes the means of
money, hours and emissions by exporter, importer and sector to recipes/inputs/network/kept_costs.csv. Takes
about a minute. The values stay when the network changes later; making them again is a decision of its own.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from landbridge import World, load
from landbridge.model.prepared import PairsAsked
from landbridge.transport import align, carried, freight_segments, generate, log_constants, pivot, solve_base
from landbridge.transport.freight import zone_shares
from landbridge.transport.routes.nests import Nests

OUTPUT = Path(__file__).resolve().parent / "inputs" / "network" / "kept_costs.csv"
COLUMNS = ("exporter", "importer", "sector", "cost_usd", "time_h", "reliability_h", "co2e_kg")
SOURCE = "derived: routes of the embedded network of 2023 with trade inside the bloc on it, means over zones"


def rows(world: World) -> list[list[str]]:
    """The table, one row per pair of regions and sector."""
    listed = world.network["pair_groups"]
    table = listed.with_rows({**row, "bloc_on_network": True} for row in listed)
    whole = replace(world, network={**world.network, "pair_groups": table})
    asked, (graph,) = PairsAsked.of(whole), align([whole])
    region = [asked.zones.get(p, "") for p in asked.places]
    inside = asked.wanted & ~carried(world, region, region)
    routes = generate([graph], asked.places, asked.places, inside, detour=world.parameter("detour_max"))
    names = [graph.places[p] for p in range(len(graph.places))]
    ends = [[asked.regions[names[p]] for p in side] for side in (routes.origin, routes.destination)]
    classes = freight_segments(whole, *ends)
    sums, available = routes.sums(graph), routes.available(graph)
    constant = log_constants(whole, graph, routes)
    base = solve_base(routes, classes, sums, available, Nests.of(routes, graph), constant)
    choice = pivot(base, sums, available, constant)
    number_of = {name: n for n, name in enumerate(names)}
    ships, takes = (zone_shares(whole, number_of, classes.sectors, flow) for flow in ("exports", "imports"))
    weights = ships[routes.origin] * takes[routes.destination]
    pairs = sorted(set(zip(*ends, strict=True)))
    number = {pair: n for n, pair in enumerate(pairs)}
    at = np.array([number[pair] for pair in zip(*ends, strict=True)])
    out = []
    for k, sector in enumerate(classes.sectors):
        hours, money, co2e = choice.expected(k)
        value = classes.usd_per_h[k]
        spread = (choice.cost[:, k] - money - value * hours - classes.carbon_usd_per_kg * co2e) / value
        weight = weights[:, k]
        means = [
            np.bincount(at, weights=weight * values) / np.bincount(at, weights=weight)
            for values in (money, hours, spread, co2e)
        ]
        for n, (exporter, importer) in enumerate(pairs):
            out.append([exporter, importer, sector, *(f"{float(mean[n]):.4f}" for mean in means)])
    return sorted(out)


def main() -> int:
    """Write the input table."""
    world = load()
    with OUTPUT.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, "source", "year", "basis"])
        writer.writerows([*row, SOURCE, "2023", "derived"] for row in rows(world))
    print(OUTPUT.relative_to(Path(__file__).resolve().parent.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())

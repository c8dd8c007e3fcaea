"""Search the base set of routes of the embedded network, half a minute, and keep it with the data.

    python recipes/routes.py

To be run after the network tables have changed: a set of another network is not used. The same network gives
the same routes; tests search it again and compare.
"""

from __future__ import annotations

import sys
from pathlib import Path

from landbridge import load
from landbridge.chain import PairsAsked
from landbridge.transport import compile_graph
from landbridge.transport.base_routes import STORED, pack
from landbridge.transport.candidates import Search
from landbridge.transport.families import Labels
from landbridge.transport.search import Pairs


def main() -> int:
    """Write src/landbridge/data/routes/base.npz.xz."""
    world = load()
    graph = compile_graph(world)
    asked = PairsAsked.of(world)
    pairs = Pairs(graph, asked.places, asked.places, asked.wanted, asked.every_family)
    STORED.parent.mkdir(exist_ok=True)
    STORED.write_bytes(pack(graph, pairs, Search(graph, pairs, Labels.of(graph)).base()))
    print(STORED.relative_to(Path(__file__).resolve().parent.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())

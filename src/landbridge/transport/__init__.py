"""Door-to-door freight: the state graph, route sets, route and family choice, routes leg by leg.

The inputs are links, hours and money; nothing here depends on real income.
"""

from landbridge.io.gmns import read_gmns, read_turns
from landbridge.io.gmns_demand import read_demand
from landbridge.io.tntp import read_tntp
from landbridge.transport.assignment.assign import Assignment, assign
from landbridge.transport.choice.pivot import (
    ArcBars,
    BaseChoice,
    Choice,
    log_constants,
    pivot,
    solve_base,
)
from landbridge.transport.compile import align, compile_graph
from landbridge.transport.crossings import crossing_terms
from landbridge.transport.freight import (
    Freight,
    carried,
    freight_between_regions,
    kept_log_tau,
    network_share,
)
from landbridge.transport.graph import Graph
from landbridge.transport.legs import Route, Routes, route
from landbridge.transport.routes.families import BY_LAND
from landbridge.transport.routes.route_set import FAMILIES, RouteSet, RouteSums, generate
from landbridge.transport.segments import Segments, freight_segments, keeps_every_family
from landbridge.transport.waiting.stations import Queues
from landbridge.world.road_network import Turns

__all__ = [
    "BY_LAND",
    "FAMILIES",
    "ArcBars",
    "Assignment",
    "BaseChoice",
    "Choice",
    "Freight",
    "Graph",
    "Queues",
    "Route",
    "RouteSet",
    "RouteSums",
    "Routes",
    "Segments",
    "Turns",
    "align",
    "assign",
    "carried",
    "compile_graph",
    "crossing_terms",
    "freight_between_regions",
    "freight_segments",
    "generate",
    "keeps_every_family",
    "kept_log_tau",
    "log_constants",
    "network_share",
    "pivot",
    "read_demand",
    "read_gmns",
    "read_tntp",
    "read_turns",
    "route",
    "solve_base",
]

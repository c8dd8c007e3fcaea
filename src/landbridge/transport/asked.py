"""What is asked of two places: names that are resolved, and the choice among the routes between them."""

from __future__ import annotations

from dataclasses import dataclass

from landbridge.errors import DataError, Fault
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.transport.between import Between, choose_between
from landbridge.transport.graph import BLOCK, PRODUCTS, WAGONLOAD
from landbridge.transport.routes.modes import MODE_CLASSES
from landbridge.world import World
from landbridge.world.names import resolve_place, resolve_sector

__all__ = ["Asked", "Trip", "between"]


@dataclass(frozen=True)
class Trip:
    """What is asked of two places.

    origin, destination, commodity, k, mode, product: as in `landbridge.transport.legs.route`.
    """

    origin: str
    destination: str
    commodity: str = "MCH"
    k: int = 5
    mode: str | None = None
    product: str | None = None


@dataclass(frozen=True, eq=False)
class Asked:
    """A trip whose names are known.

    after: the World of its routes; scenario: that was applied, None for none; start, end: identifiers;
    commodity: code; sector, product: numbers; found: the routes and the choice among them.
    """

    after: World
    scenario: Scenario | None
    start: str
    end: str
    commodity: str
    sector: int
    product: int
    found: Between

    @property
    def ends(self) -> str:
        """Both places, for faults."""
        return f"{self.start} - {self.end}"


def between(world: World, trip: Trip, scenario: Scenario | str | None = None) -> Asked:
    """The places, goods and rail product of a trip, and the choice of its routes.

    world: the base; trip, scenario: as in `landbridge.transport.legs.find_routes`. Returns Asked. Equations
    of the choice: docs/theory/choice.md.
    Raises DataError for unknown names, InfeasibleError where no open route joins the places, ScenarioError
    for an invalid scenario.
    """
    one = None if scenario is None else load_scenario(scenario, world)
    after = world if one is None else apply(world, one)
    start, end = resolve_place(after.network, trip.origin, trip.destination)
    sector, commodity = _check(after, start, end, trip.commodity, trip.k, trip.mode, trip.product)
    found = choose_between(world, start, end, commodity, one)
    number = BLOCK if found.classes.block_share[sector, 0] >= 0.5 else WAGONLOAD
    if trip.product is not None:
        number = PRODUCTS.index(trip.product)
    return Asked(after, one, start, end, commodity, sector, number, found)


def _check(
    world: World, start: str, end: str, commodity: str, k: int, mode: str | None, product: str | None
) -> tuple[int, str]:
    """Number and code of the commodity, or one DataError with everything wrong in the arguments."""
    sectors = [str(row["sector"]) for row in world.network["sector_freight"]]
    faults = []
    if start == end:
        faults.append(Fault("places", f"both ends are {start}", "give two places"))
    code, fault = resolve_sector(world.tables, commodity, "commodity", sectors)
    if fault:
        faults.append(fault)
    if not isinstance(k, int) or k < 1:
        faults.append(Fault("k", f"is {k}", "ask for at least one route"))
    if mode is not None and mode not in MODE_CLASSES:
        faults.append(Fault("mode", f"is {mode!r}", "use one of " + ", ".join(MODE_CLASSES)))
    if product is not None and product not in PRODUCTS:
        faults.append(Fault("product", f"is {product!r}", "use one of " + ", ".join(PRODUCTS)))
    if faults:
        raise DataError("the question cannot be answered", faults)
    return sectors.index(code), code

"""Days from a place to every other, and the ways between two places that freight does not take, as calls."""

from __future__ import annotations

from typing import Literal

from landbridge.answers.protocol import Answer, answered
from landbridge.errors import Status
from landbridge.io.tables import attribution
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.transport.asked import Trip
from landbridge.world import World

__all__ = ["reach", "ways"]

_COSTED = Status(True, 0.0, 0, "routes are enumerated and costed, nothing is solved")


def reach(world: World, origin: str, commodity: str = "MCH") -> Answer:
    """Days, money and emissions door to door from a place to every other, for a map of isochrones.

    world: from `lb.load`; origin: a place with trade of its own, by name (en, ru, zh) or identifier;
    commodity: a sector by code or name. Table: reach, a row for each place: time_h, quickest_h [h],
    cost_usd [USD/TEU], co2e_kg [kg/TEU]. A .geojson file has a point for each. Equations in
    `landbridge.transport.reach`. Raises DataError for unknown names and a place that is no zone,
    InfeasibleError where no route leads to any other.
    """
    from landbridge.report.ways import reach_geojson, reach_rows, reach_sections
    from landbridge.transport.reach import reach as study

    found = study(world, origin, commodity)
    return answered(
        world,
        "reach",
        found,
        {"reach": reach_rows(world, found)},
        _COSTED,
        lambda most: reach_sections(world, found, most),
        options={"from": found["from"], "commodity": found["commodity"]},
        found=found,
        forms={".geojson": lambda: reach_geojson(world, found, attribution(world.files))},
    )


def ways(
    world: World,
    origin: str,
    destination: str,
    commodity: str = "MCH",
    *,
    product: Literal["block", "wagonload"] | None = None,
    scenario: Scenario | str | None = None,
) -> Answer:
    """Ways between two places that carry little or no freight, each with the reason.

    world: from `lb.load`; origin, destination: places by name (en, ru, zh) or identifier; commodity: a sector
    by code or name; product: of rail legs, that of most of the freight where None; scenario: after which, a
    bundled name, a Scenario or the path of a TOML file. Table: ways, a row for each way: time_h, more_h [h],
    cost_usd, more_usd [USD/TEU], co2e_kg [kg/TEU]; more: than the route most used. Details in
    `landbridge.transport.not_taken`. Raises DataError for unknown names, InfeasibleError where no open route
    joins the places, ScenarioError.
    """
    from landbridge.report.ways import way_rows, way_sections
    from landbridge.transport.not_taken import ways_not_taken

    one = None if scenario is None else load_scenario(scenario, world)
    found = ways_not_taken(world, Trip(origin, destination, commodity, product=product), one)
    after = world if one is None else apply(world, one)
    return answered(
        world,
        "ways",
        found,
        {"ways": way_rows(found)},
        _COSTED,
        lambda _: way_sections(after, found),
        scenarios=[] if one is None else [one],
        options={name: found[name] for name in ("from", "to", "commodity", "product")},
        found=found,
    )

"""The manifest: everything that decides a result, so that the same manifest gives the same numbers.

Wall times and dates are in `run` and nowhere else.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from typing import Any

from landbridge.errors import DataError, Fault
from landbridge.scenario import Scenario
from landbridge.version import version
from landbridge.world import World

__all__ = ["SCHEMA_VERSION", "horizon_of", "manifest", "scenarios_of", "version"]

SCHEMA_VERSION = "0.1"
_LIBRARIES = ("numpy", "scipy")


def manifest(
    world: World | None,
    command: str,
    scenarios: Iterable[Scenario] = (),
    options: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
    libraries: Iterable[str] = (),
) -> dict[str, Any]:
    """The inputs of a run: the World by its hash, every parameter, the scenarios in full, versions.

    world: None where the command uses other data. command: its name; scenarios: applied; options: further
    options of the command. run: wall times and dates. libraries: further packages that affect the numbers.
    """
    return {
        "command": command,
        "landbridge": version(),
        "world": {"name": "embedded" if _embedded(world) else "own", "hash": world.hash} if world else None,
        "parameters": {str(r["parameter"]): str(r["value"]) for r in world.network["parameters"]}
        if world
        else {},
        "scenarios": {s.id: s.to_dict() for s in scenarios},
        "options": dict(options or {}),
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in (*_LIBRARIES, *libraries)},
        "run": dict(run or {}),
    }


def scenarios_of(document: Mapping[str, Any], world: World, where: str) -> list[Scenario]:
    """The scenarios of a manifest, or of a result that holds one, for running them again.

    document: the JSON; world: must be that of the manifest; where: name of the file in faults. Raises
    DataError where the manifest belongs to another World or holds none.
    """
    found = document.get("manifest", document)
    scenarios = found.get("scenarios") if isinstance(found, Mapping) else None
    stated = found.get("world") if isinstance(found, Mapping) else None
    cure = "give a file that `landbridge run -o FILE.json` wrote"
    if not isinstance(scenarios, Mapping) or not isinstance(stated, Mapping):
        raise DataError("not a manifest", [Fault(where, "holds no scenarios and world", cure)])
    command = str(found.get("command", "run")) if isinstance(found, Mapping) else "run"
    if not command.startswith("run"):
        raise DataError("not a manifest of a run", [Fault(where, f"is a manifest of `{command}`", cure)])
    if stated.get("hash") != world.hash:
        what = f"was made with World {str(stated.get('hash'))[:12]}, this is {world.hash[:12]}"
        cure = "give the same data with --world, or run the scenarios again by name"
        raise DataError("another World", [Fault(f"{where}, world", what, cure)])
    out: list[Scenario] = []
    faults: list[Fault] = []
    for name, body in scenarios.items():
        try:
            out.append(Scenario.from_dict(body, name, f"{where}, {name}", world=world))
        except DataError as error:
            faults += error.faults
    if faults:
        raise DataError("the manifest holds broken scenarios", faults)
    return out


def horizon_of(document: Mapping[str, Any]) -> int | None:
    """The year to which a manifest, or a result that holds one, scaled the base economy.

    document: as JSON holds it.
    """
    found = document.get("manifest", document)
    options = found.get("options") if isinstance(found, Mapping) else None
    year = options.get("horizon") if isinstance(options, Mapping) else None
    return year if isinstance(year, int) else None


def _embedded(world: World) -> bool:
    from landbridge.io.tables import DATA

    return world.folder == DATA

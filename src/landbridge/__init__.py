"""landbridge: a trade and freight model of China, Central Asia and Europe, from border queues to real income.

    import landbridge as lb
    world = lb.load()
    after = lb.run(world, "cku-railway")
    after.compare().real_income

Names are imported on first use, so that `import landbridge` takes almost no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from landbridge.answers.chart import chart
    from landbridge.answers.compare import compare
    from landbridge.answers.explain import explain
    from landbridge.answers.invest import invest
    from landbridge.answers.protocol import Answer
    from landbridge.answers.studies import (
        assign,
        calibrate,
        claims,
        disrupt,
        farm,
        gas,
        gravity,
        sensitivity,
        travel,
        treaties,
        validate,
    )
    from landbridge.answers.ways import reach, ways
    from landbridge.answers.why import why
    from landbridge.errors import (
        ConvergenceError,
        DataError,
        InfeasibleError,
        LandbridgeError,
        ScenarioError,
        Status,
    )
    from landbridge.io.tables import load_world as load
    from landbridge.model.run import Study, run, study
    from landbridge.results import Results
    from landbridge.scenario import Scenario, at_horizon
    from landbridge.sweeps.collect import SweepResult
    from landbridge.sweeps.run import sweep
    from landbridge.transport.legs import Routes, route, route_after
    from landbridge.world import World
    from landbridge.world.trade_table import TradeTable

__all__ = [
    "Answer",
    "ConvergenceError",
    "DataError",
    "InfeasibleError",
    "LandbridgeError",
    "Results",
    "Routes",
    "Scenario",
    "ScenarioError",
    "Status",
    "Study",
    "SweepResult",
    "TradeTable",
    "World",
    "assign",
    "at_horizon",
    "calibrate",
    "chart",
    "claims",
    "compare",
    "disrupt",
    "explain",
    "farm",
    "gas",
    "gravity",
    "invest",
    "load",
    "reach",
    "route",
    "route_after",
    "run",
    "sensitivity",
    "study",
    "sweep",
    "travel",
    "treaties",
    "validate",
    "ways",
    "why",
]

_HOME = {
    "Answer": "answers.protocol",
    "ConvergenceError": "errors",
    "DataError": "errors",
    "InfeasibleError": "errors",
    "LandbridgeError": "errors",
    "Results": "results",
    "Routes": "transport.legs",
    "Scenario": "scenario",
    "ScenarioError": "errors",
    "Status": "errors",
    "Study": "model.run",
    "SweepResult": "sweeps.collect",
    "TradeTable": "world.trade_table",
    "World": "world",
    "assign": "answers.studies",
    "at_horizon": "scenario",
    "calibrate": "answers.studies",
    "chart": "answers.chart",
    "claims": "answers.studies",
    "compare": "answers.compare",
    "disrupt": "answers.studies",
    "explain": "answers.explain",
    "farm": "answers.studies",
    "gas": "answers.studies",
    "gravity": "answers.studies",
    "invest": "answers.invest",
    "load": "io.tables",
    "reach": "answers.ways",
    "route": "transport.legs",
    "route_after": "transport.legs",
    "run": "model.run",
    "sensitivity": "answers.studies",
    "study": "model.run",
    "sweep": "sweeps.run",
    "travel": "answers.studies",
    "treaties": "answers.studies",
    "validate": "answers.studies",
    "ways": "answers.ways",
    "why": "answers.why",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from landbridge.version import version

        return version()
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'landbridge' has no attribute {name!r}")
    value = getattr(import_module(f"landbridge.{home}"), "load_world" if name == "load" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

"""The whole chain as a user meets it: cold command, memory, import time, and one warm case.

    python benchmarks/chain.py

Medians of five, one BLAS thread. Targets: import 0.15 s; `landbridge run` 10 s and 600 MB; a warm case,
queues included, 0.24 s.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))
_ENV = {**os.environ, "PYTHONPATH": str(ROOT / "src")}

_COLD = """
import sys
sys.argv = ["landbridge", "run", "--json"]
from landbridge.cli import main
try:
    main()
except SystemExit:
    pass
import resource
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
"""


def median_s(work: Callable[[], object], times: int = 5) -> float:
    """Median wall time [s]."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], env=_ENV, capture_output=True, encoding="utf-8", check=True
    )


def warm_case() -> dict[str, float]:
    """Seconds of one further scenario on kept route sets: with compiled loops, and with numpy alone."""
    import landbridge as lb
    from landbridge.model.base import SolvedBase
    from landbridge.model.prepared import Prepared
    from landbridge.scenario import apply, load_scenario

    world = lb.load()
    scenario = load_scenario("borders-half")
    after = apply(world, scenario)
    common = Prepared([world, after])
    base = SolvedBase(common, world, 0, True)

    def case() -> None:
        base.case(after, 1, scenario)

    found = {}
    for name, fast in (("compiled", "1"), ("numpy", "0")):
        os.environ["LANDBRIDGE_FAST"] = fast
        case()  # compiles, or reads what was compiled
        found[name] = median_s(case)
    del os.environ["LANDBRIDGE_FAST"]
    return found


def calibration() -> dict[str, float]:
    """Seconds of a fit from the stated shares, and how far it ends from the numbers that ship."""
    import landbridge as lb
    from landbridge.studies.calibrate import calibrate

    world, begin = lb.load(), time.perf_counter()
    found = calibrate(world)
    return {"seconds": time.perf_counter() - begin, "drift": found.drift}


def main() -> None:
    """Print one JSON object."""
    nothing = median_s(lambda: python("pass"))
    imported = median_s(lambda: python("import landbridge"))
    peaks = []

    def cold() -> None:
        peaks.append(float(python(_COLD).stderr.split()[-1]))

    warm = warm_case()
    seconds = {
        "import_landbridge": imported - nothing,
        "landbridge_run_cold": median_s(cold),
        "one_case_warm": warm["compiled"],
        "one_case_warm_numpy": warm["numpy"],
    }
    print(
        json.dumps(
            {
                "seconds": {name: round(value, 3) for name, value in seconds.items()},
                "peak_mb_of_run": round(max(peaks)),
                "calibration": calibration(),
                "targets": {
                    "import_landbridge": 0.15,
                    "landbridge_run_cold": 10,
                    "peak_mb_of_run": 600,
                    "one_case_warm": 0.24,
                },
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()

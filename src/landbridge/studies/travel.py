"""Effects of a change of visas or connections: arrivals, receipts, and real income through services.

Freight is unchanged. The event study is descriptive: it shows whether arrivals grew faster where a visa was
waived, which the published effect of a visa does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from landbridge.channels import travel as channel
from landbridge.errors import DataError, Fault, LandbridgeError, Status
from landbridge.io.optional import cure
from landbridge.scenario import Scenario, apply
from landbridge.trade import solve
from landbridge.trade.welfare import CENTRAL_ASIA, worth
from landbridge.world import World

__all__ = ["Travel", "difference", "estimate_gravity", "travel", "waiver"]


@dataclass(frozen=True)
class Travel:
    """Arrivals and receipts by pair, real income by country, the event study, and effects not estimated.

    rows: arrivals and receipts of every pair that changes; income: real income by country [percent, million
    USD a year]; base: known arrivals by pair; events: rows of `event_study`; difference: growth with a waiver
    less that without; identification: whether arrivals could identify a visa effect; students: observed
    figures, which no effect is computed for; notes: remarks for the reader; status: the worst of the solves.
    """

    rows: tuple[dict[str, Any], ...]
    income: tuple[dict[str, Any], ...]
    base: tuple[dict[str, Any], ...]
    events: tuple[dict[str, Any], ...]
    difference: dict[str, Any]
    identification: dict[str, Any]
    students: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    status: Status

    def to_json(self) -> dict[str, Any]:
        """The result as plain values, as `--json` prints it."""
        return {
            "arrivals": list(self.rows),
            "real_income": list(self.income),
            "base_arrivals": list(self.base),
            "event_study": list(self.events),
            "difference": self.difference,
            "identification": self.identification,
            "students": list(self.students),
            "notes": list(self.notes),
        }


def travel(world: World, scenario: Scenario | str) -> Travel:
    """A scenario's visas and connections: arrivals with their range, and effect on real income.

    world: with the travel tables; scenario: name, path or Scenario. Income changes through exports of
    services. Other changes of the scenario are not solved here (`run` does that). Returns a Travel.
    Equations: head of `landbridge.channels.travel`. Raises DataError where tables are missing, ScenarioError
    for an invalid scenario, ConvergenceError or InfeasibleError where the economy has no solution.
    """
    after = apply(world, scenario)
    found = channel.shock(world, after)
    base = world.trade
    solved = {case: solve(base, cost_hat=found.cost_hat[case]) for case in channel.CASES}
    other = solve(base, cost_hat=found.cost_hat["central"], deficits="proportional")
    shown = [r for r in ("CHN", *world.group(CENTRAL_ASIA)) if r in base.regions]
    shown += sorted(
        {r for row in found.rows for r in (row["passport"], row["destination"])} - set(shown)
        & set(base.regions) - set(shown)
    )
    income = []
    for region in shown:
        n = base.regions.index(region)
        percent = {
            case: 100.0 * float(solved[case].real_income_hat[n] - 1.0) for case in reversed(channel.CASES)
        }
        ends = sorted(percent.values())
        income.append(
            {
                "region": region,
                "percent": percent["central"],
                "percent_low": ends[0],
                "percent_high": ends[-1],
                "percent_proportional": 100.0 * float(other.real_income_hat[n] - 1.0),
                **worth(base, n, percent["central"] / 100.0),
            }
        )
    (exchange,) = world.channel("people_exchange")
    events = channel.event_study(world)
    return Travel(
        rows=found.rows,
        income=tuple(income),
        base=tuple(
            {
                "passport": a.passport,
                "destination": a.destination,
                "visitors": a.visitors,
                "year": a.year,
                "scaled": a.scaled,
                "kind": a.kind,
                "source": a.source,
            }
            for a in channel.base_arrivals(world).values()
        ),
        events=tuple(events),
        difference=difference(events),
        identification=channel.identification(world),
        students=tuple(
            {key: row[key] for key in ("subject", "indicator", "period", "value", "unit", "source")}
            for row in exchange
            if "student" in str(row["subject"]).lower() or "student" in str(row["unit"]).lower()
        ),
        notes=found.notes,
        status=Status.worst([*(eq.status for eq in solved.values()), other.status]),
    )


def difference(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Growth from 2023 to 2024 with a mutual waiver in force less that without [percentage points].

    points = mean growth with - mean growth without

    events: rows of `event_study`. Returns both means [%], points and n, the number of comparisons; None where
    one side has none.
    """
    whole = [e for e in events if e["like"] and e["before"] == "2023-01-01 to 2023-12-31"]
    with_waiver = [e["percent"] for e in whole if e["waived"]]
    without = [e["percent"] for e in whole if not e["waived"]]
    if not with_waiver or not without:
        return {"waived_percent": None, "not_waived_percent": None, "points": None, "n": len(whole)}
    means = sum(with_waiver) / len(with_waiver), sum(without) / len(without)
    return {
        "waived_percent": means[0],
        "not_waived_percent": means[1],
        "points": means[0] - means[1],
        "n": len(whole),
    }


def waiver(pairs: Sequence[str]) -> Scenario:
    """The scenario of mutual waivers between pairs written CHN:KGZ.

    pairs: as typed. Raises DataError for another form.
    """
    faults = []
    modifications = []
    for text in pairs:
        ends = [part.strip() for part in text.split(":")]
        if len(ends) != 2 or not all(ends):
            faults.append(Fault("waive", f"is {text!r}", "write two countries as CHN:KGZ"))
            continue
        modifications.append(
            {
                "verb": "change_visa",
                "passport": ends[0],
                "destination": ends[1],
                "requirement": "waived",
                "mutual": True,
            }
        )
    if faults:
        raise DataError("the waivers cannot be read", faults)
    body = {"name": "Mutual visa waivers: " + ", ".join(pairs), "modification": modifications}
    return Scenario.from_dict(body, "waivers", "waive")


def estimate_gravity(world: World) -> Any:
    """PPML of daily arrivals on distance, size of the origin and visas, within destination and period.

    per_day = exp(b1 ln_km + b2 ln_gdp + b3 visa + effects)

    world: with the travel tables. Returns the fit of `landbridge.estimation.estimate`. Read it with
    `identification`: where that finds too few pairs, it does not identify a visa effect.
    Raises LandbridgeError where the estimation extra is not installed, DataError where the world has no
    arrivals.
    """
    try:
        from importlib import import_module

        fit = import_module("landbridge.estimation").estimate
    except ImportError:
        fault = Fault("--estimate", "PPML needs pyfixest", f"install it: {cure('estimation')}")
        raise LandbridgeError("no estimation here", [fault]) from None
    import pandas as pd

    rows = channel.gravity_rows(world)
    data = pd.DataFrame(rows)
    data["cell"] = data["destination"] + " " + data["period"]
    return fit("per_day ~ ln_km + ln_gdp + visa | cell", data)

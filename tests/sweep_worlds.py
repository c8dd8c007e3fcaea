"""A World of two regions, a scenario and a plan for tests of sweeps; run as a program, a sweep to be killed.

python tests/sweep_worlds.py WORLD STORE N serial|processes
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import landbridge as lb
from landbridge.sweeps.run import Workers, sweep


def plan_of(world: lb.World, **other: Any) -> dict[str, Any]:
    """A plan that moves numbers of every kind."""
    gateway = str(world.network["gateways"].rows[0]["gateway_id"])
    change = {"verb": "change_gateway", "gateway": gateway, "time_h": {"multiply": 0.5}}
    half = lb.Scenario.from_dict({"name": "Half the hours", "modification": [change]}, "half")
    numbers = {
        "parameters": ["phi", "rho", "formation_block_h", "carbon_price_usd_per_kg"],
        "theta": ["MCH", "AGR"],
        "time_values": ["AGR"],
        "border_hours": [gateway],
    }
    return {"scenarios": [half], "seed": 7, **numbers, **other}


if __name__ == "__main__":
    own = lb.load(Path(sys.argv[1]))
    sweep(own, plan_of(own), int(sys.argv[3]), executor=Workers(sys.argv[4], 2), store=sys.argv[2])

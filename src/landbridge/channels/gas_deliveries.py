"""Pipeline gas of a year by contract: volume, lines, countries on the way, and what the figures rest on."""

from __future__ import annotations

from typing import Any

from landbridge.channels.gas_model import GasModel, GasYear
from landbridge.channels.gas_network import BASE_YEAR
from landbridge.world import World

__all__ = ["deliveries"]

# Below this share of a contract's gas a line does not count as one that carries it.
_SOME = 0.005


def deliveries(world: World, year: int = BASE_YEAR) -> dict[str, Any]:
    """Gas sold by each country to each other, and output and use of those with a balance.

    world: with the gas tables; year: whose deliveries, in equal months. Volumes are bcm of the operator.
    Returns year, volume_basis, `contracts` (due_bcm, delivered_bcm, lines and their names, through: countries
    on the way) and `balances` (output_bcm, use_bcm), each row with its source, year of the source and basis.
    Raises as `landbridge.channels.gas_model.GasModel`.
    """
    model = GasModel(world, year=year)
    found, network = model.solve(), model.network
    stated = {str(r["contract_id"]): r for r in world.channels["gas_contracts"] if r["contract_year"] == year}
    contracts = []
    for row in found.contracts:
        told = stated[row["contract"]]
        kept = {name: row[name] for name in ("contract", "exporter", "importer", "due_bcm", "delivered_bcm")}
        contracts.append(
            {**kept, **_way(found, row), **{c: told[c] for c in ("source", "year", "basis", "note")}}
        )
    balances = [
        {
            "country": str(r["country"]),
            "output_bcm": network.output[str(r["country"])],
            "use_bcm": network.home[str(r["country"])],
            **{c: r[c] for c in ("source", "year", "basis", "note")},
        }
        for r in world.channels["gas_balances"]
        if r["balance_year"] == year
    ]
    return {"year": year, "volume_basis": "operator", "contracts": contracts, "balances": balances}


def _way(found: GasYear, row: dict[str, Any]) -> dict[str, Any]:
    """The lines that carry gas of a contract, and the countries between its ends, in order."""
    network, flow = found.model.network, found.model.programme.unknowns.flow
    number = [one.id for one in network.contracts].index(row["contract"])
    used = {
        arc
        for (contract, arc), block in flow.items()
        if contract == number and found.x[block].sum() > _SOME * max(row["due_bcm"], 1e-9)
    }
    lines = [one for one in network.lines if used & set(one.arcs)]
    front, passed = list(network.contracts[number].starts), dict[str, None]()
    for node in front:  # grows as nodes are reached
        passed[network.country_of[node]] = None
        front += [b for a, b, _ in (network.arcs[n] for n in sorted(used)) if a == node and b not in front]
    ends = row["exporter"], row["importer"]
    return {
        "lines": [one.id for one in lines],
        "line_names": [one.name for one in lines],
        "through": [country for country in passed if country not in ends],
    }

"""Rules on the tables that distribute trade: zones, groups of pairs, families, kept costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import permutations

from landbridge.errors import Fault
from landbridge.world.keys import spelled, where
from landbridge.world.table import Cell, Table

__all__ = ["check_shares"]

Network = Mapping[str, Table]
Row = Mapping[str, Cell]


def check_shares(network: Network) -> list[Fault]:
    """Every fault of these tables, given the tables of a World by name; an empty list when all rules hold.

    network: the tables by name.
    """
    rules = (
        _shares_sum_to_one,
        _zones_have_their_shares,
        _kept_costs_are_whole,
        _comparable_rows_are_whole,
        _every_pair_has_a_group,
    )
    return [fault for rule in rules for fault in rule(network)]


def _shares_sum_to_one(network: Network) -> list[Fault]:
    faults = []
    for name, keys in (
        ("zones", ("region",)),
        ("zone_shares", ("region", "flow", "sector")),
        ("family_shares", ("pair_group", "kind")),
    ):
        total: dict[str, float] = defaultdict(float)
        for row in network.get(name, ()):
            total[", ".join(str(row[key]) for key in keys)] += float(row["share"] or 0.0)
        for key, value in total.items():
            if abs(value - 1.0) > 1e-6:
                faults.append(
                    Fault(f"{name}.csv", f"shares of {key} sum to {value:.6f}", "make them sum to 1")
                )
    return faults


def _zones_have_their_shares(network: Network) -> list[Fault]:
    """Zone shares belong to zones of their region, and the rows for all goods name each of those zones."""
    faults = []
    region = {str(row["place_id"]): row["region"] for row in network["zones"]}
    for number, row in enumerate(network.get("zone_shares", ())):
        if region.get(str(row["place_id"])) != row["region"]:
            cure = "take the row out, or make the place a zone of the region in zones.csv"
            faults.append(Fault(where("zone_shares", number, row), f"is no zone of {row['region']}", cure))
    shared: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in network.get("zone_shares", ()):
        if row["sector"] == "*":
            shared[str(row["region"]), str(row["flow"])].add(str(row["place_id"]))
    for (code, flow), named in shared.items():
        own = {place for place, of in region.items() if of == code}
        for place in sorted(own - named):
            cure = "add a row, 0 where it has none"
            faults.append(Fault(f"zone_shares.csv ({code}, *, {flow})", f"no row for the zone {place}", cure))
    return spelled(faults, "zone_shares.csv")


def _kept_costs_are_whole(network: Network) -> list[Fault]:
    """Trade inside a bloc that is off the network has a kept cost for every pair and freight sector."""
    blocs: dict[str, list[str]] = defaultdict(list)
    for row in network["pair_groups"]:
        if row["on_network"] and not row["bloc_on_network"]:
            blocs[str(row["bloc"])].append(str(row["region"]))
    have = {
        (str(row["exporter"]), str(row["importer"]), str(row["sector"]))
        for row in network.get("kept_costs", ())
    }
    sectors = [str(row["sector"]) for row in network["sector_freight"]]
    cure = "add the row, or write bloc_on_network = yes in pair_groups.csv"
    faults = [
        Fault(f"kept_costs.csv ({o}, {d}, {s})", "no row, and the pair is off the network", cure)
        for regions in blocs.values()
        for o, d in permutations(regions, 2)
        for s in sectors
        if (o, d, s) not in have
    ]
    return spelled(faults, "kept_costs.csv")


def _comparable_rows_are_whole(network: Network) -> list[Fault]:
    """A comparable row of validation_modes states its measure, modes, ends and value."""
    faults = []
    regions = {str(row["region"]) for row in network.get("regions", ())} | {"*"}
    for number, row in enumerate(network.get("validation_modes", ())):
        wrong = _wrong_with_mode(row, regions) if row["comparable"] else []
        if wrong:
            cure = "correct the row, or write comparable = no"
            faults.append(Fault(where("validation_modes", number, row), "; ".join(wrong), cure))
    return spelled(faults, "validation_modes.csv")


def _wrong_with_mode(row: Row, regions: set[str]) -> list[str]:
    """Faults of a comparable row of validation_modes."""
    share = str(row["measure"] or "").startswith("share_")
    needed = ("exporter", "importer", "kind", "measure", "by", "mode", *(["of_modes"] if share else []))
    wrong = [f"no {name}" for name in needed if row[name] is None]
    value = float(row["value"] or 0.0)
    if share and not 0.0 < value <= max(value, float(row["high"] or 0.0)) < 1.0:
        wrong.append("the value of a share lies between 0 and 1")
    elif not value > 0.0:
        wrong.append("the value is not above 0")
    if len(regions) > 1:
        wrong += [f"no region {code}" for code in _not_among(row, ("exporter", "importer"), regions)]
    modes = {"sea", "rail", "road", "multimodal", "all"}
    return wrong + [f"no mode {mode}" for mode in _not_among(row, ("mode", "of_modes"), modes)]


def _not_among(row: Row, columns: tuple[str, ...], known: set[str]) -> list[str]:
    """Unknown words in cells of words joined by +; an empty cell has none."""
    named = {word for column in columns if row[column] for word in str(row[column]).split("+")}
    return sorted(named - known)


def _every_pair_has_a_group(network: Network) -> list[Fault]:
    """Every pair of regions belongs to a group of pairs, and every group has its shares."""
    faults = []
    rows = list(network["group_pairs"])
    groups = {str(row["pair_group"]) for row in rows}
    if not any(row["one"] == row["other"] == "*" for row in rows):
        cure = "add a row with one and other *: the group of all pairs that no other row takes"
        faults.append(Fault("group_pairs.csv", "some pairs of regions have no group", cure))
    seen: set[tuple[str, frozenset[str], str]] = set()
    for number, row in enumerate(rows):
        way = str(row["way"])
        ends = way, frozenset((str(row["one"]), str(row["other"]))), str(row["one"]) if way == "out" else ""
        if ends in seen:
            cure = "keep one of the two rows: with way both, a row holds in both directions"
            faults.append(Fault(where("group_pairs", number, row), "names the same pair again", cure))
        seen.add(ends)
    given: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for row in network["family_shares"]:
        given[str(row["kind"]), str(row["pair_group"])].add(row["weight"] is None)
    for (kind, group), blank in given.items():
        if len(blank) > 1:
            cure = "give all weights of the group, or none: the shares are then used"
            faults.append(Fault(f"family_shares.csv ({kind}, {group})", "some weights are blank", cure))
    for name in ("family_shares", "block_train_share"):
        named = {str(row["pair_group"]) for row in network[name]}
        for group in sorted(groups - named):
            faults.append(Fault(f"{name}.csv", f"no row for the pair group {group}", "add its rows"))
        for group in sorted(named - groups):
            cure = f"use one of {', '.join(sorted(groups))}, or add it to group_pairs.csv"
            faults.append(Fault(f"{name}.csv", f"no pair group {group}", cure))
    return faults

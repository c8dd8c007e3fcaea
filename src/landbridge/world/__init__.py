"""The World: network, trade table and parameters, frozen, each figure with its source."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.notebook import html_table
from landbridge.world import groups
from landbridge.world.gateway_kinds import GatewayKinds
from landbridge.world.table import Cell, Column, Table, base_year, read_schema
from landbridge.world.trade_table import TradeTable

__all__ = ["Cell", "Column", "Policy", "Table", "TradeTable", "World", "read_schema"]

FloatArray = NDArray[np.float64]
# Columns of the table regions that mark membership in a group.
_MARK = "is_"


@dataclass(frozen=True)
class Policy:
    """Changes that a scenario makes to the economy itself; None keeps the base.

    tariff [o, d, s]: tariffs after the change, fraction of the producer price.
    productivity_hat [n, s]: productivity after / before.
    trade_cost_hat [o, d, s]: trade costs after / before, in addition to those of freight.
    transfer [n], works [n]: received from other regions, spent on works [million USD a year].
    no_transit: countries that carry only their own trade.
    no_transit_of: further such countries, by sector.
    """

    tariff: FloatArray | None = None
    productivity_hat: FloatArray | None = None
    trade_cost_hat: FloatArray | None = None
    transfer: FloatArray | None = None
    works: FloatArray | None = None
    no_transit: frozenset[str] = frozenset()
    no_transit_of: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """All inputs of a run: tables of the network, the base trade table and the policy.

    network: tables by name (places, links, gateways, crossings, parameters ...), see schema.csv.
    regions, sectors: the axes of the trade table.
    trade: trade and production of the base year.
    folder: where the tables were read from; applying and solving a scenario read nothing from it.
    channels: tables of gas, farms, travel, treaties and claims; empty where the folder has none.
    files: contents of further files by their path inside the folder: sources, all variants of the economy.
    """

    network: Mapping[str, Table]
    regions: Table
    sectors: Table
    trade: TradeTable
    folder: Path
    policy: Policy = field(default_factory=Policy)
    channels: Mapping[str, Table] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return (
            f"<World: {len(self.network['places'])} places, {len(self.network['links'])} links, "
            f"{len(self.network['gateways'])} gateways, {len(self.trade.regions)} regions x "
            f"{len(self.trade.sectors)} sectors, {self.hash[:12]}>"
        )

    def _repr_html_(self) -> str:
        rows = [(name, f"{len(table):,}") for name, table in self.tables.items()]
        return html_table(repr(self).strip("<>"), ("table", "rows"), rows)

    @property
    def tables(self) -> Mapping[str, Table]:
        """Every table by name: network, channels and the two axes of the trade table."""
        return {**self.network, **self.channels, "regions": self.regions, "sectors": self.sectors}

    @property
    def economy_files(self) -> dict[str, bytes]:
        """Contents of the files of the economy by path inside its folder, for `landbridge.io.economy`."""
        inside = "economy/"
        return {k.removeprefix(inside): v for k, v in self.files.items() if k.startswith(inside)}

    @cached_property
    def _parameters(self) -> dict[str, Mapping[str, Cell]]:
        return self.network["parameters"].by("parameter")

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Countries of each group by name, from the table country_groups, else from the embedded one."""
        known = groups.TABLE in self.network
        return groups.groups_of(self.network[groups.TABLE]) if known else groups.standard_groups()

    def group(self, name: str) -> tuple[str, ...]:
        """The country codes of a group, such as CA5 or EU. Raises DataError for an unknown name."""
        return groups.group_of(self.groups, name)

    @cached_property
    def region_groups(self) -> Mapping[str, tuple[str, ...]]:
        """Region codes of the groups that a scenario may name: CA5 from the column is_ca5, and so on."""
        marks = [name for name in self.regions.columns if name.startswith(_MARK)]
        return {
            mark.removeprefix(_MARK).upper(): tuple(str(r["region"]) for r in self.regions if r[mark])
            for mark in marks
        }

    @cached_property
    def gateway_kinds(self) -> GatewayKinds:
        """Role in the network and wait law of each kind of gateway."""
        return GatewayKinds(self.network)

    def setting(self, name: str) -> str:
        """The value of a parameter as text, for words such as kgz_trade = reported.

        name: as in the table parameters. Raises DataError for an unknown name.
        """
        row = self._parameters.get(name)
        if row is None:
            raise DataError(
                "unknown parameter",
                [Fault("parameters", f"no parameter {name!r}", did_you_mean(name, self._parameters))],
            )
        return str(row["value"])

    def parameter(self, name: str) -> float:
        """The value of a numeric parameter, in the unit that the table states.

        name: as in the table parameters. Raises DataError for an unknown name and for a value that is no
        number.
        """
        text = self.setting(name)
        try:
            return float(text)
        except ValueError:
            fault = Fault(f"parameters, {name}", f"value is {text!r}", "give a number")
            raise DataError("a parameter is not a number", [fault]) from None

    @property
    def base_year(self) -> int:
        """Year of the base: of its network, prices and trade, and the earliest horizon of the economy."""
        self.setting("horizon")  # raises where the parameter is absent
        return base_year(self._parameters["horizon"])

    def channel(self, *names: str) -> tuple[Table, ...]:
        """Tables of a channel, in the order of `names`.

        Raises DataError that lists every table the World lacks.
        """
        lost = [name for name in names if name not in self.channels]
        if lost:
            cure = "copy it from the folder that `landbridge data export` writes"
            faults = [Fault(f"channels/{name}.csv", "is not in this World", cure) for name in lost]
            raise DataError("tables of the channel are missing", faults)
        return tuple(self.channels[name] for name in names)

    def with_channels(self, **tables: Table) -> World:
        """A copy of the World with some channel tables replaced, given by name."""
        return replace(self, channels={**self.channels, **tables})

    def with_network(self, **tables: Table) -> World:
        """A copy of the World with some network tables replaced, given by name."""
        return replace(self, network={**self.network, **tables})

    @cached_property
    def hash(self) -> str:
        """SHA-256 over every table, the trade table and the policy: equal worlds have equal hashes."""
        digest = hashlib.sha256()
        tables = self.tables
        for name in sorted(tables):
            table = tables[name]
            digest.update(f"{name}\x1e{table.columns}\x1e".encode())
            for row in table.rows:
                digest.update(repr([row[column] for column in table.columns]).encode())
        for array in (
            self.trade.trade,
            self.trade.tariff,
            self.trade.value_added_share,
            self.trade.rent_share,
            self.trade.input_share,
            self.trade.final_share,
            self.trade.theta,
            self.policy.tariff,
            self.policy.productivity_hat,
            self.policy.trade_cost_hat,
            self.policy.transfer,
            self.policy.works,
        ):
            digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
        digest.update(" ".join(sorted(self.policy.no_transit)).encode())
        for sector, countries in sorted(self.policy.no_transit_of.items()):
            digest.update(" ".join((sector, *sorted(countries))).encode())
        return digest.hexdigest()

"""Kinds of gateways, their role in the network and their wait law, from the table gateway_kinds."""

from __future__ import annotations

from collections.abc import Mapping

from landbridge.world.table import Cell, Table

__all__ = ["NO_QUEUE", "TABLE", "GatewayKinds"]

TABLE = "gateway_kinds"
# The wait law of gateways without a queue.
NO_QUEUE = "none"
_USUAL = "akcelik"


class GatewayKinds:
    """Kinds of gateways of a World; without the table the kinds are border, port and strait.

    network: tables of the World by name.
    """

    def __init__(self, network: Mapping[str, Table]) -> None:
        self._rows = network[TABLE].by("kind") if TABLE in network else {}

    def stands_for(self, gateway: Mapping[str, Cell]) -> str:
        """Role of a gateway, given its row, in the network: border, port or strait."""
        kind = str(gateway["kind"])
        return str(self._rows[kind]["stands_for"]) if kind in self._rows else kind

    def wait_law(self, gateway: Mapping[str, Cell]) -> str:
        """Registered name of the wait law of a gateway, given its row; `NO_QUEUE` for none."""
        kind = str(gateway["kind"])
        if kind in self._rows:
            return str(self._rows[kind]["wait_law"])
        return NO_QUEUE if kind == "strait" else _USUAL

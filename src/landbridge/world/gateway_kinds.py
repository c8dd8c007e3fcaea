"""Kinds of gateways: what each is to the network, and the law of its waits, from the table gateway_kinds."""

from __future__ import annotations

from collections.abc import Mapping

from landbridge.world.table import Cell, Table

__all__ = ["NO_QUEUE", "TABLE", "GatewayKinds"]

TABLE = "gateway_kinds"
# The wait law of gateways without a queue.
NO_QUEUE = "none"
_USUAL = "akcelik"


class GatewayKinds:
    """Kinds of gateways of a World; a World without the table has border, port and strait as they come."""

    def __init__(self, network: Mapping[str, Table]) -> None:
        self._rows = network[TABLE].by("kind") if TABLE in network else {}

    def stands_for(self, gateway: Mapping[str, Cell]) -> str:
        """What the row of a gateway is to the network: border, port or strait."""
        kind = str(gateway["kind"])
        return str(self._rows[kind]["stands_for"]) if kind in self._rows else kind

    def wait_law(self, gateway: Mapping[str, Cell]) -> str:
        """Name of the law of its waits where a capacity is known; `NO_QUEUE` for none."""
        kind = str(gateway["kind"])
        if kind in self._rows:
            return str(self._rows[kind]["wait_law"])
        return NO_QUEUE if kind == "strait" else _USUAL

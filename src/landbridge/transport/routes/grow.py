"""Least-cost trees of a network, compiled by numba: those of scipy's Dijkstra, ended at the nodes asked for.

Imported only where numba is installed and the search is large, since it is compiled at its first use.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from landbridge.transport.compiled import compile_loop
from landbridge.transport.heap import pop, push

__all__ = ["grow"]

_NO_NODE = -9999


@partial(compile_loop, zero_division="numpy")
def grow(edges: Any, roots: Any, first: Any, ends: Any, most: float, distance: Any, before: Any) -> None:
    """Fill distances and nodes before along the least-cost trees from some nodes.

    edges: first edge of every node, their heads and costs; roots [root]; first [root + 1], ends [n]: the
    nodes asked for from each root are ends[first[k]:first[k + 1]], all where it has none; a tree ends when
    all of its own are reached. most: larger distances count as none. distance, before [root, node]: filled;
    infinite and -9999 where a tree does not reach; final for the nodes asked for only.
    """
    start, heads, cost = edges
    key, item = np.empty(len(heads) + 1), np.empty(len(heads) + 1, dtype=np.int32)
    wanted = np.full(distance.shape[1], -1, dtype=np.int32)
    for k in range(len(roots)):
        far, came = distance[k], before[k]
        for node in range(len(far)):
            far[node], came[node] = np.inf, _NO_NODE
        left = 0
        for e in range(first[k], first[k + 1]):
            if wanted[ends[e]] != k:
                wanted[ends[e]] = k
                left += 1
        some = left > 0
        far[roots[k]] = 0.0
        key[0], item[0], size = 0.0, roots[k], 1
        while size > 0:
            reached, node = key[0], item[0]
            pop(key, item, size)
            size -= 1
            if reached > far[node]:
                continue
            if wanted[node] == k:
                wanted[node] = -1
                left -= 1
                if some and left == 0:
                    break
            for e in range(start[node], start[node + 1]):
                total = reached + cost[e]
                if total < far[heads[e]] and total <= most:
                    far[heads[e]] = total
                    came[heads[e]] = node
                    push(key, item, size, total, heads[e])
                    size += 1

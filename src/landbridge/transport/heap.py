"""A binary heap for compiled searches: the keys in one array, the items that belong to them in another.

Both functions are inlined where they are called. Stored machine code knows the source of the calling file
alone, so after a change here remove the caches of numba (`*.nbi`, `*.nbc` in `__pycache__`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from landbridge.transport.compiled import compile_loop

__all__ = ["pop", "push"]

_inside = partial(compile_loop, inside=True)


@_inside
def push(key: Any, item: Any, size: int, new_key: Any, new_item: Any) -> None:
    """Add an item to a heap; of equal keys the one that came first stays above.

    key, item [n]: those of the heap, the least first, changed in place; size: their number before, less than
    n. new_key, new_item: what is added.
    """
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if key[above] <= new_key:
            break
        key[at], item[at] = key[above], item[above]
        at = above
    key[at], item[at] = new_key, new_item


@_inside
def pop(key: Any, item: Any, size: int) -> None:
    """Remove the least item of a heap, key[0] and item[0], which the caller has read.

    key, item [n]: those of the heap, changed in place; size: their number before, at least one.
    """
    last, moved, at = key[size - 1], item[size - 1], 0
    while True:
        below = 2 * at + 1
        if below >= size - 1:
            break
        if below + 1 < size - 1 and key[below + 1] < key[below]:
            below += 1
        if key[below] >= last:
            break
        key[at], item[at] = key[below], item[below]
        at = below
    key[at], item[at] = last, moved

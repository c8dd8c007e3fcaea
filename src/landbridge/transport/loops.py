"""The loops of route choice, compiled by numba: the same sums as the numpy code, in the same order.

One group of routes (pair and family) at a time goes through all steps while its rows are in the first cache;
numpy reads and writes every step to memory. Imported only by `landbridge.transport.compiled.loop`, since
numba takes half a second to load. The equations are those of `landbridge.transport.choice.weights` and
`landbridge.transport.routes.nests`.

Arguments that several functions share:
    span       first group, and the one after the last
    nests      arrays of `Nests.arrays`
    routes     pair, hours, their variance [h2], money of containers and of bulk [USD/TEU], kg CO2e, whether
               open, the constants by kind of goods (empty where all are one); then three numbers: the
               least variance [h2], the unit of costs [USD], the carbon price [USD/kg]
    segments   kind, value of an hour by pair, rho by sector, phi; rows of sectors are padded to whole vectors
    room       rows [route of the largest group, sector] and vectors [sector] to work in, see `_room`
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from landbridge.transport.compiled import compile_loop

__all__ = ["loads", "totals"]

_NOTHING = 1e-290

_vector = partial(compile_loop, zero_division="numpy")
_inside = partial(_vector, inside=True)


@_inside
def _room(group_start: Any, n: int) -> Any:
    """Rows for G, w, w^4, sums of slopes and P V of the largest group; vectors for N and V."""
    most = 0
    for g in range(len(group_start) - 1):
        most = max(most, group_start[g + 1] - group_start[g])
    cost, weight, fourth = np.empty((most, n)), np.empty((most, n)), np.empty((most, n))
    return cost, weight, fourth, np.empty((most, n)), np.empty((most, n)), np.empty(n), np.empty(n)


@_inside
def _weigh(g: Any, nests: Any, routes: Any, segments: Any, room: Any) -> None:
    """G and w of the routes of group g."""
    group_start = nests[0]
    pair, hours, variance, paid, paid_bulk, co2e, opened, constant, (least, unit, carbon) = routes
    kind, per_hour, rho, power = segments
    cost, weight = room[0], room[1]
    lo, hi, n = group_start[g], group_start[g + 1], per_hour.shape[1]
    for r in range(lo, hi):
        value, c, w = per_hour[pair[r]], cost[r - lo], weight[r - lo]
        h, wide = hours[r], math.sqrt(variance[r] + least)
        boxed, bulk = paid[r] + carbon * co2e[r], paid_bulk[r] + carbon * co2e[r]
        one = two = unit if opened[r] else 0.0
        if len(constant):
            one, two = one * constant[r, 0], two * constant[r, 1]
        if power == 8.0:
            for s in range(n):
                price = value[s] * (h + wide * rho[s]) + (boxed if kind[s] == 0.0 else bulk)
                c[s] = price
                x = (one if kind[s] == 0.0 else two) / price
                x *= x
                x *= x
                w[s] = x * x
            continue
        for s in range(n):
            c[s] = value[s] * (h + wide * rho[s]) + (boxed if kind[s] == 0.0 else bulk)
            w[s] = (one if kind[s] == 0.0 else two) / c[s]
        whole = int(power)
        if whole != power or whole < 1:
            for s in range(n):
                w[s] = w[s] ** power
            continue
        # By squaring, from the second of its binary digits on.
        base, digit = w.copy(), 1
        while 2 * digit <= whole:
            digit *= 2
        while digit > 1:
            digit //= 2
            for s in range(n):
                w[s] = w[s] * w[s]
            if whole & digit:
                for s in range(n):
                    w[s] = w[s] * base[s]


@_inside
def _sum(g: Any, nests: Any, room: Any) -> None:
    """V of group g alone, with the sums of `Block.totals`."""
    group_start, block_start, own, cell_group_start, cell_start, route, part4 = nests
    weight, fourth, shared, nest, total = room[1], room[2], room[3], room[5], room[6]
    lo, n = group_start[g], weight.shape[1]
    shift = block_start[g] - lo
    for s in range(n):
        total[s] = 0.0
    for k in range(group_start[g + 1] - lo):
        w, f, alone = weight[k], fourth[k], own[lo + k]
        for s in range(n):
            total[s] += alone * w[s]
            square = w[s] * w[s]
            f[s] = square * square
    for s in range(n):
        shared[0, s] = 0.0
    for c in range(cell_group_start[g], cell_group_start[g + 1]):
        for s in range(n):
            nest[s] = 0.0
        for e in range(cell_start[c], cell_start[c + 1]):
            x, f = part4[e], fourth[route[e] + shift]
            for s in range(n):
                nest[s] += x * f[s]
        for s in range(n):
            shared[0, s] += math.sqrt(math.sqrt(nest[s]))
    for s in range(n):
        total[s] += shared[0, s]


@_inside
def _nest(g: Any, nests: Any, room: Any) -> None:
    """P_r V and V of group g, with the sums of `Block.nested`."""
    group_start, block_start, own, cell_group_start, cell_start, route, part4 = nests
    weight, fourth, slope, pull, nest, total = room[1], room[2], room[3], room[4], room[5], room[6]
    lo, n = group_start[g], weight.shape[1]
    size, shift = group_start[g + 1] - lo, block_start[g] - lo
    for k in range(size):
        w, f, a, p, alone = weight[k], fourth[k], slope[k], pull[k], own[lo + k]
        for s in range(n):
            p[s] = alone * w[s]
            square = w[s] * w[s]
            f[s] = square * square
            a[s] = 0.0
    for c in range(cell_group_start[g], cell_group_start[g + 1]):
        for s in range(n):
            nest[s] = 0.0
        for e in range(cell_start[c], cell_start[c + 1]):
            x, f = part4[e], fourth[route[e] + shift]
            for s in range(n):
                nest[s] += x * f[s]
        for s in range(n):
            nest[s] = math.sqrt(math.sqrt(nest[s])) / max(nest[s], _NOTHING)
        for e in range(cell_start[c], cell_start[c + 1]):
            x, a = part4[e], slope[route[e] + shift]
            for s in range(n):
                a[s] += x * nest[s]
    for s in range(n):
        total[s] = 0.0
    for k in range(size):
        f, a, p = fourth[k], slope[k], pull[k]
        for s in range(n):
            p[s] += f[s] * a[s]
            total[s] += p[s]


@_vector
def totals(span: Any, nests: Any, routes: Any, segments: Any, marked: Any, out: Any) -> None:
    """V, the mean cost and P V of the flagged groups in a range, marked [group].

    span: first group and the one after the last; nests, routes, segments: of `Weights.for_loops`; equations:
    `landbridge.transport.routes.nests`. out: V [sector, group], sum_r P_r G_r [sector, group], USD/TEU, P_r V
    [route, sector]; the last two may be empty.
    """
    total, mean, pulled = out
    group_start, k, n = nests[0], len(total), segments[1].shape[1]
    room = _room(group_start, n)
    cost, pull, v = room[0], room[4], room[6]
    per, average, alone = np.empty(n), np.empty(n), not len(mean) and not len(pulled)
    for g in range(span[0], span[1]):
        if not marked[g]:
            continue
        _weigh(g, nests, routes, segments, room)
        if alone:
            _sum(g, nests, room)
        else:
            _nest(g, nests, room)
        lo, size = group_start[g], group_start[g + 1] - group_start[g]
        for s in range(k):
            total[s, g] = v[s]
        if len(mean):
            for s in range(n):
                per[s], average[s] = 1.0 / v[s] if v[s] > _NOTHING else 0.0, 0.0
            for r in range(size):
                for s in range(n):
                    average[s] += pull[r, s] * per[s] * cost[r, s]
            for s in range(k):
                mean[s, g] = average[s]
        if len(pulled):
            for r in range(size):
                for s in range(k):
                    pulled[lo + r, s] = pull[r, s]


@_inside
def _row(row: Any, per: Any, tables: Any, out: Any, kinds_of: Any) -> None:
    """The load of one route, from P_r V and the loads of its family per unit of it [3, sector]."""
    product, per_teu, kinds = tables
    for s in range(len(kinds)):
        x, y = row[s] * per[0, s], row[s] * per[1, s]
        out[product] += x
        for i in range(3):
            out[2 + i] += x * per_teu[s, i]
        for i in range(2):
            out[5 + i] += x * per[2, s] * kinds[s, i]
        if len(kinds_of):
            for i in range(2):
                kinds_of[product + 2 * i] += y * kinds[s, i]


@_vector
def loads(span: Any, nests: Any, routes: Any, segments: Any, traffic: Any, tables: Any, out: Any) -> None:
    """The loads of the routes of a range of groups by one product, added to out.

    The sums are those of `Choice._route_loads`; equations: `landbridge.transport.choice.weights`.

    span: the first group and the one after the last. nests, routes, segments: the arrays of the nests, of the
    routes and of the segments that the functions of this module share.
    traffic: pair [group], share of the family in the pair's TEU by this product [sector, group], two demands
    [TEU] and the value of a TEU [pair, sector]. tables: number of the product;
    containers, t in containers and t in bulk of a TEU [sector, 3]; kinds [sector, 2]. out: [route, 7], and
    [route, 4] or empty.
    """
    group_pair, share, demand, beside, value = traffic
    found, by_kind = out
    group_start, k, n = nests[0], len(share), segments[1].shape[1]
    room = _room(group_start, n)
    pull, v = room[4], room[6]
    per, nothing = np.zeros((3, n)), np.empty(0)
    for g in range(span[0], span[1]):
        q, carries = group_pair[g], False
        for s in range(k):
            carries = carries or share[s, g] > 0.0
        if not carries:
            continue
        _weigh(g, nests, routes, segments, room)
        _nest(g, nests, room)
        for s in range(k):
            of_v = share[s, g] / v[s] if v[s] > 0.0 else 0.0
            per[0, s], per[1, s], per[2, s] = demand[q, s] * of_v, beside[q, s] * of_v, value[q, s]
        lo = group_start[g]
        for r in range(group_start[g + 1] - lo):
            kept = by_kind[lo + r] if len(by_kind) else nothing
            _row(pull[r], per, tables, found[lo + r], kept)

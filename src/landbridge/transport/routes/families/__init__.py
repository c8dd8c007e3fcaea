"""Corridor families: one definition, as states over arcs, used by the search and for naming routes.

Four tables next to this file define them. `marks.csv`: the mark of an arc (a land border by rail, a ship
boarded at the eastern shore of the Caspian), by part; in each part the first row that fits an arc applies.
`steps.csv`: how a mark changes the state of its part; unlisted marks leave it, and after `other` a route is
in no corridor. `names.csv`: the family of a route by the states of all parts at its end, first row that fits;
else `other`. `ends.csv`: families that are searched only for pairs with an end in some countries.

A route is read from its eastern end. The states of all parts together are a finite automaton; `Labels.of`
makes, for each family, the smallest automaton that accepts exactly the routes of that family. A search on
places x its states can find nothing else.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landbridge.transport.graph import LAYERS, PORT, RAILS, SEA, Graph

__all__ = ["BY_LAND", "BY_TRUCK", "FAMILIES", "MIXED", "OTHER", "Automaton", "Labels", "rules_text", "serves"]

IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Row = Mapping[str, str]
_State = tuple[str, ...]

FAMILIES = (
    "northern",
    "trans-caspian",
    "trans-caspian-road",
    "southern",
    "southern-road",
    "road",
    "sea",
    "sea-road",
    "other",
)
# Corridors by land, including those with a ship over the Caspian.
BY_LAND = tuple(name for name in FAMILIES if name not in ("sea", "sea-road", "other"))
# Corridors of trucks alone, some with a ship.
BY_TRUCK = ("trans-caspian-road", "southern-road", "road", "sea-road")
# Trucks over every border and rail inside countries; counted as road for pairs that have no railway.
MIXED = len(FAMILIES)
OTHER = FAMILIES.index("other")
# No route of the families searched for.
NONE = -1
_HERE = Path(__file__).resolve().parent
_ANY = ""
_DEAD = -1


@dataclass(frozen=True)
class _Rules:
    """Three of the tables: marks by part in order, steps by (part, state, mark), names in order."""

    parts: tuple[str, ...]
    marks: Mapping[str, tuple[Row, ...]]
    steps: Mapping[tuple[str, str, str], str]
    names: tuple[Row, ...]

    def start(self, country: str) -> _State:
        """States of all parts where a trip begins in a country."""
        return tuple(
            next(
                state
                for mark in (f"begin {country}", "begin")
                for (of, state, given), _ in self.steps.items()
                if (of, given) == (part, mark)
            )
            for part in self.parts
        )

    def states(self, part: str) -> list[str]:
        """All states of a part."""
        mine = [(state, after) for (of, state, _), after in self.steps.items() if of == part]
        return list(dict.fromkeys(x for pair in mine for x in pair if x not in ("", "other")))


@lru_cache(maxsize=1)
def _rules() -> _Rules:
    def read(name: str) -> list[Row]:
        with (_HERE / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    marks, steps = read("marks.csv"), read("steps.csv")
    parts = tuple(dict.fromkeys(row["part"] for row in steps))
    return _Rules(
        parts,
        {part: tuple(row for row in marks if row["part"] == part) for part in parts},
        {(row["part"], row["state"], row["mark"]): row["next"] for row in steps},
        tuple(read("names.csv")),
    )


@lru_cache(maxsize=1)
def _ends() -> dict[int, frozenset[str]]:
    """By family the countries of which one must be an end of its pairs."""
    with (_HERE / "ends.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {FAMILIES.index(row["family"]): frozenset(row["countries"].split("+")) for row in rows}


def serves(family: int, *countries: Sequence[str]) -> BoolArray:
    """Pairs that a family is searched for [pair]; family: its number; countries: of both ends, by pair."""
    ends = _ends().get(family)
    if ends is None:
        return np.ones(len(countries[0]), dtype=bool)
    return np.asarray(np.logical_or.reduce([np.isin(np.array(side), sorted(ends)) for side in countries]))


@lru_cache(maxsize=1)
def rules_text() -> str:
    """All inputs of names and numbers of families as text: equal rules, equal text."""
    names = "marks.csv", "steps.csv", "names.csv", "ends.csv"
    tables = "".join((_HERE / name).read_text(encoding="utf-8") for name in names)
    return tables + repr((FAMILIES, _LONG_KM))


@dataclass(frozen=True, eq=False)
class Automaton:
    """States of the routes of one family, or of all.

    after [state, code]: the state after an arc of a code, -1 where the route is not of the family.
    start: by country of the origin, the state where a trip begins; "" for all others, -1 for none.
    family [state]: number of the family of a route that ends there, -1 for none of those searched for.
    """

    after: IntArray
    start: Mapping[str, int]
    family: IntArray

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.after)

    def begins(self, countries: Sequence[str]) -> LongArray:
        """The state where trips from these countries begin [country]."""
        return np.array([self.start.get(country, self.start[""]) for country in countries], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Labels:
    """The marks of the arcs of a graph by family.

    code [arc]: arcs of one code have the same marks. every: the automaton of all families, by which routes
    are named.
    """

    code: IntArray
    every: Automaton

    @staticmethod
    def of(graph: Graph) -> Labels:
        """Marks of every arc by the tables; arcs with equal marks share a code.

        graph: that of the base, whose open rail links define which places have a railway.
        """
        rules = _rules()
        attributes = _attributes(graph)
        kinds, code = np.unique(attributes, axis=0, return_inverse=True)
        marks = [tuple(_mark(rules.marks[part], kind) for part in rules.parts) for kind in kinds.tolist()]
        found = sorted(set(marks))
        number = np.array([found.index(mark) for mark in marks], dtype=np.int32)
        return Labels(number[code.ravel()], _whole(tuple(found)))

    def automaton(self, families: Sequence[int]) -> Automaton:
        """The smallest automaton of the routes of some corridors together; `other` is not a corridor."""
        return _of_families(self.every, tuple(families))

    def name(self, graph: Graph, arcs: IntArray, start: LongArray) -> IntArray:
        """Family of every route given as arc lists from the eastern end [route], or MIXED.

        graph: of the arcs; arcs [n], start [route + 1]: as in RouteSet.
        """
        n = len(start) - 1
        if not n:
            return np.zeros(0, dtype=np.int32)
        length = np.diff(start)
        order = np.argsort(-length, kind="stable")
        begin, lengths = start[:-1][order], length[order]
        country = [graph.own_country[place] for place in graph.tail[arcs[begin]] // len(LAYERS)]
        state = self.every.begins(country)
        dead = np.append(self.every.after, np.full((1, self.every.after.shape[1]), _DEAD), axis=0)
        for step in range(int(lengths[0])):
            going = int(np.searchsorted(-lengths, -step, side="left"))
            state[:going] = dead[state[:going], self.code[arcs[begin[:going] + step]]]
        family = np.empty(n, dtype=np.int32)
        family[order] = np.append(self.every.family, OTHER)[state]
        return family


_STEPS = ("", "haul", "border", "board", "land", "sail", "voyage", "long voyage")
# A longer ocean lane is deep sea.
_LONG_KM = 4000.0


def _attributes(graph: Graph) -> NDArray[np.str_]:
    """Step, mode, water, and the countries at both ends of every arc, an exclave without a country."""
    tail, head = graph.tail // len(LAYERS), graph.head // len(LAYERS)
    own = np.array(graph.own_country)
    at_sea = graph.mode == SEA
    step = np.zeros(graph.n_arcs, dtype=np.int64)
    step[(graph.mode > 0) & ~at_sea] = _STEPS.index("haul")
    step[graph.border] = _STEPS.index("border")
    port = graph.operation == PORT
    step[port & (graph.head % len(LAYERS) == SEA)] = _STEPS.index("board")
    step[port & (graph.tail % len(LAYERS) == SEA)] = _STEPS.index("land")
    step[at_sea] = _STEPS.index("sail")
    # A lane to an exclave, which has no country here, is a voyage too.
    voyage = at_sea & (own[tail] != own[head])
    step[voyage] = _STEPS.index("voyage")
    step[voyage & (graph.length_km > _LONG_KM)] = _STEPS.index("long voyage")
    caspian = np.zeros(len(graph.places), dtype=bool)
    caspian[tail[graph.caspian_ship]] = caspian[head[graph.caspian_ship]] = True
    wet = port | at_sea
    water = np.where(wet, np.where(caspian[tail] & caspian[head], "caspian", "ocean"), "")
    rails = np.isin(graph.mode, RAILS)
    railed = np.zeros(len(graph.places), dtype=bool)
    railed[tail[rails & graph.available]] = True
    roads = np.where(railed[tail] & railed[head], "road beside rails", "road")
    mode = np.where(rails, "rail", np.where(at_sea, "sea", np.where(graph.mode > 0, roads, "")))
    return np.stack([np.array(_STEPS)[step], mode, water, own[tail], own[head]], axis=1)


def _mark(rows: Sequence[Row], kind: Sequence[str]) -> str:
    """The mark of the first row that fits an arc, "" where none does."""
    step, mode, water, tail, head = kind
    for row in rows:
        here, there = (head, tail) if row["way"] == "in" else (tail, head)
        if (
            row["step"] == step
            and row["mode"] in (_ANY, mode)
            and row["water"] in (_ANY, water)
            and _one_of(row["country"], here)
            and _one_of(row["other"], there)
            and (row["way"] == _ANY or step != "border" or here != there)
        ):
            return row["mark"]
    return ""


def _one_of(listed: str, country: str) -> bool:
    return listed == _ANY or country in listed.split("+")


@lru_cache(maxsize=8)
def _whole(marks: tuple[tuple[str, ...], ...]) -> Automaton:
    """The automaton of all families over arcs of these marks: all parts side by side."""
    rules = _rules()
    listed = [rules.states(part) for part in rules.parts]
    shape = tuple(len(states) for states in listed)
    moves = []
    for k, (part, states) in enumerate(zip(rules.parts, listed, strict=True)):
        step = [[rules.steps.get((part, x, mark[k]), x) if mark[k] else x for mark in marks] for x in states]
        moves.append(np.array([[states.index(x) if x in states else _DEAD for x in row] for row in step]))
    begins = sorted({mark[6:] for _, _, mark in rules.steps if mark.startswith("begin ")})
    start = {}
    for country in ("", *begins):
        state = [states.index(x) for states, x in zip(listed, rules.start(country), strict=True)]
        start[country] = int(np.ravel_multi_index(state, shape))
    found, after = _met(moves, shape, np.unique(list(start.values())))
    at = np.stack(np.unravel_index(found, shape))
    family = np.full(at.shape[1], OTHER, dtype=np.int32)
    for row in reversed(rules.names):
        fits = np.ones(at.shape[1], dtype=bool)
        for k, (part, states) in enumerate(zip(rules.parts, listed, strict=True)):
            if row[part] != _ANY:
                fits &= np.isin(at[k], [n for n, x in enumerate(states) if x in row[part].split("+")])
        family[fits] = MIXED if row["family"] == "mixed" else FAMILIES.index(row["family"])
    start = {country: int(np.searchsorted(found, state)) for country, state in start.items()}
    # Equivalent states are merged once here: the searches then start from some hundred, not from all.
    return _smallest(Automaton(after, start, family), lambda _: True)


def _met(moves: Sequence[LongArray], shape: tuple[int, ...], begin: LongArray) -> tuple[LongArray, IntArray]:
    """The states of all parts together that any route reaches, ascending, and the state after each mark.

    moves: for each part the state after [state, mark], -1 for none; begin: where trips begin.
    """
    known = np.zeros(int(np.prod(shape)), dtype=bool)
    known[begin] = True
    states, led, new = [], [], begin
    while len(new):
        at = np.unravel_index(new, shape)
        after = np.zeros((len(new), moves[0].shape[1]), dtype=np.int64)
        dead = np.zeros(after.shape, dtype=bool)
        for k, move in enumerate(moves):
            to = move[at[k]]
            after = after * shape[k] + np.maximum(to, 0)
            dead |= to < 0
        after[dead] = _DEAD
        states.append(new)
        led.append(after)
        seen = np.zeros_like(known)
        seen[after[after >= 0]] = True
        new = np.flatnonzero(seen & ~known)
        known |= seen
    found, after = np.concatenate(states), np.concatenate(led)
    order = np.argsort(found)
    found, after = found[order], after[order]
    number = np.cumsum(known) - 1
    return found, np.where(after >= 0, number[after], _DEAD).astype(np.int32)


def _distinct(rows: LongArray) -> tuple[LongArray, LongArray]:
    """The first position of each distinct row, rows in ascending order, and the number of every row's own.

    As numpy.unique(axis=0), but it sorts one number per row: a sum of its cells with random weights.
    Rows of equal sums are compared cell by cell.
    """
    weight = np.random.default_rng(5).integers(1, 2**62, rows.shape[1]) | 1
    with np.errstate(over="ignore"):
        _, first, number = np.unique(rows @ weight, return_index=True, return_inverse=True)
    if not np.array_equal(rows, rows[first][number]):
        _, first, number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        return first, number.ravel()
    order = np.lexsort(rows[first].T[::-1])
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[number]


@lru_cache(maxsize=128)
def _of_families(whole: Automaton, families: tuple[int, ...]) -> Automaton:
    """The part of an automaton that accepts these families; stored, since a search asks for it repeatedly."""
    return _smallest(whole, lambda family: family in families)


def _smallest(whole: Automaton, wanted: Callable[[int], bool]) -> Automaton:
    """The automaton that accepts the routes of the wanted families only, states that act alike merged.

    Source: partition refinement, Moore (1956), Gedanken-experiments on sequential machines.
    """
    reached = np.zeros(whole.size, dtype=bool)
    reached[list(whole.start.values())] = True
    while True:
        more = whole.after[reached]
        new = np.unique(more[more >= 0])
        if reached[new].all():
            break
        reached[new] = True
    ends = np.array([family if wanted(family) else NONE for family in whole.family.tolist()])
    alive = reached & (ends != NONE)
    while True:
        more = reached & (alive | ((whole.after >= 0) & alive[whole.after]).any(axis=1))
        if np.array_equal(more, alive):
            break
        alive = more
    if not alive.any():
        nothing = np.zeros((0, whole.after.shape[1]), dtype=np.int32)
        return Automaton(nothing, dict.fromkeys(whole.start, _DEAD), np.zeros(0, dtype=np.int32))
    number = np.where(alive, np.cumsum(alive) - 1, _DEAD)
    after = np.where(whole.after[alive] >= 0, number[whole.after[alive]], _DEAD)
    ends = ends[alive]
    block = np.unique(ends, return_inverse=True)[1]
    while True:
        finer = np.column_stack([block, np.where(after >= 0, block[after], _DEAD)])
        first, refined = _distinct(finer)
        if refined.max() == block.max():
            break
        block = refined
    rows = np.where(after[first] >= 0, block[after[first]], _DEAD)
    start = {c: int(block[number[x]]) if number[x] >= 0 else _DEAD for c, x in whole.start.items()}
    # Blocks are numbered by their first states in the order of `first`.
    order = block[first]
    placed = np.empty_like(rows)
    placed[order], final = rows, np.empty(len(first), dtype=np.int32)
    final[order] = ends[first]
    return Automaton(placed.astype(np.int32), start, final)

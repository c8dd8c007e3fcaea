"""The house: how much one function decides, how many parameters it takes, how long a file is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import landbridge

HOUSE = Path(landbridge.__file__).parent

# No function may have a complexity of COMPLEX or more.
COMPLEX = 20

MOST_LINES = 600
# Files that are still longer. The list may only get shorter.
LONG_FILES: set[str] = set()

MOST_PARAMETERS = 7
# Functions outside the command line that still take more. The list may only get shorter.
MANY_PARAMETERS = {
    "answers/protocol.py: answered",
    "answers/studies.py: assign",
    "answers/studies.py: disrupt",
    "answers/studies.py: gas",
    "answers/studies.py: gravity",
    "model/deliveries.py: hold",
    "estimation/ppml.py: estimate",
    "io/publishers/adb.py: read_adb_mrio",
    "io/publishers/icio.py: read_icio",
    "model/notes.py: remarks",
    "scenario/registry.py: verb_key",
    "model/economy_inputs.py: EconomyInputs.__init__",
    "studies/disrupt.py: disrupt",
    "studies/gas.py: draws",
    "trade/batch.py: solve_batch",
    "trade/equilibrium.py: solve",
    "trade/spatial.py: link_values",
    "trade/welfare.py: push_forward",
    "results/transit.py: carriage",
    "results/transit.py: carriage_bars",
    "transport/assignment/assign.py: assign",
    "transport/assignment/path_flows.py: _apart",
    "transport/assignment/path_flows.py: _tree",
    "transport/assignment/path_flows.py: extend",
    "transport/routes/route_set.py: generate",
    "world/trade_table.py: TradeTable.__init__",
}

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BRANCHES = (
    ast.If,  # elif is an if of its own
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.IfExp,
    ast.ExceptHandler,
    ast.With,
    ast.AsyncWith,
    ast.Assert,
    ast.comprehension,  # each `for` of a comprehension
)


def complexity(function: ast.AST) -> int:
    """1 + branches + each further `and` or `or`; a function inside counts for itself, not here."""
    total = 1
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, _FUNCTIONS):
            continue
        total += isinstance(node, _BRANCHES)
        if isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        waiting.extend(ast.iter_child_nodes(node))
    return total


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef, method: bool) -> int:
    """How many parameters a call may name: self and cls do not count, nor do * and **."""
    takes = function.args
    count = len(takes.posonlyargs) + len(takes.args) + len(takes.kwonlyargs)
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    return count - (method and not static)


def _functions(
    tree: ast.AST, owner: str = "", in_class: bool = False
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """Every function of a file: its name with the names around it, itself, whether it is a method."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _FUNCTIONS):
            yield owner + node.name, node, in_class
            yield from _functions(node, f"{owner}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{owner}{node.name}.", in_class=True)
        else:
            yield from _functions(node, owner, in_class)


def _everywhere() -> Iterator[tuple[str, str, ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    for path in sorted(HOUSE.rglob("*.py")):
        where = path.relative_to(HOUSE).as_posix()
        for name, function, method in _functions(ast.parse(path.read_text(encoding="utf-8"))):
            yield where, name, function, method


def _only(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    return next(n for n in ast.walk(ast.parse(text)) if isinstance(n, _FUNCTIONS))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(): return 1", 1),
        ("def f(a):\n if a: return 1\n elif not a: return 2\n else: return 3", 3),
        ("def f(a):\n for x in a:\n  while x: x -= 1", 3),
        ("def f(a, b, c): return a and b or c", 3),
        ("def f(a, b, c): return a and b and c", 3),
        ("def f(a): return 1 if a else 2", 2),
        ("def f(a): return [x + y for x in a for y in x if y]", 3),
        ("def f(a):\n try: a()\n except OSError: pass\n except ValueError: pass", 3),
        ("def f(a):\n with a: assert a", 3),
        ("def f(a):\n def g(b):\n  if b: return 1\n return g", 1),
        ("def f(a):\n match a:\n  case 1: return 2\n  case _: return 3", 1),
    ],
)
def test_complexity_is_counted_as_defined(text: str, expected: int) -> None:
    assert complexity(_only(text)) == expected


def test_parameters_are_counted_as_a_call_sees_them() -> None:
    assert parameters(_only("def f(a, /, b, *c, d, **e): ..."), False) == 3
    assert parameters(_only("class A:\n def f(self, a): ..."), True) == 1
    assert parameters(_only("class A:\n @staticmethod\n def f(a, b): ..."), True) == 2


def test_no_function_is_complex() -> None:
    found = ((complexity(function), where, name) for where, name, function, _ in _everywhere())
    complex_ones = [f"{count:4d}  {where}: {name}" for count, where, name in found if count >= COMPLEX]
    assert not complex_ones, f"functions of complexity {COMPLEX} or more:\n" + "\n".join(complex_ones)


def test_files_are_short() -> None:
    lines = {
        path.relative_to(HOUSE).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in HOUSE.rglob("*.py")
    }
    long = {f"{name} ({count})" for name, count in lines.items() if count > MOST_LINES}
    assert {name.split(" ")[0] for name in long} <= LONG_FILES, sorted(long)


def test_functions_take_few_parameters_outside_the_command_line() -> None:
    many = {
        f"{where}: {name}": parameters(f, method)
        for where, name, f, method in _everywhere()
        if not where.startswith("cli/") and parameters(f, method) > MOST_PARAMETERS
    }
    assert set(many) <= MANY_PARAMETERS, {k: n for k, n in many.items() if k not in MANY_PARAMETERS}


def test_the_list_of_many_parameters_names_only_such_functions() -> None:
    still = {
        f"{where}: {name}"
        for where, name, f, method in _everywhere()
        if parameters(f, method) > MOST_PARAMETERS
    }
    assert still >= MANY_PARAMETERS, sorted(MANY_PARAMETERS - still)

"""Conditions and formulas as typed by users, evaluated without running code.

`--where` and the terms of a formula are parsed to a syntax tree with only columns, numbers, text, arithmetic
and comparisons; nothing is passed to eval, so a hostile line is only a fault.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.estimation.reading import clean

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Factor",
    "Formula",
    "Term",
    "column",
    "condition",
    "evaluate",
    "names_in",
    "parse_formula",
    "refused",
    "with_offset",
]

# Longer lines are not typed conditions, and deep nesting is used to attack parsers.
_LONGEST = 2000
_FUNCTIONS: dict[str, Callable[[NDArray[np.float64]], Any]] = {
    "log": np.log,
    "log1p": np.log1p,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}
_WORDS = {"&": "and", "&&": "and", "|": "or", "||": "or", "~": "not", "!": "not"}


class _RefusedError(Exception):
    """A part of an expression that is not allowed: what, and the cure."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.what, self.cure = what, cure


@contextmanager
def refused(where: str) -> Iterator[None]:
    """Raise what `evaluate` refuses inside as a DataError that names the place, where."""
    try:
        yield
    except _RefusedError as no:
        raise DataError("an expression cannot be used", [Fault(where, no.what, no.cure)]) from None


# ---- expressions over columns ----------------------------------------------------------------------


def column(frame: pd.DataFrame, name: str) -> NDArray[Any]:
    """A column of a frame [row] as float64 with NaN for missing, or as objects where it is not numeric.

    frame: the rows; name: of a column that it has.
    """
    import pandas as pd

    values = frame[name]
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(values.astype(object).to_numpy())


def condition(text: str, frame: pd.DataFrame, where: str = "where") -> NDArray[np.bool_]:
    """Rows of a frame for which a condition holds, e.g. `year % 4 == 2 and exporter != importer`.

    text: the condition; frame: the rows; where: its name in faults. Returns flags [row]. Allowed are columns,
    numbers, 'text', + - * / // % **, comparisons, in [..], and, or, not (& | ~ too).

    Raises DataError for anything else: calls, attributes, indexing, @, names that are no column.
    """
    tree = _parse(text, where, joined=True)
    unknown = _unknown(names_in(tree), frame.columns, where)
    if unknown:
        raise DataError("the condition cannot be used", unknown)
    with refused(f"{where} {text!r}"):
        found = evaluate(tree, frame)
    if np.ndim(found) == 0 or np.asarray(found).dtype != np.bool_:
        cure = "compare something, for example year >= 1990"
        raise DataError("not a condition", [Fault(f"{where} {text!r}", "is not true or false a row", cure)])
    return np.asarray(found)


def evaluate(tree: ast.expr, frame: pd.DataFrame, *, functions: bool = False) -> Any:
    """The value of a parsed expression over the columns of a frame; functions: allow log, exp ....

    tree: as `ast.parse` returns it; frame: the rows. Returns an array [row], or a number or text where no
    column is named.
    Raises an error that `refused` turns into DataError, for anything not allowed.
    """
    return _Evaluation(frame, functions).value(tree)


@dataclass(frozen=True)
class _Evaluation:
    """Evaluates parsed expressions over the columns of one frame."""

    frame: pd.DataFrame
    functions: bool

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as known):
                return _constant(known)
            case ast.Name():
                return column(self.frame, node.id)
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                left, right = self.number(node.left), self.number(node.right)
                with np.errstate(all="ignore"):
                    return _ARITHMETIC[type(node.op)](left, right)
            case ast.UnaryOp(op=ast.USub()):
                return -self.number(node.operand)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.number(node.operand)
            case ast.UnaryOp(op=ast.Not()):
                return ~self.truth(node.operand)
            case ast.BoolOp():
                join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
                return reduce(join, [self.truth(v) for v in node.values])
            case ast.Compare():
                return self.comparison(node)
            case ast.Call(func=ast.Name(id=name)) if self.functions:
                return self.call(name, node)
        raise _RefusedError(*_refusal(node))

    def call(self, name: str, node: ast.Call) -> Any:
        """log(x), exp(x) ..."""
        if name not in _FUNCTIONS:
            cure = did_you_mean(name, _FUNCTIONS) or f"known are {', '.join(_FUNCTIONS)}, i() and C()"
            raise _RefusedError(f"{name}() is not known", cure)
        if len(node.args) != 1 or node.keywords:
            raise _RefusedError(f"{name}() takes one value", f"write {name}(column)")
        with np.errstate(all="ignore"):
            return _FUNCTIONS[name](np.asarray(self.number(node.args[0]), dtype=np.float64))

    def number(self, node: ast.expr) -> Any:
        found = self.value(node)
        if _texts(found):
            raise _RefusedError(f"{ast.unparse(node)} is text", "arithmetic needs numbers")
        return np.asarray(found, dtype=np.float64)

    def truth(self, node: ast.expr) -> Any:
        found = self.value(node)
        if np.asarray(found).dtype != np.bool_:
            cure = f"compare it: {ast.unparse(node)} == 1"
            raise _RefusedError(f"{ast.unparse(node)} is not true or false", cure)
        return np.asarray(found)

    def comparison(self, node: ast.Compare) -> Any:
        """a < b <= c: each compared with its neighbour, all of them true."""
        sides = [node.left, *node.comparators]
        links = zip(node.ops, sides[:-1], sides[1:], strict=True)
        return reduce(np.logical_and, [self.one_comparison(*link) for link in links])

    def one_comparison(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> Any:
        if isinstance(op, ast.In):
            return self.among(left, right)
        if isinstance(op, ast.NotIn):
            return ~self.among(left, right)
        if type(op) not in _COMPARISONS:
            raise _RefusedError("'is' compares nothing here", "use ==")
        a, b = self.value(left), self.value(right)
        if _texts(a) != _texts(b):
            side = ast.unparse(left if _texts(a) else right)
            raise _RefusedError(
                f"{side} is text and the other side a number", "put numbers bare, text in quotes"
            )
        try:
            return np.asarray(_COMPARISONS[type(op)](a, b), dtype=np.bool_)
        except TypeError:  # an order between text and a missing value
            raise _RefusedError(
                f"{ast.unparse(left)} has rows that cannot be ordered", "use == or in"
            ) from None

    def among(self, left: ast.expr, right: ast.expr) -> Any:
        """exporter in ['KAZ', 'UZB']."""
        if not isinstance(right, ast.List | ast.Tuple | ast.Set):
            raise _RefusedError("in wants a list", "for example exporter in ['KAZ', 'UZB']")
        items = [self.value(item) for item in right.elts]
        if any(isinstance(item, np.ndarray) for item in items):
            raise _RefusedError("a list may hold numbers and text only", "name the values")
        a = np.asarray(self.value(left))
        if any(isinstance(item, str) != _texts(a) for item in items):
            raise _RefusedError("a list mixes text and numbers", "put numbers bare, text in quotes")
        hit = np.zeros(a.shape, dtype=np.bool_)
        for item in items:
            hit |= np.asarray(a == item, dtype=np.bool_)
        return hit


def _constant(known: bool | int | float | str) -> Any:
    """Text cleaned as labels are; numbers as floats, so that powers of integers stay small."""
    if isinstance(known, str):
        return clean(known)
    if isinstance(known, bool):
        return known
    try:
        return float(known)
    except OverflowError:
        raise _RefusedError("a number is too large", "write a smaller one") from None


def names_in(tree: ast.AST) -> list[str]:
    """Names of columns in a parsed expression, in order, without function names.

    tree: as `ast.parse` returns it.
    """
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    found = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    return list(dict.fromkeys(found))


def _texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, np.ndarray) and value.dtype == object)


def _refusal(node: ast.AST) -> tuple[str, str]:
    shown = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    if isinstance(node, ast.Call):
        return f"{shown} calls a function", "compute it as a column of the data first"
    if isinstance(node, ast.Attribute | ast.Subscript):
        return f"{shown} reaches into a column", "use columns, numbers and text only"
    return f"{shown} is not allowed", "use columns, numbers, 'text', comparisons, and, or, not"


def _parse(text: str, where: str, *, joined: bool = False) -> ast.expr:
    """The syntax tree of an expression; joined: read & | ~ as and, or, not."""
    if len(text) > _LONGEST:
        fault = Fault(where, f"has {len(text):,} characters", f"use at most {_LONGEST:,}")
        raise DataError("an expression is too long", [fault])
    shown = f"{where} {text!r}"
    try:
        return ast.parse(_in_words(text) if joined else text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        cure = "check brackets and quotes"
        if joined and re.search(r"(?<![=<>!])=(?!=)", text):
            cure = "equality is written =="
        elif "@" in text:
            cure = "variables are not available here: write the value"
        what = f"cannot be read ({error.msg})" if isinstance(error, SyntaxError) else "cannot be read"
        raise DataError("an expression cannot be read", [Fault(shown, what, cure)]) from None


def _in_words(text: str) -> str:
    """The condition with operators of pandas and Stata replaced by Python's words."""
    # tokenize handles quotes, so an ampersand inside a name stays unchanged.
    spaced = text.strip().replace("&&", "&").replace("||", "|")
    spaced = re.sub(r"!(?!=)", "~", spaced)
    tokens = tokenize.generate_tokens(io.StringIO(spaced).readline)
    words = [_WORDS.get(t.string, t.string) if t.type == tokenize.OP else t.string for t in tokens]
    return " ".join(word for word in words if word.strip())


def _unknown(names: Iterable[str], known: Iterable[Any], where: str) -> list[Fault]:
    columns = [str(c) for c in known]
    faults = []
    for name in dict.fromkeys(names):
        if name not in columns:
            listed = ", ".join(columns[:12]) + (" ..." if len(columns) > 12 else "")
            cure = did_you_mean(name, columns) or f"the columns are {listed}"
            faults.append(Fault(where, f"there is no column {name!r}", cure))
    return faults


# ---- formulas --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Factor:
    """One factor of a term: an expression over columns, an indicator of each level of a column, or both.

    name: as typed.
    levels: the column whose levels become indicators. reference: the level left out, None for none,
    Ellipsis for the first. tree: the multiplier of the indicators, or the expression itself.
    """

    name: str
    tree: ast.expr | None
    levels: str | None = None
    reference: Any = None

    def columns(self) -> list[str]:
        """The columns of the data that it uses."""
        return ([self.levels] if self.levels else []) + (names_in(self.tree) if self.tree else [])


@dataclass(frozen=True)
class Term:
    """A regressor as typed: one factor, or a product of several.

    name: as typed; factors: in their order.
    """

    name: str
    factors: tuple[Factor, ...]

    def columns(self) -> list[str]:
        """The columns of the data that it uses."""
        return [c for f in self.factors for c in f.columns()]


@dataclass(frozen=True)
class Formula:
    """`dependent ~ terms | effects`: each fixed effect a tuple of columns (exporter^year: two).

    text: as typed. constant: whether there is one; offset: the term with coefficient one, None where there is
    none.
    """

    text: str
    dependent: Factor
    terms: tuple[Term, ...]
    effects: tuple[tuple[str, ...], ...]
    constant: bool = True
    offset: Factor | None = None

    def columns(self) -> list[str]:
        """The columns of the data that it uses."""
        used = [*self.dependent.columns(), *(c for t in self.terms for c in t.columns())]
        used += self.offset.columns() if self.offset is not None else []
        return list(dict.fromkeys([*used, *(c for e in self.effects for c in e)]))

    def levels(self) -> list[str]:
        """The columns whose levels are separate terms, by i() or C()."""
        return list(dict.fromkeys(f.levels for t in self.terms for f in t.factors if f.levels))


def parse_formula(text: str) -> Formula:
    """A formula in the syntax of Stata's ppmlhdfe, R's fixest and pyfixest.

    text: `trade ~ rta + log(dist) + i(year, brdr, ref=2006) + a:b | exporter^year + importer^year + pair`.
    Returns a Formula. Raises DataError with every part that cannot be read.
    """
    faults: list[Fault] = []
    # np.log(x), the usual form for pyfixest, means log(x).
    cleaned = re.sub(r"\bnp\.(?=(?:log|log1p|exp|sqrt|abs)\()", "", text)
    left, tilde, rest = cleaned.partition("~")
    if not tilde or not left.strip() or "~" in rest:
        cure = 'write "trade ~ rta | exporter^year + importer^year + pair"'
        raise DataError("not a formula", [Fault(f"formula {text!r}", "needs one ~ after the flow", cure)])
    parts = _split(rest, "|")
    if len(parts) > 2:
        what = "has more than one |"
        faults.append(Fault(f"formula {text!r}", what, "write fixed effects once, joined by +"))
    dependent = _factor(left, faults)
    terms, constant, offset = _regressors(parts[0], faults)
    effects = _effects(parts[1], faults) if len(parts) > 1 else ()
    if dependent is not None and dependent.levels:
        faults.append(Fault("formula", "the left side is a set of levels", "put the flow there"))
        dependent = None
    if not terms and not effects and not faults:
        cure = 'write "trade ~ rta", or effects alone: "trade ~ 1 | exporter^year + importer^year"'
        faults.append(Fault(f"formula {text!r}", "has neither a regressor nor a fixed effect", cure))
    if faults or dependent is None:
        raise DataError("the formula cannot be read", faults)
    return Formula(" ".join(text.split()), dependent, tuple(terms), effects, constant, offset)


def _regressors(text: str, faults: list[Fault]) -> tuple[list[Term], bool, Factor | None]:
    """The part between ~ and |: the terms, whether there is a constant, the offset."""
    terms: list[Term] = []
    constant = True
    offset: Factor | None = None
    for piece in _split(text, "+"):
        if re.match(r"\s*offset\(", piece):
            if offset is not None:
                faults.append(Fault("formula", "has two offsets", "combine them in one: offset(a + b)"))
            offset = _offset(piece, faults)
        elif piece.strip() in ("0", "1", "-1"):
            constant = constant and piece.strip() == "1"
        else:
            terms += _terms(piece, faults)
    repeated = {t.name for t in terms if sum(t.name == u.name for u in terms) > 1}
    faults += [Fault("formula", f"names {name} twice", "keep one") for name in sorted(repeated)]
    return terms, constant, offset


def with_offset(formula: str, offset: str | None) -> str:
    """The formula with `offset(expression)` among its terms; unchanged where offset is None."""
    if offset is None or not offset.strip():
        return formula
    pieces = _split(formula, "|")
    pieces[0] = f"{pieces[0].rstrip()} + offset({offset.strip()})"
    return " | ".join([pieces[0], *(p.strip() for p in pieces[1:])])


def _offset(piece: str, faults: list[Fault]) -> Factor | None:
    """offset(expression): a term whose coefficient is one."""
    try:
        tree = _parse(piece.strip(), "formula")
    except DataError as error:
        faults += error.faults
        return None
    if not isinstance(tree, ast.Call) or len(tree.args) != 1 or tree.keywords:
        cure = "write offset(column) or offset(log(column))"
        faults.append(Fault("formula", f"{piece.strip()} cannot be read", cure))
        return None
    return Factor(piece.replace(" ", ""), tree.args[0])


def _split(text: str, at: str) -> list[str]:
    """The text split where `at` is outside brackets and quotes."""
    pieces, depth, quote, begin = [], 0, "", 0
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign == at and depth == 0:
            pieces.append(text[begin:place])
            begin = place + 1
    return [*pieces, text[begin:]]


def _terms(piece: str, faults: list[Fault]) -> list[Term]:
    """a, a:b, or a*b, which is a + b + a:b."""
    stepwise = re.match(r"\s*(sw0?|csw0?|mvsw)\(", piece)
    if stepwise:
        cure = "estimate each formula and print them in one table (--also, or table([...]))"
        faults.append(Fault("formula", f"{stepwise[1]}() asks for several models", cure))
        return []
    starred = _split(piece, "*")
    if len(starred) > 2:
        faults.append(Fault("formula", f"{piece.strip()} crosses more than two", "write it out with :"))
        return []
    if len(starred) == 2:
        a, b = starred
        return [t for p in (a, b, f"{a}:{b}") for t in _terms(p, faults)]
    factors = [_factor(p, faults) for p in _split(piece, ":")]
    found = tuple(f for f in factors if f is not None)
    return [Term(":".join(f.name for f in found), found)] if len(found) == len(factors) else []


def _factor(piece: str, faults: list[Fault]) -> Factor | None:
    """One factor; None, with a fault, where it cannot be read."""
    text = piece.strip()
    if not text:
        faults.append(Fault("formula", "a term is empty", "check the + signs"))
        return None
    try:
        tree = _parse(text, "formula")
    except DataError as error:
        faults += error.faults
        return None
    if isinstance(tree, ast.Call) and any(_is_call(tree, name) for name in ("i", "C", "factor")):
        return _levels(tree, text.replace(" ", ""), faults)
    inner = tree.args[0] if isinstance(tree, ast.Call) and _is_call(tree, "I") and tree.args else tree
    return Factor(text.replace(" ", ""), inner)


def _levels(tree: ast.Call, name: str, faults: list[Fault]) -> Factor | None:
    """i(x), i(x, other), C(x), factor(x), each with an optional reference level."""
    reference: Any = None if _is_call(tree, "i") else ...
    good = len(tree.args) in (1, 2)
    for keyword in tree.keywords:
        try:
            reference = ast.literal_eval(keyword.value)
        except ValueError:
            good = False
        good = good and keyword.arg in ("ref", "reference")
    first = tree.args[0] if tree.args else None
    if not good or not isinstance(first, ast.Name):
        cure = "write i(column), i(column, other) or i(column, ref=1990)"
        faults.append(Fault("formula", f"{name} cannot be read", cure))
        return None
    return Factor(name, tree.args[1] if len(tree.args) == 2 else None, first.id, reference)


def _is_call(tree: ast.Call, name: str) -> bool:
    return isinstance(tree.func, ast.Name) and tree.func.id == name


def _effects(text: str, faults: list[Fault]) -> tuple[tuple[str, ...], ...]:
    """exporter^year + importer^year + pair."""
    found = []
    for piece in _split(text, "+"):
        if piece.strip() in ("0", "1"):
            continue
        names = tuple(name.strip() for name in piece.split("^"))
        if not all(name.isidentifier() for name in names):
            cure = "join columns with ^ and effects with +, for example exporter^year + pair"
            faults.append(Fault("formula", f"the fixed effect {piece.strip()!r} cannot be read", cure))
        else:
            found.append(names)
    return tuple(dict.fromkeys(found))

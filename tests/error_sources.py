"""Every text of an error in the source, as a template: what a test compares with error_texts.csv.

A template is the text with `{}` for every figure. Names are followed to what they were assigned in the same
function or module, parameters to the calls of the function, calls to what the function returns.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import landbridge

SOURCE = Path(landbridge.__file__).resolve().parent
ERRORS = {
    *("LandbridgeError", "DataError", "ScenarioError", "ConvergenceError", "InfeasibleError"),
    *("BadParameter", "UsageError"),
}
HOLE = "{}"
# Modules whose errors stay in English. Replies to programs, over HTTP and the Model Context Protocol:
REPLIES = {
    *("server/bodies.py", "server/desk.py", "server/endpoints.py", "server/exchange.py", "server/guard.py"),
    *("server/mcp.py", "server/parameters.py", "server/process.py", "server/service.py", "server/tasks.py"),
    *("server/tools.py",),
}
# What users of estimation, of a cluster, or of functions of Python alone see; the wheel has little room.
RARE = {
    *("estimation/bias.py", "estimation/design.py", "estimation/effects.py", "estimation/expressions.py"),
    *("estimation/panel.py", "estimation/ppml.py", "estimation/pyfixest_fit.py", "estimation/reading.py"),
    *("estimation/replicate.py", "estimation/tables.py", "sweeps/cluster.py", "io/spatial.py"),
    *("trade/spatial.py", "trade/from_estimates.py", "trade/resistance.py", "trade/growth.py"),
    *(
        "trade/value_added.py",
        "trade/batch.py",
        "trade/carriage.py",
        "trade/arguments.py",
        "trade/welfare.py",
    ),
    *("trade/closures.py", "world/trade_frame.py", "world/trade_fitted.py", "world/road_network.py"),
    *("transport/assignment/assign.py", "transport/assignment/stochastic.py"),
    "transport/assignment/turn_penalties.py",
}
IN_ENGLISH = REPLIES | RARE
# Alternatives of one text that are written out; of more the part that varies is a hole.
_MOST = 4
_DEEPEST = 7
# A place that has a word for a kind of thing: a line, a row, a zone.
_PLACE = re.compile(r"(?:^|[ ,])[a-z]+ (?:\{\}|[0-9])|[a-z]{2,} [a-z]{2,} [a-z]{2,}|^the ")
# Words that are written out in the template: the others of one word are names of columns and keys.
_INLINE = {"", "s", "row", "rows", "this", "these", "is", "are", "its", "their", "a number", "a whole number"}
_CUT = {"strip", "rstrip", "lstrip", "capitalize"}
# Functions that show a value, which stays as it is.
_VALUES = {"str", "repr", "quoted", "join", "ascii", "format", "getattr", "type"}
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass
class Found:
    """Texts an expression may be; open: whether it may also be what is not known."""

    texts: set[str] = field(default_factory=set)
    open: bool = False

    def __or__(self, other: Found) -> Found:
        return Found(self.texts | other.texts, self.open or other.open)


class Module:
    """One file: its functions, constants and imports by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(SOURCE).as_posix()
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.parent: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self.parent[child] = node
        self.functions: dict[str, list[ast.FunctionDef]] = {}
        self.calls: list[ast.Call] = []
        self.imports: dict[str, tuple[str, str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                self.functions.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.Call):
                self.calls.append(node)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("landbridge"):
                for one in node.names:
                    self.imports[one.asname or one.name] = (node.module or "", one.name)

    def enclosing(self, node: ast.AST) -> Function | None:
        at = self.parent.get(node)
        while at is not None and not isinstance(at, Function):
            at = self.parent.get(at)
        return at


@cache
def modules() -> dict[str, Module]:
    found = [Module(path) for path in sorted(SOURCE.rglob("*.py"))]
    return {one.name: one for one in found}


def _of_import(dotted: str) -> Module | None:
    base = "/".join(dotted.split(".")[1:])
    return modules().get(f"{base}.py") or modules().get(f"{base}/__init__.py" if base else "__init__.py")


def called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


@cache
def _calls_of(name: str) -> tuple[tuple[Module, ast.Call], ...]:
    return tuple((m, c) for m in modules().values() for c in m.calls if called(c) == name)


def _joined(parts: Iterable[Found]) -> Found:
    listed = list(parts)
    texts: list[Iterable[str]] = []
    for one in listed:
        plain = one.texts | ({HOLE} if one.open or not one.texts else set())
        texts.append(plain)
    count = 1
    for one in texts:
        count *= len(list(one))
    if count > _MOST:
        texts = [one if len(list(one)) == 1 else [HOLE] for one in texts]
    return Found({"".join(pieces) for pieces in itertools.product(*texts)})


class Reader:
    """Follows expressions to texts."""

    def __init__(self) -> None:
        self._busy: set[int] = set()
        self._cut = False
        self._seen: dict[int, Found] = {}
        # Texts that stand in a hole of another: module, line and text.
        self.inner: set[tuple[str, int, str]] = set()

    def texts(self, module: Module, node: ast.AST | None, depth: int = 0) -> Found:
        if node is None or depth > _DEEPEST or id(node) in self._busy:
            self._cut = True
            return Found(open=True)
        if id(node) in self._seen:
            return self._seen[id(node)]
        self._busy.add(id(node))
        before, self._cut = self._cut, False
        try:
            found = self._texts(module, node, depth + 1)
            # What was followed to its end is the same wherever it is asked for.
            if not self._cut:
                self._seen[id(node)] = found
            return found
        finally:
            self._cut = self._cut or before
            self._busy.discard(id(node))

    def _texts(self, module: Module, node: ast.AST, depth: int) -> Found:
        if isinstance(node, ast.Constant):
            return Found({node.value}) if isinstance(node.value, str) else Found(open=node.value is not None)
        if isinstance(node, ast.JoinedStr):
            return _joined(self._piece(module, one, depth) for one in node.values)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return _joined([self.texts(module, node.left, depth), self.texts(module, node.right, depth)])
        if isinstance(node, ast.IfExp):
            return self.texts(module, node.body, depth) | self.texts(module, node.orelse, depth)
        if isinstance(node, ast.BoolOp):
            found = Found()
            for one in node.values:
                found |= self.texts(module, one, depth)
            return found
        if isinstance(node, ast.Name):
            return self._name(module, node, node.id, depth)
        if isinstance(node, ast.Call):
            return self._call(module, node, depth)
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            return self._values(module, node.value, depth)
        return Found(open=True)

    def _piece(self, module: Module, node: ast.expr, depth: int) -> Found:
        if isinstance(node, ast.FormattedValue):
            if node.conversion != -1 or node.format_spec is not None:
                return Found({HOLE})
            found = self.texts(module, node.value, depth)
            if (
                found.texts
                and not found.open
                and any(one in _INLINE or one != one.strip() for one in found.texts)
            ):
                return found
            line = getattr(node, "lineno", 0)
            self.inner |= {(module.name, line, one) for one in found.texts}
            return Found({HOLE})
        return self.texts(module, node, depth)

    def _assigned(self, module: Module, within: ast.AST, name: str) -> Iterator[tuple[ast.AST, int | None]]:
        """What a name gets within a function: the expression, and its place in a tuple that is unpacked."""
        for node in ast.walk(within):
            targets: list[ast.expr] = []
            value: ast.AST | None = None
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign):
                targets, value = [node.target], node.value
            elif isinstance(node, ast.For | ast.comprehension):
                targets, value = [node.target], _Each(node.iter)
            for target in targets:
                if isinstance(target, ast.Name) and target.id == name and value is not None:
                    yield value, None
                elif isinstance(target, ast.Tuple) and value is not None:
                    for at, one in enumerate(target.elts):
                        if isinstance(one, ast.Name) and one.id == name:
                            if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
                                yield value.elts[at], None
                            else:
                                yield value, at

    def _name(self, module: Module, node: ast.AST, name: str, depth: int) -> Found:
        function = module.enclosing(node)
        while function is not None:
            found, any_ = Found(), False
            for value, at in self._assigned(module, function, name):
                any_ = True
                found |= self.part(module, value, at, depth)
            if any_:
                return found
            position = _position(function, name)
            if position is not None and isinstance(function, ast.FunctionDef):
                return self._passed(module, function, name, position, depth)
            function = module.enclosing(function)
        return self._constant(module, name, depth)

    def _constant(self, module: Module, name: str, depth: int) -> Found:
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == name for t in node.targets
            ):
                return self.texts(module, node.value, depth)
        if name in module.imports:
            other = _of_import(module.imports[name][0])
            if other is not None and other is not module:
                return (
                    self._constant(other, module.imports[name][1], depth + 1)
                    if depth < _DEEPEST
                    else Found(open=True)
                )
        return Found(open=True)

    def _elements(self, module: Module, node: ast.AST, depth: int) -> Iterator[tuple[Module, ast.AST]]:
        """The elements of what is looped over or returned, as far as they are written out."""
        if depth > _DEEPEST:
            return
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            for one in node.elts:
                if isinstance(one, ast.Starred):
                    yield from self._elements(module, one.value, depth + 1)
                else:
                    yield module, one
        elif isinstance(node, ast.IfExp):
            yield from self._elements(module, node.body, depth + 1)
            yield from self._elements(module, node.orelse, depth + 1)
        elif isinstance(node, ast.ListComp | ast.GeneratorExp):
            yield module, node.elt
        elif isinstance(node, ast.BoolOp):
            for one in node.values:
                yield from self._elements(module, one, depth + 1)
        elif isinstance(node, ast.Name):
            function = module.enclosing(node)
            if function is not None:
                for value, at in self._assigned(module, function, node.id):
                    if at is None and not isinstance(value, _Each):
                        yield from self._elements(module, value, depth + 1)
                for call in ast.walk(function):
                    if (
                        isinstance(call, ast.Call)
                        and isinstance(call.func, ast.Attribute)
                        and call.func.attr == "append"
                        and isinstance(call.func.value, ast.Name)
                        and call.func.value.id == node.id
                    ):
                        yield module, call.args[0]
            for top in module.tree.body:
                if isinstance(top, ast.Assign) and any(
                    isinstance(t, ast.Name) and t.id == node.id for t in top.targets
                ):
                    yield from self._elements(module, top.value, depth + 1)
        elif isinstance(node, ast.Call):
            for other, function in self._functions(module, node):
                for one in _own(function):
                    if isinstance(one, ast.Yield) and one.value is not None:
                        yield other, one.value
                    elif isinstance(one, ast.Return) and one.value is not None:
                        yield from self._elements(other, one.value, depth + 1)

    def part(self, module: Module, value: ast.AST, at: int | None, depth: int = 0) -> Found:
        """A value, or the part of it that an unpacked name gets."""
        if depth > _DEEPEST:
            return Found(open=True)
        if isinstance(value, _Each):
            found, any_ = Found(), False
            for other, one in self._elements(module, value.of, depth):
                any_ = True
                found |= self.part(other, one, at, depth + 1)
            return found if any_ else Found(open=True)
        if at is None:
            return self.texts(module, value, depth)
        if isinstance(value, ast.Tuple):
            return self.texts(module, value.elts[at], depth) if at < len(value.elts) else Found(open=True)
        if isinstance(value, ast.IfExp):
            return self.part(module, value.body, at, depth + 1) | self.part(
                module, value.orelse, at, depth + 1
            )
        if isinstance(value, ast.Constant) and value.value is None:
            return Found()
        if isinstance(value, ast.Subscript) or (isinstance(value, ast.Call) and called(value) == "get"):
            of = value.value if isinstance(value, ast.Subscript) else value.func.value  # type: ignore[attr-defined]
            found, any_ = Found(), False
            for other, one in self._of_mapping(module, of):
                any_ = True
                found |= self.part(other, one, at, depth + 1)
            if isinstance(value, ast.Call) and len(value.args) > 1:
                found |= self.part(module, value.args[1], at, depth + 1)
            return found if any_ else Found(open=True)
        if isinstance(value, ast.Call):
            found, any_ = Found(), False
            for other, function in self._functions(module, value):
                for one in _own(function):
                    if isinstance(one, ast.Return) and one.value is not None:
                        any_ = True
                        found |= self.part(other, one.value, at, depth + 1)
            return found if any_ else Found(open=True)
        if isinstance(value, ast.Name):
            found, any_ = Found(), False
            function = module.enclosing(value)
            while function is not None:
                for other, inner in self._assigned(module, function, value.id):
                    if inner is None:
                        any_ = True
                        found |= self.part(module, other, at, depth + 1)
                function = module.enclosing(function)
            return found if any_ else Found(open=True)
        return Found(open=True)

    def _of_mapping(self, module: Module, node: ast.AST) -> Iterator[tuple[Module, ast.AST]]:
        """Values of a dictionary or a tuple that is written out, by its name."""
        if isinstance(node, ast.Dict):
            for one in node.values:
                yield module, one
        elif isinstance(node, ast.Tuple | ast.List):
            for one in node.elts:
                yield module, one
        elif isinstance(node, ast.IfExp):
            yield from self._of_mapping(module, node.body)
            yield from self._of_mapping(module, node.orelse)
        elif isinstance(node, ast.Name):
            function = module.enclosing(node)
            places: list[ast.AST] = [function] if function is not None else []
            for place in (*places, module.tree):
                inside = ast.walk(place) if place is not module.tree else iter(module.tree.body)
                for one in inside:
                    if isinstance(one, ast.Assign | ast.AnnAssign):
                        targets = one.targets if isinstance(one, ast.Assign) else [one.target]
                        if any(isinstance(t, ast.Name) and t.id == node.id for t in targets) and one.value:
                            yield from self._of_mapping(module, one.value)
            if node.id in module.imports:
                other = _of_import(module.imports[node.id][0])
                if other is not None and other is not module:
                    yield from self._of_mapping(other, ast.Name(module.imports[node.id][1]))
        elif isinstance(node, ast.Call) and called(node) in ("MappingProxyType", "dict") and node.args:
            yield from self._of_mapping(module, node.args[0])

    def _values(self, module: Module, node: ast.AST, depth: int) -> Found:
        found, any_ = Found(), False
        for other, one in self._of_mapping(module, node):
            any_ = True
            found |= self.texts(other, one, depth)
        return found if any_ else Found(open=True)

    def _functions(self, module: Module, node: ast.Call) -> Iterator[tuple[Module, ast.FunctionDef]]:
        name = called(node)
        if name in module.functions:
            for one in module.functions[name]:
                yield module, one
        elif name in module.imports:
            other = _of_import(module.imports[name][0])
            if other is not None:
                for one in other.functions.get(module.imports[name][1], ()):
                    yield other, one

    def _call(self, module: Module, node: ast.Call, depth: int) -> Found:
        name = called(node)
        if name in ("say", "phrase") and module.imports.get(name, ("", ""))[0] == "landbridge.phrases":
            return Found()
        if name == "join" and _is_clauses(node):
            found = Found()
            for other, one in self._elements(module, node.args[0], depth):
                found |= self.texts(other, one, depth)
            return found
        if name in _VALUES:
            return Found(open=True)
        if name in _CUT and isinstance(node.func, ast.Attribute):
            found = self.texts(module, node.func.value, depth)
            return Found({text.strip() for text in found.texts}, found.open)
        if name == "get" and isinstance(node.func, ast.Attribute):
            found = self._values(module, node.func.value, depth)
            return found | self.texts(module, node.args[1], depth) if len(node.args) > 1 else found
        if name == "partial" and node.args and isinstance(node.args[0], ast.Name):
            node = ast.Call(node.args[0], [], [])
        if name == "next" and node.args:
            found = Found()
            for other, one in self._elements(module, node.args[0], depth):
                found |= self.texts(other, one, depth)
            return found | (self.texts(module, node.args[1], depth) if len(node.args) > 1 else Found())
        found, any_ = Found(), False
        for other, function in self._functions(module, node):
            for one in _own(function):
                if isinstance(one, ast.Return) and one.value is not None:
                    any_ = True
                    found |= self.texts(other, one.value, depth)
        return found if any_ else Found(open=True)

    def _passed(
        self, module: Module, function: ast.FunctionDef, name: str, position: int, depth: int
    ) -> Found:
        """What the calls of a function give for one of its parameters."""
        found, any_ = Found(), False
        if name == "kind":
            return Found(open=True)  # a word of the tables, or that by which faults are counted
        owner = module.parent.get(function)
        init = function.name == "__init__" and isinstance(owner, ast.ClassDef)
        by_name = owner.name if init and isinstance(owner, ast.ClassDef) else function.name
        shift = (
            1
            if isinstance(owner, ast.ClassDef)
            and function.args.args[:1]
            and function.args.args[0].arg in ("self", "cls")
            else 0
        )
        for other, call in _calls_of(by_name):
            near = other is module or by_name in other.imports or isinstance(call.func, ast.Attribute)
            if not near or not _fits(function, call, shift):
                continue
            given = next((k.value for k in call.keywords if k.arg == name), None)
            if given is None and position - shift < len(call.args) and position >= shift:
                given = call.args[position - shift]
                if any(isinstance(one, ast.Starred) for one in call.args):
                    given = None
            if given is not None:
                any_ = True
                found |= self.texts(other, given, depth)
        defaults = function.args.defaults
        names = [one.arg for one in function.args.args]
        if name in names and names.index(name) >= len(names) - len(defaults):
            found |= self.texts(module, defaults[names.index(name) - len(names)], depth)
            any_ = True
        return found if any_ else Found(open=True)


class _Each(ast.AST):
    """Each element of a value."""

    def __init__(self, of: ast.AST) -> None:
        super().__init__()
        self.of = of


def _is_of_another(node: ast.AST) -> bool:
    """Whether a text is that of another error, which has its own row, or of Python."""
    return (
        re.fullmatch(r"[\w.\[\]]+\.(what|cure|message)|str\(error(\.strerror or error)?\)", ast.unparse(node))
        is not None
    )


def _is_clauses(node: ast.Call) -> bool:
    """Whether texts are joined by semicolons: each is looked up by itself."""
    sign = node.func.value if isinstance(node.func, ast.Attribute) else None
    return isinstance(sign, ast.Constant) and sign.value == "; "


def _fits(function: ast.FunctionDef, call: ast.Call, shift: int) -> bool:
    """Whether a call has as many arguments as the function takes."""
    if any(isinstance(one, ast.Starred) for one in call.args) or any(k.arg is None for k in call.keywords):
        return True
    names = [one.arg for one in function.args.args][shift:]
    given = len(call.args) + sum(k.arg in names for k in call.keywords)
    others = {one.arg for one in function.args.kwonlyargs}
    known = all(k.arg in names or k.arg in others for k in call.keywords) or function.args.kwarg is not None
    most = len(names) if function.args.vararg is None else 10_000
    return known and len(names) - len(function.args.defaults) <= given <= most


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a function without those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, Function):
            yield child
            yield from _own(child)


def _position(function: Function, name: str) -> int | None:
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    if name in names:
        return names.index(name)
    return 10_000 if any(one.arg == name for one in function.args.kwonlyargs) else None


@dataclass(frozen=True)
class Text:
    """A template, and where it is: module, line, and which argument (message, where, what or cure)."""

    module: str
    line: int
    part: str
    template: str


def plain(template: str) -> str:
    """A template with its adjacent holes as one, and its ends cut."""
    return re.sub(r"(?:\{\})+", HOLE, template).strip()


def is_words(template: str) -> bool:
    """Whether a template has a word to translate, in small letters as no key of a file format has."""
    return bool(re.search(r"[a-z]{2,}", template.replace(HOLE, "")))


# Classes whose arguments reach a user, with the names of these; of the others the first is the message.
_PARTS = {
    "Fault": ("where", "what", "cure"),
    "Status": ("", "", "", "message"),
    "_RefusedError": ("what", "cure"),
    "_UnreadableError": ("what", "cure"),
    "_WrongError": ("what", "cure"),
    "translated": ("message",),
}
# Functions that print their first argument, and the file of the TOML reader, whose messages go into faults.
_PRINTS, _TOML = ("landbridge.cli.terminal", "say"), "io/toml_text.py"


def sites() -> Iterator[tuple[Module, ast.Call, str, ast.AST, int | None]]:
    """Every argument that is a text of an error: its module, call, part, and place where it is unpacked."""
    for module in modules().values():
        if module.name in IN_ENGLISH:
            continue
        for call in module.calls:
            name = called(call)
            if name == "Status" and call.args and ast.unparse(call.args[0]) == "True":
                continue  # of a solve that converged: no error
            shown = name in ERRORS or module.imports.get(name) == _PRINTS
            printed = isinstance(call.func, ast.Name) and (name, module.name) == ("say", "cli/terminal.py")
            shown = shown or printed or (name, module.name) == ("ValueError", _TOML)
            parts = _PARTS.get(name, ("message",) if shown else ())
            if (
                name == "translated"
                and call.args
                and ast.unparse(call.args[0]) in ("text", "part", "self.message")
            ):
                continue  # texts of errors, collected where these are made
            for at, node in enumerate(call.args):
                if isinstance(node, ast.Starred):
                    for number, part in enumerate(parts[at:]):
                        yield module, call, part, node.value, number
                elif at < len(parts) and parts[at]:
                    yield module, call, parts[at], node, None
            for one in call.keywords:
                if one.arg in parts and one.arg:
                    yield module, call, one.arg, one.value, None


@cache
def collected() -> tuple[tuple[Text, ...], tuple[tuple[str, int, str, str], ...]]:
    """Every template of the source, and the arguments that cannot be followed to a text."""
    reader, places = Reader(), Reader()
    found: list[Text] = []
    lost: list[tuple[str, int, str, str]] = []
    for module, call, part, node, at in sites():
        by = places if part == "where" else reader
        texts = by.texts(module, node) if at is None else by.part(module, node, at)
        for text in texts.texts:
            one = plain(text)
            if one and one != HOLE and is_words(one) and (part != "where" or _PLACE.search(one)):
                found.append(Text(module.name, call.lineno, part, one))
        if texts.open and part not in ("where", "printed") and not _is_of_another(node):
            lost.append((module.name, call.lineno, part, ast.unparse(node)))
    for name, line, text in sorted(reader.inner):
        one = plain(text)
        if one.count(" ") > 0 and is_words(one):
            found.append(Text(name, line, "inner", one))
    return tuple(dict.fromkeys(found)), tuple(dict.fromkeys(lost))

"""Docstrings of everything public: one sentence first, every parameter named, and whether it raises."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import landbridge as lb

# Errors of the language that a caller never meets.
_OWN = {"NotImplementedError", "AssertionError", "AttributeError", "StopIteration"}
_SAYS_RAISED = re.compile(r"\b(raises?d?|errors)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Documented:
    """A public function, class or method; raises: errors of its body and of functions it calls there."""

    name: str
    text: str
    parameters: tuple[str, ...]
    raises: frozenset[str]


@functools.cache
def parsed(module: str) -> ast.Module:
    return ast.parse(Path(str(importlib.import_module(module).__file__)).read_text(encoding="utf-8"))


@functools.cache
def top_level(module: str) -> dict[str, ast.stmt]:
    return {
        node.name: node for node in parsed(module).body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def public(modules: Iterable[str]) -> dict[str, object]:
    """Functions and classes of the __all__ of modules, by the name they have where they are defined."""
    found: dict[str, object] = {}
    for name in modules:
        module = importlib.import_module(name)
        for one in getattr(module, "__all__", ()):
            value = getattr(module, one)
            origin = inspect.unwrap(value) if callable(value) else value
            ours = str(getattr(origin, "__module__", "")).startswith("landbridge")
            if ours and (inspect.isclass(origin) or inspect.isfunction(origin)):
                found[f"{origin.__module__}.{origin.__qualname__}"] = value
    return found


def modules() -> list[str]:
    walked = pkgutil.walk_packages(lb.__path__, "landbridge.")
    return ["landbridge", *(module.name for module in walked if not module.name.endswith("__main__"))]


def raised(node: ast.AST) -> set[str]:
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Raise) and one.exc is not None:
            error = one.exc.func if isinstance(one.exc, ast.Call) else one.exc
            found.add(error.id if isinstance(error, ast.Name) else getattr(error, "attr", "?"))
    return found - _OWN


@functools.cache
def raised_by(module: str, function: str) -> set[str]:
    node = top_level(module).get(function)
    return raised(node) if isinstance(node, ast.FunctionDef) else set()


def reached(node: ast.AST, module: str) -> frozenset[str]:
    """Errors of a body, and of the functions of its module that it calls, less those that it catches."""
    walked = list(ast.walk(node))
    called = {n.func.id for n in walked if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    caught = {n.type.id for n in walked if isinstance(n, ast.ExceptHandler) and isinstance(n.type, ast.Name)}
    return frozenset(raised(node).union(*(raised_by(module, name) for name in called)) - caught)


def documented(name: str, value: object) -> Iterator[Documented]:
    origin = inspect.unwrap(value)  # type: ignore[arg-type]
    module, text = origin.__module__, inspect.getdoc(value) or ""
    node = top_level(module).get(origin.__qualname__)
    if not inspect.isclass(value):
        given = tuple(inspect.signature(origin).parameters)
        yield Documented(name, text, given, reached(node, module) if node else frozenset())
        return
    if not isinstance(node, ast.ClassDef):
        return
    own = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
    text += " " + (ast.get_docstring(own["__init__"]) or "" if "__init__" in own else "")
    made = [own[one] for one in ("__init__", "__post_init__") if one in own]
    errors = frozenset[str]().union(*(reached(one, module) for one in made))
    yield Documented(name, text, _parameters(value), errors)
    for method, body in own.items():
        if not method.startswith("_"):
            said = inspect.getdoc(inspect.getattr_static(value, method)) or inspect.getdoc(
                getattr(value, method)
            )
            arguments = body.args.posonlyargs + body.args.args + body.args.kwonlyargs
            given = tuple(one.arg for one in arguments if one.arg != "cls")
            yield Documented(f"{name}.{method}", f"{said} {text}", given, reached(body, module))


def _parameters(value: type) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(value).parameters)
    except ValueError:
        return ()


def unnamed(one: Documented) -> list[str]:
    """Parameters that the text does not name; none where it refers to the arguments of another function."""
    if re.search(r"([Aa]rguments|[Aa]s) (as )?(in|of) `", one.text):
        return []
    words = set(re.findall(r"\w+", one.text))
    skipped = {"self", "args", "kwargs"}
    names = (name for name in one.parameters if name not in skipped and not name.startswith("_"))
    return [name for name in names if name not in words and name.rstrip("_") not in words]


@functools.cache
def everything() -> list[Documented]:
    """All but the commands, whose options have help texts of their own."""
    found = public(name for name in modules() if not name.startswith("landbridge.cli"))
    return [one for name, value in sorted(found.items()) for one in documented(name, value)]


def test_faults_of_docstrings_are_found() -> None:
    said = Documented("f", "Sum of a and b. Raises DataError for others.", ("a", "b", "c_"), frozenset())
    assert unnamed(said) == ["c_"]
    assert unnamed(Documented("f", "The same; arguments as in `g`.", ("a",), frozenset())) == []
    body = ast.parse("def f():\n    if a:\n        raise DataError('x')\n    raise Found.of(1)\n").body[0]
    assert raised(body) == {"DataError", "of"}
    assert not _SAYS_RAISED.search("The terror of it.")


def test_a_docstring_begins_with_one_sentence() -> None:
    found = public(modules())
    assert len(found) > 900
    for name, value in found.items():
        first = (inspect.getdoc(value) or "").partition("\n\n")[0]
        assert first.endswith((".", ":")), f"{name}: {first!r} is no sentence"


def test_what_raises_says_so() -> None:
    silent = {one.name: sorted(one.raises) for one in everything() if one.raises}
    said = {one.name for one in everything() if _SAYS_RAISED.search(one.text)}
    assert {name: errors for name, errors in silent.items() if name not in said} == {}


def test_every_parameter_is_named() -> None:
    assert {one.name: names for one in everything() if (names := unnamed(one))} == {}

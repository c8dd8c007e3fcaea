"""Sentences are templates: every key is used, every figure is given, and no fact stands in their words."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

import landbridge as lb
from landbridge.phrases import FORMATS, Words, columns, fields, phrases, say
from landbridge.report.document import ENGLISH, phrased
from landbridge.report.workbook import _TERMS

SOURCE = Path(lb.__file__).resolve().parent
PARTS = ("title", "columns", "before", "after")
# Functions that take a key first, and where they are imported from.
SAYS = {"say", "columns", "phrased"}
HOMES = {"landbridge.phrases", "landbridge.report", "landbridge.report.document"}
OWN = {"rows", "words", "part", "names", "before", "after"}
# Digits of units and of names that are no figure.
UNITS = re.compile(r"CO2e|\bm3\b|1,000 TEU|base, 1,000|N-1\b")
YEAR = re.compile(r"\b(19|20)\d\d\b")
COUNT = re.compile(r"\d,\d{3}|\b\d+ (regions|corridors|countries|gateways|sectors|places|trains)\b")
PEOPLES = (
    *("Chinese", "Russian", "Kazakh", "Uzbek", "Turkmen", "Kyrgyz", "Tajik"),
    *("Turkish", "Iranian", "Mongolian", "Afghan"),
)
# Modules that speak to readers of reports.
SPEAKERS = [
    *sorted((SOURCE / "report").glob("*.py")),
    *sorted((SOURCE / "report" / "html").glob("*.py")),
    *(
        SOURCE / name
        for name in (
            "model/notes.py",
            "answers/protocol.py",
            "answers/studies.py",
            "model/economy_inputs.py",
        )
    ),
    *(SOURCE / "channels" / name for name in ("gas.py", "travel.py")),
]


def notes() -> dict[str, str]:
    text = files("landbridge").joinpath("phrases.csv").read_text(encoding="utf-8")
    return {row["key"]: row["note"] for row in csv.DictReader(text.splitlines())}


def key_of(node: ast.expr) -> list[str]:
    """Keys a first argument can be; "PREFIX*" where its end is known only when it runs."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*key_of(node.body), *key_of(node.orelse)]
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return [f"{node.values[0].value}*"]
    raise AssertionError(f"line {node.lineno}: the key is not written out: {ast.unparse(node)}")


def calls() -> Iterator[tuple[str, str, list[str], set[str] | None]]:
    """Place, function, keys and names of the figures of every call; None where figures are unpacked."""
    for path in SOURCE.rglob("*.py"):
        if path.name in ("phrases.py", "document.py"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module in HOMES]
        known = {a.asname or a.name: a.name for n in imports for a in n.names if a.name in SAYS}
        for node in ast.walk(tree):
            name = said(node, known)
            if not name or not isinstance(node, ast.Call):
                continue
            given = {word.arg for word in node.keywords}
            names = None if None in given else {word for word in given if word is not None}
            yield f"{path.name}:{node.lineno}", name, key_of(node.args[0]), names


def said(node: ast.AST, known: dict[str, str]) -> str:
    """The function of a call that takes a key, imported by name or a method of `Words`; "" for others."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute) and node.func.attr in SAYS and node.args:
        # Columns of a World's tables are asked for by name too, and are no phrases.
        return node.func.attr
    return known.get(node.func.id, "") if isinstance(node.func, ast.Name) else ""


def kinds_of_terms() -> set[str]:
    """First arguments of every call of `Words.term` and of `named`."""
    # By Words.title and Words.described, and by the table of kinds in the workbook.
    found = {"scenario", "description", *_TERMS.values()}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("term", "named"):
                found |= {one.value for one in node.args[:1] if isinstance(one, ast.Constant)}
    return found


def held(function: str, key: str) -> set[str]:
    """The templates that a call of a function with a key uses."""
    if key.endswith("*"):
        return {one for one in phrases() if one.startswith(key[:-1])}
    if function != "phrased":
        return {key}
    return {f"{key}.title"} | {f"{key}.{part}" for part in PARTS if f"{key}.{part}" in phrases()}


def test_every_key_is_there_and_used() -> None:
    used = {"document.sources", "list.and", "list.items", "list.clauses", "list.sentences"}
    for place, function, keys, _ in calls():
        for key in keys:
            found = held(function, key)
            assert found and found <= set(phrases()), (place, key)
            used |= found
    kinds = kinds_of_terms()
    used |= {key for key in phrases() if key.startswith("term.") and key.split(".")[1] in kinds}
    assert set(phrases()) == used


def test_every_figure_is_given_and_asked_for() -> None:
    for place, function, keys, given in calls():
        for key in keys:
            wanted = [fields(one) for one in held(function, key)]
            # One template of a family of keys is filled, and all parts of a section together.
            asked = frozenset[str]().union(*wanted)
            assert function == "phrased" or len(set(wanted)) == 1, (place, key)
            if given is not None:
                figures = given - OWN if function == "phrased" else given
                assert figures == asked, (place, key, figures ^ asked)


def test_a_key_or_a_figure_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"case\.emissions\.nothing"):
        say("case.emissions.nothing")
    with pytest.raises(KeyError, match="takes"):
        say("base.name")
    with pytest.raises(KeyError, match="takes"):
        say("base.name", year=2031, month=1)
    with pytest.raises(KeyError, match="takes"):
        phrased("base.corridors", n=3)
    with pytest.raises(TypeError):
        say("base.name", year="2031")
    with pytest.raises(TypeError):
        say("note", text=3.0)


def test_figures_are_formatted_by_name() -> None:
    for key, text in phrases().items():
        for _, name, spec, conversion in Formatter().parse(text):
            assert conversion is None and (name is None or name.isidentifier()), key
            assert not spec or spec in FORMATS or spec.count("|") == 1, (key, spec)
        assert text == text.strip() and "  " not in text, key
    assert columns("case.trade.columns", partner="A")[:2] == ("", "from A, base")
    assert say("cut.off", n=1).endswith("1 other zone") and say("cut.off", n=2).endswith("2 other zones")


@cache
def names_of_the_tables() -> re.Pattern[str]:
    """Countries, regions, places, gateways and sectors by name, whole words."""
    world = lb.load()
    found = [str(r["name"]) for table in (world.regions, world.sectors) for r in table]
    found += [
        str(r["label"]) for r in world.network["labels"] if r["kind"] == "country" and r["lang"] == "en"
    ]
    found += [str(r["name"]) for table in ("places", "gateways") for r in world.network[table]]
    return re.compile(r"\b(" + "|".join(map(re.escape, sorted({*found, *PEOPLES}, key=len))) + r")\b")


def test_no_fact_stands_in_a_sentence() -> None:
    """A digit needs a note that says whose it is; names of the tables come as figures."""
    names, why = names_of_the_tables(), notes()
    for key, text in phrases().items():
        words = "".join(part for part, *_ in Formatter().parse(text))
        if re.search(r"\d", UNITS.sub("", words)):
            assert re.match(r"(cites|unit|method)\b.", why[key]), (key, words)
        found = names.findall(words)
        assert not found or why[key].startswith("cites") or set(found) == {"food"}, (key, found)


def docstrings(tree: ast.AST) -> set[int]:
    """Constants that document a module, class or function."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, kinds)]
    return {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}


@pytest.mark.parametrize("path", SPEAKERS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_fact_stands_in_the_code_of_reports(path: Path) -> None:
    names = names_of_the_tables()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    about = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in about:
            for pattern in (YEAR, COUNT, names):
                assert not pattern.search(node.value), (path.name, node.lineno, node.value)


@pytest.mark.parametrize("lang", ["en", "ru", "zh"])
def test_a_long_list_of_phrases_is_built_and_translated_at_once(lang: str) -> None:
    # Ten thousand: lists that hold each other would be too deep, or take for ever.
    items = [say("note", text=str(n)) for n in range(10_000)]
    for make, sign in ((ENGLISH.clauses, {"zh": "\uff1b"}), (ENGLISH.joined, {"zh": "\u3001"})):
        text = Words(lang).of(make(items))
        usual = "; " if make == ENGLISH.clauses else ", "
        assert text.split(sign.get(lang, usual)) == [Words(lang).of(item) for item in items]


def test_one_phrase_alone_is_translated_as_in_a_list() -> None:
    note = say("note", text="a")
    for make in (ENGLISH.clauses, ENGLISH.joined, ENGLISH.sentences):
        assert Words("ru").of(make([note])) == Words("ru").of(note) != note
        assert make([]) == ""


@pytest.mark.parametrize(
    ("text", "russian"),
    [
        ("1,234.5", "1\u00a0234,5"),
        ("+0.25 %", "+0,25\u00a0%"),
        ("0.2 (0.1-0.3)", "0,2 (0,1-0,3)"),
        ("1.2e-05", "1,2e-05"),
        ("5.0 / 12.5", "5,0 / 12,5"),
        *(
            (same, same)
            for same in ("01.06.2024", "0.2.0", "10.1016/0022-1996", "2022-2023", "R275", "a 1.5")
        ),
    ],
)
def test_cells_of_figures_alone_get_the_signs_of_the_language(text: str, russian: str) -> None:
    assert Words("ru").cell(text) == russian and Words("en").cell(text) == text

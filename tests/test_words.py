"""Words of phrases, help texts, messages, comments and docstrings: those of the list in CONTRIBUTING.md."""

from __future__ import annotations

import ast
import csv
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import landbridge

SOURCE = Path(landbridge.__file__).parent
CONTRIBUTING = Path(__file__).resolve().parents[1] / "CONTRIBUTING.md"

# Words that the text of the source does not use in the sense given in CONTRIBUTING.md, section Words. Names
# of parameters (before a colon) and values of data ("road beside rails", "rail, ordinary wagons") may stay.
BANNED = {
    "told, tells": r"\b(told|tells)\b(?!:)",
    "beside": r"(?<!road )\bbeside\b(?!:)",
    "box, boxes": r"(?<![`\w-])box(es)?\b(?![-`_])",
    "the five, all five": r"\b(the|all|all the) five\b",
    "bring forth": r"\b(bring|brings|brought) forth\b",
    "answers to": r"\banswers to\b",
    "mend": r"(?<!`)\bmend(s|ed|ing)?\b(?!:)",
    "worked off": r"\bwork(s|ed)? off\b",
    "ordinary wagons": r"(?<!rail, )\bordinary wagons?\b",
    "stands twice": r"\bstands? (here|there|already|twice|more than once)\b",
    "has no answer": r"\b(has|have|without|with) (no|an) answer\b",
    "settle": r"(?<![`.\w])settle[sd]?\b(?!:)",
    "every line whole": r"\bevery line whole\b",
    "anew": r"\banew\b(?!:)",
    "sales at home": r"\b(sales|use|sold|sells|sell|nothing) at home\b",
    "speaks for": r"\bspeaks?\b",
    "robs": r"\brobs?\b",
    "lets go": r"\b(lets?|letting|be let) (it |them )?go\b",
    "generalised USD": r"\bgeneralised USD\b",
    "that the file has not": r"\b(that|which) the \w+ has not\b",
    "dearest": r"\bdearest\b",
    "on its way to nothing": r"\bway to nothing\b",
}


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every comment, docstring and string of three words or more."""
    text = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count(" ") > 1:
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            words = " ".join(part.value for part in node.values if isinstance(part, ast.Constant))
            yield node.lineno, words


def found(text: str) -> list[str]:
    """The banned words in a text."""
    plain = " ".join(text.split())
    return [match[0] for pattern in BANNED.values() for match in re.finditer(pattern, plain, re.IGNORECASE)]


def files() -> list[str]:
    return sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


@pytest.mark.parametrize("name", files())
def test_the_text_of_a_file_is_plain(name: str) -> None:
    odd = [(line, word) for line, text in texts_of(SOURCE / name) for word in found(text)]
    assert not odd


@pytest.mark.parametrize(("table", "column"), [("phrases.csv", "en"), ("schema.csv", "description")])
def test_phrases_and_descriptions_are_plain(table: str, column: str) -> None:
    with (SOURCE / table).open(encoding="utf-8", newline="") as file:
        assert not [(row, found(row[column])) for row in csv.DictReader(file) if found(row[column])]


def test_the_list_of_words_names_every_one() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8").split("## Words")[1].split("\n## ")[0]
    rows = [line.split("|") for line in text.splitlines() if line.startswith("|")][2:]
    assert {row[2].strip() for row in rows} == set(BANNED) and len(rows) <= 25
    for row in rows:
        assert found(row[2]), row[2]
        assert not found(row[1]), row[1]

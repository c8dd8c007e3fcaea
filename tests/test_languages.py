"""Reports in Russian and Chinese: nothing is left in English, figures are the same, every screen fits."""

from __future__ import annotations

import ast
import base64
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from html import unescape
from importlib.resources import files
from pathlib import Path
from string import Formatter

import numpy as np
import pandas as pd
import pytest

import embedded
import landbridge as lb
from landbridge.cli.terminal import show_compact
from landbridge.phrases import FORMATS, LANGUAGES, Phrase, Words, columns, fields, named, phrases, say, width
from landbridge.report import (
    Digest,
    Document,
    Names,
    Section,
    exports,
    first_screen,
    study_lines,
    study_sections,
)
from landbridge.report.compare import compare_sections
from landbridge.report.compare_workbook import compare_workbook
from landbridge.report.first_screen import LINES, WIDTH
from landbridge.report.gravity import gravity_forms
from landbridge.report.html.run_page import Sight, html
from landbridge.report.plain import folded, plain_text
from landbridge.report.routes import route_sections
from landbridge.report.writers import content_of
from landbridge.results.tables import result_tables
from landbridge.scenario import bundled, json_schema, load_scenario
from landbridge.studies.compare import compare
from landbridge.transport.routes.route_set import FAMILIES

OTHERS = [lang for lang in LANGUAGES if lang != "en"]
SOURCE = Path(lb.__file__).resolve().parent
# Units that the English may write in another way.
UNITS = {"USD", "CO2e", "TEU", "GDP", "FOB", "parameters"}
# Letters that each language is written in.
OWN = {"ru": re.compile("[\u0400-\u04ff]"), "zh": re.compile("[\u4e00-\u9fff]")}
# Words of three letters and more that every language has: units, the name of the program and its words.
ALLOWED = {
    *("USD", "CO2e", "TEU", "GDP", "FOB", "BACI", "landbridge", "World", "JSON"),
    *("run", "route", "data", "validate", "scenarios", "calibrate", "compare", "sweep", "sensitivity"),
    *("tables", "detail", "legs", "time", "cost", "mode", "set", "json", "html", "xlsx", "csv", "dta"),
    *("parquet", "FROM", "NAME", "FILE", "result", "labels", "parameters", "carriers", "shares", "family"),
    *("phi", "theta", "reported", "baci", "off", "ranked", "yes", "Anderson", "Larch", "and", "Yotov"),
    # Who drew the coasts, and the standard of the codes of regions.
    *("Natural", "Earth", "ISO", "alpha"),
}
WORD = re.compile(r"[A-Za-z]{3,}[0-9a-z]*")


@cache
def digests() -> tuple[Digest, Digest]:
    solved = embedded.railway()
    return Digest.of(solved.base, solved.base), Digest.of(solved.cases[0], solved.base)


@cache
def cited() -> tuple[str, ...]:
    """Sources, which are cited as they are published, and identifiers."""
    world, (base, case) = embedded.world(), digests()
    ids = [str(row[key]) for table in world.network.values() for row in table for key in row if key in KEYS]
    ids += [str(row["sector"]) for row in world.sectors] + [world.hash[:12]]
    sources = [*case.sources, *(str(row["source"]) for row in base.counts), *bundled(), *ids]
    sources += [text.removeprefix("derived: ") for text in sources]
    return tuple(sorted({text for text in sources if WORD.search(text)}, key=lambda text: -len(text)))


KEYS = ("place_id", "gateway_id", "link_id", "region", "parameter", "corridor_id", "bloc")


@cache
def keys_of_scenarios() -> frozenset[str]:
    """Words of the keys and values of a scenario file, which are the same in every language."""
    found = {"base", "open"}
    for one in json_schema()["properties"]["modification"]["items"]["oneOf"]:
        for key in (one["title"], *one["properties"]):
            found |= set(key.split("_"))
    return frozenset(found)


def english(texts: Iterable[str]) -> list[str]:
    """Words of English in texts, without sources, identifiers and the words that every language has."""
    found, allowed = [], ALLOWED | keys_of_scenarios()
    for text in texts:
        plain = text
        for one in cited():
            if one in plain:
                plain = plain.replace(one, "")
        found += [word for word in WORD.findall(plain) if word not in allowed]
    return found


def texts(sections: Iterable[Section]) -> list[str]:
    return [
        text
        for one in sections
        for text in (one.title, *one.columns, *one.before, *one.after, *(c for row in one.rows for c in row))
    ]


# -- phrases -------------------------------------------------------------------------------------------


def test_every_key_is_there_once_and_in_order() -> None:
    text = files("landbridge").joinpath("phrases.csv").read_text(encoding="utf-8")
    keys = [row["key"] for row in csv.DictReader(text.splitlines())]
    assert keys == sorted(set(keys)) and len(keys) > 1000


@pytest.mark.parametrize("lang", OTHERS)
def test_no_phrase_is_missing(lang: str) -> None:
    assert not [key for key in phrases() if key not in phrases(lang)]


@pytest.mark.parametrize("lang", OTHERS)
def test_a_translation_has_the_figures_and_headings_of_the_english(lang: str) -> None:
    for key, text in phrases(lang).items():
        # A field that only chooses between singular and plural may be left out.
        shown = {name for _, name, spec, _ in Formatter().parse(phrases()[key]) if "|" not in (spec or "")}
        assert shown - {None} <= fields(key, lang) <= fields(key), key
        assert text == text.strip() and "  " not in text, key
        for _, name, spec, conversion in Formatter().parse(text):
            # A number governs no noun: plural forms are avoided by wording.
            assert conversion is None and (not spec or spec in FORMATS), (key, name, spec)
        if key.endswith(".columns"):
            assert text.count("|") == phrases()[key].count("|"), key
        words = "".join(part for part, *_ in Formatter().parse(phrases()[key]))
        odd = [word for word in WORD.findall(words) if word not in ALLOWED]
        assert not odd or OWN[lang].search(text) or key in SAME, key
        # Latin words of a translation are names, files and commands that the English has too.
        assert set(WORD.findall(text)) <= set(WORD.findall(phrases()[key])) | UNITS, key


# Templates of commands and of names of quantities.
SAME = {
    *("first.more.compare", "first.more.sensitivity", "term.number.theta", "route.way"),
    "doctor.what.python",
}


def test_every_letter_can_be_drawn() -> None:
    """Cyrillic by the font of the figures; Chinese by any font that has the characters of GB 2312."""
    font = pytest.importorskip("matplotlib.font_manager")
    held = font.get_font(font.findfont("DejaVu Sans")).get_charmap()
    for key, text in phrases("ru").items():
        assert not [letter for letter in text if ord(letter) not in held], key
    for key, text in phrases("zh").items():
        assert text.encode("gb2312"), key


def test_numbers_are_written_as_in_the_language() -> None:
    english, russian, chinese = (Words(lang) for lang in LANGUAGES)
    assert (
        russian.figure(1234567.25, ",.1f") == "1\u00a0234\u00a0567,2" and russian.signed(-0.5, 2) == "-0,50"
    )
    assert chinese.figure(1234567.25, ",.1f") == english.figure(1234567.25, ",.1f") == "1,234,567.2"
    assert russian.say("case.transit.share", share=0.25) == "25\u00a0%"
    assert russian.say("first.assumed.phi", value=0.5, low=0.25, high=1.5).startswith("Допущение: phi 0,5 (")
    assert russian.joined(["a", "b"]) == "a, b" and chinese.joined(["a", "b"]) == "a、b"
    assert russian.listed(["a", "b", "c"]) == "a, b и c" and english.listed(["a"]) == "a"
    assert width("中国 a") == 6 and width("Китай") == 5


def test_a_note_keeps_what_it_was_made_from() -> None:
    """Notes of a result are English text, and a report translates them with the names in them."""
    hours = say("note.hours", gateway=named("gateway", "khorgos-altynkol"), hours=26.0)
    note = say("note.queue", gateways=(hours,))
    assert isinstance(note, str) and note.startswith("the queue grows") and "khorgos-altynkol +26 h" in note
    assert isinstance(note, Phrase)
    names = Names(embedded.world(), "ru")
    assert "Хоргос - Алтынколь* +26 ч" in names.of(note) and not english([names.of(note)])
    assert names.of("words of a user") == "words of a user"


def test_scenarios_are_named_and_described_in_every_language() -> None:
    for name in bundled():
        one = load_scenario(name)
        about = " ".join(str(one.to_dict()["description"]).split())
        for lang in OTHERS:
            words = Words(lang)
            assert OWN[lang].search(words.title(name, one.name)), name
            assert OWN[lang].search(words.described(name, about)), name
            # One of a user's own with the same identifier keeps its own words.
            assert words.title(name, "My own") == "My own" and words.described(name, "Mine") == "Mine"


# Values of tables that a module looks for.
VALUES = {"container trains", "derived: "}
MODULES = ("first_screen", "base", "changes", "compare", "routes", "study", "customs", "html/run_page")


@pytest.mark.parametrize("module", MODULES)
def test_no_sentence_is_put_together_in_the_code(module: str) -> None:
    """No text of two words or more, and no word around a figure, is written outside phrases.csv."""
    tree = ast.parse((SOURCE / "report" / f"{module}.py").read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, kinds)]
    about = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    about |= {
        id(word)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Field"
        for word in ast.walk(node)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value not in VALUES
            and id(node) not in about
        ):
            text = re.sub(r"<[^>]*>?|[a-z]+=.*", "", node.value)
            assert not re.search(r"[A-Za-z]{2,},? [A-Za-z]{2,}|[A-Za-z]{3,}:? $|^ [A-Za-z]{3,}", text), (
                node.lineno,
                node.value,
            )


# -- what is printed -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", OTHERS)
def test_the_first_screen_is_in_the_language_and_fits(lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    world, (base, case) = embedded.world(), digests()
    names = Names(world, lang)
    show_compact(first_screen(world, base, case, names, ("sweep", "compare", "sensitivity")), WIDTH)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= LINES and max(map(width, lines)) <= WIDTH
    source = Words(lang).say("first.what.source", source="").split("：")[0]
    assert not english(line for line in lines if not line.startswith(source))
    assert len([line for line in lines if OWN[lang].search(line)]) > 15
    show_compact(study_lines([case], names), WIDTH)
    lines = capsys.readouterr().out.splitlines()
    assert not english(lines) and max(map(width, lines)) <= WIDTH


@pytest.mark.parametrize("lang", OTHERS)
def test_tables_are_in_the_language_with_the_same_figures(lang: str) -> None:
    world, (base, case) = embedded.world(), digests()
    plain, other = (list(study_sections(world, base, [case], one)) for one in ("en", lang))
    assert not english(texts(other))
    back = str.maketrans({"\u00a0": ",", ",": "."}) if lang == "ru" else {}
    figures = 0
    for mine, theirs in zip(plain, other, strict=True):
        assert len(mine.columns) == len(theirs.columns)
        for row, same in zip(mine.rows, theirs.rows, strict=True):
            for cell, its in zip(row, same, strict=True):
                if re.fullmatch(r"[+-]?\d[\d,.]*", cell):
                    assert its.translate(back) == cell
                    figures += 1
    assert figures > 500


@pytest.mark.parametrize("lang", OTHERS)
def test_scenarios_next_to_each_other_are_in_the_language(lang: str) -> None:
    found = compare([embedded.railway().base, embedded.railway().cases[0]], embedded.world())
    sections = list(compare_sections(found, None, lang))
    assert len(sections) > 8 and not english(texts(sections))


@pytest.mark.parametrize("lang", OTHERS)
def test_routes_are_in_the_language(lang: str) -> None:
    routes = lb.route_after(embedded.world(), "cku-railway", "Yiwu", "Tashkent", k=8)
    sections = list(route_sections(embedded.world(), routes, lang))
    assert len(sections) > 8 and not english(texts(sections))
    # Columns of a text file line up by what a terminal shows.
    lines = plain_text(Document(tuple(sections), ("source",), lang)).splitlines()
    assert Words(lang).say("document.sources") in lines
    head, *rows = lines[2 : 3 + len(routes)]
    assert {width(line) for line in rows} == {width(head)}


@pytest.mark.parametrize("lang", OTHERS)
def test_the_page_is_in_the_language(lang: str) -> None:
    solved, (base, case) = embedded.railway(), digests()
    sights = [Sight.of(solved.base), Sight.of(solved.cases[0])]
    page = html(embedded.world(), [base, case], sights, [], {}, lang=lang)
    assert f'<html lang="{lang}">' in page
    drawn = [base64.b64decode(text).decode() for text in re.findall(r'svg\+xml;base64,([^"]+)"', page)]
    # Chinese text stays text, in a font of the reader; Russian is drawn.
    assert all(("<text" in one) == (lang == "zh") for one in drawn) and len(drawn) >= 5
    if lang == "zh":
        labels = [unescape(t) for one in drawn for t in re.findall(r"<text[^>]*>([^<]*)</text>", one)]
        assert len(labels) > 100 and not english(labels)
    page = re.sub(r"<style>.*?</style>|<code>.*?</li>|<pre>.*?</pre>", "", page, flags=re.DOTALL)
    page = re.sub(r"<(?!img)[^>]*>|src=\"[^\"]*\"|<img|alt=", "\n", page)
    assert not english(unescape(page).splitlines())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sheets_are_called_in_the_language(lang: str) -> None:
    """Of a comparison and of studies; English names are those of the tables."""
    openpyxl = pytest.importorskip("openpyxl")
    found = compare([embedded.railway().base, embedded.railway().cases[0]], embedded.world())
    books = {"compare": compare_workbook(found, [], lang)}
    for name in ("gas", "treaties"):
        answer = replace(studied(name), lang=lang)
        books[name] = content_of(answer, ".xlsx")
    for name, held in books.items():
        called = openpyxl.load_workbook(io.BytesIO(held)).sheetnames
        assert len({one.casefold() for one in called}) == len(called) and max(map(len, called)) <= 31
        if lang != "en":
            assert all(OWN[lang].search(one) for one in called), called
        else:
            rows = found.rows() if name == "compare" else studied(name).rows
            assert {one for one, table in rows.items() if table} | {"README"} >= {*called} - {"Answer"}


@pytest.mark.parametrize("lang", OTHERS)
def test_every_table_of_a_result_has_a_name(lang: str) -> None:
    terms = phrases(lang)
    named = {*result_tables(), *tables_of_answers()}
    assert len(named) > 40 and not sorted(n for n in named - {"skims"} if f"term.table.{n}" not in terms)


def tables_of_answers() -> Iterator[str]:
    """Names of the tables of every answer, which its docstring lists."""
    for path in sorted((SOURCE / "answers").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            about = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
            for listed in re.findall(r"Tables: ([^.;]*)", re.sub(r"\[[^]]*\]", "", about or "")):
                parts = re.split(r",|\band\b", listed)
                yield from (part.split()[0] for part in parts if part.strip())


# -- every study -----------------------------------------------------------------------------------------


def test_every_command_that_writes_an_answer_takes_a_language() -> None:
    silent = []
    for path in sorted((SOURCE / "cli").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or node.name == "give":
                continue
            calls = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
            gives = any(isinstance(one, ast.Name) and one.id == "give" for one in calls)
            if gives and "lang" not in {one.arg for one in node.args.args}:
                silent.append(f"{path.stem}.{node.name}")
    assert not silent


STUDIES: dict[str, Callable[[lb.World], lb.Answer]] = {
    "gas": lambda world: lb.gas(world, ["line-C"], months="1-2"),
    "treaties": lb.treaties,
    "travel": lb.travel,
    "farm": lambda world: lb.farm(world, regions=["KGZ"]),
    "reach": lambda world: lb.reach(world, "Almaty"),
    "ways": lambda world: lb.ways(world, "Urumqi", "Tashkent", scenario="khorgos-closed"),
}
# Texts that a document quotes from a table as they are: titles of publications, names of lines, trials.
QUOTED = ("source", "note", "name", "intervention", "pipeline_id", "alias", "effect_id", "case_id", "node_id")


@cache
def studied(name: str) -> lb.Answer:
    return STUDIES[name](embedded.world())


@cache
def quoted() -> list[str]:
    tables = embedded.world().channels.values()
    found = {str(row[key]) for table in tables for row in table for key in row if key in QUOTED and row[key]}
    return sorted(found, key=lambda text: -len(text))


@pytest.mark.parametrize("lang", OTHERS)
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_in_the_language_with_the_same_figures(name: str, lang: str) -> None:
    plain, other = studied(name).document().sections, studied(name).document(lang).sections
    shown = texts(other)
    for one in quoted():
        shown = [text.replace(one, "") for text in shown]
    shown = [re.sub(r"[a-z_/]+\.csv", "", text) for text in shown]
    assert not english(shown)
    back = str.maketrans({"\u00a0": ",", ",": "."}) if lang == "ru" else {}
    names = Names(embedded.world(), lang)
    families = {one: names.term("family", one) for one in FAMILIES}
    places = {"reach": names.place, "ways": families}.get(name, names.region)
    figures = countries = 0
    for mine, theirs in zip(plain, other, strict=True):
        assert OWN[lang].search(theirs.title) and len(mine.columns) == len(theirs.columns)
        for row, same in zip(mine.rows, theirs.rows, strict=True):
            for cell, its in zip(row, same, strict=True):
                if re.fullmatch(r"[+-]?\d[\d,.]*", cell):
                    assert its.translate(back) == cell
                    figures += 1
                countries += cell in places and its == places[cell]
        countries += sum(one in places.values() for one in theirs.columns)
        countries += sum(row[0] in places.values() for row in theirs.rows)
    assert figures > 0 and countries > 2
    # Files of the same answer too, and the English is as it was.
    page = replace(studied(name), lang=lang).document()
    assert page.lang == lang and texts(page.sections) == texts(other)
    assert not [text for text in texts(plain) if OWN[lang].search(text)]


@pytest.mark.parametrize("lang", OTHERS)
def test_an_estimate_is_in_the_language(lang: str) -> None:
    """The table as in journals keeps its columns in line."""
    pytest.importorskip("pyfixest")
    answer = lb.gravity("trade ~ rta + ln_distance | exporter^year + importer^year", flows(), cluster="none")
    (section,) = answer.document(lang).sections
    names = {"trade", "rta", "distance", "exporter", "importer", "year", "PPML", "exp", "World"}
    assert not set(english(texts([section]))) - names
    lines = str(gravity_forms(answer.found, lang)[".txt"]()).splitlines()
    assert OWN[lang].search("".join(lines))
    # A coefficient and its error below, counted in columns of a terminal.
    at = next(n for n, line in enumerate(lines) if line.startswith("rta"))
    assert len({width(re.split("[.,]", line)[0]) for line in lines[at : at + 2]}) == 1


def flows() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    places, years = "ABCDEF", range(3)
    rows = [(a, b, year) for a in places for b in places for year in years if a != b]
    frame = pd.DataFrame(rows, columns=["exporter", "importer", "year"])
    frame["rta"] = rng.integers(0, 2, len(frame)).astype(float)
    frame["ln_distance"] = rng.normal(0.0, 1.0, len(frame))
    frame["trade"] = rng.poisson(50.0, len(frame)).astype(float)
    return frame


def test_a_figure_among_words_is_written_as_in_the_language() -> None:
    """Of phrases within phrases, of names, and of cells of figures alone; a list of years is none."""
    russian, chinese = (Names(embedded.world(), lang) for lang in OTHERS)
    lost = say("gas.home.of", country=named("region", "KAZ"), bcm=1234.5)
    assert lost == "KAZ 1,234.50" and russian.of(lost) == "Казахстан 1\u00a0234,50"
    ends = say("range", low="+1,234.5", high="2 %")
    assert russian.of(ends) == "от +1\u00a0234,5 до 2\u00a0%" and chinese.of(ends) == "+1,234.5至2%"
    for cell, shown in (("1,234.5 %", "1\u00a0234,5\u00a0%"), ("2017, 2018", "2017, 2018"), ("R2.5", "R2.5")):
        assert russian.cell(cell) == shown and chinese.cell(cell) == cell.replace(" %", "%")
    pair = Words().listed([named("region", "KAZ", "Kazakhstan"), named("region", "UZB", "Uzbekistan")])
    assert pair == "Kazakhstan and Uzbekistan" and russian.of(pair) == "Казахстан и Узбекистан"
    assert (
        russian.of(Words().clauses(["a", "b"])) == "a; b"
        and chinese.of(Words().clauses(["a", "b"])) == "a；b"
    )
    head = columns("gas.contracts.columns")
    assert head[1] == "due" and [russian.of(one) for one in head][1] == "положено"


def test_a_chinese_text_is_broken_between_its_characters() -> None:
    lines = folded("一二三四，五六 abc 七八。", 8)
    assert (
        all(width(line) <= 8 for line in lines)
        and "".join(lines).replace(" ", "") == "一二三四，五六abc七八。"
    )
    assert not any(line.startswith(("，", "。", " ")) for line in lines)


@pytest.mark.parametrize("lang", OTHERS)
def test_the_workbook_is_in_the_language(lang: str) -> None:
    """Titles, sentences, units, notes and words in cells of every sheet; names of columns are identifiers."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO(exports.xlsx(embedded.world(), digests(), [], lang)))
    assert all(OWN[lang].search(name) and len(name) <= 31 for name in book.sheetnames)
    told = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    told |= {
        cell.comment.text
        for sheet in book
        for row in sheet.iter_rows(max_row=2)
        for cell in row
        if cell.comment
    }
    # An identifier is one word; a note may name columns and values of tables.
    named = {word for table in result_tables().values() for name in table.columns for word in name.split("_")}
    named |= {
        "fixed",
        "proportional",
        "zero",
        "labour",
        "tax",
        "capital",
        "fitted",
        "input",
        "predicted",
        "world",
    }
    texts = [text for text in told if isinstance(text, str) and re.search(r"[^\x00-\x7f]| ", text)]
    assert len(texts) > 300 and not set(english(texts)) - named

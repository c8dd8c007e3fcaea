"""Errors in Russian and Chinese: every text of the source has its row, and the command line prints it."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

import error_sources
from error_sources import HOLE, IN_ENGLISH, RARE, REPLIES, collected, modules, plain
from landbridge.cli import main
from landbridge.cli.terminal import asked_language
from landbridge.error_texts import translated
from landbridge.errors import DataError, Fault
from landbridge.io.export import export
from landbridge.io.tables import load_world
from landbridge.phrases import say
from landbridge.scenario import Scenario
from landbridge.world.names import KINDS
from landbridge.world.table import read_schema

OTHERS = ("ru", "zh")
# A place in a text of the table, and what it has.
PLACE = re.compile(r"\{(\d)(?::([a-z]+))?\}")
MARKS = {"", "text", "list", "kind", "name", "number"}
OWN = {"ru": re.compile("[\u0400-\u04ff]"), "zh": re.compile("[\u4e00-\u9fff]")}
WORD = re.compile(r"[A-Za-z]{3,}")
# Units that Russian and Chinese write in another way than the English.
UNITS = {"USD", "GeoPackage", "World"}
# Three words of Latin letters, one after the other.
SENTENCE = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]{2,}){2,}")
QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'|\([^()]*\.[^()]*\)")
# Texts whose words are keys, formats and commands.
KEYS_ALONE = {
    "init term capacity length time b power speed toll type ;",
    "landbridge reads messages of the Model Context Protocol from stdin (Ctrl-C ends it)",
    "Country Name, Country Code, Indicator Name, Indicator Code, 1960 ... of WDICSV.csv",
}
# Arguments of errors that cannot be followed to a text in the source: this number may only get smaller.
MOST_LOST = 24
# Modules whose errors stay in English: these numbers too.
MOST_IN_ENGLISH = {"replies": 11, "rare": 28}


@cache
def rows() -> tuple[dict[str, str], ...]:
    """The rows of the table, by column: en, note, ru and zh."""
    text = files("landbridge").joinpath("error_texts.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def as_template(text: str) -> str:
    """A text of the table as the walk through the source gives it."""
    return plain(PLACE.sub(HOLE, text))


@cache
def templates() -> dict[str, str]:
    """Every template of the source, with the first place where it is."""
    return {
        one.template: f"{one.module}:{one.line}" for one in reversed(collected()[0]) if one.part != "where"
    }


# -- the table -----------------------------------------------------------------------------------------


def test_the_table_is_sorted_and_has_every_row_once() -> None:
    keys = [row["en"] for row in rows()]
    assert keys == sorted(set(keys)) and len(keys) > 1000
    assert len({as_template(key) for key in keys}) == len(keys)


def test_every_text_of_the_source_has_a_row() -> None:
    held = {as_template(row["en"]) for row in rows()}
    missing = {text: place for text, place in templates().items() if text not in held}
    assert not missing, missing


def test_every_place_of_a_fault_is_translated() -> None:
    """File, line, sheet, zone: words around what a user can look up."""
    places = {one.template for one in collected()[0] if one.part == "where"}
    assert len(places) > 20
    for place in places - KEYS_ALONE:
        shown = place
        for number in range(1, place.count(HOLE) + 1):
            shown = shown.replace(HOLE, str(number), 1)
        for lang in OTHERS:
            found = translated(shown, lang, where=True) + translated(shown, lang)
            assert OWN[lang].search(found), place


def test_every_row_is_of_the_source() -> None:
    """Rows with a note are of Python, the parser of arguments, schema.csv, or a word or place in a text."""
    known = set(templates()) | {one.template for one in collected()[0]}
    dead = [row["en"] for row in rows() if as_template(row["en"]) not in known and not row["note"]]
    assert not dead, dead
    noted = [row["note"] for row in rows() if row["note"]]
    assert set(noted) == {"Python", "parser", "place", "schema", "where", "word"} and len(noted) <= 140
    texts = {row["en"] for row in rows() if row["note"] not in ("", "where", "word")}
    assert not [text for text in texts if as_template(text) in known]


def test_keys_that_a_scenario_must_have_are_described() -> None:
    """What is missing is named with what it is, in the words of schema.csv."""
    schema = read_schema()
    keys = [c for name in schema if name.startswith("modification.") for c in schema[name].values()]
    wanted = {column.description for column in keys if column.required and not column.default}
    assert len(wanted) > 15 and wanted == {row["en"] for row in rows() if row["note"] == "schema"}


def test_what_cannot_be_followed_is_counted() -> None:
    lost = collected()[1]
    assert len(lost) <= MOST_LOST, lost
    assert len(REPLIES) <= MOST_IN_ENGLISH["replies"] and len(RARE) <= MOST_IN_ENGLISH["rare"]
    assert set(modules()) >= IN_ENGLISH


@pytest.mark.parametrize("lang", OTHERS)
def test_a_translation_has_the_places_and_words_of_the_english(lang: str) -> None:
    for row in rows():
        english, text = row["en"], row[lang]
        places = {number for number, _ in PLACE.findall(english)}
        # A place that is only the ending of an English plural is left out.
        plural = {found for found in re.findall(r"(?:fault|file)\{(\d)\}", english)}
        assert places - plural <= set(re.findall(r"\{(\d)\}", text)) <= places, english
        assert {mark for _, mark in PLACE.findall(english)} <= MARKS, english
        assert text == text.strip() and "  " not in text, english
        words = [word for word in WORD.findall(QUOTED.sub("", PLACE.sub("", english))) if word.islower()]
        same = text == PLACE.sub(r"{\1}", english)
        assert not words or OWN[lang].search(text) or same or english in KEYS_ALONE, english
        # Latin words are names, keys and commands that the English has too.
        assert set(WORD.findall(text)) <= set(WORD.findall(english)) | UNITS, english
        if english not in KEYS_ALONE and not same:
            assert not SENTENCE.search(QUOTED.sub("", text)), english


def test_the_same_text_in_both_is_of_keys_alone() -> None:
    same = [row["en"] for row in rows() if PLACE.sub(r"{\1}", row["en"]) in (row["ru"], row["zh"])]
    assert len(same) <= 12, same


# -- a text ----------------------------------------------------------------------------------------------


def test_a_finished_text_is_found_by_its_words() -> None:
    assert translated("not found", "ru") == "не найден" and translated("not found", "zh") == "未找到"
    assert translated("no sector 'X'", "ru") == "нет отрасли 'X'"
    # What the table does not have stays, and English is as it was given.
    assert translated("words of a user", "ru") == "words of a user"
    assert translated("not found", "en") == "not found"
    with pytest.raises(KeyError):
        translated("not found", "de")


def test_the_row_with_most_words_holds_and_inner_texts_are_translated() -> None:
    assert translated("data check: 3 faults", "ru") == "data check: ошибок: 3"
    assert translated("did you mean 'a' or 'b'?", "zh") == "是否为'a'或'b'？"
    assert translated("did you mean 'is empty'?", "ru") == "возможно, 'is empty'?"
    note = say("cut.off", n=2)
    assert OWN["ru"].search(translated(note, "ru"))


def test_names_of_files_and_columns_stay() -> None:
    """The word for a kind of thing is translated where a text names a kind, and nowhere else."""
    assert translated("no region 'X'", "ru") == "нет региона 'X'"
    assert translated("no place 'X'", "ru") == "не найдено: пункт 'X'"
    assert translated("region is empty", "ru") == "region пусто"
    told = translated("gateways.csv lists every gateway, labels.csv their names", "zh")
    assert translated("links.csv line 4 (A, B)", "zh", where=True) == "links.csv第4行（A, B）"
    assert told == "gateways.csv列出每个口岸或港口，labels.csv列出其名称"
    assert DataError("x", [Fault("place", "is empty", "")]).faults[0].text("ru") == "place: пуст"


def test_what_is_quoted_stays_and_lists_of_names_are_joined() -> None:
    told = translated("cannot be read as a workbook ('File is not a zip file')", "ru")
    assert told == "не читается как книга ('File is not a zip file')"
    assert translated("no rail link joins KGZ and KAZ", "zh") == "没有连接KGZ和KAZ的rail线路"
    assert translated("did you mean 'a and b' or c?", "ru") == "возможно, 'a and b' или c?"
    assert "точки с запятой" in translated("check the semicolons", "ru")


def test_an_error_gives_its_text_in_a_language() -> None:
    error = DataError("a file is missing", [Fault("x.csv line 3", "not found", "check the name")])
    assert str(error) == error.text() == "a file is missing\n  - x.csv line 3: not found -> check the name"
    assert error.text("ru") == "нет файла\n  - x.csv строка 3: не найден -> проверьте имя"
    assert error.text("zh") == "缺少文件\n  - x.csv第3行: 未找到 -> 检查名称"
    assert error.faults[0].text("en") == str(error.faults[0])


# Values of a user that look like texts of the table.
VALUES = ("China to Europe.csv", "Port is closed.toml", "'a or b'", "no data.csv line 3")
# What a place with a mark holds, so that the row fits.
FILLED = {"text": "2 faults", "list": "'x' or 'y'", "kind": "region", "name": "region", "number": "3"}
# "has no data.csv" is as well "has" with a file of that name: in these rows the reading is another.
READ_AS_NO = {"has {0}", "holds {0}", "is {0}", "is {0} %", "it has {0}"}


@pytest.mark.parametrize("lang", OTHERS)
@pytest.mark.parametrize("value", VALUES)
def test_what_stands_in_a_place_stays_as_it_is(value: str, lang: str) -> None:
    """Files and names of a user, in every row: only a mark has the value of a place translated."""
    changed, filled = set(), 0
    for row in rows():
        marks = dict(PLACE.findall(row["en"]))
        if "" not in marks.values():
            continue
        filled += 1
        english = PLACE.sub(lambda place: FILLED.get(place[2] or "", value), row["en"])
        found = translated(english, lang, where=row["note"] == "where")
        shown = [number for number in re.findall(r"\{(\d)\}", row[lang]) if not marks[number]]
        if found.count(value) < len(shown):
            changed.add(row["en"])
    assert filled > 500
    assert changed == (READ_AS_NO if value.startswith("no ") else set())


def test_names_of_a_user_stay_as_they_are() -> None:
    kept = {
        "written: China to Asia.csv": "записано: China to Asia.csv",
        "no place 'New York to X'": "не найдено: пункт 'New York to X'",
        "unknown column is blank": "unknown column не заполнено",
        "did you mean 'this or that' or 'b'?": "возможно, 'this or that' или 'b'?",
        "did you mean China to Europe or b?": "возможно, China to Europe or b?",
        "use PPML or x and 'y or z'": "укажите PPML или x и 'y or z'",
        "3 faults in scenario 'China to Europe'": "ошибок: 3, сценарий 'China to Europe'",
    }
    assert {text: translated(text, "ru") for text in kept} == kept
    for name in VALUES[:2]:
        assert Fault(name, "is empty").text("ru") == f"{name}: пуст"
        assert Fault(f"{name} line 3", "is empty").text("ru") == f"{name} строка 3: пуст"
        assert Fault(f"{name}, feature 2", "is empty").text("zh").startswith(f"{name}，要素2")


def test_a_text_in_the_place_of_another_is_translated() -> None:
    """The marks: a count, what a parser says, a solve that failed, suggestions with their cure."""
    for text in (
        "x.csv cannot be read: 3 faults",
        "the trade table has 1 fault",
        "without Aktau: a node, country or store is off balance",
        "did you mean 'a' or 'b'? write codes of the HS as text, with 2, 4 or 6 digits",
        "is not valid TOML: Invalid value (at line 1, column 8)",
        "out should end in .csv, or be a new folder",
        "Missing argument 'MODEL'. Choose from: a, b",
        "is not UTF-8; has no rows",
        "x.csv has 3 faults",
        "has 3 countries and 5 products",
        "there is no map chart: base changes nothing that has a place on it",
        "Invalid value for '--days': 900 is not in the range 1<=x<=365.",
        "Invalid value for '--from': 'soon' is not a valid integer range.",
        "X, farm alone: a node, country or store is off balance",
        "not converged: plant: no solution was found",
        "note: 3 pairs have no route",
        "khorgos has no hours of its own for wheat",
        "khorgos has no gauge change for wheat",
        "gives 3 to 4 again, as x.csv line 5",
        "lies at 5 north, 6 east, far from KAZ",
    ):
        for lang in OTHERS:
            assert not re.search(
                r"\b(has|is|end|change|faults?|without|alone|note|Invalid|north|for|or|no|far|there)\b",
                translated(text, lang),
            ), text


@pytest.mark.parametrize("place", ["x y.toml", "scenario"])
def test_places_of_faults_in_a_scenario_are_translated(place: str) -> None:
    """With and without a line, which JSON and dictionaries do not have, a verb and a key."""
    name = {"ru": {"scenario": "сценарий"}, "zh": {"scenario": "情景"}}
    words = {"ru": ("изменение 2", " (строка 7)"), "zh": ("改动2", "（第7行）")}
    for end in ("", ", verb", ", time_h", " change_gateway", " change_gateway, gateway"):
        for line in ("", " (line 7)"):
            fault = Fault(f"{place}, modification 2{line}{end}", "is empty")
            for lang in OTHERS:
                found, (change, at) = fault.text(lang), words[lang]
                assert found.startswith(name[lang].get(place, place)) and change in found
                assert (at in found) == bool(line) and "modification" not in found
                rest = found.split(at.strip() if line else change)[1].split(":")[0]
                assert rest.strip(" ,，") == end.strip(" ,")


def test_faults_of_a_dictionary_are_translated() -> None:
    change = {"verb": "change_gateway", "gateway": "khorgos-altynkol", "time_h": "x"}
    with pytest.raises(DataError) as raised:
        Scenario.from_dict({"name": "x", "sources": ["y"], "modification": [change, {}]}, "x")
    places = [fault.text("ru").split(":")[0] for fault in raised.value.faults]
    assert places == ["сценарий, изменение 1 change_gateway, time_h", "сценарий, изменение 2"]


def test_kinds_of_things_have_their_words() -> None:
    """Every kind that a name may be of, and each in the plural."""
    for kind in KINDS:
        for text in (f"no {kind} 'x'", f"{KINDS[kind][0]}.csv lists every {kind}", f"unknown {kind} 'x'"):
            for lang in OTHERS:
                found = translated(text, lang)
                assert OWN[lang].search(found) and not re.search(rf"\b{kind}\b", found), found
        plural = "countries" if kind == "country" else f"{kind}s"
        assert plural not in translated(f"'x' names several {plural}", "ru")


# Texts that fit many rows in many ways, or nearly do.
HARD = (
    "'a' or " * 200 + "x y",
    "'a' or " * 60 + "x y",
    "a b " * 1_000,
    "a b " * 149,
    "1 2 of 3 not in it (4 rows): " * 130,
    "1 2 of 3 not in it (4 rows): " * 20 + "x (",
    "x has " * 600,
    "x is " * 119,
    "x line 3, modification 1 (line 2) " * 17 + "!",
    "no " + "region or " * 58,
    "x; " * 199,
    "'" * 600,
    "no sector " + "a" * 10_000,
)
# Seconds, on a slow machine, for the slowest of them: it takes about 0.1.
MOST_SECONDS = 1.0


def test_hard_texts_are_looked_up_in_short_time() -> None:
    translated("the table", "ru"), translated("is read", "ru", where=True)
    for text in HARD:
        for where in (False, True):
            begin = time.perf_counter()
            translated(text, "ru", where=where)
            assert time.perf_counter() - begin < MOST_SECONDS, text[:60]
    assert translated(HARD[0], "ru") == HARD[0] and translated(HARD[-1], "ru") == HARD[-1]
    assert translated("no sector " + "a" * 500, "ru").startswith("нет отрасли")


def test_the_table_is_not_read_for_a_command_that_succeeds() -> None:
    code = (
        "import sys\nfrom landbridge.cli import main\n"
        "sys.argv = ['landbridge', 'cite']\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        "assert 'landbridge.cli' in sys.modules and 'landbridge.error_texts' not in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


# -- the language ----------------------------------------------------------------------------------------


def test_the_language_is_that_of_the_option_wherever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANDBRIDGE_LANG", raising=False)
    assert asked_language(["run", "x"]) == "en"
    assert asked_language(["run", "--lang", "ru", "--nope"]) == "ru"
    assert asked_language(["run", "--nope", "--lang=zh"]) == "zh"
    assert asked_language(["run", "--lang"]) == asked_language(["run", "--lang", "de"]) == "en"
    assert asked_language(["run", "--", "--lang", "ru"]) == "en"
    monkeypatch.setenv("LANDBRIDGE_LANG", "zh")
    assert asked_language(["data", "check"]) == "zh" and asked_language(["run", "--lang=ru"]) == "ru"
    monkeypatch.setenv("LANDBRIDGE_LANG", "de")
    assert asked_language(["data", "check"]) == "en"


# -- the command line ------------------------------------------------------------------------------------

FAULTY = """name = "three faults"
sources = ["a note"]
[[modification]]
verb = "change_gateway"
gateways = "khorgos-altynkol"
[[modification]]
verb = "close_gatewy"
gateway = "dostyk-alashankou"
[[modification]]
verb = "change_gateway"
gateway = "khorgos-altynkol"
time_h = { multiply = -2 }
"""
MISSING = """name = "keys are missing"
sources = ["a note"]
[[modification]]
verb = "add_link"
from = "Almaty"
"""
# What the places and kinds of a message are called.
TRANSLATED = {
    "three faults": {
        "ru": ("изменение 1 (строка 3)", "изменение 2 (строка 6), verb", "изменение 3 (строка 9)"),
        "zh": ("改动1（第3行）", "改动2（第6行），verb", "改动3（第9行）"),
    },
    "city": {"ru": ("неизвестный пункт", "не найдено: пункт"), "zh": ("未知地点", "没有地点")},
    "spaces": {"ru": ("сценарий 'China to Europe'", "изменение 1"), "zh": ("情景'China to Europe'", "改动1")},
}
# Arguments, exit code, and what the message must repeat as it was typed or is.
MISTAKES = {
    "scenario": (["run", "cku-railwya"], 3, ["'cku-railwya'", "'cku-railway'"]),
    "no scenario": (["run", "qqqq"], 3, ["'qqqq'", "borders-half", "`landbridge scenarios`"]),
    "city": (["route", "Tashkentt", "Yiwu-x-x"], 3, ["Yiwu-x-x"]),
    "three faults": (
        ["run", "faulty.toml"],
        3,
        ["faulty.toml", "'gateways'", "'close_gatewy'", "-2", "time_h"],
    ),
    "spaces": (["run", "China to Europe.toml"], 3, ["China to Europe.toml"]),
    "missing keys": (["run", "missing.toml"], 3, ["missing.toml", "add_link", "length_km", "mode"]),
    "toml": (["run", "broken.toml"], 3, ["broken.toml", "1"]),
    "option": (["run", "cku-railway", "--lnag", "x"], 2, ["--lnag"]),
    "ending": (["run", "cku-railway", "-o", "out.pdf"], 2, ["out.pdf", ".json", "-o"]),
    "range": (["disrupt", "--days", "900"], 2, ["--days", "365"]),
    "no number": (["disrupt", "--days", "soon"], 2, ["--days"]),
    "choice": (["route", "Yiwu", "Tashkent", "--mode", "balloon"], 3, ["balloon"]),
    "argument": (["route", "Yiwu"], 2, ["'TO'"]),
    "parameter": (["run", "cku-railway", "--set", "fi=1"], 3, ["'fi'", "--set"]),
    "folder": (["run", "--world", "nowhere"], 3, ["nowhere", "`landbridge data export`"]),
    "cell": (["data", "check", "--world", "world"], 3, ["rents.csv", "'one half'"]),
    "two scenarios": (["compare", "cku-railway"], 2, ["base"]),
    "line": (["gas", "--lose", "line-Z"], 3, ["'line-Z'", "--lose"]),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("mistakes")
    for name, text in {
        "faulty": FAULTY,
        "China to Europe": FAULTY,
        "missing": MISSING,
        "broken": "name = x\n",
    }.items():
        (place / f"{name}.toml").write_text(text, encoding="utf-8")
    export(load_world(), place / "world")
    rents = place / "world" / "economy" / "rents.csv"
    with rents.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    table[0]["rent_share"] = "one half"
    with rents.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return place


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command line as a user gives it: its exit code and messages."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")

    def ran(words: list[str], lang: str = "") -> tuple[int, str]:
        monkeypatch.setenv("LANDBRIDGE_LANG", lang or "en")
        monkeypatch.setattr(sys, "argv", ["landbridge", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return ran


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_explained_in_the_language(name: str, run: Run) -> None:
    words, code, kept = MISTAKES[name]
    english_code, english = run(words)
    assert english_code == code and not OWN["ru"].search(english), english
    for lang in OTHERS:
        found_code, found = run(words, lang)
        assert found_code == code and OWN[lang].search(found), found
        for part in kept:
            assert part in found, (part, found)
        for part in TRANSLATED.get(name, {}).get(lang, ()):
            assert part in found, (part, found)
        # The line of the usage is the program's name, its command and the names of arguments.
        told = [line for line in found.splitlines() if "landbridge " not in line or "`" in line]
        for line in told:
            assert not SENTENCE.search(QUOTED.sub("", line.replace("China to Europe.toml", ""))), line
        # Figures are those of the English message.
        assert sorted(re.findall(r"\d+", english)) == sorted(re.findall(r"\d+", found))


def test_the_option_counts_before_and_after_the_faulty_part(run: Run) -> None:
    for words in (["run", "--lang", "ru", "--nope"], ["run", "--nope", "--lang", "ru"]):
        code, found = run(words)
        assert code == 2 and "Нет ключа --nope" in found and "Ошибка" in found
    code, found = run(["route", "Yiwu", "Nowhere-at-all", "--lang=zh"])
    assert code == 3 and "未知地点" in found and "Nowhere-at-all" in found
    code, found = run(["route", "Yiwu", "Tashkent", "--lang", "xx"], "ru")
    assert code == 2 and "'xx'" in found and "LANDBRIDGE_LANG" in found and "Invalid" not in found


def test_the_words_of_a_suggestion_are_in_the_language(run: Run) -> None:
    """Titles of scenarios and cities off the network, which are phrases inside a message."""
    for words, russian in ((["run", "railway"], "Железная дорога"), (["route", "Nairobi", "Yiwu"], "зоны")):
        code, found = run(words, "ru")
        assert code == 3 and russian in found and " or " not in found and " and " not in found


def test_the_walk_follows_names_calls_and_choices() -> None:
    """The law can fail: a new text in the source is found, with a hole for each figure."""
    found = {one.template for one in collected()[0]}
    assert {"no sector {}", "is not a folder", "must be at least {} {}", "{} faults"} <= found
    assert error_sources.plain("{}{} of {}") == "{} of {}"

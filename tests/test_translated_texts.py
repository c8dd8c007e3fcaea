"""Claims, gas, invest and assign in Russian and Chinese: no English sentence is left, the same figures."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html import unescape
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import embedded
import landbridge as lb
from landbridge.answers.protocol import answered
from landbridge.errors import Status
from landbridge.phrases import LANGUAGES, Term, Words, named, say, texts
from landbridge.report.invest import invest_sections
from landbridge.report.writers import content_of
from landbridge.studies.appraisal import terms
from landbridge.studies.claims import verdicts
from landbridge.studies.claims.figures import Figure
from landbridge.studies.invest import Appraised, Investment, Pair, Plan, projects_of
from landbridge.transport import assign
from landbridge.transport.assignment.assign import _status
from landbridge.world.road_network import Demand, Network

OTHERS = [lang for lang in LANGUAGES if lang != "en"]
OWN = {"ru": re.compile("[\u0400-\u04ff]"), "zh": re.compile("[\u4e00-\u9fff]")}
# Three Latin words in a row.
SENTENCE = re.compile(r"[A-Za-z][A-Za-z'.]*(?: [A-Za-z][A-Za-z'.]*){2,}")
# Titles of publications, which stay as they are published.
TITLES = (
    "EI Statistical Review",
    "Eurasian Transport Network",
    "Middle Trade and Transport Corridor",
    "Belt and Road Economics",
    "EBRD Transition Report",
    "Times of Central Asia",
    "de Soyres et al.",
    "CIA World Factbook",
)
# Names and units with a digit, which another language may write in another way.
NO_FIGURE = re.compile(r"CA5|CO2e|\bm3\b")
# Columns that are shown, and texts of them that are names of firms.
SHOWN = {
    "claims": ("claim", "comment", "aspect"),
    "claim_figures": ("item",),
    "published_estimates": ("quantity", "why"),
    "gas_backcasts": ("measure",),
    "gas_pipelines": ("name",),
    "projects": ("name", "caveat", "who_pays"),
}
FIRMS = {"PKP Cargo", "TransContainer"}
WORD = re.compile(r"[A-Za-z]{3,}")
MONTHS = {
    name: str(number)
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
MONTH = re.compile(
    rf"\b({'|'.join(MONTHS)})(?:uary|ruary|ch|il|e|y|ust|tember|ober|ember)?\b(?= \d|[- .,;)]|$)"
)


def rows() -> list[dict[str, str]]:
    text = files("landbridge").joinpath("texts.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def column(used_in: str) -> set[str]:
    """All texts of a column of an embedded table, by TABLE.COLUMN."""
    world = embedded.world()
    table, name = used_in.split(".")
    return {str(row[name]) for row in world.tables[table] if row[name] is not None}


def numbers(text: str) -> Counter[str]:
    """The figures of a text, without the signs between their digits."""
    return Counter(re.findall(r"\d+", re.sub(r"(?<=\d)[.,\u00a0](?=\d)", "", NO_FIGURE.sub("", text))))


def same_figures(english: str, other: str, lang: str) -> bool:
    """Whether both have the same figures; a month that English spells is a number in Chinese."""
    mine, theirs = numbers(english), numbers(other)
    if lang == "zh" and mine != theirs:
        mine += Counter(MONTHS[found[1]] for found in MONTH.finditer(english))
    return mine == theirs


def sentences(found: list[str]) -> list[str]:
    """English sentences in texts, without titles of publications."""
    out = []
    for text in found:
        for title in TITLES:
            text = text.replace(title, "|")
        out += SENTENCE.findall(text)
    return out


# -- the table -----------------------------------------------------------------------------------------


def test_every_text_is_there_once_and_used() -> None:
    held = rows()
    assert len({row["en"] for row in held}) == len(held) > 200
    assert [row["used_in"] for row in held] == sorted(row["used_in"] for row in held)
    unused = [row["en"] for row in held if row["en"] not in column(row["used_in"])]
    assert not unused


def test_no_shown_text_is_without_translation() -> None:
    for table, names in SHOWN.items():
        for name in names:
            missing = column(f"{table}.{name}") - set(texts("ru")) - FIRMS
            codes = {text for text in missing if re.fullmatch("[A-Z]{3}", text)}
            assert not missing - codes, (table, name)


@pytest.mark.parametrize("lang", OTHERS)
def test_a_translation_is_in_its_language_with_the_figures_of_the_english(lang: str) -> None:
    for row in rows():
        text = row[lang]
        assert OWN[lang].search(text) and text == text.strip() and "  " not in text, row
        assert same_figures(row["en"], text, lang), row
        # Latin words are names that the English has too.
        assert set(WORD.findall(text)) <= set(WORD.findall(row["en"])) | {"USD", "nCa"}, row
        assert not sentences([text]), row
        if lang == "zh":
            assert text.encode("gb2312")
        else:
            assert not re.search(r"\d %|\d \d{3}(?!\d)", text), row


def test_a_text_that_a_user_has_changed_keeps_its_words() -> None:
    own = "Two ports dual: Alashankou and Khorgos, says the mayor"
    for lang in OTHERS:
        assert Words(lang).of(named("text", own)) == own
        assert Words(lang).of(named("text", "Green development")) != "Green development"
    assert isinstance(named("text", own), Term) and Words("en").of(named("text", own)) == own
    with pytest.raises(KeyError):
        texts("de")


def test_figures_are_compared() -> None:
    assert same_figures("12,210 in 8 Feb 2025", "12\u00a0210, 8 февраля 2025", "ru")
    assert same_figures("8 Feb 2025", "2025年2月8日", "zh") and not same_figures("8 Feb", "3月8日", "zh")
    assert not same_figures("94.82", "94,83", "ru") and sentences(["a plan is no result"])


# -- what is printed and written -----------------------------------------------------------------------


class Stub:
    """Every figure of the model is the same, so that nothing is solved."""

    def __init__(self, *_: object) -> None:
        self.scenarios = ()
        self.status = Status(True, 0.0, 0, "nothing is solved")

    def __getitem__(self, name: str) -> Figure:
        what = say("claims.what.every_plan", what=say("claims.what.income_world"))
        return Figure(2.5, 1.25, 3.5, "bn USD", what)


def invested() -> lb.Answer:
    """Every project with benefits that are made up, so that nothing is solved."""
    world, by = embedded.world(), terms(9.0, (6.0, 12.0), 0.0)
    listed = projects_of(world)
    done = tuple(
        Appraised(one, "no cost" if not one.costs else "computed", by, (3.5, 2.0, 5.0), {"KAZ": 3.5})
        if one.scenario
        else Appraised(one, "not computed", by)
        for one in listed
    )
    best = Plan(frozenset(["P01", "P18"]), 9241.6, 7.0, 12.5, True)
    found = Investment(
        done,
        (Pair(("P01", "P18"), 8.0, 7.0),),
        (best,),
        {"P09": "budget"},
        by,
        5e9 / 1e6,
        2023,
        Stub().status,
    )
    tables = {name: held for name, held in found.to_json().items() if name != "portfolio"}
    return answered(
        world, "invest", found.to_json(), tables, found.status, lambda _: invest_sections(found, world)
    )


def stubbed_claims() -> lb.Answer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verdicts, "Figures", Stub)
        return lb.claims(embedded.world(), both=True)


ANSWERS = {
    "claims": stubbed_claims,
    "gas": lambda: lb.gas(embedded.world(), ["line-C"], months="1-2", checks=True),
    "gas, each line": lambda: lb.gas(embedded.world()),
    "invest": invested,
}


@cache
def made(name: str) -> lb.Answer:
    return ANSWERS[name]()


def cells(answer: lb.Answer, lang: str) -> Iterator[tuple[str, str]]:
    """English and translated texts of a document, side by side."""
    for mine, theirs in zip(answer.document("en").sections, answer.document(lang).sections, strict=True):
        yield from zip(mine.before, theirs.before, strict=True)
        for row, same in zip(mine.rows, theirs.rows, strict=True):
            yield from zip(row, same, strict=True)
        # A line that explains the mark of unreviewed names may follow.
        yield from zip(mine.after, theirs.after, strict=False)


def hold(answer: lb.Answer, lang: str) -> None:
    """Text, page and workbook of an answer have no English sentence, and the figures of the English."""
    pairs = list(cells(answer, lang))
    assert not [pair for pair in pairs if not same_figures(*pair, lang)]
    kept = set(answer.attribution)
    chosen = replace(answer, lang=lang)
    for ending in (".txt", ".html"):
        text = content_of(chosen, ending)
        assert isinstance(text, str)
        text = re.sub(r"<style>.*?</style>|<script>.*?</script>", "", text, flags=re.DOTALL)
        text = unescape(re.sub(r"<[^>]*>", "\n", text))
        for line in kept:
            text = text.replace(line, "")
        # Lines are folded: words of two lines belong together only inside a sentence.
        assert not sentences(text.splitlines()), ending
    openpyxl = pytest.importorskip("openpyxl")
    held = content_of(chosen, ".xlsx")
    assert isinstance(held, bytes)
    book = openpyxl.load_workbook(io.BytesIO(held))
    found = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
    words = [text for text in found if isinstance(text, str) and text not in kept]
    assert not sentences(words) and len([text for text in words if OWN[lang].search(text)]) > 10


@pytest.mark.parametrize("lang", OTHERS)
@pytest.mark.parametrize("name", ANSWERS)
def test_no_english_sentence_is_left(name: str, lang: str) -> None:
    hold(made(name), lang)


@pytest.mark.parametrize("name", ANSWERS)
def test_the_english_has_no_translation(name: str) -> None:
    """Tables, which are also written as JSON and CSV, hold English texts."""
    answer = made(name)
    body = str(answer.result) + str(answer.document("en").markdown())
    assert not any(OWN[lang].search(body) for lang in OTHERS)


@pytest.mark.slow
@pytest.mark.parametrize("lang", OTHERS)
def test_every_figure_of_the_model_is_described_in_the_language(lang: str) -> None:
    hold(solved_claims(), lang)


@cache
def solved_claims() -> lb.Answer:
    return lb.claims(embedded.world(), both=True)


# -- assign ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", OTHERS)
@pytest.mark.parametrize("model", ["ue", "weibit"])
def test_the_status_of_an_assignment_is_in_the_language(model: str, lang: str) -> None:
    ones, none = np.ones(4), np.zeros(4)
    tail, head = np.array([1, 1, 3, 4]), np.array([3, 4, 2, 2])
    net = Network(4, 2, tail, head, 10.0 * ones, 5.0 * ones, ones, 4.0 * ones, none, none, none, 3)
    demand = Demand(np.array([1]), np.array([2]), np.array([30.0]))
    reached = assign(net, demand, model=model, gap=1e-6).status
    missed = _status(say("assign.ue"), 2.5e-3, 1e-6, 7, newton=model == "weibit")
    assert reached.converged and not missed.converged
    for status in (reached, missed):
        text = Words(lang).of(status.message)
        assert OWN[lang].search(text) and not sentences([text.replace("path-size weibit", "")])
        assert same_figures(status.message, text, lang)


@pytest.mark.parametrize("lang", OTHERS)
def test_an_assignment_from_files_is_in_the_language(lang: str, tmp_path: Path) -> None:
    links = "1 2 10 1 5 1 4 0 0 1 ;\n2 1 10 1 5 1 4 0 0 1 ;\n"
    meta = "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 2\n<FIRST THRU NODE> 1\n<NUMBER OF LINKS> 2\n"
    (tmp_path / "own_net.tntp").write_text(f"{meta}<END OF METADATA>\n{links}", encoding="utf-8")
    meta = "<NUMBER OF ZONES> 2\n<TOTAL OD FLOW> 30\n<END OF METADATA>\n"
    (tmp_path / "own_trips.tntp").write_text(f"{meta}Origin 1\n2 : 30.0;\n", encoding="utf-8")
    answer = lb.assign(tmp_path / "own_net.tntp", tmp_path / "own_trips.tntp", select_link=["1"])
    pairs = list(cells(answer, lang))
    assert pairs and not sentences([text for _, text in pairs])
    titles = [section.title for section in answer.document(lang).sections]
    assert all(OWN[lang].search(title) for title in titles) and not sentences(titles)


def test_a_stub_is_enough_for_the_rules() -> None:
    """Verdicts do not use the model: those of the stubbed answer are those of the rules."""
    world = embedded.world()
    answer = made("claims")
    found = {row["id"]: SimpleNamespace(**row) for row in answer.rows["claims"]}
    for row in world.channels["claims"]:
        word, evidence = verdicts.verdict(world, row)
        one = found[int(row["claim_id"] or 0)]
        assert (one.verdict, one.evidence) == (word, evidence)

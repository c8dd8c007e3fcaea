"""How objects show themselves in a notebook: a table with its words, escaped."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

import landbridge as lb
from landbridge.notebook import html_table


class _Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _sound(text: str) -> str:
    parser = _Balanced()
    parser.feed(text)
    assert not parser.open
    return text


@pytest.fixture(scope="module")
def study() -> lb.Study:
    return lb.study(lb.load(), ["borders-half"])


def test_texts_are_escaped() -> None:
    text = _sound(html_table("<b>", ("a&b",), [("<script>",)], before=["<p>"], after=["&"]))
    assert "<script>" not in text and "&lt;script&gt;" in text and "a&amp;b" in text


def test_a_case_shows_real_income_and_a_base_its_gateways(study: lb.Study) -> None:
    case = _sound(study.cases[0]._repr_html_())
    percent = next(r["percent"] for r in study.cases[0].real_income_rows if r["region"] == "KAZ")
    assert f"<td>KAZ</td><td>{percent:+.3f}</td>" in case
    base = _sound(study.base._repr_html_())
    assert "khorgos" in base or "suez" in base
    assert study.base.status.message.split(";")[0].split("<")[0][:20] in base


def test_a_world_and_routes_show_their_rows() -> None:
    world = lb.load()
    assert f"<td>places</td><td>{len(world.network['places']):,}</td>" in _sound(world._repr_html_())
    routes = lb.route(world, "Chongqing", "Duisburg", commodity="MCH", k=3)
    text = _sound(routes._repr_html_())
    assert text.count("<tr>") == 4 and "northern" in text

"""The report of a scenario: its answer is the first screen, and each figure is drawn and described."""

from __future__ import annotations

import csv
import re
from html import escape
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

import landbridge as lb
from embedded import railway, world
from landbridge.cli import app
from landbridge.report import Digest, Names, first_screen
from landbridge.report.html.maps import Change, change_map
from landbridge.report.html.run_page import Sight, html, pictures
from landbridge.report.method import method_sections


@pytest.fixture(scope="module")
def study() -> tuple[list[Digest], list[Sight]]:
    both = [railway().base, railway().cases[0]]
    return [Digest.of(one, both[0], proxies=False) for one in both], [Sight.of(one) for one in both]


def test_the_page_opens_with_the_answer_of_the_first_screen(study: tuple[list[Digest], list[Sight]]) -> None:
    digests, sights = study
    # Indicators are on neither.
    for digest in digests:
        digest.result.setdefault("indicators", [])
    page = html(world(), digests, sights, ["attribution of a table"], {"command": "report"}, method=True)
    opening = page[page.index('id="short"') : page.index('id="question"')]
    shown = re.sub(r"<[^>]+>", " ", opening)
    found = [one for one in first_screen(world(), digests[0], digests[1], Names(world())) if one.rows]
    cells = [cell for section in found for row in section.rows for cell in row if cell]
    assert len(cells) > 25
    assert not [cell for cell in cells if cell.replace(">", "&gt;") not in shown]
    assert page.index('id="question"') < page.index('id="method"') < page.index('id="sources"')
    assert page.count("<figure>") >= 6 and page.count('alt="') == page.count("<figure>")
    assert "http" not in re.sub(r"https?://[^\s<]*", "", re.sub(r'src="data:[^"]*"', "", page))


def test_every_figure_is_drawn_as_svg_and_png(study: tuple[list[Digest], list[Sight]]) -> None:
    found = pictures(world(), *study)
    drawn = {name: draw() for name, draw in found.items()}
    assert list(drawn) == ["income", "pairs", "corridors", "change", "map"]
    for picture in drawn.values():
        assert picture is not None and picture.alt and picture.caption
        assert picture.svg().rstrip().endswith("</svg>")
    change, again = found["change"](), found["change"]()
    assert change is not None and again is not None and change.svg() == again.svg()
    assert change.png().startswith(b"\x89PNG")


def test_a_chart_is_one_call_that_a_notebook_shows() -> None:
    case = railway().cases[0]
    drawn = lb.chart(case, "change")
    shown = drawn._repr_html_()
    assert shown.startswith('<figure><img src="data:image/svg+xml;base64,')
    assert f'alt="{escape(drawn.alt, quote=True)}"' in shown and drawn.caption in shown
    assert lb.chart(case, "income", lang="ru").alt.startswith("Столбчатая диаграмма, cku-railway")
    with pytest.raises(lb.DataError, match="did you mean 'pairs'"):
        lb.chart(case, "pair")
    with pytest.raises(lb.DataError, match="are those of a base"):
        lb.chart(railway().base)


def test_the_close_map_is_about_what_changes(study: tuple[list[Digest], list[Sight]]) -> None:
    _, sights = study
    change = sights[1].change
    assert change.new == change.links == {"R274", "R275", "R276"} and change.gateways == {"torugart-rail"}
    assert sights[0].change == Change()
    from landbridge.report.html.run_page import atlas_of

    atlas = atlas_of(world(), Names(world()))
    assert change_map(sights[1].flows, atlas, Change()) is None
    # A strait has no place in the tables, so there is nothing to be close to.
    assert change_map(sights[1].flows, atlas, Change(gateways=frozenset({"suez"}))) is None


def test_the_coast_has_the_caspian_sea_in_it() -> None:
    text = files("landbridge.report.html").joinpath("coast.csv").read_text("utf-8")
    rings: dict[str, list[tuple[float, float]]] = {}
    for row in csv.DictReader(text.splitlines()):
        rings.setdefault(row["ring"], []).append((float(row["lon"]), float(row["lat"])))

    def around(point: tuple[float, float]) -> int:
        """Rings around a point, by crossings of a line to the north."""
        x, y = point
        count = 0
        for ring in rings.values():
            inside = False
            for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
                if (x0 > x) != (x1 > x) and y0 + (x - x0) / (x1 - x0) * (y1 - y0) > y:
                    inside = not inside
            count += inside
        return count

    on_land = {
        "Tashkent": (69.3, 41.3),
        "Urumqi": (87.6, 43.8),
        "Moscow": (37.6, 55.8),
        "Tehran": (51.4, 35.7),
    }
    at_sea = {"Caspian": (51.0, 41.5), "Black Sea": (34.0, 43.0), "Arabian Sea": (63.0, 20.0)}
    assert all(around(point) % 2 == 1 for point in on_land.values())
    assert all(around(point) % 2 == 0 for point in at_sea.values())


def test_the_method_has_an_equation_for_every_step_and_every_table() -> None:
    steps, tables = method_sections(world(), Names(world()))
    assert len(steps.rows) == 7 and all(len(row) == 3 and all(row) for row in steps.rows)
    names = [row[0] for row in tables.rows]
    assert {"links", "crossings", "parameters", "trade", "tariff"} <= set(names) and len(set(names)) == len(
        names
    )


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["report", "cku-railway", "-o", "x.pdf"], ".html"),
        (["report", "cku-railway"], "-o"),
        (["chart", "cku-railway", "income", "-o", "x.gif"], ".svg"),
        (["chart", "cku-railway", "pie", "-o", "x.svg"], "pie"),
    ],
)
def test_what_cannot_be_written_is_refused_before_a_solve(
    words: list[str], part: str, tmp_path: Path
) -> None:
    words = [str(tmp_path / word) if word.startswith("x.") else word for word in words]
    result = CliRunner().invoke(app, words, env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == 2 and part in result.output
    assert not list(tmp_path.iterdir())

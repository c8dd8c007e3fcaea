"""Every script of examples/ runs on the package alone, and what it prints is right."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

import embedded
import landbridge as lb
from commands import Reference

FOLDER = Path(__file__).resolve().parents[1] / "examples"
Example = Callable[..., str]


@pytest.fixture(scope="module")
def kept() -> Iterator[None]:
    """The same question of two examples is solved once."""
    patch, answers = pytest.MonkeyPatch(), dict[str, Any]()
    for name in ("run", "sensitivity"):
        function = getattr(lb, name)

        def once(world: Any, *words: Any, function: Any = function, **options: Any) -> Any:
            key = f"{function.__name__} {world.hash} {words} {options}"
            if key not in answers:
                answers[key] = function(world, *words, **options)
            return answers[key]

        patch.setattr(lb, name, functools.wraps(function)(once))
    yield
    patch.undo()


@pytest.fixture
def example(kept: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Example:
    """Run an example in this process; what it printed."""

    def run(name: str, *words: str) -> str:
        path = FOLDER / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(path), *words])
        runpy.run_path(str(path), run_name="__main__")
        return capsys.readouterr().out

    return run


def numbers(text: str, before: str, after: str = "") -> list[float]:
    """The numbers between two texts, in every line that has both."""
    found = re.findall(rf"{before}\s*([-+]?[\d,]*\.?\d+)\s*{after}", text)
    return [float(one.replace(",", "")) for one in found]


def test_every_example_is_run_here_and_says_how_long_it_takes() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    for path in FOLDER.glob("*.py"):
        assert f'example("{path.stem}"' in tested, path.name
        head = path.read_text(encoding="utf-8").split('"""')[1]
        assert "?" in head or "picture" in head, f"{path.name}: the docstring states the question"
        assert re.search(r"Runs for about \d+ seconds?\.", head.replace("\n", " ")), path.name
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 60, path.name


def test_first_route(example: Example) -> None:
    out = example("first_route")
    (sea,), (rail,) = numbers(out, "sea", "days"), numbers(out, "northern", "days")
    assert rail < sea
    # The hours of the operations add up to the days of the train.
    parts = numbers(out, r"\n(?:border|gauge_change|haul|terminal)")
    assert len(parts) == 4 and sum(parts) == pytest.approx(24 * rail, abs=3)
    observed = numbers(out, "\n ", "observed")
    assert len(observed) == 2 and observed == pytest.approx([rail, rail], rel=0.1)


@pytest.mark.slow
def test_border_time(example: Example) -> None:
    out = example("border_time")
    for region in ("KAZ", "KGZ", "TJK", "TKM", "UZB"):
        (percent,) = numbers(out, region, "%")
        assert 0 < percent < 1
    hours = re.findall(r" (\d{3}) +(\d{3})\n", out)
    assert len(hours) == 3 and all(int(after) < int(before) for before, after in hours)
    (before,), (after,) = numbers(out, "Khorgos:", "in the base"), numbers(out, "base,", "in the scenario")
    assert before < after


def test_own_trade_table(example: Example) -> None:
    out = example("own_trade_table")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()[1:4]}
    for region in "AB":  # whose trade became cheaper; inputs make the gain larger
        one, two = map(float, rows[region])
        assert 0 < one < two
    assert all(float(value) < 0 for value in rows["C"]) and "converged" in out


def test_gravity_panel(example: Example) -> None:
    out = example("gravity_panel")
    (estimate,), (error,) = numbers(out, "estimate"), numbers(out, "standard error")
    assert abs(estimate - 0.5) < 2 * error < 0.2
    (cost,) = numbers(out, "elasticity of 4:", "%")
    assert cost < 0


def test_gas_outage(example: Example) -> None:
    out = example("gas_outage")
    year, winter = numbers(out, r"months [-\d]+:", "bcm")
    assert winter == pytest.approx(year / 4, rel=0.01)
    # What buyers miss is what sellers do not deliver, and every seller loses.
    assert sum(numbers(out, "to CHN:", "of")) == pytest.approx(year + winter, abs=0.03)
    assert len(numbers(out, r"real income of \w{3}:", "%")) == 6
    assert all(percent < 0 for percent in numbers(out, r"real income of \w{3}:", "%"))


@pytest.mark.slow
def test_what_an_hour_is_worth_its_picture_and_how_sure_it_is(
    example: Example, tmp_path: Path, marimo: Any
) -> None:
    # Three examples in one test, since they ask for the same ranking, which takes long.
    out = example("what_an_hour_is_worth")
    worth = [float(line.split()[-1]) for line in out.splitlines()[1:]]
    assert len(worth) == 10 and worth == sorted(worth, reverse=True) and worth[-1] > 0
    drawn = tmp_path / "drawn.svg"
    assert str(drawn) in example("picture", str(drawn))
    shown = FOLDER.parent / "docs" / "images" / "what_an_hour_is_worth.svg"
    assert drawn.stat().st_size < 60_000
    # The picture of the README shows the names and figures of today, which stand in it as comments.
    texts = [re.findall("<!-- (.*?) -->", path.read_text(encoding="utf-8")) for path in (drawn, shown)]
    assert texts[0] == texts[1] and len(texts[0]) == 23
    out = example("notebooks/how_sure_are_we")
    (low,), (high,) = numbers(out, "Uzbekistan:", "to"), numbers(out, " to", "%")
    assert 0 < low < high
    (often,), (every,) = numbers(out, r"\(", "of"), numbers(out, r"\d of", "ranges")
    assert 0 < often < every and "those of khorgos-altynkol matter most" in out


# -- notebooks -----------------------------------------------------------------------------------------

NOTEBOOKS = sorted((FOLDER / "notebooks").glob("*.py"))


@pytest.fixture
def marimo(absent: Callable[[str], NoReturn]) -> Any:
    """The package that notebooks are written for."""
    if importlib.util.find_spec("marimo") is None:
        absent("marimo is not installed: make setup")
    return importlib.import_module("marimo")


def test_every_notebook_is_run_here_and_is_short() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 4
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert f'example("notebooks/{path.stem}")' in tested, path.name
        head = text.split('"""')[1]
        assert "?" in head and re.search(r"Runs for about \d+ seconds\.", head.replace("\n", " ")), path.name
        assert f"marimo edit examples/notebooks/{path.name}" in head.replace("\n", " ")
        assert 4 <= text.count("@app.cell") <= 6 and len(text.splitlines()) <= 160, path.name


def test_cells_of_notebooks_name_each_thing_once(marimo: Any) -> None:
    """As marimo itself checks before it runs them; a script would not notice."""
    command = [sys.executable, "-m", "marimo", "-q", "check", "--strict", *map(str, NOTEBOOKS)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_notebook_of_a_first_route(marimo: Any, example: Example) -> None:
    out = example("notebooks/first_route")
    (days,), (least,), (most,) = (
        numbers(out, "rail:", "days"),
        numbers(out, "model;", "to"),
        numbers(out, " to", "days"),
    )
    assert least <= most and 0.9 * least < days < 1.1 * most


def test_notebook_of_the_railway(
    marimo: Any, example: Example, kept: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lb, "run", lambda world, name: {"cku-railway": embedded.railway().cases[0]}[name])
    out = example("notebooks/cku_railway")
    gains = [*numbers(out, "Kyrgyzstan", "%"), *numbers(out, "Uzbekistan", "%")]
    (loss,) = numbers(out, "Kazakhstan", "%")
    assert len(gains) == 2 and min(gains) > 0 > loss
    assert numbers(out, "most traffic,", "thousand TEU")[0] > 0


@pytest.mark.parametrize("brought", [False, True])
def test_notebook_of_a_published_result(
    marimo: Any,
    example: Example,
    brought: bool,
    reference: Reference,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the authors' files it says how to get them, and the part that needs none runs all the same."""
    monkeypatch.setenv("LANDBRIDGE_CACHE", str(tmp_path))
    if brought:
        inputs = reference("papers/caliendo_parro_2015")
        shutil.copytree(inputs, tmp_path / "published" / "papers" / "caliendo_parro_2015")
    out = example("notebooks/replicate_caliendo_parro")
    assert ("12 of the 12 printed figures" in out) == brought
    assert ("make inputs" in out) != brought
    assert "6 of 6 values of roads" in out

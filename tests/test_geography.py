"""Geography stands in tables: groups of countries, kinds of gateways; none of it is written in code."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import embedded
import landbridge as lb
from landbridge.errors import DataError
from landbridge.io.tables import DATA
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.transport import crossing_terms
from landbridge.world import World
from landbridge.world.groups import standard_groups

SOURCE = Path(lb.__file__).resolve().parent
# Lists of countries that are still in code, by file, and why.
LEFT: dict[str, str] = {}
_CODE = re.compile("[A-Z]{3}")


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


def listed(tree: ast.AST, known: set[str]) -> Iterator[tuple[int, list[str]]]:
    """Line and codes of every tuple, list, set, dictionary and call that holds two countries or more."""
    for node in ast.walk(tree):
        parts: list[ast.expr | None] = []
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts = [*node.elts]
        elif isinstance(node, ast.Dict):
            parts = [*node.keys]
        elif isinstance(node, ast.Call):
            parts = [*node.args]
        codes = [
            part.value
            for part in parts
            if isinstance(part, ast.Constant)
            and isinstance(part.value, str)
            and _CODE.fullmatch(part.value)
            and part.value in known
        ]
        if len(set(codes)) >= 2:
            yield getattr(node, "lineno", 0), codes


def countries(world: World) -> set[str]:
    known = {str(row["country"]) for row in world.network["places"]}
    return known.union(world.trade.regions, *world.groups.values())


def test_no_list_of_countries_is_written_in_code(world: World) -> None:
    known = countries(world)
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        lists = list(listed(ast.parse(path.read_text(encoding="utf-8")), known))
        if lists:
            found[name] = lists
    strange = {name: lists for name, lists in found.items() if name not in LEFT}
    assert not strange, f"move these to country_groups.csv: {strange}"
    assert set(found) == set(LEFT), "a file has none any more: take it off the list"


def test_the_search_for_lists_finds_them() -> None:
    known = {"KAZ", "UZB", "DEU"}
    for text in (
        '("KAZ", "UZB")',
        '["KAZ", x, "UZB"]',
        '{"KAZ", "UZB"}',
        'f("KAZ", "UZB")',
        '{"KAZ": 1, "UZB": 2}',
    ):
        assert list(listed(ast.parse(text), known)), text
    for text in ('("KAZ", "TEU")', 'f("KAZ")', '("KAZ", *five)', '("KAZ", "KAZ")'):
        assert not list(listed(ast.parse(text), known)), text


def test_groups_agree_with_the_columns_of_regions(world: World) -> None:
    for name, column in ((CENTRAL_ASIA, "is_ca5"), ("EAEU", "is_eaeu")):
        marked = {str(row["region"]) for row in world.regions if row[column]}
        assert marked == set(world.group(name)) & set(world.trade.regions)
    assert len(world.group("EU")) == 27 and set(world.group(CENTRAL_ASIA)) < set(world.group("BELT"))
    assert all(_CODE.fullmatch(code) for members in world.groups.values() for code in members)


def test_an_own_table_of_groups_is_the_one_that_counts(world: World) -> None:
    table = world.network["country_groups"]
    left = world.with_network(
        country_groups=table.with_rows(r for r in table if (r["group"], r["country"]) != ("EAEU", "KGZ"))
    )
    row = next(
        r
        for r in world.network["links"]
        if r["mode"] == "road"
        and {r["from_place"], r["to_place"]} & set(places_of(world, "KGZ"))
        and {r["from_place"], r["to_place"]} & set(places_of(world, "KAZ"))
    )
    ends = str(row["from_place"]), str(row["to_place"])
    # A link without crossings of its own, so that the rule of the bloc is asked for.
    for one, rule in ((world, "within EAEU"), (left, "country by mode and direction")):
        assert crossing_terms(one, "no crossing of its own", "road", *ends).rule == rule
    with pytest.raises(DataError, match="no group 'EUU'") as wrong:
        world.group("EUU")
    assert "EU" in wrong.value.faults[0].cure


def places_of(world: World, country: str) -> list[str]:
    return [str(row["place_id"]) for row in world.network["places"] if row["country"] == country]


def test_groups_of_a_case_are_those_of_its_world(world: World) -> None:
    table = world.network["country_groups"]
    more = {**dict(table.rows[0]), "group": CENTRAL_ASIA, "country": "AFG"}
    wide = world.with_network(country_groups=table.with_rows([*table, more]))
    base = lb.run(wide)
    assert wide.group(CENTRAL_ASIA)[-1] == "AFG"
    incomes = base.equilibrium[base.closure].base.income
    at = [wide.trade.region(code) for code in wide.group(CENTRAL_ASIA)]
    row = next(r for r in base.group_rows if r["group"] == CENTRAL_ASIA)
    assert row["income_musd"] == pytest.approx(float(incomes[at].sum()))


def test_a_folder_of_an_earlier_version_gets_the_usual_tables(world: World, tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path / "copy")
    for name in ("country_groups", "gateway_kinds"):
        (tmp_path / "copy" / "network" / f"{name}.csv").unlink()
    again = lb.load(tmp_path / "copy")
    assert again.groups == world.groups == standard_groups()
    assert again.network["gateway_kinds"] == world.network["gateway_kinds"]


def test_central_asia_is_the_same_in_every_table() -> None:
    world = lb.load()
    five = set(world.group("CA5"))
    assert five == {str(r["region"]) for r in world.regions if r["is_ca5"]} == set(world.region_groups["CA5"])
    assert five == {str(r["region"]) for r in world.network["pair_groups"] if r["bloc"] == "central-asia"}

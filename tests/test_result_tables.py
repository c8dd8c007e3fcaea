"""Every column of every table of a result stands in schema.csv, and the keys stated there name its rows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import embedded
import landbridge as lb
from commands import Call
from landbridge.report import Digest, long_rows
from landbridge.results.indicators import indicators
from landbridge.results.tables import result_table, result_tables

PAGE = Path(__file__).resolve().parents[1] / "docs" / "data" / "results.md"
# Real income without deficits is solved where it is the closure of the World alone.
ELSEWHERE = {"percent_zero", "first_order_percent_zero"}
_TYPES: dict[str, tuple[type, ...]] = {"id": (str,), "str": (str,), "float": (float,), "int": (int,)}


@pytest.fixture(scope="module")
def study() -> lb.Study:
    return embedded.railway()


@pytest.fixture(scope="module")
def tables(study: lb.Study) -> list[tuple[str, list[dict[str, Any]]]]:
    found: list[tuple[str, list[dict[str, Any]]]] = []
    for results in (study.base, *study.cases):
        whole = {**results.to_json(), "indicators": indicators(results, results.base)}
        found += [(name, rows) for name, rows in whole.items() if name != "notes"]
    for by_family in (False, True):
        frame = study.base.skims("MCH", by_family=by_family)
        found.append(("skims", frame.head(50).to_dict("records")))
    world = study.base.world
    found.append(("reach", list(lb.reach(world, "Almaty").rows["reach"])))
    for ends in (("Chongqing", "Duisburg"), ("Urumqi", "Tashkent")):
        found.append(("ways", list(lb.ways(world, *ends).rows["ways"])))
    return found


def test_every_column_is_described_and_of_its_type(tables: list[tuple[str, list[dict[str, Any]]]]) -> None:
    seen: dict[str, set[str]] = {}
    for name, rows in tables:
        columns = result_table(name).columns
        for row in rows:
            assert set(row) <= set(columns), (name, set(row) - set(columns))
            for key, value in row.items():
                assert value is None or isinstance(value, _TYPES[columns[key].type]), (name, key, value)
        seen.setdefault(name, set()).update(key for row in rows for key in row)
    for name, table in result_tables().items():
        assert set(table.columns) - seen[name] <= ELSEWHERE, name
        for column in table.columns.values():
            assert column.description and (column.unit or column.type != "float"), (name, column.name)


def test_keys_name_the_rows(tables: list[tuple[str, list[dict[str, Any]]]]) -> None:
    for name, rows in tables:
        table = result_table(name)
        times = Counter(map(table.key_of, rows))
        assert table.keys and not [key for key, n in times.items() if n > 1], name


def test_a_unit_that_differs_by_row_is_that_of_the_row(study: lb.Study) -> None:
    counts = result_table("counts")
    row = study.base.count_rows[0]
    assert counts.unit("ours") == "as unit" and counts.unit("ours", row) == row["unit"]
    long = list(long_rows([Digest.of(study.base)]))
    assert {unit for *_, unit, _ in long} and not any(unit.startswith("as ") for *_, unit, _ in long)
    observed = [line for line in long if line[1] == "gateways" and line[6] == "observed_ours"]
    assert observed and all(line[7] for line in observed)


def page() -> str:
    lines = [
        "# Tables of a result",
        "",
        "Written from `schema.csv` (`result.*`); `landbridge data card TABLE` prints one. Key: the",
        "columns that together name a row. A unit `as NAME` differs by row and stands in the column NAME.",
    ]
    for name, table in result_tables().items():
        lines += ["", f"## {name}", "", "| column | type | unit | meaning |", "|---|---|---|---|"]
        for column in table.columns.values():
            shown = f"{column.name} (key)" if column.required else column.name
            lines.append(f"| {shown} | {column.type} | {column.unit} | {column.description} |")
    return "\n".join(lines) + "\n"


def test_the_page_of_the_tables_is_that_of_the_schema() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_card_of_a_table_of_a_result(call: Call) -> None:
    code, out, _ = call("data", "card", "gateways")
    assert code == 0 and "rows in" in out
    code, out, _ = call("data", "card", "result.gateways")
    assert code == 0 and "wait_h [h]: mean hours of the crossing" in out
    code, out, _ = call("data", "card", "real_income", "--json")
    columns = json.loads(out)["result"]["columns"]
    assert code == 0 and columns[0]["name"] == "region" and columns[1]["unit"] == "% of income"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

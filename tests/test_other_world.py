"""Reports of a World with other corridors, years and members of the group say what is true of it."""

from __future__ import annotations

import re

import pytest

import landbridge as lb
from landbridge.report import Digest, Document, exports, study_sections
from landbridge.report.html.run_page import Sight, html
from landbridge.world.validate import check_network
from small_folder import write_small_world

YEAR = 2031
ELSEWHERE = re.compile(r"\b(five|twelve|machinery|Kyrgyzstan|Tajikistan|Turkmenistan|Russia|Xinjiang)\b")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> lb.World:
    """Two regions of the group, three corridors of textiles, and a base of 2031."""
    folder = tmp_path_factory.mktemp("other") / "world"
    write_small_world(folder)
    small = lb.load(folder)
    zones = {region: [] for region in small.trade.regions}
    for row in small.network["zones"]:
        zones[str(row["region"])].append(str(row["place_id"]))
    first, second = zones.values()
    corridors, parameters = small.network["corridors"], small.network["parameters"]
    rows = [
        {
            **corridors.rows[0],
            "corridor_id": f"own-{n}",
            "from_place": a,
            "to_place": second[0],
            "sector": "TEX",
        }
        for n, a in enumerate(first[:3])
    ]
    later = ({**r, "value": str(YEAR), "min": float(YEAR)} for r in parameters if r["parameter"] == "horizon")
    kept = (r for r in parameters if r["parameter"] != "horizon")
    return small.with_network(
        corridors=corridors.with_rows(rows), parameters=parameters.with_rows([*kept, *later])
    )


@pytest.fixture(scope="module")
def results(world: lb.World) -> list[lb.Results]:
    gateway = str(world.network["gateways"].rows[0]["gateway_id"])
    change = {"verb": "change_gateway", "gateway": gateway, "time_h": {"multiply": 0.5}}
    half = lb.Scenario.from_dict({"name": "Half the hours", "modification": [change]}, "half")
    study = lb.study(world, [half], response=True)
    return [study.base, *study.cases]


@pytest.fixture(scope="module")
def digests(results: list[lb.Results]) -> list[Digest]:
    return [Digest.of(one, results[0]) for one in results]


def test_the_base_year_is_that_of_the_world(world: lb.World) -> None:
    assert world.base_year == YEAR and lb.load().base_year == 2023
    assert not [f for f in check_network(world.network) if "horizon" in f.where]


def test_sentences_are_true_of_it(world: lb.World, digests: list[Digest]) -> None:
    base, case = digests
    document = Document(tuple(study_sections(world, base, [case])))
    text = document.markdown()
    assert (
        document.sections[0].title
        == "Base: three corridors, door to door, textiles, clothing, leather, one TEU"
    )
    assert len(document.sections[0].rows) == 3
    assert f"for the economy of {YEAR}" in text and f"Million USD of {YEAR} a year" in text
    assert "Central Asia (2)" in text and not ELSEWHERE.search(text)
    cited = {"2020"}
    assert set(re.findall(r"\b20\d\d\b", text)) == {str(YEAR)} | cited


def test_the_page_and_files_say_so_too(
    world: lb.World, digests: list[Digest], results: list[lb.Results]
) -> None:
    page = html(world, digests, [Sight.of(one) for one in results], [], {})
    words = re.sub(r"data:image[^\"]*", "", page)
    assert f"the network and economy of {YEAR}" in words and not ELSEWHERE.search(words)
    about = dict(exports.about(world, digests, []))
    assert f"USD of {YEAR}" in about["units"] and f"economy of {YEAR}" in about["reading"]
    assert exports.Flows.of(results[0]).name == f"the network and economy of {YEAR}"


def test_a_later_horizon_is_told_from_the_base(world: lb.World) -> None:
    parameters = world.network["parameters"]
    later = world.with_network(
        parameters=parameters.with_rows(
            {**r, "value": str(YEAR + 1)} if r["parameter"] == "horizon" else r for r in parameters
        )
    )
    assert later.base_year == YEAR
    assert [f.what for f in check_network(later.network) if f"no growth to {YEAR + 1}" in f.what]

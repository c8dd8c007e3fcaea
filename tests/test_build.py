"""A base table of one's own: the balance, known totals, and the commands that write a World on it."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import embedded
import landbridge as lb
from landbridge.cli import app
from landbridge.errors import DataError, InfeasibleError
from landbridge.io.economy import read_economy
from landbridge.io.export import export
from landbridge.io.tables import DATA, load_world
from landbridge.studies.build import Sources, build
from landbridge.studies.check_data import check
from landbridge.trade import solve
from landbridge.world import World
from landbridge.world.balance import Total, balance, impose
from landbridge.world.trade_table import TradeTable
from publisher_files import flows, icio_rows, write_rows

runner = CliRunner()


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


@pytest.fixture(scope="module")
def table(world: World) -> TradeTable:
    return world.trade


def cells(table: TradeTable, exporter: str, importer: str, sectors: int = 14) -> np.ndarray:
    mask = np.zeros(table.trade.shape, dtype=bool)
    mask[table.regions.index(exporter), table.regions.index(importer), :sectors] = True
    return mask


# -- the balance ---------------------------------------------------------------------------------------


def test_a_table_that_clears_is_given_back(table: TradeTable) -> None:
    found = balance(table, table.gdp, least_home=0.0)
    np.testing.assert_allclose(found.table.trade, table.trade, rtol=1e-13)
    np.testing.assert_allclose(found.table.input_share, table.input_share, atol=1e-13)
    assert found.moved_inputs.max() < 1e-13 and found.moved_final.max() < 1e-13
    assert not found.raised.any()


@pytest.mark.parametrize("seed", range(5))
def test_any_source_clears_with_its_trade_abroad_and_gdp(table: TradeTable, seed: int) -> None:
    random = np.random.default_rng(seed)
    trade = table.trade * random.lognormal(0.0, 0.3, table.trade.shape)
    source = replace(table, trade=trade, final_share=_shares(table.final_share, random))
    gdp = table.gdp * random.uniform(0.9, 1.2, len(table.regions))
    found = balance(source, gdp)
    new = found.table
    assert new.imbalance < 1e-10
    assert solve(new).status.rebase < 1e-8
    np.testing.assert_allclose(new.gdp, gdp, rtol=1e-12)
    abroad = ~np.eye(len(table.regions), dtype=bool)
    assert (new.trade[abroad] == trade[abroad]).all()
    assert (new.value_added_share == table.value_added_share).all()
    exports = new.output - np.einsum("nns->ns", new.trade)
    assert (np.einsum("nns->ns", new.trade) >= 0.03 * exports * (1.0 - 1e-12)).all()


def _shares(share: np.ndarray, random: np.random.Generator) -> np.ndarray:
    moved = share * random.lognormal(0.0, 0.2, share.shape)
    return np.asarray(moved / moved.sum(axis=1, keepdims=True))


def test_countries_that_cannot_be_balanced_are_named_with_a_cure(table: TradeTable) -> None:
    gdp = table.gdp.copy()
    gdp[table.regions.index("KAZ")] *= 0.05
    gdp[table.regions.index("UZB")] = -1.0
    with pytest.raises(InfeasibleError) as wrong:
        balance(table, gdp)
    assert [fault.where for fault in wrong.value.faults] == ["KAZ", "UZB"]
    assert "GDP" in wrong.value.faults[0].what and all(fault.cure for fault in wrong.value.faults)
    # What nobody uses cannot be sold.
    inputs, final = np.array(table.input_share), np.array(table.final_share)
    n, s = table.regions.index("KGZ"), table.sectors.index("MIN")
    inputs[n, s], final[n, s] = 0.0, 0.0
    inputs[n] /= np.where(inputs[n].sum(axis=0) > 0.0, inputs[n].sum(axis=0), 1.0)
    final[n] /= final[n].sum()
    with pytest.raises(InfeasibleError, match="KGZ: nothing uses MIN"):
        balance(replace(table, input_share=inputs, final_share=final), table.gdp)


# -- known totals --------------------------------------------------------------------------------------


def test_totals_that_overlap_are_all_met(table: TradeTable) -> None:
    whole = cells(table, "CHN", "KAZ") | cells(table, "CHN", "UZB") | cells(table, "CHN", "KGZ")
    asked = [
        Total("pair", cells(table, "CHN", "KAZ"), 28_000.0),
        Total("group", whole, 60_000.0),
        Total("sector", cells(table, "CHN", "KAZ", 1), 500.0),
    ]
    found = impose(table.trade, asked)
    for total in asked:
        assert found[total.cells].sum() == pytest.approx(total.musd, rel=1e-8)
    assert (found[~whole] == table.trade[~whole]).all()


def test_totals_that_contradict_each_other_are_named(table: TradeTable) -> None:
    pair = cells(table, "CHN", "KAZ")
    with pytest.raises(InfeasibleError, match="contradict") as wrong:
        impose(table.trade, [Total("one", pair, 20_000.0), Total("two", pair, 30_000.0)])
    assert [fault.where for fault in wrong.value.faults] == ["one"]
    none = np.zeros(table.trade.shape, dtype=bool)
    with pytest.raises(DataError, match="nothing: there is no trade"):
        impose(table.trade, [Total("nothing", none, 1.0)])


# -- from publishers' files ----------------------------------------------------------------------------

# One country for each region of the World that is a group of countries.
_OF_GROUPS = {"ASE": "SGP", "REU": "SWE", "ROW": "BRA"}
_HS = {"01": "AGR", "16": "FOO", "2709": "ENE", "2710": "REF", "26": "MIN", "39": "CHM", "61": "TEX"}
_HS |= {"44": "WPP", "69": "NMM", "72": "MET", "84": "MCH", "85": "ELE", "87": "VEH", "95": "OTH"}
_IO = ("CHN", "KAZ", "RUS", "ROW")


def write_sources(folder: Path, world: World) -> Sources:
    """BACI, ICIO and the concordances for the World's regions, in the publishers' formats."""
    random = np.random.default_rng(7)
    iso = {r: _OF_GROUPS.get(r, r) for r in world.trade.regions}
    number = {code: k + 4 for k, code in enumerate(iso.values())}
    rows = [["country_code", "country_name", "country_iso2", "country_iso3"]]
    rows += [[str(n), code, code[:2], code] for code, n in number.items()]
    write_rows(folder / "country_codes_V202501.csv", rows)
    baci = [["t", "i", "j", "k", "v", "q"]]
    for o in iso.values():
        for d in iso.values():
            for code in _HS if o != d else ():
                value = f"{random.gamma(1.0, 2e5):.3f}"
                baci.append(["2023", str(number[o]), str(number[d]), code.ljust(6, "0"), value, "NA"])
    trade = write_rows(folder / "BACI_HS17_Y2023_V202501.csv", baci)
    maps = [["from_code", "to_code"], *([code, r] for r, code in iso.items()), ["ROW", "ROW"]]
    regions = write_rows(folder / "regions.csv", maps)
    products = write_rows(folder / "products.csv", [["from_code", "to_code"], *map(list, _HS.items())])
    sectors = world.trade.sectors
    industries = [f"D{k:02d}" for k in range(len(sectors))]
    pairs = [["from_code", "to_code"], *map(list, zip(industries, sectors, strict=True))]
    Z, F = flows(3, len(_IO), len(sectors))
    io = write_rows(folder / "2019.csv", icio_rows(_IO, industries, Z, F))
    return Sources(
        trade=trade,
        io=io,
        regions=regions,
        products=products,
        industries=write_rows(folder / "industries.csv", pairs),
        io_vintage="a test",
    )


def test_a_world_on_files_of_publishers(world: World, tmp_path: Path) -> None:
    files = write_sources(tmp_path, world)
    # Random exports are far above some GDPs: known ones of the same year.
    totals = [["what", "exporter", "importer", "sector", "musd"]]
    totals += [["gdp", r, "", "", "5e7"] for r in world.trade.regions]
    totals.append(["trade", "CHN", "CA5", "goods", "50000"])
    of = replace(files, totals=write_rows(tmp_path / "totals.csv", totals))
    made = build(world, of)
    new, old = made.world.trade, world.trade
    assert new.imbalance < 1e-9 and (new.gdp / 5e7 == pytest.approx(1.0, abs=1e-9))
    # Goods abroad are BACI's, read here on its own.
    baci = {}
    with (tmp_path / "BACI_HS17_Y2023_V202501.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            baci[int(row["i"]) - 4, int(row["j"]) - 4, row["k"]] = float(row["v"]) / 1000.0
    o, d, s = old.regions.index("DEU"), old.regions.index("KAZ"), old.sectors.index("MCH")
    assert new.trade[o, d, s] == pytest.approx(baci[o, d, "840000"])
    central_asia = [old.regions.index(r) for r in ("KAZ", "KGZ", "TJK", "TKM", "UZB")]
    china = old.regions.index("CHN")
    assert new.trade[china, central_asia, :14].sum() == pytest.approx(50_000.0, rel=1e-8)
    # Technology of the four is the table's, of the others the World's; services of pairs of the four too.
    (notes,) = [note for note in made.notes if "technology of the World kept" in note]
    assert "UZB" in notes and "KAZ" not in notes
    own = old.regions.index("UZB")
    assert (new.value_added_share[own] == old.value_added_share[own]).all()
    kaz = old.regions.index("KAZ")
    assert np.abs(new.value_added_share[kaz] - old.value_added_share[kaz]).max() > 0.01
    Z, F = flows(3, len(_IO), len(old.sectors))
    tts = old.sectors.index("TTS")
    sold = Z[0, tts, 1].sum() + F[0, tts, 1].sum()
    assert new.trade[china, kaz, tts] == pytest.approx(sold, rel=1e-3)
    assert (new.rent_share == old.rent_share).all() and (new.tariff == old.tariff).all()
    folder = export(made.world, tmp_path / "own", economy=made.sources)
    again = load_world(folder)
    np.testing.assert_allclose(again.trade.trade, new.trade, rtol=1e-14)
    assert not check(folder).faults
    with (folder / "economy" / "SOURCES.csv").open(encoding="utf-8") as file:
        cited = [row["source"] for row in csv.DictReader(file) if row["table"] == "trade"]
    assert any("BACI" in text for text in cited) and any("ICIO" in text for text in cited)


# -- the commands --------------------------------------------------------------------------------------


def test_the_command_meets_totals_and_writes_a_world(world: World, tmp_path: Path) -> None:
    rows = [["what", "exporter", "importer", "sector", "musd", "source"]]
    rows += [["trade", "CHN", "KAZ", "goods", "30000", "x"], ["gdp", "KAZ", "", "", "280000", "x"]]
    totals = write_rows(tmp_path / "totals.csv", rows)
    done = runner.invoke(app, ["data", "build", "--totals", str(totals), "-o", str(tmp_path / "w"), "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    result = document["result"]
    made = load_world(tmp_path / "w")
    assert result["hash"] == made.hash and document["status"]["converged"]
    kaz = next(row for row in result["regions"] if row["region"] == "KAZ")
    assert kaz["imports_musd"] > kaz["imports_before_musd"] and kaz["domestic_sales_factor"] > 1.0
    assert result["totals"][0]["asked_musd"] == 30000.0
    o, d = (made.trade.regions.index(r) for r in ("CHN", "KAZ"))
    assert made.trade.trade[o, d, :14].sum() == pytest.approx(30000.0, rel=1e-8)
    assert made.trade.gdp[d] == pytest.approx(280000.0)
    assert next(row["gdp_musd"] for row in made.regions if row["region"] == "KAZ") == 280000.0
    assert not check(tmp_path / "w").faults
    shown = runner.invoke(app, ["data", "build", "--totals", str(totals), "-o", str(tmp_path / "x")])
    assert "CHN to KAZ, goods: 30,000.0 musd" in shown.stdout and "landbridge run --world" in shown.stdout


def test_every_fault_of_the_totals_is_told_and_nothing_written(tmp_path: Path) -> None:
    rows = [["what", "exporter", "importer", "sector", "musd"]]
    rows += [["trade", "CHI", "KAZ", "goods", "1"], ["trade", "CHN", "KAZ", "good", "many"]]
    rows += [["trad", "CHN", "KAZ", "goods", "1"], ["gdp", "CA5", "", "", "-4"], ["gdp", "CA5", "", "", "5"]]
    totals = write_rows(tmp_path / "totals.csv", rows)
    done = runner.invoke(app, ["data", "build", "--totals", str(totals), "-o", str(tmp_path / "w")])
    error = done.exception
    assert isinstance(error, DataError) and not (tmp_path / "w").exists()
    told = [str(fault) for fault in error.faults]
    for part in ("'CHI'", "CHN", "'good'", "many", "'trad'", "at least 0", "group", "repeats line 5"):
        assert any(part in line for line in told), (part, told)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["totals.csv"]


def test_files_without_their_concordance_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as wrong:
        build(lb.load(), Sources(trade=tmp_path / "BACI.csv", io=tmp_path / "2019.csv"))
    assert [fault.where for fault in wrong.value.faults] == ["--regions", "--products", "--industries"]
    bad = write_rows(tmp_path / "regions.csv", [["from_code", "to_code"], ["KAZ", "KAS"]])
    good = write_rows(tmp_path / "products.csv", [["from_code", "to_code"], ["01", "AGR"]])
    with pytest.raises(DataError, match="KAS") as wrong:
        build(lb.load(), Sources(trade=tmp_path / "BACI_HS17_Y2023_V202501.csv", regions=bad, products=good))
    assert wrong.value.faults[0].cure


def test_a_spoiled_table_is_rebalanced(tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(DATA, own)
    path = own / "economy" / "reported-tjk_cap_on" / "trade.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    at = next(k for k, row in enumerate(rows) if row[:2] == ["CHN", "KAZ"])
    rows[at][2:] = [repr(1.5 * float(cell)) for cell in rows[at][2:]]
    write_rows(path, rows)
    assert check(own).faults
    done = runner.invoke(app, ["data", "rebalance", str(own), "-o", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    assert not check(tmp_path / "new").faults
    spoiled, mended = load_world(own, check=False).trade, load_world(tmp_path / "new").trade
    abroad = ~np.eye(len(mended.regions), dtype=bool)
    assert (mended.trade[abroad] == spoiled.trade[abroad]).all()
    np.testing.assert_allclose(mended.gdp, lb.load().trade.gdp, rtol=1e-9)
    assert solve(mended).status.rebase < 1e-9
    # Each variant is cleared on its own, and how the table came about stays with it.
    kept = tmp_path / "new" / "economy"
    raw, usual = read_economy(kept, "baci", "off"), read_economy(kept)
    assert np.abs(raw.trade - usual.trade).max() > 1e3
    np.testing.assert_allclose(raw.trade, read_economy(DATA / "economy", "baci", "off").trade, rtol=1e-9)
    assert (kept / "trade_steps.csv").is_file()
    readme = (tmp_path / "new" / "README.md").read_text(encoding="utf-8")
    assert load_world(tmp_path / "new").hash[:12] in readme

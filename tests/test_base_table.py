"""The base economy of 2023: accounts, known facts, the check table, and the reader."""

from __future__ import annotations

import csv
import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from landbridge.errors import DataError
from landbridge.io.economy import KGZ_TRADE, TJK_CAP, read_economy, variant_folder
from landbridge.io.tables import load_world
from landbridge.studies.customs import beside_customs, by_country, of_china, of_the_five
from landbridge.trade import TradeTable, solve

ROOT = Path(__file__).resolve().parents[1]
INPUTS = ROOT / "recipes" / "inputs" / "trade"
ECONOMY = ROOT / "src" / "landbridge" / "data" / "economy"
VARIANTS = [(k, t) for k in KGZ_TRADE for t in TJK_CAP]
CA5 = ("KAZ", "KGZ", "TJK", "TKM", "UZB")
LAND11 = ("CHN", *CA5, "RUS", "AZE", "GEO", "IRN", "TUR")
GOODS = 14

Array = NDArray[np.float64]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def relative(a: Array, b: Array) -> float:
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-300)))


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    """recipes/economy.py, which is no part of the package."""
    sys.path.insert(0, str(ROOT / "recipes"))
    try:
        import economy
    finally:
        sys.path.remove(str(ROOT / "recipes"))
    return economy


@pytest.fixture(scope="module")
def base() -> TradeTable:
    return read_economy(ECONOMY)


@pytest.fixture(scope="module")
def zero_tariff(recipe: ModuleType, base: TradeTable) -> TradeTable:
    """The default variant built without tariffs, which the check table describes."""
    a = recipe.build_variant(INPUTS, tariffs=False).accounts
    return TradeTable(
        base.regions,
        base.sectors,
        a.trade,
        a.tariff,
        a.value_added_share,
        a.input_share,
        a.final_share,
        base.theta,
    )


@pytest.fixture(scope="module")
def check(shared: Path) -> dict[str, Array]:
    """Columns of the check table, regions in alphabetical order."""
    rows = sorted(
        rows_of(shared / "facts" / "trade" / "base_check_31x17_2023.csv"), key=lambda r: r["region"]
    )
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != "region"}


def gdp(table: TradeTable) -> Array:
    value = {row["region"]: float(row["gdp_musd"]) for row in rows_of(INPUTS / "regions.csv")}
    return np.array([value[region] for region in table.regions])


def cut(table: TradeTable, pairs: list[tuple[str, str]], ratio: float) -> Array:
    """cost_hat with the goods of these pairs at `ratio`."""
    cost = np.ones_like(table.trade)
    for o, d in pairs:
        cost[table.region(o), table.region(d), :GOODS] = ratio
    return cost


# 5a.1


@pytest.mark.parametrize(("kgz_trade", "tjk_cap"), VARIANTS)
def test_accounts_close(kgz_trade: str, tjk_cap: str) -> None:
    t = read_economy(ECONOMY, kgz_trade, tjk_cap)
    N = len(t.regions)
    assert (N, len(t.sectors)) == (31, 17)
    output = np.array([[t.trade[n, :, k].sum() for k in range(17)] for n in range(N)])
    revenue = np.array([(t.trade[:, n] * t.tariff[:, n]).sum() for n in range(N)])
    spent = (t.trade * (1 + t.tariff)).sum(axis=0)
    deficit = t.trade.sum(axis=(0, 2)) - t.trade.sum(axis=(1, 2))
    income = (t.value_added_share * output).sum(axis=1) + revenue + deficit
    used = np.array(
        [
            t.input_share[n] @ ((1 - t.value_added_share[n]) * output[n]) + t.final_share[n] * income[n]
            for n in range(N)
        ]
    )
    assert relative(used, spent) < 1e-12
    assert relative((t.value_added_share * output).sum(axis=1) + revenue, gdp(t)) < 1e-12
    assert abs(deficit.sum()) < 1e-9 * np.abs(deficit).sum()
    assert np.abs(t.input_share.sum(axis=1) - 1).max() < 1e-14
    assert np.abs(t.final_share.sum(axis=1) - 1).max() < 1e-14
    assert (np.einsum("nns->ns", t.trade) > 0).all()
    assert t.value_added_share.min() > 0.05
    stated = rows_of(ECONOMY / variant_folder(kgz_trade, tjk_cap) / "shares.csv")
    assert relative(output.ravel(), np.array([float(r["output_musd"]) for r in stated])) < 1e-12


@pytest.mark.parametrize(("kgz_trade", "tjk_cap"), VARIANTS)
def test_markets_clear_in_the_solver(kgz_trade: str, tjk_cap: str) -> None:
    eq = solve(read_economy(ECONOMY, kgz_trade, tjk_cap))
    assert eq.status.rebase < 1e-9
    assert np.abs(eq.real_income_hat - 1).max() < 1e-12
    assert np.abs(eq.wage_hat - 1).max() < 1e-12


# 5a.2


def test_deficits_are_near_the_factbook(base: TradeTable) -> None:
    sums: dict[str, dict[str, float]] = {"exports": {}, "imports": {}}
    for row in rows_of(INPUTS / "macro.csv"):
        kind = row["variable"].removesuffix("_goods_services")
        if kind in sums:
            sums[kind][row["region"]] = float(row["value"])
    book = np.array([sums["imports"][r] - sums["exports"][r] for r in base.regions])
    off = dict(zip(base.regions, 100 * (base.deficits - book) / gdp(base), strict=True))
    assert {r for r, gap in off.items() if abs(gap) > 5} <= {"AFG", "GEO", "TKM"}
    imports = base.trade.sum(axis=(0, 2)) - np.einsum("nns->n", base.trade)
    open_m = dict(zip(base.regions, 100 * imports / gdp(base), strict=True))
    assert open_m["KGZ"] < 110
    assert open_m["TJK"] < 60


# 5a.3


def test_mixes_agree_with_customs(base: TradeTable) -> None:
    chn, five = base.region("CHN"), [base.region(r) for r in CA5]
    to_china, from_china = base.trade[five, chn].sum(axis=0), base.trade[chn, five].sum(axis=0)
    assert 0.50 < to_china[base.sector("ENE")] / to_china[:GOODS].sum() < 0.60
    machines = sum(from_china[base.sector(s)] for s in ("MCH", "ELE", "VEH"))
    assert 0.40 < machines / from_china[:GOODS].sum() < 0.55
    gas = base.trade[base.region("TKM"), chn, :GOODS]
    assert gas[base.sector("ENE")] / gas.sum() > 0.99


# 5a.4


def test_gaps_are_filled_and_transit_is_moved_not_lost(recipe: ModuleType, base: TradeTable) -> None:
    for importer in ("TJK", "BLR", "MNG", "GEO"):
        assert base.trade[base.region("RUS"), base.region(importer), :GOODS].sum() > 1000
    rows = {
        (r["exporter"], r["importer"]): float(r["value_musd"]) for r in rows_of(INPUTS / "goods_pairs.csv")
    }
    row_kaz = base.trade[base.region("ROW"), base.region("KAZ"), :GOODS].sum()
    assert row_kaz < rows["ROW", "KAZ"] - 2000
    exports = [recipe.build_variant(INPUTS, *variant).goods.exports for variant in VARIANTS]
    for other in exports[1:]:
        assert relative(other, exports[0]) < 1e-12
    goods = recipe.build_variant(INPUTS).goods
    kgz = sum(v for (_, importer), v in goods.cut.items() if importer == "KGZ")
    assert kgz == pytest.approx(17_260, abs=15)
    assert goods.cut["CHN", "TJK"] == pytest.approx(2361, abs=1)


# 5a.5


def test_home_shares_agree_with_icio(shared: Path, base: TradeTable, zero_tariff: TradeTable) -> None:
    known = [
        row
        for row in rows_of(shared / "facts" / "trade" / "output_mix_icio2022.csv")
        if row["sector"] != "SRV" and row["region"] not in ("ASE", "REU", "ROW")
    ]
    theirs = np.array([float(row["home_share_of_expenditure"]) for row in known])
    assert len(theirs) == 18 * GOODS
    for table in (base, zero_tariff):
        home = table.home_share
        ours = np.array([home[table.region(row["region"]), table.sector(row["sector"])] for row in known])
        assert np.corrcoef(ours, theirs)[0, 1] > 0.93
        assert np.abs(ours - theirs).mean() < 0.08
    shares = rows_of(ECONOMY / variant_folder() / "shares.csv")
    floored = [r for r in shares if r["floored_home_share"] == "yes" and r["sector"] in base.sectors[:GOODS]]
    assert 0 < len(floored) < 0.13 * 31 * GOODS


# 5a.6


@pytest.mark.parametrize("tariffs", [False, True])
def test_coefficients_stay_near_the_proxy(recipe: ModuleType, tariffs: bool) -> None:
    a = recipe.build_variant(INPUTS, tariffs=tariffs).accounts
    for moved in (a.moved_inputs, a.moved_final):
        assert np.median(moved) < 0.10
        assert moved.max() < 0.30
    assert [region for region, _ in a.lowered] == ["MNG"]


# 5a.7


def test_small_cut_is_worth_the_trade_it_falls_on(zero_tariff: TradeTable) -> None:
    pairs = [(o, d) for o in LAND11 for d in LAND11 if o != d]
    small = 1e-5
    eq = solve(zero_tariff, cost_hat=cut(zero_tariff, pairs, 1 - small), tol=1e-13)
    gain = float((zero_tariff.income * np.log(eq.real_income_hat)).sum())
    changed = sum(
        zero_tariff.trade[zero_tariff.region(o), zero_tariff.region(d), :GOODS].sum() for o, d in pairs
    )
    assert gain == pytest.approx(float(changed) * small, rel=1e-4)


# 5a.8 and step 16

SCENARIOS = {
    "chn_ca5_minus5": ([*(("CHN", r) for r in CA5), *((r, "CHN") for r in CA5)], 0.95),
    "land11_minus3": ([(o, d) for o in LAND11 for d in LAND11 if o != d], 0.97),
}


def within(ours: Array, theirs: Array, points: float) -> bool:
    """1 percent, or so many points of the column's unit where that is more."""
    return bool((np.abs(ours - theirs) <= np.maximum(0.01 * np.abs(theirs), points)).all())


def test_table_agrees_with_the_check_table(
    recipe: ModuleType, zero_tariff: TradeTable, check: dict[str, Array]
) -> None:
    t, spent = zero_tariff, zero_tariff.expenditure
    home = np.einsum("nns->ns", t.trade)
    assert within(gdp(t) / 1000, check["gdp_bn_usd"], 0.001)
    assert within(t.trade.sum(axis=(1, 2)) - home.sum(axis=1), check["exports_all_musd"], 0.0)
    assert within(t.trade.sum(axis=(0, 2)) - home.sum(axis=1), check["imports_all_musd"], 0.0)
    assert within(100 * t.deficits / gdp(t), check["deficit_pct_gdp"], 0.001)
    assert within(home.sum(axis=1) / spent.sum(axis=1), check["home_share"], 0.001)
    goods_home = home[:, :GOODS].sum(axis=1) / spent[:, :GOODS].sum(axis=1)
    assert within(goods_home, check["home_share_goods"], 0.001)
    a = recipe.build_variant(INPUTS, tariffs=False).accounts
    assert within(a.moved_inputs, check["io_share_moved"], 0.001)
    assert within(a.moved_final, check["final_share_moved"], 0.001)


@pytest.mark.parametrize(
    ("scenario", "closure"),
    [
        ("chn_ca5_minus5", "fixed"),
        ("chn_ca5_minus5", "proportional"),
        ("chn_ca5_minus5", "zero"),
        ("land11_minus3", "fixed"),
    ],
)
def test_scenarios_agree_with_the_check_table(
    zero_tariff: TradeTable, check: dict[str, Array], scenario: str, closure: str
) -> None:
    pairs, ratio = SCENARIOS[scenario]
    eq = solve(zero_tariff, cost_hat=cut(zero_tariff, pairs, ratio), deficits=closure)  # type: ignore[arg-type]
    assert within(100 * (eq.real_income_hat - 1), check[f"{scenario}_{closure}_pct"], 0.001)


# 5a.9


@pytest.fixture(scope="module")
def rebuilt(recipe: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data built from inputs whose rows were shuffled."""
    inputs = tmp_path_factory.mktemp("inputs")
    out = tmp_path_factory.mktemp("economy")
    for path in INPUTS.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        random.Random(path.name).shuffle(rows)
        with (inputs / path.name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
    recipe.build(inputs, out)
    return out


def test_shuffled_inputs_give_the_embedded_bytes(rebuilt: Path) -> None:
    built = {p.relative_to(rebuilt) for p in rebuilt.rglob("*.csv")}
    assert built == {p.relative_to(ECONOMY) for p in ECONOMY.rglob("*.csv")}
    for name in sorted(built):
        assert (rebuilt / name).read_bytes() == (ECONOMY / name).read_bytes(), name


# Tariffs, marks and sources


def test_tariffs_follow_their_rules(base: TradeTable) -> None:
    rule = {(r["exporter"], r["importer"]): r["rule"] for r in rows_of(ECONOMY / "tariff_basis.csv")}
    assert len(rule) == 31 * 31
    assert (base.tariff >= 0).all()
    assert base.tariff.max() < 0.5
    assert (base.tariff[:, :, GOODS:] == 0).all()
    for (o, d), name in rule.items():
        rate = base.tariff[base.region(o), base.region(d), :GOODS]
        if name in ("own", "eu", "eaeu", "cis_fta", "eu_gbr"):
            assert (rate == 0).all(), (o, d)
        elif name == "eu_tur":
            assert (rate[2:] == 0).all(), (o, d)
        else:
            assert rate.max() > 0, (o, d)
    assert rule["RUS", "KAZ"] == "eaeu"
    assert rule["UZB", "KAZ"] == rule["RUS", "TJK"] == "cis_fta"
    assert rule["DEU", "TUR"] == "eu_tur"
    assert rule["DEU", "POL"] == "eu"
    assert rule["CHN", "KAZ"] == "published"
    others = [d for d in base.regions if d not in ("RUS", "KAZ", "KGZ", "ARM", "BLR", "TJK", "UZB")]
    assert all(rule[d, "TKM"] in ("proxy", "proxy_mean") or d == "TKM" for d in others)


def test_every_table_has_a_source() -> None:
    stated = {row["table"] for row in rows_of(ECONOMY / "SOURCES.csv")}
    assert stated == {path.stem for path in ECONOMY.rglob("*.csv")} - {"SOURCES"}
    for row in rows_of(ECONOMY / "SOURCES.csv"):
        assert row["source"] and row["licence"] and row["attribution"]


def test_every_input_row_says_where_it_is_from() -> None:
    for path in INPUTS.glob("*.csv"):
        for row in rows_of(path):
            assert row["source"] and row["year"], path.name
            if path.stem != "SOURCES":
                assert row["basis"] in ("observed", "published", "derived", "assumption"), path.name


# The reader


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the common tables and the default variant, to be spoiled."""
    folder = tmp_path / "economy"
    shutil.copytree(ECONOMY, folder, ignore=shutil.ignore_patterns("baci-*", "china_only-*", "*_off"))
    return folder


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


def faults_of(folder: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        read_economy(folder)
    return [str(fault) for fault in caught.value.faults]


def test_reader_accepts_rows_in_any_order(copy: Path, base: TradeTable) -> None:
    path = copy / variant_folder() / "trade.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, *reversed(lines)]) + "\n", encoding="utf-8", newline="\n")
    assert (read_economy(copy).trade == base.trade).all()


def test_reader_lists_every_fault(copy: Path) -> None:
    trade, shares = copy / variant_folder() / "trade.csv", copy / variant_folder() / "shares.csv"
    spoil(trade, "\nAFG,ARE,10.", "\nAFG,ARE,ten")
    spoil(trade, "\nAFG,ARM,", "\nAFG,ARX,")
    spoil(shares, "\nARE,FOO,", "\nARE,AGR,")
    (copy / "tariff.csv").unlink()
    faults = faults_of(copy)
    assert any("tariff.csv: not found" in f for f in faults)
    assert any("trade.csv line 3, AGR: 'ten" in f for f in faults)
    assert any("trade.csv line 4, importer: unknown code 'ARX'" in f and "ARE" in f for f in faults)
    assert any("no row for AFG, ARM" in f for f in faults)
    assert any("shares.csv line 20: a second row for ARE, AGR" in f for f in faults)


def test_reader_refuses_wrong_headers_and_odd_numbers(copy: Path) -> None:
    spoil(copy / variant_folder() / "input_share.csv", "region,input_sector,AGR", "region,input_sector,AGX")
    spoil(copy / "tariff.csv", "\nAFG,ARE,0.0", "\nAFG,ARE,nan,0.0")
    spoil(copy / "sectors.csv", "agriculture,yes,5", "agriculture,yes,inf")
    faults = faults_of(copy)
    assert any("columns missing: AGR; unknown columns: AGX" in f for f in faults)
    assert any("tariff.csv line 3: 20 cells under 19 columns" in f for f in faults)
    assert any("sectors.csv line 2, theta: 'inf' is not a number" in f for f in faults)


def test_reader_refuses_doubled_and_missing_regions(copy: Path) -> None:
    spoil(copy / "regions.csv", "\nARE,", "\nAFG,")
    assert any("regions.csv line 3: region 'AFG' appears twice" in f for f in faults_of(copy))


def test_reader_counts_what_it_does_not_spell_out(copy: Path) -> None:
    path = copy / "tariff.csv"
    path.write_text(path.read_text(encoding="utf-8").split("\n")[0] + "\n", encoding="utf-8", newline="\n")
    assert any("951 more faults" in f for f in faults_of(copy))


def test_unknown_variants_are_named() -> None:
    with pytest.raises(DataError, match="did you mean 'reported'"):
        read_economy(ECONOMY, "report")
    with pytest.raises(DataError, match="choose on or off"):
        read_economy(ECONOMY, "baci", "maybe")


# ------------------------------------------------------------------------------------------------------
# Beside customs


def test_the_steps_from_customs_add_up_to_the_base() -> None:
    every = beside_customs(load_world())
    assert all(abs(r["other_musd"]) < 0.02 for r in every)
    rows = of_china(every)
    assert {(r["exporter"], r["importer"]) for r in rows} == {
        pair for five in ("KAZ", "KGZ", "TJK", "TKM", "UZB") for pair in (("CHN", five), (five, "CHN"))
    }
    kyrgyz = next(r for r in rows if r["importer"] == "KGZ")
    # China and Kyrgyzstan differ by 14 bn; nine tenths of it is transit that is taken off.
    assert kyrgyz["exporter_reports_musd"] - kyrgyz["importer_reports_musd"] == pytest.approx(14_367, abs=1)
    assert kyrgyz["transit_cut_musd"] == pytest.approx(5353.2573 - 18182.327, abs=0.01)
    total = of_the_five(every)
    assert total["china_reports_musd"] == pytest.approx(89_400, rel=1e-3)
    assert total["importer_reports_musd"] is None  # Tajikistan and Turkmenistan publish none
    # What is taken off is booked, the part of Kazakhstan and Uzbekistan among the five.
    assert total["transit_booked_musd"] == pytest.approx(-0.25 * total["transit_cut_musd"], rel=1e-6)


def test_each_country_s_own_figures_lead_to_the_base_by_partner() -> None:
    every = beside_customs(load_world())
    rows = by_country(every)
    assert [r["importer"] for r in rows if r["exporter"] == "all"] == ["KAZ", "KGZ", "UZB"]
    steps = ("importer_reports", "to_baci", "gaps_filled", "transit_cut", "transit_booked", "reexports")
    for row in rows:
        if row["baci_musd"] > 0.0:
            whole = sum(row[f"{step}_musd"] for step in (*steps, "other"))
            assert whole == pytest.approx(row["base_musd"], abs=0.02), row
    for importer in ("KAZ", "KGZ", "UZB"):
        of = [r for r in rows if r["importer"] == importer]
        known = [r for r in every if r["importer"] == importer and r["importer_reports_musd"] is not None]
        for column in ("importer_reports_musd", "base_musd"):
            assert sum(r[column] for r in of[:-1]) == pytest.approx(of[-1][column])
            assert sum(r[column] for r in known) == pytest.approx(of[-1][column])
    shown = {(r["exporter"], r["importer"]): r for r in rows}
    # Kyrgyzstan's partners are cut to what it counts; re-exports of hubs come on top.
    turkish = shown["TUR", "KGZ"]
    without = turkish["base_musd"] - turkish["reexports_musd"]
    assert without == pytest.approx(turkish["importer_reports_musd"], abs=0.01)
    assert shown["RUS", "TJK"]["to_baci_musd"] == 0.0 and shown["RUS", "TJK"]["gaps_filled_musd"] == 1580.0


def test_another_variant_shows_what_the_steps_do_not() -> None:
    raw = replace(load_world(), trade=read_economy(ECONOMY, "baci", "off"))
    rows = {(r["exporter"], r["importer"]): r for r in beside_customs(raw)}
    assert rows["CHN", "KGZ"]["other_musd"] == pytest.approx(12_829, rel=0.01)
    name = "economy/trade_steps.csv"
    text = raw.files[name].decode().replace("CHN,KGZ,baci,18182.327", "CHN,KGZ,baci,much")
    broken = {**raw.files, name: text.replace("KGZ,CHN,baci", "KGS,CHN,baci").encode()}
    with pytest.raises(DataError) as wrong:
        beside_customs(replace(raw, files=broken))
    assert len(wrong.value.faults) == 2 and all(fault.cure for fault in wrong.value.faults)
    del broken[name]
    assert beside_customs(replace(raw, files=broken)) == []

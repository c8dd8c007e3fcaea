"""The answer first: one screen for a scenario, a line for each of several, one for each route."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

import embedded
import landbridge as lb
from commands import Call
from landbridge.cli.terminal import show_compact
from landbridge.errors import ScenarioError
from landbridge.model.run import Study, study
from landbridge.phrases import signed
from landbridge.report import Digest, Names, first_screen, study_lines
from landbridge.report.digest import members
from landbridge.report.first_screen import LINES, VISIBLE_PERCENT, WIDTH, income_rows, lines_of
from landbridge.results import Results
from landbridge.results.changed import assumption_rows, changed_rows
from landbridge.results.served import served_rows
from landbridge.scenario import Scenario, apply, bundled, json_schema
from landbridge.world import World

QUICK = ("cku-railway", "khorgos-closed", "subsidy-end", "gas-line-c-lost")
HALF = {"verb": "change_gateway", "gateway": "khorgos-altynkol", "time_h": {"multiply": 0.5}}


@pytest.fixture(scope="module")
def world() -> World:
    return embedded.world()


@pytest.fixture(scope="module")
def solved(world: World) -> Study:
    return study(world, QUICK)


@pytest.fixture(scope="module")
def digests(solved: Study) -> dict[str, Digest]:
    return {one.id: Digest.of(one, solved.base, detail=False) for one in (solved.base, *solved.cases)}


def printed(
    world: World, digests: dict[str, Digest], name: str, capsys: pytest.CaptureFixture[str], lang: str = "en"
) -> list[str]:
    sections = first_screen(
        world, digests["base"], digests[name], Names(world, lang), ("sensitivity", "compare", "sweep")
    )
    show_compact(sections, WIDTH)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == sum(map(lines_of, sections))
    return lines


def check_screen(lines: list[str], name: str) -> None:
    assert len(lines) <= LINES, lines
    assert all(len(line) <= WIDTH for line in lines), lines
    assert lines[0].startswith(f"{name}: ")
    assert any(re.search(r"\s[+-]?\d[\d,.]*\s+[+-]?\d", line) for line in lines[:6]), lines[:6]
    assert any(line.startswith("CO2e") for line in lines)
    assert any(line.startswith("Assumed: ") for line in lines)
    assert not any(line.endswith("...") for line in lines[-2:]), lines


@pytest.mark.parametrize("name", QUICK)
def test_a_scenario_fits_on_one_screen(
    world: World, digests: dict[str, Digest], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(world, digests, name, capsys)
    check_screen(lines, name)
    # Every income is that of --json, rounded.
    names, result = Names(world), digests[name].result
    rows = {names.region[row["region"]]: row for row in result["real_income"]}
    rows |= {names.group[row["group"]]: row for row in result["groups"]}
    at = next(n for n, line in enumerate(lines) if line.startswith("Real income"))
    seen = 0
    for line in lines[at + 1 : at + 7]:
        found = re.fullmatch(r"(.+?)\s+(\S+)\s+(?:(\S+) to (\S+)( #)?\s+)?(\S+)\s+(\S+)", line)
        if found is None or found[1] not in rows:
            break
        seen += 1
        row = rows[found[1]]
        for text, value, half in (
            (found[2], row["percent"], 0.005),
            (found[3], row["percent_p05"], 0.005),
            (found[4], row["percent_p95"], 0.005),
            (found[6], row["musd"], 0.5),
            (found[7], row["percent_of_gdp"], 0.005),
        ):
            assert float(text.replace(",", "")) == pytest.approx(value, abs=half * 1.0001)
        outside = not row["percent_p05"] <= row["percent"] <= row["percent_p95"]
        assert (found[5] is not None) == outside, line
    assert 3 <= seen <= 6
    # So are CO2e and the gateway that loses most.
    old = {row["mode"]: row["co2e_kt"] for row in digests["base"].result["emissions"]}
    change = next(row["co2e_kt"] for row in result["emissions"] if row["mode"] == "all") - old["all"]
    told = next(line for line in lines if line.startswith("CO2e"))
    assert float(re.search(r": (\S+) \(", told)[1].replace(",", "")) == pytest.approx(change, abs=0.501)  # type: ignore[index]
    loses = next(line for line in lines if line.startswith("Elsewhere loses most"))
    changed = {row["id"] for row in digests[name].lead.changed}  # type: ignore[union-attr]
    least = min(
        (row for row in result["gateways"] if row["gateway"] not in changed),
        key=lambda row: row["teu_per_year"] - row["base_teu_per_year"],
    )
    assert f"{least['base_teu_per_year'] / 1e3:,.0f} -> {least['teu_per_year'] / 1e3:,.0f}" in loses
    assert names.gateway[least["gateway"]].split(" (")[0] in loses


@pytest.mark.parametrize("name", QUICK)
def test_those_who_gain_and_lose_most_are_listed_and_signs_that_rest_on_little(
    world: World, solved: Study, digests: dict[str, Digest], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, names, result = printed(world, digests, name, capsys), Names(world), digests[name].result
    rows = {row["region"]: row for row in result["real_income"]}
    for most in (max, min):
        region = most(rows, key=lambda one: rows[one]["percent"])
        if abs(rows[region]["percent"]) >= 0.005:
            assert any(line.startswith(names.region[region]) for line in lines), region
    # A country that gains only by what its carriers are paid, or loses only by it.
    inside = [one for one in rows if one in members(world) and abs(rows[one]["percent"]) >= 0.005]
    paid = {row["region"]: row["gain_musd"] for row in solved[name].transit_rows}
    turned = [one for one in inside if (rows[one]["musd"] - paid.get(one, 0.0)) * rows[one]["musd"] < 0.0]
    told = [line for line in lines if "carriers' pay is income" in line]
    assert len(told) == bool(turned)
    if turned:
        most_of = max(turned, key=lambda one: abs(rows[one]["percent"]))
        without = 100.0 * (rows[most_of]["musd"] - paid[most_of]) / rows[most_of]["income_musd"]
        assert f"{names.region[most_of]} {without:+.2f} %" in told[0]


def test_a_range_with_equal_ends_and_a_loss_of_gas_are_told_as_what_they_are(
    world: World, digests: dict[str, Digest]
) -> None:
    case = digests[QUICK[0]]
    assert case.lead is not None
    groups = [{**row, "percent_phi_b_low": 0.1, "percent_phi_b_high": 0.1} for row in case.result["groups"]]
    rows = [{"kind": "gas", "id": "gas_pipelines"}, *case.lead.assumptions]
    changed = replace(
        case, result={**case.result, "groups": groups}, lead=replace(case.lead, assumptions=rows)
    )
    (section,) = (
        one
        for one in first_screen(world, digests["base"], changed, Names(world))
        if one.key == "first.assumed"
    )
    text = " ".join(section.before)
    assert "no other buyer" in text and "0.1 to" not in text and "+0.100" not in text


@pytest.mark.parametrize("lang", ["ru", "zh"])
def test_other_languages_fit_too_and_explain_their_mark(
    world: World, digests: dict[str, Digest], lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.cells import cell_len

    lines = printed(world, digests, "khorgos-closed", capsys, lang)
    assert len(lines) <= LINES and all(cell_len(line) <= WIDTH for line in lines)
    assert ("*" in "".join(lines[:-1])) == lines[-1].startswith("*")


@pytest.mark.parametrize("lang", ["en", "ru", "zh"])
def test_parameters_that_are_set_are_said_and_no_command_is_cut(
    world: World, digests: dict[str, Digest], lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    case = digests["khorgos-closed"]
    # Without ranges the line of commands is longest.
    plain = [{k: v for k, v in row.items() if k != "percent_p05"} for row in case.result["real_income"]]
    changed = replace(case, parameters=(("phi", "4"),), result={**case.result, "real_income": plain})
    lines = printed(world, {**digests, case.id: changed}, case.id, capsys, lang)
    assert "phi = 4" in lines[1] and len(lines) <= LINES
    next_ones = [line for line in lines if "landbridge sweep" in line]
    assert len(next_ones) == 1 and not next_ones[0].endswith("..."), lines
    assert "phi" not in printed(world, digests, case.id, capsys, lang)[1]


@pytest.mark.parametrize("lang", ["en", "ru", "zh"])
@pytest.mark.parametrize("name", QUICK)
def test_every_language_has_the_same_lines_of_traffic_and_the_cause_of_the_range_in_full(
    world: World, digests: dict[str, Digest], name: str, lang: str
) -> None:
    ways, made = {}, {}
    for of in ("en", lang):
        names = Names(world, of)
        made[of] = {one.key: one for one in first_screen(world, digests["base"], digests[name], names)}
        starts = [
            names.say(f"first.traffic.{way}", gateway="|", before=0.0, after=0.0).split("|")[0]
            for way in ("gains", "loses")
        ]
        lines = made[of]["first.traffic"].before
        ways[of] = [any(line.startswith(start) for line in lines) for start in starts]
    assert ways[lang] == ways["en"] and (all(ways[lang]) or name != "khorgos-closed")
    widest = made[lang]["first.assumed"].before[0]
    assert not widest.endswith("...") and "_" not in widest, widest


def test_tonnes_stand_beside_teu_where_the_line_has_room(world: World, digests: dict[str, Digest]) -> None:
    """Bulk in TEU says little to those who ship it: the weight of all goods, as in the table of gateways."""
    seen = 0
    for name in QUICK:
        names, base, case = Names(world), digests["base"], digests[name]
        (section,) = (one for one in first_screen(world, base, case, names) if one.key == "first.traffic")
        old = {row["gateway"]: row["tonnes"] for row in base.result["gateways"]}
        for row in case.result["gateways"]:
            title = names.gateway[row["gateway"]].split(" (")[0]
            for line in (one for one in section.before if f"{title}, " in one or f"{title}: " in one):
                told = f", {signed((row['tonnes'] - old[row['gateway']]) / 1e6, 1)} Mt"
                if line.endswith(" Mt"):
                    assert line.endswith(told) and told != ", 0.0 Mt"
                    seen += 1
                else:
                    assert len(f"{line}{told}") > WIDTH or told == ", 0.0 Mt", line
    assert seen


def test_regions_are_members_that_move_and_the_largest_in_money(
    world: World, digests: dict[str, Digest]
) -> None:
    inside = set(members(world))
    for name in QUICK:
        rows = {row["region"]: row for row in digests[name].result["real_income"]}
        by_money = sorted(rows, key=lambda one: (-abs(rows[one]["musd"]), one))
        visible = [one for one in by_money if abs(rows[one]["percent"]) >= VISIBLE_PERCENT]
        own = [one for one in visible if one in inside]
        shown = [row["region"] for row in income_rows(world, digests[name])]
        assert shown == [one for one in by_money if one in shown] and len(shown) <= 5
        assert set(own[:2]) <= set(shown), name
        # Where rows are few, those that move visibly are kept before others that only are large.
        few = {row["region"] for row in income_rows(world, digests[name], 4)}
        assert few <= set(visible) or len(visible) < 4, name
    closed = [row["region"] for row in income_rows(world, digests["khorgos-closed"], 4)]
    assert {"KAZ", "UZB", "KGZ"} <= set(closed)


def test_a_study_is_a_line_for_each_scenario(
    world: World, digests: dict[str, Digest], capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [digests[name] for name in QUICK]
    show_compact(study_lines(cases, Names(world)), WIDTH)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= WIDTH for line in lines) and len(lines) == len(QUICK) + 4
    for case, line in zip(cases, lines[2:], strict=False):
        least = min(case.result["real_income"], key=lambda row: row["percent"])
        assert line.startswith(case.id) and line.endswith(f"{least['percent']:+.2f}")
    # A long name of a region leaves no room to say what the scenarios are.
    row = next(row for row in cases[0].result["real_income"] if row["region"] == "ARE")
    far = replace(cases[0], result={**cases[0].result, "real_income": [{**row, "percent": -9.0}]})
    show_compact(study_lines([far], Names(world)), WIDTH)
    assert "UAE -9.00" in capsys.readouterr().out


# -- pairs of cities -----------------------------------------------------------------------------------


def case_of(solved: Study, name: str) -> Results:
    return next(one for one in solved.cases if one.id == name)


def test_served_pairs_have_the_best_route_of_each_mode(world: World, solved: Study) -> None:
    rows = served_rows(case_of(solved, "cku-railway"))
    assert len({(row["from"], row["to"]) for row in rows}) == 3
    row = next(row for row in rows if row["mode"] == "container train")
    routes = lb.route(world, row["from"], row["to"], row["sector"], k=100_000, product="block")
    rail = [
        one
        for one in routes
        if one.mode_class == "rail" and not any(leg.mode == "road" and leg.distance_km for leg in one.legs)
    ]
    best = min(rail, key=lambda one: one.cost_usd + one.time_value_usd + one.reliability_usd)
    assert row["base_time_h"] == pytest.approx(best.time_h, rel=1e-6)
    assert row["base_cost_usd"] == pytest.approx(best.cost_usd, rel=1e-6)
    for one in rows:
        assert 0.0 <= one["share"] <= 1.0 and max(one["share"], one["base_share"]) >= 0.01


def test_pairs_named_in_the_scenario_are_shown(solved: Study) -> None:
    case = case_of(solved, "khorgos-closed")
    assert case.scenario is not None
    named = replace(case.scenario, pairs=(("Xi'an", "Tashkent"), ("Алматы", "MOW")))
    rows = served_rows(replace(case, scenario=named))
    assert list(dict.fromkeys((row["from"], row["to"]) for row in rows)) == [
        ("XIAN", "TASH"),
        ("ALMATY", "MOW"),
    ]
    assert served_rows(solved.base) == []


def test_a_scenario_may_name_its_pairs(world: World) -> None:
    text = 'name = "x"\npairs = [["Xi\'an", "Tashkent"]]\n[[modification]]\nverb = "close_gateway"\n'
    scenario = Scenario.from_toml(text + 'gateway = "suez"\n', "x")
    assert scenario.pairs == (("Xi'an", "Tashkent"),)
    assert Scenario.from_toml(scenario.to_toml(), "x") == scenario
    apply(world, scenario)
    assert json_schema()["properties"]["pairs"]["items"]["minItems"] == 2
    for pairs, part in (
        ([["Xi'an", "Tashkentt"]], "no place"),
        ([["Khorgos", "Khorgos"]], "freight of its own"),
        ([["Almaty", "ALMATY"]], "both ends"),
    ):
        wrong = Scenario.from_dict({"name": "x", "pairs": pairs, "modification": [HALF]}, "x")
        with pytest.raises(ScenarioError, match=part):
            apply(world, wrong)
    for shape in ("Xi'an", [["Xi'an"]], [["Xi'an", 3]], ["Xi'an", "Tashkent"]):
        with pytest.raises(ScenarioError, match="list of pairs"):
            Scenario.from_dict({"name": "x", "pairs": shape, "modification": [HALF]}, "x")


# -- what is changed, and what it leans on -------------------------------------------------------------


def test_what_is_changed_is_found_with_its_traffic(solved: Study) -> None:
    row = changed_rows(case_of(solved, "cku-railway"))[0]
    assert row["id"] == "torugart-rail" and row["base_teu"] == 0.0 < row["teu"] and row["per_day"] > 0.0
    shut = {row["id"]: row for row in changed_rows(case_of(solved, "khorgos-closed"))}
    assert set(shut) == {"khorgos-altynkol", "khorgos-nur-zholy"}
    assert all(row["teu"] == row["per_day"] == 0.0 < row["base_per_day"] for row in shut.values())
    assert changed_rows(case_of(solved, "subsidy-end")) == [] == changed_rows(solved.base)


def test_assumptions_come_with_their_ranges(world: World, solved: Study) -> None:
    rows = {row["id"]: row for row in assumption_rows(case_of(solved, "subsidy-end"))}
    known = world.network["parameters"].by("parameter")
    for name in ("subsidy_block_usd", "phi", "phi_b"):
        assert (rows[name]["low"], rows[name]["high"]) == tuple(
            float(str(known[name][end])) for end in ("low", "high")
        )
    built = assumption_rows(case_of(solved, "cku-railway"))
    assert {row["id"] for row in built if row["kind"] == "speed"} == {"R275", "R276"}
    assert any(row["kind"] == "crossing" and row["id"] == "torugart-rail" for row in built)


def test_the_range_of_corridor_choice_is_shown_where_it_was_solved(
    world: World, digests: dict[str, Digest]
) -> None:
    case = digests["khorgos-closed"]
    ends = {"percent_phi_b_low": -0.256, "percent_phi_b_high": -0.244}
    groups = [{**row, **ends} for row in case.result["groups"]]
    solved = replace(case, result={**case.result, "groups": groups})
    sections = first_screen(world, digests["base"], solved, Names(world))
    assert any("-0.256 to -0.244 %" in text for one in sections for text in one.before)


# -- commands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--tables", "--base", "--detail"])
def test_tables_are_printed_alone(call: Call, option: str) -> None:
    code, out, err = call("run", "cku-railway", option, "--json")
    assert code == 2 and out == "" and option in err


def test_routes_are_a_line_each(call: Call) -> None:
    code, out, _ = call("route", "Yiwu", "Tashkent")
    lines = out.splitlines()
    assert code == 0 and all(len(line) <= WIDTH for line in lines)
    assert "rail via Khorgos" in out and "truck via" in out and "gauge_change" not in out
    _, plain, _ = call("route", "Yiwu", "Tashkent", "--json", "-k", "100000")
    whole = json.loads(plain)["result"]
    every = whole["routes"]
    assert sum(one["share"] for one in every) == pytest.approx(1.0, abs=1e-9)
    at = next(n for n, line in enumerate(lines) if line.startswith("no "))
    shares = []
    for line in lines[at + 1 : at + 6]:
        days, _, usd, _, share, lifts = line.split()[-6:]
        shares.append(float(share))
        # Each line is one of the routes of --json, rounded, or several that have its figures.
        alike = [
            one
            for one in every
            if float(usd.replace(",", "")) == pytest.approx(one["cost_usd"], abs=0.501)
            and float(days) == pytest.approx(one["time_h"] / 24.0, abs=0.0501)
            and int(lifts) == one["transfers"]
        ]
        assert alike and shares[-1] == pytest.approx(100.0 * sum(r["share"] for r in alike), abs=0.0501), line
    # What is listed and what is not make up the whole; a family hardly used stands by its share alone.
    assert shares == sorted(shares, reverse=True)
    assert shares[0] >= 100.0 * max(one["share"] for one in every) - 0.051
    left = float(re.search(r"Routes not listed carry (\S+) %", out)[1])  # type: ignore[index]
    assert sum(shares) + left == pytest.approx(100.0, abs=0.3)
    leaders = {one["family"]: one for one in reversed(every)}
    assert min(shares) >= 0.5 or len(leaders) > 5
    assert f"({100.0 * whole['product_share']:.0f} % of the freight)." in out


@pytest.mark.parametrize(("by", "key"), [("time", "time_h"), ("cost", "cost_usd"), ("co2e", "co2e_kg")])
def test_routes_are_sorted_by_what_is_asked(call: Call, by: str, key: str) -> None:
    code, out, _ = call("route", "Yiwu", "Tashkent", "--by", by, "--json")
    values = [one[key] for one in json.loads(out)["result"]["routes"]]
    assert code == 0 and values == sorted(values)
    # The least of all routes, not of the largest.
    code, out, _ = call("route", "Yiwu", "Tashkent", "--by", by, "-k", "1", "--json")
    least = json.loads(out)["result"]["routes"]
    code, out, _ = call("route", "Yiwu", "Tashkent", "-k", "1000", "--json")
    every = [one[key] for one in json.loads(out)["result"]["routes"]]
    assert len(least) == 1 and len(every) > 10 and least[0][key] == min(every)


def test_a_place_that_a_scenario_adds_is_shown_by_its_identifier(world: World) -> None:
    assert Names(world, "en").ends({"from": "X901", "to": "XIAN"}) == "X901 - Xi'an"


@pytest.mark.slow
def test_the_command_prints_the_screen(call: Call) -> None:
    code, out, _ = call("run", "cku-railway")
    assert code == 0
    check_screen(out.splitlines(), "cku-railway")


@pytest.mark.slow
def test_every_other_scenario_fits_on_one_screen(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    base, *cases = _all(world)
    found = {one.id: one for one in (base, *cases)}
    for case in cases:
        check_screen(printed(world, {**found, "base": case.base or base}, case.id, capsys), case.id)


def _all(world: World) -> list[Digest]:
    from landbridge.model.run import iterate

    digests: list[Digest] = []
    first: Results | None = None
    for one in iterate(world, [name for name in bundled() if name not in QUICK]):
        first = first or one
        digests.append(Digest.of(one, first, detail=False))
    return digests

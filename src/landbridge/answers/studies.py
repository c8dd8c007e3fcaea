"""Every study as one call, such as `lb.disrupt(world)`, each returning an Answer.

An Answer holds tables, a status, a manifest and a document for every study; the command line only writes it.
Studies of scenarios (`lb.run`, `lb.study`) return Results instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from landbridge.answers.protocol import Answer, Lazy, answered
from landbridge.errors import DataError, Fault, Status
from landbridge.io.tables import attribution
from landbridge.phrases import named
from landbridge.scenario import Scenario, apply, load_scenario
from landbridge.world import World

if TYPE_CHECKING:
    import pandas as pd

    from landbridge.answers.ranking import Ranking
    from landbridge.results import Results
    from landbridge.transport.legs import Routes

__all__ = [
    "assign",
    "calibrate",
    "claims",
    "disrupt",
    "farm",
    "gas",
    "gravity",
    "routed",
    "sensitivity",
    "travel",
    "treaties",
    "validate",
]

Tell = Callable[[str], None]
Progress = Callable[[str, float], None]
_NOTHING_SOLVED = Status(True, 0.0, 0, "nothing to solve")


# -- the model and observations ------------------------------------------------------------------------


def validate(world: World) -> Answer:
    """Compare every observed corridor, rate, count and mode share with the model.

    world: from `lb.load`. Tables: cases, counts. Raises as `landbridge.run` does; what is compared, and how,
    in `landbridge.studies.validate`.
    """
    from landbridge.report.checks import validation_sections
    from landbridge.studies.validate import validate as study

    found = study(world)
    result = found.to_json()
    tables = {name: rows for name, rows in result.items() if _is_table(rows)}
    return answered(
        world,
        "data validate",
        result,
        tables,
        found.status,
        lambda _, lang="en": validation_sections(world, found, lang),
        found=found,
    )


def calibrate(world: World, *, folds: bool = False, anew: bool = True) -> Answer:
    """Refit gateway constants and family shares to the counts of 2023, and list predicted counts.

    world: from `lb.load`; folds: also fit without each pair or gateway in turn, which takes minutes; anew:
    start from the stated shares, not from the numbers of the World. `found.drift` is the largest difference
    between both.
    Tables: numbers, counts. Raises DataError and ConvergenceError as the fit does; details and equations in
    `landbridge.studies.calibrate.calibrate`.
    """
    from landbridge.report.checks import calibration_sections
    from landbridge.studies.calibrate import calibrate as study
    from landbridge.trade import solve

    found = study(world, folds=folds, anew=anew)
    cleared = solve(world.trade).status.rebase
    message = "least squares converged; residual: its gradient"
    status = Status(True, found.gradient, found.evaluations, message, cleared)
    result = found.to_json()
    tables = {name: rows for name, rows in result.items() if _is_table(rows)}
    return answered(
        world,
        "calibrate",
        result,
        tables,
        status,
        lambda _: calibration_sections(found),
        options={"folds": folds, "anew": anew},
        found=found,
        forms={".csv": found.to_csv},
    )


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def routed(world: World, routes: Routes, options: Mapping[str, Any], lang: str = "en") -> Answer:
    """Routes between two places from `lb.route`, with a document and files.

    world: the base of the routes; routes: the pair; options: for the manifest; lang: of names in the document
    (en, ru, zh).
    Tables: routes, legs. A .csv file has a row per leg, a .geojson file a line. Each route has the name that
    a screen shows. Raises as `landbridge.scenario.apply` where the routes are those of a scenario.
    """
    from landbridge.report import Names
    from landbridge.report.route_ways import route_names
    from landbridge.report.routes import route_rows, route_sections, routes_geojson, with_names

    lines = attribution(world.files)
    after = world if routes.scenario is None else apply(world, routes.scenario)
    named = route_names(after, routes, Names(after, lang, marked=False))
    called = [named[one.path] for one in routes]
    answer = answered(
        world,
        "route",
        with_names(after, routes),
        route_rows(routes, called),
        Status(True, 0.0, 0, "routes are enumerated and costed, nothing is solved"),
        lambda _, lang="en": route_sections(after, routes, lang),
        scenarios=[] if routes.scenario is None else [routes.scenario],
        options=options,
        found=routes,
        forms={
            ".csv": lambda: routes.frame(called).to_csv(index=False),
            ".geojson": lambda: routes_geojson(after, routes, called, lines),
        },
    )
    return replace(answer, lang=lang)


# -- questions of the network --------------------------------------------------------------------------


def disrupt(
    world: World,
    together: Iterable[Sequence[str]] = (),
    *,
    only: Sequence[str] | None = None,
    days: float = 14.0,
    by: str = "CA5",
    exact: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    estimate: Tell | None = None,
) -> Answer:
    """Close every gateway and link with freight, one at a time, and rank the losses.

    world: from `lb.load`; together: gateways or links closed at the same time; only: these instead of all;
    days: length of the closure in the short run [days]; by: region, CA5 or world whose real income ranks the
    losses; exact: of all, how many with the largest estimates are solved, 100 where None, 0 for all, in
    addition to the two largest of every other region and those that leave freight without a route; workers:
    processes; progress, estimate: called with messages. Table: losses. Raises DataError for unknown names,
    ConvergenceError where a solve fails; details in `landbridge.studies.disrupt.disrupt`.
    """
    from landbridge.report.losses import loss_sections, losses_csv
    from landbridge.studies.disrupt import disrupt as study

    sets, asked = [list(names) for names in together], None if only is None else list(only)
    terms: dict[str, Any] = {"only": asked, "days": days, "by": by, "exact": exact}
    found = study(world, sets, workers=workers, progress=progress, estimate=estimate, **terms)
    rows = found.rows()
    return answered(
        world,
        "disrupt",
        rows,
        {"losses": rows},
        found.status,
        lambda most: loss_sections(found, world, len(found.losses) if most is None else most),
        options={"together": sets, **terms},
        found=found,
        forms={".csv": lambda: losses_csv(found)},
    )


def sensitivity(
    study: World | Results,
    of: str = "real_income:CA5",
    to: str = "gateways",
    *,
    exact: int = 10,
    progress: Progress | None = None,
) -> Ranking:
    """Rank the value of one hour, one dollar or one unit of capacity, as a DataFrame.

    study: World or Results; of: outcome, such as real_income:KAZ; to: arcs, gateways, tariffs, productivity,
    parameters or cells; exact: number of the largest that are solved exactly; progress: called with messages.
    The `answer` of the DataFrame holds status, manifest, document and the table closures. Raises DataError
    for an unknown outcome or target, ConvergenceError; details in
    `landbridge.studies.sensitivity.sensitivity`.
    """
    from landbridge.answers.ranking import Ranking
    from landbridge.report.sensitivity import sensitivity_sections
    from landbridge.report.writers import content_of
    from landbridge.studies.sensitivity import Worth
    from landbridge.studies.sensitivity import sensitivity as ranked

    found = ranked(study, of, to, exact=exact, progress=progress)
    rows, scenario = found.rows(), found.result.scenario
    ranking = answered(
        (found.result.base or found.result).world,
        "sensitivity",
        rows,
        {"sensitivity": rows},
        found.status,
        lambda most: sensitivity_sections(found, len(rows) if most is None else most),
        scenarios=[] if scenario is None else [scenario],
        options={"of": of, "to": to, "exact": exact},
        found=found,
    )
    # Files of one table hold the ranking.
    answer = replace(
        ranking,
        rows={**ranking.rows, "closures": found.closures},
        forms={end: partial(content_of, ranking, end) for end in (".csv", ".parquet", ".dta")},
    )
    return Ranking.of(answer, list(Worth.__dataclass_fields__))


def gas(
    world: World,
    lose: Sequence[str] = (),
    *,
    months: str = "1-12",
    profile: Literal["flat", "seasonal"] = "flat",
    draws: int | None = None,
    seed: int = 1,
    scenario: Scenario | str | Path | None = None,
    checks: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Gas not delivered when pipelines are lost, countries that go short, and income lost by sellers.

    world: from `lb.load`; lose: pipelines by id or alias ("line-C"); months: of the loss, as 1-12, 11-2 or
    1+2+12; profile: of the main figure, flat or seasonal; draws: also this many years of random outages, with
    this seed; scenario: applied first; checks: also observed flows, two past winters, the EU N-1 index;
    progress: called with messages. Volumes are bcm of the operator.
    Tables: by_country, contracts, lines, income, and n_minus_1 where no line is lost.
    Raises DataError with every fault of the arguments; ScenarioError, ConvergenceError, InfeasibleError.
    Method: docs/channels/gas.md, equations in `landbridge.channels.gas_model`.
    """
    from landbridge.channels.gas import require_deliverable, solve_year
    from landbridge.report.gas import deliveries_csv, gas_sections
    from landbridge.studies import gas as study

    changes = [] if scenario is None else [load_scenario(scenario, world)]
    after = world
    for change in changes:
        after = apply(world, change)
    lost, chosen = _gas_asked(after, lose, months)
    require_deliverable(after)
    years = {name: solve_year(after, lost, name, months=chosen) for name in ("flat", "seasonal")}
    base = {name: solve_year(after, (), name) for name in ("flat", "seasonal")}
    other = "seasonal" if profile == "flat" else "flat"
    main = years[profile]
    ranked = study.n_minus_one(after, profile) if not lost else []
    # A gas year has seasons and stores, so draws use the seasonal profile in any case.
    drawn = (
        None
        if draws is None
        else study.draws(after, draws, "seasonal", lose=lost, months=chosen, seed=seed, progress=progress)
    )
    span = study.ranges(after, lost, chosen)
    sellers, of_income = study.income(after, base[profile], main)
    solved = [year.status for year in (*years.values(), *base.values())]
    status = Status.worst([*solved, *([drawn.status] if drawn else []), of_income])
    result: dict[str, Any] = {
        "unserved_bcm": main.unserved_bcm,
        "volume_basis": "operator",
        "profile": profile,
        f"unserved_{other}_bcm": years[other].unserved_bcm,
        "unserved_seasonal_range_bcm": list(span["seasonal"]),
        "unserved_flat_range_bcm": list(span["volume"]),
        "base_unserved_bcm": base[profile].unserved_bcm,
        "home_unserved_bcm": main.home_unserved_bcm,
        "lost": list(lost),
        "months": list(chosen),
        "by_country": main.by_country,
        "contracts": main.contracts,
        "lines": main.lines,
        "binding": main.binding,
        "balance_bcm": main.balance,
        "income": sellers,
        other: years[other].to_json(),
    }
    if ranked:
        result["n_minus_1"] = ranked
    if drawn is not None:
        result["draws"] = drawn.to_json()
    if checks:
        result["beside_observed"] = study.beside_observed(after, profile)
        result["backcasts"] = [{**vars(b), "error": b.error} for b in study.backcasts(after)]
        result["eu_n_minus_1"] = study.eu_n_minus_1(after)
    return answered(
        world,
        "gas",
        result,
        {name: result[name] for name in ("by_country", "contracts", "lines", "income")}
        | ({"n_minus_1": ranked} if ranked else {}),
        status,
        lambda _: gas_sections(after, result, years, base, profile),
        scenarios=changes,
        options={
            "lose": list(lost),
            "months": months,
            "profile": profile,
            "draws": draws,
            "seed": seed,
            "checks": checks,
        },
        found=years,
        forms={".csv": lambda: deliveries_csv(years)},
    )


def _gas_asked(world: World, lose: Sequence[str], months: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The lines lost and the months of the loss. Raises DataError with all faults of both."""
    from landbridge.channels.gas import find_lines
    from landbridge.world.table import parse_months

    faults: list[Fault] = []
    lost: tuple[str, ...] = ()
    chosen: tuple[int, ...] = ()
    try:
        lost = find_lines(world, [name for text in lose for name in text.split(",")])
    except DataError as error:
        faults += error.faults
    try:
        chosen = parse_months(months)
    except ValueError:
        faults.append(Fault("--months", f"is {months!r}", "write 1-12, 11-2 or 1+2+12"))
    if faults:
        raise DataError("the options are not valid", faults)
    return lost, chosen


# -- the other channels --------------------------------------------------------------------------------


def farm(
    world: World,
    *,
    regions: Sequence[str] | None = None,
    crops: Sequence[str] | None = None,
    adoption: float | None = None,
    effect_percent: float | None = None,
) -> Answer:
    """Effects of farm technology: output, food prices, farm trade and real income, with ranges.

    world: from `lb.load`; regions, crops: only these; adoption: one share of the area [0-1]; effect_percent:
    one gain of yield [%]. Table: farms. Raises as `landbridge.studies.farm.farm`.
    """
    from landbridge.report.channels import farm_sections
    from landbridge.report.writers import rows_csv
    from landbridge.studies.farm import farm as study

    found = study(world, regions=regions, crops=crops, adoption=adoption, effect_percent=effect_percent)
    options = {"region": regions, "crop": crops, "adoption": adoption, "effect": effect_percent}
    return answered(
        world,
        "farm",
        found.to_json(),
        {"farms": found.rows},
        found.status,
        lambda _: farm_sections(world, found),
        options=options,
        found=found,
        forms={".csv": lambda: rows_csv(found.rows)},
    )


def travel(
    world: World,
    scenario: Scenario | str | Path = "visa-waivers",
    *,
    waive: Sequence[str] = (),
    estimate: bool = False,
) -> Answer:
    """Effects of visas and connections on arrivals and receipts, and evidence on past waivers.

    world: from `lb.load`; scenario: bundled name, path of a TOML file or Scenario; waive: mutual waivers as
    "CHN:KGZ", instead of the scenario; estimate: also fit the gravity of arrivals. Tables: arrivals, income,
    events. Returns an Answer. Raises DataError where tables are missing, ScenarioError for an invalid
    scenario, ConvergenceError where the economy has no solution, LandbridgeError where the estimation extra
    is needed and missing.
    Method and equations: docs/channels/travel.md.
    """
    from landbridge.report.channels import travel_sections
    from landbridge.report.writers import rows_csv
    from landbridge.studies.travel import estimate_gravity, waiver
    from landbridge.studies.travel import travel as study

    chosen = waiver(waive) if waive else load_scenario(scenario, world)
    found = study(world, chosen)
    result = found.to_json()
    if estimate:
        fit = estimate_gravity(world)
        coefficients, errors = fit.coef(), fit.se()
        result["gravity"] = {
            name: {"coefficient": float(coefficients[name]), "standard_error": float(errors[name])}
            for name in coefficients.index
        }
    arrivals = found.rows or found.base
    return answered(
        world,
        "travel",
        result,
        {"arrivals": arrivals, "income": found.income, "events": found.events},
        found.status,
        lambda _: travel_sections(
            world, named("scenario", chosen.id, chosen.name.rstrip(".")), found, result
        ),
        scenarios=[chosen],
        options={"estimate": estimate},
        found=found,
        forms={".csv": lambda: rows_csv(arrivals)},
    )


def treaties(world: World, *, years: Sequence[int] = range(2000, 2025)) -> Answer:
    """Treaties of China and the Central Asian countries, with the dates from which they are in force.

    world: from `lb.load`; years: of the gravity dummies in a .csv file. Tables: coverage, registry. Raises
    DataError where tables are missing.
    """
    from landbridge.channels.treaties import coverage, dummy_rows
    from landbridge.report.channels import treaty_sections
    from landbridge.report.writers import rows_csv

    group = [region for region in world.group("CA5") if region in world.trade.regions]
    table = coverage(world, group)
    (registry,) = world.channel("treaties")
    result = {"coverage": table, "registry": [dict(row) for row in registry]}
    return answered(
        world,
        "treaties",
        result,
        result,
        _NOTHING_SOLVED,
        lambda _: treaty_sections(world, group, table),
        options={"years": [int(year) for year in years]},
        forms={".csv": lambda: rows_csv(list(dummy_rows(world, years)))},
    )


def claims(
    world: World, *, estimates: bool = False, both: bool = False, progress: Progress | None = None
) -> Answer:
    """An article's claims with verdict, evidence, source and model.

    world: from `lb.load`; estimates: published estimates and the model's figures instead; both: claims and
    estimates; progress: called with messages. Table: claims or estimates. Raises as
    `landbridge.studies.claims.verdicts.check` and `landbridge.run` do. Rules of the verdicts:
    docs/channels/claims.md.
    """
    from landbridge.report.channels import claim_sections
    from landbridge.report.writers import rows_csv
    from landbridge.studies.claims.verdicts import check

    found = check(world, claims=both or not estimates, estimates=both or estimates, progress=progress)
    rows = found.estimate_rows if estimates else found.rows
    tables = {"claims": found.rows, "estimates": found.estimate_rows}
    return answered(
        world,
        "claims",
        rows,
        {name: held for name, held in tables.items() if held},
        found.status,
        lambda _: claim_sections(found),
        scenarios=found.scenarios,
        options={"estimates": estimates, "both": both},
        found=found,
        forms={".csv": lambda: rows_csv(rows)},
    )


# -- tools for data of one's own -----------------------------------------------------------------------


def gravity(
    formula: str,
    data: pd.DataFrame | Path | str,
    *,
    where: str | None = None,
    cluster: str | None = None,
    method: Literal["ppml", "ols"] = "ppml",
    also: Sequence[str] = (),
    exporter: str | None = None,
    importer: str | None = None,
    bias: bool = False,
    tell: Tell | None = None,
) -> Answer:
    """Structural gravity by PPML from a table of flows, with what was dropped, separated and built.

    formula: `trade ~ rta | exporter^year + importer^year + pair`; data: a DataFrame or the path of a .csv,
    .parquet, .xlsx or .dta file; where: rows to keep; cluster: columns of the clusters; method: ppml or ols;
    also: further formulas; exporter, importer: columns of the two sides; bias: also correct the first for the
    bias of three-way PPML; tell: called with each formula before it is estimated. Tables: coefficients, and
    bias_correction if asked for; `found.estimates` predict. Raises as `landbridge.estimation.estimate`, which
    has details and sources.
    """
    from landbridge.report.gravity import gravity_forms, gravity_sections
    from landbridge.studies.gravity import Asked
    from landbridge.studies.gravity import gravity as study

    asked = Asked((formula, *also), where, cluster, method, exporter, importer, bias)
    found = study(data, asked, tell)
    return answered(
        None,
        "gravity",
        found.to_json(),
        found.rows(),
        found.status,
        lambda _: gravity_sections(found),
        options={
            "formula": formula,
            "also": list(also),
            "data": found.source,
            "where": where,
            "cluster": cluster,
            "method": method,
            "exporter": exporter,
            "importer": importer,
            "bias": bias,
        },
        found=found,
        forms=gravity_forms(found),
        libraries=("pandas", "pyfixest"),
    )


def assign(
    net: Path | str,
    trips: Path | str,
    *,
    model: Literal["ue", "weibit"] = "ue",
    gap: float = 1e-8,
    phi: float = 8.0,
    turns: Path | str | None = None,
    use: str | None = None,
    toll_weight: float | None = None,
    distance_weight: float | None = None,
    select_link: Sequence[str] = (),
    rounds: int = 1000,
    tell: Callable[[Sequence[str]], None] | None = None,
) -> Answer:
    """Trips assigned to a congested network, TNTP or GMNS, until no traveller gains by another path.

    net: a TNTP file or the folder of a GMNS network; trips: a TNTP file, or a CSV for GMNS; model: ue (user
    equilibrium) or weibit (stochastic); gap: relative gap at which to stop, a fraction; phi: weibit,
    sharpness of shares by cost; turns: a CSV of penalties; use (GMNS): only links open to it; toll_weight,
    distance_weight (TNTP): cost per unit of toll and of length; select_link: links to list the pairs of, by
    name in the file; rounds: at most; tell: called with the notes on the files before the solve.
    Tables: links, pairs, and selected_links if there are any. The status states if the gap was not reached.
    Raises as `landbridge.transport.assign` and the readers there, which have details and sources.
    """
    from landbridge.report.assign import assigned_sections
    from landbridge.report.writers import rows_csv
    from landbridge.studies.assign import Asked, compiler
    from landbridge.studies.assign import assign as study

    asked = Asked(
        Path(net),
        Path(trips),
        model,
        gap,
        phi,
        None if turns is None else Path(turns),
        use,
        toll_weight,
        distance_weight,
        select_link,
        rounds,
    )
    found = study(asked, tell)
    return answered(
        None,
        "assign",
        found.to_json,
        Lazy(found.rows()),
        found.status,
        lambda most: assigned_sections(found, most),
        options=asked.options(),
        found=found,
        forms={".csv": lambda: rows_csv(found.links)},
        libraries=compiler(),
    )

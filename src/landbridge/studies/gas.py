"""Studies of the gas network: importance of lines, cost of outages, reproduction of past winters.

N-1 index after Regulation (EU) 2017/1938, Annex II, point 2, for the day of the highest use:

    (EP + P + S + LNG - I) / Dmax x 100 %

EP: technical capacity of the entries; P: most output; S: most from storage; LNG: none here; I: capacity of
the largest single piece; Dmax: use of the area on the coldest day in twenty years; all in mcm a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.channels.gas import (
    BASE_YEAR,
    DAYS,
    GasModel,
    GasYear,
    Profile,
    between,
    find_lines,
    solve_year,
)
from landbridge.errors import DataError, Fault, Status
from landbridge.io.economy import read_rents
from landbridge.model.deliveries import hold
from landbridge.phrases import named, say
from landbridge.trade import solve
from landbridge.trade.economy import Closure
from landbridge.world import World

__all__ = [
    "Backcast",
    "Draws",
    "backcasts",
    "beside_observed",
    "draws",
    "eu_n_minus_1",
    "income",
    "n_minus_one",
    "ranges",
]

FloatArray = NDArray[np.float64]
Rows = list[dict[str, Any]]
_MCM_PER_BCM = 1000.0
# Closures whose income is printed, and the endings of their columns.
_CLOSURES: dict[Closure, str] = {"fixed": "", "proportional": "_proportional"}


def n_minus_one(world: World, profile: Profile = "flat", *, year: int = BASE_YEAR) -> Rows:
    """Every working line lost for a year, one at a time: gas missed beyond the base [bcm], largest first.

    added = missed without the line - missed in the base

    world: with the gas tables; profile, year, errors raised: as in `solve_year`.
    """
    model = GasModel(world, profile, year=year)
    base = model.solve()
    rows = []
    for line in model.network.lines:
        found = model.solve(model.without([line.id]))
        rows.append(
            {
                "line": line.id,
                "name": named("text", line.name),
                "capacity_bcm": line.capacity_bcm_operator,
                "unserved_bcm": found.unserved_bcm,
                "added_bcm": found.unserved_bcm - base.unserved_bcm,
                "home_unserved_bcm": found.home_unserved_bcm,
            }
        )
    return sorted(rows, key=lambda r: (-r["added_bcm"], r["line"]))


def ranges(
    world: World, lose: Iterable[str] = (), months: Iterable[int] = range(1, 13)
) -> dict[str, tuple[float, float]]:
    """Gas missed [bcm] over the range of an assumption: the seasons (seasonal profile), the volumes (flat).

    seasonal: both seasons weak or both strong. volume: operator's volume over that at 40 MJ per m3. world,
    lose, months, errors raised: as in `solve_year`. Returns the lowest and highest by name.
    """
    lost, at = tuple(lose), tuple(months)
    (table,) = world.channel("gas_parameters")
    out = {}
    cases: tuple[tuple[str, Profile, tuple[str, ...]], ...] = (
        ("seasonal", "seasonal", ("seasonal_home", "seasonal_delivery")),
        ("volume", "flat", ("operator_per_standard",)),
    )
    for name, profile, moved in cases:
        ends = []
        for end in ("low", "high"):
            rows = ({**r, "value": r[end]} if r["parameter"] in moved else r for r in table)
            other = world.with_channels(gas_parameters=table.with_rows(rows))
            ends.append(solve_year(other, lost, profile, months=at).unserved_bcm)
        out[name] = min(ends), max(ends)
    return out


def income(world: World, before: GasYear, after: GasYear) -> tuple[Rows, Status]:
    """Real income lost by sellers with gas not delivered, next to two sums of arithmetic.

    world: with the gas tables; before, after: solved years, without and with the loss.

    lost_sales_musd: trade of the base that goes with the gas. counted_sales_musd: the same part of the gas
    recorded by customs, if it was. lost_rents_musd: the part of it that pays for deposits, b r. percent,
    percent_proportional: real income with deposits left idle, deficits fixed in money or in proportion to
    income; _low and _high: at the two ends of the rent shares. Labour and capital of the fields move to other
    work, so the loss is nearer the rents than the sales; with deficits fixed in money imports fall by as much
    as exports, and the terms of trade with them. No cost of transport changes.

    Returns the rows and the status. Equations: `landbridge.channels.gas`. Raises ConvergenceError or
    InfeasibleError where the economy has no solution, DataError where rents.csv cannot be read.
    """
    shares = read_rents(world.economy_files, world.trade)
    tables = [replace(world.trade, rent_share=shares[:, :, c]) for c in range(3)]
    pipes = between(world, world.trade, before, after)
    if not pipes.pairs:
        return [], Status(True, 0.0, 0, "no trade changes")
    found: dict[tuple[str, int], FloatArray] = {}
    statuses = []
    for closure in _CLOSURES:
        for end, table in enumerate(tables):
            start = solve(table, deficits=closure)
            no_cost = np.ones_like(table.trade)
            held = hold(pipes, start.table(), no_cost, deficits=closure, start=start)
            found[closure, end] = 100.0 * (held.equilibrium.real_income_hat - 1.0)
            statuses.append(held.status)
    table = world.trade
    lost = np.zeros(table.output.shape)
    for (o, d, s), kept in zip(pipes.pairs, pipes.kept, strict=True):
        lost[o, s] += float(table.trade[o, d, s]) * (1.0 - kept)
    counted = np.zeros(len(table.regions))
    for (o, _, _), row in zip(pipes.pairs, pipes.rows, strict=True):
        gas = row["counted_musd"]
        gone = 1.0 - row["after_bcm"] / row["before_bcm"]
        counted[o] += gone * (row["gas_share"] * row["trade_musd"] if gas is None else float(gas))
    rents = (lost * table.rent_share * table.value_added_share).sum(axis=1)
    rows: Rows = []
    for n in np.flatnonzero(lost.any(axis=1)):
        sales, paid = float(lost[n].sum()), float(table.income[n])
        row = {"region": table.regions[n], "income_musd": paid}
        row |= {"lost_sales_musd": sales, "counted_sales_musd": float(counted[n])}
        row |= {"lost_rents_musd": float(rents[n])}
        row |= {"lost_sales_percent": 100.0 * sales / paid, "lost_rents_percent": 100.0 * rents[n] / paid}
        for closure, suffix in _CLOSURES.items():
            for end, name in enumerate(("", "_low", "_high")):
                row[f"percent{suffix}{name}"] = float(found[closure, end][n])
        rows.append(row)
    return sorted(rows, key=lambda r: -abs(r["lost_sales_musd"])), Status.worst(statuses)


def eu_n_minus_1(world: World, *, year: int = BASE_YEAR) -> Rows:
    """The N-1 index of each country with a balance, and of the Chinese entry at Khorgos.

    technical: entries at design capacity, less the largest line or store; contracted: entries at the volume
    under contract on a peak day, all of which counts as one piece (or the largest store, if that is more).
    None for China: use there is the volume due at Khorgos, so its contracts would be compared with
    themselves. Below 100 the area could not be served on its peak day without its largest piece.

    world: with the gas tables; year: whose deliveries. Volumes are in mcm a day, indices in percent. Equation
    and source: head of `landbridge.studies.gas`. Raises DataError as
    `landbridge.channels.gas_network.read_network`.
    """
    model = GasModel(world, "seasonal", year=year)
    network = model.network
    peak = network.parameters["peak_day"]
    coldest = float((network.home_index / DAYS).max()) * peak / 12.0 * _MCM_PER_BCM
    rows = []
    for country in (*network.countries, "CHN"):
        entries = []
        for n, (a, b, _) in enumerate(network.arcs):
            if network.country_of[b] == country and network.country_of[a] != country:
                entries += [
                    (line.id, line.capacity_bcm_operator / 365.0 * _MCM_PER_BCM)
                    for line in network.lines
                    if n in line.arcs
                ]
        bought = [
            c
            for c, one in enumerate(network.contracts)
            if one.importer == country and (country != "CHN" or one.place[1] == "CN_KHORGOS")
        ]
        contracted = float((model.due[bought] / DAYS).sum(axis=0).max(initial=0.0)) * _MCM_PER_BCM
        if country == "CHN":
            # The area is what Khorgos hands over: its use is the volume due there, and it has no other
            # supply.
            entries = [(name, size) for name, size in entries if name.startswith("CAC_")]
            use, output, store = contracted, 0.0, 0.0
            area = say(
                "gas.entry",
                country=named("region", country, "China"),
                place=named("short", "KHO_CN", "Khorgos"),
            )
        else:
            use = network.home[country] * coldest
            output = network.output[country] * network.parameters["production_swing"] / 365.0 * _MCM_PER_BCM
            store = sum(s.withdrawal_mcm_per_day for s in network.stores if s.country == country)
            area = named("region", country)
        pieces = [
            *entries,
            *((s.id, s.withdrawal_mcm_per_day) for s in network.stores if s.country == country),
        ]
        largest = max(pieces, key=lambda piece: piece[1], default=(say("gas.nothing"), 0.0))
        technical = sum(size for _, size in entries)
        paid = min(contracted, technical)
        pieces_paid = [(s.id, s.withdrawal_mcm_per_day) for s in network.stores if s.country == country]
        lost = max([paid, *(size for _, size in pieces_paid)])
        rows.append(
            {
                "area": area,
                "entry_mcm_per_day": technical,
                "contracted_entry_mcm_per_day": paid,
                "output_mcm_per_day": output,
                "storage_mcm_per_day": store,
                "largest": largest[0],
                "largest_mcm_per_day": largest[1],
                "peak_use_mcm_per_day": use,
                "technical_percent": 100.0 * (technical + output + store - largest[1]) / use if use else None,
                "contracted_percent": None
                if country == "CHN" or not use
                else 100.0 * (paid + output + store - lost) / use,
            }
        )
    return rows


def beside_observed(world: World, profile: Profile = "flat", *, year: int = BASE_YEAR) -> Rows:
    """Exports of a year by country, model and published [bcm at 40 MJ per m3].

    Deliveries are an input of the model, so this shows only whether lines and balances can carry them. world,
    profile, year, errors raised: as in `solve_year`. difference: model / published - 1.
    """
    model = GasModel(world, profile, year=year)
    found = model.solve()
    ratio = model.network.parameters["operator_per_standard"]
    (flows,) = world.channel("gas_flows")
    rows = []
    for row in flows:
        if row["flow_year"] != year or row["bcm_standard"] is None:
            continue
        exporter, importer = str(row["exporter"]), str(row["importer"])
        mine = [
            r for r in found.contracts if r["exporter"] == exporter and importer in (r["importer"], "all")
        ]
        if not mine:
            continue
        ours = sum(r["delivered_bcm"] for r in mine) / ratio
        observed = float(row["bcm_standard"])
        rows.append(
            {
                "exporter": exporter,
                "importer": importer,
                "observed_bcm_standard": observed,
                "ours_bcm_standard": ours,
                "difference": ours / observed - 1.0 if observed else None,
            }
        )
    return rows


# -- outages drawn ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Draws:
    """Gas years with outages drawn from the dated ones.

    profile, seed: of the draws. missed_bcm [draw]: deliveries missed, bcm a year; missed_by_contract_bcm
    [draw, contract]; home_unserved_bcm [draw]: domestic use unserved, bcm a year. contracts: ids, in the
    order of the second axis. lines_lost [draw]: number of lines. status: of the worst draw.
    """

    profile: Profile
    seed: int
    missed_bcm: FloatArray
    missed_by_contract_bcm: FloatArray
    home_unserved_bcm: FloatArray
    contracts: tuple[str, ...]
    lines_lost: NDArray[np.int64]
    status: Status

    def to_json(self) -> dict[str, Any]:
        """The distribution as plain values."""
        quantiles = {f"p{q:02d}": float(np.percentile(self.missed_bcm, q)) for q in (5, 50, 90, 95, 99)}
        return {
            "profile": self.profile,
            "draws": len(self.missed_bcm),
            "seed": self.seed,
            "mean_bcm": float(self.missed_bcm.mean()),
            "standard_error_bcm": float(self.missed_bcm.std() / np.sqrt(len(self.missed_bcm))),
            **{f"{name}_bcm": value for name, value in quantiles.items()},
            "most_bcm": float(self.missed_bcm.max()),
            "share_of_years_with_a_line_lost": float((self.lines_lost > 0).mean()),
            "home_unserved_mean_bcm": float(self.home_unserved_bcm.mean()),
            "by_contract": [
                {"contract": name, "mean_bcm": float(v.mean()), "p95_bcm": float(np.percentile(v, 95))}
                for name, v in zip(self.contracts, self.missed_by_contract_bcm.T, strict=True)
            ],
        }


def draws(
    world: World,
    n: int = 1000,
    profile: Profile = "seasonal",
    *,
    lose: tuple[str, ...] = (),
    months: tuple[int, ...] = tuple(range(1, 13)),
    seed: int = 1,
    year: int = BASE_YEAR,
    progress: Callable[[str, float], None] | None = None,
) -> Draws:
    """Gas years with random outages of deliveries and of lines.

    world: with the gas tables; n: number of draws; profile, lose, months, year: as in `solve_year`; seed: of
    the draws; progress: called with text and share. Each delivery fails at the rate of its dated outages over
    the years they cover, in the month and with the size and length of one of them (an unknown length is drawn
    uniformly from its range); each working line is lost at line_outages_per_year for line_outage_days. Gas
    held back by an outage stays missed: no other seller replaces it. Draw i depends only on seed and i.
    Returns Draws.
    Raises DataError for n below 1, and as `solve_year` does.
    """
    if n < 1:
        raise DataError("no draws", [Fault("draws", f"is {n}", "give at least 1")])
    model = GasModel(world, profile, year=year)
    outages = _Outages(world, model)
    missed, home = np.zeros((n, len(model.network.contracts))), np.zeros(n)
    lines_lost = np.zeros(n, dtype=np.int64)
    whole = model.without(find_lines(world, lose), months)
    quiet: GasYear | None = None
    worst = Status(True, 0.0, 0, "every draw balances")
    for i in range(n):
        random = np.random.default_rng([seed, i])
        held = outages.of_deliveries(random)
        available, lines_lost[i] = outages.of_lines(random, whole)
        if not lines_lost[i] and not held.any():
            found = quiet = quiet or model.solve(whole)
        else:
            found = model.solve(available, held_back=held)
        missed[i], home[i] = found.missed.sum(axis=1), found.home_unserved_bcm
        worst = Status.worst([worst, found.status])
        if progress is not None and i % 50 == 0:
            progress("drawing outages", i / n)
    names = tuple(c.id for c in model.network.contracts)
    return Draws(profile, seed, missed.sum(axis=1), missed, home, names, lines_lost, worst)


class _Outages:
    """Random outages of a year: of deliveries from the dated outages, of lines from their parameters."""

    def __init__(self, world: World, model: GasModel) -> None:
        (events,) = world.channel("gas_outages")
        self.due = model.due
        self.rows = {str(r["parameter"]): r for r in world.channels["gas_parameters"]}
        self.window = float(self.rows["outage_window_years"]["value"] or 1.0)
        self.dated: dict[int, list[dict[str, Any]]] = {}
        for c, contract in enumerate(model.network.contracts):
            dated = [dict(r) for r in events if r["drawn"] and r["contract_id"] == contract.id]
            if dated:
                self.dated[c] = dated

    def of_deliveries(self, random: np.random.Generator) -> FloatArray:
        """Gas held back under each contract [contract, 12], bcm."""
        held = np.zeros_like(self.due)
        for c, dated in self.dated.items():
            for _ in range(random.poisson(len(dated) / self.window)):
                event = dated[random.integers(len(dated))]
                days, size = event["duration_days"], event["size_mcm_per_day"]
                length = float(days) if days is not None else random.uniform(*self._span("outage_days"))
                share = _days_of(int(str(event["start"])[5:7]) - 1, length) / DAYS
                most = self.due[c] * share
                cut = most if size is None else float(size) / _MCM_PER_BCM * share * DAYS
                held[c] += np.minimum(most, cut)
        return held

    def of_lines(self, random: np.random.Generator, whole: FloatArray) -> tuple[FloatArray, int]:
        """Available share of each line [line, 12], and how many were lost."""
        strings = random.poisson(float(self.rows["line_outages_per_year"]["value"] or 0.0), len(whole))
        available = whole.copy()
        for line in np.flatnonzero(strings):
            first, length = int(random.integers(12)), random.uniform(*self._span("line_outage_days"))
            share = _days_of(first, length) / DAYS
            available[line] *= 1.0 - np.minimum(share * strings[line], 1.0)
        return available, int((strings > 0).sum())

    def _span(self, name: str) -> tuple[float, float]:
        return float(self.rows[name]["low"] or 0.0), float(self.rows[name]["high"] or 0.0)


def _days_of(first: int, length: float) -> FloatArray:
    """Days of each month within an outage that starts with a month, continuing into the next year."""
    out = np.zeros(12)
    month = first
    while length > 0.0 and out.sum() < 365.0:
        taken = min(length, DAYS[month])
        out[month] += taken
        length -= taken
        month = (month + 1) % 12
    return np.asarray(np.minimum(out, DAYS))


# -- past winters ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Backcast:
    """One observed figure of a past winter and the model's [mcm/day, operator's volume], with a range.

    case, name, country, measure, note: of its row in gas_backcasts: the event by id and in words, the country
    affected, what was measured. observed, ours: its figure and the model's; low, high: the model's at the
    ends of the range of domestic use above the season.
    """

    case: str
    name: str
    country: str
    measure: str
    observed: float
    ours: float
    low: float
    high: float
    note: str

    @property
    def error(self) -> float:
        """Model over observed, less one."""
        return self.ours / self.observed - 1.0


def backcasts(world: World) -> list[Backcast]:
    """Two past winters, the failure given: flows, shortfall and unserved domestic use, against observed.

    world: with the gas tables and gas_backcasts. Returns one Backcast [mcm a day] a row of the latter.
    Equations: `landbridge.channels.gas_model`. Raises DataError where a table is missing, ConvergenceError as
    `solve_year`.
    """
    (table,) = world.channel("gas_backcasts")
    out = []
    solved: dict[tuple[str, str], tuple[GasYear, GasYear]] = {}
    for row in table:
        figures = []
        for column in ("home_extra_percent", "home_extra_low", "home_extra_high"):
            key = str(row["case_id"]), column
            if key not in solved:
                solved[key] = _winter(world, row, float(row[column] or 0.0))
            figures.append(_measure(*solved[key], row))
        note = str(row["note"] or "")
        ours, ends = figures[0], sorted(figures)
        out.append(
            Backcast(
                str(row["case_id"]),
                str(row["name"]),
                str(row["country"]),
                str(row["measure"]),
                float(row["observed_mcm_per_day"] or 0.0),
                ours,
                ends[0],
                ends[-1],
                note,
            )
        )
    return out


def _winter(world: World, row: Any, extra_percent: float) -> tuple[GasYear, GasYear]:
    """The year as due, and the year with the failure and the month's domestic use above its season."""
    month = int(row["month"]) - 1
    year = int(row["contract_year"])
    plain = GasModel(world, "seasonal", year=year)
    # Cold raises domestic use in the country and its neighbours alike.
    cold = np.ones(12)
    cold[month] += extra_percent / 100.0
    model = GasModel(world, "seasonal", year=year, home_factor=dict.fromkeys(plain.network.countries, cold))
    held = np.zeros_like(model.due)
    c = [one.id for one in model.network.contracts].index(str(row["contract_id"]))
    share = float(row["loss_days"] or 0.0) / DAYS[month]
    due = model.due[c, month] * share
    size = row["loss_mcm_per_day"]
    held[c, month] = due if size is None else min(due, float(size) / _MCM_PER_BCM * share * DAYS[month])
    return plain.solve(), model.solve(held_back=held)


def _measure(before: GasYear, after: GasYear, row: Any) -> float:
    month = int(row["month"]) - 1
    network = after.model.network
    country, measure = str(row["country"]), str(row["measure"])
    per_day = _MCM_PER_BCM / DAYS[month]
    bought = [n for n, c in enumerate(network.contracts) if c.importer == country]
    if measure == "flow before":
        return float(before.delivered[bought, month].sum() * per_day)
    if measure == "flow after":
        return float(after.delivered[bought, month].sum() * per_day)
    if measure == "short of plan":
        return float(after.missed[bought, month].sum() * per_day)
    if measure == "home use short":
        return float(after.home_unserved[network.countries.index(country), month] * per_day)
    one = [n for n, c in enumerate(network.contracts) if c.id == "TKM-CHN"]
    return float(after.delivered[one, month].sum() * per_day)

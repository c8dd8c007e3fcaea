"""A base table of your own: trade of a publisher, technology of an input-output table, known totals.

1. Trade in goods abroad: from a list of flows (BACI, Comtrade) if one is given, else that of the World.
2. Technology (value added, inputs, final demand), domestic sales and trade in services: from an input-output
   table (ICIO, ADB MRIO) for the regions in it, else those of the World.
3. Known totals of trade and GDP are met by scaling.
4. Every market is cleared: see `landbridge.world.balance`. Tariffs, elasticities and rents are the World's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.io.economy import KGZ_TRADE, TJK_CAP, read_economy, variant_folder
from landbridge.io.files import read_lines
from landbridge.world import World
from landbridge.world.balance import LEAST_HOME, Balanced, Total, balance, impose
from landbridge.world.table import number_fault
from landbridge.world.trade_table import TradeTable

if TYPE_CHECKING:
    from landbridge.io.publishers import Concordance, Report

__all__ = ["Built", "Sources", "build", "rebalance"]

FloatArray = NDArray[np.float64]
Rows = list[dict[str, Any]]

_TOTALS = ("what", "exporter", "importer", "sector", "musd")
_GOODS = "goods"


@dataclass(frozen=True)
class Built:
    """A World with a table of its own, and the distance of the table from its sources.

    world: with the new table as its trade. regions: exports, imports and deficit before and after, and
    changes by the balance. totals: those given, with the values in the sources. notes: what was read and what
    was kept. sources: rows for SOURCES.csv. variants: of `rebalance`, the table of every variant by its
    folder; None where all hold the same table.
    """

    world: World
    regions: Rows
    totals: Rows
    notes: tuple[str, ...]
    sources: tuple[dict[str, str], ...] = field(repr=False)
    variants: dict[str, TradeTable] | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The table's distance from its sources as plain values."""
        return {
            "regions": self.regions,
            "totals": self.totals,
            "notes": list(self.notes),
            "imbalance": self.world.trade.imbalance,
        }


def rebalance(world: World) -> Built:
    """The World with every variant of its table cleared; trade abroad, tariffs and GDP of each are kept.

    world: with the files of its variants, of which those that it lacks are left out. Returns a Built.
    Equations: head of `landbridge.world.balance`. Raises DataError and InfeasibleError as `build` does, for
    the first variant that cannot be balanced.
    """
    made = build(world)
    gdp = np.array([float(row["gdp_musd"] or 0.0) for row in world.regions])
    tables: dict[str, TradeTable] = {}
    chosen = variant_folder(world.setting("kgz_trade"), world.setting("tjk_cap"))
    files = world.economy_files
    for kgz, tjk in product(KGZ_TRADE, TJK_CAP):
        name = variant_folder(kgz, tjk)
        if name == chosen:
            tables[name] = made.world.trade
        elif f"{name}/trade.csv" in files:
            tables[name] = balance(read_economy(files, kgz, tjk), gdp, 0.0).table
    cited = "landbridge data rebalance", "landbridge", ""
    rows = tuple(
        {
            **_source(table, *cited),
            "note": "domestic sales, input, final shares changed until markets clear",
        }
        for table in ("trade", "shares", "input_share")
    )
    return replace(made, sources=rows, variants=tables)


@dataclass
class _Told:
    """Notes on what was read, and each file with its publisher and year."""

    notes: list[str] = field(default_factory=list)
    cited: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Sources:
    """The sources of a base table; without files the World's own table is balanced.

    trade: BACI (a name that begins with BACI) or a Comtrade download. io: an ADB MRIO workbook (.xlsx) or a
    year of ICIO. regions: concordance of country codes to regions of the World; products, industries: of
    goods codes and of industries to its sectors. totals: CSV what (trade, gdp), exporter, importer, sector,
    musd; the region of gdp goes under exporter; codes, CA5, EU, EAEU, CIS_FTA and * (all others) name
    regions, goods and * name sectors. year: of the flows, where the file holds several. side: reporting side
    of Comtrade.
    codes: BACI's country codes. trade_vintage, io_vintage: the release, where a reader does not know it.
    """

    trade: Path | None = None
    io: Path | None = None
    regions: Path | None = None
    products: Path | None = None
    industries: Path | None = None
    totals: Path | None = None
    year: int | None = None
    side: Literal["imports", "exports"] = "imports"
    codes: Path | None = None
    trade_vintage: str | None = None
    io_vintage: str | None = None

    def missing(self, sectors: tuple[str, ...]) -> list[Fault]:
        """Faults of concordances that the files need and that are not given; sectors: those of the World."""
        faults = []
        if (self.trade or self.io) and self.regions is None:
            cure = "give a CSV from_code,to_code of country codes to regions of the World"
            faults.append(Fault("--regions", "is needed to read --trade and --io", cure))
        pairs = (self.trade, self.products, "--products"), (self.io, self.industries, "--industries")
        for given, needed, name in pairs:
            if given is not None and needed is None:
                cure = f"give a CSV from_code,to_code to sectors: {', '.join(sectors)}"
                faults.append(Fault(name, f"is needed to read {given.name}", cure))
        return faults


def build(world: World, of: Sources | None = None) -> Built:
    """A World with a balanced trade table made from these files.

    world: gives axes, tariffs, elasticities and rents; of: the sources, None to balance the World's own
    table.
    Returns a Built. Equations: head of `landbridge.world.balance`. Raises DataError with every fault of files
    and codes, InfeasibleError where nothing balances.
    """
    of = of or Sources()
    source = world.trade
    told = _Told()
    gdp = np.array([float(row["gdp_musd"] or 0.0) for row in world.regions])
    faults = of.missing(world.trade.sectors)
    if faults:
        raise DataError("the table cannot be built", faults)
    if of.io is not None:
        source = _technology(world, of.io, of, told)
    if of.trade is not None:
        source = _goods(world, source, of.trade, of, told)
    asked: list[Total] = []
    if of.totals is not None:
        asked, gdp = _totals(world, of.totals, gdp)
    found = np.array(source.trade)
    abroad = ~np.eye(len(source.regions), dtype=bool)
    found[abroad] = impose(np.where(abroad[:, :, None], source.trade, 0.0), asked)[abroad]
    met = replace(source, trade=found)
    balanced = balance(met, gdp, least_home=LEAST_HOME if of != Sources() else 0.0)
    sums = [
        {"name": t.name, "asked_musd": t.musd, "source_musd": float(source.trade[t.cells].sum())}
        for t in asked
    ]
    if of.totals is not None:
        told.cited.append((of.totals.name, "own totals of trade and GDP", str(of.year or "")))
    table = balanced.table
    new = replace(world, trade=table, regions=_regions_of(world, table, gdp, bool(told.cited)))
    sources = tuple(
        _source(table, *one) for table in ("trade", "shares", "input_share") for one in told.cited
    )
    return Built(new, _distance(world.trade, met, balanced), sums, tuple(told.notes), sources)


# -- reading -----------------------------------------------------------------------------------------------


def _map(world: World, path: Path | None, axis: str) -> Concordance:
    """A concordance whose targets are codes of the World."""
    from landbridge.io.publishers import read_concordance

    assert path is not None
    found = read_concordance(path)
    known = world.trade.regions if axis == "region" else world.trade.sectors
    faults = [
        Fault(path.name, f"{to!r} is no {axis} of the World", did_you_mean(to, known) or "use its codes")
        for to in found.targets
        if to not in known
    ]
    if faults:
        raise DataError("a concordance has targets that the World lacks", faults)
    return replace(found, of_several=True)


def _technology(world: World, path: Path, of: Sources, told: _Told) -> TradeTable:
    """The World's table with shares, domestic sales and services of the regions of an input-output table."""
    from landbridge.io.publishers import Report, read_adb_mrio, read_icio

    own, report = world.trade, Report()
    read = read_adb_mrio if path.suffix.lower() == ".xlsx" else read_icio
    by = _map(world, of.regions, "region"), _map(world, of.industries, "sector")
    table = read(path, theta=4.0, regions=by[0], sectors=by[1], vintage=of.io_vintage, report=report)
    absent = [s for s in own.sectors if s not in table.sectors]
    if absent:
        what = f"no industry goes to {', '.join(absent)}"
        raise DataError("the table cannot be built", [Fault(path.name, what, "add rows to --industries")])
    at = [own.regions.index(r) for r in table.regions]
    to = [table.sectors.index(s) for s in own.sectors]
    services = [s for s, row in enumerate(world.sectors) if not row["is_goods"]]
    value, inputs, final = (np.array(a) for a in (own.value_added_share, own.input_share, own.final_share))
    trade = np.array(own.trade)
    flows = table.trade[:, :, to]
    for k, n in enumerate(at):
        value[n], final[n] = table.value_added_share[k, to], table.final_share[k, to]
        inputs[n] = table.input_share[k][np.ix_(to, to)]
        trade[n, n] = flows[k, k]
        for j, d in enumerate(at):
            if d != n:
                trade[n, d, services] = flows[k, j, services]
    kept = [r for r in own.regions if r not in table.regions]
    told.notes += _read(report)
    told.notes.append(
        f"technology of the World kept for {', '.join(kept)}" if kept else "technology read for all"
    )
    told.cited.append((path.name, report.publisher, ", ".join(str(y) for y in report.totals_musd if y)))
    return replace(own, trade=trade, value_added_share=value, input_share=inputs, final_share=final)


def _goods(world: World, source: TradeTable, path: Path, of: Sources, told: _Told) -> TradeTable:
    """The table with goods abroad from a list of flows; a pair that is absent from it does not trade."""
    from landbridge.io.publishers import Report, read_baci, read_comtrade

    report, sectors = Report(), _map(world, of.products, "sector")
    goods = [str(row["sector"]) for row in world.sectors if row["is_goods"]]
    odd = [to for to in sectors.targets if to not in goods]
    if odd:
        what = f"products go to {', '.join(odd)}, which are services"
        raise DataError("the table cannot be built", [Fault(sectors.name, what, f"use {', '.join(goods)}")])
    regions = _map(world, of.regions, "region")
    common: dict[str, Any] = {"years": of.year, "regions": regions, "sectors": sectors, "report": report}
    if path.name.upper().startswith("BACI"):
        frame = read_baci(path, codes=of.codes, vintage=of.trade_vintage, **common)
    else:
        frame = read_comtrade(path, side=of.side, **common)
    years = sorted(set(frame["year"].tolist()))
    if len(years) > 1:
        what = f"holds {', '.join(map(str, years))}"
        raise DataError("the table cannot be built", [Fault(path.name, what, "choose one with --year")])
    covered = [source.sectors.index(s) for s in goods if s in sectors.targets]
    flows = np.zeros_like(source.trade)
    place = {r: n for n, r in enumerate(source.regions)}, {s: n for n, s in enumerate(source.sectors)}
    for o, d, s, musd in frame[["exporter", "importer", "sector", "trade_musd"]].itertuples(index=False):
        flows[place[0][str(o)], place[0][str(d)], place[1][str(s)]] = float(musd)
    silent = [r for n, r in enumerate(source.regions) if not (flows[n].any() or flows[:, n].any())]
    if silent:
        what = f"has no trade of {', '.join(silent)}"
        cure = "map their countries in --regions, or give a file that reports them"
        raise DataError("the table cannot be built", [Fault(path.name, what, cure)])
    trade = np.array(source.trade)
    abroad = ~np.eye(len(place[0]), dtype=bool)
    for s in covered:
        trade[:, :, s] = np.where(abroad, flows[:, :, s], trade[:, :, s])
    told.notes += _read(report)
    left = [s for s in goods if s not in sectors.targets]
    if left:
        told.notes.append(f"no product goes to {', '.join(left)}: trade of the World kept there")
    told.cited.append((path.name, f"{report.publisher} {report.vintage}".strip(), ", ".join(map(str, years))))
    return replace(source, trade=trade)


def _read(report: Report) -> list[str]:
    """Notes of a reader on its file."""
    name = f"{report.publisher} {report.vintage}".strip()
    out = [f"{name}: {report.rows_read:,} rows read, {report.rows_kept:,} kept"]
    out += [f"{name}: left out {d.rows:,} rows {d.why}, {d.musd:,.0f} musd" for d in report.dropped]
    return out + [f"{name}: {text}" for text in report.notes]


def _totals(world: World, path: Path, gdp: FloatArray) -> tuple[list[Total], FloatArray]:
    """Known totals of trade, and GDP [million USD] with known values replaced."""
    (header, lines), faults = read_lines(path, path.name)
    missing = [column for column in _TOTALS if column not in header]
    if missing:
        cure = f"name the columns {', '.join(_TOTALS)}; others are not read"
        raise DataError("no totals", [Fault(f"{path.name} line 1", f"lacks {', '.join(missing)}", cure)])
    totals: list[Total] = []
    new, seen = np.array(gdp), dict[tuple[str, ...], int]()
    for line, cells in lines:
        row = {column: cells[header.index(column)].strip() for column in _TOTALS}
        place = f"{path.name} line {line}"
        found = _row_faults(row, line, place, seen)
        if row["what"] == "gdp":
            at = _gdp_of(world, row, place, found)
            if not found:
                new[at] = float(row["musd"])
        elif row["what"] == "trade":
            mask = _traded(world, row, place, found)
            if not found:
                name = f"{place}: {row['exporter']} to {row['importer']}, {row['sector']}"
                totals.append(Total(name, mask, float(row["musd"])))
        else:
            found.append(Fault(f"{place}, what", f"is {row['what']!r}", "write trade or gdp"))
        faults += found
    if faults:
        raise DataError("the totals cannot be read", faults)
    return totals, new


def _row_faults(
    row: Mapping[str, str], line: int, place: str, seen: dict[tuple[str, ...], int]
) -> list[Fault]:
    """Faults of one row: no number, columns that GDP does not use, a repeat of an earlier line."""
    fault = number_fault(row["musd"], f"{place}, musd", "musd")
    if fault is None and float(row["musd"]) < 0.0:
        fault = Fault(f"{place}, musd", f"is {row['musd']}", "give a sum of at least 0")
    found = [] if fault is None else [fault]
    key = tuple(row[column] for column in _TOTALS[:-1])
    if row["what"] == "gdp":
        key = key[:2]
        if row["importer"] or row["sector"]:
            what = "gdp has an importer or a sector"
            found.append(Fault(place, what, "leave both blank: the region is the exporter"))
    if key in seen:
        found.append(Fault(place, f"repeats line {seen[key]}", "keep one"))
    seen[key] = line
    return found


def _gdp_of(world: World, row: Mapping[str, str], place: str, faults: list[Fault]) -> list[int]:
    """The region of a row of GDP."""
    at = _places(world, row["exporter"], place, "exporter", faults)
    if len(at) > 1:
        faults.append(Fault(f"{place}, exporter", "is a group", "give GDP of one region a row"))
    return at


def _traded(world: World, row: Mapping[str, str], place: str, faults: list[Fault]) -> NDArray[np.bool_]:
    """The cells of the trade table that a row sums, without domestic sales."""
    sides = [_places(world, row[end], place, end, faults) for end in ("exporter", "importer")]
    sectors = _sectors(world, row["sector"], place, faults)
    mask = np.zeros(world.trade.trade.shape, dtype=bool)
    mask[np.ix_(*sides, sectors)] = True
    home = np.arange(len(mask))
    mask[home, home] = False
    return mask


def _places(world: World, text: str, place: str, column: str, faults: list[Fault]) -> list[int]:
    codes = world.trade.regions
    if text == "*":
        return list(range(len(codes)))
    if text in world.region_groups:
        return [codes.index(code) for code in world.region_groups[text]]
    if text in codes:
        return [codes.index(text)]
    known = (*codes, *world.region_groups, "*")
    faults.append(
        Fault(
            f"{place}, {column}",
            f"no region {text!r}",
            did_you_mean(text, known) or "use a code of the World",
        )
    )
    return []


def _sectors(world: World, text: str, place: str, faults: list[Fault]) -> list[int]:
    codes = world.trade.sectors
    if text in ("*", _GOODS):
        return [n for n, row in enumerate(world.sectors) if text == "*" or row["is_goods"]]
    if text in codes:
        return [codes.index(text)]
    known = (*codes, _GOODS, "*")
    faults.append(Fault(f"{place}, sector", f"no sector {text!r}", did_you_mean(text, known) or "use a code"))
    return []


# -- what is reported -------------------------------------------------------------------------------------


def _regions_of(world: World, table: TradeTable, gdp: FloatArray, changed: bool) -> Any:
    """The table of regions with GDP, trade and tariffs of the new table."""
    home = np.einsum("nns->n", table.trade)
    out = []
    for n, row in enumerate(world.regions):
        cells = {
            "gdp_musd": float(gdp[n]),
            "exports_musd": round(float(table.trade[n].sum() - home[n]), 3),
            "imports_musd": round(float(table.trade[:, n].sum() - home[n]), 3),
            "deficit_pct": round(100.0 * float(table.deficits[n]) / float(gdp[n]), 3),
            "tariff_revenue_musd": round(float(table.tariff_revenue[n]), 3),
        }
        out.append({**row, **{k: v for k, v in cells.items() if changed and k in row}})
    return world.regions.with_rows(out)


def _source(table: str, file: str, publisher: str, year: str) -> dict[str, str]:
    return {
        "table": table,
        "source": f"{publisher}: {file}",
        "year": year,
        "licence": "terms of the publisher, not checked here",
        "attribution": publisher,
        "note": "added by data build and balanced; all six variants hold the same table",
    }


def _distance(old: TradeTable, met: TradeTable, new: Balanced) -> Rows:
    """By region: exports and imports before and after, and changes by the balance."""

    def sides(table: TradeTable) -> tuple[FloatArray, FloatArray]:
        home = np.einsum("nns->n", table.trade)
        return table.trade.sum(axis=(1, 2)) - home, table.trade.sum(axis=(0, 2)) - home

    before, after = sides(old), sides(new.table)
    gdp = new.table.gdp
    return [
        {
            "region": region,
            "exports_musd": float(after[0][n]),
            "exports_before_musd": float(before[0][n]),
            "imports_musd": float(after[1][n]),
            "imports_before_musd": float(before[1][n]),
            "deficit_percent_of_gdp": 100.0 * float(new.table.deficits[n] / gdp[n]),
            "domestic_sales_factor": float(new.home_factor[n]),
            "input_shares_moved": float(new.moved_inputs[n]),
            "final_shares_moved": float(new.moved_final[n]),
            "sectors_raised": [s for k, s in enumerate(met.sectors) if new.raised[n, k]],
        }
        for n, region in enumerate(met.regions)
    ]

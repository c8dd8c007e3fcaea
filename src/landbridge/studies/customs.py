"""Trade of Central Asia compared with customs: both sides' figures and the steps to the base table."""

from __future__ import annotations

from typing import Any

from landbridge.errors import DataError, Fault
from landbridge.io.files import read_lines
from landbridge.world import World
from landbridge.world.table import number_fault

__all__ = [
    "LEAST_SHARE",
    "STEPS",
    "beside_customs",
    "by_country",
    "china_beside_base",
    "of_china",
    "of_the_five",
]

Rows = list[dict[str, Any]]

# Steps of economy/trade_steps.csv that add up to the base table, in their order.
STEPS = ("baci", "gaps_filled", "transit_cut", "transit_booked", "reexports")
_SIDES = ("exporter_reports", "importer_reports")
# Partners below this share of a country's own figures are shown together.
LEAST_SHARE = 0.02


def beside_customs(world: World) -> Rows:
    """A row for each pair of trade_steps.csv [million USD of 2023]; none where the World lacks the table.

    world: with economy/trade_steps.csv.
    exporter_reports_musd, importer_reports_musd: None where no figure is available. to_baci_musd: BACI less
    the importer's figure, which is freight, insurance and differences of the exporter's figure; zero where
    BACI lacks the pair. baci_musd, gaps_filled_musd, transit_cut_musd, transit_booked_musd, reexports_musd:
    the steps.
    base_musd: goods in this World's table. other_musd: the difference of the base from the sum of steps, zero
    in the default variant.
    Raises DataError with every fault of the table.
    """
    found = _steps(world)
    goods = [k for k, row in enumerate(world.sectors) if row["is_goods"]]
    rows: Rows = []
    for (exporter, importer), steps in found.items():
        o, d = world.trade.regions.index(exporter), world.trade.regions.index(importer)
        base = float(world.trade.trade[o, d, goods].sum())
        row: dict[str, Any] = {"exporter": exporter, "importer": importer}
        row |= {f"{side}_musd": steps.get(side) for side in _SIDES}
        counted, baci = steps.get("importer_reports"), steps.get("baci", 0.0)
        row["to_baci_musd"] = None if counted is None else baci - counted if baci > 0.0 else 0.0
        row |= {f"{step}_musd": steps.get(step, 0.0) for step in STEPS}
        row |= {"base_musd": base, "other_musd": base - sum(steps.get(step, 0.0) for step in STEPS)}
        rows.append(row)
    return rows


def _steps(world: World) -> dict[tuple[str, str], dict[str, float]]:
    """trade_steps.csv by pair and step [million USD], empty where the World lacks it."""
    name = "economy/trade_steps.csv"
    if name not in world.files:
        return {}
    (header, lines), faults = read_lines(world.files[name], name)
    wanted = ("exporter", "importer", "step", "musd")
    missing = [column for column in wanted if column not in header]
    if missing:
        what, cure = f"lacks {', '.join(missing)}", "restore the header"
        raise DataError("the steps cannot be read", [Fault("economy/trade_steps.csv line 1", what, cure)])
    at = [header.index(column) for column in wanted]
    found: dict[tuple[str, str], dict[str, float]] = {}
    for line, cells in lines:
        exporter, importer, step, musd = (cells[k].strip() for k in at)
        fault = number_fault(musd, f"economy/trade_steps.csv line {line}, musd", "musd")
        place = f"economy/trade_steps.csv line {line}"
        if fault is None and not {exporter, importer} <= set(world.trade.regions):
            fault = Fault(place, f"{exporter} to {importer} is no pair of the World", "delete the row")
        known = (*_SIDES, *STEPS, "base")
        if fault is None and step not in known:
            fault = Fault(place, f"no step {step!r}", "use " + ", ".join(known))
        steps = found.setdefault((exporter, importer), {})
        if fault is None and step in steps:
            fault = Fault(place, f"a second row for {exporter}, {importer}, {step}", "keep one")
        if fault is not None:
            faults.append(fault)
            continue
        steps[step] = float(musd)
    if faults:
        raise DataError("the steps cannot be read", faults)
    return found


def of_china(rows: Rows) -> Rows:
    """The rows of China with each country of Central Asia.

    rows: of `beside_customs`.
    """
    return [row for row in rows if "CHN" in (row["exporter"], row["importer"])]


def of_the_five(rows: Rows) -> dict[str, Any]:
    """Sums over all pairs of Central Asia with China; a sum is None where one side does not report a pair.

    rows: of `beside_customs`. Returns one such row, with china_reports_musd: trade both ways as China reports
    it [million USD].
    """
    total = _sum(of_china(rows), "all", "all")
    china = [counted for counted, _ in china_beside_base(rows).values()]
    total["china_reports_musd"] = None if None in china else float(sum(c for c in china if c is not None))
    return total


def china_beside_base(rows: Rows) -> dict[str, tuple[float | None, float]]:
    """By country: trade both ways in China's customs and in the base [million USD].

    rows: of `beside_customs`. The first is None where China does not report a pair.
    """
    out: dict[str, tuple[float | None, float]] = {}
    of = of_china(rows)
    for country in dict.fromkeys(row["importer"] for row in of if row["exporter"] == "CHN"):
        pairs = [row for row in of if country in (row["exporter"], row["importer"])]
        counted = [
            row["exporter_reports_musd" if row["exporter"] == "CHN" else "importer_reports_musd"]
            for row in pairs
        ]
        base = float(sum(row["base_musd"] for row in pairs))
        out[country] = None if None in counted else float(sum(counted)), base
    return out


def by_country(rows: Rows) -> Rows:
    """Imports by partner of each country that reports them, China included: large partners, others, all.

    rows: of `beside_customs`. Columns as there; exporter "others" and "all" are sums over pairs whose
    importer's figure is known. Partners are single countries, so that groups of many are in no sum.
    """
    out: Rows = []
    for importer in dict.fromkeys(row["importer"] for row in rows):
        known = [r for r in rows if r["importer"] == importer and r["importer_reports_musd"] is not None]
        if importer == "CHN" or not known:
            continue
        known.sort(key=lambda row: -row["importer_reports_musd"])
        whole = _sum(known, "all", importer)
        least = LEAST_SHARE * whole["importer_reports_musd"]
        small = [row for row in known if row["importer_reports_musd"] < least]
        out += known[: len(known) - len(small)]
        out += [_sum(small, "others", importer)] if small else []
        out += [whole] if len(known) > 1 else []
    return out


def _sum(rows: Rows, exporter: str, importer: str) -> dict[str, Any]:
    total: dict[str, Any] = {"exporter": exporter, "importer": importer}
    for name in [key for key in rows[0] if key.endswith("_musd")]:
        cells = [row[name] for row in rows]
        total[name] = None if None in cells else float(sum(cells))
    return total

"""Report on lost pipelines: gas not delivered, by month, and the importance of each line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from landbridge.channels.gas import BASE_YEAR, GasYear
from landbridge.phrases import named, say
from landbridge.report.document import Section, phrased, signed
from landbridge.world import World

__all__ = ["deliveries_csv", "gas_sections"]

# Below this share of the sales recorded by customs, sales are reported as too small.
_NEAR_COUNTED = 0.8
_SHOWN_BCM = 0.005  # half of the last digit shown


def gas_sections(
    world: World,
    result: dict[str, Any],
    years: dict[Any, GasYear],
    base: dict[Any, GasYear],
    profile: str,
) -> Iterator[Section]:
    """Gas not delivered, countries that go short, losses of sellers, and the lines.

    world: the base; result: as `--json` prints it; years, base: solved years with and without the loss, by
    profile; profile: of the main figure.
    """
    main = years[profile]
    parameters = main.model.network.parameters
    ratio = parameters["operator_per_standard"]
    yield phrased("gas.missed", before=list(_words(result, years, base)), ratio=ratio)
    if main.unserved_bcm > _SHOWN_BCM or main.home_unserved_bcm > _SHOWN_BCM:
        yield from _short(main, profile)
    if result["income"]:
        yield _income(result["income"], profile, world.base_year)
    yield phrased(
        "gas.lines",
        [
            (
                row["line"],
                row["name"],
                f"{row['capacity_bcm']:.2f}",
                f"{row['flow_bcm']:.2f}",
                say("gas.lost_line") if row["use"] is None else f"{100 * row['use']:.0f} %",
                f"{row['dual_musd_per_bcm']:,.0f}",
            )
            for row in main.lines
        ],
        profile=named("profile", profile),
        price=parameters["missed_musd_per_bcm"],
    )
    if "n_minus_1" in result:
        yield phrased(
            "gas.each",
            [
                (r["line"], r["name"], f"{r['unserved_bcm']:.2f}", f"{r['home_unserved_bcm']:.2f}")
                for r in result["n_minus_1"]
            ],
            profile=named("profile", profile),
        )
    if "draws" in result:
        yield _drawn(world, result["draws"])
    if "backcasts" in result:
        yield from _checked(world, result)


def _country(code: str) -> str:
    """A country by its code, in other languages by its name; all of them together."""
    return say("gas.all") if code == "all" else named("region", code)


def _short(main: GasYear, profile: str) -> Iterator[Section]:
    """Countries and contracts that miss gas."""
    yield phrased(
        "gas.short",
        [
            (
                _country(row["country"]),
                f"{row['due_bcm']:.2f}",
                f"{row['missed_bcm']:.2f}",
                f"{row['unsold_bcm']:.2f}",
                f"{row['home_unserved_bcm']:.2f}",
                " ".join(f"{v:.2f}" for v in row["missed_by_month_bcm"]),
            )
            for row in main.by_country
            if max(row["missed_bcm"], row["unsold_bcm"], row["home_unserved_bcm"]) > _SHOWN_BCM
        ],
        profile=named("profile", profile),
    )
    yield phrased(
        "gas.contracts",
        [
            (
                say("gas.contract", exporter=_country(row["exporter"]), importer=_country(row["importer"])),
                f"{row['due_bcm']:.2f}",
                f"{row['delivered_bcm']:.2f}",
                f"{row['missed_bcm']:.2f}",
            )
            for row in main.contracts
            if row["missed_bcm"] > _SHOWN_BCM
        ],
    )


def _income(rows: list[dict[str, Any]], profile: str, year: int) -> Section:
    def change(row: dict[str, Any], name: str) -> tuple[str, str]:
        ends = sorted(row[f"{name}_{end}"] for end in ("low", "high"))
        return signed(row[name], 2), say("range", low=signed(ends[0], 2), high=signed(ends[1], 2))

    return phrased(
        "gas.income",
        [
            (
                _country(row["region"]),
                f"{row['lost_sales_musd']:,.0f}",
                f"{row['lost_rents_musd']:,.0f}",
                signed(-row["lost_sales_percent"], 2),
                signed(-row["lost_rents_percent"], 2),
                *change(row, "percent"),
                *change(row, "percent_proportional"),
            )
            for row in rows
        ],
        after=[
            say("gas.counted", region=_country(row["region"]), musd=row["counted_sales_musd"])
            for row in rows
            if row["lost_sales_musd"] < _NEAR_COUNTED * row["counted_sales_musd"]
        ],
        profile=named("profile", profile),
        year=year,
    )


def _words(result: dict[str, Any], years: dict[Any, GasYear], base: dict[Any, GasYear]) -> Iterator[str]:
    flat, seasonal = years["flat"].unserved_bcm, years["seasonal"].unserved_bcm
    due = float(years["flat"].model.due.sum())
    lost = result["lost"]
    if lost:
        (low, high), (least, most) = (result[f"unserved_{p}_range_bcm"] for p in ("seasonal", "flat"))
        yield say(
            "gas.without",
            lines=tuple(lost),
            when=_when(result["months"]),
            flat=flat,
            due=due,
            seasonal=seasonal,
            low=low,
            high=high,
            least=least,
            most=most,
        )
    else:
        yield say("gas.whole", flat=flat, due=due, seasonal=seasonal)
    before = base["seasonal"].unserved_bcm
    if lost and before > _SHOWN_BCM:
        yield say("gas.before", missed=before)
    for name, year in years.items():
        if year.home_unserved_bcm > _SHOWN_BCM:
            short = tuple(
                say("gas.home.of", country=_country(r["country"]), bcm=r["home_unserved_bcm"])
                for r in year.by_country
                if r["home_unserved_bcm"] > _SHOWN_BCM
            )
            yield say("gas.home", profile=named("profile", str(name)), countries=short)
    for text in years[result["profile"]].binding:
        yield say("gas.binds", what=text)


def _when(months: list[int]) -> str:
    if len(months) == 12:
        return say("gas.when.year")
    return say("gas.when.months", months=tuple(map(str, months)), n=len(months))


def _drawn(world: World, drawn: dict[str, Any]) -> Section:
    (outages,) = world.channel("gas_outages")
    years = [int(str(row["start"])[:4]) for row in outages if row["drawn"]]
    keys = ("mean_bcm", "p50_bcm", "p90_bcm", "p95_bcm", "p99_bcm", "most_bcm")
    return phrased(
        "gas.draws",
        [tuple(f"{drawn[k]:.2f}" for k in keys)],
        draws=drawn["draws"],
        profile=named("profile", drawn["profile"]),
        error=2 * drawn["standard_error_bcm"],
        first=min(years, default=BASE_YEAR),
        last=max(years, default=BASE_YEAR),
    )


def _checked(world: World, result: dict[str, Any]) -> Iterator[Section]:
    yield phrased(
        "gas.flows",
        [
            (
                _country(r["exporter"]),
                _country(r["importer"]),
                f"{r['observed_bcm_standard']:.2f}",
                f"{r['ours_bcm_standard']:.2f}",
                "-" if r["difference"] is None else signed(100.0 * r["difference"], 1) + " %",
            )
            for r in result["beside_observed"]
        ],
        year=BASE_YEAR,
    )
    (cases,) = world.channel("gas_backcasts")
    after = []
    for name in dict.fromkeys(str(row["case_id"]) for row in cases if row["home_extra_high"]):
        row = next(row for row in cases if row["case_id"] == name)
        low, high, days = (float(row[k] or 0.0) for k in ("home_extra_low", "home_extra_high", "loss_days"))
        after.append(say("gas.cold", winter=name, low=low, high=high, days=days))
    yield phrased(
        "gas.winters",
        [
            (
                b["case"],
                _country(b["country"]),
                named("text", b["measure"]),
                f"{b['observed']:.0f}",
                f"{b['ours']:.0f}",
                f"{b['low']:.0f}-{b['high']:.0f}",
                f"{b['error']:+.0%}",
            )
            for b in result["backcasts"]
        ],
        after=after,
        n=len({b["case"] for b in result["backcasts"]}),
    )
    yield phrased(
        "gas.index",
        [
            (
                r["area"],
                r["largest"],
                "-" if r["technical_percent"] is None else f"{r['technical_percent']:.0f}",
                "-" if r["contracted_percent"] is None else f"{r['contracted_percent']:.0f}",
            )
            for r in result["eu_n_minus_1"]
        ],
    )


def deliveries_csv(years: dict[Any, GasYear]) -> str:
    """Deliveries by profile, contract and month in one long table [bcm, operator's volume].

    years: solved, by profile.
    """
    lines = ["profile,contract,exporter,importer,month,due_bcm_operator,missed_bcm_operator"]
    for name, year in years.items():
        for n, row in enumerate(year.contracts):
            for month in range(12):
                cells = (name, row["contract"], row["exporter"], row["importer"], month + 1)
                due, missed = float(year.model.due[n, month]), float(year.missed[n, month])
                lines.append(",".join([*map(str, cells), repr(due), repr(missed)]))
    return "\n".join(lines) + "\n"

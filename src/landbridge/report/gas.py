"""What lost pipelines do: gas not delivered, month by month, and which line matters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from landbridge.channels.gas import GasYear
from landbridge.report.document import Section, signed

__all__ = ["gas_sections"]

# Sales below this part of what customs counted are said to be too small.
_NEAR_COUNTED = 0.8
_SHOWN_BCM = 0.005  # half of the last digit shown
_BASIS = (
    "Volumes are the operator's; 1.11 of them make one bcm at 40 MJ per m3, the volume of the statistical "
    "reviews. Deliveries of the year stand for contracts, none of which is public."
)


def gas_sections(
    result: dict[str, Any], years: dict[Any, GasYear], base: dict[Any, GasYear], profile: str
) -> Iterator[Section]:
    """Gas not delivered, who goes short, what sellers lose, and the lines."""
    main = years[profile]
    yield Section("Gas not delivered", before=tuple(_words(result, years, base)), after=(_BASIS,))
    if main.unserved_bcm > _SHOWN_BCM or main.home_unserved_bcm > _SHOWN_BCM:
        yield Section(
            f"Who goes short, bcm a year, {profile} profile",
            (
                "country",
                "due to it",
                "not received",
                "not sold",
                "own use not served",
                "by month, not received",
            ),
            tuple(
                (
                    row["country"],
                    f"{row['due_bcm']:.2f}",
                    f"{row['missed_bcm']:.2f}",
                    f"{row['unsold_bcm']:.2f}",
                    f"{row['home_unserved_bcm']:.2f}",
                    " ".join(f"{v:.2f}" for v in row["missed_by_month_bcm"]),
                )
                for row in main.by_country
                if max(row["missed_bcm"], row["unsold_bcm"], row["home_unserved_bcm"]) > _SHOWN_BCM
            ),
        )
        yield Section(
            "Under which contract, bcm a year",
            ("contract", "due", "delivered", "missed"),
            tuple(
                (
                    f"{row['exporter']} to {row['importer']}",
                    f"{row['due_bcm']:.2f}",
                    f"{row['delivered_bcm']:.2f}",
                    f"{row['missed_bcm']:.2f}",
                )
                for row in main.contracts
                if row["missed_bcm"] > _SHOWN_BCM
            ),
        )
    if result["income"]:
        yield _income(result["income"], profile)
    yield Section(
        f"Lines, bcm a year, {profile} profile",
        ("line", "name", "capacity", "flow", "of capacity", "1 bcm more is worth, million USD"),
        tuple(
            (
                row["line"],
                row["name"],
                f"{row['capacity_bcm']:.2f}",
                f"{row['flow_bcm']:.2f}",
                "lost" if row["use"] is None else f"{100 * row['use']:.0f} %",
                f"{row['dual_musd_per_bcm']:,.0f}",
            )
            for row in main.lines
        ),
        after=(
            "Strings side by side share a flow by capacity; which string carries what is not published. "
            "Worth: missed gas at the price of the Chinese border; it holds until the shortage is gone.",
        ),
    )
    if "n_minus_1" in result:
        yield Section(
            f"Each line lost for a year, one at a time, bcm, {profile} profile",
            ("line", "name", "not delivered", "own use not served"),
            tuple(
                (r["line"], r["name"], f"{r['unserved_bcm']:.2f}", f"{r['home_unserved_bcm']:.2f}")
                for r in result["n_minus_1"]
            ),
            after=(
                "A country that does not receive sells less on, and both are counted: without Russian gas "
                "Uzbekistan misses what it buys, and China what Uzbekistan would have sold.",
            ),
        )
    if "draws" in result:
        yield _drawn(result["draws"])
    if "backcasts" in result:
        yield from _checked(result)


def _income(rows: list[dict[str, Any]], profile: str) -> Section:
    def change(row: dict[str, Any], name: str) -> tuple[str, str]:
        ends = sorted(row[f"{name}_{end}"] for end in ("low", "high"))
        return signed(row[name], 2), f"{signed(ends[0], 2)} to {signed(ends[1], 2)}"

    return Section(
        f"What the sellers lose, % of income, {profile} profile",
        (
            *("country", "sales lost, M USD", "of them rents", "sales, %", "rents, %"),
            *("real income", "over rent shares", "deficits in proportion", "over rent shares"),
        ),
        tuple(
            (
                row["region"],
                f"{row['lost_sales_musd']:,.0f}",
                f"{row['lost_rents_musd']:,.0f}",
                signed(-row["lost_sales_percent"], 2),
                signed(-row["lost_rents_percent"], 2),
                *change(row, "percent"),
                *change(row, "percent_proportional"),
            )
            for row in rows
        ),
        after=(
            "Sales and rents are arithmetic: trade of 2023 that goes with the gas, and the part of it "
            "that pays for deposits (economy/rents.csv). Real income is the economy's answer: deposits "
            "without a pipe lie idle and the gas finds no other buyer abroad; labour and capital find "
            "other work, so less than the sales is lost. With deficits fixed in money imports fall one "
            "for one with exports, and wages with them; with deficits in proportion to income they do "
            "not.",
            *(
                f"{row['region']}: at the prices that customs counted {row['counted_sales_musd']:,.0f} M "
                "USD would be lost. The base table has less energy trade of the pair than that, so "
                "sales, rents and real income here are too small by about as much."
                for row in rows
                if row["lost_sales_musd"] < _NEAR_COUNTED * row["counted_sales_musd"]
            ),
        ),
    )


def _words(result: dict[str, Any], years: dict[Any, GasYear], base: dict[Any, GasYear]) -> Iterator[str]:
    flat, seasonal = years["flat"], years["seasonal"]
    due = float(flat.model.due.sum())
    lost, months = result["lost"], result["months"]
    if lost:
        when = "for the whole year" if len(months) == 12 else "in months" if len(months) > 1 else "in month"
        if len(months) < 12:
            when += f" {', '.join(map(str, months))}"
        yield (
            f"Without {', '.join(lost)} {when}, {flat.unserved_bcm:.2f} of {due:.1f} bcm a year are not "
            f"delivered if every month is alike and nothing is stored; {seasonal.unserved_bcm:.2f} with "
            f"the season of use and deliveries (an assumption: {_to(result, 'seasonal')} over its range) "
            "and with storage. Over the range of the ratio of the two volumes the first is "
            f"{_to(result, 'flat')}."
        )
    else:
        yield (
            f"With every line whole, {flat.unserved_bcm:.2f} of {due:.1f} bcm a year are not delivered if "
            f"every month is alike; {seasonal.unserved_bcm:.2f} with the season (an assumption) and "
            "storage."
        )
    before = base["seasonal"].unserved_bcm
    if lost and before > _SHOWN_BCM:
        yield f"Without any loss the seasonal figure is {before:.2f}, in the coldest months."
    for name, year in years.items():
        if year.home_unserved_bcm > _SHOWN_BCM:
            short = ", ".join(
                f"{r['country']} {r['home_unserved_bcm']:.2f}"
                for r in year.by_country
                if r["home_unserved_bcm"] > _SHOWN_BCM
            )
            yield f"Use at home not served ({name}), bcm: {short}. Exports are cut before it."
    for text in years[result["profile"]].binding:
        yield f"What binds: {text}."


def _to(result: dict[str, Any], profile: str) -> str:
    low, high = result[f"unserved_{profile}_range_bcm"]
    return f"{low:.2f} to {high:.2f}"


def _drawn(drawn: dict[str, Any]) -> Section:
    return Section(
        f"{drawn['draws']:,} years of outages, bcm not delivered, {drawn['profile']} profile",
        ("mean", "median", "one year in ten", "one in twenty", "one in a hundred", "worst"),
        (
            tuple(
                f"{drawn[k]:.2f}"
                for k in ("mean_bcm", "p50_bcm", "p90_bcm", "p95_bcm", "p99_bcm", "most_bcm")
            ),
        ),
        after=(
            f"The mean is known to {2 * drawn['standard_error_bcm']:.2f} (two standard errors). Outages "
            "come at the rate, size and season of the dated ones of 2017-2023; the loss of a whole "
            "string is an assumption, since none is dated. No other seller takes the place of one that "
            "fails.",
        ),
    )


def _checked(result: dict[str, Any]) -> Iterator[Section]:
    yield Section(
        "Flows of 2023 beside the published ones, bcm at 40 MJ per m3",
        ("exporter", "importer", "published", "ours", "difference"),
        tuple(
            (
                r["exporter"],
                r["importer"],
                f"{r['observed_bcm_standard']:.2f}",
                f"{r['ours_bcm_standard']:.2f}",
                "-" if r["difference"] is None else signed(100.0 * r["difference"], 1) + " %",
            )
            for r in result["beside_observed"]
        ),
        after=("Deliveries are given to the model: this says that lines and balances carry them, no more.",),
    )
    yield Section(
        "Two past winters, million m3 a day; what failed is given",
        ("winter", "country", "measure", "observed", "ours", "range", "error"),
        tuple(
            (
                b["case"],
                b["country"],
                b["measure"],
                f"{b['observed']:.0f}",
                f"{b['ours']:.0f}",
                f"{b['low']:.0f}-{b['high']:.0f}",
                f"{b['error']:+.0%}",
            )
            for b in result["backcasts"]
        ),
        after=(
            "Range: how much the cold raised use at home, an assumption (5-30 percent in January 2023). "
            "Steps are months and the year is foreseen, so a peak of nine days is smoothed.",
        ),
    )
    yield Section(
        "N-1 index of Regulation (EU) 2017/1938, Annex II, percent of the use of a peak day",
        ("area", "largest piece", "entries at design", "entries under contract"),
        tuple(
            (
                r["area"],
                r["largest"],
                "-" if r["technical_percent"] is None else f"{r['technical_percent']:.0f}",
                "-" if r["contracted_percent"] is None else f"{r['contracted_percent']:.0f}",
            )
            for r in result["eu_n_minus_1"]
        ),
        after=(
            "At design: old lines count at figures that nobody has confirmed for today. Peak day: an "
            "assumption. Below 100 the peak day is not covered without the largest piece.",
        ),
    )

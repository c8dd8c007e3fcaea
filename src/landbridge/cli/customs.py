"""Trade of the five beside customs, as sections of the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from landbridge.studies.customs import LEAST_SHARE, STEPS, by_country, of_china, of_the_five

if TYPE_CHECKING:
    from landbridge.report import Section

__all__ = ["customs_section"]

_Cells = Callable[[dict[str, Any]], tuple[str, ...]]


def customs_section(rows: list[dict[str, Any]]) -> Iterator[Section]:
    """Tables of both sides' figures and the steps to the base; nothing where the World has none.

    First China with each of the five, then what other countries of the five count by partner.
    """
    from landbridge.report import Section, signed

    if not rows:
        return

    def bn(value: float | None) -> str:
        return "-" if value is None else f"{value / 1e3:.2f}"

    def step(value: float | None) -> str:
        return "" if value is None or abs(value) < 5.0 else signed(value / 1e3, 2)

    def cells(row: dict[str, Any]) -> tuple[str, ...]:
        return (
            f"{row['exporter']} to {row['importer']}",
            bn(row["exporter_reports_musd"]),
            bn(row["importer_reports_musd"]),
            step(row["to_baci_musd"]),
            bn(row["baci_musd"]),
            *(step(row[f"{name}_musd"]) for name in (*STEPS[1:], "other")),
            bn(row["base_musd"]),
        )

    columns = (
        *("pair", "exporter reports", "importer reports", "freight, insurance, other side", "BACI"),
        *("gaps filled", "transit taken off", "transit booked", "re-exports", "other", "base"),
    )
    if of_china(rows):
        yield _china(rows, columns, cells)
    countries = by_country(rows)
    if countries:
        yield Section(
            "Imports of the five in 2023 by partner, bn USD: from the importer's figure to the base table",
            columns,
            tuple(cells(row) for row in countries),
            after=(
                "Partners that are single countries, where the importer's figure is known; those below "
                f"{LEAST_SHARE:.0%} of its imports are in others. Kazakhstan's are provisional. Freight, "
                "insurance, other side: BACI less the importer's figure, what an exporter counts more "
                "included. Of Turkmenistan no figure is at hand, of Tajikistan one.",
            ),
        )


def _china(rows: list[dict[str, Any]], columns: tuple[str, ...], cells: _Cells) -> Section:
    from landbridge.report import Section

    total = of_the_five(rows)
    customs = total["china_reports_musd"]
    before = (
        ()
        if customs is None
        else (
            f"China's customs counted {customs / 1e3:.1f} bn USD both ways in 2023; the base table has "
            f"{total['base_musd'] / 1e3:.1f}.",
        )
    )
    return Section(
        "Goods trade of China with the five in 2023, bn USD: from customs to the base table",
        columns,
        (*(cells(row) for row in of_china(rows)), cells(total)),
        before=before,
        after=(
            "BACI reconciles both sides free on board: freight and insurance are off the importer's "
            "figure. Transit: exports declared to Kyrgyzstan and Tajikistan that neither country's own "
            "figures have, booked three quarters to Russia, which is no row here, and the rest to "
            "Kazakhstan and Uzbekistan, an assumption. Re-exports: what hubs only pass on. Other: "
            "another variant of the table (kgz_trade, tjk_cap).",
        ),
    )

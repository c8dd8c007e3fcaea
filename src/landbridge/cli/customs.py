"""China's trade with the five beside customs, as a section of the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from landbridge.studies.customs import STEPS, of_the_five

if TYPE_CHECKING:
    from landbridge.report import Section

__all__ = ["customs_section"]


def customs_section(rows: list[dict[str, Any]]) -> Iterator[Section]:
    """The table of both sides' figures and the steps to the base; nothing where the World has none."""
    from landbridge.report import Section, signed

    if not rows:
        return
    total = of_the_five(rows)

    def bn(value: float | None) -> str:
        return "-" if value is None else f"{value / 1e3:.2f}"

    def step(value: float) -> str:
        return "" if abs(value) < 5.0 else signed(value / 1e3, 2)

    def cells(row: dict[str, Any]) -> tuple[str, ...]:
        return (
            f"{row['exporter']} to {row['importer']}",
            bn(row["exporter_reports_musd"]),
            bn(row["importer_reports_musd"]),
            bn(row["baci_musd"]),
            *(step(row[f"{name}_musd"]) for name in (*STEPS[1:], "other")),
            bn(row["base_musd"]),
        )

    customs = total["china_reports_musd"]
    before = (
        ()
        if customs is None
        else (
            f"China's customs counted {customs / 1e3:.1f} bn USD both ways in 2023; the base table has "
            f"{total['base_musd'] / 1e3:.1f}.",
        )
    )
    yield Section(
        "Goods trade of China with the five in 2023, bn USD: from customs to the base table",
        (
            *("pair", "exporter reports", "importer reports", "BACI", "gaps filled", "transit taken off"),
            *("transit booked", "re-exports", "other", "base"),
        ),
        (*(cells(row) for row in rows), cells(total)),
        before=before,
        after=(
            "BACI reconciles both sides free on board: freight and insurance are off the importer's "
            "figure. Transit: exports declared to Kyrgyzstan and Tajikistan that neither country's own "
            "figures have, booked three quarters to Russia, which is no row here, and the rest to "
            "Kazakhstan and Uzbekistan, an assumption. Re-exports: what hubs only pass on. Other: "
            "another variant of the table (kgz_trade, tjk_cap).",
        ),
    )

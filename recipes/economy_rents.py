"""Rents in extraction: the part of value added that pays for deposits and not for labour or capital.

    r_n^s = min(most, rents_n^s [percent of GDP] / 100 x GDP_n / value added_n^s)

ENE has the rents of oil, gas and coal: total rents less those of minerals and forests. MIN has the rents
of minerals. A country without a figure gets a share from assumptions.csv, the same for all such countries.
"""

from __future__ import annotations

from collections.abc import Iterator

from economy_accounts import Accounts
from economy_io import SECTORS, Inputs, Row

COLUMNS = (
    *("region", "sector", "rent_share", "low", "high"),
    *("rents_pct_gdp", "source", "year", "basis", "note"),
)
EXTRACTION = ("ENE", "MIN")
_DIGITS = 3
_CAPPED = "published rents are above what the table's value added can hold; the most allowed is taken"
_UNKNOWN = "no figure at hand: rent_share_unknown of the recipe"


def rents(inputs: Inputs, accounts: Accounts) -> Iterator[list[object]]:
    """A row for each region and sector of extraction, see COLUMNS."""
    most = inputs.assumption["rent_share_most"]
    for sector in EXTRACTION:
        k = SECTORS.index(sector)
        found: dict[str, tuple[float, float, Row]] = {}
        for n, region in enumerate(inputs.regions):
            cited = _published(inputs, region, sector)
            if cited is not None:
                percent, row = cited
                value_added = float(accounts.value_added_share[n, k] * accounts.output[n, k])
                found[region] = percent / 100.0 * float(inputs.gdp[n]) / value_added, percent, row
        usual = inputs.assumption[f"rent_share_unknown_{sector}"]
        for region in inputs.regions:
            if region in found:
                share, percent, row = found[region]
                note = _CAPPED if share > most else ""
                told = [round(percent, 4), row["source"], row["year"], "derived", note]
                yield [region, sector, *_range(inputs, round(min(share, most), _DIGITS)), *told]
            else:
                yield [region, sector, *_range(inputs, usual), "", "landbridge", 2023, "assumption", _UNKNOWN]


def _published(inputs: Inputs, region: str, sector: str) -> tuple[float, Row] | None:
    """Rents of a sector [percent of GDP] with the row that names the source."""
    rows = {row["product"]: row for row in inputs.tables["resource_rents"] if row["region"] == region}
    if sector == "MIN":
        return (float(rows["mineral"]["percent_of_gdp"]), rows["mineral"]) if "mineral" in rows else None
    if "total" not in rows:
        return None
    others = (float(rows[p]["percent_of_gdp"]) for p in ("mineral", "forest") if p in rows)
    left = float(rows["total"]["percent_of_gdp"])
    for other in others:
        left -= other
    return left, rows["total"]


def _range(inputs: Inputs, share: float) -> list[float]:
    """Central value, low and high end of a rent share."""
    a = inputs.assumption
    high = max(share, min(a["rent_share_high"] * share, a["rent_share_highest"]))
    return [share, round(a["rent_share_low"] * share, _DIGITS), round(high, _DIGITS)]

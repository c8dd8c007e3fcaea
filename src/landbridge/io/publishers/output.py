"""Write what was read for other programs: a panel as Parquet, CSV or Excel, a TradeTable as a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from landbridge.errors import DataError, Fault
from landbridge.io.economy import economy_rows
from landbridge.io.files import csv_text, write_bytes, write_text
from landbridge.io.optional import need
from landbridge.io.sheets import Sheet, xlsx_bytes
from landbridge.io.whole import write_whole
from landbridge.world.trade_table import TradeTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PANEL_ENDINGS", "UNITS", "trade_panel", "write_panel", "write_trade_table"]

PANEL_ENDINGS = (".parquet", ".csv", ".xlsx")
UNITS = {"trade_musd": "million USD", "quantity_t": "t", "quantity_known_musd": "million USD"}
EXCEL_ROWS = 1_048_000


def trade_panel(table: TradeTable, year: int) -> pd.DataFrame:
    """The trade of a TradeTable as a frame: year, exporter, importer, sector, trade_musd [million USD].

    table: the table; year: for the column year. Domestic sales are included.
    """
    import pandas as pd

    N, S = len(table.regions), len(table.sectors)
    o, d, s = (axis.reshape(-1) for axis in np.indices((N, N, S)))
    return pd.DataFrame(
        {
            "year": np.full(N * N * S, year, dtype=np.int16),
            "exporter": pd.Categorical.from_codes(o, categories=pd.Index(table.regions)),
            "importer": pd.Categorical.from_codes(d, categories=pd.Index(table.regions)),
            "sector": pd.Categorical.from_codes(s, categories=pd.Index(table.sectors)),
            "trade_musd": table.trade.reshape(-1),
        }
    )


def write_panel(frame: pd.DataFrame, path: Path, about: Mapping[str, str]) -> None:
    """Write a panel whole or not at all; the ending chooses .parquet, .csv or .xlsx.

    frame: the panel; path: the file; about: how it was read, in the metadata of a Parquet file and on the
    README sheet of a workbook. Raises DataError where it cannot be written, or does not fit on a sheet,
    LandbridgeError where pyarrow or XlsxWriter is needed and missing.
    """
    if path.suffix == ".parquet":
        arrow = need("pyarrow", "pyarrow", "parquet", "a .parquet file")
        parquet = need("pyarrow.parquet", "pyarrow", "parquet", "a .parquet file")
        told = arrow.Table.from_pandas(frame, preserve_index=False)
        told = told.replace_schema_metadata({**(told.schema.metadata or {}), **about})
        _beside(path, lambda part: parquet.write_table(told, part, compression="zstd"))
    elif path.suffix == ".csv":
        _beside(path, lambda part: frame.to_csv(part, index=False, lineterminator="\n", encoding="utf-8"))
    elif path.suffix == ".xlsx":
        if len(frame) > EXCEL_ROWS:
            what = f"{len(frame):,} rows do not fit on a sheet ({EXCEL_ROWS:,})"
            raise DataError("too long", [Fault(path.name, what, "write .parquet or .csv, or sum to fewer")])
        columns = tuple(str(column) for column in frame.columns)
        lists = [_plain(frame[column]) for column in frame.columns]
        sheet = Sheet("panel", columns, tuple(UNITS.get(c, "") for c in columns), [*zip(*lists, strict=True)])
        write_bytes(path, xlsx_bytes([*about.items()], [sheet]))
    else:
        ends = ", ".join(PANEL_ENDINGS)
        raise DataError("no such ending", [Fault(path.name, "is not supported", f"choose {ends}")])


def _plain(column: pd.Series) -> list[object]:
    return [None if value != value else value for value in column.tolist()]


def _beside(path: Path, write: Callable[[Path], object]) -> None:
    write_whole(path, write)


def write_trade_table(table: TradeTable, folder: Path, about: Mapping[str, str]) -> list[str]:
    """Write a TradeTable as CSV files that `read_trade_table` reads back. Returns the names of the files.

    table: the table; folder: new or empty; about: how it was read. Raises DataError where the folder is not
    empty or cannot be made.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError("not empty", [Fault(str(folder), "holds something", "name a new folder")])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot be made ({error.strerror})"
        raise DataError("nothing was written", [Fault(str(folder), what, "choose another place")]) from None
    regions, sectors = table.regions, table.sectors
    pairs = [(o, d) for o in range(len(regions)) for d in range(len(regions))]
    cells = [(n, s) for n in range(len(regions)) for s in range(len(sectors))]
    tables = {
        "regions": [["region"], *([r] for r in regions)],
        "sectors": [
            ["sector", "theta"],
            *([sectors[s], repr(float(table.theta[s]))] for s in range(len(sectors))),
        ],
        "tariff": [
            ["exporter", "importer", *sectors],
            *([regions[o], regions[d], *(repr(float(v)) for v in table.tariff[o, d])] for o, d in pairs),
        ],
        **economy_rows(table),
        "about": [["topic", "text"], *([key, text] for key, text in about.items())],
    }
    if table.rent_share.any():
        rent = table.rent_share
        tables["rents"] = [
            ["region", "sector", "rent_share", "low", "high"],
            *([regions[n], sectors[s], *3 * [repr(float(rent[n, s]))]] for n, s in cells if rent[n, s] > 0.0),
        ]
    for name, rows in tables.items():
        write_text(folder / f"{name}.csv", csv_text(rows))
    return [f"{name}.csv" for name in tables]

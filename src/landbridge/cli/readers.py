"""The command `landbridge data read`: a publisher's trade data as a panel or a trade table."""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.cli.terminal import JsonFlag, Output, columns_of_screen, put, show_compact, tell
from landbridge.errors import DataError, Fault, Status, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from landbridge.io.publishers import Report
    from landbridge.report import Section
    from landbridge.world.trade_table import TradeTable

__all__ = ["read_publisher"]

# The publishers, the help line of each, and the options of each.
PUBLISHERS: Mapping[str, tuple[str, frozenset[str]]] = {
    "baci": ("CEPII BACI", frozenset(("years", "regions", "sectors", "codes", "vintage"))),
    "gravity": ("CEPII Gravity", frozenset(("years", "regions", "variables", "vintage"))),
    "wdi": ("World Bank WDI", frozenset(("years", "regions", "indicators", "additive"))),
    "icio": ("OECD ICIO", frozenset(("years", "regions", "sectors", "theta", "vintage"))),
    "adb-mrio": ("ADB MRIO", frozenset(("regions", "sectors", "theta", "sheet", "vintage"))),
    "itpd-e": ("USITC ITPD-E", frozenset(("years", "regions", "sectors", "vintage"))),
    "comtrade": ("UN Comtrade", frozenset(("years", "regions", "sectors", "side", "level"))),
}
_TABLES = ("icio", "adb-mrio")
_WORDS = ("total", "hs2", "hs4", "hs6", "industry", "broad")
_READ = Status(True, 0.0, 0, "files are read and checked, nothing is solved")
SHOWN_ROWS = 5


def read_publisher(
    publisher: Annotated[str, typer.Argument(metavar="PUBLISHER", help=", ".join(PUBLISHERS))],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Its file: .csv, .gz, .zip, .xlsx; a folder.")],
    years: Annotated[str, typer.Option("--years", help="Years to read: 2023, or 2019-2021,2023.")] = "",
    regions: Annotated[
        Path | None,
        typer.Option("--regions", metavar="CSV", help="Concordance from_code,to_code[,weight] of countries."),
    ] = None,
    sectors: Annotated[
        str,
        typer.Option(
            "--sectors",
            metavar="CSV|WORD",
            help="Concordance of products or industries; or total, hs2, hs4, hs6 (baci, comtrade), "
            "industry, broad (itpd-e).",
        ),
    ] = "",
    codes: Annotated[
        Path | None, typer.Option("--codes", metavar="CSV", help="baci: CEPII's country_codes file.")
    ] = None,
    indicator: Annotated[
        list[str] | None, typer.Option("--indicator", help="wdi: a code to read; may be repeated.")
    ] = None,
    additive: Annotated[
        list[str] | None,
        typer.Option("--additive", help="wdi: an indicator that may be summed over countries."),
    ] = None,
    variable: Annotated[
        list[str] | None, typer.Option("--variable", help="gravity: a column to read; may be repeated.")
    ] = None,
    side: Annotated[str, typer.Option("--side", help="comtrade: reporting side, imports or exports.")] = "",
    level: Annotated[
        int | None, typer.Option("--level", help="comtrade: digits of product codes to read (0 = TOTAL).")
    ] = None,
    theta: Annotated[
        str,
        typer.Option(
            "--theta",
            metavar="NUMBER|CSV",
            help="icio, adb-mrio: trade elasticity, or a CSV sector,theta.",
        ),
    ] = "",
    sheet: Annotated[str, typer.Option("--sheet", help="adb-mrio: the sheet that holds the table.")] = "",
    vintage: Annotated[
        str, typer.Option("--vintage", help="The release, where the file does not state a known one.")
    ] = "",
    output: Output = None,
    as_json: JsonFlag = False,
) -> None:
    """Read a publisher's trade data: check it, sum it to your regions and sectors, write a panel.

    baci, itpd-e and comtrade give year, exporter, importer, sector, trade_musd; gravity and wdi give figures
    of pairs and countries; icio and adb-mrio give a trade table (-o FOLDER for all of it).
    """
    begin = time.perf_counter()
    name = _known_publisher(publisher)
    given: dict[str, Any] = {
        "years": _years(years),
        "regions": regions,
        "sectors": (sectors if sectors in _WORDS else Path(sectors)) if sectors else None,
        "codes": codes,
        "indicators": indicator or None,
        "additive": additive or None,
        "variables": variable or None,
        "side": side or None,
        "level": level,
        "theta": _theta(theta),
        "sheet": sheet or None,
        "vintage": vintage or None,
    }
    options = {key: value for key, value in given.items() if value is not None}
    _check_options(name, options)
    _check_output(output, name)

    from landbridge.io.publishers import Report

    report = Report()
    found = _reader(name)(file, report=report, **options)
    about = {"source": report.publisher, "vintage": report.vintage, "files": ", ".join(report.files)}
    about |= {f"note {n}": text for n, text in enumerate(report.notes, start=1)}
    panel = found if name not in _TABLES else _panel(found, report)
    result = {**report.to_json(), "rows": len(panel), "columns": [str(column) for column in panel.columns]}
    if output is not None:
        result["output"] = _write(found, panel, output, about, name)
    if as_json:
        put(_json(result, name, file, options, begin))
        return
    tell("\n".join(_summary(report, panel)))
    if output is None:
        show_compact([_first_rows(panel)], columns_of_screen(), wrap=True)
        more = len(panel) - SHOWN_ROWS
        put(f"{f'... and {more:,} more rows; ' if more > 0 else ''}nothing is written: add -o FILE")


def _first_rows(panel: pd.DataFrame) -> Section:
    """The first rows of a panel as a table."""
    from landbridge.report.document import Section

    shown = panel.head(SHOWN_ROWS)
    cells = ([_cell(cell) for cell in shown[column]] for column in shown.columns)
    return Section("", tuple(map(str, shown.columns)), tuple(zip(*cells, strict=True)))


def _cell(value: object) -> str:
    """A cell with every digit that it has: a year as 2020, also in a column with a gap; a gap is blank."""
    if not isinstance(value, float):
        return "" if value is None else str(value)
    if math.isnan(value):
        return ""
    import numpy as np

    if value.is_integer():
        return f"{value:.0f}"
    # A double keeps 15 digits of a decimal number; what is after them is of its sums.
    return np.format_float_positional(value, precision=15, unique=False, fractional=False, trim="-")


def _known_publisher(text: str) -> str:
    """The name of a publisher in the form of PUBLISHERS."""
    name = text.casefold()
    if name not in PUBLISHERS:
        hint = did_you_mean(name, PUBLISHERS) or f"choose one of {', '.join(PUBLISHERS)}"
        raise typer.BadParameter(f"no publisher {text!r}: {hint}", param_hint="PUBLISHER")
    return name


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    """Reject options that do not apply to a publisher, and a missing one that it needs."""
    odd = [key for key in options if key not in PUBLISHERS[name][1]]
    if odd:
        flag = {"indicators": "indicator", "variables": "variable"}.get(odd[0], odd[0])
        raise typer.BadParameter(f"is not for {name}", param_hint=f"--{flag}")
    if name in _TABLES and "theta" not in options:
        raise typer.BadParameter(
            f"{name} gives a trade table, which needs trade elasticities", param_hint="--theta"
        )
    if options.get("side", "imports") not in ("imports", "exports"):
        raise typer.BadParameter("choose imports or exports", param_hint="--side")


def _reader(name: str) -> Callable[..., Any]:
    from landbridge.io import publishers

    readers: dict[str, Callable[..., Any]] = {
        "baci": publishers.read_baci,
        "gravity": publishers.read_gravity,
        "wdi": publishers.read_wdi,
        "icio": publishers.read_icio,
        "adb-mrio": publishers.read_adb_mrio,
        "itpd-e": publishers.read_itpde,
        "comtrade": publishers.read_comtrade,
    }
    return readers[name]


def _years(text: str) -> list[int] | None:
    """2023, 2019-2021, or both with commas between; None for all."""
    if not text.strip():
        return None
    out: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})\s*(?:-\s*(\d{4}))?\s*", part, re.ASCII)
        if match is None or (match.group(2) and match.group(2) < match.group(1)):
            raise typer.BadParameter(f"{part.strip()!r} is no year: 2023, or 2019-2021", param_hint="--years")
        out += range(int(match.group(1)), int(match.group(2) or match.group(1)) + 1)
    return out


def _theta(text: str) -> float | dict[str, float] | None:
    """A number, or the elasticities of a CSV file with the columns sector and theta."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    from landbridge.io.files import read_lines
    from landbridge.world.table import number_fault

    path = Path(text)
    (header, lines), faults = read_lines(path)
    if not {"sector", "theta"} <= set(header):
        cure = "name the columns sector and theta, or give a number"
        raise DataError("no elasticities", [Fault(f"{path.name} line 1", "lacks sector or theta", cure)])
    at, to = header.index("sector"), header.index("theta")
    out: dict[str, float] = {}
    for line, cells in lines:
        sector, cell = cells[at].strip(), cells[to].strip()
        fault = number_fault(cell, f"{path.name} line {line}, theta", "theta")
        if fault:
            faults.append(fault)
        elif sector in out:
            faults.append(Fault(f"{path.name} line {line}", f"{sector} appears twice", "keep one"))
        else:
            out[sector] = float(cell)
    if faults:
        raise DataError("no elasticities", faults[:10])
    return out


def _check_output(output: Path | None, name: str) -> None:
    """Reject an output that could not be written, before hundreds of megabytes are read."""
    from landbridge.io.publishers.output import PANEL_ENDINGS

    if output is None:
        return
    allowed = (*PANEL_ENDINGS, "") if name in _TABLES else PANEL_ENDINGS
    if output.suffix not in allowed:
        ends = ", ".join(PANEL_ENDINGS) + (", or be a new folder" if name in _TABLES else "")
        raise typer.BadParameter(f"{output.name} should end in {ends}", param_hint="-o")
    if not output.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint="-o")


def _panel(table: TradeTable, report: Report) -> pd.DataFrame:
    from landbridge.io.publishers.output import trade_panel

    return trade_panel(table, next(iter(report.totals_musd), 0))


def _write(
    found: Any, panel: pd.DataFrame, output: Path, about: Mapping[str, str], name: str
) -> dict[str, Any]:
    from landbridge.io.publishers.output import write_panel, write_trade_table

    if output.suffix:
        write_panel(panel, output, about)
        sys.stderr.write(f"written: {output}\n")
        if name in _TABLES:
            sys.stderr.write("trade only; -o FOLDER also writes value added, input and final shares\n")
        return {"file": output.name, "rows": len(panel)}
    files = write_trade_table(found, output, about)
    sys.stderr.write(f"written: {len(files)} files in {output}\n")
    return {"folder": output.name, "files": files}


def _summary(report: Report, panel: pd.DataFrame) -> list[str]:
    lines = [f"{report.publisher} {report.vintage}".strip() + f": {', '.join(report.files[:4])}"]
    if len(report.files) > 4:
        lines[0] += f" and {len(report.files) - 4} more"
    lines.append(f"rows read {report.rows_read:,}, kept {report.rows_kept:,}; the panel has {len(panel):,}")
    for year, total in sorted(report.totals_musd.items()):
        lines.append(f"  {year or 'year not stated'}: {total:,.0f} musd")
    for entry in report.dropped:
        musd = f", {entry.musd:,.0f} musd" if entry.musd else ""
        lines.append(f"  left out: {entry.rows:,} rows {entry.why}{musd}")
    return lines + [f"  note: {text}" for text in report.notes]


def _json(result: Mapping[str, Any], name: str, file: Path, options: Mapping[str, Any], begin: float) -> str:
    from landbridge.results.manifest import SCHEMA_VERSION, version

    told = {key: value.name if isinstance(value, Path) else value for key, value in options.items()}
    manifest = {
        "command": f"data read {name}",
        "landbridge": version(),
        "input": {"file": file.name, "sha256": _digest(file)},
        "options": told,
        "run": {
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "wall_s": round(time.perf_counter() - begin, 3),
        },
    }
    body = {
        "schema_version": SCHEMA_VERSION,
        "result": result,
        "status": _READ.as_json(),
        "manifest": manifest,
    }
    return json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False)


def _digest(file: Path) -> str | None:
    """The hash of a file, which identifies the release behind a panel; None for a folder."""
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

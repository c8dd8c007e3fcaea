"""Hostile publishers' files: each gives the figures of an independent literal reading, or one DataError.

Nothing else: no other exception, no hang, no figure that the file does not hold.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landbridge.errors import DataError
from landbridge.io import publishers as pub
from landbridge.io.publishers import source
from publisher_files import ISO, baci_rows, country_codes, flows, icio_rows, write_adb

Grid = list[list[str]]
law = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CELLS = (
    *("", " ", "nan", "NaN", "NA", "inf", "-inf", "1e400", "1e308", "-1", "-0.0", "0", "1,5", "1.234,5"),
    *("1 234", "1_000", "0x10", "１２", "1e", "--1", "+1.5", ".", "1.5.2", "2023.0", "2022", "99999", "156"),
    *(
        "010121",
        "10121",
        "270900",
        "1e5",
        "1E2",
        " 5 ",
        "5 %",
        "#N/A",
        "=1+1",
        '"',
        '""',
        'a"b',
        "a,b",
        "a;b",
    ),
    *(
        "a\nb",
        "a\r\nb",
        "\r",
        "\t",
        "\x1b[31m",
        "\x07",
        "\u2028",
        "\ufeff",
        "x" * 300,
        "é",
        "-",
        "..",
        "None",
    ),
    *("9" * 400, "CHN", "chn", "CHN_A01", "VA", "OUT", "1e-320", "00398", "398", "3.98e2"),
)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(\.0*)?", re.ASCII)


def bytes_of(grid: Grid) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(grid)
    return out.getvalue().encode("utf-8", errors="surrogatepass")


def changed(grid: Grid, draw: Callable[..., int], cell: str, kind: str) -> Grid:
    """One change to a grid of cells."""
    grid = [list(row) for row in grid]
    row, column = draw(len(grid)), draw(len(grid[0]))
    if kind == "cell" and column < len(grid[row]):
        grid[row][column] = cell
    elif kind == "drop row":
        del grid[row]
    elif kind == "double row":
        grid.insert(row, list(grid[row]))
    elif kind == "drop column":
        for line in grid:
            del line[min(column, len(line) - 1)]
    elif kind == "double column":
        for line in grid:
            line.insert(column, line[min(column, len(line) - 1)])
    elif kind == "swap columns":
        other = draw(len(grid[0]))
        for line in grid:
            line[column], line[other] = line[other], line[column]
    elif kind == "short row":
        grid[row] = grid[row][:-1]
    elif kind == "long row":
        grid[row] = [*grid[row], cell]
    elif kind == "blank row":
        grid.insert(row, [])
    return grid


KINDS = (
    *("cell",) * 6,
    *("drop row", "double row", "drop column", "double column", "swap columns", "short row", "long row"),
    "blank row",
)


def raw_change(raw: bytes, draw: Callable[..., int], kind: str) -> bytes:
    """A change to the bytes of a file."""
    at = draw(max(1, len(raw)))
    if kind == "cut":
        return raw[:at]
    if kind == "flip":
        return raw[:at] + bytes([draw(256)]) + raw[at + 1 :]
    if kind == "put":
        return raw[:at] + bytes([draw(256)]) * (1 + draw(3)) + raw[at:]
    if kind == "crlf":
        return raw.replace(b"\n", b"\r\n")
    if kind == "cr":
        return raw.replace(b"\n", b"\r")
    if kind == "bom":
        return b"\xef\xbb\xbf" + raw
    if kind == "semicolon":
        return raw.replace(b",", b";")
    if kind == "quoted":
        return b"\n".join(b",".join(b'"%s"' % c for c in r.split(b",")) for r in raw.strip().split(b"\n"))
    return raw


RAW = ("none", "none", "none", "cut", "flip", "put", "crlf", "cr", "bom", "semicolon", "quoted")


def check_faults(error: DataError) -> None:
    assert error.faults and len(str(error)) < 20_000
    for fault in error.faults:
        assert fault.where.strip() and fault.what.strip() and fault.cure.strip(), fault
        assert "\x1b" not in str(fault)


def literal_baci(raw: bytes) -> dict[tuple[str, str, str], float]:
    """What the file says, read cell by cell; ValueError where it is not a BACI."""
    rows = [
        row
        for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        if any(cell.strip() for cell in row)
    ]
    header = [cell.strip() for cell in rows[0]]
    while not header[-1]:
        header.pop()
    if sorted(header) != sorted("tijkvq"):
        raise ValueError(header)
    out: dict[tuple[str, str, str], float] = defaultdict(float)
    met: set[tuple[str, ...]] = set()
    for row in rows[1:]:
        if not any(cell.strip() for cell in row[len(header) :]):
            row = row[: len(header)]
        if len(row) != len(header):
            raise ValueError(row)
        cell = {name: text.strip() for name, text in zip(header, row, strict=True)}
        for name in "tijk":
            if not _WHOLE.fullmatch(cell[name]):
                raise ValueError(cell)
        known = cell["q"] not in ("", "NA", "na", "NaN", "nan", "..")
        for name in ("v", "q") if known else ("v",):
            if not _NUMBER.fullmatch(cell[name]) or not 0 <= float(cell[name]) <= 1e12:
                raise ValueError(cell)
        t, i, j, k = (int(cell[name].partition(".")[0]) for name in "tijk")
        if t != 2023 or not 10_000 <= k <= 999_999:
            raise ValueError(cell)
        key = ISO[i], ISO[j], f"{k:06d}"
        if key in met:
            raise ValueError(key)
        met.add(key)
        out[key] += float(cell["v"]) / 1000
    return dict(out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("publishers")
    country_codes(path)
    return path


@law
@given(
    seed=st.integers(0, 2**32 - 1),
    cell=st.sampled_from(CELLS),
    kind=st.sampled_from(KINDS),
    raw_kind=st.sampled_from(RAW),
    block=st.sampled_from((300, 1_500, 8_000_000)),
)
def test_a_hostile_baci(folder: Path, seed: int, cell: str, kind: str, raw_kind: str, block: int) -> None:
    rng = np.random.default_rng(seed)
    grid = changed(baci_rows(1), lambda n: int(rng.integers(n)), cell, kind)
    raw = raw_change(bytes_of(grid), lambda n: int(rng.integers(n)), raw_kind)
    path = folder / "BACI_HS17_Y2023_V202501.csv"
    path.write_bytes(raw)
    try:
        wanted = literal_baci(raw)
    except (ValueError, KeyError, IndexError, csv.Error):
        wanted = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "BLOCK_BYTES", block)
        try:
            frame = pub.read_baci(path, sectors="hs6")
        except DataError as error:
            check_faults(error)
            # A sound file is never refused, but for line ends of another age and bytes of no text.
            assert not wanted or raw_kind in ("cr", "put", "flip"), (error, raw[:200])
            return
    found = {(r.exporter, r.importer, r.sector): r.trade_musd for r in frame.itertuples()}
    assert found.keys() == wanted.keys()
    assert all(math.isclose(found[key], wanted[key], rel_tol=1e-14) for key in wanted)


def literal_icio(raw: bytes, countries: tuple[str, ...]) -> np.ndarray:
    """Sales [o, d, s] by labels alone; ValueError where a cell is no number."""
    rows = [row for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")) if any(row)]
    header = [cell.strip() for cell in rows[0]]
    sales = np.zeros((len(countries), len(countries), 2))
    for row in rows[1:]:
        label = row[0].strip()
        if label in ("TLS", "VA", "OUT"):
            continue
        o, s = countries.index(label[:3]), ("A01", "C10").index(label[4:])
        for name, text in zip(header[1:], row[1:], strict=True):
            if name != "OUT":
                sales[o, countries.index(name[:3]), s] += float(text)
    return sales


@law
@given(
    seed=st.integers(0, 2**32 - 1),
    cell=st.sampled_from(CELLS),
    kind=st.sampled_from(KINDS),
    raw_kind=st.sampled_from(RAW),
)
def test_a_hostile_icio(folder: Path, seed: int, cell: str, kind: str, raw_kind: str) -> None:
    rng = np.random.default_rng(seed)
    countries = ("CHN", "KAZ", "ROW")
    grid = icio_rows(countries, ("A01", "C10"), *flows(2, 3, 2))
    grid = changed(grid, lambda n: int(rng.integers(n)), cell, kind)
    raw = raw_change(bytes_of(grid), lambda n: int(rng.integers(n)), raw_kind)
    path = folder / "2019.csv"
    path.write_bytes(raw)
    try:
        table = pub.read_icio(path, theta=4.0, vintage="test")
    except DataError as error:
        check_faults(error)
        return
    order = [countries.index(region) for region in table.regions]
    wanted = literal_icio(raw, countries)[np.ix_(order, order)]
    swap = [("A01", "C10").index(sector) for sector in table.sectors]
    np.testing.assert_allclose(table.trade, np.maximum(wanted[:, :, swap], 0), rtol=1e-12, atol=1e-12)
    assert table.imbalance < 0.01  # a printed cell may be off by as much as rounding is allowed


def test_a_workbook_with_broken_bytes(tmp_path: Path) -> None:
    """Bytes of the workbook are cut or flipped: a table as it was, or a DataError."""
    Z, F = flows(8, 3, 2)
    path = write_adb(tmp_path / "ADB-MRIO-2022.xlsx", ("CHN", "KAZ", "ROW"), Z, F)
    raw = path.read_bytes()
    before = pub.read_adb_mrio(path, theta=4.0, vintage="test").trade
    rng = np.random.default_rng(5)
    refused = 0
    for n in range(80):
        at = int(rng.integers(len(raw)))
        path.write_bytes(
            raw[:at] if n % 4 == 0 else raw[:at] + bytes([int(rng.integers(256))]) + raw[at + 1 :]
        )
        try:
            np.testing.assert_array_equal(pub.read_adb_mrio(path, theta=4.0, vintage="test").trade, before)
        except DataError as error:
            check_faults(error)
            refused += 1
    assert 20 <= refused < 80

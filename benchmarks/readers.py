"""Memory and time of reading a list of flows in BACI's format, ten million rows.

    python benchmarks/readers.py [ROWS]

Writes the file to a temporary folder (about 300 MB), reads it in a process of its own and prints the peak
of its memory (Linux), beside what importing pandas alone takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

os.environ["OPENBLAS_NUM_THREADS"] = "1"
ROOT = Path(__file__).resolve().parents[1]
COUNTRIES, PRODUCTS = 230, 5_400

_READ = """
import json, sys, time
import pandas
def peak():
    # VmHWM begins anew with the program; ru_maxrss keeps what the process before it had.
    text = open("/proc/self/status", encoding="utf-8").read()
    return int(text.split("VmHWM:")[1].split()[0]) / 1024
from landbridge.io.publishers import Report, read_baci
before = peak()
begin, report = time.perf_counter(), Report()
frame = read_baci(sys.argv[1], sectors=sys.argv[2], report=report)
print(json.dumps({
    "sectors": sys.argv[2], "rows_read": report.rows_read, "rows_out": len(frame),
    "total_musd": report.totals_musd[2023], "seconds": round(time.perf_counter() - begin, 1),
    "pandas_mb": round(before), "peak_mb": round(peak()),
}))
"""


def write_baci(folder: Path, rows: int) -> tuple[Path, float]:
    """A file in BACI's format with that many distinct flows; returns it and the sum of v [musd]."""
    lines = ["country_code,country_name,country_iso2,country_iso3"]
    for n in range(COUNTRIES):
        code = chr(65 + n // 26) + chr(65 + n % 26)
        lines.append(f"{4 * n + 4},Country {n},{code},{code}X")
    (folder / "country_codes_V202501.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "BACI_HS17_Y2023_V202501.csv"
    rng, total = np.random.default_rng(1), 0
    products = np.sort(rng.choice(np.arange(10_100, 980_000), PRODUCTS, replace=False))
    # Distinct flows: a walk over all of them in steps without a common divisor with their number.
    everything, step = COUNTRIES * COUNTRIES * PRODUCTS, 7
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("t,i,j,k,v,q\n")
        for begin in range(0, rows, 1_000_000):
            flow = np.arange(begin, min(begin + 1_000_000, rows), dtype=np.int64) * step * 4 % everything
            flow += flow // everything
            pair, product = np.divmod(flow, PRODUCTS)
            i, j = np.divmod(pair, COUNTRIES)
            value = rng.integers(1, 1_000_000, len(flow))
            total += int(value.sum())
            q = np.where(rng.random(len(flow)) < 0.02, "NA", (value / 4000).round(3).astype(str))
            text = zip(4 * i + 4, 4 * j + 4, products[product], value / 1000, q, strict=True)
            file.writelines(f"2023,{a},{b},{c:06d},{d:.3f},{e}\n" for a, b, c, d, e in text)
    return path, total / 1e6


def read(path: Path, sectors: str) -> dict[str, float]:
    """Read the file in a process of its own; what it measured."""
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path), sectors],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return dict(json.loads(done.stdout))


def main() -> None:
    """Print what reading costs for sums over all goods, chapters and products."""
    if not Path("/proc/self/status").exists():
        print("reading ten million rows: peaks are read from /proc, which is not here, skipped")
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        path, total = write_baci(Path(folder), rows)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB, {total:,.3f} musd")
        for sectors in ("total", "hs2", "hs6"):
            print(read(path, sectors))


if __name__ == "__main__":
    main()

"""Write src/landbridge/data/LICENSES.md from the SOURCES.csv of every part of the data.

python recipes/network_licences.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from network_io import Rows, read_rows

DATA = Path(__file__).resolve().parent.parent / "src" / "landbridge" / "data"
PARTS = (("network", "Network tables"), ("economy", "Economy tables"))

HEAD = """# Licences of the embedded data

The code of landbridge is MIT. The data are not: each table carries the licence of what it was made
from, and the attribution line below goes with every copy, figure and report that uses it
(`landbridge cite` prints the lines of a run). This page is written by
`python recipes/network_licences.py` from the SOURCES.csv beside the tables; edit those.

Where a row says "single figures cited", only the figures used were taken from the published pages,
each with its source, year and basis in its own row; no table was copied whole.

`network/link_lengths_osm.csv` is a database of its own under the Open Database License 1.0,
(c) OpenStreetMap contributors, https://opendatacommons.org/licenses/odbl/1-0/. It is kept apart so
that the share-alike terms end with that file; keep the notice with every copy of it.

Boundaries and place names carry no endorsement of any claim.
"""


def page(parts: dict[str, Rows]) -> str:
    """The text of the page: a table of licences for each part, attribution lines once each at the end."""
    lines = [HEAD]
    credits: dict[str, None] = {}
    for name, title in PARTS:
        lines += [f"## {title}", ""]
        rows = parts.get(name, [])
        if not rows:
            lines += [f"See `{name}/SOURCES.csv`.", ""]
            continue
        lines += ["| table | source | year | licence | note |", "|---|---|---|---|---|"]
        for row in sorted(rows, key=lambda r: (r["table"], r["source"])):
            cells = (row["table"], row["source"], row["year"], row["licence"], row["note"])
            lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
            credits.setdefault(row["attribution"])
        lines.append("")
    lines += ["## Attribution lines", "", *(f"* {credit}" for credit in sorted(credits) if credit), ""]
    return "\n".join(lines)


def main() -> int:
    """Rewrite LICENSES.md."""
    parts = {
        name: read_rows(DATA / name / "SOURCES.csv")
        for name, _ in PARTS
        if (DATA / name / "SOURCES.csv").is_file()
    }
    (DATA / "LICENSES.md").write_text(page(parts), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

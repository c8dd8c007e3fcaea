"""Write src/landbridge/data/LICENSES.md from the SOURCES.csv of every part of the data.

python recipes/network_licences.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from network_io import Rows, read_rows

DATA = Path(__file__).resolve().parent.parent / "src" / "landbridge" / "data"
PARTS = (
    ("network", "Network tables"),
    ("economy", "Economy tables"),
    ("channels", "Channel tables"),
    ("names", "Lists of names, for suggestions only"),
)

HEAD = """# Licences of the embedded data

The code of landbridge is MIT. The data are not: each table carries the licence of what it was made
from, and the attribution line below goes with every copy, figure and report that uses it
(`landbridge cite` prints the lines of a run). This page is written by
`python recipes/network_licences.py` from the SOURCES.csv next to the tables; edit those.

Where a row says "single figures cited", only the figures used were taken from the published pages,
each with its source, year and basis in its own row; no table was copied whole.

`network/link_lengths_osm.csv` is a database of its own under the Open Database License 1.0,
(c) OpenStreetMap contributors, https://opendatacommons.org/licenses/odbl/1-0/. It is kept apart so
that the share-alike terms end with that file; keep the notice with every copy of it.

`routes/base.npz.xz` is the base set of routes, found by `python recipes/routes.py` from the network
tables and therefore by the terms of their rows below. The lengths in `network/link_lengths_osm.csv` took
part in the search, so it is a produced work in the sense of the ODbL: it holds pairs of places, families
and the numbers of the arcs of every route, and no length, name or position. Contains information from
OpenStreetMap, (c) OpenStreetMap contributors, which is made available under the Open Database License 1.0;
keep this notice with every copy of it. That it is a produced work and no derivative database is the reading
of landbridge, not confirmed by a lawyer.

Boundaries and place names carry no endorsement of any claim.
"""

# The licence asks that its notice goes with every copy of the names.
UNICODE = """## Unicode License V3

Covers the names of countries taken from Unicode CLDR in `network/labels.csv`.

COPYRIGHT AND PERMISSION NOTICE

Copyright © 2004-2025 Unicode, Inc.

NOTICE TO USER: Carefully read the following legal agreement. BY
DOWNLOADING, INSTALLING, COPYING OR OTHERWISE USING DATA FILES, AND/OR
SOFTWARE, YOU UNEQUIVOCALLY ACCEPT, AND AGREE TO BE BOUND BY, ALL OF THE
TERMS AND CONDITIONS OF THIS AGREEMENT. IF YOU DO NOT AGREE, DO NOT
DOWNLOAD, INSTALL, COPY, DISTRIBUTE OR USE THE DATA FILES OR SOFTWARE.

Permission is hereby granted, free of charge, to any person obtaining a
copy of data files and any associated documentation (the "Data Files") or
software and any associated documentation (the "Software") to deal in the
Data Files or Software without restriction, including without limitation
the rights to use, copy, modify, merge, publish, distribute, and/or sell
copies of the Data Files or Software, and to permit persons to whom the
Data Files or Software are furnished to do so, provided that either (a)
this copyright and permission notice appear with all copies of the Data
Files or Software, or (b) this copyright and permission notice appear in
associated Documentation.

THE DATA FILES AND SOFTWARE ARE PROVIDED "AS IS", WITHOUT WARRANTY OF ANY
KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT OF
THIRD PARTY RIGHTS.

IN NO EVENT SHALL THE COPYRIGHT HOLDER OR HOLDERS INCLUDED IN THIS NOTICE
BE LIABLE FOR ANY CLAIM, OR ANY SPECIAL INDIRECT OR CONSEQUENTIAL DAMAGES,
OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS,
WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION,
ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THE DATA
FILES OR SOFTWARE.

Except as contained in this notice, the name of a copyright holder shall
not be used in advertising or otherwise to promote the sale, use or other
dealings in these Data Files or Software without prior written
authorization of the copyright holder.
"""

# The licence asks that its notice goes with every copy of the codes.
MIT = """
## MIT License of the airport codes

Covers the IATA codes in `names/cities.csv`, and its rows without people.

Copyright (c) 2020- Mike Borsetti <mike@borsetti.com>

This project includes data from https://github.com/mwgg/Airports Copyright
(c) 2014 mwgg

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def page(parts: dict[str, Rows]) -> str:
    """The text of the page: a table of licences for each part, attribution lines once each at the end."""
    lines = [HEAD]
    credits: dict[str, None] = {}
    for name, title in PARTS:
        if name not in parts:
            continue
        lines += [f"## {title}", ""]
        rows = parts[name]
        lines += ["| table | source | year | licence | note |", "|---|---|---|---|---|"]
        for row in sorted(rows, key=lambda r: (r["table"], r["source"])):
            cells = (row["table"], row["source"], row["year"], row["licence"], row["note"])
            lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
            credits.setdefault(row["attribution"])
        lines.append("")
    lines += ["## Attribution lines", "", *(f"* {credit}" for credit in sorted(credits) if credit), ""]
    lines += [UNICODE, MIT.lstrip()] if "names" in parts else [UNICODE]
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

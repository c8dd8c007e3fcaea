"""Every figure of a run in one long table: scenario, table, up to four keys, variable, unit, value."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace

from landbridge.io.whole import harmless
from landbridge.report.digest import Digest
from landbridge.results.tables import result_tables

__all__ = ["LONG", "csv_text", "long_rows"]

LONG = ("scenario", "table", "key1", "key2", "key3", "key4", "variable", "unit", "value")


def long_rows(digests: Sequence[Digest]) -> Iterator[tuple[str, str, str, str, str, str, str, str, float]]:
    """Every number of a run, one row each, in the columns of LONG.

    digests: base and cases, in the order of the rows. Each row names its unit. A key of more than four parts
    has the rest in key4, joined by "/". The base of a case that has its own appears as `base of ID`.
    """
    listed = [
        one
        for digest in digests
        for one in ([replace(digest.base, id=f"base of {digest.id}")] if digest.base else []) + [digest]
    ]
    for digest in listed:
        for name, table in result_tables().items():
            for row in digest.result.get(name, []):
                key = table.key_of(row)
                # Four columns hold the key; the rest of a longer key is in the last.
                one, two, three, *rest = (*key, *[""] * (4 - len(key)))
                for variable, value in row.items():
                    if variable in table.keys or not isinstance(value, float):
                        continue
                    unit = table.unit(variable, row)
                    yield digest.id, name, one, two, three, "/".join(rest), variable, unit, value


def csv_text(digests: Sequence[Digest]) -> str:
    """Every figure in one long table: scenario, table, up to four keys, variable, unit, value.

    digests: base and cases, as in `long_rows`. Returns CSV.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(LONG)
    writer.writerows((*map(harmless, map(str, row[:-1])), repr(row[-1])) for row in long_rows(digests))
    return out.getvalue()

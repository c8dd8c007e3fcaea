"""Fetch the inputs of the published problems that ../shared/reference lacks: `make inputs`.

How it works and where the files go: tests/published_inputs.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from landbridge.errors import DataError
from published_inputs import BESIDE, fetch, inputs, kept_in


def main() -> int:
    rows = [row for row in inputs() if not (BESIDE / row.path).is_file()]
    if not rows:
        print("All inputs are in ../shared/reference.")
        return 0
    kept = kept_in()
    if kept is None:
        print("The cache is off: set LANDBRIDGE_CACHE to a folder for the inputs.", file=sys.stderr)
        return 2
    wanted = [row for row in rows if row.address]
    for terms in dict.fromkeys(row.terms for row in wanted):
        print(f"Terms: {terms}")
    try:
        number = fetch(wanted, kept, print)
    except DataError as error:
        print(error, file=sys.stderr)
        return 3
    print(f"{number} files were fetched into {kept}, {len(wanted) - number} were there already.")
    without = {row.path.rpartition("/")[0]: row.note for row in rows if not row.address}
    for folder, note in without.items():
        print(f"{folder} has no public address: {note}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

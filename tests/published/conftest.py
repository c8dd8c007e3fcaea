"""Published numbers beside ours: every test that replicates one records it here.

`make published` writes docs/theory/published.md from the records of a run; nothing on that page is typed. It
leaves the page alone where inputs are missing, so that no section is lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = """# Published results beside ours

Written by the tests (`make published`): each line is a number that somebody printed, what landbridge
computes from the same inputs, and the difference. A test fails where the difference is larger than the
tolerance, which is that of the printed digits unless the line says more.

The synthetic networks of Allen, Fuchs and Wong come with the tests. `make inputs` fetches all other
inputs that have a public address into the user's cache folder and refuses a file whose checksum is
another. They are those of Caliendo and Parro, of gegravity, of the 194 countries and of traffic
assignment, and the printed values of Allen, Fuchs and Wong. The inputs of Yotov et al., of ge_gravity
(EU enlargement) and of ge_gravity2 were converted from files of R and Stata. No public file has the
same bytes, so these tests are skipped without them. None of the addresses has been tried: the table was
made offline, from copies of the files. `tests/published/inputs.csv` has the address, the checksum, the
terms and the origin of each file.

"""
Record = Callable[..., None]
_ROWS = pytest.StashKey[list[tuple[str, str, str, str, str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []


@pytest.fixture(scope="session")
def published(pytestconfig: pytest.Config) -> Record:
    """Record a printed number beside ours and hold the difference to the tolerance.

    published(paper, table, item, printed, ours, tolerance): `printed` is the text as printed ("-1.31"),
    or a number; the tolerance is absolute, and half a unit of the last printed digit where None.
    """
    rows = pytestconfig.stash[_ROWS]

    def record(
        paper: str, table: str, item: str, printed: str | float, ours: float, tolerance: float | None = None
    ) -> None:
        text = printed if isinstance(printed, str) else f"{printed:.10g}"
        decimals = len(text.partition(".")[2].partition("e")[0])
        allowed = 0.5 * 10.0**-decimals * (1 + 1e-9) if tolerance is None else tolerance
        difference = ours - float(text)
        shown = f"{ours:.{decimals + 2}f}" if "e" not in text else f"{ours:.8g}"
        rows.append((paper, table, item, text, shown, f"{difference:+.0e}"))
        assert abs(difference) <= allowed, f"{paper}, {table}, {item}: printed {text}, ours {ours!r}"

    return record


def pytest_sessionfinish(session: pytest.Session) -> None:
    target = os.environ.get("LANDBRIDGE_PUBLISHED_PAGE")
    if not target or session.exitstatus != 0:
        return
    report = session.config.pluginmanager.get_plugin("terminalreporter")
    if report is not None and report.stats.get("skipped"):
        report.write_line(f"\n{target} is left as it is: some inputs are not here")
        return
    lines = [PAGE]
    for paper in dict.fromkeys(row[0] for row in session.config.stash[_ROWS]):
        lines += [
            f"## {paper}",
            "",
            "| table | item | printed | ours | difference |",
            "|---|---|---|---|---|",
        ]
        lines += [
            "| " + " | ".join(row[1:]) + " |"
            for row in dict.fromkeys(session.config.stash[_ROWS])
            if row[0] == paper
        ]
        lines.append("")
    Path(target).write_text("\n".join(lines), encoding="utf-8", newline="\n")

"""Published numbers beside ours: every test that replicates one records it here.

`make published` writes docs/theory/published.md from the records of a run; nothing on that page is typed.
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

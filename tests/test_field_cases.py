"""What users of comparable programs ran into in the field: every case of tests/data/cases, with its kind."""

from __future__ import annotations

from pathlib import Path

from field_assign import *  # noqa: F403
from field_gravity import *  # noqa: F403
from field_publishers import *  # noqa: F403

CASES = Path(__file__).parent / "data" / "cases"


def test_every_case_is_tried() -> None:
    here = Path(__file__).parent
    tried = "".join(
        (here / f"field_{name}.py").read_text(encoding="utf-8")
        for name in ("assign", "gravity", "publishers")
    )
    listed = sorted(path.name for path in CASES.iterdir())
    assert len(listed) == 32
    assert [name for name in listed if name not in tried] == []

"""The page of verbs: every verb with its keys, from the same list as checks and the JSON Schema."""

from __future__ import annotations

from landbridge.scenario.registry import verb_columns
from landbridge.world.table import Column

__all__ = ["verbs_page"]

_KINDS = {
    "float": "number",
    "change": "number, { multiply = } or { add = }",
    "bool": "true or false",
    "scalar": "number or word",
    "ids": "code, or a list of them",
    "place": "place",
}
_HEAD = """# Verbs of scenarios

Every change of a scenario is a `[[modification]]` with a verb and its keys. Keys in bold are required. This
page is made from the keys of the verbs themselves (`landbridge.scenario.page.verbs_page`).
"""


def verbs_page() -> str:
    """A page of Markdown with every verb and its keys."""
    parts = [_HEAD]
    for verb, columns in verb_columns().items():
        lines = [f"## {verb}", "", "| key | value | unit | meaning |", "|---|---|---|---|"]
        lines += [_line(column) for column in columns.values()]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _line(column: Column) -> str:
    value = _KINDS.get(column.type, "text")
    if column.allowed and column.type != "bool":
        value = " or ".join(column.allowed)
    ends = [f"{end:g}" if end is not None else "" for end in (column.minimum, column.maximum)]
    if any(ends):
        value += f", {ends[0] or '...'} to {ends[1] or '...'}"
    name = f"**{column.name}**" if column.required and not column.default else column.name
    meaning = column.description + (f"; usual: {column.default}" if column.default else "")
    return f"| {name} | {value} | {column.unit} | {meaning} |".replace("  ", " ")

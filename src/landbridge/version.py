"""The version of landbridge that is installed, and how landbridge is cited."""

from __future__ import annotations

__all__ = ["bibtex", "version"]

# What CITATION.cff says, which does not come with the wheel; a test holds the two equal.
_CITATION = {
    "title": "landbridge: from a border queue to a country's real income",
    "authors": ("The landbridge developers",),
    "license": "MIT",
    "date-released": "2026-11-30",
}
# The version where nothing is installed: that of pyproject.toml.
_SOURCE_TREE = "0.2.0"


def version() -> str:
    """The installed version of landbridge, or that of the source tree."""
    import importlib.metadata

    try:
        return importlib.metadata.version("landbridge")
    except importlib.metadata.PackageNotFoundError:
        return _SOURCE_TREE


def bibtex() -> str:
    """A BibTeX entry for landbridge, with the fields of CITATION.cff and the installed version."""
    date = str(_CITATION["date-released"])
    fields = {
        "title": f"{{{_CITATION['title']}}}",
        "author": " and ".join(f"{{{name}}}" for name in _CITATION["authors"]),
        "version": version(),
        "license": _CITATION["license"],
        "year": date[:4],
        "date": date,
    }
    lines = [f"  {name:<7} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join(["@software{landbridge,", *lines, "}"])

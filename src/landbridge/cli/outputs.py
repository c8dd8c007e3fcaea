"""What `landbridge run -o FILE` writes: the ending chooses, and is looked at before anything is solved."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.cli.terminal import attribution_lines, check_ending
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from landbridge.report import Digest
    from landbridge.results import Results
    from landbridge.world import World

__all__ = ["ENDINGS", "Outputs"]

ENDINGS = (".json", ".csv", ".md", ".html", ".xlsx", ".parquet", ".geojson", ".gpkg", ".omx")
# Packages that an ending needs: module, package, extra.
_NEEDS = {
    ".html": ("matplotlib.figure", "matplotlib", "report"),
    ".xlsx": ("xlsxwriter", "XlsxWriter", "excel"),
    ".parquet": ("pyarrow.parquet", "pyarrow", "parquet"),
    ".omx": ("h5py", "h5py", "omx"),
}


class Outputs:
    """Keeps of each Results what the chosen format needs, and writes it.

    Usage error where the ending is not known, LandbridgeError where a package is missing.
    """

    def __init__(self, path: Path | None, lang: str) -> None:
        check_ending(path, ENDINGS)
        self.path, self.lang = path, lang
        self.ending = path.suffix if path is not None else ""
        if self.ending in _NEEDS:
            from landbridge.io.optional import need

            need(*_NEEDS[self.ending], f"a {self.ending} file")
        self._kept: list[Any] = []

    def keep(self, results: Results) -> None:
        """Take from a Results what will be written; called for the base first."""
        if self.ending in (".geojson", ".gpkg"):
            from landbridge.exports import Flows

            self._kept.append(Flows.of(results))
        elif self.ending == ".html":
            from landbridge.page import Sight

            self._kept.append(Sight.of(results))
        elif self.ending == ".omx" and not self._kept:
            self._kept.append(results)

    def content(self, world: World, digests: Sequence[Digest], envelope: Callable[[], str]) -> str | bytes:
        """The file; envelope: writes the JSON document, whose manifest the page shows."""
        from landbridge import exports, report

        lines = attribution_lines(world)
        match self.ending:
            case ".json":
                return envelope()
            case ".csv":
                return report.csv_text(digests)
            case ".md":
                return report.markdown(
                    report.study_sections(world, digests[0], digests[1:], self.lang), lines
                )
            case ".xlsx":
                return exports.xlsx(world, digests, lines)
            case ".parquet":
                return exports.parquet(world, digests, lines)
            case ".geojson":
                return exports.geojson(world, digests, self._kept, lines)
            case ".gpkg":
                return exports.geopackage(world, digests, self._kept, lines)
            case ".omx":
                return exports.skims(self._kept[0], lines)
            case ".html":
                from landbridge.page import html

                manifest = json.loads(envelope())["manifest"]
                return html(world, digests, self._kept, lines, manifest, self.lang)
        raise LandbridgeError(f"cannot write {self.ending}")

"""Files of `landbridge run -o FILE`: the ending chooses the format, and is checked before the solve."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.cli.terminal import attribution_lines, check_ending

if TYPE_CHECKING:
    from landbridge.phrases import Words
    from landbridge.report import Digest, Document
    from landbridge.results import Results
    from landbridge.world import World

__all__ = ["Outputs", "endings"]

# Formats of a run in addition to those of every study: maps and skims.
_MAPS = (".geojson", ".gpkg", ".omx")


def endings() -> tuple[str, ...]:
    """The endings of files that a run can be written to."""
    from landbridge.report.writers import ENDINGS

    return (*ENDINGS, *_MAPS)


class Outputs:
    """Keeps the part of each Results that the chosen format needs, and writes it.

    Usage error for an unknown ending, LandbridgeError where a package is missing.
    """

    def __init__(self, path: Path | None, lang: str) -> None:
        """path: of the file; lang: of names."""
        check_ending(path, endings())
        self.lang = lang
        self.ending = path.suffix if path is not None else ""
        if self.ending == ".html":
            from landbridge.io.optional import need

            need("matplotlib.figure", "matplotlib", "report", "a .html file")
        elif path is not None:
            from landbridge.report.writers import check_ending as known

            known(path, endings())
        self.kept: list[Any] = []

    def keep(self, results: Results) -> None:
        """Keep the part of a Results to be written; called for the base first."""
        if self.ending in (".geojson", ".gpkg"):
            from landbridge.report.exports import Flows

            self.kept.append(Flows.of(results))
        elif self.ending == ".html":
            from landbridge.report.html.run_page import Sight

            self.kept.append(Sight.of(results))
        elif self.ending == ".omx" and not self.kept:
            self.kept.append(results)

    def content(self, world: World, digests: Sequence[Digest], envelope: Callable[[], str]) -> str | bytes:
        """The content of the file; envelope: writes the JSON document, whose manifest the page shows."""
        from landbridge.report.writers import content_of

        return content_of(_Run(self, world, digests, envelope), self.ending)


class _Run:
    """A run in the form that `landbridge.report.writers` takes: most of its files are its own."""

    command = "run"

    def __init__(
        self, outputs: Outputs, world: World, digests: Sequence[Digest], envelope: Callable[[], str]
    ) -> None:
        from landbridge import report
        from landbridge.answers.protocol import Lazy
        from landbridge.report import exports

        lines, kept = attribution_lines(world), outputs.kept
        self._outputs, self._world, self._digests, self._envelope = outputs, world, digests, envelope
        # For a format that has no form of its own here.
        self.rows = Lazy(
            {
                "results": lambda: [
                    dict(zip(report.LONG, row, strict=True)) for row in report.long_rows(digests)
                ]
            }
        )
        self.forms: Mapping[str, Callable[[], str | bytes]] = {
            ".json": envelope,
            ".csv": lambda: report.csv_text(digests),
            ".html": self._page,
            ".xlsx": lambda: exports.xlsx(world, digests, lines, outputs.lang),
            ".parquet": lambda: exports.parquet(world, digests, lines),
            ".dta": lambda: exports.dta(digests),
            ".geojson": lambda: exports.geojson(world, digests, kept, lines),
            ".gpkg": lambda: exports.geopackage(world, digests, kept, lines),
            ".omx": lambda: exports.skims(kept[0], lines),
        }

    def words(self) -> Words:
        """Words and names in the language of the run."""
        from landbridge.report import Names

        return Names(self._world, self._outputs.lang)

    def document(self, lang: str | None = None, most: int | None = None) -> Document:
        """The study in a language, the chosen one where None; most: unused, since its tables are short."""
        from landbridge.report import Document, study_sections

        base, cases = self._digests[0], self._digests[1:]
        sections = study_sections(self._world, base, cases, lang or self._outputs.lang)
        return Document(tuple(sections), tuple(attribution_lines(self._world)), lang or self._outputs.lang)

    def to_json(self) -> dict[str, Any]:
        """The output of `--json`."""
        body: dict[str, Any] = json.loads(self._envelope())
        return body

    def _page(self) -> str:
        from landbridge.report.html.run_page import html

        manifest = self.to_json()["manifest"]
        lines, kept = attribution_lines(self._world), self._outputs.kept
        return html(self._world, self._digests, kept, lines, manifest, lang=self._outputs.lang)

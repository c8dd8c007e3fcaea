"""One chart or map of a solved scenario, for a notebook."""

from __future__ import annotations

from landbridge.errors import DataError, Fault, did_you_mean
from landbridge.report import Digest
from landbridge.report.html.picture import Picture
from landbridge.report.html.run_page import Sight, pictures
from landbridge.results import Results

__all__ = ["chart"]


def chart(results: Results, what: str = "income", lang: str = "en") -> Picture:
    """Draw one chart or map of a solved scenario, as `landbridge chart` does; a notebook shows it.

    results: of a scenario, from `lb.run`; what: income (by country), pairs (days and USD between cities),
    corridors (by part of the trip), change (a map of what changes, close up) or map (all flows); lang: of its
    texts, en, ru or zh. Returns a Picture: `.svg()` and `.png()` make files, `.alt` describes it in words.
    Raises DataError for the results of a base, for an unknown chart and for one that has nothing to show,
    LandbridgeError where matplotlib is missing.
    """
    if results.base is None:
        cure = "give those of a scenario, such as lb.run(world, 'cku-railway')"
        raise DataError("no chart", [Fault("results", "are those of a base", cure)])
    base = results.base
    digests = [Digest.of(base), Digest.of(results, base)]
    drawn = pictures(base.world, digests, [Sight.of(base), Sight.of(results)], lang)
    if what not in drawn:
        cure = did_you_mean(what, drawn) or "use " + ", ".join(drawn)
        raise DataError("no chart", [Fault("what", f"no chart {what!r}", cure)])
    found = drawn[what]()
    if found is None:
        fault = Fault("what", f"{results.id} changes nothing that the chart {what} shows", "draw another one")
        raise DataError("no chart", [fault])
    return found

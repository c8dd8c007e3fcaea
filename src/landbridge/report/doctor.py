"""Report on what is there to run landbridge with."""

from __future__ import annotations

from collections.abc import Iterator

from landbridge.phrases import Words
from landbridge.report.document import ENGLISH, Section, phrased
from landbridge.studies.doctor import Health, Page

__all__ = ["doctor_sections", "page_sections"]


def doctor_sections(found: Health, words: Words = ENGLISH) -> Iterator[Section]:
    """What is there, and the extras with the command that installs each that is not.

    found: of `doctor`; words: of the language.
    """
    source = words.say("doctor.unknown") if found.source is None else found.source
    packages = words.joined(
        f"{name} {here or words.say('doctor.absent')}" for name, here in found.packages.items()
    )
    cache = words.say("doctor.off") if found.cache is None else str(found.cache)
    variables = words.joined(f"{name}={value}" for name, value in found.variables.items())
    rows = [
        (words.say("doctor.what.version"), found.version),
        (words.say("doctor.what.python"), f"{found.python}, {found.executable}"),
        (words.say("doctor.what.system"), words.say("doctor.system", system=found.system, cpus=found.cpus)),
        (words.say("doctor.what.source"), source),
        (words.say("doctor.what.packages"), packages),
        (
            words.say("doctor.what.data"),
            words.say("doctor.data", hash=found.world[:12], year=found.base_year),
        ),
        (words.say("doctor.what.cache"), words.say("doctor.cache", folder=cache, mb=found.cache_mb)),
        (words.say("doctor.what.variables"), variables or words.say("doctor.none")),
        (
            words.say("doctor.what.docs"),
            words.say("doctor.absent") if found.docs is None else str(found.docs),
        ),
    ]
    yield phrased("doctor.whole", rows, words=words)
    extras = [
        (
            one.name,
            words.term("extra", one.name, one.what),
            words.say("doctor.there" if one.there else "doctor.absent"),
        )
        for one in found.extras
    ]
    cures = [one.cure for one in found.extras if not one.there]
    yield phrased(
        "doctor.extras", extras, words=words, after=[words.say("doctor.install"), *cures] if cures else []
    )


def page_sections(found: tuple[Page, ...], words: Words = ENGLISH) -> Iterator[Section]:
    """The pages of the documentation with their titles; found: of `pages`; words: of the language."""
    yield phrased("docs.pages", [(one.name, one.title) for one in found], words=words)

"""Names and codes: a name as typed becomes an identifier, an identifier becomes the name shown.

Places, countries, regions, gateways and sectors have names in English, Russian and Chinese (the table
`labels`), one of them shown in each language; a name never endorses a claim. A World without that table
knows the names of its own places, gateways and axes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from landbridge.errors import DataError, Fault
from landbridge.phrases import LANGUAGES, say
from landbridge.world.folded import LONGEST, fold
from landbridge.world.gazetteer import (
    cities_named,
    country_named,
    likeness,
    near_city,
    on_network,
    whereabouts,
)
from landbridge.world.meanings import meant
from landbridge.world.table import Cell, Table, quoted

__all__ = [
    "KINDS",
    "LANGUAGES",
    "MARK",
    "Label",
    "find_place",
    "fold",
    "label",
    "labels_of",
    "place_names",
    "resolve",
    "resolve_place",
    "resolve_sector",
]

Network = Mapping[str, Table]

# Kind -> the table that names it, the key column, and the tables that know the code if that table is absent.
KINDS: Mapping[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "place": ("places", "place_id", ()),
    "country": ("countries", "country", (("places", "country"),)),
    "region": ("regions", "region", (("pair_groups", "region"),)),
    "gateway": ("gateways", "gateway_id", ()),
    "sector": ("sectors", "sector", (("sector_freight", "sector"),)),
}
MARK = "*"

# Levels at which a name matches, most certain first; a match on one level ends the search.
_SHOWN, _WHOLE, _PART, _SIDE = range(4)
_BRACKETS = re.compile(r"\s*[(（].*?[)）]")
_INSIDE = re.compile(r"[(（](.*?)[)）]")
_BEFORE = re.compile(r"\s*[(（].*", re.DOTALL)
_NEAR = 3


@dataclass(frozen=True)
class Label:
    """A name as shown; reviewed: whether its spelling was compared with its source.

    text: the name.
    """

    text: str
    reviewed: bool = True

    @property
    def short(self) -> str:
        """The name without its part in brackets."""
        return _BEFORE.sub("", self.text) or self.text

    def marked(self, *, short: bool = False) -> str:
        """The name, with a mark if nobody has reviewed it. short: without its part in brackets."""
        return (self.short if short else self.text) + ("" if self.reviewed else MARK)


@dataclass(frozen=True)
class _Name:
    """One name of a thing: its level of certainty and its language ("" for an identifier)."""

    id: str
    text: str
    level: int
    lang: str


def label(network: Network, kind: str, id: str, lang: str = "en") -> str:
    """The name that tables show for an identifier: in `lang`, else in English, else the identifier.

    network: tables of a World; kind: place, country, region, gateway or sector; id: the identifier.
    """
    found = labels_of(network, kind, lang).get(id)
    return found.text if found else id


def labels_of(network: Network, kind: str, lang: str = "en") -> dict[str, Label]:
    """The labels shown for everything of a kind, by identifier.

    network: tables of a World; with `regions` and `sectors` among them, the names of the axes are included.
    kind: place, country, region, gateway or sector. lang: en, ru or zh. The English label of a place,
    gateway, region or sector is the name in its own table. Other languages fall back to English, then without
    a mark.
    """
    table, key, _ = KINDS[kind]
    own = {str(row[key]): Label(str(row["name"])) for row in _rows(network, table)}
    english: dict[str, Label] = {}
    found: dict[str, Label] = {}
    for row in _rows(network, "labels"):
        if row["kind"] != kind or row["use"] != "shown":
            continue
        if row["lang"] == "en":
            english[str(row["id"])] = Label(str(row["label"]))
        elif row["lang"] == lang:
            found[str(row["id"])] = Label(str(row["label"]), bool(row["reviewed"]))
    known = {name: Label(name) for name in _known(network, kind)}
    return {name: at for name, at in {**known, **english, **own, **found}.items() if name in known}


def resolve(
    network: Network, kind: str, text: str, where: str, among: Collection[str] | None = None
) -> tuple[str, Fault | None]:
    """The identifier that a text in any language names, or a fault with a cure.

    An identifier comes first; then a shown name, another whole name, a name without its brackets, the text
    inside them and, for a gateway, one of its two sides. Several matches on the first level with any match
    are a fault that lists them; a text without a match is a fault that suggests near names.

    network: tables of a World; kind: place, country, region, gateway or sector; text: as typed; where: name
    of the text in the fault; among: only these identifiers. Returns the identifier, "" with a fault.
    """
    index = _index(network, kind)
    known = index.known if among is None else among
    if text in known:
        return text, None
    wanted = fold(text)
    same = [name for name in index.by_text.get(wanted, ()) if name.id in known] if wanted else []
    surest = min((name.level for name in same), default=_SHOWN)
    found = list(dict.fromkeys(name.id for name in same if name.level == surest))
    if len(found) == 1:
        return found[0], None
    if found:
        choices = ", ".join(f"{name} ({_told(network, kind, name)})" for name in found)
        return "", Fault(where, f"{quoted(text)} names several {_plural(kind)}", f"use an id: {choices}")
    return "", Fault(where, f"no {kind} {quoted(text)}", _cure(network, kind, text, index, known))


def resolve_sector(
    network: Network, text: str, where: str, among: Collection[str] | None = None
) -> tuple[str, Fault | None]:
    """The sector that a text names, or that an everyday word for its goods stands for, as in `resolve`.

    A change of a whole sector should name it: where a scenario changes one, `resolve` only suggests it.

    network, text, where, among, result: as in `resolve`.
    """
    found, fault = resolve(network, "sector", text, where, among)
    known = _index(network, "sector").known if among is None else among
    words = meant("sector", text, known) if fault is not None else ()
    return (words[0], None) if len(words) == 1 else (found, fault)


def find_place(places: Table, text: str, where: str, labels: Table | None = None) -> tuple[str, Fault | None]:
    """The identifier of a place by id or name, or a fault that suggests near names.

    places, labels: tables of a World; text: as typed; where: name of the text in the fault.
    """
    tables = {"places": places} if labels is None else {"places": places, "labels": labels}
    return resolve(tables, "place", text, where)


def resolve_place(network: Network, *texts: str) -> tuple[str, ...]:
    """Identifiers of several places by name or id, or by the airport code of a city that is one of them.

    network: tables of a World; texts: as typed.
    Raises one DataError that lists every unknown one; a city off the network comes with the nearest zones.
    """
    found, faults = [], []
    for text in texts:
        place, fault = resolve(network, "place", text, "place")
        if fault is not None:
            here = {one for city in cities_named(text) for one in on_network(network, city)}
            place, fault = (here.pop(), None) if len(here) == 1 else (place, fault)
        found.append(place)
        if fault:
            faults.append(fault)
    if faults:
        raise DataError("unknown place", faults)
    return tuple(found)


def place_names(places: Table, labels: Table | None = None) -> dict[str, list[str]]:
    """Identifiers by folded name, over ids, names, alternates and names without their brackets.

    places, labels: tables of a World.
    """
    tables = {"places": places} if labels is None else {"places": places, "labels": labels}
    known: dict[str, list[str]] = {}
    for name in _names(tables, "place"):
        listed = known.setdefault(fold(name.text), [])
        if name.id not in listed:
            listed.append(name.id)
    return known


# -- parts -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Index:
    """Identifiers of a kind, and its names by folded text."""

    known: Mapping[str, None]
    by_text: Mapping[str, list[_Name]]


# The last few indices, each with the tables that it was made from, by which it is found again.
_MADE: dict[tuple[str, tuple[int, ...]], tuple[tuple[Table, ...], _Index]] = {}
_KEPT = 24


def _index(network: Network, kind: str) -> _Index:
    table, _, others = KINDS[kind]
    wanted = ("labels", table, *(name for name, _ in others))
    tables = tuple(network[name] for name in wanted if name in network)
    key = kind, tuple(id(one) for one in tables)
    kept = _MADE.get(key)
    if kept is not None:
        return kept[1]
    by_text: dict[str, list[_Name]] = {}
    for name in _names(network, kind):
        by_text.setdefault(fold(name.text), []).append(name)
    made = _Index(_known(network, kind), by_text)
    while len(_MADE) >= _KEPT:
        _MADE.pop(next(iter(_MADE)), None)
    _MADE[key] = tables, made
    return made


def _rows(network: Network, table: str) -> tuple[Mapping[str, Cell], ...]:
    return network[table].rows if table in network else ()


def _known(network: Network, kind: str) -> dict[str, None]:
    """Every identifier of a kind; for codes that no table lists, those of the labels."""
    table, key, others = KINDS[kind]
    places = ((table, key), *others)
    known = {str(row[k]): None for t, k in places for row in _rows(network, t)}
    if kind in ("region", "sector") and table not in network:
        known |= {str(row["id"]): None for row in _rows(network, "labels") if row["kind"] == kind}
    return known


def _names(network: Network, kind: str) -> Iterator[_Name]:
    """Every name of everything of a kind; the same name may come more than once."""
    table, key, _ = KINDS[kind]
    known = _known(network, kind)
    own: set[str] = set()
    for row in _rows(network, table):
        name = str(row[key])
        own.add(name)
        yield from _whole(kind, name, str(row["name"]), _SHOWN, "en")
        for other in str(row.get("alternates") or "").split("|"):
            if other.strip():
                yield _Name(name, other, _WHOLE, "en")
    for row in _rows(network, "labels"):
        name, lang = str(row["id"]), str(row["lang"])
        if row["kind"] != kind or name not in known:
            continue
        # A name changed in its own table is shown; the label then only resolves.
        shown = row["use"] == "shown" and not (lang == "en" and name in own)
        if row["use"] == "shown":
            yield from _whole(kind, name, str(row["label"]), _SHOWN if shown else _WHOLE, lang)
        else:
            yield _Name(name, str(row["label"]), _WHOLE, lang)
    for name in known:
        yield _Name(name, name, _WHOLE, "")


def _whole(kind: str, id: str, text: str, level: int, lang: str) -> Iterator[_Name]:
    """A name and its parts: without brackets, inside them, and the two sides of a gateway."""
    yield _Name(id, text, level, lang)
    short = _BRACKETS.sub("", text)
    if short != text and short.strip():
        yield _Name(id, short, _PART, lang)
    for part in _INSIDE.findall(text):
        if part.strip():
            yield _Name(id, part, _SIDE, lang)
    if kind == "gateway":
        sides = short.split(" - ")
        if len(sides) == 2:
            yield _Name(id, " - ".join(reversed(sides)), _PART, lang)
            for side in sides:
                yield _Name(id, side, _SIDE, lang)


def _cure(network: Network, kind: str, text: str, index: _Index, known: Collection[str]) -> str:
    """What is meant, else near names as they are shown; if none is near, where to find them."""
    by_meaning = _by_meaning(network, kind, text, known)
    if by_meaning:
        return by_meaning
    wanted = fold(text)
    near: list[str] = []
    if 0 < len(wanted) <= LONGEST:
        near = difflib.get_close_matches(wanted, index.by_text, n=12, cutoff=0.6)
    if kind == "place" and near_city(network, wanted) > max(
        (likeness(wanted, one) for one in near), default=0.0
    ):
        return whereabouts(network, text, near=True)
    told: dict[str, str] = {}
    for one in near:
        # Users type codes for all kinds but places.
        names = [name for name in index.by_text[one] if name.id in known and name.level < _SIDE]
        for name in sorted(names, key=lambda n: (n.level if kind == "place" else 0, n.lang)):
            told.setdefault(name.id, label(network, kind, name.id, name.lang) if name.lang else name.id)
    if told:
        return _did_you_mean(told.values())
    if kind == "place" and cities_named(text):
        return whereabouts(network, text)
    if 0 < len(known) <= 50:
        return f"use one of {', '.join(sorted(known))}, or a name in English, Russian or Chinese"
    if kind == "country":
        return "use three-letter codes, such as KAZ"
    return f"{KINDS[kind][0]}.csv lists every {kind}, labels.csv their names"


def _by_meaning(network: Network, kind: str, text: str, known: Collection[str]) -> str:
    """A cure from the lists of cities, countries and everyday words, "" where they do not have the text."""
    if kind == "sector":
        return _did_you_mean(label(network, kind, one) for one in meant(kind, text, known))
    if kind == "gateway":
        gateways = meant(kind, text, known)
        return say("names.gateways", text=repr(text), gateways=", ".join(gateways)) if gateways else ""
    if kind in ("country", "region"):
        return _of_country(network, kind, text, known)
    ports = meant("gateway", text, _known(network, "gateway") if "gateways" in network else ())
    if ports:
        at = network["gateways"].by("gateway_id")
        here = dict.fromkeys(
            label(network, "place", str(at[p]["place_a"])) for p in ports if at[p]["place_a"]
        )
        return say("names.ports", text=repr(text), places=", ".join(here)) if here else ""
    if "places" not in network:
        return ""
    # The spelling of a place of the network is corrected in the language it is in.
    cities = cities_named(text)
    code = text.strip().upper()
    known_here = cities and code not in cities[0].codes and on_network(network, cities[0])
    return "" if known_here else whereabouts(network, text)


def _of_country(network: Network, kind: str, text: str, known: Collection[str]) -> str:
    country = country_named(text)
    if country is None:
        return ""
    if country.code in known:
        return _did_you_mean([country.code])
    if kind == "region" and country.region in known:
        region = label(network, kind, country.region)
        return say("names.country.region", country=country.name, region=region, code=country.region)
    return whereabouts(network, country.name) if kind == "country" else ""


def _did_you_mean(names: Iterable[str]) -> str:
    found = list(names)[:_NEAR]
    return "did you mean " + " or ".join(repr(name) for name in found) + "?" if found else ""


def _told(network: Network, kind: str, id: str) -> str:
    """What distinguishes things of the same name."""
    words = [label(network, kind, id)]
    for row in _rows(network, KINDS[kind][0]):
        if str(row[KINDS[kind][1]]) == id:
            words += [str(row[c]) for c in ("country", "mode") if row.get(c)]
    return ", ".join(words)


def _plural(kind: str) -> str:
    return "countries" if kind == "country" else f"{kind}s"

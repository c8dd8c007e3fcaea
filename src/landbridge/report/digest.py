"""The part of a Results that a report needs, and the names that its tables show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from landbridge.phrases import Term, Words, named, say
from landbridge.report.document import Section
from landbridge.results import Results, Rows
from landbridge.results.changed import assumption_rows, changed_rows
from landbridge.results.indicators import indicators
from landbridge.results.served import served_rows
from landbridge.world import World
from landbridge.world.names import MARK, labels_of

__all__ = ["GROUP", "PARTNER", "Digest", "Lead", "Names", "base_name", "members", "plain_number"]

# Group whose members have rows of their own, and the column of `regions` that marks them.
GROUP, _MEMBER = "CA5", "is_ca5"
# Region whose trade and treaties with the group are shown.
PARTNER = "CHN"


@dataclass(frozen=True)
class Lead:
    """What the first screen shows of a scenario besides the tables that are made for it.

    served, changed, assumptions: rows of `landbridge.results.served` and `landbridge.results.changed`.
    payment_gains_musd: by region, what payments to carriers add to real income [million USD of 2023].
    """

    served: Rows
    changed: Rows
    assumptions: Rows
    payment_gains_musd: Mapping[str, float]

    @staticmethod
    def of(results: Results) -> Lead:
        """That of a solved scenario."""
        gains = results.payment_gains if results.status.converged else {}
        return Lead(
            served_rows(results),
            changed_rows(results),
            assumption_rows(results),
            {region: gain["gain_musd"] for region, gain in gains.items()},
        )


@dataclass(frozen=True)
class Digest:
    """The part of a Results that the report needs, so that the Results can be freed.

    id, name: of the scenario, the name in words; sources: of the scenario, as cited; result: tables, as
    `Results.to_json` gives them; counts: rows of observed counts, of a base only; closure: of the balance of
    trade; variant: of the trade table, kgz_trade and tjk_cap; base: that of a case with a base of its own.
    base_year: of network, prices and shares; year: to which the economy is scaled. lead: of a scenario. own:
    figures of an edited World that the scenario stands for, a line each. parameters: name and value of those
    that the scenario sets.
    """

    id: str
    name: str
    sources: tuple[str, ...]
    result: dict[str, Any]
    counts: Rows
    closure: str
    variant: tuple[str, str]
    base_year: int
    year: int
    base: Digest | None = None
    lead: Lead | None = None
    own: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(
        results: Results, base: Results | None = None, detail: bool = True, *, proxies: bool = True
    ) -> Digest:
        """The tables of a Results; base: that of the study. A case with another base includes its own.

        detail: as in `Results.to_json`. proxies: with the indicators, which the first screen does not show.
        """
        scenario, world = results.scenario, results.world
        own = results.base is not None and base is not None and results.base is not base
        return Digest(
            results.id,
            scenario.name if scenario else base_name(world),
            scenario.sources if scenario else (),
            results.to_json(detail) | ({"indicators": indicators(results, results.base)} if proxies else {}),
            results.count_rows if results.base is None else [],
            results.closure,
            (world.setting("kgz_trade"), world.setting("tjk_cap")),
            world.base_year,
            int(world.parameter("horizon")),
            Digest.of(results.base, None, detail, proxies=proxies)
            if own and results.base is not None
            else None,
            Lead.of(results) if scenario is not None else None,
            tuple(scenario.description.splitlines()) if scenario and scenario.tables is not None else (),
            tuple(
                (str(m.get("parameter")), plain_number(m.get("value")))
                for m in (scenario.modifications if scenario else ())
                if m.verb == "set_parameter"
            ),
        )


def plain_number(value: Any) -> str:
    """A value of a parameter as a scenario file would write it; value: a number or a text."""
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)


def base_name(world: World) -> str:
    """Description of the base of a world: its years."""
    first, year = world.base_year, int(world.parameter("horizon"))
    if year == first:
        return say("base.name", year=first)
    return say("base.name.later", network=first, economy=year)


def members(world: World) -> list[str]:
    """The regions of the group that reports show one by one; world: whose table marks them."""
    return [str(row["region"]) for row in world.regions if row[_MEMBER]]


class Names(Words):
    """The words and names that tables show in one language, with a mark on names that nobody has reviewed.

    world: whose tables give the names; lang: en, ru or zh. names.place["XIAN"], names.region["KAZ"],
    names.sector["MCH"], names.gateway["suez"]: by identifier. names.short["XIAN"]: of a place, without its
    part in brackets. English names are those of the tables themselves and carry no mark; marked: whether
    others do. names.group["CA5"]: of a group of regions. names.brief["ARE"]: the
    shortest label of a region.
    """

    def __init__(self, world: World, lang: str = "en", marked: bool = True) -> None:
        super().__init__(lang)
        marked = marked and lang != "en"
        shown = {
            kind: {
                name: (one.marked() if marked else one.text, one.marked(short=True) if marked else one.short)
                for name, one in labels_of(world.tables, kind, lang).items()
            }
            for kind in ("place", "region", "sector", "gateway")
        }
        if lang == "en":
            # Names of other languages find them by what they name.
            shown = {
                kind: {
                    name: (named(kind, name, text), named("short" if kind == "place" else kind, name, short))
                    for name, (text, short) in of.items()
                }
                for kind, of in shown.items()
            }
        whole = {kind: {name: texts[0] for name, texts in of.items()} for kind, of in shown.items()}
        self.place, self.region, self.sector = whole["place"], whole["region"], whole["sector"]
        self.gateway = whole["gateway"]
        self.short = {name: texts[1] for name, texts in shown["place"].items()}
        # Where a line has little room: the shortest label, such as UAE, which search knows too.
        labels = [
            row for row in world.network.get("labels", ()) if (row["kind"], row["lang"]) == ("region", lang)
        ]
        self.brief = {
            region: min(
                (name.rstrip("*"), *(str(row["label"]) for row in labels if row["id"] == region)), key=len
            )
            for region, name in self.region.items()
        }
        self.group = {
            GROUP: self.say("group.CA5", n=len(members(world))),
            "world": self.say("group.world"),
        }

    def of_gateway(self, row: Mapping[str, Any]) -> str:
        """Name of the gateway of a result row."""
        return self.gateway.get(str(row["gateway"])) or str(row["name"])

    def gateways(self, ids: str) -> str:
        """Names of gateways whose ids are joined by +, as in the tables of counts."""
        return " + ".join(self.gateway.get(one, one) for one in ids.split("+"))

    def ends(self, row: Mapping[str, Any]) -> str:
        """The two places of a corridor of a result row."""
        return " - ".join(self.short.get(str(row[end]), str(row[end])) for end in ("from", "to"))

    def sectors(self, codes: Sequence[str]) -> str:
        """Names of sectors, each once, by their codes."""
        return self.joined(dict.fromkeys(self.sector.get(code, code) for code in codes))

    def named(self, term: Term) -> str:
        """The name of a term that is a place, region, sector or gateway; of others as `Words.named`."""
        of = {
            "place": self.place,
            "short": self.short,
            "region": self.region,
            "sector": self.sector,
            "gateway": self.gateway,
        }
        if term.kind == "gateways":
            return self.gateways(term.id)
        if term.kind == "drawn":
            return self.drawn(term.id)
        return of.get(term.kind, {}).get(term.id) or super().named(term)

    def drawn(self, number: str) -> str:
        """A drawn number of a range, such as theta:ENE or phi, in words."""
        kind, _, id = number.partition(":")
        of = self.sector.get(id) or self.gateway.get(id) or id
        return (
            self.say("first.drawn", number=self.term("number", kind), of=of)
            if id
            else self.term("number", kind)
        )

    def explained(self, section: Section) -> Section:
        """The section with a line that explains the mark, where a name of it has one."""
        texts = [cell for row in section.rows for cell in row] + [*section.before, *section.after]
        if not any(MARK in text for text in texts):
            return section
        return replace(section, after=(*section.after, self.say("names.unreviewed")))

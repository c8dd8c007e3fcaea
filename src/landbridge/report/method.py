"""How the figures of a report are made: equations step by step, and the tables that they rest on."""

from __future__ import annotations

from landbridge.io.cards import cards
from landbridge.report.digest import Names
from landbridge.report.document import Section, phrased
from landbridge.world import World

__all__ = ["method_sections"]

# Steps of the chain in order, each with its equation; words are in phrases.csv under method.STEP.
_STEPS = {
    "route": "G = m + t u / 24 (h + rho sqrt(v))",
    "choice": "w_r = G_r^(-phi)",
    "corridor": "s_f' = s_f exp(-lambda (K_f' - K_f)) / sum, lambda = phi_b / K",
    "wait": "W(f): service and queue at f = the observed hours",
    "trade_cost": "tau = 1 + eta K / u",
    "economy": "pi' = pi (tau^ c^ / P^)^(-theta), c^ = w^^b prod P^^g",
    "income": "W^ = (I' / I) / prod P^^alpha",
}


def method_sections(world: World, names: Names) -> list[Section]:
    """The equations of every step, and every table with its rows, years and share of assumptions.

    world: whose tables are listed; names: in the language of the report. Sources of the equations:
    docs/how_it_works.md.
    """
    steps = [
        (names.say(f"method.{name}"), equation, names.say(f"method.{name}.words"))
        for name, equation in _STEPS.items()
    ]
    rows = []
    for card in cards(world):
        counted = sum(card.basis.values())
        assumed = card.basis.get("assumption", 0) / counted if counted else None
        rows.append(
            (
                card.table,
                names.figure(card.rows, ","),
                card.years,
                "" if assumed is None else names.figure(assumed, ".0%"),
            )
        )
    return [phrased("method", steps, words=names), phrased("method.data", rows, words=names)]

"""The verbs: one function per verb, one file per subject.

A new verb needs rows `modification.NAME` in schema.csv and a function in the list of one of these files, or
a `Verb` with its keys given to `landbridge.scenario.registry.register_verb`.
"""

from __future__ import annotations

from landbridge.scenario.registry import Verb, own_verbs
from landbridge.scenario.verbs import economy, gateways, links, parameters, pipelines, places, travel

__all__ = ["BUNDLED", "verb_of"]

BUNDLED: dict[str, Verb] = {
    verb.name: verb
    for subject in (places, links, gateways, economy, travel, pipelines, parameters)
    for verb in subject.VERBS
}


def verb_of(name: str) -> Verb:
    """A verb of landbridge, or a registered one, by name. Raises KeyError for any other."""
    return BUNDLED[name] if name in BUNDLED else own_verbs()[name]

"""The channels that every case is solved with, in their order.

A further one is a file with a `Channel` and its line in `_BUNDLED`, or a `Channel` given to
`register_channel`, which makes it known in this process.
"""

from __future__ import annotations

from landbridge.channels import gas, travel
from landbridge.channels.protocol import Channel
from landbridge.scenario.registry import register_verb, unregister_verb

__all__ = ["channels", "register_channel", "unregister_channel"]

_BUNDLED = (travel.CHANNEL, gas.CHANNEL)
_own: dict[str, Channel] = {}


def channels() -> tuple[Channel, ...]:
    """Every channel: those that come with landbridge, then those registered."""
    return (*_BUNDLED, *_own.values())


def register_channel(channel: Channel) -> None:
    """Solve every further case with a channel too, and make its verbs known.

    Raises ValueError where its name or that of a verb is taken.
    """
    if any(channel.name == known.name for known in channels()):
        raise ValueError(f"there is a channel {channel.name!r} already")
    for done, verb in enumerate(channel.verbs):
        try:
            register_verb(verb)
        except ValueError:
            for other in channel.verbs[:done]:
                unregister_verb(other.name)
            raise
    _own[channel.name] = channel


def unregister_channel(name: str) -> None:
    """Forget a channel that was registered, with its verbs; those that come with landbridge stay."""
    found = _own.pop(name, None)
    for verb in found.verbs if found is not None else ():
        unregister_verb(verb.name)

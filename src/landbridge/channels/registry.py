"""The channels that every case is solved with, in their order.

To add one, write a file with a `Channel` and list it in `_BUNDLED`, or pass a `Channel` to
`register_channel`, which adds it in this process.
"""

from __future__ import annotations

from landbridge.channels import gas, travel
from landbridge.channels.protocol import Channel
from landbridge.scenario.registry import register_verb, unregister_verb

__all__ = ["channels", "register_channel", "unregister_channel"]

_BUNDLED = (travel.CHANNEL, gas.CHANNEL)
_own: dict[str, Channel] = {}


def channels() -> tuple[Channel, ...]:
    """Every channel: those of landbridge, then those registered."""
    return (*_BUNDLED, *_own.values())


def register_channel(channel: Channel) -> None:
    """Solve every later case with this channel too, and register its verbs.

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
    """Remove a registered channel by name, with its verbs; those of landbridge stay."""
    found = _own.pop(name, None)
    for verb in found.verbs if found is not None else ():
        unregister_verb(verb.name)

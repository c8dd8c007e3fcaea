"""The embedded World, its solved base and one solved scenario, made once for all tests of a process."""

from __future__ import annotations

from functools import cache

import landbridge as lb
from landbridge.model.base import SolvedBase
from landbridge.model.prepared import Prepared

__all__ = ["base", "railway", "world"]


@cache
def world() -> lb.World:
    """The embedded World."""
    return lb.load()


@cache
def base() -> SolvedBase:
    """The base of the embedded World, from which cases on its own network are solved."""
    return SolvedBase(Prepared([world()]), world(), 0, throw=True)


@cache
def railway() -> lb.Study:
    """The base and the new railway to Kyrgyzstan and Uzbekistan, with the range of phi_b."""
    return lb.study(world(), ["cku-railway"], response=True)

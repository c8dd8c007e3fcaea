"""The main table of an Answer as a DataFrame with the Answer attached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import pandas as pd

__all__ = ["Ranking"]


class _Tables(Protocol):
    @property
    def tables(self) -> Mapping[str, pd.DataFrame]: ...


class Ranking(pd.DataFrame):
    """A sorted table; what is derived from it is a plain DataFrame. answer: status, manifest, document.

    data, index, columns, dtype, copy: of pandas.DataFrame.
    """

    _metadata: ClassVar[list[str]] = ["answer"]
    answer: Any

    def __getstate__(self) -> dict[str, Any]:
        # Functions of an Answer are not pickled.
        state: Any = super().__getstate__()
        return {**state, "answer": None}

    @staticmethod
    def of(answer: _Tables, columns: Sequence[str]) -> Ranking:
        """The first table of an Answer; columns: used even if it has no row."""
        made = Ranking(next(iter(answer.tables.values())), columns=list(columns))
        made.answer = answer
        return made

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

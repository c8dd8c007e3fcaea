"""Structural gravity from a table of flows: estimates in columns, and the bias of three-way PPML."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.errors import Status
from landbridge.estimation import Estimate, Method, bias_correct, estimate
from landbridge.estimation.reading import read_panel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Asked", "Estimated", "gravity"]


@dataclass(frozen=True)
class Asked:
    """Formulas, estimated on the same data, and options as in `landbridge.estimation.estimate`.

    bias: also correct the first estimate for the bias of three-way PPML.
    """

    formulas: tuple[str, ...]
    where: str | None = None
    cluster: str | None = None
    method: Method = "ppml"
    exporter: str | None = None
    importer: str | None = None
    bias: bool = False


@dataclass(frozen=True, eq=False)
class Estimated:
    """Estimates of one or more formulas.

    estimates: in the order of their formulas. corrected: a row per coefficient of the first, if asked for.
    source: name (None for a DataFrame) and sha256 of the data.
    """

    estimates: tuple[Estimate, ...]
    corrected: list[dict[str, Any]] | None
    source: dict[str, str | None]

    @property
    def status(self) -> Status:
        """The worst status of all estimates."""
        return Status.worst(one.status for one in self.estimates)

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """The tables by name: coefficients, with the number of their estimate from 1; bias_correction."""
        found = [
            {"estimate": number, **row}
            for number, one in enumerate(self.estimates, start=1)
            for row in one.to_json()["coefficients"]
        ]
        bias = {} if self.corrected is None else {"bias_correction": self.corrected}
        return {"coefficients": found, **bias}

    def to_json(self) -> dict[str, Any]:
        """The result as plain values, as `landbridge gravity --json` prints it."""
        first, *others = (one.to_json() for one in self.estimates)
        if others:
            first["also"] = others
        if self.corrected is not None:
            first["bias_correction"] = self.corrected
        return first


def gravity(
    data: pd.DataFrame | Path | str, asked: Asked, tell: Callable[[str], None] | None = None
) -> Estimated:
    """Estimate every formula on the same data.

    data: DataFrame or path; asked: formulas and options; tell: called with each formula before it is
    estimated.
    Returns an Estimated. Raises as `landbridge.estimation.estimate` and `bias_correct` do.
    """
    frame = read_panel(data) if isinstance(data, str | Path) else data
    found = []
    for formula in asked.formulas:
        if tell is not None:
            tell(formula)
        found.append(
            estimate(
                formula,
                frame,
                asked.where,
                asked.cluster,
                method=asked.method,
                exporter=asked.exporter,
                importer=asked.importer,
            )
        )
    corrected = _plain(bias_correct(found[0]).table()) if asked.bias else None
    return Estimated(tuple(found), corrected, _source(data))


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]


def _source(data: pd.DataFrame | Path | str) -> dict[str, str | None]:
    """Name and sha256 of a file; the sha256 of a DataFrame is that of its CSV text."""
    if isinstance(data, str | Path):
        with Path(data).open("rb") as file:
            return {"name": Path(data).name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    return {"name": None, "sha256": hashlib.sha256(data.to_csv(index=False).encode("utf-8")).hexdigest()}

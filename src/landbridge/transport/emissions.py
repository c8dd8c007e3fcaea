"""Emissions of the transport chain elements of ISO 14083: haulage by mode and country, handling by lift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landbridge.errors import DataError, Fault
from landbridge.world.table import Table, cell_number

__all__ = ["EmissionFactors", "carrier"]


def carrier(link: Mapping[str, Any]) -> str:
    """The carrier on a link, whose emission factor holds: its mode, or a ferry where a road runs over water.

    link: its row.
    """
    mode = str(link["mode"])
    return "ferry" if mode == "road" and link["water"] is not None else mode


class EmissionFactors:
    """Emission factors of hauls and lifts, looked up by mode and country.

    e = g / 1000 x payload x length   [kg CO2e/TEU = g/tkm / 1000 x t/TEU x km]

    table: `emission_factors`; g_per_tkm in g CO2e/tkm, for `handling` in kg CO2e per TEU and lift; its part
    ttw_g_per_tkm arises where the energy is used (tank to wheel), blank where no source states it.
    payload_t: standard payload of a TEU [t], so that a route's emissions do not depend on the goods. Electric
    traction uses the grid of the country, is generation only (no grid loss, no fuel chain) and has no
    tank-to-wheel part. Load and empty running are those of each source (see its note); no factor is scaled by
    a load of our own.
    Raises DataError when a mode has neither the country asked for nor `*`, or a part exceeds its whole.
    Source: ISO 14083:2023, transport chain elements; the factors carry their own sources.
    """

    def __init__(self, table: Table, payload_t: float) -> None:
        self.payload_t = payload_t
        self._factor: dict[tuple[str, str], float] = {}
        self._tank: dict[tuple[str, str], float | None] = {}
        faults = []
        for row in table:
            key = str(row["mode"]), str(row["country"])
            self._factor[key] = cell_number(row, "g_per_tkm")
            tank = row.get("ttw_g_per_tkm")
            self._tank[key] = None if tank is None else float(tank)
            if tank is not None and float(tank) > self._factor[key]:
                what = f"{' '.join(key)}: ttw_g_per_tkm {tank:g} is more than g_per_tkm {self._factor[key]:g}"
                faults.append(Fault("emission_factors.csv", what, "the part cannot exceed the whole"))
        if faults:
            raise DataError("the emission factors cannot be used", faults)

    def factor(self, mode: str, country: str) -> float:
        """The factor of a mode in a country, or its `*` row, well to wheel [g CO2e/tkm].

        Raises DataError where there is neither.
        """
        return self._factor[self._key(mode, country)]

    def _key(self, mode: str, country: str) -> tuple[str, str]:
        for key in ((mode, country), (mode, "*")):
            if key in self._factor:
                return key
        fault = Fault("emission_factors.csv", f"no {mode} for {country}", f"add a row {mode}, *")
        raise DataError("an emission factor is missing", [fault])

    def haul(self, mode: str, electrified: bool, countries: tuple[str, str], length_km: float) -> float:
        """Emissions of one TEU over a link: half the factor of either end's country [kg CO2e/TEU].

        mode, electrified, countries: of the link; length_km: km.
        """
        mode = traction(mode, electrified)
        first, second = (self.factor(mode, country) for country in countries)
        return 0.5 * (first + second) / 1000.0 * self.payload_t * length_km

    def haul_ttw(
        self, mode: str, electrified: bool, countries: tuple[str, str], length_km: float
    ) -> float | None:
        """The tank-to-wheel part of `haul` [kg CO2e/TEU]; None where no source states it.

        Arguments as in `haul`.
        """
        mode = traction(mode, electrified)
        first, second = (self._tank[self._key(mode, country)] for country in countries)
        if first is None or second is None:
            return None
        return 0.5 * (first + second) / 1000.0 * self.payload_t * length_km

    def lift(self) -> float:
        """Emissions of one lift of a container in a terminal or port [kg CO2e/TEU]."""
        return self.factor("handling", "*")


def traction(mode: str, electrified: bool) -> str:
    """The mode of the emission factors for a link."""
    if mode.startswith("rail"):
        return "rail-electric" if electrified else "rail-diesel"
    return mode

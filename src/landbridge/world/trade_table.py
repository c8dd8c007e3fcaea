"""The benchmark economy: trade by origin, destination and sector, tariffs, production and use.

A `TradeTable` holds observed flows and shares of one year, and nothing that has to be solved for.
The order of axes is always origin (exporter), destination (importer), sector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landbridge.errors import DataError, Fault

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TradeTable", "cell_faults"]

Array = NDArray[np.float64]

# Sums of shares within this distance of one are rounding errors and are rescaled.
SHARE_TOLERANCE = 1e-5
# Published input-output tables have a few slightly negative uses (stock changes, rounding). The equations
# accept them, so they are kept down to this size.
NEGATIVE_INPUT = -0.01
# Faults of a kind that are listed; the others are counted.
SPELLED_OUT = 3


@dataclass(frozen=True, eq=False, repr=False)
class TradeTable:
    """World trade, tariffs and production shares of one year, checked when it is made.

    Output Y_n^s = sum_d trade[n, d, s]; expenditure X_n^s = sum_o trade[o, n, s] (1 + tariff[o, n, s]);
    value added w_nL_n = sum_s b_n^s Y_n^s; deficit D_n = imports - exports, both net of tariff;
    income I_n = w_nL_n + tariff revenue + D_n.

    Parameters
    ----------
    regions, sectors
        Distinct codes; N regions and S sectors.
    trade : [N, N, S], million USD
        Sales of origin to destination at producer prices, net of tariff, domestic sales on the diagonal.
    tariff : [N, N, S], fraction
        Ad-valorem tariff that the destination levies on the origin.
    value_added_share : [N, S], fraction
        b_n^s, value added over output.
    input_share : [N, S, S], fraction
        Share of input k (axis 1) in the materials of using sector s (axis 2); sums to one over inputs.
    final_share : [N, S], fraction
        alpha_n^s, share of sector s in final spending; sums to one over sectors.
    theta : [S]
        Trade elasticity of the sector.
    rent_share : [N, S], fraction
        r_n^s, part of the sector's value added that a fixed factor of its own earns (deposits of oil, gas or
        ores); none by default.

    Raises
    ------
    DataError
        Lists every fault found, each with its place and a cure.

    Notes
    -----
    Arrays are copied, stored read-only, and shares within 1e-5 of their sum are rescaled to it.

    Source: the accounting of Caliendo and Parro (2015), Review of Economic Studies 82(1), section 2.
    """

    regions: tuple[str, ...]
    sectors: tuple[str, ...]
    trade: Array
    tariff: Array
    value_added_share: Array
    input_share: Array
    final_share: Array
    theta: Array
    rent_share: Array

    def __init__(
        self,
        regions: Sequence[str],
        sectors: Sequence[str],
        trade: ArrayLike,
        tariff: ArrayLike,
        value_added_share: ArrayLike,
        input_share: ArrayLike,
        final_share: ArrayLike,
        theta: ArrayLike,
        rent_share: ArrayLike | None = None,
    ) -> None:
        names = tuple(str(r) for r in regions), tuple(str(s) for s in sectors)
        N, S = len(names[0]), len(names[1])
        faults = _name_faults(*names)
        shapes = {
            "trade": (N, N, S),
            "tariff": (N, N, S),
            "value_added_share": (N, S),
            "input_share": (N, S, S),
            "final_share": (N, S),
            "theta": (S,),
            "rent_share": (N, S),
        }
        given = {
            "trade": trade,
            "tariff": tariff,
            "value_added_share": value_added_share,
            "input_share": input_share,
            "final_share": final_share,
            "theta": theta,
            "rent_share": np.zeros((N, S)) if rent_share is None else rent_share,
        }
        arrays: dict[str, Array] = {}
        for name, shape in shapes.items():
            try:
                arrays[name] = np.array(given[name], dtype=np.float64, order="C")
            except (TypeError, ValueError):
                faults.append(Fault(name, "does not hold numbers", f"give an array of shape {shape}"))
                continue
            if arrays[name].shape != shape:
                faults.append(
                    Fault(
                        name,
                        f"has shape {arrays[name].shape}",
                        f"give shape {shape}, origin before destination",
                    )
                )
        if not faults:
            faults = _value_faults(*names, arrays)
        if not faults:
            faults = _account_faults(*names, arrays)
        if faults:
            count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
            raise DataError(f"the trade table has {count}", faults)
        for name in ("input_share", "final_share"):
            total = arrays[name].sum(axis=1, keepdims=True)
            arrays[name] = arrays[name] / np.where(total > 0.5, total, 1.0)
        object.__setattr__(self, "regions", names[0])
        object.__setattr__(self, "sectors", names[1])
        for name, array in arrays.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def armington(
        cls, trade: ArrayLike, theta: float = 4.0, regions: Sequence[str] | None = None
    ) -> TradeTable:
        """A one-sector economy without inputs and tariffs (Armington or Eaton-Kortum).

        trade [N, N]: million USD, with domestic sales on the diagonal; theta: trade elasticity (sigma - 1 in
        Armington); regions: N codes, R1, R2 ... by default. Raises DataError as the constructor does.

        Source: Arkolakis, Costinot, Rodriguez-Clare (2012), American Economic Review 102(1), section 3.
        """
        flows = np.asarray(trade, dtype=np.float64)
        if flows.ndim != 2 or flows.shape[0] != flows.shape[1]:
            fault = Fault(
                "trade", f"has shape {flows.shape}", "give [origin, destination] with domestic sales"
            )
            raise DataError("the trade table has 1 fault", [fault])
        N = len(flows)
        return cls(
            regions=tuple(f"R{n + 1}" for n in range(N)) if regions is None else regions,
            sectors=("ALL",),
            trade=flows[:, :, None],
            tariff=np.zeros((N, N, 1)),
            value_added_share=np.ones((N, 1)),
            input_share=np.ones((N, 1, 1)),
            final_share=np.ones((N, 1)),
            theta=[theta],
        )

    @classmethod
    def from_frame(
        cls,
        trade: pd.DataFrame,
        theta: float | Mapping[str, float] = 4.0,
        production: pd.DataFrame | None = None,
        inputs: pd.DataFrame | None = None,
        fill_missing: bool = False,
    ) -> TradeTable:
        """A table from long data frames, one row per cell; all faults of all frames in one report.

        Parameters
        ----------
        trade
            Columns origin, destination, trade [million USD, domestic sales included] and, optionally, sector
            and tariff [fraction]. Regions and sectors are sorted by code.
        theta
            One trade elasticity, or one per sector.
        production
            Columns region, sector, value_added_share, final_share [fraction]; required for several sectors.
        inputs
            Columns region, input, using, share [fraction] of input in the materials of using; absent rows
            are zero.
        fill_missing
            Absent pairs are flows of zero; otherwise each is a fault.

        Raises
        ------
        DataError
            Missing columns, negative, missing or repeated cells, regions in one frame and not in another,
            shares that do not sum to one.
        """
        from landbridge.world.trade_frame import table_from_frame  # imported late: it imports this module

        return table_from_frame(trade, theta, production, inputs, fill_missing)

    @classmethod
    def from_estimate(
        cls,
        estimate: Any,
        theta: float | Mapping[str, float] = 4.0,
        year: int | None = None,
        sector: str | None = None,
        production: pd.DataFrame | None = None,
        inputs: pd.DataFrame | None = None,
        fill_missing: bool = False,
    ) -> TradeTable:
        """The fitted flows of an estimated gravity model as a table: X_od = exp(b'x + effects).

        Domestic sales are included. With exporter and importer effects, fitted outputs and expenditures equal
        those of the sample.

        Parameters
        ----------
        estimate
            A result of `landbridge.estimation.estimate` by PPML, flows in million USD.
        theta
            One trade elasticity, or one per sector.
        year
            The year to use, where the sample has several.
        sector
            Column of the sample that holds the sector; None for one sector.
        production, inputs
            As in `from_frame`; required for several sectors.
        fill_missing
            Pairs that are not in the sample (dropped by the estimate, or never in it) are flows of zero;
            otherwise each is a fault.

        Raises
        ------
        DataError
            An estimate by least squares, no domestic sales, several years and none chosen, and what
            `from_frame` rejects.

        Source: Fally (2015), Journal of International Economics 97(1), for the adding up.
        """
        from landbridge.world.trade_fitted import table_from_estimate  # imported late: it imports this module

        return table_from_estimate(estimate, theta, year, sector, production, inputs, fill_missing)

    @property
    def sells_nothing_at_home(self) -> tuple[str, ...]:
        """Regions whose domestic sales are zero or floored (below a millionth of their spending)."""
        home = np.einsum("nns->n", self.trade)
        low = home < 1e-6 * self.expenditure.sum(axis=1)
        return tuple(code for code, none in zip(self.regions, low, strict=True) if none)

    @property
    def output(self) -> Array:
        """Y[n, s], sales at producer prices [million USD]."""
        return np.asarray(self.trade.sum(axis=1))

    @property
    def expenditure(self) -> Array:
        """X[n, s], spending at prices that include the tariff [million USD]."""
        return np.asarray((self.trade * (1.0 + self.tariff)).sum(axis=0))

    @property
    def value_added(self) -> Array:
        """Value added [n], w_nL_n + rents = sum_s b_n^s Y_n^s [million USD]."""
        return np.asarray((self.value_added_share * self.output).sum(axis=1))

    @property
    def rents(self) -> Array:
        """Rents of the fixed factors [n], sum_s r_n^s b_n^s Y_n^s [million USD]."""
        return np.asarray((self.rent_share * self.value_added_share * self.output).sum(axis=1))

    @property
    def labour_share(self) -> Array:
        """(1 - r) b [n, s], share of output earned by factors that move between sectors [fraction]."""
        return np.asarray((1.0 - self.rent_share) * self.value_added_share)

    @property
    def deficits(self) -> Array:
        """D[n], imports less exports, both net of tariff [million USD]; sums to zero."""
        return np.asarray(self.trade.sum(axis=(0, 2)) - self.trade.sum(axis=(1, 2)))

    @property
    def tariff_revenue(self) -> Array:
        """R[n] = sum_{o,s} tariff x trade [million USD]."""
        return np.asarray((self.trade * self.tariff).sum(axis=(0, 2)))

    @property
    def gdp(self) -> Array:
        """GDP at market prices [n], value added + tariff revenue [million USD]."""
        return self.value_added + self.tariff_revenue

    @property
    def income(self) -> Array:
        """I[n] = value added + tariff revenue + deficit [million USD]."""
        return self.value_added + self.tariff_revenue + self.deficits

    @property
    def home_share(self) -> Array:
        """pi_nn [n, s], share of domestic sales in expenditure [fraction]; 1 where nothing is spent."""
        spent = self.expenditure
        home = np.einsum("nns->ns", self.trade * (1.0 + self.tariff))
        return np.asarray(np.divide(home, spent, out=np.ones_like(spent), where=spent > 0))

    @property
    def demand(self) -> Array:
        """alpha_n^s I_n + sum_k g_n^sk Y_n^k [n, s], spending that the shares imply [million USD]."""
        materials = (1.0 - self.value_added_share) * self.output
        used = np.matmul(self.input_share, materials[:, :, None])[:, :, 0]
        return np.asarray(self.final_share * self.income[:, None] + used)

    @property
    def imbalance(self) -> float:
        """Largest gap between spending in the flows and by the shares, relative to the region's income."""
        gap = np.abs(self.demand - self.expenditure).max(axis=1)
        return float((gap / np.abs(self.income)).max())

    def region(self, code: str) -> int:
        """The position of a region code on the axes.

        Raises DataError with the nearest codes for an unknown one.
        """
        return _position(code, self.regions, "region")

    def sector(self, code: str) -> int:
        """The position of a sector code on the axis.

        Raises DataError with the nearest codes for an unknown one.
        """
        return _position(code, self.sectors, "sector")

    def __repr__(self) -> str:
        N, S = len(self.regions), len(self.sectors)
        abroad = self.trade.sum() - np.einsum("nns->", self.trade)
        shown = ", ".join(self.regions[:4]) + (", ..." if N > 4 else "")
        return (
            f"TradeTable({N} regions x {S} sector{'s' if S != 1 else ''} [{shown}]; "
            f"value added {self.value_added.sum():,.4g}, cross-border trade {abroad:,.4g} musd; "
            f"mean tariff {self.tariff_revenue.sum() / abroad if abroad > 0 else 0.0:.2%}; "
            f"theta {self.theta.min():g}-{self.theta.max():g}; imbalance {self.imbalance:.1e})"
        )


def _position(code: str, known: tuple[str, ...], kind: str) -> int:
    from landbridge.errors import did_you_mean

    try:
        return known.index(code)
    except ValueError:
        cure = did_you_mean(code, known) or f"choose one of {', '.join(known)}"
        raise DataError(
            f"unknown {kind} {code!r}", [Fault(kind, f"{code!r} is not in the table", cure)]
        ) from None


def _name_faults(regions: tuple[str, ...], sectors: tuple[str, ...]) -> list[Fault]:
    faults: list[Fault] = []
    for kind, names in (("regions", regions), ("sectors", sectors)):
        if not names:
            faults.append(Fault(kind, "is empty", "name at least one"))
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            faults.append(Fault(kind, f"names {', '.join(twice)} more than once", "give distinct codes"))
    return faults


def cell_faults(
    bad: NDArray[np.bool_], where: str, axes: Sequence[tuple[str, ...]], what: str, cure: str
) -> list[Fault]:
    """Faults of the flagged cells, the first few listed and the others counted.

    bad [one axis for each of axes]: flags; where: name of the array; axes: labels of each axis; what, cure:
    of every
    fault.
    """
    places = np.argwhere(bad)
    faults = [
        Fault(f"{where}[{', '.join(axis[i] for axis, i in zip(axes, place, strict=True))}]", what, cure)
        for place in places[:SPELLED_OUT]
    ]
    if len(places) > SPELLED_OUT:
        faults.append(Fault(where, f"{len(places) - SPELLED_OUT} more cells: {what}", cure))
    return faults


def _value_faults(
    regions: tuple[str, ...], sectors: tuple[str, ...], arrays: dict[str, Array]
) -> list[Fault]:
    """Cells that are not finite or have the wrong sign."""
    ns: tuple[tuple[str, ...], ...] = (regions, sectors)
    axes = {
        "trade": (regions, *ns),
        "tariff": (regions, *ns),
        "value_added_share": ns,
        "input_share": (*ns, sectors),
        "final_share": ns,
        "theta": (sectors,),
        "rent_share": ns,
    }
    faults: list[Fault] = []
    for name, array in arrays.items():
        faults += cell_faults(
            ~np.isfinite(array), name, axes[name], "is not a finite number", "fill it; 0 = no flow"
        )
    with np.errstate(invalid="ignore"):
        b, t = arrays["value_added_share"], arrays["tariff"]
        faults += cell_faults(
            arrays["trade"] < 0, "trade", axes["trade"], "is negative", "flows are at least 0"
        )
        faults += cell_faults(
            t <= -1, "tariff", axes["tariff"], "is -100 % or less", "give a fraction, 0.05 for 5 %"
        )
        faults += cell_faults(
            (b < 0) | (b > 1), "value_added_share", ns, "is outside 0 to 1", "give value added over output"
        )
        faults += cell_faults(
            arrays["input_share"] < NEGATIVE_INPUT, "input_share", axes["input_share"], "is negative", "use 0"
        )
        faults += cell_faults(
            arrays["final_share"] < 0, "final_share", ns, "is negative", "use 0 and rescale"
        )
        faults += cell_faults(
            arrays["theta"] <= 0, "theta", (sectors,), "is not positive", "give a trade elasticity > 0"
        )
        r = arrays["rent_share"]
        cure = "give a part of the value added, below all of it"
        faults += cell_faults((r < 0) | (r >= 1), "rent_share", ns, "is below 0 or not below 1", cure)
    return faults


def _account_faults(
    regions: tuple[str, ...], sectors: tuple[str, ...], arrays: dict[str, Array]
) -> list[Fault]:
    """Shares sum to one, every region has value added, and what is demanded is supplied."""
    ns = (regions, sectors)
    trade, b = arrays["trade"], arrays["value_added_share"]
    output, supplied = trade.sum(axis=1), trade.sum(axis=0) > 0
    inputs = arrays["input_share"].sum(axis=1)
    uses_inputs = (b < 1) & (output > 0)
    off = np.abs(inputs - 1.0) > SHARE_TOLERANCE
    faults = cell_faults(
        # A column of zeros marks a sector that buys no materials.
        off & (uses_inputs | (np.abs(inputs) > SHARE_TOLERANCE)),
        "input_share",
        ns,
        "does not sum to 1 over inputs",
        "divide by the sum over axis 1",
    )
    faults += cell_faults(
        np.abs(arrays["final_share"].sum(axis=1) - 1.0) > SHARE_TOLERANCE,
        "final_share",
        (regions,),
        "does not sum to 1 over sectors",
        "divide by the sum",
    )
    earned = (b * output).sum(axis=1)
    faults += cell_faults(
        earned <= 0, "trade", (regions,), "has no value added", "give it sales or drop the region"
    )
    materials = (1.0 - b) * output
    wanted = (arrays["final_share"] > 0) | (
        np.matmul(arrays["input_share"], materials[:, :, None])[:, :, 0] > 0
    )
    faults += cell_faults(
        wanted & ~supplied,
        "trade",
        ns,
        "is demanded by the shares but bought from nowhere",
        "give a flow, or a zero share",
    )
    return faults

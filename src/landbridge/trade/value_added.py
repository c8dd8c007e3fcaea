"""Trade in value added: the origin of the value added in exports, and where it is finally used.

All values are at producer prices, net of tariff. Value added is factor income, b Y; the tariffs that
producers pay on imported inputs are a separate term (`input_tariff`), so that per unit of output
b + input tariff + inputs = 1 and every decomposition adds up to the flow it splits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import DataError, Fault
from landbridge.world.trade_table import TradeTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ValueAdded", "value_added"]

Array = NDArray[np.float64]

# Koopman, Wang and Wei's nine terms in their order, and the tariffs on inputs in exports.
TERMS = (
    "final_goods",
    "inputs_used_by_importer",
    "inputs_passed_to_third",
    "returns_in_final_goods",
    "returns_in_inputs",
    "double_counted_domestic",
    "foreign_in_final_goods",
    "foreign_in_inputs",
    "double_counted_foreign",
    "input_tariff",
)


@dataclass(frozen=True, eq=False, repr=False)
class ValueAdded:
    """Leontief accounts of one table; a producer is a pair (region, sector), regions outermost.

    Attributes
    ----------
    regions, sectors : [N], [S]
        Codes, in the order of the producers.
    coefficients : [N S, N S]
        A, inputs at producer prices per unit of output.
    leontief : [N S, N S]
        B = (I - A)^-1.
    final : [N S, N], million USD
        Final use of every producer's goods by destination, producer prices.
    share, input_tariff : [N S]
        Value added and tariffs on inputs per unit of output.

    Source: Johnson and Noguera (2012), Journal of International Economics 86(2); Koopman, Wang and Wei
    (2014), American Economic Review 104(2), equation (36).
    """

    regions: tuple[str, ...]
    sectors: tuple[str, ...]
    coefficients: Array
    leontief: Array
    final: Array
    share: Array
    input_tariff: Array
    _trade: Array = field(repr=False)

    def _sum(self, values: Array) -> Array:
        """Sum over the sectors of every region, along the first axis."""
        N, S = len(self.regions), len(self.sectors)
        return np.asarray(values.reshape(N, S, *values.shape[1:]).sum(axis=1))

    @cached_property
    def exports(self) -> Array:
        """Gross exports of every region [n], million USD."""
        total: Array = self._trade.sum(axis=(1, 2)) - np.einsum("nns->n", self._trade)
        return total

    @cached_property
    def by_final_use(self) -> Array:
        """Value added of origin finally used in destination [o, d], million USD; rows sum to b Y."""
        return self._sum(self.share[:, None] * (self.leontief @ self.final))

    @cached_property
    def exported(self) -> Array:
        """Value-added exports [n]: value added finally used abroad, million USD."""
        return np.asarray(self.by_final_use.sum(axis=1) - np.diag(self.by_final_use))

    @cached_property
    def ratio(self) -> Array:
        """Johnson and Noguera's VAX ratio [n], value-added over gross exports; NaN without exports."""
        safe = np.where(self.exports > 0, self.exports, np.nan)
        return np.asarray(self.exported / safe)

    @cached_property
    def in_exports(self) -> Array:
        """Value added of source in the gross exports of exporter [source, exporter], million USD."""
        N, S = len(self.regions), len(self.sectors)
        own = np.zeros((N * S, N))
        for n in range(N):
            abroad = self._trade[n].sum(axis=0) - self._trade[n, n]
            own[n * S : (n + 1) * S, n] = abroad
        return self._sum(self.share[:, None] * (self.leontief @ own))

    @cached_property
    def decomposition(self) -> Array:
        """Gross exports of every region split into `TERMS` [n, 10], million USD; rows sum to `exports`."""
        N, S = len(self.regions), len(self.sectors)
        A, B, f = self.coefficients, self.leontief, self.final
        at = [slice(n * S, (n + 1) * S) for n in range(N)]
        abroad = self._trade.sum(axis=1) - np.einsum("nns->ns", self._trade)  # [n, s]
        # Output for a region's own final use and for its exports, all produced domestically.
        for_home, for_exports = np.empty(N * S), np.empty(N * S)
        for n in range(N):
            kept = np.eye(S) - A[at[n], at[n]]
            for_home[at[n]] = np.linalg.solve(kept, f[at[n], n])
            for_exports[at[n]] = np.linalg.solve(kept, abroad[n])
        own_final = np.concatenate([f[at[n], n] for n in range(N)])
        out = np.empty((N, len(TERMS)))
        for n in range(N):
            i = at[n]
            made = self.share[i] @ B[i]  # own value added per unit of final use of every producer
            away = made.copy()
            away[i] = 0.0
            foreign = self.share @ B[:, i] - made[i]
            sold_final = f[i].sum(axis=1) - f[i, n]
            third = f.sum(axis=1) - own_final - f[:, n]
            back = away @ A[:, i]
            sent = A[i].copy()
            sent[:, i] = 0.0
            out[n] = (
                made[i] @ sold_final,
                away @ own_final,
                away @ third,
                away @ f[:, n],
                back @ for_home[i],
                back @ for_exports[i],
                foreign @ sold_final,
                foreign @ (sent @ for_home),
                foreign @ (sent @ for_exports),
                (self.input_tariff @ B[:, i]) @ abroad[n],
            )
        return out

    def __repr__(self) -> str:
        return (
            f"ValueAdded({len(self.regions)} regions x {len(self.sectors)} sectors; "
            f"{np.nansum(self.exported) / np.sum(self.exports) if self.exports.any() else np.nan:.3f} of "
            "world exports is value-added exports)"
        )

    def frame(self) -> pd.DataFrame:
        """One row per region: exports, value-added exports, their ratio and the ten terms [million USD]."""
        import pandas as pd

        columns = {"exports_musd": self.exports, "value_added_exports_musd": self.exported}
        columns |= {"vax_ratio": self.ratio}
        columns |= {f"{term}_musd": self.decomposition[:, k] for k, term in enumerate(TERMS)}
        return pd.DataFrame(columns, index=pd.Index(self.regions, name="region"))


def value_added(table: TradeTable) -> ValueAdded:
    """Value-added accounts of a trade table: input coefficients, Leontief inverse, final use, shares.

    Inputs k of producer (n, s) come from origin o in proportion to n's purchases of k:
    Z = F_on^k (g_n^ks Y_n^s / X_n^k), final use is the rest of F, B = (I - A)^-1. Source: as of
    `ValueAdded`.

    Parameters
    ----------
    table
        The trade table, of trade [N, N, S] (origin, destination, sector), million USD.

    Raises
    ------
    DataError
        The table's inputs have no Leontief inverse.
    """
    N, S = len(table.regions), len(table.sectors)
    output, spending = table.output, table.expenditure
    g = table.input_share * (1.0 - table.value_added_share)[:, None, :]
    safe = np.where(spending > 0, spending, 1.0)
    net = table.trade / safe[None]  # goods received per unit spent, [o, n, k]
    A = np.einsum("onk,nks->okns", net, g).reshape(N * S, N * S)
    input_share = np.einsum("nks,ns->nk", g, output) / safe
    final = np.asarray((table.trade * (1.0 - input_share)).transpose(0, 2, 1)).reshape(N * S, N)
    paid = np.einsum("onk,onk->nk", net, table.tariff)
    tariff = np.einsum("nk,nks->ns", paid, g).reshape(-1)
    try:
        inverse = np.linalg.inv(np.eye(N * S) - A)
    except np.linalg.LinAlgError:
        fault = Fault("input_share", "uses up all output as inputs", "raise value_added_share above zero")
        raise DataError("the table has no Leontief inverse", [fault]) from None
    share = table.value_added_share.reshape(-1)
    return ValueAdded(table.regions, table.sectors, A, inverse, final, share, tariff, table.trade)

"""One solved World with its tables, and its changes against a base.

Tables of rows are made by functions over parts of it, in `income`, `network` and others, and stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landbridge.errors import ConvergenceError, Fault, LandbridgeError, Status
from landbridge.io.ranges import shipped_ranges
from landbridge.notebook import html_table
from landbridge.results import income, network
from landbridge.results.counts import Passed, count_rows, observed_cells
from landbridge.results.mode_split import mode_split_rows
from landbridge.results.transit import Carriers, Payments, Tolls, payments, transit_rows
from landbridge.scenario import Scenario
from landbridge.trade import Carriage, Equilibrium
from landbridge.trade.welfare import CENTRAL_ASIA
from landbridge.transport import Choice, Freight, Graph, Queues
from landbridge.transport.choice.costs import corridor_rows, family_costs, pair_costs
from landbridge.world import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "Results", "Rows"]

FloatArray = NDArray[np.float64]
Rows = list[dict[str, Any]]

# Parts as large as the routes, which a pickle leaves out, and the tables made from them, which it holds.
_OF_ROUTES = ("choice", "unqueued", "freight", "tolls")
_TABLES_OF_ROUTES = ("corridor_rows", "mode_split_rows", "payments", "n_routes")
# Flows of routes found again differ by rounding at most, as a share of the largest.
_SAME = 1e-9
# Of a region outside the trade table.
_NO_GAIN = {"above_cost_musd": 0.0, "gain_musd": 0.0}


@dataclass(frozen=True, eq=False, repr=False)
class Results:
    """One solved World: routes, flows, waits, trade and real income.

    id: "base" or the scenario's. world, graph: after its changes. status: whether every solve converged.
    notes: what a reader has to know, as sentences. response: real income
    at both ends of the range of phi_b, None where it was not asked for. choice, freight, demand_teu [pair,
    k], flow_teu [arc, product], TEU a year: the freight side. goods [arc, 2]: loaded containers [TEU a year]
    and all goods [t a year]. equilibrium: by closure of the trade balance; first_order: d ln real income [n]
    by closure, gradient times log changes; direct [n]: its part by pairs of zones whose own routes the case
    changes, under the main closure. closure: the one whose flows are on the network. loading: the equilibrium
    behind these flows, before changed payments to carriers; tolls: the carriers and what they are paid for,
    None where there are none; carriage: payments to them, more than in the base. cost_hat [o, d, s]:
    tau'/tau. queues, load [q]: those with a capacity, and arrivals over it. unqueued: the choice at the waits
    of the base, before those of this case were found; the choice itself in a base and where there is no
    queue. base: reference of every change (None for a base itself). again: solves the same once more, from
    its Worlds.

    A pickle holds Worlds, flows, equilibria and the finished tables, not the routes. Other parts that need
    routes (choice, unqueued, freight, tolls, skims) are found again on first use, in a few seconds; a
    LandbridgeError is raised where the flows then differ (another version, other stored routes).
    """

    id: str
    scenario: Scenario | None
    world: World
    graph: Graph
    choice: Choice
    freight: Freight
    demand_teu: FloatArray
    flow_teu: FloatArray
    goods: FloatArray
    cost_hat: FloatArray
    equilibrium: Mapping[str, Equilibrium]
    loading: Equilibrium
    first_order: Mapping[str, FloatArray]
    closure: str
    status: Status
    notes: tuple[str, ...] = ()
    base: Results | None = field(default=None)
    queues: Queues | None = field(default=None)
    load: FloatArray | None = field(default=None)
    # A class attribute must not hide a part that a pickle leaves out.
    unqueued: Choice | None = field(default_factory=lambda: None)
    direct: FloatArray | None = field(default=None)
    response: Mapping[str, FloatArray] | None = field(default=None)
    tolls: Tolls | None = field(default_factory=lambda: None)
    carriage: Carriage | None = field(default=None)
    again: Callable[[], Results] | None = field(default=None)

    # -- in a pickle ---------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        if self.again is None:
            return dict(vars(self))
        kept = (name for name in (*_FIELDS, *_TABLES_OF_ROUTES) if name not in _OF_ROUTES)
        return {name: getattr(self, name) for name in kept}

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Called for absent attributes: parts that a pickle left out."""
            if name not in _OF_ROUTES or "again" not in vars(self):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            self._find_routes_again()
            return vars(self)[name]

    def _find_routes_again(self) -> None:
        """Restore the parts that a pickle left out, here and in the base.

        Raises LandbridgeError where the flows differ from those of the pickle.
        """
        assert self.again is not None
        found = self.again()
        for one, new in ((self, found), (self.base, found.base)):
            if one is None or new is None or "choice" in vars(one):
                continue
            for name in ("demand_teu", "flow_teu"):
                old, now = getattr(one, name), getattr(new, name)
                most = _SAME * float(np.abs(old).max(initial=0.0))
                if old.shape != now.shape or not np.allclose(now, old, 0.0, most, equal_nan=True):
                    fault = Fault(one.id, "its flows differ from those stored", "solve it again with lb.run")
                    raise LandbridgeError("the routes of a stored result cannot be found again", [fault])
            vars(one).update({name: getattr(new, name) for name in _OF_ROUTES})

    @cached_property
    def n_routes(self) -> int:
        """Number of routes in the set."""
        return self.choice.base.routes.n_routes

    # -- tables ------------------------------------------------------------------------------------

    @cached_property
    def real_income_rows(self) -> Rows:
        """Change of real income by region: exact and first order, under each closure [percent of income].

        With percentiles over draws of uncertain numbers where the data have them for this scenario.
        """
        self._solved()
        return [
            {**row, **self._ranges.get(row["region"], {})} for row in income.real_income_rows(self._incomes)
        ]

    @cached_property
    def _ranges(self) -> Mapping[str, Mapping[str, Any]]:
        """Shipped percentiles by region and group, see `landbridge.io.ranges`."""
        if self.scenario is None or self.base is None:
            return {}
        return shipped_ranges(self.base.world.hash, self.scenario.id, self.scenario.to_dict())

    @property
    def ranged(self) -> bool:
        """Whether ranges of this scenario ship with the data, from draws."""
        return bool(self._ranges)

    @cached_property
    def group_rows(self) -> Rows:
        """The same for Central Asia (CA5) and for the world."""
        self._solved()
        groups = {CENTRAL_ASIA: self.world.group(CENTRAL_ASIA), "world": self._main.base.regions}
        found = income.group_rows(self._incomes, groups)
        return [{**row, **self._ranges.get(row["group"], {})} for row in found]

    @cached_property
    def closure_rows(self) -> Rows:
        """Real income under other closures of trade balance and factors, see `landbridge.trade.closures`.

        Freight costs are those of this result. Without a base there is no change to show.
        """
        self._solved()
        return [] if self.base is None else income.closure_rows(self._incomes, self.world)

    @cached_property
    def trade_rows(self) -> Rows:
        """Trade in goods by pair of regions, before and after, see `landbridge.results.income.trade_rows`."""
        self._solved()
        goods = [str(row["sector"]) for row in self.world.sectors if row["is_goods"]]
        return income.trade_rows(self._main, goods)

    @cached_property
    def value_added_rows(self) -> Rows:
        """Trade in value added by region, see `landbridge.results.income.value_added_rows`.

        Of the equilibrium behind the flows, before changed payments to carriers.
        """
        self._solved()
        return income.value_added_rows(self.loading)

    @cached_property
    def corridor_rows(self) -> Rows:
        """The reported corridors, by family and together (family "all"): expected hours and costs.

        generalised_cost_usd, of "all" only: K, money, hours and risk of an average TEU together. An
        improvement lowers it, while mean hours may rise where a new, longer route takes traffic.
        """
        return corridor_rows(self.choice, self.graph, self.world.network["corridors"])

    @cached_property
    def gateway_rows(self) -> Rows:
        """Flows and hours at every gateway.

        trains_per_day: container trains both ways, empty returns included; null away from rail borders.
        teu_container: containers, loaded and empty, both ways, null at straits; on the road goods that would
        fill them. tonnes: all goods, those in containers too.
        trucks_per_year: these as trucks on roads; at ports of the Caspian those on ferries; else null.
        observed, observed_unit, observed_year, observed_use: a count of the year of the economy, where there
        is one; observed_ours: the model's.
        teu_per_year: containers loaded and bulk in TEU by weight; teu_block, teu_wagonload of it by rail
        product.
        wait_h: hours of the crossing or in the port, service and queue, averaged over what passes; a gauge
        change is apart. status: open or closed.
        volume_over_capacity: container trains, trucks or containers over the stated capacity, both ways,
        empty returns included; null where no capacity is known. queue_h: the part of wait_h that is a queue
        by the waiting formula, for those whom it holds up. capacity_per_day and capacity_unit: as stated;
        capacity_factor: by which it is raised because the base of the model sends more through than could
        pass in the observed hours.
        """
        given = self.world, self.graph, self.flow_teu
        queues = {}
        if self.queues is not None and self.load is not None:
            queues = network.queue_cells(*given, self.queues, self.load)
        return network.gateway_rows(*given, self.passed, observed_cells(self.count_rows), queues)

    @cached_property
    def count_rows(self) -> Rows:
        """Observed counts of the year of the economy and the model's, see `landbridge.results.counts`."""
        return count_rows(self.world, self.graph, self.passed)

    @cached_property
    def passed(self) -> Passed:
        """What passes the gateways, in containers, tonnes, trucks and trains."""
        return Passed(self.world, self.graph, self.flow_teu, self.goods)

    @cached_property
    def mode_split_rows(self) -> Rows:
        """Freight by pair of countries, kind of goods and mode, see `landbridge.results.mode_split`."""
        return mode_split_rows(self.world, self.graph, self.choice, self.demand_teu)

    @cached_property
    def payments(self) -> Payments:
        """What freight pays to the carriers of each region, see `landbridge.results.transit`."""
        carriers = self.tolls.carriers if self.tolls is not None else Carriers.of(self.world, self.graph)
        return payments(carriers, self.choice, self.demand_teu)

    @cached_property
    def transit_rows(self) -> Rows:
        """Gross revenue of the carriers of each region from transit; in a scenario with its change.

        Of a solved scenario also what payments by all freight bring, see `payment_gains`.
        """
        rows = transit_rows(self.payments, self.base.payments if self.base is not None else None)
        if self.base is None or not self.status.converged:
            return rows
        return [{**row, **self.payment_gains.get(row["region"], _NO_GAIN)} for row in rows]

    @cached_property
    def payment_gains(self) -> dict[str, dict[str, float]]:
        """What payments by all freight bring in a solved scenario, against none (paid_share 0), by region.

        above_cost_musd: more than the carriers' costs; gain_musd: of real income [million USD of 2023].
        """
        self._solved()
        eq, earned = self._main, self._main.base.income
        gain = (eq.real_income_hat - self.loading.real_income_hat) * earned
        above = eq.first_order.rent * earned
        found = zip(eq.base.regions, above.tolist(), gain.tolist(), strict=True)
        return {region: {"above_cost_musd": a, "gain_musd": g} for region, a, g in found}

    @cached_property
    def link_rows(self) -> Rows:
        """Flows and CO2e of every link, see `landbridge.results.network.link_rows`."""
        return network.link_rows(self.world, self.graph, self.flow_teu)

    @cached_property
    def emission_rows(self) -> Rows:
        """TEU-km and CO2e of all freight on the network per year, by mode."""
        return network.emission_rows(self.graph, self.flow_teu)

    # -- the same as DataFrames --------------------------------------------------------------------

    @property
    def real_income(self) -> pd.DataFrame:
        """`real_income_rows` as a DataFrame."""
        return _frame(self.real_income_rows)

    @property
    def trade(self) -> pd.DataFrame:
        """`trade_rows` as a DataFrame."""
        return _frame(self.trade_rows)

    @property
    def value_added(self) -> pd.DataFrame:
        """`value_added_rows` as a DataFrame."""
        return _frame(self.value_added_rows)

    @property
    def corridors(self) -> pd.DataFrame:
        """`corridor_rows` as a DataFrame."""
        return _frame(self.corridor_rows)

    @property
    def gateways(self) -> pd.DataFrame:
        """`gateway_rows` as a DataFrame."""
        return _frame(self.gateway_rows)

    @property
    def links(self) -> pd.DataFrame:
        """`link_rows` as a DataFrame."""
        return _frame(self.link_rows)

    @property
    def emissions(self) -> pd.DataFrame:
        """`emission_rows` as a DataFrame."""
        return _frame(self.emission_rows)

    @property
    def mode_split(self) -> pd.DataFrame:
        """`mode_split_rows` as a DataFrame."""
        return _frame(self.mode_split_rows)

    @property
    def transit(self) -> pd.DataFrame:
        """`transit_rows` as a DataFrame."""
        return _frame(self.transit_rows)

    def skims(self, sector: str = "MCH", by_family: bool = False, waits: str = "solved") -> pd.DataFrame:
        """Expected cost, hours, money and CO2e of one TEU of a sector between all places, as a DataFrame.

        Columns: from, to, ids of places; generalised_cost_usd, money, hours and risk together [USD/TEU];
        time_h [h], cost_usd [USD/TEU], co2e_kg [kg/TEU], means over all routes. A pair without a route has
        an infinite cost and zeros. By family also family and share, of the pair's TEU of the sector, which
        sum to 1; the others are then K_f = beta K_f,block + (1 - beta) K_f,wagonload and the means within
        the family. Families without an open route are left out.

        sector: its code. by_family: a row for every pair and family, in place of one for every pair. waits:
        "solved", those that the flows of this case cause, or "base", those of the base; the base itself
        has the same under both.
        Raises DataError for a sector that no pair ships, ValueError for other waits.
        Source: `landbridge.transport.choice.costs`.
        """
        import pandas as pd

        kept = {"solved": self.choice, "base": self.unqueued or self.choice}
        if waits not in kept:
            raise ValueError(f'waits is "solved" or "base", not {waits!r}')
        choice = kept[waits]
        columns = family_costs if by_family else pair_costs
        return pd.DataFrame(columns(choice, self.graph, _sector(sector, choice.classes.sectors)))

    def compare(self) -> Comparison:
        """This result and its base as DataFrames; a base is compared with itself."""
        return Comparison(self.base or self, self)

    def to_json(self, detail: bool = True) -> dict[str, Any]:
        """The tables in the names of the public interface; a base has no changes to show.

        detail: include mode_split, the largest table, and closures and transit, which the terminal shows for
        one scenario only.
        """
        split = {"mode_split": self.mode_split_rows, "transit": self.transit_rows} if detail else {}
        freight = {"corridors": self.corridor_rows, "gateways": self._gateways_beside_base}
        if self.base is None:
            return {
                **freight,
                "counts": self.count_rows,
                **split,
                "emissions": self.emission_rows,
                "value_added": self.value_added_rows,
            }
        before = {row["region"]: row for row in self.base.value_added_rows}
        return {
            "real_income": self.real_income_rows,
            "groups": self.group_rows,
            **({"closures": self.closure_rows} if detail else {}),
            "trade": self.trade_rows,
            **freight,
            "emissions": self.emission_rows,
            "value_added": [
                {**row, **{f"base_{k}": v for k, v in before[row["region"]].items() if k != "region"}}
                for row in self.value_added_rows
            ],
            **split,
            "notes": list(self.notes),
        }

    @property
    def _gateways_beside_base(self) -> Rows:
        """`gateway_rows`, in a scenario with the figures of the base added."""
        if self.base is None:
            return self.gateway_rows
        before = {row["gateway"]: row for row in self.base.gateway_rows}
        beside = (
            "trains_per_day",
            "teu_per_year",
            "teu_container",
            "tonnes",
            "volume_over_capacity",
            "queue_h",
            "wait_h",
        )
        return [
            {**row, **{f"base_{k}": before.get(row["gateway"], {}).get(k) for k in beside}}
            for row in self.gateway_rows
        ]

    def __repr__(self) -> str:
        if not self.status.converged:
            return f"<Results {self.id}: not converged, {self.status.message}>"
        rows = {row["region"]: row for row in self.real_income_rows}
        five = self.world.group(CENTRAL_ASIA)
        shown = ", ".join(f"{r} {rows[r]['percent']:+.3f} %" for r in ("CHN", *five) if r in rows)
        told = f"real income {shown}" if self.base is not None else f"{self.n_routes} routes"
        return f"<Results {self.id}: {told}; residual {self.status.residual:.0e}>"

    def _repr_html_(self) -> str:
        """Real income against the base; the busiest gateways of a base."""
        title = self.id if self.scenario is None else f"{self.id}: {self.scenario.name}"
        if not self.status.converged:
            return html_table(title, after=[self.status.message])
        if self.base is not None:
            columns = "region", "real income, %", "million USD a year"
            rows = [
                (str(r["region"]), f"{r['percent']:+.3f}", f"{r['musd']:+,.0f}")
                for r in self.real_income_rows
            ]
        else:
            columns = "gateway", "TEU a year", "hours"
            busiest = sorted(self.gateway_rows, key=lambda r: -(r["teu_per_year"] or 0.0))[:10]
            rows = [
                (
                    str(r["gateway"]),
                    f"{r['teu_per_year'] or 0.0:,.0f}",
                    "" if r["wait_h"] is None else f"{r['wait_h']:,.1f}",
                )
                for r in busiest
            ]
        return html_table(title, columns, rows, after=[*self.notes, self.status.message])

    # -- parts -------------------------------------------------------------------------------------

    @property
    def _incomes(self) -> income.Incomes:
        return income.Incomes(
            equilibrium=self.equilibrium,
            first_order=self.first_order,
            closure=self.closure,
            direct=self.direct,
            response=self.response,
        )

    @property
    def _main(self) -> Equilibrium:
        return self.equilibrium[self.closure]

    def _solved(self) -> None:
        if not self.status.converged:
            raise ConvergenceError(f"{self.id} was not solved: {self.status.message}")

    @property
    def producer_price_hat(self) -> FloatArray:
        """c^ / A^ [n, s], which converts the sales behind the flows to base prices of the exporter."""
        return self.loading.producer_price_hat


_FIELDS = tuple(one.name for one in fields(Results))


@dataclass(frozen=True, eq=False)
class Comparison:
    """A change and its base, as DataFrames; columns of the base begin with base_.

    before, after: results of the base and of the change.
    """

    before: Results
    after: Results

    @property
    def real_income(self) -> pd.DataFrame:
        """Change of real income by region [percent] and in million USD of 2023 a year."""
        return self.after.real_income

    @property
    def trade(self) -> pd.DataFrame:
        """Change of trade in goods by pair of regions."""
        return self.after.trade

    @property
    def value_added(self) -> pd.DataFrame:
        """Gross and value-added exports by region, and own value added in exports."""
        return self._beside("value_added_rows", ["region"])

    @property
    def corridors(self) -> pd.DataFrame:
        """Hours, money, CO2e and share of every family of the reported corridors."""
        return self._beside("corridor_rows", ["corridor", "from", "to", "family"])

    @property
    def gateways(self) -> pd.DataFrame:
        """Trains, TEU and hours at every gateway."""
        return self._beside("gateway_rows", ["gateway", "name", "mode"])

    @property
    def emissions(self) -> pd.DataFrame:
        """TEU-km and CO2e by mode."""
        return self._beside("emission_rows", ["mode"])

    def _beside(self, rows: str, keys: list[str]) -> pd.DataFrame:
        before, after = _frame(getattr(self.before, rows)), _frame(getattr(self.after, rows))
        values = [c for c in after.columns if c not in keys]
        joined = before.merge(after, on=keys, how="outer", sort=False, suffixes=("_old", ""))
        order = []
        for value in values:
            joined = joined.rename(columns={f"{value}_old": f"base_{value}"})
            order += [f"base_{value}", value]
        return joined[[*keys, *order]]


def _sector(code: str, known: tuple[str, ...]) -> int:
    from landbridge.errors import DataError, Fault, did_you_mean

    if code not in known:
        cure = did_you_mean(code, known) or "use one of " + ", ".join(known)
        raise DataError("unknown sector", [Fault("sector", f"no sector {code!r}", cure)])
    return known.index(code)


def _frame(rows: Rows) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)

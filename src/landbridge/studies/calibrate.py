"""What is fitted to observed counts, how well, and what is only predicted.

Four numbers are fitted to five counts of 2023: the gateway constants of Manzhouli and Erenhot, one factor on
the northern (rail) shares of China - Europe and China - Russia, whose trains are counted together, and one on
the Trans-Caspian share of every pair group. The two Xinjiang rail ports share a constant, and it is one:
counts see the ratios of the constants and hardly their level, and a level far from one would make any new
Chinese border, whose constant is one, many times as attractive as Khorgos.

At given trade a count is a sum over routes that is smooth in the constants,

    d flow_r / d ln b_j = TEU of the family x sum_s J_rs phi 1[s passes j],   J = d P / d ln w,

with P the nested shares inside the family (`landbridge.transport.overlap`), and in the shares of families,
so that the least squares have exact derivatives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landbridge.chain import Searched, SolvedBase
from landbridge.errors import ConvergenceError
from landbridge.scenario import Scenario, apply
from landbridge.transport import FAMILIES, pivot
from landbridge.transport.classes import CONTAINER, PAIR_GROUPS
from landbridge.transport.graph import BLOCK, LAYERS, RAILS, SEA
from landbridge.world import World
from landbridge.world.table import Cell

__all__ = [
    "CONSTANTS",
    "FACTORS",
    "REFERENCE",
    "Calibration",
    "Count",
    "calibrate",
    "response",
]

FloatArray = NDArray[np.float64]

# The gateways whose constant is one, to which the others are relative.
REFERENCE = ("khorgos-altynkol", "alashankou-dostyk")
# Constants fitted, by the gateways that share them.
CONSTANTS: dict[str, tuple[str, ...]] = {
    "manzhouli": ("manzhouli-zabaikalsk",),
    "erenhot": ("erenhot-zamyn-uud",),
}
# Factors on stated family shares, by family and the pair groups that take them; the other families of a
# group keep their proportions. In this order, since each rescales what it does not touch.
FACTORS: dict[str, tuple[str, ...]] = {
    "trans-caspian": PAIR_GROUPS,
    "northern": ("china-europe", "china-russia"),
}
# A constant outside this range points to the data, not to a preference.
PLAUSIBLE = (0.7, 1.4)
_STRAITS_CLOSED = Scenario.from_dict(
    {
        "name": "ships around the Cape",
        "modification": [{"verb": "close_gateway", "gateway": "suez"}],
    },
    "straits-closed",
)


@dataclass(frozen=True)
class Count:
    """One observed count beside ours; role: fitted or predicted."""

    name: str
    year: int
    unit: str
    observed: float
    ours: float
    role: str
    source: str

    @property
    def residual(self) -> float:
        """ours / observed - 1."""
        return self.ours / self.observed - 1.0

    def as_json(self) -> dict[str, Any]:
        """The count as `--json` prints it."""
        return {**vars(self), "residual": self.residual}


@dataclass(frozen=True)
class Calibration:
    """Fitted numbers with what they rest on.

    values: by name (`gateway:ID` constants, `family_factor:FAMILY`). singular_values: of the Jacobian
    of the log counts, so that a direction the data do not see is seen. drift: largest difference to the
    values in the World.
    """

    values: dict[str, float]
    shipped: dict[str, float]
    counts: tuple[Count, ...]
    singular_values: tuple[float, ...]
    degrees_of_freedom: int
    responses: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    gradient: float
    evaluations: int

    @property
    def drift(self) -> float:
        """Largest difference between refitted and shipped values."""
        return max(abs(self.values[k] - self.shipped[k]) for k in self.values)

    def to_json(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "values": self.values,
            "shipped": self.shipped,
            "drift": self.drift,
            "fitted": [c.as_json() for c in self.counts if c.role == "fitted"],
            "predicted": [c.as_json() for c in self.counts if c.role == "predicted"],
            "singular_values": list(self.singular_values),
            "degrees_of_freedom": self.degrees_of_freedom,
            "responses": list(self.responses),
            "notes": list(self.notes),
        }

    def to_csv(self) -> str:
        """The fitted numbers as the table that the recipe of the network reads."""
        source = "landbridge calibrate: five counts of 2023 (validation_counts, use = fitted)"
        lines = [f"{name},{value!r},{source!r}" for name, value in self.values.items()]
        return "\n".join(["name,value,source", *(line.replace("'", '"') for line in lines)]) + "\n"


def calibrate(world: World) -> Calibration:
    """Fit the constants and shares to the counts marked `fitted`, from the stated shares.

    Raises ConvergenceError where the least squares do not settle.
    """
    from scipy.optimize import least_squares

    # The second graph is that of ships around the Cape, for the responses.
    common = Searched([world, apply(world, _STRAITS_CLOSED)])
    base = SolvedBase(common, world, 0, True)
    sums = _Sums(base)
    targets = [row for row in world.network["validation_counts"] if row["use"] == "fitted"]
    observed = np.array([float(row["value"] or 0.0) for row in targets])
    names = [str(row["gateway_id"]) for row in targets]

    def residual(x: FloatArray) -> FloatArray:
        ours, _ = sums.counts(x, names)
        return np.asarray(np.log(ours / observed))

    def jacobian(x: FloatArray) -> FloatArray:
        ours, slope = sums.counts(x, names)
        return np.asarray(slope / ours[:, None])

    start = sums.start()
    found = least_squares(residual, start, jacobian, xtol=1e-13, ftol=1e-13, gtol=1e-11, max_nfev=60)
    if not found.success:
        raise ConvergenceError(f"the calibration did not settle: {found.message}")
    x = np.asarray(found.x)
    values = sums.named(x)
    ours, _ = sums.counts(x, names)
    singular = np.linalg.svd(jacobian(x), compute_uv=False)
    counts = [
        Count(str(r["metric"]) + f" ({r['gateway_id']})", 2023, str(r["unit"]), float(o), float(u), "fitted",
              str(r["source"]))
        for r, o, u in zip(targets, observed, ours, strict=True)
    ]  # fmt: skip
    counts += sums.predictions(x, world)
    freedom = len(targets) - len(x)
    notes = _notes(values, freedom, world)
    return Calibration(
        values,
        sums.shipped(world),
        tuple(counts),
        tuple(float(s) for s in singular),
        freedom,
        tuple(response(base)),
        tuple(notes),
        float(found.optimality),
        int(found.nfev),
    )


class _Sums:
    """Counts as functions of the fitted numbers, at the trade of the base."""

    def __init__(self, base: SolvedBase) -> None:
        self.base = base
        choice, routes, graph = base.choice, base.common.routes, base.graph
        results = base.results
        self.classes = base.classes
        self.routes = routes
        self.demand = results.demand_teu
        self.phi = base.classes.phi
        self.number = {g: j for j, g in enumerate(graph.gateways)}
        self.per_train = base.world.parameter("teu_per_train")
        self.ratio = base.world.parameter("return_ratio_empty")
        # Weights of container trains without any constant.
        self.weights = replace(results.choice.weights, log_constant=None)
        self.stated = _stated(base.world)
        self.open = choice.family_share[CONTAINER] > 0.0
        fitted = {g for names in CONSTANTS.values() for g in names}
        gateways = sorted(fitted | {*REFERENCE, "aktau", "kuryk"})
        self.gateways = gateways
        # Routes by gateway and direction, and China's container trains to and from Europe and Russia.
        way = np.arange(graph.n_arcs) % 2
        passes = np.zeros((graph.n_arcs, 2 * len(gateways)))
        for k, gateway in enumerate(gateways):
            arcs = graph.govern_arc[(graph.govern_gateway == self.number[gateway]) & graph.govern_counted]
            for direction in (0, 1):
                passes[arcs[way[arcs] == direction], 2 * k + direction] = 1.0
        through = (routes.over_arcs(passes) > 0.0).astype(float)
        regions = base.world.trade.regions
        china = regions.index("CHN")
        pair_region = base.freight.pair_of_regions
        origin, destination = pair_region // len(regions), pair_region % len(regions)
        group = base.classes.group
        west = (group <= 1) & (pair_region >= 0)
        # A China - Europe train is counted where it crosses a Chinese rail border, whatever comes after.
        inside = np.array(graph.countries) == "CHN"
        tail, head = inside[graph.tail // len(LAYERS)], inside[graph.head // len(LAYERS)]
        border = np.isin(graph.mode, RAILS) & graph.border & (tail != head)
        on_train = routes.over_arcs(border.astype(float)[:, None])[:, 0] > 0.0
        out = on_train & (west & (origin == china))[routes.pair]
        back = on_train & (west & (destination == china))[routes.pair]
        self.marks = np.concatenate([through, out[:, None], back[:, None]], axis=1)
        constants = [self._passes(through, names) for names in CONSTANTS.values()]
        self.by_constant = np.stack(constants, axis=1)

    def _passes(self, through: FloatArray, names: tuple[str, ...]) -> FloatArray:
        at = [2 * self.gateways.index(n) + d for n in names for d in (0, 1)]
        return np.asarray(through[:, at].sum(axis=1))

    def start(self) -> FloatArray:
        """No constants and the stated shares: ln b, then the logs of the factors."""
        return np.zeros(len(CONSTANTS) + len(FACTORS))

    def named(self, x: FloatArray) -> dict[str, float]:
        """The fitted numbers by name."""
        out = {}
        for k, names in enumerate(CONSTANTS.values()):
            out.update({f"gateway:{n}": float(np.exp(x[k])) for n in names})
        for k, family in enumerate(FACTORS, len(CONSTANTS)):
            out[f"family_factor:{family}"] = float(np.exp(x[k]))
        return out

    def shipped(self, world: World) -> dict[str, float]:
        """The same numbers as the World has them."""
        gateways = world.network["gateways"].by("gateway_id")
        out = {f"gateway:{n}": float(gateways[n]["constant"] or 1.0) for ns in CONSTANTS.values() for n in ns}
        now = {(r["pair_group"], r["family"]): float(r["share"] or 0.0) for r in _of_containers(world)}
        # A factor is read where it is the last that was applied: off the groups of the next one.
        later: set[str] = set()
        for family, groups in reversed(FACTORS.items()):
            group = next(g for g in groups if g not in later)
            before = float(self.stated[PAIR_GROUPS.index(group), FAMILIES.index(family)])
            out[f"family_factor:{family}"] = now[group, family] / before
            later |= set(groups)
        last = list(FACTORS)[-1]
        group = FACTORS[last][0]
        # The last factor acts on shares that the earlier ones have scaled.
        x = np.log([1.0] * len(CONSTANTS) + [out[f"family_factor:{f}"] for f in FACTORS])
        x[-1] = 0.0
        scaled = float(self._table(x)[PAIR_GROUPS.index(group), FAMILIES.index(last)])
        out[f"family_factor:{last}"] = now[group, last] / scaled
        return out

    def _table(self, x: NDArray[Any]) -> NDArray[Any]:
        """Family shares by pair group at x; the families that take no factor keep their proportions."""
        table = self.stated.astype(x.dtype)
        for k, (family, groups) in enumerate(FACTORS.items(), len(CONSTANTS)):
            f = FAMILIES.index(family)
            rest = np.arange(len(FAMILIES)) != f
            for group in groups:
                q = PAIR_GROUPS.index(group)
                before = table[q, f]
                after = before * np.exp(x[k])
                table[q, rest] *= (1.0 - after) / (1.0 - before)
                table[q, f] = after
        return table

    def _shares(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Base family shares of every group [group] and their derivatives [group, share parameter]."""
        table = self._table(x)
        # By complex steps, which are exact: the table is a few operations on 42 numbers.
        step = 1e-30
        turned = []
        for k in range(len(CONSTANTS), len(x)):
            z = x.astype(complex)
            z[k] += 1j * step
            turned.append(self._table(z).imag / step)
        slope = np.stack(turned, axis=2)
        routes = self.routes
        pair, n = routes.group_pair, routes.n_pairs
        of = self.classes.group[pair], routes.group_family
        value = np.where(self.open, table[of], 0.0)
        rate = np.where(self.open[:, None], slope[of], 0.0)
        total = np.bincount(pair, weights=value, minlength=n)
        changed = np.stack([np.bincount(pair, weights=r, minlength=n) for r in rate.T], axis=1)
        safe = np.where(total > 0.0, total, 1.0)[pair]
        share = value / safe
        return share, rate / safe[:, None] - share[:, None] * changed[pair] / safe[:, None]

    def sums(self, x: FloatArray, scale: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Boxes by mark [mark] and their derivatives [mark, parameter]; scale [pair]: of the demand."""
        pair, n_constants = self.routes.group_pair, len(CONSTANTS)
        share, by_share = self._shares(x)
        total = np.zeros(self.marks.shape[1])
        slope = np.zeros((self.marks.shape[1], len(x)))
        demand = self.demand if scale is None else self.demand * scale[:, None]
        # The constants are raised to phi with the costs.
        weights = replace(self.weights, log_constant=self.by_constant @ x[:n_constants])
        for piece in weights.pieces((BLOCK,)):
            block = piece.block
            routes_, groups = block.routes, block.groups
            inner = block.inner(piece.weight)
            within = inner.share
            teu = demand[pair[groups]] * self.classes.block_share[:, pair[groups]].T
            on_group = teu * share[groups, None]
            marked = self.marks[routes_]
            total += (within * on_group[block.group]).sum(axis=1) @ marked
            for k in range(n_constants):
                # du_r = phi for each passage of a gateway that takes the constant.
                tilt = np.broadcast_to(self.phi * self.by_constant[routes_, k, None], within.shape)
                moved = inner.turn(tilt)
                slope[:, k] += (moved * on_group[block.group]).sum(axis=1) @ marked
            per_share = (within * teu[block.group]).sum(axis=1)[:, None] * by_share[groups][block.group]
            slope[:, n_constants:] += marked.T @ per_share
        return total, slope

    def counts(
        self, x: FloatArray, names: Sequence[str], scale: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """The counts of the names (gateways joined by +, or all) and their derivatives."""
        total, slope = self.sums(x, scale)
        ours, rates = [], []
        for name in names:
            if name == "all":
                value, rate = self._boxes(total[-2:], slope[-2:])
            elif name == "aktau+kuryk":
                at = [2 * self.gateways.index(g) + d for g in name.split("+") for d in (0, 1)]
                value, rate = float(total[at].sum()), slope[at].sum(axis=0)
            else:
                value, rate = 0.0, np.zeros(len(x))
                for gateway in name.split("+"):
                    k = 2 * self.gateways.index(gateway)
                    boxes, by = self._boxes(total[k : k + 2], slope[k : k + 2])
                    value, rate = value + boxes / self.per_train, rate + by / self.per_train
            ours.append(value)
            rates.append(rate)
        return np.array(ours), np.array(rates)

    def _boxes(self, both: FloatArray, slope: FloatArray) -> tuple[float, FloatArray]:
        """Loaded and empty boxes both ways, and their derivative (that of the branch in force)."""
        more, less = (0, 1) if both[0] >= both[1] else (1, 0)
        if both[less] >= self.ratio * both[more]:
            return float(both.sum()), np.asarray(slope.sum(axis=0))
        return float((1.0 + self.ratio) * both[more]), np.asarray((1.0 + self.ratio) * slope[more])

    def predictions(self, x: FloatArray, world: World) -> list[Count]:
        """What no number was set on: the split of the two ports, and both in 2024."""
        split = ("khorgos-altynkol", "alashankou-dostyk")
        ours, _ = self.counts(x, split)
        two = "khorgos-altynkol+alashankou-dostyk"
        later, _ = self.counts(x, [two], self._growth(world))
        rows = {
            (str(r["gateway_id"]), int(r["year"] or 0)): r
            for r in world.network["validation_counts"]
            if r["unit"] == "trains/year"
        }
        out = []
        for name, year, value in (
            *((n, 2023, v) for n, v in zip(split, ours, strict=True)),
            (two, 2024, later[0]),
        ):
            row = rows[name, year]
            out.append(
                Count(
                    f"{row['metric']} ({name})",
                    year,
                    "trains/year",
                    float(row["value"] or 0.0),
                    float(value),
                    "predicted",
                    str(row["source"]),
                )
            )
        return out

    def _growth(self, world: World) -> FloatArray:
        """Demand of 2024 over 2023 by pair: published totals of China's trade, one where there is none."""
        totals: dict[str, dict[int, float]] = {}
        for row in world.network["validation_trade"]:
            totals.setdefault(str(row["region"]), {})[int(row["year"] or 0)] = float(row["value"] or 0.0)
        regions = world.trade.regions
        china = regions.index("CHN")
        growth = np.ones((len(regions), len(regions)))
        for region, years in totals.items():
            if region in regions and 2023 in years and 2024 in years:
                at = regions.index(region)
                growth[china, at] = growth[at, china] = years[2024] / years[2023]
        pair = self.base.freight.pair_of_regions
        return np.where(pair >= 0, growth.ravel()[np.maximum(pair, 0)], 1.0)


def response(base: SolvedBase) -> list[dict[str, Any]]:
    """How rail between China and Europe responds to past changes of the sea, beside what was observed.

    phi_b is not fitted: these events check it. TEU of the northern family on China - Europe pairs at the
    demand of the base; sea rates per km are multiplied, Suez closed.
    """
    out = []
    for row in base.world.network["validation_responses"]:
        before = _northern_teu(base, float(row["sea_rate_before"] or 1.0), closed=False)
        after = _northern_teu(base, float(row["sea_rate_after"] or 1.0), closed=bool(row["straits_closed"]))
        out.append(
            {
                "event": str(row["event"]),
                "observed": float(row["observed"] or 0.0),
                "ours": after / before,
                "phi_b": base.classes.phi_b,
                "source": str(row["source"]),
            }
        )
    return out


def _northern_teu(base: SolvedBase, sea_rate: float, *, closed: bool) -> float:
    number = 1 if closed else base.number
    graph, routes = base.common.graphs[number], base.common.routes
    sums, available = routes.sums(graph), routes.available(graph, number)
    at_sea = graph.mode == SEA
    money = np.where((at_sea & graph.ocean_ship)[:, None], graph.cost_usd, 0.0)
    extra = np.ascontiguousarray(routes.over_arcs(money).T) * (sea_rate - 1.0)
    sums = type(sums)(sums.time_h, sums.cost_usd + extra, sums.co2e_kg, sums.variance_h2)
    choice = pivot(base.choice, sums, available, base.log_constant)
    mine = (routes.group_family == FAMILIES.index("northern")) & (base.classes.group[routes.group_pair] == 0)
    demand = base.results.demand_teu
    share = choice.family_share_of_teu()
    return float(sum(share[s, mine] @ demand[routes.group_pair[mine], s] for s in range(len(share))))


def _of_containers(world: World) -> list[Mapping[str, Cell]]:
    """The family shares that the factors act on: trains that are counted carry containers."""
    return [row for row in world.network["family_shares"] if row["kind"] == "container"]


def _stated(world: World) -> FloatArray:
    """Shares of containers as stated, before anything was fitted [pair group, family]."""
    out = np.zeros((len(PAIR_GROUPS), len(FAMILIES)))
    for row in _of_containers(world):
        cell = PAIR_GROUPS.index(str(row["pair_group"])), FAMILIES.index(str(row["family"]))
        out[cell] = float(row["stated"] if row["stated"] is not None else row["share"] or 0.0)
    return out


def _notes(values: dict[str, float], freedom: int, world: World) -> list[str]:
    notes = []
    if freedom <= 0:
        notes.append(
            "as many numbers as counts: the residuals are zero by construction and are not a fit; judge by "
            "the predictions"
        )
    for name, value in values.items():
        if name.startswith("gateway:") and not PLAUSIBLE[0] <= value <= PLAUSIBLE[1]:
            notes.append(f"{name} = {value:.2f} lies outside {PLAUSIBLE[0]}-{PLAUSIBLE[1]}: a data fault")
    for row in _of_containers(world):
        share, low, high = (row[c] for c in ("share", "low", "high"))
        if row["stated"] is None or None in (share, low, high) or row["family"] not in FACTORS:
            continue
        if not float(low or 0.0) <= float(share or 0.0) <= float(high or 1.0):
            what = f"{row['family']} share of {row['pair_group']} = {float(share or 0.0):.4f}"
            notes.append(f"{what} lies outside its stated range {low}-{high}, a judgement")
    return notes

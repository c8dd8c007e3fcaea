"""The balanced accounts of the base year: steps 9 to 13 of the trade recipe.

Given cross-border trade and tariffs, find output, use and shares at which every market clears, value added
plus tariff revenue equals GDP, and technology stays near that of the proxy region.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economy_io import SECTORS, Array, G, Inputs, S, fifth_root, ras, ratio, total

# Value-added groups: agriculture; industry with construction; trade, transport and other services.
GROUP = np.array([0] + [1] * G + [2, 2])
ROUNDS = 60


@dataclass(frozen=True)
class Accounts:
    """The base table of one variant; axes exporter, importer, sector as everywhere.

    floored: domestic sales are at their floor. moved_*: half the sum of absolute changes of shares in
    the balance, material-weighted for inputs. lowered: factor on the group's value-added shares.
    """

    trade: Array
    tariff: Array
    value_added_share: Array
    input_share: Array
    final_share: Array
    output: Array
    deficit: Array
    tariff_revenue: Array
    floored: NDArray[np.bool_]
    moved_inputs: Array
    moved_final: Array
    lowered: dict[tuple[str, int], float]


@dataclass(frozen=True)
class Technology:
    """Value-added, input and final shares and output of the proxy, one row per region."""

    value_added: Array
    inputs: Array
    final: Array
    output: Array


def technology(inputs: Inputs) -> Technology:
    """Step 9: the coefficients of the ICIO region that is the proxy of each region."""
    rows = {(r["icio_region"], r["sector"]): r for r in inputs.tables["icio_structure"]}
    uses = {(r["icio_region"], r["input_sector"]): r for r in inputs.tables["icio_input_share"]}

    def column(name: str) -> Array:
        return np.array([[float(rows[inputs.proxy[r], s][name]) for s in SECTORS] for r in inputs.regions])

    share = np.array(
        [[[float(uses[inputs.proxy[r], k][s]) for s in SECTORS] for k in SECTORS] for r in inputs.regions]
    )
    return Technology(column("value_added_share"), share, column("final_share"), column("output_musd"))


def group_targets(inputs: Inputs, revenue: Array) -> Array:
    """Step 10: value added by group [region, 3]; utilities leave industry for services."""
    groups = ("agriculture", "industry", "services")
    table = {g: inputs.macro(f"value_added_{g}") for g in groups}
    share = np.array([[table[g][r] for g in groups] for r in inputs.regions])
    share = share / total(share, 1)[:, None]
    utilities = np.array(
        [inputs.assumption[f"utilities_in_industry_{inputs.proxy[r]}"] for r in inputs.regions]
    )
    moved = share[:, 1] * utilities
    share[:, 1] -= moved
    share[:, 2] += moved
    return np.asarray(share * (inputs.gdp - revenue)[:, None])


def balance(inputs: Inputs, abroad: Array, tariff: Array) -> Accounts:
    """Steps 10 to 13. abroad[o, d, s]: cross-border trade, zero on the diagonal."""
    a, tech = inputs.assumption, technology(inputs)
    exports, imports = total(abroad, 1), total(abroad, 0)
    paid = total(abroad * (1.0 + tariff), 0)
    revenue = total(total(abroad * tariff, 0), 1)
    deficit = total(imports, 1) - total(exports, 1)
    target = group_targets(inputs, revenue)
    # Final spending = income = value added + tariff revenue + deficit, and the first two are GDP.
    final = inputs.gdp + deficit

    start, weight, home = _prior_output(inputs, tech)
    value, uses = tech.value_added.copy(), tech.inputs.copy()
    for q in range(3):
        k = q == GROUP
        start[:, k] *= (target[:, q] / total((value * start)[:, k], 1))[:, None]
    least = np.maximum(a["domestic_sales_over_exports"] * exports, home / (1.0 - home) * paid)
    floor = exports + least
    lowered = _lower_value_added(inputs, value, uses, floor, target)

    output = _output(inputs, tech, value, uses, start, weight, floor, exports, paid, target, final)
    domestic = np.maximum(output - exports, 0.0)
    absorbed = domestic + paid
    material = (1.0 - value) * output
    input_share, final_share = uses.copy(), tech.final.copy()
    moved_inputs, moved_final = np.zeros(len(final)), np.zeros(len(final))
    for n in range(len(final)):
        # Step 12: one RAS on the use table, materials by using sector and final use side by side.
        seed = np.concatenate([uses[n] * material[n], (tech.final[n] * final[n])[:, None]], axis=1)
        table = ras(seed, absorbed[n], np.append(material[n], final[n]), 2e-14, 3000)
        input_share[n] = ratio(table[:, :S], np.broadcast_to(total(table[:, :S], 0), (S, S)).copy())
        final_share[n] = table[:, S] / total(table[:, S], 0)
        gap = 0.5 * total(np.abs(input_share[n] - uses[n]), 0)
        moved_inputs[n] = float(total(gap * material[n], 0)) / float(total(material[n], 0))
        moved_final[n] = 0.5 * float(total(np.abs(final_share[n] - tech.final[n]), 0))

    trade = abroad.copy()
    for n in range(len(final)):
        trade[n, n] = domestic[n]
    return Accounts(
        trade,
        tariff,
        value,
        input_share,
        final_share,
        output,
        deficit,
        revenue,
        (domestic - least < 1e-6 * least) & (home / (1.0 - home) * paid >= least),
        moved_inputs,
        moved_final,
        lowered,
    )


def _prior_output(inputs: Inputs, tech: Technology) -> tuple[Array, Array, Array]:
    """Output to start from, its weight in target absorption, and the home-share floor.

    ICIO of 2022 where it has the region, services split as in the proxy; the proxy's output otherwise.
    """
    a = inputs.assumption
    known = inputs.mix("output_mix", "output_share", (*SECTORS[:G], "SRV"))
    shares = inputs.mix("output_mix", "home_share", SECTORS[:G])
    start = tech.output.copy()
    weight = np.zeros(len(start))
    home = np.full(start.shape, a["home_share_floor"])
    for n, region in enumerate(inputs.regions):
        if region in known:
            services = tech.output[n, G:] / total(tech.output[n, G:], 0)
            start[n] = np.append(known[region][:G], known[region][G] * services)
            weight[n] = a["output_weight_icio"]
            home[n, :G] = np.minimum(home[n, :G], 0.5 * shares[region])
    return start, weight, home


def _lower_value_added(
    inputs: Inputs, value: Array, uses: Array, floor: Array, target: Array
) -> dict[tuple[str, int], float]:
    """Where floors alone would exceed a group's value added, lower its shares (in place).

    The difference is booked as input of the sector's own product.
    """
    lowered: dict[tuple[str, int], float] = {}
    for n, region in enumerate(inputs.regions):
        for q in range(3):
            k = np.flatnonzero(q == GROUP)
            needed = float(total((value[n] * floor[n])[k], 0))
            if needed <= inputs.assumption["floor_limit"] * float(target[n, q]):
                continue
            factor = inputs.assumption["floor_after_lowering"] * float(target[n, q]) / needed
            lowered[region, q] = factor
            for s in k:
                old, new = float(value[n, s]), float(value[n, s]) * factor
                uses[n, :, s] *= (1.0 - old) / (1.0 - new)
                uses[n, s, s] += (old - new) / (1.0 - new)
                value[n, s] = new
    return lowered


def _output(
    inputs: Inputs,
    tech: Technology,
    value: Array,
    uses: Array,
    start: Array,
    weight: Array,
    floor: Array,
    exports: Array,
    paid: Array,
    target: Array,
    final: Array,
) -> Array:
    """Step 11: output that meets the group targets, close to known supply and use."""
    if inputs.assumption["output_weight_icio"] != 0.85:
        raise ValueError("the weight of ICIO output is built in as 17/20")
    known = (weight > 0)[:, None]
    # Output below exports leaves nothing to absorb: a small positive number, so that the mean is defined.
    supplied = np.maximum(start - exports + paid, 1e-9)
    output = start.copy()
    for _ in range(ROUNDS):
        material = (1.0 - value) * output
        used = total(uses * material[:, None, :], 2) + tech.final * final[:, None]
        # supplied^0.85 used^0.15 = supplied (used / supplied)^(3/20)
        twentieth = fifth_root(np.sqrt(np.sqrt(used / supplied)))
        absorbed = np.where(known, supplied * twentieth * twentieth * twentieth, used)
        wanted = _to_targets(np.maximum(exports - paid + absorbed, floor), value, floor, target)
        output = 0.5 * output + 0.5 * wanted
    return _to_targets(output, value, floor, target)


def _to_targets(output: Array, value: Array, floor: Array, target: Array) -> Array:
    """Scale the part above the floors so that value added meets the target of each group."""
    out = output.copy()
    for q in range(3):
        k = q == GROUP
        fixed = total((value * floor)[:, k], 1)
        free = total((value * (output - floor))[:, k], 1)
        out[:, k] = floor[:, k] + (output - floor)[:, k] * ((target[:, q] - fixed) / free)[:, None]
    return out

"""Does landbridge find the effects of NAFTA that Caliendo and Parro (2015) printed?

A marimo notebook, and a script: `marimo edit examples/notebooks/replicate_caliendo_parro.py`. Needs the extra
`report` and, for NAFTA, the authors' files, which `make inputs` fetches. Runs for about 2 seconds.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="A published result")


@app.cell(hide_code=True)
def _():
    import marimo as mo
    import numpy as np
    import pandas as pd

    from landbridge.io.cache import cache_folder
    from landbridge.io.spatial import Flow, SpatialNetwork
    from landbridge.trade import TradeTable, solve
    from landbridge.trade.spatial import link_values

    mo.md("""
    # A published result

    Does landbridge find the effects of NAFTA that Caliendo and Parro (2015) printed in *Estimates of the
    Trade and Welfare Effects of NAFTA*, Review of Economic Studies 82(1)?

    Their model has 31 countries and 40 sectors that buy from each other. The tariffs between Mexico, Canada
    and the United States go from those of 1993 to those of 2005. Figures are in percent.
    """)
    return Flow, SpatialNetwork, TradeTable, cache_folder, link_values, mo, np, pd, solve


@app.cell
def _(cache_folder, mo):
    # The authors' files, which have no licence that lets landbridge bring them along.
    how = (
        "The files of Caliendo and Parro are not here. In a checkout, `make inputs` fetches them from a "
        "public address into your cache folder and checks each by its SHA-256 (tests/published/inputs.csv). "
        "Then run this notebook again. The last part needs no files."
    )
    cache = cache_folder()
    folder = cache / "published" / "papers" / "caliendo_parro_2015" if cache else None
    if folder is None or not folder.is_dir():
        mo.stop(True, mo.callout(mo.md(how), "warn") if mo.running_in_notebook() else print(how))
    return (folder,)


@app.cell
def _(TradeTable, folder, np, solve):
    regions = [
        *("ARG", "AUS", "AUT", "BRA", "CAN", "CHL", "CHN", "DNK", "FIN", "FRA", "DEU", "GRC", "HUN", "IND"),
        *("IDN", "IRL", "ITA", "JPN", "KOR", "MEX", "NLD", "NZL", "NOR", "PRT", "ZAF", "ESP", "SWE", "TUR"),
        *("GBR", "USA", "rest of the world"),
    ]
    n, s, goods = len(regions), 40, 20
    bloc = [regions.index(country) for country in ("MEX", "CAN", "USA")]

    # Files of flows and tariffs: rows are importers within each of the 20 sectors of goods.
    def pairs(name):
        out = np.zeros((n, n, s))
        out[:, :, :goods] = np.loadtxt(folder / name).reshape(goods, n, n).transpose(2, 1, 0)
        return out

    trade, tariff = pairs("xbilat1993.txt") / 1e3, pairs("tariffs1993.txt") / 100
    value_added, inputs = np.loadtxt(folder / "B.txt").T, np.loadtxt(folder / "IO.txt").reshape(n, s, s)
    output = np.maximum(np.loadtxt(folder / "GO.txt").T / 1e6, trade.sum(axis=1))
    trade[range(n), range(n)] = output - trade.sum(axis=1)
    final = (trade * (1 + tariff)).sum(axis=0) - np.einsum("nks,ns->nk", inputs, (1 - value_added) * output)
    final = np.maximum(final, 0) / np.maximum(final, 0).sum(axis=1, keepdims=True)
    theta = np.append(np.loadtxt(folder / "T.txt"), np.full(s - goods, 8.22))
    sectors = [f"sector {number + 1}" for number in range(s)]
    table = TradeTable(regions, sectors, trade, tariff, value_added, inputs, final, theta)

    # As in the paper: first a world without deficits, then in that world the tariffs of 2005 within the bloc.
    balanced = solve(table, deficits="zero").table()
    later = tariff.copy()
    later[np.ix_(bloc, bloc)] = pairs("tariffs2005.txt")[np.ix_(bloc, bloc)] / 100
    nafta = solve(balanced, tariff=later, deficits="zero")
    return bloc, nafta


@app.cell
def _(bloc, mo, nafta, pd):
    printed = pd.DataFrame(
        {
            "MEX": (-0.41, 1.72, 1.31, 1.72),
            "CAN": (-0.11, 0.04, -0.06, 0.32),
            "USA": (0.04, 0.04, 0.08, 0.11),
        },
        index=["terms of trade", "volume of trade", "welfare", "real wage"],
    ).T
    first = nafta.first_order
    found = (first.terms_of_trade, first.volume, first.sum, nafta.real_wage_hat - 1)
    ours = pd.DataFrame(
        [100 * values[bloc] for values in found], index=printed.columns, columns=printed.index
    ).T
    same = int((ours.round(2) == printed).to_numpy().sum())
    answer = f"{same} of the {printed.size} printed figures are found to the last digit."
    both = pd.DataFrame({"printed": printed.stack(), "landbridge": ours.stack().round(4)})
    mo.vstack([mo.md(f"**{answer}**"), mo.plain(both)]) if mo.running_in_notebook() else print(answer)
    return


@app.cell
def _(bloc, nafta, pd):
    # Welfare in the paper is the sum of the first two, to first order. The solved change is smaller.
    effects = pd.DataFrame(
        {
            "terms of trade": 100 * nafta.first_order.terms_of_trade[bloc],
            "volume of trade": 100 * nafta.first_order.volume[bloc],
            "real income, solved": 100 * (nafta.real_income_hat[bloc] - 1),
        },
        index=["MEX", "CAN", "USA"],
    )
    chart = effects.plot.bar(figsize=(7, 3.5), rot=0, color=["#56b4e9", "#0072b2", "#b84a00"])
    chart.axhline(0.0, color="#222222", linewidth=0.8)
    chart.set_ylabel("percent")
    chart
    return


@app.cell
def _(Flow, SpatialNetwork, link_values, mo, np, pd):
    # Without files: three made-up zones with roads, railways and congestion. What is one percent off the cost
    # of a road worth, in percent of welfare? Printed by Allen, Fuchs and Wong (2026) in the guide of their
    # package TransportNetworkWelfare.jl (MIT licence), where the network is from.
    given = pd.DataFrame(
        {
            "road": dict.fromkeys(("AB", "BA", "AC", "CA", "BC", "CB"), 0.010),
            "rail": {"AB": 0.003, "BA": 0.003, "BC": 0.002, "CB": 0.002},
            "printed": {"AB": 6817, "BA": 6597, "AC": 6986, "CA": 6736, "BC": 7678, "CB": 7644},
        }
    )
    flows = [Flow(e, e, *e, "road", flow) for e, flow in given["road"].items()]
    flows += [
        Flow(e, e, *e, "rail", flow, f"T{e[0]}", f"T{e[1]}") for e, flow in given["rail"].dropna().items()
    ]
    zones = SpatialNetwork(
        ("A", "B", "C"), np.array([1.0, 1.1, 0.9]), np.array([1.2, 1.0, 0.8]), tuple(flows)
    )
    settings = {"alpha": 0.10, "beta": -0.30, "sigma": 9, "eta": 1.099}
    worth = link_values(zones, **settings, congestion={"road": 0.05}, terminals={"rail": 0.03})
    links = pd.DataFrame({"printed": given["printed"] / 1e6, "landbridge": worth["full"].round(6)})
    equal = f"{int(np.isclose(*links.to_numpy().T).sum())} of {len(links)} values of roads are those printed."
    mo.vstack([mo.md(f"**{equal}**"), mo.plain(links)]) if mo.running_in_notebook() else print(equal)
    return


if __name__ == "__main__":
    app.run()

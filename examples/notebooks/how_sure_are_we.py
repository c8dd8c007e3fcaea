"""How sure is a change of real income, which assumption widens its range most, and what do borders add?

A marimo notebook, and a script: `marimo edit examples/notebooks/how_sure_are_we.py`. Needs the extra
`report`. Runs for about 25 seconds.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="How sure are we?")


@app.cell(hide_code=True)
def _():
    import marimo as mo
    import pandas as pd

    import landbridge as lb
    from landbridge.io.ranges import manifest, shipped_ranges
    from landbridge.scenario import load_scenario

    drawn = manifest()
    mo.md(f"""
    # How sure are we?

    How wide is the range of a result, and which assumption widens it most?

    Ranges come with the data: {drawn["draws"]} draws of {drawn["numbers"]} uncertain numbers, each within
    the range that the data state, solved for {len(drawn["scenarios"])} scenarios. Figures are changes of real
    income in percent. What was not drawn is taken as certain, so real uncertainty is larger. For a scenario
    of your own `landbridge sweep` makes ranges.
    """)
    return drawn, lb, load_scenario, mo, pd, shipped_ranges


@app.cell
def _(drawn, lb, load_scenario, pd, shipped_ranges):
    world = lb.load()
    ranges = pd.DataFrame(
        {"scenario": name, "region": region, **row}
        for name in drawn["scenarios"]
        for region, row in shipped_ranges(world.hash, name, load_scenario(name).to_dict()).items()
    )
    # 5 %, median and 95 % of the draws; widest: the number with the highest rank correlation.
    members = ranges[ranges["region"].isin(world.group("CA5"))]
    members[members["scenario"] == "cku-railway"].set_index("region").round(3)
    return members, ranges, world


@app.cell
def _(ranges):
    # One country over all scenarios: the median as a dot, 5 to 95 % of the draws as a line.
    country = "KGZ"
    own = ranges[ranges["region"] == country].sort_values("percent_p50")
    chart = own.plot.scatter("percent_p50", "scenario", figsize=(8, 4), color="#0072b2")
    chart.hlines(own["scenario"], own["percent_p05"], own["percent_p95"], color="#0072b2")
    chart.axvline(0.0, color="#222222", linewidth=0.8)
    chart.set(xlabel=f"real income of {country}, %: median, and 5 to 95 % of the draws", ylabel="")
    chart
    return (own,)


@app.cell
def _(members):
    # Which number widens the range most, and in how many pairs of a country of Central Asia and a scenario.
    widest = members["widest"].value_counts()
    widest.head(10).rename("pairs").to_frame()
    return (widest,)


@app.cell
def _(lb, pd, world):
    # The worth of one hour less at a border to Central Asia (to first order; routes, trade and waits adjust),
    # times the hours by which it may differ from what is stated: means over products and directions.
    worth = lb.sensitivity(world, of="real_income:CA5", to="gateways", exact=0)
    hour = worth[worth["target"] == "time_h"].set_index("id")["usd_per_unit_year"] / 1e6
    crossings = pd.DataFrame(list(world.network["crossings"])).set_index("gateway_id")
    hours = crossings[["time_low_h", "time_h", "time_high_h"]].astype(float).groupby(level=0).mean()
    ends = pd.DataFrame(
        {
            "at the lowest hours": hour * (hours["time_h"] - hours["time_low_h"]),
            "at the highest hours": hour * (hours["time_h"] - hours["time_high_h"]),
        }
    ).dropna()
    ends = ends.loc[ends.abs().sum(axis=1).nlargest(10).index[::-1]]
    tornado = ends.plot.barh(stacked=True, figsize=(8, 4), color=["#0072b2", "#b84a00"])
    tornado.axvline(0.0, color="#222222", linewidth=0.8)
    tornado.set(xlabel="real income of Central Asia, million USD of 2023 a year", ylabel="")
    tornado.legend(loc="lower left", frameon=False)
    tornado
    return (ends,)


@app.cell(hide_code=True)
def _(ends, mo, own, widest):
    railway = own.set_index("scenario").loc["cku-railway"]
    often = " or ".join(widest[widest == widest.max()].index)
    answer = (
        f"Real income of {railway['region']} with the railway China - Kyrgyzstan - Uzbekistan: "
        f"{railway['percent_p05']:+.2f} to {railway['percent_p95']:+.2f} %. What widens ranges most "
        f"often: {often} ({widest.max()} of {widest.sum()} ranges). Of the hours at borders, those of "
        f"{ends.index[-1]} matter most."
    )
    mo.md(f"**{answer}**") if mo.running_in_notebook() else print(answer)
    return


if __name__ == "__main__":
    app.run()

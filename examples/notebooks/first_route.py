"""How long does a container take from Chongqing to Duisburg, where do its hours go, and what was observed?

A marimo notebook, and a script: `marimo edit examples/notebooks/first_route.py`. Needs the extra `report`.
Runs for about 5 seconds.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="A first route")


@app.cell(hide_code=True)
def _():
    import marimo as mo
    import pandas as pd

    import landbridge as lb

    mo.md("""
    # A first route

    How long does a container take from Chongqing to Duisburg, what does it cost, and where do its hours go?

    All figures are for one TEU (half a 40-foot container) from door to door, waits included. Money is in
    USD of 2023. CO2e is counted from well to wheel, in kg.
    """)
    return lb, mo, pd


@app.cell
def _(lb):
    # Other cities, by a name in English, Russian or Chinese, and other goods: change them here.
    start, end, goods = "Chongqing", "Duisburg", "MCH"

    world = lb.load()
    routes = lb.route(world, start, end, commodity=goods, k=4)
    routes
    return end, goods, routes, start, world


@app.cell
def _(routes):
    legs = routes.frame()
    legs["way"] = legs["route"].astype(str) + ". " + legs["family"]
    hours = legs.pivot_table(index="way", columns="operation", values="time_h", aggfunc="sum", fill_value=0.0)
    chart = hours.plot.barh(stacked=True, figsize=(8, 3), colormap="tab10", width=0.7)
    chart.set(xlabel="hours, door to door", ylabel="")
    chart.invert_yaxis()
    chart.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    chart
    return (hours,)


@app.cell
def _(end, goods, lb, start, world):
    # The legs of the largest route by rail. Terms of a leg: `landbridge route Chongqing Duisburg --legs`.
    train = lb.route(world, start, end, commodity=goods, k=1, mode="rail")
    named = {row["place_id"]: row["name"] for row in world.network["places"]}
    train.frame().replace({"from": named, "to": named})[
        ["from", "to", "mode", "operation", "distance_km", "time_h", "cost_usd", "co2e_kg"]
    ].round(1)
    return (train,)


@app.cell
def _(pd, train, world):
    # What was observed between the same two cities, in either direction: days, with source and year.
    ends = [train.origin, train.destination]
    observed = pd.DataFrame(list(world.network["validation_corridors"]))
    same = observed["from_place"].isin(ends) & observed["to_place"].isin(ends) & (observed["mode"] == "rail")
    observed = observed.loc[same, ["from_place", "to_place", "days", "comparable", "source", "year", "basis"]]
    observed
    return (observed,)


@app.cell(hide_code=True)
def _(end, mo, observed, start, train):
    days = train[0].time_h / 24
    counted = observed.loc[observed["comparable"] == "yes", "days"]
    answer = f"{start} - {end} by rail: {days:.1f} days and {train[0].cost_usd:,.0f} USD in the model"
    if len(counted):
        answer += f"; {counted.min():g} to {counted.max():g} days observed, comparable services only"
    mo.md(f"**{answer}.**") if mo.running_in_notebook() else print(f"{answer}.")
    return


if __name__ == "__main__":
    app.run()

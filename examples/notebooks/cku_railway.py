"""Who gains and who loses from the railway China - Kyrgyzstan - Uzbekistan, and which borders lose traffic?

A marimo notebook, and a script: `marimo edit examples/notebooks/cku_railway.py`. Needs the extra `report`.
Runs for about 20 seconds.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="The railway China - Kyrgyzstan - Uzbekistan")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    import landbridge as lb

    mo.md("""
    # The railway China - Kyrgyzstan - Uzbekistan

    Who gains and who loses from the railway Kashgar - Torugart - Jalal-Abad - Andijan, and which borders lose
    traffic to it?

    The model solves the world of 2023 without and with the railway. The difference is what would differ once
    routes and trade had adjusted. It is not a forecast, and the cost of construction is not in it.
    """)
    return lb, mo


@app.cell
def _(lb):
    # Another scenario: `landbridge scenarios` lists them, and lb.Scenario.from_dict makes one of your own.
    world = lb.load()
    railway = lb.run(world, "cku-railway")
    lb.chart(railway, "income")
    return railway, world


@app.cell
def _(lb, railway):
    lb.chart(railway, "pairs")
    return


@app.cell
def _(lb, railway):
    lb.chart(railway, "change")
    return


@app.cell
def _(railway):
    # Thousand TEU a year, both directions; bulk goods are counted as the TEU that they would fill.
    gateways = railway.compare().gateways.set_index("name")
    traffic = gateways[["base_teu_per_year", "teu_per_year"]].fillna(0.0) / 1000
    traffic.columns = ["without", "with"]
    traffic["change"] = traffic["with"] - traffic["without"]
    traffic.loc[traffic["change"].abs().nlargest(8).index].round(0)
    return (traffic,)


@app.cell(hide_code=True)
def _(mo, railway, traffic):
    income = railway.real_income.set_index("region")["percent"]
    loser = traffic["change"].idxmin()
    answer = (
        f"Real income of Kyrgyzstan {income['KGZ']:+.2f} %, Uzbekistan {income['UZB']:+.2f} %, Kazakhstan "
        f"{income['KAZ']:+.3f} %. {loser} loses most traffic, {-traffic['change'].min():,.0f} thousand TEU "
        "a year."
    )
    sources = "".join(f"\n* {source}" for source in railway.scenario.sources)
    shown = f"**{answer}**\n\nSources of the scenario:\n{sources}"
    mo.md(shown) if mo.running_in_notebook() else print(answer)
    return


if __name__ == "__main__":
    app.run()

"""The picture of the README: what one hour less at a border is worth to Central Asia.

Writes an SVG file to the path given, else to what_an_hour_is_worth.svg in this folder. Needs the extra
`report`. Runs for about 25 seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

import landbridge as lb

world = lb.load()
table = lb.sensitivity(world, of="real_income:CA5", to="gateways", exact=0)
top = table[table["target"] == "time_h"].head(10)[::-1]

country = {row["place_id"]: row["country"] for row in world.network["places"]}
five = {
    row["gateway_id"]
    for row in world.network["gateways"]
    if {country.get(row["place_a"]), country.get(row["place_b"])} & set(world.group("CA5"))
}
colours = ["#0072b2" if id in five else "#b84a00" for id in top["id"]]

style = {"font.size": 11, "svg.fonttype": "path", "svg.hashsalt": "landbridge"}
with matplotlib.rc_context(style):
    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(top["name"], top["usd_per_unit_year"] / 1e6, color=colours)
    axes.bar_label(bars, fmt="%.1f", padding=3)
    title = "One hour less at one border: gain of Central Asia, million USD a year"
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    axes.text(0.98, 0.12, "borders of Central Asia", color="#0072b2", ha="right", transform=axes.transAxes)
    axes.text(0.98, 0.03, "borders elsewhere", color="#b84a00", ha="right", transform=axes.transAxes)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(left=False, bottom=False, labelbottom=False)
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("what_an_hour_is_worth.svg")
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
print(f"written: {path}")

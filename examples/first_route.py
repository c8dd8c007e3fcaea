"""How long does a container take from Chongqing to Duisburg, and what does it cost?

Prints the largest route of each corridor family; for the train, where its hours and its money go; and the
days that were observed. Runs for about 3 seconds.
"""

from __future__ import annotations

import pandas as pd

import landbridge as lb

world = lb.load()

print("Chongqing - Duisburg, machinery, one TEU, door to door")
for route in lb.route(world, "Chongqing", "Duisburg", commodity="MCH", k=3).routes:
    print(
        f"  {route.family:10} {route.time_h / 24:5.1f} days  {route.cost_usd:7,.0f} USD"
        f"  {route.co2e_kg:6,.0f} kg CO2e   family: {route.family_share:.1%} of the TEU"
    )

train = lb.route(world, "Chongqing", "Duisburg", commodity="MCH", k=1, mode="rail").frame()
print("\nThe train, by operation")
print(train.groupby("operation")[["time_h", "cost_usd", "co2e_kg"]].sum().round().to_string())

print(f"\nDays of the train\n  {train['time_h'].sum() / 24:.1f}  model, westbound")
observed = pd.DataFrame(list(world.network["validation_corridors"]))
ends = observed["from_place"].isin(["CKG", "DUI"]) & observed["to_place"].isin(["CKG", "DUI"])
for row in observed[ends & (observed["comparable"] == "yes")].itertuples():
    print(f"  {row.days:g}  observed, {row.from_place} to {row.to_place} ({row.source}, {row.year})")

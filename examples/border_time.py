"""What is it worth to halve the hours at the rail border Khorgos - Altynkol?

Solves the base and the scenario and prints real income, the corridors that become quicker, and the trains at
the border. Runs for about 12 seconds.
"""

from __future__ import annotations

import landbridge as lb

SCENARIO = {
    "name": "Khorgos in half the time",
    "sources": ["assumption"],
    "modification": [
        {"verb": "change_gateway", "gateway": "khorgos-altynkol", "time_h": {"multiply": 0.5}},
    ],
}

world = lb.load()
after = lb.run(world, lb.Scenario.from_dict(SCENARIO, "khorgos", world=world))
change = after.compare()

print("Real income a year, change against the base")
income = change.real_income.set_index("region")
for region in ("KAZ", "KGZ", "TJK", "TKM", "UZB", "CHN"):
    row = income.loc[region]
    print(f"  {region}  {row['percent']:+.3f} %  {row['musd']:+6.0f} million USD")

print("\nMean hours door to door, base and scenario")
corridors = change.corridors[change.corridors["family"] == "all"]
quicker = (corridors["time_h"] - corridors["base_time_h"]).nsmallest(3).index
for row in corridors.loc[quicker].itertuples():
    print(f"  {row.corridor:20} {row.base_time_h:5.0f} {row.time_h:5.0f}")

border = change.gateways.set_index("gateway").loc["khorgos-altynkol"]
before, now = border["base_trains_per_day"], border["trains_per_day"]
print(f"\nContainer trains a day at Khorgos: {before:.1f} in the base, {now:.1f} in the scenario")

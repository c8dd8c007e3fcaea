"""Who goes short of gas when line C of the Central Asia - China pipelines fails, and what do sellers lose?

The line fails for the whole year, then from December to February only. Demand is the same in every month and
nothing is stored (the flat profile). Runs for about 3 seconds.
"""

from __future__ import annotations

import landbridge as lb

world = lb.load()
for months in ("1-12", "12-2"):
    answer = lb.gas(world, ["line-C"], months=months)
    result, income = answer.result, answer.tables["income"].set_index("region")
    print(f"Line C lost in months {months}: {result['unserved_bcm']:.2f} bcm are not delivered")
    contracts = answer.tables["contracts"]
    for row in contracts[contracts["missed_bcm"] > 0].itertuples():
        print(f"  {row.exporter} to {row.importer}: {row.missed_bcm:5.2f} of {row.due_bcm:5.2f} bcm missed")
    for region in income.index:
        print(f"  real income of {region}: {income.loc[region, 'percent']:+.3f} %")

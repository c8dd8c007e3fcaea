"""What does a cut of trade costs give in a trade table of one's own, with one sector and with inputs?

Three made-up countries: first Armington (one sector, no inputs), then Caliendo-Parro (two sectors that buy
from each other), with the same cut between A and B. Runs for about 1 second.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from landbridge.trade import TradeTable, solve

REGIONS = ("A", "B", "C")
# Million USD at producer prices; rows sell, columns buy, domestic sales are on the diagonal.
FLOWS = np.array([[900.0, 60.0, 40.0], [50.0, 700.0, 30.0], [50.0, 20.0, 1500.0]])

cut = np.ones((3, 3))
cut[0, 1] = cut[1, 0] = 0.95  # goods between A and B cost 5 % less on arrival

armington = solve(TradeTable.armington(FLOWS, theta=4.0, regions=REGIONS), cut)

# The same flows, 70 % of them goods and 30 % services; half of output is value added.
share = {"goods": 0.7, "services": 0.3}
trade = pd.DataFrame(
    [
        {"origin": o, "destination": d, "sector": s, "trade": share[s] * FLOWS[i, j], "tariff": 0.0}
        for i, o in enumerate(REGIONS)
        for j, d in enumerate(REGIONS)
        for s in share
    ]
)
production = pd.DataFrame(
    [
        {"region": r, "sector": s, "value_added_share": 0.5, "final_share": share[s]}
        for r in REGIONS
        for s in share
    ]
)
inputs = pd.DataFrame(
    [{"region": r, "input": k, "using": s, "share": share[k]} for r in REGIONS for k in share for s in share]
)
table = TradeTable.from_frame(trade, {"goods": 4.0, "services": 4.0}, production, inputs)
caliendo_parro = solve(table, np.repeat(cut[:, :, None], 2, axis=2))

print("Real income, %     Armington  Caliendo-Parro")
for n, region in enumerate(REGIONS):
    one, two = armington.real_income_hat[n] - 1, caliendo_parro.real_income_hat[n] - 1
    print(f"  {region}                {100 * one:+9.3f}  {100 * two:+14.3f}")
print(f"Solved: {caliendo_parro.status.message}")

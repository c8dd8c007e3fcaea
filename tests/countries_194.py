"""The 194 countries of 2023 of Ignatenko, Lashkaripour, Macedoni and Simonovska (2025), for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from landbridge.trade import TradeTable


def read_194(folder: Path) -> TradeTable:
    """Trade and GDP; domestic sales are GDP less exports, floored at zero for two countries.

    folder: papers/liberation_day_2025 of the inputs of published problems; thousand USD by exporter (row) and
    importer (column), and USD.
    """
    regions = list(pd.read_csv(folder / "country_labels.csv").iso3)
    trade = pd.read_csv(folder / "trade_cepii.csv").fillna(0.0).to_numpy(float) / 1e3
    home = pd.read_csv(folder / "gdp.csv").gdp.to_numpy() / 1e6 - trade.sum(axis=1)
    np.fill_diagonal(trade, np.maximum(home, 0.0))
    return TradeTable.armington(trade, theta=4.0, regions=regions)

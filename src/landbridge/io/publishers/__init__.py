"""Readers of trade data in the publishers' own formats.

A list of flows comes back as a DataFrame (year, exporter, importer, sector, trade_musd ...), an
input-output table as a TradeTable. No data are shipped; docs/data/readers.md states where each file is
published, its licence, and the sources its reader was written from.
"""

from __future__ import annotations

from landbridge.io.publishers.adb import read_adb_mrio
from landbridge.io.publishers.baci import read_baci
from landbridge.io.publishers.comtrade import read_comtrade
from landbridge.io.publishers.concordance import Concordance, read_concordance
from landbridge.io.publishers.icio import read_icio
from landbridge.io.publishers.indicators import read_gravity, read_wdi
from landbridge.io.publishers.itpde import read_itpde
from landbridge.io.publishers.report import Dropped, Report

__all__ = [
    "Concordance",
    "Dropped",
    "Report",
    "read_adb_mrio",
    "read_baci",
    "read_comtrade",
    "read_concordance",
    "read_gravity",
    "read_icio",
    "read_itpde",
    "read_wdi",
]

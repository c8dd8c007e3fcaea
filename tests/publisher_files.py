"""Small files in the publishers' formats, written by the tests."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ISO = {156: "CHN", 398: "KAZ", 417: "KGZ", 643: "RUS", 276: "DEU"}
PRODUCTS = ("010121", "270900", "271012", "847130", "870323")


def write_rows(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path


def country_codes(folder: Path, codes: dict[int, str] | None = None) -> Path:
    rows = [["country_code", "country_name", "country_iso2", "country_iso3"]]
    rows += [[str(n), f"Land {iso}", iso[:2], iso] for n, iso in (codes or ISO).items()]
    return write_rows(folder / "country_codes_V202501.csv", rows)


def baci_rows(seed: int = 0, year: int = 2023) -> list[list[str]]:
    """Header and about 60 distinct flows; a few quantities are not known."""
    rng = np.random.default_rng(seed)
    rows = [["t", "i", "j", "k", "v", "q"]]
    for i in ISO:
        for j in ISO:
            for k in PRODUCTS:
                if i != j and rng.random() < 0.6:
                    q = "NA" if rng.random() < 0.1 else f"{rng.uniform(0, 50):.3f}"
                    rows.append([str(year), str(i), str(j), k, f"{rng.gamma(1, 3000):.3f}", q])
    return rows


def write_baci(folder: Path, year: int = 2023, seed: int = 0) -> Path:
    country_codes(folder)
    return write_rows(folder / f"BACI_HS17_Y{year}_V202501.csv", baci_rows(seed, year))


def flows(seed: int, countries: int, sectors: int) -> tuple[Array, Array]:
    """Inputs [o, s, d, k] and final uses [o, s, d, use] of a random economy, rounded as tables are."""
    rng = np.random.default_rng(seed)
    Z = rng.gamma(1, 5, (countries, sectors, countries, sectors))
    F = rng.gamma(1, 40 * sectors, (countries, sectors, countries, 3)) / 3
    return Z.round(4), F.round(4)


def icio_rows(
    countries: Sequence[str],
    industries: Sequence[str],
    Z: Array,
    F: Array,
    uses: Sequence[str] = ("HFCE", "GFCF", "INVNT"),
) -> list[list[str]]:
    """The wide table: V1, industries of countries, final uses, OUT; then TLS, VA, OUT."""
    n = len(countries) * len(industries)
    z, f = Z.reshape(n, n), F.reshape(n, -1)
    output = z.sum(axis=1) + f.sum(axis=1)
    taxes = (0.02 * z.sum(axis=0)).round(4)
    added = output - z.sum(axis=0) - taxes
    labels = [f"{c}_{i}" for c in countries for i in industries]
    rows = [["V1", *labels, *(f"{c}_{u}" for c in countries for u in uses), "OUT"]]
    for k, label in enumerate(labels):
        rows.append([label, *(f"{v:.4f}" for v in (*z[k], *f[k], output[k]))])
    for label, values in (("TLS", taxes), ("VA", added), ("OUT", output)):
        rows.append([label, *(f"{v:.4f}" for v in values), *(["0"] * f.shape[1]), ""])
    return rows


def write_adb(path: Path, countries: Sequence[str], Z: Array, F: Array) -> Path:
    """The workbook: titles, a row of sector names, of countries, of codes; labels in columns C and D."""
    from openpyxl import Workbook

    N, S = Z.shape[0], Z.shape[1]
    z, f = Z.reshape(N * S, N * S), F.reshape(N * S, -1)
    uses = F.shape[3]
    output = z.sum(axis=1) + f.sum(axis=1)
    book = Workbook()
    book.active.title = "Read me"
    page = book.create_sheet("ADB MRIO 2022")
    page.append(["Multi-Regional Input-Output Table, 2022"])
    page.append(["(in USD Million)"])
    for _ in range(2):
        page.append([])
    page.append([None] * 4 + ["sector"] * (N * S) + ["final"] * (N * uses) + ["TOTAL"])
    across = [c for c in countries for _ in range(S)], [c for c in countries for _ in range(uses)]
    page.append([None] * 4 + across[0] + across[1] + [None])
    codes = [f"c{k + 1}" for k in range(S)] * N, [f"F{k + 1}" for k in range(uses)] * N
    page.append([None] * 4 + codes[0] + codes[1] + ["TOTAL"])
    for k in range(N * S):
        labels = [None, "sector", across[0][k], codes[0][k]]
        page.append([*labels, *z[k].tolist(), *f[k].tolist(), float(output[k])])
    page.append(["Total", None, None, "r60", *z.sum(axis=0).tolist()])
    zeros = [0.0] * (N * S)
    for code in ("r99", "r61", "r62", "r63"):
        page.append([None, "item", None, code, *zeros])
    page.append([None, "Value added", None, "r64", *(output - z.sum(axis=0)).tolist()])
    page.append([None, "Margins", None, "r65", *zeros])
    page.append([None, "Output", None, "r69", *output.tolist()])
    book.save(path)
    return path

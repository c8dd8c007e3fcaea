"""Money, emissions and contents of a TEU: rates, factors, freight profile and value density."""

from __future__ import annotations

from network_io import Row, Rows, number, tidy

KM_OF_TFI3 = 500.0
# A shipment of 20 t is read as one TEU, in rates of CPMM and of goods in bulk.
T_OF_TEU = 20.0

# Goods whose Kazakh export value per tonne is used for the four neighbours: bulk and semi-finished goods.
LIKE_GOODS = ("AGR", "CHM", "ENE", "FOO", "MET", "MIN", "NMM", "REF", "TEX")
NEIGHBOURS = ("KGZ", "TJK", "TKM", "UZB")


def in_2023(inputs: dict[str, Rows], amount: str | float, year: str) -> float:
    """An amount of another year in USD of 2023."""
    factor = {row["year"]: number(row["to_2023"]) for row in inputs["deflator"]}
    return (number(amount) if isinstance(amount, str) else amount) * factor[year]


def rates(inputs: dict[str, Rows]) -> Rows:
    """Money per TEU-km. CPMM: cost per 500 km and 20 t less one border's payments, per km.

    TFI3 covers all payments on the way, including those at borders, which crossings.csv charges: the border
    payment of the same country (TFI2) is taken out once per 500 km. The high end is TFI3 / 500, the low
    end half the value: two light TEU share a truck or wagon that one heavy TEU of 20 t fills. Goods in bulk
    by rail pay what railways receive per tonne-km, times 20 t.
    """
    rows: Rows = []
    for row in inputs["rates"]:
        if row["kind"] == "cpmm":
            full = in_2023(inputs, row["tfi3_usd_per_500km_20t"], row["year"]) / KM_OF_TFI3
            net = full - in_2023(inputs, row["tfi2_usd_per_20t"], row["year"]) / KM_OF_TFI3
            value, low, high, fixed = net, 0.5 * net, full, 0.0
            source = (
                f"{row['source']}: TFI3 {row['tfi3_usd_per_500km_20t']} less TFI2 {row['tfi2_usd_per_20t']} "
                f"USD of {row['year']} per 500 km and 20 t, a shipment of 20 t read as one TEU"
            )
        else:
            tonnes = T_OF_TEU if row["kind"] == "tonne_km" else 1.0
            given = row["usd_per_tkm"] if row["kind"] == "tonne_km" else row["usd_per_teu_km"]
            low_text, high_text = row["range"].split("|")
            value = tonnes * in_2023(inputs, given, row["year"])
            fixed = in_2023(inputs, row["usd_per_teu"] or "0", row["year"])
            low, high = (tonnes * in_2023(inputs, text, row["year"]) for text in (low_text, high_text))
            source = row["source"]
            if row["kind"] == "tonne_km":
                source += f"; {row['usd_per_tkm']} USD of {row['year']} a t-km, a TEU of 20 t"
        rows.append(
            {
                **row,
                "usd_per_teu_km": tidy(round(value, 4)),
                "usd_per_teu": tidy(round(fixed)),
                "low": tidy(round(low, 4)),
                "high": tidy(round(high, 4)),
                "source": source,
            }
        )
    return rows


def emission_factors(inputs: dict[str, Rows]) -> Rows:
    """Emission factors unchanged from the inputs."""
    return list(inputs["emission_factors"])


def _is_default(row: Row) -> bool:
    return row["sector"] != "*" and row["exporter"] == "*" and row["importer"] == "*"


def freight_profile(inputs: dict[str, Rows]) -> Rows:
    """Share of a pair's value that moves on the network: a row per sector, then the exceptions."""
    rows: Rows = []
    for row in inputs["sector_freight_profile"]:
        to_network = row["share_network"] == "keep"
        rows.append(
            {
                "sector": row["sector"],
                "exporter": row["exporter"],
                "importer": row["importer"],
                "share_network": row["share_air"] if to_network else row["share_network"],
                "rule": "air_to_network" if to_network else "value",
                "source": f"landbridge freight profile: {row['basis_of_shares']}",
                "year": "2023",
                "basis": row["basis"],
                "note": "" if to_network else _elsewhere(row),
            }
        )
    return rows


def _elsewhere(row: Row) -> str:
    parts = [
        f"{name} {row[f'share_{name}']}"
        for name in ("pipeline", "air", "other")
        if number(row[f"share_{name}"])
    ]
    return "off the network: " + ", ".join(parts) if parts else ""


def sector_freight(inputs: dict[str, Rows]) -> Rows:
    """Payload, value and time value of a TEU by sector."""
    return [
        {
            "sector": row["sector"],
            "kind": row["kind"],
            "payload_t_per_teu": row["payload_t_per_teu"],
            "usd_per_teu": row["usd_per_teu_central"],
            "usd_per_teu_low": row["usd_per_teu_low"],
            "usd_per_teu_high": row["usd_per_teu_high"],
            "time_percent_per_day": row["time_pct_per_day_central"],
            "time_low": row["time_pct_per_day_low"],
            "time_high": row["time_pct_per_day_high"],
            "share_air": row["share_air"],
            "source": (
                f"value: {row['basis_of_density']}; time: {row['basis_of_time']}; payload and kind: judgement"
            ),
            "year": "2023",
            "basis": row["basis"],
            "note": "time value inside the 0.6-2.1 percent a day of Hummels and Schaur (2013), bulk below it",
        }
        for row in inputs["sector_freight_profile"]
        if _is_default(row)
    ]


# Columns of value_density, and those of the unit values they come from.
_COLUMNS = {"usd_per_teu": "usd_per_tonne", "low": "low", "high": "high"}


def value_density(inputs: dict[str, Rows]) -> Rows:
    """Value of a TEU by exporter: the sector's, and from Kazakh unit values for Central Asia.

    u = unit value [USD/t of 2021] x price level x payload [t/TEU]
    """
    rows: Rows = []
    payload: dict[str, float] = {}
    for row in inputs["sector_freight_profile"]:
        if _is_default(row):
            payload[row["sector"]] = number(row["payload_t_per_teu"])
            rows.append(
                {
                    "sector": row["sector"],
                    "exporter": "*",
                    "importer": "*",
                    "usd_per_teu": row["usd_per_teu_central"],
                    "low": row["usd_per_teu_low"],
                    "high": row["usd_per_teu_high"],
                    "source": row["basis_of_density"],
                    "year": "2023",
                    "basis": "assumption",
                    "note": "",
                }
            )
    for row in inputs["unit_values"]:
        sector = row["sector"]
        value = in_2023(inputs, row["usd_per_tonne"], row["year"]) * payload[sector]
        for exporter in ("KAZ", *(NEIGHBOURS if sector in LIKE_GOODS else ())):
            own = exporter == "KAZ"
            rows.append(
                {
                    "sector": sector,
                    "exporter": exporter,
                    "importer": "*",
                    "usd_per_teu": tidy(round(value)),
                    "low": tidy(round(0.5 * value)),
                    "high": tidy(round(2.0 * value)),
                    "source": f"{row['source']}, x {tidy(payload[sector])} t/TEU",
                    "year": row["year"],
                    "basis": "derived" if own else "assumption",
                    "note": "" if own else "Kazakh value of like goods taken for a neighbour",
                }
            )
    for row in inputs["unit_values_by_pair"]:
        scale = in_2023(inputs, "1", row["year"]) * payload[row["sector"]]
        known = {name: number(row[column]) * scale for name, column in _COLUMNS.items()}
        rows.append(
            {
                **{name: tidy(round(value)) for name, value in known.items()},
                **{name: row[name] for name in ("sector", "exporter", "importer", "year", "basis", "note")},
                "source": f"{row['source']}, x {tidy(payload[row['sector']])} t/TEU",
            }
        )
    return rows

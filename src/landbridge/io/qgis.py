"""Styles for QGIS (QML, version 3): the appearance of a layer of flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import quoteattr

__all__ = [
    "GAIN",
    "LOSS",
    "MODES",
    "STILL_SHARE",
    "STILL_TEU",
    "change_style",
    "flow_style",
    "point_style",
]

# Distinguishable with red-green colour blindness, and in grey by lightness.
MODES = {
    "rail-1435": "#0072b2",
    "rail-1520": "#b34700",
    "rail-1676": "#7b3294",
    "road": "#8a8a8a",
    "sea": "#56b4e9",
    "ferry": "#009e73",
}
GAIN, LOSS, STILL = "#0072b2", "#d55e00", "#b8b8b8"

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_FAR_KM = 1500
# Smallest change shown as one: TEU a year, and share of the flow in the base.
STILL_TEU, STILL_SHARE = 500.0, 0.002


def flow_style(modes: Sequence[str], most: float) -> str:
    """A QGIS style (QML) of lines coloured by mode, width by TEU; disputed ones dashed, ocean lanes faint.

    modes: in the order of the legend; most: TEU a year of the widest line, also the width for more. Returns
    the text.
    """
    categories = "".join(
        f'<category value={quoteattr(mode)} symbol="{number}" label={quoteattr(mode)} render="true"/>'
        for number, mode in enumerate(modes)
    )
    symbols = "".join(
        _line(str(number), MODES.get(mode, STILL), "teu_per_year", most) for number, mode in enumerate(modes)
    )
    return _style(
        '<renderer-v2 type="categorizedSymbol" attr="mode" symbollevels="0" enableorderby="0" '
        f'forceraster="0"><categories>{categories}</categories><symbols>{symbols}</symbols></renderer-v2>'
    )


def change_style(largest: float, most: float) -> str:
    """A QGIS style (QML) of lines coloured by the change in TEU against the base, width by TEU.

    largest: the largest change [TEU a year]; most: as in `flow_style`. Returns the text.
    """
    step = max(round(largest / 10.0), 1000)
    still = f"max({STILL_TEU:g}, {STILL_SHARE:g} * base_teu)"
    rules: list[tuple[str, str, str]] = [
        (f"loses more than {step:,} TEU a year", f"change_teu < -{step} and abs(change_teu) > {still}", LOSS),
        ("loses less", f"change_teu >= -{step} and change_teu < -{still}", "#f0b27a"),
        ("hardly changes", f"abs(change_teu) <= {still}", STILL),
        ("gains less", f"change_teu > {still} and change_teu <= {step}", "#85c1e9"),
        (f"gains more than {step:,} TEU a year", f"change_teu > {step} and change_teu > {still}", GAIN),
    ]
    told = "".join(
        f'<rule key="r{n}" symbol="{n}" label={quoteattr(label)} filter={quoteattr(test)}/>'
        for n, (label, test, _) in enumerate(rules)
    )
    symbols = "".join(
        _line(str(n), colour, "max(teu_per_year, base_teu)", most) for n, (_, _, colour) in enumerate(rules)
    )
    return _style(
        '<renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0" forceraster="0">'
        f'<rules key="all">{told}</rules><symbols>{symbols}</symbols></renderer-v2>'
    )


def point_style(most: float) -> str:
    """A QGIS style (QML) of gateways as circles, area by traffic; closed ones hollow.

    most: TEU a year of the largest circle. Returns the text.
    """
    symbol = _symbol(
        "marker",
        "0",
        "SimpleMarker",
        {
            "name": "circle",
            "color": "240,228,66,220",
            "outline_color": "40,40,40,255",
            "outline_width": "0.25",
            "outline_width_unit": "MM",
            "size": "2",
            "size_unit": "MM",
        },
        {
            "size": f"0.8 + 3.2 * sqrt(coalesce(teu_per_year, 0) / {max(most, 1.0):.0f})",
            "fillColor": "if(status = 'open', '240,228,66,220', '255,255,255,0')",
        },
    )
    return _style(
        '<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0" forceraster="0">'
        f"<symbols>{symbol}</symbols></renderer-v2>"
    )


def _line(name: str, colour: str, teu: str, most: float) -> str:
    far = f"mode = 'sea' and length_km > {_FAR_KM}"
    carried = f"sqrt(coalesce({teu}, 0) / {max(most, 1.0):.0f})"
    return _symbol(
        "line",
        name,
        "SimpleLine",
        {
            "line_color": ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255",
            "line_style": "solid",
            "line_width": "0.26",
            "line_width_unit": "MM",
            "capstyle": "round",
            "joinstyle": "round",
        },
        {
            "outlineWidth": f"if({far}, 0.1, 0.15 + 2 * min(1, {carried}))",
            "outlineStyle": "if(disputed, 'dash', if(status = 'open', 'solid', 'dot'))",
        },
    )


def _symbol(kind: str, name: str, layer: str, options: Mapping[str, str], defined: Mapping[str, str]) -> str:
    plain = "".join(
        f'<Option name="{key}" value={quoteattr(value)} type="QString"/>' for key, value in options.items()
    )
    by_data = "".join(
        f'<Option name="{key}" type="Map"><Option name="active" value="true" type="bool"/>'
        f'<Option name="expression" value={quoteattr(value)} type="QString"/>'
        '<Option name="type" value="3" type="int"/></Option>'
        for key, value in defined.items()
    )
    return (
        f'<symbol type="{kind}" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" locked="0" pass="0"><Option type="Map">{plain}</Option>'
        '<data_defined_properties><Option type="Map"><Option name="name" value="" type="QString"/>'
        f'<Option name="properties" type="Map">{by_data}</Option>'
        '<Option name="type" value="collection" type="QString"/></Option></data_defined_properties>'
        "</layer></symbol>"
    )


def _style(renderer: str) -> str:
    return f'{_HEAD}<qgis version="3.22.0" styleCategories="Symbology">{renderer}</qgis>\n'

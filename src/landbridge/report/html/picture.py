"""A figure drawn by matplotlib, as SVG or PNG, with a description and a caption."""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

from landbridge.io.optional import need

__all__ = ["INK", "PALE", "Picture", "canvas", "settings"]

INK, PALE = "#222222", "#dddddd"
# Of a PNG: 10.5 inches are 2,100 dots, enough for a slide.
_DOTS_PER_INCH = 200
_PATH = re.compile(r' d="[^"]*"')
_LONG = re.compile(r"(\.\d\d)\d+")


@dataclass(frozen=True)
class Picture:
    """A figure with a caption.

    figure: of matplotlib; alt: a description in words for those who do not see it; lang: of its words.
    """

    figure: Any
    alt: str
    caption: str
    lang: str = "en"

    def svg(self) -> str:
        """The figure as SVG; the same figure gives the same text."""
        out = io.BytesIO()
        with settings(self.lang):
            self.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        # Hundredths of a point are below the resolution of eyes and printers, and halve the size.
        return _PATH.sub(lambda path: _LONG.sub(r"\1", path[0]), out.getvalue().decode("utf-8"))

    def png(self) -> bytes:
        """The figure as PNG."""
        out = io.BytesIO()
        with settings(self.lang):
            self.figure.savefig(out, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
        return out.getvalue()

    @property
    def address(self) -> str:
        """The SVG as a data address."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg().encode("utf-8")).decode("ascii")

    def html(self) -> str:
        """The picture with its caption, as a figure of a page."""
        return (
            f'<figure><img src="{self.address}" alt="{escape(self.alt, quote=True)}">'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
        )

    _repr_html_ = html


def canvas(wide: float, high: float, lang: str = "en") -> Any:
    """An empty figure; wide, high: in inches; lang: of its texts.

    Raises LandbridgeError where matplotlib is missing.
    """
    figure = need("matplotlib.figure", "matplotlib", "report", "an .html report").Figure(
        figsize=(wide, high), layout="constrained"
    )
    # Chinese letters are wider than those that stand for them while the figure is laid out.
    figure.get_layout_engine().set(rect=(0.05, 0.0, 0.95, 1.0) if lang == "zh" else (0.0, 0.0, 1.0, 1.0))
    return figure


@contextmanager
def settings(lang: str = "en") -> Iterator[None]:
    """Settings of these figures, which leave those of the caller unchanged; lang: of their texts.

    Letters are drawn as paths, so that every reader sees the same; Chinese ones, which the font of matplotlib
    lacks, stay text in a font of the reader. Raises LandbridgeError where matplotlib is missing.
    """
    matplotlib = need("matplotlib", "matplotlib", "report", "an .html report")
    own = {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "svg.fonttype": "none" if lang == "zh" else "path",
        "svg.hashsalt": "landbridge",
        "axes.edgecolor": "#888888",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": INK,
        "axes.labelcolor": INK,
        "hatch.linewidth": 0.6,
        "text.parse_math": False,
    }
    with matplotlib.rc_context(own), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        yield

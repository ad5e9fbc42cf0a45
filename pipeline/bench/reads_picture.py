"""A picture of what reads cost: for each case a bar for each contender, as long as its share of the limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from statistics import median

from pipeline.bench.reads import LIMIT, OURS, Table, ratio
from pipeline.bench.reads_cases import Case

_LEFT, _BAR, _RIGHT, _ROW, _HEAD = 180, 420, 280, 22, 34
_COLOURS = {LIMIT: "#8a8f98", OURS: "#0b6e4f"}
_OTHER = "#c8803a"


def drawing(found: Table, cases: Mapping[str, Case], title: str) -> str:
    """Return the picture as SVG: it says in words all that it shows."""
    y, parts = 60, []
    for letter, measured in found.items():
        parts.append(_text(20, y + 8, f"({letter}) {cases[letter].what}", "head"))
        y += _HEAD - 12
        for name, one in measured.items():
            share = ratio(one, measured[LIMIT])[0]
            width = max(1.0, min(1.15, share) * _BAR)
            said = f"{share:.3f} of the limit, {median(one.rates):,.1f} a second, p50 {one.p50_ms:,.1f} ms"
            parts.append(_text(_LEFT - 10, y + 14, name, "name"))
            colour = _COLOURS.get(name, _OTHER)
            parts.append(f'<rect x="{_LEFT}" y="{y + 2}" width="{width:.1f}" height="{_ROW - 6}" fill="{colour}"/>')
            parts.append(_text(_LEFT + max(width, 4) + 8, y + 14, said, "said"))
            y += _ROW
        y += _HEAD - 14
    full = _LEFT + _BAR
    line = f'<line x1="{full}" y1="50" x2="{full}" y2="{y - 14}" stroke="#8a8f98" stroke-dasharray="3 3"/>'
    return "\n".join(_frame(_LEFT + int(_BAR * 1.15) + _RIGHT, y + 10, title, [line, *parts])) + "\n"


def _frame(width: int, height: int, title: str, parts: Sequence[str]) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title, quote=True)}">',
        "<style>text{font-family:system-ui,sans-serif;font-size:13px;fill:#1d2126}"
        ".title{font-size:17px;font-weight:600}.head{font-weight:600}.name{text-anchor:end}"
        ".said{fill:#4a5058;paint-order:stroke;stroke:#fff;stroke-width:4px}</style>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(20, 28, title, "title"),
        *parts,
        "</svg>",
    ]


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>'

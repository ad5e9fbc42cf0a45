"""A picture of how far each escalation rule's dose lies from the published one, as SVG."""

from __future__ import annotations

from collections import Counter
from html import escape

from pipeline.assessment.published_doses import RULES
from pipeline.reports.published_trials import Published

_SHADES = {"3+3": "#4c6a92", "BOIN": "#c2703d", "CRM": "#5b8c5a"}
_WIDTH, _ROW, _LEFT, _TOP, _BAR = 760, 66, 190, 64, 14
_FURTHEST = 3


def drawn(found: Published) -> str:
    """Return a bar for each rule and distance: levels below and above the published dose, none, and left open."""
    columns = [*range(-_FURTHEST, _FURTHEST + 1)]
    heads = [_head(column) for column in columns]
    counts: dict[str, Counter[str]] = {rule: Counter() for rule in RULES}
    for each in found.compared:
        for rule, chosen in each.chosen.items():
            if chosen is None:
                counts[rule]["open"] += 1
            elif chosen == 0:
                counts[rule]["no dose"] += 1
            else:
                counts[rule][_head(max(-_FURTHEST, min(_FURTHEST, chosen - each.published)))] += 1
    rows = [*heads, "no dose", "open"]
    most = max((n for of in counts.values() for n in of.values()), default=1) or 1
    scale = (_WIDTH - _LEFT - 60) / most
    height = _TOP + _ROW * len(rows) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(_title(found))}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="24" font-size="15">{escape(_title(found))}</text>',
    ]
    for rule, x in zip(RULES, (_LEFT, _LEFT + 80, _LEFT + 290), strict=True):
        name = "BOIN, keyboard, mTPI-2" if rule == "BOIN" else rule
        parts.append(f'<rect x="{x}" y="36" width="12" height="12" fill="{_SHADES[rule]}"/>')
        parts.append(f'<text x="{x + 18}" y="47">{escape(name)}</text>')
    for row, head in enumerate(rows):
        y = _TOP + _ROW * row
        parts.append(f'<text x="{_LEFT - 12}" y="{y + 28}" text-anchor="end">{escape(head)}</text>')
        for n, rule in enumerate(RULES):
            count, top = counts[rule][head], y + 6 + n * (_BAR + 2)
            parts.append(
                f'<rect x="{_LEFT}" y="{top}" width="{scale * count:.1f}" height="{_BAR}" fill="{_SHADES[rule]}"/>'
            )
            parts.append(f'<text x="{_LEFT + scale * count + 6:.1f}" y="{top + 12}">{count}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _title(found: Published) -> str:
    return (
        f"Dose chosen by rule against the published one: {found.comparable} escalations in "
        f"{found.trials_compared} of {found.trials} trials with dose levels"
    )


def _head(distance: int) -> str:
    if distance == 0:
        return "the published level"
    size = f"{abs(distance)} or more" if abs(distance) == _FURTHEST else str(abs(distance))
    levels = "level" if abs(distance) == 1 else "levels"
    return f"{size} {levels} {'below' if distance < 0 else 'above'}"

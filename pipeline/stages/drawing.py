"""The state graph as a drawing: DOT for Graphviz, and an SVG of its own that needs no other program."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from math import dist

from pipeline.stages.graph import Edge, StageGraph, StageInfo
from pipeline.stages.layout import HEIGHT, WIDTH, Box, Curve, Layout, lay_out
from pipeline.words import CheckpointKind, MoveKind

_BANDS = (("#e4f1e8", "#2f6b46"), ("#e3edf8", "#24568c"), ("#f7eddd", "#8a5a14"), ("#f0e6f4", "#6b3f80"))
"""Fill and stroke of each platform, in the order the platforms appear."""

_INK, _STOP = "#1c2833", "#a32929"
_MARKS = {
    MoveKind.HOLD: ("M-3 -4V4M3 -4V4", "hold and resume"),
    MoveKind.DISCONTINUE: ("M-4 -4L4 4M4 -4L-4 4", "discontinue"),
    MoveKind.COMPLETE: ("M-5 0L-1.5 4L5 -4", "complete"),
    MoveKind.RESTART: ("M4.2 -1.5A4.5 4.5 0 1 0 4.2 2M4.6 -5V-1.2H0.9", "restart after a stop, here or earlier"),
    MoveKind.CORRECT: ("M-4.5 4.5L-3.6 1L2.6 -5L5 -2.6L-1.2 3.6Z", "correct a wrong entry"),
}
"""The moves that stay in a stage, as strokes around (0, 0), and what they mean."""


def dot(graph: StageGraph) -> str:
    """Return the graph in the DOT language: every edge, the loops of a stage as one, platforms as clusters."""
    lines = [f"digraph {_quoted(f'{graph.name} version {graph.version}')} {{", "  rankdir=LR;"]
    lines.append('  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica"];')
    lines.append('  edge [fontname="Helvetica", fontsize=9];')
    for number, platform in enumerate(_platforms(graph)):
        fill, stroke = _BANDS[number % len(_BANDS)]
        lines.append(f"  subgraph {_quoted(f'cluster_{platform}')} {{")
        lines.append(f'    label={_quoted(platform)}; style=filled; color="{fill}"; fontcolor="{stroke}";')
        lines += [
            f"    {_quoted(stage.code)} [label={_quoted(stage.name)}{', peripheries=2' if stage.terminal else ''}];"
            for stage in graph.stages
            if stage.platform == platform
        ]
        lines.append("  }")
    for edge in graph.edges:
        if edge.source == edge.target:
            continue
        label = "\n".join((edge.kind.value, *edge.requires))
        aside = "" if edge.forward else ", style=dashed, color=gray50, constraint=false"
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [label={_quoted(label)}{aside}];")
    for stage in graph.stages:
        loops = [edge.kind.value for edge in graph.edges_from(stage.code) if edge.target == stage.code]
        if loops:
            code = _quoted(stage.code)
            lines.append(f"  {code} -> {code} [label={_quoted(chr(10).join(loops))}, color=gray50];")
    return "\n".join([*lines, "}", ""])


def svg(graph: StageGraph) -> str:
    """Return the graph as an SVG drawing with a title and a description for screen readers.

    Stages run from left to right on the band of their platform; combined phases stand above the phases they combine.
    Each advance carries a number, under which the legend names the checkpoints it requires: T toxicity, E efficacy.
    The moves that stay in a stage are small marks below its box.
    """
    layout = lay_out(graph)
    key = f"stages-{graph.digest[:8]}"
    onward = [edge for edge in graph.edges if edge.forward]
    advances = [edge for edge in onward if edge.kind is MoveKind.ADVANCE]
    legend, bottom = _legend(graph, advances, layout)
    width, height = f"{layout.width:.0f}", f"{bottom:.0f}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-labelledby="{key}-title {key}-desc" font-family="Helvetica, Arial, sans-serif">',
            f'<title id="{key}-title">State graph {escape(graph.name)}, version {graph.version}</title>',
            f'<desc id="{key}-desc">{escape(_description(graph))}</desc>',
            _arrow_heads(key),
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *_bands(graph, layout),
            *(_arrow(graph, edge, layout.curves[edge.source, edge.target], key) for edge in onward),
            *(_stage(graph, stage, layout.boxes[stage.code]) for stage in graph.stages),
            *_numbers(advances, layout),
            *legend,
            "</svg>",
            "",
        ]
    )


def _platforms(graph: StageGraph) -> list[str]:
    return list(dict.fromkeys(stage.platform for stage in graph.stages))


def _colours(graph: StageGraph, platform: str) -> tuple[str, str]:
    return _BANDS[_platforms(graph).index(platform) % len(_BANDS)]


def _description(graph: StageGraph) -> str:
    names = {stage.code: stage.name for stage in graph.stages}
    sentences = []
    for stage in graph.stages:
        to = [
            f"{'advances' if edge.kind is MoveKind.ADVANCE else 'ends'} to {names[edge.target]}"
            for edge in graph.edges_from(stage.code)
            if edge.forward
        ]
        sentences.append(f"{stage.name} ({stage.platform}) {', '.join(to) if to else 'is the end'}.")
    return " ".join(sentences)


def _arrow_heads(key: str) -> str:
    heads = (
        f'<marker id="{key}-{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.8L10 5L0 9.2Z" fill="{colour}"/></marker>'
        for name, colour in (("advance", _INK), ("stop", _STOP))
    )
    return f"<defs>{''.join(heads)}</defs>"


def _bands(graph: StageGraph, layout: Layout) -> Iterator[str]:
    """Draw each run of stages of one platform as a band whose ends step around the boxes of every lane."""
    main = [stage for stage in graph.stages if layout.boxes[stage.code].lane == 0]
    main.sort(key=lambda stage: layout.boxes[stage.code].x)
    runs: list[list[StageInfo]] = []
    for stage in main:
        if runs and runs[-1][-1].platform == stage.platform:
            runs[-1].append(stage)
        else:
            runs.append([stage])
    lanes = sorted({box.lane for box in layout.boxes.values()}, reverse=True)
    middles = [next(box.y for box in layout.boxes.values() if box.lane == lane) for lane in lanes]
    ends = [10.0, *((a + b) / 2 for a, b in pairwise(middles)), layout.height - 6]
    for number, run in enumerate(runs):
        fill, stroke = _colours(graph, run[0].platform)
        for row, lane in enumerate(lanes):
            left = 8.0 if number == 0 else _border(graph, layout, lane, runs[number - 1], run)
            right = layout.width - 8 if number == len(runs) - 1 else _border(graph, layout, lane, run, runs[number + 1])
            yield (
                f'<rect x="{left:.1f}" y="{ends[row]:.1f}" width="{right - left:.1f}" '
                f'height="{ends[row + 1] - ends[row]:.1f}" fill="{fill}" shape-rendering="crispEdges"/>'
            )
            if row == 0:
                yield (
                    f'<text x="{left + 14:.1f}" y="34" font-size="15" font-weight="bold" letter-spacing="1" '
                    f'fill="{stroke}">{escape(run[0].platform)}</text>'
                )


def _border(graph: StageGraph, layout: Layout, lane: int, one: Sequence[StageInfo], two: Sequence[StageInfo]) -> float:
    """Return where two neighbouring bands meet in a lane: halfway, moved aside for a box that stands there."""
    border = (layout.boxes[one[-1].code].right + layout.boxes[two[0].code].left) / 2
    for stage in graph.stages:
        box = layout.boxes[stage.code]
        if box.lane == lane and box.left - 14 < border < box.right + 14:
            border = box.right + 14 if stage.platform == one[-1].platform else box.left - 14
    return border


def _arrow(graph: StageGraph, edge: Edge, curve: Curve, key: str) -> str:
    advance = edge.kind is MoveKind.ADVANCE
    points = " ".join(f"{x:.1f} {y:.1f}" for x, y in (curve.first, curve.second, curve.end))
    look = f'stroke="{_INK}"' if advance else f'stroke="{_STOP}" stroke-dasharray="6 4"'
    title = f"{edge.kind}: {graph.stage(edge.source).name} to {graph.stage(edge.target).name}"
    requires = f", requires {', '.join(edge.requires)}" if edge.requires else ""
    return (
        f'<path d="M{curve.start[0]:.1f} {curve.start[1]:.1f}C{points}" fill="none" {look} stroke-width="1.6" '
        f'marker-end="url(#{key}-{"advance" if advance else "stop"})"><title>{escape(title + requires)}</title></path>'
    )


def _stage(graph: StageGraph, stage: StageInfo, box: Box) -> str:
    _, stroke = _colours(graph, stage.platform)
    top = box.y - HEIGHT / 2
    dashes = ' stroke-dasharray="5 3"' if stage.combines else ""
    parts = [
        f"<g><title>{escape(f'{stage.name} ({stage.code})')}</title>",
        f'<rect x="{box.left:.1f}" y="{top:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff" '
        f'stroke="{stroke}" stroke-width="{3 if stage.initial else 1.8}"{dashes}/>',
    ]
    if stage.terminal:
        parts.append(
            f'<rect x="{box.left + 4:.1f}" y="{top + 4:.1f}" width="{WIDTH - 8}" height="{HEIGHT - 8}" rx="5" '
            f'fill="none" stroke="{stroke}"/>'
        )
    lines = textwrap.wrap(stage.name, 14)
    if len(lines) > 3:
        lines = [*lines[:2], lines[2][:13] + "…"]
    for number, line in enumerate(lines):
        y = box.y + 4.5 + (number - (len(lines) - 1) / 2) * 16
        parts.append(_text(box.x, y, line, 13.5, centred=True))
    parts += _marks(graph, stage, box)
    return "".join([*parts, "</g>"])


def _marks(graph: StageGraph, stage: StageInfo, box: Box) -> Iterator[str]:
    edges = graph.edges_from(stage.code)
    shown = [
        kind
        for kind in _MARKS
        if any(edge.kind is kind and (edge.target == stage.code or kind is MoveKind.RESTART) for edge in edges)
    ]
    for number, kind in enumerate(shown):
        x = box.x + (number - (len(shown) - 1) / 2) * 16.5
        targets = [graph.stage(edge.target).name for edge in edges if edge.kind is kind]
        title = f"{kind} at {', '.join(targets)}" if kind is MoveKind.RESTART else _MARKS[kind][1]
        yield _mark(kind, x, box.y + (HEIGHT / 2 + 13) * (-1 if box.lane > 0 else 1), title)


def _mark(kind: MoveKind, x: float, y: float, title: str) -> str:
    colour = _STOP if kind is MoveKind.DISCONTINUE else "#4d5c69"
    return (
        f'<path transform="translate({x:.1f} {y:.1f})" d="{_MARKS[kind][0]}" fill="none" stroke="{colour}" '
        f'stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"><title>{escape(title)}</title></path>'
    )


def _numbers(advances: Sequence[Edge], layout: Layout) -> Iterator[str]:
    """Put a number on the arrow of each advance, near the middle but clear of the other numbers."""
    taken: list[tuple[float, float]] = []
    for number, edge in enumerate(advances, start=1):
        curve = layout.curves[edge.source, edge.target]
        spots = [curve.at(t) for t in (0.46, 0.36, 0.56, 0.28, 0.64, 0.2, 0.72)]
        spot = next((spot for spot in spots if all(dist(spot, other) > 21 for other in taken)), spots[0])
        taken.append(spot)
        yield _number(number, *spot)


def _number(number: int, x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8.5" fill="#ffffff" stroke="{_INK}" stroke-width="1.1"/>' + _text(
        x, y + 3.8, str(number), 10.5, centred=True
    )


def _legend(graph: StageGraph, advances: Sequence[Edge], layout: Layout) -> tuple[list[str], float]:
    """Return the legend below the drawing, and where it ends."""
    columns = max(1, min(3, int(layout.width // 400)))
    wide = (layout.width - 32) / columns
    top = layout.height + 30
    lines = [_text(16, top, "What each advance must show (T toxicity, E efficacy)", 14, bold=True)]
    entries = [_wrapped(graph, edge, int((wide - 44) / 7.1)) for edge in advances]
    heights = [23 + 14 * len(entry) for entry in entries]
    x, y, lowest = 16.0, top + 26, top
    for number, (edge, entry) in enumerate(zip(advances, entries, strict=True), start=1):
        if y - top - 26 > sum(heights) / columns - heights[number - 1] / 2 and x + wide < layout.width - 32:
            x, y = x + wide, top + 26
        lines.append(_number(number, x + 10, y - 4))
        ends = f"{graph.stage(edge.source).name} → {graph.stage(edge.target).name}"
        lines.append(_text(x + 28, y, ends, 12, bold=True))
        lines += [_text(x + 28, y + 14 * row, line, 10.5) for row, line in enumerate(entry, start=1)]
        y += heights[number - 1]
        lowest = max(lowest, y)
    x = 16.0
    for kind, (_, meaning) in _MARKS.items():
        lines.append(_mark(kind, x + 8, lowest + 8, meaning))
        lines.append(_text(x + 22, lowest + 12, meaning, 12))
        x += 46 + 6.4 * len(meaning)
    if any(edge.forward and edge.kind is MoveKind.DISCONTINUE for edge in graph.edges):
        lines.append(
            f'<path d="M{x:.1f} {lowest + 8:.1f}h30" stroke="{_STOP}" stroke-width="1.6" stroke-dasharray="6 4"/>'
        )
        lines.append(_text(x + 38, lowest + 12, "discontinue into another stage", 12))
    return lines, lowest + 32


def _wrapped(graph: StageGraph, edge: Edge, width: int) -> list[str]:
    """Return the rules an advance requires, in lines of whole rules."""
    letters = {CheckpointKind.TOXICITY: "T", CheckpointKind.EFFICACY: "E"}
    lines: list[str] = []
    for rule in (graph.rules[code] for code in edge.requires):
        item = f"{letters[rule.kind]} {rule.code}"
        if lines and len(lines[-1]) + 3 + len(item) <= width:
            lines[-1] += f" · {item}"
        else:
            lines.append(item)
    return lines


def _text(x: float, y: float, text: str, size: float, *, bold: bool = False, centred: bool = False) -> str:
    look = (' font-weight="bold"' if bold else "") + (' text-anchor="middle"' if centred else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{look} fill="{_INK}">{escape(text)}</text>'


def _quoted(text: str) -> str:
    """Return DOT's quoted string; line breaks stay line breaks."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain}"'

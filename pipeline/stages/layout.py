"""Where stages stand in a drawing, and how an advance runs between them. All lengths in pixels, y downwards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.stages.graph import StageGraph

WIDTH, HEIGHT = 112, 58
"""Of the box of a stage."""

_COLUMN, _LANE = 150, 132
_LEFT, _HEADER = 26, 62
_ROOM_FOR_MARKS = 24


@dataclass(frozen=True, slots=True)
class Box:
    """The middle of a stage's box, and its lane: 0 is the main one, above it 1, 2, ..., below it -1, -2, ..."""

    x: float
    y: float
    lane: int

    @property
    def left(self) -> float:
        """The left edge."""
        return self.x - WIDTH / 2

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + WIDTH / 2


@dataclass(frozen=True, slots=True)
class Curve:
    """A cubic curve from the edge of one box to the edge of another; (x, y) pairs."""

    start: tuple[float, float]
    first: tuple[float, float]
    second: tuple[float, float]
    end: tuple[float, float]

    def at(self, t: float) -> tuple[float, float]:
        """Return the point at t, from 0 (start) to 1 (end)."""
        s = 1 - t
        weights = (s**3, 3 * s * s * t, 3 * s * t * t, t**3)
        points = (self.start, self.first, self.second, self.end)
        return (
            sum(w * p[0] for w, p in zip(weights, points, strict=True)),
            sum(w * p[1] for w, p in zip(weights, points, strict=True)),
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """All boxes by stage code, all curves by (source, target), and the size of the whole."""

    boxes: Mapping[str, Box]
    curves: Mapping[tuple[str, str], Curve]
    width: float
    height: float


def lay_out(graph: StageGraph) -> Layout:
    """Place single phases from left to right by their longest way from the start, combined phases above and between.

    An onward edge runs straight where nothing is in the way, else in an arc above or below everything it passes.
    """
    places = _places(graph)
    ends = [(edge.source, edge.target) for edge in graph.edges if edge.forward]
    top = max(lane for _, lane in places.values())
    bottom = min(lane for _, lane in places.values())
    flat = {code: Box(column * _COLUMN, -lane * _LANE, lane) for code, (column, lane) in places.items()}
    curves = _curves(flat, list(dict.fromkeys(ends)))
    highest = min(
        [
            -top * _LANE - HEIGHT / 2 - (_ROOM_FOR_MARKS if top > 0 else 0),
            *(curve.at(0.5)[1] for curve in curves.values()),
        ]
    )
    lowest = max([-bottom * _LANE + HEIGHT / 2 + _ROOM_FOR_MARKS, *(curve.at(0.5)[1] for curve in curves.values())])
    dx, dy = _LEFT + WIDTH / 2, _HEADER - highest
    boxes = {code: Box(box.x + dx, box.y + dy, box.lane) for code, box in flat.items()}
    width = max(box.right for box in boxes.values()) + _LEFT
    return Layout(boxes, {ends: _moved(curve, dx, dy) for ends, curve in curves.items()}, width, lowest + dy + 20)


def _places(graph: StageGraph) -> dict[str, tuple[float, int]]:
    """Return the column and lane of each stage: every onward edge leads to the right, no two boxes overlap."""
    columns: dict[str, float] = {}
    lanes: dict[str, int] = {}
    combining = {stage.code for stage in graph.stages if stage.combines}
    for stage in graph.stages:  # by ordinal, so that every stage before this one has its place
        column = 0.0
        for edge in graph.edges:
            if edge.forward and edge.target == stage.code:
                alike = (edge.source in combining) == (stage.code in combining)
                column = max(column, columns[edge.source] + (1 if alike else 0.5))
        upwards = stage.code in combining
        column = column if upwards else float(math.ceil(column))
        lane = 1 if upwards else 0
        while any(lanes[code] == lane and abs(columns[code] - column) < 1 for code in lanes):
            lane += 1 if upwards else -1
        columns[stage.code], lanes[stage.code] = column, lane
    return {stage.code: (columns[stage.code], lanes[stage.code]) for stage in graph.stages}


def _curves(boxes: Mapping[str, Box], ends: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Curve]:
    curves: dict[tuple[str, str], Curve] = {}
    arcs = []
    for source, target in ends:
        straight = _straight(boxes[source], boxes[target])
        others = [box for code, box in boxes.items() if code not in (source, target)]
        if any(_crosses(straight, box) for box in others):
            arcs.append((source, target))
        else:
            curves[source, target] = straight
    for source, target in sorted(arcs, key=lambda pair: boxes[pair[1]].x - boxes[pair[0]].x):
        curves[source, target] = _arc(boxes, source, target)
    return curves


def _straight(source: Box, target: Box) -> Curve:
    start, end = _edge_towards(source, target), _edge_towards(target, source)
    return Curve(start, _mix(start, end, 1 / 3), _mix(start, end, 2 / 3), end)


def _edge_towards(box: Box, other: Box) -> tuple[float, float]:
    dx, dy = other.x - box.x, other.y - box.y
    reach = min(
        (WIDTH / 2 + 2) / abs(dx) if dx else math.inf,
        (HEIGHT / 2 + 2) / abs(dy) if dy else math.inf,
    )
    return box.x + dx * reach, box.y + dy * reach


def _arc(boxes: Mapping[str, Box], source: str, target: str) -> Curve:
    """Return an arc above the lanes it passes when either end stands above the main lane, else below them."""
    begin, end = boxes[source], boxes[target]
    above = begin.lane > 0 or end.lane > 0
    side = -1 if above else 1
    passed = [box.y for box in boxes.values() if begin.x - 1 < box.x < end.x + 1]
    limit = min(passed) if above else max(passed)
    clear = limit + side * (HEIGHT / 2 + _ROOM_FOR_MARKS + 14 + (end.x - begin.x) / 14)
    start = (begin.x + WIDTH / 2 - 10, begin.y + side * (HEIGHT / 2 + 2))
    stop = (end.x - WIDTH / 2 + 10, end.y + side * (HEIGHT / 2 + 2))
    # a cubic reaches 3/4 of the way to control points at equal height
    height = (start[1] + stop[1]) / 2 + (clear - (start[1] + stop[1]) / 2) * 4 / 3
    lean = (stop[0] - start[0]) * 0.22
    return Curve(start, (start[0] + lean, height), (stop[0] - lean, height), stop)


def _crosses(curve: Curve, box: Box) -> bool:
    steps = 60
    points = (curve.at(step / steps) for step in range(1, steps))
    return any(abs(x - box.x) < WIDTH / 2 + 5 and abs(y - box.y) < HEIGHT / 2 + 5 for x, y in points)


def _mix(a: tuple[float, float], b: tuple[float, float], t: float) -> tuple[float, float]:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def _moved(curve: Curve, dx: float, dy: float) -> Curve:
    start, first, second, end = ((x + dx, y + dy) for x, y in (curve.start, curve.first, curve.second, curve.end))
    return Curve(start, first, second, end)

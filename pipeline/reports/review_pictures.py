"""The pictures of an attrition review: a flow through the stages, curves, the late share; as SVG without any style.

Colours are those of Okabe and Ito, told apart by people who see colours differently; marks and dashes say the same
without any. What a class looks like stands in the style sheet of the page, once for light and once for dark.
"""

from __future__ import annotations

import html
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.attrition.review_results import AttritionReview, IncidenceCurve, PhaseRate, SinceEntry
from pipeline.attrition.review_tables import words

LANES = ("TOXICITY", "EFFICACY", "EXPOSURE", "OTHER", "NOT_STATED", "UNANNOUNCED")
_DASHES = {"ADVANCED": "", "TOXICITY": "7 3", "EFFICACY": "2 3", "EXPOSURE": "9 3 2 3", "OTHER": "4 4"}


def text(value: object) -> str:
    """Return a value as text of HTML, without control characters."""
    return html.escape("".join(c if c.isprintable() else " " for c in str(value)), quote=True)


def number(value: float) -> str:
    """Return a coordinate, short."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


@dataclass(slots=True)
class Drawing:
    """An SVG picture being drawn; `alternative` says in a sentence or two what it shows."""

    width: float
    height: float
    title: str
    alternative: str
    parts: list[str] = field(default_factory=list)

    def label(self, x: float, y: float, value: object, kind: str = "t", anchor: str = "start") -> None:
        """Write a word."""
        self.parts.append(
            f'<text class="{kind}" x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">{text(value)}</text>'
        )

    def box(self, x: float, y: float, width: float, height: float, kind: str, tip: str = "") -> None:
        """Draw a rectangle."""
        told = f"<title>{text(tip)}</title>" if tip else ""
        self.parts.append(
            f'<rect class="{kind}" x="{number(x)}" y="{number(y)}" width="{number(width)}" '
            f'height="{number(height)}">{told}</rect>'
        )

    def path(self, d: str, kind: str, tip: str = "", dashes: str = "") -> None:
        """Draw a path."""
        told = f"<title>{text(tip)}</title>" if tip else ""
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(f'<path class="{kind}" d="{d}"{dash}>{told}</path>')

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a line."""
        self.path(f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}", kind)

    def svg(self) -> str:
        """Return the picture."""
        return (
            f'<svg viewBox="0 0 {number(self.width)} {number(self.height)}" width="{number(self.width)}" role="img" '
            f'aria-label="{text(self.title)}. {text(self.alternative)}">'
            f"<title>{text(self.title)}</title><desc>{text(self.alternative)}</desc>{''.join(self.parts)}</svg>"
        )


# ---------------------------------------------------------------- the flow

_MARGIN, _COLUMN, _BOX, _TOP, _TALL, _LANE = 118.0, 158.0, 84.0, 54.0, 150.0, 44.0


def flow(review: AttritionReview) -> Drawing | None:
    """Draw how many entered and left each phase: phases along the top, the reasons of stops below."""
    phases = [phase for phase in review.counted.phases if phase.entered]
    if not phases:
        return None
    stops = _stops_by_phase(review, phases)
    lanes = [lane for lane in LANES if any(of.get(lane) for of in stops.values())]
    width = _MARGIN + _COLUMN * len(phases)
    floor = _TOP + _TALL + 40
    told = "; ".join(
        f"{words(phase.stage)}: {phase.entered} entered, {phase.advanced} advanced, {phase.stopped} stopped, "
        f"{phase.in_phase} in phase, {phase.stalled} stalled"
        for phase in phases
    )
    drawing = Drawing(width, floor + _LANE * len(lanes) + 10, "Flow through the phases", told)
    scale = _TALL / max(max(phase.entered for phase in phases), 1)
    across = (_BOX - 12) / max(max((sum(of.values()) for of in stops.values()), default=1), 1)
    for place, lane in enumerate(lanes):
        y = floor + _LANE * place
        drawing.line(0, y - 6, width, y - 6, "grid")
        drawing.label(4, y + 8, words(lane), "t small strong")
    for place, phase in enumerate(phases):
        x = _MARGIN + _COLUMN * place
        following = phases[place + 1] if place + 1 < len(phases) else None
        _stops(drawing, x, phase, stops[phase.stage], lanes, scale, across, floor)
        _onward(drawing, x, phase, following, scale)
        _phase(drawing, x, phase, following is None, scale)
    return drawing


def _stops_by_phase(review: AttritionReview, phases: Sequence[PhaseRate]) -> dict[str, dict[str, int]]:
    """Return stops by phase and kind; those of a combined phase count in the later of the two."""
    found: dict[str, dict[str, int]] = {phase.stage: defaultdict(int) for phase in phases}
    for one in review.reasons:
        parts = one.stage.rsplit("_", 2)
        later = f"{parts[0]}_{parts[-1]}" if len(parts) == 3 and parts[1].isdigit() else one.stage
        stage = one.stage if one.stage in found else later
        if stage in found:
            found[stage][one.kind] += one.count
    for phase in phases:
        if phase.unannounced:
            found[phase.stage]["UNANNOUNCED"] += phase.unannounced
    return found


def _phase(drawing: Drawing, x: float, phase: PhaseRate, last: bool, scale: float) -> None:
    tall = max(phase.entered * scale, 3)
    inside = phase.in_phase + phase.stalled
    drawing.box(x, _TOP, _BOX, tall, "phase", f"{words(phase.stage)}: {phase.entered} entered")
    if inside:
        high = inside * scale
        tip = f"{phase.in_phase} in phase, {phase.stalled} stalled"
        drawing.box(x, _TOP + tall - high, _BOX, high, "inside", tip)
    drawing.label(x + _BOX / 2, 20, words(phase.stage), "t strong", "middle")
    drawing.label(x + _BOX / 2, 40, f"{phase.entered} entered", "t small", "middle")
    y = _TOP + tall + 15
    if inside:
        drawing.label(x + _BOX / 2, y, f"{phase.in_phase} in, {phase.stalled} stalled", "t small halo", "middle")
    if last and phase.advanced:
        drawing.label(x + _BOX + 6, _TOP + 14, f"{phase.advanced} on", "t small")


def _onward(drawing: Drawing, x: float, phase: PhaseRate, following: PhaseRate | None, scale: float) -> None:
    if not phase.advanced or following is None:
        return
    thick = max(phase.advanced * scale, 1)
    end = min(thick, max(following.entered * scale, 3))
    left, right = x + _BOX, x + _COLUMN
    middle = (left + right) / 2
    d = (
        f"M{number(left)} {number(_TOP)}C{number(middle)} {number(_TOP)} {number(middle)} {number(_TOP)} "
        f"{number(right)} {number(_TOP)}L{number(right)} {number(_TOP + end)}C{number(middle)} {number(_TOP + end)} "
        f"{number(middle)} {number(_TOP + thick)} {number(left)} {number(_TOP + thick)}Z"
    )
    drawing.path(d, "f ADVANCED", f"{phase.advanced} advanced from {words(phase.stage)}")
    drawing.label(middle, _TOP + min(thick, 14) / 2 + 5, phase.advanced, "t small strong halo", "middle")
    rate = phase.rate
    if rate.value is not None:
        drawing.label(middle, _TOP - 6, f"{100 * rate.value:.0f} %", "t small", "middle")
    else:
        drawing.label(middle, _TOP - 6, f"{rate.k} of {rate.n}", "t small", "middle")


def _stops(
    drawing: Drawing,
    x: float,
    phase: PhaseRate,
    stops: dict[str, int],
    lanes: Sequence[str],
    scale: float,
    across: float,
    floor: float,
) -> None:
    top = _TOP + max(phase.entered * scale, 3)
    total = sum(stops.values()) * across
    begin = x + (_BOX - total) / 2
    for place, lane in enumerate(lanes):
        count = stops.get(lane, 0)
        if not count:
            continue
        wide = count * across
        y = floor + _LANE * place + 14
        tip = f"{count} stopped in {words(phase.stage)}: {words(lane)}"
        drawing.box(begin, top, wide, y - top, f"f {lane}", tip)
        drawing.box(begin, y, max(wide, 3), 16, f"s {lane}", tip)
        drawing.label(x + _BOX + 5, y + 13, count, "t strong halo")
        begin += wide


# ---------------------------------------------------------------- curves

_LEFT, _RIGHT, _CHART, _HIGH = 46.0, 150.0, 640.0, 250.0


@dataclass(frozen=True, slots=True)
class _Axes:
    most: float

    def x(self, years: float) -> float:
        return _LEFT + (_CHART - _LEFT - _RIGHT) * min(years / self.most, 1) if self.most else _LEFT

    def y(self, share: float) -> float:
        return 16 + (_HIGH - 52) * (1 - share)


def _axes(drawing: Drawing, most: float) -> _Axes:
    axes = _Axes(most)
    for share in (0, 0.25, 0.5, 0.75, 1):
        drawing.line(_LEFT, axes.y(share), _CHART - _RIGHT, axes.y(share), "grid")
        drawing.label(_LEFT - 6, axes.y(share) + 4, f"{share:.0%}", "t small", "end")
    step = next((one for one in (0.25, 0.5, 1, 2, 5, 10, 20) if most / one <= 10), 50)
    for n in range(int(most / step) + 1):
        drawing.label(axes.x(n * step), _HIGH - 18, f"{n * step:g}", "t small", "middle")
    drawing.label((_LEFT + _CHART - _RIGHT) / 2, _HIGH - 2, "years", "t small", "middle")
    return axes


def incidence(stage: str, curves: Sequence[IncidenceCurve]) -> Drawing | None:
    """Draw the cumulative incidence of each way out of a stage with its 95 % limits; None where nobody left."""
    shown = [curve for curve in curves if curve.events]
    if not shown:
        return None
    most = max((curve.years[-1] for curve in shown), default=1.0) or 1.0
    told = "; ".join(f"{words(c.cause)} {c.probability[-1]:.0%} after {c.years[-1]:.1f} years" for c in shown)
    drawing = Drawing(_CHART, _HIGH, f"Ways out of {words(stage)}", told)
    axes = _axes(drawing, most)
    for curve in shown:
        drawing.path(_band(axes, curve), f"b {curve.cause}")
    ends = []
    for curve in shown:
        points = [(axes.x(y), axes.y(p)) for y, p in zip(curve.years, curve.probability, strict=True)]
        d = _steps([(_LEFT, axes.y(0)), *points, (axes.x(most), points[-1][1])])
        drawing.path(d, f"l {curve.cause}", words(curve.cause), _DASHES.get(curve.cause, "1 3"))
        ends.append((points[-1][1], curve))
    for y, (_, curve) in zip(_apart([y for y, _ in sorted(ends, key=_first)]), sorted(ends, key=_first), strict=True):
        said = f"{words(curve.cause)} {curve.probability[-1]:.0%}"
        drawing.box(_CHART - _RIGHT + 6, y - 5, 9, 9, f"s {curve.cause}")
        drawing.label(_CHART - _RIGHT + 20, y + 4, said, "t small")
    return drawing


def _first(pair: tuple[float, IncidenceCurve]) -> float:
    return pair[0]


def _band(axes: _Axes, curve: IncidenceCurve) -> str:
    limits = [
        (axes.x(years), axes.y(p if low is None else low), axes.y(p if high is None else high))
        for years, p, low, high in zip(curve.years, curve.probability, curve.low, curve.high, strict=True)
    ]
    upper = _steps([(_LEFT, axes.y(0)), *((x, high) for x, _, high in limits)])
    back = [(x, low) for x, low, _ in limits]
    lower = "".join(
        f"L{number(x)} {number(y)}" + (f"L{number(x)} {number(before)}" if before is not None else "")
        for (x, y), before in zip(reversed(back), [*(y for _, y in reversed(back[:-1])), None], strict=True)
    )
    return f"{upper}{lower}L{number(_LEFT)} {number(axes.y(0))}Z"


def _steps(points: Sequence[tuple[float, float]]) -> str:
    d = f"M{number(points[0][0])} {number(points[0][1])}"
    return d + "".join(f"H{number(x)}V{number(y)}" for x, y in points[1:])


def _apart(places: Sequence[float], least: float = 14.0) -> list[float]:
    """Move labels down until none lies on another, then up from the floor where they left it."""
    found: list[float] = []
    for y in places:
        found.append(max(y, found[-1] + least) if found else y)
    floor = _HIGH - 24
    for n in range(len(found) - 1, -1, -1):
        found[n] = min(found[n], floor)
        floor = found[n] - least
    return found


def occupation(one: SinceEntry) -> Drawing | None:
    """Draw where programmes are by years since entry, one band on the other."""
    states = [state for state, shares in one.probability.items() if any(shares)]
    if not states or len(one.years) < 2:
        return None
    begun = words(one.from_stage) if one.from_stage else "wherever they began"
    told = f"{one.programmes} programmes; after {one.years[-1]:g} years " + ", ".join(
        f"{words(state)} {one.probability[state][-1]:.0%}" for state in states
    )
    drawing = Drawing(_CHART, _HIGH, f"Where programmes are, from {begun}", told)
    axes = _axes(drawing, one.years[-1])
    below = [0.0] * len(one.years)
    ends: list[tuple[float, str, int]] = []
    for place, state in enumerate(states):
        above = [low + share for low, share in zip(below, one.probability[state], strict=True)]
        forth = [f"{number(axes.x(x))} {number(axes.y(y))}" for x, y in zip(one.years, above, strict=True)]
        back = [f"{number(axes.x(x))} {number(axes.y(y))}" for x, y in zip(one.years, below, strict=True)]
        drawing.path(f"M{'L'.join(forth)}L{'L'.join(reversed(back))}Z", f"a a{place % 8}", words(state))
        if one.probability[state][-1] > 0:
            ends.append((axes.y((above[-1] + below[-1]) / 2), state, place))
        below = above
    ends.sort()
    for y, (_, state, place) in zip(_apart([y for y, _, _ in ends]), ends, strict=True):
        drawing.box(_CHART - _RIGHT + 6, y - 5, 9, 9, f"a a{place % 8}")
        drawing.label(_CHART - _RIGHT + 20, y + 4, f"{words(state)} {one.probability[state][-1]:.0%}", "t small")
    return drawing


def late_share(review: AttritionReview) -> Drawing | None:
    """Draw the late share of each year with its limits; where too few stopped, the counts alone."""
    years = review.late_share_by_year
    if not years:
        return None
    first, last = years[0].year, years[-1].year
    share = review.late_share
    told = f"{share.k} of {share.n} scientific stops came late"
    drawing = Drawing(_CHART, _HIGH, "Late share of the scientific stops by year", told)
    right = _CHART - 20
    axes = _Axes(1.0)
    for part in (0, 0.25, 0.5, 0.75, 1):
        drawing.line(_LEFT, axes.y(part), right, axes.y(part), "grid")
        drawing.label(_LEFT - 6, axes.y(part) + 4, f"{part:.0%}", "t small", "end")
    span = max(last - first, 1)
    every = math.ceil((span + 1) / 12)
    for one in years:
        x = _LEFT + 16 + (right - _LEFT - 32) * (one.year - first) / span
        estimate = one.estimate
        tip = f"{one.year}: {estimate.k} of {estimate.n}"
        if (one.year - first) % every == 0:
            drawing.label(x, _HIGH - 18, one.year, "t small", "middle")
            drawing.label(x, _HIGH - 3, f"{estimate.k}/{estimate.n}", "t small", "middle")
        if estimate.value is None or estimate.low is None or estimate.high is None:
            drawing.path(
                f"M{number(x - 4)} {number(axes.y(0) - 8)}l8 8m0 -8l-8 8", "l few", f"{tip}: too few for a rate"
            )
            continue
        drawing.line(x, axes.y(estimate.low), x, axes.y(estimate.high), "l EFFICACY")
        drawing.box(x - 4, axes.y(estimate.value) - 4, 8, 8, "s EFFICACY", tip)
    return drawing

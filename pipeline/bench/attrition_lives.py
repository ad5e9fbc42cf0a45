"""Made-up programmes whose true rates are known: at each stage, ways to leave it compete with constant intensities."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.attrition.portfolio import KINDS, REASONS, STATUSES, UNKNOWN, Coded, Portfolio, StageOf
from pipeline.attrition.review_times import YEAR, day_of, number_of
from pipeline.stages.graph import default_graph
from pipeline.words import AttritionReason, MoveKind, Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

CHAIN = (
    *("PRECLINICAL_PHARMACOLOGY", "PRECLINICAL_TOXICOLOGY", "CTA"),
    *("PHASE_1", "PHASE_2", "PHASE_3", "PREAPPROVAL", "APPROVAL"),
)
CAUSES = ("TOX_NONCLINICAL", "TOX_CLINICAL", "EFFICACY_LACK", "PK_EXPOSURE", "STRATEGIC")
FIRST_DAY, LAST_DAY = number_of("2000-01-01"), number_of("2024-12-31")
LATE_SHARE = 0.25
"""Part of the programmes that are first on record at phase 1 or phase 2."""

ADVANCE: Mapping[str, float] = {
    "PRECLINICAL_PHARMACOLOGY": 0.9,
    "PRECLINICAL_TOXICOLOGY": 1.0,
    "CTA": 1.6,
    "PHASE_1": 0.7,
    "PHASE_2": 0.35,
    "PHASE_3": 0.3,
    "PREAPPROVAL": 0.9,
}
"""Stage -> intensity of advancing, per year."""
STOP: Mapping[str, tuple[float, ...]] = {
    "PRECLINICAL_PHARMACOLOGY": (0.02, 0.0, 0.1, 0.05, 0.05),
    "PRECLINICAL_TOXICOLOGY": (0.15, 0.0, 0.0, 0.03, 0.03),
    "CTA": (0.02, 0.0, 0.0, 0.0, 0.04),
    "PHASE_1": (0.0, 0.12, 0.06, 0.05, 0.08),
    "PHASE_2": (0.0, 0.06, 0.2, 0.03, 0.08),
    "PHASE_3": (0.0, 0.03, 0.1, 0.0, 0.04),
    "PREAPPROVAL": (0.0, 0.02, 0.03, 0.0, 0.02),
}
"""Stage -> intensity of stopping for each of CAUSES, per year."""


def true_rate(stage: str) -> float:
    """Return the probability to advance from a stage."""
    return ADVANCE[stage] / (ADVANCE[stage] + sum(STOP[stage]))


def true_likelihood(stage: str) -> float:
    """Return the probability of approval from a stage."""
    return math.prod(true_rate(code) for code in CHAIN[CHAIN.index(stage) : -1])


def true_incidence(stage: str, reasons: Sequence[str], years: float) -> float:
    """Return the probability to have left a stage by then for one of the reasons; "ADVANCED" is one too."""
    whole = ADVANCE[stage] + sum(STOP[stage])
    wanted = sum(ADVANCE[stage] if one == "ADVANCED" else STOP[stage][CAUSES.index(one)] for one in reasons)
    return wanted / whole * (1 - math.exp(-whole * years))


def true_median(stage: str) -> float:
    """Return the median time in a stage, in years."""
    return math.log(2) / (ADVANCE[stage] + sum(STOP[stage]))


@dataclass(slots=True)
class _Moves:
    """Transitions in the making, as columns in parts."""

    parts: list[tuple[Ints, ...]]

    def add(self, owner: Ints, day: Ints, stage: object, status: Status, kind: MoveKind, reason: object) -> None:
        import numpy as np

        size = owner.size
        columns = (stage, STATUSES.index(status), KINDS.index(kind), reason)
        self.parts.append((owner, day, *(np.broadcast_to(np.asarray(one), size).astype(np.int64) for one in columns)))


def lives(count: int, seed: int, *, moves: int | None = None, until: int = LAST_DAY) -> Portfolio:
    """Return made-up programmes followed until a day; the same numbers make the same programmes.

    Args:
        count: how many programmes.
        seed: of the random draws.
        moves: how many transitions there shall be, at least as many as happen by chance; the rest are holds with their
            resumptions, which change no rate. None adds none.
        until: the last day something happens.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    stages = tuple(StageOf(s.code, s.ordinal, s.initial, s.combines) for s in default_graph().stages)
    number = [next(n for n, one in enumerate(stages) if one.code == code) for code in CHAIN]
    places = np.array(number, dtype=np.int64)
    draws = generator.random(count)
    here = np.where(draws < LATE_SHARE / 2, 3, np.where(draws < LATE_SHARE, 4, 0))
    day = generator.integers(FIRST_DAY, until, count)
    made = _Moves([])
    alive = np.arange(count)
    made.add(alive, day.copy(), places[here], Status.ACTIVE, MoveKind.ADVANCE, UNKNOWN)
    intensities = np.array([[ADVANCE[code], *STOP[code]] for code in CHAIN[:-1]]) / YEAR
    gaps: list[tuple[Ints, Ints, Ints, Ints]] = []
    while alive.size:
        rates = intensities[here[alive]]
        whole = rates.sum(axis=1)
        left = day[alive] + np.ceil(generator.exponential(1 / whole)).astype(np.int64)
        way = (generator.random(alive.size)[:, None] * whole[:, None] > np.cumsum(rates, axis=1)).sum(axis=1)
        seen = left <= until
        gaps.append((alive, day[alive], np.minimum(left, until), places[here[alive]]))
        alive, left, way = alive[seen], left[seen], way[seen]
        onward = way == 0
        went, stopped = alive[onward], alive[~onward]
        here[went] += 1
        day[alive] = left
        made.add(went, left[onward], places[here[went]], Status.ACTIVE, MoveKind.ADVANCE, UNKNOWN)
        reason = np.array([REASONS.index(cause) for cause in CAUSES])[way[~onward] - 1]
        made.add(stopped, left[~onward], places[here[stopped]], Status.DISCONTINUED, MoveKind.DISCONTINUE, reason)
        alive = went[here[went] < len(CHAIN) - 1]
    if moves is not None:
        _hold(made, gaps, moves, generator)
    return _portfolio(count, made, stages, generator)


def _hold(made: _Moves, gaps: Sequence[tuple[Ints, ...]], moves: int, generator: np.random.Generator) -> None:
    """Add holds with their resumptions in the midst of stays, until there are so many moves."""
    import numpy as np

    owner, begin, end, stage = (np.concatenate(columns) for columns in zip(*gaps, strict=True))
    wide = np.flatnonzero(end - begin > 3)
    wanted = max(moves - sum(part[0].size for part in made.parts), 0) // 2
    while wanted > 0:
        some = generator.permutation(wide)[:wanted]
        third = (end[some] - begin[some]) // 3
        begin[some] += third
        made.add(owner[some], begin[some], stage[some], Status.ON_HOLD, MoveKind.HOLD, UNKNOWN)
        begin[some] += np.maximum(third // 2, 1)
        made.add(owner[some], begin[some], stage[some], Status.ACTIVE, MoveKind.RESUME, UNKNOWN)
        wanted -= some.size
        wide = wide[end[wide] - begin[wide] > 3]
        if not wide.size:
            return


def _portfolio(count: int, made: _Moves, stages: tuple[StageOf, ...], generator: np.random.Generator) -> Portfolio:
    import numpy as np

    owner, day, stage, status, kind, reason = (np.concatenate(columns) for columns in zip(*made.parts, strict=True))
    order = np.lexsort((day, owner))  # made in the order of time, so that moves of one day stay in theirs
    modalities = ("ANTIBODY", "CELL_THERAPY", "SMALL_MOLECULE")
    diseases = ("BREAST", "HAEMATOLOGY", "LIVER", "MELANOMA", "not recorded")
    yes = ("no", "yes")

    def some(names: tuple[str, ...], chances: Sequence[float]) -> Coded:
        return Coded(generator.choice(len(names), count, p=chances).astype(np.int16), names)

    return Portfolio(
        stages=stages,
        ids=np.arange(1, count + 1),
        molecule=np.arange(1, count + 1),
        names=tuple(f"MADE-{number:06d} (made up)" for number in range(1, count + 1)),
        groups={
            "modality": some(modalities, (0.3, 0.1, 0.6)),
            "disease_group": some(diseases, (0.25, 0.25, 0.15, 0.15, 0.2)),
            "biomarker_selected": some(yes, (0.7, 0.3)),
        },
        recorded=np.full(count, FIRST_DAY),
        sighted=np.zeros(count, dtype=bool),
        owner=owner[order],
        stage=stage[order].astype(np.int16),
        status=status[order].astype(np.int16),
        kind=kind[order].astype(np.int16),
        reason=reason[order].astype(np.int16),
        earliest=day[order],
        latest=day[order],
        record=np.zeros(owner.size, dtype=np.int64),
        words={},
    )


def rows_of(portfolio: Portfolio) -> Iterator[tuple[int, int, str, str | None, str, str | None, str, str, str | None]]:
    """Yield transitions: programme, position, kind, stage and status before and after, day, reason."""
    codes = [stage.code for stage in portfolio.stages]
    before: tuple[int, str, str] | None = None
    position = 0
    columns = (portfolio.owner, portfolio.stage, portfolio.status, portfolio.kind, portfolio.reason, portfolio.earliest)
    for owner, stage, status, kind, reason, day in zip(*(column.tolist() for column in columns), strict=True):
        same = before is not None and before[0] == owner
        position = position + 1 if same else 1
        came = (before[1], before[2]) if same and before is not None else (None, None)
        now = (codes[stage], STATUSES[status])
        why = None if reason == UNKNOWN else AttritionReason(REASONS[reason]).value
        yield owner, position, KINDS[kind], came[0], now[0], came[1], now[1], day_of(day), why
        before = (owner, *now)

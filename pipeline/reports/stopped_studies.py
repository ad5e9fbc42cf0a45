"""Studies counted by phase: how they stand, how often they stopped and went on, and why those that stopped did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from sqlalchemy import and_, select

from pipeline.exchange.registry_status import STOPPED
from pipeline.store.nodes import source_of, visible
from pipeline.store.reader import Reader

NO_PHASE = "none said"
NOT_PROPOSED = "not proposed yet"
NO_WORDS = "no words on record"


@dataclass(frozen=True, slots=True)
class StudyCounts:
    """The studies on record, counted. A study of several phases that are no combined one counts under them together.

    by_phase: (phase, status) -> studies. stops, restarts: recorded stops, and those after which the study went on, by
    year, "" where it is not known. reasons: (phase, reason, how it is known) -> studies that stand stopped; known is
    VERIFIED, PROPOSED, or empty where no reason is on record.
    """

    studies: int
    by_phase: dict[tuple[str, str], int]
    stops: dict[str, int]
    restarts: dict[str, int]
    reasons: dict[tuple[str, str, str], int]

    @property
    def stopped(self) -> int:
        """Studies that stand stopped: terminated, withdrawn or suspended."""
        return sum(count for (_, status), count in self.by_phase.items() if status in STOPPED)


def study_counts(reader: Reader) -> StudyCounts:
    """Count the studies a reader sees from its moment: each once, by its main reason where it stands stopped."""
    view = reader.view
    study, reason, stop = (source_of(node, view) for node in ("Study", "AttritionReasonRecord", "StudyStop"))
    of = study.c
    wanted = (
        select(of.phases, of.status, of.reason, of.why_stopped, reason.c.reason, reason.c.verified_reason)
        .select_from(study)
        .outerjoin(reason, and_(reason.c.study_id == of.id, reason.c.main, visible(reason, view)))
        .where(visible(study, view))
    )
    by_phase: Counter[tuple[str, str]] = Counter()
    reasons: Counter[tuple[str, str, str]] = Counter()
    studies = 0
    for phases, status, settled, words, proposed, verified in reader.connection.execute(wanted):
        studies += 1
        phase = " and ".join(orjson.loads(phases or "[]")) or NO_PHASE
        by_phase[phase, status] += 1
        if status in STOPPED:
            known = verified or settled
            why = (known, "VERIFIED") if known else (proposed, "PROPOSED") if proposed else (None, "")
            reasons[phase, why[0] or (NOT_PROPOSED if words else NO_WORDS), why[1]] += 1
    days = select(stop.c.stopped_on, stop.c.restarted_on, stop.c.restart_status)
    days = days.join(study, and_(of.id == stop.c.study_id, visible(study, view))).where(visible(stop, view))
    rows = reader.connection.execute(days).all()
    return StudyCounts(
        studies,
        dict(by_phase),
        _by_year(day for day, *_ in rows),
        _by_year(again for _, again, status in rows if again or status),
        dict(reasons),
    )


def _by_year(days: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter((day or "")[:4] for day in days).items()))

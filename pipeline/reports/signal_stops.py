"""The scientific stops of programmes, and how the programmes went, from the records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from pipeline.attrition.courses import IN_PHASE, STALLED, STOPPED, Courses
from pipeline.attrition.lead_time import ACTIVE, ADVANCED, DROPPED, DROPPED_STRATEGIC
from pipeline.attrition.portfolio import REASONS
from pipeline.attrition.review_settings import EFFICACY, TOXICITY
from pipeline.attrition.review_times import number_of
from pipeline.attrition.signal_columns import OWN_DATE, STOPS, Followed, ScientificStops, Signal
from pipeline.attrition.signal_records import SHORTFALL
from pipeline.reports.signal_rows import among_many, plain_rows
from pipeline.store import study_tables, tables
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.attrition.review_settings import Settings

    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SignalStops:
    """Asks the records for the stops of the programmes of a review."""

    reader: Reader
    courses: Courses
    settings: Settings

    @property
    def view(self) -> View:
        """What was known."""
        return View(known_at=self.reader.view.known_at)

    def followed(self) -> Followed:
        """Return how the programmes went."""
        import numpy as np

        courses, p = self.courses, self.courses.portfolio
        kinds = np.array([self.settings.kind_of(reason) in STOPS for reason in REASONS])
        standing, reason = courses.standing, p.reason[courses.last]
        over = (standing != IN_PHASE) & (standing != STALLED)
        outcome = np.where(over, DROPPED_STRATEGIC, ACTIVE)
        outcome[~over & (courses.top >= len(courses.phases.codes))] = ADVANCED
        outcome[(standing == STOPPED) & (reason >= 0) & kinds[reason]] = DROPPED
        end = np.where(standing == STOPPED, courses.at[courses.last], np.where(over, courses.ended, courses.day))
        return Followed(
            programme=p.ids,
            molecule=p.molecule,
            end=end.astype(np.int64),
            outcome=outcome,
            first=courses.first,
            day=courses.at.astype(np.int64),
            stage=p.stage,
            stages=tuple(stage.code for stage in p.stages),
        )

    def of(self, followed: Followed) -> ScientificStops:
        """Return the scientific stops of the programmes."""
        import numpy as np

        p, all = self.courses.portfolio, self.courses.stops
        kinds = [self.settings.kind_of(reason) for reason in REASONS]
        kind = np.array([STOPS.index(one) if one in STOPS else -1 for one in kinds])[all.reason]
        kind[all.reason < 0] = -1
        record, day = p.record[all.row], followed.day[all.row]
        rows = np.flatnonzero(kind >= 0)
        rows = rows[np.lexsort((record[rows], all.owner[rows], day[rows]))]
        return ScientificStops(
            followed=followed,
            names=p.names,
            place=all.owner[rows],
            transition=record[rows],
            stage=all.stage[rows],
            reason=all.reason[rows],
            kind=kind[rows],
            day=day[rows],
            words={**p.words, **self._judged(p.words)},
        )

    def _judged(self, words: Mapping[int, str]) -> dict[int, str]:
        """Return, by move, what was written about it with the words of the reasons that were judged."""
        of = study_tables.attrition_reasons
        statement = (
            select(of.c.transition_id, of.c.verbatim)
            .where(visible(of, self.view), of.c.transition_id.is_not(None), of.c.verbatim.is_not(None))
            .order_by(of.c.id)
        )
        found: dict[int, list[str]] = defaultdict(list)
        for id, verbatim in plain_rows(self.reader, statement):
            found[id].append(verbatim)
        return {id: " ".join(filter(None, (words.get(id), *those))) for id, those in found.items()}

    def told(self, stops: ScientificStops) -> Iterator[Signal]:
        """Yield the stops as what they tell to other programmes of the molecule, or to a later stop."""
        import numpy as np

        numbers = np.flatnonzero(~_alone(stops))
        recorded = self._recorded(stops.transition[numbers].tolist())
        for stop in map(stops.__getitem__, numbers.tolist()):
            keys = stop.keys or ((stop.kind,) if stop.kind in (TOXICITY, EFFICACY) else (SHORTFALL,))
            label = f"{stop.name} was stopped at {stop.stage} for {stop.reason}"
            known = number_of(recorded[stop.transition])
            yield Signal(
                *(stop.molecule, keys, stop.day, OWN_DATE, known, "Transition", stop.transition, label),
                stage=stop.stage,
            )

    def _recorded(self, transitions: Collection[int]) -> dict[int, str]:
        """Return when moves were put on record."""
        move, acts = tables.transitions, tables.acts
        statement = (
            select(move.c.id, acts.c.recorded_at)
            .join(acts, acts.c.number == move.c.since_act)
            .where(visible(move, self.view), among_many(self.reader, move.c.id, transitions))
        )
        return dict(plain_rows(self.reader, statement))


def _alone(stops: ScientificStops) -> Flags:
    """Return which stops are the end of the only programme of a molecule, its only one: they tell of nothing else."""
    import numpy as np

    followed = stops.followed
    _, which, programmes = np.unique(followed.molecule, return_inverse=True, return_counts=True)
    stopped = np.bincount(which[stops.place], minlength=programmes.size)
    once = (programmes == 1) & (stopped == 1)
    alone: Flags = once[which] & np.isin(followed.outcome, (DROPPED, DROPPED_STRATEGIC))
    return alone[stops.place]

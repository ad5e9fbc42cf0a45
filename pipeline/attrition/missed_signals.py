"""Missed signals: for each scientific stop the first earlier record that carried the same signal, on two clocks.

Could have known: when it happened. Did know: when it was put on record, by the first version that carried the signal.
Days are counted from 1970-01-01.
"""

from __future__ import annotations

import functools
import statistics
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TYPE_CHECKING, overload

from pipeline.attrition.counting import proportion
from pipeline.attrition.lead_time import ACTIVE, ADVANCED, DROPPED, lead_sums
from pipeline.attrition.review_results import Estimate
from pipeline.attrition.review_settings import EFFICACY, EXPOSURE, KINDS, TOXICITY
from pipeline.attrition.review_times import day_of
from pipeline.attrition.signal_columns import STOPS, Followed, Keys, ScientificStop, ScientificStops, Signals
from pipeline.attrition.signal_records import ABOVE_LIMIT, MARGIN, SHORTFALL, key_name, kind_of_key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Days = NDArray[np.float64]
    Flags = NDArray[np.bool_]

METHOD, VERSION = "missed_signals", 1
SAME, KIND = "SAME", "KIND"
FROM_TEXT, FROM_RECORDS, NOT_STATED = "TEXT", "RECORDS", "NOT_STATED"
_ALWAYS = {TOXICITY: frozenset({MARGIN, ABOVE_LIMIT}), EFFICACY: frozenset[str](), EXPOSURE: frozenset({SHORTFALL})}

DEFINITIONS = {
    "signal": "A record carries a signal when it reaches the bars of missed_signals.toml: an event of grade 3 or more, "
    "serious or dose-limiting; a finding in treated animals; an aminotransferase of 3 times its upper limit; a crossed "
    "margin or limit; an exposure below its target; a response rate surely below 20 %; a negative checkpoint; a study "
    "or another programme of the molecule stopped for the same kind of reason.",
    "same": "SAME: the organ system or endpoint family the stop names, or its records at that stage show; a crossed "
    "margin for a toxicity; an exposure shortfall for a stop for exposure. KIND: neither says what the stop was "
    "about, or the record does not; for a lack of effect also an exposure shortfall, which may explain it.",
    "could": "Could have known: days from the day the first such record happened to the stop. A record without a day "
    "takes the end of its study, and without that the day it was recorded.",
    "did": "Did know: days from the day such a record was first recorded to the stop; negative where it came on record "
    "after the stop.",
    "subjects": "People of the molecule's studies whose first dose lies after the signal and not after the stop; where "
    "a study has no doses with a day, by their reference start; where it has no such subjects, the enrolment of a "
    "study that began then. One person counts once in the sums.",
    "lead_time": "E10: a programme is detected when a matching record came before its stop; on one that went on any "
    "record with a signal is a false alarm. What was there before a programme began counts from its beginning.",
    "stage": "The stage of the programme on the day of the signal; before its first move, that of the study.",
}


@dataclass(frozen=True, slots=True)
class Dosed:
    """Who was dosed in a study of people: (day, subject) in order, or its enrolment from the day it began."""

    study: int
    counted_by: str
    subjects: tuple[tuple[int, int], ...] = ()
    enrolment: int = 0
    began: int | None = None

    def ids_within(self, begin: int, end: int) -> list[int]:
        """Return the subjects dosed after one day and not after another."""
        first, last = (bisect_right(self.subjects, day, key=itemgetter(0)) for day in (begin, end))
        return [id for _, id in self.subjects[first:last]]

    def within(self, begin: int, end: int) -> DosedIn:
        """Return how many were dosed after one day and not after another."""
        number = len(self.ids_within(begin, end))
        if self.counted_by == ENROLMENT and self.began is not None and begin < self.began <= end:
            number = self.enrolment
        return DosedIn(self.study, self.counted_by, number)


FIRST_DOSE, REFERENCE_START, ENROLMENT, NOT_COUNTED = "FIRST_DOSE", "REFERENCE_START", "ENROLMENT", "NOT_COUNTED"


@dataclass(frozen=True, slots=True)
class DosedIn:
    """How many were dosed in one study in a span, and how that was counted."""

    study: int
    counted_by: str
    subjects: int


@dataclass(frozen=True, slots=True)
class MissedSignal:
    """A stop and the first earlier record of the same signal.

    match: SAME or KIND; basis: whether TEXT or RECORDS say what the stop was about, or NOT_STATED. records: how many
    records matched. known_node: the one that was recorded first. dosed: the subjects after the signal by study.
    """

    programme: int
    name: str
    transition: int
    reason: str
    kind: str
    stop_stage: str
    stopped_on: str
    signal: str
    about: str
    match: str
    basis: str
    signal_stage: str
    signal_on: str
    dated_by: str
    known_on: str
    could_have_known_days: int
    did_know_days: int
    subjects_dosed_after_signal: int
    subjects_dosed_after_known: int
    dosed: tuple[DosedIn, ...]
    records: int
    node: str
    node_id: int
    study: int | None
    known_node: str
    known_node_id: int


@dataclass(frozen=True, slots=True)
class UnseenStop:
    """A scientific stop no earlier record told of, and what was looked for."""

    programme: int
    name: str
    transition: int
    reason: str
    kind: str
    stop_stage: str
    stopped_on: str
    looked_for: str


class UnseenStops(Sequence[UnseenStop]):
    """Stops no earlier record told of; each is put into words when it is asked for, since most are only counted."""

    def __init__(self, stops: ScientificStops, numbers: Ints) -> None:
        """Take some of the stops, by their numbers."""
        self._stops = stops
        self._numbers = numbers

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self._numbers.size)

    @overload
    def __getitem__(self, place: int) -> UnseenStop: ...

    @overload
    def __getitem__(self, place: slice) -> UnseenStops: ...

    def __getitem__(self, place: int | slice) -> UnseenStop | UnseenStops:
        """Return one of them, or a part."""
        if isinstance(place, slice):
            return UnseenStops(self._stops, self._numbers[place])
        return _unseen(self._stops[int(self._numbers[place])])

    def __iter__(self) -> Iterator[UnseenStop]:
        """Go through all of them."""
        return (_unseen(self._stops[number]) for number in self._numbers.tolist())


@dataclass(frozen=True, slots=True)
class MissedTotal:
    """The sum over the stops of a kind, "ALL" for all of them.

    Medians are in days: `could` over the stops with a signal, `did` over those where it was on record before the stop.
    """

    kind: str
    stops: int
    with_signal: int
    same: int
    known_before_stop: int
    median_could_days: float | None
    median_did_days: float | None
    subjects_dosed_after_signal: int
    studies_not_counted: int


@dataclass(frozen=True, slots=True)
class LeadTimeSummary:
    """E10 on one clock, "could" or "did": how early the records told of stops, and how often they told of none."""

    clock: str
    sensitivity: Estimate
    median_lead_days: float | None
    mean_relative_lead: float | None
    false_alarms: int
    others: int
    false_alarms_per_year: float | None
    apart: int


@dataclass(frozen=True, slots=True)
class MissedSignals:
    """The missed-signal review of a portfolio; every sum is that of the rows below it."""

    method: str
    version: int
    totals: tuple[MissedTotal, ...]
    lead_times: tuple[LeadTimeSummary, ...]
    signals: tuple[MissedSignal, ...]
    unseen: Sequence[UnseenStop]
    definitions: dict[str, str] = field(default_factory=lambda: dict(DEFINITIONS))


def missed_signals(
    stops: ScientificStops,
    signals: Signals,
    dosed_in: Callable[[Collection[int]], Mapping[int, Sequence[Dosed]]],
    fewest: int = 5,
) -> MissedSignals:
    """Return, for each scientific stop, the first earlier record that carried the same signal.

    Args:
        stops: the scientific stops of the programmes followed.
        signals: records that carry a signal.
        dosed_in: gives for molecules their studies of people; asked once, for those with a signal before a stop.
        fewest: so many programmes have to have stopped for a sensitivity to be shown.
    """
    import numpy as np

    matches = list(_Matching(stops, signals).all())
    studies = dosed_in({one.stop.molecule for one in matches})
    found = tuple(_missed(one, stops.followed, signals, studies.get(one.stop.molecule, ())) for one in matches)
    after = {kind: _After() for kind in ("ALL", *STOPS)}
    for one in matches:
        for kind in (one.stop.kind, "ALL"):
            after[kind].note(studies.get(one.stop.molecule, ()), int(signals.day[one.rows[0]]), one.stop.day)
    seen = np.zeros(len(stops), dtype=bool)
    seen[[one.number for one in matches]] = True
    count = dict(zip(STOPS, np.bincount(stops.kind, minlength=len(STOPS)).tolist(), strict=True))
    count["ALL"] = len(stops)
    kinds = ("ALL", *(kind for kind in KINDS if kind in STOPS))
    fired = _fired(signals, stops.followed, matches)
    return MissedSignals(
        method=METHOD,
        version=VERSION,
        totals=tuple(_total(kind, count[kind], found, after[kind]) for kind in kinds),
        lead_times=tuple(_lead_times(clock, stops.followed, fired[clock], fewest) for clock in fired),
        signals=found,
        unseen=UnseenStops(stops, np.flatnonzero(~seen)),
    )


# ---------------------------------------------------------------- one stop


@dataclass(frozen=True, slots=True, eq=False)
class _Match:
    """A stop and the earlier records that told of it, by day; number: of the stop; place: of its programme."""

    number: int
    place: int
    stop: ScientificStop
    rows: Ints
    match: str
    basis: str


@dataclass(slots=True)
class _Matching:
    stops: ScientificStops
    signals: Signals
    _wanted: dict[object, Flags] = field(default_factory=dict)

    def all(self) -> Iterator[_Match]:
        """Yield the stops that earlier records told of, in their order."""
        import numpy as np

        stops = self.stops
        begin, end = self.signals.of_molecules(stops.molecule)
        for number in np.flatnonzero(end > begin).tolist():
            stop, place = stops[number], int(stops.place[number])
            stop, basis = self._told(stop, place, int(stops.stage[number]), int(begin[number]), int(end[number]))
            rows, match = self._matching(stop, int(begin[number]), int(end[number]))
            if rows.size:
                yield _Match(number, place, stop, rows, match, basis)

    def _told(self, stop: ScientificStop, place: int, stage: int, begin: int, end: int) -> tuple[ScientificStop, str]:
        """Return a stop with what it was about: what its text names, else what the records of its stage show."""
        import numpy as np

        if stop.keys:
            return stop, FROM_TEXT
        followed = self.stops.followed
        days = self.signals.day[begin:end]
        days = days[: np.searchsorted(days, stop.day, side="right")]
        first, last = followed.moves_of(place)
        moves = np.searchsorted(followed.day[first:last], days, side="right")
        here = begin + np.flatnonzero((moves > 0) & (followed.stage[first + moves - 1] == stage))
        sets, at = np.unique(self.signals.keys[here], return_index=True)
        shown = {
            key: None
            for number in sets[np.argsort(at)].tolist()
            for key in self.signals.keysets[number]
            if ":" in key and kind_of_key(key) == stop.kind
        }
        return (replace(stop, keys=tuple(shown)), FROM_RECORDS) if shown else (stop, NOT_STATED)

    def _matching(self, stop: ScientificStop, begin: int, end: int) -> tuple[Ints, str]:
        """Return the earlier records that carried the same signal; where none did, those of the same kind."""
        import numpy as np

        days = self.signals.day[begin:end]
        keys = self.signals.keys[begin : begin + int(np.searchsorted(days, stop.day))]
        rows = np.flatnonzero(self._same(stop)[keys])
        if rows.size:
            return begin + rows, SAME
        return begin + np.flatnonzero(self._of_kind(stop)[keys]), KIND

    def _same(self, stop: ScientificStop) -> Flags:
        """Return which sets of keys carry the same signal as a stop."""
        same = _same(stop)
        if same not in self._wanted:
            self._wanted[same] = self.signals.carrying(lambda keys: not same.isdisjoint(keys))
        return self._wanted[same]

    def _of_kind(self, stop: ScientificStop) -> Flags:
        """Return which sets of keys are of the kind of a stop only."""
        kind, stated = stop.kind, bool(stop.keys)
        loose = {kind} | ({SHORTFALL} if kind == EFFICACY else set())

        def carried(keys: Keys) -> bool:
            return not loose.isdisjoint(keys) or (not stated and any(kind_of_key(key) == kind for key in keys))

        if (kind, stated) not in self._wanted:
            self._wanted[kind, stated] = self.signals.carrying(carried)
        return self._wanted[kind, stated]


def _same(stop: ScientificStop) -> frozenset[str]:
    return _ALWAYS[stop.kind].union(stop.keys)


def _missed(found: _Match, followed: Followed, signals: Signals, studies: Sequence[Dosed]) -> MissedSignal:
    stop, rows = found.stop, found.rows
    first = signals[int(rows[0])]
    known = signals[int(rows[signals.known[rows].argmin()])]
    about = next((key for key in first.keys if key in _same(stop)), first.keys[0])
    spans = [one.within(first.day, stop.day) for one in studies]
    return MissedSignal(
        programme=stop.programme,
        name=stop.name,
        transition=stop.transition,
        reason=stop.reason,
        kind=stop.kind,
        stop_stage=stop.stage,
        stopped_on=day_of(stop.day),
        signal=f"{key_name(about)}: {first.label}",
        about=about,
        match=found.match,
        basis=found.basis,
        signal_stage=followed.stage_on(found.place, first.day)
        or first.stage
        or followed.stages[followed.stage[followed.first[found.place]]],
        signal_on=day_of(first.day),
        dated_by=first.dated_by,
        known_on=day_of(known.known),
        could_have_known_days=stop.day - first.day,
        did_know_days=stop.day - known.known,
        subjects_dosed_after_signal=sum(one.subjects for one in spans),
        subjects_dosed_after_known=sum(one.within(known.known, stop.day).subjects for one in studies),
        dosed=tuple(one for one in spans if one.subjects or one.counted_by == NOT_COUNTED),
        records=int(rows.size),
        node=first.node,
        node_id=first.node_id,
        study=first.study,
        known_node=known.node,
        known_node_id=known.node_id,
    )


def _unseen(stop: ScientificStop) -> UnseenStop:
    looked = _looked_for(stop.kind, stop.keys)
    return UnseenStop(
        stop.programme, stop.name, stop.transition, stop.reason, stop.kind, stop.stage, day_of(stop.day), looked
    )


@functools.lru_cache(maxsize=4096)
def _looked_for(kind: str, keys: Keys) -> str:
    return ", ".join(map(key_name, keys)) or f"any {key_name(kind)}"


# ---------------------------------------------------------------- sums


@dataclass(slots=True)
class _After:
    """Who was dosed after a signal, everybody once."""

    subjects: dict[int, set[int]] = field(default_factory=dict)
    enrolled: dict[int, int] = field(default_factory=dict)
    not_counted: set[int] = field(default_factory=set)

    def note(self, studies: Sequence[Dosed], begin: int, end: int) -> None:
        """Add those dosed after one day and not after another."""
        for one in studies:
            if one.counted_by == NOT_COUNTED:
                self.not_counted.add(one.study)
            elif one.counted_by == ENROLMENT:
                if one.within(begin, end).subjects:
                    self.enrolled[one.study] = one.enrolment
            else:
                self.subjects.setdefault(one.study, set()).update(one.ids_within(begin, end))


def _total(kind: str, stops: int, found: Sequence[MissedSignal], after: _After) -> MissedTotal:
    these = [one for one in found if kind in ("ALL", one.kind)]
    could = [one.could_have_known_days for one in these]
    did = [one.did_know_days for one in these if one.did_know_days > 0]
    return MissedTotal(
        kind=kind,
        stops=stops,
        with_signal=len(these),
        same=sum(one.match == SAME for one in these),
        known_before_stop=len(did),
        median_could_days=float(statistics.median(could)) if could else None,
        median_did_days=float(statistics.median(did)) if did else None,
        subjects_dosed_after_signal=sum(map(len, after.subjects.values())) + sum(after.enrolled.values()),
        studies_not_counted=len(after.not_counted),
    )


def _fired(signals: Signals, followed: Followed, matches: Sequence[_Match]) -> dict[str, Days]:
    """Return on each clock the day (p,) on which records first told of something, NaN for none.

    Of a programme that was stopped it is that of its stop, of one that went on anything.
    """
    import numpy as np

    molecules, begin = np.unique(signals.molecule, return_index=True)
    at = np.searchsorted(molecules, followed.molecule)
    at[at == molecules.size] = 0
    on = np.isin(followed.outcome, (ADVANCED, ACTIVE))
    on &= molecules[at] == followed.molecule if molecules.size else False
    found = {}
    for clock, days in (("could", signals.day), ("did", signals.known)):
        fired = np.full(followed.end.size, np.nan)
        if on.any():
            fired[on] = np.minimum.reduceat(days, begin)[at[on]]
        for one in matches:
            if one.stop.day == followed.end[one.place] and followed.outcome[one.place] == DROPPED:
                fired[one.place] = np.fmin(fired[one.place], days[one.rows].min())
        fired[fired > followed.end] = np.nan
        found[clock] = fired
    return found


def _lead_times(clock: str, followed: Followed, fired: Days, fewest: int) -> LeadTimeSummary:
    import numpy as np

    end, begin = followed.end.astype(float), followed.day[followed.first].astype(float)
    real = end >= begin
    found = lead_sums(begin[real], end[real], followed.outcome[real], np.maximum(fired, begin)[real])
    return LeadTimeSummary(
        clock=clock,
        sensitivity=proportion(len(found.leads), found.dropped, fewest),
        median_lead_days=found.median_lead_days,
        mean_relative_lead=found.mean_relative_lead,
        false_alarms=found.false_alarms,
        others=found.others,
        false_alarms_per_year=found.false_alarms_per_year,
        apart=found.apart,
    )

"""Missed signals: for each scientific stop the first earlier record that carried the same signal, on two clocks.

Could have known: when it happened. Did know: when it was put on record, by the first version that carried the signal.
Days are counted from 1970-01-01.
"""

from __future__ import annotations

import functools
import statistics
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.attrition.counting import proportion
from pipeline.attrition.lead_time import ACTIVE, ADVANCED, DROPPED, lead_sums
from pipeline.attrition.review_results import Estimate
from pipeline.attrition.review_settings import EFFICACY, EXPOSURE, KINDS, TOXICITY
from pipeline.attrition.review_times import day_of
from pipeline.attrition.signal_records import ABOVE_LIMIT, MARGIN, SHORTFALL, key_name, kind_of_key

METHOD, VERSION = "missed_signals", 1
SAME, KIND = "SAME", "KIND"
FROM_TEXT, FROM_RECORDS, NOT_STATED = "TEXT", "RECORDS", "NOT_STATED"
STOPS = (TOXICITY, EFFICACY, EXPOSURE)
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
class Signal:
    """A record that carries a signal.

    keys: what it is about; see `signal_records`. day: when it happened. dated_by: what says so: OWN_DATE, STUDY_DAY,
    STUDY_END or RECORDED. known: day it was first recorded. stage: that of its study, where it has one.
    """

    molecule: int
    keys: tuple[str, ...]
    day: int
    dated_by: str
    known: int
    node: str
    node_id: int
    label: str
    study: int | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class ScientificStop:
    """A stop for toxicity, lack of effect or exposure.

    transition: its record. known: the day it was put on record. keys: what its text names.
    """

    programme: int
    name: str
    molecule: int
    transition: int
    stage: str
    reason: str
    kind: str
    day: int
    known: int
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """How programmes went, as columns.

    Attributes:
        programme, molecule: p ids.
        end: p days, until when each was followed.
        outcome: p places in `lead_time.OUTCOMES`.
        first: p places of the first move of each, ascending.
        day, stage: of the moves, those of a programme together and in order; stages are places in `stages`.
    """

    programme: Sequence[int]
    molecule: Sequence[int]
    end: Sequence[int]
    outcome: Sequence[int]
    first: Sequence[int]
    day: Sequence[int]
    stage: Sequence[int]
    stages: Sequence[str]

    def stage_on(self, place: int, day: int) -> str | None:
        """Return the stage of the programme at a place on a day; None before its first move."""
        begin = self.first[place]
        end = self.first[place + 1] if place + 1 < len(self.first) else len(self.day)
        row = bisect_right(self.day, day, begin, end)
        return self.stages[self.stage[row - 1]] if row > begin else None


@dataclass(frozen=True, slots=True)
class Dosed:
    """Who was dosed in a study of people: (day, subject) in order, or its enrolment from the day it began."""

    study: int
    counted_by: str
    subjects: tuple[tuple[int, int], ...] = ()
    enrolment: int = 0
    began: int | None = None


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
    unseen: tuple[UnseenStop, ...]
    definitions: dict[str, str] = field(default_factory=lambda: dict(DEFINITIONS))


def missed_signals(
    followed: Followed,
    stops: Sequence[ScientificStop],
    signals: Mapping[int, Sequence[Signal]],
    dosed: Mapping[int, Sequence[Dosed]],
    fewest: int = 5,
) -> MissedSignals:
    """Return, for each scientific stop, the first earlier record that carried the same signal.

    Args:
        followed: every programme reviewed.
        stops: their scientific stops.
        signals: molecule -> records that carry a signal.
        dosed: molecule -> its studies of people.
        fewest: so many programmes have to have stopped for a sensitivity to be shown.
    """
    place_of = {id: place for place, id in enumerate(followed.programme)}
    found: list[MissedSignal] = []
    unseen: list[UnseenStop] = []
    after: dict[str, dict[tuple[str, int, int], int]] = defaultdict(dict)
    fires: dict[str, dict[int, list[int]]] = {"could": defaultdict(list), "did": defaultdict(list)}
    for stop in sorted(stops, key=lambda one: (one.day, one.programme, one.transition)):
        place, carried = place_of[stop.programme], signals.get(stop.molecule)
        if not carried:
            unseen.append(_unseen(stop))
            continue
        stop, basis = _told(stop, followed, place, carried)
        matched, match = _matching(stop, carried)
        if not matched:
            unseen.append(_unseen(stop))
            continue
        studies = dosed.get(stop.molecule, ())
        missed = _missed(stop, followed, place, matched, match, basis, studies)
        found.append(missed)
        for kind in (stop.kind, "ALL"):
            after[kind].update(_who(studies, matched[0].day, stop.day))
        if stop.day == followed.end[place] and followed.outcome[place] == DROPPED:
            fires["could"][stop.programme] += [one.day for one in matched]
            fires["did"][stop.programme] += [one.known for one in matched]
    kinds = ("ALL", *(kind for kind in KINDS if kind in STOPS))
    return MissedSignals(
        method=METHOD,
        version=VERSION,
        totals=tuple(_total(kind, found, unseen, after[kind]) for kind in kinds),
        lead_times=tuple(_lead_times(clock, followed, signals, fires[clock], fewest) for clock in ("could", "did")),
        signals=tuple(found),
        unseen=tuple(unseen),
    )


# ---------------------------------------------------------------- one stop


def _told(
    stop: ScientificStop, followed: Followed, place: int, signals: Sequence[Signal]
) -> tuple[ScientificStop, str]:
    """Return a stop with what it was about: what its text names, else what the records of its stage show."""
    if stop.keys:
        return stop, FROM_TEXT
    shown = {
        key: None
        for one in sorted(signals, key=_order)
        if one.day <= stop.day and followed.stage_on(place, one.day) == stop.stage
        for key in one.keys
        if ":" in key and kind_of_key(key) == stop.kind
    }
    return (replace(stop, keys=tuple(shown)), FROM_RECORDS) if shown else (stop, NOT_STATED)


def _order(signal: Signal) -> tuple[int, int, str, int]:
    return signal.day, signal.known, signal.node, signal.node_id


def _matching(stop: ScientificStop, signals: Sequence[Signal]) -> tuple[list[Signal], str]:
    """Return the earlier records that carried the same signal; where none did, those of the same kind."""
    earlier = [one for one in signals if one.day < stop.day]
    same = {*stop.keys, *_ALWAYS[stop.kind]}
    matched = [one for one in earlier if same.intersection(one.keys)]
    if matched:
        return sorted(matched, key=_order), SAME
    loose = {stop.kind} | ({SHORTFALL} if stop.kind == EFFICACY else set())
    matched = [
        one
        for one in earlier
        if loose.intersection(one.keys) or (not stop.keys and any(kind_of_key(key) == stop.kind for key in one.keys))
    ]
    return sorted(matched, key=_order), KIND


def _missed(
    stop: ScientificStop,
    followed: Followed,
    place: int,
    matched: Sequence[Signal],
    match: str,
    basis: str,
    studies: Sequence[Dosed],
) -> MissedSignal:
    first = matched[0]
    known = min(matched, key=lambda one: (one.known, *_order(one)))
    same = {*stop.keys, *_ALWAYS[stop.kind]}
    about = next((key for key in first.keys if key in same), first.keys[0])
    spans = _spans(studies, first.day, stop.day)
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
        match=match,
        basis=basis,
        signal_stage=followed.stage_on(place, first.day)
        or first.stage
        or followed.stages[followed.stage[followed.first[place]]],
        signal_on=day_of(first.day),
        dated_by=first.dated_by,
        known_on=day_of(known.known),
        could_have_known_days=stop.day - first.day,
        did_know_days=stop.day - known.known,
        subjects_dosed_after_signal=sum(one.subjects for one in spans),
        subjects_dosed_after_known=sum(one.subjects for one in _spans(studies, known.known, stop.day)),
        dosed=tuple(one for one in spans if one.subjects or one.counted_by == NOT_COUNTED),
        records=len(matched),
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
def _looked_for(kind: str, keys: tuple[str, ...]) -> str:
    return ", ".join(map(key_name, keys)) or f"any {key_name(kind)}"


# ---------------------------------------------------------------- subjects


def _spans(studies: Iterable[Dosed], begin: int, end: int) -> list[DosedIn]:
    """Return who was dosed in each study after one day and not after another."""
    found = []
    for one in studies:
        number = sum(begin < day <= end for day, _ in one.subjects)
        if one.counted_by == ENROLMENT and one.began is not None and begin < one.began <= end:
            number = one.enrolment
        found.append(DosedIn(one.study, one.counted_by, number))
    return found


def _who(studies: Iterable[Dosed], begin: int, end: int) -> dict[tuple[str, int, int], int]:
    """Return everybody `_spans` counts, once: subjects by id, and enrolments by study."""
    who: dict[tuple[str, int, int], int] = {}
    for one in studies:
        who.update({("subject", one.study, id): 1 for day, id in one.subjects if begin < day <= end})
        if one.counted_by == ENROLMENT and one.began is not None and begin < one.began <= end:
            who["study", one.study, 0] = one.enrolment
        if one.counted_by == NOT_COUNTED:
            who["not counted", one.study, 0] = 0
    return who


# ---------------------------------------------------------------- sums


def _total(
    kind: str,
    found: Sequence[MissedSignal],
    unseen: Sequence[UnseenStop],
    after: Mapping[tuple[str, int, int], int],
) -> MissedTotal:
    these = [one for one in found if kind in ("ALL", one.kind)]
    could = [one.could_have_known_days for one in these]
    did = [one.did_know_days for one in these if one.did_know_days > 0]
    return MissedTotal(
        kind=kind,
        stops=len(these) + sum(kind in ("ALL", one.kind) for one in unseen),
        with_signal=len(these),
        same=sum(one.match == SAME for one in these),
        known_before_stop=len(did),
        median_could_days=float(statistics.median(could)) if could else None,
        median_did_days=float(statistics.median(did)) if did else None,
        subjects_dosed_after_signal=sum(after.values()),
        studies_not_counted=sum(what == "not counted" for what, _, _ in after),
    )


def _lead_times(
    clock: str,
    followed: Followed,
    signals: Mapping[int, Sequence[Signal]],
    fires: Mapping[int, Sequence[int]],
    fewest: int,
) -> LeadTimeSummary:
    import numpy as np

    end, outcome = np.array(followed.end, dtype=float), np.array(followed.outcome, dtype=int)
    begin = np.array(followed.day, dtype=float)[np.array(followed.first, dtype=int)]
    fired = np.full(end.size, np.nan)
    for place, molecule in enumerate(followed.molecule):
        if molecule not in signals:
            continue
        days: Iterable[int] = fires.get(followed.programme[place], ())
        if followed.outcome[place] in (ADVANCED, ACTIVE):
            days = (one.day if clock == "could" else one.known for one in signals[molecule])
        seen = [day for day in days if day <= end[place]]
        if seen:
            fired[place] = max(min(seen), begin[place])
    real = end >= begin
    found = lead_sums(begin[real], end[real], outcome[real], fired[real])
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

"""The missed-signal review of a centre, and how findings in animals agree with events in people, from its records."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, func, select

from pipeline.attrition.concordance import OrganPair, Studied, SystemConcordance, by_system
from pipeline.attrition.courses import IN_PHASE, STALLED, STOPPED, Courses
from pipeline.attrition.lead_time import ACTIVE, ADVANCED, DROPPED, DROPPED_STRATEGIC
from pipeline.attrition.missed_signals import (
    ENROLMENT,
    FIRST_DOSE,
    NOT_COUNTED,
    REFERENCE_START,
    STOPS,
    Dosed,
    Followed,
    MissedSignals,
    ScientificStop,
    Signal,
    missed_signals,
)
from pipeline.attrition.organ_systems import organ_systems
from pipeline.attrition.portfolio import REASONS
from pipeline.attrition.review_settings import EFFICACY, TOXICITY
from pipeline.attrition.review_times import number_of
from pipeline.attrition.signal_records import (
    ABOVE_LIMIT,
    ENDPOINT,
    MARGIN,
    ORGAN,
    SHORTFALL,
    checkpoint_key,
    count_keys,
    event_keys,
    finding_keys,
    finding_systems,
    first_futile,
    keys_of_text,
    laboratory_keys,
    limiting_keys,
)
from pipeline.reports.signal_rows import (
    OWN_DATE,
    RECORDED,
    SignalRows,
    StudyHead,
    happened,
    studies_of,
    whole_day,
)
from pipeline.store import study_tables, tables
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.species import is_people
from pipeline.words import AlertKind, AttritionReason, Status, StudyStatus, Verdict

if TYPE_CHECKING:
    from pipeline.attrition.review_settings import Settings

_ALERTS = {
    AlertKind.EXPOSURE_BELOW_TARGET: SHORTFALL,
    AlertKind.EXPOSURE_ABOVE_LIMIT: ABOVE_LIMIT,
    AlertKind.MARGIN_CROSSED: MARGIN,
    AlertKind.DLT_RATE: TOXICITY,
    AlertKind.HYS_LAW: f"{ORGAN}HEPATOBILIARY",
    AlertKind.QTC: f"{ORGAN}CARDIAC",
    AlertKind.FUTILITY: EFFICACY,
}
_NEGATIVE = (Verdict.NO_GO, Verdict.HOLD, Verdict.RECYCLE)
_OVER = (StudyStatus.TERMINATED, StudyStatus.WITHDRAWN, StudyStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class SignalReview:
    """What the records say of signals: missed ones, and animals against people by organ system."""

    missed: MissedSignals
    concordance: tuple[SystemConcordance, ...]


def signal_review(reader: Reader, courses: Courses, settings: Settings) -> SignalReview:
    """Look for the signals of the programmes followed, in a number of statements that hangs on nothing.

    Args:
        reader: sees the records as they were known.
        courses: the programmes of a review.
        settings: those of the review.
    """
    collected = _Collecting(reader, courses, settings)
    stops = collected.stops()
    collected.collect(stops)
    missed = missed_signals(collected.followed, stops, collected.signals, collected.dosed(), settings.fewest)
    return SignalReview(missed, by_system(collected.pairs(), settings.fewest, collected.unstudied()))


@dataclass(slots=True)
class _Collecting:
    reader: Reader
    courses: Courses
    settings: Settings
    followed: Followed = field(init=False)
    signals: dict[int, list[Signal]] = field(default_factory=lambda: defaultdict(list))
    rows: SignalRows = field(init=False)
    in_animals: dict[int, dict[str, bool]] = field(default_factory=lambda: defaultdict(dict))
    in_people: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    people_studied: set[int] = field(default_factory=set)

    stages: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.stages = frozenset(stage.code for stage in self.courses.portfolio.stages)

    @property
    def studies(self) -> Mapping[int, StudyHead]:
        return self.rows.studies.heads

    @property
    def view(self) -> View:
        return View(known_at=self.reader.view.known_at)

    # ------------------------------------------------------------ programmes

    def stops(self) -> list[ScientificStop]:
        """Return every scientific stop of the programmes, in the order of their records."""
        self.followed = self._followed()
        self.rows = SignalRows(self.reader, studies_of(self.reader, set(self.followed.molecule)))
        places = {id: n for n, id in enumerate(self.followed.programme)}
        first, day = self.followed.first, self.followed.day
        ends = [*first[1:], len(day)]
        kinds = {reason: kind for reason in REASONS if (kind := self.settings.kind_of(reason)) in STOPS}
        judged = self._judged()
        found = []
        for id, programme, position, stage, reason, verbatim, note, recorded_at in self._discontinued(list(kinds)):
            place = places.get(programme)
            if place is None or first[place] + position > ends[place]:
                continue
            kind = kinds[reason]
            words = [one for one in (verbatim, note, *judged.get(id, ())) if one]
            found.append(
                ScientificStop(
                    programme=programme,
                    name=self.courses.portfolio.names[place],
                    molecule=self.followed.molecule[place],
                    transition=id,
                    stage=stage,
                    reason=reason,
                    kind=kind,
                    day=day[first[place] + position - 1],
                    known=number_of(recorded_at),
                    keys=keys_of_text(kind, " ".join(words)),
                )
            )
        return found

    def _discontinued(self, reasons: Sequence[str]) -> Sequence[Any]:
        """Return the moves that stopped a programme for one of some reasons."""
        move, acts, off = tables.transitions, tables.acts, Status.DISCONTINUED.value
        stage = func.coalesce(move.c.from_stage, move.c.to_stage)
        names = (move.c.reason, move.c.reason_verbatim, move.c.note, acts.c.recorded_at)
        statement = (
            select(move.c.id, move.c.programme_id, move.c.position, stage, *names)
            .join(acts, acts.c.number == move.c.since_act)
            .where(visible(move, self.view), move.c.to_status == off, move.c.reason.in_(reasons))
            .where(func.coalesce(move.c.from_status, "") != off)
            .order_by(move.c.id)
        )
        return self._plain_rows(statement)

    def _plain_rows(self, statement: Select[Any]) -> Sequence[Any]:
        """Return the driver's own tuples: of tens of thousands of rows every object less counts."""
        cursor = self.reader.connection.execute(statement).cursor
        return cursor.fetchall() if cursor is not None else []

    def _judged(self) -> dict[int, list[str]]:
        """Return, by move, the words of the reasons that were judged."""
        of = study_tables.attrition_reasons
        statement = (
            select(of.c.transition_id, of.c.verbatim)
            .where(visible(of, self.view), of.c.transition_id.is_not(None), of.c.verbatim.is_not(None))
            .order_by(of.c.id)
        )
        found: dict[int, list[str]] = defaultdict(list)
        for id, verbatim in self.reader.connection.execute(statement):
            found[id].append(verbatim)
        return found

    def _followed(self) -> Followed:
        import numpy as np

        courses, p = self.courses, self.courses.portfolio
        table = tables.programmes
        statement = select(table.c.id, table.c.molecule_id).where(visible(table, self.view))
        molecule_of = dict(self._plain_rows(statement))
        kinds = np.array([self.settings.kind_of(reason) in STOPS for reason in REASONS])
        standing, reason = courses.standing, p.reason[courses.last]
        over = (standing != IN_PHASE) & (standing != STALLED)
        outcome = np.where(over, DROPPED_STRATEGIC, ACTIVE)
        outcome[~over & (courses.top >= len(courses.phases.codes))] = ADVANCED
        outcome[(standing == STOPPED) & (reason >= 0) & kinds[reason]] = DROPPED
        end = np.where(standing == STOPPED, courses.at[courses.last], np.where(over, courses.ended, courses.day))
        ids = p.ids.tolist()
        return Followed(
            programme=ids,
            molecule=[molecule_of[id] for id in ids],
            end=end.astype(int).tolist(),
            outcome=outcome.tolist(),
            first=courses.first.tolist(),
            day=courses.at.astype(int).tolist(),
            stage=p.stage.tolist(),
            stages=tuple(stage.code for stage in p.stages),
        )

    # ------------------------------------------------------------ signals

    def collect(self, stops: Sequence[ScientificStop]) -> None:
        """Gather every record that carries a signal, by molecule, and what was studied at all."""
        self._events()
        self._findings()
        self._laboratory()
        self._counts()
        self._responses()
        self._study_stops()
        self._alerts()
        self._checkpoints()
        alone = self._alone(stops)
        for stop in stops:
            if stop.molecule in alone:
                continue
            keys = stop.keys or ((stop.kind,) if stop.kind in (TOXICITY, EFFICACY) else (SHORTFALL,))
            label = f"{stop.name} was stopped at {stop.stage} for {stop.reason}"
            self._add(
                Signal(
                    stop.molecule,
                    keys,
                    stop.day,
                    OWN_DATE,
                    stop.known,
                    "Transition",
                    stop.transition,
                    label,
                    stage=stop.stage,
                )
            )

    def _alone(self, stops: Sequence[ScientificStop]) -> set[int]:
        """Return the molecules whose only stop is the end of their only programme: it tells of nothing else."""
        programmes = Counter(self.followed.molecule)
        stopped = Counter(stop.molecule for stop in stops)
        ways = zip(self.followed.molecule, self.followed.outcome, strict=True)
        return {
            molecule
            for molecule, outcome in ways
            if outcome in (DROPPED, DROPPED_STRATEGIC) and programmes[molecule] == stopped[molecule] == 1
        }

    def _add(self, signal: Signal) -> None:
        if signal.day <= self.courses.day:
            self.signals[signal.molecule].append(signal)

    def _of_study(
        self,
        node: str,
        versions: list[Mapping[str, Any]],
        keys_of: Callable[[Mapping[str, Any]], tuple[str, ...]],
        own: Callable[[Mapping[str, Any]], str | None],
        label: Callable[[Mapping[str, Any]], str],
        at: tuple[str, int] | None = None,
    ) -> tuple[str, ...]:
        """Add a record of a study as it is seen, known since the first version that carried the same."""
        row = versions[-1]
        study = self.studies.get(row["study_id"])
        keys = keys_of(row) if study is not None else ()
        if study is None or not keys:
            return ()
        known = next(one["recorded_at"] for one in versions if one is row or set(keys) & set(keys_of(one)))
        day, dated_by = happened(row, study, own)
        shown_node, shown_id = at or (node, row["id"])
        for molecule in sorted(study.molecules):
            self._add(
                Signal(
                    molecule,
                    keys,
                    day,
                    dated_by,
                    number_of(known),
                    shown_node,
                    shown_id,
                    f"{label(row)} (study {study.code})",
                    study.id,
                    study.stage if study.stage in self.stages else None,
                )
            )
        return keys

    def _note_people(self, study_id: int, keys: Iterable[str]) -> None:
        study = self.studies.get(study_id)
        for molecule in study.molecules if study is not None else ():
            self.in_people[molecule].update(key.removeprefix(ORGAN) for key in keys if key.startswith(ORGAN))

    def _events(self) -> None:
        for versions in self.rows.events():
            if is_people(versions[-1]["species"]):
                keys = self._of_study("AdverseEvent", versions, event_keys, lambda row: row["sorted_on"], _event_label)
                self._note_people(versions[-1]["study_id"], keys)
        self._studied(study_tables.adverse_events)
        self._studied(tables.event_counts)
        self._studied(tables.dlt_observations)

    def _studied(self, table: Any) -> None:
        """Note the molecules with safety records of people: what is not among them was looked for."""
        of = table.c.study_id
        statement = select(of).distinct().where(visible(table, self.view), *self.rows.of(of))
        for id in self.reader.connection.execute(statement).scalars():
            study = self.studies.get(id)
            if study is not None and study.people:
                self.people_studied |= study.molecules

    def _findings(self) -> None:
        for id, organ in self.rows.examined():
            study = self.studies.get(id)
            if study is None or study.people:
                continue
            for system in finding_systems(organ):
                for molecule in study.molecules:
                    self.in_animals[molecule][system] = False
        for versions in self.rows.findings():
            study = self.studies.get(versions[-1]["study_id"])
            if study is None or study.people:
                continue
            keys = self._of_study("Finding", versions, finding_keys, lambda row: row["sorted_on"], _finding_label)
            for key in keys:
                for molecule in study.molecules:
                    self.in_animals[molecule][key.removeprefix(ORGAN)] = True

    def _laboratory(self) -> None:
        for versions in self.rows.laboratory():
            if is_people(versions[-1]["species"]):
                self._of_study(
                    "LaboratoryResult", versions, laboratory_keys, lambda row: row["sorted_on"], _laboratory_label
                )

    def _counts(self) -> None:
        for table, keys_of, label in (
            (tables.event_counts, count_keys, _count_label),
            (tables.dlt_observations, limiting_keys, _limiting_label),
        ):
            for versions in self.rows.plain(table):
                study = versions[-1]["study_id"]
                keys = self._of_study("Study", versions, keys_of, lambda row: None, label, ("Study", study))
                self._note_people(study, keys)

    def _responses(self) -> None:
        for found in self.rows.responses().values():
            row = first_futile((row, row["subject_id"], row["response"]) for row in found)
            if row is not None:
                self._of_study(
                    "TumourResponse",
                    [row],
                    lambda row: (f"{ENDPOINT}RESPONSE",),
                    lambda row: row["sorted_on"],
                    lambda row: "with this response the response rate is surely below what is of interest",
                )

    def _study_stops(self) -> None:
        """Add studies that were stopped for toxicity, lack of effect or exposure."""
        study, of, acts = tables.studies, study_tables.attrition_reasons, tables.acts
        statement = (
            select(
                *(study.c[name] for name in ("id", "code", "status", "why_stopped", "reason", "ended_on")),
                of.c.verified_reason,
                of.c.verbatim,
                acts.c.recorded_at,
            )
            .join(acts, acts.c.number == study.c.since_act)
            .outerjoin(of, and_(of.c.study_id == study.c.id, of.c.verified_reason.is_not(None), visible(of, self.view)))
            .where(visible(study, self.view), study.c.status.in_([status.value for status in _OVER]))
            .order_by(study.c.id, of.c.id)
        )
        told: set[int] = set()
        for row in map(dict, self.reader.connection.execute(statement).mappings()):
            if row["id"] in told:
                continue
            reason = row["verified_reason"] or row["reason"]
            kind = self.settings.kind_of(reason) if reason in AttritionReason.__members__ else ""
            if kind not in STOPS:
                continue
            told.add(row["id"])
            text = " ".join(filter(None, (row["why_stopped"], row["verbatim"])))
            keys = keys_of_text(kind, text) or (kind,)
            self._of_study(
                "Study",
                [{**row, "study_id": row["id"]}],
                lambda row, keys=keys: keys,  # type: ignore[misc]
                lambda row: row["ended_on"],
                lambda row, reason=reason: f"stopped for {reason}",  # type: ignore[misc]
            )

    def _alerts(self) -> None:
        """Add alerts, on the day of the sample where one caused it."""
        alert, sample, acts = study_tables.alerts, study_tables.monitoring_records, tables.acts
        first = alert.alias("first_alert")
        statement = (
            select(alert, sample.c.sorted_on, acts.c.recorded_at)
            .outerjoin(
                sample,
                and_(alert.c.node == "MonitoringRecord", sample.c.id == alert.c.node_id, visible(sample, self.view)),
            )
            .join(first, and_(first.c.id == alert.c.id, first.c.version == 1))
            .join(acts, acts.c.number == first.c.since_act)
            .where(visible(alert, self.view), alert.c.kind.in_([kind.value for kind in _ALERTS]))
            .order_by(alert.c.id)
        )
        for row in self.reader.connection.execute(statement).mappings():
            study = self.studies.get(row["study_id"])
            molecules = [row["molecule_id"]] if row["molecule_id"] is not None else []
            day = whole_day(row["sorted_on"])
            raised = whole_day(row["raised_at"])
            known = number_of(row["recorded_at"])
            for molecule in molecules or sorted(study.molecules if study is not None else ()):
                self._add(
                    Signal(
                        molecule,
                        (_ALERTS[AlertKind(row["kind"])],),
                        day if day is not None else known if raised is None else raised,
                        RECORDED if day is None else OWN_DATE,
                        known,
                        "Alert",
                        row["id"],
                        row["message"],
                        row["study_id"],
                    )
                )

    def _checkpoints(self) -> None:
        """Add checkpoints that recommended, or decided, not to go on."""
        check, rule, programme, acts = tables.checkpoints, tables.checkpoint_rules, tables.programmes, tables.acts
        first = check.alias("first_checkpoint")
        negative = [verdict.value for verdict in _NEGATIVE]
        statement = (
            select(check, rule.c.method, programme.c.molecule_id, acts.c.recorded_at)
            .join(programme, and_(programme.c.id == check.c.programme_id, visible(programme, self.view)))
            .outerjoin(
                rule,
                and_(rule.c.code == check.c.rule_code, rule.c.number == check.c.rule_number, visible(rule, self.view)),
            )
            .join(first, and_(first.c.id == check.c.id, first.c.version == 1))
            .join(acts, acts.c.number == first.c.since_act)
            .where(visible(check, self.view), check.c.recommendation.in_(negative))
            .order_by(check.c.id)
        )
        for row in self.reader.connection.execute(statement).mappings():
            day = whole_day(row["assessed_on"])
            if day is None:
                continue
            said = f"checkpoint {row['rule_code']} recommended {row['recommendation']}"
            decided = f", {row['verdict']} was decided" if row["verdict"] else ""
            self._add(
                Signal(
                    row["molecule_id"],
                    (checkpoint_key(row["kind"], row["method"] or ""),),
                    day,
                    OWN_DATE,
                    number_of(row["recorded_at"]),
                    "Checkpoint",
                    row["id"],
                    said + decided,
                    row["study_id"],
                    row["stage"],
                )
            )

    # ------------------------------------------------------------ subjects

    def dosed(self) -> dict[int, list[Dosed]]:
        """Return, by molecule, who was dosed in its studies of people."""
        people = {id: head for id, head in self.studies.items() if head.people}
        doses = self._first_doses(people)
        starts = self._reference_starts(people)
        found: dict[int, list[Dosed]] = defaultdict(list)
        for id, head in people.items():
            began = whole_day(head.started_on)
            if doses.get(id):
                one = Dosed(id, FIRST_DOSE, tuple(sorted(doses[id])))
            elif starts.get(id):
                one = Dosed(id, REFERENCE_START, tuple(sorted(starts[id])))
            elif head.enrolment is not None and began is not None:
                one = Dosed(id, ENROLMENT, enrolment=head.enrolment, began=began)
            else:
                one = Dosed(id, NOT_COUNTED)
            for molecule in sorted(head.molecules):
                found[molecule].append(one)
        return found

    def _first_doses(self, studies: Collection[int]) -> dict[int, list[tuple[int, int]]]:
        table = study_tables.administrations
        statement = (
            select(table.c.study_id, table.c.subject_id, func.min(table.c.sorted_on))
            .where(visible(table, self.view), table.c.subject_id.is_not(None), table.c.sorted_on != "")
            .where(*self.rows.of(table.c.study_id))
            .group_by(table.c.study_id, table.c.subject_id)
        )
        return _by_study(self.reader.connection.execute(statement), studies)

    def _reference_starts(self, studies: Collection[int]) -> dict[int, list[tuple[int, int]]]:
        table = study_tables.subjects
        statement = select(table.c.study_id, table.c.id, table.c.reference_start).where(
            visible(table, self.view), table.c.reference_start.is_not(None), *self.rows.of(table.c.study_id)
        )
        return _by_study(self.reader.connection.execute(statement), studies)

    # ------------------------------------------------------------ concordance

    def pairs(self) -> list[OrganPair]:
        """Return what animals and people say of every organ system that anything was found in, of studied molecules."""
        molecules = sorted(self._studied_at_all())
        found = []
        for system in organ_systems():
            code = system.code
            of = [
                OrganPair(molecule, code, self._animals(molecule, code), self._people(molecule, code))
                for molecule in molecules
            ]
            if any(Studied.FOUND in (one.preclinical, one.clinical) for one in of):
                found += of
        return found

    def unstudied(self) -> int:
        """Return how many molecules were studied neither in animals nor in people."""
        return len(set(self.followed.molecule)) - len(self._studied_at_all())

    def _studied_at_all(self) -> set[int]:
        return set(self.followed.molecule) & {*self.in_animals, *self.in_people, *self.people_studied}

    def _animals(self, molecule: int, code: str) -> Studied:
        seen = self.in_animals[molecule].get(code) if molecule in self.in_animals else None
        if seen is None:
            return Studied.NOT_STUDIED
        return Studied.FOUND if seen else Studied.NOT_FOUND

    def _people(self, molecule: int, code: str) -> Studied:
        if molecule in self.in_people and code in self.in_people[molecule]:
            return Studied.FOUND
        return Studied.NOT_FOUND if molecule in self.people_studied else Studied.NOT_STUDIED


def _by_study(rows: Iterable[Any], studies: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for study, subject, text in rows:
        day = whole_day(text) if study in studies else None
        if day is not None:
            found[study].append((day, subject))
    return found


def _event_label(row: Mapping[str, Any]) -> str:
    marks = [f"grade {row['grade']}" if row["grade"] is not None else row["severity"] or ""]
    marks += ["serious"] * bool(row["serious"]) + ["dose-limiting"] * bool(row["dlt"])
    return ", ".join(filter(None, (row["coded_term"] or row["term"], *marks)))


def _finding_label(row: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (row["organ"], row["reported"], row["severity_reported"])))


def _laboratory_label(row: Mapping[str, Any]) -> str:
    upper = row["upper_normal"]
    times = f"{row['value'] / upper:.3g} times the upper limit" if upper and row["value"] is not None else ""
    grade = f"grade {row['grade']}" if row["grade"] is not None else ""
    return ", ".join(filter(None, (row["test_name"] or row["test"], times, grade)))


def _count_label(row: Mapping[str, Any]) -> str:
    of = f" of {row['at_risk']}" if row["at_risk"] is not None else ""
    return f"{row['term']}, serious, in {row['affected'] if row['affected'] is not None else 'some'}{of}"


def _limiting_label(row: Mapping[str, Any]) -> str:
    number = row["affected"] if row["affected"] is not None else "some"
    return f"{row['term']}, dose-limiting, in {number}"

"""The records that carry a signal, by molecule, and what was studied in animals and in people at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from pipeline.attrition.courses import Courses
from pipeline.attrition.missed_signals import (
    STOPS,
    Followed,
    ScientificStop,
    Signal,
)
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
    whole_day,
)
from pipeline.reports.signal_stops import told_alone
from pipeline.store import study_tables, tables
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.species import is_people
from pipeline.words import AlertKind, AttritionReason, StudyStatus, Verdict

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


@dataclass(slots=True)
class SignalGathering:
    """Gathers signals from the records of studies, and from the stops of other programmes of a molecule.

    Attributes:
        rows: reads the records.
        courses, settings: of the review.
        signals: by molecule, what was gathered.
        in_animals: molecule -> organ system that was looked at -> whether anything was found.
        in_people: molecule -> organ systems with an event.
        people_studied: molecules with safety records of people.
    """

    rows: SignalRows
    courses: Courses
    settings: Settings
    signals: dict[int, list[Signal]] = field(default_factory=lambda: defaultdict(list))
    in_animals: dict[int, dict[str, bool]] = field(default_factory=lambda: defaultdict(dict))
    in_people: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    people_studied: set[int] = field(default_factory=set)
    stages: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.stages = frozenset(stage.code for stage in self.courses.portfolio.stages)

    @property
    def reader(self) -> Reader:
        """Sees the records as they were known."""
        return self.rows.reader

    @property
    def studies(self) -> Mapping[int, StudyHead]:
        """The studies that are searched."""
        return self.rows.studies.heads

    @property
    def view(self) -> View:
        """What was known."""
        return self.rows.view

    def gather(self, followed: Followed, stops: Sequence[ScientificStop]) -> None:
        """Gather every record that carries a signal."""
        self._events()
        self._findings()
        self._laboratory()
        self._counts()
        self._responses()
        self._study_stops()
        self._alerts()
        self._checkpoints()
        alone = told_alone(followed, stops)
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

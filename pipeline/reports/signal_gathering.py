"""The records that carry a signal, by molecule, and what was studied in animals and in people at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from pipeline.attrition.concordance import Studied
from pipeline.attrition.courses import Courses
from pipeline.attrition.review_settings import EFFICACY, TOXICITY
from pipeline.attrition.review_times import number_of
from pipeline.attrition.signal_columns import (
    NODES,
    OWN_DATE,
    RECORDED,
    STOPS,
    Signal,
    SignalColumns,
    Signals,
)
from pipeline.attrition.signal_records import (
    ABOVE_LIMIT,
    ENDPOINT,
    MARGIN,
    ORGAN,
    SHORTFALL,
    checkpoint_key,
    finding_systems,
    first_futile,
    keys_of_text,
)
from pipeline.reports.signal_rows import Carrying, SignalRows, StudyHead, plain_rows, whole_day
from pipeline.store import study_tables, tables
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
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
_FUTILE = "with this response the response rate is surely below what is of interest"


@dataclass(slots=True)
class SignalGathering:
    """Gathers signals from the records of studies, and from the stops of other programmes of a molecule.

    Attributes:
        rows: reads the records.
        courses, settings: of the review.
        columns: what was gathered.
        animals, findings, events: organ system -> molecules whose animals were looked at there, with a finding in
            animals, with an event in people.
    """

    rows: SignalRows
    courses: Courses
    settings: Settings
    columns: SignalColumns = field(default_factory=SignalColumns)
    animals: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    findings: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    events: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
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

    def gather(self, stops: Iterable[Signal]) -> Signals:
        """Return every record that carries a signal, stops of programmes among them."""
        events = self.rows.events()
        self._add("AdverseEvent", events, _event_label)
        self._note(self.events, events)
        findings = self.rows.findings()
        findings = findings.only([id for id, head in self.studies.items() if not head.people])
        self._add("Finding", findings, _finding_label)
        self._note(self.findings, findings)
        self._add("LaboratoryResult", self.rows.laboratory(), _laboratory_label)
        for counted, label in ((self.rows.event_counts(), _count_label), (self.rows.limiting(), _limiting_label)):
            self._add("Study", counted, label, of_study=True)
            self._note(self.events, counted)
        self._responses()
        self._study_stops()
        self._alerts()
        self._checkpoints()
        for stop in stops:
            self.columns.add_one(stop)
        return self.columns.signals(self.courses.day, {id: head.code for id, head in self.studies.items()})

    def studied(self) -> Studied:
        """Return what was studied, once all is gathered."""
        for id, organ, organ_class in self.rows.examined():
            head = self.studies.get(id)
            if head is not None and not head.people:
                for system in finding_systems({"organ": organ, "organ_class": organ_class}):
                    self.animals[system] |= head.molecules
        people: set[int] = set()
        for id in self.rows.with_safety_records():
            head = self.studies.get(id)
            if head is not None and head.people:
                people |= head.molecules
        return Studied(self.animals, self.findings, self.events, people)

    def _add(
        self, node: str, found: Carrying, label: Callable[[Mapping[str, Any]], str], *, of_study: bool = False
    ) -> None:
        """Add records of studies, once for each molecule of their study; of_study: the study itself is shown."""
        import numpy as np

        columns = self.columns
        keys = np.array([columns.keys_of(one) for one in found.keys], dtype=np.int64)
        says = len(columns.texts) + np.arange(len(found.contents))
        columns.texts += [partial(_in_study, label, content) for content in found.contents]
        studies, which = np.unique(found.study, return_inverse=True)
        heads = [self.studies[id] for id in studies.tolist()]
        stages = [columns.stage_of(head.stage if head.stage in self.stages else None) for head in heads]
        molecules = [sorted(head.molecules) for head in heads]
        many = np.array([len(some) for some in molecules], dtype=np.int64)
        # A study of several molecules stands for as many rows: `row` is the record, `of` the place of the molecule.
        row = np.repeat(np.arange(which.size), many[which])
        nth = np.arange(row.size) - np.repeat(np.cumsum(many[which]) - many[which], many[which])
        of = (np.cumsum(many) - many)[which][row] + nth
        columns.add(
            molecule=np.array([id for some in molecules for id in some], dtype=np.int64)[of],
            day=found.day[row],
            known=found.known[row],
            node=np.full(row.size, NODES.index(node)),
            node_id=(found.study if of_study else found.id)[row],
            keys=keys[found.content[row]],
            says=says[found.content[row]],
            dated_by=found.dated_by[row],
            study=found.study[row],
            stage=np.array(stages, dtype=np.int64)[which[row]],
        )

    def _note(self, of_system: dict[str, set[int]], found: Carrying) -> None:
        """Note the molecules with a record in an organ system."""
        import numpy as np

        pairs = np.unique(found.study * max(len(found.keys), 1) + found.content)
        for pair in pairs.tolist():
            study, content = divmod(pair, len(found.keys))
            for key in found.keys[content]:
                if key.startswith(ORGAN):
                    of_system[key.removeprefix(ORGAN)] |= self.studies[study].molecules

    def _responses(self) -> None:
        for study, rows in self.rows.responses().items():
            row = first_futile((row, row.subject, row.response) for row in rows)
            if row is not None:
                self._one(
                    "TumourResponse",
                    row.id,
                    study,
                    (f"{ENDPOINT}RESPONSE",),
                    (row.day, row.dated_by),
                    row.known,
                    _FUTILE,
                )

    def _one(
        self, node: str, id: int, study: int, keys: tuple[str, ...], happened: tuple[int, str], known: int, label: str
    ) -> None:
        """Add one record of a study."""
        head = self.studies[study]
        stage = head.stage if head.stage in self.stages else None
        label = f"{label} (study {head.code})"
        for molecule in sorted(head.molecules):
            self.columns.add_one(Signal(molecule, keys, *happened, known, node, id, label, study, stage))

    def _study_stops(self) -> None:
        """Add studies that were stopped for toxicity, lack of effect or exposure."""
        study, of, acts = tables.studies, study_tables.attrition_reasons, tables.acts
        names = (study.c.id, study.c.why_stopped, study.c.reason, study.c.ended_on, of.c.verified_reason, of.c.verbatim)
        statement = (
            select(*names, acts.c.recorded_at)
            .join(acts, acts.c.number == study.c.since_act)
            .outerjoin(of, and_(of.c.study_id == study.c.id, of.c.verified_reason.is_not(None), visible(of, self.view)))
            .where(visible(study, self.view), study.c.status.in_([status.value for status in _OVER]))
            .order_by(study.c.id, of.c.id)
        )
        told: set[int] = set()
        for id, why, reason_given, ended_on, verified, verbatim, recorded_at in plain_rows(self.reader, statement):
            head = self.studies.get(id)
            if head is None or id in told:
                continue
            reason = verified or reason_given
            kind = self.settings.kind_of(reason) if reason in AttritionReason.__members__ else ""
            if kind not in STOPS:
                continue
            told.add(id)
            known = number_of(recorded_at)
            keys = keys_of_text(kind, " ".join(filter(None, (why, verbatim)))) or (kind,)
            happened = self.rows.happened(head, ended_on, None, None, known)
            self._one("Study", id, id, keys, happened, known, f"stopped for {reason}")

    def _alerts(self) -> None:
        """Add alerts, on the day of the sample where one caused it."""
        alert, sample, acts = study_tables.alerts, study_tables.monitoring_records, tables.acts
        first = alert.alias("first_alert")
        names = (alert.c.id, alert.c.kind, alert.c.molecule_id, alert.c.study_id, alert.c.message, alert.c.raised_at)
        statement = (
            select(*names, sample.c.sorted_on, acts.c.recorded_at)
            .select_from(alert)
            .outerjoin(
                sample,
                and_(alert.c.node == "MonitoringRecord", sample.c.id == alert.c.node_id, visible(sample, self.view)),
            )
            .join(first, and_(first.c.id == alert.c.id, first.c.version == 1))
            .join(acts, acts.c.number == first.c.since_act)
            .where(visible(alert, self.view), alert.c.kind.in_([kind.value for kind in _ALERTS]))
            .order_by(alert.c.id)
        )
        for id, kind, molecule, study, message, raised_at, sampled_on, recorded_at in plain_rows(
            self.reader, statement
        ):
            head = self.studies.get(study)
            day, raised, known = whole_day(sampled_on), whole_day(raised_at), number_of(recorded_at)
            happened = (day, OWN_DATE) if day is not None else (known if raised is None else raised, RECORDED)
            keys = (_ALERTS[AlertKind(kind)],)
            molecules = [molecule] if molecule is not None else sorted(head.molecules if head is not None else ())
            for one in molecules:
                self.columns.add_one(Signal(one, keys, *happened, known, "Alert", id, message, study))

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
            self.columns.add_one(
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


def _in_study(label: Callable[[Mapping[str, Any]], str], row: Mapping[str, Any], code: str) -> str:
    return f"{label(row)} (study {code})"


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

"""Whatever becomes of concentrations, in whatever order, on either engine: refusals write nothing, nobody verifies what
they entered, a sample has one result that is no retest, and every version that was ever seen stays as it was."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM, Centre
from pipeline.commands.alerts import AcknowledgeAlert
from pipeline.commands.molecules import RegisterMolecule
from pipeline.commands.monitoring import Entry, LogMonitoring
from pipeline.commands.monitoring_changes import (
    MOVES,
    CorrectMonitoring,
    ExcludeMonitoring,
    IncludeMonitoring,
    SetMonitoringState,
)
from pipeline.commands.monitoring_ground import sample_key
from pipeline.commands.monitoring_settings import SetExposureLimit, SetMonitoringSettings
from pipeline.errors import PipelineError
from pipeline.store.counted import VALID, counted, counts
from pipeline.store.study_tables import alerts, monitoring_records
from pipeline.store.tables import RECORD_TABLES, acts
from pipeline.words import Modality, MonitoringState
from tests.support.monitored import add_study
from tests.support.new_centre import OnPostgres, OnSqlite

PEOPLE = [Actor.of(name, Role.PHARMACOLOGY) for name in ("Ana", "Ben", "Cem")]
RESULTS = st.sampled_from(["0.2", "5", "12,5", "150", "< BLQ", "<0.5", "1,250", "abc", "> 500", "-1"])
HOURS = st.sampled_from([None, 0.0, 1.0, 2.0, 24.0, -1.0, 99999.0])
SUBJECTS = st.sampled_from(["S-1", "S-2", None, "Jean Dupont"])
WHO = st.sampled_from(PEOPLE)

NUMBERS = select(
    select(func.max(acts.c.number)).scalar_subquery(),
    *(select(func.count()).select_from(table).scalar_subquery() for table in RECORD_TABLES),
)


class MonitoringLife(RuleBasedStateMachine):
    """The concentrations of one study, with everything the pharmacology unit may try."""

    made: ClassVar[OnSqlite | OnPostgres]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        place = self.stack.enter_context(self.made.centre(folder))
        self.centre = self.stack.enter_context(Centre.open(place.folder, place.url))
        self.records: list[int] = []
        self.seen: dict[tuple[int, int], tuple[Any, ...]] = {}

    def teardown(self) -> None:
        assert self.centre.verify().problems == []
        self.stack.close()

    @initialize()
    def begin(self) -> None:
        made = self.centre.execute(RegisterMolecule("M-1", "Molecule 1", Modality.UNKNOWN), actor=SYSTEM)
        self.molecule = made.result["molecule"]
        self.study = add_study(self.centre, self.molecule)
        self.centre.execute(SetExposureLimit(self.molecule, "CMAX", "ng/mL", "protocol", upper=100.0), actor=PEOPLE[0])

    # ------------------------------------------------------------ what can be tried

    def attempt(self, command: Any, who: Actor) -> dict[str, Any] | None:
        """Do a command; a refusal must have written nothing."""
        before = self.numbers()
        try:
            return self.centre.execute(command, actor=who).result
        except PipelineError:
            assert self.numbers() == before
            return None

    def entry(self, reported: str, subject: str | None, hours: float | None, retest_of: int | None = None) -> Entry:
        what = {"subject": subject, "hours_after_dose": hours, "retest_of": retest_of, "lower_limit": 0.5}
        return Entry(self.molecule, self.study, "M-1", "PLASMA", reported, "ng/mL", **what)  # type: ignore[arg-type]

    @rule(given=st.lists(st.tuples(RESULTS, SUBJECTS, HOURS), min_size=1, max_size=3), who=WHO)
    def log(self, given: list[tuple[str, str | None, float | None]], who: Actor) -> None:
        result = self.attempt(LogMonitoring(tuple(self.entry(*each) for each in given)), who)
        if result is not None:
            assert result["count"] == len(given)
            self.records += range(result["first"], result["first"] + result["count"])

    @precondition(lambda self: self.records)
    @rule(data=st.data(), reported=RESULTS, subject=SUBJECTS, who=WHO)
    def retest(self, data: st.DataObject, reported: str, subject: str | None, who: Actor) -> None:
        first = data.draw(st.sampled_from(self.records))
        result = self.attempt(LogMonitoring((self.entry(reported, subject, None, first),)), who)
        if result is not None:
            self.records.append(result["first"])

    @precondition(lambda self: self.records)
    @rule(data=st.data(), reported=st.one_of(st.none(), RESULTS), hours=HOURS, version=st.integers(1, 3), who=WHO)
    def correct(self, data: st.DataObject, reported: str | None, hours: float | None, version: int, who: Actor) -> None:
        record = data.draw(st.sampled_from(self.records))
        expected = data.draw(st.sampled_from([None, version]))
        command = CorrectMonitoring(record, "misread", reported, hours_after_dose=hours, expected_version=expected)
        before = self.row(record)
        if self.attempt(command, who) is not None:
            after = self.row(record)
            assert after["state"] == MonitoringState.REGISTERED
            assert after["entered_by"] == before["entered_by"]
            assert reported is None or after["reported"] == reported

    @precondition(lambda self: self.records)
    @rule(data=st.data(), scope=st.sampled_from(["CALCULATION", "SUMMARIES", "all"]), who=WHO)
    def exclude(self, data: st.DataObject, scope: str, who: Actor) -> None:
        record = data.draw(st.sampled_from(self.records))
        if self.attempt(ExcludeMonitoring(record, "haemolysed", scope), who) is not None:
            assert self.row(record)["exclusion_scope"] == scope

    @precondition(lambda self: self.records)
    @rule(data=st.data(), who=WHO)
    def include(self, data: st.DataObject, who: Actor) -> None:
        record = data.draw(st.sampled_from(self.records))
        was = self.row(record)["exclusion_reason"]
        if self.attempt(IncludeMonitoring(record, "looked at again"), who) is not None:
            assert was is not None
            assert self.row(record)["exclusion_reason"] is None

    @precondition(lambda self: self.records)
    @rule(data=st.data(), state=st.sampled_from(list(MonitoringState)), who=WHO)
    def set_state(self, data: st.DataObject, state: MonitoringState, who: Actor) -> None:
        record = data.draw(st.sampled_from(self.records))
        was = MonitoringState(self.row(record)["state"])
        if self.attempt(SetMonitoringState(record, state, "looked at"), who) is not None:
            assert state in MOVES[was]
            assert self.row(record)["state"] == state

    @rule(two_person=st.booleans())
    def settle(self, two_person: bool) -> None:
        self.attempt(SetMonitoringSettings(self.study, {"two_person": two_person}), PEOPLE[0])

    @rule(data=st.data(), who=WHO)
    def answer(self, data: st.DataObject, who: Actor) -> None:
        known = [row["id"] for row in self.current(alerts)]
        if known:
            self.attempt(AcknowledgeAlert(data.draw(st.sampled_from(known)), "seen"), who)

    # ------------------------------------------------------------ what must hold

    @invariant()
    def records_are_as_they_may_be(self) -> None:
        rows = {row["id"]: row for row in self.current(monitoring_records)}
        assert sorted(rows) == sorted(self.records)
        for row in rows.values():
            assert (row["verified_by"] is not None) == (row["state"] == MonitoringState.VERIFIED)
            assert row["verified_by"] != row["entered_by"]
            excluded = [row[name] is not None for name in ("exclusion_reason", "exclusion_scope", "excluded_by")]
            assert all(excluded) or not any(excluded)
            assert not (row["below_limit"] and row["concentration"] is not None)
            if row["retest_of"] is not None:
                first = rows[row["retest_of"]]
                same = ("molecule_id", "study_id", "subject_id", "analyte", "specimen")
                assert [row[name] for name in same] == [first[name] for name in same]

    @invariant()
    def the_database_counts_what_the_rule_counts(self) -> None:
        with self.centre.database.read() as connection:
            statement = select(monitoring_records.c.id).where(
                monitoring_records.c.until_act.is_(None), counted(monitoring_records)
            )
            found = set(connection.execute(statement).scalars())
        assert found == {row["id"] for row in self.current(monitoring_records) if counts(row)}

    @invariant()
    def versions_follow_one_another_and_stay_as_they_were(self) -> None:
        with self.centre.database.read() as connection:
            rows = connection.execute(select(monitoring_records).order_by(monitoring_records.c.version)).mappings()
            versions = [dict(row) for row in rows]
        last: Counter[int] = Counter()
        for row in versions:
            assert row["version"] == last[row["id"]] + 1
            last[row["id"]] += 1
            content = tuple(value for name, value in row.items() if name != "until_act")
            assert self.seen.setdefault((row["id"], row["version"]), content) == content

    @invariant()
    def a_matter_has_one_open_alert_at_most(self) -> None:
        opened = Counter(row["about"] for row in self.current(alerts) if row["acknowledged_at"] is None)
        assert max(opened.values(), default=0) <= 1

    @invariant()
    def a_concentration_above_the_cap_has_an_alert(self) -> None:
        subjects = {row["subject_id"] for row in self.current(alerts)}
        for row in self.current(monitoring_records):
            if counts(row) and (row["concentration"] or 0) > 100:
                assert row["subject_id"] in subjects

    @invariant()
    def a_sample_has_one_result_that_is_no_retest(self) -> None:
        rows = [r for r in self.current(monitoring_records) if r["retest_of"] is None and r["state"] in VALID]
        results = Counter(sample_key(row) for row in rows)
        del results[None]
        assert max(results.values(), default=0) <= 1

    # ------------------------------------------------------------ looking

    def current(self, table: Any) -> list[dict[str, Any]]:
        with self.centre.database.read() as connection:
            rows = connection.execute(select(table).where(table.c.until_act.is_(None)).order_by(table.c.id))
            return [dict(row) for row in rows.mappings()]

    def row(self, record: int) -> dict[str, Any]:
        return next(row for row in self.current(monitoring_records) if row["id"] == record)

    def numbers(self) -> tuple[int, int]:
        """Return the last act and how many row versions there are in all."""
        with self.centre.database.read() as connection:
            last, *counts = connection.execute(NUMBERS).one()
        return last, sum(counts)


LIVES = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=timedelta(seconds=60),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def test_on_sqlite(on_sqlite: OnSqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MonitoringLife, "made", on_sqlite, raising=False)
    run_state_machine_as_test(MonitoringLife, settings=LIVES)


def test_on_postgresql(on_postgresql: OnPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MonitoringLife, "made", on_postgresql, raising=False)
    run_state_machine_as_test(MonitoringLife, settings=LIVES)

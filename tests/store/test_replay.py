"""The present is what the acts add up to, and what was known at an earlier act never changes with a later one."""

import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import or_, select

from pipeline.errors import StaleVersion
from pipeline.store.chain import BOOKKEEPING
from pipeline.store.database import Database
from pipeline.store.journal import Act, Journal
from pipeline.store.migrations import upgrade
from pipeline.store.nodes import visible
from pipeline.store.reader import moment
from pipeline.store.selection import View
from pipeline.store.tables import RECORD_TABLES, acts, molecules, programmes, sites
from pipeline.store.verify import verify
from tests.support.history import LEAD, START, made_up_row, write_acts
from tests.support.writer import journal_in

State = dict[tuple[str, int], dict]


def bare(row) -> dict:
    return {str(name): value for name, value in row.items() if name not in BOOKKEEPING}


def replayed(database: Database, up_to: int | None = None) -> dict[int, State]:
    """Rebuild the state after each act from nothing but the row versions, act by act; the oracle."""
    state: State = {}
    states = {0: {}}
    with database.read() as connection:
        numbers = connection.execute(select(acts.c.number).order_by(acts.c.number)).scalars().all()
        rows = [(t.name, row) for t in RECORD_TABLES for row in connection.execute(select(t)).mappings()]
    for number in numbers:
        for name, row in rows:
            if row["until_act"] == number and row["since_act"] != number:
                assert state.pop((name, row["id"]))["version"] == row["version"]
        for name, row in rows:
            if row["since_act"] == number and row["until_act"] != number:
                assert (name, row["id"]) not in state
                state[name, row["id"]] = bare(row)
        states[number] = dict(state)
    return states


def present(database: Database) -> State:
    """Return the rows no act has closed."""
    with database.read() as connection:
        return {
            (t.name, row["id"]): bare(row)
            for t in RECORD_TABLES
            for row in connection.execute(select(t).where(t.c.until_act.is_(None))).mappings()
        }


def known_at(database: Database, number: int) -> State:
    """Return the rows the read path shows to who asks what was known at an act."""
    with database.read() as connection:
        return {
            (t.name, row["id"]): bare(row)
            for t in RECORD_TABLES
            for row in connection.execute(select(t).where(visible(t, View(known_at=number)))).mappings()
        }


def test_replaying_the_acts_gives_the_present_and_every_earlier_view(journal):
    list(write_acts(journal, Random(11), 12))
    before = {number: known_at(journal.database, number) for number in range(13)}
    states = replayed(journal.database)
    assert states[12] == present(journal.database)
    assert before == states
    list(write_acts(journal, Random(12), 8))
    assert {number: known_at(journal.database, number) for number in range(13)} == before
    assert replayed(journal.database)[20] == present(journal.database)


def test_a_moment_is_one_act_even_when_the_clock_stands_still_or_runs_back(journal):
    """Were two acts recorded at one moment, what was known then would change with the second."""

    def one(code: str, hours: int):
        row = made_up_row(molecules, Random(code))
        return journal.perform(
            "One", lambda act: {"id": act.add(molecules, row)}, actor=LEAD, now=START.replace(hour=hours)
        )

    recorded = [one("a", 12), one("b", 12), one("c", 3), one("d", 12), one("e", 13)]
    times = [act.recorded_at for act in recorded]
    assert times == sorted(set(times))
    assert times[0] == "2026-01-01T12:00:00.000000Z"
    assert times[2] == "2026-01-01T12:00:00.000002Z"
    assert times[4] == "2026-01-01T13:00:00.000000Z"
    with journal.database.read() as connection:
        assert [moment(connection, None, time).known_at for time in times] == [1, 2, 3, 4, 5]


class JournalLife(RuleBasedStateMachine):
    """Whatever is added, revised, closed, tried too late or given up, the acts add up, and the past stands still."""

    rows = Bundle("rows")
    tables = (molecules, programmes, sites)

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(f"sqlite:///{self.folder.name}/moltrail.db")
        upgrade(self.database)
        self.journal: Journal = journal_in(Path(self.folder.name), self.database)
        self.expected: State = {}
        self.views: dict[int, State] = {0: {}}
        self.seen: dict[tuple[str, int, int], dict] = {}

    def perform(self, write) -> None:
        try:
            number = self.journal.perform("Step", write, actor=LEAD, now=START).number
        except (StaleVersion, GivenUp):
            return
        self.views[number] = known_at(self.database, number)
        self.expected = self.views[number]

    @rule(target=rows, table=st.sampled_from(tables), seed=st.integers(0, 10**6))
    def add(self, table, seed):
        ids = []

        def write(act: Act):
            ids.append(act.add(table, made_up_row(table, Random(seed))))
            self.seen[table.name, ids[0], 1] = act.find(table, ids[0])
            return {"id": ids[0]}

        self.perform(write)
        return (table, ids[0])

    @rule(row=rows, version=st.integers(1, 3), seed=st.integers(0, 10**6), twice=st.booleans())
    def revise(self, row, version, seed, twice):
        table, id = row
        seen = self.seen.get((table.name, id, version))
        if seen is None:
            return

        def write(act: Act):
            version = act.revise(table, seen, made_up_row(table, Random(seed)))
            if twice:
                version = act.revise(table, act.find(table, id), made_up_row(table, Random(seed + 1)))
            self.seen[table.name, id, version] = act.find(table, id)
            return {"version": version}

        self.perform(write)

    @rule(row=rows, version=st.integers(1, 3))
    def close(self, row, version):
        table, id = row
        seen = self.seen.get((table.name, id, version))
        if seen is not None:
            self.perform(lambda act: act.close(table, seen) or {})

    @rule(table=st.sampled_from(tables), row=rows)
    def give_up(self, table, row):
        def write(act: Act):
            act.add(table, made_up_row(table, Random("given up")))
            for found in act.current(row[0], row[0].c.id == row[1]):
                act.close(row[0], found)
            raise GivenUp

        self.perform(write)

    @invariant()
    def the_acts_add_up(self):
        if not hasattr(self, "database"):
            return
        states = replayed(self.database)
        assert max(states) == len(states) - 1 == self.journal.last_number
        assert states[max(states)] == present(self.database) == self.expected
        assert self.views == states

    def teardown(self):
        if hasattr(self, "database"):
            assert verify(self.database, self.journal.key, self.journal.anchor).problems == []
            self.database.close()
            self.folder.cleanup()


class GivenUp(Exception):
    """Raised inside an act that is to leave nothing."""


TestJournalLife = JournalLife.TestCase
TestJournalLife.settings = settings(
    max_examples=6, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_every_row_version_belongs_to_acts_that_are_there(journal):
    list(write_acts(journal, Random(13), 10))
    with journal.database.read() as connection:
        numbers = set(connection.execute(select(acts.c.number)).scalars())
        for table in RECORD_TABLES:
            wrong = select(table.c.id).where(
                or_(table.c.since_act.not_in(numbers), table.c.until_act < table.c.since_act)
            )
            assert connection.execute(wrong).all() == [], table.name
            versions = connection.execute(
                select(table.c.id, table.c.version).order_by(table.c.id, table.c.version)
            ).all()
            for id in {row.id for row in versions}:
                found = [row.version for row in versions if row.id == id]
                assert found == list(range(1, len(found) + 1))


@pytest.mark.parametrize(
    ("column", "value"),
    [("molar_mass", "12"), ("molar_mass", True), ("code", 7), ("merged_into", True), ("pattern", "x")],
)
def test_a_value_of_another_kind_is_a_bug_on_both_engines(journal, column, value):
    """SQLite would convert it and PostgreSQL refuse it: then its digest would not fit when read again."""
    row = {"code": "C", "name": "C", "name_key": "c", "modality": "UNKNOWN"} | {column: value}
    with pytest.raises(TypeError, match=f"molecules.{column} holds "):
        journal.perform("Bug", lambda act: {"id": act.add(molecules, row)}, actor=LEAD, now=START)
    assert present(journal.database) == {}


def test_minus_zero_and_relatives_of_plain_types_are_kept_alike(journal):
    from numpy import float64, int64

    from pipeline.words import Modality

    row = {"code": "C", "name": "C", "name_key": "c", "modality": Modality.UNKNOWN, "molar_mass": -0.0}
    row |= {"merged_into": int64(7), "pattern": bytearray(b"ab")}
    for mass in (-0.0, float64(1 / 3), 5):
        content = row | {"molar_mass": mass, "code": f"C{mass}"}
        journal.perform("Kept", lambda act, c=content: {"id": act.add(molecules, c)}, actor=LEAD, now=START)
    assert [row["molar_mass"] for row in present(journal.database).values()] == [0.0, 1 / 3, 5.0]
    assert verify(journal.database, journal.key, journal.anchor).problems == []

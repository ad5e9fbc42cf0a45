"""Which monitoring records count, asked of a row and asked of the database."""

from itertools import product

import pytest
from sqlalchemy import select

from pipeline.store.counted import counted, counts
from pipeline.store.database import Database
from pipeline.store.journal import Journal
from pipeline.store.study_tables import monitoring_records
from pipeline.words import ExclusionScope, MonitoringState
from tests.support.history import LEAD, START

STATES = [state.value for state in MonitoringState]
SCOPES = [None, *(scope.value for scope in ExclusionScope)]


@pytest.mark.parametrize(
    ("state", "scope", "calculated", "summed_up"),
    [
        ("REGISTERED", None, True, True),
        ("VERIFIED", None, True, True),
        ("RETRACTED", None, False, False),
        ("REJECTED", None, False, False),
        ("VERIFIED", "SUMMARIES", True, False),
        ("VERIFIED", "CALCULATION", False, False),
        ("REJECTED", "SUMMARIES", False, False),
    ],
)
def test_the_rule(state, scope, calculated, summed_up):
    row = {"state": state, "exclusion_scope": scope}
    assert counts(row) is calculated
    assert counts(row, ExclusionScope.SUMMARIES) is summed_up


def test_the_database_is_asked_the_same(database: Database, journal: Journal):
    rows = list(product(STATES, SCOPES))
    columns = ("molecule_id", "study_id", "analyte", "specimen", "sorted_on", "below_limit", "entered_by")

    def write(act):
        act.add_all(
            monitoring_records,
            (*columns, "state", "exclusion_scope"),
            [(1, 1, "A", "PLASMA", "", False, "somebody", state, scope) for state, scope in rows],
        )
        return {}

    journal.perform("Test", write, actor=LEAD, now=START)
    for use in ExclusionScope:
        statement = select(monitoring_records.c.state, monitoring_records.c.exclusion_scope)
        with database.read() as connection:
            found = connection.execute(statement.where(counted(monitoring_records, use))).all()
        wanted = [row for row in rows if counts({"state": row[0], "exclusion_scope": row[1]}, use)]
        assert sorted(map(repr, found)) == sorted(map(repr, wanted))

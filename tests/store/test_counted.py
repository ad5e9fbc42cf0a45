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
NAMES = ("state", "exclusion_reason", "exclusion_scope")
EXCLUSIONS = [(None, None), ("drawn late", None), *(("drawn late", scope.value) for scope in ExclusionScope)]


@pytest.mark.parametrize(
    ("state", "reason", "scope", "calculated", "summed_up"),
    [
        ("REGISTERED", None, None, True, True),
        ("VERIFIED", None, None, True, True),
        ("RETRACTED", None, None, False, False),
        ("REJECTED", None, None, False, False),
        ("VERIFIED", "drawn late", "SUMMARIES", True, False),
        ("VERIFIED", "drawn late", "CALCULATION", False, False),
        ("VERIFIED", "left out by the source", None, False, False),
        ("REJECTED", "drawn late", "SUMMARIES", False, False),
    ],
)
def test_the_rule(state, reason, scope, calculated, summed_up):
    row = {"state": state, "exclusion_reason": reason, "exclusion_scope": scope}
    assert counts(row) is calculated
    assert counts(row, ExclusionScope.SUMMARIES) is summed_up


def test_the_database_is_asked_the_same(database: Database, journal: Journal):
    rows = [(state, *exclusion) for state, exclusion in product(STATES, EXCLUSIONS)]
    columns = ("molecule_id", "study_id", "analyte", "specimen", "sorted_on", "below_limit", "entered_by")

    def write(act):
        act.add_all(
            monitoring_records,
            (*columns, *NAMES),
            [(1, 1, "A", "PLASMA", "", False, "somebody", *row) for row in rows],
        )
        return {}

    journal.perform("Test", write, actor=LEAD, now=START)
    for use in ExclusionScope:
        statement = select(*(monitoring_records.c[name] for name in NAMES))
        with database.read() as connection:
            found = connection.execute(statement.where(counted(monitoring_records, use))).all()
        wanted = [row for row in rows if counts(dict(zip(NAMES, row, strict=True)), use)]
        assert sorted(map(repr, found)) == sorted(map(repr, wanted))

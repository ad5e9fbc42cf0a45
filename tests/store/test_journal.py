"""The journal: versions, stale writers, idempotency; and the walk that finds what was altered behind its back."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from pipeline.access import Actor, Role
from pipeline.errors import IdempotencyMismatch, InputError, StaleVersion
from pipeline.store.journal import Act, Journal
from pipeline.store.tables import acts, molecules
from pipeline.store.verify import verify

LEAD = Actor.of("A. Lead", Role.LEAD)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_molecule(act: Act, code: str = "IUCT-0001", mass: float | None = 312) -> int:
    return act.add(molecules, {"code": code, "name": code, "name_key": code, "modality": "UNKNOWN", "molar_mass": mass})


def perform(journal: Journal, write, **more):
    return journal.perform("Test", write, actor=LEAD, now=NOON, **more)


def test_an_act_and_its_rows_are_sealed_and_verified(journal: Journal):
    recorded = perform(journal, lambda act: {"molecule": a_molecule(act)})
    assert (recorded.number, recorded.result, recorded.repeated) == (1, {"molecule": 1}, False)
    report = verify(journal.database, journal.key, journal.anchor)
    assert (report.problems, report.acts, report.rows) == ([], 1, 1)


def test_a_revision_closes_what_was_seen_and_a_late_writer_is_told(journal: Journal):
    perform(journal, lambda act: {"molecule": a_molecule(act)})
    seen = {}

    def rename(act: Act):
        seen.update(act.find(molecules, 1))
        return {"version": act.revise(molecules, seen, {"name": "Renamed"})}

    assert perform(journal, rename).result == {"version": 2}
    with pytest.raises(StaleVersion) as stale:
        perform(journal, lambda act: {"version": act.revise(molecules, seen, {"name": "Late"})})
    assert stale.value.current == 2
    with journal.database.read() as connection:
        rows = connection.execute(
            select(molecules.c.version, molecules.c.name, molecules.c.since_act, molecules.c.until_act).order_by(
                molecules.c.version
            )
        ).all()
        assert [tuple(row) for row in rows] == [(1, "IUCT-0001", 1, 2), (2, "Renamed", 2, None)]
        assert connection.execute(select(func.count()).select_from(acts)).scalar() == 2
    assert verify(journal.database, journal.key, journal.anchor).problems == []


def test_the_same_key_answers_the_first_answer_and_refuses_another_content(journal: Journal):
    first = perform(journal, lambda act: {"molecule": a_molecule(act)}, idempotency_key="k", fingerprint="f")
    again = perform(journal, lambda act: {"molecule": a_molecule(act)}, idempotency_key="k", fingerprint="f")
    assert (again.result, again.number, again.repeated) == (first.result, 1, True)
    with pytest.raises(IdempotencyMismatch):
        perform(journal, lambda act: {"molecule": a_molecule(act)}, idempotency_key="k", fingerprint="g")


@pytest.mark.parametrize("bad", [{"name": "a\0b"}, {"molar_mass": float("nan")}, {"molar_mass": float("inf")}])
def test_what_cannot_be_kept_alike_everywhere_is_refused_and_nothing_is_written(journal: Journal, bad):
    row = {"code": "C", "name": "C", "name_key": "c", "modality": "UNKNOWN", "molar_mass": None} | bad
    with pytest.raises(InputError):
        perform(journal, lambda act: {"molecule": act.add(molecules, row)})
    with journal.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(molecules)).scalar() == 0
        assert connection.execute(select(func.count()).select_from(acts)).scalar() == 0


def test_many_rows_in_one_act(journal: Journal):
    columns = ("code", "name", "name_key", "modality", "molar_mass")
    rows = [(f"C{n}", "é\\u0000\t", "n", "UNKNOWN", n / 3) for n in range(500)]
    recorded = perform(journal, lambda act: {"first": act.add_all(molecules, columns, rows).start})
    assert recorded.result == {"first": 1}
    report = verify(journal.database, journal.key, journal.anchor)
    assert (report.problems, report.rows) == ([], 500)
    with journal.database.read() as connection:
        found = connection.execute(select(molecules.c.molar_mass).order_by(molecules.c.id)).scalars().all()
    assert found == [n / 3 for n in range(500)]

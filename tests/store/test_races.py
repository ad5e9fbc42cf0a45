"""Sixteen clients at once: one winner per version, one effect per key, acts numbered without gaps and seen in order.

MOLTRAIL_RACES sets how many rounds are run.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import func, select

from pipeline.access import Actor, Role
from pipeline.commands.molecules import RegisterMolecule
from pipeline.commands.programmes import MoveProgramme, OpenProgramme
from pipeline.errors import PipelineError, StaleVersion
from pipeline.store.database import Database
from pipeline.store.journal import Journal
from pipeline.store.tables import acts, molecules, programmes, transitions
from pipeline.store.verify import verify
from pipeline.words import AttritionReason, Modality, MoveKind
from tests.support.writer import journal_in

CLIENTS = 16
ROUNDS = int(os.environ.get("MOLTRAIL_RACES", "6"))
LEAD = Actor.of("A. Lead", Role.LEAD)


def all_at_once(task, clients: int = CLIENTS) -> list:
    """Start all clients at one moment; return what each got, answers and refusals."""
    start = threading.Barrier(clients)

    def client(number: int):
        start.wait()
        try:
            return task(number)
        except PipelineError as refusal:
            return refusal

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(client, range(clients)))


def test_of_sixteen_clients_on_one_version_exactly_one_wins(centre):
    molecule = centre.execute(RegisterMolecule(code="R-1", name="R-1", modality=Modality.UNKNOWN), actor=LEAD).result
    opened = centre.execute(OpenProgramme(molecule["molecule"], "breast cancer"), actor=LEAD).result["programme"]
    before = centre.journal.last_number
    version = 1
    for number in range(ROUNDS):
        kind = MoveKind.HOLD if number % 2 == 0 else MoveKind.RESUME
        reason = AttritionReason.ACCRUAL if kind is MoveKind.HOLD else None
        command = MoveProgramme(opened, kind, expected_version=version, reason=reason, reason_verbatim="a race")
        got = all_at_once(lambda _, command=command: centre.execute(command, actor=LEAD))
        refused = [answer for answer in got if isinstance(answer, Exception)]
        assert [type(refusal) for refusal in refused] == [StaleVersion] * (CLIENTS - 1), refused[0]
        assert {refusal.current for refusal in refused} == {version + 1}
        (winner,) = (answer for answer in got if not isinstance(answer, Exception))
        assert winner.result["version"] == version + 1
        version += 1
    with centre.database.read() as connection:
        versions = select(programmes.c.version).where(programmes.c.id == opened).order_by(programmes.c.version)
        assert connection.execute(versions).scalars().all() == list(range(1, ROUNDS + 2))
        moves = select(func.count()).select_from(transitions).where(transitions.c.programme_id == opened)
        assert connection.execute(moves).scalar() == ROUNDS + 1
    assert centre.journal.last_number == before + ROUNDS
    assert centre.verify().problems == []
    print(f"{ROUNDS} races of {CLIENTS} clients, one winner each")


def test_sixteen_clients_with_one_key_have_one_effect_and_the_same_answer(centre):
    for number in range(ROUNDS):
        command = RegisterMolecule(code=f"K-{number}", name=f"K-{number}", modality=Modality.UNKNOWN)
        key = f"key {number}"
        before = centre.verify().acts
        got = all_at_once(lambda _, c=command, k=key: centre.execute(c, actor=LEAD, idempotency_key=k))
        assert {(answer.number, str(answer.result)) for answer in got} == {(before + 1, str(got[0].result))}
        assert sorted(answer.repeated for answer in got) == [False] + [True] * (CLIENTS - 1)
        assert centre.journal.last_number == before + 1
    with centre.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(molecules)).scalar() == ROUNDS
    assert centre.verify().problems == []


def test_acts_of_many_writers_have_no_gaps_and_a_follower_misses_none(database, tmp_path):
    """Two databases on one PostgreSQL stand for two processes; on SQLite there is one, with many threads."""
    writers = [journal_in(tmp_path, database)]
    others = []
    if not database.is_sqlite:
        others.append(Database(database.url.render_as_string(hide_password=False)))
        writers.append(journal_in(tmp_path, others[0]))
    each = 6
    total = CLIENTS * each
    seen: list[int] = []
    missed = threading.Event()

    def follow() -> None:
        """Ask for what came after the last act seen, until all are there."""
        while len(seen) < total and not missed.is_set():
            with database.read() as connection:
                after = select(acts.c.number).where(acts.c.number > (seen[-1] if seen else 0)).order_by(acts.c.number)
                seen.extend(connection.execute(after).scalars())

    def write(number: int) -> list[int]:
        journal = writers[number % len(writers)]
        return [one_act(journal, f"{number}-{n}") for n in range(each)]

    follower = threading.Thread(target=follow)
    follower.start()
    try:
        got = all_at_once(write)
        follower.join(30)
    finally:
        missed.set()
        follower.join()
        for other in others:
            other.close()
    numbers = [number for answer in got for number in answer]
    assert sorted(numbers) == list(range(1, total + 1))
    assert seen == list(range(1, total + 1))
    journal = journal_in(tmp_path, database)
    assert verify(database, journal.key, journal.anchor).problems == []
    assert journal.anchor.read().last == total


def one_act(journal: Journal, code: str) -> int:
    row = {"code": code, "name": code, "name_key": code, "modality": "UNKNOWN"}
    return journal.perform(
        "Register", lambda act: {"molecule": act.add(molecules, row)}, actor=LEAD, now=datetime.now(UTC)
    ).number

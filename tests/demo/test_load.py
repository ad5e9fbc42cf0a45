"""The demonstration loads once, goes on when interrupted, and leaves a centre's own record alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

import pipeline.demo
from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM, Centre
from pipeline.commands.graphs import AdoptStateGraph
from pipeline.commands.molecules import RegisterMolecule
from pipeline.commands.tokens import CreateToken, hash_of, new_token
from pipeline.demo import REASON, STEPS, State, load, load_once, state_of
from pipeline.errors import Conflict
from pipeline.exchange.formats import read_files
from pipeline.store.tables import RECORD_TABLES, acts, molecules, source_files
from pipeline.words import Modality
from tests.support.new_centre import OnSqlite

LEAD = Actor.of("A. Lead", Role.LEAD)
Loaded = tuple[dict[str, int], list[tuple[str, str | None, str]]]


def counts(centre: Centre) -> dict[str, int]:
    """Return how many present rows each table holds."""
    with centre.database.read() as connection:
        return {
            table.name: connection.execute(
                select(func.count()).select_from(table).where(table.c.until_act.is_(None))
            ).scalar_one()
            for table in RECORD_TABLES
        }


def signed(centre: Centre) -> list[tuple[str, str | None, str]]:
    """Return (command, reason, actor) of every act after the first, which adopts the state graph."""
    with centre.database.read() as connection:
        rows = connection.execute(select(acts.c.command, acts.c.reason, acts.c.actor).order_by(acts.c.number)).all()
    return [tuple(row) for row in rows[1:]]


def test_an_empty_record_is_filled_once(centre: Centre) -> None:
    said: list[str] = []
    assert state_of(centre) is State.EMPTY
    load_once(centre, said.append)
    assert state_of(centre) is State.LOADED
    assert len(said) == 1 + len(STEPS)
    assert signed(centre) == [("ImportFiles", REASON, SYSTEM.name)] * len(STEPS)
    filled = counts(centre)
    assert {name: filled[name] for name in ("molecules", "programmes", "studies", "study_stops", "review_items")} == {
        "molecules": 69,
        "programmes": 16,
        "studies": 218,
        "study_stops": 182,
        "review_items": 1,
    }
    assert {name: filled[name] for name in ("subjects", "monitoring_records", "findings", "adverse_events")} == {
        "subjects": 28,
        "monitoring_records": 318,
        "findings": 16,
        "adverse_events": 5,
    }
    assert centre.verify().intact

    said.clear()
    load_once(centre, said.append)
    assert load(centre) == []
    assert said == []
    assert counts(centre) == filled
    assert len(signed(centre)) == len(STEPS)


@pytest.fixture(scope="module")
def whole(on_sqlite: OnSqlite, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """What a load leaves that nothing interrupted."""
    place = on_sqlite.put(tmp_path_factory.mktemp("whole"))
    with Centre.open(place.folder) as centre:
        load(centre)
        return counts(centre), signed(centre)


@pytest.mark.parametrize("done", range(len(STEPS)))
@pytest.mark.parametrize("how", [KeyboardInterrupt, OSError])
def test_an_interrupted_load_goes_on(
    on_sqlite: OnSqlite,
    whole: Loaded,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    done: int,
    how: type[BaseException],
) -> None:
    broken = on_sqlite.put(tmp_path / "broken").folder
    left = [done - 1]  # the first step reads by itself

    def reading(*arguments: Any) -> Any:
        if left[0] == 0:
            raise how
        left[0] -= 1
        return read_files(*arguments)

    if done == 0:
        monkeypatch.setattr(pipeline.demo, "read_molecules", lambda *_file: (_ for _ in ()).throw(how()))
    else:
        monkeypatch.setattr("pipeline.demo.read_files", reading)
    with Centre.open(broken) as centre, pytest.raises(how):
        load_once(centre, lambda _line: None)
    monkeypatch.undo()
    with Centre.open(broken) as centre:
        assert len(signed(centre)) == done
        assert state_of(centre) is (State.PARTIAL if done else State.EMPTY)
        load_once(centre, lambda _line: None)
        assert state_of(centre) is State.LOADED
        assert (counts(centre), signed(centre)) == whole


def test_every_molecule_leads_back_to_its_file(centre: Centre) -> None:
    load(centre)
    statement = select(molecules.c.name, source_files.c.name).outerjoin(
        source_files, source_files.c.id == molecules.c.source_file
    )
    with centre.database.read() as connection:
        found = {row[0]: row[1] for row in connection.execute(statement)}
    assert None not in found.values()
    assert found["erlotinib"] == "molecules.csv"
    assert found["131I-omburtamab"] == "portfolio.csv"
    assert found["afatinib"] == "drug.csv"


def test_a_load_cut_off_after_its_commit_writes_nothing_twice(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of a step is lost, but not its act: repeating the step under its key answers again."""
    load(centre)
    before = counts(centre)
    monkeypatch.setattr(pipeline.demo, "state_of", lambda _centre: State.PARTIAL)
    load(centre)
    assert counts(centre) == before
    assert len(signed(centre)) == len(STEPS)


def test_a_record_with_molecules_of_its_own_is_left_alone(centre: Centre) -> None:
    centre.execute(RegisterMolecule("IUCT-0001", "Examplinib", Modality.SMALL_MOLECULE), actor=LEAD)
    before = signed(centre)
    load_once(centre, pytest.fail)
    assert signed(centre) == before
    assert state_of(centre) is State.OTHER
    with pytest.raises(Conflict, match="--data demo demo load"):
        load(centre)
    assert signed(centre) == before


def test_what_a_centre_adds_to_the_demonstration_is_left_alone(centre: Centre) -> None:
    load(centre)
    centre.execute(RegisterMolecule("IUCT-0001", "Examplinib", Modality.SMALL_MOLECULE), actor=LEAD)
    before = signed(centre)
    load_once(centre, pytest.fail)
    assert signed(centre) == before


def test_an_interrupted_load_that_was_worked_on_is_not_continued(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.demo, "STEPS", STEPS[:2])
    load(centre)
    monkeypatch.undo()
    centre.execute(RegisterMolecule("IUCT-0001", "Examplinib", Modality.SMALL_MOLECULE), actor=LEAD)
    load_once(centre, pytest.fail)
    assert len(signed(centre)) == 3


def test_tokens_and_graphs_do_not_count_as_records(centre: Centre) -> None:
    admin = Actor.of("operator", Role.ADMIN)
    centre.execute(CreateToken("A. Lead", (Role.LEAD,), hash_of(new_token())), actor=admin)
    text = (Path(pipeline.demo.__file__).parents[1] / "stages" / "default.toml").read_text(encoding="utf-8")
    centre.execute(AdoptStateGraph(text), actor=admin)
    assert state_of(centre) is State.EMPTY
    load_once(centre, lambda _line: None)
    assert state_of(centre) is State.LOADED


def test_somebody_else_cannot_pass_for_the_demonstration(centre: Centre) -> None:
    step = STEPS[0]
    centre.execute(
        RegisterMolecule("IUCT-0001", "Examplinib", Modality.SMALL_MOLECULE),
        actor=LEAD,
        idempotency_key=f"demonstration/{step.title}/0",
    )
    assert state_of(centre) is State.OTHER

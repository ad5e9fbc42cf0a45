"""Whatever is tried, in whatever order, on either engine: a history is a path of the graph, refusals write nothing,
what was known earlier stays as it was, and replaying the acts gives the present rows."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from pipeline.access import Actor, Role
from pipeline.centre import Centre
from pipeline.commands.checkpoints import RecordCheckpoint
from pipeline.commands.molecules import MergeMolecules, RegisterMolecule
from pipeline.commands.programmes import MoveProgramme, OpenProgramme, as_moved
from pipeline.dates import PartialDate
from pipeline.errors import PipelineError
from pipeline.stages.graph import default_graph
from pipeline.stages.rules import replay
from pipeline.store.nodes import visible
from pipeline.store.questions import histories
from pipeline.store.selection import View
from pipeline.store.tables import RECORD_TABLES, acts, programmes, transitions
from pipeline.words import AttritionReason, Modality, MoveKind, Verdict
from tests.support.new_centre import OnPostgres, OnSqlite

LEAD = Actor.of("A. Lead", Role.LEAD)
GRAPH = default_graph()
STAGES = [stage.code for stage in GRAPH.stages]
DAYS = st.dates(date(2010, 1, 1), date(2030, 1, 1))
DATES = st.one_of(
    st.none(),
    DAYS.map(lambda day: PartialDate.parse(day.isoformat())),
    DAYS.map(lambda day: PartialDate.parse(day.isoformat()[:7])),
    DAYS.map(lambda day: PartialDate.parse(str(day.year))),
)

NUMBERS = select(
    select(func.max(acts.c.number)).scalar_subquery(),
    *(select(func.count()).select_from(table).scalar_subquery() for table in RECORD_TABLES),
)


class ProgrammeLife(RuleBasedStateMachine):
    """Molecules and programmes of one centre, with everything a lead may try."""

    made: ClassVar[OnSqlite | OnPostgres]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        place = self.stack.enter_context(self.made.centre(folder))
        self.centre = self.stack.enter_context(Centre.open(place.folder, place.url))
        self.seen: dict[int, Any] = {}
        self.molecules: list[int] = []
        self.programmes: list[int] = []

    def teardown(self) -> None:
        report = self.centre.verify()
        assert report.problems == []
        self.stack.close()

    # ------------------------------------------------------------ what can be tried

    def attempt(self, command: Any) -> dict[str, Any] | None:
        """Do a command; a refusal must have written nothing."""
        before = self.numbers()
        try:
            return self.centre.execute(command, actor=LEAD).result
        except PipelineError:
            assert self.numbers() == before
            return None

    @rule(number=st.integers(1, 4), indication=st.sampled_from([None, "Breast", "Liver"]))
    def register(self, number: int, indication: str | None) -> None:
        command = RegisterMolecule(f"M-{number}", f"Molecule {number}", Modality.UNKNOWN, indication=indication)
        result = self.attempt(command)
        if result is not None:
            self.molecules.append(result["molecule"])
            self.programmes.append(result["programme"])

    @precondition(lambda self: self.programmes)
    @rule(data=st.data(), indication=st.sampled_from(["Breast", "Liver", "Lung"]), branch=st.booleans())
    def open(self, data: st.DataObject, indication: str, branch: bool) -> None:
        molecule = data.draw(st.sampled_from(self.molecules))
        trunk = data.draw(st.sampled_from(self.programmes)) if branch else None
        result = self.attempt(OpenProgramme(molecule, indication, branch_from=trunk))
        if result is not None:
            self.programmes.append(result["programme"])

    @precondition(lambda self: self.programmes)
    @rule(data=st.data(), verdict=st.sampled_from(list(Verdict)))
    def decide(self, data: st.DataObject, verdict: Verdict) -> None:
        programme = data.draw(st.sampled_from(self.programmes))
        stage = self.row(programme)["stage"]
        wanted = sorted({code for edge in GRAPH.edges_from(stage) for code in edge.requires}) or ["NONE"]
        self.attempt(RecordCheckpoint(programme, data.draw(st.sampled_from(wanted)), verdict, "as decided"))

    @precondition(lambda self: self.programmes)
    @rule(data=st.data())
    def pass_everything(self, data: st.DataObject) -> None:
        """Let one advance pass, so that programmes get far."""
        programme = data.draw(st.sampled_from(self.programmes))
        row = self.row(programme)
        edges = GRAPH.advances_from(row["stage"])
        if edges:
            edge = data.draw(st.sampled_from(edges))
            for code in edge.requires:
                self.attempt(RecordCheckpoint(programme, code, Verdict.GO, "as decided"))
            self.attempt(MoveProgramme(programme, MoveKind.ADVANCE, row["version"], to=edge.target))

    @precondition(lambda self: self.programmes)
    @rule(
        data=st.data(),
        kind=st.sampled_from(list(MoveKind)),
        to=st.one_of(st.none(), st.sampled_from([*STAGES, "PHASE_9"])),
        reason=st.one_of(st.none(), st.sampled_from(list(AttritionReason))),
        occurred_on=DATES,
        late=st.booleans(),
    )
    def move(self, data: st.DataObject, kind: MoveKind, to: Any, reason: Any, occurred_on: Any, late: bool) -> None:
        programme = data.draw(st.sampled_from(self.programmes))
        version = self.row(programme)["version"] - late
        self.attempt(MoveProgramme(programme, kind, version, to=to, reason=reason, occurred_on=occurred_on))

    @precondition(lambda self: len(self.molecules) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        keep, merge = data.draw(st.sampled_from(self.molecules)), data.draw(st.sampled_from(self.molecules))
        self.attempt(MergeMolecules(keep, merge, "the same compound"))

    # ------------------------------------------------------------ what must hold

    @invariant()
    def histories_are_paths_of_the_graph(self) -> None:
        with self.centre.database.read() as connection:
            past = histories(connection, self.programmes, View())
        for programme, rows in past.items():
            moves = [as_moved(row) for row in rows]
            position = replay(moves)
            row = self.row(programme)
            assert position is not None
            assert (position.stage, position.status) == (row["stage"], row["status"])
            assert [r["position"] for r in rows] == list(range(1, len(rows) + 1))
            for move in moves[1:]:
                assert move.from_stage is not None
                assert GRAPH.edge(move.kind, move.from_stage, move.to_stage) is not None

    @invariant()
    def what_was_known_earlier_stays(self) -> None:
        """Every view ever taken is taken again after the next acts: only the newest may be new."""
        head = self.numbers()[0]
        if head not in self.seen:
            self.seen[head] = self.snapshot(head)
        for number in sorted(self.seen)[-3:]:
            assert self.snapshot(number) == self.seen[number]

    @invariant()
    def the_acts_replayed_give_the_present(self) -> None:
        """Opening and closing row versions act by act leaves what the tables call current."""
        with self.centre.database.read() as connection:
            for table in (programmes, transitions):
                rows = connection.execute(select(table)).mappings().all()
                present: dict[int, int] = {}
                for number in range(1, self.numbers()[0] + 1):
                    for row in rows:
                        if row["until_act"] == number:
                            assert present.pop(row["id"]) == row["version"]
                    for row in rows:
                        if row["since_act"] == number:
                            assert row["id"] not in present
                            present[row["id"]] = row["version"]
                assert present == {row["id"]: row["version"] for row in rows if row["until_act"] is None}

    # ------------------------------------------------------------ looking

    def row(self, programme: int) -> Any:
        with self.centre.database.read() as connection:
            found = connection.execute(
                select(programmes).where(programmes.c.id == programme, programmes.c.until_act.is_(None))
            )
            return found.mappings().one()

    def numbers(self) -> tuple[int, int]:
        """Return the last act and how many row versions there are in all."""
        with self.centre.database.read() as connection:
            last, *counts = connection.execute(NUMBERS).one()
        return last, sum(counts)

    def snapshot(self, number: int) -> Any:
        """Return all programmes and transitions as known at an act."""
        view = View(known_at=number)
        with self.centre.database.read() as connection:
            return [
                [tuple(row) for row in connection.execute(_content(table).where(visible(table, view)))]
                for table in (programmes, transitions)
            ]


def _content(table: Any) -> Any:
    columns = [column for column in table.columns if column.name != "until_act"]
    return select(*columns).order_by(table.c.id, table.c.version)


LIVES = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=timedelta(seconds=60),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def test_on_sqlite(on_sqlite: OnSqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProgrammeLife, "made", on_sqlite, raising=False)
    run_state_machine_as_test(ProgrammeLife, settings=LIVES)


def test_on_postgresql(on_postgresql: OnPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProgrammeLife, "made", on_postgresql, raising=False)
    run_state_machine_as_test(ProgrammeLife, settings=LIVES)

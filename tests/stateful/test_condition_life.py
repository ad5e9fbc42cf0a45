"""Whatever is decided and settled, in whatever order and on whatever day, on either engine: an advance is open exactly
while the last decision on each rule passes and no condition of it is overdue, and what was settled stays as it was."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from pipeline.access import Actor, Role
from pipeline.centre import Centre
from pipeline.commands import execute
from pipeline.commands.checkpoints import RecordCheckpoint
from pipeline.commands.conditions import SettleCondition
from pipeline.commands.molecules import RegisterMolecule
from pipeline.errors import PipelineError
from pipeline.stages.checkpoints import PASSING
from pipeline.stages.rules import Position, possible_moves
from pipeline.store.checkpoint_tables import checkpoint_conditions
from pipeline.store.questions import overdue_conditions, verdicts_in_force
from pipeline.store.selection import View
from pipeline.store.tables import programmes
from pipeline.words import Modality, MoveKind, Status, Verdict
from tests.support.new_centre import OnPostgres, OnSqlite

RULES = ("ANTITUMOUR_ACTIVITY", "PDX_RESPONSE")
ANA, BEN = (Actor.of(name, Role.LEAD) for name in ("Ana", "Ben"))
BEGUN = datetime(2100, 1, 1, 12, tzinfo=UTC)
"""After any act of a new centre: what is recorded never lies before what was."""


@dataclass
class Agreed:
    """A condition, as it should stand: due so many days after the beginning, settled or not."""

    rule: str
    owner: str
    due: int
    open: bool = True


class ConditionLife(RuleBasedStateMachine):
    """One programme at its first stage."""

    made: ClassVar[OnSqlite | OnPostgres]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        place = self.stack.enter_context(
            self.made.centre(Path(self.stack.enter_context(tempfile.TemporaryDirectory())))
        )
        self.centre = self.stack.enter_context(Centre.open(place.folder, place.url))
        self.day = 0
        self.decided: dict[str, Verdict] = {}
        self.agreed: list[Agreed] = []
        self.do(RegisterMolecule(code="C-1", name="Testib", modality=Modality.SMALL_MOLECULE))

    def teardown(self) -> None:
        assert self.centre.verify().problems == []
        self.stack.close()

    def do(self, command: object, actor: Actor = ANA) -> None:
        execute(self.centre.journal, command, actor=actor, now=BEGUN + timedelta(days=self.day))

    @rule(days=st.integers(1, 5))
    def time_goes_by(self, days: int) -> None:
        self.day += days

    @rule(
        code=st.sampled_from(RULES),
        verdict=st.sampled_from([Verdict.GO, Verdict.CONDITIONAL_GO, Verdict.NO_GO]),
        due=st.lists(st.tuples(st.integers(-2, 6), st.sampled_from(["Ana", "ben", "Dr Roche"])), max_size=2),
    )
    def decide(self, code: str, verdict: Verdict, due: list[tuple[int, str]]) -> None:
        days = [(BEGUN + timedelta(days=self.day + after)).date() for after, _ in due]
        lines = "\n".join(f"show it | {owner} | {day}" for (_, owner), day in zip(due, days, strict=True))
        allowed = (verdict is Verdict.CONDITIONAL_GO or not due) and all(after >= 0 for after, _ in due)
        try:
            self.do(RecordCheckpoint(1, code, verdict, "board", conditions=lines))
        except PipelineError:
            assert not allowed
            return
        assert allowed
        self.decided[code] = verdict
        for each in self.agreed:
            each.open = each.open and each.rule != code
        self.agreed += [Agreed(code, owner, self.day + after) for after, owner in due]

    @rule(which=st.integers(0, 9), met=st.booleans(), who=st.sampled_from([ANA, BEN]))
    def settle(self, which: int, met: bool, who: Actor) -> None:
        there = which < len(self.agreed)
        allowed = there and self.agreed[which].open and self.agreed[which].owner.lower() != who.name.lower()
        try:
            self.do(SettleCondition(which + 1, met, "report"), who)
        except PipelineError:
            assert not allowed
            return
        assert allowed
        self.agreed[which].open = False

    @invariant()
    def the_way_is_open_exactly_while_nothing_stands_against_it(self) -> None:
        today = str((BEGUN + timedelta(days=self.day)).date())
        with self.centre.read(ANA) as reader:
            row = reader.connection.execute(programmes.select()).mappings().one()
            moves = possible_moves(
                reader.graph(row["graph_id"]),
                Position(row["stage"], Status(row["status"])),
                verdicts_in_force(reader.connection, [1], View())[1],
                overdue=overdue_conditions(reader.connection, [1], View(), today)[1],
            )
            table = checkpoint_conditions
            standing = reader.connection.execute(
                table.select().where(table.c.until_act.is_(None)).order_by(table.c.id)
            ).mappings()
            assert [row["outcome"] is None for row in standing] == [each.open for each in self.agreed]
        overdue = any(each.open and each.due < self.day for each in self.agreed)
        passed = all(self.decided.get(code) in PASSING for code in RULES)
        assert {move.allowed for move in moves if move.kind is MoveKind.ADVANCE} == {passed and not overdue}
        assert all(move.allowed for move in moves if move.kind is MoveKind.HOLD)


LIVES = settings(max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_on_sqlite(on_sqlite: OnSqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConditionLife, "made", on_sqlite, raising=False)
    run_state_machine_as_test(ConditionLife, settings=LIVES)


def test_on_postgresql(on_postgresql: OnPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConditionLife, "made", on_postgresql, raising=False)
    run_state_machine_as_test(ConditionLife, settings=LIVES)

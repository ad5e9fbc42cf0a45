"""The rule book of moves: one small table per rule, over the default graph."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from pipeline.dates import PartialDate
from pipeline.errors import CheckpointNotMet, InputError
from pipeline.stages.graph import default_graph
from pipeline.stages.rules import (
    Moved,
    MoveRequest,
    Position,
    correct,
    decide_move,
    enter,
    infer_path,
    possible_moves,
    replay,
)
from pipeline.words import AttritionReason, MoveKind, Status, Verdict

GRAPH = default_graph()
TODAY = date(2024, 5, 17)
ALL_GO = dict.fromkeys(GRAPH.rules, Verdict.GO)
ADVANCE, HOLD, RESUME, DISCONTINUE, RESTART, CORRECT, COMPLETE = MoveKind
ACTIVE, ON_HOLD, STALLED, DISCONTINUED, COMPLETED = Status


def on(text: str) -> PartialDate:
    return PartialDate.parse(text)


def at(stage: str, status: Status = ACTIVE, when: str = "2020-03-01") -> list[Moved]:
    """A history that stands at a stage with a status: entered live there, then whatever the status takes."""
    history = [Moved(ADVANCE, None, stage, None, GRAPH.stage(stage).entry_status, on(when))]
    kind = {ON_HOLD: HOLD, STALLED: HOLD, DISCONTINUED: DISCONTINUE, COMPLETED: COMPLETE}.get(status)
    if kind is not None and history[0].to_status is not status:
        history.append(Moved(kind, stage, stage, ACTIVE, status, on(when)))
    return history


def ask(
    kind: MoveKind,
    to: str | None = None,
    when: str | None = None,
    reason: AttritionReason | None = AttritionReason.FUNDING,
) -> MoveRequest:
    return MoveRequest(kind, to, reason, None, None if when is None else on(when))


def decided(history: list[Moved], request: MoveRequest, verdicts: dict[str, Verdict | None] | None = None) -> Moved:
    return decide_move(GRAPH, history, ALL_GO if verdicts is None else verdicts, request, today=TODAY)


def unmet(
    history: list[Moved], request: MoveRequest, verdicts: dict[str, Verdict | None] | None = None
) -> list[tuple[str, str | None]]:
    with pytest.raises(CheckpointNotMet) as refusal:
        decided(history, request, verdicts)
    return [(item.criterion, item.found) for item in refusal.value.unmet]


# ---------------------------------------------------------------------------------------------- what may follow what

ALLOWED = [
    # stage, status, kind, to -> stage, status
    ("PRECLINICAL_PHARMACOLOGY", ACTIVE, ADVANCE, "PRECLINICAL_TOXICOLOGY", "PRECLINICAL_TOXICOLOGY", ACTIVE),
    ("PRECLINICAL_PHARMACOLOGY", ACTIVE, ADVANCE, None, "PRECLINICAL_TOXICOLOGY", ACTIVE),
    ("CTA", ACTIVE, ADVANCE, "PHASE_1_2", "PHASE_1_2", ACTIVE),
    ("PHASE_1", COMPLETED, ADVANCE, "PHASE_2", "PHASE_2", ACTIVE),
    ("PHASE_1_2", ACTIVE, ADVANCE, "PHASE_3", "PHASE_3", ACTIVE),
    ("PHASE_2", ACTIVE, ADVANCE, "PREAPPROVAL", "PREAPPROVAL", ACTIVE),
    ("PHASE_2", ACTIVE, HOLD, None, "PHASE_2", ON_HOLD),
    ("PHASE_2", STALLED, HOLD, None, "PHASE_2", ON_HOLD),
    ("PHASE_2", ON_HOLD, RESUME, None, "PHASE_2", ACTIVE),
    ("PHASE_2", STALLED, RESUME, "PHASE_2", "PHASE_2", ACTIVE),
    ("PHASE_2", ACTIVE, DISCONTINUE, None, "PHASE_2", DISCONTINUED),
    ("PHASE_2", ON_HOLD, DISCONTINUE, None, "PHASE_2", DISCONTINUED),
    ("PHASE_2", COMPLETED, DISCONTINUE, None, "PHASE_2", DISCONTINUED),
    ("PHASE_4", ACTIVE, DISCONTINUE, None, "PHASE_4", DISCONTINUED),
    ("PHASE_4", ACTIVE, DISCONTINUE, "WITHDRAWAL", "WITHDRAWAL", DISCONTINUED),
    ("PHASE_4", ACTIVE, COMPLETE, None, "PHASE_4", COMPLETED),
    ("PHASE_3", DISCONTINUED, RESTART, None, "PHASE_3", ACTIVE),
    ("PHASE_3", DISCONTINUED, RESTART, "PHASE_1", "PHASE_1", ACTIVE),
    ("PHASE_3", COMPLETED, RESTART, "PHASE_2", "PHASE_2", ACTIVE),
    ("WITHDRAWAL", DISCONTINUED, RESTART, "PHASE_3", "PHASE_3", ACTIVE),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "status", "kind", "to", "to_stage", "to_status"), ALLOWED)
def test_moves_that_are_allowed(
    stage: str, status: Status, kind: MoveKind, to: str | None, to_stage: str, to_status: Status
) -> None:
    moved = decided(at(stage, status), ask(kind, to, "2024-05-17"))
    assert moved == Moved(kind, stage, to_stage, status, to_status, on("2024-05-17"))


REFUSED = [
    # stage, status, kind, to -> every criterion unmet, with what was found
    ("PHASE_1", ON_HOLD, ADVANCE, "PHASE_2", [("status", "ON_HOLD")]),
    ("PHASE_1", STALLED, ADVANCE, "PHASE_2", [("status", "STALLED")]),
    ("PHASE_1", DISCONTINUED, ADVANCE, "PHASE_2", [("status", "DISCONTINUED")]),
    ("PHASE_1", ACTIVE, ADVANCE, "PHASE_3", [("to", "PHASE_3")]),
    ("PHASE_1", ACTIVE, ADVANCE, "CTA", [("to", "CTA")]),
    ("PHASE_1", ACTIVE, ADVANCE, "PHASE_1", [("to", "PHASE_1")]),
    ("PHASE_1", ACTIVE, ADVANCE, None, [("to", None)]),
    ("PHASE_4", ACTIVE, ADVANCE, None, [("to", None)]),
    ("PHASE_1", ON_HOLD, ADVANCE, "APPROVAL", [("status", "ON_HOLD"), ("to", "APPROVAL")]),
    ("PHASE_1", ON_HOLD, HOLD, None, [("status", "ON_HOLD")]),
    ("PHASE_1", DISCONTINUED, HOLD, None, [("status", "DISCONTINUED")]),
    ("PHASE_1", ACTIVE, HOLD, "PHASE_2", [("to", "PHASE_2")]),
    ("PHASE_1", ACTIVE, RESUME, None, [("status", "ACTIVE")]),
    ("PHASE_1", DISCONTINUED, DISCONTINUE, None, [("status", "DISCONTINUED")]),
    ("PHASE_1", ACTIVE, DISCONTINUE, "WITHDRAWAL", [("to", "WITHDRAWAL")]),
    ("PHASE_1", ON_HOLD, COMPLETE, None, [("status", "ON_HOLD")]),
    ("PHASE_1", ACTIVE, RESTART, None, [("status", "ACTIVE")]),
    ("PHASE_1", DISCONTINUED, RESTART, "PHASE_2", [("to", "PHASE_2")]),
    ("WITHDRAWAL", DISCONTINUED, RESTART, "APPROVAL", [("to", "APPROVAL")]),
    ("WITHDRAWAL", DISCONTINUED, HOLD, None, [("status", "DISCONTINUED"), ("to", None)]),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "status", "kind", "to", "criteria"), REFUSED)
def test_moves_that_are_refused(
    stage: str, status: Status, kind: MoveKind, to: str | None, criteria: list[tuple[str, str | None]]
) -> None:
    assert unmet(at(stage, status), ask(kind, to, "2024-05-17")) == criteria


def test_a_refusal_names_the_stages_that_can_be_reached() -> None:
    with pytest.raises(CheckpointNotMet) as refusal:
        decided(at("PHASE_1"), ask(ADVANCE, "PHASE_3"))
    assert refusal.value.unmet[0].required == "one of PHASE_1_2, PHASE_2, PHASE_2_3"
    assert refusal.value.message == (
        "ADVANCE to PHASE_3 is refused at PHASE_1 (ACTIVE): from PHASE_1 the graph knows no ADVANCE to PHASE_3; "
        "it leads to PHASE_1_2, PHASE_2, PHASE_2_3"
    )


def test_an_unknown_stage_or_no_history_is_an_input_error() -> None:
    with pytest.raises(InputError, match="'PHASE_9' is not a stage"):
        decided(at("PHASE_1"), ask(ADVANCE, "PHASE_9"))
    with pytest.raises(InputError, match="has no stage yet; open it"):
        decided([], ask(ADVANCE, "PHASE_2"))
    with pytest.raises(InputError, match="a correction is not a move"):
        decided(at("PHASE_1"), ask(CORRECT, "PHASE_2"))


# ---------------------------------------------------------------------------------------------- checkpoints

VERDICTS = [
    # verdicts for PHASE_2 -> PHASE_3 (CONTINUED_TOXICITY, CUMULATIVE_SAFETY, RESPONSE_TWO_STAGE) -> what is unmet
    ({"CONTINUED_TOXICITY": "GO", "CUMULATIVE_SAFETY": "GO", "RESPONSE_TWO_STAGE": "GO"}, []),
    ({"CONTINUED_TOXICITY": "GO", "CUMULATIVE_SAFETY": "CONDITIONAL_GO", "RESPONSE_TWO_STAGE": "GO"}, []),
    ({"CONTINUED_TOXICITY": "GO", "CUMULATIVE_SAFETY": "GO"}, [("RESPONSE_TWO_STAGE", None)]),
    (
        {"CONTINUED_TOXICITY": None, "CUMULATIVE_SAFETY": "NO_GO", "ANTITUMOUR_ACTIVITY": "GO"},
        [("CONTINUED_TOXICITY", "OPEN"), ("CUMULATIVE_SAFETY", "NO_GO"), ("RESPONSE_TWO_STAGE", None)],
    ),
    (
        {"CONTINUED_TOXICITY": "HOLD", "CUMULATIVE_SAFETY": "RECYCLE", "RESPONSE_TWO_STAGE": "GO"},
        [("CONTINUED_TOXICITY", "HOLD"), ("CUMULATIVE_SAFETY", "RECYCLE")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("said", "missing"), VERDICTS)
def test_an_advance_needs_go_at_each_of_its_checkpoints(
    said: dict[str, str | None], missing: list[tuple[str, str | None]]
) -> None:
    verdicts = {rule: None if verdict is None else Verdict(verdict) for rule, verdict in said.items()}
    if missing:
        assert unmet(at("PHASE_2"), ask(ADVANCE, "PHASE_3"), verdicts) == missing
    else:
        assert decided(at("PHASE_2"), ask(ADVANCE, "PHASE_3"), verdicts).to_stage == "PHASE_3"


@pytest.mark.parametrize("kind", [HOLD, DISCONTINUE, COMPLETE])
def test_only_an_advance_asks_the_checkpoints(kind: MoveKind) -> None:
    assert decided(at("PHASE_2"), ask(kind), {}).kind is kind


def test_everything_unmet_is_listed_at_once() -> None:
    request = MoveRequest(DISCONTINUE, "PHASE_4", None, "  ", on("2030"))
    assert unmet(at("WITHDRAWAL", DISCONTINUED), request) == [
        ("status", "DISCONTINUED"),
        ("to", "PHASE_4"),
        ("reason", None),
        ("occurredOn", "2030"),
    ]


# ---------------------------------------------------------------------------------------------- reasons and dates


@pytest.mark.parametrize(
    ("kind", "status", "needed"),
    [
        (ADVANCE, ACTIVE, False),
        (COMPLETE, ACTIVE, False),
        (RESUME, ON_HOLD, False),
        (HOLD, ACTIVE, True),
        (DISCONTINUE, ACTIVE, True),
        (RESTART, DISCONTINUED, True),
    ],
)
def test_which_moves_need_a_reason(kind: MoveKind, status: Status, needed: bool) -> None:
    history = at("PHASE_3", status)
    if needed:
        assert unmet(history, ask(kind, reason=None)) == [("reason", None)]
    else:
        assert decided(history, ask(kind, reason=None)).kind is kind
    assert decided(history, MoveRequest(kind, reason_verbatim="as the board decided")).kind is kind


DATES = [
    # entered, asked, and whether it can be (today is 2024-05-17): refused only when certainly wrong
    ("2020-03-01", "2020-03-01", True),
    ("2020-03-01", "2020-02-29", False),
    ("2020-03-01", "2020-03", True),
    ("2020-03-01", "2020", True),
    ("2020-03-01", "2020-02", False),
    ("2020-03-01", "2019", False),
    ("2020", "2020-02", True),
    ("2020", "2019-12-31", False),
    ("2020-03", "2020-03-01", True),
    ("2020-03-01", "2024-05-17", True),
    ("2020-03-01", "2024-05-17T23:59", True),
    ("2020-03-01", "2024-05-18", False),
    ("2020-03-01", "2024-05", True),
    ("2020-03-01", "2024", True),
    ("2020-03-01", "2024-06", False),
    ("2020-03-01", "2025", False),
]  # fmt: skip


@pytest.mark.parametrize(("entered", "asked", "possible"), DATES)
def test_dates(entered: str, asked: str, possible: bool) -> None:
    history = at("PHASE_2", when=entered)
    if possible:
        assert decided(history, ask(HOLD, when=asked)).occurred_on.text == asked
    else:
        assert unmet(history, ask(HOLD, when=asked)) == [("occurredOn", asked)]


def test_a_vague_date_does_not_hide_the_certain_one_before_it() -> None:
    history = [
        *at("PHASE_2", when="2020-07-09"),
        Moved(HOLD, "PHASE_2", "PHASE_2", ACTIVE, ON_HOLD, on("2020")),
    ]
    assert unmet(history, ask(RESUME, when="2020-05")) == [("occurredOn", "2020-05")]
    assert decided(history, ask(RESUME, when="2020-07")).to_status is ACTIVE


def test_a_move_without_a_date_happens_today() -> None:
    assert decided(at("PHASE_2"), ask(HOLD)).occurred_on == PartialDate.of(TODAY)


def test_a_programme_begins_at_the_initial_stage_or_where_it_branches_off() -> None:
    assert enter(GRAPH, today=TODAY).position == Position("PRECLINICAL_PHARMACOLOGY", ACTIVE)
    assert enter(GRAPH, today=TODAY, stage="PHASE_2", occurred_on=on("2021-04")) == Moved(
        ADVANCE, None, "PHASE_2", None, ACTIVE, on("2021-04")
    )
    with pytest.raises(InputError, match="2025 lies in the future"):
        enter(GRAPH, today=TODAY, occurred_on=on("2025"))
    with pytest.raises(InputError, match="'phase 2' is not a stage"):
        enter(GRAPH, today=TODAY, stage="phase 2")


# ---------------------------------------------------------------------------------------------- possible moves


def listed(stage: str, status: Status, verdicts: dict[str, Verdict | None]) -> dict[tuple[str, str], list[str]]:
    moves = possible_moves(GRAPH, Position(stage, status), verdicts)
    assert all(move.allowed == (not move.unmet) for move in moves)
    return {(move.kind.value, move.to): [item.criterion for item in move.unmet] for move in moves}


def test_every_move_the_graph_knows_is_listed_with_what_it_lacks() -> None:
    assert listed("PHASE_3", ACTIVE, {"CUMULATIVE_SAFETY": Verdict.GO}) == {
        ("ADVANCE", "PREAPPROVAL"): ["SURVIVAL_BENEFIT"],
        ("HOLD", "PHASE_3"): [],
        ("RESUME", "PHASE_3"): ["status"],
        ("DISCONTINUE", "PHASE_3"): [],
        ("COMPLETE", "PHASE_3"): [],
        **{
            ("RESTART", to): ["status"]
            for to in ("PRECLINICAL_TOXICOLOGY", "CTA", "PHASE_1", "PHASE_1_2", "PHASE_2", "PHASE_2_3", "PHASE_3")
        },
    }


def test_a_stopped_programme_can_only_restart() -> None:
    moves = listed("PHASE_1", DISCONTINUED, ALL_GO)
    assert {kind for (kind, _), lacks in moves.items() if not lacks} == {"RESTART"}


STANDING = [(s.code, status) for s in GRAPH.stages for status in Status if not s.terminal or status is DISCONTINUED]


@pytest.mark.parametrize(("stage", "status"), STANDING)
def test_listed_as_allowed_means_decided_and_listed_as_lacking_means_refused(stage: str, status: Status) -> None:
    history = at(stage, status)
    for move in possible_moves(GRAPH, history[-1].position, ALL_GO):
        if move.allowed:
            assert decided(history, ask(move.kind, move.to)).to_stage == move.to
        else:
            assert unmet(history, ask(move.kind, move.to)) == [(item.criterion, item.found) for item in move.unmet]


# ---------------------------------------------------------------------------------------------- corrections


def mended(
    history: list[Moved], request: MoveRequest, verdicts: dict[str, Verdict | None] | None = None
) -> list[Moved]:
    verdicts = ALL_GO if verdicts is None else verdicts
    return correct(GRAPH, history, verdicts, request, today=TODAY).applied_to(history)


def uncorrected(
    history: list[Moved], request: MoveRequest, verdicts: dict[str, Verdict | None] | None = None
) -> list[tuple[str, str | None]]:
    with pytest.raises(CheckpointNotMet) as refusal:
        mended(history, request, verdicts)
    return [(item.criterion, item.found) for item in refusal.value.unmet]


LIVE = [*at("CTA"), Moved(ADVANCE, "CTA", "PHASE_1", ACTIVE, ACTIVE, on("2021"))]
READ = [*at("CTA"), Moved(ADVANCE, "CTA", "PHASE_3", ACTIVE, ACTIVE, on("2021"), ("PHASE_1", "PHASE_2"), imported=True)]
HELD = [*at("PHASE_2"), Moved(HOLD, "PHASE_2", "PHASE_2", ACTIVE, ON_HOLD, on("2021"))]
STOPPED = [*at("PHASE_4"), Moved(DISCONTINUE, "PHASE_4", "WITHDRAWAL", ACTIVE, DISCONTINUED, on("2021"))]
AGAIN = [*at("PHASE_3", DISCONTINUED), Moved(RESTART, "PHASE_3", "PHASE_2", DISCONTINUED, ACTIVE, on("2021"))]

CORRECTED = [
    # history, to, date -> how its last move reads afterwards (None: it never happened)
    (LIVE, "PHASE_1_2", None, Moved(ADVANCE, "CTA", "PHASE_1_2", ACTIVE, ACTIVE, on("2021"))),
    (LIVE, "PHASE_2", "2022", Moved(ADVANCE, "CTA", "PHASE_2", ACTIVE, ACTIVE, on("2022"))),
    (LIVE, "CTA", None, None),
    (LIVE, "CTA", "2022", None),
    (LIVE, None, None, None),
    (LIVE, None, "2020-04", Moved(ADVANCE, "CTA", "PHASE_1", ACTIVE, ACTIVE, on("2020-04"))),
    (LIVE, "PHASE_1", "2020-04", Moved(ADVANCE, "CTA", "PHASE_1", ACTIVE, ACTIVE, on("2020-04"))),
    (READ, "PHASE_2", None, Moved(ADVANCE, "CTA", "PHASE_2", ACTIVE, ACTIVE, on("2021"), (), imported=True)),
    (
        READ,
        "PHASE_2_3",
        None,
        Moved(ADVANCE, "CTA", "PHASE_2_3", ACTIVE, ACTIVE, on("2021"), ("PHASE_1",), imported=True),
    ),
    (HELD, None, None, None),
    (HELD, "PHASE_2", None, None),
    (HELD, "PHASE_2", "2021", None),
    (HELD, None, "2021-06", Moved(HOLD, "PHASE_2", "PHASE_2", ACTIVE, ON_HOLD, on("2021-06"))),
    (HELD, "PHASE_2", "2021-06", Moved(HOLD, "PHASE_2", "PHASE_2", ACTIVE, ON_HOLD, on("2021-06"))),
    (STOPPED, "PHASE_4", None, None),
    (AGAIN, "PHASE_2_3", None, Moved(RESTART, "PHASE_3", "PHASE_2_3", DISCONTINUED, ACTIVE, on("2021"))),
    (AGAIN, "PHASE_3", None, None),
]


@pytest.mark.parametrize(("history", "to", "when", "last"), CORRECTED)
def test_corrections(history: list[Moved], to: str | None, when: str | None, last: Moved | None) -> None:
    assert mended(history, ask(CORRECT, to, when)) == [*history[:-1], *([] if last is None else [last])]


def test_the_first_entry_may_be_corrected_to_any_stage_but_not_taken_out() -> None:
    for stage in GRAPH.stages:
        if stage.code != "CTA":
            after = mended(at("CTA"), ask(CORRECT, stage.code))
            assert after == [Moved(ADVANCE, None, stage.code, None, stage.entry_status, on("2020-03-01"))]
    assert uncorrected(at("CTA"), ask(CORRECT)) == [("to", None)]


NOT_CORRECTED = [
    (LIVE, "PHASE_3", None, [("to", "PHASE_3")]),  # a live advance goes over no checkpoint
    (LIVE, "PRECLINICAL_TOXICOLOGY", None, [("to", "PRECLINICAL_TOXICOLOGY")]),
    (LIVE, "PHASE_1", None, [("to", "PHASE_1")]),  # it says so already
    (LIVE, None, "2021", [("to", "PHASE_1")]),
    (LIVE, "PHASE_1", "2019", [("occurredOn", "2019")]),
    (LIVE, "PHASE_1_2", "2025", [("occurredOn", "2025")]),
    (READ, "PRECLINICAL_TOXICOLOGY", None, [("to", "PRECLINICAL_TOXICOLOGY")]),
    (HELD, "PHASE_3", None, [("to", "PHASE_3")]),
    (STOPPED, "APPROVAL", None, [("to", "APPROVAL")]),
    (AGAIN, "PREAPPROVAL", None, [("to", "PREAPPROVAL")]),
]  # fmt: skip


@pytest.mark.parametrize(("history", "to", "when", "criteria"), NOT_CORRECTED)
def test_corrections_that_are_refused(
    history: list[Moved], to: str | None, when: str | None, criteria: list[tuple[str, str | None]]
) -> None:
    assert uncorrected(history, ask(CORRECT, to, when)) == criteria


def test_a_correction_goes_round_no_checkpoint() -> None:
    safe = {"TRIAL_AUTHORISATION": Verdict.GO}
    assert mended(LIVE, ask(CORRECT, "PHASE_1_2"), safe)[-1].to_stage == "PHASE_1_2"
    assert uncorrected(LIVE, ask(CORRECT, "PHASE_2"), safe) == [("DOSE_LIMITING_TOXICITY", None)]


def test_a_correction_needs_a_reason_and_an_entry() -> None:
    assert uncorrected(LIVE, ask(CORRECT, "CTA", reason=None)) == [("reason", None)]
    with pytest.raises(InputError, match="no entry to correct"):
        mended([], ask(CORRECT, "CTA"))
    with pytest.raises(InputError, match="HOLD is a move, not a correction"):
        mended(LIVE, ask(HOLD))


@pytest.mark.parametrize("history", [LIVE, READ, HELD, STOPPED, AGAIN, at("CTA")])
def test_the_corrections_listed_are_those_decided(history: list[Moved]) -> None:
    moves = possible_moves(GRAPH, history[-1].position, ALL_GO, last=history[-1])
    listed_targets = {move.to for move in moves if move.kind is CORRECT and move.allowed}
    decided_targets = set()
    for stage in GRAPH.stages:
        try:
            mended(history, ask(CORRECT, stage.code))
            decided_targets.add(stage.code)
        except CheckpointNotMet:
            pass
    assert listed_targets == decided_targets


# ---------------------------------------------------------------------------------------------- imported histories


@dataclass(frozen=True)
class Said:
    stage: str
    occurred_on: PartialDate
    status: Status = ACTIVE
    kind: MoveKind | None = None


def read(*entries: tuple[str, str, Status] | tuple[str, str, Status, MoveKind]) -> list[str]:
    """The moves inferred from entries, one word each: KIND stage [skipped] (status), implied moves in brackets."""
    said = [Said(entry[0], on(entry[1]), *entry[2:]) for entry in entries]
    path = infer_path(GRAPH, said, today=TODAY)
    assert path.problems == ()
    words = []
    for step in path.steps:
        move = step.moved
        over = f" over {'+'.join(move.skipped)}" if move.skipped else ""
        word = f"{move.kind} {move.to_stage}{over} {move.to_status}"
        words.append(f"({word})" if step.implied else word)
    return words


INFERRED = [
    # a start in the middle, then combined phases
    (
        [("PHASE_1_2", "2015", ACTIVE), ("PHASE_3", "2018", ACTIVE)],
        ["ADVANCE PHASE_1_2 ACTIVE", "ADVANCE PHASE_3 ACTIVE"],
    ),
    # skipped stages
    (
        [("PHASE_1", "2015", ACTIVE), ("APPROVAL", "2019", ACTIVE)],
        ["ADVANCE PHASE_1 ACTIVE", "ADVANCE APPROVAL over PHASE_2+PHASE_3+PREAPPROVAL ACTIVE"],
    ),
    # a hold and a resumption told by the status, a repeated entry tells nothing
    (
        [
            ("PHASE_2", "2015", ACTIVE),
            ("PHASE_2", "2016", ON_HOLD),
            ("PHASE_2", "2016-05", ON_HOLD),
            ("PHASE_2", "2017", ACTIVE),
        ],
        ["ADVANCE PHASE_2 ACTIVE", "HOLD PHASE_2 ON_HOLD", "RESUME PHASE_2 ACTIVE"],
    ),
    # an advance out of a hold implies that it was resumed
    (
        [("PHASE_1", "2015", ON_HOLD), ("PHASE_2", "2016", ACTIVE)],
        ["(ADVANCE PHASE_1 ACTIVE)", "HOLD PHASE_1 ON_HOLD", "(RESUME PHASE_1 ACTIVE)", "ADVANCE PHASE_2 ACTIVE"],
    ),
    # one row that only says where it stopped
    ([("PHASE_2", "2015", DISCONTINUED)], ["(ADVANCE PHASE_2 ACTIVE)", "DISCONTINUE PHASE_2 DISCONTINUED"]),
    # a stop further on than the last entry
    (
        [("PHASE_1", "2015", ACTIVE), ("PHASE_3", "2018", DISCONTINUED)],
        ["ADVANCE PHASE_1 ACTIVE", "(ADVANCE PHASE_3 over PHASE_2 ACTIVE)", "DISCONTINUE PHASE_3 DISCONTINUED"],
    ),
    # restarts: at the same stage, at an earlier one, and seen only when the next phase began
    (
        [("PHASE_2", "2015", DISCONTINUED), ("PHASE_2", "2016", ACTIVE)],
        ["(ADVANCE PHASE_2 ACTIVE)", "DISCONTINUE PHASE_2 DISCONTINUED", "RESTART PHASE_2 ACTIVE"],
    ),
    (
        [("PHASE_3", "2015", DISCONTINUED), ("PHASE_1", "2016", ACTIVE)],
        ["(ADVANCE PHASE_3 ACTIVE)", "DISCONTINUE PHASE_3 DISCONTINUED", "RESTART PHASE_1 ACTIVE"],
    ),
    (
        [("PHASE_1", "2015", DISCONTINUED), ("PHASE_2", "2016", ACTIVE)],
        [
            "(ADVANCE PHASE_1 ACTIVE)",
            "DISCONTINUE PHASE_1 DISCONTINUED",
            "(RESTART PHASE_1 ACTIVE)",
            "ADVANCE PHASE_2 ACTIVE",
        ],
    ),
    # a stopped trial that is next seen completed
    (
        [("PHASE_2", "2015", DISCONTINUED), ("PHASE_2", "2016", COMPLETED)],
        [
            "(ADVANCE PHASE_2 ACTIVE)",
            "DISCONTINUE PHASE_2 DISCONTINUED",
            "(RESTART PHASE_2 ACTIVE)",
            "COMPLETE PHASE_2 COMPLETED",
        ],
    ),
    # a completed phase advances as it is
    (
        [("PHASE_1", "2015", COMPLETED), ("PHASE_2", "2016", ACTIVE)],
        ["(ADVANCE PHASE_1 ACTIVE)", "COMPLETE PHASE_1 COMPLETED", "ADVANCE PHASE_2 ACTIVE"],
    ),
    # stalled is a hold of its own kind
    (
        [("PHASE_1", "2015", ON_HOLD), ("PHASE_1", "2016", STALLED), ("PHASE_1", "2017", DISCONTINUED)],
        [
            "(ADVANCE PHASE_1 ACTIVE)",
            "HOLD PHASE_1 ON_HOLD",
            "HOLD PHASE_1 STALLED",
            "DISCONTINUE PHASE_1 DISCONTINUED",
        ],
    ),
    # a withdrawal needs no status of its own, and may be followed by a new start
    (
        [
            ("APPROVAL", "2000-05", ACTIVE),
            ("WITHDRAWAL", "2010-06", ACTIVE),
            ("PREAPPROVAL", "2017", ACTIVE),
            ("APPROVAL", "2017-09", ACTIVE),
        ],
        [
            "ADVANCE APPROVAL ACTIVE",
            "DISCONTINUE WITHDRAWAL DISCONTINUED",
            "RESTART PREAPPROVAL ACTIVE",
            "ADVANCE APPROVAL ACTIVE",
        ],
    ),
    # a source that only says the kind
    (
        [("PHASE_1", "2015", ACTIVE), ("PHASE_1", "2016", ACTIVE, HOLD), ("PHASE_1", "2017", ACTIVE, RESTART)],
        ["ADVANCE PHASE_1 ACTIVE", "HOLD PHASE_1 ON_HOLD", "RESUME PHASE_1 ACTIVE"],
    ),
]


@pytest.mark.parametrize(("entries", "moves"), INFERRED)
def test_histories_are_read_from_what_sources_say(entries: list[tuple[str, str, Status]], moves: list[str]) -> None:
    assert read(*entries) == moves


PROBLEMS = [
    # the last entry does not fit: what is said about it, and whether only a correction of the one before can help
    (
        [("PHASE_2", "2015", ACTIVE), ("PHASE_1", "2016", ACTIVE)],
        "PHASE_1 does not lie ahead of PHASE_2 (ACTIVE), and no stop",
        True,
    ),
    (
        [("PHASE_2", "2015", ACTIVE), ("PHASE_1_2", "2016", ACTIVE)],
        "PHASE_1_2 does not lie ahead of PHASE_2 (ACTIVE)",
        True,
    ),
    ([("PHASE_2", "2015", ON_HOLD), ("CTA", "2016", ACTIVE)], "CTA does not lie ahead of PHASE_2 (ON_HOLD)", True),
    (
        [("WITHDRAWAL", "2015", ACTIVE), ("PHASE_4", "2016", ACTIVE)],
        "PHASE_4 does not lie ahead of WITHDRAWAL (DISCONTINUED), and the graph",
        True,
    ),
    (
        [("PHASE_2", "2015", ACTIVE), ("PHASE_1", "2016", ACTIVE, CORRECT)],
        "the correction to PHASE_1 has to be confirmed",
        True,
    ),
    (
        [("PHASE_2", "2015", ACTIVE), ("PHASE 3", "2016", ACTIVE)],
        "'PHASE 3' is not a stage; the stages are PRECLINICAL",
        False,
    ),
    (
        [("PHASE_2", "2015", ACTIVE), ("PHASE_3", "2014", ACTIVE)],
        "2014 lies before the move to PHASE_2 (ADVANCE) on 2015",
        False,
    ),
    ([("PHASE_2", "2015", ACTIVE), ("PHASE_3", "2030", ACTIVE)], "2030 lies in the future", False),
    (
        [("WITHDRAWAL", "2015", ACTIVE), ("WITHDRAWAL", "2016", ON_HOLD)],
        "the graph knows no RESTART from WITHDRAWAL (DISCONTINUED)",
        False,
    ),
    (
        [("PHASE_2", "2015", ACTIVE), ("PHASE_3", "2016", ACTIVE, RESUME)],
        "the entry says RESUME, but from PHASE_2 (ACTIVE) to PHASE_3 (ACTIVE) is ADVANCE",
        False,
    ),
    (
        [("PHASE_2", "2015", ACTIVE), ("PHASE_2", "2016", ACTIVE, RESTART)],
        "the entry says RESTART, but from PHASE_2 (ACTIVE) to PHASE_2 (ACTIVE) is no move at all",
        False,
    ),
]


@pytest.mark.parametrize(("entries", "sentence", "correction"), PROBLEMS)
def test_what_cannot_be_read_is_said_not_guessed(
    entries: list[tuple[str, str, Status]], sentence: str, correction: bool
) -> None:
    path = infer_path(GRAPH, [Said(entry[0], on(entry[1]), *entry[2:]) for entry in entries], today=TODAY)
    (problem,) = path.problems
    assert (problem.entry, problem.correction) == (1, correction)
    assert problem.sentence.startswith(sentence)
    assert {step.entry for step in path.steps} == {0}


def test_all_problems_are_collected_and_the_rest_is_read() -> None:
    entries = [
        Said("PHASE_1", on("2015")),
        Said("LIMBO", on("2016")),
        Said("CTA", on("2016")),
        Said("PHASE_2", on("2017")),
        Said("PHASE_3", on("2016")),
        Said("PHASE_3", on("2018-02"), DISCONTINUED),
    ]
    path = infer_path(GRAPH, entries, today=TODAY)
    assert [problem.entry for problem in path.problems] == [1, 2, 4]
    assert [(step.entry, step.moved.to_stage) for step in path.steps] == [
        (0, "PHASE_1"),
        (3, "PHASE_2"),
        (5, "PHASE_3"),
        (5, "PHASE_3"),
    ]


def test_a_history_already_known_is_continued() -> None:
    history = at("PHASE_1", when="2019-03-01")
    path = infer_path(GRAPH, [Said("PHASE_1", on("2019-02")), Said("PHASE_3", on("2021"))], history=history)
    assert [problem.entry for problem in path.problems] == [0]
    assert path.moves == [Moved(ADVANCE, "PHASE_1", "PHASE_3", ACTIVE, ACTIVE, on("2021"), ("PHASE_2",), imported=True)]
    assert replay([*history, *path.moves]) == Position("PHASE_3", ACTIVE)


def test_a_history_that_does_not_hang_together_is_not_replayed() -> None:
    with pytest.raises(ValueError, match="move 2 begins at"):
        replay([LIVE[0], AGAIN[-1]])
    with pytest.raises(ValueError, match="move 1 begins at"):
        replay(LIVE[1:])
    assert replay([]) is None

"""Replaying one rule over a made-up portfolio: programmes whose dose levels came in one by one.

Each programme has ten levels and is looked at at ten acts or more, so that 10,000 programmes are 100,000 states and
as many questions of what was known when.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

from pipeline.bench.harness import Timing
from pipeline.centre import SYSTEM, Centre, utc_now
from pipeline.store import tables
from pipeline.store.journal import Act

RULE = "DOSE_LIMITING_TOXICITY"
LEVELS = 10
MOST_S = 10.0
"""Seconds of one core that replaying a rule over 10,000 programmes with 10 dose levels each may take."""

SOME_STOPPED = 0.3
SOME_STILL_THERE = 0.1
SOME_TOO_TOXIC = 0.25
_TOO_TOXIC, _BEARABLE = (0.5, 0.95), (0.02, 0.09)
"""Rates of toxicity at the lowest level; each level adds as much again."""
_PHASE_1, _PHASE_2 = ("PHASE_1", 40), ("PHASE_2", 60)


@dataclass(frozen=True, slots=True)
class Measured:
    """How long replays took, in seconds of one core, and what they found."""

    programmes: int
    states: int
    taken: Timing
    found: dict[str, Any]

    @property
    def most_s(self) -> float:
        """How long one replay may take: the limit is for 10,000 programmes."""
        return MOST_S * self.programmes / 10_000

    def as_json(self) -> dict[str, Any]:
        """Return the figures for programs."""
        return {
            "rule": RULE,
            "programmes": self.programmes,
            "levels": LEVELS,
            "states": self.states,
            "replay_s": {"min": self.taken.least, "median": self.taken.median, "all": list(self.taken.seconds)},
            "target_s": self.most_s,
            "within": self.taken.median <= self.most_s,
            "found": self.found,
        }


def fill(centre: Centre, programmes: int, seed: int = 1) -> None:
    """Put made-up programmes on record: in phase 1, one level after the other, then each as it ended."""
    random = Random(seed)  # noqa: S311 - made-up counts, the same for the same seed
    perform(centre, lambda act: _begin(act, programmes))
    lowest = [
        random.uniform(*(_TOO_TOXIC if random.random() < SOME_TOO_TOXIC else _BEARABLE)) for _ in range(programmes)
    ]
    for ordinal in range(1, LEVELS + 1):
        toxic = [sum(random.random() < rate * ordinal for _ in range(3)) for rate in lowest]
        perform(centre, _levels(ordinal, toxic))
    perform(centre, lambda act: _end(act, random))


def perform(centre: Centre, write: Callable[[Act], Any]) -> None:
    """Do something as one act."""

    def done(act: Act) -> dict[str, Any]:
        write(act)
        return {}

    centre.journal.perform("Bench", done, actor=SYSTEM, now=utc_now())


def _begin(act: Act, programmes: int) -> None:
    numbers = range(1, programmes + 1)
    names = [f"B{number:06d}" for number in numbers]
    graph, _ = act.graphs.in_force(act.connection)
    columns: tuple[str, ...] = ("code", "name", "name_key", "modality")
    molecules = act.add_all(tables.molecules, columns, [(n, n, n.lower(), "SMALL_MOLECULE") for n in names])
    columns = ("molecule_id", "indication_key", "graph_id", "stage", "stage_ordinal", "status")
    since = ("stage_since", "stage_since_reported")
    row = (*_PHASE_1, "ACTIVE", "2020-01-01", "2020-01-01")
    made = act.add_all(tables.programmes, (*columns, *since), [(id, "", graph, *row) for id in molecules])
    act.add_all(tables.transitions, _MOVE, [_move(id, graph, 1, "ADVANCE", None, "PHASE_1", "ACTIVE") for id in made])
    columns = ("code", "title", "species", "phases", "status")
    rows: list[tuple[Any, ...]] = [(n, n, "human", '["PHASE_1"]', "RECRUITING") for n in names]
    studies = act.add_all(tables.studies, columns, rows)
    columns = ("study_id", "source", "code", "statement", "content_digest")
    rows = [(study, "bench", n, "{}", "-") for study, n in zip(studies, names, strict=True)]
    sources = act.add_all(tables.study_sources, columns, rows)
    columns = ("study_id", "source_id", "molecule_id", "name")
    act.add_all(tables.study_molecules, columns, list(zip(studies, sources, molecules, names, strict=True)))


def _levels(ordinal: int, toxic: list[int]) -> Callable[[Act], None]:
    def write(act: Act) -> None:
        columns = ("study_id", "source_id", "ordinal", "label", "treated", "with_dlt")
        rows = [(n, n, ordinal, f"level {ordinal}", 3, count) for n, count in enumerate(toxic, 1)]
        act.add_all(tables.dose_levels, columns, rows)

    return write


_MOVE = (
    *("programme_id", "graph_id", "position", "kind", "from_stage", "to_stage", "from_status", "to_status"),
    *("skipped", "imported", "occurred_on", "occurred_from", "occurred_to", "reason"),
)


def _move(
    programme: int, graph: int, position: int, kind: str, left: str | None, to: str, status: str, *more: str
) -> tuple[Any, ...]:
    day, reason = more if more else ("2020-01-01", None)
    before = None if left is None else "ACTIVE"
    return (programme, graph, position, kind, left, to, before, status, "[]", False, day, day, day, reason)


def _end(act: Act, random: Random) -> None:
    day = f"{int(act.recorded_at[:4]) + 1}{act.recorded_at[4:7]}-28"
    moves = []
    for row in act.current(tables.programmes):
        drawn = random.random()
        if drawn < SOME_STILL_THERE:
            continue
        stopped = drawn < SOME_STILL_THERE + SOME_STOPPED
        (stage, ordinal), status = (_PHASE_1, "DISCONTINUED") if stopped else (_PHASE_2, "ACTIVE")
        act.revise(tables.programmes, row, {"stage": stage, "stage_ordinal": ordinal, "status": status})
        kind, reason = ("DISCONTINUE", "TOX_CLINICAL") if stopped else ("ADVANCE", "")
        moves.append(_move(row["id"], row["graph_id"], 2, kind, "PHASE_1", stage, status, day, reason or ""))
    act.add_all(tables.transitions, _MOVE, [(*move[:-1], move[-1] or None) for move in moves])


def measure(folder: Path, programmes: int, repeat: int) -> Measured:
    """Fill a record in a folder and time replays of one rule over it, on one core."""
    from pipeline.reports.rule_replay import replay_rule

    with Centre.open(folder) as centre:
        fill(centre, programmes)
        taken = []
        for _ in range(repeat):
            with centre.read() as reader:
                began = process_time()
                found = replay_rule(reader, RULE)
                taken.append(process_time() - began)
    return Measured(programmes, programmes * LEVELS, Timing(tuple(taken)), asdict(found.summary))

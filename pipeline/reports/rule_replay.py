"""A rule run over the past of every programme, each seen only as it was known at each act, against its final fate.

Only acts that changed its evidence, or where the programme was thought to be, are looked at: what was recorded later is
not seen, and cannot change what is said of an earlier moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import func, select

from pipeline.assessment.composition import judge
from pipeline.assessment.counted_verdicts import JUDGED_TOGETHER, State, counted_verdicts, state_of
from pipeline.assessment.finding import Evidence, Finding
from pipeline.assessment.parameter_bounds import EVIDENCE_AT
from pipeline.assessment.replay import (
    Course,
    Moment,
    Replayed,
    Summary,
    fate_of,
    is_judged,
    replayed,
    stops,
    summarised,
)
from pipeline.assessment.soundness import faults
from pipeline.errors import refuse
from pipeline.reports.checkpoint_evidence import methods_of
from pipeline.reports.condition_list import UNDER_WAY
from pipeline.reports.escalation_evidence import GIVEN_LEVELS
from pipeline.reports.record_versions import NEVER, Past, Records
from pipeline.reports.rule_evidence import evidence_of
from pipeline.reports.rules_on_record import (
    RecordedRule,
    latest_parameters,
    parts_of,
    recorded_rules,
    stages_of,
    the_rule,
)
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.store.basis import rule_of
from pipeline.store.checkpoint_tables import evidence_packets
from pipeline.store.filters import PortfolioFilter, programme_conditions
from pipeline.store.nodes import among, seen, source_of, visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.tables import acts, checkpoint_rules, checkpoints, programmes, transitions
from pipeline.words import Status, Verdict

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RuleReplay:
    """A rule, what it was replayed with, and what came of it: in all, and for each programme."""

    rule: CheckpointRule
    varied: bool
    recorded: RecordedRule
    summary: Summary
    programmes: tuple[Replayed, ...]


def replay_rule(
    reader: Reader,
    code: str,
    version: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    wanted: PortfolioFilter | None = None,
) -> RuleReplay:
    """Replay a version of a rule, or a variation of it, over the programmes of a filter.

    Args:
        reader: sees the moment up to which the past reaches.
        code: the rule.
        version: one of its versions; without it the one in use.
        parameters: what to change of its parameters; None replays it as defined.
        wanted: which programmes, by where they stand now.

    Raises:
        NotFound: there is no such rule or version.
        InputError, Refused: the varied parameters are unsound.
    """
    _, graph = reader.graphs.in_force(reader.connection)
    one = the_rule(reader.connection, graph, code, version, reader.view)
    rule = one.rule
    known = recorded_rules(reader.connection, graph, reader.view)
    if parameters is not None:
        rule = replace(rule, parameters={**rule.parameters, **parameters})
        of_others = {name: content for name, (_, content) in latest_parameters(known).items()}
        stages = [stage.code for stage in graph.stages]
        refuse(faults(code, rule.method, rule.parameters, stages_of(graph, one), of_others, stages))
    used = _Replaying(reader, rule, one, parts_of(rule, known), _days(reader))
    found: list[Replayed] = []
    for block in _blocks(_programmes(reader, wanted or PortfolioFilter())):
        found += [replayed(course) for course in used.courses(block)]
    return RuleReplay(rule, parameters is not None, one, summarised(found), tuple(found))


def _programmes(reader: Reader, wanted: PortfolioFilter) -> list[dict[str, Any]]:
    source = source_of("Programme", reader.view)
    conditions = [*seen("Programme", source, reader.view), *programme_conditions(source, wanted, reader.view)]
    statement = select(source).where(*conditions).order_by(source.c.id)
    return [dict(row) for row in reader.connection.execute(statement).mappings()]


def _blocks(rows: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for first in range(0, len(rows), _AT_ONCE):
        yield rows[first : first + _AT_ONCE]


def _days(reader: Reader) -> dict[int, str]:
    statement = select(acts.c.number, func.substr(acts.c.recorded_at, 1, 10))
    return {row[0]: row[1] for row in reader.connection.execute(statement)}


Said = tuple[Verdict, bool, bool]
"""The recommendation, whether there was evidence to give it on, and whether it would have stopped the programme."""

Look = tuple[int, Evidence]
"""An act, and what was known then."""

Spell = tuple[int, int | None, str, str]
"""From which act to before which a programme was known at a stage with a status."""


@dataclass(frozen=True, slots=True)
class _Replaying:
    """One rule on its way through the past."""

    reader: Reader
    rule: CheckpointRule
    recorded: RecordedRule
    parts: Mapping[str, CheckpointRule]
    days: Mapping[int, str]
    said: dict[bytes, Said] = field(default_factory=dict)
    stages: dict[int, dict[str, int]] = field(default_factory=dict)

    def courses(self, block: Sequence[Mapping[str, Any]]) -> list[Course]:
        """Return the course of each programme of a block."""
        spells = self._spells([row["id"] for row in block])
        moves = self._moves([row["id"] for row in block])
        past = Past(self.reader, sorted({row["molecule_id"] for row in block}))
        looks = {row["id"]: self._looks(row, spells[row["id"]], past) for row in block}
        said = self._judged_together(looks) if methods_of(self.rule) in JUDGED_TOGETHER else self._judged(looks)
        courses = []
        for row in block:
            stop = _stop_of(row, moves[row["id"]])
            courses.append(self._course(row, self._moments(said[row["id"]], stop), stop, past))
        return courses

    def _stages(self, graph_id: int) -> dict[str, int]:
        """Return the stages the rule is for in a graph, with their order; where none asks for it, any with evidence."""
        if graph_id not in self.stages:
            graph = self.reader.graph(graph_id)
            every = {stage.code: stage.ordinal for stage in graph.stages}
            asked = stages_of(graph, self.recorded) or EVIDENCE_AT.get(self.rule.method, tuple(every))
            self.stages[graph_id] = {code: every[code] for code in asked if code in every}
        return self.stages[graph_id]

    def _spells(self, ids: Sequence[int]) -> dict[int, list[Spell]]:
        table = programmes
        found: dict[int, list[Spell]] = {id: [] for id in ids}
        statement = select(table.c.id, table.c.since_act, table.c.until_act, table.c.stage, table.c.status)
        statement = statement.where(among(table.c.id, ids), *self._by_now(table)).order_by(table.c.since_act)
        for id, since, until, stage, status in self.reader.connection.execute(statement):
            found[id].append((since, until, stage, status))
        return found

    def _by_now(self, table: Any) -> list[Any]:
        last = self.reader.view.known_at
        return [] if last is None else [table.c.since_act <= last]

    def _moves(self, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        table = transitions
        statement = select(table).where(*seen("Transition", table, self.reader.view), among(table.c.programme_id, ids))
        found: dict[int, list[dict[str, Any]]] = {id: [] for id in ids}
        for row in self.reader.connection.execute(statement.order_by(table.c.position)).mappings():
            found[row["programme_id"]].append(dict(row))
        return found

    def _stages_at(self, row: Mapping[str, Any], spells: Sequence[Spell]) -> list[Spell]:
        """Return the spells in which the rule could have spoken."""
        allowed = self._stages(row["graph_id"])
        return [spell for spell in spells if spell[2] in allowed and spell[3] in UNDER_WAY]

    def _looks(self, row: Mapping[str, Any], spells: Sequence[Spell], past: Past) -> Iterator[Look]:
        """Yield what was known of a programme while the rule could have spoken, whenever something it reads changed."""
        for since, until, stage, _ in self._stages_at(row, spells):
            act, end = since, NEVER if until is None else until
            while act < end:
                records = past.at(act)
                yield act, evidence_of(self.reader, {**row, "stage": stage}, self.rule, self.parts, records)
                act = records.until

    def _judged(self, looks: Mapping[int, Iterable[Look]]) -> dict[int, Iterator[tuple[int, Said]]]:
        """Return, by programme, act and what the rule says; each is looked at when it is asked for."""
        return {id: ((act, self._said(evidence)) for act, evidence in each) for id, each in looks.items()}

    def _judged_together(self, looks: Mapping[int, Iterable[Look]]) -> dict[int, Iterator[tuple[int, Said]]]:
        """Return the same, with all states of counts judged side by side: one by one takes many times as long."""
        states: dict[bytes, State] = {}
        keys: dict[int, list[tuple[int, bytes]]] = {}
        for id, each in looks.items():
            keys[id] = []
            for act, evidence in each:
                key = _key(evidence)
                keys[id].append((act, key))
                if key not in self.said:
                    states[key] = state_of(evidence)
        told = counted_verdicts(self.rule, set(states.values()))
        for key, state in states.items():
            verdict, judged = told[state]
            self.said[key] = verdict, judged, verdict is Verdict.NO_GO
        return {id: ((act, self.said[key]) for act, key in each) for id, each in keys.items()}

    def _said(self, evidence: Evidence) -> Said:
        """Return what the rule says to evidence; the same to equal evidence, which many programmes have."""
        key = _key(evidence)
        if key not in self.said:
            finding = judge(self.rule, evidence)
            stop = stops(methods_of(self.rule), finding)
            self.said[key] = finding.recommendation, is_judged(finding), stop
        return self.said[key]

    def _moments(self, said: Iterable[tuple[int, Said]], stop: Mapping[str, Any] | None) -> list[Moment]:
        """Return what the rule says at each act, up to the first at which it stops the programme.

        Nothing after that, or after the programme's end, counts.
        """
        moments: list[Moment] = []
        for act, each in said:
            day = self.days[act]
            if stop is not None and day > stop["occurred_to"]:
                break
            moments.append(Moment(act, day, *each))
            if moments[-1].stops:
                break
        return moments

    def _course(
        self,
        row: Mapping[str, Any],
        moments: Sequence[Moment],
        stop: Mapping[str, Any] | None,
        past: Past,
    ) -> Course:
        stages = self._stages(row["graph_id"]).values()
        stopped = row["status"] == Status.DISCONTINUED.value
        fate = fate_of(
            self.rule.kind,
            stopped=stopped,
            reason=None if stop is None else stop["reason"],
            beyond=bool(stages) and row["stage_ordinal"] > max(stages),
            done=row["status"] == Status.COMPLETED.value,
        )
        first = next((each for each in moments if each.stops), None)
        total = 0
        if first is not None and stop is not None:
            # Subjects are counted only where some may have been spared.
            total = treated(past.at(past.last), row["molecule_id"])
            then = treated(past.at(first.act), row["molecule_id"])
            moments = [replace(each, subjects=then) if each is first else each for each in moments]
        return Course(
            row["id"],
            tuple(moments),
            fate,
            None if stop is None else stop["occurred_from"],
            None if stop is None else stop["occurred_to"],
            total,
        )


def _key(evidence: Evidence) -> bytes:
    return orjson.dumps([evidence.inputs, evidence.missing])


def _stop_of(row: Mapping[str, Any], moves: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the move that stopped a programme for good, or None where it is not stopped."""
    if row["status"] != Status.DISCONTINUED.value:
        return None
    return next((move for move in reversed(moves) if move["to_status"] == Status.DISCONTINUED.value), None)


def treated(records: Records, molecule: int) -> int:
    """Return the subjects treated at the dose levels of a molecule's studies."""
    studies = {row["study_id"] for row in records.rows("StudyMolecule", "molecule_id", [molecule])}
    levels = records.rows("DoseLevel", "study_id", sorted(studies), GIVEN_LEVELS)
    return sum(row["treated"] or 0 for row in levels)


@dataclass(frozen=True, slots=True)
class Deviation:
    """A past assessment that is not reproduced: what it said, and what the same version says of what it saw."""

    checkpoint: int
    rule: str
    version: int
    evidence_equal: bool
    was: str
    now: str


def deviations(reader: Reader) -> tuple[int, list[Deviation]]:
    """Run every past assessment again on what it saw; return how many there are, and those that come out otherwise."""
    rules = {
        (row["code"], row["number"]): rule_of(dict(row))
        for row in reader.connection.execute(
            select(checkpoint_rules).where(visible(checkpoint_rules, reader.view))
        ).mappings()
    }
    made = (
        select(checkpoints, evidence_packets.c.digest, evidence_packets.c.seen_act)
        .join(evidence_packets, evidence_packets.c.checkpoint_id == checkpoints.c.id)
        .where(visible(checkpoints, reader.view), visible(evidence_packets, reader.view))
        .order_by(checkpoints.c.id)
    )
    rows = [dict(row) for row in reader.connection.execute(made).mappings()]
    found = []
    for row in rows:
        then = reader.at(View(None, row["seen_act"]))
        statement = select(programmes).where(visible(programmes, then.view), programmes.c.id == row["programme_id"])
        programme = dict(reader.connection.execute(statement).mappings().one())
        rule = rules[row["rule_code"], row["rule_number"]]
        evidence = evidence_of(then, {**programme, "stage": row["stage"]}, rule)
        finding = judge(rule, evidence)
        equal = evidence.digest() == row["digest"]
        was, now = _said(row), _said({**row, **_row_of(finding)})
        if not equal or was != now:
            found.append(Deviation(row["id"], rule.code, rule.version, equal, was, now))
    return len(rows), found


def _row_of(finding: Finding) -> dict[str, Any]:
    return {
        "recommendation": finding.recommendation.value,
        "statistic": finding.statistic,
        "threshold": finding.threshold,
    }


def _said(row: Mapping[str, Any]) -> str:
    return f"{row['recommendation']} ({row['statistic']} against {row['threshold']})"

"""A rule run over the past of every programme, each seen only as it was known at each act, against its final fate.

Only acts that changed its evidence, or where the programme was thought to be, are looked at: what was recorded later is
not seen, and cannot change what is said of an earlier moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select

from pipeline.assessment.composition import judge
from pipeline.assessment.finding import Finding
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
from pipeline.reports.replayed_counts import COUNTED, CountHistory
from pipeline.reports.rule_evidence import evidence_of, kinds_bearing
from pipeline.reports.rules_on_record import (
    RecordedRule,
    latest_parameters,
    parts_of,
    recorded_rules,
    stages_of,
    the_rule,
)
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.stages.graph import StageGraph
from pipeline.store.basis import rule_of
from pipeline.store.checkpoint_tables import evidence_packets
from pipeline.store.filters import PortfolioFilter, programme_conditions
from pipeline.store.nodes import NODES, among, seen, source_of, visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.tables import acts, checkpoint_rules, checkpoints, dose_levels, programmes, transitions
from pipeline.words import Status

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

    def courses(self, block: Sequence[Mapping[str, Any]]) -> list[Course]:
        """Return the course of each programme of a block."""
        spells = self._spells([row["id"] for row in block])
        moves = self._moves([row["id"] for row in block])
        quick, rest = None, block
        said: dict[int, list[Moment]] = {}
        if methods_of(self.rule) in COUNTED and "event" not in self.rule.parameters and not self.rule.unstated:
            quick = CountHistory.of(self.reader, block, self.rule)
            rest = [row for row in block if row["molecule_id"] in quick.by_subject]
            plans = {
                row["id"]: self._stages_at(row, spells[row["id"]])
                for row in block
                if row["molecule_id"] not in quick.by_subject
            }
            said = quick.moments(plans, self.days)
        changed = (
            acts_of_evidence(self.reader, [row["molecule_id"] for row in rest], kinds_bearing(self.rule, self.parts))
            if rest
            else {}
        )
        courses = []
        for row in block:
            counted = quick if row["id"] in said else None
            last = _stop_of(row, moves[row["id"]])
            known = said[row["id"]] if counted else self._moments(row, spells[row["id"]], changed, last)
            courses.append(self._course(row, known, moves[row["id"]], counted))
        return courses

    def _graph(self, row: Mapping[str, Any]) -> StageGraph:
        return self.reader.graph(row["graph_id"])

    def stages(self, graph: StageGraph) -> frozenset[str]:
        """Return the stages the rule is for in a graph; where none asks for it, those it can have evidence at."""
        asked = stages_of(graph, self.recorded)
        return frozenset(asked) or EVIDENCE_AT.get(self.rule.method, frozenset(stage.code for stage in graph.stages))

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
        allowed = self.stages(self._graph(row))
        return [spell for spell in spells if spell[2] in allowed and spell[3] in UNDER_WAY]

    def _moments(
        self,
        row: Mapping[str, Any],
        spells: Sequence[Spell],
        changed: Mapping[int, set[int]],
        stop: Mapping[str, Any] | None,
    ) -> list[Moment]:
        """Return the moments up to the first that stops the programme; nothing after that, or its end, counts."""
        moments: list[Moment] = []
        before: tuple[str, str] | None = None
        for since, until, stage, _ in self._stages_at(row, spells):
            within = {
                act for act in changed.get(row["molecule_id"], ()) if act > since and (until is None or act < until)
            }
            for act in sorted(within | {since}):
                if stop is not None and self.days[act] > stop["occurred_to"]:
                    return moments
                digest, finding = self.finding(row, stage, act)
                if before == (stage, digest):
                    continue
                before = stage, digest
                moments.append(
                    Moment(
                        act,
                        self.days[act],
                        finding.recommendation,
                        is_judged(finding),
                        stops(methods_of(self.rule), finding),
                    )
                )
                if moments[-1].stops:
                    return moments
        return moments

    def finding(self, row: Mapping[str, Any], stage: str, act: int) -> tuple[str, Finding]:
        """Return the digest of the evidence as known at an act, and what the rule finds in it."""
        then = self.reader.at(View(self.reader.view.as_of, act))
        evidence = evidence_of(then, {**row, "stage": stage}, self.rule, self.parts)
        return evidence.digest(), judge(self.rule, evidence)

    def _course(
        self,
        row: Mapping[str, Any],
        moments: Sequence[Moment],
        moves: Sequence[Mapping[str, Any]],
        quick: CountHistory | None,
    ) -> Course:
        graph = self._graph(row)
        stages = [graph.stage(code).ordinal for code in self.stages(graph) if code in graph]
        stopped = row["status"] == Status.DISCONTINUED.value
        stop = _stop_of(row, moves)
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
            total = treated_at(self.reader, row["molecule_id"], self.reader.view.known_at)
            then = treated_at(self.reader, row["molecule_id"], first.act) if quick is None else first.subjects
            moments = [replace(each, subjects=then) if each is first else each for each in moments]
        return Course(
            row["id"],
            tuple(moments),
            fate,
            None if stop is None else stop["occurred_from"],
            None if stop is None else stop["occurred_to"],
            total,
        )


def _stop_of(row: Mapping[str, Any], moves: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the move that stopped a programme for good, or None where it is not stopped."""
    if row["status"] != Status.DISCONTINUED.value:
        return None
    return next((move for move in reversed(moves) if move["to_status"] == Status.DISCONTINUED.value), None)


def acts_of_evidence(reader: Reader, molecules: Sequence[int], kinds: Collection[str]) -> dict[int, set[int]]:
    """Return, by molecule, the acts that recorded, corrected or closed a record of these kinds."""
    link = NODES["StudyMolecule"].table
    found: dict[int, set[int]] = defaultdict(set)
    by_study: dict[int, set[int]] = defaultdict(set)
    wanted = sorted(set(molecules))
    for molecule, study, since, until in reader.connection.execute(
        select(link.c.molecule_id, link.c.study_id, link.c.since_act, link.c.until_act).where(
            among(link.c.molecule_id, wanted)
        )
    ):
        by_study[study].add(molecule)
        found[molecule] |= {since, until or since}
    for kind in sorted(set(kinds) - {"StudyMolecule"}):
        table = NODES[kind].table
        if kind in ("Molecule", "Study"):
            keys = {"id": kind == "Molecule"}
        else:
            keys = {name: name == "molecule_id" for name in ("molecule_id", "study_id") if name in table.c}
        for name, of_molecule in keys.items():
            known = wanted if of_molecule else sorted(by_study)
            for key, since, until in _changes(reader, table, name, known):
                for molecule in (key,) if of_molecule else by_study[key]:
                    found[molecule] |= {since, until or since}
    last = reader.view.known_at
    return found if last is None else {id: {act for act in of if act <= last} for id, of in found.items()}


def _changes(reader: Reader, table: Any, name: str, keys: Sequence[int]) -> list[tuple[int, int, int | None]]:
    column = table.c[name]
    found: list[tuple[int, int, int | None]] = []
    for first in range(0, len(keys), _AT_ONCE):
        statement = select(column, table.c.since_act, table.c.until_act)
        statement = statement.where(among(column, keys[first : first + _AT_ONCE])).distinct()
        found += [(row[0], row[1], row[2]) for row in reader.connection.execute(statement)]
    return found


def treated_at(reader: Reader, molecule: int, act: int | None) -> int:
    """Return the subjects treated at the dose levels of a molecule's studies, as known at an act."""
    view, link = View(None, act), NODES["StudyMolecule"].table
    studies = select(link.c.study_id).where(visible(link, view), link.c.molecule_id == molecule)
    statement = select(func.coalesce(func.sum(dose_levels.c.treated), 0)).where(
        visible(dose_levels, view), dose_levels.c.study_id.in_(studies), dose_levels.c.ordinal > 0
    )
    return int(reader.connection.execute(statement).scalar_one())


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

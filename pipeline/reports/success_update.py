"""The probability of approval of each programme after its latest checkpoint, from the records (F2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from pipeline.assessment.finding import Finding
from pipeline.assessment.replay import is_judged, stops
from pipeline.attrition.checkpoint_update import GO, STOP, RuleRecord, updated
from pipeline.attrition.courses import Courses
from pipeline.attrition.review_benchmarks import phase_now
from pipeline.attrition.review_results import Heard, SuccessProbability, UpdatedSuccess
from pipeline.attrition.review_times import day_of
from pipeline.errors import PipelineError
from pipeline.reports.checkpoint_evidence import methods_of
from pipeline.reports.rule_replay import replay_rule
from pipeline.reports.rules_on_record import RecordedRule, recorded_rules
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.tables import checkpoints
from pipeline.words import Verdict

Key = tuple[str, int]


def success_updates(
    reader: Reader, courses: Courses, beliefs: Sequence[SuccessProbability]
) -> tuple[UpdatedSuccess, ...]:
    """Return what the latest checkpoint of every programme under way makes of its probability of approval.

    One checkpoint counts for a programme: the latest of the phase it is in that rests on evidence, else the latest.

    Args:
        reader: sees the records as they were known.
        courses: the programmes of a review.
        beliefs: their probability of approval by phase.
    """
    by_phase = {one.stage: one for one in beliefs}
    found = _latest(reader, courses, by_phase)
    if not found:
        return ()
    _, graph = reader.graphs.in_force(reader.connection)
    rules = recorded_rules(reader.connection, graph, View(known_at=reader.view.known_at))
    records: dict[Key, RuleRecord | None] = {}
    updates = []
    for place, phase, rows in found:
        heard = [_heard(courses, place, row, rules) for row in rows]
        one = next((each for each in heard if each.said), heard[0])
        key = one.rule, one.rule_version
        if key not in records:
            records[key] = _record(reader, key) if key in rules else None
        beside = [f"{each.rule} {each.rule_version}" for each in heard if each is not one and each.said]
        updates.append(updated(one, by_phase[phase], records[key], courses.settings.fewest, beside))
    return tuple(updates)


def _latest(
    reader: Reader, courses: Courses, by_phase: Mapping[str, SuccessProbability]
) -> list[tuple[int, str, list[Mapping[str, Any]]]]:
    """Return the place of each programme under way, its phase, and the last checkpoint by each rule, latest first."""
    codes, until = courses.phases.codes, day_of(courses.day)
    of_stage = {s.code: n for s, n in zip(courses.portfolio.stages, courses.phases.of_stage, strict=True)}
    now = phase_now(courses).tolist()
    places = {id: n for n, id in enumerate(courses.portfolio.ids.tolist()) if now[n] >= 0 and codes[now[n]] in by_phase}
    table = checkpoints
    statement = select(table).where(visible(table, View(known_at=reader.view.known_at)))
    rows: dict[int, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in reader.connection.execute(statement.order_by(table.c.assessed_on, table.c.id)).mappings():
        place = places.get(row["programme_id"])
        if place is not None and of_stage.get(row["stage"]) == now[place] and row["assessed_on"][:10] <= until:
            rows[place][row["rule_code"]] = dict(row)
    latest = {place: sorted(of.values(), key=lambda row: (row["assessed_on"], row["id"])) for place, of in rows.items()}
    return [(place, codes[now[place]], latest[place][::-1]) for place in sorted(latest)]


def _heard(courses: Courses, place: int, row: Mapping[str, Any], rules: Mapping[Key, RecordedRule]) -> Heard:
    key = row["rule_code"], row["rule_number"]
    finding = Finding(Verdict(row["recommendation"]), row["explanation"], row["statistic"], row["threshold"])
    said = ""
    if is_judged(finding):
        methods = methods_of(rules[key].rule) if key in rules else ()
        said = STOP if stops(methods, finding) else GO
    return Heard(
        programme=row["programme_id"],
        name=courses.portfolio.names[place],
        stage=row["stage"],
        checkpoint=row["id"],
        kind=row["kind"],
        rule=row["rule_code"],
        rule_version=row["rule_number"],
        assessed_on=row["assessed_on"][:10],
        recommendation=row["recommendation"],
        verdict=row["verdict"],
        said=said,
    )


def _record(reader: Reader, key: Key) -> RuleRecord | None:
    """Return what a version of a rule does with the whole past; None where it cannot be run any more."""
    try:
        found = replay_rule(reader, *key).summary
    except PipelineError:
        return None
    return RuleRecord(*key, found.stopped_earlier, found.missed, found.wrongly_stopped, found.correctly_continued)

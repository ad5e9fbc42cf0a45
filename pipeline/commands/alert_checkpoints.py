"""Checkpoints an act bears on: assessments whose evidence it revised, and rules that recommend to stop from now on.

Only what the act can have changed is looked at: checkpoints that rest on the very records it revised, and rules of
the programmes of its molecules, asked where these are now, that compute with the kinds of records it wrote. An early
signal to stop does not wait for a meeting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, literal, select

from pipeline.assessment.composition import judge
from pipeline.assessment.finding import Evidence, Finding
from pipeline.commands.alert_dlt import dlt_rates
from pipeline.commands.alerts import Matter, Touched
from pipeline.reports.assessments_due import Due, asked_of
from pipeline.reports.checkpoint_evidence import COLLECTORS
from pipeline.reports.rule_evidence import evidence_again, evidence_of, values_of
from pipeline.stages.checkpoints import COMPOSED, CheckpointRule
from pipeline.store.basis import ChangedInput, changed_inputs, resting_on
from pipeline.store.checkpoint_tables import rule_definitions
from pipeline.store.columns import Flag
from pipeline.store.journal import Act
from pipeline.store.nodes import NODES, among
from pipeline.store.reader import Reader
from pipeline.store.study_tables import alerts
from pipeline.store.tables import checkpoints, molecules, programmes, study_molecules
from pipeline.words import AlertKind, CheckpointKind, Status, Verdict

KINDS: Mapping[str, AlertKind] = {
    **dict.fromkeys(("A4", "A5"), AlertKind.MARGIN_CROSSED),
    **dict.fromkeys(("B3", "B4", "B5", "B6", "B7", "B8"), AlertKind.DLT_RATE),
    **dict.fromkeys(("A6", "A7", "C3", "C4", "C6", "C7", "C8", "C9", "C11"), AlertKind.FUTILITY),
}
"""Method -> the alert a recommendation to stop raises. Liver, heart and exposure (B9, B10, D9) have rules of their own,
which look at each subject."""

_COMPARABLE = KINDS.keys() - {"A6", "C9"}
"""Methods whose statistic says by itself which of two stops is the worse one."""

_BEARING = frozenset().union(*(COLLECTORS[method].kinds for method in KINDS))
_SHOWN = 3
_AT_ONCE = 500


def checkpoints_concerned(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return the assessments on a basis the act changed, and the rules that recommend NO_GO on its records."""
    yield from _on_changed_basis(act, touched)
    yield from _stops(act, touched)


# ------------------------------------------------------------ a changed basis


def _on_changed_basis(act: Act, touched: Touched) -> Iterator[Matter]:
    concerned: set[int] = set()
    for node, ids in _revised(act, touched).items():
        concerned.update(resting_on(act.connection, node, sorted(ids)))
    held = _newest(act, sorted(concerned))
    changed = changed_inputs(act.connection, [row["id"] for row in held])
    again = evidence_again(_reader(act), [row for row in held if changed[row["id"]]])
    for row in held:
        if changed[row["id"]]:
            yield _changed_matter(act, row, changed[row["id"]], again.get(row["id"]))


def _revised(act: Act, touched: Touched) -> dict[str, set[int]]:
    """Return, by kind, the records that were there before and that this act changed or closed."""
    found: dict[str, set[int]] = {}
    for node in touched.kinds | (touched.revised or {}).keys():
        table = NODES[node].table
        ids = set(act.connection.execute(select(table.c.id).where(table.c.until_act == act.number)).scalars())
        ids |= (touched.revised or {}).get(node, frozenset())
        if ids:
            found[node] = ids
    return found


def _newest(act: Act, checkpoint_ids: Sequence[int]) -> list[Mapping[str, Any]]:
    """Return those of the checkpoints that no later assessment of the same rule in the same stage replaces."""
    of = checkpoints
    rows = [row for some in _some(checkpoint_ids) for row in act.current(of, among(of.c.id, some))]
    newest: dict[tuple[int, str, str], int] = {}
    for some in _some(sorted({row["programme_id"] for row in rows})):
        statement = (
            select(of.c.programme_id, of.c.stage, of.c.rule_code, func.max(of.c.id))
            .where(of.c.until_act.is_(None), among(of.c.programme_id, some))
            .group_by(of.c.programme_id, of.c.stage, of.c.rule_code)
        )
        newest |= {(programme, stage, code): id for programme, stage, code, id in act.connection.execute(statement)}
    return [row for row in rows if newest[row["programme_id"], row["stage"], row["rule_code"]] == row["id"]]


def _changed_matter(
    act: Act,
    row: Mapping[str, Any],
    changed: Sequence[ChangedInput],
    again: tuple[CheckpointRule, Evidence] | None,
) -> Matter:
    programme = act.find(programmes, row["programme_id"])
    name = act.find(molecules, programme["molecule_id"])["name"]
    now = {} if again is None else values_of(again[1])
    listed = ", ".join(
        f"{each.label} (was {each.was}, now {now.get((each.node, each.node_id, each.label), 'not looked at')})"
        for each in changed[:_SHOWN]
    )
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    decided = f"decided {row['verdict']}" if row["verdict"] else "not decided"
    return Matter(
        AlertKind.BASIS_CHANGED,
        f"BASIS:{row['id']}",
        f"{_count(len(changed))} that {row['rule_code']} of {name} at {row['stage']} ({decided}) rests on "
        f"{'was' if len(changed) == 1 else 'were'} corrected: {listed}{more}. {_would_be(row, again)}",
        "Checkpoint",
        row["id"],
        value=float(len(changed)),
        molecule_id=programme["molecule_id"],
        programme_id=programme["id"],
    )


def _count(n: int) -> str:
    return "A record" if n == 1 else f"{n} records"


def _would_be(row: Mapping[str, Any], again: tuple[CheckpointRule, Evidence] | None) -> str:
    """Say what the same version of the rule recommends now."""
    if again is None:
        return "The rule is not on record, so what it would recommend now cannot be told."
    now = judge(*again).recommendation
    if now == row["recommendation"]:
        return f"It still recommends {now}; assess it again."
    return f"It would now recommend {now} instead of {row['recommendation']}; assess it again."


# ------------------------------------------------------------ a stop


def _stops(act: Act, touched: Touched) -> Iterator[Matter]:
    if not (touched.kinds & _BEARING or _composed_in_use(act)):
        return
    for due in asked_of(_reader(act), _programmes(act, touched)):
        watched = due.rule.method in KINDS or due.rule.method == COMPOSED
        if not watched or not due.kinds & touched.kinds:
            continue
        found = judge(due.rule, evidence_of(_reader(act), due.programme, due.rule))
        if found.recommendation is Verdict.NO_GO and not _raised_by_level(act, touched, due):
            yield _stop(act, due, found)


def _composed_in_use(act: Act) -> bool:
    """Whether a rule made of others is in use: any kind of record may bear on it, whatever its parts are."""
    table = rule_definitions
    return bool(act.current(table, table.c.composition.is_not(None), table.c.in_use == literal(True, Flag)))


def _programmes(act: Act, touched: Touched) -> list[dict[str, Any]]:
    """Return the active programmes of the molecules the act touched, or that its studies develop."""
    taken, of = study_molecules, programmes
    ids = set(touched.molecules)
    for some in _some(sorted(touched.studies)):
        ids |= {row["molecule_id"] for row in act.current(taken, among(taken.c.study_id, some))} - {None}
    active = of.c.status == Status.ACTIVE.value
    return [row for some in _some(sorted(ids)) for row in act.current(of, among(of.c.molecule_id, some), active)]


def _kind(rule: CheckpointRule) -> AlertKind:
    by_kind = AlertKind.FUTILITY if rule.kind is CheckpointKind.EFFICACY else AlertKind.DLT_RATE
    return KINDS.get(rule.method, by_kind)


def _raised_by_level(act: Act, touched: Touched, due: Due) -> bool:
    """Whether an alert about a dose level of the molecule's studies says so already, or does in this act."""
    if KINDS.get(due.rule.method) is not AlertKind.DLT_RATE or "event" in due.rule.parameters:
        return False
    taken = study_molecules
    of_molecule = taken.c.molecule_id == due.programme["molecule_id"]
    studies = {row["study_id"] for row in act.current(taken, of_molecule)}
    open_ones = act.current(
        alerts,
        among(alerts.c.study_id, sorted(studies)),
        alerts.c.kind == AlertKind.DLT_RATE.value,
        alerts.c.acknowledged_at.is_(None),
    )
    return bool(open_ones) or any(matter.study_id in studies for matter in dlt_rates(act, touched))


def _stop(act: Act, due: Due, found: Finding) -> Matter:
    programme, rule, _ = due
    comparable = rule.method in _COMPARABLE
    return Matter(
        _kind(rule),
        f"CHECKPOINT:{programme['id']}:{programme['stage']}:{rule.code}",
        f"{rule.code} of {act.find(molecules, programme['molecule_id'])['name']} at {programme['stage']} recommends "
        f"{found.recommendation}: {found.explanation} Assess and decide it.",
        "Programme",
        programme["id"],
        value=found.statistic if comparable else None,
        threshold=found.threshold if comparable else None,
        molecule_id=programme["molecule_id"],
        programme_id=programme["id"],
    )


def _some(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(ids), _AT_ONCE):
        yield ids[first : first + _AT_ONCE]


def _reader(act: Act) -> Reader:
    return Reader(act.connection, act.actor, act.graphs)

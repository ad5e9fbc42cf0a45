"""Assess many rules in one act: those of named programmes, or all that an act can have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.alert_conditions import all_overdue
from pipeline.commands.alerts import raise_alerts
from pipeline.commands.assessments import assess, freeze
from pipeline.errors import InputError
from pipeline.reports.assessments_due import asked_of, assessments_due
from pipeline.reports.rule_evidence import evidence_of
from pipeline.store.journal import Act
from pipeline.store.reader import Reader
from pipeline.store.tables import programmes


@dataclass(frozen=True, slots=True)
class AssessProgrammes:
    """Assess one rule, or every rule that is computed from records, for programmes at their present stages."""

    programmes: tuple[int, ...]
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class AssessChanged:
    """Assess whatever an act can have changed since it was last assessed, in all active programmes.

    Conditions of decisions that fell due meanwhile raise their alerts.
    """


@handles(AssessProgrammes, Permission.ASSESS_CHECKPOINT)
def assess_programmes(act: Act, command: AssessProgrammes) -> Mapping[str, Any]:
    """Assess; a programme at whose stage nothing is computed from records is refused."""
    found: list[int] = []
    for id in command.programmes:
        programme = act.find(programmes, id)
        if command.rule is not None:
            found.append(assess(act, programme, command.rule))
            continue
        reader = Reader(act.connection, act.actor, act.graphs)
        asked = asked_of(reader, [programme])
        if not asked:
            raise InputError(
                f"no rule that is computed from records is asked of programme {id} at {programme['stage']}; "
                "name a rule, or let people record their decision"
            )
        found += [
            freeze(act, programme, due.rule, evidence_of(reader, programme, due.rule), anew=False) for due in asked
        ]
    return {"checkpoints": found}


@handles(AssessChanged, Permission.ASSESS_CHECKPOINT)
def assess_changed(act: Act, _command: AssessChanged) -> Mapping[str, Any]:
    """Assess what is due and has records to be assessed on; equal evidence is not assessed twice."""
    reader = Reader(act.connection, act.actor, act.graphs)
    found = []
    for due in assessments_due(reader):
        evidence = evidence_of(reader, due.programme, due.rule)
        if evidence.seen:
            found.append(freeze(act, due.programme, due.rule, evidence, anew=False))
    return {"checkpoints": found, "alerts": raise_alerts(act, list(all_overdue(act)))}

"""A rule re-run over the past, each programme seen only as it was known then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphene

from pipeline.assessment.replay import Replay, Share
from pipeline.errors import InputError
from pipeline.reports.rule_replay import replay_rule
from pipeline.reports.rules_on_record import latest_parameters, recorded_rules
from pipeline.store.filters import PortfolioFilter
from pipeline.store.reader import Reader
from schema.missed_signals import Estimate
from schema.node import global_id
from schema.reading import given
from schema.scalars import JSON, Date
from schema.stages import CheckpointRule, rule_row
from schema.words import enum_of

ReplayOutcome = enum_of(
    Replay,
    "ReplayOutcome",
    "What a rule would have done with a programme.",
    {
        "STOPPED_EARLIER": "It stopped later for what the rule is to foresee; the rule would have stopped it before.",
        "MISSED": "It stopped for what the rule is to foresee, and the rule would not have stopped it.",
        "WRONGLY_STOPPED": "It went on, and the rule would have stopped it.",
        "CORRECTLY_CONTINUED": "It went on, and the rule would have let it.",
        "IN_PHASE": "It is still at a stage the rule is for, or before it.",
        "STOPPED_OTHERWISE": "It stopped there for another reason: the rule is neither right nor wrong.",
        "NOT_JUDGED": "There was no evidence on record while the rule could have spoken.",
    },
)


class ReplayedProgramme(graphene.ObjectType):
    """What a rule would have done with one programme."""

    programme = given(graphene.ID, required=True, description="Id of the programme; `node(id:)` reads it.")
    outcome = given(ReplayOutcome, required=True, description="What the rule would have done.")
    act = given(graphene.Int, description="The first act on which it would have stopped it.")
    day = given(Date, description="The day of that act.")
    months_saved = given(graphene.Float, required=True, description="From then to the stop, in months.")
    subjects_spared = given(graphene.Int, required=True, description="Subjects treated after it.")


class RuleReplay(graphene.ObjectType):
    """Re-running a changed rule over the past, each programme seen only as it was known then."""

    rule = given(CheckpointRule, required=True, description="The rule, with the parameters it was run with.")
    programmes = given(graphene.Int, required=True, description="How many programmes there are in all.")
    in_phase = given(graphene.Int, required=True, description="Still at a stage the rule is for, or before it.")
    stopped_otherwise = given(
        graphene.Int, required=True, description="Stopped there for what the rule is not to foresee: they stand apart."
    )
    not_judged = given(
        graphene.Int, required=True, description="Without evidence on record while the rule could have spoken."
    )
    stopped_earlier = given(graphene.Int, required=True, description="Stopped by the rule before they were.")
    wrongly_stopped = given(graphene.Int, required=True, description="Went on, and the rule would have stopped them.")
    missed = given(graphene.Int, required=True, description="Stopped, and the rule would have let them go on.")
    correctly_continued = given(graphene.Int, required=True, description="Went on, and the rule would have let them.")
    months_saved = given(graphene.Float, required=True, description="In all, over those stopped earlier.")
    subjects_spared = given(graphene.Int, required=True, description="In all, over those stopped earlier.")
    sensitivity = given(Estimate, required=True, description="Stopped earlier, of those and the missed.")
    specificity = given(Estimate, required=True, description="Correctly continued, of those and the wrongly stopped.")
    outcomes = given(
        graphene.List(graphene.NonNull(ReplayedProgramme)), required=True, description="Programme by programme."
    )


PARAMETERS = graphene.Argument(JSON, description="Parameters to try instead of those defined; the others stay.")


def replay_row(
    reader: Reader, code: str, version: int | None, parameters: Any, wanted: PortfolioFilter
) -> dict[str, Any]:
    """Replay a rule and return the row of `RuleReplay`."""
    if parameters is not None and not isinstance(parameters, Mapping):
        raise InputError("parameters is an object of names and values", path=("parameters",))
    found = replay_rule(reader, code, version, parameters, wanted)
    known = latest_parameters(recorded_rules(reader.connection, reader.graphs.in_force(reader.connection)[1]))
    rule = rule_row(found.recorded, known)
    rule["parameters"] = dict(found.rule.parameters)
    summary = found.summary
    return {
        "rule": rule,
        "programmes": summary.programmes,
        "inPhase": summary.in_phase,
        "stoppedOtherwise": summary.stopped_otherwise,
        "notJudged": summary.not_judged,
        "stoppedEarlier": summary.stopped_earlier,
        "wronglyStopped": summary.wrongly_stopped,
        "missed": summary.missed,
        "correctlyContinued": summary.correctly_continued,
        "monthsSaved": summary.months_saved,
        "subjectsSpared": summary.subjects_spared,
        "sensitivity": _estimate(summary.sensitivity, "no programme stopped for what the rule is to foresee"),
        "specificity": _estimate(summary.specificity, "no programme went on"),
        "outcomes": [
            {
                "programme": global_id("Programme", each.programme),
                "outcome": each.outcome,
                "act": each.act,
                "day": each.day,
                "monthsSaved": each.months,
                "subjectsSpared": each.subjects,
            }
            for each in found.programmes
        ],
    }


def _estimate(share: Share, none: str) -> dict[str, Any]:
    return {
        "value": share.value,
        "k": share.k,
        "n": share.n,
        "low": share.low,
        "high": share.high,
        "method": "Wilson 95 %",
        "reason": None if share.n else none,
    }

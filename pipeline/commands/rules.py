"""Define a new version of a checkpoint rule, and put a version to use once it is known how often it is wrong.

A new version changes nothing by itself: assessments go on by the one in use and keep the version they were made by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from pipeline.access import Permission
from pipeline.assessment.characteristics import characteristics
from pipeline.assessment.operating_figures import EXACT
from pipeline.assessment.soundness import faults
from pipeline.commands import handles
from pipeline.commands.texts import checked
from pipeline.errors import Conflict, InputError, NotFound, NotPermitted, PipelineError, refuse
from pipeline.reports.rules_on_record import latest_parameters, recorded_rules
from pipeline.stages.checkpoints import COMPOSED
from pipeline.store.checkpoint_tables import rule_definitions
from pipeline.store.journal import Act
from pipeline.store.tables import checkpoint_rules
from pipeline.words import CheckpointKind

_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,59}")
_MOST_PARAMETERS = 20_000


@dataclass(frozen=True, slots=True)
class DefineRule:
    """A new version of a rule. `stages`: those it is for; without any, those at which its evidence can come about."""

    code: str
    kind: CheckpointKind
    method: str
    parameters: Mapping[str, Any]
    description: str
    source: str
    stages: tuple[str, ...] = field(default=())


@handles(DefineRule, Permission.DEFINE_RULES)
def define_rule(act: Act, command: DefineRule) -> Mapping[str, Any]:
    """Check a rule, work out how often it is wrong, and record both. It is not in use yet."""
    _, graph = act.graphs.in_force(act.connection)
    rules = recorded_rules(act.connection, graph)
    errors: list[PipelineError] = []
    description = checked(command.description, "description", errors, required=True, longest=1_000)
    source = checked(command.source, "source", errors, required=True, longest=1_000)
    if not _CODE.fullmatch(command.code):
        errors.append(
            InputError(
                "a rule's code is 2 to 60 capital letters, digits and underscores, a letter first; "
                f"{command.code[:60]!r} is not",
                path=("input", "code"),
            )
        )
    kinds = {one.rule.kind for (code, _), one in rules.items() if code == command.code}
    if kinds - {command.kind}:
        errors.append(
            InputError(
                f"{command.code} is a rule about {next(iter(kinds)).lower()}; take another code",
                path=("input", "kind"),
            )
        )
    if not isinstance(command.parameters, Mapping):
        errors.append(InputError("the parameters are an object of names and values", path=("input", "parameters")))
        refuse(errors)
    text = _as_text(command.parameters, errors)
    stages = command.stages or graph.stages_asking(command.code)
    known = latest_parameters(rules)
    errors += faults(
        command.code,
        command.method,
        command.parameters,
        stages,
        {code: parameters for code, (_, parameters) in known.items()},
        [stage.code for stage in graph.stages],
    )
    refuse(errors)
    found = characteristics(command.method, command.parameters, known).as_json()
    content = {
        "code": command.code,
        "kind": command.kind.value,
        "method": command.method,
        "parameters": text,
        "description": description,
        "source": source,
    }
    numbers = [number for code, number in rules if code == command.code]
    if numbers:
        _refuse_the_same(act, max(numbers), content)
    number = max(numbers, default=0) + 1
    id = act.add(checkpoint_rules, content | {"number": number})
    composition = command.parameters.get("composition") if command.method == COMPOSED else None
    act.add(
        rule_definitions,
        {
            "rule_code": command.code,
            "rule_number": number,
            "composition": None if composition is None else orjson.dumps(composition).decode(),
            "stages": orjson.dumps(list(stages)).decode(),
            "characteristics": orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode(),
            "in_use": False,
            "defined_by": act.actor.name,
        },
    )
    return {"rule": id, "code": command.code, "version": number}


def _as_text(parameters: Mapping[str, Any], errors: list[PipelineError]) -> str:
    """Return the parameters as they are kept; refuse, with what was found before, what cannot be."""
    text = ""
    try:
        text = orjson.dumps(dict(parameters), option=orjson.OPT_SORT_KEYS).decode()
    except TypeError as error:
        said = f"the parameters cannot be kept ({error}); use texts, numbers, truth values, lists and objects"
        errors.append(InputError(said, path=("input", "parameters")))
    if len(text) > _MOST_PARAMETERS:
        errors.append(InputError("the parameters are longer than 20,000 characters", path=("input", "parameters")))
    if not text or len(text) > _MOST_PARAMETERS:
        refuse(errors)
    return text


def _refuse_the_same(act: Act, newest: int, content: Mapping[str, Any]) -> None:
    table = checkpoint_rules
    row = act.current(table, table.c.code == content["code"], table.c.number == newest)[0]
    if all(row[name] == value for name, value in content.items()):
        raise Conflict(f"version {newest} of {content['code']} says the very same", node="CheckpointRule", id=row["id"])


@dataclass(frozen=True, slots=True)
class UseRule:
    """Put a version of a rule to use, in place of any other of the same code."""

    code: str
    version: int


@handles(UseRule, Permission.DEFINE_RULES)
def use_rule(act: Act, command: UseRule) -> Mapping[str, Any]:
    """Let assessments be made by a version from now on.

    Where its characteristics are exact they speak for themselves; else somebody other than its author has to be
    satisfied with them.
    """
    table, rules = rule_definitions, checkpoint_rules
    found = act.current(rules, rules.c.code == command.code, rules.c.number == command.version)
    if not found:
        raise NotFound(f"there is no version {command.version} of {command.code[:60]!r}", path=("input", "version"))
    _, graph = act.graphs.in_force(act.connection)
    of_graph = graph.rules.get(command.code)
    own = act.current(table, table.c.rule_code == command.code, table.c.rule_number == command.version)
    if of_graph is not None and command.version < of_graph.version:
        raise InputError(
            f"the state graph in force brings version {of_graph.version} of {command.code}; an older one cannot be "
            "put in its place",
            path=("input", "version"),
        )
    if own and not own[0]["in_use"]:
        exact = orjson.loads(own[0]["characteristics"])["basis"] == EXACT
        if not exact and own[0]["defined_by"] == act.actor.name:
            raise NotPermitted(
                f"{act.actor.name} defined this version, whose characteristics are not exact; somebody else has to "
                "look at them and put it to use",
                permission=Permission.DEFINE_RULES,
            )
    if not own and (of_graph is None or of_graph.version != command.version):
        raise InputError(
            f"version {command.version} of {command.code} came with an earlier state graph and has no "
            "characteristics; define it again to use it",
            path=("input", "version"),
        )
    for row in act.current(table, table.c.rule_code == command.code):
        wanted = row["rule_number"] == command.version
        if bool(row["in_use"]) != wanted:
            act.revise(table, row, {"in_use": wanted})
    return {"rule": found[0]["id"], "code": command.code, "version": command.version}

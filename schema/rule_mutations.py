"""Writing checkpoint rules: a new version with its characteristics, and putting a version to use."""

from __future__ import annotations

import graphene

from pipeline.commands.rules import DefineRule, UseRule
from schema.reading import given
from schema.scalars import JSON
from schema.stages import CheckpointRule
from schema.words import CheckpointKind
from schema.writing import KEY, Written, mutation, payload


class DefineRuleInput(graphene.InputObjectType):
    """A new version of a rule. It is not in use before useRule says so."""

    code = graphene.String(required=True, description="The rule's code; a known one gets its next version.")
    kind = CheckpointKind(required=True, description="Toxicity or efficacy.")
    method = graphene.String(
        required=True, description="The statistic, by its method number; COMPOSED for a rule made of others."
    )
    parameters = JSON(
        required=True,
        description='The bar and what else the method needs; for COMPOSED {"composition": {"and": ["CODE", ...]}}.',
    )
    description = graphene.String(required=True, description="What it asks, in a sentence.")
    source = graphene.String(required=True, description="Where the rule comes from.")
    stages = graphene.List(
        graphene.NonNull(graphene.String),
        description="The stages it is for; where left out, those at which the state graph asks for it.",
    )
    idempotency_key = KEY


class UseRuleInput(graphene.InputObjectType):
    """A version to put to use."""

    code = graphene.String(required=True, description="The rule's code.")
    version = graphene.Int(required=True, description="The version assessments are made by from now on.")
    idempotency_key = KEY


DefineRulePayload = payload("DefineRule", rule=given(CheckpointRule, description="The version defined."))
UseRulePayload = payload("UseRule", rule=given(CheckpointRule, description="The version in use."))


class RuleMutations:
    """Defining rules and putting them to use."""

    define_rule = mutation(
        DefineRulePayload,
        DefineRuleInput,
        lambda input: DefineRule(
            input["code"],
            input["kind"],
            input["method"],
            input["parameters"],
            input["description"],
            input["source"],
            tuple(input.get("stages") or ()),
        ),
        description="Define a new version of a rule; assessments keep the version they were made by.",
        rule=Written("CheckpointRule", "rule"),
    )
    use_rule = mutation(
        UseRulePayload,
        UseRuleInput,
        lambda input: UseRule(input["code"], input["version"]),
        description="Put a version of a rule to use: assessments are made by it from now on.",
        rule=Written("CheckpointRule", "rule"),
    )

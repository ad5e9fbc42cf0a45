"""The fields both graphene peers share: those that are read off a row as they stand."""

from __future__ import annotations

from typing import Any

import graphene
import orjson
from graphene import ID, Boolean, Float, Int, List, String

from pipeline.bench.peers.pages import prefix_of


def _id(node: str) -> Any:
    prefix = prefix_of(node)
    return ID(resolver=lambda root, _info: f"{prefix}{root.id}")


class StageLeaves:
    """A stage."""

    code = String()
    name = String()
    ordinal = Int()


class SynonymLeaves:
    """Another name."""

    name = String()
    source = String()


class CheckpointLeaves:
    """A checkpoint."""

    id = _id("Checkpoint")
    kind = String()
    stage = String()
    recommendation = String()
    verdict = String()
    statistic = Float()
    threshold = Float()
    explanation = String()
    assessed_on = String()
    decided_by = String()


class TransitionLeaves:
    """A transition."""

    id = _id("Transition")
    kind = String()
    status = String()
    occurred_on = String()
    reason = String()
    reason_verbatim = String()


class ProgrammeLeaves:
    """A programme."""

    id = _id("Programme")
    indication = String()
    disease_group = String()
    biomarker = String()
    status = String()
    stage_since = String()


class DoseLeaves:
    """A dose."""

    molecule = String()
    amount = Float()
    unit = String()


class DoseLevelLeaves:
    """A dose level."""

    arm = String()
    ordinal = Int()
    label = String()
    treated = Int()
    with_dlt_at_least = Int()
    with_dlt_at_most = Int()


class StudyLeaves:
    """A study."""

    id = _id("Study")
    code = String()
    title = String()
    phases = List(String, resolver=lambda root, _info: orjson.loads(root.phases))
    registry_id = String()
    status = String()
    started_on = String()
    enrolment = Int()


class SubjectLeaves:
    """A subject."""

    id = _id("Subject")
    code = String()


class RecordLeaves:
    """A concentration."""

    id = _id("MonitoringRecord")
    analyte = String()
    specimen = String()
    profile = String()
    sampled_at = String()
    hours_after_dose = Float()
    nominal_time = String()
    reported = String()
    reported_unit = String()
    concentration = Float()
    unit = String()
    lower_limit = Float()
    below_limit = Boolean()
    state = String()


class MoleculeLeaves:
    """A molecule."""

    id = _id("Molecule")
    code = String()
    name = String()
    modality = String()
    molar_mass = Float()


class PageInfo(graphene.ObjectType):
    """Where a page stands in its list."""

    has_next_page = Boolean()
    has_previous_page = Boolean()
    end_cursor = String()

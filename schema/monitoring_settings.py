"""What monitoring goes by: settings of studies, limits and targets of exposure, and bases of margins."""

from __future__ import annotations

from typing import Any

import graphene
import orjson

from schema.node import Node, connection, is_node, node_id
from schema.reading import column, connected, one
from schema.scalars import JSON
from schema.versions import versions_field


@is_node
class MonitoringSettings(graphene.ObjectType):
    """What a study's monitoring goes by, for one analyte or for all; what is not said is the default."""

    class Meta:
        interfaces = (Node,)

    id = node_id("MonitoringSettings")
    analyte = column(graphene.String, "analyte", required=True, description="The analyte; empty for all.")
    settings = column(JSON, "settings", required=True, description="The settings, by name.")
    version = column(graphene.Int, "version", required=True, description="Version of the record.")
    versions = versions_field("MonitoringSettings")


@is_node
class ExposureLimit(graphene.ObjectType):
    """A cap or target of a molecule's exposure: what lies beyond it raises an alert."""

    class Meta:
        interfaces = (Node,)

    id = node_id("ExposureLimit")
    molecule = one(lambda: _molecule(), "Molecule", parent="molecule_id", description="The molecule.")
    study = one(lambda: _study(), "Study", parent="study_id", description="The study it holds in; null for all.")
    kind = column(graphene.String, "kind", required=True, description="TARGET or CAP.")
    analyte = column(graphene.String, "analyte", description="The analyte it is of; null for any.")
    specimen = column(graphene.String, "specimen", description="The specimen it is in; null for any.")
    indication = column(graphene.String, "indication", description="The indication the figure was found in.")
    parameter = column(graphene.String, "parameter", required=True, description="CMAX, CTROUGH, AUCTAU and the like.")
    relation = column(graphene.String, "relation", required=True, description="AT_LEAST, AT_MOST or WITHIN.")
    lower = column(graphene.Float, "lower", description="What an exposure should reach.")
    upper = column(graphene.Float, "upper", description="What an exposure should not pass.")
    unit = column(graphene.String, "unit", required=True, description="UCUM code of both.")
    source = column(graphene.String, "source", required=True, description="Where the figure comes from.")
    version = column(graphene.Int, "version", required=True, description="Version of the record.")
    versions = versions_field("ExposureLimit")


@is_node
class ToxicityBasis(graphene.ObjectType):
    """The NOAEL, STD10 or HNSTD a nonclinical study found, and the exposure that stands for it."""

    class Meta:
        interfaces = (Node,)

    id = node_id("ToxicityBasis")
    molecule = one(lambda: _molecule(), "Molecule", parent="molecule_id", description="The molecule.")
    study = one(lambda: _study(), "Study", parent="study_id", description="The nonclinical study.")
    basis = column(graphene.String, "basis", required=True, description="NOAEL, STD10 or HNSTD.")
    relation = column(
        graphene.String, "relation", required=True, description="How it lies to the dose: = or > and so on."
    )
    dose_reported = column(graphene.String, "dose_reported", description="The dose in the source's words.")
    dose = column(graphene.Float, "dose", description="The dose.")
    dose_unit = column(graphene.String, "dose_unit", description="UCUM code of the dose.")
    groups = column(
        graphene.List(graphene.NonNull(graphene.String)),
        "group_codes",
        decode=orjson.loads,
        required=True,
        description="Codes of the groups that had it.",
    )
    sex = column(graphene.String, "sex", description="The sex it is of; null for both.")
    analyte = column(graphene.String, "analyte", description="The analyte compared; null for any.")
    specimen = column(graphene.String, "specimen", description="The specimen compared; null for any.")
    parameter = column(graphene.String, "parameter", required=True, description="The parameter compared.")
    profile = column(graphene.String, "profile", description="The dosing interval; null for the last.")
    threshold = column(graphene.Float, "threshold", description="The margin below which an alert is raised.")
    comment = column(graphene.String, "comment", description="What to mind.")
    version = column(graphene.Int, "version", required=True, description="Version of the record.")
    versions = versions_field("ToxicityBasis")


MonitoringSettingsConnection = connection(MonitoringSettings)
ExposureLimitConnection = connection(ExposureLimit)
ToxicityBasisConnection = connection(ToxicityBasis)


def monitoring_settings_field() -> Any:
    """Declare the settings below a study."""
    return connected(
        MonitoringSettingsConnection,
        "MonitoringSettings",
        child="study_id",
        order=("analyte",),
        description="What the monitoring of the study goes by: for all analytes first, then for single ones.",
    )


def exposure_limits_field() -> Any:
    """Declare the limits below a molecule."""
    return connected(
        ExposureLimitConnection,
        "ExposureLimit",
        child="molecule_id",
        description="Caps and targets of its exposure, in the order they were set.",
    )


def toxicity_bases_field() -> Any:
    """Declare the bases below a molecule."""
    return connected(
        ToxicityBasisConnection,
        "ToxicityBasis",
        child="molecule_id",
        description="What its nonclinical studies found, in the order it was stated.",
    )


def _molecule() -> Any:
    from schema.molecules import Molecule

    return Molecule


def _study() -> Any:
    from schema.studies import Study

    return Study

"""What shows benefit: tumours and bodies measured, responses judged, biomarkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene

from pipeline.store.reader import Reader
from schema.conditions import equal, matching
from schema.node import Node, connection, is_node, node_id
from schema.reading import column, computed, connected
from schema.records import OfSubject, qualifiers_field
from schema.scalars import PartialDateTime
from schema.versions import versions_field

_FLAG = "What was repaired, disagrees or could not be read."


def _judgements(_reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[str]:
    return [row["response"] or row["reported"] or "UNKNOWN" for row in rows]


@is_node
class TumourResponse(OfSubject, graphene.ObjectType):
    """A response of one subject, as one assessor judged it."""

    class Meta:
        interfaces = (Node,)

    id = node_id("TumourResponse")
    criteria = column(graphene.String, "criteria", required=True, description="By which criteria, such as RECIST 1.1.")
    test = column(graphene.String, "test", description="What was judged, by the code of the source.")
    reported = column(graphene.String, "reported", description="The judgement as the source writes it.")
    response = computed(
        graphene.String,
        _judgements,
        needs=("response", "reported"),
        required=True,
        description="CR, PR, SD, PD or NE where it can be read so; else as the source writes it, or UNKNOWN.",
    )
    assessor = column(graphene.String, "assessor", description="Who judged.")
    accepted = column(graphene.Boolean, "accepted", description="The one that counts, where several judged.")
    visit = column(graphene.String, "visit", description="The visit, in the source's words.")
    day = column(graphene.Float, "day", description="Study day.")
    assessed_on = column(PartialDateTime, "assessed_on", description="When it was judged.")
    flag = column(graphene.String, "flag", description=_FLAG)
    qualifiers = qualifiers_field("TumourResponse")
    versions = versions_field("TumourResponse")


TumourResponseConnection = connection(TumourResponse)


def responses_field(child: str, of: str) -> Any:
    """Declare the responses below a study or subject."""
    return connected(
        TumourResponseConnection,
        "TumourResponse",
        child=child,
        order=("sorted_on",),
        where=matching(accepted=equal("accepted"), response=equal("response")),
        description=f"Tumour responses {of}, oldest first.",
        accepted=graphene.Boolean(description="Only those that count, or only those that do not."),
        response=graphene.String(description="Only this response, for example PR."),
    )


@is_node
class Measurement(OfSubject, graphene.ObjectType):
    """A lesion's diameter in man, a tumour's volume or the body weight of an animal."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Measurement")
    what = column(graphene.String, "what", required=True, description="What was measured, by the code of the source.")
    lesion = column(graphene.String, "lesion", description="Which lesion.")
    lesion_kind = column(graphene.String, "lesion_kind", description="Target, non-target or new.")
    location = column(graphene.String, "location", description="Where in the body.")
    method = column(graphene.String, "method", description="How it was measured.")
    reported = column(graphene.String, "reported", description="Exactly the text the source gave.")
    reported_unit = column(graphene.String, "reported_unit", description="The unit as the source writes it.")
    value = column(graphene.Float, "value", description="The value as a number, where it is one.")
    unit = column(graphene.String, "unit", description="UCUM code, where the unit is certain.")
    finding = column(graphene.String, "finding", description="What was seen where no number was taken.")
    assessor = column(graphene.String, "assessor", description="Who measured.")
    accepted = column(graphene.Boolean, "accepted", description="The one that counts, where several measured.")
    not_done = column(graphene.String, "not_done", description="Why there is none, where the source says so.")
    visit = column(graphene.String, "visit", description="The visit, in the source's words.")
    day = column(graphene.Float, "day", description="Study day.")
    measured_at = column(PartialDateTime, "measured_at", description="When it was measured.")
    flag = column(graphene.String, "flag", description=_FLAG)
    qualifiers = qualifiers_field("Measurement")
    versions = versions_field("Measurement")


MeasurementConnection = connection(Measurement)


def measurements_field(child: str, of: str) -> Any:
    """Declare the measurements below a study or subject."""
    return connected(
        MeasurementConnection,
        "Measurement",
        child=child,
        order=("sorted_on",),
        where=matching(what=equal("what"), lesion=equal("lesion")),
        description=f"Lesions, tumour volumes and body weights measured {of}, oldest first.",
        what=graphene.String(description="Only of this."),
        lesion=graphene.String(description="Only of this lesion."),
    )


@is_node
class BiomarkerResult(OfSubject, graphene.ObjectType):
    """A biomarker measured or judged in one subject."""

    class Meta:
        interfaces = (Node,)

    id = node_id("BiomarkerResult")
    marker = column(graphene.String, "marker", required=True, description="Which biomarker.")
    assay = column(graphene.String, "assay", description="By which assay.")
    reported = column(graphene.String, "reported", description="Exactly the text the source gave.")
    reported_unit = column(graphene.String, "reported_unit", description="The unit as the source writes it.")
    value = column(graphene.Float, "value", description="The value as a number, where it is one.")
    unit = column(graphene.String, "unit", description="UCUM code, where the unit is certain.")
    cut_off = column(graphene.Float, "cut_off", description="From which value on it counts as positive, in the unit.")
    positive = column(graphene.Boolean, "positive", description="Positive, where that can be said.")
    sampled_at = column(PartialDateTime, "sampled_at", description="When it was sampled.")
    flag = column(graphene.String, "flag", description=_FLAG)
    qualifiers = qualifiers_field("BiomarkerResult")
    versions = versions_field("BiomarkerResult")


BiomarkerConnection = connection(BiomarkerResult, "Biomarker")


def biomarkers_field(child: str, of: str) -> Any:
    """Declare the biomarker results below a study or subject."""
    return connected(
        BiomarkerConnection,
        "BiomarkerResult",
        child=child,
        order=("sorted_on",),
        where=matching(marker=equal("marker"), positive=equal("positive")),
        description=f"Biomarker results {of}, oldest first.",
        marker=graphene.String(description="Only of this marker."),
        positive=graphene.Boolean(description="Only those positive, or only those not."),
    )

"""Exposures of a study: parameters recomputed from the records that count, beside what the source reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import graphene

from pipeline.pharmacology.reported_comparison import Comparison
from pipeline.reports.exposure_margins import exposure_margins, first_doses
from pipeline.reports.exposure_summaries import attainments, proportionalities
from pipeline.reports.study_exposures import Beside, ExposureBeside, exposures_beside
from pipeline.reports.waiting_samples import waiting_beside
from pipeline.store.nodes import among, source_of
from pipeline.store.reader import ID_KEY, Reader
from pipeline.store.selection import Selection
from schema.reading import ReadField, computed, given, one


class ExposureParameter(graphene.ObjectType):
    """One exposure parameter, ours and the source's."""

    code = given(graphene.String, required=True, description="CDISC code, for example CMAX, AUCLST, LAMZHL, CLFO.")
    value = given(graphene.Float, description="Recomputed here; null with the reason in `flag`.")
    unit = given(graphene.String, required=True, description="UCUM code of the value.")
    flag = given(graphene.String, description="Why there is no value, or what to mind about it.")
    method = given(graphene.String, required=True, description="Method, version, rules and the points it rests on.")
    reported = given(graphene.Float, description="What the source reports, in its own unit.")
    reported_text = given(graphene.String, description="The very text the source gives.")
    reported_unit = given(graphene.String, description="The unit of the source.")
    in_reported_unit = given(graphene.Float, description="Our value in the unit of the source.")
    comparison = given(
        graphene.String,
        required=True,
        description=(
            "AGREES (within half the last printed digit or 0.5 %), DISAGREES, NOT_REPORTED, or NOT_COMPUTED where only "
            "the source has a value."
        ),
    )
    cause = given(graphene.String, description="What probably explains a difference.")


class Exposure(graphene.ObjectType):
    """Exposure parameters of one subject or pool, analyte and specimen after one dose."""

    subject = one(lambda: _subject(), "Subject", parent="subject_id", description="Of whom; null for a pool.")
    pool = given(graphene.String, description="Code of the pool of specimens; null for a subject.")
    analyte = given(graphene.String, required=True, description="What was measured.")
    specimen = given(graphene.String, required=True, description="In what.")
    interval = given(graphene.String, required=True, description="After which dose, for example: day 29.")
    day = given(graphene.Float, description="Study day of the dose, where it is known.")
    tau_hours = given(graphene.Float, description="Dosing interval, h, where it is known.")
    samples = given(graphene.Int, required=True, description="How many samples it rests on.")
    terminal_times = given(
        graphene.List(graphene.NonNull(graphene.Float)),
        required=True,
        description="Times, h after the dose, of the points the terminal slope rests on.",
    )
    waiting = given(
        graphene.String, description="What of it waits on the review list, in a sentence; null where nothing does."
    )
    parameters = given(graphene.List(graphene.NonNull(ExposureParameter)), required=True, description="The parameters.")


def _subject() -> Any:
    from schema.subjects import Subject

    return Subject


def parameter_row(beside: Beside) -> dict[str, Any]:
    """Return a parameter as a row of `ExposureParameter`."""
    parameter = beside.parameter
    return {
        "code": parameter.code,
        "value": parameter.value,
        "unit": parameter.unit,
        "flag": parameter.flag,
        "method": parameter.method,
        "reported": beside.reported,
        "reportedText": beside.reported_text,
        "reportedUnit": beside.reported_unit,
        "inReportedUnit": beside.in_reported_unit,
        "comparison": Comparison(beside.comparison).value,
        "cause": beside.cause,
    }


def _row(each: ExposureBeside, waiting: str | None) -> dict[str, Any]:
    profile = each.profile
    return {
        "subject_id": profile.whose.subject,
        "pool": each.pool,
        "analyte": profile.whose.analyte,
        "specimen": profile.whose.specimen,
        "interval": profile.interval,
        "day": profile.day,
        "tauHours": each.exposure.tau_h,
        "samples": len(profile.samples),
        "terminalTimes": list(each.exposure.terminal_h),
        "waiting": waiting,
        "parameters": [parameter_row(row) for row in each.rows],
    }


def _exposures(
    reader: Reader, rows: Sequence[Mapping[str, Any]], arguments: Mapping[str, Any], selection: Selection | None
) -> list[list[dict[str, Any]]]:
    ids = [row["id"] for row in rows]
    found = exposures_beside(reader, sorted(set(ids)), arguments.get("analyte"), arguments.get("specimen"))
    waiting = waiting_beside(reader, {id: [each.profile for each in of] for id, of in found.items()})
    answers = {id: list(map(_row, of, waiting[id])) for id, of in found.items()}
    _link(reader, answers.values(), selection, "subject", "Subject")
    return [answers[id] for id in ids]


def _link(
    reader: Reader, levels: Iterable[list[dict[str, Any]]], selection: Selection | None, name: str, node: str
) -> None:
    """Put the records that the rows name by `<name>_id` below them, where they are asked for."""
    asked = selection.fields.get(name) if selection is not None else None
    if asked is None:
        return
    rows = [row for level in levels for row in level]
    source = source_of(node, reader.view)
    wanted = sorted({row[f"{name}_id"] for row in rows if row[f"{name}_id"] is not None})
    found = reader.rows(asked.below[node], [among(source.c.id, wanted)], source=source)
    by_id = {record[ID_KEY]: record for record in found}
    for row in rows:
        row[name] = by_id.get(row[f"{name}_id"])


def exposures_field() -> ReadField:
    """Declare the exposures of a study."""
    return computed(
        graphene.List(graphene.NonNull(Exposure)),
        _exposures,
        needs=("id",),
        required=True,
        description="Non-compartmental parameters recomputed from the records that count, beside the source's own.",
        analyte=graphene.String(description="Only of this analyte."),
        specimen=graphene.String(description="Only in this specimen."),
    )


class ExposureMargin(graphene.ObjectType):
    """What animals had at a safe or toxic dose, over what people have at one dose level."""

    basis = given(graphene.String, required=True, description="NOAEL, STD10 or HNSTD.")
    species = given(graphene.String, required=True, description="The species of the basis.")
    study = one(lambda: _study(), "Study", parent="study_id", required=True, description="The toxicology study.")
    parameter = given(graphene.String, required=True, description="CDISC code of the exposure compared.")
    animal = given(graphene.Float, required=True, description="Mean of the animals, in the unit of the human one.")
    animals = given(graphene.Int, required=True, description="How many animals it is the mean of.")
    human = given(graphene.Float, required=True, description="Mean of the people at the dose level.")
    people = given(graphene.Int, required=True, description="How many people it is the mean of.")
    unit = given(graphene.String, required=True, description="UCUM code of both.")
    human_dose_level = given(graphene.String, required=True, description="The dose level of the people.")
    margin = given(graphene.Float, required=True, description="Animal over human.")
    threshold = given(graphene.Float, description="The margin that is asked for.")
    crossed = given(graphene.Boolean, required=True, description="Whether the margin is below the threshold.")


class FirstDose(graphene.ObjectType):
    """A first dose in people that the toxicology on record allows."""

    method = given(graphene.String, required=True, description="A2_mrsd (from the NOAEL) or A3_ich_s9_start.")
    basis = given(graphene.String, description="The species, or the rule, that decides.")
    mg_per_kg = given(graphene.Float, description="mg/kg; null with the reason in `doubts`.")
    mg_per_m2 = given(graphene.Float, description="mg/m2, where the method gives it.")
    mg = given(graphene.Float, description="Flat dose, mg.")
    doubts = given(
        graphene.List(graphene.NonNull(graphene.String)),
        required=True,
        description="What to mind, and what is missing.",
    )


def _study() -> Any:
    from schema.studies import Study

    return Study


def _margins(
    reader: Reader, rows: Sequence[Mapping[str, Any]], _arguments: Mapping[str, Any], selection: Selection | None
) -> list[list[dict[str, Any]]]:
    ids = [row["id"] for row in rows]
    answers = {
        id: [
            {
                "basis": each.basis,
                "species": each.species,
                "study_id": each.study_id,
                "parameter": each.parameter,
                "animal": each.margin.animal,
                "animals": each.animals,
                "human": each.margin.human,
                "people": each.people,
                "unit": each.margin.unit,
                "humanDoseLevel": each.margin.human_level,
                "margin": each.margin.margin,
                "threshold": each.margin.threshold,
                "crossed": each.margin.crossed,
            }
            for each in found.margins
        ]
        for id, found in exposure_margins(reader, sorted(set(ids))).items()
    }
    _link(reader, answers.values(), selection, "study", "Study")
    return [answers[id] for id in ids]


def _doubts(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[list[str]]:
    found = exposure_margins(reader, sorted({row["id"] for row in rows}))
    return [found[row["id"]].doubts for row in rows]


def _first_doses(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[list[dict[str, Any]]]:
    found = first_doses(reader, sorted({row["id"] for row in rows}))
    answers: dict[int, list[dict[str, Any]]] = {}
    for id, doses in found.items():
        answers[id] = []
        if doses.from_noael is not None:
            result = doses.from_noael
            answers[id].append(
                {
                    "method": "A2_mrsd",
                    "basis": result.selected_species,
                    "mgPerKg": result.mrsd_mg_per_kg,
                    "mgPerM2": None,
                    "mg": result.mrsd_mg,
                    "doubts": [*doses.doubts, *result.flags],
                }
            )
        if doses.for_cancer is not None:
            start = doses.for_cancer
            answers[id].append(
                {
                    "method": "A3_ich_s9_start",
                    "basis": start.basis.value,
                    "mgPerKg": start.start_mg_per_kg,
                    "mgPerM2": start.start_mg_per_m2,
                    "mg": start.start_mg_flat,
                    "doubts": [*doses.doubts, *start.flags],
                }
            )
    return [answers[row["id"]] for row in rows]


class DoseProportionality(graphene.ObjectType):
    """How an exposure parameter grows with dose (D5): slope 1 is proportional."""

    analyte = given(graphene.String, required=True, description="What was measured.")
    specimen = given(graphene.String, required=True, description="In what.")
    parameter = given(graphene.String, required=True, description="CDISC code of the exposure.")
    dose_unit = given(graphene.String, required=True, description="UCUM code of the doses.")
    subjects = given(graphene.Int, required=True, description="Subjects with a dose and this parameter.")
    slope = given(graphene.Float, description="Slope of ln exposure on ln dose.")
    low = given(graphene.Float, description="Lower 90 % limit of the slope.")
    high = given(graphene.Float, description="Upper 90 % limit of the slope.")
    conclusion = given(
        graphene.String,
        description="proportional, not_proportional, inconclusive or exploratory; null without a slope.",
    )
    reason = given(graphene.String, description="Why there is no slope.")


class TargetAttainment(graphene.ObjectType):
    """How many subjects reach a target of their molecule, by the last exposure of each."""

    parameter = given(graphene.String, required=True, description="CTROUGH, AUCTAU and so on.")
    relation = given(graphene.String, required=True, description="How the target is meant: >, >= or between.")
    lower = given(graphene.Float, description="Lower limit of the target.")
    upper = given(graphene.Float, description="Upper limit of the target; null where there is none.")
    unit = given(graphene.String, required=True, description="UCUM code of the limits.")
    indication = given(graphene.String, description="For which indication.")
    source = given(graphene.String, required=True, description="Who says so.")
    judges = given(
        graphene.List(graphene.NonNull(graphene.String)),
        required=True,
        description="Indications of the molecule's programmes that are judged by it: it is for them, or names none and "
        "no other is for them.",
    )
    k = given(graphene.Int, required=True, description="Subjects at target.")
    n = given(graphene.Int, required=True, description="Subjects whose exposure could be told.")
    rate = given(graphene.Float, description="k over n; null below five subjects.")
    low = given(graphene.Float, description="Lower 95 % limit (Wilson).")
    high = given(graphene.Float, description="Upper 95 % limit (Wilson).")
    not_told = given(graphene.Int, required=True, description="Subjects sampled whose exposure could not be told.")
    without_response = given(graphene.Int, required=True, description="Subjects assessed without a tumour response.")
    without_response_below = given(
        graphene.Int, required=True, description="Those of them below target: a possible false negative of efficacy."
    )
    conclusion = given(graphene.String, required=True, description="What follows for the efficacy seen, in a sentence.")


def _proportionalities(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[list[dict[str, Any]]]:
    found = proportionalities(reader, sorted({row["id"] for row in rows}))
    answers = {
        id: [
            {
                "analyte": each.analyte,
                "specimen": each.specimen,
                "parameter": each.parameter,
                "doseUnit": each.dose_unit,
                "subjects": each.subjects,
                "slope": each.result.slope,
                "low": None if each.result.slope_ci is None else each.result.slope_ci[0],
                "high": None if each.result.slope_ci is None else each.result.slope_ci[1],
                "conclusion": each.result.conclusion and each.result.conclusion.value,
                "reason": each.result.reason and each.result.reason.value,
            }
            for each in of
        ]
        for id, of in found.items()
    }
    return [answers[row["id"]] for row in rows]


def _attainments(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[list[dict[str, Any]]]:
    found = attainments(reader, sorted({row["id"] for row in rows}))
    answers = {
        id: [
            {
                "parameter": each.parameter,
                "relation": each.relation,
                "lower": each.lower,
                "upper": each.upper,
                "unit": each.unit,
                "indication": each.indication,
                "source": each.source,
                "judges": list(each.judges),
                "k": each.k,
                "n": each.n,
                "rate": each.rate,
                "low": each.low,
                "high": each.high,
                "notTold": each.not_told,
                "withoutResponse": each.without_response,
                "withoutResponseBelow": each.without_response_below,
                "conclusion": each.conclusion,
            }
            for each in of
        ]
        for id, of in found.items()
    }
    return [answers[row["id"]] for row in rows]


def proportionality_field() -> ReadField:
    """Declare how exposure grows with dose in a study."""
    return computed(
        graphene.List(graphene.NonNull(DoseProportionality)),
        _proportionalities,
        needs=("id",),
        required=True,
        description="How exposure grows with dose, one value for each subject.",
    )


def attainment_field() -> ReadField:
    """Declare how many subjects reach the targets of a molecule."""
    return computed(
        graphene.List(graphene.NonNull(TargetAttainment)),
        _attainments,
        needs=("id",),
        required=True,
        description="How many subjects reach each target, and what that means for the efficacy seen.",
    )


def margins_field() -> ReadField:
    """Declare the exposure margins of a molecule."""
    return computed(
        graphene.List(graphene.NonNull(ExposureMargin)),
        _margins,
        needs=("id",),
        required=True,
        description="Exposures and margins from animal to man, side by side, from the records as they stand.",
    )


def margin_doubts_field() -> ReadField:
    """Declare why margins of a molecule cannot be given."""
    return computed(
        graphene.List(graphene.NonNull(graphene.String)),
        _doubts,
        needs=("id",),
        required=True,
        description="Why other margins cannot be given, each in a sentence.",
    )


def first_doses_field() -> ReadField:
    """Declare the first doses of a molecule."""
    return computed(
        graphene.List(graphene.NonNull(FirstDose)),
        _first_doses,
        needs=("id",),
        required=True,
        description="First doses in people that follow from the NOAEL, STD10 and HNSTD on record.",
    )

"""Missed signals below the attrition review, and how findings in animals agree with events in people."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import graphene
from graphql import GraphQLResolveInfo

from pipeline.attrition import missed_signals as results
from pipeline.attrition.concordance import SystemConcordance
from pipeline.errors import InputError
from pipeline.reports.attrition_review import ReviewRequest, signals_of
from pipeline.store.nodes import among, source_of
from pipeline.store.reader import ID_KEY, Reader
from pipeline.store.selection import Selection, View
from pipeline.words import AttritionReason as Reason
from schema.node import Node, global_id, id_of
from schema.programmes import Programme
from schema.reading import FORWARD, given
from schema.scalars import Date
from schema.selection import selection_below
from schema.stages import Stage, stage_row
from schema.words import AttritionReason

if TYPE_CHECKING:
    from pipeline.attrition.review_results import Estimate as EstimateResult
    from pipeline.reports.missed_signals import SignalReview
    from pipeline.stages.graph import StageGraph

KEY = "signals"
MOST = 1000
_PEOPLE = "People of the molecule's studies whose first dose lies after the signal and not after the stop"


class Estimate(graphene.ObjectType):
    """An estimate never travels without its numbers: k of n, and a two-sided 95 % interval with its method."""

    value = given(graphene.Float, description="The rate; null where too few outcomes are known to show one.")
    k = given(graphene.Int, required=True, description="How many passed, or were late.")
    n = given(graphene.Int, required=True, description="Out of how many whose outcome is known.")
    low = given(graphene.Float, description="Lower limit; null where there is no rate.")
    high = given(graphene.Float, description="Upper limit; null where there is no rate.")
    method = given(graphene.String, required=True, description="How the limits were found.")
    reason = given(graphene.String, description="Why there is no rate; null where there is one.")


def estimate_row(estimate: EstimateResult) -> dict[str, Any]:
    """Return an estimate as a row of `Estimate`."""
    return {name: getattr(estimate, name) for name in ("value", "k", "n", "low", "high", "method", "reason")}


class DosedInStudy(graphene.ObjectType):
    """How many people were dosed in one study between a signal and the stop."""

    study = given(graphene.ID, required=True, description="Id of the study; `node(id:)` reads it.")
    counted_by = given(
        graphene.String, required=True, description="FIRST_DOSE, REFERENCE_START, ENROLMENT or NOT_COUNTED."
    )
    subjects = given(graphene.Int, required=True, description="How many.")


class MissedSignal(graphene.ObjectType):
    """A scientific stop, and the first earlier record that carried the same signal."""

    programme = given(Programme, required=True, description="The programme that was stopped.")
    reason = given(AttritionReason, required=True, description="Why.")
    signal = given(graphene.String, required=True, description="What the record says, and of what.")
    about = given(
        graphene.String,
        required=True,
        description="ORGAN: or ENDPOINT: with a system or family, MARGIN, ABOVE_LIMIT, SHORTFALL, TOXICITY, EFFICACY.",
    )
    match = given(
        graphene.String,
        required=True,
        description="SAME: the same organ system, endpoint family, margin or shortfall. KIND: the same kind of signal "
        "only, because the stop or the record does not say of what.",
    )
    basis = given(
        graphene.String,
        required=True,
        description="What says what the stop was about: its TEXT, the RECORDS of its stage, or NOT_STATED.",
    )
    signal_stage = given(Stage, required=True, description="Where the programme stood then.")
    stop_stage = given(Stage, required=True, description="Where it was stopped.")
    signal_on = given(Date, required=True, description="When it happened: from then on it could have been known.")
    dated_by = given(
        graphene.String, required=True, description="What dates it: OWN_DATE, STUDY_DAY, STUDY_END or RECORDED."
    )
    known_on = given(
        Date, required=True, description="When such a record was first recorded: from then on it was known."
    )
    stopped_on = given(Date, required=True, description="When the programme was stopped.")
    could_have_known_days = given(graphene.Int, required=True, description="Days from the signal to the stop.")
    did_know_days = given(
        graphene.Int,
        required=True,
        description="Days from the first recording to the stop; negative where it was recorded after it.",
    )
    subjects_dosed_after_signal = given(graphene.Int, required=True, description=f"{_PEOPLE}.")
    subjects_dosed_after_known = given(graphene.Int, required=True, description="The same from the first recording on.")
    dosed = given(
        graphene.List(graphene.NonNull(DosedInStudy)),
        required=True,
        description="Of the subjects after the signal: in which studies, and how they were counted.",
    )
    records = given(graphene.Int, required=True, description="How many earlier records carried the same signal.")
    evidence = given(Node, required=True, description="The record; the study where it is no record of its own.")
    known_evidence = given(Node, required=True, description="The one of them that was recorded first.")
    cursor = given(graphene.ID, required=True, description="Stands for this place in the list: ask on with `after`.")


class OrganConcordance(graphene.ObjectType):
    """Preclinical finding against clinical event in one organ system, over the molecules reviewed."""

    system = given(graphene.String, required=True, description="The organ system; ALL for all pairs together.")
    name = given(graphene.String, required=True, description="The same in words.")
    both = given(graphene.Int, required=True, description="Found in animals and in people.")
    finding_only = given(graphene.Int, required=True, description="Found in animals, not in people.")
    event_only = given(graphene.Int, required=True, description="Found in people, looked for in animals, not found.")
    neither = given(graphene.Int, required=True, description="Looked for in both, found in neither.")
    not_studied_in_animals = given(graphene.Int, required=True, description="Studied in people only.")
    not_studied_in_people = given(graphene.Int, required=True, description="Studied in animals only.")
    studied_in_none = given(graphene.Int, required=True, description="Studied in neither.")
    sensitivity = given(Estimate, required=True, description="Of the events in people, those found in animals.")
    specificity = given(Estimate, required=True, description="Of those without event, those without finding.")
    positive_predictive = given(Estimate, required=True, description="Of the findings, those with an event in people.")
    negative_predictive = given(Estimate, required=True, description="Of those without finding, those without event.")
    likelihood_ratio_positive = given(graphene.Float, description="LR+; null where a cell is empty or small.")
    likelihood_ratio_positive_low = given(graphene.Float, description="Its lower 95 % limit.")
    likelihood_ratio_positive_high = given(graphene.Float, description="Its upper 95 % limit.")
    likelihood_ratio_negative = given(graphene.Float, description="LR-; null where a cell is empty or small.")
    likelihood_ratio_negative_low = given(graphene.Float, description="Its lower 95 % limit.")
    likelihood_ratio_negative_high = given(graphene.Float, description="Its upper 95 % limit.")


class MissedTotal(graphene.ObjectType):
    """The sum over the scientific stops of one kind."""

    kind = given(graphene.String, required=True, description="ALL, TOXICITY, EFFICACY or EXPOSURE.")
    stops = given(graphene.Int, required=True, description="Stops of this kind.")
    with_signal = given(graphene.Int, required=True, description="Those an earlier record told of.")
    same = given(graphene.Int, required=True, description="Of these, those with the same signal, not only its kind.")
    known_before_stop = given(graphene.Int, required=True, description="Those where it was recorded before the stop.")
    median_could_days = given(graphene.Float, description="Median days it could have been known before.")
    median_did_days = given(graphene.Float, description="Median days it was known before, where it was.")
    subjects_dosed_after_signal = given(
        graphene.Int, required=True, description=f"{_PEOPLE}, each person counted once."
    )
    studies_not_counted = given(
        graphene.Int, required=True, description="Studies of people with neither dated subjects nor enrolment."
    )


class OfSignals:
    """What the records of studies say beside the moves of programmes."""

    missed_signals = graphene.List(
        graphene.NonNull(MissedSignal),
        required=True,
        **FORWARD,
        description="For each scientific stop, the first earlier record that carried the same signal; by day of stop.",
    )
    missed_totals = graphene.List(
        graphene.NonNull(MissedTotal), required=True, description="The same in sums, by kind of stop."
    )
    concordance = graphene.List(
        graphene.NonNull(OrganConcordance),
        required=True,
        description="Preclinical findings against clinical events, all systems first, then each with anything found.",
    )

    @staticmethod
    def resolve_missed_signals(
        row: Mapping[str, Any], info: GraphQLResolveInfo, first: int | None = 25, after: str | None = None
    ) -> Any:
        """Pick a page, and read the programmes and the records behind it."""
        found = row[KEY]()
        page = _page(found.review.missed.signals, 25 if first is None else first, after)
        return found.rows(page, info)

    @staticmethod
    def resolve_missed_totals(row: Mapping[str, Any], _info: GraphQLResolveInfo) -> Any:
        """Give the sums."""
        names = {
            "kind": "kind",
            "stops": "stops",
            "withSignal": "with_signal",
            "same": "same",
            "knownBeforeStop": "known_before_stop",
            "medianCouldDays": "median_could_days",
            "medianDidDays": "median_did_days",
            "subjectsDosedAfterSignal": "subjects_dosed_after_signal",
            "studiesNotCounted": "studies_not_counted",
        }
        totals = row[KEY]().review.missed.totals
        return [{name: getattr(one, of) for name, of in names.items()} for one in totals]

    @staticmethod
    def resolve_concordance(row: Mapping[str, Any], _info: GraphQLResolveInfo) -> Any:
        """Give the two-by-two tables."""
        return [_concordance(one) for one in row[KEY]().review.concordance]


def signals_below(reader: Reader, request: ReviewRequest, graph: StageGraph) -> Callable[[], _Found]:
    """Return what searches the records once it is asked for, and only then."""

    @functools.cache
    def found() -> _Found:
        return _Found(reader, signals_of(reader, request), graph)

    return found


class _Found:
    """Signals that were found, ready to be shown to one reader."""

    def __init__(self, reader: Reader, review: SignalReview, graph: StageGraph) -> None:
        self.reader = reader
        self.review = review
        self.graph = graph

    def rows(self, page: Sequence[results.MissedSignal], info: GraphQLResolveInfo) -> list[dict[str, Any]]:
        """Return a page as rows of `MissedSignal`."""
        programmes = self._programmes(page, selection_below(info, "programme"))
        # What is evidence was known then; the day that is looked back from does not hide it.
        reader = self.reader.at(View(known_at=self.reader.view.known_at))
        evidence = _records(reader, [(one.node, one.node_id) for one in page], selection_below(info, "evidence"))
        known = _records(
            reader, [(one.known_node, one.known_node_id) for one in page], selection_below(info, "knownEvidence")
        )
        return [
            {
                "programme": programmes.get(one.programme),
                "reason": Reason(one.reason),
                "signal": one.signal,
                "about": one.about,
                "match": one.match,
                "basis": one.basis,
                "signalStage": self._stage(one.signal_stage),
                "stopStage": self._stage(one.stop_stage),
                "signalOn": one.signal_on,
                "datedBy": one.dated_by,
                "knownOn": one.known_on,
                "stoppedOn": one.stopped_on,
                "couldHaveKnownDays": one.could_have_known_days,
                "didKnowDays": one.did_know_days,
                "subjectsDosedAfterSignal": one.subjects_dosed_after_signal,
                "subjectsDosedAfterKnown": one.subjects_dosed_after_known,
                "dosed": [
                    {"study": global_id("Study", of.study), "countedBy": of.counted_by, "subjects": of.subjects}
                    for of in one.dosed
                ],
                "records": one.records,
                "evidence": evidence.get((one.node, one.node_id)),
                "knownEvidence": known.get((one.known_node, one.known_node_id)),
                "cursor": global_id("Transition", one.transition),
            }
            for one in page
        ]

    def _programmes(
        self, page: Sequence[results.MissedSignal], below: Mapping[str, Selection]
    ) -> dict[int, dict[str, Any]]:
        if not below or not page:
            return {}
        source = source_of("Programme", self.reader.view)
        ids = sorted({one.programme for one in page})
        found = self.reader.rows(below["Programme"], [among(source.c.id, ids)], source=source)
        return {row[ID_KEY]: row for row in found}

    def _stage(self, code: str) -> dict[str, Any]:
        if code in self.graph:
            return stage_row(self.graph.stage(code))
        return {"code": code, "name": code, "platform": "", "ordinal": 0}


def _records(
    reader: Reader, wanted: Sequence[tuple[str, int]], below: Mapping[str, Selection]
) -> dict[tuple[str, int], dict[str, Any]]:
    """Read records of several nodes, one statement for each node among them."""
    ids: dict[str, set[int]] = {}
    for node, id in wanted:
        ids.setdefault(node, set()).add(id)
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for node, selection in below.items():
        if node in ids:
            source = source_of(node, reader.view)
            for row in reader.rows(selection, [among(source.c.id, sorted(ids[node]))], source=source):
                found[node, row[ID_KEY]] = row
    return found


def _page(signals: Sequence[results.MissedSignal], first: int, after: str | None) -> Sequence[results.MissedSignal]:
    if not 0 <= first <= MOST:
        raise InputError(f"first takes 0 to {MOST}, got {first}", path=("first",))
    start = 0
    if after is not None:
        last = id_of(after, "Transition", path=("after",))
        places = [place for place, one in enumerate(signals) if one.transition == last]
        if not places:
            raise InputError("after takes the cursor of a signal of this review", path=("after",))
        start = places[0] + 1
    return signals[start : start + first]


def _concordance(one: SystemConcordance) -> dict[str, Any]:
    return {
        "system": one.system,
        "name": one.name,
        "both": one.both,
        "findingOnly": one.finding_only,
        "eventOnly": one.event_only,
        "neither": one.neither,
        "notStudiedInAnimals": one.not_studied_in_animals,
        "notStudiedInPeople": one.not_studied_in_people,
        "studiedInNone": one.studied_in_none,
        "sensitivity": estimate_row(one.sensitivity),
        "specificity": estimate_row(one.specificity),
        "positivePredictive": estimate_row(one.ppv),
        "negativePredictive": estimate_row(one.npv),
        "likelihoodRatioPositive": one.lr_positive,
        "likelihoodRatioPositiveLow": one.lr_positive_low,
        "likelihoodRatioPositiveHigh": one.lr_positive_high,
        "likelihoodRatioNegative": one.lr_negative,
        "likelihoodRatioNegativeLow": one.lr_negative_low,
        "likelihoodRatioNegativeHigh": one.lr_negative_high,
    }

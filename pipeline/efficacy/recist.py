"""Tumour response by RECIST 1.1: one time point (C1), and the best overall response of a patient (C2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import at_least, at_most

PARTIAL_RESPONSE_PERCENT = -30.0
PROGRESSION_PERCENT = 20.0
PROGRESSION_MM = 5.0

SOURCE = "Eisenhauer EA et al. Eur J Cancer 2009;45:228-247"


class Response(StrEnum):
    """What one assessment, or a patient's whole course, came to."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    NE = "NE"


class NonTarget(StrEnum):
    """Status of the lesions that are followed but not measured."""

    CR = "CR"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    NE = "NE"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimepointResponse(Outcome):
    """Response at one assessment; the changes are in percent, negative for shrinkage."""

    pct_change_baseline: float | None
    pct_change_nadir: float | None
    target_response: Response | None
    overall_response: Response


@dataclass(frozen=True, slots=True, kw_only=True)
class BestResponse(Outcome):
    """Best overall response of one patient, with and without the demand of confirmation."""

    confirmed_bor: Response
    unconfirmed_bor: Response


@method("C1_recist_timepoint", version=1, title="RECIST 1.1 time-point response", source=SOURCE)
def timepoint_response(
    baseline_sum_mm: float | None,
    nadir_sum_mm: float | None,
    current_sum_mm: float | None,
    target_complete: bool,
    non_target: NonTarget = NonTarget.NONE,
    new_lesion: bool = False,
    all_targets_evaluated: bool = True,
) -> TimepointResponse:
    """Judge one tumour assessment.

    Target lesions: PD when the sum is at least 5 mm and at least 20 % above the smallest sum so far (from a nadir of
    0, at least 5 mm); CR when all are gone; PR when the sum is at least 30 % below baseline; else SD. PD is tested
    before PR. Where not all were assessed the target response is NE, unless the assessed ones alone meet PD. Overall:
    PD for a new lesion, non-target PD or target PD; a target CR counts as PR until the non-target lesions are gone.

    A patient without target lesions has no sums: all three are null, the target response is missing, and the overall
    response is PD for a new lesion or non-target PD, else the status of the non-target lesions.

    After a confirmed partial response a sum that drifts back above -30 % of baseline without PD is SD by this
    arithmetic; a reader who records PR keeps the own value beside it. Immunotherapy needs iRECIST on top.

    Args:
        baseline_sum_mm: sum of the target diameters at baseline, mm (short axis for nodes), > 0; null where there are
            no target lesions.
        nadir_sum_mm: smallest sum so far, baseline included, mm. An assessment that left out a target lesion has no
            sum that could be the smallest. Null where there are no target lesions.
        current_sum_mm: sum now, mm; None when none was measured.
        target_complete: every target lesion is gone and every target node is below 10 mm short axis.
        non_target: status of the non-target lesions; NONE where there are none.
        new_lesion: a new lesion was seen.
        all_targets_evaluated: every target lesion was assessed.

    Raises:
        InputError: a sum is negative, the baseline is 0, the nadir lies above the baseline, or there are neither
            target lesions nor any others.
    """
    if baseline_sum_mm is None or nadir_sum_mm is None:
        if any(value is not None for value in (baseline_sum_mm, nadir_sum_mm, current_sum_mm)):
            raise InputError(
                "baseline and nadir belong together: give both, or no sum at all where there are no target lesions",
                path=("baseline_sum_mm" if baseline_sum_mm is None else "nadir_sum_mm",),
            )
        return _without_targets(non_target, new_lesion)
    _check_sums(baseline_sum_mm, nadir_sum_mm, current_sum_mm)
    from_baseline = from_nadir = None
    progressed = False
    if current_sum_mm is not None:
        from_baseline = 100 * (current_sum_mm - baseline_sum_mm) / baseline_sum_mm
        progressed = at_least(current_sum_mm - nadir_sum_mm, PROGRESSION_MM)
        if nadir_sum_mm > 0:
            from_nadir = 100 * (current_sum_mm - nadir_sum_mm) / nadir_sum_mm
            progressed = progressed and at_least(from_nadir, PROGRESSION_PERCENT)
    if current_sum_mm is None or not all_targets_evaluated:
        target = Response.PD if progressed else Response.NE
    elif target_complete:
        target = Response.CR
    elif progressed:
        target = Response.PD
    elif from_baseline is not None and at_most(from_baseline, PARTIAL_RESPONSE_PERCENT):
        target = Response.PR
    else:
        target = Response.SD
    changes = {"pct_change_baseline": from_baseline, "pct_change_nadir": from_nadir}
    why = Reason.NO_DATA if current_sum_mm is None else Reason.UNDEFINED_LIMIT
    return TimepointResponse(
        pct_change_baseline=from_baseline,
        pct_change_nadir=from_nadir,
        target_response=target,
        overall_response=_overall(target, non_target, new_lesion),
        missing={name: why for name, change in changes.items() if change is None},
    )


def _without_targets(non_target: NonTarget, new_lesion: bool) -> TimepointResponse:
    if non_target is NonTarget.NONE:
        raise InputError(
            "without target lesions the status of the others is needed: there is nothing to follow",
            path=("non_target",),
        )
    return TimepointResponse(
        pct_change_baseline=None,
        pct_change_nadir=None,
        target_response=None,
        overall_response=Response.PD if new_lesion else Response(non_target),
        missing=dict.fromkeys(("pct_change_baseline", "pct_change_nadir", "target_response"), Reason.NO_DATA),
    )


def _check_sums(baseline_mm: float, nadir_mm: float, current_mm: float | None) -> None:
    if baseline_mm <= 0:
        raise InputError(
            f"the baseline sum must be above 0 mm, got {baseline_mm:g}; give null where there is no target lesion",
            path=("baseline_sum_mm",),
        )
    if nadir_mm < 0 or nadir_mm > baseline_mm:
        raise InputError(
            f"the nadir must lie between 0 and the baseline sum of {baseline_mm:g} mm, which it includes; "
            f"got {nadir_mm:g}",
            path=("nadir_sum_mm",),
        )
    if current_mm is not None and current_mm < 0:
        raise InputError(f"a sum of diameters cannot be negative, got {current_mm:g} mm", path=("current_sum_mm",))


def _overall(target: Response, non_target: NonTarget, new_lesion: bool) -> Response:
    if new_lesion or non_target is NonTarget.PD or target is Response.PD:
        return Response.PD
    if target is Response.CR and non_target not in (NonTarget.CR, NonTarget.NONE):
        return Response.PR
    return target


@method(
    "C2_recist_bor", version=1, title="Best overall response, confirmed and unconfirmed", source=SOURCE + ", Table 3"
)
def best_overall_response(
    day: Sequence[int],
    timepoint_response: Sequence[Response],
    min_sd_day: int = 42,
    confirm_days: int = 28,
    max_ne_between: int = 1,
    accept_sd_between: bool = False,
) -> BestResponse:
    """Return the best response over a patient's assessments, in the order CR > PR > SD > PD > NE.

    Assessments after the first PD do not count. A CR is confirmed by the first CR at least `confirm_days` later with
    only CR and at most `max_ne_between` NE between; a PR by the first CR or PR at least `confirm_days` later with only
    CR, PR and so many NE between (and one SD where accepted), and no PR following a CR among them. Stable disease,
    and a response that is not confirmed, need an assessment at or after `min_sd_day`. A CR followed by a PR is not
    possible in clean data: the result then carries the flag `cr_then_pr`, for a data query.

    Args:
        day: days of the assessments counted from the start of treatment, rising.
        timepoint_response: overall response at each of them.
        min_sd_day: first day on which stable disease counts as such.
        confirm_days: smallest distance between a response and its confirmation.
        max_ne_between: how many assessments between them may be not evaluable.
        accept_sd_between: whether one SD between two PR is accepted.

    Raises:
        InputError: the lists differ in length, the days do not rise, or a limit is negative.
    """
    if len(day) != len(timepoint_response):
        raise InputError(
            f"every assessment needs a day and a response; got {len(day)} days and {len(timepoint_response)} responses",
            path=("day",),
        )
    for before, after in pairwise(day):
        if after <= before:
            raise InputError(f"the days must rise; {after} follows {before}", path=("day",))
    if min(confirm_days, max_ne_between) < 0:
        raise InputError("confirm_days and max_ne_between cannot be negative", path=("confirm_days",))
    course = list(zip(day, timepoint_response, strict=True))
    for index, (_, response) in enumerate(course):
        if response is Response.PD:
            course = course[: index + 1]
            break
    first_cr = next((on for on, response in course if response is Response.CR), None)
    query = first_cr is not None and any(on > first_cr for on, response in course if response is Response.PR)
    return BestResponse(
        confirmed_bor=_confirmed(course, min_sd_day, confirm_days, max_ne_between, accept_sd_between),
        unconfirmed_bor=_unconfirmed(course, min_sd_day),
        reason=None if course else Reason.NO_DATA,
        flags=("cr_then_pr",) if query else (),
    )


Course = Sequence[tuple[int, Response]]


def _unconfirmed(course: Course, min_sd_day: int) -> Response:
    for best in (Response.CR, Response.PR):
        if any(response is best for _, response in course):
            return best
    return _without_response(course, min_sd_day, (Response.SD,))


def _without_response(course: Course, min_sd_day: int, stable: Sequence[Response]) -> Response:
    late = [response for on, response in course if on >= min_sd_day]
    if any(response in stable for response in late):
        return Response.SD
    if Response.NON_CR_NON_PD in late:
        return Response.NON_CR_NON_PD
    return Response.PD if any(response is Response.PD for _, response in course) else Response.NE


def _confirmed(course: Course, min_sd_day: int, confirm_days: int, max_ne: int, accept_sd: bool) -> Response:
    complete, partial = {Response.CR}, {Response.CR, Response.PR}
    for first, confirming in ((Response.CR, complete), (Response.PR, partial)):
        for index, (on, response) in enumerate(course):
            if response is not first:
                continue
            later = _up_to_confirmation(course[index + 1 :], on + confirm_days, confirming)
            if later and _agrees(later, confirming, max_ne, 1 if accept_sd and first is Response.PR else 0):
                return first
    return _without_response(course, min_sd_day, (Response.CR, Response.PR, Response.SD))


def _up_to_confirmation(after: Course, earliest: int, confirming: set[Response]) -> list[Response]:
    """Return the responses up to the first confirming one on or after the earliest day; empty without one."""
    for index, (on, response) in enumerate(after):
        if on >= earliest and response in confirming:
            return [between for _, between in after[: index + 1]]
    return []


def _agrees(later: list[Response], confirming: set[Response], max_ne: int, max_sd: int) -> bool:
    """Return whether what lies between, and the confirmation itself, leaves the response standing."""
    others = [response for response in later if response not in confirming]
    if others.count(Response.NE) > max_ne or others.count(Response.SD) > max_sd:
        return False
    falls_back = Response.CR in later and Response.PR in later[later.index(Response.CR) :]
    return not falls_back and set(others) <= {Response.NE, Response.SD}

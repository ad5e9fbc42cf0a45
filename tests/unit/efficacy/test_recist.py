from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.efficacy.recist import NonTarget, Response, best_overall_response, timepoint_response
from pipeline.errors import InputError
from pipeline.outcome import Reason

ORDER = [Response.CR, Response.PR, Response.SD, Response.NON_CR_NON_PD, Response.PD, Response.NE]
responses = st.lists(st.sampled_from(list(Response)), max_size=8)
sums_mm = st.floats(min_value=0.1, max_value=500)


def course(days: list[int], words: str, **settings_of: object) -> tuple[str, str]:
    best = best_overall_response(days, words.split(), **settings_of)  # type: ignore[arg-type]
    return best.confirmed_bor, best.unconfirmed_bor


@pytest.mark.parametrize(
    ("nadir", "current", "expected"), [(15.6, 20.6, "PD"), (30.3, 36.36, "PD"), (10.1, 15.1, "PD")]
)
def test_an_increase_of_exactly_the_limit_is_progression(nadir: float, current: float, expected: str) -> None:
    assert timepoint_response(100, nadir, current, False).target_response == expected


def test_exactly_thirty_percent_less_is_a_partial_response() -> None:
    assert timepoint_response(43.3, 43.3, 43.3 * 0.7, False).target_response == "PR"
    assert timepoint_response(43.3, 43.3, 43.3 * 0.7 + 1e-6, False).target_response == "SD"


def test_nothing_measured_is_missing_and_says_so() -> None:
    found = timepoint_response(100, 80, None, False, NonTarget.NONE, False, False)
    assert (found.target_response, found.pct_change_baseline) == ("NE", None)
    assert found.missing == dict.fromkeys(("pct_change_baseline", "pct_change_nadir"), Reason.NO_DATA)


def test_a_new_lesion_is_progression_whatever_else_is_missing() -> None:
    assert timepoint_response(100, 80, None, False, NonTarget.NE, True, False).overall_response == "PD"


def test_from_a_nadir_of_zero_no_percentage_exists() -> None:
    assert timepoint_response(60, 0, 4.9, False).missing == {"pct_change_nadir": Reason.UNDEFINED_LIMIT}
    assert timepoint_response(60, 0, 4.9, False).target_response == "PR"


@pytest.mark.parametrize("sums", [(0, 0, 10), (-1, -1, 0), (50, 60, 55), (50, -1, 40), (50, 40, -1)])
def test_impossible_sums_are_refused(sums: tuple[float, float, float]) -> None:
    with pytest.raises(InputError):
        timepoint_response(*sums, False)


# Eisenhauer 2009, Table 2: time point response, patients with non-target disease only.
@pytest.mark.parametrize(
    ("non_target", "new_lesion", "overall"),
    [
        (NonTarget.CR, False, "CR"),
        (NonTarget.NON_CR_NON_PD, False, "NON-CR/NON-PD"),
        (NonTarget.NE, False, "NE"),
        (NonTarget.PD, False, "PD"),
        *((status, True, "PD") for status in NonTarget if status is not NonTarget.NONE),
    ],
)
def test_without_target_lesions_the_others_decide(non_target: NonTarget, new_lesion: bool, overall: str) -> None:
    found = timepoint_response(None, None, None, False, non_target, new_lesion)
    assert (found.overall_response, found.target_response) == (overall, None)
    assert set(found.missing) == {"pct_change_baseline", "pct_change_nadir", "target_response"}


@pytest.mark.parametrize("sums", [(None, None, None), (None, 50, 40), (50, None, 40), (None, None, 40)])
def test_sums_come_together_or_other_lesions_are_followed(sums: tuple[float | None, ...]) -> None:
    with pytest.raises(InputError):
        timepoint_response(*sums, False)  # type: ignore[arg-type]


@given(sums_mm, st.floats(0, 1), sums_mm, st.floats(min_value=0, max_value=200))
@settings(max_examples=50)
def test_more_tumour_is_never_a_better_response(baseline: float, share: float, current: float, more: float) -> None:
    nadir = baseline * share
    now = timepoint_response(baseline, nadir, current, False)
    later = timepoint_response(baseline, nadir, current + more, False)
    assert ORDER.index(later.target_response) >= ORDER.index(now.target_response)
    assert ORDER.index(now.overall_response) >= ORDER.index(now.target_response)


@pytest.mark.parametrize(
    ("days", "words", "expected"),
    [
        ([60, 74, 95], "PR CR PR", ("SD", "CR")),  # a PR after a CR: not possible in clean data
        ([60, 74, 101], "PR CR CR", ("PR", "CR")),
        ([60, 74, 102], "PR CR CR", ("CR", "CR")),
        ([60, 74, 88, 102], "PR NE NE PR", ("SD", "PR")),
        ([60, 88], "PR CR", ("PR", "CR")),
        ([60, 87], "PR PR", ("SD", "PR")),
        ([60, 80, 100, 130], "PD CR CR CR", ("PD", "PD")),
        ([60, 120], "NON-CR/NON-PD PD", ("NON-CR/NON-PD", "NON-CR/NON-PD")),
        ([], "", ("NE", "NE")),
    ],
)
def test_best_response_of_a_course(days: list[int], words: str, expected: tuple[str, str]) -> None:
    assert course(days, words) == expected


def test_a_cr_before_a_pr_asks_for_a_data_query() -> None:
    assert best_overall_response([56, 112], ["CR", "PR"]).flags == ("cr_then_pr",)  # type: ignore[list-item]
    assert best_overall_response([56, 112], ["PR", "CR"]).flags == ()  # type: ignore[list-item]


def test_no_assessment_is_not_evaluable_for_want_of_data() -> None:
    assert best_overall_response([], []).reason is Reason.NO_DATA


@pytest.mark.parametrize(("days", "words"), [([10, 10], "SD SD"), ([20, 10], "SD SD"), ([10], "SD SD"), ([10], "MR")])
def test_a_course_that_cannot_be_is_refused(days: list[int], words: str) -> None:
    with pytest.raises(InputError):
        course(days, words)


@given(responses, st.data())
@settings(max_examples=50)
def test_confirmation_never_makes_a_response_better(words: list[Response], data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.integers(1, 60), min_size=len(words), max_size=len(words)))
    best = best_overall_response(list(accumulate(gaps)), words)
    assert ORDER.index(best.confirmed_bor) >= ORDER.index(best.unconfirmed_bor)
    if Response.PD in words:
        cut = words.index(Response.PD) + 1
        assert best_overall_response(list(accumulate(gaps))[:cut], words[:cut]) == best


def defined_confirmed(days: list[int], words: list[str], interval: int, most_ne: int, one_sd: bool) -> str:
    """Confirmed response as defined, pair by pair: the first that confirms, and what lies between."""
    end = words.index("PD") + 1 if "PD" in words else len(words)
    found = {"NE"}
    for first in range(end):
        for word, confirms, stable in (("CR", {"CR"}, 0), ("PR", {"CR", "PR"}, int(one_sd))):
            later = (n for n in range(first + 1, end) if words[n] in confirms and days[n] - days[first] >= interval)
            second = next(later, None)
            if words[first] != word or second is None:
                continue
            between = words[first + 1 : second + 1]
            allowed = all(w in {*confirms, "NE", *({"SD"} if stable else ())} for w in between)
            counted = between.count("NE") <= most_ne and between.count("SD") <= stable
            worse = any(between[a] == "CR" and "PR" in between[a:] for a in range(len(between)))
            found |= {word} if allowed and counted and not worse else set()
        if days[first] >= 42 and words[first] in {"CR", "PR", "SD"}:
            found.add("SD")
        if words[first] == "PD" or (days[first] >= 42 and words[first] == "NON-CR/NON-PD"):
            found.add(words[first])
    return min(found, key=[str(response) for response in ORDER].index)


@given(
    st.lists(st.tuples(st.sampled_from([14, 21, 28, 42]), st.sampled_from(["CR", "PR", "PR", "SD", "NE", "PD"]))),
    st.sampled_from([21, 28, 56]),
    st.integers(0, 2),
    st.booleans(),
)
@settings(max_examples=100)
def test_the_confirmed_response_is_as_defined(
    rows: list[tuple[int, str]], interval: int, most_ne: int, one_sd: bool
) -> None:
    days, words = list(accumulate(gap for gap, _ in rows)), [word for _, word in rows]
    limits = {"confirm_days": interval, "max_ne_between": most_ne, "accept_sd_between": one_sd}
    assert course(days, " ".join(words), **limits)[0] == defined_confirmed(days, words, interval, most_ne, one_sd)

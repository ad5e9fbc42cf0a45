"""The rule book: what each method recommends on published examples, one small table for each."""

from __future__ import annotations

import math
import re

import pytest

from pipeline.assessment.evaluation import evaluate
from pipeline.assessment.finding import Evidence
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.words import CheckpointKind, Verdict

GO, CONDITIONAL_GO, HOLD, RECYCLE, NO_GO = (
    Verdict.GO,
    Verdict.CONDITIONAL_GO,
    Verdict.HOLD,
    Verdict.RECYCLE,
    Verdict.NO_GO,
)


def found(method: str, parameters: dict, inputs: dict, missing: tuple[str, ...] = ()):
    rule = CheckpointRule("RULE", 1, CheckpointKind.EFFICACY, method, parameters, "as written", "a publication")
    return evaluate(rule, Evidence(inputs, (), missing))


def levels(course: str) -> list[dict]:
    """Read "1NNN 2NNT": at level 1 three without, at level 2 two without and one with a dose-limiting toxicity."""
    counts: dict[str, list[int]] = {}
    for label, outcomes in re.findall(r"(\d)([NT]+)", course):
        of = counts.setdefault(label, [0, 0])
        of[0] += len(outcomes)
        of[1] += outcomes.count("T")
    return [{"label": f"level {label}", "treated": n, "with_dlt": t} for label, (n, t) in sorted(counts.items())]


BOIN = {"target": 0.3, "cutoff_eliminate": 0.95}


@pytest.mark.parametrize(
    ("course", "verdict", "dose"),
    [
        # 3/3/15/9 subjects with 0/0/4/4 toxicities: level 3 (the example of Yuan et al. 2016)
        ("1NNN 2NNN 3NNNNNNNNNNNTTTT 4NNNNNTTTT", GO, "level 3"),
        ("1NNN 2NNT 2NNN", GO, "level 2"),
        ("1NNN 2NNN", GO, "level 2"),
        ("1TTT", NO_GO, None),
        ("1NTTTTT 2TTT", NO_GO, None),
        # two of two is no ground yet to give the lowest dose up
        ("1TT", GO, "level 1"),
    ],
)
def test_escalation_selects_the_dose_nearest_the_target(course, verdict, dose):
    result = found("B4", BOIN, {"levels": levels(course)})
    assert (result.recommendation, result.outcome.get("mtd")) == (verdict, dose)


@pytest.mark.parametrize(
    ("course", "verdict", "dose"),
    [
        ("1NNN 2NNN 3NNT 3NNN 4NTT", GO, "level 3"),
        ("1NNN 2NNT 2NNT", GO, "level 1"),
        ("1NNN 2NTT", GO, "level 1"),
        ("1NNT", HOLD, None),  # three more at level 1
        ("1NNN 2NN", HOLD, None),  # the cohort is not complete
        ("1NNN 2NNN", GO, "level 2"),  # the maximum is not reached
        ("1NTT", NO_GO, None),
        ("1NNT 1NNT", NO_GO, None),
        ("1N 2N 3TT", HOLD, None),  # one subject does not pass a dose
        ("1NNN 2NNNNNNNNNNNT", GO, "level 2"),  # any six of twelve have at most one
        ("1NNN 2NNNNTTT", GO, "level 1"),  # any six of seven have at least two
    ],
)
def test_three_plus_three_cohort_by_cohort(course, verdict, dose):
    result = found("B3", {}, {"levels": levels(course)})
    assert (result.recommendation, result.outcome.get("mtd")) == (verdict, dose)


@pytest.mark.parametrize("course", ["1NNN 2NNNNNTT", "1NNN 2NNNNNNNNTTTT", "1NNNNNTT 2NTT"])
def test_three_plus_three_does_not_speak_of_more_than_six_where_it_depends_on_the_first_six(course):
    result = found("B3", {}, {"levels": levels(course)})
    assert (result.recommendation, result.statistic, result.outcome) == (HOLD, None, {})
    assert "3+3 counts 6 subjects at a dose" in result.explanation
    assert found("B3", {}, {"levels": levels("1NNN 2NTT 3NNNNNTT")}).outcome["mtd"] == "level 1"


def test_three_plus_three_goes_on_to_a_planned_dose_and_fills_up_the_one_below():
    planned = [*levels("1NNN"), {"label": "level 2", "treated": 0, "with_dlt": 0}]
    result = found("B3", {}, {"levels": planned})
    assert result.recommendation is HOLD
    assert "level 1 is passed; level 2 is next" in result.explanation
    twice = {"levels": levels("1NNN 2NTT")}
    assert found("B3", {"allow_deescalate": True}, twice).recommendation is HOLD
    full = {"levels": levels("1NNN 1NNT 2NTT")}
    assert found("B3", {"allow_deescalate": True}, full).outcome["mtd"] == "level 1"


@pytest.mark.parametrize(
    ("course", "verdict", "dose", "following"),
    [
        ("1NNN", GO, "level 1", "E"),
        ("1NNN 2NNNNTT", GO, "level 2", "S"),
        ("1NNN 2NNNTTT", GO, "level 2", "D"),
        ("1TTT", NO_GO, None, "D"),
    ],
)
def test_the_strongest_key_says_where_to_go_next(course, verdict, dose, following):
    result = found("B5", {"target": 0.3}, {"levels": levels(course)})
    assert (result.recommendation, result.outcome.get("mtd"), result.outcome["next"]) == (verdict, dose, following)


GUESSES = {"target": 0.25, "skeleton": [0.03, 0.11, 0.25, 0.42, 0.58]}


@pytest.mark.parametrize(
    ("course", "verdict", "dose"),
    [
        ("1NNN 2NNN 3NNNNTT", GO, "level 3"),  # an estimated rate of 0.246 at level 3
        ("1NNN", HOLD, None),  # the model would go where nobody has been
        ("1TTT", NO_GO, None),
    ],
)
def test_the_reassessed_dose_has_to_have_been_given(course, verdict, dose):
    result = found("B6", GUESSES, {"levels": levels(course)})
    assert (result.recommendation, result.outcome.get("mtd")) == (verdict, dose)


def test_reassessment_by_the_published_fit_and_only_with_guesses_for_every_dose():
    result = found("B6", GUESSES, {"levels": levels("1NNN 2NNN 3NNNNTT")})
    assert result.outcome["rates"] == pytest.approx([0.02879, 0.1072, 0.246, 0.4157, 0.5763], rel=1e-3)
    skipped = [*levels("1NNN"), {"label": "level 2", "treated": 0, "with_dlt": 0}, *levels("3NTT")]
    jumped = found("B6", {"target": 0.25, "skeleton": [0.1, 0.25, 0.45]}, {"levels": skipped})
    assert (jumped.recommendation, "level 2, which nobody had" in jumped.explanation) == (HOLD, True)
    short = found("B6", {"target": 0.25, "skeleton": [0.1, 0.2]}, {"levels": levels("1NNN 2NNN 3NNN")})
    assert short.explanation == (
        "It cannot be assessed yet. Missing: a skeleton for 3 dose levels (a parameter of the rule). "
        "Define a version of the rule that states it."
    )
    assert found("B6", {"target": 0.25}, {"levels": levels("1NNN 2NNT 3TTT")}).outcome["mtd"] == "level 1"


def followed(course: str) -> dict:
    """Read "1 NNN; 2 N14 T9 L5": followed for 28 days, for 14, with a toxicity on day 9, left on day 5."""
    subjects = []
    for cohort in course.split("; "):
        level, *told = cohort.split()
        for letter, days in re.findall(r"([NTL])(\d*)", " ".join(told)):
            about = {"id": len(subjects), "level": int(level), "dlt": int(letter == "T"), "left": letter == "L"}
            subjects.append({**about, "followed_days": int(days or 28)})
    return {"levels": ["level 1", "level 2", "level 3", "level 4", "level 5"], "subjects": subjects}


@pytest.mark.parametrize(
    ("course", "target", "verdict", "dose", "following"),
    [
        # What the effective sample size decides: 3, 2.21, 1.54, 2.71, 5.25 and 5.5 subjects.
        ("1 NNN", 0.3, GO, "level 1", "E"),
        ("1 N N20 N14", 0.3, HOLD, None, "SUSPEND"),
        ("1 N N10 N5", 0.3, HOLD, None, "SUSPEND"),
        ("1 N T9 N20", 0.3, CONDITIONAL_GO, "level 1", "D"),
        ("1 NNN N21 N14 T10", 0.3, CONDITIONAL_GO, "level 1", "E"),
        ("1 NNN; 2 NN T12 N T20 N14", 0.25, CONDITIONAL_GO, "level 2", "D"),
        # From nine subjects on the thresholds of TITE-BOIN: with 1 of 9 at a target of 0.2 and 3 pending escalation
        # needs a follow-up of 0.77 windows, that is 21.6 days; with 4 pending 2.15 windows, 60.2 days.
        ("1 NNN; 2 NNNNN T N14 N7 N1", 0.2, CONDITIONAL_GO, "level 2", "E"),
        ("1 NNN; 2 NNNNN T N14 N6 N1", 0.2, CONDITIONAL_GO, "level 2", "S"),
        ("1 NNN; 2 NNNN T N22 N20 N14 N5", 0.2, CONDITIONAL_GO, "level 2", "E"),
        ("1 NNN; 2 NNNN T N22 N20 N14 N4", 0.2, CONDITIONAL_GO, "level 2", "S"),
        # With 2 of 9 and 2 pending it goes down up to 1.59 windows: 44.5 days.
        ("1 NNN; 2 NNNNN TT N22 N22", 0.2, CONDITIONAL_GO, "level 2", "D"),
        ("1 NNN; 2 NNNNN TT N23 N22", 0.2, CONDITIONAL_GO, "level 2", "S"),
        # A dose is given up only where it is whatever becomes of those pending.
        ("1 TT N1", 0.3, CONDITIONAL_GO, "level 1", "D"),
        ("1 TTT N1", 0.3, NO_GO, None, None),
        ("2 TTT", 0.3, NO_GO, None, None),  # the lowest dose that was given
        ("1 NNN; 2 TTT", 0.3, GO, "level 1", "D"),
        # Who left without a toxicity before the window ended is replaced.
        ("1 NNN L5 L9", 0.3, GO, "level 1", "E"),
        ("1 L5 L9", 0.3, HOLD, None, None),
    ],
)
def test_pending_subjects_count_by_how_long_they_were_followed(course, target, verdict, dose, following):
    result = found("B7", {"target": target, "window_days": 28}, followed(course))
    assert (result.recommendation, result.outcome.get("mtd"), result.outcome.get("next")) == (verdict, dose, following)


def test_with_everybody_followed_pending_rules_end_as_the_plain_ones_do():
    course = "1 NNN; 2 NNN; 3 NNNNNNNNNNNTTTT; 4 NNNNNTTTT"
    plain = {"levels": levels("1NNN 2NNN 3NNNNNNNNNNNTTTT 4NNNNNTTTT")}
    rule = {"target": 0.3, "window_days": 28}
    for design, method in (("BOIN", "B4"), ("KEYBOARD", "B5")):
        result, beside = found("B7", rule | {"design": design}, followed(course)), found(method, BOIN, plain)
        assert (result.recommendation, result.outcome["mtd"]) == (beside.recommendation, beside.outcome["mtd"])
        assert result.statistic == pytest.approx(beside.statistic, rel=1e-12)
    model = found("B7", GUESSES | {"window_days": 28, "design": "CRM"}, followed(course))
    beside = found("B6", GUESSES, {"levels": [*plain["levels"], {"label": "level 5", "treated": 0, "with_dlt": 0}]})
    assert model.outcome["mtd"] == beside.outcome["mtd"]
    assert model.outcome["rates"] == pytest.approx(beside.outcome["rates"], rel=1e-9)


TITE_CRM = GUESSES | {"window_days": 42, "design": "CRM"}


@pytest.mark.parametrize(
    ("course", "verdict", "dose"),
    [
        ("1 N42N42N42; 2 N42T11N42; 3 N30N21T9", CONDITIONAL_GO, "level 2"),
        ("1 N42N42N42; 2 N42N42N42", HOLD, None),  # the model would go where nobody has been
        ("1 N5N3N1", HOLD, None),  # nobody is followed yet
        ("1 T5T3T1", NO_GO, None),
    ],
)
def test_the_model_weighs_those_pending(course, verdict, dose):
    result = found("B7", TITE_CRM, followed(course))
    assert (result.recommendation, result.outcome.get("mtd")) == (verdict, dose)


def test_the_model_with_pending_subjects_by_its_published_fit():
    result = found("B7", TITE_CRM, followed("1 N42N42N42; 2 N42T11N42; 3 N30N21T9"))
    assert result.outcome["rates"] == pytest.approx([0.1022517, 0.2380218, 0.4059568, 0.5688512, 0.7017089], rel=1e-5)


def test_those_who_left_may_be_kept_with_what_they_were_followed():
    kept = {"target": 0.3, "window_days": 28, "left_early": "weighted"}
    result = found("B7", kept, followed("1 NNN L14"))
    assert (result.outcome["followed"][0], result.outcome["pending"], result.outcome["replaced"]) == (3.5, 1, 0)
    replaced = found("B7", kept | {"left_early": "replaced"}, followed("1 NNN L14"))
    assert (replaced.outcome["followed"][0], replaced.outcome["replaced"]) == (3, 1)
    assert "1 subject left before the window ended, to be replaced." in replaced.explanation


@pytest.mark.parametrize("method", ["B3", "B4", "B5", "B6"])
def test_more_toxicities_than_subjects_contradict_themselves(method):
    wrong = [{"label": "level 1", "treated": 3, "with_dlt": 4}]
    result = found(method, GUESSES, {"levels": wrong})
    assert (result.recommendation, "contradicts itself" in result.explanation) == (HOLD, True)


@pytest.mark.parametrize(
    ("responders", "evaluable", "verdict"),
    # Exact limits: 0.138 to 0.441 of 10 in 37, 0.0025 to 0.445 of 1 in 10, 0 to 0.119 of 0 in 29.
    [(10, 37, GO), (1, 10, HOLD), (0, 29, NO_GO)],
)
def test_a_response_rate_by_its_exact_interval(responders, evaluable, verdict):
    result = found("C3", {"p0": 0.1, "p1": 0.25}, {"responders": responders, "evaluable": evaluable})
    assert result.recommendation is verdict


def test_an_event_is_held_against_the_rate_of_the_label():
    rule = {"target": 0.02, "prior": [0.02, 0.98], "cutoff": 0.95, "event": "Myocarditis"}
    more, as_many = ({"with_dlt": k, "treated": 1200} for k in (40, 24))
    assert found("B8", rule, more).recommendation is NO_GO
    assert found("B8", rule, as_many).recommendation is GO
    assert "40 of 1200 subjects had the event Myocarditis" in found("B8", rule, more).explanation


def test_what_only_the_centre_can_state_is_waited_for_not_guessed():
    rule = {"cutoff": 0.95, "centre_states": ["event", "target"]}
    inputs = {"with_dlt": 3, "treated": 3}
    result = found("B8", rule | {"event": "Myocarditis"}, inputs)
    assert result.recommendation is HOLD
    assert result.explanation.startswith(
        "It cannot be assessed yet. Missing: target (parameters only the centre can state"
    )
    stated = found("B8", rule | {"event": "Myocarditis", "target": 0.1}, inputs)
    assert stated.recommendation is NO_GO  # under a prior worth one subject, of mean 0.1


MONITORED = {"target": 0.3, "prior": [0.6, 1.4], "cutoff": 0.95}


@pytest.mark.parametrize(
    ("course", "verdict"),
    [("1NNN", GO), ("1NNT", GO), ("1NTT", GO), ("1TTT", NO_GO), ("1NNNTTT", GO), ("1NNTTTT", GO), ("1NTTTTT", NO_GO)],
)
def test_toxicity_is_followed_subject_by_subject(course, verdict):
    (level,) = levels(course)
    assert found("B8", MONITORED, level).recommendation is verdict


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ("ALT 3.0 1, BILI 2.1 1, ALP 1.9 1", HOLD),  # the case of the law
        ("ALT 3.0 1, BILI 2.0 1, ALP 1.0 1", GO),  # Temple's corollary
        ("ALT 2.9 1, BILI 5.0 1, ALP 1.0 1", GO),  # cholestasis
        ("ALT 8.0 1, BILI 4.0 1, ALP 2.0 1", GO),  # the alkaline phosphatase explains it
        ("ALT 8.0 1, BILI 4.0 1", HOLD),  # nobody can tell whether it does
        ("AST 8.0 8, BILI 4.0 38, ALP 1.0 8", HOLD),  # bilirubin followed within 30 days
        ("AST 8.0 8, BILI 4.0 39, ALP 1.0 8", GO),  # it came too late to belong to it
        ("AST 8.0 8, BILI 4.0 1, ALP 1.0 8", GO),  # it was there before
        ("ALT 9.0 8, ALT 4.0 30, BILI 4.0 45, ALP 1.0 30", HOLD),  # not the peak, but the pair
        ("ALT 8.0 8, BILI 4.0 8, ALP 1.0 8, ALP 5.0 60", HOLD),  # the phosphatase of that time tells
        ("ALT 8.0 ?, BILI 4.0 ?, ALP 1.0 ?", HOLD),  # nothing says they were apart
    ],
)
def test_one_case_of_hys_law_is_one_too_many(results, verdict):
    """Each result: the test, the multiple of its upper limit, and the day."""
    read = [each.split() for each in results.split(", ")]
    tests = [[n, test, None if day == "?" else float(day), float(x)] for n, (test, x, day) in enumerate(read)]
    found_in = found("B9", {"potential_cases_max": 0}, {"subjects": [{"id": 1, "tests": tests}]})
    assert found_in.recommendation is verdict


@pytest.mark.parametrize(
    ("longest", "change", "verdict"),
    [(500, 60, GO), (501, 10, HOLD), (450, 61, HOLD), (480, None, GO), (501, None, HOLD)],
)
def test_qtc_by_its_limit_and_its_change(longest, change, verdict):
    subject = {"id": 1, "longest_ms": longest, "longest_change_ms": change}
    rule = {"absolute_ms_max": 500, "change_ms_max": 60}
    assert found("B10", rule, {"subjects": [subject]}).recommendation is verdict


SIMON = {"p0": 0.05, "p1": 0.25, "alpha": 0.1, "beta": 0.1}
"""Simon 1989, table 1: 0 of 9, then 2 of 24."""


@pytest.mark.parametrize(
    ("responders", "evaluable", "verdict"),
    [
        (0, 8, HOLD),
        (0, 9, NO_GO),
        (1, 9, CONDITIONAL_GO),
        (1, 22, CONDITIONAL_GO),
        (1, 23, NO_GO),  # even a response of the last subject would make two
        (2, 24, NO_GO),
        (3, 24, GO),
        (3, 12, GO),  # what is left cannot take it away
        (0, 0, HOLD),
    ],
)
def test_two_stages_of_responses(responders, evaluable, verdict):
    inputs = {"responders": responders, "evaluable": evaluable}
    assert found("C4", SIMON, inputs).recommendation is verdict


LEE_LIU = {"p0": 0.6, "prior": [0.6, 0.4], "theta_t": 0.9, "theta_l": 0.05}


@pytest.mark.parametrize(
    ("responders", "evaluable", "verdict", "probability"),
    [(16, 23, CONDITIONAL_GO, 0.5656), (10, 23, NO_GO, None), (28, 40, GO, 1.0), (27, 40, NO_GO, 0.0)],
)
def test_predictive_probability_of_success(responders, evaluable, verdict, probability):
    """The example of Lee and Liu 2008: 16 of 23 in a trial of 40."""
    inputs = {"responders": responders, "evaluable": evaluable, "planned": 40}
    result = found("C6", LEE_LIU, inputs)
    assert result.recommendation is verdict
    if probability is not None:
        assert result.statistic == pytest.approx(probability, abs=5e-5)


# Freireich 1963: weeks in remission of children with leukaemia, with mercaptopurine and with placebo; 0 is censored.
MERCAPTOPURINE = "6 6 6 6* 7 9* 10 10* 11* 13 16 17* 19* 20* 22 23 25* 32* 32* 34* 35*"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def course(weeks: str) -> tuple[list[int], list[int]]:
    return [int(week.rstrip("*")) for week in weeks.split()], [int("*" not in week) for week in weeks.split()]


def remission() -> dict:
    (treated, ended), (control, failed) = course(MERCAPTOPURINE), course(PLACEBO)
    return {
        "time": treated + control,
        "event": ended + failed,
        "group": ["treated"] * len(treated) + ["control"] * len(control),
    }


@pytest.mark.parametrize(
    ("parameters", "verdict"),
    [
        ({"alpha_two_sided": 0.05}, GO),
        ({"alpha_two_sided": 0.00001}, NO_GO),
        ({"alpha_two_sided": 0.05, "events_planned": 31}, HOLD),
    ],
)
def test_survival_against_the_control(parameters, verdict):
    result = found("C9", parameters, remission())
    assert result.recommendation is verdict
    assert result.outcome["hazard_ratio"] == pytest.approx(math.exp(-1.5721), rel=1e-4)
    assert result.statistic == pytest.approx(4.17e-5, rel=1e-2)


def test_a_survival_that_is_worse_is_no_benefit_however_sure():
    inputs = remission()
    inputs["group"] = ["control" if arm == "treated" else "treated" for arm in inputs["group"]]
    assert found("C9", {"alpha_two_sided": 0.05}, inputs).recommendation is NO_GO


def test_conditional_power_of_an_interim_look():
    """z = sqrt(16.79) with 30 of 60 planned events: what is left to reach is little."""
    more = {"events_planned": 60, "hazard_ratio_design": 0.5}
    rule = {"alpha_one_sided": 0.025, "conditional_power_min": 0.2}
    result = found("C7", rule, remission() | more)
    assert result.recommendation is GO
    assert result.outcome["z"] == pytest.approx(math.sqrt(16.793), rel=1e-3)
    against = remission()
    against["group"] = ["control" if arm == "treated" else "treated" for arm in against["group"]]
    assert found("C7", rule, against | more).recommendation is NO_GO
    assert found("C7", rule, remission() | more | {"events_planned": 30}).recommendation is HOLD


@pytest.mark.parametrize(
    ("weeks", "bar", "verdict"),
    [
        (MERCAPTOPURINE, 20, GO),
        (MERCAPTOPURINE, 23, GO),
        (MERCAPTOPURINE, 24, NO_GO),
        (PLACEBO, 9, NO_GO),
        ("6* 7*", 9, HOLD),
    ],
)
def test_half_last_as_long_as_is_asked(weeks, bar, verdict):
    """Medians of 23 and 8 weeks."""
    time, event = course(weeks)
    assert found("C8", {"median_days_min": bar}, {"time": time, "event": event}).recommendation is verdict


def test_a_duration_without_a_bar_is_for_people_to_judge():
    time, event = course(PLACEBO)
    result = found("C8", {"conf_level": 0.95}, {"time": time, "event": event})
    assert (result.recommendation, result.statistic) == (HOLD, 8)
    assert "people decide" in result.explanation


NCI = {"summary": "mean", "tc_percent_max": 42, "max_toxic_deaths": 0.1, "max_weight_loss_percent": 20}


@pytest.mark.parametrize(
    ("treated_end", "weight_loss", "verdict"),
    [(420, None, GO), (430, None, NO_GO), (90, 20, GO), (90, 21, NO_GO)],
)
def test_antitumour_activity_at_a_dose_the_animals_bear(treated_end, weight_loss, verdict):
    arm = {
        "label": "high",
        "treated_start": [100.0] * 3,
        "treated_end": [float(treated_end)] * 3,
        "control_start": [100.0] * 3,
        "control_end": [1000.0] * 3,
        "weight_loss_percent": weight_loss,
    }
    assert found("A6", NCI, {"arms": [arm]}).recommendation is verdict


@pytest.mark.parametrize(("shrinking", "growing", "verdict"), [(3, 7, GO), (2, 8, NO_GO), (1, 0, GO)])
def test_xenografts_that_respond(shrinking, growing, verdict):
    days = [0, 10, 20]
    animals = [{"arm": "high", "day": days, "volume": [200.0, 60.0, 20.0]}] * shrinking
    animals += [{"arm": "high", "day": days, "volume": [200.0, 400.0, 800.0]}] * growing
    rule = {"min_day": 10, "response_share_min": 0.3, "responses": ["mCR", "mPR"]}
    assert found("A7", rule, {"animals": animals}).recommendation is verdict


@pytest.mark.parametrize(("ic50", "verdict"), [(100, GO), (99, CONDITIONAL_GO), (30, CONDITIONAL_GO), (29, NO_GO)])
def test_herg_thirty_times_over_the_free_peak(ic50, verdict):
    inputs = {"herg_ic50_um": ic50, "cmax_ng_per_ml": 500.0, "molar_mass": 500.0, "fraction_unbound": 1.0}
    assert found("A4", {"alert_below": 30, "caution_below": 100}, inputs).recommendation is verdict


@pytest.mark.parametrize(
    ("noaels", "species", "verdict", "mg_per_kg", "chosen"),
    [
        ("rat 50, dog 15", None, GO, 0.810811, "rat"),
        ("mouse 100, rat 30, dog 2", None, GO, 0.108108, "dog"),
        ("rat 25, monkey 20", "monkey", GO, 0.648649, "monkey"),
        ("rat -", None, HOLD, None, None),  # a dose without adverse effects was not found
    ],
)
def test_a_first_dose_from_the_doses_without_adverse_effects(noaels, species, verdict, mg_per_kg, chosen):
    """FDA 2005: the human equivalent by body surface, over a safety factor of 10."""
    read = [each.split() for each in noaels.split(", ")]
    inputs = {"noaels": [[name, None if dose == "-" else float(dose)] for name, dose in read]}
    result = found("A2", {} if species is None else {"species": species}, inputs)
    assert (result.recommendation, result.outcome.get("species")) == (verdict, chosen)
    assert result.statistic == (None if mg_per_kg is None else pytest.approx(mg_per_kg, abs=5e-7))


@pytest.mark.parametrize(("margins", "verdict"), [([3.0], GO), ([0.99], NO_GO), ([3.0, 0.5], NO_GO)])
def test_the_least_exposure_margin_decides(margins, verdict):
    each = [
        {"label": f"{n}", "margin": margin, "fraction_unbound_animal": 0.1, "fraction_unbound_human": 0.1}
        for n, margin in enumerate(margins)
    ]
    assert found("A5", {"free_margin_min": 1}, {"margins": each}).recommendation is verdict


@pytest.mark.parametrize(("at_target", "told", "verdict"), [(5, 10, GO), (4, 10, RECYCLE), (0, 0, HOLD)])
def test_exposure_that_is_not_reached_sends_the_dose_back(at_target, told, verdict):
    inputs = {"at_target": at_target, "told": told}
    assert found("D9", {"share_at_target_min": 0.5}, inputs).recommendation is verdict


def test_several_methods_in_one_rule_recommend_the_severest():
    liver = {"subjects": [{"id": 1, "tests": [[1, "ALT", 1.0, 1.0], [2, "BILI", 1.0, 1.0]]}]}
    heart = {"subjects": [{"id": 1, "longest_ms": 520, "longest_change_ms": 10}]}
    rule = {"potential_cases_max": 0, "with": ["B10"]}
    result = found("B9", rule, liver | {"with": {"B10": heart}})
    assert result.recommendation is HOLD
    assert "0 of 1 subjects are potential Hy's law cases" in result.explanation
    assert "1 of 1 subjects had a QTc above 500 ms" in result.explanation
    alone = found("B9", rule, liver | {"with": {"B10": {"subjects": []}}}, ("QTc readings",))
    assert alone.recommendation is HOLD
    assert "QTc readings" in alone.explanation


def marker(name: str, present: tuple[int, int], absent: tuple[int, int], control=((0, 0), (0, 0))) -> dict:
    def states(one, other):
        rates = {"present": one, "absent": other, "unknown": (0, 0)}
        return {state: {"responders": x, "evaluable": n} for state, (x, n) in rates.items()}

    assays = [{"assay": "IHC", "cut_off": 10.0}]
    return {"marker": name, "assays": assays, "treated": states(present, absent), "control": states(*control)}


def test_the_positives_stand_beside_all_and_are_exploratory_unless_planned():
    inputs = {"responders": 2, "evaluable": 24, "markers": [marker("HER2", (2, 9), (0, 15))]}
    explored = found("C4", SIMON, inputs)
    assert explored.recommendation is NO_GO
    assert "Exploratory, not planned by the rule: with HER2 2 of 9 respond" in explored.explanation
    planned = found("C4", SIMON | {"biomarker": "her2"}, inputs)
    assert planned.recommendation is CONDITIONAL_GO
    assert planned.explanation.endswith("It goes on in subjects with HER2 alone.")
    (told,) = planned.outcome["markers"]
    assert (told["planned"], told["recommendation"]) == (True, "CONDITIONAL_GO")
    # Exact limits of 2 of 9, and Fisher's test of 2/9 against 0/15: 36/276.
    assert (told["present"]["low"], told["present"]["high"]) == pytest.approx((0.0281, 0.6001), abs=1e-4)
    assert told["fisher_p"] == pytest.approx(36 / 276)
    assert told["interaction"] is None


def test_with_a_control_arm_the_interaction_is_told():
    of = marker("HER2", (10, 20), (5, 20), control=((5, 20), (5, 20)))
    result = found("C4", SIMON, {"responders": 15, "evaluable": 40, "markers": [of]})
    # log of (10/10)/(5/15) in those with the marker, 0 in those without
    assert result.outcome["markers"][0]["interaction"]["log_odds_ratio"] == pytest.approx(math.log(3))


def test_a_large_margin_is_written_without_an_exponent():
    inputs = {"herg_ic50_um": 30.0, "cmax_ng_per_ml": 100.0, "molar_mass": 400.0, "fraction_unbound": 0.1}
    result = found("A4", {"alert_below": 30, "caution_below": 100}, inputs)
    assert "at 1,200 times the free peak of 0.025 uM" in result.explanation


def test_what_is_missing_is_said_with_what_to_do():
    result = evaluate(
        CheckpointRule("RULE", 1, CheckpointKind.EFFICACY, "A6", {"tc_percent_max": 42}, "d", "s"),
        Evidence({}, (), ("tumour volumes of animals",)),
    )
    assert result.explanation == (
        "It cannot be assessed yet. Missing: tumour volumes of animals. Record or import it, and assess again."
    )

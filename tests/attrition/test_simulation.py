"""Programmes made with known intensities: the estimates hold what is true as often as their intervals promise."""

import math

import numpy as np
import pytest

from pipeline.attrition.portfolio import REASONS
from pipeline.attrition.review import Asked, review
from pipeline.attrition.review_times import YEAR
from pipeline.bench.attrition import DAY, coverage, fill, measure
from pipeline.bench.attrition_lives import lives, rows_of, true_incidence, true_likelihood, true_median, true_rate
from pipeline.centre import Centre
from pipeline.reports.attrition_review import ReviewRequest, signals_of


def test_the_same_numbers_make_the_same_programmes():
    one, other, third = (list(rows_of(lives(50, seed, moves=300))) for seed in (1, 1, 2))
    assert one == other != third
    assert len(one) == pytest.approx(300, abs=1)


def test_intervals_hold_the_truth_as_often_as_they_promise():
    for one in coverage(80, size=250):
        spread = math.sqrt(0.95 * 0.05 / one.intervals)
        assert 0.95 - 4 * spread < one.share < 0.95 + 4 * spread + 0.01, one


def test_a_large_portfolio_comes_near_to_what_is_true():
    found = review(lives(20_000, 7, moves=120_000), Asked(day=DAY))
    for phase in found.counted.phases:
        assert phase.rate.value == pytest.approx(true_rate(phase.stage), abs=0.04)
    assert found.likelihood.estimate.value == pytest.approx(true_likelihood("PHASE_1"), abs=0.02)
    for time in found.times:
        if time.stage != "APPROVAL":
            assert time.median == pytest.approx(true_median(time.stage), rel=0.1)
    for stage in ("PHASE_1", "PHASE_2", "PHASE_3"):
        curve = next(one for one in found.incidence if (one.stage, one.cause) == (stage, "EFFICACY"))
        place = curve.years.index(3.0)
        assert curve.probability[place] == pytest.approx(true_incidence(stage, ["EFFICACY_LACK"], 3), abs=0.02)
    early = next(one for one in found.since_entry if one.from_stage == "PRECLINICAL_PHARMACOLOGY")
    whole = 0.9 + 0.22
    assert early.probability["PRECLINICAL_PHARMACOLOGY"][2] == pytest.approx(math.exp(-whole * 2), abs=0.01)


def test_holds_change_no_rate():
    bare, held = (review(lives(2_000, 3, moves=moves), Asked(day=DAY)) for moves in (None, 12_000))
    assert held.transitions > bare.transitions
    assert [p.rate.k for p in held.counted.phases] == [p.rate.k for p in bare.counted.phases]
    medians = [[t.median for t in found.times if t.stage != "APPROVAL"] for found in (bare, held)]
    assert medians[1] == pytest.approx(medians[0], rel=0.02)


def test_who_is_watched_late_sees_the_same_curves():
    made = lives(20_000, 11)
    begun = review(made, Asked(day=DAY))
    late = review(made, Asked(day=DAY, observed_from="2012-01-01"))
    for stage in ("PHASE_1", "PHASE_2"):
        one, other = (next(t for t in found.times if t.stage == stage) for found in (begun, late))
        assert other.late_entries > 300
        assert other.stays < one.stays
        assert other.median == pytest.approx(one.median, rel=0.08)


@pytest.mark.parametrize("programmes", [300])
def test_the_measurement_reviews_what_it_put_on_record(programmes):
    found = measure(1, programmes, 6 * programmes, replicates=10)
    assert found.review.rows == 7 * programmes
    answer = found.as_json()
    assert set(answer) == {
        *("review", "with_signals_s", "rows_of_studies", "filter_change_s", "target_filter_change_s"),
        *("memory_mb", "target_memory_mb", "coverage"),
    }
    assert YEAR == 365.25


def test_signals_that_were_made_are_found_and_no_others(tmp_path):
    """Of the programmes with studies those that told of the liver crossed a margin before a stop for toxicity."""
    made = lives(2_000, 5)
    told = fill(tmp_path, made)
    assert told.rows == 80 * (514_000 // 4_000) + 40
    last = made.owner.searchsorted(np.arange(2_000), side="right") - 1
    toxic = [REASONS.index(reason) for reason in ("TOX_NONCLINICAL", "TOX_CLINICAL")]
    stopped = {place + 1 for place in np.flatnonzero(np.isin(made.reason[last], toxic)).tolist()}
    with Centre.open(tmp_path) as centre, centre.read() as reader:
        found = signals_of(reader, ReviewRequest(today=DAY))
    assert {one.programme for one in found.missed.signals} == stopped & set(told.programmes) != set()
    assert {one.match for one in found.missed.signals} == {"SAME"}
    assert found.missed.totals[0].stops > len(found.missed.signals)
    [whole, liver] = found.concordance
    assert (liver.system, liver.both, liver.finding_only, liver.event_only, liver.neither) == (
        *("HEPATOBILIARY", 40, 0, 0, 40),
    )
    assert whole.neither == 40

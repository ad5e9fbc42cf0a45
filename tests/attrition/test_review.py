"""What a review says of small portfolios: outcomes, silence, dates that are not known, and what cannot be said."""

import numpy as np
import pytest

from pipeline.attrition.counting import PATH_BY_PATH, PHASE_BY_PHASE, PROGRESSION_DECISION, product, proportion
from pipeline.attrition.review import METHODS, Asked, followed, review
from pipeline.attrition.review_json import as_json, canonical, compare, plain, read_json
from pipeline.attrition.review_settings import default_settings, read_settings, settings_of
from pipeline.attrition.review_times import YEAR
from pipeline.errors import InputError
from pipeline.outcome import catalogue
from tests.attrition.histories import CODES, Move, portfolio

TODAY = "2020-01-01"


def seen(*histories, day=TODAY, rule=PHASE_BY_PHASE, settings=None, **more):
    asked = {name: more.pop(name) for name in ("as_of", "observed_from", "window") if name in more}
    asked |= {} if settings is None else {"settings": settings}
    return review(portfolio(histories, **more), Asked(day=day, rule=rule, **asked))


def counts(found, stage, rule=None):
    rates = found.counted if rule is None else next(one for one in found.rates if one.rule == rule)
    phase = next(one for one in rates.phases if one.stage == stage)
    return phase.entered, phase.advanced, phase.stopped, phase.in_phase, phase.stalled


def codes(found):
    return {one.code: one for one in found.caveats}


# ---------------------------------------------------------------- counting


def test_outcomes_of_a_phase():
    found = seen(
        "PHASE_1 2018-01-01; PHASE_2 2019-01-01",
        "PHASE_1 2018-01-01; STOP 2019-01-01 TOX_CLINICAL",
        "PHASE_1 2018-01-01; HOLD 2019-01-01",
        "PHASE_1 2001-01-01",
        "PHASE_1 2018-01-01; STALL 2019-01-01",
        "PHASE_1 2018-01-01; COMPLETE 2018-06-01",
        "PHASE_1 2018-01-01; COMPLETE 2019-06-01",
    )
    assert counts(found, "PHASE_1") == (7, 1, 2, 2, 2)
    phase = found.counted.phases[CODES.index("PHASE_1")]
    assert (phase.rate.k, phase.rate.n, phase.rate.value, phase.unannounced) == (1, 3, None, 1)
    assert phase.rate.reason == "fewer than 5 known outcomes: the counts alone"
    assert found.standings.standing == (
        *("IN_PHASE", "STOPPED", "IN_PHASE", "STALLED", "STALLED", "UNANNOUNCED", "IN_PHASE"),
    )
    assert found.standings.since[1] == "2019-01-01"


def test_a_combined_phase_counts_as_its_later_one_and_what_was_passed_over_as_passed():
    found = seen("PHASE_1_2 2010-01-01; PHASE_3 2015-01-01; STOP 2018-01-01 EFFICACY_LACK")
    assert counts(found, "PHASE_1") == (0, 0, 0, 0, 0)
    assert counts(found, "PHASE_2") == (1, 1, 0, 0, 0)
    assert counts(found, "PHASE_1", PATH_BY_PATH) == (1, 1, 0, 0, 0)
    assert counts(found, "PRECLINICAL_TOXICOLOGY", PATH_BY_PATH) == (1, 1, 0, 0, 0)
    assert found.late_entries == 1


def test_a_restart_is_one_programme_but_two_exits():
    history = "PHASE_2 2008-01-01; STOP 2010-01-01 STRATEGIC; RESTART 2012-01-01; PHASE_3 2015-01-01"
    found = seen(history)
    assert counts(found, "PHASE_2") == (1, 1, 0, 0, 0)
    assert counts(found, "PHASE_2", PROGRESSION_DECISION) == (2, 1, 1, 0, 0)
    assert [(one.stage, one.reason, one.count) for one in found.reasons] == [("PHASE_2", "STRATEGIC", 1)]
    assert [(one.stage, one.stays, one.left) for one in found.times] == [("PHASE_2", 2, 2), ("PHASE_3", 1, 0)]


def test_a_withdrawal_is_a_stop_of_an_approved_programme():
    found = seen("PREAPPROVAL 2001-01-01; APPROVAL 2002-01-01; WITHDRAWAL 2008-01-01 TOX_CLINICAL")
    assert counts(found, "PREAPPROVAL") == (1, 1, 0, 0, 0)
    assert [(one.stage, one.kind) for one in found.reasons] == [("APPROVAL", "TOXICITY")]
    assert (found.late_share.k, found.late_share.n) == (1, 1)
    assert found.standings.standing == ("STOPPED",)


def test_only_outcomes_of_the_window_count():
    histories = [f"PHASE_1 {year}-01-01; PHASE_2 {year + 1}-01-01" for year in range(2005, 2015)]
    whole = seen(*histories)
    part = seen(*histories, window=("2010-01-01", "2012-12-31"))
    phase = CODES.index("PHASE_1")
    assert whole.counted.phases[phase].rate.n == 10
    for rule in (PHASE_BY_PHASE, PROGRESSION_DECISION):
        assert counts(part, "PHASE_1", rule)[1] == 3
    assert counts(part, "PHASE_1", PATH_BY_PATH)[1] == 10
    with pytest.raises(InputError, match="before it begins"):
        seen(*histories, window=("2012-01-01", "2010-01-01"))


def test_the_product_of_rates_has_limits_that_hold_its_value_and_none_without_a_step():
    rates = [proportion(24, 50, 5), proportion(6, 24, 5), proportion(3, 6, 5)]
    whole = product(rates)
    assert whole.value == pytest.approx(0.48 * 0.25 * 0.5)
    assert 0 < whole.low < whole.value < whole.high < 1
    one = product(rates[:1])
    assert (one.low, one.high) == pytest.approx((rates[0].low, rates[0].high))
    none = product([rates[0], proportion(0, 6, 5)])
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(rates[0].high * proportion(0, 6, 5).high, rel=0.1)
    assert product([rates[0], proportion(1, 4, 5)]).value is None


# ---------------------------------------------------------------- time


def test_dates_that_are_not_known_are_narrowed_by_the_order_of_the_moves_and_bound_the_median():
    history = "PHASE_1 2010-03-01; PHASE_2 2010-01-01/2010-12-31; PHASE_3 2014-01-01"
    found = seen(*[history] * 5)
    phase_1 = next(one for one in found.times if one.stage == "PHASE_1")
    days = 365 - 59 - 1  # from 1 March to 31 December 2010
    assert phase_1.median == pytest.approx(days / 2 / YEAR)
    assert (phase_1.shortest_median, phase_1.longest_median) == pytest.approx((0.5 / YEAR, days / YEAR))
    phase_2 = next(one for one in found.times if one.stage == "PHASE_2")
    assert phase_2.shortest_median < phase_2.median < phase_2.longest_median
    assert codes(found)["vague_dates"].count == 5


def test_who_is_watched_from_a_day_on_is_left_truncated():
    begun = [f"PHASE_2 {year}-01-01; STOP {year + 2}-01-01 EFFICACY_LACK" for year in range(2005, 2015)]
    found = seen(*begun, observed_from="2010-01-01")
    [phase_2] = found.times
    # those stopped in 2007 to 2010 were not seen; those begun in 2009 were, from the middle of their stay on
    assert (phase_2.stays, phase_2.late_entries) == (6, 1)
    assert phase_2.median == pytest.approx(2.0, abs=0.01)
    recorded = seen(*begun, observed_from="record", recorded=["2010-01-01"] * 10)
    assert recorded.times == found.times
    with pytest.raises(InputError, match="observed from takes a day"):
        seen(*begun, observed_from="soon")


def test_a_stay_that_was_only_sighted_is_not_timed():
    found = seen("PHASE_2 2010-01-01; PHASE_3 2012-01-01; STOP 2013-01-01", sighted=[0])
    assert [(one.stage, one.stays) for one in found.times] == [("PHASE_3", 1)]
    assert codes(found)["sighted"].names == ("P1",)


def test_the_incidences_of_a_stage_tell_how_it_was_left():
    histories = [f"PHASE_1 2010-01-01; PHASE_2 2010-0{month}-01" for month in range(2, 8)]
    histories += ["PHASE_1 2010-01-01; STOP 2010-05-01 TOX_CLINICAL", "PHASE_1 2019-06-01"]
    found = seen(*histories)
    curves = {one.cause: one for one in found.incidence if one.stage == "PHASE_1"}
    assert set(curves) == {"ADVANCED", "TOXICITY"}
    assert curves["ADVANCED"].probability[-1] == pytest.approx(6 / 8)
    assert curves["TOXICITY"].probability[-1] == pytest.approx(1 / 8)
    assert curves["ADVANCED"].at_risk[0] == 8
    assert curves["ADVANCED"].low[0] is None


def test_how_many_stood_where_at_the_end_of_each_year():
    found = seen("PHASE_1 2017-03-01; PHASE_2 2018-06-01; STOP 2019-02-01", "PHASE_1 2018-07-01")
    assert found.calendar.days == ("2017-12-31", "2018-12-31", "2019-12-31", "2020-01-01")
    assert found.calendar.counts == {"PHASE_1": (1, 1, 1, 1), "PHASE_2": (0, 1, 0, 0), "STOPPED": (0, 0, 1, 1)}


# ---------------------------------------------------------------- as of


def test_looking_back_sees_what_was_over_by_then():
    histories = ["PHASE_1 2010-01-01; PHASE_2 2012-01-01/2012-12-31; STOP 2015-01-01", "PHASE_1 2013-01-01"]
    then = seen(*histories, day="2012-06-30", as_of="2012-06-30")
    assert (then.programmes, then.transitions) == (1, 1)
    assert then.standings.stage == ("PHASE_1",)
    later = seen(*histories, day="2013-01-01", as_of="2013-01-01")
    assert later.standings.stage == ("PHASE_2", "PHASE_1")
    with pytest.raises(InputError, match="cannot look back"):
        seen(*histories, day="2012-01-01", as_of="2013-01-01")


@pytest.mark.parametrize("day", ["2011-05-05", "2013-01-01", "2016-02-29"])
def test_a_review_as_of_a_day_does_not_hang_on_what_came_later(day):
    histories = [f"PHASE_1 20{n:02}-01-01; PHASE_2 20{n + 3:02}-06-01; STOP 20{n + 5:02}-01-01" for n in range(5, 15)]
    whole = portfolio(histories)
    past = whole.latest <= (np.datetime64(day) - np.datetime64("1970-01-01")).astype(int)
    cut = whole.kept(past)
    asked = Asked(day=day, as_of=day)
    assert canonical(review(whole, asked)) == canonical(review(cut, asked))


# ---------------------------------------------------------------- what cannot be said


def test_an_empty_portfolio_has_nothing_to_review():
    found = seen()
    assert (found.programmes, found.late_share.value, found.calendar.days) == (0, None, ())
    assert {one.code for one in found.caveats} == {"empty"}
    assert all(phase.rate.reason == "nothing to count" for rule in found.rates for phase in rule.phases)
    assert read_json(as_json(found), name="x") == plain(found)


def test_one_programme_has_no_rate():
    found = seen("PHASE_1 2018-01-01; PHASE_2 2019-01-01")
    assert codes(found)["one_programme"].names == ("P1",)
    assert all(phase.rate.value is None for rule in found.rates for phase in rule.phases)


def test_when_everyone_is_in_phase_no_rate_can_be_given():
    found = seen(*["PHASE_1 2019-01-01"] * 20)
    assert counts(found, "PHASE_1") == (20, 0, 0, 20, 0)
    assert codes(found)["no_outcome"].count == 20
    assert found.likelihood.estimate.value is None
    [time] = found.times
    assert (time.median, time.stays, time.left) == (None, 20, 0)


def test_stages_that_overlap_and_stops_before_the_start_are_named_and_not_timed():
    found = seen(
        "PHASE_1 2015-01-01; PHASE_2 2012-01-01; PHASE_3 2018-01-01",
        "PHASE_1 2015-01-01; STOP 2014-01-01 TOX_CLINICAL",
        "PHASE_1 2015-01-01; PHASE_2 2016-01-01",
    )
    assert codes(found)["overlapping_stages"].names == (
        "P1: ADVANCE PHASE_1 2015-01-01; ADVANCE PHASE_2 2012-01-01; ADVANCE PHASE_3 2018-01-01",
    )
    assert codes(found)["stop_before_start"].programmes == (2,)
    assert counts(found, "PHASE_1") == (3, 2, 1, 0, 0)
    assert [(one.stage, one.stays) for one in found.times] == [("PHASE_1", 1), ("PHASE_2", 1)]


def test_moves_after_the_day_are_left_out_and_named():
    found = seen("PHASE_1 2018-01-01; PHASE_2 2021-01-01; PHASE_3 2019-01-01", "PHASE_1 2025-01-01")
    assert counts(found, "PHASE_1") == (1, 0, 0, 1, 0)
    assert codes(found)["future_date"].count == 2
    assert codes(found)["future_date"].names[1] == "P2: ADVANCE PHASE_1 2025-01-01"


def test_a_stage_nobody_knows_leaves_its_programme_out():
    strange = [Move("ADVANCE", "PHASE_9", "ACTIVE", 15_000)]
    found = seen("PHASE_1 2018-01-01", strange)
    assert (found.programmes, codes(found)["unknown_stage"].names) == (1, ("P2",))


def test_a_graph_without_approval_gives_no_likelihood():
    found = seen(*["PHASE_1 2018-01-01"] * 5, settings=settings_of({"approval": "MARKET"}))
    assert all(rule.likelihoods == () for rule in found.rates)
    assert codes(found)["no_approval"].sentence.startswith("No stage is called MARKET")
    assert (found.likelihood, found.success) == (None, ())


# ---------------------------------------------------------------- groups, benchmarks, success


def test_groups_are_counted_apart_and_compared():
    good = ["PHASE_1 2010-01-01; PHASE_2 2011-01-01; STOP 2013-01-01 EFFICACY_LACK"] * 20
    bad = ["PHASE_1 2010-01-01; STOP 2011-01-01 TOX_CLINICAL"] * 20
    found = seen(*good, *bad, groups={"modality": ["ANTIBODY"] * 20 + ["PEPTIDE"] * 20})
    by = {one.group: one for one in found.groups if one.dimension == "modality"}
    phase = CODES.index("PHASE_1")
    assert [by[name].phases[phase].rate.value for name in ("ANTIBODY", "PEPTIDE")] == [1.0, 0.0]
    compared = next(one for one in found.comparisons if (one.dimension, one.stage) == ("modality", "PHASE_1"))
    assert compared.chi_square == pytest.approx(40)
    assert compared.p_value < 1e-6
    assert "differ by more than chance" in compared.statement
    assert [one.group for one in found.groups if one.dimension == "entry_period"] == ["2010-2014"]


@pytest.mark.parametrize("rule", [PATH_BY_PATH, PHASE_BY_PHASE, PROGRESSION_DECISION])
def test_a_site_that_runs_only_some_stages_is_judged_by_who_was_counted_there(rule):
    """Ten are approved, six of those that began at the first site; each phase counts where it was run."""
    through = "PHASE_1 2008-01-01; PHASE_2 2010-01-01; PHASE_3 2012-01-01; APPROVAL 2015-01-01"
    histories = [through] * 10 + ["PHASE_1 2008-01-01; STOP 2010-01-01"] * 5 + ["PHASE_3 2012-01-01; STOP 2013-01-01"]
    made = portfolio(histories, groups={"disease_group": ["LUNG"] * 6 + ["SKIN"] * 4 + ["LUNG"] * 6})
    found = review(
        made,
        Asked(day=TODAY, rule=rule),
        sites=lambda groups: [
            ["north" if group == "LUNG" and code in ("PHASE_1", "PHASE_2") else "south" for code in CODES]
            for group in groups
        ],
    )
    by = {one.group: one for one in found.groups if one.dimension == "site"}
    rates = [
        next(phase.rate for phase in by[site].phases if phase.stage == stage)
        for site, stage in (("north", "PHASE_1"), ("south", "PHASE_3"))
    ]
    if rule != PATH_BY_PATH:
        assert [(one.k, one.n) for one in rates] == [(6, 11), (10, 11)]
        return
    # one came into view at phase 3 in the north's disease group: its phase 1 counts as passed, in the north
    assert [(one.k, one.n) for one in rates] == [(7, 12), (10, 11)]
    ways = [by[site].likelihood.estimate for site in ("north", "south")]
    assert [(one.k, one.n) for one in ways] == [(6, 12), (4, 4)]


def test_published_rates_stand_beside_our_own():
    same = ["PHASE_1 2010-01-01; PHASE_2 2011-01-01"] * 49 + ["PHASE_1 2010-01-01; STOP 2011-01-01"] * 51
    beside = {(one.population, one.step): one for one in seen(*same).benchmarks if "2021" in one.source}
    first = beside["oncology", "phase 1 to 2"]
    assert (first.rate, first.n, first.own.k, first.own.n) == (0.488, 1628, 49, 100)
    assert (first.beyond_chance, round(first.difference, 3)) == (False, 0.002)
    assert first.low < 0 < first.high
    worse = ["PHASE_1 2010-01-01; PHASE_2 2011-01-01"] * 10 + ["PHASE_1 2010-01-01; STOP 2011-01-01"] * 90
    assert next(one for one in seen(*worse).benchmarks if one.step == "phase 1 to 2").beyond_chance is True


def test_the_probability_of_success_is_that_of_the_method():
    # Case P01 of F2: 6 of 10 passed phase 1, 2 of 11 phase 2, 1 of 2 phase 3.
    passed = {"PHASE_1": (6, 4), "PHASE_2": (2, 9), "PHASE_3": (1, 1)}
    following = {"PHASE_1": "PHASE_2", "PHASE_2": "PHASE_3", "PHASE_3": "PREAPPROVAL"}
    histories = ["PHASE_1 2019-06-01"]
    for stage, (k, ended) in passed.items():
        histories += [f"{stage} 2010-01-01; {following[stage]} 2019-06-01"] * k
        histories += [f"{stage} 2010-01-01; STOP 2011-01-01"] * ended
    found = seen(*histories)
    first = found.success[0]
    assert (first.stage, first.programmes) == ("PHASE_1", 1)
    assert [round(one.mean, 5) for one in first.phases] == [0.544, 0.21238, 0.48083, 0.92]
    assert first.mean == pytest.approx(0.051109, rel=1e-4)
    assert first.sd == pytest.approx(0.029206, rel=1e-4)
    assert found.standings.success[0] == first.mean


# ---------------------------------------------------------------- settings, stamps, files


def test_silence_limits_are_set_by_stage():
    found = [seen("PHASE_1 2014-01-01", settings=read_settings(f"[silence_days]\nPHASE_1 = {n}")) for n in (2000, 3000)]
    assert [one.standings.standing for one in found] == [("STALLED",), ("IN_PHASE",)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fewest = 1", "fewest has to be a whole number, 5 or more"),
        ("[silence_days]\nPHASE_1 = -3", "silence_days.PHASE_1"),
        ("[silence_days]\nPHASE_1 = 1.5", "silence_days.PHASE_1"),
        ("silence_days = 3", "silence_days has to be a table"),
        ("approval = 3", "approval has to be the code of a stage"),
        ("[kinds]\nLUCK = []", "is no kind of stop"),
        ('[kinds]\nOTHER = ["BAD_LUCK"]', "which is no reason"),
        ('[kinds]\nOTHER = ["TOX_CLINICAL"]', "stands under TOXICITY and OTHER"),
        ("what = 3", "know no 'what'"),
        ("[[benchmark]]\nsource = 'nobody'\ngroup = 'x'", "known sources"),
        ("benchmark = 3", "a list of tables"),
        ("[prior]\nprogrammes = 0", "a number above 0"),
        ("[[[", "are not TOML"),
    ],
)
def test_settings_that_cannot_be_are_refused(text, said):
    with pytest.raises(InputError, match=said):
        read_settings(text)


def test_settings_come_back_from_their_table():
    assert settings_of(default_settings().as_table()) == default_settings()


def test_the_versions_stamped_are_those_of_the_catalogue():
    assert {id: catalogue()[id].version for id in METHODS} == METHODS


def test_two_reviews_are_compared():
    histories = ["PHASE_1 2015-01-01; PHASE_2 2017-01-01", "PHASE_1 2016-01-01; STOP 2018-06-01", "PHASE_1 2018-01-01"]
    before, after = (plain(seen(*histories, day=day, as_of=day)) for day in ("2016-06-01", "2019-01-01"))
    found = compare(before, after)
    assert [(one.name, one.from_stage, one.to_stage, one.to_standing) for one in found.moved] == [
        ("P1", "PHASE_1", "PHASE_2", "IN_PHASE"),
        ("P2", "PHASE_1", "PHASE_1", "STOPPED"),
        ("P3", "absent", "PHASE_1", "IN_PHASE"),
    ]
    changed = {one.path: (one.before, one.after) for one in found.figures}
    assert changed["programmes"] == (2, 3)
    assert changed["rates[PHASE_BY_PHASE].phases[PHASE_1].advanced"] == (0, 1)
    assert compare(before, before).figures == ()


def test_a_rule_nobody_knows_is_refused():
    with pytest.raises(InputError, match="is no counting rule"):
        followed(portfolio([]), Asked(day=TODAY, rule="BY_GUESS"))

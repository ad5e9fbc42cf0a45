"""How often rules are wrong, against published figures and independent sums."""

from __future__ import annotations

from math import comb

import pytest

from pipeline.assessment.characteristics import characteristics
from pipeline.assessment.escalation_characteristics import scenario
from pipeline.assessment.operating_figures import SEED, TRIALS
from pipeline.stages.checkpoints import METHODS
from pipeline.stages.graph import default_graph

B8 = {"target": 0.3, "prior": [0.6, 1.4], "cutoff": 0.95}
C4 = {"p0": 0.2, "p1": 0.4, "alpha": 0.05, "beta": 0.2}


def test_simons_design_of_1989():
    found = characteristics("C4", C4)
    assert [found.more[name] for name in ("r1", "n1", "r", "n")] == [3, 13, 12, 43]
    assert found.false_go == pytest.approx(0.049581, abs=1e-6)
    assert found.false_stop == pytest.approx(1 - 0.80021, abs=1e-5)
    assert (found.expected_n_bad, found.expected_n_good) == pytest.approx((20.58, 37.943), abs=5e-3)
    assert found.basis == "exact"
    stated = characteristics("C4", {"r1": 3, "n1": 13, "r": 12, "n": 43, "p0": 0.2, "p1": 0.4})
    assert stated.false_go == found.false_go
    bare = characteristics("C4", {"r1": 3, "n1": 13, "r": 12, "n": 43})
    assert (bare.basis, "give p0 and p1" in (bare.reason or "")) == ("not defined", True)


def test_bayesian_monitoring_after_every_three_subjects():
    found = characteristics("B8", B8)
    assert found.false_stop == pytest.approx(0.1193, abs=5e-5)
    assert found.false_go == pytest.approx(1 - 0.7933, abs=5e-5)
    assert (found.expected_n_bad, found.expected_n_good) == pytest.approx((16.91, 27.96), abs=5e-3)
    assert found.more["stop_from"] == [3, 5, 6, 7, 8, 9, 11, 12, 13, 14]
    assert found.assumed["p_bad"] == 0.5
    assert "p_bad" not in characteristics("B8", B8 | {"p_bad": 0.6}).assumed


def test_the_predictive_design_of_lee_and_liu():
    parameters = {"p0": 0.2, "p1": 0.4, "prior": [0.2, 0.8], "theta_t": 0.9, "theta_l": 0.001, "planned": 36}
    found = characteristics("C6", parameters)
    assert found.false_go == pytest.approx(0.08778, abs=5e-6)
    assert found.false_stop == pytest.approx(1 - 0.9062, abs=5e-5)
    assert found.expected_n_bad == pytest.approx(27.67, abs=5e-3)
    assert found.more["success_from"] == 11


def test_three_plus_three_is_exact():
    found = characteristics("B3", {})
    # All doses too toxic: the lowest is left by 3 without, or 1 of 3 and then none of 3.
    lowest = found.assumed["true_rates_bad"][0]
    passed = (1 - lowest) ** 3 * (1 + 3 * lowest * (1 - lowest) ** 2)
    assert found.basis == "exact"
    assert found.false_go == pytest.approx(passed)
    assert not found.errors


@pytest.mark.parametrize("method", ["B4", "B5", "B6"])
def test_escalations_are_simulated_with_their_error(method):
    found = characteristics(method, {"target": 0.3})
    assert (found.basis, found.trials, found.seed) == ("simulated", TRIALS, SEED)
    assert found == characteristics(method, {"target": 0.3})
    assert found.false_go is not None
    wanted = (found.false_go * (1 - found.false_go) / TRIALS) ** 0.5
    assert found.errors["false_go"] == pytest.approx(wanted)
    assert found.false_go < 0.25
    assert found.more["right_dose"] > 0.5


@pytest.mark.parametrize(("design", "alone"), [("BOIN", "B4"), ("KEYBOARD", "B5"), ("CRM", "B6")])
def test_pending_subjects_leave_the_figures_of_the_design_and_say_so(design, alone):
    found = characteristics("B7", {"target": 0.25, "window_days": 28, "design": design})
    assert (found.method, found.false_go) == ("B7", characteristics(alone, {"target": 0.25}).false_go)
    assert "complete before each cohort" in found.assumed["follow_up"]


def test_a_share_of_twenty_is_binomial():
    found = characteristics("D9", {"share_at_target_min": 0.5})
    assert found.false_go == pytest.approx(sum(comb(20, k) * 0.3**k * 0.7 ** (20 - k) for k in range(10, 21)))
    assert found.false_stop == pytest.approx(sum(comb(20, k) * 0.7**k * 0.3 ** (20 - k) for k in range(10)))
    xenografts = characteristics("A7", {"response_share_min": 0.3, "responses": ["mCR"]})
    assert xenografts.more["go_from"] == 6


def test_conditional_power_at_half_the_information():
    from scipy.stats import norm

    from pipeline.efficacy.conditional_power import conditional_power

    found = characteristics("C7", {"alpha_one_sided": 0.025, "conditional_power_min": 0.2})
    drift = norm.ppf(0.975) + norm.ppf(0.9)
    limit = found.more["stop_below_z"]
    assert conditional_power(limit, 0.5, 0.025, drift).conditional_power_design == pytest.approx(0.2)
    assert found.false_go == pytest.approx(norm.sf(limit))
    assert found.false_stop == pytest.approx(norm.cdf(limit - drift * 0.5**0.5))


def test_a_response_rate_at_its_planned_size_is_binomial():
    """Of 36 subjects 8 have to respond for a lower limit above 0.1: it is 0.1012 there, and 0.0819 at 7."""
    from scipy.stats import binom

    found = characteristics("C3", {"p0": 0.1, "p1": 0.3})
    go_from = found.more["go_from"]
    assert go_from == 8
    assert found.false_go == pytest.approx(binom.sf(go_from - 1, 36, 0.1))
    assert found.false_stop == pytest.approx(binom.cdf(go_from - 1, 36, 0.3))
    assert found.assumed == {"planned": 36}


def test_what_has_none_says_why_and_every_method_answers():
    for method in METHODS:
        if method in ("COMPOSED", "A7", "B4", "B5", "B6", "B7", "B8", "C3", "C4", "C6", "C7", "D9"):
            continue
        found = characteristics(method, {})
        assert found.basis == "exact" or found.reason
    for rule in default_graph().rules.values():
        assert characteristics(rule.method, rule.parameters).as_json()["basis"] in ("exact", "simulated", "not defined")


def test_a_composed_rule_combines_its_parts():
    first, second = characteristics("B8", B8), characteristics("C4", C4)
    inline = [{"method": "B8", "parameters": B8}, {"method": "C4", "parameters": C4}]
    both = characteristics("COMPOSED", {"composition": {"and": inline}})
    either = characteristics(
        "COMPOSED", {"composition": {"or": ["TOX", "RESP"]}}, {"TOX": ("B8", B8), "RESP": ("C4", C4)}
    )
    go_bad = (first.false_go, second.false_go)
    stop_good = (first.false_stop, second.false_stop)
    assert both.false_go == pytest.approx(go_bad[0] * go_bad[1])
    assert both.false_stop == pytest.approx(1 - (1 - stop_good[0]) * (1 - stop_good[1]))
    assert either.false_go == pytest.approx(1 - (1 - go_bad[0]) * (1 - go_bad[1]))
    assert either.false_stop == pytest.approx(stop_good[0] * stop_good[1])
    # A part that stands twice is one part, not two that err apart.
    twice = characteristics("COMPOSED", {"composition": {"and": [inline[0], inline[0]]}})
    assert twice.false_go == pytest.approx(first.false_go)
    negated = characteristics("COMPOSED", {"composition": {"not": inline[0]}})
    assert "under not" in (negated.reason or "")


@pytest.mark.parametrize("target", [0.05, 0.2, 0.33, 0.6])
def test_scenarios_rise_and_straddle_the_target(target):
    good, bad = scenario(target, good=True), scenario(target, good=False)
    assert good[2] == pytest.approx(target)
    assert list(good) == sorted(good)
    assert list(bad) == sorted(bad)
    assert target < bad[0] < bad[-1] < 1

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.pharmacology.trough import targets_of, trough_estimate, trough_targets


@given(st.floats(0.1, 1e4), st.floats(0, 24), st.floats(1, 100), st.floats(1, 1e4))
@settings(max_examples=50)
def test_a_later_sample_of_the_same_value_means_a_higher_trough(
    conc: float, time: float, half_life: float, target: float
) -> None:
    found = trough_estimate(conc, time, 24, half_life, target, 1000)
    later = trough_estimate(conc, time + 0.5, 24, half_life, target, 1000)
    assert found.estimated_trough is not None
    assert later.estimated_trough is not None
    assert later.estimated_trough > found.estimated_trough
    assert found.estimated_trough <= conc * (1 + 1e-12)
    assert found.ratio_to_target == pytest.approx(found.estimated_trough / target)


def test_exactly_the_target_is_not_below_it() -> None:
    assert trough_estimate(3 * 0.1, 24, 24, 10, 0.3, 30).below_target is False
    assert trough_estimate(0.2999, 24, 24, 10, 0.3, 30).below_target is True


def test_why_a_sample_cannot_be_judged_is_said() -> None:
    assert trough_estimate(10, 12, 24, 24, 5, 4).flags == ("before_steady_state",)
    assert trough_estimate(10, 12, 24, 24, 5, 5).flags == ()
    assert trough_estimate(10, 26.4, 24, 24, 5, 5).evaluable
    late = trough_estimate(10, 26.5, 24, 24, 5, 5)
    assert (late.evaluable, late.flags) == (False, ("after_interval",))
    early = trough_estimate(10, 2, 24, 24, 5, 5, tmax_h=2)
    assert (early.evaluable, early.estimated_trough, early.flags) == (False, None, ("before_tmax",))
    assert early.missing["estimated_trough"] is Reason.OUTSIDE_DOMAIN


def test_without_a_target_there_is_a_trough_but_no_verdict() -> None:
    found = trough_estimate(10, 12, 24, 24, None, 5)
    assert found.estimated_trough is not None
    assert (found.below_target, found.missing["below_target"]) == (None, Reason.NO_DATA)


@pytest.mark.parametrize(
    "values", [(-1, 1, 24, 10, 5), (1, -1, 24, 10, 5), (1, 1, 0, 10, 5), (1, 1, 24, 0, 5), (1, 1, 24, 10, 0)]
)
def test_impossible_values_are_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(InputError):
        trough_estimate(*values)


def test_the_published_targets() -> None:
    assert len(trough_targets()) == 20
    assert [(t.context, t.trough, t.unit) for t in targets_of("Imatinib")] == [
        ("GIST", 1100, "ng/mL"),
        ("CML", 1000, "ng/mL"),
    ]
    assert targets_of("everolimus")[0].window == (5, 15)
    assert targets_of("unheard-of") == ()
    assert {t.medicine for t in trough_targets() if t.verification == "V3" and not t.source} == {
        *("axitinib", "gefitinib", "nilotinib", "crizotinib", "trametinib", "vemurafenib", "sorafenib")
    }

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.pharmacology.exposure_alerts import Alert, ExposureLimits, Observation, exposure_alerts

LIMITS = ExposureLimits(100, 300, 5000, 400, 1.6)


def alerts(*seen: Observation, limits: ExposureLimits = LIMITS) -> list[list[str]]:
    return [[alert.value for alert in raised] for raised in exposure_alerts(limits, seen).alerts]


def test_comparisons_are_strict_at_twelve_digits() -> None:
    assert alerts(
        Observation("trough", 100),
        Observation("trough", 300),
        Observation("auc", 5000, accumulation=1.5 * 1.6, auc_prev_cycle=5000 / 0.7),
        Observation("cmax", 400),
    ) == [[], [], [], []]


def test_a_gap_neither_counts_nor_resets() -> None:
    low, gap = Observation("trough", 90), Observation("trough", None)
    assert alerts(low, gap, Observation("trough", 500, evaluable=False), low) == [
        ["under_exposure_first"],
        [],
        [],
        ["under_exposure_confirmed"],
    ]


def test_an_auc_may_raise_three() -> None:
    seen = Observation("auc", 6000, accumulation=3, auc_prev_cycle=9000)
    assert alerts(seen) == [["auc_above_nonclinical_cap", "unexpected_accumulation", "exposure_decline_gt30pct"]]


@given(st.lists(st.tuples(st.sampled_from(["trough", "auc", "cmax"]), st.floats(0, 1e5)), max_size=10))
@settings(max_examples=50)
def test_without_limits_nothing_is_raised_and_order_is_kept(seen: list[tuple[str, float]]) -> None:
    observations = [Observation(kind, value) for kind, value in seen]  # type: ignore[arg-type]
    assert alerts(*observations, limits=ExposureLimits()) == [[]] * len(seen)
    found = exposure_alerts(LIMITS, observations).alerts
    assert len(found) == len(seen)
    troughs = [raised for raised, (kind, _) in zip(found, seen, strict=True) if kind == "trough"]
    for before, after in zip([(), *troughs], troughs, strict=False):
        if Alert.UNDER_EXPOSURE_CONFIRMED in after:
            assert {Alert.UNDER_EXPOSURE_FIRST, Alert.UNDER_EXPOSURE_CONFIRMED} & set(before)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError):
        exposure_alerts(LIMITS, [{"type": "half-life", "value": 3}])  # type: ignore[list-item]

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.success_probability import PhaseEvidence, success_probability
from pipeline.errors import InputError
from pipeline.outcome import Reason

phases = st.lists(
    st.builds(PhaseEvidence, st.floats(0.05, 0.95), st.floats(0.5, 50), st.integers(0, 20), st.integers(0, 20)),
    min_size=1,
    max_size=4,
)


def test_moments_equal_a_simulation() -> None:
    rows = [PhaseEvidence(0.488, 10, 6, 4), PhaseEvidence(0.246, 10, 2, 9), PhaseEvidence(0.477, 10, 1, 1)]
    found = success_probability(rows)
    generator = np.random.default_rng(20260501)
    draws = np.prod([generator.beta(p.posterior_alpha, p.posterior_beta, 200_000) for p in found.phases], axis=0)
    assert found.pts_mean == pytest.approx(draws.mean(), abs=4 * draws.std() / 200_000**0.5)
    assert found.pts_sd == pytest.approx(draws.std(), rel=0.02)
    assert found.phases[0].ci95 == pytest.approx(
        np.quantile(generator.beta(10.88, 9.12, 200_000), [0.025, 0.975]), abs=0.005
    )


@given(phases, st.floats(0.05, 20))
@settings(max_examples=50)
def test_evidence_moves_the_first_phase_its_own_way(rows: list[PhaseEvidence], ratio: float) -> None:
    found = success_probability(rows, ratio)
    assert found.pts_mean is not None
    assert found.pts_after_evidence is not None
    assert found.first_phase_after_evidence is not None
    assert (found.first_phase_after_evidence > found.phases[0].mean) is (ratio > 1) or ratio == pytest.approx(1)
    assert found.pts_after_evidence * found.phases[0].mean == pytest.approx(
        found.pts_mean * found.first_phase_after_evidence
    )
    back = success_probability(rows, 1 / ratio)
    assert back.first_phase_after_evidence is not None
    odds = found.phases[0].mean / (1 - found.phases[0].mean)
    assert found.first_phase_after_evidence / (1 - found.first_phase_after_evidence) == pytest.approx(odds * ratio)
    for phase, posterior in zip(rows, found.phases, strict=True):
        assert posterior.ci95 is not None
        assert 0 <= posterior.ci95[0] <= posterior.ci95[1] <= 1
        more = PhaseEvidence(phase.benchmark, phase.prior_ess, phase.successes + 1, phase.failures)
        assert success_probability([more]).phases[0].mean > posterior.mean


def test_a_benchmark_without_doubt_has_no_interval() -> None:
    found = success_probability([PhaseEvidence(1.0, 10, 3, 0)], 0.5)
    assert (found.phases[0].mean, found.phases[0].ci95, found.pts_sd) == (1, None, 0)
    assert found.first_phase_after_evidence == 1


def test_a_weak_prior_is_flagged_and_no_phase_is_no_probability() -> None:
    assert success_probability([PhaseEvidence(0.4, 0.5, 0, 4)]).flags == ("weak_prior",)
    assert success_probability([PhaseEvidence(0.4, 1, 0, 4)]).flags == ()
    assert success_probability([]).reason is Reason.NO_DATA


def test_evidence_a_good_molecule_never_shows_leaves_nothing() -> None:
    found = success_probability([PhaseEvidence(0.5), PhaseEvidence(0.2)], 0)
    assert (found.first_phase_after_evidence, found.pts_after_evidence, found.missing) == (0, 0, {})
    against = success_probability([PhaseEvidence(1.0)], 0)
    assert (against.first_phase_after_evidence, against.pts_after_evidence) == (None, None)
    assert against.missing["pts_after_evidence"] is Reason.NOT_ESTIMABLE


@pytest.mark.parametrize(
    ("row", "ratio"),
    [
        (PhaseEvidence(1.2), None),
        (PhaseEvidence(0.5, 0), None),
        (PhaseEvidence(0.5, 10, -1), None),
        (PhaseEvidence(0.5), -2),
    ],
)
def test_impossible_evidence_is_refused(row: PhaseEvidence, ratio: float | None) -> None:
    with pytest.raises(InputError):
        success_probability([row], ratio)

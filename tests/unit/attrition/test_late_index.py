import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.late_index import late_stage_index
from pipeline.errors import InputError
from pipeline.outcome import Reason

drops = st.fixed_dictionaries({stage: st.integers(0, 30) for stage in ("CREFRE", "CLIPP", "PHASE3", "PHASE4")})


@given(drops, st.floats(0.1, 10))
@settings(max_examples=50)
def test_equal_weights_change_nothing_and_heavy_late_ones_raise_it(counts: dict[str, int], weight: float) -> None:
    found = late_stage_index(counts, dict.fromkeys(counts, weight))
    if not sum(counts.values()):
        assert (found.lsai_count, found.missing["lsai_count"]) == (None, Reason.NO_DATA)
        return
    assert found.lsai_count is not None
    assert found.lsai_weighted == pytest.approx(found.lsai_count)
    heavy = late_stage_index(counts, {"CREFRE": 1, "CLIPP": 1, "PHASE3": 5, "PHASE4": 5})
    assert heavy.lsai_weighted is not None
    assert found.lsai_count - 1e-12 <= heavy.lsai_weighted <= 1
    assert ("few_drops" in found.flags) is (found.drops < 10)


def test_the_stages_of_the_graph_are_early_or_late() -> None:
    found = late_stage_index({"PHASE_1_2": 3, "PHASE_2_3": 1, "PREAPPROVAL": 1})
    assert (found.late_drops, found.drops, found.lsai_count) == (2, 5, 0.4)


@pytest.mark.parametrize(
    "inputs",
    [
        {"drops_by_stage": {"MOON": 1}},
        {"drops_by_stage": {"CLIPP": -1}},
        {"drops_by_stage": {"CLIPP": 1}, "weights": {}},
        {"drops_by_stage": {"CLIPP": 1}, "weights": {"CLIPP": -2}},
        {"drops_by_stage": {"CLIPP": 1}, "benchmark_phase_success": (0.5, 1.5, 0.5)},
        {"drops_by_stage": {"PHASE3": 5}, "late_stage_outcomes": 4},
    ],
)
def test_impossible_counts_are_refused(inputs: dict[str, object]) -> None:
    with pytest.raises(InputError):
        late_stage_index(**inputs)  # type: ignore[arg-type]


def test_preclinical_drops_beside_a_clinical_benchmark_are_said() -> None:
    benchmark = (0.488, 0.246, 0.439)
    mixed = late_stage_index({"CREFRE": 20, "CLIPP": 12, "PHASE3": 3}, benchmark_phase_success=benchmark)
    alike = late_stage_index({"CREFRE": 0, "CLIPP": 12, "PHASE3": 3}, benchmark_phase_success=benchmark)
    assert (mixed.flags, alike.flags) == (("preclinical_included",), ())
    assert late_stage_index({"CREFRE": 20, "PHASE3": 3}).flags == ()


def test_a_benchmark_without_failures_has_no_index() -> None:
    found = late_stage_index({"CLIPP": 1}, benchmark_phase_success=(1, 1, 1))
    assert (found.benchmark_lsai, found.ratio_to_benchmark) == (None, None)

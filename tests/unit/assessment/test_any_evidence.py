"""Whatever the records hold, a rule recommends something and says why; what is missing makes it hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.assessment.evaluation import EVALUATORS, evaluate
from pipeline.assessment.finding import Evidence
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.words import CheckpointKind, Verdict

PARAMETERS: dict[str, dict[str, Any]] = {
    "A2": {"safety_factor": 10},
    "A3": {"human_bsa_m2": 1.6},
    "A4": {"alert_below": 30, "caution_below": 100},
    "A5": {"free_margin_min": 1},
    "A6": {"tc_percent_max": 42},
    "A7": {"response_share_min": 0.3, "responses": ["mCR", "mPR"]},
    "B3": {},
    "B4": {"target": 0.3},
    "B5": {"target": 0.25, "prior": [1, 1]},
    "B6": {"target": 0.25},
    "B7": {"target": 0.25, "window_days": 28},
    "B8": {"target": 0.3, "prior": [0.6, 1.4], "cutoff": 0.95},
    "B9": {"potential_cases_max": 0, "with": ["B10"]},
    "B10": {"absolute_ms_max": 500, "change_ms_max": 60},
    "C3": {"p0": 0.1, "p1": 0.3},
    "C4": {"p0": 0.05, "p1": 0.25, "alpha": 0.1, "beta": 0.1, "biomarker": "HER2"},
    "C6": {"p0": 0.2, "prior": [0.2, 0.8], "theta_t": 0.9, "theta_l": 0.05},
    "C7": {"alpha_one_sided": 0.025, "conditional_power_min": 0.2},
    "C8": {"median_days_min": 180},
    "C9": {"alpha_two_sided": 0.05},
    "C11": {},
    "D9": {"share_at_target_min": 0.5},
}
LABELS = st.sampled_from(["low", "high", "10 mg", "(day 21)"])
SIZES = st.one_of(st.none(), st.floats(0, 1e6), st.just(0.0))
POSITIVE = st.floats(1e-9, 1e9)
COUNTS = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LEVEL = st.builds(lambda label, of: {"label": label, "treated": of[1], "with_dlt": of[0]}, LABELS, COUNTS)
TIMES = st.lists(
    st.tuples(st.integers(0, 900), st.integers(0, 1), st.sampled_from(["treated", "control"])), max_size=30
)
LIVER = st.lists(
    st.tuples(
        st.integers(1, 99),
        st.sampled_from(["ALT", "AST", "BILI", "ALP"]),
        st.one_of(st.none(), st.floats(1, 90)),
        st.floats(0, 50),
    ),
    max_size=8,
)
FOLLOWED = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(1, 99),
            "level": st.integers(1, 3),
            "dlt": st.integers(0, 1),
            "followed_days": st.one_of(st.none(), st.integers(0, 60)),
            "left": st.booleans(),
        }
    ),
    max_size=20,
)
STATES = st.fixed_dictionaries(
    {
        state: COUNTS.map(lambda of: {"responders": of[0], "evaluable": of[1]})
        for state in ("present", "absent", "unknown")
    }
)
MARKERS = st.lists(
    st.builds(
        lambda name, treated, control: {"marker": name, "assays": [], "treated": treated, "control": control},
        st.sampled_from(["HER2", "PD-L1"]),
        STATES,
        STATES,
    ),
    max_size=3,
)


@st.composite
def arms(draw) -> dict[str, Any]:
    treated, control = draw(st.integers(0, 8)), draw(st.integers(0, 8))
    values = {
        f"{who}_{when}": n for who, n in (("treated", treated), ("control", control)) for when in ("start", "end")
    }
    drawn = {name: draw(st.lists(SIZES, min_size=n, max_size=n)) for name, n in values.items()}
    return {"label": draw(LABELS), "weight_loss_percent": draw(st.one_of(st.none(), st.floats(0, 100)))} | drawn


@st.composite
def animals(draw) -> dict[str, Any]:
    days = draw(st.lists(st.integers(0, 60), min_size=1, max_size=8, unique=True).map(sorted))
    volumes = st.lists(st.floats(0, 1e5), min_size=len(days) - 1, max_size=len(days) - 1)
    return {"arm": draw(LABELS), "day": days, "volume": [draw(POSITIVE), *draw(volumes)]}


@st.composite
def inputs_of(draw, method: str) -> dict[str, Any]:
    """Draw what a collector can hand to a method, nothing included."""
    found = draw(INPUTS[method])
    dropped = draw(st.sets(st.sampled_from(sorted(found))))
    return {name: value for name, value in found.items() if name not in dropped}


def counted(with_it: str, of: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw two counts, the first no larger than the second, and more."""
    return st.builds(
        lambda counts, rest: dict(zip((with_it, of), counts, strict=True)) | rest, COUNTS, together(**more)
    )


def survival(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw times with their events and groups, and more."""
    return st.builds(
        lambda times, rest: (
            {name: [one[i] for one in times] for i, name in enumerate(("time", "event", "group"))} | rest
        ),
        TIMES,
        together(**more),
    )


def together(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(parts)


def numbered(most: int, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Draw subjects with their numbers."""
    return st.lists(together(**parts), max_size=most).map(
        lambda subjects: [{"id": number} | subject for number, subject in enumerate(subjects)]
    )


LEVELS = together(levels=st.lists(LEVEL, max_size=6))
RESPONSES = counted("responders", "evaluable", planned=st.integers(1, 60), markers=MARKERS)
INPUTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "A2": together(
        noaels=st.lists(st.tuples(st.sampled_from(["rat", "dog", "yeti"]), st.none() | POSITIVE), max_size=4)
    ),
    "A3": together(
        rodent=st.sampled_from([None, "mouse", "rat"]),
        std10_mg_per_kg=st.none() | POSITIVE,
        non_rodent=st.sampled_from([None, "dog", "monkey"]),
        hnstd_mg_per_kg=st.none() | POSITIVE,
    ),
    "A4": together(
        herg_ic50_um=POSITIVE, cmax_ng_per_ml=POSITIVE, molar_mass=POSITIVE, fraction_unbound=st.floats(1e-6, 1)
    ),
    "A5": together(
        margins=st.lists(
            together(
                label=LABELS,
                margin=POSITIVE,
                fraction_unbound_animal=st.just(0.1),
                fraction_unbound_human=st.just(0.2),
            ),
            max_size=3,
        )
    ),
    "A6": together(arms=st.lists(arms(), max_size=3)),
    "A7": together(animals=st.lists(animals(), max_size=5)),
    **dict.fromkeys(("B3", "B4", "B5", "B6"), LEVELS),
    "B7": together(levels=st.just(["level 1", "level 2", "level 3"]), subjects=FOLLOWED),
    "B8": counted("with_dlt", "treated"),
    "B9": together(subjects=numbered(4, tests=LIVER)),
    "B10": together(
        subjects=numbered(5, longest_ms=st.floats(1, 900), longest_change_ms=st.none() | st.floats(-300, 300))
    ),
    **dict.fromkeys(("C3", "C4", "C6"), RESPONSES),
    "C7": survival(events_planned=st.integers(1, 60), hazard_ratio_design=st.floats(0.1, 2)),
    **dict.fromkeys(("C8", "C9", "C11"), survival()),
    "D9": counted("at_target", "told"),
}


def test_every_method_that_is_computed_is_tried():
    assert PARAMETERS.keys() == INPUTS.keys() == EVALUATORS.keys()


@pytest.mark.parametrize("method", sorted(EVALUATORS))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_rule_always_recommends_something_and_says_why(method, data):
    inputs = data.draw(inputs_of(method))
    missing = data.draw(st.sampled_from([(), ("tumour volumes of animals",)]))
    rule = CheckpointRule("RULE", 1, CheckpointKind.EFFICACY, method, PARAMETERS[method], "as written", "test")
    found = evaluate(rule, Evidence(inputs, (), missing))
    assert isinstance(found.recommendation, Verdict)
    assert found.explanation.endswith(".")
    assert all(text in found.explanation for text in missing)
    assert "None" not in found.explanation
    assert "nan" not in found.explanation
    absent = [name for name in EVALUATORS[method].needs if inputs.get(name) in (None, [], {})]
    if absent:
        assert found.recommendation is Verdict.HOLD
        assert found.explanation.startswith("It cannot be assessed yet. Missing: ")


def test_what_people_decide_is_held_for_them():
    rule = CheckpointRule("PLAN", 1, CheckpointKind.TOXICITY, "REVIEW", {}, "The plan says how.", "directive")
    found = evaluate(rule, Evidence())
    assert (found.recommendation, "decided by people" in found.explanation) == (Verdict.HOLD, True)


def test_evidence_has_one_digest_whatever_the_order_it_was_seen_in():
    one = Evidence({"a": 1, "b": [2]}, (), ("x", "y"))
    other = Evidence({"b": [2], "a": 1}, (), ("y", "x"))
    assert one.digest() == other.digest() != Evidence({"a": 1, "b": [3]}, (), ("x", "y")).digest()

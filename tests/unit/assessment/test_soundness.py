"""What is wrong with a rule is said when it is defined: all of it, each by name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.assessment.evaluation import EVALUATORS
from pipeline.assessment.parameter_bounds import BOUNDS
from pipeline.assessment.soundness import faults
from pipeline.stages.checkpoints import METHODS
from pipeline.stages.graph import default_graph

GRAPH = default_graph()
STAGES = [stage.code for stage in GRAPH.stages]
RULES = {code: rule.parameters for code, rule in GRAPH.rules.items()}
TWO_STAGE = {"p0": 0.05, "p1": 0.25, "alpha": 0.1, "beta": 0.1}


def said(method, parameters, stages=(), code="A_RULE", rules=RULES):
    return [error.message for error in faults(code, method, parameters, stages, rules, STAGES)]


def test_every_rule_of_the_default_graph_is_sound_where_it_is_asked():
    asked = {code: GRAPH.stages_asking(code) for code in GRAPH.rules}
    at_hand = {rule.method for code, rule in GRAPH.rules.items() if not asked[code]}
    assert at_hand == {"A2", "B3", "B5", "B6", "B7", "C3", "C4", "C9", "C11"}
    assert {rule.method for rule in GRAPH.rules.values()} - {"REVIEW"} == EVALUATORS.keys()
    wrong = {code: said(rule.method, rule.parameters, asked[code], code) for code, rule in GRAPH.rules.items()}
    assert {code: messages for code, messages in wrong.items() if messages} == {}


@pytest.mark.parametrize(
    ("method", "parameters", "stages", "wanted"),
    [
        ("B4", {"target": 1.3}, (), "target has to lie from 0.05 to 0.6, not 1.3"),
        ("B4", {}, (), "B4 needs the parameter target"),
        ("B4", {"target": 0.3, "p_saf": 0.29}, (), "p_saf must be at least 10 % below the target 0.3"),
        ("B4", {"target": True}, (), "target has to be a number, not 'True'"),
        ("B4", {"target": float("nan")}, (), "target has to be a number, not 'nan'"),
        ("B4", {"target": 0.3, "targets": 0.3}, (), "B4 has no parameter 'targets'"),
        ("B4", {"target": 10**400}, (), "target has to be a number that can be"),
        ("B4", {"target": float("inf")}, (), "target has to be a number, not inf"),
        (
            "B8",
            {"target": 0.3, "prior": [1, 1], "cutoff": 0.9, "planned": 10**6},
            (),
            "planned has to lie from 1 to 500",
        ),
        ("B6", {"target": 0.3, "skeleton": [n / 100 for n in range(1, 30)]}, (), "a list of 1 to 20 numbers"),
        ("B5", {"target": 0.97}, (), "has to lie from 0.05 to 0.6"),
        ("B6", {"target": 0.3, "skeleton": [0.1, 0.1]}, (), "skeleton has to rise"),
        ("B6", {"target": 0.3, "skeleton": [0.1, 1]}, (), "skeleton holds a number that has to lie between 0 and 1"),
        ("B6", {"target": 0.3, "halfwidth": 0.4}, (), "the interval 0.3 -+ 0.4"),
        ("B7", {"target": 0.3}, (), "B7 needs the parameter window_days"),
        ("B7", {"target": 0.3, "window_days": 0}, (), "window_days has to lie between 0 and 3650, not 0"),
        ("B7", {"target": 0.3, "window_days": 28, "design": "3+3"}, (), "one of BOIN, KEYBOARD, CRM"),
        ("B7", {"target": 0.3, "window_days": 28, "skeleton": [0.1, 0.2]}, (), "says nothing under the design BOIN"),
        ("B7", {"target": 0.3, "window_days": 28, "p_saf": 0.29}, (), "p_saf must be at least 10 % below"),
        ("B7", {"target": 0.3, "window_days": 28}, ("PHASE_3",), "can never come about at PHASE_3"),
        (
            "B7",
            {"target": 0.1, "window_days": 28, "design": "KEYBOARD", "margin": 0.2},
            (),
            "the target key from -0.1 to 0.3",
        ),
        ("B8", {"target": 0.3, "prior": [1], "cutoff": 0.9}, (), "prior has to be a list of 2 numbers"),
        ("B8", {"target": 0.3, "prior": [1, 1], "cutoff": 1}, (), "cutoff has to lie between 0 and 1, not 1"),
        ("B8", {"target": 0.3, "prior": [1, 1], "cutoff": 0.9, "p_bad": 0.2}, (), "target has to be below p_bad"),
        ("C4", TWO_STAGE | {"p0": 0.3}, (), "p0 has to be below p1; 0.3 is not, beside 0.25"),
        ("C4", {"p0": 0.1}, (), "C4 needs either the design (r1, n1, r, n) or p0, p1, alpha, beta; p1 is missing"),
        ("C4", {"r1": 10, "n1": 10, "r": 12, "n": 30}, (), "r1 has to be below n1; 10 is not, beside 10"),
        ("C4", {"r1": 1, "n1": 10, "r": 5, "n": 10}, (), "n1 has to be below n"),
        ("C4", {"r1": 1, "n1": 10}, (), "a design that states r1, n1 has to state r as well"),
        ("C4", {"r1": 1.5, "n1": 10, "r": 5, "n": 20}, (), "r1 has to be a whole number, not 1.5"),
        ("C4", TWO_STAGE | {"p1": 0.06}, (), "no two-stage design of at most 100 subjects"),
        (
            "C6",
            {"p0": 0.9, "prior": [1, 1], "theta_t": 0.999, "theta_l": 0.05, "planned": 5},
            (),
            "not even 5 responses in 5 subjects",
        ),
        ("A4", {"alert_below": 100, "caution_below": 30}, (), "alert_below has to be at most caution_below"),
        ("A4", {"alert_below": 30, "caution_below": 100}, ("PHASE_3",), "can never come about at PHASE_3"),
        ("C4", TWO_STAGE, ("PRECLINICAL_TOXICOLOGY",), "can never come about at PRECLINICAL_TOXICOLOGY"),
        ("A7", {"response_share_min": 0.3, "responses": ["CR"]}, (), "responses has to be a list of mCR"),
        ("A7", {"response_share_min": 0.3, "responses": "mCR"}, (), "responses has to be a list"),
        ("B9", {"with": ["B11"]}, (), "with has to be a list of"),
        ("B10", {"absolute_ms_max": 5000, "change_ms_max": 60}, (), "absolute_ms_max has to lie from 300 to 700"),
        ("E1", {}, (), "says nothing of one programme"),
        ("REVIEW", {"by": " "}, (), "by has to be a text"),
        ("Z1", {}, (), "'Z1' is no method"),
        ("REVIEW", {}, ("NOWHERE",), "'NOWHERE' is not a stage"),
    ],
)
def test_each_fault_is_named(method, parameters, stages, wanted):
    assert any(wanted in message for message in said(method, parameters, stages)), said(method, parameters, stages)


def test_all_faults_come_at_once_with_the_path_to_each():
    found = faults("A_RULE", "B8", {"target": 2, "cutoff": "x", "more": 1}, ("PRECLINICAL_TOXICOLOGY",), {}, STAGES)
    assert [error.path[-1] for error in found] == ["target", "cutoff", "more", "method"]


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ({"and": ["HERG_MARGIN", "NO_SUCH"]}, "there is no rule 'NO_SUCH'"),
        ({"and": ["HERG_MARGIN"]}, '"and" takes a list of two parts or more'),
        ({"xor": []}, 'one of "and", "or", "not" is needed where xor stands'),
        (7, "a part of a composition is the code of a rule"),
        ({"and": ["HERG_MARGIN", {"method": "B8", "parameters": {"target": 0.3}}]}, "needs the parameter cutoff"),
        ({"not": {"method": "REVIEW"}}, "names a method that is computed, not 'REVIEW'"),
        ({"or": ["A_RULE", "HERG_MARGIN"]}, "the rule would rest on itself: A_RULE -> A_RULE"),
        ({"or": ["ROUND", "HERG_MARGIN"]}, "the rule would rest on itself: A_RULE -> ROUND -> A_RULE"),
        ({"or": ["HERG_MARGIN"] * 21}, "at most 20 parts"),
    ],
)
def test_compositions_that_cannot_be_are_refused(tree, wanted):
    rules = RULES | {"ROUND": {"composition": {"not": "A_RULE"}}}
    messages = said("COMPOSED", {"composition": tree}, rules=rules)
    assert any(wanted in message for message in messages), messages


def test_a_deep_composition_is_refused_and_a_sound_one_is_not():
    deep = "HERG_MARGIN"
    for _ in range(500):
        deep = {"not": deep}
    assert said("COMPOSED", {"composition": deep}) == ["a composition is at most 10 deep"]
    assert said("COMPOSED", {"composition": {"and": ["HERG_MARGIN", {"not": "EXPOSURE_MARGIN"}]}}) == []
    assert said("COMPOSED", {}) == ["a composed rule needs a composition: rules and criteria joined by and, or, not"]
    assert said("COMPOSED", {"composition": "HERG_MARGIN", "bar": 1}) == [
        "a composed rule has only a composition, no 'bar'"
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(sorted({name for bounds in BOUNDS.values() for name in bounds} | {"composition", "with"}))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(METHODS)), st.dictionaries(NAMES, JSON, max_size=5))
def test_whatever_is_stated_is_judged_and_what_is_sound_has_all_it_needs(method, parameters):
    if not said(method, parameters) and method in EVALUATORS:
        assert set(EVALUATORS[method].parameters) <= set(parameters)


def test_an_unknown_stage_is_refused_once():
    parameters = {"target": 0.3, "prior": [1, 1], "cutoff": 0.9}
    found = faults("R", "B8", parameters, ["PHASE_9", "PHASE_1"], {}, ["PHASE_1", "PHASE_2"])
    assert [each.message for each in found] == [
        "'PHASE_9' is not a stage of the state graph; its stages are PHASE_1, PHASE_2"
    ]

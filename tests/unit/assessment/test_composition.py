"""Rules made of others: one finding of several, with its parts shown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.assessment.composition import RISING, Branch, codes, combined, in_words, judge, leaves, read_composition
from pipeline.assessment.evaluation import evaluate
from pipeline.assessment.finding import Evidence
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.words import CheckpointKind

NO_GO, RECYCLE, HOLD, CONDITIONAL, GO = RISING


@pytest.mark.parametrize(
    ("tree", "verdicts", "wanted"),
    [
        ({"and": ["A", "B"]}, (GO, GO), GO),
        ({"and": ["A", "B"]}, (GO, CONDITIONAL), CONDITIONAL),
        ({"and": ["A", "B"]}, (GO, HOLD), HOLD),
        ({"and": ["A", "B"]}, (NO_GO, HOLD), NO_GO),
        ({"or": ["A", "B"]}, (NO_GO, GO), GO),
        ({"or": ["A", "B"]}, (NO_GO, HOLD), HOLD),
        ({"or": ["A", "B"]}, (NO_GO, RECYCLE), RECYCLE),
        ({"not": "A"}, (GO,), NO_GO),
        ({"not": "A"}, (HOLD,), HOLD),
        ({"not": "A"}, (CONDITIONAL,), RECYCLE),
        ({"and": ["A", {"or": ["B", {"not": "C"}]}]}, (GO, NO_GO, NO_GO), GO),
    ],
)
def test_the_table_of_and_or_not(tree, verdicts, wanted):
    assert combined(read_composition(tree), iter(verdicts)) is wanted


TREES = st.recursive(
    st.sampled_from(["A", "B", "C"]),
    lambda below: (
        st.builds(lambda parts: {"and": parts}, st.lists(below, min_size=2, max_size=3))
        | st.builds(lambda parts: {"or": parts}, st.lists(below, min_size=2, max_size=3))
        | st.builds(lambda part: {"not": part}, below)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(TREES, st.lists(st.sampled_from(RISING), min_size=20, max_size=20))
def test_not_turns_a_composition_inside_out(tree, verdicts):
    composition = read_composition(tree)
    plain = combined(composition, iter(verdicts))
    turned = combined(_dual(composition), iter([RISING[4 - RISING.index(each)] for each in verdicts]))
    assert RISING.index(turned) == 4 - RISING.index(plain)


def _dual(composition):
    if not isinstance(composition, Branch):
        return composition
    word = {"and": "or", "or": "and", "not": "not"}[composition.word]
    return Branch(word, tuple(_dual(part) for part in composition.below))


def test_leaves_codes_and_words():
    tree = {"and": ["A", {"or": ["B", {"not": "A"}, {"method": "B8", "parameters": {}, "label": "no excess"}]}]}
    composition = read_composition(tree)
    assert [leaf if isinstance(leaf, str) else leaf.method for leaf in leaves(composition)] == ["A", "B", "A", "B8"]
    assert codes(composition) == ("A", "B")
    assert in_words(composition) == "A and (B or (not A) or no excess)"


def rule(code, method, parameters):
    return CheckpointRule(code, 3, CheckpointKind.TOXICITY, method, parameters, f"{code} asks.", "test")


def part(code, method, parameters, inputs, missing=()):
    of = rule(code, method, parameters)
    content = {name: getattr(of, name) for name in ("code", "version", "method", "description", "source")}
    return {
        "rule": content | {"kind": "TOXICITY", "parameters": parameters},
        "inputs": inputs,
        "missing": list(missing),
    }


HERG = {"alert_below": 30, "caution_below": 100}
MONITORING = {"target": 0.3, "prior": [0.6, 1.4], "cutoff": 0.95}


def test_a_finding_shows_every_part():
    safe = part("SAFE", "B8", MONITORING, {"with_dlt": 1, "treated": 12})
    untold = part("UNTOLD", "A4", HERG, {}, ["HERG IC50"])
    found = judge(
        rule("BOTH", "COMPOSED", {"composition": {"and": ["SAFE", "UNTOLD"]}}), Evidence({"parts": [safe, untold]})
    )
    assert found.recommendation is HOLD
    assert [(p["of"], p["version"], p["recommendation"]) for p in found.outcome["parts"]] == [
        ("SAFE", 3, "GO"),
        ("UNTOLD", 3, "HOLD"),
    ]
    assert found.explanation.startswith("SAFE and UNTOLD: HOLD. SAFE: GO. 1 of 12 subjects")
    assert "HERG IC50" in found.explanation


def test_a_rule_in_a_rule_and_a_plain_one():
    safe = part("SAFE", "B8", MONITORING, {"with_dlt": 9, "treated": 12})
    inner = part("INNER", "COMPOSED", {"composition": {"not": "SAFE"}}, {"parts": [safe]})
    outer = rule("OUTER", "COMPOSED", {"composition": {"or": ["INNER", "SAFE"]}})
    assert judge(outer, Evidence({"parts": [inner, safe]})).recommendation is GO
    plain, evidence = rule("SAFE", "B8", MONITORING), Evidence({"with_dlt": 9, "treated": 12})
    assert judge(plain, evidence) == evaluate(plain, evidence)

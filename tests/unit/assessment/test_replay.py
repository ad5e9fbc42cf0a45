"""What a rule would have done, told apart by what became of the programme; counts judged side by side."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.assessment.counted_verdicts import counted_verdicts, state_of
from pipeline.assessment.evaluation import evaluate
from pipeline.assessment.finding import Evidence, Finding
from pipeline.assessment.published_doses import Level, boin, choose, crm, fault, reasons, three_plus_three, ways
from pipeline.assessment.replay import (
    Course,
    Fate,
    Moment,
    Replay,
    fate_of,
    is_judged,
    replayed,
    stops,
    summarised,
)
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.words import CheckpointKind, Verdict

TOXICITY, EFFICACY = CheckpointKind.TOXICITY, CheckpointKind.EFFICACY


def moment(act, day, *, stops=False, judged=True, subjects=0):
    return Moment(act, day, Verdict.NO_GO if stops else Verdict.GO, judged, stops, subjects)


GO_ON = (moment(1, "2020-01-01"), moment(2, "2020-03-01"))
STOP = (moment(1, "2020-01-01"), moment(2, "2020-03-01", stops=True, subjects=12), moment(3, "2020-06-01"))


@pytest.mark.parametrize(
    ("moments", "fate", "stopped", "wanted"),
    [
        (STOP, Fate.STOPPED_FOR_IT, "2021-03-01", Replay.STOPPED_EARLIER),
        (GO_ON, Fate.STOPPED_FOR_IT, "2021-03-01", Replay.MISSED),
        (STOP, Fate.WENT_ON, None, Replay.WRONGLY_STOPPED),
        (GO_ON, Fate.WENT_ON, None, Replay.CORRECTLY_CONTINUED),
        (STOP, Fate.IN_PHASE, None, Replay.IN_PHASE),
        (STOP, Fate.STOPPED_OTHERWISE, "2021-03-01", Replay.STOPPED_OTHERWISE),
        ((), Fate.WENT_ON, None, Replay.NOT_JUDGED),
        ((moment(1, "2020-01-01", judged=False),), Fate.STOPPED_FOR_IT, "2021-03-01", Replay.NOT_JUDGED),
        (STOP, Fate.STOPPED_FOR_IT, "2020-02-01", Replay.MISSED),  # fired after the programme had stopped
        (STOP, Fate.STOPPED_FOR_IT, "2019-01-01", Replay.NOT_JUDGED),  # all was recorded after it had stopped
    ],
)
def test_what_a_rule_would_have_done(moments, fate, stopped, wanted):
    assert replayed(Course(1, moments, fate, stopped, stopped, 40)).outcome is wanted


def test_what_is_saved_is_counted_from_the_first_stop():
    found = replayed(Course(1, STOP, Fate.STOPPED_FOR_IT, "2021-03-01", "2021-03-31", 40))
    assert (found.act, found.day, found.subjects) == (2, "2020-03-01", 28)
    assert found.months == pytest.approx(365 / (365.25 / 12))
    wrong = replayed(Course(2, STOP, Fate.WENT_ON, None, None, 40))
    assert (wrong.months, wrong.subjects) == (0.0, 0)


def test_a_summary_adds_up_and_has_wilson_intervals():
    of = {Replay.STOPPED_EARLIER: 8, Replay.MISSED: 2, Replay.WRONGLY_STOPPED: 1, Replay.CORRECTLY_CONTINUED: 9}
    made = []
    for outcome, count in of.items():
        moments = STOP if outcome in (Replay.STOPPED_EARLIER, Replay.WRONGLY_STOPPED) else GO_ON
        bad = outcome in (Replay.STOPPED_EARLIER, Replay.MISSED)
        fate, day = (Fate.STOPPED_FOR_IT, "2020-09-01") if bad else (Fate.WENT_ON, None)
        made += [replayed(Course(n, moments, fate, day, day, 20)) for n in range(count)]
    found = summarised([*made, replayed(Course(99, STOP, Fate.IN_PHASE))])
    assert (found.programmes, found.in_phase, found.not_judged) == (21, 1, 0)
    assert (found.stopped_earlier, found.missed, found.wrongly_stopped, found.correctly_continued) == (8, 2, 1, 9)
    assert found.subjects_spared == 8 * 8
    # Wilson's interval for 8 of 10 at 95 %.
    assert (found.sensitivity.low, found.sensitivity.high) == pytest.approx((0.4901625, 0.9433178), abs=1e-7)
    assert found.specificity.value == 0.9
    assert summarised([]).sensitivity.value is None


@pytest.mark.parametrize(
    ("kind", "facts", "wanted"),
    [
        (TOXICITY, {"stopped": True, "reason": "TOX_CLINICAL", "beyond": False}, Fate.STOPPED_FOR_IT),
        (TOXICITY, {"stopped": True, "reason": "TOX_CLINICAL", "beyond": True}, Fate.STOPPED_FOR_IT),
        (TOXICITY, {"stopped": True, "reason": "EFFICACY_LACK", "beyond": True}, Fate.WENT_ON),
        (TOXICITY, {"stopped": True, "reason": "EFFICACY_LACK", "beyond": False}, Fate.STOPPED_OTHERWISE),
        (EFFICACY, {"stopped": True, "reason": "EFFICACY_LACK", "beyond": False}, Fate.STOPPED_FOR_IT),
        (EFFICACY, {"stopped": True, "reason": None, "beyond": False}, Fate.STOPPED_OTHERWISE),
        (EFFICACY, {"stopped": False, "reason": None, "beyond": True}, Fate.WENT_ON),
        (EFFICACY, {"stopped": False, "reason": None, "beyond": False}, Fate.IN_PHASE),
        (EFFICACY, {"stopped": False, "reason": None, "beyond": False, "done": True}, Fate.WENT_ON),
    ],
)
def test_the_fate_of_a_programme_for_a_rule(kind, facts, wanted):
    assert fate_of(kind, **({"done": False} | facts)) is wanted


def test_what_stops_and_what_is_judged():
    held = Finding(Verdict.HOLD, "", 2.0, 0.0)
    waits = Finding(Verdict.HOLD, "")
    assert [stops(("B9",), held), stops(("C4",), held), stops(("B9",), waits)] == [True, False, False]
    assert [stops(("C4",), Finding(verdict, "")) for verdict in Verdict] == [False, False, False, True, True]
    assert [is_judged(held), is_judged(waits), is_judged(Finding(Verdict.GO, ""))] == [True, False, True]


STATES = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=22).map(tuple), min_size=1, max_size=30
)


@settings(max_examples=40, deadline=None)
@given(STATES, st.sampled_from([("B4", {"target": 0.25}), ("B5", {"target": 0.3, "cutoff_eliminate": 0.9})]))
def test_states_judged_side_by_side_are_judged_as_one_by_one(states, of):
    method, parameters = of
    rule = CheckpointRule("R", 1, TOXICITY, method, parameters, "", "")
    found = counted_verdicts(rule, set(states))
    assert set(found) == set(states)
    for state, said in found.items():
        levels = [{"label": "x", "treated": n, "with_dlt": x} for n, x in state]
        evidence = Evidence({"levels": levels})
        assert state_of(evidence) == state
        finding = evaluate(rule, evidence)
        if all(x <= n for n, x in state):
            assert said == (finding.recommendation, is_judged(finding))
        else:
            assert said == (Verdict.HOLD, False)


# ------------------------------------------------------------ published doses


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        (((3, 0), (6, 1), (3, 2)), 2),
        (((6, 2), (3, 0)), 0),
        (((3, 0), (3, 0), (6, 1)), 3),
        (((3, 0), (3, 0), (0, 0)), 2),
        (((7, 1), (3, 0)), 2),
        # Of seven, two with a toxicity: both, one or none of them among the first six
        (((3, 0), (7, 2), (3, 3)), None),
        (((3, 0), (3, 3), (12, 4)), 1),
        # Any six of seven with three toxicities have two or more
        (((3, 0), (7, 3)), 1),
    ],
)
def test_three_plus_three_from_counts(counts, wanted):
    assert three_plus_three(counts, 0.3) == wanted


def test_boin_and_crm_choose_from_counts():
    assert boin(((3, 0), (6, 2), (6, 4)), 0.3) == 2
    assert boin(((3, 3), (0, 0)), 0.3) == 0
    assert crm(((3, 3), (3, 3), (3, 3)), 0.3) == 0
    assert crm(((3, 0), (3, 0), (0, 0)), 0.3) == 2


def test_what_is_open_is_tried_every_way():
    levels = [Level("1", None, None, None), Level("2", 6, 1, 2), Level("3", None, None, None)]
    assert list(ways(levels)) == [
        ((3, 0), (6, 1), (0, 0)),
        ((3, 0), (6, 1), (3, 0)),
        ((3, 0), (6, 2), (0, 0)),
        ((3, 0), (6, 2), (3, 0)),
    ]
    assert choose("3+3", levels, 0.3).level is None
    assert choose("3+3", [*levels[:1], Level("2", 6, 3, 3), *levels[2:]], 0.3).level == 1


@pytest.mark.parametrize(
    ("levels", "wanted"),
    [
        ([Level("1", 3, 0, 0)], "fewer than two"),
        ([Level("1", None, None, None)] * 2, "no counts"),
        ([Level("1", 3, 4, 4)] * 2, "more subjects with toxicities than treated"),
        ([Level("1", 3, 0, 0)] * 21, "more than twenty"),
        ([Level("1", 6, 1, 3)] * 8, "too many levels are open"),
        ([Level("1", 6, None, None), Level("2", 6, 1, 1)], "not how many had toxicities"),
    ],
)
def test_counts_that_cannot_be_compared(levels, wanted):
    assert wanted in (fault(levels) or "")


def test_reasons_a_choice_may_differ():
    levels = [Level("1", None, None, None), Level("2", 6, 0, 0), Level("3", 6, 1, 2)]
    found = reasons(levels, 2, {"BOIN": 3}, 0.3, drugs=2, kind="RP2D")
    for part in ("2 drugs", "below the MTD", "not reached", "taken as passed", "several toxicities", "0 of 6 at"):
        assert any(part in reason for reason in found), part
    plain = [Level("1", 3, 0, 0), Level("2", 6, 2, 2), Level("3", 3, 3, 3)]
    assert reasons(plain, 1, {"BOIN": 1}, 0.3, drugs=1, kind="MTD") == ("not told by the counts",)

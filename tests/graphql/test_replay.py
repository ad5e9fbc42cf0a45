"""Running a rule over the past: only what was known then, against what became of each programme."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.access import Actor, Role
from pipeline.assessment.composition import judge
from pipeline.assessment.replay import Replay
from pipeline.centre import Centre
from pipeline.reports import rule_replay
from pipeline.reports.rule_replay import deviations, replay_rule
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from tests.support.escalated import end, escalate, level, phase_one

LATER = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
REPLAY = """query ($rule: String!, $version: Int, $parameters: JSON, $filter: PortfolioFilter) {
  replayRule(rule: $rule, version: $version, parameters: $parameters, filter: $filter) {
    rule { code version parameters inUse }
    programmes inPhase stoppedOtherwise notJudged stoppedEarlier wronglyStopped missed correctlyContinued
    monthsSaved subjectsSpared
    sensitivity { value k n low high method reason } specificity { value k n low high reason }
    outcomes { programme outcome act day monthsSaved subjectsSpared }
  } }"""
SAFE, TOXIC = [(3, 0), (3, 0), (6, 1)], [(3, 0), (3, 3), (6, 3)]


@pytest.fixture
def portfolio(centre: Centre) -> dict[str, int]:
    """Six programmes in phase 1, one for each of what a rule can do with them."""
    plans = {
        "earlier": ([(6, 5), (6, 2)], {"status": "DISCONTINUED", "reason": "TOX_CLINICAL"}),
        "missed": (SAFE, {"status": "DISCONTINUED", "reason": "TOX_CLINICAL"}),
        "wrong": ([(6, 5), (3, 0)], {"status": "ACTIVE", "stage": "PHASE_2"}),
        "right": (SAFE, {"status": "ACTIVE", "stage": "PHASE_2"}),
        "otherwise": (SAFE, {"status": "DISCONTINUED", "reason": "FUNDING"}),
        "in phase": ([(6, 5)], None),
        "nothing": ([], {"status": "ACTIVE", "stage": "PHASE_2"}),
    }
    ids = {}
    for name, (counts, ending) in plans.items():
        programme, study, source = phase_one(centre, name)
        escalate(centre, study, source, counts)
        if ending is not None:
            end(centre, programme, day=LATER, **ending)
        ids[name] = programme
    return ids


def test_each_programme_is_told_apart_and_the_rule_is_rated(api, portfolio):
    found = api(REPLAY, rule="DOSE_LIMITING_TOXICITY")["replayRule"]
    names = ("programmes", "inPhase", "stoppedOtherwise", "notJudged", "stoppedEarlier", "wronglyStopped", "missed")
    assert [found[name] for name in names] == [7, 1, 1, 1, 1, 1, 1]
    assert found["correctlyContinued"] == 1
    assert [each["outcome"] for each in found["outcomes"]] == [
        *("STOPPED_EARLIER", "MISSED", "WRONGLY_STOPPED", "CORRECTLY_CONTINUED", "STOPPED_OTHERWISE"),
        *("IN_PHASE", "NOT_JUDGED"),
    ]
    # The stop is 90 days after the first level was recorded; 6 more subjects were treated on the second.
    assert found["monthsSaved"] == pytest.approx(90 / (365.25 / 12))
    assert found["subjectsSpared"] == 6
    sensitivity = found["sensitivity"]
    assert (sensitivity["k"], sensitivity["n"], sensitivity["value"]) == (1, 2, 0.5)
    assert sensitivity["low"] == pytest.approx(0.094531, abs=1e-6)
    assert found["specificity"]["n"] == 2


def test_a_variation_is_tried_and_an_unsound_one_refused(api, portfolio):
    lenient = api(REPLAY, rule="DOSE_LIMITING_TOXICITY", parameters={"cutoff_eliminate": 0.9999})["replayRule"]
    assert lenient["rule"]["parameters"] == {"target": 0.3, "cutoff_eliminate": 0.9999}
    assert (lenient["stoppedEarlier"], lenient["wronglyStopped"]) == (0, 0)
    refused = api.result(REPLAY, rule="DOSE_LIMITING_TOXICITY", parameters={"target": 2, "limit": 1})
    assert refused.data is None
    said = str(refused.errors)
    assert "target has to lie from 0.05 to 0.6" in said or "no parameter 'limit'" in said
    assert "there is no rule" in str(api.result(REPLAY, rule="NO_SUCH").errors)
    assert "its versions are 1" in str(api.result(REPLAY, rule="DOSE_LIMITING_TOXICITY", version=4).errors)
    few = api(REPLAY, rule="DOSE_LIMITING_TOXICITY", filter={"stage": ["PHASE_2"]})["replayRule"]
    assert few["programmes"] == 3


def test_planned_and_plain_answers_are_equal(api, portfolio):
    for rule in ("DOSE_LIMITING_TOXICITY", "CONTINUED_TOXICITY", "LIVER_SAFETY"):
        assert api.result(REPLAY, rule=rule).data == api.result(REPLAY, rule=rule, plain=True).data


def _said(reader: Reader, code: str, up_to: int | None = None):
    """Return by programme what the rule says at every act up to one, as far as the first that stops it."""
    _, graph = reader.graphs.in_force(reader.connection)
    one = rule_replay.the_rule(reader.connection, graph, code, None)
    replaying = rule_replay._Replaying(reader, one.rule, one, {}, rule_replay._days(reader))
    rows = rule_replay._programmes(reader, rule_replay.PortfolioFilter())
    return {
        course.programme: [(m.act, m.verdict, m.judged, m.stops) for m in course.moments if not up_to or m.act <= up_to]
        for course in replaying.courses(rows)
    }


ACTS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(1, 4), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12
)


@pytest.mark.parametrize("code", ["DOSE_LIMITING_TOXICITY", "CONTINUED_TOXICITY"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=ACTS, after=ACTS, stop=st.booleans())
def test_what_was_recorded_later_never_changes_what_is_said_of_a_moment(centre, code, before, after, stop):
    made = [phase_one(centre, f"P{utc_number()}") for _ in range(2)]
    for which, ordinal, treated, dlt in before:
        level(centre, *made[which][1:], ordinal, max(treated, dlt), dlt)
    with centre.read() as reader:
        last = max(rule_replay._days(reader))
        before_it = _said(reader, code)
        early = replay_rule(reader, code).programmes
    for which, ordinal, treated, dlt in after:
        level(centre, *made[which][1:], ordinal, max(treated, dlt), dlt)
    if stop:
        end(centre, made[0][0], day=LATER, status="DISCONTINUED", reason="TOX_CLINICAL")
    with centre.read() as reader:
        assert _said(reader, code, up_to=last) == before_it
        then = replay_rule(reader.at(View(None, last)), code).programmes
    assert then == early


_numbers = iter(range(10**9))


def utc_number() -> int:
    return next(_numbers)


ASSESS = """mutation ($input: AssessCheckpointInput!) { assessCheckpoint(input: $input) {
    checkpoint { id recommendation } errors { message } } }"""


def test_replaying_the_version_used_reproduces_every_past_recommendation(api, centre):
    from schema.node import global_id

    programme, study, source = phase_one(centre)
    rules = ("DOSE_LIMITING_TOXICITY", "LIVER_SAFETY", "CARDIAC_SAFETY", "TARGET_EXPOSURE")
    for counts in (SAFE, TOXIC, [(6, 5)]):
        escalate(centre, study, source, counts)
        for rule in rules:
            answer = api(ASSESS, input={"programme": global_id("Programme", programme), "rule": rule})
            assert answer["assessCheckpoint"]["errors"] == []
    end(centre, programme, day=LATER, stage="PHASE_2", status="ACTIVE")
    with centre.read() as reader:
        count, found = deviations(reader)
    assert count == 6
    assert found == []


def test_a_recommendation_that_comes_out_otherwise_is_named(api, centre, monkeypatch):
    from schema.node import global_id

    programme, study, source = phase_one(centre)
    escalate(centre, study, source, SAFE)
    content = {"programme": global_id("Programme", programme), "rule": "DOSE_LIMITING_TOXICITY"}
    api(ASSESS, input=content)

    def otherwise(rule, evidence):
        return replace(judge(rule, evidence), statistic=0.5)

    monkeypatch.setattr(rule_replay, "judge", otherwise)
    with centre.read() as reader:
        count, found = deviations(reader)
    assert (count, len(found)) == (1, 1)
    assert found[0].evidence_equal
    assert "0.5 against 0.3" in found[0].now


def test_a_corrected_record_and_a_rule_put_aside_leave_the_past_as_it_was(api, centre):
    from schema.node import global_id

    programme, study, source = phase_one(centre)
    escalate(centre, study, source, SAFE)
    content = {"programme": global_id("Programme", programme), "rule": "DOSE_LIMITING_TOXICITY"}
    api(ASSESS, input=content)
    tree = {"and": ["CONTINUED_TOXICITY", {"method": "B4", "parameters": {"target": 0.25}, "label": "a dose"}]}
    rule = {
        "code": "DOSE_LIMITING_TOXICITY",
        "kind": "TOXICITY",
        "method": "COMPOSED",
        "description": "d",
        "source": "s",
    }
    define = "mutation ($input: DefineRuleInput!) { defineRule(input: $input) { rule { version } errors { message } } }"
    use = "mutation ($input: UseRuleInput!) { useRule(input: $input) { errors { message } } }"
    made = api(define, input=rule | {"parameters": {"composition": tree}})["defineRule"]
    assert (made["errors"], made["rule"]) == ([], {"version": 2})
    other = Actor.of("B. Lead", Role.LEAD)
    assert api(use, input={"code": rule["code"], "version": 2}, as_=other)["useRule"]["errors"] == []
    assert api(ASSESS, input=content)["assessCheckpoint"]["checkpoint"]["recommendation"] == "GO"
    level(centre, study, source, 1, 6, 6)
    assert api(ASSESS, input=content)["assessCheckpoint"]["checkpoint"]["recommendation"] == "NO_GO"
    stricter = {"target": 0.2, "prior": [0.6, 1.4], "cutoff": 0.9}
    part = {"code": "CONTINUED_TOXICITY", "kind": "TOXICITY", "method": "B8", "description": "d", "source": "s"}
    api(define, input=part | {"parameters": stricter})
    api(use, input={"code": "CONTINUED_TOXICITY", "version": 2})
    api(use, input={"code": "DOSE_LIMITING_TOXICITY", "version": 1})
    with centre.read() as reader:
        assert deviations(reader) == (3, [])
        composed = replay_rule(reader, "DOSE_LIMITING_TOXICITY", 2).programmes[0]
        plain = replay_rule(reader, "DOSE_LIMITING_TOXICITY", 1).programmes[0]
    assert composed.act == plain.act
    assert composed.outcome is Replay.IN_PHASE

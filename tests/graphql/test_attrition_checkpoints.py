"""The probability of approval after a checkpoint, from the record of its rule (F2), on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.cli.attrition_text import review_text
from pipeline.attrition.review_json import as_json, read_json
from pipeline.attrition.review_settings import settings_of
from pipeline.attrition.review_tables import review_tables, table_named
from pipeline.attrition.success_probability import PhaseEvidence, success_probability
from pipeline.centre import Centre
from pipeline.reports.attrition_review import ReviewRequest, attrition_review, verify
from pipeline.store import tables
from pipeline.store.journal import Act
from tests.support.escalated import end, escalate, perform, phase_one

LATER = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
SAFE, TOXIC = [(3, 0), (3, 0)], [(6, 5)]
TOXICITY, ONWARD = {"status": "DISCONTINUED", "reason": "TOX_CLINICAL"}, {"status": "ACTIVE", "stage": "PHASE_2"}
RULE = "DOSE_LIMITING_TOXICITY"
ASKED = ReviewRequest(
    today=LATER, checkpoints=True, settings=settings_of({"silence_days": {"PHASE_1": 20_000, "PHASE_2": 20_000}})
)


def add(centre: Centre, name: str, counts: Sequence[tuple[int, int]], ending: dict[str, str] | None) -> int:
    programme, study, source = phase_one(centre, name)
    escalate(centre, study, source, counts)
    if ending is not None:
        end(centre, programme, day=LATER, **ending)
    return programme


def assessed(centre: Centre, programme: int, recommendation: str, *, rule: str = RULE, on: str = "2021-01-01", **more):
    row = {
        **{"programme_id": programme, "stage": "PHASE_1", "kind": "TOXICITY", "rule_code": rule, "rule_number": 1},
        **{"recommendation": recommendation, "explanation": "as counted", "statistic": 0.1, "threshold": 0.3},
        "assessed_on": f"{on}T09:00:00.000000Z",
    }
    perform(centre, lambda act: {"id": act.add(tables.checkpoints, {**row, **more})})


@pytest.fixture
def past(centre: Centre) -> Centre:
    """Ten programmes that stopped for toxicity, six of which the rule would have stopped; ten that went on, of which
    it would have stopped two.
    """
    for counts, ending, times in ((TOXIC, TOXICITY, 6), (SAFE, TOXICITY, 4), (TOXIC, ONWARD, 2), (SAFE, ONWARD, 8)):
        for number in range(times):
            add(centre, f"{len(counts)}-{ending['status']}-{number}", counts, ending)
    return centre


def reviewed(centre: Centre, asked: ReviewRequest = ASKED):
    with centre.read() as reader:
        return attrition_review(reader, asked)


def test_what_a_checkpoint_said_turns_the_odds_by_the_record_of_its_rule(past: Centre):
    names = {name: add(past, name, [], None) for name in ("goes", "stops", "waits", "unknown", "unassessed")}
    assessed(past, names["goes"], "NO_GO", on="2020-06-01")
    assessed(past, names["goes"], "GO", verdict="GO")
    assessed(past, names["goes"], "NO_GO", rule="CONTINUED_TOXICITY", on="2020-07-01")
    assessed(past, names["stops"], "NO_GO")
    assessed(past, names["waits"], "HOLD", statistic=None, threshold=None)
    assessed(past, names["unknown"], "GO", rule_number=77)
    found = reviewed(past)
    by = {one.programme: one for one in found.updates}
    assert set(by) == {names[name] for name in ("goes", "stops", "waits", "unknown")}
    goes, stops = by[names["goes"]], by[names["stops"]]
    assert (goes.sensitivity.k, goes.sensitivity.n, goes.specificity.k, goes.specificity.n) == (6, 10, 8, 10)
    assert goes.sensitivity.low == pytest.approx(0.312674, abs=1e-6)
    assert (goes.likelihood_ratio, stops.likelihood_ratio) == pytest.approx((0.8 / 0.4, 0.2 / 0.6))
    assert goes.likelihood_ratio_low < 1 < goes.likelihood_ratio < goes.likelihood_ratio_high
    [before] = [one for one in found.success if one.stage == "PHASE_1"]
    phases = [PhaseEvidence(p.benchmark, p.prior_programmes, p.successes, p.failures) for p in before.phases]
    assert (phases[0].successes, phases[0].failures) == (10, 10)
    for one, ratio in ((goes, 2.0), (stops, 1 / 3)):
        expected = success_probability(phases, ratio)
        assert one.before == pytest.approx(expected.pts_mean)
        assert one.phase_after == pytest.approx(expected.first_phase_after_evidence)
        assert one.after == pytest.approx(expected.pts_after_evidence)
        assert one.after_low < one.after < one.after_high
    assert stops.after < stops.before < goes.after
    assert (goes.recommendation, goes.verdict, stops.verdict) == ("GO", "GO", None)
    assert "own record 10 of 20; GO of DOSE_LIMITING_TOXICITY 1: its replay has 8 of 10 that went on" in goes.basis
    assert goes.basis.endswith("not multiplied, as they may hang together: CONTINUED_TOXICITY 1")
    waits, unknown = by[names["waits"]], by[names["unknown"]]
    for one, why in ((waits, "the checkpoint waits for evidence"), (unknown, "not on record, so it has no replay")):
        assert (one.likelihood_ratio, one.after, one.after_low) == (None, None, None)
        assert why in one.basis
        assert one.before == goes.before


def test_a_short_record_of_the_rule_gives_no_ratio(centre: Centre):
    for number in range(4):
        add(centre, f"bad-{number}", TOXIC, TOXICITY)
        add(centre, f"good-{number}", SAFE, ONWARD)
    assessed(centre, add(centre, "now", [], None), "GO")
    [one] = reviewed(centre).updates
    assert (one.sensitivity.k, one.sensitivity.n, one.sensitivity.value) == (4, 4, None)
    assert (one.likelihood_ratio, one.after) == (None, None)
    assert "fewer than 5 of one fate are known" in one.basis


def test_a_checkpoint_of_another_phase_or_a_later_day_says_nothing(past: Centre):
    now = add(past, "now", [], None)
    assessed(past, now, "GO", stage="CTA")
    assessed(past, now, "GO", on="2999-01-01")
    assert reviewed(past).updates == ()
    assert reviewed(past, replace(ASKED, checkpoints=False)).updates is None


def test_a_written_review_with_checkpoints_is_verified_and_shows_them(past: Centre):
    now = add(past, "now", [], None)
    assessed(past, now, "GO")
    found = reviewed(past)
    shown = table_named(review_tables(found), "updates")
    assert [row[0] for row in shown.rows] == ["now"]
    assert len(shown.rows[0]) == len(shown.heads)
    assert "8 of 10 that went on" in review_text(found, [])
    with past.read() as reader:
        assert verify(reader, read_json(as_json(found), name="x")) == []

    def correct(act: Act):
        row = act.current(tables.checkpoints, tables.checkpoints.c.programme_id == now)[0]
        act.revise(tables.checkpoints, row, {"recommendation": "NO_GO"})
        return {}

    perform(past, correct)
    with past.read() as reader:
        assert verify(reader, read_json(as_json(found), name="x")) == []
    assert reviewed(past).updates[0].recommendation == "NO_GO"

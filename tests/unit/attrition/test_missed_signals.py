"""The first earlier record of the same signal: which one, on two clocks, and the sums over a portfolio."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.lead_time import OUTCOMES
from pipeline.attrition.missed_signals import Dosed
from pipeline.attrition.missed_signals import missed_signals as of_columns
from pipeline.attrition.portfolio import REASONS
from pipeline.attrition.signal_columns import STOPS, Followed, ScientificStops, Signal, signals_of

MOVES = ((100, "PHASE_1"), (400, "PHASE_2"))
WORDS = {"ORGAN:RENAL": "renal failure", "ENDPOINT:SURVIVAL": "no gain in survival"}


def course(programme=1, molecule=1, end=1000, outcome="dropped"):
    return programme, molecule, end, OUTCOMES.index(outcome)


def stop(programme=1, kind="TOXICITY", keys=("ORGAN:RENAL",), day=1000):
    return programme, STOPS.index(kind), day, " ".join(WORDS[key] for key in keys)


def missed_signals(courses, stops, signals, dosed):
    """Search signals by molecule for stops whose programmes and records have the same numbers."""
    days, stages = zip(*MOVES, strict=True)
    first = np.arange(len(courses)) * len(MOVES)
    columns = [np.array(column) for column in zip(*courses, strict=True)]
    moves = (np.array(days * len(courses)), np.array((0, 1) * len(courses)))
    followed = Followed(*columns, first, *moves, stages)
    number, kind, day, words = (np.array(column) for column in zip(*stops, strict=True))
    found = ScientificStops(
        followed=followed,
        names=[f"P{n}" for n in followed.programme],
        place=np.searchsorted(followed.programme, number),
        transition=number,
        stage=np.ones(number.size, dtype=int),
        reason=np.full(number.size, REASONS.index("TOX_CLINICAL")),
        kind=kind,
        day=day,
        words=dict(zip(number.tolist(), words.tolist(), strict=True)),
    )
    some = signals_of(replace(one, molecule=molecule) for molecule, those in signals.items() for one in those)
    return of_columns(found, some, lambda molecules: {one: dosed[one] for one in molecules if one in dosed})


def signal(day, known, *keys, id=1):
    return Signal(1, keys or ("ORGAN:RENAL",), day, "OWN_DATE", known, "Finding", id, "seen")


def test_the_first_that_happened_and_the_first_that_was_known_may_be_two_records():
    found = missed_signals([course()], [stop()], {1: [signal(300, 900, id=1), signal(500, 600, id=2)]}, {})
    [one] = found.signals
    assert (one.node_id, one.known_node_id, one.records) == (1, 2, 2)
    assert (one.could_have_known_days, one.did_know_days, one.signal_stage) == (700, 400, "PHASE_1")


def test_the_day_of_the_stop_and_other_organs_are_no_earlier_signal():
    signals = {1: [signal(1000, 1000), signal(200, 200, "ORGAN:EYE", id=2), signal(300, 300, "SHORTFALL", id=3)]}
    found = missed_signals([course()], [stop()], signals, {})
    assert found.signals == ()
    assert [one.looked_for for one in found.unseen] == ["Kidney and urinary tract"]
    assert (found.totals[0].stops, found.totals[0].with_signal, found.totals[0].median_could_days) == (1, 0, None)


def test_a_crossed_margin_is_the_same_signal_of_a_toxicity_and_a_shortfall_explains_a_lack_of_effect():
    margin = missed_signals([course()], [stop()], {1: [signal(300, 300, "MARGIN")]}, {})
    assert [(one.match, one.about) for one in margin.signals] == [("SAME", "MARGIN")]
    lacking = stop(kind="EFFICACY", keys=("ENDPOINT:SURVIVAL",))
    loose = missed_signals([course()], [lacking], {1: [signal(300, 300, "SHORTFALL")]}, {})
    assert [(one.match, one.about) for one in loose.signals] == [("KIND", "SHORTFALL")]


def test_a_person_counts_once_in_the_sums_and_an_enrolment_once():
    courses = [course(), course(2)]
    stops = [stop(), stop(2)]
    dosed = {
        1: [
            Dosed(7, "FIRST_DOSE", ((300, 1), (301, 2), (1000, 3), (1001, 4))),
            Dosed(8, "ENROLMENT", enrolment=50, began=400),
            Dosed(9, "NOT_COUNTED"),
        ]
    }
    found = missed_signals(courses, stops, {1: [signal(300, 2000)]}, dosed)
    assert [one.subjects_dosed_after_signal for one in found.signals] == [52, 52]
    assert [one.subjects_dosed_after_known for one in found.signals] == [0, 0]
    assert (found.totals[0].subjects_dosed_after_signal, found.totals[0].studies_not_counted) == (52, 1)
    assert (found.totals[0].known_before_stop, found.totals[0].median_did_days) == (0, None)


def test_lead_times_on_both_clocks():
    courses = [*(course(n, n) for n in range(1, 6)), course(6, 6, 465.25, "active"), course(7, 7, outcome="advanced")]
    courses.append(course(8, 8, outcome="dropped_strategic"))
    signals = {n: [signal(500, 900)] for n in range(1, 5)} | {7: [signal(50, 5000)]}
    found = missed_signals(courses, [stop(n) for n in range(1, 6)], signals, {})
    could, did = found.lead_times
    assert (could.sensitivity.k, could.sensitivity.n, could.sensitivity.value) == (4, 5, 0.8)
    assert (could.median_lead_days, did.median_lead_days) == (500.0, 100.0)
    # What stood before a programme began counts from its beginning; what came on record after its end does not count.
    assert (could.false_alarms, did.false_alarms, could.others, could.apart) == (1, 0, 2, 1)
    assert could.false_alarms_per_year == 1.0


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 3000)), max_size=8), st.integers(1000, 1500))
def test_records_of_the_day_or_later_change_nothing(records, later):
    signals = [signal(day, known, id=n) for n, (day, known) in enumerate(records)]
    before = missed_signals([course()], [stop()], {1: [one for one in signals if one.day < 1000]}, {})
    after = missed_signals([course()], [stop()], {1: [*signals, signal(later, 0, id=99)]}, {})
    assert after.signals == before.signals
    for one in after.signals:
        assert one.could_have_known_days > 0
        assert one.did_know_days >= max(1000 - known for day, known in records if day < 1000)

"""The review on columns beside the same figures worked out plainly, programme by programme, for histories at random."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.counting import PATH_BY_PATH, PHASE_BY_PHASE, PROGRESSION_DECISION, RULES
from pipeline.attrition.incidence import cumulative_incidence
from pipeline.attrition.occupation import StatePath, movements, stage_occupation
from pipeline.attrition.portfolio import KINDS, STATUSES
from pipeline.attrition.portfolio import REASONS as REASONS_OF_STOPS
from pipeline.attrition.review import Asked, review
from pipeline.attrition.review_json import as_json, plain, read_json
from pipeline.attrition.review_settings import default_settings
from pipeline.attrition.review_times import YEAR, day_of
from pipeline.attrition.risk_table import Lengths
from pipeline.attrition.time_in_stage import time_in_stage
from pipeline.attrition.transition import PHASE_OF_STAGE, ProgrammePath, phase_transitions
from tests.attrition.histories import CODES, Move, portfolio

SETTINGS = default_settings()
TODAY = 19_000
CLINICAL = ["PHASE_1", "PHASE_1_2", "PHASE_2", "PHASE_2_3", "PHASE_3", "APPROVAL"]
REASONS = ["TOX_CLINICAL", "EFFICACY_LACK", "STRATEGIC", "UNSPECIFIED", None]
CAUSES = ("ADVANCED", "TOXICITY", "EFFICACY", "EXPOSURE", "OTHER", "NOT_STATED", "UNANNOUNCED")


@st.composite
def histories(draw):
    """Draw moves that make a path: onward, held, stopped, restarted, completed; days rise by at least one."""
    place = draw(st.integers(0, len(CLINICAL) - 1))
    day = draw(st.integers(TODAY - 9000, TODAY - 1))
    moves = [Move("ADVANCE", CLINICAL[place], "ACTIVE", day)]
    for _ in range(draw(st.integers(0, 5))):
        day += draw(st.integers(1, 1200))
        if day >= TODAY:
            break
        stage, status = CLINICAL[place], moves[-1].status
        wanted = draw(st.sampled_from(["ADVANCE", "DISCONTINUE", "HOLD", "COMPLETE"]))
        if status == "DISCONTINUED":
            place = draw(st.integers(0, place))
            moves.append(Move("RESTART", CLINICAL[place], "ACTIVE", day))
        elif status == "ON_HOLD":
            moves.append(Move("RESUME", stage, "ACTIVE", day))
        elif wanted == "ADVANCE" and place + 1 < len(CLINICAL) and status in ("ACTIVE", "COMPLETED"):
            place = draw(st.integers(place + 1, len(CLINICAL) - 1))
            moves.append(Move("ADVANCE", CLINICAL[place], "ACTIVE", day))
        elif wanted == "DISCONTINUE":
            moves.append(Move("DISCONTINUE", stage, "DISCONTINUED", day, reason=draw(st.sampled_from(REASONS))))
        elif status == "ACTIVE":
            moves.append(
                Move("HOLD", stage, "ON_HOLD", day) if wanted == "HOLD" else Move("COMPLETE", stage, "COMPLETED", day)
            )
    return moves


PORTFOLIOS = st.lists(histories(), min_size=1, max_size=12)


def standing(moves):
    """Say where a programme stands: IN_PHASE, STALLED, STOPPED or UNANNOUNCED, and when that began to hold."""
    last = moves[-1]
    silent = TODAY - last.day
    if last.status == "DISCONTINUED":
        return "STOPPED", last.day
    waiting, limit = SETTINGS.waiting_days.get(last.stage), SETTINGS.silence_days.get(last.stage)
    if last.status == "COMPLETED" and waiting is not None and silent > waiting:
        return "UNANNOUNCED", last.day + waiting
    if last.status == "ACTIVE" and limit is not None and silent > limit:
        return "STALLED", last.day + limit
    return "IN_PHASE", TODAY


def phase(stage):
    return PHASE_OF_STAGE.get(stage, 4)


def plain_stays(moves):
    """Return the stays of a programme as (stage, first day, last day, cause or None)."""
    stays = []
    begun = None
    for number, move in enumerate(moves):
        enters = move.status != "DISCONTINUED" and (
            number == 0 or move.stage != moves[number - 1].stage or move.kind == "RESTART"
        )
        ends = move.status == "DISCONTINUED" and begun is not None
        if begun is not None and (enters or ends):
            cause = SETTINGS.kind_of(move.reason) if ends else None if move.kind == "RESTART" else "ADVANCED"
            stays.append((*begun, move.day, cause))
            begun = None
        if enters:
            begun = (move.stage, move.day)
    if begun is not None:
        stands, until = standing(moves)
        stays.append((*begun, until, "UNANNOUNCED" if stands == "UNANNOUNCED" else None))
    return stays


def near(values):
    """Return what equals values up to rounding, None where a value is None."""
    return [None if value is None else pytest.approx(value) for value in values]


def reviewed(programmes, rule=PHASE_BY_PHASE):
    return review(portfolio(programmes), Asked(day=day_of(TODAY), rule=rule))


@settings(max_examples=150, deadline=None)
@given(PORTFOLIOS)
def test_rates_are_those_of_the_method(programmes):
    known = [moves for moves in programmes if standing(moves)[0] != "STALLED"]
    paths = [
        ProgrammePath(
            observed_phases=tuple({phase(move.stage) for move in moves} - {4}),
            approved=any(move.stage == "APPROVAL" for move in moves),
            terminated=standing(moves)[0] in ("STOPPED", "UNANNOUNCED"),
        )
        for moves in known
    ]
    expected = phase_transitions(paths, TODAY)
    found = {one.rule: {p.stage: p for p in one.phases} for one in reviewed(programmes).rates}
    for number in (1, 2, 3):
        path, seen = (found[rule][f"PHASE_{number}"] for rule in (PATH_BY_PATH, PHASE_BY_PHASE))
        assert path.entered - path.stalled == expected.reached[str(number)] + sum(
            max(phase(move.stage) for move in moves) > number for moves in programmes if standing(moves)[0] == "STALLED"
        )
        assert path.in_phase == seen.in_phase == expected.in_progress[str(number)]
        assert path.stopped == expected.terminated[str(number)]
    for rule, published in ((PATH_BY_PATH, expected.path_by_path), (PHASE_BY_PHASE, expected.phase_by_phase)):
        if len(known) == len(programmes):
            shares = [found[rule][f"PHASE_{n}"].rate for n in (1, 2, 3)]
            assert [one.k / one.n if one.n else None for one in shares] == list(published)


@settings(max_examples=150, deadline=None)
@given(PORTFOLIOS)
def test_exits_are_counted_one_by_one(programmes):
    expected = {n: [0, 0] for n in (1, 2, 3)}
    for moves in programmes:
        for before, move in pairwise(moves):
            if phase(move.stage) > phase(before.stage) and phase(before.stage) < 4:
                expected[phase(before.stage)][0] += 1
            if move.status == "DISCONTINUED" and phase(before.stage) < 4:
                expected[phase(before.stage)][1] += 1
        if standing(moves)[0] == "UNANNOUNCED" and phase(moves[-1].stage) < 4:
            expected[phase(moves[-1].stage)][1] += 1
    found = {p.stage: p for p in reviewed(programmes, PROGRESSION_DECISION).counted.phases}
    for number, (onward, stopped) in expected.items():
        rate = found[f"PHASE_{number}"].rate
        assert (rate.k, rate.n) == (onward, onward + stopped)


@settings(max_examples=100, deadline=None)
@given(PORTFOLIOS)
def test_times_and_incidences_are_those_of_the_methods(programmes):
    found = reviewed(programmes)
    stays = [stay for moves in programmes for stay in plain_stays(moves)]
    for stage in CLINICAL:
        mine = [(b - a, cause) for s, a, b, cause in stays if s == stage and b > a]
        times = next((one for one in found.times if one.stage == stage), None)
        assert (times.stays if times else 0) == len(mine)
        if len(mine) < 5:
            continue
        days, left = [float(d) for d, _ in mine], [int(cause is not None) for _, cause in mine]
        quartiles = time_in_stage(days, left)
        for number, one in enumerate(times.quartiles):
            for got, wanted in (
                (one.years, quartiles.quantiles[number]),
                (one.low, quartiles.ci_lower[number]),
                (one.high, quartiles.ci_upper[number]),
            ):
                assert got == (None if wanted is None else pytest.approx(wanted / YEAR))
        curves = {one.cause: one for one in found.incidence if one.stage == stage}
        at = [round(years * YEAR, 6) for years in next(iter(curves.values())).years]
        expected = cumulative_incidence(days, [cause or "censored" for _, cause in mine], at, causes=CAUSES)
        for cause, curve in curves.items():
            assert curve.probability == pytest.approx(expected.cif[cause])
            assert list(curve.low) == near(expected.ci_lower[cause])
            assert list(curve.high) == near(expected.ci_upper[cause])


@settings(max_examples=100, deadline=None)
@given(PORTFOLIOS)
def test_reasons_and_late_stops_are_counted_one_by_one(programmes):
    found = reviewed(programmes)
    stops = [
        (before.stage, move.reason or "UNSPECIFIED")
        for moves in programmes
        for before, move in pairwise(moves)
        if move.status == "DISCONTINUED"
    ]
    assert {(one.stage, one.reason): one.count for one in found.reasons} == {s: stops.count(s) for s in stops}
    science = [stage for stage, why in stops if why in ("TOX_CLINICAL", "EFFICACY_LACK")]
    late = [stage for stage in science if stage in ("PHASE_2_3", "PHASE_3", "APPROVAL")]
    assert (found.late_share.k, found.late_share.n) == (len(late), len(science))
    assert sum(one.estimate.n for one in found.late_share_by_year) == len(science)


@settings(max_examples=100, deadline=None)
@given(PORTFOLIOS)
def test_every_programme_stands_somewhere_at_every_moment(programmes):
    found = reviewed(programmes)
    begun = [moves[0].day for moves in programmes]
    for place, day in enumerate(found.calendar.days):
        there = sum(counts[place] for counts in found.calendar.counts.values())
        assert there == sum(day_of(one) <= day for one in begun)
    for one in found.since_entry:
        for place in range(len(one.years)):
            assert math.fsum(values[place] for values in one.probability.values()) == pytest.approx(1)


PATHS = st.lists(
    st.tuples(st.lists(st.integers(0, 4), min_size=1, max_size=5), st.lists(st.integers(0, 6), min_size=5, max_size=5)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(PATHS)
def test_occupation_of_columns_is_that_of_paths(drawn):
    """From one common state on, because the method asks for it."""
    names = [str(number) for number in range(5)]
    paths, owner, time, state, followed = [], [], [], [], []
    for number, (places, gaps) in enumerate(drawn):
        times = [0.0, *np.cumsum([gaps[0] + 1, *gaps[1:]]).tolist()]  # the first state lasts
        places = [0, *places]
        paths.append(
            StatePath(tuple(names[p] for p in places), tuple(times[: len(places)]), times[len(places) - 1] + 3)
        )
        owner += [number] * len(places)
        time += times[: len(places)]
        state += places
        followed.append(times[len(places) - 1] + 3.0)
    at = [0.0, 0.5, 1.0, 2.0, 5.0, 9.0, 30.0]
    cohort = np.array([number % 2 for number in range(len(paths))])  # counted apart, and put together again
    columns = np.array(owner), np.array(time), np.array(state), np.array(followed)
    counted = movements(*columns, len(names), cohort, 2)
    for cohorts, those in ((range(2), paths), (range(1), paths[::2])):
        expected = stage_occupation(those, at, "0", states=names)
        found = counted.occupation(cohorts, np.array(at))
        for number, name in enumerate(names):
            assert found[:, number].tolist() == pytest.approx(list(expected.occupation[name]))
    alone = movements(*columns, len(names), np.where(cohort == 0, 0, -1), 1).occupation(range(1), np.array(at))
    assert alone.tolist() == found.tolist()


STAYS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 12), st.booleans(), st.integers(0, 11)), max_size=30
)


@settings(max_examples=150, deadline=None)
@given(STAYS, st.booleans())
def test_the_counts_of_stays_are_those_counted_one_by_one(drawn, far):
    """Lengths in half days; `far` apart, they are found by sorting."""
    scale = 2_000_000 if far else 1
    stays = [
        (stage, group, days * scale / 2, left, min(entry, days - 1) * scale / 2)
        for stage, group, days, left, entry in drawn
    ]
    stage, group, days, left, entry = (np.array([one[n] for one in stays]) for n in range(5))
    lengths = Lengths.of(stage.astype(int), days.astype(float), left.astype(bool), entry.astype(float), 3)
    for number, table in enumerate(lengths.tables(group.astype(int), 3)):
        here = [one for one in stays if one[0] == number]
        assert table.times.tolist() == sorted({one[2] for one in here})
        for which in range(3):
            mine = [one for one in here if one[1] == which]
            found = table.group(which)
            assert (found.stays, found.late) == (len(mine), sum(one[4] > 0 for one in mine))
            ended = sorted({one[2] for one in mine if one[3]})
            assert found.times.tolist() == ended
            assert found.events.tolist() == [sum(one[2] == t for one in mine if one[3]) for t in ended]
            assert found.at_risk.tolist() == [sum(one[4] < t <= one[2] for one in mine) for t in ended]
        whole = table.whole()
        assert whole.events.sum() == sum(one[3] for one in here)
        assert whole.at_risk.tolist() == [sum(one[4] < t <= one[2] for one in here) for t in whole.times.tolist()]


ODD = st.builds(
    Move,
    kind=st.sampled_from(KINDS),
    stage=st.sampled_from([*CODES, "PHASE_9"]),
    status=st.sampled_from(STATUSES),
    day=st.integers(TODAY - 3000, TODAY + 300),
    last_day=st.none() | st.integers(TODAY, TODAY + 400),
    reason=st.none() | st.sampled_from(REASONS_OF_STOPS),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(ODD, min_size=1, max_size=6), max_size=30),
    st.sampled_from(RULES),
    st.sampled_from(["history", "record", "2018-01-01"]),
    st.sampled_from([(None, None), ("2016-01-01", None), ("2015-01-01", "2019-01-01")]),
    st.sampled_from([None, day_of(TODAY), day_of(TODAY - 1000)]),
)
def test_whatever_the_moves_are_no_share_exceeds_its_whole_and_everything_is_told(odd, rule, since, window, as_of):
    """Moves in no order that makes sense, in stages nobody knows, on days to come."""
    made = portfolio(odd, groups={"disease_group": [f"D{n % 3}" for n in range(len(odd))]})
    sites = lambda groups: [[f"S{(row + n) % 3}" for n in range(len(CODES))] for row in range(len(groups))]  # noqa: E731
    asked = Asked(day=as_of or day_of(TODAY), rule=rule, as_of=as_of, observed_from=since, window=window)
    found = review(made, asked, sites=sites)
    shares = [phase.rate for one in found.rates for phase in one.phases]
    shares += [phase.rate for group in found.groups for phase in group.phases]
    shares += [group.late_share for group in found.groups]
    shares += [found.late_share, *(one.estimate for one in found.late_share_by_year)]
    for share in shares:
        assert 0 <= share.k <= share.n
        assert share.value is not None or share.reason
    for group in found.groups:
        estimate = group.likelihood.estimate
        assert estimate.value is None or 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    left_out = {one.code: one.count for one in found.caveats if one.code in ("unknown_stage", "future_date")}
    assert found.programmes <= len(odd)
    if as_of is None:
        assert found.programmes >= len(odd) - sum(left_out.values())
    assert read_json(as_json(found), name="x") == plain(found)


def test_the_stages_drawn_are_stages():
    assert set(CLINICAL) <= set(CODES)

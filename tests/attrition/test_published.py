"""The published counts go in as programmes through the records, and the published rates come out."""

import json
from pathlib import Path

import pytest

from pipeline.attrition.benchmark import benchmarks
from pipeline.attrition.counting import PATH_BY_PATH, PHASE_BY_PHASE, PROGRESSION_DECISION, RULES
from pipeline.attrition.review import Asked, review
from pipeline.attrition.review_times import day_of, number_of
from pipeline.centre import SYSTEM, Centre
from pipeline.commands.imports import ImportFiles
from pipeline.exchange.formats import read_files
from pipeline.reports.attrition_review import ReviewRequest, attrition_review
from tests.attrition.histories import portfolio

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
E1 = json.loads((REFERENCE / "E1_phase_transition.json").read_text())["cases"]
BEGIN = number_of("2005-01-01")
PHASES = ("PHASE_1", "PHASE_2", "PHASE_3")
CLINICAL = (*PHASES, "PREAPPROVAL")


@pytest.fixture
def centre(tmp_path):
    with Centre.open(tmp_path / "data") as opened:
        yield opened


def put_on_record(centre, rows):
    """Import a portfolio, written as (name, stage, since, status, stopped on)."""
    text = "Name,Stage,Since,Status,Stopped on\n" + "\n".join(",".join(row) for row in rows) + "\n"
    files = [("portfolio.csv", text.encode())]
    with centre.read() as reader:
        _, graph = reader.graphs.in_force(reader.connection)
    reading = read_files("portfolio", files, graph)
    result = centre.execute(ImportFiles.of(reading, files, name="portfolio.csv"), actor=SYSTEM).result
    assert (len(reading.quarantined), len(reading.held)) == (0, 0), result


def near(published):
    """Return what is equal to a published rate at the precision of the reference; None where none is published."""
    return None if published is None else pytest.approx(published, rel=1e-6)


def as_rows(number, programme, as_of):
    """Return a programme of the reference as rows of a portfolio: one for each phase it was seen in."""
    day = lambda offset: day_of(BEGIN + offset)  # noqa: E731
    end = programme["last_phase_end_day"]
    last = as_of - 20 if end is None else end
    phases = sorted(programme["observed_phases"])
    rows = [(f"m{number}", f"Phase {p}", day(last - 30 * (len(phases) - n)), "", "") for n, p in enumerate(phases)]
    if programme["approved"]:
        return [*rows, (f"m{number}", "Approval", day(last), "", "")]
    if programme["terminated"]:
        rows[-1] = (*rows[-1][:3], "DISCONTINUED", day(last))
    elif end is not None:
        rows[-1] = (*rows[-1][:3], "COMPLETED", day(last))
    return rows


@pytest.mark.parametrize("case", E1, ids=[case["id"] for case in E1])
def test_phase_transitions_of_the_reference(centre, case):
    as_of, expected = case["inputs"]["as_of_day"], case["expected"]
    programmes = case["inputs"]["programs"]
    put_on_record(centre, [row for n, one in enumerate(programmes) for row in as_rows(n, one, as_of)])
    with centre.read() as reader:
        found = attrition_review(reader, ReviewRequest(today=day_of(BEGIN + as_of)))
    by_rule = {one.rule: {phase.stage: phase for phase in one.phases} for one in found.rates}
    path, phase = by_rule[PATH_BY_PATH], by_rule[PHASE_BY_PHASE]
    assert found.programmes == len(programmes)
    for number, stage in zip("123", PHASES, strict=True):
        assert path[stage].entered == expected["reached"][number]
        assert path[stage].in_phase == phase[stage].in_phase == expected["in_progress"][number]
        assert path[stage].stopped == expected["terminated"][number]
        assert phase[stage].entered == expected["observed"][number]
        for rates, name in ((path, "path_by_path"), (phase, "phase_by_phase")):
            rate, published = rates[stage].rate, expected[name][int(number) - 1]
            assert (rate.k / rate.n if rate.n else None) == near(published)
            assert rate.value == (None if rate.n < 5 else near(published))
    whole = {one.rule: next(x.estimate for x in one.likelihoods if x.stage == "PHASE_1") for one in found.rates}
    paths = whole[PATH_BY_PATH]
    assert (paths.k / paths.n if paths.n else None) == near(expected["path_by_path_loa"])
    shown = all(by_rule[PHASE_BY_PHASE][stage].rate.n >= 5 for stage in PHASES)
    product = near(expected["phase_by_phase_loa"]) if shown else None
    assert whole[PHASE_BY_PHASE].value == product


def published_ways(row):
    """Return histories of programmes that make the printed counts: of n in each step the printed share goes on."""
    passed = [round(rate * n) for rate, n in zip(row.rates, row.n, strict=True)]
    histories, waiting = [], []
    for step, (k, n) in enumerate(zip(passed, row.n, strict=True)):
        stage, day = CLINICAL[step], f"{2000 + 3 * step}-01-01"
        inside = [[*one, f"{stage} {day}"] for one in waiting[:n]]
        histories += [[*one, f"{stage} 2014-05-01"] for one in waiting[n:]]  # gone on, and still in the next step
        inside += [[f"{stage} {day}"] for _ in range(n - len(inside))]
        histories += [[*one, f"STOP {2001 + 3 * step}-01-01 EFFICACY_LACK"] for one in inside[k:]]
        waiting = inside[:k]
    histories += [[*one, f"APPROVAL {2000 + 3 * len(passed)}-01-01"] for one in waiting]
    return histories, passed


FOUR_STEPS = [row for row in benchmarks() if row.n and len(row.rates) == 4]


@pytest.mark.parametrize("row", FOUR_STEPS, ids=[f"{row.source} {row.group}" for row in FOUR_STEPS])
def test_printed_counts_give_the_printed_rates_under_each_rule(row):
    ways, passed = published_ways(row)
    made = portfolio(["; ".join(one) for one in ways])
    for rule in (PHASE_BY_PHASE, PROGRESSION_DECISION):
        found = review(made, Asked(day="2014-06-01", rule=rule)).counted
        phases = {phase.stage: phase for phase in found.phases}
        for stage, rate, n, k in zip(CLINICAL, row.rates, row.n, passed, strict=True):
            own = phases[stage].rate
            assert (own.k, own.n) == (k, n)
            if own.n >= 5:
                assert own.value == pytest.approx(rate, abs=0.5 / n + 1e-9)
            else:
                assert own.value is None
        whole = next(one.estimate for one in found.likelihoods if one.stage == "PHASE_1")
        if row.loa is not None and min(row.n) >= 5:
            assert whole.value == pytest.approx(row.loa, abs=0.0025)
            assert whole.low < whole.value < whole.high


def test_the_oncology_rates_of_2021_come_out_of_the_records(centre):
    row = next(one for one in FOUR_STEPS if one.group == "oncology" and "2021" in one.title)
    names = {"PHASE_1": "Phase 1", "PHASE_2": "Phase 2", "PHASE_3": "Phase 3", "PREAPPROVAL": "Pre-approval"}
    rows = []
    for number, way in enumerate(published_ways(row)[0]):
        mine = []
        for part in way:
            what, day, *_ = part.split()
            if what == "STOP":
                mine[-1] = (*mine[-1][:3], "DISCONTINUED", day)
            else:
                mine.append((f"m{number}", names.get(what, "Approval"), day, "", ""))
        rows += mine
    put_on_record(centre, rows)
    with centre.read() as reader:
        found = attrition_review(reader, ReviewRequest(today="2014-06-01"))
    rates = {phase.stage: phase.rate for phase in found.counted.phases}
    assert [(rates[stage].k, rates[stage].n) for stage in CLINICAL] == [
        (794, 1628),
        (426, 1732),
        (236, 495),
        (298, 324),
    ]
    assert [round(rates[stage].value, 3) for stage in CLINICAL] == [0.488, 0.246, 0.477, 0.92]
    assert [round(limit, 4) for limit in (rates["PHASE_1"].low, rates["PHASE_1"].high)] == [0.4635, 0.5120]
    assert found.likelihood.estimate.value == pytest.approx(0.053, abs=5e-4)
    beside = next(
        one for one in found.benchmarks if one.population == "oncology" and "2021" in one.source and one.n == 1628
    )
    assert (beside.beyond_chance, round(beside.difference, 3)) == (False, 0.0)
    paths = next(one for one in found.rates if one.rule == PATH_BY_PATH)
    passed = next(phase for phase in paths.phases if phase.stage == "PHASE_1").rate
    assert (passed.k, passed.n) == (794 + 938 + 69 + 88, 1628 + 938 + 69 + 88)
    assert {one.rule for one in found.rates} == set(RULES)
    exits = next(one for one in found.rates if one.rule == PROGRESSION_DECISION)
    assert [(p.rate.k, p.rate.n) for p in exits.phases if p.stage in CLINICAL] == [
        (rates[stage].k, rates[stage].n) for stage in CLINICAL
    ]

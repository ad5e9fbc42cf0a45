"""Key figures of a year: from recorded counts, from the studies on record, and where the two differ."""

import pytest

from pipeline.access import Actor, Role
from tests.attrition.signals import write
from tests.graphql.conftest import Api
from tests.imports.test_portfolio import a_moment

FIGURES = """
query Figures($year: Int!) {
  keyFigures(year: $year) {
    year openTrials inclusions activeFile proposedGoal definitionVersion doubts
    inclusionShare { value k n low high reason } earlyPhaseShare { value k n } proposedShare { value k n }
    bySite { site { code name city routing } openTrials inclusions }
    counts { name site recorded source derived definition }
  }
}
"""
RECORD = """
mutation Record($input: RecordYearlyCountInput!) {
  recordYearlyCount(input: $input) { count { id year siteCode name value source version } errors { code message path } }
}
"""


def record(api: Api, name: str, value: int, **more):
    content = {"year": 2021, "name": name, "value": value, "source": "activity report 2021"} | more
    return api(RECORD, input=content)["recordYearlyCount"]


def figures(api: Api, year: int = 2021):
    return api(FIGURES, year=year)["keyFigures"]


def test_the_figures_of_2021_come_out_of_their_counts(api: Api):
    counts = {"OPEN_TRIALS": 336, "INCLUSIONS": 1744, "ACTIVE_FILE": 10900, "EARLY_PHASE_TRIALS": 168}
    for name, value in {**counts, "PATIENTS_ASKED": 1300, "PATIENTS_SEEN": 10000}.items():
        assert record(api, name, value)["errors"] == []
    found = figures(api)
    assert [found[name] for name in ("openTrials", "inclusions", "activeFile")] == [336, 1744, 10900]
    share = found["inclusionShare"]
    assert (share["value"], share["k"], share["n"]) == (0.16, 1744, 10900)
    assert (share["low"], share["high"]) == (pytest.approx(0.15323, abs=1e-5), pytest.approx(0.16701, abs=1e-5))
    assert found["earlyPhaseShare"] == {"value": 0.5, "k": 168, "n": 336}
    assert found["proposedShare"] == {"value": 0.13, "k": 1300, "n": 10000}
    assert (found["proposedGoal"], found["definitionVersion"]) == (0.15, "key_figures 1")
    told = {one["name"]: one for one in found["counts"] if one["site"] is None}
    assert told["OPEN_TRIALS"]["recorded"] == 336
    assert told["OPEN_TRIALS"]["derived"] == 0
    assert told["OPEN_TRIALS"]["source"] == "activity report 2021"
    assert found["doubts"][0] == "OPEN_TRIALS: 336 recorded (activity report 2021), 0 by the studies on record"
    assert figures(api, 2020)["inclusionShare"]["reason"] == "not recorded"


def test_figures_as_they_were_known(api: Api):
    record(api, "OPEN_TRIALS", 300)
    before = a_moment()
    record(api, "OPEN_TRIALS", 336)
    known = "query Known($at: DateTime) { keyFigures(year: 2021, knownAt: $at) { openTrials } }"
    assert [api(known, at=at)["keyFigures"]["openTrials"] for at in (before, None)] == [300, 336]


def studies(api: Api):
    """Five trials: one of each site, one over before the year, one not begun, one of animals, one elsewhere."""
    one = {"title": "t", "status": "RECRUITING", "site_code": "CLIPP", "phases": '["PHASE_1"]'}
    rows = [
        {"code": "A", "started_on": "2020-03"},
        {"code": "B", "started_on": "2021-12-31", "site_code": "ONCOPOLE", "phases": '["PHASE_3"]'},
        {"code": "C", "started_on": "2019", "ended_on": "2021-01", "status": "COMPLETED", "site_code": "PURPAN"},
        {"code": "D", "started_on": "2019", "ended_on": "2020-12-31", "status": "COMPLETED"},
        {"code": "E", "started_on": "2022-01-01"},
        {"code": "F", "started_on": "2021-01-01", "species": "rat"},
        {"code": "G", "started_on": "2021-01-01", "site_code": "MARS"},
        {"code": "H", "site_code": "CLIPP"},
        {"code": "I", "started_on": "2019", "status": "COMPLETED"},
        {"code": "J", "started_on": "2021-01-01", "status": "WITHDRAWN"},
    ]
    return write(api.centre, "studies", *(one | row for row in rows))


def test_figures_come_from_the_studies_on_record(api: Api):
    a, b, c, *_, g, _h, _i, _j = studies(api)
    included = {"screen_failure": False}
    [dosed, *_] = write(
        api.centre,
        "subjects",
        {"study_id": a, "code": "1"},
        {"study_id": a, "code": "2", "reference_start": "2021-02-03", **included},
        {"study_id": a, "code": "3", "reference_start": "2020-12-31", **included},
        {"study_id": a, "code": "4", "reference_start": "2021-05-05", "screen_failure": True},
        {"study_id": b, "code": "5", "reference_start": "2021-12-31T08:00"},
        {"study_id": c, "code": "6"},
        {"study_id": g, "code": "7", "reference_start": "2021-01-01"},
    )
    write(
        api.centre,
        "administrations",
        {"study_id": a, "subject_id": dosed, "sorted_on": "2021-06-01"},
        {"study_id": a, "subject_id": dosed, "sorted_on": "2022-06-01"},
    )
    found = figures(api)
    assert (found["openTrials"], found["inclusions"]) == (3, 3)
    assert found["earlyPhaseShare"] == {"value": None, "k": 2, "n": 3}  # C took its phase from the default
    by_site = {one["site"]["code"]: (one["openTrials"], one["inclusions"]) for one in found["bySite"]}
    assert by_site == {
        "CREFRE": (0, 0),
        "CLIPP": (1, 2),
        "ONCOPOLE": (1, 1),
        "PURPAN": (1, 0),
        "RANGUEIL_LARREY": (0, 0),
    }
    assert found["proposedShare"] is None
    assert "ACTIVE_FILE of 2021 is not recorded; record it to get its share" in found["doubts"]


def test_recorded_counts_win_and_both_are_told(api: Api):
    studies(api)
    record(api, "OPEN_TRIALS", 5, site="CLIPP")
    found = figures(api)
    # 5 recorded at CLIPP, one derived at each of two others.
    assert found["openTrials"] == 7
    assert found["doubts"][:2] == [
        "OPEN_TRIALS: 7 recorded (the sum of the sites), 3 by the studies on record",
        "OPEN_TRIALS at CLIPP: 5 recorded (activity report 2021), 1 by the studies on record",
    ]


def test_a_count_recorded_again_is_a_new_version(api: Api):
    first = record(api, "ACTIVE_FILE", 10000)["count"]
    again = record(api, "ACTIVE_FILE", 10900, source="corrected report")["count"]
    assert (again["id"], first["version"], again["version"]) == (first["id"], 1, 2)
    assert figures(api)["activeFile"] == 10900


def test_a_part_larger_than_its_whole_is_no_share(api: Api):
    record(api, "INCLUSIONS", 200)
    record(api, "ACTIVE_FILE", 100)
    found = figures(api)
    assert (found["inclusionShare"]["value"], found["inclusionShare"]["k"]) == (None, 200)
    assert "200 of the active file cannot be out of 100: one of the counts is wrong" in found["doubts"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "COFFEES"}, "'COFFEES' is not counted"),
        ({"value": -1}, "a count is 0 or more"),
        ({"year": 20210}, "the year lies between 1900 and 2200"),
        ({"site": "MARS"}, "'MARS' is no site"),
        ({"source": " "}, "source"),
    ],
)
def test_refusals(api: Api, more, said):
    acts = api.acts()
    content = {"name": "ACTIVE_FILE", "value": 1} | more
    [error] = record(api, **content)["errors"]
    assert said in error["message"]
    assert api.acts() == acts
    assert record(api, "ACTIVE_FILE", 1)["errors"] == []


def test_who_may_not_import_may_not_record(api: Api):
    content = {"year": 2021, "name": "ACTIVE_FILE", "value": 1, "source": "x"}
    answer = api(RECORD, as_=Actor.of("R", Role.RESEARCHER), input=content)["recordYearlyCount"]
    assert answer["errors"][0]["code"] == "NOT_PERMITTED"
    assert "the year lies between" in api.result(FIGURES, year=3000).errors[0].message

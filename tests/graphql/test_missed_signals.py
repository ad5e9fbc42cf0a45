"""Missed signals over GraphQL: the first earlier record, on two clocks, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from pipeline.access import Actor, Role
from pipeline.attrition.review_json import as_json, read_json
from pipeline.centre import SYSTEM, Centre
from pipeline.reports.attrition_review import ReviewRequest, attrition_review, verify
from pipeline.store.study_tables import findings
from schema.node import global_id
from tests.attrition.signals import molecule, put_on_record, register, study, write
from tests.graphql.conftest import Api

SIGNALS = """
query Signals($first: Int, $after: String, $asOf: DateTime, $knownAt: DateTime) {
  attrition(asOf: $asOf, knownAt: $knownAt) {
    missedSignals(first: $first, after: $after) {
      programme { id stage { code } molecule { code } } reason signal about match basis
      signalStage { code } stopStage { code } signalOn knownOn stoppedOn datedBy
      couldHaveKnownDays didKnowDays subjectsDosedAfterSignal subjectsDosedAfterKnown
      dosed { study countedBy subjects } records cursor
      evidence { __typename id ... on Finding { organ reported } ... on AdverseEvent { term grade } }
      knownEvidence { __typename id }
    }
    missedTotals { kind stops withSignal same knownBeforeStop medianCouldDays medianDidDays subjectsDosedAfterSignal }
    concordance {
      system both findingOnly eventOnly neither notStudiedInAnimals notStudiedInPeople studiedInNone
      sensitivity { k n value } likelihoodRatioPositive
    }
  }
}
"""
A = "a,A,SMALL_MOLECULE,breast,Phase"


@pytest.fixture
def api(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A centre that began to record in 2009."""
    monkeypatch.setattr("pipeline.centre.utc_now", lambda: datetime(2009, 1, 1, tzinfo=UTC))
    with Centre.open(tmp_path / "data", database_url if database_url.startswith("postgresql") else None) as opened:
        register(opened, *"ABCDEPQ")
        yield Api(opened)


def stops(api: Api) -> None:
    """Stop molecule A at phase 3 for its liver, B for want of responses, C for strategy; D goes on."""
    put_on_record(
        api.centre,
        f"{A} 1,2010-01-01,,,,",
        f"{A} 2,2012-01-01,,,,",
        f"{A} 3,2014-01-01,DISCONTINUED,2016-01-01,TOX_CLINICAL,severe hepatotoxicity",
        "b,B,ANTIBODY,melanoma,Phase 2,2012-01-01,DISCONTINUED,2015-01-01,EFFICACY_LACK,no objective responses",
        "c,C,PEPTIDE,breast,Phase 2,2012-01-01,DISCONTINUED,2015-01-01,STRATEGIC,",
        "d,D,PEPTIDE,breast,Phase 2,2012-01-01,,,,",
    )


def with_signals(api: Api) -> dict[str, int]:
    """Put a rat with a sick liver, and people with sick livers and kidneys, on record; return ids."""
    centre, a = api.centre, molecule(api.centre, "A")
    rat = study(centre, a, "RAT-1", species="rat", ended_on="2009-06-30")
    people = study(centre, a, "P-1", phases='["PHASE_1"]', started_on="2010-02-01", enrolment=30)
    later = study(centre, a, "P-3", phases='["PHASE_3"]', started_on="2014-02-01", enrolment=200)
    [_, liver, _] = write(
        centre,
        "findings",
        {"study_id": rat, "organ": "KIDNEY", "reported": "Normal", "sorted_on": "2009-05-01"},
        {"study_id": rat, "organ": "LIVER", "reported": "Necrosis", "severity_rank": 3, "sorted_on": "2009-05-04"},
        {"study_id": rat, "organ": "EYE", "reported": "Cataract", "severity_rank": 1, "sorted_on": "2009-05-02"},
        now="2015-12-01",
    )
    subjects = write(centre, "subjects", *({"study_id": people, "code": f"S-{n}"} for n in range(4)))
    write(
        centre,
        "administrations",
        *(
            {"study_id": people, "subject_id": id, "sorted_on": day}
            for id, day in zip(subjects, ("2009-05-04", "2010-03-01", "2016-01-01", "2016-01-02"), strict=True)
        ),
        {"study_id": people, "subject_id": subjects[0], "sorted_on": "2011-01-01"},
    )
    liver_event = {"organ_class": "Hepatobiliary disorders", "term": "Liver failure", "grade": 4}
    [event, _] = write(
        centre,
        "adverse_events",
        {"study_id": people, "subject_id": subjects[1], "sorted_on": "2010-04-01", **liver_event},
        {"study_id": people, "subject_id": subjects[2], "sorted_on": "2010-03-01", "term": "Renal failure", "grade": 3},
        now="2015-12-02",
    )
    return {"rat": rat, "people": people, "later": later, "liver": liver, "event": event}


def test_the_first_earlier_record_of_the_same_organ_on_two_clocks(api: Api):
    ids = with_signals(api)
    stops(api)
    found = api(SIGNALS, asOf="2020-01-01T00:00:00Z")["attrition"]
    [signal] = found["missedSignals"]
    assert signal["programme"]["stage"] == {"code": "PHASE_3"}
    assert signal["programme"]["molecule"] == {"code": "A"}
    assert signal["signal"] == "Liver and bile: LIVER, Necrosis (study RAT-1)"
    assert [signal[name] for name in ("about", "match", "basis")] == ["ORGAN:HEPATOBILIARY", "SAME", "TEXT"]
    assert (signal["signalStage"]["code"], signal["stopStage"]["code"]) == ("PRECLINICAL_PHARMACOLOGY", "PHASE_3")
    assert [signal[name] for name in ("signalOn", "knownOn", "stoppedOn")] == ["2009-05-04", "2015-12-01", "2016-01-01"]
    # 2009-05-04 to 2016-01-01 is 2,433 days, 2015-12-01 to it 31.
    assert (signal["couldHaveKnownDays"], signal["didKnowDays"], signal["records"]) == (2433, 31, 2)
    # Of P-1 the subjects first dosed on 2010-03-01 and on the day of the stop; of P-3 its 200.
    assert (signal["subjectsDosedAfterSignal"], signal["subjectsDosedAfterKnown"]) == (202, 1)
    assert signal["dosed"] == [
        {"study": global_id("Study", ids["people"]), "countedBy": "FIRST_DOSE", "subjects": 2},
        {"study": global_id("Study", ids["later"]), "countedBy": "ENROLMENT", "subjects": 200},
    ]
    evidence = {"__typename": "Finding", "id": global_id("Finding", ids["liver"])}
    assert signal["evidence"] == {**evidence, "organ": "LIVER", "reported": "Necrosis"}
    assert signal["knownEvidence"] == evidence
    totals = {one["kind"]: one for one in found["missedTotals"]}
    assert totals["ALL"] == {
        **{"kind": "ALL", "stops": 2, "withSignal": 1, "same": 1, "knownBeforeStop": 1},
        **{"medianCouldDays": 2433.0, "medianDidDays": 31.0, "subjectsDosedAfterSignal": 202},
    }
    assert (totals["EFFICACY"]["stops"], totals["EFFICACY"]["withSignal"]) == (1, 0)


def test_animals_and_people_by_organ_system(api: Api):
    with_signals(api)
    stops(api)
    found = {one["system"]: one for one in api(SIGNALS)["attrition"]["concordance"]}
    names = ("both", "findingOnly", "eventOnly", "neither", "notStudiedInAnimals", "notStudiedInPeople")
    assert [found["HEPATOBILIARY"][name] for name in names] == [1, 0, 0, 0, 0, 0]
    assert [found["RENAL"][name] for name in names] == [0, 0, 1, 0, 0, 0]
    assert found["RENAL"]["studiedInNone"] == 6
    assert found["RENAL"]["sensitivity"] == {"k": 0, "n": 1, "value": None}
    # The eye of the rat was slight, and nobody's: no row. All pairs: liver and kidney of A.
    assert list(found) == ["ALL", "HEPATOBILIARY", "RENAL"]
    assert [found["ALL"][name] for name in names] == [1, 0, 1, 0, 0, 0]


def test_a_corrected_record_is_known_since_it_carried_the_signal(api: Api):
    ids = with_signals(api)

    def mend(act):
        act.revise(findings, act.find(findings, ids["liver"]), {"severity_rank": 1})
        return {}

    api.centre.journal.perform("Mend", mend, actor=SYSTEM, now=datetime(2015, 12, 20, tzinfo=UTC))
    stops(api)
    [signal] = api(SIGNALS)["attrition"]["missedSignals"]
    assert (signal["evidence"]["term"], signal["evidence"]["grade"]) == ("Liver failure", 4)
    assert (signal["signalStage"]["code"], signal["couldHaveKnownDays"], signal["didKnowDays"]) == ("PHASE_1", 2101, 30)
    assert (signal["records"], signal["subjectsDosedAfterSignal"]) == (1, 201)


def test_without_words_the_records_of_the_stage_say_what_the_stop_was_about(api: Api):
    a, e = molecule(api.centre, "A"), molecule(api.centre, "E")
    first, other = study(api.centre, a, "P-1"), study(api.centre, e, "E-0", ended_on="2011-12")
    event = {"study_id": first, "grade": 3}
    write(
        api.centre,
        "adverse_events",
        {**event, "term": "Neutropenia", "sorted_on": "2010-02-01"},
        {**event, "term": "Heart failure", "sorted_on": "2011-02-01"},
        {**event, "term": "Myocarditis", "sorted_on": "2013-02-01"},
        {"study_id": other, "term": "Rash", "grade": 3},
    )
    put_on_record(
        api.centre,
        f"{A} 1,2010-01-01,,,,",
        f"{A} 2,2012-01-01,DISCONTINUED,2014-01-01,TOX_CLINICAL,",
        "e,E,PEPTIDE,breast,Phase 2,2012-01-01,DISCONTINUED,2014-01-01,TOX_CLINICAL,",
    )
    by_records, loose = api(SIGNALS)["attrition"]["missedSignals"]
    assert (by_records["basis"], by_records["match"]) == ("RECORDS", "SAME")
    assert (by_records["evidence"]["term"], by_records["records"]) == ("Heart failure", 2)
    # Its date is that of the end of its study, the last day of the month.
    assert (loose["basis"], loose["match"], loose["datedBy"]) == ("NOT_STATED", "KIND", "STUDY_END")
    assert loose["signalOn"] == "2011-12-31"


def test_exposure_margins_checkpoints_and_other_programmes_of_the_molecule(api: Api):
    p, q = molecule(api.centre, "P"), molecule(api.centre, "Q")
    under = study(api.centre, p, "P-1")
    alert = {"about": "x", "message": "too low", "study_id": under, "raised_at": "2013-01-01T00:00:00Z"}
    write(
        api.centre,
        "alerts",
        {**alert, "kind": "EXPOSURE_BELOW_TARGET"},
        {**alert, "kind": "MARGIN_CROSSED", "about": "y", "study_id": None, "molecule_id": q, "message": "margin 2"},
        now="2013-01-01",
    )
    put_on_record(
        api.centre,
        "p,P,PEPTIDE,breast,Phase 2,2012-01-01,DISCONTINUED,2014-01-01,PK_EXPOSURE,",
        "q,Q,PEPTIDE,breast,Phase 2,2012-01-01,DISCONTINUED,2014-01-01,TOX_CLINICAL,rash",
    )
    short, margin = api(SIGNALS)["attrition"]["missedSignals"]
    assert (short["about"], short["signal"]) == ("SHORTFALL", "exposure below its target: too low")
    assert (short["couldHaveKnownDays"], short["didKnowDays"]) == (365, 365)
    assert (margin["about"], margin["match"], margin["evidence"]["__typename"]) == ("MARGIN", "SAME", "Alert")


def test_pages(api: Api):
    codes = [f"M-{n}" for n in range(3, 9)]
    register(api.centre, *codes)
    rows = [
        f"m-{n},M-{n},PEPTIDE,x,Phase 2,2012-01-01,DISCONTINUED,2013-0{n}-01,TOX_CLINICAL,liver" for n in range(3, 9)
    ]
    for code in codes:
        of = study(api.centre, molecule(api.centre, code), f"R-{code}", species="rat")
        write(api.centre, "findings", {"study_id": of, "organ": "LIVER", "reported": "x", "sorted_on": "2011-01-01"})
    put_on_record(api.centre, *rows)
    whole = api(SIGNALS)["attrition"]["missedSignals"]
    assert [one["programme"]["molecule"]["code"] for one in whole] == codes
    page = api(SIGNALS, first=4)["attrition"]["missedSignals"]
    rest = api(SIGNALS, first=4, after=page[-1]["cursor"])["attrition"]["missedSignals"]
    assert [*page, *rest] == whole
    refused = api.result(SIGNALS, first=5000)
    assert "first takes 0 to 1000" in refused.errors[0].message
    refused = api.result(SIGNALS, after=global_id("Transition", 99))
    assert "after takes the cursor" in refused.errors[0].message


def test_statements_do_not_grow_with_the_rows(api: Api):
    counted: list[int] = []
    engine = api.centre.database.reader

    def note(*_):
        counted[-1] += 1

    with_signals(api)
    stops(api)
    for more in (0, 8):
        for n in range(more):
            of = study(api.centre, molecule(api.centre, "B"), f"X-{n}")
            write(api.centre, "adverse_events", {"study_id": of, "term": "Rash", "grade": 3})
        counted.append(0)
        event.listen(engine, "before_cursor_execute", note)
        try:
            api(SIGNALS)
        finally:
            event.remove(engine, "before_cursor_execute", note)
    # The first question after an act reads the portfolio anew.
    assert counted[0] == counted[1] < 40


def test_a_part_of_the_portfolio_has_the_signals_of_its_own_studies(api: Api):
    with_signals(api)
    stops(api)
    b = molecule(api.centre, "B")
    of = study(api.centre, b, "B-1", started_on="2011-01-01")
    write(api.centre, "adverse_events", {"study_id": of, "term": "Hepatitis", "grade": 3, "sorted_on": "2011-05-01"})
    query = """query($filter: PortfolioFilter) { attrition(filter: $filter) {
      missedSignals(first: 5) { programme { molecule { code } } signal records }
      concordance { system both eventOnly notStudiedInAnimals }
    } }"""
    part = api(query, filter={"modality": ["SMALL_MOLECULE"]})["attrition"]
    whole = api(query, filter={})["attrition"]
    assert part["missedSignals"] == whole["missedSignals"] != []
    [_, liver, *_] = part["concordance"]
    assert (liver["system"], liver["both"], liver["notStudiedInAnimals"]) == ("HEPATOBILIARY", 1, 0)
    in_all = next(one for one in whole["concordance"] if one["system"] == "HEPATOBILIARY")
    assert in_all["notStudiedInAnimals"] == 1
    other = api(query, filter={"modality": ["ANTIBODY"]})["attrition"]
    assert other["missedSignals"] == []
    assert other["concordance"][0]["both"] == 0


def test_planned_and_plain_answers_are_the_same_and_readers_see_no_codes(api: Api):
    with_signals(api)
    stops(api)
    reader = Actor.of("R. Reader", Role.RESEARCHER)
    for actor in (None, reader):
        planned, plain = (api.result(SIGNALS, as_=actor, plain=plain) for plain in (False, True))
        assert planned.errors is plain.errors is None
        assert planned.data == plain.data


def test_a_written_review_with_signals_is_verified_and_one_without_too(api: Api):
    with_signals(api)
    stops(api)
    with api.centre.read() as reader:
        for signals in (True, False):
            request = ReviewRequest(today="2020-01-01", signals=signals)
            written = read_json(as_json(attrition_review(reader, request)), name="x")
            assert (written["missed"] is not None) is signals
            assert verify(reader, written) == []
    written = read_json(as_json(_review(api)), name="x")
    write(api.centre, "findings", {"study_id": 1, "organ": "LIVER", "reported": "x", "sorted_on": "2008-01-01"})
    with api.centre.read() as reader:
        assert verify(reader, written) == []  # as it was known then


def _review(api: Api):
    with api.centre.read() as reader:
        return attrition_review(reader, ReviewRequest(today="2020-01-01", signals=True))

"""Tumour measurements of eight patients by three assessors: every response recomputed from the lesions."""

from collections import Counter, defaultdict
from datetime import date
from functools import cache

import pytest

from pipeline.efficacy.recist import BestResponse, NonTarget, Response, best_overall_response, timepoint_response
from tests.real_data.sources import delimited

Reader = tuple[str, str, str]
"""Patient, kind of assessor, and which one."""
NODE_NORMAL_BELOW_MM = 10.0
DAYS_BETWEEN_VISITS = 21


def reader(row: dict[str, str], domain: str) -> Reader:
    return row["USUBJID"], row[f"{domain}EVAL"], row[f"{domain}EVALID"]


@cache
def lesions() -> dict[Reader, dict[str, dict[str, str]]]:
    """Reader -> lesion -> its identification at screening."""
    found: dict[Reader, dict[str, dict[str, str]]] = defaultdict(dict)
    for row in delimited("sdtm-csv", "tu_onco_recist"):
        found[reader(row, "TU")][row["TULNKID"]] = row
    return found


@cache
def measurements() -> dict[Reader, dict[int, dict[tuple[str, str], str]]]:
    """Reader -> visit -> (lesion, test) -> result."""
    found: dict[Reader, dict[int, dict[tuple[str, str], str]]] = defaultdict(lambda: defaultdict(dict))
    for row in delimited("sdtm-csv", "tr_onco_recist"):
        found[reader(row, "TR")][int(row["VISITNUM"])][row["TRLNKID"], row["TRTESTCD"]] = row["TRSTRESC"]
    return found


@cache
def reported() -> dict[Reader, dict[int, Response]]:
    found: dict[Reader, dict[int, Response]] = defaultdict(dict)
    for row in delimited("sdtm-csv", "rs_onco_recist"):
        assert row["RSTESTCD"] == "OVRLRESP"
        found[reader(row, "RS")][int(row["VISITNUM"])] = Response(row["RSSTRESC"])
    return found


def targets(who: Reader) -> list[str]:
    return [lesion for lesion, row in lesions()[who].items() if row["TUSTRESC"] == "TARGET"]


def diameter(who: Reader, visit: int, lesion: str) -> float | None:
    """The longest diameter, or of a lymph node the short axis; None where it was not measured."""
    test = "LPERP" if is_node(who, lesion) else "LDIAM"
    text = measurements()[who][visit].get((lesion, test))
    return None if text is None else float(text)


def is_node(who: Reader, lesion: str) -> bool:
    return lesions()[who][lesion]["TULOC"] == "LYMPH NODE"


def state_of_others(who: Reader, visit: int) -> NonTarget:
    states = {text for (_, test), text in measurements()[who][visit].items() if test == "TUMSTATE"}
    assert states <= {"PRESENT", "ABSENT"}
    return NonTarget.CR if states == {"ABSENT"} else NonTarget.NON_CR_NON_PD


def recomputed(who: Reader) -> dict[int, Response]:
    """The overall response at every visit after screening.

    Only an assessment of all target lesions can be the nadir. In the data no patient has target and other lesions
    both, and none has a new one.
    """
    first, *later = sorted(measurements()[who])
    if not targets(who):
        return {
            visit: timepoint_response(
                None, None, None, target_complete=False, non_target=state_of_others(who, visit)
            ).overall_response
            for visit in later
        }
    start = [diameter(who, first, lesion) for lesion in targets(who)]
    baseline = nadir = sum(size for size in start if size is not None)
    assert None not in start
    found = {}
    for visit in later:
        sizes = {lesion: diameter(who, visit, lesion) for lesion in targets(who)}
        seen = {lesion: size for lesion, size in sizes.items() if size is not None}
        current = sum(seen.values())
        all_seen = len(seen) == len(sizes)
        gone = all(size < NODE_NORMAL_BELOW_MM if is_node(who, lesion) else size == 0 for lesion, size in seen.items())
        found[visit] = timepoint_response(
            baseline,
            nadir,
            current,
            target_complete=all_seen and gone,
            non_target=NonTarget.NONE,
            all_targets_evaluated=all_seen,
        ).overall_response
        if all_seen:
            nadir = min(nadir, current)
    return found


def best(responses: dict[int, Response]) -> BestResponse:
    days = [DAYS_BETWEEN_VISITS * (visit - 1) for visit in responses]
    return best_overall_response(days, list(responses.values()), min_sd_day=DAYS_BETWEEN_VISITS)


def test_every_reader_has_lesions_measurements_and_responses() -> None:
    assert len(reported()) == 24
    assert set(reported()) == set(lesions()) == set(measurements())
    assert sum(len(responses) for responses in reported().values()) == 66
    assert all(set(measurements()[who]) == {1, *responses} for who, responses in reported().items())


def test_time_point_responses_are_the_reported_ones() -> None:
    agree = Counter(
        (bool(targets(who)), recomputed(who)[visit] == response)
        for who in reported()
        for visit, response in reported()[who].items()
    )
    # the others are of the two patients who have lesions without a target among them
    assert agree == {(True, True): 57, (False, True): 9}


def test_kinds_of_response_that_were_recomputed() -> None:
    found = Counter(response for who in reported() for response in recomputed(who).values())
    assert found == {"SD": 22, "PR": 12, "CR": 9, "NON-CR/NON-PD": 9, "PD": 7, "NE": 7}


def test_progression_counts_although_a_lesion_was_not_assessed() -> None:
    """Of one patient the assessed lesions alone meet progression for two readers, and not for the third."""
    at_week_6 = {who[1:]: (recomputed(who)[3], diameter(who, 3, "T01")) for who in reported() if "1028" in who[0]}
    assert at_week_6 == {
        ("INVESTIGATOR", "NA"): ("PD", None),
        ("INDEPENDENT ASSESSOR", "RADIOLOGIST 1"): ("NE", None),
        ("INDEPENDENT ASSESSOR", "RADIOLOGIST 2"): ("PD", None),
    }


def test_best_responses_agree_for_every_reader() -> None:
    agree = Counter()
    confirmed, unconfirmed = Counter[Response](), Counter[Response]()
    for who in reported():
        ours, theirs = best(recomputed(who)), best(reported()[who])
        agree[(ours.confirmed_bor, ours.unconfirmed_bor) == (theirs.confirmed_bor, theirs.unconfirmed_bor)] += 1
        confirmed[ours.confirmed_bor] += 1
        unconfirmed[ours.unconfirmed_bor] += 1
    assert agree == {True: 24}
    # one patient's partial response was confirmed; no complete one was seen twice
    assert confirmed == {"SD": 15, "PR": 3, "NON-CR/NON-PD": 6}
    assert unconfirmed == {"SD": 6, "PR": 3, "CR": 9, "NON-CR/NON-PD": 6}


def test_a_partial_after_a_complete_response_is_a_data_query() -> None:
    queried = [who for who in reported() if "cr_then_pr" in best(recomputed(who)).flags]
    assert queried == [("01-701-1133", "INDEPENDENT ASSESSOR", "RADIOLOGIST 2")]


def test_assessors_differ_and_one_of_them_is_accepted() -> None:
    rows = delimited("sdtm-csv", "rs_onco_recist")
    assert Counter((row["RSEVAL"], row["RSACPTFL"]) for row in rows) == {
        ("INVESTIGATOR", "NA"): 22,
        ("INDEPENDENT ASSESSOR", "NA"): 22,
        ("INDEPENDENT ASSESSOR", "Y"): 22,
    }
    accepted = Counter((row["USUBJID"], row["VISITNUM"]) for row in rows if row["RSACPTFL"] == "Y")
    assert set(accepted.values()) == {1}
    at_visit: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        at_visit[row["USUBJID"], row["VISITNUM"]].add(row["RSSTRESC"])
    unlike = {key: responses for key, responses in at_visit.items() if len(responses) > 1}
    assert unlike == {
        ("01-701-1028", "3"): {"NE", "PD"},
        ("01-701-1133", "2"): {"PR", "SD"},
        ("01-701-1133", "4"): {"PD", "PR"},
    }


@pytest.mark.parametrize("domain", ["tr", "rs"])
def test_visits_are_three_weeks_apart_where_their_day_is_known(domain: str) -> None:
    """One visit has only its month; responses are therefore placed by the day their visit was planned for."""
    start: dict[str, date] = {}
    for row in delimited("sdtm-csv", "tr_onco_recist"):
        if row["VISITNUM"] == "1":
            start[row["USUBJID"]] = date.fromisoformat(row["TRDTC"])
    partial = Counter[str]()
    for row in delimited("sdtm-csv", f"{domain}_onco_recist"):
        when = row[f"{domain.upper()}DTC"]
        planned = DAYS_BETWEEN_VISITS * (int(row["VISITNUM"]) - 1)
        if len(when) == len("2014-02"):
            partial[when] += 1
        else:
            assert (date.fromisoformat(when) - start[row["USUBJID"]]).days == planned
    assert partial == {"2014-02": {"tr": 12, "rs": 3}[domain]}

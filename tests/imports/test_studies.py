"""Phase I trials, registry records and stopped trials, from their bytes to the records, whatever comes first."""

import csv
import io
import json
import random
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pipeline.store import tables
from tests.graphql.conftest import Api
from tests.imports.conftest import counts, sent, versions, zipped
from tests.support.datasets import dataset

DATA = Path(__file__).resolve().parents[1] / "data"
PHASE1 = {path.name: path.read_bytes() for path in sorted((DATA / "phase1").glob("*.csv"))}
RECORD = json.loads((DATA / "ctgov" / "NCT00000101.json").read_bytes())
STOPS = (
    b"nctid,stop_date,stop_status,restart_date,restart_status,why_stopped\n"
    b"NCT00000011,2017-02-03,Suspended,2017-09-01,Recruiting,drug supply\n"
    b"NCT00000011,2018-05-06,Terminated,NA,NA,slow accrual\n"
    b"NCT00000077,2019-01-01,Withdrawn,NA,NA,no funding\n"
)
STUDY = """
query Study($number: String!) { study(registryId: $number) {
  code title phases status whyStopped startedOn endedOn registryId
  molecules { name }
  doseLevels { ordinal label treated withDlt doses { molecule amount unit } }
  recommendedDoses { kind }
} }
"""


def record(number: str = "NCT00000011", **status: str) -> bytes:
    """Return a registry record under another number, with another status."""
    changed = json.loads(json.dumps(RECORD))
    changed["protocolSection"]["identificationModule"]["nctId"] = number
    changed["protocolSection"]["statusModule"] |= status
    return json.dumps(changed).encode()


def current(api: Api, table, *leave_out: str) -> list[tuple]:
    """Return the rows in force, apart from bookkeeping and what depends on the order of arrival."""
    hidden = {"id", "version", "since_act", "until_act", "seal", *leave_out}
    columns = [column for column in table.c if column.name not in hidden]
    with api.centre.database.read() as connection:
        rows = connection.execute(select(*columns).where(table.c.until_act.is_(None)))
        return sorted((tuple(row) for row in rows), key=repr)


SENDINGS: dict[str, Callable[[Api], dict]] = {
    "ctgov": lambda api: sent(api, "record.json", record()),
    "trial-stops": lambda api: sent(api, "stops.csv", STOPS),
    "phase1-dlt": lambda api: sent(api, "trials.zip", zipped(PHASE1)),
}


def test_one_study_comes_of_three_sources_in_whatever_order_they_come(api: Api):
    for name in SENDINGS:
        assert SENDINGS[name](api)["format"] == name
    found = api(STUDY, number="NCT00000011")["study"]
    assert found["status"] == "TERMINATED"
    assert found["whyStopped"].startswith("Interim look")
    assert found["phases"] == ["PHASE_2_3"]
    assert {level["label"]: level["ordinal"] for level in found["doseLevels"]}["not stated"] == 0
    names = {molecule["name"] for molecule in found["molecules"]}
    assert {"Sorafenib tosylate", "17-AAG", "cisplatin"} <= names
    stops = current(api, tables.study_stops, "study_id", "source_id", "source_row")
    assert [(row[0], row[3]) for row in stops if row[1] == "SUSPENDED"] == [("2017-02-03", "2017-09-01")]
    assert api.centre.verify().problems == []


@pytest.mark.parametrize("order", list(permutations(SENDINGS)), ids="-".join)
def test_the_order_of_the_sources_does_not_matter(api: Api, order, request):
    for name in order:
        SENDINGS[name](api)
    studies = current(api, tables.studies)
    with_events = current(api, tables.events, "molecule_id", "node_id", "sorted_on")
    study_events = [row for row in with_events if "Study" in row]
    cache = request.config.stash.setdefault(_SEEN, {})
    first = cache.setdefault("studies", (studies, study_events))
    assert (studies, study_events) == first
    assert [row[0] for row in studies].count("NCT00000011") == 1


_SEEN = pytest.StashKey[dict]()


def test_a_list_of_stops_lends_no_reason_to_a_status_of_the_register(api: Api):
    sent(api, "stops.csv", STOPS)
    assert api(STUDY, number="NCT00000011")["study"]["whyStopped"] == "slow accrual"
    going_on = json.loads(record(overallStatus="RECRUITING"))
    del going_on["protocolSection"]["statusModule"]["whyStopped"]
    sent(api, "record.json", json.dumps(going_on).encode())
    found = api(STUDY, number="NCT00000011")["study"]
    assert (found["status"], found["whyStopped"]) == ("RECRUITING", None)


TRIALS = b"""nctid,status,why_stop,phase,diseases,drugs
NCT00000011,terminated,slow accrual,phase 2/phase 3,['glioma'],"['alphol', 'betol']"
NCT00000012,withdrawn,no funding,phase 1,['glioma'],['betol']
NCT00000012,withdrawn,no funding,phase 1,['glioma'],['betol']
"""


@pytest.mark.parametrize("register_first", [True, False])
def test_a_table_of_trials_adds_to_what_a_register_says(api: Api, register_first):
    sendings = [
        lambda: sent(api, "record.json", record(overallStatus="RECRUITING")),
        lambda: sent(api, "t.csv", TRIALS),
    ]
    reports = [sending() for sending in sendings[:: 1 if register_first else -1]]
    assert {report["format"]: counts(report) for report in reports} == {
        "ctgov": (1, 0, 0, 0),
        "trial-table": (2, 0, 0, 1),
    }
    found = api(STUDY, number="NCT00000011")["study"]
    assert (found["status"], found["phases"]) == ("RECRUITING", ["PHASE_2_3"])
    assert {"alphol", "betol", "Sorafenib tosylate"} <= {molecule["name"] for molecule in found["molecules"]}
    other = api(STUDY, number="NCT00000012")["study"]
    assert (other["status"], other["whyStopped"], other["phases"]) == ("WITHDRAWN", "no funding", ["PHASE_1"])
    before = versions(api.centre)
    assert counts(sent(api, "t.csv", TRIALS)) == (0, 0, 0, 3)
    after = versions(api.centre)
    assert {name for name in after if after[name] != before[name]} <= {"imports", "import_problems"}
    later = TRIALS.replace(b"withdrawn,no funding", b"completed,")
    assert counts(sent(api, "t.csv", later)) == (1, 0, 0, 2)
    assert api(STUDY, number="NCT00000012")["study"]["status"] == "COMPLETED"
    assert api.centre.verify().problems == []


def test_where_the_register_gives_no_reason_for_the_same_status_the_list_does(api: Api):
    silent = json.loads(record())
    del silent["protocolSection"]["statusModule"]["whyStopped"]
    sent(api, "record.json", json.dumps(silent).encode())
    sent(api, "stops.csv", STOPS)
    found = api(STUDY, number="NCT00000011")["study"]
    assert (found["status"], found["whyStopped"]) == ("TERMINATED", "slow accrual")


def test_every_source_sent_again_changes_nothing(api: Api):
    first = {name: sending(api) for name, sending in SENDINGS.items()}
    before = versions(api.centre)
    for name, sending in SENDINGS.items():
        again = sending(api)
        accepted, quarantined, held, duplicates = counts(first[name])
        assert counts(again) == (0, quarantined, held, duplicates + accepted)
    after = versions(api.centre)
    assert {name for name in after if after[name] != before[name]} <= {"imports", "import_problems"}


def shuffled(files: dict[str, bytes], seed: int) -> dict[str, bytes]:
    """Return the same files with their rows in another order."""
    mixed = {}
    for name, content in files.items():
        head, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
        random.Random(seed).shuffle(rows)
        out = io.StringIO(newline="")
        csv.writer(out).writerows([head, *rows])
        mixed[f"batch_{name}"] = out.getvalue().encode()
    return mixed


def test_a_set_that_changed_in_one_trial_revises_that_trial_alone(api: Api):
    sent(api, "trials.zip", zipped(PHASE1))
    known = current(api, tables.study_sources, "source_row")
    news = shuffled(PHASE1, 3)
    before, after = b"90000003,NA,1,5-fluorouracil,2000", b"90000003,NA,1,5FU,1900"
    news["batch_mtd.csv"] = news["batch_mtd.csv"].replace(before, after)
    report = sent(api, "news.zip", zipped(news))
    assert report["written"]["studies"] == 1, report
    changed = set(current(api, tables.study_sources, "source_row")) - set(known)
    assert [row[2] for row in changed] == ["PMID 90000003"]
    assert (1900.0,) in current(api, tables.recommended_doses, *_ALL_BUT_AMOUNT)


_ALL_BUT_AMOUNT = [column.name for column in tables.recommended_doses.c if column.name != "amount_low"]


def test_a_trial_that_gets_its_registry_number_later_joins_the_study_it_is(api: Api):
    sent(api, "record.json", record("NCT00000099"))
    sent(api, "trials.zip", zipped(PHASE1))
    without = versions(api.centre)["studies"]
    before, after = b"90000003,NCT0110429,", b"90000003,NCT00000099,"
    numbered = {name: content.replace(before, after) for name, content in PHASE1.items()}
    sent(api, "numbered.zip", zipped(numbered))
    assert versions(api.centre)["studies"] <= without + 1
    codes = [row[0] for row in current(api, tables.studies)]
    assert "PMID 90000003" not in codes
    joined = api(STUDY, number="NCT00000099")["study"]
    assert joined["recommendedDoses"] != []
    assert joined["title"] == "Alpha and beta in made-up sarcoma"
    sent(api, "trials.zip", zipped(PHASE1))
    assert "PMID 90000003" in [row[0] for row in current(api, tables.studies)]
    assert api(STUDY, number="NCT00000099")["study"]["recommendedDoses"] == []
    assert api.centre.verify().problems == []


def test_molecules_of_all_sources_are_folded_and_combinations_are_none(api: Api):
    combined = json.loads(record())
    interventions = combined["protocolSection"]["armsInterventionsModule"]["interventions"]
    interventions += [{"type": "DRUG", "name": name} for name in ("Tanespimycin", "Cisplatin + 5-FU", "CISPLATIN")]
    sent(api, "trials.zip", zipped(PHASE1))
    sent(api, "record.json", json.dumps(combined).encode())
    names = [row[1] for row in current(api, tables.molecules)]
    assert len([name for name in names if name.casefold() in ("cisplatin", "tanespimycin", "17-aag")]) == 2
    assert not any("+" in name for name in names)


@pytest.mark.parametrize("packed", ["zip", "lines", "list"])
def test_records_come_packed_in_a_list_or_one_per_line_with_reading_matter_beside(api: Api, packed):
    records = [json.loads(record(f"NCT0000020{n}")) for n in range(3)]
    if packed == "zip":
        files = {f"r/{n}.json": json.dumps(item).encode() for n, item in enumerate(records)}
        name, content = "r.zip", zipped(files | {"r/README.md": b"# Records", "r/LICENSE.txt": b"CC0"})
    elif packed == "lines":
        name, content = "r.ndjson", b"\n".join(json.dumps(item).encode() for item in records)
    else:
        name, content = "r.json", json.dumps(records).encode()
    report = sent(api, name, content)
    assert (report["format"], counts(report)) == ("ctgov", (3, 0, 0, 0))
    left_out = [warning for warning in report["warnings"] if "left out" in warning]
    assert len(left_out) == (packed == "zip")


def test_a_list_of_stops_comes_packed_with_reading_matter(api: Api):
    report = sent(api, "stops.zip", zipped({"stops.csv": STOPS, "README.md": b"# Stops", "LICENSE": b"MIT"}))
    assert (report["format"], counts(report)) == ("trial-stops", (3, 0, 0, 0))
    assert report["warnings"] == ["left out, as they are not data: LICENSE, README.md."]


def mutated(files: dict[str, bytes], chance: random.Random) -> dict[str, bytes]:
    """Return a set of unseen trials: other PubMed numbers, some trials gone, rows mixed, some cells damaged."""
    gone, shift = set(), chance.randrange(1, 999)
    damages = ["", "NA", "=1+1", "\x00", "４２", "4-Mar", "31.02.2021", "x" * 400, "<5", "-1"]
    result = {}
    for name in sorted(files, reverse=True):  # trial.csv first
        head, *rows = csv.reader(io.StringIO(files[name].decode("utf-8", "replace"), newline=""))
        if name == "trial.csv":
            gone = {row[0] for row in rows if chance.random() < 0.1}
        kept = []
        for row in rows:
            if row[0] in gone:
                continue
            row[0] = str(int(row[0]) + shift) if row[0].isdigit() else row[0]
            if chance.random() < 0.05:
                row[chance.randrange(len(row))] = chance.choice(damages)
            kept.append(row)
        chance.shuffle(kept)
        out = io.StringIO(newline="")
        csv.writer(out).writerows([head, *kept])
        result[name] = out.getvalue().encode()
    return result


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_unseen_trials_are_accounted_for_row_by_row(api: Api, seed):
    content = zipped(mutated(PHASE1, random.Random(seed)))
    first = sent(api, "unseen.zip", content)
    again = sent(api, "unseen.zip", content)
    assert again["accepted"] == 0
    assert again["duplicates"] == first["duplicates"] + first["accepted"]


def test_unseen_trials_in_the_shape_of_the_published_ones(api: Api):
    files = {path.name: path.read_bytes() for path in dataset("phase1-dlt").glob("*.csv")}
    unseen = mutated(files, random.Random(7))
    first = sent(api, "unseen.zip", zipped(unseen))
    assert first["accepted"] > 15_000
    mixed = sent(api, "mixed.zip", zipped(shuffled(unseen, 1)))
    assert mixed["written"]["molecules"] == 0
    assert mixed["written"]["studies"] <= 10

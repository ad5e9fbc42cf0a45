"""A study as of a day knows nothing of what came later."""

import pytest

from pipeline.commands.imports import ImportFiles
from pipeline.exchange.formats import read_files
from pipeline.stages.graph import default_graph
from tests.graphql.conftest import LEAD, Api

STOPS = """nctid,stop_date,stop_status,restart_date,restart_status,why_stopped
NCT00000001,2019-02,Suspended,2020-05-04,Recruiting,no drug
NCT00000002,2018-06-30,Terminated,NA,NA,slow accrual
"""
QUERY = """
query S($code: String!, $asOf: DateTime) {
  molecules(asOf: $asOf) { totalCount }
  study(registryId: $code) { status }
  molecule(code: "given", asOf: $asOf) {
    studies { nodes { code status whyStopped endedOn stops { stoppedOn restartedOn restartStatus } } }
  }
}
"""
RECORD = """
{"protocolSection": {
  "identificationModule": {"nctId": "NCT00000002", "briefTitle": "A trial"},
  "statusModule": {
    "overallStatus": "TERMINATED", "whyStopped": "slow accrual",
    "startDateStruct": {"date": "2015-01", "type": "ACTUAL"},
    "completionDateStruct": {"date": "2018-06-30", "type": "ACTUAL"}
  },
  "designModule": {"phases": ["PHASE2"], "studyType": "INTERVENTIONAL"},
  "armsInterventionsModule": {"interventions": [{"type": "DRUG", "name": "given"}]}
}}
"""


def brought_in(api: Api, format: str, name: str, text: str) -> None:
    files = [(name, text.encode())]
    reading = read_files(format, files, default_graph())
    api.centre.execute(ImportFiles.of(reading, files, name=name), actor=LEAD)


@pytest.mark.parametrize(
    ("day", "status", "why", "ended", "stops"),
    [
        ("2016-01-01", "UNKNOWN", None, None, []),
        ("2018-06-29", "UNKNOWN", None, None, []),
        ("2018-06-30", "TERMINATED", "slow accrual", "2018-06-30", ["2018-06-30"]),
    ],
)
def test_its_end_is_seen_from_the_day_it_came(api: Api, day, status, why, ended, stops):
    brought_in(api, "ctgov", "a.json", RECORD)
    brought_in(api, "trial-stops", "b.csv", STOPS)
    [study] = api(QUERY, code="NCT00000002", asOf=f"{day}T12:00:00Z")["molecule"]["studies"]["nodes"]
    assert (study["status"], study["whyStopped"], study["endedOn"]) == (status, why, ended)
    assert [stop["stoppedOn"] for stop in study["stops"]] == stops
    [now] = api(QUERY, code="NCT00000002")["molecule"]["studies"]["nodes"]
    assert (now["status"], now["whyStopped"]) == ("TERMINATED", "slow accrual")

"""Mappings of columns over GraphQL: proposed, confirmed, listed and used."""

from __future__ import annotations

import orjson

from pipeline.access import Actor, Role
from tests.graphql.conftest import Api, api
from tests.imports.conftest import IMPORT, Sent, counts

__all__ = ["api"]

TABLE = b"""Subject,Analyte,Matrix,Nominal time (h),Conc (ng/mL),LLOQ (ng/mL)
S-1,drugx,plasma,1,12.5,0.5
S-1,drugx,plasma,2,BLQ,0.5
"""
PROPOSE = """
mutation Propose($file: Upload!) {
  proposeMapping(file: $file) {
    proposal { table kind lacks notes mapping columns { heading field unit doubt why } }
    errors { code message }
  }
}
"""
CONFIRM = """
mutation Confirm($input: ConfirmMappingInput!) {
  confirmMapping(input: $input) { mapping { name number confirmedBy text } errors { code message } }
}
"""


def test_propose_confirm_and_use(api: Api) -> None:
    told = api(PROPOSE, file=Sent("t.csv", TABLE))["proposeMapping"]
    assert told["errors"] == []
    proposal = told["proposal"]
    assert (proposal["kind"], proposal["lacks"]) == ("CONCENTRATIONS", [])
    assert [column["field"] for column in proposal["columns"]] == [
        *("subject", "analyte", "specimen", "nominal_time", "concentration", "lower_limit"),
    ]
    text = orjson.dumps(proposal["mapping"]).decode()
    confirmed = api(CONFIRM, input={"name": "LAB 1", "text": text})["confirmMapping"]
    assert (confirmed["errors"], confirmed["mapping"]["number"]) == ([], 1)
    assert api(CONFIRM, input={"name": "LAB 1", "text": text})["confirmMapping"]["mapping"]["number"] == 1
    listed = api("{ mappings { name number confirmedBy } }")["mappings"]
    assert [(row["name"], row["number"]) for row in listed] == [("LAB 1", 1)]
    found = api(IMPORT, file=Sent("t.csv", TABLE), input={"format": "auto", "mapping": "LAB 1", "study": "ST-1"})
    report = found["importFile"]["report"]
    assert counts(report) == (2, 0, 0, 0), found


def test_a_reader_confirms_nothing(api: Api) -> None:
    text = '{"kind": "DOSES", "columns": {"a": "subject", "b": "dose", "c": "treatment"}}'
    [error] = api(CONFIRM, as_=Actor.of("R. Reader", Role.RESEARCHER), input={"name": "X", "text": text})[
        "confirmMapping"
    ]["errors"]
    assert error["code"] == "NOT_PERMITTED"
    assert api("{ mappings { name } }")["mappings"] == []

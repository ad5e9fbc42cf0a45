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
    proposal { table kind lacks notes mapping columns { heading field unit constants doubt why } }
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


WIDE = b"""Subject;Time (h);Examplinib (ng/mL);M1 (ng/mL)
S-1;1;12,5;BLQ
S-1;2;-3;
S-2;1;;
"""


def test_a_column_for_each_analyte_is_proposed_confirmed_and_used(api: Api) -> None:
    proposal = api(PROPOSE, file=Sent("w.csv", WIDE))["proposeMapping"]["proposal"]
    assert [column["constants"] for column in proposal["columns"]] == [
        *(None, None, {"analyte": "Examplinib"}, {"analyte": "M1"}),
    ]
    [refused] = api(IMPORT, file=Sent("w.csv", WIDE), input={"format": "auto", "study": "ST-1"})["importFile"]["errors"]
    assert "'M1 (ng/mL)' as concentration of M1" in refused["message"]
    text = orjson.dumps(proposal["mapping"]).decode()
    assert api(CONFIRM, input={"name": "WIDE", "text": text})["confirmMapping"]["errors"] == []
    unknown = api(IMPORT, file=Sent("w.csv", WIDE), input={"format": "auto", "study": "ST-1"})["importFile"]["report"]
    assert (unknown["rows"], *counts(unknown)) == (4, 0, 4, 0, 0), unknown
    code = api.molecule(name="Examplinib")["code"]
    about = {"format": "auto", "study": "ST-1", "molecule": code}
    report = api(IMPORT, file=Sent("w.csv", WIDE), input=about)["importFile"]["report"]
    assert (report["rows"], *counts(report)) == (4, 2, 2, 0, 0), report
    report = api(IMPORT, file=Sent("w.csv", WIDE), input=about)["importFile"]["report"]
    assert (report["rows"], *counts(report)) == (4, 0, 2, 0, 2), report


def test_a_reader_confirms_nothing(api: Api) -> None:
    text = '{"kind": "DOSES", "columns": {"a": "subject", "b": "dose", "c": "treatment"}}'
    [error] = api(CONFIRM, as_=Actor.of("R. Reader", Role.RESEARCHER), input={"name": "X", "text": text})[
        "confirmMapping"
    ]["errors"]
    assert error["code"] == "NOT_PERMITTED"
    assert api("{ mappings { name } }")["mappings"] == []

"""What records were before: every version of a programme, a study and an alert, with who changed it and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.store import study_tables, tables
from schema import SCHEMA
from schema.node import Node, global_id
from tests.graphql.conftest import LEAD, Api

VERSIONS = "versions { number recordedBy command reasonForChange changes { field before after } }"


@pytest.mark.parametrize("plain", [False, True])
def test_a_programme_tells_how_it_was_moved(api: Api, plain: bool):
    programme = api.molecule(indication="melanoma")["programmes"][-1]
    held = api.move(programme["id"], "HOLD", programme["version"], reason="FUNDING")
    assert held["errors"] == []
    document = f"query Read($id: ID!) {{ node(id: $id) {{ ... on Programme {{ {VERSIONS} }} }} }}"
    first, second = api.result(document, id=programme["id"], plain=plain).data["node"]["versions"]
    begun = {change["field"]: change["after"] for change in first["changes"]}
    assert first["number"] == 1
    assert first["command"] == "RegisterMolecule"
    assert begun["indication"] == "melanoma"
    assert begun["molecule"] == global_id("Molecule", 1)
    assert begun["status"] == "ACTIVE"
    assert "graphId" not in begun
    assert second == {
        "number": 2,
        "recordedBy": "A. Lead",
        "command": "MoveProgramme",
        "reasonForChange": None,
        "changes": [{"field": "status", "before": "ACTIVE", "after": "ON_HOLD"}],
    }


@pytest.mark.parametrize("plain", [False, True])
def test_lists_and_links_are_told_as_the_record_tells_them(api: Api, plain: bool):
    api.molecule()

    def add(act: Any) -> dict[str, Any]:
        study = {"code": "S-1", "title": "First", "status": "ACTIVE", "phases": '["PHASE_1"]', "site_code": "CLIPP"}
        act.add(tables.studies, study)
        alert = {"kind": "QTC", "about": "x", "molecule_id": 1, "study_id": 1, "message": "m", "raised_at": "2024"}
        act.add(study_tables.alerts, alert)
        return {}

    def change(act: Any) -> dict[str, Any]:
        act.revise(tables.studies, act.find(tables.studies, 1), {"phases": '["PHASE_1","PHASE_2"]'})
        answer = {"acknowledged_by": "A. Lead", "comment": "a false alarm"}
        act.revise(study_tables.alerts, act.find(study_tables.alerts, 1), answer)
        return {}

    for how, reason in ((add, None), (change, "the protocol was amended")):
        api.centre.journal.perform("Test", how, actor=LEAD, now=datetime(2024, 1, 2, tzinfo=UTC), reason=reason)
    found = api.result(f'{{ study(code: "S-1") {{ {VERSIONS} alerts {{ nodes {{ {VERSIONS} }} }} }} }}', plain=plain)
    first, second = found.data["study"]["versions"]
    begun = {change["field"]: change["after"] for change in first["changes"]}
    assert begun == {"code": "S-1", "title": "First", "status": "ACTIVE", "phases": ["PHASE_1"], "site": "CLIPP"}
    assert second["reasonForChange"] == "the protocol was amended"
    assert second["changes"] == [{"field": "phases", "before": ["PHASE_1"], "after": ["PHASE_1", "PHASE_2"]}]
    raised, answered = found.data["study"]["alerts"]["nodes"][0]["versions"]
    assert {"field": "study", "before": None, "after": global_id("Study", 1)} in raised["changes"]
    assert [change["after"] for change in answered["changes"]] == ["A. Lead", "a false alarm"]


def test_every_record_that_can_change_tells_its_versions():
    kinds = SCHEMA.graphql_schema.get_possible_types(SCHEMA.graphql_schema.type_map[Node.__name__])
    # An event is never changed; the codes a pool names its members by are pseudonyms.
    assert {kind.name for kind in kinds if "versions" not in kind.fields} == {"Event", "Pool"}

"""Pages of study records are found by an index in the order they are told: nothing is sorted, nothing is read twice."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event

from schema.node import global_id
from tests.graphql.conftest import Api
from tests.graphql.planned.conftest import explained

STUDY, SUBJECT, MOLECULE = (global_id(node, 1) for node in ("Study", "Subject", "Molecule"))
SPAN = 'sampledFrom: "2014-01-01T00:00:00Z", sampledTo: "2020-01-01T00:00:00Z"'
AFTER = 'after: "WyIyMDE0LTAxLTAxIiwzXQ"'
CASES = [
    ("Study", f'monitoring(analyte: "A", {SPAN}, first: 9)', "monitoring_records_study_id_analyte_sorted_on_id"),
    ("Study", f'monitoring(analyte: "A", {AFTER}, first: 9)', "monitoring_records_study_id_analyte_sorted_on_id"),
    ("Study", f'monitoring({SPAN}, specimen: "plasma")', "monitoring_records_study_id_sorted_on_id"),
    ("Study", "monitoring(first: 9)", "monitoring_records_study_id_sorted_on_id"),
    ("Molecule", f'monitoring(analyte: "A", {SPAN})', "monitoring_records_molecule_id_sorted_on_id"),
    ("Molecule", f"monitoring({AFTER})", "monitoring_records_molecule_id_sorted_on_id"),
    ("Subject", f'monitoring(specimen: "plasma", {SPAN})', "monitoring_records_subject_id_sorted_on_id"),
    ("Study", 'laboratory(test: "ALT", minGrade: 2)', "laboratory_results_study_id_test_sorted_on_id"),
    ("Study", f"laboratory({AFTER})", "laboratory_results_study_id_sorted_on_id"),
    ("Subject", "laboratory", "laboratory_results_subject_id_sorted_on_id"),
    ("Study", "adverseEvents(minGrade: 3)", "adverse_events_study_id_sorted_on_id"),
    ("Subject", "adverseEvents", "adverse_events_subject_id_sorted_on_id"),
    ("Study", "responses", "tumour_responses_study_id_sorted_on_id"),
    ("Study", "measurements", "measurements_study_id_sorted_on_id"),
    ("Subject", 'measurements(what: "TUMVOL")', "measurements_subject_id_sorted_on_id"),
    ("Study", 'biomarkers(marker: "HER2")', "biomarker_results_study_id_marker_sorted_on_id"),
    ("Study", "administrations", "administrations_study_id_sorted_on_id"),
    ("Study", "findings", "findings_study_id_sorted_on_id"),
    ("Study", "dispositions", "dispositions_study_id_sorted_on_id"),
    ("Study", "reportedParameters", "reported_parameters_study_id_id"),
    ("Study", "subjects", "subjects_study_id_id"),
    ("Molecule", "alerts(open: false)", "alerts_molecule_id_raised_at_id"),
]


def plan(api: Api, document: str) -> str:
    """Return the plan of the one statement that answers a document."""
    run: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        run.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", keep)
    try:
        api(document)
    finally:
        event.remove(Engine, "before_cursor_execute", keep)
    [(statement, parameters)] = [(s, p) for s, p in run if "SELECT" in s]
    with api.centre.database.read() as connection:
        if connection.dialect.name == "sqlite":
            return "\n".join(row[3] for row in explained(connection, statement, parameters))
        # Of a small table all is read; what is asked here is how a large one would be read.
        for way in ("seqscan", "bitmapscan"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        return "\n".join(row[0] for row in explained(connection, statement, parameters))


@pytest.mark.parametrize(("node", "field", "index"), CASES)
def test_a_page_is_read_from_an_index_in_its_order(api: Api, node: str, field: str, index: str):
    number = {"Study": STUDY, "Subject": SUBJECT, "Molecule": MOLECULE}[node]
    document = f'{{ node(id: "{number}") {{ ... on {node} {{ {field} {{ edges {{ cursor }} }} }} }} }}'
    found = plan(api, document)
    # Which of two indexes that begin alike suits better PostgreSQL tells by what it has counted, here nothing.
    assert (f"ix_{index}" if api.centre.database.is_sqlite else f"ix_{index.split('_id_')[0]}") in found
    assert "TEMP B-TREE" not in found
    assert "Sort" not in found


def test_open_alerts_are_found_among_many_that_were_answered(api: Api):
    found = plan(api, "{ alerts(open: true) { nodes { id } } }")
    assert "ix_alerts_open" in found
    assert "TEMP B-TREE" not in found
    assert "Sort" not in found

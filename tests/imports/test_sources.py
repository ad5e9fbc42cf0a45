"""What was sent is kept byte by byte, and every record leads back to its file and row."""

import csv
import io

import pytest
from sqlalchemy import select

from pipeline.store import tables
from tests.graphql.conftest import Api
from tests.imports.conftest import sent, zipped
from tests.imports.test_studies import PHASE1, STOPS, record

PORTFOLIO = (
    b"Name,Indication,Stage,Since\nAlphol,Lung,Phase 1,2020-01\nAlphol,Lung,Phase 2,2021-01\nBetol,,Phase 1,2020\n"
)
FILE_OF = {
    tables.study_molecules: "drug.csv",
    tables.arms: "drug.csv",
    tables.dose_levels: "dose_level.csv",
    tables.doses: "dose_level.csv",
    tables.dlt_definitions: "dlt_definition.csv",
    tables.dlt_observations: "observed_dlt.csv",
    tables.recommended_doses: "mtd.csv",
}


def rows_of(api: Api, table) -> list[dict]:
    with api.centre.database.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def kept(api: Api) -> dict[str, bytes]:
    return {row["name"]: bytes(row["content"]) for row in rows_of(api, tables.source_files)}


def test_the_bytes_that_were_sent_are_kept_once(api: Api):
    packed = zipped(PHASE1)
    for _ in range(2):
        sent(api, "portfolio.csv", PORTFOLIO)
        sent(api, "trials.zip", packed)
    files = kept(api)
    assert files["portfolio.csv"] == PORTFOLIO
    assert files["trials.zip"] == packed
    assert {name: files[f"trials.zip/{name}"] for name in PHASE1} == PHASE1
    assert len(files) == 2 + len(PHASE1)


@pytest.mark.parametrize("packed", [False, True])
def test_a_portfolios_records_lead_back_to_their_rows(api: Api, packed):
    sent(api, *("p.zip", zipped({"portfolio.csv": PORTFOLIO})) if packed else ("portfolio.csv", PORTFOLIO))
    names = {row["id"]: row["name"] for row in rows_of(api, tables.source_files)}
    name = "p.zip/portfolio.csv" if packed else "portfolio.csv"
    for table, rows in ((tables.molecules, [2, 4]), (tables.programmes, [2, 4]), (tables.transitions, [2, 3, 4])):
        found = sorted((names[row["source_file"]], row["source_row"]) for row in rows_of(api, table))
        assert found == [(name, row) for row in rows]


def test_every_row_below_a_study_leads_back_to_its_file_and_row(api: Api):
    sent(api, "trials.zip", zipped(PHASE1))
    names = {row["id"]: row["name"] for row in rows_of(api, tables.source_files)}
    lines = {name: list(csv.reader(io.StringIO(text.decode(), newline=""))) for name, text in PHASE1.items()}
    for row in rows_of(api, tables.study_sources):
        assert names[row["source_file"]] == "trials.zip/trial.csv"
        assert row["code"] == f"PMID {lines['trial.csv'][row['source_row'] - 1][0]}"
    for table, name in FILE_OF.items():
        found = rows_of(api, table)
        assert found, table.name
        for row in found:
            cells = [cell.replace("\x15", "\u2415") for cell in lines[name][row["source_row"] - 1]]
            for column in ("amount_reported", "grade_reported", "affected_reported", "reported"):
                assert row.get(column) is None or row[column] in cells, (table.name, row)
    for row in rows_of(api, tables.molecules):
        assert names[row["source_file"]].startswith("trials.zip/")
        assert row["source_row"] > 1


def test_a_record_and_a_stop_lead_back_to_their_rows(api: Api):
    sent(api, "record.json", record())
    sent(api, "stops.csv", STOPS)
    names = {row["id"]: row["name"] for row in rows_of(api, tables.source_files)}
    found = {
        (row["source"], names[row["source_file"]], row["source_row"]) for row in rows_of(api, tables.study_sources)
    }
    assert found == {("ctgov", "record.json", 1), ("trial-stops", "stops.csv", 2), ("trial-stops", "stops.csv", 4)}
    assert {row["source_row"] for row in rows_of(api, tables.study_stops)} == {2, 3, 4}
    assert all(row["source_row"] == 1 for row in rows_of(api, tables.event_counts))

"""Exports: what is in them, from which moment, safe for spreadsheets, recorded, and good to be imported again."""

import csv
import hashlib
import io
import json

import openpyxl
import pytest

from api.cli.export import WHAT
from pipeline.access import Actor, Role
from pipeline.centre import Centre
from pipeline.errors import NotPermitted
from pipeline.exchange.cells import armed, defused
from pipeline.exchange.export import Column, write_csv, write_jsonl, write_xlsx
from pipeline.reports.exports import DATASETS, Export, export
from pipeline.store.tables import acts
from tests.cli.conftest import PORTFOLIO, PROJECT, Caller

PROVENANCE = ("source_file", "source_row", "recorded_at", "recorded_by", "imported")


def rows_of(answer):
    assert answer.out.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.out.decode("utf-8-sig"), newline="")))


def told(lines):
    """What rows tell, apart from where they were told."""
    return [{k: v for k, v in json.loads(line).items() if k not in PROVENANCE} for line in lines.splitlines()]


def test_what_the_command_offers_is_what_there_is():
    assert tuple(DATASETS) == WHAT


@pytest.mark.parametrize("what", WHAT)
def test_the_columns_are_documented_in_their_order(what):
    page = (PROJECT / "docs" / "EXPORTS.md").read_text(encoding="utf-8")
    part = page.partition(f"## {what}\n")[2].partition("\n## ")[0]
    listed = [line for line in part.splitlines() if line.startswith("| `")]
    assert listed == [f"| `{column.name}` | {column.meaning} |" for column in DATASETS[what].columns]


def test_molecules_with_their_names_ids_and_mass(filled):
    first, second, third = rows_of(filled.good("export", "molecules"))
    assert (first["code"], first["name"], first["modality"]) == ("EX-1", "examplinib", "SMALL_MOLECULE")
    assert (first["synonyms"], first["targets"]) == ("EX 1; exa", "BRAF; CRAF")
    assert (first["formula"], first["molar_mass_g_per_mol"]) == ("C2H6O", "46.069")
    assert second["code"] == "EX-2"
    assert third["name"] == "'@trial, inc"


def test_programmes_stand_at_their_present_stage(filled):
    first, second, _ = rows_of(filled.good("export", "programmes"))
    assert [first[c] for c in ("stage", "since", "status", "stopped_on", "reason", "note")] == [
        *("PHASE_3", "2021-05-05", "DISCONTINUED", "2022-06-30", "TOX_CLINICAL", "a = b, +3"),
    ]
    assert [second[c] for c in ("stage", "since", "status", "stopped_on")] == [
        *("PHASE_2", "2020", "COMPLETED", "2021-01"),
    ]


def test_transitions_and_their_skipped_stages(filled):
    rows = rows_of(filled.good("export", "transitions", "--molecule", "EX-1"))
    assert [(r["kind"], r["stage"], r["status"], r["occurred_on"], r["skipped"]) for r in rows] == [
        ("ADVANCE", "PHASE_1", "ACTIVE", "2019-03", ""),
        ("HOLD", "PHASE_1", "ON_HOLD", "2019-09-01", ""),
        ("RESUME", "PHASE_1", "ACTIVE", "2020-01-05", ""),
        ("ADVANCE", "PHASE_3", "ACTIVE", "2021-05-05", "PHASE_2"),
        ("DISCONTINUE", "PHASE_3", "DISCONTINUED", "2022-06-30", ""),
    ]
    assert rows[1]["reason_verbatim"] == "waiting for drug"


def test_history_is_in_the_order_it_happened_and_can_be_one_molecules(filled):
    rows = rows_of(filled.good("export", "history", "--molecule", "EX-2"))
    assert [(r["kind"], r["occurred_on"]) for r in rows] == [
        ("REGISTERED", "2020"),
        ("ADVANCED", "2020"),
        ("COMPLETED", "2021-01"),
        ("REGISTERED", ""),
    ]
    assert {r["code"] for r in rows} == {"EX-2"}
    everything = rows_of(filled.good("export", "history"))
    assert {r["code"] for r in everything} == {"EX-1", "EX-2", "EX-3"}


def test_studies_of_the_demonstration_set(moltrail):
    moltrail("import", "tests/data/phase1")
    rows = rows_of(moltrail.good("export", "studies"))
    assert {r["phases"] for r in rows} == {"PHASE_1"}
    first = next(r for r in rows if "PMID 90000001" in r["sources"])
    assert first["registry_id"] == "NCT00000011"
    assert int(first["dose_levels"]) > 0
    assert len(first["molecules"].split("; ")) >= 2


def test_as_of_an_earlier_day(filled):
    first, *_ = rows_of(filled.good("export", "programmes", "--as-of", "2019-12-31"))
    assert (first["stage"], first["status"], first["stopped_on"]) == ("PHASE_1", "ON_HOLD", "2019-09-01")
    assert len(rows_of(filled.good("export", "programmes", "--as-of", "2018-01-01"))) == 0


def test_known_at_a_moment_before_the_import(filled):
    assert rows_of(filled.good("export", "molecules", "--known-at", "2020-01-01T00:00:00Z")) == []
    assert len(rows_of(filled.good("export", "molecules", "--known-at", "2999-12-31"))) == 3


@pytest.mark.parametrize(
    "option", [["--as-of", "2021-02-30"], ["--as-of", "soon"], ["--known-at", "2021-01-01T00:00"], ["--known-at", "x"]]
)
def test_a_moment_that_is_none_is_refused(option, filled):
    answer = filled("export", "molecules", *option)
    assert (answer.code, answer.out) == (2, b"")
    assert "takes a" in answer.err


def test_an_unknown_molecule_is_refused_and_nothing_is_recorded(filled):
    before = filled.good("--json", "db", "status").json()["acts"]
    answer = filled("export", "history", "--molecule", "EX-9")
    assert (answer.code, answer.out) == (2, b"")
    assert answer.err == "no molecule has the code 'EX-9'; `moltrail export molecules` lists the codes\n"
    assert filled.good("--json", "db", "status").json()["acts"] == before


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("ending", ["csv", "jsonl", "xlsx"])
def test_every_export_is_an_act_with_the_digest_of_its_bytes(what, ending, filled, tmp_path):
    file = tmp_path / f"out.{ending}"
    said = filled.good("--json", "export", what, "--output", file).json()
    about = json.loads((tmp_path / f"out.{ending}.about.json").read_text())
    assert said["sha256"] == about["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [column["name"] for column in about["columns"]] == [column.name for column in DATASETS[what].columns]
    with Centre.open(filled.data) as centre, centre.database.read() as connection:
        found = connection.execute(acts.select().where(acts.c.number == said["act"])).one()
        head = connection.execute(acts.select().where(acts.c.number == said["head_act"])).one()
        assert centre.verify().problems == []
    recorded = json.loads(found.result)
    assert (found.command, recorded["what"], recorded["format"]) == ("ExportData", what, ending)
    assert (recorded["rows"], recorded["sha256"]) == (said["rows"], said["sha256"])
    assert said["head_hash"] == head.hash


def test_every_format_tells_the_same(filled, tmp_path):
    for ending in ("csv", "jsonl", "xlsx"):
        filled.good("export", "transitions", "-o", tmp_path / f"t.{ending}")
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        from_csv = list(csv.reader(file))
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert book.sheetnames == ["About", "transitions"]
    sheet = [list(row) for row in book["transitions"].values]
    assert from_csv[0] == sheet[0] == list(lines[0])
    about = dict(row[:2] for row in book["About"].values if row[0])
    assert (about["export"], about["rows"], len(sheet) - 1) == ("transitions", len(lines), len(lines))
    for line, cells, row in zip(lines, from_csv[1:], sheet[1:], strict=True):
        plain = [value if value is not None else "" for value in line.values()]
        texts = ["; ".join(value) if isinstance(value, list) else value for value in plain]
        assert [armed(cell) for cell in cells] == [
            ("true" if value else "false") if isinstance(value, bool) else str(value) for value in texts
        ]
        assert [armed(v) if isinstance(v, str) else v for v in row] == [None if v == "" else v for v in texts]


def test_transitions_come_back_the_same_from_a_fresh_record(filled, tmp_path, monkeypatch):
    filled.good("export", "transitions", "-o", tmp_path / "t.csv")
    before = filled.good("export", "transitions", "--format", "jsonl").text
    fresh = Caller(tmp_path / "fresh", monkeypatch)
    assert fresh.good("--json", "import", tmp_path / "t.csv").json()["report"]["accepted"] == 8
    assert told(fresh.good("export", "transitions", "--format", "jsonl").text) == told(before)


@pytest.mark.parametrize("what", ["programmes", "transitions"])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_importing_an_export_again_changes_nothing(what, ending, filled, tmp_path):
    before = {name: filled.good("export", name, "--format", "jsonl").text for name in WHAT}
    filled.good("export", what, "-o", tmp_path / f"again.{ending}")
    report = filled.good("--json", "import", tmp_path / f"again.{ending}").json()["report"]
    assert (report["accepted"], report["quarantined"], report["held"]) == (0, 0, 0)
    assert report["duplicates"] == report["rows"] > 0
    assert {name: filled.good("export", name, "--format", "jsonl").text for name in WHAT} == before


def test_text_a_spreadsheet_would_compute_is_defused_but_not_for_programs():
    columns = [Column("name", ""), Column("number", "")]
    rows = [("=cmd|' /C calc'!A0", -1.5), ("-12", 3), ("@SUM(A1)", None), ("+x", None), ("\ttab", None), ("plain", 0)]
    as_csv, as_lines, as_book = io.BytesIO(), io.BytesIO(), io.BytesIO()
    assert write_csv(as_csv, columns, rows) == write_jsonl(as_lines, columns, rows) == 6
    write_xlsx(as_book, columns, rows, title="things", about={})
    cells = [row[0] for row in csv.reader(io.StringIO(as_csv.getvalue().decode("utf-8-sig"), newline=""))][1:]
    assert cells == ["'=cmd|' /C calc'!A0", "-12", "'@SUM(A1)", "'+x", "'\ttab", "plain"]
    assert [armed(cell) for cell in cells] == [row[0] for row in rows]
    assert [json.loads(line)["name"] for line in as_lines.getvalue().splitlines()] == [row[0] for row in rows]
    sheet = openpyxl.load_workbook(io.BytesIO(as_book.getvalue()))["things"]
    assert [cell.value for cell in sheet["A"]][1:] == [defused(row[0]) for row in rows]
    assert {cell.data_type for cell in sheet["A"]} == {"s"}


def test_signs_no_spreadsheet_takes_are_shown():
    rows = [("a\x00b\x15c\nd",)]
    out, book = io.BytesIO(), io.BytesIO()
    write_csv(out, [Column("x", "")], rows)
    write_xlsx(book, [Column("x", "")], rows, title="t", about={})
    assert "a␀b␕c\nd" in out.getvalue().decode()
    assert openpyxl.load_workbook(io.BytesIO(book.getvalue()))["t"]["A2"].value == "a␀b␕c\nd"


def test_a_cell_too_long_for_a_workbook_says_that_it_is_cut():
    book = io.BytesIO()
    write_xlsx(book, [Column("x", "")], [("y" * 40_000,)], title="t", about={})
    cell = openpyxl.load_workbook(io.BytesIO(book.getvalue()))["t"]["A2"].value
    assert len(cell) == 32_767
    assert cell.endswith("export as CSV or JSON lines to get all of it]")


def test_rows_beyond_a_sheet_go_on_in_the_next(monkeypatch):
    monkeypatch.setattr("pipeline.exchange.export.ROWS_OF_A_SHEET", 2)
    book = io.BytesIO()
    assert write_xlsx(book, [Column("x", "")], [(n,) for n in range(5)], title="t", about={}) == 5
    read = openpyxl.load_workbook(io.BytesIO(book.getvalue()))
    assert {name: [row[0] for row in read[name].values] for name in read.sheetnames[1:]} == {
        "t": ["x", 0, 1],
        "t 2": ["x", 2, 3],
        "t 3": ["x", 4],
    }


@pytest.mark.parametrize("name", ["anchor.jsonl", "chain.key", "moltrail.db"])
def test_the_records_are_never_written_over(name, filled):
    before = (filled.data / name).read_bytes()
    answer = filled("export", "molecules", "--format", "jsonl", "-o", filled.data / name)
    assert answer.code == 2
    assert "belongs to the records" in answer.err
    if name != "moltrail.db":
        assert (filled.data / name).read_bytes() == before
    assert filled.good("verify")


def test_a_target_that_cannot_be_is_one_sentence(filled, tmp_path):
    (tmp_path / "file").write_text("")
    for target, word in (
        (tmp_path / "no" / "x.csv", "does not exist"),
        (tmp_path / "file" / "x.csv", "does not exist"),
        ("x.xlsx", "name it accordingly"),
        (tmp_path, "is a directory"),
    ):
        answer = filled("export", "molecules", "--format", "csv", "-o", target)
        assert (answer.code, answer.out) == (2, b""), target
        assert word in answer.err


def test_who_may_not_export_gets_nothing(filled):
    nobody = Actor("nobody", (Role.RESEARCHER,), frozenset())
    out = io.BytesIO()
    with Centre.open(filled.data) as centre, pytest.raises(NotPermitted):
        export(centre, Export("molecules", "csv"), out, actor=nobody)
    assert out.getvalue() == b""


def test_json_and_the_data_do_not_share_standard_output(filled):
    answer = filled("--json", "export", "molecules")
    assert (answer.code, answer.out) == (2, b"")
    assert "give --output FILE" in answer.err


def test_memory_does_not_grow_with_the_rows(moltrail, tmp_path):
    """A batch is let go before the next is read: of many rows, only some are ever held at a time."""
    import tracemalloc

    from pipeline.reports.exported_rows import BATCH

    lines = PORTFOLIO.splitlines()[:1]
    lines += [f"drug{n},C-{n},,tumour {n},,,,Phase 1,2020-01,,,,{'x' * 300},," for n in range(8 * BATCH)]
    (tmp_path / "many.csv").write_text("\n".join(lines))
    moltrail.good("import", tmp_path / "many.csv")
    peaks = []
    with Centre.open(moltrail.data) as centre:
        for limit in (BATCH, 8 * BATCH):
            with centre.read() as reader:
                rows = DATASETS["transitions"].rows(reader.connection, reader.view, None)
                for _ in range(BATCH // 2):
                    next(rows)
                tracemalloc.start()
                count = sum(1 for _ in zip(rows, range(limit - BATCH // 2), strict=False))
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()
                assert count == limit - BATCH // 2
    assert peaks[1] < 3 * peaks[0]

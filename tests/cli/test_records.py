"""Every other command: what it does, what it prints, how it ends, and JSON alone on standard output where asked for."""

import sqlite3
from pathlib import Path

import openpyxl
import pytest
from graphql import build_schema, print_schema

from api.cli.shared import table
from pipeline.stages.graph import default_graph
from schema import SCHEMA
from tests.cli.conftest import PORTFOLIO

DEFAULT_GRAPH = Path("pipeline/stages/default.toml").read_text(encoding="utf-8")


def calls(*arguments):
    return pytest.param(arguments, id=" ".join(arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        calls("db", "status"),
        calls("db", "upgrade"),
        calls("graph"),
        calls("graph", "--dot"),
        calls("graph", "--svg"),
        calls("schema"),
        calls("token", "list"),
        calls("token", "create", "bob", "--role", "lead"),
        calls("verify"),
        calls("import", "--template", "{tmp}/t.xlsx"),
        calls("import", "{tmp}/portfolio.csv"),
        calls("export", "molecules", "-o", "{tmp}/m.csv"),
        calls("demo", "status"),
    ],
)
def test_json_is_all_there_is_on_standard_output(arguments, filled, tmp_path):
    answer = filled("--json", *(word.format(tmp=tmp_path) for word in arguments))
    assert answer.code in (0, 1)
    assert isinstance(answer.json(), dict | list)
    assert answer.err == ""


# ---------------------------------------------------------------- tokens


def test_a_token_is_shown_once_listed_and_revoked(moltrail):
    made = moltrail.good("--json", "token", "create", "alice", "--role", "lead", "--role", "researcher").json()
    assert made["token"].startswith("mt_")
    assert (made["name"], made["roles"]) == ("alice", ["lead", "researcher"])
    listed = moltrail.good("token", "list").text
    assert "alice" in listed
    assert "valid" in listed
    assert made["token"] not in listed
    assert moltrail.good("token", "revoke", "alice").text == "The token of alice is revoked.\n"
    assert moltrail.good("--json", "token", "list").json()[0]["revoked"] is True
    for file in moltrail.data.iterdir():
        assert made["token"].encode() not in file.read_bytes()


def test_names_of_tokens_are_never_used_again(moltrail):
    moltrail.good("token", "create", "alice", "--role", "lead")
    moltrail.good("token", "revoke", "alice")
    answer = moltrail("token", "create", "alice", "--role", "lead")
    assert (answer.code, answer.text) == (2, "")
    assert answer.err == "the name alice is taken; names are never reused\n"


def test_an_unknown_name_or_role_is_refused(moltrail):
    moltrail.good("db", "upgrade")
    answer = moltrail("token", "revoke", "bob")
    assert (answer.code, answer.err) == (2, "there is no token named 'bob'\n")
    answer = moltrail("token", "create", "bob", "--role", "king")
    assert answer.code == 2
    assert "'king' is not one of 'researcher'" in answer.err


def test_no_tokens_is_said(moltrail):
    moltrail.good("db", "upgrade")
    assert moltrail.good("token", "list").text == "There are no tokens.\n"
    assert moltrail.good("--json", "token", "list").json() == []


# ---------------------------------------------------------------- the database


def test_status_counts_what_is_on_record(filled):
    status = filled.good("--json", "db", "status").json()
    assert status["database"] == f"sqlite:///{filled.data / 'moltrail.db'}"
    assert (status["records"]["molecules"], status["records"]["transitions"]) == (3, 8)
    text = filled.good("db", "status").text
    assert f"migration {status['migration']}, {status['acts']} acts" in text


def test_upgrading_again_changes_nothing(moltrail):
    first = moltrail.good("db", "upgrade").text
    assert first == moltrail.good("db", "upgrade").text
    assert moltrail.good("--json", "db", "status").json()["acts"] == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me@host/base", "Moltrail stores in SQLite or PostgreSQL, not in mysql; "),
        ("postgresql://me:secret@127.0.0.1:1/base", "PostgreSQL at postgresql+psycopg://me:***@127.0.0.1:1/base does"),
    ],
)
def test_a_database_that_cannot_be_had_is_one_sentence_without_its_password(url, said, moltrail):
    answer = moltrail("--database-url", url, "db", "status")
    assert (answer.code, answer.text) == (2, "")
    assert answer.err.startswith(said)
    assert answer.err.count("\n") == 1
    assert "secret" not in answer.err


def test_a_file_that_is_no_database_is_one_sentence(moltrail):
    moltrail.data.mkdir()
    (moltrail.data / "moltrail.db").write_bytes(b"this is not a database, whatever its name says" * 100)
    answer = moltrail("db", "status")
    assert (answer.code, answer.text) == (2, "")
    assert "restore a backup" in answer.err
    assert answer.err.count("\n") == 1


def test_the_data_folder_comes_from_the_environment_too(moltrail, monkeypatch, tmp_path):
    from api.cli import cli

    monkeypatch.setenv("MOLTRAIL_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(SystemExit):
        cli.main(["db", "upgrade"], prog_name="moltrail")
    assert (tmp_path / "elsewhere" / "moltrail.db").exists()


# ---------------------------------------------------------------- the audit chain


def test_verify_says_intact_and_ends_with_0(filled):
    assert filled.good("verify").text.endswith("Intact: nothing was altered.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        *(("verify",), ("export", "molecules"), ("mapping", "list"), ("token", "list"), ("token", "revoke", "A")),
        *(("db", "status"), ("demo", "status")),
    ],
)
def test_a_mistyped_folder_is_not_taken_for_an_empty_record(moltrail, arguments):
    answer = moltrail(*arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert answer.err == f"there are no records in {moltrail.data}; give the folder that holds them with --data\n"
    assert not (moltrail.data / "moltrail.db").exists()


def test_verify_finds_a_row_altered_behind_the_programs_back(filled):
    base = sqlite3.connect(filled.data / "moltrail.db")
    base.execute("DROP TRIGGER molecules_fixed")
    base.execute("UPDATE molecules SET name = 'other' WHERE code = 'EX-1'")
    base.commit()
    base.close()
    answer = filled("--json", "verify")
    report = answer.json()
    assert (answer.code, report["intact"]) == (1, False)
    assert any(problem.startswith("molecules 1 version 1 (act ") for problem in report["problems"])
    assert any("molecules_fixed" in problem for problem in report["problems"])
    answer = filled("verify")
    assert answer.code == 1
    assert "NOT intact:" in answer.text


def test_verify_compares_with_an_anchor_kept_elsewhere(filled, tmp_path):
    (tmp_path / "kept").write_bytes((filled.data / "anchor.jsonl").read_bytes())
    filled.good("verify", "--anchor", tmp_path / "kept")
    (tmp_path / "kept").write_bytes(b'{"number":1,"hash":"00","mac":"00"}\n')
    answer = filled("verify", "--anchor", tmp_path / "kept")
    assert answer.code == 1
    assert "kept" in answer.text


# ---------------------------------------------------------------- graphs and schema


def test_the_default_graph_is_sound_and_drawn(moltrail):
    content = moltrail.good("--json", "graph").json()
    assert content["digest"] == default_graph().digest
    assert content["stages"][0] == "PRECLINICAL_PHARMACOLOGY"
    assert moltrail.good("graph", "--dot").text.startswith("digraph")
    assert moltrail.good("graph", "--svg").text.startswith("<svg")
    assert not moltrail.data.exists()


def test_every_defect_of_a_graph_is_named_and_it_is_not_adopted(moltrail, tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text(
        DEFAULT_GRAPH.replace('code = "PHASE_2"', 'code = "PHASE_TWO"').replace('code = "HERG_MARGIN"', 'code = "HERG"')
    )
    for arguments in (["graph", file], ["graph", file, "--adopt"]):
        answer = moltrail(*arguments)
        assert (answer.code, answer.text) == (2, "")
        assert "PHASE_2" in answer.err
        assert "HERG_MARGIN" in answer.err
        assert "Traceback" not in answer.err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"name = ", b"[[stages]]\n" * 1000, b"\x00" * 5000])
def test_what_is_no_graph_is_refused(content, moltrail, tmp_path):
    (tmp_path / "x.toml").write_bytes(content)
    answer = moltrail("graph", tmp_path / "x.toml")
    assert (answer.code, answer.text) == (2, "")
    assert str(tmp_path / "x.toml") in answer.err or "stage" in answer.err


def test_a_graph_file_that_is_not_there_is_refused(moltrail, tmp_path):
    answer = moltrail("graph", tmp_path / "none.toml")
    assert answer.code == 2
    assert answer.err == f"{tmp_path / 'none.toml'} cannot be read (No such file or directory); check the path\n"
    assert moltrail("graph", "--adopt").code == 2


def test_programmes_keep_the_graph_they_began_under(filled, tmp_path):
    number = default_graph().version
    file = tmp_path / "next.toml"
    file.write_text(DEFAULT_GRAPH.replace(f"version = {number}\n", f"version = {number + 1}\n", 1), encoding="utf-8")
    name = default_graph().name
    assert filled.good("graph", file, "--adopt").text == (
        f"{name} version {number + 1} is in force now; older programmes keep theirs.\n"
    )
    assert "was adopted already" in filled.good("graph", file, "--adopt").text
    (tmp_path / "later.csv").write_text("Name,Code,Indication,Stage,Since\nlaterin,EX-4,melanoma,Phase 1,2022-01\n")
    filled.good("import", tmp_path / "later.csv")
    lines = filled.good("export", "programmes").text.splitlines()
    assert sum(f"{name} {number}," in line for line in lines) == 3
    assert sum(f"{name} {number + 1}," in line for line in lines) == 1
    filled.good("verify")


def test_the_schema_printed_is_the_schema_served(moltrail):
    printed = moltrail.good("schema").text
    assert print_schema(build_schema(printed)) == print_schema(build_schema(str(SCHEMA)))
    assert moltrail.good("--json", "schema").json() == {"schema": printed.rstrip("\n")}


# ---------------------------------------------------------------- imports


def test_the_template_filled_in_is_taken(moltrail, tmp_path):
    file = tmp_path / "template.xlsx"
    assert moltrail.good("import", "--template", file).text == (
        f"{file} is written: fill its first sheet and import it.\n"
    )
    book = openpyxl.load_workbook(file)
    sheet = book["Portfolio"]
    at = {cell.value: cell.column for cell in sheet[1]}
    for heading, value in {"Name": "examplinib", "Indication": "melanoma", "Stage": "Phase 1", "Since": "2021"}.items():
        sheet.cell(2, at[heading], value)
    book.save(file)
    report = moltrail.good("--json", "import", file).json()["report"]
    assert (report["rows"], report["accepted"], report["quarantined"]) == (1, 1, 0)
    assert '"stage":"PHASE_1"' in moltrail.good("export", "programmes", "--format", "jsonl").text


def test_a_rehearsal_writes_nothing(moltrail, tmp_path):
    (tmp_path / "p.csv").write_text(PORTFOLIO)
    assert "would be new or changed" in moltrail.good("import", tmp_path / "p.csv", "--dry-run").text
    status = moltrail.good("--json", "db", "status").json()
    assert (status["acts"], status["records"]["molecules"]) == (1, 0)


def test_rows_not_taken_end_with_1_and_are_named_in_a_file(moltrail, tmp_path):
    (tmp_path / "p.csv").write_text("Name,Stage,Since\nx,Phase 1,2020\ny,Phase 9,2020\nz,Phase 1,31.02.2021\n")
    answer = moltrail("--json", "import", tmp_path / "p.csv", "--quarantine", tmp_path / "q.csv")
    result = answer.json()
    assert answer.code == 1
    assert (result["report"]["accepted"], result["report"]["quarantined"]) == (1, 2)
    assert result["quarantine_file"] == str(tmp_path / "q.csv")
    lines = (tmp_path / "q.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[1] for line in lines] == ["row", "3", "4"]


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"noise " * 10_000, b"PK\x03\x04broken"])
def test_a_file_refused_as_a_whole_ends_with_2(content, moltrail, tmp_path):
    (tmp_path / "p.csv").write_bytes(content)
    answer = moltrail("import", tmp_path / "p.csv")
    assert (answer.code, answer.text) == (2, "")
    assert answer.err.count("\n") == 1
    assert moltrail.good("--json", "db", "status").json()["acts"] == 1


def test_a_folder_without_data_is_refused(moltrail, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "paper.pdf").write_text("nothing here")
    answer = moltrail("import", tmp_path / "empty")
    assert answer.code == 2
    assert "holds no file to import" in answer.err


# ---------------------------------------------------------------- what goes wrong


def test_an_error_of_ours_is_a_reference_not_a_trace(moltrail, monkeypatch, tmp_path):
    def broken(*_):
        raise ZeroDivisionError("a mistake with secret details")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    moltrail.good("db", "upgrade")
    monkeypatch.setattr("pipeline.store.migrations.version_of", broken)
    answer = moltrail("db", "status")
    assert (answer.code, answer.text) == (70, "")
    assert answer.err.startswith("Internal error, reference ")
    assert "secret" not in answer.err
    assert "Traceback" not in answer.err
    (log,) = tmp_path.glob("moltrail-*.log")
    assert "ZeroDivisionError: a mistake with secret details" in log.read_text()
    assert log.name.split("-")[1].removesuffix(".log") in answer.err


def test_an_interruption_ends_with_130(moltrail, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    moltrail.good("db", "upgrade")
    monkeypatch.setattr("pipeline.store.migrations.version_of", interrupted)
    answer = moltrail("db", "status")
    assert (answer.code, answer.text) == (130, "")


def test_tables_hold_no_colour_codes_and_empty_cells_for_none():
    text = table(("name", "n"), [("[bold]x[/bold]", 1), (None, 2)])
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text
    assert "None" not in text

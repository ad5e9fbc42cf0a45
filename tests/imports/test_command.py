"""`moltrail import`: what it says, how it ends, and what it costs beside what is on record."""

from pathlib import Path

from tests.cli.conftest import moltrail
from tests.graphql.conftest import Api
from tests.imports.conftest import sent
from tests.imports.test_hostile_files import REFUSED
from tests.imports.test_studies import PHASE1

__all__ = ["moltrail"]


def test_refused_files_end_with_code_two_and_one_sentence(moltrail, tmp_path):
    for number, (kind, content) in enumerate(REFUSED.items()):
        file = tmp_path / f"{number}.csv"
        file.write_bytes(content)
        done = moltrail("import", file)
        assert (done.code, done.text) == (2, ""), kind
        assert len(done.err.strip().splitlines()) == 1, (kind, done.err)


def test_a_folder_is_taken_as_a_set_and_what_was_left_out_is_said(moltrail, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for name, content in (PHASE1 | {"README.md": b"# A set", "LICENSE.txt": b"MIT", "notes.docx": b"PK"}).items():
        (folder / name).write_bytes(content)
    result = moltrail.good("--json", "import", folder).json()
    assert (result["report"]["format"], result["report"]["rows"]) == ("phase1-dlt", 47)
    said = " ".join(result["report"]["warnings"])
    assert all(name in said for name in ("README.md", "LICENSE.txt", "notes.docx"))
    assert Path(result["quarantine_file"]).read_text("utf-8-sig").startswith("file,row,column,value,reason,kind")


def test_rows_to_mend_or_decide_end_with_code_one_and_a_file_that_names_them(moltrail, tmp_path):
    (tmp_path / "p.csv").write_text(
        "Name,Stage,Since\nAlphol,Phase 1,2020\nBetol,Phase 9,2020\nGammol,Phase 2,03/04/2020\n"
    )
    done = moltrail("import", tmp_path / "p.csv", "--quarantine", tmp_path / "q.csv")
    assert done.code == 1
    assert "reviewItems" in done.text
    lines = (tmp_path / "q.csv").read_text("utf-8-sig").splitlines()
    assert [[*line.split(",")[:2], line.rsplit(",", 1)[1]] for line in lines[1:]] == [
        ["p.csv", "3", "quarantined"],
        ["p.csv", "4", "held"],
    ]


def test_a_small_import_costs_the_same_beside_a_large_record(api: Api, statements):
    costs = []
    sent(api, "first.csv", b"Name,Stage,Since\nFirst,Phase 1,2020\n")  # which reads the state graph, once
    for batch in range(3):
        many = "".join(f"N-{batch}-{n},Name {batch} {n},Phase 1,2020\n" for n in range(300 * batch))
        if many:
            sent(api, "many.csv", f"Code,Name,Stage,Since\n{many}".encode())
        statements.clear()
        sent(api, "few.csv", f"Code,Name,Stage,Since\nS-{batch},Small {batch},Phase 1,2020\n".encode())
        costs.append(len(statements))
    assert len(set(costs)) == 1, costs

"""moltrail export study: a folder or an archive that can be imported again, and what is refused."""

import json
import zipfile

import pytest

PC = """STUDYID,DOMAIN,USUBJID,PCSEQ,PCTESTCD,PCTEST,PCORRES,PCORRESU,PCSTRESC,PCSTRESN,PCSTRESU,PCSPEC,PCTPT,PCTPTNUM
S1,PC,S1-1,1,D7,DRUG-7,12.5,ng/mL,12.5,12.5,ng/mL,PLASMA,1 h,1
S1,PC,S1-2,1,D7,DRUG-7,BLQ,ng/mL,BLQ,,ng/mL,PLASMA,1 h,1
"""


@pytest.fixture
def studied(moltrail, tmp_path):
    """The command line over a record with a small study."""
    file = tmp_path / "pc.csv"
    file.write_text(PC, encoding="utf-8")
    moltrail.good("import", file)
    return moltrail


@pytest.mark.parametrize("format", ["xpt", "dataset-json", "ndjson", "csv", "xlsx"])
def test_what_was_written_can_be_imported_again(format, studied, tmp_path):
    target = tmp_path / "out.zip"
    said = studied.good("--json", "export", "study", "S1", "--format", format, "--output", target).json()
    assert said["rows"]["PC"] == 2
    with zipfile.ZipFile(target) as archive:
        names = set(archive.namelist())
    assert set(said["files"]) == names
    assert ("define.xml" in names) == (format in ("xpt", "dataset-json", "ndjson"))
    found = studied.good("--json", "import", target).json()
    report = found["report"]
    assert (report["format"], report["quarantined"], report["held"]) == ("sdtm", 0, 0)
    assert report["rows"] == sum(said["rows"].values())
    assert (found["records"], found["studies"], found["molecules"]) == ({}, 0, 0)


def test_a_folder_holds_what_it_is_and_the_screen_says_so(studied, tmp_path):
    folder = tmp_path / "out"
    answer = studied.good("export", "study", "S1", "--domains", "pc, dm", "--format", "csv", "-o", folder)
    assert sorted(file.name for file in folder.iterdir()) == ["dm.csv", "pc.csv", "ts.csv"]
    assert f"{folder} is written: " in answer.text
    about = json.loads((tmp_path / "out.about.json").read_text())
    assert about["export"] == "study S1"
    assert about["rows"] == {"TS": about["rows"]["TS"], "DM": 2, "PC": 2}
    assert f"(act {about['act']})" in answer.text
    assert {column["name"] for column in about["columns"]["PC"]} >= {"PCORRES", "PCSTRESN", "PCLLOQ"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["S9"], "no study has the code 'S9'"),
        (["S1", "--domains", "QQ"], "'QQ' is no domain that is exported"),
        (["S1", "--format", "pdf"], "'pdf' is not one of"),
        (["S1", "--known-at", "soon"], "--known-at takes a moment"),
    ],
)
def test_what_cannot_be_exported_leaves_nothing(arguments, said, studied, tmp_path):
    target = tmp_path / "out.zip"
    answer = studied("export", "study", *arguments, "--output", target)
    assert (answer.code, answer.out) == (2, b"")
    assert said in answer.err
    assert not target.exists()


def test_a_place_that_holds_something_is_refused(studied, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    assert "is not an empty folder" in studied("export", "study", "S1", "-o", full).err
    assert "is among the records" in studied("export", "study", "S1", "-o", studied.data / "out").err
    assert "does not exist" in studied("export", "study", "S1", "-o", tmp_path / "no" / "out").err
    assert [file.name for file in full.iterdir()] == ["mine.txt"]


def test_options_may_stand_before_what_is_exported(studied):
    answer = studied.good("export", "--format", "jsonl", "studies")
    assert json.loads(answer.out)["code"] == "S1"

"""A study that is exported and imported again: the same records, in every format, on every engine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM, Centre, utc_now
from pipeline.commands.imports import ImportFiles
from pipeline.commands.monitoring import Entry, LogMonitoring
from pipeline.errors import InputError, NotFound, NotPermitted
from pipeline.exchange.formats import read_files
from pipeline.reports.study_export import FORMATS, StudyAccount, StudyExport, export_study
from pipeline.store import study_tables, tables
from pipeline.store.journal import Act
from tests.support.datasets import dataset
from tests.support.study_content import content, counted

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Files = list[tuple[str, bytes]]


def files_of(folder: Path) -> Files:
    """Return the data files of a folder."""
    endings = {".xpt", ".csv", ".json", ".ndjson", ".xlsx", ".xml"}
    return [(file.name, file.read_bytes()) for file in sorted(folder.iterdir()) if file.suffix in endings]


def brought_in(centre: Centre, files: Files, format: str = "sdtm") -> dict[str, object]:
    """Import files and return the report."""
    with centre.read() as reader:
        _, graph = reader.graphs.in_force(reader.connection)
    reading = read_files(format, files, graph)
    report: dict[str, object] = centre.execute(ImportFiles.of(reading, files, name="study"), actor=SYSTEM).result[
        "report"
    ]
    return report


def studies(centre: Centre) -> list[str]:
    """Return the codes of the studies on record."""
    table = tables.studies
    with centre.database.read() as connection:
        return list(connection.execute(select(table.c.code).where(table.c.until_act.is_(None))).scalars())


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Centre]:
    """Another centre, with nothing on record."""
    with Centre.open(tmp_path / "elsewhere") as opened:
        yield opened


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., tuple[Path, StudyAccount]]:
    """Export a study of a centre to a folder of its own."""

    def write(
        centre: Centre, code: str, format: str, *, actor: Actor = SYSTEM, **more: object
    ) -> tuple[Path, StudyAccount]:
        folder = tmp_path / f"{format}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        wanted = StudyExport(code, format, **more)  # type: ignore[arg-type]
        return folder, export_study(centre, wanted, folder, actor=actor, now=NOW)

    return write


DM = """STUDYID,DOMAIN,USUBJID,RFSTDTC,AGE,AGEU,SEX,ARMCD,ARM
S1,DM,S1-1,2020-01-01,54,YEARS,F,A,DRUG-7 20 mg
S1,DM,S1-2,2020-01-01,61,YEARS,M,P,Placebo
"""
EX = """STUDYID,DOMAIN,USUBJID,EXSEQ,EXTRT,EXDOSE,EXDOSU,EXSTDTC
S1,EX,S1-1,1,DRUG-7,20,mg,2020-01-01T08:00
S1,EX,S1-2,1,PLACEBO,0,mg,2020-01-01T08:00
"""
PC = """STUDYID,DOMAIN,USUBJID,PCSEQ,PCTESTCD,PCTEST,PCORRES,PCORRESU,PCSTRESC,PCSTRESN,PCSTRESU,PCSPEC,PCLLOQ,PCDTC,\
PCTPT,PCTPTNUM
S1,PC,S1-1,1,D7,DRUG-7,<LLOQ,ng/mL,<LLOQ,,ng/mL,PLASMA,0.5,2020-01-01T07:45,Pre-dose,-0.25
S1,PC,S1-1,2,D7,DRUG-7,12.5,ng/mL,12.5,12.5,ng/mL,PLASMA,0.5,2020-01-01T09:00,1 h,1
S1,PC,S1-1,3,D7,DRUG-7,362.3,ng/mL,362.3,362.29999999999995,ng/mL,PLASMA,0.5,2020-01-01T08:05,5 min,0.08333
S1,PC,S1-2,1,D7,DRUG-7,BLQ,ng/mL,BLQ,0,ng/mL,PLASMA,0.5,2020-01-01T09:00,1 h,1
"""
AE = """STUDYID,DOMAIN,USUBJID,AESEQ,AETERM,AESEV,AESER,AESTDTC,AEENDTC
S1,AE,S1-1,1,"=HYPERLINK(""x"")",MILD,N,2020-01,
S1,AE,S1-2,1,SEPSIS,SEVERE,Y,2020-01-05,2020-01-09
"""
SUPPAE = """STUDYID,RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM,QLABEL,QVAL,QORIG
S1,AE,S1-2,AESEQ,1,AETRTEM,Treatment emergent,Y,DERIVED
"""
STUDY = [(f"{name}.csv", text.encode()) for name, text in (("dm", DM), ("ex", EX), ("pc", PC), ("ae", AE))]
STUDY.append(("suppae.csv", SUPPAE.encode()))


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_exported_comes_back_the_same(centre: Centre, elsewhere: Centre, written, format: str) -> None:
    brought_in(centre, STUDY)
    before = content(centre)
    assert counted(centre)["MonitoringRecord"] == 4
    folder, account = written(centre, "S1", format)
    assert account.left_out == {}
    report = brought_in(elsewhere, files_of(folder), "auto")
    assert (report["format"], report["quarantined"]) == ("sdtm", 0)
    assert (report["quarantined"], report["held"], report["duplicates"]) == (0, 0, 0)
    assert report["accepted"] == sum(account.rows.values())
    assert content(elsewhere) == before


@pytest.mark.parametrize("name", ["sdtm-csv", "send-xpt/PC201708", "send-xpt/PDS2014", "dataset-json/sdtm"])
@pytest.mark.parametrize("format", ["xpt", "csv"])
def test_public_studies_come_back_the_same(elsewhere: Centre, tmp_path: Path, written, name: str, format: str) -> None:
    top, _, below = name.partition("/")
    files = files_of(dataset(top) / below)
    with Centre.open(tmp_path / "here") as here:
        brought_in(here, files)
        before = content(here)
        for code in studies(here):
            folder, _ = written(here, code, format)
            brought_in(elsewhere, files_of(folder))
    assert content(elsewhere) == before
    assert len(before["Subject"]) > 10


PHARMACOLOGY = Actor.of("P. Unit", Role.PHARMACOLOGY)
RESEARCHER = Actor.of("R. Searcher", Role.RESEARCHER)
POOLDEF = """STUDYID,POOLID,USUBJID
S1,P1,S1-1
S1,P1,S1-2
S1,P2,S1-2
"""
POOLED = """STUDYID,DOMAIN,USUBJID,POOLID,PCSEQ,PCTESTCD,PCTEST,PCORRES,PCORRESU,PCSTRESC,PCSTRESN,PCSTRESU,PCSPEC,\
VISITDY,PCTPT,PCTPTNUM
S1,PC,S1-1,,1,D7,DRUG-7,5,ng/mL,5,5,ng/mL,PLASMA,1,1 h,1
S1,PC,,P1,1,D7,DRUG-7,6,ng/mL,6,6,ng/mL,PLASMA,1,1 h,1
S1,PC,,P2,1,D7,DRUG-7,7,ng/mL,7,7,ng/mL,PLASMA,1,1 h,1
"""
RELREC = """STUDYID,RDOMAIN,USUBJID,IDVAR,IDVARVAL,RELTYPE,RELID
S1,AE,S1-1,AESEQ,1,,1
S1,PC,S1-1,PCSEQ,1,,1
S1,AE,S1-2,AESEQ,1,,1
"""
WITH_POOLS = [
    *((name, data) for name, data in STUDY if name != "pc.csv"),
    *(("pc.csv", POOLED.encode()), ("pooldef.csv", POOLDEF.encode()), ("relrec.csv", RELREC.encode())),
]


def mark(centre: Centre, who: str, /, **marks: object) -> None:
    """Mark a subject as erased, or as opposed to reuse."""
    table = study_tables.subjects

    def write(act: Act) -> dict[str, int]:
        [row] = act.current(table, table.c.code == who)
        act.revise(table, row, marks)
        return {"subject": row["id"]}

    centre.journal.perform("Mark", write, actor=SYSTEM, now=utc_now())


def everything(folder: Path) -> str:
    """Return all that stands in the files of a folder."""
    return "".join(file.read_text(encoding="utf-8-sig") for file in folder.iterdir())


def test_pools_and_relations_come_back(centre: Centre, elsewhere: Centre, written) -> None:
    brought_in(centre, WITH_POOLS)
    before = content(centre)
    assert {node: len(rows) for node, rows in before.items() if node in ("Pool", "RecordLink", "Qualifier")} == {
        "Pool": 2,
        "RecordLink": 3,
        "Qualifier": 1,
    }
    folder, _ = written(centre, "S1", "ndjson")
    brought_in(elsewhere, files_of(folder))
    assert content(elsewhere) == before


def test_who_may_not_see_pseudonyms_gets_numbers(centre: Centre, written) -> None:
    brought_in(centre, WITH_POOLS)
    folder, account = written(centre, "S1", "csv", actor=RESEARCHER)
    told = everything(folder)
    assert "S1-1" not in told
    assert "S1-2" not in told
    assert '"S0001"' in told
    assert (account.pseudonyms, account.left_out) == (False, {})
    assert account.about["subjects"] == "numbered: their pseudonyms are not to be seen"
    assert '"S1","P0001","S0002"' in told
    assert '"S1","AE","S0001",,"AESEQ","1",,"1"' in told
    folder, account = written(centre, "S1", "csv", actor=PHARMACOLOGY)
    assert account.pseudonyms
    assert '"S1-1"' in everything(folder)


def test_numbered_subjects_come_back_with_the_same_records(centre: Centre, elsewhere: Centre, written) -> None:
    brought_in(centre, WITH_POOLS)
    folder, _ = written(centre, "S1", "csv", actor=RESEARCHER)
    report = brought_in(elsewhere, files_of(folder))
    assert (report["quarantined"], report["held"]) == (0, 0)
    assert counted(elsewhere) == counted(centre)


@pytest.mark.parametrize(
    ("marks", "what"),
    [({"opposed_to_reuse": True}, "subjects opposed to reuse"), ({"erased": True, "code": None}, "subjects erased")],
)
def test_who_was_erased_or_is_opposed_is_left_out_and_counted(centre: Centre, written, marks, what: str) -> None:
    brought_in(centre, WITH_POOLS)
    mark(centre, "S1-2", **marks)
    folder, account = written(centre, "S1", "csv")
    assert "S1-2" not in everything(folder)
    assert "SEPSIS" not in everything(folder)
    assert account.left_out == {
        what: 1,
        "members of pools left out": 1,
        "pools of subjects left out": 1,
        "administrations of subjects left out": 1,
        "concentrations of subjects left out": 1,
        "adverse events of subjects left out": 1,
        "relations of subjects left out": 1,
    }
    assert account.rows["DM"] == 1
    assert account.rows["PC"] == 2


def test_what_a_subject_asked_for_holds_for_earlier_moments(centre: Centre, written) -> None:
    brought_in(centre, WITH_POOLS)
    before = utc_now()
    mark(centre, "S1-2", opposed_to_reuse=True)
    folder, account = written(centre, "S1", "csv", known_at=before)
    assert account.left_out["subjects opposed to reuse"] == 1
    assert "S1-2" not in everything(folder)


def test_what_was_retracted_or_rejected_stays_here(centre: Centre, written) -> None:
    brought_in(centre, STUDY)
    table = study_tables.monitoring_records

    def write(act: Act) -> dict[str, int]:
        first, second, *_ = act.current(table)
        act.revise(table, first, {"state": "RETRACTED"})
        act.revise(table, second, {"state": "VERIFIED", "verified_by": "Ben"})
        return {}

    centre.journal.perform("Mark", write, actor=SYSTEM, now=NOW)
    folder, account = written(centre, "S1", "csv", domains=("PC", "SUPP"))
    assert account.left_out == {"concentrations retracted or rejected": 1}
    assert account.rows["PC"] == 3
    assert "MTSTATE" in everything(folder)
    assert "Ben" not in everything(folder)


@pytest.mark.parametrize("format", ["csv", "xpt"])
def test_retests_come_back_and_verification_stays_with_who_verified(
    centre: Centre, elsewhere: Centre, written, format: str
) -> None:
    brought_in(centre, STUDY)
    table = study_tables.monitoring_records
    wanted = select(table.c.reported, table.c.retest_of, table.c.state, table.c.id).order_by(table.c.id)
    with centre.database.read() as connection:
        record = connection.execute(select(table).where(table.c.reported == "12.5")).mappings().one()
    of = {name: record[name] for name in ("analyte", "specimen")}
    molecule, study, first = record["molecule_id"], record["study_id"], record["id"]
    unit = Actor.of("Ana", Role.PHARMACOLOGY)
    for reported in ("13.0", "13.5"):  # each measures again what came before it
        entry = Entry(molecule, study, reported=reported, unit="ng/mL", subject="S1-1", retest_of=first, **of)
        first = centre.execute(LogMonitoring((entry,)), actor=unit).result["first"]

    def verify(act: Act) -> dict[str, int]:
        act.revise(table, act.find(table, first), {"state": "VERIFIED", "verified_by": "Ben"})
        return {}

    centre.journal.perform("Mark", verify, actor=SYSTEM, now=utc_now())
    folder, _ = written(centre, "S1", format)
    report = brought_in(elsewhere, files_of(folder), "auto")
    assert "1 concentrations had been verified where they were exported" in str(report["warnings"])
    with elsewhere.database.read() as connection:
        rows = {row.reported: row for row in connection.execute(wanted)}
    assert (rows["13.0"].retest_of, rows["13.5"].retest_of) == (rows["12.5"].id, rows["13.0"].id)
    assert {row.state for row in rows.values()} == {"REGISTERED"}
    assert brought_in(elsewhere, files_of(folder), "auto")["accepted"] == 0


def test_an_export_is_an_act_that_says_what_was_taken(centre: Centre, written) -> None:
    brought_in(centre, STUDY)
    folder, account = written(centre, "S1", "xpt", actor=PHARMACOLOGY, domains=("DM", "PC", "SUPP"), recomputed=True)
    assert sorted(account.files) == ["define.xml", "dm.xpt", "pc.xpt", "supppc.xpt", "ts.xpt"]
    assert account.rows["PC"] == 4
    with centre.database.read() as connection:
        act = connection.execute(select(tables.acts).order_by(tables.acts.c.number.desc()).limit(1)).mappings().one()
    assert (act["number"], act["command"], act["actor"]) == (account.act, "ExportStudy", "P. Unit")
    said = orjson.loads(act["result"])
    assert (said["study"], said["format"], said["rows"], said["files"]) == ("S1", "xpt", account.rows, account.files)
    assert (said["pseudonyms"], said["left_out"], said["recomputed"]) == (True, {}, True)
    assert account.files["pc.xpt"] == hashlib.sha256((folder / "pc.xpt").read_bytes()).hexdigest()
    assert centre.verify().intact


def test_who_may_not_export_takes_nothing(centre: Centre, written) -> None:
    brought_in(centre, STUDY)
    with pytest.raises(NotPermitted):
        written(centre, "S1", "csv", actor=Actor("nobody", ()))
    with pytest.raises(NotFound, match="no study has the code 'S9'"):
        written(centre, "S9", "csv")
    with pytest.raises(InputError, match="no format for studies"):
        written(centre, "S1", "pdf")
    with pytest.raises(InputError, match="no domain that is exported"):
        written(centre, "S1", "csv", domains=("QQ",))


def test_recomputed_parameters_stand_beside_reported_ones_and_are_no_records(
    centre: Centre, elsewhere: Centre, written
) -> None:
    points = "\n".join(
        f"S1,PC,S1-1,,{number},D7,DRUG-7,{value},ng/mL,{value},{value},ng/mL,PLASMA,1,{hours} h,{hours}"
        for number, (hours, value) in enumerate([(1, 80), (2, 64), (4, 32), (8, 8), (12, 2)], start=1)
    )
    pc = POOLED.splitlines()[0] + "\n" + points + "\n"
    brought_in(centre, [*((name, data) for name, data in STUDY if name != "pc.csv"), ("pc.csv", pc.encode())])
    before = content(centre)
    folder, account = written(centre, "S1", "csv", recomputed=True)
    pp = (folder / "pp.csv").read_text(encoding="utf-8-sig")
    assert '"CMAX"' in pp
    assert account.rows["PP"] == (folder / "supppp.csv").read_text().count("Computed here")
    assert "D1_nca" in (folder / "supppp.csv").read_text()
    report = brought_in(elsewhere, files_of(folder))
    assert report["accepted"] == sum(account.rows.values())
    assert content(elsewhere) == before

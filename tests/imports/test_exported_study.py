"""A study that is exported and imported again: the same records, in every format, on every engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.access import Actor
from pipeline.centre import SYSTEM, Centre
from pipeline.commands.imports import ImportFiles
from pipeline.exchange.formats import read_files
from pipeline.reports.study_export import FORMATS, StudyAccount, StudyExport, export_study
from pipeline.store import tables
from tests.graphql.conftest import centre
from tests.support.datasets import dataset
from tests.support.study_content import content, counted

__all__ = ["centre"]

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

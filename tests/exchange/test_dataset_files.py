"""Files of every kind opened together."""

import io
import zipfile
from datetime import datetime

import openpyxl
import pytest

from pipeline.errors import FileRefused
from pipeline.exchange.archives import unpack
from pipeline.exchange.dataset_csv_write import write_csv
from pipeline.exchange.dataset_files import open_datasets, sources_of
from pipeline.exchange.dataset_json_write import JsonForm, write_dataset_json
from pipeline.exchange.dataset_table import ColumnType, DataColumn, DataSet, Source, difference, made
from pipeline.exchange.define_xml_write import Defined, Standard, write_define
from pipeline.exchange.xpt_write import write_xpt
from tests.support.datasets import dataset

NOON = datetime(2026, 11, 24, 12, 0, 0)
COLUMNS = [
    DataColumn("USUBJID", "Subject", key=1),
    DataColumn("PCSEQ", "Sequence", ColumnType.NUMBER),
    DataColumn("PCSTRESN", "Result", ColumnType.NUMBER),
    DataColumn("PCSTRESU", "Unit"),
]
ROWS = [("S-1", 1, 362.29999999999995, "µg/mL"), ("S-2", 2, None, None), ("S-3", 3, 1e-7, "ng/mL")]


def table() -> DataSet:
    return made("PC", COLUMNS, lambda: iter(ROWS), label="Concentrations")


def in_every_format() -> dict[str, bytes]:
    files = {}
    transport = io.BytesIO()
    write_xpt(transport, [table()], created=NOON)
    files["pc.xpt"] = transport.getvalue()
    for form in JsonForm:
        out = io.BytesIO()
        write_dataset_json(out, table(), created=NOON, form=form)
        files[f"pc.{form}"] = out.getvalue()
    out = io.BytesIO()
    write_csv(out, table())
    files["pc.csv"] = out.getvalue()
    book = openpyxl.Workbook()
    book.active.append([column.name for column in COLUMNS])
    for row in ROWS:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    files["pc.xlsx"] = out.getvalue()
    return files


def define() -> bytes:
    out = io.BytesIO()
    described = [Defined(table(), "One record per sample", "FINDINGS", "pc.xpt")]
    write_define(out, described, created=NOON, study="ST-1", description="Study", standard=Standard("SDTMIG", "3.4"))
    return out.getvalue()


def test_the_same_content_is_the_same_data_set_in_every_format():
    sources = [Source.of(name, content) for name, content in in_every_format().items()]
    opened = open_datasets(sources)
    assert [one.format for one in opened.datasets] == [
        "xpt5",
        "dataset-json 1.1",
        "dataset-ndjson 1.1",
        "dsjc 1.1",
        "csv",
        "xlsx",
    ]
    for one in opened.datasets:
        assert difference(table(), one) is None
        assert one.name == "PC"
    first, *others = opened.datasets
    rows = [chunk.texts("PCSTRESN") for chunk in first.chunks()]
    assert rows == [["362.3", None, "1e-07"]]
    for other in others:
        assert [chunk.texts("PCSTRESN") for chunk in other.chunks()] == rows
        assert [list(chunk.rows) for chunk in other.chunks()] == [[2, 3, 4]]


def test_a_define_file_tells_labels_and_keys_to_data_without_them():
    opened = open_datasets([Source.of("define.xml", define()), Source.of("pc.csv", in_every_format()["pc.csv"])])
    [one] = opened.datasets
    assert (one.label, [(c.label, c.key) for c in one.columns]) == (
        "Concentrations",
        [("Subject", 1), ("Sequence", None), ("Result", None), ("Unit", None)],
    )
    assert opened.defines[0].study == "ST-1"


def test_files_on_disk_are_opened_as_well(tmp_path):
    for name, content in in_every_format().items():
        (tmp_path / name).write_bytes(content)
        [one] = open_datasets([Source.of(name, tmp_path / name)]).datasets
        assert difference(table(), one) is None


def test_an_archive_of_a_study():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("study/pc.xpt", in_every_format()["pc.xpt"])
        archive.writestr("study/define.xml", define())
        archive.writestr("study/define2-1.xsl", "<xsl:stylesheet/>")
        archive.writestr("study/README.md", "read me")
    files, left_out = unpack([("study.zip", packed.getvalue())])
    opened = open_datasets(sources_of(files))
    assert [one.name for one in opened.datasets] == ["PC"]
    assert opened.warnings == ["define2-1.xsl was left out, as it is no data."]
    assert left_out == ["left out, as they are not data: README.md."]


def test_cells_of_a_workbook_without_a_value_quarantine_their_row():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "PC"
    for row in (["USUBJID", "PCSEQ"], ["S-1", 1], ["S-2", "=1+1"], ["S-3", "#N/A"], ["S-4", 4]):
        sheet.append(row)
    other = book.create_sheet("EX")
    other.append(["USUBJID", "EXDOSE"])
    out = io.BytesIO()
    book.save(out)
    found = open_datasets([Source.of("study.xlsx", out.getvalue())]).datasets
    assert [(one.name, one.place, one.records) for one in found] == [
        ("PC", "study.xlsx[PC]", 4),
        ("EX", "study.xlsx[EX]", 0),
    ]
    [chunk] = found[0].chunks()
    assert (chunk.texts("USUBJID"), list(chunk.rows)) == (["S-1", "S-4"], [2, 5])
    assert [(row.place.row, row.column) for row in chunk.bad] == [(3, "PCSEQ"), (4, "PCSEQ")]
    [empty] = found[1].chunks()
    assert (len(empty), empty.texts("EXDOSE")) == (0, [])


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "there is no data set in nothing"),
        ([("define.xml", define())], r"there is no data set in define\.xml"),
        ([("notes.pdf", b"%PDF-1.7"), ("a.md", b"x")], r"there is no data set in notes\.pdf, a\.md"),
        ([("notes.pdf", b"%PDF-1.7")], "is a PDF"),
        ([("pc.sas7bdat", b"\x00" * 12 + b"\xc2\xea\x81\x60" + b"\x00\x01\x02" * 200)], "not text"),
        ([("pc.xpt", b"")], "is empty"),
    ],
)
def test_files_without_data_are_refused(files, said):
    with pytest.raises(FileRefused, match=said):
        open_datasets([Source.of(name, content) for name, content in files])


def test_the_folders_of_real_studies():
    for folder, count in (
        ("send-xpt/PDS2014", 14),
        ("send-xpt/PC201708", 7),
        ("dataset-json/sdtm", 7),
        ("sdtm-csv", 10),
    ):
        paths = sorted((dataset(folder.partition("/")[0]).parent / folder).iterdir())
        sources = [Source.of(path.name, path) for path in paths if path.suffix not in (".txt", ".md")]
        opened = open_datasets(sources)
        assert len(opened.datasets) == count
        for one in opened.datasets:
            rows = sum(len(chunk) + len(chunk.bad) for chunk in one.chunks())
            assert one.records in (rows, None)
    [described] = [one for one in open_datasets([Source.of(p.name, p) for p in _of_pds()]).datasets if one.name == "PC"]
    assert described.label == "Pharmacokinetic Concentrations"


def _of_pds():
    folder = dataset("send-xpt") / "PDS2014"
    return [folder / "define.xml", folder / "pc.xpt"]

"""Dataset-JSON in and out: every form of it, and everything that can be wrong with it."""

import gzip
import io
import json
import zlib
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused, InputError
from pipeline.exchange.dataset_json import is_dataset_json, read_dataset_json
from pipeline.exchange.dataset_json_write import JsonForm, write_dataset_json
from pipeline.exchange.dataset_table import CHUNK_ROWS, ColumnType, DataColumn, DataSet, Source, difference, made
from pipeline.exchange.xpt import read_xpt
from pipeline.exchange.xpt_write import write_xpt
from tests.support.datasets import dataset

NOON = datetime(2026, 11, 24, 12, 0, 0)
NUMBER = ColumnType.NUMBER
COLUMNS = [
    DataColumn("USUBJID", "Subject", key=1, data_type="string"),
    DataColumn("PCSEQ", "Sequence", NUMBER, key=2, data_type="integer"),
    DataColumn("PCSTRESN", "Result", NUMBER, format="8.2", data_type="float"),
    DataColumn("PCDTC", "Time", data_type="datetime"),
]
ROWS = [("S-1", 1, 362.3, "2026-01-02T08:00"), ("S-2", 2, None, None), ('"S],[-3\\', 3, -1e-07, "2026")]

printed = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=20)
tables = st.lists(
    st.tuples(
        st.none() | printed,
        st.none() | st.integers(-(10**14), 10**14),
        st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32),
        st.none() | printed,
    ),
    max_size=6,
)


def table(rows=ROWS, columns=COLUMNS) -> DataSet:
    return made("PC", columns, lambda: iter(rows), label="Concentrations", study="ST-1")


def written(one: DataSet, form=JsonForm.JSON, **options) -> bytes:
    out = io.BytesIO()
    write_dataset_json(out, one, created=NOON, form=form, **options)
    return out.getvalue()


def read(content: bytes) -> DataSet:
    [found] = read_dataset_json(Source.of("pc.json", content))
    return found


def texts(one: DataSet) -> list[tuple]:
    return [
        row for chunk in one.chunks() for row in zip(*(chunk.texts(at) for at in range(len(one.columns))), strict=True)
    ]


def bad_rows(one: DataSet) -> list:
    return [row for chunk in one.chunks() for row in chunk.bad]


def document(rows, columns=None, **changes) -> bytes:
    about = {
        "datasetJSONCreationDateTime": "2026-01-01T00:00:00",
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": "IG.PC",
        "records": len(rows),
        "name": "PC",
        "label": "Concentrations",
        "columns": columns or [column("A", "string"), column("B", "float")],
        **changes,
        "rows": rows,
    }
    return json.dumps({name: value for name, value in about.items() if value is not None}).encode()


def column(name, data_type, **more):
    return {"itemOID": f"IT.{name}", "name": name, "label": name.lower(), "dataType": data_type, **more}


# ------------------------------------------------------------------------------------------------- there and back


@settings(max_examples=60)
@given(tables, st.sampled_from(JsonForm))
def test_what_is_written_is_read(rows, form):
    one = table(rows)
    content = written(one, form)
    assert is_dataset_json(content[:4000])
    found = read(content)
    assert difference(one, found) is None
    assert difference(found, one) is None
    assert [(c.name, c.label, c.type, c.key) for c in found.columns] == [
        (c.name, c.label, c.type, c.key) for c in COLUMNS
    ]
    assert written(found, form) == content


def test_what_the_header_says():
    found = read(written(table(), define="define.xml"))
    assert (found.name, found.label, found.study, found.records) == ("PC", "Concentrations", "ST-1", 3)
    assert found.format == "dataset-json 1.1"
    assert found.details == {
        "created": "2026-11-24T12:00:00",
        "data set id": "IG.PC",
        "metadata": "define.xml",
        "source system": f"Moltrail {_version()}",
    }
    assert [(c.data_type, c.length, c.format) for c in found.columns] == [
        ("string", 8, ""),
        ("integer", None, ""),
        ("float", None, "8.2"),
        ("datetime", None, ""),
    ]
    assert [row for chunk in found.chunks() for row in chunk.rows] == [2, 3, 4]
    assert texts(found) == [
        ("S-1", "1", "362.3", "2026-01-02T08:00"),
        ("S-2", "2", None, None),
        ('"S],[-3\\', "3", "-1e-07", "2026"),
    ]


def _version():
    from pipeline import __version__

    return __version__


@pytest.mark.parametrize("form", JsonForm)
def test_many_rows_come_in_pieces(form):
    rows = [(f"S-{n}", n, n / 7, None) for n in range(CHUNK_ROWS * 2 + 5)]
    found = read(written(table(rows), form))
    assert [len(chunk) for chunk in found.chunks()] == [CHUNK_ROWS, CHUNK_ROWS, 5]
    assert difference(found, table(rows)) is None


def test_every_format_gives_the_same():
    out = io.BytesIO()
    write_xpt(out, [table()], created=NOON)
    [transported] = read_xpt(Source.of("pc.xpt", out.getvalue()))
    for form in JsonForm:
        assert difference(transported, read(written(table(), form))) is None


def test_a_type_that_does_not_fit_is_replaced():
    one = table(
        [("x", 1.5, "0.10", "true")],
        [
            DataColumn("A", data_type="integer"),
            DataColumn("B", type=NUMBER, data_type="integer"),
            DataColumn("C", type=NUMBER, data_type="decimal"),
            DataColumn("D", data_type="boolean"),
        ],
    )
    content = written(one)
    assert json.loads(content)["rows"] == [["x", 1.5, "0.1", True]]
    assert [c["dataType"] for c in json.loads(content)["columns"]] == ["string", "float", "decimal", "boolean"]
    assert json.loads(content)["columns"][2]["targetDataType"] == "decimal"
    assert texts(read(content)) == [("x", "1.5", "0.1", "true")]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (table([("maybe",)], [DataColumn("A", data_type="boolean")]), "'maybe' is neither true nor false"),
        (table([], []), "needs a name and columns"),
        (table([], [DataColumn("A"), DataColumn("a")]), "column A stands twice"),
        (table([], [DataColumn("")]), "a column has no name"),
    ],
)
def test_what_cannot_be_written_is_refused(one, said):
    with pytest.raises(InputError, match=said):
        written(one)


# ------------------------------------------------------------------------------------------------- cells


def test_cells_are_what_their_column_declares():
    columns = [
        column("T", "string"),
        column("I", "integer"),
        column("F", "double"),
        column("D", "decimal", targetDataType="decimal"),
        column("B", "boolean"),
        column("U", "URI"),
    ]
    rows = [
        [" a\r\nb ", 7, 362.29999999999995, "1,234.50", True, "urn:x"],
        ["", None, None, None, None, None],
        ["NA", 12345678901234567, 1e300, "-0.5", False, ""],
    ]
    found = read(document(rows, columns))
    assert texts(found) == [
        ("a\nb", "7", "362.3", "1234.50", "true", "urn:x"),
        (None,) * 6,
        ("NA", "1.23456789012346e+16", "1e+300", "-0.5", "false", None),
    ]
    [chunk] = found.chunks()
    assert chunk.numbers("D") == [1234.5, None, -0.5]
    assert chunk.numbers("F") == [362.3, None, 1e300]
    assert chunk.warnings == ()


def test_what_is_not_of_its_type_is_kept_and_told():
    found = read(document([[1, "BLQ"], [2.5, "3"], ["x", True], ["y", 1]]))
    assert texts(found) == [("1", "BLQ"), ("2.5", "3"), ("x", "true"), ("y", "1")]
    [chunk] = found.chunks()
    assert chunk.numbers("B") == [None, 3.0, None, 1.0]
    assert chunk.warnings == (
        "pc.json, A: 2 cell(s) are not of the type the file declares; kept as they are written.",
        "pc.json, B: 2 cell(s) are not of the type the file declares; kept as they are written.",
    )


def test_commas_are_thousands_only_where_they_group_three_digits():
    rows = [["1,234,567.5"], ["1,5"], ["12,34"], ["-0,123"], ["1.5"]]
    [chunk] = read(document(rows, [column("D", "decimal")])).chunks()
    assert chunk.texts("D") == ["1234567.5", "1,5", "12,34", "-0,123", "1.5"]
    assert chunk.numbers("D") == [1234567.5, None, None, None, 1.5]
    assert chunk.warnings == ("pc.json, D: 3 cell(s) are not of the type the file declares; kept as they are written.",)


def test_attributes_in_any_order_are_recognised():
    about = dict(reversed(json.loads(document([["a", 1]] * 2000)).items()))
    assert is_dataset_json(json.dumps(about).encode()[:8192])


@pytest.mark.parametrize("as_lines", [False, True])
def test_rows_that_do_not_fit_are_quarantined(as_lines):
    rows = [["a", 1], ["b"], ["c", 1, 2], ["d\x00", 1], ["e", 2]]
    content = document(rows)
    if as_lines:
        about = json.loads(content)
        del about["rows"]
        content = b"\n".join([json.dumps(about).encode(), *(json.dumps(row).encode() for row in rows)])
    found = read(content)
    assert texts(found) == [("a", "1"), ("e", "2")]
    assert [(row.place.row, row.column) for row in bad_rows(found)] == [(3, None), (4, None), (5, "A")]
    assert bad_rows(found)[0].reason == "the row has 1 values where the file describes 2 columns"
    assert [row for chunk in found.chunks() for row in chunk.rows] == [2, 6]


def test_broken_rows_are_quarantined_one_by_one():
    content = document([["a", 1], ["b", 2], ["c", 3]]).replace(b"2]", b"tru]")
    for changed in (content, written(table(), JsonForm.NDJSON).replace(b'"S-2",2', b'"S-2",oops')):
        found = read(changed)
        [row] = bad_rows(found)
        assert row.place.row == 3
        assert row.reason.startswith("the row is no JSON")
        assert [row for chunk in found.chunks() for row in chunk.rows] == [2, 4]


def test_a_list_inside_a_row_of_lines_is_quarantined():
    lines = written(table(), JsonForm.NDJSON).replace(b'"S-2"', b'["S-2"]')
    [row] = bad_rows(read(lines))
    assert (row.place.row, row.column) == (3, "USUBJID")
    objects = written(table(), JsonForm.NDJSON).replace(b'["S-2",2,null,""]', b'{"USUBJID":"S-2"}')
    assert bad_rows(read(objects))[0].reason == "the row is no list of values"


# ------------------------------------------------------------------------------------------------- layout


def test_white_space_and_order_do_not_matter():
    about = json.loads(document([["a", 1.5], ["b", None]]))
    pretty = json.dumps(dict(reversed(about.items())), indent=2).encode()
    assert texts(read(b"\xef\xbb\xbf" + pretty)) == [("a", "1.5"), ("b", None)]
    assert texts(read(pretty.replace(b"\n", b"\r\n"))) == [("a", "1.5"), ("b", None)]


def test_extensions_of_a_sponsor_are_passed_over():
    found = read(document([["a", 1]], sponsor={"rows": [["x"]], "deep": [{"itemData": [1]}]}))
    assert texts(found) == [("a", "1")]


def test_a_file_of_metadata_only():
    about = json.loads(document([]))
    del about["rows"]
    for content in (json.dumps(about), json.dumps(about) + "\n", json.dumps(about, indent=1)):
        found = read(content.encode())
        assert (found.records, texts(found)) == (0, [])


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_compressed_files_are_zlib_or_gzip(pack):
    content = pack(written(table(), JsonForm.NDJSON))
    assert is_dataset_json(content)
    found = read(content)
    assert found.format == "dsjc 1.1"
    assert difference(found, table()) is None


def version_1_0(rows=((1, "S-1", 1.5), (2, "S-2", None)), **changes) -> bytes:
    group = {
        "records": len(rows),
        "name": "PC",
        "label": "Concentrations",
        "items": [
            {"OID": "ITEMGROUPDATASEQ", "name": "ITEMGROUPDATASEQ", "label": "Record Identifier", "type": "integer"},
            {"OID": "IT.A", "name": "A", "label": "a", "type": "string", "length": 3, "keySequence": 1},
            {"OID": "IT.B", "name": "B", "label": "b", "type": "float"},
        ],
        "itemData": rows,
        **changes,
    }
    return json.dumps(
        {
            "creationDateTime": "2023-03-22T11:53:27",
            "datasetJSONVersion": "1.0.0",
            "clinicalData": {"studyOID": "ST-1", "itemGroupData": {"IG.P\u00c7": group}},
            "referenceData": {"itemGroupData": {"IG.TS": {**group, "name": "TS"}}},
        }
    ).encode()


def test_version_1_0_has_several_data_sets_and_numbered_rows():
    found = read_dataset_json(Source.of("all.json", version_1_0()))
    assert [(one.name, one.study, one.format) for one in found] == [
        ("PC", "ST-1", "dataset-json 1.0"),
        ("TS", "", "dataset-json 1.0"),
    ]
    for one in found:
        assert [c.name for c in one.columns] == ["A", "B"]
        assert texts(one) == [("S-1", "1.5"), ("S-2", None)]
    assert (found[0].columns[0].length, found[0].columns[0].key) == (3, 1)
    assert found[0].details["created"] == "2023-03-22T11:53:27"


# ------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("form", JsonForm)
def test_truncation_at_any_byte_is_one_refusal(form):
    content = written(table(), form)
    last = {JsonForm.JSON: content.rindex(b"}") + 1, JsonForm.NDJSON: len(content) - 1, JsonForm.DSJC: len(content)}
    for end in range(len(content)):
        if end >= last[form]:
            assert difference(read(content[:end]), table()) is None
        else:
            with pytest.raises(FileRefused, match=r"^pc\.json"):
                read(content[:end])


@settings(max_examples=60)
@given(st.data(), st.sampled_from(JsonForm))
def test_damage_is_refused_or_quarantined_and_never_a_crash(data, form):
    content = bytearray(written(table(), form))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_dataset_json(Source.of("pc.json", bytes(content)))
        for one in found:
            assert sum(len(chunk) + len(chunk.bad) for chunk in one.chunks()) == one.records
    except FileRefused:
        pass


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_noise_is_refused(noise):
    with pytest.raises(FileRefused):
        read(noise)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no JSON"),
        (b"[1]", "does not begin with an object"),
        (b'{"a":1}', "does not say datasetJSONVersion"),
        (b'{"datasetJSONVersion":"2.0.0"}', "is Dataset-JSON 2.0.0"),
        (document([["a", 1]], records=2), "states 2 records of PC and holds 1"),
        (document([["a", 1]], records=None), "records is not the number"),
        (document([["a", 1]], records=True), "records is not the number"),
        (document([["a", 1]], records=-1), "records is not the number"),
        (document([["a", 1]], name=""), "has no name"),
        (document([["a", 1]], name="P\x00"), "name holds control characters"),
        (document([], columns=[3]), "column 1 is not described"),
        (document([], columns={"a": 1}), "columns is not a list"),
        (document([], columns=[column("A", "blob")]), "'blob' is none of"),
        (document([], columns=[column("A", ["string"])]), "is none of"),
        (document([], columns=[column("A", "string"), column("a", "string")]), "the column A twice"),
        (document([], columns=[{"dataType": "string"}]), "column 1 has no name"),
        (document([["a", [1]]]), "record 1 is no list of plain values"),
        (document([["a", 1], {"A": 1}]), "record 2 is no list of plain values"),
        (document([]).replace(b'"rows": []', b'"rows": {}'), "rows is no list"),
        (document([]).replace(b'"name": "PC"', b'"name": "PC", "name": "EX"'), "'name' stands twice"),
        (document([["a", 1]])[:-1] + b', "rows": []}', "'rows' stands twice"),
        (document([]).replace(b'"records": 0', b'"records": NaN'), "NaN is no number"),
        (document([]).replace(b'"PC"', b'"P\xff"'), "is not UTF-8"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, "nested too deeply"),
        (b'{"a":' + b"[" * 100_000, "nested too deeply"),
        (b'{"a":"' + b"x" * 30_000_000, "more than 20,000,000 bytes"),
        (b'{"a":1,' * 4_000, "nested too deeply"),
        (b'{"a":[' + b"1," * 500_000, "more beside its rows than a data set can need"),
        (document([["x" * 10_000_000, 1]]), "record 1 is no list"),
        (document([["a", 1]]) + b" {}", "is no JSON: Extra data"),
        (zlib.compress(document([])[:40]), "is no JSON"),
        (zlib.compress(written(table(), JsonForm.NDJSON)) + b"x", "something behind"),
        (zlib.compress(document([["a", 1]])), "is a compressed document"),
        (zlib.compress(b'{"a":"' + b"x" * 60_000_000), "unpacks to more than 200 times"),
        (version_1_0(records=5), "states 5 records"),
        (version_1_0(itemData=[[1, "a"]] * 2)[:-20], "is no JSON|cut off"),
        (version_1_0(items=[{"name": "ITEMGROUPDATASEQ", "type": "integer"}]), "no columns of data"),
        (b'{"datasetJSONVersion":"1.0.0"}', "neither clinicalData nor referenceData"),
        (b'{"datasetJSONVersion":"1.0.0","clinicalData":[]}', "clinicalData has no itemGroupData"),
        (b'{"datasetJSONVersion":"1.0.0","clinicalData":{"itemGroupData":{"x":1}}}', "that is no object"),
        (b'{"datasetJSONVersion":"1.0.0"}\n[1]\n', "which begins with version 1.1"),
    ],
)
def test_a_refusal_says_what_is_wrong(content, said):
    with pytest.raises(FileRefused, match=said):
        read(content)


def test_a_line_without_end_is_refused():
    with pytest.raises(FileRefused, match="a row of 8,000,000 bytes or more"):
        read(written(table(), JsonForm.NDJSON) + b"[" + b" " * 9_000_000)


@pytest.mark.parametrize("start", [b"", b"STUDYID,DOMAIN", b'{"studies":[]}', b"x\x9c", b"\x1f\x8bxx", b"80,H,n"])
def test_other_files_are_not_taken_for_dataset_json(start):
    assert not is_dataset_json(start)


# ------------------------------------------------------------------------------------------------- real files


def test_every_real_file_reads_as_the_plain_parser_reads_it():
    folder = dataset("dataset-json") / "sdtm"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["ae.dsjc", "ae.json", "ae.ndjson", "dm.json", "ds.json", "ex.json", "ts.json"]
    for name in names:
        found = read_dataset_json(Source.of(name, folder / name))[0]
        plain = json.loads((folder / f"{name[:2]}.json").read_bytes())
        expected = [tuple(None if cell in ("", None) else str(cell) for cell in row) for row in plain["rows"]]
        assert texts(found) == expected
        assert not bad_rows(found)
        assert (found.name, found.label, found.records) == (plain["name"], plain["label"], plain["records"])
        for form in JsonForm:
            assert difference(found, read(written(found, form))) is None

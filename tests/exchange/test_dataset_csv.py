"""Data sets in CSV: any size, encoding and habit of writing that there is nothing."""

import io
from contextlib import suppress
from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused
from pipeline.exchange.dataset_csv import read_csv
from pipeline.exchange.dataset_csv_write import write_csv
from pipeline.exchange.dataset_table import (
    CHUNK_ROWS,
    ColumnType,
    DataColumn,
    DataSet,
    Source,
    TypeOrigin,
    difference,
    made,
)
from pipeline.exchange.xpt import read_xpt
from pipeline.exchange.xpt_write import write_xpt
from tests.support.datasets import dataset

COLUMNS = [DataColumn("USUBJID"), DataColumn("PCSTRESN", type=ColumnType.NUMBER), DataColumn("PCROUTE")]

printed = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=12)
awkward = st.sampled_from(["NA", ".", "=1+1", "'=1+1", '="NA"', "-5", "@x", 'a"b', "a,b", "a\nb", "sep=;", "'", "''=1"])
texts_or_none = st.none() | printed | awkward


def read(content: bytes, place="pc.csv") -> DataSet:
    return read_csv(Source.of(place, content))


def texts(one: DataSet) -> list[tuple]:
    return [
        row for chunk in one.chunks() for row in zip(*(chunk.texts(n) for n in range(len(one.columns))), strict=True)
    ]


def rows_of(one: DataSet) -> list[int]:
    return [row for chunk in one.chunks() for row in chunk.rows]


def bad_rows(one: DataSet) -> list:
    return [row for chunk in one.chunks() for row in chunk.bad]


def written(one: DataSet) -> bytes:
    out = io.BytesIO()
    write_csv(out, one)
    return out.getvalue()


@settings(max_examples=60)
@given(st.lists(st.tuples(texts_or_none, st.none() | st.floats(-1e9, 1e9), texts_or_none), max_size=6))
def test_what_is_written_is_read(rows):
    one = made("PC", COLUMNS, lambda: iter(rows))
    found = read(written(one))
    assert difference(one, found) is None


def test_a_spreadsheet_computes_nothing_that_is_written():
    one = made(
        "PC", [DataColumn("A"), DataColumn("B", type=ColumnType.NUMBER)], lambda: iter([("=1+1", -5), ("+x", 1)])
    )
    assert written(one) == b'\xef\xbb\xbfA,B\r\n"\'=1+1",-5\r\n"\'+x",1\r\n'


def test_columns_have_no_type_of_their_own():
    found = read(b"USUBJID,PCSEQ\nS-1,1\n", "folder/pc.csv")
    assert (found.name, found.format, found.records) == ("PC", "csv", None)
    assert [(c.name, c.type, c.type_origin) for c in found.columns] == [
        ("USUBJID", ColumnType.TEXT, TypeOrigin.ABSENT),
        ("PCSEQ", ColumnType.TEXT, TypeOrigin.ABSENT),
    ]
    [chunk] = found.chunks()
    assert chunk.numbers("PCSEQ") == [1.0]
    assert chunk.texts("PCSEQ") == ["1"]


def test_what_stands_for_missing():
    found = read(b"A,B,C\nNA,.,\nx,0.10,N/A\n  , NA ,-\n")
    assert texts(found) == [(None, None, None), ("x", "0.10", "N/A"), (None, None, "-")]


def test_marks_tell_the_text_from_the_missing_value():
    found = read(b'"A","B"\n"NA",NA\n"x",1\n')
    assert texts(found) == [("NA", None), ("x", "1")]
    everywhere = read(b'"A","B"\n"NA","NA"\n"x","1"\n')
    assert texts(everywhere) == [(None, None), ("x", "1")]


def test_not_available_is_a_code_among_codes():
    found = read(b"LBTESTCD,LBORRES,COUNTRY\nNA,NA,NA\n,140, NA \n")
    assert texts(found) == [("NA", None, "NA"), (None, "140", "NA")]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them():
    found = read(b"Study 12\n\nA,B\nx,1\n\n,\ny,2\n")
    assert texts(found) == [("x", "1"), ("y", "2")]
    assert rows_of(found) == [4, 7]
    assert "above the heading" in found.warnings[0]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_any_separator(sign):
    assert texts(read(f"A{sign}B\nx y{sign}1,5\n".replace("1,5", "15").encode())) == [("x y", "15")]


def test_a_separator_told_on_the_first_line():
    assert texts(read(b"sep=;\r\nA;B\r\nx,y;1\r\n")) == [("x,y", "1")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "mac_roman"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_encoding_and_line_end(encoding, line_end):
    lines = ["SITE,VALUE", "Hôpital Rangueil à Toulouse,1", "Clinique déjà évaluée,µg/mL"]
    found = read((line_end.join(lines) + line_end).encode(encoding))
    assert [c.name for c in found.columns] == ["SITE", "VALUE"]
    assert texts(found) == [tuple(line.split(",")) for line in lines[1:]]


def test_a_mix_of_encodings_is_read_line_by_line():
    found = read("A,B\nforêt à gérer,1\n".encode() + "Hôpital déjà évalué,2\n".encode("cp1252"))
    assert texts(found) == [("forêt à gérer", "1"), ("Hôpital déjà évalué", "2")]
    assert "mixes encodings" in found.warnings[0]


def test_a_large_file_of_another_encoding(monkeypatch):
    monkeypatch.setattr("pipeline.exchange.dataset_csv_text._DECODED_WHOLE", 100)
    content = ("A,B\n" + "plain,1\n" * 100 + "Hôpital déjà évalué,2\n").encode("cp1252")
    assert texts(read(content))[-1] == ("Hôpital déjà évalué", "2")


def test_many_rows_come_in_pieces():
    content = b"A,B\n" + b"".join(b"S-%d,%d\n" % (n, n) for n in range(CHUNK_ROWS + 3)) + b"short\n"
    found = read(content)
    assert [len(chunk) for chunk in found.chunks()] == [CHUNK_ROWS, 3]
    assert [row.place.row for row in bad_rows(found)] == [CHUNK_ROWS + 5]
    assert rows_of(found)[-1] == CHUNK_ROWS + 4


def test_rows_that_do_not_fit_are_quarantined():
    found = read(b'A,B\nx,1\ny\nz,1,2\nv,2,\nw\x00,3\n"a\nb",4\n')
    assert texts(found) == [("x", "1"), ("v", "2"), ("a\nb", "4")]
    assert [(row.place.row, row.reason[:24]) for row in bad_rows(found)] == [
        (3, "the row has 1 cells wher"),
        (4, "the row has 3 cells wher"),
        (6, "the cell holds control c"),
    ]


def test_columns_without_heading_are_named_and_told():
    found = read(b'"","A"\n"1","x"\n')
    assert [c.name for c in found.columns] == ["COLUMN1", "A"]
    assert found.warnings == ("pc.csv: columns without a heading were named COLUMN1.",)


def test_marks_that_do_not_pair_up_are_text():
    found = read(b'A,B\n"x,1\ny,2\nz,3\n')
    assert texts(found) == [('"x', "1"), ("y", "2"), ("z", "3")]
    assert "pair up" in found.warnings[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x00" * 500, "is empty"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"A,a\n1,2\n", "the column 'A' twice"),
        (b"A,B\n" + b"x" * 5_000_000, "a line of 4,000,000 bytes"),
        (b"A,B\n" * 200_000 + b'x,"1', "never closed"),
        ("A,B\nx,é\n".encode("utf-16")[:-1], "is damaged"),
    ],
)
def test_a_refusal_says_what_is_wrong(content, said):
    with pytest.raises(FileRefused, match=said):
        texts(read(content))


def test_truncation_at_any_byte_is_a_beginning_or_one_refusal():
    rows = [(f"Sujet-é{n}", f"{n}.5", 'a "b", c\nd') for n in range(6)]
    content = b"A,B,C\n" + b"".join(f'{a},{b},"{c.replace(chr(34), chr(34) * 2)}"\n'.encode() for a, b, c in rows)
    for end in range(1, len(content)):
        try:
            found = texts(read(content[:end]))
        except FileRefused as refusal:
            said = str(refusal)
            assert said.startswith("pc.csv")
        else:
            whole = content[:end].count(b'"\n')
            assert found[:whole] == rows[:whole]


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_noise_never_crashes(noise):
    with suppress(FileRefused):
        texts(read(noise))


def test_pandas_and_transport_give_the_same():
    rows = [("S-1", 362.29999999999995, "ORAL"), ("S-2", None, None), ("S-3", 1e-7, "é")]
    one = made("PC", COLUMNS, lambda: iter(rows))
    out = io.BytesIO()
    write_xpt(out, [one], created=datetime(2026, 1, 1))
    [transported] = read_xpt(Source.of("pc.xpt", out.getvalue()))
    frame = pd.DataFrame(rows, columns=[column.name for column in COLUMNS])
    for content in (
        frame.to_csv(index=False),
        frame.to_csv(index=False, na_rep="NA"),
        frame.to_csv(index=False, sep=";"),
    ):
        assert difference(transported, read(content.encode())) is None


def test_every_real_file_is_read_whole():
    counted = {}
    for path in sorted(dataset("sdtm-csv").glob("*.csv")):
        found = read_csv(Source.of(path.name, path))
        encoding = "cp1252" if found.warnings else "utf-8"
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=["", "NA", "."], encoding=encoding)
        assert [c.name for c in found.columns] == list(frame.columns)
        assert texts(found) == [
            tuple(None if cell != cell else cell.strip() or None for cell in row) for row in frame.to_numpy().tolist()
        ]
        assert not bad_rows(found)
        counted[found.name] = len(frame)
    assert counted == {
        "AE": 1191,
        "DM": 306,
        "DS": 850,
        "EX": 591,
        "PC": 4572,
        "PP": 2688,
        "RS_ONCO_RECIST": 66,
        "TR_ONCO_RECIST": 546,
        "TS": counted["TS"],
        "TU_ONCO_RECIST": counted["TU_ONCO_RECIST"],
    }

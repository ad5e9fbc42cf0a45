"""SAS transport files in: against pyreadstat, against what was written, and against everything that can be wrong."""

import io
import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused, InputError
from pipeline.exchange.dataset_table import (
    CHUNK_ROWS,
    ColumnType,
    DataColumn,
    DataSet,
    Source,
    difference,
    made,
    rounded,
)
from pipeline.exchange.ibm_float import LARGEST, SMALLEST, from_ibm, out_of_range, to_ibm
from pipeline.exchange.xpt import is_xpt, read_xpt
from pipeline.exchange.xpt_write import write_xpt
from tests.support.datasets import dataset

NOON = datetime(2026, 11, 24, 12, 0, 0)
TEXT, NUMBER = ColumnType.TEXT, ColumnType.NUMBER
COLUMNS = [
    DataColumn("USUBJID", "Unique Subject Identifier"),
    DataColumn("PCSTRESN", "Numeric Result", NUMBER, format="8.2"),
    DataColumn("PCSTRESU", "Unit", format="$12"),
]
ROWS = [("S-1", 362.3, "ng/mL"), ("S-2", None, None), ("S-3", -0.5, "µg/mL"), (None, 0, "h")]


def written(*datasets: DataSet) -> bytes:
    out = io.BytesIO()
    write_xpt(out, datasets, created=NOON)
    return out.getvalue()


def concentrations(rows=ROWS, columns=COLUMNS, name="PC") -> DataSet:
    return made(name, columns, lambda: iter(rows), label="Concentrations")


def read(content: bytes, encoding=None) -> list[DataSet]:
    return read_xpt(Source.of("pc.xpt", content), encoding)


def cells(one: DataSet) -> list[tuple]:
    listed = []
    for chunk in one.chunks():
        columns = [
            chunk.numbers(at) if column.type is NUMBER else chunk.texts(at) for at, column in enumerate(one.columns)
        ]
        listed += zip(*columns, strict=True)
    return listed


def bad_rows(one: DataSet) -> list:
    return [row for chunk in one.chunks() for row in chunk.bad]


# ------------------------------------------------------------------------------------------------- numbers


@given(st.lists(st.floats(-LARGEST, LARGEST, allow_subnormal=False), max_size=20))
def test_every_number_in_range_is_held_exactly(values):
    array = np.array(values, np.float64)
    inside = ~out_of_range(array)
    numbers = from_ibm(to_ibm(array[inside]))
    assert numbers.values.tolist() == array[inside].tolist()
    assert not numbers.codes.any()
    assert not numbers.spoilt.any()


@pytest.mark.parametrize(
    ("value", "written_as"),
    [
        (0.0, "0000000000000000"),
        (-0.0, "0000000000000000"),
        (1.0, "4110000000000000"),
        (-118.625, "c276a00000000000"),
        (100.0, "4264000000000000"),
        (SMALLEST, "0010000000000000"),
        (float("nan"), "2e00000000000000"),
    ],
)
def test_known_numbers_have_known_bytes(value, written_as):
    assert to_ibm(np.array([value])).tobytes().hex() == written_as


def test_what_is_beyond_the_format_is_told():
    values = np.array([1e76, -1e76, 1e-80, 0.0, np.nan, LARGEST, SMALLEST])
    assert out_of_range(values).tolist() == [True, True, True, False, False, False, False]


@pytest.mark.parametrize("width", range(2, 9))
def test_numbers_in_short_fields_are_read(width):
    fields = to_ibm(np.array([1.0, -256.0, np.nan]))[:, :width]
    numbers = from_ibm(fields)
    assert numbers.values.tolist()[:2] == [1.0, -256.0]
    assert numbers.codes.tolist() == [0, 0, ord(".")]


@pytest.mark.parametrize("code", "._ABCDEFGHIJKLMNOPQRSTUVWXYZ")
def test_every_missing_value_is_missing(code):
    numbers = from_ibm(np.frombuffer(code.encode() + bytes(7), np.uint8).reshape(1, 8))
    assert np.isnan(numbers.values[0])
    assert chr(numbers.codes[0]) == code


@pytest.mark.parametrize("field", [b" " * 8, b"a" + bytes(7), b"1" + bytes(7)])
def test_what_is_no_number_is_told(field):
    assert from_ibm(np.frombuffer(field, np.uint8).reshape(1, 8)).spoilt.tolist() == [True]


# ------------------------------------------------------------------------------------------------- reading


def test_columns_rows_and_places():
    [found] = read(written(concentrations()))
    assert (found.name, found.label, found.format, found.records) == ("PC", "Concentrations", "xpt5", 4)
    assert found.details == {"created": "24NOV26:12:00:00"}
    assert [(c.name, c.label, c.type, c.format) for c in found.columns] == [
        ("USUBJID", "Unique Subject Identifier", TEXT, ""),
        ("PCSTRESN", "Numeric Result", NUMBER, "8.2"),
        ("PCSTRESU", "Unit", TEXT, "$12"),
    ]
    assert [row for chunk in found.chunks() for row in chunk.rows] == [2, 3, 4, 5]
    assert cells(found) == [("S-1", 362.3, "ng/mL"), ("S-2", None, None), ("S-3", -0.5, "µg/mL"), (None, 0.0, "h")]


def test_noise_of_binary_numbers_is_no_difference():
    [found] = read(written(concentrations([("S", 362.29999999999995, None)])))
    [chunk] = found.chunks()
    assert chunk.texts("PCSTRESN") == ["362.3"]
    assert chunk.numbers("PCSTRESN") == [362.3]


def test_several_members_in_one_file():
    doses = made("EX", [DataColumn("EXDOSE", type=NUMBER)], lambda: iter([(n,) for n in range(1000)]))
    nothing = made("AE", [DataColumn("AETERM")], lambda: iter([]))
    found = read(written(concentrations(), nothing, doses))
    assert [(one.name, one.records) for one in found] == [("PC", 4), ("AE", 0), ("EX", 1000)]
    assert cells(found[1]) == []
    assert difference(found[2], doses) is None


def test_empty_rows_are_kept_whatever_the_width():
    for width in (1, 7, 40, 79, 80, 81):
        column = [DataColumn("A")]
        for rows in ([("x" * width,), (None,), (None,)], [(None,)] * 3):
            [found] = read(written(made("A", column, lambda rows=rows: iter(rows))))
            assert cells(found) == [(text,) for (text,) in rows]


def test_missing_values_with_a_code_are_counted():
    plain = written(concentrations())
    coded = plain.replace(b"." + bytes(7), b"A" + bytes(7))
    assert coded != plain
    [found] = read(coded)
    assert cells(found)[1] == ("S-2", None, None)
    [warning] = [warning for chunk in found.chunks() for warning in chunk.warnings]
    assert warning == "pc.xpt, PCSTRESN: 1 missing value(s) carry a code (.A 1); they are read as missing."


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8"])
def test_letters_are_read_in_the_encoding_they_show(encoding):
    rows = [("Évaluation différée à Genève", None, None), ("contrôle répété", None, None)]
    content = written(concentrations(rows))
    for text, *_ in rows:
        raw = text.encode()
        assert raw in content
        content = content.replace(raw, text.encode(encoding).ljust(len(raw)))
    [found] = read(content)
    assert [row[0] for row in cells(found)] == [row[0] for row in rows]


def test_an_encoding_told_by_the_sender_is_used():
    content = written(concentrations([("xxxx", None, None)])).replace(
        b"xxxx", "ŁóÐ".encode("cp1250", "replace").ljust(4)
    )
    [found] = read(content, "cp1250")
    assert cells(found)[0][0] == "ŁóÐ".encode("cp1250", "replace").decode("cp1250")
    with pytest.raises(InputError, match="no known encoding"):
        read(content, "klingon")


def test_a_letter_cut_off_by_the_width_of_its_column_is_shown():
    content = written(concentrations([("café à", None, None), ("aaaaaaa", None, None)]))
    content = content.replace(b"aaaaaaaa", b"aaaaaaa\xc3").replace(b"aaaaaaa ", b"aaaaaaa\xc3")
    [found] = read(content)
    assert cells(found)[1][0] == "aaaaaaa\ufffd"
    assert "cuts off" in found.warnings[0]


def test_a_mix_of_encodings_is_told():
    content = written(concentrations([("Évaluation différée", None, None), ("contrôle xx répété", None, None)]))
    raw = "contrôle xx répété".encode()
    content = content.replace(raw, "contrôle xx répété".encode("cp1252").ljust(len(raw)))
    [found] = read(content)
    assert [row[0] for row in cells(found)] == ["Évaluation différée", "contrôle xx répété"]
    assert "mixes encodings" in found.warnings[0]


def test_nul_filling_is_no_text_and_nul_inside_quarantines_the_row():
    content = written(concentrations([("AAAA", 1, "x"), ("BBBB", 2, "y"), ("CCCC", 3, "z")]))
    content = content.replace(b"AAAA", b"AA\0\0").replace(b"BBBB", b"B\0BB")
    [found] = read(content)
    assert cells(found) == [("AA", 1.0, "x"), ("CCCC", 3.0, "z")]
    [row] = bad_rows(found)
    assert (row.place, row.column, row.value) == (("pc.xpt", 3), "USUBJID", "B\ufffdBB")
    assert [row for chunk in found.chunks() for row in chunk.rows] == [2, 4]


def test_blanks_where_a_number_belongs_quarantine_the_row():
    content = written(concentrations([("A", 1, "x"), ("B", 3, "y")]))
    [found] = read(content.replace(to_ibm(np.array([3.0])).tobytes(), b" " * 8))
    assert [row[0] for row in cells(found)] == ["A"]
    assert [row.place.row for row in bad_rows(found)] == [3]


def test_version_8_has_long_names_labels_and_counts(tmp_path):
    frame = pd.DataFrame({"CONCENTRATION_OF_METABOLITE": ["a" * 300, ""], "RESULT": [1.5, float("nan")]})
    content = _version_8(frame, tmp_path, "PC_LONG_NAME_OF_A_DATASET")
    [found] = read(content)
    assert (found.name, found.format, found.records) == ("PC_LONG_NAME_OF_A_DATASET", "xpt8", 2)
    assert [column.label for column in found.columns] == ["L" * 200, "short"]
    assert cells(found) == [("a" * 300, 1.5), (None, None)]
    with pytest.raises(FileRefused, match="states 2 rows"):
        read(content[:-320])


def test_version_9_has_long_formats_as_well(tmp_path):
    frame = pd.DataFrame({"CONCENTRATION_OF_METABOLITE": ["a", "b"], "RESULT": [1.5, 2.0]})
    content = _version_8(frame, tmp_path, "PC")
    before, _, rest = content.partition(b"HEADER RECORD*******LABELV8 HEADER RECORD!!!!!!!")
    after = rest[rest.index(b"HEADER RECORD*******OBSV8") :]
    name, label, form = b"CONCENTRATION_OF_METABOLITE", b"A longer label", b"MYLONGFORMAT20."
    told = struct.pack(">5H", 1, len(name), len(label), len(form), 3) + name + label + form + b"$5."
    header = b"HEADER RECORD*******LABELV9 HEADER RECORD!!!!!!!" + b"00001" + b"0" * 25 + b"  "
    [found] = read(before + header + told.ljust(80 * -(-len(told) // 80)) + after)
    assert [(column.label, column.format) for column in found.columns] == [
        ("A longer label", "MYLONGFORMAT20."),
        ("short", ""),
    ]
    assert cells(found) == [("a", 1.5), ("b", 2.0)]
    with pytest.raises(FileRefused, match="a long label for OTHER"):
        read(before + header + told.replace(name, b"OTHER".ljust(27)).ljust(80 * -(-len(told) // 80)) + after)


def _version_8(frame: pd.DataFrame, folder: Path, name: str) -> bytes:
    path = folder / "pc.xpt"
    labels = ["L" * 200, "short"]
    pyreadstat.write_xport(frame, str(path), column_labels=labels, file_format_version=8, table_name=name)
    return path.read_bytes()


@given(st.lists(st.floats(-1e20, 1e20) | st.decimals(-(10**6), 10**6, places=4).map(float), max_size=30))
def test_numbers_are_read_at_fifteen_digits(values):
    exact = to_ibm(np.array([value + 0.0 for value in values if not out_of_range(np.array([value]))[0]]))
    content = written(made("PC", COLUMNS[1:2], lambda: iter([(12345.0,)] * len(exact))))
    head, tail = content.split(to_ibm(np.array([12345.0])).tobytes() * len(exact), 1) if len(exact) else (content, b"")
    [found] = read(head + exact.tobytes() + tail)
    assert [row[0] for row in cells(found)] == [rounded(value) for value in from_ibm(exact).values.tolist()]


def test_columns_whose_texts_all_differ_are_read_as_any_other():
    rows = [(f" S-{n} ", n, None if n % 9 == 0 else f"é{n}" if n > CHUNK_ROWS * 2 else f"{n}") for n in range(30_000)]
    one = concentrations(rows)
    [found] = read(written(one))
    assert difference(one, found) is None


def test_rows_are_read_chunk_by_chunk():
    content = written(concentrations([("S-1", n, "ng/mL") for n in range(CHUNK_ROWS * 4)]))
    taken = []

    class Watched(io.BytesIO):
        def read(self, size=-1):
            data = super().read(size)
            taken.append(len(data))
            return data

    [found] = read_xpt(Source("pc.xpt", lambda: Watched(content)))
    assert max(taken) < 4_000_001
    taken.clear()
    chunks = found.chunks()
    assert len(next(chunks)) == CHUNK_ROWS
    assert sum(taken) == CHUNK_ROWS * 16
    assert [len(chunk) for chunk in chunks] == [CHUNK_ROWS] * 3


# ------------------------------------------------------------------------------------------------- what is refused


def test_truncation_at_any_byte_is_one_refusal_or_a_beginning():
    rows = [(f"S-{n}", n / 3, "ng/mL") for n in range(20)]
    content = written(concentrations(rows))
    expected = [(f"S-{n}", rounded(n / 3), "ng/mL") for n in range(20)]
    refused = []
    for end in range(len(content)):
        try:
            [found] = read(content[:end])
        except FileRefused as refusal:
            refused.append(str(refusal))
        else:
            assert cells(found) == expected[: found.records]
            assert end % 80 == 0 or found.warnings
    assert len(refused) > 0.9 * len(content)
    assert all(said.startswith("pc.xpt") for said in refused)


@settings(max_examples=60)
@given(st.data())
def test_damage_is_refused_or_quarantined_and_never_a_crash(data):
    content = bytearray(written(concentrations(), concentrations(name="PP")))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(content))
    except FileRefused:
        return
    for one in found:
        assert sum(len(chunk) + len(chunk.bad) for chunk in one.chunks()) == one.records


@settings(max_examples=40)
@given(st.binary(max_size=400))
def test_noise_is_refused(noise):
    for content in (noise, written(concentrations())[:240] + noise):
        with pytest.raises(FileRefused):
            read(content)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: b"STUDYID,DOMAIN\n", "no SAS transport file"),
        (lambda c: b"", "no SAS transport file"),
        (lambda c: b"**COMPRESSED** **COMPRESSED** **COMPRESSED**", "PROC CPORT"),
        (lambda c: c[:80].replace(b"  ", b"\r\n") + c[80:], "transferred as text"),
        (lambda c: c.replace(b"LIBRARY ", b"LIBV12  "), "unknown version"),
        (lambda c: c[:240], "holds no data set"),
        (lambda c: c.replace(b"1600000000140", b"1600000000141"), "in 141 bytes"),
        (lambda c: c.replace(b"1600000000140", b"160000000014x"), "in digits"),
        (lambda c: c.replace(b"0000000003", b"0000000000"), "member of 0 columns"),
        (lambda c: c.replace(b"0000000003", b"0000009999"), "cut off"),
        (lambda c: c.replace(b"HEADER RECORD*******DSCRPTR", b"HEADER RECORD*******DSCRPTX"), "DSCRPTR"),
        (lambda c: c.replace(b"HEADER RECORD*******OBS ", b"HEADER RECORD*******OBX "), "no header before the rows"),
        (lambda c: c.replace(b"PCSTRESU", b"USUBJID "), "USUBJID twice"),
        (lambda c: c.replace(b"\0\x01\0\0\0\x08\0\x02", b"\0\x03\0\0\0\x08\0\x02"), "type 3"),
        (lambda c: c.replace(b"\0\x01\0\0\0\x08\0\x02", b"\0\x01\0\0\0\x09\0\x02"), "9 bytes wide"),
        (lambda c: c.replace(b"\0\x01\0\0\0\x08\0\x02", b"\0\x01\0\0\0\x07\0\x02"), "said to begin at byte"),
        (lambda c: c.replace(b"PCSTRESN", b"        "), "no name that can be read"),
        (lambda c: c.replace(b"PCSTRESN", b"PC\nSTRES"), "no name that can be read"),
        (lambda c: c.replace(b"SAS     PC ", b"SAS     \r\n "), "a data set without a name"),
    ],
)
def test_a_refusal_says_what_is_wrong(change, said):
    content = written(concentrations())
    changed = change(content)
    assert changed != content
    with pytest.raises(FileRefused, match=said):
        read(changed)


def test_two_members_of_one_name_are_refused():
    content = written(concentrations(), concentrations(name="PP"))
    with pytest.raises(FileRefused, match="more than once"):
        read(content.replace(b"SAS     PP      SASDATA", b"SAS     PC      SASDATA"))


def test_a_file_is_known_by_its_first_bytes():
    assert is_xpt(written(concentrations())[:80])
    assert not is_xpt(b"STUDYID,DOMAIN")


# ------------------------------------------------------------------------------------------------- real files


def test_every_real_file_reads_as_pyreadstat_reads_it():
    paths = sorted(dataset("send-xpt").glob("*/*.xpt"))
    assert len(paths) == 21
    for path in paths:
        theirs, about = pyreadstat.read_xport(str(path), output_format="dict", encoding="WINDOWS-1252")
        [found] = read_xpt(Source.of(path.name, path))
        assert [column.name for column in found.columns] == about.column_names
        assert [column.label for column in found.columns] == [label or "" for label in about.column_labels]
        assert [column.format for column in found.columns] == [
            about.original_variable_types[column.name] or "" for column in found.columns
        ]
        assert (found.name, found.records) == (about.table_name, about.number_rows)
        expected = [
            [None if value is None or value != value else rounded(value) for value in theirs[column.name]]
            if column.type is NUMBER
            else [text.strip() or None for text in theirs[column.name]]
            for column in found.columns
        ]
        assert cells(found) == list(zip(*expected, strict=True))
        [again] = read(written(found))
        assert difference(found, again) is None

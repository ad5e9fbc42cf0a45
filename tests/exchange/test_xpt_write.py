"""SAS transport files out: read back by this project and by pyreadstat."""

import io
from datetime import datetime

import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.exchange.dataset_table import ColumnType, DataColumn, Source, difference, made
from pipeline.exchange.ibm_float import LARGEST, SMALLEST
from pipeline.exchange.xpt import read_xpt
from pipeline.exchange.xpt_write import write_xpt

NOON = datetime(2026, 1, 2, 12, 30, 45)
NUMBER = ColumnType.NUMBER
COLUMNS = [DataColumn("A", "Text"), DataColumn("B", "Number", NUMBER, format="BEST12."), DataColumn("C")]

texts = st.none() | st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=60).filter(
    lambda text: len(text.encode()) <= 200
)
numbers = st.none() | st.floats(SMALLEST, 1e75) | st.floats(-1e75, -SMALLEST) | st.integers(-(10**15), 10**15)
tables = st.lists(st.tuples(texts, numbers, texts), max_size=12)


def written(*datasets):
    out = io.BytesIO()
    write_xpt(out, datasets, created=NOON)
    return out.getvalue()


def table(rows, columns=COLUMNS, name="PC", label="Label"):
    return made(name, columns, lambda: iter(rows), label=label)


@settings(max_examples=60)
@given(tables)
def test_what_is_written_is_read(rows):
    one = table(rows)
    content = written(one)
    assert len(content) % 80 == 0
    [found] = read_xpt(Source.of("pc.xpt", content))
    assert difference(one, found) is None
    assert written(found) == content
    assert [(c.name, c.label, c.type) for c in found.columns] == [(c.name, c.label, c.type) for c in COLUMNS]


def test_pyreadstat_reads_the_same(tmp_path):
    rows = [("S-1", 362.3, "µg/mL"), (None, None, "h"), ("x" * 200, -1e-5, None), ("S-4", 0, "d")]
    path = tmp_path / "pc.xpt"
    path.write_bytes(written(table(rows)))
    theirs, about = pyreadstat.read_xport(str(path), output_format="dict")
    assert theirs["A"] == ["S-1", "", "x" * 200, "S-4"]
    assert theirs["B"][2:] == [-1e-5, 0.0]
    assert theirs["B"][0] == 362.3
    assert theirs["C"] == ["µg/mL", "h", "", "d"]
    assert (about.table_name, about.file_label, about.column_labels) == ("PC", "Label", ["Text", "Number", None])
    assert about.original_variable_types["B"] == "BEST12"


def test_a_file_without_rows_or_without_data_sets():
    [found] = read_xpt(Source.of("pc.xpt", written(table([]))))
    assert (found.records, [len(chunk) for chunk in found.chunks()]) == (0, [])


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (table([], name="TOOLONGNAME"), "'TOOLONGNAME' is no name"),
        (table([], label="l" * 41), "PC: its label takes 41 bytes"),
        (table([], columns=[]), "PC has no columns"),
        (table([], columns=[DataColumn("TOOLONGNAME")]), "PC.TOOLONGNAME: no name"),
        (table([], columns=[DataColumn("1A")]), "PC.1A: no name"),
        (table([], columns=[DataColumn("A"), DataColumn("a")]), "PC.a: the column stands twice"),
        (table([], columns=[DataColumn("A", "é" * 21)]), "PC.A: its label takes 42 bytes"),
        (table([], columns=[DataColumn("A", format="NOSUCHFORMAT8.")]), "PC.A: 'NOSUCHFORMAT8.' is no format"),
        (table([("a", 1, "c"), ("a" * 201, 1, "c")]), "PC.A, row 3: a text takes more than the 200 bytes"),
        (table([("a", LARGEST * 1.01, "c")]), "PC.B, row 2: 7.30938e\\+75 is beyond"),
        (table([("a", 1e-80, "c")]), "PC.B, row 2: 1e-80 is beyond"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(one, said):
    out = io.BytesIO()
    with pytest.raises(InputError, match=said):
        write_xpt(out, [one], created=NOON)
    assert out.getvalue() == b""


def test_two_data_sets_of_one_name_are_refused():
    with pytest.raises(InputError, match="two data sets are called PC"):
        written(table([]), table([], name="pc"))


def test_unread_rows_are_not_left_out_in_silence():
    content = written(table([("AAAA", 1, "x")])).replace(b"AAAA", b"A\0AA")
    [found] = read_xpt(Source.of("pc.xpt", content))
    with pytest.raises(InputError, match=r"row 2 of pc\.xpt could not be read"):
        written(found)

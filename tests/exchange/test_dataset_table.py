"""What a cell is, whatever file it came in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.exchange.dataset_table import (
    CHUNK_ROWS,
    ColumnType,
    DataColumn,
    difference,
    made,
    number,
    number_text,
    rounded,
)

TEXT = DataColumn("USUBJID")
NUMBER = DataColumn("PCSTRESN", type=ColumnType.NUMBER)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("362.3", 362.3),
        ("362.29999999999995", 362.3),
        (" 1.50 ", 1.5),
        ("-0.5", -0.5),
        ("+2", 2.0),
        (".5", 0.5),
        ("1e-05", 1e-05),
        ("3E2", 300.0),
        ("-0", 0.0),
    ],
)
def test_plain_numbers_are_read_at_fifteen_digits(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    "text", [None, "", "<0.5", "1,5", "1 000", "1_000", "nan", "inf", "1e999", "BLQ", "٣", "0x10", "1e", "-", "5 mg"]
)
def test_nothing_else_is_a_number(text):
    assert number(text) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.0, "2"), (362.29999999999995, "362.3"), (0.1, "0.1"), (-0.0, "0"), (1e-7, "1e-07"), (123456789012345.0,) * 2],
)
def test_a_number_is_written_in_its_shortest_form(value, text):
    assert number_text(value) == (text if isinstance(text, str) else "123456789012345")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_is_read_as_the_number(value):
    assert number(number_text(value)) == rounded(value)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), max_size=4), st.none() | st.floats(-1e6, 1e6)
        ),
        max_size=5,
    )
)
def test_made_rows_come_back(rows):
    chunks = list(made("PC", [TEXT, NUMBER], lambda: iter(rows)).chunks())
    assert [text for chunk in chunks for text in chunk.texts("usubjid")] == [text.strip() or None for text, _ in rows]
    assert [value for chunk in chunks for value in chunk.numbers(1)] == [
        None if value is None else rounded(value) for _, value in rows
    ]


def test_rows_are_counted_below_the_heading_over_several_chunks():
    dataset = made("PC", [TEXT, NUMBER], lambda: iter([("A", 1)] * (CHUNK_ROWS + 1)))
    chunks = list(dataset.chunks())
    assert [len(chunk) for chunk in chunks] == [CHUNK_ROWS, 1]
    assert (chunks[0].rows[0], chunks[1].rows[0]) == (2, CHUNK_ROWS + 2)


def test_a_column_is_found_in_any_case():
    dataset = made("PC", [TEXT, NUMBER], lambda: iter([("A", 1)]))
    assert "usubjid" in dataset
    assert "PCORRES" not in dataset
    assert dataset.column("pcstresn") is NUMBER
    assert dataset.column("PCORRES") is None
    assert dataset.at == {"USUBJID": 0, "PCSTRESN": 1}


def test_control_characters_are_refused_with_their_column():
    with pytest.raises(InputError, match=r"PC\.USUBJID: .* holds control characters"):
        list(made("PC", [TEXT], lambda: iter([("a\0b",)])).chunks())


def test_line_ends_inside_a_cell_are_one_kind():
    [chunk] = made("PC", [TEXT], lambda: iter([(" a\r\nb\rc\x0bd ",), (" \n ",)])).chunks()
    assert chunk.texts(0) == ["a\nb\nc\nd", None]


def test_a_difference_is_named():
    one = made("PC", [TEXT, NUMBER], lambda: iter([("A", 1), ("B", "2.50")]))
    same = made("PC", [TEXT, DataColumn("PCSTRESN")], lambda: iter([("A", "1"), ("B ", "2.5")]))
    other = made("PC", [TEXT, NUMBER], lambda: iter([("A", 1), ("B", 3)]))
    shorter = made("PC", [TEXT, NUMBER], lambda: iter([("A", 1)]))
    assert difference(one, same) is None
    assert difference(one, other) == "record 2, PCSTRESN: 2.5 against 3.0"
    assert difference(one, shorter) == "only one of them has a record 2"
    assert difference(one, made("PC", [TEXT], lambda: iter([]))) == "columns USUBJID, PCSTRESN against USUBJID"


def test_a_column_of_numbers_takes_no_other_text():
    with pytest.raises(InputError, match=r"PC\.PCSTRESN: '<0.5' is no number"):
        list(made("PC", [NUMBER], lambda: iter([("<0.5",)])).chunks())
    [chunk] = made("PC", [NUMBER], lambda: iter([(" ",), ("0.50",), (float("nan"),)])).chunks()
    assert chunk.numbers(0) == [None, 0.5, None]

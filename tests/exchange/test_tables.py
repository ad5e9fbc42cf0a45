"""Tables in any shape: what is read, what is quarantined, what is refused by one sentence."""

import contextlib
import io
import os
import zipfile
from datetime import datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused
from pipeline.exchange.cells import DateHabit, defused, habit_of, is_formula, literal, read_date
from pipeline.exchange.sheets import date_parts
from pipeline.exchange.tables import Row, read_tables

KNOWN = {"name", "phase", "date", "nom"}


def recognise(cells):
    return sum(cell.casefold() in KNOWN for cell in cells)


def table(data, filename="t.csv"):
    (only,) = read_tables(data if isinstance(data, bytes) else data.encode(), filename, recognise)
    return only


def workbook(rows, *, change=None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# ------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    "text",
    [
        "name,phase\na,1\nb,2\n",
        "name;phase\na;1\nb;2\n",
        "name\tphase\na\t1\nb\t2\n",
        "name|phase\na|1\nb|2",
        "name,phase\ra,1\rb,2\r",
        "name,phase\r\na,1\r\nb,2\r\n",
        "sep=;\nname;phase\na;1\nb;2\n",
        "'name','phase'\n'a','1'\n'b','2'\n",
        '"name","phase"\n"a","1"\n"b","2"\n',
        "\ufeffname,phase\na,1\nb,2\n",
    ],
)
def test_delimiters_quotes_and_line_ends_are_found(text):
    read = table(text)
    assert (read.headings, read.rows) == (["name", "phase"], [Row(2, ["a", "1"]), Row(3, ["b", "2"])])


def test_decimal_commas_do_not_hide_the_semicolon():
    assert table("name;phase;dose\na;1;1,5\nb;2;2,5\n").rows[0] == Row(2, ["a", "1", "1,5"])


def test_line_ends_inside_quotes_stay_in_the_cell_and_do_not_shift_the_rows():
    read = table('name,phase\n"a\r\nb\rc",1\nd,2\n')
    assert read.rows == [Row(2, ["a\nb\nc", "1"]), Row(3, ["d", "2"])]


def test_a_heading_below_titles_comments_and_blank_rows_is_found():
    read = table("!Portfolio, of a centre\n\nprinted 2020\nname,phase\na,1\n")
    assert (read.heading_row, read.rows) == (4, [Row(5, ["a", "1"])])
    assert read.above == ["!Portfolio of a centre", "printed 2020"]


def test_groups_above_the_heading_tell_repeated_headings_apart():
    read = table(",Phase 1,,Phase 2,\nname,start,end,start,end\na,1,2,3,4\n")
    assert read.headings == ["name", "Phase 1 start", "Phase 1 end", "Phase 2 start", "Phase 2 end"]


def test_repeated_headings_are_told():
    assert "the heading 'phase' stands more than once" in table("name,phase,phase\na,1,2\n").warnings[0]


def test_ragged_rows_and_control_characters_are_quarantined_and_nothing_else():
    read = table("name,phase\na,1\nb\nc,1,2\nd,1,\ne\x00,1\nf,2\n")
    assert [row.cells[0] for row in read.rows] == ["a", "d", "f"]
    assert [item.place.row for item in read.bad] == [3, 4, 6]
    assert read.bad[0].reason == "the row has 1 cells where the heading has 2; is a separator or quote missing?"
    assert (read.bad[2].column, read.bad[2].value) == ("name", "e\N{REPLACEMENT CHARACTER}")


def test_only_a_heading_is_a_table_without_rows():
    assert table("name,phase\n").count == 0


def test_quotation_marks_that_are_text_are_kept():
    read = table('name\tphase\n5" tube\t1\n"b\t2\nc\t3\n')
    assert [row.cells[0] for row in read.rows] == ['5" tube', '"b', "c"]
    assert "quotation marks do not pair up" in read.warnings[0]


def test_a_quotation_mark_never_closed_is_refused_by_row():
    with pytest.raises(FileRefused, match=r"row 3: a quotation mark is opened and never closed"):
        table('name,phase\n"a, b",1\n"c,2\n' + "d,1\n" * 20)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (b"\x00" * 1000, "is empty"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"\x89PNG\r\n", "is an image"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "save it as .xlsx without a password"),
        (b"<!DOCTYPE html><table>", "is a web page or XML"),
        (b"PK\x03\x04 nothing more", "is a damaged workbook"),
        (b"\x00,a" * 10_000, "NUL characters"),
        (b"a" * 1_000_000, "a cell is longer than 32,767 characters"),
        (b"," * 1_000_000, "is empty"),
        (b'"' * 1_000_000, "a cell is longer"),
        (b"a," * 100_000, "more than 500 columns"),
        (os.urandom(1_000_000), "is not text"),
    ],
)
def test_what_is_no_table_is_refused_by_one_sentence(data, said):
    with pytest.raises(FileRefused) as refused:
        table(data)
    assert said in refused.value.message
    assert refused.value.message.startswith("t.csv")
    assert len(refused.value.message) < 300


def test_names_in_messages_are_harmless():
    with pytest.raises(FileRefused, match=r"^passwd is empty"):
        table(b"", "../../etc/passwd")
    with pytest.raises(FileRefused, match=r"^ab is empty"):
        table(b"", "a\x00\x1bb")


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=400) | st.text(alphabet='",;\t|\n\ra1é\x00=', max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_refused(data):
    try:
        read = table(data)
    except FileRefused:
        return
    assert read.count == len({row.number for row in read.rows} | {item.place.row for item in read.bad})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.text(alphabet='ab ,;"\né', min_size=1, max_size=8), min_size=2, max_size=2), max_size=8),
    st.sampled_from([",", ";", "\t"]),
)
def test_what_a_csv_writer_wrote_is_read_back(rows, delimiter):
    import csv

    rows = [[f"x{cell.strip()}x" for cell in row] for row in rows]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([["name", "phase"], *rows])
    assert [row.cells for row in table(out.getvalue()).rows] == rows


# ------------------------------------------------------------------------------------------- workbooks


def test_cells_of_a_workbook_are_text_at_the_precision_shown():
    def formats(book):
        book.active["B2"].number_format = "mmm-yy"
        book.active["B3"].number_format = "yyyy"
        book.active["B4"].number_format = "dd/mm/yyyy"

    day = datetime(2013, 1, 1)
    data = workbook(
        [["name", "date"], [2.0, day], [True, day], ["é", day], [0.1, datetime(2013, 7, 9, 11, 45)]], change=formats
    )
    assert [row.cells for row in table(data).rows] == [
        ["2", "2013-01"],
        ["TRUE", "2013"],
        ["é", "2013-01-01"],
        ["0.1", "2013-07-09T11:45:00"],
    ]


def test_workbooks_that_count_from_1904_are_read_right():
    def mac(book):
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904

    read = table(workbook([["name", "date"], ["a", datetime(2013, 7, 9)]], change=mac))
    assert read.epoch_1904 is True
    assert read.rows[0].cells == ["a", "2013-07-09"]


def test_formulas_are_marked_and_never_computed():
    read = table(workbook([["name", "phase"], ["=1+1", "=#REF!"]]))
    assert read.rows[0].cells == ["=1+1", "=#REF!"]
    assert read.marks == {
        (2, 0): ("formula without a stored result", "=1+1"),
        (2, 1): ("formula without a stored result", "=#REF!"),
    }


def test_the_stored_result_of_a_formula_is_taken_and_marked():
    data = workbook([["name", "phase"], ["=A1", "1"]])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            part = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                part = part.replace(b"<f>A1</f><v />", b"<f>A1</f><v>alpha</v>").replace(b'r="A2"', b'r="A2" t="str"')
                part = part.replace(b"<f>A1</f><v></v>", b"<f>A1</f><v>alpha</v>")
            target.writestr(entry.filename, part)
    read = table(out.getvalue())
    assert read.rows[0].cells == ["alpha", "1"]
    assert read.marks == {(2, 0): ("formula", "=A1")}


def test_a_merged_block_speaks_for_all_its_rows():
    data = workbook(
        [["name", "phase"], ["a", "1"], [None, "2"], ["b", "1"]], change=lambda book: book.active.merge_cells("A2:A3")
    )
    assert [row.cells for row in table(data).rows] == [["a", "1"], ["a", "2"], ["b", "1"]]


def test_hidden_sheets_are_not_read():
    def hide(book):
        book.create_sheet("lists").append(["name", "phase"])
        book["lists"].sheet_state = "hidden"

    assert table(workbook([["name", "phase"], ["a", "1"]], change=hide)).count == 1


def _changed(data, name, content):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, content if entry.filename == name else source.read(entry))
    return out.getvalue()


PLAIN = workbook([["name", "phase"], ["a", "1"]])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_changed(PLAIN, "xl/worksheets/sheet1.xml", b"<x>" + b" " * 30_000_000 + b"</x>"), "unpacks to"),
        (
            _changed(PLAIN, "xl/worksheets/sheet1.xml", b'<!DOCTYPE x [<!ENTITY a "aa">]><worksheet>&a;</worksheet>'),
            "document type declaration",
        ),
        (_changed(PLAIN, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData>"), "damaged workbook"),
        (_changed(PLAIN, "xl/workbook.xml", b"<workbook/>"), "without a worksheet"),
        (_changed(PLAIN, "xl/worksheets/sheet1.xml", b'<w><c r="A1" t="s"><v>99</v></c></w>'), "not a workbook"),
        (PLAIN[: len(PLAIN) // 2], "damaged workbook"),
    ],
    ids=["bomb", "dtd", "cut xml", "no sheet", "bad string", "cut archive"],
)
def test_hostile_workbooks_are_refused(data, said):
    with pytest.raises(FileRefused, match=said):
        table(data, "t.xlsx")


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=4, max_value=len(PLAIN) - 1), st.integers(min_value=0, max_value=255))
def test_a_workbook_with_one_byte_changed_is_read_or_refused(at, byte):
    data = PLAIN[:at] + bytes([byte]) + PLAIN[at + 1 :]
    with contextlib.suppress(FileRefused):
        assert len(read_tables(data, "t.xlsx", recognise)) == 1


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("General", ""), ("0.00", ""), ("yyyy-mm-dd", "d m y"), ("mmm-yy", "m y"), ("yyyy", "y"), ("h:mm", "h"),
        ('0" days"', ""), ("[$-40C]jj/mm/aaaa", "d m y"), ("#,##0 [$€-40C]", ""), ("[Red]0", ""), ("d mmm", "d m"),
    ],
)  # fmt: skip
def test_what_a_number_format_shows_of_a_date(code, shown):
    assert date_parts(code) == shown


# ------------------------------------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2013", "2013"), ("2013-07", "2013-07"), ("2013-07-09", "2013-07-09"), ("2013-7-9", "2013-07-09"),
        ("2013/07/09", "2013-07-09"), ("13/04/2021", "2021-04-13"), ("04/13/2021", "2021-04-13"),
        ("05/05/2021", "2021-05-05"), ("03.04.2021", "2021-04-03"), ("12 mars 2013", "2013-03-12"),
        ("1er août 2013", "2013-08-01"), ("Mar-2013", "2013-03"), ("juil. 2013", "2013-07"),
        ("March 12, 2013", "2013-03-12"), ("mardi 12 mars 2013", "2013-03-12"), ("12-MAR-2013", "2013-03-12"),
        ("2013-Mar", "2013-03"), ("Q3 2013", "2013"), ("T3 2013", "2013"), ("début 2013", "2013"), ("~2013", "2013"),
        ("UN-MAR-2013", "2013-03"), ("XX/03/2013", "2013-03"), ("07/2013", "2013-07"), ("20130709", "2013-07-09"),
        ("2013-07-09 00:00:00", "2013-07-09"), ("2013-07-09T11:45:00Z", "2013-07-09"), (" 2013 ", "2013"),
    ],
)  # fmt: skip
def test_dates_are_read_at_the_precision_they_are_written_in(text, value):
    reading = read_date(text)
    assert reading.value is not None
    assert reading.value.text == value


@pytest.mark.parametrize("text", ["Q3 2013", "UN-MAR-2013", "2013-07-09T11:45:00Z", "fin 2013"])
def test_what_is_lost_of_a_date_is_noted(text):
    assert read_date(text).note


@pytest.mark.parametrize(
    ("text", "proposals"),
    [
        ("03/04/2021", ("2021-03-04", "2021-04-03")),
        ("12-Mar-13", ("2013-03-12",)),
        ("Mar-13", ("2013-03",)),
        ("41464", ("2013-07-09", "2017-07-10")),
        ("09072013", ("2013-07-09", "2013-09-07")),
    ],
)
def test_dates_that_can_be_two_days_are_proposed_not_taken(text, proposals):
    reading = read_date(text)
    assert (reading.value, reading.proposals) == (None, proposals)
    assert reading.doubt


@pytest.mark.parametrize(
    "text",
    [
        "31.02.2021", "2021-02-30", "32/01/2021", "13/13/2021", "31/04/2021", "2021-13-01", "9999", "0000-00-00",
        "hello", "1/2", "=TODAY()", "-1", "1e5", "x" * 5000, "29/02/2021", "n/a", "",
    ],
)  # fmt: skip
def test_dates_that_do_not_exist_are_errors(text):
    reading = read_date(text)
    assert (reading.value, reading.proposals) == (None, ())
    assert reading.error


def test_a_column_decides_its_order_by_the_rows_that_have_only_one():
    assert habit_of(["13/04/2021", "03/04/2021"]).day_first is True
    assert habit_of(["04/13/2021", "03/04/2021"]).day_first is False
    assert habit_of(["04/13/2021", "13/04/2021"]).day_first is None
    assert habit_of(["31/02/2021", "31.12.2021", "13/13/2021"]).day_first is None
    assert habit_of(["03.25.2021"]).points_day_first is False
    day = read_date("03/04/2021", DateHabit(day_first=False)).value
    assert day is not None
    assert day.text == "2021-03-04"


def test_day_counts_follow_the_workbook():
    for epoch_1904, expected in ((False, "2013-07-09"), (True, "2017-07-10")):
        value = read_date("41464", DateHabit(epoch_1904=epoch_1904)).value
        assert value is not None
        assert value.text == expected


@settings(max_examples=80)
@given(st.text(max_size=30))
def test_any_text_is_a_date_a_doubt_or_an_error(text):
    reading = read_date(text)
    assert (reading.value is not None) + (reading.doubt is not None) + (reading.error is not None) == 1


@settings(max_examples=60)
@given(st.dates(min_value=datetime(1950, 1, 1).date(), max_value=datetime(2100, 1, 1).date()))
def test_a_date_is_the_same_however_it_is_written(day):
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %B %Y", "%d-%b-%Y", "%B %d, %Y", "%Y-%m-%d 00:00:00"):
        value = read_date(day.strftime(form)).value
        assert value is not None
        assert value.text == day.isoformat()
    value = read_date(day.strftime("%d/%m/%Y"), DateHabit(day_first=True)).value
    assert value is not None
    assert value.text == day.isoformat()


@pytest.mark.parametrize("text", ["=1+1", "=cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", "@SUM(1+1)", "-SUM(A1)"])
def test_formulas_in_text_are_recognised_and_defused(text):
    assert is_formula(text)
    assert defused(text) == "'" + text


@pytest.mark.parametrize("text", ["(-)-alpha", "-5", "+1,5", "5-FU", "1e-3", "-"])
def test_names_and_numbers_are_no_formulas(text):
    assert not is_formula(text)


def test_numbers_stay_numbers_when_defused():
    assert [defused(text) for text in ("-5", "+1.5", "-x", "\tx", "plain")] == ["-5", "+1.5", "'-x", "'\tx", "plain"]


def test_text_protected_as_a_formula_is_unwrapped():
    assert (literal('="0012"'), literal('="a""b"'), literal("=1")) == ("0012", 'a"b', None)

"""The seven files of the published phase I oncology trials as rows of cells; what is no row of its table is set aside.

Records end CRLF or LF; quoted cells hold bare LF and CR. Control characters, which stand where a paper had a symbol
such as a >= sign, become visible signs (U+0015 becomes U+2415), so that what was there can still be told.
"""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress
from operator import itemgetter
from typing import NoReturn

from pipeline.errors import FileRefused
from pipeline.exchange.encodings import decode
from pipeline.exchange.reading import Duplicate, Place, Quarantined, Reading

COLUMNS: dict[str, tuple[str, ...]] = {
    "trial.csv": (
        *("PMID", "NCTID", "Trial_Type", "protocol", "population"),
        *("Trial_Inclusion", "Trial_Exclusion", "DLT_EVA", "comments"),
    ),
    "drug.csv": ("PMID", "NCTID", "CombnID", "Drug_Name", "Admin_Route", "Dose_Form", "Comments"),
    "schema.csv": ("PMID", "NCTID", "ES", "DesignType", "schema"),
    "dlt_definition.csv": ("PMID", "NCTID", "CombnID", "DLT_Name", "Grade", "Duration", "DLT_Exculsion", "Comments"),
    "dose_level.csv": (
        *("PMID", "NCTID", "CombnID", "Drug_Name", "Dose_Level", "Dose_Value", "Dose_Unit"),
        *("Frequency", "Schedule", "Comments"),
    ),
    "observed_dlt.csv": (
        *("PMID", "NCTID", "CombnID", "DLT", "Grade", "At_Level", "Duration", "Observed_Frequency"),
        *("Total", "Occurence", "Comments", "combined_dose_info"),
    ),
    "mtd.csv": (
        *("PMID", "NCTID", "CombnID", "Drug_Name", "MTD_Value", "MTD_Unit"),
        *("Frequency", "Schedule", "Comments"),
    ),
}
"""The files and their columns, as the authors spell them."""

_OTHER_SPELLINGS = {"dlt_exclusion": "dlt_exculsion", "occurrence": "occurence"}
_VISIBLE = {chr(code): chr(0x2400 + code) for code in range(32) if code not in (9, 10, 13)} | {"\x7f": "\u2421"}
_CONTROLS = "".join(_VISIBLE).encode("ascii")
_TO_VISIBLE = str.maketrans(_VISIBLE)
_BETWEEN_CELLS = "\x1f"
_LATE_CONTROLS = re.compile("[\x80-\x9f]")
_LATE_CONTROLS_IN_UTF8 = re.compile(rb"\xc2[\x80-\x9f]")
_SWALLOWED = re.compile(r"[\r\n]\d{6,8},")
_SHOWN = 80
_HEAD = 4000
_LONGEST_CELL = 20_000
_MANY_LINES = 100_000
_MANY_BROKEN = 10_000
_SOME_BROKEN = 100

Row = list[str]


@dataclass(slots=True)
class Table:
    """The rows of one file that have the right number of cells and are not said twice, each with its row number."""

    name: str
    numbers: Sequence[int]
    rows: list[Row]


def find_files(files: Mapping[str, bytes], reading: Reading) -> dict[str, str]:
    """Return the given name of each of the seven files; refuse where one is missing or there twice.

    A name may carry a folder or a prefix ("batch2/trial.csv", "new_trial.csv"). Other files are named in a warning.
    """
    given = [name for name in files if not _base(name).startswith(".") and "__MACOSX" not in name]
    found: dict[str, str] = {}
    twice = []
    for wanted in COLUMNS:
        exact = [name for name in given if _base(name) == wanted]
        names = exact or [name for name in given if re.search(rf"(?:^|[^a-z]){re.escape(wanted)}$", _base(name))]
        if len(names) > 1:
            twice.append(f"{wanted} ({', '.join(names)})")
        elif names:
            found[wanted] = names[0]
    if twice:
        raise FileRefused(f"these files are there more than once: {'; '.join(twice)}; give one of each")
    missing = [wanted for wanted in COLUMNS if wanted not in found]
    if missing:
        raise FileRefused(
            f"of the seven files of a phase I set, {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
            f" (given: {', '.join(sorted(map(_base, given))) or 'nothing'}); put all seven together"
        )
    others = sorted(set(files) - set(found.values()))
    if others:
        reading.warnings.append(f"not part of a phase I set and not read: {', '.join(others[:10])}")
    return found


def read_table(wanted: str, name: str, data: bytes, reading: Reading) -> Table:
    """Read one file. Broken rows are quarantined and exact repetitions counted as duplicates, both in `reading`."""
    columns = COLUMNS[wanted]
    text, signs = _text(name, data, reading)
    header, delimiter = _header(text)
    order = _order(header, columns, name, reading)
    records = _records(text, delimiter, len(header), name)
    del records[0]
    reading.rows += len(records)
    numbers: Sequence[int] = range(2, len(records) + 2)
    keys = list(map(_BETWEEN_CELLS.join, records))
    if not set(map(len, records)) <= {len(header)} or max(map(len, keys), default=0) > _LONGEST_CELL:
        numbers, records = _whole(name, records, len(header), reading)
        keys = list(map(_BETWEEN_CELLS.join, records))
    if order != list(range(len(header))):
        records = [list(cells) for cells in map(itemgetter(*order), records)]
    for at, sign in _rows_with(signs, keys):
        reading.flags.extend(_lost_signs(Place(name, numbers[at]), columns, records[at], sign))
        records[at] = [cell.replace(sign, _VISIBLE.get(sign, sign)) for cell in records[at]]
    if len(set(keys)) < len(keys):
        numbers, records = _once(name, numbers, records, keys, reading)
    return Table(name, numbers, records)


def _whole(name: str, records: list[Row], width: int, reading: Reading) -> tuple[list[int], list[Row]]:
    """Set the broken rows aside; refuse a file most of whose rows are broken."""
    numbers, whole = [], []
    for number, record in enumerate(records, 2):
        too_long = max(map(len, record)) > _LONGEST_CELL
        if len(record) == width and not too_long:
            numbers.append(number)
            whole.append(record)
        else:
            shown = ",".join(record)[:_SHOWN].translate(_TO_VISIBLE)
            reason = f"cannot be split into its {width} cells; mend the commas and quotation marks of this row"
            if too_long:
                reason = f"a cell has more than {_LONGEST_CELL:,} characters; shorten it, or mend the quotation marks"
            reading.quarantined.append(Quarantined(Place(name, number), None, shown, reason))
    broken = len(records) - len(whole)
    if broken > _SOME_BROKEN and broken > len(whole):
        _refuse_noise(name, broken, width)
    return numbers, whole


def _once(
    name: str, numbers: Sequence[int], records: list[Row], keys: list[str], reading: Reading
) -> tuple[list[int], list[Row]]:
    """Set the rows aside that repeat an earlier one in every cell."""
    first = dict(zip(reversed(keys), reversed(numbers), strict=True))
    is_first = [first[key] == number for key, number in zip(keys, numbers, strict=True)]
    reading.duplicates.extend(
        Duplicate(Place(name, number), Place(name, first[key]))
        for key, number, kept in zip(keys, numbers, is_first, strict=True)
        if not kept
    )
    return list(compress(numbers, is_first)), list(compress(records, is_first))


def _refuse_noise(name: str, broken: int, width: int) -> NoReturn:
    raise FileRefused(
        f"{name} is damaged beyond reading: {broken} of its rows cannot be split into {width} cells; get the file anew"
    )


def _base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1].casefold()


def _text(name: str, data: bytes, reading: Reading) -> tuple[str, list[str]]:
    """Return the text with visible signs for control characters, and which of them occur."""
    if not data or data.isspace():
        raise FileRefused(f"{name} is empty; give the file with its heading and rows")
    if b"pmid" not in data[:_HEAD].replace(b"\0", b"").lower():
        raise FileRefused(f"{name} does not begin with a heading that names PMID; give the file with its columns")
    lines = data.count(b"\n")
    controls = len(data) - len(data.translate(None, delete=_CONTROLS))
    noise = (lines > _MANY_LINES and lines > 4 * data.count(b",")) or (controls * 50 > len(data) and not _is_wide(data))
    if noise:
        raise FileRefused(f"{name} is not a comma-separated table: it holds noise; get the file anew")
    decoded = decode(data, name)
    reading.warnings.extend(decoded.warnings)
    text = decoded.text
    signs = [sign for sign in _VISIBLE if sign.encode("ascii") in data]
    if _BETWEEN_CELLS in text:
        text = text.replace(_BETWEEN_CELLS, _VISIBLE[_BETWEEN_CELLS])
        signs[signs.index(_BETWEEN_CELLS)] = _VISIBLE[_BETWEEN_CELLS]
    if decoded.encoding != "utf-8" or _LATE_CONTROLS_IN_UTF8.search(data):
        text = _LATE_CONTROLS.sub("\ufffd", text)
    return text, [*signs, "\ufffd"] if "\ufffd" in text else signs


def _is_wide(data: bytes) -> bool:
    """Say whether the bytes are UTF-16, in which every second one may be NUL."""
    return data[:2] in {b"\xff\xfe", b"\xfe\xff"} or data[1:8:2] == b"\0" * 4 or data[:8:2] == b"\0" * 4


def _header(text: str) -> tuple[Row, str]:
    first = re.split(r"[\r\n]", text[:2000].lstrip("\r\n"), maxsplit=1)[0]
    delimiter = max(",;\t", key=first.count)
    return [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter), [])], delimiter


def _order(header: Row, columns: tuple[str, ...], name: str, reading: Reading) -> list[int]:
    """Return where each wanted column stands. Corrected spellings count; other columns are named in a warning."""
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        plain = cell.casefold()
        places.setdefault(_OTHER_SPELLINGS.get(plain, plain), place)
    missing = [column for column in columns if column.casefold() not in places]
    if missing:
        found = ", ".join(cell[:30] for cell in header[:15])
        raise FileRefused(
            f"{name} has no column {', '.join(missing)}; wanted: {', '.join(columns)}; "
            f"found: {found.translate(_TO_VISIBLE)}{' ...' if len(header) > 15 else ''}"
        )
    order = [places[column.casefold()] for column in columns]
    others = [cell for place, cell in enumerate(header) if place not in order]
    if others:
        reading.warnings.append(f"{name}: these columns are not known and were not read: {', '.join(others[:10])}")
    return order


def _records(text: str, delimiter: str, width: int, name: str) -> list[Row]:
    """Return all records, the heading first. Blank lines are none."""
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        if set(map(len, records)) <= {width}:
            return records
    except csv.Error:
        pass
    records = []
    broken = 0
    for record in filter(None, _salvaged(text, delimiter, width)):
        records.append(record)
        broken += len(record) != width
        if broken > _MANY_BROKEN:
            _refuse_noise(name, broken, width)
    return records


def _salvaged(text: str, delimiter: str, width: int) -> Iterator[Row]:
    """Read a damaged file: a record that breaks, or swallows the lines after it, costs its first line only."""
    lines = list(io.StringIO(text, newline=""))
    start = 0
    while start < len(lines):
        reader = csv.reader(map(lines.__getitem__, range(start, len(lines))), delimiter=delimiter, strict=True)
        taken = 0
        try:
            for record in reader:
                several = reader.line_num - taken > 1
                if several and (len(record) != width or any(map(_SWALLOWED.search, record))):
                    break
                yield record
                taken = reader.line_num
            else:
                return
        except csv.Error:
            pass
        yield [lines[start + taken].rstrip("\r\n")]
        start += taken + 1


def _rows_with(signs: Sequence[str], keys: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Find the rows that hold a sign. They are few among many, so they are looked for in all rows at once."""
    if not signs:
        return
    ends = list(accumulate(map(len, keys)))
    everything = "".join(keys)
    for sign in signs:
        found = everything.find(sign)
        while found >= 0:
            at = bisect_right(ends, found)
            yield at, sign
            found = everything.find(sign, ends[at])


def _lost_signs(place: Place, columns: tuple[str, ...], cells: Row, sign: str) -> Iterator[Quarantined]:
    """Flag every cell with a sign that is not what the paper printed."""
    shown = _VISIBLE.get(sign, sign)
    code = 0x7F if shown == "\u2421" else ord(shown) - 0x2400
    was = "an undecodable sign" if sign == "\ufffd" else f"control character U+{code:04X}"
    for column, cell in zip(columns, cells, strict=True):
        at = cell.find(sign)
        if at >= 0:
            reason = f"{was} stands where the source had a symbol (a hyphen, a bound, a unit); shown as {shown}"
            yield Quarantined(place, column, cell[max(0, at - 20) : at + 20].translate(_TO_VISIBLE), reason)

"""The day a snapshot was taken: from its file name or a comment above its heading; asked for when not certain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pipeline.dates import PartialDate
from pipeline.errors import FileRefused
from pipeline.exchange.cells import DateHabit, read_date

_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")
_PARTED = re.compile(r"(?<![\d.])(\d{4})([-_. ])(\d{1,2})\2(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([-_. ])(\d{1,2})\2((?:19|20)\d{2})(?!\d)")
_WORDED = re.compile(r"(?<![^\W_\d])(?:(?<!\d)\d{1,2}[-_ .]?)?[^\W\d_]{3,9}[-_ .]?(?:19|20)\d{2}(?!\d)")
_MONTH = re.compile(r"(?<!\d)((?:19|20)\d{2})[-_.](0[1-9]|1[0-2])(?![-_.]?\d)")
_IN_COMMENT = re.compile(
    r"(?i)\b(?:date|dated|updated|exported|extracted|version|as of|au|du|le|snapshot)\b[^\d]{0,20}(.+)"
)
_DATE_LIKE = re.compile(r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}|\d{8}|(?:\d{1,2} )?[^\W\d_]{3,9} \d{4}")


def snapshot_date(
    filename: str, above: Sequence[str], today: date, told: Mapping[str, str] | None = None
) -> PartialDate:
    """Return the date of a snapshot.

    Args:
        filename: name as sent, such as portfolio_20200324.txt, 2018-09-07.csv or pipeline_24mars2020.xlsx.
        above: the lines above the heading, asked only when the name has no date.
        today: a later date is refused.
        told: file name -> ISO date, where the sender says so.

    Raises:
        FileRefused: no date, one that can be read in two ways, or several that differ.
    """
    if told and filename in told:
        found = {told[filename]: PartialDate.parse(told[filename])}
    else:
        found = dates_in_name(filename) or _in_comments(above)
    if len(found) == 1:
        day = next(iter(found.values()))
        if day.earliest > today.isoformat():
            raise FileRefused(f"{filename} is dated {day.text}, which lies in the future; correct its name.")
        return day
    if not found:
        raise FileRefused(
            f"{filename}: it is not known when this snapshot was taken; put the date into the file's name, as in "
            f"portfolio_2020-03-24.csv."
        )
    raise FileRefused(
        f"{filename}: was this snapshot taken on {' or '.join(sorted(found))}? Rename the file with that date, as in "
        f"portfolio_{min(found)}.csv."
    )


def dates_in_name(filename: str) -> dict[str, PartialDate]:
    """Return every date a file name can mean, by its ISO text."""
    stem = filename.rpartition(".")[0] or filename
    for texts in (
        ("-".join(found.groups()) for found in _COMPACT.finditer(stem)),
        (f"{found[1]}-{found[3]}-{found[4]}" for found in _PARTED.finditer(stem)),
        (f"{found[1]}/{found[3]}/{found[4]}" for found in _YEAR_LAST.finditer(stem)),
        (re.sub(r"[-_.]", " ", found[0]) for found in _WORDED.finditer(stem)),
        (f"{found[1]}-{found[2]}" for found in _MONTH.finditer(stem)),
    ):
        dates = _read(texts)
        if dates:
            return dates
    return {}


def _in_comments(above: Sequence[str]) -> dict[str, PartialDate]:
    texts = []
    for line in above:
        said = _IN_COMMENT.search(line)
        if said is not None:
            texts += _DATE_LIKE.findall(said[0])
    return _read(texts)


def _read(texts: Iterable[str]) -> dict[str, PartialDate]:
    """Return every date the texts can mean; the point does not decide the order of day and month in a name."""
    dates: dict[str, PartialDate] = {}
    for text in texts:
        reading = read_date(text, DateHabit())
        if reading.value is not None:
            dates[reading.value.text] = reading.value
        for proposal in reading.proposals:
            dates[proposal] = PartialDate.parse(proposal)
    return dates

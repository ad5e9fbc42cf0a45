"""A made-up study of concentrations in SDTM, of any size, the same every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from pipeline.exchange.dataset_table import ColumnType, DataColumn, made
from pipeline.exchange.xpt_write import write_xpt

STUDY, ANALYTE = "BENCH-PK", "Benchlib"
TIMES = (0.0, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 24.0)
"""Hours after the dose at which samples are taken: one profile."""
PROFILES = 10
"""Doses of a subject after which samples are taken, a week apart."""
_LIMIT = 0.5
_FIRST = datetime(2024, 1, 8, 8)
_NUMBERS = frozenset({"PCSEQ", "PCSTRESN", "PCLLOQ", "VISITDY", "PCTPTNUM", "AGE", "EXSEQ", "EXDOSE", "EXSTDY"})
_DM = ("STUDYID", "DOMAIN", "USUBJID", "RFSTDTC", "AGE", "AGEU", "SEX", "ARMCD", "ARM")
_EX = ("STUDYID", "DOMAIN", "USUBJID", "EXSEQ", "EXTRT", "EXDOSE", "EXDOSU", "EXROUTE", "EXSTDTC", "EXSTDY")
_PC = (
    *("STUDYID", "DOMAIN", "USUBJID", "PCSEQ", "PCTESTCD", "PCTEST", "PCORRES", "PCORRESU", "PCSTRESC", "PCSTRESN"),
    *("PCSTRESU", "PCSPEC", "PCLLOQ", "VISITDY", "PCDTC", "PCTPT", "PCTPTNUM", "PCELTM", "PCRFTDTC"),
)
_Row = Sequence[str | float | None]


def write_study(folder: Path, rows: int, *, seed: int = 1) -> None:
    """Write data sets of demographics, doses and concentrations, which has so many rows, as transport files."""
    subjects = -(-rows // (len(TIMES) * PROFILES))
    _write(folder / "dm.xpt", "DM", _DM, lambda: map(_subject, range(subjects)))
    _write(folder / "ex.xpt", "EX", _EX, lambda: _doses(subjects))
    _write(folder / "pc.xpt", "PC", _PC, lambda: _concentrations(rows, Random(seed)))  # noqa: S311 - made-up data


def _write(path: Path, name: str, names: Sequence[str], rows: Callable[[], Iterator[_Row]]) -> None:
    columns = [
        DataColumn(column, type=ColumnType.NUMBER if column in _NUMBERS else ColumnType.TEXT) for column in names
    ]
    with path.open("wb") as out:
        write_xpt(out, [made(name, columns, rows)], created=_FIRST)


def _subject(number: int) -> _Row:
    start = f"{_given(number, 0):%Y-%m-%d}"
    return (STUDY, "DM", _who(number), start, 40.0 + number % 40, "YEARS", "F", "A", f"{ANALYTE} 100 mg")


def _doses(subjects: int) -> Iterator[_Row]:
    for number in range(subjects):
        for dose in range(PROFILES):
            given = f"{_given(number, dose):%Y-%m-%dT%H:%M}"
            yield (STUDY, "EX", _who(number), dose + 1, ANALYTE, 100.0, "mg", "ORAL", given, 7.0 * dose + 1)


def _concentrations(rows: int, random: Random) -> Iterator[_Row]:
    peak = 0.0
    for at in range(rows):
        profile, place = divmod(at, len(TIMES))
        number, dose = divmod(profile, PROFILES)
        if place == 0 and dose == 0:
            peak = 50 + 400 * random.random()
        hours, given = TIMES[place], _given(number, dose)
        value = float(f"{peak * hours * 2 ** (-hours / 4) * (0.9 + 0.2 * random.random()):.4g}")
        below = value < _LIMIT
        text = "BLQ" if below else f"{value:g}"
        yield (
            *(STUDY, "PC", _who(number), dose * len(TIMES) + place + 1, "BENCH", ANALYTE, text, "ng/mL", text),
            *(None if below else value, "ng/mL", "PLASMA", _LIMIT, 7.0 * dose + 1),
            *(f"{given + timedelta(hours=hours):%Y-%m-%dT%H:%M}", f"{hours:g} h", hours, f"PT{hours:g}H"),
            f"{given:%Y-%m-%dT%H:%M}",
        )


def _given(number: int, dose: int) -> datetime:
    return _FIRST + timedelta(days=number % 300 + 7 * dose)


def _who(number: int) -> str:
    return f"BENCH-{number + 1:06d}"

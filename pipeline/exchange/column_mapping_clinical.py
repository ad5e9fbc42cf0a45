"""Tables of doses, adverse events, laboratory values and exposure parameters as data sets of SDTM."""

from __future__ import annotations

import re

from pipeline.exchange.column_mapping_laboratory import test_code
from pipeline.exchange.column_mapping_parameters import parameter_code
from pipeline.exchange.column_mapping_people import add_people, without_people
from pipeline.exchange.column_mapping_records import Column, Drafts, Rows, hours_per, in_unit_of_result, label
from pipeline.exchange.column_mapping_rows import Doubt, add, ask_for_analytes, kept, number_in
from pipeline.exchange.dataset_table import number_text, rounded
from pipeline.exchange.elapsed_times import worded_hours
from pipeline.exchange.oncology_tables import count_hours
from pipeline.exchange.sdtm_safety import yes_or_no
from pipeline.exchange.study_facts import AdverseEventFact, ReportedParameterFact
from pipeline.exchange.written_numbers import read_number

_PREFIXED_GRADE = re.compile(r"(?:gr|g|grade|ctc)[ ._-]*([0-5])", re.IGNORECASE)


def doses(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Add what was given."""
    add_people(drafts, rows, columns)
    columns = without_people(columns)
    units = columns.get("EXDOSU") or [None] * len(rows)
    columns["EXDOSU"] = [unit or rows.units.get("dose") for unit in units]
    columns["EXDOSE"] = [
        text if read_number(text).value is not None else number_in(rows, text) for text in columns["EXDOSE"]
    ]
    if rows.has("duration"):
        columns["EXDUR"] = _durations(rows)
    if rows.has("day") and "day" not in rows.units:
        subjects, times = rows.texts("subject"), rows.values("day")
        if count_hours(subjects, times):
            columns["EXSTDY"] = [None if time is None else number_text(rounded(time / 24)) for time in times]
            heading = rows.headings.get("day", "time")
            drafts.notes.append(f"{heading} counts hours: successive doses lie 24 apart; it is converted to days")
    add(drafts, rows, "EX", columns, kept(rows))


def _durations(rows: Rows) -> Column:
    per = hours_per(rows, "duration")
    found: Column = []
    for text in rows.texts("duration"):
        value = read_number(text, rows.habit).value
        hours = value * per if value is not None else worded_hours(text).hours
        found.append(text if hours is None else f"PT{number_text(rounded(hours))}H")
    return found


def events(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Add adverse events."""
    add_people(drafts, rows, columns)
    columns = without_people(columns)
    if rows.has("grade"):
        columns["AETOXGR"] = _grades(rows, drafts)
    if rows.has("happened"):
        heading = rows.headings.get("happened", "happened")
        terms = columns.get("AETERM") or [None] * len(rows)
        for index, (row, mark) in enumerate(zip(rows.numbers, rows.texts("happened"), strict=True)):
            if terms[index] is None and yes_or_no(mark) is True:
                terms[index] = "adverse event, not named"
                why = "the row says that an event happened and not which"
                drafts.say(row, doubt=Doubt(AdverseEventFact, heading, mark, terms[index] or "", why, "term", {}))
            elif terms[index] is None:
                why = "the row says that no event happened; there is nothing to record"
                rows.spoil(row, "happened", mark, why)
        columns["AETERM"] = terms
    add(drafts, rows, "AE", columns, kept(rows))


def _grades(rows: Rows, drafts: Drafts) -> Column:
    """Return grades as figures where they are written with a prefix: GR1, Gr. 2."""
    found: Column = []
    for row, text in zip(rows.numbers, rows.texts("grade"), strict=True):
        prefixed = _PREFIXED_GRADE.fullmatch(text or "")
        found.append(prefixed[1] if prefixed else text)
        if prefixed:
            drafts.say(row, grade_reported=text)
    return found


def laboratory(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Add laboratory values."""
    add_people(drafts, rows, columns)
    columns = without_people(columns)
    columns["LBTESTCD"] = [None if name is None else test_code(name) for name in rows.texts("test")]
    units = columns.get("LBORRESU") or [None] * len(rows)
    columns["LBORRESU"] = [unit or rows.units.get("result") for unit in units]
    for variable, name in (("LBSTNRLO", "lower_normal"), ("LBSTNRHI", "upper_normal")):
        if variable in columns:
            columns[variable] = in_unit_of_result(rows, name, columns[variable], columns["LBORRESU"])
    columns |= {"LBSTRESU": columns["LBORRESU"], "LBSTRESN": [number_in(rows, text) for text in rows.texts("result")]}
    _word(rows, drafts, {"LBTESTCD": "test", "LBSTRESU": "unit", "LBSTRESN": "result", "LBORRESU": "unit"})
    add(drafts, rows, "LB", columns, kept(rows))


def _word(rows: Rows, drafts: Drafts, fields: dict[str, str]) -> None:
    titles = rows.mapping.about.titles
    for variable, name in fields.items():
        drafts.words[variable] = rows.headings.get(name, titles[name])


def parameters(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Add exposure parameters as they were reported."""
    add_people(drafts, rows, columns)
    columns = without_people(columns)
    names = rows.texts("parameter")
    columns["PPTEST"] = names
    columns["PPTESTCD"] = [None if name is None else parameter_code(name) for name in names]
    units = columns.get("PPORRESU") or [None] * len(rows)
    columns["PPORRESU"] = [unit or rows.units.get("value") for unit in units]
    columns |= {"PPSTRESU": columns["PPORRESU"], "PPSTRESN": [number_in(rows, text) for text in rows.texts("value")]}
    _word(rows, drafts, {"PPTESTCD": "parameter", "PPSTRESU": "unit", "PPSTRESN": "value", "PPORRESU": "unit"})
    for row, profile in zip(rows.numbers, rows.texts("profile"), strict=True):
        if profile is not None:
            drafts.say(row, profile=label(profile))
    if not (rows.has("profile") or rows.has("visit") or rows.has("day")):
        for row in rows.numbers:
            drafts.say(row, flag="no cycle and no day of the dose is given")
    ask_for_analytes(rows, drafts, ReportedParameterFact)
    add(drafts, rows, "PP", columns, kept(rows))

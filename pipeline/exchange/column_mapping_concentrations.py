"""Tables of concentrations as data sets of SDTM: results, planned times, moments, the same sample told twice."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.exchange.analysis_tables import analysis_doses, say_analysis
from pipeline.exchange.column_mapping_people import add_people, without_people
from pipeline.exchange.column_mapping_records import (
    Column,
    Drafts,
    Rows,
    clock_time,
    dates,
    hours_per,
    in_unit_of_result,
)
from pipeline.exchange.column_mapping_rows import Doubt, add, ask_for_analytes, first_of, kept
from pipeline.exchange.concentration_values import Stated, read_result
from pipeline.exchange.dataset_table import number_text, rounded
from pipeline.exchange.elapsed_times import iso_hours, worded_hours
from pipeline.exchange.study_facts import ConcentrationFact
from pipeline.exchange.written_numbers import read_number
from pipeline.exchange.written_units import unit_code


def concentrations(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Add concentrations."""
    add_people(drafts, rows, columns)
    columns = without_people(columns)
    columns["PCTESTCD"] = columns.get("PCTEST") or [None] * len(rows)
    drafts.words["PCTESTCD"] = drafts.words.get("PCTEST", "analyte")
    _results(rows, columns, drafts)
    _planned_times(rows, columns, drafts)
    if rows.has("sample_date") and "PCDTC" not in columns:
        columns["PCDTC"] = _moments(rows)
        drafts.words["PCDTC"] = rows.headings.get("sample_date", "date of the sample")
    _say_what_else_is_wrong(rows, columns["PCORRES"], columns["PCORRESU"])
    _volumes_of_specimens(rows, drafts)
    for row, profile in zip(rows.numbers, rows.texts("profile"), strict=True):
        drafts.say(row, analyte_code=None, **({"profile": profile} if profile is not None else {}))
    which = kept(rows)
    _same_samples(rows, columns, drafts, which)
    ask_for_analytes(rows, drafts, ConcentrationFact)
    add(drafts, rows, "PC", columns, which)


def _results(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Prepare the results: words of the mapping for "below the limit", zeros, numbers as the table writes them."""
    below = {word.casefold() for word in rows.mapping.below_limit}
    zero = rows.mapping.zero_is_below_limit
    results, numbers = list(rows.texts("concentration")), []
    heading = rows.headings.get("concentration", "concentration")
    unit = rows.units.get("concentration")
    units = columns.get("PCORRESU") or [None] * len(rows)
    columns["PCORRESU"] = [own or unit for own in units]
    limits: Column = [None] * len(rows)
    if "PCLLOQ" in columns:
        limits = in_unit_of_result(rows, "lower_limit", columns["PCLLOQ"], columns["PCORRESU"])
        columns["PCLLOQ"] = limits
    for index, (row, text, limit) in enumerate(zip(rows.numbers, rows.texts("concentration"), limits, strict=True)):
        value = read_number(text, rows.habit).value
        numbers.append(None if value is None else number_text(value))
        if text is None:
            continue
        if text.casefold() in below or (value == 0 and zero):
            results[index], numbers[index] = "BLQ", None
            drafts.say(row, reported=text)
        elif value == 0 and limit is None and zero is None:
            why = f"{heading} is 0 and no limit of quantification is given: 0 may stand for below the limit"
            drafts.say(row, doubt=_below(heading, text, why))
    columns |= {"PCORRES": results, "PCSTRESN": numbers, "PCSTRESU": columns["PCORRESU"]}
    for variable in ("PCORRES", "PCSTRESN"):
        drafts.words[variable] = heading
    for variable in ("PCORRESU", "PCSTRESU"):
        drafts.words.setdefault(variable, rows.headings.get("unit", f"unit of {heading}"))


def _say_what_else_is_wrong(rows: Rows, results: Column, units: Column) -> None:
    """Look at the results of rows that are put aside already: all that is to be mended is said at once."""
    for row, text, unit in zip(rows.numbers, results, units, strict=True):
        if row not in rows.bad:
            continue
        found = read_result(Stated(text, unit, None, None, None, None, None, None), rows.habit)
        if found.error is not None:
            rows.spoil(row, "concentration", text, found.error)
        if found.unit_error is not None:
            rows.spoil(row, "unit", unit, found.unit_error)


def _below(heading: str, text: str, why: str) -> Doubt:
    instead = {"concentration": None, "below_limit": True}
    return Doubt(ConcentrationFact, heading, text, "below the limit", why, "concentration", instead)


def _planned_times(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Prepare planned and true times: numbers by the unit of their column, words as words."""
    if rows.has("nominal_time"):
        per = hours_per(rows, "nominal_time")
        elapsed: Column = []
        words: Column = []
        for row, text in zip(rows.numbers, rows.texts("nominal_time"), strict=True):
            value = read_number(text, rows.habit).value
            elapsed.append(None if value is None else f"PT{number_text(rounded(value * per))}H")
            if text is not None and value is None and (hours := iso_hours(text)) is not None:
                elapsed[-1] = f"PT{number_text(hours)}H"
            worded = text if value is None and worded_hours(text).hours is not None else None
            words.append(worded)
            if text is not None:
                drafts.say(row, nominal_time=text)
                if elapsed[-1] is None and worded is None:
                    drafts.say(row, flag=f"{text[:40]!r} gives no time after the dose")
        columns |= {"PCELTM": elapsed, "PCTPT": words}
        for variable in ("PCELTM", "PCTPT"):
            drafts.words[variable] = rows.headings.get("nominal_time", "planned time")
    if rows.has("actual_time"):
        per, heading = hours_per(rows, "actual_time"), rows.headings.get("actual_time", "true time")
        for row, value in zip(rows.numbers, rows.values("actual_time"), strict=True):
            if value is not None:
                drafts.say(row, true_hours=rounded(value * per), true_source=heading)


def _moments(rows: Rows) -> Column:
    found: Column = []
    for row, day, clock in zip(rows.numbers, dates(rows, "sample_date"), rows.texts("sample_time"), strict=True):
        time = clock_time(clock)
        if clock is not None and time is None:
            drafted = "this is no time of day; write HH:MM"
            rows.spoil(row, "sample_time", clock, drafted)
        found.append(f"{day}T{time}" if day is not None and time is not None and "T" not in day else day)
    return found


def _volumes_of_specimens(rows: Rows, drafts: Drafts) -> None:
    if not rows.has("volume"):
        return
    units = rows.texts("volume_unit")
    for row, volume, unit in zip(rows.numbers, rows.values("volume"), units, strict=True):
        code = unit_code(unit or rows.units.get("volume"))
        if volume is not None and code is not None:
            drafts.say(row, amount_of_specimen=volume, amount_unit=code)
        elif volume is not None:
            drafts.say(row, flag=f"the volume {number_text(volume)} has no unit and is left out")


def _same_samples(rows: Rows, columns: dict[str, Column], drafts: Drafts, which: Sequence[int]) -> None:
    """Hold a sample that stands under a second planned time: it would be counted twice."""
    moments, results = columns.get("PCDTC"), columns["PCORRES"]
    if moments is None:
        return
    names = [columns.get(name) or [None] * len(rows) for name in ("STUDYID", "USUBJID", "PCTEST", "PCSPEC")]
    seen: dict[tuple[str | None, ...], int] = {}
    heading = rows.headings.get("nominal_time")
    planned, profiles = rows.texts("nominal_time"), rows.texts("profile")
    for index in which:
        moment = moments[index]
        if moment is None or len(moment) < 16 or results[index] is None:
            continue
        first = seen.setdefault((*(cells[index] for cells in names), moment, results[index]), index)
        if first == index or (planned[first], profiles[first]) == (planned[index], profiles[index]):
            continue
        why = (
            f"the sample of {moment} stands in row {rows.numbers[first]} too, there planned at {planned[first]}: "
            "taken twice it would count in two profiles"
        )
        proposed = "a second record of the same sample"
        told = Doubt(ConcentrationFact, heading, planned[index], proposed, why, None, {})
        known = drafts.extras.get(rows.numbers[index], {}).get("doubt")
        if known is not None:
            told = told._replace(why=f"{why}; {known.why}", instead=known.instead)
        drafts.say(rows.numbers[index], doubt=told)


def analysis(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Add concentrations that were prepared for analysis, and the doses they name."""
    add_people(drafts, rows, columns)
    columns = without_people(columns)
    columns["PCTESTCD"] = columns.get("PCTEST") or [None] * len(rows)
    drafts.words["PCTESTCD"] = drafts.words.get("PCTEST", "analyte")
    drafts.words |= dict.fromkeys(("PCORRES", "PCSTRESN", "PCSTRESC"), rows.headings.get("concentration", "result"))
    drafts.words |= dict.fromkeys(("PCORRESU", "PCSTRESU"), rows.headings.get("unit", "unit"))
    say_analysis(rows, columns, drafts)
    which = kept(rows)
    doses = analysis_doses(rows, columns, drafts)
    first = first_of(rows, doses, ("STUDYID", "USUBJID", "EXTRT", "VISIT", "EXSTDY"), which)
    drafts.derived.add("EX")
    add(drafts, rows, "EX", doses, [index for index in first if doses["EXTRT"][index] is not None])
    add(drafts, rows, "PC", columns, which)

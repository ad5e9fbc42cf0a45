"""What each kind of table becomes: data sets of SDTM with what is said beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from pipeline.exchange.analysis_tables import analysis_doses, say_analysis
from pipeline.exchange.column_mapping_laboratory import test_code
from pipeline.exchange.column_mapping_parameters import parameter_code
from pipeline.exchange.column_mapping_propose import split_heading
from pipeline.exchange.column_mapping_records import (
    Column,
    Drafts,
    Rows,
    clock_time,
    dates,
    days_per,
    hours_per,
    in_unit_of_result,
    label,
    prepared,
)
from pipeline.exchange.concentration_values import Stated, read_result
from pipeline.exchange.dataset_table import number_text, rounded
from pipeline.exchange.elapsed_times import iso_hours, worded_hours
from pipeline.exchange.oncology_tables import as_percent, count_hours, is_fraction
from pipeline.exchange.result_words import Kind, read_words
from pipeline.exchange.sdtm_safety import yes_or_no
from pipeline.exchange.study_facts import (
    AdverseEventFact,
    ConcentrationFact,
    Fact,
    MeasurementFact,
    ReportedParameterFact,
)
from pipeline.exchange.written_numbers import read_number
from pipeline.exchange.written_units import unit_code
from pipeline.exchange.xenograft_groups import read_group

ANIMAL = "animal"
"""Species of subjects of which only that is known."""
_PREFIXED_GRADE = re.compile(r"(?:gr|g|grade|ctc)[ ._-]*([0-5])", re.IGNORECASE)
_PEOPLE = ("STUDYID", "USUBJID", "ARM", "ARMCD", "SEX", "AGE", "AGEU", "SPECIES", "STRAIN", "SETCD")


class Doubt(NamedTuple):
    """Why a fact of a row waits for a decision, and what it would be."""

    kind: type[Fact]
    column: str | None
    value: str | None
    proposed: str
    why: str
    field: str | None
    instead: dict[str, Any]


def draft(rows: Rows) -> Drafts:
    """Return the data sets a table becomes."""
    drafts = Drafts(rows.dataset.place)
    fields = rows.mapping.about.fields
    columns: dict[str, Column] = {}
    domain = rows.mapping.about.domain
    for name, about in fields.items():
        if not about.variable or not rows.has(name):
            continue
        variable = about.variable.replace("-", domain)
        columns[variable] = prepared(rows, name, about)
        drafts.words[variable] = rows.headings.get(name, about.title)
    for name, about in fields.items():
        if name in ("subject", "study"):
            drafts.words.setdefault(about.variable, about.title)
    _DRAFTS[rows.mapping.kind](rows, columns, drafts)
    return drafts


def kept(rows: Rows) -> list[int]:
    """Return the places of the rows that can be read so far."""
    return [index for index, row in enumerate(rows.numbers) if row not in rows.bad]


def picked(columns: dict[str, Column], which: Sequence[int]) -> dict[str, Column]:
    """Return some rows of columns."""
    return {name: [cells[index] for index in which] for name, cells in columns.items()}


def first_of(rows: Rows, columns: dict[str, Column], names: Iterable[str], which: Sequence[int]) -> list[int]:
    """Return which rows are the first to say what they say in some columns."""
    told = [columns[name] for name in names if name in columns]
    seen: set[tuple[str | None, ...]] = set()
    found = []
    for index in which:
        said = tuple(cells[index] for cells in told)
        if said not in seen:
            seen.add(said)
            found.append(index)
    return found


def add(drafts: Drafts, rows: Rows, domain: str, columns: dict[str, Column], which: Sequence[int]) -> None:
    """Add a data set of some rows."""
    drafts.add(domain, [rows.numbers[index] for index in which], picked(columns, which))


def add_people(drafts: Drafts, rows: Rows, columns: dict[str, Column]) -> None:
    """Add who the subjects are, told by the first row of each."""
    people = {name: columns[name] for name in _PEOPLE if name in columns}
    if not people.keys() - {"STUDYID", "USUBJID"}:
        return
    which = [index for index in first_of(rows, people, people, kept(rows)) if rows.texts("subject")[index]]
    people["ARMCD"] = people.get("ARMCD") or people.get("ARM") or [None] * len(rows)
    drafts.derived.add("DM")
    drafts.people = [(rows.numbers[index], {name: cells[index] for name, cells in people.items()}) for index in which]


def tell_people(tables: Iterable[Drafts]) -> None:
    """Add the data sets of subjects: what rows and tables say of one is put together, what contradicts stays apart."""
    known: dict[tuple[str | None, str | None], tuple[Drafts, int, dict[str, str | None]]] = {}
    told: list[tuple[Drafts, int, dict[str, str | None]]] = []
    for drafts in tables:
        for row, said in drafts.people:
            key = (said.get("STUDYID"), said.get("USUBJID"))
            before = known.get(key)
            if before is None:
                known[key] = (drafts, row, dict(said))
                told.append(known[key])
            elif all(before[2].get(name) in (None, value) for name, value in said.items() if value is not None):
                before[2].update({name: value for name, value in said.items() if value is not None})
            else:
                told.append((drafts, row, said))
    for drafts in tables:
        own = [(row, said) for whose, row, said in told if whose is drafts]
        names = dict.fromkeys(name for _, said in own for name in said)
        columns = {name: [said.get(name) for _, said in own] for name in names}
        drafts.add("DM", [row for row, _ in own], columns, keep=("ARMCD",))


def without_people(columns: dict[str, Column]) -> dict[str, Column]:
    """Return the columns of records, which do not say again who the subject is."""
    return {name: cells for name, cells in columns.items() if name not in _PEOPLE or name in ("STUDYID", "USUBJID")}


# ------------------------------------------------------------ tumours and weights of animals


def _tumour_growth(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    _add_groups(rows, columns, drafts)
    species = rows.texts("species")
    _add_summary(rows, columns, drafts, [("SPECIES", [name or ANIMAL for name in species])])
    columns["SPECIES"] = [None if name is None else name.lower() for name in species]
    add_people(drafts, rows, columns)
    records = without_people(columns)
    records["VISITDY"] = records.pop("TRDY", [None] * len(rows))
    drafts.words["VISITDY"] = drafts.words.get("TRDY", "day")
    which = kept(rows)
    moments = records.pop("TRDTC", None)
    for field, domain, test in (("tumour_volume", "TR", "TUMVOL"), ("body_weight", "BW", "BW")):
        cells = rows.texts(field)
        measured = rows.has(field)
        if field == "tumour_volume" and not measured and rows.has("length") and rows.has("width"):
            cells, measured = _volumes(rows, drafts), True
        if not measured:
            continue
        said = dict(records)
        if moments is not None:
            said[f"{domain}DTC"] = moments
        unit = (
            rows.units.get(field) or rows.mapping.constants.get(f"{field}_unit") or ("mm3" if domain == "TR" else "g")
        )
        stated = split_heading(rows.headings.get(field, ""))[1]
        said |= {f"{domain}TESTCD": [test] * len(rows), f"{domain}ORRES": cells, f"{domain}STRESU": [unit] * len(rows)}
        said[f"{domain}STRESN"] = [_number(rows, text) for text in cells]
        said[f"{domain}ORRESU"] = [stated] * len(rows)
        for variable in (f"{domain}ORRES", f"{domain}STRESN", f"{domain}STRESU", f"{domain}ORRESU"):
            drafts.words[variable] = rows.headings.get(field, field)
        _check_sizes(rows, drafts, field, cells)
        add(drafts, rows, domain, said, [index for index in which if rows.numbers[index] not in rows.bad])


def _number(rows: Rows, text: str | None) -> str | None:
    value = read_number(text, rows.habit).value
    return None if value is None else number_text(value)


def _check_sizes(rows: Rows, drafts: Drafts, field: str, cells: Column) -> None:
    for row, text in zip(rows.numbers, cells, strict=True):
        reading = read_number(text, rows.habit)
        value = reading.value
        if text is not None and value is None and read_words(text, rows.habit).kind is not Kind.NOT_DONE:
            either = " or ".join(map(number_text, reading.either or ()))
            rows.spoil(
                row, field, text, f"this can be {either}; write one" if either else "this is no number; write one"
            )
        if value is not None and (value < 0 or (field == "body_weight" and value == 0)):
            rows.spoil(row, field, text, f"a {field.replace('_', ' ')} cannot be {text}; correct it")


def _volumes(rows: Rows, drafts: Drafts) -> Column:
    """Return volumes from two diameters, 0.5 x length x width^2, the shorter one as the width."""
    unit = rows.units.get("length") or "mm"
    factor = {"mm": 1.0, "cm": 1000.0}.get(unit_code(unit) or "", 1.0)
    found: Column = []
    for row, length, width in zip(rows.numbers, rows.values("length"), rows.values("width"), strict=True):
        if length is None or width is None:
            found.append(None)
            continue
        short, long = sorted((length, width))
        found.append(number_text(rounded(0.5 * long * short * short * factor)))
        drafts.say(row, flag="the volume is 0.5 x length x width^2")
    return found


def _add_groups(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Add the groups, with the doses and the control that their names tell."""
    names = columns.get("SETCD")
    if names is None:
        return
    columns["ARM"] = names
    which = [index for index in kept(rows) if names[index] is not None]
    studies = columns.get("STUDYID") or [None] * len(rows)
    cohorts: dict[tuple[str | None, str | None], list[str]] = {}
    for index in which:
        cohort = rows.texts("cohort")[index]
        known = cohorts.setdefault((studies[index], names[index]), [])
        if cohort is not None and cohort not in known:
            known.append(cohort)
    said: list[tuple[int, str, str]] = []
    stated = rows.values("dose") if rows.has("dose") else [None] * len(rows)
    for index in first_of(rows, {"study": studies, "group": names}, ("study", "group"), which):
        name = names[index] or ""
        told = read_group(name, rows.habit)
        said.append((index, "GRPLBL", name))
        dose = stated[index]
        unit = rows.texts("dose_unit")[index] or rows.units.get("dose")
        if dose is not None:
            said.append((index, "TRTDOS", number_text(dose)))
        elif len(told.doses) == 1 and told.doses[0].amount is not None:
            said.append((index, "TRTDOS", told.doses[0].reported))
            unit = unit or told.doses[0].unit
        if unit is not None:
            said.append((index, "TRTDOSU", unit))
        named = [item for item in told.doses if item.name]
        said += [(index, f"DOSE {item.name}", " ".join(filter(None, (item.reported, item.unit)))) for item in named]
        if told.control or dose == 0:
            said.append((index, "TCNTRL", "control group"))
        said += [(index, "COHORT", cohort) for cohort in sorted(cohorts[studies[index], names[index]])]
    drafts.derived.add("TX")
    drafts.add(
        "TX",
        [rows.numbers[index] for index, _, _ in said],
        {
            "STUDYID": [studies[index] for index, _, _ in said],
            "SETCD": [names[index] for index, _, _ in said],
            "SET": [names[index] for index, _, _ in said],
            "TXPARMCD": [code for _, code, _ in said],
            "TXVAL": [value for _, _, value in said],
        },
    )


def _add_summary(
    rows: Rows, columns: dict[str, Column], drafts: Drafts, parameters: Sequence[tuple[str, Column]]
) -> None:
    """Add what a table says of each study as a whole: the first value of each."""
    studies = columns.get("STUDYID") or [None] * len(rows)
    which = first_of(rows, {"study": studies}, ("study",), kept(rows))
    numbers, codes, values, of = [], [], [], []
    for code, cells in parameters:
        for index in which:
            if cells[index] is not None:
                numbers.append(rows.numbers[index])
                codes.append(code)
                values.append(cells[index])
                of.append(studies[index])
    drafts.derived.add("TS")
    drafts.add("TS", numbers, {"STUDYID": of, "TSPARMCD": list(codes), "TSVAL": values})


# ------------------------------------------------------------ concentrations


def _concentrations(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
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
    _ask_for_analytes(rows, drafts, ConcentrationFact)
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


def _analysis(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
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


# ------------------------------------------------------------ doses, events, laboratory, parameters


def _doses(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    add_people(drafts, rows, columns)
    columns = without_people(columns)
    units = columns.get("EXDOSU") or [None] * len(rows)
    columns["EXDOSU"] = [unit or rows.units.get("dose") for unit in units]
    columns["EXDOSE"] = [
        text if read_number(text).value is not None else _number(rows, text) for text in columns["EXDOSE"]
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


def _events(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
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


def _laboratory(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    add_people(drafts, rows, columns)
    columns = without_people(columns)
    columns["LBTESTCD"] = [None if name is None else test_code(name) for name in rows.texts("test")]
    units = columns.get("LBORRESU") or [None] * len(rows)
    columns["LBORRESU"] = [unit or rows.units.get("result") for unit in units]
    for variable, name in (("LBSTNRLO", "lower_normal"), ("LBSTNRHI", "upper_normal")):
        if variable in columns:
            columns[variable] = in_unit_of_result(rows, name, columns[variable], columns["LBORRESU"])
    columns |= {"LBSTRESU": columns["LBORRESU"], "LBSTRESN": [_number(rows, text) for text in rows.texts("result")]}
    _word(rows, drafts, {"LBTESTCD": "test", "LBSTRESU": "unit", "LBSTRESN": "result", "LBORRESU": "unit"})
    add(drafts, rows, "LB", columns, kept(rows))


def _word(rows: Rows, drafts: Drafts, fields: dict[str, str]) -> None:
    titles = rows.mapping.about.titles
    for variable, name in fields.items():
        drafts.words[variable] = rows.headings.get(name, titles[name])


def _parameters(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    add_people(drafts, rows, columns)
    columns = without_people(columns)
    names = rows.texts("parameter")
    columns["PPTEST"] = names
    columns["PPTESTCD"] = [None if name is None else parameter_code(name) for name in names]
    units = columns.get("PPORRESU") or [None] * len(rows)
    columns["PPORRESU"] = [unit or rows.units.get("value") for unit in units]
    columns |= {"PPSTRESU": columns["PPORRESU"], "PPSTRESN": [_number(rows, text) for text in rows.texts("value")]}
    _word(rows, drafts, {"PPTESTCD": "parameter", "PPSTRESU": "unit", "PPSTRESN": "value", "PPORRESU": "unit"})
    for row, profile in zip(rows.numbers, rows.texts("profile"), strict=True):
        if profile is not None:
            drafts.say(row, profile=label(profile))
    if not (rows.has("profile") or rows.has("visit") or rows.has("day")):
        for row in rows.numbers:
            drafts.say(row, flag="no cycle and no day of the dose is given")
    _ask_for_analytes(rows, drafts, ReportedParameterFact)
    add(drafts, rows, "PP", columns, kept(rows))


def _ask_for_analytes(rows: Rows, drafts: Drafts, kind: type[Fact]) -> None:
    """Ask of which compound a figure is where the arm gives several and no column says it."""
    analytes = dict(zip(rows.numbers, rows.texts("analyte"), strict=True))
    for row, compounds in rows.unsure.items():
        analyte = analytes[row]
        why = f"the arm gives {' and '.join(compounds)}, and no column says of which the figure is"
        known = drafts.extras.get(row, {}).get("doubt")
        told = Doubt(kind, "analyte", None, analyte or "", why, "analyte", {})
        if known is not None:
            told = known._replace(why=f"{known.why}; {why}")
        drafts.say(row, doubt=told)


# ------------------------------------------------------------ responses


def _responses(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    add_people(drafts, rows, columns)
    columns = without_people(columns)
    which = kept(rows)
    days = columns.pop("RSDY", None)
    reported: set[int] = set()
    for field, test in (("best_response", "BESTRESP"), ("response", "OVRLRESP")):
        if not rows.has(field):
            continue
        of_response = _days(rows, "day_of_response") if field == "response" and rows.has("day_of_response") else days
        said = {name: cells for name, cells in columns.items() if name != "RSORRES"} | {"RSORRES": rows.texts(field)}
        said["RSTESTCD"] = [None if text is None else test for text in rows.texts(field)]
        if of_response is not None and field == "response":
            said["RSDY"] = of_response
        filled = [index for index in which if said["RSORRES"][index] is not None]
        first = first_of(rows, said, said, filled)
        reported.update(first)
        drafts.words |= {"RSORRES": rows.headings.get(field, field), "RSTESTCD": rows.headings.get(field, field)}
        add(drafts, rows, "RS", said, first)
    for field, test in (("sum_change", "PCBSD"), ("best_change", "BESTPC"), ("sum", "SUMDIAM")):
        if rows.has(field):
            reported.update(_add_change(rows, columns, drafts, field, test, days))
    for index in which:
        if index not in reported:
            drafts.silent.append(rows.numbers[index])


def _days(rows: Rows, name: str) -> Column:
    per = days_per(rows, name)
    return [None if value is None else number_text(rounded(value * per)) for value in rows.values(name)]


def _add_change(
    rows: Rows, columns: dict[str, Column], drafts: Drafts, field: str, test: str, days: Column | None
) -> list[int]:
    """Add sums of diameters or their changes in percent; changes given as fractions are put into percent."""
    texts, values = rows.texts(field), rows.values(field)
    heading = rows.headings.get(field, field)
    said = {name: cells for name, cells in columns.items() if name in ("STUDYID", "USUBJID", "VISIT")}
    if columns.get("RSDTC") is not None and field != "best_change":
        said["TRDTC"] = columns["RSDTC"]
    if days is not None and field != "best_change":
        said["VISITDY"] = days
    unit: str | None = rows.units.get(field) or ("%" if test != "SUMDIAM" else "mm")
    fraction: bool | None = False
    if test != "SUMDIAM" and unit == "%" and not rows.units.get(field):
        others = rows.values("sum_change") if field == "best_change" and rows.has("sum_change") else []
        fraction = is_fraction([v for v in values if v is not None], [v for v in others if v is not None])
    said |= {"TRTESTCD": [None if text is None else test for text in texts], "TRORRES": texts}
    said["TRORRESU"] = ["1" if fraction else unit] * len(rows)
    said["TRSTRESN"] = [as_percent(value, bool(fraction)) for value in values]
    said["TRSTRESC"], said["TRSTRESU"] = said["TRSTRESN"], [unit] * len(rows)
    drafts.words |= dict.fromkeys(("TRORRES", "TRSTRESN", "TRSTRESU", "TRTESTCD"), heading)
    filled = [index for index in kept(rows) if texts[index] is not None]
    which = first_of(rows, said, said, filled)
    for index in which if fraction is None else ():
        why = f"{heading} can be a fraction or percent: no value is beyond 1.5"
        told = Doubt(MeasurementFact, heading, texts[index], "percent", why, "value", {})
        drafts.say(rows.numbers[index], doubt=told)
    add(drafts, rows, "TR", said, which)
    return which


_DRAFTS: dict[str, Callable[[Rows, dict[str, Column], Drafts], None]] = {
    "TUMOUR_GROWTH": _tumour_growth,
    "ANALYSIS": _analysis,
    "CONCENTRATIONS": _concentrations,
    "DOSES": _doses,
    "ADVERSE_EVENTS": _events,
    "LABORATORY": _laboratory,
    "PARAMETERS": _parameters,
    "RESPONSES": _responses,
}

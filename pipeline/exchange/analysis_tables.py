"""Concentrations prepared for analysis (ADNCA, ADPC): one row tells a sample, its dose, and two clocks.

Hours are those since the reference dose (ARRLT, else AFRLT for a first dose); the dosing interval is ATPTREF. What the
analysis leaves out (NCA1XRS and so on) is left out of calculations here, with its reasons.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.exchange.column_mapping_records import Column, Drafts, Rows, hours_per
from pipeline.exchange.dataset_table import number_text, rounded
from pipeline.exchange.written_numbers import read_number
from pipeline.exchange.written_units import unit_code

_SAME_H = 0.25
_YES = ("Y", "YES", "1", "O")


def say_analysis(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Prepare results and times of every row, and say what SDTM has no variable for."""
    _results(rows, columns, drafts)
    true, planned = _hours(rows, "from_reference"), _hours(rows, "planned_from_reference")
    first, planned_first = _hours(rows, "from_first"), _hours(rows, "planned_from_first")
    ends = _ends(rows, true, first, drafts)
    profiles = rows.texts("profile")
    days = _days(true, planned, first, planned_first)
    heading = rows.headings.get("from_reference") or rows.headings.get("planned_from_reference")
    elapsed: Column = []
    named = rows.texts("planned_from_reference") if rows.has("planned_from_reference") else rows.texts("from_reference")
    for index, row in enumerate(rows.numbers):
        since = true[index] if true[index] is not None else planned[index]
        if since is None and days[index] in (None, 1.0):
            since = first[index] if first[index] is not None else planned_first[index]
        nominal = planned[index] if planned[index] is not None else since
        elapsed.append(None if nominal is None else f"PT{number_text(nominal)}H")
        drafts.say(
            row,
            analyte_code=None,
            nominal_time=named[index],
            true_hours=since,
            true_source=heading or rows.headings.get("from_first"),
            end_hours=ends[index],
            profile=profiles[index],
            day=days[index],
        )
        volume = read_number(rows.texts("volume")[index], rows.habit).value if rows.has("volume") else None
        unit = unit_code(rows.texts("volume_unit")[index] or rows.units.get("volume"))
        if volume is not None and unit is not None:
            drafts.say(row, amount_of_specimen=volume, amount_unit=unit)
    _leave_out(rows, drafts)
    columns["PCELTM"] = elapsed
    drafts.words["PCELTM"] = rows.headings.get("planned_from_reference", "planned time")
    # Two samples of one planned time are told apart by their true times.
    columns["PCREPNUM"] = rows.texts("from_reference")
    drafts.words["PCREPNUM"] = rows.headings.get("from_reference", "true time")


def _hours(rows: Rows, name: str) -> list[float | None]:
    """Return times in hours; a column of units comes before the unit of the heading."""
    if not rows.has(name):
        return [None] * len(rows)
    per = hours_per(rows, name)
    units = {text: _unit_hours(text) for text in set(rows.texts("time_unit"))}
    return [
        None if value is None else rounded(value * (units[unit] or per))
        for value, unit in zip(rows.values(name), rows.texts("time_unit"), strict=True)
    ]


def _unit_hours(text: str | None) -> float | None:
    return {"h": 1.0, "min": 1 / 60, "d": 24.0, "wk": 168.0}.get(unit_code(text) or "")


def _results(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Take the analysis value; the reported text stands beside it where the table has it."""
    texts, reported = rows.texts("concentration"), rows.texts("reported")
    columns["PCSTRESN"] = [
        None if (value := read_number(text, rows.habit).value) is None else number_text(value) for text in texts
    ]
    columns["PCSTRESU"] = columns.get("PCORRESU") or [None] * len(rows)
    columns["PCORRES"] = [said or text for said, text in zip(reported, texts, strict=True)]
    for row, derived in zip(rows.numbers, rows.texts("derived"), strict=True):
        if derived is not None:
            drafts.say(row, flag=f"derived for the analysis ({derived})")


def _ends(
    rows: Rows, true: Sequence[float | None], first: Sequence[float | None], drafts: Drafts
) -> list[float | None]:
    """Return when collections ended, since the reference dose; None for samples of one moment."""
    ends, others = _hours(rows, "end_from_reference"), _hours(rows, "end_from_first")
    found: list[float | None] = []
    for index, row in enumerate(rows.numbers):
        began, end = true[index], ends[index]
        began_first, end_first = first[index], others[index]
        if end is None and end_first is not None and began is not None and began_first is not None:
            end = rounded(began + end_first - began_first)
        if end is None or began is None or end <= began:
            found.append(None)
            continue
        if end_first is not None and began_first is not None:
            lasted, other = end - began, end_first - began_first
            if abs(lasted - other) > _SAME_H:
                said = (
                    f"the collection lasted {lasted:.3g} h by {rows.headings['end_from_reference']} and {other:.3g} h "
                    f"by {rows.headings['end_from_first']}"
                    if "end_from_reference" in rows.headings
                    else ""
                )
                if said:
                    drafts.say(row, flag=f"{said}; the first is taken")
        found.append(end)
    return found


def _days(
    true: Sequence[float | None],
    planned: Sequence[float | None],
    first: Sequence[float | None],
    planned_first: Sequence[float | None],
) -> list[float | None]:
    """Return the study day of the reference dose: the clocks of a row lie its distance from the first dose apart."""
    found: list[float | None] = []
    for row in zip(planned_first, planned, first, true, strict=True):
        apart = next((a - b for a, b in (row[:2], row[2:]) if a is not None and b is not None), None)
        found.append(None if apart is None else float(int((apart + 1.0) // 24) + 1))
    return found


def _leave_out(rows: Rows, drafts: Drafts) -> None:
    names = [name for name in (f"reason_{n}" for n in range(1, 10)) if rows.has(name)]
    for index, row in enumerate(rows.numbers):
        reasons = [text for name in names if (text := rows.texts(name)[index]) is not None]
        marked = (rows.texts("left_out")[index] or "").upper() in _YES
        if reasons or marked:
            why = "; ".join(dict.fromkeys(reasons)) or "left out by the source"
            drafts.say(row, exclusion_reason=why, exclusion_scope="CALCULATION")


def analysis_doses(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> dict[str, Column]:
    """Return the doses the rows tell, each once for every sample after it."""
    durations: Column = []
    for text in rows.texts("infusion_hours"):
        value = read_number(text, rows.habit).value
        durations.append(None if value is None or value < 0 else f"PT{number_text(value)}H")
    told = [drafts.extras.get(row, {}).get("day") for row in rows.numbers]
    doses = rows.values("dose") if rows.has("dose") else [None] * len(rows)
    return {
        "STUDYID": columns.get("STUDYID") or [None] * len(rows),
        "USUBJID": columns["USUBJID"],
        "EXTRT": rows.texts("treatment"),
        "EXDOSE": [None if dose is None else number_text(dose) for dose in doses],
        "EXDOSU": rows.texts("dose_unit"),
        "EXROUTE": rows.texts("route"),
        "EXDUR": durations,
        "VISIT": rows.texts("profile"),
        "EXSTDY": [None if day is None else number_text(day) for day in told],
    }

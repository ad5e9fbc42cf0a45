"""Tables of tumour responses and sums of diameters as data sets of SDTM."""

from __future__ import annotations

from pipeline.exchange.column_mapping_people import add_people, without_people
from pipeline.exchange.column_mapping_records import Column, Drafts, Rows, days_per
from pipeline.exchange.column_mapping_rows import Doubt, add, first_of, kept
from pipeline.exchange.dataset_table import number_text, rounded
from pipeline.exchange.oncology_tables import as_percent, is_fraction
from pipeline.exchange.study_facts import MeasurementFact


def responses(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Add tumour responses, sums of diameters and their changes."""
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

"""Tables of tumour volumes and body weights of animals as data sets of SEND."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.exchange.column_mapping_people import add_people, without_people
from pipeline.exchange.column_mapping_propose import split_heading
from pipeline.exchange.column_mapping_records import Column, Drafts, Rows
from pipeline.exchange.column_mapping_rows import add, first_of, kept, number_in
from pipeline.exchange.dataset_table import number_text, rounded
from pipeline.exchange.result_words import Kind, read_words
from pipeline.exchange.written_numbers import read_number
from pipeline.exchange.written_units import unit_code
from pipeline.exchange.xenograft_groups import read_group

ANIMAL = "animal"
"""Species of subjects of which only that is known."""


def tumour_growth(rows: Rows, columns: dict[str, Column], drafts: Drafts) -> None:
    """Add tumour volumes and body weights, the groups and the species of the animals."""
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
        said[f"{domain}STRESN"] = [number_in(rows, text) for text in cells]
        said[f"{domain}ORRESU"] = [stated] * len(rows)
        for variable in (f"{domain}ORRES", f"{domain}STRESN", f"{domain}STRESU", f"{domain}ORRESU"):
            drafts.words[variable] = rows.headings.get(field, field)
        _check_sizes(rows, drafts, field, cells)
        add(drafts, rows, domain, said, [index for index in which if rows.numbers[index] not in rows.bad])


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

"""What was given (EX) and the exposure parameters a source reports (PP) in SDTM and SEND."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.exchange.dataset_table import number_text
from pipeline.exchange.dose_units import read_unit
from pipeline.exchange.elapsed_times import iso_hours
from pipeline.exchange.reading import Quarantined
from pipeline.exchange.result_words import Kind, read_words
from pipeline.exchange.sdtm_concentrations import UNSPECIFIED
from pipeline.exchange.sdtm_rows import Outcome, Rows, facts_of
from pipeline.exchange.sdtm_screening import notes_of, screen
from pipeline.exchange.sdtm_study import StudyView, analyte_name
from pipeline.exchange.sdtm_values import hold_ambiguous
from pipeline.exchange.study_facts import AdministrationFact, HeldFact, ReportedParameterFact
from pipeline.exchange.written_numbers import NumberReading, habit_of, read_number
from pipeline.exchange.written_units import unit_code


def read_administrations(rows: Rows, study: StudyView) -> list[Outcome]:
    """Read doses, and note when they were given: concentrations are counted from them."""
    subjects, pools, treatments = rows.texts("USUBJID", "SUBJID"), rows.texts("POOLID"), rows.texts("EXTRT")
    starts = rows.moments("EXSTDTC")
    ends = rows.moments("EXENDTC")
    texts, units, durations = rows.texts("EXDOSE"), rows.texts("EXDOSU"), rows.texts("EXDUR")
    doses = list(map(read_number, texts))
    codes = {unit: read_unit(unit).code for unit in set(units)}
    place = rows.places()[0] if len(rows) else None
    named = {name: study.name_treatment(name, place) for name in dict.fromkeys(treatments) if name and place}
    outcomes = facts_of(
        AdministrationFact,
        rows,
        {
            "subject": subjects,
            "pool": pools,
            "molecule": [named.get(name or "") for name in treatments],
            "treatment": [name or "" for name in treatments],
            "sequence": rows.texts("EXSEQ"),
            "amount_reported": [a or b for a, b in zip(texts, rows.texts("EXDOSTXT"), strict=True)],
            "amount": [_first(dose) for dose in doses],
            "unit_reported": units,
            "unit": [codes[unit] for unit in units],
            "form": rows.texts("EXDOSFRM"),
            "route": rows.texts("EXROUTE"),
            "frequency": rows.texts("EXDOSFRQ"),
            "visit": rows.texts("VISIT", "VISITDY"),
            "started_on": [start.text for start in starts],
            "ended_on": [end.text for end in ends],
            "started_day": [
                study.day_of(start.text, who) if day is None and who in study.reference_starts else day
                for day, start, who in zip(rows.numbers("EXSTDY", "VISITDY"), starts, subjects, strict=True)
            ],
            "ended_day": rows.numbers("EXENDY"),
            "duration_reported": durations,
            "duration_hours": list(map(iso_hours, durations)),
            "sorted_on": [start.sorted_on for start in starts],
        },
    )
    for at, (dose, fact) in enumerate(zip(doses, outcomes, strict=True)):
        if isinstance(fact, AdministrationFact):
            outcomes[at] = _checked_dose(fact, dose)
    for who, pool, start in zip(subjects, pools, starts, strict=True):
        if start.hours is not None and (who or pool):
            study.doses.add(who or pool or "", start.hours, timed=start.timed)
    dates = (("EXSTDTC", starts), ("EXENDTC", ends))
    return screen(outcomes, rows, study, topic="EXTRT", topics=treatments, moments=dates)


def _first(reading: NumberReading) -> float | None:
    return reading.value if reading.either is None else reading.either[0]


def _checked_dose(fact: AdministrationFact, dose: NumberReading) -> Outcome:
    if dose.either is not None:
        one, other = map(number_text, dose.either)
        return HeldFact(fact, "EXDOSE", fact.amount_reported, one, f"the dose can be {one} or {other}", "amount")
    backwards = fact.started_on and fact.ended_on and fact.ended_on[:10] < fact.started_on[: len(fact.ended_on[:10])]
    why = f"the dosing ends before it begins ({fact.started_on})"
    if fact.amount is not None and fact.amount < 0:
        bad = Quarantined(fact.place, "EXDOSE", fact.amount_reported, "a dose cannot be negative; correct it")
        return bad.also("EXENDTC", why) if backwards else bad
    if backwards:
        return HeldFact(fact._replace(ended_on=None), "EXENDTC", fact.ended_on, "no end", why, "ended_on")
    return fact


def read_parameters(rows: Rows, study: StudyView) -> list[Outcome]:
    """Read reported exposure parameters; words such as NC (not calculable) are no values."""
    subjects, pools = rows.texts("USUBJID", "SUBJID"), rows.texts("POOLID")
    codes = rows.texts("PPTESTCD")
    analytes = _analytes(rows, study)
    reported, units = rows.texts("PPORRES"), rows.texts("PPORRESU")
    standard, standard_texts = rows.numbers("PPSTRESN"), rows.texts("PPSTRESC")
    standard_units = rows.texts("PPSTRESU", "PPORRESU")
    status, reasons = rows.texts("PPSTAT"), rows.texts("PPREASND")
    references = rows.moments("PPRFTDTC", "PPRFDTC")
    days = _days(rows, study)
    unit_codes = {unit: unit_code(unit) for unit in {*units, *standard_units}}
    values: list[float | None] = []
    undone: list[str | None] = []
    flags: list[str | None] = []
    either: list[tuple[float, float] | None] = []
    habit = habit_of(reported)
    for text, number, words, stat, why in zip(reported, standard, standard_texts, status, reasons, strict=True):
        own = read_number(text, habit)
        value = number if number is not None else own.value if own.either is None else None
        value = read_number(words).value if value is None else value
        either.append(own.either if value is None and not stat else None)
        values.append(None if stat else value)
        undone.append((why or stat) if stat else None if value is not None else _not_done(text or words))
        flags.append(None if value is not None or undone[-1] else f"{(text or words or '')[:60]!r} is no number")
    exclusions = study.exclusions
    sequences = rows.texts("PPSEQ")
    outcomes = facts_of(
        ReportedParameterFact,
        rows,
        {
            "subject": subjects,
            "pool": pools,
            "molecule": [study.molecule_of(analyte, None) for analyte in analytes],
            "sequence": sequences,
            "analyte": analytes,
            "specimen": [specimen or UNSPECIFIED for specimen in rows.texts("PPSPEC")],
            "profile": [
                visit if day is None else f"Day {number_text(day)}"
                for day, visit in zip(days, rows.texts("VISIT", "PPTPTREF"), strict=True)
            ],
            "day": days,
            "reference_dose_at": [reference.text for reference in references],
            "code": [code or "" for code in codes],
            "name": rows.texts("PPTEST"),
            "reported": reported,
            "reported_unit": units,
            "value": values,
            "unit": [
                unit_codes[a] if a is not None else unit_codes[b] for a, b in zip(standard_units, units, strict=True)
            ],
            "not_done": undone,
            "exclusion_reason": [
                exclusions.get(("PP", subject or pool or "", sequence or ""))
                for subject, pool, sequence in zip(subjects, pools, sequences, strict=True)
            ]
            if exclusions
            else [None] * len(rows),
            "flag": [a or b for a, b in zip(flags, notes_of(references), strict=True)],
        },
    )
    hold_ambiguous(outcomes, "PP", either)
    dates = (("PPRFTDTC" if rows.has("PPRFTDTC") else "PPRFDTC", references),)
    return screen(outcomes, rows, study, topic="PPTESTCD", topics=codes, moments=dates)


def _not_done(text: str | None) -> str | None:
    if text is None:
        return "no value is given"
    return text if read_words(text).kind in (Kind.NOT_DONE, Kind.BELOW) else None


def _analytes(rows: Rows, study: StudyView) -> list[str]:
    """Return the analyte of each row: PPCAT names it; else the only molecule under study."""
    sole = next(iter(study.molecules.values())).name if len(study.molecules) == 1 else None
    return [analyte_name(name) if name else sole or UNSPECIFIED for name in rows.texts("PPCAT", "PPSCAT")]


def _days(rows: Rows, study: StudyView) -> list[float | None]:
    """Return the study day of the reference dose: as given, else counted from the subject's first day."""
    given: Sequence[float | None] = rows.numbers("VISITDY", "PPRFDY", "PPDY")
    if None not in given:
        return list(given)
    return [
        study.day_of(reference.text, who) if day is None else day
        for day, who, reference in zip(
            given, rows.texts("USUBJID", "SUBJID"), rows.moments("PPRFTDTC", "PPRFDTC"), strict=True
        )
    ]

"""Laboratory values (LB) and electrocardiograms (EG), graded where the criteria for a test are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.errors import InputError
from pipeline.exchange.sdtm_rows import Outcome, Rows, facts_of
from pipeline.exchange.sdtm_safety import yes_or_no
from pipeline.exchange.sdtm_screening import flagged, notes_of, screen
from pipeline.exchange.sdtm_study import StudyView
from pipeline.exchange.sdtm_values import hold_ambiguous, read_values
from pipeline.exchange.study_facts import LaboratoryFact
from pipeline.toxicity.ctcae import Baseline, laboratory_grade

TERMS: dict[str, tuple[str, ...]] = {
    "ALT": ("Alanine aminotransferase increased",),
    "AST": ("Aspartate aminotransferase increased",),
    "ALP": ("Alkaline phosphatase increased",),
    "BILI": ("Blood bilirubin increased",),
    "GGT": ("GGT increased",),
    "CREAT": ("Creatinine increased",),
    "CK": ("CPK increased",),
    "LIPASE": ("Lipase increased",),
    "AMYLASE": ("Serum amylase increased",),
    "NEUT": ("Neutrophil count decreased",),
    "PLAT": ("Platelet count decreased",),
    "WBC": ("White blood cell decreased",),
    "LYM": ("Lymphocyte count decreased",),
    "HGB": ("Anemia",),
    "ALB": ("Hypoalbuminemia",),
    "CA": ("Hypocalcemia", "Hypercalcemia"),
    "GLUC": ("Hypoglycemia",),
    "K": ("Hypokalemia", "Hyperkalemia"),
    "MG": ("Hypomagnesemia", "Hypermagnesemia"),
    "SODIUM": ("Hyponatremia", "Hypernatremia"),
    "INR": ("INR increased",),
}
"""CTCAE terms of tests, by their CDISC code."""
_CODES = {"NA": "SODIUM", "NEUTSG": "NEUT", "NEUTB": "NEUT", "ALPBS": "ALP", "BILITOT": "BILI", "CALCIUM": "CA"}
_COUNTS = frozenset({"NEUT", "PLAT", "WBC", "LYM"})
_COUNT_UNITS = {
    **dict.fromkeys(("GI/L", "G/L", "GIGA/L", "10E9/L", "10^9/L", "10*9/L", "X10E9/L", "BILL/L"), "10^9/L"),
    **dict.fromkeys(("K/UL", "THOU/UL", "10E3/UL", "10^3/UL", "X10E3/UL", "THOUS/UL", "K/MM3", "10^3/MM3"), "10^3/uL"),
    **dict.fromkeys(("/UL", "/MM3", "CELLS/UL", "1/UL"), "1/uL"),
}
_IONS = frozenset({"K", "SODIUM"})
_BLOOD = frozenset({"BLOOD", "SERUM", "PLASMA", "SERUM OR PLASMA", "WHOLE BLOOD", "SANG", ""})


@dataclass(slots=True)
class Baselines:
    """The value of each test before treatment, by subject: grades of liver tests depend on it."""

    found: dict[tuple[str | None, str | None], tuple[float, Baseline | None]] = field(default_factory=dict)

    def add(self, rows: Rows, prefix: str) -> None:
        """Look at some rows."""
        for subject, test, mark, value, low, high in zip(
            rows.texts("USUBJID", "SUBJID"),
            rows.texts(f"{prefix}TESTCD"),
            rows.texts(f"{prefix}BLFL", f"{prefix}LOBXFL"),
            rows.numbers(f"{prefix}STRESN"),
            rows.numbers(f"{prefix}STNRLO"),
            rows.numbers(f"{prefix}STNRHI"),
            strict=True,
        ):
            if mark == "Y" and value is not None:
                self.found[subject, test] = (value, _stood(value, low, high))


def _stood(value: float, low: float | None, high: float | None) -> Baseline | None:
    if high is not None and value > high:
        return Baseline.HIGH
    if low is not None and value < low:
        return Baseline.LOW
    return Baseline.NORMAL if low is not None or high is not None else None


def read_laboratory(rows: Rows, study: StudyView, prefix: str, baselines: Baselines) -> list[Outcome]:
    """Read laboratory values with their ranges and, where the criteria allow it, CTCAE grades."""
    subjects, tests = rows.texts("USUBJID", "SUBJID"), rows.texts(f"{prefix}TESTCD")
    values = read_values(rows, prefix)
    moments = rows.moments(f"{prefix}DTC")
    specimens = rows.texts(f"{prefix}SPEC")
    lows, highs = rows.numbers(f"{prefix}STNRLO", f"{prefix}ORNRLO"), rows.numbers(f"{prefix}STNRHI", f"{prefix}ORNRHI")
    units = [unit or given for unit, given in zip(values.unit, rows.texts(f"{prefix}STRESU"), strict=True)]
    grades: list[tuple[int | None, str | None]] = []
    for subject, test, value, unit, low, high, specimen in zip(
        subjects, tests, values.value, units, lows, highs, specimens, strict=True
    ):
        before, stood = baselines.found.get((subject, test), (None, None))
        # The criteria are for people, and for blood.
        graded = prefix == "LB" and (specimen or "").upper() in _BLOOD and study.species == "human"
        fits = value is not None and graded
        grades.append(_grade(test or "", value or 0.0, unit, low, high, before, stood) if fits else (None, None))
    outcomes = facts_of(
        LaboratoryFact,
        rows,
        {
            "subject": subjects,
            "sequence": rows.texts(f"{prefix}SEQ"),
            "test": [test or "" for test in tests],
            "test_name": rows.texts(f"{prefix}TEST"),
            "category": [category or ("ECG" if prefix == "EG" else None) for category in rows.texts(f"{prefix}CAT")],
            "specimen": specimens,
            "reported": values.reported,
            "reported_unit": values.reported_unit,
            "value": values.value,
            "unit": units,
            "lower_normal": lows,
            "upper_normal": highs,
            "range_flag": rows.texts(f"{prefix}NRIND"),
            "grade": [grade for grade, _ in grades],
            "grade_flag": [flag for _, flag in grades],
            "baseline": [yes_or_no(mark) for mark in rows.texts(f"{prefix}BLFL", f"{prefix}LOBXFL")],
            "not_done": values.not_done,
            "visit": rows.texts("VISIT", "VISITNUM"),
            "day": rows.numbers(f"{prefix}DY", "VISITDY"),
            "sampled_at": [moment.text for moment in moments],
            "sorted_on": [moment.sorted_on for moment in moments],
            "flag": flagged(values.flag, notes_of(moments)),
        },
    )
    hold_ambiguous(outcomes, prefix, values.either)
    dates = ((f"{prefix}DTC", moments),)
    return screen(outcomes, rows, study, topic=f"{prefix}TESTCD", topics=tests, moments=dates)


@lru_cache(maxsize=50_000)
def _grade(
    test: str,
    value: float,
    unit: str | None,
    low: float | None,
    high: float | None,
    before: float | None,
    stood: Baseline | None,
) -> tuple[int | None, str | None]:
    """Return the highest grade of the terms of a test, and what has to be minded about it."""
    code = _CODES.get(test.upper(), test.upper())
    terms = TERMS.get(code, ())
    if not terms:
        return None, None
    if value < 0:
        return None, "a negative value has no grade"
    if code in _COUNTS:
        unit = _COUNT_UNITS.get((unit or "").upper().replace(" ", ""), unit)
    if code in _IONS and (unit or "").upper() == "MEQ/L":
        unit = "mmol/L"
    found = []
    for term in terms:
        try:
            positive = high if high is None or high > 0 else None
            found.append(
                laboratory_grade(term, value, unit, lln=low, uln=positive, baseline=before, baseline_indicator=stood)
            )
        except InputError as wrong:
            return None, f"not graded: {wrong.message}"[:200]
    graded = [grade for grade in found if grade.grade is not None]
    if not graded:
        return None, f"not graded: {', '.join(found[0].flags) or found[0].reason}"
    best = max(graded, key=lambda grade: grade.grade or 0)
    notes = [note for grade in found for note in grade.flags if grade is best or grade.grade is None]
    return best.grade, ", ".join(dict.fromkeys(notes)) or None

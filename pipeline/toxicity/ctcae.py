"""Laboratory grades by the Common Terminology Criteria for Adverse Events, version 5.0 (B1)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from pipeline.bounds import above_zero, not_negative
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import at_least, significant
from pipeline.units import convert

COMPARE = {
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
}


class Baseline(StrEnum):
    """Where the baseline value stood in the laboratory's normal range."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One comparison: of the value with a limit, or with a multiple of `of` ("uln", "lln" or "baseline")."""

    op: str
    limit: float | None = None
    of: str | None = None
    multiple: float = 1.0


@dataclass(frozen=True, slots=True)
class GradeRule:
    """A grade and the alternatives of which one has to hold."""

    grade: int
    any: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class LabTerm:
    """One term: its unit where absolute limits are used, and its rules from grade 4 down."""

    name: str
    unit: str | None
    molar_mass_g_per_mol: float | None
    rules: tuple[GradeRule, ...]
    rules_if_baseline_high: tuple[GradeRule, ...]
    clinical: tuple[tuple[int, float], ...]


@functools.cache
def lab_terms() -> Mapping[str, LabTerm]:
    """Return the terms of version 5.0 by their names in lower case."""
    import tomllib
    from importlib.resources import files

    table = tomllib.loads(files("pipeline.toxicity").joinpath("ctcae_v5.toml").read_text(encoding="utf-8"))
    return {name.lower(): _term(name, row) for name, row in table.items() if name != "version"}


def _term(name: str, row: Mapping[str, Any]) -> LabTerm:
    def rules(key: str) -> tuple[GradeRule, ...]:
        return tuple(
            GradeRule(rule["grade"], tuple(Criterion(**criterion) for criterion in rule["any"]))
            for rule in row.get(key, row["rules"])
        )

    return LabTerm(
        name=name,
        unit=row.get("unit"),
        molar_mass_g_per_mol=row.get("molar_mass_g_per_mol"),
        rules=rules("rules"),
        rules_if_baseline_high=rules("rules_if_baseline_high"),
        clinical=tuple((entry["grade"], entry.get("at_least", 0.0)) for entry in row.get("clinical", ())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabGrade(Outcome):
    """The grade, 0 to 4, with the version of the criteria; None where a limit it hangs on is missing."""

    grade: int | None
    term: str
    ctcae_version: str


@method(
    "B1_ctcae_lab_grade",
    version=1,
    title="CTCAE v5.0 laboratory grade",
    source="NCI Common Terminology Criteria for Adverse Events v5.0, 27 November 2017",
)
def laboratory_grade(
    term: str,
    value: float | None,
    unit: str | None = None,
    lln: float | None = None,
    uln: float | None = None,
    baseline: float | None = None,
    baseline_indicator: Baseline | None = None,
    ctcae_version: Literal["5.0"] = "5.0",
) -> LabGrade:
    """Grade one laboratory value.

    Grades 4, 3, 2, 1 are tried in this order and the first whose rule holds is the grade, otherwise 0. A value
    exactly at a limit belongs to the lower grade. Value and limit are compared after rounding to 12 significant
    digits. Liver tests are compared with the baseline instead of the upper limit where the baseline was high.

    Args:
        term: CTCAE term ("Neutrophil count decreased"); capitals do not count.
        value: value measured; None when it is missing.
        unit: unit of value, limits and baseline; without one, the SI unit of the criteria.
        lln: lower limit of normal of the laboratory.
        uln: upper limit of normal of the laboratory.
        baseline: value before treatment.
        baseline_indicator: LOW, NORMAL or HIGH before treatment; counts for ALT, AST, ALP, GGT and bilirubin.
        ctcae_version: version of the criteria; versions 4 and 5 differ.

    Returns:
        Grade 0 to 4. Without a value there is none, for `no_data`; without the limit or baseline that decides between
        grade 0 and the lowest one, none for `undefined_limit`. Flags: `needs_clinical` where symptoms decide and the
        grade is the worst case; `uln_missing`, `lln_missing` or `baseline_missing` where a higher grade could not
        be tested.

    Raises:
        InputError: the term is not in the table, a number is negative, a limit is 0, or the unit does not convert.
    """
    entry = lab_terms().get(" ".join(term.lower().split()))
    if entry is None:
        known = ", ".join(known.name for known in lab_terms().values())
        raise InputError(f"no laboratory criteria for {term[:60]!r}; known: {known}", path=("term",))
    not_negative(value=value, lln=lln, baseline=baseline)
    above_zero(uln=uln)
    if value is None:
        return LabGrade(grade=None, term=entry.name, ctcae_version=ctcae_version, reason=Reason.NO_DATA)
    given = {"value": value, "lln": lln, "uln": uln, "baseline": baseline}
    known_values = {name: _si(number, unit, entry) for name, number in given.items() if number is not None}
    grade, untested = _graded(entry, known_values, baseline_indicator is Baseline.HIGH)
    clinical = any(grade == of and at_least(known_values["value"], low) for of, low in entry.clinical)
    return LabGrade(
        grade=grade,
        term=entry.name,
        ctcae_version=ctcae_version,
        reason=Reason.UNDEFINED_LIMIT if grade is None else None,
        flags=(*(("needs_clinical",) if clinical else ()), *(f"{name}_missing" for name in untested)),
    )


def _si(number: float, unit: str | None, entry: LabTerm) -> float:
    if unit is None or entry.unit is None or unit == entry.unit:
        return number
    return convert(number, unit, entry.unit, entry.molar_mass_g_per_mol)


def _graded(entry: LabTerm, known: Mapping[str, float], baseline_high: bool) -> tuple[int | None, tuple[str, ...]]:
    """Return the grade and the names of what was missing where a rule could not be tested."""
    untested: dict[str, None] = {}
    undecided = False
    for rule in entry.rules_if_baseline_high if baseline_high else entry.rules:
        undecided = False
        for criterion in rule.any:
            if criterion.of is not None and criterion.of not in known:
                untested[criterion.of] = None
                undecided = True
                continue
            limit = criterion.limit if criterion.of is None else criterion.multiple * known[criterion.of]
            if limit is not None and COMPARE[criterion.op](significant(known["value"]), significant(limit)):
                return rule.grade, tuple(untested)
    return (None if undecided else 0), tuple(untested)

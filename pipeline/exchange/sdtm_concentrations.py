"""Concentrations of SDTM and SEND (PC): results, planned times and clock times, read and compared row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import NamedTuple

from pipeline.errors import InputError
from pipeline.exchange.concentration_values import Result, Stated, read_result
from pipeline.exchange.dataset_table import number_text
from pipeline.exchange.moments import Moment, read_moment
from pipeline.exchange.reading import Quarantined
from pipeline.exchange.sample_clock import SampleTime, checked_by_clock, collected_until
from pipeline.exchange.sample_origin import Origin
from pipeline.exchange.sample_times import Meaning, Plan, PlannedTime, only_an_order, read_plan, understand
from pipeline.exchange.sdtm_rows import Outcome, Rows
from pipeline.exchange.sdtm_study import StudyView, analyte_name, personal
from pipeline.exchange.study_facts import ConcentrationFact, HeldFact
from pipeline.exchange.written_numbers import Habit, habit_of
from pipeline.exchange.written_units import unit_code
from pipeline.units import MASS, VOLUME, parse_unit

UNSPECIFIED = "UNSPECIFIED"
"""The specimen of a row that names none."""
_MOST_PLANS = 100_000
_MOST_STEPS = 2_000
_DAY_IN_WORDS = re.compile(r"\b(?:day|jour|tag|d|j)\s*(-?\d{1,4})\b", re.IGNORECASE)
_NOT_STUDY_DAY = re.compile(r"\b(?:cycle|c\d|period|periode|p\d|week|semaine|visit|visite|course|cure)", re.IGNORECASE)
"""A day of a cycle or period is no study day."""
_SAME_DAY_H = 20.0
"""Samples planned earlier than this after a dose are taken on the day of the dose."""


class Planned(NamedTuple):
    """When a sample was planned: after the dose, and after the dose of which day."""

    time: PlannedTime
    day: float | None
    profile: str | None
    nominal: str | None


@dataclass(slots=True)
class ConcentrationSurvey:
    """What all concentrations of a study have in common: it has to be known before the first of them is read."""

    meaning: Meaning = Meaning.HOURS
    habit: Habit = field(default_factory=Habit)
    usual_units: dict[tuple[str | None, str | None], str | None] = field(default_factory=dict)
    dose_days: set[float] = field(default_factory=set)
    """Days on which samples were taken soon after a dose."""
    idle_clock: str | None = None
    """The time of day that every sample carries, whenever it was planned: it says nothing."""
    analytes: set[tuple[str | None, str | None]] = field(default_factory=set)
    """(name, code) of what was measured."""
    origin: Origin = field(default_factory=Origin)
    _plans: set[tuple[str | None, float | None, str | None, float | None]] = field(default_factory=set)
    _numbers: set[str] = field(default_factory=set)
    _clocks: set[str] = field(default_factory=set)
    _steps: list[tuple[float, float]] = field(default_factory=list)
    """How far consecutive samples are apart: by PCTPTNUM, and in hours by PCDTC."""
    _planned: dict[tuple[object, ...], Planned] = field(default_factory=dict)

    def add(self, rows: Rows) -> None:
        """Look at some rows."""
        if len(self._plans) < _MOST_PLANS:
            self._plans.update(
                zip(
                    rows.texts("PCTPT"),
                    rows.numbers("PCTPTNUM"),
                    rows.texts("PCELTM"),
                    rows.numbers("VISITDY", "PCDY"),
                    strict=True,
                )
            )
        if rows.has("PCRFTDTC") or rows.has("PCRFDTC"):
            self.origin.add(
                _whos(rows),
                map(Plan, rows.texts("PCTPT"), rows.numbers("PCTPTNUM"), rows.texts("PCELTM")),
                rows.texts("PCDTC"),
                rows.texts("PCRFTDTC", "PCRFDTC"),
            )
        self._numbers.update(text for text in rows.texts("PCORRES") if text is not None and "," in text)
        if len(self._numbers) > 1 and len(self._numbers) < _MOST_PLANS:
            self._numbers.update(text for text in rows.texts("PCORRES") if text is not None and "." in text)
        if len(self._steps) < _MOST_STEPS:
            self._steps += islice(_steps(rows), _MOST_STEPS)
        self.analytes.update(zip(rows.texts("PCTEST", "PCTESTCD"), rows.texts("PCTESTCD"), strict=True))
        if len(self._clocks) < 2:
            self._clocks.update(text[11:16] for text in rows.texts("PCDTC") if text is not None and len(text) > 10)
        units = zip(
            rows.texts("PCTEST", "PCTESTCD"), rows.texts("PCSPEC"), rows.texts("PCSTRESU", "PCORRESU"), strict=True
        )
        for test, specimen, unit in set(units):
            code = unit_code(unit)
            if code is not None:
                known = self.usual_units.setdefault((test, specimen), code)
                self.usual_units[test, specimen] = code if known == code else None

    def settle(self) -> list[str]:
        """Make up one's mind; return what a reader of the import has to know."""
        plans = {Plan(words, number, elapsed) for words, number, elapsed, _ in self._plans}
        self.meaning = understand(plans)
        if self.meaning is Meaning.UNCLEAR and only_an_order(self._steps):
            self.meaning = Meaning.ORDER
        self.habit = habit_of(self._numbers)
        hours = set()
        for words, number, elapsed, day in self._plans:
            planned = read_plan(Plan(words, number, elapsed), self.meaning)
            hours.add(planned.hours)
            if day is not None and planned.hours is not None and 0 <= planned.hours < _SAME_DAY_H:
                self.dose_days.add(day)
        hours.discard(None)
        warnings = []
        if len(self._clocks) == 1 and len(hours) > 1:
            self.idle_clock = next(iter(self._clocks))
            warnings.append(
                f"PCDTC gives {self.idle_clock} for every sample, whenever it was planned; only its date is used."
            )
        if self.meaning is Meaning.ORDER:
            warnings.append("PCTPTNUM only numbers the samples; it is not used as hours.")
        elif self.meaning in (Meaning.MINUTES, Meaning.DAYS):
            warnings.append(f"PCTPTNUM counts {self.meaning.lower()}; it is converted to hours.")
        self.origin.settle(self.meaning)
        if self.origin.from_first:
            warnings.append(
                "planned times count from the first dose, PCRFTDTC names a later one; hours are those since PCRFTDTC."
            )
        if self.habit.decimal_comma:
            warnings.append("PCORRES is written with decimal commas.")
        return warnings

    def first_dose(self, who: str | None, study: StudyView) -> float | None:
        """Return the first dose of a subject or pool, in hours since 1970: as given, else as its rows name it."""
        given = study.doses.first(who or "")
        return self.origin.begun(who) if given is None else given

    def planned(
        self,
        words: str | None,
        number: float | None,
        elapsed: str | None,
        days: tuple[float | None, float | None],
        reference: str | None,
        visit: str | None,
    ) -> Planned:
        """Return when samples of one planned time, visit and day were planned."""
        key = (words, number, elapsed, days, reference, visit)
        found = self._planned.get(key)
        if found is None:
            if len(self._planned) >= _MOST_PLANS:
                self._planned.clear()
            time = read_plan(Plan(words, number, elapsed), self.meaning)
            day = self._dose_day(time.hours, days, reference)
            profile = f"Day {number_text(day)}" if day is not None else reference or visit
            nominal = words or elapsed or (None if number is None else number_text(number))
            found = self._planned[key] = Planned(time, day, profile, nominal)
        return found

    def _dose_day(
        self, hours: float | None, days: tuple[float | None, float | None], reference: str | None
    ) -> float | None:
        """Return the study day of the dose a sample belongs to.

        A sample a day or more after the dose is filed under the day of the dose by some, under its own by others.
        """
        told = _DAY_IN_WORDS.search(reference) if reference and not _NOT_STUDY_DAY.search(reference) else None
        if told is not None:
            return float(told[1])
        visit_day, actual_day = days
        day = visit_day if visit_day is not None else actual_day
        if day is None or hours is None or hours < _SAME_DAY_H:
            return day
        later = float((hours + 24 - _SAME_DAY_H) // 24)
        if visit_day is not None and actual_day is not None and actual_day - visit_day >= later - 0.5:
            return visit_day
        earlier = day - later if not day - later <= 0 < day else day - later - 1
        return day if earlier not in self.dose_days and day in self.dose_days else earlier


def read_concentrations(rows: Rows, study: StudyView, survey: ConcentrationSurvey) -> list[Outcome]:
    """Read some rows; the outcomes are in their order."""
    places = rows.places()
    subjects, pools = rows.texts("USUBJID", "SUBJID"), rows.texts("POOLID")
    tests, codes = rows.texts("PCTEST", "PCTESTCD"), rows.texts("PCTESTCD")
    specimens, sequences = rows.texts("PCSPEC"), rows.texts("PCSEQ")
    reported, reported_units = rows.texts("PCORRES"), rows.texts("PCORRESU")
    results = _results(rows, survey)
    planned = [
        survey.planned(*plan)
        for plan in zip(
            rows.texts("PCTPT"),
            rows.numbers("PCTPTNUM"),
            rows.texts("PCELTM"),
            zip(rows.numbers("VISITDY"), rows.numbers("PCDY"), strict=True),
            rows.texts("PCTPTREF"),
            rows.texts("VISIT", "VISITNUM"),
            strict=True,
        )
    ]
    moments = rows.moments("PCDTC")
    ends = rows.moments("PCENDTC") if rows.has("PCENDTC") else None
    references = rows.moments("PCRFTDTC", "PCRFDTC")
    whos = _whos(rows)
    timed = [
        checked_by_clock(
            plan.time,
            moment,
            reference,
            who,
            study.doses,
            idle=survey.idle_clock is not None,
            first=survey.first_dose(who, study) if survey.origin.from_first else None,
        )
        for plan, moment, reference, who in zip(planned, moments, references, whos, strict=True)
    ]
    if ends is not None:
        timed = [collected_until(*row) for row in zip(timed, moments, ends, strict=True)]
    days = [
        plan.day if plan.day is not None else study.day_of(time.reference, who)
        for plan, time, who in zip(planned, timed, whos, strict=True)
    ]
    names = {test: analyte_name(test) for test in set(tests) if test is not None}
    analytes = [names.get(test or "", "") for test in tests]
    outcomes: list[Outcome] = list(
        map(
            ConcentrationFact._make,
            zip(
                subjects,
                pools,
                map(study.molecule_of, analytes, codes),
                sequences,
                analytes,
                codes,
                [specimen or UNSPECIFIED for specimen in specimens],
                [
                    plan.profile if plan.profile is not None or day is None else f"Day {number_text(day)}"
                    for plan, day in zip(planned, days, strict=True)
                ],
                days,
                [time.reference for time in timed],
                [moment.text for moment in moments],
                [moment.sorted_on for moment in moments],
                [time.hours for time in timed],
                [time.end for time in timed],
                [time.source for time in timed],
                [plan.nominal for plan in planned],
                reported,
                reported_units,
                [result.value for result in results],
                [result.unit for result in results],
                [result.limit for result in results],
                [result.below for result in results],
                [result.not_done for result in results],
                *_amounts(rows),
                [None] * len(rows),
                [None] * len(rows),
                _flags(results, timed, moments, ends, specimens),
                places,
                strict=True,
            ),
        )
    )
    _exclude(outcomes, rows, study, whos)
    _set_amounts(outcomes, results)
    refused = study.refused(whos)
    for at, (result, time, moment) in enumerate(zip(results, timed, moments, strict=True)):
        if (
            result.doubt is not None
            or result.error is not None
            or result.unit_error is not None
            or time.doubt is not None
            or moment.error is not None
            or whos[at] is None
            or whos[at] in refused
            or not analytes[at]
        ):
            outcomes[at] = _exceptional(outcomes[at], result, time, moment, refused.get(whos[at] or ""))
    return outcomes


def _steps(rows: Rows) -> Iterator[tuple[float, float]]:
    """Yield how far consecutive samples of one subject are apart: by their numbers, and by the clock."""
    told = zip(_whos(rows), rows.numbers("PCTPTNUM"), rows.texts("PCDTC"), strict=True)
    for (who, number, sampled), (next_who, next_number, next_sampled) in pairwise(told):
        if who != next_who or number is None or next_number is None or next_number <= number:
            continue
        began, then = read_moment(sampled), read_moment(next_sampled)
        if began.timed and then.timed and began.hours is not None and then.hours is not None:
            yield next_number - number, then.hours - began.hours


def _whos(rows: Rows) -> list[str | None]:
    """Return the subject of each row, else its pool."""
    return [a or b for a, b in zip(rows.texts("USUBJID", "SUBJID"), rows.texts("POOLID"), strict=True)]


def _results(rows: Rows, survey: ConcentrationSurvey) -> list[Result]:
    """Read the results; what is written alike is read once, and a plain number needs no reading at all."""
    own, standard = rows.numbers("PCORRES"), rows.numbers("PCSTRESN")
    limits = rows.numbers("PCLLOQ") if rows.has("PCLLOQ") else rows.numbers("PCSTLLOQ")
    usual = survey.usual_units
    codes: dict[tuple[str | None, str | None], str | None] = {}
    found: list[Result] = []
    seen: dict[tuple[object, ...], Result] = {}
    plain_point = survey.habit.decimal_comma is not True
    for figure, number, limit, stated in zip(
        own,
        standard,
        limits,
        zip(
            rows.texts("PCORRES"),
            rows.texts("PCORRESU"),
            rows.texts("PCSTRESC"),
            rows.texts("PCSTRESU"),
            rows.texts("PCSTAT"),
            rows.texts("PCREASND"),
            rows.texts("PCTEST", "PCTESTCD"),
            rows.texts("PCSPEC"),
            strict=True,
        ),
        strict=True,
    ):
        text, own_unit, standard_text, standard_unit, status, reason, test, specimen = stated
        if (
            number is not None
            and number == figure
            and number > 0
            and status is None
            and own_unit == standard_unit
            and plain_point
            and (limit is None or number >= limit)
        ):
            units = (own_unit, standard_unit)
            if units not in codes:
                codes[units] = unit_code(standard_unit)
            if codes[units] is not None:
                found.append(Result(number, codes[units], limit if limit else None))
                continue
        key = (number, limit, stated)
        result = seen.get(key)
        if result is None:
            row = Stated(text, own_unit, standard_text, number, standard_unit, limit, status, reason)
            result = seen[key] = read_result(row, survey.habit, usual.get((test, specimen)))
        found.append(result)
    return found


def _flags(
    results: Sequence[Result],
    timed: Sequence[SampleTime],
    moments: Sequence[Moment],
    ends: Sequence[Moment] | None,
    specimens: Sequence[str | None],
) -> list[str | None]:
    """Return what has to be minded about each row, None for most."""
    flags: list[str | None] = []
    for at, (result, time, moment) in enumerate(zip(results, timed, moments, strict=True)):
        quiet = result.flag is None and time.flag is None and time.hours is not None and moment.note is None
        if quiet and ends is None and specimens[at]:
            flags.append(None)
            continue
        end = ends[at] if ends is not None else None
        notes = [result.flag, time.flag, moment.note, None if specimens[at] else "no specimen is named"]
        if time.hours is None and time.flag is None:
            notes.append("the time after the dose cannot be told")
        if end is not None and end.hours is not None and moment.hours is not None and end.hours < moment.hours:
            notes.append(f"the collection ends ({end.text}) before it begins ({moment.text})")
        flags.append("; ".join(note for note in notes if note) or None)
    return flags


def _amounts(rows: Rows) -> tuple[Sequence[float | None], Sequence[str | None]]:
    """Return how much of the specimen was collected, and its unit, where rows say it beside the concentration."""
    if not rows.has("VOLUME"):
        return [None] * len(rows), [None] * len(rows)
    units = [unit_code(unit) for unit in rows.texts("VOLUMEU")]
    amounts = [
        amount if unit is not None and amount is not None and amount >= 0 else None
        for amount, unit in zip(rows.numbers("VOLUME"), units, strict=True)
    ]
    return amounts, [None if amount is None else unit for amount, unit in zip(amounts, units, strict=True)]


def _set_amounts(outcomes: list[Outcome], results: Sequence[Result]) -> None:
    """Tell amounts of specimen (a volume of urine) from concentrations."""
    amounts = {unit for unit in {result.unit for result in results} if unit is not None and _is_amount(unit)}
    if not amounts:
        return
    for at, result in enumerate(results):
        fact = outcomes[at]
        if result.unit in amounts and isinstance(fact, ConcentrationFact):
            outcomes[at] = fact._replace(
                concentration=None, unit=None, amount_of_specimen=result.value, amount_unit=result.unit
            )


def _is_amount(unit: str) -> bool:
    try:
        return parse_unit(unit).dimension in (VOLUME, MASS)
    except InputError:
        return False


def _exclude(outcomes: list[Outcome], rows: Rows, study: StudyView, whos: Sequence[str | None]) -> None:
    """Take over what the source leaves out of calculations: PCEXCLFL, and reasons in SUPPPC."""
    if rows.has("PCEXCLFL"):
        for at, (told, why) in enumerate(zip(rows.texts("PCEXCLFL"), rows.texts("PCREASEX"), strict=True)):
            fact = outcomes[at]
            if told in ("Y", "y") and isinstance(fact, ConcentrationFact):
                outcomes[at] = fact._replace(
                    exclusion_reason=why or "excluded by the source", exclusion_scope="CALCULATION"
                )
    if any(domain == "PC" for domain, _, _ in study.exclusions):
        for at, fact in enumerate(outcomes):
            if isinstance(fact, ConcentrationFact):
                why = study.exclusions.get(("PC", whos[at] or "", fact.sequence or ""))
                if why is not None:
                    outcomes[at] = fact._replace(exclusion_reason=why, exclusion_scope="CALCULATION")


def _exceptional(
    outcome: Outcome, result: Result, time: SampleTime, moment: Moment, personal_part: str | None
) -> Outcome:
    """Return what becomes of a row that cannot simply be taken."""
    if not isinstance(outcome, ConcentrationFact):
        return outcome
    place = outcome.place
    if personal_part is not None:
        return personal(place, personal_part)
    wrong = _what_is_wrong(outcome, result, moment)
    if wrong:
        # All that is to be mended is said at once, doubts as well: nobody likes to send a row three times.
        wrong += [("PCORRES", None, result.doubt), ("PCTPT", None, time.doubt)]
        (column, value, reason), *more = [(column, value, said) for column, value, said in wrong if said is not None]
        row = Quarantined(place, column, value, reason)
        for column, _, reason in more:
            row = row.also(column, reason)
        return row
    if result.doubt is not None:
        if result.column == "unit":
            return HeldFact(outcome, "PCSTRESU", outcome.reported_unit, result.unit or "?", result.doubt, "unit")
        proposed = "below the limit" if result.below else number_text(result.value or 0.0)
        why = result.doubt if time.doubt is None else f"{result.doubt}; PCTPT: {time.doubt}"
        return HeldFact(outcome, "PCORRES", outcome.reported, proposed, why, "concentration")
    proposed = "no time" if time.hours is None else f"{number_text(time.hours)} h"
    return HeldFact(outcome, "PCTPT", outcome.nominal_time, proposed, time.doubt or "", "hours_after_dose")


def _what_is_wrong(
    outcome: ConcentrationFact, result: Result, moment: Moment
) -> list[tuple[str, str | None, str | None]]:
    """Return what makes a row unreadable: variable, value and why, in the order in which rows are mended."""
    wrong: list[tuple[str, str | None, str | None]] = []
    if outcome.subject is None and outcome.pool is None:
        wrong.append(("USUBJID", None, "the row names no subject and no pool; give USUBJID or POOLID"))
    if not outcome.analyte:
        wrong.append(("PCTESTCD", None, "the row names no analyte; give PCTESTCD and PCTEST"))
    if moment.error is not None:
        wrong.append(("PCDTC", None, moment.error))
    if result.error is not None:
        wrong.append(("PCORRES", outcome.reported, result.error))
    if result.unit_error is not None:
        wrong.append(("PCSTRESU", outcome.reported_unit, result.unit_error))
    return wrong

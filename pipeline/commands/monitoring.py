"""Log concentrations by hand: one record or ten thousand in one act, all or none, every bad row named.

A person is present, so nothing is guessed: what an import would put on the review list is refused here, with what is
proposed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.alerts import Touched, watch
from pipeline.commands.monitoring_ground import Ground, SampleKey, ground_of, known_samples, sample_key
from pipeline.commands.texts import checked
from pipeline.dates import PartialDate
from pipeline.errors import InputError, PipelineError, RowError, each, refuse
from pipeline.exchange.concentration_values import Result, Stated, read_result
from pipeline.exchange.written_numbers import PLAIN
from pipeline.exchange.written_units import unit_code
from pipeline.pharmacology.sample_times import SampleTime, sample_time
from pipeline.pseudonyms import checked_pseudonym, identifier_in, plain_code
from pipeline.store.counted import VALID
from pipeline.store.journal import Act
from pipeline.store.study_tables import monitoring_records, subjects
from pipeline.units import AMOUNT, ENZYME_UNIT, INTERNATIONAL_UNIT, MASS, NONE, VOLUME, parse_unit
from pipeline.words import EventKind, MonitoringState

MOST_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One concentration as a person gives it; names and units as for `monitoring_records`.

    subject: the pseudonym. retest_of: the record whose sample was measured again.
    """

    molecule: int
    study: int
    analyte: str
    specimen: str
    reported: str
    unit: str
    subject: str | None = None
    sampled_at: PartialDate | None = None
    hours_after_dose: float | None = None
    nominal_time: str | None = None
    lower_limit: float | None = None
    retest_of: int | None = None
    profile: str | None = None
    day: float | None = None
    reference_dose_at: PartialDate | None = None


@dataclass(frozen=True, slots=True)
class LogMonitoring:
    """Put concentrations on record, all or none. Rows are counted from 1."""

    records: tuple[Entry, ...]


COLUMNS = (
    *("molecule_id", "study_id", "subject_id", "analyte", "specimen", "profile", "day", "reference_dose_at"),
    *("sampled_at", "sorted_on", "hours_after_dose", "time_source", "nominal_time", "reported", "reported_unit"),
    *("concentration", "unit", "lower_limit", "below_limit", "not_done", "state", "retest_of", "entered_by", "flag"),
)


@handles(LogMonitoring, Permission.LOG_MONITORING)
def log_monitoring(act: Act, command: LogMonitoring) -> Mapping[str, Any]:
    """Check all rows, make the subjects that are new, write the records, and look for what they cross."""
    entries = command.records
    if not 1 <= len(entries) <= MOST_RECORDS:
        raise InputError(
            f"{len(entries):,} records are given; send 1 to {MOST_RECORDS:,} in one call", path=("input", "records")
        )
    errors: list[PipelineError] = []
    codes: dict[int, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.subject is not None:
            code = plain_code(entry.subject)
            codes[entry.study] |= {code, code.upper(), code.lower()}
    ground = ground_of(
        act,
        molecule_ids={entry.molecule for entry in entries},
        study_ids={entry.study for entry in entries},
        codes=codes,
        retests={entry.retest_of for entry in entries if entry.retest_of is not None},
    )
    rows = [_Row(number, entry, ground, act, errors).read() for number, entry in enumerate(entries, start=1)]
    refuse(errors)
    made = _add_subjects(act, ground, entries)
    for entry, row in zip(entries, rows, strict=True):
        if entry.subject is not None:
            row["subject_id"] = ground.subjects[entry.study, plain_code(entry.subject)]
    errors += _same_samples(act, rows, made)
    refuse(errors)
    ids = act.add_all(monitoring_records, COLUMNS, [tuple(row[name] for name in COLUMNS) for row in rows])
    _tell(act, rows, ids, ground)
    touched = Touched(
        kinds=frozenset({"MonitoringRecord"}),
        molecules=frozenset(entry.molecule for entry in entries),
        studies=frozenset(entry.study for entry in entries),
        subjects=frozenset(row["subject_id"] for row in rows if row["subject_id"] is not None),
    )
    raised = watch(act, touched)
    return {"first": ids.start, "count": len(ids), "subjects": len(made), "alerts": list(raised)}


# ------------------------------------------------------------ one row


@dataclass(slots=True)
class _Row:
    """Reads one entry; every problem is noted under the row's number and the name of the field."""

    number: int
    entry: Entry
    ground: Ground
    act: Act
    errors: list[PipelineError]

    def read(self) -> dict[str, Any]:
        """Return the row's columns; they are of no use where a problem was noted."""
        entry = self.entry
        self._belongs()
        texts = {name: self._text(getattr(entry, name), field, required=required) for name, field, required in _TEXTS}
        result = self._result()
        time = self._time(texts["nominal_time"])
        row: dict[str, Any] = dict.fromkeys(COLUMNS) | texts
        row |= {
            "molecule_id": entry.molecule,
            "study_id": entry.study,
            "day": self._number(entry.day, "day", -36500, 36500),
            "reference_dose_at": entry.reference_dose_at and entry.reference_dose_at.text,
            "sampled_at": entry.sampled_at and entry.sampled_at.text,
            "sorted_on": time.sorted_on,
            "hours_after_dose": time.hours,
            "time_source": time.source,
            **value_columns(entry.reported, entry.unit, result),
            "state": MonitoringState.REGISTERED.value,
            "retest_of": entry.retest_of,
            "entered_by": self.act.actor.name,
        }
        self._subject()
        if entry.retest_of is not None:
            self._retest(row)
        return row

    def note(self, message: str, field: str, value: str | None = None) -> None:
        """Note a problem."""
        path = ("input", "records", str(self.number - 1), field)
        self.errors.append(
            RowError(f"row {self.number}: {message}", row=self.number, column=field, value=value, path=path)
        )

    def _belongs(self) -> None:
        entry, ground = self.entry, self.ground
        study, molecule = ground.studies.get(entry.study), ground.molecules.get(entry.molecule)
        if study is None:
            self.note("there is no such study", "study")
        if molecule is None:
            self.note("there is no such molecule", "molecule")
        elif molecule["merged_into"] is not None:
            self.note(f"{molecule['code']} was merged into another molecule; log it for that one", "molecule")
        elif study is not None and (entry.study, entry.molecule) not in ground.gives:
            self.note(f"study {study['code']} does not give {molecule['code']} ({molecule['name']})", "molecule")

    def _subject(self) -> None:
        if self.entry.subject is None:
            return
        study, code = self.entry.study, plain_code(self.entry.subject)
        try:
            checked_pseudonym(code, own_words=self.ground.own_words.get(study, ()))
        except InputError as error:
            self.note(error.message, "subject")  # its value is not repeated: it may be a name
            return
        known = self.ground.subjects
        alike = next((of for of in (code.upper(), code.lower()) if (study, of) in known), code)
        alike = self.ground.spelled.setdefault((study, code.casefold()), code if (study, code) in known else alike)
        if alike != code and (study, code) not in known:
            self.note(f"the subject is written {alike} elsewhere; write it the same way", "subject", code)

    def _text(self, value: str | None, field: str, *, required: bool) -> str | None:
        found: list[PipelineError] = []
        text = checked(value, field, found, required=required, longest=200)
        if text is not None and (identifying := identifier_in(text)) is not None:
            found.append(InputError(f"{field} seems to hold {identifying}; leave it out"))
        for error in found:
            self.note(error.message, field)
        return text or ("" if required else None)

    def _number(self, value: float | None, field: str, least: float, most: float) -> float | None:
        if value is not None and not (math.isfinite(value) and least <= value <= most):
            self.note(f"{field} is {value:g}; it lies between {least:g} and {most:g}", field, f"{value:g}")
        return value

    def _result(self) -> Result:
        try:
            return read_value(self.entry.reported, self.entry.unit, self.entry.lower_limit)
        except PipelineError as errors:
            values = {"unit": self.entry.unit, "lowerLimit": f"{self.entry.lower_limit}"}
            for error in each(errors):
                field = error.path[-1]
                self.note(error.message, field, values.get(field, self.entry.reported))
            return Result()

    def _time(self, nominal: str | None) -> SampleTime:
        entry = self.entry
        try:
            return sample_time(
                entry.sampled_at, entry.hours_after_dose, nominal, entry.reference_dose_at, moment_of(self.act)
            )
        except PipelineError as errors:
            hours = None if entry.hours_after_dose is None else f"{entry.hours_after_dose:g}"
            times = {"sampledAt": entry.sampled_at, "referenceDoseAt": entry.reference_dose_at}
            for error in each(errors):
                field = error.path[-1]
                when = times.get(field)
                self.note(error.message, field, when.text if when is not None else hours)
            return SampleTime("", None, None)

    def _retest(self, row: dict[str, Any]) -> None:
        """Check that a retest is of the same sample, and take the sample's time where none was given."""
        entry = self.entry
        first = self.ground.retested.get(entry.retest_of or 0)
        if first is None:
            self.note("there is no such record to test again", "retestOf")
            return
        if first["state"] not in VALID and first["state"] != MonitoringState.REJECTED:
            self.note("the record was retracted: there is nothing to test again", "retestOf")
        subject = (
            None if entry.subject is None else self.ground.subjects.get((entry.study, plain_code(entry.subject)), 0)
        )
        same = {
            "molecule": first["molecule_id"] == entry.molecule,
            "study": first["study_id"] == entry.study,
            "subject": first["subject_id"] == subject,
            "analyte": first["analyte"].casefold() == row["analyte"].casefold(),
            "specimen": first["specimen"].casefold() == row["specimen"].casefold(),
        }
        for what, is_same in same.items():
            if not is_same:
                self.note(f"the record to test again has another {what}; a retest is of the same sample", what)
        for name, field in _OF_THE_SAMPLE:
            if row[name] in (None, ""):
                row[name] = first[name]
            elif row[name] != first[name] and field is not None:
                self.note(f"the sample to test again was taken at {first[name]}, not {row[name]}", field)


_TEXTS = (
    ("analyte", "analyte", True),
    ("specimen", "specimen", True),
    ("nominal_time", "nominalTime", False),
    ("profile", "profile", False),
)
_OF_THE_SAMPLE = (
    ("sampled_at", "sampledAt"),
    ("hours_after_dose", "hoursAfterDose"),
    *((name, None) for name in ("sorted_on", "time_source", "nominal_time", "profile", "day", "reference_dose_at")),
)


# ------------------------------------------------------------ what is shared with corrections


def moment_of(act: Act) -> datetime:
    """Return the moment an act is recorded."""
    return datetime.fromisoformat(act.recorded_at)


def read_value(reported: str, unit: str, lower_limit: float | None) -> Result:
    """Read a result as an import does; refuse what is in doubt, with what is proposed.

    Raises:
        InputError, Refused: no number and nothing laboratories write for one, a doubt, no unit of a concentration; all
            that is wrong at once. The last of `path` names the field.
    """
    errors: list[PipelineError] = []
    if lower_limit is not None and not (math.isfinite(lower_limit) and lower_limit >= 0):
        said = f"a limit of quantification is a number from 0 up, not {lower_limit:g}"
        errors.append(InputError(said, path=("lowerLimit",)))
        lower_limit = None
    known = unit_code(unit)
    if known is None:
        said = f"the unit {unit[:40]!r} is not known; write one such as ng/mL or nmol/L"
        errors.append(InputError(said, path=("unit",)))
    elif not _is_concentration(known):
        errors.append(InputError(f"{known} is no unit of a concentration; write one such as ng/mL", path=("unit",)))
    # What is wrong with the unit has been said: the result is read with one that is known.
    of_known = unit if known is not None else "ng/mL"
    found = read_result(Stated(reported[:200], of_known, None, None, None, lower_limit, None, None), PLAIN)
    if len(reported) > 200:
        errors.append(InputError(f"a result has at most 200 characters, not {len(reported)}", path=("reported",)))
    elif found.error is not None:
        errors.append(InputError(found.error, path=("reported",)))
    elif found.doubt is not None:
        proposal = "" if found.value is None else f"; write {found.value:.15g} if that is meant"
        errors.append(InputError(f"{found.doubt}{proposal}", path=("reported",)))
    refuse(errors)
    return found


def _is_concentration(code: str) -> bool:
    """Whether a unit measures something per volume or per mass, or a share."""
    dimension = parse_unit(code).dimension
    of = [tuple(a - b for a, b in zip(what, VOLUME, strict=True)) for what in _MEASURED]
    per_mass = [tuple(a - b for a, b in zip(what, MASS, strict=True)) for what in _MEASURED]
    return dimension in of or dimension in per_mass


_MEASURED = (MASS, AMOUNT, ENZYME_UNIT, INTERNATIONAL_UNIT, NONE)


def value_columns(reported: str, unit: str, result: Result) -> dict[str, Any]:
    """Return a result as columns of `monitoring_records`; the text stays as it was given."""
    return {
        "reported": reported,
        "reported_unit": unit,
        "concentration": result.value,
        "unit": result.unit,
        "lower_limit": result.limit,
        "below_limit": result.below,
        "not_done": result.not_done,
        "flag": result.flag,
    }


# ------------------------------------------------------------ the batch as a whole


def _add_subjects(act: Act, ground: Ground, entries: Sequence[Entry]) -> set[int]:
    """Put the subjects on record that are named for the first time, and return their ids."""
    new = dict.fromkeys(
        (entry.study, plain_code(entry.subject))
        for entry in entries
        if entry.subject is not None and (entry.study, plain_code(entry.subject)) not in ground.subjects
    )
    if not new:
        return set()
    species = {study: row["species"] or "human" for study, row in ground.studies.items()}
    rows = [(study, code, species[study], False, False) for study, code in new]
    ids = act.add_all(subjects, ("study_id", "code", "species", "erased", "opposed_to_reuse"), rows)
    ground.subjects |= dict(zip(new, ids, strict=True))
    return set(ids)


def _same_samples(act: Act, rows: Sequence[dict[str, Any]], made: set[int]) -> list[PipelineError]:
    """Return a problem for every row whose sample has a result already, here or on record, unless it is a retest."""
    keys = [sample_key(row) for row in rows]
    old = {row["subject_id"] for row in rows if row["subject_id"] is not None} - made
    known: dict[SampleKey, int] = known_samples(act, old, {row["sorted_on"] for row in rows}) if old else {}
    first: dict[SampleKey, int] = {}
    errors: list[PipelineError] = []
    for number, (row, key) in enumerate(zip(rows, keys, strict=True), start=1):
        if key is None or row["retest_of"] is not None:
            continue
        where = None
        if key in known:
            where = "is on record already; log a second measurement with retestOf, mend a wrong one by correcting it"
        elif key in first:
            where = f"is given in row {first[key]} already; send it once"
        first.setdefault(key, number)
        if where is not None:
            message = f"row {number}: a result of this sample {where}"
            path = ("input", "records", str(number - 1))
            errors.append(RowError(message, row=number, column="reported", value=row["reported"], path=path))
    return errors


def _tell(act: Act, rows: Sequence[dict[str, Any]], ids: range, ground: Ground) -> None:
    """Tell the history: one event for each molecule and study of the batch."""
    counted = Counter((row["molecule_id"], row["study_id"]) for row in rows)
    for (molecule, study), count in counted.items():
        number = next(n for n, row in enumerate(rows) if (row["molecule_id"], row["study_id"]) == (molecule, study))
        row = rows[number]
        what = f"{row['analyte']} in {row['specimen']}" if count == 1 else f"{count:,} concentrations"
        act.event(
            EventKind.MONITORING_LOGGED,
            f"{what} logged in study {ground.studies[study]['code']}",
            molecule_id=molecule,
            node="MonitoringRecord" if count == 1 else "Study",
            node_id=ids[number] if count == 1 else study,
            occurred_on=None if row["sampled_at"] is None or count > 1 else PartialDate.parse(row["sampled_at"]),
        )

"""The exposures of studies: recomputed from the records that count, beside what their sources report.

The number of statements does not depend on how many studies, subjects or samples there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Select, Table, select

from pipeline.names import canonical_key, fold
from pipeline.pharmacology.recorded_samples import GIVEN, SAMPLED, given_dose, sample_of, settings_for
from pipeline.pharmacology.reported_comparison import Comparison, Reported, compare, in_its_unit, likely_cause
from pipeline.pharmacology.study_exposures import AnalysisSettings, Parameter, StudyExposure, study_exposures
from pipeline.pharmacology.study_profiles import GivenDose, Sample, StudyProfile, Whose
from pipeline.store.counted import counted
from pipeline.store.nodes import among, seen, visible
from pipeline.store.reader import Reader
from pipeline.store.study_tables import administrations, monitoring_records, monitoring_settings, reported_parameters
from pipeline.store.study_tables import pools as pool_table
from pipeline.store.tables import molecules


@dataclass(frozen=True, slots=True)
class Beside:
    """A parameter with what the source reports, in the source's unit.

    `in_reported_unit` is our value in that unit. `cause`: what may explain a difference.
    """

    parameter: Parameter
    comparison: Comparison
    reported: float | None = None
    reported_text: str | None = None
    reported_unit: str | None = None
    in_reported_unit: float | None = None
    cause: str | None = None


@dataclass(slots=True)
class ExposureBeside:
    """The exposure after one dose: of a subject or a pool, of an analyte in a specimen."""

    study_id: int
    exposure: StudyExposure
    pool: str | None = None
    rows: list[Beside] = field(default_factory=list)

    @property
    def profile(self) -> StudyProfile:
        """The samples behind it."""
        return self.exposure.profile


def exposures_beside(
    reader: Reader, study_ids: Sequence[int], analyte: str | None = None, specimen: str | None = None
) -> dict[int, list[ExposureBeside]]:
    """Return, by study, the exposures after every dose, in the order of subjects, specimens and doses.

    Of all analytes and specimens, or those named (in any case and spacing). A study is analysed once for a reader.
    """
    return {
        study: [
            each
            for each in of_study
            if (analyte is None or fold(each.profile.whose.analyte) == fold(analyte))
            and (specimen is None or fold(each.profile.whose.specimen) == fold(specimen))
        ]
        for study, of_study in reader.once(_all_beside, study_ids).items()
    }


def _all_beside(reader: Reader, study_ids: Sequence[int]) -> dict[int, list[ExposureBeside]]:
    samples = _samples(reader, study_ids)
    doses = _doses(reader, study_ids)
    reported = _reported(reader, study_ids)
    settings = _settings(reader, study_ids)
    masses = _molar_masses(reader, samples)
    names = _pool_names(reader, study_ids)
    found: dict[int, list[ExposureBeside]] = {}
    for study in study_ids:
        of_study = samples.get(study, [])
        analysed = study_exposures(of_study, doses.get(study, []), settings.get(study, {}), masses.get(study, {}))
        beside = _beside(study, analysed, reported.get(study, []), masses.get(study, {}))
        for each in beside:
            each.pool = names.get(each.profile.whose.pool or 0)
        found[study] = in_order(beside)
    return found


def in_order(found: Iterable[ExposureBeside]) -> list[ExposureBeside]:
    """Return exposures of a study in the order of subjects, specimens and doses."""
    return sorted(found, key=_place)


def _place(each: ExposureBeside) -> tuple[int, int, str, str, float, str]:
    whose = each.profile.whose
    day = each.profile.day
    return (
        whose.pool or 0,
        whose.subject or 0,
        whose.analyte,
        whose.specimen,
        float("inf") if day is None else day,
        each.profile.interval,
    )


# ------------------------------------------------------------ what is on record


def _of_studies(node: str, table: Table, names: Sequence[str], reader: Reader, study_ids: Sequence[int]) -> Select[Any]:
    return (
        select(*(table.c[name] for name in names))
        .where(*seen(node, table, reader.view), among(table.c.study_id, study_ids))
        .order_by(table.c.id)
    )


def _samples(reader: Reader, study_ids: Sequence[int]) -> dict[int, list[Sample]]:
    columns = ("study_id", *SAMPLED)
    statement = _of_studies("MonitoringRecord", monitoring_records, columns, reader, study_ids)
    found: dict[int, list[Sample]] = defaultdict(list)
    for row in reader.connection.execute(statement.where(counted(monitoring_records))).mappings():
        found[row["study_id"]].append(sample_of(row))
    return found


def _doses(reader: Reader, study_ids: Sequence[int]) -> dict[int, list[GivenDose]]:
    found: dict[int, list[GivenDose]] = defaultdict(list)
    statement = _of_studies("Administration", administrations, ("study_id", *GIVEN), reader, study_ids)
    for row in reader.connection.execute(statement).mappings():
        found[row["study_id"]].append(given_dose(row))
    return found


_SAID = (
    *("study_id", "subject_id", "pool_id", "analyte", "specimen", "profile", "day", "reference_dose_at", "code"),
    *("reported", "reported_unit", "value", "unit", "exclusion_reason", "not_done"),
)


def _reported(reader: Reader, study_ids: Sequence[int]) -> dict[int, list[Mapping[str, Any]]]:
    statement = _of_studies("ReportedParameter", reported_parameters, _SAID, reader, study_ids)
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in reader.connection.execute(statement).mappings():
        found[row["study_id"]].append(dict(row))
    return found


def _settings(reader: Reader, study_ids: Sequence[int]) -> dict[int, dict[str, AnalysisSettings]]:
    table = monitoring_settings
    statement = select(table.c.study_id, table.c.analyte, table.c.settings).where(
        visible(table, reader.view), among(table.c.study_id, study_ids)
    )
    kept: dict[int, dict[str, Any]] = defaultdict(dict)
    for study_id, analyte, text in reader.connection.execute(statement):
        kept[study_id][analyte] = orjson.loads(text)
    return {
        study_id: {analyte: AnalysisSettings.of(settings_for(of_study, analyte)) for analyte in of_study}
        for study_id, of_study in kept.items()
    }


def _molar_masses(reader: Reader, samples: Mapping[int, Iterable[Sample]]) -> dict[int, dict[str, float]]:
    """Return, by study and analyte, the molar mass of the molecule the analyte is; not of one it is a metabolite of."""
    table = monitoring_records
    statement = (
        select(table.c.study_id, table.c.analyte, molecules.c.name_key, molecules.c.code, molecules.c.molar_mass)
        .join(molecules, molecules.c.id == table.c.molecule_id)
        .where(
            *seen("MonitoringRecord", table, reader.view),
            *seen("Molecule", molecules, reader.view),
            among(table.c.study_id, sorted(samples)),
            molecules.c.molar_mass.is_not(None),
        )
        .distinct()
    )
    found: dict[int, dict[str, float]] = defaultdict(dict)
    for row in reader.connection.execute(statement):
        if canonical_key(row.analyte) in (row.name_key, canonical_key(row.code)):
            found[row.study_id][row.analyte] = row.molar_mass
    return found


def _pool_names(reader: Reader, study_ids: Sequence[int]) -> dict[int, str]:
    statement = _of_studies("Pool", pool_table, ("id", "code"), reader, study_ids)
    return {row.id: row.code for row in reader.connection.execute(statement)}


# ------------------------------------------------------------ beside what is reported


def _beside(
    study: int,
    analysed: Sequence[StudyExposure],
    reported: Sequence[Mapping[str, Any]],
    masses: Mapping[str, float],
) -> list[ExposureBeside]:
    found = [ExposureBeside(study, exposure) for exposure in analysed]
    curves: dict[tuple[Any, ...], list[ExposureBeside]] = defaultdict(list)
    for each in found:
        whose = each.profile.whose
        curves[whose.subject, whose.pool, fold(whose.specimen)].append(each)
    said: dict[int, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    alone: dict[tuple[Any, ...], ExposureBeside] = {}
    for row in reported:
        fitting = curves.get((row["subject_id"], row["pool_id"], fold(row["specimen"])), [])
        about = _of_interval(row, fitting) or _unmatched(study, row, alone)
        said[id(about)][row["code"]].append(row)
    found += alone.values()
    of_subject: dict[tuple[int | None, int | None], list[ExposureBeside]] = defaultdict(list)
    for each in found:
        of_subject[each.profile.whose.subject, each.profile.whose.pool].append(each)
    for each in found:
        theirs = dict(said.get(id(each), {}))
        mass = masses.get(each.profile.whose.analyte)
        siblings = of_subject[each.profile.whose.subject, each.profile.whose.pool]
        for parameter in each.exposure.parameters:
            each.rows.append(_row(parameter, theirs.pop(parameter.code, []), each, siblings, mass))
        for code, rows in theirs.items():
            why = "not computed here" if each.exposure.parameters else "there are no samples for it"
            unknown = Parameter(code, None, rows[0]["unit"] or rows[0]["reported_unit"] or "1", why, "as reported")
            each.rows.append(_row(unknown, rows, each, siblings, mass))
    return found


def _of_interval(row: Mapping[str, Any], fitting: Sequence[ExposureBeside]) -> ExposureBeside | None:
    """Return the exposure a reported parameter is about: of its analyte, and of its day or dose."""
    named = [each for each in fitting if fold(each.profile.whose.analyte) == fold(row["analyte"])]
    if not named and len({each.profile.whose.analyte for each in fitting}) == 1:
        named = list(fitting)
    if row["day"] is not None:
        on_day = [each for each in named if each.profile.day == row["day"]]
        if on_day:
            return on_day[0]
    if row["reference_dose_at"] is not None:
        moments = [each for each in named if row["reference_dose_at"] in {s.reference for s in each.profile.samples}]
        if len(moments) == 1:
            return moments[0]
    return named[0] if len(named) == 1 else None


def _unmatched(study: int, row: Mapping[str, Any], alone: dict[tuple[Any, ...], ExposureBeside]) -> ExposureBeside:
    whose = Whose(row["subject_id"], row["pool_id"], row["analyte"], row["specimen"])
    label = row["profile"] or row["reference_dose_at"] or ""
    named = f"day {row['day']:g}" if row["day"] is not None else label or "not stated"
    key = (whose, named)
    if key not in alone:
        alone[key] = ExposureBeside(study, StudyExposure(StudyProfile(whose, named, row["day"]), None, None))
    return alone[key]


def _row(
    parameter: Parameter,
    rows: Sequence[Mapping[str, Any]],
    each: ExposureBeside,
    siblings: Sequence[ExposureBeside],
    mass: float | None,
) -> Beside:
    """Set one parameter beside what is reported of it; of several different reported values, the first, with a note."""
    if not rows:
        return Beside(parameter, Comparison.NOT_REPORTED)
    row = rows[0]
    said = Reported(parameter.code, row["value"], row["unit"], row["reported"], row["exclusion_reason"])
    ours = in_its_unit(parameter.value, parameter.unit, said.unit, mass)
    comparison = compare(said, ours)
    values = sorted({r["value"] for r in rows if r["value"] is not None})
    cause = f"it is reported {len(rows)} times with different values" if len(values) > 1 else None
    if comparison is Comparison.DISAGREES and ours is not None and cause is None:
        dose = each.exposure.dose
        others = _others(parameter, said.unit, each, siblings, mass)
        cause = likely_cause(said, ours, others, dose=dose.amount if dose else None, molar_mass=mass)
    elif comparison is Comparison.NOT_COMPUTED and parameter.value is not None:
        cause = f"it is reported in {said.unit}, which does not measure what {parameter.unit} does"
    elif said.excluded:
        cause = f"the source leaves it out of its summaries: {said.excluded}"
    return Beside(parameter, comparison, said.value, said.text, row["reported_unit"] or said.unit, ours, cause)


def _others(
    parameter: Parameter,
    unit: str | None,
    each: ExposureBeside,
    siblings: Sequence[ExposureBeside],
    mass: float | None,
) -> dict[str, float]:
    """Return what the reported value could have been taken for, in its unit."""
    others: dict[str, float] = {}
    if parameter.code == "AUCLST" and each.exposure.linear_auc is not None:
        linear = in_its_unit(each.exposure.linear_auc, parameter.unit, unit, mass)
        if linear is not None:
            others["the area with linear pieces only"] = linear
    for other in each.exposure.parameters:
        value = in_its_unit(other.value, other.unit, unit, mass) if other.code != parameter.code else None
        if value is not None:
            others[other.code] = value
    for sibling in siblings:
        if sibling is not each:
            value = in_its_unit(sibling.exposure.value(parameter.code), parameter.unit, unit, mass)
            if value is not None:
                others[f"that of {sibling.profile.interval}"] = value
    return others

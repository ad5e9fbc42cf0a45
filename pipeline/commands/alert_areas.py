"""Areas under the curve above their cap, or below their target (D9), from the profiles the act touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipeline.commands.alerts import Matter
from pipeline.commands.exposure_limits import (
    AREAS,
    GROWING_AREAS,
    Limits,
    amount,
    records_of_subjects,
    whose,
)
from pipeline.pharmacology.recorded_samples import given_dose, sample_of
from pipeline.pharmacology.study_exposures import AnalysisSettings, StudyExposure, study_exposures
from pipeline.pharmacology.study_profiles import GivenDose
from pipeline.rounding import above, below
from pipeline.store.journal import Act
from pipeline.store.study_tables import administrations
from pipeline.words import AlertKind


def areas_beyond_limits(act: Act, limits: Limits, subject_ids: Collection[int]) -> Iterator[Matter]:
    """Return the areas of subjects out of their bounds, from profiles that hold a sample the act wrote."""
    rows: dict[int, dict[int, Mapping[str, Any]]] = defaultdict(dict)
    for row in records_of_subjects(act, limits, subject_ids):
        rows[row["study_id"]][row["id"]] = row
    for study, of_study in rows.items():
        yield from _of_study(act, limits, study, of_study)


def _of_study(act: Act, limits: Limits, study: int, rows: Mapping[int, Mapping[str, Any]]) -> Iterator[Matter]:
    analytes = {row["analyte"] for row in rows.values()}
    settings = {analyte: AnalysisSettings.of(limits.settings_of(act, study, analyte)) for analyte in sorted(analytes)}
    doses = _doses(act, {row["subject_id"] for row in rows.values()})
    for exposure in study_exposures([sample_of(row) for row in rows.values()], doses, settings, {}):
        records = [sample.record for sample in exposure.profile.samples]
        new = [record for record in records if limits.judges(act, rows[record])]
        if new:
            yield from _beyond(act, limits, rows[new[-1]], exposure)


def _beyond(act: Act, limits: Limits, row: Mapping[str, Any], exposure: StudyExposure) -> Iterator[Matter]:
    for limit in limits.fitting(row, AREAS):
        parameter = next((each for each in exposure.parameters if each.code == limit["parameter"]), None)
        if parameter is None or parameter.value is None:
            continue
        factor = limits.factor(act, row, parameter.unit, limit)
        if factor is None:
            continue
        value = parameter.value * factor
        high = limit["upper"] is not None and above(value, limit["upper"])
        low = limit["lower"] is not None and below(value, limit["lower"]) and parameter.code not in GROWING_AREAS
        if not high and not low:
            continue
        bound, side = (limit["upper"], "above the limit of") if high else (limit["lower"], "below the target of")
        yield Matter(
            AlertKind.EXPOSURE_ABOVE_LIMIT if high else AlertKind.EXPOSURE_BELOW_TARGET,
            f"{'ABOVE' if high else 'BELOW'}:{limit['id']}:{whose(row)}",
            f"{parameter.code} of {row['analyte']} in {row['specimen']} ({exposure.profile.interval}): "
            f"{amount(value, limit['unit'])}, {side} {amount(bound, limit['unit'])} ({limit['source']}), study "
            f"{limits.study_code(act, row['study_id'])}",
            "MonitoringRecord",
            row["id"],
            value=value,
            threshold=bound,
            unit=limit["unit"],
            molecule_id=row["molecule_id"],
            study_id=row["study_id"],
            subject_id=row["subject_id"],
        )


def _doses(act: Act, subject_ids: set[int]) -> list[GivenDose]:
    table = administrations
    ordered = sorted(subject_ids)
    return [
        given_dose(row)
        for first in range(0, len(ordered), 500)
        for row in act.current(table, table.c.subject_id.in_(ordered[first : first + 500]))
    ]

"""Single concentrations above the cap of their molecule: the exposure at the NOAEL or HNSTD, or a toxic level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.commands.alerts import Matter
from pipeline.commands.exposure_limits import CONCENTRATIONS, Limits, amount, value_of, whose
from pipeline.rounding import above
from pipeline.store.journal import Act
from pipeline.words import AlertKind


def note_above_cap(act: Act, limits: Limits, row: Mapping[str, Any], found: dict[str, Matter]) -> None:
    """Note the caps a concentration is above: the Cmax is at least that. Of one subject the highest is kept."""
    value = value_of(row)
    if value is None:
        return
    for limit in limits.fitting(row, CONCENTRATIONS):
        factor = limits.factor(act, row, row["unit"], limit)
        if limit["upper"] is None or factor is None or not above(value * factor, limit["upper"]):
            continue
        if not limits.stands(act, row):
            return
        about = f"ABOVE:{limit['id']}:{whose(row)}"
        known = found.get(about)
        if known is not None and known.value is not None and not above(value * factor, known.value):
            continue
        found[about] = Matter(
            AlertKind.EXPOSURE_ABOVE_LIMIT,
            about,
            f"{row['analyte']} in {row['specimen']}: {amount(value * factor, limit['unit'])} is above the limit of "
            f"{amount(limit['upper'], limit['unit'])} ({limit['source']}), study "
            f"{limits.study_code(act, row['study_id'])}",
            "MonitoringRecord",
            row["id"],
            value=value * factor,
            threshold=limit["upper"],
            unit=limit["unit"],
            molecule_id=row["molecule_id"],
            study_id=row["study_id"],
            subject_id=row["subject_id"],
        )

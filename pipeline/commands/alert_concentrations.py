"""Single concentrations above the cap of their molecule: the exposure at the NOAEL or HNSTD, or a toxic level."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.commands.alerts import Matter, Touched
from pipeline.commands.exposure_limits import CONCENTRATIONS, Limits, amount, value_of, whose, written_records
from pipeline.rounding import above
from pipeline.store.journal import Act
from pipeline.words import AlertKind


def concentrations_beyond_limits(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return one matter for each cap and subject whose concentration is above it: the Cmax is at least that."""
    if "MonitoringRecord" not in touched.kinds:
        return []
    limits = Limits.of(act, touched.molecules, CONCENTRATIONS)
    if limits is None:
        return []
    found: dict[str, Matter] = {}
    for row in written_records(act, limits):
        value = value_of(row)
        if value is None:
            continue
        for limit in limits.fitting(row):
            factor = limits.factor(row, row["unit"], limit)
            if limit["upper"] is None or factor is None or not above(value * factor, limit["upper"]):
                continue
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
    return list(found.values())

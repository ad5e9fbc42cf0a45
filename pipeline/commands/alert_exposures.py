"""Exposures out of their limits: one look at the records the act wrote, for caps, troughs and areas together."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.commands.alert_areas import areas_beyond_limits
from pipeline.commands.alert_concentrations import note_above_cap
from pipeline.commands.alert_troughs import trough_of, troughs_beyond_limits
from pipeline.commands.alerts import Matter, Touched
from pipeline.commands.exposure_limits import AREAS, TROUGHS, Limits, written_records
from pipeline.store.journal import Act


def exposures_beyond_limits(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return what is out of its limits; the past of a subject is read only where a trough or an area is concerned."""
    if "MonitoringRecord" not in touched.kinds:
        return []
    limits = Limits.of(act, touched.molecules, all_records=touched.all_records)
    if limits is None:
        return []
    above: dict[str, Matter] = {}
    with_troughs: set[int] = set()
    with_areas: set[int] = set()
    for row in written_records(act, limits):
        note_above_cap(act, limits, row, above)
        subject = row["subject_id"]
        if subject is None:
            continue
        if any(trough_of(act, limits, row, limit) for limit in limits.fitting(row, TROUGHS)):
            with_troughs.add(subject)
        if any(limits.fitting(row, AREAS)):
            with_areas.add(subject)
    return [
        *above.values(),
        *troughs_beyond_limits(act, limits, with_troughs),
        *areas_beyond_limits(act, limits, with_areas),
    ]

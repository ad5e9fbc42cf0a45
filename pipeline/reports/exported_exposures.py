"""Exposure parameters as they are computed here, as records that stand beside the reported ones in an export."""

from __future__ import annotations

from pipeline import __version__
from pipeline.exchange.dataset_table import number_text
from pipeline.exchange.export_layouts import ORIGIN
from pipeline.exchange.export_records import Beside
from pipeline.exchange.study_facts import ReportedParameterFact
from pipeline.reports.exported_records import Held, StudyOnRecord, Who
from pipeline.reports.study_exposures import exposures_beside
from pipeline.store.reader import Reader


def recomputed_parameters(reader: Reader, study: StudyOnRecord) -> dict[Who, list[Held]]:
    """Return the parameters of a study's profiles by subject and pool; those without a value are left out."""
    found: dict[Who, list[Held]] = {}
    for beside in exposures_beside(reader, [study.id])[study.id]:
        profile = beside.profile
        subject, pool = profile.whose.subject, profile.whose.pool
        if (subject is not None and subject not in study.codes) or (pool is not None and pool not in study.pools):
            continue
        who = (None if subject is None else study.codes[subject], None if pool is None else study.pools[pool])
        for row in beside.rows:
            parameter = row.parameter
            if parameter.value is None:
                continue
            record = dict.fromkeys(ReportedParameterFact._fields) | {
                "analyte": profile.whose.analyte,
                "specimen": profile.whose.specimen,
                "profile": profile.interval,
                "day": profile.day,
                "code": parameter.code,
                "name": parameter.code,
                "reported": number_text(parameter.value),
                "reported_unit": parameter.unit,
                "value": parameter.value,
                "unit": parameter.unit,
                "flag": parameter.flag,
            }
            origin = Beside(ORIGIN, "Computed here", f"moltrail {__version__}, {parameter.method}", "Derived")
            found.setdefault(who, []).append(Held(0, record, (origin,)))
    return found

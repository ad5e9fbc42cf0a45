"""How facts of a study become rows: their table, what names a record, and what its source states of it.

A file sent again says nothing new where a record of the same name states the same; where it states something else, a
person has to decide. What is only worked out from several rows (the day of the dose, a grade) is no statement: it may
change with the other files that are sent along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Table

from pipeline.exchange import study_facts as facts
from pipeline.store import study_tables as tables

_RENAMED = {"subject": "subject_id", "pool": "pool_id", "molecule": "molecule_id"}
_WHO = ("subject_id", "pool_id")


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of record.

    names: columns that together name a record. without: a column that counts where another (its value here) is empty.
    derived: columns that are no statement of the source. found: columns the writer fills, beside those of the fact.
    """

    node: str
    table: Table
    fact: type[facts.Fact]
    names: tuple[str, ...]
    without: tuple[tuple[str, str], ...] = ()
    derived: frozenset[str] = frozenset()
    title: str = "records"
    found: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the facts fill, in the order of their fields, without the place."""
        given = (_RENAMED.get(name, name) for name in self.fact._fields if name not in ("place", "rows", "of"))
        return (*self.found, *given)

    @property
    def stated(self) -> tuple[str, ...]:
        """Columns a source states."""
        return tuple(name for name in self.columns if name not in self.derived)


_ALWAYS = frozenset({"molecule_id", "sequence", "flag", "sorted_on"})
KINDS: Mapping[type[facts.Fact], RecordKind] = {
    kind.fact: kind
    for kind in (
        RecordKind("StudyGroup", tables.study_groups, facts.GroupFact, ("code",), title="groups"),
        RecordKind("Subject", tables.subjects, facts.SubjectFact, ("code",), title="subjects"),
        RecordKind("Pool", tables.pools, facts.PoolFact, ("code",), title="pools"),
        RecordKind(
            "Administration",
            tables.administrations,
            facts.AdministrationFact,
            (*_WHO, "treatment", "started_on", "route", "form"),
            (("started_on", "visit"), ("started_on", "started_day"), ("started_on", "sequence")),
            _ALWAYS | {"started_day", "ended_day", "duration_hours"},
            "administrations",
        ),
        RecordKind(
            "MonitoringRecord",
            tables.monitoring_records,
            facts.ConcentrationFact,
            (*_WHO, "analyte", "specimen", "sampled_at", "nominal_time"),
            (("sampled_at", "profile"),),
            _ALWAYS
            | {"hours_after_dose", "end_hours_after_dose", "time_source", "reference_dose_at", "day", "profile"}
            | {"exclusion_reason", "exclusion_scope"},
            "concentrations",
        ),
        RecordKind(
            "ReportedParameter",
            tables.reported_parameters,
            facts.ReportedParameterFact,
            (*_WHO, "analyte", "specimen", "code", "reference_dose_at"),
            (("reference_dose_at", "profile"),),
            _ALWAYS | {"profile", "day", "exclusion_reason"},
            "reported parameters",
        ),
        RecordKind(
            "AdverseEvent",
            tables.adverse_events,
            facts.AdverseEventFact,
            ("subject_id", "sequence"),
            (("sequence", "term"), ("sequence", "started_on")),
            _ALWAYS,
            "adverse events",
        ),
        RecordKind(
            "LaboratoryResult",
            tables.laboratory_results,
            facts.LaboratoryFact,
            ("subject_id", "test", "category", "specimen", "visit", "sampled_at"),
            (("sampled_at", "day"),),
            _ALWAYS | {"grade", "grade_flag"},
            "laboratory values",
        ),
        RecordKind(
            "Finding",
            tables.findings,
            facts.FindingFact,
            ("subject_id", "domain", "sequence"),
            (("sequence", "test"), ("sequence", "organ"), ("sequence", "reported"), ("sequence", "found_on")),
            _ALWAYS | {"severity_rank"},
            "findings",
        ),
        RecordKind(
            "Disposition",
            tables.dispositions,
            facts.DispositionFact,
            ("subject_id", "sequence"),
            (("sequence", "term_reported"), ("sequence", "happened_on")),
            _ALWAYS,
            "dispositions",
        ),
        RecordKind(
            "Measurement",
            tables.measurements,
            facts.MeasurementFact,
            ("subject_id", "what", "lesion", "assessor", "visit", "measured_at"),
            (("measured_at", "day"), ("lesion", "location")),
            _ALWAYS,
            "measurements",
        ),
        RecordKind(
            "TumourResponse",
            tables.tumour_responses,
            facts.ResponseFact,
            ("subject_id", "criteria", "test", "assessor", "visit", "assessed_on"),
            (("assessed_on", "day"),),
            _ALWAYS,
            "responses",
        ),
        RecordKind(
            "BiomarkerResult",
            tables.biomarker_results,
            facts.BiomarkerFact,
            ("subject_id", "marker", "assay", "sampled_at"),
            derived=_ALWAYS,
            title="biomarkers",
        ),
        RecordKind(
            "Qualifier",
            tables.qualifiers,
            facts.QualifierFact,
            ("node", "node_id", "name"),
            title="qualifiers",
            found=("node", "node_id"),
        ),
        RecordKind(
            "RecordLink",
            tables.record_links,
            facts.RecordLinkFact,
            ("relation", "node", "node_id", "reported"),
            title="links",
            found=("node", "node_id"),
        ),
    )
}
NODES: Mapping[str, RecordKind] = {kind.node: kind for kind in KINDS.values()}
DOMAIN_NODES: Mapping[str, str] = {
    **{"PC": "MonitoringRecord", "PP": "ReportedParameter", "EX": "Administration", "AE": "AdverseEvent"},
    **{"LB": "LaboratoryResult", "EG": "LaboratoryResult", "DS": "Disposition", "DM": "Subject"},
    **{"BW": "Measurement", "TU": "Measurement", "TR": "Measurement", "RS": "TumourResponse"},
    **dict.fromkeys(("MI", "MA", "CL", "TF", "PM", "DD"), "Finding"),
}
"""What the records of a domain are here."""

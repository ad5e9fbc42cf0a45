"""How records of studies stand in the data sets of SDTM: which variable carries which field, domain by domain.

A variable either carries a field of the record as it is, or shows what is worked out from several. What a variable
cannot carry exactly (more digits than 15, words that mean "missing" to programs, what SDTM has no variable for) goes
into a supplemental qualifier of ours, named in `BESIDE`. Labels follow the SDTM Implementation Guide 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.exchange import study_facts as facts
from pipeline.exchange.dataset_table import number_text
from pipeline.exchange.dose_units import read_unit
from pipeline.exchange.elapsed_times import iso_hours
from pipeline.exchange.moments import read_moment
from pipeline.exchange.sdtm_safety import SEVERITY_RANKS
from pipeline.exchange.sdtm_study import is_inert

Record = Mapping[str, Any]
"""A record by the names of its fact's fields; subject and pool are codes, molecule is a name."""
Cell = str | float | None


class Form(StrEnum):
    """How a field stands in its variable. YES: Y where it is true, empty otherwise; YES_NO: Y and N."""

    TEXT = "text"
    MOMENT = "moment"
    NUMBER = "number"
    YES = "yes"
    YES_NO = "yes or no"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable. show: what stands in it, where that is not simply the field; field None: it carries none."""

    name: str
    label: str
    field: str | None = None
    form: Form = Form.TEXT
    show: Callable[[Record], Cell] | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """One domain: what its records are, and their variables.

    node: what the records are in the store. moment: the field its `sorted_on` follows from. read: how fields are read
    back that follow from the cells of other variables. names: variables that name a record, beside subject and number.
    """

    code: str
    label: str
    node: str
    fact: type[facts.Fact]
    kind: str
    structure: str
    variables: tuple[Variable, ...]
    moment: str | None
    read: Mapping[str, Callable[[Mapping[str, Cell]], Any]] = field(default_factory=dict)

    @property
    def carried(self) -> dict[str, Variable]:
        """Field -> the variable that carries it."""
        return {variable.field: variable for variable in self.variables if variable.field is not None}

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that have to come back as they are; whose they are stands in USUBJID and POOLID."""
        whose = {"subject", "pool", "place"} | ({"code"} if self.node == "Subject" else set())
        return tuple(name for name in self.fact._fields if name not in whose)


V, F = Variable, Form
_VISIT = V("VISIT", "Visit Name", "visit")
_CODE = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")


# ---------------------------------------------------------------------------------- what variables show


def result_text(prefix: str, value: str = "value") -> Callable[[Record], Cell]:
    """Return what stands in --STRESC: the number, else what was reported."""

    def show(record: Record) -> Cell:
        number = record[value]
        return number_text(number) if number is not None else record["reported"]

    return show


def _undone(record: Record) -> bool:
    return record["not_done"] is not None and record["reported"] is None


def _results(prefix: str, value: str = "value") -> tuple[Variable, ...]:
    """Return the variables of a result: as reported, as standardised, and why there is none."""
    return (
        V(f"{prefix}ORRES", "Result or Finding in Original Units", "reported"),
        V(f"{prefix}ORRESU", "Original Units", "reported_unit"),
        V(f"{prefix}STRESC", "Character Result/Finding in Std Format", show=result_text(prefix, value)),
        V(f"{prefix}STRESN", "Numeric Result/Finding in Standard Units", value, F.NUMBER),
        V(f"{prefix}STRESU", "Standard Units", "unit"),
        *_status(prefix),
    )


def _status(prefix: str) -> tuple[Variable, ...]:
    return (
        V(f"{prefix}STAT", "Completion Status", show=lambda record: "NOT DONE" if _undone(record) else None),
        V(
            f"{prefix}REASND",
            "Reason Not Done",
            "not_done",
            show=lambda record: record["not_done"] if _undone(record) else None,
        ),
    )


def _day(name: str, label: str = "Study Day") -> Variable:
    return V(name, label, "day", F.NUMBER)


def _concentration_text(record: Record) -> Cell:
    if record["below_limit"]:
        return "<LLOQ"
    value = record["concentration"]
    value = record["amount_of_specimen"] if value is None else value
    return None if value is None else number_text(value)


def _concentration(record: Record) -> Cell:
    value: float | None = record["concentration"]
    return record["amount_of_specimen"] if value is None else value


def _concentration_unit(record: Record) -> Cell:
    unit: str | None = record["unit"]
    return record["amount_unit"] if unit is None and record["concentration"] is None else unit


def _planned(record: Record) -> float | None:
    """Return hours that were planned; hours by the clock belong to PCDTC."""
    hours: float | None = record["hours_after_dose"]
    return None if record["time_source"] == "PCDTC" else hours


def _elapsed(record: Record) -> Cell:
    hours = _planned(record)
    if hours is None:
        return None
    text = f"{'-' if hours < 0 else ''}PT{number_text(abs(hours))}H"
    return text if "e" not in text else None


def short_code(record: Record) -> str:
    """Return the code of an analyte as SDTM has them: at most 8 capitals and digits."""
    code = (record["analyte_code"] or "").upper()
    if _CODE.fullmatch(code):
        return code
    made = re.sub("[^A-Z0-9]", "", record["analyte"].upper().encode("ascii", "ignore").decode())[:8]
    return made if _CODE.fullmatch(made) else f"A{made}"[:8]


# ---------------------------------------------------------------------------------- how fields are read back


def _below(cells: Mapping[str, Cell]) -> bool:
    return str(cells["PCSTRESC"] or "").startswith("<")


def _grade(cells: Mapping[str, Cell]) -> int | None:
    text = cells["AETOXGR"]
    return int(text) if isinstance(text, str) and text in ("1", "2", "3", "4", "5") else None


def _rank(code: str) -> Callable[[Mapping[str, Cell]], int | None]:
    return lambda cells: SEVERITY_RANKS.get(str(cells[f"{code}SEV"] or "").upper())


def _given(cells: Mapping[str, Cell]) -> str | None:
    treatment = str(cells["EXTRT"] or "")
    return treatment if treatment and not is_inert(treatment) else None


def _duration(cells: Mapping[str, Cell]) -> float | None:
    text = cells["EXDUR"]
    return iso_hours(text) if isinstance(text, str) else None


def _dose_unit(cells: Mapping[str, Cell]) -> str | None:
    text = cells["EXDOSU"]
    return read_unit(text).code if isinstance(text, str) else None


def _time_source(cells: Mapping[str, Cell]) -> str | None:
    return "PCELTM" if cells["PCELTM"] is not None else None


def _screened_out(cells: Mapping[str, Cell]) -> bool | None:
    return False if any(cells[name] for name in ("ARM", "ACTARM", "ARMCD")) else None


def sorted_on(text: Cell) -> str:
    """Return the earliest moment a date can mean; "" for none."""
    return read_moment(text).sorted_on if isinstance(text, str) else ""


# ---------------------------------------------------------------------------------- the domains

_SUBJECT = "One record per subject"
_LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "EX",
        "Exposure",
        "Administration",
        facts.AdministrationFact,
        "INTERVENTIONS",
        "One record per constant dosing interval per subject",
        (
            V("EXTRT", "Name of Treatment", "treatment"),
            V("EXDOSE", "Dose", "amount", F.NUMBER),
            V("EXDOSTXT", "Dose Description", "amount_reported"),
            V("EXDOSU", "Dose Units", "unit_reported"),
            V("EXDOSFRM", "Dose Form", "form"),
            V("EXDOSFRQ", "Dosing Frequency per Interval", "frequency"),
            V("EXROUTE", "Route of Administration", "route"),
            _VISIT,
            V("EXSTDTC", "Start Date/Time of Treatment", "started_on", F.MOMENT),
            V("EXENDTC", "End Date/Time of Treatment", "ended_on", F.MOMENT),
            V("EXSTDY", "Study Day of Start of Treatment", "started_day", F.NUMBER),
            V("EXENDY", "Study Day of End of Treatment", "ended_day", F.NUMBER),
            V("EXDUR", "Duration of Treatment", "duration_reported"),
        ),
        "started_on",
        {"molecule": _given, "duration_hours": _duration, "unit": _dose_unit},
    ),
    Layout(
        "PC",
        "Pharmacokinetics Concentrations",
        "MonitoringRecord",
        facts.ConcentrationFact,
        "FINDINGS",
        "One record per sample characteristic or time-point concentration per analyte per subject",
        (
            V("PCTESTCD", "Pharmacokinetic Test Short Name", "analyte_code", show=short_code),
            V("PCTEST", "Pharmacokinetic Test Name", "analyte"),
            V("PCCAT", "Test Category", "molecule"),
            V("PCORRES", "Result or Finding in Original Units", "reported"),
            V("PCORRESU", "Original Units", "reported_unit"),
            V("PCSTRESC", "Character Result/Finding in Std Format", show=_concentration_text),
            V("PCSTRESN", "Numeric Result/Finding in Standard Units", "concentration", F.NUMBER, _concentration),
            V("PCSTRESU", "Standard Units", "unit", show=_concentration_unit),
            *_status("PC"),
            V("PCSPEC", "Specimen Material Type", "specimen"),
            V("PCLLOQ", "Lower Limit of Quantitation", "lower_limit", F.NUMBER),
            V("VISITDY", "Planned Study Day of Visit", "day", F.NUMBER),
            V("PCDTC", "Date/Time of Specimen Collection", "sampled_at", F.MOMENT),
            V("PCTPT", "Planned Time Point Name", "nominal_time"),
            V("PCTPTNUM", "Planned Time Point Number", "hours_after_dose", F.NUMBER, _planned),
            V("PCELTM", "Planned Elapsed Time from Time Point Ref", show=_elapsed),
            V("PCTPTREF", "Time Point Reference", "profile"),
            V("PCRFTDTC", "Date/Time of Reference Point", "reference_dose_at", F.MOMENT),
        ),
        "sampled_at",
        {"below_limit": _below, "time_source": _time_source},
    ),
    Layout(
        "PP",
        "Pharmacokinetics Parameters",
        "ReportedParameter",
        facts.ReportedParameterFact,
        "FINDINGS",
        "One record per PK parameter per time-concentration profile per modeling method per subject",
        (
            V("PPTESTCD", "Parameter Short Name", "code"),
            V("PPTEST", "Parameter Name", "name"),
            V("PPCAT", "Parameter Category", "analyte"),
            V("PPSCAT", "Parameter Subcategory", "molecule"),
            *_results("PP"),
            V("PPSPEC", "Specimen Material Type", "specimen"),
            V("VISITDY", "Planned Study Day of Visit", "day", F.NUMBER),
            V("PPTPTREF", "Time Point Reference", "profile"),
            V("PPRFTDTC", "Date/Time of Reference Point", "reference_dose_at", F.MOMENT),
        ),
        None,
    ),
    Layout(
        "AE",
        "Adverse Events",
        "AdverseEvent",
        facts.AdverseEventFact,
        "EVENTS",
        "One record per adverse event per subject",
        (
            V("AETERM", "Reported Term for the Adverse Event", "term"),
            V("AEDECOD", "Dictionary-Derived Term", "coded_term"),
            V("AEBODSYS", "Body System or Organ Class", "organ_class"),
            V("AESEV", "Severity/Intensity", "severity"),
            V("AESER", "Serious Event", "serious", F.YES_NO),
            V("AEACN", "Action Taken with Study Treatment", "action"),
            V("AEREL", "Causality", "relatedness"),
            V("AEOUT", "Outcome of Adverse Event", "outcome"),
            V("AETOXGR", "Standard Toxicity Grade", "grade_reported"),
            V("AESTDTC", "Start Date/Time of Adverse Event", "started_on", F.MOMENT),
            V("AEENDTC", "End Date/Time of Adverse Event", "ended_on", F.MOMENT),
            V("AESTDY", "Study Day of Start of Adverse Event", "started_day", F.NUMBER),
            V("AEENDY", "Study Day of End of Adverse Event", "ended_day", F.NUMBER),
            V("AEENRTPT", "End Relative to Reference Time Point", "ongoing"),
        ),
        "started_on",
        {"grade": _grade},
    ),
    Layout(
        "DS",
        "Disposition",
        "Disposition",
        facts.DispositionFact,
        "EVENTS",
        "One record per disposition status or protocol milestone per subject",
        (
            V("DSTERM", "Reported Term for the Disposition Event", "term_reported"),
            V("DSDECOD", "Standardized Disposition Term", "term"),
            V("DSCAT", "Category for Disposition Event", "category"),
            V("DSSTDTC", "Start Date/Time of Disposition Event", "happened_on", F.MOMENT),
            V("DSSTDY", "Study Day of Start of Disposition Event", "day", F.NUMBER),
        ),
        "happened_on",
    ),
    *(
        Layout(
            code,
            label,
            "LaboratoryResult",
            facts.LaboratoryFact,
            "FINDINGS",
            "One record per test per time point per visit per subject",
            (
                V(f"{code}TESTCD", "Test or Examination Short Name", "test"),
                V(f"{code}TEST", "Test or Examination Name", "test_name"),
                V(f"{code}CAT", "Category for Test", "category"),
                *_results(code),
                V(f"{code}STNRLO", "Reference Range Lower Limit-Std Units", "lower_normal", F.NUMBER),
                V(f"{code}STNRHI", "Reference Range Upper Limit-Std Units", "upper_normal", F.NUMBER),
                V(f"{code}NRIND", "Reference Range Indicator", "range_flag"),
                V(f"{code}SPEC", "Specimen Type", "specimen"),
                V(f"{code}LOBXFL", "Last Observation Before Exposure Flag", "baseline", F.YES),
                _VISIT,
                V(f"{code}DTC", "Date/Time of Measurement", "sampled_at", F.MOMENT),
                _day(f"{code}DY", "Study Day of Measurement"),
            ),
            "sampled_at",
        )
        for code, label in (("LB", "Laboratory Test Results"), ("EG", "ECG Test Results"))
    ),
    *(
        Layout(
            code,
            label,
            "Finding",
            facts.FindingFact,
            "FINDINGS",
            "One record per finding per subject",
            (
                V(f"{code}TESTCD", "Test or Examination Short Name", "test"),
                V(f"{code}BODSYS", "Body System or Organ Class", "organ_class"),
                V(f"{code}ORRES", "Result or Finding in Original Units", "reported"),
                V(f"{code}STRESC", "Character Result/Finding in Std Format", show=lambda record: record["reported"]),
                *_status(code),
                V(f"{code}SPEC", "Specimen Material Type", "organ"),
                V(f"{code}SEV", "Severity", "severity_reported"),
                V(f"{code}DTC", "Date/Time of Finding", "found_on", F.MOMENT),
                _day(f"{code}DY", "Study Day of Finding"),
            ),
            "found_on",
            {"domain": lambda cells: cells["DOMAIN"], "severity_rank": _rank(code)},
        )
        for code, label in (
            ("MI", "Microscopic Findings"),
            ("MA", "Macroscopic Findings"),
            ("CL", "Clinical Observations"),
            ("TF", "Tumor Findings"),
            ("PM", "Palpable Masses"),
            ("DD", "Death Diagnosis and Details"),
        )
    ),
    *(
        Layout(
            code,
            label,
            "Measurement",
            facts.MeasurementFact,
            "FINDINGS",
            structure,
            (
                V(f"{code}TESTCD", "Test or Examination Short Name", "what"),
                V(f"{code}LNKID", "Link ID", "lesion"),
                V(f"{code}GRPID", "Group ID", "lesion_kind"),
                *_results(code),
                V(f"{code}LOC", "Location", "location"),
                V(f"{code}METHOD", "Method of Test or Examination", "method"),
                V(f"{code}EVAL", "Evaluator", "assessor"),
                V(f"{code}ACPTFL", "Accepted Record Flag", "accepted", F.YES),
                _VISIT,
                V(f"{code}DTC", "Date/Time of Measurement", "measured_at", F.MOMENT),
                _day(f"{code}DY", "Study Day of Measurement"),
            ),
            "measured_at",
        )
        for code, label, structure in (
            ("BW", "Body Weight", "One record per test per observation time per subject"),
            ("TU", "Tumor/Lesion Identification", "One record per identified tumor per subject per assessor"),
            ("TR", "Tumor/Lesion Results", "One record per tumor measurement per visit per subject per assessor"),
        )
    ),
    Layout(
        "RS",
        "Disease Response and Clin Classification",
        "TumourResponse",
        facts.ResponseFact,
        "FINDINGS",
        "One record per response assessment per time point per visit per subject per assessor",
        (
            V("RSTESTCD", "Assessment Short Name", "test"),
            V("RSCAT", "Category for Assessment", "criteria"),
            V("RSORRES", "Result or Finding in Original Units", "reported"),
            V("RSSTRESC", "Character Result/Finding in Std Format", "response"),
            V("RSEVAL", "Evaluator", "assessor"),
            V("RSACPTFL", "Accepted Record Flag", "accepted", F.YES),
            _VISIT,
            V("RSDTC", "Date/Time of Assessment", "assessed_on", F.MOMENT),
            _day("RSDY", "Study Day of Assessment"),
        ),
        "assessed_on",
    ),
    Layout(
        "XB",
        "Biomarkers",
        "BiomarkerResult",
        facts.BiomarkerFact,
        "FINDINGS",
        "One record per biomarker per time point per subject",
        (
            V("XBTEST", "Biomarker", "marker"),
            V("XBMETHOD", "Assay", "assay"),
            V("XBORRES", "Result or Finding in Original Units", "reported"),
            V("XBORRESU", "Original Units", "reported_unit"),
            V("XBSTRESC", "Character Result/Finding in Std Format", show=result_text("XB")),
            V("XBSTRESN", "Numeric Result/Finding in Standard Units", "value", F.NUMBER),
            V("XBSTRESU", "Standard Units", "unit"),
            V("XBDTC", "Date/Time of Specimen Collection", "sampled_at", F.MOMENT),
        ),
        "sampled_at",
    ),
)
LAYOUTS: Mapping[str, Layout] = {layout.code: layout for layout in _LAYOUTS}
"""The domains of records, in the order in which they are read back."""
SUBJECTS = Layout(
    "DM",
    "Demographics",
    "Subject",
    facts.SubjectFact,
    "SPECIAL PURPOSE",
    _SUBJECT,
    (
        V("SUBJID", "Subject Identifier for the Study", show=lambda record: record["code"]),
        V("RFSTDTC", "Subject Reference Start Date/Time", "reference_start", F.MOMENT),
        V("RFENDTC", "Subject Reference End Date/Time", "reference_end", F.MOMENT),
        V("DTHDTC", "Date/Time of Death", "died_on", F.MOMENT),
        V("SITEID", "Study Site Identifier", "site"),
        V("AGE", "Age", "age", F.NUMBER),
        V("AGEU", "Age Units", "age_unit"),
        V("SEX", "Sex", "sex"),
        V("SPECIES", "Species", "species"),
        V("STRAIN", "Strain/Substrain", "strain"),
        V("ARMCD", "Planned Arm Code", show=lambda record: record["group_code"]),
        V("ARM", "Description of Planned Arm", "arm_planned"),
        V("ACTARMCD", "Actual Arm Code", show=lambda record: record["group_code"]),
        V("ACTARM", "Description of Actual Arm", "arm"),
        V("SETCD", "Set Code", "group_code"),
    ),
    None,
    {"screen_failure": _screened_out},
)

BESIDE: Mapping[str, tuple[str, str]] = {
    "sequence": ("MTSEQ", "Number the source gave"),
    "molecule": ("MTMOL", "Molecule"),
    "sorted_on": ("MTSORT", "Earliest moment it can mean"),
    "flag": ("MTFLAG", "What has to be minded"),
    "not_done": ("MTNOTDO", "Why there is no result"),
    "reported": ("MTREPOR", "Result as reported"),
    "reported_unit": ("MTREPU", "Unit as reported"),
    "value": ("MTVALUE", "Value in standard units"),
    "unit": ("MTUNIT", "Standard unit"),
    "visit": ("MTVISIT", "Visit"),
    "day": ("MTDAY", "Study day"),
    "treatment": ("MTTRT", "Treatment"),
    "amount_reported": ("MTAMTRP", "Amount as reported"),
    "amount": ("MTAMT", "Amount"),
    "unit_reported": ("MTAMTUR", "Unit of the amount as reported"),
    "form": ("MTFORM", "Form"),
    "route": ("MTROUTE", "Route"),
    "frequency": ("MTFREQ", "Frequency"),
    "started_on": ("MTSTART", "Start"),
    "ended_on": ("MTEND", "End"),
    "started_day": ("MTSTDY", "Study day of the start"),
    "ended_day": ("MTENDY", "Study day of the end"),
    "duration_reported": ("MTDURRP", "Duration as reported"),
    "duration_hours": ("MTDURH", "Duration, h"),
    "analyte": ("MTANALY", "Analyte"),
    "analyte_code": ("MTACODE", "Code of the analyte"),
    "specimen": ("MTSPEC", "Specimen"),
    "profile": ("MTPROF", "Profile"),
    "reference_dose_at": ("MTREFDT", "Moment of the reference dose"),
    "sampled_at": ("MTSAMPL", "Moment of sampling"),
    "hours_after_dose": ("MTHOURS", "Hours after the reference dose"),
    "end_hours_after_dose": ("MTENDH", "End of the collection, h after the dose"),
    "time_source": ("MTTIME", "What the hours were read from"),
    "nominal_time": ("MTNOMIN", "Nominal time"),
    "concentration": ("MTCONC", "Concentration in standard units"),
    "lower_limit": ("MTLLOQ", "Lower limit of quantification"),
    "below_limit": ("MTBELOW", "Below the limit of quantification"),
    "amount_of_specimen": ("MTAMSP", "Amount of specimen"),
    "amount_unit": ("MTAMSPU", "Unit of the amount of specimen"),
    "exclusion_reason": ("MTEXCL", "Reason for exclusion"),
    "exclusion_scope": ("MTSCOPE", "What it is excluded from"),
    "code": ("MTCODE", "Code"),
    "name": ("MTNAME", "Name"),
    "term": ("MTTERM", "Term"),
    "coded_term": ("MTDECOD", "Coded term"),
    "organ_class": ("MTSOC", "Organ class"),
    "grade_reported": ("MTGRREP", "Grade as reported"),
    "grade": ("MTGRADE", "CTCAE grade"),
    "severity": ("MTSEV", "Severity"),
    "serious": ("MTSER", "Serious"),
    "dlt": ("MTDLT", "Dose-limiting toxicity"),
    "relatedness": ("MTREL", "Relatedness"),
    "action": ("MTACN", "Action taken"),
    "outcome": ("MTOUT", "Outcome"),
    "ongoing": ("MTONGO", "Ongoing"),
    "test": ("MTTEST", "Test"),
    "test_name": ("MTTESTN", "Name of the test"),
    "category": ("MTCAT", "Category"),
    "lower_normal": ("MTNRLO", "Lower limit of the reference range"),
    "upper_normal": ("MTNRHI", "Upper limit of the reference range"),
    "range_flag": ("MTNRIND", "Where it lies to the reference range"),
    "grade_flag": ("MTGRFLG", "What has to be minded about the grade"),
    "baseline": ("MTBASE", "Baseline"),
    "domain": ("MTDOM", "Domain"),
    "organ": ("MTORGAN", "Organ"),
    "severity_reported": ("MTSEVRP", "Severity as reported"),
    "severity_rank": ("MTSEVRK", "Rank of the severity, 1 to 5"),
    "found_on": ("MTFOUND", "When it was found"),
    "term_reported": ("MTTERMR", "Term as reported"),
    "happened_on": ("MTHAPPD", "When it happened"),
    "what": ("MTWHAT", "What was measured"),
    "lesion": ("MTLES", "Lesion"),
    "lesion_kind": ("MTLESK", "Kind of lesion"),
    "location": ("MTLOC", "Location"),
    "method": ("MTMETH", "Method"),
    "finding": ("MTFIND", "Finding in words"),
    "assessor": ("MTASSES", "Who assessed"),
    "accepted": ("MTACPT", "Whether it is the accepted one"),
    "measured_at": ("MTMEAS", "When it was measured"),
    "criteria": ("MTCRIT", "Criteria"),
    "response": ("MTRESP", "Response"),
    "assessed_on": ("MTASSON", "When it was assessed"),
    "marker": ("MTMARK", "Biomarker"),
    "assay": ("MTASSAY", "Assay"),
    "cut_off": ("MTCUT", "Cut-off"),
    "positive": ("MTPOS", "Positive"),
    "species": ("MTSPECI", "Species"),
    "strain": ("MTSTRAI", "Strain"),
    "sex": ("MTSEX", "Sex"),
    "age": ("MTAGE", "Age"),
    "age_unit": ("MTAGEU", "Unit of the age"),
    "arm": ("MTARM", "Arm"),
    "arm_planned": ("MTARMP", "Planned arm"),
    "group_code": ("MTGROUP", "Group"),
    "dose_level": ("MTDOSLV", "Dose level"),
    "site": ("MTSITE", "Site"),
    "reference_start": ("MTRFST", "Reference start"),
    "reference_end": ("MTRFEN", "Reference end"),
    "died_on": ("MTDIED", "When the subject died"),
    "screen_failure": ("MTSCRF", "Screen failure"),
}
"""Field -> name and label of the supplemental qualifier that carries what its variable cannot."""
FIELD_OF: Mapping[str, str] = {name: field for field, (name, _) in BESIDE.items()}
OWN = "MOLTRAIL"
"""QEVAL of the qualifiers of ours: those of a source have none."""
ORIGIN, STATE, RETEST = "MTORIG", "MTSTATE", "MTRETST"
"""Qualifiers of no field: where a parameter comes from, that a record was verified, which one it measures again."""
NOT_EXPORTED = "unknown"
"""Stands for the number of a record that was left out of the export."""


def domain_of_record(node: str, record: Record) -> str:
    """Return the domain a record belongs to, where a node has records of several."""
    if node == "Finding":
        domain = str(record["domain"])
        return domain if domain in LAYOUTS and LAYOUTS[domain].node == "Finding" else "CL"
    if node == "LaboratoryResult":
        return "EG" if record["category"] == "ECG" else "LB"
    if node == "Measurement":
        what = str(record["what"]).upper()
        if what in ("BW", "TERMBW", "BWGAIN", "WEIGHT"):
            return "BW"
        return "TU" if what.endswith("IDENT") or what in ("TUSPLIT", "TUMERGE") else "TR"
    return next(layout.code for layout in _LAYOUTS if layout.node == node)

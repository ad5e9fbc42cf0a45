"""Tables of what is found in studies: subjects, doses, concentrations, events, findings, and what is made of them.

Amounts, times and limits keep what the source said in `..._reported`; beside it stands what was read in it, null
where it could not be read without doubt. `sorted_on` is the earliest moment a time can mean, "" where none is given:
it orders pages and needs no null. Hours are since the reference dose; days are study days of the source.
"""

from __future__ import annotations

from sqlalchemy import Index, text

from pipeline.store.columns import flag_column as _flag
from pipeline.store.columns import real_column as _real
from pipeline.store.columns import records
from pipeline.store.columns import source_columns as _source
from pipeline.store.columns import text_column as _text
from pipeline.store.columns import whole_column as _whole

# ---------------------------------------------------------------- who was studied

study_groups = records(
    "study_groups",
    _whole("study_id", required=True),
    _text("code", required=True),
    _text("label"),
    _text("arm"),
    _text("dose_reported"),
    _real("dose"),
    _text("dose_unit"),
    _flag("control"),
    _flag("satellite"),
    _flag("recovery"),
    _text("parameters", required=True),
    *_source(),
    unique=("study_id", "code"),
)

subjects = records(
    "subjects",
    _whole("study_id", required=True),
    _text("code"),
    _text("species", required=True),
    _text("strain"),
    _text("sex"),
    _real("age"),
    _text("age_unit"),
    _text("arm"),
    _text("arm_planned"),
    _text("group_code"),
    _whole("dose_level"),
    _text("site"),
    _text("reference_start"),
    _text("reference_end"),
    _text("died_on"),
    _flag("screen_failure"),
    _flag("erased", required=True),
    _flag("opposed_to_reuse", required=True),
    *_source(),
    unique=("study_id", "code"),
    look_up=("study_id,id",),
)

pools = records(
    "pools",
    _whole("study_id", required=True),
    _text("code", required=True),
    _text("members", required=True),
    *_source(),
    unique=("study_id", "code"),
)

administrations = records(
    "administrations",
    _whole("study_id", required=True),
    _whole("subject_id"),
    _whole("pool_id"),
    _whole("molecule_id"),
    _text("treatment", required=True),
    _text("sequence"),
    _text("amount_reported"),
    _real("amount"),
    _text("unit_reported"),
    _text("unit"),
    _text("form"),
    _text("route"),
    _text("frequency"),
    _text("visit"),
    _text("started_on"),
    _text("ended_on"),
    _real("started_day"),
    _real("ended_day"),
    _text("duration_reported"),
    _real("duration_hours"),
    _text("sorted_on", required=True),
    *_source(),
    look_up=("study_id,sorted_on,id", "subject_id,sorted_on,id", "molecule_id"),
)

# ---------------------------------------------------------------- concentrations and what is made of them

monitoring_records = records(
    "monitoring_records",
    _whole("molecule_id", required=True),
    _whole("study_id", required=True),
    _whole("subject_id"),
    _whole("pool_id"),
    _text("sequence"),
    _text("analyte", required=True),
    _text("analyte_code"),
    _text("specimen", required=True),
    _text("profile"),
    _real("day"),
    _text("reference_dose_at"),
    _text("sampled_at"),
    _text("sorted_on", required=True),
    _real("hours_after_dose"),
    _real("end_hours_after_dose"),
    _text("time_source"),
    _text("nominal_time"),
    _text("reported"),
    _text("reported_unit"),
    _real("concentration"),
    _text("unit"),
    _real("lower_limit"),
    _flag("below_limit", required=True),
    _text("not_done"),
    _real("amount_of_specimen"),
    _text("amount_unit"),
    _text("state", required=True),
    _text("exclusion_reason"),
    _text("exclusion_scope"),
    _text("excluded_by"),
    _text("excluded_at"),
    _whole("retest_of"),
    _text("entered_by", required=True),
    _text("verified_by"),
    _text("flag"),
    *_source(),
    look_up=(
        *("study_id,sorted_on,id", "study_id,analyte,sorted_on,id"),
        *("molecule_id,sorted_on,id", "subject_id,sorted_on,id"),
    ),
)

reported_parameters = records(
    "reported_parameters",
    _whole("molecule_id"),
    _whole("study_id", required=True),
    _whole("subject_id"),
    _whole("pool_id"),
    _text("sequence"),
    _text("analyte", required=True),
    _text("specimen", required=True),
    _text("profile"),
    _real("day"),
    _text("reference_dose_at"),
    _text("code", required=True),
    _text("name"),
    _text("reported"),
    _text("reported_unit"),
    _real("value"),
    _text("unit"),
    _text("not_done"),
    _text("exclusion_reason"),
    _text("flag"),
    *_source(),
    look_up=("study_id,id", "subject_id,id"),
)

monitoring_settings = records(
    "monitoring_settings",
    _whole("study_id", required=True),
    _text("analyte", required=True),
    _text("settings", required=True),
    unique=("study_id", "analyte"),
)

exposure_limits = records(
    "exposure_limits",
    _whole("molecule_id", required=True),
    _whole("study_id"),
    _text("kind", required=True),
    _text("analyte"),
    _text("specimen"),
    _text("indication"),
    _text("parameter", required=True),
    _text("relation", required=True),
    _real("lower"),
    _real("upper"),
    _text("unit", required=True),
    _text("source", required=True),
    _text("flag"),
    look_up=("molecule_id", "study_id"),
)

toxicity_bases = records(
    "toxicity_bases",
    _whole("molecule_id", required=True),
    _whole("study_id", required=True),
    _text("basis", required=True),
    _text("relation", required=True),
    _text("dose_reported"),
    _real("dose"),
    _text("dose_unit"),
    _text("group_codes", required=True),
    _text("sex"),
    _text("analyte"),
    _text("specimen"),
    _text("parameter", required=True),
    _text("profile"),
    _real("threshold"),
    _text("comment"),
    look_up=("molecule_id", "study_id"),
)

column_mappings = records(
    "column_mappings",
    _text("name", required=True),
    _whole("number", required=True),
    _text("text", required=True),
    _text("confirmed_by", required=True),
    unique=("name", "number"),
)

# ---------------------------------------------------------------- safety

adverse_events = records(
    "adverse_events",
    _whole("study_id", required=True),
    _whole("subject_id"),
    _text("sequence"),
    _text("term", required=True),
    _text("coded_term"),
    _text("organ_class"),
    _text("grade_reported"),
    _whole("grade"),
    _text("severity"),
    _flag("serious"),
    _flag("dlt", required=True),
    _text("relatedness"),
    _text("action"),
    _text("outcome"),
    _text("started_on"),
    _text("ended_on"),
    _text("ongoing"),
    _real("started_day"),
    _real("ended_day"),
    _text("sorted_on", required=True),
    _text("flag"),
    *_source(),
    look_up=("study_id,sorted_on,id", "subject_id,sorted_on,id"),
)

laboratory_results = records(
    "laboratory_results",
    _whole("study_id", required=True),
    _whole("subject_id"),
    _text("sequence"),
    _text("test", required=True),
    _text("test_name"),
    _text("category"),
    _text("specimen"),
    _text("reported"),
    _text("reported_unit"),
    _real("value"),
    _text("unit"),
    _real("lower_normal"),
    _real("upper_normal"),
    _text("range_flag"),
    _whole("grade"),
    _text("grade_flag"),
    _flag("baseline"),
    _text("not_done"),
    _text("visit"),
    _real("day"),
    _text("sampled_at"),
    _text("sorted_on", required=True),
    _text("flag"),
    *_source(),
    look_up=("study_id,sorted_on,id", "study_id,test,sorted_on,id", "subject_id,sorted_on,id"),
)

findings = records(
    "findings",
    _whole("study_id", required=True),
    _whole("subject_id"),
    _text("sequence"),
    _text("domain", required=True),
    _text("test", required=True),
    _text("organ"),
    _text("organ_class"),
    _text("reported"),
    _text("severity_reported"),
    _whole("severity_rank"),
    _real("day"),
    _text("found_on"),
    _text("sorted_on", required=True),
    _text("not_done"),
    _text("flag"),
    *_source(),
    look_up=("study_id,sorted_on,id", "subject_id,sorted_on,id"),
)

dispositions = records(
    "dispositions",
    _whole("study_id", required=True),
    _whole("subject_id"),
    _text("sequence"),
    _text("category"),
    _text("term_reported", required=True),
    _text("term"),
    _text("happened_on"),
    _real("day"),
    _text("sorted_on", required=True),
    *_source(),
    look_up=("study_id,sorted_on,id", "subject_id,sorted_on,id"),
)

# ---------------------------------------------------------------- efficacy

measurements = records(
    "measurements",
    _whole("study_id", required=True),
    _whole("subject_id"),
    _text("sequence"),
    _text("what", required=True),
    _text("lesion"),
    _text("lesion_kind"),
    _text("location"),
    _text("method"),
    _text("reported"),
    _text("reported_unit"),
    _real("value"),
    _text("unit"),
    _text("finding"),
    _text("assessor"),
    _flag("accepted"),
    _text("not_done"),
    _text("visit"),
    _real("day"),
    _text("measured_at"),
    _text("sorted_on", required=True),
    _text("flag"),
    *_source(),
    look_up=("study_id,sorted_on,id", "subject_id,sorted_on,id"),
)

tumour_responses = records(
    "tumour_responses",
    _whole("study_id", required=True),
    _whole("subject_id"),
    _text("sequence"),
    _text("criteria", required=True),
    _text("test"),
    _text("reported"),
    _text("response"),
    _text("assessor"),
    _flag("accepted"),
    _text("visit"),
    _real("day"),
    _text("assessed_on"),
    _text("sorted_on", required=True),
    _text("flag"),
    *_source(),
    look_up=("study_id,sorted_on,id", "subject_id,sorted_on,id"),
)

biomarker_results = records(
    "biomarker_results",
    _whole("study_id", required=True),
    _whole("subject_id"),
    _text("sequence"),
    _text("marker", required=True),
    _text("assay"),
    _text("reported"),
    _text("reported_unit"),
    _real("value"),
    _text("unit"),
    _real("cut_off"),
    _flag("positive"),
    _text("sampled_at"),
    _text("sorted_on", required=True),
    _text("flag"),
    *_source(),
    look_up=("study_id,sorted_on,id", "study_id,marker,sorted_on,id", "subject_id,sorted_on,id"),
)

# ---------------------------------------------------------------- what else a source says of a record

qualifiers = records(
    "qualifiers",
    _whole("study_id", required=True),
    _text("node", required=True),
    _whole("node_id", required=True),
    _text("name", required=True),
    _text("label"),
    _text("value"),
    _text("origin"),
    *_source(),
    look_up=("node,node_id", "study_id"),
)

record_links = records(
    "record_links",
    _whole("study_id", required=True),
    _text("relation", required=True),
    _text("node", required=True),
    _whole("node_id"),
    _text("reported", required=True),
    *_source(),
    look_up=("study_id,relation,id", "node,node_id"),
)

# ---------------------------------------------------------------- what has to be answered for

alerts = records(
    "alerts",
    _text("kind", required=True),
    _text("about", required=True),
    _whole("molecule_id"),
    _whole("programme_id"),
    _whole("study_id"),
    _whole("subject_id"),
    _text("message", required=True),
    _real("value"),
    _real("threshold"),
    _text("unit"),
    _text("node"),
    _whole("node_id"),
    _text("raised_at", required=True),
    _text("acknowledged_by"),
    _text("acknowledged_at"),
    _text("comment"),
    look_up=(
        *("about", "node,node_id", "raised_at,id"),
        *("molecule_id,raised_at,id", "study_id,raised_at,id", "subject_id,raised_at,id"),
    ),
)
# Few alerts are open among many that were answered.
_OPEN = text("acknowledged_at IS NULL AND until_act IS NULL")
Index("ix_alerts_open", alerts.c.raised_at, alerts.c.id, sqlite_where=_OPEN, postgresql_where=_OPEN)

attrition_reasons = records(
    "attrition_reasons",
    _whole("transition_id"),
    _whole("study_id"),
    _text("reason", required=True),
    _flag("main", required=True),
    _text("verbatim"),
    _text("words"),
    _text("proposed_by", required=True),
    _text("verified_reason"),
    _text("verified_by"),
    _text("verified_at"),
    _text("comment"),
    look_up=("transition_id", "study_id"),
)

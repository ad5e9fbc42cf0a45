"""All tables. Texts of dates and instants are ISO 8601 in UTC, so that text order is time order on both engines.

`..._reported` keeps what a source said; `source_file` and `source_row` lead back to the imported file.
JSON columns are canonical JSON text.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, UniqueConstraint

from pipeline.store import centre_tables, checkpoint_tables, study_tables  # noqa: F401  (their tables belong to METADATA)
from pipeline.store.columns import METADATA, Blob, Flag, Whole, records
from pipeline.store.columns import real_column as _real
from pipeline.store.columns import source_columns as _source
from pipeline.store.columns import text_column as _text
from pipeline.store.columns import whole_column as _whole

# ---------------------------------------------------------------- the audit trail

acts = Table(
    "acts",
    METADATA,
    Column("number", Whole, primary_key=True, autoincrement=False),
    _text("recorded_at", required=True),
    _text("actor", required=True),
    _text("role", required=True),
    _text("command", required=True),
    _text("reason"),
    _text("idempotency_key"),
    _text("fingerprint"),
    _text("result", required=True),
    _text("software", required=True),
    _whole("rows", required=True),
    _text("rows_digest", required=True),
    _text("previous_hash", required=True),
    _text("hash", required=True),
    _text("key_id", required=True),
    _text("mac", required=True),
    UniqueConstraint("actor", "idempotency_key"),
    Index("ix_acts_recorded_at", "recorded_at"),
    sqlite_strict=True,
)

events = records(
    "events",
    _text("kind", required=True),
    _whole("molecule_id"),
    _whole("programme_id"),
    _text("node"),
    _whole("node_id"),
    _text("occurred_on"),
    _text("sorted_on", required=True),
    _text("summary", required=True),
    _text("reason_for_change"),
    look_up=("molecule_id,sorted_on,id", "programme_id,sorted_on,id", "node,node_id"),
)

# ---------------------------------------------------------------- the state graph in force

state_graphs = records(
    "state_graphs",
    _text("name", required=True),
    _whole("number", required=True),
    _text("text", required=True),
    _text("digest", required=True),
    unique=("name", "number"),
)

stages = records(
    "stages",
    _whole("graph_id", required=True),
    _text("code", required=True),
    _text("name", required=True),
    _text("platform", required=True),
    _whole("ordinal", required=True),
    unique=("graph_id", "code"),
)

sites = records(
    "sites",
    _text("code", required=True),
    _text("name", required=True),
    _text("city"),
    _text("routing", required=True),
    unique=("code",),
)

checkpoint_rules = records(
    "checkpoint_rules",
    _text("code", required=True),
    _whole("number", required=True),
    _text("kind", required=True),
    _text("method", required=True),
    _text("parameters", required=True),
    _text("description", required=True),
    _text("source", required=True),
    unique=("code", "number"),
)

# ---------------------------------------------------------------- registry

molecules = records(
    "molecules",
    _text("code", required=True),
    _text("name", required=True),
    _text("name_key", required=True),
    _text("modality", required=True),
    _text("smiles"),
    _text("canonical_smiles"),
    _text("inchi_key"),
    _text("parent_smiles"),
    _text("parent_inchi_key"),
    _text("formula"),
    _real("molar_mass"),
    Column("fingerprint", Blob),
    Column("pattern", Blob),
    _whole("merged_into"),
    _text("merge_reason"),
    *_source(),
    unique=("code",),
    look_up=("name_key", "inchi_key", "parent_inchi_key", "merged_into", "name,id"),
)

molecule_names = records(
    "molecule_names",
    _whole("molecule_id", required=True),
    _text("name", required=True),
    _text("name_key", required=True),
    _text("source", required=True),
    look_up=("molecule_id", "name_key"),
)

external_ids = records(
    "external_ids",
    _whole("molecule_id", required=True),
    _text("scheme", required=True),
    _text("value", required=True),
    _text("source", required=True),
    look_up=("molecule_id", "value"),
)

molecule_targets = records(
    "molecule_targets",
    _whole("molecule_id", required=True),
    _text("target", required=True),
    _text("source", required=True),
    look_up=("molecule_id", "target"),
)

# ---------------------------------------------------------------- programmes

programmes = records(
    "programmes",
    _whole("molecule_id", required=True),
    _text("indication"),
    _text("indication_key", required=True),
    _text("disease_group"),
    _text("biomarker"),
    _whole("graph_id", required=True),
    _text("stage", required=True),
    _whole("stage_ordinal", required=True),
    _text("status", required=True),
    _text("stage_since", required=True),
    _text("stage_since_reported", required=True),
    _whole("branched_from"),
    *_source(),
    look_up=("molecule_id", "stage,status"),
)

transitions = records(
    "transitions",
    _whole("programme_id", required=True),
    _whole("graph_id", required=True),
    _whole("position", required=True),
    _text("kind", required=True),
    _text("from_stage"),
    _text("to_stage", required=True),
    _text("from_status"),
    _text("to_status", required=True),
    _text("skipped", required=True),
    Column("imported", Flag, nullable=False),
    _text("occurred_on", required=True),
    _text("occurred_from", required=True),
    _text("occurred_to", required=True),
    _text("reason"),
    _text("reason_verbatim"),
    _text("note"),
    _whole("checkpoint_id"),
    *_source(),
    look_up=("programme_id,position", "checkpoint_id"),
)

checkpoints = records(
    "checkpoints",
    _whole("programme_id", required=True),
    _whole("study_id"),
    _text("stage", required=True),
    _text("kind", required=True),
    _text("rule_code", required=True),
    _whole("rule_number", required=True),
    _text("recommendation", required=True),
    _text("verdict"),
    _text("justification"),
    _real("statistic"),
    _real("threshold"),
    _text("explanation", required=True),
    _text("assessed_on", required=True),
    _text("decided_by"),
    _text("reference"),
    look_up=("programme_id", "study_id"),
)

# ---------------------------------------------------------------- studies

studies = records(
    "studies",
    _text("code", required=True),
    _text("title", required=True),
    _text("service"),
    Column("glp", Flag),
    _text("species"),
    _text("phases", required=True),
    _text("registry_id"),
    _text("status", required=True),
    _text("why_stopped"),
    _text("reason"),
    _text("started_on"),
    _text("started_from"),
    _text("ended_on"),
    _text("site_code"),
    _text("sponsor"),
    _whole("enrolment"),
    unique=("code",),
    look_up=("registry_id",),
)

study_sources = records(
    "study_sources",
    _whole("study_id", required=True),
    _text("source", required=True),
    _text("code", required=True),
    _text("statement", required=True),
    _text("content_digest", required=True),
    *_source(),
    unique=("source", "code"),
    look_up=("study_id", "code"),
)

study_molecules = records(
    "study_molecules",
    _whole("study_id", required=True),
    _whole("source_id", required=True),
    _whole("molecule_id", required=True),
    _text("name", required=True),
    _text("arm"),
    _text("route"),
    _text("form"),
    _whole("source_row"),
    look_up=("study_id", "molecule_id"),
)

arms = records(
    "arms",
    _whole("study_id", required=True),
    _whole("source_id", required=True),
    _text("label", required=True),
    _text("kind"),
    _text("description"),
    _whole("source_row"),
    look_up=("study_id",),
)

dose_levels = records(
    "dose_levels",
    _whole("study_id", required=True),
    _whole("source_id", required=True),
    _text("arm"),
    _whole("ordinal", required=True),
    _text("label", required=True),
    _whole("treated"),
    _whole("with_dlt"),
    _whole("with_dlt_min"),
    _whole("with_dlt_max"),
    _whole("source_row"),
    look_up=("study_id",),
)

doses = records(
    "doses",
    _whole("dose_level_id", required=True),
    _whole("molecule_id"),
    _text("name", required=True),
    _text("amount_reported"),
    _real("amount"),
    _text("unit_reported"),
    _text("unit"),
    _text("schedule"),
    _text("frequency"),
    _text("route"),
    _text("comment"),
    _whole("source_row"),
    look_up=("dose_level_id", "molecule_id"),
)

dlt_definitions = records(
    "dlt_definitions",
    _whole("study_id", required=True),
    _whole("source_id", required=True),
    _text("arm"),
    _text("term", required=True),
    _text("grade_reported"),
    _whole("grade_min"),
    _whole("grade_max"),
    _text("duration"),
    _text("exclusion"),
    _text("comment"),
    _text("flag"),
    _whole("source_row"),
    look_up=("study_id",),
)

dlt_observations = records(
    "dlt_observations",
    _whole("study_id", required=True),
    _whole("source_id", required=True),
    _whole("dose_level_id"),
    _text("arm"),
    _text("level"),
    _text("term", required=True),
    _text("grade_reported"),
    _whole("grade_min"),
    _whole("grade_max"),
    _text("affected_reported"),
    _whole("affected"),
    _text("treated_reported"),
    _whole("treated"),
    _text("duration"),
    _text("occurrence"),
    _text("comment"),
    _text("flag"),
    _whole("source_row"),
    look_up=("study_id", "dose_level_id"),
)

recommended_doses = records(
    "recommended_doses",
    _whole("study_id", required=True),
    _whole("source_id", required=True),
    _text("arm"),
    _text("kind", required=True),
    _whole("molecule_id"),
    _text("name", required=True),
    _text("reported"),
    _real("amount_low"),
    _real("amount_high"),
    _text("unit_reported"),
    _text("unit"),
    _text("frequency"),
    _text("schedule"),
    _text("comment"),
    _text("flag"),
    _whole("source_row"),
    look_up=("study_id",),
)

event_counts = records(
    "event_counts",
    _whole("study_id", required=True),
    _whole("source_id", required=True),
    _text("arm", required=True),
    _text("term", required=True),
    _text("term_reported"),
    _text("organ_class"),
    _text("vocabulary"),
    Column("serious", Flag, nullable=False),
    _whole("affected"),
    _whole("at_risk"),
    _whole("events"),
    _whole("source_row"),
    look_up=("study_id",),
)

study_stops = records(
    "study_stops",
    _whole("study_id", required=True),
    _whole("source_id", required=True),
    _text("stopped_on"),
    _text("status", required=True),
    _text("why_stopped"),
    _text("restarted_on"),
    _text("restart_status"),
    _text("restart_status_reported"),
    _text("flag"),
    _whole("source_row"),
    look_up=("study_id",),
)

# ---------------------------------------------------------------- imports

source_files = records(
    "source_files",
    _text("sha256", required=True),
    _text("name", required=True),
    _whole("size", required=True),
    Column("content", Blob, nullable=False),
    unique=("sha256",),
)

imports = records(
    "imports",
    _text("format", required=True),
    _text("name", required=True),
    _text("sha256", required=True),
    _whole("rows", required=True),
    _whole("accepted", required=True),
    _whole("quarantined", required=True),
    _whole("held", required=True),
    _whole("duplicates", required=True),
    _text("warnings", required=True),
    look_up=("sha256",),
)

import_problems = records(
    "import_problems",
    _whole("import_id", required=True),
    _text("kind", required=True),
    _text("file", required=True),
    _whole("row", required=True),
    _text("column_name"),
    _text("value"),
    _text("reason", required=True),
    look_up=("import_id",),
)

review_items = records(
    "review_items",
    _whole("import_id"),
    _whole("study_id"),
    _text("file"),
    _whole("row"),
    _text("column_name"),
    _text("reported"),
    _text("proposed"),
    _text("explanation", required=True),
    _text("proposal"),
    _text("status", required=True),
    _text("decided_by"),
    _text("decided_at"),
    _text("comment"),
    _text("node"),
    _whole("node_id"),
    look_up=("status", "import_id", "study_id", "node,node_id"),
)

# ---------------------------------------------------------------- access

api_tokens = records(
    "api_tokens",
    _text("name", required=True),
    _text("roles", required=True),
    _text("token_hash", required=True),
    Column("revoked", Flag, nullable=False),
    unique=("name",),
    look_up=("token_hash",),
)

RECORD_TABLES: tuple[Table, ...] = tuple(table for table in METADATA.sorted_tables if "since_act" in table.c)

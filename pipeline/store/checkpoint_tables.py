"""Tables of what checkpoints rest on: frozen evidence, votes, conditions, and whether a rule may be used.

The checkpoint itself is in `checkpoints` (tables.py): its first version is the assessment, a later one the decision.
"""

from __future__ import annotations

from pipeline.store.columns import flag_column as _flag
from pipeline.store.columns import real_column as _real
from pipeline.store.columns import records
from pipeline.store.columns import source_columns as _source
from pipeline.store.columns import text_column as _text
from pipeline.store.columns import whole_column as _whole

evidence_packets = records(
    "evidence_packets",
    _whole("checkpoint_id", required=True),
    _text("method", required=True),
    _whole("method_version", required=True),
    _text("parameters", required=True),
    _text("inputs", required=True),
    _text("outcome", required=True),
    _text("missing", required=True),
    _text("digest", required=True),
    _whole("seen_act", required=True),
    _text("proposed_by", required=True),
    unique=("checkpoint_id",),
)

evidence_items = records(
    "evidence_items",
    _whole("checkpoint_id", required=True),
    _text("node", required=True),
    _whole("node_id", required=True),
    _whole("node_version", required=True),
    _text("label", required=True),
    _text("value", required=True),
    look_up=("checkpoint_id", "node,node_id"),
)

checkpoint_votes = records(
    "checkpoint_votes",
    _whole("checkpoint_id", required=True),
    _text("voter", required=True),
    _text("verdict"),
    _text("justification"),
    _text("conflict"),
    look_up=("checkpoint_id",),
)

checkpoint_conditions = records(
    "checkpoint_conditions",
    _whole("checkpoint_id", required=True),
    _whole("programme_id", required=True),
    _text("condition", required=True),
    _text("owner", required=True),
    _text("agreed_on", required=True),
    _text("due_on", required=True),
    _text("outcome"),
    _text("settled_on"),
    _text("settled_by"),
    _text("note"),
    look_up=("checkpoint_id", "programme_id"),
)
"""What conditional decisions ask for: its first version is the condition, a later one what became of it."""

conflicts_of_interest = records(
    "conflicts_of_interest",
    _whole("molecule_id", required=True),
    _text("person", required=True),
    _text("statement", required=True),
    look_up=("molecule_id", "person"),
)

rule_definitions = records(
    "rule_definitions",
    _text("rule_code", required=True),
    _whole("rule_number", required=True),
    _text("composition"),
    _text("stages", required=True),
    _text("characteristics", required=True),
    _flag("in_use", required=True),
    _text("defined_by", required=True),
    unique=("rule_code", "rule_number"),
)

molecule_facts = records(
    "molecule_facts",
    _whole("molecule_id", required=True),
    _text("name", required=True),
    _text("species"),
    _text("relation", required=True),
    _real("value"),
    _text("unit", required=True),
    _text("reported", required=True),
    _text("source", required=True),
    *_source(),
    look_up=("molecule_id",),
)
"""What was measured of a molecule once and for all: hERG IC50, fraction unbound, ED50, TD50."""

inefficacy_answers = records(
    "inefficacy_answers",
    _whole("transition_id", required=True),
    _text("question", required=True),
    _text("answer", required=True),
    _text("found"),
    _text("explanation", required=True),
    _text("records", required=True),
    _text("justification"),
    unique=("transition_id", "question"),
)
"""What was known when a programme stopped for lack of efficacy; `found`: what the records said, null where nothing."""

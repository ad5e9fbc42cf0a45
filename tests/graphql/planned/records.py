"""Records at random: whatever the tables allow, and more than the doors of the program would let in."""

from __future__ import annotations

import random
from typing import Any

import orjson
from graphql import GraphQLEnumType, GraphQLObjectType, get_named_type
from sqlalchemy import Connection, Table, func, insert, select

from pipeline import words
from pipeline.centre import Centre
from pipeline.stages.graph import default_graph
from pipeline.store.columns import Flag, Real, Whole
from pipeline.store.nodes import NODES
from pipeline.store.selection import ColumnOf
from pipeline.store.tables import RECORD_TABLES, acts
from schema import SCHEMA
from schema.reading import declared_of

TEXTS = [
    "",
    " ",
    "plain",
    'O\'Neill "quoted" \\ back/slash',
    "tab\tnew\nline\rreturn\x01\x1f\x7f",
    "é ü 漢字 \u2028\u2029 \ufeff",
    "😀👩‍🔬 \U0010ffff",
    '{"not": [json]}',
    "%s %(x)s :name ? $1 100%",
    "null",
    "NaN",
    "</script><!-- -->",
]
DATES = ["2013", "2013-07", "2013-07-09", "2014-01-01T11:45", "2019-12-31", "2021-02-28", "2030-01-01"]
DAYS = ["2013-07-01", "2013-07-09", "2014-01-01", "2019-12-31", "2021-02-28", "2030-01-01"]
REALS = [
    0.0,
    1.0,
    5.0,
    -2.5,
    0.1,
    1 / 3,
    12.34,
    0.29,
    1e-7,
    123456.789012,
    99999999.999999,
    2.0**53,
    2.0**63,
    1e15 + 0.3,
    1e22,
    1e300,
    1.7976931348623157e308,
    2.2250738585072014e-308,
    5e-324,
    -5e-324,
    0.30000000000000004,
    9007199254740993.0,
    1.1,
    -1e-6,
]
WHOLES = [0, 1, 2, 3, 7, -1, 2147483647, -2147483648]
STAGES = ["PRECLINICAL_PHARMACOLOGY", "PRECLINICAL_TOXICOLOGY", "PHASE_1", "PHASE_2", "PHASE_3"]
ENUMS: dict[str, Any] = {
    "molecules.modality": words.Modality,
    "programmes.status": words.Status,
    "transitions.kind": words.MoveKind,
    "transitions.from_status": words.Status,
    "transitions.to_status": words.Status,
    "transitions.reason": words.AttritionReason,
    "checkpoints.kind": words.CheckpointKind,
    "checkpoints.recommendation": words.Verdict,
    "checkpoints.verdict": words.Verdict,
    "checkpoint_rules.kind": words.CheckpointKind,
    "studies.status": words.StudyStatus,
    "studies.reason": words.AttritionReason,
    "study_stops.status": words.StudyStatus,
    "study_stops.restart_status": words.StudyStatus,
    "events.kind": words.EventKind,
    "review_items.status": words.ReviewStatus,
    "monitoring_records.state": words.MonitoringState,
    "alerts.kind": words.AlertKind,
    "checkpoint_conditions.outcome": words.ConditionOutcome,
    "attrition_reasons.reason": words.AttritionReason,
    "attrition_reasons.verified_reason": words.AttritionReason,
}
# Import and Arm can be told of, and not be read by id.
NODES_OF_RECORDS = [
    *("Molecule", "Programme", "Transition", "Checkpoint", "Study", "Event", "ReviewItem", "Import", "Arm", "Alert"),
    *("Subject", "StudyGroup", "Pool", "Administration", "MonitoringRecord", "ReportedParameter", "AdverseEvent"),
    *("LaboratoryResult", "Finding", "Disposition", "Measurement", "TumourResponse", "BiomarkerResult"),
    "AttritionReasonRecord",
]
JSON_LISTS = {"studies.phases", "transitions.skipped", "sites.routing", "toxicity_bases.group_codes"}
JSON_LISTS |= {"attrition_reasons.words"}
JSON_VALUES = {"study_sources.statement", "checkpoint_rules.parameters", "state_graphs.text", "study_groups.parameters"}
JSON_VALUES |= {"monitoring_settings.settings", "rule_definitions.composition", "rule_definitions.characteristics"}
JSON_VALUES |= {f"evidence_packets.{name}" for name in ("parameters", "inputs", "outcome", "missing")}
JSON_LISTS |= {"rule_definitions.stages"}
ADOPTED = len(default_graph().rules)
"""How many checkpoint rules are on record before those drawn here."""
LINKED_TO = {"molecules", "programmes", "studies", "subjects", "checkpoint_rules", "imports"}


def _enums_of_columns() -> dict[str, list[str]]:
    """Return the values of columns the schema shows as enums."""
    found = {}
    for kind in SCHEMA.graphql_schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind.name in NODES:
            for name, declared in declared_of(kind.graphene_type).items():  # type: ignore[attr-defined]
                output = get_named_type(kind.fields[name].type)
                if isinstance(getattr(declared, "reads", None), ColumnOf) and isinstance(output, GraphQLEnumType):
                    found[f"{NODES[kind.name].table.name}.{declared.reads.column}"] = list(output.values)
    return found


SHOWN_AS_ENUMS = _enums_of_columns()
UNTOUCHED = {"state_graphs", "stages", "api_tokens"}


class Chance(random.Random):
    """Draws records. broken: of those that no answer can show, too: links that lead nowhere, numbers no Int holds."""

    broken = False


def fill(centre: Centre, seed: int, *, rows: int = 14, broken: bool = False) -> None:
    """Put rows into every table; what one holds does not depend on which others there are."""
    with centre.database.write() as connection:
        _acts(connection)
        for table in RECORD_TABLES:
            if table.name in UNTOUCHED:
                continue
            chance = Chance(f"{seed} {table.name}")
            chance.broken = broken
            begin = (connection.execute(select(func.max(table.c.id))).scalar() or 0) + 1
            content = [_row(chance, table, begin + n, rows) for n in range(rows)]
            _close_what_is_there(connection, table, content)
            connection.execute(insert(table), content)


def _close_what_is_there(connection: Connection, table: Table, content: list[dict[str, Any]]) -> None:
    """Close rows that would stand beside a current one of the same name, where a table allows one only."""
    for index in table.indexes:
        if not index.unique:
            continue
        known = {tuple(row) for row in connection.execute(select(*index.columns).where(table.c.until_act.is_(None)))}
        for row in content:
            name = tuple(row[column.name] for column in index.columns)
            if row["until_act"] is None and None not in name and name in known:
                row["until_act"] = row["since_act"] + 1
            elif row["until_act"] is None:
                known.add(name)


def _acts(connection: Connection) -> None:
    known = connection.execute(select(func.max(acts.c.number))).scalar() or 0
    content = []
    for number in range(known + 1, 9):
        text = {c.name: f"x{number}" for c in acts.columns}
        recorded = f"20{10 + number}-06-01T00:00:00.000000Z"
        content.append(text | {"number": number, "rows": 0, "recorded_at": recorded, "idempotency_key": None})
    if content:
        connection.execute(insert(acts), content)


def _row(chance: Chance, table: Table, id: int, rows: int) -> dict[str, Any]:
    since = chance.randint(1, 8) if chance.broken else chance.randint(1, 3)
    closed = 0.25 if chance.broken else 0.0 if table.name in LINKED_TO else 0.05
    until = chance.randint(since, 9) if chance.random() < closed else None
    row: dict[str, Any] = {"id": id, "version": 1, "since_act": since, "until_act": until, "seal": b"x"}
    for column in table.columns:
        if column.name not in row:
            row[column.name] = _value(chance, table, column, id, rows)
    if table.name == "transitions":
        row["position"] = id
        row["occurred_from"], row["occurred_to"] = sorted((chance.choice(DAYS), chance.choice(DAYS)))
    if table.name == "checkpoint_rules":
        row["number"] = id
    if table.name == "checkpoints":
        row["rule_number"] = ADOPTED + chance.randint(1, rows)
        row["rule_code"] = f"che-{row['rule_number']}"
    if table.name in ("subjects", "pools") and not chance.broken:
        row["study_id"] = id % 3 + 1  # few enough for pools to find their members
    if table.name == "programmes":
        row["stage_ordinal"] = STAGES.index(row["stage"])
    return row


def _value(chance: Chance, table: Table, column: Any, id: int, rows: int) -> Any:
    name = f"{table.name}.{column.name}"
    if column.nullable and chance.random() < 0.3:
        return None
    if name in ENUMS:
        return chance.choice(list(ENUMS[name])).value
    if name == "monitoring_settings.settings":
        return "{}"
    if name in SHOWN_AS_ENUMS:
        return chance.choice(SHOWN_AS_ENUMS[name])
    if name in JSON_LISTS:
        some = [*STAGES, 'a "quoted" \\ text', "é😀\t"]
        return orjson.dumps(chance.sample(some, chance.randint(0, 3))).decode()
    if name in JSON_VALUES:
        deep = {"é": [1, 2.5, None, {"x": True}], 'k"ey': chance.choice(TEXTS), "n": chance.choice([1e300, 0.1])}
        return orjson.dumps(
            chance.choice([deep, {}, [], "text", 1, *([None] if chance.broken else [])]), option=orjson.OPT_SORT_KEYS
        ).decode()
    if column.name == "graph_id":
        return 1
    if column.name in ("stage", "from_stage", "to_stage"):
        return chance.choice(STAGES)
    if column.name == "node":
        return chance.choice(NODES_OF_RECORDS)
    if column.name in ("fingerprint", "pattern", "content"):
        return b"x"
    if column.name in ("code", "sha256"):
        return f"{table.name[:3]}-{id}"
    if column.name == "merged_into":
        return chance.randint(1, id - 1) if id > 1 and chance.random() < 0.5 else None
    if name == "subjects.group_code":
        return f"stu-{chance.randint(1, rows)}"
    if name == "pools.members":
        return orjson.dumps([f"sub-{chance.randint(1, rows)}" for _ in range(chance.randint(0, 4))]).decode()
    if column.name.endswith("_id") or column.name in ("branched_from", "retest_of", "source_file"):
        # Some lead nowhere, or to what is not seen.
        return chance.randint(1, rows + 2) if chance.broken else chance.randint(1, rows)
    if isinstance(column.type, Flag):
        return chance.random() < 0.5
    if column.type is Real or isinstance(column.type, type(Real)):
        return chance.choice([*REALS, chance.uniform(-1, 1), chance.lognormvariate(0, 20), round(chance.random(), 3)])
    if isinstance(column.type, type(Whole)):
        return chance.choice([*WHOLES, *([2**31, -(2**40)] if chance.broken and chance.random() < 0.02 else [])])
    if column.name in ("sorted_on", "stage_since", "started_from"):
        return chance.choice(DAYS)
    if column.name in ("assessed_on", "raised_at"):
        return f"{chance.choice(DAYS)}T00:00:00.000000Z"
    if column.name.endswith("_on"):
        return chance.choice(DATES)
    return chance.choice([*TEXTS, f"text {id}"])


def double(centre: Centre) -> None:
    """Write every record that is seen a second time, under another id."""
    with centre.database.write() as connection:
        for table in (t for t in RECORD_TABLES if t.name not in UNTOUCHED):
            shift = connection.execute(select(func.max(table.c.id))).scalar() or 0
            known = [dict(row) for row in connection.execute(select(table)).mappings()]
            for row in known:
                row["id"] += shift
                for name in ("code", "sha256", "number"):
                    if name in row and isinstance(row[name], str):
                        row[name] += f" {row['id']}"
                if table.name == "transitions":
                    row["position"] += shift
            if known:
                _close_what_is_there(connection, table, known)
                connection.execute(insert(table), known)

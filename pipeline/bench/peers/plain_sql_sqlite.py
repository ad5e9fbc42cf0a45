# ruff: noqa: S608 - written here, from words of ours
"""The five cases written by hand for SQLite: JSON put together as text, the fastest of its exact forms.

A nested `json()` would be parsed again at every level above it, and SQLite writes a REAL with 15 digits: a number is
left to it only where six decimals name the very same double, the others are written by `exact`, a function of Python's.
"""

from __future__ import annotations


def _real(column: str) -> str:
    x = column
    short = f"{x} = CAST({x} * 1e6 + 0.5 AS INTEGER) / 1e6 AND {x} BETWEEN 0 AND 1e8"
    return f"CASE WHEN {short} THEN {x} WHEN {x} IS NOT NULL THEN json(exact({x})) END"


def _object(leaves: str, **nested: str) -> str:
    """Return an object: its leaves by json_object, what is nested joined to them."""
    if not nested:
        return f"json_object({leaves})"
    more = "".join(f""" || ',"{key.rstrip("_")}":' || {value}""" for key, value in nested.items())
    return f"'{{' || trim(json_object({leaves}), '{{}}'){more} || '}}'"


def _array(item: str, rows: str) -> str:
    return f"(SELECT '[' || coalesce(group_concat(j), '') || ']' FROM (SELECT {item} AS j {rows}))"


def _one(item: str, rows: str) -> str:
    return f"coalesce((SELECT {item} {rows}), 'null')"


def _nodes(item: str, rows: str) -> str:
    return f"""'{{"nodes":' || {_array(item, rows)} || '}}'"""


def _stage(row: str, code: str, leaves: str) -> str:
    where = f"WHERE graph_id = {row}.graph_id AND code = {row}.{code} AND until_act IS NULL"
    return _one(_object(leaves), f"FROM stages {where}")


_MEASURED = _object(
    "'id', 'TW9uaXRvcmluZ1JlY29yZA.' || r.id, 'analyte', r.analyte, 'specimen', r.specimen, 'profile', r.profile, "
    f"'sampledAt', r.sampled_at, 'hoursAfterDose', {_real('r.hours_after_dose')}, 'nominalTime', r.nominal_time, "
    f"'reported', r.reported, 'reportedUnit', r.reported_unit, 'concentration', {_real('r.concentration')}, "
    f"'unit', r.unit, 'lowerLimit', {_real('r.lower_limit')}, "
    "'belowLimit', CASE r.below_limit WHEN 1 THEN json('true') ELSE json('false') END, 'state', r.state",
    subject=_one(
        _object("'id', 'U3ViamVjdA.' || id, 'code', code"),
        "FROM subjects WHERE id = r.subject_id AND until_act IS NULL",
    ),
)
_PAGE = f"""(
    SELECT '{{"nodes":[' || coalesce(group_concat(CASE WHEN place <= 25 THEN j END), '')
    || '],"pageInfo":{{"hasNextPage":' || CASE WHEN count(*) > 25 THEN 'true' ELSE 'false' END || ',"endCursor":'
    || coalesce('"' || cursor_of(max(CASE WHEN place = min(25, total) THEN json_array(sorted_on, id) END)) || '"',
        'null')
    || '}}}}'
    FROM (SELECT {_MEASURED} AS j, r.sorted_on, r.id, r.place, r.total FROM (
        SELECT row_number() OVER () AS place, count(*) OVER () AS total, * FROM (
            SELECT * FROM monitoring_records WHERE molecule_id = m.id AND until_act IS NULL
            ORDER BY sorted_on, id LIMIT 26)) r))
"""
_TRANSITION = _object(
    "'id', 'VHJhbnNpdGlvbg.' || t.id, 'kind', t.kind, 'status', t.to_status, 'occurredOn', t.occurred_on, "
    "'reason', t.reason, 'reasonVerbatim', t.reason_verbatim, 'recordedAt', a.recorded_at, 'actor', a.actor",
    from_=_stage("t", "from_stage", "'code', code, 'name', name"),
    to=_stage("t", "to_stage", "'code', code, 'name', name"),
    checkpoint=_one(
        _object("'id', 'Q2hlY2twb2ludA.' || id, 'verdict', verdict, 'explanation', explanation"),
        "FROM checkpoints WHERE id = t.checkpoint_id AND until_act IS NULL",
    ),
)
_CHECKPOINT = _object(
    "'id', 'Q2hlY2twb2ludA.' || id, 'kind', kind, 'stage', stage, 'recommendation', recommendation, "
    f"'verdict', verdict, 'statistic', {_real('statistic')}, 'threshold', {_real('threshold')}, "
    "'explanation', explanation, 'assessedOn', assessed_on, 'decidedBy', decided_by"
)
_PROGRAMME = _object(
    "'id', 'UHJvZ3JhbW1l.' || g.id, 'indication', g.indication, 'diseaseGroup', g.disease_group, "
    "'biomarker', g.biomarker, 'status', g.status, 'stageSince', g.stage_since",
    stage=_stage("g", "stage", "'code', code, 'name', name, 'ordinal', ordinal"),
    transitions=_array(
        _TRANSITION,
        "FROM transitions t JOIN acts a ON a.number = t.since_act "
        "WHERE t.programme_id = g.id AND t.until_act IS NULL ORDER BY t.position, t.id",
    ),
    checkpoints=_nodes(
        _CHECKPOINT,
        "FROM checkpoints WHERE programme_id = g.id AND until_act IS NULL ORDER BY assessed_on, id LIMIT 25",
    ),
)
_LEVEL = _object(
    "'arm', d.arm, 'ordinal', d.ordinal, 'label', d.label, 'treated', d.treated, "
    "'withDltAtLeast', d.with_dlt_min, 'withDltAtMost', d.with_dlt_max",
    doses=_array(
        _object(f"'molecule', name, 'amount', {_real('amount')}, 'unit', unit"),
        "FROM doses WHERE dose_level_id = d.id AND until_act IS NULL AND amount IS NOT NULL AND unit IS NOT NULL "
        "ORDER BY id",
    ),
)
_STUDY = _object(
    "'id', 'U3R1ZHk.' || u.id, 'code', u.code, 'title', u.title, 'registryId', u.registry_id, 'status', u.status, "
    "'startedOn', u.started_on, 'enrolment', u.enrolment",
    phases="u.phases",
    doseLevels=_array(
        _LEVEL,
        "FROM dose_levels d WHERE d.study_id = u.id AND d.until_act IS NULL "
        "ORDER BY d.arm NULLS FIRST, d.ordinal, d.id",
    ),
)
_MOLECULE = _object(
    "'id', 'TW9sZWN1bGU.' || m.id, 'code', m.code, 'name', m.name, 'modality', m.modality, "
    f"'molarMass', {_real('m.molar_mass')}",
    targets="(SELECT json_group_array(target) FROM (SELECT target FROM molecule_targets "
    "WHERE molecule_id = m.id AND until_act IS NULL GROUP BY target ORDER BY min(id)))",
    synonyms=_array(
        _object("'name', name, 'source', source"),
        "FROM molecule_names WHERE molecule_id = m.id AND until_act IS NULL ORDER BY id",
    ),
    programmes=_array(_PROGRAMME, "FROM programmes g WHERE g.molecule_id = m.id AND g.until_act IS NULL ORDER BY g.id"),
    studies=_nodes(
        _STUDY,
        "FROM studies u WHERE u.id IN (SELECT study_id FROM study_molecules "
        "WHERE molecule_id = m.id AND until_act IS NULL) AND u.until_act IS NULL ORDER BY u.code, u.id LIMIT 25",
    ),
    monitoring=_PAGE,
)
_OF_BOARD = _object(
    "'id', 'UHJvZ3JhbW1l.' || p.id, 'indication', p.indication, 'status', p.status, 'stageSince', p.stage_since",
    stage=_stage("p", "stage", "'code', code, 'name', name"),
    molecule=_one(
        _object("'code', code, 'name', name"), "FROM molecules WHERE id = p.molecule_id AND until_act IS NULL"
    ),
    transitions=_array(
        _object("'kind', t.kind, 'occurredOn', t.occurred_on", to=_stage("t", "to_stage", "'code', code")),
        "FROM transitions t WHERE t.programme_id = p.id AND t.until_act IS NULL ORDER BY t.position, t.id",
    ),
    checkpoints=_nodes(
        _object("'id', 'Q2hlY2twb2ludA.' || id, 'kind', kind, 'stage', stage, 'assessedOn', assessed_on"),
        "FROM checkpoints WHERE programme_id = p.id AND until_act IS NULL AND verdict IS NULL "
        "ORDER BY assessed_on, id LIMIT 5",
    ),
)
_OF_LIST = _object(
    f"'id', 'TW9sZWN1bGU.' || id, 'code', code, 'name', name, 'modality', modality, 'molarMass', {_real('molar_mass')}"
)

STATEMENTS: dict[str, str] = {
    "One": f"SELECT {_MOLECULE} FROM molecules m WHERE code = :code AND until_act IS NULL AND +merged_into IS NULL",
    "Twenty": f"""
SELECT CASE WHEN m.id IS NULL THEN 'null' ELSE {_MOLECULE} END FROM json_each(:codes) w
LEFT JOIN molecules m ON m.code = w.value AND m.until_act IS NULL AND +m.merged_into IS NULL ORDER BY w.key
""",
    "Board": f"""
SELECT p.id, {_OF_BOARD} FROM programmes p WHERE until_act IS NULL AND id > :after ORDER BY id LIMIT :more
""",
    "Study": "SELECT id, code FROM studies WHERE code = :study AND until_act IS NULL",
    "Records": f"""
SELECT r.id, {_MEASURED}, r.sorted_on FROM monitoring_records r WHERE study_id = :id AND analyte = :analyte
AND sorted_on >= :from AND sorted_on > '' AND sorted_on <= :to AND until_act IS NULL ORDER BY sorted_on, id LIMIT :more
""",
    "Deep": f"""
SELECT id, {_OF_LIST}, code FROM molecules WHERE until_act IS NULL AND +merged_into IS NULL
AND (code, id) > (:code, :number) ORDER BY code, id LIMIT :more
""",
}
"""The statements by the names of the documents they answer; a page is one row for each of its rows, and one more."""

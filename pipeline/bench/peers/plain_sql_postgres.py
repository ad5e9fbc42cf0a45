# ruff: noqa: S608 - written here, from words of ours
"""The five cases written by hand for PostgreSQL: one statement each, whose answer is the finished JSON."""

from __future__ import annotations

_STAGE = (
    "(SELECT row_to_json(s) FROM (SELECT {columns} FROM stages "
    "WHERE graph_id = {row}.graph_id AND code = {row}.{code} AND until_act IS NULL) s)"
)


def _stage(row: str, code: str, columns: str) -> str:
    return _STAGE.format(row=row, code=code, columns=columns)


def _cursor(key: str) -> str:
    return f"translate(encode(convert_to({key}, 'UTF8'), 'base64'), E'+/=\\n', '-_')"


_OF_BOARD = _cursor("'[' || p.number || ']'")
_OF_LIST = _cursor("""'["' || q.code || '",' || q.id || ']'""")
_MEASURED = """
    'TW9uaXRvcmluZ1JlY29yZA.' || r.id AS id, r.analyte, r.specimen, r.profile, r.sampled_at AS "sampledAt",
    r.hours_after_dose AS "hoursAfterDose", r.nominal_time AS "nominalTime", r.reported,
    r.reported_unit AS "reportedUnit", r.concentration, r.unit, r.lower_limit AS "lowerLimit",
    r.below_limit AS "belowLimit", r.state,
    (SELECT row_to_json(s) FROM (SELECT 'U3ViamVjdA.' || id AS id, code FROM subjects
     WHERE id = r.subject_id AND until_act IS NULL) s) AS subject
"""


def _records(conditions: str, size: str) -> str:
    """Return a page of monitoring records: one more is read than is shown."""
    key = _cursor("""'["' || r.sorted_on || '",' || r.number || ']'""")
    return f"""
    SELECT json_build_object(
        'nodes', coalesce(json_agg(n) FILTER (WHERE r.place <= {size}), '[]'),
        'pageInfo', json_build_object(
            'hasNextPage', count(*) > {size},
            'endCursor', max({key}) FILTER (WHERE r.place = least({size}, r.total))))
    FROM (SELECT row_number() OVER () AS place, count(*) OVER () AS total, id AS number, q.* FROM (
        SELECT * FROM monitoring_records WHERE {conditions} AND until_act IS NULL ORDER BY sorted_on, id
        LIMIT {size} + 1) q) r,
    LATERAL (SELECT {_MEASURED}) n
    """


_MOLECULE = f"""
    'TW9sZWN1bGU.' || m.id AS id, m.code, m.name, m.modality, m.molar_mass AS "molarMass",
    (SELECT coalesce(json_agg(t.target), '[]') FROM (SELECT target FROM molecule_targets
     WHERE molecule_id = m.id AND until_act IS NULL GROUP BY target ORDER BY min(id)) t) AS targets,
    (SELECT coalesce(json_agg(y), '[]') FROM (SELECT name, source FROM molecule_names
     WHERE molecule_id = m.id AND until_act IS NULL ORDER BY id) y) AS synonyms,
    (SELECT coalesce(json_agg(p), '[]') FROM (
        SELECT 'UHJvZ3JhbW1l.' || g.id AS id, g.indication, g.disease_group AS "diseaseGroup", g.biomarker, g.status,
        g.stage_since AS "stageSince", {_stage("g", "stage", "code, name, ordinal")} AS stage,
        (SELECT coalesce(json_agg(x), '[]') FROM (
            SELECT 'VHJhbnNpdGlvbg.' || t.id AS id, t.kind, t.to_status AS status, t.occurred_on AS "occurredOn",
            t.reason, t.reason_verbatim AS "reasonVerbatim", a.recorded_at AS "recordedAt", a.actor,
            {_stage("t", "from_stage", "code, name")} AS "from", {_stage("t", "to_stage", "code, name")} AS "to",
            (SELECT row_to_json(k) FROM (SELECT 'Q2hlY2twb2ludA.' || id AS id, verdict, explanation FROM checkpoints
             WHERE id = t.checkpoint_id AND until_act IS NULL) k) AS checkpoint
            FROM transitions t JOIN acts a ON a.number = t.since_act
            WHERE t.programme_id = g.id AND t.until_act IS NULL ORDER BY t.position, t.id) x) AS transitions,
        (SELECT json_build_object('nodes', coalesce(json_agg(k), '[]')) FROM (
            SELECT 'Q2hlY2twb2ludA.' || id AS id, kind, stage, recommendation, verdict, statistic, threshold,
            explanation, assessed_on AS "assessedOn", decided_by AS "decidedBy" FROM checkpoints
            WHERE programme_id = g.id AND until_act IS NULL ORDER BY checkpoints.assessed_on, checkpoints.id
            LIMIT 25) k) AS checkpoints
        FROM programmes g WHERE g.molecule_id = m.id AND g.until_act IS NULL ORDER BY g.id) p) AS programmes,
    (SELECT json_build_object('nodes', coalesce(json_agg(s), '[]')) FROM (
        SELECT 'U3R1ZHk.' || u.id AS id, u.code, u.title, CAST(u.phases AS json) AS phases,
        u.registry_id AS "registryId", u.status, u.started_on AS "startedOn", u.enrolment,
        (SELECT coalesce(json_agg(l), '[]') FROM (
            SELECT d.arm, d.ordinal, d.label, d.treated, d.with_dlt_min AS "withDltAtLeast",
            d.with_dlt_max AS "withDltAtMost",
            (SELECT coalesce(json_agg(o), '[]') FROM (SELECT name AS molecule, amount, unit FROM doses
             WHERE dose_level_id = d.id AND until_act IS NULL AND amount IS NOT NULL AND unit IS NOT NULL
             ORDER BY id) o) AS doses
            FROM dose_levels d WHERE d.study_id = u.id AND d.until_act IS NULL
            ORDER BY d.arm NULLS FIRST, d.ordinal, d.id) l) AS "doseLevels"
        FROM studies u WHERE u.id IN (SELECT study_id FROM study_molecules
            WHERE molecule_id = m.id AND until_act IS NULL) AND u.until_act IS NULL
        ORDER BY u.code, u.id LIMIT 25) s) AS studies,
    ({_records("molecule_id = m.id", "25")}) AS monitoring
"""

_OF_STUDY = _records(
    "study_id = u.id AND analyte = %(analyte)s AND sorted_on >= %(from)s AND sorted_on > '' AND sorted_on <= %(to)s",
    "%(first)s",
)

STATEMENTS: dict[str, str] = {
    "One": f"""
SELECT CAST(row_to_json(q) AS text) FROM (SELECT {_MOLECULE} FROM molecules m
WHERE m.code = %(code)s AND m.until_act IS NULL AND m.merged_into IS NULL) q
""",
    "Twenty": f"""
SELECT CAST(json_agg(row_to_json(q)) AS text) FROM (SELECT {_MOLECULE}
FROM unnest(CAST(%(codes)s AS text[])) WITH ORDINALITY AS w(code, place)
LEFT JOIN molecules m ON m.code = w.code AND m.until_act IS NULL AND m.merged_into IS NULL ORDER BY w.place) q
""",
    "Board": f"""
SELECT CAST(json_build_object(
    'nodes', coalesce(json_agg(n) FILTER (WHERE p.place <= %(first)s), '[]'),
    'pageInfo', json_build_object('hasNextPage', count(*) > %(first)s, 'endCursor',
        max({_OF_BOARD}) FILTER (WHERE p.place = least(%(first)s, p.total)))) AS text)
FROM (SELECT row_number() OVER () AS place, count(*) OVER () AS total, id AS number, q.* FROM (
    SELECT * FROM programmes WHERE until_act IS NULL AND id > %(after)s ORDER BY id LIMIT %(first)s + 1) q) p,
LATERAL (SELECT 'UHJvZ3JhbW1l.' || p.id AS id, p.indication, p.status, p.stage_since AS "stageSince",
    {_stage("p", "stage", "code, name")} AS stage,
    (SELECT row_to_json(m) FROM (SELECT code, name FROM molecules
     WHERE id = p.molecule_id AND until_act IS NULL) m) AS molecule,
    (SELECT coalesce(json_agg(x), '[]') FROM (SELECT t.kind, t.occurred_on AS "occurredOn",
     {_stage("t", "to_stage", "code")} AS "to" FROM transitions t
     WHERE t.programme_id = p.id AND t.until_act IS NULL ORDER BY t.position, t.id) x) AS transitions,
    (SELECT json_build_object('nodes', coalesce(json_agg(k), '[]')) FROM (
        SELECT 'Q2hlY2twb2ludA.' || id AS id, kind, stage, assessed_on AS "assessedOn" FROM checkpoints
        WHERE programme_id = p.id AND until_act IS NULL AND verdict IS NULL
        ORDER BY checkpoints.assessed_on, checkpoints.id LIMIT 5) k) AS checkpoints) n
""",
    "Records": f"""
SELECT CAST(json_build_object('code', u.code, 'monitoring', ({_OF_STUDY})) AS text)
FROM studies u WHERE u.code = %(study)s AND u.until_act IS NULL
""",
    "Deep": f"""
SELECT CAST(json_build_object('edges', coalesce(json_agg(json_build_object('cursor', p.cursor, 'node', n))
        FILTER (WHERE p.place <= %(first)s), '[]'),
    'pageInfo', json_build_object('hasNextPage', count(*) > %(first)s, 'hasPreviousPage', %(number)s > 0,
        'endCursor', max(p.cursor) FILTER (WHERE p.place = least(%(first)s, p.total)))) AS text)
FROM (SELECT row_number() OVER () AS place, count(*) OVER () AS total,
    {_OF_LIST} AS cursor, q.* FROM (
    SELECT id, code, name, modality, molar_mass FROM molecules
    WHERE until_act IS NULL AND merged_into IS NULL AND (code, id) > (%(code)s, %(number)s)
    ORDER BY code, id LIMIT %(first)s + 1) q) p,
LATERAL (SELECT 'TW9sZWN1bGU.' || p.id AS id, p.code, p.name, p.modality, p.molar_mass AS "molarMass") n
""",
}
"""The statements by the names of the documents they answer."""

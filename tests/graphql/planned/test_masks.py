"""Columns that not everybody may see: null in every answer, and no way to find or order by them."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, execute_sync, parse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, func, insert, select, update

from pipeline.access import ROLE_PERMISSIONS, Actor, Permission, Role
from pipeline.errors import NotPermitted
from pipeline.store import masks, tables
from pipeline.store.masks import MASKS, Mask, refuse_hidden
from pipeline.store.nodes import NODES
from pipeline.store.selection import ColumnOf, Link
from pipeline.store.statements import Prepared
from pipeline.store.study_tables import subjects
from schema import SCHEMA
from schema.context import request
from schema.execution import PlannedContext
from schema.reading import ReadField, declared_of
from tests.graphql.conftest import Api
from tests.graphql.planned.queries import document
from tests.graphql.planned.records import fill
from tests.graphql.planned.test_answers import EXAMPLES, canonical

SEEING = Permission.DECIDE_CHECKPOINT
LEAD = Actor.of("A. Lead", Role.LEAD)
RESEARCHER = Actor.of("R. Searcher", Role.RESEARCHER)
TOY = {
    "Checkpoint": {"statistic": Mask(SEEING), "justification": Mask(Permission.AUDIT)},
    "Study": {"enrolment": Mask(SEEING), "sponsor": Mask(unless="glp"), "started_on": Mask(SEEING, unless="glp")},
    "Molecule": {"smiles": Mask(SEEING), "molar_mass": Mask(SEEING)},
    "Transition": {"reason": Mask(SEEING, unless="imported"), "note": Mask(unless="imported")},
    "Event": {"node_id": Mask(SEEING)},
}
STUDIES = """
query Studies($codes: [String!]!, $known: DateTime) {
  moleculesByCode(codes: $codes, knownAt: $known) {
    code smiles depiction molarMass
    studies(first: 40) { totalCount edges { cursor node { code enrolment sponsor startedOn } } }
    programmes { checkpoints { nodes { statistic justification } } transitions { kind reason note } }
  }
}
"""
THEN = """
query Then($id: ID!, $known: DateTime) {
  molecule(id: $id, knownAt: $known) { studies(first: 99) { nodes { code sponsor } } }
}
"""


@pytest.fixture
def toy_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    for node, columns in TOY.items():
        monkeypatch.setitem(masks.MASKS, node, columns)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(min_value=0, max_value=2**63), actor=st.sampled_from([LEAD, RESEARCHER]))
def test_planned_and_plain_answers_hide_the_same(toy_masks: None, records: Api, seed: int, actor: Actor):
    text, variables = document(random.Random(seed))
    planned = records.result(text, as_=actor, **variables)
    plain = records.result(text, as_=actor, plain=True, **variables)
    assert canonical(planned) == canonical(plain), text


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("known", [None, "2030-01-01T00:00:00Z"])
def test_a_masked_column_is_null_without_the_permission_and_there_with_it(
    api: Api, toy_masks: None, plain: bool, known: str | None
):
    fill(api.centre, seed=9)
    codes = [f"mol-{n}" for n in range(2, 16)]
    told = {}
    for actor in (LEAD, RESEARCHER):
        result = api.result(STUDIES, as_=actor, plain=plain, codes=codes, known=known)
        # What is drawn from a masked structure is not drawn: the mishaps of others are not told either.
        assert (result.errors is None) is (actor is RESEARCHER)
        told[actor.name] = [molecule for molecule in result.data["moleculesByCode"] if molecule]
    lead, researcher = told[LEAD.name], told[RESEARCHER.name]

    def all_of(found, name):
        studies = [edge["node"] for molecule in found for edge in molecule["studies"]["edges"]]
        programmes = [programme for molecule in found for programme in molecule["programmes"]]
        moves = [move for programme in programmes for move in programme["transitions"]]
        checkpoints = [one for programme in programmes for one in programme["checkpoints"]["nodes"]]
        return [row[name] for row in (*found, *studies, *moves, *checkpoints) if name in row]

    for name in ("enrolment", "startedOn", "statistic", "justification", "molarMass", "smiles", "depiction", "reason"):
        assert any(value is not None for value in all_of(lead, name)) or name == "depiction"
        assert all(value is None for value in all_of(researcher, name)), name
    for name in ("code", "kind", "sponsor", "note"):  # what needs no permission is the same for both
        assert all_of(lead, name) == all_of(researcher, name)
    with api.centre.database.read() as connection:
        marked = set(connection.execute(select(tables.studies.c.code).where(tables.studies.c.glp)).scalars())
    hidden = [
        edge["node"]["sponsor"]
        for molecule in lead
        for edge in molecule["studies"]["edges"]
        if edge["node"]["code"] in marked
    ]
    assert hidden
    assert set(hidden) == {None}


def test_one_plan_serves_actors_of_all_rights_in_turn(api: Api, toy_masks: None, monkeypatch: pytest.MonkeyPatch):
    fill(api.centre, seed=9)
    parsed = parse("{ programmes(first: 40) { nodes { checkpoints(first: 40) { nodes { statistic } } } } }")
    made: list[str] = []
    remade = Prepared.__init__

    def note(self: Prepared, sql: str, *rest: object) -> None:
        made.append(sql)
        remade(self, sql, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Prepared, "__init__", note)
    for actor in (LEAD, RESEARCHER, LEAD, Actor.of("another lead", Role.LEAD), RESEARCHER):
        with request(api.centre, actor) as context:
            schema = SCHEMA.graphql_schema
            found = execute_sync(schema, parsed, context_value=context, execution_context_class=PlannedContext)
        told = {
            checkpoint["statistic"]
            for programme in orjson.loads(orjson.dumps(found.data))["programmes"]["nodes"]
            for checkpoint in programme["checkpoints"]["nodes"]
        }
        assert (told == {None}) is (actor is RESEARCHER)
    assert len(made) == 2


@pytest.mark.parametrize("plain", [False, True])
def test_a_mark_hides_what_earlier_versions_held(api: Api, monkeypatch: pytest.MonkeyPatch, plain: bool):
    monkeypatch.setitem(masks.MASKS, "Study", {"sponsor": Mask(unless="glp")})
    fill(api.centre, seed=9)
    with api.centre.database.write() as connection:
        _put(connection, tables.molecules, 3, id=90, code="M-90", since_act=1)
        _put(connection, tables.study_molecules, 3, id=90, study_id=90, molecule_id=90, since_act=1)
        earlier = {"id": 90, "code": "S-90", "glp": False, "sponsor": "somebody", "since_act": 2}
        _put(connection, tables.studies, 3, **earlier, until_act=4)
        _put(connection, tables.studies, 3, **earlier | {"version": 2, "since_act": 4})

    def told(known: str | None) -> Any:
        variables = {"id": "TW9sZWN1bGU.90", "known": known}
        return api.result(THEN, plain=plain, **variables).data["molecule"]["studies"]["nodes"]

    moments = [None, "2012-07-01T00:00:00Z", "2015-01-01T00:00:00Z"]
    assert [told(known) for known in moments] == [[{"code": "S-90", "sponsor": "somebody"}]] * 3
    with api.centre.database.write() as connection:
        closing = update(tables.studies).where(tables.studies.c.id == 90, tables.studies.c.until_act.is_(None))
        connection.execute(closing.values(until_act=8))
        _put(connection, tables.studies, 3, **earlier | {"version": 3, "since_act": 8, "glp": True})
    assert [told(known) for known in moments] == [[{"code": "S-90", "sponsor": None}]] * 3


def _put(connection: Connection, table: Table, like: int, **other: Any) -> None:
    """Write a row like another one."""
    row = dict(connection.execute(select(table).where(table.c.id == like).limit(1)).mappings().one())
    connection.execute(insert(table), [row | {"until_act": None} | other])


@pytest.mark.parametrize("plain", [False, True])
def test_nothing_is_found_or_ordered_by_a_masked_column(api: Api, monkeypatch: pytest.MonkeyPatch, plain: bool):
    fill(api.centre, seed=9)
    ordered = "{ molecules(orderBy: NAME, first: 3) { nodes { id } } }"
    filtered = "{ molecules(filter: {modality: [SMALL_MOLECULE]}) { totalCount } }"
    nested = '{ molecule(code: "mol-2") { id history(kinds: [HELD]) { totalCount } } }'
    for masked, query, path in (
        ({"Molecule": {"name": Mask(SEEING)}}, ordered, ["molecules"]),
        ({"Molecule": {"modality": Mask(SEEING)}}, filtered, ["molecules"]),
        ({"Event": {"kind": Mask(SEEING)}}, nested, ["molecule", "history"]),
    ):
        [(node, columns)] = masked.items()
        monkeypatch.setitem(masks.MASKS, node, columns)
        for actor in (LEAD, RESEARCHER):
            result = api.result(query, as_=actor, plain=plain)
            if actor is LEAD:
                assert result.errors is None
                continue
            [error] = result.errors
            assert error.path == path
            assert isinstance(error.original_error, NotPermitted)
            assert error.original_error.permission is SEEING
        monkeypatch.delitem(masks.MASKS, node)


def test_a_condition_inside_a_condition_is_refused_too():
    of_erased = select(subjects.c.study_id).where(func.lower(subjects.alias("s").c.code) == "x")
    refuse_hidden(frozenset({Permission.SEE_PSEUDONYMS}), [tables.studies.c.id.in_(of_erased)])
    with pytest.raises(NotPermitted, match="code"):
        refuse_hidden(frozenset({Permission.READ}), [tables.studies.c.id.in_(of_erased)])
    by_species = select(subjects.c.study_id).where(subjects.c.species == "x")
    refuse_hidden(frozenset({Permission.READ}), [tables.studies.c.id.in_(by_species)])


def test_masks_name_columns_that_are_there_and_may_be_null():
    assert MASKS["Subject"]["code"] == Mask(Permission.SEE_PSEUDONYMS, unless="erased")
    for node, columns in MASKS.items():
        for name, mask in columns.items():
            assert name in NODES[node].table.c
            # What is hidden in some records only has to be able to be null in any of them.
            assert mask.unless is None or NODES[node].table.c[name].nullable
            assert mask.unless is None or not NODES[node].table.c[mask.unless].nullable
    for kind in SCHEMA.graphql_schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name not in NODES:
            continue
        for name, declared in declared_of(kind.graphene_type).items():  # type: ignore[attr-defined]
            reads = declared.reads if isinstance(declared, ReadField) else None
            if isinstance(reads, ColumnOf) and reads.column in MASKS.get(kind.name, {}):
                assert not isinstance(kind.fields[name].type, GraphQLNonNull), (kind.name, name)
            if isinstance(reads, Link):
                masked = MASKS.get(reads.node, {}).keys()
                assert not masked & {*reads.order, *reads.child}, (kind.name, name)


def test_pseudonyms_are_for_those_who_work_with_subjects():
    seeing = {role for role, permissions in ROLE_PERMISSIONS.items() if Permission.SEE_PSEUDONYMS in permissions}
    assert seeing == {Role.PHARMACOLOGY, Role.DATA_PROTECTION, Role.ADMIN}

"""What does not grow: statements with rows, pages with their number, the way to a record with all other records.

Every link of the schema is looked at, so that a new kind of record is too.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, get_named_type, is_leaf_type
from sqlalchemy import event

from pipeline.centre import Centre
from pipeline.store.columns import METADATA
from pipeline.store.nodes import NODES
from pipeline.store.paging import encode
from pipeline.store.selection import Link, Shape
from schema import SCHEMA
from schema.node import global_id
from schema.reading import ReadField, declared_of
from tests.graphql.conftest import Api
from tests.graphql.planned.conftest import explained
from tests.graphql.planned.records import double, fill

TYPES = SCHEMA.graphql_schema.type_map
# Drawn or searched by chemistry, not read.
LEFT_OUT = {"depiction", "dot", "svg"}


def links() -> Iterator[tuple[str, str, Link]]:
    """Give every link that can be followed from a record."""
    node = SCHEMA.graphql_schema.get_type("Node")
    for kind in SCHEMA.graphql_schema.get_possible_types(node):  # type: ignore[arg-type]
        for name, declared in declared_of(kind.graphene_type).items():  # type: ignore[attr-defined]
            if isinstance(declared, ReadField) and isinstance(declared.reads, Link) and kind.name in NODES:
                yield kind.name, name, declared.reads


def leaves(kind: GraphQLObjectType, levels: int) -> str:
    """Return a selection of all values of a type, and of all records below for so many levels."""
    parts = ["__typename"]
    for name, field in kind.fields.items():
        if name in LEFT_OUT or any(isinstance(argument.type, GraphQLNonNull) for argument in field.args.values()):
            continue
        below = get_named_type(field.type)
        if is_leaf_type(below):
            parts.append(name)
        elif levels and isinstance(below, GraphQLObjectType):
            inner = below.fields.get("nodes")
            if inner is None:
                parts.append(f"{name} {{ {leaves(below, levels - 1)} }}")
            else:
                rows = leaves(get_named_type(inner.type), levels - 1)  # type: ignore[arg-type]
                parts.append(
                    f"{name}(first: 9) {{ totalCount nodes {{ {rows} }} pageInfo {{ endCursor hasNextPage }} }}"
                )
    return " ".join(parts)


# ---------------------------------------------------------------- statements


@pytest.mark.parametrize("kind", ["Molecule", "Programme", "Study"])
def test_twice_the_rows_take_no_more_statements(api: Api, statements, kind):
    """Everything that hangs on a record: all values of it, and of all records one level below."""
    fill(api.centre, seed=11)
    document = f'{{ node(id: "{global_id(kind, 3)}") {{ ... on {kind} {{ {leaves(TYPES[kind], 1)} }} }} }}'
    counts = []
    for plain in (False, True):
        api.result(document, plain=plain)  # the state graph is read once by a process
        for _ in range(2):
            statements.clear()
            found = api.result(document, plain=plain)
            assert found.data["node"] is not None, found.errors
            counts.append(sum("SELECT" in statement for statement in statements))
            double(api.centre)
    assert counts[0] == counts[1]
    assert counts[2] == counts[3]
    assert counts[0] < counts[2]


# ---------------------------------------------------------------- plans of the engines


class Explained:
    """Notes how an engine runs each statement that answers in JSON."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.said: list[tuple[str, str]] = []
        self.busy = False

    def note(self, connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if self.busy or "json" not in statement:
            return
        self.busy = True
        if connection.dialect.name == "postgresql":  # of few rows it would read all, however they are found
            for setting in ("enable_seqscan", "enable_sort", "enable_bitmapscan"):
                connection.exec_driver_sql(f"SET LOCAL {setting} = off")
        rows = explained(connection, statement, parameters)
        self.said.append((statement, "\n".join(str(row[-1]) for row in rows)))
        self.busy = False


@contextlib.contextmanager
def explaining(centre: Centre) -> Iterator[Explained]:
    """Note how an engine runs what is read."""
    notes = Explained(centre)
    event.listen(centre.database.reader, "before_cursor_execute", notes.note)
    yield notes
    event.remove(centre.database.reader, "before_cursor_execute", notes.note)


def read_whole(statement: str, plan: str) -> set[str]:
    """Return the tables a plan reads from one end to the other, or until it has enough."""
    named = dict(re.findall(r'\b(\w+) AS "?([\w$]+)"?', statement))
    aliases = {alias: table for table, alias in named.items() if table in METADATA.tables}
    for table, alias in re.findall(r'\b(\w+) AS "?([\w$]+)"?', statement):
        if table in METADATA.tables:
            aliases[alias] = table
    found = re.findall(r'^SCAN "?([\w$]+)"?(?! USING)|Seq Scan on (\w+)', plan, re.MULTILINE)
    return {aliases.get(name, name) if name else table for name, table in found} & METADATA.tables.keys()


def test_a_table_read_whole_is_noticed():
    statement = "SELECT json FROM studies AS a$1 JOIN arms"
    assert read_whole(statement, "SCAN a$1\nSEARCH arms USING PRIMARY KEY (id=?)") == {"studies"}
    assert read_whole(statement, "SEARCH a$1 USING PRIMARY KEY (id=?)\nSCAN arms") == {"arms"}
    assert read_whole(statement, "  ->  Seq Scan on studies a$1  (cost=0)") == {"studies"}


SMALL = {"state_graphs", "stages", "sites", "checkpoint_rules"}
"""Tables that hold a few rows, however many molecules there are."""


def test_every_link_is_followed_by_an_index(records: Api):
    """So that it takes as long among a million records as among ten thousand."""
    wrong: list[str] = []
    looked = 0
    for kind, name, link in links():
        below = "id" if "id" in _node_type(kind, name).fields else "__typename"
        pages = link.shape is Shape.CONNECTION
        after = encode([*("x" for _ in link.order), 1])
        asked = f'{name}(first: 3, after: "{after}") {{ nodes {{ {below} }} }}' if pages else f"{name} {{ {below} }}"
        with explaining(records.centre) as explained:
            records.result(f'{{ node(id: "{global_id(kind, 1)}") {{ ... on {kind} {{ {asked} }} }} }}')
        for statement, plan in explained.said:
            looked += 1
            if not read_whole(statement, plan) <= SMALL:
                wrong.append(f"{kind}.{name}: {plan}")
    assert looked >= len(list(links()))
    assert wrong == []


def _node_type(kind: str, name: str) -> GraphQLObjectType:
    below = get_named_type(TYPES[kind].fields[name].type)
    inner = below.fields.get("nodes")
    return below if inner is None else get_named_type(inner.type)  # type: ignore[return-value]


ROOT_PAGES = [
    ("molecules", "code", encode(["M-5", 5])),
    ("programmes", "id", encode([5])),
    ("reviewItems", "id", encode([5])),
]


@pytest.mark.parametrize(("name", "field", "cursor"), ROOT_PAGES, ids=[name for name, _, _ in ROOT_PAGES])
def test_a_page_deep_in_a_list_is_found_by_its_key(records: Api, name: str, field: str, cursor: str):
    document = f'{{ {name}(first: 3, after: "{cursor}") {{ nodes {{ {field} }} pageInfo {{ hasNextPage }} }} }}'
    with explaining(records.centre) as explained:
        assert records.result(document).errors is None
    [(statement, plan)] = explained.said
    assert not read_whole(statement, plan), plan
    # The key is not only ordered by, it is where the search begins.
    assert re.search(r"SEARCH .*\(\(?(?:code,)?id\)?>|Index Cond: .*>", plan), plan


# ---------------------------------------------------------------- pages while others write


@pytest.mark.parametrize("known", [False, True])
def test_pages_neither_repeat_nor_skip_while_threads_write(api: Api, known: bool):
    """Two threads register molecules before and behind the reader, and move the programmes it reads."""
    for number in range(0, 60, 2):
        api.molecule(f"M-{number:03}")
    there = [f"M-{number:03}" for number in range(0, 60, 2)]
    programmes = [node["id"] for node in api("{ programmes(first: 100) { nodes { id } } }")["programmes"]["nodes"]]
    moment = datetime.now(UTC).isoformat() if known else None
    stop = threading.Event()
    failures: list[BaseException] = []

    def write(numbers: list[int]) -> None:
        try:
            for number in numbers:
                if stop.is_set():
                    return
                api.molecule(f"M-{number:03}")
                api.move(programmes[number // 2], "HOLD", 1, reason="FUNDING")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(list(range(start, 60, 4)),)) for start in (1, 3)]
    for thread in threads:
        thread.start()
    document = """query($after: String, $known: DateTime) { molecules(first: 4, after: $after, knownAt: $known) {
      nodes { code programmes { status } } pageInfo { hasNextPage endCursor } } }"""
    seen: list[str] = []
    statuses: set[str] = set()
    after = None
    while True:
        page = api(document, after=after, known=moment)["molecules"]
        seen += [node["code"] for node in page["nodes"]]
        statuses |= {programme["status"] for node in page["nodes"] for programme in node["programmes"]}
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert seen == sorted(set(seen))
    assert set(there) <= set(seen)
    if known:
        assert seen == there
        assert statuses == {"ACTIVE"}

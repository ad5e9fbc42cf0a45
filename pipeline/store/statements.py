"""Planned statements, compiled once and run with the values of each request; what they leave to Python is put in.

A statement is kept with its plan under the shape of the request: which moments and cursors were given, and how its
conditions are built. Everything else that varies is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import BindParameter, ColumnElement
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.errors import InputError, PipelineError
from pipeline.store.database import begun
from pipeline.store.json_pieces import MARK, REFUSAL, Json
from pipeline.store.json_postgres import JsonOfPostgres
from pipeline.store.json_sqlite import JsonOfSqlite
from pipeline.store.masks import masking
from pipeline.store.nodes import NODES
from pipeline.store.paging import Page, encode, fit
from pipeline.store.planner import Cut, Planner
from pipeline.store.plans import Given, Planned, Ready, Refused, Worked
from pipeline.store.selection import Alike, Conditions, made
from pipeline.store.skeletons import Named

if TYPE_CHECKING:
    from pipeline.store.reader import Reader

_JSON: dict[str, Json] = {"sqlite": JsonOfSqlite(), "postgresql": JsonOfPostgres()}
_KEPT = 32  # statements of one plan


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled statement.

    parameters: all of them with what never varies. places: their names, where they go by place. root: those of the
    root field's conditions, in order. moving: those of conditions whose arguments vary, with the number of the
    connection they belong to. reads_all: nothing is left to Python that reads more.
    """

    sql: str
    parameters: Mapping[str, Any]
    places: tuple[str, ...] | None
    root: tuple[Named, ...]
    moving: tuple[tuple[int, tuple[Named, ...]], ...]
    left: tuple[Worked | Prepared | None, ...]
    reads_all: bool


@dataclass(frozen=True, slots=True)
class _Moving:
    """A connection of a plan with the arguments of this request."""

    place: int
    page: Page
    key: object
    values: Sequence[Any]


def rows(
    reader: Reader,
    planned: Planned,
    conditions: Conditions,
    *,
    order: Sequence[str],
    source: NamedFromClause,
    limit: int | None,
    key: str,
    whole: bool,
) -> list[Ready]:
    """Return the finished rows of a node, each with the value of a column, its key.

    Raises:
        Refused: only the plain path can tell.
    """

    def build(planner: Planner, wanted: Sequence[Any]) -> str:
        return planner.rows(planned.plan.top, source, wanted, order, limit, key)  # type: ignore[arg-type]

    run = _Run.of(reader, planned, conditions, (tuple(order), limit, key), None, build, whole=whole)
    found = run.fetch(run.prepared)
    texts = run.finished(run.prepared, [row[1] for row in found])
    return [Ready(text, row[0]) for text, row in zip(texts, found, strict=True)]


def page(
    reader: Reader,
    planned: Planned,
    arguments: Mapping[str, Any],
    conditions: Conditions,
    *,
    node: str,
    order: Sequence[str],
    descending: bool,
    source: NamedFromClause,
    whole: bool,
) -> Ready:
    """Return a finished page of a node.

    Raises:
        Refused: only the plain path can tell.
    """
    asked = _page_of(arguments, [source.c[name] for name in (*order, "id")])

    def build(planner: Planner, wanted: Sequence[Any]) -> str:
        parts = planned.plan.top
        return planner.page(parts, node, source, wanted, asked, order, descending)  # type: ignore[arg-type]

    run = _Run.of(reader, planned, conditions, (tuple(order), descending), asked, build, whole=whole)
    [text] = run.finished(run.prepared, [row[0] for row in run.fetch(run.prepared)])
    return Ready(text)


def cursor_of(dialect: str, raw: Any) -> Any:
    """Return a cursor of a driver's connection that takes the statements made here, as listeners are told of them."""
    return _JSON[dialect].cursor(raw)


# ------------------------------------------------------------ inside


@dataclass(slots=True)
class _Run:
    """One use of a plan: its statement with the values of the request; `whole`: nothing else is read for an answer."""

    reader: Reader
    planned: Planned
    json: Json
    prepared: Prepared
    moving: Mapping[int, _Moving]
    values: Sequence[Any]
    page: Page | None
    whole: bool

    @classmethod
    def of(
        cls,
        reader: Reader,
        planned: Planned,
        conditions: Conditions,
        more: tuple[Any, ...],
        page: Page | None,
        build: Callable[[Planner, Sequence[Any]], str],
        *,
        whole: bool,
    ) -> _Run:
        """Find the statement for what the request brings, or make it."""
        view, plan, permissions = reader.view, planned.plan, masking() & reader.actor.permissions
        json = _JSON[reader.connection.dialect.name]
        root_key, values = _shape(conditions)
        moving = {place: _moved(planned, place, link) for place, link in plan.moving}
        key = (
            reader.connection.dialect.name,
            view.as_of is None,
            view.known_at is None,
            permissions,
            more,
            _shape_of(page),
            root_key,
            tuple((_shape_of(m.page), m.key) for m in moving.values()),
        )
        prepared = plan.statements.get(key)
        if prepared is None:
            planner = Planner(json, view, planned.given, permissions)
            wanted = made(conditions)
            try:
                statement = build(planner, wanted)
            except PipelineError as error:  # what no page has, or not for everybody: the plain path says so
                raise Refused from error
            prepared = _prepared(planner, statement, wanted, len(values))
            if len(plan.statements) >= _KEPT:
                plan.statements.clear()
            plan.statements[key] = prepared
        return cls(reader, planned, json, prepared, moving, values, page, whole and prepared.reads_all)

    def fetch(self, prepared: Prepared, handed: str | None = None) -> Sequence[Any]:
        """Run a statement; `handed` are the rows of those above it, as JSON."""
        connection, view = self.reader.connection, self.reader.view
        if not (self.whole and self.reader.one_field):
            begun(connection)
        parameters = dict(prepared.parameters)
        if prepared is self.prepared:
            _put(parameters, prepared.root, self.values)
        if self.page is not None:
            _put_page(parameters, "r", self.page)
        for place, moved in self.moving.items():
            _put_page(parameters, f"v{place}", moved.page)
        for place, names in prepared.moving:
            _put(parameters, names, self.moving[place].values)
        for name, value in (("as_of", view.as_of), ("known_at", view.known_at), ("handed", handed)):
            if name in parameters:
                parameters[name] = value
        # The driver itself: SQLAlchemy's execution of a finished text takes as long as many a statement runs.
        cursor = self.json.cursor(connection.connection.driver_connection)
        values = parameters if prepared.places is None else [parameters[name] for name in prepared.places]
        connection.dispatch.before_cursor_execute(connection, cursor, prepared.sql, values, None, False)
        try:
            cursor.execute(prepared.sql, values)
            return list(cursor.fetchall())
        except Exception as error:
            if self.json.refuses(error):
                raise Refused from error
            raise
        finally:
            cursor.close()

    def finished(self, prepared: Prepared, texts: list[str]) -> list[str]:
        """Put in what the statement left to Python, for all of a level at once."""
        if any(REFUSAL in text for text in texts):
            raise Refused
        if not prepared.left or not any(MARK in text for text in texts):
            return texts
        split = [text.split(MARK) for text in texts]
        places: dict[int, list[tuple[list[str], int]]] = {}
        contents: dict[int, list[Any]] = {}
        for parts in split:
            marked = orjson.loads(f"[{','.join(parts[1::2])}]")
            for n, (place, content) in enumerate(marked):
                places.setdefault(place, []).append((parts, 2 * n + 1))
                contents.setdefault(place, []).append(content)
        for place, found in contents.items():
            for (parts, n), text in zip(places[place], self._made(prepared.left[place], found), strict=True):
                parts[n] = text
        return ["".join(parts) for parts in split]

    def _made(self, left: Worked | Prepared | None, contents: list[Any]) -> list[str]:
        if left is None:
            return [f'"{encode(key)}"' for key in contents]
        if isinstance(left, Prepared):
            texts = [orjson.dumps(content).decode() for content in contents]
            each = list(dict.fromkeys(texts))
            found = self.finished(left, [row[0] for row in self.fetch(left, f"[{','.join(each)}]")])
            answers = dict(zip(each, found, strict=True))
            return [answers[text] for text in texts]
        given = self.planned.given
        arguments = given[left.arguments.place] if isinstance(left.arguments, Given) else left.arguments
        try:
            values = left.reads.compute(self.reader, contents, arguments, left.below)
        except PipelineError as error:  # an error of this field alone, which the plain path tells
            raise Refused from error
        if any(isinstance(value, PipelineError) for value in values):
            raise Refused
        return [orjson.dumps(left.finish(value)).decode() for value in values]


def _page_of(arguments: Mapping[str, Any], keys: Sequence[ColumnElement[Any]]) -> Page:
    try:
        found = Page.of(arguments, len(keys))
        fit(keys, found)
    except InputError as error:
        raise Refused from error
    return found


def _moved(planned: Planned, place: int, link: Any) -> _Moving:
    arguments = planned.given[place]
    table = NODES[link.node].table
    page = _page_of(arguments, [table.c[name] for name in (*link.order, "id")])
    try:
        own: Conditions = link.where(table, arguments) if link.where else ()
    except PipelineError as error:  # an error of this field alone, which the plain path tells
        raise Refused from error
    key, values = _shape(own)
    return _Moving(place, page, key, values)


def _shape_of(page: Page | None) -> object:
    return page and (page.backwards, page.cursor is None)


def _bound(conditions: Sequence[ColumnElement[bool]]) -> tuple[object, Sequence[BindParameter[Any]]]:
    """Return what tells conditions of the same build, and their parameters in order.

    Of each by itself: put together, one that is never met would swallow the others.
    """
    keys: list[object] = []
    found: list[BindParameter[Any]] = []
    for condition in conditions:
        cache_key = condition._generate_cache_key()
        if cache_key is None or any(parameter.expanding for parameter in cache_key.bindparams):
            raise Refused
        keys.append(cache_key.key)
        found += cache_key.bindparams
    return tuple(keys), found


def _shape(conditions: Conditions) -> tuple[object, Sequence[Any]]:
    if isinstance(conditions, Alike):
        return (Alike, conditions.key, len(conditions.values)), conditions.values
    key, bound = _bound(conditions)
    return key, [parameter.effective_value for parameter in bound]


def _prepared(planner: Planner, statement: str, conditions: Sequence[Any], varying: int = 0) -> Prepared:
    known = planner.bound.named

    def named(bound: Sequence[BindParameter[Any]]) -> tuple[Named, ...]:
        # A condition may not stand in the statement: a page without rows has none, for example.
        return tuple(known.get(parameter.key, ("", None)) for parameter in bound)

    sql, places = planner.json.placed(statement)
    left = tuple(_prepared(a.planner, a.statement, ()) if isinstance(a, Cut) else a for a in planner.left)
    return Prepared(
        sql,
        planner.bound.values,
        places,
        named(_bound(conditions)[1][:varying]),
        tuple((place, named(_bound(own)[1])) for place, own in planner.tied),
        left,
        all(one is None for one in left),
    )


def _put(parameters: dict[str, Any], names: Sequence[Named], values: Sequence[Any]) -> None:
    for (name, process), value in zip(names, values, strict=True):
        if name:
            parameters[name] = value if process is None else process(value)


def _put_page(parameters: dict[str, Any], name: str, page: Page) -> None:
    put = {f"size_{name}": page.size, f"limit_{name}": page.size + 1}
    for n, value in enumerate(page.cursor or ()):
        put[f"cursor_{name}_{n}"] = value
    parameters.update((key, value) for key, value in put.items() if key in parameters)

"""Planned statements, compiled once and run with the values of each request; what they leave to Python is put in.

A statement is kept with its plan under the shape of the request: which moments and cursors were given, and how its
conditions are built. Everything else that varies is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import BindParameter, ColumnElement, Select, and_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.errors import InputError
from pipeline.store.json_pieces import MARK, REFUSAL, Json
from pipeline.store.json_postgres import JsonOfPostgres
from pipeline.store.json_sqlite import JsonOfSqlite
from pipeline.store.nodes import NODES
from pipeline.store.paging import Page, encode
from pipeline.store.planner import Left, Planner
from pipeline.store.plans import Given, Planned, Ready, Refused

if TYPE_CHECKING:
    from pipeline.store.reader import Reader

_JSON: dict[str, Json] = {"sqlite": JsonOfSqlite(), "postgresql": JsonOfPostgres()}
_KEPT = 32  # statements of one plan
_Process = Callable[[Any], Any] | None
_Named = tuple[str, _Process]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled statement.

    parameters: all of them with what never varies. root: those of the root field's conditions, in order. moving: those
    of conditions whose arguments vary, with the number of the connection they belong to.
    """

    sql: str
    parameters: Mapping[str, Any]
    root: tuple[_Named, ...]
    moving: tuple[tuple[int, tuple[_Named, ...]], ...]
    left: tuple[Left, ...]


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
    conditions: Sequence[Any],
    *,
    order: Sequence[str],
    source: NamedFromClause,
    limit: int | None,
) -> list[Ready]:
    """Return the finished rows of a node.

    Raises:
        Refused: only the plain path can tell.
    """

    def build(planner: Planner) -> Select[Any]:
        return planner.rows(planned.plan.top, source, conditions, order, limit)  # type: ignore[arg-type]

    found = _run(reader, planned, conditions, (tuple(order), limit), None, build)
    texts = _finished(reader, planned, found.left, [row[1] for row in found.rows])
    return [Ready(text, row[0]) for text, row in zip(texts, found.rows, strict=True)]


def page(
    reader: Reader,
    planned: Planned,
    arguments: Mapping[str, Any],
    conditions: Sequence[Any],
    *,
    node: str,
    order: Sequence[str],
    descending: bool,
    source: NamedFromClause,
) -> Ready:
    """Return a finished page of a node.

    Raises:
        Refused: only the plain path can tell.
    """
    asked = _page_of(arguments, order)

    def build(planner: Planner) -> Select[Any]:
        parts = planned.plan.top
        return planner.page(parts, node, source, conditions, asked, order, descending)  # type: ignore[arg-type]

    found = _run(reader, planned, conditions, (tuple(order), descending), asked, build)
    [text] = _finished(reader, planned, found.left, [found.rows[0][0]])
    return Ready(text)


# ------------------------------------------------------------ inside


@dataclass(frozen=True, slots=True)
class _Found:
    rows: Sequence[Any]
    left: tuple[Left, ...]


def _run(
    reader: Reader,
    planned: Planned,
    conditions: Sequence[Any],
    more: tuple[Any, ...],
    page: Page | None,
    build: Callable[[Planner], Select[Any]],
) -> _Found:
    connection, view, plan = reader.connection, reader.view, planned.plan
    json = _JSON[connection.dialect.name]
    root_key, root_values = _shape(conditions)
    moving = [_moved(planned, place, link) for place, link in plan.moving]
    key = (
        connection.dialect.name,
        view.as_of is None,
        view.known_at is None,
        more,
        _shape_of(page),
        root_key,
        tuple((_shape_of(m.page), m.key) for m in moving),
    )
    prepared = plan.statements.get(key)
    if prepared is None:
        planner = Planner(json, view, planned.given)
        prepared = _compiled(json, planner, build(planner), conditions)
        if len(plan.statements) >= _KEPT:
            plan.statements.clear()
        plan.statements[key] = prepared
    parameters = dict(prepared.parameters)
    _put(parameters, prepared.root, root_values)
    if page is not None:
        _put_page(parameters, "r", page)
    by_place = {m.place: m for m in moving}
    for m in moving:
        _put_page(parameters, f"v{m.place}", m.page)
    for place, names in prepared.moving:
        _put(parameters, names, by_place[place].values)
    for name, value in (("as_of", view.as_of), ("known_at", view.known_at)):
        if name in parameters:
            parameters[name] = value
    if "answers" not in connection.info:
        json.connected(connection.connection.driver_connection)
        connection.info["answers"] = True
    try:
        return _Found(connection.exec_driver_sql(prepared.sql, parameters).fetchall(), prepared.left)
    except DBAPIError as error:
        if error.orig is not None and json.refuses(error.orig):
            raise Refused from error
        raise


def _page_of(arguments: Mapping[str, Any], order: Sequence[str]) -> Page:
    try:
        return Page.of(arguments, len(order) + 1)
    except InputError as error:  # the plain path says it, and only where there is something to page through
        raise Refused from error


def _moved(planned: Planned, place: int, link: Any) -> _Moving:
    arguments = planned.given[place]
    page = _page_of(arguments, link.order)
    key, values = _shape(link.where(NODES[link.node].table, arguments) if link.where else ())
    return _Moving(place, page, key, values)


def _shape_of(page: Page | None) -> object:
    return page and (page.backwards, page.cursor is None)


def _bound(conditions: Sequence[ColumnElement[bool]]) -> tuple[object, Sequence[BindParameter[Any]]]:
    """Return what tells conditions of the same build, and their parameters in order."""
    if not conditions:
        return None, ()
    cache_key = and_(*conditions)._generate_cache_key()
    if cache_key is None or any(parameter.expanding for parameter in cache_key.bindparams):
        raise Refused
    return cache_key.key, cache_key.bindparams


def _shape(conditions: Sequence[ColumnElement[bool]]) -> tuple[object, Sequence[Any]]:
    key, bound = _bound(conditions)
    return key, [parameter.effective_value for parameter in bound]


def _compiled(json: Json, planner: Planner, statement: Select[Any], conditions: Sequence[Any]) -> Prepared:
    compiled: Any = statement.compile(dialect=json.dialect)
    names = {parameter.key: name for parameter, name in compiled.bind_names.items()}
    processors: dict[str, _Process] = {
        name: parameter.type.dialect_impl(json.dialect).bind_processor(json.dialect)
        for name, parameter in compiled.binds.items()
    }
    values = dict(compiled.params)
    parameters = {n: value if processors[n] is None else processors[n](value) for n, value in values.items()}  # type: ignore[misc]

    def named(bound: Sequence[BindParameter[Any]]) -> tuple[_Named, ...]:
        # A condition may not stand in the statement: a count alone needs no order, for example.
        return tuple((names[p.key], processors[names[p.key]]) if p.key in names else ("", None) for p in bound)

    return Prepared(
        compiled.string,
        parameters,
        named(_bound(conditions)[1]),
        tuple((place, named(_bound(own)[1])) for place, own in planner.tied),
        tuple(planner.left),
    )


def _put(parameters: dict[str, Any], names: Sequence[_Named], values: Sequence[Any]) -> None:
    for (name, process), value in zip(names, values, strict=True):
        if name:
            parameters[name] = value if process is None else process(value)


def _put_page(parameters: dict[str, Any], name: str, page: Page) -> None:
    put = {f"size_{name}": page.size, f"limit_{name}": page.size + 1}
    for n, value in enumerate(page.cursor or ()):
        put[f"cursor_{name}_{n}"] = value
    parameters.update((key, value) for key, value in put.items() if key in parameters)


def _finished(reader: Reader, planned: Planned, left: Sequence[Left], texts: list[str]) -> list[str]:
    """Put in what the statement left to Python, for all of a level at once."""
    if any(REFUSAL in text for text in texts):
        raise Refused
    if not left:
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
        for (parts, n), made in zip(places[place], _made(reader, planned, left[place], found), strict=True):
            parts[n] = made
    return ["".join(parts) for parts in split]


def _made(reader: Reader, planned: Planned, left: Left, contents: list[Any]) -> list[str]:
    if left is None:
        return [f'"{encode(key)}"' for key in contents]
    arguments = planned.given[left.arguments.place] if isinstance(left.arguments, Given) else left.arguments
    values = left.reads.compute(reader, contents, arguments, None)
    return [orjson.dumps(left.finish(value)).decode() for value in values]

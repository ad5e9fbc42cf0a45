"""A plan becomes one SQL statement whose answer is finished JSON.

Every level is a SELECT inside the level above it, tied to its row by name. Two kinds of things are left to Python and
stand between marks in the text: values no SQL can work out, and cursors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    case,
    func,
    literal_column,
    select,
)
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.store import tables
from pipeline.store.columns import METADATA
from pipeline.store.json_pieces import Json, Piece, sql
from pipeline.store.masks import Permissions, refuse_hidden, shown_as
from pipeline.store.nodes import NODES, seen, source_of, visible
from pipeline.store.paging import Page, fit
from pipeline.store.planned_pages import PageOf, aliased
from pipeline.store.plans import (
    Above,
    Asking,
    Chosen,
    Constant,
    Field,
    Given,
    Level,
    Linked,
    Paged,
    Told,
    Value,
    Worked,
    columns_of,
)
from pipeline.store.selection import OF_THE_ACT, Link, Shape, View

# How many symbols a parser keeps for what stands around a level.
_SYMBOLS = {Shape.ONE: 11, Shape.LIST: 14, Shape.CONNECTION: 20}


@dataclass(slots=True)
class Cut:
    """A field left to a statement of its own, for all rows above it at once; `planner` built the statement."""

    statement: Select[Any]
    planner: Planner


Left = Worked | Cut | None
"""What is left to Python at a mark: a worked value, a further statement, or a cursor."""


@dataclass(slots=True)
class Planner:
    """Builds one statement. What it leaves to Python is collected in `left`, what varies by request in `tied`."""

    json: Json
    view: View
    given: Sequence[Any]
    permissions: Permissions
    left: list[Left] = field(default_factory=list)
    tied: list[tuple[int, list[ColumnElement[bool]]]] = field(default_factory=list)
    """The conditions made from arguments that vary, with their place."""
    _names: int = 0
    _nested: int = 0

    # ------------------------------------------------------------ whole statements

    def rows(
        self, level: Level, source: NamedFromClause, conditions: Sequence[Any], order: Sequence[str], limit: int | None
    ) -> Select[Any]:
        """Return the SELECT of id and JSON of the rows of a node."""
        refuse_hidden(self.permissions, (*conditions, *(source.c[name] for name in order)))
        base = self._from(level, source).where(*seen(level.node, source, self.view), *conditions)
        json = self.json.text(
            self.json.object(self.pieces(level, self.above(source.name, _act_of(source.name), level.node)))
        )
        ordered = base.order_by(*(source.c[name] for name in order), source.c.id)
        return ordered.add_columns(source.c.id, json.label("json")).limit(limit)

    def page(
        self,
        parts: Sequence[Asking],
        node: str,
        source: NamedFromClause,
        conditions: Sequence[Any],
        page: Page,
        order: Sequence[str],
        descending: bool,
    ) -> Select[Any]:
        """Return the SELECT of the JSON of a page of a node."""
        refuse_hidden(self.permissions, (*conditions, *(source.c[name] for name in order)))
        where = [*seen(node, source, self.view), *conditions]
        self._nested = _SYMBOLS[Shape.CONNECTION]
        made = PageOf(self, node, lambda: (source, where), page, order, descending, "r").json(parts)
        return select(self.json.text(made).label("json"))

    # ------------------------------------------------------------ one level

    def name(self) -> str:
        """Return a new name for a source or subquery."""
        self._names += 1
        return f"a${self._names}"  # no key of an answer is called so

    def above(self, table: str, act: str, node: str = "") -> Above:
        """Return the row above a level, by where its columns and those of its act are; `node` where it is one's."""
        masked = shown_as(node, table, self.view, self.permissions)
        return Above(table, act, self.json.dialect.identifier_preparer.quote, masked)

    def _from(self, level: Level, source: NamedFromClause) -> Select[Any]:
        base = select()
        if columns_of(level) & OF_THE_ACT.keys():
            act = aliased(tables.acts, _act_of(source.name))
            return base.select_from(source.join(act, act.c.number == source.c.since_act))
        return base.select_from(source)

    def pieces(self, level: Level, above: Above) -> list[Piece]:
        """Return what stands under each key of a row."""
        return [self._piece(key, asked, above) for key, asked in level.fields]

    def _piece(self, key: str, asked: Field, above: Above) -> Piece:
        if isinstance(asked, Constant | Value | Worked):
            return self._made(key, asked, above)
        deeper = _SYMBOLS[Shape.LIST]
        if isinstance(asked, Linked | Paged):
            deeper = _SYMBOLS[asked.link.shape]
        if self.json.deepest is not None and self._nested + deeper > self.json.deepest:
            return Piece(key, self._cut(asked, above))
        self._nested += deeper
        made = self._made(key, asked, above)
        self._nested -= deeper
        return made

    def _cut(self, asked: Field, above: Above) -> ColumnElement[Any] | str:
        """Leave a field to a statement of its own: how many there are depends on the query alone."""
        needs = sorted(columns_of(Level("", (("", asked),))))
        further = Planner(self.json, self.view, self.given, self.permissions)
        rows = self.json.handed(needs, "p$")
        piece = further._piece("", asked, self.above("p$", "p$"))
        statement = rows.add_columns(self.json.text(sql(piece.value)))
        return self.leave(Cut(statement, further), self.json.bare([(name, above.text(name)) for name in needs]))

    def _made(self, key: str, asked: Field, above: Above) -> Piece:
        json = self.json
        match asked:
            case Constant(text=text):
                return Piece(key, json.constant(text))
            case Value(column=column) if above.masked.get(column) == "NULL":
                return Piece(key, json.constant("null"))
            case Value():
                return json.value(key, asked.form, above.text(asked.column), asked.prefix, required=asked.required)
            case Linked(link=link) if link.shape is Shape.ONE:
                return Piece(key, json.filled(self._one(asked, above), required=asked.required))
            case Linked():
                return Piece(key, self._many(asked, above))
            case Paged():
                return Piece(key, self._connection(asked, above))
            case Chosen():
                return Piece(key, json.filled(self._chosen(asked, above), required=False))
            case Worked():
                return Piece(key, self._worked(asked, above))
            case Told():
                return Piece(key, self._told(asked, above))

    def _worked(self, asked: Worked, above: Above) -> ColumnElement[Any] | str:
        needs = sorted({"id", *asked.reads.needs})
        return self.leave(asked, self.json.bare([(name, above.text(name)) for name in needs]))

    def leave(self, what: Left, content: ColumnElement[Any] | str) -> ColumnElement[Any] | str:
        """Leave something to Python, at a mark around what it needs."""
        self.left.append(what)
        return self.json.marked(len(self.left) - 1, content)

    def _below(self, link: Link, source: NamedFromClause, above: Above) -> list[ColumnElement[bool]]:
        """Return the conditions that tie the rows of a link to the row above, and let only those seen through."""
        if link.through is None:
            tie: list[ColumnElement[bool]] = [
                source.c[child] == above(name) for child, name in zip(link.child, link.parent, strict=True)
            ]
        else:
            between = aliased(METADATA.tables[link.through.table], self.name())
            far = select(between.c[link.through.far]).where(
                visible(between, self.view), between.c[link.through.near] == above(link.parent[0])
            )
            tie = [source.c[link.child[0]].in_(far)]
        return [*tie, *seen(link.node, source, self.view)]

    def _source(self, node: str) -> NamedFromClause:
        return aliased(source_of(node, self.view), self.name())

    def _one(self, asked: Linked, above: Above) -> ColumnElement[Any]:
        link, level = asked.link, asked.below
        source = self._source(link.node)
        rows = self._from(level, source).where(*self._below(link, source, above))
        if link.child != ("id",):
            unique = _unique(NODES[link.node].table, link.child)
            rows = (rows if unique else rows.order_by(source.c.id.desc())).limit(literal_column("1"))
        return self.json.one(rows, self.pieces(level, self.above(source.name, _act_of(source.name), level.node)))

    def _many(self, asked: Linked, above: Above) -> ColumnElement[Any]:
        link, level = asked.link, asked.below
        source = self._source(link.node)
        own = link.where(source, {}) if link.where else ()
        keys = [source.c[name] for name in link.order]
        refuse_hidden(self.permissions, (*own, *keys))
        conditions = [*self._below(link, source, above), *own]
        ordered = (key.nulls_first() if _nullable(key) else key for key in keys)
        rows = self._from(level, source).where(*conditions).order_by(*ordered, source.c.id)
        pieces = self.pieces(level, self.above(source.name, _act_of(source.name), level.node))
        return self.json.many(rows, pieces, self.name())

    def _chosen(self, asked: Chosen, above: Above) -> ColumnElement[Any]:
        cases = []
        for level in asked.levels:
            source = self._source(level.node)
            found = [source.c.id == above(asked.id_column), *seen(level.node, source, self.view)]
            pieces = self.pieces(level, self.above(source.name, _act_of(source.name), level.node))
            made = self.json.one(self._from(level, source).where(*found), pieces)
            cases.append((above(asked.node_column) == level.node, made))
        return case(*cases)

    def _told(self, asked: Told, above: Above) -> ColumnElement[Any]:
        candidates: list[ColumnElement[Any]] = []
        for rows in asked.twin.rows(above, self.view):
            name = self.name()
            if asked.twin.scalar:
                candidates.append(self.json.values(rows, self.name()))
                continue
            assert asked.below is not None
            pieces = self.pieces(asked.below, self.above(name, name))
            found = select().select_from(rows.subquery(name))
            make = self.json.many(found, pieces, self.name()) if asked.twin.many else self.json.one(found, pieces)
            candidates.append(make)
        if asked.rest is not None:
            candidates.append(sql(self._worked(asked.rest, above)))
        made = candidates[0] if len(candidates) == 1 else func.coalesce(*candidates)
        return self.json.filled(made, required=False)

    # ------------------------------------------------------------ pages

    def _connection(self, asked: Paged, above: Above) -> ColumnElement[Any]:
        link = asked.link
        place = asked.arguments.place if isinstance(asked.arguments, Given) else None
        arguments = asked.arguments if not isinstance(asked.arguments, Given) else self.given[asked.arguments.place]
        page = Page.of(arguments, len(link.order) + 1)
        fit([NODES[link.node].table.c[name] for name in (*link.order, "id")], page)

        def rows() -> tuple[NamedFromClause, list[ColumnElement[bool]]]:
            source = self._source(link.node)
            own = list(link.where(source, arguments)) if link.where else []
            refuse_hidden(self.permissions, (*own, *(source.c[name] for name in link.order)))
            if place is not None:
                self.tied.append((place, own))
            return source, [*self._below(link, source, above), *own]

        name = self.name() if place is None else f"v{place}"
        return PageOf(self, link.node, rows, page, link.order, False, name).json(asked.parts)


@lru_cache(maxsize=256)
def _unique(table: Table, columns: tuple[str, ...]) -> bool:
    """Tell whether no two rows seen at one moment are alike in the columns."""
    return any(index.unique and {c.name for c in index.columns} <= set(columns) for index in table.indexes)


def _act_of(name: str) -> str:
    return f"{name}_act"


def _nullable(key: Any) -> bool:
    return bool(getattr(key, "nullable", True))

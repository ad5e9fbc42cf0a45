"""A plan becomes one SQL statement whose answer is finished JSON.

Every level is a SELECT inside the level above it, tied to its row by name. Two kinds of things are left to Python and
stand between marks in the text: values no SQL can work out, and cursors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
)
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.store import tables
from pipeline.store.columns import METADATA
from pipeline.store.json_pieces import Json, Listing, PageRows, Piece, sql
from pipeline.store.nodes import NODES, seen, source_of, visible
from pipeline.store.paging import Page, beyond, fit
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
    Part,
    Told,
    Value,
    Worked,
    columns_of,
)
from pipeline.store.selection import OF_THE_ACT, Link, Shape, View

# How many symbols a parser keeps for what stands around a level.
_SYMBOLS = {Shape.ONE: 11, Shape.LIST: 14, Shape.CONNECTION: 20}
Rows = Callable[[], tuple[NamedFromClause, list[ColumnElement[bool]]]]


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
        base = self._from(level, source).where(*seen(level.node, source, self.view), *conditions)
        json = self.json.text(self.json.object(self._pieces(level, self._above(source.name, _act_of(source.name)))))
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
        where = [*seen(node, source, self.view), *conditions]
        self._nested = _SYMBOLS[Shape.CONNECTION]
        made = self._page(parts, node, lambda: (source, where), page, order, descending, "r")
        return select(self.json.text(made).label("json"))

    # ------------------------------------------------------------ one level

    def _name(self) -> str:
        self._names += 1
        return f"a${self._names}"  # no key of an answer is called so

    def _above(self, table: str, act: str) -> Above:
        return Above(table, act, self.json.dialect.identifier_preparer.quote)

    def _from(self, level: Level, source: NamedFromClause) -> Select[Any]:
        base = select()
        if columns_of(level) & OF_THE_ACT.keys():
            act = _alias(tables.acts, _act_of(source.name))
            return base.select_from(source.join(act, act.c.number == source.c.since_act))
        return base.select_from(source)

    def _pieces(self, level: Level, above: Above) -> list[Piece]:
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
        further = Planner(self.json, self.view, self.given)
        rows = self.json.handed(needs, "p$")
        piece = further._piece("", asked, self._above("p$", "p$"))
        statement = rows.add_columns(self.json.text(sql(piece.value)))
        return self._left(Cut(statement, further), self.json.bare([(name, above.text(name)) for name in needs]))

    def _made(self, key: str, asked: Field, above: Above) -> Piece:
        json = self.json
        match asked:
            case Constant(text=text):
                return Piece(key, json.constant(text))
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
        return self._left(asked, self.json.bare([(name, above.text(name)) for name in needs]))

    def _left(self, what: Left, content: ColumnElement[Any] | str) -> ColumnElement[Any] | str:
        self.left.append(what)
        return self.json.marked(len(self.left) - 1, content)

    def _below(self, link: Link, source: NamedFromClause, above: Above) -> list[ColumnElement[bool]]:
        """Return the conditions that tie the rows of a link to the row above, and let only those seen through."""
        if link.through is None:
            tie: list[ColumnElement[bool]] = [
                source.c[child] == above(name) for child, name in zip(link.child, link.parent, strict=True)
            ]
        else:
            between = _alias(METADATA.tables[link.through.table], self._name())
            far = select(between.c[link.through.far]).where(
                visible(between, self.view), between.c[link.through.near] == above(link.parent[0])
            )
            tie = [source.c[link.child[0]].in_(far)]
        return [*tie, *seen(link.node, source, self.view)]

    def _source(self, node: str) -> NamedFromClause:
        return _alias(source_of(node, self.view), self._name())

    def _one(self, asked: Linked, above: Above) -> ColumnElement[Any]:
        link, level = asked.link, asked.below
        source = self._source(link.node)
        rows = self._from(level, source).where(*self._below(link, source, above))
        if link.child != ("id",):
            unique = _unique(NODES[link.node].table, link.child)
            rows = (rows if unique else rows.order_by(source.c.id.desc())).limit(literal_column("1"))
        return self.json.one(rows, self._pieces(level, self._above(source.name, _act_of(source.name))))

    def _many(self, asked: Linked, above: Above) -> ColumnElement[Any]:
        link, level = asked.link, asked.below
        source = self._source(link.node)
        conditions = [*self._below(link, source, above), *(link.where(source, {}) if link.where else ())]
        keys = [source.c[name] for name in link.order]
        ordered = (key.nulls_first() if _nullable(key) else key for key in keys)
        rows = self._from(level, source).where(*conditions).order_by(*ordered, source.c.id)
        return self.json.many(rows, self._pieces(level, self._above(source.name, _act_of(source.name))), self._name())

    def _chosen(self, asked: Chosen, above: Above) -> ColumnElement[Any]:
        cases = []
        for level in asked.levels:
            source = self._source(level.node)
            found = [source.c.id == above(asked.id_column), *seen(level.node, source, self.view)]
            pieces = self._pieces(level, self._above(source.name, _act_of(source.name)))
            made = self.json.one(self._from(level, source).where(*found), pieces)
            cases.append((above(asked.node_column) == level.node, made))
        return case(*cases)

    def _told(self, asked: Told, above: Above) -> ColumnElement[Any]:
        candidates: list[ColumnElement[Any]] = []
        for rows in asked.twin.rows(above, self.view):
            name = self._name()
            if asked.twin.scalar:
                candidates.append(self.json.values(rows, self._name()))
                continue
            assert asked.below is not None
            pieces = self._pieces(asked.below, self._above(name, name))
            found = select().select_from(rows.subquery(name))
            make = self.json.many(found, pieces, self._name()) if asked.twin.many else self.json.one(found, pieces)
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
            if place is not None:
                self.tied.append((place, own))
            return source, [*self._below(link, source, above), *own]

        name = self._name() if place is None else f"v{place}"
        return self._page(asked.parts, link.node, rows, page, link.order, False, name)

    def _page(
        self,
        parts: Sequence[Asking],
        node: str,
        rows: Rows,
        page: Page,
        order: Sequence[str],
        descending: bool,
        name: str,
    ) -> ColumnElement[Any]:
        listed = [asking for asking in parts if _needs_rows(asking, page)]
        size = bindparam(f"size_{name}", page.size, type_=Integer())
        if not listed:
            return self.json.one(select(), [self._part(asking, None, rows, page, size) for asking in parts])
        numbered = page.backwards or any(asking.part is Part.PAGE_INFO for asking in listed)
        last = bindparam(f"limit_{name}", page.size + 1, type_=Integer()) if numbered else size
        levels = [level for asking in listed for level in _levels(asking)]
        wanted = {"id", *order, *(c for level in levels for c in columns_of(level))}
        limited = self._limited(wanted, rows(), page, order, descending, name).limit(last).subquery(self._name())
        if numbered:
            every: ColumnElement[Any] = literal_column(f"{limited.name}.*")
            place, total = func.row_number().over().label("place"), func.count().over().label("total")
            limited = select(place, total, every).select_from(limited).subquery(self._name())
        above = self._above(limited.name, limited.name)
        key = self.json.array([above.text(c) for c in (*order, "id")])
        of_page = PageRows(limited, numbered, key, size, page.backwards)
        lists = {f"j{n}": self._items(a, above, key) for n, a in enumerate(listed) if a.part is not Part.PAGE_INFO}
        listing = self.json.lists(of_page, lists, self._name())
        arrays = {
            id(asking): array
            for asking, array in zip(
                (a for a in listed if a.part is not Part.PAGE_INFO), listing.arrays.values(), strict=True
            )
        }
        pieces = [
            Piece(asking.key, arrays[id(asking)])
            if id(asking) in arrays
            else self._part(asking, listing, rows, page, size)
            for asking in parts
        ]
        return self.json.one(select().select_from(listing.source), pieces)

    def _limited(
        self,
        wanted: set[str],
        rows: tuple[NamedFromClause, list[ColumnElement[bool]]],
        page: Page,
        order: Sequence[str],
        descending: bool,
        name: str,
    ) -> Select[Any]:
        """Return the SELECT of the columns of a page's rows, from the cursor on."""
        source, conditions = rows
        keys = [source.c[column] for column in (*order, "id")]
        past = beyond(keys, page, descending=descending, name=f"cursor_{name}_")
        falling = page.backwards is not descending
        of_the_act = sorted(wanted & OF_THE_ACT.keys())
        base: FromClause = source
        columns: list[ColumnElement[Any]] = [source.c[c] for c in sorted(wanted - OF_THE_ACT.keys())]
        if of_the_act:
            act = _alias(tables.acts, self._name())
            base = source.join(act, act.c.number == source.c.since_act)
            columns += [act.c[OF_THE_ACT[c]].label(c) for c in of_the_act]
        return (
            select(*columns)
            .select_from(base)
            .where(*conditions, *(() if past is None else (past,)))
            .order_by(*(key.desc() if falling else key for key in keys))
        )

    def _items(self, asking: Asking, above: Above, key: str) -> list[Piece]:
        """Return the pieces of one item of a list."""
        if isinstance(asking.below, Level):
            return self._pieces(asking.below, above)
        return [self._of_edge(part, above, key) for part in asking.below]

    def _of_edge(self, asking: Asking, above: Above, key: str) -> Piece:
        match asking.part:
            case Part.CURSOR:
                return Piece(asking.key, self._left(None, key))
            case Part.NODE:
                assert isinstance(asking.below, Level)
                return Piece(asking.key, self.json.object(self._pieces(asking.below, above)))
            case _:
                return Piece(asking.key, self.json.constant(asking.text))

    def _part(self, asking: Asking, listing: Listing | None, rows: Rows, page: Page, size: ColumnElement[int]) -> Piece:
        match asking.part:
            case Part.TYPE:
                return Piece(asking.key, self.json.constant(asking.text))
            case Part.TOTAL:
                source, conditions = rows()
                total = select(func.count()).select_from(source).where(*conditions).scalar_subquery()
                return Piece(asking.key, total)
            case _:
                assert isinstance(asking.below, tuple)
                parts = [self._of_page(part, listing, page, size) for part in asking.below]
                return Piece(asking.key, self.json.built(parts))

    def _of_page(self, asking: Asking, listing: Listing | None, page: Page, size: ColumnElement[int]) -> Piece:
        json, part = self.json, asking.part
        if part in (Part.HAS_NEXT, Part.HAS_PREVIOUS):
            if (part is Part.HAS_NEXT) is not page.backwards:
                return Piece(asking.key, json.truth(func.count() > size))
            return Piece(asking.key, json.constant("false" if page.cursor is None else "true"))
        if part in (Part.START, Part.END):
            assert listing is not None
            place, key = literal_column(f"{listing.rows}.place", Integer()), literal_column(listing.key, Text())
            first = (part is Part.START) is not page.backwards
            wanted = and_(place == 1, size > 0) if first else place == json.least(size, sql(f"{listing.rows}.total"))
            found = func.max(case((wanted, key)))
            return Piece(asking.key, json.filled(sql(self._left(None, found)), required=False))
        return Piece(asking.key, json.constant(asking.text))


@lru_cache(maxsize=256)
def _unique(table: Table, columns: tuple[str, ...]) -> bool:
    """Tell whether no two rows seen at one moment are alike in the columns."""
    return any(index.unique and {c.name for c in index.columns} <= set(columns) for index in table.indexes)


@lru_cache(maxsize=1024)
def _alias_of_table(table: Table, name: str) -> NamedFromClause:
    return table.alias(name)


def _alias(source: NamedFromClause, name: str) -> NamedFromClause:
    """Return a source under another name; tables keep theirs, because their columns take long to make."""
    return _alias_of_table(source, name) if isinstance(source, Table) else source.alias(name)


def _act_of(name: str) -> str:
    return f"{name}_act"


def _nullable(key: Any) -> bool:
    return bool(getattr(key, "nullable", True))


def _levels(asking: Asking) -> Sequence[Level]:
    """Return the levels asked of the rows of a page."""
    if isinstance(asking.below, Level):
        return [asking.below]
    return [level for below in asking.below for level in _levels(below)]


def _needs_rows(asking: Asking, page: Page) -> bool:
    """Tell whether a part is told by the rows of a page; some of a page info is known without them."""
    if asking.part is not Part.PAGE_INFO:
        return asking.part in (Part.NODES, Part.EDGES)
    more = Part.HAS_PREVIOUS if page.backwards else Part.HAS_NEXT
    assert isinstance(asking.below, tuple)
    return any(below.part in (Part.START, Part.END, more) for below in asking.below)

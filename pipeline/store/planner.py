"""A plan becomes one SQL statement whose answer is finished JSON.

Every level is a SELECT inside the level above it, tied to its row by name. Two kinds of things are left to Python and
stand between marks in the text: values no SQL can work out, and cursors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
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
from pipeline.store.json_pieces import Json, Piece
from pipeline.store.nodes import NODES, OF_THE_ACT, seen, source_of, visible
from pipeline.store.paging import Page, beyond
from pipeline.store.plans import (
    Asking,
    Chosen,
    Constant,
    Field,
    Given,
    Level,
    Linked,
    Paged,
    Parent,
    Part,
    Told,
    Value,
    Worked,
    columns_of,
)
from pipeline.store.selection import Link, Shape, View

_PLACE: ColumnElement[int] = literal_column("place", Integer())
_KEY: ColumnElement[str] = literal_column("key", Text())
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
        json = self.json.text(self.json.object(self._pieces(level, self._parent(source.name, level))))
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

    def _column(self, table: str, name: str) -> str:
        return f"{table}.{self.json.dialect.identifier_preparer.quote(name)}"

    def _parent(self, table: str, level: Level, *, flat: bool = False) -> Parent:
        """Return what gives the columns of a row; flat: those of the act are among its own."""

        def give(name: str) -> ColumnElement[Any]:
            if name in OF_THE_ACT and not flat:
                return literal_column(f"{table}_act.{OF_THE_ACT[name]}")
            known = NODES[level.node].table.c
            return literal_column(self._column(table, name), known[name].type if name in known else None)

        return give

    def _from(self, level: Level, source: NamedFromClause) -> Select[Any]:
        base = select()
        if columns_of(level) & OF_THE_ACT.keys():
            act = tables.acts.alias(f"{source.name}_act")
            return base.select_from(source.join(act, act.c.number == source.c.since_act))
        return base.select_from(source)

    def _pieces(self, level: Level, parent: Parent) -> list[Piece]:
        return [self._piece(key, asked, parent) for key, asked in level.fields]

    def _piece(self, key: str, asked: Field, parent: Parent) -> Piece:
        if isinstance(asked, Constant | Value | Worked):
            return self._made(key, asked, parent)
        deeper = _SYMBOLS[Shape.LIST]
        if isinstance(asked, Linked | Paged):
            deeper = _SYMBOLS[asked.link.shape]
        if self.json.deepest is not None and self._nested + deeper > self.json.deepest:
            return Piece(key, self._cut(asked, parent))
        self._nested += deeper
        made = self._made(key, asked, parent)
        self._nested -= deeper
        return made

    def _cut(self, asked: Field, parent: Parent) -> ColumnElement[Any]:
        """Leave a field to a statement of its own: how many there are depends on the query alone."""
        needs = sorted(columns_of(Level("", (("", asked),))))
        further = Planner(self.json, self.view, self.given)
        rows = self.json.handed(needs, "p$")
        piece = further._piece("", asked, lambda column: literal_column(further._column("p$", column)))
        statement = rows.add_columns(self.json.text(piece.value))
        return self._left(Cut(statement, further), self.json.bare([(name, str(parent(name))) for name in needs]))

    def _made(self, key: str, asked: Field, parent: Parent) -> Piece:
        json = self.json
        match asked:
            case Constant(text=text):
                return Piece(key, json.constant(text))
            case Value():
                return json.value(key, asked.form, str(parent(asked.column)), asked.prefix, required=asked.required)
            case Linked(link=link) if link.shape is Shape.ONE:
                return Piece(key, json.filled(self._one(asked, parent), required=asked.required))
            case Linked():
                return Piece(key, self._many(asked, parent))
            case Paged():
                return Piece(key, self._connection(asked, parent))
            case Chosen():
                return Piece(key, json.filled(self._chosen(asked, parent), required=False))
            case Worked():
                return Piece(key, self._worked(asked, parent))
            case Told():
                return Piece(key, self._told(asked, parent))

    def _worked(self, asked: Worked, parent: Parent) -> ColumnElement[Any]:
        needs = sorted({"id", *asked.reads.needs})
        return self._left(asked, self.json.bare([(name, str(parent(name))) for name in needs]))

    def _left(self, what: Left, content: ColumnElement[Any]) -> ColumnElement[Any]:
        self.left.append(what)
        return self.json.marked(len(self.left) - 1, content)

    def _below(self, link: Link, source: NamedFromClause, parent: Parent) -> list[ColumnElement[bool]]:
        """Return the conditions that tie the rows of a link to the row above, and let only those seen through."""
        if link.through is None:
            tie: list[ColumnElement[bool]] = [
                source.c[child] == parent(above) for child, above in zip(link.child, link.parent, strict=True)
            ]
        else:
            between = METADATA.tables[link.through.table].alias(self._name())
            far = select(between.c[link.through.far]).where(
                visible(between, self.view), between.c[link.through.near] == parent(link.parent[0])
            )
            tie = [source.c[link.child[0]].in_(far)]
        return [*tie, *seen(link.node, source, self.view)]

    def _source(self, node: str) -> NamedFromClause:
        return source_of(node, self.view).alias(self._name())

    def _one(self, asked: Linked, parent: Parent) -> ColumnElement[Any]:
        link, level = asked.link, asked.below
        source = self._source(link.node)
        rows = self._from(level, source).where(*self._below(link, source, parent))
        if link.child != ("id",):
            rows = rows.order_by(source.c.id.desc()).limit(1)
        return self.json.one(rows, self._pieces(level, self._parent(source.name, level)))

    def _many(self, asked: Linked, parent: Parent) -> ColumnElement[Any]:
        link, level = asked.link, asked.below
        source = self._source(link.node)
        conditions = [*self._below(link, source, parent), *(link.where(source, {}) if link.where else ())]
        keys = [source.c[name] for name in link.order]
        ordered = (key.nulls_first() if _nullable(key) else key for key in keys)
        rows = self._from(level, source).where(*conditions).order_by(*ordered, source.c.id)
        return self.json.many(rows, self._pieces(level, self._parent(source.name, level)), self._name())

    def _chosen(self, asked: Chosen, parent: Parent) -> ColumnElement[Any]:
        cases = []
        for level in asked.levels:
            source = self._source(level.node)
            found = [source.c.id == parent(asked.id_column), *seen(level.node, source, self.view)]
            pieces = self._pieces(level, self._parent(source.name, level))
            made = self.json.one(self._from(level, source).where(*found), pieces)
            cases.append((parent(asked.node_column) == level.node, made))
        return case(*cases)

    def _told(self, asked: Told, parent: Parent) -> ColumnElement[Any]:
        candidates: list[ColumnElement[Any]] = []
        for rows in asked.twin.rows(parent, self.view):
            name = self._name()
            if asked.twin.scalar:
                candidates.append(self.json.values(rows, self._name()))
                continue
            assert asked.below is not None
            pieces = self._pieces(asked.below, lambda column, name=name: literal_column(self._column(name, column)))  # type: ignore[misc]
            found = select().select_from(rows.subquery(name))
            make = self.json.many(found, pieces, self._name()) if asked.twin.many else self.json.one(found, pieces)
            candidates.append(make)
        if asked.rest is not None:
            candidates.append(self._worked(asked.rest, parent))
        made = candidates[0] if len(candidates) == 1 else func.coalesce(*candidates)
        return self.json.filled(made, required=False)

    # ------------------------------------------------------------ pages

    def _connection(self, asked: Paged, parent: Parent) -> ColumnElement[Any]:
        link = asked.link
        place = asked.arguments.place if isinstance(asked.arguments, Given) else None
        arguments = asked.arguments if not isinstance(asked.arguments, Given) else self.given[asked.arguments.place]
        page = Page.of(arguments, len(link.order) + 1)

        def rows() -> tuple[NamedFromClause, list[ColumnElement[bool]]]:
            source = self._source(link.node)
            own = list(link.where(source, arguments)) if link.where else []
            if place is not None:
                self.tied.append((place, own))
            return source, [*self._below(link, source, parent), *own]

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
        base = select()
        if listed:
            base = base.select_from(self._listed(listed, node, rows(), page, order, descending, name))
        size = bindparam(f"size_{name}", page.size, type_=Integer())
        return self.json.one(base, [self._part(asking, listed, rows, page, size) for asking in parts])

    def _listed(
        self,
        listed: Sequence[Asking],
        node: str,
        rows: tuple[NamedFromClause, list[ColumnElement[bool]]],
        page: Page,
        order: Sequence[str],
        descending: bool,
        name: str,
    ) -> NamedFromClause:
        """Return the rows of a page: `place`, `key` where a cursor is asked, and one column of JSON for each list."""
        source, conditions = rows
        keys = [source.c[column_name] for column_name in (*order, "id")]
        levels = [level for asking in listed for level in _levels(asking)]
        wanted = {"id", *order, *(c for level in levels for c in columns_of(level))}
        past = beyond(keys, page, descending=descending, name=f"cursor_{name}_")
        falling = page.backwards is not descending
        of_the_act = sorted(wanted & OF_THE_ACT.keys())
        base: FromClause = source
        columns: list[ColumnElement[Any]] = [source.c[c] for c in sorted(wanted - OF_THE_ACT.keys())]
        if of_the_act:
            act = tables.acts.alias(self._name())
            base = source.join(act, act.c.number == source.c.since_act)
            columns += [act.c[OF_THE_ACT[c]].label(c) for c in of_the_act]
        limited = (
            select(*columns)
            .select_from(base)
            .where(*conditions, *(() if past is None else (past,)))
            .order_by(*(key.desc() if falling else key for key in keys))
            .limit(bindparam(f"limit_{name}", page.size + 1, type_=Integer()))
            .subquery(self._name())
        )
        numbered = select(func.row_number().over().label("place"), *limited.c).subquery(self._name())
        within = bindparam(f"size_{name}", page.size, type_=Integer()) >= _PLACE
        parent = self._parent(numbered.name, Level(node, ()), flat=True)
        made: list[ColumnElement[Any]] = [_PLACE]
        if any(_needs_cursor(asking) for asking in listed):
            made.append(self.json.array([str(parent(c)) for c in (*order, "id")]).label("key"))
        keyed = self.json.array([str(parent(c)) for c in (*order, "id")])
        for n, asking in enumerate(listed):
            if isinstance(asking.below, Level):
                pieces = self._pieces(asking.below, parent)
            elif asking.part is Part.EDGES:
                pieces = [self._of_edge(part, parent, keyed) for part in asking.below]
            else:
                continue
            made.append(case((within, self.json.object(pieces))).label(f"j{n}"))
        standing = _PLACE.desc() if page.backwards else _PLACE
        return select(*made).select_from(numbered).order_by(standing).subquery(self._name())

    def _of_edge(self, asking: Asking, parent: Parent, key: ColumnElement[Any]) -> Piece:
        match asking.part:
            case Part.CURSOR:
                return Piece(asking.key, self._left(None, key))
            case Part.NODE:
                assert isinstance(asking.below, Level)
                return Piece(asking.key, self.json.object(self._pieces(asking.below, parent)))
            case _:
                return Piece(asking.key, self.json.constant(asking.text))

    def _part(
        self, asking: Asking, listed: Sequence[Asking], rows: Rows, page: Page, size: ColumnElement[int]
    ) -> Piece:
        match asking.part:
            case Part.TYPE:
                return Piece(asking.key, self.json.constant(asking.text))
            case Part.TOTAL:
                source, conditions = rows()
                total = select(func.count()).select_from(source).where(*conditions).scalar_subquery()
                return Piece(asking.key, total)
            case Part.PAGE_INFO:
                assert isinstance(asking.below, tuple)
                return Piece(asking.key, self.json.built([self._of_page(part, page, size) for part in asking.below]))
            case _:
                place = next(n for n, known in enumerate(listed) if known is asking)
                return Piece(asking.key, self.json.gathered(f"j{place}"))

    def _of_page(self, asking: Asking, page: Page, size: ColumnElement[int]) -> Piece:
        json, part = self.json, asking.part
        if part in (Part.HAS_NEXT, Part.HAS_PREVIOUS):
            if (part is Part.HAS_NEXT) is not page.backwards:
                return Piece(asking.key, json.truth(func.count() > size))
            return Piece(asking.key, json.constant("false" if page.cursor is None else "true"))
        if part in (Part.START, Part.END):
            first = func.max(case((and_(_PLACE == 1, size > 0), _KEY)))
            found = first if (part is Part.START) is not page.backwards else json.last_key(_PLACE, _KEY, size)
            return Piece(asking.key, json.filled(self._left(None, found), required=False))
        return Piece(asking.key, json.constant(asking.text))


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


def _needs_cursor(asking: Asking) -> bool:
    below = asking.below if isinstance(asking.below, tuple) else ()
    return any(part.part in (Part.START, Part.END) for part in below)

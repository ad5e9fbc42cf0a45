"""A plan becomes one SQL statement whose answer is finished JSON.

Every level is a SELECT inside the level above it, tied to its row by name. Two kinds of things are left to Python and
stand between marks in the text: values no SQL can work out, and cursors.
"""

# ruff: noqa: S608 - the SQL is put together of names of ours
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, literal_column, select
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.store import tables
from pipeline.store.columns import METADATA
from pipeline.store.json_pieces import Json, Piece, quoted
from pipeline.store.masks import Permissions, refuse_hidden, shown_as
from pipeline.store.nodes import NODES, seen, source_of, visible
from pipeline.store.paging import Page, fit
from pipeline.store.planned_pages import PageOf, Sized, Wanted
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
from pipeline.store.selection import OF_THE_ACT, Link, Shape, Through, View, made
from pipeline.store.skeletons import ABOVE, COLUMNS, SOURCE, Bound, Skeleton, kept

# How many symbols a parser keeps for what stands around a level.
_SYMBOLS = {Shape.ONE: 11, Shape.LIST: 14, Shape.CONNECTION: 20}


@dataclass(slots=True)
class Cut:
    """A field left to a statement of its own, for all rows above it at once; `planner` built the statement."""

    statement: str
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
    bound: Bound = field(default_factory=lambda: Bound("x"))
    _names: int = 0
    _nested: int = 0
    _sources: dict[tuple[str, View], NamedFromClause] = field(default_factory=dict)

    # ------------------------------------------------------------ whole statements

    def rows(
        self,
        level: Level,
        source: NamedFromClause,
        conditions: Sequence[Any],
        order: Sequence[str],
        limit: int | None,
        key: str,
    ) -> str:
        """Return the SELECT of the key and JSON of the rows of a node; `key` is a column nobody is refused."""
        refuse_hidden(self.permissions, (*conditions, *(source.c[name] for name in order)))
        base = _from(source, act=_needs_act(level)).where(*seen(level.node, source, self.view), *conditions)
        ordered = base.order_by(*(source.c[name] for name in order), source.c.id).limit(limit)
        above = self.above(source.name, _act_of(source.name), level.node)
        json = self.json.text(self.json.object(self.pieces(level, above)))
        return self._compiled(ordered).replace(COLUMNS, f"{above.text(key)}, {json} AS json")

    def page(
        self,
        parts: Sequence[Asking],
        node: str,
        source: NamedFromClause,
        conditions: Sequence[Any],
        page: Page,
        order: Sequence[str],
        descending: bool,
    ) -> str:
        """Return the SELECT of the JSON of a page of a node."""
        refuse_hidden(self.permissions, (*conditions, *(source.c[name] for name in order)))
        where = [*seen(node, source, self.view), *conditions]

        def rows(wanted: Wanted | None) -> tuple[str, str]:
            base = _from(source, act=wanted is not None and wanted.act).where(*where)
            return source.name, self._compiled(base if wanted is None else wanted.of(base, source))

        self._nested = _SYMBOLS[Shape.CONNECTION]
        made = PageOf(self, node, rows, Sized(page, "r"), order, descending).json(parts)
        return f"SELECT {self.json.text(made)} AS json"

    # ------------------------------------------------------------ one level

    def name(self) -> str:
        """Return a new name for a source or subquery."""
        self._names += 1
        return f"a${self._names}"  # no key of an answer is called so

    def above(self, table: str, act: str, node: str = "") -> Above:
        """Return the row above a level, by where its columns and those of its act are; `node` where it is one's."""
        masked = shown_as(node, table, self.view, self.permissions)
        return Above(table, act, self.json.dialect.identifier_preparer.quote, masked)

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

    def _cut(self, asked: Field, above: Above) -> str:
        """Leave a field to a statement of its own: how many there are depends on the query alone."""
        needs = sorted(columns_of(Level("", (("", asked),))))
        further = Planner(self.json, self.view, self.given, self.permissions)
        further.bound.values["handed"] = None
        json = self.json.text(further._piece("", asked, self.above("p$", "p$")).value)
        statement = self.json.handed(needs, "p$").replace(COLUMNS, json)
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
                return Piece(key, json.filled(self._chosen(asked, above), required=asked.required))
            case Worked():
                return Piece(key, self._worked(asked, above))
            case Told():
                return Piece(key, self._told(asked, above))

    def _worked(self, asked: Worked, above: Above) -> str:
        needs = sorted({"id", *asked.reads.needs})
        return self.leave(asked, self.json.bare([(name, above.text(name)) for name in needs]))

    def leave(self, what: Left, content: str) -> str:
        """Leave something to Python, at a mark around what it needs."""
        self.left.append(what)
        return self.json.marked(len(self.left) - 1, content)

    # ------------------------------------------------------------ rows of a level

    def _compiled(self, statement: Select[Any]) -> str:
        return self.bound.compiled(self.json.dialect, statement)

    def _kept(self, key: Any, make: Callable[[View], list[Select[Any]]]) -> list[str]:
        """Return SELECTs that are made once for a key and the kind of moment they are seen from."""
        # Which moment it is comes with each request.
        view = View(None if self.view.as_of is None else "", None if self.view.known_at is None else 0)
        found: tuple[Skeleton, ...] = kept(self.json.dialect, (key, view), lambda: make(view))
        for skeleton in found:
            self.bound.values |= skeleton.values
        return [skeleton.text for skeleton in found]

    def _rows(
        self, tie: Tie, above: Above, refine: Refine, own: Sequence[ColumnElement[bool]] = (), *, act: bool, keep: Any
    ) -> tuple[str, str]:
        """Return what the rows tied to the row above are called, and their SELECT; kept where `keep` tells it apart."""

        def make(view: View) -> list[Select[Any]]:
            source = self._named(tie.node, view)
            conditions = [*tie.conditions(source, view), *seen(tie.node, source, view), *own]
            return [refine(_from(source, act=act).where(*conditions), source)]

        if keep is None or own:
            [text] = [self._compiled(statement) for statement in make(self.view)]
        else:
            [text] = self._kept((tie, act, keep), make)
        name = self.name()
        text = text.replace(SOURCE, name)
        for n, column in enumerate(tie.parent):
            text = text.replace(f"{ABOVE}{n}", above.text(column))
        return name, text

    def _named(self, node: str, view: View) -> NamedFromClause:
        """Return the source of a node under the name that is replaced; the same each time, conditions belong to it."""
        if (node, view) not in self._sources:
            source = source_of(node, view)
            # Tables keep their aliases, because their columns take long to make.
            named = _table_as(source, SOURCE) if isinstance(source, Table) else source.alias(SOURCE)
            self._sources[node, view] = named
        return self._sources[node, view]

    def _one(self, asked: Linked, above: Above) -> str:
        link, level = asked.link, asked.below
        tie = Tie(link.node, link.parent, link.child, link.through)

        def only(rows: Select[Any], source: NamedFromClause) -> Select[Any]:
            if link.child == ("id",):
                return rows
            unique = _unique(NODES[link.node].table, link.child)
            return (rows if unique else rows.order_by(source.c.id.desc())).limit(literal_column("1"))

        name, rows = self._rows(tie, above, only, act=_needs_act(level), keep=Shape.ONE)
        return self.json.one(rows, self.pieces(level, self.above(name, _act_of(name), level.node)))

    def _many(self, asked: Linked, above: Above) -> str:
        link, level = asked.link, asked.below
        own = list(made(link.where(self._named(link.node, self.view), {}))) if link.where else []
        self._allow(link, own)

        def ordered(rows: Select[Any], source: NamedFromClause) -> Select[Any]:
            keys = [source.c[name] for name in link.order]
            return rows.order_by(*(key.nulls_first() if _nullable(key) else key for key in keys), source.c.id)

        tie = Tie(link.node, link.parent, link.child, link.through)
        name, rows = self._rows(tie, above, ordered, own, act=_needs_act(level), keep=(Shape.LIST, link.order))
        pieces = self.pieces(level, self.above(name, _act_of(name), level.node))
        return self.json.many(rows, pieces, self.name())

    def _chosen(self, asked: Chosen, above: Above) -> str:
        cases = []
        for level in asked.levels:
            tie = Tie(level.node, (asked.id_column,), ("id",))
            name, rows = self._rows(tie, above, lambda rows, _: rows, act=_needs_act(level), keep=Shape.ONE)
            made = self.json.one(rows, self.pieces(level, self.above(name, _act_of(name), level.node)))
            cases.append(f"WHEN {quoted(level.node)} THEN {made}")
        return f"CASE {above.text(asked.node_column)} {' '.join(cases)} END"

    def _told(self, asked: Told, above: Above) -> str:
        candidates: list[str] = []
        for rows in self._told_rows(asked, above):
            name = self.name()
            if asked.twin.scalar:
                candidates.append(self.json.values(rows, name))
                continue
            assert asked.below is not None
            pieces = self.pieces(asked.below, self.above(name, name))
            found = f"SELECT {COLUMNS} FROM ({rows}) AS {name}"
            many = asked.twin.many
            candidates.append(self.json.many(found, pieces, self.name()) if many else self.json.one(found, pieces))
        if asked.rest is not None:
            candidates.append(self._worked(asked.rest, above))
        made = candidates[0] if len(candidates) == 1 else f"coalesce({', '.join(candidates)})"
        return self.json.filled(made, required=asked.required)

    def _told_rows(self, asked: Told, above: Above) -> list[str]:
        if above.masked:
            return [self._compiled(rows) for rows in asked.twin.rows(above, self.view)]
        # Rows that hold the columns of their act themselves are of one name with it.
        own = above.act == above.table
        kept = self._kept(
            (asked.twin, own),
            lambda view: list(asked.twin.rows(self.above(ABOVE, ABOVE if own else _act_of(ABOVE)), view)),
        )
        return [text.replace(ABOVE, above.table) for text in kept]

    # ------------------------------------------------------------ pages

    def _connection(self, asked: Paged, above: Above) -> str:
        link = asked.link
        place = asked.arguments.place if isinstance(asked.arguments, Given) else None
        arguments = asked.arguments if not isinstance(asked.arguments, Given) else self.given[asked.arguments.place]
        page = Page.of(arguments, len(link.order) + 1)
        fit([NODES[link.node].table.c[name] for name in (*link.order, "id")], page)
        tie = Tie(link.node, link.parent, link.child, link.through)

        def rows(wanted: Wanted | None) -> tuple[str, str]:
            own = list(made(link.where(self._named(link.node, self.view), arguments))) if link.where else []
            self._allow(link, own)
            if place is not None:
                self.tied.append((place, own))
            if wanted is None:
                return self._rows(tie, above, lambda rows, _: rows, own, act=False, keep=Shape.CONNECTION)
            return self._rows(tie, above, wanted.of, own, act=wanted.act, keep=wanted.key)

        sized = Sized(page, None if place is None else f"v{place}")
        return PageOf(self, link.node, rows, sized, link.order, descending=False).json(asked.parts)

    def _allow(self, link: Link, own: Sequence[ColumnElement[bool]]) -> None:
        source = NODES[link.node].table
        refuse_hidden(self.permissions, (*own, *(source.c[name] for name in link.order)))


Refine = Callable[[Select[Any], NamedFromClause], Select[Any]]
"""Orders and limits a SELECT of the rows of a source."""


@dataclass(frozen=True, slots=True)
class Tie:
    """What ties rows of a node to the row above: their `child` columns equal its `parent` columns."""

    node: str
    parent: tuple[str, ...]
    child: tuple[str, ...]
    through: Through | None = None

    def conditions(self, source: NamedFromClause, view: View) -> list[ColumnElement[bool]]:
        """Return it as conditions on a source that is called `SOURCE`, with holes for the columns above."""
        if self.through is None:
            return [source.c[child] == literal_column(f"{ABOVE}{n}") for n, child in enumerate(self.child)]
        between = _table_as(METADATA.tables[self.through.table], f"{SOURCE}_by")
        near = between.c[self.through.near] == literal_column(f"{ABOVE}0")
        far = select(between.c[self.through.far]).where(visible(between, view), near)
        return [source.c[self.child[0]].in_(far)]


@lru_cache(maxsize=1024)
def _table_as(table: Table, name: str) -> NamedFromClause:
    return table.alias(name)


def _from(source: NamedFromClause, *, act: bool) -> Select[Any]:
    """Return a SELECT from a source, with the acts of its rows where they are needed."""
    base: Select[Any] = select(literal_column(COLUMNS))
    if not act:
        return base.select_from(source)
    acts = _table_as(tables.acts, _act_of(source.name))
    return base.select_from(source.join(acts, acts.c.number == source.c.since_act))


def _needs_act(level: Level) -> bool:
    return bool(columns_of(level) & OF_THE_ACT.keys())


@lru_cache(maxsize=256)
def _unique(table: Table, columns: tuple[str, ...]) -> bool:
    """Tell whether no two rows seen at one moment are alike in the columns."""
    return any(index.unique and {c.name for c in index.columns} <= set(columns) for index in table.indexes)


def _act_of(name: str) -> str:
    return f"{name}_act"


def _nullable(key: Any) -> bool:
    return bool(getattr(key, "nullable", True))

"""A page of rows in SQL: the rows from a cursor on, its lists, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

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
from pipeline.store.json_pieces import Listing, PageRows, Piece, sql
from pipeline.store.masks import marks
from pipeline.store.paging import Page, beyond
from pipeline.store.plans import Above, Asking, Level, Part, columns_of
from pipeline.store.selection import OF_THE_ACT

if TYPE_CHECKING:
    from pipeline.store.planner import Planner

Rows = Callable[[], tuple[NamedFromClause, list[ColumnElement[bool]]]]
"""Gives a source anew, with the conditions on its rows: a page and its count each need one."""


@dataclass(frozen=True, slots=True)
class PageOf:
    """One page of a connection of a node. name: what its parameters are called by."""

    planner: Planner
    node: str
    rows: Rows
    page: Page
    order: Sequence[str]
    descending: bool
    name: str

    def json(self, parts: Sequence[Asking]) -> ColumnElement[Any]:
        """Return the JSON of what is asked of the page."""
        page = self.page
        listed = [asking for asking in parts if _needs_rows(asking, page)]
        size = bindparam(f"size_{self.name}", page.size, type_=Integer())
        if not listed:
            return self.planner.json.one(select(), [self._part(asking, None, size) for asking in parts])
        numbered = page.backwards or any(asking.part is Part.PAGE_INFO for asking in listed)
        last = bindparam(f"limit_{self.name}", page.size + 1, type_=Integer()) if numbered else size
        levels = [level for asking in listed for level in _levels(asking)]
        wanted = {"id", *self.order, *marks(self.node), *(c for level in levels for c in columns_of(level))}
        found = self._limited(wanted).limit(last)
        name, inner = self.planner.name(), self.planner.name()
        limited = self.planner.json.rows(found, name, inner) if numbered else found.subquery(name)
        above = self.planner.above(limited.name, limited.name, self.node)
        key = self.planner.json.array([above.text(c) for c in (*self.order, "id")])
        of_page = PageRows(limited, numbered, key, size, page.backwards)
        lists = {f"j{n}": self._items(a, above, key) for n, a in enumerate(listed) if a.part is not Part.PAGE_INFO}
        listing = self.planner.json.lists(of_page, lists, self.planner.name())
        arrays = {
            id(asking): array
            for asking, array in zip(
                (a for a in listed if a.part is not Part.PAGE_INFO), listing.arrays.values(), strict=True
            )
        }
        pieces = [
            Piece(asking.key, arrays[id(asking)]) if id(asking) in arrays else self._part(asking, listing, size)
            for asking in parts
        ]
        return self.planner.json.one(select().select_from(listing.source), pieces)

    def _limited(self, wanted: set[str]) -> Select[Any]:
        """Return the SELECT of the columns of a page's rows, from the cursor on."""
        source, conditions = self.rows()
        page, keys = self.page, [source.c[column] for column in (*self.order, "id")]
        past = beyond(keys, page, descending=self.descending, name=f"cursor_{self.name}_")
        falling = page.backwards is not self.descending
        of_the_act = sorted(wanted & OF_THE_ACT.keys())
        base: FromClause = source
        columns: list[ColumnElement[Any]] = [source.c[c] for c in sorted(wanted - OF_THE_ACT.keys())]
        if of_the_act:
            act = aliased(tables.acts, self.planner.name())
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
            return self.planner.pieces(asking.below, above)
        return [self._of_edge(part, above, key) for part in asking.below]

    def _of_edge(self, asking: Asking, above: Above, key: str) -> Piece:
        match asking.part:
            case Part.CURSOR:
                return Piece(asking.key, self.planner.leave(None, key))
            case Part.NODE:
                assert isinstance(asking.below, Level)
                return Piece(asking.key, self.planner.json.object(self.planner.pieces(asking.below, above)))
            case _:
                return Piece(asking.key, self.planner.json.constant(asking.text))

    def _part(self, asking: Asking, listing: Listing | None, size: ColumnElement[int]) -> Piece:
        match asking.part:
            case Part.TYPE:
                return Piece(asking.key, self.planner.json.constant(asking.text))
            case Part.TOTAL:
                source, conditions = self.rows()
                total = select(func.count()).select_from(source).where(*conditions).scalar_subquery()
                return Piece(asking.key, total)
            case _:
                assert isinstance(asking.below, tuple)
                parts = [self._of_page(part, listing, size) for part in asking.below]
                return Piece(asking.key, self.planner.json.built(parts))

    def _of_page(self, asking: Asking, listing: Listing | None, size: ColumnElement[int]) -> Piece:
        json, page, part = self.planner.json, self.page, asking.part
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
            return Piece(asking.key, json.filled(sql(self.planner.leave(None, found)), required=False))
        return Piece(asking.key, json.constant(asking.text))


@lru_cache(maxsize=1024)
def _table_as(table: Table, name: str) -> NamedFromClause:
    return table.alias(name)


def aliased(source: NamedFromClause, name: str) -> NamedFromClause:
    """Return a source under another name; tables keep theirs, because their columns take long to make."""
    return _table_as(source, name) if isinstance(source, Table) else source.alias(name)


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

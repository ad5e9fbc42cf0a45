"""A page of rows in SQL: the rows from a cursor on, its lists, and what is said about it."""

# ruff: noqa: S608 - the SQL is put together of names of ours
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.store.json_pieces import Listing, PageRows, Piece
from pipeline.store.masks import marks
from pipeline.store.paging import Page, beyond
from pipeline.store.plans import Above, Asking, Level, Part, columns_of
from pipeline.store.selection import OF_THE_ACT
from pipeline.store.skeletons import COLUMNS

if TYPE_CHECKING:
    from pipeline.store.planner import Planner


@dataclass(frozen=True, slots=True)
class Sized:
    """A page, and what its parameters are called by where they vary by request."""

    page: Page
    name: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the rows of a page are wanted: from the cursor on, in order. act: with the acts that recorded them."""

    sized: Sized
    order: Sequence[str]
    descending: bool
    act: bool

    @property
    def falling(self) -> bool:
        """Tell whether the rows are read from the last on."""
        return self.sized.page.backwards is not self.descending

    @property
    def key(self) -> object:
        """Tell what tells the SELECT apart; None where there is a cursor."""
        return None if self.sized.page.cursor is not None else ("page", tuple(self.order), self.falling)

    def of(self, rows: Select[Any], source: NamedFromClause) -> Select[Any]:
        """Return a SELECT of all rows as it is wanted."""
        keys = [source.c[column] for column in (*self.order, "id")]
        name = self.sized.name and f"cursor_{self.sized.name}_"
        past = beyond(keys, self.sized.page, descending=self.descending, name=name)
        ordered = rows.order_by(*(key.desc() if self.falling else key for key in keys))
        return ordered if past is None else ordered.where(past)


Rows = Callable[[Wanted | None], tuple[str, str]]
"""Gives a source anew, by its name and its SELECT: for a page as it is wanted, for a count without order."""


@dataclass(frozen=True, slots=True)
class PageOf:
    """One page of a connection of a node."""

    planner: Planner
    node: str
    rows: Rows
    sized: Sized
    order: Sequence[str]
    descending: bool

    def json(self, parts: Sequence[Asking]) -> str:
        """Return the JSON of what is asked of the page."""
        page = self.sized.page
        listed = [asking for asking in parts if _needs_rows(asking, page)]
        size = self._number("size", page.size)
        if not listed:
            return self.planner.json.one(f"SELECT {COLUMNS}", [self._part(asking, None, size) for asking in parts])
        numbered = page.backwards or any(asking.part is Part.PAGE_INFO for asking in listed)
        last = self._number("limit", page.size + 1) if numbered else size
        levels = [level for asking in listed for level in _levels(asking)]
        wanted = {"id", *self.order, *marks(self.node), *(c for level in levels for c in columns_of(level))}
        name, inner = self.planner.name(), self.planner.name()
        found = f"{self._limited(wanted)} LIMIT {last}"
        limited = self.planner.json.rows(found, name, inner) if numbered else f"({found}) AS {name}"
        above = self.planner.above(name, name, self.node)
        key = self.planner.json.array([above.text(c) for c in (*self.order, "id")])
        of_page = PageRows(limited, name, numbered, key, size, page.backwards)
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
        return self.planner.json.one(f"SELECT {COLUMNS} FROM {listing.source}", pieces)

    def _number(self, what: str, value: int) -> str:
        """Return a number of the page: a parameter where it varies by request."""
        if self.sized.name is None:
            return str(value)
        name = f"{what}_{self.sized.name}"
        self.planner.bound.values[name] = value
        return self.planner.json.parameter(name)

    def _limited(self, wanted: set[str]) -> str:
        """Return the SELECT of the columns of a page's rows, from the cursor on."""
        of_the_act = bool(wanted & OF_THE_ACT.keys())
        name, rows = self.rows(Wanted(self.sized, self.order, self.descending, of_the_act))
        above = self.planner.above(name, f"{name}_act")
        columns = (f"{above.text(c)} AS {c}" if c in OF_THE_ACT else above.text(c) for c in sorted(wanted))
        return rows.replace(COLUMNS, ", ".join(columns))

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

    def _part(self, asking: Asking, listing: Listing | None, size: str) -> Piece:
        match asking.part:
            case Part.TYPE:
                return Piece(asking.key, self.planner.json.constant(asking.text))
            case Part.TOTAL:
                _, rows = self.rows(None)
                return Piece(asking.key, f"({rows.replace(COLUMNS, 'count(*)')})")
            case _:
                assert isinstance(asking.below, tuple)
                parts = [self._of_page(part, listing, size) for part in asking.below]
                return Piece(asking.key, self.planner.json.built(parts))

    def _of_page(self, asking: Asking, listing: Listing | None, size: str) -> Piece:
        json, page, part = self.planner.json, self.sized.page, asking.part
        if part in (Part.HAS_NEXT, Part.HAS_PREVIOUS):
            if (part is Part.HAS_NEXT) is not page.backwards:
                return Piece(asking.key, json.truth(f"count(*) > {size}"))
            return Piece(asking.key, json.constant("false" if page.cursor is None else "true"))
        if part in (Part.START, Part.END):
            assert listing is not None
            first = (part is Part.START) is not page.backwards
            place = f"{listing.rows}.place"
            found = f"max(CASE WHEN {place} = 1 AND {size} > 0 THEN {listing.key} END)"
            if not first:
                found = json.furthest(listing.key, place, size)
            return Piece(asking.key, json.filled(self.planner.leave(None, found), required=False))
        return Piece(asking.key, json.constant(asking.text))


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

"""A page as the peers hand it to their GraphQL library, and the values of variables as they are compared in SQL."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.store.paging import decode, encode


@dataclass(frozen=True, slots=True)
class Info:
    """Where a page stands in its list."""

    has_next_page: bool
    has_previous_page: bool
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Edge:
    """A row with its cursor."""

    node: Any
    cursor: str


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list; one more than `first` was read to know whether there are more."""

    found: Sequence[Any]
    first: int
    after: str | None
    key: Callable[[Any], list[Any]]

    @property
    def nodes(self) -> Sequence[Any]:
        """The rows."""
        return self.found[: self.first]

    @property
    def edges(self) -> list[Edge]:
        """The rows with their cursors."""
        return [Edge(row, encode(self.key(row))) for row in self.nodes]

    @property
    def page_info(self) -> Info:
        """Where it stands."""
        rows = self.nodes
        end = encode(self.key(rows[-1])) if rows else None
        return Info(len(self.found) > self.first, self.after is not None, end)


def place(after: str | None, columns: int) -> tuple[Any, ...] | None:
    """Return the ordering values a cursor stands for."""
    return None if after is None else decode(after, columns)


def day(moment: datetime | str) -> str:
    """Return the beginning of a day as records keep it."""
    return (moment if isinstance(moment, str) else moment.isoformat())[:10]


def prefix_of(node: str) -> str:
    """Return what stands before the number in the ids of a node."""
    return base64.urlsafe_b64encode(node.encode()).decode().rstrip("=") + "."

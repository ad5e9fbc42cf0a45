"""The read path: a Selection is answered level by level, one statement per link, never one per row.

Rows come back as dictionaries by slot. Every level is read for all its parents at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, FromClause, Select, and_, func, select, tuple_
from sqlalchemy.sql import operators
from sqlalchemy.sql.selectable import NamedFromClause

from pipeline.errors import InputError, PipelineError
from pipeline.store import statements, tables
from pipeline.store.columns import METADATA
from pipeline.store.masks import marks, mask_rows, refuse_hidden
from pipeline.store.nodes import NODES, compared, seen, source_of, visible
from pipeline.store.paging import Page, beyond, encode
from pipeline.store.plans import Refused
from pipeline.store.selection import (
    OF_THE_ACT,
    Alike,
    AnyNode,
    Asked,
    ColumnOf,
    Computed,
    Conditions,
    Link,
    Row,
    Selection,
    Shape,
    View,
    made,
)

if TYPE_CHECKING:
    from pipeline.access import Actor
    from pipeline.stages.graph import StageGraph
    from pipeline.store.graphs import Graphs

_Worked = TypeVar("_Worked")

NODE_KEY = "__node__"
ID_KEY = "__id__"


@dataclass(slots=True)
class Reader:
    """Answers selections on one connection, for one actor, from one moment.

    one_field: nobody else reads with it. Where its first statement is the `whole` of what is read for an answer, it
    sees one moment without a transaction.
    """

    connection: Connection
    actor: Actor
    graphs: Graphs
    view: View = field(default_factory=View)
    one_field: bool = False
    _worked_out: dict[Any, dict[int, Any]] = field(default_factory=dict)

    def at(self, view: View) -> Reader:
        """Return a reader of the same connection that sees from another moment."""
        return Reader(self.connection, self.actor, self.graphs, view, self.one_field)

    def graph(self, id: int) -> StageGraph:
        """Return a state graph by its id."""
        return self.graphs.of(self.connection, id)

    def once(
        self, work: Callable[[Reader, Sequence[int]], Mapping[int, _Worked]], ids: Iterable[int]
    ) -> dict[int, _Worked]:
        """Return what `work` makes of some ids: of each once, whatever asks for it while this reader reads.

        What it makes is shared and not to be changed.
        """
        known = self._worked_out.setdefault(work, {})
        wanted = sorted(set(ids))
        missing = [id for id in wanted if id not in known]
        if missing:
            known.update(work(self, missing))
        return {id: known[id] for id in wanted}

    # ------------------------------------------------------------ entry points

    def rows(
        self,
        selection: Selection,
        conditions: Conditions = (),
        *,
        order: Sequence[str] = (),
        source: NamedFromClause | None = None,
        limit: int | None = None,
        whole: bool = False,
    ) -> list[Any]:
        """Return the rows of a node that meet the conditions (on `source`, by default the node's own).

        They are finished where the selection is planned and the plan can tell them. whole: where any are found,
        nothing else is read for the answer.
        """
        return [row for _, row in self._keyed(selection, conditions, order, source, limit, "id", whole=whole)]

    def keyed(
        self,
        selection: Selection,
        conditions: Conditions,
        *,
        source: NamedFromClause | None = None,
        key: str = "id",
        whole: bool = False,
    ) -> dict[Any, Any]:
        """Return the rows of a node that meet the conditions, by the column `key` that is different in each."""
        return dict(self._keyed(selection, conditions, (), source, None, key, whole=whole))

    def _keyed(
        self,
        selection: Selection,
        conditions: Conditions,
        order: Sequence[str],
        source: NamedFromClause | None,
        limit: int | None,
        key: str,
        *,
        whole: bool,
    ) -> list[tuple[Any, Any]]:
        source = source_of(selection.node, self.view) if source is None else source
        if selection.planned is not None:
            with contextlib.suppress(Refused):
                ready = statements.rows(
                    self,
                    selection.planned,
                    conditions,
                    order=order,
                    source=source,
                    limit=limit,
                    key=key,
                    whole=whole,
                )
                return [(row.key, row) for row in ready]
            selection = selection.planned.plain()
        columns = self._columns(selection) | {key}
        conditions = made(conditions)
        refuse_hidden(self.actor.permissions, (*conditions, *(source.c[name] for name in order)))
        statement = self._select(selection.node, source, columns).where(*conditions)
        statement = statement.order_by(*(source.c[name] for name in order), source.c.id).limit(limit)
        found = [dict(row) for row in self.connection.execute(statement).mappings()]
        return list(zip([row[key] for row in found], self._fill(selection, found), strict=True))

    def page(
        self,
        selection: Selection,
        asked: Asked,
        conditions: Conditions = (),
        *,
        order: Sequence[str] = (),
        descending: bool = False,
        source: NamedFromClause | None = None,
        whole: bool = False,
    ) -> Any:
        """Return one page of a node's rows as a connection, finished where the selection is planned."""
        source = source_of(selection.node, self.view) if source is None else source
        if selection.planned is not None:
            with contextlib.suppress(Refused):
                return statements.page(
                    self,
                    selection.planned,
                    asked.arguments,
                    conditions,
                    node=selection.node,
                    order=order,
                    descending=descending,
                    source=source,
                    whole=whole,
                )
            asked = selection.planned.plain()
            selection = asked.below[selection.node]
        keys = [*(source.c[name] for name in order), source.c.id]
        page = Page.of(asked.arguments, len(keys))
        conditions = made(conditions)
        refuse_hidden(self.actor.permissions, (*conditions, *keys))
        found: list[Row] = []
        if asked.wants_rows:
            statement = self._select(selection.node, source, self._columns(selection)).where(*conditions)
            statement = statement.add_columns(*(key.label(f"key{n}") for n, key in enumerate(keys)))
            past = beyond(keys, page, descending=descending)
            if past is not None:
                statement = statement.where(past)
            falling = page.backwards is not descending
            statement = statement.order_by(*(key.desc() if falling else key for key in keys)).limit(page.size + 1)
            found = [dict(row) for row in self.connection.execute(statement).mappings()]
        total = None
        if asked.wants_total:
            counting = select(func.count()).select_from(source).where(*seen(selection.node, source, self.view))
            total = self.connection.execute(counting.where(*conditions)).scalar_one()
        return connection_of(page, found, self._fill(selection, found[: page.size]), total, len(keys))

    def node(self, asked: Asked, node: str, id: int, *, whole: bool = False) -> Any:
        """Return one record by node name and id, or None; `whole` as rows has it."""
        selection = asked.below.get(node)
        if selection is None or node not in NODES:
            return None
        source = source_of(node, self.view)
        alike = Alike("id", [id], lambda: [compared(source.c.id, operators.eq, id)])
        found = self.rows(selection, alike, source=source, whole=whole)
        return found[0] if found else None

    # ------------------------------------------------------------ one level

    def _select(self, node: str, source: FromClause, columns: set[str]) -> Select[Any]:
        of_the_act = columns & OF_THE_ACT.keys()
        statement = select(*(source.c[name] for name in sorted(columns - of_the_act)))
        if of_the_act:
            acts = tables.acts
            statement = statement.add_columns(*(acts.c[OF_THE_ACT[name]].label(name) for name in sorted(of_the_act)))
            statement = statement.select_from(source.join(tables.acts, tables.acts.c.number == source.c.since_act))
        return statement.where(*seen(node, source, self.view))

    def _columns(self, selection: Selection) -> set[str]:
        wanted = {"id", *marks(selection.node)}
        for asked in selection.fields.values():
            match asked.reads:
                case ColumnOf(column=column):
                    wanted.add(column)
                case Link(parent=parent):
                    wanted.update(parent)
                case AnyNode(node_column=node_column, id_column=id_column):
                    wanted.update((node_column, id_column))
                case Computed(needs=needs):
                    wanted.update(needs)
        return wanted

    def _fill(self, selection: Selection, found: list[Row]) -> list[Row]:
        """Turn rows of columns into rows of slots, reading every link for all of them at once."""
        filled: list[Row] = [{NODE_KEY: selection.node, ID_KEY: row["id"]} for row in found]
        if not found:
            return filled
        mask_rows(self.connection, selection.node, found, self.view, self.actor.permissions)
        for slot, asked in selection.fields.items():
            try:
                values = self._values(asked, found)
            except PipelineError as error:  # resolved to an error, it is one of this field and not of its root
                values = [error] * len(found)
            for row, value in zip(filled, values, strict=True):
                row[slot] = value
        return filled

    def _values(self, asked: Asked, found: list[Row]) -> Sequence[Any]:
        match asked.reads:
            case ColumnOf(column=column, decode=None):
                return [row[column] for row in found]
            case ColumnOf(column=column, decode=decode) if decode is not None:
                return [None if row[column] is None else decode(row[column]) for row in found]
            case Link() as link:
                return self._linked(link, asked, found)
            case AnyNode() as any_node:
                return self._any(any_node, asked, found)
            case Computed(compute=compute):
                below = next(iter(asked.below.values()), None)
                return compute(self, found, asked.arguments, below)
        raise AssertionError(asked.reads)

    def _any(self, reads: AnyNode, asked: Asked, found: list[Row]) -> list[Row | None]:
        wanted: dict[str, set[int]] = {}
        for row in found:
            if row[reads.node_column] is not None and row[reads.id_column] is not None:
                wanted.setdefault(row[reads.node_column], set()).add(row[reads.id_column])
        answers: dict[tuple[str, int], Row] = {}
        for node, selection in asked.below.items():
            if node in wanted:
                source = source_of(node, self.view)
                for answer in self.rows(selection, [source.c.id.in_(sorted(wanted[node]))], source=source):
                    answers[node, answer[ID_KEY]] = answer
        return [answers.get((row[reads.node_column], row[reads.id_column])) for row in found]

    def _linked(self, link: Link, asked: Asked, found: list[Row]) -> list[Any]:
        selection = asked.below[link.node]
        parents = [tuple(row[name] for name in link.parent) for row in found]
        wanted = sorted({key for key in parents if None not in key})
        source = source_of(link.node, self.view)
        columns = self._columns(selection)
        joined: FromClause = source
        if link.through is None:
            near = [source.c[name] for name in link.child]
        else:
            between = METADATA.tables[link.through.table]
            pairs = (
                select(between.c[link.through.near].label("near"), between.c[link.through.far].label("far"))
                .where(visible(between, self.view), between.c[link.through.near].in_([key[0] for key in wanted]))
                .distinct()
                .subquery()
            )
            near = [pairs.c.near]
            joined = source.join(pairs, source.c[link.child[0]] == pairs.c.far)
        match_parents = near[0].in_([key[0] for key in wanted]) if len(near) == 1 else tuple_(*near).in_(wanted)
        own = made(link.where(source, asked.arguments)) if link.where else ()
        refuse_hidden(self.actor.permissions, (*own, *(source.c[name] for name in link.order)))
        conditions = [match_parents, *own]
        statement = self._select(link.node, source, columns).where(*conditions)
        if link.through is not None:
            base = joined
            if columns & OF_THE_ACT.keys():
                base = joined.join(tables.acts, tables.acts.c.number == source.c.since_act)
            statement = statement.select_from(base)
        statement = statement.add_columns(*(key.label(f"near{n}") for n, key in enumerate(near)))
        order = [*(source.c[name] for name in link.order), source.c.id]
        if link.shape is Shape.CONNECTION:
            return self._pages(link, asked, selection, statement, near, order, parents, wanted, joined, conditions)
        # Engines disagree on where nulls stand; here they stand first on both.
        ordered = statement.order_by(*(key.nulls_first() for key in order))
        rows = [dict(row) for row in self.connection.execute(ordered).mappings()] if wanted else []
        filled = self._fill(selection, rows)
        if link.shape is Shape.ONE:
            by_parent = {tuple(r[f"near{n}"] for n in range(len(near))): f for r, f in zip(rows, filled, strict=True)}
            return [by_parent.get(key) for key in parents]
        lists: dict[tuple[Any, ...], list[Row]] = {}
        for row, answer in zip(rows, filled, strict=True):
            lists.setdefault(tuple(row[f"near{n}"] for n in range(len(near))), []).append(answer)
        return [lists.get(key, []) for key in parents]

    def _pages(
        self,
        link: Link,
        asked: Asked,
        selection: Selection,
        statement: Select[Any],
        near: list[Any],
        order: list[Any],
        parents: list[tuple[Any, ...]],
        wanted: list[tuple[Any, ...]],
        joined: FromClause,
        conditions: Sequence[Any],
    ) -> list[Row]:
        page = Page.of(asked.arguments, len(order))
        groups: dict[tuple[Any, ...], list[Row]] = {}
        totals: dict[tuple[Any, ...], int] = {}
        if wanted and asked.wants_rows:
            past = beyond(order, page, descending=False)
            if past is not None:
                statement = statement.where(past)
            place = func.row_number().over(
                partition_by=near, order_by=[key.desc() if page.backwards else key for key in order]
            )
            numbered = statement.add_columns(
                *(key.label(f"key{n}") for n, key in enumerate(order)), place.label("place")
            ).subquery()
            few = select(numbered).where(numbered.c.place <= page.size + 1).order_by(numbered.c.place)
            for row in self.connection.execute(few).mappings():
                groups.setdefault(tuple(row[f"near{n}"] for n in range(len(near))), []).append(dict(row))
        if wanted and asked.wants_total:
            source = source_of(link.node, self.view) if joined is None else joined
            counting = (
                select(*near, func.count().label("total"))
                .select_from(source)
                .where(and_(*conditions, *seen(link.node, order[-1].table, self.view)))
                .group_by(*near)
            )
            for counted in self.connection.execute(counting):
                totals[tuple(counted[: len(near)])] = counted[-1]
        # The rows of all pages are filled together: what hangs below them is read once for all parents.
        kept = [(key, row) for key, rows in groups.items() for row in rows[: page.size]]
        filled: dict[tuple[Any, ...], list[Row]] = {}
        for (key, _), node in zip(kept, self._fill(selection, [row for _, row in kept]), strict=True):
            filled.setdefault(key, []).append(node)
        return [
            connection_of(page, groups.get(key, []), filled.get(key, []), totals.get(key, 0), len(order))
            for key in parents
        ]


def connection_of(page: Page, found: list[Row], nodes: list[Row], total: int | None, keys: int) -> Row:
    """Return one page as a connection: `found` has the ordering values, one row more when there are more."""
    cursors = [encode([row[f"key{n}"] for n in range(keys)]) for row in found[: page.size]]
    more = len(found) > page.size
    nodes = list(nodes)
    if page.backwards:
        cursors.reverse()
        nodes.reverse()
    return {
        "nodes": nodes,
        "edges": [{"node": node, "cursor": cursor} for node, cursor in zip(nodes, cursors, strict=True)],
        "totalCount": total,
        "pageInfo": {
            "hasNextPage": page.cursor is not None if page.backwards else more,
            "hasPreviousPage": more if page.backwards else page.cursor is not None,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def moment(connection: Connection, as_of: str | None, known_at: str | None) -> View:
    """Return the view of a day and an instant, both ISO texts: the instant becomes the last act recorded by then."""
    number = None
    if known_at is not None:
        acts = tables.acts
        number = connection.execute(select(func.max(acts.c.number)).where(acts.c.recorded_at <= known_at)).scalar() or 0
    if as_of is not None and len(as_of) < 10:
        raise InputError("asOf needs a full date")
    return View(as_of[:10] if as_of else None, number)

"""The state graphs on record: read once, kept by id, because a graph version never changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from pipeline.errors import NotFound
from pipeline.store.tables import state_graphs

if TYPE_CHECKING:
    from pipeline.stages.graph import StageGraph


@dataclass(slots=True)
class Graphs:
    """State graphs by the id under which they were adopted."""

    _known: dict[int, StageGraph] = field(default_factory=dict)

    def of(self, connection: Connection, id: int) -> StageGraph:
        """Return the graph adopted under an id."""
        if id not in self._known:
            from pipeline.stages.graph import load_graph

            table = state_graphs
            row = connection.execute(select(table.c.text, table.c.name).where(table.c.id == id)).first()
            if row is None:
                raise NotFound(f"there is no state graph with id {id}")
            self._known[id] = load_graph(row.text, name=row.name)
        return self._known[id]

    def in_force(self, connection: Connection) -> tuple[int, StageGraph]:
        """Return the graph new programmes begin under: the one adopted last."""
        table = state_graphs
        id = connection.execute(select(table.c.id).order_by(table.c.id.desc()).limit(1)).scalar()
        if id is None:
            raise NotFound("no state graph is adopted yet; run `moltrail db upgrade`")
        return id, self.of(connection, id)

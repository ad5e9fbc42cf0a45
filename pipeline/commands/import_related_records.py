"""Records that a source names by domain, subject or pool, and number: qualifiers and links hang on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import literal, select

from pipeline.commands.import_record_kinds import DOMAIN_NODES, NODES
from pipeline.commands.import_record_people import People
from pipeline.exchange.study_facts import Related
from pipeline.store.journal import Act

_Numbered = dict[tuple[int | None, int | None, str | None], list[int]]


@dataclass(slots=True)
class RelatedRecords:
    """Finds the records of one study by what its source calls them.

    Several domains share a table (BW, TU and TR are measurements) and number their records alike; which of them a
    record came from is known of those of this import (`came`).
    """

    act: Act
    study_id: int
    people: People
    _ranges: dict[tuple[str, str], list[range]] = field(default_factory=dict)
    _numbered: dict[str, _Numbered] = field(default_factory=dict)

    def came(self, domain: str, node: str, ids: range) -> None:
        """Note the ids that records of a domain got in this import."""
        self._ranges.setdefault((domain, node), []).append(ids)

    def find(self, of: Related) -> tuple[str, int | None]:
        """Return the node and id of a record; no id where there is none, or more than one."""
        node = DOMAIN_NODES.get(of.domain)
        if node is None:
            return of.domain, None
        if node == "Subject" or (of.sequence is None and of.subject is not None):
            return "Subject", self.people.subjects.get(of.subject or "")
        found = self._of(node).get((*self.people.of(of), of.sequence), [])
        ranges = self._ranges.get((of.domain, node), ())
        here = [id for id in found if any(id in some for some in ranges)]
        chosen = here if ranges else found
        return node, chosen[0] if len(chosen) == 1 else None

    def _of(self, node: str) -> _Numbered:
        """Return the current records of a node by subject, pool and number."""
        if node not in self._numbered:
            table = NODES[node].table
            pool = table.c.pool_id if "pool_id" in table.c else literal(None)
            statement = select(table.c.subject_id, pool, table.c.sequence, table.c.id).where(
                table.c.study_id == self.study_id, table.c.until_act.is_(None)
            )
            found: _Numbered = {}
            for row in self.act.connection.execute(statement):
                found.setdefault((row[0], row[1], row[2]), []).append(row[3])
            self._numbered[node] = found
        return self._numbered[node]

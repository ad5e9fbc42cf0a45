"""What a centre has on record of its studies, free of ids, acts and files: equal for equal records."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from pipeline.centre import Centre
from pipeline.commands.import_record_kinds import KINDS
from pipeline.store import study_tables, tables

OF_THE_STORE = {"id", "version", "since_act", "until_act", "seal", "source_file", "source_row", "study_id"}
OF_THE_ENTRY = {"entered_by", "excluded_by", "excluded_at", "verified_by", "state", "retest_of"}
"""What an import states itself: who entered a record, and that nobody has verified it."""


def content(centre: Centre) -> dict[str, list[str]]:
    """Return the records of all studies, by node, each as a text of its columns."""
    found: dict[str, list[str]] = {}
    texts: dict[tuple[str, int], str] = {}
    with centre.database.read() as connection:
        names = {
            column: {row[0]: row[1] for row in connection.execute(select(table.c.id, table.c[label]))}
            for column, table, label in (
                ("subject_id", study_tables.subjects, "code"),
                ("pool_id", study_tables.pools, "code"),
                ("molecule_id", tables.molecules, "name"),
            )
        }
        for kind in KINDS.values():
            rows = connection.execute(select(kind.table).where(kind.table.c.until_act.is_(None))).mappings()
            found[kind.node] = []
            for row in rows:
                told: dict[str, Any] = {
                    name: names[name].get(value, value) if name in names else value
                    for name, value in row.items()
                    if name not in OF_THE_STORE | OF_THE_ENTRY
                }
                if "node_id" in told:
                    told["node_id"] = texts.get((told["node"], told["node_id"]), told["node_id"])
                texts[kind.node, row["id"]] = repr(sorted(told.items()))
                found[kind.node].append(texts[kind.node, row["id"]])
            found[kind.node].sort()
    return found


def counted(centre: Centre) -> dict[str, int]:
    """Return how many records of each node there are."""
    return {node: len(rows) for node, rows in content(centre).items() if rows}

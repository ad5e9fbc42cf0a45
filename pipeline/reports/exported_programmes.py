"""Programmes and their transitions as they are exported: under headings a portfolio is imported by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, Select, and_, select

from pipeline.exchange.export import Column, Row
from pipeline.names import fold
from pipeline.reports.exported_rows import (
    IDENTIFIER_COLUMNS,
    RECORDED,
    SOURCE,
    Described,
    batches,
    file_names,
    with_act,
)
from pipeline.store import tables
from pipeline.store.nodes import seen, source_of, visible
from pipeline.store.questions import histories
from pipeline.store.selection import View
from pipeline.words import Status

_NAMING = (
    Column("name", "the molecule's name"),
    Column("code", "the molecule's code in this centre"),
    Column("indication", "the disease; empty while it is open"),
    Column("disease_group", "the group that treats the disease"),
    Column("biomarker", "what patients are selected by"),
)
_WHY = (
    Column("reason", "why, as one of the listed reasons"),
    Column("reason_verbatim", "why, in the words of the source or the decision"),
    Column("note", "what was noted with it"),
)
PROGRAMME_COLUMNS = (
    *_NAMING,
    Column("stage", "how far it got: the code of the stage"),
    Column("since", "when it entered that stage, at the precision known"),
    Column("status", "how it stands there"),
    Column("stopped_on", "when that status began, where it is not ACTIVE"),
    *_WHY,
    Column("modality", "what kind of entity the molecule is"),
    Column("targets", "its molecular targets"),
    Column("synonyms", "its other names"),
    *IDENTIFIER_COLUMNS,
    Column("smiles", "its structure as it was given"),
    Column("state_graph", "the state graph it goes by, and its version"),
    *SOURCE,
    *RECORDED,
)
TRANSITION_COLUMNS = (
    *_NAMING,
    Column("stage", "the stage reached"),
    Column("occurred_on", "when, at the precision known"),
    Column("status", "the status reached"),
    *_WHY,
    Column("position", "its place in the programme's history, from 1"),
    Column("kind", "what kind of move it was"),
    Column("from_stage", "the stage before"),
    Column("from_status", "the status before"),
    Column("skipped", "stages passed over on the way"),
    Column("imported", "true where it was taken from a source without asking the checkpoints"),
    *SOURCE,
    *RECORDED,
)


def _of_programmes(view: View, molecule: int | None) -> Select[Any]:
    """Return a selection of programmes with their molecule's columns, those of merged molecules under the one kept."""
    source, table, graphs = source_of("Programme", view), tables.molecules, tables.state_graphs
    labels = [table.c[name].label(f"m_{name}") for name in ("code", "name", "modality", "smiles")]
    statement = with_act(source, *labels, graphs.c.name.label("g_name"), graphs.c.number.label("g_number"))
    statement = statement.join(table, and_(table.c.id == source.c.molecule_id, visible(table, view)))
    statement = statement.join(graphs, and_(graphs.c.id == source.c.graph_id, visible(graphs, view)), isouter=True)
    statement = statement.where(*seen("Programme", source, view)).order_by(source.c.id)
    return statement if molecule is None else statement.where(source.c.molecule_id == molecule)


def _named(row: RowMapping) -> tuple[str | None, ...]:
    return row["m_name"], row["m_code"], row["indication"], row["disease_group"], row["biomarker"]


def _why(row: Mapping[str, Any] | RowMapping) -> tuple[str | None, ...]:
    """Return reason, its words where they say more than the reason does, and the note."""
    words = row["reason_verbatim"]
    said = None if words and row["reason"] and fold(words) == fold(row["reason"]) else words
    return row["reason"], said, row["note"]


def programmes(connection: Connection, view: View, molecule: int | None) -> Iterator[Row]:
    """Yield programmes in the order they came on record."""
    files = file_names(connection)
    for batch in batches(connection, _of_programmes(view, molecule)):
        described = Described.of(connection, view, [row["molecule_id"] for row in batch])
        past = histories(connection, [row["id"] for row in batch], view)
        for row in batch:
            id = row["molecule_id"]
            last = past[row["id"]][-1]
            stopped = last["occurred_on"] if row["status"] != Status.ACTIVE else None
            graph = None if row["g_name"] is None else f"{row['g_name']} {row['g_number']}"
            yield (
                *(*_named(row), row["stage"], row["stage_since_reported"], row["status"], stopped, *_why(last)),
                *(row["m_modality"], described.target_names(id), described.synonyms(id)),
                *(*described.identifiers(id)[0], row["m_smiles"], graph),
                *(files.get(row["source_file"]), row["source_row"], row["recorded_at"], row["actor"]),
            )


def transitions(connection: Connection, view: View, molecule: int | None) -> Iterator[Row]:
    """Yield the transitions of every programme, oldest first."""
    files = file_names(connection)
    authors = _Acts(connection)
    for batch in batches(connection, _of_programmes(view, molecule)):
        past = histories(connection, [row["id"] for row in batch], view)
        for row in batch:
            for move in past[row["id"]]:
                yield (
                    *(*_named(row), move["to_stage"], move["occurred_on"], move["to_status"], *_why(move)),
                    *(move["position"], move["kind"], move["from_stage"], move["from_status"]),
                    *(orjson.loads(move["skipped"]), bool(move["imported"])),
                    *(files.get(move["source_file"]), move["source_row"], *authors.of(move["since_act"])),
                )


@dataclass(slots=True)
class _Acts:
    """When acts were recorded and by whom, the last one asked kept: neighbours mostly come from one act."""

    connection: Connection
    number: int = 0
    said: tuple[str, str] = ("", "")

    def of(self, number: int) -> tuple[str, str]:
        if number != self.number:
            acts = tables.acts
            found = self.connection.execute(select(acts.c.recorded_at, acts.c.actor).where(acts.c.number == number))
            recorded_at, actor = found.one()
            self.number, self.said = number, (recorded_at, actor)
        return self.said

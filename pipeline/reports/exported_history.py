"""Events and studies as they are exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson
from sqlalchemy import Connection, Table, and_, func, outerjoin, select

from pipeline.exchange.export import Column, Row
from pipeline.reports.exported_rows import RECORDED, batches, below, with_act
from pipeline.store import tables
from pipeline.store.nodes import seen, visible
from pipeline.store.selection import View

HISTORY_COLUMNS = (
    Column("code", "code of the molecule it happened to"),
    Column("name", "the molecule's name"),
    Column("indication", "the programme's indication, where it happened to a programme"),
    Column("kind", "what kind of event it was"),
    Column("occurred_on", "when it happened, at the precision known"),
    Column("summary", "what happened"),
    Column("reason_for_change", "why"),
    Column("about", "the kind of record it tells of"),
    Column("act", "number of the act that recorded it"),
    *RECORDED,
)
STUDY_COLUMNS = (
    Column("code", "the study's code: its registry number, or its source's own"),
    Column("title", "its title"),
    Column("phases", "its phases"),
    Column("status", "where it stands"),
    Column("registry_id", "its registry number"),
    Column("started_on", "when it started, at the precision known"),
    Column("ended_on", "when it ended, at the precision known"),
    Column("enrolment", "subjects enrolled or planned"),
    Column("sponsor", "who answers for it"),
    Column("site", "code of the site that runs it"),
    Column("service", "the service that ran it, where it is preclinical"),
    Column("species", "the species, where it is preclinical"),
    Column("glp", "true where it followed good laboratory practice"),
    Column("why_stopped", "why it stopped, in the words of the source"),
    Column("reason", "why it stopped, as one of the listed reasons"),
    Column("molecules", "codes of the molecules studied"),
    Column("sources", "who tells of it: source and the source's own code"),
    Column("dose_levels", "how many dose levels are on record"),
    Column("toxicities", "how many rows of dose-limiting toxicities are on record"),
    *RECORDED,
)


def history(connection: Connection, view: View, molecule: int | None) -> Iterator[Row]:
    """Yield events, oldest first."""
    events, table, programmes = tables.events, tables.molecules, tables.programmes
    labels = (table.c.code, table.c.name, programmes.c.indication)
    statement = with_act(events, *labels)
    statement = statement.join(table, and_(table.c.id == events.c.molecule_id, visible(table, view)), isouter=True)
    about = and_(programmes.c.id == events.c.programme_id, visible(programmes, view))
    statement = statement.join(programmes, about, isouter=True).where(*seen("Event", events, view))
    if molecule is not None:
        statement = statement.where(events.c.molecule_id == molecule)
    for batch in batches(connection, statement.order_by(events.c.sorted_on, events.c.id)):
        for row in batch:
            yield (
                *(row["code"], row["name"], row["indication"], row["kind"], row["occurred_on"], row["summary"]),
                *(row["reason_for_change"], row["node"], row["since_act"], row["recorded_at"], row["actor"]),
            )


def studies(connection: Connection, view: View, molecule: int | None) -> Iterator[Row]:
    """Yield studies in the order they came on record."""
    recorded, taken, table = tables.studies, tables.study_molecules, tables.molecules
    statement = with_act(recorded).where(*seen("Study", recorded, view)).order_by(recorded.c.id)
    if molecule is not None:
        given = select(taken.c.study_id).where(visible(taken, view), taken.c.molecule_id == molecule)
        statement = statement.where(recorded.c.id.in_(given))
    for batch in batches(connection, statement):
        ids = [row["id"] for row in batch]
        joined = outerjoin(taken, table, and_(table.c.id == taken.c.molecule_id, visible(table, view)))
        codes: dict[int, dict[str, None]] = {}
        pairs = select(taken.c.study_id, table.c.code).select_from(joined)
        for study, code in connection.execute(
            pairs.where(visible(taken, view), taken.c.study_id.in_(ids)).order_by(taken.c.id)
        ):
            codes.setdefault(study, {})[code] = None
        said = below(connection, view, tables.study_sources, "study_id", ids)
        levels = _counts(connection, view, tables.dose_levels, ids)
        toxicities = _counts(connection, view, tables.dlt_observations, ids)
        for row in batch:
            id = row["id"]
            yield (
                *(row["code"], row["title"], orjson.loads(row["phases"]), row["status"], row["registry_id"]),
                *(row["started_on"], row["ended_on"], row["enrolment"], row["sponsor"], row["site_code"]),
                *(row["service"], row["species"], row["glp"], row["why_stopped"], row["reason"]),
                *([*codes.get(id, ())], [f"{one.source} {one.code}" for one in said.get(id, ())]),
                *(levels.get(id, 0), toxicities.get(id, 0), row["recorded_at"], row["actor"]),
            )


def _counts(connection: Connection, view: View, table: Table, ids: Sequence[int]) -> dict[int, int]:
    statement = select(table.c.study_id, func.count()).where(visible(table, view), table.c.study_id.in_(ids))
    return {row[0]: row[1] for row in connection.execute(statement.group_by(table.c.study_id))}

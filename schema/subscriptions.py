"""Events as they are recorded: each once, in order, also after a reconnect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import graphene
from graphql import GraphQLResolveInfo
from sqlalchemy import func, literal, select, tuple_

from pipeline.access import Permission
from pipeline.centre import Centre
from pipeline.store import tables
from pipeline.store.paging import decode, encode
from pipeline.store.selection import Asked, ColumnOf, View
from schema.context import Request
from schema.events import EventConnection
from schema.node import id_of
from schema.selection import selection_below
from schema.words import EventKind

BATCH = 100
LOOK_SECONDS = 0.05
"""How often this process's own acts are looked for; it costs no statement."""
POLL_SECONDS = 1.0
"""How often the database is asked for acts of other processes."""

EventEdge = EventConnection._meta.fields["edges"].type.of_type.of_type.of_type


class Subscription(graphene.ObjectType):
    """What can be followed."""

    events = graphene.Field(
        EventEdge,
        required=True,
        molecule=graphene.ID(description="Only those of a molecule."),
        kinds=graphene.List(graphene.NonNull(EventKind), description="Only those of these kinds."),
        after=graphene.String(
            description="Only those after this cursor, the last one seen. Empty: from the first; left out: from now on."
        ),
        description="Events as they are recorded, after the cursor last seen; none is lost or repeated.",
    )

    @staticmethod
    async def subscribe_events(_root: Any, info: GraphQLResolveInfo, **arguments: Any) -> AsyncIterator[dict[str, Any]]:
        """Follow the events."""
        request: Request = info.context
        request.need(Permission.READ)
        centre = request.centre
        molecule = arguments.get("molecule")
        molecule_id = None if molecule is None else id_of(molecule, "Molecule", path=("molecule",))
        kinds = None if arguments.get("kinds") is None else [kind.value for kind in arguments["kinds"]]
        after = arguments.get("after")
        seen: tuple[Any, ...] = (0, 0)
        if after is None:
            seen = await asyncio.to_thread(_now, centre)
        elif after:
            seen = decode(after, 2)
        while True:
            head, looked = centre.journal.last_number, time.monotonic()
            found = await asyncio.to_thread(_next, centre, seen, molecule_id, kinds)
            for event in found:
                seen = (event["since_act"], event["id"])
                yield event
            while len(found) < BATCH and head == centre.journal.last_number:
                if time.monotonic() - looked > POLL_SECONDS:
                    break
                await asyncio.sleep(LOOK_SECONDS)

    @staticmethod
    def resolve_events(root: Mapping[str, Any], info: GraphQLResolveInfo, **_: Any) -> dict[str, Any]:
        """Read an event as it was when it was recorded."""
        reader = info.context.reader.at(View(None, root["since_act"]))
        below = selection_below(info, "node")
        node = reader.node(Asked(ColumnOf("id"), {}, below), "Event", root["id"]) if below else None
        return {"node": node, "cursor": encode((root["since_act"], root["id"]))}


def _now(centre: Centre) -> tuple[int, int]:
    with centre.database.read() as connection:
        return (connection.execute(select(func.max(tables.acts.c.number))).scalar() or 0, 2**62)


def _next(
    centre: Centre, seen: tuple[Any, ...], molecule_id: int | None, kinds: list[str] | None
) -> list[dict[str, Any]]:
    events = tables.events
    place = tuple_(events.c.since_act, events.c.id)
    statement = select(events.c.since_act, events.c.id).where(place > tuple_(*(literal(value) for value in seen)))
    if molecule_id is not None:
        statement = statement.where(events.c.molecule_id == molecule_id)
    if kinds is not None:
        statement = statement.where(events.c.kind.in_(kinds))
    statement = statement.order_by(events.c.since_act, events.c.id).limit(BATCH)
    with centre.database.read() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]

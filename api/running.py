"""Serving a centre: what the transport asks for is filled in here, once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from api.app import build_app
from api.server import listen, serve
from api.service import Service
from api.settings import Mode, Settings
from pipeline.access import Actor
from pipeline.centre import Centre
from pipeline.store.migrations import HEAD, version_of
from schema import SCHEMA
from schema.context import Request, request
from schema.execution import PlannedContext


def service_of(centre: Centre) -> Service:
    """Return what the transport serves for a centre."""

    def context_for(actor: Actor, deadline: float) -> AbstractContextManager[Request]:
        return request(centre, actor, deadline)

    def problems() -> list[str]:
        found = version_of(centre.database)
        return [] if found == HEAD else [f"the database is at migration {found}, this version needs {HEAD}"]

    return Service(
        schema=SCHEMA.graphql_schema,
        context_for=context_for,
        actor_for_token=centre.actor_for_token,
        problems=problems,
        execution_context_class=PlannedContext,
    )


def run(settings: Settings, *, demo: bool, say: Callable[[str], object]) -> None:
    """Open the records, load the demonstration where asked and nothing is on record, and serve until ended."""
    listener = listen(settings)
    with listener, Centre.open(settings.data, settings.database_url) as centre:
        if demo:
            from pipeline.demo import load_once

            load_once(centre, say)
        app = build_app(settings, service_of(centre))
        for line in _welcome(settings):
            say(line)
        serve(app, settings, listener)


def _welcome(settings: Settings) -> list[str]:
    at = settings.address
    lines = [
        f"Moltrail answers at {at}",
        f"  {at}/            where to look and what to try",
        f"  {at}/graphiql    write queries; examples for researchers, pharmacology and programme leads",
        f"  {at}/graphql     the API; {at}/schema.graphql is its definition",
        "Ctrl-C ends it.",
    ]
    if settings.mode is Mode.TOKEN:
        lines.insert(1, "  send a token with each request; `moltrail token create NAME --role ROLE` makes one")
    return lines

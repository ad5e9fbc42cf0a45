"""The pages beside the API: a start page, GraphiQL without a network, and the schema as text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from string import Template

from graphql import print_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

import pipeline
from api.answers import json_response
from api.auth import Doorkeeper
from api.examples import Example, examples
from api.failures import RequestRefused
from api.security import PAGE_POLICY
from api.service import Service
from api.settings import Mode, Settings

HERE = Path(__file__).parent
GRAPHIQL_PACKAGE = "graphene_django_graphiql_static"


def page_routes(settings: Settings, service: Service, doorkeeper: Doorkeeper) -> Sequence[BaseRoute]:
    """Return the routes of all pages and of what they load."""

    async def start(_request: Request) -> Response:
        return _page("start.html", address=settings.address, examples=_listed(examples()), entry=_entry(settings))

    async def graphiql(_request: Request) -> Response:
        return _page("graphiql.html", mode=settings.mode.value, examples=_listed(examples()))

    async def example_queries(_request: Request) -> Response:
        return json_response([example.as_json() for example in examples()])

    async def schema(request: Request) -> Response:
        if await doorkeeper.actor_of(request) is None:
            raise RequestRefused(401, "The schema is shown to those with an API token.", code="UNAUTHENTICATED")
        return PlainTextResponse(text_of_schema(service))

    return [
        Route("/", start),
        Route("/graphiql", graphiql),
        Route("/graphiql/examples.json", example_queries),
        Route("/schema.graphql", schema),
        Mount("/static/graphiql", StaticFiles(directory=graphiql_folder())),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]


def graphiql_folder() -> Path:
    """Return where the installed GraphiQL keeps its scripts. The package is found, never imported: it needs Django."""
    spec = find_spec(GRAPHIQL_PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the package {GRAPHIQL_PACKAGE} is not installed")
    return Path(spec.origin).parent / "static" / GRAPHIQL_PACKAGE


@cache
def text_of_schema(service: Service) -> str:
    """Return the schema in GraphQL's own language."""
    return print_schema(service.schema) + "\n"


def _page(name: str, **values: str) -> Response:
    template = Template((HERE / "templates" / name).read_text("utf-8"))
    html = template.substitute(version=escape(pipeline.__version__), **values)
    return HTMLResponse(html, headers={"Content-Security-Policy": PAGE_POLICY})


def _listed(shown: Sequence[Example]) -> str:
    return "\n".join(
        f"<li><span>{escape(example.who)}</span> "
        f'<a href="/graphiql?example={escape(example.name)}">{escape(example.title)}</a></li>'
        for example in shown
    )


def _entry(settings: Settings) -> str:
    if settings.mode is Mode.LOCAL:
        return "This is local mode: it answers this machine only, and needs no token."
    return (
        "Every request needs an API token: send the header <code>Authorization: Bearer mt_...</code>. "
        "An administrator makes one with <code>moltrail token create</code>."
    )

"""The application: routes, middleware, lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route, WebSocketRoute

from api.auth import Doorkeeper, Gate
from api.failures import Failures, refused_page
from api.graphql_execution import Engine
from api.graphql_http import GraphQLOverHTTP
from api.graphql_ws import GraphQLOverWebSocket
from api.health import Health
from api.pages import page_routes
from api.security import SecurityHeaders
from api.service import Service
from api.settings import Settings


def build_app(settings: Settings, service: Service) -> Starlette:
    """Return the ASGI application that serves `service` as the settings say.

    Everything is served under /: GraphQL over HTTP, server-sent events and websockets at /graphql, the pages / and
    /graphiql, the schema's text at /schema.graphql, /health and /ready.
    """
    engine = Engine(service, settings.limits)
    doorkeeper = Doorkeeper(service, settings, engine.workers)
    health = Health(service, doorkeeper, engine.workers)
    routes: list[BaseRoute] = [
        Route("/graphql", GraphQLOverHTTP(engine, doorkeeper), methods=["GET", "POST"]),
        WebSocketRoute("/graphql", GraphQLOverWebSocket(engine, doorkeeper).serve),
        Route("/health", health.live),
        Route("/ready", health.ready),
        *page_routes(settings, service, doorkeeper),
    ]
    middleware = [Middleware(SecurityHeaders), Middleware(Failures), Middleware(Gate, settings=settings)]
    if settings.origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.origins,
                allow_methods=["GET", "POST"],
                allow_headers=["authorization", "content-type", "graphql-require-preflight"],
            )
        )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        engine.close()

    app = Starlette(
        routes=routes, middleware=middleware, lifespan=lifespan, exception_handlers={HTTPException: refused_page}
    )
    app.state.closing = engine.closing
    return app

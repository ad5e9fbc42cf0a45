"""Who is asking: API tokens, local mode that answers this machine only, and the origins whose pages may call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from api.failures import RequestRefused, refusal_response
from api.service import Service
from api.settings import Mode, Settings, is_loopback
from api.workers import Workers
from pipeline.access import Actor, Role

LOCAL_ACTOR = Actor.of("local", *Role)
RECHECK_SECONDS = 300.0  # how long a stream may go on before the rights behind it are looked up again
LONGEST_TOKEN = 200


class Doorkeeper:
    """Tells who is behind a request or a connection."""

    def __init__(self, service: Service, settings: Settings, workers: Workers) -> None:
        self.service = service
        self.mode = settings.mode
        self.seconds = settings.limits.request_seconds
        self.workers = workers

    async def actor_of(self, connection: HTTPConnection) -> Actor | None:
        """Return the actor of a request; None for one without a token, who may only see what is public.

        Raises:
            RequestRefused: 401, a token was sent that does not count.
        """
        return await self.actor_of_token(token_of(connection.headers.get("authorization")))

    async def actor_of_token(self, token: str | None) -> Actor | None:
        """Return the actor of a token, in local mode the local actor whatever is sent.

        Raises:
            RequestRefused: 401, the token is unknown, expired or revoked.
        """
        if self.mode is Mode.LOCAL:
            return LOCAL_ACTOR
        if token is None:
            return None
        actor = await self.workers.run(lambda: self.service.actor_for_token(token), self.seconds)
        if actor is None:
            raise _unauthenticated("The API token is unknown, expired or revoked.")
        return actor

    async def still(self, actor: Actor | None, token: str | None) -> bool:
        """Tell whether a token still stands for the same actor with the same roles."""
        try:
            return await self.actor_of_token(token) == actor
        except RequestRefused:
            return False


def token_of(authorization: str | None) -> str | None:
    """Return the token of an Authorization header.

    Raises:
        RequestRefused: 401, the header has another form than "Bearer mt_...".
    """
    if authorization is None:
        return None
    scheme, _, token = authorization.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN or not token.isascii() or " " in token:
        raise _unauthenticated("The Authorization header must be of the form: Bearer mt_...")
    return token


def token_of_payload(payload: object) -> str | None:
    """Return the token of a websocket's connection_init payload: {"Authorization": "Bearer mt_..."}.

    Raises:
        RequestRefused: 401, it has another form.
    """
    if isinstance(payload, Mapping):
        for name, value in payload.items():
            if str(name).lower() == "authorization" and isinstance(value, str):
                return token_of(value)
    return None


def _unauthenticated(message: str) -> RequestRefused:
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return RequestRefused(401, message, code="UNAUTHENTICATED", headers=challenge)


class Gate:
    """Turns away what comes from elsewhere, before anything else is looked at.

    In local mode there are no tokens, so everything that could make another machine, or a foreign page in this
    machine's browser, look like its user is refused: a foreign client address, a foreign Host (a rebound name), a
    proxy's headers. In both modes a page of another origin is refused unless that origin is listed.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.local = settings.mode is Mode.LOCAL
        self.origins = frozenset(settings.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may come in."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        why = self._objection(scope)
        if why is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4403, "reason": why})  # before accept: answered with 403
        else:
            await refusal_response(RequestRefused(403, why, code="FORBIDDEN"))(scope, receive, send)

    def _objection(self, scope: Scope) -> str | None:
        said = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}  # the first of a name
        host, origin = said.get(b"host", ""), said.get(b"origin")
        if self.local:
            client = scope.get("client")
            if client is None or not _is_this_machine(client[0]):
                return "Local mode answers only this machine."
            if not _names_this_machine(host):
                return "Local mode answers only to 127.0.0.1 and localhost; open it under one of these names."
            if any(name in said for name in (b"forwarded", b"x-forwarded-for", b"x-real-ip")):
                return "Local mode does not answer through a proxy; set MOLTRAIL_MODE=token."
        if origin is not None and origin not in self.origins and not _same_host(origin, host):
            return "Pages of another origin may not call this server; MOLTRAIL_ORIGINS lists those that may."
        fetched_by_page = said.get(b"sec-fetch-site") == "cross-site" and said.get(b"sec-fetch-mode") != "navigate"
        if fetched_by_page and origin not in self.origins:
            return "Pages of another origin may not load anything from this server."
        return None


_is_this_machine = lru_cache(maxsize=64)(is_loopback)


@lru_cache(maxsize=64)
def _names_this_machine(netloc: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{netloc}").hostname or "")
    except ValueError:
        return False


def _same_host(origin: str, host: str) -> bool:
    """Tell whether an origin (scheme://host:port) names the host and port that were called."""
    scheme, separator, netloc = origin.partition("://")
    port = {"http": ":80", "https": ":443"}.get(scheme, "")
    return bool(separator) and netloc.removesuffix(port).lower() == host.removesuffix(port).lower()

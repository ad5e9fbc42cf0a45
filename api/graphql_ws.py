"""GraphQL over websockets by the graphql-transport-ws protocol: many operations on one connection."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.auth import RECHECK_SECONDS, Doorkeeper, token_of_payload
from api.failures import Formatted, RequestRefused, told_outside
from api.graphql_execution import Answer, Engine, OperationRefused
from api.graphql_request import GraphQLRequest, request_of, strict_json
from api.limits import SHOWN
from pipeline.access import Actor

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0


class GraphQLOverWebSocket:
    """The endpoint /graphql for websockets."""

    def __init__(self, engine: Engine, doorkeeper: Doorkeeper) -> None:
        self.engine = engine
        self.doorkeeper = doorkeeper
        self.open = 0

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one connection until either side ends it."""
        if PROTOCOL not in websocket.scope.get("subprotocols", ()):
            await websocket.accept()
            await websocket.close(4406, "Subprotocol not acceptable")
            return
        await websocket.accept(PROTOCOL)
        if self.open >= self.engine.limits.sockets:
            await websocket.close(1013, "Too many connections; try again later")
            return
        self.open += 1
        try:
            await _Connection(websocket, self.engine, self.doorkeeper).serve()
        finally:
            self.open -= 1


class _Closing(Exception):
    """The connection has to end with a code of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Connection:
    def __init__(self, websocket: WebSocket, engine: Engine, doorkeeper: Doorkeeper) -> None:
        self.websocket = websocket
        self.engine = engine
        self.doorkeeper = doorkeeper
        self.limits = engine.limits
        self.actor: Actor | None = None
        self.token: str | None = None
        self.acknowledged = False
        self.operations: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        rights = asyncio.create_task(self._watch_rights())
        try:
            try:
                async with asyncio.timeout(INIT_SECONDS):
                    while not self.acknowledged:
                        await self._handle(await self._received())
            except TimeoutError:
                raise _Closing(4408, "Connection initialisation timeout") from None
            while True:
                await self._handle(await self._received())
        except _Closing as closing:
            with suppress(RuntimeError, WebSocketDisconnect):  # the other side may have gone first
                await self.websocket.close(closing.code, closing.reason)
        except WebSocketDisconnect:
            pass
        finally:
            tasks = [rights, *self.operations.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _received(self) -> dict[str, Any]:
        message = await self.websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        text = message.get("text")
        if text is None:
            raise _Closing(4400, "Messages must be text")
        if len(text) > self.limits.socket_message_bytes:
            raise _Closing(1009, "Message too big")
        try:
            content = strict_json(text.encode("utf-8", "surrogatepass"), self.limits, "The message")
        except RequestRefused as refusal:
            raise _Closing(4400, refusal.message[:SHOWN]) from None
        if not isinstance(content, dict) or not isinstance(content.get("type"), str):
            raise _Closing(4400, "A message must be a JSON object with a type")
        return content

    async def _handle(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._initialise(message.get("payload"))
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                task = self.operations.pop(_id_of(message), None)
                if task is not None:
                    task.cancel()
            case _:
                raise _Closing(4400, "Unknown type of message")

    async def _initialise(self, payload: object) -> None:
        if self.acknowledged:
            raise _Closing(4429, "Too many initialisation requests")
        try:
            self.token = token_of_payload(payload)
            self.actor = await self.doorkeeper.actor_of_token(self.token)
        except RequestRefused as refusal:
            raise _Closing(4403 if refusal.status == 401 else 1013, refusal.message[:SHOWN]) from None
        if self.actor is None:
            raise _Closing(4403, "Send an API token in connection_init")
        self.acknowledged = True
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if not self.acknowledged:
            raise _Closing(4401, "Unauthorized")
        name = _id_of(message)
        if name in self.operations:
            raise _Closing(4409, f"Subscriber for {name} already exists")
        try:
            request = request_of(message.get("payload"))
        except RequestRefused as error:
            raise _Closing(4400, error.message[:SHOWN]) from None
        if len(self.operations) >= self.limits.socket_operations:
            most = self.limits.socket_operations
            refusal = RequestRefused(429, f"At most {most} operations at once.", code="LIMIT_EXCEEDED")
            await self._send({"type": "error", "id": name, "payload": [refusal.formatted]})
            return
        self.operations[name] = asyncio.create_task(self._operate(name, request))

    async def _operate(self, name: str, request: GraphQLRequest) -> None:
        try:
            prepared = await self.engine.prepare(request, self.actor)
            if prepared.streams:
                async with aclosing(self.engine.events(prepared)) as answers:
                    async for answer in answers:
                        await self._send_next(name, answer)
            else:
                answer = await self.engine.answer(request, self.actor)
                if not answer.executed:
                    content = orjson.loads(answer.body)
                    raise OperationRefused(content["errors"], content["extensions"])
                await self._send_next(name, answer)
            await self._end(name, {"type": "complete", "id": name})
        except OperationRefused as refused:
            # A message of errors has no place of its own for what the operation costs.
            first, *rest = refused.errors
            await self._fail(name, [first | {"extensions": {**first["extensions"], **refused.extensions}}, *rest])
        except RequestRefused as refusal:
            await self._fail(name, [refusal.formatted])
        except (RuntimeError, WebSocketDisconnect):
            self.operations.pop(name, None)  # the connection is closed; nobody is left to be told
        except Exception as error:
            await self._fail(name, [told_outside(error)])

    async def _fail(self, name: str, errors: list[Formatted]) -> None:
        await self._end(name, {"type": "error", "id": name, "payload": errors})

    async def _end(self, name: str, message: dict[str, Any]) -> None:
        # The id is free again before the client hears of it, so that it may use it at once.
        self.operations.pop(name, None)
        await self._send(message)

    async def _send_next(self, name: str, answer: Answer) -> None:
        text = b'{"type":"next","id":' + orjson.dumps(name) + b',"payload":' + answer.body + b"}"
        await self.websocket.send_text(text.decode())

    async def _send(self, message: dict[str, Any]) -> None:
        await self.websocket.send_text(orjson.dumps(message).decode())

    async def _watch_rights(self) -> None:
        """Close the connection once its token no longer stands for the same rights."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            if self.acknowledged and not await self.doorkeeper.still(self.actor, self.token):
                await self.websocket.close(4403, "The rights of this token have changed; connect again")
                return


def _id_of(message: dict[str, Any]) -> str:
    name = message.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= SHOWN:
        raise _Closing(4400, "An id must be a text of 1 to 100 characters")
    return name

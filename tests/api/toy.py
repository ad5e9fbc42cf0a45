"""A small schema with everything the transport has to carry: reads, writes, files, streams, slow and broken fields."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import graphene
from graphene.types.scalars import Scalar
from starlette.datastructures import UploadFile

from api.service import Service
from pipeline.access import Actor, Permission, Role
from pipeline.errors import (
    CheckpointNotMet,
    InputError,
    NotPermitted,
    PipelineError,
    Refused,
    StaleVersion,
    Unavailable,
    Unmet,
)


class Upload(Scalar):
    @staticmethod
    def serialize(value):
        raise ValueError("a file is never an answer")

    @staticmethod
    def parse_value(value):
        if not isinstance(value, UploadFile):
            raise ValueError("Send the file as a part of a multipart request")
        return value


class Day(Scalar):
    @staticmethod
    def serialize(value):
        return str(value)

    @staticmethod
    def parse_value(value):
        if value == "bug":
            raise KeyError("a secret inside of a scalar")
        raise ValueError("Write a day as 2021-03-09")

    @staticmethod
    def parse_literal(node, _variables=None):
        return Day.parse_value(node.value)


class Colour(graphene.Enum):
    RED = 1
    GREEN = 2


class Thing(graphene.ObjectType):
    name = graphene.String(required=True)
    part = graphene.Field(lambda: Thing)
    parts = graphene.List(lambda: Thing, n=graphene.Int(default_value=3))

    def resolve_part(self, info):
        return Thing(name=self.name + ".")

    def resolve_parts(self, info, n):
        return [Thing(name=f"{self.name}.{i}") for i in range(n)]


class Viewer(graphene.ObjectType):
    name = graphene.String(required=True)
    roles = graphene.List(graphene.NonNull(graphene.String), required=True)


class Query(graphene.ObjectType):
    viewer = graphene.Field(Viewer, required=True)
    notice = graphene.String()
    thing = graphene.Field(Thing, required=True)
    echo = graphene.String(text=graphene.String(), number=graphene.Int(), colour=Colour(), day=Day())
    sleep = graphene.String(seconds=graphene.Float(required=True))
    thread = graphene.String()
    broken = graphene.String()
    refused = graphene.String(how=graphene.String(required=True))
    unfit = graphene.Field(Day)
    long = graphene.String(n=graphene.Int(required=True))
    all_broken = graphene.List(Thing, n=graphene.Int(required=True))

    def resolve_viewer(self, info):
        return Viewer(name=info.context.actor.name, roles=list(info.context.actor.roles))

    def resolve_notice(self, info):
        return "for everybody"

    def resolve_thing(self, info):
        return Thing(name="t")

    def resolve_echo(self, info, text=None, **_others):
        return text

    def resolve_sleep(self, info, seconds):
        time.sleep(seconds)
        return "slept"

    def resolve_thread(self, info):
        return threading.current_thread().name

    def resolve_broken(self, info):
        raise RuntimeError("the secret is swordfish at /srv/secret.py")

    def resolve_refused(self, info, how):
        unmet = (Unmet("noael", "a NOAEL", None, "No toxicity study is done."),)
        raise {
            "input": InputError("The code is empty.", path=("input", "code")),
            "permission": NotPermitted("You may not.", permission="move programmes"),
            "stale": StaleVersion("Somebody was faster.", current=7),
            "unmet": CheckpointNotMet("Not yet.", unmet=unmet),
            "several": Refused([InputError("One."), InputError("Two.")]),
        }[how]

    def resolve_long(self, info, n):
        return "x" * n

    def resolve_all_broken(self, info, n):
        return [3] * n


class ImportFile(graphene.Mutation):
    class Arguments:
        file = Upload(required=True)
        note = graphene.String()

    name = graphene.String()
    size = graphene.Int()
    sha256 = graphene.String()

    def mutate(self, info, file, note=None):
        content = file.file.read()
        info.context.world.files.append(file)
        return ImportFile(name=file.filename, size=len(content), sha256=hashlib.sha256(content).hexdigest())


class Write(graphene.Mutation):
    class Arguments:
        text = graphene.String(required=True)
        seconds = graphene.Float(default_value=0.0)

    number = graphene.Int()

    def mutate(self, info, text, seconds):
        time.sleep(seconds)
        return Write(number=info.context.world.append(text))


class Mutation(graphene.ObjectType):
    import_file = ImportFile.Field()
    write = Write.Field()


class Event(graphene.ObjectType):
    text = graphene.String(required=True)
    cursor = graphene.String(required=True)

    def resolve_text(self, info):
        if self.text == "poison":
            raise RuntimeError("the secret is swordfish")
        return self.text


class Subscription(graphene.ObjectType):
    events = graphene.Field(Event, after=graphene.String(), stop=graphene.Int())
    broken_source = graphene.String()

    async def subscribe_events(root, info, after=None, stop=None):  # noqa: N805
        world = info.context.world
        world.listeners += 1
        number = int(after or 0)
        try:
            while stop is None or number < stop:
                while len(world.events) <= number:
                    await asyncio.sleep(0.01)
                number += 1
                yield Event(text=world.events[number - 1], cursor=str(number))
        finally:
            world.listeners -= 1

    async def subscribe_broken_source(root, info):  # noqa: N805
        yield "one"
        raise RuntimeError("the secret is swordfish")


SCHEMA = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscription)


@dataclass
class World:
    """What the toy keeps: events in order, the files it was sent, and who listens."""

    events: list[str] = field(default_factory=list)
    files: list[UploadFile] = field(default_factory=list)
    listeners: int = 0
    tokens: dict[str, Actor] = field(
        default_factory=lambda: {
            "mt_lead": Actor.of("Lea", Role.LEAD),
            "mt_reader": Actor("Rita", (), frozenset({Permission.READ})),
        }
    )
    problems: list[str] | PipelineError | None = field(default_factory=list)
    unavailable: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def append(self, text: str) -> int:
        with self.lock:
            self.events.append(text)
            return len(self.events)

    async def appended(self, texts: list[str]) -> AsyncIterator[int]:
        for text in texts:
            yield self.append(text)


@dataclass
class Context:
    actor: Actor
    world: World
    deadline: float


def service_of(world: World) -> Service:
    def actor_for_token(token: str) -> Actor | None:
        if world.unavailable:
            raise Unavailable("The store does not answer; try again.")
        return world.tokens.get(token)

    def problems() -> list[str] | None:
        if isinstance(world.problems, PipelineError):
            raise world.problems
        return world.problems

    @contextmanager
    def context_for(actor: Actor, deadline: float) -> Iterator[Context]:
        if world.unavailable:
            raise Unavailable("The store does not answer; try again.")
        yield Context(actor, world, deadline)

    return Service(
        schema=SCHEMA.graphql_schema,
        context_for=context_for,
        actor_for_token=actor_for_token,
        problems=problems,
        public_fields=frozenset({"notice"}),
    )

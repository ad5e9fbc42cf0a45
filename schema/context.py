"""What the resolvers of one request share: the centre, the actor, and one reader that sees one moment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.access import Actor, Permission
from pipeline.centre import Centre
from pipeline.errors import NotPermitted
from pipeline.store.reader import Reader


@dataclass(slots=True)
class Request:
    """One execution of one document. Nothing is opened before it is asked for.

    planned: the execution takes finished answers. plain: it shall not, whoever executes. one_field: it answers
    a single root field.
    """

    centre: Centre
    actor: Actor
    deadline: float | None = None
    planned: bool = False
    plain: bool = False
    one_field: bool = False
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _reader: Reader | None = None

    @property
    def reader(self) -> Reader:
        """The reader of this execution: every root field of a query sees the same moment."""
        self.need(Permission.READ)
        if self._reader is None:
            self._reader = self._stack.enter_context(self.centre.read(self.actor, one_field=self.one_field))
        return self._reader

    def need(self, permission: Permission) -> None:
        """Refuse an actor without a permission."""
        if permission not in self.actor.permissions:
            raise NotPermitted(
                f"{self.actor.name} may not {permission}; ask an administrator for a role that may",
                permission=permission,
            )

    def forget(self) -> None:
        """Close the reader, so that the next one sees what was just written."""
        self._stack.close()
        self._reader = None


@contextlib.contextmanager
def request(centre: Centre, actor: Actor, deadline: float | None = None) -> Iterator[Request]:
    """Give the context of one execution."""
    opened = Request(centre, actor, deadline)
    try:
        yield opened
    finally:
        opened.forget()

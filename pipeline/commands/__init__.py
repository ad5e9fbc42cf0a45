"""The one door for writes: a command is checked, then done as one act.

    execute(centre, RegisterMolecule(...), actor=actor, now=now)  ->  Recorded

A command is a frozen dataclass. Its handler reads the state inside the act's transaction, asks a rule, and hands the
act what is new. Handlers are found by the command's type; each names the permission it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, TypeVar

from pipeline.access import Actor, Permission
from pipeline.errors import NotPermitted
from pipeline.store.chain import digest_of
from pipeline.store.journal import Act, Journal, Recorded

Command = TypeVar("Command")
Handler = Callable[[Act, Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Entry:
    permission: Permission
    handler: Handler


_HANDLERS: dict[type, _Entry] = {}


def handles(command: type[Command], permission: Permission) -> Callable[[Handler], Handler]:
    """Register the handler of a command and the permission it needs."""

    def register(handler: Handler) -> Handler:
        _HANDLERS[command] = _Entry(permission, handler)
        return handler

    return register


def permission_for(command: type) -> Permission:
    """Return the permission a command needs."""
    return _HANDLERS[command].permission


def permit(permission: Permission, actor: Actor) -> None:
    """Let an actor pass who has a permission; refuse anyone else with NotPermitted."""
    if permission not in actor.permissions:
        raise NotPermitted(
            f"{actor.name} may not {permission}; ask an administrator for a role that may", permission=permission
        )


def execute(
    journal: Journal,
    command: Any,
    *,
    actor: Actor,
    now: datetime,
    idempotency_key: str | None = None,
    reason: str | None = None,
) -> Recorded:
    """Check the actor's permission and do the command as one act.

    Returns:
        The act's number, time and result: a JSON object with the ids that were made.

    Raises:
        NotPermitted, and whatever refusal the handler raises; nothing is written then.
    """
    name = type(command).__name__
    entry = _HANDLERS[type(command)]
    permit(entry.permission, actor)
    return journal.perform(
        name,
        lambda act: entry.handler(act, command),
        actor=actor,
        now=now,
        reason=reason,
        idempotency_key=idempotency_key,
        fingerprint=digest_of([name, _plain(command)]) if idempotency_key is not None else None,
    )


def _plain(value: Any) -> Any:
    """Return a command as JSON values, so that the same content has the same fingerprint."""
    if is_dataclass(value) and not isinstance(value, type):
        wanted = [field.name for field in fields(value) if field.metadata.get("fingerprint", True)]
        return {name: _plain(getattr(value, name)) for name in wanted}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value

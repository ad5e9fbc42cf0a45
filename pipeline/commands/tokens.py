"""API tokens: made once, shown once, kept only as a hash, revoked but never reassigned."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from pipeline.access import Actor, Permission, Role
from pipeline.commands import handles
from pipeline.commands.texts import checked
from pipeline.errors import Conflict, InputError, NotFound, PipelineError, refuse
from pipeline.store.journal import Act
from pipeline.store.tables import api_tokens

PREFIX = "mt_"


@dataclass(frozen=True, slots=True)
class CreateToken:
    """Give a person or program access under a name, in some roles. `token_hash` is of a token from `new_token`."""

    name: str
    roles: tuple[Role, ...]
    token_hash: str


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """End the access of a name for good."""

    name: str


def new_token() -> str:
    """Return a fresh secret token."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """Return what is kept of a token: it has 256 random bits, so a plain hash cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()


@handles(CreateToken, Permission.ADMINISTER)
def create_token(act: Act, command: CreateToken) -> Mapping[str, Any]:
    """Record a token; a name once used is never given again."""
    errors: list[PipelineError] = []
    name = checked(command.name, "name", errors, required=True, longest=100)
    if not command.roles:
        errors.append(InputError(f"a token needs a role: {', '.join(Role)}", path=("roles",)))
    for row in act.current(api_tokens, api_tokens.c.name == name):
        errors.append(
            Conflict(f"the name {name} is taken; names are never reused", node="Token", id=row["id"], path=("name",))
        )
    refuse(errors)
    id = act.add(
        api_tokens,
        {
            "name": name,
            "roles": ",".join(role.value for role in command.roles),
            "token_hash": command.token_hash,
            "revoked": False,
        },
    )
    return {"token": id}


@handles(RevokeToken, Permission.ADMINISTER)
def revoke_token(act: Act, command: RevokeToken) -> Mapping[str, Any]:
    """Revoke a token; it stays on record."""
    rows = act.current(api_tokens, api_tokens.c.name == command.name)
    if not rows:
        raise NotFound(f"there is no token named {command.name!r}", path=("name",))
    if not rows[0]["revoked"]:
        act.revise(api_tokens, rows[0], {"revoked": True})
    return {"token": rows[0]["id"]}


def actor_of_token(connection: Connection, token: str) -> Actor | None:
    """Return who a token stands for, or None when it is unknown or revoked."""
    table = api_tokens
    row = connection.execute(
        select(table.c.name, table.c.roles).where(
            table.c.until_act.is_(None), table.c.revoked.is_(False), table.c.token_hash == hash_of(token)
        )
    ).first()
    return None if row is None else Actor.of(row.name, *(Role(role) for role in row.roles.split(",")))

"""moltrail token."""

from __future__ import annotations

import click

from api.cli.shared import Session, table
from pipeline.access import Role


@click.group("token")
def command() -> None:
    """Make, list and revoke API tokens."""


@command.command("create", short_help="Make a token for a person or a program.")
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What the token allows; may be given several times.",
)
@click.pass_obj
def create(session: Session, name: str, roles: tuple[str, ...]) -> None:
    """Make a token for NAME, a person or a program. It is shown once and kept only as a hash."""
    from pipeline.commands.tokens import CreateToken, hash_of, new_token

    token = new_token()
    with session.open() as centre:
        command = CreateToken(name, tuple(Role(role) for role in roles), hash_of(token))
        centre.execute(command, actor=session.actor)
    text = f"{token}\nKeep it now: it cannot be shown again. Send it as  Authorization: Bearer {token[:6]}…"
    session.say({"name": name, "roles": list(roles), "token": token}, text)


@command.command("list")
@click.pass_obj
def list_tokens(session: Session) -> None:
    """List the names that have, or had, a token."""
    from sqlalchemy import select

    from pipeline.store.tables import acts, api_tokens

    with session.open(begun=True) as centre, centre.database.read() as connection:
        statement = (
            select(api_tokens.c.name, api_tokens.c.roles, api_tokens.c.revoked, acts.c.recorded_at, acts.c.actor)
            .join(acts, acts.c.number == api_tokens.c.since_act)
            .where(api_tokens.c.until_act.is_(None))
            .order_by(api_tokens.c.name)
        )
        rows = [{str(name): row[name] for name in row} for row in connection.execute(statement).mappings()]
    cells = [
        (r["name"], r["roles"], "revoked" if r["revoked"] else "valid", r["recorded_at"], r["actor"]) for r in rows
    ]
    session.say(rows, table(("name", "roles", "state", "since", "by"), cells) if rows else "There are no tokens.")


@command.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke(session: Session, name: str) -> None:
    """Revoke the token of NAME for good."""
    from pipeline.commands.tokens import RevokeToken

    with session.open(begun=True) as centre:
        centre.execute(RevokeToken(name), actor=session.actor)
    session.say({"name": name, "revoked": True}, f"The token of {name} is revoked.")

"""moltrail mapping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from api.cli.shared import Session

_MOST_BYTES = 50_000_000


@click.group("mapping")
def command() -> None:
    """Say how the columns of a table are to be read: propose, confirm, list."""


@command.command("propose", short_help="Propose what the columns of a table are.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--sheet", help="The sheet of a workbook; the first one that is understood where left out.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the mapping, to be corrected."
)
@click.pass_obj
def propose(session: Session, file: Path, sheet: str | None, output: Path | None) -> None:
    """Look at FILE and say what each of its columns seems to be, why, and what is in doubt. Nothing is recorded."""
    import orjson

    from pipeline.errors import FileRefused
    from pipeline.exchange.column_mapping_tables import proposal_of

    if file.stat().st_size > _MOST_BYTES:
        raise FileRefused(f"{file.name} has more than {_MOST_BYTES:,} bytes; propose from a part of it")
    told = proposal_of(file.name, file.read_bytes(), sheet=sheet).as_json()
    if output is not None:
        output.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    session.say(told, _text(told, output))


def _text(told: dict[str, Any], output: Path | None) -> str:
    lines = [f"{told['table']}: {told['kind'] or 'no table that is understood'}"]
    for heading, column in told["columns"].items():
        mark = "?" if column["doubt"] else " "
        read = ", ".join((column["field"] or "(not read)", *_said(column.get("constants", {}))))
        lines.append(f"  {mark} {heading} -> {read}: {column['why']}")
    lines += [f"  lacks the {what}" for what in told["lacks"]]
    lines += [f"  mind: {note}" for note in told["notes"]]
    if output is not None:
        lines.append(
            f"{output} is written: settle what is marked ?, then moltrail mapping confirm {output} --name NAME"
        )
    return "\n".join(lines)


def _said(constants: dict[str, str]) -> list[str]:
    return [f"{name} {value}" for name, value in constants.items()]


@command.command("confirm", short_help="Confirm a mapping under a name.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", required=True, help="The name to import with; a name in use gets a new version.")
@click.pass_obj
def confirm(session: Session, file: Path, name: str) -> None:
    """Put the mapping in FILE in force under a name."""
    from pipeline.commands.mappings import ConfirmMapping

    with session.open() as centre:
        text = file.read_text(encoding="utf-8", errors="replace")
        recorded = centre.execute(ConfirmMapping(name, text), actor=session.actor)
    result = dict(recorded.result)
    session.say(result, f"{result['name']} is in force as version {result['number']}: moltrail import --mapping {name}")


@command.command("list", short_help="List the mappings.")
@click.pass_obj
def listed(session: Session) -> None:
    """List the mappings that were confirmed, with their versions."""
    from pipeline.commands.mappings import listed_mappings
    from pipeline.exchange.column_mapping import mapping_from

    with session.open(begun=True) as centre, centre.read(session.actor) as reader:
        rows = listed_mappings(reader.connection)
    told = [
        {"name": row["name"], "version": row["number"], "confirmed_by": row["confirmed_by"]}
        | {"kind": mapping_from(row["text"]).kind, "text": row["text"]}
        for row in rows
    ]
    lines = [
        f"{row['name']} version {row['version']}: {row['kind']}, confirmed by {row['confirmed_by']}" for row in told
    ]
    session.say(told, "\n".join(lines) or "There are no mappings.")

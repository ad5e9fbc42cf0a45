"""moltrail export."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import click
import orjson

from api.cli.export_study import command as export_study
from api.cli.shared import Session, as_day, as_instant

_SUMMARIES = {
    "molecules": "Molecules on record.",
    "programmes": "Programmes with their present stage.",
    "transitions": "Every transition of every programme.",
    "history": "Everything that happened, oldest first.",
    "studies": "Studies, one row each.",
    "reasons": "Reasons why programmes and studies stopped.",
    "waiting-reasons": "Reasons that wait for a verifier.",
}
WHAT = tuple(_SUMMARIES)
_FORMAT_OF = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".xlsx": "xlsx"}


class _Export(click.Group):
    """A group whose options may stand before the word that says what is exported."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put that word first."""
        at = next((at for at, word in enumerate(args) if word in self.commands), 0)
        return super().parse_args(ctx, [*args[at : at + 1], *args[:at], *args[at + 1 :]])


@click.group("export", cls=_Export)
def command() -> None:
    """Write what is on record to files. The export itself is recorded in the audit trail."""


command.add_command(export_study)

_OPTIONS = (
    click.option(
        "--format",
        "format_name",
        type=click.Choice(("csv", "jsonl", "xlsx")),
        help="The format; told by the ending of --output where left out, else csv.",
    ),
    click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        default=Path("-"),
        help="The file to write; - or nothing is standard output.",
    ),
    click.option("--molecule", metavar="CODE", help="Only what belongs to the molecule with this code."),
    click.option("--as-of", metavar="DATE", help="Seen from this day: what was true by then (YYYY-MM-DD)."),
    click.option(
        "--known-at",
        metavar="INSTANT",
        help="As known at this moment: 2026-03-09T12:00:00Z, or a day for its end (UTC).",
    ),
)


def _offer(what: str) -> None:
    """Offer one thing that can be exported as a command of its own."""

    def run(**options: Any) -> None:
        _run(click.get_current_context().obj, what, **options)

    run.__doc__ = (
        f"{_SUMMARIES[what]} CSV, JSON lines or a workbook.\n\n"
        "Beside FILE stands FILE.about.json: the moment, the software, the head of the audit chain, the digest, the "
        "columns. programmes and transitions can be imported again as a portfolio, reasons handed back with decisions."
    )
    for option in reversed(_OPTIONS):
        run = option(run)
    command.command(what, short_help=_SUMMARIES[what])(run)


for _what in WHAT:
    _offer(_what)


def _run(
    session: Session,
    what: str,
    format_name: str | None,
    output: Path,
    molecule: str | None,
    as_of: str | None,
    known_at: str | None,
) -> None:
    to_stdout = str(output) == "-"
    format_name = format_name or _FORMAT_OF.get(output.suffix.lower(), "csv")
    if to_stdout and session.as_json:
        raise click.UsageError("--json answers on standard output, where the data would go: give --output FILE")
    if to_stdout and format_name == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("a workbook is no text: give --output FILE")
    if not to_stdout:
        _check_target(output, format_name, session.data)
    from pipeline.reports.exports import Export, export

    wanted = Export(what, format_name, molecule, as_day(as_of), as_instant(known_at))
    with session.open(begun=True) as centre, _beside(output, to_stdout) as file:
        with session.progress("Writing"):
            account = export(centre, wanted, file, actor=session.actor)
        if to_stdout:
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            click.echo(f"{account.rows:,} rows; act {account.act} of the audit trail", err=True)
            return
        beside = output.with_name(f"{output.name}.about.json")
        _put(file, output)
    beside.write_bytes(orjson.dumps(account.about, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    text = f"{output} is written: {account.rows:,} rows; what they are of is in {beside.name} (act {account.act})"
    content = {name: value for name, value in account.about.items() if name != "columns"}
    session.say({"file": str(output), **content}, text)


def _check_target(output: Path, format_name: str, data: Path) -> None:
    """Refuse a file whose ending promises another format, and any file of the records themselves."""
    from pipeline.errors import InputError

    promised = _FORMAT_OF.get(output.suffix.lower())
    if promised is not None and promised != format_name:
        raise InputError(f"{output} would hold {format_name}; name it accordingly, or leave --format out")
    if output.exists() and output.resolve().parent == data.resolve():
        raise InputError(f"{output} belongs to the records; choose a file outside of {data}")
    if not output.absolute().parent.is_dir():
        raise InputError(f"the folder {output.absolute().parent} does not exist; make it, or choose another file")


def _beside(output: Path, to_stdout: bool) -> IO[bytes]:
    """Open a file without a name to write to: nothing is seen of an export before it is complete and recorded."""
    from pipeline.errors import InputError

    try:
        return tempfile.TemporaryFile(dir=None if to_stdout else output.absolute().parent)
    except OSError as error:
        raise InputError(f"{output} cannot be written ({error.strerror}); choose another file") from None


def _put(file: IO[bytes], output: Path) -> None:
    from pipeline.errors import InputError

    try:
        with output.open("wb") as target:
            shutil.copyfileobj(file, target)
    except OSError as error:
        raise InputError(f"{output} cannot be written ({error.strerror}); choose another file") from None

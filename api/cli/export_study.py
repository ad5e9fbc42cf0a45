"""moltrail export study."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from api.cli.shared import Session, as_instant

FORMATS = ("xpt", "dataset-json", "ndjson", "csv", "xlsx")


@click.command("study", short_help="The records of one study as SDTM data sets.")
@click.argument("code")
@click.option("--domains", help="Only these, separated by commas: DM,EX,PC,PP,AE,LB,DS,TR,TU,RS,MI,BW,TX,SUPP ...")
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS), default="xpt", show_default=True, help="The format."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A folder that is made, or is there and empty; or FILE.zip.",
)
@click.option("--recomputed", is_flag=True, help="Add exposure parameters as computed here to PP, marked as such.")
@click.option(
    "--known-at", metavar="INSTANT", help="As known at this moment: 2026-03-09T12:00:00Z, or a day for its end (UTC)."
)
@click.pass_obj
def command(
    session: Session,
    code: str,
    domains: str | None,
    format_name: str,
    output: Path,
    recomputed: bool,
    known_at: str | None,
) -> None:
    """Write the records of the study CODE as data sets of SDTM.

    Imported again into empty records, all of them give the same records. Subjects that were erased or are opposed to
    reuse are left out and counted. A define.xml describes transport files and Dataset-JSON; OUTPUT.about.json says
    what was exported, from when, by which act.
    """
    from pipeline.reports.study_export import StudyExport, export_study

    packed = output.suffix.lower() == ".zip"
    _check_target(output, packed=packed, data=session.data)
    chosen = None if domains is None else tuple(name.strip().upper() for name in domains.split(",") if name.strip())
    wanted = StudyExport(code, format_name, chosen, recomputed, as_instant(known_at))
    with session.open(begun=True) as centre, tempfile.TemporaryDirectory(dir=output.absolute().parent) as scratch:
        folder = Path(scratch)
        with session.progress("Writing"):
            account = export_study(centre, wanted, folder, actor=session.actor, now=datetime.now(UTC))
        _put(folder, output, packed=packed)
    beside = output.with_name(f"{output.name}.about.json")
    beside.write_bytes(orjson.dumps(account.about, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    lines = [
        f"{output} is written: {sum(account.rows.values()):,} rows of {code}; {beside.name} says what they are of "
        f"(act {account.act})",
        *(f"  {count:>9,} {name}" for name, count in account.rows.items()),
        *(f"  left out: {count:,} {what}" for what, count in account.left_out.items()),
    ]
    if not account.pseudonyms:
        lines.append("  subjects are numbered: you may not see their pseudonyms")
    content = {name: value for name, value in account.about.items() if name != "columns"}
    session.say({"output": str(output), **content}, "\n".join(lines))


def _check_target(output: Path, *, packed: bool, data: Path) -> None:
    """Refuse a folder that holds something, a file that is there for a folder, and any place among the records."""
    from pipeline.errors import InputError

    if not output.absolute().parent.is_dir():
        raise InputError(f"the folder {output.absolute().parent} does not exist; make it, or choose another place")
    if data.resolve() in (output.resolve(), output.resolve().parent):
        raise InputError(f"{output} is among the records; choose a place outside of {data}")
    if packed and output.is_dir():
        raise InputError(f"{output} is a folder; name a file")
    if not packed and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"{output} is not an empty folder; choose another, or a file that ends in .zip")


def _put(folder: Path, output: Path, *, packed: bool) -> None:
    from pipeline.errors import InputError

    files: Sequence[Path] = sorted(folder.iterdir())
    try:
        if packed:
            with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in files:
                    archive.write(file, file.name)
            return
        output.mkdir(exist_ok=True)
        for file in files:
            shutil.move(file, output / file.name)
    except OSError as error:
        raise InputError(f"{output} cannot be written ({error.strerror}); choose another place") from None

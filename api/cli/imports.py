"""moltrail import."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from api.cli.shared import Session

_MOST_BYTES = 200 * 1024 * 1024


@click.command("import")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--format",
    "format_name",
    default="auto",
    show_default=True,
    help="portfolio, snapshots, phase1-dlt, ctgov, trial-table, trial-stops, sdtm, tables, or auto: by the content.",
)
@click.option("--study", help="The study the records belong to, by code, where the files do not say it.")
@click.option("--molecule", help="The molecule the study is about, by code or name, where it cannot be told.")
@click.option("--mapping", "mapping_name", help="Read tables by this confirmed mapping of columns (NAME, or NAME@2).")
@click.option("--dry-run", is_flag=True, help="Rehearse: report what would happen and write nothing.")
@click.option(
    "--quarantine",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the rows not taken, with reasons; in the data folder where left out.",
)
@click.option(
    "--template", type=click.Path(path_type=Path, dir_okay=False), help="Write an empty portfolio workbook, and stop."
)
@click.pass_obj
def command(
    session: Session,
    paths: tuple[Path, ...],
    format_name: str,
    study: str | None,
    molecule: str | None,
    mapping_name: str | None,
    dry_run: bool,
    quarantine: Path | None,
    template: Path | None,
) -> None:
    """Bring PATHS in as one act: files, folders or zip archives. Repeating an import doubles nothing.

    Exit code 1 when rows were quarantined or held, 2 when the file was refused as a whole.
    """
    if template is not None:
        from pipeline.exchange.portfolio_template import template as workbook

        template.write_bytes(workbook())
        session.say({"template": str(template)}, f"{template} is written: fill its first sheet and import it.")
        return
    if not paths:
        raise click.UsageError("name at least one file or folder (or --template FILE)")
    from pipeline.commands.imports import ImportFiles
    from pipeline.commands.mappings import mapping_named, saved_mappings
    from pipeline.exchange.formats import read_files
    from pipeline.exchange.quarantine import write_quarantine

    files, left_out = _files(paths)
    with session.open() as centre:
        with centre.read() as reader:
            _, graph = reader.graphs.in_force(reader.connection)
            mapping = mapping_named(reader.connection, mapping_name) if mapping_name else None
            saved = saved_mappings(reader.connection)
        with session.progress("Reading"):
            reading = read_files(
                format_name, files, graph, study=study, molecule=molecule, mapping=mapping, saved=saved
            )
            reading.warnings += left_out
        with session.progress("Rehearsing" if dry_run else "Writing", lambda: reading.rows):
            made = ImportFiles.of(reading, files, name=_name(paths), dry_run=dry_run, study=study, molecule=molecule)
            recorded = centre.execute(made, actor=session.actor)
    result = dict(recorded.result)
    unsettled = reading.quarantined or reading.held or reading.flags
    if unsettled:
        target = quarantine or _in_data_folder(session.data, paths[0])
        target.write_bytes(write_quarantine(reading))
        result["quarantine_file"] = str(target)
    session.say(result, _text(result, dry_run))
    if reading.quarantined or reading.held:
        sys.exit(1)


def _files(paths: Sequence[Path]) -> tuple[list[tuple[str, bytes]], list[str]]:
    """Return the content of the files to import, and a warning for those of a folder that are of no known kind."""
    from pipeline.errors import FileRefused

    found: list[tuple[str, bytes]] = []
    left_out: list[str] = []
    total = 0
    for path in paths:
        inside = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
        chosen = [file for file in inside if not path.is_dir() or file.suffix.lower() in _KNOWN]
        left_out += [file.name for file in inside if file not in chosen and not file.name.startswith(".")]
        if not chosen:
            raise FileRefused(f"the folder {path} holds no file to import ({', '.join(sorted(_KNOWN))})")
        for file in chosen:
            try:
                total += file.stat().st_size
                if total > _MOST_BYTES:
                    raise FileRefused(f"more than {_MOST_BYTES:,} bytes are given at once; import fewer files")
                found.append((file.name, file.read_bytes()))
            except OSError as error:
                raise FileRefused(f"{file} cannot be read ({error.strerror})") from None
    more = " ..." if len(left_out) > 20 else ""
    return found, [f"left out, being no {_LISTED}: {', '.join(left_out[:20])}{more}."] if left_out else []


_KNOWN = {".csv", ".tsv", ".txt", ".xlsx", ".json", ".ndjson", ".jsonl", ".zip", ".xpt", ".dsjc"}
_LISTED = "table, JSON or archive"


def _name(paths: Sequence[Path]) -> str:
    return paths[0].resolve().name + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def _in_data_folder(data: Path, path: Path) -> Path:
    from datetime import UTC, datetime

    folder = data / "quarantine"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{path.resolve().stem}-{datetime.now(UTC):%Y%m%dT%H%M%S}.csv"


def _text(result: dict[str, Any], dry_run: bool) -> str:
    report = result["report"]
    lines = [
        f"{'Rehearsed' if dry_run else 'Imported'} {report['name']} as {report['format']}: {report['rows']:,} rows",
        *(f"  {report[name]:>9,} {name}" for name in ("accepted", "quarantined", "held", "duplicates")),
        f"  {result['molecules']:,} molecules, {result['programmes']:,} programmes and "
        f"{result['studies']:,} studies {'would be ' if dry_run else ''}new or changed",
        *(f"  {count:>9,} new {node}" for node, count in result["records"].items()),
    ]
    if report["held"]:
        lines.append("  held rows wait for a decision: ask for reviewItems, and answer with decideReview")
    lines += [f"  mind: {warning}" for warning in report["warnings"][:20]]
    if "quarantine_file" in result:
        lines.append(f"  every row to mend, decide or mind is in {result['quarantine_file']}")
    return "\n".join(lines)

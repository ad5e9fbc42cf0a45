"""What the commands share: opening the records, saying results to people and to programs."""

from __future__ import annotations

import contextlib
import getpass
import secrets
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

if TYPE_CHECKING:
    from pipeline.access import Actor
    from pipeline.centre import Centre


@dataclass(frozen=True, slots=True)
class Session:
    """One call of the command line: where the records are, and how to answer."""

    data: Path
    database_url: str | None
    as_json: bool

    @contextlib.contextmanager
    def open(self, *, begun: bool = False) -> Iterator[Centre]:
        """Open the records; `begun`: only those there are, so that a mistyped folder is not taken for an empty record.

        Raises:
            StoreRefused: they cannot be opened, or there are none.
        """
        from pipeline.centre import Centre
        from pipeline.errors import StoreRefused

        if begun and not self.database_url and not (self.data / "moltrail.db").exists():
            raise StoreRefused(f"there are no records in {self.data}; give the folder that holds them with --data")
        with Centre.open(self.data, self.database_url) as centre:
            yield centre

    @property
    def actor(self) -> Actor:
        """Who acts: whoever is logged in on this machine, which holds the records and so may do everything."""
        from pipeline.access import Actor, Role

        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = "unknown"
        return Actor.of(f"{name} (command line)", Role.ADMIN)

    def say(self, content: Mapping[str, Any] | Sequence[Any], text: str) -> None:
        """Answer: `content` as JSON where it was asked for, else `text`."""
        if self.as_json:
            click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2, default=str).decode())
        else:
            click.echo(text)

    @contextlib.contextmanager
    def progress(self, what: str, rows: Callable[[], int] | None = None) -> Iterator[None]:
        """Show that something is under way, and how many rows are done, where a person is looking."""
        if self.as_json or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console

        with Console(stderr=True).status(what if rows is None else _Counted(what, rows)):
            yield


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is under way, with its count as it stands whenever it is drawn."""

    what: str
    rows: Callable[[], int]

    def __rich__(self) -> str:
        return f"{self.what}: {self.rows():,} rows"


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> str:
    """Return a table as text."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*headings, title=title, title_justify="left")
    for row in rows:
        drawn.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    width = None if sys.stdout.isatty() else 160
    console = Console(width=width, record=True, file=open(_NOWHERE, "w"))  # noqa: SIM115, PTH123
    with console.file:
        console.print(drawn)
        return console.export_text().rstrip()


_NOWHERE = "nul" if sys.platform == "win32" else "/dev/null"


def as_day(text: str | None) -> datetime | None:
    """Read the day of --as-of, as its first moment in UTC."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--as-of takes a day that exists, YYYY-MM-DD; {text[:40]!r} is none") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def as_instant(text: str | None) -> datetime | None:
    """Read the moment of --known-at with its zone; a bare day means its last moment: all of that day is known."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if len(text) <= 10:
            moment = moment.replace(hour=23, minute=59, second=59, microsecond=999_999, tzinfo=UTC)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.UsageError(
            f"--known-at takes a moment with its zone, 2026-03-09T12:00:00Z, or a day; {text[:40]!r} is none"
        )
    return moment


def report_bug(error: BaseException) -> str:
    """Write what happened to a file, and return the sentence that names it: people are never shown a stack trace."""
    reference = secrets.token_hex(4).upper()
    path = Path(tempfile.gettempdir()) / f"moltrail-{reference}.log"
    with contextlib.suppress(OSError):
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return f"Internal error, reference {reference}; the details are in {path}. Please report both."

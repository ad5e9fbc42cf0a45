"""moltrail bench monitoring."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from api.cli.shared import Session, table

if TYPE_CHECKING:
    from pipeline.bench.monitoring import Call, Rate

Postgres = Callable[[str | None], AbstractContextManager[str | None]]
"""Gives the URL of a server to measure on: the one given, or one of its own where that can be had."""


def measured(
    session: Session, rows: int, repeat: int, memory_rows: int, json_file: Path | None, url: str | None, on: Postgres
) -> None:
    """Measure, and say what was found."""
    from api.cli.bench_overhead import answer_of
    from pipeline.bench.monitoring import MOST_MEMORY_MB, calls, memory_of_import, rates
    from pipeline.bench.synthetic_study import write_study

    memory = None
    with tempfile.TemporaryDirectory(prefix="moltrail-bench-") as scratch:
        folder = Path(scratch)
        write_study(folder, rows)
        with session.progress("Importing"), on(url) as server:
            imports = rates(folder, repeat, server)
        with session.progress("Calling"):
            waits = calls(answer_of, repeat)
        if memory_rows:
            with session.progress("Measuring memory"):
                if memory_rows != rows:
                    write_study(folder, memory_rows)
                memory = memory_of_import(folder)
    content = {
        "rows": rows,
        "repeat": repeat,
        "imports": [one.as_json() for one in imports],
        "calls": [one.as_json() for one in waits],
        "memory": {"rows": memory_rows, "mb": memory, "target_mb": MOST_MEMORY_MB},
    }
    if json_file is not None:
        json_file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    lines = [_imports(imports, repeat), _calls(waits)]
    if memory is not None:
        most = f"at most {MOST_MEMORY_MB:.0f} MB"
        lines.append(f"memory of a process that imports {memory_rows:,} rows: {memory:.0f} MB ({most})")
    session.say(content, "\n".join(lines))


def _imports(found: list[Rate], repeat: int) -> str:
    drawn = [
        (
            one.name,
            f"{one.rows:,}",
            f"{one.rows / one.limit.median:,.0f}",
            f"{one.rows / one.ours.median:,.0f}",
            f"{one.share:.2f}",
            f"{one.least:.2f}",
        )
        for one in found
    ]
    headings = ("import", "rows", "limit rows/s", "ours rows/s", "share", "at least")
    return table(headings, drawn, f"{repeat} runs of each, in turn")


def _calls(found: list[Call]) -> str:
    drawn = [
        (one.name, f"{one.taken.least * 1e3:.1f}", f"{one.taken.median * 1e3:.1f}", f"{one.most * 1e3:.0f}")
        for one in found
    ]
    return table(("call, on SQLite", "min ms", "median ms", "at most"), drawn)

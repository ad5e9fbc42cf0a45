"""moltrail bench checkpoints."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from api.cli.shared import Session


@click.command("checkpoints", short_help="Replaying a rule over a portfolio, in seconds of one core.")
@click.option(
    "--repeat", type=click.IntRange(1, 100), default=3, show_default=True, help="Runs of each that are counted."
)
@click.option(
    "--programmes", type=click.IntRange(10), default=10_000, show_default=True, help="How many programmes are made up."
)
@click.pass_obj
def command(session: Session, repeat: int, programmes: int) -> None:
    """Replay one rule over made-up programmes with ten dose levels each, recorded one level after the other."""
    from pipeline.bench.checkpoints import LEVELS, RULE, measure

    with session.progress("Measuring"), tempfile.TemporaryDirectory(prefix="moltrail-bench-") as folder:
        found = measure(Path(folder), programmes, repeat)
    text = (
        f"{RULE} over {found.programmes:,} programmes with {LEVELS} levels each, {repeat} runs: "
        f"{found.taken.median:.2f} s of one core (least {found.taken.least:.2f} s, at most {found.most_s:.1f} s)"
    )
    session.say({"repeat": repeat, "replay": found.as_json()}, text)

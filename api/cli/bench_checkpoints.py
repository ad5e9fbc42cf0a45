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
    """Replay one rule over made-up programmes with ten dose levels each, recorded one level after the other.

    Beside it, what the watch adds to logging a batch of concentrations, in a small portfolio and in one of that size.
    """
    from pipeline.bench.checkpoint_watch import SMALL, watch_cost
    from pipeline.bench.checkpoints import LEVELS, RULE, measure

    with session.progress("Measuring"), tempfile.TemporaryDirectory(prefix="moltrail-bench-") as folder:
        found = measure(Path(folder) / "replay", programmes, repeat)
        watched = watch_cost(Path(folder) / "watch", repeat, sorted({min(SMALL, programmes), programmes}))
    text = (
        f"{RULE} over {found.programmes:,} programmes with {LEVELS} levels each, {repeat} runs: "
        f"{found.taken.median:.2f} s of one core (least {found.taken.least:.2f} s, at most {found.most_s:.1f} s)"
    )
    text += "".join(f"\n{each.name}: {each.ratio:.2f} times (at most {each.most:.2f})" for each in watched)
    session.say({"repeat": repeat, "replay": found.as_json(), "watch": [each.as_json() for each in watched]}, text)

"""moltrail bench growth."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.shared import Session, table

_Folder = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command("growth", short_help="Reads among few molecules, beside the same among many.")
@click.argument("few", type=_Folder)
@click.argument("many", type=_Folder)
@click.option(
    "--seconds", type=click.FloatRange(0.01, 600), default=3.0, show_default=True, help="How long each read is asked."
)
@click.pass_obj
def command(session: Session, few: Path, many: Path, seconds: float) -> None:
    """Ask the records of two folders that `moltrail bench generate` made the same, in turn and in process.

    A molecule's history, all of a molecule, a page deep in the list of molecules and its first page cost as much among
    many molecules as among few.
    """
    from api.cli.bench_overhead import answering_in_process
    from api.cli.bench_reads import cases_in
    from pipeline.bench.growth import asked_of, grown

    asked = [asked_of(cases_in(folder)) for folder in (few, many)]
    with (
        session.progress("Measuring"),
        answering_in_process(few, None) as of_few,
        answering_in_process(many, None) as of_many,
    ):
        found = grown((of_few, asked[0]), (of_many, asked[1]), seconds=seconds)
    rows = [(one.what, f"{one.few_ms:.2f}", f"{one.many_ms:.2f}", f"{one.ratio:.2f}") for one in found]
    session.say(
        {"seconds": seconds, "measured": [one.as_json() for one in found]},
        table(("what", "few ms", "many ms", "ratio"), rows),
    )

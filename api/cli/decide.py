"""moltrail decide."""

from __future__ import annotations

import click

from api.cli.shared import Session


@click.command("decide")
@click.argument("checkpoint", type=int)
@click.argument(
    "verdict",
    type=click.Choice(["GO", "CONDITIONAL_GO", "HOLD", "RECYCLE", "NO_GO"], case_sensitive=False),
)
@click.option("--justification", help="Why; asked for against the recommendation.")
@click.option(
    "--conditions", multiple=True, help='For CONDITIONAL_GO: "what | owner | YYYY-MM-DD"; may be given several times.'
)
@click.option("--expected-version", type=int, help="The version you decided on.")
@click.pass_obj
def command(
    session: Session,
    checkpoint: int,
    verdict: str,
    justification: str | None,
    conditions: tuple[str, ...],
    expected_version: int | None,
) -> None:
    """Decide on an assessment, by the number `moltrail assess` shows: with its recommendation or, justified, not."""
    from pipeline.commands.assessments import DecideCheckpoint
    from pipeline.words import Verdict

    decision = DecideCheckpoint(
        checkpoint, Verdict(verdict.upper()), justification, "\n".join(conditions) or None, expected_version
    )
    with session.open(begun=True) as centre:
        recorded = centre.execute(decision, actor=session.actor, reason=justification)
    session.say(recorded.result, f"Checkpoint {checkpoint} is decided {verdict.upper()}.")

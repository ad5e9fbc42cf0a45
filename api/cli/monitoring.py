"""moltrail monitoring."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from api.cli.shared import Session

_MOST_BYTES = 50_000_000
_REASON = click.option("--reason", required=True, help="Why.")
_RECORD = click.argument("record", type=int)


@click.group("monitoring")
def command() -> None:
    """Log concentrations, and change what becomes of them."""


@command.command("log", short_help="Log the concentrations of a file, all or none.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--key", help="An idempotency key: repeating the file under it has no second effect.")
@click.pass_obj
def log(session: Session, file: Path, key: str | None) -> None:
    """Log the concentrations of FILE (- for standard input) as one act: all or none, every bad row named.

    A table (CSV, TSV, xlsx) or JSON (an array, or one object a line) with the fields molecule, study, subject, analyte,
    specimen, reported, unit, sampledAt, hoursAfterDose, nominalTime, lowerLimit, profile, day, referenceDoseAt and
    retestOf; molecules by code or name, studies by code, subjects by pseudonym.
    """
    from pipeline.commands.monitoring import LogMonitoring
    from pipeline.commands.monitoring_file import entries_of
    from pipeline.errors import FileRefused
    from pipeline.exchange.logged_concentrations import read_logged

    standard_input = str(file) == "-"
    data = sys.stdin.buffer.read(_MOST_BYTES + 1) if standard_input else file.read_bytes()
    if len(data) > _MOST_BYTES:
        raise FileRefused(f"more than {_MOST_BYTES:,} bytes are given at once; send fewer records")
    rows = read_logged(data, "standard input" if standard_input else file.name)
    with session.open(begun=True) as centre:
        with centre.database.read() as connection:
            entries = entries_of(connection, rows)
        recorded = centre.execute(LogMonitoring(entries), actor=session.actor, idempotency_key=key)
    result = recorded.result
    first, last = result["first"], result["first"] + result["count"] - 1
    text = f"Logged {result['count']:,} records ({first} to {last}); {result['subjects']:,} subjects are new."
    if result["alerts"]:
        text += f"\n{len(result['alerts'])} alerts are raised: see moltrail alerts --open."
    session.say(result, text)


@command.command("correct", short_help="Correct a record.")
@_RECORD
@click.option("--reported", help="The result exactly as reported.")
@click.option("--unit", help="The unit as reported.")
@click.option("--sampled-at", help="When it was sampled, ISO 8601.")
@click.option("--hours", type=float, help="Hours since the reference dose.")
@click.option("--lower-limit", type=float, help="Lower limit of quantification.")
@click.option("--expected-version", type=int, help="The version you saw.")
@_REASON
@click.pass_obj
def correct(
    session: Session,
    record: int,
    reported: str | None,
    unit: str | None,
    sampled_at: str | None,
    hours: float | None,
    lower_limit: float | None,
    expected_version: int | None,
    reason: str,
) -> None:
    """Correct RECORD, by its number; it has to be verified again."""
    from pipeline.commands.monitoring_changes import CorrectMonitoring
    from pipeline.dates import PartialDate

    when = None if sampled_at is None else PartialDate.parse(sampled_at)
    change = CorrectMonitoring(record, reason, reported, unit, when, hours, lower_limit, expected_version)
    _do(session, change, record, reason, "corrected")


@command.command("exclude", short_help="Leave a record out of calculations or summaries.")
@_RECORD
@click.option(
    "--scope",
    required=True,
    type=click.Choice(["CALCULATION", "SUMMARIES"], case_sensitive=False),
    help="CALCULATION: of all that is computed. SUMMARIES: of these only.",
)
@_REASON
@click.pass_obj
def exclude(session: Session, record: int, scope: str, reason: str) -> None:
    """Leave RECORD out; it stays on record."""
    from pipeline.commands.monitoring_changes import ExcludeMonitoring

    _do(session, ExcludeMonitoring(record, reason, scope), record, reason, "excluded")


@command.command("include", short_help="Take an excluded record in again.")
@_RECORD
@_REASON
@click.pass_obj
def include(session: Session, record: int, reason: str) -> None:
    """Take RECORD in again."""
    from pipeline.commands.monitoring_changes import IncludeMonitoring

    _do(session, IncludeMonitoring(record, reason), record, reason, "included")


def _state_command(name: str, state: str, done: str, about: str) -> None:
    @command.command(name, short_help=about, help=about)
    @_RECORD
    @_REASON
    @click.pass_obj
    def set_state(session: Session, record: int, reason: str) -> None:
        from pipeline.commands.monitoring_changes import SetMonitoringState
        from pipeline.words import MonitoringState

        _do(session, SetMonitoringState(record, MonitoringState(state), reason), record, reason, done)


_state_command("verify", "VERIFIED", "verified", "Verify RECORD, which somebody else entered.")
_state_command("retract", "RETRACTED", "retracted", "Retract RECORD: it should not have been entered.")
_state_command("reject", "REJECTED", "rejected", "Reject RECORD: its measurement cannot be relied on.")
_state_command("reinstate", "REGISTERED", "registered again", "Take back what was set: RECORD is registered again.")


def _do(session: Session, change: Any, record: int, reason: str, done: str) -> None:
    with session.open(begun=True) as centre:
        recorded = centre.execute(change, actor=session.actor, reason=reason)
    raised = recorded.result["alerts"]
    more = f" {len(raised)} alerts are raised: see moltrail alerts --open." if raised else ""
    session.say(recorded.result, f"Record {record} is {done}.{more}")

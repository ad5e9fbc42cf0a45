"""moltrail key-figures."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from api.cli.shared import Session, as_instant, table

if TYPE_CHECKING:
    from pipeline.attrition.review_results import Estimate
    from pipeline.attrition.yearly_figures import KeyFigures
    from pipeline.commands.yearly_counts import RecordYearlyCount


@click.command("key-figures")
@click.argument("year", type=int)
@click.option(
    "--record",
    "records",
    metavar="NAME=COUNT[@SITE]",
    multiple=True,
    help="Record a count of the year first, such as ACTIVE_FILE=10900 or INCLUSIONS=700@CLIPP.",
)
@click.option("--source", help="Where the recorded counts come from.")
@click.option("--known-at", metavar="WHEN", help="As known at this moment, or at the end of this day.")
@click.pass_obj
def command(session: Session, year: int, records: tuple[str, ...], source: str | None, known_at: str | None) -> None:
    """Show the key figures of YEAR: open trials, inclusions, their shares, patients asked, site by site.

    Counts that the studies on record cannot give are recorded with --record and --source; a recorded count is used
    where there is one, and where the records give another both are told.
    """
    from pipeline.attrition.yearly_figures import COUNTS
    from pipeline.reports.key_figures import figures_of

    moment = as_instant(known_at)
    if records and moment is not None:
        raise click.UsageError("--record is of now; ask for what was known before without it")
    if bool(records) is not bool(source):
        raise click.UsageError("--record and --source belong together: a count needs to say where it comes from")
    counts = [_count(text, year, source or "") for text in records]
    with session.open(begun=True) as centre:
        for count in counts:
            centre.execute(count, actor=session.actor, reason=source)
        with centre.read(session.actor, known_at=moment) as reader:
            found = figures_of(reader, year)
    session.say(asdict(found) | {"definitions": dict(COUNTS)}, _text(found))


def _count(text: str, year: int, source: str) -> RecordYearlyCount:
    from pipeline.commands.yearly_counts import RecordYearlyCount

    name, equals, rest = text.partition("=")
    number, at, site = rest.partition("@")
    digits = number.replace(",", "").replace(" ", "").replace("_", "")
    if not equals or not (digits.isascii() and digits.isdecimal()) or len(digits) > 12 or (at and not site):
        raise click.UsageError(f"--record takes NAME=COUNT or NAME=COUNT@SITE; {text[:60]!r} is neither")
    return RecordYearlyCount(year, name.strip().upper(), int(digits), source, site.strip() or None)


def _text(found: KeyFigures) -> str:
    from pipeline.attrition.yearly_figures import COUNTS

    rows = [
        ("open trials", f"{found.open_trials:,}"),
        ("inclusions", f"{found.inclusions:,}"),
        ("share of the active file", _share(found.inclusion_share)),
        ("early-phase share of the open trials", _share(found.early_phase_share)),
        (f"patients asked, aim {found.proposed_goal:.0%}", _share(found.proposed_share)),
    ]
    sites = [(one.site, one.open_trials, one.inclusions) for one in found.by_site]
    counts = [
        (one.name, one.site, one.recorded, one.derived, one.source)
        for one in found.counts
        if one.recorded is not None or one.derived
    ]
    parts = [
        table(("figure", "value"), rows, f"Key figures of {found.year}, {found.version}"),
        table(("site", "open trials", "inclusions"), sites, "By site"),
        *([table(("count", "site", "recorded", "by the records", "source"), counts, "Counts")] if counts else []),
        *(f"{name}: {what}." for name, what in COUNTS.items()),
        *(f"- {doubt}" for doubt in found.doubts),
    ]
    return "\n".join(parts)


def _share(one: Estimate | None) -> str:
    if one is None:
        return "not recorded"
    if one.value is None or one.low is None or one.high is None:
        return f"{one.reason} ({one.k:,} of {one.n:,})"
    return f"{100 * one.value:.1f} % ({one.k:,} of {one.n:,}; {100 * one.low:.1f} to {100 * one.high:.1f})"

"""moltrail attrition studies."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from api.cli.shared import Session, as_day, as_instant, table

if TYPE_CHECKING:
    from pipeline.reports.stopped_studies import StudyCounts


@click.command("studies", short_help="Count studies by phase: how they stand, and why those that stopped did.")
@click.option("--as-of", metavar="DATE", help="What was true on this day (YYYY-MM-DD).")
@click.option("--known-at", metavar="WHEN", help="As known at this moment, or at the end of this day.")
@click.pass_obj
def command(session: Session, as_of: str | None, known_at: str | None) -> None:
    """Count the studies on record by phase and status, their stops and restarts by year, and the reasons of stops.

    A programme is counted by its own moves, whatever became of its studies: see `moltrail attrition`.
    """
    from pipeline.reports.stopped_studies import study_counts

    day, moment = as_day(as_of), as_instant(known_at)
    with session.open(begun=True) as centre, centre.read(session.actor, as_of=day, known_at=moment) as reader:
        found = study_counts(reader)
    session.say(_json(found), _text(found))


def _json(found: StudyCounts) -> dict[str, Any]:
    return {
        "studies": found.studies,
        "stopped": found.stopped,
        "by_phase": [
            {"phase": phase, "status": status, "studies": count}
            for (phase, status), count in sorted(found.by_phase.items())
        ],
        "stops": found.stops,
        "restarts": found.restarts,
        "reasons": [
            {"phase": phase, "reason": reason, "known": known or None, "studies": count}
            for (phase, reason, known), count in sorted(found.reasons.items())
        ],
    }


def _text(found: StudyCounts) -> str:
    from pipeline.reports.stopped_studies import NOT_PROPOSED

    statuses = sorted({status for _, status in found.by_phase})
    phases = sorted({phase for phase, _ in found.by_phase})
    counts = {phase: [found.by_phase.get((phase, status), 0) for status in statuses] for phase in phases}
    parts = [f"{found.studies:,} studies, {found.stopped:,} of them stand stopped"]
    if counts:
        rows = [[phase, *row] for phase, row in counts.items()]
        rows.append(["all", *map(sum, zip(*counts.values(), strict=True))])
        parts.append(table(["phase", *statuses], rows, "Studies"))
    if found.stops:
        years = sorted({*found.stops, *found.restarts})
        cells = [[year or "not known", found.stops.get(year, 0), found.restarts.get(year, 0)] for year in years]
        cells.append(["all", sum(found.stops.values()), sum(found.restarts.values())])
        parts.append(table(["year", "stops", "restarts"], cells, "Recorded stops, and when studies went on again"))
    if found.reasons:
        by_reason: Counter[tuple[str, str]] = Counter()
        for (_, reason, known), count in found.reasons.items():
            by_reason[reason, known] += count
        lines = [[reason, known.lower(), count] for (reason, known), count in by_reason.most_common()]
        parts.append(table(["reason", "known", "studies"], lines, "Why studies that stand stopped did"))
    if any(reason == NOT_PROPOSED for _, reason, _ in found.reasons):
        parts.append("`moltrail reasons propose` proposes a reason for each stop whose source says why in words.")
    return "\n\n".join(parts)

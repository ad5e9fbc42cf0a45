"""Counts of a year that no record here can give: patients followed, patients asked; or those another system counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.access import Permission
from pipeline.attrition.yearly_figures import COUNTS, EVERYWHERE, FIRST_YEAR, LAST_YEAR, MOST
from pipeline.commands import handles
from pipeline.commands.texts import checked
from pipeline.errors import InputError, PipelineError, refuse
from pipeline.store.centre_tables import yearly_counts
from pipeline.store.journal import Act


@dataclass(frozen=True, slots=True)
class RecordYearlyCount:
    """A count of a year, for the whole centre or one of its sites, with where it comes from."""

    year: int
    name: str
    value: int
    source: str
    site: str | None = None


@handles(RecordYearlyCount, Permission.IMPORT)
def record_yearly_count(act: Act, command: RecordYearlyCount) -> Mapping[str, Any]:
    """Record the count, or a new version of it; what was recorded before stays in the history."""
    errors: list[PipelineError] = []
    source = checked(command.source, "source", errors, required=True, longest=1_000)
    sites = [site.code for site in act.graphs.in_force(act.connection)[1].sites]
    if command.name not in COUNTS:
        errors.append(
            InputError(f"{command.name[:40]!r} is not counted; these are: {', '.join(COUNTS)}", path=("input", "name"))
        )
    if not FIRST_YEAR <= command.year <= LAST_YEAR:
        errors.append(
            InputError(
                f"the year lies between {FIRST_YEAR} and {LAST_YEAR}, got {command.year}", path=("input", "year")
            )
        )
    if not 0 <= command.value <= MOST:
        errors.append(
            InputError(f"a count is 0 or more and at most {MOST:,}, got {command.value}", path=("input", "value"))
        )
    if command.site is not None and command.site not in sites:
        errors.append(
            InputError(f"{command.site[:40]!r} is no site; known: {', '.join(sites)}", path=("input", "site"))
        )
    refuse(errors)
    table, site = yearly_counts, command.site or EVERYWHERE
    row = {"year": command.year, "site_code": site, "name": command.name, "value": float(command.value)}
    row["source"] = source
    before = act.current(table, table.c.year == command.year, table.c.site_code == site, table.c.name == command.name)
    if before:
        act.revise(table, before[0], row)
        return {"count": before[0]["id"]}
    return {"count": act.add(table, row)}

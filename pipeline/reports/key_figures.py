"""The key figures of a year, from recorded counts and from the studies and subjects on record."""

from __future__ import annotations

from collections import Counter

import orjson
from sqlalchemy import func, select

from pipeline.attrition.yearly_figures import (
    EARLY_PHASE_TRIALS,
    FIRST_YEAR,
    INCLUSIONS,
    LAST_YEAR,
    MOST,
    OPEN_TRIALS,
    KeyFigures,
    Recorded,
    key_figures,
)
from pipeline.errors import InputError
from pipeline.reports.signal_rows import last_day, whole_day
from pipeline.store.centre_tables import yearly_counts
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.species import is_people
from pipeline.store.study_tables import administrations, subjects
from pipeline.store.tables import studies
from pipeline.words import StudyStatus

EARLY = frozenset({"PHASE_1", "PHASE_1_2", "PHASE_2"})
_OVER = frozenset({StudyStatus.COMPLETED, StudyStatus.TERMINATED, StudyStatus.WITHDRAWN})
_NOT_YET = frozenset({StudyStatus.PLANNED, StudyStatus.WITHDRAWN})


def figures_of(reader: Reader, year: int) -> KeyFigures:
    """Return the key figures of a year, as known at the reader's moment.

    Raises:
        InputError: nobody counts in such a year.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InputError(f"the year lies between {FIRST_YEAR} and {LAST_YEAR}, got {year}", path=("year",))
    view = View(known_at=reader.view.known_at)
    table = yearly_counts
    statement = select(table).where(visible(table, view), table.c.year == year).order_by(table.c.id)
    recorded = [
        Recorded(row["name"], row["site_code"], int(row["value"]), row["source"])
        for row in reader.connection.execute(statement).mappings()
        if row["value"] is not None and 0 <= row["value"] <= MOST
    ]
    sites = [site.code for site in reader.graphs.in_force(reader.connection)[1].sites]
    return key_figures(year, sites, recorded, _derived(reader, view, year, frozenset(sites)))


def _derived(reader: Reader, view: View, year: int, sites: frozenset[str]) -> Counter[tuple[str, str]]:
    """Return what the studies at the sites and their subjects give."""
    begin, end = whole_day(f"{year}-01-01"), whole_day(f"{year}-12-31")
    assert begin is not None
    assert end is not None
    names = ("id", "species", "phases", "status", "started_on", "ended_on", "site_code")
    statement = select(*(studies.c[name] for name in names)).where(visible(studies, view))
    found: Counter[tuple[str, str]] = Counter()
    site_of: dict[int, str] = {}
    for row in reader.connection.execute(statement.where(studies.c.site_code.is_not(None))):
        if row.site_code not in sites or not is_people(row.species):
            continue
        site_of[row.id] = row.site_code
        started, ended = whole_day(row.started_on), last_day(row.ended_on)
        unended = ended is None and row.status not in _OVER
        if started is None or started > end or row.status in _NOT_YET or not (unended or (ended or begin - 1) >= begin):
            continue
        found[OPEN_TRIALS, row.site_code] += 1
        if EARLY.intersection(orjson.loads(row.phases)):
            found[EARLY_PHASE_TRIALS, row.site_code] += 1
    for study, day in _joined(reader, view):
        joined = whole_day(day)
        if study in site_of and joined is not None and begin <= joined <= end:
            found[INCLUSIONS, site_of[study]] += 1
    return found


def _joined(reader: Reader, view: View) -> list[tuple[int, str]]:
    """Return, for every subject who did not fail screening, its study and the day it joined, as far as it is known."""
    s, doses = subjects, administrations
    first = (
        select(doses.c.subject_id, func.min(doses.c.sorted_on).label("day"))
        .where(visible(doses, view), doses.c.subject_id.is_not(None), doses.c.sorted_on != "")
        .group_by(doses.c.subject_id)
        .subquery()
    )
    statement = (
        select(s.c.study_id, func.coalesce(s.c.reference_start, first.c.day), s.c.screen_failure, s.c.species)
        .select_from(s.outerjoin(first, first.c.subject_id == s.c.id))
        .where(visible(s, view))
    )
    rows = reader.connection.execute(statement)
    return [(study, day) for study, day, failed, species in rows if day and not failed and is_people(species)]

"""Dose-limiting toxicities at a dose level more frequent than the study's rule allows (B8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import func, literal, or_, select

from pipeline.commands.alerts import Matter, Touched
from pipeline.commands.exposure_limits import settings_of
from pipeline.rounding import above
from pipeline.store.columns import Flag
from pipeline.store.journal import Act
from pipeline.store.study_tables import adverse_events, subjects
from pipeline.store.tables import dose_levels, studies
from pipeline.toxicity.monitoring import CUTOFF, toxicity_posterior
from pipeline.words import AlertKind, StudyStatus

TARGET_RATE = 0.30
"""DLT rate that should not be exceeded, where the study does not say."""

_YES = literal(True, Flag)
_OVER = (StudyStatus.COMPLETED, StudyStatus.TERMINATED, StudyStatus.WITHDRAWN)


def dlt_rates(act: Act, touched: Touched) -> Iterable[Matter]:
    """Return the dose levels that a DLT of this act brought over the boundary.

    By subject where events are on record by subject. The counts of a publication are looked at only in a study that
    is under way: nobody can act on those of one that is over.
    """
    if "AdverseEvent" in touched.kinds:
        yield from _by_subject(act)
    if "DoseLevel" in touched.kinds:
        yield from _by_count(act)


def _by_subject(act: Act) -> Iterator[Matter]:
    events = adverse_events
    written = (
        select(events.c.study_id, subjects.c.dose_level, func.max(events.c.id))
        .join(subjects, subjects.c.id == events.c.subject_id)
        .where(
            events.c.since_act == act.number,
            events.c.until_act.is_(None),
            events.c.dlt == _YES,
            subjects.c.until_act.is_(None),
            subjects.c.dose_level.is_not(None),
        )
        .group_by(events.c.study_id, subjects.c.dose_level)
        .order_by(events.c.study_id, subjects.c.dose_level)
    )
    for study, level, event in act.connection.execute(written).all():
        at_level = (
            subjects.c.study_id == study,
            subjects.c.dose_level == level,
            subjects.c.until_act.is_(None),
            or_(subjects.c.screen_failure.is_(None), subjects.c.screen_failure != _YES),
        )
        treated = act.connection.execute(select(func.count()).select_from(subjects).where(*at_level)).scalar_one()
        affected = act.connection.execute(
            select(func.count(subjects.c.id.distinct()))
            .join(events, events.c.subject_id == subjects.c.id)
            .where(*at_level, events.c.until_act.is_(None), events.c.dlt == _YES)
        ).scalar_one()
        yield from _judged(act, study, f"dose level {level}", level, affected, treated, "AdverseEvent", event)


def _by_count(act: Act) -> Iterator[Matter]:
    levels = dose_levels
    statement = (
        select(levels, studies.c.status)
        .join(studies, studies.c.id == levels.c.study_id)
        .where(levels.c.since_act == act.number, levels.c.until_act.is_(None), studies.c.until_act.is_(None))
        .where(studies.c.status.not_in([status.value for status in _OVER]))
        .order_by(levels.c.id)
    )
    for row in act.connection.execute(statement).mappings().all():
        affected = row["with_dlt"] if row["with_dlt"] is not None else row["with_dlt_min"]
        if row["treated"] and affected and affected <= row["treated"]:
            label = f"dose level {row['label']}" + (f" of {row['arm']}" if row["arm"] else "")
            which = f"{row['ordinal']}:{row['arm'] or ''}"
            yield from _judged(act, row["study_id"], label, which, affected, row["treated"], "DoseLevel", row["id"])


def _judged(
    act: Act, study: int, label: str, which: Any, affected: int, treated: int, node: str, node_id: int
) -> Iterator[Matter]:
    settings = settings_of(act, study).get("dlt") or {}
    target, cutoff = settings.get("target", TARGET_RATE), settings.get("cutoff", CUTOFF)
    posterior = toxicity_posterior(affected, treated, target, prior_size=settings.get("prior_size", 1.0))
    if not above(posterior.prob_over_target, cutoff):
        return
    code = act.find(studies, study)["code"]
    yield Matter(
        AlertKind.DLT_RATE,
        f"DLT:{study}:{which}",
        f"{affected} of {treated} subjects had a dose-limiting toxicity at {label} of study {code}: the rate is above "
        f"{target:.0%} with probability {posterior.prob_over_target:.3f}, beyond the cut-off of {cutoff:g}; "
        "stop this level and those above it until it is looked at",
        node,
        node_id,
        value=posterior.prob_over_target,
        threshold=cutoff,
        unit="1",
        study_id=study,
    )

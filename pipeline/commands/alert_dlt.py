"""Dose-limiting toxicities at a dose level more frequent than the study's rule allows (B8)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, literal, or_, select

from pipeline.commands.alerts import Matter, Touched
from pipeline.commands.exposure_limits import settings_of
from pipeline.rounding import above
from pipeline.store.columns import Flag
from pipeline.store.journal import Act
from pipeline.store.study_tables import adverse_events, study_groups, subjects
from pipeline.store.tables import studies
from pipeline.toxicity.monitoring import CUTOFF, toxicity_posterior
from pipeline.words import AlertKind

TARGET_RATE = 0.30
"""DLT rate that should not be exceeded, where the study does not say."""

_YES = literal(True, Flag)


def dlt_rates(act: Act, touched: Touched) -> Iterator[Matter]:
    """Return the dose levels that a DLT of this act brought over the boundary, counted by subject, controls apart.

    Counts of dose levels come from publications only: nobody can act on those any more.
    """
    if "AdverseEvent" not in touched.kinds:
        return
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
        control = select(study_groups.c.code).where(
            study_groups.c.study_id == study, study_groups.c.until_act.is_(None), study_groups.c.control == _YES
        )
        at_level = (
            or_(subjects.c.group_code.is_(None), subjects.c.group_code.not_in(control)),
            or_(subjects.c.arm.is_(None), subjects.c.arm.not_in(control)),
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
        yield from _judged(act, study, level, affected, treated, event)


def _judged(act: Act, study: int, level: int, affected: int, treated: int, event: int) -> Iterator[Matter]:
    settings = settings_of(act, study).get("dlt") or {}
    target, cutoff = settings.get("target", TARGET_RATE), settings.get("cutoff", CUTOFF)
    posterior = toxicity_posterior(affected, treated, target, prior_size=settings.get("prior_size", 1.0))
    if not above(posterior.prob_over_target, cutoff):
        return
    code = act.find(studies, study)["code"]
    yield Matter(
        AlertKind.DLT_RATE,
        f"DLT:{study}:{level}",
        f"{affected} of {treated} subjects had a dose-limiting toxicity at dose level {level} of study {code}: the "
        f"rate is above {target:.0%} with probability {posterior.prob_over_target:.3f}, beyond the cut-off of "
        f"{cutoff:g}; stop this level and those above it until it is looked at",
        "AdverseEvent",
        event,
        value=posterior.prob_over_target,
        threshold=cutoff,
        unit="1",
        study_id=study,
    )

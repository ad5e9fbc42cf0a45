"""Which monitoring records count: the one rule that exposures, summaries, margins and alerts all go by.

A record that was retracted (it should never have been entered) or rejected (its measurement is not valid) counts
nowhere. One that is excluded from CALCULATION counts neither there nor in the summaries made of it; one that is
excluded from SUMMARIES is still calculated with; a source that leaves a value out without saying of what means it for
all. Whether a record has been verified does not matter here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from pipeline.words import ExclusionScope, MonitoringState

VALID = (MonitoringState.REGISTERED.value, MonitoringState.VERIFIED.value)
"""The states of a record that stands."""


def counted(source: Any, use: ExclusionScope = ExclusionScope.CALCULATION) -> ColumnElement[bool]:
    """Return the condition under which a row of `monitoring_records` (or an alias of it) counts for a use."""
    kept = source.c.exclusion_reason.is_(None)
    if use is ExclusionScope.CALCULATION:
        kept = or_(kept, source.c.exclusion_scope == ExclusionScope.SUMMARIES.value)
    return and_(source.c.state.in_(VALID), kept)


def counts(row: Mapping[str, Any], use: ExclusionScope = ExclusionScope.CALCULATION) -> bool:
    """Return whether a row that was read counts for a use; the same rule as `counted`."""
    of_summaries = use is ExclusionScope.CALCULATION and row["exclusion_scope"] == ExclusionScope.SUMMARIES
    return row["state"] in VALID and (row["exclusion_reason"] is None or of_summaries)

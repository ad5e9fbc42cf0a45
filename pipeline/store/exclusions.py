"""What leaves a monitoring record out, in SQL and in Python: an object made of columns of its own row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, literal_column, select

from pipeline.store.plans import Above
from pipeline.store.selection import View
from pipeline.words import ExclusionScope

NEEDS = ("exclusion_reason", "exclusion_scope", "excluded_by", "excluded_at", "recorded_by", "recorded_at")
# A source that excludes a value without saying of what means it for all that is computed.
_UNSAID = ExclusionScope.CALCULATION.value


def exclusion(record: Above, _view: View) -> list[Select[Any]]:
    """Return why and of what a record is left out; one that a source excluded was excluded by who recorded it."""
    reason = record("exclusion_reason")
    return [
        select(
            reason.label("reason"),
            func.coalesce(record("exclusion_scope"), literal_column(f"'{_UNSAID}'")).label("scope"),
            func.coalesce(record("excluded_by"), record("recorded_by")).label("by"),
            func.coalesce(record("excluded_at"), record("recorded_at")).label("at"),
        ).where(reason.is_not(None))
    ]


def exclusion_of(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the same of a row that holds `NEEDS`."""
    if row["exclusion_reason"] is None:
        return None
    return {
        "reason": row["exclusion_reason"],
        "scope": _UNSAID if row["exclusion_scope"] is None else row["exclusion_scope"],
        "by": row["recorded_by"] if row["excluded_by"] is None else row["excluded_by"],
        "at": row["recorded_at"] if row["excluded_at"] is None else row["excluded_at"],
    }

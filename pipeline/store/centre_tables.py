"""Tables of the centre as a whole: counts by year that no record here can give."""

from __future__ import annotations

from pipeline.store.columns import real_column as _real
from pipeline.store.columns import records
from pipeline.store.columns import text_column as _text
from pipeline.store.columns import whole_column as _whole

yearly_counts = records(
    "yearly_counts",
    _whole("year", required=True),
    _text("site_code", required=True),
    _text("name", required=True),
    _real("value"),
    _text("source", required=True),
    unique=("year", "site_code", "name"),
)
"""site_code is "" for the whole centre."""

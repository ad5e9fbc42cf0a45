"""The kinds of tables a mapping can read."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.exchange.column_mapping_fields import Kind
from pipeline.exchange.column_mapping_kinds_exposure import ANALYSIS, CONCENTRATIONS, DOSES, PARAMETERS
from pipeline.exchange.column_mapping_kinds_findings import ADVERSE_EVENTS, LABORATORY, RESPONSES, TUMOUR_GROWTH

KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        ANALYSIS,
        CONCENTRATIONS,
        DOSES,
        ADVERSE_EVENTS,
        LABORATORY,
        TUMOUR_GROWTH,
        PARAMETERS,
        RESPONSES,
    )
}

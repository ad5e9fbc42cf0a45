"""What each kind of table becomes: data sets of SDTM with what is said beside them."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.exchange.column_mapping_clinical import doses, events, laboratory, parameters
from pipeline.exchange.column_mapping_concentrations import analysis, concentrations
from pipeline.exchange.column_mapping_records import Column, Drafts, Rows, prepared
from pipeline.exchange.column_mapping_responses import responses
from pipeline.exchange.column_mapping_tumours import tumour_growth


def draft(rows: Rows) -> Drafts:
    """Return the data sets a table becomes."""
    drafts = Drafts(rows.dataset.place)
    fields = rows.mapping.about.fields
    columns: dict[str, Column] = {}
    domain = rows.mapping.about.domain
    for name, about in fields.items():
        if not about.variable or not rows.has(name):
            continue
        variable = about.variable.replace("-", domain)
        columns[variable] = prepared(rows, name, about)
        drafts.words[variable] = rows.headings.get(name, about.title)
    for name, about in fields.items():
        if name in ("subject", "study"):
            drafts.words.setdefault(about.variable, about.title)
    _DRAFTS[rows.mapping.kind](rows, columns, drafts)
    return drafts


_DRAFTS: dict[str, Callable[[Rows, dict[str, Column], Drafts], None]] = {
    "TUMOUR_GROWTH": tumour_growth,
    "ANALYSIS": analysis,
    "CONCENTRATIONS": concentrations,
    "DOSES": doses,
    "ADVERSE_EVENTS": events,
    "LABORATORY": laboratory,
    "PARAMETERS": parameters,
    "RESPONSES": responses,
}

"""Data sets of SDTM that lack the variable which shows their domain, but name the domain in every row.

Examples and extracts leave out codes: concentrations with PCTEST and without PCTESTCD, demographics with ARM and
without ARMCD. The words stand in for the codes then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from pipeline.exchange.dataset_table import Chunk, DataSet, at
from pipeline.exchange.sdtm_domains import DOMAINS, domain_of

_STANDS_IN = {
    "PC": ("PCTESTCD", "PCTEST"),
    "PP": ("PPTESTCD", "PPTEST"),
    "DM": ("ARMCD", "ARM"),
    "LB": ("LBTESTCD", "LBTEST"),
}
"""Domain -> the variable that shows it, and the one that stands in for it."""


def with_topic(dataset: DataSet) -> DataSet:
    """Return a data set whose domain can be told by its variables, where its rows name the domain; else as it is."""
    if domain_of(dataset.name, dataset.at) in DOMAINS or "DOMAIN" not in dataset.at:
        return dataset
    first = next(islice(dataset.chunks(), 1), None)
    named = set(first.texts("DOMAIN")) if first is not None else set()
    code = next(iter(named)) if len(named) == 1 else None
    wanted = _STANDS_IN.get((code or "").upper())
    if wanted is None or wanted[0] in dataset.at or wanted[1] not in dataset.at:
        return dataset
    topic, instead = wanted
    source = dataset.at[instead]
    columns = (*dataset.columns, replace(dataset.columns[source], name=topic))

    def read() -> Iterator[Chunk]:
        for chunk in dataset.chunks():
            cells = [chunk.texts(index) for index in range(len(dataset.columns))]
            yield Chunk(
                at(columns),
                chunk.rows,
                [*cells, cells[source]],
                numeric=[False] * len(columns),
                bad=chunk.bad,
                warnings=chunk.warnings,
            )

    return replace(dataset, columns=columns, read=read)

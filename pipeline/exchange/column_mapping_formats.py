"""Tables whose columns are known, or that a saved mapping fits: told by their headings, and read."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.errors import FileRefused
from pipeline.exchange.column_mapping import MappedColumn, Mapping, folded
from pipeline.exchange.column_mapping_propose import Proposal
from pipeline.exchange.column_mapping_read import read_mapped
from pipeline.exchange.column_mapping_spread import Part
from pipeline.exchange.column_mapping_tables import open_tables
from pipeline.exchange.column_mapping_wide import proposed
from pipeline.exchange.dataset_table import DataSet
from pipeline.exchange.reading import Reading, SentFile
from pipeline.exchange.study_facts import Batch, RecordLinkFact

FORMAT = "tables"
HOW_TO_CONFIRM = (
    "write the proposal to a file (moltrail mapping propose FILE --output m.json), correct it, confirm it "
    "(moltrail mapping confirm m.json --name NAME) and import with --mapping NAME"
)
_SNIFFED = 200_000
_BY_THEMSELVES = ("TUMOUR_GROWTH", "ANALYSIS")
"""Kinds that are read without a saved mapping where their columns leave no doubt."""


@dataclass(frozen=True, slots=True)
class Known:
    """A table whose columns are known: the headings that tell it, and what they are beside what is proposed."""

    headings: frozenset[str]
    kind: str
    columns: Map[str, MappedColumn] = field(default_factory=dict)

    def fits(self, dataset: DataSet) -> bool:
        """Whether a table has the headings."""
        return self.headings <= {folded(column.name) for column in dataset.columns}


KNOWN = (
    Known(
        frozenset({"subjid", "tmtpt", "resn", "resu"}),
        "CONCENTRATIONS",
        {"tmtpt": MappedColumn("nominal_time", "h")},
    ),
    Known(frozenset({"subjid", "wnlparm", "pporresn", "pporresu"}), "PARAMETERS"),
    Known(frozenset({"subjid", "aetoxgrs", "ae"}), "ADVERSE_EVENTS"),
    Known(frozenset({"idshort", "dose", "time", "comb"}), "DOSES", {"time": MappedColumn("day")}),
    Known(
        frozenset({"bor", "psld", "time"}),
        "RESPONSES",
        {"time": MappedColumn("day", "d"), "time_or": MappedColumn("day_of_response", "d")},
    ),
)
"""Tables of oncology programmes as they are exchanged, by their headings in small letters."""


def mapping_for(
    dataset: DataSet, saved: Sequence[Mapping] = (), **constants: str
) -> tuple[Mapping | None, Proposal | None]:
    """Return how a table is read, or what it seems to be where that is not certain.

    Args:
        dataset: the table.
        saved: the mappings on record: one that fits alone is taken before anything else.
        constants: what is the same for the whole table where its columns do not say it.
    """
    fitting = [mapping for mapping in saved if mapping.fits([column.name for column in dataset.columns])]
    if len(fitting) == 1:
        return fitting[0], None
    known = next((known for known in KNOWN if known.fits(dataset)), None)
    proposal = proposed(dataset, only=(known.kind,) if known else ())
    if proposal.kind is None:
        return None, proposal
    mapping = proposal.mapping()
    lacking = {name: value for name, value in constants.items() if value and name in proposal.kind.fields}
    mapping = replace(mapping, constants={n: v for n, v in lacking.items() if not mapping.of_field(n)})
    if known is not None:
        columns = dict(mapping.columns)
        for heading in list(columns):
            told = known.columns.get(folded(heading))
            if told is not None:
                columns[heading] = told
        return replace(mapping, columns=columns), proposal
    spread = any(column.constants for column in proposal.columns)
    if proposal.kind.code in _BY_THEMSELVES and proposal.certain and not spread:
        return mapping, proposal
    return None, proposal


def is_known(files: Sequence[SentFile], saved: Sequence[Mapping] = ()) -> bool:
    """Whether every file holds a table that can be read as it is."""
    try:
        datasets = open_tables([file._replace(content=_start_of(file.content)) for file in files])
        return bool(datasets) and any(mapping_for(dataset, saved)[0] is not None for dataset in datasets)
    except FileRefused:
        return False


def _start_of(content: bytes) -> bytes:
    if len(content) <= _SNIFFED or content.startswith(b"PK\x03\x04"):
        return content
    return content[: content.rfind(b"\n", 0, _SNIFFED) + 1] or content[:_SNIFFED]


def read_known(
    files: Sequence[SentFile],
    *,
    mapping: Mapping | None = None,
    saved: Sequence[Mapping] = (),
    study: str | None = None,
    molecule: str | None = None,
) -> Reading:
    """Read tables through a mapping, or each through the one that fits it.

    Args:
        files: what was sent.
        mapping: how every table is to be read; sheets without its columns are left out with a warning.
        saved: the mappings on record.
        study: code of the study of rows that name none.
        molecule: what was given or measured, where the table does not say it.

    Raises:
        FileRefused: a table is not understood; the message says what it seems to be, and how to confirm that.
    """
    datasets = open_tables(files)
    tables: list[Part] = []
    warnings: list[str] = []
    refused: list[Proposal] = []
    names: list[str] = []
    kept: list[Batch] = []
    for dataset in datasets:
        chosen, proposal = (mapping, None) if mapping else mapping_for(dataset, saved, treatment=molecule or "")
        if mapping is not None and not mapping.fits([column.name for column in dataset.columns]):
            chosen = None
        if chosen is None:
            if proposal is not None:
                refused.append(proposal)
            warnings.append(_left_out(dataset, mapping, proposal))
            kept.append(_kept(dataset))
            continue
        tables.append(Part(dataset, chosen))
        names.append(chosen.name or chosen.kind.lower())
        if proposal is not None:
            warnings += [
                f"{dataset.place}, {column.heading}: {column.assumed}." for column in proposal.columns if column.assumed
            ]
    if not tables:
        raise FileRefused(_refusal(datasets, mapping, refused))
    found = read_mapped(tables, study=study)
    told = ", ".join(dict.fromkeys(names))
    return Reading(
        f"{FORMAT}: {told}"[:200],
        warnings=warnings + found.warnings,
        records=found.studies,
        outside=[*kept, *found.outside],
    )


def _kept(dataset: DataSet) -> Batch:
    """Return what counts the rows of a table that is kept with its file and not read."""
    chunks = list(dataset.chunks())
    bad = [item for chunk in chunks for item in chunk.bad]
    return Batch(RecordLinkFact, dataset.place, sum(map(len, chunks)) + len(bad), quarantined=bad)


def _left_out(dataset: DataSet, mapping: Mapping | None, proposal: Proposal | None) -> str:
    if mapping is not None:
        return f"{dataset.place} has not the columns of {mapping.name or 'the mapping'} and is left out."
    return f"{dataset.place} is left out: {'' if proposal is None else proposal.sentence()}."


def _refusal(datasets: Sequence[DataSet], mapping: Mapping | None, refused: Sequence[Proposal]) -> str:
    if mapping is not None:
        there = {folded(column.name) for dataset in datasets for column in dataset.columns}
        wanted = [h for h, column in mapping.columns.items() if column.field and folded(h) not in there]
        listed = ", ".join(repr(heading[:40]) for heading in wanted[:6])
        return f"{datasets[0].place} has not the columns of {mapping.name or 'the mapping'}: {listed} is missing"
    return refusal_of(refused)


def refusal_of(proposals: Sequence[Proposal]) -> str:
    """Return what tables seem to be and how to confirm it."""
    told = "; ".join(proposal.sentence() for proposal in proposals[:3])
    return f"the format is not known. {told}. To read it, {HOW_TO_CONFIRM}"[:1500]

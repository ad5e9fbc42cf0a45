"""Molecules as they are exported."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, and_

from pipeline.exchange.export import Column, Row
from pipeline.reports.exported_rows import (
    IDENTIFIER_COLUMNS,
    RECORDED,
    SOURCE,
    Described,
    batches,
    file_names,
    with_act,
)
from pipeline.store import tables
from pipeline.store.nodes import visible
from pipeline.store.selection import View

MOLECULE_COLUMNS = (
    Column("code", "the molecule's code in this centre"),
    Column("name", "its name"),
    Column("modality", "what kind of entity it is"),
    Column("synonyms", "its other names"),
    Column("targets", "its molecular targets"),
    *IDENTIFIER_COLUMNS,
    Column("other_ids", "further identifiers, as SCHEME:value"),
    Column("smiles", "the structure as it was given"),
    Column("canonical_smiles", "the structure as RDKit writes it"),
    Column("inchi_key", "InChIKey of the structure"),
    Column("parent_smiles", "the structure without salts"),
    Column("parent_inchi_key", "InChIKey of the structure without salts"),
    Column("formula", "molecular formula"),
    Column("molar_mass_g_per_mol", "molar mass, g/mol"),
    Column("merged_into", "code of the molecule this record was merged into"),
    Column("merge_reason", "why it was merged"),
    *SOURCE,
    *RECORDED,
)
_STRUCTURE = ("smiles", "canonical_smiles", "inchi_key", "parent_smiles", "parent_inchi_key", "formula", "molar_mass")


def molecules(connection: Connection, view: View, molecule: int | None) -> Iterator[Row]:
    """Yield molecules in the order they came on record."""
    table = tables.molecules
    kept = table.alias("kept")
    files = file_names(connection)
    statement = with_act(table, kept.c.code.label("kept_code"))
    statement = statement.join(kept, and_(kept.c.id == table.c.merged_into, visible(kept, view)), isouter=True)
    statement = statement.where(visible(table, view)).order_by(table.c.id)
    if molecule is not None:
        statement = statement.where(table.c.id == molecule)
    for batch in batches(connection, statement):
        described = Described.of(connection, view, [row["id"] for row in batch])
        for row in batch:
            first, others = described.identifiers(row["id"])
            yield (
                *(row["code"], row["name"], row["modality"]),
                *(described.synonyms(row["id"]), described.target_names(row["id"]), *first, others),
                *(row[name] for name in _STRUCTURE),
                *(row["kept_code"], row["merge_reason"], files.get(row["source_file"]), row["source_row"]),
                *(row["recorded_at"], row["actor"]),
            )

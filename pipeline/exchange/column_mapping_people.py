"""Who the subjects of mapped tables are: told once for each, whatever rows and tables speak of them."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.exchange.column_mapping_records import Column, Drafts, Rows
from pipeline.exchange.column_mapping_rows import first_of, kept

_PEOPLE = ("STUDYID", "USUBJID", "ARM", "ARMCD", "SEX", "AGE", "AGEU", "SPECIES", "STRAIN", "SETCD")


def add_people(drafts: Drafts, rows: Rows, columns: dict[str, Column]) -> None:
    """Add who the subjects are, told by the first row of each."""
    people = {name: columns[name] for name in _PEOPLE if name in columns}
    if not people.keys() - {"STUDYID", "USUBJID"}:
        return
    which = [index for index in first_of(rows, people, people, kept(rows)) if rows.texts("subject")[index]]
    people["ARMCD"] = people.get("ARMCD") or people.get("ARM") or [None] * len(rows)
    drafts.derived.add("DM")
    drafts.people = [(rows.numbers[index], {name: cells[index] for name, cells in people.items()}) for index in which]


def tell_people(tables: Iterable[Drafts]) -> None:
    """Add the data sets of subjects: what rows and tables say of one is put together, what contradicts stays apart."""
    known: dict[tuple[str | None, str | None], tuple[Drafts, int, dict[str, str | None]]] = {}
    told: list[tuple[Drafts, int, dict[str, str | None]]] = []
    for drafts in tables:
        for row, said in drafts.people:
            key = (said.get("STUDYID"), said.get("USUBJID"))
            before = known.get(key)
            if before is None:
                known[key] = (drafts, row, dict(said))
                told.append(known[key])
            elif all(before[2].get(name) in (None, value) for name, value in said.items() if value is not None):
                before[2].update({name: value for name, value in said.items() if value is not None})
            else:
                told.append((drafts, row, said))
    for drafts in tables:
        own = [(row, said) for whose, row, said in told if whose is drafts]
        names = dict.fromkeys(name for _, said in own for name in said)
        columns = {name: [said.get(name) for _, said in own] for name in names}
        drafts.add("DM", [row for row, _ in own], columns, keep=("ARMCD",))


def without_people(columns: dict[str, Column]) -> dict[str, Column]:
    """Return the columns of records, which do not say again who the subject is."""
    return {name: cells for name, cells in columns.items() if name not in _PEOPLE or name in ("STUDYID", "USUBJID")}

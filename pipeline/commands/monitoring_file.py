"""From records written with codes, as in a file, to the entries `LogMonitoring` takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from pipeline.commands.monitoring import Entry
from pipeline.dates import PartialDate
from pipeline.errors import InputError, PipelineError, RowError, refuse
from pipeline.exchange.logged_concentrations import LoggedRow
from pipeline.exchange.written_numbers import read_number
from pipeline.names import canonical_key
from pipeline.store.tables import molecule_names, molecules, studies

_NUMBERS = {"hoursAfterDose": "hours_after_dose", "lowerLimit": "lower_limit", "day": "day"}
_DATES = {"sampledAt": "sampled_at", "referenceDoseAt": "reference_dose_at"}
_TEXTS = {"subject": "subject", "nominalTime": "nominal_time", "profile": "profile"}


def entries_of(connection: Connection, rows: Sequence[LoggedRow]) -> tuple[Entry, ...]:
    """Return the entries: molecules by code, name or synonym, studies by code, a record tested again by its number.

    Raises:
        RowError, or Refused with several: an unknown code, or what is no number or date.
    """
    errors: list[PipelineError] = []
    named = {row.fields.get("molecule", "").strip() for row in rows}
    coded = _ids(connection, molecules, named)
    known = {
        "molecule": _ids_of_names(connection, named - coded.keys()) | coded,
        "study": _ids(connection, studies, {row.fields.get("study", "").strip() for row in rows}),
    }
    entries = tuple(_entry(row, known, errors) for row in rows)
    refuse(errors)
    return entries


def _ids(connection: Connection, table: Table, codes: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    ordered = sorted(codes)
    for first in range(0, len(ordered), 500):
        statement = select(table.c.code, table.c.id).where(
            table.c.until_act.is_(None), table.c.code.in_(ordered[first : first + 500])
        )
        found |= {code: id for code, id in connection.execute(statement)}  # noqa: C416  (rows are not pairs to mypy)
    return found


def _ids_of_names(connection: Connection, names: set[str]) -> dict[str, int]:
    """Return the molecules of names and synonyms that belong to one molecule only."""
    keys = {name: canonical_key(name) for name in names}
    ordered = sorted(set(filter(None, keys.values())))
    found: dict[str, set[int]] = defaultdict(set)
    for first in range(0, len(ordered), 500):
        some = ordered[first : first + 500]
        for table, id in ((molecules, molecules.c.id), (molecule_names, molecule_names.c.molecule_id)):
            statement = select(table.c.name_key, id).where(table.c.until_act.is_(None), table.c.name_key.in_(some))
            if table is molecules:
                statement = statement.where(molecules.c.merged_into.is_(None))
            for key, molecule in connection.execute(statement):
                found[key].add(molecule)
    return {name: min(found[key]) for name, key in keys.items() if len(found[key]) == 1}


def _entry(row: LoggedRow, known: Mapping[str, Mapping[str, int]], errors: list[PipelineError]) -> Entry:
    def note(message: str, field: str) -> None:
        value = row.fields.get(field)
        path = ("records", str(row.number - 1), field)
        errors.append(RowError(f"row {row.number}: {message}", row=row.number, column=field, value=value, path=path))

    given: dict[str, Any] = {name: row.fields.get(field) for field, name in _TEXTS.items()}
    for field, name in _NUMBERS.items():
        text = row.fields.get(field)
        value = read_number(text).value
        if text is not None and value is None:
            note(f"{field} {text[:40]!r} is no number, or can be two", field)
        given[name] = value
    for field, name in _DATES.items():
        text = row.fields.get(field)
        try:
            given[name] = None if text is None else PartialDate.parse(text)
        except InputError as error:
            note(error.message, field)
    tested = row.fields.get("retestOf", "").strip()
    if tested and not (tested.isascii() and tested.isdigit() and len(tested) < 19):
        note(f"{tested[:40]!r} is not the number of a record", "retestOf")
        tested = ""
    for field in ("molecule", "study"):
        code = row.fields.get(field, "").strip()
        if code not in known[field]:
            unknown = f"there is no study with the code {code[:40]!r}"
            if field == "molecule":
                unknown = f"no molecule, or more than one, is called {code[:40]!r}; give its code"
            note(unknown, field)
    return Entry(
        molecule=known["molecule"].get(row.fields.get("molecule", "").strip(), 0),
        study=known["study"].get(row.fields.get("study", "").strip(), 0),
        retest_of=int(tested) if tested else None,
        analyte=row.fields.get("analyte", ""),
        specimen=row.fields.get("specimen", ""),
        reported=row.fields.get("reported", ""),
        unit=row.fields.get("unit", ""),
        **given,
    )

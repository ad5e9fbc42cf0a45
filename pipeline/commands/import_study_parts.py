"""What hangs below a study: its tables with the columns an import fills, and the digest of all a source says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Table

from pipeline.commands.import_study_statements import statement_of
from pipeline.exchange.facts import DoseFact, DoseLevelFact, MoleculeFact, RecommendedDose, Stop, StudyFact
from pipeline.store import tables

_BELOW = ("study_id", "source_id")

# What is taken over from a fact as it stands: attributes named like their columns, `row` apart.
_PART_FIELDS = ("name", "arm", "route", "form", "row")
_ARM_FIELDS = ("label", "kind", "description", "row")
_LEVEL_FIELDS = ("arm", "ordinal", "label", "treated", "with_dlt", "with_dlt_min", "with_dlt_max", "row")
_DOSE_FIELDS = (
    *("name", "amount_reported", "amount", "unit_reported", "unit"),
    *("schedule", "frequency", "route", "comment", "row"),
)
_DEFINITION_FIELDS = (
    *("arm", "term", "grade_reported", "grade_min", "grade_max"),
    *("duration", "exclusion", "comment", "flag", "row"),
)
_OBSERVATION_FIELDS = (
    *("arm", "level", "term", "grade_reported", "grade_min", "grade_max", "affected_reported", "affected"),
    *("treated_reported", "treated", "duration", "occurrence", "comment", "flag", "row"),
)
_RECOMMENDED_FIELDS = (
    *("arm", "kind", "name", "reported", "amount_low", "amount_high", "unit_reported", "unit"),
    *("frequency", "schedule", "comment", "flag", "row"),
)
_COUNT_FIELDS = (
    *("arm", "term", "term_reported", "organ_class", "vocabulary"),
    *("serious", "affected", "at_risk", "events", "row"),
)
_STOP_FIELDS = ("why_stopped", "restart_status_reported", "flag", "row")

_PART, _ARM, _LEVEL = attrgetter(*_PART_FIELDS), attrgetter(*_ARM_FIELDS), attrgetter(*_LEVEL_FIELDS)
_DOSE, _COUNT, _STOP = attrgetter(*_DOSE_FIELDS), attrgetter(*_COUNT_FIELDS), attrgetter(*_STOP_FIELDS)
_DEFINITION, _OBSERVATION = attrgetter(*_DEFINITION_FIELDS), attrgetter(*_OBSERVATION_FIELDS)
_RECOMMENDED = attrgetter(*_RECOMMENDED_FIELDS)


def _columns(*before: str, fields: Sequence[str]) -> tuple[str, ...]:
    return (*before, *("source_row" if name == "row" else name for name in fields))


CHILDREN: dict[Table, tuple[str, ...]] = {
    tables.study_molecules: _columns(*_BELOW, "molecule_id", fields=_PART_FIELDS),
    tables.arms: _columns(*_BELOW, fields=_ARM_FIELDS),
    tables.dose_levels: _columns(*_BELOW, fields=_LEVEL_FIELDS),
    tables.dlt_definitions: _columns(*_BELOW, fields=_DEFINITION_FIELDS),
    tables.dlt_observations: _columns(*_BELOW, "dose_level_id", fields=_OBSERVATION_FIELDS),
    tables.recommended_doses: _columns(*_BELOW, "molecule_id", fields=_RECOMMENDED_FIELDS),
    tables.event_counts: _columns(*_BELOW, fields=_COUNT_FIELDS),
    tables.study_stops: _columns(
        *_BELOW, "stopped_on", "restarted_on", "status", "restart_status", fields=_STOP_FIELDS
    ),
}
DOSE_COLUMNS = _columns("dose_level_id", "molecule_id", fields=_DOSE_FIELDS)


class Parts:
    """The rows below some studies, collected to be written with one bulk insert per table."""

    def __init__(self, first_level: int, id_of: Callable[[Any], int | None]) -> None:
        """first_level: the id the next dose level will have. id_of: the id of a molecule, if it has one."""
        self.rows: dict[Table, list[tuple[Any, ...]]] = {table: [] for table in CHILDREN}
        self.doses: list[tuple[Any, ...]] = []
        self._add = {table: rows.append for table, rows in self.rows.items()}
        self._first_level = first_level
        self._id_of = id_of

    def take(self, study: int, source: int, fact: StudyFact) -> None:
        """Collect the rows of one study as one source tells it."""
        add, id_of, levels = self._add, self._id_of, self.rows[tables.dose_levels]
        for part in fact.molecules:
            molecule = id_of(part.molecule)
            if molecule is not None:
                add[tables.study_molecules]((study, source, molecule, *_PART(part)))
        listed = {part.molecule.key for part in fact.molecules}
        for arm_label, given in _given(fact):
            if given.molecule is not None and given.molecule.key not in listed:
                listed.add(given.molecule.key)
                molecule = id_of(given.molecule)
                if molecule is not None:
                    add[tables.study_molecules]((study, source, molecule, given.name, arm_label, None, None, given.row))
        for arm in fact.arms:
            add[tables.arms]((study, source, *_ARM(arm)))
        places: dict[tuple[str | None, str], int] = {}
        for level in fact.dose_levels:
            level_id = places[level.arm, level.label] = self._first_level + len(levels)
            levels.append((study, source, *_LEVEL(level)))
            self.doses.extend((level_id, id_of(dose.molecule), *_DOSE(dose)) for dose in level.doses)
        for said in fact.dlt_definitions:
            add[tables.dlt_definitions]((study, source, *_DEFINITION(said)))
        for seen in fact.dlt_observations:
            level_of = places.get((seen.arm, seen.level or ""))
            add[tables.dlt_observations]((study, source, level_of, *_OBSERVATION(seen)))
        for best in fact.recommended_doses:
            add[tables.recommended_doses]((study, source, id_of(best.molecule), *_RECOMMENDED(best)))
        for count in fact.event_counts:
            add[tables.event_counts]((study, source, *_COUNT(count)))
        for stop in fact.stops:
            add[tables.study_stops]((study, source, *_days(stop), *_STOP(stop)))


def content_digest(fact: StudyFact) -> str:
    """Return the digest of what a source says of a study, wherever in its files and in whatever order of rows."""
    said = statement_of(fact)
    said["design"] = _words(fact.design)
    details = [(name, _unordered(value)) for name, value in said.pop("details", {}).items()]
    parts = [
        *(orjson.dumps(content) for content in ([fact.code, fact.partial], said, details)),
        *sorted(orjson.dumps((*_PART(part)[:-1], *_said_of(part.molecule))) for part in fact.molecules),
        *sorted(orjson.dumps((arm.label, arm.kind, _words(arm.description))) for arm in fact.arms),
        *sorted(map(_level, fact.dose_levels)),
        *sorted(orjson.dumps(_DEFINITION(said)[:-1]) for said in fact.dlt_definitions),
        *sorted(orjson.dumps((seen.level, *_OBSERVATION(seen)[:-1])) for seen in fact.dlt_observations),
        *sorted(orjson.dumps((_key(best.molecule), *_RECOMMENDED(best)[:-1])) for best in fact.recommended_doses),
        *sorted(orjson.dumps(_COUNT(count)[:-1]) for count in fact.event_counts),
        *sorted(orjson.dumps((*_days(stop), *_STOP(stop)[:-1])) for stop in fact.stops),
    ]
    return sha256(b"\0".join(parts)).hexdigest()


def _words(text: str | None) -> list[str]:
    """Return the words of a text that lists what stood in several rows, in an order of their own."""
    return sorted((text or "").replace(";", " ").split())


def _key(molecule: MoleculeFact | None) -> str | None:
    return None if molecule is None else molecule.key


def _said_of(molecule: MoleculeFact) -> tuple[Any, ...]:
    """Return what a study says of a molecule; how other studies of the set spell it is left out."""
    return (molecule.key, molecule.modality, sorted(molecule.synonyms), sorted(molecule.external_ids))


def _level(level: DoseLevelFact) -> bytes:
    doses = [orjson.dumps((_key(dose.molecule), *_DOSE(dose)[:-1])).decode() for dose in level.doses]
    return orjson.dumps((*_LEVEL(level)[:-1], sorted(doses)))


def _unordered(value: Any) -> Any:
    """Return a detail with its lists in an order of their own, and without the rows they stand in."""
    if not isinstance(value, list):
        return value
    items = [{k: v for k, v in item.items() if k != "row"} if isinstance(item, dict) else item for item in value]
    return sorted(orjson.dumps(item).decode() for item in items)


def _days(stop: Stop) -> tuple[str | None, str | None, str, str | None]:
    return (
        stop.stopped_on.text if stop.stopped_on else None,
        stop.restarted_on.text if stop.restarted_on else None,
        stop.status.value,
        stop.restart_status.value if stop.restart_status else None,
    )


def _given(fact: StudyFact) -> Iterator[tuple[str | None, DoseFact | RecommendedDose]]:
    """Yield what dose levels and recommended doses give, with the arm."""
    for level in fact.dose_levels:
        for dose in level.doses:
            yield level.arm, dose
    for best in fact.recommended_doses:
        yield best.arm, best

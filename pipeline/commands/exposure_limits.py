"""The exposure limits of molecules, and how a measured value is held against them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select

from pipeline.errors import InputError
from pipeline.exchange.written_numbers import read_number
from pipeline.names import canonical_key, fold
from pipeline.pharmacology.limit_indications import judged_under
from pipeline.pharmacology.recorded_samples import SAMPLED, settings_for
from pipeline.pharmacology.study_exposures import AnalysisSettings
from pipeline.pharmacology.study_profiles import set_aside
from pipeline.store.counted import counted
from pipeline.store.journal import Act
from pipeline.store.selection import View
from pipeline.store.species import is_people, species_of
from pipeline.store.study_tables import exposure_limits, monitoring_records, monitoring_settings
from pipeline.store.tables import molecules, programmes, studies, study_molecules
from pipeline.units import conversion_factor

CONCENTRATIONS = frozenset({"CONC", "CMAX"})
TROUGHS = frozenset({"CTROUGH", "CMIN"})
AREAS = frozenset({"AUCTAU", "AUCIFO", "AUCIFP", "AUCLST", "AUCALL", "CAVG"})
GROWING_AREAS = frozenset({"AUCLST", "AUCALL"})
"""Areas that grow with every sample: no target can be missed by one of them."""

READ = (
    *SAMPLED,
    *("since_act", "molecule_id", "study_id", "sorted_on", "nominal_time", "reported", "lower_limit"),
)


@dataclass(slots=True)
class Limits:
    """The limits of some molecules, with what is needed to apply them.

    all_records: records of before the act are judged as well, because a limit is new.
    """

    of_molecule: dict[int, list[dict[str, Any]]]
    animal_studies: frozenset[int] = frozenset()
    all_records: bool = False
    molecules: dict[int, dict[str, Any]] = field(default_factory=dict)
    settings: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)
    study_codes: dict[int, str] = field(default_factory=dict)
    _factors: dict[tuple[Any, ...], float | None] = field(default_factory=dict)
    _standing: dict[int, set[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, act: Act, molecule_ids: Collection[int], *, all_records: bool = False) -> Limits | None:
        """Read the limits of molecules that judge one of their programmes; None where there are none."""
        found: dict[int, list[dict[str, Any]]] = {}
        for limit in act.current(exposure_limits, exposure_limits.c.molecule_id.in_(sorted(molecule_ids))):
            found.setdefault(limit["molecule_id"], []).append(limit)
        found = {molecule: of for molecule, limits in found.items() if (of := _judging(act, molecule, limits))}
        if not found:
            return None
        given = study_molecules
        named = select(given.c.study_id).where(given.c.until_act.is_(None), given.c.molecule_id.in_(sorted(found)))
        species = species_of(act.connection, set(act.connection.execute(named).scalars()), View())
        return cls(found, frozenset(id for id, name in species.items() if not is_people(name)), all_records)

    def _of_people(self, limit: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
        """Whether a limit of the molecule applies: it is one of people, where it names no study."""
        return limit["study_id"] is None and row["study_id"] not in self.animal_studies

    def fitting(self, row: Mapping[str, Any], parameters: Collection[str]) -> Iterator[dict[str, Any]]:
        """Return the limits on parameters that apply to a record."""
        for limit in self.of_molecule.get(row["molecule_id"], ()):
            if (
                limit["parameter"] in parameters
                and (limit["study_id"] == row["study_id"] or self._of_people(limit, row))
                and (limit["analyte"] is None or fold(limit["analyte"]) == fold(row["analyte"]))
                and (limit["specimen"] is None or fold(limit["specimen"]) == fold(row["specimen"]))
            ):
                yield limit

    def factor(self, act: Act, row: Mapping[str, Any], unit: str | None, limit: Mapping[str, Any]) -> float | None:
        """Return what leads from a unit of a record to that of a limit; None where nothing does.

        The molar mass is that of the molecule: it does not serve for a metabolite.
        """
        if unit == limit["unit"]:
            return 1.0
        key = (row["molecule_id"], row["analyte"], unit, limit["unit"])
        if key not in self._factors:
            if row["molecule_id"] not in self.molecules:
                self.molecules[row["molecule_id"]] = act.find(molecules, row["molecule_id"])
            molecule = self.molecules[row["molecule_id"]]
            itself = canonical_key(row["analyte"]) in (molecule["name_key"], canonical_key(molecule["code"]))
            try:
                mass = molecule["molar_mass"] if itself else None
                self._factors[key] = conversion_factor(unit or "", limit["unit"], mass)
            except InputError:
                self._factors[key] = None
        return self._factors[key]

    def judges(self, act: Act, row: Mapping[str, Any]) -> bool:
        """Whether a record is one the act has to answer for."""
        return self.all_records or row["since_act"] == act.number

    def stands(self, act: Act, row: Mapping[str, Any]) -> bool:
        """Whether a record counts, or another one of the same sample stands in for it."""
        subject = row["subject_id"]
        if subject is None:
            return True
        if subject not in self._standing:
            self._standing[subject] = {each["id"] for each in records_of_subjects(act, self, [subject])}
        return row["id"] in self._standing[subject]

    def settings_of(self, act: Act, study_id: int, analyte: str) -> dict[str, Any]:
        """Return the settings of a study for an analyte: its own before those for all."""
        return settings_of(act, study_id, analyte, self.settings)

    def study_code(self, act: Act, study_id: int) -> str:
        """Return a study's code."""
        if study_id not in self.study_codes:
            self.study_codes[study_id] = act.find(studies, study_id)["code"]
        return self.study_codes[study_id]


_ON_ONE_THING = ("kind", "parameter", "analyte", "specimen", "study_id")


def _judging(act: Act, molecule: int, limits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the limits that judge a programme of the molecule by its indication; all where it has no programme."""
    if not any(limit["indication"] for limit in limits):
        return limits
    indications = [row["indication"] for row in act.current(programmes, programmes.c.molecule_id == molecule)]
    if not indications:
        return limits
    on_one_thing: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for limit in limits:
        on_one_thing[tuple(limit[name] for name in _ON_ONE_THING)].append(limit)
    judging: set[int] = set()
    for some in on_one_thing.values():
        named = [limit["indication"] for limit in some]
        under = {judged_under(indication, named) for indication in indications}
        judging |= {limit["id"] for limit in some if fold(limit["indication"] or "") in under}
    return [limit for limit in limits if limit["id"] in judging]


def settings_of(
    act: Act, study_id: int, analyte: str = "", known: dict[tuple[int, str], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the monitoring settings of a study: those for all analytes, and over them those for one."""
    kept = {} if known is None else known
    if (study_id, analyte) not in kept:
        rows = act.current(monitoring_settings, monitoring_settings.c.study_id == study_id)
        kept[study_id, analyte] = settings_for({row["analyte"]: orjson.loads(row["settings"]) for row in rows}, analyte)
    return kept[study_id, analyte]


def written_records(act: Act, limits: Limits) -> Iterator[dict[str, Any]]:
    """Return the records of limited molecules that count and the act has to answer for, one by one."""
    table = monitoring_records
    written = () if limits.all_records else (table.c.since_act == act.number,)
    yield from _records(act, *written, table.c.molecule_id.in_(sorted(limits.of_molecule)))


def records_of_subjects(act: Act, limits: Limits, subject_ids: Collection[int]) -> Iterator[dict[str, Any]]:
    """Return all records of subjects that count and are of limited molecules, one of each sample measured again."""
    table = monitoring_records
    ordered = sorted(subject_ids)
    for first in range(0, len(ordered), 500):
        some = ordered[first : first + 500]
        rows = list(_records(act, table.c.subject_id.in_(some), table.c.molecule_id.in_(sorted(limits.of_molecule))))
        samples: dict[tuple[int, str], dict[int, int | None]] = defaultdict(dict)
        for row in rows:
            samples[row["study_id"], row["analyte"]][row["id"]] = row["retest_of"]
        aside: set[int] = set()
        for (study, analyte), of in samples.items():
            if any(of.values()):
                aside |= set_aside(of, AnalysisSettings.of(limits.settings_of(act, study, analyte)).retest)
        yield from (row for row in rows if row["id"] not in aside)


def _records(act: Act, *conditions: Any) -> Iterator[dict[str, Any]]:
    table = monitoring_records
    statement = select(*(table.c[name] for name in READ)).where(
        table.c.until_act.is_(None), counted(table), *conditions
    )
    for row in act.connection.execute(statement.execution_options(yield_per=2000)):
        yield dict(zip(READ, row, strict=True))


def value_of(row: Mapping[str, Any]) -> float | None:
    """Return the concentration of a record; where it was above what is measurable, the least it can be."""
    if row["concentration"] is None and not row["below_limit"] and (row["reported"] or "").lstrip()[:1] in (">", "≥"):
        return read_number((row["reported"] or "").lstrip(" >≥=")).value
    value: float | None = row["concentration"]
    return value


def whose(row: Mapping[str, Any]) -> str:
    """Return of whom a record is, as part of what an alert is about; a record of nobody stands for itself."""
    if row["subject_id"] is not None:
        return f"subject-{row['subject_id']}"
    return f"pool-{row['pool_id']}" if row["pool_id"] is not None else f"record-{row['id']}"


def amount(value: float, unit: str) -> str:
    """Return a value with its unit as a message shows it."""
    return f"{value:.4g} {unit}" if abs(value) < 1e4 else f"{value:,.0f} {unit}"

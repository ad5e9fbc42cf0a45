"""Exposure margins of molecules, and the first doses that follow from the same records.

Worked out from the records as they stand, so that every correction shows at once. The number of statements depends
neither on the molecules nor on their studies.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select

from pipeline.errors import InputError
from pipeline.pharmacology.margins import GroupExposure, Margin, NoMargin, exposure_margin, mean_exposure
from pipeline.preclinical.starting_dose import (
    CancerStartingDose,
    NoaelStudy,
    StartingDose,
    cancer_starting_dose,
    maximum_recommended_starting_dose,
)
from pipeline.reports.study_exposures import ExposureBeside, exposures_beside
from pipeline.store.nodes import among, seen, visible
from pipeline.store.reader import Reader
from pipeline.store.species import is_people, species_of
from pipeline.store.study_tables import administrations, monitoring_records, subjects, toxicity_bases
from pipeline.store.tables import molecules, studies
from pipeline.units import convert

OVER_TAU = frozenset({"AUCTAU", "CAVG", "CMIN", "CTROUGH"})


@dataclass(frozen=True, slots=True)
class MarginBeside:
    """One margin: on which basis, from which study, against which dose level of people."""

    basis_id: int
    basis: str
    species: str
    study_id: int
    parameter: str
    animals: int
    people: int
    margin: Margin


@dataclass(slots=True)
class MoleculeMargins:
    """All margins of a molecule, and why others cannot be given."""

    margins: list[MarginBeside] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def exposure_margins(reader: Reader, molecule_ids: Sequence[int]) -> dict[int, MoleculeMargins]:
    """Return the margins of molecules: every basis against every dose level people were given; worked out once."""
    return reader.once(_margins, molecule_ids)


def _margins(reader: Reader, molecule_ids: Sequence[int]) -> dict[int, MoleculeMargins]:
    found = {id: MoleculeMargins() for id in molecule_ids}
    bases = _bases(reader, molecule_ids)
    if not bases:
        return found
    with_basis = sorted({basis["molecule_id"] for basis in bases})
    measured = _studies_of(reader, with_basis)
    species = species_of(
        reader.connection,
        {study for ids in measured.values() for study in ids} | {b["study_id"] for b in bases},
        reader.view,
    )
    exposures = exposures_beside(reader, sorted(species))
    people = _subjects(reader, sorted(species))
    levels = _levels(reader, sorted(study for study, name in species.items() if is_people(name)))
    masses = _masses(reader, with_basis)
    for basis in bases:
        answer = found[basis["molecule_id"]]
        label = f"{basis['basis']} of study {basis['study_code']}"
        animal = _animal(basis, exposures[basis["study_id"]], people)
        if isinstance(animal, str):
            answer.doubts.append(f"{label}: {animal}")
            continue
        human = [
            group
            for study in sorted(measured[basis["molecule_id"]])
            if is_people(species[study])
            for group in _human(basis, exposures[study], people, levels)
        ]
        if not human:
            answer.doubts.append(f"{label}: no {basis['parameter']} of people is on record yet")
        for group in human:
            each = exposure_margin(
                animal, group, threshold=basis["threshold"], molar_mass=masses.get(basis["molecule_id"])
            )
            if isinstance(each, NoMargin):
                answer.doubts.append(f"{label} against {each.human_level}: {each.why}")
                continue
            answer.margins.append(
                MarginBeside(
                    basis["id"],
                    basis["basis"],
                    species[basis["study_id"]],
                    basis["study_id"],
                    basis["parameter"],
                    animal.n,
                    group.n,
                    each,
                )
            )
    return found


# ------------------------------------------------------------ what is on record


def _bases(reader: Reader, molecule_ids: Sequence[int]) -> list[Mapping[str, Any]]:
    table = toxicity_bases
    statement = (
        select(table, studies.c.code.label("study_code"))
        .join(studies, studies.c.id == table.c.study_id)
        .where(
            *seen("ToxicityBasis", table, reader.view),
            visible(studies, reader.view),
            among(table.c.molecule_id, molecule_ids),
        )
        .order_by(table.c.id)
    )
    return [dict(row) for row in reader.connection.execute(statement).mappings()]


def _studies_of(reader: Reader, molecule_ids: Sequence[int]) -> dict[int, set[int]]:
    table = monitoring_records
    statement = (
        select(table.c.molecule_id, table.c.study_id)
        .where(*seen("MonitoringRecord", table, reader.view), among(table.c.molecule_id, molecule_ids))
        .distinct()
    )
    found: dict[int, set[int]] = defaultdict(set)
    for molecule, study in reader.connection.execute(statement):
        found[molecule].add(study)
    return found


def _subjects(reader: Reader, study_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    table = subjects
    names = ("id", "study_id", "sex", "arm", "group_code", "dose_level")
    statement = select(*(table.c[name] for name in names)).where(
        *seen("Subject", table, reader.view), among(table.c.study_id, study_ids)
    )
    return {row["id"]: dict(row) for row in reader.connection.execute(statement).mappings()}


def _levels(reader: Reader, study_ids: Sequence[int]) -> dict[int, str]:
    """Return, by subject, the dose that was given, for subjects without a dose level of their own."""
    table = administrations
    statement = (
        select(table.c.subject_id, table.c.amount, table.c.unit)
        .where(
            *seen("Administration", table, reader.view),
            among(table.c.study_id, study_ids),
            table.c.subject_id.is_not(None),
            table.c.amount > 0,
        )
        .order_by(table.c.subject_id, table.c.sorted_on.desc(), table.c.id.desc())
    )
    return {row.subject_id: f"{row.amount:g} {row.unit or ''}".strip() for row in reader.connection.execute(statement)}


def _masses(reader: Reader, molecule_ids: Sequence[int]) -> dict[int, float]:
    statement = select(molecules.c.id, molecules.c.molar_mass).where(
        visible(molecules, reader.view), among(molecules.c.id, molecule_ids), molecules.c.molar_mass.is_not(None)
    )
    return {row.id: row.molar_mass for row in reader.connection.execute(statement)}


# ------------------------------------------------------------ means of groups


def _fits(basis: Mapping[str, Any], each: ExposureBeside) -> bool:
    whose = each.profile.whose
    return (basis["analyte"] or whose.analyte) == whose.analyte and (
        basis["specimen"] or whose.specimen
    ) == whose.specimen


def _animal(
    basis: Mapping[str, Any], exposures: Sequence[ExposureBeside], people: Mapping[int, Mapping[str, Any]]
) -> GroupExposure | str:
    """Return the mean of the animals of the basis, after the last dose sampled; or why there is none."""
    groups, parameter = set(orjson.loads(basis["group_codes"])), basis["parameter"]
    fitting = []
    for each in exposures:
        subject = people.get(each.profile.whose.subject or 0)
        value = each.exposure.value(parameter)
        if subject is None or value is None or not _fits(basis, each):
            continue
        of_group = not groups or subject["group_code"] in groups or subject["arm"] in groups
        if of_group and basis["sex"] in (None, subject["sex"]) and basis["profile"] in (None, each.profile.interval):
            fitting.append((each, value))
    if not fitting:
        return f"no {parameter} of its animals is on record"
    last = max(each.profile.day if each.profile.day is not None else -1.0 for each, _ in fitting)
    return _mean("animals", parameter, [f for f in fitting if f[0].profile.day in (None, last)])


def _human(
    basis: Mapping[str, Any],
    exposures: Sequence[ExposureBeside],
    people: Mapping[int, Mapping[str, Any]],
    doses: Mapping[int, str],
) -> list[GroupExposure]:
    """Return the means of people by dose level, each person with the last profile that has the parameter."""
    last: dict[int, tuple[ExposureBeside, float]] = {}
    for each in exposures:
        value, subject = each.exposure.value(basis["parameter"]), each.profile.whose.subject
        if value is not None and subject is not None and subject in people and _fits(basis, each):
            last[subject] = (each, value)
    levels: dict[str, list[tuple[ExposureBeside, float]]] = defaultdict(list)
    for subject, found in last.items():
        known = people[subject]
        level = f"dose level {known['dose_level']}" if known["dose_level"] is not None else doses.get(subject)
        levels[level or known["arm"] or "dose not stated"].append(found)
    means = []
    for level, of_level in sorted(levels.items(), key=_rising):
        mean = _mean(level, basis["parameter"], of_level)
        if isinstance(mean, GroupExposure):
            means.append(mean)
    return means


def _rising(level: tuple[str, object]) -> tuple[float, str]:
    """Return what orders dose levels by the number in their names: 25 mg before 100 mg."""
    number = re.search(r"\d+(?:\.\d+)?", level[0])
    return (float(number[0]) if number else math.inf, level[0])


def _mean(label: str, parameter: str, found: Sequence[tuple[ExposureBeside, float]]) -> GroupExposure | str:
    taus = {each.exposure.tau_h for each, _ in found} if parameter in OVER_TAU else {None}
    if len(taus) > 1:
        return f"{parameter} of {label} is over intervals that differ"
    values = [(value, next(p.unit for p in each.exposure.parameters if p.code == parameter)) for each, value in found]
    try:
        mean = mean_exposure(label, parameter, values, taus.pop())
    except InputError as error:
        return f"the values of {label} cannot be averaged: {error}"
    return mean or f"no {parameter} of {label} is on record"


# ------------------------------------------------------------ first doses


@dataclass(frozen=True, slots=True)
class FirstDoses:
    """The first dose in people from the bases on record: by NOAEL (A2) and by STD10 and HNSTD (A3)."""

    from_noael: StartingDose | None
    for_cancer: CancerStartingDose | None
    basis_of_cancer: tuple[str | None, float | None, str | None, float | None]
    """Rodent, its STD10, non-rodent, its HNSTD; mg/kg."""
    noaels: tuple[NoaelStudy, ...]
    doubts: tuple[str, ...]


def first_doses(reader: Reader, molecule_ids: Sequence[int]) -> dict[int, FirstDoses]:
    """Return what the toxicology on record allows as a first dose, by molecule."""
    bases = _bases(reader, molecule_ids)
    species = species_of(reader.connection, {basis["study_id"] for basis in bases}, reader.view)
    of_molecule: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for basis in bases:
        of_molecule[basis["molecule_id"]].append(basis)
    return {id: first_dose(of_molecule.get(id, []), species) for id in molecule_ids}


def first_dose(bases: Sequence[Mapping[str, Any]], species: Mapping[int, str]) -> FirstDoses:
    """Return what the bases of a molecule allow: rows with their study's code, and species in lower case by study."""
    doubts: list[str] = []
    doses: dict[str, list[tuple[str, float | None, bool]]] = defaultdict(list)
    for basis in bases:
        label = f"{basis['basis']} of study {basis['study_code']}"
        lower_limit = basis["relation"] in (">", ">=") and basis["basis"] == "STD10"
        dose = None
        try:
            if basis["dose"] is not None and (basis["relation"] == "=" or lower_limit):
                dose = convert(basis["dose"], basis["dose_unit"] or "", "mg/kg")
            else:
                doubts.append(f"{label} was not determined")
        except InputError as error:
            doubts.append(f"{label}: {error}")
        doses[basis["basis"]].append((species[basis["study_id"]], dose, lower_limit))
    rodent, other = _lowest(doses["STD10"]), _lowest(doses["HNSTD"])
    chosen = (rodent and rodent[0], rodent and rodent[1], other and other[0], other and other[1])
    noaels = tuple(NoaelStudy(*each[:2]) for each in doses["NOAEL"])
    from_noael = for_cancer = None
    try:
        if noaels:
            from_noael = maximum_recommended_starting_dose(noaels)
        if rodent or other:
            for_cancer = cancer_starting_dose(*chosen, std10_is_lower_limit=bool(rodent and rodent[2]))
    except InputError as error:
        doubts.append(str(error))
    return FirstDoses(from_noael, for_cancer, chosen, noaels, tuple(doubts))


def _lowest(doses: Sequence[tuple[str, float | None, bool]]) -> tuple[str, float, bool] | None:
    known = [(name, dose, lower_limit) for name, dose, lower_limit in doses if dose is not None]
    return min(known, key=lambda each: each[1], default=None)

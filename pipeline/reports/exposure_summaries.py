"""What the exposures of a study or a molecule add up to: dose proportionality, and how many reach their target.

Exposures excluded from summaries are calculated, but not summed up here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from pipeline.efficacy.response_rate import wilson
from pipeline.errors import InputError
from pipeline.names import fold
from pipeline.pharmacology.limit_indications import judged_under
from pipeline.pharmacology.proportionality import Proportionality, dose_proportionality
from pipeline.pharmacology.reported_comparison import in_its_unit
from pipeline.reports.study_exposures import ExposureBeside, exposures_beside
from pipeline.rounding import above, at_least
from pipeline.store.counted import VALID
from pipeline.store.nodes import among, seen, visible
from pipeline.store.reader import Reader
from pipeline.store.species import is_people, species_of
from pipeline.store.study_tables import exposure_limits, monitoring_records, tumour_responses
from pipeline.store.tables import molecules, programmes
from pipeline.units import convert
from pipeline.words import ExclusionScope

PROPORTIONAL = ("CMAX", "AUCIFO", "AUCTAU", "AUCLST")
SMALLEST_SHOWN = 5
"""Below so many subjects a share is not shown as a rate."""
RESPONSES = frozenset({"CR", "PR"})


@dataclass(frozen=True, slots=True)
class StudyProportionality:
    """How exposure grows with dose, after the first dose sampled of each subject."""

    analyte: str
    specimen: str
    parameter: str
    dose_unit: str
    subjects: int
    result: Proportionality


@dataclass(frozen=True, slots=True)
class Attainment:
    """How many subjects reach a target of their molecule.

    Attributes:
        k, n: subjects at target, of those whose exposure could be told.
        rate, low, high: the share with its 95 % Wilson limits; None below five subjects.
        not_told: subjects sampled whose exposure could not be told.
        without_response, without_response_below: subjects assessed without a response, and those of them below
            target: in these the molecule has not been shown to be ineffective.
        judges: indications of the molecule's programmes that are judged by it.
    """

    limit_id: int
    parameter: str
    relation: str
    lower: float | None
    upper: float | None
    unit: str
    indication: str | None
    source: str
    k: int
    n: int
    rate: float | None
    low: float | None
    high: float | None
    not_told: int
    without_response: int
    without_response_below: int
    judges: tuple[str, ...] = ()

    @property
    def conclusion(self) -> str:
        """What follows for the efficacy seen, in a sentence."""
        if not self.n:
            return "No exposure could be held against the target."
        if self.without_response_below:
            return (
                f"{self.without_response_below} of {self.without_response} subjects without a response were below the "
                "target: inefficacy is not shown in them."
            )
        return f"{self.k} of {self.n} subjects reached the target."


def proportionalities(reader: Reader, study_ids: Sequence[int]) -> dict[int, list[StudyProportionality]]:
    """Return, by study, how exposure grows with dose (D5), one value for each subject."""
    exposures = _summed_up(reader, exposures_beside(reader, study_ids))
    return {study: _proportional(of) for study, of in exposures.items()}


def _summed_up(reader: Reader, found: dict[int, list[ExposureBeside]]) -> dict[int, list[ExposureBeside]]:
    """Leave out the exposures of which a record is excluded from summaries."""
    table = monitoring_records
    statement = select(table.c.id).where(
        *seen("MonitoringRecord", table, reader.view),
        among(table.c.study_id, sorted(found)),
        table.c.exclusion_scope == ExclusionScope.SUMMARIES.value,
        table.c.state.in_(VALID),
    )
    excluded = set(reader.connection.execute(statement).scalars())
    return {
        study: [each for each in of if not any(sample.record in excluded for sample in each.profile.samples)]
        for study, of in found.items()
    }


def _proportional(exposures: Sequence[ExposureBeside]) -> list[StudyProportionality]:
    points: dict[tuple[str, str, str, str], dict[int, tuple[float, float | None]]] = defaultdict(dict)
    units: dict[tuple[str, str, str], str] = {}
    for each in exposures:
        whose, dose = each.profile.whose, each.exposure.dose
        if whose.subject is None or dose is None or dose.unit is None or not dose.amount or dose.amount <= 0:
            continue
        for parameter in each.exposure.parameters:
            if parameter.code not in PROPORTIONAL:
                continue
            unit = units.setdefault((whose.analyte, whose.specimen, parameter.code), parameter.unit)
            value = in_its_unit(parameter.value, parameter.unit, unit, None)
            key = (whose.analyte, whose.specimen, parameter.code, dose.unit)
            points[key].setdefault(whose.subject, (dose.amount, value if value and value > 0 else None))
    return [
        StudyProportionality(
            *(analyte, specimen, code, unit),
            len(of),
            dose_proportionality([dose for dose, _ in of.values()], [value for _, value in of.values()]),
        )
        for (analyte, specimen, code, unit), of in sorted(points.items())
    ]


# ------------------------------------------------------------ targets


def attainments(reader: Reader, molecule_ids: Sequence[int]) -> dict[int, list[Attainment]]:
    """Return, by molecule, how many subjects reach each of its targets, by the last exposure of each.

    A target of the molecule is one of people; one that names a study holds in it, whatever its species.
    """
    limits = _targets(reader, molecule_ids)
    if not limits:
        return {id: [] for id in molecule_ids}
    studies = _studies(reader, {limit["molecule_id"] for limit in limits})
    wanted = sorted({id for ids in studies.values() for id in ids})
    species = species_of(reader.connection, wanted, reader.view)
    exposures = _summed_up(reader, exposures_beside(reader, wanted))
    responded = _best_responses(reader, sorted(exposures))
    found: dict[int, list[Attainment]] = {id: [] for id in molecule_ids}
    for limit in limits:
        of_limit = [
            each
            for study in sorted(studies[limit["molecule_id"]])
            if limit["study_id"] == study or (limit["study_id"] is None and is_people(species[study]))
            for each in exposures[study]
        ]
        found[limit["molecule_id"]].append(attained(limit, of_limit, responded))
    indications = _indications(reader, molecule_ids)
    return {id: _with_judged(of_molecule, indications[id]) for id, of_molecule in found.items()}


def targets_for(indication: str | None, found: Sequence[Attainment]) -> list[Attainment]:
    """Return the targets a programme is judged by: those for its indication, else those that name none.

    A target found in another indication says nothing of this one.
    """
    under = judged_under(indication, [each.indication for each in found])
    return [each for each in found if fold(each.indication or "") == under]


def _with_judged(found: Sequence[Attainment], indications: Sequence[str | None]) -> list[Attainment]:
    judged: dict[int, list[str]] = defaultdict(list)
    for indication in indications:
        for each in targets_for(indication, found):
            judged[each.limit_id].append(indication or "no indication yet")
    return [replace(each, judges=tuple(judged[each.limit_id])) for each in found]


def _indications(reader: Reader, molecule_ids: Sequence[int]) -> dict[int, list[str | None]]:
    """Return, by molecule, the indications of its programmes; None for one whose indication is open."""
    table = programmes
    statement = (
        select(table.c.molecule_id, table.c.indication)
        .where(*seen("Programme", table, reader.view), among(table.c.molecule_id, molecule_ids))
        .order_by(table.c.id)
    )
    found: dict[int, list[str | None]] = {id: [] for id in molecule_ids}
    for molecule, indication in reader.connection.execute(statement):
        found[molecule].append(indication)
    return found


def _targets(reader: Reader, molecule_ids: Sequence[int]) -> list[Mapping[str, Any]]:
    table = exposure_limits
    statement = (
        select(table, molecules.c.molar_mass)
        .join(molecules, molecules.c.id == table.c.molecule_id)
        .where(
            *seen("ExposureLimit", table, reader.view),
            visible(molecules, reader.view),
            among(table.c.molecule_id, molecule_ids),
            table.c.kind == "TARGET",
        )
        .order_by(table.c.id)
    )
    return [dict(row) for row in reader.connection.execute(statement).mappings()]


def _studies(reader: Reader, molecule_ids: Collection[int]) -> dict[int, set[int]]:
    table = monitoring_records
    statement = (
        select(table.c.molecule_id, table.c.study_id)
        .where(*seen("MonitoringRecord", table, reader.view), among(table.c.molecule_id, sorted(molecule_ids)))
        .distinct()
    )
    found: dict[int, set[int]] = defaultdict(set)
    for molecule, study in reader.connection.execute(statement):
        found[molecule].add(study)
    return found


def _best_responses(reader: Reader, study_ids: Sequence[int]) -> dict[int, bool]:
    """Return, by subject whose tumours were assessed, whether any accepted assessment is a response."""
    table = tumour_responses
    statement = select(table.c.subject_id, table.c.response).where(
        *seen("TumourResponse", table, reader.view),
        among(table.c.study_id, study_ids),
        table.c.subject_id.is_not(None),
        table.c.response.is_not(None),
        table.c.accepted.is_distinct_from(False),
    )
    found: dict[int, bool] = {}
    for subject, response in reader.connection.execute(statement):
        found[subject] = found.get(subject, False) or response in RESPONSES
    return found


def attained(
    limit: Mapping[str, Any], exposures: Sequence[ExposureBeside], responded: Mapping[int, bool]
) -> Attainment:
    """Return how many subjects reach a target (its row with the molecule's `molar_mass`) by their exposures.

    responded: whether a tumour responded, by subject assessed.
    """
    last: dict[int, bool | None] = {}
    for each in exposures:
        whose = each.profile.whose
        fits = (limit["analyte"] is None or fold(limit["analyte"]) == fold(whose.analyte)) and (
            limit["specimen"] is None or fold(limit["specimen"]) == fold(whose.specimen)
        )
        if whose.subject is not None and fits:
            told = _at_target(limit, each)
            last[whose.subject] = last.get(whose.subject) if told is None else told
    told_of = {subject: at_target for subject, at_target in last.items() if at_target is not None}
    k, n = sum(told_of.values()), len(told_of)
    low, high = wilson(k, n) if n >= SMALLEST_SHOWN else (None, None)
    without = [at_target for subject, at_target in told_of.items() if responded.get(subject) is False]
    return Attainment(
        limit_id=limit["id"],
        parameter=limit["parameter"],
        relation=limit["relation"],
        lower=limit["lower"],
        upper=limit["upper"],
        unit=limit["unit"],
        indication=limit["indication"],
        source=limit["source"],
        k=k,
        n=n,
        rate=k / n if n >= SMALLEST_SHOWN else None,
        low=low,
        high=high,
        not_told=len(last) - n,
        without_response=len(without),
        without_response_below=without.count(False),
    )


def _at_target(limit: Mapping[str, Any], each: ExposureBeside) -> bool | None:
    """Tell whether an exposure is at target; None where its parameter has no value in a unit of the target."""
    parameter = next((p for p in each.exposure.parameters if p.code == _code(limit["parameter"])), None)
    if parameter is None or parameter.value is None:
        return None
    try:
        value = convert(parameter.value, parameter.unit, limit["unit"], limit["molar_mass"])
    except InputError:
        return None
    strict = limit["relation"] == ">"
    lower, upper = limit["lower"], limit["upper"]
    enough = lower is None or (above(value, lower) if strict else at_least(value, lower))
    return enough and (upper is None or not above(value, upper))


def _code(parameter: str) -> str:
    """Return the code of an exposure a target names: a trough is the value at the end of the interval."""
    return {"CMIN": "CTROUGH", "AUC": "AUCTAU"}.get(parameter.upper(), parameter.upper())

"""What the records of animals and assays say to the preclinical rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pipeline.reports.exposure_margins import first_dose
from pipeline.reports.gathering import Gathering
from pipeline.reports.record_versions import Record
from pipeline.store.nodes import among
from pipeline.store.species import species_named
from pipeline.store.study_tables import measurements

VOLUME = frozenset({"TUMVOL", "VOLUME", "TUMOR_VOLUME", "TUMOUR_VOLUME"})
WEIGHT = frozenset({"BW", "BODY_WEIGHT", "WEIGHT", "TERMBW"})
FOUND_DEAD = frozenset({"FOUND DEAD", "DEATH", "DIED", "DEAD"})
"""Ends of animals that count against a dose: not those killed as planned, or for their tumour."""
_IS_VOLUME = among(measurements.c.what, sorted(VOLUME))
_IS_WEIGHT = among(measurements.c.what, sorted(WEIGHT))
ENOUGH_CONTROLS = 0.8
"""The reading day is the last on which so large a share of the control animals was still measured."""


def _volumes(gathering: Gathering) -> tuple[dict[int, list[Record]], dict[int, Record], set[int]]:
    """Return volumes by animal, the animals, and the ids of the control animals."""
    studies = gathering.animal_studies()
    volumes: dict[int, list[Record]] = defaultdict(list)
    rows = gathering.rows("Measurement", "study_id", studies, _IS_VOLUME)
    for row in rows:
        if row["value"] is not None and row["day"] is not None and row["subject_id"] is not None:
            volumes[row["subject_id"]].append(row)
            gathering.note("Measurement", row, f"volume on day {row['day']:g}", row["value"])
    animals = {row["id"]: row for row in gathering.rows("Subject", "id", sorted(volumes))}
    groups = gathering.rows("StudyGroup", "study_id", studies)
    control = {(row["study_id"], row["code"]) for row in groups if row["control"]}
    controls = {id for id, animal in animals.items() if (animal["study_id"], animal["group_code"]) in control}
    if not volumes:
        gathering.missing.append("tumour volumes of animals")
    elif not controls:
        gathering.missing.append("a group marked as control")
    return volumes, animals, controls


def tumour_growth(gathering: Gathering) -> None:
    """Collect tumour volumes and body weights of treated and control groups, study by study (A6)."""
    volumes, animals, controls = _volumes(gathering)
    weights, deaths = _weights(gathering, sorted(animals)), _deaths(gathering, animals)
    arms: list[dict[str, object]] = []
    codes = {row["id"]: row["code"] for row in gathering.studies()}
    studies = sorted({animals[id]["study_id"] for id in volumes})
    for study in studies:
        of = f"{codes[study]}, " if len(studies) > 1 else ""
        of_study = [id for id in volumes if animals[id]["study_id"] == study]
        day = _reading_day(volumes, [id for id in of_study if id in controls])
        if day is None:
            continue
        control = [id for id in of_study if id in controls]
        treated: dict[str, list[int]] = defaultdict(list)
        for id in of_study:
            if id not in controls:
                treated[animals[id]["group_code"] or animals[id]["arm"] or "treated"].append(id)
        for label, ids in sorted(treated.items()):
            arms.append(
                {
                    "label": f"{label} ({of}day {day:g})",
                    "treated_start": [_first(volumes[id]) for id in ids],
                    "treated_end": [_on(volumes[id], day) for id in ids],
                    "control_start": [_first(volumes[id]) for id in control],
                    "control_end": [_on(volumes[id], day) for id in control],
                    "weight_loss_percent": _greatest_mean_loss([weights[id] for id in ids if id in weights]),
                    "toxic_deaths": sum(deaths.get(id, day + 1) <= day for id in ids),
                }
            )
    gathering.inputs["arms"] = arms


def _reading_day(volumes: Mapping[int, Sequence[Record]], control: Sequence[int]) -> float | None:
    days: dict[float, int] = defaultdict(int)
    for id in control:
        for row in volumes[id]:
            days[row["day"]] += 1
    enough = [day for day, n in days.items() if n >= ENOUGH_CONTROLS * len(control) and day > min(days)]
    return max(enough, default=None)


def _first(rows: Sequence[Record]) -> float | None:
    """Return the volume at the start of treatment."""
    return _since_start([(row["day"], row["value"]) for row in rows])[0][1] if rows else None


def _on(rows: Sequence[Record], day: float) -> float | None:
    return next((row["value"] for row in rows if row["day"] == day), None)


def _weights(gathering: Gathering, animals: Sequence[int]) -> dict[int, dict[float, float]]:
    """Return the loss of body weight since the first weighing, %, by animal and day."""
    weighed: dict[int, dict[float, float]] = defaultdict(dict)
    rows = gathering.rows("Measurement", "subject_id", animals, _IS_WEIGHT)
    for row in rows:
        if row["value"] and row["day"] is not None:
            weighed[row["subject_id"]][row["day"]] = row["value"]
            gathering.note("Measurement", row, f"weight on day {row['day']:g}", row["value"])
    return {
        id: {day: 100 * (1 - weight / of_animal[min(of_animal)]) for day, weight in of_animal.items()}
        for id, of_animal in weighed.items()
    }


def _greatest_mean_loss(losses: Sequence[Mapping[float, float]]) -> float | None:
    """Return the greatest loss of a group, %: of each day's mean over the animals weighed on it."""
    by_day: dict[float, list[float]] = defaultdict(list)
    for of_animal in losses:
        for day, loss in of_animal.items():
            by_day[day].append(loss)
    return max((max(0.0, sum(of_day) / len(of_day)) for of_day in by_day.values()), default=None)


def _deaths(gathering: Gathering, animals: Mapping[int, Record]) -> dict[int, float]:
    """Return the day on which animals were found dead; 0 where none is told."""
    found: dict[int, float] = {}
    for row in gathering.rows("Disposition", "subject_id", sorted(animals)):
        if (row["term"] or row["term_reported"]).strip().upper() in FOUND_DEAD:
            found[row["subject_id"]] = row["day"] or 0.0
            gathering.note("Disposition", row, "death", row["term_reported"])
    return found


def xenografts(gathering: Gathering) -> None:
    """Collect the courses of treated animals since the start of treatment, one reading a day (A7)."""
    volumes, animals, controls = _volumes(gathering)
    courses: list[dict[str, object]] = []
    several = 0
    for id, rows in sorted(volumes.items()):
        readings = _since_start([(row["day"], row["value"]) for row in rows])
        if id in controls:
            continue
        if len({day for day, _ in readings}) < len(readings):
            several += 1
            continue
        days, sizes = ([reading[n] for reading in readings] for n in (0, 1))
        arm = animals[id]["group_code"] or animals[id]["arm"] or "treated"
        courses.append({"arm": arm, "day": days, "volume": sizes})
    gathering.inputs["animals"] = courses
    if several:
        gathering.missing.append(f"which volume of a day counts, for {several} animals with several on one day")


def _since_start(readings: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the readings in order, those before treatment left out but for the last where the first day has none."""
    ordered = sorted(readings)
    before = [reading for reading in ordered if reading[0] < 0]
    since = ordered[len(before) :]
    if before and not (since and since[0][0] <= 1):
        return [(0.0, before[-1][1]), *since]
    return since


def herg(gathering: Gathering) -> None:
    """Collect the hERG IC50 and the free peak concentration it is held against (A4)."""
    facts = gathering.facts()
    ic50 = facts.get("HERG_IC50")
    molecule = gathering.rows("Molecule", "id", [gathering.programme["molecule_id"]])[0]
    mass = molecule["molar_mass"]
    gathering.inputs["herg_ic50_um"] = gathering.fact(facts, "HERG_IC50", "umol/L")
    gathering.inputs["ic50_is_lower_limit"] = ic50 is not None and ic50["relation"].startswith(">")
    gathering.inputs["cmax_ng_per_ml"] = gathering.fact(facts, "CMAX_HUMAN", "ng/mL")
    gathering.inputs["fraction_unbound"] = gathering.fact(facts, "FRACTION_UNBOUND:human", "1")
    if mass is not None:
        gathering.note("Molecule", molecule, "molar mass", mass)
    else:
        mass = gathering.fact(facts, "MOLAR_MASS", "g/mol")
    gathering.inputs["molar_mass"] = mass


def margins(gathering: Gathering) -> None:
    """Collect exposures at safe doses of animals over that at the efficacious dose, with unbound fractions (A5)."""
    facts = gathering.facts()
    efficacious = gathering.fact(facts, "AUC_EFFICACIOUS", "h.ng/mL")
    human = gathering.fact(facts, "FRACTION_UNBOUND:human", "1")
    found: list[dict[str, object]] = []
    for name, row in facts.items():
        basis, _, species = name.partition(":")
        if basis not in ("AUC_NOAEL", "AUC_HNSTD") or not species:
            continue
        exposure = gathering.fact(facts, name, "h.ng/mL")
        animal = gathering.fact(facts, f"FRACTION_UNBOUND:{species}", "1")
        if exposure is not None and animal is not None and efficacious and human:
            label = f"{basis.removeprefix('AUC_')} in the {row['species']}"
            margin = exposure / efficacious
            found.append(
                {
                    "label": label,
                    "margin": margin,
                    "fraction_unbound_animal": animal,
                    "fraction_unbound_human": human,
                }
            )
    if not any(name.startswith(("AUC_NOAEL:", "AUC_HNSTD:")) for name in facts):
        gathering.missing.append("an AUC at the NOAEL or HNSTD of a species")
    gathering.inputs["margins"] = found


def starting_dose(gathering: Gathering) -> None:
    """Collect the doses a first dose in man is derived from: NOAELs (A2), STD10 and HNSTD (A3)."""
    rows = gathering.of_molecule("ToxicityBasis")
    for row in rows:
        gathering.note("ToxicityBasis", row, row["basis"], f"{row['relation']} {row['dose']} {row['dose_unit']}")
    studies = {row["id"]: row for row in gathering.rows("Study", "id", sorted({row["study_id"] for row in rows}))}
    bases = [{**row, "study_code": studies[row["study_id"]]["code"]} for row in rows if row["study_id"] in studies]
    doses = first_dose(bases, {id: species_named(row["species"]) for id, row in studies.items()})
    names = ("rodent", "std10_mg_per_kg", "non_rodent", "hnstd_mg_per_kg")
    gathering.inputs.update(zip(names, doses.basis_of_cancer, strict=True))
    gathering.inputs["noaels"] = [[each.species, each.noael_mg_per_kg] for each in doses.noaels]
    gathering.missing += doses.doubts

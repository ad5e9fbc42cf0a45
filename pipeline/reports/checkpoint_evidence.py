"""The evidence of a checkpoint, gathered from the records of a programme's molecule as they stand at one moment.

Each method reads what it computes with, and names every record version it saw. What it would need and does not find is
said, never filled in. The number of statements does not depend on how many records there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Table, select

from pipeline.assessment.finding import Evidence, Seen
from pipeline.errors import InputError
from pipeline.reports.exposure_margins import PEOPLE, first_doses
from pipeline.reports.exposure_summaries import RESPONSES, attainments
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.store import checkpoint_tables, study_tables, tables
from pipeline.store.nodes import NODES, among, seen
from pipeline.store.reader import Reader
from pipeline.units import convert

VOLUME = frozenset({"TUMVOL", "VOLUME", "TUMOR_VOLUME", "TUMOUR_VOLUME"})
WEIGHT = frozenset({"BW", "BODY_WEIGHT", "WEIGHT", "TERMBW"})
ENOUGH_CONTROLS = 0.8
"""The reading day is the last on which so large a share of the control animals was still measured."""
LIVER = {"ALT": "alt", "AST": "ast", "BILI": "bilirubin", "ALP": "alp"}
QTC = frozenset({"QTCF", "QTC", "QTCFAG", "EGQTCF"})


@dataclass(slots=True)
class Gathering:
    """One programme's records, read for one rule."""

    reader: Reader
    programme: Mapping[str, Any]
    rule: CheckpointRule
    inputs: dict[str, object] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def rows(self, node: str, *conditions: Any) -> list[dict[str, Any]]:
        """Return the rows of a node that meet the conditions, by id."""
        table: Table = NODES[node].table
        statement = select(table).where(*seen(node, table, self.reader.view), *conditions).order_by(table.c.id)
        return [dict(row) for row in self.reader.connection.execute(statement).mappings()]

    def note(self, node: str, row: Mapping[str, Any], label: str, value: object) -> None:
        """Keep that a record version was seen, and what was taken from it."""
        self.seen.append(Seen(node, row["id"], row["version"], label, f"{value}"))

    def studies(self) -> list[dict[str, Any]]:
        """Return the studies of the molecule."""
        table = tables.study_molecules
        named = self.rows("StudyMolecule", table.c.molecule_id == self.programme["molecule_id"])
        ids = sorted({row["study_id"] for row in named})
        return self.rows("Study", among(tables.studies.c.id, ids))

    def animal_studies(self) -> list[int]:
        """Return the ids of the nonclinical studies."""
        return [row["id"] for row in self.studies() if (row["species"] or "human").lower() not in PEOPLE]

    def clinical_studies(self) -> list[int]:
        """Return the ids of the clinical studies: of the programme's stage where some are, else of all."""
        clinical = [row for row in self.studies() if (row["species"] or "human").lower() in PEOPLE]
        stage = self.programme["stage"]
        of_stage = [row["id"] for row in clinical if stage in orjson.loads(row["phases"])]
        return of_stage or [row["id"] for row in clinical]

    def facts(self) -> dict[str, dict[str, Any]]:
        """Return what is on record of the molecule, by name (and species), the latest of each."""
        table = checkpoint_tables.molecule_facts
        found: dict[str, dict[str, Any]] = {}
        for row in self.rows("MoleculeFact", table.c.molecule_id == self.programme["molecule_id"]):
            found[f"{row['name']}:{row['species'].lower()}" if row["species"] else row["name"]] = row
        return found

    def fact(self, facts: Mapping[str, dict[str, Any]], name: str, unit: str) -> float | None:
        """Return a fact in a unit, noted as seen; None, noted as missing, where it is not on record."""
        row = facts.get(name)
        if row is None or row["value"] is None:
            self.missing.append(name.replace("_", " ").replace(":", " in "))
            return None
        self.note("MoleculeFact", row, name, row["reported"])
        try:
            return convert(row["value"], row["unit"], unit)
        except InputError as error:
            self.missing.append(f"{name} in a unit that can be used ({error})")
            return None


def gather(reader: Reader, programme: Mapping[str, Any], rule: CheckpointRule) -> Evidence:
    """Return what the records say to a rule about a programme, from the moment the reader sees."""
    gathering = Gathering(reader, programme, rule)
    collect = COLLECTORS.get(rule.method)
    if collect is not None:
        collect(gathering)
    return Evidence(gathering.inputs, tuple(gathering.seen), tuple(dict.fromkeys(gathering.missing)))


# ------------------------------------------------------------ preclinical


def _volumes(gathering: Gathering) -> tuple[dict[int, list[dict[str, Any]]], dict[int, dict[str, Any]], set[int]]:
    """Return volumes by animal, the animals, and the ids of the control animals."""
    studies = gathering.animal_studies()
    table = study_tables.measurements
    volumes: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = gathering.rows("Measurement", among(table.c.study_id, studies), among(table.c.what, sorted(VOLUME)))
    for row in rows:
        if row["value"] is not None and row["day"] is not None and row["subject_id"] is not None:
            volumes[row["subject_id"]].append(row)
            gathering.note("Measurement", row, f"volume on day {row['day']:g}", row["value"])
    animals = {row["id"]: row for row in gathering.rows("Subject", among(study_tables.subjects.c.id, sorted(volumes)))}
    groups = gathering.rows("StudyGroup", among(study_tables.study_groups.c.study_id, studies))
    control = {(row["study_id"], row["code"]) for row in groups if row["control"]}
    controls = {id for id, animal in animals.items() if (animal["study_id"], animal["group_code"]) in control}
    if not volumes:
        gathering.missing.append("tumour volumes of animals")
    elif not controls:
        gathering.missing.append("a group marked as control")
    return volumes, animals, controls


def _tumour_growth(gathering: Gathering) -> None:
    volumes, animals, controls = _volumes(gathering)
    weights = _weight_losses(gathering, sorted(animals))
    arms: list[dict[str, object]] = []
    for study in sorted({animals[id]["study_id"] for id in volumes}):
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
            losses = [weights[id] for id in ids if id in weights]
            arms.append(
                {
                    "label": f"{label} (day {day:g})",
                    "treated_start": [_first(volumes[id]) for id in ids],
                    "treated_end": [_on(volumes[id], day) for id in ids],
                    "control_start": [_first(volumes[id]) for id in control],
                    "control_end": [_on(volumes[id], day) for id in control],
                    "weight_loss_percent": sum(losses) / len(losses) if losses else None,
                }
            )
    gathering.inputs["arms"] = arms


def _reading_day(volumes: Mapping[int, Sequence[Mapping[str, Any]]], control: Sequence[int]) -> float | None:
    days: dict[float, int] = defaultdict(int)
    for id in control:
        for row in volumes[id]:
            days[row["day"]] += 1
    enough = [day for day, n in days.items() if n >= ENOUGH_CONTROLS * len(control) and day > min(days)]
    return max(enough, default=None)


def _first(rows: Sequence[Mapping[str, Any]]) -> float | None:
    return min(rows, key=lambda row: row["day"])["value"] if rows else None


def _on(rows: Sequence[Mapping[str, Any]], day: float) -> float | None:
    return next((row["value"] for row in rows if row["day"] == day), None)


def _weight_losses(gathering: Gathering, animals: Sequence[int]) -> dict[int, float]:
    """Return the greatest loss of body weight since the first weighing, %, by animal."""
    table = study_tables.measurements
    weighed: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = gathering.rows("Measurement", among(table.c.subject_id, animals), among(table.c.what, sorted(WEIGHT)))
    for row in rows:
        if row["value"] and row["day"] is not None:
            weighed[row["subject_id"]].append(row)
            gathering.note("Measurement", row, f"weight on day {row['day']:g}", row["value"])
    losses = {}
    for id, of_animal in weighed.items():
        start = min(of_animal, key=lambda row: row["day"])["value"]
        losses[id] = max(0.0, 100 * (1 - min(row["value"] for row in of_animal) / start))
    return losses


def _xenografts(gathering: Gathering) -> None:
    volumes, animals, controls = _volumes(gathering)
    gathering.inputs["animals"] = [
        {
            "arm": animals[id]["group_code"] or animals[id]["arm"] or "treated",
            "day": [row["day"] for row in ordered],
            "volume": [row["value"] for row in ordered],
        }
        for id, rows in sorted(volumes.items())
        if id not in controls
        for ordered in [sorted(rows, key=lambda row: row["day"])]
        if ordered[0]["value"] > 0 and len({row["day"] for row in ordered}) == len(ordered)
    ]


def _herg(gathering: Gathering) -> None:
    facts = gathering.facts()
    ic50 = facts.get("HERG_IC50")
    molecule = gathering.rows("Molecule", tables.molecules.c.id == gathering.programme["molecule_id"])[0]
    mass = molecule["molar_mass"]
    gathering.inputs["herg_ic50_um"] = gathering.fact(facts, "HERG_IC50", "umol/L")
    gathering.inputs["ic50_is_lower_limit"] = ic50 is not None and ic50["relation"].startswith(">")
    gathering.inputs["cmax_ng_per_ml"] = gathering.fact(facts, "CMAX_HUMAN", "ng/mL")
    gathering.inputs["fraction_unbound"] = gathering.fact(facts, "FRACTION_UNBOUND:human", "1")
    gathering.inputs["molar_mass"] = mass
    gathering.note("Molecule", molecule, "molar mass", mass)
    if mass is None:
        gathering.missing.append("the molar mass (give the structure)")


def _margins(gathering: Gathering) -> None:
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


def _starting_dose(gathering: Gathering) -> None:
    table = study_tables.toxicity_bases
    rows = gathering.rows("ToxicityBasis", table.c.molecule_id == gathering.programme["molecule_id"])
    for row in rows:
        gathering.note("ToxicityBasis", row, row["basis"], f"{row['relation']} {row['dose']} {row['dose_unit']}")
    doses = first_doses(gathering.reader, [gathering.programme["molecule_id"]])[gathering.programme["molecule_id"]]
    names = ("rodent", "std10_mg_per_kg", "non_rodent", "hnstd_mg_per_kg")
    gathering.inputs.update(zip(names, doses.basis_of_cancer, strict=True))
    gathering.missing += doses.doubts


# ------------------------------------------------------------ clinical


def _levels(gathering: Gathering) -> list[dict[str, Any]]:
    studies = gathering.clinical_studies()
    table = tables.dose_levels
    rows = gathering.rows("DoseLevel", among(table.c.study_id, studies), table.c.ordinal > 0)
    counted = [row for row in rows if row["treated"] is not None and row["with_dlt"] is not None]
    for row in counted:
        gathering.note("DoseLevel", row, row["label"], f"{row['with_dlt']} of {row['treated']}")
    left_out = len(rows) - len(counted)
    if left_out:
        gathering.missing.append(f"subjects treated and with a dose-limiting toxicity at {left_out} dose levels")
    elif not rows:
        gathering.missing.append("dose levels with subjects treated and dose-limiting toxicities")
    return counted


def _escalation(gathering: Gathering) -> None:
    counted = _levels(gathering)
    arms = sorted({(row["study_id"], row["arm"] or "") for row in counted})
    if len(arms) > 1:
        # Dose levels of several escalations have no common order: the one with most subjects is judged.
        sizes = {arm: sum(r["treated"] for r in counted if (r["study_id"], r["arm"] or "") == arm) for arm in arms}
        chosen = max(arms, key=lambda arm: sizes[arm])
        counted = [row for row in counted if (row["study_id"], row["arm"] or "") == chosen]
        gathering.missing.append(f"one order for the levels of {len(arms)} escalations: the largest is judged")
    gathering.inputs["levels"] = [
        {"label": row["label"], "treated": row["treated"], "with_dlt": row["with_dlt"]}
        for row in sorted(counted, key=lambda row: row["ordinal"])
    ]


def _continued_toxicity(gathering: Gathering) -> None:
    counted = _levels(gathering)
    if counted:
        gathering.inputs["treated"] = sum(row["treated"] for row in counted)
        gathering.inputs["with_dlt"] = sum(row["with_dlt"] for row in counted)


def _liver(gathering: Gathering) -> None:
    table = study_tables.laboratory_results
    rows = gathering.rows(
        "LaboratoryResult",
        among(table.c.study_id, gathering.clinical_studies()),
        among(table.c.test, sorted(LIVER)),
        table.c.value.is_not(None),
        table.c.upper_normal > 0,
        table.c.subject_id.is_not(None),
    )
    peaks: dict[int, dict[str, float]] = defaultdict(dict)
    for row in rows:
        times = row["value"] / row["upper_normal"]
        gathering.note("LaboratoryResult", row, row["test"], f"{times:.3g} x ULN")
        name = LIVER[row["test"]]
        peaks[row["subject_id"]][name] = max(times, peaks[row["subject_id"]].get(name, 0.0))
    gathering.inputs["subjects"] = [{"id": id, **tests} for id, tests in sorted(peaks.items())]
    if not rows:
        gathering.missing.append("liver tests with their upper limits of normal")


def _heart(gathering: Gathering) -> None:
    table = study_tables.laboratory_results
    rows = gathering.rows(
        "LaboratoryResult",
        among(table.c.study_id, gathering.clinical_studies()),
        among(table.c.test, sorted(QTC)),
        table.c.value.is_not(None),
        table.c.subject_id.is_not(None),
    )
    readings: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        gathering.note("LaboratoryResult", row, row["test"], f"{row['value']:g} ms")
        readings[row["subject_id"]].append(row)
    subjects: list[dict[str, object]] = []
    for id, of_subject in sorted(readings.items()):
        before = [row["value"] for row in of_subject if row["baseline"]]
        longest = max(row["value"] for row in of_subject)
        subjects.append(
            {"id": id, "longest_ms": longest, "longest_change_ms": longest - before[-1] if before else None}
        )
    gathering.inputs["subjects"] = subjects
    if not rows:
        gathering.missing.append("QTc readings")


def _exposure(gathering: Gathering) -> None:
    molecule = gathering.programme["molecule_id"]
    studies = set(gathering.clinical_studies())
    table = study_tables.monitoring_records
    limits = gathering.rows("ExposureLimit", study_tables.exposure_limits.c.molecule_id == molecule)
    for row in limits:
        gathering.note("ExposureLimit", row, row["parameter"], f"{row['relation']} {row['lower']} {row['unit']}")
    for row in gathering.rows("MonitoringRecord", table.c.molecule_id == molecule):
        if row["study_id"] in studies:
            gathering.note("MonitoringRecord", row, row["analyte"], row["reported"])
    found = [each for each in attainments(gathering.reader, [molecule])[molecule] if each.n]
    if found:
        gathering.inputs["at_target"], gathering.inputs["told"] = found[0].k, found[0].n
    else:
        gathering.missing.append("a target of exposure, and subjects whose exposure can be held against it")


def _response(gathering: Gathering) -> None:
    table = study_tables.tumour_responses
    rows = gathering.rows(
        "TumourResponse",
        among(table.c.study_id, gathering.clinical_studies()),
        table.c.response.is_not(None),
        table.c.subject_id.is_not(None),
        table.c.accepted.is_distinct_from(False),
    )
    best: dict[int, bool] = {}
    for row in rows:
        gathering.note("TumourResponse", row, row["criteria"], row["response"])
        if row["response"] != "NE":
            best[row["subject_id"]] = best.get(row["subject_id"], False) or row["response"] in RESPONSES
    if not best:
        gathering.missing.append("tumour responses of subjects")
        return
    gathering.inputs["responders"], gathering.inputs["evaluable"] = sum(best.values()), len(best)
    planned = gathering.rule.parameters.get("planned")
    enrolled = [row["enrolment"] for row in gathering.studies() if row["enrolment"]]
    gathering.inputs["planned"] = planned or (max(enrolled) if enrolled else None)
    if gathering.rule.method == "C6" and gathering.inputs["planned"] is None:
        gathering.missing.append("the planned number of subjects")


COLLECTORS: Mapping[str, Callable[[Gathering], None]] = {
    "A3": _starting_dose,
    "A4": _herg,
    "A5": _margins,
    "A6": _tumour_growth,
    "A7": _xenografts,
    "B4": _escalation,
    "B8": _continued_toxicity,
    "B9": _liver,
    "B10": _heart,
    "C4": _response,
    "C6": _response,
    "D9": _exposure,
}
"""How the evidence of each method is collected. A method that is missing here is decided on documents."""

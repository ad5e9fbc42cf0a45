"""The rows of made-up molecules, table by table: the same for the same seed, in the order in which they are looked up.

Molecule number n has id n, and its study the same id. Of a hundred molecules the first has a large study with as many
concentrations as some sixty others; that is where many records of one study are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import Any

import orjson
from sqlalchemy import Table

from pipeline.bench.generate_lives import Life
from pipeline.names import canonical_key
from pipeline.store import study_tables, tables
from pipeline.words import EventKind, Modality, StudyStatus

ANALYTES = ("parent", "metabolite")
OF_A_HUNDRED = 100
_TIMES_MIN = (0, 15, 30, 60, 120, 240, 360, 480, 720, 1440)
_MODALITIES = tuple(m.value for m in Modality if m is not Modality.UNKNOWN)
_GROUPS = ("HAEMATOLOGY", "BREAST", "GYNAECOLOGY", "MELANOMA", "LIVER", "GASTRIC", None)
_DISEASES = ("acute myeloid leukaemia", "breast cancer", "ovarian cancer", "melanoma", "liver cancer", "gastric cancer")
_LIMIT_NG_PER_ML = 1.0
_SMALL, _LARGE = 6, 28  # subjects of a study

COLUMNS: dict[Table, tuple[str, ...]] = {
    tables.molecules: ("code", "name", "name_key", "modality", "molar_mass"),
    tables.molecule_names: ("molecule_id", "name", "name_key", "source"),
    tables.molecule_targets: ("molecule_id", "target", "source"),
    tables.programmes: (
        *("molecule_id", "indication", "indication_key", "disease_group", "biomarker", "graph_id"),
        *("stage", "stage_ordinal", "status", "stage_since", "stage_since_reported"),
    ),
    tables.transitions: (
        *("programme_id", "graph_id", "position", "kind", "from_stage", "to_stage", "from_status", "to_status"),
        *("skipped", "imported", "occurred_on", "occurred_from", "occurred_to", "reason", "reason_verbatim"),
        "checkpoint_id",
    ),
    tables.checkpoints: (
        *("programme_id", "stage", "kind", "rule_code", "rule_number", "recommendation", "verdict"),
        *("statistic", "threshold", "explanation", "assessed_on", "decided_by"),
    ),
    tables.studies: ("code", "title", "phases", "registry_id", "status", "started_on", "started_from", "enrolment"),
    tables.study_sources: ("study_id", "source", "code", "statement", "content_digest"),
    tables.study_molecules: ("study_id", "source_id", "molecule_id", "name", "route"),
    tables.arms: ("study_id", "source_id", "label", "kind"),
    tables.dose_levels: ("study_id", "source_id", "arm", "ordinal", "label", "treated", "with_dlt_min", "with_dlt_max"),
    tables.doses: ("dose_level_id", "molecule_id", "name", "amount_reported", "amount", "unit_reported", "unit"),
    study_tables.subjects: ("study_id", "code", "species", "sex", "arm", "dose_level", "erased", "opposed_to_reuse"),
    study_tables.administrations: (
        *("study_id", "subject_id", "molecule_id", "treatment", "amount", "unit", "route", "started_on", "sorted_on"),
    ),
    study_tables.monitoring_records: (
        *("molecule_id", "study_id", "subject_id", "analyte", "specimen", "profile", "day", "reference_dose_at"),
        *("sampled_at", "sorted_on", "hours_after_dose", "time_source", "nominal_time", "reported", "reported_unit"),
        *("concentration", "unit", "lower_limit", "below_limit", "state", "entered_by"),
    ),
    tables.events: (
        *("kind", "molecule_id", "programme_id", "node", "node_id", "occurred_on", "sorted_on", "summary"),
        "reason_for_change",
    ),
}


def monitoring_of(molecule: int, each: int) -> int:
    """Return how many concentrations a molecule's study has, where it is to be `each` on average over a hundred."""
    small = each * 6 // 10
    return OF_A_HUNDRED * each - (OF_A_HUNDRED - 1) * small if is_large(molecule) else small


def is_large(molecule: int) -> bool:
    """Tell whether a molecule has a large study."""
    return molecule % OF_A_HUNDRED == 1


def programmes_before(molecule: int) -> int:
    """Return how many programmes the molecules before one have: one and two in turn."""
    return molecule - 1 + (molecule - 1) // 2


def code_of(molecule: int) -> str:
    """Return the code of a molecule."""
    return f"BENCH-{molecule:07d}"


def study_code(molecule: int) -> str:
    """Return the code of a molecule's own study."""
    return f"BENCH-S{molecule:07d}"


@lru_cache(maxsize=20_000)
def _day(number: int) -> str:
    return (date(2000, 1, 1) + timedelta(days=number)).isoformat()


_CLOCK = tuple(f"T{minute // 60:02d}:{minute % 60:02d}" for minute in range(1440))


@dataclass(slots=True)
class Rows:
    """Collects the rows of some molecules. first_ids: the next id of each table."""

    random: Random
    lives: Sequence[Life]
    graph_id: int
    first_ids: dict[Table, int]
    each: int
    of: dict[Table, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))

    def next(self, table: Table) -> int:
        """Return the id of the next row of a table."""
        return self.first_ids[table] + len(self.of[table])

    def take(self, molecule: int) -> None:
        """Add a molecule with everything below it."""
        name = f"compound {molecule:07d}"
        molar_mass = 150 + 600 * self.random.random()
        modality = _MODALITIES[molecule % len(_MODALITIES)]
        self.of[tables.molecules].append((code_of(molecule), name, canonical_key(name), modality, molar_mass))
        synonym = f"synonym {molecule:07d}"
        self.of[tables.molecule_names].append((molecule, synonym, canonical_key(synonym), "bench"))
        self.of[tables.molecule_targets].append((molecule, f"TARGET{molecule % 500}", "bench"))
        day = 1800 + int(self.random.random() * 3600)
        told = (EventKind.REGISTERED.value, molecule, None, "Molecule", molecule, _day(day), _day(day))
        self.of[tables.events].append((*told, f"{name} registered", None))
        first = programmes_before(molecule)
        for place in range(programmes_before(molecule + 1) - first):
            self._programme(molecule, first + place, place, day)
        self._study(molecule, name, molar_mass, day + 700)

    def _programme(self, molecule: int, number: int, place: int, day: int) -> None:
        life = self.lives[number % len(self.lives)]
        id = self.next(tables.programmes)
        days = []
        for step in life.steps:
            days.append(_day(day))
            self._transition(molecule, id, len(days), step, days[-1])
            day += 30 + int(self.random.random() * 330)
        if life.pending is not None and number % 2:
            explanation = "the evidence is in; the committee has not met yet"
            said = (self.random.random(), 0.5, explanation, f"{_day(day)}T09:00:00.000000Z", None)
            self.of[tables.checkpoints].append((id, *life.pending, None, *said))
        disease = _DISEASES[(molecule + place) % len(_DISEASES)]
        biomarker = f"TARGET{molecule % 500} high" if molecule % 3 == 0 else None
        about = (molecule, disease, disease, _GROUPS[molecule % len(_GROUPS)], biomarker, self.graph_id)
        since = days[life.entered]
        at = (life.stage, life.stage_ordinal, life.status, since, since)
        self.of[tables.programmes].append((*about, *at))

    def _transition(self, molecule: int, programme: int, position: int, step: Any, day: str) -> None:
        passed = None
        if step.checkpoint is not None:
            passed = self.next(tables.checkpoints)
            said = (self.random.random(), 0.25, "the bar is met", f"{day}T09:00:00.000000Z", "bench")
            self.of[tables.checkpoints].append((programme, *step.checkpoint, "GO", *said))
        id = self.next(tables.transitions)
        begun = (programme, self.graph_id, position, *step.columns)
        self.of[tables.transitions].append((*begun, day, day, day, *step.reason, passed))
        told = (step.told[0], molecule, programme, "Transition", id, day, day, step.told[1], step.reason[1])
        self.of[tables.events].append(told)

    def _study(self, molecule: int, name: str, molar_mass: float, day: int) -> None:
        subjects = _LARGE if is_large(molecule) else _SMALL
        code, begun, registered = study_code(molecule), _day(day), f"NCT9{molecule:07d}"
        phases = orjson.dumps(["PHASE_1", "PHASE_1_2"][: 1 + molecule % 2]).decode()
        statement = orjson.dumps({"code": code, "enrolment": subjects, "started_on": begun}).decode()
        status = StudyStatus.ACTIVE.value
        own = (code, f"First use of {name}", phases, registered, status, begun, begun, subjects)
        self.of[tables.studies].append(own)
        source = self.next(tables.study_sources)
        self.of[tables.study_sources].append((molecule, "bench", code, statement, f"{molecule:064x}"))
        given = [molecule, *([molecule - 1] if molecule % 3 == 0 else [])]
        for other in given:
            self.of[tables.study_molecules].append((molecule, source, other, f"compound {other:07d}", "oral"))
        self.of[tables.arms].append((molecule, source, "escalation", "EXPERIMENTAL"))
        for level in range(1, 5):
            id = self.next(tables.dose_levels)
            treated, least = 3 + level % 2 * 3, level // 3
            counted = (f"level {level}", treated, least, least + level // 4)
            self.of[tables.dose_levels].append((molecule, source, "escalation", level, *counted))
            amount = 12.5 * 2**level
            self.of[tables.doses].append((id, molecule, name, f"{amount:g}", amount, "mg", "mg"))
        self._subjects(molecule, name, code, subjects, begun)
        self._monitoring(molecule, subjects, molar_mass, day)
        told = (EventKind.STUDY_STARTED.value, molecule, None, "Study", molecule, begun, begun)
        self.of[tables.events].append((*told, f"{code} started", None))

    def _subjects(self, molecule: int, name: str, code: str, subjects: int, begun: str) -> None:
        for place in range(subjects):
            id, level = self.next(study_tables.subjects), 1 + place % 4
            pseudonym = f"{code}-{place + 1:03d}"
            who = (molecule, pseudonym, "human", "FM"[place % 2], "escalation", level, False, False)
            self.of[study_tables.subjects].append(who)
            dose = (molecule, id, molecule, name, 12.5 * 2**level, "mg", "oral", f"{begun}T08:00", begun)
            self.of[study_tables.administrations].append(dose)

    def _monitoring(self, molecule: int, subjects: int, molar_mass: float, day: int) -> None:
        count, random = monitoring_of(molecule, self.each), self.random.random
        analytes = ANALYTES if is_large(molecule) else ANALYTES[:1]
        first = self.next(study_tables.subjects) - subjects
        append = self.of[study_tables.monitoring_records].append
        for number in range(count):
            place, rest = number % subjects, number // subjects
            which, sample = rest % len(analytes), rest // len(analytes)
            week, at = divmod(sample, len(_TIMES_MIN))
            late = int(random() * 9) if at else 0
            minute = 480 + _TIMES_MIN[at] + late
            days = day + 7 * week + minute // 1440
            reference = _day(day + 7 * week)
            sampled = _day(days) + _CLOCK[minute % 1440]
            reported, value = _measured(at, which, molar_mass, random())
            unit = "nmol/L" if which else "ng/mL"
            who = (molecule, molecule, first + place, analytes[which], "plasma", f"week {week + 1}", 7.0 * week + 1)
            when = (f"{reference}T08:00", sampled, sampled, (_TIMES_MIN[at] + late) / 60, "actual", _NOMINAL[at])
            what = (reported, unit, value, "ng/mL", _LIMIT_NG_PER_ML, value is None, "REGISTERED", "bench")
            append((*who, *when, *what))


_NOMINAL = tuple(f"{minutes / 60:g} h" for minutes in _TIMES_MIN)


def _measured(at: int, which: int, molar_mass: float, chance: float) -> tuple[str, float | None]:
    """Return a concentration as reported, and in ng/mL: converted where it was reported in nmol/L."""
    if at == 0:
        return "<1.0", None
    hours = _TIMES_MIN[at] / 60
    ng_per_ml = (0.5 + chance) * 800 * hours / (0.7 + hours) ** 2
    if which:
        reported = f"{ng_per_ml / molar_mass * 1000:.4g}"
        return reported, float(reported) * molar_mass / 1000
    reported = f"{ng_per_ml:.4g}"
    return reported, float(reported)

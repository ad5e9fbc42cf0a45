"""What the exposures of people say to the rule of pharmacology: how many subjects reach the target of the molecule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from pipeline.names import canonical_key
from pipeline.pharmacology.recorded_samples import given_dose, sample_of, settings_for
from pipeline.pharmacology.study_exposures import AnalysisSettings, study_exposures
from pipeline.reports.exposure_summaries import Attainment, attained, targets_for
from pipeline.reports.gathering import Gathering
from pipeline.reports.record_versions import Record
from pipeline.reports.study_exposures import ExposureBeside, in_order
from pipeline.store.counted import VALID, counts
from pipeline.store.species import is_people
from pipeline.words import ExclusionScope


def exposure(gathering: Gathering) -> None:
    """Collect how many subjects reach the first target that the programme is judged by and that can be told (D9)."""
    studies = set(gathering.clinical_studies())
    limits = gathering.of_molecule("ExposureLimit")
    records = gathering.of_molecule("MonitoringRecord")
    found = _attainments(gathering, [limit for limit in limits if limit["kind"] == "TARGET"], records)
    told = [each for each in targets_for(gathering.programme["indication"], found) if each.n][:1]
    for row in limits:
        about = f"{row['parameter']} for {row['indication']}" if row["indication"] else row["parameter"]
        used = ", taken" if told and told[0].limit_id == row["id"] else ""
        gathering.note("ExposureLimit", row, about, f"{row['relation']} {row['lower']} {row['unit']}{used}")
    for row in records:
        if row["study_id"] in studies:
            gathering.note("MonitoringRecord", row, row["analyte"], row["reported"])
    if told:
        gathering.inputs["at_target"], gathering.inputs["told"] = told[0].k, told[0].n
    else:
        others = any(each.n for each in found)
        lacking = "a target of exposure for this indication" if others else "a target of exposure"
        gathering.missing.append(f"{lacking}, and subjects whose exposure can be held against it")


def _attainments(gathering: Gathering, targets: Sequence[Record], records: Iterable[Record]) -> list[Attainment]:
    """Return how many subjects reach each target, in the studies the molecule was measured in."""
    if not targets:
        return []
    (molecule,) = gathering.rows("Molecule", "id", [gathering.programme["molecule_id"]])
    studies = gathering.rows("Study", "id", sorted({row["study_id"] for row in records}))
    analysed = _analysed(gathering, [row["id"] for row in studies])
    found = []
    for target in targets:
        within = [
            each
            for study in studies
            if target["study_id"] == study["id"] or (target["study_id"] is None and is_people(study["species"]))
            for each in analysed[study["id"]]
        ]
        found.append(attained({**target, "molar_mass": molecule["molar_mass"]}, within, {}))
    return found


def _analysed(gathering: Gathering, study_ids: Sequence[int]) -> dict[int, list[ExposureBeside]]:
    """Return, by study, the exposures in order, without those of which a record is excluded from summaries."""
    samples = _by_study(gathering.rows("MonitoringRecord", "study_id", study_ids))
    doses = _by_study(gathering.rows("Administration", "study_id", study_ids))
    settings = _by_study(gathering.rows("MonitoringSettings", "study_id", study_ids))
    measured = sorted({row["molecule_id"] for rows in samples.values() for row in rows} - {None})
    molecules = {row["id"]: row for row in gathering.rows("Molecule", "id", measured)}
    return {study: _of_study(samples[study], doses[study], settings[study], molecules, study) for study in study_ids}


def _by_study(rows: Iterable[Record]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = defaultdict(list)
    for row in rows:
        found[row["study_id"]].append(row)
    return found


def _of_study(
    samples: Sequence[Record],
    doses: Sequence[Record],
    settings: Sequence[Record],
    molecules: Mapping[int, Record],
    study: int,
) -> list[ExposureBeside]:
    kept = {row["analyte"]: orjson.loads(row["settings"]) for row in settings}
    exposures = study_exposures(
        [sample_of(row) for row in samples if counts(row)],
        [given_dose(row) for row in doses],
        {analyte: AnalysisSettings.of(settings_for(kept, analyte)) for analyte in kept},
        _molar_masses(samples, molecules),
    )
    excluded = {row["id"] for row in samples if _is_left_out(row)}
    counted = [each for each in exposures if not any(sample.record in excluded for sample in each.profile.samples)]
    return in_order(ExposureBeside(study, each) for each in counted)


def _is_left_out(record: Record) -> bool:
    return record["exclusion_scope"] == ExclusionScope.SUMMARIES.value and record["state"] in VALID


def _molar_masses(samples: Collection[Record], molecules: Mapping[int, Record]) -> dict[str, float]:
    """Return, by analyte, the molar mass of the molecule it is; not of one it is a metabolite of."""
    found: dict[str, Any] = {}
    for row in samples:
        molecule = molecules.get(row["molecule_id"])
        if molecule is None or molecule["molar_mass"] is None:
            continue
        if canonical_key(row["analyte"]) in (molecule["name_key"], canonical_key(molecule["code"])):
            found[row["analyte"]] = molecule["molar_mass"]
    return found

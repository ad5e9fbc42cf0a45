"""The published phase I oncology trials (seven CSV files): combinations, dose levels, dose-limiting toxicities, MTDs.

Format and first data: github.com/langli-lab/drugcombo-data (MIT, The Ohio State University). One study per PMID, one
arm per combination (CombnID). What the tables print is kept as it stands, what is read in it stands beside it, and
every row has one fate: accepted (perhaps flagged), quarantined, or a duplicate of another row.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.exchange.collection import uncollected
from pipeline.exchange.dose_amounts import read_amount
from pipeline.exchange.dose_units import read_unit
from pipeline.exchange.facts import (
    DltDefinition,
    DltObservation,
    DoseFact,
    RecommendedDose,
    StudyFact,
    StudyMolecule,
)
from pipeline.exchange.grades import read_grade
from pipeline.exchange.phase1_levels import Combination, count_subjects, level_order, read_count
from pipeline.exchange.phase1_recommended import dose_kind
from pipeline.exchange.phase1_tables import Table, find_files, read_table
from pipeline.exchange.phase1_trials import GRAY, NOTHING, Trials, plain_pmid
from pipeline.exchange.reading import Reading

FORMAT = "phase1-dlt"
SOURCE = "phase1-dlt"
NOT_STATED = "not stated"
"""Term of a toxicity a row counts or grades without naming it."""


def read_phase1(files: Mapping[str, bytes]) -> Reading:
    """Read the seven files of a set, given by name: trial.csv, drug.csv, schema.csv, dlt_definition.csv, ...

    A row refers only to what an earlier table told: trials, their drugs, their levels, then what was seen on them.

    Raises:
        FileRefused: a file is missing, empty, damaged beyond reading, or lacks columns; the message names them.
    """
    with uncollected():
        return _read(files)


def _read(files: Mapping[str, bytes]) -> Reading:
    reading = Reading(FORMAT)
    names = find_files(files, reading)
    tables = {wanted: read_table(wanted, name, files[name], reading) for wanted, name in names.items()}
    trials = Trials(reading, {(row[0], row[3]) for row in tables["dose_level.csv"].rows if row[6] in GRAY})
    for wanted, read in (
        ("trial.csv", _trials),
        ("drug.csv", _drugs),
        ("schema.csv", _schemas),
        ("dose_level.csv", _dose_levels),
        ("dlt_definition.csv", _definitions),
        ("mtd.csv", _recommended),
        ("observed_dlt.csv", _observations),
    ):
        trials.file = tables[wanted].name
        read(trials, tables[wanted])
    _close(trials)
    reading.studies.extend(trials.studies.values())
    return reading


def _trials(trials: Trials, table: Table) -> None:
    get = NOTHING.get
    for number, row in zip(table.numbers, table.rows, strict=True):
        pmid = plain_pmid(row[0])
        if pmid is None:
            trials.refuse(number, "PMID", row[0], "not a PubMed number; correct it and import again")
            continue
        if pmid in trials.studies:
            earlier = trials.studies[pmid].row
            reason = f"this PMID has a row already (row {earlier}), with other content; keep one"
            trials.refuse(number, "PMID", row[0], reason)
            continue
        _, _, kind, protocol, population, inclusion, exclusion, window, comments = (get(cell, cell) for cell in row)
        details: dict[str, object] = {"trial_type": kind, "protocol": protocol}
        details |= {"inclusion": inclusion, "exclusion": exclusion}
        study = StudyFact(f"PMID {pmid}", SOURCE, phases=["PHASE_1"], population=population, dlt_window=window)
        study.comment = comments
        study.details = {key: value for key, value in details.items() if value is not None}
        study.row, study.file = number, table.name
        trials.studies[pmid] = study
        trials.registry_id(number, study, row[1])


def _drugs(trials: Trials, table: Table) -> None:
    get = NOTHING.get
    printed = trials.printed
    for number, row in zip(table.numbers, table.rows, strict=True):
        found = printed.get((row[0], row[1], row[2])) or trials.combination(number, row, listing=True)
        component = trials.listed(number, row) if found else None
        if found is None or component is None:
            continue
        study, combination = found
        label = combination.arm.label
        _, _, _, name, route, form, comment = row
        if component.flag:
            trials.flag(number, "Drug_Name", name, component.flag)
        combination.list_component(name, component, get(route, route), get(comment, comment))
        if component.molecule is not None:
            study.molecules.append(
                StudyMolecule(component.molecule, component.name, label, get(route, route), get(form, form), number)
            )
        else:
            others = study.details.setdefault("other_components", [])
            assert isinstance(others, list)
            others.append({"arm": label, "name": component.name, "kind": component.kind, "row": number})


def _schemas(trials: Trials, table: Table) -> None:
    get = NOTHING.get
    for number, row in zip(table.numbers, table.rows, strict=True):
        study = trials.study(number, row[0])
        if study is None:
            continue
        trials.registry_id(number, study, row[1])
        _, _, direction, design, text = (get(cell, cell) for cell in row)
        if design is not None and design.strip() not in (study.design or "").split("; "):
            study.design = f"{study.design}; {design.strip()}" if study.design else design.strip()
        schemas = study.details.setdefault("schemas", [])
        assert isinstance(schemas, list)
        schemas.append({"direction": direction, "design": design, "text": text, "row": number})


def _dose_levels(trials: Trials, table: Table) -> None:
    get = NOTHING.get
    printed = trials.printed
    for number, row in zip(table.numbers, table.rows, strict=True):
        pmid, nctid, comb, drug, label, value, unit, frequency, schedule, comment = row
        found = printed.get((pmid, nctid, comb)) or trials.combination(number, row)
        if found is None:
            continue
        combination = found[1]
        resolved = combination.resolved.get(drug) or trials.component(number, row, combination)
        if resolved is None:
            continue
        component, note, route = resolved
        level = combination.levels.get(label) or trials.level(number, combination, "Dose_Level", label)
        molecule = component.molecule
        key = molecule.key if molecule else None
        amount, dose_unit = read_amount(value), read_unit(unit, key)
        if amount.flag or amount.unit or dose_unit.flag:
            amount, dose_unit = trials.dose(number, value, unit, key, "Dose_Value")
        if note:
            trials.flag(number, "Drug_Name", drug, note)
        level.doses.append(
            DoseFact(
                component.name,
                molecule,
                get(value, value),
                amount.low if amount.low == amount.high else None,
                get(unit, unit),
                dose_unit.code,
                get(schedule, schedule),
                get(frequency, frequency),
                route,
                get(comment, comment),
                number,
            )
        )


def _definitions(trials: Trials, table: Table) -> None:
    get = NOTHING.get
    printed = trials.printed
    for number, row in zip(table.numbers, table.rows, strict=True):
        found = printed.get((row[0], row[1], row[2])) or trials.combination(number, row)
        if found is None:
            continue
        _, _, _, term, reported, duration, exclusion, comment = row
        grade = read_grade(reported)
        if grade.flag:
            trials.flag(number, "Grade", reported, grade.flag)
        found[0].dlt_definitions.append(
            DltDefinition(
                found[1].arm.label,
                get(term, term) or NOT_STATED,
                get(reported, reported),
                grade.low,
                grade.high,
                get(duration, duration),
                get(exclusion, exclusion),
                get(comment, comment),
                grade.flag,
                number,
            )
        )


def _observations(trials: Trials, table: Table) -> None:
    get = NOTHING.get
    printed = trials.printed
    for number, row in zip(table.numbers, table.rows, strict=True):
        found = printed.get((row[0], row[1], row[2])) or trials.combination(number, row)
        if found is None:
            continue
        study, combination = found
        _, _, _, term, reported, at_level, duration, frequency, total, occurrence, comment, doses = row
        grade, affected, treated = read_grade(reported), read_count(frequency), read_count(total)
        notes = []
        if grade.flag or affected.flag or treated.flag:
            for column, cell, flag in (
                ("Grade", reported, grade.flag),
                ("Observed_Frequency", frequency, affected.flag),
                ("Total", total, treated.flag),
            ):
                if flag:
                    trials.flag(number, column, cell, flag)
                    notes.append(flag)
        subjects = affected.value
        if subjects is not None and treated.value is not None and subjects > treated.value:
            notes.append(f"{subjects} subjects with a toxicity among {treated.value} treated; kept as reported")
            trials.flag(number, "Observed_Frequency", frequency, notes[-1])
            subjects = None
        known = combination.levels.get(at_level)
        level, note = (
            (known.label, None) if known and known.doses else _observed_level(trials, number, combination, at_level)
        )
        if note:
            notes.append(note)
        if (level is None or note) and doses not in NOTHING:
            kept = study.details.setdefault("doses_without_level", [])
            assert isinstance(kept, list)
            kept.append({"arm": combination.arm.label, "level": level, "doses": doses, "row": number})
        observation = DltObservation(
            combination.arm.label,
            level,
            get(term, term) or NOT_STATED,
            get(reported, reported),
            grade.low,
            grade.high,
            get(frequency, frequency),
            subjects,
            get(total, total),
            treated.value,
            get(duration, duration),
            get(occurrence, occurrence),
            get(comment, comment),
            "; ".join(notes) or None,
            number,
        )
        study.dlt_observations.append(observation)
        if level is not None:
            combination.observations.setdefault(level, []).append(observation)


def _observed_level(
    trials: Trials, number: int, combination: Combination, at_level: str
) -> tuple[str | None, str | None]:
    """Return the label of the level a toxicity was seen at, and what has to be said about it."""
    if at_level in NOTHING:
        return None, None
    level = trials.level(number, combination, "At_Level", at_level, halves=True)
    note = None
    if not level.doses:
        note = f"dose_level.csv has no level {at_level!r} for this combination"
    elif level_order(level.label) != level_order(at_level):
        note = f"{at_level!r} is taken for level {level.label}"
    if note:
        trials.flag(number, "At_Level", at_level, note)
    return level.label, note


def _recommended(trials: Trials, table: Table) -> None:
    get = NOTHING.get
    for number, row in zip(table.numbers, table.rows, strict=True):
        found = trials.printed.get((row[0], row[1], row[2])) or trials.combination(number, row)
        resolved = (found[1].resolved.get(row[3]) or trials.component(number, row, found[1])) if found else None
        if found is None or resolved is None:
            continue
        _, _, _, drug, value, unit, frequency, schedule, comment = row
        component, note, _ = resolved
        molecule = component.molecule
        amount, dose_unit = trials.dose(number, value, unit, molecule.key if molecule else None, "MTD_Value")
        kind = dose_kind(_told_of(value, comment) if amount.low is None else get(comment, comment))
        for flag in filter(None, (note, kind.flag)):
            trials.flag(number, "Drug_Name" if flag == note else "Comments", drug if flag == note else comment, flag)
        found[0].recommended_doses.append(
            RecommendedDose(
                found[1].arm.label,
                kind.code,
                component.name,
                molecule,
                get(value, value),
                amount.low,
                amount.high,
                get(unit, unit),
                dose_unit.code,
                get(frequency, frequency),
                get(schedule, schedule),
                get(comment, comment),
                "; ".join(filter(None, (note, amount.flag, dose_unit.flag, kind.flag))) or None,
                number,
            )
        )


def _close(trials: Trials) -> None:
    """Order the levels of every combination and count the subjects with a toxicity on each."""
    for study, combination in trials.combinations.values():
        combination.arm.description = combination.description() or None
        combination.arm.kind = "COMBINATION" if len(combination.routes) > 1 else "SINGLE_AGENT"
        levels = combination.ordered()
        study.dose_levels.extend(levels)
        for level in levels:
            observations = combination.observations.get(level.label)
            if observations and (note := count_subjects(level, observations)):
                trials.flag(observations[0].row or 0, "Total", None, f"level {level.label}: {note}")
    for study in trials.studies.values():
        study.rows = _rows_of(study)


def _rows_of(study: StudyFact) -> int:
    """Count the accepted rows of all files that tell of a study."""
    count = 1 + len(study.molecules) + len(study.recommended_doses)
    count += len(study.dlt_definitions) + len(study.dlt_observations)
    count += sum(len(level.doses) for level in study.dose_levels)
    for key in ("other_components", "schemas"):
        kept = study.details.get(key, [])
        assert isinstance(kept, list)
        count += len(kept)
    return count


def _told_of(value: str, comment: str) -> str:
    """Return what is said of an MTD that is no number: "not reached" may stand in its place or beside it."""
    return ". ".join(NOTHING.get(text, text) or "" for text in (f"MTD {value}", comment))

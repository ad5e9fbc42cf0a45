"""The published phase I oncology trials (seven CSV files): combinations, dose levels, dose-limiting toxicities, MTDs.

Format and first data: github.com/langli-lab/drugcombo-data (MIT, The Ohio State University). One study per PMID, one
arm per combination (CombnID). What the tables print is kept as it stands, what is read in it stands beside it, and
every row has one fate: accepted (perhaps flagged), quarantined, or a duplicate of another row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.exchange.dose_amounts import Amount, read_amount
from pipeline.exchange.dose_units import DoseUnit, read_unit
from pipeline.exchange.facts import (
    Arm,
    DltDefinition,
    DltObservation,
    DoseFact,
    DoseLevelFact,
    RecommendedDose,
    StudyFact,
    StudyMolecule,
)
from pipeline.exchange.grades import read_grade
from pipeline.exchange.phase1_components import Component, Components, matching
from pipeline.exchange.phase1_levels import Combination, count_subjects, level_order, read_count
from pipeline.exchange.phase1_recommended import dose_kind
from pipeline.exchange.phase1_tables import Table, find_files, read_table
from pipeline.exchange.reading import Place, Quarantined, Reading
from pipeline.exchange.registry_ids import read_registry_ids

FORMAT = "phase1-dlt"
SOURCE = "phase1-dlt"
NOT_STATED = "not stated"
"""Term of a toxicity a row counts or grades without naming it."""

_PMID = re.compile(r"[1-9]\d{0,8}(?:\.0)?")
_NOTHING = dict.fromkeys(("", "NA", "N/A", "na", "n/a", "NaN", " ", " NA", "NA ", "#N/A"))
_GRAY = {"Gy", "cGy", "GY", "gy", "mGy"}
_SHOWN = 200


def read_phase1(files: Mapping[str, bytes]) -> Reading:
    """Read the seven files of a set, given by name: trial.csv, drug.csv, schema.csv, dlt_definition.csv, ...

    Raises:
        FileRefused: a file is missing, empty, damaged beyond reading, or lacks columns; the message names them.
    """
    reading = Reading(FORMAT)
    names = find_files(files, reading)
    tables = {wanted: read_table(wanted, name, files[name], reading) for wanted, name in names.items()}
    return _Phase1(reading, tables).read()


class _Phase1:
    """One set of files while it is read."""

    def __init__(self, reading: Reading, tables: dict[str, Table]) -> None:
        self.reading = reading
        self.tables = tables
        self.file = ""
        self.components = Components()
        self.studies: dict[str, StudyFact] = {}
        self.combinations: dict[tuple[str, str], tuple[StudyFact, Combination]] = {}
        self.printed: dict[tuple[str, str], tuple[StudyFact, Combination]] = {}
        """Combinations by PMID and CombnID as any row prints them."""
        self.registered: set[tuple[str, str]] = set()
        """PMID and NCTID of the rows seen so far."""
        self.in_gray = {(row[0], row[3]) for row in tables["dose_level.csv"].rows if row[6] in _GRAY}

    def read(self) -> Reading:
        """Read table after table; a row refers only to what an earlier table told."""
        for wanted, step in (
            ("trial.csv", self._trials),
            ("drug.csv", self._drugs),
            ("schema.csv", self._schemas),
            ("dose_level.csv", self._dose_levels),
            ("dlt_definition.csv", self._definitions),
            ("observed_dlt.csv", self._observations),
            ("mtd.csv", self._recommended),
        ):
            table = self.tables[wanted]
            self.file = table.name
            step(table)
            self._registry_ids(table)
        self._close()
        self.reading.studies.extend(self.studies.values())
        return self.reading

    def _flag(self, row: int, column: str, value: str | None, reason: str) -> None:
        shown = value if value is None or len(value) <= _SHOWN else value[:_SHOWN] + "…"
        self.reading.flags.append(Quarantined(Place(self.file, row), column, shown, reason))

    def _refuse(self, row: int, column: str, value: str, reason: str) -> None:
        self.reading.quarantined.append(Quarantined(Place(self.file, row), column, value[:_SHOWN], reason))

    def _trials(self, table: Table) -> None:
        get = _NOTHING.get
        for number, row in zip(table.numbers, table.rows, strict=True):
            pmid = _plain_pmid(row[0])
            if pmid is None:
                self._refuse(number, "PMID", row[0], "not a PubMed number; correct it and import again")
                continue
            if pmid in self.studies:
                earlier = self.studies[pmid].row
                reason = f"this PMID has a row already (row {earlier}), with other content; keep one"
                self._refuse(number, "PMID", row[0], reason)
                continue
            _, _, kind, protocol, population, inclusion, exclusion, window, comments = (get(cell, cell) for cell in row)
            details: dict[str, object] = {"trial_type": kind, "protocol": protocol}
            details |= {"inclusion": inclusion, "exclusion": exclusion}
            study = StudyFact(f"PMID {pmid}", SOURCE, phases=["PHASE_1"], population=population, dlt_window=window)
            study.comment = comments
            study.details = {key: value for key, value in details.items() if value is not None}
            study.row, study.file = number, table.name
            self.studies[pmid] = study

    def _study(self, number: int, printed: str) -> StudyFact | None:
        """Return the study of a row, or quarantine the row."""
        pmid = _plain_pmid(printed)
        study = self.studies.get(pmid or "")
        if pmid is None:
            self._refuse(number, "PMID", printed, "not a PubMed number; correct it and import again")
        elif study is None:
            self._refuse(number, "PMID", printed, "no accepted row of trial.csv has this PMID; add or mend it there")
        return study

    def _combination(
        self, number: int, row: list[str], *, listing: bool = False
    ) -> tuple[StudyFact, Combination] | None:
        """Return the combination of a row, or quarantine the row. One that drug.csv does not list is flagged."""
        found = self.printed.get((row[0], row[2]))
        if found is None:
            study = self._study(number, row[0])
            if study is None:
                return None
            label = _plain_label(row[2])
            if label is None:
                self._refuse(number, "CombnID", row[2], "the row names no combination; give its CombnID")
                return None
            found = self.combinations.get((study.code, label))
            if found is None:
                found = self.combinations[study.code, label] = (study, Combination(label))
                study.arms.append(Arm(label, row=number if listing else None))
            self.printed[row[0], row[2]] = found
        if not listing and not found[1].listed:
            self._flag(number, "CombnID", row[2], "drug.csv lists no drug for this combination of this trial")
        return found

    def _drugs(self, table: Table) -> None:
        get = _NOTHING.get
        for number, row in zip(table.numbers, table.rows, strict=True):
            found = self._combination(number, row, listing=True)
            if found is None:
                continue
            study, combination = found
            pmid, _, _, printed, route, form, comment = row
            irradiated = "radiat" in route.casefold() and (pmid, printed) in self.in_gray
            component = None
            if printed not in _NOTHING:
                component = self.components.read(printed, irradiated=irradiated, file=table.name, row=number)
            if component is None:
                self._refuse(number, "Drug_Name", printed, "the row names no drug; give its name")
                continue
            if component.flag:
                self._flag(number, "Drug_Name", printed, component.flag)
            combination.list_component(printed, component, get(route, route), get(comment, comment))
            if component.molecule is not None:
                study.molecules.append(
                    StudyMolecule(
                        component.molecule,
                        component.name,
                        combination.label,
                        get(route, route),
                        get(form, form),
                        number,
                    )
                )
            else:
                others = study.details.setdefault("other_components", [])
                assert isinstance(others, list)
                others.append({"arm": combination.label, "name": component.name, "kind": component.kind, "row": number})

    def _schemas(self, table: Table) -> None:
        get = _NOTHING.get
        for number, row in zip(table.numbers, table.rows, strict=True):
            study = self._study(number, row[0])
            if study is None:
                continue
            _, _, direction, design, text = (get(cell, cell) for cell in row)
            if design is not None and design.strip() not in (study.design or "").split("; "):
                study.design = f"{study.design}; {design.strip()}" if study.design else design.strip()
            schemas = study.details.setdefault("schemas", [])
            assert isinstance(schemas, list)
            schemas.append({"direction": direction, "design": design, "text": text, "row": number})

    def _component(
        self, number: int, row: list[str], combination: Combination
    ) -> tuple[Component, str | None, str | None] | None:
        """Return the component a dose row names, what to say of its spelling, and its route; or quarantine the row."""
        printed = row[3]
        resolved = combination.resolved.get(printed)
        if resolved is None:
            component, note = None, None
            if printed not in _NOTHING:
                irradiated = (row[0], printed) in self.in_gray
                component = self.components.read(printed, irradiated=irradiated, file=self.file, row=number)
            if component is None:
                self._refuse(number, "Drug_Name", printed, "the row names no drug; give its name")
                return None
            component, note = matching(component, combination.listed)
            resolved = combination.resolved[printed] = (component, note, combination.route_of(component))
        return resolved

    def _dose_levels(self, table: Table) -> None:
        get = _NOTHING.get
        printed = self.printed
        for number, row in zip(table.numbers, table.rows, strict=True):
            pmid, _, comb, drug, label, value, unit, frequency, schedule, comment = row
            found = printed.get((pmid, comb))
            if found is None or not found[1].listed:
                found = self._combination(number, row)
                if found is None:
                    continue
            combination = found[1]
            resolved = combination.resolved.get(drug) or self._component(number, row, combination)
            if resolved is None:
                continue
            component, note, route = resolved
            level = combination.levels.get(label) or self._level(number, combination, "Dose_Level", label)
            molecule = component.molecule
            amount, dose_unit = self._dose(number, value, unit, molecule.key if molecule else None, "Dose_Value")
            if note:
                self._flag(number, "Drug_Name", drug, note)
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

    def _level(
        self, number: int, combination: Combination, column: str, label: str, *, halves: bool = False
    ) -> DoseLevelFact:
        """Return the level a row names and say what is odd about its label."""
        text = _NOTHING.get(label, label)
        level = combination.level(text, number, halves=halves)
        if text is not None and level_order(level.label) is None:
            self._flag(number, column, label, "the label has no number; the level is put after those that have one")
        return level

    def _dose(self, number: int, value: str, unit: str, molecule: str | None, column: str) -> tuple[Amount, DoseUnit]:
        """Return the amount and the unit of a row, having said what is odd about either."""
        amount = read_amount(value)
        dose_unit = read_unit(unit, molecule)
        if amount.unit is not None:
            beside = read_unit(amount.unit, molecule)
            if unit in _NOTHING:
                dose_unit = beside
            elif beside.code != dose_unit.code:
                reason = f"the unit in the cell ({amount.unit}) is not the one beside it ({unit}); kept as reported"
                amount = Amount(None, None, reason)
        if amount.flag:
            self._flag(number, column, value, amount.flag)
        if dose_unit.flag:
            self._flag(number, column.replace("Value", "Unit"), unit, dose_unit.flag)
        return amount, dose_unit

    def _definitions(self, table: Table) -> None:
        get = _NOTHING.get
        for number, row in zip(table.numbers, table.rows, strict=True):
            found = self._combination(number, row)
            if found is None:
                continue
            _, _, _, term, reported, duration, exclusion, comment = row
            grade = read_grade(reported)
            if grade.flag:
                self._flag(number, "Grade", reported, grade.flag)
            found[0].dlt_definitions.append(
                DltDefinition(
                    found[1].label,
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

    def _observations(self, table: Table) -> None:
        get = _NOTHING.get
        for number, row in zip(table.numbers, table.rows, strict=True):
            found = self._combination(number, row)
            if found is None:
                continue
            study, combination = found
            _, _, _, term, reported, at_level, duration, frequency, total, occurrence, comment, _ = row
            grade, affected, treated = read_grade(reported), read_count(frequency), read_count(total)
            notes = []
            for column, cell, flag in (
                ("Grade", reported, grade.flag),
                ("Observed_Frequency", frequency, affected.flag),
                ("Total", total, treated.flag),
            ):
                if flag:
                    self._flag(number, column, cell, flag)
                    notes.append(flag)
            subjects = affected.value
            if subjects is not None and treated.value is not None and subjects > treated.value:
                notes.append(f"{subjects} subjects with a toxicity among {treated.value} treated; kept as reported")
                self._flag(number, "Observed_Frequency", frequency, notes[-1])
                subjects = None
            level, note = self._observed_level(number, combination, at_level)
            if note:
                notes.append(note)
            observation = DltObservation(
                combination.label,
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

    def _observed_level(self, number: int, combination: Combination, at_level: str) -> tuple[str | None, str | None]:
        """Return the label of the level a toxicity was seen at, and what has to be said about it."""
        text = _NOTHING.get(at_level, at_level)
        if text is None:
            return None, None
        known = combination.levels.get(text)
        level = known or self._level(number, combination, "At_Level", at_level, halves=True)
        note = None
        if not level.doses:
            note = f"dose_level.csv has no level {at_level!r} for this combination"
        elif known is None and level_order(level.label) != level_order(at_level):
            note = f"{at_level!r} is taken for level {level.label}"
        if note:
            self._flag(number, "At_Level", at_level, note)
        return level.label, note

    def _recommended(self, table: Table) -> None:
        get = _NOTHING.get
        for number, row in zip(table.numbers, table.rows, strict=True):
            found = self._combination(number, row)
            resolved = self._component(number, row, found[1]) if found else None
            if found is None or resolved is None:
                continue
            _, _, _, drug, value, unit, frequency, schedule, comment = row
            component, note, _ = resolved
            molecule = component.molecule
            amount, dose_unit = self._dose(number, value, unit, molecule.key if molecule else None, "MTD_Value")
            kind = dose_kind(get(comment, comment))
            for flag in filter(None, (note, kind.flag)):
                self._flag(number, "Drug_Name" if flag == note else "Comments", drug if flag == note else comment, flag)
            found[0].recommended_doses.append(
                RecommendedDose(
                    found[1].label,
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

    def _registry_ids(self, table: Table) -> None:
        """Take the registry numbers of a table; trial.csv comes first and is believed where others differ."""
        pairs = {(row[0], row[1]) for row in table.rows} - self.registered
        self.registered |= pairs
        pairs = {pair for pair in pairs if pair[1] not in _NOTHING}
        if not pairs:
            return
        for number, row in zip(table.numbers, table.rows, strict=True):
            pair = (row[0], row[1])
            if pair in pairs:
                pairs.discard(pair)
                self._registry_id(number, *pair)

    def _registry_id(self, number: int, pmid: str, printed: str) -> None:
        study = self.studies.get(_plain_pmid(pmid) or "")
        if study is None:
            return
        found = read_registry_ids(printed)
        if found.flag:
            self._flag(number, "NCTID", printed, found.flag)
        first = study.registry_id is None and study.registry_id_reported is None
        if study.registry_id is None and (found.ids or first):
            study.registry_id_reported = printed
            study.registry_id = found.ids[0] if found.ids else None
        others = study.details.setdefault("other_registry_ids", [])
        assert isinstance(others, list)
        others.extend(id for id in found.ids if id != study.registry_id and id not in others)
        if not others:
            del study.details["other_registry_ids"]
        elif not first and found.ids and study.registry_id not in found.ids:
            reason = f"trial.csv says {study.registry_id}; that is kept, this one stands beside it"
            self._flag(number, "NCTID", printed, reason)

    def _close(self) -> None:
        """Order the levels of every combination and count the subjects with a toxicity on each."""
        self.file = self.tables["observed_dlt.csv"].name
        arms = {(study.code, arm.label): arm for study in self.studies.values() for arm in study.arms}
        for (code, label), (study, combination) in self.combinations.items():
            arm = arms[code, label]
            arm.description = combination.description() or None
            arm.kind = "COMBINATION" if len(combination.routes) > 1 else "SINGLE_AGENT"
            levels = combination.ordered()
            study.dose_levels.extend(levels)
            for level in levels:
                observations = combination.observations.get(level.label)
                if observations and (note := count_subjects(level, observations)):
                    self._flag(observations[0].row or 0, "Total", None, f"level {level.label}: {note}")


def _plain_pmid(text: str) -> str | None:
    plain = text.strip()
    return plain.removesuffix(".0") if _PMID.fullmatch(plain) else None


def _plain_label(text: str) -> str | None:
    plain = " ".join(text.split())
    return None if plain in _NOTHING else plain.removesuffix(".0")

"""What belongs together in a set of phase I trials while it is read: studies, their combinations, what is odd."""

from __future__ import annotations

import re

from pipeline.exchange.dose_amounts import Amount, read_amount
from pipeline.exchange.dose_units import DoseUnit, read_unit
from pipeline.exchange.facts import Arm, DoseLevelFact, StudyFact
from pipeline.exchange.phase1_components import Component, Components, matching
from pipeline.exchange.phase1_levels import Combination, level_order
from pipeline.exchange.reading import Place, Quarantined, Reading
from pipeline.exchange.registry_ids import read_registry_ids

NOTHING = dict.fromkeys(("", "NA", "N/A", "na", "n/a", "NaN", " ", " NA", "NA ", "#N/A"))
"""The missing markers; NOTHING.get(cell, cell) is None for them."""

GRAY = frozenset({"Gy", "cGy", "GY", "gy", "mGy"})
_PMID = re.compile(r"[1-9]\d{0,8}(?:\.0)?")
_SHOWN = 200
ComponentOf = tuple[Component, str | None, str | None]
"""A component by the name its row prints, what has to be said about that name, and its route."""


class Trials:
    """The studies and combinations of one set, by the PMID and CombnID their rows print.

    A look-up returns None where the row cannot be placed; the row is in quarantine then.
    """

    def __init__(self, reading: Reading, in_gray: set[tuple[str, str]]) -> None:
        self.reading = reading
        self.file = ""
        """The file being read."""
        self.studies: dict[str, StudyFact] = {}
        self.combinations: dict[tuple[str, str], tuple[StudyFact, Combination]] = {}
        self.printed: dict[tuple[str, str, str], tuple[StudyFact, Combination]] = {}
        """Combinations listed in drug.csv by PMID, NCTID and CombnID as any row prints them."""
        self._in_gray = in_gray
        self._components = Components()
        self._registered: set[tuple[str, str]] = set()

    def flag(self, row: int, column: str, value: str | None, reason: str) -> None:
        """Say that an accepted row has something to mind."""
        shown = value if value is None or len(value) <= _SHOWN else value[:_SHOWN] + "…"
        self.reading.flags.append(Quarantined(Place(self.file, row), column, shown, reason))

    def refuse(self, row: int, column: str, value: str, reason: str) -> None:
        """Quarantine a row."""
        self.reading.quarantined.append(Quarantined(Place(self.file, row), column, value[:_SHOWN], reason))

    def study(self, number: int, printed: str) -> StudyFact | None:
        """Return the study of a row, or quarantine the row."""
        study = self.studies.get(printed)
        if study is not None:
            return study
        pmid = plain_pmid(printed)
        study = self.studies.get(pmid or "")
        if pmid is None:
            self.refuse(number, "PMID", printed, "not a PubMed number; correct it and import again")
        elif study is None:
            self.refuse(number, "PMID", printed, "no accepted row of trial.csv has this PMID; add or mend it there")
        return study

    def combination(
        self, number: int, row: list[str], *, listing: bool = False
    ) -> tuple[StudyFact, Combination] | None:
        """Return study and combination of a row, or quarantine the row. One that drug.csv does not list is flagged."""
        study = self.study(number, row[0])
        if study is None:
            return None
        self.registry_id(number, study, row[1])
        label = _plain_label(row[2])
        if label is None:
            self.refuse(number, "CombnID", row[2], "the row names no combination; give its CombnID")
            return None
        found = self.combinations.get((study.code, label))
        if found is None:
            arm = Arm(label, row=number if listing else None)
            found = self.combinations[study.code, label] = (study, Combination(arm))
            study.arms.append(arm)
        if found[1].listed:
            self.printed[row[0], row[1], row[2]] = found
        elif not listing:
            self.flag(number, "CombnID", row[2], "drug.csv lists no drug for this combination of this trial")
        return found

    def listed(self, number: int, row: list[str]) -> Component | None:
        """Return the component a row of drug.csv names, or quarantine the row."""
        irradiated = "radiat" in row[4].casefold() and (row[0], row[3]) in self._in_gray
        return self._named(number, row[3], irradiated)

    def _named(self, number: int, printed: str, irradiated: bool) -> Component | None:
        component = None
        if printed not in NOTHING:
            component = self._components.read(printed, irradiated=irradiated, file=self.file, row=number)
        if component is None:
            self.refuse(number, "Drug_Name", printed, "this is no name of a drug; give its name")
        return component

    def component(self, number: int, row: list[str], combination: Combination) -> ComponentOf | None:
        """Return the component a dose row names, or quarantine the row."""
        printed = row[3]
        listed, note = combination.listed.get(printed), None
        component = listed
        if component is None:
            component = self._named(number, printed, (row[0], printed) in self._in_gray)
            if component is None:
                return None
            listed, note = matching(component, combination.by_key)
            component = Component(component.name, listed.molecule, listed.kind)
        route = combination.route_of(listed or component)
        combination.resolved[printed] = (component, note, route)
        return component, note, route

    def level(
        self, number: int, combination: Combination, column: str, label: str, *, halves: bool = False
    ) -> DoseLevelFact:
        """Return the level a row names and say what is odd about its label."""
        text = NOTHING.get(label, label)
        level = combination.level(text, number, halves=halves)
        if text is not None and level_order(level.label) is None:
            self.flag(number, column, label, "the label has no number; the level is put after those that have one")
        return level

    def dose(self, number: int, value: str, unit: str, molecule: str | None, column: str) -> tuple[Amount, DoseUnit]:
        """Return the amount and the unit of a row, having said what is odd about either."""
        amount = read_amount(value)
        dose_unit = read_unit(unit, molecule)
        if amount.unit is not None:
            beside = read_unit(amount.unit, molecule)
            if unit in NOTHING:
                dose_unit = beside
            elif beside.code != dose_unit.code:
                reason = f"the unit in the cell ({amount.unit}) is not the one beside it ({unit}); kept as reported"
                amount = Amount(None, None, reason)
        if amount.flag:
            self.flag(number, column, value, amount.flag)
        if dose_unit.flag:
            self.flag(number, column.replace("Value", "Unit"), unit, dose_unit.flag)
        return amount, dose_unit

    def registry_id(self, number: int, study: StudyFact, printed: str) -> None:
        """Take a registry number. trial.csv comes first and is believed; another number stands beside it."""
        if printed in NOTHING or (study.code, printed) in self._registered:
            return
        self._registered.add((study.code, printed))
        found = read_registry_ids(printed)
        if found.flag:
            self.flag(number, "NCTID", printed, found.flag)
        if study.registry_id is None and (found.ids or study.registry_id_reported is None):
            study.registry_id_reported = printed
            study.registry_id = found.ids[0] if found.ids else None
            if found.ids and self.file != study.file:
                self.flag(
                    number, "NCTID", printed, f"{study.registry_id} is taken from here: trial.csv gives no number"
                )
        elif found.ids and study.registry_id not in found.ids:
            self.flag(
                number, "NCTID", printed, f"trial.csv says {study.registry_id}; that is kept, this stands beside it"
            )
        others = study.details.get("other_registry_ids", [])
        assert isinstance(others, list)
        others += [id for id in found.ids if id != study.registry_id and id not in others]
        if others:
            study.details["other_registry_ids"] = others


def plain_pmid(text: str) -> str | None:
    """Return a PubMed number as digits alone, None where the text is none."""
    plain = text.strip()
    return plain.removesuffix(".0") if _PMID.fullmatch(plain) else None


def _plain_label(text: str) -> str | None:
    plain = " ".join(text.split())
    return None if plain in NOTHING else plain.removesuffix(".0")

"""Target exposures of a list, put on record as limits of the molecules they speak of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from pipeline.commands.alerts import Touched, watch
from pipeline.exchange.dataset_table import number_text
from pipeline.exchange.exposure_target_tables import TargetFact
from pipeline.exchange.reading import Duplicate, Held, Quarantined, Reading
from pipeline.names import canonical_key
from pipeline.store import tables
from pipeline.store.journal import Act
from pipeline.store.study_tables import exposure_limits
from pipeline.units import needs_molar_mass

_SAME = ("molecule_id", "study_id", "parameter", "analyte", "specimen", "indication", "source")


@dataclass(slots=True)
class ExposureTargets:
    """Writes the targets of a reading. Those of molecules that are not on record are held until they are."""

    act: Act
    reading: Reading
    written: int = 0

    def write(self) -> None:
        """Write what is new; what is on record otherwise is held with the difference."""
        touched = {id for fact in self.reading.targets if (id := self._write(fact)) is not None}
        if touched:
            watch(
                self.act,
                Touched(kinds=frozenset({"MonitoringRecord"}), molecules=frozenset(touched), all_records=True),
            )

    def _write(self, fact: TargetFact) -> int | None:
        """Write one target; return the molecule whose limits it changed."""
        found = self._molecules(fact.drug)
        if len(found) != 1:
            many = f"{len(found)} molecules are" if found else "no molecule is"
            why = f"{many} known as {fact.drug[:60]!r}; register it, or give it the name, and import the list again"
            self.reading.held.append(Held(fact.place, "drug", fact.drug, "a target of this molecule", why))
            return None
        [molecule] = found
        like = "h*ng/mL" if fact.parameter.startswith("AUC") else "ng/mL"
        if needs_molar_mass(fact.unit, like) and molecule["molar_mass"] is None:
            why = f"{molecule['code']} has no molar mass on record, so {fact.unit} cannot be held against mass units"
            self.reading.quarantined.append(Quarantined(fact.place, "unit", fact.unit, why))
            return None
        row = _row(fact, int(molecule["id"]))
        columns = exposure_limits.c
        known = [
            before
            for before in self.act.current(exposure_limits, columns.molecule_id == molecule["id"])
            if all(before[name] == row[name] for name in _SAME)
        ]
        if not known:
            self.act.add(exposure_limits, row)
            self.written += 1
            return int(molecule["id"])
        if any(all(before[name] == value for name, value in row.items()) for before in known):
            self.reading.duplicates.append(Duplicate(fact.place, None))
        else:
            before = known[0]
            told = f"{_bounds(before)} on record, {_bounds(row)} here"
            why = f"the target of {molecule['code']} from this source is on record with other bounds: {told}"
            self.reading.held.append(Held(fact.place, "lower", told[:200], "set the limit by hand", why[:500]))
        return None

    def _molecules(self, name: str) -> list[dict[str, Any]]:
        table, names, key = tables.molecules, tables.molecule_names, canonical_key(name)
        synonyms = select(names.c.molecule_id).where(names.c.until_act.is_(None), names.c.name_key == key)
        return self.act.current(
            table,
            table.c.merged_into.is_(None),
            or_(table.c.code == name, table.c.name_key == key, table.c.id.in_(synonyms)),
        )


def _row(fact: TargetFact, molecule_id: int) -> dict[str, Any]:
    within = fact.lower is not None and fact.upper is not None
    return {
        "molecule_id": molecule_id,
        "study_id": None,
        "kind": "CAP" if fact.lower is None else "TARGET",
        "analyte": None,
        "specimen": None,
        "indication": fact.indication,
        "parameter": fact.parameter,
        "relation": "WITHIN" if within else "AT_LEAST" if fact.lower is not None else "AT_MOST",
        "lower": fact.lower,
        "upper": fact.upper,
        "unit": fact.unit,
        "source": fact.source,
        "flag": fact.flag,
    }


def _bounds(row: dict[str, Any]) -> str:
    low, high = (None if row[name] is None else number_text(row[name]) for name in ("lower", "upper"))
    return f"{low or '...'} to {high or '...'} {row['unit']}"

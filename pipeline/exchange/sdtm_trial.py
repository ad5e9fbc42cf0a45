"""What a study says of itself as a whole (TS): title, phase, species, dates, sponsor, treatments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.dates import PartialDate
from pipeline.errors import InputError
from pipeline.exchange.facts import StudyFact
from pipeline.exchange.moments import read_moment
from pipeline.exchange.reading import Place
from pipeline.exchange.registry_ids import read_registry_ids
from pipeline.exchange.sdtm_rows import Rows
from pipeline.exchange.written_numbers import read_number

SOURCE = "sdtm"
"""Under this name what data sets say of a study stands beside what others say of it."""
_PERSONAL = frozenset({"STDIR", "TSCNTC", "PINV", "SPONCNTC", "STMON"})
"""Parameters that name people: they are left in the file and not taken over."""
_UNSAID = frozenset({"NOT AVAILABLE", "NOT APPLICABLE", "UNKNOWN", "NONE", "N/A", "NA"})
_PHASES = {
    **{"1": "PHASE_1", "I": "PHASE_1", "IA": "PHASE_1", "IB": "PHASE_1", "1A": "PHASE_1", "1B": "PHASE_1"},
    **{"1/2": "PHASE_1_2", "I/II": "PHASE_1_2", "1-2": "PHASE_1_2", "I-II": "PHASE_1_2", "IB/II": "PHASE_1_2"},
    **{"2": "PHASE_2", "II": "PHASE_2", "IIA": "PHASE_2", "IIB": "PHASE_2", "2A": "PHASE_2", "2B": "PHASE_2"},
    **{"2/3": "PHASE_2_3", "II/III": "PHASE_2_3", "2-3": "PHASE_2_3", "II-III": "PHASE_2_3"},
    **{"3": "PHASE_3", "III": "PHASE_3", "IIIA": "PHASE_3", "IIIB": "PHASE_3", "3A": "PHASE_3", "3B": "PHASE_3"},
    **{"4": "PHASE_4", "IV": "PHASE_4", "V": "PHASE_4"},
}
_NOISE = re.compile(r"\b(?:PHASE|TRIAL|STUDY|CLINICAL|ETUDE|ESSAI)\b|\s+")


@dataclass(slots=True)
class Trial:
    """The parameters of a study, each with its values in the order of their sequence."""

    values: dict[str, list[str]] = field(default_factory=dict)
    place: Place | None = None
    rows: int = 0

    def add(self, rows: Rows) -> None:
        """Take the parameters of some rows."""
        for place, code, value, nothing in zip(
            rows.places(), rows.texts("TSPARMCD"), rows.texts("TSVAL"), rows.texts("TSVALNF"), strict=True
        ):
            said = value if value is not None else nothing
            if code is None or said is None or code in _PERSONAL:
                continue
            self.place = self.place or place
            known = self.values.setdefault(code.upper(), [])
            if said not in known:
                known.append(said)
        self.rows += len(rows)

    def first(self, *codes: str) -> str | None:
        """Return the first value of the first of these parameters that says something."""
        for code in codes:
            for value in self.values.get(code, ()):
                if value.upper() not in _UNSAID:
                    return value
        return None

    @property
    def species(self) -> str | None:
        """The species, as names of species are written in this project; None where it is not said."""
        said = self.first("SPECIES")
        return None if said is None else said.lower()

    @property
    def treatments(self) -> list[str]:
        """What is under investigation."""
        return [value for value in self.values.get("TRT", ()) if value.upper() not in _UNSAID]

    def study(self, code: str) -> StudyFact:
        """Return what the study says of itself."""
        registry = read_registry_ids(self.first("REGID"))
        reported = self.first("TPHASE", "PHASE")
        phase = _PHASES.get(_NOISE.sub("", (reported or "").upper()))
        enrolment = read_number(self.first("ACTSUB", "PLANSUB", "SPLANSUB")).value
        details: dict[str, object] = {}
        if self.values:
            details["parameters"] = {
                name: found[0] if len(found) == 1 else found for name, found in self.values.items()
            }
        if self.first("GLPTYP"):
            details["glp"] = self.values["GLPTYP"]
        if self.first("SPECIES"):
            details |= {"species": self.species, "strain": self.first("STRAIN")}
        return StudyFact(
            code=code,
            source=SOURCE,
            registry_id=registry.ids[0] if registry.ids else None,
            registry_id_reported=self.first("REGID"),
            title=self.first("STITLE", "TITLE"),
            phases=[phase] if phase else [],
            started_on=_day(self.first("SSTDTC", "STSTDTC", "EXPSTDTC")),
            ended_on=_day(self.first("SENDTC", "STENDTC", "EXPENDTC")),
            sponsor=self.first("SSPONSOR", "SPONSOR"),
            design=self.first("SDESIGN", "INTMODEL"),
            conditions=_all(self.values.get("INDIC", ()) or self.values.get("TDIGRP", ())),
            enrolment=int(enrolment) if enrolment is not None and 0 <= enrolment < 1e9 else None,
            details={name: value for name, value in details.items() if value is not None},
            row=self.place.row if self.place else None,
            file=self.place.file if self.place else None,
            rows=self.rows,
        )


def _all(values: Iterable[str]) -> list[str]:
    return [value for value in values if value.upper() not in _UNSAID]


def _day(text: str | None) -> PartialDate | None:
    """Return the day of a date or date-time; what is no date stays in the parameters."""
    moment = read_moment(text)
    if moment.text is None:
        return None
    try:
        return PartialDate.parse(moment.text[:10])
    except InputError:
        return None

"""What is known of a study while its records are read: its doses, reference dates, molecules and exclusions."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.exchange.facts import MoleculeFact
from pipeline.exchange.moments import read_moment
from pipeline.exchange.reading import Place, Quarantined
from pipeline.names import canonical_key, fold
from pipeline.pseudonyms import what_identifies

_INERT = re.compile(
    r"\b(?:placebo|vehicle|vehicule|véhicule|saline|sham|control article|water|dextrose|glucose|nacl|pbs|methocel\w*"
    r"|methylcellulose|excipient|kochsalz|eau|sérum phys\w*|none|untreated|no treatment|observation)\b",
    re.IGNORECASE,
)
_CONCENTRATION = re.compile(
    r"[\s,:_-]*\b(?:plasma|serum|blood|urine)?\s*(?:conc(?:entration)?s?|levels?)\b\.?\s*$", re.IGNORECASE
)


def analyte_name(test: str) -> str:
    """Return what a test measures: `PCDRUG Concentration` measures PCDRUG."""
    return _CONCENTRATION.sub("", test).strip() or test


def is_inert(treatment: str) -> bool:
    """Whether a treatment is no molecule under study: placebo, vehicle, nothing."""
    return _INERT.search(treatment) is not None


@dataclass(slots=True)
class DoseTimes:
    """When each subject (or pool) was dosed, in hours since 1970; `timed`: the time of day is known of all of them."""

    starts: dict[str, array[float]] = field(default_factory=dict)
    timed: dict[str, bool] = field(default_factory=dict)
    _sorted: set[str] = field(default_factory=set)

    def add(self, who: str, hours: float, *, timed: bool) -> None:
        """Note a dose."""
        self.starts.setdefault(who, array("d")).append(hours)
        self.timed[who] = timed and self.timed.get(who, True)
        self._sorted.discard(who)

    def nearest(self, who: str, hours: float) -> float | None:
        """Return the dose closest to a moment."""
        starts = self._of(who)
        if not starts:
            return None
        at = bisect_left(starts, hours)
        return min(starts[max(0, at - 1) : at + 1], key=lambda start: abs(start - hours))

    def first(self, who: str) -> float | None:
        """Return the first dose."""
        starts = self._of(who)
        return starts[0] if starts else None

    def last_before(self, who: str, hours: float) -> float | None:
        """Return the last dose at or before a moment."""
        starts = self._of(who)
        at = bisect_left(starts, hours + 1e-9)
        return starts[at - 1] if at else None

    def _of(self, who: str) -> Sequence[float]:
        starts = self.starts.get(who)
        if starts is None:
            return ()
        if who not in self._sorted:
            starts = self.starts[who] = array("d", sorted(starts))
            self._sorted.add(who)
        return starts


@dataclass(slots=True)
class StudyView:
    """What the readers of records need to know of the study they read."""

    code: str
    species: str = "human"
    reference_starts: dict[str, float] = field(default_factory=dict)
    """Subject -> the day it entered on, in hours since 1970: day 1."""
    doses: DoseTimes = field(default_factory=DoseTimes)
    molecules: dict[str, MoleculeFact] = field(default_factory=dict)
    """Treatments that are molecules, by key."""
    investigated: set[str] = field(default_factory=set)
    """Keys of those the study says it is about."""
    exclusions: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """(domain, subject or pool, sequence) -> why the source leaves the record out."""
    limiting: set[tuple[str, str]] = field(default_factory=set)
    """(subject, sequence) of adverse events that a supplemental data set calls dose-limiting."""
    own_words: frozenset[str] = frozenset()
    _identifying: dict[str, str | None] = field(default_factory=dict)
    _analytes: dict[tuple[str, str | None], str | None] = field(default_factory=dict)

    def day_of(self, moment: str | None, who: str | None) -> float | None:
        """Return the study day of a moment, counted from the subject's first day, or else from its first dose.

        There is no day 0.
        """
        hours = None if moment is None else read_moment(moment).hours
        if hours is None or who is None:
            return None
        begun = self.reference_starts.get(who)
        if begun is None:
            first = self.doses.first(who)
            begun = None if first is None else first // 24 * 24
        if begun is None:
            return None
        apart = (hours - begun) // 24
        return apart + 1 if apart >= 0 else apart

    def name_treatment(self, name: str, place: Place, *, investigated: bool = False) -> str | None:
        """Return the key of the molecule a treatment is; None for placebo and the like."""
        if is_inert(name):
            return None
        key = canonical_key(name)
        if key not in self.molecules:
            self.molecules[key] = MoleculeFact(name=name, key=key, row=place.row, file=place.file)
            self._analytes.clear()
        if investigated and key not in self.investigated:
            self.investigated.add(key)
            self._analytes.clear()
        return key

    def molecule_of(self, analyte: str, code: str | None) -> str | None:
        """Return the key of the molecule an analyte speaks of; None where that cannot be told from the files.

        The analyte is a molecule given, by its name or as part of it, or stands for the only one under study.
        """
        named = (analyte, code)
        if named not in self._analytes:
            self._analytes[named] = self._molecule_of(analyte, code)
        return self._analytes[named]

    def _molecule_of(self, analyte: str, code: str | None) -> str | None:
        for name in (analyte, code):
            if name and canonical_key(name) in self.molecules:
                return canonical_key(name)
        words = fold(analyte)
        within = {key for key, fact in self.molecules.items() if fold(fact.name) and fold(fact.name) in words}
        for among in (within, self.investigated, self.molecules.keys()):
            if len(among) == 1:
                return next(iter(among))
        return None

    def identifying(self, who: str) -> str | None:
        """Return why a subject's code is refused, None for a pseudonym."""
        if who not in self._identifying:
            self._identifying[who] = what_identifies(who, own_words=self.own_words)
        return self._identifying[who]

    def refused(self, whos: Iterable[str | None]) -> dict[str, str]:
        """Return the codes among those of some rows that hold something of a person, and what."""
        found = {who: self.identifying(who) for who in set(whos) if who}
        return {who: what for who, what in found.items() if what is not None}


def personal(place: Place, what: str) -> Quarantined:
    """Return the row of a subject whose code leads to a person; the code itself is not repeated."""
    return Quarantined(
        place, "USUBJID", None, f"the subject's code seems to hold {what}; give a pseudonym and send it again"
    )

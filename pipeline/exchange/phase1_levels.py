"""Dose levels of one combination: their labels in order, and the subjects with a dose-limiting toxicity on each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pipeline.exchange.facts import Arm, DltObservation, DoseLevelFact
from pipeline.exchange.phase1_components import Component, key_of

NO_LEVEL = "not stated"
"""Label of what a trial gives without naming a level: premedication, a partner drug fixed for all levels."""

_DASHES = re.compile("[\u00ad\u2010-\u2015\u2212\ufe63\uff0d]")
_LABEL = re.compile(
    r"(?:dose )?(?:level|dl|cohort|l)?[ .:#]*\(?([+-]?\d{1,4}(?:\.\d{1,4})?)\)?(?:[ -]?\(?([a-h])\)?)?", re.IGNORECASE
)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}
_COUNT = re.compile(r"\d{1,6}(?:\.0+)?")
_GROUP = re.compile(
    r"(?i:\b(?:arms?|groups?|cohorts?|schedule|strat(?:um|a)|part|stage|step|phase|expan?sion|extension|children|adults"
    r"|patients? with|patients not|tablets?|capsules?|suspension|genotype)\b)|\b[EP]M\b|\*\d/\*\d|^[A-Z]{2,}[A-Z0-9]*$"
)


@lru_cache(maxsize=1024)
def level_order(text: str) -> tuple[float, str] | None:
    """Return what orders a level: its number and its letter (`-2B` is (-2, "b"), `2.5` is (2.5, "")), else None."""
    plain = " ".join(_DASHES.sub("-", text).split())
    if found := _LABEL.fullmatch(plain):
        return float(found[1]), (found[2] or "").lower()
    roman = _ROMAN.get(plain.casefold())
    return (float(roman), "") if roman else None


class Count(NamedTuple):
    """A number of subjects; None where the text is none, and then `flag` says so."""

    value: int | None
    flag: str | None = None


@lru_cache(maxsize=1024)
def read_count(text: str | None) -> Count:
    """Read a whole number from 0 to 999,999 (`6`, `6.0`)."""
    plain = "" if text is None else text.strip()
    if plain in {"", "NA", "N/A"}:
        return Count(None)
    if _COUNT.fullmatch(plain):
        return Count(int(float(plain)))
    return Count(None, f"{plain[:40]!r} is not a number of subjects; kept as reported")


@dataclass(slots=True)
class Combination:
    """One combination of one trial while it is read: what belongs to it, by the spelling of the source."""

    arm: Arm
    listed: dict[str, Component] = field(default_factory=dict)
    """Components as drug.csv prints them."""
    by_key: dict[str, Component] = field(default_factory=dict)
    routes: dict[str, set[str | None]] = field(default_factory=dict)
    """Routes by component name: more than one where a molecule is given in several ways."""
    remarks: list[str] = field(default_factory=list)
    """What drug.csv says of the combination beside its drugs: its arm, schedule or patients."""
    resolved: dict[str, tuple[Component, str | None, str | None]] = field(default_factory=dict)
    """Components as dose_level.csv and mtd.csv print them, what has to be said about the spelling, and the route."""
    levels: dict[str, DoseLevelFact] = field(default_factory=dict)
    """Levels as any file prints them: several spellings may lead to one."""
    found: list[DoseLevelFact] = field(default_factory=list)
    """Each level once, in order of appearance."""
    _orders: dict[tuple[float, str], DoseLevelFact] = field(default_factory=dict)
    observations: dict[str, list[DltObservation]] = field(default_factory=dict)
    """DLT observations by the label of their level."""

    def list_component(self, printed: str, component: Component, route: str | None, remark: str | None) -> None:
        """Take a component from drug.csv."""
        self.listed[printed] = component
        self.by_key.setdefault(key_of(component), component)
        self.routes.setdefault(component.name, set()).add(route)
        if remark is not None and remark not in self.remarks:
            self.remarks.append(remark)

    def route_of(self, component: Component) -> str | None:
        """Return the route drug.csv gives for a component, where it gives one only."""
        routes = self.routes.get(component.name, set())
        return next(iter(routes)) if len(routes) == 1 else None

    def description(self) -> str:
        """Return the components in the order of drug.csv, and what is said of the combination."""
        names = " + ".join(dict.fromkeys(component.name for component in self.listed.values()))
        return f"{names} ({'; '.join(self.remarks)})" if self.remarks else names

    def level(self, text: str | None, row: int, *, halves: bool = False) -> DoseLevelFact:
        """Return the level a text names, made if it is new; with `halves`, 2b is 2.5 where only that is known.

        Spellings of one label (`1A` and `1a`, `1` and `1.0`) are one level.
        """
        label = NO_LEVEL if text is None else text.strip()
        order = level_order(label)
        level = self.levels.get(label) if order is None else self._orders.get(order)
        if level is None and halves and order is not None:
            level = self._half(*order)
        if level is None:
            level = DoseLevelFact(self.arm.label, label, 0, row=row)
            self.found.append(level)
            if order is not None:
                self._orders[order] = level
        self.levels[label if text is None else text] = self.levels[label] = level
        return level

    def _half(self, number: float, letter: str) -> DoseLevelFact | None:
        if letter == "b" and number.is_integer():
            return self._orders.get((number + (0.5 if number > 0 else -0.5), ""))
        return self._orders.get((float(int(number)), "b")) if abs(number) % 1 == 0.5 else None

    def ordered(self) -> list[DoseLevelFact]:
        """Return the levels lowest first and number them from 1; levels whose label has no order come last.

        Doses given without a level are no step of the escalation: they get ordinal 0.
        """
        ranked = [self._orders[order] for order in sorted(self._orders)]
        if len(ranked) < len(self.found):
            ranked += [level for level in self.found if level.label != NO_LEVEL and level_order(level.label) is None]
        for ordinal, level in enumerate(ranked, 1):
            level.ordinal = ordinal
        return [level for level in self.found if level.label == NO_LEVEL] + ranked


def count_subjects(level: DoseLevelFact, observations: Sequence[DltObservation]) -> str | None:
    """Put on a level what its observations make certain about subjects; return what has to be said about it.

    One subject may have several toxicities, so frequencies are never added up to subjects: at least the largest
    frequency, at most their sum or all treated had a DLT. Where the bounds meet (one observation alone, or none
    but zeros) the number is certain. Observations that differ in the number treated, or name different groups
    (arms, cohorts), leave the number treated open.
    """
    if len(observations) == 1:
        _one_observation(level, observations[0])
        return None
    totals = {item.treated for item in observations}
    groups = {item.comment for item in observations if item.comment and _GROUP.search(item.comment)}
    several = len(groups) > 1 or (len(groups) == 1 and any(item.comment not in groups for item in observations))
    if len(totals) == 1 and not several:
        level.treated = observations[0].treated
    affected = [item.affected for item in observations]
    known = [number for number in affected if number is not None]
    if known and not any(item.affected is None and item.affected_reported for item in observations):
        level.with_dlt_min = max(known)
        level.with_dlt_max = level.treated
        if len(known) == len(affected):
            level.with_dlt_max = sum(known) if level.treated is None else min(sum(known), level.treated)
        if level.with_dlt_min == level.with_dlt_max:
            level.with_dlt = level.with_dlt_min
    if len(totals) > 1:
        ascending = sorted(totals, key=lambda total: (total is None, total))
        shown = ", ".join("not stated" if total is None else str(total) for total in ascending)
        return f"the number treated differs within the level ({shown}); left open"
    if several:
        shown = ", ".join(repr(group) for group in sorted(groups)[:3])
        return f"several groups share the level ({shown}); the number treated is left open"
    return None


def _one_observation(level: DoseLevelFact, observation: DltObservation) -> None:
    level.treated = observation.treated
    level.with_dlt = level.with_dlt_min = level.with_dlt_max = observation.affected
    if observation.affected is None and not observation.affected_reported:
        level.with_dlt_max = observation.treated

"""Key figures of a centre in a year, from counts: recorded ones with their source, and those the records give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.attrition.counting import proportion
from pipeline.attrition.review_results import Estimate

VERSION = "key_figures 1"
OPEN_TRIALS, INCLUSIONS, ACTIVE_FILE = "OPEN_TRIALS", "INCLUSIONS", "ACTIVE_FILE"
EARLY_PHASE_TRIALS, PATIENTS_ASKED, PATIENTS_SEEN = "EARLY_PHASE_TRIALS", "PATIENTS_ASKED", "PATIENTS_SEEN"
ASKED_AIM = 0.15
"""Share of the patients seen who should be asked to join a trial, where nothing else is said."""

COUNTS: Mapping[str, str] = {
    OPEN_TRIALS: "studies of people open at a site of the centre on at least one day of the year",
    INCLUSIONS: "subjects who joined such a study in the year, by their reference start or first dose, screening "
    "failures left out",
    EARLY_PHASE_TRIALS: "open trials in phase 1, 1/2 or 2; of all open trials they are the early-phase share",
    ACTIVE_FILE: "patients followed by the centre in the year; inclusions over them are the inclusion share",
    PATIENTS_ASKED: "patients who were asked to join a trial; over the patients seen they are the share asked",
    PATIENTS_SEEN: "patients who could have been asked; where it is not recorded, the active file",
}
"""What is counted, by name."""

DERIVED = (OPEN_TRIALS, INCLUSIONS, EARLY_PHASE_TRIALS)
EVERYWHERE = ""
FIRST_YEAR, LAST_YEAR = 1900, 2200
MOST = 100_000_000
"""The largest count that is taken for one."""


@dataclass(frozen=True, slots=True)
class CountOfYear:
    """One count of a year at a site ("" for the whole centre).

    recorded and its source, None where nobody recorded it; derived from studies and subjects, None where they cannot
    give it. used: the recorded one where there is one. Where they differ both are told.
    """

    name: str
    site: str
    recorded: int | None
    source: str | None
    derived: int | None

    @property
    def used(self) -> int | None:
        """The count the figures are made of."""
        return self.derived if self.recorded is None else self.recorded

    @property
    def differs(self) -> bool:
        """Whether the recorded count is not the one the records give."""
        return self.recorded is not None and self.derived is not None and self.recorded != self.derived


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """Open trials and inclusions at one site."""

    site: str
    open_trials: int
    inclusions: int


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """The key figures of a year. A share without its counts is None; `doubts` says what is missing or does not fit."""

    year: int
    open_trials: int
    inclusions: int
    active_file: int
    inclusion_share: Estimate
    early_phase_share: Estimate
    proposed_share: Estimate | None
    proposed_goal: float
    by_site: tuple[SiteFigures, ...]
    counts: tuple[CountOfYear, ...]
    doubts: tuple[str, ...]
    version: str = VERSION


@dataclass(frozen=True, slots=True)
class Recorded:
    """A count as somebody recorded it, with where it comes from."""

    name: str
    site: str
    value: int
    source: str


def key_figures(
    year: int,
    sites: Iterable[str],
    recorded: Iterable[Recorded],
    derived: Mapping[tuple[str, str], int],
    fewest: int = 5,
) -> KeyFigures:
    """Return the key figures of a year.

    Args:
        year: the year.
        sites: codes of the sites of the centre.
        recorded: counts that were recorded, for the centre or a site of it.
        derived: (name, site) -> what the records give; nothing for a site means none.
        fewest: a share needs so large a denominator to be shown.
    """
    places = tuple(sites)
    said = {(one.name, one.site): one for one in recorded}
    table = {
        (name, site): _count(name, site, places, said, derived) for name in COUNTS for site in (EVERYWHERE, *places)
    }
    doubts = [_difference(one) for one in table.values() if one.differs]
    whole = {name: table[name, EVERYWHERE].used for name in COUNTS}
    for name in (ACTIVE_FILE, PATIENTS_ASKED):
        if whole[name] is None:
            doubts.append(f"{name} of {year} is not recorded; record it to get its share")
    if not whole[OPEN_TRIALS] and not whole[INCLUSIONS]:
        doubts.append(f"neither open trials nor inclusions of {year} are on record at a site of the centre")
    seen = whole[PATIENTS_SEEN] if whole[PATIENTS_SEEN] is not None else whole[ACTIVE_FILE]
    return KeyFigures(
        year=year,
        open_trials=whole[OPEN_TRIALS] or 0,
        inclusions=whole[INCLUSIONS] or 0,
        active_file=whole[ACTIVE_FILE] or 0,
        inclusion_share=_share(whole[INCLUSIONS], whole[ACTIVE_FILE], fewest, "of the active file", doubts),
        early_phase_share=_share(whole[EARLY_PHASE_TRIALS], whole[OPEN_TRIALS], fewest, "of the open trials", doubts),
        proposed_share=None
        if whole[PATIENTS_ASKED] is None
        else _share(whole[PATIENTS_ASKED], seen, fewest, "of the patients seen", doubts),
        proposed_goal=ASKED_AIM,
        by_site=tuple(
            SiteFigures(site, table[OPEN_TRIALS, site].used or 0, table[INCLUSIONS, site].used or 0) for site in places
        ),
        counts=tuple(one for one in table.values() if one.used is not None),
        doubts=tuple(doubts),
    )


def _count(
    name: str,
    site: str,
    places: tuple[str, ...],
    said: Mapping[tuple[str, str], Recorded],
    derived: Mapping[tuple[str, str], int],
) -> CountOfYear:
    """Return a count; that of the whole centre is the sum of its sites where each that counts was recorded alone."""
    one = said.get((name, site))
    found = derived.get((name, site), 0) if name in DERIVED else None
    if site == EVERYWHERE:
        found = sum(derived.get((name, place), 0) for place in places) if name in DERIVED else None
        of_sites = [said[name, place] for place in places if (name, place) in said]
        if one is None and of_sites:
            unsaid = [derived.get((name, place), 0) for place in places if (name, place) not in said]
            whole = sum(each.value for each in of_sites) + (sum(unsaid) if name in DERIVED else 0)
            return CountOfYear(name, site, whole, "the sum of the sites", found)
    return CountOfYear(name, site, one.value if one else None, one.source if one else None, found)


def _difference(one: CountOfYear) -> str:
    where = f" at {one.site}" if one.site else ""
    return f"{one.name}{where}: {one.recorded} recorded ({one.source}), {one.derived} by the studies on record"


def _share(k: int | None, n: int | None, fewest: int, of: str, doubts: list[str]) -> Estimate:
    if k is not None and n and k > n:
        doubts.append(f"{k} {of} cannot be out of {n}: one of the counts is wrong")
        return _replaced(proportion(0, 0, fewest), k, n, "the part is larger than the whole")
    if k is None or not n:
        return _replaced(proportion(0, 0, fewest), k or 0, n or 0, "not recorded")
    return proportion(k, n, fewest)


def _replaced(empty: Estimate, k: int, n: int, why: str) -> Estimate:
    return Estimate(None, k, n, None, None, empty.method, why)

"""The dose each escalation rule would have chosen from a trial's counts, beside the one the trial published. Pure.

What a publication leaves open is not filled in: every way it can have been is tried, and a rule is said to choose a
dose only where all of them lead to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from pipeline.toxicity.three_plus_three import COHORT, TOO_MANY, too_toxic

MOST_OPEN = 6
"""Levels whose counts may be open: 2 to that power ways are tried."""

Counts = tuple[tuple[int, int], ...]
"""Subjects treated and with a dose-limiting toxicity at each level, lowest first."""


@dataclass(frozen=True, slots=True)
class Level:
    """A level as published. `treated` None: nothing is said of it. `least`, `most`: subjects with a toxicity."""

    label: str
    treated: int | None
    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What a rule chooses: the level from 1, 0 for none, None where the counts leave it open."""

    level: int | None


def ways(levels: Sequence[Level]) -> Iterator[Counts]:
    """Yield every way the counts can have been.

    A level nothing is said of, below one with toxicities, was passed by a cohort of three without any. Such levels
    above the last one with counts were passed in the same way, all of them, or not tried. A number of subjects with
    toxicities between two bounds is either bound.
    """
    told = [n for n, level in enumerate(levels) if level.treated is not None]
    top = told[-1] if told else -1
    choices: list[tuple[tuple[int, int], ...]] = []
    for n, level in enumerate(levels):
        if level.treated is None or level.least is None or level.most is None:
            choices.append(((COHORT, 0),) if n <= top else ())
        else:
            choices.append(tuple(dict.fromkeys(((level.treated, level.least), (level.treated, level.most)))))
    for counted in product(*(each for each in choices[: top + 1])):
        untold = len(levels) - top - 1
        yield counted + ((0, 0),) * untold
        if untold:
            yield counted + ((COHORT, 0),) * untold


def fault(levels: Sequence[Level]) -> str | None:
    """Return why the counts of a trial cannot be compared, or None."""
    told = [
        level for level in levels if level.treated is not None and level.least is not None and level.most is not None
    ]
    if len(levels) < 2:
        return "fewer than two dose levels"
    if len(levels) > 20:
        return "more than twenty dose levels"
    if not told:
        return "no counts of subjects with toxicities at any level"
    if any(level.least > level.treated or level.most > level.treated for level in told):  # type: ignore[operator]
        return "more subjects with toxicities than treated"
    if sum(level.least != level.most for level in told) > MOST_OPEN:
        return "the counts of too many levels are open"
    if any(level.treated is not None and level.least is None for level in levels):
        return "subjects treated are told, and not how many had toxicities"
    return None


def three_plus_three(counts: Counts, _target: float) -> int | None:
    """Return the highest level below the first that is too toxic; None where the rule does not tell (over six)."""
    for n, (treated, toxic) in enumerate(counts):
        too_many = too_toxic(treated, toxic)
        if too_many is not False:
            return n if too_many else None
    return max((n for n, (treated, _) in enumerate(counts, 1) if treated), default=0)


def boin(counts: Counts, target: float) -> int:
    """Return the level BOIN chooses, which is keyboard's and mTPI-2's as well: all end in the same selection."""
    from pipeline.toxicity.boin import select_mtd

    chosen = select_mtd(target, [n for n, _ in counts], [x for _, x in counts]).mtd
    return chosen or 0


def crm(counts: Counts, target: float) -> int:
    """Return the level nearest the target by the one-parameter model, at most the highest tried."""
    from pipeline.toxicity.crm import continual_reassessment

    skeleton = _skeleton(target, len(counts))
    level = [n for n, (treated, _) in enumerate(counts, 1) for _ in range(treated)]
    dlt = [int(k < toxic) for treated, toxic in counts for k in range(treated)]
    found = continual_reassessment(skeleton, target, level, dlt)
    if found.next_dose is None:
        return 0
    return min(found.mtd, max(level))


@lru_cache(maxsize=64)
def _skeleton(target: float, levels: int) -> tuple[float, ...]:
    from pipeline.toxicity.crm import usual_skeleton

    return usual_skeleton(target, levels)


RULES: Mapping[str, Callable[[Counts, float], int | None]] = {"3+3": three_plus_three, "BOIN": boin, "CRM": crm}


def choose(rule: str, levels: Sequence[Level], target: float) -> Choice:
    """Return what a rule chooses, whichever way the counts were."""
    chosen = {RULES[rule](counts, target) for counts in ways(levels)}
    return Choice(chosen.pop() if len(chosen) == 1 else None)


def reasons(
    levels: Sequence[Level], published: int, chosen: Mapping[str, int | None], target: float, *, drugs: int, kind: str
) -> tuple[str, ...]:
    """Return what may be why the rules choose another level than the one published (from 1)."""
    found = []
    if drugs > 1:
        found.append(f"{drugs} drugs escalated together: the levels may have no single order")
    if kind == "RP2D":
        found.append("a recommended dose, which may lie below the MTD")
    last = max(n for n, level in enumerate(levels, 1) if level.treated is not None)
    toxic = [too_toxic(level.treated or 0, level.least or 0) for level in levels]
    if all(each is False for each in toxic):
        found.append("no level was too toxic: the MTD was not reached")
    if None in toxic[: toxic.index(True) if True in toxic else None]:
        found.append("a level was given to more than six: 3+3 does not tell whether it was too toxic")
    if any(level.treated is None for level in levels[:last]):
        found.append("levels without a listed toxicity are taken as passed")
    if any(level.least != level.most for level in levels):
        found.append("some subjects may have had several toxicities")
    at = levels[published - 1]
    if at.treated and at.least is not None:
        rate = at.least / at.treated
        if chosen.get("BOIN") is not None and chosen["BOIN"] != published and abs(rate - target) > 0.05:
            found.append(f"{at.least} of {at.treated} at the published dose, away from a target of {target:g}")
        if 3 * at.least >= at.treated and at.least >= TOO_MANY:
            found.append("the trial allowed a third of subjects or more")
    return tuple(found) or ("not told by the counts",)

"""Escalation rules against the doses that the trials on record published."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from pipeline.assessment.published_doses import RULES, Level, choose, fault, reasons
from pipeline.bounds import within
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.tables import dose_levels, doses, recommended_doses, studies

NOT_REACHED = "MTD_NOT_REACHED"
WANTED = ("MTD", "RP2D")
"""The published doses a rule is held against, the first that there is."""

Arm = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Escalation:
    """One escalation that published a dose: the levels, the one published (from 1), and what each rule chooses."""

    study: str
    arm: str
    kind: str
    levels: tuple[Level, ...]
    published: int
    drugs: int
    chosen: Mapping[str, int | None]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a rule chooses the published level, the next to it, one further off, none, or cannot be told."""

    rule: str
    agree: int
    one_off: int
    further: int
    none: int
    open: int

    @property
    def compared(self) -> int:
        """Escalations in which the rule's choice can be told."""
        return self.agree + self.one_off + self.further + self.none


@dataclass(frozen=True, slots=True)
class Differing:
    """An escalation in which a rule chooses another level than the one published, as people read it."""

    study: str
    arm: str
    published: str
    chosen: Mapping[str, str]
    why: str


@dataclass(frozen=True, slots=True)
class Published:
    """All trials with dose levels, and the rules on those that can be compared."""

    target: float
    trials: int
    escalations: int
    trials_compared: int
    compared: tuple[Escalation, ...]
    left_out: Mapping[str, int]

    @property
    def comparable(self) -> int:
        """Escalations with a published dose among levels that can be counted."""
        return len(self.compared)

    @property
    def tallies(self) -> list[Tally]:
        """One row for each rule."""
        found = []
        for rule in RULES:
            off = Counter(_distance(each.published, each.chosen[rule]) for each in self.compared)
            found.append(Tally(rule, off["agree"], off["one"], off["further"], off["none"], off["open"]))
        return found

    @property
    def differing(self) -> list[Differing]:
        """The escalations in which some rule chooses another level."""
        return [
            Differing(
                each.study,
                each.arm,
                f"{each.levels[each.published - 1].label} ({each.kind})",
                {rule: _label(each.levels, level) for rule, level in each.chosen.items()},
                "; ".join(each.why),
            )
            for each in self.compared
            if any(level not in (None, each.published) for level in each.chosen.values())
        ]

    def as_json(self) -> dict[str, Any]:
        """Return all of it for programs."""
        return {
            "target": self.target,
            "trials": self.trials,
            "escalations": self.escalations,
            "comparable": self.comparable,
            "trials_compared": self.trials_compared,
            "left_out": dict(self.left_out),
            "rules": [
                {
                    "rule": one.rule,
                    "agree": one.agree,
                    "one_level_off": one.one_off,
                    "further_off": one.further,
                    "no_dose": one.none,
                    "open": one.open,
                    "compared": one.compared,
                }
                for one in self.tallies
            ],
            "escalations_compared": [
                {
                    "study": each.study,
                    "arm": each.arm,
                    "kind": each.kind,
                    "levels": [
                        {"label": level.label, "treated": level.treated, "with_dlt": [level.least, level.most]}
                        for level in each.levels
                    ],
                    "published": each.published,
                    "chosen": dict(each.chosen),
                    "why": list(each.why),
                }
                for each in self.compared
            ],
        }


def _distance(published: int, chosen: int | None) -> str:
    if chosen is None:
        return "open"
    if chosen == published:
        return "agree"
    if chosen == 0:
        return "none"
    return "one" if abs(chosen - published) == 1 else "further"


def _label(levels: Sequence[Level], chosen: int | None) -> str:
    return "open" if chosen is None else levels[chosen - 1].label if chosen else "none"


def published_trials(reader: Reader, target: float = 0.3) -> Published:
    """Compare each escalation's published dose with those the rules choose from its counts.

    Raises:
        InputError: the target is not from 0.05 to 0.6.
    """
    within(0.05, 0.6, target=target)
    levels, amounts = _levels(reader)
    said = _published(reader)
    names = {row["id"]: row["code"] for row in _rows(reader, studies)}
    compared: list[Escalation] = []
    left_out: Counter[str] = Counter()
    for arm in sorted(levels):
        of_arm = levels[arm]
        shown = [Level(row["label"], row["treated"], row["with_dlt_min"], row["with_dlt_max"]) for row in of_arm]
        published, kind, why = _matched([amounts[row["id"]] for row in of_arm], said.get(arm, []))
        why = why or fault(shown)
        if why is not None:
            left_out[why] += 1
            continue
        chosen = {rule: choose(rule, shown, target).level for rule in RULES}
        drugs = _escalated([amounts[row["id"]] for row in of_arm])
        found = reasons(shown, published, chosen, target, drugs=drugs, kind=kind)
        study = names.get(arm[0], str(arm[0]))
        compared.append(Escalation(study, arm[1], kind, tuple(shown), published, drugs, chosen, found))
    trials = {study for study, _ in levels}
    return Published(
        target,
        len(trials),
        len(levels),
        len({each.study for each in compared}),
        tuple(compared),
        dict(left_out.most_common()),
    )


def _rows(reader: Reader, table: Any, *conditions: Any) -> list[dict[str, Any]]:
    statement = select(table).where(visible(table, reader.view), *conditions).order_by(table.c.id)
    return [dict(row) for row in reader.connection.execute(statement).mappings()]


@dataclass(frozen=True, slots=True)
class Given:
    """One amount of a drug, its unit, and how often it is given, as printed."""

    amount: float
    unit: str | None
    often: tuple[str, str]


Amounts = dict[str, set[Given]]
"""What is given at a level, by the name of the drug."""


def _often(row: Mapping[str, Any]) -> tuple[str, str]:
    return (row["frequency"] or "").casefold().strip(), (row["schedule"] or "").casefold().strip()


def _levels(reader: Reader) -> tuple[dict[Arm, list[dict[str, Any]]], dict[int, Amounts]]:
    found: dict[Arm, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(reader, dose_levels, dose_levels.c.ordinal > 0):
        found[row["study_id"], row["arm"] or ""].append(row)
    for of_arm in found.values():
        of_arm.sort(key=lambda row: row["ordinal"])
    amounts: dict[int, Amounts] = defaultdict(lambda: defaultdict(set))
    for row in _rows(reader, doses):
        if row["amount"] is not None:
            amounts[row["dose_level_id"]][row["name"]].add(Given(row["amount"], row["unit"], _often(row)))
    return found, amounts


def _published(reader: Reader) -> dict[Arm, list[dict[str, Any]]]:
    found: dict[Arm, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(reader, recommended_doses):
        found[row["study_id"], row["arm"] or ""].append(row)
    return found


def _matched(levels: Sequence[Amounts], said: Sequence[Mapping[str, Any]]) -> tuple[int, str, str | None]:
    """Return the level (from 1) whose doses are those published, and the kind; or why there is none."""
    kinds = {row["kind"] for row in said}
    kind = next((kind for kind in WANTED if kind in kinds), "")
    if not kind:
        missed = NOT_REACHED in kinds
        return 0, "", "it published that the MTD was not reached" if missed else "no dose was published"
    wanted: dict[str, set[Span]] = defaultdict(set)
    for row in said:
        if row["kind"] == kind and row["amount_low"] is not None:
            wanted[row["name"]].add((row["amount_low"], row["amount_high"] or row["amount_low"], row["unit"]))
    if not wanted:
        return 0, kind, "the published dose is no number"
    if any(len(spans) > 1 for spans in wanted.values()):
        return 0, kind, "several doses were published for one escalation"
    found = [n for n, level in enumerate(levels, 1) if _is(level, wanted)]
    if len(found) > 1:
        # Levels of one amount differ in how often it is given.
        often = {row["name"]: _often(row) for row in said if row["kind"] == kind}
        found = [n for n in found if _as_often(levels[n - 1], often)] or found
    if len(found) == 1:
        return found[0], kind, None
    return 0, kind, "several levels have the published dose" if found else "the published dose is not among the levels"


Span = tuple[float, float, str | None]
"""From which amount to which, and the unit where it is told."""


def _is(level: Amounts, wanted: Mapping[str, set[Span]]) -> bool:
    common = [name for name in wanted if name in level]
    return bool(common) and all(
        any(_within(given, span) for given in level[name] for span in wanted[name]) for name in common
    )


def _within(given: Given, span: Span) -> bool:
    low, high, unit = span
    return low <= given.amount <= high and (unit is None or given.unit is None or unit == given.unit)


def _as_often(level: Amounts, often: Mapping[str, tuple[str, str]]) -> bool:
    return all(any(given.often == often[name] for given in level[name]) for name in often if name in level)


def _escalated(levels: Sequence[Amounts]) -> int:
    """Return how many drugs change their amount from level to level."""
    names = {name for level in levels for name in level}
    amounts = {
        name: {frozenset(given.amount for given in level[name]) for level in levels if name in level} for name in names
    }
    return sum(len(each) > 1 for each in amounts.values())

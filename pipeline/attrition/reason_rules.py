"""The rules that propose reasons, read from their files and checked once."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

from pipeline.attrition.reason_patterns import Finder, Pattern, PatternError, Vocabulary
from pipeline.attrition.reason_spelling import Spelling
from pipeline.attrition.reason_taxonomy import OpenTargetsClass, reason_meanings
from pipeline.attrition.reason_text import fold
from pipeline.words import AttritionReason

RULES_VERSION = 1
RULES_NAME = "reason rules"
PROPOSER = f"{RULES_NAME} version {RULES_VERSION}"
"""Who proposed what no person did."""

FILES = ("reason_rules_en.toml", "reason_rules_fr.toml")


class WhyUnspecified(StrEnum):
    """Why no reason can be told from a text."""

    NO_TEXT = "NO_TEXT"
    NO_WORDS_KNOWN = "NO_WORDS_KNOWN"
    ONLY_RULED_OUT = "ONLY_RULED_OUT"
    CONTRADICTORY = "CONTRADICTORY"
    INTERIM_LOOK = "INTERIM_LOOK"
    PLANNED_PAUSE = "PLANNED_PAUSE"
    DECISION_WITHOUT_REASON = "DECISION_WITHOUT_REASON"
    POINTS_ELSEWHERE = "POINTS_ELSEWHERE"
    NO_REASON_OF_A_STOP = "NO_REASON_OF_A_STOP"
    STOP_WITHOUT_REASON = "STOP_WITHOUT_REASON"


class Scope(StrEnum):
    """Which words a negation rules out, seen from the negation."""

    AFTER = "after"
    BEFORE = "before"
    WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it proposes when one of its patterns is found."""

    id: str
    language: str
    reason: AttritionReason
    open_targets: OpenTargetsClass
    why: WhyUnspecified | None
    weak: bool
    absorbs: bool
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """What rules reasons out."""

    scope: Scope
    reach: int
    only: frozenset[AttritionReason]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules, ready to be held against a text."""

    rules: tuple[Rule, ...]
    negations: tuple[Negation, ...]
    vocabulary: Vocabulary
    find_rules: Finder
    find_negations: Finder
    fillers: frozenset[str]
    breaks: str
    turns: frozenset[str]
    causes: frozenset[str]
    lists: frozenset[str]
    rises: frozenset[str]
    not_alone: frozenset[str]
    scientific: frozenset[AttritionReason]


@functools.cache
def rule_set() -> RuleSet:
    """Return the rules.

    Raises:
        PatternError: a rule cannot be read, or two have one name.
    """
    words, negating = _read("reason_words.toml"), _read("reason_negations.toml")
    fillers = frozenset(map(fold, words["fillers"].split()))
    left_alone = frozenset(map(fold, words["not_misspelled"].split()))
    spelling = Spelling(map(fold, words["spelling"].split()))
    vocabulary = Vocabulary(words["sets"], fillers, lambda word: None if word in left_alone else spelling.repair(word))
    rules = tuple(_rule(row, document["language"]) for document in map(_read, FILES) for row in document["rule"])
    if len({rule.id for rule in rules}) < len(rules):
        raise PatternError("two rules have one id")
    negations = tuple(
        Negation(Scope(row["scope"]), row.get("reach", 0), frozenset(map(AttritionReason, row.get("only", "").split())))
        for row in negating["negation"]
    )
    return RuleSet(
        rules=rules,
        negations=negations,
        vocabulary=vocabulary,
        find_rules=Finder(_compiled(vocabulary, [rule.patterns for rule in rules])),
        find_negations=Finder(_compiled(vocabulary, [tuple(row["patterns"]) for row in negating["negation"]])),
        fillers=fillers,
        breaks=words["breaks"],
        turns=frozenset(negating["turns"].split()),
        causes=frozenset(negating["causes"].split()),
        lists=frozenset(negating["lists"].split()),
        rises=frozenset(negating["rises"].split()),
        not_alone=frozenset(negating["not_alone"].split()),
        scientific=frozenset(map(AttritionReason, negating["scientific"].split())),
    )


def _compiled(vocabulary: Vocabulary, patterns: list[tuple[str, ...]]) -> list[tuple[Pattern, int]]:
    return [
        (compiled, owner)
        for owner, texts in enumerate(patterns)
        for text in texts
        for compiled in vocabulary.compile(text)
    ]


def _rule(row: Mapping[str, Any], language: str) -> Rule:
    reason = AttritionReason(row["reason"])
    why = WhyUnspecified(row["why"]) if "why" in row else None
    if (why is not None) != (reason is AttritionReason.UNSPECIFIED):
        raise PatternError(f"the rule {row['id']}: `why` belongs to UNSPECIFIED and to it alone")
    usual = reason_meanings()[reason].open_targets
    return Rule(
        id=row["id"],
        language=language,
        reason=reason,
        open_targets=OpenTargetsClass(row.get("open_targets", usual)),
        why=why,
        weak=row.get("weak", False),
        absorbs=row.get("absorbs", False),
        patterns=tuple(row["patterns"]),
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("pipeline.attrition").joinpath(name).read_text(encoding="utf-8"))

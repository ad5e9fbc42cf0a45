"""Propose why something stopped from free text in English or French: readable rules, never the last word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.attrition.reason_rules import Negation, Rule, RuleSet, Scope, WhyUnspecified, rule_set
from pipeline.attrition.reason_taxonomy import OpenTargetsClass, reason_meanings
from pipeline.attrition.reason_text import Word, clean, words_of
from pipeline.words import AttritionReason

UNSPECIFIED = AttritionReason.UNSPECIFIED
NOTHING_SAID = frozenset({"", "na", "nan", "none", "nil", "null", "unknown", "notprovided", "notavailable", "inconnu"})
MOST_TRIGGERS = 20
"""Most places of a text shown for one reason; further ones say no more."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """The words a rule was found in: as the cleaned text has them, and where (first and past the last character)."""

    rule: str
    language: str
    words: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FoundReason:
    """A reason with all that speaks for it, in the order of the text, and the Open Targets class of the first."""

    reason: AttritionReason
    open_targets: OpenTargetsClass
    triggers: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a text seems to say about why something stopped; a person has to confirm it.

    `primary` is UNSPECIFIED where it cannot be told, and `why` then says why not. `found` has every reason named, the
    primary first; `ruled_out` those the text names to exclude ("not for safety reasons"); `hints` the words of a text
    that speaks without telling.
    """

    primary: AttritionReason
    found: tuple[FoundReason, ...]
    ruled_out: tuple[FoundReason, ...] = ()
    why: WhyUnspecified | None = None
    hints: tuple[FoundReason, ...] = ()

    @property
    def further(self) -> tuple[AttritionReason, ...]:
        """The reasons beside the primary one."""
        return tuple(found.reason for found in self.found if found.reason is not self.primary)


@dataclass(frozen=True, slots=True)
class _Match:
    owner: int
    rule: Rule
    places: tuple[int, ...]


def propose_reasons(text: str | None) -> Proposal:
    """Return the reasons a text names.

    Args:
        text: free text in English, French or both; may hold markup; at most 200,000 characters.

    Raises:
        InputError: the text is too long.
    """
    rules = rule_set()
    shown = clean(text or "")
    if "".join(filter(str.isalnum, shown)).casefold() in NOTHING_SAID:
        return Proposal(UNSPECIFIED, (), why=WhyUnspecified.NO_TEXT)
    words = words_of(shown, rules.fillers, rules.breaks)
    fits = [rules.vocabulary.items_of(word.plain) for word in words]
    matches = [_Match(owner, rules.rules[owner], places) for owner, places in rules.find_rules.find(words, fits)]
    matches = _without_parts(matches)
    standing, excluded = _sift(matches, words, fits, rules)
    strong = [match for match in standing if match.rule.why is None and not match.rule.weak]
    named = strong or [match for match in standing if match.rule.why is None]
    hints = [match for match in standing if match.rule.why is not None]
    found = _grouped(named, words, shown)
    reasons = {one.reason for one in found}
    ruled_out = tuple(
        one
        for one in _grouped(
            (match for match in excluded if match.rule.why is None and not match.rule.weak), words, shown
        )
        if one.reason not in reasons and one.reason is not AttritionReason.SUCCESS_EARLY
    )
    told = _grouped(hints, words, shown)
    if not found:
        return Proposal(UNSPECIFIED, (), ruled_out, _why(hints, ruled_out), told)
    ordered = _in_order(found, named, words, rules)
    if {AttritionReason.EFFICACY_LACK, AttritionReason.SUCCESS_EARLY} <= reasons:
        return Proposal(UNSPECIFIED, ordered, ruled_out, WhyUnspecified.CONTRADICTORY, told)
    return Proposal(ordered[0].reason, ordered, ruled_out, None, told)


def open_targets_class(proposal: Proposal) -> OpenTargetsClass:
    """Return the Open Targets class of what is proposed first."""
    return open_targets_classes(proposal)[0]


def open_targets_classes(proposal: Proposal) -> Sequence[OpenTargetsClass]:
    """Return all Open Targets classes of a proposal, that of the primary reason first."""
    classes = [one.open_targets for one in (*proposal.found, *proposal.hints[:1])]
    if proposal.found:
        looks = [one for one in proposal.hints if one.open_targets is OpenTargetsClass.INTERIM_ANALYSIS]
        classes = [one.open_targets for one in (*proposal.found, *looks)]
    return tuple(dict.fromkeys(classes)) or (OpenTargetsClass.NO_CONTEXT,)


def _without_parts(matches: Sequence[_Match]) -> list[_Match]:
    """Leave out a match all of whose words serve in a longer match of another reason."""
    at: dict[int, list[_Match]] = {}
    for match in matches:
        for place in match.places:
            at.setdefault(place, []).append(match)
    return [
        match
        for match in matches
        if not any(
            len(other.places) > len(match.places)
            and other.rule.reason is not match.rule.reason
            and (other.rule.why is None or other.rule.absorbs or match.rule.weak)
            and set(match.places) < set(other.places)
            for other in at[match.places[0]]
        )
    ]


def _sift(
    matches: Iterable[_Match], words: Sequence[Word], fits: Sequence[frozenset[int]], rules: RuleSet
) -> tuple[list[_Match], list[_Match]]:
    """Part the matches that stand from those ruled out."""
    everything = frozenset(AttritionReason) - {UNSPECIFIED}
    covered: list[list[tuple[tuple[int, ...], frozenset[AttritionReason]]]] = [[] for _ in words]
    inside: list[frozenset[AttritionReason]] = [frozenset()] * len(words)
    for owner, places in rules.find_negations.find(words, fits):
        found = rules.negations[owner]
        if any(words[place].plain in rules.not_alone for place in range(places[0], places[-1] + 1)):
            continue
        only = found.only or everything
        if found.scope is Scope.WITHIN:
            for place in range(places[0], places[-1] + 1):
                inside[place] |= only
            continue
        for place, reasons in _reach(found, places, only, words, rules):
            covered[place].append((places, reasons))
    standing: list[_Match] = []
    excluded: list[_Match] = []
    for match in matches:
        reason = match.rule.reason
        own = set(match.places)
        out = all(reason in inside[place] for place in match.places) or any(
            reason in reasons and not own.issuperset(negation)
            for place in match.places
            for negation, reasons in covered[place]
        )
        (excluded if out else standing).append(match)
    return standing, excluded


def _reach(
    negation: Negation,
    places: tuple[int, ...],
    only: frozenset[AttritionReason],
    words: Sequence[Word],
    rules: RuleSet,
) -> Iterable[tuple[int, frozenset[AttritionReason]]]:
    """Yield the words a negation reaches, with the reasons it rules out there."""
    clause = words[places[0]].clause
    if negation.scope is Scope.BEFORE:
        for place in range(places[0] - 1, max(places[0] - 1 - negation.reach, -1), -1):
            if words[place].clause != clause or words[place].plain in rules.turns | rules.causes:
                return
            yield place, only
        return
    ruled_out = only
    end = min(places[-1] + 1 + negation.reach, len(words))
    for place in range(places[-1] + 1, end):
        word = words[place]
        if word.clause != clause or word.plain in rules.turns:
            return
        if word.plain in rules.causes and place > places[-1] + 1:
            return
        if word.plain in rules.rises and words[place - 1].plain in rules.lists:
            return
        if word.after_comma:
            if not any(other.plain in rules.lists and other.clause == clause for other in words[place:end]):
                return
            ruled_out = ruled_out & rules.scientific
        yield place, ruled_out


def _grouped(matches: Iterable[_Match], words: Sequence[Word], shown: str) -> tuple[FoundReason, ...]:
    """Gather matches by reason, in the order of the text."""
    groups: dict[AttritionReason, dict[tuple[int, int], _Match]] = {}
    for match in sorted(matches, key=lambda match: (match.places[0], -match.places[-1], match.owner)):
        groups.setdefault(match.rule.reason, {}).setdefault((match.places[0], match.places[-1]), match)
    return tuple(_found(reason, list(spans.values()), words, shown) for reason, spans in groups.items())


def _found(reason: AttritionReason, matches: Sequence[_Match], words: Sequence[Word], shown: str) -> FoundReason:
    triggers: list[Trigger] = []
    last = -1
    for match in matches:
        start, end = words[match.places[0]].start, words[match.places[-1]].end
        if start >= last and len(triggers) < MOST_TRIGGERS:
            triggers.append(Trigger(match.rule.id, match.rule.language, shown[start:end], start, end))
            last = end
    usual = reason_meanings()[reason].open_targets
    special = [match.rule.open_targets for match in matches if match.rule.open_targets is not usual]
    return FoundReason(reason, special[0] if special else matches[0].rule.open_targets, tuple(triggers))


def _in_order(
    found: Sequence[FoundReason], named: Sequence[_Match], words: Sequence[Word], rules: RuleSet
) -> tuple[FoundReason, ...]:
    """Put the primary reason first: harm and lack of effect before others, a cause before what it set off."""
    meanings = reason_meanings()
    # "Lack of funds and personnel" names funds first: what counts is where the words for a reason end.
    ends: Mapping[AttritionReason, int] = {
        one.reason: min(match.places[-1] for match in named if match.rule.reason is one.reason) for one in found
    }
    causes = [place for place, word in enumerate(words) if word.plain in rules.causes]
    caused = {
        one.reason
        for one in found
        if meanings[one.reason].set_off
        and any(
            ends[one.reason] < cause < ends[other.reason] and not meanings[other.reason].set_off
            for cause in causes
            for other in found
        )
    }
    return tuple(
        sorted(found, key=lambda one: (not meanings[one.reason].first, one.reason in caused, ends[one.reason]))
    )


def _why(hints: Sequence[_Match], ruled_out: Sequence[FoundReason]) -> WhyUnspecified:
    """Return why nothing can be told: what says most comes first, as in the list of causes."""
    said = {match.rule.why for match in hints}
    for why in (WhyUnspecified.INTERIM_LOOK, WhyUnspecified.PLANNED_PAUSE):
        if why in said:
            return why
    if ruled_out:
        return WhyUnspecified.ONLY_RULED_OUT
    return next((why for why in WhyUnspecified if why in said), WhyUnspecified.NO_WORDS_KNOWN)

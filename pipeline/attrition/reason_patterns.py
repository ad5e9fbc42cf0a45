"""Word patterns of the reason rules: "{POOR} ~4 {ENROL}" is a word of one set, up to four others, one of another.

Every pattern is tried at each word that can begin it, and looks at most a few words ahead: the time taken grows with
the length of the text and no faster, whatever the text.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.attrition.reason_text import Word, fold

MOST_BETWEEN = 10
_GAP = re.compile(r"~(\d+)")
_SET = re.compile(r"\{([A-Z]+)\}")


class PatternError(ValueError):
    """A rule that cannot be read; found when the rules are loaded."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Items by number, and how many other words may stand before each (0 before the first)."""

    items: tuple[int, ...]
    gaps: tuple[int, ...]


@dataclass(slots=True)
class Vocabulary:
    """All items of all patterns: which of them a word fits is worked out once for each word."""

    sets: Mapping[str, str]
    fillers: frozenset[str]
    repair: Callable[[str], str | None]
    _ids: dict[frozenset[str], int] = field(default_factory=dict)
    _exact: dict[str, set[int]] = field(default_factory=dict)
    _begin: dict[str, set[int]] = field(default_factory=dict)
    _known: dict[str, frozenset[int]] = field(default_factory=dict)

    def compile(self, text: str) -> Iterator[Pattern]:
        """Yield what a pattern says, once for every choice of its optional items.

        Raises:
            PatternError: it names a set there is none of, or has nothing to look for.
        """
        choices: list[list[tuple[int, int] | None]] = []
        gap = 0
        for part in text.split():
            if number := _GAP.fullmatch(part):
                gap = int(number[1])
                continue
            forms = self._forms(part.removesuffix("?"))
            if not forms:
                continue
            item = self._ids.setdefault(forms, len(self._ids))
            for form in forms:
                table, key = (self._begin, form[:-1]) if form.endswith("*") else (self._exact, form)
                table.setdefault(key, set()).add(item)
            choices.append([(item, gap), None] if part.endswith("?") else [(item, gap)])
            gap = 0
        if not choices or gap or any(step is not None and step[1] > MOST_BETWEEN for c in choices for step in c):
            raise PatternError(f"the pattern {text!r} has nothing to look for, or a gap that leads nowhere")
        for chosen in itertools.product(*choices):
            steps = [step for step in chosen if step is not None]
            if not steps:
                raise PatternError(f"the pattern {text!r} can be empty")
            yield Pattern(tuple(item for item, _ in steps), (0, *(gap for _, gap in steps[1:])))

    def _forms(self, part: str) -> frozenset[str]:
        forms: set[str] = set()
        for choice in part.split("|"):
            if name := _SET.fullmatch(choice):
                if name[1] not in self.sets:
                    raise PatternError(f"there is no set {name[1]}")
                forms |= {fold(word) for word in self.sets[name[1]].split()}
            elif re.fullmatch(r"[^\W_]+\*?", choice):
                forms.add(fold(choice))
            else:
                raise PatternError(f"{choice!r} is no word")
        return frozenset(forms - self.fillers)

    def items_of(self, word: str) -> frozenset[int]:
        """Return the items a word fits, as it stands or else as it is meant."""
        found = self._look_up(word)
        if not found and (meant := self.repair(word)):
            found = self._look_up(meant)
        return found

    def _look_up(self, word: str) -> frozenset[int]:
        known = self._known.get(word)
        if known is None:
            found = set(self._exact.get(word, ()))
            for length in range(2, min(len(word), 24) + 1):
                found |= self._begin.get(word[:length], set())
            known = frozenset(found)
            if len(self._known) < 50_000:
                self._known[word] = known
        return known


class Finder:
    """Finds many patterns in a text at once; each stands for something (a rule, a negation)."""

    def __init__(self, patterns: Iterable[tuple[Pattern, int]]) -> None:
        self._by_first: dict[int, list[tuple[Pattern, int]]] = {}
        for pattern, owner in patterns:
            self._by_first.setdefault(pattern.items[0], []).append((pattern, owner))

    def find(self, words: Sequence[Word], fits: Sequence[frozenset[int]]) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield (owner, places of the words that fit) for every match, the nearest words of each."""
        where: dict[int, list[int]] = {}
        for at, items in enumerate(fits):
            for item in items:
                where.setdefault(item, []).append(at)
        for item, places in where.items():
            for pattern, owner in self._by_first.get(item, ()):
                if all(other in where for other in pattern.items):
                    for at in places:
                        match = _follow(pattern, at, words, where)
                        if match is not None:
                            yield owner, match


def _follow(
    pattern: Pattern, at: int, words: Sequence[Word], where: Mapping[int, Sequence[int]]
) -> tuple[int, ...] | None:
    """Return the places of a match that begins at a word; by layers, so that no path is walked twice."""
    reached: dict[int, tuple[int, ...]] = {at: (at,)}
    for item, gap in zip(pattern.items[1:], pattern.gaps[1:], strict=True):
        following: dict[int, tuple[int, ...]] = {}
        places = where[item]
        for place, path in reached.items():
            next_one = bisect_right(places, place)
            while next_one < len(places) and (ahead := places[next_one]) <= place + gap + 1:
                if words[ahead].clause != words[at].clause:
                    break
                following.setdefault(ahead, (*path, ahead))
                next_one += 1
        if not following:
            return None
        reached = following
    return reached[min(reached)]

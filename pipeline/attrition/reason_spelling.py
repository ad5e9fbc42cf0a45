"""Misspelled words where it is clear which word is meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

FEWEST_LETTERS = 5
TWO_WRONG_FROM = 9
MOST_LETTERS = 20


class Spelling:
    """Words that are repaired: one letter wrong from 5 letters on, two from 9 on, with the first letter right."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._near: dict[str, set[str]] = {}
        for word in self._words:
            for form in _shortened(word):
                self._near.setdefault(form, set()).add(word)

    def repair(self, word: str) -> str | None:
        """Return the word that is meant, None where none is near or two are equally near."""
        if not FEWEST_LETTERS <= len(word) <= MOST_LETTERS or word in self._words or not word.isalpha():
            return None
        candidates = {near for form in _shortened(word) for near in self._near.get(form, ())}
        distances: dict[int, list[str]] = {}
        for near in candidates:
            if near[0] == word[0]:
                distances.setdefault(_distance(word, near), []).append(near)
        if not distances:
            return None
        least = min(distances)
        fits = [near for near in distances[least] if least <= _wrong(min(len(word), len(near)))]
        # Forms of one word ("recruit", "recruited") stand for each other.
        return min(fits) if fits and len({near[:5] for near in fits}) == 1 else None


def _wrong(letters: int) -> int:
    return 2 if letters >= TWO_WRONG_FROM else 1


def _shortened(word: str) -> Iterator[str]:
    """Yield a word with none, one or two letters left out: words within the distance have one of these in common."""
    yield word
    ones = {word[:at] + word[at + 1 :] for at in range(len(word))}
    yield from ones
    if len(word) >= TWO_WRONG_FROM - 1:
        yield from {one[:at] + one[at + 1 :] for one in ones for at in range(len(one))}


def _distance(first: str, second: str) -> int:
    """Return the fewest letters to change, add, drop or swap with the next (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(second, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]

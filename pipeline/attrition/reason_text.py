"""Free text as words that rules can be held against: without markup, case and accents, with where each word stood."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.errors import InputError

MOST_CHARACTERS = 200_000

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,400}>|<!--[^<>]{0,400}-->")
_WORD = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.){2,6}[^\W\d_]?(?![^\W_])|[^\W_]+")
"""A word; letters with a stop after each ("P.I.") are one."""
_TITLES = frozenset({"dr", "drs", "prof", "mr", "mrs", "ms", "vs", "approx"})
"""Words whose stop ends no sentence; one without a blank ends one before a capital ("safety.Slow accrual")."""
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
_JOINED = frozenset({"re", "pre", "anti"})
_NEGATED = frozenset({"didnt", "doesnt", "dont", "wasnt", "werent", "isnt", "wouldnt", "hasnt", "havent", "wont"})
_CANNOT = frozenset({"cant", "couldnt", "cannot"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word as rules see it, and where it stands in the cleaned text."""

    plain: str
    start: int
    end: int
    clause: int
    after_comma: bool


def clean(text: str) -> str:
    """Return a text without markup, entities and invisible signs, each run of blanks as one, line ends kept.

    Raises:
        InputError: the text is longer than a reason can be.
    """
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"the text has {len(text):,} characters; a reason has at most {MOST_CHARACTERS:,}", path=("text",)
        )
    bare = _TAG.sub(" ", html.unescape(text)) if "<" in text or "&" in text else text
    bare = bare.translate(_UNSEEN).replace("\x00", " ")
    return "\n".join(line for row in bare.splitlines() if (line := " ".join(row.split())))


def words_of(text: str, fillers: frozenset[str], breaks: str) -> Sequence[Word]:
    """Return the words of a cleaned text, fillers left out."""
    words: list[Word] = []
    clause, comma, last_end = 0, False, 0
    joined: tuple[str, int] | None = None
    for match in _WORD.finditer(text):
        start, end = match.span()
        between = text[last_end:start]
        if joined is not None and between != "-":
            words.append(Word(joined[0], joined[1], last_end, clause, comma))
            joined, comma = None, False
        run_on = between == "." and text[last_end - 1].islower() and match.group()[0].isupper()
        titled = between == ". " and bool(words) and words[-1].plain in _TITLES
        if run_on or (_breaks(between, breaks) and not titled):
            clause += 1
            comma = False
        comma = comma or "," in between
        plain, begin = fold(match.group().replace(".", "")), start
        if joined is not None:
            plain, begin, joined = joined[0] + plain, joined[1], None
        last_end = end
        if plain in _JOINED:
            joined = (plain, begin)
        elif plain == "t" and between in {"'", "’"} and words and words[-1].plain.endswith("n"):
            before = words[-1]
            words[-1] = Word(
                "cannot" if before.plain in {"can", "couldn"} else "not", before.start, end, before.clause,
                before.after_comma,
            )  # fmt: skip
        elif plain not in fillers:
            words.append(Word(_spelled_out(plain), begin, end, clause, comma))
            comma = False
    if joined is not None:
        words.append(Word(joined[0], joined[1], last_end, clause, comma))
    return words


@lru_cache(maxsize=50_000)
def fold(word: str) -> str:
    """Return a word without case and accents: "Efficacité" is "efficacite"."""
    parts = unicodedata.normalize("NFKD", word.casefold().replace("œ", "oe").replace("æ", "ae"))
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def _spelled_out(plain: str) -> str:
    if plain in _NEGATED:
        return "not"
    return "cannot" if plain in _CANNOT else plain


def _breaks(between: str, breaks: str) -> bool:
    """Tell whether a clause ends between two words: at a stop outside of a word ("2.5" has none), or at a dash."""
    if between in {".", ":"}:
        return False
    return any(sign in breaks for sign in between) or any(dash in between for dash in (" - ", " – ", " — "))

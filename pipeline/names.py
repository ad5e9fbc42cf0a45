"""Names of molecules: the form a person reads, and the key under which two spellings are one molecule.

Sources spell one molecule in many ways (5-FU, 5 FU, 5‑fu, "5-FU"), so spellings are folded into a key. The key must
never join two molecules that differ: digits keep their groups ("BAY 43-9006" is not "BAY 439-006"), primes and
separators that carry chemistry stay (2'-deoxy is not 2-deoxy, (+) is not (-)), and no ending is ever cut off.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pipeline.synonyms import KNOWN_SYNONYMS

_CACHED_LENGTH = 200
"""Longer names are folded without being remembered, so that hostile input cannot fill the memory."""

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ο": "omicron", "π": "pi", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_LETTERS = str.maketrans(_GREEK | {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})

_TRADE_MARKS = re.compile("[®™℠©]|\\(tm\\)", re.IGNORECASE)
_INVISIBLE = re.compile("[\u180e\ue000\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"\s+")

_DASHES = "\\-\u00ad\u058a\u2010-\u2015\u2043\u2212\u2e3a\u2e3b\u30fb\ufe58\ufe63\uff0d"
_QUOTES = "'`\u00b4\u02b9\u02bc\u2018-\u201b\u2032\u2035"
_DOUBLE_QUOTES = '"\u00ab\u00bb\u201c-\u201f\u2039\u203a'
_KEPT = "\ue000"  # stands for a prime that counts, until all other quotation marks are gone
_PRIME = re.compile(rf"(?<=\d)[{_QUOTES}]+(?=[{_DASHES},)]*[^\W_])")
_POINTS = re.compile(rf"(?<![\d{_KEPT}])[.,]|[.,](?!\d)")
_SEPARATORS = re.compile(rf"[\s_{_DASHES}{_QUOTES}{_DOUBLE_QUOTES}\x00-\x1f\x7f-\x9f]+")
_BETWEEN_DIGITS = re.compile(rf"(?<=[\d{_KEPT}]) (?=\d)")


def tidy(name: str) -> str:
    """Return a name as it is shown: no control or invisible characters, single spaces, composed accents (NFC).

    Letters, case, hyphens and signs stay as the source gave them. Idempotent.
    """
    name = _INVISIBLE.sub("", _LONE_SURROGATES.sub("\ufffd", name))
    return _SPACES.sub(" ", _CONTROL.sub(" ", unicodedata.normalize("NFC", name))).strip()


def fold(name: str) -> str:
    """Return the key of a name: equal keys are one molecule. Empty when the name has neither letter nor digit.

    Case, accents, spaces, hyphens, quotation marks, trade-mark signs and compatibility forms (full width, superscript)
    do not count; Greek letters are spelled out (α is alpha). A separator between two digits counts, whichever it is:
    "1-12", "1 12" and "1–12" share a key that "11-2" and "112" do not. A prime after a digit counts as well.
    Idempotent: fold(fold(name)) == fold(name). A name with an empty key is for the caller to refuse.
    """
    return _remembered(name) if len(name) <= _CACHED_LENGTH else _fold(name)


def _fold(name: str) -> str:
    name = _INVISIBLE.sub("", _TRADE_MARKS.sub(" ", _LONE_SURROGATES.sub("\ufffd", name)))
    name = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    name = _ACCENTS.sub("", name).translate(_LETTERS)
    name = _PRIME.sub(lambda primes: _KEPT * len(primes[0]), name)
    name = _SEPARATORS.sub(" ", _POINTS.sub(" ", name)).strip()
    key = unicodedata.normalize("NFC", _BETWEEN_DIGITS.sub("-", name).replace(" ", "").replace(_KEPT, "'"))
    return key if any(character.isalnum() for character in key) else ""


_remembered = lru_cache(maxsize=65_536)(_fold)


def canonical_key(name: str) -> str:
    """Return the key of a name, or of its INN where the name is a known synonym: 17-AAG and tanespimycin share a key.

    A molecule is its parent without salts, so endings that always mean a salt (hydrochloride, mesylate, maleate ...)
    are set aside as well; acetate, phosphate and succinate are not: they may be esters, which are other molecules.
    Idempotent on its own keys.
    """
    return _remembered_key(name) if len(name) <= _CACHED_LENGTH else _canonical_key(name)


def _canonical_key(name: str) -> str:
    key = fold(name)
    known = _canonical().get(key)
    if known is not None:
        return known
    salt = _SALT.fullmatch(key)
    return canonical_key(salt["base"]) if salt else key


_remembered_key = lru_cache(maxsize=65_536)(_canonical_key)


@lru_cache(maxsize=1)
def _canonical() -> dict[str, str]:
    return {fold(other): fold(name) for name, others in KNOWN_SYNONYMS.items() for other in others}


_SALT = re.compile(
    r"(?P<base>[\w'-]{5,}?)(?:mono|di|tri|bis)?(?:hydrochloride|hcl|hydrobromide|mes[yi]late|tos[yi]late|bes[yi]late"
    r"|es[yi]late|maleate|bitartrate)(?:(?:mono|di|tri|hemi|sesqui)?hydrate)?"
)

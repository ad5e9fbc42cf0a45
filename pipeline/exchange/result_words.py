"""What stands where a result belongs and is no number: below the limit, above it, not done, not calculable.

In English, French, German, Spanish and Italian, in any case, with or without accents, blanks and points.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from pipeline.exchange.written_numbers import PLAIN, Habit, read_number


class Kind(StrEnum):
    """What a text in place of a number says."""

    BELOW = "BELOW"
    ABOVE = "ABOVE"
    NOT_DONE = "NOT_DONE"
    UNREAD = "UNREAD"


class Words(NamedTuple):
    """What a text says, and the limit it names ("<0.5")."""

    kind: Kind
    limit: float | None = None


_LONGEST = 120
_BELOW_CODES_TEXT = """
blq bql bloq blloq lloq loq lod bld bdl blod bll bq bl ldq ldd liq lq ld nd nq nn nnw ubg bg bnw nde ndet
trace traces undetected undetectable indetectable indetecte indecelable nondetecte nondetect nondetectable
notdetected notdetectable nondecelable nonquantifiable notquantifiable nonquantifie nichtnachweisbar
nichtnachgewiesen nodetectado nodetectable noncuantificable nocuantificable nonrilevabile nonrilevato
negligible nil
"""
_BELOW_CODES = frozenset(_BELOW_CODES_TEXT.split())
_BELOW_PHRASE = re.compile(
    r"\b(?:below|under|less than|inferieur|inferieure|inf|sous|au-dessous|en dessous|unter|unterhalb|kleiner|debajo|"
    r"inferior|inferiore|sotto|menor)\b.*\b(?:limit|limits|limite|lloq|loq|lod|quantif\w*|detect\w*|nachweis\w*|"
    r"bestimmung\w*|quantifizier\w*|seuil|cuantific\w*|lq|ldq|ldd|blq)\b"
    r"|\b(?:non|not|no|nicht|pas)\b.{0,6}\b(?:detect\w*|quantif\w*|decel\w*|nachweis\w*|nachgewiesen|rilev\w*)\b"
    r"|\binf\.? ?(?:a|à)? ?(?:la )?(?:lloq|loq|limite)\b"
)
_ABOVE_CODES_TEXT = """
alq aloq auloq uloq aql alod abovelimit aboveuloq
"""
_ABOVE_CODES = frozenset(_ABOVE_CODES_TEXT.split())
_ABOVE_PHRASE = re.compile(
    r"\b(?:above|over|greater than|superieur\w*|au-dessus|uber|oberhalb|encima|superior\w*|sopra)\b.*"
    r"\b(?:limit|limits|limite|uloq|loq|quantif\w*|range|curve|gamme|bereich)\b"
)
_NOT_DONE_CODES_TEXT = """
notdone nonfait nonfaite nonrealise nonrealisee nr nc ns nsr qns ne nf nsa na notreported noresult noresults
noncalculable notcalculable notcalculated nonevaluable notevaluable notapplicable notavailable nonrapporte
nichtbestimmt nichtdurchgefuhrt nb norealizado noneseguito missing manquant manquante lost perdu perdue
nosample nosamplereceived insufficient insufficientsample insuffisant hemolyzed haemolyzed haemolysed hemolyse
notcollected nonpreleve nonprelevee nonrecu nonrecue notreceived nonanalyse notanalyzed notanalysed nv invalid
cancelled canceled annule annulee failed pending encours
"""
_NOT_DONE_CODES = frozenset(_NOT_DONE_CODES_TEXT.split())
_NOT_DONE_PHRASE = re.compile(
    r"\b(?:no|not|non|pas d|pas de|nicht|kein\w*|sin|missing|insufficient|insuffisant\w*|lost|perdu\w*|broken|casse\w*|"
    r"quantity not sufficient|manqu\w*|hemoly\w*|haemoly\w*|clotted|coagul\w*)\b"
)
_SIGN = re.compile(r"(<=|=<|≤|⩽|<|>=|=>|≥|⩾|>)\s*(.*)", re.DOTALL)
_BRACKETS = re.compile(r"[(\[].*?[)\]]")
_LIMIT = re.compile(r"<\s*=?\s*(\d[\d.,]*\d|\d)")
_NUMBER_AND_UNIT = re.compile(
    r"([+-]?[\d.,' \u00a0\u202f]*\d(?:e[+-]?\d+)?)\s*([a-zµμ%][\w/*^.%µμ\[\]-]*)?", re.IGNORECASE
)


@lru_cache(maxsize=20_000)
def read_words(text: str, habit: Habit = PLAIN) -> Words:
    """Read what a text that is no number says; UNREAD where it is not understood."""
    plain = _folded(text)
    if len(plain) > _LONGEST:
        return Words(Kind.UNREAD)
    if signed := _SIGN.match(plain):
        below = signed[1] in ("<", "<=", "=<", "≤", "⩽")
        rest = _BRACKETS.sub(" ", signed[2]).strip() or signed[2].strip(" ()[]")
        figure = _NUMBER_AND_UNIT.fullmatch(rest)
        if figure is not None:
            reading = read_number(figure[1].strip(), habit)
            limit = reading.value if reading.value is not None and reading.value >= 0 else None
            return Words(Kind.BELOW if below else Kind.ABOVE, limit)
        if below and (_code(rest) in _BELOW_CODES or _BELOW_PHRASE.search(rest) or "limit" in rest):
            return Words(Kind.BELOW, _limit_inside(plain, habit))
        if not below and (_code(rest) in _ABOVE_CODES | {"loq"} or "limit" in rest):
            return Words(Kind.ABOVE)
        return Words(Kind.UNREAD)
    bare = _LIMIT.sub(" ", _BRACKETS.sub(" ", plain)).strip() or plain
    code = _code(bare)
    if code == "0" and any(_code(inside) in _BELOW_CODES for inside in _BRACKETS.findall(plain)):
        return Words(Kind.BELOW)
    if code in _BELOW_CODES or _BELOW_PHRASE.search(plain):
        return Words(Kind.BELOW, _limit_inside(plain, habit))
    if code in _ABOVE_CODES or _ABOVE_PHRASE.search(plain):
        return Words(Kind.ABOVE)
    if code in _NOT_DONE_CODES or _NOT_DONE_PHRASE.search(plain):
        return Words(Kind.NOT_DONE)
    return Words(Kind.UNREAD)


def number_inside(text: str) -> float | None:
    """Return the one number a text holds beside other signs ("12.3*", "12.3 (mean of 2)"), to be proposed."""
    numbers = re.findall(r"[+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?", re.sub(r"\(.*?\)", " ", text), re.IGNORECASE)
    return read_number(numbers[0]).value if len(numbers) == 1 else None


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).casefold().split())


def _code(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def _limit_inside(plain: str, habit: Habit) -> float | None:
    """Return the limit named beside the word, as in "BLQ (<0.5)" or "BLQ<0.10"."""
    found = _LIMIT.search(plain)
    return read_number(found[1], habit).value if found else None

"""What may stand for a subject: a code that leads to nobody. Whatever looks like a person's name or number is refused.

Nothing here can prove that a code is a pseudonym; it finds what is plainly not one: names, birth dates, social-security
and hospital numbers, addresses of any kind. A code of the usual kinds ("01-701-1015", "PDS-FAKEDRUG-111-1001",
"HREF-0042", "Mouse 12") passes. A common surname followed by a number ("DUPONT-01") does not, unless the study itself
goes by that word: trials are called EMILIA or JULIET, too.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Collection
from importlib.resources import files

from pipeline.errors import InputError

LONGEST = 64

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}")
_WEB = re.compile(r"https?://|www\.", re.IGNORECASE)
# French numbers in pairs, mobile ones also in one go; international ones by their plus sign; (555) 123-4567.
_PHONES = (
    re.compile(r"(?<!\d)(?:\+33|0033)[ .\-]?(?:\(0\))?[ .\-]?[1-9](?:[ .\-]?\d{2}){4}(?!\d)"),
    re.compile(r"(?<![\w-])0[1-9](?:([ .\-])\d{2})(?:\1\d{2}){3}(?![\w-])"),
    re.compile(r"(?<![\w-])0[67]\d{8}(?![\w-])"),
    re.compile(r"\+\d{1,3}(?:[ .\-]?\(?\d{1,5}\)?){2,5}(?!\d)"),
    re.compile(r"\(\d{3}\) ?\d{3}[ .\-]\d{4}(?!\d)"),
)
# Sex, year, month, department, commune, order, and the key, which may be missing; blanks, points or hyphens between.
_NIR = re.compile(
    r"(?<!\d)([1-478])[ .\-]?(\d{2})[ .\-]?(0[1-9]|1[0-2]|[2-9]\d)[ .\-]?(\d{2}|2[AB])[ .\-]?(\d{3})[ .\-]?(\d{3})"
    r"(?:[ .\-]?(\d{2}))?(?!\d)",
    re.IGNORECASE,
)
_FISCAL_CODE = re.compile(r"(?<!\w)[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)", re.IGNORECASE)
_NUMBERED = re.compile(
    r"(?<![a-z])(?:ipp|nip|iep|ins|nir|mrn|uhn|nhs|ssn|dossier|hospital|hopital|secu(?:rite sociale)?|passe?port)"
    r"(?:[ .:#\-]*(?:n|no|nr|num(?:ber|ero)?))?[ .:#\-]*\d[\d \-]{3,}"
)
_BORN = re.compile(
    r"(?<![a-z])(?:n[e]e? +le|born|dob|ddn|date de naissance|birth ?date|naissance|anniversaire)(?![a-z])"
)
_STREET = re.compile(r"(?<![a-z])(?:rue|avenue|boulevard|chemin|impasse|street|road|lane)(?![a-z])")
_DATES = (
    re.compile(r"(?<!\d)(?:19|20)\d{2}([-/. ])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)"),
    re.compile(r"(?<!\d)(?:0?[1-9]|[12]\d|3[01])([-/. ])(?:0?[1-9]|1[0-2])\1(?:19|20)\d{2}(?!\d)"),
    re.compile(r"(?<!\d)(?:0?[1-9]|1[0-2])([-/. ])(?:0?[1-9]|[12]\d|3[01])\1(?:19|20)\d{2}(?!\d)"),
    re.compile(r"(?<!\d)(?:0[1-9]|[12]\d|3[01])([/.])(?:0[1-9]|1[0-2])\1\d{2}(?!\d)"),
    # Eight digits: a year first, or day and month before a year of the last century; 10012001 may be a site's subject.
    re.compile(r"(?<!\d)(?:19[2-9]\d|20[01]\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"),
    re.compile(r"(?<!\d)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])19[2-9]\d(?!\d)"),
)
_DATE_IN_WORDS = re.compile(
    r"(?<!\d)\d{1,2}[ .\-]*(?:jan|feb|fev|mar|apr|avr|may|mai|jun|juin|jul|juil|aug|aou|sep|oct|nov|dec)[a-z]*"
    r"[ .\-]*(?:19|20)\d{2}(?!\d)"
)
_TITLE = re.compile(
    r"(?<![a-z])(?:m|mr|mrs|mme|mlle|ms|miss|mister|monsieur|madame|mademoiselle|dr|pr|prof|sir|lady)\.? +[a-z]"
)
_INITIALS = re.compile(r"(?:[A-Z]\.[ \-]?){2,4}")
_WITH_INITIAL = re.compile(r"[^\W\d_]{3,}[, ]+[^\W\d_]\.|[^\W\d_]\.[ ]*[^\W\d_]{3,}")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_IDEOGRAPHS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def checked_pseudonym(text: str, *, own_words: Collection[str] = ()) -> str:
    """Return a subject's code without surrounding blanks.

    own_words: words by which the study goes (its code, title and molecules): they are no names there.

    Raises:
        InputError: it is empty, too long, holds what is not text, or looks like it leads to a person. The message
            never repeats it.
    """
    code = plain_code(text)
    if not code:
        raise InputError("a subject needs a code; give its pseudonym")
    if len(code) > LONGEST:
        raise InputError(f"a pseudonym has at most {LONGEST} characters, not {len(code)}")
    if _CONTROL.search(code):
        raise InputError("a pseudonym holds a character that is not text; type it again")
    found = what_identifies(code, own_words=own_words)
    if found is not None:
        raise InputError(
            f"this looks like {found}: subjects are known here by pseudonyms only; "
            "give the code the study uses for the subject"
        )
    return code


def plain_code(text: str) -> str:
    """Return a code as it is kept: accents composed, no blanks around it."""
    return unicodedata.normalize("NFC", text).strip()


def what_identifies(code: str, *, own_words: Collection[str] = ()) -> str | None:
    """Return what of a person a code seems to hold ("a name", "an e-mail address"); None for a pseudonym."""
    return _what_identifies(code, own_words if isinstance(own_words, frozenset) else frozenset(own_words))


def identifier_in(text: str) -> str | None:
    """Return what in a free text leads to a person: an address or number, or a birth date said to be one.

    Names are not looked for: a reason may well name the person who gave it.
    """
    plain = _folded(text)
    if _EMAIL.search(text):
        return "an e-mail address"
    if any(phone.search(text) for phone in _PHONES):
        return "a telephone number"
    if _is_nir(text) or _FISCAL_CODE.search(text):
        return "a social-security number"
    if _NUMBERED.search(plain):
        return "a hospital or social-security number"
    return "a birth date" if _BORN.search(plain) else None


def own_words_of(*texts: str | None) -> frozenset[str]:
    """Return the words of a study's code, title and the like, as `checked_pseudonym` takes them."""
    return frozenset(_folded(word) for text in texts if text for word in _WORD.findall(text))


@functools.lru_cache(maxsize=8192)
def _what_identifies(code: str, own_words: frozenset[str]) -> str | None:
    found = identifier_in(code)
    if found is not None:
        return found
    plain = _folded(code)
    if any(date.search(code) for date in _DATES) or _DATE_IN_WORDS.search(plain):
        return "a birth date"
    if _WEB.search(code) or _STREET.search(plain):
        return "an address"
    return "a name" if _is_name(code, plain, own_words) else None


def _is_nir(text: str) -> bool:
    """Whether 13 digits, or 15 with the key, are built like a French social-security number.

    A key that fits decides; without one, or with another, a bare run of 13 or 15 digits, or the usual grouping, does.
    """
    for found in _NIR.finditer(text):
        sex, year, month, department, commune, order, key = found.groups()
        number = int("".join((sex, year, month, department.upper().replace("2A", "19").replace("2B", "18"))))
        number = number * 10**6 + int(commune) * 1000 + int(order)
        fits = key is not None and 97 - number % 97 == int(key)
        if fits or (sex in "12" and (key is not None or "-" not in found[0])):
            return True
    return False


def _is_name(code: str, plain: str, own_words: frozenset[str]) -> bool:
    """Whether the words of a code make a person's name."""
    if _TITLE.search(plain) or _INITIALS.fullmatch(code) or _IDEOGRAPHS.search(code):
        return True
    words = [word for word in _WORD.findall(code) if len(word) > 1]
    known = _names()
    strange = [word for word in words if _folded(word) not in known.generic and _folded(word) not in own_words]
    if not strange:
        return False
    has_digits = any(character.isdigit() for character in code)
    if not has_digits and (_WITH_INITIAL.search(code) or (len(strange) == 1 and _is_titled(strange[0]))):
        return True
    folded = [_folded(word) for word in strange]
    if any(word in known.surnames or word in known.given for word in folded):
        return True
    # Two words side by side that no study goes by: "Kowalczyk Piotr", "KOWALCZYK PIOTR 1960"; not "PDS-FAKEDRUG-111".
    pairs = re.findall(r"(?=(?<![^\W_])([^\W\d_]{3,})[ ,]+([^\W\d_]{3,}))", code)
    return any(
        _folded(first) in folded and _folded(second) in folded and (not has_digits or _is_titled(first))
        for first, second in pairs
    )


def _is_titled(word: str) -> bool:
    return len(word) > 2 and word[0].isupper() and word[1:].islower()


class _Names:
    """The lists of personal_names.toml."""

    def __init__(self) -> None:
        text = files("pipeline").joinpath("personal_names.toml").read_text(encoding="utf-8")
        lists = {name: frozenset(words.split()) for name, words in tomllib.loads(text).items()}
        self.generic = lists["generic"]
        self.given = lists["given"] - self.generic
        self.surnames = lists["surnames"] - self.generic


@functools.cache
def _names() -> _Names:
    return _Names()


def _folded(text: str) -> str:
    """Return a text in lower case without accents and apostrophes."""
    apart = unicodedata.normalize("NFD", text.casefold().replace("’", "").replace("'", "").replace("°", " "))
    return "".join(character for character in apart if not unicodedata.combining(character))

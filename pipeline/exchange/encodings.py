"""Which encoding a text file is in: detected, said aloud, and called doubtful where the bytes allow two readings."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from pipeline.errors import FileRefused

_NAMES = {
    "utf-8": "UTF-8",
    "cp1252": "Windows-1252",
    "mac_roman": "Mac Roman",
    "iso8859_15": "ISO 8859-15",
    "cp850": "DOS code page 850",
}
# What a candidate has to make up for by plausibility: rarer encodings need better evidence.
_SINGLE_BYTE = {"cp1252": 0.0, "mac_roman": 0.5, "iso8859_15": 1.0, "cp850": 2.5}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = bytes.maketrans(b';,\t|"()[]/', b"          ")
_MARGIN = 4.0
"""Two readings closer than this are both possible (one wrong capital inside a word costs 6)."""
_IMPLAUSIBLE = 4.0
"""A mean cost per letter above this is no French, English or German text."""
_EXAMPLES = 5
_MOST_WORDS = 20_000
"""Distinct words looked at: more tell nothing new, and noise has millions."""
_MOJIBAKE = re.compile("Ã[\x80-\xbf©¨ª«´®¯»¼¢ ]|â€[™œ\x9d˜“”¢¦]|Â[°±µ®«»]")

# Letters of French and English text first, then of the neighbours whose names diseases and people carry.
_LETTER_COST = (
    dict.fromkeys("é", 0.0)
    | dict.fromkeys("èàêçôâîïëùûœÉÀÈÇöüä", 1.0)
    | dict.fromkeys("øåßÖÜÄÅØÊÎÔÂÏËŒ", 2.0)
    | dict.fromkeys("ñóíáúæÆÁ", 3.5)
)
_OTHER_LETTER = 4.0
_AFTER_WORD = set("™®")
_SIGNS = set("±×€·½¼¾§©•†£")
_WHOLLY_ODD = 8.0


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text, the encoding it was read in (Python's name) and what has to be said about that."""

    text: str
    encoding: str
    warnings: tuple[str, ...] = ()
    doubtful: bool = False


def decode(data: bytes, filename: str) -> Decoded:
    """Return the text of a file in whatever encoding it is.

    Byte order marks are believed; valid UTF-8 is UTF-8; otherwise the single-byte candidates (Windows-1252, Mac
    Roman, ISO 8859-15, DOS 850) are scored by how plausible the words with special letters are. Refuses bytes that
    fit nothing.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _told(_strictly(data, encoding, filename), encoding)
    wide = _wide_without_mark(data)
    if wide is not None:
        text = _strictly(data, wide, filename)
        return Decoded(text, wide, (f"{filename} was read as {wide.upper()}, which it does not say itself.",))
    if data.isascii():
        return Decoded(data.decode("ascii"), "ascii")
    try:
        return _told(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return _single_byte(data, filename)


def plausibility_cost(word: str) -> float:
    """Return how odd the non-ASCII letters of a word look in French or English text; 0 is natural."""
    cost = 0.0
    last = len(word) - 1
    for at, sign in enumerate(word):
        if sign >= "\x80":
            before, after = word[at - 1] if at else " ", word[at + 1] if at < last else " "
            if sign == "’" and ((at < 3 and before in "dlnscjmtuDLNSCJMTU") or (after == "s" and at == last - 1)):
                continue  # an elision or a genitive: the most natural sign there is
            cost += _sign_cost(sign, before, after)
    return cost


def _sign_cost(sign: str, before: str, after: str) -> float:
    if sign == "µ":
        return 0.5
    if (sign.isupper() or sign.islower()) and sign not in "ªº":
        return _letter_cost(sign, before, after)
    inside = before.isalpha() and after.isalpha()
    if sign == "’":
        return 2.5 if inside else 0.5 if before.isalpha() else 4.0
    if sign == "‘":
        return 1.0 if not before.isalnum() and after.isalnum() else 5.0
    if sign in "“«":
        return 1.0 if not before.isalnum() else 6.0
    if sign in "”»":
        return 1.0 if not after.isalnum() else 6.0
    if sign in "–—":
        return 2.0 if inside else 1.0
    if sign == "…":
        return 1.0 if before.isalnum() and not after.isalpha() else 5.0
    if sign in _AFTER_WORD:
        return 1.0 if before.isalnum() and not after.isalpha() else 6.0
    if sign in "\xa0\u202f":
        return 4.0 if inside else 1.0
    if sign == "°":
        return 0.5 if after in "CFK" or before.isdigit() or before in "nN" else 5.0
    if sign in "²³":
        return 1.5 if before.isalnum() and not after.isalnum() else 5.0
    if sign in "≤≥":
        return 0.5 if after.isdigit() or after == " " else 5.0
    if sign in _SIGNS:
        return 6.0 if inside else 1.5
    return _WHOLLY_ODD if inside or sign < "\xa0" else 5.0


def _letter_cost(sign: str, before: str, after: str) -> float:
    cost = _LETTER_COST.get(sign, _OTHER_LETTER)
    if sign.isupper() and before.islower():
        cost += 6.0
    elif (sign.isupper() and before.isupper() and after.islower()) or (sign.islower() and after.isupper()):
        cost += 5.0
    elif not before.isalpha() and not after.isalpha() and sign not in "àÀ":
        cost += 3.0
    if before >= "\x80" and after >= "\x80":
        cost += 6.0  # three special letters in a row: another alphabet
    return cost


def _strictly(data: bytes, encoding: str, filename: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as wrong:
        raise FileRefused(
            f"{filename} says it is {encoding.upper()} but is damaged at byte {wrong.start}; save it again as UTF-8."
        ) from wrong


def _wide_without_mark(data: bytes) -> str | None:
    """UTF-16 without a byte order mark shows as a NUL in nearly every second byte of Western text."""
    sample = data[:4096]
    pairs = len(sample) // 2
    if pairs < 2 or len(data) % 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.6 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    if even > 0.6 * pairs and odd < 0.05 * pairs:
        return "utf-16-be"
    return None


def _told(text: str, encoding: str) -> Decoded:
    """Return what was decoded without doubt; still say when the letters were spoilt before the file was written."""
    warnings = []
    if any(sign in text for sign in "ÃâÂ\ufffd") and (_MOJIBAKE.search(text) or "\ufffd" in text):
        spoilt = [
            f"line {number}: {line.strip()[:60]}"
            for number, line in enumerate(text.splitlines(), 1)
            if "\ufffd" in line or _MOJIBAKE.search(line)
        ]
        warnings.append(
            f"{len(spoilt)} line(s) hold letters that were damaged before this file was written "
            f"(such as Ã© for é); they are kept as they are: {'; '.join(spoilt[:_EXAMPLES])}."
        )
    return Decoded(text, encoding, tuple(warnings))


def _single_byte(data: bytes, filename: str) -> Decoded:
    """Choose among the single-byte encodings; lines that are valid UTF-8 in a mixed file are read as UTF-8."""
    lines = data.splitlines(keepends=True)
    wide_lines = [number for number, line in enumerate(lines) if not line.isascii() and _is_utf8(line)]
    mixed = set(wide_lines)
    rest = data if not mixed else b"".join(line for number, line in enumerate(lines) if number not in mixed)
    encoding, second, doubtful = _choose(rest)
    warnings = []
    if mixed:
        others = [number + 1 for number, line in enumerate(lines) if number not in mixed and not line.isascii()]
        text = "".join(line.decode("utf-8" if n in mixed else encoding) for n, line in enumerate(lines))
        warnings.append(
            f"{filename} mixes encodings: {len(mixed)} line(s) are UTF-8 and {len(others)} are not and were read as "
            f"{_name(encoding)} (lines {_some(others)}); check their special letters."
        )
    else:
        text = data.decode(encoding)
    if not doubtful:
        warnings.append(f"{filename} was read as {_name(encoding)}, by the look of its special letters.")
    elif second is None:
        warnings.append(
            f"{filename} was read as {_name(encoding)}, but the result does not look like text in a language known "
            f"here; check the special letters, or save the file as UTF-8."
        )
    else:
        warnings.append(_doubt(lines, mixed, encoding, second, filename))
    return Decoded(text, encoding, tuple(warnings), doubtful or bool(mixed))


def _choose(data: bytes) -> tuple[str, str | None, bool]:
    """Return the best encoding, the next best that reads differently, and whether the choice is doubtful."""
    special_words = (word for word in data.translate(_SEPARATORS).split() if not word.isascii())
    words = list(islice(dict.fromkeys(special_words), _MOST_WORDS))
    readings: dict[str, tuple[float, list[str]]] = {}
    for encoding, handicap in _SINGLE_BYTE.items():
        try:
            decoded = [word.decode(encoding) for word in words]
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(decoded != other for _, other in readings.values()):
            readings[encoding] = (handicap + sum(map(plausibility_cost, decoded)), decoded)
    ranked = sorted(readings, key=lambda name: readings[name][0])
    best = ranked[0]
    cost, decoded = readings[best]
    special = sum(sign >= "\x80" for word in decoded for sign in word)
    if cost > _IMPLAUSIBLE * special:
        return _second_opinion(data, words) or best, None, True
    if len(ranked) > 1 and readings[ranked[1]][0] - cost < _MARGIN:
        return best, ranked[1], True
    return best, None, False


def _second_opinion(data: bytes, words: Sequence[bytes]) -> str | None:
    """Ask a detector that knows more languages, with the words that matter only."""
    from charset_normalizer import from_bytes

    match = from_bytes(b" ".join(words)[:20_000]).best()
    if match is None or match.encoding.startswith("utf"):  # a few odd bytes are no sign of UTF-16
        return None
    try:
        for line in data.splitlines(keepends=True):
            line.decode(match.encoding)
    except (UnicodeDecodeError, LookupError):
        return None
    return match.encoding


def _doubt(lines: Sequence[bytes], mixed: set[int], encoding: str, second: str, filename: str) -> str:
    """Name the lines that read differently, and both readings of the words that differ."""
    differing = []
    for number, line in enumerate(lines):
        if line.isascii() or number in mixed:
            continue
        pairs = [
            (word.decode(encoding), word.decode(second))
            for word in line.translate(_SEPARATORS).split()
            if word.decode(encoding) != word.decode(second)
        ]
        if pairs:
            differing.append((number + 1, pairs))
    shown = "; ".join(
        f"line {number}: " + ", ".join(f"{first} or {other}" for first, other in pairs[:3])
        for number, pairs in differing[:_EXAMPLES]
    )
    more = f" and {len(differing) - _EXAMPLES} more" if len(differing) > _EXAMPLES else ""
    return (
        f"{filename} was read as {_name(encoding)}, but may be {_name(second)}: {len(differing)} line(s) read "
        f"differently ({shown}{more}); check them, or save the file as UTF-8."
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _name(encoding: str) -> str:
    return _NAMES.get(encoding, encoding)


def _some(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_EXAMPLES]))
    return shown + (f" and {len(numbers) - _EXAMPLES} more" if len(numbers) > _EXAMPLES else "")

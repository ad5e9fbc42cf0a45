"""Units as laboratories write them, read into one spelling: `NG/ML`, `ng per ml`, `mcg/l`, `hr*ng/mL`, `h*(ng/mL)`.

The code is what pipeline.units reads: atoms as in UCUM (`ug`, `mL`, `h`, `d`), products with `*`. A spelling that is
not known gives no code: it is never guessed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.errors import InputError
from pipeline.units import SPELLINGS, parse_unit

_LONGEST = 60
_WORDS = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "heure", "heures", "std", "stunden"), "h"),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "mn"), "min"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "seconde", "secondes"), "s"),
    **dict.fromkeys(("d", "day", "days", "jour", "jours"), "d"),
    **dict.fromkeys(("wk", "week", "weeks", "semaine", "semaines"), "wk"),
    **dict.fromkeys(("l", "liter", "liters", "litre", "litres"), "L"),
    **dict.fromkeys(("ml", "milliliter", "milliliters", "millilitre", "millilitres", "cc"), "mL"),
    **{"dl": "dL", "cl": "cL", "ul": "uL", "nl": "nL", "deciliter": "dL", "microliter": "uL"},
    **dict.fromkeys(("g", "gram", "grams", "gramme", "grammes"), "g"),
    **dict.fromkeys(("kg", "kilogram", "kilograms", "kilogramme", "kilogrammes"), "kg"),
    **dict.fromkeys(("mg", "milligram", "milligrams", "milligramme", "milligrammes"), "mg"),
    **dict.fromkeys(("ug", "mcg", "microgram", "micrograms", "microgramme", "microgrammes"), "ug"),
    **dict.fromkeys(("ng", "nanogram", "nanograms", "nanogramme", "nanogrammes"), "ng"),
    **dict.fromkeys(("pg", "picogram", "picograms", "picogramme", "picogrammes"), "pg"),
    **{"mol": "mol", "mmol": "mmol", "umol": "umol", "nmol": "nmol", "pmol": "pmol"},
    **{"iu": "[IU]", "miu": "m[IU]", "uiu": "u[IU]", "u": "U", "ui": "[IU]"},
    **{"m2": "m2", "cm": "cm", "mm": "mm", "mm2": "mm2", "mm3": "mm3", "cm2": "cm2", "cm3": "cm3"},
    **{"%": "%", "percent": "%", "pct": "%"},
}
# What only counts in the case it is written in: uM is micromolar, um a micrometre; M is molar.
_CASED = {"uM": "umol/L", "nM": "nmol/L", "mM": "mmol/L", "pM": "pmol/L", "fM": "fmol/L", "M": "mol/L", "UM": "umol/L"}
_POWER = re.compile(r"x?10(?:\^|\*\*?|e)?(-?\d{1,2})", re.IGNORECASE)
_PIECE = re.compile(r"x?10(?:\^|\*\*?)-?\d{1,2}|\[[^\]]*\]|[%\w\[\]'^-]+|[/*.()]", re.IGNORECASE)


@lru_cache(maxsize=4096)
def unit_code(text: str | None) -> str | None:
    """Return the code of a unit in whatever way it is written; None for none, and for one that is not known."""
    if text is None or not text.strip() or len(text) > _LONGEST:
        return None
    plain = text.strip().translate(SPELLINGS).replace("−", "-")
    plain = re.sub(r"\s+(?:per|par)\s+", "/", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\s*([/*.()])\s*", r"\1", plain)
    plain = re.sub(r"\s+", "*", plain)
    pieces = _PIECE.findall(plain)
    if "".join(pieces) != plain:
        return None
    try:
        above, below, rest = _product(pieces)
    except _Unreadable:
        return None
    if rest or not (above or below):
        return None
    code = "*".join(above) + "".join(f"/{atom}" for atom in below)
    try:
        parse_unit(code)
    except InputError:
        return None
    return code


class _Unreadable(Exception):
    """The text is no unit."""


def _product(pieces: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Read factors up to a closing bracket; return what stands above and below the line, and the pieces left."""
    above: list[str] = []
    below: list[str] = []
    divided = False
    expecting = True
    while pieces and pieces[0] != ")":
        piece, pieces = pieces[0], pieces[1:]
        if piece in "*./":
            if expecting and not (piece == "/" and not above and not below):
                raise _Unreadable
            # After a stroke everything up to the next one is divided, as a laboratory means h*ng/mL/mg.
            divided, expecting = piece == "/", True
            continue
        if not expecting:
            raise _Unreadable
        if piece == "(":
            inner_above, inner_below, pieces = _product(pieces)
            if not pieces:
                raise _Unreadable
            pieces = pieces[1:]
        else:
            inner_above, inner_below = _atom(piece)
        up, down = (inner_below, inner_above) if divided else (inner_above, inner_below)
        above += up
        below += down
        expecting = False
    if expecting:
        raise _Unreadable
    return above, below, pieces


def _atom(piece: str) -> tuple[list[str], list[str]]:
    found = _POWER.fullmatch(piece)
    if found and piece.lower() != "1":
        return [f"10^{found[1]}"], []
    if piece == "1":
        return [], []
    code = _CASED.get(piece) or _WORDS.get(piece.lower())
    if code is None:
        try:
            parse_unit(piece)
        except InputError:
            raise _Unreadable from None
        code = piece
    above, _, below = code.partition("/")
    return [above], [below] if below else []

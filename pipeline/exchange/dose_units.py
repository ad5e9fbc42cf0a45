"""Dose units as trial tables print them, read as UCUM codes where that is certain.

Units follow UCUM (ucum.org): counted things are annotated unities (`{vp}`, `{cells}`), units that only a procedure
defines are `[arb'U]`, titres have their own (`[TCID_50]`, `[PFU]`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

CALVERT_MOLECULES = frozenset({"carboplatin"})
"""Keys of the molecules dosed to a target AUC by Calvert's formula, where AUC alone means mg.min/mL."""
CALVERT_UNIT = "mg.min/mL"

_LONGEST = 60
_GIVEN = {
    **{f"{prefix}g": f"{prefix}g" for prefix in ("", "m", "u", "n", "p")},
    **{f"{prefix}Bq": f"{prefix}Bq" for prefix in ("k", "", "M", "G")},
    **{f"{prefix}Ci": f"{prefix}Ci" for prefix in ("", "m", "u")},
    **{f"{prefix}Gy": f"{prefix}Gy" for prefix in ("", "m", "c")},
    **{f"{prefix}mol": f"{prefix}mol" for prefix in ("", "m", "u", "n", "p")},
    **{f"{prefix}L": f"{prefix}L" for prefix in ("", "m", "u", "d")},
    **{"ml": "mL", "l": "L", "gram": "g", "grams": "g", "rad": "RAD", "rads": "RAD", "%": "%"},
    **{"IU": "[IU]", "KIU": "k[IU]", "kIU": "k[IU]", "MIU": "M[IU]", "iu": "[IU]"},
    **{"U": "[arb'U]", "unit": "[arb'U]", "units": "[arb'U]", "Units": "[arb'U]"},
    **{"TCID50": "[TCID_50]", "tcid50": "[TCID_50]", "PFU": "[PFU]", "pfu": "[PFU]", "CFU": "[CFU]", "cfu": "[CFU]"},
    **{"FFU": "[FFU]", "ffu": "[FFU]", "vp": "{vp}", "VP": "{vp}", "vg": "{vg}", "viral particles": "{vp}"},
    **{"PU": "{particle_units}", "pu": "{particle_units}", "particle units": "{particle_units}"},
    **{"cells": "{cells}", "cell": "{cells}", "CFU-GM": "{CFU-GM}", "CAR-T cells": "{cells}", "CD34+ cells": "{cells}"},
    **{"tablet": "{tablet}", "tablets": "{tablet}", "capsule": "{capsule}", "capsules": "{capsule}"},
}
# What is certain whatever the case, because the other reading is no dose anyone gives (a megagram, a millibecquerel).
_ANY_CASE = {
    code.lower(): ucum
    for code, ucum in _GIVEN.items()
    if ucum.endswith(("g", "Ci", "Gy", "mol", "cells}", "vp}")) or ucum in {"[TCID_50]", "MBq", "GBq", "kBq", "mL"}
}
_PER = {
    **dict.fromkeys(("kg", "KG", "Kg", "kilogram", "kgbw", "kgbodyweight"), "kg"),
    **dict.fromkeys(("m2", "M2", "m^2", "m(2)", "sqm", "squaremeter", "squaremetre"), "m2"),
    **dict.fromkeys(("d", "day", "days", "D", "Day", "24h", "24hr", "24hrs", "24hours"), "d"),
    **dict.fromkeys(("wk", "week", "weeks", "w", "Week"), "wk"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("min", "mins", "minute"), "min"),
    **dict.fromkeys(("mL", "ml"), "mL"),
    **dict.fromkeys(("L", "l"), "L"),
    **dict.fromkeys(("dL", "dl"), "dL"),
    **dict.fromkeys(("dose", "administration", "injection", "infusion"), "{dose}"),
    **dict.fromkeys(("fraction", "fx", "fr"), "{fraction}"),
    "cycle": "{cycle}",
}
_TYPING_SLIPS = {"weel": "wk", "weak": "wk", "weeek": "wk", "dya": "d", "m2d": "m2/d", "kgd": "kg/d"}
SIGNS = str.maketrans(
    {
        "µ": "u",
        "μ": "u",
        "²": "2",
        "⁻": "-",
        "−": "-",
        "–": "-",
        "‑": "-",
        "·": ".",
        "⋅": ".",
        "∙": ".",
        "•": ".",
        "×": "x",
    }
    | {"／": "/", "∕": "/", "\xa0": " ", "\u202f": " ", "\u2009": " ", "\n": " ", "\t": " "}
)
_TO_THE_MINUS = re.compile(r"[ .*]?\b(m|kg|d|day|wk|week|h|hr|min|ml|mL|L|l)(?: ?\^ ?|\^?\()?-(1|2)\)?(?![0-9])")
_PER_WORD = re.compile(r"\bper\b", re.IGNORECASE)
_POWER = re.compile(r"(?:[x*] ?)?(?:10(?:\^|\*\*?) ?(\d{1,2})|1e\+?(\d{1,2})|(million|billion)) ?(.+)", re.IGNORECASE)
_AUC = re.compile(r"(?:target )?auc", re.IGNORECASE)
_CALVERT_SPELLINGS = {
    "mg.min/ml",
    "mg/ml.min",
    "mg/mlxmin",
    "mgxmin/ml",
    "mg*min/ml",
    "mg/ml*min",
    "mgmin/ml",
    "min.mg/ml",
}
_LOST_SLASH = {"mCi.kg": "mCi/kg", "mg.m2": "mg/m2", "mg.kg": "mg/kg", "ug.kg": "ug/kg", "mg m2": "mg/m2"}


class DoseUnit(NamedTuple):
    """A unit's UCUM code; None where the spelling cannot be read without doubt, and then `flag` says why.

    A flag beside a code tells of a repair.
    """

    code: str | None
    flag: str | None = None


NO_UNIT = DoseUnit(None)


@lru_cache(maxsize=1024)
def read_unit(text: str | None, molecule: str | None = None) -> DoseUnit:
    """Read a dose unit, for example `mg/m2/day` as mg/m2/d, `mg m^-2` as mg/m2, `ug/kg/per day` as ug/kg/d.

    `molecule` is the key of the molecule dosed. It matters for AUC alone, which is a target exposure and not a dose:
    for carboplatin it is mg.min/mL (Calvert's formula), for anything else its unit is not stated. Obvious slips
    (`mg/m2/weel`, `mCi.kg`) are repaired and flagged; two units in one cell are not read.
    """
    if text is None or text.strip() in {"", "NA", "N/A"}:
        return NO_UNIT
    shown = " ".join(text.translate(SIGNS).split())
    if len(shown) > _LONGEST:
        return DoseUnit(None, f"{text[:_LONGEST]!r}… is too long for a unit; kept as reported")
    if _AUC.fullmatch(shown) or shown.lower().replace(" ", "") in _CALVERT_SPELLINGS:
        if molecule in CALVERT_MOLECULES or not _AUC.fullmatch(shown):
            return DoseUnit(CALVERT_UNIT)
        return DoseUnit(None, f"{text!r} is a target exposure whose unit is not stated; kept as reported")
    if shown.lower() == "mg/ml/min" and molecule in CALVERT_MOLECULES:
        return DoseUnit(CALVERT_UNIT, f"{text!r} would be a rate; read as the target AUC, {CALVERT_UNIT}")
    if shown in _LOST_SLASH:
        return DoseUnit(
            _LOST_SLASH[shown], f"{text!r} multiplies where a dose is divided; read as {_LOST_SLASH[shown]}"
        )
    return _parsed(text, shown)


def _parsed(text: str, shown: str) -> DoseUnit:
    parts = [part.strip() for part in _PER_WORD.sub("/", _TO_THE_MINUS.sub(_divided, shown)).split("/")]
    parts = [part for number, part in enumerate(parts) if part or number == 0]
    given = _given(parts[0])
    if given is None:
        return DoseUnit(None, f"{text!r} is not a dose unit known here; kept as reported")
    code, repaired = given, False
    for part in parts[1:]:
        plain = part.replace(" ", "")
        divisor = _PER.get(plain)
        if divisor is None:
            divisor = _PER.get(plain.lower()) or _TYPING_SLIPS.get(plain.lower())
            repaired = repaired or plain.lower() in _TYPING_SLIPS
        if divisor is None:
            return DoseUnit(None, f"{text!r} is not a dose unit known here (at {part!r}); kept as reported")
        code += f"/{divisor}"
    return DoseUnit(code, f"{text!r} is misspelled; read as {code}" if repaired else None)


def _divided(found: re.Match[str]) -> str:
    return f"/{found[1]}{'2' if found[2] == '2' else ''}"


def _given(part: str) -> str | None:
    if part in _GIVEN:
        return _GIVEN[part]
    lower = part.lower()
    if lower in _ANY_CASE:
        return _ANY_CASE[lower]
    if lower in {"mcg", "microgram", "micrograms"}:
        return "ug"
    if power := _POWER.fullmatch(part):
        counted = _given(power[4])
        exponent = power[1] or power[2] or {"million": "6", "billion": "9"}[power[3].lower()]
        return f"10*{int(exponent)}.{counted}" if counted and not counted.startswith("10*") else None
    return None

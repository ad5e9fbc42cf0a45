"""The only place that converts units: spellings of the laboratory and of UCUM, exact factors, nothing guessed."""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

Dimension = tuple[int, int, int, int, int, int]
"""Exponents of mass, amount of substance, length, time, enzyme unit and international unit."""

MASS: Dimension = (1, 0, 0, 0, 0, 0)
AMOUNT: Dimension = (0, 1, 0, 0, 0, 0)
LENGTH: Dimension = (0, 0, 1, 0, 0, 0)
TIME: Dimension = (0, 0, 0, 1, 0, 0)
ENZYME_UNIT: Dimension = (0, 0, 0, 0, 1, 0)
INTERNATIONAL_UNIT: Dimension = (0, 0, 0, 0, 0, 1)
NONE: Dimension = (0, 0, 0, 0, 0, 0)
VOLUME: Dimension = (0, 0, 3, 0, 0, 0)
MOLARITY: Dimension = (0, 1, -3, 0, 0, 0)
MASS_PER_AMOUNT: Dimension = (1, -1, 0, 0, 0, 0)

LITRE = Fraction(1, 1000)
# Units that take a prefix, in g, mol, m, s. `M` is molar, `m` is metre or milli; mega is left out because an
# upper-case MG means milligram far more often than megagram.
METRIC: dict[str, tuple[Fraction, Dimension]] = {
    "g": (Fraction(1), MASS),
    "mol": (Fraction(1), AMOUNT),
    "M": (1 / LITRE, MOLARITY),
    "L": (LITRE, VOLUME),
    "l": (LITRE, VOLUME),
    "m": (Fraction(1), LENGTH),
    "s": (Fraction(1), TIME),
    "sec": (Fraction(1), TIME),
    "U": (Fraction(1), ENZYME_UNIT),
    "IU": (Fraction(1), INTERNATIONAL_UNIT),
    "[IU]": (Fraction(1), INTERNATIONAL_UNIT),
}
PREFIXES = {
    "k": Fraction(1000),
    "d": Fraction(1, 10),
    "c": Fraction(1, 100),
    "m": Fraction(1, 10**3),
    "u": Fraction(1, 10**6),
    "n": Fraction(1, 10**9),
    "p": Fraction(1, 10**12),
    "f": Fraction(1, 10**15),
}
MINUTE, HOUR, DAY = Fraction(60), Fraction(3600), Fraction(86400)
PLAIN: dict[str, tuple[Fraction, Dimension]] = {
    "1": (Fraction(1), NONE),
    "%": (Fraction(1, 100), NONE),
    "mcg": (Fraction(1, 10**6), MASS),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), (MINUTE, TIME)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), (HOUR, TIME)),
    **dict.fromkeys(("d", "day", "days"), (DAY, TIME)),
    **dict.fromkeys(("wk", "week", "weeks"), (7 * DAY, TIME)),
}
LONGEST = 40
SPELLINGS = str.maketrans({"µ": "u", "μ": "u", "·": ".", "²": "2", "³": "3", "⁹": "9", "×": "x"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as an exact multiple of the product of base units its dimension names."""

    factor: Fraction
    dimension: Dimension


@functools.lru_cache(maxsize=1024)
def parse_unit(text: str) -> Unit:
    """Read a unit: `ng/mL`, `h*ng/mL`, `ng.h/mL`, `mg/kg/day`, `mg/m2`, `umol/L`, `uM`, `10^9/L`, `mm3`, `%`.

    Case counts, as in UCUM. `ug`, `mcg` and `µg` are one; `M` is molar, `m` is milli or metre.

    Raises:
        InputError: the spelling is not known; it is refused rather than guessed.
    """
    plain = text.strip().translate(SPELLINGS)
    plain = re.sub(r"\bx?10(?:\^|\*\*?)(-?\d{1,2})", r"10^\1", plain)
    factor, dimension = Fraction(1), NONE
    if not plain:
        raise InputError("a unit is missing; give one such as ng/mL", path=("unit",))
    if len(plain) > LONGEST:
        raise InputError(f"the unit {text[:40]!r}... is not known: it is too long", path=("unit",))
    for position, part in enumerate(plain.split("/")):
        sign = 1 if position == 0 else -1
        if not part and position == 0:
            continue
        atoms = re.split(r"[*.]", part)
        if position and len(atoms) > 1:
            raise InputError(f"in {text!r} it is not clear what is divided; write a/b/c or a*b/c", path=("unit",))
        for atom in atoms:
            atom_factor, atom_dimension = _atom(atom.strip(), text)
            factor *= atom_factor**sign
            dimension = _combined(dimension, atom_dimension, sign)
    return Unit(factor, dimension)


def _atom(atom: str, text: str) -> tuple[Fraction, Dimension]:
    if power := re.fullmatch(r"10\^(-?\d{1,2})", atom):
        return Fraction(10) ** int(power.group(1)), NONE
    found = _known(atom)
    if found is not None:
        return found
    raised = re.fullmatch(r"([A-Za-z]+)\^?(-?[1-9])", atom)
    found = _known(raised.group(1)) if raised else None
    if raised is None or found is None:
        hint = f"; units are case-sensitive, did you mean {atom.lower()}" if _known(atom.lower()) else ""
        raise InputError(f"the unit {text[:40]!r} is not known (at {atom[:20]!r}){hint}", path=("unit",))
    exponent = int(raised.group(2))
    return found[0] ** exponent, _combined(NONE, found[1], exponent)


def _known(symbol: str) -> tuple[Fraction, Dimension] | None:
    if symbol in PLAIN:
        return PLAIN[symbol]
    if symbol in METRIC:
        return METRIC[symbol]
    prefix, unit = PREFIXES.get(symbol[:1]), METRIC.get(symbol[1:])
    return (prefix * unit[0], unit[1]) if prefix and unit else None


def _combined(left: Dimension, right: Dimension, times: int) -> Dimension:
    mass, amount, length, time, enzyme, international = (a + times * b for a, b in zip(left, right, strict=True))
    return mass, amount, length, time, enzyme, international


@functools.lru_cache(maxsize=4096)
def exact_factor(from_unit: str, to_unit: str, molar_mass_g_per_mol: float | None = None) -> Fraction:
    """Return what a value in `from_unit` is multiplied by to be in `to_unit`, as an exact ratio.

    Between mass and amount of substance (ng/mL and nM) the molar mass is needed; it is never looked up.

    Raises:
        InputError: a unit is not known, the units measure different things, or the molar mass is missing or not
            a positive number.
    """
    source, target = parse_unit(from_unit), parse_unit(to_unit)
    ratio = source.factor / target.factor
    difference = _combined(source.dimension, target.dimension, -1)
    if difference == NONE:
        return ratio
    if difference not in (MASS_PER_AMOUNT, _combined(NONE, MASS_PER_AMOUNT, -1)):
        raise InputError(f"{from_unit} and {to_unit} measure different things", path=("to_unit",))
    if molar_mass_g_per_mol is None:
        raise InputError(
            f"{from_unit} to {to_unit} needs the molar mass in g/mol, of the form measured (free base or salt)",
            path=("molar_mass_g_per_mol",),
        )
    if not 0 < molar_mass_g_per_mol < float("inf"):
        raise InputError("the molar mass must be above 0 g/mol", path=("molar_mass_g_per_mol",))
    molar_mass = Fraction(molar_mass_g_per_mol)
    return ratio / molar_mass if difference == MASS_PER_AMOUNT else ratio * molar_mass


def conversion_factor(from_unit: str, to_unit: str, molar_mass_g_per_mol: float | None = None) -> float:
    """Return the factor for whole columns of values; see `exact_factor` for what is refused."""
    return float(exact_factor(from_unit, to_unit, molar_mass_g_per_mol))


def convert(value: float, from_unit: str, to_unit: str, molar_mass_g_per_mol: float | None = None) -> float:
    """Convert one value, rounding once; see `exact_factor` for what is refused."""
    if not math.isfinite(value):
        raise InputError(f"only a finite number can be converted, not {value}", path=("value",))
    try:
        return float(Fraction(value) * exact_factor(from_unit, to_unit, molar_mass_g_per_mol))
    except OverflowError:
        raise InputError(f"{value:g} {from_unit} is too large a number in {to_unit}", path=("value",)) from None


def needs_molar_mass(from_unit: str, to_unit: str) -> bool:
    """Return whether one unit counts mass where the other counts amount of substance."""
    difference = _combined(parse_unit(from_unit).dimension, parse_unit(to_unit).dimension, -1)
    return difference in (MASS_PER_AMOUNT, _combined(NONE, MASS_PER_AMOUNT, -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted(Outcome):
    """A value in another unit."""

    value: float | None
    unit: str


@method(
    "D8_unit_conversion",
    version=1,
    title="Conversion between units of concentration, dose, exposure and time",
    source="Definitions of the units; mol/L = (g/L) / molar mass",
    reference_inputs={"mw_g_per_mol": "molar_mass_g_per_mol"},
)
def convert_unit(
    value: float,
    from_unit: str,
    to_unit: str,
    molar_mass_g_per_mol: float | None = None,
    molar_mass_form: Literal["free form", "salt"] | None = None,
) -> Converted:
    """Convert a value, between mass and molar units by way of the molar mass: uM = (ng/mL) / (g/mol).

    Args:
        value: number in `from_unit`.
        from_unit: unit as written on the report ("ng/mL", "µg/mL", "nM", "h*ng/mL"); case counts.
        to_unit: unit wanted; must measure the same thing, or amount of substance instead of mass.
        molar_mass_g_per_mol: molar mass in g/mol; needed between mass and molar units.
        molar_mass_form: whether that is the molar mass of the free form or of the salt.

    Returns:
        The value, unrounded. Without the molar mass it needs there is none, for `ambiguous_units`; with one whose
        form is not stated the result is flagged `molar_mass_form_not_stated`.

    Raises:
        InputError: a unit is not known, or the two measure different things.
    """
    if not needs_molar_mass(from_unit, to_unit):
        return Converted(value=convert(value, from_unit, to_unit), unit=to_unit)
    if molar_mass_g_per_mol is None:
        return Converted(value=None, unit=to_unit, reason=Reason.AMBIGUOUS_UNITS)
    return Converted(
        value=convert(value, from_unit, to_unit, molar_mass_g_per_mol),
        unit=to_unit,
        flags=() if molar_mass_form else ("molar_mass_form_not_stated",),
    )

"""IBM hexadecimal floating point, in which SAS transport files keep their numbers, and the missing values among them.

Eight bytes, high byte first: one bit of sign, seven of an exponent of 16 (less 64), 56 of fraction. A shorter field
holds the leading bytes. A missing value is one of ``.``, ``_``, ``A`` to ``Z`` followed by zeros.

Source: SAS Institute, TS-140, The Record Layout of a Data Set in SAS Transport (XPORT) Format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST = 7.2370055773322614e75
"""The largest number the format holds, (1 - 16**-14) * 16**63, as the double below it."""
SMALLEST = 5.397605346934028e-79
"""The smallest above zero that is written with full precision, 16**-65."""

_FRACTION_BITS = 56
_BIAS = 64
_MISSING_CODES = b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Numbers(NamedTuple):
    """What a column of fields holds; all arrays have the shape (n,)."""

    values: NDArray[np.float64]
    """The numbers; NaN where there is none."""
    codes: NDArray[np.uint8]
    """ASCII code of the missing value ("." = 46, "A" = 65 ...), 0 where there is a number."""
    spoilt: NDArray[np.bool_]
    """Fields that hold neither a number nor a missing value: blanks, or a fraction of zero under an exponent."""


def from_ibm(fields: NDArray[np.uint8]) -> Numbers:
    """Return the numbers in fields of the shape (n, 2 to 8), rounded to the nearest double."""
    import numpy as np

    count, width = fields.shape
    padded = np.zeros((count, 8), np.uint8)
    padded[:, :width] = fields
    words = padded.view(">u8")[:, 0].astype(np.uint64)
    fraction = words & np.uint64((1 << _FRACTION_BITS) - 1)
    first = padded[:, 0]
    exponent = (first & 0x7F).astype(np.int32)
    values = np.ldexp(fraction.astype(np.float64), 4 * (exponent - _BIAS) - _FRACTION_BITS)
    values[first >= 0x80] *= -1
    bare = fraction == 0
    values[bare] = 0.0
    is_code = np.zeros(256, np.bool_)
    is_code[list(_MISSING_CODES)] = True
    missing = bare & is_code[first]
    blank = (fields == 0x20).all(axis=1)
    spoilt = (bare & ~missing & (first & 0x7F != 0)) | blank
    values[missing | spoilt] = np.nan
    return Numbers(values, np.where(missing, first, 0).astype(np.uint8), spoilt)


def to_ibm(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return fields of the shape (n, 8) for numbers of the shape (n,); NaN becomes the missing value ".".

    Every double within the range is held exactly. A caller refuses what `out_of_range` names.
    """
    import numpy as np

    missing = np.isnan(values)
    numbers = np.where(missing, 0.0, values)
    mantissa, power = np.frexp(np.abs(numbers))
    exponent = -(-power // 4)  # the smallest power of 16 above the number
    fraction = np.ldexp(mantissa, _FRACTION_BITS - (4 * exponent - power)).astype(np.uint64)
    words = (np.clip(exponent + _BIAS, 0, 127).astype(np.uint64) << np.uint64(_FRACTION_BITS)) | fraction
    words = np.where(fraction == 0, np.uint64(0), words)
    words |= np.signbit(numbers).astype(np.uint64) << np.uint64(63)
    words = np.where(numbers == 0, np.uint64(0), words)
    fields: NDArray[np.uint8] = words.astype(">u8").view(np.uint8).reshape(-1, 8)
    fields[missing] = 0
    fields[missing, 0] = ord(".")
    return fields


def out_of_range(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which numbers the format cannot hold; zero and NaN are none of them."""
    import numpy as np

    size = np.abs(values)
    outside: NDArray[np.bool_] = (size > LARGEST) | ((size < SMALLEST) & (size > 0))
    return outside

"""Samples of many profiles as matrices: checked, aligned, below-limit values and the time of dose settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import InputError
from pipeline.pharmacology.profile import BelowLimit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


@dataclass(slots=True)
class Samples:
    """Samples of n profiles, left-aligned: times, concentrations, which places hold one, which were measured."""

    time: Floats
    conc: Floats
    held: Bools
    measured: Bools

    def keep(self, kept: Bools) -> None:
        """Drop the samples that are not kept and close the gaps."""
        import numpy as np

        self.held = kept
        if (kept[:, 1:] & ~kept[:, :-1]).any():
            order = np.argsort(~kept, axis=1, kind="stable")
            self.time = np.take_along_axis(self.time, order, axis=1)
            self.conc = np.take_along_axis(self.conc, order, axis=1)
            self.held = np.take_along_axis(self.held, order, axis=1)
            self.measured = np.take_along_axis(self.measured, order, axis=1)
        self.measured = self.measured & self.held

    def put_first(self, conc: Floats, where: Bools) -> None:
        """Put a value at time 0 before the samples of some profiles."""
        import numpy as np

        self.time = np.column_stack([np.zeros(len(where)), self.time])
        self.conc = np.column_stack([conc, self.conc])
        self.measured = np.column_stack([np.zeros(len(where), dtype=bool), self.measured])
        self.keep(np.column_stack([where, self.held]))


def refuse_rows(wrong: ArrayLike, what: str, field: str) -> None:
    """Refuse the first profile of those that are wrong, by its number from 0."""
    import numpy as np

    rows = np.flatnonzero(wrong)
    if rows.size:
        raise InputError(f"profile {rows[0]} {what}", path=(field, str(rows[0])))


def check_samples(samples: Samples) -> None:
    """Refuse times that do not rise and values that are negative or infinite."""
    import numpy as np

    both = samples.held[:, 1:] & samples.held[:, :-1]
    unsorted = (both & ~(np.diff(samples.time, axis=1) > 0)).any(axis=1)
    refuse_rows(unsorted, "has times that do not rise; sort them and settle duplicates", "time_h")
    wrong = (samples.conc < 0) | ~np.isfinite(samples.conc) | ~np.isfinite(samples.time)
    refuse_rows(wrong.any(axis=1), "has a time or concentration that is infinite, or a concentration below 0", "conc")


def settle_pre_dose(samples: Samples, bolus: Bools) -> Bools:
    """Let the last sample before a dose stand at time 0 where nothing does, and drop the others."""
    import numpy as np

    before = samples.held & (samples.time < 0)
    count = before.sum(axis=1)
    at_zero = (samples.held & (samples.time == 0)).any(axis=1)
    moved: Bools = (count > 0) & ~bolus & ~at_zero
    if count.any():
        rows = np.flatnonzero(moved)
        samples.time[rows, count[rows] - 1] = 0.0
        before[rows, count[rows] - 1] = False
        samples.keep(samples.held & ~before)
    return moved


def settle_dose_time(samples: Samples, bolus: Bools, zero_at_dose: bool) -> tuple[Floats, Bools, Bools]:
    """Put C0 of a bolus, or 0, at the time of the dose; return C0 (NaN without) and who got which."""
    import numpy as np

    at_zero = samples.held[:, 0] & (samples.time[:, 0] == 0)
    some = samples.measured.any(axis=1)
    measured_c0 = bolus & at_zero & samples.measured[:, 0]
    extrapolated = bolus & some & ~measured_c0
    zero = ~bolus & zero_at_dose & ~at_zero & samples.held.any(axis=1)
    c0 = np.where(measured_c0, samples.conc[:, 0], np.nan)
    if extrapolated.any():
        c0[extrapolated] = _back_extrapolated(samples, extrapolated)
        samples.held[extrapolated & at_zero, 0] = False
    if extrapolated.any() or zero.any():
        samples.put_first(np.where(extrapolated, c0, 0.0), extrapolated | zero)
    return c0, extrapolated, zero


def _back_extrapolated(samples: Samples, which: Bools) -> Floats:
    import numpy as np

    measured = samples.measured[which].copy()
    place = np.arange(len(measured))
    first = measured.argmax(axis=1)
    measured[place, first] = False
    second = np.where(measured.any(axis=1), measured.argmax(axis=1), first)
    time, conc = samples.time[which], samples.conc[which]
    t1, c1, t2, c2 = time[place, first], conc[place, first], time[place, second], conc[place, second]
    falls: Bools = c2 < c1
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        c0: Floats = c1 * np.exp(t1 * np.log(c1 / c2) / (t2 - t1))
    return np.where(falls & np.isfinite(c0), c0, c1)


def settle_below_limit(samples: Samples, rule: BelowLimit) -> None:
    """Drop the values below the limit that the rule does not keep as 0."""
    import numpy as np

    positive = samples.held & (samples.conc > 0)
    if rule is BelowLimit.KEEP_ZERO:
        return
    if rule is BelowLimit.DROP_ALL:
        samples.keep(np.where(np.any(positive, axis=1, keepdims=True), positive, samples.held))
        return
    seen = np.logical_or.accumulate(positive, axis=1)
    to_come = np.logical_or.accumulate(positive[:, ::-1], axis=1)[:, ::-1]
    samples.keep(samples.held & (positive | ~(seen & to_come)))

"""Whether a subject's liver tests in the course of time make a candidate for Hy's law (B9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.rounding import above, at_least
from pipeline.toxicity.liver import AMINOTRANSFERASE_X, BILIRUBIN_WITHIN_DAYS, BILIRUBIN_X, hys_law

ALT = frozenset({"ALT", "ALAT", "SGPT", "GPT"})
AST = frozenset({"AST", "ASAT", "SGOT", "GOT"})
BILIRUBIN = frozenset({"BILI", "BILT", "TBILI", "TBIL", "BILITOT", "BILIRUBIN"})
ALP = frozenset({"ALP", "ALKP", "ALKPH", "PAL"})
LIVER_TESTS = tuple(sorted(ALT | AST | BILIRUBIN | ALP))


@dataclass(frozen=True, slots=True)
class LiverTest:
    """One result on treatment as a multiple of its upper limit of normal; `day` None where it is not told."""

    id: int
    test: str
    day: float | None
    times_upper: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A raised aminotransferase, the bilirubin that followed, and the ALP of that time where there is one."""

    enzyme: LiverTest
    bilirubin: LiverTest
    alp: LiverTest | None


def candidate(results: Iterable[LiverTest]) -> Candidate | None:
    """Return the worst candidate among a subject's results; None where there is none.

    Bilirubin counts from the day of the aminotransferase to 30 days later. The ALP is the one nearest in time to the
    aminotransferase, within 30 days; where there is none the candidate stands, to be completed. Where a day is not
    told, nothing says that two results are apart, and they count together.
    """
    tests = list(results)
    phosphatases = [t for t in tests if t.test in ALP and t.times_upper > 0]
    high = [t for t in tests if t.test in BILIRUBIN and above(t.times_upper, BILIRUBIN_X)]
    found = []
    for enzyme in tests:
        if enzyme.test not in ALT | AST or not at_least(enzyme.times_upper, AMINOTRANSFERASE_X):
            continue
        alp = _nearest(enzyme, phosphatases)
        for bilirubin in high:
            days = _days(enzyme, bilirubin)
            if days is not None and not 0 <= days <= BILIRUBIN_WITHIN_DAYS:
                continue
            signal = hys_law(
                enzyme.times_upper if enzyme.test in ALT else None,
                enzyme.times_upper if enzyme.test in AST else None,
                bilirubin.times_upper,
                None if alp is None else alp.times_upper,
                days,
            )
            if signal.potential_hys_law or signal.needs_alp:
                found.append(Candidate(enzyme, bilirubin, alp))
    return max(found, key=lambda c: (c.enzyme.times_upper, c.bilirubin.times_upper, -c.bilirubin.id), default=None)


def peaks(results: Iterable[LiverTest]) -> tuple[float | None, float | None]:
    """Return the highest aminotransferase and the highest bilirubin, as multiples of their upper limits."""
    tests = list(results)
    enzymes = (t.times_upper for t in tests if t.test in ALT | AST)
    bilirubins = (t.times_upper for t in tests if t.test in BILIRUBIN)
    return max(enzymes, default=None), max(bilirubins, default=None)


def liver_tests(rows: Sequence[Mapping[str, Any]]) -> list[LiverTest]:
    """Return the usable results among the laboratory results of a subject; those before treatment are left out.

    Days are those of the study where all results tell them, else the days of the calendar.
    """
    by_day = all(row["day"] is not None for row in rows)
    found = []
    for row in rows:
        before = row["baseline"] or (row["day"] is not None and row["day"] < 1)
        if before or row["value"] is None or not row["upper_normal"] or row["upper_normal"] <= 0 or row["value"] < 0:
            continue
        at, day = row["sampled_at"], row["day"] if by_day else None
        if not by_day and at is not None and len(at) >= 10:
            day = float(date.fromisoformat(at[:10]).toordinal())
        found.append(LiverTest(row["id"], row["test"].upper(), day, row["value"] / row["upper_normal"]))
    return found


def telling(results: Iterable[LiverTest]) -> list[LiverTest]:
    """Return the results a subject is judged by: all where the peaks reach the range of the law, else the peaks."""
    tests = list(results)
    enzyme, bilirubin = (peak or 0.0 for peak in peaks(tests))
    if at_least(enzyme, AMINOTRANSFERASE_X) and above(bilirubin, BILIRUBIN_X):
        return tests
    highest: dict[str, LiverTest] = {}
    for test in tests:
        if test.test not in highest or test.times_upper > highest[test.test].times_upper:
            highest[test.test] = test
    return list(highest.values())


def _days(first: LiverTest, later: LiverTest) -> float | None:
    return None if first.day is None or later.day is None else later.day - first.day


def _nearest(enzyme: LiverTest, phosphatases: Sequence[LiverTest]) -> LiverTest | None:
    apart = [(_days(enzyme, t), t) for t in phosphatases]
    near = [
        (BILIRUBIN_WITHIN_DAYS if days is None else abs(days), t.id, t)
        for days, t in apart
        if days is None or abs(days) <= BILIRUBIN_WITHIN_DAYS
    ]
    return min(near, key=lambda each: each[:2], default=(0.0, 0, None))[2]

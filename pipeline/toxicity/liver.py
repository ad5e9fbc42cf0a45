"""Drug-induced liver injury: Hy's law, the eDISH quadrants and the pattern of injury (B9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.bounds import above_zero, not_negative
from pipeline.outcome import Outcome, Reason, method
from pipeline.rounding import above, at_least, at_most, below

AMINOTRANSFERASE_X = 3.0
BILIRUBIN_X = 2.0
ALP_X = 2.0
HEPATOCELLULAR_R, CHOLESTATIC_R = 5.0, 2.0
BILIRUBIN_WITHIN_DAYS = 30.0


class Quadrant(StrEnum):
    """Where a patient's peaks lie in the eDISH plot."""

    HYS_LAW_RANGE = "hys_law_range"
    TEMPLES_COROLLARY = "temples_corollary"
    CHOLESTASIS = "cholestasis_or_hyperbilirubinaemia"
    NORMAL = "normal_or_near_normal"


class InjuryPattern(StrEnum):
    """Pattern of injury by R = ALT / ALP, both as multiples of the upper limit."""

    HEPATOCELLULAR = "hepatocellular"
    MIXED = "mixed"
    CHOLESTATIC = "cholestatic"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiverSignal(Outcome):
    """Where the patient's peaks lie and whether they make a potential case of Hy's law."""

    peak_at_xuln: float | None
    edish_quadrant: Quadrant | None
    potential_hys_law: bool
    r_value: float | None
    injury_pattern: InjuryPattern | None
    needs_alp: bool


@method(
    "B9_hys_law_edish",
    version=1,
    title="Hy's law, eDISH quadrant and R value",
    source="FDA. Drug-Induced Liver Injury: Premarketing Clinical Evaluation. July 2009",
)
def hys_law(
    alt_xuln: float | None,
    ast_xuln: float | None,
    tbili_xuln: float | None,
    alp_xuln: float | None,
    bilirubin_days_after_peak: float | None = None,
    bilirubin_within_days: float = BILIRUBIN_WITHIN_DAYS,
    baseline_abnormal: bool = False,
) -> LiverSignal:
    """Judge a patient's peak liver tests on treatment.

    AT = the higher of ALT and AST. Hy's law range: AT >= 3 and bilirubin > 2; Temple's corollary: AT >= 3 and
    bilirubin <= 2; cholestasis: AT < 3 and bilirubin > 2; else near normal. A potential case is in the first with ALP
    < 2. R = ALT / ALP: hepatocellular from 5, cholestatic up to 2, else mixed. One case in a programme is serious and
    two predict severe injury, so the signal concerns the molecule; another cause on file does not remove it.

    Args:
        alt_xuln: peak ALT as a multiple of the upper limit of normal.
        ast_xuln: peak AST as a multiple of the upper limit.
        tbili_xuln: peak total bilirubin as a multiple of the upper limit.
        alp_xuln: peak alkaline phosphatase as a multiple of the upper limit.
        bilirubin_days_after_peak: days from the aminotransferase peak to that of bilirubin; when given, a later one
            than `bilirubin_within_days`, or an earlier peak, is flagged `bilirubin_outside_window`.
        bilirubin_within_days: window for a strict case.
        baseline_abnormal: liver metastases or abnormal tests before treatment; flagged `compare_with_baseline`.

    Returns:
        Quadrant and pattern. Without any aminotransferase or without bilirubin there is no quadrant, for `no_data`;
        without ALP a case in the range is not called and `needs_alp` is true.

    Raises:
        InputError: a multiple is negative, or ALP is 0.
    """
    not_negative(alt_xuln=alt_xuln, ast_xuln=ast_xuln, tbili_xuln=tbili_xuln)
    above_zero(alp_xuln=alp_xuln, bilirubin_within_days=bilirubin_within_days)
    peak = max((value for value in (alt_xuln, ast_xuln) if value is not None), default=None)
    quadrant = None if peak is None or tbili_xuln is None else _quadrant(peak, tbili_xuln)
    in_range = quadrant is Quadrant.HYS_LAW_RANGE
    ratio = None if alt_xuln is None or alp_xuln is None else alt_xuln / alp_xuln
    flags = []
    days = bilirubin_days_after_peak
    if in_range and days is not None and not 0 <= days <= bilirubin_within_days:
        flags.append("bilirubin_outside_window")
    if baseline_abnormal:
        flags.append("compare_with_baseline")
    no_ratio = {"r_value": Reason.NO_DATA, "injury_pattern": Reason.NO_DATA}
    return LiverSignal(
        peak_at_xuln=peak,
        edish_quadrant=quadrant,
        potential_hys_law=in_range and alp_xuln is not None and below(alp_xuln, ALP_X),
        r_value=ratio,
        injury_pattern=None if ratio is None else _pattern(ratio),
        needs_alp=in_range and alp_xuln is None,
        reason=Reason.NO_DATA if quadrant is None else None,
        missing=no_ratio if ratio is None else {},
        flags=tuple(flags),
    )


def _quadrant(aminotransferase: float, bilirubin: float) -> Quadrant:
    high = above(bilirubin, BILIRUBIN_X)
    if at_least(aminotransferase, AMINOTRANSFERASE_X):
        return Quadrant.HYS_LAW_RANGE if high else Quadrant.TEMPLES_COROLLARY
    return Quadrant.CHOLESTASIS if high else Quadrant.NORMAL


def _pattern(ratio: float) -> InjuryPattern:
    if at_least(ratio, HEPATOCELLULAR_R):
        return InjuryPattern.HEPATOCELLULAR
    return InjuryPattern.CHOLESTATIC if at_most(ratio, CHOLESTATIC_R) else InjuryPattern.MIXED

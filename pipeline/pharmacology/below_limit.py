"""What the rule for values below the limit of quantification does to the areas of a profile (D3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline.outcome import Outcome, method
from pipeline.pharmacology.nca import non_compartmental
from pipeline.pharmacology.profile import BelowLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAreas:
    """Areas and terminal slope under one rule; None where the rule leaves nothing to compute them from."""

    auc_last: float | None
    auc_all: float | None
    lambda_z: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BelowLimitComparison(Outcome):
    """The same profile under the three rules."""

    default: RuleAreas
    drop_all: RuleAreas
    keep_zero: RuleAreas

    reference_names: ClassVar[Mapping[str, str]] = {
        "default": "rule_default",
        "drop_all": "rule_drop_all",
        "keep_zero": "rule_keep_zero",
    }


@method(
    "D3_blq_handling",
    version=1,
    title="Effect of BLQ rules",
    source="Gabrielsson J, Weiner D. Methods Mol Biol 2012;929:377-389",
)
def compare_below_limit(
    time_h: Sequence[float], conc_blq_as_zero: Sequence[float | None], lloq: float
) -> BelowLimitComparison:
    """Show how much the handling of values below the limit matters for one extravascular profile.

    By default such values are 0 before the first measurable one, left out between measurable ones, and 0 after the
    last, where only AUCall uses them. Dropping all leaves no area from time 0 when the sample there is below the
    limit; keeping 0 everywhere cuts notches. Half the limit, or a model, is not used for this analysis.

    Args:
        time_h: sampling times after the dose, h, rising.
        conc_blq_as_zero: concentrations, with 0 for below the limit; null without a result.
        lloq: lower limit of quantification, in the unit of the concentrations; smaller values count as below it.

    Raises:
        InputError: times that do not rise, a negative value, lists of different length.
    """
    areas = {}
    reason = None
    for rule in BelowLimit:
        found = non_compartmental(time_h, conc_blq_as_zero, lloq=lloq, below_limit=rule)
        reason = found.reason
        areas[rule] = RuleAreas(auc_last=found.auc_last, auc_all=found.auc_all, lambda_z=found.lambda_z)
    return BelowLimitComparison(
        default=areas[BelowLimit.DEFAULT],
        drop_all=areas[BelowLimit.DROP_ALL],
        keep_zero=areas[BelowLimit.KEEP_ZERO],
        reason=reason,
    )

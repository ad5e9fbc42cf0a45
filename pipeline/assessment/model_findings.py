"""What the rules of escalation by a model find: B6, and B7 by the design CRM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.assessment.finding import STATE_IT, Finding, not_computable
from pipeline.rounding import above
from pipeline.words import Verdict

if TYPE_CHECKING:
    from pipeline.toxicity.crm import CrmFit

Parameters = Mapping[str, Any]

CUTOFF_STOP = 0.95


def by_model(
    labels: Sequence[str],
    level: Sequence[int],
    dlt: Sequence[int],
    counts: str,
    parameters: Parameters,
    followed_days: Sequence[float] | None = None,
) -> Finding:
    """Find whether the model's dose is one that was given, and the lowest dose not too toxic.

    Args:
        labels: of every planned level, lowest first, those nobody had included.
        level: of each subject, from 1.
        dlt: 1 for each subject with a dose-limiting toxicity, else 0.
        counts: toxicities and subjects by level, in words.
        parameters: of the rule. `skeleton` has a guess for each level, or for more that are to come above; without
            one it follows from the target, with the middle level as the guess.
        followed_days: of each subject, where some are still pending (`window_days` of the rule).
    """
    target, cutoff = float(parameters["target"]), float(parameters.get("cutoff_stop", CUTOFF_STOP))
    fit, skeleton = _fit(labels, level, dlt, parameters, followed_days)
    if fit is None:
        return not_computable([f"a skeleton for {len(labels)} dose levels (a parameter of the rule)"], STATE_IT)
    outcome: dict[str, object] = {
        "skeleton": list(skeleton),
        "rates": list(fit.ptox),
        "levels": list(labels),
        "probability_lowest_over_target": fit.prob_lowest_over_target,
    }
    if above(fit.prob_lowest_over_target, cutoff):
        return Finding(
            Verdict.NO_GO,
            f"Even the lowest dose is too toxic: its rate exceeds the target of {100 * target:g} % with probability "
            f"{fit.prob_lowest_over_target:.3g}, above {cutoff:g} ({counts}).",
            fit.ptox[0],
            target,
            outcome,
        )
    given = max(level)
    if fit.mtd not in level:
        name = labels[fit.mtd - 1] if fit.mtd <= len(labels) else f"dose {fit.mtd} of the skeleton"
        return Finding(
            Verdict.HOLD,
            f"The model's dose is {name}, which nobody had; the highest given is {labels[given - 1]}, with an "
            f"estimated rate of {100 * fit.ptox[given - 1]:.3g} % ({counts}).",
            fit.ptox[given - 1],
            target,
            outcome,
        )
    label, rate = labels[fit.mtd - 1], fit.ptox[fit.mtd - 1]
    return Finding(
        Verdict.GO,
        f"{label} is the dose whose estimated rate of dose-limiting toxicity, {100 * rate:.3g} %, is nearest "
        f"{100 * target:g} % ({counts}).",
        rate,
        target,
        outcome | {"mtd": label},
    )


def _fit(
    labels: Sequence[str],
    level: Sequence[int],
    dlt: Sequence[int],
    parameters: Parameters,
    followed_days: Sequence[float] | None,
) -> tuple[CrmFit | None, Sequence[float]]:
    from pipeline.toxicity.crm import PRIOR_SD, continual_reassessment, usual_skeleton
    from pipeline.toxicity.crm_model import INTERCEPT, CrmModel
    from pipeline.toxicity.tite_crm import WeightScheme, tite_crm

    target = float(parameters["target"])
    model, intercept = CrmModel(parameters.get("model", "empiric")), float(parameters.get("intercept", INTERCEPT))
    prior_sd = float(parameters.get("prior_sd", PRIOR_SD))
    stated, half = parameters.get("skeleton"), parameters.get("halfwidth")
    skeleton = usual_skeleton(target, len(labels), half, model, intercept) if stated is None else tuple(stated)
    if len(skeleton) < len(labels):
        return None, skeleton
    if followed_days is None:
        return continual_reassessment(skeleton, target, level, dlt, model, prior_sd, intercept), skeleton
    scheme, window = WeightScheme(parameters.get("scheme", "linear")), float(parameters["window_days"])
    return tite_crm(skeleton, target, level, dlt, followed_days, window, scheme, model, prior_sd, intercept), skeleton

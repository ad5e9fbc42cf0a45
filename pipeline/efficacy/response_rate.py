"""Response rates and the intervals of a proportion (C3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.efficacy.recist import Response
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method

Limits = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionIntervals(Outcome):
    """A proportion with four intervals. Agresti-Coull is not clipped and may leave 0 to 1."""

    x: int
    n: int
    estimate: float | None = None
    clopper_pearson: Limits | None = None
    wilson: Limits | None = None
    jeffreys: Limits | None = None
    agresti_coull: Limits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRates(Outcome):
    """Objective response and disease control among the patients counted."""

    denominator: int
    responders: int
    controlled: int
    orr: float | None = None
    orr_ci: Limits | None = None
    dcr: float | None = None
    dcr_ci: Limits | None = None


def check_counts(x: int, n: int, *, of: str = "x") -> None:
    """Refuse counts that cannot be: negative ones, or more events than cases."""
    if n < 0 or x < 0:
        raise InputError(f"counts cannot be negative, got {x} of {n}", path=(of,))
    if x > n:
        raise InputError(f"{x} of {n} cannot be: there are more events than cases", path=(of,))


def check_level(conf_level: float) -> None:
    """Refuse a confidence level outside 0 to 1."""
    if not 0 < conf_level < 1:
        raise InputError(f"a confidence level lies between 0 and 1, got {conf_level:g}", path=("conf_level",))


def clopper_pearson(x: int, n: int, conf_level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of x in n, n > 0, from quantiles of the beta distribution; 0 and 1 at the ends."""
    from scipy.special import betaincinv

    tail = (1 - conf_level) / 2
    lower = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    upper = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return lower, upper


def wilson(x: int, n: int, conf_level: float = 0.95) -> tuple[float, float]:
    """Return the score interval of x in n, n > 0, without continuity correction."""
    z = normal_quantile(conf_level)
    centre = (x + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(x * (n - x) / n + z * z / 4)
    return 0.0 if x == 0 else centre - half, 1.0 if x == n else centre + half


def jeffreys(x: int, n: int, conf_level: float = 0.95) -> tuple[float, float]:
    """Return the equal-tailed interval under Jeffreys' prior, n > 0; 0 at x = 0 and 1 at x = n."""
    from scipy.special import betaincinv

    tail = (1 - conf_level) / 2
    lower = 0.0 if x == 0 else float(betaincinv(x + 0.5, n - x + 0.5, tail))
    upper = 1.0 if x == n else float(betaincinv(x + 0.5, n - x + 0.5, 1 - tail))
    return lower, upper


def agresti_coull(x: int, n: int, conf_level: float = 0.95) -> tuple[float, float]:
    """Return the interval with z squared pseudo-counts, n > 0, not clipped to 0 and 1."""
    z = normal_quantile(conf_level)
    trials = n + z * z
    centre = (x + z * z / 2) / trials
    half = z * math.sqrt(centre * (1 - centre) / trials)
    return centre - half, centre + half


def normal_quantile(conf_level: float) -> float:
    """Return the two-sided normal quantile: 1.959964 for 0.95."""
    from scipy.special import ndtri

    return float(-ndtri((1 - conf_level) / 2))


def proportion_intervals(x: int, n: int, conf_level: float = 0.95) -> ProportionIntervals:
    """Return x / n with its four intervals; without cases there is none, for `no_data`."""
    check_counts(x, n)
    check_level(conf_level)
    if n == 0:
        return ProportionIntervals(x=x, n=n, reason=Reason.NO_DATA)
    return ProportionIntervals(
        x=x,
        n=n,
        estimate=x / n,
        clopper_pearson=clopper_pearson(x, n, conf_level),
        wilson=wilson(x, n, conf_level),
        jeffreys=jeffreys(x, n, conf_level),
        agresti_coull=agresti_coull(x, n, conf_level),
    )


@method(
    "C3_orr_ci",
    version=1,
    title="Response rate intervals",
    source="Clopper CJ, Pearson ES. Biometrika 1934;26:404-413; Brown LD, Cai TT, DasGupta A. Stat Sci 2001;16:101-133",
)
def response_rate_intervals(x: int, n: int, conf_level: float = 0.95) -> ProportionIntervals:
    """Return a response rate with its intervals. For a trial's response the one to print is Clopper-Pearson.

    Args:
        x: patients with a response.
        n: patients counted.
        conf_level: confidence level of the two-sided intervals.

    Raises:
        InputError: a count is negative, x is larger than n, or the level is not between 0 and 1.
    """
    return proportion_intervals(x, n, conf_level)


@method(
    "C3_response_rates",
    version=1,
    title="Objective response and disease control",
    source="Eisenhauer EA et al. Eur J Cancer 2009;45:228-247; Clopper CJ, Pearson ES. Biometrika 1934;26:404-413",
)
def response_rates(
    best: Sequence[Response],
    treated: int | None = None,
    response_evaluable: bool = False,
    conf_level: float = 0.95,
) -> ResponseRates:
    """Return objective response (CR + PR) and disease control (CR + PR + SD) with Clopper-Pearson intervals.

    The denominator is the patients treated: who is not evaluable counts, as without a response.

    Args:
        best: best overall response of every patient treated, NE where there is none.
        treated: number of patients treated, where `best` leaves out those never assessed; None takes all in `best`.
        response_evaluable: count only the patients evaluable for response (not NE), which the flag of that name says.
        conf_level: confidence level of the two-sided intervals.

    Raises:
        InputError: fewer patients were treated than have a response, both denominators are asked for, or the level is
            not between 0 and 1.
    """
    check_level(conf_level)
    responders = sum(response in (Response.CR, Response.PR) for response in best)
    stable = sum(response in (Response.SD, Response.NON_CR_NON_PD) for response in best)
    evaluable = sum(response is not Response.NE for response in best)
    if treated is not None and response_evaluable:
        raise InputError(
            "give the patients treated, or ask for those evaluable, not both", path=("response_evaluable",)
        )
    if treated is not None and treated < len(best):
        raise InputError(f"{len(best)} patients have a response but only {treated} were treated", path=("treated",))
    denominator = evaluable if response_evaluable else len(best) if treated is None else treated
    flags = ("response_evaluable",) if response_evaluable else ()
    controlled = responders + stable
    if denominator == 0:
        return ResponseRates(denominator=0, responders=0, controlled=0, reason=Reason.NO_DATA, flags=flags)
    return ResponseRates(
        denominator=denominator,
        responders=responders,
        controlled=controlled,
        orr=responders / denominator,
        orr_ci=clopper_pearson(responders, denominator, conf_level),
        dcr=controlled / denominator,
        dcr_ci=clopper_pearson(controlled, denominator, conf_level),
        flags=flags,
    )

"""The keyboard design, and mTPI-2, which decides alike (B5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import TYPE_CHECKING, Any

from pipeline.bounds import above_zero, between, events_among, within
from pipeline.errors import InputError
from pipeline.outcome import Outcome, Reason, method
from pipeline.toxicity.boundaries import (
    MOST_PATIENTS,
    NEVER,
    Boundaries,
    DecisionTable,
    listed,
    smallest_over,
    smallest_where,
)
from pipeline.toxicity.selection import CUTOFF_ELIMINATE, FEWEST_TO_ELIMINATE, prob_over

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

HALF_WIDTH = 0.05
NARROWEST = 0.01
MOST_ROWS = 1000
INTEGER_WITHIN = 1e-9
# Keys placed alike about the middle of a symmetric posterior are equally strong but for the last digits.
TIED_WITHIN = 1e-12

YAN_GUO = "Yan F et al. Clin Cancer Res 2017;23:3994-4003; Guo W et al. Contemp Clin Trials 2017;58:23-33"


class Decision(StrEnum):
    """What to do at a dose."""

    ESCALATE = "E"
    STAY = "S"
    DEESCALATE = "D"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalDecision(Outcome):
    """The decision, the posterior probability that the rate is above the target, and whether that is too high."""

    decision: Decision | None
    prob_over_target: float | None
    eliminate: bool


def keys(target: float, left: float, right: float) -> tuple[Floats, int]:
    """Return the edges of all keys from 0 to 1, and the index of the target key.

    Keys of the target key's width follow one another in both directions; the outermost may be shorter. Edges are
    multiples of the width, so that no rounding accumulates.
    """
    import numpy as np

    width, low, high = left + right, target - left, target + right
    downwards = floor(low / width + INTEGER_WITHIN)
    upwards = floor((1 - high) / width + INTEGER_WITHIN)
    edges = [low - k * width for k in range(downwards, 0, -1)] + [low, high]
    edges += [high + k * width for k in range(1, upwards + 1)]
    if edges[0] > INTEGER_WITHIN:
        edges.insert(0, 0.0)
    if edges[-1] < 1 - INTEGER_WITHIN:
        edges.append(1.0)
    middle = edges.index(low)
    edges[0], edges[-1] = 0.0, 1.0
    return np.asarray(edges), middle


def strongest_key(dlt: Any, n: Any, edges: Floats, prior: tuple[float, float] = (1.0, 1.0)) -> Any:
    """Return the index of the key with the highest posterior probability per width, of ties the right-most.

    `n` may be an effective sample size; arrays broadcast.
    """
    import numpy as np
    from scipy.special import betainc

    a = np.asarray(prior[0] + dlt, dtype=float)[..., None]
    b = np.asarray(prior[1] + n - dlt, dtype=float)[..., None]
    strength = np.diff(betainc(a, b, edges), axis=-1) / np.diff(edges)
    strongest = strength >= strength.max(axis=-1, keepdims=True) * (1 - TIED_WITHIN)
    return strength.shape[-1] - 1 - np.argmax(strongest[..., ::-1], axis=-1)


def keyboard_decision(
    dlt: int, n: float, target: float, left: float, right: float, prior: tuple[float, float] = (1.0, 1.0)
) -> Decision:
    """Return the decision at a dose with `n` patients, which may be an effective sample size."""
    _checked(target, left, right, prior, CUTOFF_ELIMINATE)
    edges, middle = keys(target, left, right)
    strongest = int(strongest_key(dlt, n, edges, prior))
    if strongest == middle:
        return Decision.STAY
    return Decision.ESCALATE if strongest < middle else Decision.DEESCALATE


def _checked(target: float, left: float, right: float, prior: tuple[float, float], cutoff: float) -> None:
    between(0, 1, target=target, cutoff_eliminate=cutoff)
    above_zero(prior_a=prior[0], prior_b=prior[1])
    if left < 0 or right < 0 or left + right < NARROWEST:
        raise InputError("the target key must be at least 0.01 wide, with no negative side", path=("margin_left",))
    if target - left <= 0 or target + right >= 1:
        raise InputError("the target key must lie between 0 and 1", path=("margin_left",))


def keyboard_table(
    target: float,
    patients: Integers,
    margin_left: float = HALF_WIDTH,
    margin_right: float = HALF_WIDTH,
    cutoff_eliminate: float = CUTOFF_ELIMINATE,
    prior: tuple[float, float] = (1.0, 1.0),
) -> DecisionTable:
    """Return the decisions for the numbers of patients given; see `keyboard_boundaries` for the rule."""
    import numpy as np

    _checked(target, margin_left, margin_right, prior, cutoff_eliminate)
    edges, middle = keys(target, margin_left, margin_right)
    treated = patients > 0

    def strongest(x: Integers) -> Integers:
        return np.asarray(strongest_key(x, patients, edges, prior))

    # The strongest key never moves left as toxicities are added.
    escalate = np.where(treated, smallest_where(patients, lambda x: strongest(x) >= middle) - 1, NEVER)
    deescalate = np.where(treated, smallest_where(patients, lambda x: strongest(x) > middle), patients + 1)
    over = smallest_over(target, patients, cutoff_eliminate, prior)
    eliminate = np.where(patients >= FEWEST_TO_ELIMINATE, over, patients + 1)
    return DecisionTable(escalate, np.minimum(deescalate, eliminate), eliminate)


@method(
    "B5_keyboard_boundaries",
    version=1,
    title="Keyboard integer boundaries and elimination",
    source=YAN_GUO,
)
def keyboard_boundaries(
    target: float,
    n_at_dose: Sequence[int],
    margin_left: float = HALF_WIDTH,
    margin_right: float = HALF_WIDTH,
    cutoff_eliminate: float = CUTOFF_ELIMINATE,
    prior: tuple[float, float] = (1.0, 1.0),
) -> Boundaries:
    """Tabulate the decisions of the keyboard design.

    The unit interval is tiled with keys as wide as the target key. The strongest key is the one with the highest
    posterior probability per width: left of the target key escalate, right of it de-escalate, the target key stay;
    of equally strong keys the right-most counts. A dose and all above it are eliminated if n >= 3 and P(p > target)
    is above the cutoff.

    Args:
        target: target rate of dose-limiting toxicity.
        n_at_dose: numbers of patients at a dose to tabulate, each from 1 to 1000.
        margin_left: how far the target key reaches below the target.
        margin_right: how far it reaches above.
        cutoff_eliminate: posterior probability above which a dose is too toxic.
        prior: parameters of the Beta prior.

    Raises:
        InputError: the target key does not lie between 0 and 1, or a number is outside its range.
    """
    import numpy as np

    within(0, MOST_ROWS, rows=len(n_at_dose))
    for n in n_at_dose:
        within(1, MOST_PATIENTS, n_at_dose=n)
    patients = np.asarray(n_at_dose, dtype=np.int64)
    table = keyboard_table(target, patients, margin_left, margin_right, cutoff_eliminate, prior)
    return listed(patients, table.escalate, table.deescalate, table.eliminate)


@method("B5_mtpi2_decision", version=1, title="mTPI-2 decision at a dose", source=YAN_GUO)
def mtpi2_decision(
    n: int,
    dlt: int,
    target: float,
    epsilon1: float = HALF_WIDTH,
    epsilon2: float = HALF_WIDTH,
    prior: tuple[float, float] = (1.0, 1.0),
    cutoff_eliminate: float = CUTOFF_ELIMINATE,
) -> IntervalDecision:
    """Decide at one dose by mTPI-2: the keyboard rule with the target key [target - epsilon1, target + epsilon2].

    Args:
        n: patients at the dose.
        dlt: patients among them with a dose-limiting toxicity.
        target: target rate of dose-limiting toxicity.
        epsilon1: how far the equivalence interval reaches below the target.
        epsilon2: how far it reaches above.
        prior: parameters of the Beta prior.
        cutoff_eliminate: posterior probability above which the dose, with at least 3 patients, is too toxic.

    Returns:
        E, S or D. Without a patient there is no decision, for `no_data`.

    Raises:
        InputError: there are more toxicities than patients, or the interval does not lie between 0 and 1.
    """
    events_among(n, dlt)
    _checked(target, epsilon1, epsilon2, prior, cutoff_eliminate)
    if n == 0:
        return IntervalDecision(decision=None, prob_over_target=None, eliminate=False, reason=Reason.NO_DATA)
    over = float(prob_over(target, dlt, n, prior))
    return IntervalDecision(
        decision=keyboard_decision(dlt, n, target, epsilon1, epsilon2, prior),
        prob_over_target=over,
        eliminate=n >= FEWEST_TO_ELIMINATE and over > cutoff_eliminate,
    )

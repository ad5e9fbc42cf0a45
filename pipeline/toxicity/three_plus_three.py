"""The 3+3 dose-escalation design, with or without de-escalation (B3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline.bounds import within
from pipeline.errors import InputError
from pipeline.outcome import Outcome, method

COHORT = 3
FULL = 6
TOO_MANY = 2
MOST_DOSES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreePlusThree(Outcome):
    """The dose for the next patient, or once the trial has stopped the dose recommended; doses count from 1."""

    recommended_dose: int | None
    continue_trial: bool

    reference_names: ClassVar[Mapping[str, str]] = {"continue_trial": "continue"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreePlusThreeCharacteristics(Outcome):
    """Exact operating characteristics; lists have one entry for each dose."""

    prob_select_none: float
    prob_select: tuple[float, ...]
    expected_n: tuple[float, ...]
    expected_dlt: tuple[float, ...]


@method(
    "B3_three_plus_three",
    version=1,
    title="3+3 decision from an outcome string",
    source="Storer BE. Biometrics 1989;45:925-937; Korn EL et al. Stat Med 1994;13:1799-1806",
)
def three_plus_three(
    outcomes: str, num_doses: int, allow_deescalate: bool = False, strict: bool = True
) -> ThreePlusThree:
    """Decide what follows after the cohorts seen so far.

    With n patients and x toxicities at the current dose: n < 3 stay; n = 3: x = 0 up, 1 stay, 2 or 3 down; n of 4 or
    5 stay; n >= 6: x <= 1 up, else down. Up at the top dose, or where the next dose has 6 patients or 2 toxicities,
    stops with the current dose. Down without de-escalation stops with the dose below; with it, the trial goes on
    below as long as that dose has fewer than 6 patients, else it stops with the highest dose that has 6 patients and
    at most 1 toxicity.

    Args:
        outcomes: cohorts as dose number and one letter for each patient, N without and T with a dose-limiting
            toxicity: "1NNN 2NNT". Empty before the first patient.
        num_doses: number of doses of the trial.
        allow_deescalate: whether patients may be added at a lower dose (Korn's variant).
        strict: refuse a string that could not arise under these rules.

    Returns:
        The next or recommended dose, None where no dose is safe (flag `no_safe_dose`). A recommended dose with fewer
        than 6 patients is flagged `recommended_dose_has_fewer_than_6`.

    Raises:
        InputError: the string cannot be read, names a dose that does not exist, or could not arise.
    """
    within(1, MOST_DOSES, num_doses=num_doses)
    patients = _patients(outcomes, num_doses)
    n, x = [0] * num_doses, [0] * num_doses
    dose: int | None = 1
    going = True
    for number, (given, toxic) in enumerate(patients, start=1):
        if strict and (not going or dose != given):
            wanted = f"dose {dose}" if going else "no further patient"
            raise InputError(
                f"patient {number} is at dose {given} where the rules ask for {wanted}", path=("outcomes",)
            )
        n[given - 1] += 1
        x[given - 1] += toxic
        dose, going = decide(n, x, given, allow_deescalate)
    few = not going and dose is not None and n[dose - 1] < FULL
    return ThreePlusThree(
        recommended_dose=dose,
        continue_trial=going,
        flags=("no_safe_dose",) if dose is None else ("recommended_dose_has_fewer_than_6",) if few else (),
    )


def _patients(outcomes: str, num_doses: int) -> list[tuple[int, bool]]:
    patients: list[tuple[int, bool]] = []
    for cohort in outcomes.split():
        read = re.fullmatch(r"([0-9]{1,3})([NT]+)", cohort)
        if read is None:
            raise InputError(f"the cohort {cohort[:20]!r} is not a dose number with N and T", path=("outcomes",))
        dose = int(read.group(1))
        if not 1 <= dose <= num_doses:
            raise InputError(f"there is no dose {dose} among {num_doses}", path=("outcomes",))
        patients += [(dose, letter == "T") for letter in read.group(2)]
    return patients


def decide(n: Sequence[int], x: Sequence[int], dose: int, allow_deescalate: bool) -> tuple[int | None, bool]:
    """Return the next dose and whether the trial goes on, after the latest patient at `dose` (counted from 1)."""
    here, toxic = n[dose - 1], x[dose - 1]
    if here < COHORT or COHORT < here < FULL or (here == COHORT and toxic == 1):
        return dose, True
    if toxic < TOO_MANY:
        top = dose == len(n)
        if top or n[dose] >= FULL or x[dose] >= TOO_MANY:
            return dose, False
        return dose + 1, True
    if dose == 1:
        return None, False
    if not allow_deescalate:
        return dose - 1, False
    if n[dose - 2] < FULL:
        return dose - 1, True
    safe = [level for level in range(1, len(n) + 1) if n[level - 1] >= FULL and x[level - 1] < TOO_MANY]
    return max(safe, default=None), False


def too_toxic(n: int, x: int) -> bool | None:
    """Return whether a dose is too toxic with x toxicities among n subjects; None where the rule does not tell.

    It counts six subjects at most: two toxicities among them are too many. Of more than six it tells only where any
    six of them lead to the same: with one toxicity or none, or with at most four subjects without.
    """
    if x < TOO_MANY:
        return False
    return True if n <= FULL or n - x <= FULL - TOO_MANY else None


@method(
    "B3_three_plus_three_oc",
    version=1,
    title="3+3 exact operating characteristics",
    source="Lin Y, Shih WJ. Biostatistics 2001;2:203-215",
)
def three_plus_three_characteristics(
    true_dlt_prob: Sequence[float], allow_deescalate: bool = False
) -> ThreePlusThreeCharacteristics:
    """Compute exactly how often each dose is selected and how many patients it takes, for assumed true rates.

    A dose is passed with 3 patients (no toxicity) or with 6 (1 toxicity among the first 3, none after). The first
    dose that is not passed ends the way up. Without de-escalation the dose below is selected. With it, a dose below
    that was passed with 3 patients takes 3 more, and is selected with at most 1 toxicity among them, else the next
    lower dose is looked at in the same way.

    Args:
        true_dlt_prob: true probability of a dose-limiting toxicity at each dose, lowest first, each from 0 to 1.
        allow_deescalate: whether patients may be added at a lower dose.

    Returns:
        Probabilities that add up to 1 and expected counts of patients and toxicities.

    Raises:
        InputError: there is no dose, too many, or a rate is not from 0 to 1.
    """
    within(1, MOST_DOSES, num_doses=len(true_dlt_prob))
    for rate in true_dlt_prob:
        within(0, 1, true_dlt_prob=rate)
    none = [(1 - p) ** COHORT for p in true_dlt_prob]
    one = [COHORT * p * (1 - p) ** (COHORT - 1) for p in true_dlt_prob]
    passed_with_three = none
    passed_with_six = [b * a for a, b in zip(none, one, strict=True)]
    doses = range(len(true_dlt_prob))
    select, none_selected = [0.0] * len(doses), 0.0
    expected = [0.0] * len(doses)
    reached = 1.0
    for dose in doses:
        expected[dose] += reached * (COHORT + COHORT * one[dose])
        passed = passed_with_three[dose] + passed_with_six[dose]
        failed, reached = reached * (1 - passed), reached * passed
        below = dose - 1
        while allow_deescalate and below >= 0 and failed > 0:
            few = passed_with_three[below] / (passed_with_three[below] + passed_with_six[below])
            expected[below] += failed * few * COHORT
            unsafe = failed * few * (1 - none[below] - one[below])
            select[below] += failed - unsafe
            failed, below = unsafe, below - 1
        if below >= 0:
            select[below] += failed
        else:
            none_selected += failed
    select[-1] += reached
    return ThreePlusThreeCharacteristics(
        prob_select_none=none_selected,
        prob_select=tuple(select),
        expected_n=tuple(expected),
        expected_dlt=tuple(n * p for n, p in zip(expected, true_dlt_prob, strict=True)),
    )

"""What the rules of dose escalation find (B3 to B6) in the subjects treated and with toxicities at each dose level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.assessment.finding import Finding, not_computable
from pipeline.assessment.model_findings import by_model
from pipeline.bounds import events_among
from pipeline.toxicity.boin import select_mtd
from pipeline.toxicity.three_plus_three import COHORT, FULL, too_toxic
from pipeline.words import Verdict

Inputs = Mapping[str, Any]
Parameters = Mapping[str, Any]

MARGIN = 0.05
NOBODY = "subjects treated at a dose level"


def escalation(inputs: Inputs, parameters: Parameters) -> Finding:
    """B4: a dose is selected, and the lowest dose is not eliminated. `levels`: lowest first, with treated and DLTs."""
    levels = inputs["levels"]
    target, cutoff = float(parameters["target"]), float(parameters.get("cutoff_eliminate", 0.95))
    treated, with_dlt = [each["treated"] for each in levels], [each["with_dlt"] for each in levels]
    result = select_mtd(target, treated, with_dlt, cutoff)
    counts = _counted(levels)
    outcome: dict[str, object] = {"isotonic": list(result.isotonic_p), "levels": [each["label"] for each in levels]}
    if not sum(treated):
        return not_computable([NOBODY])
    if result.mtd is None:
        return Finding(
            Verdict.NO_GO,
            f"Even the lowest dose is too toxic: {counts} with a dose-limiting toxicity against a target of "
            f"{100 * target:g} %.",
            with_dlt[0] / treated[0] if treated[0] else None,
            target,
            outcome,
        )
    chosen = levels[result.mtd - 1]
    rate = result.isotonic_p[result.mtd - 1]
    return Finding(
        Verdict.GO,
        f"{chosen['label']} is the dose whose rate of dose-limiting toxicity is nearest {100 * target:g} % ({counts}).",
        rate,
        target,
        outcome | {"mtd": chosen["label"]},
    )


def keyboard(inputs: Inputs, parameters: Parameters) -> Finding:
    """B5: keyboard and mTPI-2 select as BOIN does; at the highest dose given the strongest key says what is next."""
    found = escalation(inputs, parameters)
    tried = [each for each in inputs["levels"] if each["treated"]]
    if not tried:
        return found
    from pipeline.toxicity.keyboard import Decision, keyboard_decision

    last = tried[-1]
    first, second = parameters.get("prior", (1.0, 1.0))
    decision = keyboard_decision(
        last["with_dlt"],
        last["treated"],
        float(parameters["target"]),
        float(parameters.get("margin_left", MARGIN)),
        float(parameters.get("margin_right", MARGIN)),
        (float(first), float(second)),
    )
    where = {Decision.ESCALATE: "above", Decision.STAY: "at", Decision.DEESCALATE: "below"}[decision]
    return Finding(
        found.recommendation,
        f"{found.explanation} The strongest key would treat the next cohort {where} {last['label']}.",
        found.statistic,
        found.threshold,
        {**found.outcome, "next": decision.value},
    )


def three_plus_three(inputs: Inputs, parameters: Parameters) -> Finding:
    """B3: the dose below the lowest one with two toxicities or more.

    A dose is passed with three subjects and no toxicity, or with six and at most one. With `allow_deescalate` the dose
    below one that is too toxic takes six in any case. Where a dose was given to more than six, and it depends on who
    the first six were whether it is too toxic, the rule does not speak.
    """
    levels = _sound(inputs["levels"])
    tried = [n for n, each in enumerate(levels) if each["treated"]]
    if not tried:
        return not_computable([NOBODY])
    counts = _counted(levels)
    toxic = next((n for n in tried if too_toxic(*_numbers(levels[n])) is not False), None)
    if toxic is not None and too_toxic(*_numbers(levels[toxic])) is None:
        return _three(
            Verdict.HOLD,
            f"3+3 counts {FULL} subjects at a dose, and {levels[toxic]['label']} was given to more ({counts}): whether "
            f"it is too toxic depends on how many of the first {FULL} had a dose-limiting toxicity. Judge it by a rule "
            "for any number of subjects, such as BOIN.",
            levels[toxic],
            None,
        )
    if toxic == 0:
        first = levels[0]
        return _three(
            Verdict.NO_GO, f"Even the lowest dose is too toxic: {counts} with a dose-limiting toxicity.", first, None
        )
    at = tried[-1] if toxic is None else toxic - 1
    here = levels[at]
    full = toxic is not None and bool(parameters.get("allow_deescalate", False))
    if not _passed(here, full=full):
        return _three(
            Verdict.HOLD, f"{here['label']} needs further subjects before it is passed ({counts}).", here, None
        )
    if toxic is None and at + 1 < len(levels):
        return _three(
            Verdict.HOLD, f"{here['label']} is passed; {levels[at + 1]['label']} is next ({counts}).", here, None
        )
    why = "no dose was too toxic, so the maximum is not reached"
    if toxic is not None:
        why = f"{levels[toxic]['label']} is too toxic"
    few = f" It was given to fewer than {FULL} subjects." if here["treated"] < FULL else ""
    return _three(
        Verdict.GO, f"{here['label']} is the highest dose that was passed; {why} ({counts}).{few}", here, here
    )


def _three(verdict: Verdict, said: str, at: Mapping[str, Any], chosen: Mapping[str, Any] | None) -> Finding:
    rate = at["with_dlt"] / at["treated"] if at["treated"] else None
    outcome = {} if chosen is None else {"mtd": chosen["label"]}
    # Where the design waits for subjects there is no rate yet that it would hold against its bar.
    waits = verdict is Verdict.HOLD
    return Finding(verdict, said, None if waits else rate, None if waits else 1 / COHORT, outcome)


def _numbers(level: Mapping[str, Any]) -> tuple[int, int]:
    return level["treated"], level["with_dlt"]


def _passed(level: Mapping[str, Any], *, full: bool) -> bool:
    n, x = level["treated"], level["with_dlt"]
    return bool(n >= FULL or (n >= COHORT and x == 0 and not full))


def reassessment(inputs: Inputs, parameters: Parameters) -> Finding:
    """B6: the model's dose is one that was given. `levels` holds every planned level, also those nobody had."""
    levels = _sound(inputs["levels"])
    at = [n for n, each in enumerate(levels, 1) for _ in range(each["treated"])]
    if not at:
        return not_computable([NOBODY])
    dlt = [int(k < each["with_dlt"]) for each in levels for k in range(each["treated"])]
    return by_model([each["label"] for each in levels], at, dlt, _counted(levels), parameters)


def _sound(levels: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the levels; refuse those with more toxicities than subjects."""
    for each in levels:
        events_among(each["treated"], each["with_dlt"])
    return levels


def _counted(levels: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{each['with_dlt']}/{each['treated']} at {each['label']}" for each in levels if each["treated"])

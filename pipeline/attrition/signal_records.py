"""Which records carry a signal of toxicity, of inefficacy or of too little exposure, and of what: rules as data.

A key says what a signal is about: `ORGAN:` with a system, `ENDPOINT:` with a family, MARGIN (an exposure margin was
crossed), ABOVE_LIMIT, SHORTFALL (an exposure stayed below its target), or TOXICITY and EFFICACY alone where a record
says no more. The rules are in missed_signals.toml.
"""

from __future__ import annotations

import functools
import itertools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pipeline.attrition.organ_systems import folded, organ_name, pattern_of, systems_named, systems_of
from pipeline.attrition.review_settings import EFFICACY, EXPOSURE, TOXICITY
from pipeline.rounding import at_least

MARGIN, ABOVE_LIMIT, SHORTFALL = "MARGIN", "ABOVE_LIMIT", "SHORTFALL"
ORGAN, ENDPOINT = "ORGAN:", "ENDPOINT:"
_ENDPOINT_NAMES = {"RESPONSE": "response", "TUMOUR_GROWTH": "tumour growth", "SURVIVAL": "survival"}
_NAMES = {
    MARGIN: "exposure margin crossed",
    ABOVE_LIMIT: "exposure above its limit",
    SHORTFALL: "exposure below its target",
    TOXICITY: "toxicity",
    EFFICACY: "lack of effect",
}
_RESPONDERS = frozenset({"CR", "PR"})
EVALUATED = _RESPONDERS | {"SD", "PD", "NON-CR/NON-PD", "NN"}
"""Overall responses of those who could be evaluated."""


@dataclass(frozen=True, slots=True)
class Bars:
    """From where on a record carries a signal; see missed_signals.toml for what each means."""

    least_grade: int
    severe: frozenset[str]
    least_severity_rank: int
    normal: frozenset[str]
    liver_enzymes: tuple[str, ...]
    liver_multiple: float
    uninteresting_response: float
    confidence: float
    methods: Mapping[str, str]


@functools.cache
def _table() -> dict[str, Any]:
    text = files("pipeline.attrition").joinpath("missed_signals.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@functools.cache
def bars() -> Bars:
    """Return the bars the project ships."""
    table = _table()
    return Bars(
        least_grade=table["least_grade"],
        severe=frozenset(map(folded, table["severe"])),
        least_severity_rank=table["least_severity_rank"],
        normal=frozenset(map(folded, table["normal"])),
        liver_enzymes=tuple(table["liver_enzymes"]),
        liver_multiple=table["liver_multiple"],
        uninteresting_response=table["uninteresting_response"],
        confidence=table["confidence"],
        methods=table["methods"],
    )


@functools.cache
def _endpoints() -> tuple[tuple[str, Any], ...]:
    return tuple((family, pattern_of(words)) for family, words in _table()["endpoints"].items())


def key_name(key: str) -> str:
    """Return what a key is about, in words."""
    if key.startswith(ORGAN):
        return organ_name(key.removeprefix(ORGAN))
    if key.startswith(ENDPOINT):
        return _ENDPOINT_NAMES[key.removeprefix(ENDPOINT)]
    return _NAMES[key]


def keys_of_text(kind: str, text: str) -> tuple[str, ...]:
    """Return what a stop of a kind names in its text: organ systems of a toxicity, endpoints of a lack of effect."""
    if kind == TOXICITY:
        return tuple(ORGAN + code for code in systems_named(text)) if text else ()
    if kind == EFFICACY and text:
        plain = folded(text)
        return tuple(ENDPOINT + family for family, pattern in _endpoints() if pattern.search(plain))
    return (SHORTFALL,) if kind == EXPOSURE else ()


def _organs(systems: Iterable[str]) -> tuple[str, ...]:
    return tuple(ORGAN + code for code in systems) or (TOXICITY,)


def event_keys(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of an adverse event of a person; none where it is below the bar."""
    rule = bars()
    graded = row["grade"] is not None and row["grade"] >= rule.least_grade
    severe = row["grade"] is None and row["severity"] is not None and folded(row["severity"]) in rule.severe
    if not (graded or severe or row["serious"] or row["dlt"]):
        return ()
    return _organs(systems_of(row["organ_class"], row["coded_term"], row["term"]))


def finding_keys(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of what was seen in a treated animal; none where it is normal, not done, or too slight."""
    rule = bars()
    seen = folded(row["reported"] or "")
    rank = row["severity_rank"]
    if row["not_done"] or row["control"] or not seen or seen in rule.normal:
        return ()
    if rank is not None and rank < rule.least_severity_rank:
        return ()
    systems = finding_systems(row) or systems_named(row["reported"])
    return tuple(ORGAN + code for code in systems)


def finding_systems(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the organ systems of the organ that was looked at; its class is asked where the organ says nothing."""
    return systems_of(row["organ"], row["organ_class"])


def count_keys(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of a counted event: serious, in somebody."""
    if not row["serious"] or not (row["affected"] or row["events"]):
        return ()
    return _organs(systems_of(row["organ_class"], row["term"], row["term_reported"]))


def limiting_keys(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of a dose-limiting toxicity that somebody had; one without a count was had by somebody."""
    if row["affected"] == 0 or (row["affected_reported"] or "").strip() == "0":
        return ()
    return _organs(systems_of(None, row["term"]))


def laboratory_keys(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of a laboratory result of a person: an aminotransferase or a grade at or above the bar."""
    rule = bars()
    if row["baseline"] or row["not_done"] or (row["day"] is not None and row["day"] < 1):
        return ()
    upper, value = row["upper_normal"], row["value"]
    measured = value is not None and upper is not None and upper > 0
    if measured and row["test"].upper() in rule.liver_enzymes and at_least(value, rule.liver_multiple * upper):
        return (f"{ORGAN}HEPATOBILIARY",)
    if row["grade"] is None or row["grade"] < rule.least_grade:
        return ()
    return _organs(systems_of(None, row["test_name"], row["test"]))


def checkpoint_key(kind: str, method: str) -> str:
    """Return the key of a negative checkpoint."""
    return bars().methods.get(method, kind)


def kind_of_key(key: str) -> str:
    """Return the kind of stop a key belongs to."""
    if key == SHORTFALL:
        return EXPOSURE
    return EFFICACY if key == EFFICACY or key.startswith(ENDPOINT) else TOXICITY


@functools.lru_cache(maxsize=4096)
def futile(responders: int, evaluated: int) -> bool:
    """Whether the one-sided upper limit of a response rate lies below the rate that is of no interest."""
    from scipy.special import betaincinv

    rule = bars()
    if responders >= evaluated:
        return False
    upper = float(betaincinv(responders + 1, evaluated - responders, rule.confidence))
    return upper < rule.uninteresting_response


@functools.cache
def fewest_futile() -> int:
    """Return how many have to be evaluated for a response rate to be surely below what is of interest."""
    return next(number for number in itertools.count(1) if futile(0, number))


def first_futile(responses: Iterable[tuple[Any, int, str]]) -> Any:
    """Return the first response record with which a study carries a signal of inefficacy; None where none does.

    Args:
        responses: (record, subject, response) in the order they were assessed; a subject's best one counts, and
            one that was not evaluable does not.
    """
    responding: dict[int, bool] = {}
    for record, subject, response in responses:
        if response not in EVALUATED:
            continue
        before = responding.get(subject)
        now = response in _RESPONDERS
        if before is None or (now and not before):
            responding[subject] = now or bool(before)
            if not now and futile(sum(responding.values()), len(responding)):
                return record
    return None

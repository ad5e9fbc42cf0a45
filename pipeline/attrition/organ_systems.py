"""Organ systems: which of them a dictionary class, an event term, an organ or a sentence is about."""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from importlib.resources import files

MOST_TEXT = 2_000
"""Characters of a text that are looked at."""
_CANCERS = (
    re.compile(r"(?<![a-z])(?:cancers?|tumeurs?) (?:du|de la|des|de l|of the|de) [a-z]+"),
    re.compile(r"(?<![a-z])[a-z]+ (?:cancers?|carcinomas?|sarcomas?|tumou?rs?|metasta[a-z]*)(?![a-z])"),
)


@dataclass(frozen=True, slots=True)
class OrganSystem:
    """One organ system: its code, a short name, and what finds it in folded text.

    whole_body: it says nothing of an organ.
    """

    code: str
    name: str
    whole_body: bool
    pattern: re.Pattern[str]


@functools.cache
def organ_systems() -> tuple[OrganSystem, ...]:
    """Return the organ systems, in the order of the table."""
    text = files("pipeline.attrition").joinpath("organ_systems.toml").read_text(encoding="utf-8")
    return tuple(
        OrganSystem(row["code"], row["name"], row.get("whole_body", False), pattern_of(row["words"]))
        for row in tomllib.loads(text)["system"]
    )


def organ_name(code: str) -> str:
    """Return the short name of a system; the code itself where there is none."""
    return next((system.name for system in organ_systems() if system.code == code), code)


def pattern_of(words: list[str]) -> re.Pattern[str]:
    """Return what finds words in folded text; one that ends in * stands for every word that begins so."""
    parts = [re.escape(word.removesuffix("*")) + ("[a-z0-9]*" if word.endswith("*") else "") for word in words]
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(parts)})(?![a-z0-9])")


def folded(text: str) -> str:
    """Return text in small letters without accents, words apart by one space."""
    plain = unicodedata.normalize("NFKD", text[:MOST_TEXT].replace("œ", "oe").replace("Œ", "oe"))
    return " ".join(re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)).lower()))


@functools.lru_cache(maxsize=8192)
def systems_named(text: str) -> tuple[str, ...]:
    """Return the codes of the systems a text names, in the order of the table; the organ of a cancer is not meant."""
    plain = folded(text)
    for cancer in _CANCERS:
        plain = cancer.sub(" ", plain)
    return tuple(system.code for system in organ_systems() if system.pattern.search(plain))


@functools.lru_cache(maxsize=8192)
def systems_of(organ_class: str | None, *terms: str | None) -> tuple[str, ...]:
    """Return the systems of a record: those of its class, or of its terms where the class names no organ.

    The terms are asked in turn until one names an organ.
    """
    whole: tuple[str, ...] = ()
    body = {system.code for system in organ_systems() if system.whole_body}
    for text in (organ_class, *terms):
        found = systems_named(text) if text else ()
        organs = tuple(code for code in found if code not in body)
        if organs:
            return organs
        whole = whole or found
    return whole

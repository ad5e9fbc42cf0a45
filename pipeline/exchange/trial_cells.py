"""What cells of a table of trials say: phases, lists in the ways programs print them, interventions, enrolments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.exchange.cells import is_nothing
from pipeline.exchange.ctgov_fields import LONGEST_TEXT, Fields
from pipeline.exchange.ctgov_interventions import Interventions, read_interventions
from pipeline.exchange.reading import Place
from pipeline.exchange.stage_names import StageNames

PHASES = StageNames(
    {
        "PHASE_1": "Phase 1",
        "PHASE_1_2": "Phase 1/2",
        "PHASE_2": "Phase 2",
        "PHASE_2_3": "Phase 2/3",
        "PHASE_3": "Phase 3",
        "PHASE_4": "Phase 4",
    }
)
"""The phases a trial can be of, whatever graph is in use."""

_EARLY = re.compile(r"\bearly[ _-]*(?=phase)|\bphase[ _-]*0\b|^0$", re.IGNORECASE)
_ANSWERED = re.compile(r"\(phase ([iv]+)\)\s*:\s*(yes|oui|no|non)\b", re.IGNORECASE)
"""A phase as the European register tells it: "Therapeutic exploratory (Phase II): yes", one answer for each."""
_GLUED = re.compile(r"(?i)\bphase[ _-]*(?=[0-9iv])")
_TYPED = re.compile(r"([^\W\d][^\W\d]*(?:[ _/][^\W\d]+){0,2})\s*:\s+(\S.*)", re.DOTALL)
_TYPES = {
    "DRUG": "DRUG", "MEDICAMENT": "DRUG", "MÉDICAMENT": "DRUG", "BIOLOGICAL": "BIOLOGICAL", "BIOLOGIQUE": "BIOLOGICAL",
    "GENETIC": "GENETIC", "GÉNÉTIQUE": "GENETIC", "COMBINATION_PRODUCT": "COMBINATION_PRODUCT",
    "PRODUIT_COMBINÉ": "COMBINATION_PRODUCT", "BEHAVIORAL": "BEHAVIORAL", "COMPORTEMENTAL": "BEHAVIORAL",
    "DEVICE": "DEVICE", "DISPOSITIF": "DEVICE", "DIAGNOSTIC_TEST": "DIAGNOSTIC_TEST",
    "DIETARY_SUPPLEMENT": "DIETARY_SUPPLEMENT", "PROCEDURE": "PROCEDURE", "PROCÉDURE": "PROCEDURE",
    "RADIATION": "RADIATION", "RADIOTHÉRAPIE": "RADIATION", "OTHER": "OTHER", "AUTRE": "OTHER",
}  # fmt: skip
_COMMA = re.compile(r"(?:,|\s/)\s+(?![^()\[\]]*[)\]])(?!placebo)", re.IGNORECASE)
_TOGETHER = re.compile(r"(?:\s\+\s+|(?<=[^\W\d_]{4})\+(?=[^\W\d_]{4}))(?![^()\[\]]*[)\]])(?!placebo)", re.IGNORECASE)
_NO_NAME = re.compile(
    r"\d[\d.,/ -]*(?:mg|µg|μg|mcg|ug|g|kg|ml|m?iu|gy|%|x|times|days?|weeks?)(?!\w)"
    r"|(?:oral|iv|i\.v\.|sc|im|tablets?|capsules?|injections?|infusions?|solution)\b",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(?:(\w+)\s*[:=]\s*)?(\d{1,9})(?:\.0)?\s*(?:[\[(,;]?\s*(\w+)\s*[\])]?)?")
_PLANNED = re.compile(r"estimated|anticipated|planned|target|prévue?s?|prevue?s?|estimée?s?", re.IGNORECASE)


class Phases(NamedTuple):
    """Phases as stage codes, a combined one as one code; `flag` says what was assumed or could not be read."""

    codes: tuple[str, ...] = ()
    flag: str | None = None


def read_phases(text: str) -> Phases:
    """Read the phase of a trial: "Phase 1/Phase 2", "PHASE2|PHASE3", "I/II", "Early Phase 1", "['phase 2']".

    >>> read_phases("PHASE1|PHASE2").codes, read_phases("N/A").codes
    (('PHASE_1_2',), ())
    """
    answers = _ANSWERED.findall(text)
    items = (
        [f"Phase {one}" for one, answer in answers if answer.lower() in ("yes", "oui")] if answers else read_list(text)
    )
    joined = "/".join(items)
    if not items or is_nothing(joined):
        return Phases()
    plain = _GLUED.sub("phase ", _EARLY.sub(lambda found: "" if "early" in found[0].lower() else "phase 1", joined))
    read = PHASES.read(plain)
    if read.code is not None:
        early = _EARLY.search(joined)
        return Phases((read.code,), f"{joined[:60]!r} is read as {PHASES.name(read.code)}" if early else read.note)
    single = [PHASES.read(_GLUED.sub("phase ", item)).code for item in items]
    if len(items) > 1 and all(single):
        codes = tuple(dict.fromkeys(code for code in single if code))
        return Phases(codes, "phases that are no combined phase; kept one by one")
    return Phases((), f"{joined[:60]!r} is no phase; kept as reported")


def read_list(text: str) -> list[str]:
    """Return the items of a cell that lists several: ["a", "b"] as programs print it, or separated by | ; or lines."""
    plain = text.strip()
    if plain.startswith("[") and plain.endswith("]"):
        try:
            value = ast.literal_eval(plain) if len(plain) <= LONGEST_TEXT else None
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = None
        if isinstance(value, list):
            return _filled(str(item) for item in value)
    return _filled(re.split(r"[|;\n]", plain))


def _filled(items: Iterable[str]) -> list[str]:
    tidied = (" ".join(item.split()) for item in items)
    return list(dict.fromkeys(item for item in tidied if not is_nothing(item)))


def read_treatments(text: str, types: str, *, drugs: bool, place: Place) -> Interventions:
    """Return the molecules a cell of drugs or interventions names, what else it names, and what to mind.

    text: "Drug: A|Procedure: B", "['a', 'b']", "A; B", in a column of drugs "A, B", "A / B" and "A + B" as well. types:
    the cell of a column of types, one for all or one for each. drugs: whether what has no type is a drug.
    """
    items = read_list(text)
    if drugs:
        if len(items) == 1 and _type(items[0]) is None and not text.lstrip().startswith("["):
            items = _at_commas(items[0])
        items = _filled(part for item in items for part in ([item] if _type(item) else _TOGETHER.split(item)))
    kinds = [_TYPES.get(_word(kind), _word(kind)) for kind in read_list(types)]
    named = []
    for at, item in enumerate(items):
        typed = _type(item)
        own = kinds[at] if len(kinds) == len(items) else kinds[0] if len(kinds) == 1 else "DRUG" if drugs else ""
        kind, name = typed or (own, item)
        named.append({"type": kind, "name": name[:LONGEST_TEXT]})
    return read_interventions(Fields({"interventions": named}), [], file=place.file, row=place.row)


def _type(item: str) -> tuple[str, str] | None:
    found = _TYPED.fullmatch(item)
    kind = _TYPES.get(_word(found[1])) if found else None
    return None if found is None or kind is None else (kind, found[2].strip())


def _word(kind: str) -> str:
    return re.sub(r"\W+", "_", kind.strip().upper())


def _at_commas(text: str) -> list[str]:
    """Split at commas, but not what only goes on about the name before: a dose, a form, a part of a chemical name."""
    parts: list[str] = []
    for part in _COMMA.split(text):
        if parts and _NO_NAME.match(part):
            parts[-1] += f", {part}"
        elif part.strip():
            parts.append(part.strip())
    return parts


def read_enrolment(text: str) -> tuple[int | None, bool, str | None]:
    """Return how many were enrolled, whether that is a plan, and what cannot be read: "120 (Actual)"."""
    if is_nothing(text):
        return None, False, None
    found = _COUNT.fullmatch(text.strip().replace("\u202f", "").replace("\xa0", ""))
    if found is None:
        return None, False, f"{text[:60]!r} is no number of subjects"
    return int(found[2]), any(_PLANNED.fullmatch(word or "") for word in (found[1], found[3])), None

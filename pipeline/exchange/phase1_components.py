"""What the components of a treatment are: a molecule, radiation, a procedure, or several molecules in one name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from pipeline.exchange.facts import MoleculeFact
from pipeline.names import canonical_key, fold, tidy

_RADIATION = re.compile(
    r"radiation|radiotherap|radio-?chemo|chemo-?radi|irradiat|radiosurg|radioembol|radioimmunotherapy$|brachytherap"
    r"|external[ -]?beam|\b(?:proton|photon|electron|carbon[ -]ion)s?(?:[ -]beam)?(?: therapy)?$|proton[ -]beam"
    r"|gamma[ -]?knife|cyber[ -]?knife|tomotherapy|teletherapy|whole[ -]brain"
    r"|\b(?:c|x|ct|ch|eb|wb|3d-?c|hf|if|r|h)?rt\b|\b(?:sib-?)?(?:im|ig|io|ic)rt\b"
    r"|\b(?:vmat|sbrt|sabr|srs|srt|tbi|tmi|tli|pci|imp?t|hdr|ldr|sirt)\b"
)
_ISOTOPE = re.compile(
    r"\b(?:\d{2,3} ?m?[a-z]{1,2}\b|[a-z]{1,2} ?\d{2,3}\b)|tiuxetan|tositumomab|iobenguane|mibg|iodine ?131"
)
_PROCEDURE = re.compile(
    r"\b(?:surgery|resection|ablation|transplant(?:ation)?|hyperthermia|chemoembolization|embolization|tace|hipec"
    r"|electroporation|cryotherapy|leukapheresis|apheresis|phlebotomy|placebo|best supportive care)\b"
)
_SEVERAL = re.compile(
    r" \+ |\+(?=[a-z]{4})| (?:or|and|plus|with|&) "
    r"|\b(?:regimens?|chemotherapy|antagonists?|anti-?emetics?|inhibitors)\b"
    r"|^m?fol(?:fox|firi|foxiri|firinox)\S*$|^(?:xel|cap)(?:ox|iri)$|^abvd$"
    r"|^r?-?(?:chop|cvp|ice|esha?p|dhap|hyper-?cvad)$"
)
_LONGEST = 300
_COMPARED = 50
_SPACES = re.compile(r"\s+")
_DASHES = re.compile("[\u00ad\u2010-\u2015\u2212]")
_TRIMMINGS = re.compile(r"\s+(?:dose|bolus|civ|ci|iv|infusion|premedication|therapy)$|^(?:prophylactic|oral|iv)\s+")
_IN_BRACKETS = re.compile(r"(.+?)\s*[(（]\s*([^()（）]+)\s*[)）]?$")


@dataclass(slots=True)
class Component:
    """One component as a trial names it. `molecule` None: it is radiation, a procedure or several molecules at once."""

    name: str
    molecule: MoleculeFact | None
    kind: str
    """"molecule", "radiation", "procedure" or "several"."""
    flag: str | None = None


class Components:
    """All components of a set of trials: spellings of one molecule share its key."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], Component | None] = {}

    def read(self, printed: str, *, irradiated: bool, file: str, row: int) -> Component | None:
        """Return what a printed name stands for; None where it holds no letter nor digit, or is no name by its length.

        `irradiated` says that the route or the unit tells of radiation, which is then believed unless the name holds
        an isotope: an antibody that carries yttrium is a molecule.
        """
        if (printed, irradiated) not in self._known:
            self._known[printed, irradiated] = self._component(printed, irradiated, file, row)
        return self._known[printed, irradiated]

    def _component(self, printed: str, irradiated: bool, file: str, row: int) -> Component | None:
        if len(printed) > _LONGEST:
            return None
        name = tidy(printed)
        plain = _SPACES.sub(" ", _DASHES.sub("-", name)).casefold()
        if _PROCEDURE.search(plain):
            return Component(name, None, "procedure")
        isotope = _ISOTOPE.search(plain)
        if _RADIATION.search(plain) or (irradiated and not isotope):
            return Component(name, None, "radiation")
        if _SEVERAL.search(plain):
            return Component(
                name, None, "several", f"{name!r} names no single molecule; kept as a component by its name"
            )
        key = canonical_key(name)
        if not key:
            return None
        return Component(name, MoleculeFact(name, key, row=row, file=file), "molecule")


def matching(component: Component, listed: Mapping[str, Component]) -> tuple[Component, str | None]:
    """Look for a component among those listed for its combination (by `key_of`), where the spelling differs.

    Returns the listed component, or the given one where none fits, and what has to be said about the spelling. Only
    words that say how a molecule is given ("erlotinib dose") and a second name in brackets ("lap (lapatinib)") are
    set aside; a misspelling is named, not joined.
    """
    if (same := listed.get(key_of(component))) is not None:
        return same, None
    name = component.name
    candidates = [_TRIMMINGS.sub("", name.casefold())]
    if found := _IN_BRACKETS.fullmatch(name):
        candidates += [found[1], found[2]]
    for candidate in candidates:
        if (other := listed.get(canonical_key(candidate))) is not None:
            return other, f"{name!r} is taken for {other.name!r} of drug.csv"
    near = get_close_matches(key_of(component), list(islice(listed, _COMPARED)), n=1, cutoff=0.85)
    hint = f"; nearest there: {listed[near[0]].name!r}" if near else ""
    return component, f"{name!r} is not listed for this combination in drug.csv{hint}"


def key_of(component: Component) -> str:
    """Return the key of a component: its molecule's, or its folded name."""
    return component.molecule.key if component.molecule else fold(component.name)

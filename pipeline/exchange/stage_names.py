"""How people write the stages of development, read into the codes of the state graph in use; never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

_WORDS: dict[str, str] = {
    "PRECLINICAL_PHARMACOLOGY": "preclinical pharmacology|pharmacology|pharmacologie|pharmacologie preclinique"
    "|in vivo pharmacology",
    "PRECLINICAL_TOXICOLOGY": "preclinical toxicology|toxicology|toxicologie|toxicologie preclinique|glp toxicology"
    "|glp tox|tox|regulatory toxicology|toxicologie reglementaire|ind enabling|cta enabling|preclinical safety",
    "CTA": "cta|ind|ind/cta|cta/ind|clinical trial authorisation|clinical trial authorization"
    "|clinical trial application|investigational new drug|autorisation d essai clinique|aec|ind filed|cta filed"
    "|ind approved|cta approved|ind cleared|ind submitted|cta submitted|demande d autorisation d essai clinique"
    "|ind/cta filed",
    "PREAPPROVAL": "preapproval|registration|preregistration|nda|bla|maa|nda/maa|nda/bla|maa/nda|bla/maa|nda/bla/maa"
    "|nda filed|bla filed|maa filed|nda/maa filed|nda/bla filed|registration/nda/maa filed|filed|submitted|filing"
    "|submission|under review|regulatory review|in registration|nda submitted|bla submitted|maa submitted"
    "|nda submission|new drug application|depot d amm|depot amm|demande d amm|amm deposee|enregistrement"
    "|en enregistrement|soumission|dossier d amm",
    "APPROVAL": "approval|approved|launched|launch|marketed|market|on market|on the market|approved/marketed"
    "|marketed/approved|approved/launched|launched/marketed|authorised|authorized|marketing authorisation"
    "|marketing authorization|registered|fda approved|ema approved|amm|amm obtenue|amm accordee"
    "|autorisation de mise sur le marche|mise sur le marche|sur le marche|commercialise|commercialisee|autorise"
    "|autorisee|approuve|approuvee",
    "PHASE_4": "post marketing|postmarketing|post marketing surveillance|post approval|post authorisation|post amm"
    "|pharmacovigilance",
    "WITHDRAWAL": "withdrawal|withdrawn|market withdrawal|withdrawn from market|withdrawn from the market|retrait"
    "|retrait du marche|retire|retiree|retire du marche|retiree du marche",
}
_AT_LEAST = re.compile(
    "preclinical|preclinique|preclinical development|developpement preclinique|recherche preclinique"
    "|preclinical research|non clinical|nonclinical"
)
_STATUSES = re.compile(
    "discontinued|stopped|terminated|suspended|on hold|halted|arretee?|abandonnee?|suspendue?|dropped|inactive|active"
    "|completed|terminee?|closed|clos|en cours|ongoing|cancelled"
)
_NOISE = re.compile(
    "clinical|clinique|trials?|study|studies|essais?|etudes?|stage|stade|etape|de|d|en|in|the|le|la|ongoing|cours"
)
_DIGITS = {"1": 1, "2": 2, "3": 3, "4": 4, "i": 1, "ii": 2, "iii": 3, "iv": 4}
_ONE = r"(iv|i{1,3}|[1-4]) ?[abc]?"
_PHASE = re.compile(rf"(?:(?:phases?|ph|p) ?)?{_ONE}(?: ?[/\-+|,] ?(?:(?:phases?|ph|p) ?)?{_ONE})?")
_LETTER = re.compile(r"[1-4iv] ?[abc](?![a-z])")
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?(T.*)?|\d{1,2}-[A-Za-z]{3}|[A-Za-z]{3}-\d{1,2}")
_COMBINED = {(1, 2): "PHASE_1_2", (2, 3): "PHASE_2_3"}


class StageReading(NamedTuple):
    """A stage code, perhaps with what was assumed; or None and why the word says no stage for certain."""

    code: str | None
    note: str | None = None
    problem: str | None = None


@dataclass(slots=True)
class StageNames:
    """The stages of one graph, earliest first, and the spellings known for them.

    `stages` maps codes to names in the order of development, as in `{"PHASE_1": "Phase 1", ...}`.
    """

    stages: Mapping[str, str]
    _spellings: dict[str, str] = field(default_factory=dict)
    _ranks: dict[str, int] = field(default_factory=dict)
    _seen: dict[str, StageReading] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Collect the spellings: those of the graph itself come before the common ones."""
        self._ranks = {code: rank for rank, code in enumerate(self.stages)}
        for code, words in _WORDS.items():
            if code in self.stages:
                self._spellings.update(dict.fromkeys(words.split("|"), code))
        for code, name in self.stages.items():
            self._spellings[fold_words(code)] = self._spellings[fold_words(name)] = code

    def rank(self, code: str) -> int:
        """Return the place of a stage in the order of development, 0 first."""
        return self._ranks[code]

    def name(self, code: str) -> str:
        """Return the name of a stage as people read it."""
        return self.stages[code]

    def read(self, text: str) -> StageReading:
        """Return the stage a word means, or why it cannot be said."""
        reading = self._seen.get(text)
        if reading is None:
            reading = self._read(text)
            if len(self._seen) < 10_000:
                self._seen[text] = reading
        return reading

    def _read(self, text: str) -> StageReading:
        if len(text) > 120:
            return StageReading(None, problem="this is no stage")
        folded = fold_words(text)
        if _DATE.fullmatch(text):
            return StageReading(
                None, problem="this is a date; a spreadsheet may have taken 1/2 for one: write Phase 1/2"
            )
        if folded in self._spellings:
            return StageReading(self._spellings[folded])
        if _AT_LEAST.fullmatch(folded):
            return self._earliest_preclinical()
        if _STATUSES.fullmatch(folded):
            return StageReading(
                None, problem="this is a status, not a stage; write the stage it had reached, and the status apart"
            )
        words = [word for word in folded.split(" ") if not _NOISE.fullmatch(word)]
        phase = " ".join(words)
        found = _PHASE.fullmatch(phase)
        if found is None or _damaged(text):
            return StageReading(
                None, problem=f"no stage is called this; write one of {', '.join(self.stages.values())}"
            )
        read = self._phase(_DIGITS[found[1]], _DIGITS[found[2]] if found[2] else None)
        if read.code is not None and _LETTER.search(phase):
            return StageReading(
                read.code, f"“{text.strip()}” is read as {self.stages[read.code]}; the graph has no a and b"
            )
        return read

    def _earliest_preclinical(self) -> StageReading:
        code = next((code for code in self.stages if code.startswith("PRECLINICAL")), None)
        if code is None:
            return StageReading(None, problem="the state graph in use has no preclinical stage")
        return StageReading(code, f"“preclinical” is read as the earliest such stage, {self.stages[code]}")

    def _phase(self, first: int, second: int | None) -> StageReading:
        if second is None or second == first:
            code = f"PHASE_{first}"
        elif (first, second) in _COMBINED:
            code = _COMBINED[first, second]
        else:
            return StageReading(None, problem=f"there is no phase {first}/{second}; write one stage")
        if code not in self.stages:
            return StageReading(None, problem=f"the state graph in use has no stage {code}")
        return StageReading(code)


def _damaged(text: str) -> bool:
    """Whether a numeral is what is left of damaged text: "í €" folds to "i", and is no phase 1."""
    plain = unicodedata.normalize("NFKC", re.sub("[\u2010-\u2015\u2212½]", "-", text))
    return any(
        not word.isascii() and not _NOISE.fullmatch(fold_words(word)) for word in plain.replace("\u2044", "/").split()
    )


@lru_cache(maxsize=16_384)
def fold_words(text: str) -> str:
    """Return words in lower case without accents, with single spaces; "/" stays, without spaces around it.

    >>> fold_words("  Autorisation d’Essai_clinique / IND ")
    'autorisation d essai clinique/ind'
    """
    plain = unicodedata.normalize("NFKD", text.replace("½", "1/2").replace("⁄", "/")).casefold().replace("\u2044", "/")
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain)
    plain = re.sub(r"(?<=\b[1-4])\.0\b", "", plain)  # a number out of a spreadsheet
    plain = re.sub(r"\bpre[\s_-]+(?=clini|approv|regis)", "pre", plain)
    plain = re.sub(r"(?<=[\da-c])\s*-\s*(?=\d)|(?<=i[a-c])\s*-\s*(?=i)|(?<=i)\s*-\s*(?=i)", "/", plain)
    plain = re.sub(r"(?:[^\w/|,+]|_)+", " ", plain)
    return re.sub(r" *([/|,+]) *", r"\1", plain).strip()

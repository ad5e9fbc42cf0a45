"""What a row of mtd.csv reports: the maximum tolerated dose, a recommended dose, or that none was found."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MTD, RP2D, MTD_NOT_REACHED, OTHER = "MTD", "RP2D", "MTD_NOT_REACHED", "OTHER"

_RECOMMENDED = re.compile(r"\b(?:rp2d|pr2d|r2pd|rd2p|rp2|rptd|rdp2|rds?|rpiid|recommend(?:ed)?)\b")
_NOT = r"(?:was |were |is |has |have |had )?(?:not|never)(?: been)?(?: yet)?"
_FOUND = r"(?:reach(?:ed)?|determin\w*|establish\w*|defin\w*|de[wW]ned|identif\w*|found|observ\w*|achiev\w*|attain\w*)"
_NOT_REACHED = re.compile(
    rf"(?:mtd|maximum tolerated dose)s?\b[^.;]{{0,60}}? {_NOT} (?:\w+ )?{_FOUND}|\bmtd {_NOT} {_FOUND}"
    rf"|(?:did|could|was|were) not (?:be )?(?:reach|determin|establish|defin|identif)\w* (?:the |an |a )?mtd|\bno mtd\b"
)
_NOT_TOLERATED = re.compile(r"not tolerated|intolerable|not further evaluated|exceeded|not feasible")
_ANOTHER_DOSE = re.compile(
    r"\bmad\b|maxim(?:um|al) (?:administe?red|administrated|feasible|planned|tested|assessed)|highest (?:feasible|dose)"
    r"|administrated dose|minimal dose|optimal biolog|\bobd\b|biologically (?:effective|active)"
)


class Kind(NamedTuple):
    """MTD, RP2D, MTD_NOT_REACHED or OTHER; `flag` says what else the comment tells."""

    code: str
    flag: str | None = None


@lru_cache(maxsize=1024)
def dose_kind(comment: str | None) -> Kind:
    """Tell from a comment what the dose beside it is; without a word about it, it is the MTD the file is named for.

    A recommended dose stays one where the MTD was not reached or was exceeded. "RD", "RP2D" and their misprints
    (PR2D, R2PD) are one.
    """
    if comment is None:
        return Kind(MTD)
    text = " ".join(comment.casefold().split())
    missed = _NOT_REACHED.search(text) is not None
    if _RECOMMENDED.search(text):
        return Kind(RP2D, "the comment says that the MTD was not found" if missed else None)
    if missed:
        return Kind(MTD_NOT_REACHED)
    if _NOT_TOLERATED.search(text) or _ANOTHER_DOSE.search(text):
        return Kind(OTHER, f"the comment says that this is not the MTD: {comment[:80]!r}")
    return Kind(MTD)

"""Registry numbers of trials as papers print them, cleaned to the form their register gives out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_LONGEST = 500
_SHOWN = 100
_FORMS = (
    (re.compile(r"(?a)NCT[-:#]?(\d{8})(?!\d)"), "NCT{0}"),
    (re.compile(r"(?a)(?:EUDRACT|EU-?CTR|EUCTR)[A-Z.:# -]*?((?:19|20)\d{2})(-?)(\d{6})-(\d{2})(?!\d)"), "{0}-{2}-{3}"),
    (re.compile(r"(?a)(?<![\d-])((?:19|20)\d{2})(-)(\d{6})-(\d{2})(?![\d-])"), "{0}-{2}-{3}"),
    (re.compile(r"(?a)(?<![\d-])(20\d{2}-5\d{5}-\d{2}-\d{2})(?![\d-])"), "{0}"),
    (re.compile(r"(?a)UMIN(?:[-_ ]?CTR)?[-_ :]*(?:ID)?[-_ :]*(?:UMIN)? ?(\d{9})(?!\d)"), "UMIN{0}"),
    (re.compile(r"(?a)JAPICCTI[- ]?(\d{6})(?!\d)"), "JapicCTI-{0}"),
    (re.compile(r"(?a)JRCT(S?) ?(\d{9,10})(?!\d)"), "jRCT{0}{1}"),
    (re.compile(r"(?a)JMA-IIA(\d{5})(?!\d)"), "JMA-IIA{0}"),
    (re.compile(r"(?a)ACTRN ?(126\d{11})(?!\d)"), "ACTRN{0}"),
    (re.compile(r"(?a)ISRCTN ?(\d{8})(?!\d)"), "ISRCTN{0}"),
    (re.compile(r"(?a)CHICTR-([A-Z]{2,4})-?(\d{8})(?!\d)"), "ChiCTR-{0}-{1}"),
    (re.compile(r"(?a)CHICTR-?(\d{10})(?!\d)"), "ChiCTR{0}"),
    (re.compile(r"(?a)CTRI/?(\d{4}/\d{2,3}/\d{6})(?!\d)"), "CTRI/{0}"),
    (re.compile(r"(?a)KCT ?(\d{7})(?!\d)"), "KCT{0}"),
    (re.compile(r"(?a)DRKS ?(\d{8})(?!\d)"), "DRKS{0}"),
    (re.compile(r"(?a)NTR ?(\d{3,4})(?!\d)"), "NTR{0}"),
    (re.compile(r"(?a)RBR-([0-9A-Z]{6})(?![0-9A-Z])"), "RBR-{0}"),
    (re.compile(r"(?a)PACTR ?(20\d{13,14})(?!\d)"), "PACTR{0}"),
    (re.compile(r"(?a)TCTR ?(20\d{9})(?!\d)"), "TCTR{0}"),
    (re.compile(r"(?a)IRCT ?(\d{10,14}N\d{1,3})(?!\d)"), "IRCT{0}"),
)
_DASHES = re.compile("[\u00ad\u2010-\u2015\u2212\ufe58\ufe63]")
_COMMA_IN_NUMBER = re.compile(r"(?<=\d),(?=\d{3})")
_SPACE_IN_NUMBER = re.compile(r"(?<=[A-Z\d]) +(?=\d)")


class RegistryIds(NamedTuple):
    """The registry numbers found in a text, in their order; `flag` says what could not be read, or was mended."""

    ids: tuple[str, ...]
    flag: str | None = None


@lru_cache(maxsize=1024)
def read_registry_ids(text: str | None) -> RegistryIds:
    """Find the registry numbers in a cell: `NCT 00544063`, `EudraCT No. 2010-019214-25`, `UMIN-CTR, UMIN 000009716`.

    Only numbers with the length their register gives out are read: a ClinicalTrials.gov number has eight digits,
    so `NCT0110429` is not one, and a number that names no register (`132071`) is none either. EU numbers are given
    bare, as other registers quote them (2005-002658-23).
    """
    if text is None or text.strip() in {"", "NA", "N/A"}:
        return RegistryIds(())
    shown = repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"
    if len(text) > _LONGEST:
        return RegistryIds((), f"{shown} is not a registry number; kept as reported")
    plain = _COMMA_IN_NUMBER.sub("", _DASHES.sub("-", " ".join(text.split()).upper()))
    plain = _SPACE_IN_NUMBER.sub("", plain)
    found: dict[int, str] = {}
    mended = False
    for pattern, form in _FORMS:
        for match in pattern.finditer(plain):
            number = form.format(*(group or "" for group in match.groups()))
            if match.start() not in found and number not in found.values():
                found[match.start()] = number
                mended = mended or (len(match.groups()) == 4 and match[2] == "")
    ids = tuple(found[start] for start in sorted(found))
    if not ids:
        return RegistryIds((), f"{shown} is not a registry number of a known form; kept as reported")
    return RegistryIds(ids, f"{shown} read as {', '.join(ids)}" if mended or "," in text else None)

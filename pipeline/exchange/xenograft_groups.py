"""Groups of animal studies, as tables name them: `veh`, `dose_0.3`, `palb_200+tem_22.5`, `DrugA 10 mg/kg`, `Contrôle`.

The doses stand in the name. A group is a control where its name says so, or where all its doses are 0.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.exchange.column_mapping_propose import fold
from pipeline.exchange.dataset_table import number, number_text
from pipeline.exchange.dose_units import read_unit
from pipeline.exchange.sdtm_study import is_inert
from pipeline.exchange.written_numbers import PLAIN, Habit, read_number

_CONTROLS_TEXT = """
veh vehic vehicle vehicule vehicles control controls ctrl ctl contr cntl untreated placebo pbs saline sham mock dmso
temoin temoins controle controles solvant excipient kontrolle vehikel nontreated nt utc vc nonetraite
"""
_CONTROLS = frozenset(_CONTROLS_TEXT.split())
_CONTROL_PHRASES = ("non traite", "no treatment", "not treated", "sans traitement", "groupe temoin", "unbehandelt")
_NUMBERED_TEXT = """
group groupe grp gr g arm bras cohort cohorte cage lot tx trt set gruppe day jour d n
"""
_NUMBERED = frozenset(_NUMBERED_TEXT.split())
"""Words before a number that is no dose."""
_BARE = frozenset(["dose", "doses", "dosage", "dosis", "level", "niveau", "dl"])
"""Words before a dose that name no treatment."""
_PARTS = re.compile(r"\s*(?:\+|&|;|\bplus\b|\bet\b|\band\b|\bwith\b|\bavec\b|\bund\b)\s*", re.IGNORECASE)
_DOSE = re.compile(
    r"(?P<name>.*?)[\s_:=@,(-]*(?<![\d.,A-Za-z])(?P<dose>\d+(?:[.,]\d+)?)[\s_]*"
    r"(?P<unit>m?g/kg(?:/[a-z]+)?|mpk|mg\s?kg-?1|[uµ]g/kg|mg/m2|mg|[uµ]g|ng|g/kg|nmol/kg|[uµ]mol/kg|[uµ]g/mouse|mg/mouse)?"
    r"(?P<rest>[\s_(),/A-Za-z0-9.x-]*)",
    re.IGNORECASE,
)
_JOINED = re.compile(r"(?<=[A-Za-z])(?=\d+(?:[.,]\d+)?\s*(?:mg|mpk|[uµ]g)\b)|_", re.IGNORECASE)


class GroupDose(NamedTuple):
    """What one part of a group's name says was given; name empty: the treatment under study."""

    name: str
    reported: str
    amount: float | None
    unit: str | None


class GroupName(NamedTuple):
    """What the name of a group says."""

    control: bool
    doses: tuple[GroupDose, ...]


def read_group(name: str, habit: Habit = PLAIN) -> GroupName:
    """Read the name of a group."""
    doses = tuple(found for part in _PARTS.split(name) if (found := _dose(part, habit)) is not None)
    given = [dose for dose in doses if dose.amount]
    folded = fold(name)
    says = (
        bool(_CONTROLS.intersection(folded.split()))
        or any(phrase in folded for phrase in _CONTROL_PHRASES)
        or is_inert(name)
    )
    return GroupName((says and not given) or (bool(doses) and not given), doses)


def _dose(part: str, habit: Habit) -> GroupDose | None:
    text = " ".join(_JOINED.sub(" ", part).split())
    found = _DOSE.fullmatch(text)
    if found is None:
        return None
    words = fold(found["name"]).split()
    unit = found["unit"]
    if unit is None and (not words or words[-1] in _NUMBERED):
        return None
    spelled = "mg/kg" if unit and unit.lower().replace(" ", "") in ("mpk", "mgkg-1", "mgkg1") else unit
    named = " ".join(word for word in found["name"].strip(" -_:,(").split() if fold(word) not in _BARE)
    amount = read_number(found["dose"], habit)
    value = amount.value if amount.either is None else amount.either[1]
    reported = found["dose"] if number(found["dose"]) is not None else number_text(value or 0.0)
    return GroupDose(named, reported, value, read_unit(spelled).code)

"""Who was studied: subjects (DM), trial sets and their parameters (TX), arms, and pools (POOLDEF)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from pipeline.exchange.dose_units import read_unit
from pipeline.exchange.reading import Duplicate, Place, Quarantined
from pipeline.exchange.sdtm_rows import Outcome, Rows, facts_of
from pipeline.exchange.sdtm_screening import screen
from pipeline.exchange.sdtm_study import StudyView, is_inert
from pipeline.exchange.study_facts import GroupFact, PoolFact, SubjectFact
from pipeline.exchange.written_numbers import read_number

_SCREENED = re.compile(r"screen\s*fail|scrnfail|\bscreened out\b|not (?:assigned|randomi[sz]ed)", re.IGNORECASE)
_LEVEL = re.compile(
    r"\b(?:dose[ -]?level|dose[ -]?group|dl|niveau(?: de dose)?|palier|cohorte?|dosisstufe)"
    r"(?: - | ?[#:] ?| |-|)([-\u2212]?\d{1,2})\b",
    re.IGNORECASE,
)
"""A dose level by its number. DL-1 is level 1, DL -1 the level below it: only what stands off is a minus."""
_RECOVERY = re.compile(r"(?<!non)(?<!non-)(?<!non )(?<!no )(?<!without )\brecovery", re.IGNORECASE)
_NOT_TK = re.compile(r"\bnon[- ]?tk\b|\bno tk\b|\bnone\b|\bmain\b", re.IGNORECASE)
_TK = re.compile(r"\btk\b|toxicokinetic|satellite", re.IGNORECASE)


@dataclass(slots=True)
class Head:
    """What is known of a study's people and groups before its records, and what became of the rows that say it."""

    groups: dict[str, GroupFact] = field(default_factory=dict)
    subjects: dict[str, SubjectFact] = field(default_factory=dict)
    pools: dict[str, PoolFact] = field(default_factory=dict)
    flags: list[Quarantined] = field(default_factory=list)


def read_subjects(rows: Rows, study: StudyView, head: Head) -> list[Outcome]:
    """Read demographics; an age of 0 in a study of dosed subjects is no age."""
    codes = rows.texts("USUBJID", "SUBJID")
    starts = rows.moments("RFSTDTC", "RFXSTDTC")
    ends = rows.moments("RFENDTC", "RFXENDTC")
    deaths = rows.moments("DTHDTC")
    planned, actual = rows.texts("ARM", "ARMCD"), rows.texts("ACTARM", "ACTARMCD", "ARM", "ARMCD")
    arm_codes = rows.texts("ACTARMCD", "ARMCD")
    ages = rows.numbers("AGE")
    sets = rows.texts("SETCD")
    failures = zip(planned, actual, arm_codes, rows.texts("ARMCD"), rows.texts("ARMNRS"), strict=True)
    outcomes = facts_of(
        SubjectFact,
        rows,
        {
            "code": [code or "" for code in codes],
            "species": [(name or study.species).lower() for name in rows.texts("SPECIES")],
            "strain": rows.texts("STRAIN"),
            "sex": rows.texts("SEX"),
            "age": [age or None for age in ages],
            "age_unit": rows.texts("AGEU"),
            "arm": actual,
            "arm_planned": planned,
            "group_code": [a or b for a, b in zip(sets, arm_codes, strict=True)],
            "dose_level": [_dose_level(*said) for said in zip(actual, arm_codes, rows.texts("COHORT"), strict=True)],
            "site": rows.texts("SITEID"),
            "reference_start": [start.text for start in starts],
            "reference_end": [end.text for end in ends],
            "died_on": [death.text for death in deaths],
            "screen_failure": [_screened_out(said) for said in failures],
        },
    )
    for at, (fact, age) in enumerate(zip(outcomes, ages, strict=True)):
        if age == 0 and isinstance(fact, SubjectFact):
            head.flags.append(Quarantined(fact.place, "AGE", "0", "an age of 0 is a placeholder and is left out"))
        elif age is not None and not 0 <= age < 1e6:
            outcomes[at] = Quarantined(rows.places()[at], "AGE", rows.texts("AGE")[at], "this is no age; correct it")
    dates = (("RFSTDTC", starts), ("RFENDTC", ends), ("DTHDTC", deaths))
    screen(outcomes, rows, study, topic="USUBJID", topics=codes, moments=dates)
    for fact, start in zip(outcomes, starts, strict=True):
        if isinstance(fact, SubjectFact) and start.hours is not None:
            study.reference_starts[fact.code] = start.hours // 24 * 24
    return outcomes


def _dose_level(*said: str | None) -> int | None:
    """Return the number of the dose level an arm names, where it names one and no other."""
    found = {int(number.replace("\u2212", "-")) for text in said if text for number in _LEVEL.findall(text)}
    return found.pop() if len(found) == 1 else None


def _screened_out(said: Iterable[str | None]) -> bool | None:
    words = [text for text in said if text]
    return any(_SCREENED.search(text) for text in words) if words else None


def name_groups(head: Head) -> None:
    """Make a group of each arm or set that subjects are in and no trial set tells of."""
    for subject in head.subjects.values():
        code, arm = subject.group_code, subject.arm
        if code and code not in head.groups and not subject.screen_failure:
            control = is_inert(arm or "") or None
            head.groups[code] = GroupFact(
                code, None, arm, None, None, None, control, None, None, "{}", subject.place, rows=0
            )


def read_sets(parts: Iterable[Rows], head: Head, arms: dict[str, str]) -> list[Quarantined | Duplicate]:
    """Read trial sets; each is told by a row per parameter. arms: label of each arm, by its code."""
    outcomes: list[Quarantined | Duplicate] = []
    told: dict[str, list[tuple[Place, str | None, str, str | None]]] = {}
    rows = (
        row
        for part in parts
        for row in zip(part.places(), *map(part.texts, ("SETCD", "SET", "TXPARMCD", "TXVAL")), strict=True)
    )
    for place, code, label, parameter, value in rows:
        if code is None or parameter is None:
            outcomes.append(Quarantined(place, "SETCD", None, "SETCD or TXPARMCD is empty; the row says nothing"))
            continue
        known = told.setdefault(code, [])
        same = next((k for k in known if k[2] == parameter), None)
        if same is not None and same[3] == value:
            outcomes.append(Duplicate(place, same[0]))
        elif same is not None and parameter in ("TRTDOS", "TRTDOSU", "ARMCD", "TCNTRL", "TKDESC"):
            why = f"set {code} has two values of {parameter}, {same[3]} (row {same[0].row}) and {value}; correct one"
            outcomes.append(Quarantined(place, "TXVAL", value, why))
        else:
            known.append((place, label, parameter, value))
    for code, said in told.items():
        head.groups[code] = _group(code, said, arms)
    return outcomes


def _group(code: str, said: list[tuple[Place, str | None, str, str | None]], arms: dict[str, str]) -> GroupFact:
    values: dict[str, list[str]] = {}
    for _, _, parameter, value in said:
        values.setdefault(parameter, []).append(value or "")
    one = {parameter: found[0] for parameter, found in values.items()}
    label = next((label for _, label, _, _ in said if label), None) or one.get("SETLBL")
    arm = arms.get(one.get("ARMCD", ""), one.get("ARMCD"))
    dose = read_number(one.get("TRTDOS")).value
    words = " / ".join(filter(None, (label, arm, one.get("GRPLBL"), one.get("SETLBL"))))
    described = one.get("TKDESC")
    control = bool(one.get("TCNTRL")) and one["TCNTRL"].casefold() not in ("none", "not applicable")
    satellite = not _NOT_TK.search(described) if described else bool(_TK.search(words)) and not _NOT_TK.search(words)
    parameters = {name: found[0] if len(found) == 1 else found for name, found in sorted(values.items())}
    return GroupFact(
        code,
        label,
        arm,
        one.get("TRTDOS"),
        dose,
        read_unit(one.get("TRTDOSU")).code,
        True if control or dose == 0 else None if dose is None else False,
        satellite,
        bool(_RECOVERY.search(words)),
        orjson.dumps(parameters).decode(),
        said[0][0],
        len(said),
    )


def read_pools(parts: Iterable[Rows], study: StudyView, head: Head) -> list[Quarantined | Duplicate]:
    """Read which subjects were pooled."""
    outcomes: list[Quarantined | Duplicate] = []
    members: dict[str, dict[str, Place]] = {}
    rows = (
        row for part in parts for row in zip(part.places(), part.texts("POOLID"), part.texts("USUBJID"), strict=True)
    )
    for place, pool, subject in rows:
        if pool is None or subject is None or study.identifying(subject):
            why = "the row needs a POOLID and the pseudonym of a subject in USUBJID"
            outcomes.append(Quarantined(place, "POOLID", pool, why))
        elif subject in members.setdefault(pool, {}):
            outcomes.append(Duplicate(place, members[pool][subject]))
        else:
            members[pool][subject] = place
    for pool, found in members.items():
        if found:
            first = next(iter(found.values()))
            listed = orjson.dumps(sorted(found)).decode()
            head.pools[pool] = PoolFact(pool, listed, first, len(found))
    return outcomes

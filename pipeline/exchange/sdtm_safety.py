"""Adverse events (AE), dispositions (DS) and what pathologists see (MI, MA and the like) of SDTM and SEND."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from pipeline.exchange.grades import read_grade
from pipeline.exchange.moments import Moment
from pipeline.exchange.sdtm_rows import Outcome, Rows, facts_of
from pipeline.exchange.sdtm_screening import flagged, notes_of, screen
from pipeline.exchange.sdtm_study import StudyView
from pipeline.exchange.sdtm_values import read_values
from pipeline.exchange.study_facts import AdverseEventFact, DispositionFact, FindingFact, HeldFact

_YES = {"Y": True, "YES": True, "O": True, "OUI": True, "1": True, "TRUE": True}
_NO = {"N": False, "NO": False, "NON": False, "0": False, "FALSE": False}
SEVERITY_RANKS = {
    **dict.fromkeys(("MINIMAL", "MINIME", "VERY SLIGHT", "1 OF 5", "1", "GRADE 1"), 1),
    **dict.fromkeys(("MILD", "SLIGHT", "LEGER", "LEGERE", "2 OF 5", "2", "GRADE 2"), 2),
    **dict.fromkeys(("MODERATE", "MODERE", "MODEREE", "3 OF 5", "3", "GRADE 3"), 3),
    **dict.fromkeys(("MARKED", "MODERATELY SEVERE", "MARQUE", "MARQUEE", "4 OF 5", "4", "GRADE 4"), 4),
    **dict.fromkeys(("SEVERE", "MASSIVE", "5 OF 5", "5", "GRADE 5"), 5),
}
"""Verbal severities of pathology in their order; they are no toxicity grades."""


def yes_or_no(text: str | None) -> bool | None:
    """Read Y or N; None for anything else."""
    plain = (text or "").strip().upper()
    return _YES.get(plain, _NO.get(plain))


def _folded(text: str | None) -> str:
    decomposed = unicodedata.normalize("NFKD", text or "")
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).upper().split())


def read_events(rows: Rows, study: StudyView) -> list[Outcome]:
    """Read adverse events. A verbal severity (MILD) is kept and is no CTCAE grade."""
    terms, subjects, sequences = rows.texts("AETERM", "AEDECOD"), rows.texts("USUBJID", "SUBJID"), rows.texts("AESEQ")
    starts = rows.moments("AESTDTC")
    ends = rows.moments("AEENDTC")
    severities = rows.texts("AESEV")
    # Some write the grade where the severity belongs; a bare word is never one.
    graded = [
        grade or (severity if severity and any(c.isdigit() for c in severity) else None)
        for grade, severity in zip(rows.texts("AETOXGR"), severities, strict=True)
    ]
    grades = [read_grade(text) for text in graded]
    ongoing = [
        relative or ("ONGOING" if mark in ("Y", "ONGOING") else None)
        for relative, mark in zip(rows.texts("AEENRTPT", "AEENRF"), rows.texts("AEONGO"), strict=True)
    ]
    dlt = [
        yes_or_no(mark) is True or (subject or "", sequence or "") in study.limiting
        for mark, subject, sequence in zip(rows.texts("AEDLT", "AEDLTFL", "DLTFL"), subjects, sequences, strict=True)
    ]
    serious = [
        yes_or_no(mark) if yes_or_no(mark) is not None else (True if "Y" in whys else None)
        for mark, whys in zip(
            rows.texts("AESER"),
            rows.tuples(("AESDTH", "AESHOSP", "AESLIFE", "AESDISAB", "AESCONG", "AESMIE")),
            strict=True,
        )
    ]
    outcomes = facts_of(
        AdverseEventFact,
        rows,
        {
            "subject": subjects,
            "sequence": sequences,
            "term": [term or "" for term in terms],
            "coded_term": rows.texts("AEDECOD"),
            "organ_class": rows.texts("AEBODSYS", "AESOC"),
            "grade_reported": graded,
            "grade": [grade.low if grade.low == grade.high else None for grade in grades],
            "severity": severities,
            "serious": serious,
            "dlt": dlt,
            "relatedness": rows.texts("AEREL"),
            "action": rows.texts("AEACN"),
            "outcome": rows.texts("AEOUT"),
            "started_on": [start.text for start in starts],
            "ended_on": [end.text for end in ends],
            "ongoing": ongoing,
            "started_day": rows.numbers("AESTDY"),
            "ended_day": rows.numbers("AEENDY"),
            "sorted_on": [start.sorted_on for start in starts],
            "flag": flagged(
                [grade.flag or (None if grade.low == grade.high else "more than one grade") for grade in grades],
                notes_of(starts, ends),
            ),
        },
    )
    for at, (fact, start, end) in enumerate(zip(outcomes, starts, ends, strict=True)):
        if isinstance(fact, AdverseEventFact) and ends_before(start, end):
            why = f"the event ends before it begins ({start.text})"
            outcomes[at] = HeldFact(fact._replace(ended_on=None), "AEENDTC", end.text, "no end", why, "ended_on")
    dates = (("AESTDTC", starts), ("AEENDTC", ends))
    return screen(outcomes, rows, study, topic="AETERM", topics=terms, moments=dates)


def ends_before(start: Moment, end: Moment) -> bool:
    """Whether an end lies before its start, as far as both are known."""
    if start.text is None or end.text is None:
        return False
    known = min(len(start.text), len(end.text), 10)
    return end.text[:known] < start.text[:known]


def read_dispositions(rows: Rows, study: StudyView) -> list[Outcome]:
    """Read how subjects went on."""
    terms, reported = rows.texts("DSDECOD", "DSTERM"), rows.texts("DSTERM", "DSDECOD")
    moments = rows.moments("DSSTDTC", "DSDTC")
    outcomes = facts_of(
        DispositionFact,
        rows,
        {
            "subject": rows.texts("USUBJID", "SUBJID"),
            "sequence": rows.texts("DSSEQ"),
            "category": rows.texts("DSCAT"),
            "term_reported": [a or b or "" for a, b in zip(reported, terms, strict=True)],
            "term": terms,
            "happened_on": [moment.text for moment in moments],
            "day": rows.numbers("DSSTDY", "VISITDY"),
            "sorted_on": [moment.sorted_on for moment in moments],
        },
    )
    said = [a or b for a, b in zip(reported, terms, strict=True)]
    return screen(outcomes, rows, study, topic="DSTERM", topics=said, moments=(("DSSTDTC", moments),))


def read_findings(rows: Rows, study: StudyView, prefix: str) -> list[Outcome]:
    """Read what was seen in organs and animals."""
    tests = rows.texts(f"{prefix}TESTCD")
    values = read_values(rows, prefix)
    moments = rows.moments(f"{prefix}DTC")
    severities = rows.texts(f"{prefix}SEV")
    outcomes = facts_of(
        FindingFact,
        rows,
        {
            "subject": rows.texts("USUBJID", "SUBJID"),
            "sequence": rows.texts(f"{prefix}SEQ"),
            "domain": [prefix] * len(rows),
            "test": [test or "" for test in tests],
            "organ": rows.texts(f"{prefix}SPEC", f"{prefix}LOC"),
            "organ_class": rows.texts(f"{prefix}BODSYS", f"{prefix}RESCAT", f"{prefix}CAT"),
            "reported": values.reported,
            "severity_reported": severities,
            "severity_rank": _ranks(severities),
            "day": rows.numbers(f"{prefix}DY", "VISITDY"),
            "found_on": [moment.text for moment in moments],
            "sorted_on": [moment.sorted_on for moment in moments],
            "not_done": values.not_done,
            "flag": flagged(notes_of(moments), _unranked(severities)),
        },
    )
    dates = ((f"{prefix}DTC", moments),)
    return screen(outcomes, rows, study, topic=f"{prefix}TESTCD", topics=tests, moments=dates)


def _ranks(severities: Sequence[str | None]) -> list[int | None]:
    known = {text: SEVERITY_RANKS.get(_folded(text)) for text in set(severities)}
    return [known[text] for text in severities]


def _unranked(severities: Sequence[str | None]) -> list[str | None]:
    known = {text: SEVERITY_RANKS.get(_folded(text)) for text in set(severities)}
    return [
        f"severity {text!r} has no place in the order" if text and known[text] is None else None for text in severities
    ]

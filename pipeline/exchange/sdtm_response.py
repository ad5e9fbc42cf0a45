"""Tumours (TU, TR), responses (RS) and body weights (BW) of SDTM and SEND."""

from __future__ import annotations

from pipeline.exchange.sdtm_rows import Outcome, Rows, facts_of
from pipeline.exchange.sdtm_screening import flagged, notes_of, screen
from pipeline.exchange.sdtm_study import StudyView
from pipeline.exchange.sdtm_values import hold_ambiguous, read_values
from pipeline.exchange.study_facts import MeasurementFact, ResponseFact

UNSPECIFIED = "UNSPECIFIED"
_RESPONSES = {
    **{code: code for code in ("CR", "PR", "SD", "PD", "NE", "NED", "NON-CR/NON-PD", "MR", "SCR", "VGPR")},
    **{code.upper(): code for code in ("iCR", "iPR", "iSD", "iUPD", "iCPD")},
    **{"COMPLETE RESPONSE": "CR", "PARTIAL RESPONSE": "PR", "STABLE DISEASE": "SD", "PROGRESSIVE DISEASE": "PD"},
    **{"NOT EVALUABLE": "NE", "INEVALUABLE": "NE", "NON-CR NON-PD": "NON-CR/NON-PD", "NONCR/NONPD": "NON-CR/NON-PD"},
    **{"REPONSE COMPLETE": "CR", "RÉPONSE COMPLÈTE": "CR", "RÉPONSE PARTIELLE": "PR", "MALADIE STABLE": "SD"},
    **{"PROGRESSION": "PD", "NON ÉVALUABLE": "NE"},
}


def read_measurements(rows: Rows, study: StudyView, prefix: str) -> list[Outcome]:
    """Read lesions and what was measured of them, or weights."""
    tests = rows.texts(f"{prefix}TESTCD")
    values = read_values(rows, prefix)
    moments = rows.moments(f"{prefix}DTC")
    identified = prefix == "TU"
    outcomes = facts_of(
        MeasurementFact,
        rows,
        {
            "subject": rows.texts("USUBJID", "SUBJID"),
            "sequence": rows.texts(f"{prefix}SEQ"),
            "what": [test or "" for test in tests],
            "lesion": rows.texts(f"{prefix}LNKID", f"{prefix}LINKID"),
            "lesion_kind": values.words if identified else rows.texts(f"{prefix}GRPID", f"{prefix}LNKGRP"),
            "location": rows.texts(f"{prefix}LOC"),
            "method": rows.texts(f"{prefix}METHOD"),
            "reported": values.reported,
            "reported_unit": values.reported_unit,
            "value": values.value,
            "unit": values.unit,
            "finding": values.words,
            "assessor": _assessors(rows, prefix),
            "accepted": _accepted(rows, prefix),
            "not_done": values.not_done,
            "visit": rows.texts("VISIT", "VISITNUM"),
            "day": rows.numbers(f"{prefix}DY", "VISITDY"),
            "measured_at": [moment.text for moment in moments],
            "sorted_on": [moment.sorted_on for moment in moments],
            "flag": flagged(values.flag, notes_of(moments), _excluded(rows, prefix)),
        },
    )
    hold_ambiguous(outcomes, prefix, values.either)
    dates = ((f"{prefix}DTC", moments),)
    return screen(outcomes, rows, study, topic=f"{prefix}TESTCD", topics=tests, moments=dates)


def read_responses(rows: Rows, study: StudyView) -> list[Outcome]:
    """Read responses, each by its assessor; RSACPTFL marks the one that counts."""
    tests = rows.texts("RSTESTCD")
    moments = rows.moments("RSDTC")
    reported, standard = rows.texts("RSORRES"), rows.texts("RSSTRESC", "RSORRES")
    read = [_RESPONSES.get((a or b or "").strip().upper()) for a, b in zip(standard, reported, strict=True)]
    unread = [
        f"{a or b} is no response as known here" if response is None and (a or b) else None
        for response, a, b in zip(read, standard, reported, strict=True)
    ]
    outcomes = facts_of(
        ResponseFact,
        rows,
        {
            "subject": rows.texts("USUBJID", "SUBJID"),
            "sequence": rows.texts("RSSEQ"),
            "criteria": [category or UNSPECIFIED for category in rows.texts("RSCAT")],
            "test": tests,
            "reported": reported,
            "response": read,
            "assessor": _assessors(rows, "RS"),
            "accepted": _accepted(rows, "RS"),
            "visit": rows.texts("VISIT", "VISITNUM"),
            "day": rows.numbers("RSDY", "VISITDY"),
            "assessed_on": [moment.text for moment in moments],
            "sorted_on": [moment.sorted_on for moment in moments],
            "flag": flagged(notes_of(moments), unread),
        },
    )
    return screen(outcomes, rows, study, topic="RSTESTCD", topics=tests, moments=(("RSDTC", moments),))


def _assessors(rows: Rows, prefix: str) -> list[str | None]:
    """Return who assessed: the kind of evaluator, and which one of several."""
    return [
        f"{kind} / {which}" if kind and which else kind or which
        for kind, which in zip(rows.texts(f"{prefix}EVAL"), rows.texts(f"{prefix}EVALID"), strict=True)
    ]


def _accepted(rows: Rows, prefix: str) -> list[bool | None]:
    """Return whether an assessment is the accepted one; None where nobody chose between several."""
    return [
        True if mark == "Y" else False if which is not None and rows.has(f"{prefix}ACPTFL") else None
        for mark, which in zip(rows.texts(f"{prefix}ACPTFL"), rows.texts(f"{prefix}EVALID"), strict=True)
    ]


def _excluded(rows: Rows, prefix: str) -> list[str | None]:
    return [
        f"left out by the source: {why or 'no reason given'}" if mark == "Y" else None
        for mark, why in zip(rows.texts(f"{prefix}EXCLFL"), rows.texts(f"{prefix}REASEX"), strict=True)
    ]

"""What SDTM says beside records: supplemental qualifiers (SUPP--) and relations between records (RELREC)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from pipeline.exchange.dataset_table import number, number_text
from pipeline.exchange.reading import Place, Quarantined
from pipeline.exchange.sdtm_rows import Outcome, Rows
from pipeline.exchange.sdtm_safety import yes_or_no
from pipeline.exchange.sdtm_study import StudyView, personal
from pipeline.exchange.study_facts import QualifierFact, RecordLinkFact, Related

_EXCLUSION = re.compile(r"EXCL|EXCLU|REASEX")
_LIMITING = re.compile(r"DLT")
_Text = str | None
_Supplement = tuple[Place, _Text, _Text, _Text, _Text, _Text, _Text, _Text, _Text, _Text]


def sequence_text(text: str | None) -> str | None:
    """Return a sequence number as every domain writes it: 6 for 6.0 and for 06."""
    figure = number(text)
    return text if figure is None else number_text(figure)


def read_qualifiers(rows: Rows, study: StudyView) -> list[Outcome]:
    """Read supplemental qualifiers."""
    refused = study.refused(rows.texts("USUBJID"))
    outcomes: list[Outcome] = []
    for place, domain, subject, pool, variable, value, name, label, said, origin in _supplements(rows):
        if (subject or "") in refused:
            outcomes.append(personal(place, refused[subject or ""]))
        elif domain is None or name is None:
            outcomes.append(Quarantined(place, "QNAM", name, "RDOMAIN or QNAM is empty; the row belongs to nothing"))
        else:
            of = Related(domain, subject, pool, _sequence(variable, value))
            outcomes.append(QualifierFact(of, name, label, said, origin, place))
    return outcomes


def note_exclusions(rows: Rows, study: StudyView) -> None:
    """Note the records a source leaves out of its summaries, and the events it calls dose-limiting."""
    for _, domain, subject, pool, variable, value, name, label, said, _ in _supplements(rows):
        sequence = _sequence(variable, value)
        if domain is None or name is None or sequence is None or yes_or_no(said) is False or not said:
            continue
        who = subject or pool or ""
        if domain in ("PP", "PC") and _EXCLUSION.search(name.upper()):
            study.exclusions[domain, who, sequence] = (label or name) if yes_or_no(said) else said
        elif domain == "AE" and _LIMITING.search(name.upper()) and yes_or_no(said):
            study.limiting.add((who, sequence))


def _supplements(rows: Rows) -> Iterator[_Supplement]:
    return zip(
        rows.places(),
        rows.texts("RDOMAIN"),
        rows.texts("USUBJID"),
        rows.texts("POOLID"),
        rows.texts("IDVAR"),
        rows.texts("IDVARVAL"),
        rows.texts("QNAM"),
        rows.texts("QLABEL"),
        rows.texts("QVAL"),
        rows.texts("QORIG"),
        strict=True,
    )


def _sequence(variable: str | None, value: str | None) -> str | None:
    return sequence_text(value) if variable is not None and variable.upper().endswith("SEQ") else None


def read_links(rows: Rows, study: StudyView) -> list[Outcome]:
    """Read relations; rows of one RELID belong together."""
    refused = study.refused(rows.texts("USUBJID"))
    outcomes: list[Outcome] = []
    for place, domain, subject, pool, variable, value, kind, relation in zip(
        rows.places(),
        rows.texts("RDOMAIN"),
        rows.texts("USUBJID"),
        rows.texts("POOLID"),
        rows.texts("IDVAR"),
        rows.texts("IDVARVAL"),
        rows.texts("RELTYPE"),
        rows.texts("RELID"),
        strict=True,
    ):
        if (subject or "") in refused:
            outcomes.append(personal(place, refused[subject or ""]))
        elif domain is None or relation is None:
            outcomes.append(Quarantined(place, "RELID", relation, "RDOMAIN or RELID is empty; the row relates nothing"))
        else:
            said = {"variable": variable, "value": value, "kind": kind, "subject": subject, "pool": pool}
            reported = orjson.dumps({name: text for name, text in said.items() if text is not None}).decode()
            of = Related(domain, subject, pool, _sequence(variable, value))
            outcomes.append(RecordLinkFact(of, f"{subject or pool or ''}/{relation}".lstrip("/"), reported, place))
    return outcomes

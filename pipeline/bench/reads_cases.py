"""What is asked when reads are measured: five documents, and the variables they are asked with in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection, func, select

from pipeline.bench.generate_rows import OF_A_HUNDRED, code_of, programmes_before, study_code
from pipeline.errors import InputError
from pipeline.store import tables
from pipeline.store.paging import MOST, encode

BOARD, RECORDS = min(1000, MOST), min(1000, MOST)
"""Rows of one page of a board and of the records of a study: a thousand, or what a page may hold."""
DEEP_PAGE, DEEP_SIZE = 10_000, 10
TWENTY = 20
_VARIED = 60  # different sets of variables of a case

_EVERYTHING = """
fragment Everything on Molecule {
  id code name modality molarMass targets
  synonyms { name source }
  programmes {
    id indication diseaseGroup biomarker status stageSince
    stage { code name ordinal }
    transitions {
      id kind status occurredOn reason reasonVerbatim recordedAt actor
      from { code name } to { code name }
      checkpoint { id verdict explanation }
    }
    checkpoints(first: 25) {
      nodes { id kind stage recommendation verdict statistic threshold explanation assessedOn decidedBy }
    }
  }
  studies(first: 25) {
    nodes {
      id code title phases registryId status startedOn enrolment
      doseLevels { arm ordinal label treated withDltAtLeast withDltAtMost doses { molecule amount unit } }
    }
  }
  monitoring(first: 25) { nodes { ...Measured } pageInfo { hasNextPage endCursor } }
}
"""
_MEASURED = """
fragment Measured on MonitoringRecord {
  id analyte specimen profile sampledAt hoursAfterDose nominalTime reported reportedUnit concentration unit lowerLimit
  belowLimit state
  subject { id code }
}
"""
_BOARD = """
query Board($first: Int!, $after: String) {
  programmes(first: $first, after: $after) {
    nodes {
      id indication status stageSince
      stage { code name }
      molecule { code name }
      transitions { kind occurredOn to { code } }
      checkpoints(first: 5, open: true) { nodes { id kind stage assessedOn } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_RECORDS = """
query Records($study: String!, $analyte: String!, $from: DateTime!, $to: DateTime!, $first: Int!, $after: String) {
  study(code: $study) {
    code
    monitoring(analyte: $analyte, sampledFrom: $from, sampledTo: $to, first: $first, after: $after) {
      nodes { ...Measured }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
_DEEP = """
query Deep($first: Int!, $after: String) {
  molecules(first: $first, after: $after) {
    edges { cursor node { id code name modality molarMass } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}
"""

DOCUMENTS: dict[str, str] = {
    "One": "query One($code: String!) { molecule(code: $code) { ...Everything } }" + _EVERYTHING + _MEASURED,
    "Twenty": "query Twenty($codes: [String!]!) { moleculesByCode(codes: $codes) { ...Everything } }"
    + _EVERYTHING
    + _MEASURED,
    "Board": _BOARD,
    "Records": _RECORDS + _MEASURED,
    "Deep": _DEEP,
}
"""The documents by the names of their operations."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its letter, what it reads, the document's name and the variables, one set for each request in turn."""

    letter: str
    what: str
    name: str
    variables: Sequence[Mapping[str, Any]]


def cases_of(connection: Connection, *, seed: int = 1) -> dict[str, Case]:
    """Return the cases by letter, for the generated molecules on record.

    Raises:
        InputError: there are too few to ask for anything twice.
    """
    molecules = int(connection.execute(select(func.max(tables.molecules.c.id))).scalar() or 0)
    if molecules < TWENTY or _started(connection, study_code(1)) is None:
        raise InputError(
            f"reads are measured on at least {TWENTY} generated molecules; make them with `moltrail bench generate`"
        )
    random = Random(seed)  # noqa: S311 - the same every time
    codes = [code_of(random.randint(1, molecules)) for _ in range(_VARIED)]
    twenties = [[code_of(n) for n in random.sample(range(1, molecules + 1), TWENTY)] for _ in range(_VARIED)]
    programmes = programmes_before(molecules + 1)
    boards = [random.randrange(max(1, programmes - BOARD)) for _ in range(_VARIED)]
    large = [random.randrange(1, molecules + 1, OF_A_HUNDRED) for _ in range(_VARIED)]
    page = min(DEEP_PAGE, max(2, molecules // DEEP_SIZE))
    past = (page - 1) * DEEP_SIZE
    found = (
        Case("a", "one molecule with everything below it", "One", [{"code": code} for code in codes]),
        Case("b", "twenty such molecules", "Twenty", [{"codes": some} for some in twenties]),
        Case(
            "c",
            f"a board of {BOARD} programmes",
            "Board",
            [{"first": BOARD, "after": encode([after]) if after else None} for after in boards],
        ),
        Case(
            "d",
            f"{RECORDS} monitoring records of a study, by analyte and time",
            "Records",
            [_records(study_code(n), _started(connection, study_code(n))) for n in large],
        ),
        Case(
            "e",
            f"page {page:,} of all molecules",
            "Deep",
            [{"first": DEEP_SIZE, "after": encode([code_of(past), past])}],
        ),
        Case("f", "the first page of all molecules", "Deep", [{"first": DEEP_SIZE, "after": None}]),
    )
    return {case.letter: case for case in found}


def _started(connection: Connection, code: str) -> str | None:
    studies = tables.studies
    started: str | None = connection.execute(select(studies.c.started_from).where(studies.c.code == code)).scalar()
    return started


def _records(study: str, started: str | None) -> dict[str, Any]:
    begun = date.fromisoformat(started or "")
    since, until = (f"{(begun + timedelta(days=days)).isoformat()}T00:00:00Z" for days in (14, 70))
    return {"study": study, "analyte": "parent", "from": since, "to": until, "first": RECORDS, "after": None}

"""The API of a centre, on each engine: `api`, which runs a document and gives back its data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from graphql import ExecutionResult
from sqlalchemy import func, select

from pipeline.access import Actor, Role
from pipeline.centre import Centre
from pipeline.store.tables import acts
from schema import SCHEMA
from schema.context import request
from schema.execution import PlannedContext

LEAD = Actor.of("A. Lead", Role.LEAD)


@dataclass(slots=True)
class Api:
    """Runs documents against a centre, as an actor."""

    centre: Centre = field(repr=False)  # its graphs are long
    actor: Actor = LEAD

    def __call__(self, document: str, *, as_: Actor | None = None, **variables: Any) -> dict[str, Any]:
        """Return the data of a document that must have no errors."""
        result = self.result(document, as_=as_, **variables)
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data

    def result(self, document: str, *, as_: Actor | None = None, plain: bool = False, **variables: Any) -> Any:
        """Return the whole result, as it is served; `plain`: by the plain executor."""
        with request(self.centre, as_ or self.actor) as context:
            context.plain = plain
            found = SCHEMA.execute(
                document, context=context, variables=variables, execution_context_class=PlannedContext
            )
            return ExecutionResult(orjson.loads(orjson.dumps(found.data)), found.errors)

    def acts(self) -> int:
        """Return how many acts there are."""
        with self.centre.database.read() as connection:
            return connection.execute(select(func.count()).select_from(acts)).scalar_one()

    # ------------------------------------------------------------ what many tests begin with

    def molecule(self, code: str = "IUCT-0001", name: str | None = None, **more: Any) -> dict[str, Any]:
        """Register a molecule and return it."""
        content = {"code": code, "name": name or f"Molecule {code}", "modality": "SMALL_MOLECULE"} | more
        answer = self(REGISTER, input=content)["registerMolecule"]
        assert answer["errors"] == [], answer
        found: dict[str, Any] = answer["molecule"]
        return found

    def checkpoint(self, programme: str, rule: str, verdict: str = "GO") -> dict[str, Any]:
        """Record a checkpoint decision."""
        content = {"programme": programme, "rule": rule, "verdict": verdict, "explanation": "decided by the committee"}
        answer: dict[str, Any] = self(RECORD, input=content)["recordCheckpoint"]
        assert answer["errors"] == [], answer
        return answer

    def move(self, programme: str, kind: str, version: int, **more: Any) -> dict[str, Any]:
        """Try to move a programme and return the payload."""
        content = {"programme": programme, "kind": kind, "expectedVersion": version} | more
        answer: dict[str, Any] = self(MOVE, input=content)["moveProgramme"]
        return answer


REGISTER = """
mutation Register($input: RegisterMoleculeInput!) {
  registerMolecule(input: $input) {
    molecule {
      id code name version modality molarMass inchiKey synonyms { name source } targets
      furthestStage { code } activeStage { code }
      programmes { id version stage { code } status indication }
    }
    errors { __typename code message path ... on Conflict { existing { id } } }
  }
}
"""
RECORD = """
mutation Record($input: RecordCheckpointInput!) {
  recordCheckpoint(input: $input) { checkpoint { id verdict rule { code } } errors { code message path } }
}
"""
MOVE = """
mutation Move($input: MoveProgrammeInput!) {
  moveProgramme(input: $input) {
    programme { id version stage { code } status stageSince stageSinceReported }
    transition { id kind from { code } to { code } occurredOn reason reasonVerbatim }
    errors {
      __typename code message path
      ... on CheckpointNotMet { unmet { criterion required found explanation } }
      ... on StaleVersion { currentVersion }
      ... on NotPermitted { permission }
    }
  }
}
"""


@pytest.fixture
def api(centre: Centre) -> Api:
    """The API of the centre, used by a lead."""
    return Api(centre)

"""A study that gives one molecule, and the acts of the pharmacology unit on its concentrations, over GraphQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.access import Actor, Role
from pipeline.centre import SYSTEM, Centre
from pipeline.store.journal import Act
from pipeline.store.tables import studies, study_molecules
from schema.node import global_id, id_of

if TYPE_CHECKING:
    from tests.graphql.conftest import Api

ANA = Actor.of("Ana", Role.PHARMACOLOGY)
BEN = Actor.of("Ben", Role.PHARMACOLOGY)

LOG = """
mutation Log($input: LogMonitoringInput!) {
  logMonitoring(input: $input) {
    records {
      id reported reportedUnit concentration unit belowLimit lowerLimit hoursAfterDose timeSource sampledAt nominalTime
      state version recordedBy flag retestOf { id } subject { code species erased opposedToReuse }
    }
    errors {
      __typename code message path
      ... on RowError { row column value }
      ... on NotPermitted { permission }
    }
  }
}
"""
_STATE = """
mutation State($input: SetMonitoringStateInput!) {
  setMonitoringState(input: $input) { record { state verifiedBy version } errors { message path } }
}
"""
_RECORDS = """
query R($id: ID!) { node(id: $id) { ... on Study { monitoring(first: 100) { nodes {
  id reported state retestOf { id } exclusion { scope } version
} } } } }
"""


def add_study(centre: Centre, molecule_id: int, code: str = "ST-1", **more: Any) -> int:
    """Put a study that gives a molecule on record, and return its id."""

    def write(act: Act) -> dict[str, int]:
        row = {"code": code, "title": f"Study {code}", "phases": '["1"]', "status": "ACTIVE"} | more
        study = act.add(studies, row)
        act.add(study_molecules, {"study_id": study, "source_id": 1, "molecule_id": molecule_id, "name": "given"})
        return {"study": study}

    recorded = centre.journal.perform("AddStudy", write, actor=SYSTEM, now=datetime.now(UTC))
    return int(recorded.result["study"])


@dataclass(slots=True)
class Monitored:
    """One molecule (IUCT-0001) given in one study (ST-1)."""

    api: Api
    molecule: str
    study: str

    def record(self, reported: str, **more: Any) -> dict[str, Any]:
        """Return one record as input; of subject S-001 where nothing else is said."""
        given = {"molecule": self.molecule, "study": self.study, "subject": "S-001", "analyte": "IUCT-0001"}
        return given | {"specimen": "PLASMA", "reported": reported, "unit": "ng/mL"} | more

    def log(self, *records: dict[str, Any], key: str | None = None, as_: Actor = ANA) -> dict[str, Any]:
        """Log records and return the payload."""
        content = {"records": list(records)} | ({} if key is None else {"idempotencyKey": key})
        answer: dict[str, Any] = self.api(LOG, as_=as_, input=content)["logMonitoring"]
        return answer

    def state(self, record: str, state: str, as_: Actor = BEN) -> dict[str, Any]:
        """Set the state of a record and return the payload."""
        content = {"record": record, "state": state, "reason": "looked at"}
        answer: dict[str, Any] = self.api(_STATE, as_=as_, input=content)["setMonitoringState"]
        return answer

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the study."""
        found: list[dict[str, Any]] = self.api(_RECORDS, as_=ANA, id=self.study)["node"]["monitoring"]["nodes"]
        return found


def monitored(api: Api) -> Monitored:
    """Register the molecule and put the study on record."""
    molecule = api.molecule()["id"]
    study = add_study(api.centre, id_of(molecule, "Molecule"))
    return Monitored(api, molecule, global_id("Study", study))

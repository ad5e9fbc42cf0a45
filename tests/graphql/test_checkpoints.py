"""Decisions taken elsewhere: when they count."""

from __future__ import annotations

from tests.graphql.conftest import RECORD, Api

SEEN = """
query Seen($id: ID!, $asOf: DateTime) {
  molecule(id: $id, asOf: $asOf) { checkpoints { nodes { rule { code } verdict assessedOn } } }
}
"""


def test_a_decision_counts_from_the_day_it_was_taken(api: Api):
    molecule = api.molecule()
    programme = molecule["programmes"][0]["id"]
    start = {"to": "PHASE_1", "reasonVerbatim": "began elsewhere", "occurredOn": "2013-07"}
    assert api.move(programme, "CORRECT", 1, **start)["errors"] == []
    content = {"programme": programme, "rule": "DOSE_LIMITING_TOXICITY", "explanation": "decided by the committee"}
    for verdict, decided_on in (("HOLD", "2014-02"), ("GO", "2014-03-20"), ("GO", None)):
        said = {} if decided_on is None else {"decidedOn": decided_on}
        assert api(RECORD, input=content | {"verdict": verdict} | said)["recordCheckpoint"]["errors"] == []

    def seen(day: str) -> list[tuple[str, str]]:
        found = api(SEEN, id=molecule["id"], asOf=f"{day}T12:00:00Z")["molecule"]["checkpoints"]["nodes"]
        return [(checkpoint["verdict"], checkpoint["assessedOn"][:10]) for checkpoint in found]

    assert seen("2014-02-27") == []  # in February, but perhaps later in February
    assert seen("2014-02-28") == [("HOLD", "2014-02-28")]
    assert seen("2014-03-20") == [("HOLD", "2014-02-28"), ("GO", "2014-03-20")]
    assert len(seen("2100-01-01")) == 3

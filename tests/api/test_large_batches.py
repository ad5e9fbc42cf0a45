"""Ten thousand concentrations in one request: for who may log them, and for nobody else."""

from __future__ import annotations

import httpx2
import pytest

from api.running import service_of
from api.settings import Mode, Settings
from pipeline.access import Role
from pipeline.centre import SYSTEM, Centre
from pipeline.commands.molecules import RegisterMolecule
from pipeline.commands.tokens import CreateToken, hash_of, new_token
from pipeline.words import Modality
from schema.node import global_id
from tests.api.conftest import serving
from tests.support.monitored import add_study

LOG = "mutation L($input: LogMonitoringInput!) { logMonitoring(input: $input) { records { id } errors { message } } }"


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    """The address of a server, a record to repeat, and a token for each of two roles."""
    tokens = {role: new_token() for role in (Role.PHARMACOLOGY, Role.RESEARCHER)}
    with Centre.open(tmp_path_factory.mktemp("centre")) as centre:
        for role, token in tokens.items():
            centre.execute(CreateToken(role.value, (role,), hash_of(token)), actor=SYSTEM)
        made = centre.execute(RegisterMolecule("M-1", "Molecule 1", Modality.UNKNOWN), actor=SYSTEM).result["molecule"]
        study = add_study(centre, made)
        record = {"molecule": global_id("Molecule", made), "study": global_id("Study", study), "specimen": "PLASMA"}
        with serving(Settings(mode=Mode.TOKEN), service_of(centre)) as address:
            yield f"http://{address}/graphql", record | {"analyte": "M-1", "unit": "ng/mL", "lowerLimit": 0.5}, tokens


def send(unit, role, count):
    address, record, tokens = unit
    records = [
        record | {"subject": f"S-{n % 500:03d}", "hoursAfterDose": n // 500, "day": 1, "reported": f"{n / 10:g}"}
        for n in range(count)
    ]
    body = {"query": LOG, "variables": {"input": {"records": records, "idempotencyKey": f"{role}-{count}"}}}
    return httpx2.post(address, json=body, headers={"Authorization": f"Bearer {tokens[role]}"}, timeout=60)


def test_ten_thousand_records_are_logged_in_one_request(unit):
    answer = send(unit, Role.PHARMACOLOGY, 10_000).json()["data"]["logMonitoring"]
    assert answer["errors"] == []
    assert len({record["id"] for record in answer["records"]}) == 10_000


def test_more_are_refused_in_a_sentence(unit):
    [error] = send(unit, Role.PHARMACOLOGY, 10_001).json()["data"]["logMonitoring"]["errors"]
    assert "1 to 10,000" in error["message"]
    assert send(unit, Role.PHARMACOLOGY, 40_000).status_code == 413


def test_nobody_else_may_send_so_much(unit):
    assert send(unit, Role.RESEARCHER, 1_000).status_code == 413

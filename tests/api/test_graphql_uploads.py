"""Files by multipart request: streamed, limited, put where the map says, and gone afterwards."""

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.graphql_uploads import shown_name
from api.settings import Mode, Settings
from tests.api.conftest import LEAD, client_of, limited

IMPORT = "mutation($file: Upload!){importFile(file: $file){name size sha256}}"
SAFE = {"GraphQL-Require-Preflight": "1"}


def send(client, *, operations=None, places=None, files=None, headers=SAFE):
    operations = {"query": IMPORT, "variables": {"file": None}} if operations is None else operations
    data = {
        "operations": operations if isinstance(operations, str) else json.dumps(operations),
        "map": json.dumps({"0": ["variables.file"]} if places is None else places),
    }
    files = {"0": ("portfolio.csv", b"a;b\n1;2\n", "text/csv")} if files is None else files
    return client.post("/graphql", data=data, files=files, headers=headers)


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_a_file_arrives_whole_and_is_closed_afterwards(client, world, size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    reply = send(client, files={"0": ("study é.csv", content, "text/csv")})
    expected = {"name": "study é.csv", "size": size, "sha256": hashlib.sha256(content).hexdigest()}
    assert reply.json()["data"] == {"importFile": expected}
    assert world.files[0].file.closed


def test_a_foreign_form_cannot_send_files(client, world):
    reply = send(client, headers={})
    assert reply.status_code == 403
    assert "GraphQL-Require-Preflight" in reply.json()["errors"][0]["message"]
    assert world.files == []


def test_a_file_over_its_limit_is_refused_while_it_arrives(world):
    with limited(world, upload_bytes=100_000) as client:
        assert send(client, files={"0": ("a", b"x" * 90_000)}).status_code == 200
        reply = send(client, files={"0": ("a", b"x" * 300_000)})
        assert reply.status_code == 413
        assert len(world.files) == 1


def test_a_file_without_a_valid_token_is_not_read(world):
    with client_of(world, Settings(mode=Mode.TOKEN)) as client:
        assert send(client, headers=SAFE | {"Authorization": "Bearer mt_wrong"}).status_code == 401
        assert send(client).status_code == 401
        assert send(client, headers=SAFE | LEAD).json()["data"]["importFile"]["size"] == 8
    assert len(world.files) == 1


ONE = {"query": IMPORT, "variables": {"file": None}}


@pytest.mark.parametrize(
    "parts",
    [
        {"operations": "{"},
        {"operations": "[]"},
        {"operations": json.dumps([ONE])},
        {"operations": {"query": IMPORT}},
        {"operations": {"query": IMPORT, "variables": {"file": "here"}}},
        {"places": []},
        {"places": {}},
        {"places": {"0": "variables.file"}},
        {"places": {"0": []}},
        {"places": {"0": [3]}},
        {"places": {"0": ["file"]}},
        {"places": {"0": ["variables"]}},
        {"places": {"0": ["variables.file.x"]}},
        {"places": {"0": ["variables.9"]}},
        {"places": {"0": ["query"]}},
        {"places": {"0": ["variables.file"], "1": ["variables.file"]}},
        {"places": {"0": ["variables.file", "variables.file"]}},
        {"places": {"1": ["variables.file"]}},
        {"files": {"1": ("a", b"x")}},
        {"files": {str(n): ("a", b"x") for n in range(11)}},
        {"files": {"operations": ("a", b"x")}},
    ],
)
def test_a_muddled_multipart_body_is_refused(client, world, parts):
    reply = send(client, **parts)
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert world.files == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=operations\r\n\r\n{}"),
        ("multipart/form-data; boundary=x", bytes(range(256)) * 100),
        ("multipart/form-data; boundary=" + "x" * 300, b"--"),
    ],
)
def test_a_damaged_multipart_body_is_refused(client, content_type, body):
    reply = client.post("/graphql", content=body, headers=SAFE | {"Content-Type": content_type})
    assert reply.status_code == 400
    assert "errors" in reply.json()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("portfolio.csv", "portfolio.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\été 2021.xlsx", "été 2021.xlsx"),
        ("a\x00\x1b[31m\u202eb.csv", "a[31mb.csv"),
        ("", "file"),
        ("dir/", "file"),
        ("x" * 300 + ".csv", "x" * 96 + ".csv"),
    ],
)
def test_a_file_is_called_by_the_harmless_part_of_its_name(given, shown):
    assert shown_name(given) == shown


def test_a_long_import_does_not_hold_up_other_requests_and_has_more_time(world):
    query = 'mutation($file: Upload!){importFile(file: $file){size} write(text: "x", seconds: 1.7){number}}'
    operations = {"query": query, "variables": {"file": None}}
    with limited(world, request_seconds=1) as client, ThreadPoolExecutor(4) as threads:
        imports = [threads.submit(send, client, operations=operations) for _ in range(2)]
        while not world.files:
            time.sleep(0.01)
        before = time.monotonic()
        assert client.post("/graphql", json={"query": "{notice}"}).json()["data"] == {"notice": "for everybody"}
        assert time.monotonic() - before < 1
        assert [done.result().json()["data"]["importFile"]["size"] for done in imports] == [8, 8]


def test_files_reach_lists_and_inputs_by_their_place(client):
    query = "mutation($files: [Upload!]!){importFile(file: $files){size}}"
    reply = send(
        client,
        operations={"query": query, "variables": {"files": [None]}},
        places={"0": ["variables.files.0"]},
    )
    assert "Variable '$files' of type '[Upload!]!'" in reply.json()["errors"][0]["message"]


def test_a_file_cannot_be_forged_in_json(client):
    for file in ("x", {"file": "x"}, None):
        reply = client.post("/graphql", json={"query": IMPORT, "variables": {"file": file}})
        assert "errors" in reply.json()
        assert "data" not in reply.json()

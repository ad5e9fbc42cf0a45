"""Starting the server: a port that is taken or forbidden is one sentence."""

import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import httpx2
import pytest

from api.server import listen
from api.settings import Mode, Settings
from pipeline.errors import InputError

SERVE = """
import sys
from api.app import build_app
from api.server import serve
from api.settings import Settings
from tests.api.toy import World, service_of
settings = Settings(port=int(sys.argv[1]))
serve(build_app(settings, service_of(World())), settings)
print("closed")
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_taken_port_is_one_sentence_with_a_way_out():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError) as refused:
            listen(Settings(port=port))
    assert refused.value.message == (
        f"Port {port} is taken by another program; end that one or choose another port, for example {port + 1}."
    )


def test_an_address_of_another_machine_is_one_sentence():
    with pytest.raises(InputError, match=r"^Cannot listen on 192\.0\.2\.1, port 8000: "):
        listen(Settings(host="192.0.2.1", mode=Mode.TOKEN))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_interrupted_ends_its_streams_and_prints_nothing(number):
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SERVE, str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    watchdog = threading.Timer(30, server.kill)
    watchdog.start()
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as reply:
                assert reply.status == 200
                assert "server" not in reply.headers
            break
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)
    with httpx2.Client() as client:  # one connection: a delayed packet would cost 40 ms each time
        before = time.monotonic()
        for _ in range(20):
            client.post(f"http://127.0.0.1:{port}/graphql", json={"query": "{notice}"})
        assert time.monotonic() - before < 0.4
        events = {"json": {"query": "subscription{events{text}}"}, "headers": {"Accept": "text/event-stream"}}
        with client.stream("POST", f"http://127.0.0.1:{port}/graphql", **events) as reply:
            before = time.monotonic()
            server.send_signal(number)
            assert reply.read() == b":\n\n"
    output, _ = server.communicate(timeout=20)
    assert time.monotonic() - before < 2
    watchdog.cancel()
    assert output == b"closed\n"

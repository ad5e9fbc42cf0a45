"""The application over the toy schema: in this process, and behind a real server on the loopback address."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient

from api.app import build_app
from api.limits import Limits
from api.service import Service
from api.settings import Mode, Settings
from tests.api.toy import World, service_of

LEAD = {"Authorization": "Bearer mt_lead"}
AUDIT = Path(__file__).parent / "audit"


@pytest.fixture
def world() -> World:
    return World()


def client_of(world: World, settings: Settings | None = None, address: str = "127.0.0.1") -> TestClient:
    app = build_app(settings or Settings(), service_of(world))
    return TestClient(app, base_url="http://127.0.0.1:8000", client=(address, 50000))


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    """Local mode."""
    with client_of(world) as found:
        yield found


@pytest.fixture
def guarded(world: World) -> Iterator[TestClient]:
    """Token mode, called from another machine."""
    with client_of(world, Settings(mode=Mode.TOKEN, host="0.0.0.0"), address="192.0.2.7") as found:
        yield found


@contextmanager
def limited(world: World, **limits: int) -> Iterator[TestClient]:
    with client_of(world, Settings(limits=Limits(**limits))) as found:
        yield found


def costing(requested: int) -> dict[str, dict[str, int]]:
    """Return what an answer says of its cost."""
    return {"cost": {"requested": requested, "limit": Limits().cost}}


def running(world: World, settings: Settings | None = None) -> AbstractContextManager[str]:
    """Serve the toy on a free port of the loopback address; give host:port."""
    return serving(settings or Settings(), service_of(world))


@contextmanager
def serving(settings: Settings, service: Service) -> Iterator[str]:
    """Serve on a free port of the loopback address; give host:port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = build_app(settings, service)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws_max_size=64_000, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        app.state.closing.set()
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a script of the audit folder under Node with the public client packages, installed outside the checkout."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not here")
    folder = tmp_path_factory.mktemp("audit")
    for path in AUDIT.iterdir():
        shutil.copy(path, folder)
    install = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--prefer-offline"]
    if subprocess.run(install, cwd=folder, capture_output=True, timeout=120).returncode:
        pytest.skip("npm cannot install the public clients here")

    def run(script: str, *arguments: str) -> str:
        done = subprocess.run(["node", script, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run

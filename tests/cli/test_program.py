"""The command line as a program of its own: pipes, signals, ports, and a second one on the same file."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from tests.cli.conftest import PORTFOLIO, PROJECT, program, run_program


@pytest.fixture
def portfolio(tmp_path):
    file = tmp_path / "portfolio.csv"
    file.write_text(PORTFOLIO)
    return file


@contextlib.contextmanager
def holding(data):
    """A process that holds the records open, as a server does."""
    code = (
        "import sys; from pathlib import Path; from pipeline.centre import Centre\n"
        "with Centre.open(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(data)], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdin
    assert process.stdout.readline() == b"open\n"
    try:
        yield process.pid
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


def test_import_export_and_verify_without_a_word_on_standard_error_but_the_count(tmp_path, portfolio):
    data = ["--data", str(tmp_path / "records")]
    done = run_program(*data, "import", portfolio)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("Imported portfolio.csv as portfolio: 6 rows\n")
    done = run_program(*data, "export", "transitions", "--format", "jsonl")
    assert (done.returncode, done.stderr) == (0, "8 rows; act 3 of the audit trail\n")
    assert [json.loads(line)["code"] for line in done.stdout.splitlines()] == ["EX-1"] * 5 + ["EX-2"] * 2 + ["EX-3"]
    done = run_program(*data, "verify")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["token", "list"], ["db", "status"], ["graph"], ["--help"]])
def test_what_goes_into_a_pipe_holds_no_colour(arguments, tmp_path):
    data = ["--data", str(tmp_path / "records")]
    run_program(*data, "token", "create", "alice", "--role", "lead")
    done = run_program(*data, *arguments, env={**os.environ, "FORCE_COLOR": "1"})
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr


def test_a_reader_that_goes_away_is_no_internal_error(tmp_path):
    process = subprocess.Popen(
        program("--data", tmp_path / "records", "schema"), cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) != 70
    assert b"Internal error" not in errors
    assert b"Traceback" not in errors


def test_a_second_process_on_the_same_file_is_refused_in_one_sentence(tmp_path):
    data = tmp_path / "records"
    with holding(data) as pid:
        done = run_program("--data", data, "db", "status")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{data / 'moltrail.db'} is in use by process {pid}; stop it, use its GraphQL API, ")
    assert done.stderr.count("\n") == 1
    assert run_program("--data", data, "db", "status").returncode == 0


def test_serving_on_a_port_that_is_taken_is_refused_in_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_program("--data", tmp_path / "records", "serve", "--port", port)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Port {port} is taken by another program; ")
    assert done.stderr.count("\n") == 1


def test_serving_ends_well_when_interrupted(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        program("--data", tmp_path / "records", "serve", "--port", port),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(100, process.kill)
    watchdog.start()
    assert process.stdout
    said = ""
    while f"127.0.0.1:{port}" not in said:
        line = process.stdout.readline()
        assert line, process.communicate()
        said += line
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        pass
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    watchdog.cancel()
    assert process.returncode in (0, 130)
    assert "Traceback" not in errors


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    done = run_program("--data", tmp_path / "file" / "records", "db", "status")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1

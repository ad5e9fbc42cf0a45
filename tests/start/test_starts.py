"""`start.py` run for real: first, again, moved, damaged, updated, interrupted."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from api.launcher.environment import LOCK, MARKER, STAMP

pytestmark = pytest.mark.skipif(os.name == "nt", reason="looks into the folders that an environment has elsewhere")


def arguments(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["arguments"]


def site(copy):
    return next(copy.environment.glob("lib/python3*/site-packages"))


def test_the_first_start_installs_and_becomes_the_server(first_start, free_port):
    copy, done = first_start
    where = ["--host", "127.0.0.1", "--port", str(free_port), "--data", str(copy.folder / "data")]
    assert arguments(done) == ["serve", *where, "--demo"]
    assert json.loads(done.stdout)["prefix"] == str(copy.environment)
    assert json.loads(done.stdout)["safe"] is True  # what lies in the user's folder is not imported
    assert done.stderr.splitlines() == [
        f"Preparing {copy.environment} (only now and after updates)",
        "  Fetching packages (1)",
        "  Unpacking them",
    ]
    assert (site(copy) / "tinypackage.py").read_text() == "version = '1.0'\n"
    assert sorted(path.name for path in copy.environment.glob("moltrail.*")) == [STAMP, LOCK]


def test_the_second_start_does_nothing_but_hand_over(started, free_port):
    stamp = (started.environment / STAMP).stat().st_mtime_ns
    begin = time.perf_counter()
    done = started.start("--port", str(free_port), "--no-demo", PIP_FIND_LINKS="")
    assert time.perf_counter() - begin < 3
    assert arguments(done)[-3:] == ["--data", str(started.folder / "data"), "--no-demo"]
    assert done.stderr == ""
    assert (started.environment / STAMP).stat().st_mtime_ns == stamp


def test_the_command_works_from_anywhere_in_a_moved_folder(started, tmp_path):
    (tmp_path / "api").mkdir()  # a folder of the user's that happens to have our name
    link = tmp_path / "shortcut"
    link.symlink_to(started.environment / "bin" / "moltrail")
    for command in (started.environment / "bin" / "moltrail", link):
        done = subprocess.run([command, "graph", "a b"], cwd=tmp_path, capture_output=True, text=True)
        assert arguments(done) == ["graph", "a b"]
        assert json.loads(done.stdout)["prefix"] == str(started.environment)


def test_the_data_folder_comes_from_the_option_or_else_from_the_setting(started, free_port, tmp_path):
    port = ("--port", str(free_port))
    assert arguments(started.start(*port, MOLTRAIL_DATA=str(tmp_path / "set")))[-2] == str(tmp_path / "set")
    assert arguments(started.start(*port, "--data", "given", MOLTRAIL_DATA="x"))[-2] == str(tmp_path / "given")
    assert (tmp_path / "given").stat().st_mode & 0o777 == 0o700


def test_modules_meant_for_another_python_are_not_taken_for_ours(started, free_port, tmp_path):
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "__init__.py").touch()
    done = started.start("--port", str(free_port), PYTHONPATH=str(tmp_path))
    assert json.loads(done.stdout)["prefix"] == str(started.environment)


def lose_a_package(copy):
    (site(copy) / "tinypackage.py").unlink()


def lose_the_interpreter(copy):
    (copy.environment / "bin" / "python").unlink()
    (copy.environment / "bin" / "python").symlink_to(copy.folder / "an older Python")


def be_killed_while_installing(copy):
    (copy.environment / STAMP).replace(copy.environment / MARKER)


def lose_all_but_the_folder(copy):
    shutil.rmtree(copy.environment)
    (copy.environment / "lib").mkdir(parents=True)


@pytest.mark.parametrize(
    "damage", [lose_a_package, lose_the_interpreter, be_killed_while_installing, lose_all_but_the_folder]
)
def test_a_damaged_environment_is_made_anew(started, free_port, damage):
    leftover = site(started) / "leftover.py"
    leftover.touch()
    damage(started)
    assert arguments(started.start("--port", str(free_port)))[0] == "serve"
    assert (site(started) / "tinypackage.py").is_file()
    assert not leftover.exists()
    assert not (started.environment / MARKER).exists()


def test_an_environment_of_other_origin_is_completed_and_nothing_of_it_is_lost(started, free_port):
    (started.environment / STAMP).unlink()
    own = site(started) / "own.py"
    own.touch()
    assert arguments(started.start("--port", str(free_port)))[0] == "serve"
    assert own.exists()
    assert (started.environment / STAMP).exists()


@pytest.mark.parametrize("text", [None, "#!/bin/sh\n# of an older version\n"])
def test_a_lost_or_outdated_command_is_written_again(started, free_port, text):
    command = started.environment / "bin" / "moltrail"
    command.unlink() if text is None else command.write_text(text)
    assert arguments(started.start("--port", str(free_port)))[0] == "serve"


def test_an_update_installs_what_changed(started, wheels, free_port):
    started.require(wheels / "tinypackage-1.1-py3-none-any.whl")
    assert arguments(started.start("--port", str(free_port)))[0] == "serve"
    assert (site(started) / "tinypackage.py").read_text() == "version = '1.1'\n"


def test_an_update_that_cannot_be_fetched_leaves_the_environment_as_it_was(started, wheels, free_port):
    before = (started.folder / "requirements" / "run.txt").read_text()
    started.require(wheels / "tinypackage-1.1-py3-none-any.whl")
    done = started.start("--port", str(free_port), PIP_FIND_LINKS="")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("There is no ready-made package of tinypackage")
    (started.folder / "requirements" / "run.txt").write_text(before)
    assert started.start("--port", str(free_port), PIP_FIND_LINKS="").stderr == ""


def test_a_package_with_another_digest_is_refused(fresh, wheels, free_port):
    requirements = fresh.folder / "requirements" / "run.txt"
    requirements.write_text(f"tinypackage==1.0 --hash=sha256:{'0' * 64}\n")
    done = fresh.start("--port", str(free_port))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "A package that was offered is not the one this version of Moltrail was made with (tinypackage)"
    )
    assert not (site(fresh) / "tinypackage.py").exists()


def test_tests_get_their_own_requirements_and_pytests_exit_code(started, wheels):
    started.require(wheels / "tinypackage-1.1-py3-none-any.whl", "test.txt")
    (site(started) / "pytest.py").write_text("import os, sys\nprint(os.getcwd(), sys.argv[1:])\nsys.exit(5)\n")
    done = started.start("test", "tests/unit", "-k", "x")
    assert (done.returncode, done.stdout) == (5, f"{started.folder} ['tests/unit', '-k', 'x']\n")
    assert (site(started) / "tinypackage.py").read_text() == "version = '1.1'\n"
    assert set(json.loads((started.environment / STAMP).read_text())["installed"]) == {"run.txt", "test.txt"}


@pytest.mark.parametrize(("sign", "whom"), [(signal.SIGINT, "all"), (signal.SIGTERM, "one")])
def test_an_interrupted_installation_ends_quietly_and_leaves_nothing_running(started, wheels, free_port, sign, whom):
    started.require(wheels / "tinypackage-1.1-py3-none-any.whl")
    with socket.create_server(("127.0.0.1", 0)) as silent_index:
        silent_index.settimeout(60)
        settings = started.settings(PIP_INDEX_URL=f"http://127.0.0.1:{silent_index.getsockname()[1]}/")
        del settings["PIP_NO_INDEX"]
        process = subprocess.Popen(
            [sys.executable, started.folder / "start.py", "--port", str(free_port)],
            env=settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        with process:
            pip, _ = silent_index.accept()  # pip is at work, and waits for an answer
            (os.killpg if whom == "all" else os.kill)(process.pid, sign)
            printed = process.stdout.read()  # ends when pip, too, has let go of it
            pip.close()
    assert process.returncode == 130
    assert printed.splitlines()[2:] == []

"""The measurement of reads: the same answers from all, ratios in one run, on both engines; and what it refuses."""

import importlib.util
import json
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from api.cli import cli
from pipeline.bench import reads
from pipeline.bench.generate import generate
from pipeline.bench.growth import grown
from pipeline.bench.peers.application import opened
from pipeline.bench.reads import Contender, Measured, in_process, ratio
from pipeline.bench.reads_cases import Case, cases_of
from pipeline.bench.reads_servers import started
from pipeline.centre import Centre
from pipeline.errors import InputError, PipelineError, StoreRefused

BENCH = all(importlib.util.find_spec(name) for name in ("strawberry", "aiodataloader"))
ALL = "graphene-orm,graphene-loaders,strawberry-loaders"


@pytest.fixture
def records(place):
    """Return the arguments that name a small set of generated records."""
    with Centre.open(place.folder, place.url) as centre:
        list(generate(centre, 40, each=20))
    return ["--folder", str(place.folder), *(["--database", place.url] if place.url else [])]


QUICK = ["--clients", "2", "--seconds", "0.01", "--rounds", "2", "--requests", "10"]


def test_all_answer_alike_and_are_told_as_ratios(records, tmp_path):
    peers = ALL if BENCH else "graphene-orm"
    cases = "ad" if "--database" in records else "abcdef"  # all of them are compared on both engines below
    file, picture = tmp_path / "found.json", tmp_path / "found.svg"
    files = ["--json", str(file), "--picture", str(picture)]
    arguments = ["bench", "read", *records, *QUICK, "--peers", peers, "--cases", cases, *files]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    found = json.loads(file.read_text())
    names = ["limit", "moltrail", *peers.split(",")]
    for where in ("http", "in_process"):
        assert list(found[where]) == list(cases)
        for case in found[where].values():
            assert list(case) == names
            for one in case.values():
                share = one["of_the_limit"]
                assert 0 < share["least"] <= share["median"] <= share["most"]
                assert 0 < one["p50_ms"] <= one["p99_ms"]
            assert case["limit"]["of_the_limit"]["median"] == case["moltrail"]["moltrail_times"]["median"] == 1
    assert all(one["first_sight_ms"] > 0 and one["planning_us"] > 0 for one in found["planning"].values())
    assert "b" not in cases or found["memory"]["after_all_mb"] > 20
    drawn = "".join(ET.fromstring(picture.read_text()).itertext())
    assert all(name in drawn for name in names)
    assert "(a) one molecule with everything below it" in drawn
    assert "moltrail" in done.output


@pytest.mark.skipif(not BENCH, reason="the extra bench is not installed")
def test_peers_answer_every_case_like_the_limit_in_process(records):
    from pipeline.bench.peers.records import open_records

    url = records[3] if len(records) > 2 else f"sqlite:///{records[1]}/moltrail.db"
    engine = open_records(url)
    with engine.connect() as connection:
        cases = list(cases_of(connection).values())
    engine.dispose()

    def contender(name):
        return Contender(name, [], {}, lambda: opened(name, url))

    found = in_process([contender(name) for name in ("limit", *ALL.split(","))], cases, seconds=0, rounds=1)
    assert [len(measured) for measured in found.values()] == [4] * 6


CASE = Case("x", "a case", "One", [{"code": "1"}, {"code": "2"}])


def answering(body):
    @reads.contextlib.contextmanager
    def made():
        yield lambda _asked: body

    return made


def test_what_differs_is_not_timed():
    same = Contender("one", [], {}, answering(b'{"data":{"a":1,"b":2}}'))
    also = Contender("other", [], {}, answering(b'{"data":{"b":2,"a":1}}'))
    assert len(in_process([same, also], [CASE], seconds=0, rounds=3)["x"]["other"].rates) == 3
    differs = Contender("third", [], {}, answering(b'{"data":{"a":1.0000000000000002,"b":2}}'))
    with pytest.raises(PipelineError, match="third and one answer case x differently"):
        in_process([same, also, differs], [CASE], seconds=0, rounds=1)
    refused = Contender("fourth", [], {}, answering(b'{"errors":[{"message":"no"}],"data":null}'))
    with pytest.raises(PipelineError, match="refused"):
        in_process([refused], [CASE], seconds=0, rounds=1)


def test_few_and_many_are_asked_the_same_in_turn(tmp_path):
    folders = [tmp_path / "few", tmp_path / "many"]
    for folder, molecules in zip(folders, (20, 60), strict=True):
        folder.mkdir()
        with Centre.open(folder) as centre:
            list(generate(centre, molecules, each=1))
    done = CliRunner().invoke(cli, ["--json", "bench", "growth", *map(str, folders), "--seconds", "0.01"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["measured"]
    assert [one["what"] for one in found] == [
        "the history of one molecule",
        "one molecule with everything below it",
        "page 2 of all molecules; page 6 of all molecules",
        "the first page of all molecules",
    ]
    assert all(one["ratio"] == pytest.approx(one["many_ms"] / one["few_ms"]) and one["few_ms"] > 0 for one in found)


def test_a_refusal_ends_the_comparison_of_few_and_many():
    def answering(body: bytes) -> bytes:
        return b'{"errors":[{}],"data":null}'

    with pytest.raises(PipelineError, match="refused"):
        grown((answering, {"it": [b"few"]}), (answering, {"it": [b"many"]}), seconds=0)


def test_ratios_are_taken_within_rounds():
    one, other = Measured([10.0, 40.0, 90.0], [0.1]), Measured([20.0, 40.0, 100.0], [0.1])
    assert ratio(one, other) == (0.9, 0.5, 1.0)
    many = Measured([1.0], [n / 1000 for n in range(1, 101)])
    assert (many.p50_ms, round(many.p99_ms, 2)) == (50.5, 99.01)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--cases", "abz"], "z is none of the cases a, b, c, d, e, f"),
        (["--cases", ""], "nothing is none of the cases"),
        (["--peers", "django"], "django is none of the peers"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(tmp_path, arguments, sentence):
    with Centre.open(tmp_path) as centre:
        list(generate(centre, 20, each=1))
    done = CliRunner().invoke(cli, ["bench", "read", "--folder", str(tmp_path), *arguments])
    assert isinstance(done.exception, InputError)
    assert sentence in str(done.exception)


def test_records_that_were_not_generated_are_not_measured(tmp_path):
    done = CliRunner().invoke(cli, ["bench", "read", "--folder", str(tmp_path)])
    assert isinstance(done.exception, StoreRefused)
    with Centre.open(tmp_path):
        pass
    done = CliRunner().invoke(cli, ["bench", "read", "--folder", str(tmp_path)])
    assert "make them with `moltrail bench generate`" in str(done.exception)


def test_a_peer_whose_packages_are_missing_says_how_to_get_them(monkeypatch):
    def missing(_name):
        raise ModuleNotFoundError("no", name="strawberry")

    monkeypatch.setattr("pipeline.bench.peers.application.importlib.import_module", missing)
    with pytest.raises(InputError, match=r'pip install "moltrail\[bench\]"'), opened("strawberry-loaders", ""):
        pass


def test_a_server_that_does_not_start_is_told_with_what_it_said():
    with (
        pytest.raises(PipelineError, match=r"nothing here did not start: .*no such thing"),
        started("nothing here", ["/bin/sh", "-c", "echo no such thing >&2"], {}),
    ):
        pass

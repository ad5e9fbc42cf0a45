"""Settings from the environment: all that is wrong is said at once."""

from pathlib import Path

import pytest

from api.limits import Limits
from api.settings import Mode, Settings, is_loopback, settings_from
from pipeline.errors import InputError, PipelineError, each


def test_nothing_set_means_local_mode_on_the_loopback_address():
    assert settings_from({"PATH": "/bin"}) == Settings()
    assert Settings().address == "http://127.0.0.1:8000"
    assert Settings().warnings() == ()


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000"), ("[::1]", "http://[::1]:8000")],
)
def test_the_address_is_one_a_browser_can_open(host, address):
    assert Settings(host=host, mode=Mode.TOKEN).address == address


def test_everything_can_be_set():
    assert settings_from(
        {
            "MOLTRAIL_HOST": "0.0.0.0",
            "MOLTRAIL_PORT": " 9000 ",
            "MOLTRAIL_DATA": "/srv/moltrail",
            "MOLTRAIL_DATABASE_URL": "postgresql://moltrail@db/moltrail",
            "MOLTRAIL_MODE": "Token",
            "MOLTRAIL_ORIGINS": "https://portal.example, http://intranet:8080",
            "MOLTRAIL_LIMIT_DEPTH": "9",
        }
    ) == Settings(
        host="0.0.0.0",
        port=9000,
        data=Path("/srv/moltrail"),
        database_url="postgresql://moltrail@db/moltrail",
        mode=Mode.TOKEN,
        origins=("https://portal.example", "http://intranet:8080"),
        limits=Limits(depth=9),
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "70000", "MOLTRAIL_PORT is '70000'; write a whole number from 1 to 65535."),
        ("PORT", "٣", "MOLTRAIL_PORT is '٣'"),
        ("PORT", "0", "from 1 to 65535"),
        ("HOST", "http://x/", "neither a host name nor an address"),
        ("HOST", "0.0.0.0", "set MOLTRAIL_MODE=token"),
        ("HOST", "lab.example", "set MOLTRAIL_MODE=token"),
        ("MODE", "open", "MOLTRAIL_MODE is 'open'; write local or token."),
        ("DATABASE_URL", "mysql://root:pass@db", "begins neither with postgresql:// nor with sqlite://"),
        ("ORIGINS", "*", "The origin '*' is not of the form"),
        ("LIMIT_DEPTH", "-1", "MOLTRAIL_LIMIT_DEPTH is '-1'"),
        ("LIMIT_DEBTH", "3", "MOLTRAIL_LIMIT_DEBTH is not a limit; known are LIMIT_ALIASES"),
    ],
)
def test_a_wrong_value_is_one_sentence(name, value, sentence):
    with pytest.raises(InputError) as refused:
        settings_from({f"MOLTRAIL_{name}": value})
    assert sentence in refused.value.message
    assert "pass" not in refused.value.message.lower()


def test_several_wrong_values_are_named_at_once():
    wrong = {
        "MOLTRAIL_PORT": "x",
        "MOLTRAIL_HOST": "0.0.0.0",
        "MOLTRAIL_LIMIT_DEPTH": "deep",
        "MOLTRAIL_ORIGINS": "a,b",
    }
    with pytest.raises(PipelineError) as refused:
        settings_from(wrong)
    assert len(each(refused.value)) == 5


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "::ffff:127.0.0.1"])
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "localhost.example", "127.0.0.1.example", "10.0.0.1", "127.1"])
def test_not_loopback(host):
    assert not is_loopback(host)

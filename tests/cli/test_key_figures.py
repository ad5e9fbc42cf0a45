"""moltrail key-figures."""

from tests.cli.conftest import Caller


def test_figures_are_recorded_and_shown(filled: Caller):
    counts = (
        "OPEN_TRIALS=336",
        "INCLUSIONS=1,744",
        "ACTIVE_FILE=10900",
        "EARLY_PHASE_TRIALS=168",
        "INCLUSIONS=700@CLIPP",
    )
    options = [word for count in counts for word in ("--record", count)]
    text = filled.good("key-figures", "2021", *options, "--source", "report").text
    assert "16.0 % (1,744 of 10,900; 15.3 to 16.7)" in text
    assert "50.0 % (168 of 336; 44.7 to 55.3)" in text
    assert "not recorded" in text
    assert "EARLY_PHASE_TRIALS: open trials in phase 1, 1/2 or 2" in text
    assert "│ INCLUSIONS         │ CLIPP │ 700 " in text
    found = filled.good("--json", "key-figures", "2021").json()
    assert (found["open_trials"], found["version"]) == (336, "key_figures 1")
    assert found["by_site"][1] == {"site": "CLIPP", "open_trials": 0, "inclusions": 700}


def test_figures_as_they_were_known(filled: Caller):
    filled.good("key-figures", "2021", "--record", "OPEN_TRIALS=336", "--source", "report")
    answer = filled.good("--json", "key-figures", "2021", "--known-at", "2020-01-01").json()
    assert (answer["open_trials"], set(answer["definitions"]) >= {"ACTIVE_FILE"}) == (0, True)


def test_refusals(filled: Caller):
    for options, said in (
        (("2021", "--record", "ACTIVE_FILE=1"), "belong together"),
        (("2021", "--record", "ACTIVE_FILE", "--source", "x"), "takes NAME=COUNT"),
        (("2021", "--record", "ACTIVE_FILE=-1", "--source", "x"), "takes NAME=COUNT"),
        (("2021", "--record", "TEA=1", "--source", "x"), "'TEA' is not counted"),
        (("9", "--source", "x"), "belong together"),
        (("9",), "the year lies between"),
        (("2021", "--record", "ACTIVE_FILE=1", "--source", "x", "--known-at", "2020-01-01"), "--record is of now"),
    ):
        answer = filled("key-figures", *options)
        assert (answer.code, answer.out) == (2, b"")
        assert said in answer.err

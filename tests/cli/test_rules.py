"""Rules and replays from the command line."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipeline.centre import Centre
from pipeline.store import tables
from pipeline.store.journal import Act
from tests.cli.conftest import Caller
from tests.support.datasets import dataset
from tests.support.escalated import end, escalate, perform, phase_one

RULE = """code = "RESPONSE_TWO_STAGE"
kind = "EFFICACY"
method = "C4"
description = "Responses pass both stages."
source = "Simon 1989"

[parameters]
p0 = 0.2
p1 = 0.4
alpha = 0.05
beta = 0.2
"""


def written(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "rule.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_a_rule_is_defined_shown_and_put_to_use(filled: Caller, tmp_path: Path):
    made = filled.good("--json", "rules", "define", written(tmp_path, RULE)).json()
    assert (made["code"], made["version"]) == ("RESPONSE_TWO_STAGE", 2)
    assert made["characteristics"]["false_go"] == pytest.approx(0.049581, abs=1e-6)
    listed = {(r["code"], r["version"]): r["in_use"] for r in filled.good("--json", "rules", "list").json()}
    assert listed["RESPONSE_TWO_STAGE", 1]
    assert not listed["RESPONSE_TWO_STAGE", 2]
    assert "by version 2" in filled.good("rules", "use", "RESPONSE_TWO_STAGE", 2).text
    listed = {(r["code"], r["version"]): r["in_use"] for r in filled.good("--json", "rules", "list").json()}
    assert listed["RESPONSE_TWO_STAGE", 2]
    shown = filled.good("rules", "characteristics", "RESPONSE_TWO_STAGE").text
    assert "goes on although response rate 0.2" in shown
    assert "0.04958" in shown
    assert "No operating characteristics" in filled.good("rules", "characteristics", "HERG_MARGIN").text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\xff\x01 not toml", "is not TOML"),
        ("", "code is missing"),
        (RULE + "\n[more]\nx = 1", "'more' is not known"),
        (RULE.replace('"EFFICACY"', '"BOTH"'), "kind is one of TOXICITY, EFFICACY"),
        (RULE.replace('"C4"', "4"), "are texts"),
        (RULE.replace("p0 = 0.2", "p0 = 0.6"), "p0 has to be below p1"),
        (RULE.replace("p0 = 0.2", 'p0 = "x"'), "p0 has to be a number"),
        (RULE.replace("p0 = 0.2", "p0 = 1" + "0" * 400), "cannot be kept"),
        (RULE.replace("p0 = 0.2", "p0 = 2020-01-01"), "p0 has to be a number"),
        (RULE + "#" * 200_000, "larger than 100,000 bytes"),
    ],
)
def test_a_file_that_is_no_rule_is_refused(filled: Caller, tmp_path: Path, content, said):
    before = filled.good("--json", "rules", "list").json()
    answer = filled("rules", "define", written(tmp_path, content))
    assert answer.code == 2
    assert said in answer.err
    assert filled.good("--json", "rules", "list").json() == before


@pytest.fixture
def escalated(filled: Caller) -> Caller:
    """Records with a toxic escalation that went on, and a published dose."""
    with Centre.open(filled.data) as centre:
        programme, study, source = phase_one(centre, "T")
        escalate(centre, study, source, [(3, 0), (6, 1), (3, 2)])

        def publish(act: Act):
            for row, amount in zip(act.current(tables.dose_levels), (10.0, 20.0, 40.0), strict=True):
                dose = {"dose_level_id": row["id"], "name": "t", "amount": amount, "unit": "mg"}
                act.add(tables.doses, dose)
            said = {"study_id": study, "source_id": source, "kind": "MTD", "name": "t"}
            act.add(tables.recommended_doses, said | {"amount_low": 20.0, "amount_high": 20.0, "unit": "mg"})
            for row in act.current(tables.dose_levels):
                bounds = {"with_dlt_min": row["with_dlt"], "with_dlt_max": row["with_dlt"]}
                act.revise(tables.dose_levels, row, bounds)
            return {}

        perform(centre, publish)
        end(centre, programme, stage="PHASE_2", status="ACTIVE", day="2099-01-01")
    return filled


def test_a_rule_is_replayed(escalated: Caller):
    found = escalated.good("--json", "replay", "DOSE_LIMITING_TOXICITY").json()
    assert found["correctly_continued"] == 1
    assert found["programmes"] == len(found["outcomes"])
    strict = escalated.good("--json", "replay", "CONTINUED_TOXICITY", "--parameters", '{"cutoff": 0.05}').json()
    assert strict["varied"]
    text = escalated.good("replay", "DOSE_LIMITING_TOXICITY", "--version", 1).text
    assert "correctly continued" in text
    assert "specificity: 1 of 1, 1.00 (0.21 to 1.00)" in text
    assert "0 past assessments were run again; 0" in escalated.good("replay", "--decisions").text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a rule"),
        (("A", "--decisions"), "name a rule"),
        (("A", "--picture", "x.svg"), "--picture goes with --published"),
        (("A", "--parameters", "[1]"), "takes a JSON object"),
        (("A", "--parameters", "\x01"), "takes a JSON object"),
        (("NO_SUCH",), "there is no rule"),
        (("HERG_MARGIN", "--version", "9"), "no version 9"),
        (("--published", "--target", "3"), "target must be from 0.05 to 0.6"),
    ],
)
def test_what_cannot_be_replayed_is_refused(filled: Caller, arguments, said):
    answer = filled("replay", *arguments)
    assert answer.code == 2
    assert said in answer.err


def test_published_doses_are_compared_and_drawn(escalated: Caller, tmp_path: Path):
    picture = tmp_path / "published.svg"
    found = escalated.good("--json", "replay", "--published", "--picture", picture).json()
    assert (found["trials"], found["comparable"], found["left_out"]) == (1, 1, {})
    one = found["escalations_compared"][0]
    assert one["published"] == 2
    assert one["chosen"] == {"3+3": 2, "BOIN": 2, "CRM": 3}
    assert [rule["agree"] for rule in found["rules"]] == [1, 1, 0]
    root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
    assert root.tag.endswith("svg")
    text = escalated.good("replay", "--published").text
    assert "1 trials with dose levels, 1 escalations; the published dose can be compared in 1 escalations of 1" in text


def test_the_published_phase_one_trials(moltrail: Caller):
    assert moltrail("import", dataset("phase1-dlt")).code in (0, 1)
    found = moltrail.good("--json", "replay", "--published").json()
    assert (found["trials"], found["escalations"]) == (816, 897)
    assert found["comparable"] + sum(found["left_out"].values()) == 897
    for rule in found["rules"]:
        assert rule["compared"] + rule["open"] == found["comparable"]
        assert rule["agree"] > rule["further_off"]
    for one in found["escalations_compared"]:
        levels = len(one["levels"])
        assert 1 <= one["published"] <= levels
        assert all(chosen is None or 0 <= chosen <= levels for chosen in one["chosen"].values())
        assert one["why"]

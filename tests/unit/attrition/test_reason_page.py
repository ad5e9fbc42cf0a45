"""docs/REASONS.md says what the rules in force do: on the taxonomy anywhere, on the labels where the texts are."""

from pathlib import Path

from api.cli.reasons import SAMPLE, reasons_page
from pipeline.attrition.reason_page import WHYS, page
from pipeline.attrition.reason_rules import WhyUnspecified
from tests.support.datasets import dataset
from tests.support.reason_sample import draw

PAGE = Path("docs/REASONS.md").read_text(encoding="utf-8")


def test_the_page_is_up_to_date():
    texts = dataset("trial-stops") / "comparator.csv"
    assert reasons_page(SAMPLE, texts) == PAGE


def test_what_needs_no_texts_is_up_to_date():
    head, _, _ = page("", {}).partition("## How good the proposals are")
    assert PAGE.startswith(head)
    assert list(WHYS) == list(WhyUnspecified)


def test_the_labelled_trials_are_those_drawn():
    drawn = draw(dataset("trial-stops") / "comparator.csv")
    rows = (SAMPLE / "labels.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [tuple(row.split(",")[:2]) for row in rows] == drawn

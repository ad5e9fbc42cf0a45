"""The review as a page and as a workbook: what they hold, that they are safe to open, and how the page looks."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from openpyxl import load_workbook

from pipeline.attrition.review import Asked, review
from pipeline.attrition.review_tables import review_tables, table_named, words
from pipeline.centre import Centre
from pipeline.reports.attrition_review import ReviewRequest, attrition_review
from pipeline.reports.review_page import as_page
from pipeline.reports.review_workbook import as_workbook
from tests.attrition.histories import portfolio
from tests.attrition.signals import molecule, put_on_record, study, write
from tests.cli.conftest import Caller

TAGS = "</svg><script>alert(2)</script>"
EVIL = "=HYPERLINK(1);</svg><script>alert(1)</script>"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory):
    """A review with a missed signal, rates, curves, and attacks among the words."""
    with Centre.open(tmp_path_factory.mktemp("data")) as centre:
        stop = "DISCONTINUED,2014-06-01,TOX_CLINICAL,liver"
        put_on_record(
            centre,
            f"a,A,PEPTIDE,breast,Phase 3,2012-01-01,{stop}",
            *(f"m{n},M-{n},PEPTIDE,breast,Phase 2,2010-0{n}-01,,,," for n in range(1, 7)),
            *(f"m{n},M-{n},PEPTIDE,breast,Phase 3,2012-0{n}-01,{stop}" for n in range(1, 5)),
            f"x,X,PEPTIDE,{TAGS},Phase 2,2012-01-01,,,,",
        )
        rat = study(centre, molecule(centre, "A"), "RAT", species="rat")
        liver = {"study_id": rat, "organ": "LIVER", "reported": EVIL, "sorted_on": "2011-01-01"}
        write(centre, "findings", liver)
        with centre.read() as reader:
            yield attrition_review(reader, ReviewRequest(today="2016-01-01", signals=True))


class Read(HTMLParser):
    """Reads a page: its tags with attributes, and whether they are closed in order."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_stands_alone_and_runs_nothing(found):
    page = as_page(found).decode()
    read = Read(page)
    assert read.open == []
    assert not {"script", "img", "link", "iframe", "object", "form"} & {tag for tag, _ in read.tags}
    assert not [attrs for _, attrs in read.tags if {"style", "onload", "src", "srcset"} & attrs.keys()]
    assert {attrs["href"][0] for tag, attrs in read.tags if tag == "a"} == {"#"}
    assert "http://" not in page
    assert "url(" not in page
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    pinned = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    [policy] = [attrs["content"] for _, attrs in read.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{pinned}'")
    assert EVIL in read.text  # shown, not run
    assert TAGS in read.text


def test_every_picture_says_what_it_shows_and_is_stamped(found):
    read = Read(as_page(found).decode())
    pictures = [attrs for tag, attrs in read.tags if tag == "svg"]
    assert len(pictures) >= 4
    assert all(attrs["role"] == "img" and len(attrs["aria-label"]) > 40 for attrs in pictures)
    assert read.text.count("attrition_review 1, phase by phase") == len(pictures) + 1
    assert "Phase 3: 5 entered, 0 advanced, 5 stopped, 0 in phase, 0 stalled" in pictures[0]["aria-label"]
    ids = {attrs.get("id") for _, attrs in read.tags}
    assert {attrs["href"][1:] for tag, attrs in read.tags if tag == "a"} <= ids


def test_the_page_shows_the_figures_of_the_review(found):
    text = Read(as_page(found).decode()).text
    assert "100.0 % (5 of 5; 56.6 to 100.0)" in text  # late share: five stops, all at phase 3
    assert "Liver and bile: LIVER, " in text
    assert "1 of 5" in text  # an earlier record told of one stop of five
    assert "2011-01-01" in text


def test_the_workbook_has_a_sheet_for_each_table_and_computes_nothing(found):
    book = load_workbook(io.BytesIO(as_workbook(found)))
    names = [table.name for table in review_tables(found)]
    assert book.sheetnames == [*names, "standings"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not [cell for cell in cells if isinstance(cell.value, str) and cell.value.startswith("=")]
    rates = table_named(review_tables(found), "rates")
    sheet = book["rates"]
    assert [cell.value for cell in sheet[1]] == list(rates.heads)
    assert [cell.value for cell in sheet[2]] == list(rates.rows[0])
    assert book["standings"].max_row == found.programmes + 1


def test_an_empty_review_is_a_page_that_says_so():
    nothing = review(portfolio(()), Asked(day="2020-01-01"))
    text = Read(as_page(nothing).decode()).text
    assert "No programme is in any phase." in text
    assert "The records of studies were not searched." in text
    assert load_workbook(io.BytesIO(as_workbook(nothing))).sheetnames[0] == "asked"


@pytest.mark.parametrize(
    ("code", "shown"),
    [("PHASE_1_2", "Phase 1/2"), ("CTA", "CTA"), ("PRECLINICAL_TOXICOLOGY", "Preclinical toxicology"), ("", "")],
)
def test_codes_in_words(code, shown):
    assert words(code) == shown


def test_files_from_the_command_line(filled: Caller, tmp_path: Path):
    for ending, begins in ((".html", b"<!DOCTYPE html>"), (".xlsx", b"PK"), (".json", b"{")):
        file = tmp_path / f"review{ending}"
        answer = filled.good("attrition", "--as-of", "2023-01-01", "-o", file)
        assert "is written: 3 programmes, attrition_review 1" in answer.text
        assert file.read_bytes().startswith(begins)
    assert (
        "every figure comes out as it was written" in filled.good("attrition", "verify", tmp_path / "review.json").text
    )
    assert "scientific stops" in filled.good("attrition").text


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_in_a_browser_nothing_is_fetched_refused_or_wider_than_the_screen(found, tmp_path: Path, width, scheme):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    file = tmp_path / "review.html"
    file.write_bytes(as_page(found))
    complaints: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        colours = page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        browser.close()
    assert complaints == []
    assert asked == [file.as_uri()]
    assert contrast(*colours) > 7


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as WCAG defines it."""

    def light(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)

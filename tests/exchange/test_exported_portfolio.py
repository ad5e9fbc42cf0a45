"""What an export adds to a portfolio is understood when it is imported again: words beside a reason, defused cells."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange.cells import armed, defused
from pipeline.exchange.portfolio import read_portfolio
from pipeline.words import AttritionReason

STAGES = {"PHASE_1": "Phase 1", "PHASE_2": "Phase 2"}


def only(text):
    reading = read_portfolio(text.encode(), "p.csv", STAGES, today=date(2026, 1, 1))
    assert (len(reading.programmes), reading.quarantined, reading.held) == (1, [], [])
    return reading.programmes[0]


@pytest.mark.parametrize(
    ("reason", "words", "kept"),
    [
        ("TOX_CLINICAL", "two deaths", (AttritionReason.TOX_CLINICAL, "two deaths")),
        ("TOX_CLINICAL", "", (AttritionReason.TOX_CLINICAL, "TOX_CLINICAL")),
        ("", "two deaths", (None, "two deaths")),
        ("too toxic", "two deaths", (None, "too toxic; two deaths")),
        ("", "", (AttritionReason.UNSPECIFIED, None)),
    ],
)
def test_words_stand_beside_the_code_of_a_reason(reason, words, kept):
    text = f"name,stage,since,status,reason,reason_verbatim\nA,PHASE_1,2020,DISCONTINUED,{reason},{words}\n"
    (entry,) = only(text).entries
    assert (entry.reason, entry.reason_verbatim) == kept


def test_defused_cells_are_read_as_what_they_were():
    programme = only("name,indication,stage,since,note\n'@trial,'=lung,PHASE_1,2020,'+3 of 5\n")
    assert (programme.molecule.name, programme.indication) == ("@trial", "=lung")
    assert programme.entries[0].note == "+3 of 5"


@pytest.mark.parametrize("text", ["'tis", "'", "''=1", "O'Neill", "'12"])
def test_other_apostrophes_stay(text):
    assert armed(text) == text


@given(st.text(max_size=20))
def test_what_was_defused_is_armed_again(text):
    if not text.startswith("'"):
        assert armed(defused(text)) == text

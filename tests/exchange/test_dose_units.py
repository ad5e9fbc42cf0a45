"""Dose units and amounts: the spellings of the published phase I trials and others of their kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange.dose_amounts import read_amount
from pipeline.exchange.dose_units import NO_UNIT, DoseUnit, read_unit

# The 43 spellings of dose_level.csv but NA, AUC and those below under REPAIRED and UNREAD; then others of their kinds.
PLAIN = {
    **{"mg/m2": "mg/m2", "mg": "mg", "mg/kg": "mg/kg", "Gy": "Gy", "mg/m2/d": "mg/m2/d", "mg/d": "mg/d", "ug": "ug"},
    **{"ug/kg": "ug/kg", "mg/day": "mg/d", "mg/m2/wk": "mg/m2/wk", "ug/m2": "ug/m2", "cGy": "cGy", "mCi/kg": "mCi/kg"},
    **{"unit/m2": "[arb'U]/m2", "mg/m2/day": "mg/m2/d", "mg/kg/hr": "mg/kg/h", "mg/m2/week": "mg/m2/wk"},
    **{"mg/kg/d": "mg/kg/d", "mg/week": "mg/wk", "mg/kg/day": "mg/kg/d", "IU/m2/d": "[IU]/m2/d", "MBq/m2": "MBq/m2"},
    **{"ug/kg/per day": "ug/kg/d", "ng/ml": "ng/mL", "TCID50": "[TCID_50]", "U/KG": "[arb'U]/kg", "vp/kg": "{vp}/kg"},
    **{"MBq/kg": "MBq/kg", "mCi": "mCi", "PU": "{particle_units}", "vp/dose": "{vp}/{dose}", "g": "g", "mg/L": "mg/L"},
    **{"TCID50/kg": "[TCID_50]/kg", "MIU": "M[IU]", "mg/m2/24 h": "mg/m2/d", "mg/kg/week": "mg/kg/wk"},
    **{"mg m^-2": "mg/m2", "mg m-2": "mg/m2", "mg·m−2": "mg/m2", "mg/m²": "mg/m2", "mg/m^2": "mg/m2", "MG/M2": "mg/m2"},
    **{"µg/kg": "ug/kg", "μg": "ug", "mcg/kg": "ug/kg", "mg kg-1": "mg/kg", "mg/kg per day": "mg/kg/d", " mg ": "mg"},
    **{"pfu": "[PFU]", "cells/kg": "{cells}/kg", "x10^6 cells/kg": "10*6.{cells}/kg", "1e8 cells": "10*8.{cells}"},
    **{"GBq": "GBq", "Gy/fraction": "Gy/{fraction}", "million IU/m2": "10*6.[IU]/m2", "mg·min/mL": "mg.min/mL"},
}
REPAIRED = {"mg/m2/weel": "mg/m2/wk", "mCi.kg": "mCi/kg", "mg.m2": "mg/m2"}
UNREAD = [
    "mg; um",
    "mg or mg/m2/day",
    "mg/m",
    "mg bid",
    "MU",
    "mIU",
    "AUC",
    "gr",
    "mg/m3",
    "x" * 80,
    "\x00",
    "10^6",
    "1e999 vp",
]


@pytest.mark.parametrize(("text", "code"), PLAIN.items())
def test_a_unit_is_read_as_ucum(text, code):
    assert read_unit(text) == DoseUnit(code, None)


@pytest.mark.parametrize(("text", "code"), REPAIRED.items())
def test_an_obvious_slip_is_repaired_and_flagged(text, code):
    unit = read_unit(text)
    assert unit.code == code
    assert unit.flag
    assert unit.flag.endswith(f"read as {code}")


@pytest.mark.parametrize("text", UNREAD)
def test_a_doubtful_unit_is_not_read_and_flagged(text):
    unit = read_unit(text)
    assert unit.code is None
    assert unit.flag
    assert unit.flag.endswith("kept as reported")


@pytest.mark.parametrize("text", [None, "", "NA", "N/A"])
def test_no_unit_is_no_flag(text):
    assert read_unit(text) == NO_UNIT


def test_a_bare_auc_has_a_unit_for_carboplatin_only():
    # Calvert AH et al., J Clin Oncol 1989;7:1748-56: dose in mg = AUC in mg/mL.min x (GFR in mL/min + 25).
    assert read_unit("AUC", "carboplatin") == DoseUnit("mg.min/mL", None)
    assert read_unit("AUC", "busulfan").code is None
    repaired = read_unit("mg/mL/min", "carboplatin")
    assert (repaired.code, repaired.flag) == (
        "mg.min/mL",
        "'mg/mL/min' would be a rate; read as the target AUC, mg.min/mL",
    )


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("100", 100, 100, None),
        ("0", 0, 0, None),
        ("0.32", 0.32, 0.32, None),
        ("1 x 10^9", 1e9, 1e9, None),
        ("4 × 10^10", 4e10, 4e10, None),
        ("1X10^7", 1e7, 1e7, None),
        ("2.5e9", 2.5e9, 2.5e9, None),
        ("50 mg", 50, 50, "mg"),
        ("30 mg/m2", 30, 30, "mg/m2"),
        ("AUC 5", 5, 5, "AUC"),
        ("AUC=6", 6, 6, "AUC"),
        ("5 AUC", 5, 5, "AUC"),
    ],
)
def test_an_amount_is_read(text, low, high, unit):
    amount = read_amount(text)
    assert (amount.low, amount.high, amount.unit, amount.flag) == (low, high, unit, None)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("18-24", 18, 24),
        ("1.8 –2.0", 1.8, 2.0),
        ("350 to 600", 350, 600),
        ("20 or 30", 20, 30),
        ("2,000", 2000, 2000),
        ("12,000", 12000, 12000),
        ("1,5", 1.5, 1.5),
    ],
)
def test_an_amount_that_needs_a_word_is_read_and_flagged(text, low, high):
    amount = read_amount(text)
    assert (amount.low, amount.high) == (low, high)
    assert amount.flag


@pytest.mark.parametrize(
    "text",
    [
        *(
            "400/250",
            "400/2400 (B/I)",
            "6-Aug",
            "2-Apr",
            "4 × 109",
            "5 x 10-^8",
            "?",
            "24-18",
            "80,100",
            "80, 100 or 120",
        ),
        *(
            "250 qam/500 qpm",
            "as tolerated",
            "-5",
            "<5",
            ">= 5",
            "nan",
            "inf",
            "1e999",
            "9" * 30,
            "=1+1",
            "\x00",
            "5 weeks",
        ),
        *("4 mg/kg loading dose followed by 2 mg/kg", "15/5(loading/\nmaintenance)", "1 000"),
    ],
)
def test_a_doubtful_amount_is_not_read_and_flagged(text):
    amount = read_amount(text)
    assert (amount.low, amount.high, amount.value) == (None, None, None)
    assert amount.flag
    assert amount.flag.endswith("kept as reported")


@given(st.text(max_size=90))
def test_any_text_gives_a_finite_amount_or_none(text):
    amount = read_amount(text)
    assert (amount.low is None) == (amount.high is None)
    if amount.low is not None and amount.high is not None:
        assert 0 <= amount.low <= amount.high < 1e104
    assert read_unit(text).code is None or read_unit(text, "carboplatin").code is not None

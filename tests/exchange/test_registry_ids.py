"""Registry numbers as papers print them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exchange.registry_ids import RegistryIds, read_registry_ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("NCT00544063", ["NCT00544063"]),
        (" NCT00431990", ["NCT00431990"]),
        ("NCT 00544063", ["NCT00544063"]),
        ("nct-00544063", ["NCT00544063"]),
        ("NCT00486603).", ["NCT00486603"]),
        ("EudraCT No. 2010-019214-25", ["2010-019214-25"]),
        ("Eudract 2005-002658-23", ["2005-002658-23"]),
        ("EU-CTR2006-001345-33", ["2006-001345-33"]),
        ("2005-002658-23", ["2005-002658-23"]),
        ("UMIN 000005263", ["UMIN000005263"]),
        ("UMIN-CTR 000003541", ["UMIN000003541"]),
        ("UMIN000001141 and UMIN000001142", ["UMIN000001141", "UMIN000001142"]),
        ("ACTRN12610000924055", ["ACTRN12610000924055"]),
        ("ISRCTN38983527", ["ISRCTN38983527"]),
        ("JapicCTI-132099", ["JapicCTI-132099"]),
        ("ChiCTR-OPN-16008316", ["ChiCTR-OPN-16008316"]),
    ],
)
def test_a_registry_number_is_cleaned(text, ids):
    assert read_registry_ids(text) == RegistryIds(tuple(ids), None)


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("UMIN 000,020,359", "UMIN000020359"),
        ("JapicCTI-101,233", "JapicCTI-101233"),
        ("EudraCT 2005005548-21", "2005-005548-21"),
    ],
)
def test_a_mended_number_is_flagged(text, id):
    assert read_registry_ids(text) == RegistryIds((id,), f"{text!r} read as {id}")


@pytest.mark.parametrize(
    "text",
    [
        *("NCT0110429", "NCT012345678", "132071", "26616225", "UMIN_CTR00002845", "EudraCT Number: 2009-017817-3"),
        *("CCI-06-00092", "NCCCTS-09-387", "ChiECRCT2014025", "see text", "NCT" + "0" * 600),
    ],
)
def test_what_no_register_gives_out_is_no_number(text):
    ids, flag = read_registry_ids(text)
    assert ids == ()
    assert flag
    assert flag.endswith("kept as reported")


@pytest.mark.parametrize("text", [None, "", "NA", " N/A "])
def test_nothing_is_no_number_and_no_flag(text):
    assert read_registry_ids(text) == RegistryIds((), None)


@given(st.text(max_size=60))
def test_any_text_is_read_without_failing(text):
    assert all(id.isascii() and " " not in id for id in read_registry_ids(text).ids)

"""Spellings of one molecule share a key; different molecules never do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.names import KNOWN_SYNONYMS, canonical_key, fold, tidy

SAME = [
    ("5-FU", "5 FU", "5fu", "5\u2011FU", "5\u2013fu", '"5-FU"', "５-ＦＵ", " 5-FU\n", "5\u00adFU"),
    ("17-AAG", "17-aag", "17aag", "17 AAG"),
    ("VX-680", "VX680", "vx 680", "VX_680", "VX\u2212680"),
    ("BAY 43-9006", "BAY43-9006", "bay 43 9006", "BAY-43\u20109006"),
    ("interferon-α", "interferon alpha", "Interferon-Alpha"),
    ("Myocet®", "myocet", "MYOCET™", "Myocet (TM)"),
    ("131I-omburtamab", "131 I-omburtamab", "¹³¹I omburtamab"),
    ("acide folinique", "Acide\u00a0Folinique", "ACIDE-FOLINIQUE"),
    ("témozolomide", "temozolomide", "te\u0301mozolomide"),
    ("St. John's wort", "St John\u2019s Wort"),
    ("doxorubicin, liposomal", "doxorubicin liposomal"),
    ("5'-DFUR", "5\u2032-DFUR", "5\u2019 -DFUR".replace(" ", "")),
    ("TNFerade™ biologic", "tnferade biologic"),
    ("90Y\u2010IT", "90y-it"),
    ("1-12", "1 12", "1\u201312", "1 - 12"),
]

DIFFERENT = [
    ("VX-680", "VX-68"),
    ("interferon alfa-2a", "interferon alfa-2b"),
    ("AB 1 12", "AB-11-2"),
    ("1-12", "112"),
    ("BAY 43-9006", "BAY 439-006"),
    ("2'-deoxy", "2-deoxy"),
    ("2''-deoxy", "2'-deoxy"),
    ("(+)-gossypol", "(-)-gossypol"),
    ("(-)-gossypol", "gossypol"),
    ("(R)-roscovitine", "roscovitine"),
    ("A+B", "AB"),
    ("1.2", "12"),
    ("2,3-X", "23-X"),
    ("paclitaxel", "nab-paclitaxel"),
    ("aminolevulinic acid", "levulinic acid"),
    ("interferon alpha", "interferon beta"),
    ("AB\ufffd1", "AB1"),
    ("imatinib", "imatinib mesylate"),
]


@pytest.mark.parametrize("spellings", SAME, ids=lambda spellings: spellings[0])
def test_spellings_of_one_molecule_share_a_key(spellings):
    assert {fold(spelling) for spelling in spellings} == {fold(spellings[0])}
    assert fold(spellings[0])


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_molecules_keep_different_keys(one, other):
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("5-FU", "5fu"),
        ("BAY 43-9006", "bay43-9006"),
        ("TGF-β", "tgfbeta"),
        ("5'-DFUR", "5'dfur"),
        ("CP-870,893", "cp870,893"),
        ("2',3'-dideoxyinosine", "2',3'dideoxyinosine"),
    ],
)
def test_the_key_reads_like_the_name(name, key):
    assert fold(name) == key


@pytest.mark.parametrize("name", ["", " ", "-", "(+)", "\u200b", "®", "...", "\x00", "''"])
def test_a_name_without_letter_or_digit_has_an_empty_key(name):
    assert fold(name) == ""


@given(st.text(max_size=30) | st.text(alphabet="aB1 -'′″.,()®_\u0301\u200b\u00ad9αβ\"", max_size=12))
@settings(max_examples=100)
def test_folding_is_idempotent_and_carries_no_spaces(name):
    key = fold(name)
    assert fold(key) == key
    assert not any(character.isspace() for character in key)
    key.encode()


@given(st.text(alphabet=st.characters(max_codepoint=0x24F), max_size=20))
@settings(max_examples=100)
def test_case_does_not_count(name):
    assert fold(name.casefold()) == fold(name)


@given(st.lists(st.integers(min_value=0, max_value=99_999), min_size=1, max_size=4))
@settings(max_examples=100)
def test_groups_of_digits_survive_folding(groups):
    assert fold("AB-" + " ".join(map(str, groups))) == "ab" + "-".join(map(str, groups))


def test_a_very_long_name_is_folded_without_being_remembered():
    before = fold.__globals__["_remembered"].cache_info().currsize
    assert fold("a-" * 5_000) == "a" * 5_000
    assert fold.__globals__["_remembered"].cache_info().currsize == before


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("  5-FU \n", "5-FU"),
        ("y-90-ibritumomab \ntiuxetan", "y-90-ibritumomab tiuxetan"),
        ("a\x00b\x15c", "a b c"),
        ("\ufeffAB\u200b-1", "AB-1"),
        ("te\u0301mozolomide", "témozolomide"),
        ("S\u20111", "S\u20111"),
        ("x\ud800", "x\ufffd"),
    ],
)
def test_a_shown_name_keeps_its_signs_and_loses_what_cannot_be_seen(name, shown):
    assert tidy(name) == shown
    assert tidy(shown) == shown


@given(st.text(max_size=30))
@settings(max_examples=100)
def test_tidying_never_changes_the_key(name):
    assert fold(tidy(name)) == fold(name)
    assert tidy(tidy(name)) == tidy(name)


@pytest.mark.parametrize(
    ("synonym", "name"),
    [
        ("5-FU", "fluorouracil"),
        ("17aag", "tanespimycin"),
        ("CPT 11", "Irinotecan"),
        ("l-ohp", "oxaliplatin"),
        ("VP16", "etoposide"),
        ("imatinib mesylate", "imatinib"),
        ("CP-358,774", "erlotinib"),
        ("fluorouracile", "fluorouracil"),
        ("rapamycin", "sirolimus"),
        ("Topotecan Hydrochloride", "topotecan"),
        ("topotecan HCl", "topotecan"),
        ("lapatinib ditosylate monohydrate", "lapatinib"),
        ("CPT-11 hydrochloride", "irinotecan"),
        ("Vincristine Sulfate", "vincristine"),
    ],
)
def test_known_synonyms_share_the_key_of_the_inn(synonym, name):
    assert canonical_key(synonym) == canonical_key(name) == fold(name)


@pytest.mark.parametrize(
    "name",
    [
        "nab-paclitaxel",
        "abiraterone acetate",
        "fludarabine phosphate",
        "ixazomib citrate",
        "liposomal doxorubicin",
        "XY-1",
        "",
    ],
)
def test_what_is_no_known_synonym_keeps_its_own_key(name):
    assert canonical_key(name) == fold(name)


@given(
    st.lists(
        st.sampled_from(
            ["imatinib", "5-FU", "mesylate", "di", "hydrochloride", "HCl", "maleate", "hydrate", "acetate", "/"]
        ),
        max_size=5,
    )
)
@settings(max_examples=100)
def test_a_canonical_key_is_its_own_canonical_key(words):
    key = canonical_key(" ".join(words))
    assert canonical_key(key) == key


def test_every_known_spelling_stands_for_one_molecule_only():
    owners = {}
    for name, others in KNOWN_SYNONYMS.items():
        for text in (name, *others):
            owners.setdefault(fold(text), set()).add(name)
    assert "" not in owners
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}
    assert all(canonical_key(name) == fold(name) for name in KNOWN_SYNONYMS)

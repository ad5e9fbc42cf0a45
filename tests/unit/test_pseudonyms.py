"""What may stand for a subject, and what plainly leads to a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.pseudonyms import checked_pseudonym, identifier_in, own_words_of, what_identifies

CODES = """
01-701-1015
PDS-FAKEDRUG-111-1001
HREF-0042
CDISCPILOT01-701-1015
S-001
0001
101-001-0001
10012001
1001-2001
SUBJ-12
Mouse 12
Rat-07
Animal 4
Sujet 3
HCC-1954
A0001
A-1
P1
NCT01732640-003
XYZ-101-01-0012
BMS-986205-001
ABC123-US-0007-0001
CONTROL-3
Control Male 3
Group High 12
GRP2-M-04
c57bl6-17
IUCT-0042
8001234567
2024-001
1M0401
8700001
PC201708-1001
CJ16050001
A_12_b
01.02.003
12-04-85
EX-2A-003
UPN 12
VEH-01
SENT-1
PATIENT-17
Volontaire 8
3
β-12
""".strip().splitlines()

NAMES = """
Jean Dupont
DUPONT Jean
Dupont, Jean
jean.dupont
jean_dupont
DUPONT-01
Dupont
dupont
Mme Martin
M. Kowalczyk
Dr House
John Smith
SMITH-003
Smith J.
J. Smith
O'Brien Mary
O’Connor
Hélène
LEFÈVRE-12
lefevre 1960
Marie-Claire Durand
MARIE-01
Kowalczyk Piotr
Kowalczyk
Kowalczyk Piotr 1960
KOWALCZYK PIOTR
Иванов Иван
王伟
J.D.
J.-P. M.
Nguyen Van An
Benali Ahmed
van der Berg
Garcia-7
""".strip().splitlines()


@pytest.mark.parametrize("code", CODES)
def test_codes_of_studies_pass_as_they_are(code):
    assert checked_pseudonym(f" {code} ") == code


@pytest.mark.parametrize("code", NAMES)
def test_names_are_refused(code):
    assert what_identifies(code) == "a name"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("jean.dupont@chu-toulouse.fr", "an e-mail address"),
        ("X1 a@b.org", "an e-mail address"),
        ("05 61 00 00 00", "a telephone number"),
        ("06.12.34.56.78", "a telephone number"),
        ("0612345678", "a telephone number"),
        ("+33 6 12 34 56 78", "a telephone number"),
        ("+44 20 7946 0958", "a telephone number"),
        ("(555) 123-4567", "a telephone number"),
        ("1 85 05 78 006 084 91", "a social-security number"),
        ("185057800608491", "a social-security number"),
        ("1850578006084", "a social-security number"),
        ("2 99 12 2A 004 123", "a social-security number"),
        ("RSSMRA85T10A562S", "a social-security number"),
        ("IPP 800123456", "a hospital or social-security number"),
        ("IPP:8001234", "a hospital or social-security number"),
        ("MRN-0012345", "a hospital or social-security number"),
        ("NIP n° 12345678", "a hospital or social-security number"),
        ("SSN 078-05-1120", "a hospital or social-security number"),
        ("1985-04-12", "a birth date"),
        ("12/04/1985", "a birth date"),
        ("12.04.85", "a birth date"),
        ("S-12-04-1985", "a birth date"),
        ("JD19850412", "a birth date"),
        ("12041985", "a birth date"),
        ("12 avril 1985", "a birth date"),
        ("12APR1985", "a birth date"),
        ("née le 3 mai", "a birth date"),
        ("12 rue des Lilas", "an address"),
        ("https://x.example/1", "an address"),
    ],
)
def test_numbers_dates_and_addresses_are_refused(text, found):
    assert what_identifies(text) == found


def test_a_refusal_says_what_to_do_and_does_not_repeat_the_name():
    with pytest.raises(InputError) as refusal:
        checked_pseudonym("Jean Dupont")
    assert "looks like a name" in refusal.value.message
    assert "pseudonym" in refusal.value.message
    assert "Dupont" not in refusal.value.message


@pytest.mark.parametrize("code", ["", "   ", "x" * 65, "A\x001", "A\u200b1", "A\n1"])
def test_what_is_no_code_at_all_is_refused(code):
    with pytest.raises(InputError):
        checked_pseudonym(code)


def test_a_study_that_goes_by_a_name_may_use_it_in_its_codes():
    words = own_words_of("EMILIA", "A study of DUPONT's compound", None)
    assert checked_pseudonym("EMILIA-0042", own_words=words) == "EMILIA-0042"
    assert what_identifies("DUPONT-7", own_words=own_words_of("Study DUPONT-7")) is None
    assert what_identifies("MARTIN-0042", own_words=words) == "a name"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("haemolysed, said Dr Martin; repeat on 2021-03-09", None),
        ("wrong tube, 3 samples of 12", None),
        ("call 06 12 34 56 78", "a telephone number"),
        ("patient born 12/04/1985", "a birth date"),
        ("dossier 80012345", "a hospital or social-security number"),
    ],
)
def test_free_text_is_searched_for_what_leads_to_a_person(text, found):
    assert identifier_in(text) == found


@given(st.from_regex(r"\A[A-H]{2,4}[0-9]{0,3}-[0-9]{3}-[0-9]{4}\Z"))
def test_letters_and_groups_of_digits_are_a_code(code):
    assert what_identifies(code, own_words=own_words_of(code)) is None


@given(st.text(max_size=80))
def test_any_text_is_answered(text):
    try:
        code = checked_pseudonym(text)
    except InputError:
        return
    assert checked_pseudonym(code) == code

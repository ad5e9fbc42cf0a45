"""Encodings are detected, said aloud, and called doubtful where the bytes allow two readings."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused
from pipeline.exchange.encodings import decode, plausibility_cost

FRENCH = (
    "nom;indication;motif\n"
    "béta;maladie de Ménière;arrêté : toxicité hépatique, à réévaluer\n"
    "gamma;lymphome de Hodgkin’s;« efficacité » insuffisante – 5 µg\n"
    "delta;leucémie aiguë myéloïde;coût trop élevé, cœur, où\n"
    "epsilon;Sjögren, Waldenström;Étude close\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "mac_roman"])
def test_french_text_is_read_in_every_encoding_without_doubt(encoding):
    decoded = decode(FRENCH.encode(encoding), "f.csv")
    assert decoded.text == FRENCH
    assert not decoded.doubtful


@pytest.mark.parametrize(("encoding", "name"), [("cp1252", "Windows-1252"), ("mac_roman", "Mac Roman")])
def test_a_detected_encoding_is_said_aloud(encoding, name):
    (warning,) = decode(FRENCH.encode(encoding), "f.csv").warnings
    assert warning == f"f.csv was read as {name}, by the look of its special letters."


def test_utf_16_without_a_mark_is_recognised():
    assert decode("name,phase\nétude,1\n".encode("utf-16-le"), "f.csv").text == "name,phase\nétude,1\n"


def test_dos_text_is_read():
    text = "nom;motif\nétude;arrêtée à Créteil\n"
    decoded = decode(text.encode("cp850"), "f.csv")
    assert (decoded.encoding, decoded.text) == ("cp850", text)


def test_a_doubtful_file_names_the_lines_and_both_readings():
    decoded = decode("name,phase\nSjögren,1\nplain,2\n".encode("mac_roman"), "f.csv")
    assert decoded.doubtful
    assert decoded.text == "name,phase\nSjögren,1\nplain,2\n"
    assert "may be Windows-1252: 1 line(s) read differently (line 2: Sjögren or Sjšgren)" in decoded.warnings[0]


@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_bytes_windows_1252_does_not_have_exclude_it(byte):
    assert decode(b"name,phase\nab" + bytes([byte]) + b"cd,1\n", "f.csv").encoding != "cp1252"


def test_e_acute_of_mac_roman_is_not_read_as_a_capital_inside_a_word():
    assert decode("name\nbéta\n".encode("mac_roman"), "f.csv").text == "name\nbéta\n"
    assert plausibility_cost("bŽta") > plausibility_cost("béta") + 6


def test_a_file_of_mixed_encodings_is_read_line_by_line_and_named():
    data = "nom\nbéta\n".encode() + "arrêté à Créteil\n".encode("cp1252")
    decoded = decode(data, "f.csv")
    assert decoded.text == "nom\nbéta\narrêté à Créteil\n"
    assert decoded.doubtful
    assert "(lines 3)" in decoded.warnings[0]


def test_letters_spoilt_before_the_file_was_written_are_told():
    decoded = decode("name\nbeta\nbÃ©ta\n".encode(), "f.csv")
    assert "1 line(s) hold letters that were damaged" in decoded.warnings[0]
    assert "line 3: bÃ©ta" in decoded.warnings[0]


def test_text_in_an_alphabet_not_known_here_is_called_doubtful():
    decoded = decode("имя;фаза\nпрепарат;первая фаза исследования\n".encode("cp1251"), "f.csv")
    assert decoded.doubtful


def test_text_that_breaks_its_own_mark_is_refused():
    with pytest.raises(FileRefused, match="damaged at byte"):
        decode(b"\xff\xfea\x00b", "f.csv")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(data):
    with contextlib.suppress(FileRefused):
        assert isinstance(decode(data, "f.csv").text, str)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(FRENCH.replace(";", "\n").splitlines()), min_size=1, max_size=8),
    st.sampled_from(["cp1252", "mac_roman", "utf-8"]),
)
def test_french_is_never_misread_without_being_called_doubtful(lines, encoding):
    text = "\n".join(lines)
    decoded = decode(text.encode(encoding), "f.csv")
    assert decoded.text == text or decoded.doubtful

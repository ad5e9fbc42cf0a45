"""Seals of many rows at once are the seals of each."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.store.chain import SALT_BYTES, TableTally, salted, seal

NAMES = ("id", "version", "zeta", "Beta", "alpha", "_x")
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))),
    st.binary(max_size=40),
)
ROWS = st.lists(st.tuples(*[VALUES] * len(NAMES)), min_size=1, max_size=5)


@settings(max_examples=100)
@given(ROWS, st.binary(min_size=5 * SALT_BYTES, max_size=5 * SALT_BYTES))
def test_rows_sealed_together_have_the_seals_they_have_alone(rows, salts):
    alone = [
        seal("things", dict(zip(NAMES, row, strict=True)), salts[SALT_BYTES * n : SALT_BYTES * (n + 1)])
        for n, row in enumerate(rows)
    ]
    columns = dict(zip(NAMES, zip(*rows, strict=True), strict=True))
    assert salted("things", columns, salts) == alone


@pytest.mark.parametrize("text", ["a\0b", "half \ud800"])
def test_what_no_database_keeps_is_refused(text):
    with pytest.raises(InputError):
        salted("things", {"id": (1,), "name": (text,)}, bytes(SALT_BYTES))


def test_a_text_that_only_spells_the_escape_of_nul_is_taken():
    assert salted("things", {"id": (1,), "name": ("\\u0000",)}, bytes(SALT_BYTES)) == [
        seal("things", {"id": 1, "name": "\\u0000"}, bytes(SALT_BYTES))
    ]


def test_seals_taken_together_count_as_taken_one_by_one():
    one, many = TableTally(), TableTally()
    for value in (b"a", b"bc", b"d"):
        one.add("new", value)
    many.add_all("new", [b"a", b"bc", b"d"])
    one.add("closed", b"e")
    many.add_all("closed", [b"e"])
    assert (one.rows, one.digests()) == (many.rows, many.digests())
    assert one.rows == 3

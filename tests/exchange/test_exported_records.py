"""Records as rows of SDTM: whatever a record holds, it comes back from every format as it was."""

from __future__ import annotations

import io
from datetime import datetime
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.exchange.dataset_csv import read_csv
from pipeline.exchange.dataset_csv_write import write_csv
from pipeline.exchange.dataset_json import read_dataset_json
from pipeline.exchange.dataset_json_write import JsonForm, write_dataset_json
from pipeline.exchange.dataset_table import DataSet, Source
from pipeline.exchange.dataset_xlsx_write import write_workbook
from pipeline.exchange.export_layouts import BESIDE, LAYOUTS, ORIGIN, RETEST, STATE, SUBJECTS, Layout
from pipeline.exchange.export_numbers import numbered
from pipeline.exchange.export_records import (
    SUPPLEMENT,
    Limits,
    Rows,
    columns_of,
    decoded,
    encoded,
    pieces,
    qualifier_of_source,
    supplement_row,
)
from pipeline.exchange.export_seal import SEAL, seal_of
from pipeline.exchange.export_study import MOLECULE, SUMMARY, record_set, summary_rows, supplement_set, text_set
from pipeline.exchange.returned_study import CHANGED, read_returned
from pipeline.exchange.study_facts import QualifierFact, StudyRecords
from pipeline.exchange.study_workbook import is_study_workbook, study_sheets
from pipeline.exchange.xpt import read_xpt
from pipeline.exchange.xpt_write import LONGEST_TEXT, write_xpt
from pipeline.names import canonical_key
from pipeline.reports.study_export import FORMATS

CREATED = datetime(2026, 3, 1)
LIMITS = {
    "xpt": Limits(LONGEST_TEXT, lambda text: len(text.encode()), ibm_numbers=True),
    "xlsx": Limits(16_000, workbook=True),
}
LETTERS = st.characters(codec="utf-8", exclude_characters="\x00")
AWKWARD = st.sampled_from(
    [
        *("NA", ".", "null", '"', "=1+1", "'=1", "+33", "-", "@x", " blank", "blank ", "a\nb", "a\r\nb", "0.50", "1E5"),
        *("<LLOQ", "true", "x" * 199 + "é" + "y" * 300, "word " * 90, "2013-07", "2013-07-01T08:00", "\ufeffx", "\x07"),
    ]
)
TEXTS = st.one_of(AWKWARD, st.text(LETTERS, max_size=30))
NUMBERS = st.one_of(
    st.sampled_from([0.0, 1.0, 0.1, 5 / 60, 1 / 3, 362.29999999999995, 1e-90, 1e80, 123456789012345680.0, -2.5]),
    st.floats(allow_nan=False, allow_infinity=False),
)


def value_of(name: str, kind: Any) -> st.SearchStrategy[Any]:
    """Return values a field can have."""
    kinds = get_args(kind) or (kind,)
    made = {str: TEXTS, float: NUMBERS, int: st.integers(-5, 9), bool: st.booleans(), NoneType: st.none()}
    if name == "molecule":
        return st.sampled_from(["Examplib", "Testumab", None])
    return st.one_of([made[one] for one in kinds])


def records_of(layout: Layout) -> st.SearchStrategy[dict[str, Any]]:
    """Return records of a domain."""
    hints = get_type_hints(layout.fact)
    fields = {name: value_of(name, hints[name]) for name in layout.fields if name != "molecule" or "molecule" in hints}
    made = st.fixed_dictionaries(fields)
    return made.map(lambda record: record | ({"domain": layout.code} if "domain" in record else {}))


QUALIFIERS = st.lists(
    st.tuples(
        st.sampled_from(["RSDEXCL", "AETRTEM", "OTHER"]),
        st.one_of(st.none(), st.just("A label")),
        st.one_of(st.none(), TEXTS.filter(bool)),
        st.one_of(st.none(), st.just("CRF")),
    ),
    max_size=2,
    unique_by=lambda told: told[0],
)


def sets_of(layout: Layout, groups: dict[str, list[tuple[dict[str, Any], list[Any]]]], format: str) -> list[DataSet]:
    """Return the data sets of some records, by subject."""
    limits = LIMITS.get(format, Limits())
    rows = Rows(layout, limits)
    made: list[list[Any]] = []
    beside: list[list[Any]] = []
    for who, told in groups.items():
        numbers = numbered([record.get("sequence") for record, _ in told])
        for (record, qualifiers), number in zip(told, numbers, strict=True):
            cells, own = rows.of(record | {"code": record.get("code", who)}, number)
            named = {"STUDYID": "S1", "USUBJID": who, "POOLID": None} | cells
            made.append([named[name] for name, *_ in columns_of(layout, pooled=True)])
            theirs = [one for said in qualifiers for one in qualifier_of_source(*said, limits)]
            beside += [supplement_row("S1", layout.code, (who, None), number, one) for one in (*own, *theirs)]
    sets = [record_set(layout, lambda: iter(made), study="S1", pooled=True)]
    if beside:
        sets.append(supplement_set(layout, lambda: iter(beside), study="S1"))
    told_rows = summary_rows("S1", [(MOLECULE, "Examplib"), (SEAL, seal_of(sets))], limits)
    return [text_set("TS", "Trial Summary", SUMMARY, lambda: iter(told_rows), study="S1"), *sets]


def through(sets: list[DataSet], format: str) -> list[DataSet]:
    """Write data sets in a format and read them."""
    if format == "xlsx":
        out = io.BytesIO()
        write_workbook(out, sets, about={"what": "=danger()"})
        assert is_study_workbook(out.getvalue())
        return study_sheets(Source.of("book.xlsx", out.getvalue()))
    found: list[DataSet] = []
    for one in sets:
        out = io.BytesIO()
        if format == "xpt":
            write_xpt(out, [one], created=CREATED)
            found += read_xpt(Source.of(f"{one.name}.xpt", out.getvalue()))
        elif format == "csv":
            write_csv(out, one)
            found.append(read_csv(Source.of(f"{one.name}.csv", out.getvalue())))
        else:
            form = JsonForm.JSON if format == "dataset-json" else JsonForm.NDJSON
            write_dataset_json(out, one, created=CREATED, form=form)
            found += read_dataset_json(Source.of(f"{one.name}.json", out.getvalue()))
    return found


def records_in(sets: list[DataSet]) -> StudyRecords:
    """Return the study that comes back."""
    returned = read_returned(sets)
    assert returned.warnings == []
    assert returned.reading is not None
    [study] = returned.reading.studies
    return study


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), code=st.sampled_from(["DM", *LAYOUTS]))
def test_whatever_a_record_holds_comes_back(data: st.DataObject, code: str, format: str) -> None:
    layout = SUBJECTS if code == "DM" else LAYOUTS[code]
    each = st.tuples(records_of(layout), QUALIFIERS)
    most = 1 if code == "DM" else 3
    groups = data.draw(st.fixed_dictionaries({who: st.lists(each, min_size=1, max_size=most) for who in ("A1", "B2")}))
    sets = sets_of(layout, groups, format)
    study = records_in(through(sets, format))
    batches = list(study.stream())
    found = study.subjects if code == "DM" else [f for b in batches if b.kind is layout.fact for f in b.facts]
    wanted = [record for told in groups.values() for record, _ in told]
    assert len(found) == len(wanted)
    for fact, record in zip(found, wanted, strict=True):
        said = {name: getattr(fact, name) for name in layout.fields}
        if record.get("molecule"):
            record = record | {"molecule": canonical_key(record["molecule"])}
        assert {name: (value, type(value)) for name, value in said.items()} == {
            name: (record[name], type(record[name])) for name in said
        }
    qualifiers = [fact for batch in batches if batch.kind is QualifierFact for fact in batch.facts]
    assert [tuple(fact[1:5]) for fact in qualifiers] == [
        tuple(said) for told in groups.values() for _, theirs in told for said in theirs
    ]
    assert sum(batch.rows for batch in batches) == sum(len(chunk) for one in sets for chunk in one.chunks())


def test_every_field_has_a_qualifier_of_its_own() -> None:
    fields = {name for layout in (SUBJECTS, *LAYOUTS.values()) for name in layout.fields}
    assert fields <= BESIDE.keys()
    names = [name for name, _ in BESIDE.values()] + [ORIGIN, STATE, RETEST]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 7 and label and len(label) <= 40 for name, label in BESIDE.values())


@pytest.mark.parametrize("code", ["DM", *LAYOUTS])
def test_names_and_labels_fit_a_transport_file(code: str) -> None:
    layout = SUBJECTS if code == "DM" else LAYOUTS[code]
    columns = columns_of(layout, pooled=True)
    names = [name for name, *_ in columns]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 8 and 0 < len(label) <= 40 for name, label, *_ in columns)
    assert all(len(name) <= 8 and len(label) <= 40 for name, label, _ in SUPPLEMENT)


def test_a_changed_export_is_read_as_any_other_study() -> None:
    record = dict.fromkeys(LAYOUTS["DS"].fields) | {"term_reported": "COMPLETED", "sorted_on": "", "sequence": "1"}
    sets = sets_of(LAYOUTS["DS"], {"A1": [(record, [])]}, "csv")
    out = io.BytesIO()
    write_csv(out, sets[1])
    changed = read_csv(Source.of("DS.csv", out.getvalue().replace(b"COMPLETED", b"DIED")))
    found = read_returned([sets[0], changed])
    assert (found.reading, found.warnings) == (None, [CHANGED])
    assert read_returned(sets).reading is not None


def test_a_record_keeps_its_number_where_it_is_one() -> None:
    assert numbered(["3", None, "3", "x", "7", "007"]) == ["3", "8", "9", "10", "7", "11"]
    assert numbered([]) == []


def test_a_long_text_is_cut_into_pieces_or_refused() -> None:
    limits = LIMITS["xpt"]
    text = "é" * 150 + " " + "z" * 120
    cut = pieces(text, limits, "AE.AETERM")
    assert "".join(cut) == text
    assert all(len(piece.encode()) <= 200 and piece == piece.strip() for piece in cut)
    with pytest.raises(InputError, match=r"AE\.AETERM: .* cannot be cut"):
        pieces("a" + " " * 500 + "b", limits, "AE.AETERM")


@given(st.one_of(TEXTS, NUMBERS, st.booleans(), st.none()))
def test_what_is_encoded_is_decoded(value: Any) -> None:
    assert decoded(encoded(value), (type(value),)) == value


@pytest.mark.parametrize(("text", "kinds"), [("{", (float,)), ("true", (float,)), ("[1]", (bool,)), ('"x', (str,))])
def test_what_is_not_encoded_is_refused(text: str, kinds: tuple[type, ...]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what JSON says of it does not matter
        decoded(text, kinds)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [("MTDAY", "{", "property name"), ("MTDAY", "true", "another kind"), ("MTTERMR", "null", "term_reported is empty")],
)
def test_a_seal_made_anew_over_nonsense_lets_no_nonsense_in(name: str, value: str, why: str) -> None:
    layout = LAYOUTS["DS"]
    record = dict.fromkeys(layout.fields) | {"term_reported": "COMPLETED", "sorted_on": "", "sequence": "1"}
    [_, disposition] = sets_of(layout, {"A1": [(record, [])]}, "csv")
    row = ["S1", "DS", "A1", None, "DSSEQ", "1", name, None, value, None, "MOLTRAIL"]
    sets = [disposition, supplement_set(layout, lambda: iter([row]), study="S1")]
    told = summary_rows("S1", [(SEAL, seal_of(sets))], Limits())
    sets.append(text_set("TS", "Trial Summary", SUMMARY, lambda: iter(told), study="S1"))
    batches = list(records_in(sets).stream())
    assert [fact for batch in batches for fact in batch.facts] == []
    [bad] = [item for batch in batches for item in batch.quarantined]
    assert why in bad.reason


def test_a_seal_made_anew_over_a_name_lets_no_name_in() -> None:
    layout = LAYOUTS["DS"]
    record = dict.fromkeys(layout.fields) | {"term_reported": "COMPLETED", "sorted_on": "", "sequence": "1"}
    sets = sets_of(layout, {"Jean Dupont": [(record, [])]}, "csv")
    batches = list(records_in(sets).stream())
    assert [fact for batch in batches for fact in batch.facts] == []
    [bad] = [item for batch in batches for item in batch.quarantined]
    assert "give a pseudonym" in bad.reason
    assert "Dupont" not in repr(bad)

"""Columns told from headings, units and values, and what is made of a table by them."""

from __future__ import annotations

import io
import random

import openpyxl
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused, InputError, PipelineError
from pipeline.exchange.column_mapping import Mapping, mapping_from, mapping_text
from pipeline.exchange.column_mapping_formats import read_known
from pipeline.exchange.column_mapping_kinds import KINDS
from pipeline.exchange.column_mapping_laboratory import test_code as code_of_test
from pipeline.exchange.column_mapping_parameters import parameter_code
from pipeline.exchange.column_mapping_propose import split_heading
from pipeline.exchange.column_mapping_records import clock_time, label
from pipeline.exchange.column_mapping_tables import proposal_of
from pipeline.exchange.reading import Place, Reading, SentFile
from pipeline.exchange.study_facts import ConcentrationFact, Fact


@pytest.mark.parametrize(
    ("heading", "words", "unit"),
    [
        ("Conc. (ng/mL)", "conc", "ng/mL"),
        ("BW_g", "bw", "g"),
        ("Temps [h]", "temps", "h"),
        ("animalID", "animal id", None),
        ("TUMOR_VOLUME", "tumor volume", None),
        ("N° souris", "n souris", None),
        ("Study Day", "study day", None),
        ("Poids (g)", "poids", "g"),
        ("Volume tumoral, mm3", "volume tumoral", "mm3"),
        ("LLOQ M4", "lloq m4", None),
    ],
)
def test_headings_give_words_and_units(heading: str, words: str, unit: str | None) -> None:
    assert split_heading(heading) == (words, unit)


def fields(text: str) -> dict[str, str | None]:
    proposal = proposal_of("t.csv", text.encode())
    return {column.heading: column.field for column in proposal.columns} | {
        "": None if proposal.kind is None else proposal.kind.code
    }


def test_the_kinds_of_lists_are_told() -> None:
    assert fields(
        "Patient;Evénement indésirable;Grade CTCAE;Date de début;Imputabilité\nP1;Nausées;2;03/02/2024;oui\n"
    ) == {
        "Patient": "subject",
        "Evénement indésirable": "term",
        "Grade CTCAE": "grade",
        "Date de début": "started_on",
        "Imputabilité": "relatedness",
        "": "ADVERSE_EVENTS",
    }
    assert fields("Subject,Test,Result,Unit,LLN,ULN,Date\nP1,ALT,55,U/L,5,40,2024-01-02\n") == {
        "Subject": "subject",
        "Test": "test",
        "Result": "result",
        "Unit": "unit",
        "LLN": "lower_normal",
        "ULN": "upper_normal",
        "Date": "sampled_at",
        "": "LABORATORY",
    }
    assert fields("Sujet;Traitement;Dose (mg);Voie;Date d'administration\nP1;A;5,5;orale;2024-01-02\n") == {
        "Sujet": "subject",
        "Traitement": "treatment",
        "Dose (mg)": "dose",
        "Voie": "route",
        "Date d'administration": "started_on",
        "": "DOSES",
    }


def test_what_is_not_understood_stays_in_doubt() -> None:
    proposal = proposal_of("t.csv", b"Subject,Analyte,Conc (ng/mL),Time,Widget\nS1,x,5,1,q\nS1,x,4,2,q\n")
    told = {column.heading: (column.field, column.doubt) for column in proposal.columns}
    assert told["Widget"] == (None, True)
    assert told["Time"] == ("nominal_time", True)  # no unit is said
    assert told["Conc (ng/mL)"] == ("concentration", False)
    assert not proposal.certain


@pytest.mark.parametrize(
    "table",
    [
        "Subject,Analyte,Time (h),Conc (ng/mL),LLOQ (ng/mL)\nP1,X,1,2.5,0.5\n",
        "Animal,Group,Day,Body weight (g),Tumor volume (mm3)\nm1,veh,0,20,150\n",
        "Name,Stage,1 h,2 h\nX,Phase 1,3,4\n",
    ],
)
def test_a_value_per_row_is_no_such_table(table: str) -> None:
    assert not any("there is a column for each" in note for note in proposal_of("t.csv", table.encode()).notes)


def test_a_mapping_is_kept_as_it_is() -> None:
    text = (
        '{"kind": "CONCENTRATIONS", "columns": {"A": "subject", "C": null,'
        ' "B": {"field": "concentration", "unit": "ng/mL"}},'
        ' "constants": {"analyte": "x"}, "missing": ["ND?"], "below_limit": ["NQ*"], "decimal": ",", "zero": "a value"}'
    )
    mapping = mapping_from(text)
    assert mapping_from(mapping_text(mapping)) == mapping
    assert (mapping.decimal_comma, mapping.day_first, mapping.zero_is_below_limit) == (True, None, False)


KEYS = st.sampled_from(["kind", "columns", "field", "unit", "constants", "missing", "decimal", "zero"])
LEAVES = st.none() | st.booleans() | st.text(max_size=8) | st.integers(-9, 9)
SAID = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner), max_leaves=12)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(KEYS, SAID))
def test_anything_else_is_refused_in_words(said: dict[str, object]) -> None:
    with pytest.raises(PipelineError):
        mapping_from(orjson.dumps({"kind": "DOSES"} | said))


def read(text: str | bytes, mapping: Mapping | None = None, name: str = "t.csv") -> Reading:
    content = text.encode() if isinstance(text, str) else text
    return read_known([SentFile(name, content, name)], mapping=mapping, study="ST-1")


def taken(reading: Reading) -> tuple[list[Fact], dict[int, str], int]:
    """Return the facts of a reading, why rows were put aside, and how many rows there are."""
    facts: list[Fact] = []
    aside: dict[int, str] = {}
    rows = 0
    for records in reading.records:
        for batch in records.stream():
            rows += batch.rows
            facts += batch.facts
            aside |= {item.place.row: item.reason for item in batch.quarantined}
            aside |= {item.fact.place.row: item.explanation for item in batch.held}
    for batch in reading.outside:
        rows += batch.rows
        aside |= {item.place.row: item.reason for item in batch.quarantined}
    return facts, aside, rows


CONCENTRATIONS = mapping_from(
    '{"kind": "CONCENTRATIONS", "columns": {"Sujet": "subject", "Date": "sample_date", "Heure": "sample_time",'
    ' "T (min)": {"field": "nominal_time", "unit": "min"}, "Taux": {"field": "concentration", "unit": "ng/mL"},'
    ' "LIQ": "lower_limit"}, "constants": {"analyte": "drugx", "specimen": "PLASMA"}, "missing": ["vide"],'
    ' "below_limit": ["NQ*"], "decimal": ",", "date_order": "day first"}'
)


def test_habits_of_a_mapping_are_kept_to() -> None:
    facts, aside, rows = taken(
        read(
            "Sujet;Date;Heure;T (min);Taux;LIQ\n"
            "S1;03/04/2024;08h05;30;1.234;0,5\n"
            "S1;03/04/2024;09:05;90;1,5;0,5\n"
            "S1;03/04/2024;10:05;150;NQ*;0,5\n"
            "S1;03/04/2024;11:05;210;vide;0,5\n"
            "S1;31/02/2024;11:05;210;5;0,5\n"
            "S1;03/04/2024;11:75;300;5;0,5\n"
            "S1;03/04/2024;13:05;Prédose;0,2;0,5\n",
            CONCENTRATIONS,
        )
    )
    assert rows == 7
    assert sorted(aside) == [6, 7]
    assert [
        (f.reported, f.concentration, f.below_limit, f.hours_after_dose, f.sampled_at)  # type: ignore[union-attr]
        for f in facts
    ] == [
        ("1.234", 1234.0, False, 0.5, "2024-04-03T08:05"),
        ("1,5", 1.5, False, 1.5, "2024-04-03T09:05"),
        ("NQ*", None, True, 2.5, "2024-04-03T10:05"),
        (None, None, False, 3.5, "2024-04-03T11:05"),
        ("0,2", None, True, 0.0, "2024-04-03T13:05"),
    ]


@pytest.mark.parametrize(
    ("unit", "limit", "below", "lower"),
    [
        ("pg/mL", "500", [True, False], 0.5),
        ("ng/mL", "0.5", [True, False], 0.5),
        (None, "0.5", [True, False], 0.5),
        ("nmol/L", "1", [], None),
    ],
)
def test_a_limit_is_held_against_results_in_their_unit(
    unit: str | None, limit: str, below: list[bool], lower: float | None
) -> None:
    heading = "LLOQ" if unit is None else f"LLOQ ({unit})"
    said = {
        "kind": "CONCENTRATIONS",
        "columns": {
            **{"P": "subject", "T": {"field": "nominal_time", "unit": "h"}},
            **{"C": {"field": "concentration", "unit": "ng/mL"}, heading: {"field": "lower_limit", "unit": unit}},
        },
        "constants": {"analyte": "drugx"},
    }
    table = f"P,T,C,{heading}\nS1,0,0.2,{limit}\nS1,1,12,{limit}\n"
    facts, aside, _ = taken(read(table, mapping_from(orjson.dumps(said))))
    found = [fact for fact in facts if isinstance(fact, ConcentrationFact)]
    assert [fact.below_limit for fact in found] == below
    assert {fact.lower_limit for fact in found} <= {lower}
    assert ("cannot be held against a result in ng/mL" in aside.get(3, "")) is (not below)


def test_limits_of_laboratory_values_are_put_into_their_unit() -> None:
    said = {
        "kind": "LABORATORY",
        "columns": {
            **{"P": "subject", "A": "test", "V": {"field": "result", "unit": "g/L"}},
            "H": {"field": "upper_normal", "unit": "mg/dL"},
        },
    }
    facts, _, _ = taken(read("P,A,V,H\nP1,ALB,40,5000\n", mapping_from(orjson.dumps(said))))
    assert [(f.value, f.upper_normal) for f in facts] == [(40.0, 50.0)]  # type: ignore[union-attr]


def test_dates_that_nothing_settles_say_how_to_settle_them() -> None:
    table = "Subject,Analyte,Sample date,Conc (ng/mL)\nS1,x,04/03/2024,5\n"
    proposal = proposal_of("t.csv", table.encode())
    assert any('"date_order": "day first" or "month first"' in note for note in proposal.notes)
    _, aside, _ = taken(read(table, proposal.mapping()))
    assert 'say in the mapping "date_order"' in aside[2]


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    headings = {
        "Sujet": "subject",
        "Taux": "concentration",
        "Unité": "unit",
        "LIQ": "lower_limit",
        "Date": "sample_date",
    }
    said = {"kind": "CONCENTRATIONS", "columns": headings, "constants": {"analyte": "drugx", "specimen": "PLASMA"}}
    rows = [
        "Sujet;Taux;Unité;LIQ;Date",
        "S1;-3;furlong;;32/13/2026",
        "S1;-3;furlong;abc;32/13/2026",
        "S1;4,5;µg/L;0,5;13/02/2026",
        "Moyenne;x;;;",
    ]
    facts, aside, _ = taken(read("\n".join(rows), mapping_from(orjson.dumps(said).decode())))
    assert len([fact for fact in facts if isinstance(fact, ConcentrationFact)]) == 1
    assert sorted(aside) == [2, 3, 5]
    assert "Unité: the unit 'furlong'" in aside[2]
    for part in ("this is no number", "Taux: a concentration cannot be -3", "Unité: the unit 'furlong'", "Date: "):
        assert part in aside[3]
    assert aside[5] == "the row sums others up; it is left out"


def test_reasons_speak_of_the_headings_of_the_table() -> None:
    _, aside, _ = taken(read("Sujet;T (min);Taux;LIQ\nS1;0;12x4;\nS1;30;5;\n", CONCENTRATIONS_SHORT))
    assert "12x4" in aside[2]
    assert "PCORRES" not in aside[2]


CONCENTRATIONS_SHORT = mapping_from(
    '{"kind": "CONCENTRATIONS", "columns": {"Sujet": "subject", "T (min)": {"field": "nominal_time", "unit": "min"},'
    ' "Taux": {"field": "concentration", "unit": "ng/mL"}, "LIQ": "lower_limit"},'
    ' "constants": {"analyte": "drugx", "specimen": "PLASMA"}}'
)


def test_lists_of_events_and_laboratory_values() -> None:
    events = mapping_from(
        '{"kind": "ADVERSE_EVENTS", "columns": {"P": "subject", "E": "term", "G": "grade", "D": "started_on"},'
        ' "date_order": "day first"}'
    )
    facts, aside, _ = taken(read("P;E;G;D\nP1;Nausées;Gr 2;03/02/2024\nP1;;1;\nP2;Rash;mild;\n", events))
    assert [(f.term, f.grade, f.grade_reported, f.started_on) for f in facts] == [  # type: ignore[union-attr]
        ("Nausées", 2, "Gr 2", "2024-02-03"),
        ("Rash", None, "mild", None),
    ]
    assert sorted(aside) == [3]
    tests = mapping_from(
        '{"kind": "LABORATORY", "columns": {"P": "subject", "A": "test", "V": "result",'
        ' "U": "unit", "H": "upper_normal"}}'
    )
    facts, _, _ = taken(read("P;A;V;U;H\nP1;ALAT (TGP);130,5;U/L;40,0\nP1;Plaquettes;90;G/L;\n", tests))
    assert [(f.test, f.value, f.upper_normal) for f in facts] == [("ALAT (TGP)", 130.5, 40.0), ("PLAT", 90.0, None)]  # type: ignore[union-attr]


def test_sheets_with_merged_headings_and_others_beside() -> None:
    book = openpyxl.Workbook()
    first = book.create_sheet("Volumes", 0)
    del book["Sheet"]
    for cells in (
        ["Étude X-9"],
        [],
        ["Animal", "Groupe", "Jour", "Tumeur", None],
        [None, None, None, "Volume (mm3)", "Poids (g)"],
        ["A1", "veh", 0, 105.5, 20.5],
        ["A2", "10 mg/kg", 0, 99, "-"],
    ):
        first.append(cells)
    for merged in ("D3:E3", "A3:A4", "B3:B4", "C3:C4"):
        first.merge_cells(merged)
    notes, weights = book.create_sheet("Notes"), book.create_sheet("Pesées")
    notes.append(["Remarque", "Auteur"])
    notes.append(["rien", "x"])
    weights.append(["Animal", "Jour", "Poids (g)"])
    weights.append(["A1", 3, 21])
    out = io.BytesIO()
    book.save(out)
    reading = read(out.getvalue(), name="x.xlsx")
    facts, aside, rows = taken(reading)
    assert (rows, aside) == (4, {})
    assert [(f.subject, f.what, f.day, f.value) for f in facts] == [  # type: ignore[union-attr]
        ("A1", "BW", 0.0, 20.5),
        ("A2", "BW", 0.0, None),
        ("A1", "BW", 3.0, 21.0),
        ("A1", "TUMVOL", 0.0, 105.5),
        ("A2", "TUMVOL", 0.0, 99.0),
    ]
    assert any("Notes" in warning for warning in reading.warnings)


def test_volumes_from_diameters_and_what_cannot_be() -> None:
    facts, aside, rows = taken(
        read(
            "mouse,group,day,length (mm),width (mm)\n"
            "1,PBS,0,10,5\n1,PBS,1,5,12\n1,PBS,2,abc,3\n2,PBS,0,4,4\n3,PBS,0,7,6\n4,PBS,0,9,8\n"
        )
    )
    assert (rows, sorted(aside)) == (6, [4])
    assert [f.value for f in facts] == [125.0, 150.0, 32.0, 126.0, 288.0]  # type: ignore[union-attr]
    _, aside, _ = taken(
        read(
            "mouse,group,day,volume,weight\n1,PBS,0,-5,20\n1,PBS,1,150,0\n1,PBS,2,160,21\n2,PBS,2,170,22\n3,PBS,2,x,22\n4,PBS,2,99,22\n"
        )
    )
    assert sorted(aside) == [2, 3, 6]


def test_a_row_lost_in_part_is_lost_as_a_whole() -> None:
    facts, aside, _ = taken(read("mouse,group,day,volume,weight\nDUPONT Jean,PBS,0,150,20\n2,PBS,0,160,21\n"))
    assert sorted(aside) == [2]
    assert {f.place for f in facts} == {Place("t.csv", 3)}
    assert "DUPONT" not in aside[2]


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_refused(seed: int) -> None:
    with pytest.raises(FileRefused):
        read(random.Random(seed).randbytes(20_000))


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n1,2\n", "mouse,day\n1,2\n"])
def test_what_is_no_such_table_is_refused(text: str) -> None:
    with pytest.raises(FileRefused):
        read(text)


def test_a_mapping_that_does_not_fit_names_what_is_missing() -> None:
    with pytest.raises(FileRefused, match="'Taux'"):
        read("Sujet;T (min);LIQ\nS1;0;1\n", CONCENTRATIONS_SHORT)


def test_every_kind_needs_fields_it_has() -> None:
    for kind in KINDS.values():
        assert {name for choices in kind.needs for name in choices} <= kind.fields.keys()
        assert set(kind.telling) <= kind.fields.keys()
    with pytest.raises(InputError):
        mapping_from('{"kind": "DOSES", "columns": {}}')


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("AUCINF_obs", "AUCIFO"),
        ("HL_Lambda_z", "LAMZHL"),
        ("AUClast", "AUCLST"),
        ("t1/2", "LAMZHL"),
        ("CMAX", "CMAX"),
        ("odd", "odd"),
    ],
)
def test_parameters_have_their_codes(name: str, code: str) -> None:
    assert parameter_code(name) == code


def test_small_spellings() -> None:
    assert (code_of_test("Hémoglobine"), code_of_test("TGP"), code_of_test("serum creatinine")) == (
        "HGB",
        "ALT",
        "CREAT",
    )
    assert [clock_time(text) for text in ("8:05", "08h05", "8", "24:61", "x")] == [
        "08:05",
        "08:05",
        "08:00",
        None,
        None,
    ]
    assert (label("ABC123 240mg Q2W"), label("3D model")) == ("ABC123 240 mg Q2W", "3D model")

"""Tables with a column for each analyte, test, parameter or time: told, mapped, and read cell by cell."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FileRefused, PipelineError
from pipeline.exchange.column_mapping import Mapping, mapping_from, mapping_text
from pipeline.exchange.column_mapping_formats import read_known
from pipeline.exchange.column_mapping_tables import proposal_of
from pipeline.exchange.formats import read_files
from pipeline.exchange.reading import Place, Reading, SentFile
from pipeline.exchange.study_facts import Batch, ConcentrationFact, Fact
from pipeline.stages.graph import default_graph

ANALYTES = "Subject,Time (h),Examplinib (ng/mL),M1 (ng/mL)\nP1,1,2.5,BLQ\n"
TIMES = "Patient;Pré-dose;1 h;2 h;4 h\nP1;BLQ;3,2;4,4;2,2\n"
DAYS = "Group,Mouse,D0,D3,D7\nveh,m1,100,150,220\n"
TESTS = "Patient,Date,ALAT (U/L),ASAT (U/L)\nP1,2024-03-01,30,25\n"
PARAMETERS = "Subject,Analyte,Cmax (ng/mL),Tmax (h),AUClast (h*ng/mL)\nP1,examplinib,12,1.5,88\n"


@pytest.mark.parametrize(
    ("table", "kind", "field", "said", "lacks"),
    [
        (ANALYTES, "CONCENTRATIONS", "concentration", [{"analyte": "Examplinib"}, {"analyte": "M1"}], []),
        (
            TIMES,
            "CONCENTRATIONS",
            "concentration",
            [{"nominal_time": time} for time in ("Pré-dose", "1 h", "2 h", "4 h")],
            ["analyte"],
        ),
        (DAYS, "TUMOUR_GROWTH", "tumour_volume", [{"day": "0"}, {"day": "3"}, {"day": "7"}], []),
        (TESTS, "LABORATORY", "result", [{"test": "ALAT"}, {"test": "ASAT"}], []),
        (
            PARAMETERS,
            "PARAMETERS",
            "value",
            [{"parameter": "Cmax"}, {"parameter": "Tmax"}, {"parameter": "AUClast"}],
            [],
        ),
    ],
)
def test_what_headings_say_is_proposed(
    table: str, kind: str, field: str, said: list[dict[str, str]], lacks: list[str]
) -> None:
    proposal = proposal_of("t.csv", table.encode())
    apart = [column for column in proposal.columns if column.constants]
    assert proposal.kind is not None
    assert (proposal.kind.code, proposal.lacks) == (kind, lacks)
    assert {column.field for column in apart} == {field}
    assert [column.constants for column in apart] == said
    with pytest.raises(FileRefused, match=r"t\.csv looks like .*moltrail mapping confirm"):
        read_files("auto", [("t.csv", table.encode())], default_graph())


def mapped(table: str, **constants: str) -> Mapping:
    """Return the mapping that is proposed for a table, with some constants."""
    return mapping_from(orjson.dumps(proposal_of("t.csv", table.encode()).as_json() | {"constants": constants}))


def batches(reading: Reading) -> list[Batch]:
    return [*(batch for records in reading.records for batch in records.stream()), *reading.outside]


def read(table: str, mapping: Mapping) -> Reading:
    return read_known([SentFile("t.csv", table.encode(), "t.csv")], mapping=mapping, study="ST-1")


def facts(reading: Reading, *names: str) -> list[tuple[object, ...]]:
    """Return some fields of the records of a reading, in the order of their places."""
    found: list[Fact] = [fact for batch in batches(reading) for fact in batch.facts if hasattr(fact, names[0])]
    found.sort(key=lambda fact: (fact.place.row, fact.place.file))
    return [tuple(getattr(fact, name) for name in names) for fact in found]


def test_every_kind_of_wide_table_is_read() -> None:
    assert facts(read(ANALYTES, mapped(ANALYTES)), "analyte", "concentration", "below_limit", "place") == [
        ("Examplinib", 2.5, False, Place("t.csv[Examplinib (ng/mL)]", 2)),
        ("M1", None, True, Place("t.csv[M1 (ng/mL)]", 2)),
    ]
    times = read(TIMES, mapped(TIMES, analyte="examplinib", unit="ng/mL"))
    assert sorted(facts(times, "hours_after_dose", "concentration", "unit"), key=str) == [
        (0.0, None, "ng/mL"),
        (1.0, 3.2, "ng/mL"),
        (2.0, 4.4, "ng/mL"),
        (4.0, 2.2, "ng/mL"),
    ]
    assert facts(read(DAYS, mapped(DAYS)), "what", "day", "value") == [
        ("TUMVOL", 0.0, 100.0),
        ("TUMVOL", 3.0, 150.0),
        ("TUMVOL", 7.0, 220.0),
    ]
    assert facts(read(TESTS, mapped(TESTS)), "test", "value", "unit") == [("ALT", 30.0, "U/L"), ("AST", 25.0, "U/L")]
    assert facts(read(PARAMETERS, mapped(PARAMETERS)), "code", "value", "unit") == [
        ("AUCLST", 88.0, "h*ng/mL"),
        ("CMAX", 12.0, "ng/mL"),
        ("TMAX", 1.5, "h"),
    ]


def test_what_stands_beside_an_analyte_is_told() -> None:
    table = "Subject,Time (h),Conc_A (ng/mL),LLOQ A,M4 (nmol/L),M4 LLOQ (nmol/L),Remark\nP1,1,2.5,0.5,3,1,x\n"
    proposal = proposal_of("t.csv", table.encode())
    assert {column.heading: (column.field, column.unit, *column.constants.values()) for column in proposal.columns} == {
        "Subject": ("subject", None),
        "Time (h)": ("nominal_time", "h"),
        "Conc_A (ng/mL)": ("concentration", "ng/mL", "A"),
        "LLOQ A": ("lower_limit", None, "A"),
        "M4 (nmol/L)": ("concentration", "nmol/L", "M4"),
        "M4 LLOQ (nmol/L)": ("lower_limit", "nmol/L", "M4"),
        "Remark": (None, None),
    }
    found = facts(read(table, mapped(table)), "analyte", "concentration", "lower_limit")
    assert found == [("A", 2.5, 0.5), ("M4", 3.0, 1.0)]


def test_columns_with_the_same_constants_belong_together() -> None:
    mapping = mapping_from(
        '{"kind": "CONCENTRATIONS", "columns": {"P": "subject", "t": {"field": "nominal_time", "unit": "h"},'
        ' "A": {"field": "concentration", "unit": "ng/mL", "constants": {"analyte": "a"}},'
        ' "LA": {"field": "lower_limit", "constants": {"analyte": "a"}},'
        ' "B": {"field": "concentration", "unit": "ug/L", "constants": {"analyte": "b", "lower_limit": "3"}}}}'
    )
    assert mapping_from(mapping_text(mapping)) == mapping
    reading = read("P,t,A,LA,B\nP1,1,0.4,0.5,2\nP1,2,,0.5,7\n", mapping)
    assert facts(reading, "analyte", "concentration", "below_limit", "lower_limit") == [
        ("a", None, True, 0.5),
        ("b", None, True, 3.0),
        ("b", 7.0, False, 3.0),
    ]
    assert any("cells read: 3; empty, and no records: 1" in warning for warning in reading.warnings)


def test_what_is_wrong_names_the_cell() -> None:
    reading = read(ANALYTES + "P1,2,abc?,4\nP2,1,,\n", mapped(ANALYTES))
    aside = [item for batch in batches(reading) for item in batch.quarantined]
    assert [(item.place, item.column, item.value) for item in sorted(aside, key=lambda item: item.place.row)] == [
        (Place("t.csv[Examplinib (ng/mL)]", 3), "Examplinib (ng/mL)", "abc?"),
        (Place("t.csv", 4), None, None),
    ]


def test_a_column_without_any_result_is_no_matter() -> None:
    table = "Subject,Time (h),A (ng/mL),B (ng/mL),C (ng/mL)\nP1,1,2.5,3,\nP1,2,1.5,2,\n"
    reading = read(table, mapped(table))
    assert not any("holds no rows" in warning for warning in reading.warnings)
    assert [name for name, _ in facts(reading, "analyte", "place")] == ["A", "B", "A", "B"]


def test_habits_are_those_of_all_columns_together() -> None:
    table = "Subject;Time (h);Examplinib (ng/mL);M1 (ng/mL)\nP1;1;1,234;0,75\n"
    assert facts(read(table, mapped(table)), "concentration") == [(1.234,), (0.75,)]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ('"A": "concentration", "B": "concentration"', 'say in "constants" what sets them apart'),
        (
            '"A": {"field": "concentration", "constants": {"analyte": "x"}}, "B": "concentration"',
            "concentration is read from 'B' already",
        ),
        (
            '"A": {"field": "concentration", "constants": {"analyte": "x"}},'
            ' "B": {"field": "concentration", "constants": {"analyte": "x"}}',
            "concentration is read from 'A' already",
        ),
        (
            '"N": "analyte", "A": {"field": "concentration", "constants": {"analyte": "x"}}',
            "analyte is read from 'N'; leave it out of the constants",
        ),
        (
            '"A": {"field": "concentration", "constants": {"concentration": "1", "analyte": "x"}}',
            "concentration is read from the column itself",
        ),
        ('"A": {"field": "concentration", "constants": {"colour": "x"}}', "'colour' is no field"),
        ('"A": {"field": "concentration", "constants": ["x"]}', "constants are an object"),
        ('"A": {"field": "concentration", "constants": {"specimen": "PLASMA"}}', "no column gives the analyte"),
    ],
)
def test_columns_that_are_not_set_apart_are_refused(columns: str, why: str) -> None:
    with pytest.raises(PipelineError) as refused:
        mapping_from(f'{{"kind": "CONCENTRATIONS", "columns": {{"P": "subject", {columns}}}}}')
    assert why in str(refused.value)


CELLS = st.sampled_from(["", "1.5", "0", "BLQ", "-2", "abc?", "-", "ND", "<0.5", "7"])
ROWS = st.lists(
    st.tuples(st.sampled_from(["P1", "P2", ""]), st.sampled_from(["0", "1", "x"]), CELLS, CELLS), max_size=6
)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_every_cell_has_one_fate(rows: list[tuple[str, ...]]) -> None:
    table = "Subject,Time (h),Examplinib (ng/mL),M1 (ng/mL)\n" + "".join(f"{','.join(row)}\n" for row in rows)
    try:
        reading = read(table, mapped(ANALYTES))
    except FileRefused:
        return
    empty = ("", "-")
    cells = sum(cell not in empty for row in rows for cell in row[2:])
    alone = sum(all(cell in empty for cell in row[2:]) for row in rows if any(row))
    found = batches(reading)
    fates = [fact.place for batch in found for fact in batch.facts if isinstance(fact, ConcentrationFact)]
    fates += [item.fact.place for batch in found for item in batch.held if isinstance(item.fact, ConcentrationFact)]
    fates += [item.place for batch in found for item in batch.quarantined]
    fates += [item.place for batch in found for item in batch.duplicates]
    assert sum(batch.rows for batch in found) == cells + alone
    assert len(fates) == len(set(fates)) == cells + alone

"""The methods over GraphQL: the same values as in Python, and a clear error for whatever cannot be computed."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import pytest
from graphql import GraphQLObjectType, get_named_type

from api.failures import formatted_errors
from pipeline.access import Actor, Role
from pipeline.calculation import COMMON, MOST, MOST_ENTRIES
from pipeline.outcome import Method, Outcome, catalogue
from schema import SCHEMA
from schema.calculate import field_name
from schema.context import Request
from tests.support.inputs import inputs_of

CALCULATE = SCHEMA.graphql_schema.type_map["Calculate"]
assert isinstance(CALCULATE, GraphQLObjectType)

READER = Actor.of("R. Reader", Role.LEAD)


def run(document: str, variables: Mapping[str, Any] | None = None, actor: Actor = READER) -> Any:
    """Execute a document without any records: there is no centre to read them from."""
    return SCHEMA.execute(document, context=Request(None, actor), variables=dict(variables or {}))  # type: ignore[arg-type]


def told(result: Any) -> list[dict[str, Any]]:
    """Return the errors of a result as a client sees them."""
    return formatted_errors(result.errors or [], clip=False, schema=SCHEMA.graphql_schema)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def bare(annotation: Any) -> Any:
    if get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation
    kept = [kind for kind in get_args(annotation) if kind is not types.NoneType]
    return kept[0] if len(kept) == 1 else object


def constant(text: str) -> str:
    name = "".join(letter if letter.isalnum() else "_" for letter in text).upper()
    return name if name[0].isalpha() else f"V{name}"


def sent(value: Any, annotation: Any) -> Any:
    """Return an input of a reference case as a client of GraphQL would write it."""
    kind = bare(annotation)
    if value is None:
        return None
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value).name
    if get_origin(kind) is Literal:
        return constant(value)
    if get_origin(kind) is Mapping:
        return [{"name": name, "value": sent(item, get_args(kind)[1])} for name, item in value.items()]
    if get_origin(kind) in (tuple, Sequence):
        return [sent(item, get_args(kind)[0]) for item in value]
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return {camel(name): sent(item, hints[name]) for name, item in value.items()}
    return value


def seen(value: Any, annotation: Any) -> Any:
    """Return a value of an outcome as a client of GraphQL reads it."""
    kind = bare(annotation)
    if value is None:
        return None
    if isinstance(value, Enum):
        return value.name
    if get_origin(kind) is Mapping:
        return [{"name": name, "value": seen(item, get_args(kind)[1])} for name, item in value.items()]
    if get_origin(kind) is tuple and get_args(kind)[-1] is not Ellipsis:
        return {"lower": value[0], "upper": value[1]}
    if get_origin(kind) is tuple:
        return [seen(item, get_args(kind)[0]) for item in value]
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return {camel(f.name): seen(getattr(value, f.name), hints[f.name]) for f in fields(value)}
    return value


def selection(kind: Any) -> str:
    """Return a selection of everything below a type."""
    named = get_named_type(kind)
    if not isinstance(named, GraphQLObjectType):
        return ""
    return "{ " + " ".join(f"{name} {selection(field.type)}" for name, field in named.fields.items()) + " }"


def query(method: Method, given: Mapping[str, Any]) -> str:
    field = CALCULATE.fields[field_name(method.id)]
    declared = ", ".join(f"${name}: {field.args[name].type}" for name in given)
    used = ", ".join(f"{name}: ${name}" for name in given)
    return f"query({declared}) {{ calculate {{ {field_name(method.id)}({used}) {selection(field.type)} }} }}"


def as_seen(outcome: Outcome) -> dict[str, Any]:
    hints = typing.get_type_hints(type(outcome))
    values = {
        camel(f.name): seen(getattr(outcome, f.name), hints[f.name]) for f in fields(outcome) if f.name not in COMMON
    }
    return {
        **values,
        "reason": None if outcome.reason is None else outcome.reason.name,
        "missing": [{"figure": camel(name), "reason": reason.name} for name, reason in outcome.missing.items()],
        "flags": list(outcome.flags),
        "method": outcome.method,
        "version": outcome.version,
    }


def variables(method: Method, inputs: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {parameter.name: parameter.annotation for parameter in method.parameters}
    return {camel(name): sent(value, kinds[name]) for name, value in inputs.items()}


@pytest.mark.parametrize("id", catalogue())
def test_all_inputs_come_out_alike(id: str) -> None:
    method = catalogue()[id]
    all_inputs = inputs_of(id)
    assert all_inputs
    for inputs in all_inputs:
        given = variables(method, inputs)
        result = run(query(method, given), given)
        assert result.errors is None, (inputs, result.errors)
        found = result.data["calculate"][field_name(id)]
        parameters = found.pop("parameters")
        assert found == as_seen(method.calculate(inputs)), inputs
        assert set(parameters) == {p.name for p in method.parameters if not p.required}


def test_every_method_is_a_field() -> None:
    assert set(CALCULATE.fields) == {field_name(id) for id in catalogue()}


def test_a_dose_is_checked_without_any_record() -> None:
    document = '{ calculate { a1Hed(species: "dog", doseMgPerKg: 10) { hedMgPerKg form doseMgPerM2 parameters } } }'
    found = run(document).data["calculate"]["a1Hed"]
    assert found["hedMgPerKg"] == pytest.approx(10 * 20 / 37)
    assert (found["form"], found["doseMgPerM2"]) == ("KM_RATIO", 200)
    assert found["parameters"]["human_weight_kg"] == 60


def test_names_keep_the_section() -> None:
    names = {id: field_name(id) for id in ("A1_hed", "B4_boin_select_mtd", "C10_biomarker_fisher", "D1_nca")}
    assert list(names.values()) == ["a1Hed", "b4BoinSelectMtd", "c10BiomarkerFisher", "d1Nca"]


def test_whoever_may_not_read_may_not_calculate() -> None:
    result = run('{ calculate { a1Hed(species: "dog", doseMgPerKg: 10) { hedMgPerKg } } }', actor=Actor("nobody", ()))
    assert [error["extensions"]["code"] for error in told(result)] == ["NOT_PERMITTED"]


def test_an_impossible_input_is_an_ordinary_error_with_its_path() -> None:
    result = run('{ calculate { a1Hed(species: "dog", doseMgPerKg: -1) { hedMgPerKg } } }')
    (error,) = told(result)
    assert error["extensions"] == {"code": "INVALID_INPUT", "inputPath": ["doseMgPerKg"]}
    assert error["path"] == ["calculate", "a1Hed"]
    assert error["message"] == "doseMgPerKg must not be negative, got -1"


def test_one_refusal_leaves_the_other_results() -> None:
    document = """{ calculate {
        a1Hed(species: "unicorn", doseMgPerKg: 1) { hedMgPerKg }
        a1HedAllometric(doseMgPerKg: 1, animalWeightKg: 60) { hedMgPerKg }
    } }"""
    result = run(document)
    assert result.data["calculate"] == {"a1Hed": None, "a1HedAllometric": {"hedMgPerKg": 1}}
    assert [error["path"] for error in told(result)] == [["calculate", "a1Hed"]]


def test_all_wrong_inputs_are_told() -> None:
    document = '{ calculate { a1Hed(species: "dog", doseMgPerKg: 1e400, humanWeightKg: -1e400) { hedMgPerKg } } }'
    errors = told(run(document))
    assert [error["extensions"]["inputPath"] for error in errors] == [["doseMgPerKg"], ["humanWeightKg"]]


def test_what_is_missing_says_why() -> None:
    document = """{ calculate { d1Nca(timeH: [0, 1, 2], conc: [0, 5, 4], dose: 100) {
        cmax halfLife missing { figure reason } ... on Calculation { method version }
    } } }"""
    found = run(document).data["calculate"]["d1Nca"]
    assert (found["cmax"], found["halfLife"], found["method"]) == (5, None, "D1_nca")
    assert {"figure": "halfLife", "reason": "TOO_FEW_POINTS"} in found["missing"]


HOSTILE_NUMBERS = ["NaN", "Infinity", "-1", "1e400", "1e308", "-1e308", "5e-324", "null", '"x"', "true", "[]", "{}"]
HOSTILE_LISTS = ["[]", "[null]", "[[]]", "[-1, -1]", "[1e400]", "[1e308, 1e308]", '["NaN"]', "null", "7", '""']


@pytest.mark.parametrize("id", catalogue())
def test_hostile_arguments_are_answered_or_refused(id: str) -> None:
    method = catalogue()[id]
    field = CALCULATE.fields[field_name(id)]
    good = variables(method, inputs_of(id)[0])
    for name, argument in field.args.items():
        others = {key: value for key, value in good.items() if key != name}
        declared = ", ".join(f"${key}: {field.args[key].type}" for key in others)
        used = "".join(f"{key}: ${key}, " for key in others)
        for text in HOSTILE_LISTS if "[" in str(argument.type) else HOSTILE_NUMBERS:
            head = f"query({declared})" if declared else ""
            document = f"{head} {{ calculate {{ {field_name(id)}({used}{name}: {text}) {{ method }} }} }}"
            for error in told(run(document, others)):
                assert error["extensions"]["code"] in (
                    "INVALID_INPUT",
                    "GRAPHQL_VALIDATION_FAILED",
                    "NOT_FOUND",
                ), (name, text, error)


@pytest.mark.parametrize("entries", [MOST_ENTRIES + 1, 1_000_000])
def test_a_list_without_end_is_refused(entries: int) -> None:
    document = "query($t: [Float!]!, $e: [Int!]!) { calculate { c8KaplanMeier(time: $t, event: $e) { median } } }"
    (error,) = told(run(document, {"t": [1.0] * entries, "e": [1]}))
    assert error["extensions"] == {"code": "INVALID_INPUT", "inputPath": ["time"]}
    assert "at most 20,000" in error["message"]


@pytest.mark.parametrize(
    ("asked", "name", "said"),
    [
        ("c4SimonTwoStage(p0: 0.4, p1: 0.45, nMax: 201)", "nMax", "nMax lies between 2 and 200, got 201"),
        ("e4CumulativeIncidence(time: [1], state: [], times: $t)", "times", "times has 1,001 entries; at most 1,000"),
        ("f1CrmOc(trueDltProb: [0.1], skeleton: [0.1], target: 0.3, cohorts: 51)", "cohorts", "at most 50, got 51"),
        ("f1BoinOc(trueDltProb: [0.1], target: 0.3, cohorts: 9, trials: 50001)", "trials", "from 1 to 50000"),
    ],
)
def test_what_would_take_long_is_refused(asked: str, name: str, said: str) -> None:
    head = "query($t: [Float!]!)" if "$t" in asked else "query"
    document = f"{head} {{ calculate {{ {asked} {{ method }} }} }}"
    error = told(run(document, {"t": [float(n) for n in range(1001)]}))[0]
    assert error["extensions"] == {"code": "INVALID_INPUT", "inputPath": [name]}
    assert said in error["message"]


def test_the_most_that_is_taken_is_described() -> None:
    for id, most in MOST.items():
        for name, limit in most.items():
            assert f"At most {limit:,}" in (CALCULATE.fields[field_name(id)].args[camel(name)].description or "")


def test_a_count_beyond_what_int_holds_is_refused_not_masked() -> None:
    document = "{ calculate { f1McError(p: 0.5, nSim: 10, targetHalfWidth: 0.000001) { nForHalfWidth } } }"
    (error,) = told(run(document))
    assert error["extensions"]["code"] == "INVALID_INPUT"

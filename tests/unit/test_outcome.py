"""The catalogue, the check of arguments and what leaves a method."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Literal, get_type_hints

import numpy as np
import pytest

from pipeline.arguments import accept, descriptions
from pipeline.errors import InputError, NotFound
from pipeline.outcome import Outcome, Reason, _finite, catalogue, find_method
from pipeline.preclinical.scaling import human_equivalent_dose
from pipeline.preclinical.therapeutic_index import therapeutic_index

METHODS = list(catalogue().values())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.id)
def test_every_method_is_documented(method: Any) -> None:
    """Each says what it is, where it was published, and what every parameter means."""
    assert re.fullmatch(r"[A-F][0-9]+_[a-z0-9_]+", method.id)
    assert method.title
    assert method.source
    assert method.version >= 1
    assert len(method.documentation.splitlines()) > 1
    undescribed = [parameter.name for parameter in method.parameters if not parameter.description]
    assert undescribed == []
    assert issubclass(method.result_type, Outcome)
    assert set(get_type_hints(method.result_type)) >= {f.name for f in fields(method.result_type)}


def test_the_catalogue_is_in_the_order_of_sections() -> None:
    sections = [(method.section[0], int(method.section[1:])) for method in METHODS]
    assert sections == sorted(sections)
    with pytest.raises(NotFound, match="A1_hed"):
        find_method("A1_headache")


def test_listing_the_methods_loads_no_numerical_library() -> None:
    code = (
        "import sys; from pipeline.outcome import catalogue; [m.parameters for m in catalogue().values()];"
        "print([name for name in ('numpy', 'scipy', 'statsmodels', 'pandas') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_result_is_signed_with_every_default() -> None:
    found = human_equivalent_dose("rat", 10)
    assert (found.method, found.version) == ("A1_hed", 1)
    assert set(found.parameters) == {"form", "scaling_basis", "human_weight_kg", "human_km_kg_per_m2"}
    assert "parameters" not in found.as_reference()


def test_a_null_in_a_reference_case_keeps_the_default() -> None:
    """Section 0: what is not given has its default, stored with the result."""
    given = {"studies": [{"species": "rat", "noael_mg_per_kg": 50}], "safety_factor": None, "human_weight_kg": None}
    found = find_method("A2_mrsd").calculate_reference(given)
    assert (found.parameters["safety_factor"], found.parameters["human_weight_kg"]) == (10, 60)
    with pytest.raises(InputError, match="dose_mg_per_kg"):
        find_method("A1_hed").calculate_reference({"species": "rat", "dose_mg_per_kg": None})


def test_a_number_that_is_not_finite_never_leaves() -> None:
    with pytest.raises(InputError, match="dose_mg_per_m2 is not finite"):
        human_equivalent_dose("mouse", 1e308)
    found = therapeutic_index(ed50=1e-300, td50=1e300)
    assert (found.therapeutic_index, found.missing["therapeutic_index"]) == (None, Reason.OUTSIDE_DOMAIN)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Point:
    x: float
    label: str = ""


@pytest.mark.parametrize(
    ("value", "wanted", "accepted"),
    [
        (1, float, 1.0),
        (np.float64(2.5), float, 2.5),
        (np.int64(3), int, 3),
        (3.0, int, 3),
        (None, float | None, None),
        ("red", Colour, Colour.RED),
        ("a", Literal["a", "b"], "a"),
        ([1, 2], Sequence[float], (1.0, 2.0)),
        (np.array([1.5, 2.5]), Sequence[float], (1.5, 2.5)),
        ([1, None], Sequence[float | None], (1.0, None)),
        ([1, 2], tuple[float, float], (1.0, 2.0)),
        ({"x": 1}, Point, Point(1.0)),
        ([{"x": 1, "label": "a"}], Sequence[Point], (Point(1.0, "a"),)),
        ({"a": 1}, Mapping[str, float], {"a": 1.0}),
        ("anything", Any, "anything"),
    ],
)
def test_values_become_what_is_wanted(value: object, wanted: Any, accepted: object) -> None:
    assert accept(value, wanted, ("p",)) == accepted


@pytest.mark.parametrize(
    ("value", "wanted", "said"),
    [
        (float("nan"), float, "p must be a finite number"),
        (10**400, float, "p must be a finite number"),
        (True, float, "p must be a number"),
        ("1", float, "p must be a number"),
        (1.5, int, "p must be a whole number"),
        (2**63, int, "p is too large a whole number"),
        (1, bool, "p must be true or false"),
        (1, str, "p must be text"),
        ("blue", Colour, "p must be one of red"),
        ("c", Literal["a", "b"], "p must be one of a, b"),
        ("12", Sequence[float], "p must be a list"),
        ({"a": 1}, Sequence[float], "p must be a list"),
        ([1, "x"], Sequence[float], r"p\[1\] must be a number"),
        ([1], tuple[float, float], "p must have 2 entries"),
        ({"y": 1}, Point, "p has no field 'y'"),
        ({}, Point, "p lacks x"),
        ([{"x": "far"}], Sequence[Point], r"p\[0\].x must be a number"),
        (3, Point, "p must be a record of Point"),
        ([1], Mapping[str, float], "p must be a mapping"),
    ],
)
def test_values_of_the_wrong_kind_are_refused_by_name(value: object, wanted: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        accept(value, wanted, ("p",))


def test_descriptions_are_read_off_a_docstring() -> None:
    text = "One line.\n\nArgs:\n    a: first\n        and more.\n    b: second.\n\nReturns:\n    c: no parameter.\n"
    assert descriptions(text) == {"a": "first and more.", "b": "second."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Outcome):
    value: float | None = None
    counts: tuple[int | None, ...] = ()
    parts: Mapping[str, object] | None = None
    point: Point | None = None


def test_results_leave_as_plain_python_numbers() -> None:
    found = _finite(
        Measured(
            value=np.float64(2.5),
            counts=[np.int64(1), None],  # type: ignore[arg-type]
            parts={"a": np.array(3.0), "b": float("inf")},
            point=Point(np.float64(1.5)),
        )
    )
    assert found == Measured(value=2.5, counts=(1, None), parts={"a": 3.0, "b": None}, point=Point(1.5))
    assert type(found.value) is float
    assert type(found.counts[0]) is int
    assert found.point is not None
    assert type(found.point.x) is float
    plain = Measured(value=1.0, counts=(1,), parts={"a": 1}, point=Point(1.0))
    assert _finite(plain) is plain
    lost = _finite(Measured(value=float("nan")))
    assert (lost.value, lost.missing) == (None, {"value": Reason.OUTSIDE_DOMAIN})


def test_two_methods_may_not_share_a_name() -> None:
    from pipeline.outcome import method

    with pytest.raises(ValueError, match="A1_hed"):

        @method("A1_hed", version=1, title="again", source="nowhere")
        def again() -> Outcome:
            return Outcome()

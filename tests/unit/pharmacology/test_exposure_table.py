import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.outcome import Reason
from pipeline.pharmacology.exposure_table import exposure_table
from pipeline.pharmacology.nca import non_compartmental
from pipeline.pharmacology.profile import BelowLimit, Route

NAN = math.nan
concs = st.one_of(st.just(0.0), st.none(), st.floats(0.05, 500))
rows = st.tuples(
    st.floats(-2, 2).map(lambda start: 0.0 if abs(start) < 1 else start),
    st.lists(st.tuples(st.floats(0.1, 6), concs), min_size=0, max_size=10),
    st.sampled_from(list(Route)),
    st.one_of(st.none(), st.floats(0, 500)),
    st.floats(0.1, 5),
)
Row = tuple[float, list[tuple[float, float | None]], Route, float | None, float]


@given(
    st.lists(rows, min_size=1, max_size=6),
    st.sampled_from(list(BelowLimit)),
    st.booleans(),
    st.sampled_from([None, 1.0]),
)
@settings(max_examples=50, deadline=None)
def test_every_row_equals_the_single_profile(
    drawn: list[Row], rule: BelowLimit, zero_at_dose: bool, lloq: float | None
) -> None:
    width = max(len(samples) for _, samples, *_ in drawn)
    time, conc = np.full((len(drawn), width), NAN), np.full((len(drawn), width), NAN)
    for index, (start, samples, *_) in enumerate(drawn):
        time[index, : len(samples)] = start + np.cumsum([0.0, *(gap for gap, _ in samples)])[:-1]
        conc[index, : len(samples)] = [NAN if value is None else value for _, value in samples]
    table = exposure_table(
        time,
        conc,
        [NAN if dose is None else dose for *_, dose, _ in drawn],
        [route for _, _, route, _, _ in drawn],
        [duration for *_, duration in drawn],
        lloq=lloq,
        below_limit=rule,
        zero_at_dose=zero_at_dose,
    )
    for index, (_, samples, route, dose, duration) in enumerate(drawn):
        single = non_compartmental(
            time[index, : len(samples)].tolist(),
            [value for _, value in samples],
            dose,
            route,
            duration,
            lloq,
            below_limit=rule,
            zero_at_dose=zero_at_dose,
        )
        for name, value in table.row(index).items():
            expected = getattr(single, name)
            assert (value is None) is (expected is None), name
            assert value is None or value == pytest.approx(expected, rel=1e-7, abs=1e-9), name
        if single.reason is None:
            assert table.flags_of(index) == tuple(sorted(single.flags))
        else:
            assert table.reasons[index] is single.reason


def test_a_masked_value_is_no_number() -> None:
    table = exposure_table([[0, 1, 2, 4]], [[0, 5, 3, 2.0]], 100)
    assert table.values["lambda_z"].tolist() == [None]
    assert table.values["cmax"].tolist() == [5.0]
    assert table.reasons == (Reason.TOO_FEW_POINTS,)
    assert len(table) == 1
    assert all(np.isfinite(column.filled(0)).all() for column in table.values.values())


def test_no_profile_and_no_sample() -> None:
    assert len(exposure_table(np.empty((0, 5)), np.empty((0, 5)))) == 0
    nothing = exposure_table(np.empty((2, 0)), np.empty((2, 0)))
    assert nothing.reasons == (Reason.NO_DATA, Reason.NO_DATA)
    assert nothing.row(1)["cmax"] is None


@pytest.mark.parametrize(
    ("time", "conc", "more"),
    [
        ([[0, 1], [0, 0]], [[0, 1], [0, 1]], {}),
        ([[0, 1], [1, 0]], [[0, 1], [0, 1]], {}),
        ([[0, 1], [0, 1]], [[0, 1], [0, -1]], {}),
        ([[0, 1], [0, math.inf]], [[0, 1], [0, 1]], {}),
        ([[0, 1], [0, 1]], [[0, 1], [0, 1]], {"dose": [1, -1]}),
        ([[0, 1], [0, 1]], [[0, 1], [0, 1]], {"route": [Route.EXTRAVASCULAR, Route.IV_INFUSION]}),
    ],
)
def test_a_refusal_names_the_profile(time: object, conc: object, more: dict[str, object]) -> None:
    with pytest.raises(InputError, match="profile 1 "):
        exposure_table(time, conc, **more)  # type: ignore[arg-type]


def test_shapes_have_to_fit() -> None:
    with pytest.raises(InputError):
        exposure_table([[0, 1]], [[0, 1, 2]])
    with pytest.raises(InputError):
        exposure_table([0, 1], [0, 1])
    with pytest.raises(InputError):
        exposure_table([[0, 1]], [[0, 1]], route=[Route.IV_BOLUS, Route.IV_BOLUS])

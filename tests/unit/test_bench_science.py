"""What is measured is the same calculation on both sides, and is as fast as it has to be."""

import json

import numpy as np
import pytest

from pipeline.bench.harness import Timing
from pipeline.bench.science import Measured, looped, measure, profiles
from pipeline.pharmacology.exposure_table import exposure_table


def test_the_loop_finds_what_the_table_finds():
    time, conc = profiles(200)
    found = np.array(looped(time, conc)).T
    ours = exposure_table(time, conc).values
    for name, column in zip(("cmax", "auc_last", "lambda_z", "auc_inf_obs"), found, strict=True):
        assert not ours[name].mask.any()
        np.testing.assert_allclose(column, ours[name].filled(), rtol=1e-9)


def test_a_measurement_is_within_when_its_median_is():
    slow, fast = (Measured("x", Timing(seconds), 0.5, "a limit") for seconds in ((0.1, 0.6, 0.7), (0.4, 0.4, 9.0)))
    assert (slow.ratio, slow.as_json()["within"]) == (pytest.approx(1.2), False)
    assert (fast.ratio, fast.as_json()["within"]) == (pytest.approx(0.8), True)


def test_the_methods_are_as_fast_as_they_have_to_be():
    found = measure(repeat=1)
    assert len(found) == len({one.name for one in found}) == 10
    assert [one.name for one in found if one.ratio > 3] == []  # room for a busy machine
    assert json.loads(json.dumps([one.as_json() for one in found]))[0]["seconds"]["median"] > 0

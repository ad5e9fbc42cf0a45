"""Inputs to try every method of the catalogue with: those of its reference cases, or made up where it has none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.outcome import catalogue
from tests.reference.cases import Case, read_cases, reference_files

REFERENCE = Path(__file__).parents[1] / "reference"

MADE_UP: dict[str, dict[str, Any]] = {
    "C3_response_rates": {"best": ["CR", "PR", "SD", "PD", "NE"]},
    "C4_simon_rule": {"r1": 1, "n1": 10, "n": 29, "p0": 0.1, "p1": 0.3},
    "D1_urinary_excretion": {"start_h": [0, 4], "end_h": [4, 12], "conc": [2, 1], "volume": [100, None], "dose": 500},
    "D4_steady_state_check": {"trough_time_h": [24, 48, 72], "troughs": [3.0, 3.4, 3.5], "half_life_h": 8},
    "E8_reason_agreement": {
        "first": ["ACCRUAL", "TOX_CLINICAL", "FUNDING", "ACCRUAL"],
        "second": ["ACCRUAL", "TOX_CLINICAL", "STRATEGIC", "ACCRUAL"],
    },
    "E11_concordance": {"both": 8, "finding_only": 4, "event_only": 3, "neither": 25},
    "F1_boin_oc": {"true_dlt_prob": [0.1, 0.3, 0.5], "target": 0.3, "cohorts": 6, "trials": 200},
    "F1_crm_oc": {
        "true_dlt_prob": [0.1, 0.3, 0.5],
        "skeleton": [0.15, 0.3, 0.45],
        "target": 0.3,
        "cohorts": 6,
        "trials": 200,
    },
    "F1_keyboard_oc": {"true_dlt_prob": [0.1, 0.3, 0.5], "target": 0.3, "cohorts": 6, "trials": 200},
}


def inputs_of(id: str) -> Sequence[dict[str, Any]]:
    """Return inputs of a method by the names of its parameters."""
    if id in MADE_UP:
        return [MADE_UP[id]]
    names = catalogue()[id].reference_inputs
    return [
        {wanted: value for name, value in case.inputs.items() if (wanted := names.get(name, name)) is not None}
        for case in _cases()
        if case.method == id
    ]


@cache
def _cases() -> Sequence[Case]:
    return [case for path in reference_files(REFERENCE) for case in read_cases(path) if isinstance(case, Case)]

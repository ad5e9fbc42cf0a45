"""Every published reference case, one test each."""

from pathlib import Path

import pytest

from tests.reference.cases import Case, MalformedError, read_cases, reference_files
from tests.reference.comparison import differences

CASES = [case for path in reference_files(Path(__file__).parent) for case in read_cases(path)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id if isinstance(case, Case) else case.case)
def test_reference_case(case: Case | MalformedError) -> None:
    assert isinstance(case, Case), str(case)
    assert differences(case) == []

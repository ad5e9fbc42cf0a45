"""Runs every reference file of a folder: `python -m tests.reference FOLDER`."""

import sys
from pathlib import Path

from tests.reference.cases import MalformedError, read_cases, reference_files
from tests.reference.comparison import differences


def run(folder: Path) -> int:
    """Print every failure and the count of cases; return the exit code: 0 when all passed, else 1."""
    passed = failed = 0
    files = reference_files(folder)
    for path in files:
        for case in read_cases(path):
            if isinstance(case, MalformedError):
                failed += 1
                print(f"{case.file}  {case.case}  -  {case}")
                continue
            found = differences(case)
            passed, failed = (passed, failed + 1) if found else (passed + 1, failed)
            for difference in found:
                print(
                    f"{case.file}  {case.id}  {difference.field}  "
                    f"expected {_shown(difference.expected)}, found {_shown(difference.found)}"
                )
    if not passed + failed:
        print(f"no reference cases in {folder}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 300 else text[:297] + "..."


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.reference FOLDER")
    sys.exit(run(Path(sys.argv[1])))

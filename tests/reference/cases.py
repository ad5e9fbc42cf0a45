"""Reads reference files: JSON objects with a method, tolerances, and cases of inputs and expected values."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOT_CASES = ("index.json",)


@dataclass(frozen=True)
class Tolerance:
    """How far a found float may lie from the expected one: `abs + rel * |expected|`."""

    rel: float = 0.0
    abs: float = 0.0

    def __post_init__(self) -> None:
        for part in (self.rel, self.abs):
            if isinstance(part, bool) or not isinstance(part, (int, float)) or part < 0:
                raise ValueError(f"a tolerance must be a number that is not negative, not {part!r}")

    def allows(self, found: float, expected: float) -> bool:
        return abs(found - expected) <= self.abs + self.rel * abs(expected)


@dataclass(frozen=True)
class Tolerances:
    """The tolerances of a case, then those of its file; within each, a field's own before the default."""

    levels: tuple[Mapping[str, Tolerance], ...]

    def of(self, path: Sequence[str]) -> Tolerance:
        """Return the tolerance of a field, named by its path; the innermost name with a tolerance counts."""
        for level in self.levels:
            for name in (*reversed(path), "default"):
                if name in level:
                    return level[name]
        return Tolerance()


@dataclass(frozen=True)
class Case:
    """One case of a reference file."""

    file: str
    method: str
    id: str
    inputs: Mapping[str, Any]
    expected: Mapping[str, Any]
    tolerances: Tolerances
    optional: frozenset[str] = field(default_factory=frozenset)


class MalformedError(Exception):
    """A file or a case that is not in the format; `case` is its id, or where it stands."""

    def __init__(self, message: str, *, file: str, case: str = "-") -> None:
        super().__init__(message)
        self.file = file
        self.case = case


def reference_files(folder: Path) -> list[Path]:
    """Return the JSON files of a folder, or the one file a path names."""
    return [folder] if folder.is_file() else sorted(folder.glob("*.json"))


def read_cases(path: Path) -> Iterator[Case | MalformedError]:
    """Yield every case of one file, and a `MalformedError` for what is not one. A data table yields nothing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_refuse_constant)
    except (OSError, ValueError, RecursionError) as error:
        yield MalformedError(f"not readable as JSON: {error}", file=path.name)
        return
    if path.name in NOT_CASES or (path.name.startswith("T") and isinstance(content, dict) and "cases" not in content):
        return
    try:
        method, cases = _mapping(content, path.name)["method"], content["cases"]
        shared = _tolerances(content.get("tolerance"), path.name)
        optional = frozenset(map(str, content.get("optional_fields") or ()))
        if not isinstance(method, str) or not isinstance(cases, list) or not cases:
            raise TypeError("method must be text and cases a list that is not empty")
    except (KeyError, TypeError, ValueError) as error:
        yield MalformedError(f"not a reference file: {_said(error)}", file=path.name)
        return
    for number, case in enumerate(cases, start=1):
        id = str(case.get("id", f"case {number}")) if isinstance(case, dict) else f"case {number}"
        try:
            _mapping(case, id)
            inputs, expected = _mapping(case["inputs"], "inputs"), _mapping(case["expected"], "expected")
            if not expected:
                raise ValueError("nothing is expected")
            tolerances = Tolerances((_tolerances(case.get("tolerance"), id), shared))
            yield Case(path.name, method, id, inputs, expected, tolerances, optional)
        except (KeyError, TypeError, ValueError) as error:
            yield MalformedError(f"not a case: {_said(error)}", file=path.name, case=id)


def _tolerances(given: object, where: str) -> dict[str, Tolerance]:
    return {name: Tolerance(**_mapping(value, where)) for name, value in _mapping(given or {}, where).items()}


def _mapping(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{where} must be an object")
    return value


def _said(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")

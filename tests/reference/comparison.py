"""Applies the method a case names and compares what it finds, field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass

from pipeline.outcome import Outcome, catalogue
from tests.reference.cases import Case, Tolerances

ABSENT = "(absent)"


@dataclass(frozen=True)
class Difference:
    """One field that is not what it should be. `field` is a dotted path, with [i] for list entries."""

    field: str
    expected: object
    found: object


def differences(case: Case) -> list[Difference]:
    """Return every field of a case in which the method differs from what is expected; empty means passed."""
    try:
        method = catalogue().get(case.method)
        if method is None:
            return [Difference("-", f"a method {case.method}", "none of that name")]
        found = method.calculate_reference(case.inputs)
        return list(_in_record(_named(found), case.expected, case, ()))
    except Exception as error:  # a method that breaks is a failed case, whatever it broke on
        return [Difference("-", "a result", f"{type(error).__name__}: {error}")]


def _named(found: object) -> dict[str, object]:
    """Return a result's values by the names reference files use; what every result has comes last."""
    if isinstance(found, Outcome):
        common = {f.name: getattr(found, f.name) for f in fields(Outcome)}
        return {**common, **found.as_reference()}
    names = getattr(found, "reference_names", {})
    return {names.get(f.name, f.name): getattr(found, f.name) for f in fields(found)}  # type: ignore[arg-type]


def _in_record(
    found: Mapping[str, object], expected: Mapping[str, object], case: Case, path: tuple[str, ...]
) -> Iterator[Difference]:
    for name, value in expected.items():
        if name in found:
            yield from _in_value(found[name], value, case, (*path, name))
        elif name not in case.optional:
            yield Difference(_dotted((*path, name)), value, ABSENT)


def _in_value(found: object, expected: object, case: Case, path: tuple[str, ...]) -> Iterator[Difference]:
    if hasattr(found, "tolist"):
        found = found.tolist()
    if isinstance(expected, Mapping):
        if is_dataclass(found):
            yield from _in_record(_named(found), expected, case, path)
        elif isinstance(found, Mapping):
            keyed = {str(key): value for key, value in found.items()}
            yield from _in_record(keyed, expected, case, path)
            for name in sorted(set(keyed) - set(expected)):
                yield Difference(_dotted((*path, name)), ABSENT, keyed[name])
        else:
            yield Difference(_dotted(path), expected, found)
    elif isinstance(expected, list):
        if not isinstance(found, (list, tuple)) or len(found) != len(expected):
            yield Difference(_dotted(path), expected, found)
            return
        for index, (left, right) in enumerate(zip(found, expected, strict=True)):
            yield from _in_value(left, right, case, (*path, f"[{index}]"))
    elif not agree(found, expected, case.tolerances, path):
        yield Difference(_dotted(path), expected, found)


def agree(found: object, expected: object, tolerances: Tolerances, path: tuple[str, ...] = ()) -> bool:
    """Return whether two single values agree: a found float within tolerance, everything else when equal."""
    if isinstance(expected, bool) or isinstance(found, bool) or expected is None or found is None:
        return found is expected
    if isinstance(expected, str) or isinstance(found, str):
        return isinstance(expected, str) and isinstance(found, str) and str(found) == expected
    if isinstance(expected, int) and isinstance(found, int):
        return found == expected
    if isinstance(expected, (int, float)) and isinstance(found, (int, float)):
        names = [part for part in path if not part.startswith("[")]
        return tolerances.of(names).allows(found, expected)
    return False


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(path).replace(".[", "[")

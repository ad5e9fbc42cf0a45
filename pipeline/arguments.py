"""What a method takes, read off its signature, and the check that what it is given is of that kind."""

from __future__ import annotations

import functools
import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from numbers import Integral, Real
from typing import Any, Literal, Union, cast, get_args, get_origin

from pipeline.errors import InputError, PipelineError

Path = tuple[str, ...]

LARGEST_WHOLE = 2**63


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a method: its name, its type, and what the docstring says of it."""

    name: str
    annotation: Any
    required: bool
    default: object
    description: str


@functools.cache
def parameters_of(function: Callable[..., object]) -> tuple[Parameter, ...]:
    """Return the parameters of a function in order; a required one has the default None."""
    hints = typing.get_type_hints(function)
    described = descriptions(inspect.getdoc(function) or "")
    return tuple(
        Parameter(
            name,
            hints.get(name, object),
            parameter.default is inspect.Parameter.empty,
            None if parameter.default is inspect.Parameter.empty else parameter.default,
            described.get(name, ""),
        )
        for name, parameter in inspect.signature(function).parameters.items()
    )


def descriptions(docstring: str, section: str = "Args") -> dict[str, str]:
    """Return the entries of one section of a docstring in Google's form, each joined to one line."""
    found = re.search(rf"^{section}:\n((?:[ \t]+.*\n?|\n)*)", docstring, re.MULTILINE)
    entries: dict[str, str] = {}
    name = ""
    for line in found.group(1).splitlines() if found else ():
        if entry := re.match(r" {4}(\w+): (.*)", line):
            name = entry.group(1)
            entries[name] = entry.group(2).strip()
        elif name and line.strip():
            entries[name] += " " + line.strip()
    return entries


def accept(value: object, wanted: Any, path: Path) -> Any:
    """Return `value` as the type `wanted`, or refuse it.

    Numbers have to be finite. A list, tuple or array is accepted for a sequence and becomes a tuple; a mapping is
    accepted for a dataclass; an enumeration takes its value. A type this function does not know is left to mypy.

    Raises:
        InputError: the value is not of that kind; the path leads to it.
    """
    if wanted is Any or wanted is object:
        return value
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _one_of(value, get_args(wanted), path)
    if origin is Literal:
        options = get_args(wanted)
        if not any(value == option and type(value) is type(option) for option in options):
            raise InputError(
                f"{_where(path)} must be one of {', '.join(map(str, options))}, not {_shown(value)}", path=path
            )
        return value
    if origin is tuple and get_args(wanted)[-1:] != (Ellipsis,):
        return _fixed(value, get_args(wanted), path)
    if origin in (tuple, Sequence):
        items = _items(value, path)
        inner = get_args(wanted)[0]
        if inner is float and all(type(item) is float and math.isfinite(item) for item in items):
            return items
        return tuple(accept(item, inner, (*path, str(index))) for index, item in enumerate(items))
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise InputError(f"{_where(path)} must be a mapping, not {_shown(value)}", path=path)
        key_type, item_type = get_args(wanted)
        return {accept(key, key_type, path): accept(item, item_type, (*path, str(key))) for key, item in value.items()}
    return _scalar(value, wanted, path)


def _scalar(value: object, wanted: Any, path: Path) -> Any:
    if wanted is float:
        return _number(value, path)
    if wanted is int:
        number = _number(value, path)
        if not number.is_integer():
            raise InputError(f"{_where(path)} must be a whole number, not {_shown(value)}", path=path)
        if not -LARGEST_WHOLE <= number < LARGEST_WHOLE:
            raise InputError(f"{_where(path)} is too large a whole number: {_shown(value)}", path=path)
        return int(value) if isinstance(value, Integral) else int(number)
    if wanted in (str, bool):
        if not isinstance(value, wanted) or isinstance(value, Enum):
            kind = "text" if wanted is str else "true or false"
            raise InputError(f"{_where(path)} must be {kind}, not {_shown(value)}", path=path)
        return value
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        try:
            return wanted(value)
        except ValueError:
            options = ", ".join(str(member.value) for member in wanted)
            raise InputError(f"{_where(path)} must be one of {options}, not {_shown(value)}", path=path) from None
    if isinstance(wanted, type) and is_dataclass(wanted) and not isinstance(value, wanted):
        return _record(value, wanted, path)
    return value


def _number(value: object, path: Path) -> float:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise InputError(f"{_where(path)} must be a number, not {_shown(value)}", path=path)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{_where(path)} must be a finite number, not {_shown(value)}", path=path)
    return number


def _one_of(value: object, options: tuple[Any, ...], path: Path) -> Any:
    if value is None and types.NoneType in options:
        return None
    refusals: list[PipelineError] = []
    for option in options:
        if option is not types.NoneType:
            try:
                return accept(value, option, path)
            except PipelineError as refusal:
                refusals.append(refusal)
    raise refusals[-1]


def _fixed(value: object, wanted: tuple[Any, ...], path: Path) -> tuple[Any, ...]:
    items = _items(value, path)
    if len(items) != len(wanted):
        raise InputError(f"{_where(path)} must have {len(wanted)} entries, not {len(items)}", path=path)
    return tuple(
        accept(item, kind, (*path, str(index))) for index, (item, kind) in enumerate(zip(items, wanted, strict=True))
    )


def _items(value: object, path: Path) -> tuple[Any, ...]:
    listed = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(listed, (list, tuple)):
        raise InputError(f"{_where(path)} must be a list, not {_shown(value)}", path=path)
    return tuple(listed)


def _record(value: object, wanted: type, path: Path) -> Any:
    if not isinstance(value, Mapping):
        raise InputError(f"{_where(path)} must be a record of {wanted.__name__}, not {_shown(value)}", path=path)
    hints, known = _fields(wanted)
    if unknown := [key for key in value if key not in known]:
        raise InputError(f"{_where(path)} has no field {unknown[0]!r}; it takes {', '.join(known)}", path=path)
    given: dict[str, Any] = {}
    for name, f in known.items():
        if name in value:
            given[name] = accept(value[name], hints[name], (*path, name))
        elif f.default is MISSING and f.default_factory is MISSING:
            raise InputError(f"{_where(path)} lacks {name}", path=(*path, name))
    return wanted(**given)


@functools.cache
def _fields(wanted: type) -> tuple[Mapping[str, Any], Mapping[str, Field[Any]]]:
    """Return the types and the fields of a record, by name; reading the types takes longer than all the rest."""
    return typing.get_type_hints(wanted), {f.name: f for f in fields(cast(Any, wanted)) if f.init}


def _where(path: Path) -> str:
    return (
        path[0] + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path[1:]) if path else "the value"
    )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

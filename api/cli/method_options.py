"""Options of the command line made from the parameters of a method: what they are called, say and take."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import click

from pipeline.arguments import Parameter
from pipeline.calculation import plain
from pipeline.errors import InputError


def option_of(parameter: Parameter, description: str) -> click.Option:
    """Return the option of a parameter. Its text is read later, so that all that is wrong can be said at once."""
    name = parameter.name.replace("_", "-")
    said = description.rstrip(".") + "."
    if bare(parameter.annotation) is bool:
        default = "" if parameter.default is None else f"  [default: {'' if parameter.default else 'no-'}{name}]"
        needed = "  [required]" if parameter.required else ""
        return click.Option(
            [f"--{name}/--no-{name}", parameter.name], default=None, help=f"{said}{default}{needed}", type=bool
        )
    end = "  [required]" if parameter.required else _default(parameter.default)
    return click.Option(
        [f"--{name}", parameter.name],
        default=None,
        type=str,
        metavar=metavar(parameter.annotation),
        help=f"{said}{end}",
    )


def _default(default: object) -> str:
    if default is None:
        return ""
    value = plain(default)
    return f"  [default: {value if isinstance(value, str) else json.dumps(value)}]"


def metavar(annotation: Any) -> str:
    """Return how the value of an option looks."""
    kind = bare(annotation)
    origin = get_origin(kind)
    if origin is Literal:
        return "|".join(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(member.value) for member in kind)
    if origin in (tuple, Sequence):
        inner = bare(get_args(kind)[0])
        return "JSON" if get_origin(inner) or is_dataclass(inner) else f"{metavar(inner)},..."
    if origin is Mapping or is_dataclass(kind):
        return "JSON"
    names = {float: "NUMBER", int: "WHOLE", str: "TEXT", bool: "true|false", int | str: "TEXT"}
    return names.get(kind, "JSON")


def shape(annotation: Any) -> str | None:
    """Return how the JSON of a record, or of a list of records, looks; None for anything simpler."""
    kind = bare(annotation)
    origin = get_origin(kind)
    if origin in (tuple, Sequence):
        inner = shape(get_args(kind)[0])
        return inner and f"[{inner}, ...]"
    if origin is Mapping:
        return f'{{"name": {metavar(get_args(kind)[1])}, ...}}'
    if not is_dataclass(kind):
        return None
    hints = get_type_hints(kind)
    parts = []
    for f in (f for f in fields(kind) if f.init):
        optional = f.default is not MISSING or f.default_factory is not MISSING
        parts.append(f'"{f.name}"{"?" if optional else ""}: {shape(hints[f.name]) or metavar(hints[f.name])}')
    return "{" + ", ".join(parts) + "}"


def read_option(text: str, annotation: Any, name: str) -> Any:
    """Return the value a text stands for.

    A list of numbers or words may be written with commas; whatever is more than that is JSON. `null` stands for
    nothing where nothing is allowed.

    Raises:
        InputError: the text is no value of that kind.
    """
    kind = bare(annotation)
    origin = get_origin(kind)
    text = text.strip() if kind is not str else text
    if _optional(annotation) and text.strip() in ("", "null"):
        return None
    if kind is float or kind is int:
        return _number(text, kind, name)
    if kind == int | str:
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 19 else text
    if origin in (tuple, Sequence) and not text.startswith(("[", "{")):
        items = text.split(",") if text else []
        inner = get_args(kind)[0]
        if get_origin(bare(inner)) is None and not is_dataclass(bare(inner)):
            return [read_option(item.strip(), inner, f"{name}[{index}]") for index, item in enumerate(items)]
    if origin in (tuple, Sequence, Mapping) or is_dataclass(kind):
        return read_json(text, name)
    return text


def read_json(text: str, name: str) -> Any:
    """Return the value of a JSON text, or refuse it."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not JSON: {str(error)[:120]}", path=(name,)) from None


def bare(annotation: Any) -> Any:
    """Return an annotation without None."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    kept = [kind for kind in get_args(annotation) if kind is not types.NoneType]
    return kept[0] if len(kept) == 1 else Union[tuple(kept)]  # noqa: UP007 - kinds known only here


def _optional(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType) and types.NoneType in get_args(annotation)


def _number(text: str, kind: type, name: str) -> float | int:
    try:
        return int(text) if kind is int and len(text) < 40 else float(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise InputError(f"{name} must be {wanted}, not {text[:40]!r}", path=(name,)) from None


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")

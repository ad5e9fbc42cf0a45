"""From bytes to one GraphQL request: UTF-8, then strict JSON, then the parameters."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from api.failures import RequestRefused
from api.limits import SHOWN, Limits


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation to execute. With `carries_files` the variables hold uploaded files, which JSON never does."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    carries_files: bool = False


def request_of(parameters: object) -> GraphQLRequest:
    """Check the parameters of a decoded request.

    Raises:
        RequestRefused: 400, naming the parameter that is missing or of the wrong kind.
    """
    if isinstance(parameters, list):
        raise RequestRefused(400, "Send one operation per request; lists of operations are not answered.")
    if not isinstance(parameters, dict):
        raise RequestRefused(400, 'The body must be a JSON object such as {"query": "{ viewer { name } }"}.')
    query = parameters.get("query")
    if not isinstance(query, str):
        raise RequestRefused(400, "The parameter query is missing or not a text.")
    name = parameters.get("operationName")
    if name is not None and not isinstance(name, str):
        raise RequestRefused(400, "The parameter operationName must be a text.")
    for parameter in ("variables", "extensions"):
        if not isinstance(parameters.get(parameter), dict | None):
            raise RequestRefused(400, f"The parameter {parameter} must be a JSON object.")
    return GraphQLRequest(query, name, parameters.get("variables") or {})


def request_of_address(parameters: Mapping[str, str], limits: Limits) -> GraphQLRequest:
    """Read the parameters of a GET request, whose variables and extensions are JSON texts.

    Raises:
        RequestRefused: 400, naming the parameter that is missing or wrong.
    """
    read: dict[str, object] = {name: parameters[name] for name in ("query", "operationName") if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            read[name] = strict_json(parameters[name].encode("utf-8", "surrogatepass"), limits, f"The parameter {name}")
    return request_of(read)


def strict_json(data: bytes, limits: Limits, what: str = "The body") -> object:
    """Return the value of a JSON text, or refuse what JSON does not allow and what no answer could repeat.

    Raises:
        RequestRefused: 400 for wrong UTF-8, wrong JSON, NaN and infinities, lone surrogates, NUL, or deep nesting.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestRefused(400, f"{what} is not UTF-8 (byte {error.start}).") from None
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise RequestRefused(400, f"{what} is not JSON (line {error.lineno}, column {error.colno}).") from None
    except RecursionError:
        raise RequestRefused(400, f"{what} is nested too deeply; at most {limits.json_depth} levels.") from None
    except ValueError as error:  # an integer of thousands of digits, or one of our own refusals below
        raise RequestRefused(400, f"{what} holds a number that cannot be used: {str(error)[:SHOWN]}.") from None
    _check(value, limits, what)
    return value


def longest_text(value: object) -> int:
    """Return the length of the longest text inside a JSON value."""
    longest = 0
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            longest = max(longest, len(item))
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
    return longest


def _check(value: object, limits: Limits, what: str) -> None:
    stack = [(value, 1)]
    while stack:
        item, depth = stack.pop()
        if depth > limits.json_depth:
            raise RequestRefused(400, f"{what} is nested too deeply; at most {limits.json_depth} levels.")
        if isinstance(item, str):
            if "\0" in item or not _is_unicode(item):
                raise RequestRefused(400, f"{what} holds a NUL character or half a surrogate pair.")
        elif isinstance(item, list):
            stack.extend((member, depth + 1) for member in item)
        elif isinstance(item, dict):
            stack.extend((name, depth) for name in item)
            stack.extend((member, depth + 1) for member in item.values())


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("it is larger than any number that can be kept")
    return number


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)

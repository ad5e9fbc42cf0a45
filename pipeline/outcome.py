"""What every method answers, and the catalogue in which every method is found by its name."""

from __future__ import annotations

import functools
import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from types import NoneType
from typing import Any, ClassVar, ParamSpec, TypeVar, cast, get_args, get_type_hints

from pipeline.arguments import Parameter, accept, parameters_of
from pipeline.errors import InputError, NotFound

CATALOGUED = ("units", "preclinical", "toxicity", "efficacy", "pharmacology", "attrition")
"""The modules and packages below `pipeline` whose methods the catalogue lists."""


class Reason(StrEnum):
    """Why there is no value. Missing is not zero."""

    TOO_FEW_POINTS = "too_few_points"
    NO_DATA = "no_data"
    UNDEFINED_LIMIT = "undefined_limit"
    NOT_ESTIMABLE = "not_estimable"
    OUTSIDE_DOMAIN = "outside_domain"
    AMBIGUOUS_UNITS = "ambiguous_units"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one method: its values, or None and the reason, and how it was computed.

    Attributes:
        reason: why the method as a whole has no value; None when it has.
        missing: the reason of each single field that is None although the method as a whole has a value.
        flags: what a reader has to know beside the value, as short codes ("censored", "needs_clinical").
        method: id of the method; filled in by `method`.
        version: version of the method; it changes whenever a number could.
        parameters: every parameter that has a default, with the value used, default or not.
    """

    reason: Reason | None = None
    missing: Mapping[str, Reason] = field(default_factory=dict, hash=False)
    flags: tuple[str, ...] = ()
    method: str = ""
    version: int = 0
    parameters: Mapping[str, object] = field(default_factory=dict, hash=False, repr=False)

    reference_names: ClassVar[Mapping[str, str]] = {}
    """Field -> the name a reference file gives it, where the two differ."""

    def as_reference(self) -> Mapping[str, object]:
        """Return the values under the names the reference files use."""
        names = self.reference_names
        return {names.get(f.name, f.name): getattr(self, f.name) for f in fields(self) if f.name not in _COMMON}


_COMMON = frozenset(f.name for f in fields(Outcome))


@dataclass(frozen=True, slots=True)
class Method:
    """One entry of the catalogue.

    Attributes:
        id: name of the method, also the name of its reference file ("A1_hed").
        version: version of the method.
        title: one line.
        source: where the formula was published.
        function: the method itself; it returns an `Outcome`.
        reference_inputs: name in a reference file -> parameter; None leaves a descriptive input out.
    """

    id: str
    version: int
    title: str
    source: str
    function: Callable[..., Outcome]
    reference_inputs: Mapping[str, str | None] = field(default_factory=dict, hash=False)

    @property
    def section(self) -> str:
        """The method's place in the list of methods: "A1" of "A1_hed"."""
        return self.id.split("_", 1)[0]

    @property
    def documentation(self) -> str:
        """The docstring: formula, units, conventions, errors."""
        return inspect.getdoc(self.function) or ""

    @property
    def result_type(self) -> type[Outcome]:
        """The class of the results, whose fields are what the method answers."""
        return cast("type[Outcome]", get_type_hints(self.function)["return"])

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the method takes, in order, with types, defaults and descriptions."""
        return parameters_of(self.function)

    def calculate(self, inputs: Mapping[str, object]) -> Outcome:
        """Apply the method to inputs that come from outside.

        Raises:
            InputError: an input is unknown, missing, of the wrong kind, or impossible.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        if unknown := sorted(set(inputs) - set(known)):
            raise InputError(
                f"{self.id} has no input {unknown[0]!r}; it takes {', '.join(known)}", path=(self.id, unknown[0])
            )
        for name, parameter in known.items():
            if parameter.required and name not in inputs:
                raise InputError(f"{self.id} needs {name}", path=(self.id, name))
        return self.function(**inputs)

    def calculate_reference(self, inputs: Mapping[str, object]) -> Outcome:
        """Apply the method to the inputs of a reference case; null stands for an input that keeps its default."""
        renamed = {self.reference_inputs.get(name, name): value for name, value in inputs.items()}
        defaults = {p.name for p in self.parameters if not p.required and p.default is not None}
        return self.calculate(
            {
                name: value
                for name, value in renamed.items()
                if name is not None and not (value is None and name in defaults)
            }
        )


_METHODS: dict[str, Method] = {}

P = ParamSpec("P")
R = TypeVar("R", bound=Outcome)


def method(
    id: str, *, version: int, title: str, source: str, reference_inputs: Mapping[str, str | None] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Enter a function into the catalogue, check its arguments against its annotations, and sign its results.

    Arguments are converted as `pipeline.arguments.accept` says: a list becomes a tuple, a mapping becomes the
    dataclass the annotation names, and anything that is not a finite number where one is needed is an `InputError`,
    as is what overflows. A number that is not finite never leaves a method: it becomes None, missing for
    `outside_domain`, or is refused where the result needs a number.
    """

    def enter(function: Callable[P, R]) -> Callable[P, R]:
        if id in _METHODS:
            raise ValueError(f"two methods are called {id}")
        signature = inspect.signature(function)

        @functools.wraps(function)
        def signed(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            for parameter in parameters_of(function):
                bound.arguments[parameter.name] = accept(
                    bound.arguments[parameter.name], parameter.annotation, (parameter.name,)
                )
            used = {p.name: bound.arguments[p.name] for p in parameters_of(function) if not p.required}
            try:
                outcome = _finite(function(*bound.args, **bound.kwargs))
            except (OverflowError, ZeroDivisionError, MemoryError) as error:
                raise InputError(f"{id} cannot be computed with numbers so large or so small: {error}") from error
            return replace(outcome, method=id, version=version, parameters=used)

        _METHODS[id] = Method(id, version, title, source, signed, dict(reference_inputs or {}))
        return signed

    return enter


def _finite(outcome: R) -> R:
    """Return the outcome with plain Python numbers, and None for every number that is not finite."""
    changed: dict[str, object] = {}
    for f in fields(outcome):
        before = getattr(outcome, f.name)
        after = _plain(before)
        if after is not before:
            changed[f.name] = after
    lost = [name for name in changed if changed[name] is None]
    if lost:
        hints = get_type_hints(type(outcome))
        if wanted := [name for name in lost if NoneType not in get_args(hints[name])]:
            raise OverflowError(f"{wanted[0]} is not finite")
        changed["missing"] = {**outcome.missing, **dict.fromkeys(lost, Reason.OUTSIDE_DOMAIN)}
    return replace(outcome, **cast(Any, changed)) if changed else outcome


def _plain(value: object) -> object:
    """Return the value itself if it is plain and finite, else its plain, finite counterpart."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return (value if type(value) is float else float(value)) if math.isfinite(value) else None
    if isinstance(value, (tuple, list)):
        items = [_plain(item) for item in value]
        same = isinstance(value, tuple) and all(new is old for new, old in zip(items, value, strict=True))
        return value if same else tuple(items)
    if isinstance(value, Mapping):
        entries = {key: _plain(item) for key, item in value.items()}
        return value if all(entries[key] is value[key] for key in entries) else entries
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.init}
        changed = {name: part for name, part in parts.items() if part is not getattr(value, name)}
        return replace(value, **changed) if changed else value
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return _plain(value.item())
    return value


def catalogue() -> Mapping[str, Method]:
    """Return every method by id, in the order of the ids' letters and numbers."""
    _load()
    return dict(sorted(_METHODS.items(), key=lambda entry: _place(entry[0])))


@functools.cache
def _load() -> None:
    """Import every module that may hold methods, which enters them."""
    package = importlib.import_module("pipeline")
    for module in pkgutil.iter_modules(package.__path__, "pipeline."):
        if module.name.rpartition(".")[2] in CATALOGUED:
            loaded = importlib.import_module(module.name)
            for part in pkgutil.iter_modules(getattr(loaded, "__path__", ()), f"{module.name}."):
                importlib.import_module(part.name)


def _place(id: str) -> tuple[str, int, str]:
    section, _, rest = id.partition("_")
    return section[:1], int(section[1:] or 0), rest


def find_method(id: str) -> Method:
    """Return one method, or raise `NotFound` naming the ids that exist."""
    methods = catalogue()
    if id not in methods:
        raise NotFound(f"there is no method {id!r}; known: {', '.join(methods)}", path=("method",))
    return methods[id]

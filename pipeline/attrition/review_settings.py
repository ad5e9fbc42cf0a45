"""What an attrition review takes for granted: silence, waiting times, kinds of stops, benchmarks; read from TOML."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pipeline.attrition.benchmark import Benchmark, find_benchmark
from pipeline.errors import InputError, PipelineError
from pipeline.words import AttritionReason

TOXICITY, EFFICACY, EXPOSURE, OTHER, NOT_STATED = "TOXICITY", "EFFICACY", "EXPOSURE", "OTHER", "NOT_STATED"
KINDS = (TOXICITY, EFFICACY, EXPOSURE, OTHER, NOT_STATED)
SCIENTIFIC = (TOXICITY, EFFICACY)
"""The kinds of stops that say the molecule does not do what it should, or does what it should not."""

MOST_DAYS = 40_000
_WORDS = ("likelihood_from", "approval", "filing", "late_from")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a review; see review_settings.toml for what each means."""

    likelihood_from: str
    approval: str
    filing: str
    late_from: str
    fewest: int
    silence_days: Mapping[str, int]
    waiting_days: Mapping[str, int]
    kinds: Mapping[str, tuple[str, ...]]
    benchmark: tuple[tuple[str, str], ...]
    prior_source: str
    prior_group: str
    prior_programmes: float

    def kind_of(self, reason: str | None) -> str:
        """Return what kind of stop a reason makes; without a reason it is NOT_STATED."""
        if reason is None:
            return NOT_STATED
        return next((kind for kind, reasons in self.kinds.items() if reason in reasons), OTHER)

    def benchmarks(self) -> list[Benchmark]:
        """Return the published rows to compare with."""
        return [find_benchmark(source, group) for source, group in self.benchmark]

    @property
    def prior(self) -> Benchmark:
        """The published row the probability of success starts from."""
        return find_benchmark(self.prior_source, self.prior_group)

    def as_table(self) -> dict[str, Any]:
        """Return the settings in the form they are read from."""
        return {
            "likelihood_from": self.likelihood_from,
            "approval": self.approval,
            "filing": self.filing,
            "late_from": self.late_from,
            "fewest": self.fewest,
            "silence_days": dict(self.silence_days),
            "waiting_days": dict(self.waiting_days),
            "kinds": {kind: list(reasons) for kind, reasons in self.kinds.items()},
            "benchmark": [{"source": source, "group": group} for source, group in self.benchmark],
            "prior": {"source": self.prior_source, "group": self.prior_group, "programmes": self.prior_programmes},
        }


@functools.cache
def default_settings() -> Settings:
    """Return the settings the project ships."""
    return _settings(_shipped())


def read_settings(text: str) -> Settings:
    """Read settings from TOML; what the text leaves out stays as shipped.

    Raises:
        InputError: the text is not TOML, or something in it is unknown, of the wrong kind, or cannot be.
    """
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"the settings are not TOML: {str(error)[:200]}", path=("settings",)) from None
    return settings_of(table)


def settings_of(table: Mapping[str, Any]) -> Settings:
    """Return settings from a table such as `as_table` gives; what it leaves out stays as shipped.

    Raises:
        InputError: something in the table is unknown, of the wrong kind, or cannot be.
    """
    merged = _shipped()
    for name, value in table.items():
        if name not in merged:
            raise InputError(
                f"the settings know no {name[:60]!r}; they have {', '.join(merged)}", path=("settings", name[:60])
            )
        if isinstance(merged[name], dict):
            if not isinstance(value, Mapping):
                raise _wrong(name, "a table")
            merged[name] = {**merged[name], **value}
        else:
            merged[name] = value
    return _settings(merged)


def _shipped() -> dict[str, Any]:
    text = files("pipeline.attrition").joinpath("review_settings.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _settings(table: Mapping[str, Any]) -> Settings:
    for name in _WORDS:
        if not isinstance(table[name], str):
            raise _wrong(name, "the code of a stage")
    if type(table["fewest"]) is not int or not 5 <= table["fewest"] <= MOST_DAYS:
        raise _wrong("fewest", "a whole number, 5 or more")
    for name in ("silence_days", "waiting_days"):
        for stage, days in table[name].items():
            if type(days) is not int or not 0 <= days <= MOST_DAYS:
                raise _wrong(f"{name}.{stage[:60]}", f"a whole number of days from 0 to {MOST_DAYS}")
    kinds = _kinds(table["kinds"])
    benchmark, prior = table["benchmark"], table["prior"]
    if not isinstance(benchmark, list):
        raise _wrong("benchmark", "a list of tables with source and group")
    rows = tuple(_row(row, "benchmark") for row in benchmark)
    source, group = _row(prior, "prior")
    weight = prior.get("programmes")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= MOST_DAYS:
        raise _wrong("prior.programmes", "a number above 0")
    settings = Settings(
        likelihood_from=table["likelihood_from"],
        approval=table["approval"],
        filing=table["filing"],
        late_from=table["late_from"],
        fewest=table["fewest"],
        silence_days=dict(table["silence_days"]),
        waiting_days=dict(table["waiting_days"]),
        kinds=kinds,
        benchmark=rows,
        prior_source=source,
        prior_group=group,
        prior_programmes=float(weight),
    )
    try:
        settings.benchmarks(), settings.prior
    except PipelineError as error:
        raise InputError(error.message, path=("settings", "benchmark")) from None
    return settings


def _kinds(table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    taken: dict[str, str] = {}
    for kind, reasons in table.items():
        if kind not in KINDS:
            raise InputError(f"{kind[:60]!r} is no kind of stop; the kinds are {', '.join(KINDS)}", path=("settings",))
        if not isinstance(reasons, list) or not all(isinstance(reason, str) for reason in reasons):
            raise _wrong(f"kinds.{kind}", "a list of reasons")
        for reason in reasons:
            if reason not in AttritionReason.__members__:
                raise InputError(f"kinds.{kind} names {reason[:60]!r}, which is no reason", path=("settings", "kinds"))
            if taken.setdefault(reason, kind) != kind:
                raise InputError(f"{reason} stands under {taken[reason]} and {kind}", path=("settings", "kinds"))
        found[kind] = tuple(reasons)
    return found


def _row(row: object, name: str) -> tuple[str, str]:
    if not isinstance(row, Mapping):
        raise _wrong(name, "a table with source and group")
    source, group = row.get("source"), row.get("group")
    if not isinstance(source, str) or not isinstance(group, str):
        raise _wrong(name, "a table with source and group")
    return source, group


def _wrong(name: str, wanted: str) -> InputError:
    return InputError(f"the setting {name} has to be {wanted}", path=("settings", name))

"""Likelihood of approval as a product of phase rates, and the published rates to compare with (E2)."""

from __future__ import annotations

import functools
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pipeline.errors import InputError, NotFound
from pipeline.outcome import Outcome, method


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One published row: the rate of each step, the programmes each is out of, and the printed likelihood of approval.

    `counting` is phase-by-phase or path-by-path; rates of the latter do not multiply to the likelihood of approval.
    """

    source: str
    group: str
    title: str
    verification: str
    counting: str
    steps: tuple[str, ...]
    rates: tuple[float, ...]
    n: tuple[int, ...] | None = None
    loa: float | None = None
    loa_from_phase2: float | None = None


@functools.cache
def benchmarks() -> Sequence[Benchmark]:
    """Return the published rows, in the order of the file."""
    table: dict[str, Any] = tomllib.loads(
        files("pipeline.attrition").joinpath("success_rates.toml").read_text(encoding="utf-8")
    )
    found = []
    for row in table["row"]:
        merged: dict[str, Any] = {**table["source"][row["source"]], **row}
        lists: dict[str, Any] = {name: tuple(value) for name, value in merged.items() if isinstance(value, list)}
        found.append(Benchmark(**merged | lists))
    return tuple(found)


def find_benchmark(source: str, group: str) -> Benchmark:
    """Return one published row by the key of its source and its group; capitals do not count."""
    for row in benchmarks():
        if row.source == source and row.group.casefold() == group.strip().casefold():
            return row
    groups = ", ".join(row.group for row in benchmarks() if row.source == source)
    sources = ", ".join(dict.fromkeys(row.source for row in benchmarks()))
    known = f"groups of {source}: {groups}" if groups else f"known sources: {sources}"
    raise NotFound(f"there is no published rate of {group[:60]!r} in {source[:60]!r}; {known}", path=("group",))


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelihoodOfApproval(Outcome):
    """Products of the rates of the steps that remain, from the first, second and third phase on.

    The reference files compare the first with the printed figure, which rounding keeps from being the same.
    """

    loa_from_phase1_published: float | None = None
    loa_from_phase2: float | None = None
    loa_from_phase3: float | None = None


@method(
    "E2_loa_benchmark",
    version=1,
    title="Likelihood of approval as a product, against printed values",
    source="BIO, QLS Advisors, Informa. Clinical Development Success Rates and Contributing Factors 2011-2020 (2021); "
    "Wong CH, Siah KW, Lo AW. Biostatistics 2019;20:273-286",
    reference_inputs={"source": None, "row": None},
)
def likelihood_of_approval(phase_success: Sequence[float]) -> LikelihoodOfApproval:
    """Multiply the success rates of the phases that remain.

    Some sources keep filing and approval apart (four steps), others do not (three): compare only like with like, the
    product of the last two of four with the last of three. A benchmark counts indications and sponsors otherwise than
    a centre does; it is a line to compare with, never a target.

    Args:
        phase_success: rate of each step, from phase 1 to 2 on to approval: three or four rates between 0 and 1.

    Raises:
        InputError: not three or four rates, or one outside 0 to 1.
    """
    if len(phase_success) not in (3, 4):
        raise InputError(
            f"three or four rates lead from phase 1 to approval, got {len(phase_success)}", path=("phase_success",)
        )
    if wrong := [rate for rate in phase_success if not 0 <= rate <= 1]:
        raise InputError(f"a success rate lies between 0 and 1, got {wrong[0]:g}", path=("phase_success",))
    return LikelihoodOfApproval(
        loa_from_phase1_published=math.prod(phase_success),
        loa_from_phase2=math.prod(phase_success[1:]),
        loa_from_phase3=math.prod(phase_success[2:]),
    )

"""What every measurement shares: contenders in turn, each from a fresh state, and ratios instead of bare seconds.

Seconds depend on the machine and on what else it does. Contenders that take turns suffer alike, so their ratio holds.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

Prepared = Callable[[], AbstractContextManager[Callable[[], object]]]
"""Makes a fresh state and gives what is to be timed in it; neither making nor clearing away is timed."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the runs of one contender took, in seconds."""

    seconds: tuple[float, ...]

    @property
    def least(self) -> float:
        """The shortest run: what it takes when nothing else is going on."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The run in the middle."""
        return median(self.seconds)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One contender beside its limit. `most`: the ratio it is meant to stay below."""

    name: str
    limit: Timing
    ours: Timing
    most: float
    rows: int

    @property
    def ratio(self) -> float:
        """Our median over the limit's."""
        return self.ours.median / self.limit.median

    @property
    def least_ratio(self) -> float:
        """Our shortest run over the limit's."""
        return self.ours.least / self.limit.least

    def as_json(self) -> dict[str, object]:
        """Return the figures for programs; seconds."""
        return {
            "name": self.name,
            "rows": self.rows,
            "limit_s": {"min": self.limit.least, "median": self.limit.median, "all": list(self.limit.seconds)},
            "ours_s": {"min": self.ours.least, "median": self.ours.median, "all": list(self.ours.seconds)},
            "ratio": self.ratio,
            "ratio_of_minima": self.least_ratio,
            "target_ratio": self.most,
            "within": self.ratio <= self.most,
        }


def race(contenders: Mapping[str, Prepared], repeat: int) -> dict[str, Timing]:
    """Run the contenders in turn, `repeat` times after one round that is not counted; return their timings."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(repeat + 1):
        for name, prepare in contenders.items():
            with prepare() as run:
                gc.collect()
                began = perf_counter()
                run()
                took = perf_counter() - began
            if number:
                taken[name].append(took)
    return {name: Timing(tuple(seconds)) for name, seconds in taken.items()}


def peak_memory(statement: str, arguments: Sequence[str]) -> float | None:
    """Run a statement in a process of its own; return the most memory it held at a time, in MB (10^6 bytes).

    All of the process counts: interpreter and libraries too. None where the system does not tell.
    """
    if not Path("/proc/self/status").exists():
        return None
    # Not getrusage: on Linux it also remembers what the process it was forked from held.
    tell = "; print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM:')).split()[1])"
    done = subprocess.run(  # noqa: S603 - this interpreter, a statement of ours
        [sys.executable, "-c", statement + tell, *arguments], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) * 1024 / 1e6

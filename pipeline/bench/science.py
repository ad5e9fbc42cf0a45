"""How fast the methods are: beside their plain form, or beside the time a person is willing to wait."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.bench.harness import Prepared, Timing, race

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PROFILES, POINTS = 10_000, 12
LOOPED = 500
"""Profiles the loop is run over: it takes seconds, and as long for each."""
FASTER = 20
SAMPLES, RATES = 1_000, 1_000
PROGRAMMES = 100_000
CAUSES = ("advance", "toxicity", "efficacy", "exposure", "strategic", "other")
SEED = 20_240_101


@dataclass(frozen=True, slots=True)
class Measured:
    """What one method took, and what it may take, in seconds; `beside` says where that comes from."""

    name: str
    taken: Timing
    most_s: float
    beside: str

    @property
    def ratio(self) -> float:
        """The median over what it may be: at most 1."""
        return self.taken.median / self.most_s

    def as_json(self) -> dict[str, object]:
        """Return the figures for programs; seconds."""
        return {
            "name": self.name,
            "seconds": {"min": self.taken.least, "median": self.taken.median, "all": list(self.taken.seconds)},
            "most_s": self.most_s,
            "beside": self.beside,
            "ratio": self.ratio,
            "within": self.ratio <= 1,
        }


def measure(repeat: int) -> list[Measured]:
    """Measure all, each `repeat` times after a run that is not counted."""
    return [
        _profiles(repeat),
        _long_profile(repeat),
        _boin_table(repeat),
        _two_stage(repeat),
        _many_rates(repeat),
        _predictive(repeat),
        _simulation(repeat),
        _reassessment(repeat),
        _incidence(repeat),
        _import(repeat),
    ]


def profiles(rows: int) -> tuple[Floats, Floats]:
    """Return made-up profiles after an oral dose: times in h and concentrations, (rows, POINTS) each."""
    import numpy as np

    generator = np.random.default_rng(SEED)
    time = np.array([0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 24], dtype=float)
    ka, ke = generator.uniform(0.8, 3, (rows, 1)), generator.uniform(0.08, 0.4, (rows, 1))
    conc = 100 * ka / (ka - ke) * (np.exp(-ke * time) - np.exp(-ka * time))
    noise = np.exp(generator.normal(0, 0.1, conc.shape))
    return np.broadcast_to(time, conc.shape).copy(), conc * noise


def looped(time: Floats, conc: Floats) -> list[tuple[float, float, float, float]]:
    """Return Cmax, the area to the last sample, lambda_z and the area to infinity, profile by profile.

    The same selection of the terminal slope and the same areas as ours, with numpy calls on each profile.
    """
    import numpy as np

    found = []
    for t, c in zip(time, conc, strict=True):
        top = int(np.argmax(c))
        width, left, right = np.diff(t), c[:-1], c[1:]
        falls = (right < left) & (right > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            pieces = np.where(falls, (left - right) * width / np.log(left / right), width * (left + right) / 2)
        area = float(pieces.sum())
        fits = []
        for first in range(len(t) - 3, top, -1):
            x, y = t[first:], np.log(c[first:])
            slope = np.polyfit(x, y, 1)[0]
            n = len(x)
            fits.append((1 - (1 - np.corrcoef(x, y)[0, 1] ** 2) * (n - 1) / (n - 2), n, -slope))
        falling = [fit for fit in fits if fit[2] > 0]
        best = max(falling, default=(0.0, 0, float("nan")))
        _, _, lambda_z = max((fit for fit in falling if fit[0] >= best[0] - 1e-4), key=lambda f: f[1], default=best)
        found.append((float(c[top]), area, float(lambda_z), area + float(c[-1] / lambda_z)))
    return found


def _profiles(repeat: int) -> Measured:
    from pipeline.pharmacology.exposure_table import exposure_table

    time, conc = profiles(PROFILES)
    timings = race(
        {
            "loop": _ready(lambda: looped(time[:LOOPED], conc[:LOOPED])),
            "ours": _ready(lambda: exposure_table(time, conc, 100.0)),
        },
        repeat,
    )
    loop = timings["loop"].median / LOOPED * PROFILES
    return Measured(
        f"NCA of {PROFILES:,} profiles of {POINTS} points",
        timings["ours"],
        loop / FASTER,
        f"1/{FASTER} of a loop over numpy calls ({loop:.1f} s, from {LOOPED} profiles)",
    )


def _long_profile(repeat: int) -> Measured:
    from pipeline.bench.plain import terminal_lines
    from pipeline.pharmacology.lambda_z import terminal_candidates

    points = [(0.1 * place, 100 * math.exp(-place / 300) * (1.1 + math.sin(place))) for place in range(SAMPLES)]
    return _beside(
        f"terminal slopes of a profile of {SAMPLES} points",
        lambda: terminal_candidates(points, include_tmax=True),
        lambda: terminal_lines(points),
        8,
        "a fit of each line",
        repeat,
    )


def _two_stage(repeat: int) -> Measured:
    from pipeline.bench.plain import two_stage_designs
    from pipeline.efficacy.simon import simon_designs

    return _beside(
        "Simon's designs for 20 % against 35 %, up to 100 patients",
        lambda: simon_designs(0.2, 0.35, n_max=100),
        lambda: two_stage_designs(0.2, 0.35, 0.05, 0.2, 100),
        5,
        "judging each first stage by itself",
        repeat,
    )


def _many_rates(repeat: int) -> Measured:
    from pipeline.efficacy.simon import simon_characteristics

    rates = [place / RATES for place in range(RATES)]
    return _beside(
        f"a two-stage design at {RATES} rates",
        lambda: simon_characteristics(4, 18, 10, 43, rates),
        lambda: [simon_characteristics(4, 18, 10, 43, [rate]) for rate in rates],
        8,
        "each rate by itself",
        repeat,
    )


def _predictive(repeat: int) -> Measured:
    from pipeline.bench.plain import predictive_chances
    from pipeline.efficacy.predictive_probability import predictive_design

    return _beside(
        "a predictive-probability design of 300 patients, looked at after each",
        lambda: predictive_design(300, (0.2, 0.8), 0.2, 0.4, 0.922, 0.001),
        lambda: [predictive_chances(n, 300, (0.2, 0.8), 70) for n in range(10, 300)],
        5,
        "the sums of its beta-binomials alone",
        repeat,
    )


def _boin_table(repeat: int) -> Measured:
    from pipeline.toxicity.boin import boin_boundaries

    return _timed("BOIN table for up to 100 patients", lambda: boin_boundaries(0.3, 100), 0.005, repeat)


def _simulation(repeat: int) -> Measured:
    from pipeline.toxicity.operating_characteristics import boin_characteristics

    rates = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6)
    return _timed(
        "BOIN with 6 doses, 10,000 simulated trials", lambda: boin_characteristics(rates, 0.3, cohorts=12), 2.0, repeat
    )


def _reassessment(repeat: int) -> Measured:
    from pipeline.toxicity.operating_characteristics import crm_characteristics

    rates, skeleton = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6), (0.06, 0.14, 0.25, 0.38, 0.5, 0.6)
    return _timed(
        "CRM with 6 doses, 10,000 simulated trials",
        lambda: crm_characteristics(rates, skeleton, 0.3, cohorts=12),
        1.0,
        repeat,
    )


def _incidence(repeat: int) -> Measured:
    import numpy as np

    from pipeline.attrition.incidence import cumulative_incidence

    generator = np.random.default_rng(SEED)
    time = np.round(generator.exponential(900, PROGRAMMES)).tolist()
    ends = ("censored", *CAUSES)
    state = [ends[number] for number in generator.integers(0, len(ends), PROGRAMMES)]
    return _timed(
        f"incidence of {len(CAUSES)} causes in {PROGRAMMES:,} programmes, with intervals",
        lambda: cumulative_incidence(time, state, (365, 730, 1095, 1460, 1825), causes=CAUSES),
        1.0,
        repeat,
    )


def _import(repeat: int) -> Measured:
    """Import the catalogue in fresh processes, with byte code at hand as after an installation; processor time."""
    code = "from time import process_time as c; a = c(); import pipeline.outcome as o; o.catalogue(); print(c() - a)"
    with tempfile.TemporaryDirectory(prefix="moltrail-bench-") as folder:
        settings = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        settings |= {"PYTHONPYCACHEPREFIX": folder, "PYTHONPATH": os.pathsep.join(sys.path)}

        def once() -> float:
            done = subprocess.run(  # noqa: S603 - this interpreter, a statement of ours
                [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=settings
            )
            return float(done.stdout)

        once()
        taken = Timing(tuple(once() for _ in range(repeat)))
    return Measured("import of pipeline and all its methods, processor time", taken, 0.15, "a limit")


def _beside(
    name: str, ours: Callable[[], object], plain: Callable[[], object], faster: int, what: str, repeat: int
) -> Measured:
    """Measure a method against its plain form in one run: it may take a share of that."""
    timings = race({"plain": _ready(plain), "ours": _ready(ours)}, repeat)
    taken = timings["plain"].median
    return Measured(name, timings["ours"], taken / faster, f"1/{faster} of {what} ({taken:.2f} s)")


def _timed(name: str, run: Callable[[], object], most_s: float, repeat: int) -> Measured:
    return Measured(name, race({name: _ready(run)}, repeat)[name], most_s, "a limit")


def _ready(run: Callable[[], object]) -> Prepared:
    @contextlib.contextmanager
    def prepared() -> Iterator[Callable[[], object]]:
        yield run

    return prepared

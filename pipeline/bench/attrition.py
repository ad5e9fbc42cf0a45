"""How fast the attrition review is beside the plain scan of its rows, and whether its intervals cover what is true.

The limit fetches the programmes and their transitions with the bare driver: the same tables, the columns the review
needs, no more. Ours goes from the records to the finished review, nothing kept from before.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.attrition.review import Asked, review
from pipeline.attrition.review_times import YEAR, day_of
from pipeline.bench.attrition_lives import LAST_DAY, lives, rows_of, true_incidence, true_likelihood, true_rate
from pipeline.bench.attrition_studies import Told, add_studies
from pipeline.bench.harness import Comparison, Prepared, Timing, peak_memory, race
from pipeline.centre import SYSTEM, Centre
from pipeline.reports import attrition_portfolio
from pipeline.reports.attrition_review import ReviewRequest, attrition_review
from pipeline.store import tables
from pipeline.store.filters import PortfolioFilter
from pipeline.store.journal import Act
from pipeline.store.reader import Reader
from pipeline.words import Modality

if TYPE_CHECKING:
    from pipeline.attrition.portfolio import Portfolio
    from pipeline.attrition.review_results import AttritionReview

PROGRAMMES, MOVES = 100_000, 600_000
SEED = 20_240_101
MOST_RATIO = 3.0
MOST_S, MOST_FILTER_S, MOST_MEMORY_MB = 2.0, 0.5, 400.0
REPLICATES, SIZE = 400, 400
NOW = datetime(2025, 1, 1, tzinfo=UTC)
DAY = day_of(LAST_DAY)

_SCAN = (
    "SELECT programme_id, position, kind, to_stage, to_status, occurred_from, occurred_to, reason "
    "FROM transitions WHERE until_act IS NULL",
    "SELECT p.id, p.molecule_id, m.code, p.indication, m.modality, p.disease_group, p.biomarker "
    "FROM programmes p LEFT JOIN molecules m ON m.id = p.molecule_id AND m.until_act IS NULL WHERE p.until_act IS NULL",
)


@dataclass(frozen=True, slots=True)
class Covered:
    """How often the 95 % intervals of one figure held the true value."""

    figure: str
    intervals: int
    held: int

    @property
    def share(self) -> float:
        """The share that held it; 0.95 is what is promised."""
        return self.held / self.intervals


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured; seconds and MB.

    with_signals: the review that also searches every scientific stop for missed signals, in `rows_of_studies` of the
    studies of one programme in twenty-five. memory_mb: of that one.
    """

    review: Comparison
    with_signals: Timing
    rows_of_studies: int
    filter_change: Timing
    memory_mb: float | None
    coverage: tuple[Covered, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the figures for programs."""
        return {
            "review": self.review.as_json() | {"target_s": MOST_S, "within_s": self.review.ours.median <= MOST_S},
            "with_signals_s": {
                "min": self.with_signals.least,
                "median": self.with_signals.median,
                "target": MOST_S,
                "within": self.with_signals.median <= MOST_S,
            },
            "rows_of_studies": self.rows_of_studies,
            "filter_change_s": {"min": self.filter_change.least, "median": self.filter_change.median},
            "target_filter_change_s": MOST_FILTER_S,
            "memory_mb": self.memory_mb,
            "target_memory_mb": MOST_MEMORY_MB,
            "coverage": [
                {"figure": one.figure, "intervals": one.intervals, "held": one.held, "share": one.share}
                for one in self.coverage
            ],
        }


def measure(repeat: int, programmes: int = PROGRAMMES, moves: int = MOVES, replicates: int = REPLICATES) -> Measured:
    """Measure on SQLite, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="moltrail-bench-") as scratch:
        folder = Path(scratch)
        told = fill(folder, lives(programmes, SEED, moves=moves))
        with Centre.open(folder) as centre:
            contenders: dict[str, Prepared] = {
                "limit": lambda: _scanning(centre),
                "ours": lambda: _reviewing(centre),
                "with signals": lambda: _reviewing(centre, signals=True),
            }
            timings = race(contenders, repeat)
            changes = race({"filter": lambda: _filtering(centre)}, repeat)["filter"]
        memory = peak_memory(
            "import sys; from pipeline.bench.attrition import review_once; review_once(sys.argv[1])", [scratch]
        )
    whole = Comparison("SQLite", timings["limit"], timings["ours"], MOST_RATIO, programmes + moves)
    return Measured(whole, timings["with signals"], told.rows, changes, memory, coverage(replicates))


def review_once(folder: str) -> None:
    """Open the records in a folder and review them once."""
    with Centre.open(Path(folder)) as centre, centre.read() as reader:
        attrition_review(reader, ReviewRequest(today=DAY, signals=True))


def fill(folder: Path, portfolio: Portfolio) -> Told:
    """Put made-up programmes on record in a folder, one molecule for each, and studies of some of them, as one act."""
    groups = portfolio.groups
    size = portfolio.ids.size

    def words(name: str) -> list[str]:
        column = groups[name]
        return [column.names[code] for code in column.codes.tolist()]

    def write(act: Act) -> dict[str, Any]:
        graph_id, graph = act.graphs.in_force(act.connection)
        names = [f"MADE-{number:06d}" for number in range(1, size + 1)]
        molecules = act.add_all(
            tables.molecules,
            ("code", "name", "name_key", "modality"),
            [(name, name, name.lower(), kind) for name, kind in zip(names, words("modality"), strict=True)],
        )
        moves = list(rows_of(portfolio))
        last = {row[0]: row for row in moves}
        diseases = [None if one == "not recorded" else one for one in words("disease_group")]
        chosen = ["B" if one == "yes" else None for one in words("biomarker_selected")]
        programmes = act.add_all(
            tables.programmes,
            (
                *("molecule_id", "indication", "indication_key", "disease_group", "biomarker", "graph_id", "stage"),
                *("stage_ordinal", "status", "stage_since", "stage_since_reported"),
            ),
            [
                (
                    *(molecule, "made up", "made up", disease, biomarker, graph_id, last[place][4]),
                    *(graph.stage(last[place][4]).ordinal, last[place][6], last[place][7], last[place][7]),
                )
                for place, (molecule, disease, biomarker) in enumerate(zip(molecules, diseases, chosen, strict=True))
            ],
        )
        act.add_all(
            tables.transitions,
            (
                *("programme_id", "graph_id", "position", "kind", "from_stage", "to_stage", "from_status", "to_status"),
                *("skipped", "imported", "occurred_on", "occurred_from", "occurred_to", "reason"),
            ),
            [
                (programmes[owner], graph_id, position, kind, a, b, c, d, "[]", True, day, day, day, reason)
                for owner, position, kind, a, b, c, d, day, reason in moves
            ],
        )
        told.append(add_studies(act, portfolio, molecules, programmes))
        return {"programmes": size, "rows_of_studies": told[0].rows}

    told: list[Told] = []
    with Centre.open(folder) as centre:
        centre.journal.perform("MadeUpProgrammes", write, actor=SYSTEM, now=NOW)
    return told[0]


# ---------------------------------------------------------------- the contenders


@contextlib.contextmanager
def _scanning(centre: Centre) -> Iterator[Any]:
    with centre.database.read() as connection:

        def scan() -> None:
            for statement in _SCAN:
                cursor = connection.connection.cursor()
                cursor.execute(statement)
                cursor.fetchall()
                cursor.close()

        yield scan


@contextlib.contextmanager
def _reviewing(centre: Centre, *, signals: bool = False) -> Iterator[Any]:
    attrition_portfolio.forget()
    with centre.read() as reader:
        yield lambda: attrition_review(reader, ReviewRequest(today=DAY, signals=signals))


@contextlib.contextmanager
def _filtering(centre: Centre) -> Iterator[Any]:
    """Review most of the programmes, right after all of them were."""
    wanted = PortfolioFilter(modality=(Modality.SMALL_MOLECULE.value, Modality.ANTIBODY.value))
    with centre.read() as reader:
        _warm(reader)
        yield lambda: attrition_review(reader, ReviewRequest(today=DAY, filter=wanted))


def _warm(reader: Reader) -> None:
    attrition_portfolio.portfolio_of(reader)


# ---------------------------------------------------------------- what is true


def coverage(replicates: int, size: int = SIZE) -> tuple[Covered, ...]:
    """Return how often the intervals held the truth, in portfolios of `size` programmes drawn anew each time."""
    held: dict[str, list[bool]] = {"rates of phases": [], "likelihood of approval": [], "incidence after 2 years": []}
    for number in range(replicates):
        found = review(lives(size, SEED + number), Asked(day=DAY))
        _judge(found, held)
    return tuple(Covered(name, len(those), sum(those)) for name, those in held.items())


def _judge(found: AttritionReview, held: dict[str, list[bool]]) -> None:
    for phase in found.counted.phases:
        if phase.rate.low is not None and phase.rate.high is not None:
            held["rates of phases"].append(phase.rate.low <= true_rate(phase.stage) <= phase.rate.high)
    whole = found.likelihood
    if whole is not None and whole.estimate.low is not None and whole.estimate.high is not None:
        truth = true_likelihood(whole.stage)
        held["likelihood of approval"].append(whole.estimate.low <= truth <= whole.estimate.high)
    for curve in found.incidence:
        step = sum(years <= 2 for years in curve.years) - 1
        low, high = curve.low[step], curve.high[step]
        if curve.cause in _TRUE and curve.stage in _STAGES and low is not None and high is not None:
            truth = true_incidence(curve.stage, _TRUE[curve.cause], int(2 * YEAR) / YEAR)
            held["incidence after 2 years"].append(low <= truth <= high)


_TRUE = {"ADVANCED": ("ADVANCED",), "TOXICITY": ("TOX_NONCLINICAL", "TOX_CLINICAL"), "EFFICACY": ("EFFICACY_LACK",)}
_STAGES = ("PHASE_1", "PHASE_2", "PHASE_3")

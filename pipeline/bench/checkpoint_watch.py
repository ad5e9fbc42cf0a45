"""What the watch adds to logging concentrations, in a small and in a large portfolio.

The same batches are logged into the same records in turn: with no rule of the watch, with all of them but the one for
checkpoints, and with all. Each batch has subjects of its own, and the molecule a target and a cap of exposure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from sqlalchemy import select

from pipeline.bench.checkpoints import fill
from pipeline.bench.harness import Comparison, Timing
from pipeline.centre import SYSTEM, Centre
from pipeline.commands import alert_rules
from pipeline.commands.alert_checkpoints import checkpoints_concerned
from pipeline.commands.alerts import Rule
from pipeline.commands.monitoring import Entry, LogMonitoring
from pipeline.commands.monitoring_settings import SetExposureLimit
from pipeline.store.tables import programmes

RECORDS = 1_000
OF_A_SUBJECT = 10
SMALL, LARGE = 100, 10_000
MOST_ADDED = 1.3
"""What logging may cost with the watch, as a multiple of what it costs without."""
MOST_GROWN = 1.15
"""What logging with the watch may cost in the large portfolio, as a multiple of the small one: room for noise only."""


@dataclass(frozen=True, slots=True)
class WatchCost:
    """Logging in one portfolio, in seconds: without the watch, with all rules but that of checkpoints, with all."""

    portfolio: int
    without: Timing
    without_checkpoints: Timing
    watched: Timing


def watch_cost(folder: Path, repeat: int, sizes: Sequence[int] = (SMALL, LARGE)) -> list[Comparison]:
    """Return what the watch adds in each portfolio, and what the largest costs beside the smallest."""
    costs = [_cost(folder / str(size), size, repeat) for size in sizes]
    found = []
    for each in costs:
        where = f"{each.portfolio:,} programmes"
        found.append(Comparison(f"watch, beside no watch; {where}", each.without, each.watched, MOST_ADDED, RECORDS))
        found.append(
            Comparison(
                f"watch, beside one without checkpoints; {where}",
                each.without_checkpoints,
                each.watched,
                MOST_ADDED,
                RECORDS,
            )
        )
    first, last = costs[0], costs[-1]
    if first is last:
        return found
    name = f"watch in {last.portfolio:,} programmes, beside {first.portfolio:,}"
    found.append(Comparison(name, first.watched, last.watched, MOST_GROWN, RECORDS))
    return found


def _cost(folder: Path, size: int, repeat: int) -> WatchCost:
    every = list(alert_rules.RULES)
    contenders: dict[str, list[Rule]] = {
        "without": [],
        "without_checkpoints": [rule for rule in every if rule is not checkpoints_concerned],
        "watched": every,
    }
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    with Centre.open(folder) as centre:
        fill(centre, size)
        molecule = _active_molecule(centre)
        for limit in (
            SetExposureLimit(molecule, "CMAX", "ng/mL", "bench", upper=1e6),
            SetExposureLimit(molecule, "CTROUGH", "ng/mL", "bench", lower=1.0),
        ):
            centre.execute(limit, actor=SYSTEM)
        for turn in range(repeat + 1):
            for name, rules in contenders.items():
                took = _with_rules(rules, lambda batch=f"{turn}-{name}": _log(centre, molecule, batch))  # type: ignore[misc]
                if turn:
                    taken[name].append(took)
    return WatchCost(size, **{name: Timing(tuple(seconds)) for name, seconds in taken.items()})


def _active_molecule(centre: Centre) -> int:
    """Return a molecule with a programme at work, in phase 1 where there is one; its study has the same number."""
    of = programmes.c
    with centre.database.read() as connection:
        rows = connection.execute(select(of.molecule_id, of.status, of.stage).where(of.until_act.is_(None))).all()
    best = max((row.status == "ACTIVE", row.stage == "PHASE_1", -row.molecule_id, row.molecule_id) for row in rows)
    return int(best[-1])


def _with_rules(rules: Sequence[Rule], run: Callable[[], None]) -> float:
    """Run with only these rules in the watch, and return how long it took, in seconds."""
    kept = list(alert_rules.RULES)
    alert_rules.RULES[:] = rules
    try:
        began = perf_counter()
        run()
        return perf_counter() - began
    finally:
        alert_rules.RULES[:] = kept


def _log(centre: Centre, molecule: int, batch: str) -> None:
    entries = tuple(
        Entry(
            molecule=molecule,
            study=molecule,
            analyte="bench",
            specimen="PLASMA",
            reported=f"{100 + number % 97}.5",
            unit="ng/mL",
            subject=f"S-{batch}-{number // OF_A_SUBJECT}",
            hours_after_dose=float(number % OF_A_SUBJECT),
            profile="Day 1",
            day=1.0,
        )
        for number in range(RECORDS)
    )
    centre.execute(LogMonitoring(entries), actor=SYSTEM)

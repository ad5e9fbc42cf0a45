"""A made-up set of phase I trials of the shape of the published one, the same every time, where no data are at hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from random import Random

from pipeline.exchange.phase1_tables import COLUMNS

TRIALS = 826
_UNITS = ("mg/m2", "mg", "mg/kg", "µg/kg")
_SCHEDULES = ("days 1, 8 and 15 of every 28 days", "weekly", "daily, without a break", "day 1 of every 21 days")
_TOXICITIES = ("neutropenia", "thrombocytopenia", "diarrhoea", "fatigue", "rash", "raised transaminases", "nausea")
_FIRST_PMID = 90_000_000


def synthetic_phase1(trials: int = TRIALS, seed: int = 1) -> list[tuple[str, bytes]]:
    """Return the seven files of a made-up set, about 27 rows for each trial as in the published one."""
    tables: dict[str, list[list[str]]] = {name: [list(columns)] for name, columns in COLUMNS.items()}
    random = Random(seed)  # noqa: S311 - made-up data, meant to be the same every time
    drugs = [f"{start}{end}" for start in _syllables(random, 40) for end in ("tinib", "mab", "platin", "taxel")]
    for number in range(trials):
        _trial(tables, random, drugs, number)
    return [(name, _csv(rows)) for name, rows in tables.items()]


def _trial(tables: dict[str, list[list[str]]], random: Random, drugs: list[str], number: int) -> None:
    pmid = str(_FIRST_PMID + number)
    registered = f"NCT{number + 1:08d}" if random.random() < 0.6 else "NA"
    where = [pmid, registered]
    population = f"adults with advanced solid tumours, group {number}"
    tables["trial.csv"].append([*where, "Combination", "No", population, "NA", "NA", "first cycle", "NA"])
    design = f"cohorts of three, expanded to six after one toxicity, trial {number}; " * random.randint(1, 8)
    tables["schema.csv"].append([*where, "Escalation", "3 + 3", design])
    for arm in range(1, 2 + (random.random() < 0.2)):
        given = random.sample(drugs, 2)
        place = [*where, str(arm)]
        for drug in given:
            tables["drug.csv"].append([*place, drug, random.choice(("i.v.", "oral")), "NA", "NA"])
        levels = random.randint(3, 7)
        units = [random.choice(_UNITS) for _ in given]
        schedules = [random.choice(_SCHEDULES) for _ in given]
        for level in range(1, levels + 1):
            for drug, unit, schedule in zip(given, units, schedules, strict=True):
                row = [drug, str(level), str(5 * level), unit, "1", schedule, "NA"]
                tables["dose_level.csv"].append([*place, *row])
        for _ in range(random.randint(2, 7)):
            term = f"grade 3 or 4 {random.choice(_TOXICITIES)} for more than {random.randint(2, 7)} days"
            tables["dlt_definition.csv"].append([*place, term, random.choice(("3", "4", "3-4")), "NA", "NA", "NA"])
        for _ in range(random.randint(1, 5)):
            level = random.randint(1, levels)
            doses = ", ".join(f"{drug} ({5 * level} {unit})" for drug, unit in zip(given, units, strict=True))
            seen = [random.choice(_TOXICITIES), random.choice(("3", "4", "NA")), str(level), "NA", "1", "6", "NA", "NA"]
            tables["observed_dlt.csv"].append([*place, *seen, doses])
        if random.random() < 0.4:
            recommended = [given[0], str(5 * (levels - 1)), units[0], "1", schedules[0], "RP2D"]
            tables["mtd.csv"].append([*place, *recommended])


def _syllables(random: Random, count: int) -> Iterator[str]:
    for number in range(count):
        yield "".join(random.choice("bdfglmnprstvz") + random.choice("aeiou") for _ in range(3)) + chr(97 + number % 26)


def _csv(rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()

"""The sample of stopped trials whose reasons were read and labelled by hand before any rule was written.

Drawn from trial-stops/comparator.csv: every distinct text once (first row that has it; case and spaces aside), nine
strata of equal size (way to stop x short, middling, long text), 60 of each with a fixed seed; in each stratum the first
30 drawn may be looked at while rules are written ("open"), the other 30 are held out and evaluated at the end.
"""

import csv
import random
from pathlib import Path

SEED = 20161202
PER_STRATUM = 60
SHORT, MIDDLING = 25, 54
"""Most characters of a short and of a middling text: the terciles of the file."""


def texts(file: Path) -> dict[str, str]:
    """Return why_stopped by registry number, for rows that have a text."""
    with file.open(encoding="utf-8", newline="") as rows:
        return {
            row["nctid"]: row["why_stopped"]
            for row in csv.DictReader(rows)
            if row["why_stopped"].strip() not in {"", "NA"}
        }


def draw(file: Path) -> list[tuple[str, str]]:
    """Return (registry number, part) of the sample; part is "open" or "held_out"."""
    strata: dict[tuple[str, int], list[str]] = {}
    seen: set[str] = set()
    with file.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            text = " ".join(row["why_stopped"].casefold().split())
            if text in {"", "na"} or text in seen:
                continue
            seen.add(text)
            size = 0 if len(text) <= SHORT else 1 if len(text) <= MIDDLING else 2
            strata.setdefault((row["stop_status"], size), []).append(row["nctid"])
    chance = random.Random(SEED)
    sample: list[tuple[str, str]] = []
    for stratum in sorted(strata):
        drawn = chance.sample(strata[stratum], PER_STRATUM)
        sample += [(trial, "open" if at < PER_STRATUM // 2 else "held_out") for at, trial in enumerate(drawn)]
    return sample

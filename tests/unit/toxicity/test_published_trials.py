"""Methods on what published phase I trials reported: every dose level gets an answer or a refusal."""

import csv

from pipeline.errors import InputError
from pipeline.toxicity.boin import select_mtd
from pipeline.toxicity.keyboard import mtpi2_decision
from tests.support.datasets import dataset


def reported() -> list[tuple[str, int, int]]:
    """Return (trial and level, patients with a toxicity, patients treated) where both are whole numbers."""
    path = dataset("phase1-dlt") / "observed_dlt.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        (f"{row['PMID']}/{row['CombnID']}/{row['At_Level']}", int(row["Observed_Frequency"]), int(row["Total"]))
        for row in rows
        if row["Observed_Frequency"].isdigit() and row["Total"].isdigit()
    ]


def test_every_reported_level_is_decided_or_refused() -> None:
    levels = reported()
    refused = []
    for name, toxic, treated in levels:
        try:
            found = mtpi2_decision(treated, toxic, 0.3)
        except InputError:
            refused.append(name)
            continue
        assert found.prob_over_target is None or 0 <= found.prob_over_target <= 1
        assert (found.decision is None) == (treated == 0)
        chosen = select_mtd(0.3, [treated], [toxic])
        assert (chosen.mtd is None) == (treated == 0 or found.eliminate)
    assert len(levels) > 2000
    assert len(refused) == len({name for name, toxic, treated in levels if toxic > treated}) == 1

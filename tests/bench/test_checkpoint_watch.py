"""The measurement of the watch: it compares what it says it does, and leaves the rules as they were."""

from __future__ import annotations

from pathlib import Path

from pipeline.bench.checkpoint_watch import RECORDS, watch_cost
from pipeline.commands import alert_rules


def test_the_watch_is_measured_beside_none_in_a_small_and_a_larger_portfolio(tmp_path: Path):
    rules = list(alert_rules.RULES)
    found = watch_cost(tmp_path, 1, (30, 60))
    assert [each.name for each in found] == [
        "watch, beside no watch; 30 programmes",
        "watch, beside one without checkpoints; 30 programmes",
        "watch, beside no watch; 60 programmes",
        "watch, beside one without checkpoints; 60 programmes",
        "watch in 60 programmes, beside 30",
    ]
    assert all(each.rows == RECORDS and each.ratio > 0 for each in found)
    assert rules == alert_rules.RULES

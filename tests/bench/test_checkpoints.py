"""The made-up portfolio a replay is timed on."""

from __future__ import annotations

import pytest

from pipeline.bench.checkpoints import MOST_S, measure


def test_a_small_portfolio_is_replayed_and_timed(tmp_path):
    found = measure(tmp_path, 60, repeat=1)
    assert found.most_s == pytest.approx(MOST_S * 60 / 10_000)
    summary = found.found
    outcomes = ("stopped_earlier", "missed", "wrongly_stopped", "correctly_continued", "in_phase", "not_judged")
    assert sum(summary[name] for name in outcomes) == summary["programmes"] == 60
    assert summary["stopped_earlier"] + summary["wrongly_stopped"] > 0
    assert summary["correctly_continued"] > 0
    content = found.as_json()
    assert content["states"] == 600
    assert content["within"] == (found.taken.median <= found.most_s)

"""The key of the audit chain: made once, and never made anew behind acts that were coded with another."""

from pathlib import Path

import pytest

from pipeline.centre import Centre
from pipeline.errors import StoreRefused


def test_a_lost_key_is_not_replaced_in_silence(tmp_path: Path):
    with Centre.open(tmp_path):
        pass
    key = tmp_path / "chain.key"
    kept = key.read_text()
    key.unlink()
    with pytest.raises(StoreRefused, match="restore it from its backup"), Centre.open(tmp_path):
        pass
    assert not key.exists()
    key.write_text("ab" * 32)
    with pytest.raises(StoreRefused, match="not the one the acts on record were coded with"), Centre.open(tmp_path):
        pass
    key.write_text(kept)
    with Centre.open(tmp_path) as centre:
        assert centre.verify().problems == []

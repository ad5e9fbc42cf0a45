"""Where the public data sets lie on this machine; a test that needs one skips where it is not."""

import os
from pathlib import Path

import pytest

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def dataset(name: str) -> Path:
    """Return the folder of one public data set, or skip the test that asks."""
    folder = Path(os.environ.get("MOLTRAIL_DATASETS", BESIDE_THE_CHECKOUT)) / name
    if not folder.is_dir():
        pytest.skip(f"the public data set {name} is not here; point MOLTRAIL_DATASETS at its parent folder")
    return folder

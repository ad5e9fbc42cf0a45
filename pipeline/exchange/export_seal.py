"""The seal of an export: a digest of what its data sets say, whatever format they are in.

A set whose seal holds is what was exported, cell by cell; one that was changed since is read like any other source.
It shows changes made by mistake, not by somebody who computes it anew: what is imported is still screened for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from pipeline.exchange.dataset_csv import MISSING
from pipeline.exchange.dataset_table import DataSet

SEAL = "MTSEAL"
"""Parameter of the trial summary that holds the seal."""
OUTSIDE = frozenset({"TS", "ABOUT"})
"""Data sets the seal is not made of: the one it stands in, and the explanations of a workbook."""
_BETWEEN = "\x1f"


def seal_of(datasets: Sequence[DataSet]) -> str:
    """Return the digest of data sets, in hexadecimal; each is read once.

    Raises:
        FileRefused: a file is damaged.
    """
    total = sha256()
    for dataset in sorted(datasets, key=lambda dataset: dataset.name.upper()):
        if dataset.name.upper() in OUTSIDE:
            continue
        columns = [sha256(column.name.upper().encode()) for column in dataset.columns]
        unread = 0
        for chunk in dataset.chunks():
            unread += len(chunk.bad)
            if not len(chunk):
                continue
            for at, digest in enumerate(columns):
                texts = ["" if text is None or text in MISSING else text for text in chunk.texts(at)]
                digest.update((_BETWEEN.join(texts) + _BETWEEN).encode("utf-8", "surrogatepass"))
        total.update(f"{dataset.name.upper()}{_BETWEEN}{len(columns)}{_BETWEEN}{unread}".encode())
        for digest in columns:
            total.update(digest.digest())
    return total.hexdigest()

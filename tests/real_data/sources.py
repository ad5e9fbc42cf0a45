"""Readers of the public data sets, as small as these tests need: rows are mappings of column name to value."""

import csv
from typing import Any

import pyreadstat

from tests.support.datasets import dataset

Row = dict[str, Any]


def transport(folder: str, name: str) -> list[Row]:
    """Return the rows of a SAS transport file; numbers are float or None, text is str."""
    path = dataset("send-xpt") / folder / f"{name}.xpt"
    columns, _ = pyreadstat.read_xport(str(path), output_format="dict")
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def delimited(folder: str, name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file, all text as it stands."""
    path = dataset(folder) / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(text: str) -> float | None:
    """Return a number, or None where the source says that there is none (empty or NA)."""
    return None if text in ("", "NA") else float(text)

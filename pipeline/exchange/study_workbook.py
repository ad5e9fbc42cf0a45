"""Workbooks that hold the data sets of a study, a sheet for each: how they are told from other workbooks."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from pipeline.exchange.dataset_files import workbook_sets
from pipeline.exchange.dataset_table import DataSet, Source
from pipeline.exchange.dataset_xlsx_write import FRONT
from pipeline.exchange.sdtm_domains import DOMAINS

_SHEETS = "xl/workbook.xml"
_MOST_BYTES = 1_000_000
_NAME = re.compile(rb'<(?:\w+:)?sheet\b[^>]*?\bname="([A-Za-z]{2,8})"')


def is_study_workbook(content: bytes) -> bool:
    """Whether a file is a workbook with at least two sheets that are called like domains of SDTM or SEND."""
    if not content.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(_SHEETS) as stream:
            listed = stream.read(_MOST_BYTES)
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, OSError, EOFError, ValueError, zlib.error):
        return False
    names = {name.decode().upper() for name in _NAME.findall(listed)}
    return len({name for name in names if name in DOMAINS or name.startswith("SUPP")}) >= 2


def study_sheets(source: Source) -> list[DataSet]:
    """Return the data sets of a workbook; its sheet of explanations is none of them.

    Raises:
        FileRefused: it is damaged, or a sheet is no table.
    """
    return [dataset for dataset in workbook_sets(source) if dataset.name.upper() != FRONT.upper()]

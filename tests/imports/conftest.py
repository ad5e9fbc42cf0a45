"""A centre with its API on each engine, and `sent`, which sends a file through it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from pipeline.centre import Centre
from pipeline.store.tables import RECORD_TABLES
from tests.graphql.conftest import Api, api

__all__ = ["api"]

IMPORT = """
mutation Import($file: Upload!, $input: ImportInput!) {
  importFile(file: $file, input: $input) {
    report {
      format rows accepted quarantined held duplicates warnings written
      problems { kind file row column value reason }
    }
    errors { __typename code message path }
  }
}
"""
REVIEW = """
query Review($status: ReviewStatus) {
  reviewItems(status: $status, first: 100) {
    nodes { id file row column reported proposed explanation status decidedBy comment }
  }
}
"""
DECIDE = """
mutation Decide($input: DecideReviewInput!) {
  decideReview(input: $input) { item { status decidedBy } errors { code message path } }
}
"""


@dataclass(slots=True)
class Sent:
    """A file as the server gets it."""

    filename: str
    content: bytes

    @property
    def file(self) -> io.BytesIO:
        """The content, to be read once."""
        return io.BytesIO(self.content)


def answer(api: Api, name: str, content: bytes, *, format: str = "auto", dry_run: bool = False) -> dict[str, Any]:
    """Send a file and return the payload."""
    variables = {"file": Sent(name, content), "input": {"format": format, "dryRun": dry_run}}
    found: dict[str, Any] = api(IMPORT, **variables)["importFile"]
    return found


def sent(api: Api, name: str, content: bytes, *, format: str = "auto", dry_run: bool = False) -> dict[str, Any]:
    """Send a file that is not refused, and return the report, in which every row is accounted for."""
    found = answer(api, name, content, format=format, dry_run=dry_run)
    assert found["errors"] == [], found
    report: dict[str, Any] = found["report"]
    assert min(counts(report)) >= 0, report
    assert sum(counts(report)) == report["rows"], report
    return report


def counts(report: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Return accepted, quarantined, held and duplicate rows."""
    return report["accepted"], report["quarantined"], report["held"], report["duplicates"]


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of files, the same bytes whenever it is made."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def versions(centre: Centre) -> dict[str, int]:
    """Return how many row versions each table holds."""
    with centre.database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in RECORD_TABLES
        }


def reviews(api: Api, status: str | None = "OPEN") -> list[dict[str, Any]]:
    """Return the review list."""
    found: list[dict[str, Any]] = api(REVIEW, status=status)["reviewItems"]["nodes"]
    return found


def decide(api: Api, item: str, status: str, **more: Any) -> dict[str, Any]:
    """Decide on an item of the review list."""
    found: dict[str, Any] = api(DECIDE, input={"item": item, "status": status} | more)["decideReview"]
    return found

"""What became of a file's rows, for the person who sent it: a quarantine file to mend and send again, and a summary."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from pipeline.exchange.cells import defused
from pipeline.exchange.reading import Place, Reading

HEADINGS = ("file", "row", "column", "value", "reason", "kind")


def write_quarantine(reading: Reading) -> bytes:
    """Return the rows that were not taken, or taken with something to mind, as CSV (UTF-8 with a byte order mark).

    kind is `quarantined` (cannot be read), `held` (a person has to decide; the reason ends with the proposal) or `flag`
    (accepted). Cells that a spreadsheet would compute are defused with an apostrophe.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    for place, column, value, reason, kind in _rows(reading):
        texts = (place.file, str(place.row), column or "", value or "", reason, kind)
        writer.writerow([defused(text) for text in texts])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def _rows(reading: Reading) -> Iterator[tuple[Place, str | None, str | None, str, str]]:
    rows = [
        *((item.place, item.column, item.value, item.reason, "quarantined") for item in reading.quarantined),
        *(
            (item.place, item.column, item.value, f"{item.explanation} (proposed: {item.proposed})", "held")
            for item in reading.held
        ),
        *((item.place, item.column, item.value, item.reason, "flag") for item in reading.flags),
    ]
    return iter(sorted(rows, key=lambda row: row[0]))


def summary(reading: Reading) -> dict[str, object]:
    """Return the counts and warnings of a reading, ready for JSON: every row is in exactly one of the four counts."""
    return {
        "format": reading.format,
        "rows": reading.rows,
        "accepted": reading.accepted,
        "quarantined": len({item.place for item in reading.quarantined}),
        "held": len({item.place for item in reading.held}),
        "duplicates": len({item.place for item in reading.duplicates}),
        "flags": len(reading.flags),
        "programmes": len(reading.programmes),
        "studies": len(reading.studies),
        "warnings": list(reading.warnings),
    }

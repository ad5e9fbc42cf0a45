"""What comes of reading a file: the facts found in it, and what became of every one of its rows.

A reader never writes and never drops: accepted + quarantined + held + duplicates = rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pipeline.exchange.facts import ProgrammeFact, StudyFact

if TYPE_CHECKING:
    from pipeline.exchange.exposure_target_tables import TargetFact
    from pipeline.exchange.study_facts import Batch, StudyRecords


class Place(NamedTuple):
    """Where a value stands in what was sent: file name inside the set, row as a spreadsheet counts (heading = 1)."""

    file: str
    row: int


class Quarantined(NamedTuple):
    """A row that cannot be read as it stands: nothing of it was taken; the reason says what to mend."""

    place: Place
    column: str | None
    value: str | None
    reason: str

    def also(self, column: str | None, reason: str) -> Quarantined:
        """Return the row with one thing more to mend, named with where it stands."""
        named = f"{column}: {reason}" if column else reason
        return self if named in self.reason else self._replace(reason=f"{self.reason}; {named}")


class Held(NamedTuple):
    """A row that can be read in more than one way: nothing of it was taken until a person decides on the proposal.

    `act` names what accepting would do, as data the importer's writer understands (None: only to be looked at).
    """

    place: Place
    column: str | None
    value: str | None
    proposed: str
    explanation: str
    act: dict[str, object] | None = None


class Duplicate(NamedTuple):
    """A row that says again what another row (or what is recorded already) says."""

    place: Place
    of: Place | None


class SentFile(NamedTuple):
    """One file of what was sent: `name` is unique among them, and places are in it (or in a sheet: "name[sheet]")."""

    name: str
    content: bytes
    given: str
    """Its name as it was sent, without folders."""
    archive: str | None = None
    """The archive it was packed in."""


@dataclass(slots=True)
class Reading:
    """The outcome of reading one file, or one set of files, in one format."""

    format: str
    rows: int = 0
    programmes: list[ProgrammeFact] = field(default_factory=list)
    studies: list[StudyFact] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    flags: list[Quarantined] = field(default_factory=list)
    """Accepted rows with something to mind: a repaired grade, an odd count, a guessed encoding."""
    files: list[SentFile] = field(default_factory=list)
    """What was sent, unpacked: filled in by pipeline.exchange.formats."""
    records: list[StudyRecords] = field(default_factory=list)
    """Studies with records that are streamed: their rows are counted, and their fates told, as they are written."""
    targets: list[TargetFact] = field(default_factory=list)
    """Target exposures of molecules."""
    outside: list[Batch] = field(default_factory=list)
    """Rows of the files of `records` that belong to none of the studies."""

    @property
    def accepted(self) -> int:
        """Rows whose content became facts. A row is quarantined or held once, however many things are wrong with it."""
        return (
            self.rows
            - len({item.place for item in self.quarantined})
            - len({item.place for item in self.held})
            - len({item.place for item in self.duplicates})
        )

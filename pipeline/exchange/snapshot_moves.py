"""What moved between snapshots of a portfolio: sights of the same programme compared in the order of their days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.dates import PartialDate
from pipeline.exchange.cells import is_nothing
from pipeline.exchange.facts import MoleculeFact, ProgrammeFact, StageEntry
from pipeline.exchange.headings import Columns
from pipeline.exchange.portfolio_molecules import IDENTIFIERS, extend, split_list
from pipeline.exchange.reading import Duplicate, Held, Place, Quarantined, Reading
from pipeline.exchange.stage_names import StageNames
from pipeline.names import tidy
from pipeline.words import AttritionReason, Status

_LISTED = 10
_NO_STAGE = (
    "this says how it stands and not in which stage; import the snapshot together with an earlier one that says the "
    "stage, or write the stage"
)


@dataclass(slots=True)
class Sight:
    """One row of one snapshot that can be read. `stage` is empty where it says only how the programme stands."""

    place: Place
    heading: str
    name: str
    stage: str
    indication: str
    cells: Sequence[str]
    columns: Columns
    status: Status = Status.ACTIVE

    def said(self, names: StageNames) -> str:
        """Return the stage and status as people read them."""
        stage = names.name(self.stage) if self.stage else ""
        return stage if self.status is Status.ACTIVE else f"{stage} {self.status}".strip()


@dataclass(slots=True)
class Snapshot:
    """What one day's files say, by programme key."""

    day: PartialDate
    files: list[str]
    seen: dict[tuple[str, str], list[Sight]] = field(default_factory=dict)


@dataclass(slots=True)
class _Track:
    """A programme through the snapshots: its fact, the last stage believed, and where each stage was last said."""

    fact: ProgrammeFact
    stage: str
    status: Status
    said: dict[str, Place]
    held: Place | None = None
    present: bool = True


def follow(snapshots: Sequence[Snapshot], names: StageNames, reading: Reading, *, whole: bool) -> None:
    """Infer the moves from snapshots in the order of their days, and give every row its fate in `reading`.

    whole: rows are about molecules for all their indications, so that no indication names the programme.
    """
    tracks: dict[tuple[str, str], _Track] = {}
    molecules: dict[str, MoleculeFact] = {}
    before: Snapshot | None = None
    for snapshot in snapshots:
        returned = []
        for key, rows in snapshot.seen.items():
            row = _one_row(rows, names, snapshot, reading)
            if row is None:
                continue
            track = tracks.get(key)
            if track is None and not row.stage:
                reading.quarantined.append(Quarantined(row.place, row.heading, _cell(row, "stage"), _NO_STAGE))
                continue
            if track is None:
                tracks[key] = _first_sight(key[0], row, snapshot, molecules, whole, reading)
                continue
            if not track.present:
                returned.append(track.fact.molecule.name)
                track.present = True
            _describe(track.fact.molecule, row)
            _compare(track, row, snapshot, before, names, reading)
        gone = [
            track for key, track in tracks.items() if track.present and key not in snapshot.seen and before is not None
        ]
        for track in gone:
            track.present = False
        if before is not None:
            _tell(
                f"no longer in the snapshot of {snapshot.day.text} (not taken for a stop)",
                [track.fact.molecule.name for track in gone],
                reading,
            )
        _tell(f"back in the snapshot of {snapshot.day.text} after being absent", returned, reading)
        before = snapshot


def _tell(what: str, names: Sequence[str], reading: Reading) -> None:
    if names:
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        reading.warnings.append(f"{len(names)} name(s) are {what}: {', '.join(names[:_LISTED])}{more}.")


def _one_row(rows: list[Sight], names: StageNames, snapshot: Snapshot, reading: Reading) -> Sight | None:
    """Return the row that speaks for a programme in a snapshot; hold all of them when they name different stages."""
    if len({(row.stage, row.status) for row in rows}) == 1:
        reading.duplicates += [Duplicate(row.place, rows[0].place) for row in rows[1:]]
        return rows[0]
    stages = " or ".join(sorted({row.said(names) for row in rows}))
    for row in rows:
        others = ", ".join(str(other.place.row) for other in rows if other is not row)
        explanation = (
            f"{row.name} stands in the snapshot of {snapshot.day.text} more than once with different phases "
            f"(also row {others}); say which is right, or give the indications"
        )
        reading.held.append(Held(row.place, row.heading, row.said(names), stages, explanation))
    return None


def _first_sight(
    key: str, row: Sight, snapshot: Snapshot, molecules: dict[str, MoleculeFact], whole: bool, reading: Reading
) -> _Track:
    molecule = molecules.get(key)
    if molecule is None:
        molecule = molecules[key] = MoleculeFact(row.name, key, row=row.place.row, file=row.place.file)
    _describe(molecule, row)
    note = f"first seen in the snapshot of {snapshot.day.text}"
    if whole and row.indication:
        note += f"; indications named: {row.indication}"
    fact = ProgrammeFact(
        molecule,
        None if whole else row.indication or None,
        disease_group=_cell(row, "disease_group") if not whole else None,
        entries=[_entry(row, row.stage, snapshot.day, note)],
        row=row.place.row,
        file=row.place.file,
    )
    reading.programmes.append(fact)
    return _Track(fact, row.stage, row.status, {row.stage: row.place})


def _entry(row: Sight, stage: str, day: PartialDate, note: str) -> StageEntry:
    entry = StageEntry(stage, day, row.status, note=note, row=row.place.row, file=row.place.file)
    if row.status is not Status.ACTIVE:
        entry.reason_verbatim = _cell(row, "reason")
    if row.status is Status.DISCONTINUED and entry.reason_verbatim is None:
        entry.reason = AttritionReason.UNSPECIFIED
    return entry


def _compare(
    track: _Track, row: Sight, snapshot: Snapshot, before: Snapshot | None, names: StageNames, reading: Reading
) -> None:
    """Decide what a further sight of a programme means."""
    stage = row.stage or track.stage
    again = track.said.get(stage)
    if (stage == track.stage and row.status is track.status) or (again is not None and again == track.held):
        reading.duplicates.append(Duplicate(row.place, again))
        if stage == track.stage:
            track.held = None
        track.said[stage] = row.place if stage == track.stage else again or row.place
        return
    since = before.day.text if before is not None else snapshot.day.text
    if stage == track.stage or names.rank(stage) > names.rank(track.stage):
        track.fact.entries.append(_entry(row, stage, snapshot.day, f"seen between {since} and {snapshot.day.text}"))
        track.stage, track.status, track.held = stage, row.status, None
        track.said[stage] = row.place
        return
    wrong, right = names.name(track.stage), names.name(row.stage)
    entry = track.fact.entries[-1]
    act: dict[str, object] = {
        "kind": "correct",
        "molecule": track.fact.molecule.name,
        "indication": track.fact.indication,
        "from_stage": track.stage,
        "from_date": entry.occurred_on.text,
        "to": row.stage,
        "occurred_on": entry.occurred_on.text,
        "seen_on": snapshot.day.text,
    }
    explanation = (
        f"{row.name} was in {wrong} in the snapshot of {entry.occurred_on.text} and is in {right} on "
        f"{snapshot.day.text}; programmes do not move back, so one of the two is wrong"
    )
    proposed = f"correct {wrong} to {right}"
    reading.held.append(Held(row.place, row.heading, right, proposed, explanation, act))
    track.held = row.place
    track.said[row.stage] = row.place


def _cell(row: Sight, column: str) -> str | None:
    at = row.columns.at.get(column)
    return row.cells[at] if at is not None and not is_nothing(row.cells[at]) else None


def _describe(molecule: MoleculeFact, row: Sight) -> None:
    """Add another spelling, targets, structure and identifiers to what is known of a molecule."""
    if row.name != molecule.name and row.name not in molecule.synonyms:
        molecule.synonyms.append(row.name)
    if "name" in row.columns.at:
        molecule.code = molecule.code or _cell(row, "code")
    molecule.smiles = molecule.smiles or _cell(row, "smiles")
    extend(molecule.targets, split_list(_cell(row, "targets"), commas=True))
    extend(molecule.synonyms, [tidy(name) for name in split_list(_cell(row, "synonyms"))])
    for column, scheme in IDENTIFIERS.items():
        value = _cell(row, column)
        if value and (scheme, value) not in molecule.external_ids:
            molecule.external_ids.append((scheme, value))

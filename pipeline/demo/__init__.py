"""The demonstration: facts from public sets, loaded into an empty record as ordinary imports.

Every step is one act under an idempotency key made of its files, signed by the program. A load that was interrupted
goes on where it stopped and writes nothing twice; a record that holds anything of a centre's own is left alone.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

from sqlalchemy import select

from pipeline.centre import SYSTEM, Centre
from pipeline.commands.imports import ImportFiles
from pipeline.errors import Conflict
from pipeline.exchange.facts import MoleculeFact, ProgrammeFact
from pipeline.exchange.formats import read_files
from pipeline.exchange.reading import Reading, SentFile
from pipeline.names import canonical_key
from pipeline.store.tables import acts
from pipeline.words import Modality

REASON = "demonstration data"
ATTRIBUTION = Path(str(files(__name__) / "ATTRIBUTION.md"))
"""Where every file comes from, under which licence, and how it was cut."""
_KEY = "demonstration"
_SETTING_UP = ("AdoptStateGraph", "CreateToken", "RevokeToken")
"""Acts that put no molecule on record, so that the demonstration may follow them."""
_COUNTED = {"molecules": "molecule", "programmes": "programme", "studies": "study"}
"""What a step's line counts, new or changed, beside its singular."""


class State(StrEnum):
    """What a record holds, as far as the demonstration is concerned."""

    EMPTY = "empty"
    PARTIAL = "partly loaded"
    LOADED = "loaded"
    OTHER = "not loaded: the record holds other molecules"


@dataclass(frozen=True, slots=True)
class Step:
    """One import of the demonstration: what it is called, its format and its files (paths inside `data`)."""

    title: str
    format: str
    paths: tuple[str, ...]

    def files(self) -> list[tuple[str, bytes]]:
        """Return (file name, content) of the step's files."""
        folder = files(__name__) / "data"
        return [(path.rpartition("/")[2], folder.joinpath(path).read_bytes()) for path in self.paths]

    def command(self, content: Sequence[tuple[str, bytes]], reading: Reading) -> ImportFiles:
        """Return the command that brings the step in."""
        return ImportFiles.of(reading, list(content), name=f"{self.title} (demonstration)")


STEPS = (
    Step("molecules", "molecules", ("molecules.csv",)),
    Step("portfolio", "portfolio", ("portfolio.csv",)),
    Step("portfolio, what came later", "portfolio", ("portfolio_update.csv",)),
    Step(
        "phase I trials",
        "phase1-dlt",
        tuple(
            f"phase1/{table}.csv"
            for table in ("trial", "drug", "schema", "dlt_definition", "dose_level", "observed_dlt", "mtd")
        ),
    ),
    Step(
        "registry records",
        "ctgov",
        ("registry/NCT00567567.json", "registry/NCT01305200.json", "registry/NCT03275402.json"),
    ),
    Step("stopped trials", "trial-stops", ("stopped_trials.csv",)),
    Step(
        "portfolio snapshots",
        "snapshots",
        ("snapshots/portfolio_2024-01-15.csv", "snapshots/portfolio_2025-01-15.csv"),
    ),
    Step(
        "exposure in the rat",
        "sdtm",
        tuple(f"rat/{domain}.csv" for domain in ("dm", "ex", "mi", "pc", "ts", "tx")),
    ),
    Step(
        "exposure in people",
        "sdtm",
        tuple(f"phase1b/{domain}.csv" for domain in ("ae", "dm", "ex", "lb", "pc", "pp", "ts")),
    ),
)


def load_once(centre: Centre, say: Callable[[str], object]) -> None:
    """Load the demonstration where nothing of a centre's own is on record yet, or go on with an interrupted load.

    Args:
        centre: the open records.
        say: takes one line for whoever started the program; nothing is said when nothing is done.
    """
    if state_of(centre) in (State.EMPTY, State.PARTIAL):
        say("Loading the demonstration data (only now; `--no-demo` leaves it out)")
        for line in _watched(_steps_of(centre)):
            say(f"  {line}")


def load(centre: Centre) -> list[str]:
    """Load the demonstration, or what is missing of it, and return what was loaded, one line for each step.

    Raises:
        Conflict: the record holds molecules that are not the demonstration's.
    """
    state = state_of(centre)
    if state is State.OTHER:
        raise Conflict(
            "the record holds other molecules already; load the demonstration into a folder of its own, "
            "as in `moltrail --data demo demo load`"
        )
    return [] if state is State.LOADED else _watched(_steps_of(centre))


def state_of(centre: Centre) -> State:
    """Return what the record holds of the demonstration."""
    statement = (
        select(acts.c.actor, acts.c.idempotency_key).where(acts.c.command.not_in(_SETTING_UP)).order_by(acts.c.number)
    ).limit(len(STEPS) + 1)
    with centre.database.read() as connection:
        done = [(row.actor, row.idempotency_key or "") for row in connection.execute(statement)]
    if not done:
        return State.EMPTY
    wanted = [(SYSTEM.name, _key(step, step.files())) for step in STEPS]
    if done == wanted[: len(done)] and len(done) < len(wanted):
        return State.PARTIAL
    # The rest is judged by its beginning: an earlier version's demonstration is not loaded over.
    actor, key = done[0]
    return State.LOADED if actor == SYSTEM.name and key.startswith(f"{_KEY}/") else State.OTHER


def _key(step: Step, content: Sequence[tuple[str, bytes]]) -> str:
    return f"{_KEY}/{step.title}/{step.command(content, Reading(step.format)).sha256[:16]}"


def _steps_of(centre: Centre) -> Iterator[str]:
    """Do the steps in turn and yield what each one wrote; those done before answer without writing."""
    for step in STEPS:
        content = step.files()
        with centre.read() as reader:
            _, graph = reader.graphs.in_force(reader.connection)
        reading = read_molecules(*content[0]) if step.format == "molecules" else None
        command = step.command(content, reading or read_files(step.format, content, graph))
        recorded = centre.execute(command, actor=SYSTEM, idempotency_key=_key(step, content), reason=REASON)
        written = {name: recorded.result[name] for name in _COUNTED}
        counts = ", ".join(
            f"{count} {name if count > 1 else _COUNTED[name]}" for name, count in written.items() if count
        )
        yield f"{step.title}: {counts or 'nothing new'}"


def _watched(steps: Iterable[str]) -> list[str]:
    """Return the lines of all steps once they are done; a progress bar goes along where a person is looking."""
    if not sys.stderr.isatty():
        return list(steps)
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return list(track(steps, "Demonstration data", total=len(STEPS), console=console, transient=True))


def read_molecules(name: str, data: bytes) -> Reading:
    """Read the demonstration's own list of molecules: code, name, modality, targets, PubChem number and structure."""
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"))))
    reading = Reading("molecules", rows=len(rows), files=[SentFile(name, data, name)])
    for number, row in enumerate(rows, 2):
        molecule = MoleculeFact(
            row["name"],
            canonical_key(row["name"]),
            code=row["code"],
            modality=Modality(row["modality"]),
            external_ids=[("PUBCHEM_CID", row["pubchem"])],
            targets=[target for target in row["targets"].split(";") if target],
            smiles=row["smiles"],
            row=number,
            file=name,
        )
        reading.programmes.append(ProgrammeFact(molecule, None, row=number, file=name))
    return reading

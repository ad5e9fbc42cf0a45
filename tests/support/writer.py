"""A process that writes acts without end and says which are acknowledged; it is there to be killed.

python -m tests.support.writer URL FOLDER FIRST [WAIT]: says "ready" on standard output, then one "ack NUMBER KEY" per
act, or "unavailable KEY" for an act whose outcome is unknown and which is then repeated under its key. Keys are numbers
from FIRST on, so that the next process begins by repeating what the killed one could not acknowledge. The
acknowledgements are also appended to FOLDER/acknowledged, so that a record of the disk has them in order.
"""

import contextlib
import itertools
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.access import Actor, Role
from pipeline.errors import Unavailable
from pipeline.store.database import Database
from pipeline.store.journal import Act, Journal, Recorded
from pipeline.store.keys import Anchor, ChainKey
from pipeline.store.migrations import upgrade
from pipeline.store.tables import molecule_names, molecules

LEAD = Actor.of("A. Lead", Role.LEAD)
ROWS = 70  # enough for PostgreSQL's COPY


def write(act: Act, key: str) -> dict[str, Any]:
    """Register a molecule, revise the one before, and give it many names: half of this must never be found."""
    row = {"code": key, "name": key, "name_key": key, "modality": "UNKNOWN", "molar_mass": 1 / 3}
    id = act.add(molecules, row)
    if id > 1:
        act.revise(molecules, act.find(molecules, id - 1), {"name": f"revised in act {act.number}"})
    columns = ("molecule_id", "name", "name_key", "source")
    act.add_all(molecule_names, columns, [(id, f"{key} {n}", f"{n}", "x" * 40) for n in range(ROWS)])
    return {"molecule": id}


def perform(journal: Journal, key: str) -> Recorded:
    """Do the act of one key."""
    return journal.perform(
        "Register", lambda act: write(act, key), actor=LEAD, now=datetime.now(UTC), idempotency_key=key, fingerprint=key
    )


def journal_in(folder: Path, database: Database) -> Journal:
    """Return the journal of a folder."""
    key = ChainKey.load(folder / "chain.key")
    return Journal(database, key, Anchor(folder / "anchor.jsonl", key))


def main(url: str, folder: Path, first: int, wait: float) -> None:
    """Write until killed."""
    out = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def say(line: str) -> None:
        print(line, flush=True)
        with contextlib.suppress(OSError):  # a disk made to fail by the test
            os.write(out, f"{line}\n".encode())

    with Database(url) as database:
        upgrade(database)
        journal = journal_in(folder, database)
        print("ready", flush=True)
        for key in map(str, itertools.count(first)):
            while True:
                try:
                    recorded = perform(journal, key)
                    break
                except Unavailable:
                    print(f"unavailable {key}", flush=True)
                    time.sleep(0.05)
            say(f"ack {recorded.number} {key}")
            time.sleep(wait)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]) if len(sys.argv) > 4 else 0.0)

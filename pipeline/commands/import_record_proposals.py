"""What accepting a held record of a study would write, as data that outlives the import."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from pipeline.commands.import_record_kinds import RecordKind
from pipeline.exchange.reading import Held, Place
from pipeline.exchange.study_facts import HeldFact

RECORD = "record"
"""Proposals of this kind are about one record of a study."""
_SHOWN = 4
_LONGEST = 500


def held_doubt(
    kind: RecordKind, study_id: int, item: HeldFact, row: Mapping[str, Any], source_file: int | None
) -> Held:
    """Return a record in doubt, to be taken as proposed or with another value for its field in doubt."""
    said = {name: value for name, value in row.items() if value is not None}
    act = _proposal(kind, study_id, row, said, source_file) | {"field": item.field}
    return Held(item.fact.place, item.column, item.value, item.proposed, item.explanation[:_LONGEST], act)


def held_change(
    kind: RecordKind,
    study_id: int,
    place: Place,
    row: Mapping[str, Any],
    before: Mapping[str, Any],
    source_file: int | None,
) -> Held:
    """Return a record that is on record with other values, with the difference."""
    changes = {name: row[name] for name in kind.stated if row[name] != before[name]}
    told = list(changes.items())[:_SHOWN]
    difference = ", ".join(f"{name} {_word(before[name])} -> {_word(value)}" for name, value in told)
    why = f"this {kind.node} is on record (id {before['id']}) with other values: {difference}"
    derived = {name: row[name] for name in kind.derived if name in row and name not in ("flag", "sequence")}
    act = _proposal(kind, study_id, row, changes | derived, source_file) | {"replaces": before["id"]}
    return Held(place, None, difference[:200], "the new values", why[:_LONGEST], act)


def _proposal(
    kind: RecordKind, study_id: int, row: Mapping[str, Any], said: Mapping[str, Any], source_file: int | None
) -> dict[str, object]:
    """Return what accepting would write. `content` is the same for the same statement in whatever file it came."""
    content = {name: row.get(name) for name in kind.stated}
    digest = sha256(orjson.dumps([study_id, kind.node, content], option=orjson.OPT_SORT_KEYS)).hexdigest()
    written = {name: value for name, value in said.items() if name not in ("source_file", "source_row")}
    return {
        "kind": RECORD,
        "node": kind.node,
        "study": study_id,
        "content": digest,
        "row": written,
        "source": source_file,
    }


def _word(value: Any) -> str:
    return "nothing" if value is None else str(value)[:60]

"""Which subjects the pools of specimens are made of: a pool names its members by their codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from pipeline.store.nodes import among, visible
from pipeline.store.study_tables import subjects

if TYPE_CHECKING:
    from pipeline.store.reader import Reader


def pool_members(reader: Reader, pools: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Return the ids of the members of each pool (`study_id`, `members`) that are on record, in the pool's order."""
    named = [[str(code) for code in orjson.loads(pool["members"])] for pool in pools]
    codes = sorted({code for members in named for code in members})
    studies = sorted({pool["study_id"] for pool in pools})
    statement = select(subjects.c.study_id, subjects.c.code, subjects.c.id).where(
        visible(subjects, reader.view), among(subjects.c.study_id, studies), among(subjects.c.code, codes)
    )
    known = {(row.study_id, row.code): row.id for row in reader.connection.execute(statement)} if codes else {}
    keys = [dict.fromkeys((pool["study_id"], code) for code in of) for pool, of in zip(pools, named, strict=True)]
    return [[known[key] for key in of if key in known] for of in keys]

"""A portfolio as columns: programmes with what groups them, and their transitions in order, ready for counting.

Days are counted from 1970-01-01. A transition whose day is not known lies between `earliest` and `latest`, both of
them possible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING

from pipeline.words import AttritionReason, MoveKind, Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Small = NDArray[np.int16]
    Flags = NDArray[np.bool_]

STATUSES = tuple(status.value for status in Status)
KINDS = tuple(kind.value for kind in MoveKind)
REASONS = tuple(reason.value for reason in AttritionReason)
UNKNOWN = -1
"""The number of a stage or reason that nobody knows, or that was not given."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of words: `codes` (n,) are places in `names`."""

    codes: Small
    names: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str]) -> Coded:
        """Return words as a column, names in the order of the alphabet."""
        import numpy as np

        names = tuple(sorted(set(values)))
        place = {name: code for code, name in enumerate(names)}
        return cls(np.fromiter(map(place.__getitem__, values), dtype=np.int16, count=len(values)), names)


@dataclass(frozen=True, slots=True)
class StageOf:
    """A stage as far as counting needs it; `combines` are the phases a combined phase stands for."""

    code: str
    ordinal: int
    initial: bool = False
    combines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Portfolio:
    """Programmes and their transitions as arrays.

    Attributes:
        stages: by ordinal; stage numbers are places in it.
        ids: (p,), ids of the programmes, ascending.
        molecule: (p,), ids of their molecules.
        names: p names, what people call each programme.
        groups: dimension -> column (p,) of the group each programme belongs to.
        recorded: (p,), day each programme was put on record.
        sighted: (p,), whether the first stage was only seen from then on: it may have begun earlier.
        owner: (t,), place of each transition's programme in `ids`, ascending; transitions of one are in order.
        stage, status, kind, reason: (t,), numbers of what held after each transition; see STATUSES, KINDS, REASONS.
        earliest, latest: (t,), first and last day it can have happened.
        record: (t,), id of the record of each transition after which its programme is stopped; 0 of the others.
        words: what was written about those, by that id.
    """

    stages: tuple[StageOf, ...]
    ids: Ints
    molecule: Ints
    names: tuple[str, ...]
    groups: dict[str, Coded]
    recorded: Ints
    sighted: Flags
    owner: Ints
    stage: Small
    status: Small
    kind: Small
    reason: Small
    earliest: Ints
    latest: Ints
    record: Ints
    words: Mapping[int, str]

    def only(self, wanted: Flags) -> Portfolio:
        """Return the programmes wanted, (p,) of true and false, with their transitions."""
        import numpy as np

        if wanted.all():
            return self
        rows = wanted[self.owner]
        place = np.cumsum(wanted) - 1
        return replace(
            self,
            ids=self.ids[wanted],
            molecule=self.molecule[wanted],
            names=tuple(compress(self.names, wanted.tolist())),
            groups={name: Coded(column.codes[wanted], column.names) for name, column in self.groups.items()},
            recorded=self.recorded[wanted],
            sighted=self.sighted[wanted],
            owner=place[self.owner[rows]],
            **{name: getattr(self, name)[rows] for name in _OF_TRANSITIONS},
        )

    def kept(self, rows: Flags) -> Portfolio:
        """Return all programmes with some of their transitions, (t,) of true and false."""
        if rows.all():
            return self
        return replace(self, **{name: getattr(self, name)[rows] for name in ("owner", *_OF_TRANSITIONS)})


_OF_TRANSITIONS = ("stage", "status", "kind", "reason", "earliest", "latest", "record")

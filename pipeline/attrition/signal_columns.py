"""What the search for missed signals goes through, as columns: how programmes went, their stops, and signals.

Of the many records only those that are told in the end become objects. Days are counted from 1970-01-01.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.attrition.portfolio import REASONS
from pipeline.attrition.review_settings import EFFICACY, EXPOSURE, TOXICITY
from pipeline.attrition.signal_records import keys_of_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

STOPS = (TOXICITY, EFFICACY, EXPOSURE)
"""Kinds of scientific stops."""
NODES = (
    *("AdverseEvent", "Alert", "Checkpoint", "Finding", "LaboratoryResult", "Study", "Transition", "TumourResponse"),
)
"""What a record can be, in the order of the alphabet: of records of one day the first of these comes first."""
OWN_DATE, STUDY_DAY, STUDY_END, RECORDED = "OWN_DATE", "STUDY_DAY", "STUDY_END", "RECORDED"
DATED_BY = (OWN_DATE, STUDY_DAY, STUDY_END, RECORDED)
"""What can say when a record happened."""

Keys = tuple[str, ...]
Says = Callable[[str], str]
"""What a record says in words, given the code of its study."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A record that carries a signal.

    keys: what it is about; see `signal_records`. day: when it happened. dated_by: what says so, of DATED_BY. known:
    day it was first recorded. stage: that of its study, where it has one.
    """

    molecule: int
    keys: Keys
    day: int
    dated_by: str
    known: int
    node: str
    node_id: int
    label: str
    study: int | None = None
    stage: str | None = None


# ---------------------------------------------------------------- programmes and their stops


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """How programmes went.

    Attributes:
        programme, molecule: (p,), ids.
        end: (p,), days until when each was followed.
        outcome: (p,), places in `lead_time.OUTCOMES`.
        first: (p,), places of the first move of each, ascending.
        day, stage: (t,), of the moves, those of a programme together and in order; stages are places in `stages`.
    """

    programme: Ints
    molecule: Ints
    end: Ints
    outcome: Ints
    first: Ints
    day: Ints
    stage: NDArray[np.integer[Any]]
    stages: Sequence[str]

    def moves_of(self, place: int) -> tuple[int, int]:
        """Return where the moves of the programme at a place begin and end."""
        return int(self.first[place]), int(self.first[place + 1]) if place + 1 < len(self.first) else len(self.day)

    def stage_on(self, place: int, day: int) -> str | None:
        """Return the stage of the programme at a place on a day; None before its first move."""
        begin, end = self.moves_of(place)
        row = bisect_right(self.day, day, begin, end)
        return self.stages[self.stage[row - 1]] if row > begin else None


@dataclass(frozen=True, slots=True)
class ScientificStop:
    """A stop for toxicity, lack of effect or exposure.

    transition: its record. keys: what its text names.
    """

    programme: int
    name: str
    molecule: int
    transition: int
    stage: str
    reason: str
    kind: str
    day: int
    keys: Keys = ()


@dataclass(frozen=True, slots=True, eq=False)
class ScientificStops:
    """The scientific stops of programmes, by day, programme and record.

    Attributes:
        followed, names: the programmes and what people call them.
        place: (s,), places of the programmes.
        transition: (s,), ids of the records.
        stage, reason, kind: (s,), places in `followed.stages`, REASONS and STOPS.
        day: (s,).
        words: record -> what was written about it.
    """

    followed: Followed
    names: Sequence[str]
    place: Ints
    transition: Ints
    stage: Ints
    reason: Ints
    kind: Ints
    day: Ints
    words: Mapping[int, str]

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self.place.size)

    def __getitem__(self, number: int) -> ScientificStop:
        """Return one of them."""
        place, transition = int(self.place[number]), int(self.transition[number])
        kind = STOPS[self.kind[number]]
        return ScientificStop(
            programme=int(self.followed.programme[place]),
            name=self.names[place],
            molecule=int(self.followed.molecule[place]),
            transition=transition,
            stage=self.followed.stages[self.stage[number]],
            reason=REASONS[self.reason[number]],
            kind=kind,
            day=int(self.day[number]),
            keys=keys_of_text(kind, self.words.get(transition, "")),
        )

    @property
    def molecule(self) -> Ints:
        """(s,), the molecule of each."""
        found: Ints = self.followed.molecule[self.place]
        return found


# ---------------------------------------------------------------- signals


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """Records that carry a signal, by molecule, day, day they were known, node and id.

    Attributes:
        molecule, day, known, node_id: (n,), as in `Signal`.
        keys, says: (n,), places in `keysets` and `texts`.
        node, dated_by: (n,), places in NODES and DATED_BY.
        study: (n,), ids, 0 for none; `codes` are what people call them.
        stage: (n,), places in `stages`, -1 for none.
    """

    molecule: Ints
    day: Ints
    known: Ints
    node: Ints
    node_id: Ints
    keys: Ints
    says: Ints
    dated_by: Ints
    study: Ints
    stage: Ints
    keysets: Sequence[Keys]
    texts: Sequence[Says]
    stages: Sequence[str]
    codes: Mapping[int, str]

    def __getitem__(self, number: int) -> Signal:
        """Return one of them."""
        study, stage = int(self.study[number]), int(self.stage[number])
        return Signal(
            molecule=int(self.molecule[number]),
            keys=self.keysets[self.keys[number]],
            day=int(self.day[number]),
            dated_by=DATED_BY[self.dated_by[number]],
            known=int(self.known[number]),
            node=NODES[self.node[number]],
            node_id=int(self.node_id[number]),
            label=self.texts[self.says[number]](self.codes.get(study, "")),
            study=study or None,
            stage=None if stage < 0 else self.stages[stage],
        )

    def of_molecules(self, molecules: Ints) -> tuple[Ints, Ints]:
        """Return where the signals of each of some molecules begin and end."""
        import numpy as np

        return np.searchsorted(self.molecule, molecules), np.searchsorted(self.molecule, molecules, side="right")

    def carrying(self, wanted: Callable[[Keys], bool]) -> Flags:
        """Return which sets of keys are wanted, one for each of `keysets`."""
        import numpy as np

        return np.fromiter(map(wanted, self.keysets), dtype=bool, count=len(self.keysets))


_COLUMNS = ("molecule", "day", "known", "node", "node_id", "keys", "says", "dated_by", "study", "stage")


@dataclass(slots=True)
class SignalColumns:
    """Signals in the making."""

    keysets: dict[Keys, int] = field(default_factory=dict)
    texts: list[Says] = field(default_factory=list)
    stages: dict[str, int] = field(default_factory=dict)
    _parts: list[tuple[Ints, ...]] = field(default_factory=list)
    _single: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, **columns: Ints) -> None:
        """Add columns (n,), each as in `Signals`."""
        self._flush()
        self._parts.append(tuple(columns[name] for name in _COLUMNS))

    def keys_of(self, keys: Keys) -> int:
        """Return the place of a set of keys."""
        return self.keysets.setdefault(keys, len(self.keysets))

    def stage_of(self, stage: str | None) -> int:
        """Return the place of a stage; -1 for none."""
        return -1 if stage is None else self.stages.setdefault(stage, len(self.stages))

    def add_one(self, one: Signal) -> None:
        """Add one signal."""
        self.texts.append(lambda _: one.label)
        node, dated_by = NODES.index(one.node), DATED_BY.index(one.dated_by)
        places = (self.keys_of(one.keys), len(self.texts) - 1, dated_by)
        self._single.append(
            (one.molecule, one.day, one.known, node, one.node_id, *places, one.study or 0, self.stage_of(one.stage))
        )

    def _flush(self) -> None:
        import numpy as np

        if self._single:
            self._parts.append(tuple(np.array(self._single, dtype=np.int64).T))
            self._single = []

    def signals(self, until: int, codes: Mapping[int, str]) -> Signals:
        """Return those that happened until a day; codes: of studies, by id."""
        import numpy as np

        self._flush()
        empty = [np.empty(0, dtype=np.int64)]
        joined = [np.concatenate([part[n] for part in self._parts] or empty) for n in range(len(_COLUMNS))]
        columns = dict(zip(_COLUMNS, joined, strict=True))
        rows = np.flatnonzero(columns["day"] <= until)
        # Those that agree in all of this stay in the order they came in.
        order = [columns[name][rows] for name in ("node_id", "node", "known", "day", "molecule")]
        rows = rows[np.lexsort(order)]
        found = {name: column[rows] for name, column in columns.items()}
        return Signals(**found, keysets=tuple(self.keysets), texts=self.texts, stages=tuple(self.stages), codes=codes)


def signals_of(some: Iterable[Signal]) -> Signals:
    """Return signals as columns."""
    columns = SignalColumns()
    for one in some:
        columns.add_one(one)
    return columns.signals(until=_ANY_DAY, codes={})


_ANY_DAY = 10**9

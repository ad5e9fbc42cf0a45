"""A portfolio read from the records into columns: one scan of the transitions, one of the programmes.

The database puts each column of the transitions, as text of fixed width, into one text: no object is made for a row,
and the column is cut from the text at once. What was read is kept until the next act.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, Text, and_, case, cast, func, literal, or_, select

from pipeline.attrition.portfolio import KINDS, REASONS, STATUSES, UNKNOWN, Coded, Portfolio, StageOf
from pipeline.attrition.target_class import NONE, target_class
from pipeline.attrition.target_class import SEVERAL as SEVERAL_CLASSES
from pipeline.store import tables
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.words import Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bytes = NDArray[np.uint8]

NOT_RECORDED = "not recorded"
SIGHTED = "first seen in the snapshot"
BETWEEN = "seen between "
"""How the notes of moves begin that were only seen in snapshots: they lie between two of them."""

_KEYS = 10**17  # makes the key of every transition 18 digits long
_PLACES = 2**16  # positions of one programme
_CODES = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_NOBODY = "-"
_KEPT = 2  # portfolios of one database: that of now and one of another moment


@dataclass(slots=True)
class _Kept:
    head: int
    known_at: int | None
    portfolio: Portfolio


_kept: WeakKeyDictionary[Engine, list[_Kept]] = WeakKeyDictionary()
_lock = threading.Lock()


def portfolio_of(reader: Reader) -> tuple[int, Portfolio]:
    """Return all programmes with their transitions as known at the reader's moment, and the act they are known by.

    Whatever was true later than a day is still in it: looking back as of a day is left to the review.
    """
    connection, known_at = reader.connection, reader.view.known_at
    head = int(connection.execute(select(func.max(tables.acts.c.number))).scalar() or 0)
    with _lock:
        for one in _kept.get(connection.engine, ()):
            if one.known_at == known_at and (known_at is not None or one.head == head):
                return head if known_at is None else known_at, one.portfolio
    portfolio = read_portfolio(reader)
    with _lock:
        others = [one for one in _kept.get(connection.engine, ()) if one.known_at != known_at]
        _kept[connection.engine] = [_Kept(head, known_at, portfolio), *others][:_KEPT]
    return head if known_at is None else known_at, portfolio


def forget() -> None:
    """Read everything anew the next time, for those who measure how long that takes."""
    with _lock:
        _kept.clear()


def read_portfolio(reader: Reader) -> Portfolio:
    """Read a portfolio from the records, as known at the reader's moment."""
    import numpy as np

    connection, view = reader.connection, View(known_at=reader.view.known_at)
    stages = _stages(reader)
    moves = scan(connection, view, stages)
    programmes = _programmes(connection, view)
    order = np.argsort(programmes.ids, kind="stable")
    ids = programmes.ids[order]
    if not (moves.key[1:] > moves.key[:-1]).all():
        moves = moves.at(np.argsort(moves.key, kind="stable"))
    programme = moves.key // _PLACES
    owner = np.searchsorted(ids, programme)
    owned = owner < ids.size
    owned[owned] = ids[owner[owned]] == programme[owned]
    if not owned.all():  # a transition whose programme is not seen from this moment
        owner, moves = owner[owned], moves.at(np.flatnonzero(owned))
    sighted = np.zeros(ids.size, dtype=bool)
    sighted[owner[moves.sight == ord("S")]] = True
    place = _places()
    found = Portfolio(
        stages=stages,
        ids=ids,
        molecule=programmes.molecules[order],
        names=tuple(programmes.names[n] for n in order.tolist()),
        groups={name: Coded(column.codes[order], column.names) for name, column in programmes.groups.items()},
        recorded=np.zeros(ids.size, dtype=np.int64),
        sighted=sighted,
        owner=owner,
        stage=place[moves.stage],
        status=place[moves.status],
        kind=place[moves.kind],
        reason=place[moves.reason],
        earliest=moves.earliest,
        latest=moves.latest,
        record=moves.record,
        words=moves.words,
    )
    begun = np.zeros(ids.size, dtype=bool)
    begun[owner] = True
    return found.only(begun)


@dataclass(frozen=True, slots=True)
class Moves:
    """Transitions as they are read: columns (t,), letters for words.

    key: the programme's id times 65,536 plus the position. record, words: see `Portfolio`.
    """

    key: Ints
    stage: Bytes
    status: Bytes
    kind: Bytes
    reason: Bytes
    sight: Bytes
    earliest: Ints
    latest: Ints
    record: Ints
    words: Mapping[int, str]

    def at(self, rows: Ints) -> Moves:
        """Return the transitions at some places, in that order."""
        columns = {one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name != "words"}
        return replace(self, **columns)


def scan(connection: Connection, view: View, stages: tuple[StageOf, ...]) -> Moves:
    """Read every transition."""
    import numpy as np

    t = tables.transitions.c
    seen_between = and_(t.note.is_not(None), t.note.like(f"{BETWEEN}____-__-__ and %"))
    sighted = and_(t.position == 1, t.note.like(f"{SIGHTED}%"))
    off = t.to_status == _written(Status.DISCONTINUED.value)
    told = and_(off, or_(t.reason_verbatim.is_not(None), t.note.is_not(None)))
    columns = (
        cast(_written(_KEYS) + cast(t.programme_id, BigInteger) * _written(_PLACES) + t.position, Text),
        _code(t.to_stage, [stage.code for stage in stages]),
        _code(t.to_status, STATUSES),
        _code(t.kind, KINDS),
        case(
            (t.reason.is_(None), _written(_NOBODY)), else_=_code(t.reason, REASONS)
        ),  # most have none: that is asked first
        case((t.note.is_(None), _written(_NOBODY)), (sighted, _written("S")), else_=_written(_NOBODY)),
        case((seen_between, func.substr(t.note, len(BETWEEN) + 1, 10)), else_=t.occurred_from),
        t.occurred_to,
    )
    statement = select(
        *(_joined(connection, column) for column in columns),
        _listed(connection, t.id, off),
        _listed(connection, _row(connection, t.id, t.reason_verbatim, t.note), told),
    ).where(visible(tables.transitions, view))
    texts = [text or "" for text in connection.execute(statement).one()]
    noted, stopped = orjson.loads(texts.pop() or "[]"), orjson.loads(texts.pop() or "[]")
    key, stage, status, kind, reason, sight = (_bytes(texts, width) for width in (18, 1, 1, 1, 1, 1))
    digits = key[:, 1:]
    number = np.zeros(len(key), dtype=np.int64)
    for place in range(digits.shape[1]):
        number *= 10
        number += digits[:, place]
    number -= ord("0") * int("1" * digits.shape[1])
    earliest, latest = _both_days(_bytes(texts, 10), _bytes(texts, 10))
    record = np.zeros(number.size, dtype=np.int64)
    record[status[:, 0] == ord(_CODES[STATUSES.index(Status.DISCONTINUED.value)])] = stopped
    return Moves(
        key=number,
        stage=stage[:, 0],
        status=status[:, 0],
        kind=kind[:, 0],
        reason=reason[:, 0],
        sight=sight[:, 0],
        earliest=earliest,
        latest=latest,
        record=record,
        words={id: " ".join(filter(None, said)) for id, *said in noted},
    )


def _bytes(texts: list[str], width: int) -> Bytes:
    """Take the first of some texts and return its bytes (n, width); what was taken holds no memory any more."""
    import numpy as np

    return np.frombuffer(texts.pop(0).encode(), dtype=np.uint8).reshape(-1, width)


def _written(value: str | int) -> ColumnElement[Any]:
    """Return a constant that stands in the SQL itself: SQLite copies a parameter anew for every row."""
    return literal(value, BigInteger if isinstance(value, int) else Text, literal_execute=True)


def _joined(connection: Connection, text: Any) -> Any:
    """Return the SQL that puts the texts of all rows into one."""
    joins = func.group_concat if connection.dialect.name == "sqlite" else func.string_agg
    return joins(text, _written(""))


def _listed(connection: Connection, what: Any, *conditions: ColumnElement[bool]) -> Any:
    """Return the SQL that puts what is asked of the rows that meet the conditions into one JSON list."""
    if connection.dialect.name == "sqlite":
        return func.json_group_array(what).filter(*conditions)
    return cast(func.json_agg(what).filter(*conditions), Text)


def _row(connection: Connection, *columns: Any) -> Any:
    """Return the SQL of a JSON list of some columns."""
    builds = func.json_array if connection.dialect.name == "sqlite" else func.json_build_array
    return builds(*columns)


def _code(column: Any, names: Any) -> Any:
    """Return the SQL of one letter for each of some words."""
    words = [(_written(name), _written(letter)) for name, letter in zip(names, _CODES, strict=False)]
    return case(*words, value=column, else_=_written(_NOBODY))


def _places() -> NDArray[np.int16]:
    """Return the place in its list that each letter stands for."""
    import numpy as np

    table = np.full(256, UNKNOWN, dtype=np.int16)
    for place, letter in enumerate(_CODES):
        table[ord(letter)] = place
    return table


def _both_days(begin: Bytes, end: Bytes) -> tuple[Ints, Ints]:
    """Return first and last days: most are one and the same, and told once."""
    import numpy as np

    earliest = _days(begin)
    apart = np.flatnonzero((begin != end).any(axis=1))
    if not apart.size:
        return earliest, earliest
    latest = earliest.copy()
    latest[apart] = _days(end[apart])
    return earliest, latest


def _days(text: Bytes) -> Ints:
    """Return ISO days (n, 10), as bytes, in days since 1970-01-01."""
    import numpy as np

    def number(begin: int, end: int) -> Ints:
        found = np.zeros(len(text), dtype=np.int64)
        for place in range(begin, end):
            found *= 10
            found += text[:, place]
        return found - ord("0") * int("1" * (end - begin))

    months = (number(0, 4) - 1970) * 12 + number(5, 7) - 1
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + number(8, 10) - 1


def _stages(reader: Reader) -> tuple[StageOf, ...]:
    """Return the stages of the graph in force, and those that only earlier graphs have, by ordinal."""
    in_force, graph = reader.graphs.in_force(reader.connection)
    known = {s.code: StageOf(s.code, s.ordinal, s.initial, s.combines) for s in graph.stages}
    table = tables.stages
    ids = reader.connection.execute(select(table.c.graph_id).where(table.c.graph_id != in_force).distinct()).scalars()
    for id in sorted(ids, reverse=True):
        for stage in reader.graph(id).stages:
            known.setdefault(stage.code, StageOf(stage.code, stage.ordinal, stage.initial, stage.combines))
    return tuple(sorted(known.values(), key=lambda stage: (stage.ordinal, stage.code)))


# ---------------------------------------------------------------- programmes


@dataclass(frozen=True, slots=True)
class _Programmes:
    ids: Ints
    molecules: Ints
    names: Sequence[str]
    groups: dict[str, Coded]


def _programmes(connection: Connection, view: View) -> _Programmes:
    import numpy as np

    p, m = tables.programmes, tables.molecules
    nothing = _written("")
    about = func.coalesce(_written(" (").concat(func.nullif(p.c.indication, nothing)).concat(_written(")")), nothing)
    name = func.coalesce(func.nullif(m.c.code, nothing), _written("?")).concat(about)
    columns = (p.c.id, p.c.molecule_id, name, m.c.modality, p.c.disease_group, p.c.biomarker.is_not(None))
    statement = (
        select(*(_listed(connection, column) for column in columns))
        .select_from(p.outerjoin(m, and_(m.c.id == p.c.molecule_id, visible(m, view))))
        .where(visible(p, view))
    )
    lists = (orjson.loads(text or "[]") for text in connection.execute(statement).one())
    id, molecule, names, modality, disease, selected = lists
    classes = _target_classes(connection, view)
    groups = {
        "modality": Coded.of([one or NOT_RECORDED for one in modality]),
        "disease_group": Coded.of([one or NOT_RECORDED for one in disease]),
        "target_class": Coded.of([classes.get(one, NONE) for one in molecule]),
        "biomarker_selected": Coded.of(["yes" if one else "no" for one in selected]),
    }
    return _Programmes(np.array(id, dtype=np.int64), np.array(molecule, dtype=np.int64), names, groups)


def _target_classes(connection: Connection, view: View) -> Mapping[int, str]:
    """Return the class of the targets of every molecule that has any."""
    table = tables.molecule_targets
    found: dict[int, str] = {}
    known: dict[str, str] = {}
    for id, target in connection.execute(select(table.c.molecule_id, table.c.target).where(visible(table, view))):
        of_target = known.get(target)
        if of_target is None:
            of_target = known[target] = target_class(target)
        before = found.setdefault(id, of_target)
        if before != of_target:
            found[id] = SEVERAL_CLASSES
    return found


def with_recorded(connection: Connection, portfolio: Portfolio) -> Portfolio:
    """Return a portfolio that also tells when each programme was put on record."""
    import numpy as np

    p, acts = tables.programmes, tables.acts
    statement = select(p.c.id, acts.c.recorded_at).join(acts, acts.c.number == p.c.since_act).where(p.c.version == 1)
    rows = connection.execute(statement).all()
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    days = np.array([row[1][:10] for row in rows], dtype="datetime64[D]").astype(np.int64)
    order = np.argsort(ids)
    return replace(portfolio, recorded=days[order][np.searchsorted(ids[order], portfolio.ids)])

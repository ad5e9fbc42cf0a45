"""A portfolio read from the records into columns: one scan of the transitions, one of the programmes.

The database puts each transition into a text of fixed width and all of them into one: no object is made for a row, and
the columns are cut from the text at once. What was read is kept until the next act.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, Connection, Engine, Text, and_, case, cast, func, literal, select

from pipeline.attrition.portfolio import KINDS, REASONS, STATUSES, UNKNOWN, Coded, Portfolio, StageOf
from pipeline.attrition.target_class import NONE, target_class
from pipeline.attrition.target_class import SEVERAL as SEVERAL_CLASSES
from pipeline.store import tables
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View

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
_WIDTH = 18 + 5 + 20
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
    key, codes, dates = scan(connection, view, stages)
    programmes = _programmes(connection, view)
    order = np.argsort(programmes.ids, kind="stable")
    ids = programmes.ids[order]
    if key.size and not (key[1:] > key[:-1]).all():
        rows = np.argsort(key, kind="stable")
        key, codes, dates = key[rows], codes[rows], dates[rows]
    owner = np.searchsorted(ids, key // _PLACES)
    owned = owner < ids.size
    owned[owned] = ids[owner[owned]] == key[owned] // _PLACES
    if not owned.all():  # a transition whose programme is not seen from this moment
        owner, codes, dates = owner[owned], codes[owned], dates[owned]
    sighted = np.zeros(ids.size, dtype=bool)
    sighted[owner[codes[:, 4] == ord("S")]] = True
    place = _places()
    found = Portfolio(
        stages=stages,
        ids=ids,
        names=tuple(programmes.names[n] for n in order.tolist()),
        groups={name: Coded(column.codes[order], column.names) for name, column in programmes.groups.items()},
        recorded=np.zeros(ids.size, dtype=np.int64),
        sighted=sighted,
        owner=owner,
        stage=place[codes[:, 0]],
        status=place[codes[:, 1]],
        kind=place[codes[:, 2]],
        reason=place[codes[:, 3]],
        earliest=_days(dates[:, :10]),
        latest=_days(dates[:, 10:]),
    )
    begun = np.zeros(ids.size, dtype=bool)
    begun[owner] = True
    return found.only(begun)


def scan(connection: Connection, view: View, stages: tuple[StageOf, ...]) -> tuple[Ints, Bytes, Bytes]:
    """Read every transition: key (t,), codes of stage, status, kind, reason and sight (t, 5), both dates (t, 20).

    The key is the programme's id times 65,536 plus the position.
    """
    import numpy as np

    t = tables.transitions.c
    key = cast(literal(_KEYS, BigInteger) + cast(t.programme_id, BigInteger) * _PLACES + t.position, Text)
    seen_between = and_(t.note.is_not(None), t.note.like(f"{BETWEEN}____-__-__ and %"))
    parts = [
        key,
        _code(t.to_stage, [stage.code for stage in stages]),
        _code(t.to_status, STATUSES),
        _code(t.kind, KINDS),
        case((t.reason.is_(None), _NOBODY), else_=_code(t.reason, REASONS)),  # most have none: that is asked first
        case((and_(t.position == 1, t.note.like(f"{SIGHTED}%")), "S"), else_=_NOBODY),
        case((seen_between, func.substr(t.note, len(BETWEEN) + 1, 10)), else_=t.occurred_from),
        t.occurred_to,
    ]
    text = parts[0]
    for part in parts[1:]:
        text = text.concat(part)
    found = connection.execute(select(_joined(connection, text, "")).where(visible(tables.transitions, view))).scalar()
    table = np.frombuffer((found or "").encode(), dtype=np.uint8).reshape(-1, _WIDTH)
    digits = table[:, 1:18]
    number = np.zeros(len(table), dtype=np.int64)
    for place in range(digits.shape[1]):
        number *= 10
        number += digits[:, place]
    number -= ord("0") * int("1" * 17)
    return number, table[:, 18:23], table[:, 23:]


def _joined(connection: Connection, text: Any, between: str) -> Any:
    """Return the SQL that puts the texts of all rows into one."""
    joins = func.group_concat if connection.dialect.name == "sqlite" else func.string_agg
    return joins(text, literal(between, Text))


def _code(column: Any, names: Any) -> Any:
    """Return the SQL of one letter for each of some words."""
    words = dict(zip(names, _CODES, strict=False))
    return case(words, value=column, else_=_NOBODY)


def _places() -> NDArray[np.int16]:
    """Return the place in its list that each letter stands for."""
    import numpy as np

    table = np.full(256, UNKNOWN, dtype=np.int16)
    for place, letter in enumerate(_CODES):
        table[ord(letter)] = place
    return table


def _days(text: Bytes) -> Ints:
    """Return ISO days (n, 10), as bytes, in days since 1970-01-01."""
    import numpy as np

    digit = text.astype(np.int32) - ord("0")
    year = digit[:, 0] * 1000 + digit[:, 1] * 100 + digit[:, 2] * 10 + digit[:, 3]
    month = digit[:, 5] * 10 + digit[:, 6]
    day = digit[:, 8] * 10 + digit[:, 9]
    months = (year - 1970) * 12 + month - 1
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1


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
    names: list[str]
    groups: dict[str, Coded]


def _programmes(connection: Connection, view: View) -> _Programmes:
    import numpy as np

    p, m = tables.programmes, tables.molecules
    statement = (
        select(p.c.id, p.c.molecule_id, m.c.code, p.c.indication, m.c.modality, p.c.disease_group, p.c.biomarker)
        .select_from(p.outerjoin(m, and_(m.c.id == p.c.molecule_id, visible(m, view))))
        .where(visible(p, view))
    )
    cursor = connection.execute(statement).cursor
    rows = cursor.fetchall() if cursor is not None else []  # the driver's own tuples: ids and texts need no conversion
    id, molecule, code, indication, modality, disease, biomarker = zip(*rows, strict=True) if rows else ((),) * 7
    classes = _target_classes(connection, view)
    groups = {
        "modality": Coded.of([one or NOT_RECORDED for one in modality]),
        "disease_group": Coded.of([one or NOT_RECORDED for one in disease]),
        "target_class": Coded.of([classes.get(one, NONE) for one in molecule]),
        "biomarker_selected": Coded.of(["no" if one is None else "yes" for one in biomarker]),
    }
    names = [f"{a or '?'} ({b})" if b else a or "?" for a, b in zip(code, indication, strict=True)]
    return _Programmes(np.array(id, dtype=np.int64), names, groups)


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

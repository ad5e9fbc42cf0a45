"""A review as a file: canonical JSON under its digest; and two of them compared.

Canonical: names in the order of the alphabet, no white space, numbers as short as they are exact. The same review is
the same text, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.attrition.review_results import AttritionReview
from pipeline.errors import FileRefused

FORMAT = "moltrail attrition review"
MOST_BYTES = 200_000_000
_STANDINGS = "standings"
_ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs: where it stands, and what it is on either side, None for what is not there."""

    path: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Moved:
    """A programme that stood elsewhere: stage and standing in each review, "absent" where it was not in it."""

    programme: int
    name: str
    from_stage: str
    from_standing: str
    to_stage: str
    to_standing: str


@dataclass(frozen=True, slots=True)
class ReviewComparison:
    """Two reviews compared: what was asked differently, which figures changed, which programmes moved."""

    question: tuple[Change, ...]
    figures: tuple[Change, ...]
    moved: tuple[Moved, ...]
    programmes_before: int
    programmes_after: int


def as_json(review: AttritionReview) -> bytes:
    """Return a review as a file: format, digest of the review, and the review."""
    body = canonical(review)
    head = orjson.dumps({"format": FORMAT, "sha256": digest(body)})
    return head[:-1] + b',"review":' + body + b"}\n"


def canonical(review: AttritionReview) -> bytes:
    """Return the canonical JSON of a review alone."""
    return orjson.dumps(plain(review), option=orjson.OPT_SORT_KEYS)


def digest(body: bytes) -> str:
    """Return the SHA-256 of canonical JSON, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def read_json(content: bytes, *, name: str) -> dict[str, Any]:
    """Return the review of a file as plain values.

    Raises:
        FileRefused: it is not such a file, or its review is not the one its digest was made of.
    """
    if len(content) > MOST_BYTES:
        raise FileRefused(f"{name} is larger than {MOST_BYTES // 1_000_000} MB; that is no review")
    try:
        found = orjson.loads(content)
    except (orjson.JSONDecodeError, RecursionError):
        raise FileRefused(f"{name} is not JSON; give a file written by `moltrail attrition --output`") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("review"), dict):
        raise FileRefused(f"{name} is no attrition review; give a file written by `moltrail attrition --output`")
    review: dict[str, Any] = found["review"]
    if digest(orjson.dumps(review, option=orjson.OPT_SORT_KEYS)) != found.get("sha256"):
        raise FileRefused(f"{name} was altered after it was written: its digest is not that of its content")
    return review


def plain(review: AttritionReview) -> dict[str, Any]:
    """Return a review as the plain values its file holds."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(review, default=list))  # a sequence that is no list becomes one
    return found


def differences(before: object, after: object, path: str = "") -> Iterator[Change]:
    """Yield every value that differs between two trees of plain values."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from differences(before.get(name), after.get(name), f"{path}.{name}" if path else str(name))
    elif isinstance(before, list) and isinstance(after, list) and _named(before) and _named(after):
        one, other = _by_name(before), _by_name(after)
        for name in [*one, *(name for name in other if name not in one)]:
            yield from differences(one.get(name), other.get(name), f"{path}[{name}]")
    elif before != after:
        yield Change(path, before, after)


_NAMES = (
    *(("transition",), ("study", "counted_by"), ("system",), ("clock",), ("from_stage",)),
    *(("rule",), ("source", "population", "step"), ("dimension", "group"), ("dimension", "stage", "of")),
    *(("stage", "cause"), ("stage", "reason"), ("year",), ("code",), ("probability",), ("stage",), ("kind",)),
)
"""What tells the rows of a list apart: the first of these that a row has all of."""


def _named(rows: Sequence[object]) -> bool:
    return all(isinstance(row, Mapping) for row in rows)


def _by_name(rows: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows:
        names = next((names for names in _NAMES if all(name in row for name in names)), ())
        name = ", ".join(str(row[name]) for name in names)
        while name in found:
            name += "'"
        found[name] = row
    return found


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> ReviewComparison:
    """Compare two reviews given as plain values.

    Raises:
        FileRefused: they were made by different methods or versions, whose figures cannot be compared.
    """
    made = [(one.get("method"), one.get("version")) for one in (before, after)]
    if made[0] != made[1]:
        raise FileRefused(f"the reviews were made by {made[0]} and {made[1]}; make both with one version to compare")
    apart = (_STANDINGS, "question")
    figures = differences(
        {name: value for name, value in before.items() if name not in apart},
        {name: value for name, value in after.items() if name not in apart},
    )
    return ReviewComparison(
        question=tuple(differences(before.get("question"), after.get("question"))),
        figures=tuple(figures),
        moved=_moved(_standings(before), _standings(after)),
        programmes_before=int(before.get("programmes") or 0),
        programmes_after=int(after.get("programmes") or 0),
    )


Standing = tuple[str, str, str]
"""Name, stage and standing of a programme."""


def _standings(review: Mapping[str, Any]) -> dict[int, Standing]:
    table = review.get(_STANDINGS)
    columns = [table.get(name) if isinstance(table, Mapping) else None for name in ("programme", "name", "stage")]
    columns.append(table.get("standing") if isinstance(table, Mapping) else None)
    if not all(isinstance(column, list) for column in columns) or len({len(column or ()) for column in columns}) > 1:
        raise FileRefused("the review does not say where its programmes stood; write it again")
    ids, names, stages, standings = (list(column or ()) for column in columns)
    return {
        id: (name, stage, standing) for id, name, stage, standing in zip(ids, names, stages, standings, strict=True)
    }


def _moved(before: Mapping[int, Standing], after: Mapping[int, Standing]) -> tuple[Moved, ...]:
    found = []
    for id in sorted({*before, *after}):
        one, other = before.get(id), after.get(id)
        if one is None or other is None or one[1:] != other[1:]:
            name = (other or one or ("", "", ""))[0]
            was = one[1:] if one else (_ABSENT, _ABSENT)
            now = other[1:] if other else (_ABSENT, _ABSENT)
            found.append(Moved(id, name, was[0], was[1], now[0], now[1]))
    return tuple(found)

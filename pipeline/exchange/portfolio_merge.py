"""The rows of a portfolio put together: one fact per programme, and a fate for every row that says it otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.dates import PartialDate
from pipeline.exchange.facts import StageEntry
from pipeline.exchange.portfolio_rows import Line
from pipeline.exchange.reading import Duplicate, Held, Place
from pipeline.exchange.stage_names import StageNames, fold_words
from pipeline.words import Status


@dataclass(slots=True)
class Programme:
    """The rows about one molecule for one indication, and the entries they state, earliest stage first."""

    key: str
    indication: str
    lines: list[Line] = field(default_factory=list)
    entries: list[StageEntry] = field(default_factory=list)


@dataclass(slots=True)
class Merged:
    """Programmes in the order of their first row; rows that contradict others are held, repetitions are duplicates."""

    programmes: list[Programme] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    completed_on_the_way: int = 0


def merge(lines: Iterable[Line], names: StageNames) -> Merged:
    """Put rows about one programme together."""
    merged = Merged()
    groups: dict[tuple[str, str], Programme] = {}
    for line in _with_one_code(lines, merged):
        folded = fold_words(line.indication) if line.indication else ""
        group = groups.get((line.key, folded))
        if group is None:
            group = groups[line.key, folded] = Programme(line.key, line.indication)
        group.lines.append(line)
    _hold_without_indication(groups, merged)
    for group in groups.values():
        if len(group.lines) == 1:
            group.entries = group.lines[0].entries
        else:
            _put_together(group, names, merged)
        if group.entries:
            _completed_on_the_way(group, merged)
            _hold_undated(group, merged)
        if group.entries:
            merged.programmes.append(group)
    return merged


def _with_one_code(lines: Iterable[Line], merged: Merged) -> list[Line]:
    """Give every row its molecule's key: a row that has only a code stands for the name the code has elsewhere.

    A code given to two names, or two codes given to a name, are held: one of the rows is wrong.
    """
    lines = list(lines)
    if not any(line.code for line in lines):
        return lines
    name_of: dict[str, Line] = {}
    code_of: dict[str, Line] = {}
    kept = []
    for line in lines:
        code = line.code_key
        if not code or code == line.key:
            kept.append(line)
            continue
        by_code, by_name = name_of.setdefault(code, line), code_of.setdefault(line.key, line)
        other = by_code if by_code.key != line.key else by_name if by_name.code_key != code else None
        if other is None:
            kept.append(line)
            continue
        explanation = (
            f"code {line.code} and name {line.name} go together here, but row {other.place.row} has code "
            f"{other.code} with name {other.name}; correct one of them"
        )
        merged.held.append(Held(line.place, None, line.code[:200], "one code for one molecule", explanation))
    for line in kept:
        known = name_of.get(line.key)
        if known is not None:
            line.key, line.name, line.code = known.key, known.name, known.code
            line.code_key = known.code_key
    return kept


def _hold_without_indication(groups: dict[tuple[str, str], Programme], merged: Merged) -> None:
    """Hold rows without an indication of molecules that have one elsewhere: which programme they mean is not said."""
    if all(folded for _, folded in groups) or not any(folded for _, folded in groups):
        return
    with_one: dict[str, list[str]] = {}
    for (key, folded), group in groups.items():
        if folded:
            with_one.setdefault(key, []).append(group.indication)
    for (key, folded), group in list(groups.items()):
        if folded or key not in with_one:
            continue
        for line in group.lines:
            proposed = " or ".join(with_one[key][:5])
            explanation = f"the row names no indication, and other rows of {line.name} do; say which it is about"
            merged.held.append(Held(line.place, None, None, proposed, explanation))
        del groups[key, folded]


@dataclass(slots=True)
class _Said:
    entry: StageEntry
    line: Line
    rank: int


def _put_together(group: Programme, names: StageNames, merged: Merged) -> None:
    """Settle what several rows say of one programme, setting aside the rows that contradict others."""
    lines = list(group.lines)
    while True:
        said = [_Said(entry, line, names.rank(entry.stage)) for line in lines for entry in line.entries]
        aside = _two_dates(said, names) or _steps_back(said, names)
        if not aside:
            break
        merged.held += aside.values()
        lines = [line for line in lines if line.place not in aside]
    kept = _once_each(said)
    contributing = {item.line.place for item in kept}
    for line in lines:
        if line.place not in contributing:
            merged.duplicates.append(Duplicate(line.place, kept[0].line.place))
    group.lines = sorted(lines, key=lambda line: line.place not in contributing)  # repetitions may still describe
    group.entries = [item.entry for item in kept]


def _in_order(said: list[_Said]) -> list[_Said]:
    return sorted(said, key=lambda item: (item.rank, item.entry.occurred_on.earliest))


def _once_each(said: list[_Said]) -> list[_Said]:
    """Return what is said, once each, earliest stage first; of two precisions of one date the finer."""
    kept: list[_Said] = []
    for item in _in_order(said):
        if kept and item.rank == kept[-1].rank and item.entry.status == kept[-1].entry.status:
            if len(item.entry.occurred_on.text) > len(kept[-1].entry.occurred_on.text):
                kept[-1] = item
        else:
            kept.append(item)
    return kept


def _nested(one: PartialDate, other: PartialDate) -> bool:
    return (one.earliest <= other.earliest and other.latest <= one.latest) or (
        other.earliest <= one.earliest and one.latest <= other.latest
    )


def _two_dates(said: list[_Said], names: StageNames) -> dict[Place, Held]:
    """Find rows that date one change twice: one stage and status, nothing in between, two dates."""
    aside: dict[Place, Held] = {}
    for before, after in pairwise(_in_order(said)):
        one, other = before.entry, after.entry
        if before.rank != after.rank or one.status != other.status or _nested(one.occurred_on, other.occurred_on):
            continue
        what = names.name(one.stage) + ("" if one.status is Status.ACTIVE else f" {one.status}")
        explanation = (
            f"{after.line.name}: {what} is dated {one.occurred_on.text} in row {before.line.place.row} and "
            f"{other.occurred_on.text} in row {after.line.place.row}; say which is right"
        )
        proposed = f"{one.occurred_on.text} or {other.occurred_on.text}"
        for item in (before, after):
            text = item.entry.occurred_on.text
            aside.setdefault(item.line.place, Held(item.line.place, item.line.date_column, text, proposed, explanation))
    return aside


def _steps_back(said: list[_Said], names: StageNames) -> dict[Place, Held]:
    """Find rows that put a programme back to an earlier stage after a later one, which can only be a correction."""
    aside: dict[Place, Held] = {}
    highest: _Said | None = None
    for item in sorted(said, key=lambda item: (item.entry.occurred_on.earliest, item.rank)):
        if highest is None or item.rank >= highest.rank:
            highest = item
        elif item.entry.occurred_on.earliest > highest.entry.occurred_on.latest:
            line, entry, top = item.line, item.entry, highest.entry
            here, there = names.name(entry.stage), names.name(top.stage)
            explanation = (
                f"{line.name} is in {here} on {entry.occurred_on.text}, after {there} on {top.occurred_on.text} "
                f"(row {highest.line.place.row}); is one of the dates wrong, or is this a correction?"
            )
            act: dict[str, object] = {
                "kind": "correct",
                "molecule": line.name,
                "indication": line.indication or None,
                "from_stage": top.stage,
                "from_date": top.occurred_on.text,
                "to": entry.stage,
                "occurred_on": entry.occurred_on.text,
            }
            proposed = f"correct {there} to {here}"
            aside.setdefault(
                line.place, Held(line.place, line.date_column, entry.occurred_on.text, proposed, explanation, act)
            )
    return aside


def _completed_on_the_way(group: Programme, merged: Merged) -> None:
    """Read COMPLETED before a later stage as said of the stage, not of the programme."""
    for before, after in pairwise(group.entries):
        if before.status is Status.COMPLETED and after.stage != before.stage:
            before.status = Status.ACTIVE
            before.note = "; ".join(filter(None, (before.note, "the source says this stage was completed")))
            merged.completed_on_the_way += 1


def _hold_undated(group: Programme, merged: Merged) -> None:
    """Hold rows that say how a programme stands, but not since when.

    Where other rows say when it entered the stage, the date of such a row is the one of its status.
    """
    for line in [line for line in group.lines if line.undated is not None]:
        own = [entry for entry in group.entries if Place(entry.file or "", entry.row or 0) == line.place]
        if not own or own[-1].status is Status.ACTIVE:
            continue
        before = group.entries[: group.entries.index(own[-1])]
        if any(entry.stage == own[-1].stage and entry not in own for entry in before):
            continue
        assert line.undated is not None
        merged.held.append(line.undated)
        group.lines.remove(line)
        group.entries = [entry for entry in group.entries if entry not in own]

"""The past of rules that count at dose levels, for many programmes at once.

The same as gathering the evidence at every act (pipeline.reports.safety_evidence) and judging it, but all versions of
the records are read once, and all states they were in are judged side by side.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select

from pipeline.assessment.counted_verdicts import State, counted_verdicts
from pipeline.assessment.replay import Moment
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.store.nodes import among
from pipeline.store.reader import Reader
from pipeline.store.species import is_people
from pipeline.store.study_tables import subjects
from pipeline.store.tables import dose_levels, studies, study_molecules
from pipeline.words import Verdict

COUNTED = frozenset({("B4",), ("B8",)})
"""The methods of the rules whose past is read here, unless they count another event."""

_AT_ONCE = 500
_END = 2**62


@dataclass(frozen=True, slots=True)
class _Level:
    since: int
    until: int
    id: int
    arm: str
    ordinal: int
    treated: int | None
    with_dlt: int | None


@dataclass(frozen=True, slots=True)
class _Study:
    """A study as it stood from one act to another."""

    since: int
    until: int
    id: int
    human: bool
    phases: frozenset[str]


@dataclass(slots=True)
class CountHistory:
    """Every version of the dose levels of some programmes' studies."""

    rule: CheckpointRule
    molecule_of: Mapping[int, int]
    links: Mapping[int, Sequence[tuple[int, int, int]]]
    studies: Mapping[int, Sequence[_Study]]
    levels: Mapping[int, Sequence[_Level]]
    by_subject: Collection[int]
    """Molecules with studies whose levels are told subject by subject; their past is not read here."""

    @classmethod
    def of(cls, reader: Reader, programmes: Sequence[Mapping[str, Any]], rule: CheckpointRule) -> CountHistory:
        """Read the versions of the records that dose levels of these programmes are told by."""
        last = _END if reader.view.known_at is None else reader.view.known_at
        molecule_of = {row["id"]: row["molecule_id"] for row in programmes}
        molecules = sorted(set(molecule_of.values()))
        links: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        table = study_molecules
        for row in _versions(reader, table, table.c.molecule_id, molecules, last, "molecule_id", "study_id"):
            links[row[3]].append((row[0], row[1], row[4]))
        wanted = sorted({study for each in links.values() for _, _, study in each})
        found_studies: dict[int, list[_Study]] = defaultdict(list)
        for since, until, id, species, phases in _versions(
            reader, studies, studies.c.id, wanted, last, "species", "phases"
        ):
            found_studies[id].append(_Study(since, until, id, is_people(species), frozenset(orjson.loads(phases))))
        levels: dict[int, list[_Level]] = defaultdict(list)
        names = ("study_id", "arm", "ordinal", "treated", "with_dlt")
        for since, until, id, study, arm, ordinal, treated, with_dlt in _versions(
            reader, dose_levels, dose_levels.c.study_id, wanted, last, *names
        ):
            if ordinal > 0:
                levels[study].append(_Level(since, until, id, arm or "", ordinal, treated, with_dlt))
        for each in levels.values():
            each.sort(key=lambda level: level.id)
        told = _with_levels_of_subjects(reader, wanted, last)
        by_subject = {molecule for molecule, each in links.items() if any(study in told for _, _, study in each)}
        return cls(rule, molecule_of, links, found_studies, levels, by_subject)

    def moments(
        self, spells: Mapping[int, Sequence[tuple[int, int | None, str, str]]], days: Mapping[int, str]
    ) -> dict[int, list[Moment]]:
        """Return, by programme, what the rule says at each act that changed what it counts, within the spells."""
        asked: list[tuple[int, int, State]] = []
        for programme, of_programme in spells.items():
            before: tuple[str, State] | None = None
            changes = self._acts(programme)
            for since, until, stage, _ in of_programme:
                first = bisect_right(changes, since)
                last = len(changes) if until is None else bisect_right(changes, until - 1)
                for act in (since, *changes[first:last]):
                    state = self.state(programme, stage, act)
                    if before == (stage, state):
                        continue
                    before = stage, state
                    asked.append((programme, act, state))
        verdicts = counted_verdicts(self.rule, {state for _, _, state in asked})
        found: dict[int, list[Moment]] = {programme: [] for programme in spells}
        for programme, act, state in asked:
            verdict, judged = verdicts[state]
            found[programme].append(
                Moment(act, days[act], verdict, judged, verdict is Verdict.NO_GO, self.treated(programme, act))
            )
        return found

    def _acts(self, programme: int) -> list[int]:
        acts: set[int] = set()
        for since, until, study in self.links[self.molecule_of[programme]]:
            acts |= {since, until}
            for version in self.studies[study]:
                acts |= {version.since, version.until}
            for level in self.levels.get(study, ()):
                acts |= {level.since, level.until}
        acts.discard(_END)
        return sorted(acts)

    def _studies_at(self, programme: int, act: int) -> list[_Study]:
        """Return the studies of a programme's molecule as known at an act, by id."""
        ids = sorted({study for since, until, study in self.links[self.molecule_of[programme]] if since <= act < until})
        return [each for id in ids for each in self.studies[id] if each.since <= act < each.until]

    def state(self, programme: int, stage: str, act: int) -> State:
        """Return subjects treated and with a dose-limiting toxicity at each level, as the rule would count them."""
        people = [study for study in self._studies_at(programme, act) if study.human]
        here = [study for study in people if stage in study.phases] or people
        counted: list[tuple[int, _Level]] = []
        for study in here:
            for level in self.levels.get(study.id, ()):
                if level.since <= act < level.until and level.treated is not None and level.with_dlt is not None:
                    counted.append((study.id, level))
        if self.rule.method == "B4":
            arms = sorted({(id, level.arm) for id, level in counted})
            if len(arms) > 1:
                sizes = dict.fromkeys(arms, 0)
                for id, level in counted:
                    sizes[id, level.arm] += level.treated or 0
                largest = max(arms, key=lambda arm: sizes[arm])
                counted = [each for each in counted if (each[0], each[1].arm) == largest]
            counted.sort(key=lambda each: (each[1].ordinal, each[1].id))
        return tuple((level.treated or 0, level.with_dlt or 0) for _, level in counted)

    def treated(self, programme: int, act: int) -> int:
        """Return the subjects treated at the dose levels of the molecule's studies, as known at an act."""
        studies = {study for since, until, study in self.links[self.molecule_of[programme]] if since <= act < until}
        return sum(
            level.treated or 0
            for study in studies
            for level in self.levels.get(study, ())
            if level.since <= act < level.until
        )


def _with_levels_of_subjects(reader: Reader, study_ids: Sequence[int], last: int) -> set[int]:
    """Return the studies of which a subject was ever known to be at a dose level."""
    found: set[int] = set()
    for first in range(0, len(study_ids), _AT_ONCE):
        statement = select(subjects.c.study_id).where(
            among(subjects.c.study_id, study_ids[first : first + _AT_ONCE]),
            subjects.c.dose_level.is_not(None),
            subjects.c.since_act <= last,
        )
        found.update(reader.connection.execute(statement.distinct()).scalars())
    return found


def _versions(reader: Reader, table: Any, key: Any, keys: Sequence[int], last: int, *names: str) -> list[Any]:
    """Return (since, until, id, *names) of every version recorded by an act; open ones end at the end of time."""
    found: list[Any] = []
    for first in range(0, len(keys), _AT_ONCE):
        columns = (table.c.since_act, table.c.until_act, table.c.id, *(table.c[name] for name in names))
        statement = select(*columns).where(among(key, keys[first : first + _AT_ONCE]), table.c.since_act <= last)
        for since, until, *rest in reader.connection.execute(statement):
            found.append((since, _END if until is None or until > last else until, *rest))
    return found

"""Concentrations that wait on the review list, by the profile they would belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select

from pipeline.names import fold
from pipeline.pharmacology.recorded_samples import SAMPLED, sample_of
from pipeline.pharmacology.study_profiles import DAY_H, Sample, StudyProfile, Whose
from pipeline.store.nodes import among, visible
from pipeline.store.reader import Reader
from pipeline.store.tables import review_items
from pipeline.words import ReviewStatus

_Curve = tuple[int, int | None, int | None, str, str]


def waiting_beside(reader: Reader, profiles: Mapping[int, Sequence[StudyProfile]]) -> dict[int, list[str | None]]:
    """Return, by study, for each profile what of it waits on the review list, in a sentence; None where nothing does.

    A new concentration belongs to the profiles of its subject, analyte and specimen on its day or after its dose, or
    to all of them where nothing tells; one that would replace a record belongs where that record is.
    """
    curves: dict[_Curve, list[StudyProfile]] = defaultdict(list)
    holding: dict[int, StudyProfile] = {}
    for study, of_study in profiles.items():
        for profile in of_study:
            curves[_curve(study, profile.whose)].append(profile)
            holding |= {sample.record: profile for sample in profile.samples}
    new: dict[int, int] = defaultdict(int)
    changed: dict[int, int] = defaultdict(int)
    for study, proposal in _waiting(reader, sorted(profiles)):
        if "replaces" in proposal:
            known = holding.get(int(proposal["replaces"]))
            if known is not None:
                changed[id(known)] += 1
            continue
        sample = sample_of({**dict.fromkeys(SAMPLED), **proposal["row"], "id": 0})
        for profile in _on_its_day(sample, curves.get(_curve(study, sample.whose), [])):
            new[id(profile)] += 1
    return {
        study: [_sentence(new[id(profile)], changed[id(profile)]) for profile in of_study]
        for study, of_study in profiles.items()
    }


def _curve(study: int, whose: Whose) -> _Curve:
    return study, whose.subject, whose.pool, fold(whose.analyte), fold(whose.specimen)


def _waiting(reader: Reader, study_ids: Sequence[int]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (study, what accepting would write) of each concentration that waits."""
    table = review_items
    statement = select(table.c.study_id, table.c.proposal).where(
        visible(table, reader.view),
        among(table.c.study_id, study_ids),
        table.c.status == ReviewStatus.OPEN.value,
        table.c.proposal.is_not(None),
    )
    for study, text in reader.connection.execute(statement):
        proposal = orjson.loads(text)
        if proposal.get("node") == "MonitoringRecord":
            yield study, proposal


def _on_its_day(sample: Sample, curve: Sequence[StudyProfile]) -> Sequence[StudyProfile]:
    """Return the profiles of a curve that a sample would belong to; all where nothing tells."""
    dated = [profile for profile in curve if profile.day is not None]
    if sample.day is not None and dated:
        # A late sample may be filed under the day of its dose, or under that it was taken on.
        days = {sample.day, sample.day - (sample.hours or 0.0) // DAY_H}
        return [profile for profile in dated if profile.day in days]
    after = (sample.reference, sample.label)
    return [profile for profile in curve if any((s.reference, s.label) == after for s in profile.samples)] or curve


def _sentence(new: int, changed: int) -> str | None:
    if not new and not changed:
        return None
    waits = "1 record waits" if new + changed == 1 else f"{new + changed} records wait"
    are = (f"{new} not in these figures" if new else "", f"{changed} here with other values" if changed else "")
    return f"{waits} on the review list for a decision: {' and '.join(filter(None, are))}."

"""Adverse events as registers publish them: counts per term and group, serious ones apart from the others."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from pipeline.exchange.ctgov_fields import Fields
from pipeline.exchange.facts import EventCount

_CODE_BEFORE_TERM = re.compile(r"\d{5,8}\s*[-–—:]\s*(?=\S)")
_GROUP_COUNTS = ("deaths", "serious", "other")


@dataclass(slots=True)
class Events:
    """The counts of a record, what is said of its groups as wholes, and (field, value, what to mind)."""

    counts: list[EventCount] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)
    flags: list[tuple[str, str, str]] = field(default_factory=list)


def read_events(module: Fields, *, row: int) -> Events:
    """Read an adverse events module: one count per term and group.

    Terms stay as reported, Anaemia beside Anemia; only a code before the term (13200-Anemia) is set aside. A count that
    is not given is None, never 0. The vocabulary is the event's own, or the module's where it names one for all.
    """
    found = Events()
    if not module:
        return found
    groups = _groups(module, found)
    common = module.text("sourceVocabulary") or module.text("defaultVocabulary")
    for name, serious in (("seriousEvents", True), ("otherEvents", False)):
        for event in module.each(name):
            reported = event.text("term")
            if reported is None:
                found.flags.append((event.path, "", "an event without a term; not taken"))
                continue
            for stats in event.each("stats"):
                group = stats.text("groupId") or ""
                if group not in groups:
                    found.flags.append((f"{stats.path}.groupId", group, "no group of that number; kept under it"))
                count = EventCount(
                    arm=groups.get(group, group or "unknown group"),
                    term=_CODE_BEFORE_TERM.sub("", reported, count=1) if reported[0].isdigit() else reported,
                    organ_class=event.text("organSystem"),
                    vocabulary=event.text("sourceVocabulary") or common,
                    serious=serious,
                    affected=stats.count("numAffected"),
                    at_risk=stats.count("numAtRisk"),
                    events=stats.count("numEvents"),
                    term_reported=reported,
                    row=row,
                )
                _doubt(count, stats, found)
                found.counts.append(count)
    return found


def _groups(module: Fields, found: Events) -> dict[str, str]:
    """Return group number -> title, made distinct with the number where two groups share a title."""
    groups = module.each("eventGroups")
    titles = [(group.text("id") or "", group.text("title") or group.text("id") or "") for group in groups]
    shared = Counter(title for _, title in titles)
    names = {id: f"{title} ({id})" if shared[title] > 1 else title for id, title in titles}
    summaries = []
    for group, (id, _) in zip(groups, titles, strict=True):
        summary: dict[str, object] = {"arm": names[id], "description": group.text("description")}
        for kind in _GROUP_COUNTS:
            summary[f"{kind}_affected"] = group.count(f"{kind}NumAffected")
            summary[f"{kind}_at_risk"] = group.count(f"{kind}NumAtRisk")
        summaries.append({name: value for name, value in summary.items() if value is not None})
    found.details = {
        "event_groups": summaries,
        "event_frequency_threshold": module.text("frequencyThreshold"),
        "event_time_frame": module.text("timeFrame"),
    }
    return names


def _doubt(count: EventCount, stats: Fields, found: Events) -> None:
    if count.affected is None:
        return
    value = f"{count.affected} of {count.at_risk}, {count.events} events"
    if count.at_risk is not None and count.affected > count.at_risk:
        found.flags.append((stats.path, value, f"more affected than at risk by {count.term!r}; kept as reported"))
    if count.events is not None and count.events < count.affected:
        found.flags.append((stats.path, value, f"fewer events than affected by {count.term!r}; kept as reported"))

"""Study records of ClinicalTrials.gov, API version 2, as JSON. One row of the reading is one study record.

A file holds one record, a list of them, a page of the API ({"studies": [...]}) or one record per line; rows count from
1 within a file (lines, where there is one record per line). A record is taken whole or not at all: a field of the wrong
type, a day that does not exist or a control character quarantines it with the path of the field. Words of the register
that are not known are flagged and kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from pipeline.errors import FileRefused
from pipeline.exchange.ctgov_events import read_events
from pipeline.exchange.ctgov_fields import Fields, Unreadable
from pipeline.exchange.ctgov_interventions import add_mesh_ids, read_interventions
from pipeline.exchange.facts import Arm, StudyFact
from pipeline.exchange.reading import Duplicate, Held, Place, Quarantined, Reading
from pipeline.exchange.registry_status import read_status
from pipeline.exchange.tables import shown
from pipeline.words import StudyStatus

SOURCE = "ctgov"
MAX_BYTES = 50_000_000

_JSON_NAME = re.compile(r"\.(?:json|jsonl|ndjson)$", re.IGNORECASE)
_NCT = re.compile(r"NCT\d{8}")
_EUDRACT = re.compile(r"\d{4}-\d{6}-\d{2}")
_PHASES = {
    frozenset({"EARLYPHASE1"}): "PHASE_1",
    frozenset({"EARLYPHASE1", "PHASE1"}): "PHASE_1",
    frozenset({"PHASE1"}): "PHASE_1",
    frozenset({"PHASE1", "PHASE2"}): "PHASE_1_2",
    frozenset({"PHASE2"}): "PHASE_2",
    frozenset({"PHASE2", "PHASE3"}): "PHASE_2_3",
    frozenset({"PHASE3"}): "PHASE_3",
    frozenset({"PHASE4"}): "PHASE_4",
}
_NOT_BEGUN = (StudyStatus.PLANNED, StudyStatus.WITHDRAWN, None)


def read_ctgov(files: Sequence[tuple[str, bytes]]) -> Reading:
    """Read study records from (name, content) of one or more files, for example the members of a folder.

    A study met twice with the same content is a duplicate, with other content it is held. In a set, a file that cannot
    be read is one quarantined row, and a file that is no JSON by name and content is named in a warning.

    Raises:
        FileRefused: no file of the set holds a study record.
    """
    reading = Reading(SOURCE)
    refusals: list[FileRefused] = []
    seen: dict[str, tuple[Place, bytes]] = {}
    for name, data in files:
        file = shown(name)
        if len(files) > 1 and not _JSON_NAME.search(name) and data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in b"{[":
            reading.warnings.append(f"{file} is no JSON and was not read.")
            continue
        try:
            records = list(_records(data, file))
        except FileRefused as refusal:
            refusals.append(refusal)
            reading.rows += 1
            reading.quarantined.append(Quarantined(Place(file, 1), None, None, refusal.message))
            continue
        if not records:
            reading.warnings.append(f"{file} holds no study.")
        for number, record in records:
            reading.rows += 1
            _take(record, Place(file, number), reading, seen)
    if not seen and not any(item.column for item in reading.quarantined):
        raise (refusals or [_no_study(files)])[0]
    return reading


def _no_study(files: Sequence[tuple[str, bytes]]) -> FileRefused:
    name = shown(files[0][0]) if files else "nothing"
    return FileRefused(f"{name} holds no study record of ClinicalTrials.gov, API version 2; send protocolSections.")


def _records(data: bytes, file: str) -> Iterator[tuple[int, Any]]:
    """Yield (row, record) of a file; a record may be anything JSON can hold, or the error of a line."""
    if len(data) > MAX_BYTES:
        raise FileRefused(f"{file} has {len(data):,} bytes, more than {MAX_BYTES:,}; split it.")
    text = _decoded(data, file)
    if not text.strip():
        raise FileRefused(f"{file} is empty; send JSON.")
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if len(lines) < 2 or not isinstance(_line(lines[0][1]), dict):
            raise FileRefused(
                f"{file} is not JSON: {wrong.msg.lower()} in line {wrong.lineno}, column {wrong.colno}."
            ) from wrong
        yield from ((number, _line(line)) for number, line in lines)
        return
    if isinstance(content, dict) and "protocolSection" not in content and isinstance(content.get("studies"), list):
        content = content["studies"]
    if not isinstance(content, dict | list):
        raise FileRefused(f"{file} is JSON but holds no study; send objects with a protocolSection.")
    yield from enumerate(content if isinstance(content, list) else [content], 1)


def _line(line: str) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as wrong:
        return wrong


def _decoded(data: bytes, file: str) -> str:
    """Return JSON text: UTF-8, or UTF-16 with its mark."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise FileRefused(f"{file} is not JSON: byte {wrong.start} is no UTF-8; save it as UTF-8.") from wrong


def _take(record: Any, place: Place, reading: Reading, seen: dict[str, tuple[Place, bytes]]) -> None:
    try:
        if isinstance(record, orjson.JSONDecodeError):
            raise Unreadable("", "", f"the line is not JSON: {record.msg.lower()}, column {record.colno}")
        if not isinstance(record, dict):
            raise Unreadable("", record, "the record is no object")
        if not isinstance(record.get("protocolSection"), dict):
            raise Unreadable("", list(record)[:5], "the record has no protocolSection: no study of API version 2")
        digest = _digest(record)
        study, flags = _study(Fields(record), place)
    except Unreadable as wrong:
        reading.quarantined.append(Quarantined(place, wrong.path or None, wrong.value, wrong.reason))
        return
    if study.code in seen:
        first, content = seen[study.code]
        if content == digest:
            reading.duplicates.append(Duplicate(place, first))
        else:
            kept = f"keep the record in {first.file}, row {first.row}"
            why = f"{study.code} came before with other content; send the version that is meant"
            reading.held.append(Held(place, "protocolSection.identificationModule.nctId", study.code, kept, why))
        return
    seen[study.code] = (place, digest)
    reading.flags += [Quarantined(place, path, value[:200], reason) for path, value, reason in flags]
    reading.studies.append(study)


def _digest(record: dict[str, Any]) -> bytes:
    """Return what two records of the same content share, whatever the order of their fields."""
    try:
        return hashlib.sha256(orjson.dumps(record, option=orjson.OPT_SORT_KEYS)).digest()
    except orjson.JSONEncodeError as wrong:
        raise Unreadable("", "", "the record is nested deeper than any study is") from wrong


def _study(record: Fields, place: Place) -> tuple[StudyFact, list[tuple[str, str, str]]]:
    protocol = record.below("protocolSection")
    identity = protocol.below("identificationModule")
    reported = identity.text("nctId")
    if reported is None or not _NCT.fullmatch(reported):
        raise Unreadable(f"{identity.path}.nctId", reported, "no registry number of the form NCT01234567")
    design = protocol.below("designModule")
    info = design.below("designInfo")
    sponsors = protocol.below("sponsorCollaboratorsModule")
    arms_module = protocol.below("armsInterventionsModule")
    flags: list[tuple[str, str, str]] = []
    arms = _arms(arms_module, place.row)
    interventions = read_interventions(arms_module, [arm.label for arm in arms], file=place.file, row=place.row)
    add_mesh_ids(interventions, record.below("derivedSection").below("interventionBrowseModule"))
    masking = info.below("maskingInfo").text("masking")
    study = StudyFact(
        code=reported,
        source=SOURCE,
        registry_id=reported,
        registry_id_reported=reported,
        title=identity.text("briefTitle") or identity.text("officialTitle"),
        phases=_phases(design, flags),
        sponsor=sponsors.below("leadSponsor").text("name"),
        design=_joined(
            info.text("allocation"),
            info.text("interventionModel") or info.text("observationalModel"),
            info.text("primaryPurpose"),
            f"masking {masking}" if masking else None,
        ),
        population=_population(protocol.below("eligibilityModule")),
        conditions=protocol.below("conditionsModule").texts("conditions"),
        molecules=interventions.molecules,
        arms=arms,
        row=place.row,
        file=place.file,
    )
    study.details = _identity_details(identity) | {
        "study_type": design.text("studyType"),
        "phases_reported": design.texts("phases"),
        "collaborators": [name for item in sponsors.each("collaborators") if (name := item.text("name"))],
        "other_interventions": interventions.others,
        "pmids": _own_publications(protocol.below("referencesModule")),
        "has_results": bool(record.content.get("hasResults", record.content.get("resultsSection") is not None)),
    }
    _status(study, protocol.below("statusModule"), flags)
    _enrolment(study, design.below("enrollmentInfo"))
    events = read_events(record.below("resultsSection").below("adverseEventsModule"), row=place.row)
    study.event_counts = events.counts
    study.details |= events.details
    study.details = {name: value for name, value in study.details.items() if value not in (None, [], {})}
    return study, flags + interventions.flags + events.flags


def _phases(design: Fields, flags: list[tuple[str, str, str]]) -> list[str]:
    """Return one code for the phases together; several only where the register joins what no stage joins."""
    reported = [part for text in design.texts("phases") for part in re.split(r"[/|,]", text)]
    words = [word for text in reported if (word := re.sub(r"[^A-Z0-9]+", "", text.upper())) not in {"NA", ""}]
    together = _PHASES.get(frozenset(words))
    if together or not words:
        return [together] if together else []
    known = [_PHASES[frozenset({word})] for word in words if frozenset({word}) in _PHASES]
    for word in words:
        if frozenset({word}) not in _PHASES:
            flags.append((f"{design.path}.phases", word, "no known phase; kept as reported"))
    if len(known) > 1:
        flags.append((f"{design.path}.phases", ", ".join(words), "phases that are no combined phase; kept one by one"))
    return list(dict.fromkeys(known))


def _status(study: StudyFact, module: Fields, flags: list[tuple[str, str, str]]) -> None:
    reported = module.text("overallStatus")
    if reported is not None:
        study.status = read_status(reported)
        if study.status is None:
            study.status = StudyStatus.UNKNOWN
            flags.append((f"{module.path}.overallStatus", reported, "no known status; kept as reported"))
    study.why_stopped = module.text("whyStopped")
    started, completed = module.below("startDateStruct"), module.below("completionDateStruct")
    study.started_on = None if _planned(started) and study.status in _NOT_BEGUN else started.date("date")
    study.ended_on = None if _planned(completed) else completed.date("date")
    study.details |= {
        "overall_status": reported,
        "last_known_status": module.text("lastKnownStatus"),
        "start_date_planned": started.text("date") if study.started_on is None else None,
        "completion_date_planned": completed.text("date") if study.ended_on is None else None,
        "primary_completion_date": _dated(module.below("primaryCompletionDateStruct")),
        "status_verified": _dated(module, "statusVerifiedDate"),
        "first_posted": _dated(module.below("studyFirstPostDateStruct")),
        "results_first_posted": _dated(module.below("resultsFirstPostDateStruct")),
        "last_update_posted": _dated(module.below("lastUpdatePostDateStruct")),
    }


def _planned(date: Fields) -> bool:
    return (date.text("type") or "").upper() in {"ESTIMATED", "ANTICIPATED"}


def _dated(fields: Fields, name: str = "date") -> str | None:
    date = fields.date(name)
    return date.text if date else None


def _enrolment(study: StudyFact, info: Fields) -> None:
    """Take how many were enrolled; an estimate is a plan, not an enrolment."""
    if _planned(info):
        study.details["enrolment_planned"] = info.count("count")
    else:
        study.enrolment = info.count("count")


def _identity_details(identity: Fields) -> dict[str, object]:
    secondary = identity.each("secondaryIdInfos")
    ids = [
        {name: text for name in ("id", "type", "domain") if (text := item.text(name)) is not None} for item in secondary
    ]
    return {
        "official_title": identity.text("officialTitle"),
        "acronym": identity.text("acronym"),
        "organisation_id": identity.below("orgStudyIdInfo").text("id"),
        "former_registry_ids": identity.texts("nctIdAliases"),
        "secondary_ids": ids,
        "eudract": sorted({found for item in ids for found in _EUDRACT.findall(item.get("id", ""))}),
    }


def _arms(module: Fields, row: int) -> list[Arm]:
    groups = module.each("armGroups")
    return [
        Arm(arm.text("label") or f"arm {n}", kind=arm.text("type"), description=arm.text("description"), row=row)
        for n, arm in enumerate(groups, 1)
    ]


def _own_publications(module: Fields) -> list[str]:
    """Return the PubMed numbers of the study's own results, not of its background."""
    own = [item for item in module.each("references") if item.text("type") in {"RESULT", "DERIVED"}]
    return [pmid for item in own if (pmid := item.text("pmid"))]


def _population(module: Fields) -> str | None:
    youngest, oldest = module.text("minimumAge"), module.text("maximumAge")
    ages = f"from {youngest}" if youngest else None
    return _joined(module.text("sex"), ages, f"to {oldest}" if oldest else None)


def _joined(*parts: str | None) -> str | None:
    return ", ".join(part for part in parts if part) or None

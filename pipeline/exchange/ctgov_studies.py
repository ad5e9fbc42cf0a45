"""One study record of ClinicalTrials.gov, API version 2, as a study: plans apart from what happened."""

from __future__ import annotations

import re

from pipeline.exchange.ctgov_events import read_events
from pipeline.exchange.ctgov_fields import Fields, Unreadable
from pipeline.exchange.ctgov_interventions import add_mesh_ids, read_interventions
from pipeline.exchange.facts import Arm, StudyFact
from pipeline.exchange.reading import Place
from pipeline.exchange.registry_status import read_status
from pipeline.words import StudyStatus

SOURCE = "ctgov"

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


def read_study(record: Fields, place: Place) -> tuple[StudyFact, list[tuple[str, str, str]]]:
    """Return the study of a record, and (field, value, what to mind) for what is odd in it.

    Raises:
        Unreadable: a field is not what the format says it is, or the registry number is missing.
    """
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

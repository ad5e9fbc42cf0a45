"""The status words of ClinicalTrials.gov, in any spelling: "Active, not recruiting" is ACTIVE_NOT_RECRUITING."""

from __future__ import annotations

import re

from pipeline.words import StudyStatus

_STATUSES = {
    "NOT_YET_RECRUITING": StudyStatus.PLANNED,
    "RECRUITING": StudyStatus.RECRUITING,
    "ENROLLING_BY_INVITATION": StudyStatus.RECRUITING,
    "ACTIVE_NOT_RECRUITING": StudyStatus.ACTIVE,
    "SUSPENDED": StudyStatus.SUSPENDED,
    "COMPLETED": StudyStatus.COMPLETED,
    "TERMINATED": StudyStatus.TERMINATED,
    "WITHDRAWN": StudyStatus.WITHDRAWN,
    "WITHDRAWN_PRIOR_TO_ENROLLMENT": StudyStatus.WITHDRAWN,
    "UNKNOWN": StudyStatus.UNKNOWN,
    "UNKNOWN_STATUS": StudyStatus.UNKNOWN,
    "WITHHELD": StudyStatus.UNKNOWN,
    # Expanded access programmes have words of their own.
    "AVAILABLE": StudyStatus.ACTIVE,
    "TEMPORARILY_NOT_AVAILABLE": StudyStatus.SUSPENDED,
    "NO_LONGER_AVAILABLE": StudyStatus.UNKNOWN,
    "APPROVED_FOR_MARKETING": StudyStatus.UNKNOWN,
}

STOPPED = (StudyStatus.TERMINATED, StudyStatus.WITHDRAWN, StudyStatus.SUSPENDED)
FINAL = (StudyStatus.TERMINATED, StudyStatus.WITHDRAWN)


def read_status(text: str) -> StudyStatus | None:
    """Return the status a registry's word stands for; None for a word that is not one of them."""
    return _STATUSES.get(re.sub(r"[^A-Z]+", "_", text.upper()).strip("_"))

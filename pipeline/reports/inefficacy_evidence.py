"""What the records say of exposure, target and function before a programme stops for lack of efficacy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.names import fold
from pipeline.reports.activity_evidence import TOLD, controls_among
from pipeline.reports.exposure_evidence import exposure
from pipeline.reports.exposure_summaries import RESPONSES
from pipeline.reports.gathering import Gathering
from pipeline.reports.record_versions import RecordsSeen
from pipeline.rounding import at_least
from pipeline.stages.checkpoints import CheckpointRule
from pipeline.stages.inefficacy import Found
from pipeline.store.reader import Reader
from pipeline.store.study_tables import biomarker_results, tumour_responses
from pipeline.words import CheckpointKind, InefficacyQuestion, Shown

MOST = 0.5
"""The share of subjects from which exposure or engagement counts as shown, where the graph's rule says no other."""
_ENGAGEMENT = ("occupancy", "engagement")
_METHOD = "D9"


def what_records_say(
    reader: Reader, programme: Mapping[str, Any], rules: Sequence[CheckpointRule] = ()
) -> dict[InefficacyQuestion, Found]:
    """Return what the records say to each question they say something to, of a programme (its row).

    rules: those of its graph; one of method D9 gives the share of subjects that has to be at target.
    """
    bars = [rule.parameters.get("share_at_target_min") for rule in rules if rule.method == _METHOD]
    bar: Any = next((bar for bar in bars if bar is not None), MOST)
    found = {
        InefficacyQuestion.EXPOSURE_REACHED: _exposure(_gathering(reader, programme), float(bar)),
        InefficacyQuestion.TARGET_ENGAGED: _target(_gathering(reader, programme)),
        InefficacyQuestion.FUNCTION_AFFECTED: _function(_gathering(reader, programme)),
    }
    return {question: said for question, said in found.items() if said is not None}


def _gathering(reader: Reader, programme: Mapping[str, Any]) -> Gathering:
    rule = CheckpointRule("INEFFICACY", 0, CheckpointKind.EFFICACY, _METHOD, {}, "three questions", "Morgan 2012")
    return Gathering(RecordsSeen(reader), programme, rule)


def _found(gathering: Gathering, shown: bool, explanation: str) -> Found:
    records = tuple(dict.fromkeys((seen.node, seen.id, seen.version) for seen in gathering.seen))
    return Found(Shown.SHOWN if shown else Shown.NOT_SHOWN, explanation, records)


def _exposure(gathering: Gathering, bar: float) -> Found | None:
    exposure(gathering)
    k: Any = gathering.inputs.get("at_target")
    n: Any = gathering.inputs.get("told")
    if not n:
        return None
    return _found(gathering, at_least(k / n, bar), f"{k} of {n} subjects reach the target exposure")


def _target(gathering: Gathering) -> Found | None:
    """Judge the markers of engagement or occupancy, of a target of the molecule where its targets are known."""
    named = gathering.of_molecule("Target")
    targets = {fold(row["target"]) for row in named}
    told = biomarker_results.c.positive.is_not(None), biomarker_results.c.subject_id.is_not(None)
    rows = gathering.rows("BiomarkerResult", "study_id", gathering.clinical_studies(of_stage=False), *told)
    engaged: dict[int, bool] = {}
    for row in rows:
        marker = fold(row["marker"])
        of_target = any(word in marker for word in _ENGAGEMENT) and (
            not targets or any(target in marker for target in targets) or marker in _ENGAGEMENT
        )
        if of_target:
            gathering.note("BiomarkerResult", row, row["marker"], row["reported"])
            engaged[row["subject_id"]] = engaged.get(row["subject_id"], False) or row["positive"]
    if not engaged:
        return None
    k, n = sum(engaged.values()), len(engaged)
    return _found(gathering, at_least(k / n, MOST), f"{k} of {n} subjects have their target engaged")


def _function(gathering: Gathering) -> Found | None:
    """Judge tumour responses of treated subjects: one that responds shows that function can be affected."""
    evaluable = tumour_responses.c.response != "NE"
    rows = gathering.rows("TumourResponse", "study_id", gathering.clinical_studies(of_stage=False), evaluable, *TOLD)
    controls = controls_among(gathering, sorted({row["subject_id"] for row in rows}))
    best: dict[int, bool] = {}
    for row in rows:
        if row["subject_id"] not in controls:
            gathering.note("TumourResponse", row, row["criteria"], row["response"])
            best[row["subject_id"]] = best.get(row["subject_id"], False) or row["response"] in RESPONSES
    if not best:
        return None
    k, n = sum(best.values()), len(best)
    return _found(gathering, k > 0, f"the tumours of {k} of {n} treated subjects responded")

"""How the command line shows proposed reasons and their quality, to people and to programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from api.cli.shared import table

if TYPE_CHECKING:
    from pipeline.attrition.reason_evaluation import Evaluation
    from pipeline.attrition.reason_proposal import FoundReason, Proposal
    from pipeline.reports.reason_agreement import ReasonAgreement

Rows = Sequence[tuple[int, str, str, "Proposal"]]
"""Row as a spreadsheet counts, key, text, and what is proposed for it."""


def proposal_json(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal as JSON."""
    from pipeline.attrition.reason_proposal import open_targets_classes

    return {
        "primary": proposal.primary,
        "why": proposal.why,
        "reasons": [_found_json(one) for one in proposal.found],
        "ruledOut": [_found_json(one) for one in proposal.ruled_out],
        "hints": [_found_json(one) for one in proposal.hints],
        "openTargets": list(open_targets_classes(proposal)),
    }


def _found_json(found: FoundReason) -> dict[str, Any]:
    triggers = [
        {"rule": one.rule, "language": one.language, "words": one.words, "start": one.start, "end": one.end}
        for one in found.triggers
    ]
    return {"reason": found.reason, "openTargets": found.open_targets, "triggers": triggers}


def proposal_text(text: str, proposal: Proposal) -> str:
    """Return a proposal as people read it."""
    from pipeline.attrition.reason_page import WHYS
    from pipeline.attrition.reason_proposal import open_targets_classes

    lines = [" ".join(text.split())[:200]]
    if proposal.why is not None:
        lines.append(f"  cannot tell ({proposal.why}): {WHYS[proposal.why]}")
    for one in proposal.found:
        mark = "primary" if one.reason is proposal.primary else "also"
        lines.append(f"  {mark}: {one.reason}, from {_quoted(one)}")
    lines += [f"  ruled out: {one.reason}, in {_quoted(one)}" for one in proposal.ruled_out]
    lines.append(f"  Open Targets: {', '.join(open_targets_classes(proposal))}")
    return "\n".join(lines)


def _quoted(found: FoundReason) -> str:
    return ", ".join(f'"{one.words}" ({one.rule})' for one in found.triggers[:5])


def proposals_csv(rows: Rows) -> str:
    """Return proposals as CSV, one row each; no cell can act as a formula."""
    from pipeline.attrition.reason_proposal import open_targets_classes
    from pipeline.exchange.cells import defused

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["row", "key", "text", "primary", "further", "why", "words", "ruled_out", "open_targets"])
    for row, key, text, proposal in rows:
        words = "; ".join(dict.fromkeys(one.words for found in proposal.found for one in found.triggers))
        cells = [
            key,
            text,
            proposal.primary,
            " ".join(proposal.further),
            proposal.why or "",
            words,
            " ".join(one.reason for one in proposal.ruled_out),
            "; ".join(open_targets_classes(proposal)),
        ]
        writer.writerow([row, *(defused(cell) for cell in cells)])
    return out.getvalue()


def counts(rows: Rows) -> Mapping[str, int]:
    """Return how often each reason is primary, the most frequent first."""
    found: dict[str, int] = {}
    for *_, proposal in rows:
        found[proposal.primary.value] = found.get(proposal.primary.value, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def counts_text(rows: Rows) -> str:
    """Return those counts as a table."""
    return table(["primary reason proposed", "texts"], list(counts(rows).items()))


def evaluation_json(found: Evaluation, vocabulary: str) -> dict[str, Any]:
    """Return the quality of proposals as JSON."""
    return {
        "labels": vocabulary,
        "texts": found.primary.of,
        "primaryRight": found.primary.count,
        "allRight": found.exact.count,
        "kappa": found.agreement.kappa,
        "kappaInterval": [found.agreement.kappa_lower, found.agreement.kappa_upper],
        "classes": [
            {
                "class": one.name,
                "right": one.precision.count,
                "proposed": one.precision.of,
                "labelled": one.recall.of,
                "precision": one.precision.value,
                "precisionInterval": one.precision.interval,
                "recall": one.recall.value,
                "recallInterval": one.recall.interval,
            }
            for one in found.classes
        ],
        "confused": [{"labelled": a, "proposed": b, "times": n} for a, b, n in found.confused],
    }


def evaluation_text(found: Evaluation, vocabulary: str) -> str:
    """Return the quality of proposals as a table."""
    kappa = found.agreement.kappa
    rows = [[one.name, one.precision, one.recall] for one in found.classes]
    lines = [
        table(["class", "precision", "recall"], rows, title=f"{found.primary.of} texts, labels: {vocabulary}"),
        f"primary right: {found.primary}; all right: {found.exact}; kappa: {'-' if kappa is None else f'{kappa:.2f}'}",
    ]
    lines += [f"  {a} as {b}: {count}" for a, b, count in found.confused[:15]]
    return "\n".join(lines)


def agreement_json(found: ReasonAgreement) -> dict[str, Any]:
    """Return the agreement of one kind of proposer with the verifiers as JSON."""
    kappa = found.agreement
    return {
        "proposer": found.proposer,
        "stops": kappa.n,
        "agreed": kappa.agreed or 0,
        "kappa": kappa.kappa,
        "kappaInterval": [kappa.kappa_lower, kappa.kappa_upper],
        "flags": list(kappa.flags),
        "disagreements": [{"proposed": a, "verified": b, "count": n} for a, b, n in found.disagreements],
    }


def agreement_text(found: Sequence[ReasonAgreement]) -> str:
    """Return the agreement of proposers and verifiers as a table, and what they disagree on."""
    rows = []
    for one in found:
        kappa = one.agreement
        value = "-"
        if kappa.kappa is not None:
            value = f"{kappa.kappa:.2f} ({kappa.kappa_lower:.2f} to {kappa.kappa_upper:.2f})"
        rows.append([one.proposer.lower(), kappa.n, kappa.agreed or 0, value, ", ".join(kappa.flags)])
    lines = [table(["proposed by", "stops verified", "agreed", "kappa (95 %)", "mind"], rows)]
    lines += [f"  {a} proposed, {b} verified: {count}" for a, b, count in found[0].disagreements]
    return "\n".join(lines)

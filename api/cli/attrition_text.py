"""An attrition review as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from api.cli.shared import table

if TYPE_CHECKING:
    from pipeline.attrition.review_json import Change, ReviewComparison
    from pipeline.attrition.review_results import AttritionReview, Estimate, PhaseRate, StageTime

_MAIN = ("programmes", "transitions", "rates", "late_share", "reasons")
MOST_LINES = 40
"""Lines of a list that are shown; the rest is counted."""


def review_text(review: AttritionReview, dimensions: Sequence[str] = ()) -> str:
    """Return the figures of a review, what they mean, and what they cannot say; and by group where asked for."""
    counted = review.counted
    asked = review.question
    parts = [
        f"{review.programmes:,} programmes with {review.transitions:,} moves, followed until {asked.day}; "
        f"{review.late_entries:,} entered late; {review.method_version}, known at act {asked.known_at}",
    ]
    if asked.filter:
        parts.append("only " + "; ".join(f"{name}: {_listed(value)}" for name, value in asked.filter.items()))
    parts += [
        _phases(review),
        counted.definition,
        _likelihoods(review),
        _reasons(review),
        _late(review),
        _missed(review),
        _concordance(review),
        _benchmarks(review),
        _success(review),
        _updates(review),
        *(_groups(review, dimension) for dimension in dimensions),
        _caveats(review),
    ]
    return "\n\n".join(part for part in parts if part)


def percent(share: float | None) -> str:
    """Return a share in per cent, to one decimal."""
    return "" if share is None else f"{100 * share:.1f} %"


def interval(estimate: Estimate) -> str:
    """Return the limits of an estimate in per cent."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f}"


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _rate(estimate: Estimate) -> tuple[str, str]:
    """Return a rate for a cell with its limits; where it must not be shown, a dash."""
    return (percent(estimate.value) or "-"), interval(estimate)


def _phases(review: AttritionReview) -> str:
    if not review.programmes:
        return ""
    times = {one.stage: one for one in review.times}
    rows = [_phase(phase, times.get(phase.stage)) for phase in review.counted.phases]
    heads = ("phase", "entered", "advanced", "stopped", "in phase", "stalled", "rate", "95 %", "k of n", "median years")
    return table(heads, rows, f"Rates, {review.counted.rule.lower().replace('_', ' ')}")


def _phase(phase: PhaseRate, time: StageTime | None) -> tuple[object, ...]:
    counts = (phase.entered, phase.advanced, phase.stopped, phase.in_phase, phase.stalled)
    return (phase.stage, *counts, *_rate(phase.rate), f"{phase.rate.k} of {phase.rate.n}", _median(time))


def _median(time: StageTime | None) -> str:
    if time is None or time.median is None:
        return ""
    quartiles = [("?" if one.years is None else f"{one.years:.1f}") for one in time.quartiles]
    return f"{time.median:.1f} ({quartiles[0]} to {quartiles[-1]})"


def _likelihoods(review: AttritionReview) -> str:
    begin = review.question.settings["likelihood_from"]
    rows = []
    for rule in review.rates:
        for one in rule.likelihoods:
            if one.stage == begin:
                name = rule.rule.lower().replace("_", " ")
                rows.append((name, *_rate(one.estimate), f"{one.estimate.k} of {one.estimate.n}", one.estimate.reason))
    heads = ("rule", "likelihood", "95 %", "k, n", "why there is none")
    return table(heads, rows, f"Likelihood of approval from {begin}") if rows and review.programmes else ""


def _reasons(review: AttritionReview) -> str:
    rows = [(one.stage, one.reason, one.kind, one.count, one.contributing) for one in review.reasons]
    return table(("stage", "reason", "kind", "stops", "contributing"), rows, "Why they stopped") if rows else ""


def _late(review: AttritionReview) -> str:
    share = review.late_share
    if not share.n:
        return "Late share: no scientific stop is on record."
    years = [
        (one.year, f"{one.estimate.k} of {one.estimate.n}", *_rate(one.estimate)) for one in review.late_share_by_year
    ]
    rows = [*years, ("all", f"{share.k} of {share.n}", *_rate(share))]
    return table(("year", "late of scientific stops", "share", "95 %"), rows, "Late share")


def _missed(review: AttritionReview) -> str:
    if review.missed is None or not review.missed.totals[0].stops:
        return ""
    rows = [
        (
            *(one.name, one.reason, one.stopped_on, one.signal, one.match.lower(), one.signal_stage, one.signal_on),
            *(one.could_have_known_days, one.did_know_days, one.subjects_dosed_after_signal),
        )
        for one in review.missed.signals[:MOST_LINES]
    ]
    heads = (
        "programme",
        "reason",
        "stopped",
        "first earlier signal",
        "match",
        "stage then",
        "on",
        "could",
        "did",
        "dosed",
    )
    total = review.missed.totals[0]
    could = "" if total.median_could_days is None else f", at the median {total.median_could_days:,.0f} days before"
    said = (
        f"An earlier record told of {total.with_signal} of {total.stops} scientific stops{could}; it was known before "
        f"the stop in {total.known_before_stop}; {total.subjects_dosed_after_signal:,} people were dosed in between."
    )
    more = len(review.missed.signals) - MOST_LINES
    tail = [f"and {more} more; --output writes them all"] if more > 0 else []
    shown = [table(heads, rows, "Missed signals: days it could have been known, and was known, before the stop")]
    return "\n".join([*(shown if rows else []), *tail, said])


def _concordance(review: AttritionReview) -> str:
    rows = [
        (
            *(one.name, one.both, one.finding_only, one.event_only, one.neither, one.not_studied_in_animals),
            *(one.not_studied_in_people, *_rate(one.sensitivity), "" if one.lr_positive is None else one.lr_positive),
        )
        for one in review.concordance or ()
    ]
    heads = (
        *("organ system", "both", "animals", "people", "neither", "animals not studied", "people not studied"),
        *("sensitivity", "95 %", "LR+"),
    )
    return table(heads, rows, "Findings in animals against events in people, molecules") if rows else ""


def _benchmarks(review: AttritionReview) -> str:
    rows = [
        (one.source.split(".")[0], one.population, one.step, percent(one.rate), one.n, *_rate(one.own), one.statement)
        for one in review.benchmarks
        if one.own.value is not None
    ]
    heads = ("source", "population", "step", "published", "n", "own", "95 %", "difference")
    return table(heads, rows, "Published rates beside our own") if rows else ""


def _success(review: AttritionReview) -> str:
    rows = [
        (one.stage, one.programmes, percent(one.mean), f"{100 * one.sd:.1f}", ", ".join(one.flags))
        for one in review.success
    ]
    heads = ("now in", "programmes", "probability of approval", "sd", "flags")
    return table(heads, rows, f"Probability of success, from {review.success[0].source}") if rows else ""


def _updates(review: AttritionReview) -> str:
    rows = [
        (one.name, one.stage, one.recommendation, percent(one.before), percent(one.after), one.basis)
        for one in review.updates or ()
    ]
    heads = ("programme", "stage", "recommended", "before", "after", "where each factor comes from")
    return table(heads, rows, "Probability of approval after the latest checkpoint") if rows else ""


def _groups(review: AttritionReview, dimension: str) -> str:
    rows = []
    for one in review.groups:
        if one.dimension == dimension:
            rates = [f"{percent(phase.rate.value) or '-'} ({phase.rate.k}/{phase.rate.n})" for phase in one.phases]
            late = f"{percent(one.late_share.value) or '-'} ({one.late_share.k}/{one.late_share.n})"
            rows.append((one.group, one.programmes, *rates, late))
    heads = (dimension, "programmes", *(phase.stage for phase in review.counted.phases), "late share")
    said = [
        f"{one.stage}: {one.statement}"
        for one in review.comparisons
        if one.dimension == dimension and one.p_value is not None
    ]
    return "\n".join([table(heads, rows, f"By {dimension.replace('_', ' ')}"), *said]) if rows else ""


def _caveats(review: AttritionReview) -> str:
    lines = []
    for one in review.caveats:
        named = "; ".join(one.names[:5])
        more = f"; and {one.count - len(one.names[:5])} more" if named and one.count > len(one.names[:5]) else ""
        lines.append(f"- {one.sentence} ({one.count}{': ' + named if named else ''}{more})")
    return "\n".join(["What has to be known:", *lines]) if lines else ""


def differences_text(name: str, found: Sequence[Change]) -> str:
    """Return what came out otherwise than it was written."""
    if not found:
        return f"{name}: every figure comes out as it was written."
    lines = [f"{name}: {len(found)} figures come out otherwise than they were written."]
    return "\n".join([*lines, *_changes(found)])


def comparison_text(found: ReviewComparison) -> str:
    """Return what changed between two reviews."""
    lines = [f"{found.programmes_before:,} programmes before, {found.programmes_after:,} after"]
    if found.question:
        lines += ["", "Asked differently:", *_changes(found.question)]
    if found.figures:
        main = [one for one in found.figures if one.path.split("[")[0].split(".")[0] in _MAIN]
        lines += ["", f"Figures that changed: {len(found.figures)}, of the main ones {len(main)}", *_changes(main)]
    if found.moved:
        lines += ["", f"Programmes that moved: {len(found.moved)}"]
        lines += [
            f"- {one.name}: {one.from_stage} {one.from_standing} -> {one.to_stage} {one.to_standing}"
            for one in found.moved[:MOST_LINES]
        ]
        if len(found.moved) > MOST_LINES:
            lines.append(f"- and {len(found.moved) - MOST_LINES} more; --json lists them all")
    if not (found.question or found.figures or found.moved):
        lines.append("Nothing changed.")
    return "\n".join(lines)


def _changes(changes: Sequence[Change]) -> list[str]:
    lines = [f"- {one.path}: {_short(one.before)} -> {_short(one.after)}" for one in changes[:MOST_LINES]]
    if len(changes) > MOST_LINES:
        lines.append(f"- and {len(changes) - MOST_LINES} more; --json lists them all")
    return lines


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""The tables of an attrition review: what its page shows below each picture, and its workbook on each sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipeline.attrition.review_results import AttritionReview, Estimate

Cell = str | int | float | None
PERCENT = "%"
"""Ends the head of a column of shares; they are kept as shares of 1."""
_ABBREVIATED = 3
"""Words so short are abbreviations, CTA among them."""
_NAMES = {
    "ALL": "All",
    "EFFICACY": "Lack of effect",
    "OTHER": "Other reasons",
    "TOX_NONCLINICAL": "Toxicity in animals",
    "TOX_CLINICAL": "Toxicity in people",
    "EFFICACY_LACK": "Lack of effect",
    "EFFICACY_INFERIOR": "Less effect than the comparator",
    "PK_EXPOSURE": "Exposure",
    "CMC_FORMULATION": "Product and supply",
    "STAFF_SITE": "Staff and sites",
    "SUCCESS_EARLY": "Early success",
}
"""Codes that are no words of their own."""


@dataclass(frozen=True, slots=True)
class ReviewTable:
    """One table: its short name, title, heads and rows, and what has to be known beside it."""

    name: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


_RATE = ("k", "n", "rate %", "low %", "high %", "why there is none")


def _rate(one: Estimate) -> tuple[Cell, ...]:
    return one.k, one.n, one.value, one.low, one.high, one.reason


def words(code: str) -> str:
    """Return a code in plain words: PHASE_1_2 as Phase 1/2, TOX_CLINICAL as Toxicity in people."""
    if code in _NAMES:
        return _NAMES[code]
    parts = code.split("_")
    numbers = [part for part in parts if part.isdigit()]
    text = " ".join(part for part in parts if not part.isdigit())
    text = text if len(text) <= _ABBREVIATED else text.capitalize()
    return (text + (f" {'/'.join(numbers)}" if numbers else "")).strip()


def review_tables(review: AttritionReview) -> list[ReviewTable]:
    """Return every table of a review that has rows, in the order they are read."""
    return [table for make in _MAKERS if (table := make(review)).rows]


def table_named(tables: Iterable[ReviewTable], name: str) -> ReviewTable | None:
    """Return one table; None where the review has no rows for it."""
    return next((table for table in tables if table.name == name), None)


def _asked(review: AttritionReview) -> ReviewTable:
    q = review.question
    told = [f"{name}: {', '.join(map(str, v)) if isinstance(v, list) else v}" for name, v in q.filter.items()]
    rows: list[tuple[Cell, ...]] = [
        ("method", review.method_version),
        ("counting rule", words(q.rule)),
        ("followed until", q.day),
        ("looked back from", q.as_of or "all that is on record"),
        ("known at act", q.known_at),
        ("watched from", q.observed_from),
        ("outcomes counted", " to ".join(day or "any" for day in q.window)),
        ("only programmes with", "; ".join(told) or "anything"),
        ("programmes", review.programmes),
        ("moves", review.transitions),
        ("entered late", review.late_entries),
        *((f"version of {id}", version) for id, version in review.methods.items()),
    ]
    if review.missed is not None:
        rows.append((f"version of {review.missed.method}", review.missed.version))
    return ReviewTable("asked", "What was asked, and how it was computed", ("what", "value"), tuple(rows))


def _rates(review: AttritionReview) -> ReviewTable:
    rows = [
        (
            words(rule.rule),
            words(phase.stage),
            *(phase.entered, phase.advanced, phase.stopped, phase.unannounced, phase.in_phase, phase.stalled),
            *_rate(phase.rate),
        )
        for rule in review.rates
        for phase in rule.phases
        if phase.entered
    ]
    heads = ("counting rule", "phase", "entered", "advanced", "stopped", "of them unannounced", "in phase", "stalled")
    return ReviewTable("rates", "Rates by phase", (*heads, *_RATE), tuple(rows), review.counted.definition)


def _likelihoods(review: AttritionReview) -> ReviewTable:
    rows = [
        (words(rule.rule), words(one.stage), *_rate(one.estimate))
        for rule in review.rates
        for one in rule.likelihoods
        if one.estimate.n
    ]
    return ReviewTable("likelihoods", "Likelihood of approval", ("counting rule", "from", *_RATE), tuple(rows))


def _times(review: AttritionReview) -> ReviewTable:
    rows: list[tuple[Cell, ...]] = []
    for one in review.times:
        quartiles = [cell for quartile in one.quartiles for cell in (quartile.years, quartile.low, quartile.high)]
        rows.append((words(one.stage), one.stays, one.left, one.late_entries, *quartiles))
    names = [name for q in ("lower quartile", "median", "upper quartile") for name in (q, f"{q} low", f"{q} high")]
    heads = ("stage", "stays", "left", "late entries", *names)
    kept = tuple(row for row in rows if row[1] and len(row) == len(heads))
    return ReviewTable("times", "Years in stage", heads, kept, "Kaplan-Meier with delayed entry; limits of 95 %.")


def _incidence(review: AttritionReview) -> ReviewTable:
    rows = [
        (words(one.stage), words(one.cause), one.years[n], one.probability[n], one.low[n], one.high[n], one.at_risk[n])
        for one in review.incidence
        for n in range(len(one.years))
        if one.events
    ]
    heads = ("stage", "way out", "years", "incidence %", "low %", "high %", "at risk")
    return ReviewTable("incidence", "Cumulative incidence of each way out of a stage", heads, tuple(rows))


def _since(review: AttritionReview) -> ReviewTable:
    rows = [
        (words(one.from_stage) if one.from_stage else "wherever they began", one.years[n], words(state), shares[n])
        for one in review.since_entry
        for state, shares in one.probability.items()
        for n in range(len(one.years))
        if any(shares)
    ]
    heads = ("from", "years", "state", "share %")
    return ReviewTable("since_entry", "Where programmes are, by years since entry", heads, tuple(rows))


def _calendar(review: AttritionReview) -> ReviewTable:
    states = [state for state, counts in review.calendar.counts.items() if any(counts)]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (day, *(review.calendar.counts[state][n] for state in states)) for n, day in enumerate(review.calendar.days)
    )
    heads = ("day", *(words(state) for state in states))
    return ReviewTable("calendar", "Programmes in each state by calendar time", heads, rows if states else ())


def _reasons(review: AttritionReview) -> ReviewTable:
    rows = tuple(
        (words(one.stage), words(one.reason), words(one.kind), one.count, one.contributing) for one in review.reasons
    )
    heads = ("stage", "reason", "kind", "stops", "contributing")
    return ReviewTable("reasons", "Why programmes stopped", heads, rows)


def _late(review: AttritionReview) -> ReviewTable:
    rows = [(str(one.year), *_rate(one.estimate)) for one in review.late_share_by_year]
    if rows:
        rows.append(("all", *_rate(review.late_share)))
    note = "Stops for toxicity or lack of effect at phase 3 or later, of all such stops."
    return ReviewTable("late", "Late share of the scientific stops", ("year", *_RATE), tuple(rows), note)


def _missed(review: AttritionReview) -> ReviewTable:
    found = () if review.missed is None else review.missed.signals
    rows = tuple(
        (
            *(one.name, words(one.reason), words(one.stop_stage), one.stopped_on),
            *(one.signal, words(one.match), words(one.basis), words(one.signal_stage)),
            *(one.signal_on, one.known_on, one.could_have_known_days, one.did_know_days),
            *(one.subjects_dosed_after_signal, one.subjects_dosed_after_known, one.records),
            *(f"{one.node} {one.node_id}", f"{one.known_node} {one.known_node_id}"),
        )
        for one in found
    )
    heads = (
        *("programme", "reason", "stopped at", "stopped on", "first earlier signal", "match", "told by", "stage then"),
        *("signal on", "known on", "could have known, days", "did know, days", "subjects dosed after it"),
        *("subjects dosed after it was known", "records", "evidence", "first recorded"),
    )
    note = "" if review.missed is None else " ".join(review.missed.definitions.values())
    return ReviewTable("missed", "Missed signals", heads, rows, note)


def _missed_totals(review: AttritionReview) -> ReviewTable:
    found = () if review.missed is None else review.missed.totals
    rows = tuple(
        (
            *(words(one.kind), one.stops, one.with_signal, one.same, one.known_before_stop),
            *(one.median_could_days, one.median_did_days, one.subjects_dosed_after_signal, one.studies_not_counted),
        )
        for one in found
        if one.stops
    )
    heads = (
        *("kind of stop", "stops", "with an earlier signal", "of them the same", "known before the stop"),
        *("could have known, median days", "did know, median days", "subjects dosed after it", "studies not counted"),
    )
    return ReviewTable("missed_totals", "Missed signals in sums", heads, rows)


def _lead_times(review: AttritionReview) -> ReviewTable:
    found = () if review.missed is None or not review.missed.lead_times else review.missed.lead_times
    rows = tuple(
        (
            {"could": "could have known", "did": "did know"}[one.clock],
            *_rate(one.sensitivity),
            *(one.median_lead_days, one.mean_relative_lead, one.false_alarms, one.others),
            *(one.false_alarms_per_year, one.apart),
        )
        for one in found
        if one.sensitivity.n or one.others
    )
    heads = (
        *("clock", "told of", "stops", "sensitivity %", "low %", "high %", "why there is none", "median lead, days"),
        *("mean share of the way %", "false alarms", "programmes that went on", "false alarms a year", "apart"),
    )
    return ReviewTable("lead_times", "Lead time (E10)", heads, rows)


def _unseen(review: AttritionReview) -> ReviewTable:
    found = () if review.missed is None else review.missed.unseen
    rows = tuple((one.name, words(one.reason), words(one.stop_stage), one.stopped_on, one.looked_for) for one in found)
    heads = ("programme", "reason", "stopped at", "stopped on", "looked for")
    return ReviewTable("unseen", "Scientific stops no earlier record told of", heads, rows)


def _concordance(review: AttritionReview) -> ReviewTable:
    rows = []
    for one in review.concordance or ():
        rates = [cell for rate in (one.sensitivity, one.ppv, one.npv) for cell in (rate.value, rate.low, rate.high)]
        rows.append(
            (
                *(one.name, one.both, one.finding_only, one.event_only, one.neither),
                *(one.not_studied_in_animals, one.not_studied_in_people, one.studied_in_none),
                *rates,
                *(one.lr_positive, one.lr_positive_low, one.lr_positive_high),
                *(one.lr_negative, one.lr_negative_low, one.lr_negative_high),
            )
        )
    shares = [f"{name}{limit} %" for name in ("sensitivity", "PPV", "NPV") for limit in ("", " low", " high")]
    heads = (
        *("organ system", "in animals and people", "in animals only", "in people only", "in neither"),
        *("animals not studied", "people not studied", "neither studied", *shares),
        *("LR+", "LR+ low", "LR+ high", "LR-", "LR- low", "LR- high"),
    )
    note = (
        "Molecules by organ system. Not found means looked for: a finding in treated animals of at least slight "
        "severity, an event in people of grade 3 or more, serious or dose-limiting. What was not studied is in no rate."
    )
    return ReviewTable("concordance", "Findings in animals against events in people", heads, tuple(rows), note)


def _benchmarks(review: AttritionReview) -> ReviewTable:
    rows = tuple(
        (
            *(one.source, one.population, one.step, one.rate, one.n, *_rate(one.own)),
            *(one.difference, one.low, one.high, one.statement, one.definition, one.verification),
        )
        for one in review.benchmarks
    )
    heads = (
        *("source", "population", "step", "published %", "of", "own k", "own n", "own %", "own low %", "own high %"),
        *("why there is none", "difference %", "difference low %", "difference high %", "in words", "definition"),
        "verification",
    )
    return ReviewTable("benchmarks", "Published rates beside our own", heads, rows)


def _success(review: AttritionReview) -> ReviewTable:
    rows = tuple(
        (words(one.stage), one.programmes, one.mean, one.sd, one.source, ", ".join(one.flags)) for one in review.success
    )
    heads = ("now in", "programmes", "probability of approval %", "standard deviation %", "prior", "flags")
    return ReviewTable("success", "Probability of success (F2)", heads, rows)


def _updates(review: AttritionReview) -> ReviewTable:
    rows = tuple(
        (
            *(one.name, words(one.stage), one.rule, one.rule_version, one.assessed_on, words(one.recommendation)),
            *(words(one.verdict) if one.verdict else "", one.likelihood_ratio, one.likelihood_ratio_low),
            *(one.likelihood_ratio_high, one.phase_before, one.phase_after, one.before, one.after, one.after_low),
            *(one.after_high, one.basis),
        )
        for one in review.updates or ()
    )
    heads = (
        *("programme", "stage", "rule", "version", "assessed on", "recommended", "decided", "likelihood ratio"),
        *("ratio low", "ratio high", "phase before %", "phase after %", "approval before %", "approval after %"),
        *("after low %", "after high %", "where each factor comes from"),
    )
    return ReviewTable("updates", "Probability of success after the latest checkpoint (F2)", heads, rows)


def _groups(review: AttritionReview) -> ReviewTable:
    rows = tuple(
        (words(one.dimension), one.group, one.programmes, words(phase.stage), phase.in_phase, *_rate(phase.rate))
        for one in review.groups
        for phase in one.phases
        if phase.entered
    )
    heads = ("by", "group", "programmes", "phase", "in phase", *_RATE)
    return ReviewTable("groups", "Rates by group", heads, rows)


def _comparisons(review: AttritionReview) -> ReviewTable:
    rows = tuple(
        (words(one.dimension), words(one.stage), one.of, one.chi_square, one.df, one.p_value, one.statement)
        for one in review.comparisons
    )
    heads = ("by", "stage", "of", "chi-square", "df", "p", "in words")
    return ReviewTable("comparisons", "Whether groups differ by more than chance", heads, rows)


def _caveats(review: AttritionReview) -> ReviewTable:
    rows = tuple((one.sentence, one.count, "; ".join(one.names)) for one in review.caveats)
    return ReviewTable("caveats", "What has to be known", ("what", "how many", "the first of them"), rows)


def _definitions(review: AttritionReview) -> ReviewTable:
    missed = {} if review.missed is None else review.missed.definitions
    rows = tuple((words(name), text) for name, text in {**review.definitions, **missed}.items())
    return ReviewTable("definitions", "Definitions", ("of", "definition"), rows)


def standings_table(review: AttritionReview) -> ReviewTable:
    """Return where every programme stands."""
    s = review.standings
    columns = zip(s.programme, s.name, map(words, s.stage), map(words, s.standing), s.since, s.success, strict=True)
    heads = ("programme", "name", "stage", "standing", "since", "probability of approval %")
    return ReviewTable("standings", "Where programmes stand", heads, tuple(columns))


_MAKERS: tuple[Callable[[AttritionReview], ReviewTable], ...] = (
    *(_asked, _rates, _likelihoods, _reasons, _late, _missed_totals, _missed, _lead_times, _unseen, _concordance),
    *(_incidence, _times, _since, _calendar, _benchmarks, _success, _updates, _groups),
    *(_comparisons, _caveats, _definitions),
)

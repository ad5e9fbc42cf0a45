"""An attrition review as one HTML page: no script, no network, pictures with their data, method and version stamped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib.resources import files

from pipeline.attrition.review_json import canonical, digest
from pipeline.attrition.review_results import AttritionReview
from pipeline.attrition.review_tables import PERCENT, Cell, ReviewTable, review_tables, table_named, words
from pipeline.reports.review_pictures import Drawing, flow, incidence, late_share, occupation, text

MOST_ROWS = 500
"""Rows of one table on the page; the files for programs have all of them."""
LONG = 40
"""Rows from which on a table is scrolled by itself, and not with the page."""

_SECTIONS = (
    ("rates", "Where programmes stop"),
    ("reasons", "Why they stop"),
    ("late", "How late"),
    ("missed", "How early it could have been known"),
    ("concordance", "Animals and people"),
    ("times", "How long it takes"),
    ("benchmarks", "Beside published rates"),
    ("known", "What has to be known"),
)


def as_page(review: AttritionReview) -> bytes:
    """Return a review as the bytes of an HTML page."""
    style = files("pipeline.reports").joinpath("review_page.css").read_text(encoding="utf-8")
    tables = review_tables(review)
    pinned = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{pinned}'; base-uri 'none'; form-action 'none'"
    body = [_head(review), _contents(), _figures(review)]
    for name, title in _SECTIONS:
        body.append(f'<section id="{name}"><h2>{text(title)}</h2>{_section(review, tables, name)}</section>')
    body.append(_foot(review))
    parts = (
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">',
        f"<title>Attrition review, followed until {text(review.question.day)}</title>",
        f"<style>{style}</style></head><body>",
        *body,
        "</body></html>\n",
    )
    return "\n".join(parts).encode("utf-8", "replace")


def _head(review: AttritionReview) -> str:
    q = review.question
    back = f", looked back from {text(q.as_of)}" if q.as_of else ""
    return (
        "<header><h1>Attrition review</h1>"
        f"<p>{review.programmes:,} programmes with {review.transitions:,} moves, followed until {text(q.day)}{back}, "
        f"as known at act {q.known_at}. {_stamp(review)}</p></header>"
    )


def _stamp(review: AttritionReview) -> str:
    return f'<span class="stamp">{text(review.method_version)}, {text(words(review.question.rule).lower())}</span>'


def _contents() -> str:
    links = "".join(f'<li><a href="#{name}">{text(title)}</a></li>' for name, title in _SECTIONS)
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'


def _figures(review: AttritionReview) -> str:
    """Return the few figures that come first: late share, likelihood, and how early it could have been known."""
    shown = [("late share of the scientific stops", _rate(review.late_share))]
    if review.likelihood is not None:
        shown.append(
            (f"likelihood of approval from {words(review.likelihood.stage)}", _rate(review.likelihood.estimate))
        )
    total = None if review.missed is None else next((t for t in review.missed.totals if t.kind == "ALL"), None)
    if total is not None and total.stops:
        shown.append(("scientific stops an earlier record told of", f"{total.with_signal} of {total.stops}"))
        if total.median_could_days is not None:
            shown.append(("median days it could have been known before", f"{total.median_could_days:,.0f}"))
        shown.append(("people dosed between signal and stop", f"{total.subjects_dosed_after_signal:,}"))
    cells = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in shown)
    return f'<dl class="figures">{cells}</dl>'


def _rate(one: object) -> str:
    value, k, n = getattr(one, "value", None), getattr(one, "k", 0), getattr(one, "n", 0)
    low, high = getattr(one, "low", None), getattr(one, "high", None)
    if value is None or low is None or high is None:
        return f"{k} of {n}"
    counts = f"{k} of {n}" if value == k / n else f"{k} of {n} that began, through every step"
    return f"{100 * value:.1f} % ({counts}; {100 * low:.1f} to {100 * high:.1f})"


# ---------------------------------------------------------------- sections


def _section(review: AttritionReview, tables: Iterable[ReviewTable], name: str) -> str:
    def show(*names: str, closed: bool = False) -> str:
        found = (table_named(tables, one) for one in names)
        return "".join(_table(table, closed=closed) for table in found if table is not None)

    match name:
        case "rates":
            found = _picture(review, flow(review)) + show("rates", "likelihoods")
            return (found or _nothing("No programme is in any phase.")) + show("groups", "comparisons", closed=True)
        case "reasons":
            return show("reasons") or _nothing("No stop is on record.")
        case "late":
            found = _picture(review, late_share(review)) + show("late")
            return found or _nothing("No scientific stop is on record.")
        case "missed":
            if review.missed is None:
                return _nothing("The records of studies were not searched.")
            found = show("missed_totals", "missed") + show("lead_times", "unseen", closed=True)
            return found or _nothing("No scientific stop is on record.")
        case "concordance":
            why = "No finding in animals and no event in people is on record."
            return show("concordance") or _nothing(why)
        case "times":
            stages = dict.fromkeys(curve.stage for curve in review.incidence)
            curves = (incidence(s, [c for c in review.incidence if c.stage == s]) for s in stages)
            states = (occupation(one) for one in review.since_entry)
            pictures = "".join(_picture(review, drawing) for drawing in (*curves, *states))
            found = pictures + show("times") + show("incidence", "since_entry", "calendar", closed=True)
            return found or _nothing("No stay in a stage can be timed.")
        case "benchmarks":
            return show("benchmarks", "success", "updates") or _nothing("There is nothing to compare with.")
        case _:
            return show("caveats") + show("asked", "definitions", closed=True)


def _nothing(why: str) -> str:
    return f"<p>{text(why)}</p>"


def _picture(review: AttritionReview, drawing: Drawing | None) -> str:
    if drawing is None:
        return ""
    name = text(drawing.title)
    return (
        f'<figure><figcaption>{name} {_stamp(review)}</figcaption><div class="picture" tabindex="0" role="region" '
        f'aria-label="{name}">{drawing.svg()}</div></figure>'
    )


def _table(table: ReviewTable, *, closed: bool) -> str:
    # A column in which no row says anything would only push the others off the screen.
    filled = [at for at in range(len(table.heads)) if any(row[at] not in (None, "") for row in table.rows)]
    heads = "".join(f'<th scope="col">{text(table.heads[at])}</th>' for at in filled)
    rows = "".join(
        f"<tr>{''.join(_cell(row[at], table.heads[at].endswith(PERCENT)) for at in filled)}</tr>"
        for row in table.rows[:MOST_ROWS]
    )
    more = len(table.rows) - MOST_ROWS
    rest = f"<p>{more:,} more rows are in the JSON and xlsx files.</p>" if more > 0 else ""
    note = f'<p class="note">{text(table.note)}</p>' if table.note else ""
    name = text(table.title)
    scroll = "scroll long" if len(table.rows) > LONG else "scroll"
    whole = (
        f'<div class="{scroll}" tabindex="0" role="region" aria-label="{name}"><table><caption>{name}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{rest}{note}"
    )
    return f"<details><summary>{name}, {len(table.rows):,} rows</summary>{whole}</details>" if closed else whole


def _cell(value: Cell, share: bool) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, str):
        return f"<td>{text(value)}</td>"
    if share:
        shown = f"{100 * value:.1f}"
    elif isinstance(value, int) or abs(value) >= 1000:
        shown = f"{value:,.0f}"
    else:
        shown = f"{value:.3g}"
    return f'<td class="n">{shown}</td>'


def _foot(review: AttritionReview) -> str:
    return (
        f"<footer><p>{text(review.method_version)}; known at act {review.question.known_at}; SHA-256 of the review "
        f"<code>{digest(canonical(review))}</code>. The same review as JSON is computed again by "
        "<code>moltrail attrition verify</code>.</p></footer>"
    )

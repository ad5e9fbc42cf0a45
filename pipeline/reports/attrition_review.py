"""The attrition review of a centre: asked with a portfolio filter and moments, computed from its records; verified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pipeline.attrition.courses import Courses
from pipeline.attrition.portfolio import STATUSES, Portfolio
from pipeline.attrition.review import HISTORY, RECORD, Asked, chosen, followed, review
from pipeline.attrition.review_json import Change, differences, plain
from pipeline.attrition.review_results import AttritionReview
from pipeline.attrition.review_settings import Settings, default_settings, settings_of
from pipeline.attrition.review_times import number_of
from pipeline.errors import FileRefused, InputError
from pipeline.reports.attrition_portfolio import NOT_RECORDED, portfolio_of, with_recorded
from pipeline.reports.missed_signals import SignalReview, signal_review
from pipeline.reports.success_update import success_updates
from pipeline.store import tables
from pipeline.store.filters import PortfolioFilter, programme_conditions
from pipeline.store.nodes import visible
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from pipeline.store.study_tables import attrition_reasons
from pipeline.words import AttritionReason, Modality, Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.stages.graph import StageGraph

    Flags = NDArray[np.bool_]

_LISTS = ("modality", "disease_group", "stage", "status", "site")


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What a reader asks of the attrition of a portfolio; see `pipeline.attrition.review.Asked` for each.

    today: the day of what is known: programmes are followed until then, or until the day the reader looks back from,
    if that is earlier. signals: whether the records of studies are searched for missed signals. checkpoints: whether
    the probability of approval is told after the latest checkpoint too, for which its rule is run over the past.
    """

    today: str
    rule: str = "PHASE_BY_PHASE"
    filter: PortfolioFilter = field(default_factory=PortfolioFilter)
    observed_from: str = HISTORY
    window: tuple[str | None, str | None] = (None, None)
    settings: Settings | None = None
    signals: bool = False
    checkpoints: bool = False


def attrition_review(reader: Reader, request: ReviewRequest) -> AttritionReview:
    """Review the attrition of the programmes a filter names, from the reader's moment.

    Raises:
        InputError: an unknown rule, stage, site, status or modality, or something that is not a day.
    """
    graph, portfolio, asked = _prepared(reader, request)
    courses = _courses(graph, portfolio, asked, request)
    found = review(
        portfolio,
        asked,
        courses=courses,
        contributing=_contributing(reader, courses),
        sites=lambda groups: [[_site(graph, stage.code, group) for stage in portfolio.stages] for group in groups],
    )
    if request.checkpoints:
        found = replace(found, updates=success_updates(reader, courses, found.success))
    if request.signals:
        signals = signal_review(reader, courses, asked.settings)
        found = replace(found, missed=signals.missed, concordance=signals.concordance)
    return found


def signals_of(reader: Reader, request: ReviewRequest) -> SignalReview:
    """Search the records of studies for the signals of the programmes a filter names, from the reader's moment.

    Raises:
        InputError: as `attrition_review`.
    """
    graph, portfolio, asked = _prepared(reader, request)
    return signal_review(reader, _courses(graph, portfolio, asked, request), asked.settings)


def _courses(graph: StageGraph, portfolio: Portfolio, asked: Asked, request: ReviewRequest) -> Courses:
    courses = followed(portfolio, asked)
    return chosen(courses, _by_position(courses, graph, request.filter))


def _prepared(reader: Reader, request: ReviewRequest) -> tuple[StageGraph, Portfolio, Asked]:
    """Return the graph in force, the programmes a filter may name, and what is asked of them."""
    _, graph = reader.graphs.in_force(reader.connection)
    _check(graph, request.filter)
    head, portfolio = portfolio_of(reader)
    today = request.today[:10]
    as_of = None if reader.view.as_of is None else min(reader.view.as_of[:10], today)
    asked = Asked(
        day=as_of or today,
        rule=request.rule,
        as_of=as_of,
        known_at=head,
        observed_from=request.observed_from,
        window=request.window,
        filter=as_table(request.filter),
        settings=request.settings or default_settings(),
    )
    if request.observed_from == RECORD:
        portfolio = with_recorded(reader.connection, portfolio)
    portfolio = portfolio.only(_by_programme(reader, portfolio, request.filter))
    return graph, portfolio, asked


def verify(reader: Reader, written: Mapping[str, Any]) -> list[Change]:
    """Compute a written review again from the records, and return every figure that comes out otherwise.

    Raises:
        FileRefused: the review does not say what it was asked, or asks what this version does not know.
    """
    try:
        question = written["question"]
        known_at, as_of = question["known_at"], question["as_of"]
        begin, end = question["window"]
        request = ReviewRequest(
            today=str(question["day"]),
            rule=str(question["rule"]),
            filter=filter_of(question["filter"]),
            observed_from=str(question["observed_from"]),
            window=(begin, end),
            settings=settings_of(question["settings"]),
            signals=written.get("missed") is not None,
            checkpoints=written.get("updates") is not None,
        )
        days = (as_of, begin, end)
        if type(known_at) is not int or known_at < 0 or not all(day is None or isinstance(day, str) for day in days):
            raise TypeError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise FileRefused("the review does not say what it was asked, so it cannot be computed again") from None
    newest = reader.connection.execute(select(tables.acts.c.number).order_by(tables.acts.c.number.desc()).limit(1))
    if known_at > int(newest.scalar() or 0):
        raise FileRefused(f"the review was made from act {known_at}, which these records do not hold: wrong folder?")
    moment = reader.at(View(as_of=as_of, known_at=known_at))
    return list(differences(dict(written), plain(attrition_review(moment, request))))


# ---------------------------------------------------------------- the filter


def as_table(wanted: PortfolioFilter) -> dict[str, Any]:
    """Return the parts of a filter that are not empty."""
    found = {}
    for one in fields(wanted):
        value = getattr(wanted, one.name)
        if one.name != "site_pairs" and value not in (None, ()):
            found[one.name] = list(value) if isinstance(value, tuple) else value
    return found


def filter_of(table: Mapping[str, Any]) -> PortfolioFilter:
    """Return a filter from the parts `as_table` gives.

    Raises:
        InputError: a part is unknown, or not of its kind.
    """
    kinds: dict[str, type] = dict.fromkeys(_LISTS, list) | {"biomarker_selected": bool}
    known = {one.name for one in fields(PortfolioFilter)} - {"site_pairs"}
    content: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known or not isinstance(value, kinds.get(name, str)):
            raise InputError(f"{name[:60]!r} is no part of a portfolio filter, or not of its kind", path=("filter",))
        content[name] = tuple(map(str, value)) if isinstance(value, list) else value
    return PortfolioFilter(**content)


def _check(graph: StageGraph, wanted: PortfolioFilter) -> None:
    for code in wanted.stage:
        graph.stage(code)
    for name, values, known in (
        ("site", wanted.site, [site.code for site in graph.sites]),
        ("status", wanted.status, list(STATUSES)),
        ("modality", wanted.modality, [modality.value for modality in Modality]),
    ):
        for value in values:
            if value not in known:
                raise InputError(f"{value[:60]!r} is no {name}; known: {', '.join(known)}", path=("filter", name))


def _by_programme(reader: Reader, portfolio: Portfolio, wanted: PortfolioFilter) -> Flags:
    """Return the programmes whose molecule, disease group and biomarker are as wanted."""
    import numpy as np

    found = np.ones(portfolio.ids.size, dtype=bool)
    for name, values in (("modality", wanted.modality), ("disease_group", wanted.disease_group)):
        if values:
            found &= _among(portfolio, name, values)
    if wanted.biomarker_selected is not None:
        found &= _among(portfolio, "biomarker_selected", ["yes" if wanted.biomarker_selected else "no"])
    if wanted.target is not None or wanted.text is not None:
        source, view = tables.programmes, View(known_at=reader.view.known_at)
        about = PortfolioFilter(target=wanted.target, text=wanted.text)
        conditions = programme_conditions(source, about, view)
        ids = reader.connection.execute(select(source.c.id).where(visible(source, view), *conditions)).scalars()
        found &= np.isin(portfolio.ids, np.fromiter(ids, dtype=np.int64))
    return found


def _among(portfolio: Portfolio, name: str, values: Iterable[str]) -> Flags:
    import numpy as np

    column = portfolio.groups[name]
    codes = [column.names.index(value) for value in values if value in column.names and value != NOT_RECORDED]
    return np.isin(column.codes, codes)


def _by_position(courses: Courses, graph: StageGraph, wanted: PortfolioFilter) -> Flags:
    """Return the programmes that stand as wanted: stage, status, when they entered the stage, where it is run."""
    import numpy as np

    p, last = courses.portfolio, courses.last
    found = np.ones(p.ids.size, dtype=bool)
    codes = [stage.code for stage in p.stages]
    if wanted.stage:
        found &= np.isin(p.stage[last], [codes.index(code) for code in wanted.stage if code in codes])
    if wanted.status:
        found &= np.isin(p.status[last], [STATUSES.index(status) for status in wanted.status])
    if wanted.entered_from is not None or wanted.entered_to is not None:
        moved = np.append(True, p.stage[1:] != p.stage[:-1])[: p.owner.size]
        moved[courses.first] = True
        entered = np.maximum.accumulate(np.where(moved, np.arange(p.owner.size), 0))[last]
        if wanted.entered_from is not None:
            found &= p.earliest[entered] >= number_of(wanted.entered_from)
        if wanted.entered_to is not None:
            found &= p.earliest[entered] <= number_of(wanted.entered_to)
    if wanted.site:
        groups = p.groups["disease_group"]
        routed = np.array([[_at(graph, code, group, wanted.site) for code in codes] for group in groups.names])
        found &= routed.reshape(len(groups.names), len(codes))[groups.codes, p.stage[last]] if p.ids.size else found
    return found


def _at(graph: StageGraph, stage: str, group: str, sites: Sequence[str]) -> bool:
    return stage in graph and any(site.code in sites for site in _routing(graph, stage, group))


def _contributing(reader: Reader, courses: Courses) -> Mapping[tuple[str, str], int] | None:
    """Return how many stops had each verified reason beside their primary one; None where no reason was ever judged."""
    import numpy as np

    view = View(known_at=reader.view.known_at)
    of, move = attrition_reasons, tables.transitions
    judged = select(of.c.id).where(
        visible(of, view), of.c.transition_id.is_not(None), of.c.verified_reason.is_not(None)
    )
    if reader.connection.execute(judged.limit(1)).first() is None:
        return None
    stage = func.coalesce(move.c.from_stage, move.c.to_stage)
    statement = (
        select(move.c.programme_id, move.c.position, stage, of.c.verified_reason)
        .join(of, of.c.transition_id == move.c.id)
        .where(visible(move, view), visible(of, view), move.c.to_status == Status.DISCONTINUED.value)
        .where(~of.c.main, of.c.verified_reason.is_not(None))
        .where(of.c.verified_reason != AttritionReason.UNSPECIFIED.value)  # which says that the reason was none
    )
    p = courses.portfolio
    moves = dict(zip(p.ids.tolist(), np.bincount(p.owner, minlength=p.ids.size).tolist(), strict=True))
    found: Counter[tuple[str, str]] = Counter()
    for programme, position, code, reason in reader.connection.execute(statement):
        if position <= moves.get(programme, 0):
            found[code, reason] += 1
    return found


def _site(graph: StageGraph, stage: str, group: str) -> str:
    """Return where a stage is run for a disease group, in a word or two."""
    sites = _routing(graph, stage, group) if stage in graph else ()
    return " or ".join(site.code for site in sites) or "no route"


def _routing(graph: StageGraph, stage: str, group: str) -> tuple[Any, ...]:
    return graph.site_for(stage, None if group == NOT_RECORDED else group).sites

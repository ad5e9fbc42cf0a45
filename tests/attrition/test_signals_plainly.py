"""The search for missed signals finds what the plain one finds, whatever is on record, now and as it was known."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.review import Asked, chosen, followed
from pipeline.attrition.review_settings import default_settings
from pipeline.centre import SYSTEM, Centre
from pipeline.reports.attrition_portfolio import portfolio_of
from pipeline.reports.missed_signals import signal_review
from pipeline.store import study_tables, tables
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from tests.attrition.plain_signals import plain_signals
from tests.attrition.signals import BLANK, register
from tests.support.new_centre import OnPostgres, OnSqlite

MOLECULES = 3
STUDIES = 4
SUBJECTS = 12
START = datetime(2010, 1, 1, tzinfo=UTC)

Draw = Callable[[Random], Any]
REASONS = ("TOX_CLINICAL", "TOX_CLINICAL", "EFFICACY_LACK", "EFFICACY_LACK", "PK_EXPOSURE", "STRATEGIC", None)
WORDS = (None, None, "", "severe hepatotoxicity", "no objective response", "renal failure and rash", "nothing more")
ORGAN_CLASSES = (None, "Hepatobiliary disorders", "Renal and urinary disorders", "Investigations")


def row(**columns: tuple[Any, ...] | Draw) -> Draw:
    """Return what draws a row: of each column one of some values, or what draws it."""
    return lambda draw: {n: one(draw) if callable(one) else draw.choice(one) for n, one in columns.items()}


def day(draw: Random) -> str:
    """Draw a day."""
    return (START + timedelta(days=draw.randrange(1100))).date().isoformat()


def dated(draw: Random) -> str:
    """Draw a day, a month, or nothing."""
    return draw.choice((day(draw), day(draw), day(draw)[:7], ""))


def study_day(draw: Random) -> float | None:
    """Draw a day of a study."""
    return draw.choice((None, float(draw.randrange(-20, 400))))


def study(draw: Random) -> int:
    """Draw the number of a study."""
    return draw.randrange(STUDIES)


def someone(draw: Random) -> int | None:
    """Draw the number of a subject."""
    return draw.choice((None, draw.randrange(SUBJECTS), draw.randrange(SUBJECTS)))


def some_molecule(draw: Random) -> int:
    """Draw a molecule."""
    return draw.randrange(1, MOLECULES + 1)


ROWS = {
    "adverse_events": row(
        study_id=study,
        subject_id=someone,
        term=("Hepatitis", "Renal failure", "Rash", "Fatigue"),
        coded_term=(None, "Liver failure"),
        organ_class=ORGAN_CLASSES,
        grade=(None, 1, 2, 3, 4),
        severity=(None, "SEVERE", "mild"),
        serious=(None, True, False),
        dlt=(True, False, False),
        started_day=study_day,
        sorted_on=dated,
    ),
    "findings": row(
        study_id=study,
        subject_id=someone,
        organ=("LIVER", "LIVER", "KIDNEY", "EYE", None, "Unknown"),
        organ_class=(None, "Cardiovascular"),
        reported=("Necrosis", "Fibrosis", "NORMAL", "Unremarkable", "Hepatic necrosis", None),
        severity_rank=(None, 1, 2, 4),
        severity_reported=(None, "moderate"),
        not_done=(None, None, None, "NOT DONE", ""),
        day=study_day,
        sorted_on=dated,
    ),
    "laboratory_results": row(
        study_id=study,
        subject_id=someone,
        test=("ALT", "ast", "CREAT"),
        test_name=(None, "Creatinine"),
        value=(None, 119.9999999999999, 119.999, 120.0, 30.0, 160.0),
        upper_normal=(None, 0.0, 40.0, 40.0),
        grade=(None, None, 2, 3),
        baseline=(None, None, True, False),
        not_done=(None, None, None, "", "NOT DONE"),
        day=study_day,
        sorted_on=dated,
    ),
    "event_counts": row(
        study_id=study,
        term=("Hepatitis", "Death"),
        organ_class=ORGAN_CLASSES,
        term_reported=(None, "Acute kidney injury"),
        serious=(True, False),
        affected=(None, 0, 2),
        events=(None, 0, 3),
        at_risk=(None, 10),
    ),
    "dlt_observations": row(
        study_id=study, term=("Neutropenia", "Nephritis"), affected=(None, 0, 1), affected_reported=(None, " 0", "1")
    ),
    "alerts": row(
        kind=("MARGIN_CROSSED", "EXPOSURE_BELOW_TARGET", "HYS_LAW", "FUTILITY", "RULE_CHANGED"),
        about=("this", "that"),
        message=("a margin was crossed",),
        molecule_id=lambda draw: draw.choice((None, some_molecule(draw))),
        study_id=study,
        raised_at=lambda draw: f"{day(draw)}T09:00:00.000000Z",
    ),
    "administrations": row(study_id=study, subject_id=someone, sorted_on=dated),
}
RESPONSE = row(
    response=("SD", *["PD"] * 12, "PR", "NE", None),
    accepted=(*[None] * 8, True, False),
    sorted_on=dated,
    day=study_day,
)
STUDY = row(
    species=(None, "human", "rat", "rat", " Human "),
    phases=("[]", '["PHASE_1"]', '["NO_PHASE"]'),
    started_on=(None, "2011", "2012-05-01"),
    ended_on=(None, "2011-02", "2012-06-30", "2030"),
    enrolment=(None, 0, 30),
    status=("COMPLETED", "COMPLETED", "TERMINATED"),
    reason=(None, "TOX_CLINICAL", "EFFICACY_LACK", "STRATEGIC"),
    why_stopped=WORDS,
    molecules=lambda draw: {some_molecule(draw) for _ in range(draw.randrange(1, 3))},
)
SUBJECT = row(
    study_id=study,
    species=("human", "human", "rat", "Homo sapiens"),
    group_code=(None, "0", "1"),
    reference_start=lambda draw: draw.choice((None, dated(draw), dated(draw))),
)
PROGRAMME = row(
    molecule_id=some_molecule,
    days=lambda draw: sorted(draw.randrange(200, 1500) for _ in range(draw.randrange(1, 5))),
    end=row(reason=REASONS, reason_verbatim=WORDS, note=WORDS, to_status=("DISCONTINUED", "DISCONTINUED", "ACTIVE")),
    again=(True, False, False),
)


def world_of(seed: int) -> dict[str, Any]:
    """Make programmes, studies, their records, and what is said otherwise later; the same of the same number."""
    draw = Random(seed)

    def some(of: Draw, least: int, most: int) -> list[Any]:
        return [of(draw) for _ in range(draw.randint(least, most))]

    return {
        "programmes": some(PROGRAMME, 1, 6),
        "studies": [{**STUDY(draw), "species": "human"}, *some(STUDY, STUDIES - 1, STUDIES - 1)],
        "subjects": some(SUBJECT, SUBJECTS, SUBJECTS),
        "records": {table: some(of, 0, 10) for table, of in ROWS.items()},
        "responses": some(RESPONSE, 0, 40),
        "judged": some(lambda draw: draw.choice(WORDS), 0, 2),
        "revised": {table: some(ROWS[table], 0, 4) for table in ("adverse_events", "findings")},
    }


def put_on_record(centre: Centre, world: dict[str, Any]) -> None:
    """Put a world on record: programmes and studies, then each table in an act of its own, then what was corrected."""
    moments = iter(START + timedelta(days=100 * n) for n in range(1, 100))
    ids: dict[str, list[int]] = {}

    def perform(write: Any) -> None:
        def work(act: Any) -> dict[str, Any]:
            write(act)
            return {}

        centre.journal.perform("MadeUp", work, actor=SYSTEM, now=next(moments))

    def placed(content: dict[str, Any]) -> dict[str, Any]:
        found = dict(content)
        for name, of in (("study_id", "studies"), ("subject_id", "subjects")):
            if found.get(name) is not None:
                found[name] = ids[of][found[name]]
        return found

    def add(act: Any, name: str, rows: list[dict[str, Any]]) -> None:
        table = getattr(study_tables, name, None)
        table = getattr(tables, name) if table is None else table
        ids[name] = [act.add(table, {**BLANK.get(name, {}), **placed(one)}) for one in rows]

    def begin(act: Any) -> None:
        graph_id, graph = act.graphs.in_force(act.connection)
        for one in world["programmes"]:
            add_programme(act, one, graph_id, graph)
        for n, one in enumerate(world["studies"]):
            study = act.add(
                tables.studies,
                {"code": f"S-{n}", "title": "made up", **{name: one[name] for name in one if name != "molecules"}},
            )
            ids.setdefault("studies", []).append(study)
            for molecule in sorted(one["molecules"]):
                act.add(
                    tables.study_molecules,
                    {"study_id": study, "source_id": 1, "molecule_id": molecule, "name": "made up"},
                )
            for code, control in (("0", True), ("1", False)):
                act.add(
                    study_tables.study_groups,
                    {"study_id": study, "code": code, "control": control, "parameters": "{}"},
                )
        add(act, "subjects", [{**one, "code": f"P-{n}"} for n, one in enumerate(world["subjects"])])
        transitions = act.current(tables.transitions)
        for words, move in zip(world["judged"], transitions[::-1], strict=False):
            act.add(
                study_tables.attrition_reasons,
                {
                    **{"transition_id": move["id"], "reason": "TOX_CLINICAL", "main": True},
                    **{"verbatim": words, "proposed_by": "rules"},
                },
            )

    perform(begin)
    for name, rows in world["records"].items():
        perform(lambda act, name=name, rows=rows: add(act, name, rows))
    many = [
        {"study_id": n % 5 == 0, "subject_id": None, **one, "criteria": "RECIST 1.1"}
        for n, one in enumerate(world["responses"])
    ]

    def respond(act: Any) -> None:
        people = [
            act.add(
                study_tables.subjects,
                {
                    **{"study_id": ids["studies"][n % 5 == 0], "code": f"R-{n}", "species": "human"},
                    **{"erased": False, "opposed_to_reuse": False},
                },
            )
            for n in range(len(many))
        ]
        for one, person in zip(many, people, strict=True):
            act.add(study_tables.tumour_responses, {**placed(one), "subject_id": person})

    perform(respond)
    for name, rows in world["revised"].items():

        def revise(act: Any, name: str = name, rows: list[dict[str, Any]] = rows) -> None:
            table = getattr(study_tables, name)
            for id, one in zip(ids[name], rows, strict=False):
                if one["term" if name == "adverse_events" else "reported"] in ("Rash", "NORMAL"):
                    act.close(table, act.find(table, id))
                else:
                    kept = {column: value for column, value in one.items() if column not in ("study_id", "subject_id")}
                    act.revise(table, act.find(table, id), kept)

        perform(revise)


def add_programme(act: Any, one: dict[str, Any], graph_id: int, graph: Any) -> None:
    """Add a programme that goes on stage by stage, and ends as it is told; `again`: it is taken up once more."""
    stages = ("PHASE_1", "PHASE_2", "PHASE_3", "APPROVAL")
    iso = [(START + timedelta(days=day)).date().isoformat() for day in one["days"]]
    moves = [("ADVANCE", stage, "ACTIVE", day, {}) for stage, day in zip(stages, iso, strict=False)]
    if one["end"]["to_status"] == "DISCONTINUED":
        why = {name: one["end"][name] for name in ("reason", "reason_verbatim", "note")}
        last = (START + timedelta(days=one["days"][-1] + 90)).date().isoformat()
        moves.append(("DISCONTINUE", moves[-1][1], "DISCONTINUED", last, why))
        if one["again"]:
            moves.append(("RESTART", moves[-1][1], "ACTIVE", last, {}))
    stage, status, since = moves[-1][1], moves[-1][2], moves[-1][3]
    programme = act.add(
        tables.programmes,
        {
            **{"molecule_id": one["molecule_id"], "indication": "made up", "indication_key": "made up"},
            **{"graph_id": graph_id, "stage": stage, "stage_ordinal": graph.stage(stage).ordinal, "status": status},
            **{"stage_since": since, "stage_since_reported": since},
        },
    )
    before: tuple[str | None, str | None] = (None, None)
    for position, (kind, to_stage, to_status, day, why) in enumerate(moves, start=1):
        act.add(
            tables.transitions,
            {
                **{"programme_id": programme, "graph_id": graph_id, "position": position, "kind": kind},
                **{"from_stage": before[0], "to_stage": to_stage, "from_status": before[1], "to_status": to_status},
                **{"skipped": "[]", "imported": True, "occurred_on": day, "occurred_from": day, "occurred_to": day},
                **why,
            },
        )
        before = (to_stage, to_status)


def compared(reader: Reader, day: str) -> None:
    """Compare the search with the plain one, of all programmes and of every other one."""
    head, portfolio = portfolio_of(reader)
    courses = followed(portfolio, Asked(day=day, known_at=head))
    some = chosen(courses, courses.portfolio.ids % 2 == 0)
    for those in (courses, some):
        found = signal_review(reader, those, default_settings())
        missed = orjson.loads(orjson.dumps(found.missed, default=list))
        plain = orjson.loads(orjson.dumps(plain_signals(reader, those, default_settings())))
        for name in ("signals", "unseen", "totals", "lead_times"):
            assert missed[name] == plain[name], name
        cells = {one.system: one for one in found.concordance if one.system != "ALL"}
        assert list(cells) == list(plain["concordance"])
        for system, of in plain["concordance"].items():
            for cell in (
                "both",
                "finding_only",
                "event_only",
                "neither",
                "not_studied_in_animals",
                "not_studied_in_people",
            ):
                assert getattr(cells[system], cell) == len(of.get(cell, []))
                assert list(cells[system].molecules.get(cell, ())) == of.get(cell, [])
            assert cells[system].studied_in_none == len(of.get("studied_in_none", []))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnSqlite | OnPostgres]:
    """A centre that began to record in 2009, to be copied, with molecules."""
    folder = tmp_path_factory.mktemp("made")
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("pipeline.centre.utc_now", lambda: datetime(2009, 1, 1, tzinfo=UTC))
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres")
            yield stack.enter_context(OnPostgres.make(server, folder))
        else:
            yield OnSqlite.make(folder)


@settings(max_examples=12)
@given(st.integers(0, 10**9), st.sampled_from(("2013-01-01", "2020-01-01")), st.integers(5, 18))
def test_both_searches_agree(made: OnSqlite | OnPostgres, seed: int, day: str, moment: int):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        place = stack.enter_context(made.centre(Path(folder)))
        centre = stack.enter_context(Centre.open(place.folder, place.url))
        register(centre, *(f"M-{n}" for n in range(1, MOLECULES + 1)))
        put_on_record(centre, world_of(seed))
        reader = stack.enter_context(centre.read())
        compared(reader, day)
        compared(reader.at(View(known_at=moment)), day)

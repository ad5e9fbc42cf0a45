"""Replaying many programmes together: the same as one by one and act by act, with as many statements for more rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from pipeline.centre import Centre
from pipeline.reports import rule_replay
from pipeline.reports.checkpoint_evidence import gather, kinds_of
from pipeline.reports.record_versions import RecordsSeen
from pipeline.reports.rule_replay import RuleReplay, replay_rule
from pipeline.store import checkpoint_tables, study_tables, tables
from pipeline.store.filters import PortfolioFilter
from pipeline.store.journal import Act
from pipeline.store.reader import Reader
from pipeline.store.selection import View
from tests.support.escalated import end, perform, phase_one
from tests.support.replayed import PlainPast

STAGES = [("PRECLINICAL_PHARMACOLOGY", 10), ("PRECLINICAL_TOXICOLOGY", 20), ("PHASE_1", 40), ("PHASE_2", 60)]
STAGES += [("PHASE_2_3", 70), ("PHASE_3", 80), ("PHASE_4", 110)]
RESPONSES = ("CR", "PR", "SD", "PD", "NE", "PR")
FACTS = [("HERG_IC50", "", "umol/L"), ("CMAX_HUMAN", "", "ng/mL"), ("FRACTION_UNBOUND", "human", "1")]
FACTS += [("AUC_EFFICACIOUS", "", "h.ng/mL"), ("AUC_NOAEL", "rat", "h.ng/mL"), ("FRACTION_UNBOUND", "rat", "1")]


class Written:
    """A programme with a clinical study and one of animals, and what is recorded of their subjects."""

    def __init__(self, centre: Centre, name: str) -> None:
        self.centre = centre
        self.programme, self.study, self.source = phase_one(centre, name)
        made = perform(centre, self._begin)
        self.molecule, self.animal_study = made["molecule"], made["study"]
        self.people, self.animals = made["people"], made["animals"]

    def _begin(self, act: Act) -> dict[str, Any]:
        programme = act.current(tables.programmes, tables.programmes.c.id == self.programme)[0]
        row = {"code": f"A{self.study}", "title": "A", "species": "mouse", "phases": "[]", "status": "COMPLETED"}
        study = act.add(tables.studies, row)
        link = {"study_id": study, "source_id": self.source, "molecule_id": programme["molecule_id"], "name": "A"}
        act.add(tables.study_molecules, link)
        found: dict[str, list[int]] = {"people": [], "animals": []}
        for of, which, species in ((self.study, "people", "human"), (study, "animals", "mouse")):
            for group in ("given", "control"):
                about = {"study_id": of, "code": group, "control": group == "control", "parameters": "{}"}
                act.add(study_tables.study_groups, about)
            for n in range(4):
                about = {"study_id": of, "code": f"S{n}", "species": species, "erased": False, "dose_level": n % 3 + 1}
                about |= {"opposed_to_reuse": False, "group_code": "control" if n == 3 else "given"}
                about |= {"reference_start": "2020-01-01"}
                found[which].append(act.add(study_tables.subjects, about))
        return {"molecule": programme["molecule_id"], "study": study, **found}

    def rows(self, kind: int, who: int, value: int) -> list[tuple[Any, dict[str, Any]]]:
        """Return records of a kind about one subject."""
        of = {"study_id": self.study, "subject_id": self.people[who], "sorted_on": ""}
        animal = {"study_id": self.animal_study, "subject_id": self.animals[who], "sorted_on": ""}
        molecule = {"molecule_id": self.molecule}
        day = float(1 + 7 * value)
        name, species, unit = FACTS[value % len(FACTS)]
        fact = {"unit": unit, "value": day, "relation": "=", "reported": "1", "source": "s"}
        level = {"study_id": self.study, "source_id": self.source, "ordinal": who + 1, "label": f"level {who}"}
        arm = {"study_id": self.study, "source_id": self.source, "arm": f"arm {who % 2}", "term": "rash"}
        limit = {**molecule, "kind": "TARGET", "parameter": "CMAX", "relation": ">", "unit": "ng/mL", "source": "s"}
        sample = {**of, **molecule, "analyte": "X", "specimen": "plasma", "below_limit": False, "state": "REGISTERED"}
        sample |= {"entered_by": "t", "unit": "ng/mL", "day": 1.0, "reference_dose_at": "2020-01-01T08:00"}
        sample |= {"hours_after_dose": 1.0 * value, "concentration": 9.0 * value}
        chosen = {"study_id": self.study, "analyte": "", "settings": f'{{"tau_h": {6 + value}}}'}
        basis = {**molecule, "study_id": self.animal_study, "relation": "=", "group_codes": "[]", "parameter": "CMAX"}
        return [
            (tables.dose_levels, {**level, "treated": 3 + value, "with_dlt": min(value, 3)}),
            (study_tables.adverse_events, {**of, "term": "rash", "dlt": value % 2 == 0, "started_day": day}),
            (tables.event_counts, {**arm, "serious": False, "affected": value, "at_risk": 9}),
            (study_tables.laboratory_results, {**of, "test": "ALT", "value": 40.0 * value, "upper_normal": 40.0}),
            (study_tables.laboratory_results, {**of, "test": "BILI", "value": 1.0 * value, "upper_normal": 1.0}),
            (study_tables.measurements, {**of, "what": "QTCF", "value": 400.0 + 30 * value, "unit": "ms", "day": day}),
            (study_tables.tumour_responses, {**of, "criteria": "RECIST", "response": RESPONSES[value], "day": day}),
            (study_tables.biomarker_results, {**of, "marker": "HER2", "positive": value % 2 == 1}),
            (study_tables.dispositions, {**of, "term_reported": "DEATH", "day": day}),
            (study_tables.administrations, {**of, "treatment": "X", "amount": 9.0, "unit": "mg", "started_day": day}),
            (
                study_tables.monitoring_records,
                {**sample, "hours_after_dose": 1.0 * value, "concentration": 9.0 * value},
            ),
            (study_tables.exposure_limits, {**limit, "lower": 9.0 * value}),
            (study_tables.toxicity_bases, {**basis, "basis": ("NOAEL", "STD10", "HNSTD")[value % 3], "dose": day}),
            (checkpoint_tables.molecule_facts, {**molecule, "name": name, "species": species, **fact}),
            (study_tables.measurements, {**animal, "what": "TUMVOL", "value": 99.0 + value, "day": 7.0 * (value % 3)}),
            (study_tables.measurements, {**animal, "what": "BW", "value": 20.0 - value, "day": day}),
            (study_tables.monitoring_settings, chosen),
        ][kind : kind + 1]


KINDS = 17
ADD, REVISE, CLOSE, MOVE = range(4)


def write(written: Written, verb: int, kind: int, who: int, value: int) -> None:
    """Add a record as an act of its own, put what such a record says in the place of another, close one, or move on."""

    def done(act: Act) -> dict[str, Any]:
        if verb == MOVE:
            (programme,) = act.current(tables.programmes, tables.programmes.c.id == written.programme)
            stage, ordinal = STAGES[value % len(STAGES)]
            act.revise(tables.programmes, programme, {"stage": stage, "stage_ordinal": ordinal})
            return {}
        for table, row in written.rows(kind, who, value):
            parent = "study_id" if "study_id" in row else "molecule_id"
            held = act.current(table, table.c[parent] == row[parent])
            if not held or (verb == ADD and table is not study_tables.monitoring_settings):
                act.add(table, row)
            elif verb == REVISE:
                act.revise(table, held[who % len(held)], row)
            else:
                act.close(table, held[who % len(held)])
        return {}

    perform(written.centre, done)


def together_and_plainly(reader: Reader, code: str, wanted: PortfolioFilter) -> tuple[RuleReplay, RuleReplay]:
    together = replay_rule(reader, code, wanted=wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule_replay, "Past", PlainPast)
        patch.setattr(rule_replay, "JUDGED_TOGETHER", frozenset())
        return together, replay_rule(reader, code, wanted=wanted)


def codes_of(centre: Centre) -> list[str]:
    with centre.read() as reader:
        _, graph = reader.graphs.in_force(reader.connection)
        return sorted(graph.rules)


_numbers = count()
WRITING = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([ADD, ADD, ADD, REVISE, CLOSE, MOVE]),
        st.integers(0, KINDS - 1),
        st.integers(0, 3),
        st.integers(0, 5),
    ),
    min_size=4,
    max_size=20,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=WRITING, stopped=st.booleans(), data=st.data())
def test_any_past_is_replayed_as_if_it_was_read_act_by_act(centre, written, stopped, data):
    number = next(_numbers)
    both = [Written(centre, f"case{number:05d}{letter}") for letter in "ab"]
    for which, verb, kind, who, value in written:
        write(both[which], verb, kind, who, value)
    if stopped:
        end(centre, both[0].programme, day="2099-01-01", status="DISCONTINUED", reason="TOX_CLINICAL")
    codes = codes_of(centre)
    with centre.read() as reader:
        last = max(rule_replay._days(reader))
        known_at = data.draw(st.sampled_from([None, last - 2]))
        seen = reader.at(View(None, known_at))
        for code in data.draw(st.lists(st.sampled_from(codes), min_size=3, max_size=3, unique=True)):
            together, plainly = together_and_plainly(seen, code, PortfolioFilter(text=f"case{number:05d}"))
            assert len(together.programmes) == 2
            assert together.programmes == plainly.programmes, code


@dataclass(frozen=True, slots=True)
class Watched(RecordsSeen):
    """Notes which kinds of records are read."""

    kinds: set[str]

    def rows(self, node, key, ids, where=(), columns=()):
        self.kinds.add(node)
        return RecordsSeen.rows(self, node, key, ids, where, columns)


def test_a_rule_reads_only_the_kinds_of_records_that_make_it_run_again(centre):
    """Records of another kind could change what it finds, and nobody would look."""
    written = Written(centre, "kinds")
    for kind in range(KINDS):
        for n in range(6):
            write(written, ADD, kind, n % 4, n)
    programme = {"molecule_id": written.molecule, "stage": "PHASE_1", "indication": None}
    with centre.read() as reader:
        _, graph = reader.graphs.in_force(reader.connection)
        for rule in graph.rules.values():
            seen = Watched(reader, set())
            gather(seen, programme, rule)
            assert seen.kinds <= kinds_of(rule), rule.code


def _portfolio(centre: Centre, programmes: int, each: int) -> None:
    for number in range(programmes):
        written = Written(centre, f"all{programmes}.{number:03d}")
        for kind in range(KINDS):
            for n in range(each):
                write(written, ADD, kind, n % 4, n % 6)
        for stage in range(len(STAGES)):
            write(written, MOVE, 0, 0, stage)
        for kind in range(KINDS):
            write(written, REVISE, kind, 1, 2)
        end(centre, written.programme, day="2099-01-01", status="DISCONTINUED", reason="EFFICACY_LACK")


def _counted(centre: Centre, code: str, text: str) -> int:
    statements: list[str] = []

    def kept(connection, cursor, statement, *rest):
        statements.append(statement)

    with centre.read() as reader:
        event.listen(reader.connection.engine, "before_cursor_execute", kept)
        replay_rule(reader, code, wanted=PortfolioFilter(text=text))
        event.remove(reader.connection.engine, "before_cursor_execute", kept)
    return len(statements)


def test_every_rule_of_the_graph_is_replayed_so_with_as_many_statements_for_more_programmes_and_rows(centre):
    _portfolio(centre, 1, 6)
    _portfolio(centre, 3, 12)
    judged = set()
    for code in codes_of(centre):
        with centre.read() as reader:
            together, plainly = together_and_plainly(reader, code, PortfolioFilter(text="all1."))
        assert together.programmes == plainly.programmes, code
        judged |= {code} if together.summary.not_judged < together.summary.programmes else set()
        few, many = (_counted(centre, code, text) for text in ("all1.", "all3."))
        # Subjects treated are read, once, only where the rule would have stopped a programme that was stopped.
        assert abs(few - many) <= 1, code
    assert len(judged) > 15, judged

"""The search for missed signals once more, row by row and without any haste: what the fast one is compared with.

Every table is read whole, every record is an object, and nothing is left out early.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Table, select

from pipeline.attrition.counting import proportion
from pipeline.attrition.courses import APPROVED, STOPPED, UNANNOUNCED, Courses
from pipeline.attrition.lead_time import ACTIVE, ADVANCED, DROPPED, DROPPED_STRATEGIC, lead_sums
from pipeline.attrition.organ_systems import organ_systems
from pipeline.attrition.portfolio import REASONS
from pipeline.attrition.review_settings import EFFICACY, EXPOSURE, TOXICITY, Settings
from pipeline.attrition.review_times import day_of, number_of
from pipeline.attrition.signal_columns import STOPS, Signal
from pipeline.attrition.signal_records import (
    checkpoint_key,
    count_keys,
    event_keys,
    finding_keys,
    finding_systems,
    first_futile,
    key_name,
    keys_of_text,
    kind_of_key,
    laboratory_keys,
    limiting_keys,
)
from pipeline.reports import signal_gathering as words
from pipeline.reports.signal_rows import ANIMALS, MOST_DAY, MOST_STUDY_DAYS, last_day, whole_day
from pipeline.store import study_tables, tables
from pipeline.store.reader import Reader
from pipeline.store.species import is_people
from pipeline.words import AttritionReason, Status

Row = Mapping[str, Any]
SAME_AS_ANY = {TOXICITY: {"MARGIN", "ABOVE_LIMIT"}, EFFICACY: set(), EXPOSURE: {"SHORTFALL"}}


class Plain:
    """One search, of the programmes of a review."""

    def __init__(self, reader: Reader, courses: Courses, settings: Settings) -> None:
        self.reader, self.courses, self.settings = reader, courses, settings
        self.known = reader.view.known_at
        acts = tables.acts
        found = reader.connection.execute(select(acts.c.number, acts.c.recorded_at))
        self.recorded = {number: number_of(at) for number, at in found}
        self.molecule = {row["id"]: row["molecule_id"] for row in self.seen(tables.programmes)}
        self.moves = self._moves()
        self.studies = self._studies()
        self.signals: dict[int, list[Signal]] = defaultdict(list)
        self.animals: dict[tuple[int, str], bool] = {}
        self.events: set[tuple[int, str]] = set()
        self.people: set[int] = set()

    # ------------------------------------------------------------ records

    def versions(self, table: Table) -> list[list[dict[str, Any]]]:
        """Return the versions that were known of the records still seen, oldest first, by id."""
        statement = select(table).order_by(table.c.id, table.c.version)
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in self.reader.connection.execute(statement).mappings():
            if self.known is None or row["since_act"] <= self.known:
                found[row["id"]].append(dict(row))
        return [rows for rows in found.values() if self._stands(rows[-1]["until_act"])]

    def _stands(self, until: int | None) -> bool:
        return until is None or (self.known is not None and until > self.known)

    def seen(self, table: Table) -> list[dict[str, Any]]:
        """Return the records as they are seen."""
        return [rows[-1] for rows in self.versions(table)]

    def _moves(self) -> dict[int, list[dict[str, Any]]]:
        """Return the moves that count of each programme reviewed."""
        p = self.courses.portfolio
        count = dict(zip(p.ids.tolist(), np.bincount(p.owner, minlength=p.ids.size).tolist(), strict=True))
        found: dict[int, list[dict[str, Any]]] = {id: [] for id in p.ids.tolist()}
        for row in sorted(self.seen(tables.transitions), key=lambda row: row["position"]):
            if row["position"] <= count.get(row["programme_id"], 0):
                found[row["programme_id"]].append(row)
        days = iter(self.courses.at.astype(int).tolist())
        for id in found:
            for row in found[id]:
                row["day"] = next(days)
        return found

    def _studies(self) -> dict[int, dict[str, Any]]:
        reviewed = {self.molecule[id] for id in self.moves}
        members: dict[int, set[int]] = defaultdict(set)
        for row in self.seen(tables.study_molecules):
            if row["molecule_id"] in reviewed:
                members[row["study_id"]].add(row["molecule_id"])
        return {
            row["id"]: row | {"people": is_people(row["species"]), "molecules": sorted(members[row["id"]])}
            for row in self.seen(tables.studies)
            if row["id"] in members
        }

    def stage_of(self, study: Row) -> str | None:
        """Return the stage of a study that the graph knows."""
        phases = orjson.loads(study["phases"])
        stage = phases[0] if phases else None if study["people"] else ANIMALS
        return stage if stage in {one.code for one in self.courses.portfolio.stages} else None

    def happened(self, row: Row, own: str | None, subject: Row | None, study_day: float | None) -> tuple[int, str]:
        """Return the day of a record of a study, and what says so."""
        day = whole_day(own)
        if day is not None:
            return day, "OWN_DATE"
        start = whole_day(subject["reference_start"]) if subject else None
        if study_day is not None and start is not None and abs(study_day) <= MOST_STUDY_DAYS and start < MOST_DAY:
            return start + int(study_day) - (1 if study_day > 0 else 0), "STUDY_DAY"
        end, known = last_day(self.studies[row["study_id"]]["ended_on"]), self.recorded[row["since_act"]]
        return (end, "STUDY_END") if end is not None and end <= known else (known, "RECORDED")

    # ------------------------------------------------------------ signals

    def gather(self) -> None:
        """Gather all signals."""
        subjects = {row["id"]: row for row in self.seen(study_tables.subjects)}
        groups = {(row["study_id"], row["code"]): row for row in self.seen(study_tables.study_groups)}
        safety = (study_tables.adverse_events, tables.event_counts, tables.dlt_observations)
        for row in (row for table in safety for row in self.seen(table)):
            study = self.studies.get(row["study_id"])
            if study is not None and study["people"]:
                self.people.update(study["molecules"])

        def of_person(row: Row) -> bool:
            subject = subjects.get(row["subject_id"])
            return is_people(subject["species"] if subject else None)

        def control(row: Row) -> dict[str, Any]:
            subject = subjects.get(row["subject_id"])
            group = groups.get((subject["study_id"], subject["group_code"])) if subject else None
            return {**row, "control": group["control"] if group else None}

        def in_animals(row: Row) -> bool:
            return not self.studies[row["study_id"]]["people"]

        def looked_for(row: Row) -> tuple[str, ...]:
            return laboratory_keys(row) if of_person(row) else ()

        for row in self.seen(study_tables.findings):
            if row["not_done"] is None and row["study_id"] in self.studies and in_animals(row):
                for system in finding_systems(row):
                    for molecule in self.studies[row["study_id"]]["molecules"]:
                        self.animals[molecule, system] = False
        event, finding, result = "AdverseEvent", "Finding", "LaboratoryResult"
        of_event = lambda row: event_keys(row) if of_person(row) else ()  # noqa: E731
        of_finding = lambda row: finding_keys(control(row)) if in_animals(row) and row["not_done"] is None else ()  # noqa: E731
        for node, table, keys_of, label, day in (
            (event, study_tables.adverse_events, of_event, words._event_label, "started_day"),
            (finding, study_tables.findings, of_finding, words._finding_label, "day"),
            (result, study_tables.laboratory_results, looked_for, words._laboratory_label, "day"),
            ("Study", tables.event_counts, count_keys, words._count_label, None),
            ("Study", tables.dlt_observations, limiting_keys, words._limiting_label, None),
        ):
            for versions in self.versions(table):
                self._record(node, versions, keys_of, label, subjects, day)
        self._responses(subjects)
        self._study_stops()
        self._alerts()
        self._checkpoints()

    def _record(
        self,
        node: str,
        versions: Sequence[Row],
        keys_of: Callable[[Row], tuple[str, ...]],
        label: Callable[[Row], str],
        subjects: Mapping[int, Row],
        day: str | None,
    ) -> None:
        row = versions[-1]
        if row["study_id"] not in self.studies:
            return
        keys = keys_of(row)
        if not keys:
            return
        known = next(self.recorded[one["since_act"]] for one in versions if set(keys) & set(keys_of(one)))
        subject = subjects.get(row.get("subject_id", 0))
        happened = self.happened(row, row.get("sorted_on"), subject, row[day] if day else None)
        self._add(
            node, row["study_id"] if node == "Study" else row["id"], row["study_id"], keys, happened, known, label(row)
        )
        for key in keys:
            for molecule in self.studies[row["study_id"]]["molecules"]:
                if node == "Finding":
                    self.animals[molecule, key.removeprefix("ORGAN:")] = True
                elif node != "LaboratoryResult" and key.startswith("ORGAN:"):
                    self.events.add((molecule, key.removeprefix("ORGAN:")))

    def _add(
        self,
        node: str,
        id: int,
        study_id: int,
        keys: tuple[str, ...],
        happened: tuple[int, str],
        known: int,
        label: str,
    ) -> None:
        study = self.studies[study_id]
        label, stage = f"{label} (study {study['code']})", self.stage_of(study)
        for molecule in study["molecules"]:
            self._keep(Signal(molecule, keys, *happened, known, node, id, label, study_id, stage))

    def _keep(self, signal: Signal) -> None:
        if signal.day <= self.courses.day:
            self.signals[signal.molecule].append(signal)

    def _responses(self, subjects: Mapping[int, Row]) -> None:
        of: dict[int, list[tuple[tuple[Any, ...], Row, int]]] = defaultdict(list)
        for versions in self.versions(study_tables.tumour_responses):
            read = [row for row in versions if row["response"] is not None and row["subject_id"] is not None]
            row, subject = versions[-1], subjects.get(versions[-1]["subject_id"])
            if row not in read or row["accepted"] is False or row["study_id"] not in self.studies:
                continue
            if is_people(subject["species"] if subject else None):
                order = (row["sorted_on"] or "9", 0 if row["day"] is None else row["day"], row["id"])
                of[row["study_id"]].append((order, row, read[0]["since_act"]))
        for study, rows in of.items():
            rows.sort(key=lambda one: one[0])
            found = first_futile((one, one[1]["subject_id"], one[1]["response"]) for one in rows)
            if found is not None:
                _, row, since = found
                known = {**row, "since_act": since}
                happened = self.happened(known, row["sorted_on"], subjects.get(row["subject_id"]), row["day"])
                self._add(
                    *("TumourResponse", row["id"], study, ("ENDPOINT:RESPONSE",), happened, self.recorded[since]),
                    words._FUTILE,
                )

    def _study_stops(self) -> None:
        judged: dict[int, list[Row]] = defaultdict(list)
        for row in self.seen(study_tables.attrition_reasons):
            if row["study_id"] is not None and row["verified_reason"] is not None:
                judged[row["study_id"]].append(row)
        for id, study in self.studies.items():
            if study["status"] not in ("TERMINATED", "WITHDRAWN", "SUSPENDED"):
                continue
            for one in judged.get(id) or [{"verified_reason": None, "verbatim": None}]:
                reason = one["verified_reason"] or study["reason"]
                kind = self.settings.kind_of(reason) if reason in AttritionReason.__members__ else ""
                if kind in STOPS:
                    text = " ".join(filter(None, (study["why_stopped"], one["verbatim"])))
                    keys = keys_of_text(kind, text) or (kind,)
                    happened = self.happened({**study, "study_id": id}, study["ended_on"], None, None)
                    known = self.recorded[study["since_act"]]
                    self._add("Study", id, id, keys, happened, known, f"stopped for {reason}")
                    break

    def _alerts(self) -> None:
        samples = {row["id"]: row["sorted_on"] for row in self.seen(study_tables.monitoring_records)}
        for versions in self.versions(study_tables.alerts):
            row = versions[-1]
            keys = {kind.value: key for kind, key in words._ALERTS.items()}
            if row["kind"] not in keys:
                continue
            study = self.studies.get(row["study_id"], {"molecules": []})
            known = self.recorded[versions[0]["since_act"]]
            day = whole_day(samples.get(row["node_id"])) if row["node"] == "MonitoringRecord" else None
            raised = whole_day(row["raised_at"])
            happened = (day, "OWN_DATE") if day is not None else (known if raised is None else raised, "RECORDED")
            for molecule in study["molecules"] if row["molecule_id"] is None else [row["molecule_id"]]:
                one = (keys[row["kind"]],)
                self._keep(Signal(molecule, one, *happened, known, "Alert", row["id"], row["message"], row["study_id"]))

    def _checkpoints(self) -> None:
        methods = {(row["code"], row["number"]): row["method"] for row in self.seen(tables.checkpoint_rules)}
        for versions in self.versions(tables.checkpoints):
            row = versions[-1]
            day = whole_day(row["assessed_on"])
            if row["recommendation"] not in ("NO_GO", "HOLD", "RECYCLE") or day is None:
                continue
            key = checkpoint_key(row["kind"], methods.get((row["rule_code"], row["rule_number"])) or "")
            said = f"checkpoint {row['rule_code']} recommended {row['recommendation']}"
            said += f", {row['verdict']} was decided" if row["verdict"] else ""
            known = self.recorded[versions[0]["since_act"]]
            molecule = self.molecule.get(row["programme_id"])
            if molecule is not None:
                self._keep(
                    Signal(
                        *(molecule, (key,), day, "OWN_DATE", known, "Checkpoint", row["id"], said),
                        *(row["study_id"], row["stage"]),
                    )
                )

    # ------------------------------------------------------------ stops

    def stops(self) -> list[dict[str, Any]]:
        """Return the scientific stops, by day, programme and record."""
        judged: dict[int, list[str]] = defaultdict(list)
        for row in self.seen(study_tables.attrition_reasons):
            if row["transition_id"] is not None and row["verbatim"] is not None:
                judged[row["transition_id"]].append(row["verbatim"])
        found = []
        names = dict(zip(self.courses.portfolio.ids.tolist(), self.courses.portfolio.names, strict=True))
        for programme, moves in self.moves.items():
            for move in moves:
                kind = self.settings.kind_of(move["reason"]) if move["reason"] in REASONS else ""
                off = Status.DISCONTINUED.value
                if move["to_status"] != off or move["from_status"] == off or kind not in STOPS:
                    continue
                text = " ".join(filter(None, (move["reason_verbatim"], move["note"], *judged[move["id"]])))
                found.append(
                    {
                        **{"programme": programme, "name": names[programme], "molecule": self.molecule[programme]},
                        **{"transition": move["id"], "stage": move["from_stage"] or move["to_stage"]},
                        **{"reason": move["reason"], "kind": kind, "day": move["day"]},
                        **{"known": self.recorded[move["since_act"]], "keys": keys_of_text(kind, text)},
                    }
                )
        return sorted(found, key=lambda one: (one["day"], one["programme"], one["transition"]))

    def outcome(self, place: int) -> int:
        """Return what became of the programme at a place."""
        standing, end = self.courses.standing[place], self.courses.end[place]
        last = list(self.moves.values())[place][-1]
        reason = last["reason"] if last["reason"] in REASONS else None
        if standing == STOPPED:
            scientific = reason is not None and self.settings.kind_of(reason) in STOPS
            return DROPPED if scientific else DROPPED_STRATEGIC
        if standing == UNANNOUNCED:
            return DROPPED_STRATEGIC
        return ADVANCED if end == APPROVED else ACTIVE

    def add_stops(self, stops: Iterable[Row]) -> None:
        """Add what stops tell of other programmes."""
        stops = list(stops)
        programmes = Counter(self.molecule[id] for id in self.moves)
        stopped = Counter(stop["molecule"] for stop in stops)
        outcome = {id: self.outcome(place) for place, id in enumerate(self.moves)}
        for stop in stops:
            alone = programmes[stop["molecule"]] == stopped[stop["molecule"]] == 1
            if alone and outcome[stop["programme"]] in (DROPPED, DROPPED_STRATEGIC):
                continue
            kind = stop["kind"]
            self._keep(
                Signal(
                    *(stop["molecule"], stop["keys"] or ("SHORTFALL" if kind == EXPOSURE else kind,), stop["day"]),
                    *("OWN_DATE", stop["known"], "Transition", stop["transition"]),
                    f"{stop['name']} was stopped at {stop['stage']} for {stop['reason']}",
                    stage=stop["stage"],
                )
            )

    def stage_on(self, programme: int, day: int) -> str | None:
        """Return the stage of a programme on a day."""
        past = [move["to_stage"] for move in self.moves[programme] if move["day"] <= day]
        return past[-1] if past else None

    def told(self, stop: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Return a stop with what it was about."""
        if stop["keys"]:
            return stop, "TEXT"
        shown: dict[str, None] = {}
        for one in sorted(self.signals[stop["molecule"]], key=order):
            if one.day <= stop["day"] and self.stage_on(stop["programme"], one.day) == stop["stage"]:
                shown |= {key: None for key in one.keys if ":" in key and kind_of_key(key) == stop["kind"]}
        return ({**stop, "keys": tuple(shown)}, "RECORDS") if shown else (stop, "NOT_STATED")

    def matching(self, stop: Row) -> tuple[list[Signal], str]:
        """Return the earlier records that told of a stop."""
        earlier = sorted((one for one in self.signals[stop["molecule"]] if one.day < stop["day"]), key=order)
        same = {*stop["keys"], *SAME_AS_ANY[stop["kind"]]}
        found = [one for one in earlier if same & set(one.keys)]
        if found:
            return found, "SAME"
        loose = {stop["kind"]} | ({"SHORTFALL"} if stop["kind"] == EFFICACY else set())
        any_of_kind = [
            one
            for one in earlier
            if loose & set(one.keys) or (not stop["keys"] and stop["kind"] in map(kind_of_key, one.keys))
        ]
        return any_of_kind, "KIND"

    # ------------------------------------------------------------ who was dosed

    def dosed(self, molecule: int) -> list[tuple[Row, str, list[tuple[int, int]]]]:
        """Return the studies of people of a molecule, how they are counted, and the first day of each subject."""
        found = []
        for id, study in self.studies.items():
            if molecule not in study["molecules"] or not study["people"]:
                continue
            first: dict[int, str] = {}
            for row in self.seen(study_tables.administrations):
                if row["study_id"] == id and row["subject_id"] is not None and row["sorted_on"]:
                    first[row["subject_id"]] = min(row["sorted_on"], first.get(row["subject_id"], "~"))
            starts = {
                row["id"]: row["reference_start"]
                for row in self.seen(study_tables.subjects)
                if row["study_id"] == id and row["reference_start"] is not None
            }
            began = whole_day(study["started_on"])
            dated = [
                [(day, of) for of, text in those.items() if (day := whole_day(text)) is not None]
                for those in (first, starts)
            ]
            if dated[0]:
                found.append((study, "FIRST_DOSE", dated[0]))
            elif dated[1]:
                found.append((study, "REFERENCE_START", dated[1]))
            elif study["enrolment"] is not None and began is not None:
                found.append((study, "ENROLMENT", [(began, -n) for n in range(study["enrolment"])]))
            else:
                found.append((study, "NOT_COUNTED", []))
        return found


def order(signal: Signal) -> tuple[int, int, str, int]:
    """Sort by what happened first."""
    return signal.day, signal.known, signal.node, signal.node_id


def plain_signals(reader: Reader, courses: Courses, settings: Settings) -> dict[str, Any]:
    """Return the missed signals of a review as plain values, and the molecules in each cell by organ system."""
    plain = Plain(reader, courses, settings)
    plain.gather()
    stops = plain.stops()
    plain.add_stops(stops)
    place = {id: n for n, id in enumerate(plain.moves)}
    end = [int(courses.day)] * len(place)
    for id, n in place.items():
        if courses.standing[n] == STOPPED:
            end[n] = plain.moves[id][-1]["day"]
        elif plain.outcome(n) == DROPPED_STRATEGIC:
            end[n] = int(courses.ended[n])
    signals, unseen, kinds = [], [], []
    after: dict[str, set[tuple[int, int]]] = defaultdict(set)
    uncounted: dict[str, set[int]] = defaultdict(set)
    fired: dict[str, dict[int, list[int]]] = {"could": defaultdict(list), "did": defaultdict(list)}
    for stop in stops:
        shown = {name: stop[name] for name in ("programme", "name", "transition", "reason", "kind")}
        shown |= {"stop_stage": stop["stage"], "stopped_on": day_of(stop["day"])}
        told, basis = plain.told(stop)
        matched, match = plain.matching(told)
        if not matched:
            looked = ", ".join(map(key_name, stop["keys"])) or f"any {key_name(stop['kind'])}"
            unseen.append(shown | {"looked_for": looked})
            continue
        first, known = matched[0], min(matched, key=lambda one: (one.known, *order(one)))
        same = {*told["keys"], *SAME_AS_ANY[told["kind"]]}
        about = next((key for key in first.keys if key in same), first.keys[0])
        spans = []
        both = [0, 0]
        for study, counted_by, days in plain.dosed(stop["molecule"]):
            who = [of for day, of in days if first.day < day <= stop["day"]]
            both[0] += len(who)
            both[1] += sum(known.known < day <= stop["day"] for day, _ in days)
            if who or counted_by == "NOT_COUNTED":
                spans.append({"study": study["id"], "counted_by": counted_by, "subjects": len(who)})
            for kind in ("ALL", stop["kind"]):
                after[kind] |= {(study["id"], of) for of in who}
                uncounted[kind] |= {study["id"]} if counted_by == "NOT_COUNTED" else set()
        moves = plain.moves[stop["programme"]]
        signals.append(
            shown
            | {"signal": f"{key_name(about)}: {first.label}", "about": about, "match": match, "basis": basis}
            | {"signal_stage": plain.stage_on(stop["programme"], first.day) or first.stage or moves[0]["to_stage"]}
            | {"signal_on": day_of(first.day), "dated_by": first.dated_by, "known_on": day_of(known.known)}
            | {"could_have_known_days": stop["day"] - first.day, "did_know_days": stop["day"] - known.known}
            | {"subjects_dosed_after_signal": both[0], "subjects_dosed_after_known": both[1], "dosed": spans}
            | {"records": len(matched), "node": first.node, "node_id": first.node_id, "study": first.study}
            | {"known_node": known.node, "known_node_id": known.node_id}
        )
        kinds.append(stop["kind"])
        n = place[stop["programme"]]
        if stop["day"] == end[n] and plain.outcome(n) == DROPPED:
            fired["could"][n] += [one.day for one in matched]
            fired["did"][n] += [one.known for one in matched]
    for n, id in enumerate(plain.moves):
        if plain.outcome(n) in (ADVANCED, ACTIVE):
            fired["could"][n] = [one.day for one in plain.signals[plain.molecule[id]]]
            fired["did"][n] = [one.known for one in plain.signals[plain.molecule[id]]]
    totals = [
        _total(kind, [one for one in signals if kind in ("ALL", one["kind"])], stops, after[kind], uncounted[kind])
        for kind in ("ALL", *STOPS)
    ]
    begin = [moves[0]["day"] for moves in plain.moves.values()]
    outcomes = [plain.outcome(n) for n in range(len(place))]
    return {
        "totals": totals,
        "lead_times": [_lead(clock, begin, end, outcomes, fired[clock], settings) for clock in ("could", "did")],
        "signals": signals,
        "unseen": unseen,
        "concordance": _cells(plain),
    }


def _total(
    kind: str, found: Sequence[Row], stops: Sequence[Row], after: set[tuple[int, int]], uncounted: set[int]
) -> dict[str, Any]:
    could = [one["could_have_known_days"] for one in found]
    did = [one["did_know_days"] for one in found if one["did_know_days"] > 0]
    return {
        "kind": kind,
        "stops": sum(kind in ("ALL", stop["kind"]) for stop in stops),
        "with_signal": len(found),
        "same": sum(one["match"] == "SAME" for one in found),
        "known_before_stop": len(did),
        "median_could_days": float(statistics.median(could)) if could else None,
        "median_did_days": float(statistics.median(did)) if did else None,
        "subjects_dosed_after_signal": len(after),
        "studies_not_counted": len(uncounted),
    }


def _lead(
    clock: str,
    begin: Sequence[int],
    end: Sequence[int],
    outcomes: Sequence[int],
    fired: Mapping[int, list[int]],
    settings: Settings,
) -> dict[str, Any]:
    rows = []
    for n, outcome in enumerate(outcomes):
        seen = [day for day in fired.get(n, ()) if day <= end[n]]
        if end[n] >= begin[n]:
            rows.append((begin[n], end[n], outcome, max(min(seen), begin[n]) if seen else np.nan))
    columns = np.array(rows, dtype=float).reshape(-1, 4).T
    found = lead_sums(columns[0], columns[1], columns[2].astype(int), columns[3])
    return {
        "clock": clock,
        "sensitivity": asdict(proportion(len(found.leads), found.dropped, settings.fewest)),
        "median_lead_days": found.median_lead_days,
        "mean_relative_lead": found.mean_relative_lead,
        "false_alarms": found.false_alarms,
        "others": found.others,
        "false_alarms_per_year": found.false_alarms_per_year,
        "apart": found.apart,
    }


def _cells(plain: Plain) -> dict[str, dict[str, list[int]]]:
    """Return by organ system with anything found the molecules of each cell, pair by pair."""
    found: dict[str, dict[str, list[int]]] = {}
    molecules = sorted({plain.molecule[id] for id in plain.moves})
    for system in (one.code for one in organ_systems()):
        cells: dict[str, list[int]] = defaultdict(list)
        for molecule in molecules:
            animal = plain.animals.get((molecule, system))
            person = True if (molecule, system) in plain.events else False if molecule in plain.people else None
            if animal is None:
                cell = "studied_in_none" if person is None else "not_studied_in_animals"
            elif person is None:
                cell = "not_studied_in_people"
            else:
                cell = {(1, 1): "both", (1, 0): "finding_only", (0, 1): "event_only", (0, 0): "neither"}[animal, person]
            cells[cell].append(molecule)
        with_finding = any(plain.animals.get((molecule, system)) for molecule in molecules)
        if with_finding or any((molecule, system) in plain.events for molecule in molecules):
            found[system] = dict(cells)
    return found

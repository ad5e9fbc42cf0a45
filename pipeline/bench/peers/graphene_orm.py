"""The usual way: graphene over SQLAlchemy's ORM, every list below a row loaded at once with selectinload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphene
from graphene import DateTime, Field, Int, List, NonNull, String
from sqlalchemy import Engine, Table, and_, select, tuple_
from sqlalchemy.orm import Session, foreign, joinedload, registry, relationship, remote, selectinload

from pipeline.bench.peers import graphene_leaves as leaves
from pipeline.bench.peers.graphene_leaves import PageInfo
from pipeline.bench.peers.pages import Page, day, place
from pipeline.store import study_tables, tables
from pipeline.store.nodes import unmerged

# ---------------------------------------------------------------- the classes of the ORM


class Mapped:
    """A class of the ORM, filled by `_map`."""

    def __init__(self) -> None:
        raise TypeError("records are only read here")


def _class(name: str) -> Any:
    return type(name, (Mapped,), {})


Act, Stage, Synonym, Target = _class("Act"), _class("Stage"), _class("Synonym"), _class("Target")
Molecule, Programme, Transition = _class("Molecule"), _class("Programme"), _class("Transition")
Checkpoint, Study, DoseLevel, Dose = _class("Checkpoint"), _class("Study"), _class("DoseLevel"), _class("Dose")
Subject, Record = _class("Subject"), _class("Record")
_MAPPERS = registry()


def _map(kind: Any, table: Table, columns: str, *, links: dict[str, Any] | None = None, **renamed: str) -> None:
    """Map a class to current rows of a table: only the columns that are asked for; `renamed`: attribute = column."""
    kept = {table.c[name] for name in columns.split()} | {table.c[name] for name in renamed.values()}
    key = table.c.number if table is tables.acts else table.c.id
    unwanted = [column.name for column in table.columns if column not in kept | {key}]
    properties: dict[str, Any] = {attribute: table.c[name] for attribute, name in renamed.items()}
    _MAPPERS.map_imperatively(
        kind, table, properties=properties | (links or {}), primary_key=[key], exclude_properties=unwanted
    )


def _below(kind: Any, table: Table, child: str, parent: Any, *order: str, only: Any = True) -> Any:
    """Declare the current rows below a row."""
    tied = and_(foreign(table.c[child]) == parent, table.c.until_act.is_(None), only)
    return relationship(kind, primaryjoin=tied, viewonly=True, order_by=[table.c[name] for name in (*order, "id")])


def _to(kind: Any, table: Table, *pairs: tuple[Any, str]) -> Any:
    """Declare the one current row that a row leads to."""
    tied = and_(*(foreign(own) == remote(table.c[name]) for own, name in pairs), table.c.until_act.is_(None))
    return relationship(kind, primaryjoin=tied, viewonly=True, uselist=False)


def _mapped() -> None:
    m, p, t, c = tables.molecules.c, tables.programmes.c, tables.transitions.c, tables.checkpoints
    s, taken, stages = tables.studies, tables.study_molecules, tables.stages
    records = study_tables.monitoring_records
    _map(Act, tables.acts, "number recorded_at actor")
    _map(Stage, stages, "graph_id code name ordinal")
    _map(Synonym, tables.molecule_names, "molecule_id name source")
    _map(Target, tables.molecule_targets, "molecule_id target")
    _map(Subject, study_tables.subjects, "code")
    _map(Dose, tables.doses, "dose_level_id amount unit", molecule="name")
    readable = and_(tables.doses.c.amount.is_not(None), tables.doses.c.unit.is_not(None))
    _map(
        DoseLevel,
        tables.dose_levels,
        "study_id arm ordinal label treated",
        with_dlt_at_least="with_dlt_min",
        with_dlt_at_most="with_dlt_max",
        links={"doses": _below(Dose, tables.doses, "dose_level_id", tables.dose_levels.c.id, only=readable)},
    )
    _map(
        Study,
        s,
        "code title phases registry_id status started_on enrolment",
        links={"dose_levels": _below(DoseLevel, tables.dose_levels, "study_id", s.c.id, "arm", "ordinal")},
    )
    _map(
        Checkpoint,
        c,
        "programme_id kind stage recommendation verdict statistic threshold explanation assessed_on decided_by",
    )
    act = relationship(
        Act, primaryjoin=foreign(t.since_act) == remote(tables.acts.c.number), viewonly=True, uselist=False
    )
    _map(
        Transition,
        tables.transitions,
        "programme_id graph_id from_stage to_stage kind occurred_on reason reason_verbatim checkpoint_id position "
        "since_act",
        status="to_status",
        links={
            "act": act,
            "from_": _to(Stage, stages, (t.graph_id, "graph_id"), (t.from_stage, "code")),
            "to": _to(Stage, stages, (t.graph_id, "graph_id"), (t.to_stage, "code")),
            "checkpoint": _to(Checkpoint, c, (t.checkpoint_id, "id")),
        },
    )
    _map(
        Programme,
        tables.programmes,
        "molecule_id graph_id indication disease_group biomarker status stage_since",
        stage_code="stage",
        links={
            "stage": _to(Stage, stages, (p.graph_id, "graph_id"), (p.stage, "code")),
            "molecule": _to(Molecule, tables.molecules, (p.molecule_id, "id")),
            "transitions": _below(Transition, tables.transitions, "programme_id", p.id, "position"),
            "all_checkpoints": _below(Checkpoint, c, "programme_id", p.id, "assessed_on"),
            "open_checkpoints": _below(Checkpoint, c, "programme_id", p.id, "assessed_on", only=c.c.verdict.is_(None)),
        },
    )
    _map(
        Record,
        records,
        "molecule_id study_id subject_id analyte specimen profile sampled_at sorted_on hours_after_dose nominal_time "
        "reported reported_unit concentration unit lower_limit below_limit state",
        links={"subject": _to(Subject, study_tables.subjects, (records.c.subject_id, "id"))},
    )
    given = relationship(
        Study,
        secondary=taken,
        primaryjoin=and_(taken.c.molecule_id == m.id, taken.c.until_act.is_(None)),
        secondaryjoin=and_(taken.c.study_id == s.c.id, s.c.until_act.is_(None)),
        viewonly=True,
        order_by=[s.c.code, s.c.id],
    )
    _map(
        Molecule,
        tables.molecules,
        "code name modality molar_mass",
        links={
            "synonyms": _below(Synonym, tables.molecule_names, "molecule_id", m.id),
            "all_targets": _below(Target, tables.molecule_targets, "molecule_id", m.id),
            "programmes": _below(Programme, tables.programmes, "molecule_id", m.id),
            "all_studies": given,
        },
    )


_mapped()

_MOVES = selectinload(Programme.transitions).options(
    joinedload(Transition.act),
    joinedload(Transition.from_),
    joinedload(Transition.to),
    joinedload(Transition.checkpoint),
)
_EVERYTHING = (
    selectinload(Molecule.synonyms),
    selectinload(Molecule.all_targets),
    selectinload(Molecule.programmes).options(
        joinedload(Programme.stage), _MOVES, selectinload(Programme.all_checkpoints)
    ),
    selectinload(Molecule.all_studies).selectinload(Study.dose_levels).selectinload(DoseLevel.doses),
)

# ---------------------------------------------------------------- the schema


class StageType(leaves.StageLeaves, graphene.ObjectType):
    """A stage."""


class SynonymType(leaves.SynonymLeaves, graphene.ObjectType):
    """Another name."""


class CheckpointType(leaves.CheckpointLeaves, graphene.ObjectType):
    """A checkpoint."""


class CheckpointPage(graphene.ObjectType):
    """Checkpoints."""

    nodes = List(CheckpointType)


class TransitionType(leaves.TransitionLeaves, graphene.ObjectType):
    """A transition."""

    recorded_at = String(resolver=lambda root, _info: root.act.recorded_at)
    actor = String(resolver=lambda root, _info: root.act.actor)
    from_ = Field(StageType, name="from")
    to = Field(StageType)
    checkpoint = Field(CheckpointType)


class ProgrammeType(leaves.ProgrammeLeaves, graphene.ObjectType):
    """A programme."""

    stage = Field(StageType)
    molecule = Field(lambda: MoleculeType)
    transitions = List(TransitionType)
    checkpoints = Field(CheckpointPage, first=Int(), open=graphene.Boolean())

    @staticmethod
    def resolve_checkpoints(root: Any, _info: Any, first: int, open: bool | None = None) -> Any:
        """Cut the page out of what was loaded."""
        rows = root.open_checkpoints if open else root.all_checkpoints
        return Page(rows, first, None, lambda row: [row.assessed_on, row.id])


class DoseType(leaves.DoseLeaves, graphene.ObjectType):
    """A dose."""


class DoseLevelType(leaves.DoseLevelLeaves, graphene.ObjectType):
    """A dose level."""

    doses = List(DoseType)


class SubjectType(leaves.SubjectLeaves, graphene.ObjectType):
    """A subject."""


class RecordType(leaves.RecordLeaves, graphene.ObjectType):
    """A concentration."""

    class Meta:
        name = "MonitoringRecord"

    subject = Field(SubjectType)


class RecordPage(graphene.ObjectType):
    """Concentrations."""

    nodes = List(RecordType)
    page_info = Field(PageInfo)


class StudyType(leaves.StudyLeaves, graphene.ObjectType):
    """A study."""

    dose_levels = List(DoseLevelType)
    monitoring = Field(
        RecordPage,
        first=Int(),
        after=String(),
        analyte=String(),
        sampled_from=DateTime(),
        sampled_to=DateTime(),
    )

    @staticmethod
    def resolve_monitoring(root: Any, info: Any, **wanted: Any) -> Any:
        """Read a page of concentrations."""
        until = day(wanted["sampled_to"]) + "T00:00:00~"
        conditions = [
            Record.study_id == root.id,
            Record.analyte == wanted["analyte"],
            Record.sorted_on >= day(wanted["sampled_from"]),
            and_(Record.sorted_on > "", Record.sorted_on <= until),
        ]
        return _records(info.context, conditions, wanted["first"], wanted.get("after"))


class StudyPage(graphene.ObjectType):
    """Studies."""

    nodes = List(StudyType)


class MoleculeType(leaves.MoleculeLeaves, graphene.ObjectType):
    """A molecule."""

    class Meta:
        name = "Molecule"

    targets = List(String)
    synonyms = List(SynonymType)
    programmes = List(ProgrammeType)
    studies = Field(StudyPage, first=Int())
    monitoring = Field(RecordPage, first=Int())

    @staticmethod
    def resolve_targets(root: Any, _info: Any) -> list[str]:
        """Name each once."""
        return list(dict.fromkeys(target.target for target in root.all_targets))

    @staticmethod
    def resolve_studies(root: Any, _info: Any, first: int) -> Any:
        """Cut the page out of what was loaded."""
        return Page(root.all_studies, first, None, lambda row: [row.code, row.id])

    @staticmethod
    def resolve_monitoring(root: Any, info: Any, first: int) -> Any:
        """Read a page of concentrations: no loading option of the ORM knows pages."""
        return _records(info.context, [Record.molecule_id == root.id], first, None)


class MoleculeEdge(graphene.ObjectType):
    """A molecule in a list."""

    node = Field(MoleculeType)
    cursor = String()


class MoleculePage(graphene.ObjectType):
    """Molecules."""

    edges = List(MoleculeEdge)
    page_info = Field(PageInfo)


class ProgrammePage(graphene.ObjectType):
    """Programmes."""

    nodes = List(ProgrammeType)
    page_info = Field(PageInfo)


def _records(session: Session, conditions: list[Any], first: int, after: str | None) -> Page:
    past = place(after, 2)
    if past is not None:
        conditions = [*conditions, tuple_(Record.sorted_on, Record.id) > past]
    statement = (
        select(Record)
        .where(*conditions, study_tables.monitoring_records.c.until_act.is_(None))
        .order_by(Record.sorted_on, Record.id)
        .limit(first + 1)
        .options(joinedload(Record.subject))
    )
    return Page(session.scalars(statement).all(), first, after, lambda row: [row.sorted_on, row.id])


class Query(graphene.ObjectType):
    """What the five documents ask."""

    molecule = Field(MoleculeType, code=String())
    molecules_by_code = List(MoleculeType, codes=NonNull(List(NonNull(String))))
    programmes = Field(ProgrammePage, first=Int(), after=String())
    study = Field(StudyType, code=String())
    molecules = Field(MoleculePage, first=Int(), after=String())

    @staticmethod
    def resolve_molecule(_root: Any, info: Any, code: str) -> Any:
        """Read one with everything below it."""
        statement = select(Molecule).where(Molecule.code == code, *_KEPT).options(*_EVERYTHING)
        return info.context.scalars(statement).one_or_none()

    @staticmethod
    def resolve_molecules_by_code(_root: Any, info: Any, codes: list[str]) -> list[Any]:
        """Read several with everything below them."""
        statement = select(Molecule).where(Molecule.code.in_(codes), *_KEPT).options(*_EVERYTHING)
        found = {row.code: row for row in info.context.scalars(statement)}
        return [found.get(code) for code in codes]

    @staticmethod
    def resolve_programmes(_root: Any, info: Any, first: int, after: str | None = None) -> Page:
        """Read a page of programmes."""
        past = place(after, 1)
        statement = (
            select(Programme)
            .where(tables.programmes.c.until_act.is_(None), Programme.id > (past[0] if past else 0))
            .order_by(Programme.id)
            .limit(first + 1)
            .options(
                joinedload(Programme.stage),
                joinedload(Programme.molecule),
                selectinload(Programme.transitions).joinedload(Transition.to),
                selectinload(Programme.open_checkpoints),
            )
        )
        return Page(info.context.scalars(statement).all(), first, after, lambda row: [row.id])

    @staticmethod
    def resolve_study(_root: Any, info: Any, code: str) -> Any:
        """Read a study."""
        statement = select(Study).where(Study.code == code, tables.studies.c.until_act.is_(None))
        return info.context.scalars(statement).one_or_none()

    @staticmethod
    def resolve_molecules(_root: Any, info: Any, first: int, after: str | None = None) -> Page:
        """Read a page of molecules."""
        past = place(after, 2)
        statement = select(Molecule).where(*_KEPT).order_by(Molecule.code, Molecule.id).limit(first + 1)
        if past is not None:
            statement = statement.where(tuple_(Molecule.code, Molecule.id) > past)
        return Page(info.context.scalars(statement).all(), first, after, lambda row: [row.code, row.id])


_KEPT = (tables.molecules.c.until_act.is_(None), unmerged(tables.molecules))
SCHEMA = graphene.Schema(query=Query)
Answering = Callable[[str, str, dict[str, Any]], Any]


def answering(engine: Engine) -> Answering:
    """Return what answers a document with variables; graphene parses and validates it each time."""

    def answer(document: str, name: str, variables: dict[str, Any]) -> Any:
        with Session(engine) as session:
            return SCHEMA.execute(document, context=session, variables=variables, operation_name=name)

    return answer

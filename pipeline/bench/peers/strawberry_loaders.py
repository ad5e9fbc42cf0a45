# ruff: noqa: N805 - Strawberry hands a row to a resolver under the name root
"""Strawberry with data loaders: its types, its loaders, its parser and validation caches."""

# No postponed annotations: Strawberry reads its types from them.
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import orjson
import strawberry
from sqlalchemy import Connection, Engine
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.types import Info

from pipeline.bench.peers.batches import BATCHES, Batch
from pipeline.bench.peers.loops import loop_of_thread
from pipeline.bench.peers.pages import prefix_of


class Loaders:
    """The loaders of one request, made when they are first asked for."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.made: dict[str, DataLoader[Any, Any]] = {}

    def load(self, name: str, key: Any) -> Any:
        """Return a future of what stands under a key."""
        loader = self.made.get(name)
        if loader is None:
            loader = self.made[name] = DataLoader(load_fn=partial(_read, self.connection, BATCHES[name]))
        return loader.load(key)


async def _read(connection: Connection, batch: Batch, keys: list[Any]) -> list[Any]:
    return batch(connection, keys)


def _id(node: str) -> Any:
    prefix = prefix_of(node)

    def resolve(root: Any) -> strawberry.ID:
        return strawberry.ID(f"{prefix}{root.id}")

    return strawberry.field(resolver=resolve)


def _one(name: str, key: str, kind: Any) -> Any:
    """Declare a link that is loaded by an attribute of the row."""

    def resolve(root: Any, info: Info) -> Any:
        found = getattr(root, key)
        return None if found is None else info.context.load(name, found)

    return strawberry.field(resolver=resolve, graphql_type=kind)


def _stage_by(code: str, name: str | None = None) -> Any:
    def resolve(root: Any, info: Info) -> Any:
        found = getattr(root, code)
        return None if found is None else info.context.load("stage", (root.graph_id, found))

    return strawberry.field(resolver=resolve, graphql_type=Stage | None, name=name)


@strawberry.type
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool
    has_previous_page: bool
    end_cursor: str | None


@strawberry.type
class Stage:
    """A stage."""

    code: str
    name: str
    ordinal: int


@strawberry.type
class Synonym:
    """Another name."""

    name: str
    source: str


@strawberry.type
class Checkpoint:
    """A checkpoint."""

    id: strawberry.ID = _id("Checkpoint")
    kind: str
    stage: str
    recommendation: str
    verdict: str | None
    statistic: float | None
    threshold: float | None
    explanation: str
    assessed_on: str
    decided_by: str | None


@strawberry.type
class CheckpointPage:
    """Checkpoints."""

    nodes: list[Checkpoint]


@strawberry.type
class Transition:
    """A transition."""

    id: strawberry.ID = _id("Transition")
    kind: str
    status: str
    occurred_on: str
    reason: str | None
    reason_verbatim: str | None
    recorded_at: str
    actor: str
    from_: Stage | None = _stage_by("from_stage", "from")
    to: Stage | None = _stage_by("to_stage")
    checkpoint: Checkpoint | None = _one("checkpoint", "checkpoint_id", Checkpoint | None)


@strawberry.type
class Programme:
    """A programme."""

    id: strawberry.ID = _id("Programme")
    indication: str | None
    disease_group: str | None
    biomarker: str | None
    status: str
    stage_since: str
    stage: Stage | None = _stage_by("stage_code")
    transitions: list[Transition] = _one("transitions", "id", list[Transition])

    @strawberry.field
    def molecule(root: Any, info: Info) -> Annotated["Molecule", strawberry.lazy(__name__)]:
        """Load it."""
        return info.context.load("molecule", root.molecule_id)  # type: ignore[no-any-return]

    @strawberry.field
    def checkpoints(root: Any, info: Info, first: int, open: bool | None = None) -> CheckpointPage:
        """Load a page."""
        return info.context.load("open_checkpoints" if open else "checkpoints", (root.id, first))  # type: ignore[no-any-return]


@strawberry.type
class Dose:
    """A dose."""

    molecule: str
    amount: float
    unit: str


@strawberry.type
class DoseLevel:
    """A dose level."""

    arm: str | None
    ordinal: int
    label: str
    treated: int | None
    with_dlt_at_least: int | None
    with_dlt_at_most: int | None
    doses: list[Dose] = _one("doses", "id", list[Dose])


@strawberry.type
class Subject:
    """A subject."""

    id: strawberry.ID = _id("Subject")
    code: str | None


@strawberry.type
class MonitoringRecord:
    """A concentration."""

    id: strawberry.ID = _id("MonitoringRecord")
    analyte: str
    specimen: str
    profile: str | None
    sampled_at: str | None
    hours_after_dose: float | None
    nominal_time: str | None
    reported: str | None
    reported_unit: str | None
    concentration: float | None
    unit: str | None
    lower_limit: float | None
    below_limit: bool
    state: str
    subject: Subject | None = _one("subject", "subject_id", Subject | None)


@strawberry.type
class RecordPage:
    """Concentrations."""

    nodes: list[MonitoringRecord]
    page_info: PageInfo


@strawberry.type
class Study:
    """A study."""

    id: strawberry.ID = _id("Study")
    code: str
    title: str
    registry_id: str | None
    status: str
    started_on: str | None
    enrolment: int | None
    dose_levels: list[DoseLevel] = _one("dose_levels", "id", list[DoseLevel])

    @strawberry.field
    def phases(root: Any) -> list[str]:
        """Read them."""
        return orjson.loads(root.phases)  # type: ignore[no-any-return]

    @strawberry.field
    def monitoring(
        root: Any,
        info: Info,
        first: int,
        analyte: str,
        sampled_from: datetime,
        sampled_to: datetime,
        after: str | None = None,
    ) -> RecordPage:
        """Load a page."""
        key = (root.id, analyte, sampled_from, sampled_to, first, after)
        return info.context.load("records_of_study", key)  # type: ignore[no-any-return]


@strawberry.type
class StudyPage:
    """Studies."""

    nodes: list[Study]


@strawberry.type
class Molecule:
    """A molecule."""

    id: strawberry.ID = _id("Molecule")
    code: str
    name: str
    modality: str
    molar_mass: float | None
    targets: list[str] = _one("targets", "id", list[str])
    synonyms: list[Synonym] = _one("synonyms", "id", list[Synonym])
    programmes: list[Programme] = _one("programmes", "id", list[Programme])

    @strawberry.field
    def studies(root: Any, info: Info, first: int) -> StudyPage:
        """Load a page."""
        return info.context.load("studies", (root.id, first))  # type: ignore[no-any-return]

    @strawberry.field
    def monitoring(root: Any, info: Info, first: int) -> RecordPage:
        """Load a page."""
        return info.context.load("records", (root.id, first))  # type: ignore[no-any-return]


@strawberry.type
class MoleculeEdge:
    """A molecule in a list."""

    node: Molecule
    cursor: str


@strawberry.type
class MoleculePage:
    """Molecules."""

    edges: list[MoleculeEdge]
    page_info: PageInfo


@strawberry.type
class ProgrammePage:
    """Programmes."""

    nodes: list[Programme]
    page_info: PageInfo


@strawberry.type
class Query:
    """What the five documents ask."""

    @strawberry.field
    def molecule(self, info: Info, code: str) -> Molecule | None:
        """Load one."""
        return info.context.load("molecule_by_code", code)  # type: ignore[no-any-return]

    @strawberry.field
    def molecules_by_code(self, info: Info, codes: list[str]) -> list[Molecule | None]:
        """Load several."""
        return [info.context.load("molecule_by_code", code) for code in codes]

    @strawberry.field
    def programmes(self, info: Info, first: int, after: str | None = None) -> ProgrammePage:
        """Load a page."""
        return info.context.load("programme_page", (first, after))  # type: ignore[no-any-return]

    @strawberry.field
    def study(self, info: Info, code: str) -> Study | None:
        """Load one."""
        return info.context.load("study_by_code", code)  # type: ignore[no-any-return]

    @strawberry.field
    def molecules(self, info: Info, first: int, after: str | None = None) -> MoleculePage:
        """Load a page."""
        return info.context.load("molecule_page", (first, after))  # type: ignore[no-any-return]


SCHEMA = strawberry.Schema(query=Query, extensions=[ParserCache, ValidationCache])


def answering(engine: Engine) -> Callable[[str, str, dict[str, Any]], Any]:
    """Return what answers a document with variables, in the thread it is called in."""

    def answer(document: str, name: str, variables: dict[str, Any]) -> Any:
        with engine.connect() as connection:
            asked = SCHEMA.execute(document, variables, Loaders(connection), operation_name=name)
            return loop_of_thread().run_until_complete(asked)

    return answer

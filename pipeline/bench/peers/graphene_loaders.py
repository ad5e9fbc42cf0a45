"""graphene with data loaders: every link waits for its loader, which reads for all parents of a level at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphene
from aiodataloader import DataLoader
from graphene import DateTime, Field, Int, List, NonNull, String
from sqlalchemy import Connection, Engine

from pipeline.bench.peers import graphene_leaves as leaves
from pipeline.bench.peers.batches import BATCHES, Batch
from pipeline.bench.peers.graphene_leaves import PageInfo
from pipeline.bench.peers.loops import loop_of_thread


class _Loader(DataLoader[Any, Any]):
    def __init__(self, connection: Connection, batch: Batch) -> None:
        super().__init__()
        self.connection, self.batch = connection, batch

    async def batch_load_fn(self, keys: list[Any]) -> list[Any]:
        """Read for all keys; the request has its thread to itself, so nobody waits for this."""
        return self.batch(self.connection, keys)


class Loaders:
    """The loaders of one request, made when they are first asked for."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.made: dict[str, _Loader] = {}

    def load(self, name: str, key: Any) -> Any:
        """Return a future of what stands under a key."""
        loader = self.made.get(name)
        if loader is None:
            loader = self.made[name] = _Loader(self.connection, BATCHES[name])
        return loader.load(key)


def _by(name: str, key: str = "id") -> Callable[..., Any]:
    """Return a resolver that loads by an attribute of the row."""

    def resolve(root: Any, info: Any) -> Any:
        found = getattr(root, key)
        return None if found is None else info.context.load(name, found)

    return resolve


def _stage_by(code: str) -> Callable[..., Any]:
    def resolve(root: Any, info: Any) -> Any:
        found = getattr(root, code)
        return None if found is None else info.context.load("stage", (root.graph_id, found))

    return resolve


class Stage(leaves.StageLeaves, graphene.ObjectType):
    """A stage."""


class Synonym(leaves.SynonymLeaves, graphene.ObjectType):
    """Another name."""


class Checkpoint(leaves.CheckpointLeaves, graphene.ObjectType):
    """A checkpoint."""


class CheckpointPage(graphene.ObjectType):
    """Checkpoints."""

    nodes = List(Checkpoint)


class Transition(leaves.TransitionLeaves, graphene.ObjectType):
    """A transition."""

    recorded_at = String()
    actor = String()
    from_ = Field(Stage, name="from", resolver=_stage_by("from_stage"))
    to = Field(Stage, resolver=_stage_by("to_stage"))
    checkpoint = Field(Checkpoint, resolver=_by("checkpoint", "checkpoint_id"))


class Programme(leaves.ProgrammeLeaves, graphene.ObjectType):
    """A programme."""

    stage = Field(Stage, resolver=_stage_by("stage_code"))
    molecule = Field(lambda: Molecule, resolver=_by("molecule", "molecule_id"))
    transitions = List(Transition, resolver=_by("transitions"))
    checkpoints = Field(CheckpointPage, first=Int(), open=graphene.Boolean())

    @staticmethod
    def resolve_checkpoints(root: Any, info: Any, first: int, open: bool | None = None) -> Any:
        """Load a page."""
        return info.context.load("open_checkpoints" if open else "checkpoints", (root.id, first))


class Dose(leaves.DoseLeaves, graphene.ObjectType):
    """A dose."""


class DoseLevel(leaves.DoseLevelLeaves, graphene.ObjectType):
    """A dose level."""

    doses = List(Dose, resolver=_by("doses"))


class Subject(leaves.SubjectLeaves, graphene.ObjectType):
    """A subject."""


class MonitoringRecord(leaves.RecordLeaves, graphene.ObjectType):
    """A concentration."""

    subject = Field(Subject, resolver=_by("subject", "subject_id"))


class RecordPage(graphene.ObjectType):
    """Concentrations."""

    nodes = List(MonitoringRecord)
    page_info = Field(PageInfo)


class Study(leaves.StudyLeaves, graphene.ObjectType):
    """A study."""

    dose_levels = List(DoseLevel, resolver=_by("dose_levels"))
    monitoring = Field(
        RecordPage, first=Int(), after=String(), analyte=String(), sampled_from=DateTime(), sampled_to=DateTime()
    )

    @staticmethod
    def resolve_monitoring(root: Any, info: Any, **wanted: Any) -> Any:
        """Load a page."""
        since, until = wanted["sampled_from"], wanted["sampled_to"]
        key = (root.id, wanted["analyte"], since, until, wanted["first"], wanted.get("after"))
        return info.context.load("records_of_study", key)


class StudyPage(graphene.ObjectType):
    """Studies."""

    nodes = List(Study)


class Molecule(leaves.MoleculeLeaves, graphene.ObjectType):
    """A molecule."""

    targets = List(String, resolver=_by("targets"))
    synonyms = List(Synonym, resolver=_by("synonyms"))
    programmes = List(Programme, resolver=_by("programmes"))
    studies = Field(StudyPage, first=Int())
    monitoring = Field(RecordPage, first=Int())

    @staticmethod
    def resolve_studies(root: Any, info: Any, first: int) -> Any:
        """Load a page."""
        return info.context.load("studies", (root.id, first))

    @staticmethod
    def resolve_monitoring(root: Any, info: Any, first: int) -> Any:
        """Load a page."""
        return info.context.load("records", (root.id, first))


class MoleculeEdge(graphene.ObjectType):
    """A molecule in a list."""

    node = Field(Molecule)
    cursor = String()


class MoleculePage(graphene.ObjectType):
    """Molecules."""

    edges = List(MoleculeEdge)
    page_info = Field(PageInfo)


class ProgrammePage(graphene.ObjectType):
    """Programmes."""

    nodes = List(Programme)
    page_info = Field(PageInfo)


class Query(graphene.ObjectType):
    """What the five documents ask."""

    molecule = Field(Molecule, code=String())
    molecules_by_code = List(Molecule, codes=NonNull(List(NonNull(String))))
    programmes = Field(ProgrammePage, first=Int(), after=String())
    study = Field(Study, code=String())
    molecules = Field(MoleculePage, first=Int(), after=String())

    @staticmethod
    def resolve_molecule(_root: Any, info: Any, code: str) -> Any:
        """Load one."""
        return info.context.load("molecule_by_code", code)

    @staticmethod
    def resolve_molecules_by_code(_root: Any, info: Any, codes: list[str]) -> Any:
        """Load several."""
        return [info.context.load("molecule_by_code", code) for code in codes]

    @staticmethod
    def resolve_programmes(_root: Any, info: Any, first: int, after: str | None = None) -> Any:
        """Load a page."""
        return info.context.load("programme_page", (first, after))

    @staticmethod
    def resolve_study(_root: Any, info: Any, code: str) -> Any:
        """Load one."""
        return info.context.load("study_by_code", code)

    @staticmethod
    def resolve_molecules(_root: Any, info: Any, first: int, after: str | None = None) -> Any:
        """Load a page."""
        return info.context.load("molecule_page", (first, after))


SCHEMA = graphene.Schema(query=Query)


def answering(engine: Engine) -> Callable[[str, str, dict[str, Any]], Any]:
    """Return what answers a document with variables, in the thread it is called in."""

    def answer(document: str, name: str, variables: dict[str, Any]) -> Any:
        with engine.connect() as connection:
            asked = SCHEMA.execute_async(
                document, context=Loaders(connection), variables=variables, operation_name=name
            )
            return loop_of_thread().run_until_complete(asked)

    return answer

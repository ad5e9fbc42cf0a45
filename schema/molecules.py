"""Molecules and what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene
from sqlalchemy import Select, select

from pipeline.store import standing, tables
from pipeline.store.nodes import among, seen, source_of, visible
from pipeline.store.plans import Twin
from pipeline.store.reader import Reader
from pipeline.store.selection import Alike, Selection, Through
from pipeline.words import Status
from schema.alerts import alerts_field
from schema.conditions import matching, one_of
from schema.events import EventConnection
from schema.exposures import attainment_field, first_doses_field, margin_doubts_field, margins_field
from schema.facts import MoleculeFact
from schema.monitoring import STUDY_ARGUMENT, SUBJECT_ARGUMENT, monitoring_field
from schema.monitoring_settings import exposure_limits_field, toxicity_bases_field
from schema.node import Node, connection, is_node, node_id
from schema.programmes import Programme, checkpoints_field
from schema.reading import column, computed, connected, many
from schema.stages import Stage, stage_row
from schema.studies import StudyConnection
from schema.versions import versions_field
from schema.words import EventKind, Modality


class Synonym(graphene.ObjectType):
    """Another name of a molecule."""

    name = column(graphene.String, "name", required=True, description="The name as the source spells it.")
    source = column(graphene.String, "source", required=True, description="Who calls it so.")


class ExternalId(graphene.ObjectType):
    """A public identifier."""

    scheme = column(graphene.String, "scheme", required=True, description="CHEMBL, INN, NCIT, PUBCHEM, UNII.")
    value = column(graphene.String, "value", required=True, description="The identifier in that scheme.")
    source = column(graphene.String, "source", required=True, description="Who gave it.")


def _depictions(_reader: Reader, rows: Sequence[Mapping[str, Any]], arguments: Mapping[str, Any], *_: Any) -> list[Any]:
    from pipeline.molecules.drawing import depict

    width, height = arguments["width"], arguments["height"]
    return [None if row["smiles"] is None else depict(row["smiles"], width, height) for row in rows]


def _programme_stages(reader: Reader, ids: list[int]) -> Select[Any]:
    source = source_of("Programme", reader.view)
    return (
        select(source.c.molecule_id, source.c.graph_id, source.c.stage, source.c.stage_ordinal, source.c.status)
        .where(*seen("Programme", source, reader.view), source.c.molecule_id.in_(ids))
        .order_by(source.c.id)
    )


def _furthest(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[dict[str, Any]]:
    """Furthest of the programmes; without programmes what the studies show; else where every molecule begins."""
    ids = [row["id"] for row in rows]
    best: dict[int, tuple[int, Any]] = {}
    for row in reader.connection.execute(_programme_stages(reader, ids)):
        stage = reader.graph(row.graph_id).stage(row.stage)
        best[row.molecule_id] = max(best.get(row.molecule_id, (-1, None)), (stage.ordinal, stage), key=lambda p: p[0])
    without = [id for id in ids if id not in best]
    graph = reader.graphs.in_force(reader.connection)[1]
    if without:
        taken, studies = tables.study_molecules, tables.studies
        statement = (
            select(taken.c.molecule_id, studies.c.phases)
            .join(studies, studies.c.id == taken.c.study_id)
            .where(visible(taken, reader.view), visible(studies, reader.view), taken.c.molecule_id.in_(without))
            .distinct()
        )
        for shown in reader.connection.execute(statement):
            molecule_id, phases = shown
            for stage in graph.stages:
                if f'"{stage.code}"' in phases:
                    known = best.get(molecule_id, (-1, None))
                    best[molecule_id] = max(known, (stage.ordinal, stage), key=lambda p: p[0])
    return [stage_row(best[id][1] if id in best else graph.initial) for id in ids]


def _active(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[dict[str, Any] | None]:
    ids = [row["id"] for row in rows]
    best: dict[int, tuple[int, Any]] = {}
    for row in reader.connection.execute(_programme_stages(reader, ids)):
        if row.status in (Status.ACTIVE, Status.ON_HOLD):
            stage = reader.graph(row.graph_id).stage(row.stage)
            known = best.get(row.molecule_id, (-1, None))
            best[row.molecule_id] = max(known, (stage.ordinal, stage), key=lambda p: p[0])
    return [stage_row(best[id][1]) if id in best else None for id in ids]


def _targets(reader: Reader, rows: Sequence[Mapping[str, Any]], *_: Any) -> list[list[str]]:
    table = tables.molecule_targets
    ids = [row["id"] for row in rows]
    statement = select(table.c.molecule_id, table.c.target).where(
        visible(table, reader.view), table.c.molecule_id.in_(ids)
    )
    found: dict[int, list[str]] = {id: [] for id in ids}
    for molecule_id, target in reader.connection.execute(statement.order_by(table.c.id)):
        if target not in found[molecule_id]:
            found[molecule_id].append(target)
    return [found[id] for id in ids]


def history_field(child: str, of: str) -> Any:
    """Declare the history of a molecule or programme."""
    return connected(
        EventConnection,
        "Event",
        child=child,
        order=("sorted_on",),
        where=matching(kinds=one_of("kind")),
        backwards=True,
        kinds=graphene.List(graphene.NonNull(EventKind), description="Only events of these kinds."),
        description=f"All that happened to the {of}, oldest first, at any level below it.",
    )


@is_node
class Molecule(graphene.ObjectType):
    """A chemical or biological entity under development. It may be developed for several indications."""

    class Meta:
        interfaces = (Node,)

    id = node_id("Molecule")
    code = column(
        graphene.String, "code", required=True, description="The centre's own code, unique, for example IUCT-0042."
    )
    name = column(graphene.String, "name", required=True, description="Its name.")
    modality = column(Modality, "modality", required=True, description="What kind of entity it is.")
    synonyms = many(Synonym, "Synonym", child="molecule_id", description="Other names, each with its source.")
    external_ids = many(
        ExternalId, "ExternalId", child="molecule_id", description="Public identifiers: CHEMBL, INN, NCIT, UNII."
    )
    smiles = column(graphene.String, "smiles", description="The structure as it was given.")
    canonical_smiles = column(graphene.String, "canonical_smiles", description="The structure in canonical form.")
    inchi_key = column(graphene.String, "inchi_key", description="InChIKey of the structure.")
    parent_smiles = column(graphene.String, "parent_smiles", description="The structure without salts and solvents.")
    parent_inchi_key = column(graphene.String, "parent_inchi_key", description="InChIKey of the parent.")
    formula = column(graphene.String, "formula", description="Molecular formula, Hill order.")
    molar_mass = column(
        graphene.Float,
        "molar_mass",
        description="g/mol of the structure as given; needed to convert mass and molar concentrations.",
    )
    depiction = computed(
        graphene.String,
        _depictions,
        needs=("smiles",),
        description="SVG drawing of the structure, null where there is none.",
        width=graphene.Int(default_value=320, description="Width in pixels, 50 to 2000."),
        height=graphene.Int(default_value=240, description="Height in pixels, 50 to 2000."),
    )
    targets = computed(
        graphene.List(graphene.NonNull(graphene.String)),
        _targets,
        needs=("id",),
        twin=Twin(standing.targets, many=True, scalar=True),
        required=True,
        description="What it acts on.",
    )
    furthest_stage = computed(
        Stage,
        _furthest,
        needs=("id",),
        twin=Twin(standing.furthest_stage, many=False, rest=True),
        required=True,
        description=(
            "The furthest stage any programme has reached, whatever its status; "
            "of a molecule without programmes, the furthest its studies show."
        ),
    )
    active_stage = computed(
        Stage,
        _active,
        needs=("id",),
        twin=Twin(standing.active_stage, many=False),
        description="The furthest stage of a programme that is ACTIVE or ON_HOLD; null when all are over.",
    )
    programmes = many(Programme, "Programme", child="molecule_id", description="One for each indication.")
    studies = connected(
        StudyConnection,
        "Study",
        child="id",
        order=("code",),
        through=Through("study_molecules", near="molecule_id", far="study_id"),
        description="Studies it is given in.",
    )
    monitoring = monitoring_field("molecule_id", "of the molecule", subject=SUBJECT_ARGUMENT, study=STUDY_ARGUMENT)
    exposure_margins = margins_field()
    exposure_margin_doubts = margin_doubts_field()
    first_doses = first_doses_field()
    target_attainment = attainment_field()
    exposure_limits = exposure_limits_field()
    toxicity_bases = toxicity_bases_field()
    facts = many(
        MoleculeFact, "MoleculeFact", child="molecule_id", description="Figures its safety margins are computed from."
    )
    alerts = alerts_field("molecule_id", "molecule")
    history = history_field("molecule_id", "molecule")
    checkpoints = checkpoints_field(child="programme_id", through=Through("programmes", near="molecule_id", far="id"))
    version = column(graphene.Int, "version", required=True, description="Send back as expectedVersion when writing.")
    versions = versions_field("Molecule")


MoleculeConnection = connection(Molecule)


def molecule_rows(reader: Reader, selection: Selection, ids: Sequence[int], *, whole: bool = False) -> dict[int, Any]:
    """Return molecules by id; `whole` as a Reader has it."""
    source = source_of("Molecule", reader.view)
    wanted = sorted(set(ids))
    alike = Alike("id", wanted, lambda: [among(source.c.id, wanted)])
    return reader.keyed(selection, alike, source=source, whole=whole)

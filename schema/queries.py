"""The root fields a reader asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

import graphene
from graphql import GraphQLResolveInfo
from sqlalchemy import func, or_, select

from pipeline.access import Permission
from pipeline.dates import instant
from pipeline.errors import InputError, NotFound
from pipeline.names import canonical_key
from pipeline.store import tables
from pipeline.store.filters import PortfolioFilter as Wanted
from pipeline.store.filters import molecule_conditions, programme_conditions
from pipeline.store.nodes import NODES, among, seen, source_of, unmerged, visible
from pipeline.store.reader import Reader, moment
from pipeline.store.selection import Alike, Asked, Link, Selection, Shape
from schema import structures
from schema.alerts import ALERTS_MATCHING, AlertConnection, AlertKind
from schema.attrition import AttritionReview, CountingRule, Rule, review_row
from schema.calculate import Calculate, resolve_calculate
from schema.conditions import can_be_kept, equal
from schema.context import Request
from schema.key_figures import KeyFigureQueries
from schema.mappings import MappingQueries
from schema.molecules import Molecule, MoleculeConnection, molecule_rows
from schema.node import Node, id_of, read_id
from schema.programmes import ProgrammeConnection
from schema.reading import BACKWARD, FORWARD
from schema.reasons import ReasonQueries
from schema.reviews import ReviewItemConnection, ReviewStatus
from schema.rule_replay import PARAMETERS, RuleReplay, replay_row
from schema.scalars import Date, DateTime
from schema.selection import asked_of, by_type, records_below, selection_of
from schema.stages import CheckpointRule, Site, StateGraph
from schema.studies import Study
from schema.words import CheckpointKind, Modality, ProgrammeStatus, enum_of

_MOST_CODES = 500


def _moments() -> dict[str, Any]:
    return {
        "as_of": DateTime(description="What was true then, in everything below."),
        "known_at": DateTime(description="What was recorded by then, in everything below."),
    }


class PortfolioFilter(graphene.InputObjectType):
    """Which programmes are meant: within a list any, between fields all."""

    modality = graphene.List(graphene.NonNull(Modality), description="Any of these modalities.")
    disease_group = graphene.List(graphene.NonNull(graphene.String), description="Any of these disease groups.")
    biomarker_selected = graphene.Boolean(description="Only with, or only without, selection by a biomarker.")
    entered_from = Date(description="Entered the present stage on this day or later.")
    entered_to = Date(description="Entered the present stage on this day or earlier.")
    stage = graphene.List(graphene.NonNull(graphene.String), description="At any of these stages, by code.")
    status = graphene.List(graphene.NonNull(ProgrammeStatus), description="In any of these statuses.")
    target = graphene.String(description="Acting on this target.")
    text = graphene.String(description="Code, name, synonym or external id holds this text.")
    site = graphene.List(graphene.NonNull(graphene.String), description="Routed to any of these sites, by code.")


class _Order(Enum):
    CODE = "CODE"
    NAME = "NAME"
    STAGE = "STAGE"
    REGISTERED = "REGISTERED"
    UPDATED = "UPDATED"


MoleculeOrder = enum_of(
    _Order,
    "MoleculeOrder",
    "What a list of molecules is ordered by.",
    {
        "CODE": "The centre's code.",
        "NAME": "The name.",
        "STAGE": "The furthest stage of its programmes.",
        "REGISTERED": "When it was registered.",
        "UPDATED": "When its record changed last.",
    },
)
_ORDER_COLUMNS = {
    _Order.CODE: ("code",),
    _Order.NAME: ("name",),
    _Order.STAGE: ("furthest",),
    _Order.REGISTERED: (),
    _Order.UPDATED: ("since_act",),
}

StructureMatch = enum_of(
    structures.StructureMatch,
    "StructureMatch",
    "How structures are compared.",
    {
        "EXACT": "The same parent structure, salts apart.",
        "SUBSTRUCTURE": "Holds the structure asked for.",
        "SIMILARITY": "Alike by Tanimoto on Morgan fingerprints.",
    },
)


_SUBSTRUCTURE = structures.StructureMatch.SUBSTRUCTURE


class StructureHit(graphene.ObjectType):
    """similarity: Tanimoto on Morgan fingerprints, radius 2, 2048 bits."""

    molecule = graphene.Field(Molecule, required=True, description="The molecule found.")
    similarity = graphene.Float(description="0 to 1; null where structures were not compared by similarity.")


class Viewer(graphene.ObjectType):
    """Who is reading."""

    name = graphene.String(required=True, description="The name every act is signed with.")
    roles = graphene.List(graphene.NonNull(graphene.String), required=True, description="The roles held.")
    permissions = graphene.List(graphene.NonNull(graphene.String), required=True, description="What they allow.")


def _reader(info: GraphQLResolveInfo, arguments: Mapping[str, Any]) -> Reader:
    """Return the reader of this request, at the moments asked for."""
    request: Request = info.context
    as_of: datetime | None = arguments.get("as_of")
    known_at: datetime | None = arguments.get("known_at")
    if as_of is None and known_at is None:
        return request.reader
    view = moment(
        request.reader.connection,
        None if as_of is None else instant(as_of),
        None if known_at is None else instant(known_at),
    )
    return request.reader.at(view)


def _connection(node: str, arguments: Mapping[str, Any], info: GraphQLResolveInfo) -> tuple[Selection, Asked]:
    asked = asked_of(info, Link(node, Shape.CONNECTION, (), ()), arguments)
    return asked.below[node], asked


def wanted_of(reader: Reader, given: Mapping[str, Any] | None) -> Wanted:
    """Return the portfolio filter in the store's words; refuse stages and sites no graph knows."""
    if given is None:
        return Wanted()
    _, graph = reader.graphs.in_force(reader.connection)
    for code in given.get("stage") or ():
        graph.stage(code)
    sites = tuple(given.get("site") or ())
    known = {site.code for site in graph.sites}
    for code in sites:
        if code not in known:
            raise InputError(f"{code[:60]!r} is not a site; the sites are {', '.join(sorted(known))}", path=("filter",))
    entered: list[date | None] = [given.get("entered_from"), given.get("entered_to")]
    return Wanted(
        modality=tuple(m.value for m in given.get("modality") or ()),
        disease_group=tuple(given.get("disease_group") or ()),
        biomarker_selected=given.get("biomarker_selected"),
        entered_from=entered[0].isoformat() if entered[0] else None,
        entered_to=entered[1].isoformat() if entered[1] else None,
        stage=tuple(given.get("stage") or ()),
        status=tuple(s.value for s in given.get("status") or ()),
        target=given.get("target"),
        text=given.get("text"),
        site=sites,
        site_pairs=_routed(reader, graph, sites) if sites else (),
    )


def _routed(reader: Reader, graph: Any, sites: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    programmes = tables.programmes
    pairs = reader.connection.execute(
        select(programmes.c.stage, programmes.c.disease_group).where(visible(programmes, reader.view)).distinct()
    )
    routed = []
    for stage, group in pairs:
        if stage in graph and any(site.code in sites for site in graph.site_for(stage, group).sites):
            routed.append((stage, group))
    return tuple(routed)


def molecules_named(reader: Reader, selection: Selection, texts: Sequence[str]) -> dict[str, Any]:
    """Return, for each text, the one molecule it names: by code, name, synonym or external id; merged ones lead on.

    A code goes before a name, a name before a synonym, a synonym before an external id. A text that names several
    molecules at the same rank finds none. Where all are codes, they are found as they are read.
    """
    source = source_of("Molecule", reader.view)
    texts = [text for text in texts if can_be_kept(text)]
    wanted = Alike("code", texts, lambda: [among(source.c.code, texts), unmerged(source)])
    found = reader.keyed(selection, wanted, source=source, key="code", whole=True)
    rest = [text for text in texts if text not in found]
    ids = _by_any_name(reader, rest) if rest else {}
    if ids:
        if found and reader.one_field:  # all of one moment
            found = reader.keyed(selection, wanted, source=source, key="code")
        rows = molecule_rows(reader, selection, list(ids.values()))
        found |= {text: rows[id] for text, id in ids.items() if id in rows}
    return found


def _by_any_name(reader: Reader, codes: Sequence[str]) -> dict[str, int]:
    molecules, names, ids = tables.molecules, tables.molecule_names, tables.external_ids
    keys = {code: canonical_key(code) for code in codes}
    wanted_keys = [key for key in keys.values() if key]
    by_rank: list[dict[str, set[int]]] = [{}, {}, {}, {}]

    def note(rank: int, text: str, id: int) -> None:
        by_rank[rank].setdefault(text, set()).add(id)

    statement = select(molecules.c.id, molecules.c.code, molecules.c.name_key).where(
        visible(molecules, reader.view), or_(molecules.c.code.in_(codes), molecules.c.name_key.in_(wanted_keys))
    )
    for id, code, key in reader.connection.execute(statement):
        note(0, code, id)
        note(1, key, id)
    statement = select(names.c.molecule_id, names.c.name_key, names.c.version).where(
        visible(names, reader.view), names.c.name_key.in_(wanted_keys)
    )
    for id, key, _ in reader.connection.execute(statement):
        note(2, key, id)
    statement = select(ids.c.molecule_id, ids.c.value, ids.c.version).where(
        visible(ids, reader.view), ids.c.value.in_(codes)
    )
    for id, value, _ in reader.connection.execute(statement):
        note(3, value, id)
    kept = _kept(reader, {id for texts in by_rank for ids_of in texts.values() for id in ids_of})

    found: dict[str, int] = {}
    for text in codes:
        for rank, key in ((0, text), (1, keys[text]), (2, keys[text]), (3, text)):
            candidates = {kept[id] for id in by_rank[rank].get(key, set())} if key else set()
            if len(candidates) == 1:
                found[text] = candidates.pop()
                break
            if candidates:
                break
    return found


def _kept(reader: Reader, ids: set[int]) -> dict[int, int]:
    """Return, for molecules, the one each was merged into in the end; itself where it was not."""
    molecules = tables.molecules
    if not ids:
        return {}
    start = select(molecules.c.id.label("start"), molecules.c.id, molecules.c.merged_into).where(
        visible(molecules, reader.view), molecules.c.id.in_(sorted(ids))
    )
    way = start.cte("way", recursive=True)
    onwards = select(way.c.start, molecules.c.id, molecules.c.merged_into).join(
        molecules, molecules.c.id == way.c.merged_into
    )
    way = way.union(onwards.where(visible(molecules, reader.view)))
    ends = select(way.c.start, way.c.id).where(way.c.merged_into.is_(None))
    return {id: id for id in ids} | {row[0]: row[1] for row in reader.connection.execute(ends)}


class Query(MappingQueries, ReasonQueries, KeyFigureQueries, graphene.ObjectType):
    """What can be read."""

    node = graphene.Field(
        Node, id=graphene.ID(required=True, description="A global id."), description="Any record by its global id."
    )
    molecule = graphene.Field(
        Molecule,
        id=graphene.ID(description="Its global id."),
        code=graphene.String(description="Its code, name, synonym or external id."),
        **_moments(),
        description="One molecule, as it was (asOf) and as it was known (knownAt).",
    )
    molecules_by_code = graphene.List(
        Molecule,
        required=True,
        codes=graphene.List(
            graphene.NonNull(graphene.String), required=True, description="Codes, names, synonyms or external ids."
        ),
        **_moments(),
        description="Batch look-up; unknown codes give null at their place.",
    )
    molecules = graphene.Field(
        MoleculeConnection,
        required=True,
        filter=graphene.Argument(PortfolioFilter, description="Molecules with a programme like this."),
        order_by=graphene.Argument(MoleculeOrder, default_value=_Order.CODE, description="What they are ordered by."),
        descending=graphene.Boolean(default_value=False, description="From the other end."),
        **FORWARD,
        **BACKWARD,
        **_moments(),
        description="The molecules on record; those merged into others stand under the one kept.",
    )
    molecules_by_structure = graphene.List(
        graphene.NonNull(StructureHit),
        required=True,
        smiles=graphene.String(required=True, description="The structure to look for, as SMILES."),
        match=graphene.Argument(StructureMatch, default_value=_SUBSTRUCTURE, description="How to compare."),
        min_similarity=graphene.Float(default_value=0.7, description="Least Tanimoto similarity, above 0 to 1."),
        first=graphene.Int(default_value=25, description="How many to return, at most 1000."),
        description="Molecules by structure, the most similar first.",
    )
    programmes = graphene.Field(
        ProgrammeConnection,
        required=True,
        filter=graphene.Argument(PortfolioFilter, description="Only programmes like this."),
        **FORWARD,
        **BACKWARD,
        **_moments(),
        description="The programmes on record, in the order they were opened.",
    )
    study = graphene.Field(
        Study,
        id=graphene.ID(description="Its global id."),
        code=graphene.String(description="Its code, here or at the source it came from."),
        registry_id=graphene.String(description="Its number in a trial register."),
        **_moments(),
        description="One study, as it was (asOf) and as it was known (knownAt).",
    )
    state_graph = graphene.Field(
        StateGraph,
        required=True,
        version=graphene.Int(description="An earlier version; without it the one in force."),
        description="The stages and every move between them.",
    )
    checkpoint_rules = graphene.List(
        graphene.NonNull(CheckpointRule),
        required=True,
        kind=graphene.Argument(CheckpointKind, description="Only toxicity, or only efficacy."),
        description="The rules on record.",
    )
    replay_rule = graphene.Field(
        RuleReplay,
        required=True,
        rule=graphene.String(required=True, description="The rule's code."),
        version=graphene.Int(description="One of its versions; without it the one in use."),
        parameters=PARAMETERS,
        filter=graphene.Argument(PortfolioFilter, description="Only programmes like this."),
        description="Run a rule over the past of every programme, each seen only as it was known then.",
    )
    sites = graphene.List(graphene.NonNull(Site), required=True, description="Where studies are run.")
    review_items = graphene.Field(
        ReviewItemConnection,
        required=True,
        status=graphene.Argument(ReviewStatus, description="Only those open, or decided so."),
        study=graphene.ID(description="Only those of a study."),
        **FORWARD,
        description="What could not be read without doubt, with what is proposed.",
    )
    alerts = graphene.Field(
        AlertConnection,
        required=True,
        open=graphene.Boolean(description="Only those nobody answered for yet, or only those answered for."),
        kinds=graphene.List(graphene.NonNull(AlertKind), description="Only those about any of these."),
        molecule=graphene.ID(description="Only those about this molecule."),
        study=graphene.ID(description="Only those about this study."),
        **FORWARD,
        **BACKWARD,
        description="What has to be answered for, in the order it was raised.",
    )
    attrition = graphene.Field(
        AttritionReview,
        required=True,
        filter=graphene.Argument(PortfolioFilter, description="Only programmes like this."),
        counting_rule=graphene.Argument(
            CountingRule, default_value=Rule.PHASE_BY_PHASE, description="How it is counted who passes a phase."
        ),
        **_moments(),
        description="Where, when and why programmes stop.",
    )
    viewer = graphene.Field(Viewer, required=True, description="The reader's own name, roles and rights.")
    calculate = graphene.Field(
        Calculate,
        required=True,
        description="The methods behind every figure, applied to what is given here; no record is needed.",
        resolver=resolve_calculate,
    )

    @staticmethod
    def resolve_node(_root: Any, info: GraphQLResolveInfo, id: str) -> Any:
        """Read any record."""
        node, number = read_id(id, path=("id",))
        if node not in NODES:
            return None
        asked = Asked(Link(node, Shape.ONE, (), ()), {}, by_type(info))
        return _reader(info, {}).node(asked, node, number, whole=True)

    @staticmethod
    def resolve_molecule(_root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Read one molecule."""
        id, code = arguments.get("id"), arguments.get("code")
        if (id is None) == (code is None):
            raise InputError("give either id or code", path=("molecule",))
        reader = _reader(info, arguments)
        if id is not None:
            number = id_of(id, "Molecule", path=("id",))
            return molecule_rows(reader, selection_of(info), [number], whole=True).get(number)
        text = code or ""
        return molecules_named(reader, selection_of(info), [text]).get(text)

    @staticmethod
    def resolve_molecules_by_code(_root: Any, info: GraphQLResolveInfo, codes: list[str], **arguments: Any) -> Any:
        """Read several molecules."""
        if len(codes) > _MOST_CODES:
            raise InputError(f"{len(codes)} codes; ask for at most {_MOST_CODES} at once", path=("codes",))
        found = molecules_named(_reader(info, arguments), selection_of(info), codes)
        return [found.get(code) for code in codes]

    @staticmethod
    def resolve_molecules(_root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Read a page of molecules."""
        reader = _reader(info, arguments)
        selection, asked = _connection("Molecule", arguments, info)
        order = arguments["order_by"] or _Order.CODE
        source = _ordered_molecules(reader, order)
        wanted = wanted_of(reader, arguments.get("filter"))
        conditions = [unmerged(source), *molecule_conditions(source, wanted, reader.view)]
        return reader.page(
            selection,
            asked,
            conditions,
            order=_ORDER_COLUMNS[order],
            descending=bool(arguments["descending"]),
            source=source,
            whole=True,
        )

    @staticmethod
    def resolve_molecules_by_structure(_root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Search by structure."""
        reader = _reader(info, {})
        found = structures.hits(reader, arguments)
        selection = records_below(info, "molecule").get("Molecule", Selection("Molecule"))
        rows = molecule_rows(reader, selection, [id for id, _ in found])
        return [{"molecule": rows[id], "similarity": similarity} for id, similarity in found]

    @staticmethod
    def resolve_programmes(_root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Read a page of programmes."""
        reader = _reader(info, arguments)
        selection, asked = _connection("Programme", arguments, info)
        source = source_of("Programme", reader.view)
        wanted = wanted_of(reader, arguments.get("filter"))
        conditions = programme_conditions(source, wanted, reader.view)
        return reader.page(selection, asked, conditions, source=source, whole=True)

    @staticmethod
    def resolve_attrition(_root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Review the attrition of a portfolio."""
        reader = _reader(info, arguments)
        wanted = wanted_of(reader, arguments.get("filter"))
        return review_row(reader, wanted, arguments["counting_rule"], arguments.get("known_at"))

    @staticmethod
    def resolve_study(_root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Read one study."""
        id, code, registry_id = arguments.get("id"), arguments.get("code"), arguments.get("registry_id")
        if [id, code, registry_id].count(None) != 2:
            raise InputError("give exactly one of id, code and registryId", path=("study",))
        reader = _reader(info, arguments)
        source = source_of("Study", reader.view)
        selection = selection_of(info)
        column: str
        value: Any
        if id is not None:
            column, value = "id", id_of(id, "Study", path=("id",))
        elif registry_id is not None:
            column, value = "registry_id", registry_id.strip()
        else:
            column, value = "code", code
        if isinstance(value, str) and not can_be_kept(value):
            return None
        wanted = Alike(column, [value], lambda: [equal(column)(value).make(source.c)])
        rows = reader.rows(selection, wanted, source=source, limit=1, whole=True)
        if not rows and code is not None:
            said = tables.study_sources
            named = select(said.c.study_id).where(visible(said, reader.view), said.c.code == code)
            rows = reader.rows(selection, [source.c.id.in_(named)], source=source, limit=1)
        return rows[0] if rows else None

    @staticmethod
    def resolve_state_graph(_root: Any, info: GraphQLResolveInfo, version: int | None = None) -> Any:
        """Read the state graph."""
        reader = _reader(info, {})
        source = tables.state_graphs
        if version is None:
            conditions = [source.c.id == reader.graphs.in_force(reader.connection)[0]]
        else:
            _, graph = reader.graphs.in_force(reader.connection)
            conditions = [source.c.name == graph.name, source.c.number == version]
        rows = reader.rows(selection_of(info), conditions)
        if not rows:
            raise NotFound(f"there is no version {version} of the state graph", path=("version",))
        return rows[-1]

    @staticmethod
    def resolve_checkpoint_rules(_root: Any, info: GraphQLResolveInfo, kind: Any = None) -> Any:
        """Read the rules."""
        reader = _reader(info, {})
        source = tables.checkpoint_rules
        conditions = [] if kind is None else [source.c.kind == kind.value]
        return reader.rows(selection_of(info), conditions, order=("code", "number"), whole=True)

    @staticmethod
    def resolve_replay_rule(_root: Any, info: GraphQLResolveInfo, rule: str, **arguments: Any) -> Any:
        """Replay a rule."""
        reader = _reader(info, {})
        wanted = wanted_of(reader, arguments.get("filter"))
        return replay_row(reader, rule, arguments.get("version"), arguments.get("parameters"), wanted)

    @staticmethod
    def resolve_sites(_root: Any, info: GraphQLResolveInfo) -> Any:
        """Read the sites."""
        return _reader(info, {}).rows(selection_of(info), order=("code",), whole=True)

    @staticmethod
    def resolve_review_items(_root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Read a page of the review list."""
        reader = _reader(info, {})
        selection, asked = _connection("ReviewItem", arguments, info)
        source = tables.review_items
        conditions = []
        if arguments.get("status") is not None:
            conditions.append(source.c.status == arguments["status"])
        if arguments.get("study") is not None:
            conditions.append(source.c.study_id == id_of(arguments["study"], "Study", path=("study",)))
        return reader.page(selection, asked, conditions, whole=True)

    @staticmethod
    def resolve_alerts(_root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        """Read a page of alerts."""
        reader = _reader(info, {})
        selection, asked = _connection("Alert", arguments, info)
        conditions = ALERTS_MATCHING(source_of("Alert", reader.view), arguments)
        return reader.page(selection, asked, conditions, order=("raised_at",), whole=True)

    @staticmethod
    def resolve_viewer(_root: Any, info: GraphQLResolveInfo) -> Any:
        """Say who is reading."""
        actor = info.context.actor
        info.context.need(Permission.READ)
        return {
            "name": actor.name,
            "roles": [role.value for role in actor.roles],
            "permissions": sorted(permission.value for permission in actor.permissions),
        }


def _ordered_molecules(reader: Reader, order: _Order) -> Any:
    """Return the molecules as a source that has the column they are ordered by."""
    table = source_of("Molecule", reader.view)
    if order is not _Order.STAGE:
        return table
    programmes = source_of("Programme", reader.view)
    furthest = (
        select(programmes.c.molecule_id, func.max(programmes.c.stage_ordinal).label("ordinal"))
        .where(*seen("Programme", programmes, reader.view))
        .group_by(programmes.c.molecule_id)
        .subquery()
    )
    return (
        select(table, func.coalesce(furthest.c.ordinal, 0).label("furthest"))
        .outerjoin(furthest, furthest.c.molecule_id == table.c.id)
        .where(visible(table, reader.view))
        .subquery("molecules_by_stage")
    )

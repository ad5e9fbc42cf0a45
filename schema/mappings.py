"""Mappings of columns: what a table's columns seem to be, and what a person confirmed."""

from __future__ import annotations

from typing import Any

import graphene
from graphql import GraphQLResolveInfo

from pipeline.access import Permission
from pipeline.commands.mappings import ConfirmMapping, listed_mappings
from pipeline.errors import PipelineError
from pipeline.exchange.column_mapping_tables import proposal_of
from schema.context import Request
from schema.errors import error_rows
from schema.reading import given
from schema.scalars import JSON, Upload
from schema.writing import payload


class ColumnMapping(graphene.ObjectType):
    """How the columns of a kind of table are read; every confirmation is a version of its own."""

    name = given(graphene.String, required=True, description="The name to import with.")
    number = given(graphene.Int, required=True, description="The version; the last one is in force.")
    text = given(graphene.String, required=True, description="The mapping as JSON.")
    confirmed_by = given(graphene.String, required=True, description="Who confirmed it.")


class ColumnProposal(graphene.ObjectType):
    """What one column seems to be."""

    heading = given(graphene.String, required=True, description="The heading.")
    field = given(graphene.String, description="What it seems to hold; null when it is not read.")
    unit = given(graphene.String, description="The unit of its cells, where no other column gives one.")
    constants = given(
        JSON,
        description="What is the same for all its cells, by field, where there is a column for each analyte or time.",
    )
    doubt = given(graphene.Boolean, required=True, description="Whether a person has to look at it.")
    why = given(graphene.String, required=True, description="Why, in a sentence.")


class MappingProposal(graphene.ObjectType):
    """What a table seems to be; nothing is recorded until somebody confirms it."""

    table = given(graphene.String, required=True, description="The file, or the sheet of it.")
    kind = given(graphene.String, description="The kind of table; null when it is not understood.")
    columns = given(
        graphene.List(graphene.NonNull(ColumnProposal)), required=True, description="Every column, in its order."
    )
    lacks = given(
        graphene.List(graphene.NonNull(graphene.String)),
        required=True,
        description="What such a table needs and no column gives.",
    )
    notes = given(graphene.List(graphene.NonNull(graphene.String)), required=True, description="What to mind.")
    mapping = given(JSON, required=True, description="The mapping that is proposed, to be corrected and confirmed.")


class ConfirmMappingInput(graphene.InputObjectType):
    """A mapping to be put in force."""

    name = graphene.String(required=True, description="The name to import with; one in use gets a new version.")
    text = graphene.String(required=True, description="The mapping as JSON.")


ProposeMappingPayload = payload(
    "ProposeMapping", proposal=given(MappingProposal, description="What the table seems to be.")
)
ConfirmMappingPayload = payload("ConfirmMapping", mapping=given(ColumnMapping, description="The mapping in force."))


def _propose(info: GraphQLResolveInfo, file: Any) -> dict[str, Any]:
    request: Request = info.context
    request.forget()
    try:
        request.need(Permission.IMPORT)
        told = proposal_of(file.filename or "upload", file.file.read()).as_json()
    except PipelineError as error:
        return {"proposal": None, "errors": error_rows(error, info, request)}
    columns = [{"heading": heading, "constants": None} | column for heading, column in told["columns"].items()]
    return {"proposal": told | {"columns": columns, "mapping": told}, "errors": []}


def _confirm(info: GraphQLResolveInfo, input: Any) -> dict[str, Any]:
    request: Request = info.context
    request.forget()
    try:
        recorded = request.centre.execute(ConfirmMapping(input.name, input.text), actor=request.actor)
    except PipelineError as error:
        return {"mapping": None, "errors": error_rows(error, info, request)}
    with request.centre.read(request.actor) as reader:
        rows = listed_mappings(reader.connection)
    written = next(row for row in rows if row["id"] == recorded.result["mapping"])
    return {"mapping": _shown(written), "errors": []}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"confirmedBy": row["confirmed_by"]}


class MappingQueries:
    """The root fields of this module, as `Query` takes them."""

    mappings = graphene.List(
        graphene.NonNull(ColumnMapping),
        required=True,
        description="The mappings of columns that were confirmed, by name and version.",
    )

    @staticmethod
    def resolve_mappings(_root: Any, info: GraphQLResolveInfo) -> Any:
        """List the mappings."""
        info.context.need(Permission.READ)
        return [_shown(row) for row in listed_mappings(info.context.reader.connection)]


class MappingMutations:
    """What can be written about mappings, as `Mutation` takes it."""

    propose_mapping = graphene.Field(
        ProposeMappingPayload,
        required=True,
        file=graphene.Argument(Upload, required=True, description="The table."),
        description="Say what the columns of a table seem to be; nothing is recorded.",
    )
    confirm_mapping = graphene.Field(
        ConfirmMappingPayload,
        required=True,
        input=graphene.Argument(ConfirmMappingInput, required=True, description="The mapping."),
        description="Put a mapping of columns in force under a name.",
    )

    @staticmethod
    def resolve_propose_mapping(_root: Any, info: GraphQLResolveInfo, file: Any) -> Any:
        """Propose."""
        return _propose(info, file)

    @staticmethod
    def resolve_confirm_mapping(_root: Any, info: GraphQLResolveInfo, input: Any) -> Any:
        """Confirm."""
        return _confirm(info, input)

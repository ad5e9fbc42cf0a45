"""Send a file: it is read, rehearsed or written as one act, and every row is accounted for."""

from __future__ import annotations

from typing import Any

import graphene
from graphql import GraphQLResolveInfo

from pipeline.access import Permission
from pipeline.commands.imports import ImportFiles
from pipeline.commands.mappings import mapping_named, saved_mappings
from pipeline.errors import PipelineError
from pipeline.exchange.formats import FORMATS, read_files
from pipeline.exchange.reading import Reading
from schema.context import Request
from schema.errors import error_rows
from schema.reading import given
from schema.scalars import JSON


class ImportInput(graphene.InputObjectType):
    """What the file is, and whether to write."""

    format = graphene.String(
        required=True, description=f"One of {', '.join(FORMATS)}; auto tells by the file's content."
    )
    study = graphene.String(description="The study it belongs to, by code, for formats of one study.")
    molecule = graphene.String(description="The molecule it belongs to, by code, for formats of one molecule.")
    mapping = graphene.String(description="The confirmed mapping of columns to read tables by: its name, or name@2.")
    dry_run = graphene.Boolean(default_value=False, description="Report what would happen and write nothing.")


class ImportProblem(graphene.ObjectType):
    """A row that was not taken, or was taken with something to mind."""

    kind = given(graphene.String, required=True, description="QUARANTINED, HELD or FLAGGED.")
    file = given(graphene.String, required=True, description="The file, inside a set or an archive.")
    row = given(graphene.Int, required=True, description="The row, as a spreadsheet counts.")
    column = given(graphene.String, description="The column.")
    value = given(graphene.String, description="What stands there.")
    reason = given(graphene.String, required=True, description="What is wrong, and what to do.")


class ImportReport(graphene.ObjectType):
    """What an import did: accepted + quarantined + held + duplicates = rows."""

    format = given(graphene.String, required=True, description="As what it was read.")
    rows = given(graphene.Int, required=True, description="Rows in the file.")
    accepted = given(graphene.Int, required=True, description="Rows taken.")
    quarantined = given(graphene.Int, required=True, description="Rows that cannot be read as they stand.")
    held = given(graphene.Int, required=True, description="Rows a person has to decide on; see reviewItems.")
    duplicates = given(graphene.Int, required=True, description="Rows that say what is known already.")
    warnings = given(
        graphene.List(graphene.NonNull(graphene.String)), required=True, description="What to mind about the file."
    )
    problems = given(
        graphene.List(graphene.NonNull(ImportProblem)),
        required=True,
        description="The first 200 problems: rows not taken, then rows to mind.",
    )
    written = given(
        JSON,
        required=True,
        description="How many molecules, programmes, studies and records of studies are new or changed.",
    )


_PROBLEMS_SHOWN = 200


def import_file(info: GraphQLResolveInfo, file: Any, input: Any) -> dict[str, Any]:
    """Read a file and write it as one act."""
    request: Request = info.context
    request.forget()
    try:
        request.need(Permission.IMPORT)
        content = file.file.read()
        name = file.filename or "upload"
        with request.centre.read(request.actor) as reader:
            _, graph = reader.graphs.in_force(reader.connection)
            wanted = input.get("mapping")
            mapping = mapping_named(reader.connection, wanted) if wanted else None
            saved = saved_mappings(reader.connection)
        reading = read_files(
            input.format,
            [(name, content)],
            graph,
            study=input.get("study"),
            molecule=input.get("molecule"),
            mapping=mapping,
            saved=saved,
        )
        command = ImportFiles.of(
            reading,
            [(name, content)],
            name=name,
            dry_run=bool(input.get("dry_run")),
            study=input.get("study"),
            molecule=input.get("molecule"),
        )
        recorded = request.centre.execute(command, actor=request.actor)
    except PipelineError as error:
        return {"report": None, "errors": error_rows(error, info, request)}
    result = recorded.result
    written = {name: result[name] for name in ("molecules", "programmes", "studies")} | result["records"]
    report = result["report"] | {"problems": _problems(reading), "written": written}
    return {"report": report, "errors": []}


def _problems(reading: Reading) -> list[dict[str, Any]]:
    """Return the first rows that were not taken, or taken with something to mind; those not taken come first."""
    taken = sorted(
        [
            *(("QUARANTINED", p.place, p.column, p.value, p.reason) for p in reading.quarantined),
            *(("HELD", h.place, h.column, h.value, f"{h.explanation} (proposed: {h.proposed})") for h in reading.held),
        ],
        key=lambda problem: problem[1],
    )
    flagged = (("FLAGGED", p.place, p.column, p.value, p.reason) for p in sorted(reading.flags, key=lambda p: p.place))
    return [
        {"kind": kind, "file": place.file, "row": place.row, "column": column, "value": value, "reason": reason}
        for kind, place, column, value, reason in [*taken, *flagged][:_PROBLEMS_SHOWN]
    ]

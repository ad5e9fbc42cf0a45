"""What all records of studies share: study and subject, where they came from, their qualifiers and their history."""

from __future__ import annotations

from typing import Any

import graphene

from schema.reading import column, many, one
from schema.scalars import DateTime


class SourceFile(graphene.ObjectType):
    """A file that was imported, kept as it was."""

    name = column(graphene.String, "name", required=True, description="Its name.")
    sha256 = column(graphene.String, "sha256", required=True, description="SHA-256 of its content, in hexadecimal.")
    size = column(graphene.Int, "size", required=True, description="Its size in bytes.")


class Qualifier(graphene.ObjectType):
    """What a source says of a record beside its fields, as in the supplemental data sets of SDTM and SEND."""

    name = column(graphene.String, "name", required=True, description="Its name in the source.")
    label = column(graphene.String, "label", description="What the source calls it for people to read.")
    value = column(graphene.String, "value", description="What it says, as written.")
    origin = column(graphene.String, "origin", description="Where the source has it from.")


class OfStudy:
    """The fields of every record of a study."""

    study = one(lambda: _study(), "Study", parent="study_id", required=True, description="The study it belongs to.")
    source_file = one(
        SourceFile, "SourceFile", parent="source_file", description="The file it came in; null when entered by hand."
    )
    source_row = column(graphene.Int, "source_row", description="The row of that file, as a spreadsheet counts.")
    recorded_at = column(DateTime, "recorded_at", required=True, description="When it became known here, as it is.")
    recorded_by = column(graphene.String, "recorded_by", required=True, description="Who recorded it as it is.")
    version = column(graphene.Int, "version", required=True, description="Send back as expectedVersion when writing.")


class OfSubject(OfStudy):
    """The fields of every record of a subject of a study."""

    subject = one(
        lambda: _subject(), "Subject", parent="subject_id", description="Of whom; null when of a pool, or not known."
    )
    sequence = column(graphene.String, "sequence", description="What the source numbers it by.")


def qualifiers_field(node: str) -> Any:
    """Declare what a source says of a record of a node beside its fields."""
    return many(
        Qualifier,
        "Qualifier",
        child="node_id",
        where=lambda source, _arguments: [source.c.node == node],
        description="What the source says of it beside these fields.",
    )


def _study() -> Any:
    from schema.studies import Study

    return Study


def _subject() -> Any:
    from schema.subjects import Subject

    return Subject

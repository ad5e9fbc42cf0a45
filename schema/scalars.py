"""Scalars that keep what they are given: dates at their precision, instants with their zone, JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import graphene
import orjson
from graphql import GraphQLError, StringValueNode, value_from_ast_untyped
from graphql.language import ast, print_ast

from pipeline.dates import PartialDate
from pipeline.errors import InputError


def _text(node: Any, what: str) -> str:
    if not isinstance(node, StringValueNode):
        raise GraphQLError(f"{what} is written as text, for example {EXAMPLES[what]!r}", nodes=node)
    return node.value


EXAMPLES = {"Date": "2021-03-09", "DateTime": "2021-03-09T12:00:00Z", "PartialDateTime": "2013-07"}


class Date(graphene.Scalar):
    """Calendar date, ISO 8601 (2021-03-09)."""

    @staticmethod
    def serialize(value: Any) -> str:
        """Return ISO text."""
        return value if isinstance(value, str) else value.isoformat()

    @classmethod
    def parse_literal(cls, node: Any, _variables: Any = None) -> date:
        """Read a literal."""
        return cls.parse_value(_text(node, "Date"))

    @staticmethod
    def parse_value(value: Any) -> date:
        """Read a variable."""
        try:
            if isinstance(value, str) and len(value) == 10:
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise GraphQLError(f"{str(value)[:40]!r} is not a date; write YYYY-MM-DD, for example 2021-03-09")


class DateTime(graphene.Scalar):
    """Instant, RFC 3339, UTC."""

    @staticmethod
    def serialize(value: Any) -> str:
        """Return RFC 3339 text in UTC."""
        return value if isinstance(value, str) else value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    @classmethod
    def parse_literal(cls, node: Any, _variables: Any = None) -> datetime:
        """Read a literal."""
        return cls.parse_value(_text(node, "DateTime"))

    @staticmethod
    def parse_value(value: Any) -> datetime:
        """Read a variable; a time without a zone is refused, because nobody knows when it was."""
        try:
            if isinstance(value, str) and len(value) <= 40:
                moment = datetime.fromisoformat(value)
                if moment.tzinfo is not None:
                    return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise GraphQLError(
            f"{str(value)[:40]!r} is not an instant; write date, time and zone, for example 2021-03-09T12:00:00Z"
        )


class PartialDateTime(graphene.Scalar):
    """ISO 8601 date or date-time kept at the precision it was given in: 2013, 2013-07, 2013-07-09T11:45."""

    @staticmethod
    def serialize(value: Any) -> str:
        """Return the text as it was given."""
        return value.text if isinstance(value, PartialDate) else str(value)

    @classmethod
    def parse_literal(cls, node: Any, _variables: Any = None) -> PartialDate:
        """Read a literal."""
        return cls.parse_value(_text(node, "PartialDateTime"))

    @staticmethod
    def parse_value(value: Any) -> PartialDate:
        """Read a variable."""
        if not isinstance(value, str):
            raise GraphQLError(f"{str(value)[:40]!r} is not a date; write it as text, for example '2013-07'")
        try:
            return PartialDate.parse(value)
        except InputError as error:
            raise GraphQLError(error.message) from error


class Upload(graphene.Scalar):
    """A file sent by GraphQL multipart request."""

    @staticmethod
    def serialize(_value: Any) -> str:
        """Refuse: files are never answered."""
        raise GraphQLError("a file can be sent, not read back")

    @staticmethod
    def parse_literal(node: Any, _variables: Any = None) -> Any:
        """Refuse: a file cannot stand in a document."""
        raise GraphQLError("a file is sent as a variable of a multipart request", nodes=node)

    @staticmethod
    def parse_value(value: Any) -> Any:
        """Hand on what the transport put in the variable's place."""
        if not hasattr(value, "file"):
            raise GraphQLError("send the file by a GraphQL multipart request, mapped to this variable")
        return value


class JSON(graphene.Scalar):
    """Any JSON value."""

    @staticmethod
    def serialize(value: Any) -> Any:
        """Return the value."""
        return orjson.loads(value) if isinstance(value, str) else value

    @staticmethod
    def parse_value(value: Any) -> Any:
        """Take the value."""
        return value

    @staticmethod
    def parse_literal(node: ast.ValueNode, variables: Any = None) -> Any:
        """Read a literal of any shape."""
        try:
            return value_from_ast_untyped(node, variables)
        except (ValueError, TypeError) as error:
            raise GraphQLError(f"{print_ast(node)[:40]} is not a JSON value", nodes=node) from error

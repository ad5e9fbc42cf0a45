"""How queries are executed: finished answers of the planned read path pass through as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionContext,
    FieldNode,
    GraphQLError,
    GraphQLFieldResolver,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLTypeResolver,
    OperationDefinitionNode,
    OperationType,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.execute import CollectedErrors
from graphql.pyutils import Path

from pipeline.store.plans import Ready
from schema.context import Request
from schema.variables import Unusual, known_operation


class PlannedContext(ExecutionContext):
    """Executes queries by their plans, except where the context asks for the plain path."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        request = self.context_value
        if isinstance(request, Request) and not request.plain:
            request.planned = self.operation.operation is OperationType.QUERY
            request.one_field = request.planned and self._only_field() is not None

    @classmethod
    def build(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        operation_name: str | None = None,
        field_resolver: GraphQLFieldResolver | None = None,
        type_resolver: GraphQLTypeResolver | None = None,
        subscribe_field_resolver: GraphQLFieldResolver | None = None,
        max_coercion_errors: int = 50,
        middleware: Any = None,
        is_awaitable: Callable[[Any], bool] | None = None,
        hide_suggestions: bool = False,
    ) -> list[GraphQLError] | ExecutionContext:
        """Build the context of one execution; of a known document without looking its variables' types up again."""
        resolvers = (field_resolver, type_resolver, subscribe_field_resolver)
        try:
            known = known_operation(schema, document, operation_name)
            values = known.values(raw_variable_values or {})
        except Unusual:
            values = None
        if values is None or middleware is not None:
            asked = (schema, document, root_value, context_value, raw_variable_values, operation_name)
            return super().build(*asked, *resolvers, max_coercion_errors, middleware, is_awaitable, hide_suggestions)
        return cls(
            schema,
            known.fragments,
            root_value,
            context_value,
            known.operation,
            values,
            field_resolver or default_field_resolver,
            type_resolver or default_type_resolver,
            subscribe_field_resolver or default_field_resolver,
            CollectedErrors(),
            None,
            is_awaitable,
        )

    def execute_operation(self, operation: OperationDefinitionNode, root_value: Any) -> Any:
        """Execute the fields of an operation; a single one needs not be collected."""
        only = self._only_field()
        if only is None or only.directives or self.schema.query_type is None:
            return super().execute_operation(operation, root_value)
        name = only.alias.value if only.alias else only.name.value
        return self.execute_fields(self.schema.query_type, root_value, None, {name: [only]})

    def _only_field(self) -> FieldNode | None:
        """Return the root field of a query that has no other."""
        selections = self.operation.selection_set.selections
        only = selections[0] if len(selections) == 1 else None
        query = self.operation.operation is OperationType.QUERY
        return only if query and isinstance(only, FieldNode) else None

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        """Hand a finished answer back; anything else is walked field by field."""
        if type(result) is Ready:
            return orjson.Fragment(result.text)
        if type(result) is list and any(type(one) is Ready for one in result):
            texts = ("null" if one is None else one.text for one in result)
            return orjson.Fragment(f"[{','.join(texts)}]")
        return super().complete_value(return_type, field_nodes, info, path, result)

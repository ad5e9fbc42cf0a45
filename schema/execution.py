"""How queries are executed: finished answers of the planned read path pass through as they are."""

from __future__ import annotations

from typing import Any

import orjson
from graphql import ExecutionContext, FieldNode, GraphQLOutputType, GraphQLResolveInfo, OperationType
from graphql.pyutils import Path

from pipeline.store.plans import Ready
from schema.context import Request


class PlannedContext(ExecutionContext):
    """Executes queries by their plans, except where the context asks for the plain path."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        request = self.context_value
        if isinstance(request, Request) and not request.plain:
            request.planned = self.operation.operation is OperationType.QUERY
            selections = self.operation.selection_set.selections
            request.one_field = request.planned and len(selections) == 1 and isinstance(selections[0], FieldNode)

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

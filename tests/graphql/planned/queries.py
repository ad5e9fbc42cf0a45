"""Queries at random: whatever the schema allows below the fields that are planned."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)

from pipeline.store.paging import encode
from schema import SCHEMA
from schema.node import global_id
from tests.graphql.planned.records import DATES, DAYS, STAGES, TEXTS

ROOTS = (
    "molecule",
    "molecules",
    "moleculesByCode",
    "programmes",
    "study",
    "node",
    "stateGraph",
    "checkpointRules",
    "sites",
    "reviewItems",
    "alerts",
)
_node = cast(GraphQLInterfaceType, SCHEMA.graphql_schema.type_map["Node"])
# Drawing takes long, and says the same of every graph.
SELDOM = {"dot", "svg", "edges", "depiction"}
NODES = tuple(sorted(kind.name for kind in SCHEMA.graphql_schema.get_possible_types(_node)))
BY_ID = {"programmes", "reviewItems", "eventCounts", "groups", "subjects", "pools", "reportedParameters", "recordLinks"}


@dataclass
class Asking:
    """A document in the making."""

    chance: random.Random
    fields: int = 45
    names: int = 0
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)

    def document(self) -> tuple[str, dict[str, Any]]:
        """Return a document with its variables."""
        query = SCHEMA.graphql_schema.query_type
        assert query is not None
        roots = [self.field(query, self.chance.choice(ROOTS), 0, f"r{n}") for n in range(self.chance.randint(1, 2))]
        declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in self.variables.items())
        body = " ".join(roots)
        document = f"query{f'({declared})' if declared else ''} {{ {body} }} {' '.join(self.fragments)}"
        return document, {name: value for name, (_, value) in self.variables.items()}

    # ------------------------------------------------------------ selections

    def field(self, kind: GraphQLObjectType | GraphQLInterfaceType, name: str, depth: int, alias: str) -> str:
        """Return a field with arguments, a directive and what is asked below it."""
        definition = kind.fields[name]
        out = self.left_out(set(definition.args))
        given = [
            f"{argument}: {text}"
            for argument, one in definition.args.items()
            if argument not in out and (text := self.argument(name, argument, one.type)) is not None
        ]
        arguments = f"({', '.join(given)})" if given else ""
        below = get_named_type(definition.type)
        selection = "" if is_leaf_type(below) else self.selection(below, depth + 1)
        return f"{alias + ': ' if alias else ''}{name}{arguments}{self.directive()}{selection}"

    def selection(self, kind: Any, depth: int) -> str:
        """Return a selection set of a type."""
        chance = self.chance
        parts: list[str] = []
        if isinstance(kind, GraphQLInterfaceType):
            parts.append(chance.choice(["id", "__typename", "x: id"]))
            for name in chance.sample(NODES, chance.randint(0, 3)):
                node = SCHEMA.graphql_schema.type_map[name]
                parts.append(f"... on {name} {self.selection(node, depth)}")
            return f"{{ {' '.join(parts)} }}"
        plain: set[str] = set()
        names = list(kind.fields)
        leaves = [name for name in names if is_leaf_type(get_named_type(kind.fields[name].type))]
        wanted = chance.randint(1, 6)
        for _ in range(wanted):
            deep = depth < 6 and self.fields > 0
            name = chance.choice(names if deep else leaves or names)
            if name in SELDOM and chance.random() < 0.9:
                continue
            if not deep and name not in leaves and depth > 8:
                continue
            self.fields -= 1
            arguments = bool(kind.fields[name].args)
            alias = ""
            if arguments or name in plain or chance.random() < 0.3:
                self.names += 1
                alias = f"a{self.names}"
            if not alias and name in leaves and chance.random() < 0.1:
                parts.append(name)  # twice the same
            plain.add(name)
            made = self.field(kind, name, depth, alias)
            match chance.random():
                case luck if luck < 0.06:
                    made = f"... {{ {made} }}"
                case luck if luck < 0.12:
                    made = f"... on {kind.name}{self.directive()} {{ {made} }}"
                case luck if luck < 0.2:
                    self.names += 1
                    self.fragments.append(f"fragment F{self.names} on {kind.name} {{ {made} }}")
                    made = f"...F{self.names}"
            parts.append(made)
        if chance.random() < 0.2 or not parts:
            parts.insert(chance.randint(0, len(parts)), "__typename")
        return f"{{ {' '.join(parts)} }}"

    def directive(self) -> str:
        """Return a directive, sometimes."""
        chance = self.chance
        if chance.random() > 0.05:
            return ""
        value = chance.random() < 0.7
        given = "true" if value else "false"
        if chance.random() < 0.5:
            given = self.variable("Boolean!", value)
        return f" @{'include' if value else 'skip'}(if: {given})"

    # ------------------------------------------------------------ arguments

    def left_out(self, names: set[str]) -> set[str]:
        """Return arguments that do not go together with the others: mostly left out, so that most queries answer."""
        chance = self.chance
        if chance.random() < 0.05:
            return set()
        either = {"id", "code", "registryId"} & names
        out = either - {chance.choice(sorted(either))} if len(either) > 1 else set()
        if "last" in names:
            out |= set(chance.choice([("last", "before"), ("first", "after")]))
        return out

    def variable(self, kind: str, value: Any) -> str:
        """Declare a variable."""
        name = f"v{len(self.variables)}"
        self.variables[name] = (kind, value)
        return f"${name}"

    def argument(self, field: str, name: str, kind: Any) -> str | None:
        """Return an argument as text: left out, null, a literal or a variable."""
        chance = self.chance
        required = isinstance(kind, GraphQLNonNull)
        if not required and name not in ("id", "code", "registryId"):
            if chance.random() < (0.8 if name in ("asOf", "knownAt", "filter") else 0.5):
                return None
            if chance.random() < 0.1:
                return "null" if chance.random() < 0.5 else self.variable(str(kind), None)
        value = self.value(field, name, kind)
        return self.variable(str(kind), value) if chance.random() < 0.4 else self.literal(kind, value)

    def value(self, field: str, name: str, kind: Any) -> Any:
        """Return a value, as a variable would have it."""
        chance = self.chance
        if isinstance(kind, GraphQLNonNull):
            return self.value(field, name, kind.of_type)
        if isinstance(kind, GraphQLList):
            return [self.value(field, name, kind.of_type) for _ in range(chance.randint(0, 3))]
        if isinstance(kind, GraphQLEnumType):
            return chance.choice(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            some = chance.sample(list(kind.fields), chance.randint(0, 2))
            return {n: self.value(n, n, kind.fields[n].type) if chance.random() < 0.9 else None for n in some}
        match kind.name:
            case "Int":
                if name in ("width", "height"):
                    return chance.choice([50, 320, 10])
                return chance.choice([0, 1, 1, 2, 3, 5, 25, 1000, 1001, -1] if chance.random() < 0.2 else [1, 2, 3, 25])
            case "Boolean":
                return chance.random() < 0.5
            case "ID":
                node = chance.choice(NODES) if field == "node" else {"study": "Study"}.get(field, "Molecule")
                node = {"study": "Study", "subject": "Subject"}.get(name, node)
                return chance.choice([global_id(node, chance.randint(1, 16))] * 9 + ["nonsense"])
            case "Date":
                return chance.choice(DAYS)
            case "DateTime":
                return f"{chance.choice(DAYS)}T12:00:00Z"
        if name in ("after", "before"):
            number = chance.randint(0, 16)
            texts = [f"mol-{number}", f"stu-{number}"] if field in ("molecules", "studies") else DAYS
            one = encode([number])
            right = one if field in BY_ID else encode([chance.choice(texts), number])
            return right if chance.random() < 0.9 else chance.choice([one, encode([number, number]), "x", "Wzhd"])
        if name == "stage":
            return chance.choice([*STAGES, "PHASE_9"])
        if name == "site":
            return chance.choice(["CREFRE", "CLIPP", "ONCOPOLE", "MARS"])
        if name in ("code", "codes"):
            return chance.choice([f"mol-{chance.randint(1, 16)}", f"stu-{chance.randint(1, 16)}", *TEXTS])
        return chance.choice([*TEXTS, *DATES])

    def literal(self, kind: Any, value: Any) -> str:
        """Return a value as it stands in a document."""
        if isinstance(kind, GraphQLNonNull):
            return self.literal(kind.of_type, value)
        if value is None:
            return "null"
        if isinstance(kind, GraphQLList):
            return f"[{', '.join(self.literal(kind.of_type, one) for one in value)}]"
        if isinstance(kind, GraphQLEnumType):
            return str(value)
        if isinstance(kind, GraphQLInputObjectType):
            return f"{{{', '.join(f'{n}: {self.literal(kind.fields[n].type, one)}' for n, one in value.items())}}}"
        return orjson.dumps(value).decode()


def document(chance: random.Random) -> tuple[str, dict[str, Any]]:
    """Return a document at random, with its variables."""
    return Asking(chance).document()

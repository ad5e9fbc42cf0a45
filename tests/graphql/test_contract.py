"""What is served of the contract is served as the contract says; what is not served yet is listed, and nothing else."""

from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    is_required_argument,
    is_required_input_field,
)

from schema import SCHEMA

CONTRACT = build_schema((Path(__file__).parent / "contract.graphql").read_text(encoding="utf-8"))
SERVED = build_schema(str(SCHEMA))

# Parts of the contract that are not served yet. A part that comes to be served has to be taken off this list.
NOT_YET = {
    "Checkpoint": {"signatures"},
    "Query": {
        *("audit", "auditStatus"),
        *("subjectRequests", "dataReuseStudies"),
    },
    "Mutation": {
        *("signCheckpoint", "recordSubjectRequest"),
        *("answerSubjectRequest", "registerDataReuse"),
    },
}
TYPES_NOT_YET = {
    "Signature",
    *("Act", "Change", "AuditStatus", "SubjectRight", "RequestStatus", "SubjectRequest", "DataReuseStudy"),
    *(f"{name}{part}" for name in ("Act", "Change") for part in ("Connection", "Edge")),
    *("SignCheckpointInput", "RecordSubjectRequestInput", "AnswerSubjectRequestInput"),
    *("RegisterDataReuseInput", "SignCheckpointPayload"),
    *("RecordSubjectRequestPayload", "AnswerSubjectRequestPayload", "RegisterDataReusePayload"),
}


def _types():
    return {name: kind for name, kind in CONTRACT.type_map.items() if not name.startswith("__")}


def test_every_type_is_served_or_listed():
    assert {name for name in _types() if name not in SERVED.type_map} == TYPES_NOT_YET


def test_every_field_and_argument_is_served_with_its_type():
    missing: dict[str, set[str]] = {}
    differs: list[str] = []
    for name, wanted in _types().items():
        found = SERVED.type_map.get(name)
        if found is None:
            continue
        assert type(found) is type(wanted), name
        if isinstance(wanted, GraphQLEnumType):
            assert set(wanted.values) <= set(found.values), name
            continue
        if not isinstance(wanted, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            continue
        for field_name, field in wanted.fields.items():
            other = found.fields.get(field_name)
            if other is None:
                missing.setdefault(name, set()).add(field_name)
                continue
            if str(other.type) != str(field.type):
                differs.append(f"{name}.{field_name}: {other.type}, not {field.type}")
            for argument, value in getattr(field, "args", {}).items():
                served = other.args.get(argument)
                if served is None or str(served.type) != str(value.type):
                    differs.append(f"{name}.{field_name}({argument}:)")
                elif served.default_value != value.default_value:
                    differs.append(f"{name}.{field_name}({argument}:) defaults to {served.default_value}")
            for argument, value in getattr(other, "args", {}).items():
                if argument not in field.args and is_required_argument(value):
                    differs.append(f"{name}.{field_name}({argument}:) is required")
        if isinstance(wanted, GraphQLInputObjectType):
            differs += [
                f"{name}.{extra} is required"
                for extra, value in found.fields.items()
                if extra not in wanted.fields and is_required_input_field(value)
            ]
        else:
            assert {i.name for i in wanted.interfaces} <= {i.name for i in found.interfaces}, name
    assert differs == []
    assert missing == NOT_YET


def test_everything_served_is_described():
    bare: list[str] = []
    for name, kind in SERVED.type_map.items():
        if name.startswith("__") or name in ("String", "Int", "Float", "Boolean", "ID"):
            continue
        if not kind.description:
            bare.append(name)
        if isinstance(kind, GraphQLEnumType):
            bare += [f"{name}.{value}" for value, content in kind.values.items() if not content.description]
        for field_name, field in getattr(kind, "fields", {}).items():
            if not field.description:
                bare.append(f"{name}.{field_name}")
            bare += [
                f"{name}.{field_name}({argument}:)"
                for argument, value in getattr(field, "args", {}).items()
                if not value.description
            ]
    assert bare == []

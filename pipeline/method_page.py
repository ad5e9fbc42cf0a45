"""The page that lists every method: what it computes, how, from what, after whom, and the reference cases it meets."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pipeline.arguments import Parameter
from pipeline.calculation import COMMON, describe, plain
from pipeline.figures import meanings
from pipeline.outcome import Method

FAMILIES = {
    "A": "Preclinical",
    "B": "Toxicity",
    "C": "Efficacy",
    "D": "Pharmacology",
    "E": "Attrition",
    "F": "Checkpoints and success",
}

KINDS = {
    "published": "with values printed in a publication",
    "computed": "with values computed independently",
    "definition": "that follow from the definition",
}

INTRODUCTION = """# Methods

Every method Moltrail computes with. This page is written by `moltrail calc --document` from the catalogue, so that it
says what the code does; the first paragraph of each entry gives the formula and the conventions chosen.

Each method can be asked over GraphQL, below the root field `calculate`, and from the command line:
`moltrail calc METHOD --help`. A result carries its values, or the reason there is none; the single figures that are
missing, each with its reason; flags; and the id, the version and the parameters it was computed with. Missing is never
zero, and never NaN. The version changes whenever a number could.

A kind with a question mark may be missing: no value is given, or none is found. A reference case is a set of inputs
with the values to be found; the suite runs all of them.
"""


def page(methods: Iterable[Method], cases: Mapping[str, Mapping[str, int]]) -> str:
    """Return the page in Markdown. `cases`: how many reference cases of each kind there are for a method's id."""
    entries = list(methods)
    parts = [INTRODUCTION, _contents(entries, cases)]
    family = ""
    for method in entries:
        if method.id[0] != family:
            family = method.id[0]
            parts.append(f"## {family}. {FAMILIES[family]}\n")
        parts.append(_entry(method, cases.get(method.id, {})))
    return "\n".join(parts)


def count_cases(folder: Path) -> dict[str, dict[str, int]]:
    """Return, by method, how many reference cases of each kind the JSON files of a folder hold."""
    counts: dict[str, Counter[str]] = {}
    for file in sorted(folder.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(content, dict) and "method" in content and "cases" in content:
            counts.setdefault(content["method"], Counter())[content.get("kind", "computed")] += len(content["cases"])
    return {method: dict(kinds) for method, kinds in counts.items()}


def _contents(methods: list[Method], cases: Mapping[str, Mapping[str, int]]) -> str:
    rows = [
        f"| [{m.id}](#{m.id.lower()}) | {m.title} | {m.version} | {sum(cases.get(m.id, {}).values()) or ''} |"
        for m in methods
    ]
    return "\n".join(["| method | what it gives | version | reference cases |", "|---|---|---|---|", *rows, ""])


def _entry(method: Method, counts: Mapping[str, int]) -> str:
    parts = re.split(r"\n\n(?=(?:Args|Returns|Raises):\n)", method.documentation)
    text = parts[0]
    named = {part.split(":", 1)[0]: part.split("\n", 1)[1] for part in parts[1:]}
    lines = [f"### {method.id}", "", f"**{method.title}.** {text}", ""]
    lines += [f"Source: {_sentence(method.source)} Version {method.version}. {_met(counts)}", ""]
    lines += ["| input | kind | default | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{p.name}` | {kind(p.annotation)} | {_default(p)} | {_cell(describe(method, p))} |"
        for p in method.parameters
    ]
    lines += ["", f"Gives: {_one_line((method.result_type.__doc__ or '').split('Attributes:')[0])}", ""]
    lines += ["| figure | kind | meaning |", "|---|---|---|", *_figures(method), ""]
    for heading in ("Returns", "Raises"):
        if heading in named:
            lines += [f"{heading}: {_one_line(named[heading])}", ""]
    return "\n".join(lines)


def _figures(method: Method) -> list[str]:
    hints = get_type_hints(method.result_type)
    meaning = meanings(method.result_type)
    return [
        f"| `{f.name}` | {kind(hints[f.name])} | {_cell(meaning[f.name])} |"
        for f in fields(method.result_type)
        if f.name not in COMMON
    ]


def kind(annotation: Any) -> str:
    """Return an annotation in words; a question mark stands for what may be missing."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    simple = {float: "number", int: "whole number", str: "text", bool: "yes or no"}
    if annotation in simple:
        return simple[annotation]
    if origin in (Union, UnionType):
        words = " or ".join(kind(argument) for argument in arguments if argument is not NoneType)
        return f"{words}?" if NoneType in arguments else words
    if origin is Literal:
        return _choice(arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return f"{'pair' if len(arguments) == 2 else len(arguments)} of {kind(arguments[0])}"
    if origin in (tuple, Sequence):
        return f"list of {kind(arguments[0])}"
    if origin is Mapping:
        return f"{kind(arguments[1])} by name"
    if issubclass(annotation, Enum):
        return _choice(member.value for member in annotation)
    return f"record ({', '.join(f'`{f.name}`' for f in fields(annotation))})"


def _choice(options: Iterable[object]) -> str:
    return f"one of ({', '.join(f'`{option}`' for option in options)})"


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "required"
    value = plain(parameter.default)
    return "none" if value is None else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _met(counts: Mapping[str, int]) -> str:
    if not counts:
        return "No reference case."
    said = [f"{number} {KINDS[name]}" for name, number in sorted(counts.items())]
    return f"Reference cases met: {', '.join(said)}."


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."

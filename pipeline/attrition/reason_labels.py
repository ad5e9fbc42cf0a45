"""Texts and labels as people send them: a table with a text, and the reasons or Open Targets classes it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.attrition.reason_evaluation import Evaluation, Labelled, evaluate
from pipeline.attrition.reason_proposal import Proposal, open_targets_classes, propose_reasons
from pipeline.attrition.reason_taxonomy import OpenTargetsClass
from pipeline.errors import FileRefused
from pipeline.exchange.tables import Row, Table, read_tables
from pipeline.words import AttritionReason

HEADINGS: Mapping[str, frozenset[str]] = {
    "key": frozenset({"nctid", "nctnumber", "registryid", "registrynumber", "trial", "id", "programme", "study"}),
    "text": frozenset(
        {"text", "whystopped", "whystop", "reasontext", "reasonverbatim", "stopreason", "motif", "motifdarret", "texte"}
    ),
    "label": frozenset(
        {"label", "labels", "class", "classes", "reason", "reasons", "primary", "category", "categories"}
    ),
    "further": frozenset({"further", "other", "others", "secondary", "contributing"}),
    "part": frozenset({"part", "split", "set"}),
}
"""What a column is, by its heading without case, blanks and signs."""

_APART = re.compile(r"[;|,]")


class Vocabulary(StrEnum):
    """What labels are written in."""

    REASONS = "attrition reasons"
    OPEN_TARGETS = "Open Targets classes"


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and its labels, the primary one first."""

    key: str
    text: str
    labels: tuple[str, ...]
    part: str = ""


def read_texts(data: bytes, filename: str, column: str | None = None) -> list[tuple[int, str, str]]:
    """Return (row as a spreadsheet counts, key, text) for every row of a table.

    Args:
        data: the file.
        filename: its name, for messages.
        column: heading of the column that holds the text; found by its name where not given.

    Raises:
        FileRefused: it is no table, or has no such column.
    """
    table = _table(data, filename)
    at = _columns(table)
    if column is not None:
        named = [n for n, heading in enumerate(table.headings) if heading.casefold() == column.strip().casefold()]
        if not named:
            raise FileRefused(f"{table.file} has no column {column!r}; it has {_shown(table)}.")
        at["text"] = named[0]
    if "text" not in at:
        raise FileRefused(f"{table.file} has no column that holds texts; name it, one of {_shown(table)}.")
    key = at.get("key")
    return [(row.number, "" if key is None else row.cells[key], row.cells[at["text"]]) for row in table.rows]


def read_labelled(
    data: bytes, filename: str, texts: Mapping[str, str] | None = None
) -> tuple[Vocabulary, list[LabelledText]]:
    """Return labelled texts and what their labels are written in; several rows of one key or text are put together.

    Args:
        data: a table with a column of labels (several apart by ; or |), maybe one of further labels, and the texts.
        filename: its name, for messages.
        texts: the texts by key, where the table has keys in their place.

    Raises:
        FileRefused: it is no such table, or a label is neither a reason nor an Open Targets class.
    """
    table = _table(data, filename)
    at = _columns(table)
    if "label" not in at or ("text" not in at and (texts is None or "key" not in at)):
        raise FileRefused(
            f"{table.file} needs a column of labels and one of texts, or of registry numbers with the texts in another "
            f"file; it has {_shown(table)}."
        )
    found: dict[tuple[str, str, str], list[str]] = {}
    rows: list[tuple[int, list[str]]] = []
    for row in table.rows:
        key = row.cells[at["key"]] if "key" in at else ""
        text = row.cells[at["text"]] if "text" in at else (texts or {}).get(key, "")
        part = row.cells[at["part"]] if "part" in at else ""
        labels = found.setdefault((key, text, part), [])
        named = _named(row, at)
        labels += [name for name in named if name not in labels]
        rows.append((row.number, named))
    vocabulary = _vocabulary(table.file, rows)
    read = _READ[vocabulary]
    return vocabulary, [
        LabelledText(key, text, tuple(read[_key(name)] for name in labels), part)
        for (key, text, part), labels in found.items()
        if labels and text
    ]


def proposed_labels(proposal: Proposal, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return what a proposal says in the words of the labels, the primary first."""
    if vocabulary is Vocabulary.OPEN_TARGETS:
        return tuple(one.value for one in open_targets_classes(proposal))
    named = [one.reason for one in proposal.found]
    if proposal.primary is AttritionReason.UNSPECIFIED:
        named.insert(0, AttritionReason.UNSPECIFIED)
    return tuple(reason.value for reason in named)


def evaluate_texts(texts: Sequence[LabelledText], vocabulary: Vocabulary) -> Evaluation:
    """Return how well the rules do on labelled texts."""
    classes = AttritionReason if vocabulary is Vocabulary.REASONS else OpenTargetsClass
    order = [one.value for one in classes]
    return evaluate(
        (Labelled(one.labels, proposed_labels(propose_reasons(one.text), vocabulary)) for one in texts), order
    )


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


_READ: Mapping[Vocabulary, Mapping[str, str]] = {
    Vocabulary.REASONS: {_key(reason): reason.value for reason in AttritionReason},
    Vocabulary.OPEN_TARGETS: {
        **{_key(one): one.value for one in OpenTargetsClass},
        **{_key(one.name): one.value for one in OpenTargetsClass},
        **{
            "businessadministrative": OpenTargetsClass.BUSINESS.value,
            "covid": OpenTargetsClass.COVID_19.value,
            "insufficientenrolment": OpenTargetsClass.INSUFFICIENT_ENROLLMENT.value,
            "logisticsresources": OpenTargetsClass.LOGISTICS.value,
            "safetysideeffects": OpenTargetsClass.SAFETY.value,
            "studystaffmoved": OpenTargetsClass.STAFF_MOVED.value,
        },
    },
}


def _vocabulary(file: str, rows: Sequence[tuple[int, list[str]]]) -> Vocabulary:
    """Return the vocabulary that knows every label."""
    for vocabulary, known in _READ.items():
        if all(_key(name) in known for _, names in rows for name in names):
            return vocabulary
    ours, theirs = (set(known) for known in _READ.values())
    number, name = next(
        ((number, name) for number, names in rows for name in names if _key(name) not in ours | theirs), rows[0]
    )
    raise FileRefused(
        f"{file}, row {number}: {str(name)[:60]!r} is neither a reason ({', '.join(list(AttritionReason)[:3])}, ...) "
        "nor a class of Open Targets, or the file mixes the two."
    )


def _named(row: Row, at: Mapping[str, int]) -> list[str]:
    """Return the labels of a row: apart by ; | or , and further ones by a blank as well."""
    whole = row.cells[at["label"]]
    names = [part.strip() for part in _APART.split(whole)]
    if "further" in at:
        names += re.split(r"[;|,\s]+", row.cells[at["further"]])
    return [name for name in names if name]


def _table(data: bytes, filename: str) -> Table:
    tables = read_tables(data, filename, lambda headings: sum(_meaning(heading) is not None for heading in headings))
    return tables[0]


def _columns(table: Table) -> dict[str, int]:
    at: dict[str, int] = {}
    for position, heading in enumerate(table.headings):
        if (meaning := _meaning(heading)) is not None:
            at.setdefault(meaning, position)
    return at


def _meaning(heading: str) -> str | None:
    return next((meaning for meaning, names in HEADINGS.items() if _key(heading) in names), None)


def _shown(table: Table) -> str:
    return ", ".join(map(repr, table.headings[:12])) or "no heading"

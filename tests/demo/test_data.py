"""The demonstration's files are small, say where they come from, hold no sentences, and are read without loss."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.demo import ATTRIBUTION, STEPS, read_molecules
from pipeline.exchange.formats import read_files
from pipeline.molecules.structures import read_structure
from pipeline.stages.graph import default_graph
from tests.support.datasets import dataset

DATA = ATTRIBUTION.parent / "data"
FILES = sorted(path for path in DATA.rglob("*") if path.is_file())
PUBLIC_STATEMENTS = {"Corporate business decision. Not due to safety or efficacy concerns."}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_files_are_few_and_small() -> None:
    assert sum(path.stat().st_size for path in FILES) < 400_000
    assert {f"{path.relative_to(DATA).as_posix()}" for path in FILES} == {path for step in STEPS for path in step.paths}


def test_every_file_and_every_programme_has_a_source() -> None:
    text = ATTRIBUTION.read_text(encoding="utf-8")
    for path in FILES:
        name = path.relative_to(DATA).as_posix()
        folder = f"data/{name.partition('/')[0]}/"
        assert f"`data/{name}`" in text or folder in text, name
    for row in rows(DATA / "portfolio.csv") + rows(DATA / "portfolio_update.csv"):
        line = next(line for line in text.splitlines() if line.startswith(f"| {row['name']} |"))
        assert row["since"] in line
        assert row["stopped on"] in line


@pytest.mark.parametrize("step", [step for step in STEPS if step.format != "molecules"], ids=lambda step: step.title)
def test_every_row_is_read(step: Any) -> None:
    reading = read_files(step.format, step.files(), default_graph())
    held = 1 if step.format == "snapshots" else 0  # the step back waits for a decision
    batches = [batch for records in reading.records for batch in records.stream()]
    assert not any(batch.held for batch in batches)
    quarantined = len(reading.quarantined) + sum(len(batch.quarantined) for batch in batches)
    assert (quarantined, len(reading.held)) == (0, held)
    assert reading.rows + sum(batch.rows for batch in batches) > 0


def test_structures_are_those_of_their_keys() -> None:
    listed = rows(DATA / "molecules.csv")
    facts = [
        fact.molecule for fact in read_molecules("molecules.csv", (DATA / "molecules.csv").read_bytes()).programmes
    ]
    assert len(facts) == len(listed) == 16
    for row, fact in zip(listed, facts, strict=True):
        assert fact.smiles is not None
        assert read_structure(fact.smiles).inchi_key == row["inchi_key"], row["name"]
        assert fact.external_ids == [("PUBCHEM_CID", row["pubchem"])]
    assert len({row["pubchem"] for row in listed}) == len({row["code"] for row in listed}) == 16


def strings(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (key, text) of every text in a JSON value."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str):
                yield key, item
            else:
                yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item) if not isinstance(item, str) else [("", item)]


def test_no_sentence_of_a_paper_is_among_the_facts() -> None:
    """A sentence ends with a full stop and has more than a few words; labels of arms and studies have none."""
    sentence = re.compile(r"(?:\S+\s+){7,}\S+\.$|\. [A-Z]")
    for path in FILES:
        if path.suffix == ".json":
            texts = [text for key, text in strings(json.loads(path.read_text(encoding="utf-8"))) if key != "briefTitle"]
        else:
            texts = [cell for row in rows(path) for key, cell in row.items() if key != "why_stopped"]
        found = {text for text in texts if sentence.search(text)} - PUBLIC_STATEMENTS
        assert found == set(), path.name
    for table, columns in {
        "trial": ("population", "Trial_Inclusion", "Trial_Exclusion", "DLT_EVA", "comments"),
        "schema": ("schema",),
        "drug": ("Comments",),
        "dose_level": ("Comments",),
        "observed_dlt": ("Comments", "combined_dose_info"),
        "dlt_definition": ("Comments", "DLT_Exculsion"),
    }.items():
        for row in rows(DATA / "phase1" / f"{table}.csv"):
            assert {row[column] for column in columns} == {"NA"}
    assert all(len(row["why_stopped"]) <= 67 for row in rows(DATA / "stopped_trials.csv"))


@pytest.mark.parametrize(
    ("name", "original", "cut"),
    [
        ("trial-stops", "comparator.csv", "stopped_trials.csv"),
        *(("phase1-dlt", f"{table}.csv", f"phase1/{table}.csv") for table in ("drug", "dose_level", "observed_dlt")),
    ],
)
def test_nothing_but_missing_markers_differs_from_the_source(name: str, original: str, cut: str) -> None:
    source = [tuple(row.values()) for row in rows(dataset(name) / original)]
    for row in rows(DATA / cut):
        cells = tuple(row.values())
        assert any(
            all(mine in (theirs, "NA") for mine, theirs in zip(cells, found, strict=True)) for found in source
        ), cells

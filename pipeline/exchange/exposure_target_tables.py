"""Tables of target exposures: drug, parameter, bounds, unit, population and source, one target a row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.errors import FileRefused, InputError
from pipeline.exchange.column_mapping_parameters import parameter_code
from pipeline.exchange.column_mapping_propose import fold
from pipeline.exchange.column_mapping_tables import open_tables
from pipeline.exchange.dataset_table import DataSet, number_text, visible
from pipeline.exchange.reading import Duplicate, Place, Quarantined, Reading, SentFile
from pipeline.exchange.written_numbers import Habit, habit_of, read_number
from pipeline.exchange.written_units import unit_code
from pipeline.units import needs_molar_mass, parse_unit

FORMAT = "exposure-targets"
_WORDS = {
    "drug": "drug|drug name|molecule|compound|inn|dci|medicament|molecule name|substance|name|principe actif",
    "parameter": "parameter|pk parameter|exposure parameter|parametre|metric",
    "relation": "relation|operator|comparison|sign|operateur",
    "lower": "lower|lower bound|lower limit|min|target min|from|target|borne inferieure|minimum|cible|cible min",
    "upper": "upper|upper bound|upper limit|max|target max|to|borne superieure|maximum|cible max",
    "unit": "unit|units|unite|unites",
    "population": "population|indication|disease|patients|pathologie|tumour type|tumor type",
    "printed": "as printed|printed|text|verbatim|texte",
    "source": "source|reference|references|citation|publication",
}
_FIELDS = {fold(word): field for field, words in _WORDS.items() for word in words.split("|")}
_PARAMETERS = {"CMIN": "CMIN", "CTROUGH": "CTROUGH", "CAVG": "CAVG", "CMAX": "CMAX", "AUCTAU": "AUCTAU"}
_PARAMETERS |= {"AUCIFO": "AUCIFO", "AUCLST": "AUCLST", "AUC": "AUCTAU", "AUC0-24": "AUCTAU", "AUC0-24H": "AUCTAU"}
_STRICT = re.compile(r"^\s*(?:>|<)(?!=)|\babove\b|\bmore than\b")
_UPPER_ONLY = re.compile(r"^\s*[<≤]|\bbelow\b|\bat most\b|\bat_most\b", re.IGNORECASE)


class TargetFact(NamedTuple):
    """One target exposure. `drug` as printed; `indication` the population it was found in."""

    place: Place
    drug: str
    parameter: str
    lower: float | None
    upper: float | None
    unit: str
    indication: str | None
    source: str
    flag: str | None


def is_targets(dataset: DataSet) -> bool:
    """Whether a table lists target exposures, by its headings."""
    fields = _fields(dataset)
    return {"drug", "parameter", "unit"} <= fields.keys() and bool({"lower", "upper"} & fields.keys())


def are_targets(files: Sequence[SentFile]) -> bool:
    """Whether every table of some files lists target exposures."""
    try:
        datasets = open_tables(files)
    except FileRefused:
        return False
    return bool(datasets) and all(map(is_targets, datasets))


def read_targets(files: Sequence[SentFile]) -> Reading:
    """Read target exposures.

    Raises:
        FileRefused: a table lacks a column such a list needs.
    """
    reading = Reading(FORMAT)
    for dataset in open_tables(files):
        if not is_targets(dataset):
            there = ", ".join(repr(column.name[:40]) for column in dataset.columns[:12])
            raise FileRefused(
                f"{dataset.place} needs the columns drug, parameter, lower or upper, and unit, not {there}"
            )
        _read(dataset, reading)
    return reading


def _fields(dataset: DataSet) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, column in enumerate(dataset.columns):
        field = _FIELDS.get(fold(column.name))
        if field is not None:
            found.setdefault(field, index)
    return found


def _read(dataset: DataSet, reading: Reading) -> None:
    fields = _fields(dataset)
    seen: dict[tuple[object, ...], Place] = {}
    for chunk in dataset.chunks():
        reading.rows += len(chunk) + len(chunk.bad)
        reading.quarantined += chunk.bad
        columns = {name: chunk.texts(index) for name, index in fields.items()}
        habit = habit_of([*columns.get("lower", []), *columns.get("upper", [])])
        for index, row in enumerate(chunk.rows):
            said = {name: cells[index] for name, cells in columns.items()}
            place = Place(dataset.place, row)
            outcome = _target(place, said, habit)
            if isinstance(outcome, Quarantined):
                heading = dataset.columns[fields[outcome.column]].name if outcome.column in fields else outcome.column
                reading.quarantined.append(outcome._replace(column=heading))
                continue
            first = seen.setdefault(outcome[1:], place)
            if first is not place:
                reading.duplicates.append(Duplicate(place, first))
                continue
            reading.targets.append(outcome)
            if outcome.flag:
                reading.flags.append(Quarantined(place, None, None, outcome.flag))


def _target(place: Place, said: dict[str, str | None], habit: Habit) -> TargetFact | Quarantined:
    drug, printed = said.get("drug"), said.get("parameter")
    if drug is None or printed is None:
        lacking = "drug" if drug is None else "parameter"
        return Quarantined(place, lacking, None, f"the row names no {lacking}; it says nothing without it")
    code = parameter_code(printed).upper().replace(" ", "")
    parameter = _PARAMETERS.get(code)
    if parameter is None:
        known = "Cmin, Ctrough, Cavg, Cmax or AUC"
        return Quarantined(
            place,
            "parameter",
            visible(printed),
            f"{visible(printed)[:40]!r} is no exposure with a target; write {known}",
        )
    bounds: dict[str, float | None] = {}
    for name in ("lower", "upper"):
        reading = read_number(said.get(name), habit)
        if reading.either is not None:
            one, other = map(number_text, reading.either)
            return Quarantined(place, name, said[name], f"this can be {one} or {other}; write it without a comma")
        if said.get(name) is not None and (reading.value is None or reading.value <= 0):
            return Quarantined(place, name, said[name], "a bound is a number above 0")
        bounds[name] = reading.value
    relation = said.get("relation") or ""
    if bounds["upper"] is None and bounds["lower"] is not None and _UPPER_ONLY.search(relation):
        bounds = {"lower": None, "upper": bounds["lower"]}
    return _checked(place, said, parameter, code, bounds["lower"], bounds["upper"], relation)


def _checked(
    place: Place,
    said: dict[str, str | None],
    parameter: str,
    code: str,
    lower: float | None,
    upper: float | None,
    relation: str,
) -> TargetFact | Quarantined:
    if lower is None and upper is None:
        return Quarantined(place, "lower", None, "the row gives no bound; it says nothing without one")
    if lower is not None and upper is not None and lower >= upper:
        return Quarantined(place, "upper", said.get("upper"), "the upper bound lies above the lower one")
    unit = unit_code(said.get("unit"))
    like = "h*ng/mL" if parameter.startswith("AUC") else "ng/mL"
    if unit is None or not _fits(unit, like):
        return Quarantined(
            place, "unit", said.get("unit"), f"the unit is none of {parameter}; write one such as {like}"
        )
    notes = []
    if _STRICT.search(relation):
        notes.append(f"the bound itself is not in the target ({relation})")
    if code != parameter:
        notes.append(f"printed as {said.get('parameter')}, taken for {parameter}, over a dosing interval")
    return TargetFact(
        place,
        (said.get("drug") or "").strip(),
        parameter,
        lower,
        upper,
        unit,
        said.get("population"),
        said.get("source") or "no source is given",
        "; ".join(notes) or None,
    )


def _fits(unit: str, like: str) -> bool:
    try:
        return parse_unit(unit).dimension == parse_unit(like).dimension or needs_molar_mass(unit, like)
    except InputError:
        return False

"""A portfolio as one table: a row per programme with its present stage, or a row per stage entry; read into facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

from pipeline.errors import FileRefused
from pipeline.exchange.cells import NOTHING, DateHabit, habit_of, read_date
from pipeline.exchange.facts import MoleculeFact, ProgrammeFact
from pipeline.exchange.headings import Columns, find_columns, recogniser
from pipeline.exchange.portfolio_merge import Programme, merge
from pipeline.exchange.portfolio_rows import Line, RowReader, Stopped
from pipeline.exchange.reading import Quarantined, Reading
from pipeline.exchange.stage_names import StageNames, fold_words
from pipeline.exchange.tables import Table, read_tables
from pipeline.names import fold, tidy
from pipeline.words import Modality

FORMAT = "portfolio"
IDENTIFIERS = {
    "chembl": "CHEMBL",
    "pubchem": "PUBCHEM_CID",
    "unii": "UNII",
    "cas": "CAS",
    "drugbank": "DRUGBANK",
    "inn": "INN",
}
"""Column -> scheme of an identifier elsewhere."""
_MODALITY_WORDS = {
    Modality.SMALL_MOLECULE: "small molecule|small molecules|petite molecule|chemical|nce|chimique",
    Modality.ANTIBODY: "antibody|monoclonal antibody|mab|anticorps|anticorps monoclonal|bispecific antibody|bispecific"
    "|anticorps bispecifique",
    Modality.ANTIBODY_DRUG_CONJUGATE: "antibody drug conjugate|adc|anticorps conjugue|anticorps drogue conjugue"
    "|immunoconjugate|immunoconjugue",
    Modality.CELL_THERAPY: "cell therapy|car t|car t cell|car t cells|therapie cellulaire|cellules car t",
    Modality.GENE_THERAPY: "gene therapy|therapie genique|oncolytic virus|virus oncolytique",
    Modality.PEPTIDE: "peptide|peptides",
    Modality.OLIGONUCLEOTIDE: "oligonucleotide|sirna|antisense|aso|antisens",
    Modality.VACCINE: "vaccine|vaccin|cancer vaccine|vaccin therapeutique",
    Modality.RADIOPHARMACEUTICAL: "radiopharmaceutical|radioligand|radioligand therapy|radiopharmaceutique"
    "|radioligand therapeutique",
    Modality.OTHER: "other|autre|biologic|biological|protein|biologique",
}
_MODALITY_OF = {word: modality for modality, words in _MODALITY_WORDS.items() for word in words.split("|")}
_MODALITY_OF |= {fold_words(modality): modality for modality in Modality}
_LIST = re.compile(r"\s*[;|\n]\s*")
_COMMA_LIST = re.compile(r"\s*[;|,\n]\s*")


def read_portfolio(
    data: bytes,
    filename: str,
    graph_stages: Mapping[str, str],
    *,
    mapping: Mapping[str, str] | None = None,
    today: date | None = None,
) -> Reading:
    """Read a portfolio workbook or delimited text.

    Args:
        data: the file as sent.
        filename: its name, for places and messages.
        graph_stages: stage code -> name of the state graph in use, earliest stage first.
        mapping: heading -> column or stage code, where the headings are not among the known ones.
        today: the day after which a date lies in the future (UTC today if not given).

    Raises:
        FileRefused: not a table, too large, or without the columns it needs.
    """
    names = StageNames(graph_stages)
    tables = read_tables(data, filename, recogniser(names, mapping))
    reading = Reading(FORMAT)
    lines: list[Line] = []
    described: dict[str, tuple[Table, Columns]] = {}
    found = [(table, _columns(table, names, mapping)) for table in tables]
    usable = [(table, columns) for table, columns in found if not _missing(columns)]
    if not usable:
        raise _refusal(*max(found, key=lambda item: len(item[1].at)))
    for table, columns in found:
        if _missing(columns):
            reading.warnings.append(f"{table.file} was left out: it has no {' and no '.join(_missing(columns))}.")
            continue
        described[table.file] = (table, columns)
        lines += _read_rows(table, columns, names, today or datetime.now(UTC).date(), reading)
    merged = merge(lines, names)
    reading.held += merged.held
    reading.duplicates += merged.duplicates
    _describe(merged.programmes, described, reading)
    if merged.completed_on_the_way:
        reading.warnings.append(
            f"{merged.completed_on_the_way} stage(s) said to be completed before a later one began were read as "
            f"stages completed, not as the end of the programme."
        )
    if not reading.rows:
        reading.warnings.append(f"{usable[0][0].file} has a heading and no rows below it.")
    return reading


def _columns(table: Table, names: StageNames, mapping: Mapping[str, str] | None) -> Columns:
    """Find the columns; a heading that is only a stage ("Phase II") counts where most of its cells are dates."""
    columns = find_columns(table.headings, names, mapping)
    for stage in set(columns.stage_dates) - columns.worded:
        at = columns.stage_dates[stage]
        texts = [row.cells[at] for row in table.rows if row.cells[at].casefold() not in NOTHING][:200]
        dates = sum(reading.value is not None or reading.doubt is not None for reading in map(read_date, texts))
        if dates * 2 <= len(texts):
            del columns.stage_dates[stage]
            columns.unused.append(table.headings[at])
    return columns


def _missing(columns: Columns) -> list[str]:
    """Return what a portfolio cannot do without, in words."""
    missing = []
    if not columns.at.keys() & {"name", "code", "inn"}:
        missing.append("molecule (a column such as Name, Code, Molécule)")
    if not columns.stage_dates and "stage" not in columns.at:
        missing.append("stage (a column such as Stage, Phase, or dates per stage such as Phase 1 start)")
    if not columns.stage_dates and "since" not in columns.at:
        missing.append("date of entering it (a column such as Since, Start date, Depuis)")
    return missing


def _refusal(table: Table, columns: Columns) -> FileRefused:
    headings = ", ".join(repr(heading[:40]) for heading in table.headings[:20] if heading) or "none"
    return FileRefused(
        f"{table.file} has no {' and no '.join(_missing(columns))}; the headings found in row {table.heading_row} are "
        f"{headings}. `moltrail import --template` writes a workbook to fill in."
    )


def _read_rows(table: Table, columns: Columns, names: StageNames, today: date, reading: Reading) -> list[Line]:
    reading.rows += table.count
    reading.quarantined += table.bad
    reading.warnings += table.warnings
    unused = columns.unused + [
        table.headings[columns.at[name]] for name in ("moa", "snapshot_date") if name in columns.at
    ]
    if unused:
        reading.warnings.append(
            f"{table.file}: {len(unused)} column(s) are not kept: {', '.join(repr(name[:60]) for name in unused[:20])}."
        )
    dated = list(columns.stage_dates.values()) + [
        columns.at[name] for name in ("since", "stopped_on") if name in columns.at
    ]
    habits = _habits(table, dated)
    reader = RowReader(table, columns, names, habits, today, reading.flags)
    lines = []
    for row in table.rows:
        try:
            lines.append(reader.read(row))
        except Stopped as stopped:
            if isinstance(stopped.fate, Quarantined):
                reading.quarantined.append(stopped.fate)
            else:
                reading.held.append(stopped.fate)
    reading.warnings += [f"{table.file}: {note} ({rows} row(s))." for note, rows in reader.notes.items()]
    return lines


def _habits(table: Table, dated: Sequence[int]) -> dict[int, DateHabit]:
    """Return how each date column orders day and month; one that does not show it follows the others of the table."""
    texts = {at: {row.cells[at] for row in table.rows} for at in dated}
    habits = {at: habit_of(texts[at], epoch_1904=table.epoch_1904) for at in dated}
    common = habit_of(set().union(*texts.values()), epoch_1904=table.epoch_1904)
    return {at: common if habit.day_first is None else habit for at, habit in habits.items()}


# ------------------------------------------------------------------------------------------- what rows describe


def _describe(
    programmes: Sequence[Programme], described: Mapping[str, tuple[Table, Columns]], reading: Reading
) -> None:
    """Turn merged rows into facts, one molecule fact for all programmes of a molecule."""
    molecules: dict[str, MoleculeFact] = {}
    for programme in programmes:
        first = programme.lines[0]
        molecule = molecules.get(programme.key)
        if molecule is None:
            molecule = MoleculeFact(first.name, programme.key, row=first.place.row, file=first.place.file)
            molecules[programme.key] = molecule
        fact = ProgrammeFact(
            molecule,
            programme.indication or None,
            entries=programme.entries,
            row=first.place.row,
            file=first.place.file,
        )
        for line in programme.lines:
            table, columns = described[line.place.file]
            _describe_molecule(molecule, line, table, columns, reading)
            fact.disease_group = fact.disease_group or _cell(line, columns, "disease_group")
            fact.biomarker = fact.biomarker or _cell(line, columns, "biomarker")
        reading.programmes.append(fact)


def _cell(line: Line, columns: Columns, column: str) -> str | None:
    at = columns.at.get(column)
    if at is None or line.cells[at].casefold() in NOTHING:
        return None
    return line.cells[at]


def _describe_molecule(molecule: MoleculeFact, line: Line, table: Table, columns: Columns, reading: Reading) -> None:
    """Add what a row says of its molecule; what differs from an earlier row is flagged and the first is kept."""
    if line.code and not molecule.code:
        molecule.code = line.code
    if line.name != molecule.name and line.name not in molecule.synonyms and line.name != molecule.code:
        molecule.synonyms.append(line.name)
    smiles = _cell(line, columns, "smiles")
    if smiles and molecule.smiles and smiles != molecule.smiles:
        heading = table.headings[columns.at["smiles"]]
        said = f"another structure than in row {molecule.row}; the first is kept"
        reading.flags.append(Quarantined(line.place, heading, smiles[:200], said))
    molecule.smiles = molecule.smiles or smiles
    modality = _cell(line, columns, "modality")
    if modality and molecule.modality is Modality.UNKNOWN:
        known = _MODALITY_OF.get(fold_words(modality).replace("-", " "))
        if known is None:
            heading = table.headings[columns.at["modality"]]
            reading.flags.append(
                Quarantined(line.place, heading, modality[:200], "no modality is called this; left out")
            )
        molecule.modality = known or Modality.UNKNOWN
    extend(molecule.targets, split_list(_cell(line, columns, "targets"), commas=True))
    extend(molecule.synonyms, map(tidy, split_list(_cell(line, columns, "synonyms"))))
    for column, scheme in IDENTIFIERS.items():
        value = _cell(line, columns, column)
        if value and (scheme, value) not in molecule.external_ids:
            molecule.external_ids.append((scheme, value))
            if scheme == "INN" and fold(value) not in (molecule.key, *map(fold, molecule.synonyms)):
                molecule.synonyms.append(tidy(value))


def split_list(text: str | None, *, commas: bool = False) -> list[str]:
    """Return the parts of a cell that lists several things; names hold commas, so these separate only if told."""
    return [part for part in (_COMMA_LIST if commas else _LIST).split(text) if part] if text else []


def extend(items: list[str], more: Iterable[str]) -> None:
    """Add what is not there yet, in order."""
    items += [item for item in dict.fromkeys(more) if item not in items]

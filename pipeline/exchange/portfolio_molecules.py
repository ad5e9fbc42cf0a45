"""What the rows of a portfolio say of molecules apart from their stages: identifiers, targets, structure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.exchange.cells import is_nothing
from pipeline.exchange.facts import MoleculeFact, ProgrammeFact
from pipeline.exchange.headings import Columns
from pipeline.exchange.portfolio_merge import Programme
from pipeline.exchange.portfolio_rows import Line
from pipeline.exchange.reading import Quarantined
from pipeline.exchange.stage_names import fold_words
from pipeline.exchange.tables import Table
from pipeline.names import fold, tidy
from pipeline.words import Modality

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
_DESCRIBING = ("smiles", "modality", "targets", "synonyms", "disease_group", "biomarker", *IDENTIFIERS)


@dataclass(slots=True)
class Described:
    """A table and those of its columns that describe molecules and programmes."""

    table: Table
    columns: Columns
    flags: list[Quarantined]
    present: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Look the describing columns up once, not for every row."""
        self.present = [(column, self.columns.at[column]) for column in _DESCRIBING if column in self.columns.at]

    def flag(self, line: Line, column: str, value: str, said: str) -> None:
        """Note something to mind about an accepted row."""
        heading = self.table.headings[self.columns.at[column]]
        self.flags.append(Quarantined(line.place, heading, value[:200], said))


def describe(programmes: Sequence[Programme], described: Mapping[str, Described]) -> list[ProgrammeFact]:
    """Turn merged rows into facts, with one molecule fact for all programmes of a molecule."""
    molecules: dict[str, MoleculeFact] = {}
    facts = []
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
            _describe_line(fact, line, described[line.place.file])
        facts.append(fact)
    return facts


def _describe_line(fact: ProgrammeFact, line: Line, described: Described) -> None:
    """Add what a row says; of two values where there can be one, the first is kept and the other flagged."""
    molecule = fact.molecule
    if line.code and not molecule.code:
        molecule.code = line.code
    if line.name != molecule.name and line.name not in molecule.synonyms and line.name != molecule.code:
        molecule.synonyms.append(line.name)
    for column, at in described.present:
        value = line.cells[at]
        if is_nothing(value):
            continue
        if column == "targets":
            extend(molecule.targets, split_list(value, commas=True))
        elif column == "synonyms":
            extend(molecule.synonyms, map(tidy, split_list(value)))
        elif column == "modality":
            _modality(molecule, line, value, described)
        elif column == "smiles":
            molecule.smiles = _first(molecule.smiles, value, line, column, described)
        elif column == "disease_group":
            fact.disease_group = _first(fact.disease_group, value, line, column, described)
        elif column == "biomarker":
            fact.biomarker = _first(fact.biomarker, value, line, column, described)
        else:
            _identifier(molecule, IDENTIFIERS[column], value)


def _first(known: str | None, value: str, line: Line, column: str, described: Described) -> str:
    if known is None or known == value:
        return value
    described.flag(line, column, value, f"another row says {known[:80]!r}, which is kept")
    return known


def _modality(molecule: MoleculeFact, line: Line, value: str, described: Described) -> None:
    known = _MODALITY_OF.get(fold_words(value).replace("-", " "))
    if known is None:
        described.flag(line, "modality", value, "no modality is called this; left out")
    elif molecule.modality is Modality.UNKNOWN:
        molecule.modality = known
    elif molecule.modality is not known:
        described.flag(line, "modality", value, f"another row says {molecule.modality}, which is kept")


def _identifier(molecule: MoleculeFact, scheme: str, value: str) -> None:
    if (scheme, value) in molecule.external_ids:
        return
    molecule.external_ids.append((scheme, value))
    if scheme == "INN" and fold(value) not in (molecule.key, *map(fold, molecule.synonyms)):
        molecule.synonyms.append(tidy(value))


def split_list(text: str | None, *, commas: bool = False) -> list[str]:
    """Return the parts of a cell that lists several things; names hold commas, so these separate only if told."""
    return [part for part in (_COMMA_LIST if commas else _LIST).split(text) if part] if text else []


def extend(items: list[str], more: Iterable[str]) -> None:
    """Add what is not there yet, in order."""
    items += [item for item in dict.fromkeys(more) if item not in items]

"""The columns of a portfolio under the names people give them, in English and French."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.errors import FileRefused
from pipeline.exchange.stage_names import StageNames, fold_words

SYNONYMS: dict[str, str] = {
    "name": "name|molecule|molecule name|compound|compound name|drug|drug name|product|product name|pert iname|iname"
    "|asset|candidate|drug candidate|agent|investigational product|nom|nom de la molecule|nom du produit|nom molecule"
    "|produit|medicament|nom du medicament|candidat|candidat medicament|compose|nom du compose|denomination|substance"
    "|active substance|principe actif|intervention|preferred name",
    "code": "code|molecule code|compound code|compound id|product code|drug code|research code|internal code|id"
    "|identifier|code molecule|code produit|code compose|code interne|identifiant|reference|ref"
    "|molecule id|code de la molecule|internal id|internal no|internal number|internal reference|asset id|project code"
    "|no interne|n interne|numero interne|id interne|reference interne|ref interne|code projet|code du produit",
    "inn": "inn|dci|generic name|denomination commune internationale|international nonproprietary name",
    "modality": "modality|modalite|molecule type|type de molecule|drug type|type|nature|product type"
    "|type of molecule|type de produit|nature du produit|therapeutic modality|modalite therapeutique",
    "indication": "indication|indications|disease|disease indication|condition|conditions|cancer|cancer type"
    "|tumour type|tumor type|tumour|tumor|diagnosis|pathologie|maladie|type de cancer|tumeur"
    "|localisation|localisation tumorale",
    "disease_group": "disease group|disease area|therapeutic area|area|groupe de maladies|groupe|aire therapeutique"
    "|domaine therapeutique|domaine|organe|organ|specialite|comite|groupe de pathologies",
    "biomarker": "biomarker|biomarkers|marker|biomarqueur|biomarqueurs|marqueur|mutation|alteration",
    "targets": "target|targets|target s|molecular target|drug target|cible|cibles|cible s|cible moleculaire"
    "|cibles moleculaires|gene target|gene",
    "stage": "stage|phase|current stage|current phase|clinical phase|development stage|development phase|present stage"
    "|highest phase|max phase|highest development stage|stage of development|phase of development|development status"
    "|clinical stage|pipeline stage|highest phase reached|phase atteinte|stade atteint|phase la plus avancee"
    "|stade|stade actuel|stade de developpement|etape|etape actuelle|phase actuelle|phase clinique"
    "|phase de developpement|statut de developpement|stage/phase|phase/stage|stade/phase"
    "|global status|highest status|pipeline status|r d status|r d phase|r d stage|latest phase|latest stage"
    "|furthest phase|max development phase|phase la plus elevee|phase maximale",
    "since": "since|since when|stage since|entered|entered on|date entered|entry date|date of entry|stage entry date"
    "|stage date|date of stage|stage start|stage start date|phase start|phase start date|phase date|start date|start"
    "|phase entry|phase entry date|date entered phase|date entered stage|stage entry"
    "|date|started|started on|occurred on|depuis|depuis le|depuis quand|date d entree|date d entree en phase"
    "|date d entree dans la phase|date de debut|date debut|debut|date de la phase|date de phase|date phase"
    "|date de l etape|date d etape|date etape|date de passage|date de debut de phase|date debut phase|date du stade"
    "|date de demarrage|demarrage|event date|date of event|date de l evenement|date evenement",
    "status": "status|state|programme status|program status|project status|current status|statut|etat|situation"
    "|statut actuel|statut du programme|statut du projet|etat d avancement|event|event type|evenement"
    "|outcome|programme outcome|program outcome|fate|issue|devenir",
    "stopped_on": "stopped on|stop date|date of stop|date stopped|discontinued on|discontinuation date|status date"
    "|date discontinued|discontinued date|date of discontinuation|date terminated|date d abandon|date d interruption"
    "|date of status|termination date|end date|end|ended|ended on|date d arret|date arret|date de fin|date fin|fin"
    "|date du statut|date de statut|arrete le|arret|left|left on|date left|exit|exit date|exited on|outcome date"
    "|date of outcome|sortie|date de sortie|sorti le",
    "reason": "reason|reason code|reasons|reason for stop|reason for stopping|stop reason|why stopped|attrition reason"
    "|reason for discontinuation|discontinuation reason|reason discontinued|reason for discontinuing|reason stopped"
    "|reason for termination|termination reason|why discontinued|motif de l arret|motif d abandon|raison de l abandon"
    "|motif d interruption|cause d abandon|cause|motif|motifs|motif d arret|raison|raison d arret"
    "|raison de l arret|cause d arret|cause de l arret",
    "reason_verbatim": "reason verbatim|reason in words|verbatim|motif en clair|motif in extenso",
    "note": "note|notes|comment|comments|remark|remarks|commentaire|commentaires|remarque|remarques|observations",
    "smiles": "smiles|canonical smiles|isomeric smiles|structure smiles",
    "synonyms": "synonyms|synonym|other names|aliases|alias|aka|also known as|synonymes|synonyme|autres noms"
    "|brand name|trade name|nom commercial|noms alternatifs",
    "chembl": "chembl|chembl id|chemblid|molecule chembl id",
    "pubchem": "pubchem|pubchem cid|cid|pubchem id|pubchem compound id",
    "unii": "unii|unii code|fda unii",
    "cas": "cas|cas number|cas no|cas rn|cas registry number|numero cas|n cas|no cas",
    "drugbank": "drugbank|drugbank id",
    "moa": "moa|mechanism of action|mechanism|mode of action|mecanisme d action|mecanisme|mode d action",
    "snapshot_date": "snapshot date|snapshot|as of|as of date|extraction date|extracted on|export date"
    "|date d extraction|date de l export|date du snapshot|data cut off|cut off date|version date"
    "|report date|release date|date d export|version|release|date de version|data cutoff|cutoff date",
}
"""Column -> the headings it is known by (folded), the clearest first."""

_BY_HEADING = {word: (column, rank) for column, words in SYNONYMS.items() for rank, word in enumerate(words.split("|"))}
_DATE_WORDS = re.compile(
    r"\b(?:start|started|starts|begin|began|entry|entered|since|date|dates|on|of|from|in|first|fpi|approval date"
    r"|debut|depuis|entree|passage|demarrage|du|de|d|le|la|l|en|au)\b"
)
_SIGNS = re.compile(r"[()\[\]?*:,]")
_IN_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]|\*")
_QUALIFIERS = re.compile(
    r"\b(?:current|present|actuel|actuelle|en cours|latest|last known|dernier|derniere|main|principal|principale"
    r"|therapeutic|therapeutique|visee|ciblee|initial|initiale|concerne|concernee|full|official|of the|du|de la|the"
    r"|le|la|les|yyyy|aaaa|mm|dd|jj)\b"
)
_ORDER = re.compile(r"\b(?:(?P<day>dd?|jj?)[/.\- ]+mm?|mm?[/.\- ]+(?:dd?|jj?))[/.\- ]+(?:yy|aa)", re.IGNORECASE)
_END_WORDS = re.compile(r"\b(?:end|ended|stop|stopped|completed|completion|fin|arret|cloture|last)\b")


@dataclass(slots=True)
class Columns:
    """Where the known columns of a table stand, and which headings are not understood."""

    at: dict[str, int] = field(default_factory=dict)
    stage_dates: dict[str, int] = field(default_factory=dict)
    """Stage code -> column holding the date it was entered."""
    unused: list[str] = field(default_factory=list)
    worded: set[str] = field(default_factory=set)
    """Stages whose heading says that it holds a date; "Phase II" alone does not."""


def find_columns(headings: Sequence[str], names: StageNames, mapping: Mapping[str, str] | None = None) -> Columns:
    """Return what each heading means; of two headings for one column the clearer one counts.

    Args:
        headings: the heading row.
        names: the stages, for headings like "Phase 1 start".
        mapping: heading -> column name or stage code, where the sender says so; it comes before the synonyms.
    """
    told = _told(headings, names, mapping or {})
    columns = Columns()
    ranks: dict[str, int] = {}
    for at, heading in enumerate(headings):
        folded = fold_words(_SIGNS.sub(" ", heading))
        column, rank = told.get(heading) or _BY_HEADING.get(folded) or _qualified(heading)
        stage = column if column in names.stages else None if column else _stage_of(folded, names)
        if stage is not None:
            if stage in columns.stage_dates:
                columns.unused.append(heading)
                continue
            columns.stage_dates[stage] = at
            if column or _DATE_WORDS.search(folded):
                columns.worded.add(stage)
        elif column and rank < ranks.get(column, 1_000):
            if column in columns.at:
                columns.unused.append(headings[columns.at[column]])
            columns.at[column], ranks[column] = at, rank
        elif heading:
            columns.unused.append(heading)
    return columns


def _qualified(heading: str) -> tuple[str, int]:
    """Read a heading without what only qualifies it ("Phase en cours", "Date (dd/mm/yyyy)"); a bare one is clearer."""
    bare = fold_words(_SIGNS.sub(" ", _IN_BRACKETS.sub(" ", heading)))
    short = " ".join(_QUALIFIERS.sub(" ", bare).replace("/", " ").split())
    column, rank = _BY_HEADING.get(bare) or _BY_HEADING.get(short) or ("", 0)
    return column, rank + 100


def order_told(heading: str) -> bool | None:
    """Return whether a heading such as "Date (jj/mm/aaaa)" says that the day comes first (False: the month)."""
    found = _ORDER.search(heading)
    return None if found is None else found["day"] is not None


def _told(headings: Sequence[str], names: StageNames, mapping: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    told = {}
    for heading, column in mapping.items():
        if column not in SYNONYMS and column not in names.stages:
            raise FileRefused(
                f"the mapping gives {heading[:80]!r} to {column[:80]!r}, which is neither a column "
                f"({', '.join(SYNONYMS)}) nor a stage code."
            )
        fitting = [found for found in headings if fold_words(found) == fold_words(heading)]
        told.update(dict.fromkeys(fitting, (column, -1)))
    return told


def _stage_of(folded: str, names: StageNames) -> str | None:
    """Return the stage whose date a heading like "Phase II start" or "Début phase 2" announces."""
    if not folded or folded.isdigit() or _END_WORDS.search(folded):
        return None
    return names.read(folded).code or names.read(" ".join(_DATE_WORDS.sub(" ", folded).split()) or "-").code


def recogniser(names: StageNames, mapping: Mapping[str, str] | None = None) -> Callable[[Sequence[str]], int]:
    """Return the function that counts how many cells of a row are known headings."""

    def known(cells: Sequence[str]) -> int:
        columns = find_columns(cells, names, mapping)
        return len(columns.at) + (len(columns.stage_dates) if columns.at else 0)

    return known

"""What the interventions of a registered study are: molecules, or something else that is kept by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipeline.exchange.ctgov_fields import Fields
from pipeline.exchange.facts import MoleculeFact, StudyMolecule
from pipeline.names import canonical_key, fold, tidy
from pipeline.words import Modality

_MOLECULE_TYPES = {"DRUG", "BIOLOGICAL", "GENETIC", "COMBINATION_PRODUCT"}
_OTHER_TYPES = {"BEHAVIORAL", "DEVICE", "DIAGNOSTIC_TEST", "DIETARY_SUPPLEMENT", "PROCEDURE", "RADIATION", "OTHER"}
_LONGEST_NAME = 300

_PLACEBO = re.compile(r"\b(?:placebos?|plcb|sham|dummy|sugar pills?)\b|^vehicle\b", re.IGNORECASE)
_ALTERNATIVES = re.compile(r"\s\+\s?|/|\s(?:and|or|plus)\s")
_NO_MOLECULE = re.compile(
    r"^(?:standard|conventional|best|usual|supportive|investigator|physician|treatment|local|routine)\b.*"
    r"\b(?:care|therapy|treatment|chemotherapy|choice|regimen)$"
    r"|^(?:chemotherapy|soc|bsc|observation|no (?:treatment|intervention)|control|watchful waiting"
    r"|radiation(?: therapy)?|radiotherapy|(?:normal |0\.9 ?% ?)?saline(?: solution)?|surgery)$",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\s\+\s?|\+(?=[a-z]{3})|\s(?:and|or|plus|with|followed by|&|et|ou)\s|\bcombination\b", re.IGNORECASE
)
_REGIMEN = re.compile(
    r"\b(?:regimen|chemotherapy|chemoradiotherapy|immunosuppression|antiemetics?)\b|^m?fol(?:fox|firi|foxiri|firinox)\S*$"
    r"|^(?:xel|cap)(?:ox|iri)$|^(?:da-?)?(?:r-?)?(?:chop|cvp|ice|dhap|epoch)(?:-?r)?$|^abvd$",
    re.IGNORECASE,
)
_ISOTOPES = (
    "131I 125I 124I 123I 90Y 177Lu 223Ra 224Ra 186Re 188Re 153Sm 89Sr 225Ac 213Bi 212Bi 211At 64Cu 67Cu 68Ga 99mTc "
    "111In 89Zr 18F 166Ho 212Pb 161Tb 32P"
)
_ISOTOPE = re.compile(
    "|".join(
        rf"\b(?:{number}[ -]?{symbol}|{symbol}[ -]?{number})(?![a-z0-9])"
        for number, symbol in re.findall(r"(\d+m?)([A-Z][a-z]?)", _ISOTOPES)
    )
    + r"|\b(?:iodine|yttrium|lutetium|radium|rhenium|samarium|strontium|actinium)[ -](?:[A-Z][a-z]?[ -])?\d{2,3}\b"
)
_SEALED_SOURCE = re.compile(r"brachy|seed|sphere|emboli|implant|plaque|applicator", re.IGNORECASE)
_DOSE = re.compile(
    r"[\s,;:]*\(?\s*\d[\d.,]*\s*(?:-\s*\d[\d.,]*\s*)?(?:mg|µg|μg|mcg|ug|g|kg|ml|iu|mbq|gbq|mci|units?|mm|%)"
    r"(?:\s*/\s*(?:kg|m2|m²|m\^2|day|d|dose|ml|body))*\b.*$",
    re.IGNORECASE,
)
_FORM = re.compile(
    r"[\s,]+(?:oral|iv|i\.v\.|sc|im|intravenous(?:ly)?|subcutaneous(?:ly)?|for|tablets?|capsules?|injections?|injectable"
    r"|infusions?|solution|suspension|administration|monotherapy)$",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?:[A-Z]{2,6}[- ]?\d{2,}|[A-Z]-?\d{3,})[A-Za-z0-9-]*")
_WORD = re.compile(r"[A-Za-z]{5,}(?:[ -][a-z]{5,}){0,2}")
_BRACKET = re.compile(r"(.+?)\s*\(([^()]+)\)")
# Stems of international nonproprietary names (WHO, The use of stems in the selection of INN, 2018).
_STEMS = (
    (re.compile(r"vaccine"), Modality.VACCINE),
    (re.compile(r"mab \w*(?:vedotin|tansine|tecan|mafodotin|ozogamicin|tesirine)\b"),
     Modality.ANTIBODY_DRUG_CONJUGATE),
    (re.compile(r"mab\b"), Modality.ANTIBODY),
    (re.compile(r"leucel\b|\bcar[- ]?t\b|\bt[- ]cells?\b|\bnk cells?\b|stem cells?\b|lymphocytes\b"),
     Modality.CELL_THERAPY),
    (re.compile(r"(?:gene \w+vec|repvec|plasmid)\b"), Modality.GENE_THERAPY),
    (re.compile(r"(?:rsen|siran)\b"), Modality.OLIGONUCLEOTIDE),
    (re.compile(r"(?:reotide|relix|tirelin|relin)\b"), Modality.PEPTIDE),
    (re.compile(r"(?:tinib|ciclib|parib|rafenib|metinib|lisib|degib|platin|rubicin|taxel|zomib|inostat|olimus|citabine)\b"),
     Modality.SMALL_MOLECULE),
)  # fmt: skip


@dataclass(slots=True)
class Interventions:
    """The molecules of a study with their arms; everything else by type and name; and what to mind."""

    molecules: list[StudyMolecule] = field(default_factory=list)
    others: list[dict[str, str]] = field(default_factory=list)
    flags: list[tuple[str, str, str]] = field(default_factory=list)
    """(field, value, what to mind)"""


def read_interventions(module: Fields, arms: list[str], *, file: str, row: int) -> Interventions:
    """Sort the interventions of an arms and interventions module.

    Drugs, biologicals, genetic and combination products are molecules, a radiation that names an isotope as well.
    Placebos, standards of care, procedures, devices, behaviour, supplements and beams are not, nor regimens, classes
    and names that join molecules ("A + B"; all flagged): these are kept as printed, not split. Doses, forms, a placebo
    as the alternative and a research code in brackets are set aside in the molecule's name, never in the study's.
    """
    found = Interventions()
    by_key: dict[str, MoleculeFact] = {}
    for item in module.each("interventions"):
        printed = tidy(item.text("name") or "")
        kind = re.sub(r"[^A-Z]+", "_", (item.text("type") or "").upper())
        if kind not in _MOLECULE_TYPES | _OTHER_TYPES:
            found.flags.append((f"{item.path}.type", item.text("type") or "", "no known type of intervention"))
        if not _is_molecule(kind, printed):
            found.others.append({"type": kind, "name": printed})
            continue
        if _REGIMEN.search(printed) and not _SEVERAL.search(printed):
            found.flags.append((f"{item.path}.name", printed, "a regimen or a class; kept with the others"))
            found.others.append({"type": kind, "name": printed})
            continue
        if kind == "RADIATION":
            found.flags.append((f"{item.path}.name", printed, "a radiation that names an isotope; taken as a molecule"))
        name, synonyms, several = _named(printed)
        key = canonical_key(name)
        if not key or len(name) > _LONGEST_NAME:
            found.flags.append((f"{item.path}.name", printed[:100], "no name of a molecule; kept with the others"))
            found.others.append({"type": kind, "name": printed[:_LONGEST_NAME]})
            continue
        if several:
            found.flags.append((f"{item.path}.name", printed, "names no single molecule; kept with the others"))
            found.others.append({"type": kind, "name": printed})
            continue
        molecule = by_key.get(key)
        if molecule is None:
            molecule = by_key[key] = MoleculeFact(name, key, modality=_modality(kind, name), row=row, file=file)
        _add_synonyms(molecule, [*synonyms, *item.texts("otherNames")])
        for arm in _arms_of(item, module, arms, found):
            found.molecules.append(StudyMolecule(molecule, printed, arm=arm, row=row))
    return found


def add_mesh_ids(found: Interventions, module: Fields) -> None:
    """Give molecules the MeSH number the register derived for the same name."""
    terms = {canonical_key(item.text("term") or ""): item.text("id") for item in module.each("meshes")}
    for molecule in {item.molecule.key: item.molecule for item in found.molecules}.values():
        if number := terms.get(molecule.key):
            molecule.external_ids.append(("MESH", number))


def _is_molecule(kind: str, name: str) -> bool:
    if kind == "RADIATION":
        return bool(_ISOTOPE.search(name)) and not _SEALED_SOURCE.search(name)
    if kind not in _MOLECULE_TYPES or _NO_MOLECULE.search(name):
        return False
    return not _PLACEBO.search(name) or any(
        fold(part) and not _PLACEBO.search(part) for part in _ALTERNATIVES.split(name)
    )


def _named(printed: str) -> tuple[str, list[str], bool]:
    """Return a molecule's name without dose and form, names given in brackets, and whether it may be several."""
    name = printed
    if _PLACEBO.search(name):
        name, *more = [part for part in _ALTERNATIVES.split(name) if not _PLACEBO.search(part)]
        if more:
            return printed, [], True
    if _SEVERAL.search(name):
        return printed, [], True
    name = _shortened(_DOSE, name)
    while (shorter := _shortened(_FORM, name)) != name:
        name = shorter
    bracket = _BRACKET.fullmatch(name)
    if bracket is None:
        return name, [], False
    outer, inner = bracket[1].strip(), bracket[2].strip()
    same = canonical_key(outer) == canonical_key(inner)
    if _CODE.fullmatch(outer) and (same or _WORD.fullmatch(inner)):
        return inner, [outer], False
    if same or (_WORD.fullmatch(outer) and _CODE.fullmatch(inner)):
        return outer, [inner], False
    return name, [], False


def _shortened(ending: re.Pattern[str], name: str) -> str:
    """Return a name without an ending, unless less than a name would be left."""
    shorter = ending.sub("", name).strip(" ,;:-")
    return shorter if len(fold(shorter)) > 1 and re.search(r"[^\W\d_]", shorter) else name


def _add_synonyms(molecule: MoleculeFact, names: list[str]) -> None:
    known = {fold(molecule.name), *map(fold, molecule.synonyms), ""}
    for name in map(tidy, names):
        if fold(name) not in known and len(name) <= _LONGEST_NAME and not _PLACEBO.search(name):
            known.add(fold(name))
            molecule.synonyms.append(name)


def _arms_of(item: Fields, module: Fields, arms: list[str], found: Interventions) -> list[str | None]:
    """Return the arms an intervention is given in; [None] for all of them, or where the record does not say."""
    labels = item.texts("armGroupLabels")
    if not labels:
        own = fold(item.text("name") or "")
        labels = [
            arm.text("label") or ""
            for arm in module.each("armGroups")
            if any(fold(name.partition(":")[2]) == own for name in arm.texts("interventionNames"))
        ]
    unknown = [label for label in labels if label not in arms]
    if unknown:
        found.flags.append((f"{item.path}.armGroupLabels", unknown[0], "no arm of that label in the record"))
    return [None] if not labels or set(labels) == set(arms) else list(dict.fromkeys(labels))


def _modality(kind: str, name: str) -> Modality:
    """Return what the name's stem and the intervention's type say for certain."""
    if _ISOTOPE.search(name):
        return Modality.RADIOPHARMACEUTICAL
    plain = name.casefold()
    by_stem = next((modality for stem, modality in _STEMS if stem.search(plain)), Modality.UNKNOWN)
    return Modality.GENE_THERAPY if kind == "GENETIC" and by_stem is Modality.UNKNOWN else by_stem

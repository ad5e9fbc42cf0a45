"""Chemical structures: SMILES read into identity (InChIKey), parent without salts, masses and fingerprints.

Conventions:

* The **parent** is what is left without counter-ions and solvents, uncharged as RDKit's Uncharger does it (a quaternary
  ammonium keeps its charge). Components are told apart by a list of common salt formers and solvents; identical
  components count once (a hemisulfate has one parent); an unlisted component gives way to a larger organic one only
  where it is drawn as an ion. Otherwise the mixture as a whole is its own parent, and a warning says so.
* A complex of a metal that binds (platinum, gadolinium, lutetium ...) is never taken apart.
* Stereochemistry and isotopes are kept as drawn; tautomers are left alone (the standard InChI joins most of them).
* Molar masses are average masses in g/mol, of the isotopes given where an isotope is given.
* Fingerprints are of the parent, so that a salt and its base are alike: Morgan of radius 2 and RDKit's pattern
  fingerprint, each of 2,048 bits.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipeline.errors import InputError
from pipeline.molecules.chemistry import chemistry, molar_mass, read_smiles
from pipeline.molecules.parents import binds, parent_of

LONGEST_SMILES = 2_000
MOST_ATOMS = 500
FINGERPRINT_BITS = 2_048
INCHI_MILLISECONDS = 2_000

_LOGGING = threading.Lock()
_POSITION = re.compile(r"around position (\d+)")


@dataclass(frozen=True, slots=True)
class Structure:
    """What one SMILES says. Masses in g/mol; None where a wildcard leaves the structure open."""

    reported: str
    canonical_smiles: str
    inchi_key: str | None
    parent_smiles: str
    parent_inchi_key: str | None
    molar_mass_g_per_mol: float | None
    parent_molar_mass_g_per_mol: float | None
    formula: str
    """Hill order, the whole structure as drawn."""
    fingerprint: bytes
    """Morgan fingerprint of the parent, radius 2, 2,048 bits in 256 bytes."""
    pattern: bytes
    """RDKit's pattern fingerprint of the parent, 2,048 bits in 256 bytes: screens substructure searches."""
    warnings: tuple[str, ...]


def read_structure(smiles: str) -> Structure:
    """Read one SMILES (up to 2,000 characters and 500 atoms).

    Raises:
        InputError: empty, too long, not ASCII, not SMILES, a valence or an aromatic ring that cannot be, a reaction,
            too many atoms, or an InChI that takes longer than two seconds. The message says which, and where.
    """
    chem = chemistry()
    text = checked(smiles)
    whole = parsed(text)
    warnings: list[str] = []
    wildcards = sum(atom.GetAtomicNum() == 0 for atom in whole.GetAtoms())
    if wildcards:
        parent = whole
        warnings.append(
            f"{wildcards} wildcard {'atom' if wildcards == 1 else 'atoms'} (*): a polymer or a family of structures, "
            "which has no InChIKey and no molar mass"
        )
    else:
        parent = parent_of(whole, warnings)
    warnings += _doubts(parent)
    return Structure(
        reported=smiles,
        canonical_smiles=chem.MolToSmiles(whole),
        inchi_key=None if wildcards else _inchi_key(whole),
        parent_smiles=chem.MolToSmiles(parent),
        parent_inchi_key=None if wildcards else _inchi_key(parent),
        molar_mass_g_per_mol=None if wildcards else molar_mass(whole),
        parent_molar_mass_g_per_mol=None if wildcards else molar_mass(parent),
        formula=chem.rdMolDescriptors.CalcMolFormula(whole),
        fingerprint=morgan_fingerprint(parent),
        pattern=pattern_fingerprint(parent),
        warnings=tuple(warnings),
    )


def checked(smiles: str, *, what: str = "SMILES") -> str:
    """Return the text without outer spaces, or refuse what can be no SMILES or SMARTS before RDKit sees it."""
    text = smiles.strip()
    if not text:
        raise InputError(f"the {what} is empty; write a structure such as CC(=O)Oc1ccccc1C(=O)O", path=("smiles",))
    if len(text) > LONGEST_SMILES:
        raise InputError(
            f"the {what} has {len(text):,} characters; at most {LONGEST_SMILES:,} are read: register large molecules "
            "(antibodies, oligonucleotides) without a structure",
            path=("smiles",),
        )
    for position, character in enumerate(text, start=1):
        if not "!" <= character <= "~":
            seen = "a space" if character == " " else f"the character U+{ord(character):04X}"
            raise InputError(
                f"the {what} holds {seen} at position {position}; give the structure alone, in plain ASCII",
                path=("smiles",),
            )
    return text


def parsed(text: str) -> Any:
    """Return RDKit's molecule of checked SMILES, or refuse it saying what is wrong and where."""
    if re.search(r"(?<!-)>", text):
        raise InputError("this is a reaction (>), not a structure; give the product alone", path=("smiles",))
    molecule = read_smiles(text)
    if molecule is None:
        raise InputError(f"{shown(text)} is not a structure: {_complaint(text)}", path=("smiles",))
    if molecule.GetNumAtoms() == 0:
        raise InputError(f"{shown(text)} has no atoms; give the structure", path=("smiles",))
    if molecule.GetNumAtoms() > MOST_ATOMS:
        raise InputError(
            f"the structure has {molecule.GetNumAtoms()} atoms; at most {MOST_ATOMS} are read: register large "
            "molecules without a structure",
            path=("smiles",),
        )
    for atom in molecule.GetAtoms():
        atom.SetAtomMapNum(0)  # numbers that belong to a reaction, not to the structure
    return molecule


def shown(text: str) -> str:
    """Return at most 60 characters of what was sent, in quotation marks."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def morgan_fingerprint(molecule: Any) -> bytes:
    """Return the Morgan fingerprint of an RDKit molecule, radius 2, 2,048 bits in 256 bytes."""
    return bytes(chemistry().DataStructs.BitVectToBinaryText(_morgan().GetFingerprint(molecule)))


def pattern_fingerprint(molecule: Any) -> bytes:
    """Return RDKit's pattern fingerprint, 2,048 bits: all bits of a substructure are set in what contains it."""
    chem = chemistry()
    return bytes(chem.DataStructs.BitVectToBinaryText(chem.PatternFingerprint(molecule, fpSize=FINGERPRINT_BITS)))


@lru_cache(maxsize=1)
def _morgan() -> Any:
    return chemistry().rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=FINGERPRINT_BITS)


def _complaint(text: str) -> str:
    """Return what RDKit finds wrong with SMILES it refused, in a user's words."""
    chem = chemistry()
    try:
        raw = chem.MolFromSmiles(text, sanitize=False)
        problems = chem.DetectChemistryProblems(raw) if raw is not None else ()
    except (RuntimeError, ValueError):
        return "it names an element that does not exist"
    if raw is not None:
        return "; ".join(_problem(raw, problem) for problem in problems[:3]) or "its bonds contradict each other"
    from rdkit import rdBase

    with _LOGGING:  # RDKit's log is one for the whole process
        rdBase.EnableLog("rdApp.error")
        with rdBase.CaptureErrorLog() as log:
            chem.MolFromSmiles(text)
            said = log.messages
        rdBase.DisableLog("rdApp.error")
    if "unclosed ring" in said:
        return "a ring is opened and not closed; every ring number has to come twice"
    if "duplicated ring closure" in said:
        return "a ring number closes a bond that is there already"
    place = _POSITION.search(said)
    where = f" at position {place[1]}" if place else ""
    if "parentheses" in said:
        return f"the parentheses do not match{where}"
    return f"it cannot be read as SMILES{where}"


def _problem(raw: Any, problem: Any) -> str:
    """Return one of RDKit's chemistry problems in words; atoms count from 1, in the order of the SMILES."""
    kind = problem.GetType()
    if kind == "AtomValenceException":
        symbol = raw.GetAtomWithIdx(problem.GetAtomIdx()).GetSymbol()
        return f"atom {problem.GetAtomIdx() + 1} ({symbol}) has more bonds than {symbol} can have"
    if kind == "KekulizeException":
        atoms = ", ".join(str(index + 1) for index in list(problem.GetAtomIndices())[:12])
        return f"no aromatic ring can be drawn through atoms {atoms}; perhaps a hydrogen is missing, as in [nH]"
    return str(problem.Message())


def _doubts(molecule: Any) -> list[str]:
    """Return what a chemist would want to look at again in a parent."""
    chem = chemistry()
    doubts = []
    open_centres = sum(
        centre.specified == chem.StereoSpecified.Unspecified for centre in chem.FindPotentialStereo(molecule)
    )
    if open_centres:
        doubts.append(f"{open_centres} stereo {'element is' if open_centres == 1 else 'elements are'} not specified")
    if any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms() if not binds(atom)):
        doubts.append("there are unpaired electrons; inside brackets hydrogens have to be written, as in [CH3]")
    charge = chem.GetFormalCharge(molecule)
    if charge:
        doubts.append(f"the parent carries a charge of {charge:+d}")
    return doubts


def _inchi_key(molecule: Any) -> str | None:
    chem = chemistry()
    inchi, code, message, _, _ = chem.rdinchi.MolToInchi(_without_datives(molecule), f"-WM{INCHI_MILLISECONDS}")
    if "ime limit" in message:
        raise InputError(
            f"working out the InChI takes longer than {INCHI_MILLISECONDS / 1000:g} s; register the molecule without "
            "this structure, or with a simpler drawing of it",
            path=("smiles",),
        )
    return chem.rdinchi.InchiToInchiKey(inchi) if inchi and code < 2 else None


def _without_datives(molecule: Any) -> Any:
    """Return the molecule with dative bonds drawn as charged single bonds, which is what InChI understands."""
    chem = chemistry()
    dative = [bond.GetIdx() for bond in molecule.GetBonds() if bond.GetBondType() == chem.BondType.DATIVE]
    if not dative:
        return molecule
    drawn = chem.RWMol(molecule)
    for index in dative:
        bond = drawn.GetBondWithIdx(index)
        donor, metal = bond.GetBeginAtom(), bond.GetEndAtom()
        donor.SetFormalCharge(donor.GetFormalCharge() + 1)
        metal.SetFormalCharge(metal.GetFormalCharge() - 1)
        bond.SetBondType(chem.BondType.SINGLE)
    drawn.UpdatePropertyCache(strict=False)
    return drawn

"""The parent of a structure: what is left without counter-ions and solvents. The convention stands in structures.py."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pipeline.molecules.chemistry import chemistry, molar_mass, uncharged

_COUNTER_IONS = frozenset({1, 3, 11, 12, 13, 19, 20, 30, 37, 55})
"""H Li Na Mg Al K Ca Zn Rb Cs: as lone ions they only balance a charge."""
_NON_METALS = frozenset({0, 1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32, 33, 34, 35, 36, 51, 52, 53, 54, 85, 86})

SALT_FORMERS = {
    "hydrogen chloride": "Cl",
    "hydrogen bromide": "Br",
    "hydrogen iodide": "I",
    "hydrogen fluoride": "F",
    "water": "O",
    "ammonia": "N",
    "sulfuric acid": "OS(O)(=O)=O",
    "nitric acid": "O[N+](=O)[O-]",
    "phosphoric acid": "OP(O)(O)=O",
    "carbonic acid": "OC(O)=O",
    "perchloric acid": "OCl(=O)(=O)=O",
    "hexafluorophosphate": "F[P-](F)(F)(F)(F)F",
    "tetrafluoroborate": "F[B-](F)(F)F",
    "methanesulfonic acid": "CS(O)(=O)=O",
    "ethanesulfonic acid": "CCS(O)(=O)=O",
    "benzenesulfonic acid": "OS(=O)(=O)c1ccccc1",
    "p-toluenesulfonic acid": "Cc1ccc(cc1)S(O)(=O)=O",
    "isethionic acid": "OCCS(O)(=O)=O",
    "ethanedisulfonic acid": "OS(=O)(=O)CCS(O)(=O)=O",
    "2-naphthalenesulfonic acid": "OS(=O)(=O)c1ccc2ccccc2c1",
    "1,5-naphthalenedisulfonic acid": "OS(=O)(=O)c1cccc2c1cccc2S(O)(=O)=O",
    "camphorsulfonic acid": "CC1(C)C2CCC1(CS(O)(=O)=O)C(=O)C2",
    "formic acid": "OC=O",
    "acetic acid": "CC(O)=O",
    "propionic acid": "CCC(O)=O",
    "trifluoroacetic acid": "OC(=O)C(F)(F)F",
    "oxalic acid": "OC(=O)C(O)=O",
    "malonic acid": "OC(=O)CC(O)=O",
    "succinic acid": "OC(=O)CCC(O)=O",
    "adipic acid": "OC(=O)CCCCC(O)=O",
    "maleic or fumaric acid": "OC(=O)C=CC(O)=O",
    "lactic acid": "CC(O)C(O)=O",
    "glycolic acid": "OCC(O)=O",
    "malic acid": "OC(CC(O)=O)C(O)=O",
    "tartaric acid": "OC(C(O)C(O)=O)C(O)=O",
    "citric acid": "OC(=O)CC(O)(CC(O)=O)C(O)=O",
    "benzoic acid": "OC(=O)c1ccccc1",
    "salicylic acid": "OC(=O)c1ccccc1O",
    "mandelic acid": "OC(=O)C(O)c1ccccc1",
    "hippuric acid": "OC(=O)CNC(=O)c1ccccc1",
    "gluconic acid": "OCC(O)C(O)C(O)C(O)C(O)=O",
    "lactobionic acid": "OCC1OC(OC(C(O)CO)C(O)C(O)C(O)=O)C(O)C(O)C1O",
    "pamoic acid": "OC(=O)c1cc2ccccc2c(Cc2c(O)c(cc3ccccc23)C(O)=O)c1O",
    "stearic acid": "CCCCCCCCCCCCCCCCCC(O)=O",
    "saccharin": "O=C1NS(=O)(=O)c2ccccc12",
    "aspartic acid": "NC(CC(O)=O)C(O)=O",
    "glutamic acid": "NC(CCC(O)=O)C(O)=O",
    "lysine": "NCCCCC(N)C(O)=O",
    "arginine": "NC(=N)NCCCC(N)C(O)=O",
    "meglumine": "CNCC(O)C(O)C(O)C(O)CO",
    "trometamol": "NC(CO)(CO)CO",
    "ethanolamine": "NCCO",
    "diethanolamine": "OCCNCCO",
    "diethylamine": "CCNCC",
    "triethylamine": "CCN(CC)CC",
    "erbumine": "CC(C)(C)N",
    "ethylenediamine": "NCCN",
    "piperazine": "C1CNCCN1",
    "benzathine": "C(CNCc1ccccc1)NCc1ccccc1",
    "choline": "C[N+](C)(C)CCO",
    "methanol": "CO",
    "ethanol": "CCO",
    "propanol": "CCCO",
    "isopropanol": "CC(C)O",
    "butanol": "CCCCO",
    "ethylene glycol": "OCCO",
    "propylene glycol": "CC(O)CO",
    "acetone": "CC(C)=O",
    "ethyl acetate": "CCOC(C)=O",
    "diethyl ether": "CCOCC",
    "tetrahydrofuran": "C1CCOC1",
    "dioxane": "C1COCCO1",
    "acetonitrile": "CC#N",
    "dimethyl sulfoxide": "CS(C)=O",
    "dimethylformamide": "CN(C)C=O",
    "dimethylacetamide": "CC(=O)N(C)C",
    "N-methylpyrrolidone": "CN1CCCC1=O",
    "dichloromethane": "ClCCl",
    "chloroform": "ClC(Cl)Cl",
    "toluene": "Cc1ccccc1",
    "pentane": "CCCCC",
    "hexane": "CCCCCC",
}
"""Common salt formers and solvents of medicines, uncharged where they can be: name -> SMILES."""


def parent_of(whole: Any, warnings: list[str]) -> Any:
    """Return the parent of an RDKit molecule without wildcards; what was decided is added to `warnings`."""
    chem = chemistry()
    if any(binds(atom) for atom in whole.GetAtoms()):
        warnings.append("a metal complex is kept whole; cis and trans at the metal share one InChIKey")
        return whole
    pieces = chem.GetMolFrags(whole, asMols=True)
    if len(pieces) == 1:
        return uncharged(whole)
    drawn_charge: dict[str, int] = {}
    components: dict[str, Any] = {}
    for piece in pieces:
        neutral = uncharged(piece)
        smiles = chem.MolToSmiles(neutral)
        components[smiles] = neutral
        drawn_charge[smiles] = chem.GetFormalCharge(piece)
    active = {smiles for smiles, piece in components.items() if not _is_salt_former(piece)}
    candidates = active or set(components)
    candidates = {smiles for smiles in candidates if _is_organic(components[smiles])} or candidates
    largest = max(candidates, key=lambda smiles: (molar_mass(components[smiles]), smiles))
    others = candidates - {largest}
    if others and not (active and all(drawn_charge[smiles] for smiles in others)):
        warnings.append(f"{len(components)} components and no single parent: the mixture as a whole is its own parent")
        return whole
    if len(components) > 1:
        left_out = ", ".join(sorted(_name(smiles, components[smiles]) for smiles in set(components) - {largest}))
        warnings.append(f"left out of the parent as salt former or solvent: {left_out}")
    return components[largest]


def binds(atom: Any) -> bool:
    """Tell whether an atom is a metal that does more than balance a charge."""
    number = atom.GetAtomicNum()
    return number not in _NON_METALS and not (number in _COUNTER_IONS and atom.GetDegree() == 0)


def _is_organic(molecule: Any) -> bool:
    return any(atom.GetAtomicNum() == 6 for atom in molecule.GetAtoms())


def _is_salt_former(molecule: Any) -> bool:
    lone = molecule.GetAtomWithIdx(0).GetAtomicNum() if molecule.GetNumAtoms() == 1 else 0
    return lone in _COUNTER_IONS or _flat(molecule) in _salt_formers()


def _name(smiles: str, molecule: Any) -> str:
    return _salt_formers().get(_flat(molecule), smiles)


def _flat(molecule: Any) -> str:
    """Return SMILES without stereochemistry and isotopes: any tartaric acid is tartaric acid."""
    return str(chemistry().MolToSmiles(molecule, isomericSmiles=False))


@lru_cache(maxsize=1)
def _salt_formers() -> dict[str, str]:
    chem = chemistry()
    return {_flat(uncharged(chem.MolFromSmiles(smiles))): name for name, smiles in SALT_FORMERS.items()}

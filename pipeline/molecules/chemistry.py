"""RDKit, loaded on first use and told to keep quiet; and what is asked of it everywhere."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def chemistry() -> Any:
    """Return RDKit's Chem module with the parts used here, loaded on first use (0.3 s) with its log off."""
    from rdkit import Chem, DataStructs, rdBase
    from rdkit.Chem import rdFingerprintGenerator, rdinchi, rdMolDescriptors
    from rdkit.Chem.MolStandardize import rdMolStandardize

    del rdFingerprintGenerator, rdinchi, rdMolDescriptors, rdMolStandardize  # reached as attributes of Chem
    Chem.DataStructs = DataStructs
    rdBase.DisableLog("rdApp.*")
    return Chem


def read_smiles(text: str) -> Any:
    """Return RDKit's molecule of SMILES, None where RDKit cannot read it in whatever way it says so."""
    try:
        return chemistry().MolFromSmiles(text)
    except (RuntimeError, ValueError):  # [#999] ends in an exception, not in None
        return None


def uncharged(molecule: Any) -> Any:
    """Return an RDKit molecule with its acids and bases uncharged, as far as hydrogens can do it."""
    return chemistry().MolStandardize.rdMolStandardize.Uncharger().uncharge(molecule)


def molar_mass(molecule: Any) -> float:
    """Return the average molar mass in g/mol, to the milligram: atomic masses are not known better."""
    return round(float(chemistry().rdMolDescriptors._CalcMolWt(molecule)), 3)

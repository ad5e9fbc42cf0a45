"""Searches among structures: substructure, similarity. (The exact search compares InChIKeys of parents.)"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.errors import InputError
from pipeline.molecules.chemistry import chemistry, read_smiles
from pipeline.molecules.structures import (
    FINGERPRINT_BITS,
    checked,
    parsed,
    pattern_fingerprint,
    read_structure,
    shown,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FINGERPRINT_BYTES = FINGERPRINT_BITS // 8
MOST_QUERY_ATOMS = 150
SEARCH_SECONDS = 5.0

_ONLY_SMARTS = re.compile(r"[~*!&,;$]|\[\d*#")
"""Signs that ask for SMARTS even where RDKit would take the text for SMILES."""

Key = TypeVar("Key")


class _OutOfTime(Exception):
    """The time given to a search is over."""


def substructure(
    query: str, candidates: Iterable[tuple[Key, str, bytes | None]], *, seconds: float = SEARCH_SECONDS
) -> list[Key]:
    """Return the keys of the candidates that contain the query, in the order given.

    Args:
        query: SMILES, whose atoms may carry anything more; or SMARTS, where a sign of it (~ * ! & , ; $ [#6]) occurs
            or the text is no SMILES. Aromaticity counts as RDKit perceives it, stereochemistry where it is given.
        candidates: (key, SMILES, pattern fingerprint of the same SMILES or None). With the fingerprint most candidates
            are told apart without reading their SMILES. A candidate RDKit cannot read never matches.
        seconds: the time the whole search may take.

    Raises:
        InputError: the query cannot be read, has more than 150 atoms, or the time is over.
    """
    chem = chemistry()
    wanted = _query(query)
    bits = int.from_bytes(pattern_fingerprint(wanted), "little")
    until = time.monotonic() + seconds

    def in_time(_query_atom: Any, _candidate_atom: Any) -> bool:
        # Matching takes exponential time in the worst case (long chains in large fused rings), so it asks here.
        if time.monotonic() > until:
            raise _OutOfTime
        return True

    options = chem.SubstructMatchParameters()
    options.useChirality = True
    options.maxMatches = 1
    options.setExtraAtomCheckFunc(in_time)
    found = []
    try:
        for key, smiles, pattern in candidates:
            if pattern is not None and bits & ~int.from_bytes(pattern, "little"):
                continue
            molecule = read_smiles(smiles)
            if molecule is not None and molecule.HasSubstructMatch(wanted, options):
                found.append(key)
            if time.monotonic() > until:
                raise _OutOfTime
    except _OutOfTime:
        raise InputError(
            f"the search took longer than {seconds:g} s; ask for a larger or more specific structure", path=("smiles",)
        ) from None
    return found


def similarity(
    query: str, keys: Sequence[Key], fingerprints: bytes | bytearray | memoryview, threshold: float = 0.7
) -> list[tuple[Key, float]]:
    """Return (key, Tanimoto coefficient) of the structures at least as similar as `threshold`, most similar first.

    Args:
        query: SMILES; its parent is compared, as the stored fingerprints are of parents.
        keys: one per structure.
        fingerprints: the Morgan fingerprints (`Structure.fingerprint`, 256 bytes each) one after the other.
        threshold: 0 < threshold <= 1. Ties keep the order of `keys`.

    Raises:
        InputError: the query cannot be read, or the threshold is outside its range.
        ValueError: keys and fingerprints do not belong together.
    """
    if not 0 < threshold <= 1:
        raise InputError(f"the similarity is {threshold}; ask for more than 0 and at most 1", path=("minSimilarity",))
    if len(fingerprints) != len(keys) * FINGERPRINT_BYTES:
        raise ValueError(f"{len(keys)} keys need {len(keys) * FINGERPRINT_BYTES} bytes, got {len(fingerprints)}")
    import numpy as np

    wanted = np.frombuffer(read_structure(query).fingerprint, dtype=np.uint64)
    coefficients = _tanimoto(
        wanted, np.frombuffer(fingerprints, dtype=np.uint64).reshape(len(keys), FINGERPRINT_BYTES // 8)
    )
    hits = np.flatnonzero(coefficients >= threshold)
    ranked = hits[np.argsort(-coefficients[hits], kind="stable")]
    return [(keys[index], float(coefficients[index])) for index in ranked]


def _tanimoto(wanted: NDArray[np.uint64], matrix: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the Tanimoto coefficient of one fingerprint (words,) with each row of a matrix (n, words)."""
    import numpy as np

    own = int(np.bitwise_count(wanted).sum())
    words = np.flatnonzero(wanted)  # only words with a bit of the query can share one
    shared = np.bitwise_count(matrix[:, words] & wanted[words]).sum(axis=1, dtype=np.int64)
    either = np.bitwise_count(matrix).sum(axis=1, dtype=np.int64) + own - shared
    coefficients: NDArray[np.float64] = np.divide(shared, either, out=np.zeros(len(matrix)), where=either > 0)
    return coefficients


def _query(text: str) -> Any:
    query = checked(text, what="query structure")
    molecule = None if _ONLY_SMARTS.search(query) else read_smiles(query)
    if molecule is None:
        molecule = _read_smarts(query)
        if molecule is None:
            parsed(query)  # says what is wrong with it as SMILES
            raise InputError(f"{shown(query)} is neither SMILES nor SMARTS", path=("smiles",))
    if not 0 < molecule.GetNumAtoms() <= MOST_QUERY_ATOMS:
        raise InputError(
            f"the query structure has {molecule.GetNumAtoms()} atoms; give 1 to {MOST_QUERY_ATOMS}", path=("smiles",)
        )
    return molecule


def _read_smarts(text: str) -> Any:
    try:
        molecule = chemistry().MolFromSmarts(text)
        if molecule is not None:
            molecule.UpdatePropertyCache(strict=False)
    except (RuntimeError, ValueError):  # an element that does not exist
        return None
    return molecule

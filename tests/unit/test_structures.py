"""Structures: identity against published InChIKeys and molar masses, refusals, drawings, searches."""

import random
import re
import time
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, DataStructs

from pipeline.errors import InputError
from pipeline.molecules.drawing import depict
from pipeline.molecules.parents import SALT_FORMERS
from pipeline.molecules.search import similarity, substructure
from pipeline.molecules.structures import read_structure

IMATINIB = "CN1CCN(CC1)Cc1ccc(cc1)C(=O)Nc1ccc(C)c(c1)Nc1nccc(n1)-c1cccnc1"
ERLOTINIB = "COCCOc1cc2ncnc(Nc3cccc(c3)C#C)c2cc1OCCOC"
VISMODEGIB = "CS(=O)(=O)c1ccc(c(Cl)c1)C(=O)Nc1ccc(Cl)c(c1)-c1ccccn1"
PALBOCICLIB = "CC1=C(C(=O)N(C2=NC(=NC=C12)NC3=NC=C(C=C3)N4CCNCC4)C5CCCC5)C(=O)C"
PACLITAXEL = (
    "CC1=C2[C@H](C(=O)[C@@]3([C@H](C[C@@H]4[C@]([C@H]3[C@@H]([C@@](C2(C)C)(C[C@@H]1OC(=O)[C@@H]"
    "([C@H](C5=CC=CC=C5)NC(=O)C6=CC=CC=C6)O)O)OC(=O)C7=CC=CC=C7)(CO4)OC(=O)C)O)C)OC(=O)C"
)
CISPLATIN = "N.N.Cl[Pt]Cl"

PUBLISHED = [
    ("aspirin", 2244, "CC(=O)Oc1ccccc1C(=O)O", "BSYNRYMUTXBXSQ-UHFFFAOYSA-N", 180.16),
    ("imatinib", 5291, IMATINIB, "KTUFNOKKBVMGRW-UHFFFAOYSA-N", 493.6),
    ("imatinib mesylate", 123596, IMATINIB + ".CS(=O)(=O)O", "YLMAHDNUQAMNNX-UHFFFAOYSA-N", 589.7),
    ("erlotinib", 176870, ERLOTINIB, "AAKJLRGGTJKAMG-UHFFFAOYSA-N", 393.4),
    ("gefitinib", 123631, "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1", "XGALLCVXEZPNRQ-UHFFFAOYSA-N", 446.9),
    ("vismodegib", 24776445, VISMODEGIB, "BPQMGSKTAYIVFO-UHFFFAOYSA-N", 421.3),
    ("palbociclib", 5330286, PALBOCICLIB, "AHJRHEGDXFFMBM-UHFFFAOYSA-N", 447.5),
    ("temozolomide", 5394, "CN1N=Nc2c(ncn2C1=O)C(N)=O", "BPEGJWRSRHCHSN-UHFFFAOYSA-N", 194.15),
    ("fluorouracil", 3385, "O=c1[nH]cc(F)c(=O)[nH]1", "GHASVSINZRGABV-UHFFFAOYSA-N", 130.08),
    ("cisplatin", 5460033, CISPLATIN, "LXZZYRPGZAFOLE-UHFFFAOYSA-L", 300.05),
    ("paclitaxel", 36314, PACLITAXEL, "RCINICONZNJXQF-MZXODVADSA-N", 853.9),
    ("caffeine", 2519, "Cn1cnc2c1c(=O)n(C)c(=O)n2C", "RYYVLZVUVIJVGH-UHFFFAOYSA-N", 194.19),
]  # fmt: skip


@pytest.mark.parametrize(("name", "cid", "smiles", "key", "mass"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_identity_and_mass_are_the_published_ones(name, cid, smiles, key, mass):
    structure = read_structure(smiles)
    assert structure.inchi_key == key
    decimals = len(str(mass).partition(".")[2])
    assert structure.molar_mass_g_per_mol == pytest.approx(mass, abs=0.6 * 10**-decimals)
    assert structure.reported == smiles


@pytest.mark.parametrize(
    ("salt", "parent", "left_out"),
    [
        (IMATINIB + ".CS(=O)(=O)O", IMATINIB, "methanesulfonic acid"),
        (IMATINIB + ".CS(=O)(=O)[O-].[H+]", IMATINIB, "[H+], methanesulfonic acid"),
        ("Cl." + ERLOTINIB, ERLOTINIB, "hydrogen chloride"),
        ("CC(=O)Oc1ccccc1C(=O)[O-].[Na+]", "CC(=O)Oc1ccccc1C(=O)O", "[Na+]"),
        ("CC(=O)Oc1ccccc1C(=O)[O-].CC(=O)Oc1ccccc1C(=O)[O-].[Ca+2]", "CC(=O)Oc1ccccc1C(=O)O", "[Ca+2]"),
        ("CCN.CCN.OS(=O)(=O)O.O", "CCN", "sulfuric acid, water"),
        ("C[C@@H](N)Cc1ccccc1.O[C@@H]([C@H](O)C(=O)O)C(=O)O", "C[C@@H](N)Cc1ccccc1", "tartaric acid"),
        ("CC(=O)[O-].[Na+]", "CC(=O)O", "[Na+]"),
    ],
)
def test_a_salt_or_solvate_has_the_parent_of_its_base(salt, parent, left_out):
    structure = read_structure(salt)
    assert structure.parent_inchi_key == read_structure(parent).inchi_key
    assert structure.inchi_key != structure.parent_inchi_key
    assert structure.parent_molar_mass_g_per_mol == read_structure(parent).molar_mass_g_per_mol
    assert structure.fingerprint == read_structure(parent).fingerprint
    assert f"left out of the parent as salt former or solvent: {left_out}" in structure.warnings


@pytest.mark.parametrize("smiles", ["c1ccccc1CCN.c1ccncc1CCO", "[Na+].[Cl-]", "CC(=O)O.CCO"])
def test_a_mixture_without_a_single_parent_says_so_and_stays_whole(smiles):
    structure = read_structure(smiles)
    assert structure.parent_inchi_key == structure.inchi_key
    assert "2 components and no single parent: the mixture as a whole is its own parent" in structure.warnings


@pytest.mark.parametrize("smiles", [CISPLATIN, "[NH3][Pt](Cl)(Cl)[NH3]", "[NH3+][Pt-2]([NH3+])(Cl)Cl"])
def test_a_metal_complex_is_one_molecule_however_it_is_drawn(smiles):
    structure = read_structure(smiles)
    assert structure.parent_inchi_key == "LXZZYRPGZAFOLE-UHFFFAOYSA-L"
    assert structure.parent_molar_mass_g_per_mol == pytest.approx(300.046, abs=1e-3)
    assert any("metal complex" in warning for warning in structure.warnings)


def test_writing_order_does_not_count_and_stereo_and_isotopes_do():
    assert read_structure("OC(=O)c1ccccc1OC(C)=O").inchi_key == read_structure("CC(=O)Oc1ccccc1C(=O)O").inchi_key
    keys = {read_structure(smiles).inchi_key for smiles in ("C[C@H](N)CO", "C[C@@H](N)CO", "CC(N)CO", "[13CH3]C(N)CO")}
    assert len(keys) == 4
    assert "1 stereo element is not specified" in read_structure("CC(N)CO").warnings
    assert read_structure("C[C@H](N)CO").warnings == ()


def test_a_wildcard_has_no_key_and_no_mass_and_says_why():
    structure = read_structure("*OCCO*")
    assert (structure.inchi_key, structure.parent_inchi_key, structure.molar_mass_g_per_mol) == (None, None, None)
    assert "2 wildcard atoms (*)" in structure.warnings[0]


@pytest.mark.parametrize(
    ("smiles", "complaint"),
    [
        ("", "the SMILES is empty"),
        (" \n", "the SMILES is empty"),
        ("C\x00C", "the character U+0000 at position 2"),
        ("CC imatinib", "a space at position 3"),
        ("Cé", "the character U+00E9 at position 2"),
        ("C" * 2_001, "2,001 characters; at most 2,000"),
        ("C" * 501, "501 atoms; at most 500"),
        ("CC(C)(C)(C)C", "atom 2 (C) has more bonds than C can have"),
        ("c1cccc1", "no aromatic ring can be drawn through atoms 1, 2, 3, 4, 5"),
        ("Cn1cccc1c", "non-ring atom 6 marked aromatic"),
        ("C1CC", "a ring is opened and not closed"),
        ("C11", "a ring number closes a bond that is there already"),
        ("CC(C", "the parentheses do not match"),
        ("C[Xx]", "it cannot be read as SMILES at position 3"),
        ("imatinib", "'imatinib' is not a structure"),
        ("CCO>>CC=O", "this is a reaction"),
        ("=1+1", "is not a structure"),
        ("C[#999]", "it names an element that does not exist"),
        ("(" * 1_900, "is not a structure"),
        ("[" * 1_900, "is not a structure"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(smiles, complaint):
    with pytest.raises(InputError, match=re.escape(complaint)) as refusal:
        read_structure(smiles)
    assert len(refusal.value.message) < 260
    assert refusal.value.path == ("smiles",)


def test_an_inchi_that_takes_too_long_is_refused(monkeypatch):
    monkeypatch.setattr("pipeline.molecules.structures.INCHI_MILLISECONDS", 1)
    rungs = 60
    ring = Chem.RWMol()
    for _ in range(2 * rungs):
        ring.AddAtom(Chem.Atom("C"))
    for n in range(rungs):  # a ladder closed to a ring: every atom like every other
        ring.AddBond(2 * n, 2 * n + 1, Chem.BondType.SINGLE)
        ring.AddBond(2 * n, (2 * n + 2) % (2 * rungs), Chem.BondType.SINGLE)
        ring.AddBond(2 * n + 1, (2 * n + 3) % (2 * rungs), Chem.BondType.SINGLE)
    ladder = Chem.MolToSmiles(ring)
    with pytest.raises(InputError, match=r"longer than 0\.001 s"):
        read_structure(ladder)


@given(st.text(alphabet="CcNnOo[]()=#123@+-.Pt*/\\%Hl", max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read_or_refused(text):
    try:
        structure = read_structure(text)
    except InputError:
        return
    assert (len(structure.fingerprint), len(structure.pattern)) == (256, 256)
    assert read_structure(structure.canonical_smiles).inchi_key == structure.inchi_key


def test_every_salt_former_is_read_and_listed_once():
    flat = [Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False) for smiles in SALT_FORMERS.values()]
    assert len(set(flat)) == len(SALT_FORMERS)


def test_a_drawing_is_plain_deterministic_and_titled():
    drawing = depict(IMATINIB + ".CS(=O)(=O)O", 400, 250)
    assert drawing == depict(IMATINIB + ".CS(=O)(=O)O", 400, 250)
    root = ET.fromstring(drawing)
    assert root.attrib["width"] == "400"
    assert root.attrib["viewBox"] == "0 0 400 250"
    assert root.find("{http://www.w3.org/2000/svg}title").text.startswith("CS(=O)(=O)O.")
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {"svg", "title", "path", "rect", "text"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not attributes & {"style", "href", "class"}
    assert not any(name.startswith("on") or "}" in name for name in attributes)
    assert drawing.count("://") == 1


def test_a_title_cannot_break_out_of_the_drawing():
    assert "<title>&lt;script&gt;&quot;</title>" in depict("CC", title='<script>"')


@pytest.mark.parametrize(("width", "height", "path"), [(49, 200, "width"), (200, 2_001, "height"), (-1, 200, "width")])
def test_a_drawing_has_limits(width, height, path):
    with pytest.raises(InputError, match="50 to 2000 pixels") as refusal:
        depict("CC", width, height)
    assert refusal.value.path == (path,)


def library(*smiles):
    return [(text, text, read_structure(text).pattern) for text in smiles]


BENZENES = {"aspirin", "imatinib", "imatinib mesylate", "erlotinib", "gefitinib", "vismodegib", "paclitaxel"}
AMIDES = {"imatinib", "imatinib mesylate", "vismodegib", "palbociclib", "temozolomide", "fluorouracil", "paclitaxel"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("c1ccccc1", BENZENES),
        ("C1=CC=CC=C1", BENZENES),
        ("c1ncc2ccccc2n1", {"erlotinib", "gefitinib"}),
        ("[#7]~[#6](=O)", AMIDES | {"caffeine"}),
        ("[Pt]", {"cisplatin"}),
        ("[F,Cl]c", {"gefitinib", "vismodegib", "fluorouracil"}),
        ("C#N", set()),
    ],
)
def test_substructures_are_found_with_and_without_the_screen(query, found):
    structures = {name: read_structure(smiles) for name, _, smiles, _, _ in PUBLISHED}
    screened = [(name, structure.parent_smiles, structure.pattern) for name, structure in structures.items()]
    assert set(substructure(query, screened)) == found
    assert set(substructure(query, [(name, smiles, None) for name, smiles, _ in screened])) == found


def test_stereo_counts_where_the_query_gives_it():
    candidates = library("C[C@H](N)CO", "C[C@@H](N)CO")
    assert substructure("CC(N)C", candidates) == ["C[C@H](N)CO", "C[C@@H](N)CO"]
    assert substructure("C[C@H](N)CO", candidates) == ["C[C@H](N)CO"]


def test_a_candidate_that_cannot_be_read_never_matches():
    assert substructure("C", [(1, "not a molecule", None), (2, "CC", None)]) == [2]


def test_atom_numbers_of_a_reaction_are_no_part_of_a_structure():
    assert read_structure("[CH3:1][OH:2]").canonical_smiles == "CO"


@pytest.mark.parametrize("query", ["", "[[", "[#999]", "C[#999]~N", "C" * 151, "C\x00", "~~", "[$([$("])
def test_a_wrong_query_is_refused(query):
    with pytest.raises(InputError):
        substructure(query, [])


def test_a_search_that_takes_too_long_is_refused():
    with pytest.raises(InputError, match="took longer than 0 s"):
        substructure("CC", library("CCO", "CCN") * 2, seconds=0)


@pytest.mark.parametrize("query", ["C~" * 30 + "N", "[$(" + "C~" * 30 + "N)]"])
def test_a_single_comparison_cannot_run_on_for_ever(query):
    side = 10
    sheet = Chem.RWMol()
    for _ in range(side * side):
        sheet.AddAtom(Chem.Atom("C"))
    for n in range(side * side):  # a square sheet of carbon has more paths than anybody can walk
        if n % side < side - 1:
            sheet.AddBond(n, n + 1, Chem.BondType.SINGLE)
        if n < side * (side - 1):
            sheet.AddBond(n, n + side, Chem.BondType.SINGLE)
    start = time.perf_counter()
    with pytest.raises(InputError, match=r"took longer than 0\.2 s"):
        substructure(query, [(1, Chem.MolToSmiles(sheet), None)], seconds=0.2)
    assert time.perf_counter() - start < 2


def test_similarity_is_the_tanimoto_coefficient_and_most_similar_comes_first():
    names = [row[0] for row in PUBLISHED]
    structures = [read_structure(row[2]) for row in PUBLISHED]
    matrix = b"".join(structure.fingerprint for structure in structures)
    hits = similarity(ERLOTINIB, names, matrix, 0.2)
    assert hits[0] == ("erlotinib", 1.0)
    expected = DataStructs.BulkTanimotoSimilarity(
        DataStructs.CreateFromBinaryText(structures[3].fingerprint),
        [DataStructs.CreateFromBinaryText(structure.fingerprint) for structure in structures],
    )
    wanted = sorted(((n, c) for n, c in zip(names, expected, strict=True) if c >= 0.2), key=lambda pair: -pair[1])
    assert hits == [(name, pytest.approx(value, abs=1e-12)) for name, value in wanted]
    assert [name for name, _ in similarity(IMATINIB, names, matrix, 1)] == ["imatinib", "imatinib mesylate"]
    assert similarity(IMATINIB, [], b"") == []


@pytest.mark.parametrize("threshold", [0, -1, 1.01, float("nan")])
def test_a_similarity_outside_its_range_is_refused(threshold):
    with pytest.raises(InputError, match="more than 0 and at most 1"):
        similarity("CC", [], b"", threshold)


def test_keys_and_fingerprints_belong_together():
    with pytest.raises(ValueError, match="1 keys need 256 bytes, got 255"):
        similarity("CC", ["a"], b"\x00" * 255)


def test_a_hundred_thousand_structures_are_compared_quickly():
    matrix = random.Random(1).randbytes(256 * 100_000)
    similarity(IMATINIB, ["a"], matrix[:256])
    times = []
    for _ in range(3):
        start = time.perf_counter()
        similarity(IMATINIB, range(100_000), matrix)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5  # measured: 0.05 s; the margin is for a busy machine

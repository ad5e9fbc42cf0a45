"""Registering, finding and merging molecules."""

import pytest

from pipeline.access import Actor, Role
from tests.graphql.conftest import REGISTER, Api

# Structures and molar masses: PubChem compounds 5291 (imatinib) and 5330 (imatinib mesylate is its salt).
IMATINIB = "CC1=C(C=C(C=C1)NC(=O)C2=CC=C(C=C2)CN3CCN(CC3)C)NC4=NC=CC(=N4)C5=CN=CC=C5"
IMATINIB_MESYLATE = IMATINIB + ".CS(=O)(=O)O"


def test_a_molecule_is_registered_with_its_structure_and_first_programme(api: Api):
    found = api.molecule("IUCT-0042", "Imatinib", smiles=IMATINIB, synonyms=["STI-571"], targets=["ABL1"])
    assert found["inchiKey"] == "KTUFNOKKBVMGRW-UHFFFAOYSA-N"
    assert found["molarMass"] == pytest.approx(493.6, abs=0.05)
    assert found["synonyms"] == [{"name": "STI-571", "source": "registered by A. Lead"}]
    assert found["targets"] == ["ABL1"]
    assert [p["stage"]["code"] for p in found["programmes"]] == ["PRECLINICAL_PHARMACOLOGY"]
    assert found["furthestStage"] == found["activeStage"] == {"code": "PRECLINICAL_PHARMACOLOGY"}


@pytest.mark.parametrize(
    "again",
    [
        {"code": "IUCT-0042"},
        {"name": "imatinib"},
        {"name": "STI 571"},
        {"smiles": IMATINIB},
        {"smiles": IMATINIB_MESYLATE},
    ],
    ids=["code", "name", "synonym", "structure", "salt"],
)
def test_registering_the_same_again_hands_the_existing_molecule_back(api: Api, again):
    first = api.molecule("IUCT-0042", "Imatinib", smiles=IMATINIB, synonyms=["STI-571"])
    before = api.acts()
    content = {"code": "IUCT-0043", "name": "Something else", "modality": "SMALL_MOLECULE"} | again
    answer = api(REGISTER, input=content)["registerMolecule"]
    assert answer["molecule"] is None
    assert [(e["__typename"], e["existing"]["id"]) for e in answer["errors"]] == [("Conflict", first["id"])]
    assert api.acts() == before


def test_all_that_is_wrong_comes_back_at_once_and_nothing_is_written(api: Api):
    before = api.acts()
    content = {"code": " ", "name": "???", "modality": "UNKNOWN", "smiles": "C1CC"}
    answer = api(REGISTER, input=content)["registerMolecule"]
    assert [error["path"] for error in answer["errors"]] == [["input", "code"], ["input", "name"], ["input", "smiles"]]
    assert api.acts() == before


def test_a_reader_may_not_register(api: Api):
    guest = Actor.of("D. Protection", Role.DATA_PROTECTION)
    content = {"code": "A", "name": "A", "modality": "UNKNOWN"}
    answer = api(REGISTER, as_=guest, input=content)["registerMolecule"]
    assert [error["__typename"] for error in answer["errors"]] == ["NotPermitted"]


def test_it_is_found_by_code_name_synonym_and_id_in_any_spelling(api: Api):
    first = api.molecule("IUCT-0042", "Imatinib", synonyms=["STI-571"])
    query = "query Find($codes: [String!]!) { moleculesByCode(codes: $codes) { id } }"
    codes = ["IUCT-0042", "imatinib", "sti 571", "nobody knows it"]
    found = api(query, codes=codes)["moleculesByCode"]
    assert found == [{"id": first["id"]}] * 3 + [None]


def test_a_merged_molecule_is_kept_and_its_old_code_finds_the_one_it_was_merged_into(api: Api):
    keep = api.molecule("IUCT-0001", "Imatinib")
    merge = api.molecule("IUCT-0002", "CGP-57148B base", indication="CML")
    document = """
    mutation Merge($input: MergeMoleculesInput!) {
      mergeMolecules(input: $input) {
        molecule { code programmes { indication } synonyms { name source } history(first: 50) { nodes { summary } } }
        errors { message }
      }
    }
    """
    content = {"keep": keep["id"], "merge": merge["id"], "reason": "the same compound, registered twice"}
    answer = api(document, input=content)["mergeMolecules"]
    assert answer["errors"] == []
    assert answer["molecule"]["code"] == "IUCT-0001"
    assert [p["indication"] for p in answer["molecule"]["programmes"]] == [None, "CML"]
    assert answer["molecule"]["synonyms"] == [{"name": "CGP-57148B base", "source": "merged from IUCT-0002"}]
    assert len(answer["molecule"]["history"]["nodes"]) == 5
    found = api('{ molecule(code: "IUCT-0002") { code } molecules { totalCount } }')
    assert found == {"molecule": {"code": "IUCT-0001"}, "molecules": {"totalCount": 1}}
    assert api("query N($id: ID!) { node(id: $id) { ... on Molecule { code } } }", id=merge["id"])["node"] == {
        "code": "IUCT-0002"
    }
    assert api.centre.verify().problems == []


def test_search_by_structure(api: Api):
    api.molecule("A", "Imatinib", smiles=IMATINIB)
    api.molecule("B", "Temozolomide", smiles="CN1C(=O)N2C=NC(=C2N=N1)C(=O)N")
    document = """
    query Find($smiles: String!, $match: StructureMatch!) {
      moleculesByStructure(smiles: $smiles, match: $match, minSimilarity: 0.6) { molecule { code } similarity }
    }
    """
    part = api(document, smiles="c1ccncc1", match="SUBSTRUCTURE")["moleculesByStructure"]
    assert part == [{"molecule": {"code": "A"}, "similarity": None}]
    salt = api(document, smiles=IMATINIB_MESYLATE, match="EXACT")["moleculesByStructure"]
    assert [hit["molecule"]["code"] for hit in salt] == ["A"]
    alike = api(document, smiles=IMATINIB, match="SIMILARITY")["moleculesByStructure"]
    assert alike == [{"molecule": {"code": "A"}, "similarity": 1.0}]
    twice = """{ moleculesByStructure(smiles: "CC") {
      a: molecule { x: code programmes { status } } b: molecule { x: name targets }
    } }"""
    assert api(twice)["moleculesByStructure"][0]["b"] == {"x": "Imatinib", "targets": []}
    for text in (twice, '{ moleculesByStructure(smiles: "CC") { molecule { code programmes { stage { code } } } } }'):
        assert api(text) == api.result(text, plain=True).data


@pytest.mark.parametrize("order", ["CODE", "NAME", "STAGE", "REGISTERED", "UPDATED"])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_by_key_neither_repeat_nor_skip(api: Api, order, descending):
    for number in (3, 1, 4, 2, 5):
        api.molecule(f"M-{number}", f"Name {9 - number}")
    document = """
    query Page($order: MoleculeOrder!, $descending: Boolean!, $first: Int!, $after: String) {
      molecules(orderBy: $order, descending: $descending, first: $first, after: $after) {
        nodes { code } pageInfo { hasNextPage endCursor }
      }
    }
    """
    whole = [n["code"] for n in api(document, order=order, descending=descending, first=200)["molecules"]["nodes"]]
    assert sorted(whole) == [f"M-{n}" for n in range(1, 6)]
    pages: list[str] = []
    after = None
    while True:
        page = api(document, order=order, descending=descending, first=2, after=after)["molecules"]
        pages += [node["code"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert pages == whole


@pytest.mark.parametrize("bad", ["x", "W10", "WyJhIl0", "bnVsbA"])
def test_a_foreign_cursor_is_refused(api: Api, bad):
    result = api.result("query P($after: String) { molecules(after: $after) { nodes { id } } }", after=bad)
    assert "not one of this list" in result.errors[0].message

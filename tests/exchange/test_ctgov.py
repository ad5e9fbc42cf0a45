"""Registered studies: shapes of files, phases, status, molecules, adverse events; refusals and quarantine."""

import copy
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dates import PartialDate
from pipeline.errors import FileRefused
from pipeline.exchange.ctgov import read_ctgov
from pipeline.exchange.ctgov_fields import Fields
from pipeline.exchange.ctgov_interventions import read_interventions
from pipeline.exchange.reading import Duplicate, Place
from pipeline.words import Modality, StudyStatus
from tests.support.datasets import dataset

FOLDER = Path(__file__).resolve().parents[1] / "data" / "ctgov"
STOPPED = json.loads((FOLDER / "NCT00000101.json").read_bytes())
PLANNED = json.loads((FOLDER / "NCT00000102.json").read_bytes())


def read(content, name="studies.json"):
    return read_ctgov([(name, content if isinstance(content, bytes) else json.dumps(content).encode())])


def changed(path, value, record=STOPPED):
    """Return a copy of a record with one field set; the path is written with dots, numbers for places in lists."""
    record = copy.deepcopy(record)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    at = record
    for part in parents:
        at = at[part]
    at[last] = value
    return record


def one(record):
    reading = read(record)
    assert reading.quarantined == []
    (study,) = reading.studies
    return study


def test_a_record_becomes_a_study():
    study = one(STOPPED)
    assert (study.code, study.registry_id, study.source, study.partial) == ("NCT00000101",) * 2 + ("ctgov", False)
    assert study.title == "Alpha and beta in made-up sarcoma"
    assert (study.phases, study.status) == (["PHASE_2_3"], StudyStatus.TERMINATED)
    assert study.why_stopped == "Interim look: too few responses; made-up reason <b>kept</b>."
    assert study.started_on == PartialDate("2016-03", "2016-03-01", "2016-03-31")
    assert study.ended_on == PartialDate.parse("2019-06-30")
    assert (study.sponsor, study.enrolment) == ("Made-up group", 84)
    assert study.conditions == ["Made-up sarcoma", "Metastasis"]
    assert study.design == "RANDOMIZED, PARALLEL, TREATMENT, masking DOUBLE"
    assert study.population == "ALL, from 18 Years"
    assert [(arm.label, arm.kind) for arm in study.arms] == [("A", "EXPERIMENTAL"), ("B", "PLACEBO_COMPARATOR")]
    assert study.details["eudract"] == ["2015-001234-56"]
    assert study.details["secondary_ids"][1] == {"id": "MU-1", "type": "OTHER", "domain": "Made-up group"}
    assert study.details["pmids"] == ["10000001"]
    assert study.details["other_interventions"] == [
        {"type": "DRUG", "name": "Placebo"},
        {"type": "RADIATION", "name": "External beam radiation"},
    ]
    assert json.loads(json.dumps(study.details)) == study.details
    assert (study.row, study.file) == (1, "studies.json")


def test_molecules_keep_the_printed_name_and_gain_key_synonyms_and_arms():
    sorafenib, antibody = one(STOPPED).molecules
    assert (sorafenib.name, sorafenib.molecule.name, sorafenib.arm) == (
        "Sorafenib tosylate",
        "Sorafenib tosylate",
        None,
    )
    assert sorafenib.molecule.key == "sorafenib"
    assert sorafenib.molecule.synonyms == ["BAY 43-9006", "Nexavar"]
    assert sorafenib.molecule.external_ids == [("MESH", "D000077157")]
    assert (antibody.name, antibody.arm) == ("madeupimab (MUP-123)", "A")
    assert (antibody.molecule.name, antibody.molecule.synonyms) == ("madeupimab", ["MUP-123"])
    assert antibody.molecule.modality is Modality.ANTIBODY


def test_events_keep_the_reported_term_and_tell_absent_from_none():
    rows = [
        (count.arm, count.term, count.term_reported, count.vocabulary, count.serious,
         count.affected, count.at_risk, count.events)
        for count in one(STOPPED).event_counts
    ]  # fmt: skip
    assert rows == [
        ("A", "Anemia", "13200-Anemia", "CTCv4", True, 3, 42, 4),
        ("B", "Anemia", "13200-Anemia", "CTCv4", True, 0, 41, 0),
        ("A", "Anaemia", "Anaemia", None, False, 7, 42, None),
        ("B", "Anaemia", "Anaemia", None, False, None, 41, None),
    ]


def test_what_is_planned_is_not_told_as_having_happened():
    study = one(PLANNED)
    assert (study.status, study.phases) == (StudyStatus.PLANNED, ["PHASE_1"])
    assert (study.started_on, study.ended_on, study.enrolment) == (None, None, None)
    assert (study.details["start_date_planned"], study.details["completion_date_planned"]) == ("2031-01", "2035")
    assert study.details["enrolment_planned"] == 20
    assert study.details["phases_reported"] == ["EARLY_PHASE1"]


def test_a_combination_is_flagged_not_split_and_a_dose_is_no_part_of_a_name():
    reading = read(PLANNED)
    names = [(item.name, item.molecule.key, item.molecule.modality) for item in reading.studies[0].molecules]
    assert names == [
        ("Gemcitabine Hydrochloride 1000 mg/m2", "gemcitabine", Modality.SMALL_MOLECULE),
        ("177Lu-madeupotide", "177lumadeupotide", Modality.RADIOPHARMACEUTICAL),
    ]
    others = reading.studies[0].details["other_interventions"]
    assert {"type": "DRUG", "name": "Carboplatin + Paclitaxel"} in others
    assert [flag.reason for flag in reading.flags] == [
        "names no single molecule; kept with the others",
        "a radiation that names an isotope; taken as a molecule",
    ]


@pytest.mark.parametrize(
    ("phases", "codes"),
    [
        (["PHASE1"], ["PHASE_1"]),
        (["PHASE1", "PHASE2"], ["PHASE_1_2"]),
        (["PHASE2", "PHASE1"], ["PHASE_1_2"]),
        (["PHASE2"], ["PHASE_2"]),
        (["PHASE2", "PHASE3"], ["PHASE_2_3"]),
        (["PHASE3"], ["PHASE_3"]),
        (["PHASE4"], ["PHASE_4"]),
        (["EARLY_PHASE1"], ["PHASE_1"]),
        (["NA"], []),
        ([], []),
        (None, []),
        ("PHASE2/PHASE3", ["PHASE_2_3"]),
        (["Phase 2/Phase 3"], ["PHASE_2_3"]),
        (["PHASE1", "PHASE3"], ["PHASE_1", "PHASE_3"]),
        (["PHASE9", "PHASE2"], ["PHASE_2"]),
    ],
)
def test_phases_become_one_stage_code(phases, codes):
    reading = read(changed("protocolSection.designModule.phases", phases))
    assert reading.studies[0].phases == codes
    assert len(reading.flags) == (phases in (["PHASE1", "PHASE3"], ["PHASE9", "PHASE2"]))


def test_a_status_that_is_not_known_is_flagged_and_kept():
    reading = read(changed("protocolSection.statusModule.overallStatus", "HIBERNATING"))
    study = reading.studies[0]
    assert (study.status, study.details["overall_status"]) == (StudyStatus.UNKNOWN, "HIBERNATING")
    assert [(flag.column, flag.value) for flag in reading.flags] == [
        ("protocolSection.statusModule.overallStatus", "HIBERNATING")
    ]


@pytest.mark.parametrize(
    ("kind", "name", "molecules", "others"),
    [
        ("DRUG", "Placebo to match X", [], ["Placebo to match X"]),
        ("DRUG", "Matching placebo", [], ["Matching placebo"]),
        ("DRUG", "Pembrolizumab or placebo", ["Pembrolizumab"], []),
        ("DRUG", "Placebo/erlotinib", ["erlotinib"], []),
        ("DRUG", "Cisplatin and gemcitabine or placebo", [], ["Cisplatin and gemcitabine or placebo"]),
        ("DRUG", "Standard of care", [], ["Standard of care"]),
        ("DRUG", "FOLFOX", [], ["FOLFOX"]),
        ("DRUG", "Platinum-based chemotherapy", [], ["Platinum-based chemotherapy"]),
        ("DRUG", "5-FU 400 mg/m2 bolus", ["5-FU"], []),
        ("DRUG", "S-1 40 mg", ["S-1"], []),
        ("DRUG", "Topotecan for injection", ["Topotecan"], []),
        ("DRUG", "BAY 43-9006", ["BAY 43-9006"], []),
        ("DRUG", "trifluridine/tipiracil", ["trifluridine/tipiracil"], []),
        ("DRUG", "Tanespimycin (17-AAG)", ["Tanespimycin"], []),
        ("DRUG", "MK-3475 (pembrolizumab)", ["pembrolizumab"], []),
        ("DRUG", "Cisplatin (Day 15)", ["Cisplatin (Day 15)"], []),
        ("DRUG", "12 mg", ["12 mg"], []),
        ("DRUG", "---", [], ["---"]),
        ("GENETIC", "madeupvec", ["madeupvec"], []),
        ("COMBINATION_PRODUCT", "alpha-device", ["alpha-device"], []),
        ("RADIATION", "I-125 seed implantation", [], ["I-125 seed implantation"]),
        ("RADIATION", "iodine I 131 tositumomab", ["iodine I 131 tositumomab"], []),
        ("PROCEDURE", "Surgery", [], ["Surgery"]),
        ("BEHAVIORAL", "Diary", [], ["Diary"]),
        ("DIETARY_SUPPLEMENT", "Honey", [], ["Honey"]),
        ("WIZARDRY", "Wand", [], ["Wand"]),
    ],
)
def test_interventions_are_molecules_or_kept_by_name(kind, name, molecules, others):
    module = Fields({"interventions": [{"type": kind, "name": name}]})
    found = read_interventions(module, [], file="x.json", row=1)
    assert [item.molecule.name for item in found.molecules] == molecules
    assert [item.name for item in found.molecules] == [name] * len(molecules)
    assert [item["name"] for item in found.others] == others


@pytest.mark.parametrize(
    ("name", "kind", "modality"),
    [
        ("trastuzumab deruxtecan", "DRUG", Modality.ANTIBODY_DRUG_CONJUGATE),
        ("nivolumab", "BIOLOGICAL", Modality.ANTIBODY),
        ("tisagenlecleucel", "BIOLOGICAL", Modality.CELL_THERAPY),
        ("peptide vaccine", "BIOLOGICAL", Modality.VACCINE),
        ("talimogene laherparepvec", "BIOLOGICAL", Modality.GENE_THERAPY),
        ("oblimersen", "DRUG", Modality.OLIGONUCLEOTIDE),
        ("lanreotide", "DRUG", Modality.PEPTIDE),
        ("erlotinib", "DRUG", Modality.SMALL_MOLECULE),
        ("90Y-clivatuzumab", "BIOLOGICAL", Modality.RADIOPHARMACEUTICAL),
        ("XY-12", "DRUG", Modality.UNKNOWN),
        ("XY-12", "GENETIC", Modality.GENE_THERAPY),
    ],
)
def test_the_modality_follows_the_stem_of_the_name(name, kind, modality):
    module = Fields({"interventions": [{"type": kind, "name": name}]})
    assert read_interventions(module, [], file="x.json", row=1).molecules[0].molecule.modality is modality


def test_arms_are_found_by_label_or_by_the_names_the_arm_lists():
    arms = {"armGroups": [{"label": "A", "interventionNames": ["Drug: X1"]}, {"label": "B"}]}
    by_name = Fields(arms | {"interventions": [{"type": "DRUG", "name": "x-1"}]})
    assert [item.arm for item in read_interventions(by_name, ["A", "B"], file="x", row=1).molecules] == ["A"]
    unknown = Fields(arms | {"interventions": [{"type": "DRUG", "name": "X1", "armGroupLabels": ["C"]}]})
    found = read_interventions(unknown, ["A", "B"], file="x", row=1)
    assert [item.arm for item in found.molecules] == ["C"]
    assert [flag[1] for flag in found.flags] == ["C"]


SHAPES = {
    "one": json.dumps(STOPPED),
    "list": json.dumps([STOPPED, PLANNED]),
    "page": json.dumps({"totalCount": 2, "studies": [STOPPED, PLANNED], "nextPageToken": "x"}),
    "lines": json.dumps(STOPPED) + "\n\n" + json.dumps(PLANNED) + "\n",
    "indented": json.dumps(STOPPED, indent=1),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_records_come_in_several_shapes(shape, encoding):
    reading = read(SHAPES[shape].encode(encoding))
    expected = ["NCT00000101", "NCT00000102"] if shape in {"list", "page", "lines"} else ["NCT00000101"]
    assert [study.code for study in reading.studies] == expected
    assert (reading.rows, reading.accepted) == (len(expected), len(expected))
    if shape == "lines":
        assert [study.row for study in reading.studies] == [1, 3]


@pytest.mark.parametrize("bad", [1, 2, 3])
def test_a_bad_line_among_records_is_quarantined_with_its_number(bad):
    lines = [json.dumps(STOPPED), json.dumps(PLANNED)]
    lines.insert(bad - 1, '{"broken')
    reading = read("\n".join(lines).encode())
    (item,) = reading.quarantined
    assert item.place == Place("studies.json", bad)
    assert "the line is not JSON" in item.reason
    assert (reading.rows, reading.accepted) == (3, 2)


def test_a_folder_is_read_and_what_is_no_json_is_named():
    files = [(path.name, path.read_bytes()) for path in sorted(FOLDER.iterdir())]
    reading = read_ctgov([*files, ("README.md", b"# made up"), ("broken.json", b"\x00\x01"), ("noise", b"{")])
    assert [study.code for study in reading.studies] == ["NCT00000101", "NCT00000102"]
    assert reading.warnings == ["README.md is no JSON and was not read."]
    assert [item.place.file for item in reading.quarantined] == ["broken.json", "noise"]
    assert (reading.rows, reading.accepted) == (4, 2)


def test_the_same_study_again_is_a_duplicate_and_another_version_is_held():
    turned = {name: STOPPED[name] for name in reversed(STOPPED)}
    other = changed("protocolSection.statusModule.overallStatus", "COMPLETED")
    reading = read([STOPPED, turned, other])
    assert reading.duplicates == [Duplicate(Place("studies.json", 2), Place("studies.json", 1))]
    assert [(held.place.row, held.value) for held in reading.held] == [(3, "NCT00000101")]
    assert (reading.rows, reading.accepted, len(reading.studies)) == (3, 1, 1)


IDENTITY, STATUS = "protocolSection.identificationModule", "protocolSection.statusModule"
EVENTS = "resultsSection.adverseEventsModule"


@pytest.mark.parametrize(
    ("path", "value", "column", "reason"),
    [
        ("protocolSection", None, None, "the record has no protocolSection"),
        ("protocolSection", [], None, "the record has no protocolSection"),
        (f"{IDENTITY}.nctId", None, f"{IDENTITY}.nctId", "no registry number"),
        (f"{IDENTITY}.nctId", "NCT1", f"{IDENTITY}.nctId", "no registry number"),
        (f"{IDENTITY}.nctId", 101, f"{IDENTITY}.nctId", "is no text"),
        (f"{IDENTITY}.briefTitle", {"a": 1}, f"{IDENTITY}.briefTitle", "is no text"),
        (f"{IDENTITY}.briefTitle", "a\x00b", f"{IDENTITY}.briefTitle", "control characters"),
        (f"{IDENTITY}.briefTitle", "a\ud800b", f"{IDENTITY}.briefTitle", "control characters"),
        (f"{IDENTITY}.briefTitle", "a" * 20_001, f"{IDENTITY}.briefTitle", "20,001 characters, more than 20,000"),
        (f"{STATUS}.startDateStruct.date", "2021-02-31", f"{STATUS}.startDateStruct.date", "not a date that exists"),
        (f"{STATUS}.startDateStruct.date", "31.02.2021", f"{STATUS}.startDateStruct.date", "is not a date"),
        (f"{STATUS}.startDateStruct", "2021", f"{STATUS}.startDateStruct", "is no object"),
        ("protocolSection.designModule.enrollmentInfo.count", -1,
         "protocolSection.designModule.enrollmentInfo.count", "is no count"),
        ("protocolSection.designModule.enrollmentInfo.count", 1e300,
         "protocolSection.designModule.enrollmentInfo.count", "is no count"),
        ("protocolSection.designModule.enrollmentInfo.count", 10**400,
         "protocolSection.designModule.enrollmentInfo.count", "is no count"),
        ("protocolSection.designModule.phases", {"PHASE1": 1}, "protocolSection.designModule.phases", "is no list"),
        ("protocolSection.armsInterventionsModule.interventions", ["x"],
         "protocolSection.armsInterventionsModule.interventions[0]", "is no object"),
        (f"{EVENTS}.seriousEvents.0.stats.0.numAffected", True,
         f"{EVENTS}.seriousEvents[0].stats[0].numAffected", "is no count"),
        (f"{EVENTS}.seriousEvents.0.stats.0.numAffected", 2.5,
         f"{EVENTS}.seriousEvents[0].stats[0].numAffected", "is no count"),
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_read_is_quarantined_with_its_field(path, value, column, reason):
    reading = read([changed(path, value), PLANNED])
    (item,) = reading.quarantined
    assert (item.place, item.column) == (Place("studies.json", 1), column)
    assert reason in item.reason
    assert [study.code for study in reading.studies] == ["NCT00000102"]
    assert reading.accepted == 1


def test_a_record_without_most_modules_is_still_a_study():
    study = one({"protocolSection": {"identificationModule": {"nctId": "NCT00000103"}}})
    assert (study.status, study.phases, study.molecules, study.event_counts) == (None, [], [], [])


def test_counts_that_contradict_each_other_are_flagged_and_kept():
    path = f"{EVENTS}.seriousEvents.0.stats.0"
    reading = read(changed(path, {"groupId": "EG009", "numAffected": 9, "numAtRisk": 4, "numEvents": 2}))
    count = reading.studies[0].event_counts[0]
    assert (count.arm, count.affected, count.at_risk, count.events) == ("EG009", 9, 4, 2)
    assert [flag.reason for flag in reading.flags] == [
        "no group of that number; kept under it",
        "more affected than at risk by 'Anemia'; kept as reported",
        "fewer events than affected by 'Anemia'; kept as reported",
    ]


def test_groups_of_one_title_are_told_apart():
    study = one(changed(f"{EVENTS}.eventGroups.1.title", "A"))
    assert [count.arm for count in study.event_counts[:2]] == ["A (EG000)", "A (EG001)"]


def deep(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"nct_id,title\nNCT00000001,x\n", "is not JSON"),
        (b"3", "holds no study"),
        (b'"NCT00000001"', "holds no study"),
        (b"[]", "holds no study record"),
        (b'{"studies": []}', "holds no study record"),
        (b'{"a": 1}', "holds no study record"),
        (b'{"a": NaN}', "is not JSON"),
        (b'{"a": 1', "is not JSON"),
        (b'{"protocolSection": "\xff"}', "is no UTF-8"),
        (b"[" * 100_000, "is not JSON"),
        (deep(100_000), "is not JSON"),
        (deep(900), "holds no study record"),
        (b"\x00" * 1_000, "is not JSON"),
        (random.Random(3).randbytes(10_000_000), "is no UTF-8"),
        (b"x" * 10_000_000, "is not JSON"),
        (b"{\n" * 5_000_000, "is not JSON"),
        (b"[" + b"{}," * 20_000 + b"{}]", "holds 20,001 records, more than 20,000"),
        (b" " * 50_000_001, "more than 50,000,000"),
    ],
    ids=lambda value: str(value[:12]),
)
def test_what_holds_no_study_is_refused_in_one_sentence(data, complaint):
    with pytest.raises(FileRefused, match=complaint) as refusal:
        read(data)
    assert len(refusal.value.message) < 200


def test_no_file_at_all_is_refused():
    with pytest.raises(FileRefused, match="nothing holds no study record"):
        read_ctgov([])


def test_a_record_nested_too_deeply_is_quarantined():
    record = json.dumps(STOPPED)[:-1] + ', "deep": ' + deep(980).decode() + "}"
    reading = read(f"[{record}, {json.dumps(PLANNED)}]".encode())
    assert [item.reason for item in reading.quarantined] == ["the record is nested deeper than any study is"]
    assert reading.accepted == 1


def paths(value, here=()):
    """Return the path of every value in a record."""
    if isinstance(value, dict):
        return [here, *(path for name, item in value.items() for path in paths(item, (*here, name)))]
    if isinstance(value, list):
        return [here, *(path for n, item in enumerate(value) for path in paths(item, (*here, str(n))))]
    return [here]


@given(
    st.sampled_from([".".join(path) for path in paths(STOPPED) if path]),
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
    | st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_whatever_a_field_holds_every_record_is_accounted_for(path, value):
    reading = read([changed(path, value), PLANNED])
    assert reading.rows == 2
    outside = len(reading.quarantined) + len(reading.held) + len(reading.duplicates)
    assert reading.accepted + outside == 2
    assert len(reading.studies) == reading.accepted
    assert all(json.dumps(study.details, allow_nan=False) for study in reading.studies)


def test_the_published_records_are_read_whole():
    folder = dataset("ctgov-v2")
    reading = read_ctgov([(path.name, path.read_bytes()) for path in sorted(folder.iterdir())])
    assert (reading.rows, reading.accepted, reading.flags) == (3, 3, [])
    studies = {study.code: study for study in reading.studies}
    transplant, rinse, antibody = (studies[code] for code in ("NCT00567567", "NCT01305200", "NCT03275402"))
    assert (antibody.phases, antibody.status, antibody.enrolment) == (["PHASE_2_3"], StudyStatus.TERMINATED, 52)
    assert (
        antibody.why_stopped
        == json.loads((folder / "NCT03275402.json").read_bytes())["protocolSection"]["statusModule"]["whyStopped"]
    )
    assert [item.molecule.modality for item in antibody.molecules] == [Modality.RADIOPHARMACEUTICAL]
    assert {count.vocabulary for count in antibody.event_counts} == {"MedDRA (20.1)"}
    assert len(transplant.event_counts) == (75 + 152) * 3
    assert {count.term for count in transplant.event_counts if count.term_reported == "13200-Anemia"} == {"Anemia"}
    assert len(transplant.molecules) == 11
    assert rinse.started_on == PartialDate("2011-03", "2011-03-01", "2011-03-31")
    assert sum(count.events is None and count.affected is not None for count in rinse.event_counts) == 32
    assert [item.name for item in rinse.molecules] == ["supersaturated calcium phosphate rinse"]

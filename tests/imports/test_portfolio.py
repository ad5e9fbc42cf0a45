"""An unseen hospital's portfolio, from its bytes to the records."""

import io
import time
from datetime import UTC, datetime

import openpyxl
import pytest

from tests.graphql.conftest import Api
from tests.imports.conftest import counts, decide, reviews, sent, versions

HEADINGS = ("Code interne", "Molécule", "Indication", "Groupe de maladie", "Phase", "Depuis", "Statut", "Arrêté le",
            "Motif d'arrêt", "Cible", "Remarque")  # fmt: skip
TOXIC = "toxicité hépatique"
ROWS = [
    ("TLS-001", "Exémplamab", "Mélanome", "melanoma", "Phase I/II", "09/2021", "en cours", "", "", "PD-1", "1,5 mg/kg"),
    ("TLS-002", "Inventinib", "CBNPC", "", "Phase III", "31/01/2020", "arrêté", "15/06/2022", TOXIC, "EGFR; HER2", ""),
    ("TLS-003", "Fictiparib", "Ovaire", "gynaecology", "Toxicologie", "43831", "actif", "", "", "PARP1", ""),
    ("TLS-004", "Prétendumab", "LAL", "haematology", "Phase II", "2019", "suspendu", "03/2021", "", "CD19", ""),
    ("TLS-004", "Prétendumab", "LAL", "haematology", "Phase II", "2019", "suspendu", "03/2021", "", "CD19", ""),
    ("TLS-005", "Chimérol", "Foie", "liver", "Phase 9", "01/02/2020", "", "", "", "", ""),
    ("TLS-006", "Supposine", "Sein", "breast", "Phase 1", "31.02.2021", "", "", "", "", ""),
    ("TLS-007", "Hypothétine", "Sein", "breast", "Phase 1", "13/05/2021", "", "", "", "", ""),
    ("TLS-007", "Autre chose", "Sein", "breast", "Phase 1", "13/05/2021", "", "", "", "", ""),
    ("TLS-008", "Imaginib", "Estomac", "gastric", "Phase IV", "2018-03", "terminé", "2020-11", "", "", ""),
]  # fmt: skip
FATES = (5, 2, 2, 1)
PORTFOLIO = """
{ programmes(first: 50) { nodes {
  molecule { code name targets } indication stage { code } status stageSinceReported diseaseGroup: indication
  transitions { kind from { code } to { code } occurredOn skipped imported reason reasonVerbatim note }
} } }
"""


def as_csv(rows=ROWS, headings=HEADINGS, encoding="cp1252", delimiter=";") -> bytes:
    lines = [delimiter.join(headings), *(delimiter.join(row) for row in rows)]
    return "\r\n".join(lines).encode(encoding)


def as_workbook(rows=ROWS, headings=HEADINGS) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (headings, *rows):
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def portfolio(api: Api) -> dict[str, dict]:
    return {node["molecule"]["code"]: node for node in api(PORTFOLIO)["programmes"]["nodes"]}


def moves(node: dict) -> list[tuple]:
    return [(m["kind"], m["to"]["code"], m["occurredOn"]) for m in node["transitions"]]


def test_a_french_portfolio_in_cp1252_becomes_programmes(api: Api):
    report = sent(api, "portefeuille.csv", as_csv())
    assert report["format"] == "portfolio"
    assert counts(report) == FATES, report["problems"]
    found = portfolio(api)
    assert sorted(found) == ["TLS-001", "TLS-002", "TLS-004", "TLS-007", "TLS-008"]
    assert moves(found["TLS-001"]) == [("ADVANCE", "PHASE_1_2", "2021-09")]
    assert found["TLS-001"]["molecule"] == {"code": "TLS-001", "name": "Exémplamab", "targets": ["PD-1"]}
    assert moves(found["TLS-002"]) == [("ADVANCE", "PHASE_3", "2020-01-31"), ("DISCONTINUE", "PHASE_3", "2022-06-15")]
    assert found["TLS-002"]["transitions"][1]["reasonVerbatim"] == TOXIC
    assert found["TLS-002"]["status"] == "DISCONTINUED"
    assert moves(found["TLS-004"]) == [("ADVANCE", "PHASE_2", "2019"), ("HOLD", "PHASE_2", "2021-03")]
    assert found["TLS-004"]["status"] == "ON_HOLD"
    assert moves(found["TLS-008"]) == [("ADVANCE", "PHASE_4", "2018-03"), ("COMPLETE", "PHASE_4", "2020-11")]
    assert found["TLS-008"]["status"] == "COMPLETED"
    assert all(m["imported"] for node in found.values() for m in node["transitions"])
    problems = {(p["kind"], p["row"]) for p in report["problems"] if p["kind"] != "FLAGGED"}
    assert problems == {("HELD", 4), ("QUARANTINED", 7), ("QUARANTINED", 8), ("HELD", 10)}
    assert {p["value"] for p in report["problems"] if p["row"] in (7, 8)} == {"Phase 9", "31.02.2021"}
    serial = next(item for item in reviews(api) if item["row"] == 4)
    assert (serial["reported"], serial["proposed"]) == ("43831", "2020-01-01 or 2024-01-02")
    assert decide(api, serial["id"], "CHANGED", value="2020-01-01")["errors"] == []
    accepted = portfolio(api)["TLS-003"]
    assert accepted["molecule"]["name"] == "Fictiparib"
    assert moves(accepted) == [("ADVANCE", "PRECLINICAL_TOXICOLOGY", "2020-01-01")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "mac-roman"])
def test_a_workbook_and_text_in_any_encoding_give_the_same_records(api: Api, encoding):
    # A workbook says from which day it counts, text does not: there the serial date of row 4 is in doubt.
    assert counts(sent(api, "portefeuille.xlsx", as_workbook())) == (6, 2, 1, 1)
    before = versions(api.centre)
    found = portfolio(api)
    again = sent(api, "portefeuille.csv", as_csv(encoding=encoding))
    assert counts(again) == (0, 2, 2, 6)
    assert portfolio(api) == found
    assert moves(found["TLS-003"]) == [("ADVANCE", "PRECLINICAL_TOXICOLOGY", "2020-01-01")]
    changed = {name for name, count in versions(api.centre).items() if count != before[name]}
    assert changed <= {"imports", "import_problems", "source_files", "review_items"}


def test_the_same_file_again_changes_nothing(api: Api):
    content = as_csv()
    first = sent(api, "portefeuille.csv", content)
    before, found = versions(api.centre), portfolio(api)
    again = sent(api, "portefeuille.csv", content)
    accepted, quarantined, held, duplicates = counts(first)
    assert counts(again) == (0, quarantined, held, duplicates + accepted)
    assert again["written"] == {"molecules": 0, "programmes": 0, "studies": 0}
    after = versions(api.centre)
    assert {name for name in after if after[name] != before[name]} == {"imports", "import_problems"}
    assert portfolio(api) == found


def test_a_rehearsal_says_what_the_import_then_does_and_writes_nothing(api: Api):
    content = as_csv()
    acts, before = api.acts(), versions(api.centre)
    rehearsed = sent(api, "portefeuille.csv", content, dry_run=True)
    assert (api.acts(), versions(api.centre)) == (acts, before)
    assert sent(api, "portefeuille.csv", content) == rehearsed
    assert api.acts() == acts + 1


ENTRIES = """Name,Indication,Stage,Date,Status,Reason
Longevit,Lung,Preclinical pharmacology,2010,,
Longevit,Lung,Phase 1,2013-05,,
Longevit,Lung,Phase 2,2015-02-03,,
Longevit,Lung,Phase 2,2016-01-10,discontinued,no sponsor
Longevit,Lung,Phase 2,2018,active,
Longevit,Lung,Phase 2,2018-11,on hold,supply
Longevit,Lung,Phase 3,2019-06-30,,
Midstart,Breast,Phase 2/3,2020-01,,
Midstart,Breast,Pre-approval,2022-01-15,,
"""


def test_one_row_per_entry_gives_histories_with_skips_restarts_and_implied_steps(api: Api):
    report = sent(api, "entries.csv", ENTRIES.encode())
    assert counts(report) == (9, 0, 0, 0), report["problems"]
    nodes = {node["molecule"]["name"]: node for node in portfolio(api).values()}
    assert moves(nodes["Longevit"]) == [
        ("ADVANCE", "PRECLINICAL_PHARMACOLOGY", "2010"),
        ("ADVANCE", "PHASE_1", "2013-05"),
        ("ADVANCE", "PHASE_2", "2015-02-03"),
        ("DISCONTINUE", "PHASE_2", "2016-01-10"),
        ("RESTART", "PHASE_2", "2018"),
        ("HOLD", "PHASE_2", "2018-11"),
        ("RESUME", "PHASE_2", "2019-06-30"),
        ("ADVANCE", "PHASE_3", "2019-06-30"),
    ]
    assert nodes["Longevit"]["transitions"][1]["skipped"] == ["PRECLINICAL_TOXICOLOGY", "CTA"]
    assert "presupposed" in nodes["Longevit"]["transitions"][6]["note"]
    assert moves(nodes["Midstart"]) == [
        ("ADVANCE", "PHASE_2_3", "2020-01"), ("ADVANCE", "PREAPPROVAL", "2022-01-15"),
    ]  # fmt: skip


def test_an_updated_file_adds_only_what_is_new(api: Api):
    first = ENTRIES.splitlines(keepends=True)
    sent(api, "entries.csv", "".join(first[:4]).encode())
    before = versions(api.centre)
    report = sent(api, "entries-2.csv", ENTRIES.encode())
    assert counts(report) == (6, 0, 0, 3), report["problems"]
    after = versions(api.centre)
    assert after["transitions"] - before["transitions"] == 7
    assert after["molecules"] - before["molecules"] == 1
    assert len(moves({n["molecule"]["name"]: n for n in portfolio(api).values()}["Longevit"])) == 8


def test_a_coarser_or_finer_date_of_what_is_on_record_is_no_news(api: Api):
    sent(api, "a.csv", b"Name,Stage,Since\nDatol,Phase 1,2020-03-15\nDatol,Phase 2,2021-05\n")
    report = sent(api, "b.csv", b"Name,Stage,Since\nDatol,Phase 1,2020-03\nDatol,Phase 2,2021-05-07\n")
    assert counts(report) == (0, 0, 0, 2), report["problems"]


def test_what_a_programme_lacks_is_filled_in_and_a_contradiction_is_flagged(api: Api):
    sent(api, "a.csv", b"Name,Indication,Stage,Since\nFillol,Skin,Phase 1,2020\n")
    news = b"Name,Indication,Stage,Since,Disease group\nFillol,Skin,Phase 1,2020,melanoma\n"
    assert counts(sent(api, "b.csv", news)) == (1, 0, 0, 0)
    assert counts(sent(api, "b.csv", news)) == (0, 0, 0, 1)
    report = sent(api, "c.csv", news.replace(b"melanoma", b"liver"))
    assert counts(report) == (0, 0, 0, 1)
    [problem] = report["problems"]
    assert (problem["kind"], problem["row"], problem["value"]) == ("FLAGGED", 2, "liver")


VIEW = """
query View($knownAt: DateTime) {
  programmes(first: 9, knownAt: $knownAt) { nodes { stage { code } transitions { to { code } occurredOn } } }
}
"""


def a_moment() -> str:
    time.sleep(0.002)
    now = datetime.now(UTC).isoformat()
    time.sleep(0.002)
    return now


def standing(api: Api, known_at: str | None = None) -> list[tuple]:
    nodes = api(VIEW, knownAt=known_at)["programmes"]["nodes"]
    return [(n["stage"]["code"], *((t["to"]["code"], t["occurredOn"]) for t in n["transitions"])) for n in nodes]


STEP_BACK = b"Name,Stage,Since\nBackol,Phase 1,2021-06\n"


def test_a_step_back_between_two_imports_is_held_and_accepting_it_corrects(api: Api):
    sent(api, "a.csv", b"Name,Stage,Since\nBackol,Phase 2,2020-03-15\n")
    report = sent(api, "b.csv", STEP_BACK)
    assert counts(report) == (0, 0, 1, 0)
    [problem] = report["problems"]
    assert "correct PHASE_2 (2020-03-15) to PHASE_1 (2021-06)" in problem["reason"]
    [item] = reviews(api)
    believed_at = a_moment()
    assert decide(api, item["id"], "ACCEPTED", comment="was phase 1")["errors"] == []
    assert standing(api) == [("PHASE_1", ("PHASE_1", "2021-06"))]
    assert standing(api, believed_at) == [("PHASE_2", ("PHASE_2", "2020-03-15"))]
    acts = api.acts()
    [error] = decide(api, item["id"], "REJECTED")["errors"]
    assert "was decided ACCEPTED by A. Lead" in error["message"]
    assert api.acts() == acts
    # Neither file brings the old belief back, nor asks again.
    assert counts(sent(api, "a.csv", b"Name,Stage,Since\nBackol,Phase 2,2020-03-15\n")) == (0, 0, 0, 1)
    assert counts(sent(api, "b.csv", STEP_BACK)) == (0, 0, 0, 1)
    assert standing(api) == [("PHASE_1", ("PHASE_1", "2021-06"))]
    assert reviews(api) == []


def test_rejecting_leaves_the_record_and_is_not_asked_again(api: Api):
    sent(api, "a.csv", b"Name,Stage,Since\nBackol,Phase 2,2020-03-15\n")
    sent(api, "b.csv", STEP_BACK)
    assert counts(sent(api, "b.csv", STEP_BACK)) == (0, 0, 1, 0)
    [item] = reviews(api)  # asked once, however often the file is sent
    assert decide(api, item["id"], "REJECTED", comment="the old sheet is right")["errors"] == []
    assert counts(sent(api, "b.csv", STEP_BACK)) == (0, 0, 0, 1)
    assert standing(api) == [("PHASE_2", ("PHASE_2", "2020-03-15"))]


def test_changing_a_proposal_does_something_else(api: Api):
    sent(api, "a.csv", b"Name,Stage,Since\nBackol,Phase 2,2020-03-15\n")
    sent(api, "b.csv", STEP_BACK)
    [item] = reviews(api)
    [error] = decide(api, item["id"], "CHANGED")["errors"]
    assert error["path"] == ["input", "value"]
    assert decide(api, item["id"], "CHANGED", value="PHASE_1_2")["errors"] == []
    assert standing(api) == [("PHASE_1_2", ("PHASE_1_2", "2021-06"))]


def test_a_proposal_about_an_entry_that_is_no_longer_the_last_is_refused(api: Api):
    sent(api, "a.csv", b"Name,Stage,Since\nBackol,Phase 2,2020-03-15\n")
    sent(api, "b.csv", STEP_BACK)
    sent(api, "c.csv", b"Name,Stage,Since\nBackol,Phase 3,2022\n")
    [item] = reviews(api)
    acts = api.acts()
    [error] = decide(api, item["id"], "ACCEPTED")["errors"]
    assert "the last entry is now PHASE_3 on 2022" in error["message"]
    assert api.acts() == acts


def test_another_date_for_the_present_stage_is_held_as_a_correction(api: Api):
    sent(api, "a.csv", b"Name,Stage,Since\nDatol,Phase 2,2020-03-15\n")
    report = sent(api, "b.csv", b"Name,Stage,Since\nDatol,Phase 2,2020-04-01\n")
    assert counts(report) == (0, 0, 1, 0)
    [item] = reviews(api)
    assert decide(api, item["id"], "ACCEPTED")["errors"] == []
    assert standing(api) == [("PHASE_2", ("PHASE_2", "2020-04-01"))]


def test_a_date_in_doubt_is_entered_once_somebody_says_which_it_is(api: Api):
    report = sent(api, "a.csv", b"Name,Stage,Since\nDoubtol,Phase 2,03/04/2020\n")
    assert counts(report) == (0, 0, 1, 0)
    [item] = reviews(api)
    [error] = decide(api, item["id"], "ACCEPTED")["errors"]
    assert "2020-04-03" in error["message"]
    assert decide(api, item["id"], "CHANGED", value="2020-04-03")["errors"] == []
    assert standing(api) == [("PHASE_2", ("PHASE_2", "2020-04-03"))]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A-1,Betamab", "code A-1 is on record for Alphamab (A-1), but the name Betamab for Betamab (B-1)"),
        ("A-1,Gammamab", "code A-1 is on record for Alphamab (A-1), but the row says Gammamab"),
        ("C-1,Betamab", "the row says code C-1, but Betamab is on record as Betamab (B-1)"),
    ],
)
def test_a_code_and_a_name_that_belong_to_two_molecules_are_never_linked(api: Api, row, reason):
    sent(api, "a.csv", b"Code,Name,Stage,Since\nA-1,Alphamab,Phase 1,2020\nB-1,Betamab,Phase 1,2020\n")
    before = versions(api.centre)
    report = sent(api, "b.csv", f"Code,Name,Stage,Since\n{row},Phase 2,2021\n".encode())
    assert counts(report) == (0, 1, 0, 0)
    assert reason in report["problems"][0]["reason"]
    after = versions(api.centre)
    assert {name for name in after if after[name] != before[name]} == {"imports", "import_problems", "source_files"}


def test_a_synonym_or_the_code_alone_is_enough_to_find_a_molecule(api: Api):
    sent(api, "a.csv", b"Code,Name,Synonyms,Stage,Since\nA-1,Alphamab,ALP 12,Phase 1,2020\n")
    for name in ("ALP-12", "", "A-1", "ALPHAMAB"):
        assert counts(sent(api, "b.csv", f"Code,Name,Stage,Since\nA-1,{name},Phase 1,2020\n".encode())) == (0, 0, 0, 1)


def test_a_known_synonym_finds_the_molecule_it_is(api: Api):
    sent(api, "a.csv", b"Name,Stage,Since\ntanespimycin,Phase 1,2020\n")
    report = sent(api, "b.csv", b"Name,Stage,Since\n17-AAG,Phase 2,2021\n")
    assert counts(report) == (1, 0, 0, 0)
    assert report["written"]["programmes"] == 1
    assert len(portfolio(api)) == 1


def test_the_centres_own_code_takes_the_place_of_one_made_up(api: Api):
    sent(api, "a.csv", b"Name,Stage,Since\nAlphamab,Phase 1,2020\n")
    [old] = portfolio(api)
    assert old.startswith("EXT-")
    sent(api, "b.csv", b"Code,Name,Stage,Since\nIUCT-7,Alphamab,Phase 1,2020\n")
    for code in ("IUCT-7", old):
        assert api("query M($c: String!) { molecule(code: $c) { code } }", c=code)["molecule"] == {"code": "IUCT-7"}


def test_a_made_up_code_never_meets_one_that_is_taken(api: Api):
    taken = "".join(f"EXT-{n:06d},Taken {n},Phase 1,2020\n" for n in range(1, 9))
    sent(api, "a.csv", f"Code,Name,Stage,Since\n{taken}".encode())
    sent(api, "b.csv", b"Code,Name,Stage,Since\nEXT-000011,Other,Phase 1,2020\n")
    report = sent(api, "c.csv", b"Name,Stage,Since\nFresh 1,Phase 1,2020\nFresh 2,Phase 1,2020\n")
    assert counts(report) == (2, 0, 0, 0)
    assert len(portfolio(api)) == 11


def test_a_row_without_indication_of_a_molecule_that_has_one_on_record_is_held(api: Api):
    sent(api, "a.csv", b"Name,Indication,Stage,Since\nVagol,Lung,Phase 1,2020\n")
    report = sent(api, "b.csv", b"Name,Stage,Since\nVagol,Phase 2,2021\n")
    assert counts(report) == (0, 0, 1, 0)
    assert "Lung" in reviews(api)[0]["proposed"]


def test_rows_of_one_number_on_two_sheets_are_two_rows(api: Api):
    book = openpyxl.Workbook()
    for title, name, stage in (("One", "Sheetol", "Phase 2"), ("Two", "Other", "Phase 9")):
        sheet = book.create_sheet(title)
        sheet.append(["Name", "Stage", "Since"])
        sheet.append([name, stage, "2020-01"])
        sheet.append([f"{name} B", "Phase 1", "2020-01"])
    del book["Sheet"]
    out = io.BytesIO()
    book.save(out)
    report = sent(api, "book.xlsx", out.getvalue())
    assert counts(report) == (3, 1, 0, 0)
    assert counts(sent(api, "book.xlsx", out.getvalue())) == (0, 1, 0, 3)

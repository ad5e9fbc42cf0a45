"""Dated snapshots in three encodings, from their bytes to the records."""

from tests.graphql.conftest import Api
from tests.imports.conftest import counts, decide, reviews, sent, versions, zipped
from tests.imports.test_portfolio import a_moment, standing

PORTFOLIO = """
{ programmes(first: 50) { nodes { molecule { name } stage { code } transitions { to { code } occurredOn note } } } }
"""


def snapshot(rows: dict[str, str], encoding: str, heading: str = "Molécule;Phase clinique") -> bytes:
    return "\n".join([heading, *(f"{name};{phase}" for name, phase in rows.items())]).encode(encoding)


SEEN = {
    "portefeuille_2019-03-01.csv": ("cp1252", {"Éxemplol": "Phase I", "Fabulib": "Phase II", "Zétamab": "Phase I"}),
    "portefeuille_2020-03-01.csv": (
        "mac-roman",
        {"Éxemplol": "Phase I", "Fabulib": "Phase I", "Zétamab": "Phase I/II"},
    ),
    "portefeuille_2021-03-01.csv": ("utf-8", {"Éxemplol": "Phase II", "Zétamab": "Phase I/II", "Nouvélib": "Phase 9"}),
}
SET = {name: snapshot(rows, encoding) for name, (encoding, rows) in SEEN.items()}


def stages(api: Api) -> dict[str, list[tuple[str, str]]]:
    nodes = api(PORTFOLIO)["programmes"]["nodes"]
    return {n["molecule"]["name"]: [(t["to"]["code"], t["occurredOn"]) for t in n["transitions"]] for n in nodes}


def test_moves_are_inferred_from_snapshots_in_three_encodings(api: Api):
    report = sent(api, "snapshots.zip", zipped(SET))
    assert report["format"] == "snapshots"
    assert counts(report) == (5, 1, 1, 2), report["problems"]
    assert stages(api) == {
        "Éxemplol": [("PHASE_1", "2019-03-01"), ("PHASE_2", "2021-03-01")],
        "Fabulib": [("PHASE_2", "2019-03-01")],
        "Zétamab": [("PHASE_1", "2019-03-01"), ("PHASE_1_2", "2020-03-01")],
    }
    assert any("mac" in warning.lower() for warning in report["warnings"]), report["warnings"]
    before = versions(api.centre)
    again = sent(api, "snapshots.zip", zipped(SET))
    assert counts(again) == (0, 1, 1, 7)
    after = versions(api.centre)
    assert {name for name in after if after[name] != before[name]} <= {"imports", "import_problems"}


def test_the_correction_a_set_proposes_can_be_accepted_though_the_set_made_the_programme(api: Api):
    sent(api, "snapshots.zip", zipped(SET))
    [item] = reviews(api)
    assert (item["file"], item["row"]) == ("portefeuille_2020-03-01.csv", 3)
    believed_at = a_moment()
    assert decide(api, item["id"], "ACCEPTED")["errors"] == []
    assert stages(api)["Fabulib"] == [("PHASE_1", "2019-03-01")]
    assert ("PHASE_2", ("PHASE_2", "2019-03-01")) in standing(api, believed_at)
    again = sent(api, "snapshots.zip", zipped(SET))
    assert counts(again) == (0, 1, 0, 8), again["problems"]
    assert stages(api)["Fabulib"] == [("PHASE_1", "2019-03-01")]


def test_a_further_snapshot_adds_only_what_moved(api: Api):
    names = sorted(SET)
    sent(api, "two.zip", zipped({name: SET[name] for name in names[:2]}))
    before = versions(api.centre)
    later = snapshot({"Éxemplol": "Phase II", "Fabulib": "Phase II", "Zétamab": "Phase I/II"}, "utf-8")
    report = sent(api, "portefeuille_2021-03-01.csv", later)
    assert report["format"] == "snapshots"
    assert counts(report) == (1, 0, 0, 2), report["problems"]
    assert versions(api.centre)["transitions"] - before["transitions"] == 1


def test_a_step_back_in_a_later_snapshot_keeps_the_day_it_corrects(api: Api):
    sent(api, "p_2019-03-01.csv", snapshot({"Fabulib": "Phase II"}, "utf-8"))
    report = sent(api, "p_2020-03-01.csv", snapshot({"Fabulib": "Phase I"}, "utf-8"))
    assert counts(report) == (0, 0, 1, 0)
    [item] = reviews(api)
    assert decide(api, item["id"], "ACCEPTED")["errors"] == []
    assert stages(api)["Fabulib"] == [("PHASE_1", "2019-03-01")]


def test_an_earlier_snapshot_that_comes_late_proposes_the_earlier_day(api: Api):
    sent(api, "p_2020-03-01.csv", snapshot({"Fabulib": "Phase II"}, "utf-8"))
    report = sent(api, "p_2019-03-01.csv", snapshot({"Fabulib": "Phase II"}, "utf-8"))
    assert counts(report) == (0, 0, 1, 0)
    [item] = reviews(api)
    assert decide(api, item["id"], "ACCEPTED")["errors"] == []
    assert stages(api)["Fabulib"] == [("PHASE_2", "2019-03-01")]


def test_one_code_for_two_names_in_snapshots_is_quarantined(api: Api):
    rows = "Name;Code;Phase\nOne;X-1;Phase 1\nTwo;X-1;Phase 2\n"
    report = sent(api, "p_2020-03-01.csv", rows.encode(), format="snapshots")
    assert counts(report) == (1, 1, 0, 0), report["problems"]
    assert "code X-1 is given to One (row 2) and to Two" in report["problems"][0]["reason"]

"""Lists of target exposures brought in: known molecules get limits, unknown ones wait."""

from __future__ import annotations

from pipeline.store import study_tables
from tests.graphql.conftest import Api
from tests.imports.conftest import api, counts, reviews, sent
from tests.imports.test_sdtm import current
from tests.support.datasets import dataset

__all__ = ["api"]

LIST = """drug,parameter,relation,lower,upper,unit,population,as_printed,source
alphanib,Cmin,>,20000,,ng/mL,selected indications,">20,000 ng/mL",One 2014
alphanib,Cmin,>=,20,,mg/L,solid tumours,>=20 mg/L,Two 2017
alphanib,AUC,between,715,920,mg*h/L,renal,715-920,Two 2017
betanib,Cmin,>,50,,ng/mL,any,>50,One 2014
alphanib,Cmin,>,,,ng/mL,any,>,One 2014
alphanib,Tmax,>,1,,h,any,>1,One 2014
alphanib,Cmin,>,1,,mg,any,>1,One 2014
alphanib,Cmin,between,9,5,ng/mL,any,9-5,One 2014
"""


def test_targets_become_limits_of_known_molecules(api: Api) -> None:
    api.molecule("AL-1", "alphanib")
    report = sent(api, "targets.csv", LIST.encode())
    assert report["format"] == "exposure-targets"
    assert (report["rows"], *counts(report)) == (8, 3, 4, 1, 0)
    limits = current(api.centre, study_tables.exposure_limits)
    assert [(r["parameter"], r["relation"], r["lower"], r["upper"], r["unit"], r["indication"]) for r in limits] == [
        ("CMIN", "AT_LEAST", 20000.0, None, "ng/mL", "selected indications"),
        ("CMIN", "AT_LEAST", 20.0, None, "mg/L", "solid tumours"),
        ("AUCTAU", "WITHIN", 715.0, 920.0, "mg*h/L", "renal"),
    ]
    assert [row["flag"] for row in limits] == [
        "the bound itself is not in the target (>)",
        None,
        "printed as AUC, taken for AUCTAU, over a dosing interval",
    ]
    [question] = reviews(api)
    assert "no molecule is known as 'betanib'" in question["explanation"]
    again = sent(api, "targets.csv", LIST.encode())
    assert counts(again) == (0, 4, 1, 3)
    api.molecule("BE-1", "betanib")
    assert counts(sent(api, "targets.csv", LIST.encode())) == (1, 4, 0, 3)
    changed = sent(api, "targets.csv", LIST.replace("20000", "25000").encode())
    assert counts(changed) == (0, 4, 1, 3)


def test_the_published_targets(api: Api) -> None:
    for number, name in enumerate(("imatinib", "sunitinib", "pazopanib")):
        api.molecule(f"KI-{number}", name)
    report = sent(api, "targets.csv", (dataset("tdm-targets") / "targets.csv").read_bytes())
    assert (report["rows"], *counts(report)) == (8, 7, 0, 1, 0)
    assert [item["reported"] for item in reviews(api)] == ["everolimus"]

"""Time-point responses of a published data set, derived anew from its tumour measurements."""

import csv
from collections import defaultdict
from collections.abc import Mapping

from pipeline.efficacy.recist import NonTarget, TimepointResponse, timepoint_response
from tests.support.datasets import dataset

Reader = tuple[str, str]  # subject, assessor
Sizes = Mapping[str, float | None]


def rows(name: str) -> list[dict[str, str]]:
    with (dataset("sdtm-csv") / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def judged(visits: Mapping[int, Sizes], nodes: set[str], visit: int, states: list[str]) -> TimepointResponse:
    """Return the response at a visit, from the sizes of the target lesions at all visits up to it."""
    sums = {number: sum(size or 0 for size in visits[number].values()) for number in sorted(visits)}
    baseline = next(iter(sums.values()))
    sizes = visits[visit]
    all_there = len(sizes) == len(next(iter(visits.values()))) and None not in sizes.values()
    gone = all_there and all((size or 0) < 10 if name in nodes else size == 0 for name, size in sizes.items())
    non_target = NonTarget.NONE
    if states:
        non_target = NonTarget.CR if set(states) == {"ABSENT"} else NonTarget.NON_CR_NON_PD
    nadir = min(total for number, total in sums.items() if number < visit)
    return timepoint_response(baseline, nadir, sums[visit], gone, non_target, False, all_there)


def test_responses_follow_from_the_measurements() -> None:
    nodes: dict[Reader, set[str]] = defaultdict(set)
    for row in rows("tu_onco_recist.csv"):
        if row["TULOC"] == "LYMPH NODE":
            nodes[row["USUBJID"], row["TUEVALID"]].add(row["TULNKID"])
    sizes: dict[Reader, dict[int, dict[str, float | None]]] = defaultdict(lambda: defaultdict(dict))
    states: dict[tuple[Reader, int], list[str]] = defaultdict(list)
    for row in rows("tr_onco_recist.csv"):
        reader, visit = (row["USUBJID"], row["TREVALID"]), int(row["VISITNUM"])
        axis = "LPERP" if row["TRLNKID"] in nodes[reader] else "LDIAM"
        if row["TRGRPID"] == "TARGET" and row["TRTESTCD"] == axis:
            sizes[reader][visit][row["TRLNKID"]] = None if row["TRSTRESN"] == "NA" else float(row["TRSTRESN"])
        elif row["TRTESTCD"] == "TUMSTATE":
            states[reader, visit].append(row["TRSTRESC"])
    agree, differ = 0, []
    for row in rows("rs_onco_recist.csv"):
        reader, visit = (row["USUBJID"], row["RSEVALID"]), int(row["VISITNUM"])
        if reader in sizes:
            found = judged(sizes[reader], nodes[reader], visit, states[reader, visit])
            agree += found.overall_response == row["RSSTRESC"]
            if found.overall_response != row["RSSTRESC"]:
                differ.append((row["USUBJID"], visit, str(found.overall_response), row["RSSTRESC"]))
    # at one visit the sum has more than doubled from 14 mm, and PR was recorded by all three assessors
    assert agree == 54
    assert differ == [("01-701-1118", 5, "PD", "PR")] * 3

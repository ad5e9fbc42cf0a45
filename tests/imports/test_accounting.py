"""Whatever a table says: every row has one fate, a second import changes nothing, a rehearsal tells the truth."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.graphql.conftest import Api
from tests.imports.conftest import counts, sent, versions

NAMES = ["Alphol", "ALPHOL", "Alph ol", "Betamab", "17-AAG", "tanespimycin", "", "--", "=1+1"]
STAGES = ["Phase 1", "Phase 2", "phase I/II", "Phase 3", "Phase 9", "", "Preclinical pharmacology", "Approval"]
DATES = ["2019", "2020-03", "2020-03-15", "2021-01-02", "03/04/2020", "31.02.2021", "", "2018-12-31"]
STATUSES = ["", "", "", "on hold", "discontinued", "completed", "active", "withdrawn", "asleep"]
ROWS = st.lists(
    st.tuples(
        *map(
            st.sampled_from,
            [["", "", "A-1", "a 1", "B-2"], NAMES, ["", "Lung", "lung ", "Skin"], STAGES, DATES, STATUSES],
        ),
        st.sampled_from(["", "", "melanoma", "liver"]),
    ),
    min_size=1,
    max_size=12,
)
HEADING = "Code,Name,Indication,Stage,Since,Status,Disease group"


def table(rows) -> bytes:
    return "\n".join([HEADING, *map(",".join, rows)]).encode()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=ROWS, second=ROWS)
def test_every_row_has_one_fate_and_nothing_is_taken_twice(api: Api, first, second):
    # One centre for all examples: each table meets whatever those before it left on record.
    for rows in (first, second):
        content = table(rows)
        before = versions(api.centre)
        rehearsed = sent(api, "random.csv", content, format="portfolio", dry_run=True)
        assert versions(api.centre) == before
        report = sent(api, "random.csv", content, format="portfolio")
        assert report == rehearsed
        assert report["rows"] == sum(any(cell for cell in row) for row in rows)
        before = versions(api.centre)
        again = sent(api, "random.csv", content, format="portfolio")
        assert again["accepted"] == 0, (report, again)
        after = versions(api.centre)
        assert {name for name in after if after[name] != before[name]} <= {"imports", "import_problems", "review_items"}
        assert counts(sent(api, "random.csv", content, format="portfolio")) == counts(again)
    assert api.centre.verify().problems == []

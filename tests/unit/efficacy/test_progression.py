import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.efficacy.progression import Assessment, Ending, progression_time
from pipeline.efficacy.recist import Response
from pipeline.errors import InputError

days = st.one_of(st.none(), st.integers(0, 400))
visits = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(list(Response))), max_size=8, unique_by=lambda visit: visit[0]
).map(lambda rows: [Assessment(day, response) for day, response in sorted(rows)])


def ending(*seen: tuple[int, str], death: int | None = None, therapy: int | None = None, cutoff: int = 400) -> object:
    found = progression_time([Assessment(day, Response(word)) for day, word in seen], death, therapy, cutoff, 56, 7)
    return found.time_days, found.event, found.ending.value


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (ending((56, "SD"), (175, "PD")), (175, 1, "progression")),  # 119 days = 2 * 56 + 7: not more
        (ending((56, "SD"), (176, "PD")), (56, 0, "missed_assessments")),
        (ending((56, "SD"), (112, "PD"), death=112), (112, 1, "progression")),
        (ending((56, "SD"), (112, "PD"), therapy=112), (112, 1, "progression")),
        (ending((56, "SD"), (112, "PD"), therapy=111), (56, 0, "new_therapy")),
        (ending((56, "SD"), (112, "PD"), cutoff=111), (56, 0, "no_event")),
        (ending((56, "NE"), cutoff=200), (0, 0, "no_post_baseline")),
        (ending((56, "SD"), therapy=300, cutoff=200), (56, 0, "no_event")),
        (ending((56, "SD"), (112, "SD"), therapy=112), (112, 0, "new_therapy")),
        (ending(death=120), (0, 0, "missed_assessments")),
    ],
)
def test_rules_in_their_order(found: object, expected: object) -> None:
    assert found == expected


@given(visits, days, days, st.integers(0, 400))
@settings(max_examples=50)
def test_time_never_passes_the_cutoff_and_events_have_a_day(
    seen: list[Assessment], death: int | None, therapy: int | None, cutoff: int
) -> None:
    found = progression_time(seen, death, therapy, cutoff, 56, 7)
    assert 0 <= found.time_days <= cutoff
    assert (found.event == 1) is (found.ending in (Ending.PROGRESSION, Ending.DEATH))
    known = [visit for visit in seen if visit.day <= cutoff]
    assert progression_time(known, death, therapy, cutoff, 56, 7) == found


@pytest.mark.parametrize(
    ("seen", "death"), [([(10, "SD"), (10, "SD")], None), ([(20, "SD"), (10, "SD")], None), ([(-5, "SD")], 3), ([], -1)]
)
def test_impossible_days_are_refused(seen: list[tuple[int, str]], death: int | None) -> None:
    with pytest.raises(InputError):
        ending(*seen, death=death)

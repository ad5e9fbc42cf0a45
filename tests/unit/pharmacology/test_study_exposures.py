"""Profiles of a study, their parameters under the codes of CDISC, and what a source reports beside them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.pharmacology.nca import non_compartmental
from pipeline.pharmacology.profile import BelowLimit, Route
from pipeline.pharmacology.recorded_samples import route_of, settings_for
from pipeline.pharmacology.reported_comparison import Comparison, Reported, compare, in_its_unit, likely_cause
from pipeline.pharmacology.study_exposures import AnalysisSettings, StudyExposure, study_exposures
from pipeline.pharmacology.study_profiles import GivenDose, Sample, Whose, dose_of, interval_hours, profiles_of, tau_of

CURVE = Whose(1, None, "X", "PLASMA")
FALLING = [(0.5, 40.0), (1.0, 80.0), (2.0, 60.0), (4.0, 30.0), (8.0, 7.5), (24.0, 0.25)]


def sampled(points, *, day=1.0, whose=CURVE, start=1, unit="ng/mL", filed_as_taken=True):
    return [
        Sample(start + n, whose, day + (hours // 24 if filed_as_taken else 0), hours, conc, unit)
        for n, (hours, conc) in enumerate(points)
    ]


def one(samples, doses=(), settings=None, molar_masses=None) -> StudyExposure:
    (found,) = study_exposures(samples, doses, settings or {}, molar_masses or {})
    return found


def test_a_late_sample_belongs_to_the_dose_before_it_whichever_day_it_is_filed_under():
    for filed_as_taken in (True, False):
        samples = sampled(FALLING, filed_as_taken=filed_as_taken)
        samples += sampled(FALLING, day=29.0, start=20, filed_as_taken=filed_as_taken)
        found = profiles_of(samples)
        assert [(p.interval, len(p.samples), p.first) for p in found] == [("day 1", 6, True), ("day 29", 6, False)]


def test_daily_profiles_filed_under_the_day_of_the_dose_stay_apart():
    samples = sampled(FALLING, filed_as_taken=False) + sampled(FALLING, day=2.0, start=20, filed_as_taken=False)
    assert [(p.interval, len(p.samples)) for p in profiles_of(samples)] == [("day 1", 6), ("day 2", 6)]


def test_parameters_are_those_of_the_single_profile():
    dose = GivenDose(1, None, 10.0, "mg", Route.EXTRAVASCULAR, first_day=1, last_day=28, every_h=24.0)
    found = one(sampled(FALLING), [dose])
    single = non_compartmental(*zip(*FALLING, strict=True), dose=1e7, zero_at_dose=True)
    for code, name in (("CMAX", "cmax"), ("AUCLST", "auc_last"), ("AUCIFO", "auc_inf_obs"), ("LAMZHL", "half_life")):
        assert found.value(code) == pytest.approx(getattr(single, name), rel=1e-12)
    assert found.value("CLFO") == pytest.approx(single.cl_or_cl_f / 1000)
    assert found.terminal_h == (2.0, 4.0, 8.0, 24.0)
    assert found.value("AUCTAU") == pytest.approx(single.auc_last)
    units = {p.code: p.unit for p in found.parameters}
    assert (units["CMAX"], units["AUCLST"], units["LAMZ"], units["CLFO"]) == ("ng/mL", "h.ng/mL", "1/h", "L/h")
    assert all(p.flag for p in found.parameters if p.value is None)
    assert "0 taken" in next(p.flag for p in found.parameters if p.code == "AUCLST")


def test_a_dose_per_weight_gives_a_clearance_per_weight_and_moles_need_the_molar_mass():
    dose = GivenDose(1, None, 10.0, "mg/kg", Route.IV_BOLUS, first_day=1)
    found = one(sampled(FALLING), [dose])
    assert {p.code: p.unit for p in found.parameters}["CLO"] == "L/h/kg"
    molar = sampled(FALLING, unit="nmol/L")
    unknown = next(p for p in one(molar, [dose]).parameters if p.code == "CLO")
    assert (unknown.value, unknown.flag) == (None, "the dose is not known in a unit that fits the concentration")
    assert one(molar, [dose], molar_masses={"X": 500.0}).value("CLO") is not None


def test_two_values_at_one_time_stop_the_analysis_and_name_themselves():
    samples = [*sampled(FALLING), Sample(99, CURVE, 1.0, 4.0, 31.0, "ng/mL")]
    found = one(samples)
    assert [(p.code, p.value) for p in found.parameters] == [("CMAX", None)]
    assert found.parameters[0].flag == "two values at 4 h (30 and 31): exclude or retract one"
    same = [*sampled(FALLING), Sample(99, CURVE, 1.0, 4.0, 30.0, "ng/mL")]
    assert one(same).value("CMAX") == 80.0
    retest = [*sampled(FALLING), Sample(99, CURVE, 1.0, 4.0, 31.0, "ng/mL", retest_of=4)]
    assert one(retest).value("CMAX") == 80.0
    assert "a retest stands in" in next(p.flag for p in one(retest).parameters if p.code == "CMAX")


def test_units_that_differ_stop_the_analysis():
    samples = [*sampled(FALLING), Sample(99, CURVE, 1.0, 12.0, 3.0, "ug/mL")]
    assert one(samples).parameters[0].flag == "values in different units (ng/mL, ug/mL)"
    same = [*sampled(FALLING[:-1]), Sample(99, CURVE, 1.0, *FALLING[-1], "ug/L")]
    assert one(same).value("AUCLST") == one(sampled(FALLING)).value("AUCLST")


def test_accumulation_is_told_against_the_first_interval_of_the_same_dose():
    dose = GivenDose(1, None, 10.0, "mg", Route.EXTRAVASCULAR, first_day=1, last_day=29, every_h=24.0)
    doubled = [(0.0, 0.5), *((hours, 2 * conc) for hours, conc in FALLING)]
    found = study_exposures([*sampled(FALLING), *sampled(doubled, day=29.0, start=20)], [dose], {}, {})
    assert [exposure.value("ARCMAX") for exposure in found] == [None, 2.0]
    assert found[1].value("ARAUC") == pytest.approx(found[1].value("AUCTAU") / found[0].value("AUCTAU"))


def test_urine_gives_amounts_where_volumes_are_known():
    whose = Whose(1, None, "X", "URINE")
    spans = [(0.0, 6.0, 2.0), (6.0, 12.0, 1.0), (12.0, 24.0, 0.5)]
    samples = [
        Sample(50 + n, whose, 1.0, start, conc, "ug/mL", end_hours=end, amount=0.5, amount_unit="L")
        for n, (start, end, conc) in enumerate(spans)
    ]
    plasma = study_exposures([*sampled(FALLING), *samples], [], {}, {})
    urine = next(exposure for exposure in plasma if exposure.profile.collected)
    assert urine.value("RCAMINT") == pytest.approx(1750.0)
    area = plasma[0].value("AUCLST")
    assert urine.value("RENALCL") == pytest.approx(1750.0 / area, rel=0.05)
    without = [Sample(s.record, s.whose, s.day, s.hours, s.conc, s.unit, end_hours=s.end_hours) for s in samples]
    assert one(without).parameters[0].flag == "no volume was recorded for the collections"


def test_more_in_urine_than_was_given_is_told_and_molar_units_need_the_molar_mass():
    collected = {"end_hours": 24.0, "amount": 2.0, "amount_unit": "L"}
    dose = GivenDose(1, None, 1.0, "mg", Route.EXTRAVASCULAR, first_day=1)
    found = one([Sample(50, Whose(1, None, "X", "URINE"), 1.0, 0.0, 0.6, "mg/L", **collected)], [dose])
    assert found.value("RCPCINT") == pytest.approx(120.0)
    assert {p.flag for p in found.parameters if p.value is not None} == {
        "more was excreted than given: check the units"
    }
    molar = [Sample(50, Whose(1, None, "X", "URINE"), 1.0, 0.0, 0.6, "umol/L", **collected)]
    unknown = one(molar, [dose])
    assert (unknown.value("RCAMINT"), unknown.value("RCPCINT")) == (pytest.approx(1.2), None)
    assert one(molar, [dose], molar_masses={"X": 500.0}).value("RCPCINT") == pytest.approx(60.0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, 1.0, 2.0, 8.0, 29.0, -3.5, 1e300]),
            st.sampled_from([None, -1.0, 0.0, 5e-324, 0.5, 1.0, 4.0, 24.0, 48.0, 1e4, 1e308, math.inf]),
            st.sampled_from([None, 0.0, 5e-324, 1e-300, 1.0, 7.5, 1e12, 1e308, -2.0, math.inf]),
            st.sampled_from([None, "ng/mL", "nmol/L", "mg"]),
        ),
        max_size=25,
    ),
    st.sampled_from(list(Route)),
    st.sampled_from([None, -5.0, 0.0, 5.0, 1e308]),
    st.sampled_from([None, "mg", "mg/kg", "mg/m2", "ng/mL", "nonsense"]),
    st.sampled_from([None, 0.0, -1.0, 1.0, math.inf]),
    st.sampled_from([None, 24.0, 1e-9]),
)
def test_whatever_the_samples_every_parameter_has_a_value_or_a_reason(rows, route, amount, unit, infusion, every):
    samples = [Sample(n, CURVE, day, hours, conc, unit) for n, (day, hours, conc, unit) in enumerate(rows)]
    dose = GivenDose(1, None, amount, unit, route, infusion, 1.0, 40.0, None, every)
    found = study_exposures(samples, [dose], {}, {"X": 300.0})
    assert sum(len(e.profile.samples) for e in found) <= sum(s.hours is not None for s in samples)
    for exposure in found:
        assert exposure.parameters
        for parameter in exposure.parameters:
            assert parameter.flag if parameter.value is None else math.isfinite(parameter.value)


@pytest.mark.parametrize(
    ("frequency", "hours"),
    [("QD", 24), ("bid", 12), ("Q3W", 504), ("Q 2 W", 336), ("every 12 hours", 12), ("Q4H", 4), ("ONCE", None)],
)
def test_frequencies(frequency, hours):
    assert interval_hours(frequency) == hours


def test_the_dose_of_a_profile_and_its_interval():
    (profile,) = profiles_of(sampled(FALLING, day=8.0))
    doses = [GivenDose(1, None, 5.0, "mg", Route.EXTRAVASCULAR, first_day=d) for d in (1, 8, 15)]
    assert dose_of(profile, doses) is doses[1]
    assert tau_of(doses[1], doses) == 168.0
    twice = [doses[1], GivenDose(1, None, 6.0, "mg", Route.EXTRAVASCULAR, first_day=8)]
    assert dose_of(profile, twice) is None


def test_the_study_says_which_value_of_a_sample_measured_again_counts():
    again = [*sampled(FALLING), Sample(99, CURVE, 1.0, 1.0, 31.0, "ng/mL", retest_of=2)]
    first, latest = ({"x": AnalysisSettings.of({"retest": rule})} for rule in ("FIRST", "LATEST"))
    assert [one(again, settings=rule).value("CMAX") for rule in (first, latest, None)] == [80.0, 60.0, 60.0]
    notes = next(p.flag for p in one(again, settings=first).parameters if p.code == "CMAX")
    assert notes == "a value stands though it was measured again, as the study has it"
    # A retest of what does not count any more stands alone, whatever the rule.
    alone = [sample for sample in again if sample.record != 2]
    assert [one(alone, settings=rule).value("CMAX") for rule in (first, latest)] == [60.0, 60.0]
    assert len(one(alone, settings=first).profile.samples) == len(FALLING)


def test_the_spelling_of_an_analyte_or_specimen_makes_no_other_curve():
    early, late = sampled(FALLING)[:3], sampled(FALLING, whose=Whose(1, None, "x", "Plasma"))[3:]
    exposure = one([*early, *late], [GivenDose(1, None, 10.0, "mg", Route.EXTRAVASCULAR, first_day=1)])
    assert (exposure.profile.whose, len(exposure.profile.samples)) == (CURVE, 6)


@pytest.mark.parametrize(
    ("text", "hours", "route"),
    [
        ("INTRAVENOUS", 0.5, Route.IV_INFUSION),
        ("INTRAVENOUS", None, Route.IV_INFUSION),
        ("intravenous bolus", None, Route.IV_BOLUS),
        ("IV push", None, Route.IV_BOLUS),
        ("IV", 2.0, Route.IV_INFUSION),
        ("ORAL", 2.0, Route.EXTRAVASCULAR),
        ("SUBCUTANEOUS", None, Route.EXTRAVASCULAR),
        (None, None, Route.EXTRAVASCULAR),
    ],
)
def test_a_route_is_told_by_its_words(text, hours, route):
    assert route_of(text, hours) is route


def test_settings_for_an_analyte_go_over_those_for_all():
    kept = {"": {"tau_h": 24, "retest": "FIRST"}, "Pazopanib": {"tau_h": 12}}
    assert settings_for(kept, "PAZOPANIB") == {"tau_h": 12, "retest": "FIRST"}
    assert settings_for(kept, "M1") == settings_for(kept, "") == {"tau_h": 24, "retest": "FIRST"}


def test_settings_are_read_or_refused():
    chosen = AnalysisSettings.of({"below_limit": "drop_all", "tau_h": 12})
    assert (chosen.below_limit, chosen.tau_h, chosen.zero_at_first_dose) == (BelowLimit.DROP_ALL, 12.0, True)
    with pytest.raises(InputError, match="the rules are default, drop_all, keep_zero"):
        AnalysisSettings.of({"below_limit": "half"})
    with pytest.raises(InputError, match="hours above 0"):
        AnalysisSettings.of({"tau_h": -1})


def test_reported_values_agree_within_what_was_printed():
    assert compare(Reported("AUCLST", 14570, "h.ng/mL", "14570"), 14569.6) is Comparison.AGREES
    assert compare(Reported("CMAX", 1.2, "ug/mL", "1.2"), 1.249) is Comparison.AGREES
    assert compare(Reported("CMAX", 1.2, "ug/mL", "1.20"), 1.249) is Comparison.DISAGREES
    assert compare(Reported("CMAX", None, None), 3.0) is Comparison.NOT_REPORTED
    assert compare(Reported("CMAX", 3.0, None), None) is Comparison.NOT_COMPUTED
    assert in_its_unit(1.0, "ug/mL", "ng/mL", None) == 1000.0
    assert in_its_unit(1.0, "ug/mL", "h", None) is None


@pytest.mark.parametrize(
    ("reported", "words"),
    [
        (Reported("CMAX", 80_000.0, "ng/mL"), "ng against ug"),
        (Reported("AUCLST", 80.0 / 24, "d.ng/mL"), "hours called days"),
        (Reported("CMAX", 80.0 / 7, "ng/mL"), "divided by the dose"),
        (Reported("CMAX", 55.0, "ng/mL"), "equals AUCALL"),
        (Reported("CMAX", -3.0, "ng/mL"), "negative"),
        (Reported("CMAX", 3.0, "ng/mL", excluded="extrapolation"), "leaves it out itself"),
        (Reported("CMAX", 31.0, "ng/mL"), "nothing known"),
    ],
)
def test_a_difference_comes_with_what_probably_explains_it(reported, words):
    assert words in likely_cause(reported, 80.0, {"AUCALL": 55.0}, dose=7.0)

"""Exposure parameters of all profiles of a study, under the codes of CDISC, each with its unit and how it was found."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import InputError
from pipeline.names import fold
from pipeline.outcome import Reason
from pipeline.pharmacology.excretion import urinary_excretion
from pipeline.pharmacology.profile import BelowLimit, Route
from pipeline.pharmacology.steady_state import steady_state
from pipeline.pharmacology.study_profiles import GivenDose, Retest, StudyProfile, Whose, dose_of, profiles_of, tau_of
from pipeline.units import convert

if TYPE_CHECKING:
    from pipeline.pharmacology.exposure_table import ExposureTable
    from pipeline.pharmacology.study_profiles import Sample

METHOD = "D1_nca 1"

ANALYSIS_SETTINGS = ("below_limit", "zero_at_first_dose", "tau_h", "retest")


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """How the profiles of an analyte are analysed.

    Attributes:
        below_limit: what becomes of values below the limit.
        zero_at_first_dose: take 0 at time 0 of a first dose that is not intravenous, where nothing was measured.
        tau_h: dosing interval, h; None: from the doses.
        retest: which value of a sample counts that was measured again.
    """

    below_limit: BelowLimit = BelowLimit.DEFAULT
    zero_at_first_dose: bool = True
    tau_h: float | None = None
    retest: Retest = Retest.LATEST

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> AnalysisSettings:
        """Read the settings a study keeps for an analyte; what it does not say is the default.

        What stands under `nca` goes before the rest.

        Raises:
            InputError: a rule or a number that is not one.
        """
        nca = settings.get("nca")
        said = {**settings, **nca} if isinstance(nca, Mapping) else settings
        rule, zero, tau, retest = (said.get(name) for name in ANALYSIS_SETTINGS)
        try:
            below_limit = BelowLimit.DEFAULT if rule is None else BelowLimit(str(rule))
        except ValueError:
            rules = ", ".join(BelowLimit)
            raise InputError(f"{rule!r} is not a rule for values below the limit; the rules are {rules}") from None
        if tau is not None and (not isinstance(tau, int | float) or isinstance(tau, bool) or not 0 < tau < 1e6):
            raise InputError(f"a dosing interval is a number of hours above 0, not {tau!r}")
        if retest is not None and retest not in list(Retest):
            raise InputError(f"of a sample measured again the {' or '.join(Retest)} value counts, not {str(retest)!r}")
        counts = Retest.LATEST if retest is None else Retest(str(retest))
        return cls(below_limit, zero is not False, None if tau is None else float(tau), counts)


class Parameter(NamedTuple):
    """One parameter. `flag`: why there is no value, or what to mind about it. `method`: how it was found."""

    code: str
    value: float | None
    unit: str
    flag: str | None
    method: str


@dataclass(slots=True)
class StudyExposure:
    """The parameters of one profile, with the samples behind them.

    Attributes:
        zero_at_dose: whether 0 was taken at the time of the first dose.
        terminal_h: times of the points the terminal slope rests on, h.
        tau_h: dosing interval the parameters over tau are for, h.
        linear_auc: area to the last measurable sample with linear pieces only, to explain what others report.
    """

    profile: StudyProfile
    dose: GivenDose | None
    tau_h: float | None
    parameters: list[Parameter] = field(default_factory=list)
    zero_at_dose: bool = False
    terminal_h: tuple[float, ...] = ()
    linear_auc: float | None = None

    def value(self, code: str) -> float | None:
        """Return the value of a parameter; None when it has none."""
        return next((found.value for found in self.parameters if found.code == code), None)


_CONC, _TIME, _RATE, _AREA, _MOMENT, _SHARE, _COUNT = "{c}", "h", "1/h", "h.{c}", "h.h.{c}", "%", "1"
_CODES = {
    "cmax": ("CMAX", _CONC),
    "tmax": ("TMAX", _TIME),
    "clast": ("CLST", _CONC),
    "tlast": ("TLST", _TIME),
    "c0": ("C0", _CONC),
    "auc_last": ("AUCLST", _AREA),
    "auc_all": ("AUCALL", _AREA),
    "auc_inf_obs": ("AUCIFO", _AREA),
    "auc_inf_pred": ("AUCIFP", _AREA),
    "auc_pct_extrap_obs": ("AUCPEO", _SHARE),
    "aumc_last": ("AUMCLST", _MOMENT),
    "aumc_inf_obs": ("AUMCIFO", _MOMENT),
    "lambda_z": ("LAMZ", _RATE),
    "half_life": ("LAMZHL", _TIME),
    "lambda_z_n_points": ("LAMZNPT", _COUNT),
    "lambda_z_time_first": ("LAMZLL", _TIME),
    "adj_r_squared": ("R2ADJ", _COUNT),
    "span_ratio": ("LAMZSPN", _COUNT),
}
_TO_INFINITY = frozenset(
    {"AUCIFO", "AUCIFP", "AUCPEO", "AUMCIFO", "CLFO", "CLO", "VZFO", "VZO", "MRTEVIFO", "MRTIVIFO"}
)
_ON_SLOPE = frozenset({"LAMZ", "LAMZHL", "LAMZNPT", "LAMZLL", "R2ADJ", "LAMZSPN"}) | _TO_INFINITY
_AREAS = frozenset({"AUCLST", "AUCALL", "AUMCLST"})
_MIND = {
    "low_adj_r_squared": (_ON_SLOPE, "the terminal line fits badly (adjusted R2 below 0.80)"),
    "short_span": (_ON_SLOPE, "the terminal phase was followed for less than two half-lives"),
    "large_extrapolation": (_TO_INFINITY, "more than 20 % of the area is extrapolated"),
    "carry_over": (frozenset({"CMAX"}) | _AREAS | _TO_INFINITY, "a value above 5 % of Cmax at the first dose"),
    "zero_at_dose": (_AREAS | _TO_INFINITY, "0 taken at the time of the first dose"),
    "pre_dose_at_zero": (_AREAS | _TO_INFINITY, "the sample before the dose taken at its time"),
    "c0_extrapolated": (frozenset({"C0"}) | _AREAS | _TO_INFINITY, "C0 extrapolated from the first samples"),
    "tau_interpolated": (frozenset(), "the end of the interval was interpolated"),
    "tau_extrapolated": (frozenset(), "carried on to the end of the interval with the terminal slope"),
    "tau_below_limit": (frozenset(), "the sample at the end of the interval is below the limit"),
}
_WHY = {
    Reason.NO_DATA: "nothing measurable, or no value from the time of the dose on",
    Reason.TOO_FEW_POINTS: "fewer than 3 measurable samples after the maximum",
}


def study_exposures(
    samples: Sequence[Sample],
    doses: Sequence[GivenDose],
    settings: Mapping[str, AnalysisSettings],
    molar_masses: Mapping[str, float],
) -> list[StudyExposure]:
    """Analyse all profiles of a study at once.

    Args:
        samples: what counts in calculations.
        doses: what was given to whom.
        settings: analyte, in any spelling -> how it is analysed; "" for all others.
        molar_masses: analyte -> g/mol, where a dose in mass meets a concentration in moles.
    """
    by_name = {fold(analyte): chosen for analyte, chosen in settings.items()}
    standard = settings.get("", AnalysisSettings())

    def chosen_for(analyte: str) -> AnalysisSettings:
        return by_name.get(fold(analyte), standard)

    given: dict[tuple[int | None, int | None], list[GivenDose]] = defaultdict(list)
    for line in doses:
        given[line.subject, line.pool].append(line)
    found: list[StudyExposure] = []
    for profile in profiles_of(samples, lambda analyte: chosen_for(analyte).retest):
        theirs = given.get((profile.whose.subject, profile.whose.pool), [])
        dose = dose_of(profile, theirs)
        chosen = chosen_for(profile.whose.analyte)
        if dose is not None and dose.route is Route.IV_INFUSION and not dose.infusion_h:
            profile.notes.append("how long the infusion took is not recorded")
        found.append(StudyExposure(profile, dose, chosen.tau_h or tau_of(dose, theirs)))
    alike: dict[tuple[BelowLimit, bool, bool], list[StudyExposure]] = defaultdict(list)
    for exposure in found:
        profile = exposure.profile
        chosen = chosen_for(profile.whose.analyte)
        extravascular = exposure.dose is None or exposure.dose.route is Route.EXTRAVASCULAR
        zero = chosen.zero_at_first_dose and profile.first and extravascular
        if not profile.doubtful and not profile.collected:
            alike[chosen.below_limit, zero, profile.first].append(exposure)
    for (below_limit, zero, first), exposures in alike.items():
        _analyse(exposures, below_limit, zero, first, molar_masses)
    _over_tau(found)
    for exposure in found:
        if exposure.profile.doubtful:
            exposure.parameters = [
                Parameter("CMAX", None, exposure.profile.unit or "1", exposure.profile.doubtful, METHOD)
            ]
        elif exposure.profile.collected:
            exposure.parameters = _excreted(exposure, found, molar_masses)
        exposure.parameters = [_finite(parameter) for parameter in exposure.parameters]
    return found


def _finite(parameter: Parameter) -> Parameter:
    if parameter.value is None or math.isfinite(parameter.value):
        return parameter
    return parameter._replace(value=None, flag="larger than a number can be here: check the values")


def _analyse(
    exposures: Sequence[StudyExposure],
    below_limit: BelowLimit,
    zero: bool,
    first: bool,
    molar_masses: Mapping[str, float],
) -> None:
    import numpy as np

    from pipeline.pharmacology.exposure_table import exposure_table

    width = max(len(exposure.profile.samples) for exposure in exposures)
    time, conc = np.full((2, len(exposures), width), np.nan)
    for row, exposure in enumerate(exposures):
        for place, sample in enumerate(exposure.profile.samples):
            if sample.conc is not None:
                time[row, place], conc[row, place] = sample.hours, sample.conc
    amounts = [_in_mass_of(exposure, molar_masses) for exposure in exposures]
    routes = [_route(exposure.dose) for exposure in exposures]
    infusions = [exposure.dose.infusion_h or 0.0 if exposure.dose else 0.0 for exposure in exposures]
    table = exposure_table(
        time,
        conc,
        [np.nan if amount is None else amount for amount in amounts],
        routes,
        infusions,
        below_limit=below_limit,
        zero_at_dose=zero,
        first_period=first,
    )
    for row, exposure in enumerate(exposures):
        _read_row(table, row, exposure, below_limit)


def _route(dose: GivenDose | None) -> Route:
    """Return the route; an infusion whose duration nobody wrote down is analysed like a dose into the tissue."""
    if dose is None or (dose.route is Route.IV_INFUSION and not 0 < (dose.infusion_h or 0.0) < math.inf):
        return Route.EXTRAVASCULAR
    return dose.route


def _in_mass_of(exposure: StudyExposure, molar_masses: Mapping[str, float]) -> float | None:
    """Return the dose in the mass (or molar) unit of the concentration; None where it cannot be told.

    A dose per kg or per m2 stays so: clearance and volume are then per kg or per m2 as well.
    """
    dose, unit = exposure.dose, exposure.profile.unit
    if dose is None or dose.amount is None or dose.unit is None or unit is None or "/" not in unit:
        return None
    if not 0 < dose.amount < math.inf:
        return None
    try:
        return convert(
            dose.amount, dose.unit.split("/")[0], unit.split("/")[0], molar_masses.get(exposure.profile.whose.analyte)
        )
    except InputError:
        return None


def _read_row(table: ExposureTable, row: int, exposure: StudyExposure, below_limit: BelowLimit) -> None:
    values, flags, reason = table.row(row), table.flags_of(row), table.reasons[row]
    unit = exposure.profile.unit or "1"
    measured = [s.hours for s in exposure.profile.samples if s.conc and s.hours is not None]
    points = values["lambda_z_n_points"]
    exposure.terminal_h = tuple(measured[-int(points) :]) if points else ()
    exposure.zero_at_dose = "zero_at_dose" in flags
    exposure.linear_auc = values["auc_last_linear"]
    intravenous = _route(exposure.dose) is not Route.EXTRAVASCULAR
    rows = [(code, values[name], kind.replace("{c}", unit)) for name, (code, kind) in _CODES.items()]
    rows.append(("MRTIVIFO" if intravenous else "MRTEVIFO", values["mrt_inf_obs"], "h"))
    rows += _disposition(exposure, values, unit, intravenous)
    how = f"{METHOD}, linear up, logarithmic down; below the limit: {below_limit}"
    if exposure.terminal_h:
        how += f"; terminal points at {', '.join(f'{hour:g}' for hour in exposure.terminal_h)} h"
    mind = [about for flag, about in _MIND.items() if flag in flags]
    for code, value, in_unit in rows:
        if code == "C0" and value is None:
            continue
        exposure.parameters.append(Parameter(code, value, in_unit, _flag(code, value, mind, reason, exposure), how))


def _disposition(
    exposure: StudyExposure, values: Mapping[str, float | None], unit: str, intravenous: bool
) -> list[tuple[str, float | None, str]]:
    """Return clearance, L/h, and volume, L: of the body, or apparent ones after an extravascular dose."""
    codes = ("CLO", "VZO") if intravenous else ("CLFO", "VZFO")
    dose = exposure.dose
    per = "/" + dose.unit.split("/", 1)[1] if dose is not None and dose.unit and "/" in dose.unit else ""
    denominator = unit.split("/", 1)[1] if "/" in unit else None
    found = []
    for code, name, of in zip(codes, ("cl_or_cl_f", "vz_or_vz_f"), ("L/h", "L"), strict=True):
        value = values[name]
        try:
            litres = None if value is None or denominator is None else convert(value, denominator, "L")
        except InputError:
            litres = None
        found.append((code, litres, of + per))
    return found


def _flag(
    code: str,
    value: float | None,
    mind: Sequence[tuple[frozenset[str], str]],
    reason: Reason | None,
    exposure: StudyExposure,
) -> str | None:
    """Return why a parameter has no value, or what to mind about it; `mind`: what the profile's flags say of which."""
    if value is None:
        if code in ("CLO", "CLFO", "VZO", "VZFO") and reason is None:
            return "the dose is not known in a unit that fits the concentration"
        return _WHY.get(reason, "not computed") if reason else "not computed"
    told = [words for codes, words in mind if code in codes]
    if code in ("CMAX", "AUCLST"):
        told += exposure.profile.notes
    return "; ".join(told) or None


def _points(exposure: StudyExposure) -> tuple[list[float], list[float]]:
    """Return times and concentrations with a result, from 0 on where the analysis took 0 at the first dose."""
    points = [(s.hours, s.conc) for s in exposure.profile.samples if s.hours is not None and s.conc is not None]
    if exposure.zero_at_dose and (not points or points[0][0] > 0):
        points.insert(0, (0.0, 0.0))
    return [time for time, _ in points], [conc for _, conc in points]


def _over_tau(found: Sequence[StudyExposure]) -> None:
    """Add what holds over one dosing interval, and how exposure accumulates since the first."""
    first: dict[Whose, tuple[float | None, float | None, object]] = {}
    for exposure in found:
        profile, tau = exposure.profile, exposure.tau_h
        if tau is None or not exposure.parameters or exposure.value("CMAX") is None:
            continue
        before = first.get(profile.whose)
        amount = (exposure.dose.amount, exposure.dose.unit) if exposure.dose else None
        comparable = before is not None and before[2] == amount
        times, values = _points(exposure)
        result = steady_state(
            times,
            values,
            tau,
            auc_tau_day1=before[0] if before and comparable else None,
            lambda_z=exposure.value("LAMZ"),
        )
        mind = "; ".join(_MIND[flag][1] for flag in result.flags if flag in _MIND) or None
        unit, how = profile.unit or "1", f"D4_steady_state 1, tau {tau:g} h"
        why = mind or ("the interval was not sampled to its end" if result.auc_tau is None else None)
        rows: list[tuple[str, float | None, str]] = [
            ("AUCTAU", result.auc_tau, f"h.{unit}"),
            ("CAVG", result.cavg, unit),
            ("CTROUGH", result.ctrough, unit),
            ("CMIN", result.cmin_ss, unit),
            ("FLUCP", result.fluctuation_pct, "%"),
        ]
        peak = exposure.value("CMAX")
        if before is not None and comparable:
            rows.append(("ARAUC", result.accumulation_obs, "1"))
            rows.append(("ARCMAX", peak / before[1] if peak and before[1] else None, "1"))
        exposure.parameters += [Parameter(code, value, of, why, how) for code, value, of in rows]
        if profile.first:
            first[profile.whose] = (result.auc_tau, peak, amount)


def _excreted(
    exposure: StudyExposure, found: Sequence[StudyExposure], molar_masses: Mapping[str, float]
) -> list[Parameter]:
    """Return what was excreted over the collections, and the renal clearance where plasma covers the same time."""
    profile, how = exposure.profile, "D1_urinary_excretion 1"
    unit = profile.unit or ""
    mass, _, volume = unit.partition("/")
    spans = [(s.hours, s.end_hours, s) for s in profile.samples if s.end_hours is not None and s.hours is not None]
    dose = exposure.dose
    whole = dose is not None and dose.unit is not None and "/" not in dose.unit
    try:
        result = urinary_excretion(
            [start for start, _, _ in spans],
            [end for _, end, _ in spans],
            [s.conc for _, _, s in spans],
            [
                convert(s.amount, s.amount_unit, volume) if volume and s.amount is not None and s.amount_unit else None
                for _, _, s in spans
            ],
            dose=_in_mass_of(exposure, molar_masses) if whole else None,
            auc=_plasma_area(profile, spans[-1][1], mass, found) if spans else None,
        )
    except InputError as error:
        return [Parameter("RCAMINT", None, mass or "1", str(error), how)]
    why = "no volume was recorded for the collections" if result.reason else None
    mind = [
        words
        for flag, words in (
            ("more_than_dose", "more was excreted than given: check the units"),
            ("incomplete", "collections are missing"),
        )
        if flag in result.flags
    ]
    unknown = {"RCPCINT": "the dose is not known", "RENALCL": "plasma does not cover the collections"}
    rows = (
        ("RCAMINT", result.amount_total, mass or "1"),
        ("RCPCINT", result.pct_of_dose, "%"),
        ("ERMAX", result.max_rate, f"{mass or '1'}/h"),
        ("RENALCL", result.renal_clearance, "L/h"),
    )
    return [
        Parameter(code, value, of, (why or unknown.get(code)) if value is None else "; ".join(mind) or None, how)
        for code, value, of in rows
    ]


def _plasma_area(profile: StudyProfile, until_h: float, mass: str, found: Sequence[StudyExposure]) -> float | None:
    """Return the area over the collections in another specimen of the same dose, in mass per litre x h."""
    for other in found:
        theirs = other.profile
        same = (theirs.whose[:3], theirs.day, theirs.interval) == (profile.whose[:3], profile.day, profile.interval)
        if not same or theirs.collected or theirs.doubtful or theirs.unit is None or "/" not in theirs.unit:
            continue
        times, values = _points(other)
        area = steady_state(times, values, until_h, lambda_z=other.value("LAMZ")).auc_tau
        if area is not None:
            return convert(area, theirs.unit, f"{mass}/L")
    return None

"""What a study's monitoring goes by: two persons, rules of the analysis, limits and targets, toxicity bases."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.access import Permission
from pipeline.commands import handles
from pipeline.commands.alerts import Touched, watch
from pipeline.commands.exposure_limits import AREAS, CONCENTRATIONS, GROWING_AREAS, TROUGHS
from pipeline.commands.texts import checked
from pipeline.errors import InputError, NotFound, PipelineError, refuse
from pipeline.exchange.written_units import unit_code
from pipeline.names import fold
from pipeline.pharmacology.study_exposures import ANALYSIS_SETTINGS, AnalysisSettings
from pipeline.pharmacology.study_profiles import Retest
from pipeline.store.journal import Act
from pipeline.store.study_tables import exposure_limits, monitoring_settings, toxicity_bases
from pipeline.store.tables import molecules, studies
from pipeline.units import needs_molar_mass, parse_unit

BASES = ("NOAEL", "STD10", "HNSTD")
RELATIONS = ("=", ">", ">=", "<", "<=")


@dataclass(frozen=True, slots=True)
class SetMonitoringSettings:
    """Change settings of a study, for one analyte or ("") for all; a key with None goes back to its default."""

    study: int
    settings: Mapping[str, Any]
    analyte: str = ""


@dataclass(frozen=True, slots=True)
class SetExposureLimit:
    """Set the cap (`upper`) or target (`lower`) of a molecule's exposure; without either bound it is taken back.

    Left out, study, analyte, specimen and indication mean any. source: where the figure comes from.
    """

    molecule: int
    parameter: str
    unit: str
    source: str
    lower: float | None = None
    upper: float | None = None
    study: int | None = None
    analyte: str | None = None
    specimen: str | None = None
    indication: str | None = None


@dataclass(frozen=True, slots=True)
class SetToxicityBasis:
    """State the NOAEL, STD10 or HNSTD a nonclinical study found, and the exposure that stands for it."""

    molecule: int
    study: int
    basis: str
    parameter: str
    relation: str = "="
    dose_reported: str | None = None
    dose: float | None = None
    dose_unit: str | None = None
    groups: tuple[str, ...] = ()
    sex: str | None = None
    analyte: str | None = None
    specimen: str | None = None
    profile: str | None = None
    threshold: float | None = None
    comment: str | None = None


# ------------------------------------------------------------ settings


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(least: float, most: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and least < value <= most


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "two_person": (_flag, "true or false"),
    "below_limit": (lambda value: isinstance(value, str), "a rule for values below the limit"),
    "zero_at_first_dose": (_flag, "true or false"),
    "tau_h": (_number(0, 8784), "a dosing interval in hours"),
    "retest": (lambda value: value in list(Retest), " or ".join(Retest)),
    "half_life_h": (_number(0, 100_000), "a half-life in hours"),
    "tmax_h": (_number(0, 8784), "a time in hours"),
    "nca": (lambda value: isinstance(value, dict), "an object"),
    "dlt": (lambda value: isinstance(value, dict), "an object"),
}
_DLT: dict[str, tuple[Callable[[Any], bool], str]] = {
    "target": (lambda value: _number(0, 1)(value) and value < 1, "a rate between 0 and 1"),
    "cutoff": (lambda value: _number(0, 1)(value) and value < 1, "a probability between 0 and 1"),
    "prior_size": (_number(0, 100), "a number of patients"),
}
_NCA = {name: _RULES[name] for name in ANALYSIS_SETTINGS}


@handles(SetMonitoringSettings, Permission.LOG_MONITORING)
def set_monitoring_settings(act: Act, command: SetMonitoringSettings) -> Mapping[str, Any]:
    """Change some settings and keep the others."""
    study = act.find(studies, command.study)
    errors: list[PipelineError] = []
    analyte = checked(command.analyte, "analyte", errors, longest=200) or ""
    if not command.settings:
        errors.append(InputError(f"no setting is given; there are {', '.join(_RULES)}", path=("input", "settings")))
    _check(command.settings, _RULES, ("input", "settings"), errors)
    refuse(errors)
    of_study = act.current(monitoring_settings, monitoring_settings.c.study_id == study["id"])
    known = [row for row in of_study if fold(row["analyte"]) == fold(analyte)]
    kept = orjson.loads(known[0]["settings"]) if known else {}
    merged = {name: value for name, value in {**kept, **command.settings}.items() if value is not None}
    try:
        AnalysisSettings.of(merged)
    except InputError as error:
        raise InputError(error.message, path=("input", "settings")) from error
    text = orjson.dumps(merged, option=orjson.OPT_SORT_KEYS).decode()
    if known:
        act.revise(monitoring_settings, known[0], {"settings": text})
        return {"settings": known[0]["id"]}
    row = {"study_id": study["id"], "analyte": analyte, "settings": text}
    return {"settings": act.add(monitoring_settings, row)}


def _check(
    given: Mapping[str, Any],
    rules: Mapping[str, tuple[Callable[[Any], bool], str]],
    path: tuple[str, ...],
    errors: list[PipelineError],
) -> None:
    for name, value in given.items():
        if name not in rules:
            errors.append(
                InputError(f"there is no setting {name[:40]!r}; there are {', '.join(rules)}", path=(*path, name))
            )
        elif value is not None and not rules[name][0](value):
            errors.append(InputError(f"{name} is {rules[name][1]}, not {str(value)[:40]!r}", path=(*path, name)))
        elif name in ("nca", "dlt") and value is not None:
            _check(value, _NCA if name == "nca" else _DLT, (*path, name), errors)


# ------------------------------------------------------------ limits and targets


@handles(SetExposureLimit, Permission.LOG_MONITORING)
def set_exposure_limit(act: Act, command: SetExposureLimit) -> Mapping[str, Any]:
    """Set a limit, change the one there is for the same exposure, or take it back; all records are held against it."""
    molecule = act.find(molecules, command.molecule)
    if command.study is not None:
        act.find(studies, command.study)
    errors: list[PipelineError] = []
    texts = {
        name: checked(getattr(command, name), name, errors, longest=200)
        for name in ("analyte", "specimen", "indication")
    }
    source = checked(command.source, "source", errors, required=True)
    parameter = command.parameter.strip().upper()
    unit = _limit_unit(command.unit, parameter, molecule, errors)
    _check_bounds(command, parameter, errors)
    refuse(errors)
    kind = "TARGET" if command.lower is not None else "CAP"
    same = {"molecule_id": molecule["id"], "study_id": command.study, "parameter": parameter} | texts
    columns = exposure_limits.c
    known = [
        row
        for row in act.current(exposure_limits, columns.molecule_id == molecule["id"], columns.parameter == parameter)
        if all(row[name] == value for name, value in same.items())
    ]
    if command.lower is None and command.upper is None:
        if not known:
            raise NotFound("there is no such limit to take back", path=("input",))
        for row in known:
            act.close(exposure_limits, row)
        return {"limit": None, "alerts": []}
    relation = {(True, False): "AT_LEAST", (False, True): "AT_MOST", (True, True): "WITHIN"}[
        command.lower is not None, command.upper is not None
    ]
    bounds = {"kind": kind, "lower": command.lower, "upper": command.upper, "unit": unit}
    bounds |= {"relation": relation, "source": source}
    if known:
        act.revise(exposure_limits, known[0], bounds)
    id = known[0]["id"] if known else act.add(exposure_limits, same | bounds)
    touched = Touched(kinds=frozenset({"MonitoringRecord"}), molecules=frozenset({molecule["id"]}), all_records=True)
    return {"limit": id, "alerts": watch(act, touched)}


def _limit_unit(text: str, parameter: str, molecule: Mapping[str, Any], errors: list[PipelineError]) -> str | None:
    unit = unit_code(text)
    if unit is None:
        errors.append(
            InputError(f"the unit {text[:40]!r} is not known; write one such as ng/mL", path=("input", "unit"))
        )
        return None
    like = "h*ng/mL" if parameter.startswith("AUC") else "ng/mL"
    same = parse_unit(unit).dimension == parse_unit(like).dimension
    if not same and not needs_molar_mass(unit, like):
        errors.append(InputError(f"{unit} is no unit of {parameter}; write one such as {like}", path=("input", "unit")))
    elif not same and molecule["molar_mass"] is None:
        errors.append(
            InputError(
                f"{molecule['code']} has no molar mass on record, so {unit} cannot be held against mass units; "
                "give the limit in the unit its concentrations are measured in, or register the structure",
                path=("input", "unit"),
            )
        )
    return unit


def _check_bounds(command: SetExposureLimit, parameter: str, errors: list[PipelineError]) -> None:
    known = sorted(CONCENTRATIONS | TROUGHS | AREAS)
    if parameter not in known:
        errors.append(
            InputError(
                f"{command.parameter[:40]!r} cannot be limited; give one of {', '.join(known)}",
                path=("input", "parameter"),
            )
        )
    for name, bound in (("lower", command.lower), ("upper", command.upper)):
        if bound is not None and not (math.isfinite(bound) and bound > 0):
            errors.append(InputError(f"a bound is above 0, not {bound:g}", path=("input", name)))
    if command.lower is not None and command.upper is not None and command.lower >= command.upper:
        errors.append(InputError("the lower bound lies below the upper one", path=("input", "lower")))
    if command.lower is not None and parameter in GROWING_AREAS | CONCENTRATIONS:
        errors.append(
            InputError(
                f"a target cannot be set on {parameter}: single samples and areas still growing lie below any target; "
                "set it on CTROUGH, AUCTAU or AUCIFO",
                path=("input", "lower"),
            )
        )


# ------------------------------------------------------------ toxicity bases


@handles(SetToxicityBasis, Permission.LOG_MONITORING)
def set_toxicity_basis(act: Act, command: SetToxicityBasis) -> Mapping[str, Any]:
    """State a basis, or change the one stated for the same study, sex, analyte and parameter."""
    act.find(molecules, command.molecule)
    act.find(studies, command.study)
    errors: list[PipelineError] = []
    names = ("dose_reported", "sex", "analyte", "specimen", "profile", "comment")
    texts = {name: checked(getattr(command, name), name, errors) for name in names}
    basis, parameter = command.basis.strip().upper(), command.parameter.strip().upper()
    if basis not in BASES:
        errors.append(InputError(f"a basis is {', '.join(BASES)}, not {command.basis[:40]!r}", path=("input", "basis")))
    if command.relation not in RELATIONS:
        errors.append(InputError(f"a relation is one of {' '.join(RELATIONS)}", path=("input", "relation")))
    if not parameter.isalnum():
        errors.append(InputError("give the parameter's code, for example AUCTAU", path=("input", "parameter")))
    for name, value in (("dose", command.dose), ("threshold", command.threshold)):
        if value is not None and not (math.isfinite(value) and value > 0):
            errors.append(InputError(f"{name} is above 0, not {value:g}", path=("input", name)))
    dose_unit = None if command.dose_unit is None else unit_code(command.dose_unit)
    if command.dose is not None and dose_unit is None:
        errors.append(InputError("a dose needs its unit, for example mg/kg", path=("input", "doseUnit")))
    refuse(errors)
    same = {"molecule_id": command.molecule, "study_id": command.study, "basis": basis, "parameter": parameter}
    same |= {name: texts[name] for name in ("sex", "analyte", "specimen", "profile")}
    stated = {
        "relation": command.relation,
        "dose_reported": texts["dose_reported"],
        "dose": command.dose,
        "dose_unit": dose_unit,
        "group_codes": orjson.dumps(list(command.groups)).decode(),
        "threshold": command.threshold,
        "comment": texts["comment"],
    }
    of_study = (toxicity_bases.c.study_id == command.study, toxicity_bases.c.basis == basis)
    known = [
        row for row in act.current(toxicity_bases, *of_study) if all(row[name] == value for name, value in same.items())
    ]
    if known:
        act.revise(toxicity_bases, known[0], stated)
    id = known[0]["id"] if known else act.add(toxicity_bases, same | stated)
    touched = Touched(
        kinds=frozenset({"ToxicityBasis"}),
        molecules=frozenset({command.molecule}),
        studies=frozenset({command.study}),
    )
    return {"basis": id, "alerts": watch(act, touched)}

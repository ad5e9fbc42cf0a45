"""What the preclinical rules find: antitumour activity, hERG margin, exposure margin, starting dose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.assessment.finding import Finding, not_computable
from pipeline.preclinical.herg import herg_margin
from pipeline.preclinical.mrecist import xenograft_response
from pipeline.preclinical.scaling import HUMAN_WEIGHT_KG
from pipeline.preclinical.starting_dose import (
    LEAST_SAFETY_FACTOR,
    NoaelStudy,
    cancer_starting_dose,
    maximum_recommended_starting_dose,
)
from pipeline.preclinical.tumour_growth import Summary, TumourGrowthInhibition, tumour_growth_inhibition
from pipeline.rounding import at_least, at_most, below, readable
from pipeline.words import Verdict

Inputs = Mapping[str, Any]
Parameters = Mapping[str, Any]


def tumour_growth(inputs: Inputs, parameters: Parameters) -> Finding:
    """A6: the best dose the animals bear keeps the treated tumours at or below the bar of T/C, %."""
    bar = float(parameters["tc_percent_max"])
    weight_bar = float(parameters.get("max_weight_loss_percent", 20))
    death_bar = float(parameters.get("max_toxic_deaths", 0.1))
    found: dict[str, TumourGrowthInhibition] = {}
    borne: dict[str, float] = {}
    for arm in inputs["arms"]:
        result = tumour_growth_inhibition(
            arm["treated_start"],
            arm["treated_end"],
            arm["control_start"],
            arm["control_end"],
            Summary(parameters.get("summary", "mean")),
        )
        found[arm["label"]] = result
        loss, deaths, n = arm.get("weight_loss_percent"), arm.get("toxic_deaths", 0), len(arm["treated_start"])
        bears = (loss is None or at_most(loss, weight_bar)) and (not n or at_most(deaths / n, death_bar))
        if result.tc_volume_pct is not None and bears:
            borne[arm["label"]] = result.tc_volume_pct
    outcome: dict[str, object] = {
        label: {"tc_percent": r.tc_volume_pct, "tgi_percent": r.tgi_pct, "treated": r.treated_animals}
        for label, r in found.items()
    }
    if not borne:
        known = [label for label, result in found.items() if result.tc_volume_pct is not None]
        if not known:
            return not_computable(["tumour volumes of a treated and a control group on one day"])
        return Finding(
            Verdict.NO_GO,
            f"No dose is borne by the animals: all of {', '.join(known)} lost more than {weight_bar:g} % of body "
            f"weight or more than {100 * death_bar:g} % of animals.",
            threshold=bar,
            outcome=outcome,
        )
    best = min(borne, key=lambda label: borne[label])
    value, result = borne[best], found[best]
    active = at_most(value, bar)
    return Finding(
        Verdict.GO if active else Verdict.NO_GO,
        f"At {best} the treated tumours reached {readable(value)} % of the control volume "
        f"({result.treated_animals} treated, {result.control_animals} control animals); "
        f"the bar is {bar:g} %: {'active' if active else 'inactive'}.",
        value,
        bar,
        outcome,
    )


def xenograft_responses(inputs: Inputs, parameters: Parameters) -> Finding:
    """A7: the share of treated animals that respond by mRECIST is at or above the bar, at the best dose."""
    bar, wanted = float(parameters["response_share_min"]), set(parameters["responses"])
    shares: dict[str, tuple[int, int]] = {}
    left_out = 0
    for animal in inputs["animals"]:
        course = xenograft_response(animal["day"], animal["volume"], float(parameters.get("min_day", 10)))
        if course.mrecist is None:
            left_out += 1
            continue
        k, n = shares.get(animal["arm"], (0, 0))
        shares[animal["arm"]] = (k + (course.mrecist.value in wanted), n + 1)
    if not shares:
        return not_computable(["treated animals with two readings from the first day that counts"])
    best = max(shares, key=lambda arm: (shares[arm][0] / shares[arm][1], shares[arm][1]))
    k, n = shares[best]
    passed = at_least(k / n, bar)
    note = f" {left_out} animals left too early to be classed." if left_out else ""
    return Finding(
        Verdict.GO if passed else Verdict.NO_GO,
        f"{k} of {n} animals at {best} respond ({', '.join(sorted(wanted))}); {100 * bar:g} % are asked for.{note}",
        k / n,
        bar,
        {arm: {"responders": k, "animals": n} for arm, (k, n) in shares.items()},
    )


def herg(inputs: Inputs, parameters: Parameters) -> Finding:
    """A4: hERG IC50 over the free peak concentration."""
    result = herg_margin(
        inputs["herg_ic50_um"],
        inputs["cmax_ng_per_ml"],
        inputs["molar_mass"],
        inputs["fraction_unbound"],
        ic50_is_lower_limit=bool(inputs.get("ic50_is_lower_limit")),
    )
    alert, caution = float(parameters["alert_below"]), float(parameters["caution_below"])
    verdict = (
        Verdict.NO_GO
        if below(result.margin, alert)
        else Verdict.CONDITIONAL_GO
        if below(result.margin, caution)
        else Verdict.GO
    )
    least = "at least " if "censored" in result.flags else ""
    return Finding(
        verdict,
        f"hERG is blocked by half at {least}{readable(result.margin)} times the free peak of "
        f"{readable(result.free_cmax_um)} uM; "
        f"{alert:g} times are asked for, below {caution:g} with care.",
        result.margin,
        alert,
        {"free_cmax_um": result.free_cmax_um, "block_percent": result.pct_block_at_free_cmax},
    )


def exposure_margin(inputs: Inputs, parameters: Parameters) -> Finding:
    """A5: free exposure at the safe dose over that at the efficacious one; the least margin decides."""
    bar = float(parameters["free_margin_min"])
    margins = {
        each["label"]: each["margin"] * each["fraction_unbound_animal"] / each["fraction_unbound_human"]
        for each in inputs["margins"]
    }
    least = min(margins, key=lambda label: margins[label])
    value = margins[least]
    return Finding(
        Verdict.NO_GO if below(value, bar) else Verdict.GO,
        f"The free exposure of the {least} is {readable(value)} times that at the efficacious dose; at least {bar:g} "
        "is asked for.",
        value,
        bar,
        {"free_margins": margins},
    )


def recommended_start(inputs: Inputs, parameters: Parameters) -> Finding:
    """A2: a first dose in man can be derived from the human equivalent of the NOAELs. `noaels`: species and mg/kg."""
    result = maximum_recommended_starting_dose(
        [NoaelStudy(species, dose) for species, dose in inputs["noaels"]],
        float(parameters.get("safety_factor", LEAST_SAFETY_FACTOR)),
        float(parameters.get("human_weight_kg", HUMAN_WEIGHT_KG)),
        parameters.get("species"),
    )
    start, flat, species = result.mrsd_mg_per_kg, result.mrsd_mg, result.selected_species
    if start is None or flat is None or species is None:
        return not_computable(["a NOAEL in mg/kg that was determined"])
    equivalents = ", ".join(
        f"{name} {readable(dose)}" for name, dose in result.hed_mg_per_kg.items() if dose is not None
    )
    return Finding(
        Verdict.GO,
        f"A first dose of {readable(start)} mg/kg ({readable(flat)} mg) follows from the NOAEL in the {species} "
        f"(human equivalent doses in mg/kg: {equivalents}).",
        start,
        None,
        {"hed_mg_per_kg": dict(result.hed_mg_per_kg), "species": species, "mg_flat": flat},
    )


def starting_dose(inputs: Inputs, parameters: Parameters) -> Finding:
    """A3: a first dose in man can be derived from STD10 or HNSTD."""
    result = cancer_starting_dose(
        inputs.get("rodent"),
        inputs.get("std10_mg_per_kg"),
        inputs.get("non_rodent"),
        inputs.get("hnstd_mg_per_kg"),
        human_bsa_m2=float(parameters.get("human_bsa_m2", 1.6)),
    )
    if result.start_mg_per_m2 is None or result.start_mg_flat is None:
        return not_computable(["an STD10 of a rodent or an HNSTD of a non-rodent that can be used"])
    return Finding(
        Verdict.GO,
        f"A first dose of {readable(result.start_mg_per_m2)} mg/m2 ({readable(result.start_mg_flat)} mg) follows from "
        f"the {result.basis.value.replace('_', ' ')}.",
        result.start_mg_per_m2,
        None,
        {"basis": result.basis.value, "mg_per_kg": result.start_mg_per_kg, "mg_flat": result.start_mg_flat},
    )

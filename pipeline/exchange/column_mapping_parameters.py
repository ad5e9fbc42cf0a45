"""Exposure parameters under the names that programs and people give them, with their CDISC codes (PKPARMCD)."""

from __future__ import annotations

import unicodedata

_NAMES = {
    "CMAX": "cmax|c_max|peakconcentration|maximumconcentration|concentrationmaximale",
    "CMAXD": "cmax_d|cmax/d|cmaxd",
    "CMIN": "cmin|c_min|minimumconcentration",
    "CTROUGH": "ctrough|trough|c_trough|ctau|cresiduelle|concentrationresiduelle|residuelle",
    "CAVG": "cavg|cave|c_avg|cmoy|averageconcentration",
    "C0": "c0|c_0|backextrapolatedc0",
    "TMAX": "tmax|t_max|timeofmaximum",
    "TMIN": "tmin",
    "TLST": "tlast|tlst|t_last",
    "CLST": "clast|clst|c_last",
    "CLSTP": "clast_pred|clstp",
    "TLAG": "tlag",
    "AUCLST": "auclast|auclst|auc_last|auc0-t|auc(0-t)|auc0t|auct|auc_0_t|auc0-last|auc(0-last)|auc_0_last",
    "AUCALL": "aucall|auc_all",
    "AUCTAU": "auctau|auc_tau|auc0-tau|auc(0-tau)|auc_tau_obs|aucss|auc_0_tau",
    "AUCIFO": "aucinf_obs|aucinf|aucifo|auc0-inf|auc(0-inf)|auc_inf|auc0inf|aucinfobs|auc_0_inf|auc0-∞|auc∞",
    "AUCIFP": "aucinf_pred|aucifp|aucinfpred",
    "AUCPEO": "auc_%extrap_obs|aucpeo|%extrap|auc_%extrap|aucextrap",
    "AUCIFOD": "aucinf_d_obs",
    "LAMZ": "lambda_z|lamz|lz|kel|ke|lambdaz",
    "LAMZHL": "hl_lambda_z|lamzhl|t1/2|thalf|t_half|half-life|halflife|demi-vie|t½|hl|terminalhalf-life|thalf_lambda_z",
    "LAMZNPT": "no_points_lambda_z|lamznpt",
    "LAMZLL": "lambda_z_lower|lamzll",
    "LAMZUL": "lambda_z_upper|lamzul",
    "R2": "rsq|r2",
    "R2ADJ": "rsq_adjusted|r2adj",
    "CLO": "cl_obs|clo|cl",
    "CLP": "cl_pred",
    "CLFO": "cl_f_obs|cl/f|clf|clfo|cl_f",
    "CLSS": "clss|cl_ss",
    "CLSSF": "clss_f|clss/f",
    "VZO": "vz_obs|vz|vzo",
    "VZFO": "vz_f_obs|vz/f|vzf|vz_f",
    "VSSO": "vss_obs|vss",
    "MRTEVLST": "mrtlast",
    "MRTEVIFO": "mrtinf_obs|mrt",
    "AUMCLST": "aumclast",
    "AUMCIFO": "aumcinf_obs",
    "ACCI": "accumulation_index|racc|acci",
    "FLUCP": "fluctuation|fluctuation%|ptf",
    "SWING": "swing",
    "RCAMINT": "amount_recovered|ae",
    "CLR": "clr|cl_r",
}
_CODES = {name: code for code, names in _NAMES.items() for name in names.split("|")}


def parameter_code(name: str) -> str:
    """Return the CDISC code of a parameter; the name itself where it is not known here."""
    return _known(name) or name.strip()


def is_parameter(name: str) -> bool:
    """Whether a parameter is known here."""
    return _known(name) is not None


def _known(name: str) -> str | None:
    plain = "".join(unicodedata.normalize("NFKC", name).casefold().split()).replace("⁄", "/")
    for text in (plain, plain.replace("_", ""), unicodedata.normalize("NFC", name).casefold().replace(" ", "")):
        if text in _CODES:
            return _CODES[text]
    upper = name.strip().upper()
    return upper if upper in _NAMES else None

"""Laboratory tests under the names laboratories give them, in English and French, with their CDISC codes."""

from __future__ import annotations

from pipeline.exchange.column_mapping_propose import fold

_NAMES = {
    "ALT": "alt|alat|sgpt|tgp|gpt|alanine aminotransferase|alanine transaminase|alanine amino transferase",
    "AST": "ast|asat|sgot|tgo|got|aspartate aminotransferase|aspartate transaminase|aspartate amino transferase",
    "ALP": "alp|pal|alkaline phosphatase|phosphatases alcalines|phosphatase alcaline|alk phos",
    "BILI": "bili|bilirubin|total bilirubin|bilirubin total|bilirubine|bilirubine totale|tbil",
    "BILDIR": "bildir|direct bilirubin|conjugated bilirubin|bilirubine directe|bilirubine conjuguee",
    "GGT": "ggt|gamma gt|gamma glutamyl transferase|gamma glutamyltransferase|gamma glutamyl transpeptidase",
    "CREAT": "creat|creatinine|creatinine serique|creatininemie|serum creatinine|crea|kreatinin",
    "UREA": "urea|uree|uree sanguine|bun urea",
    "CK": "ck|cpk|creatine kinase|creatine phosphokinase",
    "LDH": "ldh|lactate dehydrogenase|lacticodeshydrogenase|lactate deshydrogenase",
    "LIPASE": "lipase|lipasemie",
    "AMYLASE": "amylase|amylasemie",
    "NEUT": "neut|neutrophils|neutrophil count|absolute neutrophil count|anc|pnn|polynucleaires neutrophiles"
    "|neutrophiles|neutrophilen",
    "PLAT": "plat|plt|platelets|platelet count|plaquettes|numeration plaquettaire|thrombocytes|thrombozyten",
    "WBC": "wbc|white blood cells|white blood cell count|leukocytes|leucocytes|globules blancs|gb|leukozyten",
    "LYM": "lym|lymphocytes|lymphocyte count|absolute lymphocyte count|alc",
    "HGB": "hgb|hb|haemoglobin|hemoglobin|hemoglobine|hamoglobin",
    "ALB": "alb|albumin|albumine|albuminemie",
    "CA": "calcium|calcemie|total calcium|calcium total",
    "GLUC": "gluc|glucose|glycemie|blood glucose",
    "K": "k|potassium|kaliemie|kalium",
    "MG": "mg|magnesium|magnesemie",
    "SODIUM": "na|sodium|natremie|natrium",
    "INR": "inr|international normalized ratio|international normalised ratio",
    "CRP": "crp|c reactive protein|proteine c reactive",
}
_CODES = {name: code for code, names in _NAMES.items() for name in names.split("|")}
_NOISE = frozenset(["serum", "plasma", "blood", "sanguin", "sanguine", "serique", "plasmatique", "s", "p"])


def test_code(name: str) -> str:
    """Return the CDISC code of a test; the name itself where it is not known here."""
    return _known(name) or name.strip()


def is_test(name: str) -> bool:
    """Whether a test is known here."""
    return _known(name) is not None


def _known(name: str) -> str | None:
    folded = fold(name)
    bare = " ".join(word for word in folded.split() if word not in _NOISE)
    return _CODES.get(folded) or _CODES.get(bare)

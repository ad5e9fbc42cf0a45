"""The domains of SDTM and SEND: how each is told by its variables, what names its records, and what becomes of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pipeline.exchange.study_facts import (
    AdministrationFact,
    AdverseEventFact,
    ConcentrationFact,
    DispositionFact,
    Fact,
    FindingFact,
    GroupFact,
    LaboratoryFact,
    MeasurementFact,
    PoolFact,
    QualifierFact,
    RecordLinkFact,
    ReportedParameterFact,
    ResponseFact,
    SubjectFact,
)

_WHO = ("USUBJID", "SUBJID", "POOLID")
_VISIT = ("VISIT", "VISITNUM", "VISITDY")


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain.

    topic: the variable that shows it. kind: what its rows become. names: variables that together name a record; times:
    those of them that say when. Empty names: a record is named by all it says, and by its number.
    """

    code: str
    title: str
    topic: str
    kind: type[Fact] | None
    names: tuple[str, ...] = ()
    times: tuple[str, ...] = ()


_PC_TIMES = (*_VISIT, "PCDTC", "PCENDTC", "PCDY", "PCTPT", "PCTPTNUM", "PCELTM", "PCTPTREF", "PCRFTDTC", "PCRFDTC")
_PP_TIMES = (*_VISIT, "PPDY", "PPTPTREF", "PPRFTDTC", "PPRFDTC", "PPSTINT", "PPENINT", "PPGRPID")
_EX_TIMES = (*_VISIT, "EXSTDTC", "EXENDTC", "EXSTDY", "EXENDY", "EXTPT", "EXTPTNUM", "EXELTM")
_LB_TIMES = (*_VISIT, "LBDTC", "LBDY", "LBTPT", "LBTPTNUM", "LBELTM")
_EG_TIMES = (*_VISIT, "EGDTC", "EGDY", "EGTPT", "EGTPTNUM", "EGELTM", "EGREPNUM")
_READ = (
    Domain("TS", "trial summary", "TSPARMCD", None),
    Domain("TA", "trial arms", "TAETORD", None),
    Domain("TX", "trial sets", "TXPARMCD", GroupFact),
    Domain("DM", "demographics", "ARMCD", SubjectFact),
    Domain("POOLDEF", "pools", "POOLID", PoolFact),
    Domain(
        "EX",
        "exposure",
        "EXTRT",
        AdministrationFact,
        (*_WHO, "EXTRT", *_EX_TIMES, "EXLOC", "EXLAT", "EXLOT", "EXDOSFRM", "EXROUTE"),
        _EX_TIMES,
    ),
    Domain(
        "PC",
        "concentrations",
        "PCTESTCD",
        ConcentrationFact,
        (*_WHO, "PCTESTCD", "PCTEST", "PCCAT", "PCSCAT", "PCSPEC", "PCMETHOD", "PCREPNUM", *_PC_TIMES),
        _PC_TIMES,
    ),
    Domain(
        "PP",
        "pharmacokinetic parameters",
        "PPTESTCD",
        ReportedParameterFact,
        (*_WHO, "PPTESTCD", "PPCAT", "PPSCAT", "PPSPEC", *_PP_TIMES),
        # A parameter of a whole treatment names no time: what names it then is the rest.
    ),
    Domain("AE", "adverse events", "AETERM", AdverseEventFact),
    Domain("DS", "disposition", "DSDECOD", DispositionFact),
    Domain(
        "LB",
        "laboratory",
        "LBTESTCD",
        LaboratoryFact,
        (*_WHO, "LBTESTCD", "LBCAT", "LBSCAT", "LBSPEC", "LBMETHOD", "LBFAST", "LBREFID", "LBSPID", *_LB_TIMES),
        _LB_TIMES,
    ),
    Domain(
        "EG",
        "electrocardiograms",
        "EGTESTCD",
        LaboratoryFact,
        (*_WHO, "EGTESTCD", "EGCAT", "EGMETHOD", "EGPOS", "EGLEAD", "EGREFID", "EGSPID", "EGEVAL", *_EG_TIMES),
        _EG_TIMES,
    ),
    *(
        Domain(code, title, f"{code}TESTCD", FindingFact)
        for code, title in (
            ("MI", "microscopic findings"),
            ("MA", "macroscopic findings"),
            ("CL", "clinical observations"),
            ("TF", "tumour findings"),
            ("PM", "palpable masses"),
            ("DD", "death diagnoses"),
        )
    ),
    Domain(
        "BW",
        "body weights",
        "BWTESTCD",
        MeasurementFact,
        (*_WHO, "BWTESTCD", *_VISIT, "BWDTC", "BWDY", "BWTPT", "BWTPTNUM"),
        (*_VISIT, "BWDTC", "BWDY", "BWTPT", "BWTPTNUM"),
    ),
    Domain(
        "TU",
        "tumours identified",
        "TUTESTCD",
        MeasurementFact,
        (*_WHO, "TULNKID", "TUTESTCD", "TUEVAL", "TUEVALID", "TULOC", "TUDTC", *_VISIT),
    ),
    Domain(
        "TR",
        "tumour results",
        "TRTESTCD",
        MeasurementFact,
        (*_WHO, "TRLNKID", "TRLINKID", "TRGRPID", "TRTESTCD", "TREVAL", "TREVALID", "TRDTC", *_VISIT),
    ),
    Domain(
        "RS",
        "responses",
        "RSTESTCD",
        ResponseFact,
        (*_WHO, "RSCAT", "RSTESTCD", "RSEVAL", "RSEVALID", "RSLNKGRP", "RSDTC", "RSDY", *_VISIT),
    ),
    Domain("SUPP", "supplemental qualifiers", "QNAM", QualifierFact),
    Domain("RELREC", "related records", "RELID", RecordLinkFact),
)
DOMAINS: dict[str, Domain] = {domain.code: domain for domain in _READ}
ORDER = tuple(DOMAINS)
"""In this order domains are read: what others depend on comes first."""


def domain_of(name: str, columns: Collection[str]) -> str | None:
    """Return the domain of a data set by its variables; the code of one that is kept without being read; None for none.

    Args:
        name: how the data set is called; it decides nothing but the code of what is not read.
        columns: its variables, in capitals.
    """
    if "QNAM" in columns and ("RDOMAIN" in columns or "IDVAR" in columns):
        return "SUPP"
    if "RELID" in columns and "IDVAR" in columns:
        return "RELREC"
    for domain in _READ:
        if domain.topic in columns and domain.code not in ("DM", "TA", "POOLDEF"):
            return domain.code
    if "POOLID" in columns and "USUBJID" in columns and len(columns) <= 5:
        return "POOLDEF"
    if "TAETORD" in columns:
        return "TA"
    if "ARMCD" in columns and ("USUBJID" in columns or "SUBJID" in columns) and "ETCD" not in columns:
        return "DM"
    if "USUBJID" in columns and {"RFSTDTC", "SEX"} <= set(columns):
        return "DM"
    if "STUDYID" in columns and "DOMAIN" in columns:
        return f"-{name.upper()[:2]}"
    return None

"""Tables of doses, concentrations and exposure parameters: their fields, and the headings people give them."""

from __future__ import annotations

from pipeline.exchange.column_mapping_fields import RESULT_UNIT, VISIT, WHO, As, Field, Kind

CONCENTRATIONS = Kind(
    "CONCENTRATIONS",
    "concentrations",
    "PC",
    {
        **WHO,
        "analyte": Field(
            "PCTEST",
            "analyte",
            "analyte|analyte name|compound|compound name|component|component name|substance|drug|drug name|molecule"
            "|param|parameter name|test|test name|pctest|pctestcd|analyte mesure|molecule dosee|produit|medicament"
            "|compose|analyt|peak name|target compound|metabolite",
        ),
        "specimen": Field(
            "PCSPEC",
            "specimen",
            "specimen|matrix|specimen type|sample matrix|biological matrix|biomatrix|fluid|matrice|matrice biologique"
            "|echantillon|type d echantillon|milieu|pcspec|sample type|type de prelevement|tissue|tissu|organe"
            "|matrix type",
        ),
        "concentration": Field(
            "PCORRES",
            "concentration",
            "concentration|conc|conc.|result|results|measured concentration|calculated concentration|calc conc"
            "|calc. conc.|calculated conc|final concentration|final conc|reported result|reported concentration|value"
            "|dv|aval|resn|pcorres|pcstresn|pcstresc|resultat|resultats|concentration mesuree|concentration calculee"
            "|concentration plasmatique|plasma concentration|serum concentration|plasma conc|conc plasmatique|taux"
            "|dosage|valeur|concentration finale|konzentration|ergebnis|observed concentration|cp",
            As.RESULT,
        ),
        "unit": Field("PCORRESU", "unit", RESULT_UNIT),
        "lower_limit": Field(
            "PCLLOQ",
            "lower limit of quantification",
            "lloq|loq|lower limit|lower limit of quantification|lower limit of quantitation|limit of quantification"
            "|liq|lq|ldq|limite de quantification|limite inferieure de quantification|seuil|limite basse|pclloq|bloq",
            As.NUMBER,
        ),
        "nominal_time": Field(
            "",
            "planned time after the dose",
            "nominal time|nom time|nominal|planned time|scheduled time|time|time point|timepoint|time after dose"
            "|nominal time after dose|planned time after dose|protocol time|target time|sampling time|tmtpt|ntafd|ntad"
            "|tad|ntime|nomtime|pctpt|pctptnum|tpt|nrrlt|temps|temps nominal|temps theorique|temps prevu|heure nominale"
            "|temps apres dose|temps apres administration|temps post dose|delai|delai apres dose|temps de prelevement"
            "|prelevement|horaire|zeit|nominal time point|hours post dose|hour|hours|time post dose|hpd",
            As.HOURS,
        ),
        "actual_time": Field(
            "",
            "true time after the dose",
            "actual time|actual time after dose|elapsed time|actual elapsed time|atad|ataf|atafd|atime|arrlt"
            "|real time|true time|temps reel|temps ecoule|temps exact|temps reel apres dose|actual time post dose",
            As.HOURS,
        ),
        "sampled_at": Field(
            "PCDTC",
            "date and time of the sample",
            "sampled at|sample date time|sampling date time|collection date time|date time|datetime|date and time"
            "|sample datetime|collection datetime|pcdtc|date heure|date et heure|date heure de prelevement"
            "|date heure prelevement|date et heure de prelevement|draw date time|sample collection date time",
            As.DATE,
        ),
        "sample_date": Field(
            "",
            "date of the sample",
            "sample date|sampling date|collection date|date|draw date|date of sample|date of collection"
            "|date de prelevement|date prelevement|date du prelevement|jour de prelevement",
            As.DATE,
        ),
        "sample_time": Field(
            "",
            "clock time of the sample",
            "clock time|sample clock time|collection time|draw time|heure|heure de prelevement|heure prelevement"
            "|time of collection|time of sample|heure du prelevement",
        ),
        "dosed_at": Field(
            "PCRFTDTC",
            "date and time of the dose",
            "dose date time|dosing date time|dosed at|date of dose|dose datetime|reference dose|pcrftdtc|pcrfdtc"
            "|date heure d administration|date et heure d administration|date heure dose|last dose date time"
            "|date et heure de la dose|administration date time",
            As.DATE,
        ),
        "day": Field(
            "VISITDY", "day", "day|study day|visit day|jour|jour d etude|j|dy|visitdy|tag|nominal day", As.NUMBER
        ),
        **VISIT,
        "profile": Field("PCTPTREF", "dosing interval", "profile|dose number|dose no|atptref|pctptref|interval|profil"),
        "status": Field("PCSTAT", "done or not", "status|pcstat|statut|sample status"),
        "reason_not_done": Field("PCREASND", "why not done", "reason not done|pcreasnd|reason|motif|raison"),
        "exclusion_flag": Field("PCEXCLFL", "left out", "excluded|exclude|exclusion flag|pcexclfl|exclu|exclue"),
        "exclusion_reason": Field(
            "PCREASEX",
            "why left out",
            "exclusion reason|reason excluded|reason for exclusion|pcreasex|motif d exclusion",
        ),
        "volume": Field("", "volume of the specimen", "volume|urine volume|sample volume|volume urinaire", As.NUMBER),
        "volume_unit": Field("", "unit of the volume", "volumeu|volume unit|unite de volume"),
    },
    (("subject",), ("concentration",), ("analyte",)),
    ("concentration", "lower_limit", "nominal_time", "actual_time", "specimen", "sampled_at", "analyte"),
)
DOSES = Kind(
    "DOSES",
    "doses",
    "EX",
    {
        **WHO,
        "treatment": Field(
            "EXTRT",
            "treatment",
            "treatment|treatment name|drug|drug name|product|study drug|compound|medication|extrt|dosetrt|traitement"
            "|produit|medicament|molecule|produit administre|nom du produit|test article|article",
        ),
        "dose": Field(
            "EXDOSE",
            "dose",
            "dose|dose given|actual dose|administered dose|dose administered|dose level|dosage|amount|amt|exdose|dosea"
            "|dose administree|dose recue|quantite|dosis",
            As.NUMBER,
        ),
        "dose_unit": Field("EXDOSU", "unit of the dose", "dose unit|dose units|exdosu|doseu|unite de dose|unit|unite"),
        "route": Field("EXROUTE", "route", "route|route of administration|voie|voie d administration|exroute|roa"),
        "frequency": Field("EXDOSFRQ", "frequency", "frequency|schedule|regimen|frequence|exdosfrq|rythme|schema"),
        "form": Field("EXDOSFRM", "form", "form|dosage form|formulation|forme|exdosfrm|galenique"),
        "started_on": Field(
            "EXSTDTC",
            "start",
            "start|start date|start date time|dose date|dosing date|date of dose|dose date time|administration date"
            "|date|exstdtc|date d administration|date de dose|debut|date de debut"
            "|date heure d administration|date heure",
            As.DATE,
        ),
        "ended_on": Field("EXENDTC", "end", "end|end date|stop date|exendtc|fin|date de fin", As.DATE),
        "day": Field(
            "EXSTDY",
            "day",
            "day|study day|dose day|jour|jour d etude|j|time|temps|exstdy|start day|dosing day|zeit|tag",
            As.DAYS,
        ),
        "day_of_end": Field("EXENDY", "last day", "end day|last day|exendy|dernier jour|jour de fin", As.DAYS),
        "duration": Field("EXDUR", "duration", "duration|infusion duration|duree|duree de perfusion|exdur|adosedur"),
        **VISIT,
    },
    (("subject",), ("dose",), ("treatment",)),
    ("dose", "dose_unit", "route", "frequency", "duration", "treatment"),
)
PARAMETERS = Kind(
    "PARAMETERS",
    "reported exposure parameters",
    "PP",
    {
        **WHO,
        "analyte": Field("PPCAT", "analyte", "analyte|compound|drug|ppcat|molecule|param|substance|analyt|compose"),
        "specimen": Field("PPSPEC", "specimen", "specimen|matrix|ppspec|matrice|fluid"),
        "parameter": Field(
            "PPTESTCD",
            "parameter",
            "parameter|parameter name|pk parameter|wnlparm|pptestcd|pptest|parametre|parametre pk|nca parameter|test",
        ),
        "value": Field(
            "PPORRES",
            "value",
            "value|estimate|result|pporres|pporresn|ppstresn|resultat|valeur|aval|estimation",
            As.RESULT,
        ),
        "unit": Field("PPORRESU", "unit", RESULT_UNIT),
        "day": Field("VISITDY", "day", "day|study day|jour|pk day|profile day", As.NUMBER),
        "profile": Field("PPTPTREF", "dosing interval", "profile|period|atptref|interval|profil|cycle|periode"),
        "dosed_at": Field("PPRFTDTC", "date of the dose", "pprftdtc|pprfdtc|dose date|dose date time", As.DATE),
        **VISIT,
    },
    (("subject",), ("parameter",), ("value",), ("analyte", "arm")),
    ("parameter", "value", "profile"),
)
_DOSED = {name: CONCENTRATIONS.fields[name] for name in ("volume", "volume_unit")}
ANALYSIS = Kind(
    "ANALYSIS",
    "concentrations prepared for analysis",
    "PC",
    {
        **WHO,
        "study": Field("STUDYID", "study", "studyid"),
        "subject": Field("USUBJID", "subject", "usubjid|subjid"),
        "arm": Field("ARM", "arm", "trt01a|actarm|trta|arm|trt01p", As.LABEL),
        "analyte": Field("PCTEST", "analyte", "param|pctest|analyte|paramcd"),
        "metabolite": Field("", "whether it is a metabolite", "metabfl"),
        "specimen": Field("PCSPEC", "specimen", "pcspec|parcat1|specimen|matrix"),
        "concentration": Field("PCORRES", "concentration", "aval|pcstresn", As.RESULT),
        "reported": Field("", "result as it was reported", "pcorres|pcstresc|avalc"),
        "unit": Field("PCORRESU", "unit", "avalu|pcstresu"),
        "lower_limit": Field("PCLLOQ", "lower limit of quantification", "alloq|pclloq|pcstlloq|lloq", As.NUMBER),
        "from_first": Field("", "true time since the first dose", "afrlt|afrelt", As.HOURS),
        "planned_from_first": Field("", "planned time since the first dose", "nfrlt|nfrelt", As.HOURS),
        "from_reference": Field("", "true time since the reference dose", "arrlt|arlt|arrelt", As.HOURS),
        "planned_from_reference": Field("", "planned time since the reference dose", "nrrlt|nrlt|nrrelt", As.HOURS),
        "end_from_first": Field("", "true end of collection since the first dose", "aefrlt", As.HOURS),
        "end_from_reference": Field("", "true end of collection since the reference dose", "aerrlt|aerlt", As.HOURS),
        "time_unit": Field("", "unit of the times", "rrltu|frltu"),
        "sampled_at": Field("PCDTC", "date and time of the sample", "adtm|pcdtc", As.DATE),
        "dosed_at": Field("PCRFTDTC", "date and time of the dose", "pcrftdtc|pcrfdtc|rfdtm", As.DATE),
        "profile": Field("PCTPTREF", "dosing interval", "atptref|pctptref"),
        "treatment": Field("", "what was given", "dosetrt|extrt|treatment"),
        "dose": Field("", "dose", "dosea|exdose|dose", As.NUMBER),
        "dose_unit": Field("", "unit of the dose", "doseu|exdosu|doseau"),
        "route": Field("", "route", "route|exroute"),
        "infusion_hours": Field("", "duration of the infusion, hours", "adosedur|exdur", As.NUMBER),
        "interval_hours": Field("", "dosing interval, hours", "trtrint|tau"),
        "derived": Field("", "how the row was derived", "dtype"),
        "left_out": Field("", "left out of calculations", "ncaxfl|pksumexf"),
        **{f"reason_{n}": Field("", f"reason {n} to leave the record out", f"nca{n}xrs") for n in range(1, 10)},
        **_DOSED,
    },
    (
        ("subject",),
        ("analyte",),
        ("concentration",),
        ("from_reference", "planned_from_reference", "from_first", "planned_from_first"),
    ),
    ("from_first", "planned_from_first", "from_reference", "planned_from_reference", "dose", "infusion_hours"),
)

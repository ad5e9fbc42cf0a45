"""The kinds of tables a mapping can read, the fields of each, and the headings people give them.

Every field becomes a variable of SDTM, so that a table is read by the rules that read a data set of that domain: below
the limit, times, dates, units, repeats and pseudonyms mean the same in whatever file they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class As(StrEnum):
    """How the cells of a field are prepared."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    RESULT = "RESULT"
    """A number or words in its place: kept as it stands, read beside."""
    DATE = "DATE"
    HOURS = "HOURS"
    """A time since a dose: hours, minutes or days by its unit, or words such as `Predose`."""
    DAYS = "DAYS"
    """A time since the first day: days, hours or weeks by its unit."""
    LABEL = "LABEL"
    """A name that is written with and without blanks: 240mg, 240 mg."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the variable it becomes (empty: see column_mapping_records), its title, and its headings, folded."""

    variable: str
    title: str
    words: str
    form: As = As.TEXT


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of table. needs: of each of these, one field has to be given. telling: fields that show the kind."""

    code: str
    title: str
    domain: str
    fields: Mapping[str, Field]
    needs: tuple[tuple[str, ...], ...]
    telling: tuple[str, ...]

    @property
    def titles(self) -> dict[str, str]:
        """Field -> title."""
        return {name: field.title for name, field in self.fields.items()}


_WHO = {
    "study": Field(
        "STUDYID",
        "study",
        "study|study id|studyid|study no|study number|study code|protocol|protocol id|trial|trial id|etude|n etude"
        "|numero etude|code etude|essai|protocole|experiment|experiment id|experience|studie",
    ),
    "subject": Field(
        "USUBJID",
        "subject",
        "subject|subject id|subjectid|subjid|usubjid|subj|subj id|subject no|subject number|patient|patient id|pat id"
        "|patient no|patient number|id|idshort|animal|animal id|animalid|animal no|animal number|animal ref|mouse"
        "|mouse id|mouse no|rat|rat id|sujet|id sujet|n sujet|no sujet|numero sujet|code sujet|code patient"
        "|numero patient|n patient|no patient|souris|id souris|no souris|n souris|numero souris|id animal|n animal"
        "|no animal|numero animal|numero d animal|identifiant|pseudonyme|pseudonym|participant|participant id|ear tag"
        "|tag|randomization number|random no|rat no|maus|tier|proband",
    ),
    "arm": Field(
        "ARM",
        "arm",
        "arm|treatment arm|arm description|bras|bras de traitement|trt01a|trt01p|actarm|group|group name|groupe"
        "|groupe de traitement|treatment group|cohort name|dose group|dose combo",
        As.LABEL,
    ),
    "sex": Field("SEX", "sex", "sex|gender|sexe"),
    "age": Field("AGE", "age", "age", As.NUMBER),
    "age_unit": Field("AGEU", "unit of the age", "ageu|age unit|unite d age"),
}
_VISIT = {
    "visit": Field("VISIT", "visit", "visit|visit name|visite|cycle|cycle day|period|periode|occasion|timepoint name"),
    "sequence": Field("-SEQ", "record number", "sequence|seq|record number|record id|line number"),
}
_RESULT_UNIT = (
    "unit|units|result unit|concentration unit|concentration units|conc unit|conc units|unite|unites|resu|pcorresu"
    "|pcstresu|avalu|unite de mesure|uom|dvunit|dv unit|einheit|lborresu|lbstresu|pporresu|ppstresu|unite du resultat"
)
_DATE_WORDS = "date|date of measurement|measurement date|date de mesure|date mesure|mesure le|date of assessment"
CONCENTRATIONS = Kind(
    "CONCENTRATIONS",
    "concentrations",
    "PC",
    {
        **_WHO,
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
        "unit": Field("PCORRESU", "unit", _RESULT_UNIT),
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
        **_VISIT,
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
        **_WHO,
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
        **_VISIT,
    },
    (("subject",), ("dose",), ("treatment",)),
    ("dose", "dose_unit", "route", "frequency", "duration", "treatment"),
)
ADVERSE_EVENTS = Kind(
    "ADVERSE_EVENTS",
    "adverse events",
    "AE",
    {
        **_WHO,
        "term": Field(
            "AETERM",
            "event",
            "term|event|adverse event|adverse event term|ae term|aeterm|reported term|verbatim|verbatim term"
            "|event term|toxicity|evenement|evenement indesirable|libelle|libelle de l evenement|toxicite|effet"
            "|effet indesirable|ei|symptom|symptome|diagnosis|nebenwirkung|intitule",
        ),
        "coded_term": Field("AEDECOD", "coded term", "preferred term|pt|aedecod|meddra pt|coded term|terme prefere"),
        "organ_class": Field(
            "AEBODSYS", "organ class", "system organ class|soc|aebodsys|aesoc|organ class|classe de systemes d organes"
        ),
        "grade": Field(
            "AETOXGR",
            "grade",
            "grade|toxicity grade|ctcae grade|ctc grade|ctcae|aetoxgr|aetoxgrs|aetoxgrn|max grade|grade ctcae"
            "|grade nci|grade de toxicite|severity grade|aegrade|worst grade|grade max",
        ),
        "severity": Field("AESEV", "severity", "severity|aesev|intensity|severite|intensite|gravite"),
        "serious": Field("AESER", "serious", "serious|sae|aeser|seriousness|grave|eig|serieux|evenement grave"),
        "dlt": Field("AEDLT", "dose-limiting", "dlt|dose limiting|dose limiting toxicity|aedlt|toxicite limitante"),
        "relatedness": Field(
            "AEREL", "relation", "related|relatedness|relationship|causality|aerel|relation|imputabilite|lien|causalite"
        ),
        "action": Field("AEACN", "action taken", "action|action taken|aeacn|mesure prise|conduite|action prise"),
        "outcome": Field("AEOUT", "outcome", "outcome|aeout|evolution|issue|devenir"),
        "happened": Field("", "whether it happened", "ae|ae yes no|any ae|event occurred|occurred|survenue"),
        "started_on": Field(
            "AESTDTC",
            "start",
            "start|start date|onset|onset date|ae start date|aestdtc|date of onset|debut|date de debut|date debut"
            "|date de survenue|date d apparition|date",
            As.DATE,
        ),
        "ended_on": Field(
            "AEENDTC",
            "end",
            "end|end date|stop date|resolution date|aeendtc|fin|date de fin|date fin|date resolved",
            As.DATE,
        ),
        "started_day": Field(
            "AESTDY", "day of start", "day|start day|study day|onset day|aestdy|jour|jour de debut", As.DAYS
        ),
        "ended_day": Field("AEENDY", "day of end", "end day|stop day|aeendy|jour de fin", As.DAYS),
        "ongoing": Field("AEONGO", "ongoing", "ongoing|aeongo|en cours"),
        **_VISIT,
    },
    (("subject",), ("term", "happened")),
    ("term", "grade", "serious", "dlt", "relatedness", "outcome", "organ_class", "coded_term", "happened", "severity"),
)
LABORATORY = Kind(
    "LABORATORY",
    "laboratory values",
    "LB",
    {
        **_WHO,
        "test": Field(
            "LBTEST",
            "test",
            "test|test name|lab test|laboratory test|analysis|assay|parameter|lbtest|lbtestcd|test code|analyse|examen"
            "|parametre|nom de l examen|dosage|bilan|libelle analyse|untersuchung",
        ),
        "result": Field(
            "LBORRES",
            "result",
            "result|results|value|lab value|lborres|lbstresn|resultat|valeur|ergebnis|wert",
            As.RESULT,
        ),
        "unit": Field("LBORRESU", "unit", _RESULT_UNIT),
        "lower_normal": Field(
            "LBSTNRLO",
            "lower limit of normal",
            "lln|lower limit of normal|normal low|reference low|ref low|range low|lower normal|lbornrlo|lbstnrlo"
            "|norme inferieure|normale basse|borne inferieure|valeur normale min|min normal|vn min|limite inferieure",
            As.NUMBER,
        ),
        "upper_normal": Field(
            "LBSTNRHI",
            "upper limit of normal",
            "uln|upper limit of normal|normal high|reference high|ref high|range high|upper normal|lbornrhi|lbstnrhi"
            "|norme superieure|normale haute|borne superieure|valeur normale max|max normal|vn max|limite superieure",
            As.NUMBER,
        ),
        "range_flag": Field("LBNRIND", "flag", "flag|range flag|abnormal flag|lbnrind|indicateur|hors norme"),
        "specimen": Field(
            "LBSPEC", "specimen", "specimen|matrix|sample type|lbspec|prelevement|matrice|milieu|liquide"
        ),
        "category": Field("LBCAT", "category", "category|panel|lbcat|categorie|groupe d analyses|panel name"),
        "baseline": Field("LBBLFL", "baseline", "baseline|baseline flag|lbblfl|valeur initiale"),
        "sampled_at": Field(
            "LBDTC",
            "date",
            "date|sample date|collection date|sampling date|lab date|lbdtc|date time|date de prelevement"
            "|date prelevement|date du bilan|date heure|date et heure|date du prelevement",
            As.DATE,
        ),
        "day": Field("LBDY", "day", "day|study day|jour|jour d etude|j|lbdy|tag", As.DAYS),
        **_VISIT,
    },
    (("subject",), ("test",), ("result",)),
    ("test", "result", "lower_normal", "upper_normal", "range_flag", "category"),
)
TUMOUR_GROWTH = Kind(
    "TUMOUR_GROWTH",
    "tumour volumes and body weights of animals",
    "TR",
    {
        **_WHO,
        "arm": Field(
            "SETCD",
            "group",
            "group|group name|group no|group id|arm|arm name|treatment|treatment group|treatment arm|cohort|dose group"
            "|groupe|nom du groupe|groupe de traitement|traitement|bras|lot|gruppe|treatment name|tx group|trt",
            As.LABEL,
        ),
        "cohort": Field(
            "", "cohort", "cohort id|cohorte|cage|cage id|cage no|litter|cohort no|id cohorte|numero de cage"
        ),
        "dose": Field("", "dose of the group", "dose|dose level|dosage|dose mg kg|niveau de dose", As.NUMBER),
        "dose_unit": Field("", "unit of the dose", "dose unit|dose units|unite de dose"),
        "species": Field("SPECIES", "species", "species|espece"),
        "strain": Field("STRAIN", "strain", "strain|souche|mouse strain|background"),
        "day": Field(
            "TRDY",
            "day",
            "day|day of study|study day|days|days post implant|days after implantation|days after treatment|time"
            "|day post treatment|days of treatment|treatment day|jour|jours|jour d etude|jour de l etude|j|temps"
            "|jour de traitement|jours apres traitement|jours post implantation|jour post greffe|tag|measurement day"
            "|jours apres greffe|dpi|days since start",
            As.DAYS,
        ),
        "measured_at": Field("TRDTC", "date", _DATE_WORDS, As.DATE),
        "tumour_volume": Field(
            "",
            "tumour volume",
            "tumor volume|tumour volume|volume|tv|tumor vol|tumour vol|tumor size|tumour size|vol|tumorvolume"
            "|volume tumoral|volume de la tumeur|vol tumoral|volume tumeur|taille tumorale|tumeur|tumor volume mm3"
            "|mean tumor volume|tumorvolumen|vt|tvol|tumvol",
            As.RESULT,
        ),
        "length": Field("", "length of the tumour", "length|tumor length|tumour length|longueur|long axis", As.RESULT),
        "width": Field("", "width of the tumour", "width|tumor width|tumour width|largeur|short axis", As.RESULT),
        "body_weight": Field(
            "",
            "body weight",
            "body weight|bodyweight|bw|weight|wt|mouse weight|animal weight|poids|poids corporel|poids de l animal"
            "|masse|masse corporelle|poids vif|gewicht|korpergewicht|weight g|body mass",
            As.RESULT,
        ),
        "treatment": Field("", "treatment", "compound|drug|test article|produit|molecule"),
    },
    (("subject",), ("day", "measured_at"), ("tumour_volume", "body_weight", "length")),
    ("tumour_volume", "body_weight", "length", "width", "cohort", "species", "strain"),
)
PARAMETERS = Kind(
    "PARAMETERS",
    "reported exposure parameters",
    "PP",
    {
        **_WHO,
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
        "unit": Field("PPORRESU", "unit", _RESULT_UNIT),
        "day": Field("VISITDY", "day", "day|study day|jour|pk day|profile day", As.NUMBER),
        "profile": Field("PPTPTREF", "dosing interval", "profile|period|atptref|interval|profil|cycle|periode"),
        "dosed_at": Field("PPRFTDTC", "date of the dose", "pprftdtc|pprfdtc|dose date|dose date time", As.DATE),
        **_VISIT,
    },
    (("subject",), ("parameter",), ("value",), ("analyte", "arm")),
    ("parameter", "value", "profile"),
)
RESPONSES = Kind(
    "RESPONSES",
    "tumour responses",
    "RS",
    {
        **_WHO,
        "response": Field(
            "RSORRES",
            "response",
            "response|overall response|or|tumor response|tumour response|objective response|recist|rsorres|reponse"
            "|reponse globale|reponse objective|reponse tumorale|recist response|evaluation|overall resp",
        ),
        "best_response": Field(
            "", "best response", "bor|best overall response|best response|meilleure reponse|meilleure reponse globale"
        ),
        "sum_change": Field(
            "",
            "change of the sum of diameters",
            "psld|percent change|pct change|change from baseline|sld change|percent change from baseline|pchg"
            "|variation|variation somme|change in sld|variation en pourcentage|percent change in sld",
            As.RESULT,
        ),
        "best_change": Field(
            "",
            "best change of the sum of diameters",
            "bpchg|best percent change|best change|meilleure variation",
            As.RESULT,
        ),
        "sum": Field(
            "", "sum of diameters", "sld|sum of diameters|sum of longest diameters|somme des diametres|sod", As.RESULT
        ),
        "criteria": Field("RSCAT", "criteria", "criteria|criterion|rscat|criteres"),
        "assessor": Field("RSEVAL", "assessor", "assessor|evaluator|reader|rseval|evaluateur|lecteur"),
        "assessed_on": Field(
            "RSDTC",
            "date",
            "date|assessment date|date of assessment|scan date|rsdtc|date d evaluation|date evaluation|imaging date",
            As.DATE,
        ),
        "day": Field("RSDY", "day", "day|study day|time|jour|temps|rsdy|assessment day", As.DAYS),
        "day_of_response": Field("", "day of the response", "time or|response day|day of response", As.DAYS),
        **_VISIT,
    },
    (("subject",), ("response", "best_response", "sum_change", "sum")),
    ("response", "best_response", "sum_change", "best_change", "sum", "criteria"),
)
_DOSED = {name: CONCENTRATIONS.fields[name] for name in ("volume", "volume_unit")}
ANALYSIS = Kind(
    "ANALYSIS",
    "concentrations prepared for analysis",
    "PC",
    {
        **_WHO,
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
KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        ANALYSIS,
        CONCENTRATIONS,
        DOSES,
        ADVERSE_EVENTS,
        LABORATORY,
        TUMOUR_GROWTH,
        PARAMETERS,
        RESPONSES,
    )
}

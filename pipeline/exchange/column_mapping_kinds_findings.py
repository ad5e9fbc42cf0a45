"""Tables of events, laboratory values, tumours and responses: their fields, and the headings people give them."""

from __future__ import annotations

from pipeline.exchange.column_mapping_fields import DATE_WORDS, RESULT_UNIT, VISIT, WHO, As, Field, Kind

ADVERSE_EVENTS = Kind(
    "ADVERSE_EVENTS",
    "adverse events",
    "AE",
    {
        **WHO,
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
        **VISIT,
    },
    (("subject",), ("term", "happened")),
    ("term", "grade", "serious", "dlt", "relatedness", "outcome", "organ_class", "coded_term", "happened", "severity"),
)
LABORATORY = Kind(
    "LABORATORY",
    "laboratory values",
    "LB",
    {
        **WHO,
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
        "unit": Field("LBORRESU", "unit", RESULT_UNIT),
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
        **VISIT,
    },
    (("subject",), ("test",), ("result",)),
    ("test", "result", "lower_normal", "upper_normal", "range_flag", "category"),
)
TUMOUR_GROWTH = Kind(
    "TUMOUR_GROWTH",
    "tumour volumes and body weights of animals",
    "TR",
    {
        **WHO,
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
        "measured_at": Field("TRDTC", "date", DATE_WORDS, As.DATE),
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
RESPONSES = Kind(
    "RESPONSES",
    "tumour responses",
    "RS",
    {
        **WHO,
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
        **VISIT,
    },
    (("subject",), ("response", "best_response", "sum_change", "sum")),
    ("response", "best_response", "sum_change", "best_change", "sum", "criteria"),
)

"""The columns of tables of trials under the names registers and their users give them, in English and French."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Sequence

from pipeline.errors import FileRefused
from pipeline.exchange.encodings import decode
from pipeline.exchange.reading import SentFile
from pipeline.exchange.tables import read_tables

TRIAL = "trial"
_WORDS = {
    "trial": "nctid|nct|nctnumber|nctno|nctidentifier|registryid|registrynumber|registrationnumber|trialid|studyid"
    "|trial|clinicaltrialsgovid|clinicaltrialsgovidentifier|eudractnumber|eudract|euctnumber|ctnumber|trialregistrationnumber"
    "|numeroderegistre|numeronct|nonct|nnct|identifiantnct|numeroeudract|neudract"
    "|identifiant|identifiantdelessai|essai|numerodelessai",
    "stop_date": "stopdate|stoppedon|datestopped|dateofstop|stopped|dateofstopping|datedarret|datearret|arretele",
    "stop_status": "stopstatus|statusatstop|stoppedas|statutalarret|statutdarret",
    "restart_date": "restartdate|restartedon|daterestarted|dateofrestart|restarted|datedereprise|datereprise|reprisle",
    "restart_status": "restartstatus|statusafterrestart|restartedas|statutapresreprise|statutdereprise",
    "why_stopped": "whystopped|whystop|reason|reasons|reasonforstop|reasonforstopping|whystudystopped|stopreason"
    "|reasonstopped|reasonfortermination|terminationreason|reasonforearlytermination|reasonforwithdrawal"
    "|reasonforstoppingthestudy|motif|motifs|motifdarret|motifdelarret|raison|raisondarret|raisondelarret|causedarret"
    "|motifdarretpremature",
    "status": "status|overallstatus|studystatus|trialstatus|recruitmentstatus|recruitingstatus|currentstatus"
    "|statusoftrial|statut|statutdelessai|statutglobal|statutderecrutement|statutactuel|etat|etatdelessai",
    "phases": "phases|phase|studyphase|trialphase|phaseoftrial|clinicalphase|phasedelessai|phasedeletude",
    "drugs": "drugs|drug|drugname|drugnames|molecule|molecules|compound|compounds|agent|agents|product|products"
    "|investigationalproduct|investigationalproducts|imp|studydrug|studydrugs|treatment|treatments|medicament"
    "|medicaments|produit|produits|produitetudie|produitsetudies|traitement|traitements|substance|substances",
    "interventions": "interventions|intervention|interventionname|interventionnames|interventionnameorg",
    "intervention_type": "interventiontype|interventiontypes|typedintervention",
    "conditions": "conditions|condition|diseases|disease|indication|indications|conditiondisease|conditionsordiseases"
    "|healthcondition|pathologie|pathologies|maladie|maladies|cancer|localisation",
    "title": "title|studytitle|brieftitle|officialtitle|publictitle|scientifictitle|titre|titredelessai|titredeletude"
    "|intitule|acronymtitle",
    "started": "startdate|studystart|studystartdate|started|startedon|dateofstart|trialstartdate|firstenrolment"
    "|dateoffirstenrolment|dateoffirstenrollment|datededebut|datedebut|debut|datededemarrage|ouverture|datedouverture",
    "ended": "completiondate|studycompletiondate|enddate|ended|endedon|studyend|dateofcompletion|trialenddate"
    "|globalenddate|datedefin|datefin|fin|datedecloture|cloture|datedachevement",
    "sponsor": "sponsor|leadsponsor|sponsorname|sponsorcollaborators|leadsponsorname|source|primarysponsor|promoteur"
    "|nomdupromoteur",
    "enrolment": "enrollment|enrolment|actualenrollment|actualenrolment|enrollmentcount|enrolled|numberenrolled"
    "|samplesize|subjects|effectif|inclusions|nombredinclusions|inclus|patientsinclus",
}  # fmt: skip
_STOP = r"(?:stop|terminat|discontinu|withdraw|suspen|halt|arret|interru|abandon)"
_AGAIN = r"(?:restart|resum|reopen|repris|reouvert)"
_NUMBERED = r"(?:trial|study|registration|registry|essai|etude|enregistrement)"
_TESTED = r"(?:tested|study|primary|experimental|investigational|active|investigational medicinal)"
_LIKE = {
    "restart_status": rf"\bstatu[st]\b.*{_AGAIN}|{_AGAIN}\w* (?:as|status)\b",
    "restart_date": rf"^(?!.*(?:status|why|reason)).*{_AGAIN}",
    "why_stopped": rf"\b(?:why|reasons?|motifs?|raisons?|causes?)\b.*{_STOP}",
    "stop_status": rf"\bstatu[st]\b.*{_STOP}|\b(?:stopped|halted) status\b",
    "stop_date": rf"\bdate\b.*(?!terminat){_STOP}|(?!terminat){_STOP}\w* (?:on|le|date)\b",
    "trial": r"\b(?:nct|isrctn|eudract|euctr|jrct|drks|actrn)\b|^main id$"
    rf"|\b{_NUMBERED} (?:id|identifier|number|no|numero)$",
    "status": r"\b(?:overall|recruit\w*|trial|study|essai|etude)\b.* statu[st]\b"
    r"|\bstatu[st] (?:of |de |du |d |l )*(?:trial|study|recruit|recrut|essai|etude)",
    "phases": r"^(?!.*(?:date|start|end|debut|fin)\b).*\bphase\b",
    "drugs": rf"\b{_TESTED} (?:drugs?|products?|substances?|agents?)\b|\b(?:imp|inn|dci|generic) names?$|^(?:inn|dci)$"
    r"|\b(?:medicament|produit|molecule)s? (?:s )?(?:a l |a |en )?(?:etude|experimenta|etudie|teste)",
    "interventions": r"\binterventions?(?: s)?$",
    "conditions": r"\b(?:medical|health|studied) conditions?\b|\bconditions? (?:s )?(?:studied|treated)"
    r"|\b(?:tumou?r|cancer|disease) type\b|^therapeutic area$",
    "started": r"\bdate\b.*\b(?:start|enrol\w*|debut|demarrage|ouverture)\b|\bstart\b.*\bdate\b|^start$",
    "ended": r"^(?!.*primary).*(?:\b(?:completion|end|terminat\w*) date\b|\bdate\b.*\b(?:terminat\w*|fin|cloture)\b)"
    r"|^(?:trial )?end$",
    "enrolment": r"^(?!.*date).*(?:\benrol\w*\b|\b(?:sample|target) size\b"
    r"|\b(?:number|no|nb|n|nombre) (?:of |de |d )?(?:patient|participant|subject|sujet)s?)",
    "sponsor": r"\b(?:sponsors?|company|promoteurs?)\b",
}
"""How further headings are put, in words without signs and accents; the more particular first."""
_PATTERNS = {column: re.compile(pattern) for column, pattern in _LIKE.items()}
_COLUMN = {word: column for column, words in _WORDS.items() for word in words.split("|")}
_PORTFOLIO = re.compile(r"since|depuis|stage|stade|etape|entry|entered|entree")
_DESCRIBING = frozenset({"phases", "drugs", "interventions", "conditions", "title"})
_LOOKED_AT = 64_000
_LONGEST, _MOST_WORDS = 100, 8
"""Letters and words of a heading; what has more is a sentence."""


def column_of(heading: str) -> str | None:
    """Return what a heading of a table of trials means; None for one that is not known.

    >>> column_of("Why Stopped"), column_of("Motif d’arrêt"), column_of("Colour")
    ('why_stopped', 'why_stopped', None)
    """
    return _COLUMN.get(_plain(heading)) or _like(heading)


def columns_of(headings: Sequence[str]) -> dict[str, int]:
    """Return where each known column stands, the first of several; one known word by word comes before others."""
    at: dict[str, int] = {}
    known = [_COLUMN.get(_plain(heading)) for heading in headings]
    like = [None if column else _like(heading) for heading, column in zip(headings, known, strict=True)]
    for columns in (known, like):
        for position, column in enumerate(columns):
            if column is not None:
                at.setdefault(column, position)
    return at


def tells_trials(headings: Sequence[str]) -> bool:
    """Whether a heading row is that of a table with a trial in each row: its number, how it stands, and what it tests.

    A portfolio may name a trial in a column as well; it says since when a programme is in a stage.
    """
    at = columns_of(headings)
    described = (
        {TRIAL} <= at.keys() and at.keys() & {"status", "why_stopped", "stop_status"} and at.keys() & _DESCRIBING
    )
    return bool(described) and not any(_PORTFOLIO.search(_plain(heading)) for heading in headings)


def tells_stops(headings: Sequence[str]) -> bool:
    """Whether a heading row is that of a list of stopped trials: the number, when each stopped, into which status."""
    at = columns_of(headings)
    told = {TRIAL, "stop_date"} <= at.keys() and at.keys() & {"stop_status", "status"}
    return bool(told) and not any(_PORTFOLIO.search(_plain(heading)) for heading in headings)


def are_trials(files: Sequence[SentFile]) -> bool:
    """Whether files are tables of trials, by their headings."""
    return bool(files) and all(_has(file, tells_trials) for file in files)


def are_stops(files: Sequence[SentFile]) -> bool:
    """Whether files are lists of stopped trials, by their headings."""
    return bool(files) and all(_has(file, tells_stops) for file in files)


def _has(file: SentFile, tells: Callable[[Sequence[str]], bool]) -> bool:
    """Whether a row among the first of a file is a heading row of that kind."""
    if file.content.startswith(b"PK\x03\x04"):
        try:
            tables = read_tables(file.content, file.name, lambda headings: len(columns_of(headings)))
        except FileRefused:
            return False
        return any(tells(table.headings) for table in tables)
    start = file.content[:_LOOKED_AT]
    try:
        head = decode(start[: start.rfind(b"\n")] if len(file.content) > _LOOKED_AT else start, file.name).text
    except FileRefused:
        return False
    return any(
        tells(next(csv.reader([line], delimiter=sign), []))
        for line in head.lstrip("\ufeff").splitlines()[:50]
        for sign in ",;\t|"
        if len(line) < _LOOKED_AT and line.count(sign) > 1
    )


def _like(heading: str) -> str | None:
    words = re.findall(r"[^\W_]+", _folded(heading[:_LONGEST]))
    if len(words) > _MOST_WORDS:
        return None
    return next((column for column, pattern in _PATTERNS.items() if pattern.search(" ".join(words))), None)


def _plain(heading: str) -> str:
    return re.sub(r"[\W_]+", "", _folded(heading))


def _folded(heading: str) -> str:
    letters = unicodedata.normalize("NFKD", heading).casefold()
    return "".join(sign for sign in letters if not unicodedata.combining(sign))

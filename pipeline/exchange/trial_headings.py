"""The columns of tables of trials under the names registers and their users give them, in English and French."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Sequence

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
_COLUMN = {word: column for column, words in _WORDS.items() for word in words.split("|")}
_PORTFOLIO = re.compile(r"since|depuis|stage|stade|etape|entry|entered|entree")
_DESCRIBING = frozenset({"phases", "drugs", "interventions", "conditions", "title"})
_LOOKED_AT = 64_000


def column_of(heading: str) -> str | None:
    """Return what a heading of a table of trials means; None for one that is not known.

    >>> column_of("Why Stopped"), column_of("Motif d’arrêt"), column_of("Colour")
    ('why_stopped', 'why_stopped', None)
    """
    return _COLUMN.get(_plain(heading))


def columns_of(headings: Sequence[str]) -> dict[str, int]:
    """Return where each known column stands, the first of several."""
    at: dict[str, int] = {}
    for position, heading in enumerate(headings):
        column = column_of(heading)
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


def are_trials(files: Sequence[SentFile]) -> bool:
    """Whether files are tables of trials, by their headings."""
    return bool(files) and all(map(_is_table_of_trials, files))


def _is_table_of_trials(file: SentFile) -> bool:
    if file.content.startswith(b"PK\x03\x04"):
        try:
            tables = read_tables(file.content, file.name, lambda headings: len(columns_of(headings)))
        except FileRefused:
            return False
        return any(tells_trials(table.headings) for table in tables)
    start = file.content[:_LOOKED_AT]
    try:
        head = decode(start[: start.rfind(b"\n")] if len(file.content) > _LOOKED_AT else start, file.name).text
    except FileRefused:
        return False
    return any(
        tells_trials(next(csv.reader([line], delimiter=sign), []))
        for line in head.lstrip("\ufeff").splitlines()[:50]
        for sign in ",;\t|"
        if len(line) < _LOOKED_AT and line.count(sign) > 1
    )


def _plain(heading: str) -> str:
    letters = unicodedata.normalize("NFKD", heading).casefold()
    return re.sub(r"[\W_]+", "", "".join(sign for sign in letters if not unicodedata.combining(sign)))

"""What a kind of table a mapping can read is made of, and the fields that several kinds have in common.

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


WHO = {
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
VISIT = {
    "visit": Field("VISIT", "visit", "visit|visit name|visite|cycle|cycle day|period|periode|occasion|timepoint name"),
    "sequence": Field("-SEQ", "record number", "sequence|seq|record number|record id|line number"),
}
RESULT_UNIT = (
    "unit|units|result unit|concentration unit|concentration units|conc unit|conc units|unite|unites|resu|pcorresu"
    "|pcstresu|avalu|unite de mesure|uom|dvunit|dv unit|einheit|lborresu|lbstresu|pporresu|ppstresu|unite du resultat"
)
DATE_WORDS = "date|date of measurement|measurement date|date de mesure|date mesure|mesure le|date of assessment"

"""Sites and routing as data: where the work of a stage is done for a disease group."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_BETWEEN = re.compile(r"[\s_\-]+")


@dataclass(frozen=True, slots=True)
class Site:
    """A place where studies are run."""

    code: str
    name: str
    city: str


@dataclass(frozen=True, slots=True)
class DiseaseGroup:
    """A group of diseases treated together; `also` are other spellings of the same group."""

    code: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """The work of these stages is done at these sites: for the named disease groups, or for all when none is named."""

    stages: tuple[str, ...]
    sites: tuple[str, ...]
    disease_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Routing:
    """Where a programme's work is done, and why; `sites` is empty when the data do not say."""

    sites: tuple[Site, ...]
    explanation: str


def spelling(text: str) -> str:
    """Return the form under which two spellings of a disease group are one: no case, accents, hyphens or spaces."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _BETWEEN.sub("", plain.casefold())


def group_of(text: str, groups: Sequence[DiseaseGroup]) -> DiseaseGroup | None:
    """Return the disease group a text spells exactly, or None. Nothing is guessed from parts of words."""
    wanted = spelling(text)
    return next((group for group in groups if wanted in map(spelling, (group.code, *group.also))), None)

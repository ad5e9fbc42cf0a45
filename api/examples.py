"""The example queries offered in GraphiQL, one file each under examples/, with their variables beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True, slots=True)
class Example:
    """A query worth trying. The first comment lines of its file are "who: title", then what to look at."""

    name: str
    who: str
    title: str
    query: str

    def as_json(self) -> dict[str, str]:
        """Return the example as the page loads it."""
        return asdict(self)


@cache
def examples() -> Sequence[Example]:
    """Return all example queries in the order of their file names."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.graphql")))


def _read(path: Path) -> Example:
    query = path.read_text("utf-8")
    found = re.match(r"# (?P<who>[^:\n]+): (?P<title>[^\n]+)\n", query)
    if found is None:
        raise ValueError(f"{path.name} must begin with a line '# who: title'")
    return Example(path.stem.partition("-")[2], found["who"], found["title"], query)

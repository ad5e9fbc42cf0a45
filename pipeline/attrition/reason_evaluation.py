"""How well proposed reasons agree with labels: by reason and over all, with counts and intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.attrition.agreement import Agreement, cohens_kappa
from pipeline.efficacy.response_rate import wilson


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a text was labelled with, and what was proposed for it; the first of each is the primary one."""

    labels: tuple[str, ...]
    proposed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A count out of a count, with its Wilson interval; a share of nothing is None."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share, 0 to 1."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson limits."""
        return wilson(self.count, self.of) if self.of else None

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self.count}/{self.of}"
        low, high = self.interval
        return f"{self.count}/{self.of} = {self.count / self.of:.2f} ({low:.2f}-{high:.2f})"


@dataclass(frozen=True, slots=True)
class ClassQuality:
    """One class: of those proposed how many were right (precision), of those labelled how many were found (recall)."""

    name: str
    precision: Share
    recall: Share


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Quality on a set of labelled texts.

    A class counts wherever it stands among the reasons of a text, primary or not; `primary` is how often the first
    proposed is the first labelled, `exact` how often all reasons are the same, and `agreement` kappa on the primary.
    """

    classes: tuple[ClassQuality, ...]
    primary: Share
    exact: Share
    agreement: Agreement
    confused: tuple[tuple[str, str, int], ...]


def evaluate(texts: Iterable[Labelled], order: Sequence[str]) -> Evaluation:
    """Return the quality of proposals, by class in the order given; a class that never occurs is left out."""
    rows = list(texts)
    classes = []
    for name in order:
        labelled = sum(name in row.labels for row in rows)
        proposed = sum(name in row.proposed for row in rows)
        right = sum(name in row.labels and name in row.proposed for row in rows)
        if labelled or proposed:
            classes.append(ClassQuality(name, Share(right, proposed), Share(right, labelled)))
    firsts = [(row.labels[0], row.proposed[0]) for row in rows]
    return Evaluation(
        classes=tuple(classes),
        primary=Share(sum(a == b for a, b in firsts), len(rows)),
        exact=Share(sum(set(row.labels) == set(row.proposed) for row in rows), len(rows)),
        agreement=cohens_kappa([a for a, _ in firsts], [b for _, b in firsts]),
        confused=_confused(firsts),
    )


def _confused(firsts: Sequence[tuple[str, str]]) -> tuple[tuple[str, str, int], ...]:
    """Return (labelled, proposed, how often) where the primary reasons differ, the most frequent first."""
    counts: dict[tuple[str, str], int] = {}
    for pair in firsts:
        if pair[0] != pair[1]:
            counts[pair] = counts.get(pair, 0) + 1
    ordered: Sequence[tuple[tuple[str, str], int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple((labelled, proposed, count) for (labelled, proposed), count in ordered)


def macro_average(classes: Iterable[ClassQuality]) -> Mapping[str, float | None]:
    """Return the mean precision and recall over the classes that have one."""
    rows = list(classes)
    means: dict[str, float | None] = {}
    for name in ("precision", "recall"):
        values = [value for row in rows if (value := getattr(row, name).value) is not None]
        means[name] = sum(values) / len(values) if values else None
    return means

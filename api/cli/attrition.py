"""moltrail attrition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.attrition_studies import command as studies
from api.cli.attrition_text import comparison_text, differences_text, review_text
from api.cli.shared import Session, as_day, as_instant
from pipeline.words import Modality, Status

if TYPE_CHECKING:
    from pipeline.attrition.review_results import AttritionReview
    from pipeline.attrition.review_settings import Settings

RULES = ("PHASE_BY_PHASE", "PATH_BY_PATH", "PROGRESSION_DECISION")
DIMENSIONS = ("modality", "disease_group", "target_class", "biomarker_selected", "site", "entry_period")
DIFFERS = 1
"""Exit code when a review does not come out as it was written."""


def _as_json(review: AttritionReview) -> bytes:
    from pipeline.attrition.review_json import as_json

    return as_json(review)


def _as_page(review: AttritionReview) -> bytes:
    from pipeline.reports.review_page import as_page

    return as_page(review)


def _as_workbook(review: AttritionReview) -> bytes:
    from pipeline.reports.review_workbook import as_workbook

    return as_workbook(review)


WRITERS: dict[str, Callable[[AttritionReview], bytes]] = {
    ".json": _as_json,
    ".html": _as_page,
    ".xlsx": _as_workbook,
}
"""How a review is written, by the ending of the file."""


class _OneOf(click.Choice[str]):
    """One of some words, too many to be listed in a line of help; a refusal lists them."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__([str(word) for word in words], case_sensitive=False)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what stands for the value in help."""
        return "WORD"


@click.group("attrition", invoke_without_command=True)
@click.option(
    "--rule",
    type=_OneOf(RULES),
    default=RULES[0],
    show_default=True,
    help="How it is counted who passes a phase: PHASE_BY_PHASE, PATH_BY_PATH or PROGRESSION_DECISION.",
)
@click.option("--modality", type=_OneOf(Modality), multiple=True, help="Only molecules of these modalities.")
@click.option("--disease-group", metavar="GROUP", multiple=True, help="Only these disease groups, as recorded.")
@click.option("--biomarker/--no-biomarker", default=None, help="Only with, or only without, selection by a biomarker.")
@click.option("--stage", metavar="CODE", multiple=True, help="Only programmes at these stages.")
@click.option("--status", type=_OneOf(Status), multiple=True, help="Only programmes in these statuses.")
@click.option("--target", metavar="NAME", help="Only molecules that act on this target.")
@click.option("--text", metavar="TEXT", help="Only molecules whose code, name, synonym or identifier holds this.")
@click.option("--site", metavar="CODE", multiple=True, help="Only programmes routed to these sites now.")
@click.option("--entered-from", metavar="DATE", help="Entered the present stage on this day or later.")
@click.option("--entered-to", metavar="DATE", help="Entered the present stage on this day or earlier.")
@click.option("--exits-from", metavar="DATE", help="Count outcomes of this day and later only.")
@click.option("--exits-to", metavar="DATE", help="Count outcomes of this day and earlier only.")
@click.option(
    "--observed-from",
    metavar="WHEN",
    default="history",
    show_default=True,
    help="history: what is on record is complete; record: each programme is watched from the day it was put on record; "
    "or a day from which all are watched. Stays under way by then are left-truncated.",
)
@click.option("--as-of", metavar="DATE", help="Look back from this day: what was true by then (YYYY-MM-DD).")
@click.option("--known-at", metavar="WHEN", help="As known at this moment, or at the end of this day.")
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A TOML file with other settings: silence limits, waiting times, kinds of stops, benchmarks.",
)
@click.option(
    "--checkpoints",
    is_flag=True,
    help="Also tell the probability of approval after each programme's latest checkpoint, by its rule's record: "
    "the rules are run over the past for it.",
)
@click.option("--by", type=_OneOf(DIMENSIONS), multiple=True, help="Also show the figures by this grouping.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the review to this file.")
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Review where, when and why programmes stop: rates with their numbers, reasons, the late share, benchmarks.

    With --output the whole review is written: as JSON that `moltrail attrition verify` computes again, as one HTML page
    with its pictures, or as an xlsx workbook, by the ending of the file.
    """
    if context.invoked_subcommand is not None:
        return
    session: Session = context.obj
    output: Path | None = given["output"]
    writer = None if output is None else _writer(output, session.data)
    from pipeline.reports.attrition_review import ReviewRequest, attrition_review, filter_of

    as_of, known_at = as_day(given["as_of"]), as_instant(given["known_at"])
    now = datetime.now(UTC)
    request = ReviewRequest(
        today=min(known_at or now, now).astimezone(UTC).date().isoformat(),
        rule=given["rule"].upper(),
        filter=filter_of(_filter(given)),
        observed_from=given["observed_from"],
        window=(given["exits_from"], given["exits_to"]),
        settings=_settings(given["settings_file"]),
        signals=True,
        checkpoints=given["checkpoints"],
    )
    with (
        session.open(begun=True) as centre,
        session.progress("Reviewing"),
        centre.read(session.actor, as_of=as_of, known_at=known_at) as reader,
    ):
        review = attrition_review(reader, request)
    if output is None or writer is None:
        from pipeline.attrition.review_json import plain

        session.say(plain(review) if session.as_json else {}, review_text(review, given["by"]))
        return
    _write(output, writer(review))
    said = {"file": str(output), "programmes": review.programmes, "method": review.method_version}
    session.say(said, f"{output} is written: {review.programmes:,} programmes, {review.method_version}")


command.add_command(studies)


@command.command("verify", short_help="Compute a written review again and say what differs.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def verify_review(session: Session, file: Path) -> None:
    """Compute the review in FILE (JSON) again from the records, asked the same, and say what comes out otherwise.

    Exit code 0 when nothing does, 1 when something does, 2 when the file cannot be taken.
    """
    from pipeline.reports.attrition_review import verify

    written = _read(file)
    with session.open(begun=True) as centre, session.progress("Reviewing again"), centre.read(session.actor) as reader:
        found = verify(reader, written)
    content = {"file": str(file), "same": not found, "differences": [_change(one) for one in found]}
    session.say(content, differences_text(str(file), found))
    if found:
        raise SystemExit(DIFFERS)


@command.command("compare", short_help="Say what changed between two written reviews, and which programmes moved.")
@click.argument("before", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("after", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def compare_reviews(session: Session, before: Path, after: Path) -> None:
    """Compare the reviews in two files (JSON): what was asked, which figures changed, which programmes moved."""
    from pipeline.attrition.review_json import compare

    found = compare(_read(before), _read(after))
    content = {
        "question": [_change(one) for one in found.question],
        "figures": [_change(one) for one in found.figures],
        "moved": [
            {
                "programme": one.programme,
                "name": one.name,
                "from": {"stage": one.from_stage, "standing": one.from_standing},
                "to": {"stage": one.to_stage, "standing": one.to_standing},
            }
            for one in found.moved
        ],
        "programmes": {"before": found.programmes_before, "after": found.programmes_after},
    }
    session.say(content, comparison_text(found))


# ---------------------------------------------------------------- inside


def _filter(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of the portfolio filter that were given."""
    table: dict[str, Any] = {
        name: list(given[name]) for name in ("modality", "disease_group", "stage", "status", "site") if given[name]
    }
    if given["biomarker"] is not None:
        table["biomarker_selected"] = given["biomarker"]
    for name in ("target", "text"):
        if given[name] is not None:
            table[name] = given[name]
    for name in ("entered_from", "entered_to"):
        if given[name] is not None:
            table[name] = _day(given[name], name)
    return table


def _day(text: str, name: str) -> str:
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        option = name.replace("_", "-")
        raise click.UsageError(f"--{option} takes a day that exists, YYYY-MM-DD; {text[:40]!r} is none") from None


def _settings(file: Path | None) -> Settings | None:
    if file is None:
        return None
    from pipeline.attrition.review_settings import read_settings
    from pipeline.errors import FileRefused

    try:
        return read_settings(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise FileRefused(f"{file} is not UTF-8 text; settings are a TOML file") from None


def _writer(output: Path, data: Path) -> Callable[[AttritionReview], bytes]:
    """Return how to write to a file; refuse an ending nobody knows, and any file of the records themselves."""
    from pipeline.errors import InputError

    writer = WRITERS.get(output.suffix.lower())
    if writer is None:
        raise InputError(f"{output} ends in none of {', '.join(WRITERS)}; name the file after what it shall hold")
    if output.exists() and output.resolve().parent == data.resolve():
        raise InputError(f"{output} belongs to the records; choose a file outside of {data}")
    if not output.absolute().parent.is_dir():
        raise InputError(f"the folder {output.absolute().parent} does not exist; make it, or choose another file")
    return writer


def _write(output: Path, content: bytes) -> None:
    from pipeline.errors import InputError

    try:
        output.write_bytes(content)
    except OSError as error:
        raise InputError(f"{output} cannot be written ({error.strerror}); choose another file") from None


def _read(file: Path) -> dict[str, Any]:
    from pipeline.attrition.review_json import MOST_BYTES, read_json
    from pipeline.errors import FileRefused

    try:
        if file.stat().st_size > MOST_BYTES:
            raise FileRefused(f"{file} is larger than {MOST_BYTES // 1_000_000} MB; that is no review")
        return read_json(file.read_bytes(), name=str(file))
    except OSError as error:
        raise FileRefused(f"{file} cannot be read ({error.strerror})") from None


def _change(one: Any) -> dict[str, Any]:
    return {"path": one.path, "before": one.before, "after": one.after}

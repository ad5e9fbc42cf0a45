"""moltrail reasons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.reasons_text import (
    agreement_json,
    agreement_text,
    counts,
    counts_text,
    evaluation_json,
    evaluation_text,
    proposal_json,
    proposal_text,
    proposals_csv,
)
from api.cli.shared import Session, table

if TYPE_CHECKING:
    from pipeline.attrition.reason_labels import LabelledText, Vocabulary

INPUT = click.Path(path_type=Path, dir_okay=False)
SAMPLE = Path("tests/data/reasons")
"""Where a checkout keeps the labels that docs/REASONS.md is written from."""


@click.group("reasons")
def command() -> None:
    """Propose why something stopped from free text in English or French; say how good proposals are."""


@command.command("classify")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--file", type=INPUT, help="A table (csv or xlsx) instead: one proposal for each row.")
@click.option("--column", metavar="HEADING", help="The column of the table that holds the texts.")
@click.option("--output", "-o", type=INPUT, help="Write the proposals to this file, as CSV.")
@click.pass_obj
def classify(
    session: Session, texts: Sequence[str], file: Path | None, column: str | None, output: Path | None
) -> None:
    """Propose reasons for texts, with the words for each.

    A person has the last word.
    """
    from pipeline.attrition.reason_labels import read_texts
    from pipeline.attrition.reason_proposal import propose_reasons

    if bool(texts) == (file is not None):
        raise click.UsageError("give texts, or --file")
    rows = (
        [(at, "", text) for at, text in enumerate(texts, 1)]
        if file is None
        else read_texts(_read(file), file.name, column)
    )
    proposals = [(row, key, text, propose_reasons(text)) for row, key, text in rows]
    if output is not None:
        _write(output, proposals_csv(proposals))
        session.say(
            {"file": str(output), "rows": len(proposals), "primary": counts(proposals)},
            f"{output} is written: {len(proposals)} proposals.\n{counts_text(proposals)}",
        )
        return
    content = [{"row": row, "key": key, **proposal_json(proposal)} for row, key, _, proposal in proposals]
    if file is None:
        session.say(content, "\n\n".join(proposal_text(text, proposal) for _, _, text, proposal in proposals))
    else:
        session.say(content, counts_text(proposals))


@command.command("evaluate")
@click.argument("labels", type=INPUT)
@click.option("--texts", type=INPUT, help="The table that holds the texts, where LABELS has only registry numbers.")
@click.option("--part", help="Only the rows whose column `part` says so, such as held_out.")
@click.pass_obj
def evaluate(session: Session, labels: Path, texts: Path | None, part: str | None) -> None:
    """Say how good the proposals are on labelled texts.

    Precision and recall by class with intervals, and the agreement on the primary reason.

    LABELS is a table with a text, a label, and maybe further labels: our reasons, or the classes of Open Targets.
    """
    from pipeline.attrition.reason_labels import evaluate_texts

    vocabulary, rows = _labelled(labels, texts)
    rows = [row for row in rows if part is None or row.part == part]
    found = evaluate_texts(rows, vocabulary)
    session.say(evaluation_json(found, vocabulary), evaluation_text(found, vocabulary))


@command.command("propose")
@click.pass_obj
def propose(session: Session) -> None:
    """Propose by the rules for every stop that has none.

    Moves that hold or discontinue a programme and studies that stopped, where the source says why in words.
    """
    from pipeline.commands.reasons import ProposeMissingReasons

    with session.open(begun=True) as centre:
        done = centre.execute(ProposeMissingReasons(), actor=session.actor).result
    session.say(
        {"stops": done["stops"], "reasons": done["count"]},
        f"{done['count']} reasons are proposed for {done['stops']} stops; `moltrail reasons waiting` lists them.",
    )


@command.command("waiting")
@click.option("--most", type=click.IntRange(min=1), default=50, show_default=True, help="How many to list.")
@click.pass_obj
def waiting(session: Session, most: int) -> None:
    """List proposals that wait for a verifier."""
    from pipeline.reports.reason_agreement import reasons_waiting

    with session.open(begun=True) as centre, centre.read(session.actor) as reader:
        rows = reasons_waiting(reader)
    shown = rows[:most]
    columns = ["id", "of", "reason", "main", "words", "proposed by"]
    cells = [
        [
            row["id"],
            row["of"],
            row["reason"],
            "main" if row["main"] else "",
            "; ".join(row["words"]),
            row["proposed_by"],
        ]
        for row in shown
    ]
    left = "" if len(rows) <= most else f"\nand {len(rows) - most} more; --most shows more at once"
    session.say(shown, f"{table(columns, cells, title=f'{len(rows)} proposals wait for a verifier')}{left}")


@command.command("verify")
@click.argument("record", type=click.IntRange(min=1), required=False)
@click.argument("reason", required=False)
@click.option(
    "--file", type=INPUT, help="A table with decisions instead, as `moltrail export waiting-reasons` writes it."
)
@click.option("--comment", help="Why; asked for where the reason differs from the one proposed.")
@click.pass_obj
def verify(session: Session, record: int | None, reason: str | None, file: Path | None, comment: str | None) -> None:
    """Verify proposed reasons: one, or all of a table.

    RECORD is the number that `waiting` lists, REASON the reason it is; UNSPECIFIED for a further reason says that it is
    none. Whoever proposed it cannot.

    With --file: export waiting-reasons (or reasons) as csv or xlsx, write into the column `decision` of each row agree
    or the reason it is, and why into `comment` where it differs; what is left empty goes on waiting. All rows are
    verified as one act by whoever hands the table in, or none and everything that is wrong is listed.
    """
    if (file is None) == (record is None) or (record is None) != (reason is None):
        raise click.UsageError("give RECORD and REASON, or --file")
    if file is not None:
        _verify_table(session, file, comment)
        return
    from pipeline.commands.reasons import VerifyReason
    from pipeline.words import AttritionReason

    assert record is not None
    assert reason is not None
    known = {str(one): one for one in AttritionReason}
    if reason.upper() not in known:
        raise click.UsageError(f"{reason!r} is no reason; known are {', '.join(known)}")
    with session.open(begun=True) as centre:
        command = VerifyReason(record=record, reason=known[reason.upper()], comment=comment)
        centre.execute(command, actor=session.actor, reason=comment)
    session.say({"record": record, "reason": reason.upper()}, f"Reason {record} is verified as {reason.upper()}.")


def _verify_table(session: Session, file: Path, comment: str | None) -> None:
    from pipeline.commands.reason_decisions import VerifyReasons
    from pipeline.exchange.reason_decisions import read_reason_decisions

    said = read_reason_decisions(_read(file), file.name)
    command = VerifyReasons(tuple(said.decisions), comment, tuple(said.problems))
    with session.open(begun=True) as centre:
        recorded = centre.execute(command, actor=session.actor, reason=f"decisions of {file.name}")
    done = {**recorded.result, "undecided": said.undecided, "act": recorded.number or None}
    lines = [
        f"{done['agreed']} reasons of {file.name} are verified as proposed and {done['changed']} as another; "
        f"{done['unchanged']} were so already, {done['undecided']} rows decide nothing."
    ]
    if said.remarks:
        lines.append(f"  mind: {said.remarks} row(s) have a comment and no decision; nothing of them is kept")
    session.say(done, "\n".join(lines))


@command.command("agreement")
@click.pass_obj
def agreement(session: Session) -> None:
    """Say how far proposers and verifiers agree (kappa)."""
    from pipeline.reports.reason_agreement import reason_agreement

    with session.open(begun=True) as centre, centre.read(session.actor) as reader:
        found = reason_agreement(reader)
    session.say([agreement_json(one) for one in found], agreement_text(found))


@command.command("document")
@click.argument("file", type=INPUT, default=Path("docs/REASONS.md"))
@click.option(
    "--texts", type=INPUT, required=True, help="comparator.csv of the set trial-stops, which holds the texts."
)
@click.pass_obj
def document(session: Session, file: Path, texts: Path) -> None:
    """Write the page on reasons, from rules and labels.

    The labels are those of this checkout.
    """
    _write(file, reasons_page(SAMPLE, texts))
    session.say({"file": str(file)}, f"{file} is written.")


def reasons_page(sample: Path, texts: Path) -> str:
    """Return the page on reasons, evaluated on the labels in a folder with the texts of the set trial-stops."""
    from pipeline.attrition.reason_labels import evaluate_texts
    from pipeline.attrition.reason_page import page

    vocabulary, rows = _labelled(sample / "labels.csv", texts)
    _, sentences = _labelled(sample / "sentences.csv", None)
    _, registers = _labelled(sample / "registers.csv", None)
    _, stops = _labelled(sample / "stops.csv", None)
    parts = {
        f"{heading} ({len(chosen)} texts)": evaluate_texts(chosen, vocabulary)
        for heading, chosen in (
            ("Stopped trials, held out", [row for row in rows if row.part == "held_out"]),
            ("Stopped trials, open while the rules were written", [row for row in rows if row.part == "open"]),
            ("Sentences of our own in English and French, open while the rules were written", sentences),
            ("Short reasons as registers have them, of our own, after the rules were mended for them", registers),
            ("Further reasons of our own, after the rules were mended for them", stops),
        )
    }
    return page(_SAMPLE_TOLD, parts)


_SAMPLE_TOLD = """Before any rule was written, 540 stopped trials of the set trial-stops (Benjamin Gregory Carlisle,
"Clinical Trials Stopped by Covid-19", ctcovidstop, CC BY 4.0; registry numbers and labels are in
`tests/data/reasons/labels.csv`, the texts are joined from the set) were drawn with a fixed seed, 60 from each of nine
strata (terminated, withdrawn, suspended; short, middling, long text), every distinct text once. Each was read and
labelled by hand, as `tests/data/reasons/README.md` tells. One half was open while the rules were written, and so were
the unlabelled texts of the set; the other half was held out: once labelled, none of its texts was looked at again, and
no rule was changed for one of them. 110 sentences of our own were labelled as well, for French and for reasons the set
lacks. Later 134 short reasons in the manner of registers were written, 52 of them in French, and labelled before the
rules read them: the primary reason was right in 116 of 134 = 0.87 (0.80-0.91). The rules were then mended by class
(named reactions, a favoured control arm, too few carriers of a marker, consent). Then came 225 further ones, 53 of them
in French, labelled before the rules read them: 190 of 225 = 0.84 (0.79-0.89) right at first reading. The rules were
mended by class again (laboratory values that rise, thresholds not met, assays and batches, agreements that end, boards
written out, "P.I." and "Dr.", "no benefit and more toxicity", which of two reasons is named first), with these, with
texts of the set that nobody had labelled, and with the open half. After that 62 more were written and labelled: 52 of
62 = 0.84 (0.73-0.91), so that what others write in words of their own is read about as often; of the ten missed, nine
were left open and one was taken for another reason. The rules were mended for these as well: the figures below are no
longer held out for the last two sets. For the held-out half all this moved 243 right of 270 to 246; none of its texts
was looked at, only these numbers."""


def _labelled(labels: Path, texts: Path | None) -> tuple[Vocabulary, list[LabelledText]]:
    from pipeline.attrition.reason_labels import read_labelled, read_texts

    known = None if texts is None else {key: text for _, key, text in read_texts(_read(texts), texts.name)}
    return read_labelled(_read(labels), labels.name, known)


def _read(file: Path) -> bytes:
    from pipeline.errors import InputError

    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); check the path") from None


def _write(file: Path, text: str) -> None:
    from pipeline.errors import InputError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}); check the path") from None

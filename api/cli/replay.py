"""moltrail replay."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from api.cli.shared import Session, table

if TYPE_CHECKING:
    from pipeline.reports.published_trials import Published
    from pipeline.reports.rule_replay import RuleReplay


@click.command("replay")
@click.argument("rule", required=False)
@click.option("--version", type=int, help="One of its versions; without it the one in use.")
@click.option("--parameters", help='Parameters to try, as JSON: {"target": 0.25}. The others stay as defined.')
@click.option("--decisions", is_flag=True, help="Run every past assessment again; exit code 1 where one differs.")
@click.option(
    "--published", is_flag=True, help="Hold escalation rules against the doses that imported trials published."
)
@click.option("--target", type=float, default=0.3, show_default=True, help="Target rate of toxicity, with --published.")
@click.option(
    "--picture", type=click.Path(path_type=Path, dir_okay=False), help="With --published: write a picture, as SVG."
)
@click.pass_obj
def command(
    session: Session,
    rule: str | None,
    version: int | None,
    parameters: str | None,
    decisions: bool,
    published: bool,
    target: float,
    picture: Path | None,
) -> None:
    """Run RULE over the past of every programme, each seen only as it was known at each moment."""
    if [rule is not None, decisions, published].count(True) != 1:
        raise click.UsageError("name a rule, or give --decisions or --published")
    if picture is not None and not published:
        raise click.UsageError("--picture goes with --published")
    if published:
        _published(session, target, picture)
    elif decisions:
        _decisions(session)
    else:
        assert rule is not None
        _replay(session, rule, version, _json(parameters))


def _json(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise click.UsageError(f'--parameters takes a JSON object, {{"target": 0.25}}; {text[:40]!r} is none')
    return found


def _replay(session: Session, code: str, version: int | None, parameters: dict[str, Any] | None) -> None:
    from pipeline.reports.rule_replay import replay_rule

    with session.open(begun=True) as centre, centre.read(session.actor) as reader, session.progress("Replaying"):
        found = replay_rule(reader, code, version, parameters)
    content = {
        "rule": {"code": code, "version": found.rule.version, "parameters": dict(found.rule.parameters)},
        "varied": found.varied,
        **asdict(found.summary),
        "outcomes": [asdict(each) for each in found.programmes],
    }
    session.say(content, _text(found))


def _text(found: RuleReplay) -> str:
    one = found.summary
    rows = [
        (
            "stopped earlier",
            one.stopped_earlier,
            f"{one.months_saved:.1f} months, {one.subjects_spared} subjects saved",
        ),
        ("missed", one.missed, "stopped for what the rule is to foresee, and it did not"),
        ("wrongly stopped", one.wrongly_stopped, "went on, and the rule would have stopped them"),
        ("correctly continued", one.correctly_continued, "went on, and the rule would have let them"),
        ("in phase", one.in_phase, "still at a stage the rule is for, or before it"),
        ("stopped otherwise", one.stopped_otherwise, "for what the rule is not to foresee"),
        ("not judged", one.not_judged, "no evidence on record while the rule could have spoken"),
    ]
    lines = [f"{found.rule.code} version {found.rule.version}{', varied' if found.varied else ''}"]
    lines.append(table(("what", "programmes", ""), rows))
    for name, share in (("sensitivity", one.sensitivity), ("specificity", one.specificity)):
        if share.value is None:
            lines.append(f"{name}: no programme to tell it by")
        else:
            lines.append(f"{name}: {share.k} of {share.n}, {share.value:.2f} ({share.low:.2f} to {share.high:.2f})")
    return "\n".join(lines)


def _decisions(session: Session) -> None:
    from pipeline.reports.rule_replay import deviations

    with session.open(begun=True) as centre, centre.read(session.actor) as reader, session.progress("Replaying"):
        count, found = deviations(reader)
    text = f"{count} past assessments were run again; {len(found)} come out otherwise."
    if found:
        cells = [
            (d.checkpoint, d.rule, d.version, "same" if d.evidence_equal else "other", d.was, d.now) for d in found
        ]
        text += "\n" + table(("checkpoint", "rule", "version", "evidence", "was", "now"), cells)
    session.say({"assessments": count, "deviations": [asdict(each) for each in found]}, text)
    if found:
        sys.exit(1)


def _published(session: Session, target: float, picture: Path | None) -> None:
    from pipeline.reports.published_picture import drawn
    from pipeline.reports.published_trials import published_trials

    with session.open(begun=True) as centre, centre.read(session.actor) as reader, session.progress("Comparing"):
        found = published_trials(reader, target)
    if picture is not None:
        picture.write_text(drawn(found), encoding="utf-8")
    session.say(found.as_json(), _published_text(found))


def _published_text(found: Published) -> str:
    rows = [(one.rule, one.agree, one.one_off, one.further, one.none, one.open, one.compared) for one in found.tallies]
    drawn = table(("rule", "agree", "one level off", "more", "no dose", "open", "compared"), rows)
    left = [(reason, count) for reason, count in found.left_out.items()]
    lines = [
        f"{found.trials} trials with dose levels, {found.escalations} escalations; the published dose can be compared "
        f"in {found.comparable} escalations of {found.trials_compared} trials",
        drawn,
        table(("why an escalation cannot be compared", "escalations"), left),
    ]
    differ = [
        (
            each.study,
            each.arm or "",
            each.published,
            each.chosen["3+3"],
            each.chosen["BOIN"],
            each.chosen["CRM"],
            each.why,
        )
        for each in found.differing
    ]
    lines.append(table(("trial", "arm", "published", "3+3", "BOIN", "CRM", "why they may differ"), differ))
    return "\n".join(lines)

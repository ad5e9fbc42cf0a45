"""moltrail rules."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.shared import Session, table

if TYPE_CHECKING:
    from pipeline.commands.rules import DefineRule

_NEEDED = ("code", "kind", "method", "parameters", "description", "source")
_MOST_BYTES = 100_000


@click.group("rules")
def command() -> None:
    """List the checkpoint rules, define a version, see how often it is wrong, put it to use."""


@command.command("list", short_help="Every version of every rule.")
@click.pass_obj
def list_rules(session: Session) -> None:
    """List every version of every rule, and which are in use."""
    from pipeline.reports.rules_on_record import recorded_rules

    with session.open(begun=True) as centre, centre.read(session.actor) as reader:
        _, graph = reader.graphs.in_force(reader.connection)
        found = recorded_rules(reader.connection, graph)
    rows: list[dict[str, Any]] = [
        {
            "code": one.rule.code,
            "version": one.rule.version,
            "in_use": one.in_use,
            "kind": one.rule.kind.value,
            "method": one.rule.method,
            "parameters": dict(one.rule.parameters),
            "description": one.rule.description,
        }
        for one in found.values()
    ]
    cells = [
        (r["code"], r["version"], "in use" if r["in_use"] else "", r["kind"].lower(), r["method"], r["description"])
        for r in rows
    ]
    session.say(rows, table(("code", "version", "", "kind", "method", "what it asks"), cells))


@command.command("define", short_help="Define a new version of a rule from a TOML file.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def define(session: Session, file: Path) -> None:
    """Define a version from FILE: code, kind, method, description, source, a table [parameters], and stages.

    It is checked and its characteristics are stored; `rules use` puts it to use.
    """
    made = _read(file)
    with session.open(begun=True) as centre:
        result = dict(centre.execute(made, actor=session.actor).result)
        shown = _shown(session, centre, result["code"], result["version"])
    said = f"{result['code']} has version {result['version']} now; it is not in use yet."
    session.say(result | {"characteristics": shown}, f"{said}\n{_text(shown)}")


def _read(file: Path) -> DefineRule:
    from pipeline.commands.rules import DefineRule
    from pipeline.errors import FileRefused
    from pipeline.words import CheckpointKind

    if file.stat().st_size > _MOST_BYTES:
        raise FileRefused(f"{file.name} is larger than {_MOST_BYTES:,} bytes; a rule is a few lines")
    try:
        content = tomllib.loads(file.read_bytes().decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileRefused(f"{file.name} is not TOML: {error}") from None
    missing = [name for name in _NEEDED if name not in content]
    unknown = sorted(content.keys() - {*_NEEDED, "stages"})
    if missing or unknown:
        said = [f"{name} is missing" for name in missing] + [f"{name[:40]!r} is not known" for name in unknown]
        raise FileRefused(f"{file.name}: {'; '.join(said)}")
    kinds, stages = [kind.value for kind in CheckpointKind], content.get("stages", [])
    if content["kind"] not in kinds:
        raise FileRefused(f"{file.name}: kind is one of {', '.join(kinds)}, not {str(content['kind'])[:40]!r}")
    texts = (*(content[name] for name in ("code", "method", "description", "source")), *stages)
    if not isinstance(stages, list) or not all(isinstance(text, str) for text in texts):
        raise FileRefused(f"{file.name}: code, method, description, source and stages are texts")
    return DefineRule(
        content["code"],
        CheckpointKind(content["kind"]),
        content["method"],
        content["parameters"],
        content["description"],
        content["source"],
        tuple(stages),
    )


@command.command("use", short_help="Put a version of a rule to use.")
@click.argument("code")
@click.argument("version", type=int)
@click.pass_obj
def use(session: Session, code: str, version: int) -> None:
    """Let assessments be made by VERSION of the rule CODE from now on.

    Whoever defined it may do so only where its characteristics are exact.
    """
    from pipeline.commands.rules import UseRule

    with session.open(begun=True) as centre:
        result = dict(centre.execute(UseRule(code, version), actor=session.actor).result)
    session.say(result, f"{code} is assessed by version {version} from now on.")


@command.command("characteristics", short_help="How often a rule is wrong.")
@click.argument("code")
@click.option("--version", type=int, help="One of its versions; without it the one in use.")
@click.pass_obj
def show_characteristics(session: Session, code: str, version: int | None) -> None:
    """Show how often the rule CODE lets bad molecules go on and stops good ones, and at how many subjects."""
    with session.open(begun=True) as centre:
        found = _shown(session, centre, code, version)
    session.say(found, _text(found))


def _shown(session: Session, centre: Any, code: str, version: int | None) -> dict[str, Any]:
    from pipeline.reports.rules_on_record import latest_parameters, recorded_rules, shown_characteristics, the_rule

    with centre.read(session.actor) as reader:
        _, graph = reader.graphs.in_force(reader.connection)
        one = the_rule(reader.connection, graph, code, version)
        return shown_characteristics(one, latest_parameters(recorded_rules(reader.connection, graph)))


def _text(found: dict[str, Any]) -> str:
    if found["basis"] == "not defined":
        return f"No operating characteristics: {found['reason']}."
    errors = found.get("errors", {})
    names = (
        ("false_go", f"goes on although {found['bad']}"),
        ("false_stop", f"stops although {found['good']}"),
        ("expected_n_bad", "subjects, where it is bad"),
        ("expected_n_good", "subjects, where it is good"),
    )
    rows = [
        (said, f"{found[name]:.4g}", f"{errors[name]:.2g}" if name in errors else "")
        for name, said in names
        if name in found
    ]
    how = found["basis"] + (f", {found['trials']:,} trials from seed {found['seed']}" if "trials" in found else "")
    assumed = "".join(f"\nassumed: {name} = {value}" for name, value in found.get("assumed", {}).items())
    return f"{table(('what', 'value', 'Monte Carlo error'), rows)}\n{how}{assumed}"

"""moltrail calc."""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

import click

from api.cli.method_options import bare, option_of, read_json, read_option, shape
from api.cli.shared import Session, table
from pipeline.calculation import calculate, check, describe, figures, plain
from pipeline.errors import InputError, PipelineError, each, refuse
from pipeline.outcome import Method, Outcome, catalogue

PAGE = Path("docs/METHODS.md")
CASES = Path("tests/reference")
MOST_BYTES = 20_000_000


class MethodGroup(click.Group):
    """A group with one command for each method; capitals, hyphens and underscores of their names do not count."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the ids of the methods."""
        return list(catalogue())

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Return the command of one method."""
        by_key = {_key(id): method for id, method in catalogue().items()}
        method = by_key.get(_key(name))
        if method is None:
            near = difflib.get_close_matches(_key(name), by_key, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(by_key[key].id for key in near)}? " if near else ""
            raise click.UsageError(f"there is no method {name[:60]!r}; {hint}`moltrail calc --list` names them all.")
        return _command(method)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the methods with their titles."""
        with formatter.section("Methods"):
            formatter.write_dl([(method.id, method.title) for method in catalogue().values()])


@click.group("calc", cls=MethodGroup, invoke_without_command=True, subcommand_metavar="METHOD [--NAME VALUE]...")
@click.option("--list", "listed", is_flag=True, help="List the methods.")
@click.option("--document", is_flag=False, flag_value=str(PAGE), metavar="[FILE]", help=f"Write {PAGE}, or FILE.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
@click.pass_context
def command(context: click.Context, listed: bool, document: str | None, as_json: bool) -> None:
    """Compute one method from what is given here; the records are not touched.

    `moltrail calc METHOD --help` says what a method does and takes.
    """
    session: Session = context.obj
    if as_json:
        context.obj = session = replace(session, as_json=True)
    if listed:
        methods = [{"id": m.id, "version": m.version, "title": m.title, "source": m.source} for m in _all()]
        session.say(methods, "\n".join(f"{m.id:32} {m.title}" for m in _all()))
    elif document is not None:
        _write_page(session, Path(document))
    elif context.invoked_subcommand is None:
        raise click.UsageError("name a method; `moltrail calc --list` names them all")
    else:
        return
    context.exit()


def _command(method: Method) -> click.Command:
    options: list[click.Parameter] = [
        option_of(parameter, describe(method, parameter)) for parameter in method.parameters
    ]
    options += [
        click.Option(
            ["--input", "source"], metavar="FILE|-", help="Read inputs from a JSON object; options go before it."
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Answer in JSON, for programs."),
    ]
    return click.Command(
        method.id,
        params=options,
        callback=_calculating(method),
        help=_help(method),
        context_settings={"max_content_width": 110},
    )


def _calculating(method: Method) -> Any:
    @click.pass_obj
    def run(session: Session, /, source: str | None, as_json: bool, **texts: Any) -> None:
        if as_json:
            session = replace(session, as_json=True)
        outcome = calculate(method, _inputs(method, source, texts))
        session.say(_content(outcome), _text(method, outcome))

    return run


def _inputs(method: Method, source: str | None, texts: Mapping[str, Any]) -> dict[str, object]:
    inputs: dict[str, object] = {} if source is None else _read(source)
    refusals: list[PipelineError] = []
    kinds = {parameter.name: parameter for parameter in method.parameters}
    for name, text in texts.items():
        if text is None:
            continue
        try:
            inputs[name] = read_option(text, kinds[name].annotation, name) if isinstance(text, str) else text
        except PipelineError as refusal:
            refusals += each(refusal)
            inputs.pop(name, None)
    if refusals:  # then say as well what else is wrong
        wrong = {refusal.path[0].split("[")[0] for refusal in refusals}
        refusals += [refusal for refusal in check(method, inputs) if refusal.path[0] not in wrong]
    refuse(refusals)
    return inputs


def _read(source: str) -> dict[str, object]:
    try:
        if source == "-":
            content = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "no path can be written so"
        raise InputError(f"{source[:100]} cannot be read ({said}); check the path", path=("input",)) from None
    if len(content) > MOST_BYTES:
        raise InputError(f"the input is larger than {MOST_BYTES:,} bytes", path=("input",))
    try:
        read = read_json(content.decode("utf-8-sig"), "the input")
    except UnicodeDecodeError:
        raise InputError("the input is not UTF-8 text; it has to be a JSON object", path=("input",)) from None
    if not isinstance(read, dict):
        raise InputError("the input must be a JSON object of inputs by name", path=("input",))
    return read


def _content(outcome: Outcome) -> dict[str, Any]:
    return {
        **{name: plain(value) for name, value in figures(outcome).items()},
        "reason": plain(outcome.reason),
        "missing": plain(outcome.missing),
        "flags": list(outcome.flags),
        "method": outcome.method,
        "version": outcome.version,
        "parameters": plain(outcome.parameters),
    }


def _text(method: Method, outcome: Outcome) -> str:
    """Return a result for people: figures one a line, lists of one length side by side, and what to know of them."""
    found = figures(outcome)
    lists = {name: value for name, value in found.items() if isinstance(value, tuple) and len(value) > 1}
    lengths = {len(value) for value in lists.values()}
    aside = lists if len(lists) > 1 and len(lengths) == 1 and not any(map(_nested, lists.values())) else {}
    lines = [f"{method.title} ({method.id}, version {method.version})", ""]
    width = max((len(name) for name in found), default=0)
    for name, value in found.items():
        if name not in aside:
            why = f"  ({outcome.missing[name]})" if value is None and name in outcome.missing else ""
            lines.append(f"  {name:{width}}  {_shown(value)}{why}")
    if aside:
        rows = list(zip(*([_shown(item) for item in value] for value in aside.values()), strict=True))
        lines += ["", table(list(aside), rows)]
    if outcome.reason is not None:
        lines += ["", f"No result: {outcome.reason.value.replace('_', ' ')}."]
    if outcome.flags:
        lines += ["", f"Flags: {', '.join(outcome.flags)}"]
    used = ", ".join(f"{name} {_shown(value)}" for name, value in outcome.parameters.items() if value is not None)
    return "\n".join([*lines, "", f"With {used}"] if used else lines)


def _nested(value: Sequence[object]) -> bool:
    return any(isinstance(item, (tuple, list, Mapping)) or is_dataclass(item) for item in value)


def _shown(value: object) -> str:
    value = plain(value)
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.8g}"
    return value if isinstance(value, str) else json.dumps(_rounded(value), ensure_ascii=False)


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.8g}")
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value


def _help(method: Method) -> str:
    """Return title, conventions and source as click prints them, each paragraph filled, and how records are written."""
    text = method.documentation.split("\n\nArgs:\n")[0]
    shapes = [(p.name, shape(p.annotation)) for p in method.parameters]
    written = "".join(f"\n\n--{name.replace('_', '-')}: {form}" for name, form in shapes if form is not None)
    end = (
        "\n\nLists are written with commas or as JSON." if any(_listed(p.annotation) for p in method.parameters) else ""
    )
    return f"{method.title}.\n\n{text}\n\nSource: {method.source}. Version {method.version}.{end}{written}"


def _listed(annotation: Any) -> bool:
    return bool(getattr(bare(annotation), "__args__", ()))


def _write_page(session: Session, file: Path) -> None:
    from pipeline.method_page import count_cases, page

    counts = count_cases(CASES) if CASES.is_dir() else {}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page(_all(), counts), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}); check the path") from None
    session.say({"file": str(file), "methods": len(_all())}, f"{file} is written: {len(_all())} methods.")


def _all() -> list[Method]:
    return list(catalogue().values())


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

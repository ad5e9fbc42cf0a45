"""moltrail graph."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.shared import Session


@click.command("graph")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dot", is_flag=True, help="Print Graphviz DOT.")
@click.option("--svg", is_flag=True, help="Print a drawing as SVG.")
@click.option("--adopt", is_flag=True, help="Put the graph in FILE in force: new programmes begin under it.")
@click.pass_obj
def command(session: Session, file: Path | None, dot: bool, svg: bool, adopt: bool) -> None:
    """Check a state graph, the one in FILE or the default, and print it; every defect is named.

    Without --adopt no database is opened.
    """
    from pipeline.stages.drawing import dot as as_dot
    from pipeline.stages.drawing import svg as as_svg
    from pipeline.stages.graph import default_graph, load_graph

    text = None if file is None else _read(file)
    graph = default_graph() if text is None else load_graph(text, name=str(file))
    if adopt:
        if text is None:
            raise click.UsageError("--adopt needs the FILE that holds the graph")
        from pipeline.commands.graphs import AdoptStateGraph

        with session.open() as centre:
            recorded = centre.execute(AdoptStateGraph(text), actor=session.actor)
        adopted = recorded.result["adopted"]
        said = "is in force now" if adopted else "was adopted already"
        session.say(recorded.result, f"{graph.name} version {graph.version} {said}; older programmes keep theirs.")
        return
    if dot:
        session.say({"dot": as_dot(graph)}, as_dot(graph))
        return
    if svg:
        session.say({"svg": as_svg(graph)}, as_svg(graph))
        return
    content = {
        "name": graph.name,
        "version": graph.version,
        "digest": graph.digest,
        "stages": [stage.code for stage in graph.stages],
        "edges": [
            {"from": e.source, "to": e.target, "kind": e.kind, "requires": list(e.requires)} for e in graph.edges
        ],
    }
    lines = [f"{graph.name} version {graph.version}: sound, {len(graph.stages)} stages, {len(graph.edges)} edges"]
    for edge in graph.edges:
        if edge.forward:
            lines.append(f"  {edge.source} -> {edge.target}   {', '.join(edge.requires)}")
    session.say(content, "\n".join(lines))


def _read(file: Path) -> str:
    from pipeline.errors import InputError

    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8 text; a state graph is a TOML file") from None
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); check the path") from None

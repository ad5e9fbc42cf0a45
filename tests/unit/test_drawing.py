"""The drawings hold the whole graph, are well-formed whatever a graph calls its stages, and keep boxes apart."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.drawing import dot, svg
from pipeline.stages.graph import StageGraph, default_graph, load_graph
from pipeline.stages.layout import HEIGHT, WIDTH, lay_out
from pipeline.words import MoveKind
from tests.unit.test_graph import SMALL

SVG = "{http://www.w3.org/2000/svg}"


def texts_of(drawing: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(drawing).iter(f"{SVG}text")]


def test_the_svg_has_a_title_and_a_description_for_screen_readers() -> None:
    root = ET.fromstring(svg(default_graph()))
    assert root.get("role") == "img"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert title.text == "State graph iuct-oncopole, version 1"
    assert "Phase 4 (SITES) ends to Withdrawal from the market." in str(desc.text)
    assert "Withdrawal from the market (SITES) is the end." in str(desc.text)


def test_the_svg_draws_every_stage_every_onward_edge_and_every_checkpoint() -> None:
    graph = default_graph()
    root = ET.fromstring(svg(graph))
    titles = ["".join(title.itertext()) for title in root.iter(f"{SVG}title")]
    assert [t for t in titles if re.search(r"\([A-Z_0-9]+\)$", t)] == [f"{s.name} ({s.code})" for s in graph.stages]
    onward = [edge for edge in graph.edges if edge.forward]
    assert sum(t.startswith(("ADVANCE: ", "DISCONTINUE: ")) for t in titles) == len(onward) == 22
    written = texts_of(svg(graph))
    advances = [edge for edge in onward if edge.kind is MoveKind.ADVANCE]
    numbers = [text for text in written if text.isdigit()]
    assert sorted(numbers) == sorted(
        [str(n) for n in range(1, len(advances) + 1)] * 2
    )  # on the arrow and in the legend
    for edge in advances:
        assert all(any(code in text for text in written) for code in edge.requires)


def test_boxes_keep_apart_and_advances_pass_no_other_box() -> None:
    layout = lay_out(default_graph())
    for one, two in combinations(layout.boxes.values(), 2):
        assert abs(one.x - two.x) >= WIDTH + 20 or abs(one.y - two.y) >= HEIGHT + 40
    for (source, target), curve in layout.curves.items():
        for code, box in layout.boxes.items():
            if code not in (source, target):
                points = [curve.at(step / 200) for step in range(201)]
                assert not any(abs(x - box.x) < WIDTH / 2 and abs(y - box.y) < HEIGHT / 2 for x, y in points)


def test_everything_drawn_lies_inside_the_drawing() -> None:
    layout = lay_out(default_graph())
    for box in layout.boxes.values():
        assert box.left > 0
        assert box.right < layout.width
    for curve in layout.curves.values():
        for x, y in (curve.at(step / 50) for step in range(51)):
            assert 0 < x < layout.width
            assert 40 < y < layout.height


def test_combined_phases_stand_above_and_between_the_phases_they_combine() -> None:
    boxes = lay_out(default_graph()).boxes
    for combined, one, two in (("PHASE_1_2", "PHASE_1", "PHASE_2"), ("PHASE_2_3", "PHASE_2", "PHASE_3")):
        assert boxes[combined].x == (boxes[one].x + boxes[two].x) / 2
        assert boxes[combined].y < boxes[one].y == boxes[two].y


def test_the_dot_holds_every_edge_once() -> None:
    graph = default_graph()
    drawn = re.findall(r'^  "(\w+)" -> "(\w+)" \[label="([^"]*)"', dot(graph), re.MULTILINE)
    edges = {
        (source, target, kind)
        for source, target, label in drawn
        for kind in label.split("\\n")
        if kind in MoveKind.__members__
    }
    assert edges == {(edge.source, edge.target, edge.kind.value) for edge in graph.edges}
    assert '"CTA" -> "PHASE_2" [label="ADVANCE\\nTRIAL_AUTHORISATION\\nDOSE_LIMITING_TOXICITY"];' in dot(graph)


def renamed(name: str) -> StageGraph:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return load_graph(SMALL.replace('name = "Laboratory"', f'name = "{escaped}"'), name="named.toml")


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=80))
def test_any_name_is_drawn_well_formed(name: str) -> None:
    graph = renamed(name)
    assert texts_of(svg(graph))
    assert svg(graph) == svg(graph)
    strings = re.sub(r'"(?:[^"\\]|\\.)*"', "", dot(graph))
    assert '"' not in strings


def test_markup_in_a_name_is_text() -> None:
    graph = renamed('<b>"&\\')
    assert '<b>"&\\' in texts_of(svg(graph))
    assert '"LAB" [label="<b>\\"&\\\\"];' in dot(graph)


WIDE = SMALL.replace(
    'from = "LAB"\nto = "MAN"', 'from = "LAB"\nto = ["MAN", "MOUSE", "DOG"]'
).replace('at = ["LAB", "MAN"]', 'at = ["LAB", "MAN", "MOUSE", "DOG"]').replace(
    'stages = ["LAB"]', 'stages = ["LAB", "MOUSE", "DOG"]'
) + "".join(
    f"""
[[stage]]
code = "{code}"
name = "{code.title()}"
platform = "STABLE"
ordinal = {ordinal}
entry_status = "ACTIVE"
terminal = true
"""
    for ordinal, code in enumerate(("MOUSE", "DOG"), start=5)
)  # fmt: skip


def test_stages_side_by_side_are_stacked() -> None:
    layout = lay_out(load_graph(WIDE, name="wide.toml"))
    assert {code: box.lane for code, box in layout.boxes.items()} == {"LAB": 0, "MAN": 0, "MOUSE": -1, "DOG": -2}
    assert layout.boxes["MAN"].x == layout.boxes["MOUSE"].x == layout.boxes["DOG"].x
    assert layout.height > layout.boxes["DOG"].y + HEIGHT / 2
    assert texts_of(svg(load_graph(WIDE, name="wide.toml"))).count("Mouse") == 1


@st.composite
def sound_graphs(draw: st.DrawFn) -> StageGraph:
    """A graph of up to nine stages: each led to from an earlier one, some combining others, on any of two platforms."""
    size = draw(st.integers(2, 9))
    led = {(draw(st.integers(0, n - 1)), n) for n in range(1, size)}
    led |= draw(st.sets(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda e: e[0] < e[1])))
    left = {source for source, _ in led}
    parts = [SMALL[: SMALL.index("[[stage]]")], SMALL[SMALL.index("[[rule]]") : SMALL.index("[[edge]]")]]
    for n in range(size):
        combines = draw(st.sets(st.integers(0, size - 1).filter(lambda m, n=n: m != n), max_size=2)) if n else set()
        parts.append(
            f'[[stage]]\ncode = "S{n}"\nname = "Stage {n}"\nplatform = "{draw(st.sampled_from(["LAB", "WARD"]))}"\n'
            f'ordinal = {n + 1}\nentry_status = "ACTIVE"\ninitial = {str(n == 0).lower()}\n'
            f"terminal = {str(n not in left).lower()}\n"
            + (f"combines = {[f'S{m}' for m in combines]}\n" if combines else "")
        )
    parts += [
        f'[[edge]]\nkind = "ADVANCE"\nfrom = "S{one}"\nto = "S{two}"\nrequires = "SAFE"\n' for one, two in sorted(led)
    ]
    every = [f"S{n}" for n in range(size)]
    parts.append(
        f'[[edge]]\nkind = "DISCONTINUE"\nat = {every}\n[[site]]\ncode = "HERE"\nname = "Here"\ncity = "Here"\n'
    )
    parts.append(f'[[route]]\nstages = {every}\nsites = "HERE"\n')
    return load_graph("\n".join(parts), name="drawn.toml")


@given(sound_graphs())
def test_any_sound_graph_is_drawn_with_boxes_apart(graph: StageGraph) -> None:
    layout = lay_out(graph)
    for one, two in combinations(layout.boxes.values(), 2):
        assert abs(one.x - two.x) >= WIDTH or abs(one.y - two.y) >= HEIGHT
    assert set(layout.curves) == {(edge.source, edge.target) for edge in graph.edges if edge.forward}
    written = texts_of(svg(graph))
    assert all(written.count(stage.name) == 1 for stage in graph.stages)
    assert dot(graph).startswith('digraph "small version 3" {')
    for stage in graph.stages:
        for edge in graph.edges_from(stage.code):
            if edge.forward:
                assert graph.reachable_by_advances(edge.source, edge.target) == ()

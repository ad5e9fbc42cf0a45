"""The default graph says what the centre does; an unsound graph is refused with every defect named."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError, StageGraphError
from pipeline.stages.checkpoints import METHODS
from pipeline.stages.graph import StageGraph, default_graph, load_graph
from pipeline.words import CheckpointKind, MoveKind, Status

TEXT = files("pipeline.stages").joinpath("default.toml").read_text(encoding="utf-8")

SMALL = """
name = "small"
version = 3

[[stage]]
code = "LAB"
name = "Laboratory"
platform = "BENCH"
ordinal = 1
entry_status = "ACTIVE"
initial = true

[[stage]]
code = "MAN"
name = "Man"
platform = "WARD"
ordinal = 2
entry_status = "ACTIVE"
terminal = true

[[rule]]
code = "SAFE"
version = 1
kind = "TOXICITY"
method = "A3"
parameters = { factor = 10 }
description = "A first dose can be derived."
source = "ICH S9"

[[edge]]
kind = "ADVANCE"
from = "LAB"
to = "MAN"
requires = ["SAFE"]

[[edge]]
kind = "DISCONTINUE"
at = ["LAB", "MAN"]

[[site]]
code = "HERE"
name = "Here"
city = "Toulouse"

[[disease_group]]
code = "BREAST"

[[route]]
stages = ["LAB"]
sites = ["HERE"]

[[route]]
stages = ["MAN"]
disease_groups = ["BREAST"]
sites = ["HERE"]
"""


def defects_of(text: str) -> list[str]:
    with pytest.raises(StageGraphError) as refusal:
        load_graph(text, name="mine.toml")
    assert all(defect.startswith("mine.toml: ") for defect in refusal.value.defects)
    return [defect.removeprefix("mine.toml: ") for defect in refusal.value.defects]


# ---------------------------------------------------------------------------------------------- the default graph


def test_the_default_graph_holds_the_stages_in_order() -> None:
    graph = default_graph()
    assert (graph.name, graph.version) == ("iuct-oncopole", 1)
    assert [(stage.code, stage.platform) for stage in graph.stages] == [
        ("PRECLINICAL_PHARMACOLOGY", "CREFRE"),
        ("PRECLINICAL_TOXICOLOGY", "CREFRE"),
        ("CTA", "CLIPP"),
        ("PHASE_1", "CLIPP"),
        ("PHASE_1_2", "CLIPP"),
        ("PHASE_2", "CLIPP"),
        ("PHASE_2_3", "CLIPP"),
        ("PHASE_3", "SITES"),
        ("PREAPPROVAL", "SITES"),
        ("APPROVAL", "SITES"),
        ("PHASE_4", "SITES"),
        ("WITHDRAWAL", "SITES"),
    ]
    assert graph.initial.code == "PRECLINICAL_PHARMACOLOGY"
    assert [stage.code for stage in graph.stages if stage.terminal] == ["WITHDRAWAL"]
    assert graph.stage("WITHDRAWAL").entry_status is Status.DISCONTINUED


def test_the_digest_is_that_of_the_file() -> None:
    assert default_graph().digest == hashlib.sha256(TEXT.encode()).hexdigest()
    assert default_graph().source_text == TEXT


ADVANCES = {
    "PRECLINICAL_PHARMACOLOGY": ["PRECLINICAL_TOXICOLOGY"],
    "PRECLINICAL_TOXICOLOGY": ["CTA"],
    "CTA": ["PHASE_1", "PHASE_1_2", "PHASE_2"],
    "PHASE_1": ["PHASE_1_2", "PHASE_2", "PHASE_2_3"],
    "PHASE_1_2": ["PHASE_2", "PHASE_2_3", "PHASE_3", "PREAPPROVAL"],
    "PHASE_2": ["PHASE_2_3", "PHASE_3", "PREAPPROVAL"],
    "PHASE_2_3": ["PHASE_3", "PREAPPROVAL"],
    "PHASE_3": ["PREAPPROVAL"],
    "PREAPPROVAL": ["APPROVAL"],
    "APPROVAL": ["PHASE_4"],
    "PHASE_4": [],
    "WITHDRAWAL": [],
}


def test_the_advances_are_those_of_oncology() -> None:
    graph = default_graph()
    assert {s.code: [edge.target for edge in graph.advances_from(s.code)] for s in graph.stages} == ADVANCES


def test_every_advance_asks_for_safety_and_the_ones_that_rest_on_activity_for_efficacy() -> None:
    graph = default_graph()
    asked = {
        (edge.source, edge.target): {graph.rules[code].kind for code in edge.requires}
        for edge in graph.edges
        if edge.kind is MoveKind.ADVANCE
    }
    both = {CheckpointKind.TOXICITY, CheckpointKind.EFFICACY}
    assert asked.pop(("PRECLINICAL_PHARMACOLOGY", "PRECLINICAL_TOXICOLOGY")) == {CheckpointKind.EFFICACY}
    assert {ends for ends, kinds in asked.items() if kinds != both} == {
        ("PRECLINICAL_TOXICOLOGY", "CTA"),
        ("CTA", "PHASE_1"),
        ("CTA", "PHASE_1_2"),
        ("CTA", "PHASE_2"),
        ("PHASE_1", "PHASE_1_2"),
        ("APPROVAL", "PHASE_4"),
    }


def test_every_stage_but_withdrawal_holds_resumes_stops_and_completes() -> None:
    graph = default_graph()
    for kind in (MoveKind.HOLD, MoveKind.RESUME, MoveKind.DISCONTINUE, MoveKind.COMPLETE):
        loops = [stage.code for stage in graph.stages if graph.edge(kind, stage.code, stage.code)]
        assert loops == [stage.code for stage in graph.stages if stage.code != "WITHDRAWAL"], kind
    assert [stage.code for stage in graph.stages if graph.edge(MoveKind.CORRECT, stage.code, stage.code)] == [
        stage.code for stage in graph.stages
    ]


def test_the_digraph_keeps_every_edge_apart() -> None:
    graph = default_graph()
    assert isinstance(graph.digraph, nx.MultiDiGraph)
    assert graph.digraph.number_of_edges() == len(graph.edges)
    assert {kind for _, _, kind in graph.digraph.edges("PHASE_2", keys=True) if kind != "ADVANCE"} == {
        "HOLD", "RESUME", "DISCONTINUE", "COMPLETE", "RESTART", "CORRECT",
    }  # fmt: skip
    requires = graph.digraph.edges["PHASE_4", "WITHDRAWAL", "DISCONTINUE"]["edge"].requires
    assert requires == ()


SKIPPED = [
    ("PHASE_1", "PHASE_2", ()),
    ("PHASE_1", "PHASE_3", ("PHASE_2",)),
    ("CTA", "PHASE_3", ("PHASE_1", "PHASE_2")),
    ("CTA", "PHASE_2_3", ("PHASE_1",)),
    ("PRECLINICAL_TOXICOLOGY", "PHASE_1_2", ("CTA",)),
    ("PHASE_1_2", "PHASE_3", ()),
    ("PHASE_1_2", "APPROVAL", ("PHASE_3", "PREAPPROVAL")),
    ("PHASE_2_3", "APPROVAL", ("PREAPPROVAL",)),
    ("PHASE_3", "WITHDRAWAL", ("PREAPPROVAL", "APPROVAL", "PHASE_4")),
    ("APPROVAL", "WITHDRAWAL", ()),
    ("PHASE_2", "PHASE_1", None),
    ("PHASE_2", "PHASE_2", None),
    ("PHASE_2", "PHASE_1_2", None),
    ("WITHDRAWAL", "PHASE_4", None),
]


@pytest.mark.parametrize(("source", "target", "skipped"), SKIPPED)
def test_stages_passed_over(source: str, target: str, skipped: tuple[str, ...] | None) -> None:
    assert default_graph().reachable_by_advances(source, target) == skipped


def test_a_way_exists_exactly_where_networkx_finds_one() -> None:
    graph = default_graph()
    forward = nx.DiGraph((edge.source, edge.target) for edge in graph.edges if edge.forward)
    for source in graph.stages:
        ahead = {stage.code for stage in graph.ahead_of(source.code)}
        assert ahead == nx.descendants(forward, source.code)
        for target in graph.stages:
            skipped = graph.reachable_by_advances(source.code, target.code)
            assert (skipped is not None) == (target.code in ahead)
            way = [source.code, *(skipped or ()), target.code]
            assert way == sorted(way, key=lambda code: graph.stage(code).ordinal) or skipped is None


def test_the_furthest_stage() -> None:
    assert default_graph().furthest(["PHASE_1", "PHASE_2_3", "PHASE_2"]) == "PHASE_2_3"
    assert default_graph().furthest([]) is None


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="'PHASE_7' is not a stage of iuct-oncopole version 1; the stages are PRECL"):
        default_graph().stage("PHASE_7")


SITES = [
    ("PRECLINICAL_TOXICOLOGY", None, ["CREFRE"]),
    ("PHASE_1", "lung", ["CLIPP"]),
    ("PHASE_2", None, ["CLIPP"]),
    ("PHASE_2_3", "LIVER", ["CLIPP"]),
    ("PHASE_3", "HAEMATOLOGY", ["ONCOPOLE"]),
    ("PHASE_3", "Hématologie", ["ONCOPOLE"]),
    ("PHASE_4", "breast cancer", ["ONCOPOLE"]),
    ("PHASE_3", "gynaecology", ["ONCOPOLE"]),
    ("PHASE_4", "melanoma", ["ONCOPOLE"]),
    ("PHASE_3", "liver", ["PURPAN", "RANGUEIL_LARREY"]),
    ("PHASE_4", "Gastric", ["PURPAN", "RANGUEIL_LARREY"]),
    ("PHASE_3", "gastro-intestinal", ["PURPAN", "RANGUEIL_LARREY"]),
]


@pytest.mark.parametrize(("stage", "group", "sites"), SITES)
def test_routing(stage: str, group: str | None, sites: list[str]) -> None:
    routing = default_graph().site_for(stage, group)
    assert [site.code for site in routing.sites] == sites
    assert {site.city for site in routing.sites} == {"Toulouse"}


def test_a_disease_group_without_a_route_is_said_not_guessed() -> None:
    lung = default_graph().site_for("PHASE_3", "lung")
    assert lung.sites == ()
    assert lung.explanation.startswith("PHASE_3: disease group 'lung' has no route; routed are HAEMATOLOGY, BREAST")
    assert default_graph().site_for("PHASE_4", None).explanation.startswith("PHASE_4: no disease group is given")


def test_what_a_site_runs() -> None:
    assert default_graph().routing_of("CLIPP") == ("CTA, PHASE_1, PHASE_1_2, PHASE_2, PHASE_2_3: all disease groups",)
    assert default_graph().routing_of("PURPAN")[0].endswith(": LIVER, GASTRIC, GASTROINTESTINAL")


# ---------------------------------------------------------------------------------------------- refusals


def test_a_centre_can_bring_its_own_graph() -> None:
    graph = load_graph(SMALL, name="small.toml")
    assert (graph.name, graph.version) == ("small", 3)
    assert graph.rules["SAFE"].parameters == {"factor": 10}


DEFECTS = [
    # what is changed in the small graph: from, to, and the defects that must be named, all of them
    ('name = "small"', "", ["top level: name is missing; give one line of text, at most 300 characters"]),
    ("version = 3", "version = 0", ["top level: version is 0; give a whole number from 1 to 1000000"]),
    ("version = 3", "version = true", ["top level: version is true; give a whole number from 1 to 1000000"]),
    ("version = 3", "version = 3\nverion = 2", ["top level: unknown key 'verion'; remove it or correct its spelling"]),
    (
        'platform = "BENCH"',
        'plattform = "BENCH"',
        [
            "stage 1 (LAB): platform is missing; give a code of capital letters, digits and underscores, at most 60",
            "stage 1 (LAB): unknown key 'plattform'; remove it or correct its spelling",
        ],
    ),
    ("ordinal = 2", "ordinal = 1", [
        "stages LAB, MAN share the ordinal 1; give each its own",
        "ADVANCE LAB -> MAN does not lead onward: ordinal 1 is not before 1",
    ]),
    ("ordinal = 1", "ordinal = 3", ["ADVANCE LAB -> MAN does not lead onward: ordinal 3 is not before 2"]),
    ('method = "A3"', 'method = "Z9"', [f"rule 1 (SAFE): unknown method Z9; the methods are {', '.join(METHODS)}"]),
    ('kind = "TOXICITY"', 'kind = "SAFETY"', ["rule 1 (SAFE): kind is 'SAFETY'; give one of TOXICITY, EFFICACY"]),
    (
        'kind = "DISCONTINUE"',
        'kind = "STOP"',
        [
            "edge 2: kind is 'STOP'; give one of ADVANCE, HOLD, RESUME, DISCONTINUE, RESTART, CORRECT, COMPLETE",
            "ADVANCE 'LAB' -> 'LAB' has no checkpoint; name at least one rule in requires",
            "ADVANCE 'MAN' -> 'MAN' has no checkpoint; name at least one rule in requires",
            "ADVANCE LAB -> LAB does not lead onward: ordinal 1 is not before 1",
            "ADVANCE MAN -> MAN does not lead onward: ordinal 2 is not before 2",
            "advances form a cycle: MAN",
            "advances form a cycle: LAB",
            "stage MAN is terminal but an edge leads on from it",
            "stage LAB is active but cannot be discontinued; add it to a DISCONTINUE edge",
            "stage MAN is active but cannot be discontinued; add it to a DISCONTINUE edge",
        ],
    ),
    ('entry_status = "ACTIVE"\ninitial', 'entry_status = "AWAKE"\ninitial', [
        "stage 1 (LAB): entry_status is 'AWAKE'; give one of ACTIVE, DISCONTINUED, COMPLETED",
    ]),
    ("{ factor = 10 }", "{ factor = nan }", [
        "rule 1 (SAFE): parameters is a table; give a table of texts, finite numbers, true or false, and lists of them",
    ]),
    ('requires = ["SAFE"]', "", ["ADVANCE 'LAB' -> 'MAN' has no checkpoint; name at least one rule in requires"]),
    ('requires = ["SAFE"]', 'requires = ["SAVE"]', [
        "an edge requires the unknown rule 'SAVE'; define it or correct the spelling",
    ]),
    ('requires = ["SAFE"]', 'requires = ["SAFE", "SAFE"]', ["edge 1: requires names 'SAFE' twice"]),
    ('from = "LAB"\nto = "MAN"', 'from = "LAB"\nto = "MEN"', [
        "an edge joins the unknown stage 'MEN'; define it or correct the spelling",
        "stage MAN cannot be reached from LAB",
        "stage LAB cannot be left; add an advance or set terminal = true",
    ]),
    ("initial = true", "", ["0 initial stages (none); exactly one needs initial = true"]),
    ("terminal = true", "initial = true", [
        "2 initial stages (LAB, MAN); exactly one needs initial = true",
        "stage MAN cannot be left; add an advance or set terminal = true",
    ]),
    ('at = ["LAB", "MAN"]', 'at = ["LAB"]', [
        "stage MAN is active but cannot be discontinued; add it to a DISCONTINUE edge",
    ]),
    ('at = ["LAB", "MAN"]', 'at = ["LAB", "MAN"]\nrequires = "SAFE"', [
        "DISCONTINUE 'LAB' -> 'LAB' requires checkpoints, which only an advance does; remove requires",
        "DISCONTINUE 'MAN' -> 'MAN' requires checkpoints, which only an advance does; remove requires",
    ]),
    ('stages = ["MAN"]', 'stages = ["LAB"]', [
        "two routes overlap at 'LAB' for all disease groups of one of them; leave one",
        "stage MAN has no route; add it to a [[route]]",
    ]),
    ('disease_groups = ["BREAST"]', 'disease_groups = ["BRAIN"]', [
        "a route names the unknown disease group 'BRAIN'; define it or correct the spelling",
    ]),
    ('disease_groups = ["BREAST"]', "disease_groups = []", [
        "route 2: disease_groups is an empty list; name at least one code or leave the key out",
    ]),
    ('stages = ["MAN"]\ndisease_groups = ["BREAST"]\nsites = ["HERE"]', 'stages = ["MAN"]\nsites = ["THERE"]', [
        "a route names the unknown site 'THERE'; define it or correct the spelling",
    ]),
    ('code = "BREAST"', 'code = "BREAST"\n[[disease_group]]\ncode = "CHEST"\nalso = ["breast"]', [
        "disease groups BREAST and CHEST both go by 'breast'",
    ]),
    ("version = 3", "version = = 3", ["not TOML: Invalid value (at line 3, column 11); correct that line"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "named"), DEFECTS)
def test_each_defect_is_named(before: str, after: str, named: list[str]) -> None:
    assert SMALL.count(before) >= 1
    assert sorted(defects_of(SMALL.replace(before, after, 1))) == sorted(named)


ADDED = [
    # an edge or record added to the small graph, and the defects it makes
    ('[[edge]]\nkind = "ADVANCE"\nfrom = "LAB"\nto = "MAN"\nrequires = "SAFE"', [
        "two edges coincide: ADVANCE 'LAB' -> 'MAN'; keep one",
    ]),
    ('[[edge]]\nkind = "ADVANCE"\nfrom = "MAN"\nto = "LAB"\nrequires = "SAFE"', [
        "ADVANCE MAN -> LAB does not lead onward: ordinal 2 is not before 1",
        "advances form a cycle: LAB, MAN",
        "stage MAN is terminal but an edge leads on from it",
    ]),
    ('[[edge]]\nkind = "HOLD"\nat = "LAB"', ["stage LAB can be held but not resumed; add it to a RESUME edge"]),
    ('[[edge]]\nkind = "RESUME"\nfrom = "LAB"\nto = "MAN"', [
        "RESUME 'LAB' -> 'MAN' changes the stage, which RESUME never does; write it with at",
    ]),
    ('[[edge]]\nkind = "RESTART"\nfrom = "LAB"\nto = ["LAB", "MAN"]', [
        "RESTART LAB -> MAN goes further than the programme came and would pass by its checkpoints",
    ]),
    ('[[edge]]\nkind = "DISCONTINUE"\nfrom = "LAB"\nto = "MAN"', [
        "DISCONTINUE LAB -> MAN ends a programme in a stage whose entry_status is ACTIVE, not DISCONTINUED",
    ]),
    ('[[edge]]\nkind = "CORRECT"\nat = "LAB"\nto = "MAN"', [
        "edge 3: unknown key 'to'; remove it or correct its spelling",
    ]),
    ('[[site]]\ncode = "HERE"\nname = "Again"\ncity = "Toulouse"', [
        "two sites have the code HERE; give each its own",
    ]),
    ('[[stage]]\ncode = "LOST"\nname = "Lost"\nplatform = "WARD"\nordinal = 9\nentry_status = "DISCONTINUED"', [
        "stage LOST cannot be reached from LAB",
        "stage LOST cannot be left; add an advance or set terminal = true",
        "stage LOST is entered DISCONTINUED, so nothing can leave it, but it is not terminal",
        "stage LOST has no route; add it to a [[route]]",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("added", "named"), ADDED)
def test_each_added_defect_is_named(added: str, named: list[str]) -> None:
    assert sorted(defects_of(SMALL + "\n" + added)) == sorted(named)


def test_all_defects_are_named_at_once() -> None:
    text = SMALL.replace('requires = ["SAFE"]', "").replace('at = ["LAB", "MAN"]', 'at = "MAN"') + "\nverse = 1"
    assert sorted(defects_of(text)) == [
        "ADVANCE 'LAB' -> 'MAN' has no checkpoint; name at least one rule in requires",
        "route 2: unknown key 'verse'; remove it or correct its spelling",
        "stage LAB is active but cannot be discontinued; add it to a DISCONTINUE edge",
    ]


HOSTILE = [
    "",
    "\0" * 1000,
    "a = '\ud800'",
    "x" * 10_000_000,
    ".".join("a" * 90_000) + " = 1",
    "[" + ".".join("a" * 90_000) + "]",
    "a = " + "[" * 90_000,
    "a = " + "{a = " * 30_000,
    "version = " + "9" * 100_000,
    "version = 0x" + "f" * 100_000,
    "stage = 1\nedge = 'x'\nrule = [1, [2]]\nsite = {}\nroute = 1979-05-27T07:32:00Z",
    f"[[edge]]\nkind = 'ADVANCE'\nfrom = {[f'S{n}' for n in range(200)]}\nto = {[f'S{n}' for n in range(200)]}",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_refused_in_short_words(text: str) -> None:
    assert all(len(defect) < 1000 for defect in defects_of(text))


LINES = TEXT.split("\n")
VALUES = [
    '"PHASE_1"',
    '"ADVANCE"',
    "[]",
    "1",
    "-1",
    "true",
    "nan",
    "1e999",
    "{}",
    "[[1]]",
    '""',
    "2021-02-29",
    '"\\u0000"',
    "0x" + "f" * 99,
]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The default graph with lines dropped, repeated, moved, or given other values, and characters overwritten."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                del lines[at]
            case 1:
                lines.insert(draw(st.integers(0, len(lines))), lines[at])
            case 2:
                lines[at] = re.sub(r"= .*", lambda _: "= " + draw(st.sampled_from(VALUES)), lines[at])
            case 3:
                lines[at] = lines[at][: draw(st.integers(0, 20))] + draw(st.text(max_size=5)) + lines[at][20:]
            case _:
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


@given(damaged())
def test_whatever_is_damaged_gives_a_sound_graph_or_one_refusal(text: str) -> None:
    try:
        graph = load_graph(text, name="damaged.toml")
    except StageGraphError as refusal:
        defects = refusal.defects
    else:
        assert_sound(graph)
        return
    assert defects
    assert all(defect.isprintable() for defect in defects)


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    assert defects_of(text)


def assert_sound(graph: StageGraph) -> None:
    forward = nx.DiGraph((edge.source, edge.target) for edge in graph.edges if edge.forward)
    assert nx.is_directed_acyclic_graph(forward)
    assert {s.code for s in graph.stages} == {graph.initial.code} | nx.descendants(forward, graph.initial.code)
    assert all(edge.requires for edge in graph.edges if edge.kind is MoveKind.ADVANCE)
    assert graph.digraph.number_of_edges() == len(graph.edges)
    assert all(graph.site_for(stage.code, None).explanation for stage in graph.stages)

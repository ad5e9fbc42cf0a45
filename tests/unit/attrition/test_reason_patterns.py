"""The words rules are written in: patterns, misspelled words, texts as words."""

import itertools
import re
import tomllib
from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.attrition.reason_patterns import Finder, PatternError, Vocabulary
from pipeline.attrition.reason_rules import FILES, rule_set
from pipeline.attrition.reason_spelling import Spelling
from pipeline.attrition.reason_text import clean, words_of

FILLERS = frozenset({"the", "of"})
BREAKS = ".;!?:\n"
RULE_FILES = (*FILES, "reason_negations.toml")
SETS = {"POOR": "slow poor", "ENROL": "enrol* accrual"}


def found(pattern, text, repair=lambda word: None):
    vocabulary = Vocabulary(SETS, FILLERS, repair)
    finder = Finder([(compiled, 0) for compiled in vocabulary.compile(pattern)])
    words = words_of(clean(text), FILLERS, BREAKS)
    fits = [vocabulary.items_of(word.plain) for word in words]
    return sorted(tuple(words[place].plain for place in places) for _, places in finder.find(words, fits))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("slow accrual", "slow accrual", [("slow", "accrual")]),
        ("slow accrual", "slow patient accrual", []),
        ("slow ~1 accrual", "slow patient accrual", [("slow", "accrual")]),
        ("slow ~1 accrual", "slow of the patient accrual", [("slow", "accrual")]),
        ("slow ~1 accrual", "slow. accrual", []),
        ("slow ~1 accrual", "slow, accrual", [("slow", "accrual")]),
        ("{POOR} ~2 {ENROL}", "Poor patient Enrolment", [("poor", "enrolment")]),
        ("{POOR}|low {ENROL}", "low accrual", [("low", "accrual")]),
        ("very? slow", "very slow", [("slow",), ("very", "slow")]),
        ("slow ~3 accrual ~3 site", "slow slow accrual accrual site", [("slow", "accrual", "site")] * 2),
        ("lack of the funding", "lack funding", [("lack", "funding")]),
        ("Démarré", "DEMARRE", [("demarre",)]),
    ],
)
def test_a_pattern_finds_what_it_says(pattern, text, expected):
    assert found(pattern, text) == expected


@pytest.mark.parametrize("pattern", ["", "the", "slow ~2", "{NONE}", "slow ~11 accrual", "sl.w", "very?", "{POOR"])
def test_a_pattern_that_means_nothing_is_refused(pattern):
    with pytest.raises(PatternError):
        list(Vocabulary(SETS, FILLERS, lambda word: None).compile(pattern))


WORDS = st.lists(st.sampled_from(["a1", "b1", "c1", "x", "."]), max_size=14)


@given(WORDS, st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=60)
def test_matches_are_those_of_trying_all_places(words, first, second):
    vocabulary = Vocabulary({}, frozenset(), lambda word: None)
    finder = Finder([(p, 0) for p in vocabulary.compile(f"a1 ~{first} b1 ~{second} c1")])
    read = words_of(" ".join(words), frozenset(), BREAKS)
    starts = {places[0] for _, places in finder.find(read, [vocabulary.items_of(word.plain) for word in read])}
    by_hand = {
        a
        for a, b, c in itertools.combinations(range(len(read)), 3)
        if [read[a].plain, read[b].plain, read[c].plain] == ["a1", "b1", "c1"]
        and read[a].clause == read[c].clause
        and b - a - 1 <= first
        and c - b - 1 <= second
    }
    assert starts == by_hand


SPELLING = Spelling(["enrollment", "toxicity", "slow", "difficulty", "difficulties", "safety", "recruit", "recruited"])


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("enrollmnt", "enrollment"),
        ("enrolllment", "enrollment"),
        ("enrolmnet", "enrollment"),
        ("toxicitty", "toxicity"),
        ("saftey", "safety"),
        ("enrollment", None),
        ("slw", None),
        ("docility", None),
        ("boxicity", None),
        ("texts", None),
        ("x" * 500, None),
        ("enroll3ent", None),
    ],
)
def test_a_word_is_repaired_only_where_it_is_clear(word, meant):
    assert SPELLING.repair(word) == meant


@given(st.sampled_from(["enrollment", "toxicity", "safety"]), st.integers(1, 5), st.sampled_from("abcdez"))
@settings(max_examples=60)
def test_one_wrong_letter_is_repaired(word, at, letter):
    for wrong in (word[:at] + word[at + 1 :], word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :]):
        assert SPELLING.repair(wrong) == (None if wrong == word else word)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Didn't start", ["not", "start"]),
        ("can’t recruit", ["cannot", "recruit"]),
        ("couldn't", ["cannot"]),
        ("l'efficacité", ["l", "efficacite"]),
        ("re-design, pre-clinical", ["redesign", "preclinical"]),
        ("non-safety", ["non", "safety"]),
        ("re", ["re"]),
        ("cœur", ["coeur"]),
        ("p < 0.05 and n > 3", ["p", "0", "05", "and", "n", "3"]),
        ("<p class='x'>one</p><br/>two", ["one", "two"]),
        ("", []),
    ],
)
def test_a_text_as_words(text, words):
    assert [word.plain for word in words_of(clean(text), frozenset(), BREAKS)] == words


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("a. b", [0, 1]),
        ("2.5 mg", [0, 0, 0]),
        ("risk:benefit", [0, 0]),
        ("reason: cost", [0, 1]),
        ("Other - cost", [0, 1]),
        ("re-start", [0]),
        ("a\nb", [0, 1]),
        ("a,b", [0, 0]),
    ],
)
def test_where_a_clause_ends(text, clauses):
    assert [word.clause for word in words_of(clean(text), frozenset(), BREAKS)] == clauses


def test_the_rules_in_force_are_in_order():
    here = files("pipeline.attrition")
    documents = [tomllib.loads(here.joinpath(name).read_text(encoding="utf-8")) for name in RULE_FILES]
    sets = tomllib.loads(here.joinpath("reason_words.toml").read_text(encoding="utf-8"))["sets"]
    assert {name for document in documents for name in re.findall(r"\{([A-Z]+)\}", str(document))} == set(sets)
    rules = rule_set().rules
    twice = [f"{rule.id}: {text}" for rule in rules for text, count in Counter(rule.patterns).items() if count > 1]
    assert twice == []

"""The page that tells what the reasons mean, how they are proposed, and how good the proposals are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.attrition.reason_evaluation import Evaluation, Share, macro_average
from pipeline.attrition.reason_rules import RULES_VERSION, WhyUnspecified, rule_set
from pipeline.attrition.reason_taxonomy import OpenTargetsClass, reason_meanings

INTRODUCTION = """# Reasons for attrition

Why a programme or a study stopped is recorded as one primary reason and any number of further ones, beside the words of
the source, which are kept as they are. A reason is *proposed*, by the rules below or by a person, and counts once
somebody other than the proposer has *verified* it; how far proposers and verifiers agree is measured by Cohen's kappa
(`E8_reason_agreement`). The rules are never the last word.

This page is written by `moltrail reasons document`, from the rules in force and from labelled texts.
"""

READING = """## How a text is read

The rules are data: `pipeline/attrition/reason_rules_en.toml` and `reason_rules_fr.toml` hold {rules} rules with
{patterns} patterns, `reason_words.toml` the sets of words they use, `reason_negations.toml` what rules a reason out.
This is version {version} of them. Nothing is learned and nothing is hidden: a proposal names the rules that were met
and the words they were met in.

1. Markup, entities and invisible signs go, case and accents are passed over, "didn't" is "did not". A misspelled word
   is repaired only where it is clear which is meant: one letter in five, two from nine letters on, the first one right.
   English and French rules are both tried, so a text may mix them.
2. Every rule is tried at every word. A match all of whose words serve in a longer match does not count:
   "toxicity" in "toxicity in the rat" is not harm in people.
3. What a text excludes is put apart. "Not due to safety", "no safety concerns", "sans lien avec la tolérance" rule out
   what they reach: to the end of the clause, to "but", or to the next "due to".
4. All reasons left are proposed. Primary are harm and lack of effect before others, then the one named first; where
   money or strategy is said to be "because of" something else, that is primary.
5. Where no reason is left, the proposal is UNSPECIFIED, and says why:

{whys}

Time grows with the length of the text and no faster; a text has at most 200,000 characters.

From the command line: `moltrail reasons classify "slow accrual; PI left"`, or a whole column with
`moltrail reasons classify --file stops.csv --column why_stopped -o proposals.csv`. How good the rules are on labels of
your own says `moltrail reasons evaluate labelled.csv`: a table with texts and their reasons, or Open Targets classes.
"""

WHYS: Mapping[WhyUnspecified, str] = {
    WhyUnspecified.NO_TEXT: "there is no text, or only a sign for a missing one.",
    WhyUnspecified.NO_WORDS_KNOWN: "none of its words belongs to a rule.",
    WhyUnspecified.ONLY_RULED_OUT: "it says only what was not the reason.",
    WhyUnspecified.CONTRADICTORY: "it speaks of both benefit and lack of it; both are listed.",
    WhyUnspecified.INTERIM_LOOK: "it names a look at the data and not what was seen.",
    WhyUnspecified.PLANNED_PAUSE: "it names a pause that was foreseen.",
    WhyUnspecified.DECISION_WITHOUT_REASON: "it names who decided and not why.",
    WhyUnspecified.POINTS_ELSEWHERE: "it refers to another text.",
    WhyUnspecified.NO_REASON_OF_A_STOP: "it tells of completion, of an entry by mistake, or of no trial at all.",
    WhyUnspecified.STOP_WITHOUT_REASON: "it tells that it stopped, or when, and not why.",
}

RECORDING = """## How a reason is recorded

A proposal is one record for each reason of a stop, one of them the main one: the reason, the words of the source, the
words that speak for it, and who proposed it. It can be replaced until it is verified. Whoever verifies is not the
proposer; to give another reason than the one proposed needs a comment, and UNSPECIFIED for a further reason says that
it is none. Once the main reason is verified it becomes the reason of the move or study itself, and so what
every report counts; what was known before stays readable as of then.

Many are verified in a table: exported with the words of the source, the words that speak for each reason and an empty
column `decision`, filled in with *agree* or a reason, and handed back. Every decision is a verification by whoever
hands it in, all of them in one act. Where a row cannot be taken, because its reason changed since, was proposed by the
same person, or differs without a comment, everything that is wrong is listed and nothing is written; what is handed in
a second time changes nothing.

| | command line | GraphQL |
|---|---|---|
| read a text, record nothing | `moltrail reasons classify` | `reasonProposal(text:)` |
| propose for one stop, by the rules or a person | | `proposeReasons` |
| propose by the rules for every stop that has none | `moltrail reasons propose` | |
| see what waits for a verifier | `moltrail reasons waiting` | `reasons(verified: false)` |
| verify one | `moltrail reasons verify` | `verifyReason` |
| verify many | `moltrail export waiting-reasons`, `moltrail reasons verify --file` | `verifyReason`, repeated |
| see the reasons of a stop, with all versions | | `reasons` of a transition or study |
| kappa between proposers and verifiers | `moltrail reasons agreement` | `reasonAgreement` |
"""

TAXONOMY = """## The reasons, and their place in other frames

The classes of Open Targets are those of Razuvayevskaya and others, Nat Genet 2024;56:1862-1867; the five R those of
Cook and others, Nat Rev Drug Discov 2014;13:419-431 (*none*: outside of that frame); the last column is the group of
the published mixes (`E8_reason_mix`). The crosswalks are ours. Some rules stand for another class than their reason,
so that all 17 are reached: {special}.
Where a text names a look at the data beside a reason, *Interim analysis* is added.
"""

QUALITY = """## How good the proposals are

{sample}

A class counts wherever it stands among the reasons of a text. Precision: of the texts for which it was proposed, in how
many it was labelled; recall: of the texts labelled so, for how many it was proposed. Count, share, 95 % Wilson limits.

What to mind: the sample is stratified, so these are not the figures of the register as a whole, in which short texts
such as "slow accrual" are more frequent. Both halves were labelled by one reader, who also wrote the rules afterwards:
the held-out figures are therefore rather too good than too bad, and how far two readers agree is not known. Classes
with few texts have wide limits, and some reasons occur only in the sentences of our own. Labels made by others, with
another idea of the classes, will agree less.
"""


def page(sample: str, parts: Mapping[str, Evaluation]) -> str:
    """Return the page in Markdown.

    Args:
        sample: what was labelled and how, as a paragraph.
        parts: heading of a set of labelled texts -> what was found on it, in the order to be shown.
    """
    rules = rule_set().rules
    whys = "\n".join(f"   - `{why}`: {meaning}" for why, meaning in WHYS.items())
    special = ", ".join(f"*{name}*" for name in _special())
    reading = READING.format(
        rules=len(rules), patterns=sum(len(rule.patterns) for rule in rules), version=RULES_VERSION, whys=whys
    )
    sections = [
        INTRODUCTION,
        TAXONOMY.format(special=special),
        _taxonomy(),
        reading,
        RECORDING,
        QUALITY.format(sample=sample),
    ]
    sections += [_evaluation(heading, found) for heading, found in parts.items()]
    return "\n".join(sections)


def _special() -> Sequence[str]:
    usual = {meaning.open_targets for meaning in reason_meanings().values()}
    return [one.value for one in OpenTargetsClass if one not in usual]


def _taxonomy() -> str:
    lines = ["| reason | meaning | Open Targets | five R | published mixes |", "|---|---|---|---|---|"]
    lines += [
        f"| `{reason}` | {m.meaning} | {m.open_targets} | {m.five_r} | {m.published.replace('_', ' ')} |"
        for reason, m in reason_meanings().items()
    ]
    return "\n".join(lines) + "\n"


def _evaluation(heading: str, found: Evaluation) -> str:
    kappa = found.agreement
    lines = [
        f"### {heading}",
        "",
        f"Primary reason right in {found.primary}; all reasons right in {found.exact}; kappa on the primary reason "
        f"{_two(kappa.kappa)} ({_two(kappa.kappa_lower)}-{_two(kappa.kappa_upper)}). Mean over the classes: precision "
        f"{_two(macro_average(found.classes)['precision'])}, recall {_two(macro_average(found.classes)['recall'])}.",
        "",
        "| class | precision | recall |",
        "|---|---|---|",
        *(f"| {one.name} | {_shown(one.precision)} | {_shown(one.recall)} |" for one in found.classes),
    ]
    if found.confused:
        listed = "; ".join(f"{a} as {b} {count}" for a, b, count in found.confused)
        lines += ["", f"Primary reasons confused (labelled as proposed, how often): {listed}."]
    return "\n".join(lines) + "\n"


def _shown(share: Share) -> str:
    return str(share) if share.of else "-"


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"

"""The verdict on a hypothesis: confirmed, rejected or undecided, by the rule that was written before the launch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.journal import SHOWN_HASH, Journal, Rule
from experiments.journal_record import Recorded
from experiments.look import counted
from experiments.scoring import ScoredRuns
from experiments.statistics.comparisons import Comparison, compare
from experiments.statistics.values import shown

Decision = Literal["confirmed", "rejected", "undecided"]


@dataclass(frozen=True)
class Judgement:
    """What a rule says of the data there is.

    Attributes:
        reason: Why, in one sentence that names interval, method and counts.
        comparison: The numbers behind it; None where there are none.
        rule: The rule that was applied.
    """

    decision: Decision
    reason: str
    comparison: Comparison | None
    rule: Rule | None


def judge(journal: Journal, runs: ScoredRuns) -> Judgement:
    """Return the verdict on a hypothesis; whatever is missing makes it undecided, and is said.

    While runs of the two arms still go on nothing is decided: to stop as soon as an interval looks right is to choose
    the answer.
    """
    rule = journal.rule
    if not journal.is_written:
        return Judgement(
            "undecided", "No hypothesis was written, so there is nothing to confirm or reject.", None, rule
        )
    if rule is None:
        return Judgement("undecided", "No rule was written, so nothing can decide.", None, None)
    arms = list(runs.scores)
    if not arms:
        return Judgement("undecided", "No run yet.", None, rule)
    baseline = rule.baseline or arms[0]
    others = [name for name in arms if name != baseline]
    arm = rule.arm or (others[0] if len(others) == 1 else "")
    problem = _problem(arms, arm, baseline, others)
    if problem:
        return Judgement("undecided", problem, None, rule)
    comparison = compare(
        runs.scores[arm],
        runs.scores[baseline],
        rule.statistic,
        higher_is_better=rule.direction == "higher",
    )
    going = runs.waiting.get(arm, 0) + runs.waiting.get(baseline, 0)
    if going:
        reason = f"{counted(going, 'run')} of {arm} and {baseline} not finished; it is decided when all have ended."
        return Judgement("undecided", reason, comparison, rule)
    decision, reason = decide(rule, comparison)
    return Judgement(decision, reason, comparison, rule)


def decide(rule: Rule, comparison: Comparison) -> tuple[Decision, str]:
    """Return what a rule makes of a difference, and why: the whole interval has to lie on one side of the effect."""
    interval = comparison.difference.interval
    counts = (
        f"{comparison.arm}: {comparison.counts[0].sentence}; {comparison.baseline}: {comparison.counts[1].sentence}"
    )
    if interval.bounds is None:
        return "undecided", f"No interval of the difference: {interval.reason} ({counts})."
    low, high = interval.bounds
    value = comparison.difference.value
    paired = ", seed by seed" if comparison.difference.paired else ""
    found = (
        f"{comparison.arm} minus {comparison.baseline}: {shown(value if value is not None else 0.0)}, "
        f"{shown(low)} to {shown(high)} ({interval.words}{paired}; {counts})"
    )
    sign = 1.0 if rule.direction == "higher" else -1.0
    least, most = (low, high) if sign > 0 else (-high, -low)
    asked = f"{'more' if sign > 0 else 'less'} by {rule.effect:g}" if rule.effect else f"any {rule.direction}"
    if least > rule.effect or (rule.effect and least >= rule.effect):
        return "confirmed", f"{found}. All of it is on the side of the hypothesis ({asked})."
    if most < rule.effect or (not rule.effect and most <= 0):
        return "rejected", f"{found}. None of it reaches what the hypothesis asks for ({asked})."
    return "undecided", f"{found}. It holds both what the hypothesis asks for ({asked}) and what contradicts it."


def change_since_launch(journal: Journal, recorded: Sequence[Recorded]) -> tuple[bool, str]:
    """Say whether hypothesis or rule differ from what was recorded at the first launch, and in which way.

    Returns:
        Whether they were changed afterwards, and one sentence.
    """
    mine = f"hash {journal.digest[:SHOWN_HASH]}"
    if not recorded:
        if not journal.is_written:
            return False, "Nothing was recorded at the launch."
        return True, f"Written after the launch: no hypothesis was recorded when the runs were launched ({mine} now)."
    first = recorded[0]
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(first.at))
    if first.digest == journal.digest:
        return False, f"Unchanged since the launch on {when} ({mine})."
    parts = ["rule" if _rules_differ(journal, first) else "", "hypothesis" if _texts_differ(journal, first) else ""]
    what = " and ".join(filter(None, parts)) or "text"
    return True, (
        f"The {what} changed after the launch on {when}: hash {first.digest[:SHOWN_HASH]} then, "
        f"{journal.digest[:SHOWN_HASH]} now. What is decided by a rule written after the data confirms nothing."
    )


def _problem(arms: Sequence[str], arm: str, baseline: str, others: Sequence[str]) -> str:
    known = ", ".join(repr(name) for name in arms)
    if baseline not in arms:
        return f"The rule compares with arm {baseline!r}, which has no run. Arms: {known}."
    if not others:
        return f"There is only one arm, {baseline!r}; a rule compares two."
    if not arm:
        return f"The rule names no arm, and there are {len(others)} beside {baseline!r}. Arms: {known}."
    if arm not in arms:
        return f"The rule is about arm {arm!r}, which has no run. Arms: {known}."
    if arm == baseline:
        return f"The rule compares arm {arm!r} with itself."
    return ""


def _rules_differ(journal: Journal, first: Recorded) -> bool:
    return first.journal is None or first.journal.rule != journal.rule


def _texts_differ(journal: Journal, first: Recorded) -> bool:
    before = first.journal.hypothesis if first.journal else ""
    return " ".join(before.split()) != " ".join(journal.hypothesis.split())

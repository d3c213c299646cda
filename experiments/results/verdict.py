"""The verdict on a hypothesis: confirmed, rejected, undecided or interim, by the rule written before the launch."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.jobs.journal import SHOWN_HASH, Journal, Recorded, Rule
from experiments.results.scores import ScoredRuns
from experiments.statistics import Comparison, Scores, compare, shown

Decision = Literal["confirmed", "rejected", "undecided", "interim"]


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

    While seeds of the two arms are out nothing is decided: to stop as soon as an interval looks right is to choose the
    answer. Seeds that were lost count against the hypothesis.
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
    return _ruled(rule, runs.scores[arm], runs.scores[baseline])


def _ruled(rule: Rule, arm: Scores, baseline: Scores) -> Judgement:
    comparison = _compared(rule, arm, baseline)
    if comparison.claim.standing == "interim":
        reason = f"{_sentence(comparison.claim.reason)} It is decided when all have."
        return Judgement("interim", reason, comparison, rule)
    if comparison.claim.standing == "lost":
        return _with_losses(rule, arm, baseline, comparison)
    return Judgement(*decide(rule, comparison), comparison, rule)


def _compared(rule: Rule, arm: Scores, baseline: Scores) -> Comparison:
    return compare(arm, baseline, rule.statistic, higher_is_better=rule.direction == "higher")


def _with_losses(rule: Rule, arm: Scores, baseline: Scores, seen: Comparison) -> Judgement:
    """Return the verdict where seeds were lost: it stands only if it does whatever these would have scored.

    Against the claim a lost seed counts as the rule's floor in the arm that should have more, and as its ceiling in
    the other. Nothing is rejected for what seeds might have scored either: that has to hold with the bounds turned
    round. The worst score that was seen is no bound: it would confirm a worse arm that loses its bad seeds.
    """
    lost = f"{_sentence(seen.claim.reason)} {_losses(arm, baseline)}"
    problem = _undecidable(rule, arm, baseline)
    if problem:
        return Judgement("undecided", f"{lost} {problem}", seen, rule)
    against, beside = rule.least_favourable
    comparison = _compared(rule, _filled(arm, against), _filled(baseline, beside))
    decision, reason = decide(rule, comparison)
    counted_as = " and ".join(
        f"{value:g} in {scores.arm}" for scores, value in ((arm, against), (baseline, beside)) if scores.lost
    )
    told = f"{lost} They count as {counted_as}, as the rule says. {reason}"
    if decision != "rejected":
        return Judgement(decision, told, comparison, rule)
    if (arm.lost and beside is None) or (baseline.lost and against is None):
        return Judgement("undecided", f"{lost} What they might have scored at best is not stated.", comparison, rule)
    kindest = decide(rule, _compared(rule, _filled(arm, beside), _filled(baseline, against)))[0]
    if kindest == "rejected":
        return Judgement("rejected", told, comparison, rule)
    reason = f"{lost} With the rule's bounds against the hypothesis it would be rejected, with them for it {kindest}."
    return Judgement("undecided", reason, comparison, rule)


def _undecidable(rule: Rule, arm: Scores, baseline: Scores) -> str:
    """Return why the rule's bounds cannot stand for the seeds that were lost; empty where they can."""
    against, beside = rule.least_favourable
    if all(run.outcome == "no value" for run in (*arm.runs, *baseline.runs)):
        return "Is it the metric that the rule should name?"
    if (arm.lost and against is None) or (baseline.lost and beside is None):
        return f"The rule does not state what they count as, so nothing is decided. {_way_out(arm, baseline)}"
    outside = _outside(rule, arm, baseline)
    return f"{outside}, so the rule's bounds do not hold." if outside else ""


def _filled(scores: Scores, value: float | None) -> Scores:
    return scores if value is None or not scores.lost else scores.filled(value)


def _losses(*arms: Scores) -> str:
    """Return how seeds were lost: `b: 3 of 5 finished, 1 failed, 1 cancelled.`."""
    return f"{'; '.join(f'{scores.arm}: {scores.count.sentence}' for scores in arms if scores.lost)}."


def _outside(rule: Rule, *arms: Scores) -> str:
    """Return which score lies beyond the bounds that the rule states; empty where none does."""
    low = -math.inf if rule.floor is None else rule.floor
    high = math.inf if rule.ceiling is None else rule.ceiling
    for scores in arms:
        for run in scores.runs:
            if run.value is not None and not low <= run.value <= high:
                bound = f"below the floor of {low:g}" if run.value < low else f"above the ceiling of {high:g}"
                return f"Seed {run.seed} of {scores.arm} scored {run.value:g}, {bound}"
    return ""


def _way_out(*arms: Scores) -> str:
    """Return how lost seeds can be run again, and of which the new attempt would count."""
    lost = [run for scores in arms for run in scores.lost if run.run]
    again = [run.run for run in lost if run.outcome == "machine failed"]
    stay = [run.run for run in lost if run.outcome != "machine failed"]
    parts = []
    if again:
        parts.append(
            f"Run those again whose machine failed, and the new attempts take their place: {_retry_command(again)}."
        )
    if stay:
        parts.append(
            f"{'The others' if again else 'They'} stay lost here: a training that is repeated until it succeeds is "
            f"chosen by its result. To see whether they can succeed: {_retry_command(stay)}. To decide, "
            "launch all seeds under a new experiment name, with floor and ceiling in the rule."
        )
    return " ".join(parts)


def _retry_command(runs: Sequence[str]) -> str:
    return shlex.join(["experiments", "retry", *runs])


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."


def decide(rule: Rule, comparison: Comparison) -> tuple[Decision, str]:
    """Return what a rule makes of a difference, and why: the whole interval has to lie on one side of the effect."""
    interval = comparison.difference.interval
    counts = "; ".join([comparison.counted, *comparison.attempts])
    if interval.bounds is None:
        return "undecided", f"No interval of the difference: {interval.reason} ({counts})."
    low, high = interval.bounds
    difference = comparison.difference.value
    paired = ", seed by seed" if comparison.difference.paired else ""
    found = (
        f"{comparison.arm} minus {comparison.baseline}: {'unknown' if difference is None else shown(difference)}, "
        f"{shown(low)} to {shown(high)} ({interval.words}{paired}; {counts})"
    )
    sign = 1.0 if rule.direction == "higher" else -1.0
    least, most = (low, high) if sign > 0 else (-high, -low)
    asked = f"{'more' if sign > 0 else 'less'} by {rule.effect:g}" if rule.effect else f"any {rule.direction}"
    caution = f" {interval.caution}" if interval.caution else ""
    if least > rule.effect or (rule.effect and least >= rule.effect):
        return "confirmed", f"{found}. All of it is on the side of the hypothesis ({asked}).{caution}"
    if most < rule.effect or (not rule.effect and most <= 0):
        return "rejected", f"{found}. None of it reaches what the hypothesis asks for ({asked}).{caution}"
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

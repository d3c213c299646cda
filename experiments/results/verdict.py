"""The verdict on a hypothesis: confirmed, rejected, undecided or interim, by the rule written before the launch."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from experiments.jobs.designs import Registration, in_order
from experiments.jobs.families import arms_of_rule
from experiments.jobs.journal import Journal
from experiments.jobs.rule import FEWEST, Rule
from experiments.project.look import counted
from experiments.results.scores import ScoredRuns
from experiments.statistics import (
    CALIBRATED,
    Comparison,
    Interval,
    Options,
    Scores,
    SeedScore,
    anytime_interval,
    compare,
    different_code,
    interval_at_look,
    paired_differences,
    shown,
)

_RESOLVED = 0.01
"""Least level that 10,000 resamples are asked for: 50 of them then lie beyond each end."""
Decision = Literal["confirmed", "rejected", "undecided", "interim"]

NO_HYPOTHESIS = "No hypothesis was written, so there is nothing to confirm or reject."
NO_RULE = "No rule was written, so nothing can decide."
SEARCH = "A search, so there is no verdict: its scores have chosen among its trials. What it is frozen as decides."


@dataclass(frozen=True)
class Judgement:
    """What a rule says of the data there is.

    Attributes:
        reason: Why, in one sentence that names interval, method and counts.
        comparison: The numbers behind it; None where there are none.
        rule: The rule that was applied.
        spared: Seeds of each arm that a look made needless, in their order.
    """

    decision: Decision
    reason: str
    comparison: Comparison | None
    rule: Rule | None
    spared: tuple[int, ...] = ()


def judge(journal: Journal, runs: ScoredRuns, registration: Registration | None = None) -> Judgement:
    """Return the verdict on a hypothesis; whatever is missing makes it undecided, and is said.

    While seeds of the two arms are out nothing is decided: to stop as soon as an interval looks right is to choose the
    answer. A rule that plans looks decides at the first of them that does, by limits that are made for it. Seeds that
    were lost count against the hypothesis. Runs of different code decide nothing unless the rule pools them; that is
    said where it does.

    Args:
        registration: Of the rule, with the level that its claims may use and the seeds that decide; None where nothing
            is known of a launch: then all seeds decide, at the rule's own level.
    """
    rule = journal.rule
    if not journal.is_written:
        return Judgement("undecided", NO_HYPOTHESIS, None, rule)
    if rule is None:
        return Judgement("undecided", NO_RULE, None, None)
    arms = list(runs.scores)
    if not arms:
        return Judgement("undecided", "No run yet.", None, rule)
    about = arms_of_rule(rule, arms)
    if about is None:
        return Judgement("undecided", _problem(rule, arms), None, rule)
    terms = Terms(rule, rule.level if registration is None else registration.level, _is_calibrated(registration))
    planned = registration.seeds if registration is not None else {}
    pair, further = _as_planned(rule, [runs.scores[name] for name in about], planned)
    found = _at_looks(terms, *pair) if rule.looks is not None else _ruled(terms, *pair)
    if further:
        found = replace(found, reason=f"{found.reason} {further}")
    if runs.found and found.decision in {"confirmed", "rejected"}:
        return replace(found, decision="undecided", reason=f"{runs.found} {found.reason}")
    return found


@dataclass(frozen=True)
class Terms:
    """On which terms two arms are compared.

    Attributes:
        alpha: Error rate that the claim may use.
        is_calibrated: Whether a design that looks once keeps as far below it as those that look more often do: nominal
            levels let some unequal spreads through (`tests/statistics/registered.py`).
    """

    rule: Rule
    alpha: float
    is_calibrated: bool = False

    def compared(self, arm: Scores, baseline: Scores) -> Comparison:
        """Return the comparison whose interval decides."""
        rule = self.rule
        once = CALIBRATED if self.is_calibrated and rule.looks is None else 1.0
        level = rule.confidence(once * self.alpha)
        found = compare(
            arm,
            baseline,
            rule.statistic,
            higher_is_better=rule.direction == "higher",
            paired=True if rule.looks is not None else rule.paired,
            pool_codes=rule.pool_codes,
            options=Options(level=level),
        )
        if rule.looks is None or not found.claim.is_final:
            return found if rule.statistic == "mean" else _resolved(found, level)
        pairing = paired_differences(arm, baseline, forced=True)
        differences = pairing.differences if pairing is not None else np.empty(0)
        if isinstance(rule.looks, str):
            interval = anytime_interval(differences, 1 - level)
        else:
            interval = interval_at_look(differences, rule.looks, 1 - level, rule.spending or "kim-demets")
        return replace(found, difference=replace(found.difference, interval=interval, p_value=None, test=""))


def _resolved(found: Comparison, level: float) -> Comparison:
    """Return a comparison of interquartile means without its interval where resampling cannot resolve the level."""
    if 1 - level >= _RESOLVED or found.difference.interval.bounds is None:
        return found
    why = f"the interquartile mean is resampled, which cannot resolve a level of {1 - level:.2g}; a mean can"
    none = Interval.none(why, found.difference.interval.n, level=level)
    return replace(found, difference=replace(found.difference, interval=none, p_value=None, test=""))


def _is_calibrated(registration: Registration | None) -> bool:
    """Tell whether a claim is of a design with a family; one that an earlier version registered keeps its interval."""
    return registration is not None and registration.is_registered and registration.number is not None


def _as_planned(rule: Rule, arms: Sequence[Scores], planned: Mapping[str, Sequence[int]]) -> tuple[list[Scores], str]:
    """Return the arms with the seeds that decide, those that were not launched yet among them, and what is beside."""
    found, beside = [], []
    for scores in arms:
        seeds = planned.get(scores.arm) or in_order(scores.seeds, rule)
        found.append(scores.planned(seeds))
        if further := len(set(scores.seeds) - set(seeds)):
            beside.append(f"{counted(further, 'seed')} of {scores.arm}")
    said = f"Beside the design, and no part of it: {' and '.join(beside)}." if beside else ""
    return found, said


def _at_looks(terms: Terms, arm: Scores, baseline: Scores) -> Judgement:
    """Return the verdict of the first look that decides; the looks are taken in their order, each when all have ended.

    Which seeds a look has was fixed before the launch, so that those that end first decide nothing.
    """
    rule, total = terms.rule, len(arm.seeds)
    looks = rule.looks if isinstance(rule.looks, tuple) else tuple(range(FEWEST, total + 1))
    seen = Judgement("interim", "", None, rule)
    for look in looks:
        ours, theirs = (scores.planned(scores.seeds[:look]) for scores in (arm, baseline))
        found = _ruled(terms, ours, theirs)
        if found.decision == "interim":
            after = f" The look before: {seen.reason}" if seen.reason else ""
            reason = f"A look is due after {look} of {total} planned seeds. {found.reason}{after}"
            return replace(found, reason=reason)
        place = f"Look after {look} of {total} planned seeds."
        seen = replace(found, reason=f"{place} {found.reason}")
        if found.decision in {"confirmed", "rejected"}:
            spared = f" {counted(total - look, 'seed')} of each arm need not run." if look < total else ""
            return replace(seen, reason=f"{seen.reason}{spared}", spared=tuple(arm.seeds[look:]))
        if found.comparison is not None and not found.comparison.claim.is_final:
            return seen  # of different code, or with lost seeds that nothing stands for: no later look is without them
    return seen


def _ruled(terms: Terms, arm: Scores, baseline: Scores) -> Judgement:
    rule, comparison = terms.rule, terms.compared(arm, baseline)
    if comparison.claim.standing == "interim":
        reason = f"{_sentence(comparison.claim.reason)} It is decided when all have."
        return Judgement("interim", reason, comparison, rule)
    if comparison.claim.standing in {"codes", "chosen"}:
        return Judgement("undecided", _sentence(comparison.claim.reason), comparison, rule)
    if comparison.claim.standing == "lost":
        found = _with_losses(terms, arm, baseline, comparison)
    else:
        found = Judgement(*decide(rule, comparison), comparison, rule)
    apart = different_code(arm, baseline)
    return replace(found, reason=f"{found.reason} Pooled as the rule says: {apart}.") if apart else found


def _with_losses(terms: Terms, arm: Scores, baseline: Scores, seen: Comparison) -> Judgement:
    """Return the verdict where seeds were lost: it stands only if it does whatever these would have scored.

    Against the claim a lost seed counts as the rule's floor in the arm that should have more, and as its ceiling in
    the other. Nothing is rejected for what seeds might have scored either: that has to hold with the bounds turned
    round. The worst score that was seen is no bound: it would confirm a worse arm that loses its bad seeds.
    """
    rule = terms.rule
    lost = f"{_sentence(seen.claim.reason)} {_losses(arm, baseline)}"
    problem = _undecidable(rule, arm, baseline)
    if problem:
        return Judgement("undecided", f"{lost} {problem}", seen, rule)
    against, beside = rule.least_favourable
    comparison = terms.compared(_filled(arm, against), _filled(baseline, beside))
    decision, reason = decide(rule, comparison)
    counted_as = " and ".join(
        f"{value:g} in {scores.arm}" for scores, value in ((arm, against), (baseline, beside)) if scores.lost
    )
    told = f"{lost} They count as {counted_as}, as the rule says. {reason}"
    if decision != "rejected":
        return Judgement(decision, told, comparison, rule)
    if (arm.lost and beside is None) or (baseline.lost and against is None):
        return Judgement("undecided", f"{lost} What they might have scored at best is not stated.", comparison, rule)
    kindest = decide(rule, terms.compared(_filled(arm, beside), _filled(baseline, against)))[0]
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
    every = [run for scores in arms for run in scores.lost if run.run]
    short, lost = ended_early(arms), [run for run in every if run.upto is None]
    again = [run.run for run in lost if run.outcome == "machine failed"]
    stay = [run.run for run in lost if run.outcome != "machine failed"]
    parts = []
    if short:
        parts.append(go_on_words(short))
    if again:
        parts.append(
            f"Run those again whose machine failed, and the new attempts take their place: {_retry_command(again)}."
        )
    if stay:
        parts.append(
            f"{'The others' if again or short else 'They'} stay lost here: a training that is repeated until it "
            f"succeeds is chosen by its result. To see whether they can succeed: {_retry_command(stay)}. To decide, "
            "launch all seeds under a new experiment name, with floor and ceiling in the rule."
        )
    return " ".join(parts)


def ended_early(arms: Sequence[Scores]) -> list[SeedScore]:
    """Return the runs that lack nothing but steps: they finished, and other runs went further."""
    return [run for scores in arms for run in scores.lost if run.run and run.upto is not None]


def go_on_words(short: Sequence[SeedScore]) -> str:
    """Return how runs that ended early get a score: launched again they would only end as early."""
    which, each = (short[0].run, "") if len(short) == 1 else (counted(len(short), "run"), ", and the others likewise")
    return (
        f"{which} ended before the steps that scores are taken at, and a new attempt would end there too. What goes on "
        f"from there takes the seed's place: {resume_command(short[0])}{each}."
    )


def resume_command(run: SeedScore) -> str:
    """Return what lets a run that ended early go on as far as it needs."""
    return shlex.join(["experiments", "resume", run.run, "--steps", f"{run.upto or 0:.0f}"])


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


def _problem(rule: Rule, arms: Sequence[str]) -> str:
    """Return why it is not known which arms of an experiment a rule is about."""
    known = ", ".join(repr(name) for name in arms)
    baseline = rule.baseline or arms[0]
    others = [name for name in arms if name != baseline]
    if baseline not in arms:
        return f"The rule compares with arm {baseline!r}, which has no run. Arms: {known}."
    if not others:
        return f"There is only one arm, {baseline!r}; a rule compares two."
    if not rule.arm:
        return f"The rule names no arm, and there are {len(others)} beside {baseline!r}. Arms: {known}."
    if rule.arm not in arms:
        return f"The rule is about arm {rule.arm!r}, which has no run. Arms: {known}."
    return f"The rule compares arm {rule.arm!r} with itself."

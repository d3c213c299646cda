"""Arms against a baseline: difference, tests corrected for their number, probability of improvement and a verdict.

| arms | difference of means | difference of interquartile means |
|---|---|---|
| planned with the same seeds | t of the paired differences (3 pairs) | BCa of the IQM of the paired differences (6) |
| other seeds | Welch t (3 seeds each) | Yuen t (6 each, at most half as many again; from 10 twice as many) |
| other seeds, over half as many again | Welch t and permutation, the wider (3 against at most 12) | none |

At levels beyond 96 %, as later designs of a family have, the unpaired difference of means is that of Welch with the
degrees of freedom of the smaller arm.

An arm whose seeds all have the same score has no interval, and no claim is made of it.
While planned seeds are out, or where seeds were lost, there is a difference without interval, p-value and verdict. One
that is looked at while seeds are still out is stopped when it looks right, and one over the seeds that happened to
survive is chosen by what ended the others. Nor is there one over runs of different code, unless a rule allows it: what
differs may then be the code. Every page, chart, table and file asks `claim_of`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from experiments.project.look import counted
from experiments.project.standing import chooses
from experiments.statistics.differences import Compared, Difference, difference_of, probability_of_improvement
from experiments.statistics.scores import Scores
from experiments.statistics.significance import PermutationTest, holm
from experiments.statistics.values import DEFAULTS, Estimate, Interval, Options, SeedCount, shown

Finding = Literal["better", "worse", "undecided", "interim"]
_MOST_NAMED = 4

Standing = Literal["interim", "chosen", "codes", "lost", "final"]


@dataclass(frozen=True)
class Claim:
    """Whether anything may be claimed of some arms.

    Attributes:
        standing: `interim` while planned seeds are out; `chosen` where a search chose by them; `codes` where the runs
            are of different code; `lost` where seeds ended without a score and were given none; else `final`.
        reason: Why nothing may be claimed, without a full stop; empty where it is final.
    """

    standing: Standing = "final"
    reason: str = ""

    @property
    def words(self) -> str:
        """The reason with its standing: `interim: 3 of 10 seeds of a have ended; ...`; empty where it is final."""
        return f"interim: {self.reason}" if self.standing == "interim" else self.reason

    @property
    def is_final(self) -> bool:
        """Whether a verdict may be given, and a p-value shown."""
        return self.standing == "final"


FINAL = Claim()


@dataclass(frozen=True)
class Comparison:
    """One arm against the baseline.

    Attributes:
        difference: Of `arm` minus `baseline`, with its interval and its tests.
        p_adjusted: The difference's p-value after Holm over `family` comparisons; None where there is no test, and
            where nothing may be claimed.
        improvement: Probability that a random run of `arm` beats one of `baseline`.
        counts: What became of the seeds of `arm` and of `baseline`.
        what: What a score is, in words.
        verdict: Of `arm`, by interval and adjusted p-value; `interim` or `undecided` where nothing may be claimed.
        reason: For the verdict, in one sentence.
        claim: Whether anything may be claimed, and why not.
        attempts: Seeds of either arm with several attempts where it matters which one stands, one sentence each.
    """

    arm: str
    baseline: str
    statistic: Compared
    difference: Difference
    p_adjusted: float | None
    family: int
    improvement: Estimate
    counts: tuple[SeedCount, SeedCount]
    what: str
    verdict: Finding
    reason: str
    claim: Claim = FINAL
    attempts: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The comparison in one line."""
        value = "unknown" if self.difference.value is None else shown(self.difference.value)
        if self.verdict == "interim":
            return f"{self.arm} against {self.baseline}: {self.claim.words}. Difference so far {value}."
        where = "" if self.claim.is_final or self.difference.value is None else " over the seeds with a score"
        head = f"{self.arm} against {self.baseline}: {self.verdict}, difference {value}{where}."
        return " ".join([head, self.reason, *(f"{note}." for note in self.attempts), f"({self.counted})"])

    @property
    def counted(self) -> str:
        """What became of the seeds of both arms."""
        return f"{self.arm}: {self.counts[0].sentence}; {self.baseline}: {self.counts[1].sentence}"


def compare(
    arm: Scores,
    baseline: Scores,
    statistic: Compared = "mean",
    *,
    higher_is_better: bool = True,
    paired: bool | None = None,
    pool_codes: bool = False,
    options: Options = DEFAULTS,
) -> Comparison:
    """Compare one arm with a baseline.

    Args:
        paired: Whether to compare seed by seed; by default where both arms were planned with the same seeds.
        pool_codes: Whether something may be claimed of runs of different code.
    """
    found = compare_arms(
        [baseline, arm],
        statistic,
        higher_is_better=higher_is_better,
        paired=paired,
        pool_codes=pool_codes,
        options=options,
    )
    return found[0]


def compare_arms(
    arms: Sequence[Scores],
    statistic: Compared = "mean",
    *,
    baseline: str | None = None,
    higher_is_better: bool = True,
    paired: bool | None = None,
    pool_codes: bool = False,
    options: Options = DEFAULTS,
) -> list[Comparison]:
    """Compare every arm with the baseline, with p-values adjusted for the number of arms.

    Args:
        baseline: Name of the arm to compare with; by default the first.
        pool_codes: Whether something may be claimed of runs of different code.

    Returns:
        One comparison for each other arm, in order; none where there are fewer than two arms or no such baseline. Those
        of which nothing may be claimed yet still count for Holm, so that no p-value grows when they end.
    """
    base = next((arm for arm in arms if baseline is None or arm.arm == baseline), None)
    if base is None:
        return []
    others = [arm for arm in arms if arm is not base]
    differences = [difference_of(arm, base, statistic, paired=paired, options=options) for arm in others]
    claims = [claim_of(arm, base, pool_codes=pool_codes) for arm in others]
    raw = [difference.p_value if claim.is_final else 1.0 for difference, claim in zip(differences, claims, strict=True)]
    adjusted = holm(raw)
    family = sum(p_value is not None for p_value in adjusted)
    found = []
    for arm, full, claim, corrected in zip(others, differences, claims, adjusted, strict=True):
        difference, p_value = (full, corrected) if claim.is_final else (_untested(full, claim), None)
        if claim.is_final:
            verdict, reason = verdict_of(difference.interval, p_value, higher_is_better=higher_is_better, family=family)
        else:
            verdict = "interim" if claim.standing == "interim" else "undecided"
            reason = f"{claim.words[0].upper()}{claim.words[1:]}."
        improvement = probability_of_improvement(arm, base, options, higher_is_better=higher_is_better)
        if not claim.is_final:
            improvement = replace(improvement, interval=_without(improvement.interval, claim))
        found.append(
            Comparison(
                arm=arm.arm,
                baseline=base.arm,
                statistic=statistic,
                difference=difference,
                p_adjusted=p_value,
                family=family,
                improvement=improvement,
                counts=(arm.count, base.count),
                what=arm.what,
                verdict=verdict,
                reason=reason,
                claim=claim,
                attempts=(*arm.attempts, *base.attempts),
            )
        )
    return found


def _untested(difference: Difference, claim: Claim) -> Difference:
    """Return a difference without interval and tests: one that excludes 0 is a verdict, whatever stands beside it."""
    untested = PermutationTest(reason=claim.words)
    return replace(
        difference, interval=_without(difference.interval, claim), p_value=None, test="", permutation=untested
    )


def _without(interval: Interval, claim: Claim) -> Interval:
    return Interval.none(claim.words, interval.n, level=interval.level)


def verdict_of(
    interval: Interval,
    p_value: float | None,
    *,
    higher_is_better: bool = True,
    family: int = 1,
) -> tuple[Finding, str]:
    """Return what a difference says about an arm, and why, in one sentence.

    Args:
        p_value: After the correction for `family` comparisons.
    """
    if interval.bounds is None:
        return "undecided", f"No interval of the difference: {interval.reason}."
    low, high = interval.bounds
    ends = f"The {interval.percent} interval of the difference, {shown(low)} to {shown(high)},"
    if interval.contains(0.0):
        return "undecided", f"{ends} contains 0."
    after = f" after Holm over {counted(family, 'comparison')}" if family > 1 else ""
    tested = "" if p_value is None else f"p = {p_value:.2g}{after}"
    if p_value is not None and p_value >= 1 - interval.level:
        return "undecided", f"{ends} excludes 0, but {tested}."
    better = (low > 0) == higher_is_better
    caution = f" {interval.caution}" if interval.caution else ""
    return ("better" if better else "worse"), f"{ends} excludes 0{', ' if tested else ''}{tested}.{caution}"


def claim_of(*arms: Scores, pool_codes: bool = False) -> Claim:
    """Say of arms that are compared whether a claim is interim or final, and why.

    Args:
        pool_codes: Whether something may be claimed of runs of different code.
    """
    if any(arm.waiting for arm in arms):
        return Claim("interim", still_out([(arm.arm, arm.count) for arm in arms]))
    if chose := [arm.arm or "the arm" for arm in arms if any(chooses(seed) for seed in arm.seeds)]:
        return Claim("chosen", f"the seeds of {_joined(chose)} are those of a search, which chose by their scores")
    if not pool_codes and (apart := different_code(*arms)):
        return Claim("codes", f"{apart}; a claim over different code needs pool_codes=True in the rule")
    if any(arm.lost for arm in arms):
        return Claim("lost", _lost_words(arms))
    return FINAL


def different_code(*arms: Scores) -> str:
    """Return in words that the scores of some arms come from different code; empty where they come from one.

    What nobody knows is a code of its own. Runs of which none is known were recorded by an earlier version or on
    another machine, and nothing says that they differ: that is told beside the numbers, and takes no claim away. But
    beside a run whose code is known, nobody can say that they are the same.
    """
    codes = {arm.arm or "the arm": _codes(arm) for arm in arms}
    first = {code: run for found in codes.values() for code, run in found.items()}
    if len(first) < 2:
        return ""
    mixed = {name: found for name, found in codes.items() if len(found) > 1}
    words = f"{_joined(list(codes))} ran different code"
    if mixed:
        words = _joined([f"{counted(len(found), 'code')} in {name}" for name, found in mixed.items()])
    unknown = sum(run.code == "" for arm in arms for run in arm.runs if run.value is not None)
    if unknown:
        words += f", that of {counted(unknown, 'run')} not known"
    known = [run for code, run in next(iter(mixed.values()), first).items() if code and run]
    return f"{words} (experiments diff {known[0]} {known[1]})" if len(known) > 1 else words


def _codes(arm: Scores) -> dict[str, str]:
    """Return the codes that the scores of an arm come from, each with the name of its first run."""
    found: dict[str, str] = {}
    for run in arm.runs:
        if run.code is not None and run.value is not None:
            found.setdefault(run.code, run.run)
    return found


def still_out(arms: Sequence[tuple[str, SeedCount]]) -> str:
    """Return what of some arms has ended and what is still out; empty where all has ended and was read.

    `3 of 10 seeds of a and 3 of 10 of b have ended; 7 of a and 7 of b are still out`
    """
    if len(arms) > _MOST_NAMED:
        together = sum((count for _, count in arms[1:]), arms[0][1])
        return still_out([(f"{len(arms)} arms", together)])
    out = [(f"{count.unfinished} of {name or 'the arm'}", count.unfinished) for name, count in arms if count.unfinished]
    unread = [f"{count.unread} of {name or 'the arm'}" for name, count in arms if count.unread]
    if not out and not unread:
        return ""
    ended = [
        f"{count.ended} of {counted(count.total, 'seed') if at == 0 else count.total} of {name or 'the arm'}"
        for at, (name, count) in enumerate(arms)
    ]
    still = "is" if sum(number for _, number in out) == 1 else "are"
    parts = [
        f"{_joined(ended)} have ended",
        f"{_joined([words for words, _ in out])} {still} still out" if out else "",
        f"{_joined(unread)} could not be read" if unread else "",
    ]
    return "; ".join(filter(None, parts))


def _lost_words(arms: Sequence[Scores]) -> str:
    if all(run.outcome == "no value" for arm in arms for run in arm.runs):
        names = _joined([arm.arm or "the arm" for arm in arms])
        return f"no seed of {names} has a value of {arms[0].metric or 'the metric'}"
    parts = [
        f"{len(arm.lost)} of {counted(len(arm.runs), 'seed') if at == 0 else len(arm.runs)} of {arm.arm or 'the arm'}"
        for at, arm in enumerate(arm for arm in arms if arm.lost)
    ]
    lost = [run for arm in arms for run in arm.lost]
    if all(run.outcome == "unscored" for run in lost):  # it ended as planned, and another went on for longer
        return f"{_joined(parts)} {'has' if len(lost) == 1 else 'have'} no score: {lost[0].reason}"
    return f"{_joined(parts)} {'was' if len(lost) == 1 else 'were'} lost"


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))

"""Registered designs: a rule that was recorded before the runs that it decides on, as which design of its family.

Whoever registers one candidate after the other against the same baseline, until one passes, makes as many attempts at
a false claim. So the k-th design of a family, those with the same baseline, metric and task, gets a share of the rule's
level: 6 / (pi² k²) of it, which over all k is the whole; which of two arms is called the baseline is no matter.
Source: alpha-spending, Foster & Stine 2008, "alpha-investing: a procedure for sequential control of expected false
discoveries"; the shares are those of the squares, whose sum is 1.

What is no longer what was recorded is exploratory. `registration_of` decides it, for every page and command.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from experiments.jobs.controls.pooled import controls_of, without_runs_of
from experiments.jobs.journal import KIND, SHOWN_HASH, Journal, Recorded, recorded_in
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.permits import Permit, require
from experiments.jobs.rule import LEVEL, Rule
from experiments.jobs.selection import control_problem, left_out, made_otherwise, seen, seen_before, task_of
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.redaction import mask_text
from experiments.project.standing import CHOOSING, counts_as_seed
from experiments.project.workspace import Workspace
from experiments.types import JobRef, KeptControl, Plan, TrainingJob, TrainingJobConfig


@dataclass(frozen=True)
class Registration:
    """How far a rule was fixed before the runs that it decides on.

    Attributes:
        sentence: What was recorded, when, and whether it is what stands now.
        reason: Why what the rule decides is exploratory, as a sentence; empty where it is registered.
        number: Which design of its family it is, from 1; None where nobody recorded its family.
        level: Error rate that its claims may use.
        seeds: The seeds that were planned, by arm, in the order in which they are looked at; empty where none were.
        is_changed: Whether what stands now is known to be other than what was recorded.
    """

    sentence: str
    reason: str = ""
    number: int | None = None
    level: float = LEVEL
    seeds: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    is_changed: bool = False

    @property
    def is_registered(self) -> bool:
        """Whether a claim by the rule is one that was registered."""
        return not self.reason

    @property
    def words(self) -> str:
        """Which kind of claim it makes: `Registered: design 7 of this family, level 0.00062.`."""
        if self.reason:
            return f"Exploratory: {self.reason}"
        return f"Registered{self._place}."

    @property
    def _place(self) -> str:
        return "" if self.number is None else f": design {self.number} of its family, level {self.level:.2g}"


def level_of(number: int, level: float = LEVEL, control: KeptControl | None = None) -> float:
    """Return the error rate of the `number`-th design of a family that may use `level` in all.

    Args:
        control: That stands for its baseline; one that was chosen of several has a part of the level, as each has.
    """
    return level * 6 / (math.pi * number) ** 2 / (control.chosen_from if control is not None else 1)


def arms_of_rule(rule: Rule, arms: Sequence[str]) -> tuple[str, str] | None:
    """Return arm and baseline that a rule is about, among arms in their order; None where it does not say which."""
    baseline = rule.baseline or (arms[0] if arms else "")
    others = [name for name in arms if name != baseline]
    arm = rule.arm or (others[0] if len(others) == 1 else "")
    return (arm, baseline) if arm in arms and baseline in arms and arm != baseline else None


def record_journal(plan: Plan, journal: Journal | None, permit: Permit | None, workspace: Workspace) -> bool:
    """Record hypothesis and rule beside a plan that is about to be launched; say whether they were new.

    Nothing is recorded for a dry run, for a journal without a hypothesis, or where the newest record is the same.

    Raises:
        UsageError: The rule contradicts the plan.
        LaunchRefused: Nobody asked for a launch.
    """
    if journal is None or not journal.is_written or plan.launcher == "dry-run":
        return False
    with open_ledger(workspace, read_only=True) as ledger:
        check_design(plan, journal.rule, ledger)
    require(permit, "record a hypothesis")
    with open_ledger(workspace) as ledger:
        before = recorded_in(ledger, [plan.key])
        if before and before[-1].digest == journal.digest:
            return False
        content = journal.model_dump(mode="json", exclude={"notes"})
        content["hypothesis"] = mask_text(content["hypothesis"])
        family = _family(plan, journal, ledger)
        ledger.add_event(KIND, plan_key=plan.key, digest=journal.digest, journal=content, **family)
    return True


def check_design(plan: Plan, rule: Rule | None, ledger: LedgerReader) -> None:
    """Refuse a rule that no run of a plan can ever decide.

    Raises:
        UsageError: It names an arm that neither the plan nor an earlier launch of its experiment has.
    """
    if rule is None or not plan.jobs:
        return
    arms = list(_configs(plan, ledger))
    for name, what in ((rule.baseline, "baseline"), (rule.arm, "arm")):
        if name and name not in arms:
            known = ", ".join(map(repr, arms))
            raise UsageError(
                f"the rule's {what} {name!r} is no arm of this experiment, so nothing would ever be decided. Its arms: "
                f"{known}. Name one of them in the rule, or launch {name!r} with the others."
            )
    if rule.arm and rule.arm == rule.baseline:
        raise UsageError(f"the rule compares arm {rule.arm!r} with itself. Name another arm or baseline in it.")


def design_words(plan: Plan, journal: Journal | None, ledger: LedgerReader) -> str:
    """Return which design a launch of a plan registers, in a sentence; empty where it registers none.

    Raises:
        UsageError: The rule contradicts the plan.
    """
    if journal is None or not journal.is_written or journal.rule is None or plan.launcher == "dry-run":
        return ""
    check_design(plan, journal.rule, ledger)
    own, known = _family(plan, journal, ledger), _designs(ledger)
    if own and any((own["family"], own["design"]) == (each.family, each.design) for each in known):
        return ""
    if said := _seen_by_plan(plan, journal.rule, str(own.get("family", "")), ledger):
        return f"This launch makes no registered claim. {said}"
    number = number_in_family(plan, journal, ledger)
    if number is None:
        return "The rule does not say which arm it is about, so this launch registers no design: name its arm."
    level = f"level {level_of(number, journal.rule.level, plan.control):.2g}"
    several = plan.control.chosen_from if plan.control is not None else 1
    chosen = f" Its control was one of {several} arms to choose from, so it has 1/{several}." if several > 1 else ""
    if number == 1:
        return f"Registers design 1 of its family ({level}), the first with this baseline, metric and task.{chosen}"
    return (
        f"Registers design {number} of its family: {level}, since {counted(number - 1, 'design')} with this baseline "
        f"or arm, metric and task came before.{chosen}"
    )


def _seen_by_plan(plan: Plan, rule: Rule, family: str, ledger: LedgerReader) -> str:
    about = arms_of_rule(rule, list(_configs(plan, ledger)))
    if about is None or ledger.has_plan(plan.key):
        return ""
    for name in about:
        jobs = [job for job in plan.jobs if job.arm == name and job.counts]
        if said := seen(ledger, name, jobs, math.inf, family if name == about[1] else ""):
            return said
    return ""


def number_in_family(plan: Plan, journal: Journal, ledger: LedgerReader) -> int | None:
    """Return which design of its family a rule is, or would be if `plan` were launched now; None where it has none."""
    found = _family(plan, journal, ledger)
    return _number(_designs(ledger), _design(found)) if found else None


def registration_of(
    workspace: Workspace, jobs: Sequence[JobRef], journal: Journal, *, level: float | None = None
) -> Registration:
    """Say of the rule of some jobs whether what it decides was registered before they ran, and at which level.

    Args:
        level: Error rate of the family; the rule's own where None.

    Raises:
        LedgerError: What was recorded cannot be read.
    """
    rule = journal.rule
    alpha = level if level is not None else rule.level if rule is not None else LEVEL
    if not jobs:
        none = "Nothing is launched yet; hash and time are recorded at the launch."
        return Registration(none, none, level=alpha)
    arms = list(dict.fromkeys(job.arm or job.run for job in jobs))
    about = arms_of_rule(rule, arms) if rule is not None else None
    with open_ledger(workspace, read_only=True) as ledger:
        rows = ledger.rows(run_names=[job.run for job in jobs])
        rows = without_runs_of(rows, controls_of(ledger, [row.plan_key for row in rows]))
        keys = list(dict.fromkeys(row.plan_key for row in rows))
        recorded = recorded_in(ledger, keys)
        if not recorded and (not keys or ledger.events(kind="rebuilt")):
            lost = "The launch of these runs is not recorded here, so only git can tell when this was written."
            return Registration(lost, lost, level=alpha)
        changed, sentence = change_since_launch(journal, recorded)
        if changed or about is None or rule is None:
            reason = sentence if changed else "The rule does not say which arm it is about."
            return Registration(sentence, reason, level=alpha, is_changed=changed)
        return _of_design(ledger, jobs, rows, journal, about, Registration(sentence, level=alpha))


def _of_design(
    ledger: LedgerReader,
    jobs: Sequence[JobRef],
    rows: Sequence[TrainingJob | UnreadableJob],
    journal: Journal,
    about: tuple[str, str],
    plain: Registration,
) -> Registration:
    """Return the registration of two arms whose rule is still what was recorded, from `plain` with the rule's level."""
    rule = journal.rule
    assert rule is not None
    names = dict.fromkeys(row.experiment for row in rows if counts_as_seed(row.role) and row.arm in about)
    runs = [row for name in names for row in ledger.rows(experiment=name) if counts_as_seed(row.role)]
    control = next((one for one in controls_of(ledger, [row.plan_key for row in runs]) if one.arm in about), None)
    own = tuple(name for name in about if control is None or name != control.arm)
    first = {name: _first_plan(runs, name) for name in own}
    recorded = recorded_in(ledger, [*dict.fromkeys(row.plan_key for row in rows), *filter(None, first.values())])
    for name, key in first.items():
        if late := _recorded_late(ledger, name, key, recorded, journal):
            return replace(plain, reason=late)
    seeds = {name: _planned_seeds(ledger, key, name, rule) for name, key in first.items()}
    if control is not None:
        seeds = dict.fromkeys(about, control.seeds)
    number = _recorded_number(ledger, [key for key in first.values() if key])
    found = replace(plain, number=number, seeds=seeds)
    design = [row for row in runs if row.seed in seeds.get(row.arm, ())]
    reason = left_out(design, [job.run for job in jobs])
    if control is not None and not reason:
        reason = control_problem(ledger, control, runs, first, rule.planned, [job.run for job in jobs])
    arms = [control.arm] if control is not None else []
    if not reason and arms_of_rule(rule, list(dict.fromkeys([*arms, *(row.arm for row in runs)]))) != about:
        reason = f"Of all arms of the experiment the rule does not say {about[0]!r} and {about[1]!r}: name them in it."
    if any(seed >= CHOOSING for planned in seeds.values() for seed in planned):
        reason = f"Seeds from {CHOOSING:,} upward are those that a search chose by."
    reason = reason or made_otherwise(design, first) or seen_before(ledger, own, design, first, recorded)
    if reason or number is None:
        return replace(found, reason=reason)
    return replace(found, level=level_of(number, plain.level, control))


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
    when = _minute(first.at)
    if first.digest == journal.digest:
        return False, f"Unchanged since the launch on {when} ({mine})."
    parts = ["rule" if _rules_differ(journal, first) else "", "hypothesis" if _texts_differ(journal, first) else ""]
    what = " and ".join(filter(None, parts)) or "text"
    return True, (
        f"The {what} changed after the launch on {when}: hash {first.digest[:SHOWN_HASH]} then, "
        f"{journal.digest[:SHOWN_HASH]} now. What is decided by a rule written after the data confirms nothing."
    )


def _recorded_late(
    ledger: LedgerReader, arm: str, key: str | None, recorded: Iterable[Recorded], journal: Journal
) -> str:
    """Return that what stands now was not recorded before an arm's first launch; empty where it was."""
    if key is None:
        return f"Nobody recorded how {arm!r} was launched."
    ours = [record for record in recorded if record.plan_key == key]
    at = min((row.created_at for row in ledger.rows(plan_key=key) if isinstance(row, TrainingJob)), default=0.0)
    if not ours or ours[0].at > at:
        return f"Nothing was recorded before {arm!r} was launched{f' on {_minute(at)}' if at else ''}."
    if ours[0].digest != journal.digest:
        return f"Another rule or hypothesis was recorded when {arm!r} was launched on {_minute(at)}."
    return ""


def _first_plan(rows: Iterable[TrainingJob | UnreadableJob], arm: str) -> str | None:
    return next((row.plan_key for row in rows if row.arm == arm), None)


def _planned_seeds(ledger: LedgerReader, key: str | None, arm: str, rule: Rule) -> tuple[int, ...]:
    """Return the seeds of an arm that decide, in their order: those of its first launch, then the next higher ones."""
    launched = sorted({row.seed for row in ledger.rows(plan_key=key) if row.arm == arm and row.role == "seed"})
    return in_order(launched, rule)


def in_order(launched: Sequence[int], rule: Rule) -> tuple[int, ...]:
    """Return the seeds of an arm that a rule plans, where some are launched: these, then the next higher numbers."""
    seeds = sorted(set(launched))
    planned = rule.planned if rule.planned is not None else len(seeds)
    while len(seeds) < planned:
        seeds.append(seeds[-1] + 1 if seeds else 0)
    return tuple(seeds[:planned])


def _family(plan: Plan, journal: Journal, ledger: LedgerReader) -> dict[str, Any]:
    """Return the digests of a design and of its family; empty where the rule does not say which arms it is about.

    A design is known by experiment, text, rule and what its arms compute; so a second launch of it, with more seeds, is
    no further attempt.
    """
    configs = _configs(plan, ledger)
    about = arms_of_rule(journal.rule, list(configs)) if journal.rule is not None else None
    if about is None or journal.rule is None:
        return {}
    arm, baseline = (task_of(configs[name]) for name in about)
    return {
        "family": _digest([journal.rule.metric, baseline]),
        "turned": _digest([journal.rule.metric, arm]),
        "design": _digest([plan.experiment, journal.digest, arm, baseline]),
    }


def _configs(plan: Plan, ledger: LedgerReader) -> dict[str, TrainingJobConfig]:
    """Return the config of each arm of an experiment, those launched earlier first, as the page has them."""
    rows = ledger.rows(experiment=plan.experiment)
    controls = controls_of(ledger, [row.plan_key for row in rows]) + ([plan.control] if plan.control else [])
    earlier = {row.arm: row.config for row in rows if isinstance(row, TrainingJob) and row.arm}
    return {one.arm: one.config for one in controls} | earlier | {job.arm: job.config for job in plan.jobs}


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class _Design(NamedTuple):
    """A design by its digests; `turned` is the family that it would be of with its arms turned round."""

    family: str
    turned: str
    design: str


def _design(data: Mapping[str, Any]) -> _Design:
    return _Design(*(str(data.get(name, "")) for name in _Design._fields))


def _designs(ledger: LedgerReader) -> list[_Design]:
    """Return every design that was recorded, oldest first."""
    found = [_design(event.data) for event in ledger.events(kind=KIND)]
    return [design for design in found if design.family and design.design]


def _number(designs: Sequence[_Design], own: _Design) -> int:
    """Return which design one is of its family, as baseline or as arm: "a above b" is "b below a" with other names."""
    numbers = []
    for task in filter(None, (own.family, own.turned)):
        known = list(dict.fromkeys(each.design for each in designs if task in (each.family, each.turned)))
        numbers.append(known.index(own.design) + 1 if own.design in known else len(known) + 1)
    return max(numbers)


def _recorded_number(ledger: LedgerReader, keys: Sequence[str]) -> int | None:
    """Return which design of its family was recorded with some plans; None where an earlier version recorded them."""
    events = [event for key in keys for event in ledger.events(plan_key=key) if event.kind == KIND]
    own = [event.data for event in sorted(events, key=lambda event: event.at) if event.data.get("family")]
    if not own:
        return None
    return _number(_designs(ledger), _design(own[0]))


def _minute(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _rules_differ(journal: Journal, first: Recorded) -> bool:
    return first.journal is None or first.journal.rule != journal.rule


def _texts_differ(journal: Journal, first: Recorded) -> bool:
    before = first.journal.hypothesis if first.journal else ""
    return " ".join(before.split()) != " ".join(journal.hypothesis.split())

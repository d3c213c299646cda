"""Registered designs: a rule that was recorded before the runs that it decides on, as which design of its family.

What is no longer what was recorded is exploratory. `registration_of` decides it, for every page and command.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from experiments.jobs.controls.pooled import controls_of, without_runs_of
from experiments.jobs.covering import attested
from experiments.jobs.families import (
    arms_of_rule,
    configs_of,
    families_until,
    families_words,
    family_of,
    is_recorded,
    kin_words,
    level_of,
    place_of,
    recorded_families,
    recorded_place,
)
from experiments.jobs.journal import KIND, SHOWN_HASH, Journal, Recorded, recorded_in
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.permits import Permit
from experiments.jobs.rule import LEVEL, Rule
from experiments.jobs.selection import (
    control_problem,
    left_out,
    made_otherwise,
    picked_of,
    seen,
    seen_before,
    skipped,
    unequal_steps,
)
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.redaction import mask_text
from experiments.project.standing import CHOOSING, counts_as_seed
from experiments.project.workspace import Workspace
from experiments.runs.evaluations import is_of_evaluations
from experiments.types import JobRef, KeptControl, Plan, TrainingJob


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
        kin: How many designs of the same metric and trainer came before it with a baseline of other settings. They are
            other families, and it is for a reader to judge whether the settings make another question.
        control: The kept control that stands for the baseline; None for one that was launched with the arm.
        asked: Of how many families claims were registered here, and how many false ones that makes, as a sentence.
        skipped: That lower seeds were passed over which the trainer had run with other settings, as a sentence.
    """

    sentence: str
    reason: str = ""
    number: int | None = None
    level: float = LEVEL
    seeds: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    is_changed: bool = False
    kin: int = 0
    control: KeptControl | None = None
    asked: str = ""
    skipped: str = ""

    @property
    def is_registered(self) -> bool:
        """Whether a claim by the rule is one that was registered."""
        return not self.reason

    @property
    def words(self) -> str:
        """Which kind of claim it makes: `Registered: design 7 of this family, level 0.00062.`."""
        if self.reason:
            return f"Exploratory: {self.reason}"
        return f"Registered{self._place}.{kin_words(self.kin)}{self.asked}{self.skipped}"

    @property
    def _place(self) -> str:
        against = f", against control {self.control.name}" if self.control is not None else ""
        return "" if self.number is None else f": design {self.number} of its family, level {self.level:.2g}{against}"


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
    attested(permit, "record a hypothesis", workspace)
    with open_ledger(workspace) as ledger:
        before = recorded_in(ledger, [plan.key])
        if before and before[-1].digest == journal.digest:
            return False
        content = journal.model_dump(mode="json", exclude={"notes"})
        content["hypothesis"] = mask_text(content["hypothesis"])
        family = family_of(plan, journal, ledger)
        ledger.add_event(KIND, plan_key=plan.key, digest=journal.digest, journal=content, **family)
    return True


def check_design(plan: Plan, rule: Rule | None, ledger: LedgerReader) -> None:
    """Refuse a rule that no run of a plan can ever decide.

    Raises:
        UsageError: It names an arm that neither the plan nor an earlier launch of its experiment has.
    """
    if rule is None or not plan.jobs:
        return
    arms = list(configs_of(plan, ledger))
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
    own = family_of(plan, journal, ledger)
    if own and is_recorded(own, ledger):
        return ""
    if said := _seen_by_plan(plan, journal.rule, str(own.get("family", "")), ledger):
        return f"This launch makes no registered claim. {said}"
    if not own:
        return "The rule does not say which arm it is about, so this launch registers no design: name its arm."
    number, kin = place_of(own, ledger)
    level = f"level {level_of(number, journal.rule.level, plan.control):.2g}"
    several = plan.control.chosen_from if plan.control is not None else 1
    chosen = f" Its control was one of {several} arms to choose from, so it has 1/{several}." if several > 1 else ""
    before = f"{kin_words(kin)}{families_words(families_until(own, ledger), journal.rule.level)}"
    if number == 1:
        first = f"Registers design 1 of its family ({level}), the first with this baseline, metric and task."
        return f"{first}{chosen}{before}"
    return (
        f"Registers design {number} of its family: {level}, since {counted(number - 1, 'design')} with this baseline "
        f"or arm, metric and task came before.{chosen}{before}"
    )


def _seen_by_plan(plan: Plan, rule: Rule, family: str, ledger: LedgerReader) -> str:
    configs = configs_of(plan, ledger)
    about = arms_of_rule(rule, list(configs))
    if about is None or ledger.has_plan(plan.key):
        return ""
    if rule.window is None and (said := unequal_steps({name: configs[name] for name in about})):
        return said
    if plan.control is not None and (said := picked_of(plan.control, rule.planned)):
        return said
    for name in about:
        jobs = [job for job in plan.jobs if job.arm == name and job.counts]
        seeds = in_order([job.seed for job in jobs], rule)
        if said := seen(ledger, name, jobs, seeds, family=family if name == about[1] else ""):
            return said
    return ""


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
    keys = [key for key in first.values() if key]
    number, kin = recorded_place(ledger, keys)
    asked = families_words(recorded_families(ledger, keys), rule.level)
    found = replace(plain, number=number, seeds=seeds, kin=kin, control=control, asked=asked)
    design = [row for row in runs if row.seed in seeds.get(row.arm, ())]
    reason = left_out(design, [job.run for job in jobs])
    if control is not None and not reason:
        reason = control_problem(ledger, control, runs, first, rule.planned, [job.run for job in jobs])
    arms = [control.arm] if control is not None else []
    if not reason and arms_of_rule(rule, list(dict.fromkeys([*arms, *(row.arm for row in runs)]))) != about:
        reason = f"Of all arms of the experiment the rule does not say {about[0]!r} and {about[1]!r}: name them in it."
    if is_of_evaluations(rule.metric) and rule.last_values is None:
        reason = reason or (
            "The rule does not say how many of the last checkpoints are evaluated, so that could be chosen afterwards: "
            "last_values=10."
        )
    if any(seed >= CHOOSING for planned in seeds.values() for seed in planned):
        reason = f"Seeds from {CHOOSING:,} upward are those that a search chose by."
    reason = reason or made_otherwise(design, first)
    if rule.window is None:
        configs = {row.arm: row.config for row in reversed(design) if isinstance(row, TrainingJob)}
        configs |= {control.arm: control.config} if control is not None else {}
        reason = reason or unequal_steps({name: configs[name] for name in about if name in configs})
    reason = reason or seen_before(ledger, own, design, first, recorded, seeds)
    if reason or number is None:
        return replace(found, reason=reason)
    mine = next((row for row in design if isinstance(row, TrainingJob) and row.arm == about[0]), None)
    at = next((record.at, record.plan_key) for record in recorded if record.plan_key == first[own[0]])
    said = skipped(ledger, mine.config, seeds[mine.arm], at) if mine is not None and control is None else ""
    return replace(found, level=level_of(number, plain.level, control), skipped=said)


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
    if not ours or ours[0].at > at or not ledger.was_told_first(KIND, key):
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


def _minute(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _rules_differ(journal: Journal, first: Recorded) -> bool:
    return first.journal is None or first.journal.rule != journal.rule


def _texts_differ(journal: Journal, first: Recorded) -> bool:
    before = first.journal.hypothesis if first.journal else ""
    return " ".join(before.split()) != " ".join(journal.hypothesis.split())

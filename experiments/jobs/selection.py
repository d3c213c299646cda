"""Whether the runs of a design may have been selected by what they showed: left out, made otherwise, or seen before.

A claim that is registered rests on all runs of its arms and seeds, made as they were registered, on seeds of which
nobody knew anything then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.jobs.journal import KIND, Recorded
from experiments.jobs.ledger import UnreadableJob
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.watch.verdicts import steps_asked_for
from experiments.project.look import counted
from experiments.project.standing import CHOOSING
from experiments.types import KeptControl, PlannedJob, TrainingJob, TrainingJobConfig

_COMPUTED: Mapping[str, Any] = {"curriculum": True, "additional_args": True, "trainer": {"command", "env", "values"}}


def task_of(config: TrainingJobConfig) -> list[Any]:
    """Return what a job computes, without what it computes on: another machine is no other baseline.

    Nor is one whose trainer is called otherwise, or of which more is known: of a trainer its command line counts.
    """
    content = config.model_dump(mode="json", include=_COMPUTED)
    return [content.get("curriculum", ""), content.get("additional_args", []), content.get("trainer")]


def left_out(design: Sequence[TrainingJob | UnreadableJob], shown: Sequence[str]) -> str:
    """Return that not all runs of a design are shown, or not in their order, in words; empty where they are.

    Args:
        design: The ledger's runs of the arms and seeds that decide, oldest first.
        shown: Run names.
    """
    experiments = list(dict.fromkeys(row.experiment for row in design))
    if len(experiments) > 1:
        return f"The arms are of several experiments ({', '.join(experiments)}), which no rule was recorded to compare."
    launched = [row.run_name for row in design if row.state != "planned"]
    if hidden := [run for run in launched if run not in shown]:
        return (
            f"{counted(len(hidden), 'run')} of the seeds that decide {'is' if len(hidden) == 1 else 'are'} not shown, "
            f"such as {hidden[0]}. Show all of the experiment."
        )
    for arm, seed in dict.fromkeys((row.arm, row.seed) for row in design):
        own = [row.run_name for row in design if (row.arm, row.seed) == (arm, seed) and row.state != "planned"]
        if [run for run in shown if run in own] != own:
            return f"The attempts at seed {seed} of {arm} are not in the order in which they were launched."
    return ""


def made_otherwise(design: Iterable[TrainingJob | UnreadableJob], first: Mapping[str, str | None]) -> str:
    """Return that a run of a design was told other things than those that were registered; empty where none was."""
    known: dict[str, list[list[Any]]] = {}
    for row in design:
        if isinstance(row, UnreadableJob):
            return f"{row.sentence()}."
        task, tasks = task_of(row.config), known.setdefault(row.arm, [])
        if row.plan_key == first[row.arm]:
            tasks.append(task)
        elif task not in tasks:
            return (
                f"Run {row.run_name} of {row.arm!r} has other settings than those that were registered. Launch it as "
                "another arm."
            )
    return ""


def unequal_steps(arms: Mapping[str, TrainingJobConfig]) -> str:
    """Return that arms are to train unequal steps by their configs; empty where they are not.

    Runs that log at other steps are compared where both have nearly ended, and a tenth more learns more.
    """
    asked = {arm: steps_asked_for(config) for arm, config in arms.items()}
    if len(set(asked.values())) < 2:
        return ""
    each = ", ".join(f"{'its own number' if n is None else f'{n:,.0f}'} for {arm!r}" for arm, n in asked.items())
    return (
        f"The arms train unequal steps ({each}), and whichever trains longer has learned longer. Give all the same, or "
        "say in the rule at which steps they are compared: window=(FIRST, LAST)."
    )


def control_problem(
    ledger: LedgerReader,
    control: KeptControl,
    runs: Sequence[TrainingJob | UnreadableJob],
    first: Mapping[str, str | None],
    planned: int | None,
    shown: Sequence[str],
) -> str:
    """Return why no claim against a kept control is registered; empty where one may be.

    Its scores were known when the design was recorded. So the design must not have picked of them: it names the
    control before its first launch, and is decided by all of its seeds.

    Args:
        runs: The ledger's runs of the experiment.
        first: The first plan of the candidate, by arm.
        planned: How many seeds decide, as the rule says; None where it leaves that to the launch.
        shown: Run names.
    """
    if any(row.arm == control.arm for row in runs):
        return (
            f"{control.arm!r} was launched here beside control {control.name!r}, which has runs of that name. Launch "
            "the other arm under a new experiment name."
        )
    for arm, key in first.items():
        plan = ledger.plan(key) if key is not None else None
        if plan is None or plan.control != control:
            return f"{arm!r} was launched before control {control.name!r} was named for it."
    hidden = [run.run for run in control.runs if run.run not in shown]
    if hidden or [run for run in shown if run in {each.run for each in control.runs}] != [
        run.run for run in control.runs
    ]:
        return f"Not all runs of control {control.name!r} are shown in their order. Show all of them."
    return picked_of(control, planned)


def picked_of(control: KeptControl, planned: int | None) -> str:
    """Return that a rule decides by other than all seeds of a control; empty where it does not.

    Args:
        planned: How many seeds decide, as the rule says; None where it leaves that to the launch.
    """
    if planned is None or planned == len(control.seeds):
        return ""
    return (
        f"The rule decides by {planned} seeds, and control {control.name!r} has {len(control.seeds)}, whose scores "
        "were known. All of them decide: leave seeds out of the rule."
    )


def seen_before(
    ledger: LedgerReader,
    about: Sequence[str],
    design: Iterable[TrainingJob | UnreadableJob],
    first: Mapping[str, str | None],
    recorded: Iterable[Recorded],
    planned: Mapping[str, Sequence[int]],
) -> str:
    """Return that what decides was there to be looked at when a design was recorded; empty where it was not.

    Args:
        planned: The seeds that decide, by arm.
    """
    at = {record.plan_key: (record.at, record.plan_key) for record in reversed(list(recorded))}
    families = families_of(ledger)
    family = next((families[key] for key in first.values() if key in families), "")
    for arm in about:
        own = [row for row in design if isinstance(row, TrainingJob) and row.arm == arm]
        before = at[first[arm] or ""]
        if said := seen(ledger, arm, own, planned[arm], before, family if about[1:] == (arm,) else ""):
            return said
    return ""


def seen(
    ledger: LedgerReader,
    arm: str,
    jobs: Sequence[TrainingJob | PlannedJob],
    planned: Sequence[int],
    before: tuple[float, str] | None = None,
    family: str = "",
) -> str:
    """Return that the same seeds of the same task ran before a design was recorded, in words; empty where none did.

    Args:
        planned: The seeds that decide, also those that are not launched yet.
        before: Time and plan of the record; None for one that would be made now.
        family: Of which runs may have been seen: those of a baseline, whose other designs have lowered the level. Which
            of its seeds decide must not have been picked by what they showed, though: all that were seen, or none.
    """
    families, seeds = families_of(ledger) if family else {}, set(planned)
    for config in {json.dumps(task_of(job.config)): job.config for job in jobs}.values():
        # Only what is left is read whole: of a baseline that many designs have there is much.
        told = ledger.seeds_told(config.additional_args, before)
        ours = {run: seed for run, key, seed in told if family and families.get(key) == family}
        is_picked = not seeds.isdisjoint(ours.values()) and not seeds.issuperset(ours.values())
        names = [run for run, _, seed in told if (is_picked if run in ours else seed in seeds)]
        alike = [
            row
            for row in (ledger.rows(run_names=names) if names else ())
            if isinstance(row, TrainingJob) and task_of(row.config) == task_of(config)
        ]
        fresh = max([*seeds, *(row.seed for row in alike if row.seed < CHOOSING)], default=0) + 1
        if other := next((row for row in alike if row.run_name not in ours), None):
            return (
                f"Seed {other.seed} of {arm!r} had been run before this was recorded ({other.run_name}), so it may "
                f"have been chosen by. Launch it on seeds that nobody saw: --seeds {fresh}..{fresh + 4}"
            )
        left = sorted({row.seed for row in alike} - seeds)
        if left and not seeds.isdisjoint(row.seed for row in alike):
            return (
                f"Of the seeds of {arm!r} that earlier designs showed, some decide and others do not, such as seed "
                f"{left[0]}, so they may have been picked. Take all of them, or only seeds that nobody saw: "
                f"--seeds {fresh}..{fresh + 4}"
            )
    return ""


def skipped(ledger: LedgerReader, config: TrainingJobConfig, planned: Sequence[int], before: tuple[float, str]) -> str:
    """Return that seeds were passed over which a trainer had run with other settings, in words; empty where none were.

    A setting that changes nothing makes seeds fresh by their settings, and their scores known all the same. The lowest
    seeds there are were not picked by scores; which others decide may have been.
    """
    known = {seed for seed in ledger.seeds_of_trainer(config, before) if seed < CHOOSING}
    taken = known & set(planned)
    left = sorted(seed for seed in known - taken if taken and seed < max(taken))
    if not left:
        return ""
    which = ", ".join(map(str, sorted(taken)[:5])) + (", ..." if len(taken) > 5 else "")
    return (
        f" Its seeds ({which}) had been run with other settings of this trainer, and "
        f"{counted(len(left), 'lower seed')} such as {left[0]} passed over."
    )


def families_of(ledger: LedgerReader) -> dict[str, str]:
    """Return the family of the design that was recorded first with each plan, by the plan's key."""
    events = [event for event in reversed(ledger.events(kind=KIND)) if isinstance(event.data.get("family"), str)]
    return {str(event.plan_key): str(event.data["family"]) for event in events}

"""A plan that launches only candidates beside a kept control, and what of the control is not as it would be now.

Compared is what decides learning: the files of the project but its texts, what is kept in it and the recipe that made
the plan; the packages that compute what a run logs; and the machine. What differs is refused, or said where the recipe
says that it may. The settings of the control need no such leave: a recipe whose own arm has others is refused.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from experiments.jobs.commands import with_interpreter
from experiments.jobs.controls.files import ControlFile, read_control
from experiments.jobs.events import FREE
from experiments.jobs.plan import RecordedJob
from experiments.jobs.selection import task_of
from experiments.jobs.specs import job_environment
from experiments.project.code_tree import is_no_code, read_code
from experiments.project.environment.differences import Conditions, explained_differences
from experiments.project.environment.probing import probed
from experiments.project.environment.records import Machine, read_environment
from experiments.project.errors import ExperimentsError, LaunchError, UsageError
from experiments.project.files import inherited
from experiments.project.git import GitError, changed_files
from experiments.project.look import counted
from experiments.project.provenance import file_names
from experiments.project.snapshots import Snapshot, differing_now, is_there, top_of
from experiments.project.workspace import Workspace
from experiments.types import Differing, KeptControl, Plan, TrainingJobConfig

_TEXTS = (".md", ".rst")
_DECIDES = 40
"""Weight of a difference from which on it is one in what decides learning: other packages and threads lie below."""
_TRAINER = "experiments"
"""The package that the reference trainer is in."""
_VALID_S = 5
_MOST_SAID = 4


def given_control(name: str, may_differ: Sequence[str], recipe: Path, workspace: Workspace) -> KeptControl:
    """Return the control that a recipe names, as its plan holds it.

    Raises:
        UsageError: It cannot be used, or what may differ of it is no such thing.
    """
    known: tuple[Differing, ...] = ("code", "packages", "machine")
    if isinstance(may_differ, str) or set(may_differ) - set(known):
        raise UsageError(
            f"controls_may_differ = {may_differ!r} in the recipe names what no control differs in. Write some of: "
            f"{known!r}, or ('machine',) for one."
        )
    kept = read_control(workspace.root, name)
    inside = recipe.is_relative_to(workspace.root.resolve())
    allowed = [each for each in known if each in may_differ]
    return kept.used(allowed, recipe.relative_to(workspace.root.resolve()).as_posix() if inside else "")


def candidates(
    recorded: Sequence[RecordedJob], seeds: Sequence[int] | None, control: KeptControl | None
) -> tuple[list[RecordedJob], Sequence[int] | None]:
    """Return the jobs that a recipe recorded beside those of the control, and the seeds that all of them run on.

    Args:
        recorded: With their trainers themselves, not their names.

    Raises:
        UsageError: The recipe's own arm of the control's name has other settings, there is nothing beside it, or other
            seeds are asked for than the control has.
    """
    if control is None:
        return list(recorded), seeds
    task = task_of(control.config)
    left = []
    for job in recorded:
        if task_of(job.config) == task:
            continue
        if job.arm == control.arm:
            raise UsageError(
                f"arm {job.arm!r} of the recipe has other settings than control {control.name!r}: "
                f"{_settings(job.config, control.config)}. Give it the control's, name it otherwise, or keep a control "
                "of these settings."
            )
        left.append(job)
    if not left:
        raise UsageError(
            f"all that the recipe launches is control {control.name!r} itself, which is kept. Record another arm in "
            "launch_training_runs, or vary a setting: --vary FIELD=VALUE"
        )
    own = sorted({job.seed for job in left if job.seed is not None})
    asked = sorted(own or seeds or control.seeds)
    if others := [seed for seed in asked if seed not in control.seeds]:
        raise UsageError(
            f"control {control.name!r} has seeds {_listed(control.seeds)}, and its arms run on the same; "
            f"{_listed(others)} {'is none' if len(others) == 1 else 'are none'} of them. Leave --seeds out."
        )
    return left, None if own else asked


def control_notes(plan: Plan, workspace: Workspace, *, has_own_code: bool = False) -> list[str]:
    """Return what one should know of a plan's control before a launch; empty where it has none.

    Args:
        has_own_code: Whether the jobs run code of before, so that what lies here now is not to be compared.

    Raises:
        LaunchError: The control differs from what would run now, in what the recipe does not say may differ.
        UsageError: It cannot be read any more.
    """
    control = plan.control
    if control is None:
        return []
    kept = read_control(workspace.root, control.name)
    if kept.version != control.version:
        raise UsageError(f"control {control.name!r} was kept anew meanwhile. Make the plan again.")
    number, of = len({job.seed for job in plan.jobs}), len(control.seeds)
    notes = [f"{stands_words(control)} ({kept.sentence})"]
    if number < of:
        notes.append(f"{number} of the {of} seeds of control {control.name} are planned: a claim waits for the others")
    differing = {} if has_own_code else _code_differs(control, kept, plan, workspace)
    told, unsure = _conditions_differ(kept, plan, workspace)
    differing |= told
    if refused := [what for what in differing if what not in control.may_differ]:
        words = "; ".join(f"{what} ({differing[what]})" for what in refused)
        allow = ", ".join(map(repr, [*control.may_differ, *refused]))
        raise LaunchError(
            f"control {control.name!r} is not what would run now: {words}. Keep a new one of runs of today "
            f"(experiments controls keep), or say in the recipe that it may differ: controls_may_differ = ({allow},)"
        )
    notes += [
        f"control {control.name} differs in {what}, as the recipe allows: {said}" for what, said in differing.items()
    ]
    if "code" in differing:
        notes.append("a claim over different code needs pool_codes=True in the rule")
    return [*notes, *unsure]


def stands_words(control: KeptControl) -> str:
    """Return that a control stands for a baseline that is not launched."""
    seeds = counted(len(control.seeds), "seed")
    return f"control {control.name} stands for the baseline, whose {seeds} are not launched"


def deciding_files(
    names: Iterable[str], control: KeptControl, top: Path, prefix: str, commands: Iterable[str]
) -> list[str]:
    """Return which of some files can decide what a run learns: not texts, nor the recipe that no command names."""
    recipe = control.recipe if prefix == "." else f"{prefix}/{control.recipe}"
    words = set(commands)
    stem = Path(control.recipe).stem
    is_run = any(stem and stem in word for word in words)
    return [
        name
        for name in names
        if not name.endswith(_TEXTS) and not is_no_code(name, (top / name).parent) and (name != recipe or is_run)
    ]


def _code_differs(control: KeptControl, kept: ControlFile, plan: Plan, workspace: Workspace) -> dict[Differing, str]:
    snapshot = kept.snapshot
    files = _differing(snapshot, workspace, int(time.time() / _VALID_S))
    if files is None:
        return {"code": f"its snapshot {snapshot.id[:10]} and commit {str(snapshot.base)[:10]} are not here: git fetch"}
    # A run's name holds the experiment's, which is mostly called as its recipe.
    words = [word.replace(job.run_name, "") for job in plan.jobs[:1] for word in job.command]
    names = deciding_files(files, control, top_of(workspace.root, snapshot), snapshot.prefix, words)
    return {"code": f"{counted(len(names), 'file')}: {file_names(tuple(names))}"} if names else {}


@functools.lru_cache(maxsize=16)
def _differing(snapshot: Snapshot, workspace: Workspace, _moment: int) -> list[str] | None:
    """Return the files that are not now as in a snapshot; None where git has nothing to tell it by.

    Asked anew only every few seconds: a preview follows each key press.
    """
    now = read_code(workspace.root, most=0)["commit"]
    if not _can_compare(snapshot, workspace, now):
        return None
    return differing_now(snapshot, workspace.root, workspace.state, workspace.settings.snapshot_links)


def _can_compare(snapshot: Snapshot, workspace: Workspace, now: str | None) -> bool:
    """Say whether git has what tells which files differ: all that was changed, or the snapshot itself, and its base."""
    if snapshot.changed_count > len(snapshot.changed) and not is_there(workspace.state, snapshot):
        return False
    if snapshot.base in (None, now):
        return True
    try:
        changed_files(workspace.root, snapshot.base, now or "")
    except GitError:
        return False
    return True


def _conditions_differ(kept: ControlFile, plan: Plan, workspace: Workspace) -> tuple[dict[Differing, str], list[str]]:
    """Return what differs of packages and machine, and what cannot be compared before the launch."""
    if plan.launcher not in FREE:
        unknown = f"whether {plan.launcher} has the packages and machine of control {kept.name} is known once it runs"
        return {}, [f"{unknown}: where they differ, nothing is decided unless controls_may_differ names them"]
    job = plan.jobs[0]
    added = job_environment(plan, job, workspace.settings, workspace.runs / job.run_name)
    found = _probed(
        tuple(with_interpreter(job.command, sys.executable)),
        tuple(sorted(added.items())),
        workspace.root,
        workspace.state,
        int(time.time() / _VALID_S),
    )
    if found["machine"] is None:
        return {}, [
            f"packages and machine are not compared with those of control {kept.name}: {found['environment_reason']}"
        ]
    try:
        environment = read_environment(workspace.state, found["environment"])
    except ExperimentsError as error:
        return {}, [f"packages and machine are not compared with those of control {kept.name}: {error}"]
    return conditions_differ(kept, Conditions(environment, Machine.model_validate(found["machine"]))), []


def conditions_differ(kept: ControlFile, now: Conditions) -> dict[Differing, str]:
    """Return what of packages and machine, in words, differs from a control's in what decides learning."""
    machines: Sequence[Machine | None] = kept.machines or (None,)
    each = [explained_differences(Conditions(kept.environment, machine), now) for machine in machines]
    differences = min(each, key=lambda found: sum(one.weight >= _DECIDES for one in found))
    told: dict[Differing, list[str]] = {}
    for one in differences:
        if one.weight >= _DECIDES or one.name == _TRAINER:
            of_packages = one.kind in {"package", "python", "blas"}
            told.setdefault("packages" if of_packages else "machine", []).append(one.words)
    return {what: _some(words) for what, words in told.items()}


@functools.lru_cache(maxsize=16)
def _probed(
    command: tuple[str, ...], added: tuple[tuple[str, str], ...], root: Path, state: Path, _moment: int
) -> dict[str, Any]:
    """Return what a job would run in, asked anew only every few seconds: a preview follows each key press."""
    return probed(command, inherited() | dict(added), root, state)


def _settings(own: TrainingJobConfig, kept: TrainingJobConfig) -> str:
    ours, theirs = ({"curriculum": one.curriculum, **one.set_arguments()} for one in (own, kept))
    names = [name for name in dict.fromkeys([*ours, *theirs]) if ours.get(name) != theirs.get(name)]
    said = [f"{name} {ours.get(name, 'not set')!s} (control {theirs.get(name, 'not set')!s})" for name in names]
    return _some(said) if said else "another trainer"


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - _MOST_SAID} more" if len(words) > _MOST_SAID else ""
    return f"{', '.join(words[:_MOST_SAID])}{more}"


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds[:10])) + (", ..." if len(seeds) > 10 else "")

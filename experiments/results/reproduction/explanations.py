"""Which recorded differences between two runs could explain that they came to other results, most likely first."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from experiments.jobs.ran import Ran
from experiments.project.environment.differences import Conditions, explained_differences
from experiments.project.look import MISSING, counted
from experiments.project.provenance import Provenance
from experiments.results.reproduction.values import Explanation
from experiments.results.rows import OWN_KEYS, flat_config
from experiments.types import TrainingJob

_NAMED = 3
# What we ourselves write into every run's config, or set for every job: where it runs, not what it computes.
_OURS = ("experiments.", "_wandb")
_NOT_COMPUTING = ("WANDB_", "EXPERIMENTS_", "PYTHONUNBUFFERED", "PYTHONPATH", "UV_", "VIRTUAL_ENV", "GIT_")


def of_command(original: TrainingJob, reproduction: TrainingJob) -> list[Explanation]:
    """Return how seed and command line differ; a run's own name in its command is no difference."""
    found = []
    if original.seed != reproduction.seed:
        found.append(Explanation("seed", f"the seed differs ({original.seed} and {reproduction.seed})"))
    ours, theirs = (_words(job) for job in (original, reproduction))
    for key in dict.fromkeys([*ours, *theirs]):
        values = ours.get(key), theirs.get(key)
        is_seed = key in {"seed", "trainer.seed"} and original.seed != reproduction.seed
        if values[0] != values[1] and not is_seed:
            found.append(Explanation("command", f"the argument {key} differs ({_both(*values)})"))
    return found


def of_config(
    original: Mapping[str, Any], reproduction: Mapping[str, Any], *, told: Sequence[Explanation] = ()
) -> list[Explanation]:
    """Return how the resolved settings differ, as the trainers told them to W&B.

    Args:
        told: What the command lines explain; a setting that they give is not told again.
    """
    ours, theirs = flat_config(original), flat_config(reproduction)
    given = {found.words for found in told}
    return [
        Explanation("config", f"the setting {key} differs ({_both(ours.get(key), theirs.get(key))})")
        for key in dict.fromkeys([*ours, *theirs])
        if ours.get(key) != theirs.get(key) and key not in OWN_KEYS and not key.startswith(_OURS)
        if not any(words.startswith(f"the argument {key} differs") for words in given)
    ]


def of_code(original: Ran, reproduction: Ran, names: tuple[str, str]) -> tuple[list[Explanation], list[str]]:
    """Return how the code that ran differs, with the command that shows it, and what of it nobody knows.

    Args:
        names: The run names of both.
    """
    before, after = original.provenance(), reproduction.provenance()
    unknown = [
        f"which code {name} ran is not known: {code.why}"
        for name, code in zip(names, (original, reproduction), strict=True)
        if code.provenance() is None
    ]
    if before is None or after is None:
        return [], unknown
    command = shlex.join(["experiments", "diff", *names])
    found = []
    files = _changed_files(before, after)
    if before.commit != after.commit:
        words = f"the commit differs ({_short(before.commit)} and {_short(after.commit)})"
        found.append(Explanation("code", words + (f", and so do {listed(files)}" if files else ""), command))
    elif files:
        found.append(Explanation("code", f"the code differs in {listed(files)}", command))
    return found, unknown


def of_conditions(original: Conditions, reproduction: Conditions) -> tuple[list[Explanation], list[str]]:
    """Return how environment and machine differ, most likely first, and what of them is recorded of one run only."""
    found = explained_differences(original, reproduction)
    known = [Explanation(one.kind, one.words) for one in found if one.kind != "unknown"]
    return known, [one.words for one in found if one.kind == "unknown"]


def of_variables(
    original: Mapping[str, str], reproduction: Mapping[str, str], *, told: Collection[str] = ()
) -> list[Explanation]:
    """Return how what was set for the two trainers differs, of what can change a result.

    Args:
        told: Variables that the machine's record explains already.
    """
    found = []
    for name in dict.fromkeys([*original, *reproduction]):
        values = original.get(name), reproduction.get(name)
        if values[0] != values[1] and name not in told and can_change_a_result(name):
            kind = "threads" if name.endswith("_THREADS") else "kernel" if name.endswith("CORETYPE") else "variable"
            found.append(Explanation(kind, f"the variable {name} differs ({_both(*values)})"))
    return found


def can_change_a_result(variable: str) -> bool:
    """Say whether what a variable says may change what a trainer computes, and not only where and how it is watched."""
    return variable != "PATH" and not variable.startswith(_NOT_COMPUTING)


def _words(job: TrainingJob) -> dict[str, str]:
    """Return the words of a command by what is equal for the same option: the key, else its place."""
    found = {}
    for at, word in enumerate(job.command):
        key, sign, value = word.partition("=")
        found[key if sign else f"{at + 1}"] = (value if sign else word).replace(job.run_name, "{run}")
    return found


def _changed_files(before: Provenance, after: Provenance) -> list[str]:
    ours, theirs = (code.tree.files if code.tree is not None else {} for code in (before, after))
    return sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))


def listed(files: Sequence[str]) -> str:
    """Return the first few names of files, and how many more there are."""
    more = f" and {counted(len(files) - _NAMED, 'more file')}" if len(files) > _NAMED else ""
    return f"{', '.join(files[:_NAMED])}{more}"


def _both(one: object, other: object) -> str:
    return " and ".join(MISSING if value is None else str(value) for value in (one, other))


def _short(commit: str | None) -> str:
    return commit[:10] if commit else "none"

"""`experiments controls`: arms that are kept for reuse, so that a candidate need not launch its baseline once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.terminal import FittedColumn, FittedTable, console, say
from experiments.jobs.controls.files import FOLDER, ControlFile, KeptScores, names_in, read_control
from experiments.project.errors import UsageError
from experiments.project.look import MISSING, counted, quantity
from experiments.project.workspace import Workspace

_LIST = ("name", "arm", "seeds", "kept", "scores")


class ListedControl(Shown):
    """A control; `problem` says why it cannot be read, and all but its name is null then."""

    name: str
    experiment: str | None = None
    arm: str | None = None
    seeds: tuple[int, ...] | None = None
    kept_at: str | None = None
    version: str | None = None
    metrics: tuple[str, ...] | None = None
    problem: str | None = None


class Controls(Shown):
    """What `list` answers."""

    controls: tuple[ListedControl, ...]


class Control(Shown):
    """What `show` and `keep` answer.

    Attributes:
        file: Path of its file below the project.
        kept: Whether it was kept now.
    """

    control: ControlFile
    file: str
    kept: bool = False


def controls(
    action: tyro.conf.Positional[Literal["list", "keep", "show"]] = "list",
    name: tyro.conf.Positional[
        Annotated[str | None, tyro.conf.arg(metavar="[NAME|EXPERIMENT]", help_behavior_hint="")]
    ] = None,
    *,
    arm: Annotated[str, tyro.conf.arg(metavar="ARM")] = "baseline",
    as_: Annotated[str | None, tyro.conf.arg(name="as", metavar="NAME", help_behavior_hint="")] = None,
    metric: Annotated[tuple[str, ...], tyro.conf.arg(metavar="[KEY ...]", help_behavior_hint="")] = (),
) -> Answer[Controls] | Answer[Control]:
    """Show the arms that are kept as controls; keep another, in a file that you commit.

    A recipe that says controls = "NAME" launches only its other arms, on the control's seeds, and its page compares
    them with the control's runs. What a name means never changes: other runs are kept under another name.

    Args:
        action: list shows every control, show one of them, keep keeps an arm of an experiment.
        name: Of show: which control. Of keep: the experiment whose arm is kept.
        arm: Of keep: which arm. All of its seeds have ended, and it is kept with all of them.
        as_: Of keep: how it is called from then on, such as arena-2026-11.
        metric: Of keep: further metrics to keep as one number a run, beside the rule's and the trainer's own.
    """
    workspace = Workspace.find(Path.cwd())
    if action == "list":
        if name is not None:
            raise UsageError(f"list takes no name. To see one: experiments controls show {name}")
        return _list(workspace)
    if name is None:
        more = "EXPERIMENT --arm ARM --as NAME" if action == "keep" else "NAME"
        raise UsageError(f"{action} what? Name it: experiments controls {action} {more}")
    if action == "show":
        found = read_control(workspace.root, name)
        return Answer(Control(control=found, file=f"{FOLDER}/{name}.json"), lambda _: _show(found))
    return _keep(workspace, name, arm, as_, metric)


def _keep(
    workspace: Workspace, experiment: str, arm: str, name: str | None, metrics: tuple[str, ...]
) -> Answer[Control]:
    from experiments.project.git import is_ignored
    from experiments.results.controls import keep_control

    if name is None:
        raise UsageError(f"how is it called? experiments controls keep {experiment} --arm {arm} --as NAME")
    kept, is_new = keep_control(workspace, experiment, arm, name, metrics)
    path = f"{FOLDER}/{name}.json"
    say(f"{'Kept' if is_new else 'Kept already:'} {name}: {kept.sentence}. File: {path}")
    if is_ignored(workspace.root, path):
        say(f"note: git ignores {path}, so nobody else would have it. Take it out of .gitignore.")
    elif is_new:
        say(f"Commit it: git add {path}")
    if kept.chosen_from > 1:
        say(
            f"note: {kept.chosen_from} arms of these settings were launched here, so this one may have been chosen by "
            f"its scores: designs against it have 1/{kept.chosen_from} of their level."
        )
    say(f'Use it in a recipe: controls = "{name}"')
    return Answer(Control(control=kept, file=path, kept=is_new))


def _list(workspace: Workspace) -> Answer[Controls]:
    found: dict[str, ControlFile | UsageError] = {}
    for name in names_in(workspace.root):
        try:
            found[name] = read_control(workspace.root, name)
        except UsageError as error:
            found[name] = error
    listed = Controls(controls=tuple(_listed(name, one) for name, one in found.items()))
    code = 1 if any(isinstance(one, UsageError) for one in found.values()) else 0
    return Answer(listed, lambda _: _print(found), code=code)


def _print(found: Mapping[str, ControlFile | UsageError]) -> None:
    if found:
        table = FittedTable([FittedColumn(each, is_right=each == "seeds") for each in _LIST], _LIST)
        for name, one in found.items():
            if isinstance(one, UsageError):
                table.add(name, MISSING, MISSING, MISSING, MISSING, note=str(one))
            else:
                scores = ", ".join(each.metric for each in one.scores)
                table.add(name, f"{one.experiment}/{one.arm}", str(len(one.seeds)), one.kept_at[:10], scores)
        console().print(table)
    else:
        say("No control is kept here. Keep one: experiments controls keep EXPERIMENT --arm baseline --as NAME")


def _listed(name: str, one: ControlFile | UsageError) -> ListedControl:
    if isinstance(one, UsageError):
        return ListedControl(name=name, problem=str(one))
    return ListedControl(
        name=name,
        experiment=one.experiment,
        arm=one.arm,
        seeds=tuple(one.seeds),
        kept_at=one.kept_at,
        version=one.version,
        metrics=tuple(each.metric for each in one.scores),
    )


def _show(one: ControlFile) -> None:
    say(f"{one.name}: {one.sentence}")
    for label, text in _lines(one):
        say(f"{label}: {text}")
    headings = ("seed", "outcome", *(_heading(each, one.scores) for each in one.scores), "run")
    table = FittedTable([FittedColumn(each, is_right=each not in {"outcome", "run"}) for each in headings], headings)
    for run in one.runs:
        values = [each.values.get(run.ref.run) for each in one.scores]
        shown = [quantity(value) if value is not None else MISSING for value in values]
        outcome = run.outcome if run.stands else f"{run.outcome}, another attempt stands"
        table.add(str(run.ref.seed), outcome, *shown, run.ref.run, note=run.reason)
    console().print(table)


def _heading(scores: KeptScores, among: Sequence[KeptScores]) -> str:
    """Return the name of a metric, with how a run becomes a number where another has that name."""
    from experiments.statistics import Summary

    alone = sum(each.metric == scores.metric for each in among) == 1
    return scores.metric if alone else f"{scores.metric} ({Summary(**scores.summary).words})"


def _lines(one: ControlFile) -> list[tuple[str, str]]:
    snapshot, packages = one.snapshot, len(one.environment.packages) if one.environment else 0
    code = f"snapshot {snapshot.id[:10]}" + (f" on commit {snapshot.base[:10]}" if snapshot.base else "")
    rows = [("version", one.version), ("code", code)]
    if one.environment is not None:
        rows.append(("packages", f"{counted(packages, 'package')} on Python {one.environment.python}"))
    for machine in one.machines:
        rows += [(f"machine {label}", text) for label, text in machine.lines()]
    settings = " ".join([*filter(None, [one.config.curriculum]), *one.config.additional_args])
    rows.append(("settings", settings or "none"))
    if one.rule is not None:
        rows.append(("rule", one.rule.sentence))
    if one.chosen_from > 1:
        rows.append(("chosen from", f"{one.chosen_from} arms of these settings"))
    return rows

"""The code of a control's runs beside the candidates': the same where only what does not decide learning differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from experiments.jobs.controls.checking import conditions_differ, deciding_files
from experiments.jobs.controls.files import ControlFile, read_control
from experiments.jobs.plan import config_text
from experiments.jobs.ran import Mark, Ran, codes_of, marks_from
from experiments.project.environment.differences import Conditions
from experiments.project.errors import ExperimentsError, LaunchError, UsageError
from experiments.project.provenance import CodeRecord
from experiments.project.snapshots import changed_between
from experiments.project.workspace import Workspace
from experiments.types import Differing, KeptControl

_ELSEWHERE = "of the control"
"""Behind the code of a control's runs that are not what the candidates' are, though they may be of one snapshot."""
_compared: dict[tuple[Path, str, CodeRecord], dict[Differing, str]] = {}
"""By state folder, version of the control and record of a run's start, none of which changes; a page asks often."""


@dataclass(frozen=True)
class Marked:
    """The codes of runs, those of controls among them.

    Attributes:
        marks: By run name, of each run that has started.
        words: What must be said of the controls beside results, one sentence each.
    """

    marks: Mapping[str, Mark]
    words: Sequence[str] = field(default=())


def marks_beside(workspace: Workspace, runs: Iterable[str], controls: Sequence[KeptControl]) -> Marked:
    """Return the code of each run that has started, and of those of a control as beside the candidates.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    names = list(runs)
    codes = codes_of(workspace, names)
    marks = {run: Mark("", run=run) for run in names if run not in codes} | marks_from(codes)
    words: list[str] = []
    for control in controls:
        try:
            kept = read_control(workspace.root, control.name)
        except UsageError as error:
            words.append(str(error))
            continue
        if kept.version != control.version:
            words.append(f"Control {control.name} is not the one that these runs were launched beside")
            continue
        theirs = {run.run for run in control.runs}
        marks |= {run: _of_file(run, kept) for run in names if run in theirs and not marks[run].identity}
        started = [code for run, code in codes.items() if run not in theirs and code.identity is not None]
        found = {code.identity: _differs(control, kept, code, workspace) for code in reversed(started)}
        differing = {what: text for told in found.values() for what, text in told.items()}
        same = next((each for each, told in found.items() if not _refused(told, control)), None)
        other = f"{next((marks[run].identity for run in names if run in theirs), '')} {_ELSEWHERE}"
        if started:
            marks |= {run: replace(marks[run], identity=same or other) for run in names if run in theirs}
        if started:
            said = "; ".join(f"{what}: {text}" for what, text in differing.items())
            words.append(f"Control {control.name}: {kept.sentence}{f'; differs in {said}' if said else ''}")
    return Marked(marks, words)


def _refused(told: Mapping[Differing, str], control: KeptControl) -> set[Differing]:
    """Return in what a control is other than a run, and no leave was given for it; code needs the rule's own."""
    return {what for what in told if what == "code" or what not in control.may_differ}


def _of_file(run: str, kept: ControlFile) -> Mark:
    code = Ran(None, kept.code)
    machine = kept.machines[0].model_dump_json() if len(kept.machines) == 1 else ""
    asked = config_text(kept.config)
    return Mark(code.identity or "", run=run, packages=kept.code.environment or "", machine=machine, asked=asked)


def _differs(control: KeptControl, kept: ControlFile, code: Ran, workspace: Workspace) -> dict[Differing, str]:
    """Return what of a control differs from a run that has started."""
    started = code.started
    assert started is not None
    key = (workspace.state, kept.version + control.recipe, started)
    if key not in _compared:
        found: dict[Differing, str] = {}
        names = _files(control, kept, started, workspace)
        if names:
            found["code"] = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        with suppress(ExperimentsError):  # the package set is gone: what was compared before the launch stands
            found |= conditions_differ(kept, Conditions.recorded(workspace.state, started.environment, started.machine))
        _compared[key] = found
    return _compared[key]


def _files(control: KeptControl, kept: ControlFile, started: CodeRecord, workspace: Workspace) -> list[str]:
    if started.snapshot is None:
        return ["it ran in the working tree"]
    try:
        names = changed_between(workspace.state, kept.snapshot, started.snapshot)
    except LaunchError:  # one of them is not here; the launch was refused where files differed and may not
        return ["its snapshot is not here"] if "code" in control.may_differ else []
    # Which files a command names was asked before the launch, of the same recipe.
    return deciding_files(names, control, workspace.root, kept.snapshot.prefix, ())

"""What is kept of a control: one file in the project, `experiments/controls/NAME.json`, which git keeps."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from experiments.jobs.rule import Rule
from experiments.project.environment.records import Environment, Machine
from experiments.project.errors import ExperimentsError, UsageError, reasons
from experiments.project.files import locked, read_json, write_bytes
from experiments.project.names import NAME_PATTERN, suggest_name
from experiments.project.provenance import CodeRecord
from experiments.project.snapshots import Snapshot
from experiments.project.values import Frozen, is_none, replaced
from experiments.project.workspace import Workspace
from experiments.types import MAX_RUN_NAME, Differing, JobRef, KeptControl, TrainingJobConfig

FOLDER = "experiments/controls"
FORMAT: Literal[1] = 1
_WAIT_S = 60.0


class KeptRun(Frozen):
    """One run of a control.

    Attributes:
        ref: What names it.
        outcome: What became of it, as `statistics.Outcome` has it.
        reason: Why it has no score, where it has none.
        stands: Whether it stands for its seed; of several attempts one does.
    """

    ref: JobRef
    outcome: str
    reason: str = ""
    stands: bool = True

    @field_validator("ref")
    @classmethod
    def _names_a_run(cls, ref: JobRef) -> JobRef:
        """Refuse what is no run name: it becomes a path, and the file may be somebody else's."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", ref.run) or len(ref.run) > MAX_RUN_NAME:
            raise ValueError(f"{ref.run!r} is no run name")
        return ref


class KeptScores(Frozen):
    """One metric of a control's runs, as one number each.

    Attributes:
        summary: How a run becomes a number: the fields of `statistics.Summary`.
        values: By run name; None for a run that has none.
    """

    metric: str
    summary: dict[str, Any]
    values: dict[str, float | None]


class ControlFile(Frozen):
    """A control as it was kept.

    Attributes:
        kept_at: ISO 8601, UTC.
        plan: Key of the plan that launched its runs first.
        rule: Of the journal that was recorded with them; None without one.
        config: What every run was asked to compute.
        runs: Of its seeds, all attempts, oldest first.
        snapshot: The code that every run ran.
        code: The same as a trainer's start records it, of the newest run.
        environment: All that its trainer's interpreter had installed; None where that is not known.
        machines: What its runs computed with, each once.
        chosen_from: How many arms of the same settings this project had launched by then.
        version: Hash of all of it.
    """

    format: Literal[1] = FORMAT
    name: str = Field(pattern=f"^{NAME_PATTERN}$")
    experiment: str = Field(pattern=f"^{NAME_PATTERN}$")
    arm: str = Field(pattern=f"^{NAME_PATTERN}$")
    kept_at: str
    plan: str
    rule: Rule | None = None
    config: TrainingJobConfig
    runs: tuple[KeptRun, ...] = Field(min_length=1)
    snapshot: Snapshot
    code: CodeRecord
    environment: Environment | None = Field(None, exclude_if=is_none)
    machines: tuple[Machine, ...] = ()
    chosen_from: int = Field(1, ge=1)
    scores: tuple[KeptScores, ...] = ()
    version: str = ""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Its seeds, sorted."""
        return tuple(sorted({run.ref.seed for run in self.runs}))

    @property
    def digest(self) -> str:
        """Hash of all that is in it."""
        content = self.model_dump(mode="json", exclude={"version"})
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]

    @property
    def sentence(self) -> str:
        """What it is, in a sentence."""
        more = f" and {len(self.seeds) - 8} more" if len(self.seeds) > 8 else ""
        seeds = f"seed{'' if len(self.seeds) == 1 else 's'} {', '.join(map(str, self.seeds[:8]))}{more}"
        return f"arm {self.arm} of {self.experiment}, {seeds}, kept on {self.kept_at[:10]}"

    def is_as(self, other: ControlFile) -> bool:
        """Say whether two hold the same runs, made in the same way."""
        mine, theirs = ((one.experiment, one.arm, one.config, one.runs, one.snapshot.id) for one in (self, other))
        return mine == theirs

    def used(self, may_differ: Sequence[Differing] = (), recipe: str = "") -> KeptControl:
        """Return what a plan holds of it."""
        return KeptControl(
            name=self.name,
            version=self.version,
            arm=self.arm,
            config=self.config,
            runs=tuple(run.ref for run in self.runs),
            may_differ=tuple(may_differ),
            chosen_from=self.chosen_from,
            recipe=recipe,
        )


def path_of(root: Path, name: str) -> Path:
    """Return the file of a control.

    Raises:
        UsageError: It is no name.
    """
    if not isinstance(name, str) or not re.fullmatch(NAME_PATTERN, name):  # a recipe may say anything
        raise UsageError(
            f"{name!r} is no name of a control. Allowed: 1 to 40 of a-z, 0-9, '_' and '-', starting with a letter or "
            f"digit. Try {suggest_name(str(name))!r}."
        )
    return root / FOLDER / f"{name}.json"


def names_in(root: Path) -> list[str]:
    """Return the names of the controls that a project keeps, sorted; whether they can be read is not said."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.json") if not path.name.startswith("."))


def read_control(root: Path, name: str) -> ControlFile:
    """Return a control that is kept.

    Raises:
        UsageError: There is none of the name, or its file is damaged, of another version, or was changed by hand.
    """
    path = path_of(root, name)
    restore = f"Restore it: git checkout -- {FOLDER}/{path.name}"
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"control {name!r} cannot be read: {error}. {restore}") from error
    if content is None:
        known = names_in(root)
        kept = f"Kept are: {', '.join(known)}." if known else "None is kept here."
        raise UsageError(
            f"there is no control {name!r}. {kept} Keep one: experiments controls keep EXPERIMENT --arm ARM --as {name}"
        )
    if (form := content.get("format")) != FORMAT:
        raise UsageError(
            f"control {name!r} has format {form!r}, and this version of Experiments reads format {FORMAT}. Use the "
            "version that kept it, or keep its runs once more under another name."
        )
    try:
        found = ControlFile.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"control {name!r} cannot be read: {reasons(error)}. {restore}") from error
    if found.digest != found.version:
        raise UsageError(
            f"control {name!r} is not as it was kept: its file was changed, and no longer has version "
            f"{found.version!r}. {restore}"
        )
    if found.name != name:
        raise UsageError(
            f"{FOLDER}/{path.name} holds control {found.name!r}. Name the file as it: {FOLDER}/{found.name}.json"
        )
    return found


def write_control(workspace: Workspace, control: ControlFile) -> tuple[ControlFile, bool]:
    """Write a control; return it as it is kept, and whether it was not there before.

    Raises:
        UsageError: Another one is kept under its name.
    """
    control = replaced(control, version="")
    control = replaced(control, version=control.digest)
    path = path_of(workspace.root, control.name)
    with locked(workspace.state / "controls.lock", wait_s=_WAIT_S) as held:
        if not held:
            raise ExperimentsError("another process keeps a control for a minute. Look for it, and keep it again.")
        if path.exists():
            known = read_control(workspace.root, control.name)
            if known.is_as(control):
                return known, False
            raise UsageError(
                f"control {control.name!r} is kept already: {known.sentence}. What a name means never changes; keep "
                f"this one under another: --as {_next_name(workspace.root, control.name)}"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(control.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
        write_bytes(path, f"{text}\n".encode(), mode=0o644)
    return control, True


def _next_name(root: Path, name: str) -> str:
    known = set(names_in(root))
    return next(each for number in range(2, len(known) + 3) if (each := f"{name[:36]}-{number}") not in known)

"""What a bundle says of each run, and of what only the ledger knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pydantic import Field, StringConstraints

from experiments.project.provenance import CodeRecord, OwnCode, Provenance
from experiments.project.snapshots import Snapshot
from experiments.project.values import Frozen
from experiments.types import Plan, TrainingJob

BUNDLE, JOURNAL, LEDGER, REPRODUCE = "bundle.json", "journal.json", "ledger.json", "REPRODUCE.md"
RUNS, CODE, PACKAGES, REQUIREMENTS = "runs", "code", "packages", "requirements"
CONTROLS = "controls"
RECORD = "record.json"
# Whatever becomes a file's name somewhere else; no dot may begin it.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$")]
# What a file's name keeps as it is; the rest is written as %XX, so that every system can unpack it.
_PLAIN = "/ !#$&'()+,;=@[]{}~^`-_."


class Began(Frozen):
    """The checkpoint of another run that a run went on from.

    Attributes:
        run: Name of the other run.
        step: Agent step.
        file: Name of the checkpoint; None where it is not in the bundle.
    """

    run: FileName
    step: int | None = None
    file: FileName | None = None


class RunRecord(Frozen):
    """One run, without its metrics and checkpoints.

    Attributes:
        control: The kept control that it is of, so that another experiment launched it; empty for the bundle's own.
        own: What it was told to run with; None for a run of before there were snapshots.
        code: What it ran, as noted when it started; None where that is not known.
        why: Why it is not known.
        variables: What was set for its trainer, of what can change a result.
        roots: Folders of the snapshot that it imports from.
        began: The checkpoint that it went on from; None where it began at the beginning.
        checkpoints: The sha256 of every checkpoint that it left, also of those that are not in the bundle.
        contents: The hash of what is in each of them that is an archive, whatever Python wrote it.
    """

    job: TrainingJob
    control: str = ""
    own: OwnCode | None = None
    code: CodeRecord | None = None
    why: str = ""
    variables: dict[str, str] = Field(default_factory=dict)
    roots: tuple[str, ...] = ()
    began: Began | None = None
    checkpoints: dict[str, str] = Field(default_factory=dict)
    contents: dict[str, str] = Field(default_factory=dict)


class SnapshotRecord(Frozen):
    """One snapshot whose files are in the bundle.

    Attributes:
        modes: git's mode of each file, by its name in the bundle's folder of the snapshot; of a link the file is its
            target.
    """

    snapshot: Snapshot
    modes: dict[str, str]


class BundleRecord(Frozen):
    """What a bundle holds.

    Attributes:
        plans: Each plan of the experiment.
        code: What was recorded of a plan's code at its first launch, by the plan's key.
        runs: Their names, in the order of their launch; then those of controls that they are compared with.
        snapshots: By id.
        checkpoints: Which of them were asked for: `last`, `all` or `none`.
        notes: What could not be put in, in words.
    """

    experiment: str
    plans: tuple[Plan, ...]
    code: dict[str, Provenance] = Field(default_factory=dict)
    runs: tuple[FileName, ...]
    snapshots: dict[str, SnapshotRecord] = Field(default_factory=dict)
    checkpoints: str
    notes: tuple[str, ...] = ()


def bundled_name(name: bytes) -> str:
    """Return what a file of a snapshot is called in a bundle; `original_name` turns it back."""
    return quote_from_bytes(name, safe=_PLAIN)


def original_name(name: str) -> bytes:
    """Return the name of a snapshot's file."""
    return unquote_to_bytes(name)


def without_places(value: Any, places: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON, returned in kind
    """Return JSON values with words in the place of this machine's folders.

    Args:
        places: The word for each folder; of folders in each other the inner one first.
    """
    if isinstance(value, str):
        for folder, word in places.items():
            value = value.replace(folder, word)
        return value
    if isinstance(value, dict):
        return {name: without_places(entry, places) for name, entry in value.items()}
    return [without_places(entry, places) for entry in value] if isinstance(value, list | tuple) else value

"""Where a job's code came from: commit, changes on top of it, packages, machine and command.

A `Provenance` goes everywhere that a job is recorded. The changes themselves go only into the run's own folder, in a
file that nobody else on the machine can read; everything else has their hash and the names of the files.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, ValidationError

from experiments.project.code_tree import MAX_FILES, read_code
from experiments.project.environment.records import Machine
from experiments.project.errors import LaunchError, LedgerError, reasons
from experiments.project.files import write_bytes
from experiments.project.git import GitError, Pushed, State, Tree, changed_files, read_tree
from experiments.project.look import counted
from experiments.project.redaction import mask_command, mask_json, mask_text
from experiments.project.snapshots import Snapshot
from experiments.project.values import Frozen, replaced

__all__ = ["CodeRecord", "Provenance", "capture", "changes_since", "config_hash", "refuse_if_unreproducible"]

DIFF_NAME = "changes.diff"


def _is_empty(value: object) -> bool:
    return not value


class CodeRecord(Frozen):
    """Which code lay in the project at one moment, as `code_tree.read_code` found it.

    Attributes:
        files: What tells the content of each file that differs from the commit, by name; at most 200 of `file_count`.
        sha256: Of the commit and all of these files; None where nobody knows.
        reason: Why it is not known.
        snapshot: Id of the snapshot that ran; None for the working tree, and in records of 0.1.0.
        in_place: It ran in the working tree, so what it read later may be other code.
        links: Ignored folders that were linked into where it ran: data that no snapshot has.
        edited: First files of the snapshot's checkout that somebody touched while it ran, so it may have run others.
        sha256_at_end: Of such a run, what `sha256` was when the trainer ended; None where nobody looked.
        packages: Versions of those that can change a result; empty where the trainer's interpreter is not known, as on
            a cluster.
        at: Unix seconds.
        environment: Hash of all that the trainer's interpreter had installed, see `environment.read_environment`.
        environment_reason: Why that is not known.
        machine: What it computed with.
    """

    commit: str | None = None
    files: dict[str, str] = Field(default_factory=dict)
    file_count: int = 0
    sha256: str | None = None
    reason: str = ""
    snapshot: str | None = None
    in_place: bool = False
    links: tuple[str, ...] = Field((), exclude_if=_is_empty)
    edited: tuple[str, ...] = ()
    sha256_at_end: str | None = None
    python: str = ""
    packages: dict[str, str] = Field(default_factory=dict)
    at: float = 0.0
    environment: str | None = Field(None, exclude_if=_is_empty)
    environment_reason: str = Field("", exclude_if=_is_empty)
    machine: Machine | None = Field(None, exclude_if=_is_empty)

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot) -> Self:
        """Return the record of code that is a snapshot; whose packages it runs with, nobody knows yet."""
        return cls(
            commit=snapshot.base,
            files=snapshot.changed,
            file_count=snapshot.changed_count,
            sha256=snapshot.id,
            snapshot=snapshot.id,
            at=snapshot.at,
        )


class OwnCode(Frozen):
    """What the jobs of a plan run with, as it was decided when its first job was submitted.

    Attributes:
        snapshot: None to run in the working tree as it is when each job starts.
        python: Interpreter of the trainer; None for the one that launches.
        env: Variables of the trainer beside those that every job has.
    """

    snapshot: Snapshot | None = None
    python: str | None = None
    env: dict[str, str] = Field(default_factory=dict)


KEPT_ALONE = "in no git commit, kept as snapshot"
"""Where the code of a project without git, or without a commit, is: the state folder, or below `refs/experiments/`."""


class Provenance(Frozen):
    """Where a job's code came from.

    Attributes:
        state: Of the working tree, tracked files only: `clean`, `dirty`, `no commits`, `no repository`, `no git`, or
            `unknown` where there is a repository that git could not read.
        reason: Why, in git's words, where the state is neither clean nor dirty.
        commit: Full hash of the commit.
        branch: None where a commit was checked out by itself.
        pushed: Whether a remote had the commit when this clone last heard of it.
        files: Tracked files that differ from the commit, at most 200 of `file_count`.
        untracked: How many files and folders git does not know; what is in them is not recorded.
        diff_sha256: Of the differences, whole; None without any.
        diff_bytes: Their length.
        packages: Version of each package that can change a result, where it is installed.
        command: The command line, without secrets.
        config_sha256: Of the config's canonical JSON.
        tree: The same code as a trainer's start records it, untracked files included; None in records of 0.1.0.
        own: What the jobs run with; None in records of before there were snapshots.
        recipe: File of the recipe that launched, relative to the project where it is in it; None of anything else.
        diff: The differences, as far as they are kept; in no record and no page, and empty when read back from one.
    """

    state: State
    reason: str = ""
    commit: str | None = None
    branch: str | None = None
    pushed: Pushed = "unknown"
    files: tuple[str, ...] = ()
    file_count: int = 0
    untracked: int = 0
    diff_sha256: str | None = None
    diff_bytes: int = 0
    packages: dict[str, str] = Field(default_factory=dict)
    python: str = ""
    platform: str = ""
    command: tuple[str, ...] = ()
    config_sha256: str | None = None
    tree: CodeRecord | None = None
    own: OwnCode | None = None
    recipe: str | None = Field(None, exclude_if=_is_empty)
    diff: bytes = Field(b"", exclude=True, repr=False)

    @classmethod
    def recorded(cls, record: Mapping[str, Any]) -> Self:
        """Return what a ledger recorded.

        Raises:
            LedgerError: It is no record of code that this version can read.
        """
        try:
            return cls.model_validate(record)
        except ValidationError as error:
            raise LedgerError(f"the record of a job's code cannot be read: {reasons(error)}.") from error

    def running(self, own: OwnCode) -> Self:
        """Return the same with what jobs run with, and the facts of the code from the snapshot where there is one."""
        snapshot = own.snapshot
        if snapshot is None:
            return replaced(self, own=own)
        tree = CodeRecord.of_snapshot(snapshot)
        packages = {"python": self.python, "packages": self.packages}
        on_none = "no repository" if self.state == "no repository" else "no commits"
        return replaced(
            self,
            own=own,
            state=on_none if snapshot.base is None else "dirty" if snapshot.changed_count else "clean",
            commit=snapshot.base,
            pushed=snapshot.pushed,
            files=tuple(snapshot.changed),
            file_count=snapshot.changed_count,
            untracked=0,
            tree=replaced(tree, **packages),
        )

    def write_diff(self, run_dir: Path) -> Path | None:
        """Write the changes on top of the commit into a run's folder, readable by its owner only.

        Secrets are masked by value, so the file need not have the recorded hash. Of a provenance that was read back
        from a record nothing can be written, for a record has no changes in it.

        Returns:
            The file, or None where there are no changes.
        """
        if not self.diff:
            return None
        text = mask_text(self.diff.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        if self.diff_bytes > len(self.diff):
            text += f"\n# Cut: {len(self.diff):,} of {self.diff_bytes:,} bytes are kept.\n".encode()
        write_bytes(run_dir / DIFF_NAME, text)
        return run_dir / DIFF_NAME

    def lines(self) -> list[tuple[str, str]]:
        """Return what a person wants to know of it, as (label, text)."""
        rows = [("code", self._code()), ("changes", self._changes())]
        rows += [("python", f"{self.python} on {self.platform}")]
        rows += [("packages", ", ".join(f"{name} {version}" for name, version in self.packages.items()))]
        rows += [
            ("launched with", " ".join(json.dumps(part) if _needs_quotes(part) else part for part in self.command))
        ]
        return [(label, text) for label, text in rows if text.strip()]

    def _code(self) -> str:
        if self.commit is None and self.tree is not None and self.tree.snapshot:
            return f"{KEPT_ALONE} {self.tree.snapshot[:10]}"
        if self.commit is None:
            return f"not recorded: {self.reason}"
        words = {"yes": "pushed", "no": "not pushed", "no remote": "no remote", "unknown": "pushed or not is unknown"}
        where = f"{self.branch}, " if self.branch else ""
        kept = f", snapshot {self.tree.snapshot[:10]}" if self.tree is not None and self.tree.snapshot else ""
        return f"{self.commit[:10]} ({where}{words[self.pushed]}){kept}"

    def _changes(self) -> str:
        kind = "changed file" if self.commit is not None else "file"  # where there is no commit nothing changed since
        parts = [f"{counted(self.file_count, kind)}: {file_names(self.files)}"] if self.file_count else []
        parts += [f"{self.untracked} untracked"] if self.untracked else []
        parts += [self.reason] if self.commit is not None and self.reason else []
        return "; ".join(parts)


def capture(
    root: Path, *, command: Sequence[str] | None = None, config: BaseModel | Mapping[str, Any] | None = None
) -> Provenance:
    """Return where the code in `root` comes from; takes three calls of git where nothing is unusual, and never fails.

    Args:
        root: Folder of the project.
        command: Command line; by default that of this process.
        config: What its hash is recorded of.
    """
    tree: Tree = read_tree(root)
    code = read_code(root)
    return Provenance(
        state=tree.state,
        reason=mask_text(tree.reason),
        commit=tree.commit,
        branch=tree.branch,
        pushed=tree.pushed,
        files=tree.files[:MAX_FILES],
        file_count=len(tree.files),
        untracked=tree.untracked,
        diff_sha256=tree.diff_sha256,
        diff_bytes=tree.diff_bytes,
        packages=code["packages"],
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        command=mask_command(sys.argv if command is None else command),
        config_sha256=None if config is None else config_hash(config),
        tree=CodeRecord.model_validate(code | {"reason": mask_text(code["reason"])}),
        diff=tree.diff,
    )


def config_hash(config: BaseModel | Mapping[str, Any]) -> str:
    """Return the sha256 of a config's canonical JSON; its secrets, which are recorded nowhere, are not in it."""
    values = config.model_dump(mode="json") if isinstance(config, BaseModel) else dict(config)
    canonical = json.dumps(mask_json(values), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def changes_since(old: Provenance, new: Provenance, root: Path | None = None) -> list[str]:
    """Return in words what differs between two launches and may change a result; empty where nothing does.

    Args:
        old: Of the earlier launch.
        new: Of the later one.
        root: Folder of the project; with it, the files that differ between two commits are counted and named.
    """
    words = []
    if old.commit != new.commit:
        words.append(f"commit {_short(old.commit)} is now {_short(new.commit)}{_between(old, new, root)}")
    if files := _differing(old, new):
        what = f"changes on top of the commit differ: {counted(len(files), 'file')}: {file_names(files)}"
        words.append(what if _has_changes(new) else "the changes on top of the commit are gone")
    words += [
        f"{name} {old.packages.get(name, 'not installed')} is now {new.packages.get(name, 'not installed')}"
        for name in sorted({*old.packages, *new.packages})
        if old.packages.get(name) != new.packages.get(name)
    ]
    if old.python != new.python:
        words.append(f"Python {old.python} is now {new.python}")
    return words


def refuse_if_unreproducible(
    provenance: Provenance, launcher: str, *, skip_git_check: bool = False, kept: bool = False
) -> list[str]:
    """Return what to warn of before a launch; empty for a clean, pushed tree.

    Args:
        kept: A snapshot keeps the code, so that what is not in git can be had from this machine.

    Raises:
        LaunchError: A SkyPilot launch from a tree that nobody else can get: changed, or with a commit that is not
            pushed. Without a repository there is nothing to ask for, and it is a warning.
    """
    missing = _warnings(provenance, kept=False)
    asked_for = provenance.state != "no repository" and launcher == "skypilot" and not skip_git_check
    if missing and asked_for:
        raise LaunchError(
            f"{'; '.join(missing)}. A SkyPilot job starts only from code that can be had again. Commit and push it "
            "(git commit -a && git push), or launch all the same: --skip-git-check."
        )
    return _warnings(provenance, kept=True) if kept else missing


def _warnings(provenance: Provenance, *, kept: bool) -> list[str]:
    if provenance.state == "no repository" and kept:
        return ["there is no git repository here: the code is kept in the state folder alone"]
    if provenance.state in {"no repository", "no git", "unknown"}:
        return [f"the code is not recorded: {provenance.reason}"]
    warnings = []
    if kept and provenance.tree is not None and provenance.tree.file_count:
        number, names = provenance.tree.file_count, file_names(tuple(provenance.tree.files))
        warnings.append(f"{counted(number, 'file')} not as committed, kept in the snapshot: {names}")
    elif provenance.file_count:
        warnings.append(f"{counted(provenance.file_count, 'changed file')}: {file_names(provenance.files)}")
    if provenance.state == "no commits":
        warnings.append(provenance.reason)
    elif provenance.pushed == "no remote":
        warnings.append(f"commit {_short(provenance.commit)} is on this machine only: the repository has no remote")
    elif provenance.pushed != "yes":
        warnings.append(f"commit {_short(provenance.commit)} is not pushed")
    return warnings


def _differing(old: Provenance, new: Provenance) -> list[str]:
    """Return the files whose changes on top of the commit differ; with two records of the tree, untracked ones too."""
    if old.tree is None or new.tree is None or None in (old.tree.sha256, new.tree.sha256):
        return sorted({*old.files, *new.files}) if old.diff_sha256 != new.diff_sha256 else []
    before, after = old.tree.files, new.tree.files
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _has_changes(code: Provenance) -> bool:
    return bool(code.file_count or (code.tree is not None and code.tree.file_count))


def _between(old: Provenance, new: Provenance, root: Path | None) -> str:
    if root is None or old.commit is None or new.commit is None:
        return ""
    try:
        files = changed_files(root, old.commit, new.commit)
    except GitError:
        return ""
    return f": {counted(len(files), 'file')} changed: {file_names(files)}" if files else ": no file changed"


def _short(commit: str | None) -> str:
    return commit[:10] if commit else "(none)"


def file_names(files: Sequence[str], limit: int = 3) -> str:
    """Return the first of several files, quoted where they hold what would garble a line."""
    shown = [json.dumps(name) if _needs_quotes(name) else name for name in files[:limit]]
    return ", ".join(shown) + (", …" if len(files) > limit else "")


def _needs_quotes(text: str) -> bool:
    return not text or not text.isprintable() or any(mark in text for mark in " ,\"'\\")

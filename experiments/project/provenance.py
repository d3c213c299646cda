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

from experiments.project.code_tree import MAX_FILES, PACKAGES, installed, read_code
from experiments.project.errors import LaunchError, LedgerError, reasons
from experiments.project.files import write_bytes
from experiments.project.git import GitError, Pushed, State, Tree, changed_files, read_tree
from experiments.project.look import counted
from experiments.project.redaction import mask_command, mask_json, mask_text
from experiments.types import Frozen

__all__ = ["CodeRecord", "Provenance", "capture", "changes_since", "config_hash", "refuse_if_unreproducible"]

DIFF_NAME = "changes.diff"


class CodeRecord(Frozen):
    """Which code lay in the project at one moment, as `code_tree.read_code` found it.

    Attributes:
        files: What tells the content of each file that differs from the commit, by name; at most 200 of `file_count`.
        sha256: Of the commit and all of these files; None where nobody knows.
        reason: Why it is not known.
        packages: Empty where the trainer has an interpreter of its own, as on a cluster.
        at: Unix seconds.
    """

    commit: str | None = None
    files: dict[str, str] = Field(default_factory=dict)
    file_count: int = 0
    sha256: str | None = None
    reason: str = ""
    python: str = ""
    packages: dict[str, str] = Field(default_factory=dict)
    at: float = 0.0


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
        if self.commit is None:
            return f"not recorded: {self.reason}"
        words = {"yes": "pushed", "no": "not pushed", "no remote": "no remote", "unknown": "pushed or not is unknown"}
        where = f"{self.branch}, " if self.branch else ""
        return f"{self.commit[:10]} ({where}{words[self.pushed]})"

    def _changes(self) -> str:
        parts = [counted(self.file_count, "changed file") + f": {_names(self.files)}"] if self.file_count else []
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
        packages=installed(PACKAGES),
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
        what = f"changes on top of the commit differ: {counted(len(files), 'file')}: {_names(files)}"
        words.append(what if _has_changes(new) else "the changes on top of the commit are gone")
    words += [
        f"{name} {old.packages.get(name, 'not installed')} is now {new.packages.get(name, 'not installed')}"
        for name in sorted({*old.packages, *new.packages})
        if old.packages.get(name) != new.packages.get(name)
    ]
    if old.python != new.python:
        words.append(f"Python {old.python} is now {new.python}")
    return words


def refuse_if_unreproducible(provenance: Provenance, launcher: str, *, skip_git_check: bool = False) -> list[str]:
    """Return what to warn of before a launch; empty for a clean, pushed tree.

    Raises:
        LaunchError: A SkyPilot launch from a tree that nobody else can get: changed, or with a commit that is not
            pushed. Without a repository there is nothing to ask for, and it is a warning.
    """
    warnings = _warnings(provenance)
    asked_for = provenance.state != "no repository" and launcher == "skypilot" and not skip_git_check
    if warnings and asked_for:
        raise LaunchError(
            f"{'; '.join(warnings)}. A SkyPilot job starts only from code that can be had again. Commit and push it "
            "(git commit -a && git push), or launch all the same: --skip-git-check."
        )
    return warnings


def _warnings(provenance: Provenance) -> list[str]:
    if provenance.state in {"no repository", "no git", "unknown"}:
        return [f"the code is not recorded: {provenance.reason}"]
    warnings = []
    if provenance.file_count:
        warnings.append(f"{counted(provenance.file_count, 'changed file')}: {_names(provenance.files)}")
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
    return f": {counted(len(files), 'file')} changed: {_names(files)}" if files else ": no file changed"


def _short(commit: str | None) -> str:
    return commit[:10] if commit else "(none)"


def _names(files: Sequence[str], limit: int = 3) -> str:
    """Return the first names, quoted where they hold what would garble a line."""
    shown = [json.dumps(name) if _needs_quotes(name) else name for name in files[:limit]]
    return ", ".join(shown) + (", …" if len(files) > limit else "")


def _needs_quotes(text: str) -> bool:
    return not text or not text.isprintable() or any(mark in text for mark in " ,\"'\\")

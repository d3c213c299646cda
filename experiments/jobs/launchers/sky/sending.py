"""What goes to SkyPilot with a job: its code, as a pushed commit or an upload, and the key of W&B."""

from __future__ import annotations

import functools
import threading
from dataclasses import replace
from typing import Any

from experiments.jobs.launchers.base import JobSpec
from experiments.jobs.launchers.sky.estimate import check_upload
from experiments.jobs.launchers.sky.pools import put_archive
from experiments.jobs.launchers.sky.task import Code, code_of, needs_key
from experiments.project.code_tree import commit_alone, read_code
from experiments.project.errors import LaunchError, UsageError
from experiments.project.provenance import CodeRecord
from experiments.project.snapshots import Snapshot, checkout, checkout_path
from experiments.project.workspace import Workspace


class Codes:
    """The code of jobs, worked out once for all that share it; safe to share between threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[str, Code] = {}
        self._ready: set[str] = set()
        self._lock = threading.Lock()

    @functools.cached_property
    def now(self) -> Code:
        """The project as it lies here."""
        return project_code(self._workspace)

    def of(self, job: JobSpec) -> Code:
        """Return the code of a job; of a job of a pool it then lies where that will fetch it.

        Raises:
            UsageError: The setting `sky_workdir` asks for git, and git does not have it.
            LaunchError: It cannot be put where a pool's workers see it.
        """
        if job.snapshot is None:
            return self.now
        with self._lock:
            if job.snapshot.id not in self._known:
                self._known[job.snapshot.id] = self.of_snapshot(job.snapshot)
            return self._known[job.snapshot.id]

    def of_snapshot(self, snapshot: Snapshot) -> Code:
        """Return the code of a snapshot, put where a pool's workers see it where it goes through one.

        Raises:
            UsageError: The setting `sky_workdir` asks for git, and git does not have it.
            LaunchError: It cannot be put there.
        """
        code, settings = snapshot_code(self._workspace, snapshot), self._workspace.settings
        if settings.sky_pool is None or code.url is not None or settings.run_root is None:
            return code
        digest = put_archive(self._workspace.state, snapshot, settings.run_root)
        return replace(code, archive=digest, within=snapshot.prefix or ".")

    def ready(self, job: JobSpec) -> Code:
        """Return the code of a job, which lies on this machine from now on where it is uploaded from there.

        Raises:
            LaunchError: It is gone, or larger than the setting `sky_max_upload_mb` allows.
        """
        code = self.of(job)
        key = job.snapshot.id if job.snapshot is not None else ""
        if code.url is None:
            with self._lock:
                if key not in self._ready:
                    if job.snapshot is not None:
                        checkout(self._workspace.state, job.snapshot.id)
                    check_upload(code.folder, limit_mb=self._workspace.settings.sky_max_upload_mb)
                    self._ready.add(key)
        return code


def refuse_unfetchable(code: Code) -> None:
    """Refuse code that a pool's worker could not fetch by its hash.

    Raises:
        UsageError: It is that of the working tree, which may change any time.
    """
    if code.url is None and code.archive is None:
        raise UsageError(
            "workers of a pool fetch code by its hash, and a working tree that jobs run in place has none. Leave out "
            "--in-place (setting in_place), or commit and push."
        )


def project_code(workspace: Workspace) -> Code:
    """Return the code that a node gets of this project.

    Raises:
        UsageError: The setting `sky_workdir` asks for git, and git does not have it.
    """
    from experiments.project.git import origin, read_tree

    remote, within = origin(workspace.root)
    return code_of(workspace.root, read_tree(workspace.root), remote, workspace.settings.sky_workdir, within=within)


def snapshot_code(workspace: Workspace, snapshot: Snapshot) -> Code:
    """Return the code that a node gets of a snapshot: its base where that is all of it and pushed, else its checkout.

    Raises:
        UsageError: The setting `sky_workdir` asks for git, and git does not have it.
    """
    from experiments.project.git import Tree, origin

    tree = Tree("dirty" if snapshot.changed_count else "clean", commit=snapshot.base, pushed=snapshot.pushed)
    remote, _ = origin(workspace.root)
    folder = checkout_path(workspace.state, snapshot.id) / snapshot.prefix
    return code_of(folder, tree, remote, workspace.settings.sky_workdir, within=snapshot.prefix)


def code_sent(code: Code, snapshot: Snapshot | None) -> dict[str, Any]:
    """Return the code that a node gets; its interpreter and packages are its own, and nobody asks it."""
    if snapshot is not None:
        code_record = CodeRecord.of_snapshot(snapshot).model_dump(mode="json")
    elif code.url is not None:
        code_record = commit_alone(code.commit)
    else:
        code_record = {**read_code(code.folder), "python": "", "packages": {}}
    return {**code_record, "environment_reason": "the node that it ran on is not asked"}


def secrets_of(job: JobSpec) -> dict[str, str]:
    """Return what a job's trainer needs and nobody may see.

    Raises:
        LaunchError: W&B shall be online, and there is no key to give to the node.
    """
    if not needs_key(job.env):
        return {}
    from experiments.project.credentials import find_credentials

    key = find_credentials().key
    if key is None:
        raise LaunchError(
            "W&B is to be online on a node, and no API key is found here to give it (an identity token stays on its "
            "machine). Log in with a key: uv run wandb login"
        )
    return {"WANDB_API_KEY": key}

"""From a job to a SkyPilot task, as SkyPilot's YAML has it: resources, code, environment, set-up and command.

Pure: no network, no SkyPilot. Secrets are added by `with_secrets` in the last moment before a launch, and are in
nothing that is shown or stored.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.jobs.commands import with_interpreter
from experiments.jobs.launchers.base import JobSpec
from experiments.jobs.launchers.sky.pools import UNKNOWN_ARCHIVE, Source, archive_path, arrival
from experiments.project.environment.wandb_config import config_script
from experiments.project.errors import UsageError
from experiments.project.git import Tree
from experiments.project.redaction import mask_text, without_login
from experiments.project.settings import Settings
from experiments.project.trainers.known import MODULE
from experiments.project.workspace import node_script
from experiments.types import TrainingJobConfig

LEDGER_MARK, PLAN_MARK = "EXPERIMENTS_LEDGER_ID", "EXPERIMENTS_PLAN_KEY"
"""By these a job in SkyPilot's queue is known to be ours."""

SECRETS = ("WANDB_API_KEY",)
_OF_POOL_JOBS = ("accelerators", "job_recovery")
_NAME = re.compile(r"[a-zA-Z]([-_.a-zA-Z0-9]*[a-zA-Z0-9])?")
_HTTPS, _SSH = re.compile(r"https?://\S+"), re.compile(r"ssh://\S+|[\w.-]+@[\w.-]+:\S+")


@dataclass(frozen=True)
class Code:
    """The code that a node gets.

    Attributes:
        url: Repository to clone; None where `folder` is uploaded instead.
        commit: Commit of `url`.
        folder: Folder on this machine that is uploaded.
        within: The project's folder inside the repository, `.` for its top.
        archive: SHA-256 of the archive in `run_root` that a pool's jobs fetch where there is no `url`; None for others.
    """

    url: str | None
    commit: str | None
    folder: Path
    within: str = "."
    archive: str | None = None

    def workdir(self) -> Any:  # noqa: ANN401 - a text or an object in SkyPilot's YAML
        """Return what SkyPilot calls the workdir."""
        return {"url": self.url, "ref": self.commit} if self.url is not None else str(self.folder)


def code_of(root: Path, tree: Tree, remote: str | None, wanted: str, *, within: str = ".") -> Code:
    """Return the code of a project: its pushed commit, or an upload of its folder.

    From an ssh address SkyPilot clones a private repository by sending the user's ssh key to the node: only a user who
    asks for `git` gets that.

    Args:
        root: The project's folder.
        tree: What git says of it.
        remote: Address of the repository that has the commit.
        wanted: The setting `sky_workdir`.
        within: The project's folder inside the repository.

    Raises:
        UsageError: `git` was asked for, and nobody else can get this code from git.
    """
    url = without_login(remote) if remote else ""
    kinds = (_HTTPS, _SSH) if wanted == "git" else (_HTTPS,)
    pushed = tree.state == "clean" and tree.pushed == "yes" and any(kind.fullmatch(url) for kind in kinds)
    if wanted == "upload" or (wanted == "auto" and not pushed):
        return Code(None, tree.commit, root)
    if not pushed:
        raise UsageError(
            f"sky_workdir='git', but the code is not a pushed commit of an https or ssh repository (remote {url!r}, "
            f"{tree.state}). Commit and push it, or upload it: export EXPERIMENTS_SKY_WORKDIR=upload"
        )
    return Code(url, tree.commit, root, within)


def task_of(job: JobSpec, settings: Settings, code: Code) -> dict[str, Any]:
    """Return the task of a job, as SkyPilot's YAML has it, without secrets.

    Raises:
        UsageError: SkyPilot could not run it as it stands: no kind of GPU, a name that it does not take.
    """
    if not _NAME.fullmatch(job.run_name):
        raise UsageError(
            f"run name {job.run_name!r} cannot be a SkyPilot job's: it has to start with a letter. Set another first "
            "part: export EXPERIMENTS_USER=NAME"
        )
    config = job.config
    if config.nodes > 1 and MODULE in job.command:
        raise UsageError(
            f"nodes={config.nodes}, but the reference trainer runs on one node and would start {config.nodes} times. "
            "Use nodes=1, or set train_command to a trainer that shares its work between nodes."
        )
    if settings.sky_pool and config.nodes > 1:
        raise UsageError(
            f"nodes={config.nodes}, but a job of a pool takes one worker. Use nodes=1, or launch without sky_pool "
            f"({settings.sky_pool!r})."
        )
    task: dict[str, Any] = {"name": job.run_name, "resources": resources_of(config, settings)}
    if config.nodes > 1:
        task["num_nodes"] = config.nodes
    if settings.sky_pool:
        # Its workers have their resources. A job takes all of one; which GPUs it sees follows from what it asks for.
        task["resources"] = {name: task["resources"][name] for name in _OF_POOL_JOBS if name in task["resources"]}
    else:
        task["workdir"] = code.workdir()
    marks = {LEDGER_MARK: job.ledger_id, PLAN_MARK: job.plan_key}
    task["envs"] = {**job.env, "EXPERIMENTS_RUN_NAME": job.run_name, **marks}
    if needs_key(job.env):
        task["secrets"] = dict.fromkeys(SECRETS, "(not shown)")
    command = _command(job, settings)
    if settings.sky_pool:
        script = arrival(source_of(code, settings), settings.sky_setup) + config_script(job.design) + command
    else:
        script = config_script(job.design) + _within(code, command)
        if settings.sky_setup.strip():
            task["setup"] = _within(code, settings.sky_setup)
    task["run"] = node_script(script)
    return task


def source_of(code: Code, settings: Settings) -> Source:
    """Return where a job of a pool fetches its code.

    Raises:
        UsageError: Nowhere: it is neither pushed, nor is there a folder that every node sees.
    """
    if code.url is not None:
        if not _HTTPS.fullmatch(code.url):
            raise UsageError(
                f"a job of pool {settings.sky_pool!r} fetches its code itself and has no key for {code.url!r}. Use an "
                "https remote, or: export EXPERIMENTS_SKY_WORKDIR=upload EXPERIMENTS_RUN_ROOT=/a/folder/every/node/sees"
            )
        return Source(code.commit or "", code.url, True, code.within)
    if settings.run_root is None:
        raise UsageError(
            f"SkyPilot brings no code to the workers of pool {settings.sky_pool!r}, and this code is not a pushed "
            "commit of an https remote. Commit and push it, or set run_root to a folder that every node sees: export "
            "EXPERIMENTS_RUN_ROOT=/shared/runs"
        )
    digest = code.archive or UNKNOWN_ARCHIVE
    return Source(digest, archive_path(settings.run_root, digest), False, code.within)


def needs_key(env: Mapping[str, str]) -> bool:
    """Say whether a trainer with this environment logs in to W&B."""
    return env.get("WANDB_MODE") == "online"


def with_secrets(task: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """Return the task with the values of its secrets: for SkyPilot only, never to be shown or stored."""
    if "secrets" not in task:
        return dict(task)
    return {**task, "secrets": {name: secrets[name] for name in task["secrets"] if name in secrets}}


def task_yaml(task: Mapping[str, Any]) -> str:
    """Return a task as YAML for people: texts of several lines as blocks, secrets masked."""
    return mask_text("\n".join(_yaml_lines({**task, **_hidden(task)})) + "\n")


def _hidden(task: Mapping[str, Any]) -> dict[str, Any]:
    return {"secrets": dict.fromkeys(task["secrets"], "(not shown)")} if "secrets" in task else {}


def resources_of(config: TrainingJobConfig, settings: Settings) -> dict[str, Any]:
    """Return the machines that a job asks for, as SkyPilot's YAML has them.

    Raises:
        UsageError: GPUs of no kind.
    """
    values: dict[str, Any] = {
        "infra": config.infra or settings.sky_infra,
        "accelerators": _accelerators(config, settings),
        "cpus": config.cpus or settings.sky_cpus,
        "memory": config.memory or settings.sky_memory,
        "disk_size": config.disk_gb,
        "use_spot": config.spot or None,
        "max_hourly_cost": config.max_hourly_cost,
    }
    recovery = {"strategy": config.recovery, "max_restarts_on_errors": config.max_restarts_on_errors}
    values["job_recovery"] = {name: value for name, value in recovery.items() if value is not None} or None
    return {name: value for name, value in values.items() if value is not None}


def _accelerators(config: TrainingJobConfig, settings: Settings) -> str | None:
    kind = config.accelerator or (settings.sky_accelerator if config.gpus else None)
    if kind is not None:
        return kind if ":" in kind else f"{kind}:{config.gpus or 1}"
    if config.gpus:
        raise UsageError(
            f"the job asks for {config.gpus} GPU(s) of no kind, and SkyPilot wants one. Name it: export "
            "EXPERIMENTS_SKY_ACCELERATOR=H100 (or accelerator='H100' in the recipe's TrainingJobConfig); without GPUs: "
            "--gpus 0"
        )
    return None


def _command(job: JobSpec, settings: Settings) -> str:
    words = with_interpreter(job.command, settings.sky_node_python)
    command = shlex.join(words)
    if job.config.max_runtime_hours is not None:
        seconds = round(job.config.max_runtime_hours * 3600)
        command = f"timeout --signal=TERM --kill-after=60 {seconds} {command}"
    return command


def _within(code: Code, script: str) -> str:
    return script if code.url is None or code.within == "." else f"cd {shlex.quote(code.within)} || exit 1\n{script}"


def _yaml_lines(value: Mapping[str, Any], indent: str = "") -> list[str]:
    lines = []
    for name, item in value.items():
        key = f"{indent}{name}:"
        if isinstance(item, Mapping) and item:
            lines += [key, *_yaml_lines(item, indent + "  ")]
        elif isinstance(item, str) and _is_block(item):
            mark = "|" if item.endswith("\n") else "|-"
            lines += [f"{key} {mark}", *(f"{indent}  {line}" if line else "" for line in item.rstrip("\n").split("\n"))]
        else:
            # JSON is YAML: every other value is written so that nothing in it can be taken for something else.
            lines.append(f"{key} {_scalar(item)}")
    return lines


def _is_block(text: str) -> bool:
    """Say whether a text can be written as a block: several plain lines, the first of them not indented."""
    lines = text.removesuffix("\n").split("\n")
    plain = text.isascii() and all(line.isprintable() for line in lines)
    return plain and len(lines) > 1 and bool(lines[-1]) and lines[0][:1] not in {"", " "}


def _scalar(item: Any) -> str:  # noqa: ANN401 - any JSON
    plain = isinstance(item, str) and re.fullmatch(r"[A-Za-z/][\w./@-]*", item) is not None
    if plain and item.lower() not in {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}:
        return str(item)
    return json.dumps(item)

"""Settings: the project's `[tool.experiments]`, the user's own file, the environment, flags; and where state lives."""

from __future__ import annotations

import functools
import getpass
import os
import pwd
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from experiments.project.errors import UNWRITABLE, UsageError
from experiments.project.files import home_folder, parse_json
from experiments.project.trainers.known import REFERENCE_COMMAND
from experiments.project.trainers.value import Trainer
from experiments.project.values import Frozen
from experiments.types import LauncherName, check_name

# Read only from the user's own file or environment: cloning a repository must neither run programs, nor send code away,
# nor say who may launch.
_USER_ONLY = frozenset({"sky_python", "alert_command", "snapshot_push", "launch"})
NODE_SETUP = """\
export PATH="$HOME/.local/bin:$PATH"
command -v uv >/dev/null || python3 -m pip install --user --quiet uv
uv sync --no-dev"""
_NETWORK_FILESYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "lustre", "beegfs", "gpfs", "ceph"}
)


class Settings(Frozen):
    """What a user or a project can set, each also as `EXPERIMENTS_<NAME>` in the environment."""

    launcher: LauncherName = Field("local", description="Where jobs run.")
    launch: Literal["free", "permit"] = Field(
        "free", description="permit: commands and scripts launch only with a permit that a person granted."
    )
    user: str | None = Field(None, description="First part of run names; the login name where not set.")
    max_parallel: int | None = Field(
        None, ge=1, description="Local jobs at once; one a GPU, or one a core (and a GB of memory), where not set."
    )
    gpus: tuple[str, ...] | None = Field(
        None,
        description="GPUs that local jobs may use, by UUID or number; those of CUDA_VISIBLE_DEVICES, else all, if none "
        "are named.",
    )
    gpus_per_job: float = Field(
        1.0, gt=0, le=1, description="Part of a GPU that a local job gets which asks for one: of 0.5, two share it."
    )
    threads_per_job: int | None = Field(
        None, ge=1, description="Threads of a local job's BLAS; the cores divided by what runs at once where not set."
    )
    nice: int = Field(0, ge=0, le=19, description="How far local trainers stand back for other programs; 19 furthest.")
    max_jobs: int = Field(500, ge=1, description="A plan of more jobs is refused.")
    max_cost: float | None = Field(None, gt=0, description="A plan of a higher estimated cost (USD) is refused.")
    wandb_mode: Literal["auto", "offline", "online"] = Field("auto", description="auto: online where logged in.")
    wandb_entity: str | None = Field(None, description="W&B entity of new runs.")
    wandb_project: str = Field("experiments", min_length=1, description="W&B project of new runs.")
    wandb_group: str | None = Field(None, description="W&B group of new runs; the experiment's name where not set.")
    in_place: bool = Field(
        False,
        description="Run local jobs in the working tree as it is, not in a snapshot: no such run is reproducible.",
    )
    train_command: tuple[str, ...] = Field(
        REFERENCE_COMMAND,
        description="The command line of recipes that name no trainer; additional arguments follow it.",
    )
    trainer: str | None = Field(None, description="Trainer of recipes that name none; train_command where not set.")
    trainers: dict[str, Trainer] = Field({}, description="Trainers by name; each has at least a command.")
    run_root: str | None = Field(
        None, description="Absolute path of a folder (share, volume, mounted bucket) that every node of a cluster sees."
    )
    sky_infra: str | None = Field(None, description="Where SkyPilot jobs run, such as aws/us-east-1 or slurm/cluster.")
    sky_pool: str | None = Field(
        None,
        description="Pool of SkyPilot workers that jobs go to, made by experiments pool apply; none where not set.",
    )
    sky_accelerator: str | None = Field(None, description="GPU of SkyPilot jobs that name none, such as H100.")
    sky_cpus: str | None = Field(None, description="CPUs of SkyPilot jobs that name none: 8, or 8+ for at least 8.")
    sky_memory: str | None = Field(None, description="GB of memory of SkyPilot jobs that name none: 32, or 32+.")
    sky_workdir: Literal["auto", "git", "upload"] = Field(
        "auto",
        description="Code of SkyPilot jobs: the pushed commit (over ssh SkyPilot gives nodes your key), or an upload; "
        "auto: the commit of an https remote, else an upload.",
    )
    sky_max_upload_mb: int = Field(500, ge=1, description="An upload of this folder to SkyPilot above it is refused.")
    sky_setup: str = Field(NODE_SETUP, description="Shell commands that prepare a SkyPilot node, in the code's folder.")
    sky_node_python: str = Field(
        ".venv/bin/python", min_length=1, description="Interpreter of the trainer on a SkyPilot node."
    )
    sky_python: tuple[str, ...] = Field(
        (), description="Interpreter that has SkyPilot; from the user's own file or environment only."
    )
    alert_stalled_minutes: float = Field(15.0, gt=0, description="A running job without a step for so long is stalled.")
    alert_evaluations: int = Field(3, ge=1, description="Evaluations in a row below the baseline's band: an alert.")
    alert_cost: float | None = Field(None, gt=0, description="An experiment that costs more USD is an alert.")
    alert_command: tuple[str, ...] = Field(
        (), description="Program for alerts; from the user's own file or environment only."
    )
    snapshot_max_file_mb: float = Field(10.0, gt=0, description="A larger file in a snapshot of the code is refused.")
    snapshot_max_mb: float = Field(200.0, gt=0, description="A larger snapshot of the code is refused.")
    snapshot_secrets: tuple[str, ...] = Field(
        (), description="Names of further files that never go into a snapshot, such as *.token or keys/*."
    )
    snapshot_links: tuple[str, ...] = Field(
        (), description="Folders of the project that trainers read but that are no code, such as data: linked in."
    )
    snapshot_push: str | None = Field(
        None, description="Remote that snapshots are pushed to; from the user's own file or environment only."
    )
    code_budget_mb: int = Field(2000, ge=1, description="Checkouts of snapshots above it: the oldest unneeded go.")

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_set(cls, values: Any) -> Any:  # noqa: ANN401 - whatever was given
        """Take an empty text of a setting that may be missing as missing: it would become an empty name of a run."""
        if not isinstance(values, dict):
            return values
        optional = {name for name, field in cls.model_fields.items() if field.annotation == str | None}
        return {name: None if name in optional and _is_blank(value) else value for name, value in values.items()}

    @field_validator("trainers", mode="before")
    @classmethod
    def _are_called_as_they_are(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was given
        """Give each trainer the name that it stands under."""
        if not isinstance(value, Mapping):
            return value
        return {name: {"name": name, **each} if isinstance(each, Mapping) else each for name, each in value.items()}

    @field_validator("run_root")
    @classmethod
    def _is_a_plain_path(cls, value: str | None) -> str | None:
        if value is not None and not (
            value.startswith("/") and value.strip("/") and value.isprintable() and ".." not in value.split("/")
        ):
            raise ValueError("it must be an absolute path without '..', such as /shared/runs")
        return value

    @field_validator("snapshot_links")
    @classmethod
    def _lie_in_the_project(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not name.strip("./") or name.startswith(("/", "~")) or ".." in name.split("/"):
                raise ValueError(f"{name!r} must be a folder inside the project, such as data")
        return value

    def user_name(self) -> str:
        """Return the first part of run names.

        Raises:
            UsageError: The login name cannot be part of a run name and no other was set.
        """
        if self.user is not None:
            return check_name("user", self.user)
        try:
            return check_name("user", getpass.getuser())
        except UsageError as error:
            raise UsageError(f"{error} Set it: export EXPERIMENTS_USER=NAME") from None
        except (KeyError, OSError):
            raise UsageError(
                f"user {os.getuid()} of this machine has no name, and runs are named after theirs. Set one: "
                "export EXPERIMENTS_USER=NAME"
            ) from None


def project_root(start: Path) -> Path:
    """Return the folder that owns the state of what lies at `start`.

    The nearest parent with `[tool.experiments]` in its pyproject.toml, else the nearest with `.git`, else the folder
    of `start` itself. Two roots would be two ledgers, so every part asks here.
    """
    folder = start.resolve()
    if not folder.is_dir():
        folder = folder.parent
    parents = [folder, *folder.parents]
    for parent in parents:
        if "experiments" in _tool_table(parent / "pyproject.toml"):
            return parent
    return next((parent for parent in parents if (parent / ".git").exists()), folder)


def state_dir(root: Path) -> Path:
    """Return the state folder of a project, made where it can be; `EXPERIMENTS_HOME` overrides.

    On a disk that is full or cannot be written it may be missing: whoever only reads finds nothing in it then, and
    whoever writes asks `check_state` first.

    Raises:
        UsageError: It is no folder, or lies on a network file system, where SQLite's locks do not hold.
    """
    folder = Path(os.environ.get("EXPERIMENTS_HOME") or root / ".experiments").absolute()
    try:
        _make_state(folder)
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise _unusable(folder, error) from None
    filesystem = _filesystem(folder)
    if filesystem in _NETWORK_FILESYSTEMS:
        raise UsageError(
            f"state folder {str(folder)!r} is on a network file system ({filesystem}), where locks do not hold and "
            "jobs could be launched twice. Name a local one: export EXPERIMENTS_HOME=DIR"
        )
    return folder


def check_state(folder: Path) -> None:
    """Make the state folder for somebody who will write to it.

    Raises:
        UsageError: It cannot be made.
    """
    try:
        _make_state(folder)
    except OSError as error:
        raise _unusable(folder, error) from None


def _make_state(folder: Path) -> None:
    is_new = not folder.exists()
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    (folder / "live").mkdir(exist_ok=True)
    if is_new:
        # Runs are no source: without this a `git add .` of somebody's own repository would take them all.
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _unusable(folder: Path, error: OSError) -> UsageError:
    return UsageError(
        f"state folder {str(folder)!r} cannot be written ({error.strerror}). Name another: export EXPERIMENTS_HOME=DIR"
    )


def load_settings(root: Path, flags: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of a project: its pyproject.toml, the user's own file, the environment, the given `flags`.

    A later one of these counts more; a flag that is None was not given.

    Raises:
        UsageError: A setting does not exist or has a value that is not allowed.
    """
    table = dict(_tool_table(root / "pyproject.toml").get("experiments", {}))
    forbidden = sorted(_USER_ONLY & table.keys())
    if forbidden:
        raise UsageError(
            f"[tool.experiments] sets {forbidden[0]!r}, which is read only from your own file or environment, for it "
            "runs a program, sends code away or says who may launch. Remove it there, then: "
            f"export EXPERIMENTS_{forbidden[0].upper()}=..."
        )
    # By where they come from; a later one counts more.
    sources: dict[str, Mapping[str, Any]] = {
        f"in {str(root / 'pyproject.toml')!r}": table,
        f"in {str(user_file())!r}": _users_own(),
        "from EXPERIMENTS_{}": _from_environment(),
        "from the command line": {k: v for k, v in (flags or {}).items() if v is not None},
    }
    values = {name: value for source in sources.values() for name, value in source.items()}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = ", ".join(sorted(Settings.model_fields))
        # A command of the user's own may hold a token, and a setting that does not exist may be one.
        is_private = name.split(".")[0] in _USER_ONLY or first["type"] == "extra_forbidden"
        value = "" if is_private else f" = {first['input']!r}"
        top = str(first["loc"][0])
        place = next((place for place, source in reversed(sources.items()) if top in source), "")
        where = place.replace("{}", top.upper()) if place.endswith("_{}") else place
        raise UsageError(f"setting {name!r}{value} {where}: {first['msg']}. Settings: {known}.") from None


def user_file() -> Path:
    """Return the file of a user's own settings, which may name programs; it need not exist."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or home_folder() / ".config") / "experiments" / "settings.toml"


def wants_permits() -> bool:
    """Tell whether commands and scripts of this user launch only with a permit: `launch = "permit"` in the own file.

    Neither the environment nor another home folder takes that back, for a program that is to be held can set both.

    Raises:
        UsageError: The file cannot be read.
    """
    if os.environ.get("EXPERIMENTS_LAUNCH") == "permit":
        return True
    files = {user_file(), _home_of_the_account() / ".config" / "experiments" / "settings.toml"}
    return any(_users_own(path).get("launch") == "permit" for path in files)


def _home_of_the_account() -> Path:
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # a user without a name, as in a container
        return home_folder()


def _users_own(path: Path | None = None) -> dict[str, Any]:
    path = path or user_file()
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}. Mend it and run the command again.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{str(path)!r} is not valid TOML: {error}. Mend it and run the command again.") from None


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _from_environment() -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        text = os.environ.get(f"EXPERIMENTS_{name.upper()}")
        if text:
            values[name] = _read(name, text, str(field.annotation))
    return values


def _read(name: str, text: str, annotation: str) -> Any:  # noqa: ANN401 - what the setting takes
    if "dict" in annotation:
        try:
            return parse_json(text)
        except ValueError as error:
            raise UsageError(f"EXPERIMENTS_{name.upper()} is no JSON object: {error}. Mend it, or unset it.") from None
    return _words(name, text) if "tuple" in annotation else text


def _words(name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        variable = f"EXPERIMENTS_{name.upper()}"
        raise UsageError(f"{variable} is not a list of words: {error}. Quote it as a shell wants it.") from None


@functools.cache
def runs_when_opened(root: Path) -> bool | None:
    """Return whether a project's pyproject.toml has marimo run notebooks when they are opened; None: it does not say.

    Raises:
        UsageError: The file is not valid.
    """
    marimo = _tool_table(root / "pyproject.toml").get("marimo", {})
    runtime = marimo.get("runtime", {}) if isinstance(marimo, dict) else {}
    said = runtime.get("auto_instantiate") if isinstance(runtime, dict) else None
    return said if isinstance(said, bool) else None


def _tool_table(path: Path) -> dict[str, Any]:
    try:
        tool = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except UnicodeDecodeError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}. Mend it and run the command again.") from None
    except OSError:  # of a parent folder, which may be anybody's
        return {}
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{str(path)!r} is not valid TOML: {error}. Mend it and run the command again.") from None
    return tool if isinstance(tool, dict) else {}


def _filesystem(folder: Path) -> str:
    """Return the type of the file system that holds `folder`, or an empty string where /proc does not say."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in mounts:
        _, point, name, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if (folder.is_relative_to(point)) and len(point) > best:
            best, kind = len(point), name
    return kind

"""The checks of `experiments doctor`; each looks and changes nothing."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from experiments.doctor import Finding
from experiments.errors import ExperimentsError, UsageError
from experiments.run_root import cluster_root
from experiments.settings import Settings, load_settings, project_root, state_dir
from experiments.workspace import Workspace

SKY_DEADLINE_S = 15.0
"""SkyPilot takes seconds to be imported, and has to be before it can be asked."""

_SERVER_S = 4.0
_NEEDED = ("marimo", "pydantic", "wandb", "altair", "pandas", "anywidget", "numpy", "scipy", "pyarrow", "mettagrid")
_LITTLE, _VERY_LITTLE = 5 << 30, 1 << 30
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_VIEWER = "query Viewer { viewer { username } }"


@dataclass(frozen=True)
class Project:
    """Where to look.

    Attributes:
        root: Folder of the project.
        settings: Its settings, or the defaults where they cannot be read.
        problem: Why they cannot be read; empty where they can.
    """

    root: Path
    settings: Settings
    problem: str = ""

    @classmethod
    def of(cls, start: Path) -> Project:
        """Return the project that `start` lies in, whatever is wrong with it."""
        try:
            root = project_root(start)
            return cls(root, load_settings(root))
        except UsageError as error:
            return cls(start.resolve(), Settings(), str(error))

    @property
    def state(self) -> Path:
        """The state folder, which need not exist."""
        return Path(os.environ.get("EXPERIMENTS_HOME") or self.root / ".experiments").absolute()

    def settings_finding(self) -> Finding:
        """Say whether the settings can be read, and what jobs they lead to."""
        if self.problem:
            return Finding("settings", "fail", self.problem)
        text = f"project {str(self.root)!r}, launcher {self.settings.launcher}, Python {sys.version.split()[0]}"
        return Finding("settings", "ok", text)


def state(project: Project) -> Finding:
    """Look whether the state folder can be written, or made."""
    folder = project.state
    if folder.exists():
        state_dir(project.root)
        return _writable("state", folder, "the ledger and the runs")
    place = next(parent for parent in folder.parents if parent.exists())
    if os.access(place, os.W_OK | os.X_OK):
        return Finding("state", "ok", f"{str(folder)!r} is made by the first launch")
    text = f"{str(folder)!r} cannot be made: {str(place)!r} cannot be written"
    return Finding("state", "fail", text, "export EXPERIMENTS_HOME=DIR")


def ledger(project: Project) -> Finding:
    """Look whether the ledger can be read."""
    from experiments.ledger_schema import FILE, REBUILD

    if not (project.state / FILE).exists():
        return Finding("ledger", "off", "no job was launched here yet")
    try:
        with Workspace(project.root, project.state, project.settings).ledger(read_only=True) as found:
            jobs = found.jobs()
    except ExperimentsError as error:
        return Finding("ledger", "fail", str(error), f"uv run {REBUILD}")
    experiments = len({job.experiment for job in jobs})
    return Finding("ledger", "ok", f"{_counted(len(jobs), 'job')} of {_counted(experiments, 'experiment')}")


def disk(project: Project) -> Finding:
    """Look how much room there is for runs."""
    place = next(parent for parent in [project.state, *project.state.parents] if parent.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / 1e9:.1f} GB free for runs"
    if free >= _LITTLE:
        return Finding("disk", "ok", text)
    return Finding("disk", "fail" if free < _VERY_LITTLE else "warn", text, "uv run experiments gc")


def packages() -> Finding:
    """Look for the packages that notebooks and the trainer need."""
    versions = {name: _version(name) for name in _NEEDED}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return Finding("packages", "fail", f"not installed: {', '.join(missing)}", "uv sync")
    shown = ", ".join(f"{name} {versions[name]}" for name in ("marimo", "wandb", "altair", "mettagrid"))
    return Finding("packages", "ok", shown)


def git(project: Project) -> Finding:
    """Look whether git knows the project's code."""
    from experiments.provenance.git import read_tree

    if shutil.which("git") is None:
        text = "not installed: runs do not record their code, and SkyPilot gets an upload of the folder"
        return Finding("git", "warn", text, "apt-get install git")
    tree = read_tree(project.root, deadline_s=_SERVER_S)
    if tree.commit is None:
        text = "the project is in no git repository with a commit, so runs do not record their code"
        return Finding("git", "warn", text, "git init")
    pushed = "" if tree.pushed == "yes" else ", not pushed"
    return Finding("git", "ok", f"commit {tree.commit[:10]}, {tree.state}{pushed}")


def uv() -> Finding:
    """Look for uv, which starts commands and installs SkyPilot apart from the rest."""
    path = shutil.which("uv")
    if path is None:
        return Finding("uv", "warn", "not installed: commands here are written with `uv run`", "pip install uv")
    return Finding("uv", "ok", path)


def wandb_key(project: Project) -> Finding:
    """Look for a W&B key, without showing it."""
    from experiments.runs.credentials import find_credentials

    found = find_credentials()
    if found.key is None and not found.identity_token:
        if project.settings.wandb_mode == "online":
            text = f"wandb_mode is online, but there is no key for {found.host}"
            return Finding("W&B key", "fail", text, "uv run wandb login")
        return Finding("W&B key", "off", "none, so runs are logged to files here; to use a server: uv run wandb login")
    where = found.source if found.key else "an identity token"
    return Finding("W&B key", "ok", f"for {found.host}, from {where}")


def wandb_server(project: Project) -> Finding:
    """Look whether the W&B server answers and takes the key."""
    from experiments.runs.credentials import find_credentials
    from experiments.runs.server import Server, ServerBusy

    found = find_credentials()
    if found.key is None:
        return Finding("W&B server", "off", "not asked: there is no key")
    if project.settings.wandb_mode == "offline":
        return Finding("W&B server", "off", "not asked: wandb_mode is offline")
    try:
        viewer = Server(found, deadline_s=_SERVER_S).execute(_VIEWER, {}).get("viewer")
    except ServerBusy as error:
        return Finding("W&B server", "warn", str(error), "export EXPERIMENTS_WANDB_MODE=offline (until it answers)")
    except ExperimentsError as error:
        return Finding("W&B server", "fail", str(error), "uv run wandb login --relogin")
    if not viewer:
        return Finding("W&B server", "fail", f"{found.host} does not know the key", "uv run wandb login --relogin")
    return Finding("W&B server", "ok", f"{found.host} answers {viewer.get('username') or 'without a name'}")


def run_root(project: Project) -> Finding:
    """Look at the folder where clusters keep runs."""
    root = cluster_root(project.settings)
    if root is None:
        return Finding("run_root", "off", "not set; only --launcher skypilot uses it")
    if not root.is_dir():
        text = f"{str(root)!r} is not seen from here: runs are not live, uv run experiments pull --from DIR copies them"
        return Finding("run_root", "warn", text)
    return _writable("run_root", root, "read live")


def skypilot(project: Project) -> Finding:
    """Ask SkyPilot where somebody uses it; where nobody does, that is no error and nothing is installed."""
    if not _uses_skypilot(project.settings):
        text = "not set up; only --launcher skypilot needs it, and uv installs it then"
        return Finding("SkyPilot", "off", text)
    from experiments.launchers.bridge_client import BridgeClient, SkyError, bridge_command

    wanted = project.settings.launcher == "skypilot"
    try:
        client = BridgeClient(bridge_command(project.settings), start_deadline_s=SKY_DEADLINE_S - 1)
        try:
            result = client.call("health", deadline_s=SKY_DEADLINE_S - 1).result
        finally:
            client.close()
    except SkyError as error:
        what, _, mend = str(error).partition(". ")
        what = re.sub(r" \(.{60,}\)$", "", what)  # what libraries say of a refused connection
        return Finding("SkyPilot", "fail" if wanted and error.kind != "slow" else "warn", what, mend.partition(": ")[2])
    server = result["server"]
    text = f"{result['client']}; server {server['version']} at {result['endpoint']} ({server['status']})"
    same = _minor(result["client"]) == _minor(server["version"])
    mend = "" if same else f"pip install 'skypilot=={server['version']}' (where sky_python is)"
    return Finding("SkyPilot", "ok" if same else "warn", text, mend)


def chromium() -> Finding:
    """Look for a browser, which only the tests of pages use."""
    path = next((found for name in _CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        return Finding("chromium", "off", "not installed; only the browser tests use it: apt-get install chromium")
    return Finding("chromium", "ok", path)


def _uses_skypilot(settings: Settings) -> bool:
    from experiments.launchers.sky_words import is_configured

    return bool(settings.sky_python) or settings.launcher == "skypilot" or is_configured()


def _writable(name: str, folder: Path, what: str) -> Finding:
    probe = folder / f".doctor.{os.getpid()}"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Finding(name, "fail", f"{str(folder)!r} cannot be written ({error.strerror})", f"chmod u+rwx {folder}")
    return Finding(name, "ok", f"{str(folder)!r} ({what})")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _minor(version: str) -> list[str]:
    return str(version).split(".")[:2]


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"

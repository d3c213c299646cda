"""`experiments doctor`: what is installed, reachable and writable, each with the command that mends it.

Every check runs in a thread of its own under a deadline, so that the whole takes as long as the slowest and one that
hangs is a line like any other. No secret is printed: every text passes `redaction`.
"""

from __future__ import annotations

import importlib.metadata
import os
import queue
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.jobs.ledger import open_ledger
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import counted
from experiments.project.redaction import mask_text
from experiments.project.settings import Settings, load_settings, project_root, state_dir
from experiments.project.workspace import Workspace, cluster_root

Level = Literal["ok", "off", "warn", "fail"]
MARKS: dict[Level, str] = {"ok": "✓", "off": "-", "warn": "!", "fail": "✕"}
DEADLINE_S = 5.0


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: What was checked.
        level: `ok`; `off`, not set up, which is no error; `warn`, works in part; `fail`, something will not work.
        text: What was found.
        mend: Command that mends it; empty where there is nothing to mend.
    """

    name: str
    level: Level
    text: str
    mend: str = ""

    def masked(self) -> Finding:
        """Return the same without secrets, on one line."""
        return Finding(self.name, self.level, " ".join(mask_text(self.text).split()), mask_text(self.mend))


@dataclass(frozen=True)
class Check:
    """One question and how long it may take.

    Attributes:
        look: Answers it; an error that it raises becomes a finding.
        deadline_s: Seconds after which it is given up.
    """

    name: str
    look: Callable[[], Finding]
    deadline_s: float = DEADLINE_S


def examine(checks: Sequence[Check]) -> list[Finding]:
    """Run all checks at once and return what they found, in their order."""
    answers: queue.SimpleQueue[tuple[int, Finding]] = queue.SimpleQueue()
    began = time.monotonic()
    for number, check in enumerate(checks):
        # Daemons: a check that hangs must not keep the process.
        threading.Thread(target=lambda n=number, c=check: answers.put((n, _looked(c))), daemon=True).start()
    found: dict[int, Finding] = {}
    for deadline in sorted({check.deadline_s for check in checks}):
        due = {number for number, check in enumerate(checks) if check.deadline_s <= deadline}
        while due - found.keys():
            try:
                number, finding = answers.get(timeout=max(0.0, began + deadline - time.monotonic()))
            except queue.Empty:
                late = due - found.keys()
                found |= {number: _late(checks[number]) for number in late}
            else:
                found.setdefault(number, finding)
    return [found[number].masked() for number in range(len(checks))]


def report(findings: Sequence[Finding]) -> list[str]:
    """Return one line a finding, and beneath it the command that mends it."""
    width = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{MARKS[finding.level]} {finding.level:<4}  {finding.name:<{width}}  {finding.text}")
        if finding.mend:
            lines.append(f"{'':{width + 10}}mend: {finding.mend}")
    return lines


def all_checks(start: Path) -> list[Check]:
    """Return every check for the project that `start` lies in, in the order in which they are shown."""
    project = Project.of(start)
    return [
        Check("settings", project.settings_finding),
        Check("state", lambda: state(project)),
        Check("ledger", lambda: ledger(project)),
        Check("disk", lambda: disk(project)),
        Check("packages", packages),
        Check("git", lambda: git(project)),
        Check("uv", uv),
        Check("W&B key", lambda: wandb_key(project)),
        Check("W&B server", lambda: wandb_server(project)),
        Check("run_root", lambda: run_root(project)),
        Check("SkyPilot", lambda: skypilot(project), SKY_DEADLINE_S),
        Check("chromium", chromium),
    ]


def _looked(check: Check) -> Finding:
    try:
        return check.look()
    except ExperimentsError as error:
        return Finding(check.name, "fail", str(error))
    except Exception as error:  # noqa: BLE001 - what a check stumbles over is what it is for
        return Finding(check.name, "fail", f"{type(error).__name__}: {error}")


def _late(check: Check) -> Finding:
    return Finding(check.name, "warn", f"no answer within {check.deadline_s:g} s")


SKY_DEADLINE_S = 15.0
"""SkyPilot takes seconds to be imported, and has to be before it can be asked."""

_SERVER_S = 4.0
_NEEDED = ("marimo", "pydantic", "wandb", "altair", "pandas", "anywidget", "numpy", "scipy", "pyarrow", "mettagrid")
_LITTLE, _VERY_LITTLE = 5 << 30, 1 << 30
_CHROMIUM = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome", "google-chrome-stable")
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
    from experiments.jobs.ledger import MEND
    from experiments.jobs.ledger.schema import FILE, REBUILD

    if not (project.state / FILE).exists():
        return Finding("ledger", "off", "no job was launched here yet")
    try:
        with open_ledger(Workspace(project.root, project.state, project.settings), read_only=True) as found:
            open_jobs, others = found.recent(0)
            experiments = found.experiments()
            damaged = [row.sentence() for row in found.unreadable()] + [
                text.sentence() for text in found.damaged_texts()
            ]
    except ExperimentsError as error:
        return Finding("ledger", "fail", str(error), f"uv run {REBUILD}")
    if damaged:
        more = f" And {len(damaged) - 1} more." if len(damaged) > 1 else ""
        return Finding("ledger", "fail", f"{damaged[0]}.{more}", f"uv run {MEND}")
    jobs = len(open_jobs) + others
    return Finding("ledger", "ok", f"{counted(jobs, 'job')} of {counted(len(experiments), 'experiment')}")


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
    from experiments.project.git import read_tree

    if shutil.which("git") is None:
        text = "not installed: runs do not record their code, and SkyPilot gets an upload of the folder"
        return Finding("git", "warn", text, "apt-get install git")
    tree = read_tree(project.root, deadline_s=_SERVER_S)
    if tree.commit is None:
        text = "the project is in no git repository with a commit: the code of runs is kept as snapshots, here alone"
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
    from experiments.project.credentials import find_credentials

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
    from experiments.project.credentials import find_credentials
    from experiments.runs.server.requests import Server, ServerBusy

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
    from experiments.jobs.launchers.sky.client import BridgeClient, SkyError, bridge_command

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
    from experiments.jobs.launchers.sky.words import is_configured

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

"""Where an experiment lives: its project's root, its state on disk and its settings, found from one file.

What outlives a node lies under the setting `run_root`, a folder that every node of a cluster sees. A cluster's home is
new after each preemption. Under `run_root/<run name>/` the checkpoints, W&B's files, the replays and `train.log` stay,
so the same run goes on from its newest checkpoint wherever it is started again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from experiments.project.errors import LaunchError
from experiments.project.settings import Settings, load_settings, project_root, state_dir
from experiments.types import Plan

_MENDS = (
    "Name a folder that every node sees: export EXPERIMENTS_RUN_ROOT=/shared/runs (or run_root in [tool.experiments]). "
    "Or let W&B's server keep the metrics: uv run wandb login"
)


@dataclass(frozen=True)
class Workspace:
    """A project as the parts that read and write its state see it.

    Attributes:
        root: Folder with the project's pyproject.toml; what people type is relative to it.
        state: Folder `.experiments` (or `EXPERIMENTS_HOME`), which holds the ledger and the runs.
        settings: The project's settings, the environment and the flags of this command.

    Example:
        >>> from experiments import Workspace
        >>> Workspace.find(".").state.name
        '.experiments'
    """

    root: Path
    state: Path
    settings: Settings

    @classmethod
    def find(cls, start: Path | str, flags: Mapping[str, Any] | None = None) -> Workspace:
        """Return the workspace of the recipe, notebook or folder at `start`.

        Raises:
            UsageError: The state folder cannot be used, or a setting is wrong.
        """
        root = project_root(Path(start))
        return cls(root=root, state=state_dir(root), settings=load_settings(root, flags))

    @property
    def runs(self) -> Path:
        """Folder with one folder for each run."""
        return self.state / "runs"

    def wandb_mode(self) -> Literal["offline", "online"]:
        """Return where new runs are logged: online only where somebody is logged in or asked for it."""
        if self.settings.wandb_mode != "auto":
            return self.settings.wandb_mode
        from experiments.project.credentials import credentials_present

        return "online" if credentials_present() else "offline"

    def shown(self, path: Path) -> str:
        """Return `path` as people type it: relative to the working folder or the root where it lies there."""
        for base in (Path.cwd(), self.root):
            if path.is_relative_to(base):
                return str(path.relative_to(base))
        return str(path)


def node_folder(launcher: str, settings: Settings, run_name: str, run_dir: Path) -> str | None:
    """Return the run's folder where its trainer sees it; None where only the trainer can choose one.

    Args:
        launcher: Name of the launcher.
        settings: Whose `run_root` counts.
        run_name: The run.
        run_dir: The run's folder on this machine.
    """
    if launcher != "skypilot":
        return str(run_dir)
    return f"{settings.run_root.rstrip('/')}/{run_name}" if settings.run_root else None


def files_of(launcher: str, workspace: Workspace, run_name: str = "<run>", within: str = "") -> str:
    """Return where the files of a run are, as people type it.

    Args:
        run_name: The run; by default the word that stands for any.
        within: A folder inside the run's, such as `/wandb`.
    """
    if launcher != "skypilot":
        return f"{workspace.shown(workspace.runs / run_name)}{within}"
    if not workspace.settings.run_root:
        return "not kept: no run_root is set, so they go with its machine"
    seen = "" if visible_root(workspace.settings) else " (not seen from here: uv run experiments pull)"
    return f"{workspace.settings.run_root.rstrip('/')}/{run_name}{within}{seen}"


def cluster_root(settings: Settings) -> Path | None:
    """Return `run_root` as a path, whether or not it is seen from here; None where it is not set."""
    return Path(settings.run_root) if settings.run_root else None


def visible_root(settings: Settings) -> Path | None:
    """Return `run_root` where this machine sees it too, so that runs are read live and need no pull."""
    root = cluster_root(settings)
    return root if root is not None and root.is_dir() else None


def storage_notes(plan: Plan, settings: Settings) -> list[str]:
    """Return what one should know before a launch of where the runs are kept.

    Raises:
        LaunchError: Nothing of the runs would be left once their nodes are gone.
    """
    if plan.launcher != "skypilot":
        return []
    if settings.run_root:
        live = "read live from here" if visible_root(settings) else "not seen from here: uv run experiments pull"
        return [f"run_root is {settings.run_root} ({live}); a preempted job goes on from its newest checkpoint there"]
    if plan.wandb_mode == "offline":
        raise LaunchError(
            f"launcher 'skypilot' without run_root keeps only what W&B's server gets, and W&B is offline. {_MENDS}"
        )
    return ["no run_root is set: a preempted job starts again at agent-step 0, and its checkpoints go with its machine"]


def node_script(script: str) -> str:
    """Return a node's bash script that runs `script` and appends what it prints to the run's `train.log`.

    The exit code is that of `script`. Nodes of one job after the first have a `train.rank1.log`, ... of their own.
    Without EXPERIMENTS_RUN_DIR in its environment nothing is written.
    """
    return f"""\
run_program() {{
{script.rstrip()}
}}
if [ -z "${{EXPERIMENTS_RUN_DIR:-}}" ]; then
  run_program
  exit $?
fi
if ! mkdir -p "$EXPERIMENTS_RUN_DIR"; then
  echo "experiments: run_root cannot be written on this node: $EXPERIMENTS_RUN_DIR" >&2
  exit 1
fi
log="$EXPERIMENTS_RUN_DIR/train.log"
[ "${{SKYPILOT_NODE_RANK:-0}}" = 0 ] || log="$EXPERIMENTS_RUN_DIR/train.rank$SKYPILOT_NODE_RANK.log"
[ ! -s "$log" ] || echo "--- started again $(date -u +%Y-%m-%dT%H:%M:%SZ) on $(hostname) ---" >> "$log"
run_program 2>&1 | tee -p -a "$log"
exit "${{PIPESTATUS[0]}}"
"""

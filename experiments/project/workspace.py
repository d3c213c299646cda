"""Where an experiment lives: its project's root, its state on disk and its settings, found from one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from experiments.project.settings import Settings, load_settings, project_root, state_dir


@dataclass(frozen=True)
class Workspace:
    """A project as the parts that read and write its state see it.

    Attributes:
        root: Folder with the project's pyproject.toml; what people type is relative to it.
        state: Folder `.experiments` (or `EXPERIMENTS_HOME`), which holds the ledger and the runs.
        settings: The project's settings, the environment and the flags of this command.
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

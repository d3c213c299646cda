"""The run as Weights & Biases sees it."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from experiments.project.credentials import credentials_present
from experiments.project.errors import StoreError, UsageError
from experiments.project.files import second_name, unset_empty
from experiments.trainer.config import Arguments

VIEWER = "https://metta-ai.github.io/metta/mettascope/mettascope.html?replay="
"""Address of MettaScope, to which the encoded address of a public replay is added."""

MODES = {
    **{name: name for name in ("online", "offline", "disabled", "shared")},
    "run": "online",
    "dryrun": "offline",
}
"""What WANDB_MODE may say, and what it means; the last two are old names."""


class Tracker:
    """One W&B run; what the settings leave out is read by the SDK from its WANDB_* variables.

    Attributes:
        mode: `online`, `offline`, `disabled` or `shared`.
        last_step: Step of the last row that W&B's server has, also from an earlier start, or of the last one logged
            by this start; -1 before the first.
    """

    def __init__(self, arguments: Arguments, run_dir: Path) -> None:
        """Start the run, or continue the one with this name.

        Raises:
            UsageError: WANDB_MODE is not a mode.
            StoreError: W&B refuses it or cannot be reached.
        """
        unset_empty()
        environment, chosen = os.environ, arguments.wandb
        mode, preset = chosen.mode, environment.get("WANDB_MODE")
        if mode is None and not preset:
            mode = "online" if credentials_present() else "offline"
        if preset and preset not in MODES:
            raise UsageError(f"WANDB_MODE={preset!r} is not a mode of W&B. Known: {', '.join(MODES)}.")
        self.mode: str = mode or MODES[preset or "online"]
        import wandb

        self._url_prefix = arguments.trainer.replays.url_prefix
        self._html = wandb.Html
        quiet = {} if {"WANDB_QUIET", "WANDB_SILENT"} & environment.keys() else {"quiet": True}
        try:
            self._run = wandb.init(
                mode=mode,
                dir=None if "WANDB_DIR" in environment else str(run_dir),
                id=None if "WANDB_RUN_ID" in environment else arguments.run,
                name=None if "WANDB_NAME" in environment else arguments.run,
                project=chosen.project or (None if "WANDB_PROJECT" in environment else "experiments"),
                entity=chosen.entity or None,
                group=chosen.group or None,
                tags=chosen.tags or None,
                config=arguments.model_dump(mode="json", exclude={"run_dir", "wandb"}),
                # Offline, continuing a run means continuing its steps, which are always given.
                resume="allow" if self.mode == "online" else None,
                settings=wandb.Settings(**quiet),
            )
        except (wandb.Error, ValueError) as error:
            raise StoreError(
                f"W&B did not start run {arguments.run!r}: {error}. With wandb.mode=offline no account is needed."
            ) from error
        self.last_step = self._steps_before()

    def log(self, agent_step: int, row: Mapping[str, float], replay: Path | None = None) -> None:
        """Send one row; its `_step` is the agent-step, so a resumed run goes on where it was.

        A killed run goes on from a checkpoint that may lie before its last rows. They are logged again, and whoever
        reads W&B's files takes the later ones (see `runs.offline.starts`); a server takes no step twice and keeps
        the first.

        Args:
            agent_step: Agent-steps so far.
            row: Metrics.
            replay: Replay recorded at this step: stored with the run, and linked as Metta does.
        """
        if agent_step <= self.last_step:
            return
        self.last_step = agent_step
        # With a step given, a row waits for the next one unless it is committed. Media are named after the step of the
        # row that is open when they come.
        self._run.log({**row, "metric/agent_step": agent_step}, step=agent_step, commit=replay is None)
        if replay is not None:
            self._store(replay)
            link = replay_link(replay.name, self._url_prefix)
            self._run.log({"replays/link": self._html(link, inject=False)}, step=agent_step, commit=True)

    def finish(self, exit_code: int) -> None:
        """Close the run with the code that the process will end with."""
        self._run.finish(exit_code=exit_code)

    def _steps_before(self) -> int:
        """Return the step of the last row that the server has of earlier starts; -1 where there is none."""
        return int(self._run.step) - 1 if self.mode == "online" and self._run.resumed else -1

    def _store(self, replay: Path) -> None:
        """Put the replay into W&B's folder, too, so that the folder is whole by itself and can be synced."""
        if self.mode == "disabled":
            return
        stored = Path(self._run.dir, "replays", replay.name)
        stored.parent.mkdir(exist_ok=True)
        second_name(replay, stored)
        self._run.save(str(stored), base_path=self._run.dir, policy="now")


def replay_link(name: str, url_prefix: str) -> str:
    """Return the HTML that links a replay file of the run: to MettaScope where the file has a public address."""
    where = f"replays/{name}"
    if url_prefix:
        where = VIEWER + quote(f"{url_prefix.rstrip('/')}/{name}", safe="")
    return f'<a href="{html.escape(where)}">{html.escape(name)}</a>'

"""The run as Weights & Biases sees it."""

from __future__ import annotations

import html
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from experiments.trainer.config import Arguments

VIEWER = "https://metta-ai.github.io/metta/mettascope/mettascope.html?replay="


class Tracker:
    """One W&B run; what the settings leave out is read by the SDK from its WANDB_* variables."""

    def __init__(self, arguments: Arguments, run_dir: Path) -> None:
        import wandb

        chosen = arguments.wandb
        environment = os.environ
        mode = chosen.mode or environment.get("WANDB_MODE") or ("online" if _has_key() else "offline")
        self._wandb = wandb
        self._url_prefix = arguments.trainer.replays.url_prefix
        self._run = wandb.init(
            mode=mode,
            dir=None if "WANDB_DIR" in environment else str(run_dir),
            id=None if "WANDB_RUN_ID" in environment else arguments.run,
            name=None if "WANDB_NAME" in environment else arguments.run,
            project=chosen.project or (None if "WANDB_PROJECT" in environment else "experiments"),
            entity=chosen.entity,
            group=chosen.group,
            tags=chosen.tags or None,
            config=arguments.model_dump(mode="json", exclude={"run_dir", "wandb"}),
            # Offline, resuming is only continuing to count, which explicit steps do.
            resume="allow" if mode == "online" else None,
            settings=wandb.Settings(**_quiet()),
        )

    def log(self, agent_step: int, row: Mapping[str, Any], replay: Path | None = None) -> None:
        """Send one row; its `_step` is the agent-step, so a resumed run goes on where it was.

        Args:
            agent_step: Agent-steps so far; each row needs a higher one.
            row: Metrics.
            replay: A replay recorded at this step, to be linked as Metta does.
        """
        # With a step given, a row waits for the next one unless it is committed; and media are named after the row
        # that is open when they are logged.
        self._run.log({**row, "metric/agent_step": agent_step}, step=agent_step, commit=replay is None)
        if replay is not None:
            # A copy, so that the W&B folder is whole by itself and can be synced from elsewhere.
            copy = Path(self._run.dir, "replays", replay.name)
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(replay, copy)
            self._run.save(str(copy), base_path=self._run.dir, policy="now")
            self._run.log(
                {"replays/link": self._wandb.Html(self._link(replay), inject=False)}, step=agent_step, commit=True
            )

    def finish(self, exit_code: int) -> None:
        """Close the run with the code that the process will end with."""
        self._run.finish(exit_code=exit_code)

    def _link(self, replay: Path) -> str:
        where = f"replays/{replay.name}"
        if self._url_prefix:
            where = VIEWER + quote(f"{self._url_prefix.rstrip('/')}/{replay.name}", safe="")
        return f'<a href="{html.escape(where)}">MettaScope replay {html.escape(replay.name)}</a>'


def _quiet() -> dict[str, Any]:
    """Return settings that keep wandb's summary out of the log, where the environment does not ask for it."""
    return {} if {"WANDB_QUIET", "WANDB_SILENT"} & set(os.environ) else {"quiet": True}


def _has_key() -> bool:
    """Return whether wandb finds credentials without asking."""
    import wandb
    from wandb.sdk.lib.wbauth import read_netrc_auth

    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    return read_netrc_auth(host=wandb.setup().settings.base_url) is not None
